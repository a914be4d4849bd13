/* SPDX-License-Identifier: ISC */
/*
 * One HTTP/1 request out of a buffer, as far as it has come. A line is read
 * when its LF is there and not looked at again, so that a client that sends
 * single bytes costs no more than one that sends all at once.
 */
#include "http_request.h"

#include <string.h>

#include "crlpress/hex.h"
#include "http_field.h"

/* Digits of a chunk's size: 2^32 would not fit `left`. */
#define CHUNK_DIGITS_MOST 7

/* What a stage says of the bytes it has seen. */
enum step {
	STEP_MORE,  /* it needs more of them */
	STEP_NEXT,  /* go on with the stage now set */
	STEP_REFUSE /* request->status is set */
};

static enum step
refuse(struct http_request *request, uint16_t status)
{
	request->status = status;
	return STEP_REFUSE;
}

/*
 * The next line, if its end is there: STEP_NEXT with its length without CR
 * LF. A LF without CR is refused (RFC 9112, 2.2 permits it, as it does to
 * refuse it), as is a line longer than `most`, with `too_long`.
 */
static enum step
line_next(struct http_request *request, const char *buffer, size_t len,
    uint32_t most, uint16_t too_long, uint32_t *line_len)
{
	uint32_t end = (uint32_t)len;
	const char *lf = NULL;

	if (end > request->scanned)
		lf = memchr(
		    buffer + request->scanned, '\n', end - request->scanned);
	if (lf != NULL)
		end = (uint32_t)(lf - buffer);
	request->scanned = end;
	if (end - request->line > most)
		return refuse(request, too_long);
	if (lf == NULL)
		return STEP_MORE;
	if (end == request->line || buffer[end - 1] != '\r')
		return refuse(request, 400);
	*line_len = end - 1 - request->line;
	return STEP_NEXT;
}

static void
line_done(struct http_request *request)
{
	request->scanned++;
	request->line = request->scanned;
}

/* RFC 9112, 2.2: an empty line before the request line is ignored; one. */
static enum step
stage_line(struct http_request *request, const char *buffer, size_t len)
{
	uint32_t line_len = 0;
	enum step step =
	    line_next(request, buffer, len, HTTP_LINE_MOST, 414, &line_len);

	if (step != STEP_NEXT)
		return step;
	if (line_len == 0 && !request->skipped_line)
		request->skipped_line = true;
	else if (!http_line_read(request, buffer, request->line, line_len))
		return STEP_REFUSE;
	else
		request->stage = HTTP_STAGE_FIELDS;
	line_done(request);
	return STEP_NEXT;
}

/*
 * RFC 9112, 6.3: how the body is framed. A length and chunks together are
 * refused. A POST must say either; all others have no body then.
 */
static enum step
head_end(struct http_request *request)
{
	if (request->has_length && request->chunked)
		return refuse(request, 400);
	/* RFC 9112, 3.2. */
	if (request->minor > 0 && !request->has_host)
		return refuse(request, 400);
	if (request->method == HTTP_POST && !request->has_length &&
	    !request->chunked)
		return refuse(request, 411);
	/* RFC 9112, 9.3. */
	request->keep_alive = !request->says_close &&
			      (request->minor > 0 || request->says_keep_alive);
	request->body = (struct http_span){request->scanned, 0};
	if (request->chunked)
		request->stage = HTTP_STAGE_CHUNK_LINE;
	else
		request->stage = HTTP_STAGE_BODY;
	request->wants_continue =
	    request->expects && (request->chunked || request->left > 0);
	return STEP_NEXT;
}

static enum step
stage_fields(struct http_request *request, const char *buffer, size_t len)
{
	uint32_t line_len = 0;
	enum step step;

	if (request->line > HTTP_HEAD_MOST)
		return refuse(request, 431);
	step = line_next(request, buffer, len, HTTP_HEAD_MOST - request->line,
	    431, &line_len);
	if (step != STEP_NEXT)
		return step;
	if (line_len == 0) {
		line_done(request);
		return head_end(request);
	}
	if (!http_field_read(request, buffer, request->line, line_len))
		return STEP_REFUSE;
	line_done(request);
	return STEP_NEXT;
}

static enum step
stage_body(struct http_request *request, size_t len)
{
	if (len > request->body.at)
		request->wants_continue = false;
	if (len - request->body.at < request->left)
		return STEP_MORE;
	request->body.len = request->left;
	request->line += request->left;
	request->stage = HTTP_STAGE_END;
	return STEP_NEXT;
}

