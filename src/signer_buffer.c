/* SPDX-License-Identifier: ISC */
/*
 * The memory a TBSCertList is built in, which is also how it is handed over: a
 * memfd, mapped here and read by the signer into memory of its own.
 *
 * Seals settle its size but not its content, or it could be used for one list
 * only: the kernel clears each page of a new memfd and charges for it, which
 * costs more than the signer's copy into pages that it has already. That what
 * was checked is what is signed is therefore up to the copy. All pages are
 * taken at once, so that a lack of memory is a fault and not a SIGBUS while
 * something is written.
 */
#include "signer_wire.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* Linux 6.3; where executable memory is forbidden it must be said. */
#ifndef MFD_NOEXEC_SEAL
#define MFD_NOEXEC_SEAL 0x0008U
#endif

#define BUFFER_NAME "crlpress-tbs"

static int
memfd_open(void)
{
	const unsigned flags = MFD_CLOEXEC | MFD_ALLOW_SEALING;
	int fd = memfd_create(BUFFER_NAME, flags | MFD_NOEXEC_SEAL);

	if (fd == -1 && errno == EINVAL)
		fd = memfd_create(BUFFER_NAME, flags);
	return fd;
}

/* Gives the file its size and all of its pages; false with errno. */
static bool
memfd_take(int fd, size_t room)
{
	int result;

	/* A signal undoes what was done so far. */
	do
		result = fallocate(fd, 0, 0, (off_t)room);
	while (result == -1 && errno == EINTR);
	return result == 0;
}

/*
 * Settles the size, and that nobody writes but by maps that there are: whoever
 * gets the descriptor may read.
 */
static bool
memfd_seal(int fd)
{
	const int seals = SIGNER_SEALS | F_SEAL_SEAL;

	/* Before Linux 5.1 there is no such seal. */
	return fcntl(fd, F_ADD_SEALS, seals | F_SEAL_FUTURE_WRITE) == 0 ||
	       (errno == EINVAL && fcntl(fd, F_ADD_SEALS, seals) == 0);
}

/* A new memfd of `room` bytes, mapped; NULL with errno. */
static uint8_t *
memfd_map(size_t room, int *fd)
{
	void *map = MAP_FAILED;
	int error;

	*fd = memfd_open();
	if (*fd == -1)
		return NULL;
	if (memfd_take(*fd, room))
		map = mmap(
		    NULL, room, PROT_READ | PROT_WRITE, MAP_SHARED, *fd, 0);
	if (map != MAP_FAILED && memfd_seal(*fd))
		return map;
	error = errno;
	if (map != MAP_FAILED)
		(void)munmap(map, room);
	(void)close(*fd);
	*fd = -1;
	errno = error;
	return NULL;
}

enum status
signer_buffer_new(
    struct signer_buffer *buffer, size_t size, struct report *report)
{
	*buffer = (struct signer_buffer){.fd = -1};
	return signer_buffer_resize(buffer, size, report);
}

enum status
signer_buffer_resize(
    struct signer_buffer *buffer, size_t size, struct report *report)
{
	size_t room;

	if (size == 0 || size > SIGNER_TBS_BYTES_MOST) {
		signer_buffer_free(buffer);
		return report_fault(report, STATUS_FAILED, "signer", NULL, NULL,
		    "buffer for a TBSCertList, have %zu bytes, want 1 "
		    "to %lu",
		    size, SIGNER_TBS_BYTES_MOST);
	}
	if (size > buffer->room) {
		signer_buffer_free(buffer);
		room = signer_room(size);
		buffer->data = memfd_map(room, &buffer->fd);
		if (buffer->data == NULL)
			return report_fault(report, STATUS_NO_MEMORY, "signer",
			    NULL, NULL,
			    "no memory for a buffer of %zu bytes: %s", size,
			    strerror(errno));
		buffer->room = room;
	}
	buffer->size = size;
	return STATUS_OK;
}

void
signer_buffer_free(struct signer_buffer *buffer)
{
	/* An empty one may be {0}, whose descriptor is not its own. */
	if (buffer->room > 0) {
		(void)munmap(buffer->data, buffer->room);
		(void)close(buffer->fd);
	}
	*buffer = (struct signer_buffer){.fd = -1};
}
