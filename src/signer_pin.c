/* SPDX-License-Identifier: ISC */
#include "signer_pin.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "crlpress/key_uri.h"

#define MARK_NAME "pin-refused"

/* Five numbers, and what is between them; the URI and the module. */
#define SOURCE_BYTES 160
#define MODULE_BYTES_MOST 4096
#define MARK_BYTES (SOURCE_BYTES + KEY_URI_BYTES + MODULE_BYTES_MOST)

static bool
is_watched(const struct signer_config *config)
{
	return config->pin_mark_dir != NULL && key_uri_is(config->key_path) &&
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

/* The parts of a URI that say which key, and not which token. */
static bool
is_of_key(const char *part)
{
	static const char *const names[] = {
	    "object=", "id=", "type=", "pin-source="};

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		if (strncmp(part, names[i], strlen(names[i])) == 0)
			return true;
	return false;
}

/* The token, of which several issuers may have a key. */
static void
token_describe(const char *uri, char out[KEY_URI_BYTES])
{
	size_t len = 0;

	while (*uri != '\0') {
		size_t part = strcspn(uri, ":;?&");
		size_t whole = part + (uri[part] != '\0');

		if (!is_of_key(uri) && len + part + 2 <= KEY_URI_BYTES) {
			memcpy(out + len, uri, part);
			len += part;
			out[len++] = ' ';
		}
		uri += whole;
	}
	out[len] = '\0';
}

static void
mark_describe(const struct signer_config *config, char out[MARK_BYTES])
{
	char source[SOURCE_BYTES], token[KEY_URI_BYTES];

	source_describe(config, source);
	token_describe(config->key_path, token);
	snprintf(out, MARK_BYTES, "%s%s\n%s\n", source, token,
	    config->module_path != NULL ? config->module_path : "");
}

/* What stands in an issuer's mark: its length, or -1 with errno. */
static ssize_t
mark_read(const char *path, char mark[MARK_BYTES])
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	int error;
	ssize_t n;

	if (fd == -1)
		return -1;
	n = read(fd, mark, MARK_BYTES);
	error = errno;
	(void)close(fd);
	errno = error;
	return n;
}

static bool
mark_is(const char *mark, ssize_t n, const char *want)
{
	return n > 0 && (size_t)n == strlen(want) &&
	       memcmp(mark, want, (size_t)n) == 0;
}

static char *
mark_path(const struct signer_config *config, const char *issuer)
{
	char *path;

	return asprintf(
		   &path, "%s/%s/" MARK_NAME, config->pin_mark_dir, issuer) < 0
		   ? NULL
		   : path;
}

static enum status
no_memory(const struct signer_config *config, struct report *report)
{
	return report_fault(report, STATUS_NO_MEMORY, config->key_path, "key",
	    NULL, "out of memory");
}

static enum status
refused_before(
    const struct signer_config *config, struct report *report, const char *mark)
{
	report_fault(report, STATUS_CONFIG, config->key_path, "key",
	    "house rule",
	    "the token refused this PIN before, and it has not changed since");
	report_hint(report,
	    "give the right PIN; when it was right and the token was not, "
	    "remove %s",
	    mark);
	return STATUS_CONFIG;
}

static enum status
check_own(
    const struct signer_config *config, const char *want, struct report *report)
{
	char *path = mark_path(config, config->pin_mark_issuer);
	enum status status = STATUS_OK;
	char mark[MARK_BYTES];
	ssize_t n;

	if (path == NULL)
		return no_memory(config, report);
	n = mark_read(path, mark);
	if (n == -1 && errno != ENOENT)
		status = report_fault(report, STATUS_FAILED, path, "key", NULL,
		    "cannot be read: %s", strerror(errno));
	/* What is empty counts as the same: it locks nothing. */
	else if (n == 0 || mark_is(mark, n, want))
		status = refused_before(config, report, path);
	else if (n > 0)
		(void)unlink(path);
	free(path);
	return status;
}

/* Other issuers with the same token, PIN file and state directory. */
static enum status
check_others(
    const struct signer_config *config, const char *want, struct report *report)
{
	DIR *directory = opendir(config->pin_mark_dir);
	enum status status = STATUS_OK;
	const struct dirent *entry;
	char mark[MARK_BYTES];

	if (directory == NULL)
		return STATUS_OK;
	while (status == STATUS_OK && (entry = readdir(directory)) != NULL) {
		char *path;

		if (entry->d_name[0] == '.')
			continue;
		path = mark_path(config, entry->d_name);
		if (path == NULL)
			status = no_memory(config, report);
		else if (mark_is(mark, mark_read(path, mark), want))
			status = refused_before(config, report, path);
		free(path);
	}
	(void)closedir(directory);
	return status;
}

enum status
signer_pin_check(const struct signer_config *config, struct report *report)
{
	char want[MARK_BYTES];
	enum status status;

	if (!is_watched(config))
		return STATUS_OK;
	mark_describe(config, want);
	status = check_own(config, want, report);
	return status == STATUS_OK ? check_others(config, want, report)
				   : status;
}

void
signer_pin_refused(const struct signer_config *config, struct report *report)
{
	char mark[MARK_BYTES];
	bool kept = false;
	char *path;
	int fd;

	if (!is_watched(config))
		return;
	mark_describe(config, mark);
	path = mark_path(config, config->pin_mark_issuer);
	fd = path == NULL
		 ? -1
		 : open(path,
		       O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW,
		       0644);
	kept = fd != -1 &&
	       write(fd, mark, strlen(mark)) == (ssize_t)strlen(mark) &&
	       fsync(fd) == 0;
	if (!kept)
		report_warn(report, path != NULL ? path : MARK_NAME, "key",
		    NULL,
		    "cannot be written, the next run tries the PIN again: %s",
		    strerror(errno));
	if (fd != -1)
		(void)close(fd);
	free(path);
}
