/* SPDX-License-Identifier: ISC */
/* Rows of the snapshot into one set a shard; faulty ones are named. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "crlpress/quantity.h"
#include "crlpress/utc.h"
#include "run_impl.h"

/* Rows taken from the source at a time. */
#define BATCH_ROWS 1024

#define ROW_OBJECT_BYTES (RUN_OBJECT_BYTES + SOURCE_SERIAL_TEXT_BYTES + 16)

/* Whether what is known of a faulty row tells its shard. */
static bool
can_place(const struct run *run, const struct source_row *row)
{
	switch (run->config->shards.scheme) {
	case SHARD_COLUMN:
		return row->has_hint;
	case SHARD_SERIAL_MOD:
		return row->has_serial;
	case SHARD_EXPIRY:
		return row->has_not_after;
	}
	return false;
}

/* As the database has it, or, where that was in order, in hex. */
static const char *
row_serial(const struct source_row *row, char hex[UINT160_HEX_BYTES])
{
	if (row->serial_text[0] != '\0')
		return row->serial_text;
	if (row->has_serial)
		return uint160_to_hex(&row->serial, hex);
	return "(no serial)";
}

/*
 * A row that cannot be listed withholds its shard, or, where not even that is
 * known, every shard: a certificate is revoked and nothing would say so.
 */
static void
refuse_row(struct run *run, const struct source_row *row,
    struct run_shard *shard, const char *why)
{
	struct gate_place place =
	    shard == NULL ? run_place(run) : run_shard_place(run, shard);
	char object[ROW_OBJECT_BYTES];
	char serial[UINT160_HEX_BYTES];

	snprintf(object, sizeof(object), "%s/row %s", place.object,
	    row_serial(row, serial));
	place.object = object;
	if (shard == NULL) {
		run->rows_unplaced++;
		/* Counted here, judged when all rows are read. */
		report_warn(run->report, object, gate_name(GATE_UNPLACED),
		    "BR 4.9.7", "%s; no shard can be told for it", why);
		return;
	}
	shard->rows_faulty++;
	if (gate_refuse(&place, GATE_ROWS, "%s", why) != STATUS_OK)
		shard->rows_refused = true;
}

/*
 * A row of another shard. A statement for one shard that yields it may as well
 * leave out what it should yield; else it is for the next run of all shards.
 */
static void
pass_over(struct run *run, const struct source_row *row, uint32_t index)
{
	char why[96];

	if (run->reading == NULL) {
		run->rows_elsewhere++;
		return;
	}
	snprintf(why, sizeof(why),
	    "a row of shard %" PRIu32 ", which was not asked for", index);
	refuse_row(run, row, run->reading, why);
}

static void
refuse_faulty(struct run *run, const struct source_row *row)
{
	struct run_shard *shard = NULL;
	const char *why = NULL;
	uint32_t index = 0;

	if (can_place(run, row) &&
	    shard_of(&run->config->shards, &row->serial, row->not_after_sec,
		&row->hint, &index, &why) == STATUS_OK) {
		shard = run_shard_find(run, index);
		if (shard == NULL) {
			pass_over(run, row, index);
			return;
		}
	}
	refuse_row(run, row, shard, row->fault);
}

/*
 * A revocation dated after thisUpdate. Within the skew it is one that came in
 * while the run started: the next run lists it. Beyond, it is a mistake.
 */
static void
defer_row(
    struct run *run, const struct source_row *row, struct run_shard *shard)
{
	char date[UTC_ISO_BYTES], limit[QUANTITY_DURATION_BYTES];
	char why[160];

	if (row->revoked_at_sec - run->this_update_sec <=
	    run->config->skew_sec) {
		run->rows.deferred++;
		return;
	}
	snprintf(why, sizeof(why),
	    "revoked_at lies in the future, have %s, want within %s of now",
	    utc_to_iso(row->revoked_at_sec, date),
	    quantity_duration_text(run->config->skew_sec, limit));
	refuse_row(run, row, shard, why);
}

/*
 * Keeps when a row was recorded, if that was of late: for the ledger, for the
 * rule `period`, and to tell a revocation that was committed late from one
 * that was listed once. That it cannot be told withholds nothing: the row can
 * be listed without it.
 */
static enum status
collect_recorded(
    struct run *run, const struct source_row *row, struct run_shard *shard)
{
	char serial[UINT160_HEX_BYTES], date[UTC_ISO_BYTES];
	int64_t ahead_sec;
	struct row flat;

