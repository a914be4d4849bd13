/* SPDX-License-Identifier: ISC */
/*
 * libFuzzer: a binary COPY of any bytes, as a hostile or broken server might
 * send it. The first octet chooses the columns and types, the second how
 * many octets come at a time. However they come, the rows must be the same,
 * and what a row says must be what a CRL could say.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "crlpress/source_certificate.h"
#include "crlpress/source_row.h"
#include "crlpress/utc.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

/* Serial, revoked_at, reason, not_after, shard. */
static const struct source_layout layouts[] = {
    {.encoding = SERIAL_BYTEA,
	.type = {SOURCE_TYPE_BYTEA, SOURCE_TYPE_TIMESTAMPTZ, SOURCE_TYPE_INT2,
	    SOURCE_TYPE_TIMESTAMPTZ, SOURCE_TYPE_INT4}},
    {.encoding = SERIAL_HEX,
	.type = {SOURCE_TYPE_TEXT, SOURCE_TYPE_INT8, SOURCE_TYPE_INT4,
	    SOURCE_TYPE_INT4, SOURCE_TYPE_INT8}},
    {.encoding = SERIAL_HEX,
	.type = {SOURCE_TYPE_BPCHAR, SOURCE_TYPE_INT4, SOURCE_TYPE_INT8,
	    SOURCE_TYPE_INT8, SOURCE_TYPE_INT2}},
    {.encoding = SERIAL_DECIMAL,
	.type = {SOURCE_TYPE_BYTEA, SOURCE_TYPE_TIMESTAMPTZ, SOURCE_TYPE_INT2,
	    SOURCE_TYPE_TIMESTAMPTZ, SOURCE_TYPE_INT4}},
};

/* With a certificate in place of the shard: in DER, or in PEM. */
#define WITH_CERTIFICATE 0x40
#define WITH_PEM 0x20

static const struct source_points points = {
    .url_pattern = "http://crl.example/{shard}.crl",
    .shard_first = 1,
    .shard_count = 9,
};

/* The same with a sixth column. */
#define WITH_RECORDED 0x80

/* What came of a whole stream. */
struct outcome {
	enum status status; /* STATUS_OK: more was wanted */
	uint64_t rows;
	uint64_t sum; /* over what the rows say */
};

static void
require(bool holds)
{
	if (!holds)
		abort();
}

static void
row_check(const struct source_row *row)
{
	const char *end =
	    memchr(row->serial_text, '\0', sizeof(row->serial_text));

	require(end != NULL);
	for (const char *p = row->serial_text; p < end; p++)
		require(*p >= 0x20 && *p < 0x7f);
	if (row->fault == NULL)
		require(row->has_serial && row->has_not_after && row->has_hint);
	require(!row->hint.has_shard || row->has_hint);
	if (row->has_serial)
		require(!uint160_is_zero(&row->serial) &&
			row->serial.octet[0] < 0x80);
	require(row->reason <= 10 && row->reason != 7 && row->reason != 8);
	require(row->revoked_at_sec >= UTC_MIN_SEC &&
		row->revoked_at_sec <= UTC_MAX_SEC);
	require(row->not_after_sec >= UTC_MIN_SEC &&
		row->not_after_sec <= UTC_MAX_SEC);
	require(!row->has_recorded || (row->recorded_fault == NULL &&
					  row->recorded_at_sec >= UTC_MIN_SEC &&
					  row->recorded_at_sec <= UTC_MAX_SEC));
}

static uint64_t
row_sum(const struct source_row *row)
{
	uint64_t sum = row->fault != NULL ? (uint64_t)strlen(row->fault) : 0;

	for (size_t i = 0; row->has_serial && i < UINT160_OCTETS; i++)
		sum = sum * 31 + row->serial.octet[i];
	for (size_t i = 0; row->serial_text[i] != '\0'; i++)
		sum = sum * 31 + (uint8_t)row->serial_text[i];
	sum = sum * 31 + (uint64_t)row->revoked_at_sec;
	sum = sum * 31 + (uint64_t)row->not_after_sec;
	sum = sum * 31 + row->reason;
	if (row->has_recorded)
		sum = sum * 31 + (uint64_t)row->recorded_at_sec;
	if (row->recorded_fault != NULL)
		sum = sum * 31 + (uint64_t)strlen(row->recorded_fault);
	return sum * 31 + (uint64_t)row->hint.shard;
}

/* The stream in pieces of `step` octets, as copy_decode in source.c has it. */
static struct outcome
stream_decode(const struct source_layout *layout, const uint8_t *data,
    size_t len, size_t step)
{
	struct outcome outcome = {STATUS_OK, 0, 0};
	size_t begin = 0, end = 0;
	bool header_read = false;

	while (outcome.status == STATUS_OK) {
		struct source_row row;
		const char *why = NULL;
		size_t used = 0;

		outcome.status = header_read
				     ? source_row_decode(layout, data + begin,
					   end - begin, &used, &row, &why)
				     : source_header_decode(data + begin,
					   end - begin, &used, &why);
		require(used <= end - begin);
		require((outcome.status == STATUS_MALFORMED) == (why != NULL));
		begin += used;
		if (outcome.status != STATUS_OK)
			break;
		if (used > 0 && header_read) {
			row_check(&row);
			outcome.rows++;
			outcome.sum = outcome.sum * 31 + row_sum(&row);
		} else if (used > 0) {
			header_read = true;
		} else {
			/* A full buffer always has something to give. */
			require(end - begin < SOURCE_TUPLE_BYTES_MOST);
			if (end == len)
				break;
			end = len - end < step ? len : end + step;
		}
	}
	return outcome;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static uint8_t octets[SOURCE_TUPLE_BYTES_MOST];
	struct source_layout layout;
	struct outcome whole, parts;

	if (len < 2)
		return 0;
	layout = layouts[data[0] % (sizeof(layouts) / sizeof(layouts[0]))];
	layout.octets = octets;
	if ((data[0] & WITH_CERTIFICATE) != 0) {
		layout.points = &points;
		layout.type[SOURCE_SHARD] = (data[0] & WITH_PEM) != 0
						? SOURCE_TYPE_TEXT
						: SOURCE_TYPE_BYTEA;
	}
	layout.has_recorded_at = (data[0] & WITH_RECORDED) != 0;
	layout.type[SOURCE_RECORDED_AT] = layout.type[SOURCE_REVOKED_AT];
	whole = stream_decode(&layout, data + 2, len - 2, len);
	parts = stream_decode(&layout, data + 2, len - 2, data[1] % 64U + 1U);
	require(whole.status == parts.status && whole.rows == parts.rows &&
		whole.sum == parts.sum);
	return 0;
}
