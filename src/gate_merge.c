/* SPDX-License-Identifier: ISC */
/*
 * Rows against the published CRL. Both are sorted by serial, so one walk over
 * both finds what is added, removed, kept and changed.
 *
 * RFC 5280, 3.3: "An entry MUST NOT be removed from the CRL until it appears
 * on one regularly scheduled CRL issued beyond the revoked certificate's
 * validity period." The published CRL is the witness: what it lists may leave
 * when its thisUpdate lies after not_after.
 *
 * A row it does not list is new, unless it had been removed before: the
 * published CRL can have left out what the CRL before it listed. So what was
 * recorded since that one was made is new, whatever its dates: its transaction
 * was not committed yet when the published CRL was made. It is listed once;
 * then the published CRL lists it. What was recorded earlier stays out, or
 * entries would come and go until their rows leave the lookback.
 */
#include "gate_impl.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "crlpress/quantity.h"
#include "crlpress/utc.h"

#define REASON_KEY_COMPROMISE 1

/* How a row is marked in row.spare until the rows are closed up. */
#define ROW_STAYS 0
#define ROW_LEAVES 1

/* Two counts and the words between them. */
#define CHANGED_BYTES 96

/* Room for changes grows from here by doubling: most merges have few. */
#define CHANGES_FIRST 64

/*
 * What a gate is closed for, said once a shard: a table that is gone ends in
 * a line with a count, not in a line an entry. All are in the changes.
 */
struct offence {
	uint64_t count;
	struct row listed; /* the first one, and its row */
	struct row row;
};

struct merge_job {
	const struct gate_place *place;
	struct row *rows;
	size_t n;
	const struct gate_published *published;
	int64_t published_sec; /* thisUpdate of the published CRL, or now */
	bool is_settled;       /* what was recorded before this has left */
	int64_t settled_sec;
	size_t recorded_next;
	struct offence lost;
	struct offence changed;
	struct offence removed; /* when more leave than may */
	struct offence unsettled;
	/* Of listed entries with a row: when they expire, as `expiring` of the
	 * published CRL has it, and the first row of each step. */
	int64_t horizon_sec; /* rows that expire from here on do not matter */
	struct expiring expiring;
	struct row expires[EXPIRING_STEPS];
	struct gate_merge *merge;
	struct gate_changes *changes; /* NULL: nobody wants them */
	enum status verdict;
};

/* That memory ran out outweighs what a gate said. */
static void
job_refuse(struct merge_job *job, enum status status)
{
	if (status != STATUS_OK && job->verdict != STATUS_NO_MEMORY)
		job->verdict = status;
}

/* There are at most as many as rows and entries in memory, each twice. */
static void
job_record(struct merge_job *job, enum gate_change kind, const struct row *row)
{
	struct gate_changes *changes = job->changes;
	struct row *grown;
	size_t room;

	if (changes == NULL)
		return;
	if (changes->count == changes->room) {
		room = changes->room == 0 ? CHANGES_FIRST : changes->room * 2;
		grown = reallocarray(changes->row, room, sizeof(*grown));
		if (grown == NULL) {
			job->verdict = report_fault(job->place->report,
			    STATUS_NO_MEMORY, job->place->object, NULL, NULL,
			    "out of memory");
			job->changes = NULL;
			return;
		}
		changes->row = grown;
		changes->room = room;
	}
	changes->row[changes->count] = *row;
	changes->row[changes->count++].spare = (uint8_t)kind;
}

/* An entry as it was listed; a CRL does not tell the expiry, its row does. */
static void
job_record_listed(struct merge_job *job, enum gate_change kind,
    const struct row *listed, const struct row *row)
{
	struct row was = *listed;

	was.not_after_high = row->not_after_high;
	was.not_after_low = row->not_after_low;
	job_record(job, kind, &was);
}

static int64_t
earlier(int64_t a_sec, int64_t b_sec)
{
	return a_sec < b_sec ? a_sec : b_sec;
}

