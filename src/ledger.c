/* SPDX-License-Identifier: ISC */
/*
 * Appending to the ledger. The file is opened anew for each line: another
 * process may have put it aside in the meantime, and what is locked must be
 * the one that stands there. docs/ledger.md.
 */
#include "crlpress/ledger.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#include "crlpress/utc.h"

/* Names serials of revoked certificates only, but is nobody's business. */
#define LEDGER_MODE 0600

/* "ledger-20261122T050949Z-65535.jsonl" */
#define ASIDE_BYTES 64

/* Files put aside in one second. */
#define ASIDE_MOST 1000

/*
 * Whoever has the lock has it for one write, unless stopped, or a reader who
 * forgot it: half a minute, and how long is waited in between.
 */
#define LOCK_TRIES 15000
#define LOCK_NSEC 2000000L

struct ledger {
	struct report *report;
	char *path; /* DIR/ledger.jsonl, for messages */
	int dir;
	uint64_t size_most;
	int64_t (*clock_sec)(void);
	const struct state *state;
	unsigned lock_tries;
	atomic_bool is_given_up; /* the lock was waited for in vain */
};

static enum status
ledger_fault(struct ledger *ledger, const char *doing, int error)
{
	enum status status = error == ENOMEM ? STATUS_NO_MEMORY : STATUS_FAILED;

	report_fault(ledger->report, status, ledger->path, "ledger", NULL,
	    "cannot %s: %s", doing, strerror(error));
	if (error == ENOSPC || error == EDQUOT)
		report_hint(
		    ledger->report, "free some space there and run again");
	return status;
}

/* Whether the file that is open is the one that stands there. */
static bool
ledger_stands(const struct ledger *ledger, const struct stat *mine)
{
	struct stat there;

	return fstatat(ledger->dir, LEDGER_NAME, &there, AT_SYMLINK_NOFOLLOW) ==
		   0 &&
	       mine->st_dev == there.st_dev && mine->st_ino == there.st_ino;
}

/* Said once: a run has a line for each of many shards. */
static enum status
lock_fault(struct ledger *ledger)
{
	if (atomic_exchange(&ledger->is_given_up, true))
		return STATUS_LOCKED;
	report_fault(ledger->report, STATUS_LOCKED, ledger->path, "lock", NULL,
	    "another process has held it for half a minute");
	report_hint(ledger->report, "lslocks tells which; it may be stopped, "
				    "or wait for its disk");
	return STATUS_LOCKED;
}

/* A run that has put shards must come to its manifest, whoever has this. */
static enum status
lock(struct ledger *ledger, int fd)
{
	const struct timespec pause = {.tv_nsec = LOCK_NSEC};

	for (unsigned i = 0; flock(fd, LOCK_EX | LOCK_NB) != 0; i++) {
		if (errno != EWOULDBLOCK && errno != EINTR)
			return ledger_fault(ledger, "lock it", errno);
		if (i >= ledger->lock_tries ||
		    atomic_load(&ledger->is_given_up))
			return lock_fault(ledger);
		(void)nanosleep(&pause, NULL);
	}
	return STATUS_OK;
}

/* Opens the file that stands there, locked; made when there is none. */
static enum status
ledger_take(struct ledger *ledger, int *out, struct stat *st)
{
	*out = -1;
	for (;;) {
		int fd = openat(ledger->dir, LEDGER_NAME,
		    O_RDWR | O_APPEND | O_CREAT | O_NOFOLLOW | O_CLOEXEC,
		    LEDGER_MODE);
		enum status status;

		if (fd < 0)
			return ledger_fault(ledger, "open it", errno);
		status = lock(ledger, fd);
		if (status == STATUS_OK && fstat(fd, st) != 0)
			status = ledger_fault(ledger, "look at it", errno);
		if (status != STATUS_OK) {
			(void)close(fd);
			return status;
		}
		if (!S_ISREG(st->st_mode)) {
			(void)close(fd);
			return ledger_fault(ledger, "write to it", EINVAL);
		}
		if (ledger_stands(ledger, st)) {
			if (st->st_size == 0 && ledger->state != NULL)
				state_own(ledger->state, fd);
			*out = fd;
			return STATUS_OK;
		}
		(void)close(fd);
	}
}

/* A name that no file has yet: the time, and a number where that is taken. */
static bool
aside_name(const struct ledger *ledger, char name[ASIDE_BYTES])
{
	struct utc_civil now = utc_to_civil(ledger->clock_sec());
	struct stat st;
	int len;

	len = snprintf(name, ASIDE_BYTES,
	    "ledger-%04d%02d%02dT%02d%02d%02dZ.jsonl", now.year, now.month,
	    now.day, now.hour, now.minute, now.second);
	for (unsigned i = 1; i < ASIDE_MOST; i++) {
		if (fstatat(ledger->dir, name, &st, AT_SYMLINK_NOFOLLOW) != 0)
			return errno == ENOENT;
		(void)snprintf(name + len - strlen(".jsonl"),
		    ASIDE_BYTES - (size_t)len, "-%u.jsonl", i);
	}
	errno = EEXIST;
	return false;
}

