/* SPDX-License-Identifier: ISC */
/*
 * The start of the process that answers, up to where it is locked in. The
 * order matters: sockets need root, landlock is inherited by threads started
 * after it, and seccomp forbids to start threads.
 */
#include <errno.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "crlpress/sandbox.h"
#include "server_impl.h"
#include "sunset_key.h"

/* Descriptors beside connections: streams, epoll, events, metrics. */
#define DESCRIPTORS_SPARE 64
#define DESCRIPTORS_A_THREAD (SUNSET_LISTEN_MOST + 2)

/* A thread that answers needs a few kilobytes. */
#define STACK_BYTES ((size_t)256 * 1024)

/* Raises the limit, or lowers the connections to what it allows. */
static uint32_t
connections_permitted(struct server *server, struct report *report)
{
	uint32_t wanted = server->start->config->connections;
	uint64_t spare = DESCRIPTORS_SPARE +
			 (uint64_t)server->threads * DESCRIPTORS_A_THREAD;
	struct rlimit limit;
	rlim_t need = wanted + spare;

	if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur >= need)
		return wanted;
	limit.rlim_cur = need;
	if (limit.rlim_max < need) {
		struct rlimit raised = {need, need};

		if (setrlimit(RLIMIT_NOFILE, &raised) == 0)
			return wanted;
		limit.rlim_cur = limit.rlim_max;
	}
	(void)setrlimit(RLIMIT_NOFILE, &limit);
	if (limit.rlim_cur >= need)
		return wanted;
	wanted = limit.rlim_cur > spare + server->threads
		     ? (uint32_t)(limit.rlim_cur - spare)
		     : server->threads;
	report_warn(report, "server", "connections", NULL,
	    "the limit on open files allows %u, configured are %u", wanted,
	    server->start->config->connections);
	return wanted;
}

/* Of the first thread, the last that was opened. */
static int
first_listener(const struct server *server)
{
	const struct worker *worker = server->worker[0];

	return worker->listener[worker->listeners - 1].fd;
}

/* The sockets of all threads on one address. */
static enum status
address_open(
    struct server *server, struct sunset_address address, struct report *report)
{
	const struct sunset_config *config = server->start->config;
	char text[SUNSET_ADDRESS_BYTES];

	for (uint32_t i = 0; i < server->threads; i++) {
		struct worker *worker = server->worker[i];
		enum status status;
		int fd;

		status =
		    listener_open(&address, config->backlog, true, report, &fd);
		if (status != STATUS_OK)
			return status;
		worker->listener[worker->listeners++] =
		    (struct worker_listener){.fd = fd, .given = false};
	}
	if (config->pin_threads &&
	    !listener_steer(first_listener(server), server->threads))
		report_warn(report, sunset_address_text(&address, text),
		    "pin_threads", NULL, "the kernel does without it: %s",
		    strerror(errno));
	report_note(report, "server", "listens on %s",
	    sunset_address_text(&address, text));
	return STATUS_OK;
}

static void
given_share(struct server *server, struct report *report)
{
	const struct listener_given *given = &server->start->given;

	for (uint32_t i = 0; i < server->threads; i++) {
		struct worker *worker = server->worker[i];

		for (uint32_t k = 0; k < given->count; k++)
			worker->listener[worker->listeners++] =
			    (struct worker_listener){
				.fd = given->fd[k], .given = true};
	}
	report_note(report, "server", "listens on %u sockets handed over",
	    given->count);
}

static enum status
listeners_open(struct server *server, struct report *report)
{
	const struct server_start *start = server->start;
	const struct sunset_config *config = start->config;
	struct sunset_address metrics = config->metrics;
	char text[SUNSET_ADDRESS_BYTES];
	enum status status = STATUS_OK;

	if (start->given.count > 0)
		given_share(server, report);
	else
		for (uint32_t i = 0; status == STATUS_OK && i < config->listens;
		     i++)
			status =
			    address_open(server, config->listen[i], report);
	server->metrics_listener = start->given.metrics;
	if (status != STATUS_OK || server->metrics_listener >= 0 ||
	    metrics.len == 0)
		return status;
	status = listener_open(&metrics, config->backlog, false, report,
	    &server->metrics_listener);
	if (status == STATUS_OK)
		report_note(report, "server", "metrics on %s",
		    sunset_address_text(&metrics, text));
	return status;
}

