/* SPDX-License-Identifier: ISC */
/*
 * Sets of rows, one a shard: slabs that all of them borrow from one arena, so
 * that a row costs neither a malloc nor a copy on growth. Where there is a
 * budget, a set whose slab is full when all memory is taken writes it to the
 * scratch file and fills it again.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "row_impl.h"

/* What the arena asks the kernel for at a time. */
#define BLOCK_BYTES ((size_t)64 * SLAB_BYTES_MOST)

struct row_block {
	struct row_block *next;
	uint8_t *slabs;
	size_t used; /* bytes handed out */
};

struct row_arena {
	struct row_spill *spill; /* NULL: no budget */
	size_t slab_bytes;
	struct row_block *blocks;
};

struct row_arena *
row_arena_new(struct row_spill *spill)
{
	struct row_arena *arena = calloc(1, sizeof(struct row_arena));

	if (arena == NULL)
		return NULL;
	arena->spill = spill;
	arena->slab_bytes =
	    spill == NULL ? SLAB_BYTES_MOST : row_spill_slab_bytes(spill);
	return arena;
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
	struct row_block *block;
	struct row_slab *slab;

	if (arena->blocks == NULL || arena->blocks->used == BLOCK_BYTES)
		if (arena_grow(arena) != STATUS_OK)
			return NULL;
	block = arena->blocks;
	slab = (struct row_slab *)(void *)(block->slabs + block->used);
	block->used += arena->slab_bytes;
	return slab;
}

/* One more slab at the set's end, in memory. */
static enum status
set_grow(struct row_arena *arena, struct row_set *set)
{
	struct row_slab *slab = arena_borrow(arena);

	if (slab == NULL)
		return STATUS_NO_MEMORY;
	if (set->last == NULL)
		set->first = slab;
	else
		set->last->next = slab;
	set->last = slab;
	return STATUS_OK;
}

/* The last slab, which is full, goes to the file and is filled again. */
static enum status
set_spill(struct row_spill *spill, struct row_set *set)
{
	enum status status =
	    row_spill_write(spill, set->last, &set->spilled_last);

	if (status != STATUS_OK)
		return status;
	if (set->spilled_first == 0)
		set->spilled_first = set->spilled_last;
	set->spill = spill;
	set->last->count = 0;
	return STATUS_OK;
}

/* The set's last slab is full, or there is none. */
static enum status
set_extend(struct row_arena *arena, struct row_set *set)
{
	struct row_spill *spill = arena->spill;

	if (spill != NULL && set->last == NULL)
		row_spill_begin(spill);
	else if (spill != NULL && !row_spill_claim(spill))
		return set_spill(spill, set);
	return set_grow(arena, set);
}

/* Where the next row goes; NULL with *status. */
static inline struct row *
set_place(struct row_arena *arena, struct row_set *set, enum status *status)
{
	struct row_slab *slab = set->last;

	*status = STATUS_OK;
	if (slab == NULL || slab->count == SLAB_ROWS(arena->slab_bytes)) {
		*status = set_extend(arena, set);
		if (*status != STATUS_OK)
			return NULL;
		slab = set->last;
	}
	set->count++;
	/* Rows are scattered over the slabs of all shards. */
	__builtin_prefetch(&slab->row[slab->count] + 4, 1);
	return &slab->row[slab->count++];
}

enum status
row_set_append(
    struct row_arena *arena, struct row_set *set, const struct row *row)
{
	enum status status;
	struct row *place = set_place(arena, set, &status);

	if (place != NULL)
		*place = *row;
	return status;
}

enum status
row_set_add(struct row_arena *arena, struct row_set *set,
    const struct uint160 *serial, int64_t revoked_at_sec, uint8_t reason,
    int64_t not_after_sec)
{
	enum status status;
	struct row *place = set_place(arena, set, &status);

	if (place != NULL)
		row_fill(place, serial, revoked_at_sec, reason, not_after_sec);
	return status;
}

enum status
row_set_each(const struct row_set *set,
    enum status (*visit)(void *context, const struct row *rows, size_t n),
    void *context)
{
	uint64_t slot = set->spilled_last;
	enum status status = STATUS_OK;
	struct row *rows;
	size_t full;

	for (const struct row_slab *slab = set->first;
	     status == STATUS_OK && slab != NULL; slab = slab->next)
		status = visit(context, slab->row, slab->count);
	if (status != STATUS_OK || slot == 0)
		return status;
	full = SLAB_ROWS(row_spill_slab_bytes(set->spill));
	rows = calloc(full, sizeof(*rows));
	if (rows == NULL)
		return STATUS_NO_MEMORY;
	while (status == STATUS_OK && slot != 0) {
		status = row_spill_read(set->spill, &slot, rows);
		if (status == STATUS_OK)
			status = visit(context, rows, full);
	}
	free(rows);
	return status;
}

enum status
row_set_gather(const struct row_set *set, struct row *out)
{
	uint64_t slot = set->spilled_last;
	enum status status = STATUS_OK;

	for (const struct row_slab *slab = set->first; slab != NULL;
	     slab = slab->next) {
		memcpy(out, slab->row, slab->count * sizeof(*out));
		out += slab->count;
	}
	while (status == STATUS_OK && slot != 0) {
		status = row_spill_read(set->spill, &slot, out);
		out += SLAB_ROWS(row_spill_slab_bytes(set->spill));
	}
	return status;
}

/* The first slab of one chain in the file comes behind the last of the other;
 * in memory likewise. */
enum status
row_set_splice(struct row_set *set, struct row_set *from)
{
	enum status status = STATUS_OK;

	if (from->first == NULL)
		return STATUS_OK;
	if (set->last == NULL)
		set->first = from->first;
	else
		set->last->next = from->first;
	set->last = from->last;
	set->count += from->count;
	if (from->spilled_last != 0) {
		if (set->spilled_last != 0)
			status = row_spill_link(from->spill,
			    from->spilled_first, set->spilled_last);
		else
			set->spilled_first = from->spilled_first;
		set->spilled_last = from->spilled_last;
		set->spill = from->spill;
	}
	memset(from, 0, sizeof(*from));
	return status;
}

/* The first block is the one that is filled; it stays that. */
void
row_arena_join(struct row_arena *arena, struct row_arena *from)
{
	struct row_block **end = &arena->blocks;

	while (*end != NULL)
		end = &(*end)->next;
	*end = from->blocks;
	free(from);
}
