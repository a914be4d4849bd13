/* SPDX-License-Identifier: ISC */
/* What row_set.c and row_spill.c share: slabs, in memory and in the file. */
#ifndef CRLPRESS_ROW_IMPL_H
#define CRLPRESS_ROW_IMPL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "crlpress/row.h"
#include "crlpress/row_spill.h"

/* 64 KiB a slab: a thousand shards waste at most 64 MiB on half-full ones. */
#define SLAB_BYTES_MOST 65536
/* As large as 31 rows, which tens of thousands of shards have. */
#define SLAB_BYTES_LEAST 1024

struct row_slab {
	struct row_slab *next;
	size_t count;
	struct row row[];
};

#define SLAB_ROWS(bytes) \
	(((bytes) - sizeof(struct row_slab)) / sizeof(struct row))

size_t row_spill_slab_bytes(const struct row_spill *spill);

/* The first slab of a set, for which there is memory always. */
void row_spill_begin(struct row_spill *spill);
/* Takes the memory of another from the budget; false: there is none left. */
bool row_spill_claim(struct row_spill *spill);

/*
 * A full slab to the file. `*slot`, 0 before the first, is where the one before
 * of its set went, and is where this one went afterwards.
 */
enum status row_spill_write(struct row_spill *spill,
    const struct row_slab *slab, uint64_t *slot) MUST_CHECK;
/* Back, its rows to `rows`, which has room for a full slab; `*slot` is then
 * that of the one before, 0 after the last. */
enum status row_spill_read(
    struct row_spill *spill, uint64_t *slot, struct row *rows) MUST_CHECK;
/* Puts slabs behind the one at `slot`, which was the last to be read. */
enum status row_spill_link(
    struct row_spill *spill, uint64_t slot, uint64_t before) MUST_CHECK;

#endif
