/* SPDX-License-Identifier: ISC */
/*
 * What the server sends for one revoked certificate: the binary COPY format
 * (PostgreSQL manual, COPY, "Binary Format") decoded into struct source_row.
 * Pure; no library, least of all libpq: the bytes come from database.c or from
 * a fuzzer.
 */
#ifndef CRLPRESS_SOURCE_ROW_H
#define CRLPRESS_SOURCE_ROW_H

#include <stddef.h>
#include <stdint.h>

#include "crlpress/source.h"
#include "crlpress/source_column.h"
#include "crlpress/status.h"

/*
 * Longest tuple in bytes, head and all. Six columns of a few dozen bytes are
 * meant; a tuple beyond this is another table or another protocol.
 */
#define SOURCE_TUPLE_BYTES_MOST 65536

/*
 * Both decode the start of `len` bytes and set `*used` to how many they took;
 * STATUS_OK with *used == 0: more bytes are needed. STATUS_MALFORMED with
 * `*why` in static text: these bytes are not the binary COPY format.
 *
 * source_row_decode fills `row`, which may be a row with a fault, and returns
 * STATUS_DONE for the trailer.
 */
enum status source_header_decode(const uint8_t *bytes, size_t len, size_t *used,
    const char **why) MUST_CHECK;
enum status source_row_decode(const struct source_layout *layout,
    const uint8_t *bytes, size_t len, size_t *used, struct source_row *row,
    const char **why) MUST_CHECK;

#endif
