/* SPDX-License-Identifier: ISC */
/*
 * Revocations into the native table. A single one is a call of the function
 * crlpress.revoke, which looks what is there; many are copied into a temporary
 * table and inserted from it by one statement, and only where some of them
 * were there already is the function asked about each.
 *
 * Functions and types are named with their schema: search_path is the role's.
 */
#include "crlpress/record.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "crlpress/database.h"
#include "crlpress/reason.h"
#include "crlpress/utc.h"

#define RULE "revoke"

/* A transaction that waits for another's lock is told so, in time. */
#define LOCK_TIMEOUT_SEC 30

/* Octets sent at a time; a row is a few dozen. */
#define SEND_BYTES 65536
#define TUPLE_BYTES_MOST 96

/* Rows that differ and are named; the report has a limit of its own. */
#define DIFFERING_MOST "100"

#define COLUMNS 6

/* A path is cut off before its line number is. */
#define OBJECT_BYTES 512

struct record {
	struct database *database;
	const struct config *config;
	const char *name;
	struct report *report;
};

/* What is sent next. */
struct outgoing {
	size_t len;
	uint8_t octets[SEND_BYTES];
};

static enum status
transaction_begin(struct record *record)
{
	int64_t timeout_sec = record->config->statement_timeout_sec;
	char sql[256];
	const struct database_query query = {
	    database_name(record->database), RULE, sql};

	if (timeout_sec < 0 || timeout_sec > INT32_MAX / 1000)
		timeout_sec = INT32_MAX / 1000;
	snprintf(sql, sizeof(sql),
	    "BEGIN TRANSACTION ISOLATION LEVEL READ COMMITTED READ WRITE;"
	    "SET LOCAL statement_timeout = %" PRId64 ";"
	    "SET LOCAL lock_timeout = %d;"
	    "SET LOCAL client_min_messages = warning",
	    timeout_sec * 1000, LOCK_TIMEOUT_SEC * 1000);
	return database_execute(record->database, &query);
}

enum status
record_open(const struct config *config, const char *name,
    struct report *report, struct record **out)
{
	const struct database_config database = {
	    .conninfo = config->revoke_conninfo != NULL
			    ? config->revoke_conninfo
			    : config->conninfo,
	    .key = config->revoke_conninfo != NULL ? "[source] revoke_conninfo"
						   : "[source] conninfo",
	    .file = config->path,
	    .absent_hint = CONFIG_NATIVE_HINT,
	    .connect_timeout_sec = config->connect_timeout_sec,
	    .statement_timeout_sec = config->statement_timeout_sec,
	    .denied_hint = "the role has to be a member of crlpress_revoker "
			   "(sharding-config/native.sql); revoke_conninfo "
			   "names it",
	};
	struct record *record = calloc(1, sizeof(*record));
	enum status status;

	*out = NULL;
	if (record == NULL)
		return report_fault(report, STATUS_NO_MEMORY, name, RULE, NULL,
		    "out of memory");
	record->config = config;
	record->name = name;
	record->report = report;
	status = database_open(&database, report, &record->database);
	if (status == STATUS_OK)
		status = transaction_begin(record);
	if (status == STATUS_OK)
		*out = record;
	else
		record_close(record);
	return status;
}

enum status
record_commit(struct record *record)
{
	const struct database_query query = {
	    database_name(record->database), RULE, "COMMIT"};
	enum status status = database_execute(record->database, &query);

	/* Its answer may have been lost on the way. */
	if (status != STATUS_OK)
		report_hint(record->report,
		    "it may be recorded nevertheless: run it again, which does "
		    "no harm");
	return status;
}

static int64_t
sec_from_wire(uint64_t usec)
{
	int64_t value = (int64_t)usec;
	int64_t sec = value / DATABASE_USEC_PER_SEC;

	if (value % DATABASE_USEC_PER_SEC < 0)
		sec--;
	return sec + DATABASE_EPOCH_SEC;
}

/* Of a file its line, else its name. */
static const char *
row_object(const struct record *record, const struct record_row *asked,
    char object[OBJECT_BYTES])
{
	if (asked->line > 0)
		snprintf(object, OBJECT_BYTES, "%.*s:%" PRIu32,
		    OBJECT_BYTES - 16, record->name, asked->line);
	else
		snprintf(object, OBJECT_BYTES, "%s", record->name);
	return object;
}

/* Rows have to say their shard: the scheme cannot. */
static bool
shard_is_column(const struct record *record)
{
	return record->config->shards.scheme == SHARD_COLUMN;
}

