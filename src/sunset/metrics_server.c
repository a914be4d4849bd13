/* SPDX-License-Identifier: ISC */
/* HTTP for one scraper at a time: GET /metrics, closed after the answer. */
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

enum status
metrics_server_open(
    struct metrics_server *metrics, int listener, int epoll_fd, uint32_t tag)
{
	memset(metrics, 0, sizeof(*metrics));
	metrics->listener = listener;
	metrics->epoll_fd = epoll_fd;
	metrics->tag = tag;
	metrics->client = -1;
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
	if (metrics->client < 0)
		return;
	(void)close(metrics->client);
	metrics->client = -1;
	(void)watch(
	    metrics, EPOLL_CTL_ADD, metrics->listener, metrics->tag, EPOLLIN);
}

/* The next client waits in the backlog meanwhile. */
static void
client_accept(struct metrics_server *metrics, int64_t now_ms)
{
	int fd = accept4(
	    metrics->listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

	if (fd < 0)
		return;
	if (!watch(metrics, EPOLL_CTL_ADD, fd, metrics->tag + 1, EPOLLIN)) {
		(void)close(fd);
		return;
	}
	(void)watch(metrics, EPOLL_CTL_DEL, metrics->listener, 0, 0);
	metrics->client = fd;
	metrics->deadline_ms = now_ms + METRICS_CLIENT_MS;
	metrics->request = (struct http_request){0};
	metrics->in_len = 0;
	metrics->out_at = 0;
	metrics->out_len = 0;
	metrics->answering = false;
}

static void
answer_begin(struct metrics_server *metrics, enum http_outcome outcome,
    const struct metrics_source *source)
{
	const struct http_request *request = &metrics->request;
	const char *head = head_metrics;

	metrics->answering = true;
	metrics->with_body = false;
	if (outcome == HTTP_REFUSED)
		head = request->status == 405 ? head_method : head_bad;
	else if (request->method != HTTP_GET && request->method != HTTP_HEAD)
		head = head_method;
	else if (request->path.len != 8 ||
		 memcmp(metrics->in + request->path.at, "/metrics", 8) != 0)
		head = head_not_found;
	else
		metrics->with_body = request->method == HTTP_GET;
	metrics->out_len = (uint32_t)strlen(head);
	memcpy(metrics->out, head, metrics->out_len);
	metrics->cursor = (struct metrics_cursor){0};
	if (metrics->with_body)
		source->take(source->server, metrics);
	(void)watch(metrics, EPOLL_CTL_MOD, metrics->client, metrics->tag + 1,
	    EPOLLOUT);
}

static void
client_read(struct metrics_server *metrics, const struct metrics_source *source)
{
	enum http_outcome outcome;
	ssize_t n;

	n = recv(metrics->client, metrics->in + metrics->in_len,
	    sizeof(metrics->in) - metrics->in_len, 0);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0) {
		metrics_server_reset(metrics);
		return;
	}
	metrics->in_len += (uint32_t)n;
	outcome =
	    http_request_read(&metrics->request, metrics->in, metrics->in_len);
	if (outcome == HTTP_MORE && metrics->in_len == sizeof(metrics->in))
		outcome = HTTP_REFUSED;
	if (outcome != HTTP_MORE)
		answer_begin(metrics, outcome, source);
}

static void
client_write(struct metrics_server *metrics)
{
	ssize_t n;

	if (metrics->out_at == metrics->out_len) {
		metrics->out_at = 0;
		metrics->out_len = 0;
		if (metrics->with_body)
			metrics->out_len = (uint32_t)metrics_next(
			    &metrics->cursor, &metrics->state, metrics->names,
			    metrics->sum, metrics->out, sizeof(metrics->out));
		if (metrics->out_len == 0) {
			metrics_server_reset(metrics);
			return;
		}
	}
	n = send(metrics->client, metrics->out + metrics->out_at,
	    metrics->out_len - metrics->out_at, MSG_NOSIGNAL);
	if (n > 0)
		metrics->out_at += (uint32_t)n;
	else if (n < 0 && errno != EAGAIN && errno != EINTR)
		metrics_server_reset(metrics);
}

void
metrics_server_ready(struct metrics_server *metrics, uint32_t tag,
    const struct metrics_source *source, int64_t now_ms)
{
	if (tag == metrics->tag && metrics->client < 0)
		client_accept(metrics, now_ms);
	else if (tag != metrics->tag && metrics->client >= 0) {
		if (metrics->answering)
			client_write(metrics);
		else
			client_read(metrics, source);
	}
}

int64_t
metrics_server_expire(struct metrics_server *metrics, int64_t now_ms)
{
	if (metrics->client < 0)
		return -1;
	if (now_ms < metrics->deadline_ms)
		return metrics->deadline_ms - now_ms;
	metrics_server_reset(metrics);
	return -1;
}
