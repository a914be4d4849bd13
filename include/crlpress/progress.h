/* SPDX-License-Identifier: ISC */
/*
 * How far a command is, in one line that rewrites itself; only on a terminal,
 * and only a few times a second. Safe to call from several threads.
 */
#ifndef CRLPRESS_PROGRESS_H
#define CRLPRESS_PROGRESS_H

#include <stdint.h>
#include <stdio.h>

struct progress;

/* NULL (which all functions take) when `stream` is NULL or memory ran out. */
struct progress *progress_new(FILE *stream);
void progress_free(struct progress *progress);

/*
 * Starts a phase ("reading rows", "shards") of `total` steps; 0: unknown.
 * The line of the phase before is cleared.
 */
void progress_phase(
    struct progress *progress, const char *phase, uint64_t total);

/* Adds steps done, and draws when it is time to. */
void progress_add(struct progress *progress, uint64_t steps);

/* Clears the line, so that other output can be printed. */
void progress_clear(struct progress *progress);

#endif
