/* SPDX-License-Identifier: ISC */
/*
 * CSV (RFC 4180) as psql prints it: records of fields, a field in quotes where
 * it has a comma, a quote or the end of a line in it. Pure but for the stream;
 * no library.
 */
#ifndef CRLPRESS_CSV_RECORD_H
#define CRLPRESS_CSV_RECORD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "crlpress/status.h"

/* Fields that are kept of a record; what is more is counted. */
#define CSV_FIELDS_MOST 8

/* Without quotes; inside of the reader's text. */
struct csv_field {
	char *text;
	size_t len;
};

/* Zero but for the first three, which are the caller's. */
struct csv_reader {
	FILE *stream;
	char *text;  /* room for a record */
	size_t room; /* octets of the longest */
	size_t len;
	uint64_t lines; /* that were begun */
	uint64_t line;  /* on which the record begins, from 1 */
	size_t fields;  /* of the record, those that are not kept too */
	struct csv_field field[CSV_FIELDS_MOST];
	bool is_over; /* nothing more is to be read */
	bool is_cut;  /* but there may be more that cannot be */
};

/*
 * The next record; empty lines are none. STATUS_DONE after the last, STATUS_IO
 * where errno tells why. STATUS_MALFORMED with static `*why`: the next can be
 * read, unless it `is_cut`.
 */
enum status csv_record_read(
    struct csv_reader *reader, const char **why) MUST_CHECK;

#endif
