/* SPDX-License-Identifier: ISC */
/*
 * Revocations as rows: what each must be, and many of them from a CSV file. The
 * whole file is judged before anything is recorded.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "crlpress/reason.h"
#include "crlpress/row_csv.h"
#include "crlpress/utc.h"
#include "revoke_impl.h"

#define RULE "revoke"
#define ROOM_FIRST 1024
#define REASON_MOST 10

/* A path is cut off before its line number is. */
#define OBJECT_BYTES 512

/* Reading a file of rows. */
struct reading {
	const char *path;
	const struct config *config;
	int64_t now_sec;
	struct report *report;
	struct revoke_rows *rows;
	enum status status; /* STATUS_USAGE once a line is no row */
	bool hinted;        /* once is enough */
};

enum status
revoke_rows_add(struct revoke_rows *rows, const struct record_row *row)
{
	size_t room = rows->room == 0 ? ROOM_FIRST : rows->room * 2;
	struct record_row *more;

	if (rows->count == REVOKE_ROWS_MOST)
		return STATUS_MALFORMED;
	if (rows->count == rows->room) {
		more = realloc(rows->row, room * sizeof(*more));
		if (more == NULL)
			return STATUS_NO_MEMORY;
		rows->row = more;
		rows->room = room;
	}
	rows->row[rows->count++] = *row;
	return STATUS_OK;
}

/* By name, as --reason takes them. */
static const char *
reasons_of(enum profile profile, char out[REASON_LIST_BYTES])
{
	unsigned allowed = 0;
	const char *unused;

	for (unsigned i = 0; i <= REASON_MOST; i++)
		if (lint_reason_allowed(profile, i, &unused))
			allowed |= 1U << i;
	return reason_list(allowed, out);
}

enum status
revoke_row_check(const struct config *config, int64_t now_sec,
    const struct record_row *row, const char **clause,
    char why[REVOKE_WHY_BYTES])
{
	char date[UTC_ISO_BYTES], wanted[REASON_LIST_BYTES];
	const char *unused;

	/* RFC 5280, 4.1.2.2. */
	*clause = "RFC 5280, 4.1.2.2";
	if (uint160_is_zero(&row->serial)) {
		snprintf(why, REVOKE_WHY_BYTES, "zero is no serial");
		return STATUS_MALFORMED;
	}
	/* BR 4.9.1.1, 7.2.2, MRSP 6.1.1: by profile. */
	*clause = "BR 7.2.2";
	if (!lint_reason_allowed(config->profile, row->reason, &unused)) {
		snprintf(why, REVOKE_WHY_BYTES,
		    "reason, have %s (%u), want one that the profile %s has: "
		    "%s",
		    reason_name(row->reason), row->reason,
		    profile_name(config->profile),
		    reasons_of(config->profile, wanted));
		return STATUS_MALFORMED;
	}
	*clause = "RFC 5280, 5.1.2.6";
	if (row->has_date && row->revoked_at_sec > now_sec) {
		snprintf(why, REVOKE_WHY_BYTES,
		    "revoked_at lies in the future, have %s",
		    utc_to_iso(row->revoked_at_sec, date));
		return STATUS_MALFORMED;
	}
	/* What has expired is on no CRL any more (RFC 5280, 3.3). */
	*clause = "RFC 5280, 3.3";
	if (row->has_not_after && row->not_after_sec < now_sec) {
		snprintf(why, REVOKE_WHY_BYTES,
		    "the certificate has expired, have not_after %s",
		    utc_to_iso(row->not_after_sec, date));
		return STATUS_MALFORMED;
	}
	return STATUS_OK;
}

enum status
revoke_row_shard(const struct config *config, const struct record_row *row,
    uint32_t *shard, const char **why)
{
	const struct shard_hint hint = {
	    .has_shard = row->has_shard, .shard = row->shard};

	return shard_of(&config->shards, &row->serial, row->not_after_sec,
	    &hint, shard, why);
}

static enum status
line_fault(
    struct reading *reading, uint32_t line, const char *clause, const char *why)
{
	char object[OBJECT_BYTES];

	snprintf(object, sizeof(object), "%.*s:%" PRIu32, OBJECT_BYTES - 16,
	    reading->path, line);
	reading->status = report_fault(
	    reading->report, STATUS_USAGE, object, RULE, clause, "%s", why);
	return STATUS_OK;
}