/*
 * BR 7.2.2: a reason may become keyCompromise, and the date may then move to
 * the past; nothing else of a listed entry may change.
 */
static bool
change_is_legal(const struct row *listed, const struct row *row)
{
	return row->reason == REASON_KEY_COMPROMISE &&
	       row_revoked_at(row) <= row_revoked_at(listed);
}

static void
offence_add(
    struct offence *offence, const struct row *listed, const struct row *row)
{
	if (offence->count++ > 0)
		return;
	offence->listed = *listed;
	if (row != NULL)
		offence->row = *row;
}

static void
judge_kept(
    struct merge_job *job, const struct row *listed, const struct row *row)
{
	job->merge->kept++;
	if (row->reason == listed->reason &&
	    row_revoked_at(row) == row_revoked_at(listed))
		return;
	job->merge->changed++;
	job_record_listed(job, GATE_CHANGED_FROM, listed, row);
	job_record(job, GATE_CHANGED_TO, row);
	if (!change_is_legal(listed, row))
		offence_add(&job->changed, listed, row);
}

static void
judge_removed(
    struct merge_job *job, const struct row *listed, const struct row *row)
{
	job->merge->removed++;
	offence_add(&job->removed, listed, row);
	job_record_listed(job, GATE_REMOVED, listed, row);
}

static void
judge_lost(struct merge_job *job, const struct row *listed)
{
	job->merge->lost++;
	offence_add(&job->lost, listed, NULL);
	job_record(job, GATE_LOST, listed);
}

/*
 * Whether no CRL before the published one could list this serial, since it was
 * recorded only afterwards. Asked for rising serials: both are walked together.
 */
static bool
recorded_since(struct merge_job *job, const struct uint160 *serial)
{
	const struct gate_published *published = job->published;
	bool since = false;

	while (job->recorded_next < published->recorded_count) {
		const struct row *row =
		    &published->recorded[job->recorded_next];
		int order = uint160_compare(&row->serial, serial);

		if (order > 0)
			break;
		if (order == 0 && row_revoked_at(row) >= job->settled_sec)
			since = true;
		job->recorded_next++;
	}
	return since;
}

/* Nothing proves that a CRL listed it past its expiry: this one will. */
static void
judge_unsettled(struct merge_job *job, const struct row *row)
{
	job->merge->unsettled++;
	offence_add(&job->unsettled, row, row);
}

static bool
is_new(struct merge_job *job, const struct row *row)
{
	const struct gate_published *published = job->published;

	if (recorded_since(job, &row->serial) ||
	    row_revoked_at(row) >= job->published_sec ||
	    (published->has_seen && row_revoked_at(row) > published->seen_sec))
		return true;
	if (job->is_settled)
		return false;
	judge_unsettled(job, row);
	return true;
}

static void
count_expiring(struct merge_job *job, const struct row *row)
{
	int64_t not_after_sec = row_not_after(row);
	size_t step;

	expiring_add(&job->expiring, not_after_sec);
	if (not_after_sec >= job->horizon_sec)
		return;
	step = expiring_step(not_after_sec - job->published->expiring_sec);
	if (job->expiring.by[step]++ == 0)
		job->expires[step] = *row;
}

static void
judge_row(struct merge_job *job, struct row *row, const struct row *listed)
{
	bool expired = row_not_after(row) < job->published_sec;

	row->spare = ROW_STAYS;
	if (listed != NULL && job->published->has_expiring)
		count_expiring(job, row);
	if (listed != NULL && !expired) {
		judge_kept(job, listed, row);
	} else if (listed != NULL) {
		row->spare = ROW_LEAVES;
		judge_removed(job, listed, row);
	} else if (expired && !is_new(job, row)) {
		row->spare = ROW_LEAVES;
		job->merge->gone++;
	} else {
		job->merge->added++;
		job_record(job, GATE_ADDED, row);
	}
}

