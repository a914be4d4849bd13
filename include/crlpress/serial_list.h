/* SPDX-License-Identifier: ISC */
/*
 * A list of serials: one a line in any spelling of serial_text.h, blank lines
 * and what follows a # left out. All of it is right, or none of it is taken.
 * Pure but for the stream.
 */
#ifndef CRLPRESS_SERIAL_LIST_H
#define CRLPRESS_SERIAL_LIST_H

#include <stddef.h>
#include <stdio.h>

#include "crlpress/status.h"
#include "crlpress/uint160.h"

/* A list of more is for a run of all shards. */
#define SERIAL_LIST_MOST 1000000

/* Zero-initialise; serial_list_free. */
struct serial_list {
	struct uint160 *serial;
	size_t count;
	size_t room;
};

enum status serial_list_add(
    struct serial_list *list, const struct uint160 *serial) MUST_CHECK;

/*
 * Adds what a stream has. STATUS_MALFORMED with the line, from 1, and static
 * `*why`; STATUS_IO, STATUS_NO_MEMORY.
 */
enum status serial_list_read(struct serial_list *list, FILE *stream,
    unsigned long *line, const char **why) MUST_CHECK;
void serial_list_free(struct serial_list *list);

#endif
