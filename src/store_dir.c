/* SPDX-License-Identifier: ISC */
/*
 * A directory as a store, as a web server would serve it. An object is only
 * ever replaced by rename(2), so whoever opens it has all of the old one or
 * all of the new one, and a mapping of the old one stays what it was.
 */
#include "crlpress/store.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "store_dir_impl.h"

/* Remembers one directory for store_dir_sync. */
static enum status
touched_add(struct store_dir *dir, const char *key, size_t len)
{
	char *path = len == 0 ? strdup(".") : strndup(key, len);
	enum status status = STATUS_OK;

	(void)pthread_mutex_lock(&dir->mutex);
	if (path != NULL && dir->touched_count == dir->touched_room) {
		size_t room =
		    dir->touched_room == 0 ? 64 : 2 * dir->touched_room;
		char **touched =
		    reallocarray(dir->touched, room, sizeof(*touched));

		if (touched == NULL) {
			free(path);
			path = NULL;
		} else {
			dir->touched = touched;
			dir->touched_room = room;
		}
	}
	if (path != NULL)
		dir->touched[dir->touched_count++] = path;
	else
		status = dir_fault(dir, key, "remember its directory", ENOMEM);
	(void)pthread_mutex_unlock(&dir->mutex);
	return status;
}

/*
 * The directory of a key and all above it: any of them may be new, made by us
 * or by somebody who did not live to sync it.
 */
enum status
dir_touched_add(struct store_dir *dir, const char *key)
{
	enum status status = touched_add(dir, key, 0);

	for (const char *slash = strchr(key, '/');
	     status == STATUS_OK && slash != NULL;
	     slash = strchr(slash + 1, '/'))
		status = touched_add(dir, key, (size_t)(slash - key));
	return status;
}

static int
path_compare(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static void
touched_clear(struct store_dir *dir)
{
	for (size_t i = 0; i < dir->touched_count; i++)
		free(dir->touched[i]);
	free(dir->touched);
	dir->touched = NULL;
	dir->touched_count = 0;
	dir->touched_room = 0;
}

/* "/path" and "file:///path" both. */
static enum status
store_dir_open(const struct store_config *config, struct report *report,
    struct store **store)
{
	const bool url = config->url[0] != '/';
	const char *path = url ? config->url + strlen("file://") : config->url;
	struct store_dir *dir;
	int root;

	/* Nobody should have to guess whether %20 is decoded. */
	if (url && strpbrk(path, "%?#") != NULL)
		return report_fault(report, STATUS_CONFIG, config->url, "store",
		    NULL, "a file: URL with %%, ? or #, want the plain path");
	root = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (root < 0) {
		int error = errno;

		report_fault(report, STATUS_FAILED, config->url, "store", NULL,
		    "cannot be opened as a directory: %s", strerror(error));
		if (error == ENOENT)
			report_hint(report, "make the directory, or mount "
					    "the file system that holds it");
		return STATUS_FAILED;
	}
	dir = calloc(1, sizeof(*dir));
	if (dir == NULL || pthread_mutex_init(&dir->mutex, NULL) != 0) {
		free(dir);
		(void)close(root);
		return report_fault(report, STATUS_NO_MEMORY, config->url,
		    "store", NULL, "out of memory");
	}
	dir->root = root;
	*store = &dir->store;
	return STATUS_OK;
}

static void
store_dir_close(struct store *store)
{
	struct store_dir *dir = (struct store_dir *)store;

	touched_clear(dir);
	(void)pthread_mutex_destroy(&dir->mutex);
	(void)close(dir->root);
	free(dir);
}

static enum status
store_dir_get(struct store *store, const char *key,
    const struct store_version *seen, struct store_object *object,
    struct store_flaw *flaw)
{
	struct store_dir *dir = (struct store_dir *)store;
	uint8_t *data = NULL;
	struct stat st;
	enum status status;
	int fd = -1;

	(void)seen;
	status = dir_object_open(dir, key, &fd, &st, &object->version, flaw);
	if (status == STATUS_OK)
		status =
		    dir_read(dir, key, fd, (size_t)st.st_size, &data, flaw);
	if (status == STATUS_OK) {
		object->data = data;
		object->len = (size_t)st.st_size;
	}
	dir_fd_close(fd);
	return status;
}

static enum status
store_dir_sync(struct store *store)
{
	struct store_dir *dir = (struct store_dir *)store;
	enum status status = STATUS_OK;

	(void)pthread_mutex_lock(&dir->mutex);
	if (dir->touched_count > 0)
		qsort(dir->touched, dir->touched_count, sizeof(*dir->touched),
		    path_compare);
	for (size_t i = 0; status == STATUS_OK && i < dir->touched_count; i++) {
		const char *path = dir->touched[i];
		int fd;

		if (i > 0 && strcmp(path, dir->touched[i - 1]) == 0)
			continue;
		fd = dir_child_open(dir->root, path, false);
		/* EINVAL: a file system on which there is nothing to sync. */
		if (fd < 0 || (fsync(fd) != 0 && errno != EINVAL))
			status =
			    dir_fault(dir, path, "sync the directory", errno);
		dir_fd_close(fd);
	}
	if (status == STATUS_OK)
		touched_clear(dir);
	(void)pthread_mutex_unlock(&dir->mutex);
	return status;
}

const struct store_kind store_dir_path = {.prefix = "/",
    .keeps_files = true,
    .open = store_dir_open,
    .close = store_dir_close,
    .get = store_dir_get,
    .put = store_dir_put,
    .sync = store_dir_sync,
    .sweep = store_dir_sweep,
    .probe = store_dir_sweep,
    .list = store_dir_list,
    .remove = store_dir_remove};

const struct store_kind store_dir_url = {.prefix = "file:///",
    .keeps_files = true,
    .open = store_dir_open,
    .close = store_dir_close,
    .get = store_dir_get,
    .put = store_dir_put,
    .sync = store_dir_sync,
    .sweep = store_dir_sweep,
    .probe = store_dir_sweep,
    .list = store_dir_list,
    .remove = store_dir_remove};
