/* SPDX-License-Identifier: ISC */
/*
 * Rows as psql prints them: every form that is taken gives the same row, and
 * what is anything else is refused with the field that is wrong.
 */
#include "crlpress/row_csv.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "crlpress/utc.h"

/* 2026-11-22T05:09:49Z and 2027-02-20T05:09:49Z. */
#define REVOKED_SEC 1795324189
#define NOT_AFTER_SEC 1803100189

#define OF_FIELDS "not five fields: serial,revoked_at,reason,not_after,shard"
#define OF_REVOKED "revoked_at is not a time in UTC"
#define OF_REASON "reason is not one of RFC 5280"
#define OF_NOT_AFTER "not_after is not a time in UTC"
#define OF_SHARD "shard is not a number"

/* The row stands alone in memory, so that a sanitizer sees a step too far. */
static enum status
read_bytes(const char *line, size_t len, struct row_csv *row, const char **why)
{
	char *copy = malloc(len == 0 ? 1 : len);
	enum status status;

	assert_non_null(copy);
	memcpy(copy, line, len);
	status = row_csv_read(copy, len, row, why);
	free(copy);
	return status;
}

static void
assert_read(const char *line, struct row_csv *row)
{
	const char *why = NULL;

	memset(row, 0x5a, sizeof(*row));
	if (read_bytes(line, strlen(line), row, &why) != STATUS_OK)
		fail_msg("refused: %s: %s", line, why);
}

static void
assert_refused(const char *line, const char *want)
{
	struct row_csv row;
	const char *why = NULL;

	if (read_bytes(line, strlen(line), &row, &why) != STATUS_MALFORMED)
		fail_msg("taken: %s", line);
	if (want == NULL)
		assert_non_null(why);
	else
		assert_string_equal(why, want);
}

static void
test_serials(void **state)
{
	static const char *const same[] = {
	    "\\x01ab", "01ab", "1ab", "01AB", "\\x1Ab", "000000001ab"};
	struct row_csv row;
	struct uint160 want = uint160_from_u64(0x1ab);
	char line[128];

	(void)state;
	for (size_t i = 0; i < sizeof(same) / sizeof(same[0]); i++) {
		snprintf(line, sizeof(line), "%s,0,0,0,", same[i]);
		assert_read(line, &row);
		assert_memory_equal(&row.serial, &want, sizeof(want));
	}
	/* 20 octets are the most. */
	assert_read("\\x7fffffffffffffffffffffffffffffffffffffff,0,0,0,", &row);
	for (size_t i = 0; i < UINT160_OCTETS; i++)
		assert_int_equal(row.serial.octet[i], i == 0 ? 0x7f : 0xff);
	assert_refused("8000000000000000000000000000000000000000,0,0,0,", NULL);
	assert_refused(
	    "017fffffffffffffffffffffffffffffffffffffff,0,0,0,", NULL);
	assert_refused(",0,0,0,", "empty");
	assert_refused("\\x,0,0,0,", NULL);
	assert_refused("\\X01,0,0,0,", NULL);
	assert_refused("0x01,0,0,0,", NULL);
	assert_refused("\\\\x01,0,0,0,", NULL);
	assert_refused("\\x\\x01,0,0,0,", NULL);
	assert_refused("01:ab,0,0,0,", NULL);
	assert_refused("-1,0,0,0,", NULL);
	assert_refused(" 1,0,0,0,", NULL);
	assert_refused("1 ,0,0,0,", NULL);
	assert_refused("\"1\",0,0,0,", NULL);
	assert_refused("1g,0,0,0,", NULL);
}

static const char *const times[] = {
    "1795324189",
    "001795324189",
    "2026-11-22T05:09:49Z",
    "2026-11-22 05:09:49Z",
    "2026-11-22 05:09:49+00",
    "2026-11-22T05:09:49+00",
    "2026-11-22 05:09:49+00:00",
    "2026-11-22 05:09:49.1+00",
    "2026-11-22 05:09:49.999999+00",
    "2026-11-22 05:09:49.000000000Z",
    "2026-11-22T05:09:49.5+00:00",
};

