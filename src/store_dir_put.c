/* SPDX-License-Identifier: ISC */
/*
 * A put into a directory store. What stands there is looked at, and replaced
 * by rename, under a lock of the whole store that is held no longer than
 * that. A temporary file is made under the lock too; one that outlives it (a
 * copy) is locked itself. So whoever holds the store's lock and finds a
 * temporary file without a lock has found the leftover of a killed process.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "store_dir_impl.h"

/* Prefix, process, hash of the key and attempt. */
#define TEMP_BYTES 80

/* Another file with the name is a leftover, or of a process of a container
 * that has the same number; there are never many. */
#define TEMP_ATTEMPTS 1000

/* One write(2); bounds how long a signal waits. */
#define WRITE_BYTES ((size_t)8 * 1024 * 1024)

/* A put under way. */
struct put {
	struct store_dir *dir;
	const struct store_upload *upload;
	int parent;       /* the directory of the object */
	const char *name; /* its name there */
	int staged;
	struct stat staged_stat;
	int lock;              /* of the store; -1: not held */
	int copy;              /* the temporary file, when it is a copy */
	char temp[TEMP_BYTES]; /* empty: there is none */
	struct stat temp_stat;
};

/* FNV-1a: tells the temporary files of one process apart for a reader. */
static uint64_t
key_hash(const char *key)
{
	uint64_t hash = 0xcbf29ce484222325U;

	for (; *key != '\0'; key++)
		hash = (hash ^ (uint8_t)*key) * 0x100000001b3U;
	return hash;
}

static void
temp_name(struct put *put, int attempt)
{
	(void)snprintf(put->temp, sizeof(put->temp), "%s%ld-%016llx-%d",
	    DIR_TEMP_PREFIX, (long)getpid(),
	    (unsigned long long)key_hash(put->upload->key), attempt);
}

