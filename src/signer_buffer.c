/* SPDX-License-Identifier: ISC */
/*
 * The memory a TBSCertList is built in: a memfd, so that it reaches the
 * signer without being copied, and can be sealed so that what was checked is
 * what is signed.
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

/* Returns 0 or -1 with errno. */
static int
memory_reserve(int fd, size_t size)
{
	int result;

	/* Not ftruncate: with too little memory, that one would be killed at
	 * the first write. It is no slower. */
	do
		result = fallocate(fd, 0, 0, (off_t)size);
	while (result == -1 && errno == EINTR);
	return result;
}

enum status
signer_buffer_new(
    struct signer_buffer *buffer, size_t size, struct report *report)
{
	enum status status = STATUS_OK;
	void *map = MAP_FAILED;
	int fd = -1;

	*buffer = (struct signer_buffer){.fd = -1};
	if (size == 0 || size > SIGNER_TBS_BYTES_MOST)
		return report_fault(report, STATUS_FAILED, "signer", NULL, NULL,
		    "buffer for a TBSCertList, have %zu bytes, want 1 "
		    "to %lu",
		    size, SIGNER_TBS_BYTES_MOST);
	fd = memfd_open();
	if (fd == -1 || memory_reserve(fd, size) == -1 ||
	    (map = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd,
		 0)) == MAP_FAILED) {
		status = report_fault(report, STATUS_NO_MEMORY, "signer", NULL,
		    NULL, "no memory for a buffer of %zu bytes: %s", size,
		    strerror(errno));
		goto out;
	}
	*buffer = (struct signer_buffer){.fd = fd, .data = map, .size = size};
	fd = -1;
out:
	if (fd != -1)
		(void)close(fd);
	return status;
}

enum status
signer_buffer_seal(
    struct signer_buffer *buffer, const char *object, struct report *report)
{
	int seals = fcntl(buffer->fd, F_GET_SEALS);
	void *map;

	if (buffer->data != NULL && seals != -1 &&
	    (seals & SIGNER_SEALS) == SIGNER_SEALS)
		return STATUS_OK;
	/* No map through which it could be written may remain. */
	if (buffer->data != NULL)
		(void)munmap(buffer->data, buffer->size);
	buffer->data = NULL;
	if (seals == -1 ||
	    fcntl(buffer->fd, F_ADD_SEALS, SIGNER_SEALS | F_SEAL_SEAL) == -1)
		return report_fault(report, STATUS_FAILED, object, "signer",
		    NULL, "the buffer cannot be sealed: %s", strerror(errno));
	/* Shared maps of sealed files, even to read, need Linux 6.7. */
	map = mmap(NULL, buffer->size, PROT_READ, MAP_PRIVATE, buffer->fd, 0);
	if (map == MAP_FAILED)
		return report_fault(report, STATUS_NO_MEMORY, object, "signer",
		    NULL, "the sealed buffer cannot be mapped: %s",
		    strerror(errno));
	buffer->data = map;
	return STATUS_OK;
}

void
signer_buffer_free(struct signer_buffer *buffer)
{
	/* An empty one may be {0}, whose descriptor is not its own. */
	if (buffer->size == 0)
		return;
	if (buffer->data != NULL)
		(void)munmap(buffer->data, buffer->size);
	(void)close(buffer->fd);
	*buffer = (struct signer_buffer){.fd = -1};
}
