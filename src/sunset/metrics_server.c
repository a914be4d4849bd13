/* SPDX-License-Identifier: ISC */
/* HTTP for scrapers: GET /metrics, closed after the answer. */
#include "metrics_server.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#define EMPTY "Content-Length: 0\r\nConnection: close\r\n\r\n"

static const char head_metrics[] =
    "HTTP/1.1 200 OK\r\nContent-Type: " METRICS_TYPE
    "\r\nCache-Control: no-store\r\nConnection: close\r\n\r\n";
static const char head_not_found[] = "HTTP/1.1 404 Not Found\r\n" EMPTY;
static const char head_method[] =
    "HTTP/1.1 405 Method Not Allowed\r\nAllow: GET, HEAD\r\n" EMPTY;
static const char head_bad[] = "HTTP/1.1 400 Bad Request\r\n" EMPTY;

static bool
watch(struct metrics_server *metrics, int operation, int fd, uint32_t tag,
    uint32_t events)
{
	struct epoll_event event = {.events = events, .data.u32 = tag};

	return epoll_ctl(metrics->epoll_fd, operation, fd, &event) == 0;
}

static void
client_end(struct metrics_client *client)
{
	if (client->fd >= 0)
		(void)close(client->fd);
	client->fd = -1;
}

enum status
metrics_server_open(
    struct metrics_server *metrics, int listener, int epoll_fd, uint32_t tag)
{
	memset(metrics, 0, sizeof(*metrics));
	metrics->listener = listener;
	metrics->epoll_fd = epoll_fd;
	metrics->tag = tag;
	for (uint32_t i = 0; i < METRICS_CLIENTS; i++)
		metrics->client[i].fd = -1;
	if (listener < 0)
		return STATUS_OK;
	metrics->sum = calloc(COUNT_CELLS_MOST, sizeof(*metrics->sum));
	if (metrics->sum == NULL)
		return STATUS_NO_MEMORY;
	return watch(metrics, EPOLL_CTL_ADD, listener, tag, EPOLLIN)
		   ? STATUS_OK
		   : STATUS_IO;
}

void
metrics_server_reset(struct metrics_server *metrics)
{
	for (uint32_t i = 0; i < METRICS_CLIENTS; i++)
		client_end(&metrics->client[i]);
}

/* A free place, or that of whoever has been there for longest. */
static uint32_t
client_place(const struct metrics_server *metrics)
{
	uint32_t place = 0;

	for (uint32_t i = 0; i < METRICS_CLIENTS; i++) {
		if (metrics->client[i].fd < 0)
			return i;
		if (metrics->client[i].order < metrics->client[place].order)
			place = i;
	}
	return place;
}

static void
client_accept(struct metrics_server *metrics, int64_t now_ms)
{
	uint32_t place = client_place(metrics);
	struct metrics_client *client = &metrics->client[place];
	int fd = accept4(
	    metrics->listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

	if (fd < 0)
		return;
	client_end(client);
	if (!watch(metrics, EPOLL_CTL_ADD, fd, metrics->tag + 1 + place,
		EPOLLIN)) {
		(void)close(fd);
		return;
	}
	client->fd = fd;
	client->order = metrics->came++;
	client->deadline_ms = now_ms + METRICS_CLIENT_MS;
	client->request = (struct http_request){0};
	client->in_len = 0;
	client->out_at = 0;
	client->out_len = 0;
	client->answering = false;
}

static void
answer_begin(struct metrics_server *metrics, uint32_t place,
    enum http_outcome outcome, const struct metrics_source *source)
{
	struct metrics_client *client = &metrics->client[place];
	const struct http_request *request = &client->request;
	const char *head = head_metrics;

	client->answering = true;
	client->with_body = false;
	if (outcome == HTTP_REFUSED)
		head = request->status == 405 ? head_method : head_bad;
	else if (request->method != HTTP_GET && request->method != HTTP_HEAD)
		head = head_method;
	else if (request->path.len != 8 ||
		 memcmp(client->in + request->path.at, "/metrics", 8) != 0)
		head = head_not_found;
	else
		client->with_body = request->method == HTTP_GET;
	client->out_len = (uint32_t)strlen(head);
	memcpy(client->out, head, client->out_len);
	client->cursor = (struct metrics_cursor){0};
	if (client->with_body)
		source->take(source->server, metrics);
	(void)watch(metrics, EPOLL_CTL_MOD, client->fd,
	    metrics->tag + 1 + place, EPOLLOUT);
}

static void
client_read(struct metrics_server *metrics, uint32_t place,
    const struct metrics_source *source)
{
	struct metrics_client *client = &metrics->client[place];
	enum http_outcome outcome;
	ssize_t n;

	n = recv(client->fd, client->in + client->in_len,
	    sizeof(client->in) - client->in_len, 0);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0) {
		client_end(client);
		return;
	}
	client->in_len += (uint32_t)n;
	outcome =
	    http_request_read(&client->request, client->in, client->in_len);
	if (outcome == HTTP_MORE && client->in_len == sizeof(client->in))
		outcome = HTTP_REFUSED;
	if (outcome != HTTP_MORE)
		answer_begin(metrics, place, outcome, source);
}

static void
client_write(struct metrics_server *metrics, struct metrics_client *client)
{
	ssize_t n;

	if (client->out_at == client->out_len) {
		client->out_at = 0;
		client->out_len = 0;
		if (client->with_body)
			client->out_len = (uint32_t)metrics_next(
			    &client->cursor, &metrics->state, metrics->names,
			    metrics->sum, client->out, sizeof(client->out));
		if (client->out_len == 0) {
			client_end(client);
			return;
		}
	}
	n = send(client->fd, client->out + client->out_at,
	    client->out_len - client->out_at, MSG_NOSIGNAL);
	if (n > 0)
		client->out_at += (uint32_t)n;
	else if (n < 0 && errno != EAGAIN && errno != EINTR)
		client_end(client);
}

void
metrics_server_ready(struct metrics_server *metrics, uint32_t tag,
    const struct metrics_source *source, int64_t now_ms)
{
	uint32_t place = tag - metrics->tag - 1;

	if (tag == metrics->tag)
		client_accept(metrics, now_ms);
	else if (place < METRICS_CLIENTS && metrics->client[place].fd >= 0) {
		if (metrics->client[place].answering)
			client_write(metrics, &metrics->client[place]);
		else
			client_read(metrics, place, source);
	}
}

int64_t
metrics_server_expire(struct metrics_server *metrics, int64_t now_ms)
{
	int64_t next = -1;

	for (uint32_t i = 0; i < METRICS_CLIENTS; i++) {
		struct metrics_client *client = &metrics->client[i];
		int64_t left = client->deadline_ms - now_ms;

		if (client->fd < 0)
			continue;
		if (left <= 0)
			client_end(client);
		else if (next < 0 || left < next)
			next = left;
	}
	return next;
}
