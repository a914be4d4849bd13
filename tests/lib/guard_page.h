/* SPDX-License-Identifier: ISC */
/*
 * Puts bytes where the very next octet behind them is not there, so that a
 * reader that goes one too far ends the test. Include cmocka.h first.
 */
#ifndef CRLPRESS_GUARD_PAGE_H
#define CRLPRESS_GUARD_PAGE_H

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

struct guard_page {
	char *map;
	size_t bytes; /* that may be used, up to the page that may not */
};

static inline void
guard_page_make(struct guard_page *guard, size_t most)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	size_t bytes = (most + page - 1) / page * page;
	void *map = mmap(NULL, bytes + page, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (map == MAP_FAILED ||
	    mprotect((char *)map + bytes, page, PROT_NONE) != 0)
		abort();
	guard->map = map;
	guard->bytes = bytes;
}

/* A copy whose end is the end of the page. */
static inline char *
guard_page_put(struct guard_page *guard, const void *data, size_t len)
{
	char *at = guard->map + guard->bytes - len;

	if (len > guard->bytes)
		abort();
	if (len > 0)
		memcpy(at, data, len);
	return at;
}

static inline void
guard_page_free(struct guard_page *guard)
{
	(void)munmap(guard->map, guard->bytes + (size_t)sysconf(_SC_PAGESIZE));
}

#endif
