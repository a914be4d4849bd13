/* SPDX-License-Identifier: ISC */
/*
 * Staged files: the signed bytes of the run under way. A directory store may
 * publish one as a hard link, so a file with its final name is never written
 * to again; each is made under another name that no store ever sees.
 *
 * Each run has a directory of its own for them and holds a lock on it, which
 * the kernel lets go of whenever and however the process ends. So a directory
 * that can be locked is a dead run's, whoever else is at work.
 */
#include "crlpress/state.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include "state_impl.h"

#define TEMP_PREFIX ".tmp-"

/* Published as it is: anybody may read it. */
#define STAGE_FILE_MODE 0644

/* Parts of one writev(2); a CRL has three. */
#define PARTS_AT_ONCE 16

/*
 * A directory with our name is of a process of another container, or one that
 * is being swept; there are never many.
 */
#define STAGE_ATTEMPTS 1000

/* "stage/PROCESS-ATTEMPT/NAME" */
#define PLACE_BYTES (sizeof(STATE_STAGE_NAME) + 2 * (NAME_MAX + 1))

static const char *
stage_place(const char *dir, const char *name, char place[PLACE_BYTES])
{
	(void)snprintf(place, PLACE_BYTES, "%s/%s%s%s", STATE_STAGE_NAME, dir,
	    name == NULL ? "" : "/", name == NULL ? "" : name);
	return place;
}

/* Reports what did not work with a staged file. */
static enum status
stage_fault(
    const struct state *state, const char *name, const char *doing, int error)
{
	char place[PLACE_BYTES];

	return state_fault(
	    state, stage_place(state->stage_name, name, place), doing, error);
}

/*
 * Makes a directory and locks it; -1 with errno, EEXIST when it is somebody
 * else's, or was swept before it was locked.
 */
static int
stage_make(struct state *state, const char *name)
{
	int fd;

	if (mkdirat(state->stages, name, 0700) != 0)
		return -1;
	fd = openat(state->stages, name,
	    O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0) {
		errno = errno == ENOENT ? EEXIST : errno;
		return -1;
	}
	state_own(state, fd);
	if (flock(fd, LOCK_EX | LOCK_NB) == 0 &&
	    state_stands(state->stages, name, fd))
		return fd;
	(void)close(fd);
	errno = EEXIST;
	return -1;
}

enum status
stage_open(struct state *state)
{
	char place[PLACE_BYTES];
	int error = EEXIST;

	state->stages = state_dir_make(state, state->dir, STATE_STAGE_NAME);
	if (state->stages < 0)
		return state_fault(state, STATE_STAGE_NAME,
		    "open or make the directory", errno);
	for (int i = 0; error == EEXIST && i < STAGE_ATTEMPTS; i++) {
		(void)snprintf(state->stage_name, sizeof(state->stage_name),
		    "%ld-%d", (long)getpid(), i);
		state->stage = stage_make(state, state->stage_name);
		if (state->stage >= 0)
			return STATUS_OK;
		error = errno;
	}
	return state_fault(state, stage_place(state->stage_name, NULL, place),
	    "make the directory", error);
}

void
stage_close(struct state *state)
{
	/* While it is locked: nobody else may sweep it at the same time. */
	if (state->stage >= 0)
		(void)unlinkat(state->stages, state->stage_name, AT_REMOVEDIR);
	state_unlock(&state->stage);
	if (state->stages >= 0)
		(void)close(state->stages);
	state->stages = -1;
}

/* The sum of the lengths; false when that is more than is allowed. */
static bool
parts_size(const struct stage_part *parts, size_t count, uint64_t *size)
{
	*size = 0;
	for (size_t i = 0; i < count; i++) {
		if (parts[i].len > STAGE_BYTES_MOST - *size)
			return false;
		*size += parts[i].len;
	}
	return true;
}

/* Writes all parts; false with errno. */
static bool
parts_write(int fd, const struct stage_part *parts, size_t count)
{
	size_t at = 0;   /* the part under way */
	size_t done = 0; /* bytes of it that are written */

	for (;;) {
		struct iovec iov[PARTS_AT_ONCE];
		int n = 0;
		ssize_t wrote;

		while (at < count && done == parts[at].len) {
			at++;
			done = 0;
		}
		if (at == count)
			return true;
		for (size_t i = at; i < count && n < PARTS_AT_ONCE; i++, n++) {
			size_t skip = i == at ? done : 0;

			iov[n].iov_base =
			    (char *)(uintptr_t)parts[i].data + skip;
			iov[n].iov_len = parts[i].len - skip;
		}
		wrote = writev(fd, iov, n);
		if (wrote < 0 && errno == EINTR)
			continue;
		if (wrote < 0)
			return false;
		for (size_t left = (size_t)wrote; left > 0;) {
			size_t rest = parts[at].len - done;

			if (left < rest) {
				done += left;
				break;
			}
			left -= rest;
			at++;
			done = 0;
		}
	}
}

/*
 * Makes the temporary file with all in it; false with errno. Its way to the
 * disk begins here and is waited for in stage_sync, when the disk has had the
 * time in which other shards were made. That it begins is a hint: a file
 * system that does not take it loses nothing.
 */
