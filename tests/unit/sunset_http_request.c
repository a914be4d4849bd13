/* SPDX-License-Identifier: ISC */
/*
 * The HTTP parser: what clients of OCSP send, what they may not, and where a
 * request ends. Every case is read at once and octet by octet, against a page
 * that is not there.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "../../src/sunset/http_request.h"
#include "../lib/guard_page.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* More than any request may have. */
#define ROOM (HTTP_REQUEST_MOST + 4096)

static int
setup(void **state)
{
	struct guard_page *guard = malloc(sizeof(*guard));

	if (guard == NULL)
		return -1;
	guard_page_make(guard, ROOM);
	*state = guard;
	return 0;
}

static int
teardown(void **state)
{
	guard_page_free(*state);
	free(*state);
	return 0;
}

/* All of it in one piece. */
static enum http_outcome
read_whole(struct guard_page *guard, const char *text, size_t len,
    struct http_request *request, char **buffer)
{
	*request = (struct http_request){0};
	*buffer = guard_page_put(guard, text, len);
	return http_request_read(request, *buffer, len);
}

/* Octet by octet; the buffer moves each time, as a caller's may. */
static enum http_outcome
read_pieces(struct guard_page *guard, const char *text, size_t len,
    struct http_request *request, char **buffer)
{
	enum http_outcome outcome = HTTP_MORE;
	char *copy = malloc(len + 1);
	size_t have;

	assert_non_null(copy);
	*request = (struct http_request){0};
	*buffer = NULL;
	for (have = 1; have <= len && outcome == HTTP_MORE; have++) {
		/* What came before, as the parser has left it. */
		if (*buffer != NULL)
			memcpy(copy, *buffer, have - 1);
		copy[have - 1] = text[have - 1];
		*buffer = guard_page_put(guard, copy, have);
		outcome = http_request_read(request, *buffer, have);
	}
	free(copy);
	return outcome;
}

static int
span_is(const char *buffer, struct http_span span, const char *text)
{
	return span.len == strlen(text) &&
	       memcmp(buffer + span.at, text, span.len) == 0;
}

struct good_row {
	const char *text;
	enum http_method method;
	const char *path;
	const char *host;
	const char *body;
	int keep_alive;
	size_t rest; /* octets behind the request */
};

#define HOST "Host: a.example\r\n"