static const char *const no_times[] = {
    "",
    " ",
    "-1",
    "+1795324189",
    "1795324189.5",
    "1795324189Z",
    "0001795324189",
    "253402300800",
    "999999999999",
    "infinity",
    "-infinity",
    "2026-11-22",
    "2026-11-22 05:09:49",
    "2026-11-22T05:09:49",
    "2026-11-22T05:09Z",
    "2026-11-22_05:09:49Z",
    "2026-11-22t05:09:49Z",
    "2026-11-22T05:09:49z",
    "2026-11-22 05:09:49+01",
    "2026-11-22 05:09:49-00",
    "2026-11-22 05:09:49+05:45",
    "2026-11-22 05:09:49+0000",
    "2026-11-22 05:09:49+00:01",
    "2026-11-22 05:09:49+00:00:00",
    "2026-11-22 05:09:49 UTC",
    "2026-11-22 05:09:49.Z",
    "2026-11-22 05:09:49.+00",
    "2026-11-22 05:09:49.5",
    "2026-11-22 05:09:49.eZ",
    "2026-11-22 05:09:49.-00Z",
    "2026-11-22 05:09:49.5.5Z",
    "2026-11-22 05:09:49.5eZ",
    "2026-11-22 05:09:49+00 BC",
    "2026-11-22 05:09:49ZZ",
    " 2026-11-22 05:09:49Z",
    "2026-11-22 05:09:49Z ",
    "2026-02-30 05:09:49Z",
    "2026-13-01 05:09:49Z",
    "2026-11-22 24:00:00Z",
    "2026-11-22 05:09:60Z",
    "1949-12-31 23:59:59Z",
    "10000-01-01 00:00:00Z",
    "11/22/2026 05:09:49Z",
    "Sun Nov 22 05:09:49 2026 UTC",
};

static void
test_times(void **state)
{
	struct row_csv row;
	char line[128];

	(void)state;
	for (size_t i = 0; i < sizeof(times) / sizeof(times[0]); i++) {
		snprintf(line, sizeof(line), "1,%s,0,7,", times[i]);
		assert_read(line, &row);
		assert_int_equal(row.revoked_at_sec, REVOKED_SEC);
		assert_int_equal(row.not_after_sec, 7);
		snprintf(line, sizeof(line), "1,7,0,%s,", times[i]);
		assert_read(line, &row);
		assert_int_equal(row.revoked_at_sec, 7);
		assert_int_equal(row.not_after_sec, REVOKED_SEC);
	}
	for (size_t i = 0; i < sizeof(no_times) / sizeof(no_times[0]); i++) {
		snprintf(line, sizeof(line), "1,%s,0,7,", no_times[i]);
		assert_refused(line, OF_REVOKED);
		snprintf(line, sizeof(line), "1,7,0,%s,", no_times[i]);
		assert_refused(line, OF_NOT_AFTER);
	}
}

/* The ends of what a row can hold. */
static void
test_time_ends(void **state)
{
	struct row_csv row;

	(void)state;
	assert_read("1,0,0,253402300799,", &row);
	assert_int_equal(row.revoked_at_sec, 0);
	assert_int_equal(row.not_after_sec, UTC_MAX_SEC);
	assert_read("1,1950-01-01 00:00:00+00,0,9999-12-31T23:59:59Z,", &row);
	assert_int_equal(row.revoked_at_sec, UTC_MIN_SEC);
	assert_int_equal(row.not_after_sec, UTC_MAX_SEC);
	/* Cut off, not rounded: before 1970 too. */
	assert_read("1,1969-12-31 23:59:59.9+00,0,2000-02-29 00:00:00Z,", &row);
	assert_int_equal(row.revoked_at_sec, -1);
	assert_int_equal(row.not_after_sec, 951782400);
}

