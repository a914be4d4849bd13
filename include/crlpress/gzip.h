/* SPDX-License-Identifier: ISC */
/*
 * gzip (RFC 1952) of bytes in memory. What is packed has no name and no time
 * in it, so that the same bytes are always the same file; what is unpacked is
 * bounded before it is written. zlib stays behind gzip.c.
 */
#ifndef CRLPRESS_GZIP_H
#define CRLPRESS_GZIP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "crlpress/status.h"

/* Bytes, malloc'd. Free it with gzip_bytes_free. */
struct gzip_bytes {
	uint8_t *data;
	size_t len;
};

void gzip_bytes_free(struct gzip_bytes *bytes);

/* Whether it begins as a file of gzip does; a manifest or DER does not. */
bool gzip_is_packed(const void *data, size_t len);

/* STATUS_NO_MEMORY, STATUS_FAILED: nothing to free. */
enum status gzip_pack(
    const void *data, size_t len, struct gzip_bytes *packed) MUST_CHECK;

/*
 * The one file of gzip that these bytes are, and nothing after it. Nothing
 * beyond `most` bytes is unpacked, whatever it says of itself:
 * STATUS_MALFORMED with static `*why`, and nothing to free, for more than
 * that, for what is cut off, and for a check sum that is wrong.
 */
enum status gzip_unpack(const void *data, size_t len, uint64_t most,
    struct gzip_bytes *unpacked, const char **why) MUST_CHECK;

#endif
