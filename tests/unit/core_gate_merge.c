/* SPDX-License-Identifier: ISC */
/*
 * Rows against the published CRL: what is added, kept, removed, gone and
 * lost, to the second; changes; published CRLs that nobody should have made.
 * The law: a revoked certificate never silently disappears.
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

static void
test_nothing(void **state)
{
	struct trial *trial = *state;

	trial_run(trial);
	assert_silent(trial);
	assert_serials(trial, NO_SERIALS);
	assert_merge(trial, MERGE(0, 0, 0, 0, 0, 0));
}

static void
test_all_kinds(void **state)
{
	struct trial *trial = *state;

	trial_list(trial, 10, BEFORE, 4);
	trial_list(trial, 20, BEFORE, 0);
	trial_list(trial, 30, BEFORE, 4);
	trial_list(trial, 60, BEFORE, 9);
	trial_row(trial, 5, BEFORE, 1, VALID);
	trial_row(trial, 10, BEFORE, 4, VALID);
	trial_row(trial, 20, BEFORE, 0, EXPIRED);
	trial_row(trial, 25, BEFORE, 0, EXPIRED);
	trial_row(trial, 30, BEFORE - DAY, 1, VALID);
	trial_row(trial, 60, BEFORE, 9, VALID);
	trial_row(trial, 70, T + 5, 3, VALID);
	trial_run(trial);
	assert_silent(trial);
	assert_serials(trial, SERIALS(5, 10, 30, 60, 70));
	assert_merge(trial, MERGE(2, 1, 3, 1, 1, 0));
	/* What is listed is what the row says. */
	assert_int_equal(trial->row[2].reason, 1);
	assert_int_equal(row_revoked_at(&trial->row[2]), BEFORE - DAY);
}

/*
 * RFC 5280, 3.3: listed on a CRL issued beyond the validity period. That ends
 * with the second of notAfter, which still belongs to it.
 */
static void
test_retention(void **state)
{
	struct trial *trial = *state;

	trial_list(trial, 1, BEFORE, 4);
	trial_list(trial, 2, BEFORE, 4);
	trial_list(trial, 3, BEFORE, 4);
	trial_row(trial, 1, BEFORE, 4, T - 1);
	trial_row(trial, 2, BEFORE, 4, T);
	trial_row(trial, 3, BEFORE, 4, T + 1);
	trial_run(trial);
	assert_silent(trial);
	assert_serials(trial, SERIALS(2, 3));
	assert_merge(trial, MERGE(0, 1, 2, 0, 0, 0));
}

/*
 * A published CRL from the future, made by a clock that was wrong and let
 * pass by `--pass time-up`: it is no proof that what is valid now expired.
 */
static void
test_from_the_future(void **state)
{
	struct trial *trial = *state;

	trial->now_sec = T - 10 * DAY;
	trial_list(trial, 1, BEFORE, 4);
	trial_list(trial, 2, BEFORE, 4);
	trial_list(trial, 3, BEFORE, 4);
	trial_row(trial, 1, BEFORE, 4, T - 10 * DAY - 1);
	trial_row(trial, 2, BEFORE, 4, T - 10 * DAY);
	trial_row(trial, 3, BEFORE, 4, T - 1);
	trial_row(trial, 4, BEFORE, 4, T - 1);
	trial_run(trial);
	assert_silent(trial);
	assert_serials(trial, SERIALS(2, 3, 4));
	assert_merge(trial, MERGE(1, 1, 2, 0, 0, 0));
}

/* Never listed, and revoked and expired before: it was listed and removed. */
static void
test_no_flapping(void **state)
{
	struct trial *trial = *state;

	trial_row(trial, 1, BEFORE, 4, T - 1);
	trial_row(trial, 2, BEFORE, 4, T);
	trial_row(trial, 3, T - 1, 4, T - 1);
	trial_row(trial, 4, T - 1, 4, T);
	trial_run(trial);
	assert_silent(trial);
	assert_serials(trial, SERIALS(2, 4));
	assert_merge(trial, MERGE(2, 0, 0, 2, 0, 0));
}

