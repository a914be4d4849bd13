/* SPDX-License-Identifier: ISC */
/*
 * Writes JSON (RFC 8259) for --json: objects, arrays, strings, integers,
 * booleans. Commas and escapes are its business; nesting is the caller's.
 */
#ifndef CRLPRESS_JSON_H
#define CRLPRESS_JSON_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

/* Zero-initialise but for the stream. */
struct json {
	FILE *stream;
	bool follows; /* a comma is due before the next member */
};

/* `name` is NULL in an array and at the top. */
void json_open(struct json *json, const char *name, char bracket);
void json_close(struct json *json, char bracket);
/* What is not UTF-8 becomes U+FFFD; NULL becomes null. Numbers of CRLs are
 * strings: they may have more digits than a reader's double holds. */
void json_string(struct json *json, const char *name, const char *text);
void json_uint(struct json *json, const char *name, uint64_t value);
void json_bool(struct json *json, const char *name, bool value);
void json_null(struct json *json, const char *name);
/* Seconds, with three decimals; null when they are no number. */
void json_seconds(struct json *json, const char *name, double seconds);

/* Ends the top value with a newline. */
void json_end(struct json *json);

#endif
