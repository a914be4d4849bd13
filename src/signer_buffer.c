/* SPDX-License-Identifier: ISC */
/*
 * The memory a TBSCertList is built in, and the copy of it that the signer
 * gets: a memfd that is sealed, so that what was checked is what is signed.
 *
 * The copy is cheaper than building in the memfd itself: its pages are written
 * whole and need not be cleared first nor be mapped here, and the memory that
 * is built in is the same for one shard after another.
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

/* Writes all of the buffer; false with errno. */
static bool
memfd_fill(int fd, const struct signer_buffer *buffer)
{
	size_t done = 0;

	while (done < buffer->size) {
		ssize_t n = write(fd, buffer->data + done, buffer->size - done);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return false;
		done += (size_t)n;
	}
	return true;
}

static void
memfd_drop(struct signer_buffer *buffer)
{
	if (buffer->fd != -1)
		(void)close(buffer->fd);
	buffer->fd = -1;
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
	size_t room = size + size / 8;
	void *map;

	if (size == 0 || size > SIGNER_TBS_BYTES_MOST)
		return report_fault(report, STATUS_FAILED, "signer", NULL, NULL,
		    "buffer for a TBSCertList, have %zu bytes, want 1 "
		    "to %lu",
		    size, SIGNER_TBS_BYTES_MOST);
	if (size > buffer->room) {
		signer_buffer_free(buffer);
		map = mmap(NULL, room, PROT_READ | PROT_WRITE,
		    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		if (map == MAP_FAILED)
			return report_fault(report, STATUS_NO_MEMORY, "signer",
			    NULL, NULL,
			    "no memory for a buffer of %zu bytes: %s", size,
			    strerror(errno));
		buffer->data = map;
		buffer->room = room;
	}
	memfd_drop(buffer);
	buffer->size = size;
	return STATUS_OK;
}

enum status
signer_buffer_seal(
    struct signer_buffer *buffer, const char *object, struct report *report)
{
	if (buffer->fd != -1)
		return STATUS_OK;
	buffer->fd = memfd_open();
	if (buffer->fd == -1 || !memfd_fill(buffer->fd, buffer)) {
		report_fault(report, STATUS_NO_MEMORY, object, "signer", NULL,
		    "no memory to hand over %zu bytes: %s", buffer->size,
		    strerror(errno));
		memfd_drop(buffer);
		return STATUS_NO_MEMORY;
	}
	if (fcntl(buffer->fd, F_ADD_SEALS, SIGNER_SEALS | F_SEAL_SEAL) == 0)
		return STATUS_OK;
	report_fault(report, STATUS_FAILED, object, "signer", NULL,
	    "the buffer cannot be sealed: %s", strerror(errno));
	memfd_drop(buffer);
	return STATUS_FAILED;
}

void
signer_buffer_free(struct signer_buffer *buffer)
{
	/* An empty one may be {0}, whose descriptor is not its own. */
	if (buffer->room > 0) {
		memfd_drop(buffer);
		(void)munmap(buffer->data, buffer->room);
	}
	*buffer = (struct signer_buffer){.fd = -1};
}
