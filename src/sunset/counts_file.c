/* SPDX-License-Identifier: ISC */
/*
 * The counts file, from the side of its one writer. Records are only ever
 * appended and synced; a line torn by a crash or a full disk is ended, never
 * cut off, so that the file may be append-only to this process too.
 */
#include "counts.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

/* Lines are gathered up to here between two writes. */
#define BATCH_BYTES ((size_t)64 * 1024)
_Static_assert(BATCH_BYTES > COUNT_LINE_BYTES, "a batch holds a line");

static const char torn_end[] = COUNT_TORN "\n";

struct counts_file {
	int fd;
	bool torn; /* the file may not end with a LF */
	char *path;
	size_t len;
	char batch[BATCH_BYTES];
};

static enum status
file_fault(
    const struct counts_file *file, struct report *report, const char *what)
{
	return report_fault(report, STATUS_IO, file->path, "counts", NULL,
	    "%s: %s", what, strerror(errno));
}

/* What is in the batch. A part of it may have reached the file on failure. */
static enum status
batch_write(struct counts_file *file, struct report *report)
{
	size_t done = 0;

	while (done < file->len) {
		ssize_t n =
		    write(file->fd, file->batch + done, file->len - done);

		if (n == -1 && errno == EINTR)
			continue;
		if (n == -1)
			return file_fault(file, report, "cannot be written");
		done += (size_t)n;
		file->torn = file->batch[done - 1] != '\n';
	}
	file->len = 0;
	return STATUS_OK;
}

static enum status
torn_line_end(struct counts_file *file, struct report *report)
{
	if (!file->torn)
		return STATUS_OK;
	file->len = sizeof(torn_end) - 1;
	memcpy(file->batch, torn_end, file->len);
	return batch_write(file, report);
}

/* Whether the file ends within a line. */
static enum status
file_examine(struct counts_file *file, struct report *report)
{
	struct stat st;
	char last = '\n';

	if (fstat(file->fd, &st) == -1)
		return file_fault(file, report, "cannot be examined");
	if (!S_ISREG(st.st_mode))
		return report_fault(report, STATUS_IO, file->path, "counts",
		    NULL, "not a regular file");
	if (st.st_size > 0 && pread(file->fd, &last, 1, st.st_size - 1) != 1)
		return file_fault(file, report, "cannot be read");
	file->torn = last != '\n';
	if (file->torn)
		report_warn(report, file->path, "counts", NULL,
		    "ends within a line, which is left out");
	return STATUS_OK;
}

static enum status
file_lock(struct counts_file *file, struct report *report)
{
	if (flock(file->fd, LOCK_EX | LOCK_NB) == 0)
		return STATUS_OK;
	if (errno != EWOULDBLOCK)
		return file_fault(file, report, "cannot be locked");
	return report_fault(report, STATUS_LOCKED, file->path, "counts", NULL,
	    "another process writes to it");
}

enum status
counts_file_open(
    const char *path, struct report *report, struct counts_file **file)
{
	struct counts_file *made = calloc(1, sizeof(*made));
	enum status status = STATUS_OK;

	*file = NULL;
	if (made == NULL)
		return STATUS_NO_MEMORY;
	made->fd = -1;
	made->path = strdup(path);
	if (made->path == NULL) {
		counts_file_close(made);
		return STATUS_NO_MEMORY;
	}
	/* Not to wait for the other end where it is a pipe. */
	made->fd = open(path,
	    O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK,
	    0644);
	if (made->fd == -1)
		status = file_fault(made, report, "cannot be opened");
	if (status == STATUS_OK)
		status = file_lock(made, report);
	if (status == STATUS_OK)
		status = file_examine(made, report);
	if (status == STATUS_OK)
		status = torn_line_end(made, report);
	if (status == STATUS_OK)
		*file = made;
	else
		counts_file_close(made);
	return status;
}

enum status
counts_file_append(struct counts_file *file, const struct count_record *record,
    size_t count, struct report *report)
{
	char line[COUNT_LINE_BYTES];
	enum status status;

	if (count == 0)
		return STATUS_OK;
	/* What an append that failed left of itself is not tried again: some
	 * of its lines may be in the file. */
	file->len = 0;
	status = torn_line_end(file, report);
	for (size_t i = 0; status == STATUS_OK && i < count; i++) {
		size_t len = count_record_format(&record[i], line);

		if (file->len + len > sizeof(file->batch))
			status = batch_write(file, report);
		if (status != STATUS_OK)
			break;
		memcpy(file->batch + file->len, line, len);
		file->len += len;
	}
	if (status == STATUS_OK)
		status = batch_write(file, report);
	if (status == STATUS_OK && fdatasync(file->fd) == -1)
		status = file_fault(file, report, "cannot be synced");
	return status;
}

int
counts_file_fd(const struct counts_file *file)
{
	return file->fd;
}

void
counts_file_close(struct counts_file *file)
{
	if (file == NULL)
		return;
	if (file->fd != -1)
		(void)close(file->fd);
	free(file->path);
	free(file);
}
