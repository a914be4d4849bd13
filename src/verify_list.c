/* SPDX-License-Identifier: ISC */
/* What there is to verify: files, directories, manifests. */
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "verify_impl.h"

#define MANIFEST_MAGIC "# crlpress-manifest "

/* How deep directories are followed. */
#define DEPTH_MOST 32

static enum status
no_memory(struct verify *verify, const char *path)
{
	return report_fault(verify->report, STATUS_NO_MEMORY, path, NULL, NULL,
	    "out of memory");
}

static enum status
path_fault(struct verify *verify, const char *path, const char *what)
{
	return report_fault(verify->report, STATUS_FAULTY, path, "file",
	    "house rule", "%s", what);
}

struct verify_file *
verify_file_add(struct verify *verify, const char *path)
{
	struct verify_file *file = verify->file;
	size_t room = verify->file_room;

	for (size_t i = 0; i < verify->file_count; i++)
		if (strcmp(file[i].path, path) == 0)
			return &file[i];
	if (verify->file_count == room) {
		room = room == 0 ? 64 : room * 2;
		file = reallocarray(file, room, sizeof(*file));
		if (file == NULL)
			return NULL;
		verify->file = file;
		verify->file_room = room;
	}
	file = &verify->file[verify->file_count];
	memset(file, 0, sizeof(*file));
	file->path = strdup(path);
	file->findings = report_new(NULL, SEVERITY_NOTE);
	if (file->path == NULL || file->findings == NULL) {
		free(file->path);
		report_free(file->findings);
		return NULL;
	}
	verify->file_count++;
	return file;
}

static char *
join(const char *directory, const char *name)
{
	char *path = NULL;

	return asprintf(&path, "%s/%s", directory, name) < 0 ? NULL : path;
}

/* A manifest's keys are relative to the directory it stands in. */
static enum status
add_manifest_files(struct verify *verify, const struct verify_manifest *found)
{
	for (size_t i = 0; i < found->manifest.shard_count; i++) {
		char *path = join(found->root, found->manifest.shard[i].key);
		struct verify_file *file =
		    path == NULL ? NULL : verify_file_add(verify, path);

		free(path);
		if (file == NULL)
			return no_memory(verify, found->path);
	}
	return STATUS_OK;
}

static enum status
keep_manifest(
    struct verify *verify, const char *path, const struct manifest *manifest)
{
	struct verify_manifest *list = reallocarray(
	    verify->manifest, verify->manifest_count + 1, sizeof(*list));
	const char *slash = strrchr(path, '/');
	struct verify_manifest *found;

	if (list == NULL)
		return no_memory(verify, path);
	verify->manifest = list;
	found = &list[verify->manifest_count++];
	found->manifest = *manifest;
	found->path = strdup(path);
	found->root =
	    slash == NULL
		? strdup(".")
		: strndup(path, slash == path ? 1 : (size_t)(slash - path));
	if (found->path == NULL || found->root == NULL)
		return no_memory(verify, path);
	verify->whole = true;
	return add_manifest_files(verify, found);
}

static enum status
add_manifest(
    struct verify *verify, const char *path, const struct verify_bytes *bytes)
{
	struct manifest manifest;
	const char *why = NULL;
	enum status status;
	size_t line = 0;

	status = manifest_parse(
	    (const char *)bytes->data, bytes->len, &manifest, &line, &why);
	if (status != STATUS_OK)
		return report_fault(verify->report, STATUS_FAULTY, path,
		    "set-manifest", "house rule", "line %zu: %s", line, why);
	return keep_manifest(verify, path, &manifest);
}

static bool
is_manifest(const struct verify_bytes *bytes)
{
	size_t len = sizeof(MANIFEST_MAGIC) - 1;

	return bytes->len >= len &&
	       memcmp(bytes->data, MANIFEST_MAGIC, len) == 0;
}

static enum status
add_file(struct verify *verify, const char *path)
{
	struct verify_bytes bytes = {0};
	struct report *silent;
	enum status status;

	/* What cannot be opened is the file's own verdict, said later. */
	silent = report_new(NULL, SEVERITY_NOTE);
	if (silent == NULL)
		return no_memory(verify, path);
	status = verify_bytes_open(path, silent, &bytes);
	report_free(silent);
	if (status == STATUS_OK && is_manifest(&bytes))
		status = add_manifest(verify, path, &bytes);
	else
		status = verify_file_add(verify, path) == NULL
			     ? no_memory(verify, path)
			     : STATUS_OK;
	verify_bytes_close(&bytes);
	return status;
}

static enum status add_directory(
    struct verify *verify, const char *path, unsigned depth);

/* Hidden names are a store's own business: locks, puts under way. */
static enum status
add_name(struct verify *verify, const char *directory, const char *name,
    unsigned depth)
{
	char *path = name[0] == '.' ? NULL : join(directory, name);
	enum status status;
	struct stat info;

	if (name[0] == '.')
		return STATUS_OK;
	if (path == NULL)
		return no_memory(verify, directory);
	if (lstat(path, &info) != 0)
		status = path_fault(verify, path, strerror(errno));
	else if (S_ISDIR(info.st_mode))
		status = add_directory(verify, path, depth + 1);
	else if (S_ISREG(info.st_mode))
		status = add_file(verify, path);
	else
		status = path_fault(verify, path,
		    S_ISLNK(info.st_mode) ? "a symbolic link, not followed"
					  : "not a regular file");
	free(path);
	return status;
}

static enum status
add_directory(struct verify *verify, const char *path, unsigned depth)
{
	struct dirent **names = NULL;
	enum status worst = STATUS_OK;
	int count;

	if (depth > DEPTH_MOST)
		return path_fault(verify, path, "too many directories deep");
	count = scandir(path, &names, NULL, alphasort);
	if (count < 0)
		return path_fault(verify, path, strerror(errno));
	for (int i = 0; i < count; i++) {
		worst = status_graver(
		    worst, add_name(verify, path, names[i]->d_name, depth));
		free(names[i]);
	}
	free(names);
	return worst;
}

enum status
verify_add(struct verify *verify, const char *path)
{
	size_t len = strlen(path);
	enum status status;
	struct stat info;
	char *directory;

	if (stat(path, &info) != 0)
		return path_fault(verify, path, strerror(errno));
	if (!S_ISDIR(info.st_mode))
		return add_file(verify, path);
	verify->whole = true;
	/* "store/" is "store", so that no file has two names. */
	while (len > 1 && path[len - 1] == '/')
		len--;
	directory = strndup(path, len);
	status = directory == NULL ? no_memory(verify, path)
				   : add_directory(verify, directory, 0);
	free(directory);
	return status;
}
