/* SPDX-License-Identifier: ISC */
/*
 * The placeholders of the source's statements: :'issuer' and :'lookback', in
 * those for less than all rows :'shard' or :'serial' too, in those that several
 * connections share :'part' and :'parts', as psql writes them, replaced by
 * quoted literals. Pure; no library.
 */
#ifndef CRLPRESS_SOURCE_SQL_H
#define CRLPRESS_SOURCE_SQL_H

#include <stdbool.h>
#include <stddef.h>

#include "crlpress/status.h"

/* Longest statement once expanded, with its NUL: presets have 2 KiB. */
#define SOURCE_SQL_BYTES_MOST 262144

/* Longest name of a placeholder that a message repeats, with its NUL. */
#define SOURCE_SQL_NAME_BYTES 64

struct source_sql_literals {
	const char *issuer;   /* quoted: 'letters-1' */
	const char *lookback; /* quoted: '2026-10-23T05:09:49Z' */
	/* NULL: a statement that is told neither has no such placeholder. */
	const char *shard;  /* quoted: '7' */
	const char *serial; /* quoted: '0a1b2c' */
	/* Both or none: which part of how many, '0' of '4'. */
	const char *part;
	const char *parts;
	/* Both or none: where a part begins, and what is no more of it. */
	const char *from;
	const char *to;
};

/* What is wrong with a statement. */
struct source_sql_fault {
	const char *what;                 /* static text */
	const char *hint;                 /* static text or NULL */
	unsigned line;                    /* from 1 */
	char name[SOURCE_SQL_NAME_BYTES]; /* of the placeholder, or "" */
};

/*
 * A copy of `sql` with the literals in it, to be freed. Text in quotes, dollar
 * quotes and comments stays as it is, read with standard_conforming_strings
 * on; so do casts (::) and := and array slices of numbers. A semicolon at the
 * end becomes a blank. STATUS_CONFIG with `*fault` for any other placeholder,
 * a second statement, an open quote or comment, or a statement too long;
 * STATUS_NO_MEMORY.
 */
enum status source_sql_expand(const char *sql,
    const struct source_sql_literals *literals, char **expanded,
    struct source_sql_fault *fault) MUST_CHECK;

/*
 * Whether a placeholder of that name stands in the statement; false too for
 * one that cannot be read.
 */
bool source_sql_has(const char *sql, const char *name);

#endif