static bool
temp_write(struct state *state, const char *temp,
    const struct stage_part *parts, size_t count)
{
	int error;
	bool ok;
	int fd;

	/* One of a killed run is not reused: see the top of this file. */
	if (unlinkat(state->stage, temp, 0) != 0 && errno != ENOENT)
		return false;
	fd = openat(state->stage, temp,
	    O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return false;
	ok = parts_write(fd, parts, count) && fchmod(fd, STAGE_FILE_MODE) == 0;
	error = errno;
	(void)sync_file_range(fd, 0, 0, SYNC_FILE_RANGE_WRITE);
	if (close(fd) != 0 && ok)
		return false;
	errno = error;
	return ok;
}

enum status
stage_write(struct state *state, const char *name,
    const struct stage_part *parts, size_t count, struct stage_file *file)
{
	char temp[sizeof(TEMP_PREFIX) + NAME_MAX + 1];
	uint64_t size;

	memset(file, 0, sizeof(*file));
	if (!state_name_ok(name) ||
	    strncmp(name, TEMP_PREFIX, sizeof(TEMP_PREFIX) - 1) == 0)
		return stage_fault(state, name, "use the name", EINVAL);
	if (!parts_size(parts, count, &size))
		return stage_fault(state, name, "write it", EFBIG);
	(void)snprintf(temp, sizeof(temp), "%s%s", TEMP_PREFIX, name);
	if (asprintf(&file->path, "%s/%s/%s/%s", state->path, STATE_STAGE_NAME,
		state->stage_name, name) < 0) {
		file->path = NULL;
		return stage_fault(state, name, "name it", ENOMEM);
	}
	if (!temp_write(state, temp, parts, count) ||
	    renameat(state->stage, temp, state->stage, name) != 0) {
		enum status status =
		    stage_fault(state, name, "write it", errno);

		(void)unlinkat(state->stage, temp, 0);
		stage_file_free(file);
		return status;
	}
	file->size = size;
	return STATUS_OK;
}

enum status
stage_sync(struct state *state, const struct stage_file *file)
{
	const char *name = strrchr(file->path, '/') + 1;
	enum status status = STATUS_OK;
	int fd = openat(state->stage, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);

	if (fd < 0)
		return stage_fault(state, name, "open it", errno);
	if (fsync(fd) != 0)
		status = stage_fault(state, name, "sync it", errno);
	(void)close(fd);
	return status;
}

void
stage_file_free(struct stage_file *file)
{
	if (file == NULL)
		return;
	free(file->path);
	memset(file, 0, sizeof(*file));
}

/* Removes the files of a directory of stage/; closes nothing. */
static void
files_remove(const struct state *state, const char *dir, int fd)
{
	int again = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *stream = again < 0 ? NULL : fdopendir(again);
	const struct dirent *entry;
	char place[PLACE_BYTES];

	if (stream == NULL) {
		state_warn(
		    state, stage_place(dir, NULL, place), "list it", errno);
		if (again >= 0)
			(void)close(again);
		return;
	}
	while ((errno = 0, entry = readdir(stream)) != NULL) {
		const char *name = entry->d_name;

		if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
			continue;
		if (unlinkat(fd, name, 0) != 0 && errno != ENOENT)
			state_warn(state, stage_place(dir, name, place),
			    "remove it", errno);
	}
	if (errno != 0)
		state_warn(
		    state, stage_place(dir, NULL, place), "list it", errno);
	(void)closedir(stream);
}

void
stage_clear(struct state *state)
{
	files_remove(state, state->stage_name, state->stage);
}

/* Removes a directory of stage/, unless its owner lives. */
static void
sweep_dir(struct state *state, const char *name)
{
	char place[PLACE_BYTES];
	int fd = openat(state->stages, name,
	    O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	if (fd < 0) {
		if (errno != ENOENT)
			state_warn(state, stage_place(name, NULL, place),
			    "sweep it", errno);
		return;
	}
	if (flock(fd, LOCK_EX | LOCK_NB) == 0 &&
	    state_stands(state->stages, name, fd)) {
		files_remove(state, name, fd);
		/* What was left in it was told. */
		if (unlinkat(state->stages, name, AT_REMOVEDIR) != 0 &&
		    errno != ENOTEMPTY && errno != ENOENT)
			state_warn(state, stage_place(name, NULL, place),
			    "remove it", errno);
	}
	state_unlock(&fd);
}

/*
 * Nobody makes a file in stage/ itself: it is a stranger's, and there until
 * the run that may be alone here takes it away.
 */
static void
sweep_one(struct state *state, const char *name)
{
	char place[PLACE_BYTES];
	struct stat st;

	if (fstatat(state->stages, name, &st, AT_SYMLINK_NOFOLLOW) != 0)
		return;
	if (S_ISDIR(st.st_mode))
		sweep_dir(state, name);
	else if (state->mode == STATE_EXCLUSIVE &&
		 unlinkat(state->stages, name, 0) != 0 && errno != ENOENT)
		state_warn(
		    state, stage_place(name, NULL, place), "remove it", errno);
}

void
stage_sweep(struct state *state)
{
	int fd = openat(state->stages, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *stream = fd < 0 ? NULL : fdopendir(fd);
	const struct dirent *entry;

	if (stream == NULL) {
		state_warn(state, STATE_STAGE_NAME, "list it", errno);
		if (fd >= 0)
			(void)close(fd);
		return;
	}
	while ((entry = readdir(stream)) != NULL)
		if (strcmp(entry->d_name, ".") != 0 &&
		    strcmp(entry->d_name, "..") != 0)
			sweep_one(state, entry->d_name);
	(void)closedir(stream);
}