static const struct good_row good[] = {
    /* The clients of OCSP. */
    {"GET /MFQwUjBQ HTTP/1.1\r\n" HOST "\r\n", HTTP_GET, "/MFQwUjBQ",
	"a.example", "", 1, 0},
    {"GET /MF//Qw%2BUj%2f%3D HTTP/1.0\r\n\r\n", HTTP_GET, "/MF//Qw%2BUj%2f%3D",
	"", "", 0, 0},
    {"GET /ocsp/r10/MFQ+/= HTTP/1.0\r\n" HOST "Connection: Keep-Alive\r\n\r\n",
	HTTP_GET, "/ocsp/r10/MFQ+/=", "a.example", "", 1, 0},
    {"POST / HTTP/1.0\r\nContent-Type: application/ocsp-request\r\n"
     "Content-Length: 3\r\n\r\nabc",
	HTTP_POST, "/", "", "abc", 0, 0},
    {"POST /ocsp HTTP/1.1\r\n" HOST "Content-Length:3\r\n\r\nabcGET", HTTP_POST,
	"/ocsp", "a.example", "abc", 1, 3},
    {"POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n"
     "1\r\na\r\n2;x=\"y\"\r\nbc\r\n0\r\n\r\n",
	HTTP_POST, "/", "a.example", "abc", 1, 0},
    {"POST / HTTP/1.1\r\n" HOST "transfer-encoding:CHUNKED\r\n\r\n"
     "00a ; x\r\n0123456789\r\n0000000\r\nTrailer: y\r\n\r\nP",
	HTTP_POST, "/", "a.example", "0123456789", 1, 1},
    {"POST / HTTP/1.1\r\n" HOST "Content-Length: 0\r\n\r\n", HTTP_POST, "/",
	"a.example", "", 1, 0},
    /* Connections. */
    {"GET / HTTP/1.1\r\n" HOST "Connection: close\r\n\r\n", HTTP_GET, "/",
	"a.example", "", 0, 0},
    {"GET / HTTP/1.1\r\n" HOST "Connection: x,\tClose ,y\r\n\r\n", HTTP_GET,
	"/", "a.example", "", 0, 0},
    {"GET / HTTP/1.1\r\n" HOST "Connection: closed, keep\r\n\r\n", HTTP_GET,
	"/", "a.example", "", 1, 0},
    {"GET / HTTP/1.0\r\nConnection: keep-alive, close\r\n\r\n", HTTP_GET, "/",
	"", "", 0, 0},
    {"GET / HTTP/1.1\r\n" HOST "Connection: upgrade\r\nUpgrade: h2c\r\n\r\n",
	HTTP_GET, "/", "a.example", "", 1, 0},
    /* Methods and targets. */
    {"HEAD /x HTTP/1.1\r\n" HOST "\r\n", HTTP_HEAD, "/x", "a.example", "", 1,
	0},
    {"OPTIONS * HTTP/1.1\r\n" HOST "\r\n", HTTP_OPTIONS, "", "a.example", "", 1,
	0},
    {"OPTIONS /x HTTP/1.1\r\n" HOST "\r\n", HTTP_OPTIONS, "/x", "a.example", "",
	1, 0},
    {"GET http://B.example:80/MFQ//x HTTP/1.1\r\n" HOST "\r\n", HTTP_GET,
	"/MFQ//x", "B.example", "", 1, 0},
    {"GET HTTPS://[2001:db8::1]:443 HTTP/1.1\r\n" HOST "\r\n", HTTP_GET, "",
	"[2001:db8::1]", "", 1, 0},
    {"GET http://b.example?x=/y HTTP/1.0\r\n\r\n", HTTP_GET, "", "b.example",
	"", 0, 0},
    {"GET /MFQ?x=/y?z HTTP/1.1\r\n" HOST "\r\n", HTTP_GET, "/MFQ", "a.example",
	"", 1, 0},
    {"GET /MFQ wUj//BQ HTTP/1.0\r\n\r\n", HTTP_GET, "/MFQ wUj//BQ", "", "", 0,
	0},
    {"GET /ocsp.d/r10/MFQ wUj//BQ HTTP/1.0\r\n\r\n", HTTP_GET,
	"/ocsp.d/r10/MFQ wUj//BQ", "", "", 0, 0},
    {"GET /ocsp/MFQ w /M%2BBQ= HTTP/1.0\r\n\r\n", HTTP_GET,
	"/ocsp/MFQ w /M%2BBQ=", "", "", 0, 0},
    {"GET / HTTP/1.9\r\n" HOST "\r\n", HTTP_GET, "/", "a.example", "", 1, 0},
    /* Hosts. */
    {"GET / HTTP/1.1\r\nHost:\r\n\r\n", HTTP_GET, "/", "", "", 1, 0},
    {"GET / HTTP/1.1\r\nhOST: \t A.example.:8080 \t\r\n\r\n", HTTP_GET, "/",
	"A.example.", "", 1, 0},
    {"GET / HTTP/1.1\r\nHost: [::1]:1\r\n\r\n", HTTP_GET, "/", "[::1]", "", 1,
	0},
    {"GET / HTTP/1.1\r\nHost: a:\r\n\r\n", HTTP_GET, "/", "a", "", 1, 0},
    /* Fields that are let through, and one empty line before all. */
    {"\r\nGET / HTTP/1.1\r\n" HOST "X-\x7c!: \xc3\xa4\t\"\r\nE:\r\n\r\n",
	HTTP_GET, "/", "a.example", "", 1, 0},
    {"GET / HTTP/1.1\r\n" HOST "Content-Length: 2\r\n\r\nxy", HTTP_GET, "/",
	"a.example", "xy", 1, 0},
    {"GET / HTTP/1.0\r\nExpect: teapot\r\n\r\n", HTTP_GET, "/", "", "", 0, 0},
};

