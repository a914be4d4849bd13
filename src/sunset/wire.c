/* SPDX-License-Identifier: ISC */
/* Messages between the processes. */
#include "wire.h"

#include <errno.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

/* A message and what the kernel adds to it. */
#define ROOM_BYTES (2 * WIRE_BYTES_MOST)

enum status
wire_open(int end[2])
{
	int room = ROOM_BYTES;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, end) != 0)
		return STATUS_IO;
	for (int i = 0; i < 2; i++)
		(void)setsockopt(
		    end[i], SOL_SOCKET, SO_SNDBUF, &room, sizeof(room));
	return STATUS_OK;
}

enum status
wire_send(int fd, enum wire_kind kind, const char *text, size_t len)
{
	char octet = (char)kind;
	struct iovec part[2] = {{&octet, 1}, {(void *)(uintptr_t)text, len}};
	ssize_t n;

	if (len >= WIRE_BYTES_MOST)
		return STATUS_MALFORMED;
	do
		n = writev(fd, part, len > 0 ? 2 : 1);
	while (n < 0 && errno == EINTR);
	return n == (ssize_t)len + 1 ? STATUS_OK : STATUS_IO;
}

enum status
wire_receive(
    int fd, char *buffer, enum wire_kind *kind, const char **text, size_t *len)
{
	ssize_t n;

	do
		n = recv(fd, buffer, WIRE_BYTES_MOST, 0);
	while (n < 0 && errno == EINTR);
	if (n == 0 || (n < 0 && errno == ECONNRESET))
		return STATUS_DONE;
	if (n < 0)
		return STATUS_IO;
	*kind = (enum wire_kind)(unsigned char)buffer[0];
	*text = buffer + 1;
	*len = (size_t)n - 1;
	buffer[n] = '\0';
	return STATUS_OK;
}