/* Revoked when it had expired already: on one CRL, then no more. */
static void
test_late_revocation(void **state)
{
	struct trial *trial = *state;
	struct published next;

	trial_row(trial, 1, T - 1, 4, T - DAY);
	trial_row(trial, 2, T, 4, T - DAY);
	trial_row(trial, 3, T + 1, 4, T - DAY);
	trial_run(trial);
	assert_silent(trial);
	assert_serials(trial, SERIALS(2, 3));
	assert_merge(trial, MERGE(2, 0, 0, 1, 0, 0));
	/* That is published, an hour later; then all rows come again. */
	published_make(&next, trial->row, trial->count, T + 3600);
	trial->row_count = 0;
	trial_row(trial, 1, T - 1, 4, T - DAY);
	trial_row(trial, 2, T, 4, T - DAY);
	trial_row(trial, 3, T + 1, 4, T - DAY);
	memset(&trial->stand.merge, 0, sizeof(trial->stand.merge));
	trial_merge(trial, &next.crl);
	assert_silent(trial);
	assert_serials(trial, NO_SERIALS);
	assert_merge(trial, MERGE(0, 2, 0, 1, 0, 0));
	published_free(&next);
}

struct change {
	uint8_t listed_reason;
	int64_t listed_at;
	uint8_t reason;
	int64_t revoked_at;
	bool legal;
};

/* BR 7.2.2: to keyCompromise, and then to an earlier date. */
static const struct change changes[] = {
    {0, BEFORE, 1, BEFORE, true},
    {4, BEFORE, 1, BEFORE, true},
    {4, BEFORE, 1, BEFORE - 1, true},
    {1, BEFORE, 1, BEFORE - 1, true},
    {9, BEFORE, 1, UTC_MIN_SEC, true},
    {4, BEFORE, 1, BEFORE + 1, false},
    {1, BEFORE, 1, BEFORE + 1, false},
    {1, BEFORE, 4, BEFORE, false},
    {1, BEFORE, 0, BEFORE, false},
    {4, BEFORE, 5, BEFORE, false},
    {4, BEFORE, 0, BEFORE, false},
    {0, BEFORE, 4, BEFORE, false},
    {4, BEFORE, 4, BEFORE - 1, false},
    {4, BEFORE, 4, BEFORE + 1, false},
    {0, BEFORE, 0, BEFORE - 1, false},
    {4, BEFORE, 2, BEFORE - 1, false},
};

static void
change_check(const struct change *change, bool let_pass)
{
	void *state = NULL;
	struct trial *trial;
	bool fine = change->legal || let_pass;

	assert_int_equal(trial_setup(&state), 0);
	trial = state;
	if (let_pass)
		stand_pass(&trial->stand, "change:7");
	trial_list(trial, 1, BEFORE, 3);
	trial_list(trial, 2, change->listed_at, change->listed_reason);
	trial_row(trial, 1, BEFORE, 3, VALID);
	trial_row(trial, 2, change->revoked_at, change->reason, VALID);
	trial_run(trial);
	assert_int_equal(trial->status, fine ? STATUS_OK : STATUS_REFUSED);
	assert_serials(trial, SERIALS(1, 2));
	assert_merge(trial, MERGE(0, 0, 2, 0, 1, 0));
	if (change->legal)
		assert_silent(trial);
	else
		stand_said(&trial->stand,
		    let_pass ? SEVERITY_WARNING : SEVERITY_FAULT, GATE_CHANGE,
		    "serial 02 changed");
	assert_int_equal(trial_teardown(&state), 0);
}

static void
test_changes(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(changes) / sizeof(changes[0]); i++) {
		change_check(&changes[i], false);
		change_check(&changes[i], true);
	}
}

static void
test_change_text(void **state)
{
	struct trial *trial = *state;

	trial_list(trial, 0xab, T - 60, 4);
	trial_row(trial, 0xab, T - 59, 5, VALID);
	trial_run(trial);
	assert_int_equal(trial->status, STATUS_REFUSED);
	stand_said(&trial->stand, SEVERITY_FAULT, GATE_CHANGE,
	    "serial ab changed, have 2026-11-22T05:08:50Z reason 5, want "
	    "2026-11-22T05:08:49Z reason 4 as published");
}

