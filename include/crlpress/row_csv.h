/* SPDX-License-Identifier: ISC */
/*
 * Rows as text, one a line, as `psql --csv` prints the columns of a source:
 * serial,revoked_at,reason,not_after,shard and, where it has one, recorded_at,
 * which no CRL says anything of and is not kept. The first line may be a
 * header. Pure but for the stream; no library.
 */
#ifndef CRLPRESS_ROW_CSV_H
#define CRLPRESS_ROW_CSV_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "crlpress/shard.h"
#include "crlpress/status.h"
#include "crlpress/uint160.h"

struct row_csv {
	struct uint160 serial;
	int64_t revoked_at_sec;
	int64_t not_after_sec;
	uint8_t reason;
	struct shard_hint hint;
};

/*
 * Reads one line without its end. serial: hex, with or without "\x"; times:
 * seconds since 1970, or ISO as "2026-11-22T05:09:49Z" or as psql prints a
 * timestamptz in UTC, fractions cut off; shard may be empty. STATUS_MALFORMED
 * with static `*why`.
 */
enum status row_csv_read(const char *line, size_t len, struct row_csv *row,
    const char **why) MUST_CHECK;

/* Octets of a line: several times those of the longest row. */
#define ROW_CSV_LINE_BYTES 1024

/*
 * One line without its end, LF or CR LF, or ROW_CSV_LINE_BYTES of a longer one,
 * which is no row; false at the end, or where ferror() tells why.
 */
bool row_csv_line(FILE *stream, char text[ROW_CSV_LINE_BYTES], size_t *len);

/* Whether a first line is a header: its first field is "serial". */
int row_csv_is_header(const char *line, size_t len);

#endif
