/* SPDX-License-Identifier: ISC */
/*
 * Rows of the snapshot into one set a shard. One reader is the rule where
 * there is little to read; else several do, each with a connection, in parts
 * that together have every row once (source_part.h). A reader shares nothing
 * with others while it reads: it has its sets and its counts, which are put
 * together when all are done.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "run_collect.h"

/* Rows taken from the source at a time. */
#define BATCH_ROWS 1024

/* Whether what is known of a faulty row tells its shard. */
static bool
can_place(const struct run *run, const struct source_row *row)
{
	switch (run->config->shards.scheme) {
	case SHARD_COLUMN:
	case SHARD_CDP:
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

/* NULL: of no shard that is known. */
static enum status
note_row(struct reader *reader, const struct source_row *row,
    const struct run_shard *shard, enum run_odd_kind kind, const char *why,
    int64_t value)
{
	const struct run *run = reader->run;
	char hex[UINT160_HEX_BYTES];
	struct run_odd odd = {
	    .kind = kind,
	    .shard =
		shard == NULL ? run->shard_count : (size_t)(shard - run->shard),
	    .why = why,
	    .value = value,
	};

	snprintf(odd.serial, sizeof(odd.serial), "%s", row_serial(row, hex));
	return run_odd_add(&reader->odd, run, &odd) ? STATUS_OK
						    : STATUS_NO_MEMORY;
}

/*
 * A row of another shard. A statement for one shard that yields it may as well
 * leave out what it should yield; else it is for the next run of all shards.
 */
static enum status
pass_over(struct reader *reader, const struct source_row *row, uint32_t index)
{
	if (reader->reading == NULL) {
		reader->rows_elsewhere++;
		return STATUS_OK;
	}
	return note_row(
	    reader, row, reader->reading, RUN_ODD_ELSEWHERE, NULL, index);
}

static enum status
refuse_faulty(struct reader *reader, const struct source_row *row)
{
	struct run *run = reader->run;
	struct run_shard *shard = NULL;
	const char *why = NULL;
	uint32_t index = 0;

	if (can_place(run, row) &&
	    shard_of(&run->config->shards, &row->serial, row->not_after_sec,
		&row->hint, &index, &why) == STATUS_OK) {
		shard = run_shard_find(run, index);
		if (shard == NULL)
			return pass_over(reader, row, index);
	}
	return note_row(reader, row, shard, RUN_ODD_FAULTY, row->fault, 0);
}

/*
 * A revocation dated after thisUpdate. Within the skew it is one that came in
 * while the run started: the next run lists it. Beyond, it is a mistake.
 */
static enum status
defer_row(struct reader *reader, const struct source_row *row,
    const struct run_shard *shard)
{
	const struct run *run = reader->run;

	if (row->revoked_at_sec - run->now_sec > run->config->skew_sec)
		return note_row(reader, row, shard, RUN_ODD_FUTURE, NULL,
		    row->revoked_at_sec);
	reader->shard[shard - run->shard].rows_deferred++;
	return STATUS_OK;
}

/*
 * Keeps when a row was recorded, if that was of late: for the ledger, for the
 * rule `period`, and to tell a revocation that was committed late from one
 * that was listed once. That it cannot be told withholds nothing: the row can
 * be listed without it.
 */
static enum status
collect_recorded(struct reader *reader, const struct source_row *row,
    const struct run_shard *shard)
{
	const struct run *run = reader->run;
	enum status status = STATUS_OK;

	if (row->recorded_fault != NULL)
		status = note_row(reader, row, shard, RUN_ODD_RECORDED,
		    row->recorded_fault, 0);
	/* A first publication is not held against anything. */
	if (!row->has_recorded || (!shard->has_previous && !shard->is_gone) ||
	    row->recorded_at_sec < shard->recorded_since_sec)
		return status;
	if (row->recorded_at_sec - run->now_sec > run->config->skew_sec) {
		/* A run that was asked to be in the past sees the future. */
		if (!run->options->has_now)
			status = note_row(reader, row, shard,
			    RUN_ODD_RECORDED_FUTURE, NULL,
			    row->recorded_at_sec);
		/* It would come and go until then. */
		if (row->not_after_sec < run->this_update_sec)
			return status;
	}
	if (status != STATUS_OK)
		return status;
	return row_set_add(reader->arena,
	    &reader->shard[shard - run->shard].recorded, &row->serial,
	    row->recorded_at_sec, row->reason, row->not_after_sec);
}

/* Pushes alone ask for serials, and there are few rows of them. */
static void
note_asked(struct reader *reader, const struct source_row *row)
{
	pthread_mutex_lock(&reader->readers->mutex);
	run_asked_note(reader->run, row);
	pthread_mutex_unlock(&reader->readers->mutex);
}

static enum status
collect_row(struct reader *reader, const struct source_row *row)
{
	struct run *run = reader->run;
	struct run_shard *shard;
	enum status status = STATUS_OK;
	const char *why = NULL;
	uint32_t index = 0;

	if (row->fault != NULL)
		return refuse_faulty(reader, row);
	if (shard_of(&run->config->shards, &row->serial, row->not_after_sec,
		&row->hint, &index, &why) != STATUS_OK)
		return note_row(reader, row, NULL, RUN_ODD_FAULTY, why, 0);
	shard = run_shard_find(run, index);
	if (shard == NULL ||
	    (reader->reading != NULL && reader->reading != shard))
		return pass_over(reader, row, index);
	if (run->options->asked_count > 0)
		note_asked(reader, row);
	if (row->revoked_at_sec > run->this_update_sec)
		return defer_row(reader, row, shard);
	if (row->has_recorded || row->recorded_fault != NULL)
		status = collect_recorded(reader, row, shard);
	if (status != STATUS_OK)
		return status;
	return row_set_add(reader->arena,
	    &reader->shard[shard - run->shard].rows, &row->serial,
	    row->revoked_at_sec, row->reason, row->not_after_sec);
}

/* Rows that cannot be kept. */
static enum status
reader_fault(const struct reader *reader, enum status status)
{
	const struct run *run = reader->run;

	if (status != STATUS_IO)
		return report_fault(reader->report, status, run->config->name,
		    NULL, NULL, "out of memory after %" PRIu64 " rows",
		    reader->rows_read);
	report_fault(reader->report, STATUS_FAILED, run->config->name, NULL,
	    NULL, "scratch file in %s: %s", run->config->state_dir,
	    run_memory_fault(run, status));
	report_hint(reader->report,
	    "rows beyond memory_budget, 32 octets each, are kept there until "
	    "they are signed");
	return STATUS_FAILED;
}

enum status
reader_read(struct reader *reader)
{
	struct run *run = reader->run;
	enum status status;
	size_t count = 0;

	reader->tells_recorded = source_tells_recorded(reader->source);
	while ((status = source_read(reader->source, reader->batch, BATCH_ROWS,
		    &count)) == STATUS_OK) {
		reader->rows_read += count;
		for (size_t i = 0; status == STATUS_OK && i < count; i++)
			status = collect_row(reader, &reader->batch[i]);
		if (status != STATUS_OK)
			return reader_fault(reader, status);
		progress_add(run->progress, count);
		if (atomic_load(&run->stop_reading))
			return STATUS_FAILED;
	}
	return status == STATUS_DONE ? STATUS_OK : status;
}

enum status
reader_init(struct reader *reader, struct readers *readers)
{
	struct run *run = readers->run;

	reader->run = run;
	reader->readers = readers;
	reader->report = run->report;
	reader->batch = calloc(BATCH_ROWS, sizeof(*reader->batch));
	reader->shard = calloc(run->shard_count + 1, sizeof(*reader->shard));
	reader->arena = row_arena_new(run->spill);
	return reader->batch != NULL && reader->shard != NULL &&
		       reader->arena != NULL
		   ? STATUS_OK
		   : STATUS_NO_MEMORY;
}

void
reader_free(struct reader *reader)
{
	run_odd_free(&reader->odd);
	row_arena_free(reader->arena);
	free(reader->batch);
	free(reader->shard);
}

/* What a reader read is the run's. */
static enum status
reader_take(struct run *run, struct reader *reader, struct run_odd_list *odd)
{
	enum status status = STATUS_OK;

	run->rows.read += reader->rows_read;
	run->rows_elsewhere += reader->rows_elsewhere;
	run->tells_recorded |= reader->tells_recorded;
	for (size_t i = 0; status == STATUS_OK && i < run->shard_count; i++) {
		struct reader_shard *from = &reader->shard[i];
		struct run_shard *shard = &run->shard[i];

		status = row_set_splice(&shard->rows, &from->rows);
		if (status == STATUS_OK)
			status =
			    row_set_splice(&shard->recorded, &from->recorded);
		shard->rows_deferred += from->rows_deferred;
		run->rows.deferred += from->rows_deferred;
	}
	row_arena_join(run->arena, reader->arena);
	reader->arena = NULL;
	if (status != STATUS_OK)
		return reader_fault(reader, status);
	return run_odd_join(odd, &reader->odd, run->shard_count)
		   ? STATUS_OK
		   : reader_fault(reader, STATUS_NO_MEMORY);
}

enum status
readers_take(struct readers *readers)
{
	struct run *run = readers->run;
	struct run_odd_list odd = {.count = 0};
	enum status status = STATUS_OK;

	for (unsigned i = 0; status == STATUS_OK && i < readers->count; i++)
		status = reader_take(run, &readers->reader[i], &odd);
	if (status == STATUS_OK)
		run_odd_tell(run, &odd);
	run_odd_free(&odd);
	return status;
}

/* Each shard by a statement of its own, one after the other. */
static enum status
collect_by_shard(struct reader *reader)
{
	struct run *run = reader->run;
	enum status status = STATUS_OK;

	for (size_t i = 0; status == STATUS_OK && i < run->shard_count; i++) {
		/* Of a shared run: what is to be made now. */
		if (run->work != NULL && !run->is_again &&
		    run->shard[i].state != RUN_SHARD_PENDING)
			continue;
		reader->reading = &run->shard[i];
		status = run_start_rows(run, reader->reading);
		if (status == STATUS_OK)
			status = reader_read(reader);
	}
	return status;
}

static uint64_t
expected_rows(const struct run *run)
{
	return run->has_manifest && !run->by_shard ? run->manifest.rows.read
						   : 0;
}

enum status
run_collect(struct run *run)
{
	struct readers readers = {.run = run};
	enum status status;

	pthread_mutex_init(&readers.mutex, NULL);
	pthread_cond_init(&readers.changed, NULL);
	progress_phase(run->progress, "reading rows", expected_rows(run));
	readers.count = 1;
	status = reader_init(&readers.reader[0], &readers);
	readers.reader[0].source = run->source;
	if (status != STATUS_OK)
		report_fault(run->report, status, run->config->name, NULL, NULL,
		    "out of memory");
	else if (run->by_shard)
		status = collect_by_shard(&readers.reader[0]);
	else
		status = readers_read(&readers);
	progress_clear(run->progress);
	if (status == STATUS_OK)
		status = readers_take(&readers);
	for (unsigned i = 0; i < readers.count; i++)
		reader_free(&readers.reader[i]);
	pthread_cond_destroy(&readers.changed);
	pthread_mutex_destroy(&readers.mutex);
	return status;
}