static void
test_reasons(void **state)
{
	struct row_csv row;
	char line[64];

	(void)state;
	for (int reason = 0; reason < 300; reason++) {
		snprintf(line, sizeof(line), "1,0,%d,0,", reason);
		if (reason > 10 || reason == 7) {
			assert_refused(line, OF_REASON);
			continue;
		}
		assert_read(line, &row);
		assert_int_equal(row.reason, reason);
	}
	assert_refused("1,0,,0,", OF_REASON);
	assert_refused("1,0,-1,0,", OF_REASON);
	assert_refused("1,0, 1,0,", OF_REASON);
	assert_refused("1,0,1.0,0,", OF_REASON);
	assert_refused("1,0,keyCompromise,0,", OF_REASON);
	assert_refused("1,0,4294967296,0,", OF_REASON);
	assert_refused("1,0,18446744073709551617,0,", OF_REASON);
}

static void
test_shards(void **state)
{
	struct row_csv row;

	(void)state;
	assert_read("1,0,0,0,", &row);
	assert_false(row.hint.has_shard);
	assert_int_equal(row.hint.shard, 0);
	assert_read("1,0,0,0,0", &row);
	assert_true(row.hint.has_shard);
	assert_int_equal(row.hint.shard, 0);
	/* Whether a scheme has such a shard is for it to say. */
	assert_read("1,0,0,0,999999999999", &row);
	assert_true(row.hint.has_shard);
	assert_int_equal(row.hint.shard, 999999999999);
	assert_refused("1,0,0,0,1000000000000", OF_SHARD);
	assert_refused("1,0,0,0,-1", OF_SHARD);
	assert_refused("1,0,0,0, 1", OF_SHARD);
	assert_refused("1,0,0,0,1 ", OF_SHARD);
	assert_refused("1,0,0,0,1\r", OF_SHARD);
	assert_refused("1,0,0,0,\r", OF_SHARD);
	assert_refused("1,0,0,0,0x1", OF_SHARD);
	assert_refused("1,0,0,0,NULL", OF_SHARD);
}

static void
test_fields(void **state)
{
	struct row_csv row;

	(void)state;
	assert_read(
	    "\\x0a,2026-11-22 05:09:49+00,1,2027-02-20 05:09:49+00,63", &row);
	assert_int_equal(row.serial.octet[UINT160_OCTETS - 1], 10);
	assert_int_equal(row.revoked_at_sec, REVOKED_SEC);
	assert_int_equal(row.reason, 1);
	assert_int_equal(row.not_after_sec, NOT_AFTER_SEC);
	assert_int_equal(row.hint.shard, 63);
	assert_refused("", OF_FIELDS);
	assert_refused("1", OF_FIELDS);
	assert_refused("1,0,0,0", OF_FIELDS);
	assert_refused("1,0,0,0,0,,", OF_FIELDS);
	assert_refused("1,0,0,0,0,0,0", OF_FIELDS);
	assert_refused("1;0;0;0;0", OF_FIELDS);
	assert_refused(",,,,", "empty");
}

/* The sixth is checked and not kept. */
static void
test_recorded(void **state)
{
	static const char *const good[] = {"", "0", "1795324189",
	    "2026-11-22 05:09:49.123456+00", "2026-11-22T05:09:49Z", "infinity",
	    "-infinity"};
	static const char *const bad[] = {" ", "now", "2026-11-22", "0\r",
	    "2026-11-22 05:09:49+01", "infinity ", "-1"};
	struct row_csv row;
	char line[80];

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		(void)snprintf(line, sizeof(line), "1,2,3,4,5,%s", good[i]);
		assert_read(line, &row);
		assert_int_equal(row.hint.shard, 5);
		assert_int_equal(row.not_after_sec, 4);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		(void)snprintf(line, sizeof(line), "1,2,3,4,5,%s", bad[i]);
		assert_refused(line, "recorded_at is not a time in UTC");
	}
}

