/* SPDX-License-Identifier: ISC */
/*
 * How many of the published entries expire by when was known when they were
 * published: rows that say more close the gate before anything leaves.
 */
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../lib/gate_trial.h"

#define HOUR 3600LL
#define STEP0 (6 * HOUR)

/* An entry that is published, and its row. */
static void
entry(struct trial *trial, uint64_t serial, int64_t not_after_sec)
{
	trial_list(trial, serial, BEFORE, 4);
	trial_row(trial, serial, BEFORE, 4, not_after_sec);
}

/* What the manifest has of the published CRL: so many by each step. */
static void
foreseen(struct trial *trial, const uint64_t by[EXPIRING_STEPS])
{
	trial->has_expiring = true;
	memcpy(trial->expiring.by, by, sizeof(trial->expiring.by));
	trial->expiring_sec = T;
	trial->expiring_entries = trial->listed_count;
}

#define BY(...) ((const uint64_t[EXPIRING_STEPS]){__VA_ARGS__})

static void
refused(struct trial *trial, const char *what)
{
	trial_run(trial);
	assert_int_equal(trial->status, STATUS_REFUSED);
	assert_int_equal(report_kept(trial->stand.place.report), 1);
	stand_said(&trial->stand, SEVERITY_FAULT, GATE_EARLY_REMOVAL, what);
}

static void
test_steps(void **state)
{
	static const int64_t hours[EXPIRING_STEPS] = {
	    6, 12, 24, 48, 96, 192, 384, 768};

	(void)state;
	assert_int_equal(expiring_step(INT64_MIN), 0);
	assert_int_equal(expiring_step(-1), 0);
	for (size_t i = 0; i < EXPIRING_STEPS; i++) {
		assert_int_equal(expiring_step_sec(i), hours[i] * HOUR);
		assert_int_equal(expiring_step(hours[i] * HOUR - 1), i);
		assert_int_equal(expiring_step(hours[i] * HOUR), i + 1);
	}
	assert_int_equal(EXPIRING_HORIZON_SEC, 32 * DAY);
	assert_int_equal(expiring_step(INT64_MAX), EXPIRING_STEPS);
}

static void
test_text(void **state)
{
	static const char most[] =
	    "18446744073709551615/18446744073709551615/18446744073709551615/"
	    "18446744073709551615/18446744073709551615/18446744073709551615/"
	    "18446744073709551615/18446744073709551615/18446744073709551615";
	char text[EXPIRING_TEXT_BYTES];
	struct expiring expiring;

	(void)state;
	assert_int_equal(
	    expiring_from_text(most, sizeof(most) - 1, &expiring), STATUS_OK);
	assert_int_equal(expiring.by[7], UINT64_MAX);
	assert_string_equal(expiring_to_text(&expiring, text), most);
	assert_true(expiring.has_sum);
	assert_true(expiring.sum == UINT64_MAX);
	for (size_t len = 0; len < sizeof(most) - 1; len++)
		assert_true(
		    expiring_from_text(most, len, &expiring) != STATUS_OK ||
		    (len > 7 * 21 && len % 21 != 0));
	assert_int_equal(
	    expiring_from_text("0/1/2/3/4/5/6/7", 15, &expiring), STATUS_OK);
	for (size_t i = 0; i < EXPIRING_STEPS; i++)
		assert_int_equal(expiring.by[i], i);
	assert_false(expiring.has_sum);
	assert_string_equal(
	    expiring_to_text(&expiring, text), "0/1/2/3/4/5/6/7");
	assert_int_equal(
	    expiring_from_text("0/1/2/3/4/5/6/7/8/9", 19, &expiring),
	    STATUS_MALFORMED);
	assert_int_equal(expiring_from_text("0/1/2/3/4/5/6/7 8", 17, &expiring),
	    STATUS_MALFORMED);
}

/* Of dates from 1950 to 9999, with what does not fit left out. */
static void
test_sum(void **state)
{
	struct expiring before = {.has_sum = true}, now = {.has_sum = true};

	(void)state;
	expiring_add(&before, UTC_MIN_SEC);
	assert_true(before.sum == 0);
	expiring_add(&before, UTC_MAX_SEC);
	assert_true(before.sum == (uint64_t)(UTC_MAX_SEC - UTC_MIN_SEC));
	expiring_add(&now, UTC_MAX_SEC);
	expiring_add(&now, UTC_MIN_SEC);
	assert_int_equal(expiring_less(&now, &before), 0);
	now.sum--;
	assert_int_equal(expiring_less(&now, &before), 1);
	assert_int_equal(expiring_less(&before, &now), 0);
	now.sum = UINT64_MAX - 4;
	before.sum = 5;
	assert_int_equal(expiring_less(&now, &before), 10);
	assert_int_equal(expiring_less(&before, &now), 0);
	now.has_sum = false;
	assert_int_equal(expiring_less(&now, &before), 0);
	now.has_sum = true;
	before.has_sum = false;
	assert_int_equal(expiring_less(&now, &before), 0);
	before = (struct expiring){.has_sum = true, .sum = UINT64_C(1) << 63};
	now.sum = 0;
	assert_true(expiring_less(&now, &before) == INT64_MAX);
}

