/* SPDX-License-Identifier: ISC */
/*
 * All rows in parts: what the planner would do with one, how large the table
 * is, and the bounds. PostgreSQL manual, 5.5 "System Columns" (ctid), 14.1
 * "Using EXPLAIN".
 */
#include "crlpress/source_part.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "crlpress/source_sql.h"
#include "source_impl.h"

/* A part has at least so many blocks, 4 MiB: ten milliseconds or two. Less is
 * not worth a question. */
#define PART_BLOCKS_LEAST 512

/* Parts a connection: whoever is done sooner takes more of them. */
#define PARTS_EACH 4

/* Blocks are numbered with 32 bits, and the last of these numbers is none. */
#define BLOCK_MOST UINT32_MAX

/*
 * The blocks before a part. Each is smaller than the one before it, by as much,
 * so that the last ones, which end together, are small: while one connection
 * is still at work and the others have nothing left, a processor is idle.
 * Fewer than 2^32 blocks, and no more than 2^8 parts.
 */
static uint64_t
blocks_before(const struct source_parts *parts, uint32_t number)
{
	uint64_t count = parts->count, left = parts->count - number;

	return parts->blocks -
	       parts->blocks * (left * (left + 1)) / (count * (count + 1));
}

struct source_part
source_part_of(const struct source_parts *parts, uint32_t number)
{
	struct source_part part = {.number = number, .count = parts->count};
	const struct source_split *split = &parts->split;
	uint64_t from, to;

	switch (parts->kind) {
	case SOURCE_SPLIT_BLOCKS:
		from = blocks_before(parts, number);
		to = blocks_before(parts, number + 1);
		if (number + 1 == parts->count)
			to = BLOCK_MOST;
		snprintf(part.from, sizeof(part.from), "(%" PRIu64 ",0)", from);
		snprintf(part.to, sizeof(part.to), "(%" PRIu64 ",0)", to);
		break;
	case SOURCE_SPLIT_RANGES:
		from = (uint64_t)split->shard_count * number / parts->count;
		to = (uint64_t)split->shard_count * (number + 1) / parts->count;
		snprintf(part.from, sizeof(part.from), "%" PRIu64,
		    split->shard_first + from);
		snprintf(part.to, sizeof(part.to), "%" PRIu64,
		    split->shard_first + to);
		/* Every integer is in one of them, a shard or not. */
		if (number == 0)
			snprintf(part.from, sizeof(part.from), "%" PRId64,
			    INT64_MIN);
		if (number + 1 == parts->count)
			snprintf(
			    part.to, sizeof(part.to), "%" PRId64, INT64_MAX);
		break;
	case SOURCE_SPLIT_NONE:
	case SOURCE_SPLIT_STATEMENT:
		break;
	}
	return part;
}

static const char *
parts_sql(const struct source_parts *parts)
{
	switch (parts->kind) {
	case SOURCE_SPLIT_BLOCKS:
		return parts->split.block_sql;
	case SOURCE_SPLIT_RANGES:
		return parts->split.range_sql;
	case SOURCE_SPLIT_NONE:
	case SOURCE_SPLIT_STATEMENT:
		break;
	}
	return NULL;
}

static struct source_statement
statement_of(const struct source *source, const struct source_parts *parts,
    const struct source_part *part)
{
	const struct source_config *config = source_config(source);
	const char *sql = parts_sql(parts);

	return (struct source_statement){
	    .sql = sql != NULL ? sql : config->sql,
	    .name = config->sql_name,
	    .has_parts = true,
	    .part = part,
	    .recorded = parts->recorded,
	};
}

/* The statement of a part, once the server has parsed it. */
static enum status
part_check(struct source *source, const struct source_parts *parts,
    uint32_t number, int64_t lookback_sec, char **sql)
{
	struct source_part part = source_part_of(parts, number);
	struct source_statement statement = statement_of(source, parts, &part);
	struct source_layout layout;

	enum status status;

	source_choose(source, &statement);
	status = source_statement_check(source, lookback_sec, &layout, sql);
	statement.part = NULL;
	source_choose(source, &statement);
	return status;
}

/*
 * The blocks of the largest table that the rows can be in, 0 when that is not
 * to be split: it is a view, or has a foreign table below it, which is in no
 * snapshot of ours.
 */
static enum status
blocks_ask(struct source *source, const char *table, uint64_t *blocks)
{
	static const char sql[] =
	    "WITH RECURSIVE tree AS ("
	    " SELECT CAST(pg_catalog.to_regclass($1) AS oid) AS oid"
	    " UNION SELECT i.inhrelid FROM pg_catalog.pg_inherits AS i"
	    "  JOIN tree ON i.inhparent = tree.oid)"
	    " SELECT COALESCE(CASE WHEN pg_catalog.bool_and("
	    "   c.relkind IN ('r', 'p', 'm')) THEN pg_catalog.max("
	    "   pg_catalog.pg_relation_size(c.oid) / CAST("
	    "    pg_catalog.current_setting('block_size') AS bigint)) END, 0)"
	    " FROM tree JOIN pg_catalog.pg_class AS c ON c.oid = tree.oid";
	const struct database_query query = {source_name(source), "parts", sql};
	struct database_answer *answer;
	enum status status = database_ask_with(
	    source_database(source), &query, &table, 1, &answer);

	*blocks = 0;
	if (status != STATUS_OK)
		return status;
	if (database_answer_rows(answer) == 1)
		database_answer_integer(answer, 0, 0, 8, blocks);
	database_answer_free(answer);
	return STATUS_OK;
}

