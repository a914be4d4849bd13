/* SPDX-License-Identifier: ISC */
/*
 * Counts by day, and the verdict on them: every way in which it must be "not
 * yet", of which a day that nobody counted is one.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "../../src/sunset/verdict.h"

#define DAY TREND_DAY_SEC
#define NOW_SEC (1796130000LL + 1800) /* 2026-12-01T13:30:00Z */
#define HOUR_SEC 1796130000LL

static struct trend *trend;

static int
setup(void **state)
{
	(void)state;
	trend = trend_new(NOW_SEC);
	return trend == NULL;
}

static int
teardown(void **state)
{
	(void)state;
	trend_free(trend);
	trend_free(NULL);
	return 0;
}

/* Requests in the hour of `hour_sec`. */
static struct count_record
requests(int64_t hour_sec, uint64_t count)
{
	struct count_record record = {.hour_sec = hour_sec,
	    .host = "ocsp.example.net",
	    .issuer = "r10",
	    .kind = COUNT_KIND(false, COUNT_HASH_SHA1),
	    .count = count};

	return record;
}

static void
add(int64_t days_ago, uint64_t count)
{
	struct count_record record = requests(HOUR_SEC - days_ago * DAY, count);

	assert_null(trend_add(trend, &record));
}

/* Days from `first` to `last` days ago are counted in full. */
static void
counted_also(int64_t first, int64_t last)
{
	for (int64_t ago = first; ago <= last; ago++)
		for (int hour = 0; hour < 24; hour++) {
			struct count_record record = {.up_sec = 3600};

			record.hour_sec =
			    (HOUR_SEC / DAY - ago) * DAY + hour * 3600;
			assert_null(trend_add(trend, &record));
		}
}

static void
counted(int64_t first, int64_t last)
{
	counted_also(first, last);
	trend_file_end(trend);
}

static struct verdict
judge(uint64_t below, uint32_t days)
{
	struct verdict_rule rule = {.below = below, .days = days};

	return verdict_make(trend, &rule);
}

static void
test_days(void **state)
{
	struct count_record record = requests(0, 5);
	size_t today = trend->today;
	char text[TREND_DAY_BYTES];

	(void)state;
	assert_string_equal(trend_day_text(trend, today, text), "2026-12-01");
	assert_false(trend->has_first);
	add(0, 3);
	add(1, 4);
	add(1, 5);
	assert_int_equal(trend->requests[today], 3);
	assert_int_equal(trend->requests[today - 1], 9);
	assert_int_equal(trend->first, today - 1);
	/* The last hour of a day and the first of the next. */
	record.hour_sec = HOUR_SEC / DAY * DAY - 3600;
	assert_null(trend_add(trend, &record));
	assert_int_equal(trend->requests[today - 1], 14);
	record.hour_sec += 3600;
	assert_null(trend_add(trend, &record));
	assert_int_equal(trend->requests[today], 8);
	/* The last hour of today; then the morning of tomorrow. */
	record.hour_sec = HOUR_SEC / DAY * DAY + 23 * 3600;
	assert_null(trend_add(trend, &record));
	/* What a clock wrote that was wrong is passed over. */
	record.hour_sec += 3600;
	assert_null(trend_add(trend, &record));
	record.hour_sec = (trend->base_day - 1) * DAY;
	assert_null(trend_add(trend, &record));
	record.hour_sec = -3600;
	assert_null(trend_add(trend, &record));
	record.hour_sec = trend->base_day * DAY;
	assert_null(trend_add(trend, &record));
	assert_int_equal(trend->first, 0);
	assert_int_equal(trend_sum(trend->requests, 0, TREND_DAYS), 32);
	assert_int_equal(trend_file_end(trend), 3);
	assert_int_equal(trend_file_end(trend), 0);
}

