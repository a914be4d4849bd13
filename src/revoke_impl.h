/* SPDX-License-Identifier: ISC */
/* The rows that `crlpress revoke` is given (revoke_rows.c). */
#ifndef CRLPRESS_REVOKE_IMPL_H
#define CRLPRESS_REVOKE_IMPL_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "crlpress/config.h"
#include "crlpress/progress.h"
#include "crlpress/record.h"
#include "crlpress/report.h"
#include "crlpress/status.h"

/* More than that is a migration: a CA's whole database at once. */
#define REVOKE_ROWS_MOST 10000000

/* Why a row is none: one line, which may have all reasons in it. */
#define REVOKE_WHY_BYTES 384

/* Zero-initialise; free(rows.row). */
struct revoke_rows {
	struct record_row *row;
	size_t count;
	size_t room;
};

enum status revoke_rows_add(
    struct revoke_rows *rows, const struct record_row *row) MUST_CHECK;

/* By serial: whoever takes rows in this order waits for nobody in a circle. */
void revoke_rows_order(struct revoke_rows *rows);

/*
 * What can be told of a row before the database is asked: its reason is one of
 * the profile's, its date not in the future, the certificate not expired.
 * STATUS_MALFORMED with `why` and, static or NULL, its clause.
 */
enum status revoke_row_check(const struct config *config, int64_t now_sec,
    const struct record_row *row, const char **clause,
    char why[REVOKE_WHY_BYTES]) MUST_CHECK;

/* The shard that lists it: STATUS_MALFORMED with `why` in static text. */
enum status revoke_row_shard(const struct config *config,
    const struct record_row *row, uint32_t *shard, const char **why) MUST_CHECK;

/*
 * All rows of a CSV file (row_csv.h), sorted by serial, each serial once. Every
 * line that is none is reported, as FILE:LINE; STATUS_USAGE then, when the
 * whole file was read.
 */
enum status revoke_rows_read(const char *path, FILE *stream,
    const struct config *config, int64_t now_sec, struct report *report,
    struct progress *progress, struct revoke_rows *rows) MUST_CHECK;

#endif
