/* SPDX-License-Identifier: ISC */
/* What there is to verify: files, directories, manifests. */
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "crlpress/gzip.h"
#include "verify_impl.h"

#define MANIFEST_MAGIC "# crlpress-manifest "
#define GZIP_MAGIC "\x1f\x8b"

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

static enum status
file_add(struct verify *verify, const char *path)
{
	struct verify_file *file = verify->file;
	size_t room = verify->file_room;

	if (verify->file_count == room) {
		room = room == 0 ? 64 : room * 2;
		file = reallocarray(file, room, sizeof(*file));
		if (file == NULL)
			return no_memory(verify, path);
		verify->file = file;
		verify->file_room = room;
	}
	file = &verify->file[verify->file_count];
	memset(file, 0, sizeof(*file));
	file->path = strdup(path);
	if (file->path == NULL)
		return no_memory(verify, path);
	verify->file_count++;
	return STATUS_OK;
}

static char *
join(const char *directory, const char *name)
{
	char *path = NULL;

	return asprintf(&path, "%s/%s", directory, name) < 0 ? NULL : path;
}

static enum status
add_manifest_files(struct verify *verify, const struct verify_manifest *found)
{
	enum status status = STATUS_OK;

	for (size_t i = 0;
	     status == STATUS_OK && i < found->manifest.shard_count; i++) {
		char *path = join(found->root, found->manifest.shard[i].key);

		status = path == NULL ? no_memory(verify, found->path)
				      : file_add(verify, path);
		free(path);
	}
	return status;
}

/* The first `len` octets of a path are a directory: of "/x" it is "/". */
static char *
directory_of(const char *path, size_t len)
{
	while (len > 0 && path[len - 1] == '/')
		len--;
	if (len == 0)
		return strdup(path[0] == '/' ? "/" : ".");
	return strndup(path, len);
}

/* The directory below which the path is the key; false when it is not. */
static bool
root_by_key(const char *path, const char *key, char **root)
{
	size_t len = strlen(path), key_len = strlen(key);
	size_t at;

	if (len < key_len || strcmp(path + len - key_len, key) != 0)
		return false;
	at = len - key_len;
	if (at > 0 && path[at - 1] != '/')
		return false;
	*root = directory_of(path, at > 0 ? at - 1 : 0);
	return true;
}

/*
 * Keys are relative to the store, and so is the manifest's own, which only
 * the configuration tells; without one it stands at the top.
 */
static char *
manifest_root(const struct verify *verify, const char *path)
{
	const char *slash = strrchr(path, '/');
	char *real = realpath(path, NULL);
	char *root = NULL;
	bool found = false;

	for (size_t i = 0; !found && i < verify->config_count; i++)
		found =
		    root_by_key(path, verify->config[i]->manifest_key, &root);
	/* From inside the store its path is shorter than the key. */
	for (size_t i = 0; !found && real != NULL && i < verify->config_count;
	     i++)
		found =
		    root_by_key(real, verify->config[i]->manifest_key, &root);
	free(real);
	if (!found)
		root = directory_of(
		    path, slash == NULL ? 0 : (size_t)(slash - path));
	return root;
}

static enum status
keep_manifest(
    struct verify *verify, const char *path, const struct manifest *manifest)
{
	struct verify_manifest *list = reallocarray(
	    verify->manifest, verify->manifest_count + 1, sizeof(*list));
	struct verify_manifest *found;

	if (list == NULL)
		return no_memory(verify, path);
	verify->manifest = list;
	found = &list[verify->manifest_count++];
	found->manifest = *manifest;
	found->path = strdup(path);
	found->root = manifest_root(verify, path);
	if (found->path == NULL || found->root == NULL)
		return no_memory(verify, path);
	return add_manifest_files(verify, found);
}

static enum status
add_manifest_text(
    struct verify *verify, const char *path, const void *text, size_t len)
{
	struct manifest manifest;
	const char *why = NULL;
	enum status status;
	size_t line = 0;

	if (manifest_parse(text, len, &manifest, &line, &why) == STATUS_OK)
		return keep_manifest(verify, path, &manifest);
	status = report_fault(verify->report, STATUS_FAULTY, path,
	    "set-manifest", "house rule", "line %zu: %s", line, why);
	verify->has_bad_manifest = true;
	return status;
}

