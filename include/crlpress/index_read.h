/* SPDX-License-Identifier: ISC */
/*
 * index.txt, the database of `openssl ca` (openssl-ca(1), FILES), read
 * strictly: a line a certificate, six fields with tabs between them:
 *
 *   V, R or E: valid, revoked, expired
 *   notAfter as UTCTime or GeneralizedTime: "271122050949Z"
 *   revocation, empty for V: "261122050949Z,keyCompromise"; behind
 *     holdInstruction an OID follows, behind keyTime and CAkeyTime a time
 *   serial in hex
 *   file name, or "unknown"
 *   subject: "/C=DE/CN=a", where it is empty the serial again; a tab in it
 *     has a backslash before it
 *
 * Lines that begin with # are comments. `openssl ca -updatedb` makes E of V
 * alone, so that R stays R for good; an E with a revocation is a revoked one
 * all the same. The last line ends, too: a file that does not was cut off.
 * Pure; no library.
 */
#ifndef CRLPRESS_INDEX_READ_H
#define CRLPRESS_INDEX_READ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "crlpress/status.h"
#include "crlpress/uint160.h"

/* OpenSSL's own subjects are a few hundred octets; one that is longer than
 * this is another file. */
#define INDEX_LINE_BYTES_MOST 65536

struct index_entry {
	char state; /* V, R or E */
	struct uint160 serial;
	int64_t not_after_sec;
	/* With a revocation; what follows means nothing without. */
	bool is_revoked;
	bool has_invalidity_date;
	uint8_t reason; /* RFC 5280, 5.3.1; 8 too, which no CRL may list */
	int64_t revoked_at_sec;
};

/* Where the reading of a text stands; zeroed but for text and len. */
struct index_reader {
	const char *text;
	size_t len;
	size_t at;
	size_t line; /* of the entry that was read last, from 1 */
};

/*
 * The next entry. STATUS_DONE after the last; STATUS_MALFORMED with static
 * `*why` of reader->line: nothing behind that can be trusted.
 */
enum status index_next(struct index_reader *reader, struct index_entry *entry,
    const char **why) MUST_CHECK;

/* One line without its end, which is no comment; for tests. */
enum status index_line_read(const char *line, size_t len,
    struct index_entry *entry, const char **why) MUST_CHECK;

#endif
