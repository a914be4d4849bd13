/* SPDX-License-Identifier: ISC */
/*
 * Files and directories of a directory store: found below its root without
 * following links, opened, named by a version, locked.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <time.h>
#include <unistd.h>

#include "crlpress/fd_io.h"
#include "store_dir_impl.h"

/* How long the store's lock is waited for: pauses that grow from a fifth of a
 * millisecond to 13, half a minute in all. */
#define LOCK_PAUSE_NSEC 200000L
#define LOCK_PAUSES_EACH 8
#define LOCK_STEPS_MOST 6
#define LOCK_PAUSES_MOST 2390

/* Reports that `doing` did not work. */
enum status
dir_fault(struct store_dir *dir, const char *key, const char *doing, int error)
{
	enum status status = store_fault(
	    &dir->store, key, "cannot %s: %s", doing, strerror(error));
	const char *remedy = fd_remedy(error);

	if (remedy != NULL)
		report_hint(dir->store.report, "%s", remedy);
	return status;
}

/* Who can open no more files will not open the next one either. */
enum status
dir_flaw(struct store_dir *dir, const char *key, const char *doing, int error,
    struct store_flaw *flaw)
{
	if (error == EMFILE || error == ENFILE || error == ENOMEM)
		return dir_fault(dir, key, doing, error);
	return store_flaw_set(
	    flaw, fd_remedy(error), "cannot %s: %s", doing, strerror(error));
}

/* close(2) of what may be open. */
void
dir_fd_close(int fd)
{
	if (fd >= 0)
		(void)close(fd);
}

/*
 * Device, inode, size and mtime name a version, since an object is a file of
 * its own that is never written again: two versions that stand there one
 * after the other differ in the inode, and one that gets the inode of a
 * version before the last was written after that one was read, and differs in
 * the mtime. The ctime is left out on purpose: it changes without a new
 * version whenever a hard link comes or goes, and a staged file is one.
 */
void
dir_version_set(struct store_version *version, const struct stat *st)
{
	(void)snprintf(version->text, sizeof(version->text),
	    "%llx-%llx-%llx-%llx.%09ld", (unsigned long long)st->st_dev,
	    (unsigned long long)st->st_ino, (unsigned long long)st->st_size,
	    (unsigned long long)st->st_mtim.tv_sec, st->st_mtim.tv_nsec);
}

bool
dir_same_file(const struct stat *a, const struct stat *b)
{
	return a->st_dev == b->st_dev && a->st_ino == b->st_ino;
}

/*
 * Reads a file of this size, and does not map it: whoever cuts off a file that
 * is mapped ends the program. `*data` is NULL for an empty one.
 */
enum status
dir_read(struct store_dir *dir, const char *key, int fd, size_t len,
    uint8_t **data, struct store_flaw *flaw)
{
	uint8_t *read = len > 0 ? malloc(len) : NULL;
	enum status status = STATUS_OK;
	size_t done = 0;

	*data = NULL;
	if (len > 0 && read == NULL)
		return dir_flaw(dir, key, "read it", errno, flaw);
	while (status == STATUS_OK && done < len) {
		ssize_t n = pread(fd, read + done, len - done, (off_t)done);

		if (n > 0)
			done += (size_t)n;
		else if (n == 0)
			status = store_flaw_set(
			    flaw, NULL, "was cut off while it was read");
		else if (errno != EINTR)
			status = dir_flaw(dir, key, "read it", errno, flaw);
	}
	if (status == STATUS_OK)
		*data = read;
	else
		free(read);
	return status;
}

/* Nobody may put over the lock, or put what the sweep would remove. */
static enum status
reserved_check(struct store_dir *dir, const char *key)
{
	for (const char *part = key; part != NULL;) {
		if (strncmp(part, DIR_RESERVED, sizeof(DIR_RESERVED) - 1) == 0)
			return store_fault(&dir->store, key,
			    "not an object key: names that begin with %s are "
			    "reserved",
			    DIR_RESERVED);
		part = strchr(part, '/');
		if (part != NULL)
			part++;
	}
	return STATUS_OK;
}