static enum status
add_manifest(struct verify *verify, const char *path)
{
	struct verify_bytes bytes = {0};
	enum status status;

	status =
	    verify_text_read(path, MANIFEST_BYTES_MOST, verify->report, &bytes);
	if (status == STATUS_OK)
		status = add_manifest_text(verify, path, bytes.data, bytes.len);
	else if (status == STATUS_FAULTY)
		verify->has_bad_manifest = true;
	verify_bytes_free(&bytes);
	return status;
}

/*
 * A store may have its manifest compressed, and a copy of the store then has
 * it so. Any other file of gzip is judged as the CRL that it is not.
 */
static enum status
add_packed(struct verify *verify, const char *path)
{
	struct verify_bytes bytes = {0};
	struct gzip_bytes text = {.data = NULL};
	const char *why = NULL;
	enum status status;

	status =
	    verify_text_read(path, MANIFEST_BYTES_MOST, verify->report, &bytes);
	if (status != STATUS_OK)
		goto out;
	status = gzip_unpack(
	    bytes.data, bytes.len, MANIFEST_BYTES_MOST, &text, &why);
	if (status == STATUS_OK && text.len >= sizeof(MANIFEST_MAGIC) &&
	    memcmp(text.data, MANIFEST_MAGIC, sizeof(MANIFEST_MAGIC) - 1) == 0)
		status = add_manifest_text(verify, path, text.data, text.len);
	else
		status = file_add(verify, path);
out:
	gzip_bytes_free(&text);
	verify_bytes_free(&bytes);
	return status;
}

/* What cannot be opened is the file's own verdict, said later. */
static enum status
add_file(struct verify *verify, const char *path)
{
	if (verify_begins_with(path, MANIFEST_MAGIC))
		return add_manifest(verify, path);
	return verify_begins_with(path, GZIP_MAGIC) ? add_packed(verify, path)
						    : file_add(verify, path);
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

static int
compare_paths(const void *a, const void *b, void *context)
{
	const struct verify_file *file = context;
	size_t x = *(const size_t *)a, y = *(const size_t *)b;
	int order = strcmp(file[x].path, file[y].path);

	return order != 0 ? order : (x > y) - (x < y);
}

static void
sort_by_path(struct verify *verify)
{
	for (size_t i = 0; i < verify->file_count; i++)
		verify->by_path[i] = i;
	qsort_r(verify->by_path, verify->file_count, sizeof(size_t),
	    compare_paths, verify->file);
}

/* Of those with one path the first stays, where it was; true if any went. */
static bool
drop_twins(struct verify *verify)
{
	struct verify_file *file = verify->file;
	size_t first = 0, kept = 0, count = verify->file_count;

	for (size_t k = 1; k < count; k++) {
		size_t i = verify->by_path[k];

		if (strcmp(file[verify->by_path[first]].path, file[i].path) !=
		    0) {
			first = k;
			continue;
		}
		free(file[i].path);
		file[i].path = NULL;
	}
	for (size_t i = 0; i < count; i++)
		if (file[i].path != NULL)
			file[kept++] = file[i];
	verify->file_count = kept;
	return kept < count;
}

enum status
verify_list_close(struct verify *verify)
{
	verify->by_path = calloc(verify->file_count + 1, sizeof(size_t));
	if (verify->by_path == NULL)
		return no_memory(verify, "set");
	sort_by_path(verify);
	if (drop_twins(verify))
		sort_by_path(verify);
	return STATUS_OK;
}

struct verify_file *
verify_list_find(const struct verify *verify, const char *path)
{
	size_t low = 0, high = verify->file_count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		struct verify_file *file =
		    &verify->file[verify->by_path[middle]];
		int order = strcmp(path, file->path);

		if (order == 0)
			return file;
		if (order < 0)
			high = middle;
		else
			low = middle + 1;
	}
	return NULL;
}

bool
verify_is_whole(const struct verify *verify, const struct config *config)
{
	for (size_t i = 0; !verify->whole && i < verify->manifest_count; i++)
		if (config == NULL ||
		    strcmp(verify->manifest[i].manifest.issuer, config->name) ==
			0)
			return true;
	return verify->whole;
}
