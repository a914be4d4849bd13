/* SPDX-License-Identifier: ISC */
/*
 * Cells and lines of counts: every key has a cell of its own and comes back
 * from it, what is out of range stays inside, and a line is read in its one
 * spelling or not at all.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../../src/sunset/counts.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

#define HOUR_SEC 1796130000LL /* 2026-12-01T13:00:00Z */

static const char golden[] =
    "2026-12-01T13Z host=ocsp.example.net issuer=r10 method=get "
    "mode=unauthorized nonce=no hash=sha1 count=42\n";

static const char *const hosts[] = {"ocsp.example.net", "o.example"};
static const char *const issuers[] = {"r10"};
static const struct count_names names = {hosts, issuers, 2, 1};

static void
test_cells(void **state)
{
	static const struct {
		size_t hosts, issuers;
		uint32_t cells; /* 0: refused */
	} cases[] = {{0, 0, 216}, {1, 0, 432}, {2, 1, 1296}, {16, 16, 62424},
	    {64, 2, 42120}, {64, 3, 56160}, {64, 4, 0}, {65, 0, 0}, {0, 65, 0},
	    {64, 64, 0}, {SIZE_MAX, SIZE_MAX, 0}};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		const char *why = NULL;
		uint32_t cells = 0;
		enum status status =
		    count_cells(cases[i].hosts, cases[i].issuers, &cells, &why);

		assert_int_equal(
		    status, cases[i].cells == 0 ? STATUS_CONFIG : STATUS_OK);
		assert_int_equal(cells, cases[i].cells);
		assert_true((why != NULL) == (cases[i].cells == 0));
	}
}

/* No two keys share a cell, and no cell is without a key. */
static void
test_every_cell(void **state)
{
	const char *why;
	uint32_t cells = 0, seen = 0;
	uint8_t *used;

	(void)state;
	assert_int_equal(count_cells(2, 3, &cells, &why), STATUS_OK);
	used = calloc(cells, 1);
	assert_non_null(used);
	for (unsigned i = 0; i < 3U * 4 * ANSWER_MODES * COUNT_METHODS * 8;
	     i++) {
		struct count_key key = {.host = (uint16_t)(i % 3),
		    .issuer = (uint16_t)(i / 3 % 4),
		    .mode = (uint8_t)(i / 12 % ANSWER_MODES),
		    .method = (uint8_t)(i / 12 / ANSWER_MODES % COUNT_METHODS),
		    .kind = (uint8_t)(i / 12 / ANSWER_MODES / COUNT_METHODS)};
		uint32_t cell = count_cell(&key, 2, 3);
		struct count_key again;

		assert_true(cell < cells);
		assert_int_equal(used[cell], 0);
		used[cell] = 1;
		seen++;
		again = count_key_of(cell, 2, 3);
		assert_int_equal(again.host, key.host);
		assert_int_equal(again.issuer, key.issuer);
		assert_int_equal(again.mode, key.mode);
		assert_int_equal(again.method, key.method);
		assert_int_equal(again.kind, key.kind);
	}
	assert_int_equal(seen, cells);
	free(used);
}

static void
test_out_of_range(void **state)
{
	struct count_key wild = {UINT16_MAX, UINT16_MAX, 255, 255, 255};
	struct count_key want = {
	    2, 3, ANSWER_MALFORMED, COUNT_OTHER, COUNT_KINDS - 1};

	(void)state;
	assert_int_equal(count_cell(&wild, 2, 3), count_cell(&want, 2, 3));
}

static void
test_kind(void **state)
{
	(void)state;
	for (unsigned hash = 0; hash < COUNT_HASHES; hash++)
		for (unsigned nonce = 0; nonce < 2; nonce++) {
			uint8_t kind = COUNT_KIND(nonce != 0, hash);

			assert_true(kind < COUNT_KINDS);
			assert_int_equal(COUNT_KIND_NONCE(kind), nonce);
			assert_int_equal(COUNT_KIND_HASH(kind), hash);
		}
}

