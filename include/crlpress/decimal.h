/* SPDX-License-Identifier: ISC */
/*
 * Unsigned decimal numbers up to 64 bits in text that others wrote: digits and
 * nothing else, no sign, no blank, and never a number that its room cannot
 * hold. uint160.h has those of serials. Pure; no library.
 *
 * Where they fail, `*value` is unchanged and `*why`, which may be NULL, is
 * static text: that it is no number, or that it is above `most`.
 */
#ifndef CRLPRESS_DECIMAL_H
#define CRLPRESS_DECIMAL_H

#include <stddef.h>
#include <stdint.h>

#include "crlpress/status.h"

/* Whether these are digits, written in the one way: at least one, and without
 * needless zeros in front. NULL: they are; else static text. */
const char *decimal_fault(const char *text, size_t len);

/* All of the text, written in the one way. */
enum status decimal_read(const char *text, size_t len, uint64_t most,
    uint64_t *value, const char **why) MUST_CHECK;

/* The digits that the text up to `end` begins with, likewise; `*text` goes
 * behind them. */
enum status decimal_take(const char **text, const char *end, uint64_t most,
    uint64_t *value, const char **why) MUST_CHECK;

/* All of the text, which may be filled up with zeros in front. */
enum status decimal_read_filled(const char *text, size_t len, uint64_t most,
    uint64_t *value, const char **why) MUST_CHECK;

#endif