static void
test_kinds(void **state)
{
	struct count_record record = requests(HOUR_SEC, 10);
	size_t today = trend->today;

	(void)state;
	assert_null(trend_add(trend, &record));
	record.kind = COUNT_KIND(false, COUNT_HASH_NONE);
	record.method = COUNT_POST;
	assert_null(trend_add(trend, &record));
	record.mode = ANSWER_MALFORMED;
	assert_null(trend_add(trend, &record));
	record.mode = ANSWER_HEALTH;
	record.count = 7;
	assert_null(trend_add(trend, &record));
	assert_int_equal(trend->requests[today], 20);
	assert_int_equal(trend->ocsp[today], 10);
	assert_int_equal(trend->malformed[today], 10);
	assert_int_equal(trend->health[today], 7);
	assert_int_equal(trend->by[TREND_HOST].count, 1);
	assert_int_equal(trend->by[TREND_MODE].count, 1);
	assert_int_equal(trend->by[TREND_CLIENT].count, 2);
	assert_string_equal(
	    trend->by[TREND_CLIENT].series[0]->name, "GET sha1");
	assert_string_equal(
	    trend->by[TREND_CLIENT].series[1]->name, "POST unreadable");
	assert_int_equal(trend->by[TREND_HOST].series[0]->day[today], 20);
}

static void
test_sort(void **state)
{
	struct count_record record = requests(HOUR_SEC - DAY, 1);

	(void)state;
	for (int i = 0; i < 4; i++) {
		snprintf(record.host, sizeof(record.host), "h%d", i);
		record.count = (uint64_t)(i % 2 + 1);
		assert_null(trend_add(trend, &record));
	}
	/* Many, but long ago. */
	record = requests(HOUR_SEC - 99 * DAY, 1000);
	assert_null(trend_add(trend, &record));
	trend_sort(trend, 30);
	assert_string_equal(trend->by[TREND_HOST].series[0]->name, "h1");
	assert_string_equal(trend->by[TREND_HOST].series[1]->name, "h3");
	assert_string_equal(trend->by[TREND_HOST].series[2]->name, "h0");
	assert_string_equal(trend->by[TREND_HOST].series[3]->name, "h2");
	assert_string_equal(
	    trend->by[TREND_HOST].series[4]->name, "ocsp.example.net");
}

static void
test_limits(void **state)
{
	struct count_record record = requests(HOUR_SEC, UINT64_MAX);

	(void)state;
	assert_null(trend_add(trend, &record));
	assert_non_null(trend_add(trend, &record));
	assert_true(trend_sum(trend->requests, 0, TREND_DAYS) == UINT64_MAX);
	add(1, 1);
	assert_true(trend_sum(trend->requests, 0, TREND_DAYS) == UINT64_MAX);
	record.count = 1;
	record.hour_sec -= 2 * DAY;
	for (int i = 1; i < TREND_NAMES_MOST; i++) {
		snprintf(record.host, sizeof(record.host), "h%d", i);
		assert_null(trend_add(trend, &record));
	}
	snprintf(record.host, sizeof(record.host), "one-more");
	assert_non_null(trend_add(trend, &record));
}

/* Several servers: requests add up, time does not. */
static void
test_up(void **state)
{
	size_t today = trend->today;

	(void)state;
	counted(1, 1);
	counted(1, 1);
	assert_int_equal(trend->up_sec[today - 1], DAY);
	assert_int_equal(trend->up_sec[today], 0);
}

/* One that died is not made up for by another; one that is new is no fault. */
static void
test_several(void **state)
{
	(void)state;
	counted(1, 40);
	assert_true(judge(100, 30).may_retire);
	counted(1, 10);
	assert_true(judge(100, 30).may_retire);
	counted(4, 40);
	assert_false(judge(100, 30).may_retire);
	assert_int_equal(judge(100, 30).unknown, 3);
	counted(1, 40);
	assert_int_equal(judge(100, 30).unknown, 3);
}

static void
test_may_retire(void **state)
{
	struct verdict verdict;
	char text[VERDICT_TEXT_BYTES];
	struct verdict_rule rule = {.below = 100, .days = 30};

	(void)state;
	counted(1, 30);
	for (int ago = 0; ago <= 30; ago++)
		add(ago, 99);
	verdict = judge(100, 30);
	assert_true(verdict.may_retire);
	assert_int_equal(verdict.streak, 30);
	assert_int_equal(verdict.weeks_left, 0);
	assert_int_equal(verdict.week, 7 * 99);
	assert_int_equal(verdict.week_before, 7 * 99);
	verdict_text(trend, &rule, &verdict, text);
	assert_string_equal(text, "may retire: below 100 requests on each of "
				  "the last 30 days");
	/* One day longer is not known. */
	verdict = judge(100, 31);
	assert_false(verdict.may_retire);
	assert_int_equal(verdict.unknown, 1);
	assert_int_equal(verdict.last_unknown, trend->today - 31);
}

