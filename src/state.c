/* SPDX-License-Identifier: ISC */
/*
 * The state directory of an issuer: its directories and its locks.
 * state_number.c has the numbers, stage.c the staged files.
 */
#include "crlpress/state.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "crlpress/fd_io.h"
#include "state_impl.h"

#define LOCK_NAME "lock"

/* Signed bytes are public, but nobody else is to write here. */
#define STATE_DIR_MODE 0700

/* A process number and its newline. */
#define PID_BYTES 24

/* DIR/NAME/name; of the directory itself when `name` is NULL. */
static const char *
state_place(const struct state *state, const char *name, char place[PATH_MAX])
{
	(void)snprintf(place, PATH_MAX, "%s%s%s", state->path,
	    name == NULL ? "" : "/", name == NULL ? "" : name);
	return place;
}

/*
 * What to do about an error there. Who lacks a right is told whose it is, as
 * far down as that can be seen.
 */
static void
error_hint(const struct state *state, const char *place, int error)
{
	const char *remedy = fd_remedy(error);
	char path[PATH_MAX];
	char *slash = path;
	struct stat st;
	bool seen;

	(void)snprintf(path, sizeof(path), "%s", place);
	while (!(seen = stat(path, &st) == 0) &&
	       (slash = strrchr(path, '/')) != NULL && slash != path)
		*slash = '\0';
	if (seen && st.st_uid != geteuid() &&
	    (error == EACCES || error == EPERM))
		report_hint(state->report,
		    "%s: %s belongs to user %lu, and this is user %lu", remedy,
		    path, (unsigned long)st.st_uid, (unsigned long)geteuid());
	else if (remedy != NULL)
		report_hint(state->report, "%s", remedy);
}

enum status
state_fault(
    const struct state *state, const char *name, const char *doing, int error)
{
	enum status status = error == ENOMEM ? STATUS_NO_MEMORY : STATUS_FAILED;
	char place[PATH_MAX];

	report_fault(state->report, status, state_place(state, name, place),
	    "state", NULL, "cannot %s: %s", doing, strerror(error));
	error_hint(state, place, error);
	return status;
}

void
state_warn(
    const struct state *state, const char *name, const char *doing, int error)
{
	char place[PATH_MAX];

	report_warn(state->report, state_place(state, name, place), "state",
	    NULL, "cannot %s: %s", doing, strerror(error));
}