/* Of what is to be listed now, from the thisUpdate of the run on. */
static void
test_counted(void **state)
{
	static const uint64_t want[EXPIRING_STEPS] = {3, 4, 4, 4, 4, 4, 4, 5};
	struct trial *trial = *state;
	int64_t now_sec = trial->now_sec;

	entry(trial, 1, EXPIRED); /* leaves */
	entry(trial, 2, T);
	entry(trial, 3, now_sec);
	entry(trial, 4, now_sec + STEP0 - 1);
	entry(trial, 5, now_sec + STEP0);
	trial_row(trial, 6, T, 4, now_sec + 32 * DAY - 1);
	trial_row(trial, 7, T, 4, now_sec + 32 * DAY);
	trial_run(trial);
	assert_silent(trial);
	assert_serials(trial, SERIALS(2, 3, 4, 5, 6, 7));
	assert_int_equal(trial->stand.merge.leaving, 1);
	assert_memory_equal(trial->stand.merge.expiring.by, want, sizeof(want));
	assert_true(trial->stand.merge.expiring.has_sum);
	/* Of all six that are listed now. */
	assert_int_equal(trial->stand.merge.expiring.sum,
	    T + 4 * now_sec + 2 * STEP0 - 2 + 2 * 32 * DAY + now_sec -
		6 * UTC_MIN_SEC);
}

/* Three that expire after the last step, and the sum of that. */
static void
three_late(struct trial *trial, int64_t moved_sec)
{
	uint64_t none[EXPIRING_STEPS] = {0};

	entry(trial, 1, T + 100 * DAY);
	entry(trial, 2, T + 200 * DAY + moved_sec);
	entry(trial, 3, T + 300 * DAY);
	/* What is new is not in it. */
	trial_row(trial, 4, T, 4, T + 400 * DAY);
	foreseen(trial, none);
	trial->has_leaving = true;
	trial->expiring.has_sum = true;
	trial->expiring.sum = (uint64_t)(3 * T + 600 * DAY - 3 * UTC_MIN_SEC);
}

/* By a second, and no step tells. */
static void
test_earlier(void **state)
{
	struct trial *trial = *state;

	three_late(trial, -1);
	refused(trial,
	    "the 3 published entries expire earlier than when they were "
	    "published, by 1s in all");
}

static void
test_earlier_by_much(void **state)
{
	struct trial *trial = *state;

	three_late(trial, -100 * DAY);
	refused(trial, "expire earlier than when they were published, by 100d");
}

static void
test_no_earlier(void **state)
{
	for (int64_t moved_sec = 0; moved_sec <= DAY; moved_sec += DAY) {
		struct trial *trial;

		trial_teardown(state);
		assert_int_equal(trial_setup(state), 0);
		trial = *state;
		three_late(trial, moved_sec);
		trial_run(trial);
		assert_silent(trial);
		assert_serials(trial, SERIALS(1, 2, 3, 4));
	}
}

/* The sum of a CRL before it, or of one whose rows are not all there. */
static void
test_earlier_of_others(void **state)
{
	struct trial *trial = *state;

	three_late(trial, -DAY);
	trial->has_leaving = false;
	trial_run(trial);
	assert_silent(trial);

	trial_teardown(state);
	assert_int_equal(trial_setup(state), 0);
	trial = *state;
	three_late(trial, -DAY);
	trial->expiring_entries = 2;
	trial_run(trial);
	assert_silent(trial);

	trial_teardown(state);
	assert_int_equal(trial_setup(state), 0);
	trial = *state;
	trial_list(trial, 9, BEFORE, 4);
	three_late(trial, -DAY);
	refused(trial, "serial 09, revoked");
}

/* One fault a shard: the step names a serial. */
static void
test_earlier_and_a_step(void **state)
{
	struct trial *trial = *state;

	three_late(trial, -199 * DAY);
	refused(
	    trial, "the first is serial 02, not_after 2026-11-23T05:09:49Z");
}

static void
test_as_foreseen(void **state)
{
	struct trial *trial = *state;

	entry(trial, 1, EXPIRED);
	entry(trial, 2, T + STEP0 - 1);
	entry(trial, 3, T + STEP0);
	entry(trial, 4, T + 32 * DAY - 1);
	entry(trial, 5, T + 32 * DAY);
	trial->has_leaving = true;
	trial->leaving = 1;
	foreseen(trial, BY(2, 3, 3, 3, 3, 3, 3, 4));
	trial_run(trial);
	assert_silent(trial);
	assert_serials(trial, SERIALS(2, 3, 4, 5));
}

