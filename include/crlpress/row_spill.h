/* SPDX-License-Identifier: ISC */
/*
 * A scratch file for rows that memory is not meant to hold: slabs of rows go
 * there as they get full, once as many as the budget allows are in memory. The
 * file has no name, is made when it is needed first, and is gone with the
 * process. Threads may share it.
 */
#ifndef CRLPRESS_ROW_SPILL_H
#define CRLPRESS_ROW_SPILL_H

#include <stdint.h>

#include "crlpress/status.h"

struct row_spill;

/*
 * For rows of up to `memory_most` bytes in memory, in `sets` sets that are
 * filled at a time, each of which has a slab that is not full: slabs are so
 * small that these take half of it at most, if that can be. The path is
 * borrowed. NULL when memory ran out; row_spill_free(NULL) is fine.
 */
struct row_spill *row_spill_new(
    const char *directory, uint64_t memory_most, uint64_t sets);
void row_spill_free(struct row_spill *spill);

/* As many sets as there is memory for at all. */
uint64_t row_spill_sets_most(uint64_t memory_most);

/* Bytes of rows that are in memory, and in the file. */
uint64_t row_spill_memory(const struct row_spill *spill);
uint64_t row_spill_bytes(const struct row_spill *spill);

/* What went wrong first, an errno; 0: nothing did. */
int row_spill_error(const struct row_spill *spill);

#endif
