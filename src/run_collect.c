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

static struct run_shard *
shard_at(struct run *run, uint32_t index)
{
	return &run->shard[index - run->config->shards.first];
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

static void
refuse_faulty(struct run *run, const struct source_row *row)
{
	struct run_shard *shard = NULL;
	const char *why = NULL;
	uint32_t index = 0;

	if (can_place(run, row) &&
	    shard_of(&run->config->shards, &row->serial, row->not_after_sec,
		&row->hint, &index, &why) == STATUS_OK)
		shard = shard_at(run, index);
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

static enum status
collect_row(struct run *run, const struct source_row *row)
{
	struct run_shard *shard;
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
	shard = shard_at(run, index);
	if (row->revoked_at_sec > run->this_update_sec) {
		defer_row(run, row, shard);
		return STATUS_OK;
	}
	flat = row_make(
	    &row->serial, row->revoked_at_sec, row->reason, row->not_after_sec);
	return row_set_append(run->arena, &shard->rows, &flat);
}

static uint64_t
expected_rows(const struct run *run)
{
	return run->has_manifest ? run->manifest.rows.read : 0;
}

enum status
run_collect(struct run *run)
{
	struct source_row *batch = calloc(BATCH_ROWS, sizeof(*batch));
	enum status status = STATUS_OK;
	size_t count = 0;

	if (batch == NULL)
		return report_fault(run->report, STATUS_NO_MEMORY,
		    run->config->name, NULL, NULL, "out of memory");
	progress_phase(run->progress, "reading rows", expected_rows(run));
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
	progress_clear(run->progress);
	free(batch);
	return status == STATUS_DONE ? STATUS_OK : status;
}
