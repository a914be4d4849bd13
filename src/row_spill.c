/* SPDX-License-Identifier: ISC */
/*
 * The scratch file of rows. Each set is a chain of slabs in it: a slab begins
 * with the place of the one before of its set, so that a set needs to know no
 * more than where its last one is.
 */
#include "crlpress/row_spill.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include "row_impl.h"

/* More than any disk has, and far from the overflow of an offset. */
#define SPILL_BYTES_MOST (UINT64_C(1) << 46)

struct row_spill {
	const char *directory;
	size_t slab_bytes;
	uint64_t more_most;    /* in memory, besides one a set */
	pthread_mutex_t mutex; /* of opening the file */
	atomic_int fd;         /* -1: none yet */
	atomic_int error;
	atomic_uint_fast64_t firsts;  /* sets that have a slab */
	atomic_uint_fast64_t more;    /* slabs in memory besides */
	atomic_uint_fast64_t written; /* slots that were given out */
};

/* What stands before the rows of a slab, in place of the list's pointer. */
struct spill_head {
	uint64_t before; /* slot, from 1; 0: the first */
	uint64_t rows;
};

_Static_assert(sizeof(struct spill_head) == sizeof(struct row_slab),
    "a slab is written at once");

uint64_t
row_spill_sets_most(uint64_t memory_most)
{
	return memory_most / 2 / SLAB_BYTES_LEAST;
}

struct row_spill *
row_spill_new(const char *directory, uint64_t memory_most, uint64_t sets)
{
	struct row_spill *spill = calloc(1, sizeof(*spill));

	if (spill == NULL)
		return NULL;
	if (pthread_mutex_init(&spill->mutex, NULL) != 0) {
		free(spill);
		return NULL;
	}
	spill->directory = directory;
	spill->slab_bytes = SLAB_BYTES_MOST;
	while (spill->slab_bytes > SLAB_BYTES_LEAST &&
	       spill->slab_bytes > memory_most / 2 / (sets + 1))
		spill->slab_bytes /= 2;
	if (memory_most / spill->slab_bytes > sets)
		spill->more_most = memory_most / spill->slab_bytes - sets;
	atomic_init(&spill->fd, -1);
	return spill;
}

void
row_spill_free(struct row_spill *spill)
{
	int fd;

	if (spill == NULL)
		return;
	fd = atomic_load(&spill->fd);
	if (fd >= 0)
		close(fd);
	pthread_mutex_destroy(&spill->mutex);
	free(spill);
}

size_t
row_spill_slab_bytes(const struct row_spill *spill)
{
	return spill->slab_bytes;
}

bool
row_spill_claim(struct row_spill *spill)
{
	if (atomic_fetch_add(&spill->more, 1) < spill->more_most)
		return true;
	atomic_fetch_sub(&spill->more, 1);
	return false;
}

void
row_spill_begin(struct row_spill *spill)
{
	atomic_fetch_add(&spill->firsts, 1);
}

uint64_t
row_spill_memory(const struct row_spill *spill)
{
	return (atomic_load(&spill->firsts) + atomic_load(&spill->more)) *
	       spill->slab_bytes;
}

uint64_t
row_spill_bytes(const struct row_spill *spill)
{
	return atomic_load(&spill->written) * spill->slab_bytes;
}

int
row_spill_error(const struct row_spill *spill)
{
	return atomic_load(&spill->error);
}

static enum status
spill_fault(struct row_spill *spill, int error)
{
	int none = 0;

	atomic_compare_exchange_strong(&spill->error, &none, error);
	return STATUS_IO;
}

/* Where there are no files without names, one whose name goes at once. */
static int
file_open(const char *directory)
{
	char *path = NULL;
	int fd = open(directory, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);

	if (fd >= 0 || (errno != EOPNOTSUPP && errno != EISDIR &&
			   errno != ENOENT && errno != EINVAL))
		return fd;
	if (asprintf(&path, "%s/rows.XXXXXX", directory) < 0) {
		errno = ENOMEM;
		return -1;
	}
	fd = mkostemp(path, O_CLOEXEC);
	if (fd >= 0)
		unlink(path);
	free(path);
	return fd;
}

static enum status
spill_open(struct row_spill *spill)
{
	enum status status = STATUS_OK;
	int fd;

	if (atomic_load(&spill->fd) >= 0)
		return STATUS_OK;
	pthread_mutex_lock(&spill->mutex);
	if (atomic_load(&spill->fd) < 0) {
		fd = file_open(spill->directory);
		if (fd < 0)
			status = spill_fault(spill, errno);
		atomic_store(&spill->fd, fd);
	}
	pthread_mutex_unlock(&spill->mutex);
	return status;
}

static off_t
slot_offset(const struct row_spill *spill, uint64_t slot)
{
	return (off_t)((slot - 1) * spill->slab_bytes);
}

/* All of it, by pwritev or preadv, whatever a call takes at once. */
static enum status
transfer(struct row_spill *spill,
    ssize_t (*call)(int, const struct iovec *, int, off_t), struct iovec iov[2],
    off_t at)
{
	int count = 2;

	while (count > 0) {
		ssize_t n = call(atomic_load(&spill->fd), iov, count, at);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return spill_fault(spill, n < 0 ? errno : EIO);
		at += n;
		for (; count > 0 && (size_t)n >= iov->iov_len; count--)
			n -= (ssize_t)(iov++)->iov_len;
		if (count > 0) {
			iov->iov_base = (uint8_t *)iov->iov_base + n;
			iov->iov_len -= (size_t)n;
		}
	}
	return STATUS_OK;
}

enum status
row_spill_write(
    struct row_spill *spill, const struct row_slab *slab, uint64_t *slot)
{
	struct spill_head head = {.before = *slot, .rows = slab->count};
	struct iovec iov[2] = {
	    {.iov_base = &head, .iov_len = sizeof(head)},
	    {.iov_base = (void *)(uintptr_t)slab->row,
		.iov_len = slab->count * sizeof(struct row)},
	};
	enum status status = spill_open(spill);

	if (status != STATUS_OK)
		return status;
	*slot = atomic_fetch_add(&spill->written, 1) + 1;
	if (*slot > SPILL_BYTES_MOST / spill->slab_bytes)
		return spill_fault(spill, EFBIG);
	return transfer(spill, pwritev, iov, slot_offset(spill, *slot));
}

enum status
row_spill_read(struct row_spill *spill, uint64_t *slot, struct row *rows)
{
	const uint64_t count = SLAB_ROWS(spill->slab_bytes);
	struct spill_head head;
	struct iovec iov[2] = {
	    {.iov_base = &head, .iov_len = sizeof(head)},
	    {.iov_base = rows, .iov_len = (size_t)count * sizeof(*rows)},
	};
	enum status status =
	    transfer(spill, preadv, iov, slot_offset(spill, *slot));

	if (status != STATUS_OK)
		return status;
	/* Only full slabs are written, so another count is another's file. */
	if (head.rows != count || head.before > atomic_load(&spill->written))
		return spill_fault(spill, EBADMSG);
	*slot = head.before;
	return STATUS_OK;
}

enum status
row_spill_link(struct row_spill *spill, uint64_t slot, uint64_t before)
{
	struct spill_head head = {
	    .before = before, .rows = SLAB_ROWS(spill->slab_bytes)};
	struct iovec iov[2] = {{.iov_base = &head, .iov_len = sizeof(head)},
	    {.iov_base = NULL, .iov_len = 0}};

	return transfer(spill, pwritev, iov, slot_offset(spill, slot));
}
