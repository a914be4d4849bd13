/* SPDX-License-Identifier: ISC */
/* What the files of a source share; the statements are in them. */
#ifndef CRLPRESS_SOURCE_IMPL_H
#define CRLPRESS_SOURCE_IMPL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "crlpress/database.h"
#include "crlpress/source.h"
#include "crlpress/source_column.h"
#include "crlpress/source_share.h"

/*
 * What a kind of sources does; every function has a source of that kind. What
 * is told of each in source.h holds, with *count 0 before `read`.
 */
struct source_ops {
	/* A new snapshot, with source->config as it is by now. */
	enum status (*renew)(struct source *source);
	enum status (*start)(struct source *source,
	    const struct source_statement *statement, int64_t lookback_sec);
	bool (*tells_recorded)(const struct source *source);
	enum status (*read)(struct source *source, struct source_row *rows,
	    size_t room, size_t *count);
	void (*report_to)(struct source *source, struct report *report);
	void (*cancel)(struct source *source);
	void (*close)(struct source *source);
};

/* What all kinds have; each has it first in a struct of its own. */
struct source {
	const struct source_ops *ops;
	struct source_config config;
	struct source_snapshot snapshot;
};

/* source_table.c: of a database. */
enum status source_table_open(const struct source_config *config,
    struct report *report, struct source **source) MUST_CHECK;
/* source_file.c: of a file. */
enum status source_file_open(const struct source_config *config,
    struct report *report, struct source **source) MUST_CHECK;

const struct source_config *source_config(const struct source *source);

/* All that follows is for a database alone. */
struct database *source_database(struct source *source);
/* "database crl at db1:5432". */
const char *source_name(struct source *source);
struct report *source_report(struct source *source);
/* The one that was started last, or is to be: the configured one. */
const struct source_statement *source_statement(const struct source *source);
/* From now on this one; it is not started. */
void source_choose(
    struct source *source, const struct source_statement *statement);

/* The server's own id of a snapshot, "00000003-0000001B-1", with its NUL. */
#define SOURCE_SHARE_ID_BYTES 64

/* What a shared snapshot is known by; where nothing is shared, id is "". */
struct source_shared {
	char id[SOURCE_SHARE_ID_BYTES];
	uint64_t started; /* when the server was, as it tells the time */
	uint64_t seen;    /* a hash of what the snapshot sees */
	struct source_snapshot snapshot;
};

/* What was exported when the source was opened. */
struct source_shared *source_shared(struct source *source);

/*
 * source_snapshot.c: the transaction, its snapshot, and where that stands;
 * `import` is an id or NULL for a snapshot of its own, which is exported where
 * the configuration asks for it and the server lets it.
 */
enum status source_snapshot_take(struct source *source, const char *import,
    struct source_snapshot *snapshot) MUST_CHECK;

/*
 * source_share.c: the first question of a transaction: the id, the server's
 * start, what is seen, and the time. Without `export` no id is asked for.
 */
enum status source_share_ask(struct source *source, bool export,
    struct source_shared *shared) MUST_CHECK;
/* STATUS_MALFORMED, not reported. */
enum status source_share_parse(
    const struct source_share *share, struct source_shared *shared) MUST_CHECK;

/*
 * source_statement.c: the configured statement with its literals, for the
 * caller to free.
 */
enum status source_statement_expand(
    struct source *source, int64_t lookback_sec, char **sql) MUST_CHECK;

/*
 * source_statement.c: the configured statement with its literals, for the
 * caller to free, once the server has said that it yields the columns.
 */
enum status source_statement_check(struct source *source, int64_t lookback_sec,
    struct source_layout *layout, char **sql) MUST_CHECK;

#endif
