/* SPDX-License-Identifier: ISC */
/*
 * For the tests of gate_merge: one merge, what goes into it and what is to
 * come out. Include cmocka.h first.
 */
#ifndef CRLPRESS_GATE_TRIAL_H
#define CRLPRESS_GATE_TRIAL_H

#include "gate_stand.h"

/* thisUpdate of the published CRL, 2026-11-22T05:09:49Z. */
#define T 1795324189LL
#define DAY 86400LL

#define BEFORE (T - 30 * DAY) /* revoked long ago */
#define VALID (T + 60 * DAY)  /* expires in the future */
#define EXPIRED (T - 1)

#define ROWS_MOST 16

/* A merge; the rows are left as gate_merge leaves them. */
struct trial {
	struct stand stand;
	struct row listed[ROWS_MOST];
	size_t listed_count;
	struct row row[ROWS_MOST];
	size_t row_count;
	struct row recorded[ROWS_MOST];
	size_t recorded_count;
	bool is_unsettled;
	int64_t settled_sec; /* T unless set */
	bool has_leaving;
	uint64_t leaving; /* of the published CRL, as the manifest has it */
	bool has_expiring;
	struct expiring expiring;
	int64_t expiring_sec;
	uint64_t expiring_entries;
	int64_t now_sec; /* of the run */
	struct gate_changes changes;
	size_t count;
	enum status status;
};

static inline void
trial_list(struct trial *trial, uint64_t serial, int64_t revoked_at_sec,
    uint8_t reason)
{
	assert_true(trial->listed_count < ROWS_MOST);
	trial->listed[trial->listed_count++] =
	    stand_row(serial, revoked_at_sec, reason, UTC_MIN_SEC);
}

static inline void
trial_row(struct trial *trial, uint64_t serial, int64_t revoked_at_sec,
    uint8_t reason, int64_t not_after_sec)
{
	assert_true(trial->row_count < ROWS_MOST);
	trial->row[trial->row_count++] =
	    stand_row(serial, revoked_at_sec, reason, not_after_sec);
}

static inline void
trial_recorded(struct trial *trial, uint64_t serial, int64_t recorded_at_sec)
{
	assert_true(trial->recorded_count < ROWS_MOST);
	trial->recorded[trial->recorded_count++] =
	    stand_row(serial, recorded_at_sec, 0, VALID);
}

static inline int
trial_setup(void **state)
{
	struct trial *trial = calloc(1, sizeof(*trial));

	if (trial == NULL)
		return -1;
	stand_make(&trial->stand);
	trial->now_sec = T + 7200;
	trial->settled_sec = T;
	*state = trial;
	return 0;
}

static inline int
trial_teardown(void **state)
{
	struct trial *trial = *state;

	gate_changes_free(&trial->changes);
	stand_free(&trial->stand);
	free(trial);
	return 0;
}

static inline void
trial_merge(struct trial *trial, const struct crl *crl)
{
	struct gate_published published = {
	    .crl = crl,
	    .this_update_sec = trial->now_sec,
	    .recorded = trial->recorded,
	    .recorded_count = trial->recorded_count,
	    .has_settled = !trial->is_unsettled,
	    .settled_sec = trial->settled_sec,
	    .has_leaving = trial->has_leaving,
	    .leaving = trial->leaving,
	    .has_expiring = trial->has_expiring,
	    .expiring = trial->expiring,
	    .expiring_sec = trial->expiring_sec,
	    .expiring_entries = trial->expiring_entries,
	};

	trial->count = 77;
	trial->status = gate_merge(&trial->stand.place, trial->row,
	    trial->row_count, &published, &trial->count, &trial->stand.merge,
	    &trial->changes);
}

static inline void
trial_run(struct trial *trial)
{
	struct published published;

	published_make(&published, trial->listed, trial->listed_count, T);
	trial_merge(trial, &published.crl);
	published_free(&published);
}

/* Exactly these serials are listed now, ended by 0. */
static inline void
assert_serials(const struct trial *trial, const uint64_t *want)
{
	size_t n = 0;

	for (; want[n] != 0; n++) {
		struct uint160 serial = uint160_from_u64(want[n]);

		assert_true(n < trial->count);
		assert_int_equal(
		    uint160_compare(&trial->row[n].serial, &serial), 0);
		assert_int_equal(trial->row[n].spare, 0);
	}
	assert_int_equal(trial->count, n);
}

#define SERIALS(...) ((const uint64_t[]){__VA_ARGS__, 0})
#define NO_SERIALS ((const uint64_t[]){0})

/* added, removed, kept, gone, changed, lost */
static inline void
assert_merge(const struct trial *trial, const uint64_t want[6])
{
	const struct gate_merge *merge = &trial->stand.merge;

	assert_int_equal(merge->added, want[0]);
	assert_int_equal(merge->removed, want[1]);
	assert_int_equal(merge->kept, want[2]);
	assert_int_equal(merge->gone, want[3]);
	assert_int_equal(merge->changed, want[4]);
	assert_int_equal(merge->lost, want[5]);
	assert_int_equal(merge->duplicates, 0);
}

#define MERGE(...) ((const uint64_t[6]){__VA_ARGS__})

static inline void
assert_silent(const struct trial *trial)
{
	assert_int_equal(trial->status, STATUS_OK);
	assert_int_equal(report_kept(trial->stand.place.report), 0);
}

#define trial_test(test) \
	cmocka_unit_test_setup_teardown(test, trial_setup, trial_teardown)

#endif