static enum status
workers_make(struct server *server)
{
	for (uint32_t i = 0; i < server->threads; i++) {
		struct worker *worker = calloc(1, sizeof(*worker));

		if (worker == NULL)
			return STATUS_NO_MEMORY;
		worker->context = server->start->context;
		worker->orders = &server->orders;
		worker->index = i;
		server->worker[i] = worker;
	}
	return STATUS_OK;
}

enum status
server_open(struct server *server, struct report *report)
{
	const struct server_start *start = server->start;
	uint32_t connections;
	enum status status;

	server->threads = start->config->threads;
	if (server->threads == 0)
		server->threads = start->context->cpus;
	if (server->threads > SUNSET_THREADS_MOST)
		server->threads = SUNSET_THREADS_MOST;
	server->generation = generation_new(start->config, 1, server->threads);
	if (server->generation == NULL)
		return STATUS_NO_MEMORY;
	atomic_store(&server->orders.generation, server->generation);
	connections = connections_permitted(server, report);
	status = workers_make(server);
	if (status == STATUS_OK)
		status = listeners_open(server, report);
	for (uint32_t i = 0; status == STATUS_OK && i < server->threads; i++) {
		status = worker_open(server->worker[i],
		    (connections + server->threads - 1) / server->threads);
		if (status != STATUS_OK)
			return report_fault(report, status, "server", "start",
			    NULL, "%s", strerror(errno));
	}
	return status;
}

struct thread_start {
	struct server *server;
	struct worker *worker;
};

/*
 * To the processors whose connections listener_steer gives to this thread; not
 * at all where none of them is left to us.
 */
static void
thread_pin(const struct server *server, const struct worker *worker)
{
	cpu_set_t mine, left;

	CPU_ZERO(&mine);
	if (sched_getaffinity(0, sizeof(left), &left) != 0)
		return;
	for (uint32_t i = worker->index; i < CPU_SETSIZE; i += server->threads)
		if (CPU_ISSET(i, &left))
			CPU_SET(i, &mine);
	if (CPU_COUNT(&mine) > 0)
		(void)sched_setaffinity(0, sizeof(mine), &mine);
}

/* A thread is there, and waits until all of them are locked in. */
static void *
thread_main(void *argument)
{
	struct thread_start start = *(struct thread_start *)argument;

	if (start.server->start->config->pin_threads)
		thread_pin(start.server, start.worker);
	(void)pthread_barrier_wait(&start.server->barrier);
	(void)pthread_barrier_wait(&start.server->barrier);
	return worker_run(start.worker);
}

static enum status
threads_start(struct server *server, struct report *report)
{
	struct thread_start start[SUNSET_THREADS_MOST];
	pthread_attr_t attributes;
	int error;

	error =
	    pthread_barrier_init(&server->barrier, NULL, server->threads + 1);
	if (error == 0)
		error = pthread_attr_init(&attributes);
	if (error == 0)
		error = pthread_attr_setstacksize(&attributes, STACK_BYTES);
	for (uint32_t i = 0; error == 0 && i < server->threads; i++) {
		start[i] = (struct thread_start){server, server->worker[i]};
		error = pthread_create(&server->worker[i]->thread, &attributes,
		    thread_main, &start[i]);
	}
	/* Threads that wait for those that could not be started are ended
	 * with the process. */
	if (error != 0)
		return report_fault(report, STATUS_FAILED, "server", "start",
		    NULL, "threads: %s", strerror(error));
	(void)pthread_barrier_wait(&server->barrier);
	return STATUS_OK;
}

/* A lock that is not to be had is no reason not to serve. */
static void
tell_lock(const char *name, enum status status, const char *why,
    struct report *report)
{
	if (status != STATUS_OK)
		report_warn(report, "sandbox", name, NULL,
		    "the kernel does without it: %s", why);
}

enum status
server_lock_in(struct server *server, struct report *report)
{
	const char *why = NULL;
	enum status status;

	status = privilege_drop(&server->start->privilege, report);
	if (status != STATUS_OK)
		return status;
	tell_lock("landlock", sandbox_landlock(&why), why, report);
	status = threads_start(server, report);
	if (status != STATUS_OK)
		return status;
	tell_lock(
	    "seccomp", sandbox_seccomp(SANDBOX_ANSWER, &why), why, report);
	(void)pthread_barrier_wait(&server->barrier);
	return STATUS_OK;
}
