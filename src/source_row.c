/* SPDX-License-Identifier: ISC */
/*
 * One tuple of a binary COPY into one row. Two kinds of wrong are kept apart:
 * bytes that are not the format end the run, for nothing after them can be
 * trusted; a value that cannot stand in a CRL is a fault of its row, which
 * still says whatever else is known of the certificate.
 */
#include "crlpress/source_row.h"

#include <stdbool.h>
#include <string.h>

#include "crlpress/source_certificate.h"
#include "crlpress/utc.h"

/* PostgreSQL counts time in microseconds from 2000-01-01 00:00:00 UTC. */
#define POSTGRES_EPOCH_SEC 946684800LL
#define USEC_PER_SEC 1000000LL

/* RFC 5280, 5.3.1: the reasons, and two of them that no entry may have. */
#define REASON_MOST 10
#define REASON_UNUSED 7
#define REASON_REMOVE_FROM_CRL 8

/* Flags that a reader must know to go on; none is known, none is sent. */
#define HEADER_FLAGS_CRITICAL 0xffff0000U

/* No version of PostgreSQL has sent an extension yet. */
#define HEADER_EXTENSION_BYTES_MOST 4096

static const uint8_t signature[] = {
    'P', 'G', 'C', 'O', 'P', 'Y', '\n', 0xff, '\r', '\n', '\0'};

/* What is said of a column's value, in static text. */
struct column_faults {
	const char *null;
	const char *infinite;
	const char *infinite_past;
	const char *early;
	const char *late;
	const char *late_integer;
};

#define TIME_FAULTS(column)                                                   \
	{                                                                     \
		.null = column " is NULL", .infinite = column " is infinity", \
		.infinite_past = column " is -infinity",                      \
		.early = column " is before 1950",                            \
		.late = column " is after 9999",                              \
		.late_integer = column " is after 9999: are these seconds?"   \
	}

static const struct column_faults faults[SOURCE_COLUMN_COUNT] = {
    [SOURCE_SERIAL] = {.null = "serial is NULL"},
    [SOURCE_REVOKED_AT] = TIME_FAULTS("revoked_at"),
    [SOURCE_REASON] = {.null = "reason is NULL"},
    [SOURCE_NOT_AFTER] = TIME_FAULTS("not_after"),
    [SOURCE_RECORDED_AT] = TIME_FAULTS("recorded_at"),
};

/* A value as it stands in the tuple; bytes == NULL is SQL's NULL. */
struct field {
	const uint8_t *bytes;
	size_t len;
};

static uint16_t
load_u16(const uint8_t *p)
{
	return (uint16_t)(p[0] << 8 | p[1]);
}

static uint32_t
load_u32(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 |
	       (uint32_t)p[2] << 8 | (uint32_t)p[3];
}

static uint64_t
load_u64(const uint8_t *p)
{
	return (uint64_t)load_u32(p) << 32 | load_u32(p + 4);
}

enum status
source_header_decode(
    const uint8_t *bytes, size_t len, size_t *used, const char **why)
{
	const size_t fixed = sizeof(signature) + 4 + 4;
	size_t part = len < sizeof(signature) ? len : sizeof(signature);
	uint32_t extension;

	*used = 0;
	if (part > 0 && memcmp(bytes, signature, part) != 0) {
		*why = "no binary COPY signature";
		return STATUS_MALFORMED;
	}
	if (len < fixed)
		return STATUS_OK;
	if ((load_u32(bytes + sizeof(signature)) & HEADER_FLAGS_CRITICAL) !=
	    0) {
		*why = "unknown critical flags in the header";
		return STATUS_MALFORMED;
	}
	extension = load_u32(bytes + sizeof(signature) + 4);
	if (extension > HEADER_EXTENSION_BYTES_MOST) {
		*why = "header extension too long";
		return STATUS_MALFORMED;
	}
	if (len - fixed >= extension)
		*used = fixed + extension;
	return STATUS_OK;
}

