/* SPDX-License-Identifier: ISC */
/*
 * State directories in a scratch directory, and other processes that have
 * one open. Include cmocka.h first.
 */
#ifndef CRLPRESS_STATE_SCRATCH_H
#define CRLPRESS_STATE_SCRATCH_H

#include <dirent.h>
#include <signal.h>
#include <sys/prctl.h>

#include "scratch.h"

#include "crlpress/state.h"

#define NAME "p256-1"

static inline struct state *
open_state_as(struct scratch *scratch, enum state_mode mode)
{
	char dir[SCRATCH_BYTES + 64];
	struct state *state = NULL;

	if (state_open(scratch_path(scratch, "state", dir), NAME, mode,
		scratch->report, &state) != STATUS_OK)
		return NULL;
	return state;
}

static inline struct state *
open_state(struct scratch *scratch)
{
	return open_state_as(scratch, STATE_EXCLUSIVE);
}

/* Beside whoever else is at work there. */
static inline struct state *
share_state(struct scratch *scratch)
{
	return open_state_as(scratch, STATE_SHARED);
}

static inline mode_t
mode_of(struct scratch *scratch, const char *name)
{
	char path[SCRATCH_BYTES + 64];
	struct stat st;

	assert_int_equal(lstat(scratch_path(scratch, name, path), &st), 0);
	return st.st_mode & 07777;
}

/* A file of the staging directory of a process; itself for "". */
static inline const char *
staged_path(const struct scratch *scratch, pid_t pid, int attempt,
    const char *name, char out[SCRATCH_BYTES + 64])
{
	char part[64];

	(void)snprintf(part, sizeof(part), "state/" NAME "/stage/%ld-%d%s%s",
	    (long)pid, attempt, name[0] == '\0' ? "" : "/", name);
	return scratch_path(scratch, part, out);
}

/* How many entries there are in stage/. */
static inline int
staging_count(const struct scratch *scratch)
{
	char path[SCRATCH_BYTES + 64];
	DIR *stream =
	    opendir(scratch_path(scratch, "state/" NAME "/stage", path));
	int count = 0;

	assert_non_null(stream);
	while (readdir(stream) != NULL)
		count++;
	(void)closedir(stream);
	return count - 2;
}

/*
 * Another process that has done its part and lives until it is killed: with
 * the state open, and with a staged file named "0" where it is to stage.
 */
static inline pid_t
fork_holder(struct scratch *scratch, enum state_mode mode, bool stages)
{
	const struct stage_part part = {"theirs", 6};
	struct stage_file file;
	int ready[2];
	char byte = 0;
	pid_t pid;

	assert_int_equal(pipe(ready), 0);
	pid = fork();
	if (pid == 0) {
		struct state *state = open_state_as(scratch, mode);

		if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0 || state == NULL ||
		    (stages && stage_write(state, "0", &part, 1, &file) !=
				   STATUS_OK) ||
		    write(ready[1], "x", 1) != 1)
			_exit(1);
		for (;;)
			(void)pause();
	}
	assert_true(pid > 0);
	(void)close(ready[1]);
	assert_int_equal(read(ready[0], &byte, 1), 1);
	(void)close(ready[0]);
	return pid;
}

static inline void
kill_child(pid_t pid)
{
	assert_int_equal(kill(pid, SIGKILL), 0);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
}

#endif
