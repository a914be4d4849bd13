/* SPDX-License-Identifier: ISC */
/*
 * All rows of a statement in parts, each for another connection in the same
 * snapshot (source_share.h), so that together they have every row once.
 *
 * - By blocks of a table: `block_sql` has :'from' and :'to', bounds of ctid,
 *   the first (0,0) and the last above any that there can be, so that nothing
 *   depends on how large the table was thought to be. PostgreSQL 14 and later
 *   read just those blocks. Rows of partitions have a ctid each in their own.
 * - By ranges of shards, for rows that are found by an index: `range_sql` has
 *   :'from' and :'to', the first part takes what has no shard as well.
 * - As the statement itself says, which has :'part' and :'parts' then. Whether
 *   its parts have every row once is nothing that can be known, so the rows of
 *   all of it are counted in the same snapshot.
 */
#ifndef CRLPRESS_SOURCE_PART_H
#define CRLPRESS_SOURCE_PART_H

#include <stdint.h>

#include "crlpress/shard.h"
#include "crlpress/source.h"
#include "crlpress/status.h"

/* More connections than this are not opened: half of what a server has. */
#define SOURCE_CONNECTIONS_MOST 64

/* Borrowed, static texts; all NULL: the statement alone says. */
struct source_split {
	const char *table; /* the one that block_sql reads, with schema */
	const char *block_sql;
	const char *range_sql; /* NULL: the column does not decide */
	uint32_t shard_first;
	uint32_t shard_count;
};

enum source_split_kind {
	SOURCE_SPLIT_NONE, /* one part, which is all */
	SOURCE_SPLIT_BLOCKS,
	SOURCE_SPLIT_RANGES,
	SOURCE_SPLIT_STATEMENT,
};

struct source_parts {
	enum source_split_kind kind;
	uint32_t count;
	uint64_t blocks; /* of the largest table: SOURCE_SPLIT_BLOCKS */
	struct source_split split;
	struct source_recorded recorded;
};

/*
 * How the rows of the configured statement are best read by up to
 * `connections`: as few parts as are worth it, one mostly. Has the server look
 * at the statement first; what is wrong with it is reported here.
 */
enum status source_parts_plan(struct source *source,
    const struct source_split *split, unsigned connections,
    int64_t lookback_sec, struct source_parts *parts) MUST_CHECK;

/* Part `number` of parts->count, pure. */
struct source_part source_part_of(
    const struct source_parts *parts, uint32_t number);

/* As source_start, of one part, with parts->recorded. */
enum status source_start_part(struct source *source,
    const struct source_parts *parts, uint32_t number,
    int64_t lookback_sec) MUST_CHECK;

/* How many rows the statement yields when it is not split. */
enum status source_count_rows(
    struct source *source, int64_t lookback_sec, uint64_t *rows) MUST_CHECK;

#endif
