/* SPDX-License-Identifier: ISC */
/* SHA-256 of what is stored and published; libcrypto behind it. */
#ifndef CRLPRESS_HASH_H
#define CRLPRESS_HASH_H

#include <stddef.h>
#include <stdint.h>

#include "crlpress/status.h"

#define HASH_BYTES 32
#define HASH_HEX_BYTES 65

struct hash {
	uint8_t octet[HASH_BYTES];
};

enum status hash_bytes(const uint8_t *data, size_t len,
    struct hash *hash) MUST_CHECK;

/* Lower-case hex with NUL. Returns `out`. */
char *hash_to_hex(const struct hash *hash, char out[HASH_HEX_BYTES]);
enum status hash_from_hex(const char *text, size_t len,
    struct hash *hash) MUST_CHECK;

#endif
