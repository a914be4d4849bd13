/* SPDX-License-Identifier: ISC */
/* Work on many shards by a few threads. Pure but for threads. */
#ifndef CRLPRESS_POOL_H
#define CRLPRESS_POOL_H

#include <stddef.h>

#include "crlpress/status.h"

/* More threads than this help nobody: the database is the bottleneck. */
#define POOL_WORKERS_MOST 64

/*
 * Calls work(context, worker, i) for every i below `count`, in no order, on up
 * to `workers` threads, this one among them. `worker` is below `workers` and
 * no two calls at a time have the same. Where fewer threads can be started,
 * fewer do the work.
 */
void pool_run(unsigned workers, size_t count,
    void (*work)(void *context, unsigned worker, size_t i), void *context);

#endif
