/* SPDX-License-Identifier: ISC */
/*
 * gate_merge against a model that is too slow for anything else: it compares
 * each row with each entry. Rows and published CRLs are random, and small, so
 * that all that can happen to a serial happens often.
 */
#include "crlpress/gate.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../lib/gate_stand.h"

#define T 1795324189LL
#define NOW (T + 1) /* of the run: some that stay have expired by then */
#define TRIALS 20000
#define SERIALS 12
#define LISTED_MOST 16

static uint64_t
random_below(uint64_t *seed, uint64_t n)
{
	*seed = *seed * 6364136223846793005U + 1442695040888963407U;
	return (*seed >> 33) % n;
}

/* Two seconds around T, so that each comparison is often just met. */
static int64_t
random_date(uint64_t *seed)
{
	return T - 2 + (int64_t)random_below(seed, 5);
}

static uint8_t
random_reason(uint64_t *seed)
{
	static const uint8_t reason[] = {0, 1, 4};

	return reason[random_below(seed, 3)];
}

struct model {
	struct row listed[LISTED_MOST];
	size_t listed_count;
	struct row row[SERIALS];
	size_t row_count;
	struct row recorded[SERIALS];
	size_t recorded_count;
	bool has_settled;
	int64_t settled_sec;
	bool has_leaving;
	uint64_t leaving;
	bool has_expiring;
	struct expiring expiring;
	int64_t expiring_sec;
	uint64_t expiring_entries;

	/* What has to come out. */
	struct gate_merge merge;
	struct row stays[SERIALS];
	size_t stay_count;
	uint64_t changes;
	uint64_t early;
	uint64_t excess; /* more leave than may, or expire than known: 1 */
};

/* The first of `n` with this serial, or NULL. */
static const struct row *
find(const struct row *rows, size_t n, const struct uint160 *serial)
{
	for (size_t i = 0; i < n; i++)
		if (uint160_compare(&rows[i].serial, serial) == 0)
			return &rows[i];
	return NULL;
}

/* Of the entries that have a row, or nearly. */
static void
model_fill_sum(struct model *model, uint64_t *seed)
{
	for (size_t i = 0; i < model->row_count; i++)
		if (find(model->listed, model->listed_count,
			&model->row[i].serial) != NULL)
			expiring_add(
			    &model->expiring, row_not_after(&model->row[i]));
	model->expiring.sum += random_below(seed, 3) - 1;
}

static void
model_fill(struct model *model, uint64_t *seed)
{
	bool same = random_below(seed, 2);
	bool sorted = random_below(seed, 2);

	memset(model, 0, sizeof(*model));
	for (uint64_t serial = 1; serial <= SERIALS; serial++)
		if (random_below(seed, 4) > 0)
			model->row[model->row_count++] =
			    stand_row(serial, random_date(seed),
				random_reason(seed), random_date(seed));
	for (uint64_t serial = 1; serial <= SERIALS; serial++)
		if (random_below(seed, 4) == 0)
			model->recorded[model->recorded_count++] =
			    stand_row(serial, random_date(seed), 0, T);
	model->has_settled = random_below(seed, 4) > 0;
	model->settled_sec = random_date(seed);
	model->has_leaving = random_below(seed, 2);
	model->leaving = random_below(seed, 4);
	/* One of the steps is about T. */
	model->has_expiring = random_below(seed, 2);
	model->expiring_sec =
	    random_date(seed) - expiring_step_sec(random_below(seed, 3));
	model->expiring_entries = random_below(seed, LISTED_MOST);
	for (size_t i = 0; i < EXPIRING_STEPS; i++)
		model->expiring.by[i] = random_below(seed, 2);
	model->expiring.by[0] += random_below(seed, 4);
	expiring_pile(&model->expiring);
	model->expiring.has_sum = random_below(seed, 2);
	model->listed_count = random_below(seed, LISTED_MOST + 1);
	for (size_t i = 0; i < model->listed_count; i++) {
		uint64_t serial = sorted ? 1 + i * SERIALS / LISTED_MOST
					 : 1 + random_below(seed, SERIALS);

		model->listed[i] = stand_row(serial, random_date(seed),
		    random_reason(seed), UTC_MIN_SEC);
		/* Mostly nothing changes, or every merge were refused. */
		for (size_t j = 0; same && j < model->row_count; j++)
			if (uint160_compare(&model->row[j].serial,
				&model->listed[i].serial) == 0)
				model->listed[i] = model->row[j];
	}
	model_fill_sum(model, seed);
}

