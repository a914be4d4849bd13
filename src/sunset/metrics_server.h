/* SPDX-License-Identifier: ISC */
/*
 * Serves the metrics on a listener of their own, a few clients at a time, from
 * the control thread. Nobody waits for a slow one: it has a deadline, and gives
 * way before that when another one comes.
 */
#ifndef CRLPRESS_METRICS_SERVER_H
#define CRLPRESS_METRICS_SERVER_H

#include <stdbool.h>
#include <stdint.h>

#include "crlpress/status.h"

#include "http_request.h"
#include "metrics.h"

#define METRICS_IN_BYTES 4096
#define METRICS_OUT_BYTES 16384

/* A scraper asks in one go. */
#define METRICS_CLIENT_MS 5000

/* There is one scraper, or two of them, and somebody who looks at it by hand.
 */
#define METRICS_CLIENTS 4

struct metrics_client {
	int fd;         /* -1: none */
	uint64_t order; /* in which they came */
	int64_t deadline_ms;
	struct http_request request;
	uint32_t in_len;
	uint32_t out_at;
	uint32_t out_len;
	bool answering;
	bool with_body;
	struct metrics_cursor cursor;
	char in[METRICS_IN_BYTES];
	char out[METRICS_OUT_BYTES];
};

struct metrics_server {
	int listener; /* -1: there is none */
	int epoll_fd;
	uint32_t tag; /* of the listener's events; the clients' come after it */
	uint64_t came;
	struct metrics_client client[METRICS_CLIENTS];
	struct metrics_state state;
	const struct count_names *names;
	uint64_t *sum; /* COUNT_CELLS_MOST of them */
};

/* Fills in state, names and sums when there is somebody to tell. */
struct metrics_source {
	void (*take)(void *server, struct metrics_server *metrics);
	void *server;
};

/* `listener` may be -1. STATUS_NO_MEMORY, STATUS_IO. */
enum status metrics_server_open(struct metrics_server *metrics, int listener,
    int epoll_fd, uint32_t tag) MUST_CHECK;

/* An event with one of the tags. */
void metrics_server_ready(struct metrics_server *metrics, uint32_t tag,
    const struct metrics_source *source, int64_t now_ms);

/* Ends who takes too long. Milliseconds until the next one does, or -1. */
int64_t metrics_server_expire(struct metrics_server *metrics, int64_t now_ms);

/* The lists it is telling of will not be there any more. */
void metrics_server_reset(struct metrics_server *metrics);

#endif
