/* SPDX-License-Identifier: ISC */
/*
 * The gate of the server: whether it may run at all (BR 4.9.9: a responder
 * that certificates still name owes signed answers).
 */
#ifndef CRLPRESS_EXPIRY_GATE_H
#define CRLPRESS_EXPIRY_GATE_H

#include <stdbool.h>
#include <stdint.h>

#include "crlpress/report.h"
#include "crlpress/status.h"

/* What the operator gave; at least one of path and has_last is needed. */
struct expiry_gate {
	const char *path;    /* the file of `crlpress ocsp-gate`, or NULL */
	int64_t max_age_sec; /* of the file, when it is read */
	bool has_last;       /* --last-expiry, last-expiry */
	int64_t last_sec;
	bool override; /* run all the same; said at every start */
};

/*
 * STATUS_OK, and a note that says until when; STATUS_REFUSED with the fault
 * reported when a certificate may still name a responder, when neither was
 * given, or when both were given and one refuses; and when the file is missing,
 * torn or older than `max_age_sec`, since it then says nothing. With
 * `override`, what would have been a fault is a warning, and the status
 * STATUS_OK.
 */
enum status expiry_gate_check(const struct expiry_gate *gate, int64_t now_sec,
    struct report *report) MUST_CHECK;

#endif
