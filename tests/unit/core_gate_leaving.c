/* SPDX-License-Identifier: ISC */
/*
 * Rows against the published CRL and what else is known: when rows were
 * recorded, and how many entries may leave; and what of it is kept as changes.
 */
#include "crlpress/gate.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../lib/gate_trial.h"

/*
 * RFC 5280, 3.3: a row that expired before the published CRL, revoked long
 * before it too, stays out when that CRL could have had it, and is listed once
 * when it could not: it was recorded only since.
 */
static void
recorded(struct trial *trial, int64_t recorded_at_sec, bool listed)
{
	trial_row(trial, 5, BEFORE, 4, EXPIRED);
	trial_row(trial, 6, BEFORE, 4, EXPIRED);
	trial_row(trial, 7, BEFORE, 4, EXPIRED);
	trial_recorded(trial, 1, T + 5);
	trial_recorded(trial, 6, recorded_at_sec);
	trial_recorded(trial, 9, T + 5);
	trial_run(trial);
	assert_silent(trial);
	assert_serials(trial, listed ? SERIALS(6) : NO_SERIALS);
	assert_merge(trial, MERGE(listed, 0, 0, 3U - listed, 0, 0));
	assert_int_equal(trial->stand.merge.leaving, listed);
}

static void
test_recorded_before(void **state)
{
	recorded(*state, T - 1, false);
}

static void
test_recorded_at(void **state)
{
	recorded(*state, T, true);
}

static void
test_recorded_since(void **state)
{
	recorded(*state, T + 1, true);
}

/* One of several records of a serial is enough, whichever it is. */
static void
test_recorded_twice(void **state)
{
	struct trial *trial = *state;

	trial_row(trial, 6, BEFORE, 4, EXPIRED);
	trial_row(trial, 7, BEFORE, 4, EXPIRED);
	trial_row(trial, 8, BEFORE, 4, EXPIRED);
	trial_recorded(trial, 6, T + 1);
	trial_recorded(trial, 6, T - 1);
	trial_recorded(trial, 7, T - 1);
	trial_recorded(trial, 7, T + 1);
	trial_recorded(trial, 8, T - 1);
	trial_recorded(trial, 8, T - 2);
	trial_run(trial);
	assert_silent(trial);
	assert_serials(trial, SERIALS(6, 7));
}

/* A CRL may have left out what the one before it listed, and nothing else. */
static void
test_recorded_since_the_crl_before(void **state)
{
	struct trial *trial = *state;

	trial->settled_sec = T - 3600;
	trial_row(trial, 6, BEFORE, 4, EXPIRED);
	trial_row(trial, 7, BEFORE, 4, EXPIRED);
	trial_row(trial, 8, BEFORE, 4, EXPIRED);
	trial_recorded(trial, 6, T - 3601);
	trial_recorded(trial, 7, T - 3600);
	trial_run(trial);
	assert_silent(trial);
	assert_serials(trial, SERIALS(7));
	assert_merge(trial, MERGE(1, 0, 0, 2, 0, 0));
	assert_int_equal(trial->stand.merge.unsettled, 0);
}

/* Where nothing is known of it, all that expired are listed once, and told. */
static void
test_unsettled(void **state)
{
	struct trial *trial = *state;

	trial->is_unsettled = true;
	trial_list(trial, 5, BEFORE, 4);
	trial_row(trial, 5, BEFORE, 4, EXPIRED);
	trial_row(trial, 6, BEFORE, 4, EXPIRED);
	trial_row(trial, 7, BEFORE, 4, EXPIRED);
	trial_row(trial, 8, BEFORE, 4, VALID);
	trial_row(trial, 9, T, 4, EXPIRED);
	trial_recorded(trial, 7, T);
	trial_run(trial);
	assert_int_equal(trial->status, STATUS_OK);
	assert_serials(trial, SERIALS(6, 7, 8, 9));
	assert_merge(trial, MERGE(4, 1, 0, 0, 0, 0));
	/* Of the others it is known that they are new. */
	assert_int_equal(trial->stand.merge.unsettled, 1);
	stand_said(&trial->stand, SEVERITY_WARNING, GATE_EARLY_REMOVAL,
	    "have 1; the first is serial 06, not_after 2026-11-22T05:09:48Z");
}

/* That it was recorded of late keeps nothing that may leave. */
static void
test_recorded_and_listed(void **state)
{
	struct trial *trial = *state;

	trial_list(trial, 6, BEFORE, 4);
	trial_row(trial, 6, BEFORE, 4, EXPIRED);
	trial_recorded(trial, 6, T + 1);
	trial_run(trial);
	assert_silent(trial);
	assert_serials(trial, NO_SERIALS);
	assert_merge(trial, MERGE(0, 1, 0, 0, 0, 0));
}

