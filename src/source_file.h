/* SPDX-License-Identifier: ISC */
/* What the files of a source that is no database share. */
#ifndef CRLPRESS_SOURCE_FILE_H
#define CRLPRESS_SOURCE_FILE_H

#include "crlpress/crl_read.h"
#include "crlpress/index_read.h"
#include "crlpress/issuer.h"
#include "source_impl.h"

struct source_file {
	struct source source; /* first: a pointer to it is one to all */
	struct report *report;
	const struct source_format *format;
	const char *place; /* in messages */
	uint8_t *bytes;    /* as they were read, or the DER of PEM */
	size_t len;
	int64_t lookback_sec;
	enum {
		FILE_READ,    /* all of it is known to be right */
		FILE_STARTED, /* rows are being taken out of it */
		FILE_COMPLETE
	} phase;
	/* Of SOURCE_CRL. */
	struct issuer *issuer;
	struct crl crl;
	size_t position;
	/* Of SOURCE_INDEX. */
	struct index_reader reader;
};

/* How a kind of file is read. */
struct source_format {
	/*
	 * All of file->bytes, before any row is made of it; fills in the
	 * snapshot. What is wrong is reported.
	 */
	enum status (*check)(struct source_file *file);
	void (*rewind)(struct source_file *file);
	/* One that must be listed; STATUS_DONE after the last. It was checked,
	 * so that another status is a fault of this program. */
	enum status (*next)(struct source_file *file, struct source_row *row);
};

extern const struct source_format source_crl;   /* source_crl.c */
extern const struct source_format source_index; /* source_index.c */

/*
 * source_load.c: the bytes of the configured place, malloc'd, at most
 * size_most of them; reported where they are not to be had. Of a path that no
 * regular file has, or whose file changes meanwhile, there are none.
 */
enum status source_load(const struct source_config *config,
    struct report *report, uint8_t **bytes, size_t *len) MUST_CHECK;

/* A row that has everything but what is then set. */
struct source_row source_file_row(const struct uint160 *serial,
    int64_t revoked_at_sec, int reason, int64_t not_after_sec);

#endif