static void
check_good(const struct good_row *row, enum http_outcome outcome,
    const struct http_request *request, const char *buffer)
{
	if (outcome != HTTP_COMPLETE)
		print_error("%s: status %u\n", row->text, request->status);
	assert_int_equal(outcome, HTTP_COMPLETE);
	assert_int_equal(request->method, row->method);
	assert_true(span_is(buffer, request->path, row->path));
	assert_true(span_is(buffer, request->host, row->host));
	assert_true(span_is(buffer, request->body, row->body));
	assert_int_equal(request->keep_alive, row->keep_alive);
	assert_int_equal(request->total, strlen(row->text) - row->rest);
}

static void
test_good(void **state)
{
	struct http_request request;
	enum http_outcome outcome;
	char *buffer;

	for (size_t i = 0; i < COUNT(good); i++) {
		size_t len = strlen(good[i].text);

		outcome =
		    read_whole(*state, good[i].text, len, &request, &buffer);
		check_good(&good[i], outcome, &request, buffer);
		outcome =
		    read_pieces(*state, good[i].text, len, &request, &buffer);
		check_good(&good[i], outcome, &request, buffer);
	}
}

struct bad_row {
	const char *text;
	size_t len;
	unsigned status; /* 0: it may go on */
};

#define BAD(text, status)                      \
	{                                      \
		text, sizeof(text) - 1, status \
	}

#define GET "GET / HTTP/1.1\r\n"
#define POST "POST / HTTP/1.1\r\n" HOST
#define CHUNKED POST "Transfer-Encoding: chunked\r\n\r\n"