/* Against a published CRL from the future it is the run's time that counts. */
static void
test_recorded_from_the_future(void **state)
{
	struct trial *trial = *state;

	trial->now_sec = T - 3600;
	trial_row(trial, 6, BEFORE, 4, T - DAY);
	trial_row(trial, 7, BEFORE, 4, T - DAY);
	trial_recorded(trial, 6, T - 3601);
	trial_recorded(trial, 7, T - 3600);
	trial_run(trial);
	assert_silent(trial);
	assert_serials(trial, SERIALS(7));
}

/* What may leave next time: expired by this thisUpdate, and listed on it. */
static void
test_leaving_counted(void **state)
{
	struct trial *trial = *state;

	trial_list(trial, 1, BEFORE, 4);
	trial_list(trial, 2, BEFORE, 4);
	trial_list(trial, 3, BEFORE, 4);
	trial_list(trial, 4, BEFORE, 4);
	trial_row(trial, 1, BEFORE, 4, EXPIRED);
	trial_row(trial, 2, BEFORE, 4, T);
	trial_row(trial, 3, BEFORE, 4, trial->now_sec - 1);
	trial_row(trial, 4, BEFORE, 4, trial->now_sec);
	trial_row(trial, 5, T, 4, T - DAY);
	trial_run(trial);
	assert_serials(trial, SERIALS(2, 3, 4, 5));
	assert_int_equal(trial->stand.merge.leaving, 3);
}

/* Where nothing is published every row is listed, expired ones too. */
static void
test_first(void **state)
{
	struct trial *trial = *state;

	trial_row(trial, 1, BEFORE, 4, EXPIRED);
	trial_row(trial, 2, BEFORE, 4, trial->now_sec - 1);
	trial_row(trial, 3, BEFORE, 4, trial->now_sec);
	trial_merge(trial, NULL);
	assert_silent(trial);
	assert_serials(trial, SERIALS(1, 2, 3));
	assert_merge(trial, MERGE(3, 0, 0, 0, 0, 0));
	assert_int_equal(trial->stand.merge.leaving, 2);
	assert_int_equal(trial->changes.count, 0);
}

/* Three entries of four, two of which leave. */
static void
leave_two(struct trial *trial)
{
	trial_list(trial, 1, BEFORE, 4);
	trial_list(trial, 2, BEFORE, 4);
	trial_list(trial, 3, BEFORE, 4);
	trial_row(trial, 1, BEFORE, 4, VALID);
	trial_row(trial, 2, BEFORE, 4, T - 2);
	trial_row(trial, 3, BEFORE, 4, T - 1);
	trial_run(trial);
	assert_merge(trial, MERGE(0, 2, 1, 0, 0, 0));
}

static void
test_leaving_as_known(void **state)
{
	struct trial *trial = *state;

	trial->has_leaving = true;
	trial->leaving = 2;
	leave_two(trial);
	assert_silent(trial);
	assert_int_equal(trial->stand.merge.foreseen, 2);
	assert_serials(trial, SERIALS(1));
}

static void
test_leaving_fewer(void **state)
{
	struct trial *trial = *state;

	trial->has_leaving = true;
	trial->leaving = 3;
	leave_two(trial);
	assert_silent(trial);
	assert_int_equal(trial->stand.merge.foreseen, 2);
}

/* The manifest knew of one: notAfter was changed in the table. */
static void
test_leaving_too_many(void **state)
{
	struct trial *trial = *state;

	trial->has_leaving = true;
	trial->leaving = 1;
	leave_two(trial);
	assert_int_equal(trial->stand.merge.foreseen, 1);
	assert_int_equal(trial->status, STATUS_REFUSED);
	stand_said(&trial->stand, SEVERITY_FAULT, GATE_EARLY_REMOVAL,
	    "have 2, want at most 1; the first is serial 02, not_after "
	    "2026-11-22T05:09:47Z");
}

/* Without a manifest of the published CRL the floors are what is left. */
static void
test_leaving_unknown(void **state)
{
	struct trial *trial = *state;

	trial->leaving = 2;
	leave_two(trial);
	assert_silent(trial);
	assert_serials(trial, SERIALS(1));
	assert_int_equal(trial->stand.merge.foreseen, 0);
}

static void
test_leaving_none(void **state)
{
	struct trial *trial = *state;

	trial->has_leaving = true;
	leave_two(trial);
	assert_int_equal(trial->status, STATUS_REFUSED);
}

static void
test_leaving_let_pass(void **state)
{
	struct trial *trial = *state;

	trial->has_leaving = true;
	stand_pass(&trial->stand, "no-early-removal:7");
	leave_two(trial);
	assert_int_equal(trial->status, STATUS_OK);
	stand_said(&trial->stand, SEVERITY_WARNING, GATE_EARLY_REMOVAL,
	    "have 2, want at most 0");
	assert_serials(trial, SERIALS(1));
}

struct change_row {
	enum gate_change kind;
	struct row row;
};

static void
assert_changes(
    const struct trial *trial, const struct change_row *want, size_t n)
{
	assert_int_equal(trial->changes.count, n);
	for (size_t i = 0; i < n; i++) {
		struct row row = want[i].row;

		row.spare = (uint8_t)want[i].kind;
		assert_memory_equal(&trial->changes.row[i], &row, sizeof(row));
	}
}

