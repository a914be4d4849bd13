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

/* Each reason of which `reasons` has the bit, by name: "superseded,
 * certificateHold or aACompromise". Returns `out`. */
#define REASON_LIST_BYTES 192
char *reason_list(unsigned reasons, char out[REASON_LIST_BYTES]);

#endif
