/* SPDX-License-Identifier: ISC */
/*
 * What goes to an offline signer and comes back: the text byte for byte, what
 * is refused in reading and in writing, and that what was read is written back
 * as it was. The closing lines of the golden texts were made with cksum(1).
 */
#include "crlpress/request.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../../src/manifest_impl.h"

#define ISSUER_HEX \
	"000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"
#define HEX_FF \
	"ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff"
#define HEX_AB \
	"abababababababababababababababababababababababababababababababab"

static const char golden[] =
    "# crlpress-request 1\n"
    "# issuer root\n"
    "# issuer-sha256 " ISSUER_HEX "\n"
    "# number 1795324189\n"
    "# this-update 2026-11-22T05:09:49Z\n"
    "# next-update 2027-11-21T05:09:48Z\n"
    "# algorithm 300a06082a8648ce3d040302\n"
    "# url http://crl.example.net/root/{shard}.crl\n"
    "# configured 4 from 1\n"
    "# position 7310428466137210881 3 1A/F00DCAFE\n"
    "# passed floor\n"
    "# passed next-up:1\n"
    "# shards 2\n"
    "# shard 1 entries=12 added=2 removed=1 settled=2026-10-22T05:09:49Z "
    "previous=1795302589 previous-sha256=" HEX_AB " size=740 "
    "url=http://crl.example.net/root/1.crl\n" //
    HEX_FF "  1.tbs\n"
    "# shard 4 entries=0 added=0 removed=0 settled=- previous=- "
    "previous-sha256=- size=150 url=http://crl.example.net/root/4.crl\n" //
    HEX_AB "  4.tbs\n"
    "# end 1226293557 885\n";

static const char golden_closing[] = "# crlpress-signed 1\n"
				     "# issuer root\n"
				     "# issuer-sha256 " ISSUER_HEX "\n"
				     "# number 1795324189\n"
				     "# request-sha256 " HEX_AB "\n"
				     "# shards 2\n"
				     "# shard 1 size=820\n" //
    HEX_FF "  1.crl\n"
				     "# shard 4 size=230\n" //
    HEX_AB "  4.crl\n"
				     "# end 3212009153 410\n";

/* A list and how it is read and written back. */
struct kind {
	const char *text;
	size_t len;
	bool (*round_trip)(const char *text, size_t len, const char **why);
};

/* False when it is refused; true when the same comes out. */
static bool
round_trip_request(const char *text, size_t len, const char **why)
{
	struct request request;
	char *again = NULL;
	size_t again_len = 0;
	size_t line = 0;

	*why = NULL;
	if (request_parse(text, len, &request, &line, why) != STATUS_OK) {
		assert_non_null(*why);
		assert_int_not_equal(line, 0);
		assert_null(request.shard);
		return false;
	}
	assert_int_equal(
	    request_format(&request, &again, &again_len, why), STATUS_OK);
	assert_int_equal(again_len, len);
	assert_memory_equal(again, text, len);
	for (size_t i = 0; i < request.shard_count; i++)
		assert_ptr_equal(request_find(&request, request.shard[i].index),
		    &request.shard[i]);
	assert_null(request_find(&request, 77));
	free(again);
	request_free(&request);
	return true;
}

static bool
round_trip_closing(const char *text, size_t len, const char **why)
{
	struct closing closing;
	char *again = NULL;
	size_t again_len = 0;
	size_t line = 0;

	*why = NULL;
	if (closing_parse(text, len, &closing, &line, why) != STATUS_OK) {
		assert_non_null(*why);
		assert_int_not_equal(line, 0);
		assert_null(closing.shard);
		return false;
	}
	assert_int_equal(
	    closing_format(&closing, &again, &again_len, why), STATUS_OK);
	assert_int_equal(again_len, len);
	assert_memory_equal(again, text, len);
	free(again);
	closing_free(&closing);
	return true;
}

static const struct kind kinds[] = {
    {golden, sizeof(golden) - 1, round_trip_request},
    {golden_closing, sizeof(golden_closing) - 1, round_trip_closing},
};

#define KINDS (sizeof(kinds) / sizeof(kinds[0]))