static enum status
merge_walk(struct merge_job *job, struct gate_listed *listed)
{
	enum status status = gate_listed_open(listed, job->place);
	size_t i = 0;
	int order;

	while (status == STATUS_OK && !listed->is_odd &&
	       (i < job->n || listed->has_entry)) {
		job->is_settled &= !listed->is_partial;
		order = !listed->has_entry ? -1
			: i == job->n      ? 1
				      : uint160_compare(&job->rows[i].serial,
					    &listed->entry.serial);
		if (order > 0)
			judge_lost(job, &listed->entry);
		else
			judge_row(job, &job->rows[i],
			    order == 0 ? &listed->entry : NULL);
		i += order <= 0;
		if (order >= 0)
			status = gate_listed_next(listed, job->place);
	}
	return status;
}

static uint64_t
entries_published(const struct merge_job *job)
{
	return job->merge->kept + job->merge->removed + job->merge->lost;
}

/* Listed entries without a row: nothing proves that they may leave. */
static void
refuse_lost(struct merge_job *job)
{
	const struct row *listed = &job->lost.listed;
	char serial[UINT160_HEX_BYTES];
	char date[UTC_ISO_BYTES];

	uint160_to_hex(&listed->serial, serial);
	utc_to_iso(row_revoked_at(listed), date);
	if (job->lost.count == 1)
		job_refuse(job,
		    gate_refuse(job->place, GATE_EARLY_REMOVAL,
			"serial %s, revoked %s, is published but has no row: "
			"nothing proves that its certificate expired before "
			"the CRL it stands on",
			serial, date));
	else if (job->lost.count > 1)
		job_refuse(job,
		    gate_refuse(job->place, GATE_EARLY_REMOVAL,
			"%" PRIu64 " of %" PRIu64 " published entries have no "
			"row: nothing proves that their certificates expired; "
			"the first is serial %s, revoked %s",
			job->lost.count, entries_published(job), serial, date));
}

static void
refuse_changed(struct merge_job *job)
{
	const struct row *listed = &job->changed.listed;
	const struct row *row = &job->changed.row;
	char serial[UINT160_HEX_BYTES];
	char have[UTC_ISO_BYTES], want[UTC_ISO_BYTES];
	char many[CHANGED_BYTES] = "";

	if (job->changed.count == 0)
		return;
	if (job->changed.count > 1)
		snprintf(many, sizeof(many),
		    "%" PRIu64 " of %" PRIu64 " published entries changed; "
		    "the first: ",
		    job->changed.count, entries_published(job));
	job_refuse(job,
	    gate_refuse(job->place, GATE_CHANGE,
		"%sserial %s changed, have %s reason %u, want %s reason %u as "
		"published",
		many, uint160_to_hex(&row->serial, serial),
		utc_to_iso(row_revoked_at(row), have), row->reason,
		utc_to_iso(row_revoked_at(listed), want), listed->reason));
}

/* When a step of what was foreseen is over. */
static int64_t
step_sec(const struct merge_job *job, size_t step)
{
	return job->published->expiring_sec + expiring_step_sec(step);
}

static void
refuse_changed_expiry(struct merge_job *job, enum status status)
{
	if (status != STATUS_OK)
		report_hint(job->place->report,
		    "not_after was changed in the database: hold it against "
		    "the certificates");
	job_refuse(job, status);
}

/*
 * RFC 5280, 3.3, from the other side: notAfter of a certificate never changes,
 * so what may leave was known when the published CRL was made. More than that
 * is a table that was changed, and proves nothing. False when it was refused
 * or let pass, and so is said.
 */
static bool
removed_as_known(struct merge_job *job)
{
	const struct gate_published *published = job->published;
	char serial[UINT160_HEX_BYTES];
	char date[UTC_ISO_BYTES];

	job->merge->foreseen = job->merge->removed;
	if (job->merge->removed <= published->leaving)
		return true;
	job->merge->foreseen = published->leaving;
	refuse_changed_expiry(job,
	    gate_refuse(job->place, GATE_EARLY_REMOVAL,
		"more entries would leave as expired than had expired when the "
		"published CRL was made, have %" PRIu64
		", want at most %" PRIu64
		"; the first is serial %s, not_after %s",
		job->merge->removed, published->leaving,
		uint160_to_hex(&job->removed.row.serial, serial),
		utc_to_iso(row_not_after(&job->removed.row), date)));
	return false;
}

