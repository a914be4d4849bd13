/* SPDX-License-Identifier: ISC */
/*
 * Revoked certificates as the program holds them by the million: flat records
 * of 32 bytes, appended to one set a shard without a malloc a row, then
 * gathered into one array and sorted. Pure; no library.
 */
#ifndef CRLPRESS_ROW_H
#define CRLPRESS_ROW_H

#include <stddef.h>
#include <stdint.h>

#include "crlpress/status.h"
#include "crlpress/uint160.h"

/* 40 bits of seconds since UTC_MIN_SEC reach past the year 9999. */
struct row {
	struct uint160 serial;
	uint8_t reason;         /* RFC 5280, 5.3.1: 0 to 10 without 7 */
	uint8_t spare;          /* 0 */
	uint8_t revoked_high;   /* see row_revoked_at */
	uint8_t not_after_high; /* see row_not_after */
	uint32_t revoked_low;
	uint32_t not_after_low;
};

/* Times are between UTC_MIN_SEC and UTC_MAX_SEC. */
struct row row_make(const struct uint160 *serial, int64_t revoked_at_sec,
    uint8_t reason, int64_t not_after_sec);
int64_t row_revoked_at(const struct row *row);
int64_t row_not_after(const struct row *row);

/*
 * Sorts by serial; rows of one serial keep their order of arrival. `scratch`
 * has room for n rows too.
 */
void row_sort(struct row *rows, struct row *scratch, size_t n);

/* Memory for the rows of all shards, in slabs that sets borrow. */
struct row_arena;

/* NULL when memory ran out. Freeing the arena frees the rows of all sets. */
struct row_arena *row_arena_new(void);
void row_arena_free(struct row_arena *arena);

/* The rows of one shard, in order of arrival. Zero-initialise. */
struct row_set {
	struct row_slab *first;
	struct row_slab *last;
	uint64_t count;
};

enum status row_set_append(struct row_arena *arena, struct row_set *set,
    const struct row *row) MUST_CHECK;

/* Copies all rows to `out`, which has room for set->count of them. */
void row_set_gather(const struct row_set *set, struct row *out);

/*
 * Rows of the set, some at a time and where they lie, in order of arrival:
 * NULL after the last. `*place` begins as NULL and is the set's own.
 */
const struct row *row_set_next(
    const struct row_set *set, const struct row_slab **place, size_t *count);

/* Gives the slabs back to the arena and empties the set. Not thread-safe. */
void row_set_release(struct row_arena *arena, struct row_set *set);

#endif
