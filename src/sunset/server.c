/* SPDX-License-Identifier: ISC */
/*
 * The control thread: starts the threads that answer, passes on what the
 * parent says, gathers what they count.
 */
#include "server.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "metrics_server.h"
#include "server_impl.h"
#include "wire.h"

#define TAG_PARENT 0
#define TAG_REPLY 1
#define TAG_METRICS 2 /* and those after it */

#define HOUR_SEC 3600

/* How much is lost at most when both processes are killed. */
#define SAVE_SEC 60

static void
orders_give(struct server *server)
{
	for (uint32_t i = 0; i < server->threads; i++)
		worker_wake(server->worker[i]);
}

/* Whether all threads have the configuration in force, or have ended. */
static bool
all_have_taken(const struct server *server)
{
	for (uint32_t i = 0; i < server->threads; i++)
		if (!atomic_load(&server->worker[i]->ended) &&
		    atomic_load(&server->worker[i]->generation_seen) !=
			server->generation->number)
			return false;
	return true;
}

static bool
all_have_ended(const struct server *server)
{
	for (uint32_t i = 0; i < server->threads; i++)
		if (!atomic_load(&server->worker[i]->ended))
			return false;
	return true;
}

/* Sends what was counted up to now; a parent that is gone shows elsewhere. */
static void
counts_flush(struct server *server, struct generation *generation)
{
	int64_t now_sec = server->start->context->clock_sec();

	(void)!generation_flush(
	    generation, server->start->parent_fd, server->counted_sec, now_sec);
}

/* At the end of an hour; `counted_sec` is where the next count begins. */
static void
hour_end(struct server *server)
{
	int64_t now_sec = server->start->context->clock_sec();

	if (now_sec / HOUR_SEC == server->counted_sec / HOUR_SEC)
		return;
	counts_flush(server, server->generation);
	server->counted_sec = now_sec;
}

/* Each minute; not while the counts of two configurations are apart. */
static void
minute_end(struct server *server)
{
	int64_t now_sec = server->start->context->clock_sec();

	if (now_sec / SAVE_SEC == server->saved_sec / SAVE_SEC ||
	    server->old != NULL)
		return;
	(void)!generation_save(server->generation, server->start->parent_fd,
	    server->counted_sec, now_sec);
	server->saved_sec = now_sec;
}

/* The parent has read it and found no fault. */
static void
config_take(struct server *server, const char *text, size_t len)
{
	struct report *silent = report_new(NULL, SEVERITY_FAULT);
	struct sunset_config *config = NULL;
	struct generation *next = NULL;

	if (silent != NULL && server->old == NULL &&
	    sunset_config_parse(server->start->config_name, text, len, silent,
		&config) == STATUS_OK)
		next = generation_new(
		    config, server->generation->number + 1, server->threads);
	report_free(silent);
	if (next == NULL) {
		sunset_config_free(config);
		server->reloads_failed++;
		(void)!wire_send(server->start->parent_fd, WIRE_KEPT, "", 0);
		return;
	}
	server->old = server->generation;
	server->generation = next;
	metrics_server_reset(&server->metrics);
	atomic_store(&server->orders.generation, next);
	orders_give(server);
}

/* No thread counts in the old configuration any more. */
static void
config_taken(struct server *server)
{
	if (server->old == NULL || !all_have_taken(server))
		return;
	counts_flush(server, server->old);
	server->counted_sec = server->start->context->clock_sec();
	server->reload_sec = server->counted_sec;
	generation_carry(server->generation, server->old);
	generation_free(server->old);
	server->old = NULL;
	(void)!wire_send(server->start->parent_fd, WIRE_TAKEN, "", 0);
}

static void
drain(struct server *server)
{
	if (server->draining)
		return;
	server->draining = true;
	atomic_store(&server->orders.drain_ms,
	    server->generation->config->drain_sec * 1000);
	atomic_store(&server->orders.order, WORKER_DRAIN);
	orders_give(server);
}

/* A parent that is gone, or talks nonsense, cannot be asked: it ends. */
static void
parent_ready(struct server *server)
{
	enum wire_kind kind = WIRE_DRAIN;
	const char *text = "";
	size_t len = 0;

	if (wire_receive(server->start->parent_fd, server->message, &kind,
		&text, &len) != STATUS_OK) {
		(void)epoll_ctl(server->epoll_fd, EPOLL_CTL_DEL,
		    server->start->parent_fd, NULL);
		kind = WIRE_DRAIN;
	}
	if (kind == WIRE_CONFIG)
		config_take(server, text, len);
	else
		drain(server);
}