/*
 * Puts the file aside, on disk, for the next line to begin a new one. Where
 * that does not work the file goes on: a line is worth more than its place.
 */
static bool
ledger_put_aside(struct ledger *ledger, int fd)
{
	char name[ASIDE_BYTES];

	if (fsync(fd) == 0 && aside_name(ledger, name) &&
	    renameat(ledger->dir, LEDGER_NAME, ledger->dir, name) == 0)
		return true;
	report_warn(ledger->report, ledger->path, "ledger", NULL,
	    "grows on, since it cannot be put aside: %s", strerror(errno));
	return false;
}

/* The file to append to, with room for `len` bytes, locked. */
static enum status
ledger_begin(struct ledger *ledger, size_t len, int *fd, struct stat *st)
{
	for (;;) {
		enum status status = ledger_take(ledger, fd, st);

		if (status != STATUS_OK || st->st_size == 0 ||
		    (uint64_t)st->st_size + len <= ledger->size_most)
			return status;
		if (!ledger_put_aside(ledger, *fd))
			return STATUS_OK;
		/* Others may fill the new one before it is locked here. */
		(void)close(*fd);
	}
}

/* Whether the last line was cut off: by a crash, or by a full disk. */
static bool
is_torn(int fd, off_t size)
{
	char last = '\n';

	return size > 0 && pread(fd, &last, 1, size - 1) == 1 && last != '\n';
}

/* All in one write; a short one is an error. False with errno. */
static bool
write_line(int fd, bool torn, const char *line, size_t len)
{
	struct iovec iov[3] = {
	    {.iov_base = (char[]){'\n'}, .iov_len = torn ? 1 : 0},
	    {.iov_base = (char *)(uintptr_t)line, .iov_len = len},
	    {.iov_base = (char[]){'\n'}, .iov_len = 1},
	};
	size_t want = iov[0].iov_len + len + 1;
	ssize_t n;

	do
		n = writev(fd, iov, 3);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return false;
	if ((size_t)n == want)
		return true;
	/* The rest would say why there was no more room, and be torn too. */
	errno = ENOSPC;
	return false;
}

enum status
ledger_append(struct ledger *ledger, const char *line, size_t len)
{
	struct stat st;
	enum status status;
	int fd, error;

	if (len > LEDGER_LINE_BYTES_MOST)
		return ledger_fault(ledger, "take a line as long", EFBIG);
	status = ledger_begin(ledger, len + 2, &fd, &st);
	if (status != STATUS_OK)
		return status;
	if (!write_line(fd, is_torn(fd, st.st_size), line, len)) {
		error = errno;
		/* Nobody else can have appended; if it stays, it stays torn. */
		(void)(ftruncate(fd, st.st_size) == 0);
		status = ledger_fault(ledger, "write to it", error);
	}
	/* A new file is there after a crash only if its directory says so. */
	if (status == STATUS_OK && st.st_size == 0 && fsync(ledger->dir) != 0)
		status = ledger_fault(ledger, "sync its directory", errno);
	(void)close(fd);
	return status;
}

enum status
ledger_sync(struct ledger *ledger)
{
	enum status status = STATUS_OK;
	/* One that was put aside was synced then. */
	int fd = openat(ledger->dir, LEDGER_NAME,
	    O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);

	if (fd < 0 && errno == ENOENT)
		return STATUS_OK;
	if (fd < 0)
		return ledger_fault(ledger, "open it", errno);
	if (fsync(fd) != 0)
		status = ledger_fault(ledger, "sync it", errno);
	(void)close(fd);
	return status;
}

enum status
ledger_open(const struct ledger_config *config, struct report *report,
    struct ledger **out)
{
	struct ledger *ledger = calloc(1, sizeof(*ledger));
	enum status status = STATUS_OK;

	*out = NULL;
	if (ledger == NULL ||
	    asprintf(&ledger->path, "%s/%s", config->dir, LEDGER_NAME) < 0) {
		free(ledger);
		return report_fault(report, STATUS_NO_MEMORY, config->dir,
		    "ledger", NULL, "out of memory");
	}
	ledger->report = report;
	ledger->size_most = config->size_most;
	ledger->clock_sec = config->clock_sec;
	ledger->state = config->state;
	ledger->lock_tries =
	    config->lock_tries == 0 ? LOCK_TRIES : config->lock_tries;
	ledger->dir = open(config->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (ledger->dir < 0)
		status = ledger_fault(ledger, "open its directory", errno);
	if (status == STATUS_OK)
		*out = ledger;
	else
		ledger_close(ledger);
	return status;
}

void
ledger_close(struct ledger *ledger)
{
	if (ledger == NULL)
		return;
	if (ledger->dir >= 0)
		(void)close(ledger->dir);
	free(ledger->path);
	free(ledger);
}