/* A whole table moved by an hour is one line, and the first serial of it. */
static void
test_changes_counted(void **state)
{
	struct trial *trial = *state;

	for (uint64_t i = 1; i <= 5; i++) {
		trial_list(trial, i, BEFORE, 4);
		trial_row(trial, i, BEFORE + (i > 1 ? 3600 : 0), 4, VALID);
	}
	trial_run(trial);
	assert_int_equal(trial->status, STATUS_REFUSED);
	assert_merge(trial, MERGE(0, 0, 5, 0, 4, 0));
	stand_said(&trial->stand, SEVERITY_FAULT, GATE_CHANGE,
	    "4 of 5 published entries changed; the first: serial 02 changed, "
	    "have 2026-10-23T06:09:49Z reason 4, want 2026-10-23T05:09:49Z "
	    "reason 4 as published");
}

/* One that leaves anyway may have been changed before. */
static void
test_change_of_removed(void **state)
{
	struct trial *trial = *state;

	trial_list(trial, 1, BEFORE, 4);
	trial_row(trial, 1, BEFORE + 5, 5, EXPIRED);
	trial_run(trial);
	assert_silent(trial);
	assert_serials(trial, NO_SERIALS);
	assert_merge(trial, MERGE(0, 1, 0, 0, 0, 0));
}

static void
list_with_lost(struct trial *trial)
{
	trial_list(trial, 1, BEFORE, 4);
	trial_list(trial, 2, BEFORE, 4);
	trial_list(trial, 3, T - 60, 4);
	trial_row(trial, 2, BEFORE, 4, VALID);
}

/* The law: a listed entry without a row, first, last, or all of them. */
static void
test_lost(void **state)
{
	struct trial *trial = *state;

	list_with_lost(trial);
	stand_pass(&trial->stand, "no-early-removal:8");
	stand_pass(&trial->stand, "change:7");
	trial_run(trial);
	assert_int_equal(trial->status, STATUS_REFUSED);
	assert_merge(trial, MERGE(0, 0, 1, 0, 0, 2));
	stand_said(&trial->stand, SEVERITY_FAULT, GATE_EARLY_REMOVAL,
	    "2 of 3 published entries have no row: nothing proves that their "
	    "certificates expired; the first is serial 01, revoked "
	    "2026-10-23T05:09:49Z");
}

static void
test_lost_one(void **state)
{
	struct trial *trial = *state;

	trial_list(trial, 3, T - 60, 4);
	trial_run(trial);
	assert_int_equal(trial->status, STATUS_REFUSED);
	stand_said(&trial->stand, SEVERITY_FAULT, GATE_EARLY_REMOVAL,
	    "serial 03, revoked 2026-11-22T05:08:49Z, is published but has no "
	    "row");
}

static void
test_lost_all(void **state)
{
	struct trial *trial = *state;

	trial_list(trial, 1, BEFORE, 4);
	trial_run(trial);
	assert_int_equal(trial->status, STATUS_REFUSED);
	assert_merge(trial, MERGE(0, 0, 0, 0, 0, 1));
}

static void
test_lost_let_pass(void **state)
{
	struct trial *trial = *state;

	list_with_lost(trial);
	stand_pass(&trial->stand, "no-early-removal:7");
	trial_run(trial);
	assert_int_equal(trial->status, STATUS_OK);
	assert_serials(trial, SERIALS(2));
	assert_merge(trial, MERGE(0, 0, 1, 0, 0, 2));
	stand_said(&trial->stand, SEVERITY_WARNING, GATE_EARLY_REMOVAL,
	    "let pass by --pass: 2 of 3 published entries have no row");
	assert_true(trial->stand.passes.pass[0].used);
}

/* One gate let pass does not open the other. */
static void
test_two_gates(void **state)
{
	struct trial *trial = *state;

	trial_list(trial, 1, BEFORE, 4);
	trial_list(trial, 2, BEFORE, 4);
	trial_list(trial, 3, BEFORE, 4);
	trial_row(trial, 1, BEFORE, 5, VALID);
	trial_row(trial, 3, BEFORE, 4, VALID);
	stand_pass(&trial->stand, "no-early-removal:7");
	trial_run(trial);
	assert_int_equal(trial->status, STATUS_REFUSED);
	assert_int_equal(
	    stand_count(&trial->stand, SEVERITY_FAULT, GATE_CHANGE), 1);
	assert_int_equal(
	    stand_count(&trial->stand, SEVERITY_WARNING, GATE_EARLY_REMOVAL),
	    1);
}

