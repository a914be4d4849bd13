/* SPDX-License-Identifier: ISC */
/*
 * A thread that answers: its listeners, its connections, its clock, its
 * counters. Threads share nothing but the configuration in force, so nothing
 * in here is locked; all memory is taken before the first connection.
 *
 * An idle connection is a few words. Only what has a request half read, or an
 * answer half written, holds one of a fixed number of buffers; when these run
 * out, who has held one for longest is given up.
 */
#ifndef CRLPRESS_WORKER_H
#define CRLPRESS_WORKER_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "crlpress/status.h"

#include "answer.h"
#include "choice.h"
#include "counts.h"
#include "generation.h"
#include "http_request.h"
#include "ocsp_request.h"
#include "sunset_config.h"
#include "sunset_context.h"

/* No request needs more; what is read at once. */
#define WORKER_IN_BYTES 28672
_Static_assert(WORKER_IN_BYTES >= HTTP_REQUEST_MOST, "WORKER_IN_BYTES");

/* Answers written at once: a dozen pipelined ones. */
#define WORKER_OUT_BYTES 4096

/*
 * Half-read requests and half-written answers of a thread: 16 MiB at the very
 * most, and a page for each in practice.
 */
#define WORKER_BUFFERS 512

/* RFC 9112, 9.6: how long we listen after our last word. */
#define WORKER_LINGER_MS 2000

#define WORKER_NONE UINT32_MAX

struct worker_buffer {
	struct http_request request;
	uint32_t in_len;
	uint32_t out_at;
	uint32_t out_len;
	uint32_t next; /* free ones */
	char in[WORKER_IN_BYTES];
	char out[WORKER_OUT_BYTES];
};

/* What a connection waits for; each has a list, the earliest deadline first. */
enum connection_state {
	CONNECTION_IDLE,    /* the first byte of a request */
	CONNECTION_REQUEST, /* the rest of it */
	CONNECTION_WRITE,   /* room for its answer */
	CONNECTION_LINGER,  /* the end, after ours (RFC 9112, 9.6) */
	CONNECTION_FREE,
	CONNECTION_STATES
};

struct connection {
	int fd;
	uint8_t state;
	bool closing;    /* after what is to be written */
	bool registered; /* with epoll */
	uint32_t buffer; /* or WORKER_NONE */
	uint32_t prev;
	uint32_t next;
	uint32_t lingered; /* bytes thrown away */
	int64_t deadline_ms;
};

struct worker_list {
	uint32_t first;
	uint32_t last;
};

/* What the thread counts beside the cells: one writer, any reader. */
struct worker_counters {
	_Atomic uint64_t open;
	_Atomic uint64_t accepted;
	_Atomic uint64_t refused;
	_Atomic uint64_t timed_out;
};

enum worker_order { WORKER_RUN, WORKER_DRAIN, WORKER_STOP };

struct worker_listener {
	int fd;
	bool given; /* shared with other threads, and not ours to close */
};

/* What the control thread sets, and the thread reads when it is woken. */
struct worker_orders {
	_Atomic(struct generation *) generation;
	_Atomic int order;
	_Atomic int64_t drain_ms; /* for how long */
	int reply_fd;             /* eventfd: a thread has done as told */
};

struct worker {
	/* Set before the thread is started. */
	const struct sunset_context *context;
	struct worker_orders *orders;
	unsigned index;
	struct worker_listener listener[SUNSET_LISTEN_MOST];
	uint32_t listeners;
	int epoll_fd;
	int wake_fd;
	struct connection *connection;
	uint32_t connections;
	struct worker_buffer *buffer;
	/* Shared with the control thread. */
	struct worker_counters counters;
	_Atomic uint64_t generation_seen;
	_Atomic bool ended;
	/* The thread's own. */
	pthread_t thread;
	struct generation *generation;
	_Atomic uint64_t *cell;
	bool paused; /* nothing is accepted until then */
	int64_t paused_until_ms;
	bool draining;
	int64_t drain_until_ms;
	int64_t now_ms;
	int64_t now_sec;
	uint32_t free_connection;
	uint32_t free_buffer;
	struct worker_list list[CONNECTION_STATES];
	struct choice choice;
	struct answer_set answers;
	uint32_t out_len;
	char out[WORKER_OUT_BYTES];
	uint8_t der[OCSP_PATH_DER_BYTES(HTTP_LINE_MOST)];
	char in[WORKER_IN_BYTES];
};

/*
 * Takes the memory and descriptors of a worker that was zeroed; listeners,
 * context, orders and index are set. STATUS_NO_MEMORY or STATUS_IO.
 */
enum status worker_open(struct worker *worker, uint32_t connections) MUST_CHECK;

/* Answers until it is ordered to stop, or has drained. */
void *worker_run(void *worker);

/* From another thread: look at the orders. */
void worker_wake(struct worker *worker);

/* Internal to worker.c and connection.c. */

/* connection.c: a connection accepted, ready, past its deadline, ended. */
void connection_begin(struct worker *worker, int fd);
void connection_ready(struct worker *worker, uint32_t i, uint32_t events);
void connection_expire(struct worker *worker, uint32_t i);
void connection_end(struct worker *worker, uint32_t i);

/* worker_list.c: moves a connection to the end of a state's list. */
void worker_list_move(struct worker *worker, uint32_t i,
    enum connection_state state, int64_t deadline_ms);
/* worker_list.c: a free connection or buffer, or WORKER_NONE. */
uint32_t worker_connection_take(struct worker *worker);
void worker_connection_release(struct worker *worker, uint32_t i);
uint32_t worker_buffer_take(struct worker *worker);
void worker_buffer_release(struct worker *worker, uint32_t i);
/*
 * worker_list.c: who has waited for longest, of all or of those with a buffer,
 * or WORKER_NONE.
 */
uint32_t worker_oldest(const struct worker *worker, bool with_buffer);
void worker_pools_init(struct worker *worker);

static inline void
worker_count(_Atomic uint64_t *counter, uint64_t more)
{
	/* One writer: no need for a locked addition. */
	atomic_store_explicit(counter,
	    atomic_load_explicit(counter, memory_order_relaxed) + more,
	    memory_order_relaxed);
}

#endif