static const struct bad_row bad[] = {
    /* Request lines. */
    BAD("\r\n\r\n", 400),
    BAD("GET /\r\n", 400),
    BAD("GET  / HTTP/1.1\r\n", 400),
    BAD(" GET / HTTP/1.1\r\n", 400),
    BAD("GET / HTTP/1.1 \r\n", 400),
    BAD("GET /  HTTP/1.1\r\n", 400),
    BAD("GET\t/ HTTP/1.1\r\n", 400),
    BAD("GET / HTTP/1.1\n", 400),
    BAD("\n", 400),
    BAD("GET /\r HTTP/1.1\r\n", 400),
    BAD("GET /\0 HTTP/1.1\r\n", 400),
    BAD("GET /\x7f HTTP/1.1\r\n", 400),
    BAD("GET /\xc3\xa4 HTTP/1.1\r\n", 400),
    BAD("GET /#x HTTP/1.1\r\n", 400),
    BAD("GET x HTTP/1.1\r\n", 400),
    BAD("GET * HTTP/1.1\r\n", 400),
    BAD("GET ftp://a/ HTTP/1.1\r\n", 400),
    BAD("GET http:// HTTP/1.1\r\n", 400),
    BAD("GET http:///x HTTP/1.1\r\n", 400),
    BAD("GET http://:80/x HTTP/1.1\r\n", 400),
    BAD("GET http://u@a/x HTTP/1.1\r\n", 400),
    BAD("GET / HTTP/1.1 HTTP/1.1\r\n", 400),
    BAD("GET /x y HTTP/1.1\r\n", 400),
    BAD("GET /Mx y.z HTTP/1.1\r\n", 400),
    BAD("GET /Mx.z y HTTP/1.1\r\n", 400),
    BAD("GET /ocsp.d/x y HTTP/1.1\r\n", 400),
    BAD("GET /o csp/Mx HTTP/1.1\r\n", 400),
    BAD("GET /o.d csp/Mx HTTP/1.1\r\n", 400),
    BAD("GET /ocsp?/Mx y HTTP/1.1\r\n", 400),
    BAD("GET /ocsp.d/Mx y?z HTTP/1.1\r\n", 400),
    BAD("GET /ocsp.d/Mx y  HTTP/1.1\r\n", 400),
    BAD("GET M/Mx y HTTP/1.1\r\n", 400),
    BAD("GET http://a/Mx y HTTP/1.1\r\n", 400),
    BAD("GET /Mx  HTTP/1.1\r\n", 400),
    BAD("G@T / HTTP/1.1\r\n", 400),
    BAD("GET / HTTP/1\r\n", 400),
    BAD("GET / HTTP/1.10\r\n", 400),
    BAD("GET / http/1.1\r\n", 400),
    BAD("GET / HTTP/11\r\n", 400),
    BAD("GET / HTTP/2.0\r\n", 505),
    BAD("PRI * HTTP/2.0\r\n", 505),
    BAD("GET / HTTP/0.9\r\n", 505),
    BAD("PUT / HTTP/1.1\r\n", 405),
    BAD("DELETE /x HTTP/1.1\r\n", 405),
    BAD("TRACE / HTTP/1.1\r\n", 405),
    BAD("CONNECT a.example:443 HTTP/1.1\r\n", 405),
    BAD("get / HTTP/1.1\r\n", 405),
    /* Fields. */
    BAD(GET "Host: a\n\r\n", 400),
    BAD(GET "Host: a\r\nX: y\n", 400),
    BAD(GET "Host : a\r\n", 400),
    BAD(GET " Host: a\r\n", 400),
    BAD(GET "Host: a\r\n folded\r\n", 400),
    BAD(GET "Host: a\r\n\tfolded\r\n", 400),
    BAD(GET "Host\r\n", 400),
    BAD(GET ": a\r\n", 400),
    BAD(GET "X: a\0b\r\n", 400),
    BAD(GET "X: a\rb\r\n", 400),
    BAD(GET "X: a\x01\r\n", 400),
    BAD(GET "X\xe4: a\r\n", 400),
    BAD(GET "\r\n", 400),
    BAD(GET HOST HOST, 400),
    BAD(GET "Host: a b\r\n", 400),
    BAD(GET "Host: a/b\r\n", 400),
    BAD(GET "Host: a,b@c\r\n", 400),
    BAD(GET "Host: [::1\r\n", 400),
    BAD(GET "Host: []\r\n", 400),
    BAD(GET "Host: [::1]x\r\n", 400),
    BAD(GET "Host: [::g]\r\n", 400),
    BAD(GET "Host: a:b\r\n", 400),
    BAD(GET "Host: a:123456\r\n", 400),
    BAD(GET HOST "Expect: 100-continue, x\r\n", 417),
    BAD(GET HOST "Expect: 200-ok\r\n", 417),
    /* Where the body ends. */
    BAD(POST "\r\n", 411),
    BAD(POST "Content-Length: 1\r\nContent-Length: 1\r\n", 400),
    BAD(POST "Content-Length: 1\r\ncontent-length: 2\r\n", 400),
    BAD(POST "Content-Length: 1, 1\r\n", 400),
    BAD(POST "Content-Length:\r\n", 400),
    BAD(POST "Content-Length: +1\r\n", 400),
    BAD(POST "Content-Length: -1\r\n", 400),
    BAD(POST "Content-Length: 0x1\r\n", 400),
    BAD(POST "Content-Length: 1 1\r\n", 400),
    BAD(POST "Content-Length: 10241\r\n", 413),
    BAD(POST "Content-Length: 18446744073709551617\r\n", 413),
    BAD(POST "Content-Length: 4294967297\r\n", 413),
    BAD(POST "Content-Length: 99999999999999999999x\r\n", 400),
    BAD(POST "Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n", 400),
    BAD(POST "Transfer-Encoding: chunked\r\nContent-Length: 1\r\n\r\n", 400),
    BAD(POST "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n",
	400),
    BAD(POST "Transfer-Encoding: chunked, chunked\r\n", 400),
    BAD(POST "Transfer-Encoding: chunked;x\r\n", 400),
    BAD(POST "Transfer-Encoding: gzip, chunked\r\n", 501),
    BAD(POST "Transfer-Encoding: identity\r\n", 501),
    BAD(POST "Transfer-Encoding: xchunked\r\n", 501),
    BAD(POST "Transfer-Encoding: chunkedx\r\n", 501),
    BAD(POST "Transfer-Encoding:\r\n", 400),
    BAD(POST "Transfer-Encoding: \x0b"
	     "chunked\r\n",
	400),
    BAD("POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n", 400),
    /* Chunks. */
    BAD(CHUNKED "\r\n", 400),
    BAD(CHUNKED "x\r\n", 400),
    BAD(CHUNKED "0x1\r\n", 400),
    BAD(CHUNKED "-1\r\n", 400),
    BAD(CHUNKED " 1\r\n", 400),
    BAD(CHUNKED "1 \r\n", 400),
    BAD(CHUNKED "1 x\r\n", 400),
    BAD(CHUNKED "1\n", 400),
    BAD(CHUNKED "1\ra", 0),
    BAD(CHUNKED "1;\0\r\n", 400),
    BAD(CHUNKED "1;\x01\r\n", 400),
    BAD(CHUNKED "1;\rx\r\n", 400),
    BAD(CHUNKED "00000001\r\n", 400),
    BAD(CHUNKED "100000000\r\n", 400),
    BAD(CHUNKED "ffffffffffffffff1\r\n", 400),
    BAD(CHUNKED "fffffff\r\n", 413),
    BAD(CHUNKED "2801\r\n", 413),
    BAD(CHUNKED "1\r\nab", 400),
    BAD(CHUNKED "1\r\na\rx", 400),
    BAD(CHUNKED "1\r\na\n", 400),
    BAD(CHUNKED "0\r\nx\r\n", 400),
    BAD(CHUNKED "0\r\nx : y\r\n", 400),
    BAD(CHUNKED "0\r\n x: y\r\n", 400),
    BAD(CHUNKED "0\r\nx: y\n", 400),
    BAD(CHUNKED "0\r\n\n", 400),
};