/* Opens a directory below `at`, never through a link; may make it. */
int
dir_child_open(int at, const char *name, bool make)
{
	const int flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
	int fd = openat(at, name, flags);
	bool made;

	if (fd >= 0 || errno != ENOENT || !make)
		return fd;
	made = mkdirat(at, name, DIR_MODE) == 0;
	if (!made && errno != EEXIST)
		return -1;
	fd = openat(at, name, flags);
	/* A web server must get in, whatever our umask is. */
	if (fd >= 0 && made && fchmod(fd, DIR_MODE) != 0) {
		int error = errno;

		(void)close(fd);
		errno = error;
		return -1;
	}
	return fd;
}

/*
 * Opens the directory that a key is in and finds its name there. With `make`
 * missing ones are made; else STATUS_NOT_FOUND, not reported.
 */
enum status
dir_parent_open(struct store_dir *dir, const char *key, bool make, int *parent,
    const char **name, struct store_flaw *flaw)
{
	enum status status = reserved_check(dir, key);
	int at;

	if (status != STATUS_OK)
		return status;
	at = fcntl(dir->root, F_DUPFD_CLOEXEC, 0);
	*name = key;
	for (int depth = 0; at >= 0; depth++) {
		const char *slash = strchr(*name, '/');
		char part[NAME_MAX + 1];
		int next;

		if (slash == NULL) {
			*parent = at;
			return STATUS_OK;
		}
		if (depth == DIR_DEPTH_MOST || slash - *name > NAME_MAX) {
			errno = ENAMETOOLONG;
			break;
		}
		memcpy(part, *name, (size_t)(slash - *name));
		part[slash - *name] = '\0';
		next = dir_child_open(at, part, make);
		if (next < 0)
			break;
		(void)close(at);
		at = next;
		*name = slash + 1;
	}
	/* A put will not get in either. */
	flaw->in_the_way = true;
	if (errno == ENOENT && !make)
		status = STATUS_NOT_FOUND;
	else
		status = dir_flaw(dir, key, "open its directory", errno, flaw);
	dir_fd_close(at);
	return status;
}

/*
 * A store whose directory was removed has no objects, but that is no answer
 * to "is there an object", on which the first put of a shard would build.
 */
enum status
dir_root_check(struct store_dir *dir)
{
	struct stat st;

	if (fstat(dir->root, &st) != 0)
		return dir_fault(dir, NULL, "look at it", errno);
	if (st.st_nlink == 0)
		return store_fault(&dir->store, NULL,
		    "the directory was removed while it was in use");
	return STATUS_OK;
}

/* Nobody replaces what somebody put there for a reason of their own. */
static enum status
not_a_file(const struct stat *st, struct store_flaw *flaw)
{
	flaw->in_the_way = true;
	return store_flaw_set(flaw, "move it away and run again",
	    S_ISLNK(st->st_mode) ? "is a symbolic link, want a regular file"
				 : "is not a regular file");
}

/*
 * What cannot be opened has a version too, by which it can be replaced. A
 * socket cannot be opened at all.
 */
static enum status
object_unopened(struct store_dir *dir, const char *key, int error,
    const struct stat *st, struct store_version *version,
    struct store_flaw *flaw)
{
	if (st->st_mode != 0 && !S_ISREG(st->st_mode))
		return not_a_file(st, flaw);
	if (st->st_mode != 0)
		dir_version_set(version, st);
	return dir_flaw(dir, key, "open it", error, flaw);
}

/* Opens an object; STATUS_NOT_FOUND, not reported, when there is none. */
enum status
dir_object_open(struct store_dir *dir, const char *key, int *fd,
    struct stat *st, struct store_version *version, struct store_flaw *flaw)
{
	const char *name;
	enum status status;
	int parent = -1;
	int error;

