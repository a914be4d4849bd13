/* SPDX-License-Identifier: ISC */
/* What server.c and server_start.c share. */
#ifndef CRLPRESS_SERVER_IMPL_H
#define CRLPRESS_SERVER_IMPL_H

#include <pthread.h>

#include "generation.h"
#include "metrics_server.h"
#include "server.h"
#include "worker.h"

struct server {
	const struct server_start *start;
	struct worker *worker[SUNSET_THREADS_MOST];
	uint32_t threads;
	struct worker_orders orders;
	struct generation *generation; /* in force */
	struct generation *old; /* until no thread counts in it any more */
	struct metrics_server metrics;
	int metrics_listener; /* -1: none */
	int epoll_fd;
	char *message; /* of WIRE_BYTES_MOST + 1 */
	bool draining;
	int64_t start_sec;
	int64_t reload_sec;
	int64_t counted_sec; /* sent up to here */
	int64_t saved_sec;   /* kept up to here, until it is sent */
	uint64_t reloads_failed;
	pthread_barrier_t barrier;
};

/* server_start.c: limits, listeners, threads' memory. */
enum status server_open(
    struct server *server, struct report *report) MUST_CHECK;

/* server_start.c: privileges, sandbox, threads; in that order. */
enum status server_lock_in(
    struct server *server, struct report *report) MUST_CHECK;

#endif
