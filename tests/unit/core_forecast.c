/* SPDX-License-Identifier: ISC */
/*
 * Forecasts against sums made by hand, and against a simulation, in which every
 * certificate is revoked and expires by itself.
 */
#include "crlpress/forecast.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define DAY INT64_C(86400)
#define NOW_SEC 1795324189LL
#define URL "http://c/0.crl"

static const uint8_t name[] = {0x30, 0x00};

static struct forecast forecast;

static int
forecast_setup(void **state)
{
	(void)state;
	/* Three steps a day. */
	if (forecast_init(&forecast, 3, NOW_SEC, 10 * DAY, 10 * DAY) !=
	    STATUS_OK)
		return -1;
	forecast.header = (struct crl_header){
	    .algorithm_len = 12,
	    .issuer = name,
	    .issuer_len = sizeof(name),
	    .this_update_sec = NOW_SEC,
	    .next_update_sec = NOW_SEC + 9 * DAY,
	    .number = uint160_from_u64(NOW_SEC),
	};
	forecast.signature_len = 72;
	return 0;
}

static int
forecast_teardown(void **state)
{
	(void)state;
	forecast_free(&forecast);
	assert_null(forecast.shard);
	return 0;
}

/* A row whose entry has 22 octets. */
static void
add(uint32_t shard, int64_t revoked_days, int64_t not_after_days)
{
	struct uint160 serial = uint160_from_u64(0x010203);

	forecast_add(&forecast, shard, &serial, NOW_SEC + revoked_days * DAY, 0,
	    NOW_SEC + not_after_days * DAY);
}

static struct forecast_point
at(uint32_t shard, unsigned step)
{
	return forecast_at(&forecast, &forecast.shard[shard], URL, step);
}

static void
assert_near(double have, double want)
{
	if (have < want - 0.01 || have > want + 0.01)
		fail_msg("have %f, want %f", have, want);
}

static void
test_nothing(void **state)
{
	int64_t when_sec = 7;

	(void)state;
	for (unsigned step = 0; step <= FORECAST_STEPS; step++)
		assert_near(at(0, step).entries, 0);
	assert_int_equal(forecast_trend_sec(&forecast), 10 * DAY);
	assert_int_equal(forecast_entry_bytes(&forecast), FORECAST_ENTRY_BYTES);
	assert_false(
	    forecast_when(&forecast, &forecast.shard[0], URL, 1000, &when_sec));
	assert_int_equal(when_sec, 7);
	/* The head alone is too large. */
	assert_true(
	    forecast_when(&forecast, &forecast.shard[0], URL, 10, &when_sec));
	assert_int_equal(when_sec, NOW_SEC);
}

/* Each row is one of: listed, expired, to come. */
static void
test_counts(void **state)
{
	const struct forecast_shard *shard = &forecast.shard[1];
	struct crl_header header = forecast.header;

	(void)state;
	add(1, -1, 1);
	add(1, -20, 1);
	add(1, -1, 0);  /* expires just now: listed */
	add(1, -2, -1); /* expired, and recent */
	add(1, -20, -1);
	add(1, 1, 5);
	add(1, 0, 5);
	assert_int_equal(shard->entries, 4);
	assert_int_equal(shard->bytes, 4 * 22);
	assert_int_equal(shard->recent, 4);
	assert_int_equal(shard->recent_bytes, 4 * 22);
	assert_int_equal(forecast.recent, 4);
	assert_int_equal(forecast.expired, 2);
	assert_int_equal(forecast.deferred, 1);
	assert_int_equal(forecast.oldest_sec, NOW_SEC - 20 * DAY);
	assert_int_equal(forecast.serial_len, 3);
	assert_int_equal(forecast_entry_bytes(&forecast), 36);
	assert_int_equal(forecast.shard[0].entries, 0);
	assert_int_equal(forecast.shard[2].entries, 0);
	header.url = URL;
	assert_int_equal(
	    forecast_bytes(&forecast, shard, URL), crl_size(&header, 88, 72));
	/* The end of the trend is not of it. */
	add(1, -10, 1);
	assert_int_equal(shard->recent, 4);
}

