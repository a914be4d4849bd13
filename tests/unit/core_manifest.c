/* SPDX-License-Identifier: ISC */
/*
 * The manifest: its text byte for byte, what is refused in reading and in
 * writing, and that what was read is written back as it was. The closing line
 * of the golden text was made with cksum(1).
 */
#include "crlpress/manifest.h"

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
#define HEX_00 \
	"0000000000000000000000000000000000000000000000000000000000000000"

static const char golden[] =
    "# crlpress-manifest 1\n"
    "# issuer p256-1\n"
    "# issuer-sha256 " ISSUER_HEX "\n"
    "# this-update 2026-11-22T05:09:49Z\n"
    "# next-update 2026-12-01T05:09:48Z\n"
    "# number 1795324189\n"
    "# position 7310428466137210881 3 1A/F00DCAFE\n"
    "# rows read=200011 listed=200000 duplicate=1 expired=2 gone=4 "
    "deferred=3 withheld=1\n"
    "# passed floor\n"
    "# passed floor:7\n"
    "# replaced 2026-11-20T05:09:49Z\n"
    "# shards 3\n"
    "# shard 0 number=1795324189 this-update=2026-11-22T05:09:49Z "
    "next-update=2026-12-01T05:09:48Z entries=150000 added=1000 removed=2 "
    "leaving=5 expiring=5/5/7/20/20/900/4000/150000 "
    "settled=2026-11-20T05:09:49Z size=5850123 "
    "state=published "
    "url=http://crl.example.net/p256-1/0.crl\n" //
    HEX_FF "  p256-1/0.crl\n"
    "# shard 1 number=730750818665451459101842416358141509827966271487 "
    "this-update=2026-11-21T05:09:49Z next-update=2026-11-30T05:09:48Z "
    "entries=50000 added=0 removed=0 leaving=- settled=- size=1950123 "
    "state=withheld "
    "url=http://crl.example.net/p256-1/1.crl\n" //
    HEX_AB "  p256-1/1.crl\n"
    "# shard 4294967295 number=0 this-update=2026-11-22T05:09:49Z "
    "next-update=2026-12-01T05:09:48Z entries=0 added=0 removed=0 leaving=0 "
    "settled=2026-11-22T05:09:48Z size=0 state=published "
    "url=http://crl.example.net/p256-1/4294967295.crl\n" //
    HEX_00 "  p256-1/4294967295.crl\n"
    "# end 1759440911 1419\n";

/* The golden text with `from` replaced by `to`, and a closing line to match. */
struct corruption {
	const char *from;
	const char *to;
	size_t line;
	const char *why;
};

#define URL_0 "url=http://crl.example.net/p256-1/0.crl"
#define SHARD_1 "# shard 1 number"
#define ORDER "not the values of this line in order"
#define EIGHT "not eight counts and a sum"
#define EXPIRING "counts by expiry that do not fit the others"
#define DECIMAL "not a decimal number without leading zeros"
#define BLANK "a blank, a control character or a byte that is not ASCII"

