/* SPDX-License-Identifier: ISC */
/*
 * Rows against the published CRL. Both are sorted by serial, so one walk over
 * both finds what is added, removed, kept and changed. A CRL that somebody
 * else made may not be sorted; it is then copied and sorted first.
 *
 * RFC 5280, 3.3: "An entry MUST NOT be removed from the CRL until it appears
 * on one regularly scheduled CRL issued beyond the revoked certificate's
 * validity period." The published CRL is the witness: what it lists may leave
 * when its thisUpdate lies after not_after.
 *
 * A row it does not list is new, unless it had been removed before. That is so
 * when the certificate expired and was revoked before the published CRL was
 * made; listing it again would make entries come and go until the row leaves
 * the lookback.
 */
#include "crlpress/gate.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "crlpress/utc.h"

#define REASON_KEY_COMPROMISE 1

/* How a row is marked in row.spare until the rows are closed up. */
#define ROW_STAYS 0
#define ROW_LEAVES 1

/* What is published, in order of serial. */
struct listed {
	const struct crl *crl;
	size_t position;
	struct row *sorted; /* NULL: read from the CRL as it comes */
	size_t sorted_count;
	size_t sorted_next;
	struct row entry; /* the present one; not_after means nothing */
	bool has_entry;
};

struct merge_job {
	const struct gate_place *place;
	struct row *rows;
	size_t n;
	int64_t published_sec; /* thisUpdate of the published CRL, or now */
	struct gate_merge *merge;
	enum status verdict;
};

static void
job_refuse(struct merge_job *job, enum status status)
{
	if (status != STATUS_OK)
		job->verdict = status;
}

static bool
row_same(const struct row *a, const struct row *b)
{
	return memcmp(a, b, sizeof(*a)) == 0;
}

static int64_t
earlier(int64_t a_sec, int64_t b_sec)
{
	return a_sec < b_sec ? a_sec : b_sec;
}

static int64_t
later(int64_t a_sec, int64_t b_sec)
{
	return a_sec > b_sec ? a_sec : b_sec;
}

/* The row that was revoked first; of two, keyCompromise says more. */
static bool
row_is_earlier(const struct row *a, const struct row *b)
{
	if (row_revoked_at(a) != row_revoked_at(b))
		return row_revoked_at(a) < row_revoked_at(b);
	return a->reason == REASON_KEY_COMPROMISE &&
	       b->reason != REASON_KEY_COMPROMISE;
}

/*
 * What rows that contradict each other come to when they are let pass. The
 * later expiry stays, whichever row has it: the certificate may still be
 * valid, and its entry must not leave.
 */
static struct row
row_of_both(const struct row *a, const struct row *b)
{
	const struct row *stays = row_is_earlier(b, a) ? b : a;

	return row_make(&stays->serial, row_revoked_at(stays), stays->reason,
	    later(row_not_after(a), row_not_after(b)));
}

static enum status
refuse_duplicate(
    const struct gate_place *place, const struct row *a, const struct row *b)
{
	char serial[UINT160_HEX_BYTES];
	char first[UTC_ISO_BYTES], first_end[UTC_ISO_BYTES];
	char second[UTC_ISO_BYTES], second_end[UTC_ISO_BYTES];

	return gate_refuse(place, GATE_DUPLICATE,
	    "serial %s has contradicting rows, have %s reason %u expiring %s "
	    "and %s reason %u expiring %s, want one",
	    uint160_to_hex(&a->serial, serial),
	    utc_to_iso(row_revoked_at(a), first), a->reason,
	    utc_to_iso(row_not_after(a), first_end),
	    utc_to_iso(row_revoked_at(b), second), b->reason,
	    utc_to_iso(row_not_after(b), second_end));
}

enum status
gate_unique(const struct gate_place *place, struct row *rows, size_t n,
    size_t *count, struct gate_merge *merge)
{
	enum status verdict = STATUS_OK;
	size_t kept = 0;

	for (size_t i = 0; i < n; i++) {
		struct row *last = kept == 0 ? NULL : &rows[kept - 1];

		if (last == NULL ||
		    uint160_compare(&last->serial, &rows[i].serial) != 0) {
			if (kept != i)
				rows[kept] = rows[i];
			kept++;
			continue;
		}
		merge->duplicates++;
		if (row_same(last, &rows[i]))
			continue;
		if (refuse_duplicate(place, last, &rows[i]) != STATUS_OK)
			verdict = STATUS_REFUSED;
		*last = row_of_both(last, &rows[i]);
	}
	*count = kept;
	return verdict;
}

static enum status
refuse_entry(const struct gate_place *place, size_t offset, const char *text)
{
	return gate_refuse(place, GATE_PREVIOUS,
	    "published CRL, offset %zu: %s", offset, text);
}

/*
 * One entry of the CRL as a row; RFC 5280, 5.3.1: no reason means 0. What
 * cannot be read closes GATE_PREVIOUS; let pass, it is left out.
 */
static enum status
listed_read(struct listed *listed, const struct gate_place *place)
{
	struct crl_fault fault = {0};
	struct crl_entry entry;
	enum status status;

	for (;;) {
		status = crl_entry_read(
		    listed->crl, &listed->position, &entry, &fault);
		if (status == STATUS_DONE)
			return STATUS_DONE;
		if (status != STATUS_OK) {
			status = refuse_entry(place, fault.offset, fault.text);
			return status == STATUS_OK ? STATUS_DONE : status;
		}
		if (entry.serial_in_range)
			break;
		status =
		    refuse_entry(place, entry.offset, "serial out of range");
		if (status != STATUS_OK)
			return status;
	}
	listed->entry = row_make(&entry.serial, entry.revoked_at.sec,
	    (uint8_t)(entry.reason < 0 ? 0 : entry.reason), UTC_MIN_SEC);
	return STATUS_OK;
}

