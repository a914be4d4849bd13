/* SPDX-License-Identifier: ISC */
/* A CRL or a certificate in PEM (RFC 7468, 5 and 6) to its DER; libcrypto
 * behind it. */
#ifndef CRLPRESS_PEM_H
#define CRLPRESS_PEM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "crlpress/status.h"

/* Whether the bytes begin as a PEM text does, garbage before it or not. */
bool pem_is_likely(const uint8_t *data, size_t len);

/*
 * The one CRL in a PEM text with nothing before, behind or inside it.
 * `*der` is malloc'd. STATUS_MALFORMED with static `*why`.
 */
enum status pem_read_crl(const uint8_t *data, size_t len, uint8_t **der,
    size_t *der_len, const char **why) MUST_CHECK;

/*
 * The one certificate in a PEM text, with whatever else around it: tools write
 * it down in words first. `*der` is malloc'd. STATUS_MALFORMED with static
 * `*why`.
 */
enum status pem_read_certificate(const uint8_t *data, size_t len, uint8_t **der,
    size_t *der_len, const char **why) MUST_CHECK;

#endif