bool
state_name_ok(const char *name)
{
	if (name[0] == '\0' || strlen(name) > NAME_MAX ||
	    strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
		return false;
	for (const char *c = name; *c != '\0'; c++)
		if (*c == '/' || (unsigned char)*c < ' ' || *c == 0x7f)
			return false;
	return true;
}

/* See state_own: root alone can give something away, and must. */
static void
owner_inherit(struct report *report, const char *path, int dir, int fd)
{
	struct stat outer;
	struct stat st;

	if (geteuid() != 0 || fstat(dir, &outer) != 0 || fstat(fd, &st) != 0 ||
	    (outer.st_uid == st.st_uid && outer.st_gid == st.st_gid))
		return;
	if (fchown(fd, outer.st_uid, outer.st_gid) != 0)
		report_warn(report, path, "state", NULL,
		    "cannot give what is made there to user %lu: %s",
		    (unsigned long)outer.st_uid, strerror(errno));
}

void
state_own(const struct state *state, int fd)
{
	owner_inherit(state->report, state->path, state->dir, fd);
}

int
state_dir_make(const struct state *state, int at, const char *name)
{
	/* The first may be a link to where there is room; below it everything
	 * is our own, and what is staged is removed. */
	int flags = O_RDONLY | O_DIRECTORY | O_CLOEXEC |
		    (at == AT_FDCWD ? 0 : O_NOFOLLOW);
	bool made = mkdirat(at, name, STATE_DIR_MODE) == 0;
	int parent;
	int fd;

	if (!made && errno != EEXIST)
		return -1;
	fd = openat(at, name, flags);
	if (fd < 0 || !made)
		return fd;
	/* The number in it lasts no longer than its name does. */
	parent = openat(fd, "..", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (parent < 0)
		return fd;
	(void)fsync(parent);
	if (at != AT_FDCWD)
		owner_inherit(state->report, state->path, parent, fd);
	(void)close(parent);
	return fd;
}

/* Whoever else can write there can set the number back. */
static void
owner_check(const struct state *state)
{
	struct stat st;

	if (fstat(state->dir, &st) != 0)
		return;
	/* What root makes there is given to the owner. */
	if (st.st_uid != geteuid() && geteuid() != 0)
		report_warn(state->report, state->path, "state", NULL,
		    "the directory belongs to somebody else, have user %lu, "
		    "want %lu",
		    (unsigned long)st.st_uid, (unsigned long)geteuid());
	if ((st.st_mode & S_IWOTH) != 0)
		report_warn(state->report, state->path, "state", NULL,
		    "anybody can write there, have mode %04o, want %04o",
		    (unsigned)st.st_mode & 07777U, (unsigned)STATE_DIR_MODE);
}

bool
state_stands(int at, const char *name, int fd)
{
	struct stat mine;
	struct stat there;

	return fstat(fd, &mine) == 0 &&
	       fstatat(at, name, &there, AT_SYMLINK_NOFOLLOW) == 0 &&
	       mine.st_dev == there.st_dev && mine.st_ino == there.st_ino;
}

enum status
state_lock(const struct state *state, const char *name, int *lock)
{
	for (;;) {
		int fd = openat(state->dir, name,
		    O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);

		if (fd < 0)
			return state_fault(state, name, "open it", errno);
		state_own(state, fd);
		while (flock(fd, LOCK_EX | LOCK_NB) != 0) {
			int error = errno;

			if (error == EINTR)
				continue;
			(void)close(fd);
			if (error == EWOULDBLOCK)
				return STATUS_LOCKED;
			return state_fault(state, name, "lock it", error);
		}
		/* Somebody may have removed the file meanwhile. */
		if (state_stands(state->dir, name, fd)) {
			*lock = fd;
			return STATUS_OK;
		}
		(void)close(fd);
	}
}

void
state_unlock(int *lock)
{
	if (*lock < 0)
		return;
	(void)flock(*lock, LOCK_UN);
	(void)close(*lock);
	*lock = -1;
}

/* Says who has the lock, as far as the file tells. */
static enum status
locked_fault(const struct state *state)
{
	char place[PATH_MAX];
	char text[PID_BYTES];
	ssize_t len = -1;
	long pid = 0;
	int fd = openat(state->dir, LOCK_NAME,
	    O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);

	if (fd >= 0) {
		len = read(fd, text, sizeof(text) - 1);
		(void)close(fd);
	}
	if (len > 0) {
		text[len] = '\0';
		pid = strtol(text, NULL, 10);
	}
	(void)state_place(state, LOCK_NAME, place);
	if (pid > 0)
		report_fault(state->report, STATUS_LOCKED, place, "lock", NULL,
		    "another run of this issuer holds it: process %ld", pid);
	else
		report_fault(state->report, STATUS_LOCKED, place, "lock", NULL,
		    "another run of this issuer holds it");
	report_hint(state->report,
	    "it is free as soon as that process ends; do not remove the file");
	return STATUS_LOCKED;
}

/* The lock of a run, with the number of its process in it. */
static enum status
run_lock(struct state *state)
{
	char text[PID_BYTES];
	enum status status = state_lock(state, LOCK_NAME, &state->lock);

	if (status == STATUS_LOCKED)
		return locked_fault(state);
	if (status != STATUS_OK)
		return status;
	(void)snprintf(text, sizeof(text), "%ld\n", (long)getpid());
	if (ftruncate(state->lock, 0) != 0 ||
	    !fd_write(state->lock, text, strlen(text)))
		return state_fault(state, LOCK_NAME, "write to it", errno);
	return STATUS_OK;
}

/* Opens the directories, from the outermost. */
static enum status
dirs_open(struct state *state, const char *dir, const char *name)
{
	enum status status = STATUS_OK;
	int outer = state_dir_make(state, AT_FDCWD, dir);
	int error = errno;

	if (outer < 0) {
		report_fault(state->report, STATUS_FAILED, dir, "state", NULL,
		    "cannot open or make the directory: %s", strerror(error));
		error_hint(state, dir, error);
		return STATUS_FAILED;
	}
	state->dir = state_dir_make(state, outer, name);
	if (state->dir < 0)
		status = state_fault(
		    state, NULL, "open or make the directory", errno);
	else
		owner_check(state);
	(void)close(outer);
	return status;
}

static struct state *
state_new(const char *dir, const char *name, enum state_mode mode,
    struct report *report)
{
	struct state *state = calloc(1, sizeof(*state));

	if (state == NULL)
		return NULL;
	state->report = report;
	state->mode = mode;
	state->dir = state->stages = state->stage = state->lock = -1;
	if (asprintf(&state->path, "%s/%s", dir, name) >= 0)
		return state;
	free(state);
	return NULL;
}

enum status
state_open(const char *dir, const char *name, enum state_mode mode,
    struct report *report, struct state **out)
{
	struct state *state;
	enum status status;

	*out = NULL;
	if (!state_name_ok(name))
		return report_fault(report, STATUS_CONFIG, name, "state", NULL,
		    "not a name that a directory can have");
	state = state_new(dir, name, mode, report);
	if (state == NULL)
		return report_fault(report, STATUS_NO_MEMORY, dir, "state",
		    NULL, "out of memory");
	status = dirs_open(state, dir, name);
	if (status == STATUS_OK && mode == STATE_EXCLUSIVE)
		status = run_lock(state);
	if (status == STATUS_OK)
		status = stage_open(state);
	if (status == STATUS_OK)
		*out = state;
	else
		state_close(state);
	return status;
}

void
state_close(struct state *state)
{
	if (state == NULL)
		return;
	stage_close(state);
	state_unlock(&state->lock);
	if (state->dir >= 0)
		(void)close(state->dir);
	free(state->path);
	free(state);
}
