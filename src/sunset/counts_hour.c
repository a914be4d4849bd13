/* SPDX-License-Identifier: ISC */
/*
 * The file of the hour that is not over. It is written in place: a crash while
 * it is leaves lines that are not those the last line counts, and it is left
 * out.
 */
#include "counts_hour.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* "crlpress-hour SIZE", or "end LINES", with LF and NUL. */
#define EDGE_BYTES 64

/* Appended at once. */
#define RECORDS 64

struct counts_hour {
	int fd;
	bool full;   /* more was added than there is room for */
	bool faulty; /* reported: not again until it is mended */
	char *path;
	size_t len; /* of the lines */
	size_t lines;
	/* The lines, with room for what stands before and behind them. */
	char text[COUNTS_HOUR_BYTES_MOST + (size_t)2 * EDGE_BYTES];
};

static void
hour_warn(struct counts_hour *hour, struct report *report, const char *what)
{
	if (!hour->faulty)
		report_warn(report, hour->path, "counts", NULL,
		    "%s: %s; who is killed loses what an hour counted", what,
		    strerror(errno));
	hour->faulty = true;
}

enum status
counts_hour_open(
    const char *counts_path, struct report *report, struct counts_hour **hour)
{
	struct counts_hour *made = calloc(1, sizeof(*made));
	struct stat st;

	*hour = NULL;
	if (made == NULL ||
	    asprintf(&made->path, "%s" COUNTS_HOUR_SUFFIX, counts_path) < 0) {
		free(made);
		return STATUS_NO_MEMORY;
	}
	/* Not to wait for the other end where it is a pipe. */
	made->fd = open(made->path,
	    O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0644);
	if (made->fd >= 0 && fstat(made->fd, &st) == 0 && S_ISREG(st.st_mode)) {
		*hour = made;
		return STATUS_OK;
	}
	hour_warn(made, report, "cannot be opened");
	counts_hour_close(made);
	return STATUS_OK;
}

static bool
size_of(int fd, int64_t *size)
{
	struct stat st;

	if (fstat(fd, &st) != 0)
		return false;
	*size = st.st_size;
	return true;
}

/* All of it, into `text`; false when it is empty or cannot be read. */
static bool
file_read(struct counts_hour *hour)
{
	hour->len = 0;
	while (hour->len < sizeof(hour->text) - 1) {
		ssize_t n = pread(hour->fd, hour->text + hour->len,
		    sizeof(hour->text) - 1 - hour->len, (off_t)hour->len);

		if (n <= 0)
			break;
		hour->len += (size_t)n;
	}
	hour->text[hour->len] = '\0';
	return hour->len > 0;
}

/*
 * Where the lines begin and end between the first and the last, and how many
 * they are to be; false when these two are not as they are written.
 */
static bool
edges_read(
    struct counts_hour *hour, int64_t *size, const char **at, const char **end)
{
	char want[EDGE_BYTES];
	const char *last;
	int64_t read = 0;

	if (sscanf(hour->text, "crlpress-hour %" SCNd64, &read) != 1 ||
	    snprintf(want, sizeof(want), "crlpress-hour %" PRId64 "\n", read) <
		0 ||
	    strncmp(hour->text, want, strlen(want)) != 0)
		return false;
	*size = read;
	*at = hour->text + strlen(want);
	last = strstr(hour->text, "\nend ");
	if (last == NULL || last + 1 < *at)
		return false;
	*end = last + 1;
	hour->lines = 0;
	for (const char *p = *at; p < *end; p++)
		hour->lines += *p == '\n';
	(void)snprintf(want, sizeof(want), "end %zu\n", hour->lines);
	return strcmp(*end, want) == 0 &&
	       hour->len == (size_t)(*end - hour->text) + strlen(want);
}

/* Reads every line; with a `file`, appends them. */
static enum status
lines_take(const char *at, const char *end, struct counts_file *file,
    struct report *report)
{
	struct count_record record[RECORDS];
	const char *why = NULL;
	enum status status = STATUS_OK;
	size_t count = 0;

	while (status == STATUS_OK && at < end) {
		const char *lf = memchr(at, '\n', (size_t)(end - at));

		status = count_record_parse(
		    at, (size_t)(lf - at), &record[count++], &why);
		at = lf + 1;
		if (status != STATUS_OK || (count < RECORDS && at < end))
			continue;
		if (file != NULL)
			status =
			    counts_file_append(file, record, count, report);
		count = 0;
	}
	return status;
}

enum status
counts_hour_recover(
    struct counts_hour *hour, struct counts_file *file, struct report *report)
{
	const char *at = NULL, *end = NULL;
	int64_t then = 0, now = 0;
	enum status status = STATUS_OK;

	if (hour == NULL || !file_read(hour))
		return STATUS_OK;
	if (!edges_read(hour, &then, &at, &end) ||
	    lines_take(at, end, NULL, report) != STATUS_OK)
		report_warn(report, hour->path, "counts", NULL,
		    "torn: what the last hour counted is lost");
	else if (size_of(counts_file_fd(file), &now) && now == then) {
		status = lines_take(at, end, file, report);
		if (status == STATUS_OK)
			report_note(report, hour->path,
			    "an hour that did not end: %zu lines", hour->lines);
	}
	if (status == STATUS_OK)
		counts_hour_clear(hour);
	hour->len = 0;
	hour->lines = 0;
	return status;
}

void
counts_hour_add(struct counts_hour *hour, const char *text, size_t len)
{
	if (hour == NULL || hour->full)
		return;
	hour->full = len > COUNTS_HOUR_BYTES_MOST - hour->len;
	if (hour->full)
		return;
	memcpy(hour->text + EDGE_BYTES + hour->len, text, len);
	hour->len += len;
	for (size_t i = 0; i < len; i++)
		hour->lines += text[i] == '\n';
}

/* What is in `text`, and nothing behind it. */
static bool
text_write(struct counts_hour *hour, const char *text, size_t len)
{
	ssize_t n;

	do
		n = pwrite(hour->fd, text, len, 0);
	while (n < 0 && errno == EINTR);
	/* A part of it is not what the last line says. */
	return n >= 0 && ftruncate(hour->fd, n) == 0 && (size_t)n == len &&
	       fdatasync(hour->fd) == 0;
}

void
counts_hour_save(struct counts_hour *hour, const struct counts_file *file,
    struct report *report)
{
	char first[EDGE_BYTES];
	size_t first_len, last_len;
	int64_t size = 0;
	char *text;

	if (hour == NULL)
		return;
	errno = EFBIG;
	if (hour->full || !size_of(counts_file_fd(file), &size)) {
		counts_hour_clear(hour);
		hour_warn(hour, report, "cannot be written");
	} else {
		first_len = (size_t)snprintf(
		    first, sizeof(first), "crlpress-hour %" PRId64 "\n", size);
		text = hour->text + EDGE_BYTES - first_len;
		memcpy(text, first, first_len);
		last_len = (size_t)snprintf(hour->text + EDGE_BYTES + hour->len,
		    EDGE_BYTES, "end %zu\n", hour->lines);
		if (text_write(hour, text, first_len + hour->len + last_len))
			hour->faulty = false;
		else
			hour_warn(hour, report, "cannot be written");
	}
	hour->len = 0;
	hour->lines = 0;
	hour->full = false;
}

void
counts_hour_clear(struct counts_hour *hour)
{
	if (hour != NULL)
		(void)!ftruncate(hour->fd, 0);
}

void
counts_hour_close(struct counts_hour *hour)
{
	if (hour == NULL)
		return;
	if (hour->fd >= 0)
		(void)close(hour->fd);
	free(hour->path);
	free(hour);
}