/* RFC 9112, 7.1: chunk-size [ chunk-ext ]. Extensions are ignored (7.1.1). */
static enum step
chunk_size_read(
    struct http_request *request, const char *line, uint32_t line_len)
{
	uint32_t digits = 0;
	uint32_t size = 0;
	uint32_t at;

	while (digits < line_len && hex_digit(line[digits]) >= 0) {
		if (digits == CHUNK_DIGITS_MOST)
			return refuse(request, 400);
		size = size << 4 | (uint32_t)hex_digit(line[digits++]);
	}
	at = digits;
	while (at < line_len && (line[at] == ' ' || line[at] == '\t'))
		at++;
	if (digits == 0 || (digits < line_len && line[at] != ';') ||
	    (digits < line_len && at == line_len) ||
	    !http_is_text(line + at, line_len - at))
		return refuse(request, 400);
	if (size > HTTP_BODY_MOST - request->body.len)
		return refuse(request, 413);
	request->left = size;
	request->stage = size == 0 ? HTTP_STAGE_TRAILER : HTTP_STAGE_CHUNK_DATA;
	return STEP_NEXT;
}

/* The next line of a chunked body: what frames it is bounded in sum, too. */
static enum step
chunk_line_next(struct http_request *request, const char *buffer, size_t len,
    uint32_t *line_len)
{
	enum step step = line_next(
	    request, buffer, len, HTTP_CHUNK_LINE_MOST, 400, line_len);

	if (step != STEP_NEXT)
		return step;
	request->overhead += *line_len + 2;
	if (request->overhead > HTTP_CHUNK_OVERHEAD_MOST)
		return refuse(request, 413);
	return STEP_NEXT;
}

static enum step
stage_chunk_line(struct http_request *request, const char *buffer, size_t len)
{
	uint32_t line_len = 0;
	enum step step;

	if (len > request->body.at)
		request->wants_continue = false;
	step = chunk_line_next(request, buffer, len, &line_len);
	if (step == STEP_NEXT)
		step =
		    chunk_size_read(request, buffer + request->line, line_len);
	if (step == STEP_NEXT)
		line_done(request);
	return step;
}

/* The data and its CR LF at once: they fit the buffer together. */
static enum step
stage_chunk_data(struct http_request *request, char *buffer, size_t len)
{
	uint32_t end = request->line + request->left;

	if (len > end && buffer[end] != '\r')
		return refuse(request, 400);
	if (len > end + 1 && buffer[end + 1] != '\n')
		return refuse(request, 400);
	if (len < end + 2)
		return STEP_MORE;
	memmove(buffer + request->body.at + request->body.len,
	    buffer + request->line, request->left);
	request->body.len += request->left;
	request->overhead += 2;
	request->scanned = end + 2;
	request->line = request->scanned;
	request->stage = HTTP_STAGE_CHUNK_LINE;
	return STEP_NEXT;
}

static enum step
stage_trailer(struct http_request *request, const char *buffer, size_t len)
{
	uint32_t line_len = 0;
	enum step step = chunk_line_next(request, buffer, len, &line_len);

	if (step != STEP_NEXT)
		return step;
	if (line_len == 0)
		request->stage = HTTP_STAGE_END;
	else if (!http_trailer_read(request, buffer, request->line, line_len))
		return STEP_REFUSE;
	line_done(request);
	return STEP_NEXT;
}

enum http_outcome
http_request_read(struct http_request *request, char *buffer, size_t len)
{
	enum step step = STEP_NEXT;

	while (step == STEP_NEXT) {
		switch (request->stage) {
		case HTTP_STAGE_LINE:
			step = stage_line(request, buffer, len);
			break;
		case HTTP_STAGE_FIELDS:
			step = stage_fields(request, buffer, len);
			break;
		case HTTP_STAGE_BODY:
			step = stage_body(request, len);
			break;
		case HTTP_STAGE_CHUNK_LINE:
			step = stage_chunk_line(request, buffer, len);
			break;
		case HTTP_STAGE_CHUNK_DATA:
			step = stage_chunk_data(request, buffer, len);
			break;
		case HTTP_STAGE_TRAILER:
			step = stage_trailer(request, buffer, len);
			break;
		case HTTP_STAGE_END:
			request->total = request->line;
			request->wants_continue = false;
			return HTTP_COMPLETE;
		}
	}
	if (step == STEP_REFUSE)
		request->wants_continue = false;
	return step == STEP_REFUSE ? HTTP_REFUSED : HTTP_MORE;
}

bool
http_request_is_idle(const struct http_request *request, size_t len)
{
	return request->stage == HTTP_STAGE_LINE && len == request->line;
}