/* Exactly the threshold is not below it; the first and the last day count. */
static void
test_above(void **state)
{
	struct verdict verdict;

	(void)state;
	counted(1, 31);
	add(31, 100000);
	assert_true(judge(100, 30).may_retire);
	add(30, 100);
	verdict = judge(100, 30);
	assert_false(verdict.may_retire);
	assert_int_equal(verdict.above, 1);
	assert_int_equal(verdict.last_above, trend->today - 30);
	assert_int_equal(verdict.streak, 29);
	assert_true(judge(101, 30).may_retire);
	assert_true(judge(100, 29).may_retire);
	add(1, 200);
	verdict = judge(100, 30);
	assert_int_equal(verdict.above, 2);
	assert_int_equal(verdict.last_above, trend->today - 1);
	assert_int_equal(verdict.streak, 0);
}

static void
test_today(void **state)
{
	struct verdict verdict;
	struct verdict_rule rule = {.below = 100, .days = 30};
	char text[VERDICT_TEXT_BYTES];

	(void)state;
	counted(1, 30);
	add(0, 99);
	assert_true(judge(100, 30).may_retire);
	add(0, 1);
	verdict = judge(100, 30);
	assert_false(verdict.may_retire);
	assert_true(verdict.today_above);
	assert_int_equal(verdict.above, 0);
	assert_string_equal(verdict_text(trend, &rule, &verdict, text),
	    "not yet: today has 100 already");
}

/* Silence is not taken for a word. */
static void
test_unknown(void **state)
{
	struct count_record record = {.hour_sec = HOUR_SEC - 10 * DAY};
	struct verdict_rule rule = {.below = 100, .days = 30};
	struct verdict verdict = judge(100, 30);
	char text[VERDICT_TEXT_BYTES];

	(void)state;
	assert_false(verdict.may_retire);
	assert_int_equal(verdict.unknown, 30);
	counted_also(1, 9);
	counted(11, 30);
	verdict = judge(100, 30);
	assert_false(verdict.may_retire);
	assert_int_equal(verdict.unknown, 1);
	assert_int_equal(verdict.streak, 9);
	assert_string_equal(verdict_text(trend, &rule, &verdict, text),
	    "not yet: 1 of the last 30 days were not counted in full, the "
	    "last 2026-11-21");
	/* An hour may be missing, a second more may not. */
	for (uint32_t more = 0; more < 2; more++) {
		trend_free(trend);
		trend = trend_new(NOW_SEC);
		assert_non_null(trend);
		record.up_sec = VERDICT_UP_SEC_LEAST - 1 + more;
		assert_null(trend_add(trend, &record));
		counted_also(1, 9);
		counted(11, 30);
		assert_int_equal(judge(100, 30).may_retire, more);
	}
	trend->up_sec[trend->today - 20] = 0;
	rule.assume_complete = true;
	assert_true(verdict_make(trend, &rule).may_retire);
}

static void
test_ocsp_only(void **state)
{
	struct verdict_rule rule = {.below = 100, .days = 30};
	struct count_record record = requests(HOUR_SEC - DAY, 1000);

	(void)state;
	counted(1, 30);
	record.kind = COUNT_KIND(true, COUNT_HASH_NONE);
	assert_null(trend_add(trend, &record));
	assert_false(verdict_make(trend, &rule).may_retire);
	rule.ocsp_only = true;
	assert_true(verdict_make(trend, &rule).may_retire);
	add(1, 100);
	assert_false(verdict_make(trend, &rule).may_retire);
}

static void
test_outlook(void **state)
{
	(void)state;
	counted(1, 30);
	for (int ago = 1; ago <= 14; ago++)
		add(ago, ago <= 7 ? 800 : 1600);
	/* 800, 400, 200, 100, 50 */
	assert_int_equal(judge(100, 30).weeks_left, 4);
	assert_int_equal(judge(101, 30).weeks_left, 3);
	assert_int_equal(judge(801, 30).weeks_left, 0);
	for (int ago = 1; ago <= 7; ago++)
		add(ago, 800);
	assert_int_equal(judge(100, 30).weeks_left, VERDICT_WEEKS_MOST);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(test_days),
	    TEST(test_kinds),
	    TEST(test_sort),
	    TEST(test_limits),
	    TEST(test_up),
	    TEST(test_several),
	    TEST(test_may_retire),
	    TEST(test_above),
	    TEST(test_today),
	    TEST(test_unknown),
	    TEST(test_ocsp_only),
	    TEST(test_outlook),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
