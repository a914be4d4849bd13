/* SPDX-License-Identifier: ISC */
/*
 * Whether runs come as often as they are owed: the rule `period`. Nothing is
 * refused for it, since a late publication is better than none.
 */
#include <inttypes.h>
#include <stdlib.h>

#include "crlpress/quantity.h"
#include "crlpress/utc.h"
#include "run_impl.h"

#define RULE "period"

/* BR 4.9.7: a CRL within 24 hours of recording a certificate as revoked. */
#define RECORDED_MOST_SEC INT64_C(86400)

/* How far recorded_at is told before the CRL that is published, for a row that
 * was committed long after it was written. */
#define REACH_SEC (4 * INT64_C(86400))

/* A run starts late by what cron, a lock or a slow database cost. */
#define MARGIN_SHARE 4
#define MARGIN_MOST_SEC INT64_C(3600)

/*
 * Of a CRL that is newer than its line (its run ended before the manifest) it
 * is only known that it came after the one that the line is about: what was
 * let out of that one may have been let out of this one again.
 */
bool
run_settled(const struct run *run, const struct run_shard *shard, int64_t *sec)
{
	const struct manifest_shard *line =
	    manifest_find(&run->manifest, shard->index);

	*sec = 0;
	if (line == NULL ||
	    gate_was_passed(&run->options->passes, GATE_SCOPE, shard->index))
		return false;
	if (uint160_compare(&line->number, &shard->previous_number) != 0) {
		*sec = line->this_update_sec;
		return line->has_settled;
	}
	*sec = line->settled_sec;
	return line->has_settled;
}

void
run_recorded_begin(struct run *run)
{
	for (size_t i = 0; i < run->shard_count; i++) {
		struct run_shard *shard = &run->shard[i];
		int64_t since_sec = run->this_update_sec - REACH_SEC;
		int64_t settled_sec = 0;

		if (shard->previous_this_update_sec < since_sec)
			since_sec = shard->previous_this_update_sec;
		if (run_settled(run, shard, &settled_sec) &&
		    settled_sec < since_sec)
			since_sec = settled_sec;
		shard->recorded_since_sec = since_sec;
	}
}

/* A first publication is not held against anything. */
struct source_recorded
run_recorded_wanted(const struct run *run)
{
	struct source_recorded wanted = {true, INT64_MAX};

	/* A push tells when what it was asked for was recorded. */
	if (run->options->asked_count > 0)
		return (struct source_recorded){.is_bounded = false};
	for (size_t i = 0; i < run->shard_count; i++) {
		const struct run_shard *shard = &run->shard[i];

		if ((shard->has_previous || shard->is_gone) &&
		    shard->recorded_since_sec < wanted.since_sec)
			wanted.since_sec = shard->recorded_since_sec;
	}
	return wanted;
}

enum status
run_recorded_load(struct run *run, const struct run_shard *shard,
    struct run_recorded *recorded)
{
	size_t n = (size_t)shard->recorded.count;
	struct row *scratch = NULL;
	enum status status;

	*recorded = (struct run_recorded){.count = n};
	if (n == 0)
		return STATUS_OK;
	recorded->row = calloc(n, sizeof(*recorded->row));
	scratch = calloc(n, sizeof(*scratch));
	if (recorded->row == NULL || scratch == NULL) {
		free(scratch);
		run_recorded_free(recorded);
		return report_fault(run->report, STATUS_NO_MEMORY,
		    shard->object, NULL, NULL, "out of memory");
	}
	status = run_rows_sorted(
	    run, shard, &shard->recorded, recorded->row, scratch);
	free(scratch);
	if (status != STATUS_OK)
		run_recorded_free(recorded);
	return status;
}

bool
run_recorded_find(const struct run_recorded *recorded,
    const struct uint160 *serial, int64_t *sec)
{
	size_t at = row_seek(recorded->row, recorded->count, serial);
	bool found = false;

	/* Of several rows the first that was written: from then it is owed. */
	for (; at > 0 &&
	       uint160_compare(&recorded->row[at - 1].serial, serial) == 0;
	     at--) {
		int64_t since_sec = row_revoked_at(&recorded->row[at - 1]);

		if (!found || since_sec < *sec)
			*sec = since_sec;
		found = true;
	}
	return found;
}

void
run_recorded_free(struct run_recorded *recorded)
{
	free(recorded->row);
	*recorded = (struct run_recorded){0};
}

/* Between two runs lies one period, and some more. */
void
run_period_last(struct run *run)
{
	int64_t period_sec = run->config->period_sec;
	int64_t margin_sec = period_sec / MARGIN_SHARE;
	char last[UTC_ISO_BYTES], now[UTC_ISO_BYTES];
	char limit[QUANTITY_DURATION_BYTES];

	if (margin_sec > MARGIN_MOST_SEC)
		margin_sec = MARGIN_MOST_SEC;
	if (!run->has_manifest ||
	    run->this_update_sec - run->manifest.this_update_sec <=
		period_sec + margin_sec)
		return;
	report_warn(run->report, run->config->name, RULE, "house rule",
	    "the last run published %s, have %s now, want a run every %s",
	    utc_to_iso(run->manifest.this_update_sec, last),
	    utc_to_iso(run->this_update_sec, now),
	    quantity_duration_text(period_sec, limit));
}

/* What is listed first now, and was recorded too long ago. */
static void
check_added(struct run *run, struct run_shard *shard,
    const struct run_recorded *recorded, const struct row *row)
{
	const struct uint160 *serial = &row->serial;
	char hex[UINT160_HEX_BYTES], date[UTC_ISO_BYTES];
	int64_t sec = 0;

	/* Listed for want of proof that it was before, and told as that. */
	if (!run_settled(run, shard, &sec) &&
	    row_not_after(row) < shard->previous_this_update_sec)
		return;

	if (!run_recorded_find(recorded, serial, &sec)) {
		shard->late++;
		report_warn(run->report, shard->object, RULE, "BR 4.9.7",
		    "serial %s is listed first now, have no recorded_at since "
		    "%s, want within 24h",
		    uint160_to_hex(serial, hex),
		    utc_to_iso(shard->recorded_since_sec, date));
		return;
	}
	if (run->this_update_sec - sec <= RECORDED_MOST_SEC)
		return;
	shard->late++;
	report_warn(run->report, shard->object, RULE, "BR 4.9.7",
	    "serial %s is listed first now, have recorded_at %s, want within "
	    "24h",
	    uint160_to_hex(serial, hex), utc_to_iso(sec, date));
}

static enum status
check_shard(struct run *run, struct run_shard *shard)
{
	struct run_recorded recorded;
	enum status status = run_recorded_load(run, shard, &recorded);

	for (size_t i = 0; status == STATUS_OK && i < shard->changes.count; i++)
		if (shard->changes.row[i].spare == GATE_ADDED)
			check_added(
			    run, shard, &recorded, &shard->changes.row[i]);
	run_recorded_free(&recorded);
	return status;
}

enum status
run_period_serials(struct run *run)
{
	enum status status = STATUS_OK;

	for (size_t i = 0;
	     status == STATUS_OK && run->tells_recorded && i < run->shard_count;
	     i++) {
		struct run_shard *shard = &run->shard[i];

		/* What is published for the first time has no before. */
		if (shard->state == RUN_SHARD_STAGED &&
		    shard->merge.added > 0 && shard->changes.count > 0)
			status = check_shard(run, shard);
	}
	return status;
}
