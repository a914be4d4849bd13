/* SPDX-License-Identifier: ISC */
/*
 * The tables of column types. Only types whose meaning cannot be mistaken are
 * taken: a time without a zone, or a number that a cast would round, is
 * refused with a word on how to write it.
 */
#include "crlpress/source_column.h"

#include <stddef.h>
#include <string.h>

/* pg_type.dat; these never change. */
enum {
	OID_BYTEA = 17,
	OID_INT8 = 20,
	OID_INT2 = 21,
	OID_INT4 = 23,
	OID_TEXT = 25,
	OID_FLOAT4 = 700,
	OID_FLOAT8 = 701,
	OID_BPCHAR = 1042,
	OID_VARCHAR = 1043,
	OID_DATE = 1082,
	OID_TIMESTAMP = 1114,
	OID_TIMESTAMPTZ = 1184,
	OID_NUMERIC = 1700
};

/* What a column is used for; bits, as a type may serve several uses. */
enum {
	USE_OCTETS = 1,
	USE_HEX = 2,
	USE_DECIMAL = 4,
	USE_TIME = 8,
	USE_INTEGER = 16,
	USE_CERTIFICATE = 32
};
#define USE_SERIAL (USE_OCTETS | USE_HEX | USE_DECIMAL)

struct type_row {
	uint32_t oid;
	enum source_type type;
	unsigned uses;
};

static const struct type_row types[] = {
    {OID_BYTEA, SOURCE_TYPE_BYTEA, USE_SERIAL | USE_CERTIFICATE},
    {OID_TEXT, SOURCE_TYPE_TEXT, USE_HEX | USE_DECIMAL | USE_CERTIFICATE},
    {OID_VARCHAR, SOURCE_TYPE_TEXT, USE_HEX | USE_DECIMAL | USE_CERTIFICATE},
    {OID_BPCHAR, SOURCE_TYPE_BPCHAR, USE_HEX | USE_DECIMAL},
    {OID_INT2, SOURCE_TYPE_INT2, USE_INTEGER},
    {OID_INT4, SOURCE_TYPE_INT4, USE_INTEGER | USE_TIME},
    {OID_INT8, SOURCE_TYPE_INT8, USE_INTEGER | USE_TIME},
    {OID_TIMESTAMPTZ, SOURCE_TYPE_TIMESTAMPTZ, USE_TIME},
};

/* What to write instead of a type that does not fit; the first row wins. */
struct hint_row {
	uint32_t oid;
	unsigned uses;
	const char *hint;
};

static const struct hint_row hints[] = {
    {OID_TEXT, USE_OCTETS, "set serial_encoding to hex or decimal"},
    {OID_VARCHAR, USE_OCTETS, "set serial_encoding to hex or decimal"},
    {OID_BPCHAR, USE_OCTETS, "set serial_encoding to hex or decimal"},
    {OID_NUMERIC, USE_SERIAL,
	"write (the column)::text and set serial_encoding to decimal"},
    {OID_INT8, USE_SERIAL,
	"write (the column)::text and set serial_encoding to decimal"},
    {OID_INT4, USE_SERIAL,
	"write (the column)::text and set serial_encoding to decimal"},
    {OID_TIMESTAMP, USE_TIME,
	"a timestamp without time zone is nobody's time: say which with "
	"(the column) AT TIME ZONE 'UTC'"},
    {OID_DATE, USE_TIME,
	"a date has no time of day: say which with "
	"(the column)::timestamp AT TIME ZONE 'UTC'"},
    {OID_NUMERIC, USE_TIME | USE_INTEGER,
	"write floor(the column)::bigint; a cast alone rounds up"},
    {OID_FLOAT8, USE_TIME | USE_INTEGER,
	"write floor(the column)::bigint; a cast alone rounds up"},
    {OID_FLOAT4, USE_TIME | USE_INTEGER,
	"write floor(the column)::bigint; a cast alone rounds up"},
    {OID_TEXT, USE_TIME, "write (the column)::timestamptz"},
    {OID_VARCHAR, USE_TIME, "write (the column)::timestamptz"},
    {OID_TEXT, USE_INTEGER,
	"write NULL::integer for none; turn words into the numbers of "
	"RFC 5280, 5.3.1 with CASE"},
    {OID_VARCHAR, USE_INTEGER,
	"turn words into the numbers of RFC 5280, 5.3.1 with CASE"},
};

struct column_row {
	const char *name;
	unsigned use; /* the serial's depends on its encoding */
};

static const struct column_row columns[SOURCE_COLUMN_NAMES] = {
    [SOURCE_SERIAL] = {"serial", 0},
    [SOURCE_REVOKED_AT] = {"revoked_at", USE_TIME},
    [SOURCE_REASON] = {"reason", USE_INTEGER},
    [SOURCE_NOT_AFTER] = {"not_after", USE_TIME},
    [SOURCE_SHARD] = {"shard", USE_INTEGER},
    [SOURCE_RECORDED_AT] = {"recorded_at", USE_TIME},
    [SOURCE_CERTIFICATE] = {"certificate", USE_CERTIFICATE},
};

static const unsigned serial_uses[] = {
    [SERIAL_BYTEA] = USE_OCTETS,
    [SERIAL_HEX] = USE_HEX,
    [SERIAL_DECIMAL] = USE_DECIMAL,
};

static const char *
use_text(unsigned use)
{
	switch (use) {
	case USE_OCTETS:
		return "bytea";
	case USE_HEX:
		return "text or bytea with hex digits";
	case USE_DECIMAL:
		return "text or bytea with decimal digits";
	case USE_CERTIFICATE:
		return "bytea with DER or text with PEM";
	case USE_TIME:
		return "timestamp with time zone, or integer seconds "
		       "since 1970";
	default:
		return "smallint, integer or bigint";
	}
}

const char *
source_column_name(enum source_column column)
{
	return columns[column].name;
}

enum status
source_column_type(enum source_column column, enum serial_encoding encoding,
    uint32_t oid, enum source_type *type, const char **want, const char **hint)
{
	unsigned use = column == SOURCE_SERIAL ? serial_uses[encoding]
					       : columns[column].use;

	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		if (types[i].oid == oid && (types[i].uses & use) != 0) {
			*type = types[i].type;
			return STATUS_OK;
		}
	}
	*want = use_text(use);
	*hint = NULL;
	for (size_t i = 0; i < sizeof(hints) / sizeof(hints[0]); i++) {
		if (hints[i].oid == oid && (hints[i].uses & use) != 0) {
			*hint = hints[i].hint;
			break;
		}
	}
	return STATUS_CONFIG;
}

enum status
source_column_place(enum source_column column, const char *name)
{
	for (unsigned i = 0; i < SOURCE_COLUMN_NAMES; i++) {
		if (i != (unsigned)column && strcmp(name, columns[i].name) == 0)
			return STATUS_CONFIG;
	}
	return STATUS_OK;
}
