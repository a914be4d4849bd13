/* SPDX-License-Identifier: ISC */
/*
 * The counts file, from the side of its readers. A line that ends in " torn",
 * or the last one without its LF, is what a crash left: it is dropped,
 * whatever is in it. Nothing else is.
 */
#include "counts_read.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define TORN_LEN (sizeof(COUNT_TORN) - 1)

struct counts_reader {
	const char *path;
	FILE *stream;
	const struct counts_taker *taker;
	struct report *report;
	uint64_t line;
	uint64_t torn;
	enum status status;
	size_t len; /* of the line, which may be longer than its buffer */
	char text[COUNT_LINE_BYTES];
	char tail[TORN_LEN]; /* the last bytes of it, in a ring */
};

/* The next line; false at the end. `*whole` says whether it had its LF. */
static bool
line_next(struct counts_reader *reader, bool *whole)
{
	int c;

	reader->len = 0;
	while ((c = getc_unlocked(reader->stream)) != EOF && c != '\n') {
		if (reader->len < sizeof(reader->text))
			reader->text[reader->len] = (char)c;
		reader->tail[reader->len % TORN_LEN] = (char)c;
		reader->len++;
	}
	*whole = c == '\n';
	if (!*whole && reader->len == 0)
		return false;
	reader->line++;
	return true;
}

static bool
line_is_torn(const struct counts_reader *reader)
{
	if (reader->len < TORN_LEN)
		return false;
	for (size_t i = 0; i < TORN_LEN; i++)
		if (reader->tail[(reader->len + i) % TORN_LEN] != COUNT_TORN[i])
			return false;
	return true;
}

static void
line_take(struct counts_reader *reader)
{
	struct count_record record;
	const char *why = NULL;

	if (reader->len > sizeof(reader->text))
		why = "a long line";
	else if (count_record_parse(reader->text, reader->len, &record, &why) ==
		 STATUS_OK)
		why = reader->taker->take(reader->taker->context, &record);
	if (why != NULL)
		reader->status = report_fault(reader->report, STATUS_MALFORMED,
		    reader->path, "counts", NULL, "line %" PRIu64 ": %s",
		    reader->line, why);
}

enum status
counts_read(
    const char *path, const struct counts_taker *taker, struct report *report)
{
	struct counts_reader reader = {
	    .path = path, .taker = taker, .report = report};
	bool whole;

	reader.stream = fopen(path, "re");
	if (reader.stream == NULL)
		return report_fault(report, STATUS_IO, path, "counts", NULL,
		    "cannot be opened: %s", strerror(errno));
	while (line_next(&reader, &whole)) {
		if (whole && !line_is_torn(&reader))
			line_take(&reader);
		else
			reader.torn++;
	}
	if (ferror(reader.stream))
		reader.status = report_fault(report, STATUS_IO, path, "counts",
		    NULL, "cannot be read: %s", strerror(errno));
	if (reader.torn > 0)
		report_warn(report, path, "counts", NULL,
		    "torn lines left out: %" PRIu64, reader.torn);
	(void)fclose(reader.stream);
	return reader.status;
}
