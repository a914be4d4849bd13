/* SPDX-License-Identifier: ISC */
/*
 * UTF-8 as RFC 3629, 4 has it: no overlong form, no surrogate, nothing past
 * U+10FFFF. Pure; no library.
 */
#ifndef CRLPRESS_UTF8_H
#define CRLPRESS_UTF8_H

#include <stddef.h>
#include <stdint.h>

/* Octets of a character. */
#define UTF8_MOST 4

/*
 * How many octets the character has that `text` begins with, and its code; 0
 * when it is none. At most `room` are read, at least one of which is there,
 * and none behind a NUL.
 */
size_t utf8_read(const void *text, size_t room, uint32_t *code);

#endif