static const struct corruption corruptions[] = {
    /* The first line. */
    {"# crlpress-manifest 1", "# crlpress-manifest 2", 1,
	"a format that this version does not know"},
    {"# crlpress-manifest 1\n", "", 1, "not a manifest of crlpress"},
    {"# crlpress-manifest 1", "# crlpress-manifest 01", 1, DECIMAL},
    {"# crlpress-manifest 1", "\xef\xbb\xbf# crlpress-manifest 1", 1,
	"not a manifest of crlpress"},
    {"manifest 1\n", "manifest 1\r\n", 1, DECIMAL},
    {"manifest 1\n", "manifest 1 \n", 1,
	"something behind the last value of the line"},
    /* Fields: missing, twice, out of order, unknown, wrong. */
    {"# issuer p256-1\n", "", 2, "want the field issuer"},
    {"# issuer p256-1\n", "# issuer p256-1\n# issuer p256-1\n", 3,
	"a field that stands here twice"},
    {"# issuer p256-1\n", "# issuer \n", 2, "a value is missing"},
    {"# issuer p256-1\n", "# issuer p256 1\n", 2,
	"something behind the last value of the line"},
    {"# issuer p256-1\n", "# issuer p256-1\r\n", 2, BLANK},
    {"# issuer p256-1\n", "# issuer p\xc3\xa9\n", 2, BLANK},
    {"# issuer p256-1\n", "# issuer p\\n\n", 2, "a backslash"},
    {"# issuer p256-1\n", "# issuer p256-1\n\n", 3,
	"want the field issuer-sha256"},
    {"# issuer p256-1\n", "# issuer p256-1\n# colour red\n", 3,
	"want the field issuer-sha256"},
    {"# issuer-sha256 0001", "# issuer-sha256 001", 3,
	"not a SHA-256 in lower-case hex"},
    {"0a0b0c0d0e0f", "0A0B0C0D0E0F", 3, "not a SHA-256 in lower-case hex"},
    {"# this-update 2026-11-22T05:09:49Z\n"
     "# next-update 2026-12-01T05:09:48Z\n",
	"# next-update 2026-12-01T05:09:48Z\n"
	"# this-update 2026-11-22T05:09:49Z\n",
	4, "want the field this-update"},
    {"# this-update 2026-11-22T05:09:49Z", "# this-update 2026-11-22", 4,
	"not a time like 2026-11-22T05:09:49Z"},
    {"# this-update 2026-11-22", "# this-update 2026-11-31", 4,
	"not a time like 2026-11-22T05:09:49Z"},
    {"# this-update 2026-11-22", "# this-update 2026-12-22", 5,
	"a nextUpdate that is not after thisUpdate"},
    {"# next-update 2026-12-01T05:09:48Z", "# next-update 2026-11-22T05:09:49Z",
	5, "a nextUpdate that is not after thisUpdate"},
    {"# number 1795324189", "# number 01795324189", 6, DECIMAL},
    {"# number 1795324189", "# number -1", 6, DECIMAL},
    {"# number 1795324189", "# number 0x1", 6, DECIMAL},
    {"# number 1795324189\n",
	"# number 730750818665451459101842416358141509827966271488\n", 6, ""},
    {"# position 7310428466137210881 3 1A/F00DCAFE",
	"# position 7310428466137210881 3 1A/F00DCAFE 9", 7,
	"something behind the last value of the line"},
    {"# position 7310428466137210881 3", "# position 7310428466137210881", 7,
	DECIMAL},
    {"# position 7310428466137210881", "# position 18446744073709551616", 7,
	"not a system identifier"},
    {"# position 7310428466137210881", "# position 07310428466137210881", 7,
	"not a system identifier"},
    {"# position 7310428466137210881", "# position 731042846613721088100000", 7,
	"not a system identifier"},
    {" 3 1A/F", " 4294967296 1A/F", 7, "a number too large"},
    {"1A/F00DCAFE", "1a/F00DCAFE", 7, "not a WAL position"},
    {"1A/F00DCAFE", "1A/0F00DCAF", 7, "not a WAL position"},
    {"1A/F00DCAFE", "1A/F00DCAFE0", 7, "not a WAL position"},
    {"1A/F00DCAFE", "1A/", 7, "not a WAL position"},
    {"1A/F00DCAFE", "1AF00DCAFE", 7, "not a WAL position"},
    {"1A/F00DCAFE", "/F00DCAFE", 7, "not a WAL position"},
    {"1A/F00DCAFE\n", "1A/F00DCAFE\n# position 1 1 0/0\n", 8,
	"a field that stands here twice"},
    {"read=200011", "read=200012", 8,
	"rows that do not add up to the rows read"},
    {"withheld=1\n", "withheld=18446744073709551615\n", 8,
	"rows that do not add up to the rows read"},
    {"listed=200000 duplicate=1 expired=2 ",
	"listed=9223372036854975808 duplicate=1 expired=9223372036854775810 ",
	8, "rows that do not add up to the rows read"},
    {"withheld=1\n", "withheld=18446744073709551616\n", 8,
	"a number too large"},
    {"gone=4", "gone=3", 8, "rows that do not add up to the rows read"},
    {" duplicate=1 expired=2", " expired=2 duplicate=1", 8, ORDER},
    {" gone=4", "", 8, ORDER},
    {" deferred=3", "", 8, ORDER},
    {" deferred=3", " deferred=3 deferred=3", 8, ORDER},
    {" deferred=3", "  deferred=3", 8, ORDER},
    {" deferred=3", "\tdeferred=3", 8, DECIMAL},
    {" deferred=3", " deferred=", 8, "a value is missing"},
    {"# passed floor:7\n", "# passed floor 7\n", 10,
	"something behind the last value of the line"},
    {"# passed floor:7\n", "# passed\n", 10, "want the field shards"},
    /* Shards. */
    {"# shards 3", "# shards 2", 17, "more shards than announced"},
    {"# shards 3", "# shards 4", 19, "fewer shards than announced"},
    {"# shards 3", "# shards 6", 12, "more shards than the text has room for"},
    {"# shards 3", "# shards 65537", 12, "a number too large"},
    {"# shards 3", "# shards 99999999999999999999", 12, "a number too large"},
    {"# shards 3\n", "# shards 3\n# passed floor\n", 13,
	"fewer shards than announced"},
    {SHARD_1, "# shard 0 number", 15,
	"shards that are not in the order of their index"},
    {"# shard 0 number", "# shard 2 number", 15,
	"shards that are not in the order of their index"},
    {SHARD_1, "# shard 01 number", 15, DECIMAL},
    {"# shard 4294967295 ", "# shard 4294967296 ", 17, "a number too large"},
    {" entries=150000 added=1000", " added=1000 entries=150000", 13, ORDER},
    {" entries=150000", "", 13, ORDER},
    {" entries=150000", " entries=+150000", 13, DECIMAL},
    {" entries=150000", " entries=150000 entries=150000", 13, ORDER},
    {" leaving=5", "", 13, ORDER},
    {"leaving=5", "leaving=150001", 13,
	"more entries that may leave than there are"},
    {"leaving=5", "leaving=", 13, "a value is missing"},
    {"leaving=5", "leaving=-1", 13, ORDER},
    {"leaving=5 ", "leaving=- ", 13, EXPIRING},
    {"leaving=5 ", "leaving=6 ", 13, EXPIRING},
    {"/150000 settled", "/150000/7/ settled", 13, EIGHT},
    {"expiring=5/", "expiring=4/", 13, EXPIRING},
    {"/20/20/", "/20/19/", 13, EXPIRING},
    {"/150000 ", "/150001 ", 13, EXPIRING},
    {"/20/20/", "/20/", 13, EIGHT},
    {"/20/20/", "/20/20/20/20/", 13, EIGHT},
    {"/20/20/", "/20/020/", 13, EIGHT},
    {"/20/20/", "/20//", 13, EIGHT},
    {"/20/20/", "/20/+20/", 13, EIGHT},
    {"/20/20/", "/20/-/", 13, EIGHT},
    {"/150000 ", "/18446744073709551616 ", 13, EIGHT},
    {"/150000 ", "/150000/ ", 13, EIGHT},
    {"/4000/150000 ", "/4000/ ", 13, EIGHT},
    {"/4000/150000 ", "/4000 ", 13, EIGHT},
    {"expiring=5/5", "expiring=/5/5", 13, EIGHT},
    {"expiring=5/5/7/20/20/900/4000/150000", "expiring=", 13,
	"a value is missing"},
    {" expiring=5/5/7/20/20/900/4000/150000", " expiring", 13, ORDER},
    {"/150000 ", "/150000 expiring=5/5/7/20/20/900/4000/150000 ", 13, ORDER},
    {"leaving=- ", "leaving=-- ", 15, ORDER},
    {"leaving=- ", "leaving=? ", 15, DECIMAL},
    {"leaving=- ", "leaving=00 ", 15, DECIMAL},
    {" settled=-", "", 15, ORDER},
    {"settled=- ", "settled=-- ", 15, ORDER},
    {"settled=- ", "settled= ", 15, "a value is missing"},
    {"settled=2026-11-20T", "settled=2026-11-31T", 13,
	"not a time like 2026-11-22T05:09:49Z"},
    {"state=withheld", "state=lost", 15,
	"a state that is not published or withheld"},
    {"state=withheld", "state=Withheld", 15,
	"a state that is not published or withheld"},
    {URL_0, "url=", 13, "a value is missing"},
    {URL_0, URL_0 " ", 13, "something behind the last value of the line"},
    {URL_0, "url=http://crl.example.net/p256-1/1.crl", 15,
	"a URL that two shards have"},
    {URL_0 "\n", URL_0 "\r\n", 13, BLANK},
    {HEX_FF "  ", HEX_FF " *", 14, "no two blanks before the key"},
    {HEX_FF "  ", HEX_FF "\t", 14, "not a SHA-256 in lower-case hex"},
    {HEX_FF "  ", HEX_FF "   ", 14, "a value is missing"},
    {HEX_FF "  ", "\\" HEX_FF "  ", 14, "not a SHA-256 in lower-case hex"},
    {HEX_FF "  p256-1/0.crl\n", "", 14, "not a SHA-256 in lower-case hex"},
    {HEX_FF "  p256-1/0.crl\n", HEX_FF "  p256-1/0.crl\n\n", 15,
	"fewer shards than announced"},
    {"  p256-1/0.crl", "  p256-1/1.crl", 16, "a key that two shards have"},
    {"  p256-1/0.crl", "  p256-1/4294967295.crl", 18,
	"a key that two shards have"},
    {"  p256-1/0.crl", "  /p256-1/0.crl", 14, "a key that begins with a slash"},
    {"  p256-1/0.crl", "  ../0.crl", 14,
	"a key with the path component . or .."},
    {"  p256-1/0.crl", "  p256-1/.", 14,
	"a key with the path component . or .."},
    {"  p256-1/0.crl", "  p256-1//0.crl", 14,
	"a key with an empty path component"},
    {"  p256-1/0.crl", "  p256-1/", 14, "a key with an empty path component"},
    {"  p256-1/0.crl", "  p256-1/a\\b", 14, "a backslash"},
    {"# replaced 2026-11-20", "# replaced 2026-11-31", 11,
	"not a time like 2026-11-22T05:09:49Z"},
    {"# replaced 2026-11-20T05:09:49Z\n",
	"# replaced 2026-11-20T05:09:49Z\n# replaced 2026-11-20T05:09:49Z\n",
	12, "a field that stands here twice"},
};