/* Foreign CRLs need not be sorted, and may list an entry twice. */
static void
test_unsorted(void **state)
{
	struct trial *trial = *state;

	trial_list(trial, 40, BEFORE, 4);
	trial_list(trial, 10, BEFORE, 0);
	trial_list(trial, 30, BEFORE, 5);
	trial_list(trial, 20, BEFORE, 9);
	trial_row(trial, 10, BEFORE, 0, VALID);
	trial_row(trial, 20, BEFORE, 9, EXPIRED);
	trial_row(trial, 25, T + 1, 9, VALID);
	trial_row(trial, 30, BEFORE, 1, VALID);
	trial_row(trial, 40, BEFORE, 4, VALID);
	trial_run(trial);
	assert_silent(trial);
	assert_serials(trial, SERIALS(10, 25, 30, 40));
	assert_merge(trial, MERGE(1, 1, 3, 0, 1, 0));
}

static void
test_unsorted_lost(void **state)
{
	struct trial *trial = *state;

	trial_list(trial, 40, BEFORE, 4);
	trial_list(trial, 10, BEFORE, 0);
	trial_row(trial, 40, BEFORE, 4, VALID);
	trial_run(trial);
	assert_int_equal(trial->status, STATUS_REFUSED);
	assert_merge(trial, MERGE(0, 0, 1, 0, 0, 1));
}

static void
test_listed_twice(void **state)
{
	struct trial *trial = *state;

	trial_list(trial, 10, BEFORE, 4);
	trial_list(trial, 10, BEFORE, 4);
	trial_list(trial, 20, BEFORE, 4);
	trial_list(trial, 30, BEFORE, 4);
	trial_list(trial, 30, BEFORE, 4);
	trial_list(trial, 30, BEFORE, 4);
	trial_row(trial, 10, BEFORE, 4, VALID);
	trial_row(trial, 20, BEFORE, 4, VALID);
	trial_row(trial, 30, BEFORE, 4, VALID);
	trial_run(trial);
	assert_silent(trial);
	assert_serials(trial, SERIALS(10, 20, 30));
	assert_merge(trial, MERGE(0, 0, 3, 0, 0, 0));
}

static void
test_listed_twice_apart(void **state)
{
	struct trial *trial = *state;

	trial_list(trial, 10, BEFORE, 4);
	trial_list(trial, 20, BEFORE, 4);
	trial_list(trial, 10, BEFORE, 4);
	trial_list(trial, 20, BEFORE, 4);
	trial_row(trial, 20, BEFORE, 4, VALID);
	trial_run(trial);
	assert_int_equal(trial->status, STATUS_REFUSED);
	assert_merge(trial, MERGE(0, 0, 1, 0, 0, 1));
}

/* RFC 5280, 4.1.2.2: zero, and 21 octets; each with sorted and unsorted. */
static void
out_of_range(struct trial *trial, bool zero, bool unsorted, bool let_pass)
{
	struct row bad = stand_row(0, BEFORE, 4, UTC_MIN_SEC);

	if (!zero)
		memset(&bad.serial, 0xff, sizeof(bad.serial));
	trial->listed[trial->listed_count++] = bad;
	trial_list(trial, unsorted ? 50 : 10, BEFORE, 4);
	trial_list(trial, unsorted ? 10 : 50, BEFORE, 4);
	trial_row(trial, 10, BEFORE, 4, VALID);
	trial_row(trial, 50, BEFORE, 4, VALID);
	if (let_pass)
		stand_pass(&trial->stand, "previous-readable:7");
	trial_run(trial);
	stand_said(&trial->stand, let_pass ? SEVERITY_WARNING : SEVERITY_FAULT,
	    GATE_PREVIOUS, "serial out of range");
	assert_int_equal(trial->status, let_pass ? STATUS_OK : STATUS_REFUSED);
	if (!let_pass)
		return;
	assert_serials(trial, SERIALS(10, 50));
	assert_merge(trial, MERGE(0, 0, 2, 0, 0, 0));
}

