/* SPDX-License-Identifier: ISC */
/*
 * Strict values of configuration keys and options: durations, sizes, shares,
 * booleans, counts. The whole text must be the value: no blanks, no sign, no
 * fraction, no overflow. Pure; no library.
 *
 * All return STATUS_MALFORMED with `*why` in static text ("not a duration
 * like 6h, 9d, 90m or 1h30m") and leave the value unchanged.
 */
#ifndef CRLPRESS_QUANTITY_H
#define CRLPRESS_QUANTITY_H

#include <stdbool.h>
#include <stdint.h>

#include "crlpress/status.h"

/* "90s", "30m", "6h", "9d", "2w", and sums, largest unit first: "1h30m". */
enum status quantity_duration(
    const char *text, int64_t *sec, const char **why) MUST_CHECK;

/* "4096", "64k", "32M", "2G": powers of 1024; "B" and "iB" may follow. */
enum status quantity_size(
    const char *text, uint64_t *bytes, const char **why) MUST_CHECK;

/* "90%": whole percent, 0 to 100. */
enum status quantity_percent(
    const char *text, uint32_t *percent, const char **why) MUST_CHECK;

/* yes, no, true, false, on, off; lower case. */
enum status quantity_bool(
    const char *text, bool *value, const char **why) MUST_CHECK;

/* Decimal digits without leading zeros, from `min` to `max`. */
enum status quantity_count(const char *text, uint64_t min, uint64_t max,
    uint64_t *value, const char **why) MUST_CHECK;

/* "9d", "6h", "1h30m", "0s": the text that quantity_duration reads back. */
#define QUANTITY_DURATION_BYTES 48
char *quantity_duration_text(int64_t sec, char out[QUANTITY_DURATION_BYTES]);

#endif