/* In order of serial, as listed and as the row has it. */
static void
list_changes(struct trial *trial, bool is_sorted)
{
	if (is_sorted)
		trial_list(trial, 1, BEFORE, 9);
	trial_list(trial, 3, BEFORE, 4);
	trial_list(trial, 4, BEFORE, 4);
	trial_list(trial, 5, BEFORE, 4);
	trial_list(trial, 9, BEFORE, 5);
	if (!is_sorted)
		trial_list(trial, 1, BEFORE, 9);
	trial_row(trial, 2, T, 4, VALID);
	trial_row(trial, 3, BEFORE + 1, 5, EXPIRED);
	trial_row(trial, 4, BEFORE, 4, VALID);
	trial_row(trial, 5, BEFORE - 1, 1, VALID);
	trial_row(trial, 6, BEFORE, 4, EXPIRED);
	trial_row(trial, 9, BEFORE, 3, VALID);
	trial_run(trial);
	assert_changes(trial,
	    (const struct change_row[]){
		{GATE_LOST, stand_row(1, BEFORE, 9, UTC_MIN_SEC)},
		{GATE_ADDED, stand_row(2, T, 4, VALID)},
		{GATE_REMOVED, stand_row(3, BEFORE, 4, EXPIRED)},
		{GATE_CHANGED_FROM, stand_row(5, BEFORE, 4, VALID)},
		{GATE_CHANGED_TO, stand_row(5, BEFORE - 1, 1, VALID)},
		{GATE_CHANGED_FROM, stand_row(9, BEFORE, 5, VALID)},
		{GATE_CHANGED_TO, stand_row(9, BEFORE, 3, VALID)},
	    },
	    7);
}

static void
test_changes_refused(void **state)
{
	struct trial *trial = *state;

	list_changes(trial, true);
	assert_int_equal(trial->status, STATUS_REFUSED);
}

/* That it is not sorted is known at its end, when all has been compared: of
 * that nothing stays, and nothing is told twice. */
static void
test_changes_unsorted(void **state)
{
	struct trial *trial = *state;

	list_changes(trial, false);
	assert_int_equal(trial->status, STATUS_REFUSED);
	assert_merge(trial, MERGE(1, 1, 3, 1, 2, 1));
	assert_int_equal(
	    stand_count(&trial->stand, SEVERITY_FAULT, GATE_CHANGE), 1);
	assert_int_equal(
	    stand_count(&trial->stand, SEVERITY_FAULT, GATE_EARLY_REMOVAL), 1);
}

static void
test_changes_let_pass(void **state)
{
	struct trial *trial = *state;

	stand_pass(&trial->stand, "change:7");
	stand_pass(&trial->stand, "no-early-removal:7");
	list_changes(trial, true);
	assert_int_equal(trial->status, STATUS_OK);
	/* Marks of changes stay out of what is to be listed. */
	assert_serials(trial, SERIALS(2, 4, 5, 9));
}

/* More than are made room for at first; and nobody need want them. */
static void
test_many_changes(void **state)
{
	enum { N = 1000 };
	struct trial *trial = *state;
	struct row *rows = calloc(N, sizeof(*rows));
	struct gate_published against = {.this_update_sec = T + 60};
	struct published published;
	size_t count = 0;

	assert_non_null(rows);
	published_make(&published, NULL, 0, T);
	against.crl = &published.crl;
	for (size_t i = 0; i < N; i++)
		rows[i] = stand_row(i + 1, T + 1, 4, VALID);
	assert_int_equal(gate_merge(&trial->stand.place, rows, N, &against,
			     &count, &trial->stand.merge, NULL),
	    STATUS_OK);
	assert_int_equal(gate_merge(&trial->stand.place, rows, N, &against,
			     &count, &trial->stand.merge, &trial->changes),
	    STATUS_OK);
	assert_int_equal(trial->changes.count, N);
	for (size_t i = 0; i < N; i++) {
		struct row row = rows[i];

		row.spare = GATE_ADDED;
		assert_memory_equal(&trial->changes.row[i], &row, sizeof(row));
	}
	free(rows);
	published_free(&published);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    trial_test(test_recorded_before),
	    trial_test(test_recorded_at),
	    trial_test(test_recorded_since),
	    trial_test(test_recorded_twice),
	    trial_test(test_recorded_since_the_crl_before),
	    trial_test(test_unsettled),
	    trial_test(test_recorded_and_listed),
	    trial_test(test_recorded_from_the_future),
	    trial_test(test_leaving_counted),
	    trial_test(test_first),
	    trial_test(test_leaving_as_known),
	    trial_test(test_leaving_fewer),
	    trial_test(test_leaving_too_many),
	    trial_test(test_leaving_unknown),
	    trial_test(test_leaving_none),
	    trial_test(test_leaving_let_pass),
	    trial_test(test_changes_refused),
	    trial_test(test_changes_unsorted),
	    trial_test(test_changes_let_pass),
	    trial_test(test_many_changes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
