/* SPDX-License-Identifier: ISC */
/*
 * A connection: bytes in, requests out of them, answers back. One read, one
 * write for all that came at once, and nothing kept when nothing is left over.
 */
#include <errno.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "worker.h"

/* RFC 9112, 9.6: how much we listen to after our last word. */
#define LINGER_BYTES_MOST 262144

/* What came of sending. */
enum sent { SENT_ALL, SENT_PART, SENT_BROKEN };

static const uint8_t count_methods[] = {
    [HTTP_GET] = COUNT_GET,
    [HTTP_HEAD] = COUNT_OTHER,
    [HTTP_POST] = COUNT_POST,
    [HTTP_OPTIONS] = COUNT_OTHER,
    [HTTP_OTHER] = COUNT_OTHER,
};

static int64_t
deadline(const struct worker *worker, int64_t sec)
{
	return worker->now_ms + sec * 1000;
}

/* Asks for other events, or for the first time. */
static bool
events_set(struct worker *worker, uint32_t i, uint32_t events)
{
	struct connection *connection = &worker->connection[i];
	struct epoll_event event = {.events = events, .data.u32 = i};
	int operation = connection->registered ? EPOLL_CTL_MOD : EPOLL_CTL_ADD;

	connection->registered = true;
	return epoll_ctl(worker->epoll_fd, operation, connection->fd, &event) ==
	       0;
}

void
connection_end(struct worker *worker, uint32_t i)
{
	struct connection *connection = &worker->connection[i];

	if (connection->buffer != WORKER_NONE)
		worker_buffer_release(worker, connection->buffer);
	connection->buffer = WORKER_NONE;
	/* Takes it out of epoll too: nobody else has the descriptor. */
	(void)close(connection->fd);
	connection->fd = -1;
	worker_connection_release(worker, i);
}

/* Sees that the connection has a buffer; the oldest gives its own. */
static bool
buffer_hold(struct worker *worker, uint32_t i)
{
	struct connection *connection = &worker->connection[i];
	uint32_t oldest;

	if (connection->buffer != WORKER_NONE)
		return true;
	connection->buffer = worker_buffer_take(worker);
	if (connection->buffer != WORKER_NONE)
		return true;
	oldest = worker_oldest(worker, true);
	if (oldest == WORKER_NONE || oldest == i)
		return false;
	worker_count(&worker->counters.timed_out, 1);
	connection_end(worker, oldest);
	connection->buffer = worker_buffer_take(worker);
	return connection->buffer != WORKER_NONE;
}

static void
buffer_drop(struct worker *worker, uint32_t i)
{
	struct connection *connection = &worker->connection[i];

	if (connection->buffer == WORKER_NONE)
		return;
	worker_buffer_release(worker, connection->buffer);
	connection->buffer = WORKER_NONE;
}

static void
out_append(struct worker *worker, const char *octet, uint32_t len)
{
	memcpy(worker->out + worker->out_len, octet, len);
	worker->out_len += len;
}

static bool
out_has_room(const struct worker *worker)
{
	return worker->out_len + ANSWER_BYTES_MOST <= WORKER_OUT_BYTES;
}

static void
answer_append(struct worker *worker, enum answer_text text,
    enum answer_connection connection, bool head)
{
	const struct answer *answer =
	    answer_get(&worker->answers, text, connection, worker->now_sec);

	out_append(
	    worker, answer->octet, head ? answer->head_len : answer->len);
}

static void
key_count(struct worker *worker, const struct count_key *key)
{
	const struct count_names *names = &worker->generation->config->names;

	worker_count(
	    &worker->cell[count_cell(key, names->hosts, names->issuers)], 1);
}

/* What is no question about a certificate: GET / and OPTIONS. */
static bool
is_health(const struct http_request *request)
{
	if (request->method == HTTP_POST)
		return false;
	return request->method == HTTP_OPTIONS || request->path.len <= 1;
}

