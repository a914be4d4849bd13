/* SPDX-License-Identifier: ISC */
/*
 * How many certificates expire by when, counted from a thisUpdate on, and the
 * sum of all their notAfter. It stands in a certificate and never changes, so
 * what the entries of a CRL will do is known when it is made: counted again by
 * any later run, no more of them expire by a time than did then, and of the
 * same entries the sum has not become less. Pure; no library.
 */
#ifndef CRLPRESS_EXPIRING_H
#define CRLPRESS_EXPIRING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "crlpress/status.h"

/* After 6 hours, 12 hours, 1, 2, 4, 8, 16 and 32 days: fine where the next run
 * is, and as far as a run is ever late. */
#define EXPIRING_STEPS 8
#define EXPIRING_STEP_SEC (6LL * 3600)
#define EXPIRING_HORIZON_SEC (EXPIRING_STEP_SEC << (EXPIRING_STEPS - 1))

/* The longest text of one, with its NUL. */
#define EXPIRING_TEXT_BYTES ((EXPIRING_STEPS + 1) * 21)

struct expiring {
	uint64_t by[EXPIRING_STEPS];
	/* Of every one, however late it expires: seconds since 1950, and what
	 * is above 2^64 left out. */
	bool has_sum;
	uint64_t sum;
};

/* How long after thisUpdate the step is, which is below EXPIRING_STEPS. */
int64_t expiring_step_sec(size_t step);

/* The first step that lies later than `after_sec` after thisUpdate, which may
 * be negative; EXPIRING_STEPS from the horizon on. */
size_t expiring_step(int64_t after_sec);

/* A certificate more in the sum. */
void expiring_add(struct expiring *expiring, int64_t not_after_sec);

/* How much less the sum is than one of the same certificates was; 0: it is
 * none, or that is not known. */
int64_t expiring_less(
    const struct expiring *expiring, const struct expiring *before);

/* Of counts step by step makes counts up to each step. */
void expiring_pile(struct expiring *expiring);

/* "0/0/3/3/5/9/20/150000/405012345678", without the last where it has no sum.
 */
char *expiring_to_text(
    const struct expiring *expiring, char text[EXPIRING_TEXT_BYTES]);

/* Reads that, and nothing else: else STATUS_MALFORMED. */
enum status expiring_from_text(
    const char *text, size_t len, struct expiring *expiring) MUST_CHECK;

#endif
