/* SPDX-License-Identifier: ISC */
/*
 * libFuzzer: rows as CSV of any bytes. The first octet chooses the encoding of
 * serials and whether rows have certificates. A row that is taken has what a
 * CRL can say; one that is not says why, in one line; lines go on and on.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "crlpress/row_csv.h"
#include "crlpress/source_certificate.h"
#include "crlpress/utc.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static const struct source_points points = {
    .url_pattern = "http://crl.example/{shard}.crl",
    .shard_first = 1,
    .shard_count = 9,
};

#define WITH_CERTIFICATE 0x40

static void
require(bool holds)
{
	if (!holds)
		abort();
}

static void
check_row(const struct source_row *row)
{
	require(row->fault == NULL && row->has_serial && row->has_not_after &&
		row->has_hint);
	require(!uint160_is_zero(&row->serial) && row->serial.octet[0] < 0x80);
	require(row->reason <= 10 && row->reason != 7 && row->reason != 8);
	require(row->revoked_at_sec >= UTC_MIN_SEC &&
		row->revoked_at_sec <= UTC_MAX_SEC);
	require(row->not_after_sec >= UTC_MIN_SEC &&
		row->not_after_sec <= UTC_MAX_SEC);
}

static void
read_all(struct row_csv *csv, bool is_cdp)
{
	struct row_csv_fault fault;
	struct source_row row;
	enum status status;
	uint64_t line = 0;

	while ((status = row_csv_next(csv, &row, &fault)) != STATUS_DONE) {
		require(row_csv_line(csv) > line);
		line = row_csv_line(csv);
		require(status == STATUS_OK || status == STATUS_MALFORMED);
		if (status == STATUS_OK) {
			check_row(&row);
			require(!is_cdp || row.hint.has_shard);
		} else {
			require(
			    fault.why[0] != '\0' &&
			    memchr(fault.why, '\0', sizeof(fault.why)) != NULL);
		}
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct row_csv *csv = NULL;
	bool is_cdp;
	FILE *stream;

	if (len < 2)
		return 0;
	is_cdp = (data[0] & WITH_CERTIFICATE) != 0;
	stream = fmemopen((void *)(uintptr_t)(data + 1), len - 1, "r");
	require(stream != NULL);
	if (row_csv_new(stream, (enum serial_encoding)(data[0] % 3),
		is_cdp ? &points : NULL, &csv) == STATUS_OK)
		read_all(csv, is_cdp);
	row_csv_free(csv);
	(void)fclose(stream);
	return 0;
}