/* What leaves does so in the step in which it expires. */
static void
test_leaving(void **state)
{
	struct crl_header header = forecast.header;

	(void)state;
	add(0, -20, 1);
	add(0, -20, 1);
	add(0, -20, 5);
	add(0, -20, 10);
	add(0, -20, 4000);
	assert_near(at(0, 0).entries, 5);
	assert_near(at(0, 3).entries, 5);
	assert_near(at(0, 4).entries, 3);
	assert_near(at(0, 15).entries, 3);
	assert_near(at(0, 16).entries, 2);
	assert_near(at(0, FORECAST_STEPS).entries, 2);
	header.url = URL;
	assert_near(
	    at(0, FORECAST_STEPS).bytes, (double)crl_size(&header, 44, 72));
}

/* One a day in one shard, two in another, that all live on. */
static void
test_growth(void **state)
{
	int64_t when_sec = 0;
	struct forecast_point point;

	(void)state;
	for (int day = 1; day <= 9; day++) {
		add(0, -day, 400);
		add(1, -day, 400);
		add(1, -day, 400);
	}
	add(0, 0, 400);
	add(1, 0, 400);
	add(1, 0, 400);
	/* Since nothing is older the trend is of nine days, not of ten. */
	assert_int_equal(forecast_trend_sec(&forecast), 9 * DAY);
	add(2, -30, 400);
	assert_int_equal(forecast_trend_sec(&forecast), 10 * DAY);
	assert_near(at(0, 3).entries, 11);
	assert_near(at(0, 30).entries, 20);
	assert_near(at(1, 30).entries, 40);
	assert_near(at(2, 30).entries, 1);
	/* 22 octets a day: half a day after the entries of five have come. */
	point = at(0, 15);
	assert_true(forecast_when(&forecast, &forecast.shard[0], URL,
	    (uint64_t)point.bytes + 11, &when_sec));
	assert_in_range(when_sec, NOW_SEC + 5 * DAY + 11 * DAY / 24,
	    NOW_SEC + 5 * DAY + 13 * DAY / 24);
	assert_false(forecast_when(&forecast, &forecast.shard[0], URL,
	    (uint64_t)at(0, 30).bytes, &when_sec));
	assert_true(forecast_when(&forecast, &forecast.shard[0], URL,
	    (uint64_t)at(0, 30).bytes - 1, &when_sec));
	assert_in_range(
	    when_sec, NOW_SEC + 9 * DAY + DAY / 2, NOW_SEC + 10 * DAY);
}

/* It is the first time that counts, though the shard empties itself later. */
static void
test_peak(void **state)
{
	int64_t when_sec = 0;

	(void)state;
	add(2, -50, 400);
	for (int i = 0; i < 60; i++)
		add(0, -9, 5);
	for (int i = 0; i < 60; i++)
		add(0, -1, 1);
	/* 120 now; half of them leave within a day. */
	assert_true(at(0, 30).bytes < at(0, 0).bytes);
	assert_true(forecast_when(&forecast, &forecast.shard[0], URL,
	    (uint64_t)at(0, 0).bytes - 1, &when_sec));
	assert_int_equal(when_sec, NOW_SEC);
}

/*
 * Eight revocations a day, a year long, each of a certificate that lives on
 * for 1 to 6 days in turn: after some days as many stay listed as come in 3.5
 * days, and the forecast of it is the same.
 */
static void
test_simulation(void **state)
{
	enum { HOUR = 3600, EACH_HOURS = 3 };
	struct uint160 serial = uint160_from_u64(0x010203);
	uint64_t listed = 0;
	int64_t n = 0;

	(void)state;
	for (int64_t age = HOUR; age < 365 * DAY; age += EACH_HOURS * HOUR) {
		/* 1, 1.5 to 6 days. */
		int64_t lives = DAY + (n++ * 7 % 11) * DAY / 2;

		forecast_add(&forecast, 0, &serial, NOW_SEC - age, 0,
		    NOW_SEC - age + lives);
		listed += lives >= age;
	}
	assert_int_equal(forecast.shard[0].entries, listed);
	for (unsigned step = 0; step <= FORECAST_STEPS; step++) {
		double have = at(0, step).entries;

		/* Half a step of eight a day. */
		if (have < (double)listed - 2 || have > (double)listed + 2)
			fail_msg("step %u: have %f, want %d", step, have,
			    (int)listed);
	}
}