/* `from` replaced by `to` once; it must be there. The caller frees it. */
static char *
text_replace(const char *text, const char *from, const char *to)
{
	const char *at = strstr(text, from);
	char *out = NULL;

	if (at == NULL)
		fail_msg("nothing to replace: %s", from);
	if (asprintf(&out, "%.*s%s%s", (int)(at - text), text, to,
		at + strlen(from)) < 0)
		fail();
	return out;
}

/* Gives a text a closing line that is right. Frees `text`. */
static char *
text_close(char *text)
{
	char *end = strstr(text, "# end ");
	char *out = NULL;
	size_t len;

	if (end == NULL)
		end = text + strlen(text);
	len = (size_t)(end - text);
	if (asprintf(&out, "%.*s# end %u %zu\n", (int)len, text,
		manifest_cksum(text, len), len) < 0)
		fail();
	free(text);
	return out;
}

/* Parses what must not parse, in a buffer that ends where the text does. */
static void
assert_refused(const char *text, size_t len, size_t line, const char *why)
{
	struct manifest manifest;
	char *copy = malloc(len == 0 ? 1 : len);
	const char *have_why = NULL;
	size_t have_line = 0;
	enum status status;

	assert_non_null(copy);
	memcpy(copy, text, len);
	status = manifest_parse(copy, len, &manifest, &have_line, &have_why);
	if (status != STATUS_MALFORMED)
		fail_msg("not refused: %.*s", (int)len, text);
	assert_non_null(have_why);
	if (why != NULL && why[0] != '\0' && strcmp(why, have_why) != 0)
		fail_msg(
		    "have: %s\nwant: %s\n%.*s", have_why, why, (int)len, text);
	if (line != 0 && line != have_line)
		fail_msg("%s: have line %zu, want %zu\n%.*s", have_why,
		    have_line, line, (int)len, text);
	assert_null(manifest.shard);
	assert_null(manifest.issuer);
	free(copy);
}

