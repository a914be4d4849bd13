/* SPDX-License-Identifier: ISC */
/*
 * spool/ of the state: what a process made for elsewhere and that is not there
 * yet, in a directory of its own which it keeps locked, as it does with what it
 * stages. A directory that can be locked is a dead process's, or one of a
 * process that could not bring it there; the next one takes it over.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <fts.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "state_impl.h"

#define SPOOL_NAME "spool"

/* As of stage.c: others with our name are few. */
#define SPOOL_ATTEMPTS 1000

static enum status
spool_take(struct state *state, int spools, const char *name,
    struct state_spool *spool)
{
	int fd = openat(
	    spools, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	if (fd < 0)
		return errno == ENOENT || errno == ENOTDIR ? STATUS_LOCKED
							   : STATUS_FAILED;
	if (flock(fd, LOCK_EX | LOCK_NB) != 0 ||
	    !state_stands(spools, name, fd)) {
		(void)close(fd);
		return STATUS_LOCKED;
	}
	state_own(state, fd);
	spool->lock = fd;
	if (asprintf(&spool->path, "%s/" SPOOL_NAME "/%s", state->path, name) <
	    0) {
		spool->path = NULL;
		state_unlock(&spool->lock);
		return STATUS_NO_MEMORY;
	}
	return STATUS_OK;
}

enum status
state_spool_make(struct state *state, struct state_spool *spool)
{
	enum status status = STATUS_LOCKED;
	char name[STATE_STAGE_BYTES];
	int spools = state_dir_make(state, state->dir, SPOOL_NAME);

	*spool = (struct state_spool){.lock = -1};
	if (spools < 0)
		return state_fault(
		    state, SPOOL_NAME, "open or make the directory", errno);
	errno = EEXIST;
	for (int i = 0; status == STATUS_LOCKED && i < SPOOL_ATTEMPTS; i++) {
		(void)snprintf(name, sizeof(name), "%ld-%d", (long)getpid(), i);
		if (mkdirat(spools, name, 0700) == 0)
			status = spool_take(state, spools, name, spool);
		else if (errno != EEXIST)
			break;
	}
	if (status != STATUS_OK)
		status = state_fault(
		    state, SPOOL_NAME, "make a directory there", errno);
	/* What is in it lasts no longer than its name does. */
	(void)fsync(spools);
	(void)close(spools);
	return status;
}

enum status
state_spool_next(struct state *state, struct state_spool *spool)
{
	enum status status = STATUS_DONE;
	const struct dirent *entry;
	DIR *stream = NULL;
	int spools = state_dir_make(state, state->dir, SPOOL_NAME);

	*spool = (struct state_spool){.lock = -1};
	if (spools >= 0)
		stream = fdopendir(spools);
	if (stream == NULL) {
		status = state_fault(state, SPOOL_NAME, "list it", errno);
		if (spools >= 0)
			(void)close(spools);
		return status;
	}
	while (status == STATUS_DONE && (entry = readdir(stream)) != NULL) {
		if (entry->d_name[0] == '.')
			continue;
		status = spool_take(state, spools, entry->d_name, spool);
		if (status == STATUS_LOCKED)
			status = STATUS_DONE;
	}
	(void)closedir(stream);
	if (status != STATUS_OK && status != STATUS_DONE)
		return state_fault(state, SPOOL_NAME, "open one", errno);
	return status;
}

uint64_t
state_spool_bytes(const struct state *state)
{
	char *path[] = {NULL, NULL};
	uint64_t bytes = 0;
	const FTSENT *entry;
	FTS *tree;

	if (asprintf(&path[0], "%s/" SPOOL_NAME, state->path) < 0)
		return 0;
	tree = fts_open(path, FTS_PHYSICAL | FTS_NOCHDIR, NULL);
	while (tree != NULL && (entry = fts_read(tree)) != NULL)
		if (entry->fts_info == FTS_F)
			bytes += (uint64_t)entry->fts_statp->st_size;
	if (tree != NULL)
		(void)fts_close(tree);
	free(path[0]);
	return bytes;
}

/* Directories that are empty go, and the lock of a directory store. */
bool
state_spool_remove(struct state_spool *spool)
{
	char *path[] = {spool->path, NULL};
	FTS *tree = fts_open(path, FTS_PHYSICAL | FTS_NOCHDIR, NULL);
	const FTSENT *entry;
	struct stat st;

	while (tree != NULL && (entry = fts_read(tree)) != NULL) {
		if (entry->fts_info == FTS_DP)
			(void)rmdir(entry->fts_path);
		else if (strcmp(entry->fts_name, ".crlpress-lock") == 0)
			(void)unlink(entry->fts_path);
	}
	if (tree != NULL)
		(void)fts_close(tree);
	return lstat(spool->path, &st) != 0 && errno == ENOENT;
}

void
state_spool_close(struct state_spool *spool)
{
	if (spool == NULL)
		return;
	state_unlock(&spool->lock);
	free(spool->path);
	spool->path = NULL;
}
