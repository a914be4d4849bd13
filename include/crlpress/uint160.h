/* SPDX-License-Identifier: ISC */
/*
 * The unsigned integers of certificates and CRLs: serial numbers (RFC 5280,
 * 4.1.2.2) and CRL numbers (5.2.3) have at most 20 octets as a DER INTEGER
 * and are not negative, so they are below 2^159. Pure; no library.
 */
#ifndef CRLPRESS_UINT160_H
#define CRLPRESS_UINT160_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "crlpress/status.h"

#define UINT160_OCTETS 20

/* Text of the largest value with its ending NUL. */
#define UINT160_HEX_BYTES 41
#define UINT160_DECIMAL_BYTES 50

/* Big-endian, filled with zero octets on the left: memcmp orders values. */
struct uint160 {
	uint8_t octet[UINT160_OCTETS];
};

/*
 * Read a value; leading zeros are fine, 2^159 and above is not. On
 * STATUS_MALFORMED `*why` says in static text what is wrong and `*value` is
 * unchanged. Hex takes digits of either case, an odd count too, no prefix.
 * The texts need no ending NUL.
 */
enum status uint160_from_octets(struct uint160 *value, const uint8_t *octets,
    size_t len, const char **why) MUST_CHECK;
enum status uint160_from_hex(struct uint160 *value, const char *text,
    size_t len, const char **why) MUST_CHECK;
enum status uint160_from_decimal(struct uint160 *value, const char *text,
    size_t len, const char **why) MUST_CHECK;
struct uint160 uint160_from_u64(uint64_t n);

/* value + 1; STATUS_MALFORMED when that would be 2^159. */
enum status uint160_next(struct uint160 *value) MUST_CHECK;

int uint160_compare(const struct uint160 *a, const struct uint160 *b);
bool uint160_is_zero(const struct uint160 *value);

/* value modulo n; n is not 0. */
uint32_t uint160_mod(const struct uint160 *value, uint32_t n);

/* Lower-case hex in whole octets, "00" for 0. Returns `out`. */
char *uint160_to_hex(const struct uint160 *value, char out[UINT160_HEX_BYTES]);
char *uint160_to_decimal(
    const struct uint160 *value, char out[UINT160_DECIMAL_BYTES]);

#endif
