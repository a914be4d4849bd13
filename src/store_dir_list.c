/* SPDX-License-Identifier: ISC */
/* What a directory store has, by name, and the removal of an object. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "store_dir_impl.h"

/* A listing under way; `key` is that of the directory, with its slash. */
struct listing {
	struct store_dir *dir;
	const char *after; /* NULL: all */
	struct store_keys *keys;
	char key[PATH_MAX];
	size_t key_len;
};

static enum status list_below(struct listing *listing, int fd, int depth);

/* One name of the directory that listing->key names. */
static enum status
list_name(struct listing *listing, int fd, const char *name, int depth)
{
	const size_t before = listing->key_len;
	const size_t len = strlen(name);
	enum status status = STATUS_OK;
	struct stat st;
	int child;

	if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0 ||
	    strncmp(name, DIR_RESERVED, sizeof(DIR_RESERVED) - 1) == 0 ||
	    before + len + 2 > sizeof(listing->key) ||
	    fstatat(fd, name, &st, AT_SYMLINK_NOFOLLOW) != 0)
		return STATUS_OK;
	memcpy(listing->key + before, name, len + 1);
	if (S_ISREG(st.st_mode) &&
	    (listing->after == NULL ||
		strcmp(listing->key, listing->after) > 0))
		status = store_keys_add(
		    &listing->dir->store, listing->keys, listing->key);
	if (S_ISDIR(st.st_mode) && depth < DIR_DEPTH_MOST) {
		listing->key[before + len] = '/';
		listing->key_len = before + len + 1;
		/* All that is in it comes before, too. */
		if (listing->after != NULL &&
		    strncmp(listing->key, listing->after, listing->key_len) <
			0) {
			listing->key_len = before;
			return STATUS_OK;
		}
		child = dir_child_open(fd, name, false);
		if (child < 0 && errno != ENOENT)
			return dir_fault(listing->dir, NULL, "list it", errno);
		if (child >= 0)
			status = list_below(listing, child, depth + 1);
		listing->key_len = before;
	}
	return status;
}

/* Lists a directory and those below it; closes `fd`. */
static enum status
list_below(struct listing *listing, int fd, int depth)
{
	enum status status = STATUS_OK;
	const struct dirent *entry;
	DIR *stream = fdopendir(fd);

	if (stream == NULL) {
		status = dir_fault(listing->dir, NULL, "list it", errno);
		(void)close(fd);
		return status;
	}
	while (
	    status == STATUS_OK && (errno = 0, entry = readdir(stream)) != NULL)
		status = list_name(listing, fd, entry->d_name, depth);
	/* Half a list would look like objects that are gone. */
	if (status == STATUS_OK && errno != 0)
		status = dir_fault(listing->dir, NULL, "list it", errno);
	(void)closedir(stream);
	return status;
}

enum status
store_dir_list(struct store *store, const char *prefix, const char *after,
    struct store_keys *keys)
{
	struct listing listing = {
	    .dir = (struct store_dir *)store, .after = after, .keys = keys};
	struct store_flaw flaw = {.hint = NULL};
	const char *name = NULL;
	enum status status;
	int parent = -1;
	int fd;

	listing.key_len = strlen(prefix);
	if (listing.key_len >= sizeof(listing.key))
		return dir_fault(listing.dir, prefix, "list it", ENAMETOOLONG);
	memcpy(listing.key, prefix, listing.key_len + 1);
	/* Of "a/b/" the parent is a/b, and the name behind it empty. */
	status =
	    dir_parent_open(listing.dir, prefix, false, &parent, &name, &flaw);
	if (status == STATUS_NOT_FOUND)
		return dir_root_check(listing.dir);
	if (status != STATUS_OK)
		return store_flaw_report(store, prefix, status, &flaw);
	/* Where the root is meant it was duplicated, position and all. */
	fd = dir_child_open(parent, ".", false);
	(void)close(parent);
	if (fd < 0)
		return dir_fault(listing.dir, prefix, "list it", errno);
	return list_below(&listing, fd, 0);
}

/* Directories that it leaves empty go too, as they do in S3. */
static void
parents_remove(struct store_dir *dir, const char *key)
{
	char path[PATH_MAX];
	char *slash;

	(void)snprintf(path, sizeof(path), "%s", key);
	while ((slash = strrchr(path, '/')) != NULL) {
		*slash = '\0';
		if (unlinkat(dir->root, path, AT_REMOVEDIR) != 0)
			break;
	}
}

enum status
store_dir_remove(struct store *store, const char *key)
{
	struct store_dir *dir = (struct store_dir *)store;
	struct store_flaw flaw = {.hint = NULL};
	const char *name = NULL;
	enum status status;
	int parent = -1;
	int lock = -1;

	status = dir_parent_open(dir, key, false, &parent, &name, &flaw);
	if (status == STATUS_NOT_FOUND)
		return STATUS_OK;
	if (status != STATUS_OK)
		return store_flaw_report(store, key, status, &flaw);
	status = dir_lock_take(dir, true, &lock);
	if (status == STATUS_OK && unlinkat(parent, name, 0) != 0 &&
	    errno != ENOENT)
		status = dir_fault(dir, key, "remove it", errno);
	if (status == STATUS_OK)
		parents_remove(dir, key);
	dir_lock_drop(&lock);
	(void)close(parent);
	return status;
}