static void
metrics_take(void *from, struct metrics_server *metrics)
{
	struct server *server = from;
	const struct generation *generation = server->generation;
	struct metrics_state state = {
	    .start_sec = server->start_sec,
	    .reload_sec = server->reload_sec,
	    .reloads_failed = server->reloads_failed,
	};

	for (uint32_t i = 0; i < server->threads; i++) {
		const struct worker_counters *counters =
		    &server->worker[i]->counters;

		state.connections_open += atomic_load(&counters->open);
		state.connections_accepted += atomic_load(&counters->accepted);
		state.connections_refused += atomic_load(&counters->refused);
		state.connections_timed_out +=
		    atomic_load(&counters->timed_out);
	}
	metrics->state = state;
	metrics->names = &generation->config->names;
	for (uint32_t i = 0; i < generation->cells; i++)
		metrics->sum[i] =
		    generation->before[i] + generation_sum(generation, i);
}

static int
wait_ms(struct server *server)
{
	const struct sunset_context *context = server->start->context;
	int64_t now_sec = context->clock_sec();
	int64_t wait = (SAVE_SEC - now_sec % SAVE_SEC) * 1000;
	int64_t client =
	    metrics_server_expire(&server->metrics, context->mono_ms());

	if (client >= 0 && client < wait)
		wait = client;
	return (int)wait;
}

static void
event_handle(struct server *server, const struct epoll_event *event)
{
	struct metrics_source source = {metrics_take, server};
	uint64_t count;
	ssize_t n;

	switch (event->data.u32) {
	case TAG_PARENT:
		parent_ready(server);
		break;
	case TAG_REPLY:
		n = read(server->orders.reply_fd, &count, sizeof(count));
		(void)n;
		break;
	default:
		metrics_server_ready(&server->metrics, event->data.u32, &source,
		    server->start->context->mono_ms());
		break;
	}
}

static void
control_loop(struct server *server)
{
	while (!all_have_ended(server)) {
		struct epoll_event event[4];
		int n = epoll_wait(server->epoll_fd, event, 4, wait_ms(server));

		for (int i = 0; i < n; i++)
			event_handle(server, &event[i]);
		config_taken(server);
		hour_end(server);
		minute_end(server);
	}
}

/* The end: what is still to be counted, and that this was all. */
static enum status
server_end(struct server *server)
{
	for (uint32_t i = 0; i < server->threads; i++)
		(void)pthread_join(server->worker[i]->thread, NULL);
	config_taken(server);
	counts_flush(server, server->generation);
	(void)!wire_send(server->start->parent_fd, WIRE_END, "", 0);
	return STATUS_OK;
}

static enum status
control_open(struct server *server, struct report *report)
{
	struct epoll_event event = {.events = EPOLLIN};

	server->message = malloc(WIRE_BYTES_MOST + 1);
	if (server->message == NULL)
		return STATUS_NO_MEMORY;
	event.data.u32 = TAG_PARENT;
	if (epoll_ctl(server->epoll_fd, EPOLL_CTL_ADD, server->start->parent_fd,
		&event) != 0)
		goto fault;
	event.data.u32 = TAG_REPLY;
	if (epoll_ctl(server->epoll_fd, EPOLL_CTL_ADD, server->orders.reply_fd,
		&event) != 0)
		goto fault;
	return metrics_server_open(&server->metrics, server->metrics_listener,
	    server->epoll_fd, TAG_METRICS);
fault:
	return report_fault(report, STATUS_IO, "server", "start", NULL,
	    "epoll: %s", strerror(errno));
}

enum status
server_run(const struct server_start *start, struct report *report)
{
	struct server *server = calloc(1, sizeof(*server));
	enum status status;

	if (server == NULL)
		return STATUS_NO_MEMORY;
	server->start = start;
	server->metrics_listener = -1;
	server->start_sec = start->context->clock_sec();
	server->reload_sec = server->start_sec;
	server->counted_sec = server->start_sec;
	server->saved_sec = server->start_sec;
	server->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	server->orders.reply_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	status = server_open(server, report);
	if (status == STATUS_OK)
		status = control_open(server, report);
	if (status == STATUS_OK)
		status = server_lock_in(server, report);
	if (status == STATUS_OK)
		status = wire_send(start->parent_fd, WIRE_READY, "", 0);
	if (status != STATUS_OK)
		return status;
	control_loop(server);
	return server_end(server);
}
