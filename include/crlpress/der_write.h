/* SPDX-License-Identifier: ISC */
/*
 * The few DER pieces the encoder is made of: sizes first, then bytes written
 * forward to a place the caller measured (ITU-T X.690, 8 and 10). Pure.
 */
#ifndef CRLPRESS_DER_WRITE_H
#define CRLPRESS_DER_WRITE_H

#include <stddef.h>
#include <stdint.h>

#include "crlpress/uint160.h"

#define DER_BOOLEAN 0x01
#define DER_INTEGER 0x02
#define DER_BIT_STRING 0x03
#define DER_OCTET_STRING 0x04
#define DER_ENUMERATED 0x0a
#define DER_UTC_TIME 0x17
#define DER_GENERALIZED_TIME 0x18
#define DER_SEQUENCE 0x30
#define DER_CONTEXT(n) (0x80 | (n))             /* primitive */
#define DER_CONTEXT_CONSTRUCTED(n) (0xa0 | (n)) /* constructed */

/* Size of a whole element with `len` content octets; len is below 2^31. */
size_t der_size(size_t len);

/* Content octets of a non-negative INTEGER: minimal, with its sign octet. */
size_t der_uint_len(const struct uint160 *value);

/* Content octets of a Time: 13 for UTCTime to 2049, then 15. */
size_t der_time_len(int64_t sec);

/* Each writes at `at` and returns the place behind what it wrote. */
uint8_t *der_put_header(uint8_t *at, uint8_t tag, size_t len);
uint8_t *der_put_bytes(uint8_t *at, const void *data, size_t len);
uint8_t *der_put_uint(uint8_t *at, const struct uint160 *value);
uint8_t *der_put_time(uint8_t *at, int64_t sec);

#endif
