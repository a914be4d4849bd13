/* SPDX-License-Identifier: ISC */
/*
 * Reads one HTTP/1 request out of a buffer, piece by piece as it arrives: its
 * head (RFC 9112, 2 to 5), its body with a length or in chunks (6 and 7).
 * Strict where two readers could disagree about where a request ends: two
 * lengths, a length and chunks, a bare LF, a folded line, a blank before a
 * colon are refused, and whoever is refused is closed. Pure; no library.
 */
#ifndef CRLPRESS_HTTP_REQUEST_H
#define CRLPRESS_HTTP_REQUEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* RFC 9112, 3 asks for at least 8000 octets of request line. */
#define HTTP_LINE_MOST 8192
/* Request line, fields and their line ends; the clients of OCSP need 500. */
#define HTTP_HEAD_MOST 12288
#define HTTP_FIELDS_MOST 100
/* Requests for a handful of certificates have 500 bytes. */
#define HTTP_BODY_MOST 10240
/* Chunk sizes, extensions and trailers of a body, all together. */
#define HTTP_CHUNK_OVERHEAD_MOST 4096
/* One line of these. */
#define HTTP_CHUNK_LINE_MOST 256
/* No request that is not refused needs more bytes. */
#define HTTP_REQUEST_MOST                                             \
	(HTTP_HEAD_MOST + HTTP_BODY_MOST + HTTP_CHUNK_OVERHEAD_MOST + \
	    HTTP_CHUNK_LINE_MOST + 16)

enum http_method {
	HTTP_GET,
	HTTP_HEAD,
	HTTP_POST,
	HTTP_OPTIONS,
	HTTP_OTHER /* refused with 405 */
};

enum http_outcome {
	HTTP_MORE,     /* it goes on */
	HTTP_COMPLETE, /* `total` bytes are the request */
	HTTP_REFUSED   /* answer `status` and close */
};

enum http_stage {
	HTTP_STAGE_LINE,
	HTTP_STAGE_FIELDS,
	HTTP_STAGE_BODY,
	HTTP_STAGE_CHUNK_LINE,
	HTTP_STAGE_CHUNK_DATA,
	HTTP_STAGE_TRAILER,
	HTTP_STAGE_END
};

/* A part of the buffer. */
struct http_span {
	uint32_t at;
	uint32_t len;
};

/*
 * Zero-initialise for each request. Places are offsets, so that the buffer
 * may be moved between two calls.
 */
struct http_request {
	enum http_method method;
	uint16_t status;       /* when refused: 400, 405, 411, 413, 414, 417,
				* 431, 501, 505 */
	uint8_t minor;         /* HTTP/1.minor */
	bool keep_alive;       /* what the client asks for */
	bool wants_continue;   /* Expect: 100-continue, and no body seen yet;
				* the caller clears it when it has sent it */
	bool asterisk;         /* OPTIONS * */
	bool blank;            /* there are blanks in the path */
	struct http_span path; /* from its first '/', without query; never
				* decoded; empty for "http://host" and "*" */
	struct http_span host; /* name or address, without port; may be empty */
	struct http_span body; /* without its chunks' frames */
	uint32_t total;
	/* Private. */
	enum http_stage stage;
	uint32_t line;    /* where the current line begins */
	uint32_t scanned; /* no LF before this */
	uint32_t fields;
	uint32_t left; /* of the body or of the chunk */
	uint32_t overhead;
	bool has_host;
	bool has_target_host; /* absolute-form */
	bool has_length;
	bool chunked;
	bool skipped_line; /* an empty line before the request line */
	bool says_close;
	bool says_keep_alive;
	bool expects;
};

/*
 * Goes on with the request that begins at `buffer`, of which `len` bytes are
 * there: at least as many as at the call before, which returned HTTP_MORE.
 * A body in chunks is put together in place. Bytes behind `total` are not
 * touched. Never HTTP_MORE for HTTP_REQUEST_MOST bytes or more.
 */
enum http_outcome http_request_read(
    struct http_request *request, char *buffer, size_t len);

/* Before the first byte of the request line: the client is idle. */
bool http_request_is_idle(const struct http_request *request, size_t len);

#endif
