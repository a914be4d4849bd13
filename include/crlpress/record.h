/* SPDX-License-Identifier: ISC */
/*
 * Revocations into the native table (sharding-config/native.sql), all of a
 * call or none. The role of the connection may insert rows and call one
 * function, and has no right to read or change any.
 */
#ifndef CRLPRESS_RECORD_H
#define CRLPRESS_RECORD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "crlpress/config.h"
#include "crlpress/progress.h"
#include "crlpress/report.h"
#include "crlpress/status.h"
#include "crlpress/uint160.h"

/* One revocation. */
struct record_row {
	struct uint160 serial;
	uint32_t line; /* of the file it is from; 0: of none */
	uint32_t shard;
	bool has_shard; /* false: NULL, the scheme tells it */
	bool has_date;  /* false: as of now, or as it is recorded */
	bool has_not_after;
	uint8_t reason;
	int64_t revoked_at_sec; /* without a date: the time here */
	int64_t not_after_sec;
};

/* What became of them. */
struct record_counts {
	uint64_t recorded;
	uint64_t upgraded; /* to keyCompromise, or its date moved earlier */
	uint64_t same;     /* stood there already, and say the same */
};

struct record;

/*
 * Connects and begins a transaction. Faults of rows are about `name`, an issuer
 * or a file. record_close, which takes NULL, undoes what was not committed.
 */
enum status record_open(const struct config *config, const char *name,
    struct report *report, struct record **record) MUST_CHECK;
enum status record_commit(struct record *record) MUST_CHECK;
void record_close(struct record *record);

/*
 * One row; what stands there in the end is put into `row`, which then has a
 * date and a not_after. STATUS_REFUSED when it is recorded already and says
 * something else; STATUS_NOT_FOUND, not reported, when it is not recorded, and
 * is not `complete`, so that it cannot be.
 */
enum status record_one(struct record *record, bool complete,
    struct record_row *row, struct record_counts *counts) MUST_CHECK;

/*
 * Many rows, which have a date and a not_after, sorted by serial, each serial
 * there once. STATUS_REFUSED, each reported by its line, when some are recorded
 * already and say something else; STATUS_USAGE when some are recorded without
 * the shard that the scheme does not tell.
 */
enum status record_all(struct record *record, const struct record_row *rows,
    size_t count, struct progress *progress,
    struct record_counts *counts) MUST_CHECK;

/* What to do about a row that is recorded without its shard. */
void record_hint_wrong(struct report *report);

#endif
