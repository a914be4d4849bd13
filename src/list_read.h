/* SPDX-License-Identifier: ISC */
/*
 * A strict reader of lines that anybody may have written: there is one way to
 * write each value and one order of the fields, and anything else is a fault
 * with the number of its line. What every such list has in common is here
 * (list_read.c, list_take.c), its own fields are tables in manifest_parse.c and
 * request_parse.c. Pure; no library.
 */
#ifndef CRLPRESS_LIST_READ_H
#define CRLPRESS_LIST_READ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "crlpress/hash.h"
#include "crlpress/source_kind.h"
#include "crlpress/status.h"

#define LIST_ORDER_FAULT "shards that are not in the order of their index"

/* Where the reading is: a line, and how far in it. The first failure stays. */
struct list_reader {
	const char *at;
	const char *end;   /* of the line: its newline */
	const char *start; /* of the line */
	const char *rest;  /* the line behind it */
	const char *text;
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
	bool (*read)(struct list_reader *reader, void *to);
	size_t offset; /* of `to` in the object; 0: it is the object */
};

/* A value within a line that has several. */
struct list_value {
	const char *before; /* what stands before it */
	bool (*read)(struct list_reader *reader, void *to);
	size_t offset; /* of `to` in the object; 0: it is the object */
	/* Of the bool that it is known: MANIFEST_UNKNOWN may stand there
	 * instead. 0: it must be. */
	size_t known;
};

/*
 * All of these return false once something was wrong; the first fault stays in
 * the reader. Both failing functions return false, so that a caller can end
 * with them.
 */
bool list_fail(struct list_reader *reader, enum status status, const char *why);
bool list_malformed(struct list_reader *reader, const char *why);

/* Before the first line; no text is longer than `most` bytes. */
bool list_begin(struct list_reader *reader, const char *text, size_t len,
    size_t most, const char *too_large);
/* Goes to the next line. */
bool list_next(struct list_reader *reader);

/* The values of the line, from left to right. */
bool list_take_end(struct list_reader *reader);
/* Whether this text stands here; goes behind it then. */
bool list_take_if(struct list_reader *reader, const char *text);
bool list_take_text(
    struct list_reader *reader, const char *text, const char *why);
/* All up to the next blank or the end of the line, at least one byte. */
bool list_take_bytes(
    struct list_reader *reader, const char **bytes, size_t *len);
/* Of them a string without what `fault` finds wrong; malloc'd, also where that
 * fails. */
bool list_take_string(struct list_reader *reader, char **string,
    const char *(*fault)(const char *));
/* Whether the value is not known; goes behind it then, and is no fault. */
bool list_take_unknown(struct list_reader *reader);
/* Of the list itself, on its first line. */
bool list_take_format(struct list_reader *reader, uint32_t format);
bool list_take_next_update(
    struct list_reader *reader, int64_t this_update_sec, int64_t *sec);
/* One more of the gates that were let pass; malloc'd, also where that fails. */
bool list_take_passed(
    struct list_reader *reader, char ***passed, size_t *count, size_t most);
/*
 * How many shards there are, each of at least so many bytes of text: room for
 * them of `size` bytes each, zeroed and malloc'd. NULL where there is none,
 * too.
 */
void *list_take_shards(
    struct list_reader *reader, size_t least, size_t size, size_t *count);

/* What stands in tables: `to` is of the type that is named. */
bool list_take_word(struct list_reader *reader, void *to);   /* char * */
bool list_take_count(struct list_reader *reader, void *to);  /* uint64_t */
bool list_take_index(struct list_reader *reader, void *to);  /* uint32_t */
bool list_take_number(struct list_reader *reader, void *to); /* uint160 */
bool list_take_time(struct list_reader *reader, void *to);   /* int64_t */
bool list_take_hash(struct list_reader *reader, void *to);   /* struct hash */
/* Into a struct source_origin. Of the database: system identifier, timeline,
 * WAL position. */
bool list_take_position(struct list_reader *reader, void *to);
/* Of a file: its kind, the number and the time of its edition; there is no
 * position beside it. */
bool list_take_edition(struct list_reader *reader, void *to);

/* How shards are found: into a struct shard_placing. */
bool list_take_sharding(struct list_reader *reader, void *to);

/* Reads the fields in their order and stands on the line behind them. */
bool list_read_fields(struct list_reader *reader,
    const struct list_field *fields, size_t count, void *object);
/* Reads the values in their order and stands behind the last. */
bool list_read_values(struct list_reader *reader,
    const struct list_value *values, size_t count, void *object);
/* The line `# shard` as a whole. */
bool list_read_shard(struct list_reader *reader,
    const struct list_value *values, size_t count, void *shard);
/* The line behind it, up to the name that sha256sum(1) reads. */
bool list_read_sum(
    struct list_reader *reader, struct hash *sha256, const char *no_blanks);
/* `# end CKSUM BYTES`, what cksum(1) prints for all before it: the last. */
bool list_read_end(struct list_reader *reader);

/* The one with this index of shards that begin with it, by rising index. */
const void *list_find(
    const void *shards, size_t count, size_t size, uint32_t index);

#endif
