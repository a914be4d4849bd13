/* SPDX-License-Identifier: ISC */
/* One row a serial: what is dropped, what contradicts, what stays. */
#include "crlpress/gate.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "../lib/gate_stand.h"

#define DAY 86400
#define WHEN 1795253458
#define END (WHEN + 90 * DAY)

static void
assert_row(const struct row *have, struct row want)
{
	assert_memory_equal(have, &want, sizeof(want));
}

static void
test_nothing(void **state)
{
	struct row row = stand_row(5, WHEN, 1, END);
	struct stand stand;
	size_t count = 77;

	(void)state;
	stand_make(&stand);
	assert_int_equal(
	    gate_unique(&stand.place, NULL, 0, &count, &stand.merge),
	    STATUS_OK);
	assert_int_equal(count, 0);
	assert_int_equal(
	    gate_unique(&stand.place, &row, 1, &count, &stand.merge),
	    STATUS_OK);
	assert_int_equal(count, 1);
	assert_row(&row, stand_row(5, WHEN, 1, END));
	assert_int_equal(stand.merge.duplicates, 0);
	stand_free(&stand);
}

static void
test_identical(void **state)
{
	struct row row[] = {
	    stand_row(1, WHEN, 1, END),
	    stand_row(1, WHEN, 1, END),
	    stand_row(1, WHEN, 1, END),
	    stand_row(2, WHEN, 1, END),
	    stand_row(3, WHEN, 0, END),
	    stand_row(3, WHEN, 0, END),
	};
	struct stand stand;
	size_t count = 0;

	(void)state;
	stand_make(&stand);
	assert_int_equal(
	    gate_unique(&stand.place, row, 6, &count, &stand.merge), STATUS_OK);
	assert_int_equal(count, 3);
	assert_row(&row[0], stand_row(1, WHEN, 1, END));
	assert_row(&row[1], stand_row(2, WHEN, 1, END));
	assert_row(&row[2], stand_row(3, WHEN, 0, END));
	assert_int_equal(stand.merge.duplicates, 3);
	assert_int_equal(report_kept(stand.place.report), 0);
	stand_free(&stand);
}

/* Two rows of one serial, and what is left when they are let pass. */
struct pair {
	const char *name;
	int64_t revoked_at[2];
	int64_t not_after[2];
	uint8_t reason[2];
	int64_t want_revoked_at;
	int64_t want_not_after;
	uint8_t want_reason;
};

static const struct pair pairs[] = {
    {"date", {WHEN, WHEN + 1}, {END, END}, {4, 4}, WHEN, END, 4},
    {"reason", {WHEN, WHEN}, {END, END}, {4, 5}, WHEN, END, 4},
    {"compromise says more", {WHEN, WHEN}, {END, END}, {4, 1}, WHEN, END, 1},
    {"earlier than compromise", {WHEN, WHEN + 1}, {END, END}, {4, 1}, WHEN, END,
	4},
    {"earlier compromise", {WHEN + 1, WHEN}, {END, END}, {4, 1}, WHEN, END, 1},
    /* An entry must not leave while one row says it is still valid. */
    {"expiry", {WHEN, WHEN}, {END, END + DAY}, {4, 4}, WHEN, END + DAY, 4},
    {"expiry of the later", {WHEN, WHEN + 1}, {END, END + DAY}, {4, 4}, WHEN,
	END + DAY, 4},
    {"expiry of the earlier", {WHEN, WHEN + 1}, {END + DAY, END}, {4, 1}, WHEN,
	END + DAY, 4},
};

static void
pair_check(const struct pair *pair, bool swapped, bool let_pass)
{
	struct row row[3];
	struct stand stand;
	size_t count = 0;
	enum status status;

	stand_make(&stand);
	if (let_pass)
		stand_pass(&stand, "duplicate:7");
	for (unsigned i = 0; i < 2; i++)
		row[swapped ? 1 - i : i] = stand_row(9, pair->revoked_at[i],
		    pair->reason[i], pair->not_after[i]);
	row[2] = stand_row(10, WHEN, 0, END);
	status = gate_unique(&stand.place, row, 3, &count, &stand.merge);
	if (status != (let_pass ? STATUS_OK : STATUS_REFUSED))
		fail_msg("%s: status %d", pair->name, (int)status);
	stand_said(&stand, let_pass ? SEVERITY_WARNING : SEVERITY_FAULT,
	    GATE_DUPLICATE, "serial 09 has contradicting rows");
	assert_int_equal(count, 2);
	assert_int_equal(stand.merge.duplicates, 1);
	/* Of equal rank the first one stays: only that reason may differ. */
	if (!swapped || pair->revoked_at[0] != pair->revoked_at[1] ||
	    pair->want_reason == 1)
		assert_int_equal(row[0].reason, pair->want_reason);
	assert_int_equal(row_revoked_at(&row[0]), pair->want_revoked_at);
	assert_int_equal(row_not_after(&row[0]), pair->want_not_after);
	assert_row(&row[1], stand_row(10, WHEN, 0, END));
	stand_free(&stand);
}

static void
test_contradicting(void **state)
{
	(void)state;
	for (size_t i = 0; i < 4 * sizeof(pairs) / sizeof(pairs[0]); i++)
		pair_check(&pairs[i / 4], i % 4 >= 2, i % 2 == 1);
}

static void
test_texts(void **state)
{
	struct row row[] = {
	    stand_row(0xab12, WHEN, 4, END),
	    stand_row(0xab12, WHEN + 1, 1, END + 1),
	};
	struct stand stand;
	size_t count = 0;

	(void)state;
	stand_make(&stand);
	stand_pass(&stand, "duplicate:8");
	assert_int_equal(
	    gate_unique(&stand.place, row, 2, &count, &stand.merge),
	    STATUS_REFUSED);
	stand_said(&stand, SEVERITY_FAULT, GATE_DUPLICATE,
	    "serial ab12 has contradicting rows, have 2026-11-21T09:30:58Z "
	    "reason 4 expiring 2027-02-19T09:30:58Z and 2026-11-21T09:30:59Z "
	    "reason 1 expiring 2027-02-19T09:30:59Z, want one");
	stand_free(&stand);
}

/* Every contradiction is said, also behind one that was refused. */
static void
test_all_said(void **state)
{
	struct row row[] = {
	    stand_row(1, WHEN, 4, END),
	    stand_row(1, WHEN, 5, END),
	    stand_row(1, WHEN, 3, END),
	    stand_row(2, WHEN, 4, END),
	    stand_row(2, WHEN, 4, END),
	    stand_row(3, WHEN, 4, END),
	    stand_row(3, WHEN, 9, END),
	};
	struct stand stand;
	size_t count = 0;

	(void)state;
	stand_make(&stand);
	assert_int_equal(
	    gate_unique(&stand.place, row, 7, &count, &stand.merge),
	    STATUS_REFUSED);
	assert_int_equal(
	    stand_count(&stand, SEVERITY_FAULT, GATE_DUPLICATE), 3);
	assert_int_equal(count, 3);
	assert_int_equal(stand.merge.duplicates, 4);
	stand_free(&stand);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_nothing),
	    cmocka_unit_test(test_identical),
	    cmocka_unit_test(test_contradicting),
	    cmocka_unit_test(test_texts),
	    cmocka_unit_test(test_all_said),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
