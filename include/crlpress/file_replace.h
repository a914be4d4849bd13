/* SPDX-License-Identifier: ISC */
/* Replaces a file as a whole, by way of one beside it. */
#ifndef CRLPRESS_FILE_REPLACE_H
#define CRLPRESS_FILE_REPLACE_H

#include <stddef.h>

#include "crlpress/report.h"
#include "crlpress/status.h"

/* Borrowed, all of it; `rule` is static text. */
struct file_replace {
	const char *path;
	const void *data;
	size_t len;
	const char *rule; /* of the faults */
	struct report *report;
};

/*
 * The file is on disk, with mode 0644, when it returns. STATUS_IO, reported,
 * and what was there before still is; STATUS_NO_MEMORY, not reported.
 */
enum status file_replace(const struct file_replace *file) MUST_CHECK;

#endif
