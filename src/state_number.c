/* SPDX-License-Identifier: ISC */
/*
 * The numbers of the state directory. RFC 5280, 5.2.3: a CRL number rises and
 * is never used twice; so it is taken, under a lock of its own that is held
 * for that long, by every process that signs something, be it for show.
 *
 * A number is written to a file of another name, synced, and renamed; a file
 * that was there before is never written to. state_puts.c does as much.
 */
#include "crlpress/state.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "crlpress/fd_io.h"
#include "state_impl.h"

#define NUMBER_LOCK_NAME "number.lock"

/*
 * How often the lock is asked for, and how long it is waited in between: half
 * a minute, in which the slowest disk has synced the numbers of a dozen.
 */
#define NUMBER_LOCK_TRIES 6000
#define NUMBER_LOCK_NSEC 5000000L

/* The number, its newline, and one more to see that there is not more. */
#define NUMBER_BYTES (UINT160_DECIMAL_BYTES + 1)

struct number_row {
	const char *name;
	const char *temp;
	const char *remedy; /* when it cannot be understood */
};

static const struct number_row rows[STATE_KIND_COUNT] = {
    [STATE_NUMBER] = {"number", "number.tmp",
	"write there the highest crlNumber of the published shards, or a "
	"higher one"},
    [STATE_PUBLISHED] = {STATE_PUBLISHED_NAME, STATE_PUBLISHED_NAME ".tmp",
	"write there the number that the manifest in the store has"},
    [STATE_SIGNED] = {"signed-number", "signed-number.tmp",
	"write there the highest crlNumber that was signed on this machine, or "
	"a higher one"},
};

/*
 * A number file that cannot be understood is not one that says zero: a number
 * might be given out a second time.
 */
static enum status
number_fault(const struct state *state, enum state_kind kind)
{
	char place[PATH_MAX];

	(void)snprintf(
	    place, sizeof(place), "%s/%s", state->path, rows[kind].name);
	report_fault(state->report, STATUS_FAILED, place, "state", NULL,
	    "damaged, want one decimal number below 2^159 and a newline");
	report_hint(state->report, "%s", rows[kind].remedy);
	return STATUS_FAILED;
}

enum status
state_number(struct state *state, enum state_kind kind, struct uint160 *number)
{
	const char *name = rows[kind].name;
	char text[NUMBER_BYTES];
	const char *why;
	size_t digits;
	ssize_t len;
	int error;
	int fd = openat(
	    state->dir, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);

	if (fd < 0 && errno == ENOENT) {
		*number = uint160_from_u64(0);
		return STATUS_OK;
	}
	if (fd < 0)
		return state_fault(state, name, "open it", errno);
	len = fd_read(fd, text, sizeof(text));
	error = errno;
	(void)close(fd);
	if (len < 0)
		return state_fault(state, name, "read it", error);
	digits = len == 0 ? 0 : (size_t)len - 1;
	if (digits == 0 || text[digits] != '\n' ||
	    (text[0] == '0' && digits > 1) ||
	    uint160_from_decimal(number, text, digits, &why) != STATUS_OK)
		return number_fault(state, kind);
	return STATUS_OK;
}

/* Writes the temporary number file and syncs it; false with errno. */
static bool
temp_write(struct state *state, const char *temp, const char *text)
{
	int error;
	bool ok;
	int fd;

	if (unlinkat(state->dir, temp, 0) != 0 && errno != ENOENT)
		return false;
	fd = openat(state->dir, temp,
	    O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return false;
	state_own(state, fd);
	ok = fd_write(fd, text, strlen(text)) && fsync(fd) == 0;
	error = errno;
	if (close(fd) != 0 && ok)
		return false;
	errno = error;
	return ok;
}

enum status
state_replace(
    struct state *state, const char *name, const char *temp, const char *text)
{
	enum status status = STATUS_OK;

	if (!temp_write(state, temp, text) ||
	    renameat(state->dir, temp, state->dir, name) != 0 ||
	    fsync(state->dir) != 0) {
		status = state_fault(state, name, "write it", errno);
		(void)unlinkat(state->dir, temp, 0);
	}
	return status;
}

/* Replaces a number, under the lock. */
static enum status
number_write(
    struct state *state, enum state_kind kind, const struct uint160 *number)
{
	const struct number_row *row = &rows[kind];
	char decimal[UINT160_DECIMAL_BYTES];
	char text[UINT160_DECIMAL_BYTES + 1];

	(void)snprintf(
	    text, sizeof(text), "%s\n", uint160_to_decimal(number, decimal));
	return state_replace(state, row->name, row->temp, text);
}

/* Whoever has the lock has it for as long as a disk takes, unless stopped. */
enum status
state_number_lock(struct state *state, int *lock)
{
	const struct timespec pause = {.tv_nsec = NUMBER_LOCK_NSEC};
	enum status status = STATUS_LOCKED;
	char place[PATH_MAX];

	for (int i = 0; status == STATUS_LOCKED && i < NUMBER_LOCK_TRIES; i++) {
		if (i > 0)
			(void)nanosleep(&pause, NULL);
		status = state_lock(state, NUMBER_LOCK_NAME, lock);
	}
	if (status != STATUS_LOCKED)
		return status;
	(void)snprintf(
	    place, sizeof(place), "%s/%s", state->path, NUMBER_LOCK_NAME);
	report_fault(state->report, STATUS_LOCKED, place, "lock", NULL,
	    "another process has held it for half a minute");
	report_hint(state->report, "lslocks tells which; it may be stopped, "
				   "or wait for its disk");
	return STATUS_LOCKED;
}

/* RFC 5280, 5.2.3 and BR 7.2.2: above the last one, below 2^159. */
static enum status
number_next(struct state *state, struct uint160 *number)
{
	char place[PATH_MAX];
	enum status status = state_number(state, STATE_NUMBER, number);

	if (status != STATUS_OK || uint160_next(number) == STATUS_OK)
		return status;
	(void)snprintf(place, sizeof(place), "%s/%s", state->path,
	    rows[STATE_NUMBER].name);
	report_fault(state->report, STATUS_REFUSED, place, "number", "BR 7.2.2",
	    "the last number below 2^159 was given out");
	report_hint(state->report, "%s", rows[STATE_NUMBER].remedy);
	return STATUS_REFUSED;
}

enum status
state_number_take(
    struct state *state, const struct uint160 *least, struct uint160 *number)
{
	struct uint160 next;
	int lock = -1;
	enum status status = state_number_lock(state, &lock);

	if (status == STATUS_OK)
		status = number_next(state, &next);
	if (status == STATUS_OK && uint160_compare(least, &next) > 0)
		next = *least;
	if (status == STATUS_OK)
		status = number_write(state, STATE_NUMBER, &next);
	state_unlock(&lock);
	if (status == STATUS_OK)
		*number = next;
	return status;
}

static enum status
number_raise(
    struct state *state, enum state_kind kind, const struct uint160 *number)
{
	struct uint160 last;
	int lock = -1;
	enum status status = state_number_lock(state, &lock);

	if (status == STATUS_OK)
		status = state_number(state, kind, &last);
	if (status == STATUS_OK && uint160_compare(number, &last) > 0)
		status = number_write(state, kind, number);
	state_unlock(&lock);
	return status;
}

enum status
state_published_set(struct state *state, const struct uint160 *number)
{
	return number_raise(state, STATE_PUBLISHED, number);
}

enum status
state_signed_set(struct state *state, const struct uint160 *number)
{
	return number_raise(state, STATE_SIGNED, number);
}
