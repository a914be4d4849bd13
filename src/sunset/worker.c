/* SPDX-License-Identifier: ISC */
/* The loop of a thread: epoll, deadlines, orders. */
#include "worker.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

/* Tags of events that are no connection's; connections are below. */
#define TAG_WAKE UINT32_MAX
#define TAG_LISTENER 0xffff0000u

#define EVENTS 256

/* While nothing can be accepted, how soon to try again. */
#define PAUSE_MS 100

/*
 * After SIGTERM a client that is about to send its next request finds the
 * connection open for this part of drain_timeout, and is told to close it.
 */
#define DRAIN_IDLE_PART 8

static void
eventfd_signal(int fd)
{
	uint64_t one = 1;
	ssize_t n = write(fd, &one, sizeof(one));

	/* It fails only when it was signalled 2^64 - 2 times already. */
	(void)n;
}

static bool
listener_watch(struct worker *worker, uint32_t i)
{
	struct epoll_event event = {
	    .events = EPOLLIN, .data.u32 = TAG_LISTENER + i};

	/* One thread is woken for a connection, not all that share it. */
	if (worker->listener[i].given)
		event.events |= EPOLLEXCLUSIVE;
	return epoll_ctl(worker->epoll_fd, EPOLL_CTL_ADD,
		   worker->listener[i].fd, &event) == 0;
}

static void
accepting_pause(struct worker *worker)
{
	for (uint32_t i = 0; i < worker->listeners && !worker->paused; i++)
		(void)epoll_ctl(worker->epoll_fd, EPOLL_CTL_DEL,
		    worker->listener[i].fd, NULL);
	worker->paused = true;
	worker->paused_until_ms = worker->now_ms + PAUSE_MS;
}

static void
accepting_resume(struct worker *worker)
{
	if (!worker->paused || worker->now_ms < worker->paused_until_ms)
		return;
	for (uint32_t i = 0; i < worker->listeners; i++)
		(void)listener_watch(worker, i);
	worker->paused = false;
}

static bool
has_room(const struct worker *worker)
{
	return worker->free_connection < worker->connections ||
	       worker->list[CONNECTION_FREE].last != WORKER_NONE;
}

/* Who has waited for longest makes room for one that has just come. */
static bool
room_make(struct worker *worker)
{
	uint32_t oldest = worker_oldest(worker, false);

	worker_count(&worker->counters.refused, 1);
	if (oldest == WORKER_NONE)
		return false;
	connection_end(worker, oldest);
	return true;
}

/*
 * false: there is nothing more to accept now. Room is made when somebody has
 * come, and not before: else the one who came last would make it.
 */
static bool
accept_one(struct worker *worker, int listener)
{
	int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

	if (fd >= 0) {
		if (has_room(worker) || room_make(worker))
			connection_begin(worker, fd);
		else
			(void)close(fd);
		return true;
	}
	switch (errno) {
	case EMFILE:
	case ENFILE:
	case ENOBUFS:
	case ENOMEM:
		if (!room_make(worker))
			accepting_pause(worker);
		return false;
	case EAGAIN:
		return false;
	default:
		/* accept(2): errors of the connection, not of the listener. */
		return true;
	}
}

/*
 * As many are taken in one go as others have their turn in it: neither keeps
 * the other waiting, and where nothing else is to be done it is one, since to
 * be told that there is no second costs as much as to be given it.
 */
static void
listener_ready(struct worker *worker, uint32_t i, int turns)
{
	for (int n = 0; n < turns; n++)
		if (!accept_one(worker, worker->listener[i].fd))
			return;
}

/* Whoever connected before we were told to stop is answered. */
static void
listeners_close(struct worker *worker)
{
	for (uint32_t i = 0; i < worker->listeners; i++) {
		const struct worker_listener *listener = &worker->listener[i];

		(void)epoll_ctl(
		    worker->epoll_fd, EPOLL_CTL_DEL, listener->fd, NULL);
		if (listener->given)
			continue;
		for (unsigned n = 0; n < USHRT_MAX; n++)
			if (!accept_one(worker, listener->fd))
				break;
		(void)close(listener->fd);
	}
	worker->listeners = 0;
}

static void
drain_begin(struct worker *worker)
{
	int64_t drain_ms = atomic_load(&worker->orders->drain_ms);
	uint32_t i;

	worker->draining = true;
	worker->drain_until_ms = worker->now_ms + drain_ms;
	listeners_close(worker);
	for (i = worker->list[CONNECTION_IDLE].first; i != WORKER_NONE;
	     i = worker->connection[i].next)
		worker->connection[i].deadline_ms =
		    worker->now_ms + drain_ms / DRAIN_IDLE_PART;
}

