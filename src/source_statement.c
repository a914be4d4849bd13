/* SPDX-License-Identifier: ISC */
/*
 * The configured statement, before a row of it is asked for: its placeholders,
 * and what the server says of its columns.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "crlpress/source_sql.h"
#include "crlpress/utc.h"
#include "source_impl.h"

/* Literals are quoted one by one, and freed together. */
#define LITERALS 8

/* `text` quoted into the next place; NULL stays NULL. */
static const char *
literal_quote(struct source *source, const char *text, char *quoted[LITERALS],
    size_t *count, bool *failed)
{
	char *literal;

	if (text == NULL)
		return NULL;
	literal = database_quote(source_database(source), text);
	if (literal == NULL)
		*failed = true;
	else
		quoted[(*count)++] = literal;
	return literal;
}

/* False: a text cannot be quoted, as was reported. */
static bool
literals_quote(struct source *source, int64_t lookback_sec,
    struct source_sql_literals *literals, char *quoted[LITERALS])
{
	static const struct source_part whole = {.number = 0, .count = 1};
	const struct source_statement *statement = source_statement(source);
	const struct source_part *part = statement->part;
	char iso[UTC_ISO_BYTES], number[2][16];
	bool failed = false;
	size_t n = 0;

	if (part == NULL)
		part = &whole;
	snprintf(number[0], sizeof(number[0]), "%" PRIu32, part->number);
	snprintf(number[1], sizeof(number[1]), "%" PRIu32, part->count);
#define QUOTE(text) literal_quote(source, (text), quoted, &n, &failed)
	*literals = (struct source_sql_literals){
	    .issuer = QUOTE(source_config(source)->issuer_id),
	    .lookback = QUOTE(utc_to_iso(lookback_sec, iso)),
	    .shard = QUOTE(statement->shard),
	    .serial = QUOTE(statement->serial),
	    .part = QUOTE(statement->has_parts ? number[0] : NULL),
	    .parts = QUOTE(statement->has_parts ? number[1] : NULL),
	    .from = QUOTE(part->from[0] != '\0' ? part->from : NULL),
	    .to = QUOTE(part->to[0] != '\0' ? part->to : NULL),
	};
#undef QUOTE
	return !failed;
}

enum status
source_statement_expand(struct source *source, int64_t lookback_sec, char **sql)
{
	const struct source_statement *statement = source_statement(source);
	struct report *report = source_report(source);
	struct source_sql_literals literals = {0};
	char *quoted[LITERALS] = {NULL};
	struct source_sql_fault fault = {0};
	enum status status = STATUS_CONFIG;

	/* What lies outside cannot be said, nor can a certificate say it. */
	if (lookback_sec < UTC_MIN_SEC)
		lookback_sec = UTC_MIN_SEC;
	if (lookback_sec > UTC_MAX_SEC)
		lookback_sec = UTC_MAX_SEC;
	if (!literals_quote(source, lookback_sec, &literals, quoted))
		goto out;
	status = source_sql_expand(statement->sql, &literals, sql, &fault);
	if (status == STATUS_NO_MEMORY)
		report_fault(report, status, statement->name, "statement", NULL,
		    "out of memory");
	else if (status != STATUS_OK)
		report_fault(report, status, statement->name, "statement", NULL,
		    "line %u: %s%s%s", fault.line, fault.what,
		    fault.name[0] != '\0' ? " " : "", fault.name);
	if (fault.hint != NULL)
		report_hint(report, "%s", fault.hint);
out:
	for (size_t i = 0; i < LITERALS; i++)
		free(quoted[i]);
	return status;
}

/* "timestamp without time zone" for 1114. */
static enum status
type_name_read(
    struct source *source, uint32_t oid, char name[DATABASE_NAME_BYTES])
{
	char sql[96];
	const struct database_query query = {
	    source_name(source), "columns", sql};
	struct database_answer *answer;
	enum status status;

