/* SPDX-License-Identifier: ISC */
/*
 * A strict reader of lines that anybody may have written: there is one way to
 * write each value and one order of the fields, and anything else is a fault
 * with the number of its line. What every such list has in common is here, its
 * own fields are in manifest_parse.c and request_parse.c. Pure; no library.
 */
#ifndef CRLPRESS_LIST_READ_H
#define CRLPRESS_LIST_READ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "crlpress/hash.h"
#include "crlpress/source_kind.h"
#include "crlpress/status.h"
#include "crlpress/uint160.h"

/* Where the reading is: a line, and how far in it. The first failure stays. */
struct list_reader {
	const char *at;
	const char *end;   /* of the line: its newline */
	const char *start; /* of the line */
	const char *rest;  /* the line behind it */
	const char *limit; /* of the text */
	size_t line;
	enum status status;
	const char *why;
};

enum list_times { LIST_ONCE, LIST_AT_MOST_ONCE, LIST_ANY_TIMES };

/* A line `# NAME VALUE` before the shards. */
struct list_field {
	const char *prefix;
	enum list_times times;
	const char *missing;
	bool (*read)(struct list_reader *reader, void *object);
};

/*
 * All of these return false once something was wrong; the first fault stays in
 * the reader. Both failing functions return false, so that a caller can end
 * with them.
 */
bool list_fail(struct list_reader *reader, enum status status, const char *why);
bool list_malformed(struct list_reader *reader, const char *why);

/* Goes to the next line. */
bool list_next(struct list_reader *reader);
/* Whether the line begins so. */
bool list_is(const struct list_reader *reader, const char *prefix);

/* The values of the line, from left to right. */
bool list_take_end(struct list_reader *reader);
bool list_take_text(
    struct list_reader *reader, const char *text, const char *why);
/* All up to the next blank or the end of the line, at least one byte. */
bool list_take_word(struct list_reader *reader, const char **word, size_t *len);
/* A word without what `fault` finds wrong; malloc'd, also where that fails. */
bool list_take_string(struct list_reader *reader, char **string,
    const char *(*fault)(const char *));
bool list_take_count(
    struct list_reader *reader, uint64_t most, uint64_t *value);
bool list_take_index(struct list_reader *reader, uint32_t *value);
/* This text, and a count. */
bool list_take_named(
    struct list_reader *reader, const char *name, uint64_t *value);
bool list_take_number(struct list_reader *reader, struct uint160 *number);
bool list_take_time(struct list_reader *reader, int64_t *sec);
bool list_take_hash(struct list_reader *reader, struct hash *hash);
/* Whether the value is not known; goes behind it then, and is no fault. */
bool list_take_unknown(struct list_reader *reader);
/* Of the database: system identifier, timeline, WAL position. */
bool list_take_position(
    struct list_reader *reader, struct source_origin *origin);

/* Of a file: its kind, the number and the time of its edition; there is no
 * position beside it. */
bool list_take_edition(
    struct list_reader *reader, struct source_origin *origin);

/* Reads the fields in their order and stands on the line behind them. */
bool list_read_fields(struct list_reader *reader,
    const struct list_field *fields, size_t count, void *object);
/* `# end CKSUM BYTES`, what cksum(1) prints for all before it: the last. */
bool list_read_end(struct list_reader *reader, const char *text);

#endif