/* Parses what must parse, and sees that it is written back the same. */
static void
assert_round_trip(const char *text, size_t len, struct manifest *manifest)
{
	const char *why = NULL;
	char *again = NULL;
	size_t again_len;
	size_t line = 0;

	if (manifest_parse(text, len, manifest, &line, &why) != STATUS_OK)
		fail_msg("line %zu: %s", line, why);
	assert_int_equal(
	    manifest_format(manifest, &again, &again_len, &why), STATUS_OK);
	assert_int_equal(again_len, len);
	assert_memory_equal(again, text, len);
	assert_int_equal(again[len], '\0');
	free(again);
}

static void
test_golden_parsed(void **state)
{
	struct manifest m;
	struct uint160 most;

	(void)state;
	assert_round_trip(golden, sizeof(golden) - 1, &m);
	assert_string_equal(m.issuer, "p256-1");
	assert_int_equal(m.issuer_sha256.octet[31], 31);
	assert_int_equal(m.this_update_sec, 1795324189);
	assert_true(m.has_replaced);
	assert_int_equal(m.replaced_sec, 1795324189 - 2 * 86400);
	assert_int_equal(m.next_update_sec, 1796101788);
	assert_true(m.origin.has_position);
	assert_string_equal(m.origin.system_identifier, "7310428466137210881");
	assert_int_equal(m.origin.timeline, 3);
	assert_int_equal(m.origin.wal_position, 0x1AF00DCAFEULL);
	assert_int_equal(m.rows.read, 200011);
	assert_int_equal(m.rows.listed, 200000);
	assert_int_equal(m.rows.duplicate, 1);
	assert_int_equal(m.rows.expired, 2);
	assert_int_equal(m.rows.gone, 4);
	assert_int_equal(m.rows.deferred, 3);
	assert_int_equal(m.rows.withheld, 1);
	assert_int_equal(m.passed_count, 2);
	assert_string_equal(m.passed[0], "floor");
	assert_string_equal(m.passed[1], "floor:7");
	assert_int_equal(m.shard_count, 3);
	assert_int_equal(m.shard[0].entries, 150000);
	assert_int_equal(m.shard[0].added, 1000);
	assert_int_equal(m.shard[0].removed, 2);
	assert_true(m.shard[0].has_leaving);
	assert_int_equal(m.shard[0].leaving, 5);
	assert_true(m.shard[0].has_expiring);
	assert_int_equal(m.shard[0].expiring.by[0], 5);
	assert_int_equal(m.shard[0].expiring.by[2], 7);
	assert_int_equal(m.shard[0].expiring.by[7], 150000);
	/* A manifest of before there was such a value has none. */
	assert_false(m.shard[1].has_expiring);
	assert_false(m.shard[2].has_expiring);
	assert_false(m.shard[1].has_leaving);
	assert_int_equal(m.shard[1].leaving, 0);
	assert_true(m.shard[0].has_settled);
	assert_int_equal(m.shard[0].settled_sec, 1795324189 - 2 * 86400);
	assert_false(m.shard[1].has_settled);
	assert_int_equal(m.shard[2].settled_sec, 1795324189 - 1);
	assert_true(m.shard[2].has_leaving);
	assert_int_equal(m.shard[0].size, 5850123);
	assert_false(m.shard[0].withheld);
	assert_string_equal(m.shard[0].key, "p256-1/0.crl");
	assert_string_equal(
	    m.shard[0].url, "http://crl.example.net/p256-1/0.crl");
	assert_true(m.shard[1].withheld);
	assert_int_equal(m.shard[1].this_update_sec, 1795324189 - 86400);
	assert_int_equal(m.shard[1].next_update_sec, 1796101788 - 86400);
	assert_int_equal(m.shard[1].sha256.octet[7], 0xab);
	memset(&most, 0xff, sizeof(most));
	most.octet[0] = 0x7f;
	assert_int_equal(uint160_compare(&m.shard[1].number, &most), 0);
	assert_true(uint160_is_zero(&m.shard[2].number));
	manifest_free(&m);
	assert_null(m.shard);
	manifest_free(&m);
	manifest_free(NULL);
}

