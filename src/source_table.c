/* SPDX-License-Identifier: ISC */
/*
 * One snapshot of the database, and the rows of statements in it, as binary
 * COPY (PostgreSQL manual, 55: Frontend/Backend Protocol).
 */
#include "crlpress/source.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "crlpress/source_row.h"
#include "crlpress/utc.h"
#include "source_impl.h"

enum phase {
	PHASE_OPEN,     /* the snapshot stands */
	PHASE_COPY,     /* rows are coming */
	PHASE_COMPLETE, /* all of them came */
	PHASE_BROKEN    /* a fault was reported */
};

struct source_table {
	struct source source; /* first: a pointer to it is one to all */
	struct database *database;
	struct source_statement statement;
	struct source_shared shared;
	struct source_layout layout;
	enum phase phase;
	bool header_read;
	uint64_t rows;
	/* Received and not yet decoded: begin to end. */
	size_t begin;
	size_t end;
	uint8_t buffer[SOURCE_TUPLE_BYTES_MOST];
	/* Of a certificate in PEM. */
	uint8_t octets[SOURCE_TUPLE_BYTES_MOST];
};

static struct source_table *
table_of(struct source *source)
{
	return (struct source_table *)source;
}

struct database *
source_database(struct source *source)
{
	return table_of(source)->database;
}

const char *
source_name(struct source *source)
{
	return database_name(source_database(source));
}

struct report *
source_report(struct source *source)
{
	return database_report(source_database(source));
}

static void
table_report_to(struct source *source, struct report *report)
{
	database_report_to(source_database(source), report);
}

const struct source_statement *
source_statement(const struct source *source)
{
	return &((const struct source_table *)source)->statement;
}

void
source_choose(struct source *source, const struct source_statement *statement)
{
	table_of(source)->statement = *statement;
}

struct source_shared *
source_shared(struct source *source)
{
	return &table_of(source)->shared;
}

/* All of its columns, but recorded_at where that is not wanted. */
static char *
bounded_text(const struct source_table *table, const char *sql)
{
	static const char before[] =
	    "COPY (SELECT serial, revoked_at, reason, not_after, shard, ";
	static const char after[] =
	    "\n) AS crlpress_rows (serial, revoked_at, reason, not_after, "
	    "shard, recorded_at)) TO STDOUT (FORMAT binary)";
	int64_t since_sec = table->statement.recorded.since_sec;
	char iso[UTC_ISO_BYTES];
	char *text = NULL;
	int len;

	if (since_sec == INT64_MAX)
		len = asprintf(&text,
		    "%sCAST(NULL AS pg_catalog.timestamptz) FROM (%s%s", before,
		    sql, after);
	else
		len = asprintf(&text,
		    "%sCASE WHEN recorded_at >= CAST('%s' AS "
		    "pg_catalog.timestamptz) THEN recorded_at END FROM (%s%s",
		    before, utc_to_iso(since_sec, iso), sql, after);
	return len < 0 ? NULL : text;
}

/*
 * Its lines keep their numbers; one more keeps a comment at its end from eating
 * the parenthesis. NULL: out of memory.
 */
static char *
copy_text(const struct source_table *table, const char *sql)
{
	const struct source_layout *layout = &table->layout;
	char *text = NULL;

	if (table->statement.recorded.is_bounded && layout->has_recorded_at &&
	    layout->type[SOURCE_RECORDED_AT] == SOURCE_TYPE_TIMESTAMPTZ)
		return bounded_text(table, sql);
	return asprintf(&text, "COPY (%s\n) TO STDOUT (FORMAT binary)", sql) < 0
		   ? NULL
		   : text;
}

static enum status
copy_begin(struct source_table *table, const char *sql)
{
	struct database_query query = {table->statement.name, "copy", NULL};
	char *copy = copy_text(table, sql);
	enum status status;

	if (copy == NULL)
		return report_fault(source_report(&table->source),
		    STATUS_NO_MEMORY, table->statement.name, "copy", NULL,
		    "out of memory");
	query.sql = copy;
	status = database_copy_out(table->database, &query);
	free(copy);
	return status;
}

