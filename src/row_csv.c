/* SPDX-License-Identifier: ISC */
/*
 * A line of psql's becomes the tuple that the server would have sent for it in
 * a binary COPY, and that is decoded as any other: what a serial, a time, a
 * reason or a certificate must be is said once, in source_row.c.
 */
#include "crlpress/row_csv.h"

#include <stdlib.h>
#include <string.h>

#include "crlpress/csv_record.h"
#include "crlpress/database.h"
#include "crlpress/decimal.h"
#include "crlpress/hex.h"
#include "crlpress/reason.h"
#include "crlpress/source_row.h"
#include "crlpress/utc.h"

/* "2026-11-22 05:09:49", before a fraction and an offset. */
#define STAMP_LEN 19
#define YEAR_LEN 4

/* An integer of the database has up to 64 bits; these cannot overflow. */
#define INTEGER_MOST 999999999999999999

/* "cessationOfOperation", with its NUL, and room. */
#define REASON_NAME_BYTES 32

/* Of a field's text in a message. */
#define SHOWN_MOST 48

#define WANT_TIME                                               \
	"a time with its offset, like 2026-11-22T05:09:49Z or " \
	"2026-11-22 05:09:49+00, or seconds since 1970"
#define TOO_LARGE "a row above 64 KiB"
#define HINT_TIME "PGTZ=UTC PGDATESTYLE=ISO psql --csv prints times so"

struct row_csv {
	struct csv_reader reader;
	struct source_layout layout;
	size_t tuple_len;
	uint8_t tuple[SOURCE_TUPLE_BYTES_MOST];
	uint8_t octets[SOURCE_TUPLE_BYTES_MOST];
	char text[];
};

/* Why a field is not of its column: have its text, want that. */
static enum status
field_fault(struct row_csv_fault *fault, enum source_column column,
    const struct csv_field *field, const char *want)
{
	bool is_long = field->len > SHOWN_MOST;

	snprintf(fault->why, sizeof(fault->why), "%s, have \"%.*s\"%s, want %s",
	    source_column_name(column),
	    (int)(is_long ? SHOWN_MOST : field->len), field->text,
	    is_long ? "..." : "", want);
	return STATUS_MALFORMED;
}

static enum status
text_fault(struct row_csv_fault *fault, const char *why)
{
	snprintf(fault->why, sizeof(fault->why), "%s", why);
	return STATUS_MALFORMED;
}

static void
put_integer(struct row_csv *csv, uint64_t value, size_t size)
{
	for (size_t i = size; i-- > 0;)
		csv->tuple[csv->tuple_len++] = (uint8_t)(value >> 8 * i);
}

/* False: no room for it and for numbers in the other columns. */
static bool
put_octets(struct row_csv *csv, const struct csv_field *field)
{
	const size_t others = (SOURCE_COLUMN_COUNT - 1) * (4 + 8);

	/* None of these is beyond some hundred KiB. */
	if (csv->tuple_len + 4 + field->len + others > sizeof(csv->tuple))
		return false;
	put_integer(csv, field->len, 4);
	memcpy(csv->tuple + csv->tuple_len, field->text, field->len);
	csv->tuple_len += field->len;
	return true;
}

static void
put_null(struct row_csv *csv)
{
	put_integer(csv, UINT32_MAX, 4);
}

static void
put_number(struct row_csv *csv, int64_t value)
{
	put_integer(csv, 8, 4);
	put_integer(csv, (uint64_t)value, 8);
}

static bool
read_integer(const char *text, size_t len, int64_t *value)
{
	size_t sign = len > 0 && text[0] == '-';
	uint64_t size;

	if (decimal_read_filled(text + sign, len - sign, INTEGER_MOST, &size,
		NULL) != STATUS_OK)
		return false;
	*value = sign != 0 ? -(int64_t)size : (int64_t)size;
	return true;
}

/* As psql shows a bytea, where bytea_output is hex. */
static bool
field_is_bytea(const struct csv_field *field)
{
	return field->len >= 2 && memcmp(field->text, "\\x", 2) == 0;
}