static enum status
listed_read_any(struct listed *listed, const struct gate_place *place)
{
	if (listed->sorted == NULL)
		return listed_read(listed, place);
	if (listed->sorted_next == listed->sorted_count)
		return STATUS_DONE;
	listed->entry = listed->sorted[listed->sorted_next++];
	return STATUS_OK;
}

/* Moves to the next entry; one that stands twice is passed over. */
static enum status
listed_next(struct listed *listed, const struct gate_place *place)
{
	enum status status;
	struct uint160 last = listed->entry.serial;

	do
		status = listed_read_any(listed, place);
	while (status == STATUS_OK && listed->has_entry &&
	       uint160_compare(&listed->entry.serial, &last) == 0);
	listed->has_entry = status == STATUS_OK;
	return status == STATUS_DONE ? STATUS_OK : status;
}

/* Copies and sorts the entries of a CRL that is not sorted. */
static enum status
listed_sort(struct listed *listed, const struct gate_place *place)
{
	/* The smallest entry DER can express is 20 octets. */
	size_t room = listed->crl->entries.len / 20 + 1;
	struct row *rows = calloc(room * 2, sizeof(*rows));
	enum status status;
	size_t n = 0;

	if (rows == NULL)
		return report_fault(place->report, STATUS_NO_MEMORY,
		    place->object, NULL, NULL, "out of memory");
	listed->position = 0;
	while ((status = listed_read(listed, place)) == STATUS_OK && n < room)
		rows[n++] = listed->entry;
	if (status != STATUS_DONE) {
		free(rows);
		return status == STATUS_OK ? STATUS_REFUSED : status;
	}
	row_sort(rows, rows + room, n);
	listed->sorted = rows;
	listed->sorted_count = n;
	return STATUS_OK;
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
judge_kept(
    struct merge_job *job, const struct row *listed, const struct row *row)
{
	char serial[UINT160_HEX_BYTES];
	char have[UTC_ISO_BYTES], want[UTC_ISO_BYTES];

	job->merge->kept++;
	if (row->reason == listed->reason &&
	    row_revoked_at(row) == row_revoked_at(listed))
		return;
	if (change_is_legal(listed, row)) {
		job->merge->changed++;
		return;
	}
	job_refuse(job,
	    gate_refuse(job->place, GATE_CHANGE,
		"serial %s changed, have %s reason %u, want %s reason %u as "
		"published",
		uint160_to_hex(&row->serial, serial),
		utc_to_iso(row_revoked_at(row), have), row->reason,
		utc_to_iso(row_revoked_at(listed), want), listed->reason));
}

/* A listed entry without a row: nothing proves that it may leave. */
static void
judge_lost(struct merge_job *job, const struct row *listed)
{
	char serial[UINT160_HEX_BYTES];
	char date[UTC_ISO_BYTES];

	job->merge->lost++;
	job_refuse(job,
	    gate_refuse(job->place, GATE_EARLY_REMOVAL,
		"serial %s, revoked %s, is published but has no row: nothing "
		"proves that its certificate expired before the CRL it stands "
		"on",
		uint160_to_hex(&listed->serial, serial),
		utc_to_iso(row_revoked_at(listed), date)));
}

static void
judge_row(struct merge_job *job, struct row *row, const struct row *listed)
{
	bool expired = row_not_after(row) < job->published_sec;

	row->spare = ROW_STAYS;
	if (listed != NULL && !expired) {
		judge_kept(job, listed, row);
	} else if (listed != NULL) {
		row->spare = ROW_LEAVES;
		job->merge->removed++;
	} else if (expired && row_revoked_at(row) < job->published_sec) {
		row->spare = ROW_LEAVES;
		job->merge->gone++;
	} else {
		job->merge->added++;
	}
}

static enum status
merge_walk(struct merge_job *job, struct listed *listed)
{
	enum status status = listed_next(listed, job->place);
	size_t i = 0;
	int order;

	while (status == STATUS_OK && (i < job->n || listed->has_entry)) {
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
			status = listed_next(listed, job->place);
	}
	return status;
}

static bool
listed_is_sorted(const struct crl *crl)
{
	struct crl_fault fault = {0};
	struct crl_entry entry;
	struct uint160 last = {{0}};
	size_t position = 0;

	while (crl_entry_read(crl, &position, &entry, &fault) == STATUS_OK) {
		/* One that is let pass says nothing of the order. */
		if (!entry.serial_in_range)
			continue;
		if (uint160_compare(&entry.serial, &last) < 0)
			return false;
		last = entry.serial;
	}
	return true;
}

static size_t
close_up(struct row *rows, size_t n)
{
	size_t kept = 0;

	for (size_t i = 0; i < n; i++)
		if (rows[i].spare == ROW_STAYS)
			rows[kept++] = rows[i];
	return kept;
}

enum status
gate_merge(const struct gate_place *place, struct row *rows, size_t n,
    const struct crl *previous, int64_t this_update_sec, size_t *count,
    struct gate_merge *merge)
{
	struct merge_job job = {
	    .place = place,
	    .rows = rows,
	    .n = n,
	    /* One from the future, let pass, must not expire anything. */
	    .published_sec =
		earlier(previous->this_update.sec, this_update_sec),
	    .merge = merge,
	};
	struct listed listed = {.crl = previous};
	enum status status = STATUS_OK;

	if (!listed_is_sorted(previous))
		status = listed_sort(&listed, place);
	if (status == STATUS_OK)
		status = merge_walk(&job, &listed);
	if (status == STATUS_OK)
		status = job.verdict;
	*count = close_up(rows, n);
	free(listed.sorted);
	return status;
}
