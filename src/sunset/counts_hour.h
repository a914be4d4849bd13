/* SPDX-License-Identifier: ISC */
/*
 * What was counted in the hour that is not over: a small file beside the
 * counts file, with ".hour" behind its name, written anew each minute and
 * thrown away when the hour's lines are in the counts file. So that file has
 * a line an hour and is only appended to, and who is killed loses a minute.
 *
 *   crlpress-hour SIZE      of the counts file when this was written
 *   2026-12-01T13Z ...      lines as they would be appended
 *   end LINES
 *
 * When the counts file has grown since, these lines are in it, or a part of
 * them without the time they belong to: they are not added again.
 */
#ifndef CRLPRESS_COUNTS_HOUR_H
#define CRLPRESS_COUNTS_HOUR_H

#include <stddef.h>

#include "crlpress/report.h"
#include "crlpress/status.h"

#include "counts.h"

#define COUNTS_HOUR_SUFFIX ".hour"

/* Two thousand of the longest lines; with more, nothing is kept. */
#define COUNTS_HOUR_BYTES_MOST ((size_t)1 << 20)

struct counts_hour;

/*
 * Opens or makes the file. Where that cannot be, a warning is reported and
 * `*hour` is NULL, which all others take. STATUS_NO_MEMORY.
 */
enum status counts_hour_open(const char *counts_path, struct report *report,
    struct counts_hour **hour) MUST_CHECK;

/*
 * Appends what the file has to the counts file, if nothing was appended since,
 * and clears it. A file that is torn is reported and left out.
 */
enum status counts_hour_recover(struct counts_hour *hour,
    struct counts_file *file, struct report *report) MUST_CHECK;

/* Gathers whole lines; then writes them in place of what was there. */
void counts_hour_add(struct counts_hour *hour, const char *text, size_t len);
void counts_hour_save(struct counts_hour *hour, const struct counts_file *file,
    struct report *report);

/* All is in the counts file. */
void counts_hour_clear(struct counts_hour *hour);

void counts_hour_close(struct counts_hour *hour);

#endif