/* Each step is held, to the second, whatever the others allow. */
static void
test_each_step(void **state)
{
	struct trial *trial = *state;

	for (size_t i = 0; i < EXPIRING_STEPS; i++) {
		uint64_t by[EXPIRING_STEPS] = {0};
		char date[UTC_ISO_BYTES], want[128];

		trial_teardown(state);
		assert_int_equal(trial_setup(state), 0);
		trial = *state;
		entry(trial, 1, VALID);
		entry(trial, 2, T + expiring_step_sec(i) - 1);
		for (size_t j = i + 1; j < EXPIRING_STEPS; j++)
			by[j] = 9;
		foreseen(trial, by);
		snprintf(want, sizeof(want),
		    "more entries expire by %s than was foreseen, have 1, want "
		    "at most 0; the first is serial 02, not_after 20",
		    utc_to_iso(T + expiring_step_sec(i), date));
		refused(trial, want);

		trial_teardown(state);
		assert_int_equal(trial_setup(state), 0);
		trial = *state;
		entry(trial, 1, VALID);
		entry(trial, 2, T + expiring_step_sec(i));
		foreseen(trial, by);
		trial_run(trial);
		assert_silent(trial);
	}
}

/* All of them are moved, and the first that was not foreseen is named. */
static void
test_all_moved(void **state)
{
	struct trial *trial = *state;

	entry(trial, 1, T + HOUR);
	entry(trial, 2, T + 3 * DAY);
	entry(trial, 3, T + 3 * DAY + 1);
	foreseen(trial, BY(1, 1, 1, 1, 1, 1, 1, 1));
	refused(trial,
	    "by 2026-11-26T05:09:49Z than was foreseen, have 3, want at most "
	    "1; the first is serial 02, not_after 2026-11-25T05:09:49Z");
	assert_string_equal(
	    report_finding(trial->stand.place.report, 0)->clause,
	    "RFC 5280, 3.3");
}

/* It is said once, and what had expired is the graver of the two. */
static void
test_leaving_is_said(void **state)
{
	struct trial *trial = *state;

	entry(trial, 1, T - 1);
	entry(trial, 2, T + 1);
	trial->has_leaving = true;
	foreseen(trial, BY(0));
	refused(trial, "more entries would leave as expired than had expired");
}

/* What is new may expire when it likes; and what has no row tells nothing. */
static void
test_not_of_others(void **state)
{
	struct trial *trial = *state;

	stand_pass(&trial->stand, "no-early-removal:7");
	trial_list(trial, 1, BEFORE, 4);
	trial_row(trial, 2, T, 4, T + HOUR);
	trial_row(trial, 3, T, 4, EXPIRED);
	foreseen(trial, BY(0));
	trial_run(trial);
	assert_int_equal(trial->status, STATUS_OK);
	assert_int_equal(report_kept(trial->stand.place.report), 1);
	stand_said(&trial->stand, SEVERITY_WARNING, GATE_EARLY_REMOVAL,
	    "serial 01, revoked");
}

static void
test_let_pass(void **state)
{
	struct trial *trial = *state;

	stand_pass(&trial->stand, "no-early-removal:7");
	entry(trial, 1, T + 1);
	entry(trial, 2, T + 2);
	foreseen(trial, BY(0));
	trial_run(trial);
	assert_int_equal(trial->status, STATUS_OK);
	stand_said(&trial->stand, SEVERITY_WARNING, GATE_EARLY_REMOVAL,
	    "have 2, want at most 0");
	assert_serials(trial, SERIALS(1, 2));
	/* The next run takes them for what they are now. */
	assert_int_equal(trial->stand.merge.leaving, 2);
	assert_int_equal(trial->stand.merge.expiring.by[0], 2);
}

/* Read a second time, entries count once. */
static void
test_unsorted(void **state)
{
	struct trial *trial = *state;

	trial_list(trial, 2, BEFORE, 4);
	trial_list(trial, 1, BEFORE, 4);
	trial_row(trial, 1, BEFORE, 4, T + 1);
	trial_row(trial, 2, BEFORE, 4, T + 2);
	foreseen(trial, BY(2, 2, 2, 2, 2, 2, 2, 2));
	trial_run(trial);
	assert_silent(trial);
	assert_serials(trial, SERIALS(1, 2));
	assert_int_equal(trial->stand.merge.expiring.by[7], 2);
}

