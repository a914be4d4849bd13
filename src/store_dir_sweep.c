/* SPDX-License-Identifier: ISC */
/*
 * What a killed put leaves behind in a directory store: a temporary file,
 * which nobody locks any more; store_dir_put.c says why that tells it from
 * one that is in use.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "store_dir_impl.h"

/* Removes one leftover, unless it is of a put under way. */
static enum status
sweep_temp(struct store_dir *dir, int at, const char *name)
{
	enum status status;
	int lock = -1;
	int fd;

	status = dir_lock_take(dir, false, &lock);
	if (status != STATUS_OK)
		return status == STATUS_LOCKED ? STATUS_OK : status;
	fd = openat(at, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (fd >= 0) {
		if (flock(fd, LOCK_EX | LOCK_NB) == 0 &&
		    unlinkat(at, name, 0) != 0 && errno != ENOENT)
			status =
			    dir_fault(dir, name, "remove this leftover", errno);
		(void)close(fd);
	}
	dir_lock_drop(&lock);
	return status;
}

/* Sweeps a directory and those below it; closes `fd`. */
static enum status
sweep_below(struct store_dir *dir, int fd, int depth)
{
	enum status status = STATUS_OK;
	const struct dirent *entry;
	DIR *stream = fdopendir(fd);

	if (stream == NULL) {
		status = dir_fault(dir, NULL, "list it", errno);
		(void)close(fd);
		return status;
	}
	while (status == STATUS_OK && (entry = readdir(stream)) != NULL) {
		const char *name = entry->d_name;
		struct stat st;
		int child;

		if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0 ||
		    fstatat(fd, name, &st, AT_SYMLINK_NOFOLLOW) != 0)
			continue;
		if (S_ISREG(st.st_mode) &&
		    strncmp(name, DIR_TEMP_PREFIX,
			sizeof(DIR_TEMP_PREFIX) - 1) == 0)
			status = sweep_temp(dir, fd, name);
		if (!S_ISDIR(st.st_mode) || depth == DIR_DEPTH_MOST)
			continue;
		/* What we may not read is not a directory we put into. */
		child = dir_child_open(fd, name, false);
		if (child >= 0)
			status = sweep_below(dir, child, depth + 1);
	}
	(void)closedir(stream);
	return status;
}

enum status
store_dir_sweep(struct store *store)
{
	struct store_dir *dir = (struct store_dir *)store;
	enum status status;
	int lock = -1;
	int fd;

	status = dir_root_check(dir);
	if (status != STATUS_OK)
		return status;
	if (faccessat(dir->root, ".", W_OK | X_OK, AT_EACCESS) != 0)
		return dir_fault(dir, NULL, "write there", errno);
	/* Another run is busy there: it, or the next, will sweep. */
	status = dir_lock_take(dir, false, &lock);
	if (status != STATUS_OK)
		return status == STATUS_LOCKED ? STATUS_OK : status;
	dir_lock_drop(&lock);
	fd = dir_child_open(dir->root, ".", false);
	if (fd < 0)
		return dir_fault(dir, NULL, "open it", errno);
	return sweep_below(dir, fd, 0);
}
