/* SPDX-License-Identifier: ISC */
/* Work on many shards by a few threads. Pure but for threads. */
#ifndef CRLPRESS_POOL_H
#define CRLPRESS_POOL_H

#include <stddef.h>

#include "crlpress/status.h"

/* More threads than this help nobody: the database is the bottleneck. */
#define POOL_WORKERS_MOST 64

/*
 * Calls work(context, i) for every i below `count`, on up to `workers`
 * threads (this one is among them), in no order. STATUS_NO_MEMORY when no
 * thread could be started where more than one was asked for is not a failure:
 * fewer do the work.
 */
void pool_run(unsigned workers, size_t count,
    void (*work)(void *context, size_t i), void *context);

#endif
