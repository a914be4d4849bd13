/* SPDX-License-Identifier: ISC */
/*
 * Waiting until the public has what was published: the URL in the certificates
 * is asked, as clients ask, until the CRL there is the issuer's, has at least
 * the number that was published, and lists what it was published for. Between
 * the store and a client there may be caches.
 */
#ifndef CRLPRESS_PUBLIC_WAIT_H
#define CRLPRESS_PUBLIC_WAIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "crlpress/config.h"
#include "crlpress/context.h"
#include "crlpress/report.h"
#include "crlpress/run.h"
#include "crlpress/status.h"

#define PUBLIC_WAIT_SEC_DEFAULT 600

struct public_wait {
	const struct config *config;
	const struct context *context;
	struct report *report;
	/* Sorted by serial; those that stand in a shard are looked for. */
	const struct run_asked *asked;
	size_t asked_count;
	int64_t deadline_sec; /* from now; 0: the default */
	bool quiet;           /* say only what is wrong in the end */
};

/*
 * Waits for all shards that a run has published. What is seen is said each
 * time it changes. STATUS_PARTIAL, reported for each shard, at the deadline.
 */
enum status public_wait(
    const struct public_wait *wait, const struct run *run) MUST_CHECK;

#endif
