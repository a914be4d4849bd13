/* SPDX-License-Identifier: ISC */
/*
 * A hash as text. Apart from hash.c, since manifests hold hashes as text and
 * need no library for it.
 */
#include "crlpress/hash.h"

static const char digits[] = "0123456789abcdef";

/* The value of a lower-case hex digit, or -1. */
static int
digit_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return -1;
}

char *
hash_to_hex(const struct hash *hash, char out[HASH_HEX_BYTES])
{
	for (size_t i = 0; i < HASH_BYTES; i++) {
		out[2 * i] = digits[hash->octet[i] >> 4];
		out[2 * i + 1] = digits[hash->octet[i] & 15];
	}
	out[HASH_HEX_BYTES - 1] = '\0';
	return out;
}

enum status
hash_from_hex(const char *text, size_t len, struct hash *hash)
{
	struct hash read;

	if (len != HASH_HEX_BYTES - 1)
		return STATUS_MALFORMED;
	for (size_t i = 0; i < HASH_BYTES; i++) {
		int high = digit_value(text[2 * i]);
		int low = digit_value(text[2 * i + 1]);

		if (high < 0 || low < 0)
			return STATUS_MALFORMED;
		read.octet[i] = (uint8_t)(high << 4 | low);
	}
	*hash = read;
	return STATUS_OK;
}