/* Of the CRL before the published one: three entries, made seven hours ago. */
static void
foreseen_before(struct trial *trial, const uint64_t by[EXPIRING_STEPS])
{
	foreseen(trial, by);
	trial->expiring_sec = T - 7 * HOUR;
	trial->expiring_entries = 3;
}

/* A push came between: one more entry may be any of those that expire. */
static void
test_of_the_crl_before(void **state)
{
	struct trial *trial = *state;

	entry(trial, 1, VALID);
	entry(trial, 2, VALID);
	entry(trial, 3, EXPIRED);
	entry(trial, 4, T + 1);
	foreseen_before(trial, BY(0, 1, 1, 1, 1, 1, 1, 1));
	trial_run(trial);
	assert_silent(trial);
	assert_serials(trial, SERIALS(1, 2, 4));
	/* Of those that leave, so many were known to. */
	assert_int_equal(trial->stand.merge.foreseen, 1);
}

static void
test_of_the_crl_before_too_many(void **state)
{
	struct trial *trial = *state;

	entry(trial, 1, VALID);
	entry(trial, 2, EXPIRED - 20 * DAY);
	entry(trial, 3, EXPIRED - 20 * DAY);
	entry(trial, 4, T + 1);
	/* What was over when the published CRL was made is not held. */
	foreseen_before(trial, BY(0, 1, 1, 1, 1, 1, 1, 1));
	refused(trial,
	    "by 2026-11-22T10:09:49Z than was foreseen, have 3, want at most "
	    "2; the first is serial 04, ");
	assert_int_equal(trial->stand.merge.foreseen, 1);
}

/* It has fewer than that had: nothing is allowed for it. */
static void
test_of_the_crl_before_fewer(void **state)
{
	struct trial *trial = *state;

	entry(trial, 1, VALID);
	entry(trial, 2, T + 1);
	foreseen_before(trial, BY(0));
	refused(trial, "have 1, want at most 0; the first is serial 02, ");
}

/* After an outage past the horizon, and a run that was killed, nothing binds;
 * but what was to expire within it is still known to have been. */
static void
test_past_the_horizon(void **state)
{
	struct trial *trial = *state;

	entry(trial, 1, T + 1);
	entry(trial, 2, EXPIRED);
	entry(trial, 3, EXPIRED);
	foreseen(trial, BY(0, 0, 0, 0, 0, 0, 0, 1));
	trial->expiring_sec = T - 33 * DAY;
	trial_run(trial);
	assert_silent(trial);
	assert_serials(trial, SERIALS(1));
	assert_int_equal(trial->stand.merge.foreseen, 1);
}

/* As many as no count can hold are no fewer than any. */
static void
test_greatest(void **state)
{
	struct trial *trial = *state;

	entry(trial, 1, T + 1);
	entry(trial, 2, T + 1);
	foreseen(trial, BY(UINT64_MAX, UINT64_MAX, UINT64_MAX, UINT64_MAX,
			    UINT64_MAX, UINT64_MAX, UINT64_MAX, UINT64_MAX));
	trial->expiring_entries = 0;
	trial_run(trial);
	assert_silent(trial);
}

/* What a manifest has of a shard is what its rows are held against. */
static void
test_foreseen(void **state)
{
	struct manifest_shard line = {
	    .entries = 12,
	    .this_update_sec = BEFORE,
	    .expiring = {.by = {1, 2, 3, 4, 5, 6, 7, 8}},
	};
	struct gate_published published = {.expiring_entries = 5};

	(void)state;
	gate_foresee(&published, &line);
	assert_false(published.has_expiring);
	assert_int_equal(published.expiring_entries, 5);
	line.has_expiring = true;
	gate_foresee(&published, &line);
	assert_true(published.has_expiring);
	assert_int_equal(published.expiring_entries, 12);
	assert_int_equal(published.expiring_sec, BEFORE);
	assert_memory_equal(
	    &published.expiring, &line.expiring, sizeof(line.expiring));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_steps),
	    cmocka_unit_test(test_text),
	    cmocka_unit_test(test_sum),
	    trial_test(test_counted),
	    trial_test(test_as_foreseen),
	    trial_test(test_each_step),
	    trial_test(test_all_moved),
	    trial_test(test_earlier),
	    trial_test(test_earlier_by_much),
	    trial_test(test_no_earlier),
	    trial_test(test_earlier_of_others),
	    trial_test(test_earlier_and_a_step),
	    trial_test(test_leaving_is_said),
	    trial_test(test_not_of_others),
	    trial_test(test_let_pass),
	    trial_test(test_unsorted),
	    trial_test(test_of_the_crl_before),
	    trial_test(test_of_the_crl_before_too_many),
	    trial_test(test_of_the_crl_before_fewer),
	    trial_test(test_past_the_horizon),
	    trial_test(test_greatest),
	    cmocka_unit_test(test_foreseen),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