static void
model_kept(struct model *model, const struct row *row, const struct row *entry)
{
	bool other_reason = row->reason != entry->reason;
	int64_t moved = row_revoked_at(row) - row_revoked_at(entry);

	model->merge.kept++;
	if (!other_reason && moved == 0)
		return;
	model->merge.changed++;
	if (row->reason != 1 || moved > 0)
		model->changes++;
}

/* The entries as they are read: a CRL that is not sorted is, by content too. */
static void
model_read(const struct model *model, struct row listed[LISTED_MOST])
{
	struct row scratch[LISTED_MOST];
	bool sorted = true;

	memcpy(listed, model->listed, sizeof(model->listed));
	for (size_t i = 1; i < model->listed_count; i++)
		sorted = sorted && uint160_compare(&listed[i - 1].serial,
				       &listed[i].serial) <= 0;
	if (!sorted)
		row_sort(listed, scratch, model->listed_count);
}

/* Whether it may have been on no CRL yet. */
static bool
model_is_late(struct model *model, const struct row *row)
{
	const struct row *recorded =
	    find(model->recorded, model->recorded_count, &row->serial);
	int64_t since = model->settled_sec < T ? model->settled_sec : T;

	return row_revoked_at(row) >= T || !model->has_settled ||
	       (recorded != NULL && row_revoked_at(recorded) >= since);
}

/* Entries with a row that expires before then. */
static uint64_t
model_expire_by(const struct model *model, int64_t sec)
{
	uint64_t count = 0;

	for (size_t i = 0; i < model->listed_count; i++) {
		const struct uint160 *serial = &model->listed[i].serial;
		const struct row *row =
		    find(model->row, model->row_count, serial);

		count += find(model->listed, i, serial) == NULL &&
			 row != NULL && row_not_after(row) < sec;
	}
	return count;
}

/* The entries that are published, each once. */
static uint64_t
model_entries(const struct model *model)
{
	uint64_t count = 0;

	for (size_t i = 0; i < model->listed_count; i++)
		count +=
		    find(model->listed, i, &model->listed[i].serial) == NULL;
	return count;
}

/* What the manifest has of an earlier CRL. */
static void
model_think_expiring(struct model *model)
{
	uint64_t entries = model_entries(model);
	uint64_t more = entries > model->expiring_entries
			    ? entries - model->expiring_entries
			    : 0;
	bool is_first = true;

	for (size_t i = 0; i < EXPIRING_STEPS; i++) {
		int64_t sec = model->expiring_sec + expiring_step_sec(i);
		uint64_t known = model->expiring.by[i];

		if (sec < T)
			continue;
		if (is_first && !model->has_leaving)
			model->merge.foreseen = model->merge.removed < known
						    ? model->merge.removed
						    : known;
		is_first = false;
		model->excess |= model_expire_by(model, sec) > known + more;
	}
}

/* Of the same entries, each with its row, and nothing else was said. */
static void
model_think_sum(struct model *model)
{
	struct expiring now = {.has_sum = true};

	for (size_t i = 0; i < model->row_count; i++)
		if (find(model->listed, model->listed_count,
			&model->row[i].serial) != NULL)
			expiring_add(&now, row_not_after(&model->row[i]));
	if (model->excess == 0 && model->has_leaving && model->early == 0 &&
	    model_entries(model) == model->expiring_entries &&
	    model->expiring.has_sum)
		model->excess = now.sum + 1 == model->expiring.sum;
}

static void
model_think(struct model *model)
{
	struct row listed[LISTED_MOST];

	model_read(model, listed);
	for (size_t i = 0; i < model->row_count; i++) {
		const struct row *row = &model->row[i];
		const struct row *entry =
		    find(listed, model->listed_count, &row->serial);
		bool expired = row_not_after(row) < T;
		bool late = model_is_late(model, row);

		if (entry != NULL && expired)
			model->merge.removed++;
		else if (entry != NULL)
			model_kept(model, row, entry);
		else if (expired && !late)
			model->merge.gone++;
		else
			model->merge.added++;
		if (expired && (entry != NULL || !late))
			continue;
		model->stays[model->stay_count++] = *row;
		model->merge.leaving += row_not_after(row) < NOW;
		expiring_add(&model->merge.expiring, row_not_after(row));
		/* All expire within the first step. */
		for (size_t step = 0; step < EXPIRING_STEPS; step++)
			model->merge.expiring.by[step]++;
	}
	for (size_t i = 0; i < model->listed_count; i++) {
		const struct uint160 *serial = &model->listed[i].serial;

		if (find(model->listed, i, serial) == NULL &&
		    find(model->row, model->row_count, serial) == NULL)
			model->early++;
	}
	model->merge.lost = model->early;
	model->excess =
	    model->has_leaving && model->merge.removed > model->leaving;
	if (model->has_leaving)
		model->merge.foreseen =
		    model->excess ? model->leaving : model->merge.removed;
	if (model->has_expiring)
		model_think_expiring(model);
	if (model->has_expiring)
		model_think_sum(model);
	model->merge.expiring.has_sum = true;
}

