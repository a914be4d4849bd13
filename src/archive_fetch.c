/* SPDX-License-Identifier: ISC */
/*
 * A set out of the archive into a directory, as the store would be that had
 * been copied then: for `verify --previous`, sha256sum and people.
 */
#include <dirent.h>
#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "crlpress/archive.h"
#include "crlpress/pool.h"

struct fetch {
	struct archive *archive;
	const char *directory;
	const struct manifest *manifest;
	atomic_bool failed;
};

static enum status
file_fault(struct fetch *fetch, const char *path, const char *what, int error)
{
	return report_fault(fetch->archive->report, STATUS_FAILED, path,
	    "archive", NULL, "%s: %s", what, strerror(error));
}

/* A directory with something in it might be a store, or another set. */
static enum status
directory_make(struct fetch *fetch)
{
	const struct dirent *entry;
	bool empty = true;
	DIR *stream;

	if (mkdir(fetch->directory, 0777) == 0)
		return STATUS_OK;
	if (errno != EEXIST)
		return file_fault(
		    fetch, fetch->directory, "cannot be made", errno);
	stream = opendir(fetch->directory);
	if (stream == NULL)
		return file_fault(
		    fetch, fetch->directory, "cannot be opened", errno);
	while ((entry = readdir(stream)) != NULL)
		empty = empty && (strcmp(entry->d_name, ".") == 0 ||
				     strcmp(entry->d_name, "..") == 0);
	(void)closedir(stream);
	if (empty)
		return STATUS_OK;
	return report_fault(fetch->archive->report, STATUS_USAGE,
	    fetch->directory, "archive", NULL, "is not empty");
}

/* Threads make the same directories. */
static bool
parents_make(char *path, size_t from)
{
	for (char *slash = strchr(path + from, '/'); slash != NULL;
	     slash = strchr(slash + 1, '/')) {
		bool made;

		*slash = '\0';
		made = mkdir(path, 0777) == 0 || errno == EEXIST;
		*slash = '/';
		if (!made)
			return false;
	}
	return true;
}

/* Keys are relative and have no "..": the manifest's reader sees to that. */
static enum status
file_write(struct fetch *fetch, const char *key, const struct gzip_bytes *bytes)
{
	enum status status = STATUS_OK;
	FILE *file = NULL;
	char *path = NULL;

	if (asprintf(&path, "%s/%s", fetch->directory, key) < 0)
		return file_fault(fetch, key, "cannot be written", ENOMEM);
	if (parents_make(path, strlen(fetch->directory) + 1))
		file = fopen(path, "wbxe");
	if (file == NULL ||
	    fwrite(bytes->data, 1, bytes->len, file) != bytes->len)
		status = file_fault(fetch, path, "cannot be written", errno);
	if (file != NULL && fclose(file) != 0 && status == STATUS_OK)
		status = file_fault(fetch, path, "cannot be written", errno);
	free(path);
	return status;
}

static void
fetch_crl(void *context, unsigned worker, size_t i)
{
	struct fetch *fetch = context;
	const struct manifest_shard *line = &fetch->manifest->shard[i];
	struct gzip_bytes crl;
	enum status status;

	(void)worker;
	status = archive_crl_get(fetch->archive, line, &crl);
	if (status == STATUS_NOT_FOUND)
		status = report_fault(fetch->archive->report, STATUS_FAILED,
		    line->key, "archive", "house rule",
		    "this CRL of the set is not in the archive");
	if (status == STATUS_OK)
		status = file_write(fetch, line->key, &crl);
	gzip_bytes_free(&crl);
	if (status != STATUS_OK)
		atomic_store(&fetch->failed, true);
}

enum status
archive_fetch(struct archive *archive, const struct archive_set *set,
    const char *directory, unsigned workers)
{
	struct fetch fetch = {.archive = archive, .directory = directory};
	struct archive_manifest set_manifest;
	enum status status;

	atomic_init(&fetch.failed, false);
	status = archive_manifest_get(archive, set, &set_manifest);
	if (status != STATUS_OK)
		return status;
	fetch.manifest = &set_manifest.manifest;
	status = directory_make(&fetch);
	if (status == STATUS_OK) {
		pool_run(
		    workers, fetch.manifest->shard_count, fetch_crl, &fetch);
		status = file_write(
		    &fetch, archive->config->manifest_key, &set_manifest.text);
	}
	archive_manifest_free(&set_manifest);
	if (status == STATUS_OK && atomic_load(&fetch.failed))
		status = STATUS_FAILED;
	return status;
}