static void
test_out_of_range(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 8; i++) {
		void *own = NULL;

		assert_int_equal(trial_setup(&own), 0);
		out_of_range(own, i & 1, i & 2, i & 4);
		assert_int_equal(trial_teardown(&own), 0);
	}
}

/* An entry that is no DER: what stands behind it cannot be known. */
static void
unreadable(struct trial *trial, bool unsorted, bool let_pass)
{
	struct published published;
	uint8_t *at;

	trial_list(trial, unsorted ? 30 : 10, BEFORE, 4);
	trial_list(trial, unsorted ? 10 : 30, BEFORE, 4);
	trial_list(trial, 60, BEFORE, 4);
	trial_row(trial, 10, BEFORE, 4, VALID);
	trial_row(trial, 30, BEFORE, 4, VALID);
	trial_row(trial, 60, BEFORE, 4, VALID);
	if (let_pass)
		stand_pass(&trial->stand, "previous-readable:7");
	published_make(&published, trial->listed, trial->listed_count, T);
	/* The last entry has 34 octets; its serial becomes an empty one. */
	at = published.bytes + (published.crl.entries.data - published.bytes) +
	     published.crl.entries.len - 34;
	assert_int_equal(at[4], 60);
	at[2] = 0x05;
	trial_merge(trial, &published.crl);
	published_free(&published);
	assert_int_equal(trial->status, let_pass ? STATUS_OK : STATUS_REFUSED);
	stand_said(&trial->stand, let_pass ? SEVERITY_WARNING : SEVERITY_FAULT,
	    GATE_PREVIOUS,
	    ": only the 2 entries before it can be compared, and none behind "
	    "it");
	if (!let_pass)
		return;
	assert_serials(trial, SERIALS(10, 30, 60));
	assert_merge(trial, MERGE(1, 0, 2, 0, 0, 0));
}

static void
test_unreadable(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 4; i++) {
		void *own = NULL;

		assert_int_equal(trial_setup(&own), 0);
		unreadable(own, i & 1, i & 2);
		assert_int_equal(trial_teardown(&own), 0);
	}
}

/* What expired and would stand behind the damage may have stood there. */
static void
test_unreadable_and_expired(void **state)
{
	struct trial *trial = *state;
	struct published published;
	uint8_t *at;

	trial_list(trial, 10, BEFORE, 4);
	trial_list(trial, 60, BEFORE, 4);
	trial_row(trial, 5, BEFORE, 4, EXPIRED);
	trial_row(trial, 10, BEFORE, 4, VALID);
	trial_row(trial, 60, BEFORE, 4, EXPIRED);
	trial_row(trial, 70, BEFORE, 4, EXPIRED);
	stand_pass(&trial->stand, "previous-readable:7");
	published_make(&published, trial->listed, trial->listed_count, T);
	at = published.bytes + (published.crl.entries.data - published.bytes) +
	     published.crl.entries.len - 34;
	at[2] = 0x05;
	trial_merge(trial, &published.crl);
	published_free(&published);
	assert_int_equal(trial->status, STATUS_OK);
	assert_serials(trial, SERIALS(10, 60, 70));
	assert_int_equal(trial->stand.merge.unsettled, 2);
	assert_merge(trial, MERGE(2, 0, 1, 1, 0, 0));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    trial_test(test_nothing),
	    trial_test(test_all_kinds),
	    trial_test(test_retention),
	    trial_test(test_from_the_future),
	    trial_test(test_no_flapping),
	    trial_test(test_late_revocation),
	    cmocka_unit_test(test_changes),
	    trial_test(test_change_text),
	    trial_test(test_changes_counted),
	    trial_test(test_change_of_removed),
	    trial_test(test_lost),
	    trial_test(test_lost_one),
	    trial_test(test_lost_all),
	    trial_test(test_lost_let_pass),
	    trial_test(test_two_gates),
	    trial_test(test_unsorted),
	    trial_test(test_unsorted_lost),
	    trial_test(test_listed_twice),
	    trial_test(test_listed_twice_apart),
	    cmocka_unit_test(test_out_of_range),
	    cmocka_unit_test(test_unreadable),
	    trial_test(test_unreadable_and_expired),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
