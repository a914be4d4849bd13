/* SPDX-License-Identifier: ISC */
/*
 * The expiry file on disk. A reader has the old one or the new one, also
 * after a crash: the bytes are synced before the name is, and the directory
 * is after.
 */
#include "crlpress/expiry_file.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static enum status
write_fault(const char *path, const char *what, struct report *report)
{
	return report_fault(report, STATUS_IO, path, "ocsp-expiry", NULL,
	    "cannot %s: %s", what, strerror(errno));
}

/* What is in it, and nothing less, is on disk. */
static enum status
text_write(int fd, const char *path, const char *text, size_t len,
    struct report *report)
{
	ssize_t n = write(fd, text, len);

	if (n >= 0 && (size_t)n != len)
		errno = ENOSPC;
	if (n != (ssize_t)len || fsync(fd) == -1)
		return write_fault(path, "write it", report);
	/* mkostemp lets nobody else read it. */
	if (fchmod(fd, 0644) == -1)
		return write_fault(path, "let others read it", report);
	return STATUS_OK;
}

static enum status
directory_sync(const char *path, struct report *report)
{
	char *copy = strdup(path);
	enum status status = STATUS_OK;
	int fd;

	if (copy == NULL)
		return STATUS_NO_MEMORY;
	fd = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd == -1 || fsync(fd) == -1)
		status = write_fault(path, "sync its directory", report);
	if (fd != -1)
		(void)close(fd);
	free(copy);
	return status;
}

enum status
expiry_file_write(
    const char *path, const char *text, size_t len, struct report *report)
{
	enum status status;
	char *partial = NULL;
	int fd;

	if (asprintf(&partial, "%s.XXXXXX", path) == -1)
		return STATUS_NO_MEMORY;
	fd = mkostemp(partial, O_CLOEXEC);
	if (fd == -1) {
		status = write_fault(path, "make a file beside it", report);
		free(partial);
		return status;
	}
	status = text_write(fd, path, text, len, report);
	if (close(fd) == -1 && status == STATUS_OK)
		status = write_fault(path, "write it", report);
	if (status == STATUS_OK && rename(partial, path) == -1)
		status = write_fault(path, "rename it into place", report);
	if (status != STATUS_OK)
		(void)unlink(partial);
	else
		status = directory_sync(path, report);
	free(partial);
	return status;
}
