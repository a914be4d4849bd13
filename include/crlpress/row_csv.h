/* SPDX-License-Identifier: ISC */
/*
 * Rows as text, as `psql --csv` prints the columns of a source: serial,
 * revoked_at, reason, not_after, shard or certificate and, where it has one,
 * recorded_at. Each is taken as the source would take it (source_row.h), with
 * what only text can have: a reason by its name, a time with any offset. The
 * first line may be a header. Pure but for the stream; no library.
 */
#ifndef CRLPRESS_ROW_CSV_H
#define CRLPRESS_ROW_CSV_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "crlpress/source.h"
#include "crlpress/status.h"

/* Octets of a record: several times those of the longest row without a
 * certificate, and what a tuple may have (source_row.h), in hex, with one. */
#define ROW_CSV_RECORD_BYTES 1024
#define ROW_CSV_CERTIFICATE_BYTES (2 * 65536 + ROW_CSV_RECORD_BYTES)

/* One line, cut off if longer. */
#define ROW_CSV_WHY_BYTES 256

/* What is wrong with a record. */
struct row_csv_fault {
	char why[ROW_CSV_WHY_BYTES];
	const char *hint; /* static text, or NULL */
};

struct row_csv;

/*
 * The rows of a stream, which stays the caller's. serial: for SERIAL_BYTEA hex,
 * with or without "\x"; else digits, or such text as a bytea, "\x31303031".
 * `points`, borrowed: the fifth is a certificate, PEM or "\x" and DER; NULL: it
 * is a shard, or empty. STATUS_NO_MEMORY. row_csv_free(NULL) is fine.
 */
enum status row_csv_new(FILE *stream, enum serial_encoding encoding,
    const struct source_points *points, struct row_csv **csv) MUST_CHECK;
void row_csv_free(struct row_csv *csv);

/*
 * The next row, none of which has a fault; STATUS_DONE after the last,
 * STATUS_IO where errno tells why. STATUS_MALFORMED with `fault`: this record
 * is no row.
 */
enum status row_csv_next(struct row_csv *csv, struct source_row *row,
    struct row_csv_fault *fault) MUST_CHECK;

/* The line on which the record begins that was read last, from 1. */
uint64_t row_csv_line(const struct row_csv *csv);

/* After STATUS_MALFORMED: whether what follows cannot be read. */
bool row_csv_is_cut(const struct row_csv *csv);

#endif