	version->text[0] = '\0';
	status = dir_parent_open(dir, key, false, &parent, &name, flaw);
	if (status == STATUS_OK) {
		/* O_NONBLOCK: a FIFO would wait for its writer. */
		*fd = openat(parent, name,
		    O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
		error = errno;
		if (*fd < 0 &&
		    fstatat(parent, name, st, AT_SYMLINK_NOFOLLOW) != 0)
			st->st_mode = 0;
		(void)close(parent);
		if (*fd < 0 && error != ENOENT)
			return object_unopened(
			    dir, key, error, st, version, flaw);
		if (*fd < 0)
			status = STATUS_NOT_FOUND;
	}
	if (status == STATUS_NOT_FOUND) {
		enum status root = dir_root_check(dir);

		return root == STATUS_OK ? STATUS_NOT_FOUND : root;
	}
	if (status != STATUS_OK)
		return status;
	if (fstat(*fd, st) != 0)
		return dir_flaw(dir, key, "look at it", errno, flaw);
	if (!S_ISREG(st->st_mode))
		return not_a_file(st, flaw);
	dir_version_set(version, st);
	if ((uint64_t)st->st_size > STORE_OBJECT_BYTES_MOST)
		return store_flaw_set(flaw, NULL,
		    "too large, have %llu bytes, want at most %llu",
		    (unsigned long long)st->st_size,
		    (unsigned long long)STORE_OBJECT_BYTES_MOST);
	return STATUS_OK;
}

/* Whoever has it has it for one rename, unless it is stopped. */
static enum status
lock_fault(struct store_dir *dir)
{
	enum status status = store_fault(&dir->store, DIR_LOCK_NAME,
	    "another process has held the lock for half a minute");

	report_hint(dir->store.report, "lslocks tells which; it may be "
				       "stopped, or wait for its disk");
	return status;
}

/* Whether the lock may be asked for once more; a little later each time. */
static bool
lock_pause(unsigned *pauses)
{
	unsigned step = *pauses / LOCK_PAUSES_EACH;
	struct timespec pause = {
	    .tv_nsec = LOCK_PAUSE_NSEC
		       << (step < LOCK_STEPS_MOST ? step : LOCK_STEPS_MOST)};

	if (++*pauses > LOCK_PAUSES_MOST)
		return false;
	(void)nanosleep(&pause, NULL);
	return true;
}

/*
 * Takes the store's lock. Each caller has a descriptor of its own, so that
 * threads are kept apart too. With `wait` false STATUS_LOCKED, not reported.
 */
enum status
dir_lock_take(struct store_dir *dir, bool wait, int *lock)
{
	unsigned pauses = 0;

	for (;;) {
		struct stat mine;
		struct stat there;
		int fd = openat(dir->root, DIR_LOCK_NAME,
		    O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
		int error;

		if (fd < 0)
			return dir_fault(
			    dir, DIR_LOCK_NAME, "open the lock", errno);
		while (flock(fd, LOCK_EX | LOCK_NB) != 0) {
			error = errno;
			if (error == EINTR || (error == EWOULDBLOCK && wait &&
						  lock_pause(&pauses)))
				continue;
			(void)close(fd);
			if (error == EWOULDBLOCK)
				return wait ? lock_fault(dir) : STATUS_LOCKED;
			return dir_fault(
			    dir, DIR_LOCK_NAME, "take the lock", error);
		}
		/* Somebody may have removed it while we waited. */
		if (fstat(fd, &mine) == 0 &&
		    fstatat(dir->root, DIR_LOCK_NAME, &there,
			AT_SYMLINK_NOFOLLOW) == 0 &&
		    dir_same_file(&mine, &there)) {
			*lock = fd;
			return STATUS_OK;
		}
		(void)close(fd);
	}
}

/* A child that was forked meanwhile has the descriptor too: unlock first. */
void
dir_lock_drop(int *lock)
{
	if (*lock < 0)
		return;
	(void)flock(*lock, LOCK_UN);
	(void)close(*lock);
	*lock = -1;
}