/* A row that no run lists: to record the same again would not change that. */
static enum status
shardless_fault(struct record *record, const struct record_row *asked)
{
	char object[OBJECT_BYTES], serial[UINT160_HEX_BYTES];

	report_fault(record->report, STATUS_USAGE,
	    row_object(record, asked, object), RULE, "BR 4.9.7",
	    "serial %s: what is recorded is wrong: row without a shard",
	    uint160_to_hex(&asked->serial, serial));
	record_hint_wrong(record->report);
	return STATUS_USAGE;
}

/* What stands in the table and is not what was asked for. */
static enum status
differs_fault(struct record *record, const struct record_row *asked,
    const struct record_row *stands)
{
	char object[OBJECT_BYTES], serial[UINT160_HEX_BYTES];
	char since[UTC_ISO_BYTES], expires[UTC_ISO_BYTES], shard[16] = "none";

	if (stands->has_shard)
		snprintf(shard, sizeof(shard), "%" PRIu32, stands->shard);
	return report_fault(record->report, STATUS_REFUSED,
	    row_object(record, asked, object), RULE, "BR 7.2.2",
	    "serial %s is recorded already, and but for an upgrade to "
	    "keyCompromise, with the same date or an earlier one, stays so: "
	    "have %s since %s, expires %s, shard %s",
	    uint160_to_hex(&asked->serial, serial), reason_name(stands->reason),
	    utc_to_iso(stands->revoked_at_sec, since),
	    utc_to_iso(stands->not_after_sec, expires), shard);
}

/* Columns from `column` on: revoked_at, reason, not_after, shard. */
static void
stands_read(const struct database_answer *answer, int row, int column,
    struct record_row *stands)
{
	uint64_t value;

	if (database_answer_integer(answer, row, column, 8, &value))
		stands->revoked_at_sec = sec_from_wire(value);
	if (database_answer_integer(answer, row, column + 1, 2, &value))
		stands->reason = (uint8_t)value;
	stands->has_not_after =
	    database_answer_integer(answer, row, column + 2, 8, &value);
	if (stands->has_not_after)
		stands->not_after_sec = sec_from_wire(value);
	stands->has_shard =
	    database_answer_integer(answer, row, column + 3, 4, &value);
	stands->shard = (uint32_t)value;
	stands->has_date = true;
}

static enum status
outcome_judge(struct record *record, const char *outcome,
    const struct record_row *stands, struct record_row *row,
    struct record_counts *counts)
{
	if (strcmp(outcome, "incomplete") == 0)
		return STATUS_NOT_FOUND;
	if (strcmp(outcome, "recorded") == 0)
		counts->recorded++;
	else if (strcmp(outcome, "upgraded") == 0)
		counts->upgraded++;
	else if (strcmp(outcome, "same") == 0)
		counts->same++;
	else
		return differs_fault(record, row, stands);
	*row = *stands;
	return STATUS_OK;
}

enum status
record_one(struct record *record, bool complete, struct record_row *row,
    struct record_counts *counts)
{
	const struct database_query query = {record->name, RULE,
	    "SELECT outcome, revoked_at, reason, not_after, shard "
	    "FROM crlpress.revoke($1, pg_catalog.decode($2, 'hex'), $3, $4, "
	    "$5, $6, $7, $8)"};
	char serial[UINT160_HEX_BYTES], reason[8], shard[16], outcome[16];
	char revoked_at[UTC_ISO_BYTES], not_after[UTC_ISO_BYTES];
	const char *parameter[] = {record->config->issuer_id,
	    uint160_to_hex(&row->serial, serial), complete ? "t" : "f",
	    row->has_date ? "t" : "f",
	    utc_to_iso(row->revoked_at_sec, revoked_at), reason, NULL, NULL};
	struct record_row stands = *row;
	struct database_answer *answer;
	enum status status;

	snprintf(reason, sizeof(reason), "%u", row->reason);
	snprintf(shard, sizeof(shard), "%" PRIu32, row->shard);
	if (row->has_not_after)
		parameter[6] = utc_to_iso(row->not_after_sec, not_after);
	if (row->has_shard)
		parameter[7] = shard;
	status =
	    database_ask_with(record->database, &query, parameter, 8, &answer);
	if (status != STATUS_OK)
		return status;
	if (database_answer_rows(answer) == 1) {
		database_answer_text(answer, 0, 0, outcome, sizeof(outcome));
		stands_read(answer, 0, 1, &stands);
		status = outcome_judge(record, outcome, &stands, row, counts);
	} else {
		status = report_fault(record->report, STATUS_FAILED,
		    record->name, RULE, NULL, "rows of an answer, want 1");
	}
	database_answer_free(answer);
	return status;
}

