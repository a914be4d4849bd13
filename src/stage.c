/* SPDX-License-Identifier: ISC */
/*
 * Staged files: the signed bytes of the run under way. A directory store may
 * publish one as a hard link, so a file with its final name is never written
 * to again; each is made under another name that no store ever sees.
 */
#include "crlpress/state.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include "state_impl.h"

#define TEMP_PREFIX ".tmp-"

/* Published as it is: anybody may read it. */
#define STAGE_FILE_MODE 0644

/* Parts of one writev(2); a CRL has three. */
#define PARTS_AT_ONCE 16

/* Reports what did not work with a staged file. */
static enum status
stage_fault(
    const struct state *state, const char *name, const char *doing, int error)
{
	char place[sizeof(STAGE_NAME) + NAME_MAX + 1];

	(void)snprintf(place, sizeof(place), "%s/%s", STAGE_NAME, name);
	return state_fault(state, place, doing, error);
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
	if (asprintf(&file->path, "%s/%s/%s", state->path, STAGE_NAME, name) <
	    0) {
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

enum status
stage_clear(struct state *state)
{
	enum status status = STATUS_OK;
	const struct dirent *entry;
	DIR *stream;
	int fd = openat(state->stage, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		return state_fault(state, STAGE_NAME, "open it", errno);
	stream = fdopendir(fd);
	if (stream == NULL) {
		status = state_fault(state, STAGE_NAME, "list it", errno);
		(void)close(fd);
		return status;
	}
	while ((errno = 0, entry = readdir(stream)) != NULL) {
		const char *name = entry->d_name;

		if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
			continue;
		if (unlinkat(fd, name, 0) != 0 && errno != ENOENT)
			status = stage_fault(state, name, "remove it", errno);
	}
	if (errno != 0)
		status = state_fault(state, STAGE_NAME, "list it", errno);
	(void)closedir(stream);
	return status;
}
