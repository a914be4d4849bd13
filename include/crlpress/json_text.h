/* SPDX-License-Identifier: ISC */
/*
 * The strings of JSON (RFC 8259, 7) out of bytes that anybody may have
 * written, for the readers of what little JSON this program reads: UTF-8 by
 * RFC 3629, no NUL, no control character. Pure; no library.
 */
#ifndef CRLPRESS_JSON_TEXT_H
#define CRLPRESS_JSON_TEXT_H

#include <stdbool.h>
#include <stddef.h>

#include "crlpress/status.h"

/* What is read, and how far; the reader's own. */
struct json_text {
	const char *text;
	size_t len;
	size_t at;
	const char *why; /* static; of the first fault */
};

/* Notes the reason; returns STATUS_MALFORMED. */
enum status json_text_fault(struct json_text *text, const char *why);

/* The octet at hand; -1 at the end. */
int json_text_peek(const struct json_text *text);

void json_text_skip_blanks(struct json_text *text);

/* Takes this character, if it comes next. */
bool json_text_take(struct json_text *text, char c);

/*
 * How many bytes the string at hand takes at most, decoded and with its NUL:
 * an escape is never shorter than what it means.
 */
size_t json_text_room(const struct json_text *text);

/*
 * Takes the string at hand. `out` has `size` bytes, or is NULL where nobody
 * wants it. STATUS_MALFORMED with the reason; one that does not fit, too.
 */
enum status json_text_string(
    struct json_text *text, char *out, size_t size) MUST_CHECK;

#endif
