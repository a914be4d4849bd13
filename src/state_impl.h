/* SPDX-License-Identifier: ISC */
/* What the files of the state share: the open state directory. */
#ifndef CRLPRESS_STATE_IMPL_H
#define CRLPRESS_STATE_IMPL_H

#include <stdbool.h>
#include <stddef.h>

#include "crlpress/state.h"

#define STATE_STAGE_NAME "stage"

/* "PROCESS-ATTEMPT" in decimal. */
#define STATE_STAGE_BYTES 32

struct state {
	struct report *report;
	char *path; /* DIR/NAME */
	enum state_mode mode;
	int dir;
	int stages; /* DIR/NAME/stage */
	int stage;  /* our own directory there, locked */
	char stage_name[STATE_STAGE_BYTES];
	int lock; /* -1: STATE_SHARED */
};

/*
 * Reports that `doing` did not work with `name` (NULL: the directory).
 * Returns STATUS_FAILED, or STATUS_NO_MEMORY for ENOMEM.
 */
enum status state_fault(
    const struct state *state, const char *name, const char *doing, int error);

/* The same, of what a run may do without. */
void state_warn(
    const struct state *state, const char *name, const char *doing, int error);

/* Whether it can be the name of one file and of nothing else. */
bool state_name_ok(const char *name);

/* Opens a directory of ours, made when it is missing; -1 with errno. */
int state_dir_make(const struct state *state, int at, const char *name);

/* Whether what is open as `fd` is what stands there under this name. */
bool state_stands(int at, const char *name, int fd);

/*
 * Opens a file of the state directory and locks it, without waiting.
 * STATUS_LOCKED, not reported, when another one has it.
 */
enum status state_lock(
    const struct state *state, const char *name, int *lock) MUST_CHECK;

/*
 * Lets go of it, and sets it to -1; nothing when it is that. A child may have
 * the descriptor too, so that closing it is not enough.
 */
void state_unlock(int *lock);

/* state_number.c: the lock number.lock, waited for; failures are reported. */
enum status state_number_lock(struct state *state, int *lock) MUST_CHECK;

/*
 * Replaces a file of the state by this text, synced, by way of one with the
 * name `temp`; under a lock that all writers of it take.
 */
enum status state_replace(struct state *state, const char *name,
    const char *temp, const char *text) MUST_CHECK;

/*
 * state_puts.c: the text of the file, to be freed (NULL: no memory), and what
 * it says: STATUS_MALFORMED unless it is what would be written. A NUL stands
 * behind it; whatever is returned, `puts` is to be freed.
 */
char *state_puts_text(const struct state_puts *puts);
enum status state_puts_parse(
    const char *text, size_t len, struct state_puts *puts) MUST_CHECK;

/* stage.c: makes our own directory for what is to be staged; takes it away. */
enum status stage_open(struct state *state) MUST_CHECK;
void stage_close(struct state *state);

#endif
