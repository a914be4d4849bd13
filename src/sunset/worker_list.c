/* SPDX-License-Identifier: ISC */
/*
 * The connections and buffers of a thread. Timeouts of one state are all
 * alike, so a list in order of arrival is in order of deadline, and arming
 * one is putting the connection at the end.
 */
#include "worker.h"

void
worker_pools_init(struct worker *worker)
{
	for (unsigned i = 0; i < CONNECTION_STATES; i++)
		worker->list[i] =
		    (struct worker_list){WORKER_NONE, WORKER_NONE};
	/* The first ones are used first, and again: few pages are touched. */
	worker->free_connection = 0;
	worker->free_buffer = 0;
}

static void
list_remove(struct worker *worker, uint32_t i)
{
	struct connection *connection = &worker->connection[i];
	struct worker_list *list = &worker->list[connection->state];

	if (connection->prev != WORKER_NONE)
		worker->connection[connection->prev].next = connection->next;
	else
		list->first = connection->next;
	if (connection->next != WORKER_NONE)
		worker->connection[connection->next].prev = connection->prev;
	else
		list->last = connection->prev;
}

static void
list_append(struct worker *worker, uint32_t i, enum connection_state state)
{
	struct connection *connection = &worker->connection[i];
	struct worker_list *list = &worker->list[state];

	connection->state = (uint8_t)state;
	connection->prev = list->last;
	connection->next = WORKER_NONE;
	if (list->last != WORKER_NONE)
		worker->connection[list->last].next = i;
	else
		list->first = i;
	list->last = i;
}

void
worker_list_move(struct worker *worker, uint32_t i, enum connection_state state,
    int64_t deadline_ms)
{
	struct connection *connection = &worker->connection[i];

	if (connection->state != state || worker->list[state].last != i) {
		list_remove(worker, i);
		list_append(worker, i, state);
	}
	connection->deadline_ms = deadline_ms;
}

/*
 * Those never used follow the used ones: `free_connection` counts these until
 * the list of the free has one to give back.
 */
uint32_t
worker_connection_take(struct worker *worker)
{
	uint32_t i = worker->list[CONNECTION_FREE].last;

	if (i != WORKER_NONE) {
		list_remove(worker, i);
	} else {
		if (worker->free_connection == worker->connections)
			return WORKER_NONE;
		i = worker->free_connection++;
	}
	worker->connection[i] =
	    (struct connection){.fd = -1, .buffer = WORKER_NONE};
	list_append(worker, i, CONNECTION_IDLE);
	worker_count(&worker->counters.open, 1);
	return i;
}

void
worker_connection_release(struct worker *worker, uint32_t i)
{
	list_remove(worker, i);
	list_append(worker, i, CONNECTION_FREE);
	worker_count(&worker->counters.open, UINT64_MAX);
}

/* As with connections; a buffer's `next` is the free one below it. */
uint32_t
worker_buffer_take(struct worker *worker)
{
	uint32_t i = worker->free_buffer;

	if (i == WORKER_BUFFERS)
		return WORKER_NONE;
	/* 0 in a buffer never used: its successor is the next of them. */
	worker->free_buffer =
	    worker->buffer[i].next != 0 ? worker->buffer[i].next - 1 : i + 1;
	worker->buffer[i].request = (struct http_request){0};
	worker->buffer[i].in_len = 0;
	worker->buffer[i].out_at = 0;
	worker->buffer[i].out_len = 0;
	return i;
}

void
worker_buffer_release(struct worker *worker, uint32_t i)
{
	worker->buffer[i].next = worker->free_buffer + 1;
	worker->free_buffer = i;
}

/* Since when a connection waits: deadlines differ by their timeouts. */
static int64_t
since_ms(const struct worker *worker, enum connection_state state, uint32_t i)
{
	const struct sunset_config *config = worker->generation->config;
	int64_t wait_ms[] = {
	    [CONNECTION_IDLE] = config->idle_sec * 1000,
	    [CONNECTION_REQUEST] = config->request_sec * 1000,
	    [CONNECTION_WRITE] = config->write_sec * 1000,
	    [CONNECTION_LINGER] = WORKER_LINGER_MS,
	};

	return worker->connection[i].deadline_ms - wait_ms[state];
}

uint32_t
worker_oldest(const struct worker *worker, bool with_buffer)
{
	/* Of equals, who has not had time to say anything goes last. */
	static const enum connection_state states[] = {CONNECTION_WRITE,
	    CONNECTION_REQUEST, CONNECTION_LINGER, CONNECTION_IDLE};
	size_t count = with_buffer ? 2 : sizeof(states) / sizeof(states[0]);
	uint32_t oldest = WORKER_NONE;
	int64_t since = INT64_MAX;

	for (size_t k = 0; k < count; k++) {
		uint32_t i = worker->list[states[k]].first;

		if (i == WORKER_NONE || since_ms(worker, states[k], i) >= since)
			continue;
		oldest = i;
		since = since_ms(worker, states[k], i);
	}
	return oldest;
}
