/* SPDX-License-Identifier: ISC */
/*
 * Prometheus text (format 0.0.4) of the counts, for the local listener. It is
 * written piece by piece into a buffer of the caller's, so that any number
 * of cells needs no memory of its own. Pure; no library.
 */
#ifndef CRLPRESS_METRICS_H
#define CRLPRESS_METRICS_H

#include <stdint.h>

#include "counts.h"

#define METRICS_TYPE "text/plain; version=0.0.4; charset=utf-8"

/* A piece is at least one line: a buffer must hold this many bytes. */
#define METRICS_PIECE_LEAST 1024

/* What stands beside the counters. */
struct metrics_state {
	int64_t start_sec;       /* of the server */
	int64_t reload_sec;      /* of the configuration in force */
	uint64_t reloads_failed; /* refused configurations */
	uint64_t connections_open;
	uint64_t connections_accepted;
	uint64_t connections_refused; /* the pool was full */
	uint64_t connections_timed_out;
};

/* Zero-initialise; done when metrics_next returns 0. */
struct metrics_cursor {
	uint32_t next;
};

/*
 * Writes the next whole lines into `buffer`, without NUL, and returns how
 * many bytes; 0 when all is written. `cell` are the sums over the threads,
 * as many as count_cells() says, and may grow between two calls; cells that
 * are 0 are left out.
 */
size_t metrics_next(struct metrics_cursor *cursor,
    const struct metrics_state *state, const struct count_names *names,
    const uint64_t *cell, char *buffer, size_t size);

#endif