static void
test_find(void **state)
{
	struct manifest m;

	(void)state;
	assert_round_trip(golden, sizeof(golden) - 1, &m);
	assert_ptr_equal(manifest_find(&m, 0), &m.shard[0]);
	assert_ptr_equal(manifest_find(&m, 1), &m.shard[1]);
	assert_ptr_equal(manifest_find(&m, 4294967295U), &m.shard[2]);
	assert_null(manifest_find(&m, 2));
	assert_null(manifest_find(&m, 4294967294U));
	manifest_free(&m);
	assert_null(manifest_find(&m, 0));
}

static void
test_every_corruption_refused(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(corruptions) / sizeof(corruptions[0]);
	     i++) {
		const struct corruption *c = &corruptions[i];
		char *text = text_close(text_replace(golden, c->from, c->to));

		assert_refused(text, strlen(text), c->line, c->why);
		free(text);
	}
}

static void
test_closing_line(void **state)
{
	static const struct corruption wrong[] = {
	    {"# end 1759440911 1419", "# end 1759440912 1419", 19,
		"not the checksum that the closing line says"},
	    {"# end 1759440911 1419", "# end 1759440911 1418", 19,
		"not as many bytes as the closing line says"},
	    {"# end 1759440911 1419", "# end 4294967296 1419", 19,
		"a number too large"},
	    {"# end 1759440911 1419", "# end 1759440911", 19,
		"a value is missing"},
	    {"# end 1759440911 1419", "# end 1759440911 1419 m", 19,
		"something behind the last value of the line"},
	    {"# end 1759440911 1419\n", "# end 1759440911 1419\r\n", 19,
		DECIMAL},
	    {"# end 1759440911 1419\n", "# end 1759440911 1419\n\n", 19,
		"something behind the closing line"},
	    {"# end 1759440911 1419\n",
		"# end 1759440911 1419\n# end 1759440911 1419\n", 19,
		"something behind the closing line"},
	    {"# end 1759440911 1419\n", "", 19, "no closing line"},
	    {"# end 1759440911 1419\n", "# ende\n", 19,
		"want the closing line"},
	    {"entries=50000", "entries=40000", 19,
		"not the checksum that the closing line says"},
	    {"  p256-1/1.crl", "  p256-1/7.crl", 19,
		"not the checksum that the closing line says"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		char *text = text_replace(golden, wrong[i].from, wrong[i].to);

		assert_refused(text, strlen(text), wrong[i].line, wrong[i].why);
		free(text);
	}
}

static void
test_every_truncation_refused(void **state)
{
	(void)state;
	for (size_t len = 0; len < sizeof(golden) - 1; len++)
		assert_refused(golden, len, 0, NULL);
}

static void
test_every_bit_flip_refused(void **state)
{
	char text[sizeof(golden)];

	(void)state;
	memcpy(text, golden, sizeof(text));
	for (size_t bit = 0; bit < 8 * (sizeof(golden) - 1); bit++) {
		text[bit / 8] = (char)(text[bit / 8] ^ (1 << bit % 8));
		assert_refused(text, sizeof(text) - 1, 0, NULL);
		text[bit / 8] = golden[bit / 8];
	}
}

/* A NUL anywhere, with a closing line that is right. */
static void
test_every_nul_refused(void **state)
{
	const char *end = strstr(golden, "# end ");
	size_t before = (size_t)(end - golden);
	char text[sizeof(golden) + 64];

	(void)state;
	for (size_t i = 0; i < before; i++) {
		int n;

		memcpy(text, golden, before);
		text[i] = '\0';
		n = snprintf(text + before, sizeof(text) - before,
		    "# end %u %zu\n", manifest_cksum(text, before), before);
		assert_refused(text, before + (size_t)n, 0, NULL);
	}
}

static void
test_without_position_and_shards(void **state)
{
	static const char text[] =
	    "# crlpress-manifest 1\n"
	    "# issuer x\n"
	    "# issuer-sha256 " ISSUER_HEX "\n"
	    "# this-update 1950-01-01T00:00:00Z\n"
	    "# next-update 9999-12-31T23:59:59Z\n"
	    "# number 0\n"
	    "# rows read=0 listed=0 duplicate=0 expired=0 gone=0 deferred=0 "
	    "withheld=0\n"
	    "# shards 0\n";
	char *closed = text_close(strdup(text));
	struct manifest m;

	(void)state;
	assert_round_trip(closed, strlen(closed), &m);
	assert_false(m.origin.has_position);
	assert_int_equal(m.shard_count, 0);
	manifest_free(&m);
	free(closed);
}

/* What stands in place of a position, and what may not. */
static void
test_edition(void **state)
{
	static const char format[] =
	    "# crlpress-manifest 1\n"
	    "# issuer x\n"
	    "# issuer-sha256 " ISSUER_HEX "\n"
	    "# this-update 2026-11-22T05:09:49Z\n"
	    "# next-update 2026-12-01T05:09:48Z\n"
	    "# number 1\n"
	    "%s"
	    "# rows read=0 listed=0 duplicate=0 expired=0 gone=0 deferred=0 "
	    "withheld=0\n"
	    "# shards 0\n";
	static const char *const bads[] = {
	    "# edition database 1 2026-11-22T05:09:49Z\n",
	    "# edition cr 1 2026-11-22T05:09:49Z\n",
	    "# edition crl 01 2026-11-22T05:09:49Z\n",
	    "# edition crl -1 2026-11-22T05:09:49Z\n",
	    "# edition crl 1 2026-11-22T05:09:49\n",
	    "# edition crl 1\n",
	    "# edition crl 1 2026-11-22T05:09:49Z 1\n",
	    ("# edition crl 1 2026-11-22T05:09:49Z\n"
	     "# edition crl 1 2026-11-22T05:09:49Z\n"),
	    "# position 7 1 0/0\n# edition crl 1 2026-11-22T05:09:49Z\n",
	    "# edition crl 1 2026-11-22T05:09:49Z\n# position 7 1 0/0\n",
	};
	struct manifest m;
	const char *why;
	char *text, *again;
	size_t len;

	(void)state;
	assert_true(asprintf(&text, format,
			"# edition index 4711 1950-01-01T00:00:00Z\n") > 0);
	text = text_close(text);
	assert_round_trip(text, strlen(text), &m);
	free(text);
	assert_true(m.origin.has_edition);
	assert_false(m.origin.has_position);
	assert_int_equal(m.origin.kind, SOURCE_INDEX);
	assert_int_equal(m.origin.edition.number.octet[18], 4711 >> 8);
	assert_true(m.origin.edition.sec == -631152000);
	m.origin.has_position = true;
	snprintf(m.origin.system_identifier, sizeof(m.origin.system_identifier),
	    "7");
	assert_int_equal(
	    manifest_format(&m, &again, &len, &why), STATUS_MALFORMED);
	assert_string_equal(why, "an edition beside a position");
	m.origin.has_position = false;
	m.origin.kind = SOURCE_DATABASE;
	assert_int_equal(
	    manifest_format(&m, &again, &len, &why), STATUS_MALFORMED);
	assert_string_equal(why, "an edition of a database");
	manifest_free(&m);
	for (size_t i = 0; i < sizeof(bads) / sizeof(bads[0]); i++) {
		assert_true(asprintf(&text, format, bads[i]) > 0);
		text = text_close(text);
		assert_refused(text, strlen(text), 0, NULL);
		free(text);
	}
}

static void
test_too_large_refused(void **state)
{
	struct manifest m;
	const char *why = NULL;
	size_t line = 0;

	(void)state;
	/* Refused by its length: the bytes are not looked at. */
	assert_int_equal(
	    manifest_parse(golden, MANIFEST_BYTES_MOST + 1, &m, &line, &why),
	    STATUS_MALFORMED);
	assert_string_equal(why, "manifest too large");
}

/* As many shards as there may be; the longest manifest anybody has. */
static void
test_most_shards(void **state)
{
	struct manifest m = {.next_update_sec = 1};
	const char *why = NULL;
	char *text = NULL;
	size_t len;
	struct manifest again;

	(void)state;
	m.issuer = strdup("big");
	m.shard_count = SHARD_COUNT_MOST;
	m.shard = calloc(SHARD_COUNT_MOST, sizeof(*m.shard));
	assert_non_null(m.shard);
	for (uint32_t i = 0; i < SHARD_COUNT_MOST; i++) {
		struct manifest_shard *shard = &m.shard[i];

		shard->index = i;
		assert_true(asprintf(&shard->key, "k%u", i) > 0);
		assert_true(asprintf(&shard->url, "u%u", i) > 0);
	}
	assert_int_equal(manifest_format(&m, &text, &len, &why), STATUS_OK);
	assert_round_trip(text, len, &again);
	assert_ptr_equal(manifest_find(&again, 40000), &again.shard[40000]);
	manifest_free(&again);
	free(text);
	free(m.shard[65535].key);
	m.shard[65535].key = strdup("k0");
	assert_int_equal(
	    manifest_format(&m, &text, &len, &why), STATUS_MALFORMED);
	assert_string_equal(why, "a key that two shards have");
	manifest_free(&m);
}

/* What breaks a manifest that could be written. */
struct refusal {
	void (*spoil)(struct manifest *);
	const char *why;
};

static void
string_set(char **string, const char *text)
{
	free(*string);
	*string = text == NULL ? NULL : strdup(text);
}

#define SPOIL(name, statement)                       \
	static void spoil_##name(struct manifest *m) \
	{                                            \
		statement;                           \
	}

SPOIL(issuer, string_set(&m->issuer, "p 256"))
SPOIL(no_issuer, string_set(&m->issuer, NULL))
SPOIL(passed, string_set(&m->passed[1], "floor\n# shards 1"))
SPOIL(key_blank, string_set(&m->shard[1].key, "a b"))
SPOIL(key_newline, string_set(&m->shard[1].key, "a\nb"))
SPOIL(key_backslash, string_set(&m->shard[1].key, "a\\b"))
SPOIL(key_above, string_set(&m->shard[1].key, "../b"))
SPOIL(key_absolute, string_set(&m->shard[1].key, "/b"))
SPOIL(key_empty, string_set(&m->shard[1].key, ""))
SPOIL(key_twice, string_set(&m->shard[1].key, m->shard[2].key))
SPOIL(url_blank, string_set(&m->shard[1].url, "http://a/ b"))
SPOIL(url_delete, string_set(&m->shard[1].url, "http://a/\x7f"))
SPOIL(url_twice, string_set(&m->shard[1].url, m->shard[0].url))
SPOIL(order, m->shard[1].index = 0)
SPOIL(rows, m->rows.read++)
/* The sum is right modulo 2^64. */
SPOIL(rows_wrap, m->rows.listed += 1ULL << 63; m->rows.expired += 1ULL << 63)
SPOIL(gone, m->rows.gone++)
SPOIL(leaving, m->shard[0].leaving = m->shard[0].entries + 1)
SPOIL(expiring_least, m->shard[0].expiring.by[0]--)
SPOIL(expiring_most, m->shard[0].expiring.by[7]++)
SPOIL(expiring_falls, m->shard[0].expiring.by[3] = 6)
SPOIL(expiring_alone, m->shard[0].has_leaving = false)
SPOIL(settled, m->shard[0].settled_sec = 253402300800)
SPOIL(time, m->shard[0].next_update_sec = 253402300800)
SPOIL(time_early, m->shard[0].this_update_sec = -631152001)
SPOIL(times, m->next_update_sec = m->this_update_sec)
SPOIL(number, m->shard[2].number.octet[0] = 0x80)
SPOIL(system, m->origin.system_identifier[0] = 'x')
SPOIL(system_end, memset(m->origin.system_identifier, '1', 24))

static void
spoil_key_long(struct manifest *m)
{
	char key[SHARD_NAME_BYTES + 1];

	memset(key, 'k', sizeof(key) - 1);
	key[sizeof(key) - 1] = '\0';
	string_set(&m->shard[1].key, key);
}

static const struct refusal refusals[] = {
    {spoil_issuer, BLANK},
    {spoil_no_issuer, "an empty word"},
    {spoil_passed, BLANK},
    {spoil_key_blank, BLANK},
    {spoil_key_newline, BLANK},
    {spoil_key_backslash, "a backslash"},
    {spoil_key_above, "a key with the path component . or .."},
    {spoil_key_absolute, "a key that begins with a slash"},
    {spoil_key_empty, "an empty word"},
    {spoil_key_twice, "a key that two shards have"},
    {spoil_key_long, "a word of more than 1024 bytes"},
    {spoil_url_blank, BLANK},
    {spoil_url_delete, BLANK},
    {spoil_url_twice, "a URL that two shards have"},
    {spoil_order, "shards that are not in the order of their index"},
    {spoil_rows, "rows that do not add up to the rows read"},
    {spoil_rows_wrap, "rows that do not add up to the rows read"},
    {spoil_gone, "rows that do not add up to the rows read"},
    {spoil_leaving, "more entries that may leave than there are"},
    {spoil_expiring_least, EXPIRING},
    {spoil_expiring_most, EXPIRING},
    {spoil_expiring_falls, EXPIRING},
    {spoil_expiring_alone, EXPIRING},
    {spoil_settled, "a time without a date"},
    {spoil_time, "a time without a date"},
    {spoil_time_early, "a time without a date"},
    {spoil_times, "a nextUpdate that is not after thisUpdate"},
    {spoil_number, "a number of 2^159 or more"},
    {spoil_system, "not a system identifier"},
    {spoil_system_end, "not a system identifier"},
};

static void
test_what_cannot_be_read_is_not_written(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(refusals) / sizeof(refusals[0]); i++) {
		struct manifest m;
		const char *why = NULL;
		char *text = NULL;
		size_t len;

		assert_round_trip(golden, sizeof(golden) - 1, &m);
		refusals[i].spoil(&m);
		assert_int_equal(
		    manifest_format(&m, &text, &len, &why), STATUS_MALFORMED);
		assert_null(text);
		assert_string_equal(why, refusals[i].why);
		manifest_free(&m);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_golden_parsed),
	    cmocka_unit_test(test_find),
	    cmocka_unit_test(test_every_corruption_refused),
	    cmocka_unit_test(test_closing_line),
	    cmocka_unit_test(test_every_truncation_refused),
	    cmocka_unit_test(test_every_bit_flip_refused),
	    cmocka_unit_test(test_every_nul_refused),
	    cmocka_unit_test(test_without_position_and_shards),
	    cmocka_unit_test(test_edition),
	    cmocka_unit_test(test_too_large_refused),
	    cmocka_unit_test(test_most_shards),
	    cmocka_unit_test(test_what_cannot_be_read_is_not_written),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