static void
test_golden(void **state)
{
	struct count_key key = {0, 0, ANSWER_UNAUTHORIZED, COUNT_GET,
	    COUNT_KIND(false, COUNT_HASH_SHA1)};
	struct count_record record;
	char line[COUNT_LINE_BYTES];

	(void)state;
	/* Cut to the hour. */
	count_record_fill(&record, &names, &key, HOUR_SEC + 3599, 42);
	assert_int_equal(record.hour_sec, HOUR_SEC);
	assert_int_equal(
	    count_record_format(&record, line), sizeof(golden) - 1);
	assert_string_equal(line, golden);
	key = (struct count_key){
	    2, 1, ANSWER_GONE, COUNT_OTHER, COUNT_KIND(true, COUNT_HASH_NONE)};
	count_record_fill(&record, &names, &key, -1, UINT64_MAX);
	count_record_format(&record, line);
	assert_string_equal(line,
	    "1969-12-31T23Z host=other issuer=other method=other mode=410 "
	    "nonce=yes hash=none count=18446744073709551615\n");
}

/* What is written is read as the same. */
static void
test_round_trip(void **state)
{
	const char *why;
	uint32_t cells = 0;

	(void)state;
	assert_int_equal(count_cells(2, 1, &cells, &why), STATUS_OK);
	for (uint32_t cell = 0; cell < cells; cell++) {
		struct count_key key = count_key_of(cell, 2, 1);
		struct count_record record, again;
		char line[COUNT_LINE_BYTES], second[COUNT_LINE_BYTES];
		size_t len;

		count_record_fill(&record, &names, &key, HOUR_SEC, cell + 1U);
		len = count_record_format(&record, line);
		assert_int_equal(
		    count_record_parse(line, len - 1, &again, &why), STATUS_OK);
		assert_int_equal(again.count, cell + 1U);
		assert_int_equal(again.up_sec, 0);
		assert_int_equal(count_record_format(&again, second), len);
		assert_string_equal(second, line);
	}
}

static void
test_longest(void **state)
{
	char host[COUNT_HOST_BYTES], issuer[COUNT_ISSUER_BYTES];
	const char *const host_list[] = {host};
	const char *const issuer_list[] = {issuer};
	const struct count_names longest = {host_list, issuer_list, 1, 1};
	struct count_key key = {0, 0, ANSWER_INTERNAL, COUNT_OTHER,
	    COUNT_KIND(true, COUNT_HASH_SHA256)};
	struct count_record record, again;
	char line[COUNT_LINE_BYTES];
	const char *why;
	size_t len;

	(void)state;
	memset(host, 'a', sizeof(host) - 1);
	host[sizeof(host) - 1] = '\0';
	memset(issuer, 'B', sizeof(issuer) - 1);
	issuer[sizeof(issuer) - 1] = '\0';
	assert_null(count_host_fault(host));
	assert_null(count_issuer_fault(issuer));
	count_record_fill(&record, &longest, &key, HOUR_SEC, UINT64_MAX);
	len = count_record_format(&record, line);
	assert_true(len < COUNT_LINE_BYTES - 1);
	assert_int_equal(line[len - 1], '\n');
	assert_int_equal(
	    count_record_parse(line, len - 1, &again, &why), STATUS_OK);
	assert_string_equal(again.host, host);
	assert_string_equal(again.issuer, issuer);
	assert_true(again.count == UINT64_MAX);
}

static void
test_up(void **state)
{
	static const struct {
		int64_t from, to;
		uint32_t up; /* 0: nothing to append */
	} cases[] = {{0, 3600, 3600}, {0, 3601, 3600}, {1, 2, 1}, {5, 5, 0},
	    {9, 5, 0}, {3599, 9999, 1}, {3600, 3601, 1}, {-1, 1, 1}};
	struct count_record record, again;
	char line[COUNT_LINE_BYTES];
	const char *why;
	size_t len;

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		bool up = count_record_up(
		    &record, HOUR_SEC + cases[i].from, HOUR_SEC + cases[i].to);

		assert_int_equal(up, cases[i].up != 0);
		assert_int_equal(record.up_sec, cases[i].up);
	}
	assert_true(count_record_up(&record, HOUR_SEC + 5, HOUR_SEC + 99999));
	len = count_record_format(&record, line);
	assert_string_equal(line, "2026-12-01T13Z up=3595\n");
	assert_int_equal(
	    count_record_parse(line, len - 1, &again, &why), STATUS_OK);
	assert_int_equal(again.up_sec, 3595);
	assert_int_equal(again.hour_sec, HOUR_SEC);
	assert_int_equal(again.count, 0);
}

