/* SPDX-License-Identifier: ISC */
/* What state.c and stage.c share: the open state directory. */
#ifndef CRLPRESS_STATE_IMPL_H
#define CRLPRESS_STATE_IMPL_H

#include <stdbool.h>
#include <stddef.h>

#include "crlpress/state.h"

#define STAGE_NAME "stage"

struct state {
	struct report *report;
	char *path; /* DIR/NAME */
	int dir;
	int stage;
	int lock;
};

/*
 * Reports that `doing` did not work with `name` (NULL: the directory).
 * Returns STATUS_FAILED, or STATUS_NO_MEMORY for ENOMEM.
 */
enum status state_fault(
    const struct state *state, const char *name, const char *doing, int error);

/* Whether it can be the name of one file and of nothing else. */
bool state_name_ok(const char *name);

/* Writes all of it; false with errno. */
bool state_write(int fd, const char *data, size_t len) MUST_CHECK;

#endif