/* The mode, with the key filled in. */
static enum answer_mode
request_choose(struct worker *worker, const struct http_request *request,
    const char *data, struct count_key *key)
{
	const struct sunset_config *config = worker->generation->config;
	const char *host = data + request->host.at;
	struct ocsp_request ocsp = {0};

	key->method = count_methods[request->method];
	if (is_health(request)) {
		key->host = choice_host(config, host, request->host.len);
		key->issuer = (uint16_t)config->issuers;
		key->mode = ANSWER_HEALTH;
		return ANSWER_HEALTH;
	}
	if (request->method == HTTP_POST)
		(void)!ocsp_request_parse(
		    (const uint8_t *)data + request->body.at, request->body.len,
		    &ocsp);
	else
		(void)!ocsp_path_parse(data + request->path.at,
		    request->path.len, worker->der, &ocsp);
	key->kind = COUNT_KIND(ocsp.nonce, ocsp.hash);
	return choice_make(&worker->choice, worker->now_sec, host,
	    request->host.len, &ocsp, key);
}

static void
request_answer(struct worker *worker, struct connection *connection,
    const struct http_request *request, const char *data)
{
	struct count_key key = {0};
	enum answer_mode mode = request_choose(worker, request, data, &key);
	enum answer_text text = (enum answer_text)mode;
	enum answer_connection how = ANSWER_CLOSING;

	key_count(worker, &key);
	if (request->keep_alive && !worker->draining && mode != ANSWER_CLOSE)
		how = request->minor > 0 ? ANSWER_SILENT : ANSWER_KEEP_ALIVE;
	connection->closing = how == ANSWER_CLOSING;
	if (mode == ANSWER_CLOSE)
		return;
	if (mode == ANSWER_HEALTH)
		text = request->method == HTTP_OPTIONS ? ANSWER_TEXT_OPTIONS
						       : ANSWER_TEXT_HEALTH;
	answer_append(worker, text, how, request->method == HTTP_HEAD);
}

static void
request_refuse(struct worker *worker, struct connection *connection,
    const struct http_request *request, const char *data)
{
	const struct sunset_config *config = worker->generation->config;
	struct count_key key = {
	    .host =
		choice_host(config, data + request->host.at, request->host.len),
	    .issuer = (uint16_t)config->issuers,
	    .mode = ANSWER_MALFORMED,
	    .method = COUNT_OTHER,
	};

	if (request->stage != HTTP_STAGE_LINE)
		key.method = count_methods[request->method];
	key_count(worker, &key);
	connection->closing = true;
	answer_append(worker, answer_text_of(request->status), ANSWER_CLOSING,
	    request->stage != HTTP_STAGE_LINE && request->method == HTTP_HEAD);
}

/*
 * Answers what is there, as long as there is room for answers. Returns how
 * many bytes are done with; `*refused` when the rest is not to be read.
 */
static uint32_t
requests_answer(struct worker *worker, struct connection *connection,
    struct http_request *request, char *data, uint32_t len, bool *refused)
{
	uint32_t at = 0;

	while (at < len && !connection->closing && out_has_room(worker)) {
		switch (http_request_read(request, data + at, len - at)) {
		case HTTP_MORE:
			/* An empty line by itself begins nothing, unless its
			 * CR was taken for a beginning already. */
			if (http_request_is_idle(request, len - at) &&
			    (at > 0 ||
				connection->state != CONNECTION_REQUEST)) {
				*request = (struct http_request){0};
				return len;
			}
			if (request->wants_continue)
				out_append(worker, ANSWER_CONTINUE,
				    sizeof(ANSWER_CONTINUE) - 1);
			request->wants_continue = false;
			return at;
		case HTTP_REFUSED:
			request_refuse(worker, connection, request, data + at);
			*refused = true;
			return at;
		case HTTP_COMPLETE:
			request_answer(worker, connection, request, data + at);
			at += request->total;
			*request = (struct http_request){0};
			break;
		}
	}
	return at;
}

static enum sent
octets_send(int fd, const char *octet, uint32_t len, uint32_t *sent)
{
	ssize_t n;

	*sent = 0;
	do
		n = send(fd, octet, len, MSG_NOSIGNAL);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return errno == EAGAIN || errno == EWOULDBLOCK ? SENT_PART
							       : SENT_BROKEN;
	*sent = (uint32_t)n;
	return *sent == len ? SENT_ALL : SENT_PART;
}