#define HOUR "2026-12-01T13Z"
#define NAMES " host=a issuer=b"
#define REST " method=get mode=404 nonce=no hash=none count=1"

static void
test_refused(void **state)
{
	static const struct {
		const char *line;
		const char *why;
	} bad[] = {
	    {"", "hour"},
	    {"2026-12-01T13Z", "missing"},
	    {"2026-12-01 13Z" NAMES REST, "hour"},
	    {"2026-12-01T24Z" NAMES REST, "hour"},
	    {"2026-02-29T13Z" NAMES REST, "hour"},
	    {"2026-12-01T13:" NAMES REST, "hour"},
	    {" " HOUR NAMES REST, "hour"},
	    {HOUR " " NAMES REST, "missing"},
	    {HOUR " issuer=b host=a" REST, "not in order"},
	    {HOUR " host= issuer=b" REST, "a value is missing"},
	    {HOUR " host=A issuer=b" REST, "lower-case"},
	    {HOUR " host=a/b issuer=b" REST, "lower-case"},
	    {HOUR " host=\xc3\xa9 issuer=b" REST, "lower-case"},
	    {HOUR " host=a issuer=b/c" REST, "issuer"},
	    {HOUR NAMES " method=GET mode=404 nonce=no hash=none count=1",
		"unknown"},
	    {HOUR NAMES " method=get mode=405 nonce=no hash=none count=1",
		"unknown mode"},
	    {HOUR NAMES " method=get mode=404 nonce=maybe hash=none count=1",
		"unknown"},
	    {HOUR NAMES " method=get mode=404 nonce=no hash=md5 count=1",
		"unknown"},
	    {HOUR NAMES " method=get mode=404 nonce=no hash=none count=0",
		"zero"},
	    {HOUR NAMES " method=get mode=404 nonce=no hash=none count=01",
		"zero"},
	    {HOUR NAMES " method=get mode=404 nonce=no hash=none count=-1",
		"no number"},
	    {HOUR NAMES " method=get mode=404 nonce=no hash=none count=1x",
		"no number"},
	    {HOUR NAMES " method=get mode=404 nonce=no hash=none count="
			"18446744073709551616",
		"too large"},
	    {HOUR NAMES REST " ", "behind"},
	    {HOUR NAMES REST " torn", "behind"},
	    {HOUR NAMES REST " count=1", "behind"},
	    {HOUR " up=0", "zero"},
	    {HOUR " up=", "a value is missing"},
	    {HOUR " up=3601", "more seconds"},
	    {HOUR " up=1" NAMES REST, "behind"},
	    {HOUR " up=+1", "no number"},
	};
	struct count_record record;

	(void)state;
	for (size_t i = 0; i < COUNT(bad); i++) {
		const char *why = NULL;

		assert_int_equal(count_record_parse(bad[i].line,
				     strlen(bad[i].line), &record, &why),
		    STATUS_MALFORMED);
		assert_non_null(strstr(why, bad[i].why));
	}
}

/* Cut off anywhere, a NUL anywhere; and a line of any length. */
static void
test_damaged(void **state)
{
	char line[2 * COUNT_LINE_BYTES];
	struct count_record record;
	const char *why;

	(void)state;
	/* A shorter count is a count, too. */
	for (size_t len = 0; len < sizeof(golden) - 4; len++)
		assert_int_equal(count_record_parse(golden, len, &record, &why),
		    STATUS_MALFORMED);
	for (size_t at = 0; at < sizeof(golden) - 2; at++) {
		memcpy(line, golden, sizeof(golden));
		line[at] = '\0';
		assert_int_equal(
		    count_record_parse(line, sizeof(golden) - 2, &record, &why),
		    STATUS_MALFORMED);
	}
	memset(line, 'a', sizeof(line));
	memcpy(line, HOUR " host=", sizeof(HOUR " host=") - 1);
	for (size_t len = 22; len <= sizeof(line); len++)
		assert_int_equal(count_record_parse(line, len, &record, &why),
		    STATUS_MALFORMED);
}