/* A line is as long as it is said to be, whatever stands behind or in it. */
static void
test_length(void **state)
{
	static const char line[] = "1,2,3,4,56";
	static const char nul_in_serial[] = "1\0,2,3,4,5";
	static const char nul_in_shard[] = "1,2,3,4,5\0";
	const char *why = NULL;
	struct row_csv row;

	(void)state;
	assert_int_equal(
	    read_bytes(line, sizeof(line) - 2, &row, &why), STATUS_OK);
	assert_int_equal(row.hint.shard, 5);
	assert_int_equal(
	    read_bytes(line, sizeof(line) - 3, &row, &why), STATUS_OK);
	assert_false(row.hint.has_shard);
	assert_int_equal(
	    read_bytes(nul_in_serial, sizeof(nul_in_serial) - 1, &row, &why),
	    STATUS_MALFORMED);
	assert_int_equal(
	    read_bytes(nul_in_shard, sizeof(nul_in_shard) - 1, &row, &why),
	    STATUS_MALFORMED);
	assert_string_equal(why, OF_SHARD);
	/* Every shorter piece of a whole line. */
	for (size_t len = 0; len < 8; len++)
		assert_int_equal(
		    read_bytes(line, len, &row, &why), STATUS_MALFORMED);
}

static int
is_header(const char *line)
{
	return row_csv_is_header(line, strlen(line));
}

static void
test_header(void **state)
{
	(void)state;
	assert_true(is_header("serial,revoked_at,reason,not_after,shard"));
	assert_true(is_header("serial,"));
	assert_false(is_header("serial"));
	assert_false(is_header("serials,revoked_at"));
	assert_false(is_header("Serial,revoked_at"));
	assert_false(is_header(""));
	assert_false(is_header("1,0,0,0,"));
	assert_false(row_csv_is_header("serial,", 6));
}

static void
test_lines(void **state)
{
	static const char text[] = "one\r\n\ntwo\rthree\n\r\nlast\r";
	static const char *const want[] = {
	    "one", "", "two\rthree", "", "last\r"};
	char longest[ROW_CSV_LINE_BYTES + 1];
	char line[ROW_CSV_LINE_BYTES];
	FILE *stream = fmemopen((void *)(uintptr_t)text, sizeof(text) - 1, "r");
	size_t len = 0;

	(void)state;
	assert_non_null(stream);
	for (size_t i = 0; i < sizeof(want) / sizeof(want[0]); i++) {
		assert_true(row_csv_line(stream, line, &len));
		assert_int_equal(len, strlen(want[i]));
		assert_memory_equal(line, want[i], len);
	}
	assert_false(row_csv_line(stream, line, &len));
	assert_int_equal(fclose(stream), 0);
	/* One octet less is a whole line. */
	memset(longest, '7', sizeof(longest));
	longest[ROW_CSV_LINE_BYTES - 1] = '\n';
	longest[ROW_CSV_LINE_BYTES] = 'x';
	stream = fmemopen(longest, sizeof(longest), "r");
	assert_non_null(stream);
	assert_true(row_csv_line(stream, line, &len));
	assert_int_equal(len, ROW_CSV_LINE_BYTES - 1);
	assert_true(row_csv_line(stream, line, &len));
	assert_int_equal(len, 1);
	assert_int_equal(fclose(stream), 0);
	longest[ROW_CSV_LINE_BYTES - 1] = '7';
	stream = fmemopen(longest, sizeof(longest), "r");
	assert_non_null(stream);
	assert_true(row_csv_line(stream, line, &len));
	assert_int_equal(len, ROW_CSV_LINE_BYTES);
	assert_int_equal(fclose(stream), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_serials),
	    cmocka_unit_test(test_times),
	    cmocka_unit_test(test_time_ends),
	    cmocka_unit_test(test_reasons),
	    cmocka_unit_test(test_shards),
	    cmocka_unit_test(test_fields),
	    cmocka_unit_test(test_recorded),
	    cmocka_unit_test(test_length),
	    cmocka_unit_test(test_header),
	    cmocka_unit_test(test_lines),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