/* Sends what was appended; what the socket does not take is kept. */
static enum sent
out_flush(struct worker *worker, uint32_t i)
{
	struct connection *connection = &worker->connection[i];
	struct worker_buffer *buffer;
	uint32_t len = worker->out_len;
	enum sent result;
	uint32_t sent;

	worker->out_len = 0;
	if (len == 0)
		return SENT_ALL;
	result = octets_send(connection->fd, worker->out, len, &sent);
	if (result != SENT_PART)
		return result;
	if (!buffer_hold(worker, i))
		return SENT_BROKEN;
	buffer = &worker->buffer[connection->buffer];
	buffer->out_at = 0;
	buffer->out_len = len - sent;
	memcpy(buffer->out, worker->out + sent, len - sent);
	return SENT_PART;
}

/* The rest of the input stays for later; `data` may be the buffer's own. */
static bool
rest_keep(struct worker *worker, uint32_t i, const struct http_request *request,
    const char *data, uint32_t len)
{
	struct connection *connection = &worker->connection[i];
	struct worker_buffer *buffer;

	if (!buffer_hold(worker, i))
		return false;
	buffer = &worker->buffer[connection->buffer];
	buffer->request = *request;
	memmove(buffer->in, data, len);
	buffer->in_len = len;
	return true;
}

/*
 * Nothing more will be answered. Closing a socket with bytes unread would
 * reset the connection and might take the answer along, so it is shut down
 * and read to its end, within bounds (RFC 9112, 9.6).
 */
static void
connection_finish(struct worker *worker, uint32_t i, bool unread)
{
	struct connection *connection = &worker->connection[i];

	buffer_drop(worker, i);
	if (!unread || shutdown(connection->fd, SHUT_WR) != 0 ||
	    !events_set(worker, i, EPOLLIN)) {
		connection_end(worker, i);
		return;
	}
	worker_list_move(
	    worker, i, CONNECTION_LINGER, worker->now_ms + WORKER_LINGER_MS);
}

/*
 * Waits for the next request, or for the rest of one; `anew` when something was
 * answered before it: who only sends empty lines has no more time for them.
 */
static void
connection_wait(struct worker *worker, uint32_t i, bool partial, bool anew)
{
	struct connection *connection = &worker->connection[i];
	const struct sunset_config *config = worker->generation->config;
	bool writing = connection->state == CONNECTION_WRITE;

	if (!partial) {
		buffer_drop(worker, i);
		if (anew || connection->state != CONNECTION_IDLE)
			worker_list_move(worker, i, CONNECTION_IDLE,
			    deadline(worker, config->idle_sec));
	} else if (anew || connection->state != CONNECTION_REQUEST) {
		worker_list_move(worker, i, CONNECTION_REQUEST,
		    deadline(worker, config->request_sec));
	}
	if ((writing || !connection->registered) &&
	    !events_set(worker, i, EPOLLIN))
		connection_end(worker, i);
}

/* The answer does not fit the socket: nothing is read until it does. */
static void
connection_block(struct worker *worker, uint32_t i)
{
	const struct sunset_config *config = worker->generation->config;

	worker_list_move(
	    worker, i, CONNECTION_WRITE, deadline(worker, config->write_sec));
	if (!events_set(worker, i, EPOLLOUT))
		connection_end(worker, i);
}

/* Goes on with `len` bytes at `data`: the thread's, or the buffer's own. */
static void
connection_process(struct worker *worker, uint32_t i,
    struct http_request *request, char *data, uint32_t len)
{
	struct connection *connection = &worker->connection[i];
	enum sent sent = SENT_ALL;
	bool answered = false;
	bool refused = false;
	bool full = true;
	uint32_t at = 0;

	while (full && sent == SENT_ALL && !connection->closing) {
		at += requests_answer(
		    worker, connection, request, data + at, len - at, &refused);
		full = !out_has_room(worker);
		answered |= worker->out_len > 0;
		sent = out_flush(worker, i);
	}
	if (sent == SENT_BROKEN) {
		connection_end(worker, i);
		return;
	}
	if (connection->closing && sent == SENT_ALL) {
		connection_finish(worker, i, refused || at < len);
		return;
	}
	if (at < len && !rest_keep(worker, i, request, data + at, len - at)) {
		connection_end(worker, i);
		return;
	}
	if (at == len && connection->buffer != WORKER_NONE)
		worker->buffer[connection->buffer].in_len = 0;
	if (sent == SENT_PART)
		connection_block(worker, i);
	else
		connection_wait(worker, i, at<len, at> 0 && answered);
}

