/* SPDX-License-Identifier: ISC */
/*
 * An HTTP client: one request, one whole reply, every wait and every size
 * bounded. libcurl stays behind http.c. The client follows no redirect, keeps
 * no cookie, reads no .netrc, and says no more about what it sends than the
 * method, the host and the path; secrets are wiped when they were used.
 *
 * A client has a number of handles, each with connections of its own that are
 * kept for the next request. Threads may call it: a call takes a free handle,
 * or waits for one.
 *
 * Nothing is reported and nothing is tried again here: retry.h has the
 * decision, the caller the message.
 */
#ifndef CRLPRESS_HTTP_H
#define CRLPRESS_HTTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "crlpress/report.h"
#include "crlpress/status.h"

/* As many as a pool has workers. */
#define HTTP_CONNECTIONS_MOST 64

/* Headers of one request, those of the signature not counted. */
#define HTTP_REQUEST_HEADERS_MOST 24

/* All header lines of a reply; S3 sends less than 2 KiB. */
#define HTTP_REPLY_HEADERS_BYTES ((size_t)32 * 1024)

/* An error body that is larger tells nobody more. */
#define HTTP_ERROR_BYTES_MOST ((size_t)64 * 1024)

/* A reason why there is no reply: one line, no secret in it. */
#define HTTP_WHY_BYTES 320

struct http;

/* Strings are copied. */
struct http_config {
	const char *ca_file;  /* PEM; NULL: those of the system */
	unsigned connections; /* handles, 1 to HTTP_CONNECTIONS_MOST */
	int64_t connect_timeout_sec;
	int64_t stall_timeout_sec;   /* without 1 KiB a second either way */
	int64_t request_timeout_sec; /* from first to last byte */
	bool http2;                  /* offered where there is TLS */
	/* No proxy, whatever the environment says; for metadata endpoints.
	 * Otherwise libcurl looks at http_proxy, https_proxy and no_proxy. */
	bool direct;
	/* Polled about once a second; true ends what is under way. NULL:
	 * never. From any thread. */
	bool (*cancelled)(void);
};

/*
 * STATUS_CONFIG, reported, when the CA file cannot be read; a client otherwise
 * fails when it is called. http_close(NULL) is fine; no call may be under way.
 */
enum status http_open(const struct http_config *config, struct report *report,
    struct http **http) MUST_CHECK;
void http_close(struct http *http);

enum http_method { HTTP_GET, HTTP_HEAD, HTTP_PUT, HTTP_POST, HTTP_DELETE };

/* AWS Signature Version 4. */
struct http_signature {
	const char *key_id;
	const char *secret;
	const char *session_token; /* NULL: none */
	const char *region;
	const char *service; /* "s3" */
};

struct http_request {
	enum http_method method;
	/* http:// or https://, without user, fragment; the path encoded. */
	const char *url;
	/* "Name: value" lines; no name twice, none the beginning of another.
	 * A secret may stand in one: they are wiped like the rest. */
	const char *const *header;
	size_t header_count;
	/* PUT and POST: bytes of memory, or of a file, read from its beginning
	 * whatever its position is. */
	const void *body;
	size_t body_len;
	bool has_body_fd;
	int body_fd;
	uint64_t body_fd_len;
	/* SHA-256 of the body, in hex: sent as x-amz-content-sha256, which a
	 * signature covers. NULL: not sent. */
	const char *body_sha256;
	const struct http_signature *signature; /* NULL: not signed */
	/* Most bytes of the body of a 2xx reply; of any other reply the first
	 * HTTP_ERROR_BYTES_MOST are kept. */
	uint64_t reply_most;
	int64_t timeout_ms; /* if shorter than the client's; 0: the client's */
};

enum http_outcome {
	HTTP_ANSWERED,   /* a whole reply; whether a good one, see `code` */
	HTTP_UNSENT,     /* nothing of the request reached the server */
	HTTP_UNANSWERED, /* what became of it cannot be told */
	HTTP_TOO_LARGE,  /* the reply is larger than asked for */
	HTTP_HOPELESS,   /* as HTTP_UNSENT, and will not heal: TLS, the URL */
	HTTP_LOCAL,      /* the body's file cannot be read, or no memory */
	HTTP_CANCELLED,  /* as HTTP_UNANSWERED */
};

/* Free it with http_reply_free, whatever the outcome was. */
struct http_reply {
	enum http_outcome outcome;
	int code; /* 200; 0: no answer */
	/* The body in memory, NULL when empty; a NUL follows it. */
	uint8_t *body;
	size_t body_len;
	char *headers; /* private: lines of "Name: value\0" */
	size_t headers_len;
	char why[HTTP_WHY_BYTES]; /* not answered: why; else empty */
};

/*
 * Sends a request and waits for the reply. STATUS_OK when it was answered, by
 * whatever code; otherwise `reply->outcome` and `reply->why` tell.
 * STATUS_NO_MEMORY, STATUS_FAILED.
 */
enum status http_call(struct http *http, const struct http_request *request,
    struct http_reply *reply) MUST_CHECK;
void http_reply_free(struct http_reply *reply);

/*
 * The value of a header without blanks around it; names are compared without
 * regard to case. NULL when there is none, or two that differ.
 */
const char *http_reply_header(const struct http_reply *reply, const char *name);

#endif
