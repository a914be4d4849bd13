/* SPDX-License-Identifier: ISC */
/*
 * The directory that is carried: which files it has, and their bytes. Others
 * had it in their hands, so that it has exactly what the request names.
 */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "crlpress/config_text.h"
#include "crlpress/file_replace.h"
#include "sign_impl.h"

enum status
sign_no_memory(const struct sign *sign)
{
	return report_fault(sign->report, STATUS_NO_MEMORY, sign->config->name,
	    NULL, NULL, "out of memory");
}

char *
sign_path(const struct sign *sign, const char *name)
{
	char *path = NULL;

	if (asprintf(&path, "%s/%s", sign->options->dir, name) >= 0)
		return path;
	(void)sign_no_memory(sign);
	return NULL;
}

enum status
sign_file_read(const struct sign *sign, const char *path, size_t most,
    struct sign_bytes *bytes)
{
	char why[CONFIG_WHY_BYTES];
	char *data = NULL;
	enum status status;
	struct stat st;

	if (stat(path, &st) != 0) {
		if (errno == ENOENT)
			return STATUS_NOT_FOUND;
		return report_fault(sign->report, STATUS_REFUSED, path,
		    SIGN_RULE, NULL, "cannot be examined: %s", strerror(errno));
	}
	/* No more memory than it needs; what grows now is too large. */
	if (st.st_size >= 0 && (uintmax_t)st.st_size < most)
		status = config_text_read(
		    path, (size_t)st.st_size, &data, &bytes->len, why);
	else
		status = config_text_read(path, most, &data, &bytes->len, why);
	bytes->data = (uint8_t *)data;
	if (status == STATUS_NO_MEMORY)
		return sign_no_memory(sign);
	if (status != STATUS_OK)
		return report_fault(sign->report, STATUS_REFUSED, path,
		    SIGN_RULE, "house rule", "%s, want at most %zu bytes", why,
		    most);
	return STATUS_OK;
}

enum status
sign_file_write(
    const struct sign *sign, const char *path, const void *data, size_t len)
{
	const struct file_replace file = {
	    .path = path,
	    .data = data,
	    .len = len,
	    .rule = SIGN_RULE,
	    .report = sign->report,
	};
	enum status status = file_replace(&file);

	return status == STATUS_NO_MEMORY ? sign_no_memory(sign) : status;
}

enum status
sign_dir_request(struct sign *sign)
{
	char *path = sign_path(sign, REQUEST_NAME);
	struct sign_bytes text = {NULL, 0};
	const char *why = NULL;
	enum status status;
	size_t line = 0;

	if (path == NULL)
		return STATUS_NO_MEMORY;
	status = sign_file_read(sign, path, REQUEST_BYTES_MOST, &text);
	if (status == STATUS_NOT_FOUND)
		status = report_fault(sign->report, STATUS_REFUSED, path,
		    SIGN_RULE, "house rule",
		    "not there: no directory that publish --stage-tbs "
		    "finished");
	if (status != STATUS_OK)
		goto out;
	sign->request_text = (char *)text.data;
	sign->request_len = text.len;
	status = request_parse(
	    sign->request_text, sign->request_len, &sign->request, &line, &why);
	if (status != STATUS_OK)
		status = report_fault(sign->report, STATUS_REFUSED, path,
		    SIGN_RULE, "house rule", "line %zu: %s", line, why);
	else if (hash_bytes(text.data, text.len, &sign->request_sha256) !=
		 STATUS_OK)
		status = sign_no_memory(sign);
out:
	free(path);
	return status;
}

/* A name that is exactly what this index and suffix make; else NULL. */
static const struct request_shard *
shard_named(const struct request *request, const char *name, const char *suffix)
{
	char *end = NULL;
	unsigned long index = strtoul(name, &end, 10);
	char want[REQUEST_FILE_NAME_BYTES];

	if (end == name || index > UINT32_MAX)
		return NULL;
	(void)snprintf(want, sizeof(want), "%lu%s", index, suffix);
	return strcmp(name, want) == 0 ? request_find(request, (uint32_t)index)
				       : NULL;
}

/* What signing itself writes may be there: it is done again. */
static bool
is_of_request(const struct request *request, const char *name)
{
	static const char *const plain[] = {
	    ".", "..", REQUEST_NAME, REQUEST_CLOSING_NAME};
	static const char *const suffix[] = {
	    ".tbs", ".crl", REQUEST_PREVIOUS_SUFFIX};

	for (size_t i = 0; i < sizeof(plain) / sizeof(*plain); i++)
		if (strcmp(name, plain[i]) == 0)
			return true;
	for (size_t i = 0; i < sizeof(suffix) / sizeof(*suffix); i++)
		if (shard_named(request, name, suffix[i]) != NULL)
			return true;
	return false;
}

/* A file that a signing under way was killed beside: of mkostemp. */
static bool
is_leftover(const struct request *request, const char *name)
{
	const char *dot = strrchr(name, '.');
	char base[REQUEST_FILE_NAME_BYTES];
	size_t len = dot == NULL ? 0 : (size_t)(dot - name);

	if (dot == NULL || strlen(dot) != 7 || len >= sizeof(base))
		return false;
	memcpy(base, name, len);
	base[len] = '\0';
	return shard_named(request, base, ".crl") != NULL ||
	       strcmp(base, REQUEST_CLOSING_NAME) == 0;
}

static enum status
names_check(const struct sign *sign, DIR *dir)
{
	const char *place = sign->options->dir;
	const struct dirent *entry;

	while (errno = 0, (entry = readdir(dir)) != NULL) {
		if (is_of_request(&sign->request, entry->d_name))
			continue;
		if (is_leftover(&sign->request, entry->d_name) &&
		    unlinkat(dirfd(dir), entry->d_name, 0) == 0)
			continue;
		return report_fault(sign->report, STATUS_REFUSED, place,
		    SIGN_RULE, "house rule",
		    "a file that the request does not name, have %s",
		    entry->d_name);
	}
	if (errno == 0)
		return STATUS_OK;
	return report_fault(sign->report, STATUS_FAILED, place, SIGN_RULE, NULL,
	    "cannot be listed: %s", strerror(errno));
}

enum status
sign_dir_check(const struct sign *sign)
{
	DIR *dir = opendir(sign->options->dir);
	enum status status;

	if (dir == NULL)
		return report_fault(sign->report, STATUS_FAILED,
		    sign->options->dir, SIGN_RULE, NULL, "cannot be opened: %s",
		    strerror(errno));
	status = names_check(sign, dir);
	(void)closedir(dir);
	return status;
}