static enum status
table_start(struct source *source, const struct source_statement *statement,
    int64_t lookback_sec)
{
	struct source_table *table = table_of(source);
	char *sql = NULL;
	enum status status;

	if (table->phase != PHASE_OPEN && table->phase != PHASE_COMPLETE)
		return report_fault(source_report(source), STATUS_FAILED,
		    source_name(source), "statement", NULL,
		    "rows of another one are not all read");
	table->statement = *statement;
	table->header_read = false;
	table->rows = 0;
	table->begin = table->end = 0;
	status =
	    source_statement_check(source, lookback_sec, &table->layout, &sql);
	if (status == STATUS_OK)
		status = copy_begin(table, sql);
	table->phase = status == STATUS_OK ? PHASE_COPY : PHASE_BROKEN;
	free(sql);
	return status;
}

static enum status
copy_fault(struct source_table *table, const char *what)
{
	return report_fault(source_report(&table->source), STATUS_MALFORMED,
	    source_name(&table->source), "copy", "binary COPY format",
	    "after row %" PRIu64 ": %s", table->rows, what);
}

/*
 * The COPY has no more data: only the command's own word makes it complete.
 * `trailer` says whether the data said so too.
 */
static enum status
copy_end(struct source_table *table, bool trailer)
{
	const struct database_query query = {
	    table->statement.name, "copy", NULL};
	uint64_t told;
	enum status status;

	status = database_copy_out_end(table->database, &query, &told);
	if (status != STATUS_OK)
		return status;
	if (!trailer)
		return copy_fault(table, "it ended without a trailer");
	if (told != table->rows)
		return report_fault(source_report(&table->source),
		    STATUS_MALFORMED, source_name(&table->source), "copy", NULL,
		    "rows, have %" PRIu64 ", want the server's %" PRIu64,
		    table->rows, told);
	return STATUS_OK;
}

/* Some more octets into the buffer; STATUS_DONE when the server has no more. */
static enum status
copy_receive(struct source_table *table)
{
	enum status status;
	size_t count = 0;

	if (table->begin > 0) {
		table->end -= table->begin;
		memmove(
		    table->buffer, table->buffer + table->begin, table->end);
		table->begin = 0;
	}
	if (table->end == sizeof(table->buffer))
		return copy_fault(table, "a tuple above 64 KiB");
	status =
	    database_copy_receive(table->database, table->buffer + table->end,
		sizeof(table->buffer) - table->end, &count);
	table->end += count;
	return status;
}

/* The trailer was read: nothing may follow it. */
static enum status
copy_finish(struct source_table *table)
{
	enum status status;

	if (table->begin != table->end)
		return copy_fault(table, "data after the trailer");
	status = copy_receive(table);
	if (status == STATUS_OK)
		return copy_fault(table, "data after the trailer");
	if (status != STATUS_DONE)
		return status;
	status = copy_end(table, true);
	return status == STATUS_OK ? STATUS_DONE : status;
}

/* What is at the start of the buffer: the header once, then a row. */
static enum status
copy_decode(struct source_table *table, struct source_row *row, size_t *used)
{
	const uint8_t *bytes = table->buffer + table->begin;
	size_t len = table->end - table->begin;
	const char *why = NULL;
	enum status status;

	if (!table->header_read) {
		status = source_header_decode(bytes, len, used, &why);
		if (status != STATUS_OK)
			return copy_fault(table, why);
		if (*used == 0)
			return STATUS_OK;
		table->begin += *used;
		table->header_read = true;
		return copy_decode(table, row, used);
	}
	status = source_row_decode(&table->layout, bytes, len, used, row, &why);
	if (status == STATUS_MALFORMED)
		return copy_fault(table, why);
	table->begin += *used;
	return status;
}

/* STATUS_DONE after the last row, when the COPY is known to be complete. */
static enum status
row_next(struct source_table *table, struct source_row *row)
{
	enum status status;
	size_t used = 0;

	for (;;) {
		status = copy_decode(table, row, &used);
		if (status == STATUS_DONE)
			return copy_finish(table);
		if (status != STATUS_OK)
			return status;
		if (used > 0) {
			table->rows++;
			return STATUS_OK;
		}
		status = copy_receive(table);
		if (status == STATUS_DONE)
			return copy_end(table, false);
		if (status != STATUS_OK)
			return status;
	}
}

static bool
table_tells_recorded(const struct source *source)
{
	return ((const struct source_table *)source)->layout.has_recorded_at;
}

static enum status
table_read(
    struct source *source, struct source_row *rows, size_t room, size_t *count)
{
	struct source_table *table = table_of(source);
	enum status status = STATUS_OK;
	size_t n = 0;