static void
put_integer(struct outgoing *out, uint64_t value, size_t size)
{
	for (size_t i = size; i-- > 0;)
		out->octets[out->len++] = (uint8_t)(value >> 8 * i);
}

/* A field of the binary COPY format: its length, then its octets. */
static void
put_field(struct outgoing *out, uint64_t value, size_t size)
{
	put_integer(out, size, 4);
	put_integer(out, value, size);
}

static void
put_time(struct outgoing *out, int64_t sec)
{
	put_field(out,
	    (uint64_t)((sec - DATABASE_EPOCH_SEC) * DATABASE_USEC_PER_SEC), 8);
}

static void
put_row(struct outgoing *out, const struct record_row *row)
{
	size_t zeros = 0;

	while (zeros < UINT160_OCTETS - 1 && row->serial.octet[zeros] == 0)
		zeros++;
	put_integer(out, COLUMNS, 2);
	put_field(out, row->line, 8);
	put_integer(out, UINT160_OCTETS - zeros, 4);
	memcpy(out->octets + out->len, row->serial.octet + zeros,
	    UINT160_OCTETS - zeros);
	out->len += UINT160_OCTETS - zeros;
	put_time(out, row->revoked_at_sec);
	put_field(out, row->reason, 2);
	put_time(out, row->not_after_sec);
	if (row->has_shard)
		put_field(out, row->shard, 4);
	else
		put_integer(out, UINT32_MAX, 4); /* NULL */
}

static enum status
send_rows(struct record *record, const struct record_row *rows, size_t count,
    struct progress *progress)
{
	static const char signature[] = "PGCOPY\n\377\r\n"; /* and its NUL */
	struct outgoing out = {0};
	enum status status = STATUS_OK;
	size_t from = 0;

	memcpy(out.octets, signature, sizeof(signature));
	out.len = sizeof(signature);
	put_integer(&out, 0, 8); /* flags, length of an extension */
	for (size_t i = 0; status == STATUS_OK && i < count; i++) {
		put_row(&out, &rows[i]);
		if (out.len + TUPLE_BYTES_MOST <= sizeof(out.octets))
			continue;
		status =
		    database_copy_send(record->database, out.octets, out.len);
		out.len = 0;
		progress_add(progress, i + 1 - from);
		from = i + 1;
	}
	put_integer(&out, UINT16_MAX, 2); /* the trailer */
	if (status == STATUS_OK)
		status =
		    database_copy_send(record->database, out.octets, out.len);
	return status;
}

/* The temporary table, full. */
static enum status
incoming_fill(struct record *record, const struct record_row *rows,
    size_t count, struct progress *progress)
{
	const struct database_query make = {record->name, RULE,
	    "CREATE TEMPORARY TABLE crlpress_incoming ("
	    "line pg_catalog.int8, serial pg_catalog.bytea, "
	    "revoked_at pg_catalog.timestamptz, reason pg_catalog.int2, "
	    "not_after pg_catalog.timestamptz, shard pg_catalog.int4) "
	    "ON COMMIT DROP"};
	const struct database_query copy = {record->name, RULE,
	    "COPY pg_temp.crlpress_incoming FROM STDIN (FORMAT binary)"};
	enum status status = database_execute(record->database, &make);
	uint64_t told = 0;

	if (status == STATUS_OK)
		status = database_copy_in(record->database, &copy);
	if (status == STATUS_OK)
		status = send_rows(record, rows, count, progress);
	if (status == STATUS_OK)
		status = database_copy_in_end(record->database, &copy, &told);
	if (status == STATUS_OK && told != count)
		status = report_fault(record->report, STATUS_FAILED,
		    record->name, RULE, NULL,
		    "rows copied, have %" PRIu64 ", want %zu", told, count);
	return status;
}

/* The row of `rows` with this serial; it is from them. */
static const struct record_row *
row_find(const struct record_row *rows, size_t count, const char *hex)
{
	struct uint160 serial;
	const char *why;
	size_t low = 0, high = count;

	if (uint160_from_hex(&serial, hex, strlen(hex), &why) != STATUS_OK)
		return &rows[0];
	while (low + 1 < high) {
		size_t middle = low + (high - low) / 2;

		if (uint160_compare(&rows[middle].serial, &serial) <= 0)
			low = middle;
		else
			high = middle;
	}
	return &rows[low];
}