static void
test_golden(void **state)
{
	struct request r;
	struct closing c;
	const char *why = NULL;
	size_t line = 0;

	(void)state;
	for (size_t i = 0; i < KINDS; i++)
		assert_true(
		    kinds[i].round_trip(kinds[i].text, kinds[i].len, &why));
	assert_int_equal(
	    request_parse(golden, sizeof(golden) - 1, &r, &line, &why),
	    STATUS_OK);
	assert_string_equal(r.issuer, "root");
	assert_int_equal(r.algorithm_len, 12);
	assert_memory_equal(r.algorithm,
	    "\x30\x0a\x06\x08\x2a\x86\x48\xce\x3d\x04\x03\x02", 12);
	assert_int_equal(r.shard_first, 1);
	assert_int_equal(r.shards_configured, 4);
	assert_true(r.origin.has_position);
	assert_int_equal(r.origin.timeline, 3);
	assert_int_equal(r.passed_count, 2);
	assert_int_equal(r.shard[0].entries, 12);
	assert_true(r.shard[0].has_settled && r.shard[0].has_previous);
	assert_false(r.shard[1].has_settled || r.shard[1].has_previous);
	assert_int_equal(r.shard[1].size, 150);
	request_free(&r);
	request_free(&r);
	assert_int_equal(closing_parse(golden_closing,
			     sizeof(golden_closing) - 1, &c, &line, &why),
	    STATUS_OK);
	assert_int_equal(c.shard[1].index, 4);
	assert_int_equal(c.shard[1].size, 230);
	assert_int_equal(c.request_sha256.octet[0], 0xab);
	closing_free(&c);
	closing_free(&c);
}

static void
test_every_truncation_refused(void **state)
{
	const char *why;

	(void)state;
	for (size_t i = 0; i < KINDS; i++)
		for (size_t len = 0; len < kinds[i].len; len++)
			assert_false(
			    kinds[i].round_trip(kinds[i].text, len, &why));
}

static void
test_every_bit_flip_refused(void **state)
{
	char text[sizeof(golden)];
	const char *why;

	(void)state;
	for (size_t i = 0; i < KINDS; i++) {
		memcpy(text, kinds[i].text, kinds[i].len);
		for (size_t bit = 0; bit < 8 * kinds[i].len; bit++) {
			text[bit / 8] = (char)(text[bit / 8] ^ (1 << bit % 8));
			assert_false(
			    kinds[i].round_trip(text, kinds[i].len, &why));
			text[bit / 8] = kinds[i].text[bit / 8];
		}
	}
}

/* One byte more, or another one, and a closing line that is right: what is
 * taken then is written back as it is, which the round trip sees to. */
static void
test_every_byte_changed_and_closed(void **state)
{
	static const char other[] = "\0 \n#0-x\x7f";
	char text[sizeof(golden) + 64];
	const char *why;

	(void)state;
	for (size_t i = 0; i < KINDS; i++) {
		const char *end = strstr(kinds[i].text, "# end ");
		size_t before = (size_t)(end - kinds[i].text);

		for (size_t at = 0; at < before; at++)
			for (size_t k = 0; k < sizeof(other) - 1; k++) {
				int n;

				memcpy(text, kinds[i].text, before);
				text[at] = other[k];
				n = snprintf(text + before,
				    sizeof(text) - before, "# end %u %zu\n",
				    manifest_cksum(text, before), before);
				if (kinds[i].round_trip(
					text, before + (size_t)n, &why))
					assert_null(memchr(text, '\0', before));
			}
	}
}

/* One text in place of another, closed anew; what is said of it. */
struct bad {
	const char *from;
	const char *to;
	const char *why;
};

static void
assert_bad(const struct kind *kind, const struct bad *bad)
{
	const char *at = strstr(kind->text, bad->from);
	const char *end = strstr(kind->text, "# end ");
	char text[4096];
	const char *why = NULL;
	int len, n;

	assert_non_null(at);
	len = snprintf(text, sizeof(text), "%.*s%s%.*s", (int)(at - kind->text),
	    kind->text, bad->to, (int)(end - at - (long)strlen(bad->from)),
	    at + strlen(bad->from));
	assert_in_range(len, 1, sizeof(text) - 64);
	n = snprintf(text + len, sizeof(text) - (size_t)len, "# end %u %d\n",
	    manifest_cksum(text, (size_t)len), len);
	if (kind->round_trip(text, (size_t)(len + n), &why) ||
	    strcmp(why, bad->why) != 0)
		fail_msg("%s: %s, want %s", bad->to, why, bad->why);
}

