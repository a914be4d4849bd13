/* SPDX-License-Identifier: ISC */
/* Reads a counts file, line by line; a bad line is named by its number. */
#ifndef CRLPRESS_COUNTS_READ_H
#define CRLPRESS_COUNTS_READ_H

#include "counts.h"

/*
 * Takes a record in; NULL, or static text with what is wrong with it.
 */
struct counts_taker {
	const char *(*take)(void *context, const struct count_record *record);
	void *context;
};

/*
 * Gives every record of the file to `taker`. Lines that a crash tore are left
 * out with a warning. Every bad line is a fault (STATUS_MALFORMED), and the
 * rest is read all the same, to name them all.
 */
enum status counts_read(const char *path, const struct counts_taker *taker,
    struct report *report) MUST_CHECK;

#endif