/*
 * The `columns` fields of the tuple that starts at `bytes`; STATUS_OK with
 * *used == 0 when it has not arrived wholly, STATUS_DONE for the trailer.
 */
static inline enum status
tuple_split(const uint8_t *bytes, size_t len, size_t columns, size_t *used,
    struct field field[SOURCE_COLUMN_COUNT], const char **why)
{
	size_t at = 2;

	*used = 0;
	if (len < at)
		return STATUS_OK;
	if (load_u16(bytes) == 0xffff) {
		*used = at;
		return STATUS_DONE;
	}
	if (load_u16(bytes) != columns) {
		*why = "a tuple of another number of fields than columns";
		return STATUS_MALFORMED;
	}
	for (size_t i = 0; i < columns; i++) {
		uint32_t size;

		if (len - at < 4)
			return STATUS_OK;
		size = load_u32(bytes + at);
		at += 4;
		field[i].bytes = NULL;
		field[i].len = 0;
		if (size == 0xffffffffU)
			continue;
		/* Also keeps `at` far from overflow. */
		if (size > SOURCE_TUPLE_BYTES_MOST - at) {
			*why = "a tuple above 64 KiB";
			return STATUS_MALFORMED;
		}
		if (len - at < size)
			return STATUS_OK;
		field[i].bytes = bytes + at;
		field[i].len = size;
		at += size;
		/* The heads of the other fields still have to fit. */
		if (at > SOURCE_TUPLE_BYTES_MOST - 4 * (columns - 1 - i)) {
			*why = "a tuple above 64 KiB";
			return STATUS_MALFORMED;
		}
	}
	*used = at;
	return STATUS_OK;
}

/* False: the length is not that of the type. */
static bool
field_integer(enum source_type type, struct field field, int64_t *value)
{
	switch (type) {
	case SOURCE_TYPE_INT2:
		*value = field.len == 2 ? (int16_t)load_u16(field.bytes) : 0;
		return field.len == 2;
	case SOURCE_TYPE_INT4:
		*value = field.len == 4 ? (int32_t)load_u32(field.bytes) : 0;
		return field.len == 4;
	default:
		*value = field.len == 8 ? (int64_t)load_u64(field.bytes) : 0;
		return field.len == 8;
	}
}

/* Keeps the first fault of a row, the one to be told; NULL is none. */
static void
row_fault(struct source_row *row, const char *fault)
{
	if (row->fault == NULL)
		row->fault = fault;
}

/* The serial as the database has it, for a person to look it up by. */
static void
row_keep_text(
    struct source_row *row, enum serial_encoding encoding, struct field field)
{
	static const char digit[] = "0123456789abcdef";
	const size_t room = SOURCE_SERIAL_TEXT_BYTES - 1;
	char *out = row->serial_text;
	size_t n = 0;

	if (encoding == SERIAL_BYTEA) {
		for (size_t i = 0; i < field.len && n + 2 <= room; i++) {
			out[n++] = digit[field.bytes[i] >> 4];
			out[n++] = digit[field.bytes[i] & 0xf];
		}
	} else {
		for (; n < field.len && n < room; n++) {
			uint8_t c = field.bytes[n];

			out[n] = c >= 0x20 && c < 0x7f ? (char)c : '?';
		}
	}
	out[n] = '\0';
}

/* Why this text is no serial: the usual dresses of one by name. */
static const char *
serial_text_fault(enum serial_encoding encoding, const char *text, size_t len)
{
	static const char decimal[] = "0123456789";
	static const char hex[] = "0123456789abcdefABCDEF";
	const char *digits = encoding == SERIAL_HEX ? hex : decimal;
	size_t digit_count =
	    encoding == SERIAL_HEX ? sizeof(hex) - 1 : sizeof(decimal) - 1;

	if (text[0] == '-')
		return "serial is negative";
	if (len >= 2 && text[0] == '0' && (text[1] == 'x' || text[1] == 'X'))
		return "serial has a 0x before it";
	for (size_t i = 0; i < len; i++) {
		if (text[i] == ' ' || text[i] == '\t' || text[i] == '\n')
			return "serial has a blank in it";
		if (text[i] == ':')
			return "serial has colons in it";
		if (memchr(digits, text[i], digit_count) == NULL)
			return encoding == SERIAL_HEX ? "serial is not hex"
						      : "serial is not decimal";
	}
	return "serial is 2^159 or above";
}