/* All that differ; those named first, by line, and then how many there are. */
static enum status
differing_judge(struct record *record, const struct record_row *rows,
    size_t count, const struct database_answer *answer, uint64_t differing)
{
	enum status status = STATUS_OK;
	char hex[UINT160_HEX_BYTES];
	int n = database_answer_rows(answer);

	for (int i = 0; differing > 0 && i < n; i++) {
		const struct record_row *row = row_find(rows, count,
		    database_answer_text(answer, i, 2, hex, sizeof(hex)));
		struct record_row stands = *row;

		stands_read(answer, i, 3, &stands);
		status = status_graver(
		    status, shard_is_column(record) && !stands.has_shard
				? shardless_fault(record, row)
				: differs_fault(record, row, &stands));
	}
	if (differing > (uint64_t)n)
		report_note(record->report, record->name,
		    "%" PRIu64 " lines in all differ from what is recorded",
		    differing);
	return status;
}

/* Some were there already: each is looked at and, where it may be, upgraded. */
static enum status
known_judge(struct record *record, const struct record_row *rows, size_t count,
    struct record_counts *counts)
{
	const struct database_query query = {record->name, RULE,
	    "WITH told AS MATERIALIZED ("
	    " SELECT i.line, i.serial, r.outcome, r.revoked_at, r.reason,"
	    "  r.not_after, r.shard"
	    " FROM pg_temp.crlpress_incoming AS i CROSS JOIN LATERAL"
	    "  crlpress.revoke($1, i.serial, true, true, i.revoked_at,"
	    "  i.reason, i.not_after, i.shard) AS r), "
	    "differing AS (SELECT * FROM told WHERE outcome = 'differs'"
	    "  OR ($2 AND shard IS NULL)"
	    " ORDER BY line LIMIT " DIFFERING_MOST ") "
	    "SELECT (SELECT pg_catalog.count(*) FROM told"
	    "  WHERE outcome = 'upgraded'),"
	    " (SELECT pg_catalog.count(*) FROM told"
	    "  WHERE outcome = 'differs' OR ($2 AND shard IS NULL)),"
	    " pg_catalog.encode(d.serial, 'hex'), d.revoked_at, d.reason,"
	    " d.not_after, d.shard "
	    "FROM (VALUES (1)) AS one LEFT JOIN differing AS d ON true "
	    "ORDER BY d.line"};
	const char *const parameter[] = {
	    record->config->issuer_id, shard_is_column(record) ? "t" : "f"};
	struct database_answer *answer;
	uint64_t upgraded, differing;
	enum status status;

	status =
	    database_ask_with(record->database, &query, parameter, 2, &answer);
	if (status != STATUS_OK)
		return status;
	if (database_answer_rows(answer) > 0 &&
	    database_answer_integer(answer, 0, 0, 8, &upgraded) &&
	    database_answer_integer(answer, 0, 1, 8, &differing)) {
		counts->upgraded = upgraded;
		counts->same = count - counts->recorded - upgraded;
		status =
		    differing_judge(record, rows, count, answer, differing);
	} else {
		status = report_fault(record->report, STATUS_FAILED,
		    record->name, RULE, NULL, "an answer without counts");
	}
	database_answer_free(answer);
	return status;
}

enum status
record_all(struct record *record, const struct record_row *rows, size_t count,
    struct progress *progress, struct record_counts *counts)
{
	const struct database_query query = {record->name, RULE,
	    "INSERT INTO crlpress.revocation"
	    " (issuer, serial, revoked_at, reason, not_after, shard) "
	    "SELECT $1, serial, revoked_at, reason, not_after, shard "
	    "FROM pg_temp.crlpress_incoming ON CONFLICT DO NOTHING"};
	const char *const parameter[] = {record->config->issuer_id};
	enum status status;

	progress_phase(progress, "sending rows", count);
	status = incoming_fill(record, rows, count, progress);
	progress_phase(progress, "recording", 0);
	if (status == STATUS_OK)
		status = database_change(
		    record->database, &query, parameter, 1, &counts->recorded);
	if (status == STATUS_OK && counts->recorded < count)
		status = known_judge(record, rows, count, counts);
	progress_clear(progress);
	return status;
}

void
record_hint_wrong(struct report *report)
{
	report_hint(report,
	    "set the column shard of that row of crlpress.revocation, which "
	    "revoke does not, and run this again");
}

void
record_close(struct record *record)
{
	if (record == NULL)
		return;
	database_close(record->database);
	free(record);
}