static bool
text_is_hex(const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (hex_digit(text[i]) < 0)
			return false;
	return true;
}

/* Of digits from `at` on what they say; of an odd number with a zero first.
 * False, and the field as it was: they are none. */
static bool
field_unhex(struct csv_field *field, size_t at)
{
	size_t n = 0;

	if (!text_is_hex(field->text + at, field->len - at))
		return false;
	for (size_t i = at; i < field->len; n++) {
		int high =
		    (field->len - i) % 2 == 1 ? 0 : hex_digit(field->text[i++]);

		field->text[n] =
		    (char)(high << 4 | hex_digit(field->text[i++]));
	}
	field->len = n;
	return true;
}

/* Text may be of a type that fills it up with blanks. */
static enum status
put_serial(
    struct row_csv *csv, struct csv_field *field, struct row_csv_fault *fault)
{
	bool is_bytea = field_is_bytea(field);

	csv->layout.type[SOURCE_SERIAL] = SOURCE_TYPE_BPCHAR;
	if (is_bytea || csv->layout.encoding == SERIAL_BYTEA) {
		csv->layout.type[SOURCE_SERIAL] = SOURCE_TYPE_BYTEA;
		if (!field_unhex(field, is_bytea ? 2 : 0))
			return field_fault(fault, SOURCE_SERIAL, field, "hex");
	}
	return put_octets(csv, field) ? STATUS_OK
				      : text_fault(fault, TOO_LARGE);
}

/* "Z", "+00", "-03:30" or "+05:41:16" behind the seconds and a fraction, which
 * is cut off; how far that is ahead of UTC. */
static bool
read_offset(const char *text, size_t len, int64_t *ahead_sec)
{
	static const int64_t unit_sec[] = {3600, 60, 1}, most[] = {15, 59, 59};
	int64_t sign, sum = 0, value;
	size_t i = 0;

	if (len > 1 && text[0] == '.' && text[1] >= '0' && text[1] <= '9')
		for (i = 2; i < len && text[i] >= '0' && text[i] <= '9';)
			i++;
	*ahead_sec = 0;
	if (len - i == 1 && text[i] == 'Z')
		return true;
	if (i == len || (text[i] != '+' && text[i] != '-'))
		return false;
	sign = text[i++] == '-' ? -1 : 1;
	for (size_t part = 0; part < 3; part++, i += 3) {
		if (len - i < 2 || text[i] == '-' ||
		    !read_integer(text + i, 2, &value) || value > most[part])
			return false;
		sum += value * unit_sec[part];
		if (len - i == 2) {
			*ahead_sec = sign * sum;
			return true;
		}
		if (text[i + 2] != ':')
			return false;
	}
	return false;
}

/* A year of more digits, or before 1950: what no CRL can say, as the source
 * has it, which is told apart from what is no time. */
static bool
read_far_year(const struct csv_field *field, int64_t *sec)
{
	static const char before_christ[] = " BC";
	const size_t tail = sizeof(before_christ) - 1;
	size_t digits = 0;

	while (digits < field->len && field->text[digits] >= '0' &&
	       field->text[digits] <= '9')
		digits++;
	if (digits < YEAR_LEN || field->len < digits + STAMP_LEN - YEAR_LEN ||
	    field->text[digits] != '-')
		return false;
	if (memcmp(field->text + field->len - tail, before_christ, tail) == 0 ||
	    (digits == YEAR_LEN && memcmp(field->text, "1950", 4) < 0))
		*sec = UTC_MIN_SEC - 1;
	else if (digits > YEAR_LEN)
		*sec = UTC_MAX_SEC + 1;
	else
		return false;
	return true;
}

static bool
read_stamp(const struct csv_field *field, int64_t *sec)
{
	char iso[UTC_ISO_BYTES];
	int64_t ahead_sec;

	if (read_far_year(field, sec))
		return true;
	if (field->len <= STAMP_LEN ||
	    (field->text[10] != ' ' && field->text[10] != 'T') ||
	    !read_offset(
		field->text + STAMP_LEN, field->len - STAMP_LEN, &ahead_sec))
		return false;
	memcpy(iso, field->text, STAMP_LEN);
	iso[10] = 'T';
	iso[STAMP_LEN] = 'Z';
	iso[STAMP_LEN + 1] = '\0';
	if (utc_from_iso(iso, sec) != STATUS_OK)
		return false;
	*sec -= ahead_sec;
	return true;
}

