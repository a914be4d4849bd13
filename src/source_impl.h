/* SPDX-License-Identifier: ISC */
/*
 * What source.c, which knows libpq, offers to the files that hold the
 * statements and know it not. One statement, one function; none of these is
 * to be called with text that came from elsewhere.
 */
#ifndef CRLPRESS_SOURCE_IMPL_H
#define CRLPRESS_SOURCE_IMPL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "crlpress/source.h"
#include "crlpress/source_column.h"

/* PostgreSQL's timestamps count microseconds from 2000. */
#define SOURCE_EPOCH_SEC 946684800LL
#define SOURCE_USEC_PER_SEC 1000000LL

/* Longest name of a database, a column or a type, with its NUL. */
#define SOURCE_NAME_BYTES 512

/* A message of libpq or of the server, on one line. */
#define SOURCE_MESSAGE_BYTES 1024

/* A statement, and what a fault of it is about. */
struct source_query {
	const char *object;
	const char *rule; /* static text */
	const char *sql;
};

/* The answer to a query: one row. */
struct source_answer;

/* "database crl at db1:5432". */
const char *source_name(const struct source *source);
struct report *source_report(struct source *source);
const struct source_config *source_config(const struct source *source);
/* The one that was started last, or is to be: the configured one. */
const struct source_statement *source_statement(const struct source *source);

/* 150018 is 15.18. */
int source_server_version(const struct source *source);

/* `text` as an SQL literal, for the caller to free; NULL: reported. */
char *source_quote(struct source *source, const char *text);

/* Commands, one or several, that yield no rows. */
enum status source_execute(
    struct source *source, const struct source_query *query) MUST_CHECK;

/* A query that yields exactly one row. */
enum status source_ask(struct source *source, const struct source_query *query,
    struct source_answer **answer) MUST_CHECK;
void source_answer_free(struct source_answer *answer);

/*
 * A value of `size` octets as it is on the wire, most significant first.
 * False with *value == 0: NULL, or of another size.
 */
bool source_answer_integer(
    const struct source_answer *answer, int column, int size, uint64_t *value);
/* A text, cut off to `size` with its NUL; "" for NULL. Returns `out`. */
char *source_answer_text(
    const struct source_answer *answer, int column, char *out, size_t size);

/* What a statement would yield. */
struct source_description {
	int columns;
	int parameters;
	/* Of the first columns. */
	uint32_t type_oid[SOURCE_COLUMN_COUNT];
	char name[SOURCE_COLUMN_COUNT][SOURCE_NAME_BYTES];
};

/* Has the server parse a statement, without running it. */
enum status source_describe(struct source *source,
    const struct source_query *query,
    struct source_description *description) MUST_CHECK;

/* source_snapshot.c: the transaction, its snapshot, and where that stands. */
enum status source_snapshot_take(
    struct source *source, struct source_snapshot *snapshot) MUST_CHECK;

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

/* source_message.c: libpq's lines and tabs as one line; `text` may be NULL. */
const char *source_message(const char *text, char out[SOURCE_MESSAGE_BYTES]);
/* The line of `sql` at the server's `position`, in characters from 1. */
unsigned source_message_line(const char *sql, const char *position);
/* What to do about an error, by its SQLSTATE; NULL: nothing to add. */
const char *source_message_remedy(const char *sqlstate);

#endif