static void
test_bad(void **state)
{
	struct http_request request;
	char *buffer;

	for (size_t i = 0; i < COUNT(bad); i++) {
		size_t len = bad[i].len != 0 ? bad[i].len : strlen(bad[i].text);
		enum http_outcome want =
		    bad[i].status == 0 ? HTTP_MORE : HTTP_REFUSED;
		enum http_outcome whole =
		    read_whole(*state, bad[i].text, len, &request, &buffer);

		if (whole != want || request.status != bad[i].status)
			print_error("%s: %d, status %u\n", bad[i].text, whole,
			    request.status);
		assert_int_equal(whole, want);
		assert_int_equal(request.status, bad[i].status);
		assert_int_equal(
		    read_pieces(*state, bad[i].text, len, &request, &buffer),
		    want);
		assert_int_equal(request.status, bad[i].status);
	}
}

/* Every prefix of a good request wants more, and never looks behind. */
static void
test_prefix(void **state)
{
	struct http_request request;
	char *buffer;

	for (size_t i = 0; i < COUNT(good); i++) {
		size_t len = strlen(good[i].text) - good[i].rest;

		for (size_t have = 0; have < len; have++)
			assert_int_equal(read_whole(*state, good[i].text, have,
					     &request, &buffer),
			    HTTP_MORE);
	}
}

