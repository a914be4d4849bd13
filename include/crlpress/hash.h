/* SPDX-License-Identifier: ISC */
/*
 * SHA-256 of what is stored and published. libcrypto stays behind hash.c; the
 * text of a hash is in hash_text.c and needs no library.
 */
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

/* `data` may be NULL when `len` is 0. STATUS_FAILED when libcrypto fails. */
enum status hash_bytes(
    const uint8_t *data, size_t len, struct hash *hash) MUST_CHECK;

/* Lower-case hex with NUL. Returns `out`. */
char *hash_to_hex(const struct hash *hash, char out[HASH_HEX_BYTES]);

/*
 * Exactly 64 lower-case digits, as hash_to_hex and sha256sum write them.
 * STATUS_MALFORMED otherwise, with `*hash` unchanged. Needs no ending NUL.
 */
enum status hash_from_hex(
    const char *text, size_t len, struct hash *hash) MUST_CHECK;

#endif
