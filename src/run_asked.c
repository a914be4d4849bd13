/* SPDX-License-Identifier: ISC */
/*
 * The serials that a push is asked for: which shard each is in, and whether
 * the database says that it is revoked. Nothing is pushed for one of which it
 * does not.
 */
#include <inttypes.h>
#include <stdlib.h>

#include "crlpress/utc.h"
#include "run_impl.h"

/* More than this are looked for in all rows rather than one by one. */
#define LOCATE_ONE_BY_ONE_MOST 256

/* Rows taken from the source at a time. */
#define BATCH_ROWS 256

#define RULE "push"

/* What faults of the statement are about where it is in no file. */
#define NATIVE_NAME "native statement for one serial"

static struct run_asked *
asked_find(struct run *run, const struct uint160 *serial)
{
	struct run_asked *asked = run->options->asked;
	size_t low = 0, high = run->options->asked_count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int order = uint160_compare(&asked[middle].serial, serial);

		if (order == 0)
			return &asked[middle];
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return NULL;
}

/* By the row, its shard; two rows in two shards are no answer. */
static enum status
place_row(struct run *run, const struct source_row *row, bool *placed)
{
	struct run_asked *asked =
	    row->has_serial ? asked_find(run, &row->serial) : NULL;
	char hex[UINT160_HEX_BYTES];
	const char *why = row->fault;
	uint32_t index = 0;

	if (asked == NULL)
		return STATUS_OK;
	if (why != NULL ||
	    shard_of(&run->config->shards, &row->serial, row->not_after_sec,
		&row->hint, &index, &why) != STATUS_OK)
		return report_fault(run->report, STATUS_REFUSED,
		    run->config->name, RULE, "BR 4.9.7",
		    "the shard of serial %s cannot be told: %s",
		    uint160_to_hex(&row->serial, hex), why);
	if (placed[asked - run->options->asked] && asked->shard != index)
		return report_fault(run->report, STATUS_REFUSED,
		    run->config->name, RULE, "house rule",
		    "serial %s has rows in shard %" PRIu32
		    " and shard %" PRIu32,
		    uint160_to_hex(&row->serial, hex), asked->shard, index);
	if (asked->has_shard && !placed[asked - run->options->asked])
		return STATUS_OK; /* its certificate says it */
	placed[asked - run->options->asked] = true;
	asked->has_shard = true;
	asked->shard = index;
	return STATUS_OK;
}

/* The rows of a statement that was started. */
static enum status
place_rows(struct run *run, struct source *source, bool *placed)
{
	struct source_row *batch = calloc(BATCH_ROWS, sizeof(*batch));
	enum status status = STATUS_NO_MEMORY;
	enum status worst = STATUS_OK;
	size_t count = 0;

	if (batch == NULL)
		return report_fault(run->report, status, run->config->name,
		    NULL, NULL, "out of memory");
	while ((status = source_read(source, batch, BATCH_ROWS, &count)) ==
	       STATUS_OK)
		for (size_t i = 0; i < count; i++)
			worst = status_graver(
			    worst, place_row(run, &batch[i], placed));
	free(batch);
	return status == STATUS_DONE ? worst : status;
}

static enum status
locate_one(struct run *run, struct source *source, struct run_asked *asked,
    bool *placed)
{
	const struct config *config = run->config;
	char hex[UINT160_HEX_BYTES];
	struct source_statement statement = {
	    .sql = config->serial_sql,
	    .name = config->serial_query_file != NULL
			? config->serial_query_file
			: NATIVE_NAME,
	};
	enum status status;

	statement.serial = uint160_to_hex(&asked->serial, hex);
	status = source_start_statement(source, &statement,
	    run->context->clock_sec() - config->lookback_sec);
	return status == STATUS_OK ? place_rows(run, source, placed) : status;
}

/* By the serial alone, where the scheme does that; counts the others. */
static size_t
locate_by_scheme(struct run *run)
{
	const struct shard_scheme_config *shards = &run->config->shards;
	const struct shard_hint hint = {0};
	const char *why = NULL;
	size_t left = 0;

	for (size_t i = 0; i < run->options->asked_count; i++) {
		struct run_asked *asked = &run->options->asked[i];

		if (!asked->has_shard && shards->scheme == SHARD_SERIAL_MOD)
			asked->has_shard =
			    shard_of(shards, &asked->serial, 0, &hint,
				&asked->shard, &why) == STATUS_OK;
		left += !asked->has_shard;
	}
	return left;
}

static enum status
locate_in(struct run *run, struct source *source, size_t left, bool *placed)
{
	const struct config *config = run->config;
	enum status status = STATUS_OK;
	size_t i;

	if (config->serial_sql == NULL || left > LOCATE_ONE_BY_ONE_MOST) {
		status = source_start(
		    source, run->context->clock_sec() - config->lookback_sec);
		return status == STATUS_OK ? place_rows(run, source, placed)
					   : status;
	}
	for (i = 0; status == STATUS_OK && i < run->options->asked_count; i++)
		if (!run->options->asked[i].has_shard)
			status = locate_one(
			    run, source, &run->options->asked[i], placed);
	return status;
}