/* RFC 5280, 4.1.2.2: positive, at most 20 octets as a DER INTEGER. */
static void
decode_serial(const struct source_layout *layout, struct field field,
    struct source_row *row)
{
	const char *text = (const char *)field.bytes;
	const char *fault = NULL;
	const char *why;

	if (layout->type[SOURCE_SERIAL] == SOURCE_TYPE_BPCHAR) {
		while (field.len > 0 && text[field.len - 1] == ' ')
			field.len--;
	}
	if (field.bytes == NULL) {
		fault = faults[SOURCE_SERIAL].null;
	} else if (field.len == 0) {
		fault = "serial is empty";
	} else if (layout->encoding == SERIAL_BYTEA) {
		if (uint160_from_octets(&row->serial, field.bytes, field.len,
			&why) != STATUS_OK)
			fault = "serial is 2^159 or above";
	} else if (layout->encoding == SERIAL_HEX) {
		if (uint160_from_hex(&row->serial, text, field.len, &why) !=
		    STATUS_OK)
			fault = serial_text_fault(SERIAL_HEX, text, field.len);
	} else if (uint160_from_decimal(&row->serial, text, field.len, &why) !=
		   STATUS_OK) {
		fault = serial_text_fault(SERIAL_DECIMAL, text, field.len);
	}
	if (fault == NULL && uint160_is_zero(&row->serial))
		fault = "serial is zero";
	row->has_serial = fault == NULL;
	row_fault(row, fault);
}

/* Seconds since 1970, or NULL in *fault. False: not a value of the type. */
static bool
decode_time(const struct source_layout *layout, enum source_column column,
    struct field field, int64_t *sec, const char **fault)
{
	const struct column_faults *texts = &faults[column];
	bool integer = layout->type[column] != SOURCE_TYPE_TIMESTAMPTZ;
	int64_t value;

	*fault = NULL;
	*sec = 0;
	if (field.bytes == NULL) {
		*fault = texts->null;
		return true;
	}
	if (!field_integer(layout->type[column], field, &value))
		return false;
	if (!integer) {
		if (value == INT64_MAX || value == INT64_MIN) {
			*fault =
			    value > 0 ? texts->infinite : texts->infinite_past;
			return true;
		}
		/* Division cuts off towards 2000; the past is wanted. */
		value = value / USEC_PER_SEC - (value % USEC_PER_SEC < 0) +
			POSTGRES_EPOCH_SEC;
	}
	/* RFC 5280, 4.1.2.5: what a CRL or a certificate can say. */
	if (value < UTC_MIN_SEC)
		*fault = texts->early;
	else if (value > UTC_MAX_SEC)
		*fault = integer ? texts->late_integer : texts->late;
	else
		*sec = value;
	return true;
}

/* RFC 5280, 5.3.1. */
static bool
decode_reason(const struct source_layout *layout, struct field field,
    struct source_row *row)
{
	int64_t value;

	if (field.bytes == NULL) {
		row_fault(row, faults[SOURCE_REASON].null);
		return true;
	}
	if (!field_integer(layout->type[SOURCE_REASON], field, &value))
		return false;
	if (value < 0 || value > REASON_MOST)
		row_fault(row, "reason is not 0 to 10");
	else if (value == REASON_UNUSED)
		row_fault(row, "reason is 7, which means nothing");
	else if (value == REASON_REMOVE_FROM_CRL)
		row_fault(row, "reason is 8 (removeFromCRL), for delta CRLs");
	else
		row->reason = (uint8_t)value;
	return true;
}

