/* SPDX-License-Identifier: ISC */
/*
 * The judge of what this program made: reads the signed bytes back from the
 * staged file as a stranger would and holds them against what was meant. It
 * shares no code with the encoder.
 */
#ifndef CRLPRESS_JUDGE_H
#define CRLPRESS_JUDGE_H

#include <stddef.h>
#include <stdint.h>

#include "crlpress/crl_build.h"
#include "crlpress/hash.h"
#include "crlpress/lint.h"
#include "crlpress/report.h"
#include "crlpress/row.h"
#include "crlpress/status.h"

/* What the CRL was meant to say. */
struct judge_meant {
	struct lint_context lint; /* issuer, URL, profile, clock, limits */
	int64_t this_update_sec;
	int64_t next_update_sec;
	struct uint160 number;
	enum crl_scope scope;
	const struct row *rows; /* sorted by serial, one a serial */
	size_t row_count;
};

/*
 * Judges the file at `path`. STATUS_OK and the hash of its bytes, or
 * STATUS_REFUSED with the findings reported under `object`; STATUS_IO,
 * reported too, when it cannot be read at all.
 */
enum status judge_file(const char *path, const struct judge_meant *meant,
    const char *object, struct report *report, struct hash *sha256) MUST_CHECK;

#endif
