/* SPDX-License-Identifier: ISC */
/*
 * Serial numbers as people have them at hand: hex as crlpress, `openssl x509
 * -serial` ("serial=0A1B") and `-text` ("0a:1b:2c") print it, or decimal as
 * databases do, which has to be said ("dec:2587"), since 10 is both. Pure; no
 * library.
 */
#ifndef CRLPRESS_SERIAL_TEXT_H
#define CRLPRESS_SERIAL_TEXT_H

#include <stddef.h>

#include "crlpress/status.h"
#include "crlpress/uint160.h"

/* A text longer than this is no serial: 20 octets, colons, a prefix. */
#define SERIAL_TEXT_BYTES_MOST 128

/*
 * Reads one serial (RFC 5280, 4.1.2.2: above 0, at most 20 octets).
 * STATUS_MALFORMED with static `*why`; `*serial` is unchanged then.
 */
enum status serial_text_read(const char *text, size_t len,
    struct uint160 *serial, const char **why) MUST_CHECK;

#endif