/* Whether the planner would read a part's blocks and no others. */
static enum status
plan_ask(struct source *source, const char *sql, bool *by_blocks)
{
	static const char explain[] = "EXPLAIN (COSTS OFF) ";
	struct database_query query = {
	    source_statement(source)->name, "parts", NULL};
	size_t size = sizeof(explain) + strlen(sql);
	struct database_answer *answer = NULL;
	char *text = malloc(size);
	enum status status;
	char line[256];

	*by_blocks = false;
	if (text == NULL)
		return report_fault(source_report(source), STATUS_NO_MEMORY,
		    query.object, query.rule, NULL, "out of memory");
	snprintf(text, size, "%s%s", explain, sql);
	query.sql = text;
	status = database_ask_with(
	    source_database(source), &query, NULL, 0, &answer);
	free(text);
	if (status != STATUS_OK)
		return status;
	for (int i = 0; i < database_answer_rows(answer); i++) {
		database_answer_text(answer, i, 0, line, sizeof(line));
		if (strstr(line, "Tid Range Scan") != NULL)
			*by_blocks = true;
	}
	database_answer_free(answer);
	return STATUS_OK;
}

/* By blocks, where the planner agrees; by ranges, where it has an index. */
static enum status
plan_split(struct source *source, unsigned connections, int64_t lookback_sec,
    struct source_parts *parts)
{
	struct source_parts blocks = *parts;
	enum status status;
	char *sql = NULL;
	bool by_blocks;
	uint64_t most;

	status = blocks_ask(source, parts->split.table, &blocks.blocks);
	most = blocks.blocks / PART_BLOCKS_LEAST;
	if (status != STATUS_OK || most < 2)
		return status;
	if (most > (uint64_t)connections * PARTS_EACH)
		most = (uint64_t)connections * PARTS_EACH;
	blocks.kind = SOURCE_SPLIT_BLOCKS;
	blocks.count = (uint32_t)most;
	status = part_check(source, &blocks, 0, lookback_sec, &sql);
	if (status == STATUS_OK)
		status = plan_ask(source, sql, &by_blocks);
	free(sql);
	if (status != STATUS_OK)
		return status;
	if (by_blocks) {
		*parts = blocks;
	} else if (parts->split.range_sql != NULL &&
		   parts->split.shard_count >= connections) {
		parts->kind = SOURCE_SPLIT_RANGES;
		parts->count = connections;
	}
	return STATUS_OK;
}

enum status
source_parts_plan(struct source *source, const struct source_split *split,
    unsigned connections, int64_t lookback_sec, struct source_parts *parts)
{
	enum status status;
	char *sql = NULL;

	*parts = (struct source_parts){
	    .kind = SOURCE_SPLIT_NONE, .count = 1, .split = *split};
	if (connections < 2)
		return STATUS_OK;
	status = part_check(source, parts, 0, lookback_sec, &sql);
	free(sql);
	if (status != STATUS_OK)
		return status;
	if (split->table != NULL)
		return plan_split(source, connections, lookback_sec, parts);
	if (!source_sql_has(source_config(source)->sql, "part"))
		return STATUS_OK;
	parts->kind = SOURCE_SPLIT_STATEMENT;
	parts->count = connections;
	return STATUS_OK;
}

enum status
source_start_part(struct source *source, const struct source_parts *parts,
    uint32_t number, int64_t lookback_sec)
{
	struct source_part part = source_part_of(parts, number);
	struct source_statement statement = statement_of(source, parts, &part);

	return source_start_statement(source, &statement, lookback_sec);
}

enum status
source_count_rows(struct source *source, int64_t lookback_sec, uint64_t *rows)
{
	static const char before[] = "SELECT pg_catalog.count(*) FROM (";
	static const char after[] = "\n) AS crlpress_rows";
	static const struct source_parts whole = {.count = 1};
	struct source_statement statement = statement_of(source, &whole, NULL);
	struct database_query query = {statement.name, "parts", NULL};
	struct database_answer *answer = NULL;
	char *sql = NULL, *count = NULL;
	enum status status;
	size_t size;

	*rows = 0;
	source_choose(source, &statement);
	status = source_statement_expand(source, lookback_sec, &sql);
	if (status != STATUS_OK)
		return status;
	size = sizeof(before) + strlen(sql) + sizeof(after);
	count = malloc(size);
	if (count == NULL) {
		status = report_fault(source_report(source), STATUS_NO_MEMORY,
		    query.object, query.rule, NULL, "out of memory");
		goto out;
	}
	snprintf(count, size, "%s%s%s", before, sql, after);
	query.sql = count;
	status = database_ask(source_database(source), &query, &answer);
	if (status == STATUS_OK &&
	    !database_answer_integer(answer, 0, 0, 8, rows))
		status = report_fault(source_report(source), STATUS_FAILED,
		    query.object, query.rule, NULL,
		    "the server does not count");
out:
	database_answer_free(answer);
	free(count);
	free(sql);
	return status;
}
