/* SPDX-License-Identifier: ISC */
/*
 * Reads the files that the signer needs, secrets among them, without stdio:
 * its buffers would keep a copy that nobody wipes.
 */
#include "signer_secret.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

void
signer_notice_add(struct signer_notices *notices, enum signer_notice_code code,
    const char *format, ...)
{
	struct signer_notice *notice;
	va_list list;

	if (notices->count == SIGNER_NOTICES_MOST)
		return;
	notice = &notices->notice[notices->count++];
	notice->code = code;
	va_start(list, format);
	(void)vsnprintf(notice->text, sizeof(notice->text), format, list);
	va_end(list);
}

/* Reads on until `want` octets or the end; -1 with errno. */
static ssize_t
read_whole(int fd, uint8_t *data, size_t want)
{
	size_t got = 0;

	while (got < want) {
		ssize_t n = read(fd, data + got, want - got);

		if (n == -1 && errno == EINTR)
			continue;
		if (n == -1)
			return -1;
		if (n == 0)
			break;
		got += (size_t)n;
	}
	return (ssize_t)got;
}

/* The mode bits that let others than owner and group at a secret. */
static unsigned
mode_exposed(int fd)
{
	struct stat st;

	if (fstat(fd, &st) == -1 || !S_ISREG(st.st_mode))
		return 0;
	return (unsigned)st.st_mode & (S_IROTH | S_IWOTH | S_IWGRP);
}

enum status
signer_file_load(struct signer_file *file, const char *path, size_t most,
    enum signer_notice_code unreadable, enum signer_notice_code exposed,
    struct signer_notices *notices)
{
	enum status status = STATUS_CONFIG;
	uint8_t *data = NULL;
	ssize_t n;
	int fd;

	fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	if (fd == -1) {
		signer_notice_add(notices, unreadable, "cannot be opened: %s",
		    strerror(errno));
		goto out;
	}
	data = malloc(most + 1);
	if (data == NULL) {
		signer_notice_add(
		    notices, SIGNER_NOTICE_PROCESS, "out of memory");
		status = STATUS_NO_MEMORY;
		goto out;
	}
	if (exposed != SIGNER_NOTICE_COUNT && mode_exposed(fd) != 0)
		signer_notice_add(
		    notices, exposed, "may be read or written by others");
	n = read_whole(fd, data, most + 1);
	if (n == -1) {
		signer_notice_add(
		    notices, unreadable, "cannot be read: %s", strerror(errno));
		goto out;
	}
	if ((size_t)n > most) {
		signer_notice_add(notices, unreadable,
		    "is too long, want at most %zu bytes", most);
		goto out;
	}
	file->data = data;
	file->len = (size_t)n;
	data = NULL;
	status = STATUS_OK;
out:
	if (data != NULL)
		explicit_bzero(data, most + 1);
	free(data);
	if (fd != -1)
		(void)close(fd);
	return status;
}

/* The first line of `fd`, without its end. */
static enum status
passphrase_read(
    int fd, struct signer_passphrase *pass, struct signer_notices *notices)
{
	size_t got = 0;
	char *end = NULL;

	/* A terminal or pipe may give a line and then keep still. */
	while (got < sizeof(pass->text) && end == NULL) {
		ssize_t n =
		    read(fd, pass->text + got, sizeof(pass->text) - got);

		if (n == -1 && errno == EINTR)
			continue;
		if (n == -1) {
			signer_notice_add(notices,
			    SIGNER_NOTICE_PASSPHRASE_UNREADABLE,
			    "cannot be read: %s", strerror(errno));
			return STATUS_CONFIG;
		}
		if (n == 0)
			break;
		end = memchr(pass->text + got, '\n', (size_t)n);
		got += (size_t)n;
	}
	pass->len = end != NULL ? (size_t)(end - pass->text) : got;
	if (pass->len > 0 && end != NULL && end[-1] == '\r')
		pass->len--;
	if (pass->len == 0 || pass->len > SIGNER_PASSPHRASE_BYTES_MOST) {
		signer_notice_add(notices, SIGNER_NOTICE_PASSPHRASE_LENGTH,
		    "first line is %s, want 1 to %d bytes",
		    pass->len == 0 ? "empty" : "too long",
		    SIGNER_PASSPHRASE_BYTES_MOST);
		return STATUS_CONFIG;
	}
	pass->given = true;
	return STATUS_OK;
}

enum status
signer_passphrase_load(const struct signer_config *config,
    struct signer_passphrase *pass, struct signer_notices *notices)
{
	enum status status;
	int fd;

	if (config->passphrase_fd != -1)
		return passphrase_read(config->passphrase_fd, pass, notices);
	if (config->passphrase_path == NULL)
		return STATUS_OK;
	fd = open(config->passphrase_path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	if (fd == -1) {
		signer_notice_add(notices, SIGNER_NOTICE_PASSPHRASE_UNREADABLE,
		    "cannot be opened: %s", strerror(errno));
		return STATUS_CONFIG;
	}
	if (mode_exposed(fd) != 0)
		signer_notice_add(notices, SIGNER_NOTICE_PASSPHRASE_EXPOSED,
		    "may be read or written by others");
	status = passphrase_read(fd, pass, notices);
	(void)close(fd);
	return status;
}

void
signer_passphrase_wipe(struct signer_passphrase *pass)
{
	explicit_bzero(pass, sizeof(*pass));
}

void
signer_file_free(struct signer_file *file)
{
	if (file->data == NULL)
		return;
	explicit_bzero(file->data, file->len);
	free(file->data);
	file->data = NULL;
	file->len = 0;
}
