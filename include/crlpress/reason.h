/* SPDX-License-Identifier: ISC */
/* The reasons of RFC 5280, 5.3.1 by name. Pure; no library. */
#ifndef CRLPRESS_REASON_H
#define CRLPRESS_REASON_H

#include <stdint.h>

#include "crlpress/status.h"

/* "keyCompromise" for 1; below 0, no reason given, is "unspecified"; what is
 * no reason is "unknown". Static text. */
const char *reason_name(int reason);

/* A name, in upper or lower case as it comes, or a number: STATUS_MALFORMED. */
enum status reason_from_text(const char *text, uint8_t *reason) MUST_CHECK;

#endif
