/* SPDX-License-Identifier: ISC */
/*
 * Time as the rest of the program has it: whole seconds since 1970-01-01
 * 00:00:00 UTC, without leap seconds, in an int64_t named `..._sec`. Fractions
 * are cut off towards the past before they get here. Pure; no library.
 */
#ifndef CRLPRESS_UTC_H
#define CRLPRESS_UTC_H

#include <stddef.h>
#include <stdint.h>

#include "crlpress/status.h"

/* RFC 5280, 4.1.2.5: what UTCTime and GeneralizedTime can say here. */
#define UTC_MIN_SEC (-631152000LL) /* 1950-01-01 00:00:00 */
#define UTC_2050_SEC 2524608000LL  /* 2050-01-01 00:00:00 */
#define UTC_MAX_SEC 253402300799LL /* 9999-12-31 23:59:59 */

/* "2026-11-22T05:09:49Z" and its NUL. */
#define UTC_ISO_BYTES 21

struct utc_civil {
	int year;  /* 1950 to 9999 */
	int month; /* 1 to 12 */
	int day;   /* 1 to 31 */
	int hour;
	int minute;
	int second;
};

/* `sec` is between UTC_MIN_SEC and UTC_MAX_SEC. */
struct utc_civil utc_to_civil(int64_t sec);

/* STATUS_MALFORMED for a date that no calendar has (30 February, 24:00:00). */
enum status utc_from_civil(
    const struct utc_civil *civil, int64_t *sec) MUST_CHECK;

/* Exactly "YYYY-MM-DDThh:mm:ssZ", nothing else. */
enum status utc_from_iso(const char *text, int64_t *sec) MUST_CHECK;

/* `sec` outside UTC_MIN_SEC to UTC_MAX_SEC gives "(no date)". Returns `out`. */
char *utc_to_iso(int64_t sec, char out[UTC_ISO_BYTES]);

#endif
