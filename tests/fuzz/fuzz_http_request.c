/* SPDX-License-Identifier: ISC */
/*
 * The HTTP parser on any bytes: all at once, octet by octet and in two parts
 * it must say the same, never want more than HTTP_REQUEST_MOST, and point only
 * into what it was given. What it takes for a request is handed on to the
 * OCSP parser, as the server does.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "../../src/sunset/http_request.h"
#include "../../src/sunset/ocsp_request.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
require(int held)
{
	if (!held)
		abort();
}

static void
span_check(const struct http_span *span, size_t size)
{
	require((size_t)span->at + span->len <= size);
}

/* With exactly `have` octets behind the pointer, as ASan sees it. */
static enum http_outcome
read_part(struct http_request *request, char **buffer, size_t before,
    const uint8_t *data, size_t have)
{
	char *part = malloc(have > 0 ? have : 1);
	enum http_outcome outcome;

	require(part != NULL);
	if (before > 0)
		memcpy(part, *buffer, before);
	memcpy(part + before, data + before, have - before);
	free(*buffer);
	*buffer = part;
	outcome = http_request_read(request, part, have);
	require(outcome != HTTP_MORE || have < HTTP_REQUEST_MOST);
	return outcome;
}

/* In steps of `step` octets. */
static enum http_outcome
read_all(struct http_request *request, char **buffer, const uint8_t *data,
    size_t size, size_t step)
{
	enum http_outcome outcome = HTTP_MORE;
	size_t have = 0;

	*request = (struct http_request){0};
	do {
		size_t next = size - have < step ? size : have + step;

		outcome = read_part(request, buffer, have, data, next);
		have = next;
	} while (outcome == HTTP_MORE && have < size);
	return outcome;
}

static void
same_check(const struct http_request *a, const char *a_data,
    const struct http_request *b, const char *b_data)
{
	require(a->method == b->method && a->minor == b->minor &&
		a->keep_alive == b->keep_alive && a->total == b->total &&
		a->asterisk == b->asterisk);
	require(a->path.len == b->path.len && a->host.len == b->host.len &&
		a->body.len == b->body.len);
	require(
	    memcmp(a_data + a->path.at, b_data + b->path.at, a->path.len) == 0);
	require(
	    memcmp(a_data + a->host.at, b_data + b->host.at, a->host.len) == 0);
	require(
	    memcmp(a_data + a->body.at, b_data + b->body.at, a->body.len) == 0);
}

static void
ocsp_check(const struct http_request *request, const char *data)
{
	struct ocsp_request ocsp;
	uint8_t *der = malloc(OCSP_PATH_DER_BYTES(request->path.len));

	require(der != NULL);
	if (ocsp_path_parse(data + request->path.at, request->path.len, der,
		&ocsp) != STATUS_OK)
		require(ocsp.hash == COUNT_HASH_NONE && !ocsp.nonce);
	if (ocsp_request_parse((const uint8_t *)data + request->body.at,
		request->body.len, &ocsp) == STATUS_OK)
		require(ocsp.hash != COUNT_HASH_NONE &&
			ocsp.key_hash_len <= request->body.len);
	free(der);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct http_request whole;
	struct http_request pieces;
	enum http_outcome outcome;
	char *whole_data = NULL;
	char *pieces_data = NULL;
	size_t step = size > 0 ? data[size - 1] % 8U + 1U : 1;

	outcome = read_all(&whole, &whole_data, data, size, size + 1);
	require(read_all(&pieces, &pieces_data, data, size, step) == outcome);
	if (outcome == HTTP_REFUSED)
		require(whole.status >= 400 && whole.status == pieces.status);
	if (outcome == HTTP_COMPLETE) {
		require(whole.total > 0 && whole.total <= size);
		span_check(&whole.path, whole.total);
		span_check(&whole.host, whole.total);
		span_check(&whole.body, whole.total);
		same_check(&whole, whole_data, &pieces, pieces_data);
		ocsp_check(&whole, whole_data);
	}
	free(whole_data);
	free(pieces_data);
	return 0;
}
