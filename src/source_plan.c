/* SPDX-License-Identifier: ISC */
#include "crlpress/source_plan.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "source_impl.h"

static const char explain[] = "EXPLAIN (VERBOSE) ";

/* "Seq Scan on", and "Parallel Seq Scan on", as PostgreSQL prints plans. */
static const char scan_mark[] = "Seq Scan on ";
static const char rows_mark[] = " rows=";

/* The length of the name, "schema.table", in which quotes may hold blanks. */
static size_t
name_len(const char *name)
{
	bool quoted = false;
	size_t len = 0;

	while (name[len] != '\0' && (quoted || name[len] != ' ')) {
		if (name[len] == '"')
			quoted = !quoted;
		len++;
	}
	return len;
}

/* The table of a line that is about reading one whole. */
static void
line_read(const char *line, struct source_plan *plan)
{
	struct source_plan_scan *scan = &plan->scan[plan->scan_count];
	const char *at = strstr(line, scan_mark);
	const char *rows;
	size_t len;

	if (at == NULL || plan->scan_count == SOURCE_PLAN_SCANS_MOST)
		return;
	at += strlen(scan_mark);
	len = name_len(at);
	if (len >= sizeof(scan->table))
		return;
	memcpy(scan->table, at, len);
	scan->table[len] = '\0';
	rows = strstr(at, rows_mark);
	scan->rows = rows != NULL ? strtod(rows + strlen(rows_mark), NULL) : 0;
	plan->scan_count++;
}

/*
 * What the statistics of the table say that it has. By its name as the plan
 * spells it: the role may have no right to the table behind a view, nor to its
 * schema.
 */
static enum status
table_rows_ask(struct source *source, struct source_plan_scan *scan)
{
	const struct database_query query = {source_name(source), "plan",
	    "SELECT c.reltuples::text FROM pg_catalog.pg_class AS c "
	    "JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace "
	    "WHERE pg_catalog.concat(pg_catalog.quote_ident(n.nspname), '.', "
	    "pg_catalog.quote_ident(c.relname)) = $1"};
	const char *const parameter[] = {scan->table};
	struct database_answer *answer;
	char text[64];
	enum status status;

	scan->table_rows = -1;
	status = database_ask_with(
	    source_database(source), &query, parameter, 1, &answer);
	if (status != STATUS_OK)
		return status;
	if (database_answer_rows(answer) == 1)
		scan->table_rows = strtod(
		    database_answer_text(answer, 0, 0, text, sizeof(text)),
		    NULL);
	database_answer_free(answer);
	return STATUS_OK;
}

static enum status
plan_ask(struct source *source, const char *sql, struct source_plan *plan)
{
	const struct database_query query = {
	    source_statement(source)->name, "plan", sql};
	struct database_answer *answer;
	enum status status;
	int rows;

	status = database_ask_with(
	    source_database(source), &query, NULL, 0, &answer);
	if (status != STATUS_OK)
		return status;
	rows = database_answer_rows(answer);
	for (int i = 0; i < rows && i < SOURCE_PLAN_LINES_MOST; i++) {
		char *line = plan->line[plan->line_count++];

		database_answer_text(
		    answer, i, 0, line, SOURCE_PLAN_LINE_BYTES);
		line_read(line, plan);
	}
	database_answer_free(answer);
	return STATUS_OK;
}

enum status
source_plan(struct source *source, const struct source_statement *statement,
    int64_t lookback_sec, struct source_plan *plan)
{
	struct source_layout layout;
	char *expanded = NULL, *sql = NULL;
	enum status status;

	memset(plan, 0, sizeof(*plan));
	source_choose(source, statement);
	status =
	    source_statement_check(source, lookback_sec, &layout, &expanded);
	if (status != STATUS_OK)
		return status;
	if (asprintf(&sql, "%s%s", explain, expanded) < 0) {
		free(expanded);
		return report_fault(source_report(source), STATUS_NO_MEMORY,
		    statement->name, "plan", NULL, "out of memory");
	}
	status = plan_ask(source, sql, plan);
	for (size_t i = 0; status == STATUS_OK && i < plan->scan_count; i++)
		status = table_rows_ask(source, &plan->scan[i]);
	free(sql);
	free(expanded);
	return status;
}