/* After the serial and not_after, which are those of the certificate. */
static void
decode_certificate(const struct source_layout *layout, struct field field,
    struct source_row *row)
{
	bool pem = layout->type[SOURCE_SHARD] != SOURCE_TYPE_BYTEA;

	if (field.bytes == NULL)
		row_fault(row, "certificate is NULL");
	else
		row_fault(row, source_certificate_place(layout->points, pem,
				   field.bytes, field.len, layout->octets,
				   SOURCE_TUPLE_BYTES_MOST, row));
}

static bool
decode_shard(const struct source_layout *layout, struct field field,
    struct source_row *row)
{
	if (layout->points != NULL) {
		decode_certificate(layout, field, row);
		return true;
	}
	row->has_hint = true;
	if (field.bytes == NULL)
		return true;
	row->hint.has_shard = true;
	return field_integer(
	    layout->type[SOURCE_SHARD], field, &row->hint.shard);
}

/*
 * When the row was written says nothing of the certificate, so that what is no
 * time there is told beside the row, and NULL is a time that is not known.
 */
static bool
decode_recorded(const struct source_layout *layout, const struct field *field,
    struct source_row *row)
{
	row->has_recorded = false;
	row->recorded_fault = NULL;
	if (!layout->has_recorded_at || field->bytes == NULL)
		return true;
	if (!decode_time(layout, SOURCE_RECORDED_AT, *field,
		&row->recorded_at_sec, &row->recorded_fault))
		return false;
	row->has_recorded = row->recorded_fault == NULL;
	return true;
}

/* What a good row leaves as it is; serial_text is left alone but for its end,
 * as filling it for ten million good rows would be felt. */
static void
row_clear(struct source_row *row)
{
	row->fault = NULL;
	row->serial = (struct uint160){{0}};
	row->reason = 0;
	row->hint = (struct shard_hint){false, 0};
	row->has_hint = false;
	row->serial_text[0] = '\0';
}

/* All columns, whatever is wrong with one. False: not of the types. */
static bool
row_fill(const struct source_layout *layout,
    const struct field field[SOURCE_COLUMN_COUNT], struct source_row *row)
{
	const char *fault;

	row_clear(row);
	decode_serial(layout, field[SOURCE_SERIAL], row);
	if (!decode_time(layout, SOURCE_REVOKED_AT, field[SOURCE_REVOKED_AT],
		&row->revoked_at_sec, &fault))
		return false;
	row_fault(row, fault);
	if (!decode_reason(layout, field[SOURCE_REASON], row))
		return false;
	if (!decode_time(layout, SOURCE_NOT_AFTER, field[SOURCE_NOT_AFTER],
		&row->not_after_sec, &fault))
		return false;
	row_fault(row, fault);
	row->has_not_after = fault == NULL;
	if (!decode_shard(layout, field[SOURCE_SHARD], row) ||
	    !decode_recorded(layout, &field[SOURCE_RECORDED_AT], row))
		return false;
	if (row->fault != NULL)
		row_keep_text(row, layout->encoding, field[SOURCE_SERIAL]);
	return true;
}

enum status
source_row_decode(const struct source_layout *layout, const uint8_t *bytes,
    size_t len, size_t *used, struct source_row *row, const char **why)
{
	struct field field[SOURCE_COLUMN_COUNT];
	enum status status;

	/* Twice, for a number that is known is what makes it fast. */
	status =
	    layout->has_recorded_at
		? tuple_split(bytes, len, SOURCE_COLUMN_COUNT, used, field, why)
		: tuple_split(
		      bytes, len, SOURCE_COLUMNS_LEAST, used, field, why);
	if (status != STATUS_OK || *used == 0)
		return status;
	if (!row_fill(layout, field, row)) {
		*used = 0;
		*why = "a field whose length is not that of its type";
		return STATUS_MALFORMED;
	}
	return STATUS_OK;
}
