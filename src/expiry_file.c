/* SPDX-License-Identifier: ISC */
/* The expiry file on disk, which another program reads at any time. */
#include "crlpress/expiry_file.h"

#include "crlpress/file_replace.h"

enum status
expiry_file_write(
    const char *path, const char *text, size_t len, struct report *report)
{
	const struct file_replace file = {
	    .path = path,
	    .data = text,
	    .len = len,
	    .rule = "ocsp-expiry",
	    .report = report,
	};

	return file_replace(&file);
}