/* Puts `count` octets `c` between two texts. */
static size_t
build(char *out, const char *before, size_t count, char c, const char *after)
{
	size_t len = strlen(before);

	memcpy(out, before, len);
	memset(out + len, c, count);
	len += count;
	memcpy(out + len, after, strlen(after));
	return len + strlen(after);
}

static void
test_limits(void **state)
{
	static const struct {
		const char *before;
		size_t most; /* octets between that are still taken */
		const char *after;
		unsigned status; /* with one more */
	} rows[] = {
	    /* "GET /" and " HTTP/1.1" and the CR stand in the line too. */
	    {"GET /", HTTP_LINE_MOST - 15, " HTTP/1.1\r\nHost:\r\n\r\n", 414},
	    /* The LF of the last line is the octet at HTTP_HEAD_MOST. */
	    {GET HOST "X: ", HTTP_HEAD_MOST - 16 - 17 - 3 - 3, "\r\n\r\n", 431},
	    {CHUNKED "1;", HTTP_CHUNK_LINE_MOST - 3, "\r\na\r\n0\r\n\r\n", 400},
	};
	char *text = malloc(ROOM);
	struct http_request request;
	char *buffer;

	assert_non_null(text);
	for (size_t i = 0; i < COUNT(rows); i++) {
		size_t len = build(
		    text, rows[i].before, rows[i].most, 'x', rows[i].after);

		assert_int_equal(
		    read_whole(*state, text, len, &request, &buffer),
		    HTTP_COMPLETE);
		assert_int_equal(
		    read_pieces(*state, text, len, &request, &buffer),
		    HTTP_COMPLETE);
		len = build(
		    text, rows[i].before, rows[i].most + 1, 'x', rows[i].after);
		assert_int_equal(
		    read_whole(*state, text, len, &request, &buffer),
		    HTTP_REFUSED);
		assert_int_equal(request.status, rows[i].status);
		assert_int_equal(
		    read_pieces(*state, text, len, &request, &buffer),
		    HTTP_REFUSED);
		assert_int_equal(request.status, rows[i].status);
	}
	free(text);
}

static void
test_fields_most(void **state)
{
	char text[HTTP_FIELDS_MOST * 8 + 64];
	struct http_request request;
	char *buffer;

	for (unsigned more = 0; more < 2; more++) {
		size_t len = build(text, GET HOST, 0, 'x', "");

		for (unsigned i = 1; i < HTTP_FIELDS_MOST + more; i++)
			len += build(text + len, "X:", 1, 'y', "\r\n");
		len += build(text + len, "\r\n", 0, 'x', "");
		assert_int_equal(
		    read_whole(*state, text, len, &request, &buffer),
		    more ? HTTP_REFUSED : HTTP_COMPLETE);
		assert_int_equal(request.status, more ? 431 : 0);
	}
}

static void
test_body_most(void **state)
{
	char *text = malloc(ROOM);
	struct http_request request;
	char *buffer;
	size_t len;

	assert_non_null(text);
	len = build(text, POST "Content-Length: 10240\r\n\r\n", HTTP_BODY_MOST,
	    'b', "rest");
	assert_int_equal(
	    read_whole(*state, text, len, &request, &buffer), HTTP_COMPLETE);
	assert_int_equal(request.body.len, HTTP_BODY_MOST);
	assert_int_equal(request.total, len - 4);
	len = build(
	    text, CHUNKED "2800\r\n", HTTP_BODY_MOST, 'b', "\r\n0\r\n\r\n");
	assert_int_equal(
	    read_pieces(*state, text, len, &request, &buffer), HTTP_COMPLETE);
	assert_int_equal(request.body.len, HTTP_BODY_MOST);
	assert_int_equal(request.total, len);
	/* The sum counts, not the chunk. */
	len = build(
	    text, CHUNKED "2800\r\n", HTTP_BODY_MOST, 'b', "\r\n1\r\nb\r\n");
	assert_int_equal(
	    read_whole(*state, text, len, &request, &buffer), HTTP_REFUSED);
	assert_int_equal(request.status, 413);
	free(text);
}

