/* SPDX-License-Identifier: ISC */
/*
 * A configuration while it is in force, with the counters of all threads:
 * what a counter means hangs on the lists of hosts and issuers, so they come
 * and go together.
 */
#ifndef CRLPRESS_GENERATION_H
#define CRLPRESS_GENERATION_H

#include <stdatomic.h>
#include <stdint.h>

#include "crlpress/status.h"

#include "sunset_config.h"

struct generation {
	struct sunset_config *config; /* ours */
	uint64_t number;              /* 1, 2, ... */
	uint32_t cells;
	uint32_t threads;
	_Atomic uint64_t *cell; /* `cells` of each thread, in a row */
	uint64_t *sent;         /* of each cell, to the counts file */
	uint64_t *before;       /* of each cell, in generations before */
};

/* NULL when memory ran out; `config` then stays the caller's. */
struct generation *generation_new(
    struct sunset_config *config, uint64_t number, uint32_t threads);

/* A cell's sum over the threads, of this generation. */
uint64_t generation_sum(const struct generation *generation, uint32_t cell);

/*
 * Sends what was counted since the last call, and then how long that was, as
 * messages with lines of the counts file.
 */
enum status generation_flush(struct generation *generation, int fd,
    int64_t from_sec, int64_t to_sec) MUST_CHECK;

/*
 * Sends all of the same so far, to be kept until generation_flush sends it for
 * good: WIRE_HOUR, then WIRE_SAVE.
 */
enum status generation_save(struct generation *generation, int fd,
    int64_t from_sec, int64_t to_sec) MUST_CHECK;

/* What the old one counted goes on in the new one, by name. */
void generation_carry(
    struct generation *generation, const struct generation *old);

void generation_free(struct generation *generation);

#endif