static bool
field_is(const struct csv_field *field, const char *text)
{
	return field->len == strlen(text) &&
	       memcmp(field->text, text, field->len) == 0;
}

/* timestamptz has microseconds since 2000, and its two ends for ever. */
static enum status
put_time(struct row_csv *csv, enum source_column column,
    const struct csv_field *field, struct row_csv_fault *fault)
{
	int64_t sec;

	csv->layout.type[column] = SOURCE_TYPE_TIMESTAMPTZ;
	if (field->len == 0) {
		put_null(csv);
	} else if (read_integer(field->text, field->len, &sec)) {
		csv->layout.type[column] = SOURCE_TYPE_INT8;
		put_number(csv, sec);
	} else if (field_is(field, "infinity")) {
		put_number(csv, INT64_MAX);
	} else if (field_is(field, "-infinity")) {
		put_number(csv, INT64_MIN);
	} else if (read_stamp(field, &sec)) {
		put_number(
		    csv, (sec - DATABASE_EPOCH_SEC) * DATABASE_USEC_PER_SEC);
	} else {
		fault->hint = HINT_TIME;
		return field_fault(fault, column, field, WANT_TIME);
	}
	return STATUS_OK;
}

static enum status
put_reason(struct row_csv *csv, const struct csv_field *field,
    struct row_csv_fault *fault)
{
	char name[REASON_NAME_BYTES];
	int64_t value = 0;
	uint8_t reason;

	csv->layout.type[SOURCE_REASON] = SOURCE_TYPE_INT8;
	if (field->len == 0) {
		put_null(csv);
		return STATUS_OK;
	}
	if (!read_integer(field->text, field->len, &value)) {
		snprintf(name, sizeof(name), "%.*s",
		    field->len < sizeof(name) ? (int)field->len : 0,
		    field->text);
		if (strlen(name) != field->len ||
		    reason_from_text(name, &reason) != STATUS_OK)
			return field_fault(fault, SOURCE_REASON, field,
			    "a number or name of RFC 5280, 5.3.1, like 4 or "
			    "superseded");
		value = reason;
	}
	put_number(csv, value);
	return STATUS_OK;
}

static enum status
put_certificate(
    struct row_csv *csv, struct csv_field *field, struct row_csv_fault *fault)
{
	bool is_der = field_is_bytea(field);

	csv->layout.type[SOURCE_SHARD] =
	    is_der ? SOURCE_TYPE_BYTEA : SOURCE_TYPE_TEXT;
	if (is_der && !field_unhex(field, 2))
		return field_fault(fault, SOURCE_CERTIFICATE, field, "hex");
	return put_octets(csv, field) ? STATUS_OK
				      : text_fault(fault, TOO_LARGE);
}

static enum status
put_place(
    struct row_csv *csv, struct csv_field *field, struct row_csv_fault *fault)
{
	int64_t shard;

	csv->layout.type[SOURCE_SHARD] = SOURCE_TYPE_INT8;
	if (field->len == 0)
		put_null(csv);
	else if (csv->layout.points != NULL)
		return put_certificate(csv, field, fault);
	else if (read_integer(field->text, field->len, &shard))
		put_number(csv, shard);
	else
		return field_fault(fault, SOURCE_SHARD, field, "a number");
	return STATUS_OK;
}