	if (row->recorded_fault != NULL)
		report_warn(run->report, shard->object, "period", "BR 4.9.7",
		    "serial %s: %s", uint160_to_hex(&row->serial, serial),
		    row->recorded_fault);
	/* A first publication is not held against anything. */
	if (!row->has_recorded || (!shard->has_previous && !shard->is_gone) ||
	    row->recorded_at_sec < run_recorded_since(run, shard))
		return STATUS_OK;
	ahead_sec = row->recorded_at_sec - run->this_update_sec;
	if (ahead_sec > run->config->skew_sec) {
		/* A run that was asked to be in the past sees the future. */
		if (!run->options->has_now)
			report_warn(run->report, shard->object, "period",
			    "BR 4.9.7",
			    "serial %s: recorded_at lies in the future, have "
			    "%s",
			    uint160_to_hex(&row->serial, serial),
			    utc_to_iso(row->recorded_at_sec, date));
		/* It would come and go until then. */
		if (row->not_after_sec < run->this_update_sec)
			return STATUS_OK;
	}
	flat = row_make(&row->serial, row->recorded_at_sec, row->reason,
	    row->not_after_sec);
	return row_set_append(run->arena, &shard->recorded, &flat);
}

static enum status
collect_row(struct run *run, const struct source_row *row)
{
	struct run_shard *shard;
	enum status status = STATUS_OK;
	const char *why = NULL;
	uint32_t index = 0;
	struct row flat;

	if (row->fault != NULL) {
		refuse_faulty(run, row);
		return STATUS_OK;
	}
	if (shard_of(&run->config->shards, &row->serial, row->not_after_sec,
		&row->hint, &index, &why) != STATUS_OK) {
		refuse_row(run, row, NULL, why);
		return STATUS_OK;
	}
	shard = run_shard_find(run, index);
	if (shard == NULL || (run->reading != NULL && run->reading != shard)) {
		pass_over(run, row, index);
		return STATUS_OK;
	}
	if (run->options->asked_count > 0)
		run_asked_note(run, row);
	if (row->revoked_at_sec > run->this_update_sec) {
		defer_row(run, row, shard);
		return STATUS_OK;
	}
	if (row->has_recorded || row->recorded_fault != NULL)
		status = collect_recorded(run, row, shard);
	if (status != STATUS_OK)
		return status;
	flat = row_make(
	    &row->serial, row->revoked_at_sec, row->reason, row->not_after_sec);
	return row_set_append(run->arena, &shard->rows, &flat);
}

static uint64_t
expected_rows(const struct run *run)
{
	return run->has_manifest ? run->manifest.rows.read : 0;
}

/* The rows of one statement. */
static enum status
collect_rows(struct run *run, struct run_shard *shard, struct source_row *batch)
{
	enum status status = run_start_rows(run, shard);
	size_t count = 0;

	if (status != STATUS_OK)
		return status;
	run->reading = shard;
	run->tells_recorded = source_tells_recorded(run->source);
	while ((status = source_read(run->source, batch, BATCH_ROWS, &count)) ==
	       STATUS_OK) {
		run->rows.read += count;
		for (size_t i = 0; status == STATUS_OK && i < count; i++)
			status = collect_row(run, &batch[i]);
		if (status != STATUS_OK) {
			report_fault(run->report, status, run->config->name,
			    NULL, NULL, "out of memory after %" PRIu64 " rows",
			    run->rows.read);
			break;
		}
		progress_add(run->progress, count);
	}
	return status == STATUS_DONE ? STATUS_OK : status;
}

enum status
run_collect(struct run *run)
{
	struct source_row *batch = calloc(BATCH_ROWS, sizeof(*batch));
	enum status status = STATUS_OK;

	if (batch == NULL)
		return report_fault(run->report, STATUS_NO_MEMORY,
		    run->config->name, NULL, NULL, "out of memory");
	progress_phase(run->progress, "reading rows",
	    run->by_shard ? 0 : expected_rows(run));
	if (!run->by_shard)
		status = collect_rows(run, NULL, batch);
	for (size_t i = 0;
	     status == STATUS_OK && run->by_shard && i < run->shard_count; i++)
		status = collect_rows(run, &run->shard[i], batch);
	progress_clear(run->progress);
	free(batch);
	return status;
}
