/* SPDX-License-Identifier: ISC */
/*
 * The text files of a configuration: the file itself and the SQL beside it.
 * Regular files only, bounded, and text that a person can read. No library.
 */
#ifndef CRLPRESS_CONFIG_TEXT_H
#define CRLPRESS_CONFIG_TEXT_H

#include <stddef.h>

#include "crlpress/status.h"

/* A reason why, with what the system said in it. */
#define CONFIG_WHY_BYTES 128

/*
 * Reads a regular file of at most `most` bytes. `*text` is malloc'd and ends
 * with a NUL that `*len` does not count. STATUS_IO with `why` filled in, or
 * STATUS_NO_MEMORY.
 */
enum status config_text_read(const char *path, size_t most, char **text,
    size_t *len, char why[CONFIG_WHY_BYTES]) MUST_CHECK;

/*
 * Whether the bytes are UTF-8 without NUL and without control characters but
 * tabs and line ends (LF or CR LF). STATUS_MALFORMED with the line of the
 * first fault, counted from 1, and static `*why`.
 */
enum status config_text_check(
    const char *text, size_t len, size_t *line, const char **why) MUST_CHECK;

/*
 * Cuts the text of one SQL statement down to the statement: blanks, comments
 * and semicolons behind it go, in place. STATUS_MALFORMED with line and
 * `*why` when it is empty, a quote or comment is not closed, or a second
 * statement follows.
 */
enum status config_text_statement(
    char *sql, size_t *line, const char **why) MUST_CHECK;

#endif
