/* SPDX-License-Identifier: ISC */
/* Puts the expiry file in its place: all of it, or the old one stays. */
#ifndef CRLPRESS_EXPIRY_FILE_H
#define CRLPRESS_EXPIRY_FILE_H

#include <stddef.h>

#include "crlpress/report.h"
#include "crlpress/status.h"

/*
 * Writes `text` beside `path`, syncs it, renames it and syncs the directory.
 * Everybody may read it. STATUS_IO, reported, when it could not be done.
 */
enum status expiry_file_write(const char *path, const char *text, size_t len,
    struct report *report) MUST_CHECK;

#endif