	snprintf(sql, sizeof(sql),
	    "SELECT pg_catalog.format_type(CAST(%" PRIu32 " AS oid), NULL)",
	    oid);
	status = database_ask(source_database(source), &query, &answer);
	if (status != STATUS_OK)
		return status;
	database_answer_text(answer, 0, 0, name, DATABASE_NAME_BYTES);
	database_answer_free(answer);
	return STATUS_OK;
}

static enum status
column_misplaced(struct source *source, enum source_column place,
    enum source_column column, const char *name)
{
	report_fault(source_report(source), STATUS_CONFIG,
	    source_statement(source)->name, "columns", NULL,
	    "column %d, have %s, want %s", (int)place + 1, name,
	    source_column_name(column));
	report_hint(source_report(source),
	    "the columns are serial, revoked_at, reason, not_after, shard "
	    "(with the scheme cdp: certificate) and, where it is known, "
	    "recorded_at, in this order");
	return STATUS_CONFIG;
}

static enum status
column_check(struct source *source, enum source_column place,
    const struct database_description *description,
    struct source_layout *layout)
{
	const struct source_config *config = source_config(source);
	const char *name = description->name[place];
	uint32_t oid = description->type_oid[place];
	enum source_column column =
	    place == SOURCE_SHARD && config->points != NULL ? SOURCE_CERTIFICATE
							    : place;
	const char *want, *hint;
	char have[DATABASE_NAME_BYTES];
	enum status status;

	if (source_column_place(column, name) != STATUS_OK)
		return column_misplaced(source, place, column, name);
	if (source_column_type(column, config->encoding, oid,
		&layout->type[place], &want, &hint) == STATUS_OK)
		return STATUS_OK;
	status = type_name_read(source, oid, have);
	if (status != STATUS_OK)
		return status;
	report_fault(source_report(source), STATUS_CONFIG,
	    source_statement(source)->name, "columns", NULL,
	    "type of %s, have %s, want %s", source_column_name(column), have,
	    want);
	if (hint != NULL)
		report_hint(source_report(source), "%s", hint);
	return STATUS_CONFIG;
}

/* All of them, so that one run tells of every wrong one. */
static enum status
columns_check(struct source *source,
    const struct database_description *description,
    struct source_layout *layout)
{
	const struct source_config *config = source_config(source);
	enum status status = STATUS_OK;

	if (description->parameters != 0)
		return report_fault(source_report(source), STATUS_CONFIG,
		    source_statement(source)->name, "statement", NULL,
		    "parameters like $1, have %d, want none",
		    description->parameters);
	if (description->columns != SOURCE_COLUMNS_LEAST &&
	    description->columns != SOURCE_COLUMN_COUNT)
		return report_fault(source_report(source), STATUS_CONFIG,
		    source_statement(source)->name, "columns", NULL,
		    "have %d, want 5: serial, revoked_at, reason, not_after, "
		    "shard, or 6 with recorded_at",
		    description->columns);
	layout->encoding = config->encoding;
	layout->points = config->points;
	layout->has_recorded_at = description->columns == SOURCE_COLUMN_COUNT;
	for (unsigned i = 0; i < (unsigned)description->columns; i++) {
		enum status one = column_check(
		    source, (enum source_column)i, description, layout);

		if (one != STATUS_OK)
			status = one;
	}
	return status;
}

enum status
source_statement_check(struct source *source, int64_t lookback_sec,
    struct source_layout *layout, char **sql)
{
	struct database_query query = {
	    source_statement(source)->name, "statement", NULL};
	struct database_description description;
	enum status status;

	*sql = NULL;
	status = source_statement_expand(source, lookback_sec, sql);
	if (status != STATUS_OK)
		return status;
	query.sql = *sql;
	status =
	    database_describe(source_database(source), &query, &description);
	if (status == STATUS_OK)
		status = columns_check(source, &description, layout);
	if (status != STATUS_OK) {
		free(*sql);
		*sql = NULL;
	}
	return status;
}
