/* SPDX-License-Identifier: ISC */
/*
 * The one question of `crlpress ocsp-gate`: when the last certificate expires
 * that carries an OCSP URL or Must-Staple.
 */
#ifndef CRLPRESS_SOURCE_EXPIRY_H
#define CRLPRESS_SOURCE_EXPIRY_H

#include <stdbool.h>
#include <stdint.h>

#include "crlpress/source.h"
#include "crlpress/status.h"

struct source_expiry {
	bool has_last; /* false: NULL, there is no such certificate */
	int64_t last_sec;
};

/*
 * Asks the configured statement, which yields one row of one column, a
 * timestamptz or bigint seconds since 1970, in the snapshot of the source.
 * Anything else is a fault, reported; a fraction of a second counts as whole.
 */
enum status source_expiry_ask(
    struct source *source, struct source_expiry *expiry) MUST_CHECK;

#endif
