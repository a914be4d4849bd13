/* SPDX-License-Identifier: ISC */
/*
 * A file that is replaced as a whole. A reader has the old one or the new one,
 * also after a crash: the bytes are synced before the name is, and the
 * directory is after.
 */
#include "crlpress/file_replace.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "crlpress/fd_io.h"

static enum status
write_fault(const struct file_replace *file, const char *what)
{
	return report_fault(file->report, STATUS_IO, file->path, file->rule,
	    NULL, "cannot %s: %s", what, strerror(errno));
}

/* What is in it, and nothing less, is on disk. */
static enum status
data_write(int fd, const struct file_replace *file)
{
	if (!fd_write(fd, file->data, file->len) || fsync(fd) == -1)
		return write_fault(file, "write it");
	/* mkostemp lets nobody else read it. */
	if (fchmod(fd, 0644) == -1)
		return write_fault(file, "let others read it");
	return STATUS_OK;
}

static enum status
directory_sync(const struct file_replace *file)
{
	char *copy = strdup(file->path);
	enum status status = STATUS_OK;
	int fd;

	if (copy == NULL)
		return STATUS_NO_MEMORY;
	fd = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd == -1 || fsync(fd) == -1)
		status = write_fault(file, "sync its directory");
	if (fd != -1)
		(void)close(fd);
	free(copy);
	return status;
}

enum status
file_replace(const struct file_replace *file)
{
	enum status status;
	char *partial = NULL;
	int fd;

	if (asprintf(&partial, "%s.XXXXXX", file->path) == -1)
		return STATUS_NO_MEMORY;
	fd = mkostemp(partial, O_CLOEXEC);
	if (fd == -1) {
		status = write_fault(file, "make a file beside it");
		free(partial);
		return status;
	}
	status = data_write(fd, file);
	if (close(fd) == -1 && status == STATUS_OK)
		status = write_fault(file, "write it");
	if (status == STATUS_OK && rename(partial, file->path) == -1)
		status = write_fault(file, "rename it into place");
	if (status != STATUS_OK)
		(void)unlink(partial);
	else
		status = directory_sync(file);
	free(partial);
	return status;
}