/* Takes the configuration in force, and says so. */
static void
generation_take(struct worker *worker)
{
	struct generation *generation =
	    atomic_load(&worker->orders->generation);
	const struct sunset_config *config = generation->config;

	if (generation == worker->generation)
		return;
	worker->generation = generation;
	worker->cell =
	    generation->cell + (size_t)worker->index * generation->cells;
	choice_init(&worker->choice, config);
	answer_set_init(
	    &worker->answers, config->max_age_sec, config->retry_after_sec);
	atomic_store(&worker->generation_seen, generation->number);
}

/* false: to stop at once. */
static bool
orders_take(struct worker *worker)
{
	uint64_t count;
	ssize_t n;

	n = read(worker->wake_fd, &count, sizeof(count));
	(void)n;
	generation_take(worker);
	if (atomic_load(&worker->orders->order) == WORKER_DRAIN &&
	    !worker->draining)
		drain_begin(worker);
	eventfd_signal(worker->orders->reply_fd);
	return atomic_load(&worker->orders->order) != WORKER_STOP;
}

static void
clocks_read(struct worker *worker)
{
	worker->now_ms = worker->context->mono_ms();
	worker->now_sec = worker->context->clock_sec();
}

static void
deadlines_expire(struct worker *worker)
{
	for (unsigned state = 0; state < CONNECTION_FREE; state++) {
		uint32_t i = worker->list[state].first;

		while (i != WORKER_NONE &&
		       worker->connection[i].deadline_ms <= worker->now_ms) {
			connection_expire(worker, i);
			i = worker->list[state].first;
		}
	}
}

/* Until the next deadline; -1: there is none. */
static int
wait_ms(const struct worker *worker)
{
	int64_t next = INT64_MAX;

	for (unsigned state = 0; state < CONNECTION_FREE; state++) {
		uint32_t i = worker->list[state].first;

		if (i != WORKER_NONE &&
		    worker->connection[i].deadline_ms < next)
			next = worker->connection[i].deadline_ms;
	}
	if (worker->draining && worker->drain_until_ms < next)
		next = worker->drain_until_ms;
	if (worker->paused && worker->paused_until_ms < next)
		next = worker->paused_until_ms;
	if (next == INT64_MAX)
		return -1;
	if (next <= worker->now_ms)
		return 0;
	/* A tick late rather than early: the clock may be a coarse one. */
	next = next - worker->now_ms + 1;
	return next > INT_MAX ? INT_MAX : (int)next;
}

/* false: to stop. */
static bool
event_handle(struct worker *worker, const struct epoll_event *event, int events)
{
	uint32_t tag = event->data.u32;

	if (tag == TAG_WAKE)
		return orders_take(worker);
	if (tag < TAG_LISTENER)
		connection_ready(worker, tag, event->events);
	else if (!worker->paused && tag - TAG_LISTENER < worker->listeners)
		listener_ready(worker, tag - TAG_LISTENER, events);
	return true;
}

static bool
is_drained(const struct worker *worker)
{
	return worker->draining &&
	       (atomic_load_explicit(
		    &worker->counters.open, memory_order_relaxed) == 0 ||
		   worker->now_ms >= worker->drain_until_ms);
}

void *
worker_run(void *start)
{
	struct worker *worker = start;
	struct epoll_event event[EVENTS];
	bool goes_on = true;

	clocks_read(worker);
	generation_take(worker);
	while (goes_on && !is_drained(worker)) {
		int n = epoll_wait(
		    worker->epoll_fd, event, EVENTS, wait_ms(worker));

		clocks_read(worker);
		for (int i = 0; i < n && goes_on; i++)
			goes_on = event_handle(worker, &event[i], n);
		deadlines_expire(worker);
		accepting_resume(worker);
	}
	atomic_store(&worker->ended, true);
	eventfd_signal(worker->orders->reply_fd);
	return NULL;
}

void
worker_wake(struct worker *worker)
{
	eventfd_signal(worker->wake_fd);
}

/* Zeroed memory that is touched only when it is used. */
static void *
pages_take(size_t count, size_t size)
{
	void *pages;
	size_t bytes;

	if (__builtin_mul_overflow(count, size, &bytes))
		return NULL;
	pages = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	return pages == MAP_FAILED ? NULL : pages;
}

enum status
worker_open(struct worker *worker, uint32_t connections)
{
	struct epoll_event event = {.events = EPOLLIN, .data.u32 = TAG_WAKE};

	worker->connections = connections;
	worker->connection =
	    pages_take(connections, sizeof(*worker->connection));
	worker->buffer = pages_take(WORKER_BUFFERS, sizeof(*worker->buffer));
	if (worker->connection == NULL || worker->buffer == NULL)
		return STATUS_NO_MEMORY;
	worker_pools_init(worker);
	worker->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	worker->wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	if (worker->epoll_fd < 0 || worker->wake_fd < 0 ||
	    epoll_ctl(
		worker->epoll_fd, EPOLL_CTL_ADD, worker->wake_fd, &event) != 0)
		return STATUS_IO;
	for (uint32_t i = 0; i < worker->listeners; i++)
		if (!listener_watch(worker, i))
			return STATUS_IO;
	return STATUS_OK;
}