	if (table->phase == PHASE_COMPLETE)
		return STATUS_DONE;
	if (table->phase != PHASE_COPY)
		return STATUS_FAILED;
	while (n < room) {
		status = row_next(table, &rows[n]);
		if (status != STATUS_OK)
			break;
		n++;
	}
	if (status == STATUS_DONE) {
		table->phase = PHASE_COMPLETE;
		if (n == 0)
			return STATUS_DONE;
	} else if (status != STATUS_OK) {
		table->phase = PHASE_BROKEN;
		return status;
	}
	*count = n;
	return STATUS_OK;
}

static enum status
table_renew(struct source *source)
{
	const struct database_query query = {
	    source_name(source), "snapshot", "COMMIT"};
	struct source_table *table = table_of(source);
	enum status status = database_execute(table->database, &query);

	table->statement.sql = source->config.sql;
	table->statement.name = source->config.sql_name;
	if (status == STATUS_OK)
		status = source_snapshot_take(source, NULL, &source->snapshot);
	table->phase = status == STATUS_OK ? PHASE_OPEN : PHASE_BROKEN;
	return status;
}

static void
table_cancel(struct source *source)
{
	database_cancel(source_database(source));
}

static void
table_close(struct source *source)
{
	database_close(source_database(source));
	free(table_of(source));
}

static const struct source_ops table_ops = {
    .renew = table_renew,
    .start = table_start,
    .tells_recorded = table_tells_recorded,
    .read = table_read,
    .report_to = table_report_to,
    .cancel = table_cancel,
    .close = table_close,
};

/* Connects, and takes a snapshot or, where there is an id, that one. */
static enum status
table_open(const struct source_config *config, const char *import,
    struct report *report, struct source **source)
{
	const struct database_config database = {
	    .conninfo = config->conninfo,
	    .key = "[source] conninfo",
	    .file = config->file,
	    .absent_hint = config->absent_hint,
	    .connect_timeout_sec = config->connect_timeout_sec,
	    .statement_timeout_sec = config->statement_timeout_sec,
	    .stop = config->stop,
	};
	struct source_table *new = calloc(1, sizeof(*new));
	enum status status;

	*source = NULL;
	if (new == NULL)
		return report_fault(report, STATUS_NO_MEMORY, "database",
		    "connect", NULL, "out of memory");
	new->source.ops = &table_ops;
	new->source.config = *config;
	new->layout.octets = new->octets;
	new->statement.sql = config->sql;
	new->statement.name = config->sql_name;
	status = database_open(&database, report, &new->database);
	if (status == STATUS_OK)
		status = source_snapshot_take(
		    &new->source, import, &new->source.snapshot);
	if (status == STATUS_OK)
		*source = &new->source;
	else
		table_close(&new->source);
	return status;
}

enum status
source_table_open(const struct source_config *config, struct report *report,
    struct source **source)
{
	return table_open(config, NULL, report, source);
}

/*
 * Whether this is the server where the snapshot was exported, and sees what
 * that one saw. Two servers may have given out one id.
 */
static enum status
shared_check(struct source *source, const struct source_shared *want)
{
	const struct source_snapshot *have = &source->snapshot;
	struct source_shared mine = {.started = 0};
	enum status status = source_share_ask(source, false, &mine);

	if (status != STATUS_OK)
		return status;
	if (mine.started == want->started && mine.seen == want->seen &&
	    have->standby == want->snapshot.standby &&
	    have->has_position == want->snapshot.has_position &&
	    strcmp(have->system_identifier, want->snapshot.system_identifier) ==
		0 &&
	    have->wal_position >= want->snapshot.wal_position)
		return STATUS_OK;
	return report_fault(source_report(source), STATUS_REFUSED,
	    source_name(source), "snapshot", "house rule",
	    "another server answered than the one that shares its snapshot");
}

enum status
source_open_shared(const struct source_config *config,
    const struct source_share *share, struct report *report,
    struct source **source)
{
	struct source_config follower = *config;
	struct source_shared shared;
	enum status status = source_share_parse(share, &shared);

	*source = NULL;
	if (status != STATUS_OK)
		return report_fault(report, status, "database", "snapshot",
		    NULL, "this is no shared snapshot: %s", share->text);
	follower.share = false;
	status = table_open(&follower, shared.id, report, source);
	if (status == STATUS_OK)
		status = shared_check(*source, &shared);
	if (status == STATUS_OK) {
		(*source)->snapshot = shared.snapshot;
		return STATUS_OK;
	}
	source_close(*source);
	*source = NULL;
	return status;
}
