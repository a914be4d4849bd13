/* SPDX-License-Identifier: ISC */
/*
 * Flat rows: slabs of 64 KiB that the row sets of all shards borrow from one
 * arena, and a sort that looks at serials a byte at a time (most-significant
 * digit radix), since serials are random and a comparison sort is not.
 */
#include "crlpress/row.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "crlpress/utc.h"

/* 64 KiB a slab: a thousand shards waste at most 64 MiB on half-full ones. */
#define SLAB_BYTES 65536
#define SLAB_ROWS ((SLAB_BYTES - 2 * sizeof(void *)) / sizeof(struct row))

/* What the arena asks the kernel for at a time. */
#define BLOCK_SLABS 64
#define BLOCK_BYTES ((size_t)BLOCK_SLABS * SLAB_BYTES)

/* Below this many rows inserting beats counting. */
#define INSERTION_MOST 24

struct row_slab {
	struct row_slab *next;
	size_t count;
	struct row row[SLAB_ROWS];
};

_Static_assert(sizeof(struct row) == 32, "rows are 32 bytes");
_Static_assert(sizeof(struct row_slab) <= SLAB_BYTES, "a slab is 64 KiB");

struct row_block {
	struct row_block *next;
	uint8_t *slabs;
	size_t used; /* slabs handed out */
};

struct row_arena {
	struct row_block *blocks;
	struct row_slab *free;
};

struct row
row_make(const struct uint160 *serial, int64_t revoked_at_sec, uint8_t reason,
    int64_t not_after_sec)
{
	uint64_t revoked = (uint64_t)(revoked_at_sec - UTC_MIN_SEC);
	uint64_t not_after = (uint64_t)(not_after_sec - UTC_MIN_SEC);

	return (struct row){
	    .serial = *serial,
	    .reason = reason,
	    .revoked_high = (uint8_t)(revoked >> 32),
	    .revoked_low = (uint32_t)revoked,
	    .not_after_high = (uint8_t)(not_after >> 32),
	    .not_after_low = (uint32_t)not_after,
	};
}

int64_t
row_revoked_at(const struct row *row)
{
	return (int64_t)((uint64_t)row->revoked_high << 32 | row->revoked_low) +
	       UTC_MIN_SEC;
}

int64_t
row_not_after(const struct row *row)
{
	return (int64_t)((uint64_t)row->not_after_high << 32 |
			 row->not_after_low) +
	       UTC_MIN_SEC;
}

static void
sort_insertion(struct row *rows, size_t n)
{
	for (size_t i = 1; i < n; i++) {
		struct row row = rows[i];
		size_t j = i;

		while (j > 0 &&
		       uint160_compare(&rows[j - 1].serial, &row.serial) > 0) {
			rows[j] = rows[j - 1];
			j--;
		}
		rows[j] = row;
	}
}

/* Rows equal in the octets before `digit`; at most 20 deep. */
static void
sort_digit(struct row *rows, struct row *scratch, size_t n, size_t digit)
{
	size_t start[257] = {0};
	size_t at[256];

	if (n <= INSERTION_MOST) {
		sort_insertion(rows, n);
		return;
	}
	for (; digit < UINT160_OCTETS; digit++) {
		memset(start, 0, sizeof(start));
		for (size_t i = 0; i < n; i++)
			start[rows[i].serial.octet[digit] + 1]++;
		/* A zero octet that all share sorts nothing. */
		if (start[rows[0].serial.octet[digit] + 1] != n)
			break;
	}
	if (digit == UINT160_OCTETS)
		return;
	for (size_t i = 0; i < 256; i++) {
		start[i + 1] += start[i];
		at[i] = start[i];
	}
	for (size_t i = 0; i < n; i++)
		scratch[at[rows[i].serial.octet[digit]]++] = rows[i];
	memcpy(rows, scratch, n * sizeof(*rows));
	for (size_t i = 0; i < 256; i++)
		if (start[i + 1] - start[i] > 1)
			sort_digit(rows + start[i], scratch + start[i],
			    start[i + 1] - start[i], digit + 1);
}

void
row_sort(struct row *rows, struct row *scratch, size_t n)
{
	sort_digit(rows, scratch, n, 0);
}

struct row_arena *
row_arena_new(void)
{
	return calloc(1, sizeof(struct row_arena));
}

void
row_arena_free(struct row_arena *arena)
{
	struct row_block *next;

	if (arena == NULL)
		return;
	for (struct row_block *block = arena->blocks; block; block = next) {
		next = block->next;
		munmap(block->slabs, BLOCK_BYTES);
		free(block);
	}
	free(arena);
}

/* Straight from the kernel: a page that no row reaches costs nothing. */
static enum status
arena_grow(struct row_arena *arena)
{
	struct row_block *block = calloc(1, sizeof(*block));

	if (block == NULL)
		return STATUS_NO_MEMORY;
	block->slabs = mmap(NULL, BLOCK_BYTES, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (block->slabs == MAP_FAILED) {
		free(block);
		return STATUS_NO_MEMORY;
	}
	block->next = arena->blocks;
	arena->blocks = block;
	return STATUS_OK;
}

static struct row_slab *
arena_borrow(struct row_arena *arena)
{
	struct row_slab *slab = arena->free;

	if (slab != NULL) {
		arena->free = slab->next;
		slab->next = NULL;
		slab->count = 0;
		return slab;
	}
	if (arena->blocks == NULL || arena->blocks->used == BLOCK_SLABS)
		if (arena_grow(arena) != STATUS_OK)
			return NULL;
	return (struct row_slab *)(void *)(arena->blocks->slabs +
					   SLAB_BYTES * arena->blocks->used++);
}

enum status
row_set_append(
    struct row_arena *arena, struct row_set *set, const struct row *row)
{
	struct row_slab *slab = set->last;

	if (slab == NULL || slab->count == SLAB_ROWS) {
		slab = arena_borrow(arena);
		if (slab == NULL)
			return STATUS_NO_MEMORY;
		if (set->last == NULL)
			set->first = slab;
		else
			set->last->next = slab;
		set->last = slab;
	}
	slab->row[slab->count++] = *row;
	set->count++;
	return STATUS_OK;
}

const struct row *
row_set_next(
    const struct row_set *set, const struct row_slab **place, size_t *count)
{
	*place = *place == NULL ? set->first : (*place)->next;
	if (*place == NULL)
		return NULL;
	*count = (*place)->count;
	return (*place)->row;
}

void
row_set_gather(const struct row_set *set, struct row *out)
{
	const struct row_slab *place = NULL;
	const struct row *row;
	size_t count;

	while ((row = row_set_next(set, &place, &count)) != NULL) {
		memcpy(out, row, count * sizeof(*out));
		out += count;
	}
}

void
row_set_release(struct row_arena *arena, struct row_set *set)
{
	if (set->last != NULL) {
		set->last->next = arena->free;
		arena->free = set->first;
	}
	memset(set, 0, sizeof(*set));
}
