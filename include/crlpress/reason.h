/* SPDX-License-Identifier: ISC */
/* The reasons of RFC 5280, 5.3.1 by name. Pure; no library. */
#ifndef CRLPRESS_REASON_H
#define CRLPRESS_REASON_H

/* "keyCompromise" for 1; below 0, no reason given, is "unspecified"; what is
 * no reason is "unknown". Static text. */
const char *reason_name(int reason);

#endif
