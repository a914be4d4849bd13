/* SPDX-License-Identifier: ISC */
/*
 * read(2) and write(2) of all that is asked for, whatever a call takes at once
 * and whoever interrupts it. Pure but for the calls; no library.
 */
#ifndef CRLPRESS_FD_IO_H
#define CRLPRESS_FD_IO_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "crlpress/status.h"

/* How many bytes were read until the end or until `size`; -1 with errno. */
ssize_t fd_read(int fd, void *data, size_t size) MUST_CHECK;

/* False with errno when not all are written. */
bool fd_write(int fd, const void *data, size_t len) MUST_CHECK;

/* What to do about an errno of a file system; NULL: nothing to add. */
const char *fd_remedy(int error);

#endif
