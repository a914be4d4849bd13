/* SPDX-License-Identifier: ISC */
/* Dates against those of the C library, and the texts that are no dates. */
#include "crlpress/utc.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#define DAY_SEC 86400

/* One second with gmtime_r, timegm and our own text and back. */
static void
check_second(int64_t sec)
{
	time_t t = (time_t)sec;
	struct tm tm = {0};
	struct utc_civil civil = utc_to_civil(sec);
	int64_t back = -1;
	char want[32];
	char have[UTC_ISO_BYTES];

	assert_non_null(gmtime_r(&t, &tm));
	assert_int_equal(civil.year, tm.tm_year + 1900);
	assert_int_equal(civil.month, tm.tm_mon + 1);
	assert_int_equal(civil.day, tm.tm_mday);
	assert_int_equal(civil.hour, tm.tm_hour);
	assert_int_equal(civil.minute, tm.tm_min);
	assert_int_equal(civil.second, tm.tm_sec);
	assert_int_equal(utc_from_civil(&civil, &back), STATUS_OK);
	assert_int_equal(back, sec);
	assert_int_equal(back, timegm(&tm));
	strftime(want, sizeof(want), "%Y-%m-%dT%H:%M:%SZ", &tm);
	assert_ptr_equal(utc_to_iso(sec, have), have);
	assert_string_equal(have, want);
	back = -1;
	assert_int_equal(utc_from_iso(have, &back), STATUS_OK);
	assert_int_equal(back, sec);
}

/* Each day of the first 160 years, then every 61st, at odd seconds. */
static void
test_days(void **state)
{
	int64_t sec = UTC_MIN_SEC;

	(void)state;
	for (; sec < UTC_2050_SEC + 60LL * 365 * DAY_SEC; sec += DAY_SEC + 1)
		check_second(sec);
	for (; sec <= UTC_MAX_SEC; sec += 61 * DAY_SEC + 7)
		check_second(sec);
}

static void
check_around(const char *iso, int64_t sec)
{
	int64_t have = -1;

	assert_int_equal(utc_from_iso(iso, &have), STATUS_OK);
	assert_int_equal(have, sec);
	if (sec > UTC_MIN_SEC)
		check_second(sec - 1);
	check_second(sec);
	if (sec < UTC_MAX_SEC)
		check_second(sec + 1);
}

static void
test_edges(void **state)
{
	(void)state;
	check_around("1950-01-01T00:00:00Z", UTC_MIN_SEC);
	check_around("1969-12-31T23:59:59Z", -1);
	check_around("1970-01-01T00:00:00Z", 0);
	check_around("1999-12-31T23:59:59Z", 946684799);
	check_around("2000-02-29T00:00:00Z", 951782400);
	check_around("2000-03-01T00:00:00Z", 951868800);
	check_around("2038-01-19T03:14:08Z", 2147483648);
	check_around("2049-12-31T23:59:59Z", UTC_2050_SEC - 1);
	check_around("2050-01-01T00:00:00Z", UTC_2050_SEC);
	check_around("2100-02-28T23:59:59Z", 4107542399);
	check_around("2100-03-01T00:00:00Z", 4107542400);
	check_around("9999-12-31T23:59:59Z", UTC_MAX_SEC);
}

static void
test_no_date(void **state)
{
	const int64_t none[] = {
	    UTC_MIN_SEC - 1, UTC_MAX_SEC + 1, INT64_MIN, INT64_MAX};
	char text[UTC_ISO_BYTES];

	(void)state;
	for (size_t i = 0; i < sizeof(none) / sizeof(*none); i++)
		assert_string_equal(utc_to_iso(none[i], text), "(no date)");
}

