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

enum status
source_statement_expand(struct source *source, int64_t lookback_sec, char **sql)
{
	const struct source_statement *statement = source_statement(source);
	struct report *report = source_report(source);
	struct source_sql_literals literals = {0};
	char iso[UTC_ISO_BYTES];
	char *quoted[4] = {NULL};
	struct source_sql_fault fault = {0};
	enum status status = STATUS_CONFIG;

	/* What lies outside cannot be said, nor can a certificate say it. */
	if (lookback_sec < UTC_MIN_SEC)
		lookback_sec = UTC_MIN_SEC;
	if (lookback_sec > UTC_MAX_SEC)
		lookback_sec = UTC_MAX_SEC;
	quoted[0] = source_quote(source, source_config(source)->issuer_id);
	quoted[1] = source_quote(source, utc_to_iso(lookback_sec, iso));
	if (quoted[0] == NULL || quoted[1] == NULL)
		goto out;
	if (statement->shard != NULL &&
	    (quoted[2] = source_quote(source, statement->shard)) == NULL)
		goto out;
	if (statement->serial != NULL &&
	    (quoted[3] = source_quote(source, statement->serial)) == NULL)
		goto out;
	literals = (struct source_sql_literals){.issuer = quoted[0],
	    .lookback = quoted[1],
	    .shard = quoted[2],
	    .serial = quoted[3]};
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
	for (size_t i = 0; i < sizeof(quoted) / sizeof(quoted[0]); i++)
		free(quoted[i]);
	return status;
}

/* "timestamp without time zone" for 1114. */
static enum status
type_name_read(
    struct source *source, uint32_t oid, char name[SOURCE_NAME_BYTES])
{
	char sql[96];
	const struct source_query query = {source_name(source), "columns", sql};
	struct source_answer *answer;
	enum status status;

	snprintf(sql, sizeof(sql),
	    "SELECT pg_catalog.format_type(CAST(%" PRIu32 " AS oid), NULL)",
	    oid);
	status = source_ask(source, &query, &answer);
	if (status != STATUS_OK)
		return status;
	source_answer_text(answer, 0, name, SOURCE_NAME_BYTES);
	source_answer_free(answer);
	return STATUS_OK;
}

static enum status
column_misplaced(
    struct source *source, enum source_column column, const char *name)
{
	report_fault(source_report(source), STATUS_CONFIG,
	    source_statement(source)->name, "columns", NULL,
	    "column %d, have %s, want %s", (int)column + 1, name,
	    source_column_name(column));
	report_hint(source_report(source),
	    "the columns are serial, revoked_at, reason, not_after, shard and, "
	    "where it is known, recorded_at, in this order");
	return STATUS_CONFIG;
}

static enum status
column_check(struct source *source, enum source_column column,
    const struct source_description *description, struct source_layout *layout)
{
	const struct source_config *config = source_config(source);
	const char *name = description->name[column];
	uint32_t oid = description->type_oid[column];
	const char *want, *hint;
	char have[SOURCE_NAME_BYTES];
	enum status status;

	if (source_column_place(column, name) != STATUS_OK)
		return column_misplaced(source, column, name);
	if (source_column_type(column, config->encoding, oid,
		&layout->type[column], &want, &hint) == STATUS_OK)
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
    const struct source_description *description, struct source_layout *layout)
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
	struct source_query query = {
	    source_statement(source)->name, "statement", NULL};
	struct source_description description;
	enum status status;

	*sql = NULL;
	status = source_statement_expand(source, lookback_sec, sql);
	if (status != STATUS_OK)
		return status;
	query.sql = *sql;
	status = source_describe(source, &query, &description);
	if (status == STATUS_OK)
		status = columns_check(source, &description, layout);
	if (status != STATUS_OK) {
		free(*sql);
		*sql = NULL;
	}
	return status;
}