/* What nobody let pass, whatever the model says: the law itself. */
static void
assert_law(const struct model *model, const struct row *now, size_t count)
{
	for (size_t i = 0; i < model->listed_count; i++) {
		const struct uint160 *serial = &model->listed[i].serial;
		const struct row *row =
		    find(model->row, model->row_count, serial);

		if (find(now, count, serial) != NULL)
			continue;
		assert_non_null(row);
		assert_true(row_not_after(row) < T);
	}
}

static void
trial(struct model *model, bool pass_early, bool pass_change)
{
	struct row row[SERIALS];
	struct published published;
	struct gate_published against = {
	    .this_update_sec = NOW,
	    .recorded = model->recorded,
	    .recorded_count = model->recorded_count,
	    .has_settled = model->has_settled,
	    .settled_sec = model->settled_sec,
	    .has_leaving = model->has_leaving,
	    .leaving = model->leaving,
	    .has_expiring = model->has_expiring,
	    .expiring = model->expiring,
	    .expiring_sec = model->expiring_sec,
	    .expiring_entries = model->expiring_entries,
	};
	struct stand stand;
	size_t count = 0;
	uint64_t early = model->early + model->excess;
	/* A gate closes once, for however many entries. */
	uint64_t said = (model->early > 0) + model->excess;
	uint64_t changed = model->changes > 0;
	bool refused =
	    (early > 0 && !pass_early) || (model->changes > 0 && !pass_change);
	uint64_t unsettled;
	enum status status;

	stand_make(&stand);
	if (pass_early)
		stand_pass(&stand, "no-early-removal:7");
	if (pass_change)
		stand_pass(&stand, "change:7");
	memcpy(row, model->row, sizeof(row));
	published_make(&published, model->listed, model->listed_count, T);
	against.crl = &published.crl;
	status = gate_merge(&stand.place, row, model->row_count, &against,
	    &count, &stand.merge, NULL);
	assert_int_equal(status, refused ? STATUS_REFUSED : STATUS_OK);
	unsettled = stand.merge.unsettled > 0;
	assert_true(!unsettled || !model->has_settled);
	stand.merge.unsettled = 0;
	assert_memory_equal(&stand.merge, &model->merge, sizeof(stand.merge));
	assert_int_equal(count, model->stay_count);
	for (size_t i = 0; i < count; i++)
		assert_memory_equal(&row[i], &model->stays[i], sizeof(*row));
	assert_int_equal(report_count(stand.place.report, SEVERITY_FAULT),
	    (pass_early ? 0 : said) + (pass_change ? 0 : changed));
	assert_int_equal(report_count(stand.place.report, SEVERITY_WARNING),
	    unsettled + (pass_early ? said : 0) + (pass_change ? changed : 0));
	if (status == STATUS_OK && !pass_early)
		assert_law(model, row, count);
	published_free(&published);
	stand_free(&stand);
}

static void
test_model(void **state)
{
	uint64_t seed = 20261122, fine = 0;

	(void)state;
	for (unsigned i = 0; i < TRIALS; i++) {
		struct model model;

		model_fill(&model, &seed);
		model_think(&model);
		fine += model.early + model.excess + model.changes == 0;
		trial(&model, i & 1, i & 2);
	}
	/* Enough of them end well, or the law was never asked. */
	assert_true(fine > TRIALS / 50);
}

/*
 * Run after run: what is published is the witness of the next. A row that
 * never leaves the source is listed from its revocation until a CRL made
 * after its expiry, and never again.
 */
