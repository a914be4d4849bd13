/* SPDX-License-Identifier: ISC */
/*
 * The expiry file: a golden text, whose closing line cksum(1) agrees with,
 * every damage of it refused, and when it lets OCSP end.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "crlpress/expiry.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

#define LAST_SEC 1793606400LL /* 2026-11-02T08:00:00Z */
#define MADE_SEC 1795338000LL /* 2026-11-22T09:00:00Z */

#define HASH_TEXT \
	"000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"

/* `head -n -1 FILE | cksum` prints what the last line has. */
static const char golden[] = "crlpress-ocsp-expiry 1\n"
			     "last-expiry 2026-11-02T08:00:00Z\n"
			     "made 2026-11-22T09:00:00Z\n"
			     "statement-sha256 " HASH_TEXT "\n"
			     "position 7310428466137210881 3 1A/F00DCAFE\n"
			     "end 2962618451 207\n";

static const char golden_none[] = "crlpress-ocsp-expiry 1\n"
				  "last-expiry none\n"
				  "made 2026-11-22T09:00:00Z\n"
				  "statement-sha256 " HASH_TEXT "\n"
				  "position none\n"
				  "end 3417213456 162\n";

static struct expiry
example(void)
{
	struct expiry expiry = {.has_last = true,
	    .last_sec = LAST_SEC,
	    .made_sec = MADE_SEC,
	    .has_position = true,
	    .timeline = 3,
	    .wal_position = 0x1af00dcafeULL};

	for (unsigned i = 0; i < HASH_BYTES; i++)
		expiry.statement.octet[i] = (uint8_t)i;
	snprintf(expiry.system_identifier, sizeof(expiry.system_identifier),
	    "7310428466137210881");
	return expiry;
}

static void
test_golden(void **state)
{
	struct expiry expiry = example();
	char text[EXPIRY_BYTES_MOST];
	size_t len = expiry_format(&expiry, text);

	(void)state;
	assert_int_equal(len, sizeof(golden) - 1);
	assert_string_equal(text, golden);
	expiry.has_last = false;
	expiry.has_position = false;
	len = expiry_format(&expiry, text);
	assert_int_equal(len, sizeof(golden_none) - 1);
	assert_string_equal(text, golden_none);
}

static void
test_read(void **state)
{
	struct expiry expiry, want = example();
	const char *why = NULL;
	size_t line = 0;

	(void)state;
	assert_int_equal(
	    expiry_parse(golden, sizeof(golden) - 1, &expiry, &line, &why),
	    STATUS_OK);
	assert_true(expiry.has_last);
	assert_int_equal(expiry.last_sec, LAST_SEC);
	assert_int_equal(expiry.made_sec, MADE_SEC);
	assert_memory_equal(
	    &expiry.statement, &want.statement, sizeof(want.statement));
	assert_true(expiry.has_position);
	assert_string_equal(expiry.system_identifier, want.system_identifier);
	assert_int_equal(expiry.timeline, 3);
	assert_true(expiry.wal_position == want.wal_position);
	assert_int_equal(expiry_parse(golden_none, sizeof(golden_none) - 1,
			     &expiry, &line, &why),
	    STATUS_OK);
	assert_false(expiry.has_last);
	assert_false(expiry.has_position);
}

/* Cut off anywhere, any bit of it turned, anything behind it: refused. */
static void
test_damaged(void **state)
{
	struct expiry expiry;
	const char *why = NULL;
	char text[sizeof(golden) + 1];
	size_t line;

	(void)state;
	for (size_t len = 0; len < sizeof(golden) - 1; len++)
		assert_int_equal(
		    expiry_parse(golden, len, &expiry, &line, &why),
		    STATUS_MALFORMED);
	for (size_t bit = 0; bit < 8 * (sizeof(golden) - 1); bit++) {
		memcpy(text, golden, sizeof(golden));
		text[bit / 8] = (char)(text[bit / 8] ^ 1 << bit % 8);
		why = NULL;
		assert_int_equal(expiry_parse(text, sizeof(golden) - 1, &expiry,
				     &line, &why),
		    STATUS_MALFORMED);
		assert_non_null(why);
	}
	memcpy(text, golden, sizeof(golden));
	/* Its own NUL, a LF, a letter. */
	for (size_t i = 0; i < 3; i++) {
		text[sizeof(golden) - 1] = "\0\nx"[i];
		assert_int_equal(
		    expiry_parse(text, sizeof(golden), &expiry, &line, &why),
		    STATUS_MALFORMED);
		assert_int_equal(line, 6);
	}
}