/* Everything revoked: what is listed already is among the certificates. */
static void
test_worst(void **state)
{
	struct forecast_shard *shard = &forecast.shard[0];
	struct crl_header header = forecast.header;

	(void)state;
	header.url = URL;
	add(0, -1, 1);
	add(0, -1, 1);
	shard->certificates = 1;
	assert_int_equal(forecast_bytes_worst(&forecast, shard, URL),
	    crl_size(&header, 44, 72));
	shard->certificates = 1002;
	assert_int_equal(forecast_bytes_worst(&forecast, shard, URL),
	    crl_size(&header, 44 + 1000 * 36, 72));
	/* Beyond what a CRL can have a number is one nevertheless. */
	shard->certificates = UINT64_C(1) << 40;
	assert_true(
	    forecast_bytes_worst(&forecast, shard, URL) > UINT64_C(35) << 40);
}

static void
test_shard_count(void **state)
{
	static const struct {
		uint64_t certificates;
		size_t entry_bytes;
		uint64_t header_bytes;
		uint64_t bytes_most;
		uint32_t want;
	} row[] = {
	    {0, 50, 500, 1000, 1},
	    {10, 50, 500, 1000, 1},
	    {11, 50, 500, 1000, 4}, /* two of 5.5, and by chance 13 */
	    {10, 50, 500, 999, 4},
	    {1, 50, 1000, 1000, 0},
	    {1, 50, 1000, 999, 0},
	    {1, 0, 0, 1000, 0},
	    {200000000, 50, 1500, 10 << 20, 1024},
	    {25000000, 50, 1500, 10 << 20, 128},
	    {1000000000000, 50, 1500, 10 << 20, 0},
	    {UINT64_MAX, 50, 1500, 10 << 20, 0},
	    {UINT64_MAX, 1, 0, UINT64_MAX, 1},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
		uint32_t have = forecast_shard_count(row[i].certificates,
		    row[i].entry_bytes, row[i].header_bytes, row[i].bytes_most);

		if (have != row[i].want)
			fail_msg(
			    "row %zu: have %u, want %u", i, have, row[i].want);
	}
}

/* The longest times there can be, and dates at both ends. */
static void
test_extremes(void **state)
{
	struct uint160 serial = uint160_from_u64(1);
	int64_t when_sec;

	(void)state;
	forecast_free(&forecast);
	assert_int_equal(forecast_init(&forecast, SHARD_COUNT_MOST, NOW_SEC,
			     FORECAST_TIME_MOST_SEC, FORECAST_TIME_MOST_SEC),
	    STATUS_OK);
	forecast_add(&forecast, SHARD_COUNT_MOST - 1, &serial, -631152000LL, 1,
	    253402300799LL);
	forecast_add(
	    &forecast, SHARD_COUNT_MOST - 1, &serial, NOW_SEC, 1, -631152000LL);
	assert_int_equal(forecast.shard[SHARD_COUNT_MOST - 1].entries, 1);
	assert_int_equal(forecast.expired, 1);
	assert_near(
	    forecast_at(&forecast, &forecast.shard[SHARD_COUNT_MOST - 1], URL,
		FORECAST_STEPS)
		.entries,
	    /* Of two in 76 years, one lives on: half a century's worth. */
	    1 + (double)FORECAST_TIME_MOST_SEC /
		    (double)forecast_trend_sec(&forecast) * 2 *
		    (FORECAST_STEPS * 0.5 + 0.25) / FORECAST_STEPS);
	assert_false(forecast_when(
	    &forecast, &forecast.shard[0], URL, 100000, &when_sec));
	/* A trend of seconds is a day's. */
	forecast.trend_sec = 1;
	assert_int_equal(forecast_trend_sec(&forecast), DAY);
}

int
main(void)
{
#define TEST(function)                   \
	cmocka_unit_test_setup_teardown( \
	    function, forecast_setup, forecast_teardown)
	const struct CMUnitTest tests[] = {
	    TEST(test_nothing),
	    TEST(test_counts),
	    TEST(test_leaving),
	    TEST(test_growth),
	    TEST(test_peak),
	    TEST(test_simulation),
	    TEST(test_worst),
	    cmocka_unit_test(test_shard_count),
	    TEST(test_extremes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
