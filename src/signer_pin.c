/* SPDX-License-Identifier: ISC */
#include "signer_pin.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "crlpress/key_uri.h"

/* Five numbers, and what is between them. */
#define SOURCE_BYTES 160

static bool
is_watched(const struct signer_config *config)
{
	return config->pin_mark_path != NULL && key_uri_is(config->key_path) &&
	       (config->passphrase_fd != -1 || config->passphrase_path != NULL);
}

/*
 * The file that the PIN is in, as of its last change. What is no file, such as
 * a pipe, is always the same.
 */
static void
source_describe(const struct signer_config *config, char out[SOURCE_BYTES])
{
	struct stat st;
	int error = config->passphrase_fd != -1
			? fstat(config->passphrase_fd, &st)
			: stat(config->passphrase_path, &st);

	if (error == -1 || !S_ISREG(st.st_mode)) {
		snprintf(out, SOURCE_BYTES, "no file\n");
		return;
	}
	snprintf(out, SOURCE_BYTES,
	    "file %ju %ju %jd changed %jd.%09ld %jd.%09ld\n",
	    (uintmax_t)st.st_dev, (uintmax_t)st.st_ino, (intmax_t)st.st_size,
	    (intmax_t)st.st_mtim.tv_sec, st.st_mtim.tv_nsec,
	    (intmax_t)st.st_ctim.tv_sec, st.st_ctim.tv_nsec);
}

enum status
signer_pin_check(const struct signer_config *config, struct report *report)
{
	char source[SOURCE_BYTES], mark[SOURCE_BYTES];
	ssize_t n;
	int fd;

	if (!is_watched(config))
		return STATUS_OK;
	fd = open(config->pin_mark_path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd == -1 && errno == ENOENT)
		return STATUS_OK;
	if (fd == -1)
		return report_fault(report, STATUS_FAILED,
		    config->pin_mark_path, "key", NULL, "cannot be opened: %s",
		    strerror(errno));
	n = read(fd, mark, sizeof(mark));
	(void)close(fd);
	source_describe(config, source);
	/* What cannot be read counts as the same: it locks nothing. */
	if (n > 0 && ((size_t)n != strlen(source) ||
			 memcmp(mark, source, (size_t)n) != 0)) {
		(void)unlink(config->pin_mark_path);
		return STATUS_OK;
	}
	report_fault(report, STATUS_CONFIG, config->key_path, "key",
	    "house rule",
	    "the token refused this PIN before, and it has not changed since");
	report_hint(report,
	    "give the right PIN; when it was right and the token was not, "
	    "remove %s",
	    config->pin_mark_path);
	return STATUS_CONFIG;
}

void
signer_pin_refused(const struct signer_config *config, struct report *report)
{
	char source[SOURCE_BYTES];
	bool kept;
	int fd;

	if (!is_watched(config))
		return;
	source_describe(config, source);
	fd = open(config->pin_mark_path,
	    O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0644);
	kept = fd != -1 &&
	       write(fd, source, strlen(source)) == (ssize_t)strlen(source) &&
	       fsync(fd) == 0;
	if (!kept)
		report_warn(report, config->pin_mark_path, "key", NULL,
		    "cannot be written, the next run tries the PIN again: %s",
		    strerror(errno));
	if (fd != -1)
		(void)close(fd);
}