static void
connection_read(struct worker *worker, uint32_t i)
{
	struct connection *connection = &worker->connection[i];
	struct worker_buffer *buffer = NULL;
	struct http_request fresh = {0};
	char *data = worker->in;
	uint32_t have = 0;
	ssize_t n;

	if (connection->buffer != WORKER_NONE) {
		buffer = &worker->buffer[connection->buffer];
		data = buffer->in;
		have = buffer->in_len;
	}
	do
		n = recv(
		    connection->fd, data + have, WORKER_IN_BYTES - have, 0);
	while (n < 0 && errno == EINTR);
	if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) {
		if (!connection->registered && !events_set(worker, i, EPOLLIN))
			connection_end(worker, i);
		return;
	}
	if (n <= 0) {
		connection_end(worker, i);
		return;
	}
	connection_process(worker, i,
	    buffer != NULL ? &buffer->request : &fresh, data,
	    have + (uint32_t)n);
}

static void
connection_write(struct worker *worker, uint32_t i)
{
	struct connection *connection = &worker->connection[i];
	struct worker_buffer *buffer = &worker->buffer[connection->buffer];
	enum sent result;
	uint32_t sent;

	result = octets_send(connection->fd, buffer->out + buffer->out_at,
	    buffer->out_len - buffer->out_at, &sent);
	if (result == SENT_BROKEN) {
		connection_end(worker, i);
		return;
	}
	buffer->out_at += sent;
	if (result == SENT_PART)
		return;
	if (connection->closing)
		connection_finish(worker, i, true);
	else
		connection_process(
		    worker, i, &buffer->request, buffer->in, buffer->in_len);
}

static void
connection_linger(struct worker *worker, uint32_t i)
{
	struct connection *connection = &worker->connection[i];
	ssize_t n = recv(connection->fd, worker->in, sizeof(worker->in), 0);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n > 0) {
		connection->lingered += (uint32_t)n;
		if (connection->lingered < LINGER_BYTES_MOST)
			return;
	}
	connection_end(worker, i);
}

void
connection_begin(struct worker *worker, int fd)
{
	uint32_t i = worker_connection_take(worker);

	if (i == WORKER_NONE) {
		(void)close(fd);
		return;
	}
	worker->connection[i].fd = fd;
	worker_count(&worker->counters.accepted, 1);
	worker_list_move(worker, i, CONNECTION_IDLE,
	    deadline(worker, worker->generation->config->idle_sec));
	/* Most often the request is there already. */
	connection_read(worker, i);
}

void
connection_ready(struct worker *worker, uint32_t i, uint32_t events)
{
	(void)events;
	switch (worker->connection[i].state) {
	case CONNECTION_IDLE:
	case CONNECTION_REQUEST:
		connection_read(worker, i);
		break;
	case CONNECTION_WRITE:
		connection_write(worker, i);
		break;
	case CONNECTION_LINGER:
		connection_linger(worker, i);
		break;
	default:
		/* It ended while this event was waiting. */
		break;
	}
}

void
connection_expire(struct worker *worker, uint32_t i)
{
	struct connection *connection = &worker->connection[i];
	const struct answer *answer;
	uint32_t sent;

	worker_count(&worker->counters.timed_out,
	    connection->state != CONNECTION_LINGER ? 1 : 0);
	if (connection->state != CONNECTION_REQUEST) {
		connection_end(worker, i);
		return;
	}
	/* RFC 9110, 15.5.9; the rest of the request may be on its way. */
	answer = answer_get(
	    &worker->answers, ANSWER_TEXT_408, ANSWER_CLOSING, worker->now_sec);
	if (octets_send(connection->fd, answer->octet, answer->len, &sent) ==
	    SENT_BROKEN)
		connection_end(worker, i);
	else
		connection_finish(worker, i, true);
}