/* All that are not found are told, and nothing is begun. */
static enum status
judge_located(struct run *run)
{
	enum status status = STATUS_OK;
	char hex[UINT160_HEX_BYTES];

	for (size_t i = 0; i < run->options->asked_count; i++) {
		const struct run_asked *asked = &run->options->asked[i];

		if (!asked->has_shard)
			status = report_fault(run->report, STATUS_REFUSED,
			    run->config->name, RULE, "house rule",
			    "serial %s is not revoked in the database: it has "
			    "no row",
			    uint160_to_hex(&asked->serial, hex));
	}
	return status;
}

enum status
run_asked_locate(struct run *run)
{
	size_t left = locate_by_scheme(run);
	bool *placed = NULL;
	enum status status;

	if (left == 0)
		return STATUS_OK;
	placed = calloc(run->options->asked_count, sizeof(*placed));
	if (placed == NULL)
		return report_fault(run->report, STATUS_NO_MEMORY,
		    run->config->name, NULL, NULL, "out of memory");
	/* A snapshot of its own: that of the run is taken when the store has
	 * been looked at. */
	status = run_connect(run, &run->source);
	if (status == STATUS_OK)
		status = locate_in(run, run->source, left, placed);
	free(placed);
	return status == STATUS_OK ? judge_located(run) : status;
}

void
run_asked_note(struct run *run, const struct source_row *row)
{
	struct run_asked *asked = asked_find(run, &row->serial);

	if (asked == NULL)
		return;
	asked->deferred = row->revoked_at_sec > run->this_update_sec;
	if (!row->has_recorded ||
	    (asked->has_recorded &&
		asked->recorded_at_sec <= row->recorded_at_sec))
		return;
	asked->has_recorded = true;
	asked->recorded_at_sec = row->recorded_at_sec;
}

/* The last one of this serial; NULL: there is none. */
static const struct row *
row_of(const struct row *rows, size_t n, const struct uint160 *serial)
{
	size_t end = row_seek(rows, n, serial);

	return end > 0 && uint160_compare(&rows[end - 1].serial, serial) == 0
		   ? &rows[end - 1]
		   : NULL;
}

/*
 * BR 4.9.7 counts the time to the first CRL that lists it, and a push of what
 * is listed already is not that. The merge has told what differs from the CRL
 * that stood there; one that was damaged, or is not the issuer's word, and was
 * let pass says nothing of what it does not list, or does.
 */
static enum run_before
before_of(const struct run *run, const struct run_shard *shard,
    const struct uint160 *serial)
{
	const struct gate_passes *passes = &run->options->passes;
	const struct row *change =
	    row_of(shard->changes.row, shard->changes.count, serial);

	if (shard->is_gone || shard->previous_passed ||
	    gate_was_passed(passes, GATE_PREVIOUS, shard->index) ||
	    gate_was_passed(passes, GATE_SCOPE, shard->index))
		return RUN_BEFORE_UNKNOWN;
	if (!shard->has_previous ||
	    (change != NULL && change->spare == GATE_ADDED))
		return RUN_BEFORE_NOT;
	return change != NULL ? RUN_BEFORE_CHANGED : RUN_BEFORE_LISTED;
}

void
run_asked_mark(struct run *run, const struct run_shard *shard,
    const struct row *rows, size_t n)
{
	for (size_t i = 0; i < run->options->asked_count; i++) {
		struct run_asked *asked = &run->options->asked[i];

		if (asked->shard != shard->index)
			continue;
		asked->listed = row_of(rows, n, &asked->serial) != NULL;
		asked->before = before_of(run, shard, &asked->serial);
		asked->before_number = shard->previous_number;
		asked->before_this_update_sec = shard->previous_this_update_sec;
	}
}

static enum status
not_listed(struct run *run, const struct run_shard *shard,
    const struct run_asked *asked)
{
	char hex[UINT160_HEX_BYTES], date[UTC_ISO_BYTES];
	enum status status;

	uint160_to_hex(&asked->serial, hex);
	if (!asked->deferred)
		return report_fault(run->report, STATUS_REFUSED, shard->object,
		    RULE, "house rule",
		    "serial %s is not revoked in the database, or expired and "
		    "listed long ago: no row of this shard lists it",
		    hex);
	status = report_fault(run->report, STATUS_REFUSED, shard->object, RULE,
	    "RFC 5280, 5.1.2.6",
	    "serial %s is revoked after this thisUpdate, %s", hex,
	    utc_to_iso(run->this_update_sec, date));
	report_hint(run->report, "push again in a moment");
	return status;
}

/* What another gate withheld has been said. */
enum status
run_asked_judge(struct run *run)
{
	enum status status = STATUS_OK;

	for (size_t i = 0; i < run->options->asked_count; i++) {
		const struct run_asked *asked = &run->options->asked[i];
		const struct run_shard *shard =
		    run_shard_find(run, asked->shard);

		if (shard != NULL && shard->state == RUN_SHARD_STAGED &&
		    !asked->listed)
			status = not_listed(run, shard, asked);
	}
	return status;
}