static void
test_names(void **state)
{
	static const char *const good_hosts[] = {"a", "ocsp.r10.example.net",
	    "127.0.0.1", "[2001:db8::1]:8080", "a_b-c", "x:80"};
	static const char *const bad_hosts[] = {
	    "", "A", "a b", "a\n", "other", "a=b", "a\"b", "a\\"};
	static const char *const good_issuers[] = {"R10", "e5.2-b_c"};
	static const char *const bad_issuers[] = {
	    "", "a b", "other", "a:b", "a\"", "\xc3\xa9"};
	char longest[COUNT_HOST_BYTES + 1];

	(void)state;
	for (size_t i = 0; i < COUNT(good_hosts); i++)
		assert_null(count_host_fault(good_hosts[i]));
	for (size_t i = 0; i < COUNT(bad_hosts); i++)
		assert_non_null(count_host_fault(bad_hosts[i]));
	for (size_t i = 0; i < COUNT(good_issuers); i++)
		assert_null(count_issuer_fault(good_issuers[i]));
	for (size_t i = 0; i < COUNT(bad_issuers); i++)
		assert_non_null(count_issuer_fault(bad_issuers[i]));
	memset(longest, 'a', sizeof(longest) - 1);
	longest[sizeof(longest) - 1] = '\0';
	assert_non_null(count_host_fault(longest));
	longest[sizeof(longest) - 2] = '\0';
	assert_null(count_host_fault(longest));
	longest[COUNT_ISSUER_BYTES] = '\0';
	assert_non_null(count_issuer_fault(longest));
	longest[COUNT_ISSUER_BYTES - 1] = '\0';
	assert_null(count_issuer_fault(longest));
}

static void
test_modes(void **state)
{
	static const struct {
		enum answer_mode mode;
		const char *name;
		uint8_t code; /* of the OCSP error; 0: none */
		bool configurable;
	} modes[] = {{ANSWER_UNAUTHORIZED, "unauthorized", 6, true},
	    {ANSWER_TRYLATER, "trylater", 3, true},
	    {ANSWER_INTERNAL, "internalerror", 2, true},
	    {ANSWER_GONE, "410", 0, true}, {ANSWER_NOT_FOUND, "404", 0, true},
	    {ANSWER_UNAVAILABLE, "503", 0, true},
	    {ANSWER_CLOSE, "close", 0, true},
	    {ANSWER_MALFORMED, "malformed", 0, false},
	    {ANSWER_HEALTH, "health", 0, false}};
	enum answer_mode mode = ANSWER_MODES;

	(void)state;
	assert_int_equal(COUNT(modes), ANSWER_MODES);
	for (size_t i = 0; i < COUNT(modes); i++) {
		const uint8_t der[] = {0x30, 3, 0x0a, 1, modes[i].code};
		const uint8_t *have = answer_mode_der(modes[i].mode);

		assert_string_equal(
		    answer_mode_name(modes[i].mode), modes[i].name);
		assert_int_equal(answer_mode_from_name(modes[i].name,
				     strlen(modes[i].name), &mode),
		    STATUS_OK);
		assert_int_equal(mode, modes[i].mode);
		assert_int_equal(answer_mode_configurable(modes[i].mode),
		    modes[i].configurable);
		if (modes[i].code == 0)
			assert_null(have);
		else
			assert_memory_equal(have, der, ANSWER_DER_BYTES);
	}
	assert_int_equal(
	    answer_mode_from_name("Gone", 4, &mode), STATUS_NOT_FOUND);
	assert_int_equal(
	    answer_mode_from_name("4100", 4, &mode), STATUS_NOT_FOUND);
	assert_int_equal(
	    answer_mode_from_name("410", 2, &mode), STATUS_NOT_FOUND);
	assert_int_equal(mode, ANSWER_HEALTH);
	assert_string_equal(
	    answer_mode_name((enum answer_mode)99), "malformed");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_cells),
	    cmocka_unit_test(test_every_cell),
	    cmocka_unit_test(test_out_of_range),
	    cmocka_unit_test(test_kind),
	    cmocka_unit_test(test_golden),
	    cmocka_unit_test(test_round_trip),
	    cmocka_unit_test(test_longest),
	    cmocka_unit_test(test_up),
	    cmocka_unit_test(test_refused),
	    cmocka_unit_test(test_damaged),
	    cmocka_unit_test(test_names),
	    cmocka_unit_test(test_modes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
