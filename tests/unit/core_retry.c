/* SPDX-License-Identifier: ISC */
/* The schedule of retries, with a clock, randomness and sleep of its own. */
#include "crlpress/retry.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static int64_t now;
static int64_t slept;
static uint32_t dice;
static bool has_dice;
static int64_t cancel_at = INT64_MAX;

static int64_t
stand_now_ms(void)
{
	return now;
}

static bool
stand_random(void *data, size_t len)
{
	assert_int_equal(len, sizeof(dice));
	memcpy(data, &dice, sizeof(dice));
	return has_dice;
}

static void
stand_sleep_ms(int64_t ms)
{
	assert_true(ms > 0);
	now += ms;
	slept += ms;
}

static bool
stand_cancelled(void)
{
	return now >= cancel_at;
}

static const struct retry_policy policy = {
    .now_ms = stand_now_ms,
    .random_bytes = stand_random,
    .sleep_ms = stand_sleep_ms,
    .cancelled = stand_cancelled,
    .deadline_ms = 60000,
};

static int
setup(void **state)
{
	(void)state;
	now = 1000000;
	slept = 0;
	dice = 0;
	has_dice = true;
	cancel_at = INT64_MAX;
	return 0;
}

/* Half of the step is sure, the other half is the jitter. */
static void
test_delay(void **state)
{
	static const int64_t steps[] = {
	    250, 500, 1000, 2000, 4000, 8000, 16000, 30000, 30000};

	(void)state;
	for (unsigned i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		int64_t half = steps[i] / 2;

		assert_int_equal(retry_delay_ms(i + 1, 0), half);
		assert_int_equal(
		    retry_delay_ms(i + 1, (uint32_t)half), 2 * half);
		assert_int_equal(
		    retry_delay_ms(i + 1, (uint32_t)half + 1), half);
		assert_in_range(
		    retry_delay_ms(i + 1, UINT32_MAX), half, 2 * half);
	}
	assert_int_equal(retry_delay_ms(UINT32_MAX, 0), 15000);
}

static void
test_deadline(void **state)
{
	struct retry retry;
	unsigned tries = 0;

	(void)state;
	retry_begin(&retry, &policy);
	assert_int_equal(retry_left_ms(&retry), 60000);
	while (retry_wait(&retry, 0))
		tries++;
	/* 125 + 250 + 500 + 1000 + 2000 + 4000 + 8000 + 15000 + 15000: one
	 * more of 15000 would end after the deadline. */
	assert_int_equal(tries, 9);
	assert_int_equal(slept, 45875);
	assert_int_equal(retry.tries, 10);
	now += 60000;
	assert_int_equal(retry_left_ms(&retry), 0);
	assert_false(retry_wait(&retry, 0));
}

/* What a server asks for is waited for, when there is time for it. */
static void
test_least(void **state)
{
	struct retry retry;

	(void)state;
	retry_begin(&retry, &policy);
	assert_true(retry_wait(&retry, 5000));
	assert_in_range(slept, 5000, 5250);
	assert_true(retry_wait(&retry, 10));
	assert_in_range(slept, 5250, 5750);
	assert_false(retry_wait(&retry, 60000));
	assert_in_range(slept, 5250, 5750);
}

static void
test_cancelled(void **state)
{
	struct retry retry;

	(void)state;
	retry_begin(&retry, &policy);
	cancel_at = now + 1000;
	assert_false(retry_wait(&retry, 30000));
	/* In slices, so soon after it. */
	assert_in_range(slept, 1000, 1100);
	assert_false(retry_wait(&retry, 0));
	assert_in_range(slept, 1000, 1100);
}

/* Without randomness it goes on without jitter. */
static void
test_no_random(void **state)
{
	struct retry retry;

	(void)state;
	has_dice = false;
	dice = 77;
	retry_begin(&retry, &policy);
	assert_true(retry_wait(&retry, 0));
	assert_int_equal(slept, 125);
}

static void
test_codes(void **state)
{
	static const int heal[] = {429, 500, 502, 503, 504};
	static const int stay[] = {
	    0, 200, 204, 301, 304, 400, 403, 404, 409, 412, 428, 501, 505};

	(void)state;
	for (size_t i = 0; i < sizeof(heal) / sizeof(heal[0]); i++)
		assert_true(retry_code_heals(heal[i]));
	for (size_t i = 0; i < sizeof(stay) / sizeof(stay[0]); i++)
		assert_false(retry_code_heals(stay[i]));
}

static void
test_after(void **state)
{
	(void)state;
	assert_int_equal(retry_after_ms(NULL), 0);
	assert_int_equal(retry_after_ms(""), 0);
	assert_int_equal(retry_after_ms("0"), 0);
	assert_int_equal(retry_after_ms("7"), 7000);
	assert_int_equal(retry_after_ms("120"), 120000);
	assert_int_equal(retry_after_ms("86401"), 86400000);
	assert_int_equal(
	    retry_after_ms("99999999999999999999999999"), 86400000);
	assert_int_equal(retry_after_ms("-1"), 0);
	assert_int_equal(retry_after_ms("1.5"), 0);
	assert_int_equal(retry_after_ms("3 "), 0);
	assert_int_equal(retry_after_ms("Sun, 22 Nov 2026 08:00:00 GMT"), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup(test_delay, setup),
	    cmocka_unit_test_setup(test_deadline, setup),
	    cmocka_unit_test_setup(test_least, setup),
	    cmocka_unit_test_setup(test_cancelled, setup),
	    cmocka_unit_test_setup(test_no_random, setup),
	    cmocka_unit_test(test_codes),
	    cmocka_unit_test(test_after),
	};

	return cmocka_run_group_tests_name("retry", tests, NULL, NULL);
}
