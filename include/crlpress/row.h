/* SPDX-License-Identifier: ISC */
/*
 * Revoked certificates as the program holds them by the million: flat records
 * of 32 bytes, appended to one set a shard without a malloc a row, then
 * gathered into one array and sorted. No library.
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
void row_fill(struct row *row, const struct uint160 *serial,
    int64_t revoked_at_sec, uint8_t reason, int64_t not_after_sec);
struct row row_make(const struct uint160 *serial, int64_t revoked_at_sec,
    uint8_t reason, int64_t not_after_sec);
int64_t row_revoked_at(const struct row *row);
int64_t row_not_after(const struct row *row);

/*
 * Sorts by serial; rows of one serial by revocation, expiry and reason, so that
 * nothing depends on who read which first. `scratch` has room for n rows too.
 */
void row_sort(struct row *rows, struct row *scratch, size_t n);

/* How many of sorted rows have no higher serial: those of this one, if any, are
 * the last of them. */
size_t row_seek(const struct row *rows, size_t n, const struct uint160 *serial);

/* Memory for the rows of all shards, in slabs that sets borrow. */
struct row_arena;
struct row_spill;

/*
 * NULL when memory ran out. Freeing the arena frees the rows of all sets.
 * `spill`, for arenas together, is a budget and where the rest goes: it is
 * borrowed, and outlives the sets. NULL: everything stays in memory.
 */
struct row_arena *row_arena_new(struct row_spill *spill);
void row_arena_free(struct row_arena *arena);

/* The rows of one shard. Zero-initialise. */
struct row_set {
	struct row_slab *first;
	struct row_slab *last;
	uint64_t count;
	/* What is in the scratch file: the first that went there, the last. */
	struct row_spill *spill;
	uint64_t spilled_first;
	uint64_t spilled_last;
};

/* STATUS_NO_MEMORY, or STATUS_IO as row_spill_error says; not reported. */
enum status row_set_append(struct row_arena *arena, struct row_set *set,
    const struct row *row) MUST_CHECK;
/*
 * The same with what row_make makes of these, written where it stays: a row
 * that is copied as soon as it is made waits for all its parts to be stored.
 */
enum status row_set_add(struct row_arena *arena, struct row_set *set,
    const struct uint160 *serial, int64_t revoked_at_sec, uint8_t reason,
    int64_t not_after_sec) MUST_CHECK;

/*
 * All rows to `out`, which has room for set->count of them, in no order.
 * STATUS_IO when some cannot be read back, not reported.
 */
enum status row_set_gather(
    const struct row_set *set, struct row *out) MUST_CHECK;

/* Calls visit with all rows, some at a time; ends with the first status that
 * is not STATUS_OK. Threads may do so beside each other. */
enum status row_set_each(const struct row_set *set,
    enum status (*visit)(void *context, const struct row *rows, size_t n),
    void *context) MUST_CHECK;

/* Appends the rows of `from`, which is then empty; both of one arena, or of
 * two that are joined before the rows are looked at. */
enum status row_set_splice(
    struct row_set *set, struct row_set *from) MUST_CHECK;
/* All memory of `from`, which is freed, becomes that of `arena`; both are for
 * the same budget. */
void row_arena_join(struct row_arena *arena, struct row_arena *from);

#endif