static void
test_requests_refused(void **state)
{
	static const struct bad bad[] = {
	    {"request 1", "request 2",
		"a format that this version does not know"},
	    {"# crlpress-request 1\n", "", "not a request of crlpress"},
	    {"# issuer root\n", "", "want the field issuer"},
	    {"# issuer root\n", "# issuer root\n# issuer root\n",
		"a field that stands here twice"},
	    {"# issuer root", "# issuer ro ot",
		"something behind the last value of the line"},
	    {"1795324189\n", "01795324189\n",
		"not a decimal number without leading zeros"},
	    {"2027-11-21", "2026-11-21",
		"a nextUpdate that is not after thisUpdate"},
	    {"300a06", "300A06", "not octets in lower-case hex"},
	    {"300a06", "300a0", "not octets in lower-case hex"},
	    {"4 from 1", "0 from 1", "shards out of range"},
	    {"4 from 1", "65537 from 1", "shards out of range"},
	    {"4 from 1", "4 from 4294967295", "shards out of range"},
	    {"4 from 1", "4 at 1", "not the values of this line in order"},
	    {"4 from 1", "3 from 1", "a shard that is none of the issuer's"},
	    {"4 from 1", "4 from 2", "a shard that is none of the issuer's"},
	    {"3 1A/", "3 1a/", "not a WAL position"},
	    {"# shards 2", "# shards 0", "no shard"},
	    {"# shards 2", "# shards 3", "fewer shards than announced"},
	    {"# shards 2", "# shards 1", "more shards than announced"},
	    {"# shards 2", "# shards 65536",
		"more shards than the text has room for"},
	    {"# shards 2", "# shards 65537", "a number too large"},
	    {"# shard 4 ", "# shard 1 ", "a URL that is not the shard's"},
	    {"root/1.crl", "root/2.crl", "a URL that is not the shard's"},
	    {"entries=12", "entries=18446744073709551616",
		"a number too large"},
	    {"size=150", "size=0", "a TBSCertList without a byte"},
	    {"previous=1795302589", "previous=1795324189",
		"a number that is not above the one before"},
	    {"previous=1795302589 previous-sha256=" HEX_AB,
		"previous=1795302589 previous-sha256=-",
		"not a SHA-256 in lower-case hex"},
	    {"previous=- previous-sha256=-",
		"previous=- previous-sha256=" HEX_AB,
		"a hash of what has no number"},
	    {"  4.tbs", "  ../4.tbs", "not the name of the shard"},
	    {"  4.tbs", "  4.tbs4",
		"something behind the last value of the line"},
	    {"  4.tbs", " 4.tbs", "no two blanks before the name"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_bad(&kinds[0], &bad[i]);
}

static void
test_closings_refused(void **state)
{
	static const struct bad bad[] = {
	    {"# crlpress-signed", "# crlpress-request",
		"not a closing list of crlpress"},
	    {"# request-sha256 " HEX_AB "\n", "",
		"want the field request-sha256"},
	    {"# shards 2", "# shards 0", "no shard"},
	    {"# shards 2", "# shards 65536",
		"more shards than the text has room for"},
	    {"# shard 4 ", "# shard 1 ",
		"shards that are not in the order of their index"},
	    {"  4.crl", "  4.tbs", "not the name of the shard"},
	    {"size=230", "size=-1",
		"not a decimal number without leading zeros"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_bad(&kinds[1], &bad[i]);
}

/* A request of these two shards, their order at fault. */
static void
assert_order(const char *first, int first_len, const char *then, int then_len)
{
	const struct kind *kind = &kinds[0];
	const char *head = strstr(kind->text, "# shard 1 ");
	char text[2 * sizeof(golden)];
	const char *why = NULL;
	int len, n;

	len = snprintf(text, sizeof(text), "%.*s%.*s%.*s",
	    (int)(head - kind->text), kind->text, first_len, first, then_len,
	    then);
	n = snprintf(text + len, sizeof(text) - (size_t)len, "# end %u %d\n",
	    manifest_cksum(text, (size_t)len), len);
	assert_false(kind->round_trip(text, (size_t)(len + n), &why));
	assert_string_equal(
	    why, "shards that are not in the order of their index");
}

/* Shards that do not rise: the URL of the second is right. */
static void
test_order(void **state)
{
	const char *one = strstr(kinds[0].text, "# shard 1 ");
	const char *four = strstr(kinds[0].text, "# shard 4 ");
	const char *end = strstr(kinds[0].text, "# end ");

	(void)state;
	assert_order(four, (int)(end - four), one, (int)(four - one));
	assert_order(one, (int)(four - one), one, (int)(four - one));
}

/* More gates than a person lets pass. */
static void
test_passed_most(void **state)
{
	static const char line[] = "# passed floor\n";
	const char *at = strstr(golden, line);
	const char *end = strstr(golden, "# end ");
	size_t room = sizeof(golden) + 300 * sizeof(line) + 64;
	char *text = malloc(room);
	const char *why = NULL;

	(void)state;
	assert_non_null(text);
	for (int more = REQUEST_PASSED_MOST - 2; more < REQUEST_PASSED_MOST;
	     more++) {
		size_t len = (size_t)(at - golden);

		memcpy(text, golden, len);
		for (int i = 0; i < more; i++, len += sizeof(line) - 1)
			memcpy(text + len, line, sizeof(line) - 1);
		memcpy(text + len, at, (size_t)(end - at));
		len += (size_t)(end - at);
		len += (size_t)snprintf(text + len, room - len,
		    "# end %u %zu\n", manifest_cksum(text, len), len);
		assert_int_equal(round_trip_request(text, len, &why),
		    more == REQUEST_PASSED_MOST - 2);
	}
	assert_string_equal(why, "too many gates passed");
	free(text);
}

/* A text that is too large is not looked at. */
static void
test_too_large(void **state)
{
	struct request request;
	struct closing closing;
	const char *why = NULL;
	size_t line = 0;

	(void)state;
	assert_int_equal(request_parse(golden, REQUEST_BYTES_MOST + 1, &request,
			     &line, &why),
	    STATUS_MALFORMED);
	assert_string_equal(why, "the list is too large");
	assert_int_equal(line, 1);
	assert_int_equal(closing_parse(golden_closing, REQUEST_BYTES_MOST + 1,
			     &closing, &line, &why),
	    STATUS_MALFORMED);
}

/* A request with one thing changed by a test. */
static void
assert_unwritten(const struct request *request, const char *want)
{
	const char *why = NULL;
	char *text = NULL;
	size_t len = 0;

	assert_int_equal(
	    request_format(request, &text, &len, &why), STATUS_MALFORMED);
	assert_string_equal(why, want);
	assert_null(text);
}

static void
test_what_cannot_be_read_is_not_written(void **state)
{
	struct request good, bad;
	struct request_shard shard[2];
	struct closing closing = {.issuer = "root"};
	const char *why = NULL;
	char *text = NULL;
	size_t line = 0, len = 0;

	(void)state;
	assert_int_equal(
	    request_parse(golden, sizeof(golden) - 1, &good, &line, &why),
	    STATUS_OK);
	memcpy(shard, good.shard, sizeof(shard));
	bad = good;
	bad.algorithm_len = 0;
	assert_unwritten(&bad, "an algorithm of no octet or too many");
	bad = good;
	bad.shard_count = 0;
	assert_unwritten(&bad, "no shard, or too many");
	bad = good;
	bad.next_update_sec = bad.this_update_sec;
	assert_unwritten(&bad, "a nextUpdate that is not after thisUpdate");
	bad = good;
	bad.issuer = "ro ot";
	assert_unwritten(&bad, "a blank, a control character or a byte that is "
			       "not ASCII");
	bad = good;
	bad.passed_count = REQUEST_PASSED_MOST + 1;
	assert_unwritten(&bad, "too many gates passed");
	bad = good;
	bad.shard = shard;
	shard[1] = shard[0];
	assert_unwritten(
	    &bad, "shards that are not in the order of their index");
	shard[0].url = good.shard[1].url;
	assert_unwritten(&bad, "a URL that is not the shard's");
	request_free(&good);
	assert_int_equal(
	    closing_format(&closing, &text, &len, &why), STATUS_MALFORMED);
	assert_string_equal(why, "no shard");
}

static void
test_names(void **state)
{
	char name[REQUEST_FILE_NAME_BYTES];

	(void)state;
	assert_string_equal(request_tbs_name(0, name), "0.tbs");
	assert_string_equal(request_crl_name(65535, name), "65535.crl");
	assert_string_equal(
	    request_previous_name(UINT32_MAX, name), "4294967295.previous.crl");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_golden),
	    cmocka_unit_test(test_every_truncation_refused),
	    cmocka_unit_test(test_every_bit_flip_refused),
	    cmocka_unit_test(test_every_byte_changed_and_closed),
	    cmocka_unit_test(test_requests_refused),
	    cmocka_unit_test(test_closings_refused),
	    cmocka_unit_test(test_order),
	    cmocka_unit_test(test_passed_most),
	    cmocka_unit_test(test_too_large),
	    cmocka_unit_test(test_what_cannot_be_read_is_not_written),
	    cmocka_unit_test(test_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