/* 29 February is there in leap years alone; months have their lengths. */
static void
test_month_ends(void **state)
{
	(void)state;
	for (int year = 1950; year <= 9999; year++)
		for (int month = 1; month <= 12; month++) {
			struct tm tm = {
			    .tm_year = year - 1900,
			    .tm_mon = month,
			    .tm_mday = 0,
			};
			struct utc_civil civil = {
			    .year = year,
			    .month = month,
			};
			int64_t sec = -1;

			/* Day 0 of the next month is the last of this. */
			(void)timegm(&tm);
			civil.day = tm.tm_mday;
			assert_int_equal(
			    utc_from_civil(&civil, &sec), STATUS_OK);
			civil.day++;
			assert_int_equal(
			    utc_from_civil(&civil, &sec), STATUS_MALFORMED);
		}
}

static void
test_bad_civil(void **state)
{
	const struct utc_civil bad[] = {
	    {1949, 12, 31, 23, 59, 59},
	    {10000, 1, 1, 0, 0, 0},
	    {-1, 1, 1, 0, 0, 0},
	    {2026, 0, 1, 0, 0, 0},
	    {2026, 13, 1, 0, 0, 0},
	    {2026, -1, 1, 0, 0, 0},
	    {2026, 1, 0, 0, 0, 0},
	    {2026, 1, -1, 0, 0, 0},
	    {2026, 1, 1, 24, 0, 0},
	    {2026, 1, 1, -1, 0, 0},
	    {2026, 1, 1, 0, 60, 0},
	    {2026, 1, 1, 0, -1, 0},
	    {2026, 1, 1, 0, 0, 60},
	    {2026, 1, 1, 0, 0, -1},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		int64_t sec = 4711;

		assert_int_equal(
		    utc_from_civil(&bad[i], &sec), STATUS_MALFORMED);
		assert_int_equal(sec, 4711);
	}
}

static void
test_bad_iso(void **state)
{
	const char *const bad[] = {
	    "",
	    "2026",
	    "2026-11-22",
	    "2026-11-22T05:09:49",
	    "2026-11-22T05:09:49z",
	    "2026-11-22t05:09:49Z",
	    "2026-11-22 05:09:49Z",
	    "2026-11-22T05:09:49ZZ",
	    "2026-11-22T05:09:49Z ",
	    " 2026-11-22T05:09:49Z",
	    "2026-11-22T05:09:49.0Z",
	    "2026-11-22T05:09:49+00:00",
	    "2026-11-22T05-09-49Z",
	    "2026/11/22T05:09:49Z",
	    "2026-11-22T05:09:4:Z",
	    "2026-11-22T05:09: 9Z",
	    "2026-11-22T05:09:-9Z",
	    "+026-11-22T05:09:49Z",
	    "2026-1-022T05:09:49Z",
	    "2026-02-29T00:00:00Z",
	    "2100-02-29T00:00:00Z",
	    "2026-04-31T00:00:00Z",
	    "2026-11-22T24:00:00Z",
	    "2026-11-22T05:60:00Z",
	    "2026-12-31T23:59:60Z",
	    "2026-00-10T00:00:00Z",
	    "1949-12-31T23:59:59Z",
	    "0000-00-00T00:00:00Z",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		int64_t sec = 4711;

		if (utc_from_iso(bad[i], &sec) != STATUS_MALFORMED)
			fail_msg("'%s' was taken", bad[i]);
		assert_int_equal(sec, 4711);
	}
}

/* Each place of the text takes nothing but a digit or its own sign. */
static void
test_every_octet(void **state)
{
	const char *good = "2026-11-22T05:09:49Z";

	(void)state;
	for (size_t at = 0; at < strlen(good); at++)
		for (int c = 0; c < 256; c++) {
			char text[UTC_ISO_BYTES];
			int64_t sec;

			if (c >= '0' && c <= '9' && good[at] >= '0' &&
			    good[at] <= '9')
				continue;
			memcpy(text, good, UTC_ISO_BYTES);
			text[at] = (char)c;
			assert_int_equal(utc_from_iso(text, &sec),
			    c == good[at] ? STATUS_OK : STATUS_MALFORMED);
		}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_days),
	    cmocka_unit_test(test_edges),
	    cmocka_unit_test(test_no_date),
	    cmocka_unit_test(test_month_ends),
	    cmocka_unit_test(test_bad_civil),
	    cmocka_unit_test(test_bad_iso),
	    cmocka_unit_test(test_every_octet),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
