/* SPDX-License-Identifier: ISC */
/*
 * The columns that the source's statement must have, five or six: their
 * order, names and types. Pure; no library.
 */
#ifndef CRLPRESS_SOURCE_COLUMN_H
#define CRLPRESS_SOURCE_COLUMN_H

#include <stdbool.h>
#include <stdint.h>

#include "crlpress/source.h"
#include "crlpress/status.h"

/* The columns, in the order of the statement. */
enum source_column {
	SOURCE_SERIAL,
	SOURCE_REVOKED_AT,
	SOURCE_REASON,
	SOURCE_NOT_AFTER,
	SOURCE_SHARD,
	SOURCE_RECORDED_AT, /* may be missing */
	SOURCE_COLUMN_COUNT,
	/* Stands where the shard does, with the scheme cdp. */
	SOURCE_CERTIFICATE = SOURCE_COLUMN_COUNT,
	SOURCE_COLUMN_NAMES
};

#define SOURCE_COLUMNS_LEAST SOURCE_RECORDED_AT

/* How the bytes of a column are to be read. */
enum source_type {
	SOURCE_TYPE_BYTEA,
	SOURCE_TYPE_TEXT,
	SOURCE_TYPE_BPCHAR, /* text whose trailing blanks mean nothing */
	SOURCE_TYPE_INT2,
	SOURCE_TYPE_INT4,
	SOURCE_TYPE_INT8,
	SOURCE_TYPE_TIMESTAMPTZ
};

struct source_layout {
	enum serial_encoding encoding;
	enum source_type type[SOURCE_COLUMN_COUNT];
	bool has_recorded_at; /* six columns, or five */
	/* The fifth is a certificate, and what its text decodes to goes to
	 * `octets`, as many as a tuple may have; NULL: it is a shard. */
	const struct source_points *points;
	uint8_t *octets;
};

/* "serial", "revoked_at", ...: static text. */
const char *source_column_name(enum source_column column);

/*
 * The type of a column by its PostgreSQL type OID. STATUS_CONFIG when the
 * column cannot be of that type: then `*want` says in static text what it can
 * be, and `*hint` how to get there, or is NULL.
 */
enum status source_column_type(enum source_column column,
    enum serial_encoding encoding, uint32_t oid, enum source_type *type,
    const char **want, const char **hint) MUST_CHECK;

/*
 * A column whose name is that of another one was very likely put in the wrong
 * place; two of them are alike in type. STATUS_CONFIG then.
 */
enum status source_column_place(
    enum source_column column, const char *name) MUST_CHECK;

#endif