static void
test_run_after_run(void **state)
{
	enum { RUNS = 40, PERIOD = 3 * 3600, N = 300 };
	struct row all[N], now[N], before[N];
	size_t before_count = 0;
	uint64_t leaving = 0;
	struct expiring expiring = {.has_sum = true};
	uint64_t expiring_entries = 0;
	unsigned listed[N] = {0};
	uint64_t seed = 7;

	(void)state;
	for (size_t i = 0; i < N; i++)
		all[i] = stand_row(i + 1,
		    T + (int64_t)random_below(&seed, RUNS * PERIOD), 4,
		    T + (int64_t)random_below(&seed, RUNS * PERIOD));
	for (int run = 0; run <= RUNS + 2; run++) {
		int64_t time = T + run * PERIOD;
		struct gate_published against = {
		    .this_update_sec = time,
		    .has_settled = true,
		    .settled_sec = time - 2 * PERIOD,
		    .has_leaving = true,
		    .leaving = leaving,
		    .has_expiring = true,
		    .expiring = expiring,
		    .expiring_sec = time - PERIOD,
		    .expiring_entries = expiring_entries,
		};
		struct published published;
		struct stand stand;
		size_t n = 0;

		for (size_t i = 0; i < N; i++)
			if (row_revoked_at(&all[i]) <= time)
				now[n++] = all[i];
		stand_make(&stand);
		published_make(&published, before, before_count, time - PERIOD);
		against.crl = &published.crl;
		assert_int_equal(gate_merge(&stand.place, now, n, &against,
				     &before_count, &stand.merge, NULL),
		    STATUS_OK);
		/* What may leave was known before, to the last entry. */
		assert_int_equal(stand.merge.removed, leaving);
		leaving = stand.merge.leaving;
		expiring = stand.merge.expiring;
		expiring_entries = before_count;
		memcpy(before, now, before_count * sizeof(*now));
		for (size_t i = 0; i < before_count; i++)
			listed[before[i].serial.octet[19] +
			       256 * before[i].serial.octet[18] - 1]++;
		published_free(&published);
		stand_free(&stand);
	}
	for (size_t i = 0; i < N; i++) {
		/* Numbers of the first run to list it, and of the last. */
		int64_t revoked = row_revoked_at(&all[i]) - T;
		int64_t expired = row_not_after(&all[i]) - T;
		int64_t first = (revoked + PERIOD - 1) / PERIOD;
		int64_t last = expired / PERIOD + 1;

		if (last < first)
			last = first;
		assert_int_equal(listed[i], last - first + 1);
	}
	assert_int_equal(before_count, 0);
}

/* A row, and when others could see it. */
struct slow_row {
	struct row row;
	int64_t recorded_sec;
	int64_t committed_sec;
	unsigned listed; /* on CRLs that were made after its expiry */
};

enum { SLOW_RUNS = 60, SLOW_PERIOD = 10, SLOW_ROWS = 400 };

/* One run at `time`: what its CRL lists stands in `before` then. */
static void
slow_run(struct slow_row *all, int64_t time, struct row *before, size_t *count)
{
	struct gate_published against = {
	    .this_update_sec = time,
	    .has_settled = true,
	    .settled_sec = time - 2 * SLOW_PERIOD,
	};
	struct row now[SLOW_ROWS], recorded[SLOW_ROWS];
	struct published published;
	struct stand stand;
	size_t n = 0;

	for (size_t i = 0; i < SLOW_ROWS; i++) {
		if (all[i].committed_sec >= time)
			continue;
		recorded[n] =
		    stand_row(i + 1, all[i].recorded_sec, 0, UTC_MAX_SEC);
		now[n++] = all[i].row;
	}
	stand_make(&stand);
	published_make(&published, before, *count, time - SLOW_PERIOD);
	against.crl = &published.crl;
	against.recorded = recorded;
	against.recorded_count = n;
	assert_int_equal(gate_merge(&stand.place, now, n, &against, count,
			     &stand.merge, NULL),
	    STATUS_OK);
	assert_int_equal(stand.merge.unsettled, 0);
	memcpy(before, now, *count * sizeof(*now));
	for (size_t i = 0; i < *count; i++)
		all[now[i].serial.octet[19] + 256 * now[i].serial.octet[18] - 1]
		    .listed += row_not_after(&now[i]) < time;
	published_free(&published);
	stand_free(&stand);
}

/*
 * Transactions that take up to a period, and rows that expire before, while
 * and after: each stands on one CRL made after its expiry, and on no second.
 */
static void
test_slow_transactions(void **state)
{
	struct slow_row all[SLOW_ROWS] = {0};
	struct row before[SLOW_ROWS];
	uint64_t seed = 11;
	size_t count = 0;

	(void)state;
	for (size_t i = 0; i < SLOW_ROWS; i++) {
		int64_t sec = T + (int64_t)random_below(
				      &seed, (SLOW_RUNS - 20) * SLOW_PERIOD);

		all[i].recorded_sec = sec;
		all[i].committed_sec =
		    sec + (int64_t)random_below(&seed, SLOW_PERIOD + 1);
		all[i].row =
		    stand_row(i + 1, sec - (int64_t)random_below(&seed, 50), 4,
			sec - 30 + (int64_t)random_below(&seed, 100));
	}
	for (int run = 0; run < SLOW_RUNS; run++)
		slow_run(all, T + run * SLOW_PERIOD, before, &count);
	for (size_t i = 0; i < SLOW_ROWS; i++)
		assert_int_equal(all[i].listed, 1);
	assert_int_equal(count, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_model),
	    cmocka_unit_test(test_run_after_run),
	    cmocka_unit_test(test_slow_transactions),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