/* Opens the staged file and the directory it goes to. */
static enum status
put_begin(struct put *put)
{
	const struct store_upload *upload = put->upload;
	struct stat *st = &put->staged_stat;
	struct store_flaw flaw = {.hint = NULL};
	enum status status;

	put->staged = open(upload->path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	if (put->staged < 0 || fstat(put->staged, st) != 0)
		return report_fault(put->dir->store.report, STATUS_FAILED,
		    upload->path, "store", NULL, "cannot open it: %s",
		    strerror(errno));
	if (!S_ISREG(st->st_mode) || (uint64_t)st->st_size != upload->size)
		return report_fault(put->dir->store.report, STATUS_FAILED,
		    upload->path, "store", NULL,
		    "changed since it was staged, have %llu bytes, want %llu",
		    (unsigned long long)st->st_size,
		    (unsigned long long)upload->size);
	status = dir_parent_open(
	    put->dir, upload->key, true, &put->parent, &put->name, &flaw);
	return store_flaw_report(&put->dir->store, upload->key, status, &flaw);
}

/*
 * Looks at what stands there, under the lock: STATUS_OK when it is what the
 * put replaces, STATUS_CONFLICT when not, STATUS_DONE when it is the staged
 * file itself. That one must not be renamed to: rename(2) does nothing with
 * two links of one file, and leaves the temporary one.
 */
static enum status
put_compare(struct put *put, struct store_version *now)
{
	struct store_version version = {.text = ""};
	struct stat st;

	if (fstatat(put->parent, put->name, &st, AT_SYMLINK_NOFOLLOW) == 0) {
		if (!S_ISREG(st.st_mode))
			return store_fault(&put->dir->store, put->upload->key,
			    "is not a regular file: not replaced");
		dir_version_set(&version, &st);
		if (dir_same_file(&st, &put->staged_stat)) {
			*now = version;
			return STATUS_DONE;
		}
	} else if (errno != ENOENT) {
		return dir_fault(
		    put->dir, put->upload->key, "look at it", errno);
	}
	if (strcmp(version.text, put->upload->replaces.text) != 0)
		return STATUS_CONFLICT;
	return STATUS_OK;
}

/* Errors of link(2) after which a copy may still do. */
static bool
link_impossible(int error)
{
	return error == EXDEV || error == EPERM || error == EMLINK ||
	       error == EOPNOTSUPP || error == ENOSYS;
}

/*
 * A second name for the staged file: no second copy of its bytes, and those
 * that were judged. STATUS_NOT_FOUND when it takes a copy.
 */
static enum status
put_link(struct put *put)
{
	/* The object would have the mode; a web server must read it. */
	if ((put->staged_stat.st_mode & 07777) != DIR_OBJECT_MODE)
		return STATUS_NOT_FOUND;
	for (int attempt = 0;; attempt++) {
		temp_name(put, attempt);
		if (linkat(AT_FDCWD, put->upload->path, put->parent, put->temp,
			0) == 0)
			break;
		if (errno == EEXIST && attempt < TEMP_ATTEMPTS)
			continue;
		put->temp[0] = '\0';
		if (link_impossible(errno))
			return STATUS_NOT_FOUND;
		return dir_fault(
		    put->dir, put->upload->key, "link the staged file", errno);
	}
	if (fstatat(put->parent, put->temp, &put->temp_stat,
		AT_SYMLINK_NOFOLLOW) != 0)
		return dir_fault(
		    put->dir, put->upload->key, "look at the link", errno);
	if (!dir_same_file(&put->temp_stat, &put->staged_stat))
		return store_fault(&put->dir->store, put->upload->key,
		    "the staged file was exchanged during the put");
	return STATUS_OK;
}

/* Makes the temporary file of a copy, locked, under the store's lock. */
static enum status
copy_create(struct put *put)
{
	for (int attempt = 0;; attempt++) {
		temp_name(put, attempt);
		put->copy = openat(put->parent, put->temp,
		    O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
		if (put->copy >= 0)
			break;
		if (errno == EEXIST && attempt < TEMP_ATTEMPTS)
			continue;
		put->temp[0] = '\0';
		return dir_fault(
		    put->dir, put->upload->key, "make a temporary file", errno);
	}
	if (flock(put->copy, LOCK_EX | LOCK_NB) != 0)
		return dir_fault(
		    put->dir, put->upload->key, "lock a temporary file", errno);
	return STATUS_OK;
}

/* Writes the bytes; false with errno. */
static bool
copy_write(int fd, const uint8_t *data, size_t len)
{
	while (len > 0) {
		ssize_t n =
		    write(fd, data, len < WRITE_BYTES ? len : WRITE_BYTES);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return false;
		data += n;
		len -= (size_t)n;
	}
	return true;
}

/* Fills the copy, syncs it, and reads it back. */
static enum status
copy_fill(struct put *put)
{
	const size_t len = (size_t)put->upload->size;
	const char *key = put->upload->key;
	struct store_flaw flaw = {.hint = NULL};
	uint8_t *data = NULL;
	struct hash hash;
	enum status status;

	status = dir_read(put->dir, key, put->staged, len, &data, &flaw);
	if (status != STATUS_OK)
		return store_flaw_report(&put->dir->store, key, status, &flaw);
	if (!copy_write(put->copy, data, len) ||
	    fchmod(put->copy, DIR_OBJECT_MODE) != 0 || fsync(put->copy) != 0 ||
	    fstat(put->copy, &put->temp_stat) != 0)
		status = dir_fault(put->dir, key, "write it", errno);
	else if (put->temp_stat.st_size != put->staged_stat.st_size)
		status = store_fault(&put->dir->store, key,
		    "the copy is not as long as the staged file");
	free(data);
	data = NULL;
	if (status == STATUS_OK)
		status = dir_read(put->dir, key, put->copy, len, &data, &flaw);
	if (status != STATUS_OK)
		return store_flaw_report(&put->dir->store, key, status, &flaw);
	if (hash_bytes(data, len, &hash) != STATUS_OK)
		status = store_fault(
		    &put->dir->store, key, "cannot hash what was written");
	else if (memcmp(&hash, &put->upload->sha256, sizeof(hash)) != 0)
		status = store_fault(&put->dir->store, key,
		    "what was written reads back as something else");
	free(data);
	return status;
}

/*
 * Makes a copy, without the store's lock while it is written, and looks again
 * at what stands there.
 */
static enum status
put_copy(struct put *put, struct store_version *now)
{
	enum status status = copy_create(put);

	dir_lock_drop(&put->lock);
	if (status == STATUS_OK)
		status = copy_fill(put);
	if (status == STATUS_OK)
		status = dir_lock_take(put->dir, true, &put->lock);
	if (status == STATUS_OK)
		status = put_compare(put, now);
	return status;
}

/* Renames under the lock, and sees that it is our file that stands there. */
static enum status
put_rename(struct put *put, struct store_version *now)
{
	const char *key = put->upload->key;
	struct stat st;

	if (renameat(put->parent, put->temp, put->parent, put->name) != 0)
		return dir_fault(put->dir, key, "rename it into place", errno);
	put->temp[0] = '\0';
	if (fstatat(put->parent, put->name, &st, AT_SYMLINK_NOFOLLOW) != 0) {
		(void)dir_fault(put->dir, key, "read it back", errno);
		return STATUS_PARTIAL;
	}
	if (!dir_same_file(&st, &put->temp_stat) ||
	    (uint64_t)st.st_size != put->upload->size) {
		(void)store_fault(&put->dir->store, key,
		    "is not what was put there a moment ago: "
		    "somebody writes there without the lock");
		return STATUS_PARTIAL;
	}
	dir_version_set(now, &st);
	return STATUS_OK;
}

/* Whether what stands there are the bytes we came to put. */
static enum status
put_is_ours(struct put *put, struct store_version *now)
{
	const char *key = put->upload->key;
	struct store_flaw flaw = {.hint = NULL};
	struct store_version there;
	uint8_t *data = NULL;
	struct hash hash;
	struct stat st;
	enum status status;
	int fd = -1;

	status = dir_object_open(put->dir, key, &fd, &st, &there, &flaw);
	if (status == STATUS_NOT_FOUND)
		return STATUS_CONFLICT;
	if (status != STATUS_OK)
		goto out;
	status = STATUS_CONFLICT;
	if ((uint64_t)st.st_size != put->upload->size)
		goto out;
	status = dir_read(put->dir, key, fd, (size_t)st.st_size, &data, &flaw);
	if (status != STATUS_OK)
		goto out;
	status = STATUS_CONFLICT;
	if (hash_bytes(data, (size_t)st.st_size, &hash) == STATUS_OK &&
	    memcmp(&hash, &put->upload->sha256, sizeof(hash)) == 0) {
		*now = there;
		status = STATUS_OK;
	}
out:
	free(data);
	dir_fd_close(fd);
	return store_flaw_report(&put->dir->store, key, status, &flaw);
}

/* All that is done under the lock. */
static enum status
put_swap(struct put *put, struct store_version *now)
{
	enum status status = dir_lock_take(put->dir, true, &put->lock);

	if (status == STATUS_OK)
		status = put_compare(put, now);
	if (status == STATUS_OK)
		status = put_link(put);
	if (status == STATUS_NOT_FOUND)
		status = put_copy(put, now);
	if (status == STATUS_OK)
		status = put_rename(put, now);
	if (put->temp[0] != '\0')
		(void)unlinkat(put->parent, put->temp, 0);
	dir_lock_drop(&put->lock);
	return status == STATUS_DONE ? STATUS_OK : status;
}

enum status
store_dir_put(struct store *store, const struct store_upload *upload,
    struct store_version *now)
{
	struct store_dir *dir = (struct store_dir *)store;
	struct put put = {.dir = dir,
	    .upload = upload,
	    .parent = -1,
	    .staged = -1,
	    .lock = -1,
	    .copy = -1};
	enum status status;

	status = put_begin(&put);
	if (status == STATUS_OK)
		status = put_swap(&put, now);
	if (status == STATUS_CONFLICT)
		status = put_is_ours(&put, now);
	if (status == STATUS_OK)
		status = dir_touched_add(dir, upload->key);
	dir_fd_close(put.copy);
	dir_fd_close(put.parent);
	dir_fd_close(put.staged);
	return status;
}