/* The line that is wrong is named, before the closing line is looked at. */
static void
test_lines(void **state)
{
	static const struct {
		size_t line;
		const char *text;
		const char *why;
	} bad[] = {
	    {1, "", "not an expiry file"},
	    {1, "crlpress-ocsp-expiry 2\n", "not an expiry file"},
	    {2, "crlpress-ocsp-expiry 1\n", "missing"},
	    {2, "crlpress-ocsp-expiry 1\nmade none\n", "not the line"},
	    {2, "crlpress-ocsp-expiry 1\nlast-expiry \n", "neither a time"},
	    {2, "crlpress-ocsp-expiry 1\nlast-expiry none \n", "neither"},
	    {2, "crlpress-ocsp-expiry 1\nlast-expiry 2026-02-30T00:00:00Z\n",
		"neither a time"},
	    {3, "crlpress-ocsp-expiry 1\nlast-expiry none\nmade none\n",
		"not a time"},
	    {3,
		"crlpress-ocsp-expiry 1\nlast-expiry none\n"
		"last-expiry none\n",
		"not the line"},
	    {4,
		"crlpress-ocsp-expiry 1\nlast-expiry none\n"
		"made 2026-11-22T09:00:00Z\nstatement-sha256 00\n",
		"64 lower-case"},
	    {5,
		"crlpress-ocsp-expiry 1\nlast-expiry none\n"
		"made 2026-11-22T09:00:00Z\nstatement-sha256 " HASH_TEXT
		"\nposition 07 1 0/0\n",
		"position"},
	    {5,
		"crlpress-ocsp-expiry 1\nlast-expiry none\n"
		"made 2026-11-22T09:00:00Z\nstatement-sha256 " HASH_TEXT
		"\nposition 7 1 0/0a\n",
		"position"},
	    {5,
		"crlpress-ocsp-expiry 1\nlast-expiry none\n"
		"made 2026-11-22T09:00:00Z\nstatement-sha256 " HASH_TEXT
		"\nposition 7 4294967296 0/0\n",
		"position"},
	    {6,
		"crlpress-ocsp-expiry 1\nlast-expiry none\n"
		"made 2026-11-22T09:00:00Z\nstatement-sha256 " HASH_TEXT
		"\nposition none\nend 1 162\n",
		"changed or damaged"},
	};
	struct expiry expiry;

	(void)state;
	for (size_t i = 0; i < COUNT(bad); i++) {
		const char *why = NULL;
		size_t line = 0;

		assert_int_equal(expiry_parse(bad[i].text, strlen(bad[i].text),
				     &expiry, &line, &why),
		    STATUS_MALFORMED);
		assert_int_equal(line, bad[i].line);
		assert_non_null(strstr(why, bad[i].why));
	}
}

static void
test_long(void **state)
{
	char text[EXPIRY_BYTES_MOST + 1];
	struct expiry expiry;
	const char *why;
	size_t line;

	(void)state;
	memset(text, 'x', sizeof(text));
	memcpy(text, golden, sizeof(golden) - 1);
	for (size_t len = EXPIRY_BYTES_MOST - 1; len <= sizeof(text); len++)
		assert_int_equal(expiry_parse(text, len, &expiry, &line, &why),
		    STATUS_MALFORMED);
}

/* What could not be read back is not written. */
static void
test_unwritable(void **state)
{
	struct expiry expiry = example();
	char text[EXPIRY_BYTES_MOST];

	(void)state;
	snprintf(
	    expiry.system_identifier, sizeof(expiry.system_identifier), "07");
	assert_int_equal(expiry_format(&expiry, text), 0);
	expiry = example();
	expiry.made_sec = INT64_MAX;
	assert_int_equal(expiry_format(&expiry, text), 0);
	expiry = example();
	expiry.last_sec = INT64_MIN;
	assert_int_equal(expiry_format(&expiry, text), 0);
}

static void
test_judge(void **state)
{
	static const struct {
		bool has_last;
		int64_t last_sec;
		int64_t made_sec;
		int64_t now_sec;
		const char *why; /* NULL: it may end */
	} cases[] = {
	    {true, LAST_SEC, LAST_SEC + 1, LAST_SEC + 1, NULL},
	    {true, LAST_SEC, LAST_SEC + 1, LAST_SEC + 999999999, NULL},
	    {true, LAST_SEC, LAST_SEC + 1, LAST_SEC, "not expired yet"},
	    {true, LAST_SEC, LAST_SEC - 9, LAST_SEC - 9, "not expired yet"},
	    /* Those issued since are not known. */
	    {true, LAST_SEC, LAST_SEC, LAST_SEC + 1, "made before"},
	    {true, LAST_SEC, LAST_SEC - 86400, LAST_SEC + 1, "made before"},
	    {false, 0, MADE_SEC, MADE_SEC, NULL},
	    {false, 0, MADE_SEC, MADE_SEC - EXPIRY_SKEW_SEC, NULL},
	    {false, 0, MADE_SEC, MADE_SEC - EXPIRY_SKEW_SEC - 1, "future"},
	    {true, LAST_SEC, MADE_SEC, MADE_SEC - EXPIRY_SKEW_SEC - 1,
		"future"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct expiry expiry = {.has_last = cases[i].has_last,
		    .last_sec = cases[i].last_sec,
		    .made_sec = cases[i].made_sec};
		const char *why = "unset";
		enum status status =
		    expiry_judge(&expiry, cases[i].now_sec, &why);

		if (cases[i].why == NULL) {
			assert_int_equal(status, STATUS_OK);
			assert_null(why);
			continue;
		}
		assert_int_equal(status, STATUS_REFUSED);
		assert_non_null(strstr(why, cases[i].why));
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_golden),
	    cmocka_unit_test(test_read),
	    cmocka_unit_test(test_damaged),
	    cmocka_unit_test(test_lines),
	    cmocka_unit_test(test_long),
	    cmocka_unit_test(test_unwritable),
	    cmocka_unit_test(test_judge),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