/*
 * The same before it is too late: a row that is to be a proof tomorrow is
 * changed today, and by then `leaving` is counted from it. Where `expiring` is
 * of an earlier CRL, nobody foresaw entries that came since, and those that
 * left since had expired by the published one: from there on it is compared,
 * with as many more as the published CRL has more entries. True when it was
 * refused or let pass, and so is said.
 */
static bool
refuse_expiring(struct merge_job *job)
{
	const struct gate_published *published = job->published;
	const struct row *first = NULL;
	char by[UTC_ISO_BYTES], date[UTC_ISO_BYTES];
	uint64_t entries = entries_published(job);
	char serial[UINT160_HEX_BYTES];
	uint64_t have = 0, more = 0;

	if (entries > published->expiring_entries)
		more = entries - published->expiring_entries;
	for (size_t step = 0; step < EXPIRING_STEPS; step++) {
		const uint64_t foreseen = published->expiring.by[step];
		int64_t by_sec = step_sec(job, step);

		have += job->expiring.by[step];
		if (job->expiring.by[step] > 0)
			first = &job->expires[step];
		if (first == NULL || by_sec < job->published_sec ||
		    have <= more || have - more <= foreseen)
			continue;
		refuse_changed_expiry(job,
		    gate_refuse(job->place, GATE_EARLY_REMOVAL,
			"more entries expire by %s than was foreseen, have "
			"%" PRIu64 ", want at most %" PRIu64
			"; the first is serial %s, not_after %s",
			utc_to_iso(by_sec, by), have, foreseen + more,
			uint160_to_hex(&first->serial, serial),
			utc_to_iso(row_not_after(first), date)));
		return true;
	}
	return false;
}

/*
 * What lies between two steps, or beyond the last: the sum of the entries of
 * the very CRL whose sum is known, of which each has a row. Some that expire
 * later now may hide others that expire earlier, but that is no table that was
 * changed by one mistake.
 */
static void
refuse_earlier(struct merge_job *job)
{
	const struct gate_published *published = job->published;
	int64_t less_sec = expiring_less(&job->expiring, &published->expiring);
	char less[QUANTITY_DURATION_BYTES];

	if (less_sec == 0 || job->merge->lost > 0 ||
	    entries_published(job) != published->expiring_entries)
		return;
	refuse_changed_expiry(job,
	    gate_refuse(job->place, GATE_EARLY_REMOVAL,
		"the %" PRIu64 " published entries expire earlier than when "
		"they were published, by %s in all",
		published->expiring_entries,
		quantity_duration_text(less_sec, less)));
}

/*
 * What was foreseen of a CRL before the published one, of those that leave:
 * they had expired when the published one was made.
 */
static uint64_t
foreseen_before(const struct merge_job *job)
{
	const uint64_t *by = job->published->expiring.by;
	uint64_t removed = job->merge->removed;
	size_t step = 0;

	while (step < EXPIRING_STEPS - 1 &&
	       step_sec(job, step) < job->published_sec)
		step++;
	return removed < by[step] ? removed : by[step];
}

/* All that rows say of expiry, held against what was known before. */
static void
refuse_expired(struct merge_job *job)
{
	const struct gate_published *published = job->published;
	bool is_known = published->has_leaving;

	if (is_known && !removed_as_known(job))
		return;
	if (!published->has_expiring)
		return;
	if (!is_known)
		job->merge->foreseen = foreseen_before(job);
	if (!refuse_expiring(job) && is_known)
		refuse_earlier(job);
}

