/* SPDX-License-Identifier: ISC */
/*
 * The expiry file: until when certificates may still carry an OCSP URL or
 * Must-Staple, as `crlpress ocsp-gate` found it in the database, and whether
 * that lets OCSP end (BR 4.9.9). Written by crlpress, read by ocsp-sunset:
 *
 *   crlpress-ocsp-expiry 1
 *   last-expiry 2026-11-02T08:00:00Z
 *   made 2026-11-22T09:00:00Z
 *   statement-sha256 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d...
 *   position 7310428466137210881 3 1A/F00DCAFE
 *   end 2435236713 241
 *
 * last-expiry is "none" when the database had no such certificate at all and
 * the operator had said so beforehand; position is "none" when the server
 * would not tell. The closing line is what cksum(1)
 * prints for those before it; it tells a damaged file, not a forged one.
 * Pure; no library.
 */
#ifndef CRLPRESS_EXPIRY_H
#define CRLPRESS_EXPIRY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "crlpress/hash.h"
#include "crlpress/status.h"

#define EXPIRY_FORMAT 1

/* Five short lines and the closing one; a longer file is not ours. */
#define EXPIRY_BYTES_MOST 1024

/* A file made by a clock that is ahead of ours by more is refused. */
#define EXPIRY_SKEW_SEC 300

struct expiry {
	bool has_last; /* false: "none" */
	int64_t last_sec;
	int64_t made_sec;
	struct hash statement; /* SHA-256 of the text that was asked */
	bool has_position;
	char system_identifier[24]; /* decimal */
	uint32_t timeline;
	uint64_t wal_position;
};

/* Writes it and returns its length without the NUL; 0 when it cannot be
 * read back. */
size_t expiry_format(const struct expiry *expiry, char text[EXPIRY_BYTES_MOST]);

/*
 * Reads it strictly: every line once, in order, in its one spelling, the
 * closing line right. STATUS_MALFORMED with the line and static `*why`, and
 * `*expiry` undefined.
 */
enum status expiry_parse(const char *text, size_t len, struct expiry *expiry,
    size_t *line, const char **why) MUST_CHECK;

/*
 * Whether OCSP may end at `now_sec`. It may when the last such certificate
 * has expired, and the file was made after that: one made before does not
 * know of certificates issued since. STATUS_REFUSED with static `*why`.
 */
enum status expiry_judge(
    const struct expiry *expiry, int64_t now_sec, const char **why) MUST_CHECK;

#endif
