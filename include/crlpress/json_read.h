/* SPDX-License-Identifier: ISC */
/*
 * Takes strings out of a JSON object (RFC 8259) that a metadata service sent,
 * from bytes that anybody may have written. The whole text must be JSON, down
 * to a bounded depth; no tree is built. Pure; no library. json.h writes JSON.
 */
#ifndef CRLPRESS_JSON_READ_H
#define CRLPRESS_JSON_READ_H

#include <stdbool.h>
#include <stddef.h>

#include "crlpress/status.h"

/* Credentials with their token take a few KiB. */
#define JSON_READ_BYTES_MOST ((size_t)64 * 1024)

/* Objects and arrays within the object. */
#define JSON_READ_DEPTH_MOST 8

/* A member that is wanted; `size` bytes of `out`, its NUL included. */
struct json_read_member {
	const char *name;
	char *out;
	size_t size;
	bool found; /* set; a null is not found */
};

/*
 * Fills the members that are there; `out` of the others is empty.
 * STATUS_MALFORMED with a reason when the text is no JSON object, or a wanted
 * member stands there twice, is no string, has a NUL in it or does not fit;
 * then all of them are empty.
 */
enum status json_read_strings(const char *text, size_t len,
    struct json_read_member *member, size_t count, const char **why) MUST_CHECK;

#endif