/* The tuple of the fields, all of which are there. */
static enum status
tuple_make(struct row_csv *csv, struct row_csv_fault *fault)
{
	struct csv_field *field = csv->reader.field;
	enum status status;

	csv->tuple_len = 0;
	csv->layout.has_recorded_at = csv->reader.fields == SOURCE_COLUMN_COUNT;
	put_integer(csv, csv->reader.fields, 2);
	status = put_serial(csv, &field[SOURCE_SERIAL], fault);
	if (status == STATUS_OK)
		status = put_time(
		    csv, SOURCE_REVOKED_AT, &field[SOURCE_REVOKED_AT], fault);
	if (status == STATUS_OK)
		status = put_reason(csv, &field[SOURCE_REASON], fault);
	if (status == STATUS_OK)
		status = put_time(
		    csv, SOURCE_NOT_AFTER, &field[SOURCE_NOT_AFTER], fault);
	if (status == STATUS_OK)
		status = put_place(csv, &field[SOURCE_SHARD], fault);
	if (status == STATUS_OK && csv->layout.has_recorded_at)
		status = put_time(
		    csv, SOURCE_RECORDED_AT, &field[SOURCE_RECORDED_AT], fault);
	return status;
}

static enum status
row_make_of(
    struct row_csv *csv, struct source_row *row, struct row_csv_fault *fault)
{
	const char *why = NULL;
	enum status status;
	size_t used;

	if (csv->reader.fields < SOURCE_COLUMNS_LEAST ||
	    csv->reader.fields > SOURCE_COLUMN_COUNT) {
		snprintf(fault->why, sizeof(fault->why),
		    "fields, have %zu, want serial,revoked_at,reason,"
		    "not_after,%s, and recorded_at or not",
		    csv->reader.fields,
		    source_column_name(csv->layout.points != NULL
					   ? SOURCE_CERTIFICATE
					   : SOURCE_SHARD));
		return STATUS_MALFORMED;
	}
	status = tuple_make(csv, fault);
	if (status != STATUS_OK)
		return status;
	if (source_row_decode(&csv->layout, csv->tuple, csv->tuple_len, &used,
		row, &why) != STATUS_OK)
		return text_fault(fault, why);
	if (row->fault == NULL)
		return STATUS_OK;
	if (row->serial_text[0] == '\0')
		return text_fault(fault, row->fault);
	snprintf(fault->why, sizeof(fault->why), "row %s: %s", row->serial_text,
	    row->fault);
	return STATUS_MALFORMED;
}

/* No field of a row says the name of a column. */
static bool
is_header(const struct csv_reader *reader)
{
	for (size_t i = 0; i < reader->fields && i < CSV_FIELDS_MOST; i++)
		for (unsigned column = 0; column < SOURCE_COLUMN_NAMES;
		     column++)
			if (field_is(&reader->field[i],
				source_column_name((enum source_column)column)))
				return true;
	return false;
}

enum status
row_csv_new(FILE *stream, enum serial_encoding encoding,
    const struct source_points *points, struct row_csv **csv)
{
	size_t room =
	    points == NULL ? ROW_CSV_RECORD_BYTES : ROW_CSV_CERTIFICATE_BYTES;

	*csv = calloc(1, sizeof(**csv) + room);
	if (*csv == NULL)
		return STATUS_NO_MEMORY;
	(*csv)->reader = (struct csv_reader){
	    .stream = stream, .text = (*csv)->text, .room = room};
	(*csv)->layout.encoding = encoding;
	(*csv)->layout.points = points;
	(*csv)->layout.octets = (*csv)->octets;
	return STATUS_OK;
}

void
row_csv_free(struct row_csv *csv)
{
	free(csv);
}

enum status
row_csv_next(
    struct row_csv *csv, struct source_row *row, struct row_csv_fault *fault)
{
	const char *why = NULL;
	enum status status;
	bool is_first = csv->reader.lines == 0;

	*fault = (struct row_csv_fault){.hint = NULL};
	status = csv_record_read(&csv->reader, &why);
	if (status == STATUS_OK && is_first && is_header(&csv->reader))
		status = csv_record_read(&csv->reader, &why);
	if (status == STATUS_MALFORMED)
		return text_fault(fault, why);
	return status == STATUS_OK ? row_make_of(csv, row, fault) : status;
}

uint64_t
row_csv_line(const struct row_csv *csv)
{
	return csv->reader.line;
}

bool
row_csv_is_cut(const struct row_csv *csv)
{
	return csv->reader.is_cut;
}
