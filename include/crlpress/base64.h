/* SPDX-License-Identifier: ISC */
/* Base64 as in PEM (RFC 7468, 2 and 3). Pure; no library. */
#ifndef CRLPRESS_BASE64_H
#define CRLPRESS_BASE64_H

#include <stddef.h>
#include <stdint.h>

#include "crlpress/status.h"

/*
 * The octets of the one PEM block with this label in `text`, with nothing but
 * white space around it and none but line ends in it; `*len` of them, at most
 * `room`. STATUS_MALFORMED with static `*why`.
 */
enum status base64_from_pem(const char *text, size_t text_len,
    const char *label, uint8_t *octets, size_t room, size_t *len,
    const char **why) MUST_CHECK;

#endif
