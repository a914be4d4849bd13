/* SPDX-License-Identifier: ISC */
/*
 * A server on loopback that answers as it is told, byte for byte, and keeps
 * what it was asked: for what no real server can be made to do. One thread,
 * one connection at a time; include cmocka.h first.
 */
#ifndef CRLPRESS_HTTP_STAND_H
#define CRLPRESS_HTTP_STAND_H

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "crlpress/http.h"

#include "scratch.h"

#define STAND_ANSWERS_MOST 16
#define STAND_REQUEST_BYTES (1024 * 1024)

enum stand_end {
	STAND_KEEP,  /* the connection stays */
	STAND_CLOSE, /* it is closed after the answer */
	STAND_RESET, /* it is reset after the answer */
	STAND_HANG,  /* nothing more, until the client goes away */
};

struct stand_answer {
	const char *text; /* "" for none */
	size_t len;       /* 0: of the text as a string */
	enum stand_end end;
	bool early; /* before the body of the request is read */
};

struct stand {
	int listener;
	unsigned port;
	pthread_t thread;
	const struct stand_answer *answer;
	size_t answer_count;
	char *request; /* the last, whole; a NUL follows it */
	size_t request_len;
	atomic_uint requests;
	atomic_uint connections;
	atomic_bool over;
};

/* More bytes of a request, or false when no more come. */
static inline bool
stand_more(struct stand *stand, int fd)
{
	struct pollfd poll_fd = {.fd = fd, .events = POLLIN};
	ssize_t n;

	while (poll(&poll_fd, 1, 20) == 0)
		if (atomic_load(&stand->over))
			return false;
	if (stand->request_len == STAND_REQUEST_BYTES)
		return false;
	n = read(fd, stand->request + stand->request_len,
	    STAND_REQUEST_BYTES - stand->request_len);
	if (n <= 0)
		return false;
	stand->request_len += (size_t)n;
	stand->request[stand->request_len] = '\0';
	return true;
}

/* A whole request, or its head alone; false when the client is gone. */
static inline bool
stand_read(struct stand *stand, int fd, bool head_only)
{
	static const char ask[] = "HTTP/1.1 100 Continue\r\n\r\n";
	const char *end;
	const char *told;
	size_t body;

	stand->request_len = 0;
	stand->request[0] = '\0';
	while ((end = strstr(stand->request, "\r\n\r\n")) == NULL)
		if (!stand_more(stand, fd))
			return false;
	if (head_only)
		return true;
	told = strcasestr(stand->request, "\r\nContent-Length:");
	body = told == NULL || told > end ? 0 : strtoul(told + 17, NULL, 10);
	if (strcasestr(stand->request, "100-continue") != NULL &&
	    send(fd, ask, sizeof(ask) - 1, MSG_NOSIGNAL) < 0)
		return false;
	while (stand->request_len < (size_t)(end + 4 - stand->request) + body)
		if (!stand_more(stand, fd))
			return false;
	return true;
}

/* What is asked on one connection; an answer was given for each. */
static inline void
stand_serve(struct stand *stand, int fd)
{
	struct linger linger = {.l_onoff = 1, .l_linger = 0};
	enum stand_end end = STAND_KEEP;

	while (end == STAND_KEEP) {
		unsigned next = atomic_load(&stand->requests);
		const struct stand_answer *answer;
		const char *text;
		size_t len;

		if (next >= stand->answer_count)
			return;
		answer = &stand->answer[next];
		if (!stand_read(stand, fd, answer->early))
			return;
		atomic_fetch_add(&stand->requests, 1);
		text = answer->text;
		len = answer->len != 0 ? answer->len : strlen(text);
		if (len > 0)
			(void)send(fd, text, len, MSG_NOSIGNAL);
		end = answer->end;
	}
	if (end == STAND_RESET)
		(void)setsockopt(
		    fd, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger));
	if (end != STAND_HANG)
		return;
	stand->request_len = 0;
	while (stand_more(stand, fd))
		stand->request_len = 0;
}

static inline void *
stand_run(void *argument)
{
	struct stand *stand = argument;
	struct pollfd poll_fd = {.fd = stand->listener, .events = POLLIN};

	while (!atomic_load(&stand->over)) {
		int fd;

		if (poll(&poll_fd, 1, 20) <= 0)
			continue;
		fd = accept(stand->listener, NULL, NULL);
		if (fd < 0)
			continue;
		atomic_fetch_add(&stand->connections, 1);
		stand_serve(stand, fd);
		(void)close(fd);
	}
	return NULL;
}

static inline void
stand_start(
    struct stand *stand, const struct stand_answer *answer, size_t answer_count)
{
	struct sockaddr_in address = {.sin_family = AF_INET,
	    .sin_addr = {.s_addr = htonl(INADDR_LOOPBACK)}};
	socklen_t len = sizeof(address);

	memset(stand, 0, sizeof(*stand));
	stand->answer = answer;
	stand->answer_count = answer_count;
	stand->request = calloc(1, STAND_REQUEST_BYTES + 1);
	stand->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_non_null(stand->request);
	assert_true(stand->listener >= 0);
	assert_int_equal(
	    bind(stand->listener, (struct sockaddr *)&address, len), 0);
	assert_int_equal(listen(stand->listener, 16), 0);
	assert_int_equal(
	    getsockname(stand->listener, (struct sockaddr *)&address, &len), 0);
	stand->port = ntohs(address.sin_port);
	assert_int_equal(
	    pthread_create(&stand->thread, NULL, stand_run, stand), 0);
}

/* Ends it; what it was asked stays until stand_free. */
static inline void
stand_stop(struct stand *stand)
{
	atomic_store(&stand->over, true);
	(void)pthread_join(stand->thread, NULL);
	(void)close(stand->listener);
}

static inline void
stand_free(struct stand *stand)
{
	free(stand->request);
}

/* The last request has this line or text in it. */
static inline bool
stand_has(const struct stand *stand, const char *text)
{
	if (strstr(stand->request, text) != NULL)
		return true;
	(void)fprintf(stderr, "want: %s\nhave: %s\n", text, stand->request);
	return false;
}

#define STAND_OK "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"

static inline bool
stand_never(void)
{
	return false;
}

static inline struct http_config
stand_config(void)
{
	return (struct http_config){.connections = 1,
	    .connect_timeout_sec = 20,
	    .stall_timeout_sec = 20,
	    .request_timeout_sec = 60,
	    .direct = true,
	    .cancelled = stand_never};
}

static inline struct http *
stand_client(struct scratch *scratch, const struct http_config *config)
{
	struct http *http = NULL;

	assert_int_equal(http_open(config, scratch->report, &http), STATUS_OK);
	assert_non_null(http);
	return http;
}

static inline const char *
stand_url(const struct stand *stand, char url[128])
{
	(void)snprintf(
	    url, 128, "http://127.0.0.1:%u/bucket/a%%20b", stand->port);
	return url;
}

/* Sends a request to a server that keeps what it was asked. */
static inline void
stand_ask(
    struct scratch *scratch, struct http_request *request, struct stand *stand)
{
	static const struct stand_answer answer[] = {
	    {STAND_OK, 0, STAND_KEEP, false}};
	struct http_config config = stand_config();
	struct http *http = stand_client(scratch, &config);
	struct http_reply reply;
	char url[128];

	stand_start(stand, answer, 1);
	request->url = stand_url(stand, url);
	request->reply_most = 2;
	assert_int_equal(http_call(http, request, &reply), STATUS_OK);
	assert_int_equal(reply.code, 200);
	http_reply_free(&reply);
	http_close(http);
	stand_stop(stand);
}

#endif