/* A row of the file; one that is none is said, and reading goes on. */
static enum status
row_add(struct reading *reading, uint32_t line, const struct source_row *from)
{
	const char *clause = NULL, *why = NULL;
	char detail[REVOKE_WHY_BYTES];
	struct record_row row;
	uint32_t shard;
	enum status status;

	row = (struct record_row){.serial = from->serial,
	    .line = line,
	    .shard = (uint32_t)from->hint.shard,
	    .has_shard = from->hint.has_shard,
	    .has_date = true,
	    .has_not_after = true,
	    .reason = from->reason,
	    .revoked_at_sec = from->revoked_at_sec,
	    .not_after_sec = from->not_after_sec};
	if (revoke_row_check(reading->config, reading->now_sec, &row, &clause,
		detail) != STATUS_OK)
		return line_fault(reading, line, clause, detail);
	/* By the hint, which is wider than a shard's index. */
	if (shard_of(&reading->config->shards, &from->serial,
		from->not_after_sec, &from->hint, &shard, &why) != STATUS_OK)
		return line_fault(reading, line, "BR 4.9.7", why);
	status = revoke_rows_add(reading->rows, &row);
	if (status == STATUS_MALFORMED)
		return report_fault(reading->report, STATUS_USAGE,
		    reading->path, RULE, NULL, "more than %d rows",
		    REVOKE_ROWS_MOST);
	if (status != STATUS_OK)
		return report_fault(reading->report, status, reading->path,
		    RULE, NULL, "out of memory after %zu rows",
		    reading->rows->count);
	return STATUS_OK;
}

/* The next row, or what is none; STATUS_DONE at the end. */
static enum status
row_read(struct reading *reading, struct row_csv *csv)
{
	struct row_csv_fault fault;
	struct source_row row;
	enum status status = row_csv_next(csv, &row, &fault);
	uint64_t number = row_csv_line(csv);
	uint32_t line = number < UINT32_MAX ? (uint32_t)number : UINT32_MAX;

	if (status == STATUS_OK)
		return row_add(reading, line, &row);
	if (status == STATUS_IO)
		return report_fault(reading->report, STATUS_IO, reading->path,
		    RULE, NULL, "line %" PRIu32 ": %s", line, strerror(errno));
	if (status != STATUS_MALFORMED)
		return status;
	status = line_fault(reading, line, NULL, fault.why);
	if (fault.hint != NULL && !reading->hinted)
		report_hint(reading->report, "%s", fault.hint);
	reading->hinted |= fault.hint != NULL;
	return status;
}

/* The native table's rows: serials are hex, and shards are numbers. */
static enum status
rows_read(struct reading *reading, FILE *stream, struct progress *progress)
{
	struct row_csv *csv = NULL;
	enum status status = row_csv_new(stream, SERIAL_BYTEA, NULL, &csv);

	if (status != STATUS_OK)
		return report_fault(reading->report, status, reading->path,
		    RULE, NULL, "out of memory");
	for (uint64_t i = 1; status == STATUS_OK; i++) {
		status = row_read(reading, csv);
		if (i % 1024 == 0)
			progress_add(progress, 1024);
	}
	row_csv_free(csv);
	return status == STATUS_DONE ? STATUS_OK : status;
}

static int
row_compare(const void *a, const void *b)
{
	const struct record_row *x = a;
	const struct record_row *y = b;
	int order = uint160_compare(&x->serial, &y->serial);

	return order != 0 ? order : (x->line > y->line) - (x->line < y->line);
}

static bool
rows_agree(const struct record_row *a, const struct record_row *b)
{
	return a->reason == b->reason &&
	       a->revoked_at_sec == b->revoked_at_sec &&
	       a->not_after_sec == b->not_after_sec &&
	       a->has_shard == b->has_shard && a->shard == b->shard;
}

void
revoke_rows_order(struct revoke_rows *rows)
{
	if (rows->count > 0)
		qsort(rows->row, rows->count, sizeof(*rows->row), row_compare);
}

/* In order, which is also how an index takes them fastest; a serial that
 * stands twice and says the same is one. */
static void
rows_sort(struct reading *reading)
{
	struct record_row *row = reading->rows->row;
	char why[REVOKE_WHY_BYTES], hex[UINT160_HEX_BYTES];
	size_t count = 0;

	if (reading->rows->count == 0)
		return;
	revoke_rows_order(reading->rows);
	for (size_t i = 1; i < reading->rows->count; i++) {
		if (uint160_compare(&row[i].serial, &row[count].serial) != 0) {
			row[++count] = row[i];
		} else if (!rows_agree(&row[i], &row[count])) {
			snprintf(why, sizeof(why),
			    "serial %s stands on line %" PRIu32
			    " too, and otherwise",
			    uint160_to_hex(&row[i].serial, hex),
			    row[count].line);
			line_fault(reading, row[i].line, "house rule", why);
		}
	}
	reading->rows->count = count + 1;
}

enum status
revoke_rows_read(const char *path, FILE *stream, const struct config *config,
    int64_t now_sec, struct report *report, struct progress *progress,
    struct revoke_rows *rows)
{
	struct reading reading = {.path = path,
	    .config = config,
	    .now_sec = now_sec,
	    .report = report,
	    .rows = rows};
	enum status status;

	progress_phase(progress, "reading rows", 0);
	status = rows_read(&reading, stream, progress);
	if (status == STATUS_OK)
		rows_sort(&reading);
	progress_clear(progress);
	if (status == STATUS_OK && reading.status == STATUS_OK &&
	    rows->count == 0)
		status = report_fault(
		    report, STATUS_USAGE, path, RULE, NULL, "no row in it");
	return status == STATUS_OK ? reading.status : status;
}