/* What frames a body in tiny chunks is bounded, too. */
static void
test_chunk_overhead(void **state)
{
	char *text = malloc(ROOM);
	struct http_request request;
	char *buffer;
	size_t len;

	assert_non_null(text);
	len = build(text, CHUNKED, 0, 'x', "");
	for (unsigned i = 0; i < HTTP_CHUNK_OVERHEAD_MOST / 5 - 1; i++)
		len += build(text + len, "1\r\n", 1, 'a', "\r\n");
	build(text + len, "0\r\n\r\n", 0, 'x', "");
	assert_int_equal(read_whole(*state, text, len + 5, &request, &buffer),
	    HTTP_COMPLETE);
	assert_int_equal(request.body.len, HTTP_CHUNK_OVERHEAD_MOST / 5 - 1);
	for (unsigned i = 0; i < 2; i++)
		len += build(text + len, "1\r\n", 1, 'a', "\r\n");
	assert_int_equal(
	    read_whole(*state, text, len, &request, &buffer), HTTP_REFUSED);
	assert_int_equal(request.status, 413);
	free(text);
}

/* 100 Continue is due once the head is there and nothing of the body. */
static void
test_continue(void **state)
{
	static const char head[] =
	    POST "Expect: 100-Continue\r\nContent-Length: 2\r\n\r\n";
	static const char chunked[] =
	    POST "Transfer-Encoding: chunked\r\nExpect: 100-continue\r\n\r\n";
	static const char together[] =
	    POST "Expect: 100-continue\r\nContent-Length: 2\r\n\r\na";
	static const char none[] =
	    POST "Expect: 100-continue\r\nContent-Length: 0\r\n\r\n";
	struct http_request request;
	char *buffer;

	assert_int_equal(
	    read_whole(*state, head, sizeof(head) - 1, &request, &buffer),
	    HTTP_MORE);
	assert_true(request.wants_continue);
	assert_int_equal(
	    read_whole(*state, chunked, sizeof(chunked) - 1, &request, &buffer),
	    HTTP_MORE);
	assert_true(request.wants_continue);
	assert_int_equal(read_whole(*state, together, sizeof(together) - 1,
			     &request, &buffer),
	    HTTP_MORE);
	assert_false(request.wants_continue);
	assert_int_equal(
	    read_whole(*state, none, sizeof(none) - 1, &request, &buffer),
	    HTTP_COMPLETE);
	assert_false(request.wants_continue);
	/* HTTP/1.0 knows no 100: RFC 9110, 10.1.1. */
	assert_int_equal(read_whole(*state,
			     "POST / HTTP/1.0\r\nExpect: 100-continue\r\n"
			     "Content-Length: 2\r\n\r\n",
			     60, &request, &buffer),
	    HTTP_MORE);
	assert_false(request.wants_continue);
}

static void
test_idle(void **state)
{
	struct http_request request;
	char *buffer;

	read_whole(*state, "", 0, &request, &buffer);
	assert_true(http_request_is_idle(&request, 0));
	read_whole(*state, "\r\n", 2, &request, &buffer);
	assert_true(http_request_is_idle(&request, 2));
	read_whole(*state, "\r\nG", 3, &request, &buffer);
	assert_false(http_request_is_idle(&request, 3));
	read_whole(*state, GET, sizeof(GET) - 1, &request, &buffer);
	assert_false(http_request_is_idle(&request, sizeof(GET) - 1));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_good),
	    cmocka_unit_test(test_bad),
	    cmocka_unit_test(test_prefix),
	    cmocka_unit_test(test_limits),
	    cmocka_unit_test(test_fields_most),
	    cmocka_unit_test(test_body_most),
	    cmocka_unit_test(test_chunk_overhead),
	    cmocka_unit_test(test_continue),
	    cmocka_unit_test(test_idle),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