/* An entry too many for one CRL is better than one too few for good. */
static void
tell_unsettled(const struct merge_job *job)
{
	const struct row *row = &job->unsettled.row;
	char serial[UINT160_HEX_BYTES];
	char date[UTC_ISO_BYTES];

	if (job->unsettled.count == 0)
		return;
	report_warn(job->place->report, job->place->object,
	    gate_name(GATE_EARLY_REMOVAL), "RFC 5280, 3.3",
	    "rows that expired are listed once, since nothing proves that they "
	    "were before, have %" PRIu64 "; the first is serial %s, not_after "
	    "%s",
	    job->unsettled.count, uint160_to_hex(&row->serial, serial),
	    utc_to_iso(row_not_after(row), date));
}

/* Rows that stay, how many of them may leave next time, and when others. */
static size_t
close_up(struct row *rows, size_t n, int64_t this_update_sec,
    struct gate_merge *merge)
{
	int64_t after_sec;
	size_t kept = 0;

	for (size_t i = 0; i < n; i++) {
		if (rows[i].spare != ROW_STAYS)
			continue;
		after_sec = row_not_after(&rows[i]) - this_update_sec;
		expiring_add(&merge->expiring, row_not_after(&rows[i]));
		merge->leaving += after_sec < 0;
		if (after_sec < EXPIRING_HORIZON_SEC)
			merge->expiring.by[expiring_step(after_sec)]++;
		rows[kept++] = rows[i];
	}
	merge->expiring.has_sum = true;
	expiring_pile(&merge->expiring);
	return kept;
}

/*
 * Once, in the hope that the entries are in order and nothing is to be said of
 * any; else again from the beginning, as if nothing had been.
 */
static enum status
merge_twice(struct merge_job *job, struct gate_listed *listed)
{
	const struct merge_job begun = *job;
	const struct gate_merge counts = *job->merge;
	size_t changes = job->changes == NULL ? 0 : job->changes->count;
	enum status status;

	listed->as_it_comes = true;
	status = merge_walk(job, listed);
	if (status != STATUS_OK || !listed->is_odd)
		return status;
	/* Without memory there will be none the second time. */
	if (job->verdict != STATUS_OK)
		return job->verdict;
	*job = begun;
	*job->merge = counts;
	if (job->changes != NULL)
		job->changes->count = changes;
	*listed = (struct gate_listed){.crl = listed->crl};
	return merge_walk(job, listed);
}

static enum status
merge_against(struct merge_job *job)
{
	struct gate_listed listed = {.crl = job->published->crl};
	enum status status = merge_twice(job, &listed);

	if (status == STATUS_OK) {
		refuse_lost(job);
		refuse_expired(job);
		refuse_changed(job);
		tell_unsettled(job);
	}
	gate_listed_free(&listed);
	return status == STATUS_OK ? job->verdict : status;
}

enum status
gate_merge(const struct gate_place *place, struct row *rows, size_t n,
    const struct gate_published *published, size_t *count,
    struct gate_merge *merge, struct gate_changes *changes)
{
	struct merge_job job = {
	    .place = place,
	    .rows = rows,
	    .n = n,
	    .published = published,
	    .horizon_sec = INT64_MIN,
	    .merge = merge,
	    .changes = changes,
	};
	enum status status = STATUS_OK;

	job.expiring.has_sum = true;
	if (published->has_expiring)
		job.horizon_sec =
		    published->expiring_sec + EXPIRING_HORIZON_SEC;

	if (published->crl == NULL) {
		merge->added = n;
	} else {
		/* One from the future, let pass, must not expire anything. */
		job.published_sec = earlier(published->crl->this_update.sec,
		    published->this_update_sec);
		job.is_settled = published->has_settled;
		job.settled_sec =
		    published->has_settled &&
			    published->settled_sec < job.published_sec
			? published->settled_sec
			: job.published_sec;
		status = merge_against(&job);
	}
	*count = close_up(rows, n, published->this_update_sec, merge);
	return status;
}
