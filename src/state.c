/* SPDX-License-Identifier: ISC */
/*
 * The state directory of an issuer: its lock and its number. stage.c has the
 * staged files. What is replaced here is written to a file of another name,
 * synced, and renamed; a file that was there before is never written to.
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

#include "state_impl.h"

#define LOCK_NAME "lock"
static const char *const number_names[STATE_KIND_COUNT] = {
    [STATE_NUMBER] = "number",
    [STATE_PUBLISHED] = "published",
};
static const char *const number_temps[STATE_KIND_COUNT] = {
    [STATE_NUMBER] = "number.tmp",
    [STATE_PUBLISHED] = "published.tmp",
};

/* Signed bytes are public, but nobody else is to write here. */
#define STATE_DIR_MODE 0700

/* A process number and its newline. */
#define PID_BYTES 24

/* The number, its newline, and one more to see that there is not more. */
#define NUMBER_BYTES (UINT160_DECIMAL_BYTES + 1)

enum status
state_fault(
    const struct state *state, const char *name, const char *doing, int error)
{
	char place[PATH_MAX];

	(void)snprintf(place, sizeof(place), "%s%s%s", state->path,
	    name == NULL ? "" : "/", name == NULL ? "" : name);
	report_fault(state->report,
	    error == ENOMEM ? STATUS_NO_MEMORY : STATUS_FAILED, place, "state",
	    NULL, "cannot %s: %s", doing, strerror(error));
	if (error == ENOSPC || error == EDQUOT)
		report_hint(
		    state->report, "free some space there and run again");
	return error == ENOMEM ? STATUS_NO_MEMORY : STATUS_FAILED;
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

bool
state_write(int fd, const char *data, size_t len)
{
	while (len > 0) {
		ssize_t n = write(fd, data, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return false;
		data += n;
		len -= (size_t)n;
	}
	return true;
}

/* Makes a directory of ours that is missing and opens it; -1 with errno. */
static int
own_dir_open(int at, const char *name)
{
	/* The first may be a link to where there is room; below it everything
	 * is our own, and what is staged is removed. */
	int flags = O_RDONLY | O_DIRECTORY | O_CLOEXEC |
		    (at == AT_FDCWD ? 0 : O_NOFOLLOW);

	if (mkdirat(at, name, STATE_DIR_MODE) != 0 && errno != EEXIST)
		return -1;
	return openat(at, name, flags);
}

/* Whoever else can write there can set the number back. */
static void
owner_check(const struct state *state)
{
	struct stat st;

	if (fstat(state->dir, &st) != 0)
		return;
	if (st.st_uid != geteuid())
		report_warn(state->report, state->path, "state", NULL,
		    "the directory belongs to somebody else, have user %lu, "
		    "want %lu",
		    (unsigned long)st.st_uid, (unsigned long)geteuid());
	if ((st.st_mode & S_IWOTH) != 0)
		report_warn(state->report, state->path, "state", NULL,
		    "anybody can write there, have mode %04o, want %04o",
		    (unsigned)st.st_mode & 07777U, (unsigned)STATE_DIR_MODE);
}

/* Says who has the lock, as far as the file tells. */
static enum status
locked_fault(const struct state *state, int fd)
{
	char place[PATH_MAX];
	char text[PID_BYTES];
	ssize_t len = pread(fd, text, sizeof(text) - 1, 0);
	long pid = 0;

	(void)snprintf(place, sizeof(place), "%s/%s", state->path, LOCK_NAME);
	if (len > 0) {
		text[len] = '\0';
		pid = strtol(text, NULL, 10);
	}
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

/* Whether the file we locked is the one that stands there. */
static bool
lock_stands(const struct state *state, int fd)
{
	struct stat mine;
	struct stat there;

	return fstat(fd, &mine) == 0 &&
	       fstatat(state->dir, LOCK_NAME, &there, AT_SYMLINK_NOFOLLOW) ==
		   0 &&
	       mine.st_dev == there.st_dev && mine.st_ino == there.st_ino;
}

static enum status
lock_take(struct state *state)
{
	char text[PID_BYTES];
	enum status status;
	int fd = -1;

	do {
		if (fd >= 0)
			(void)close(fd);
		fd = openat(state->dir, LOCK_NAME,
		    O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
		if (fd < 0)
			return state_fault(state, LOCK_NAME, "open it", errno);
		while (flock(fd, LOCK_EX | LOCK_NB) != 0) {
			int error = errno;

			if (error == EINTR)
				continue;
			if (error == EWOULDBLOCK)
				status = locked_fault(state, fd);
			else
				status = state_fault(
				    state, LOCK_NAME, "lock it", error);
			(void)close(fd);
			return status;
		}
	} while (!lock_stands(state, fd));
	state->lock = fd;
	(void)snprintf(text, sizeof(text), "%ld\n", (long)getpid());
	if (ftruncate(fd, 0) != 0 || !state_write(fd, text, strlen(text)))
		return state_fault(state, LOCK_NAME, "write to it", errno);
	return STATUS_OK;
}

/* Opens the directories, from the outermost. */
static enum status
dirs_open(struct state *state, const char *dir, const char *name)
{
	enum status status = STATUS_OK;
	int outer = own_dir_open(AT_FDCWD, dir);

	if (outer < 0)
		return report_fault(state->report, STATUS_FAILED, dir, "state",
		    NULL, "cannot open or make the directory: %s",
		    strerror(errno));
	state->dir = own_dir_open(outer, name);
	if (state->dir < 0)
		status = state_fault(
		    state, NULL, "open or make the directory", errno);
	else
		owner_check(state);
	(void)close(outer);
	return status;
}

enum status
state_open(const char *dir, const char *name, struct report *report,
    struct state **out)
{
	struct state *state;
	enum status status;

	*out = NULL;
	if (!state_name_ok(name))
		return report_fault(report, STATUS_CONFIG, name, "state", NULL,
		    "not a name that a directory can have");
	state = calloc(1, sizeof(*state));
	if (state != NULL) {
		state->report = report;
		state->dir = state->stage = state->lock = -1;
		if (asprintf(&state->path, "%s/%s", dir, name) < 0)
			state->path = NULL;
	}
	if (state == NULL || state->path == NULL) {
		free(state);
		return report_fault(report, STATUS_NO_MEMORY, dir, "state",
		    NULL, "out of memory");
	}
	status = dirs_open(state, dir, name);
	if (status == STATUS_OK)
		status = lock_take(state);
	if (status == STATUS_OK) {
		state->stage = own_dir_open(state->dir, STAGE_NAME);
		if (state->stage < 0)
			status = state_fault(state, STAGE_NAME,
			    "open or make the directory", errno);
	}
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
	if (state->lock >= 0) {
		/* A child may have the descriptor too: unlock, then close. */
		(void)flock(state->lock, LOCK_UN);
		(void)close(state->lock);
	}
	if (state->stage >= 0)
		(void)close(state->stage);
	if (state->dir >= 0)
		(void)close(state->dir);
	free(state->path);
	free(state);
}

/*
 * A number file that cannot be understood is not one that says zero: a number
 * might be given out a second time.
 */
static enum status
number_fault(const struct state *state, enum state_kind kind)
{
	char place[PATH_MAX];

	(void)snprintf(
	    place, sizeof(place), "%s/%s", state->path, number_names[kind]);
	report_fault(state->report, STATUS_FAILED, place, "state", NULL,
	    "damaged, want one decimal number below 2^159 and a newline");
	report_hint(state->report,
	    "write there the highest crlNumber of the published shards, or a "
	    "higher one");
	return STATUS_FAILED;
}

/* Reads all of a small file; -1 with errno. */
static ssize_t
small_read(int fd, char *data, size_t size)
{
	size_t len = 0;

	while (len < size) {
		ssize_t n = read(fd, data + len, size - len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -1;
		if (n == 0)
			break;
		len += (size_t)n;
	}
	return (ssize_t)len;
}

enum status
state_number(struct state *state, enum state_kind kind, struct uint160 *number)
{
	char text[NUMBER_BYTES];
	const char *why;
	size_t digits;
	ssize_t len;
	int error;
	int fd = openat(state->dir, number_names[kind],
	    O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);

	if (fd < 0 && errno == ENOENT) {
		*number = uint160_from_u64(0);
		return STATUS_OK;
	}
	if (fd < 0)
		return state_fault(state, number_names[kind], "open it", errno);
	len = small_read(fd, text, sizeof(text));
	error = errno;
	(void)close(fd);
	if (len < 0)
		return state_fault(state, number_names[kind], "read it", error);
	digits = len == 0 ? 0 : (size_t)len - 1;
	if (digits == 0 || text[digits] != '\n' ||
	    (text[0] == '0' && digits > 1) ||
	    uint160_from_decimal(number, text, digits, &why) != STATUS_OK)
		return number_fault(state, kind);
	return STATUS_OK;
}

/* Writes the temporary number file and syncs it; false with errno. */
static bool
number_write(struct state *state, enum state_kind kind, const char *text)
{
	int error;
	bool ok;
	int fd;

	if (unlinkat(state->dir, number_temps[kind], 0) != 0 && errno != ENOENT)
		return false;
	fd = openat(state->dir, number_temps[kind],
	    O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return false;
	ok = state_write(fd, text, strlen(text)) && fsync(fd) == 0;
	error = errno;
	if (close(fd) != 0 && ok)
		return false;
	errno = error;
	return ok;
}

enum status
state_number_set(
    struct state *state, enum state_kind kind, const struct uint160 *number)
{
	char text[UINT160_DECIMAL_BYTES + 1];
	char decimal[UINT160_DECIMAL_BYTES];
	struct uint160 last;
	enum status status = state_number(state, kind, &last);

	if (status != STATUS_OK)
		return status;
	uint160_to_decimal(number, decimal);
	if (uint160_compare(number, &last) < 0) {
		uint160_to_decimal(&last, text);
		return report_fault(state->report, STATUS_FAILED, state->path,
		    "state", "RFC 5280, 5.2.3",
		    "the number would go back, have %s, want at least %s",
		    decimal, text);
	}
	(void)snprintf(text, sizeof(text), "%s\n", decimal);
	if (!number_write(state, kind, text) ||
	    renameat(state->dir, number_temps[kind], state->dir,
		number_names[kind]) != 0 ||
	    fsync(state->dir) != 0) {
		status =
		    state_fault(state, number_names[kind], "write it", errno);
		(void)unlinkat(state->dir, number_temps[kind], 0);
	}
	return status;
}
