/* SPDX-License-Identifier: ISC */
/* Reading and writing on until it is done. */
#include "crlpress/fd_io.h"

#include <errno.h>
#include <unistd.h>

ssize_t
fd_read(int fd, void *data, size_t size)
{
	char *to = data;
	size_t len = 0;

	while (len < size) {
		ssize_t n = read(fd, to + len, size - len);

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

bool
fd_write(int fd, const void *data, size_t len)
{
	const char *from = data;

	while (len > 0) {
		ssize_t n = write(fd, from, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0) {
			errno = n == 0 ? ENOSPC : errno;
			return false;
		}
		from += n;
		len -= (size_t)n;
	}
	return true;
}

const char *
fd_remedy(int error)
{
	static const struct {
		int error;
		const char *text;
	} remedies[] = {
	    {ENOSPC, "free some space there and run again"},
	    {EDQUOT, "raise the quota there and run again"},
	    {EROFS, "the file system is mounted read-only"},
	    {EACCES, "the user that crlpress runs as may not do this there"},
	    {EPERM, "the user that crlpress runs as may not do this there"},
	};

	for (size_t i = 0; i < sizeof(remedies) / sizeof(remedies[0]); i++)
		if (remedies[i].error == error)
			return remedies[i].text;
	return NULL;
}
