/* SPDX-License-Identifier: ISC */
/*
 * For tests that need real files: a directory of their own, a report that
 * can be read, children with other rights, and a file system that is soon
 * full. Include cmocka.h first.
 */
#ifndef CRLPRESS_SCRATCH_H
#define CRLPRESS_SCRATCH_H

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <grp.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "crlpress/report.h"

#define SCRATCH_BYTES 512

/* Exit status of a child that was not permitted to do what it is for. */
#define SCRATCH_NOT_PERMITTED 77

/* The user and group `nobody` of Debian. */
#define SCRATCH_NOBODY 65534

struct scratch {
	char path[SCRATCH_BYTES];
	struct report *report;
	FILE *stream;
	char *said; /* what the report printed; read it with scratch_said */
	size_t said_len;
};

/* No test can go on without it. */
static inline __attribute__((returns_nonnull)) struct scratch *
scratch_make(void)
{
	struct scratch *scratch = calloc(1, sizeof(*scratch));
	const char *tmp = getenv("TMPDIR");

	if (scratch == NULL)
		abort();
	(void)snprintf(scratch->path, sizeof(scratch->path),
	    "%s/crlpress-test-XXXXXX", tmp == NULL ? "/tmp" : tmp);
	if (mkdtemp(scratch->path) == NULL || chmod(scratch->path, 0755) != 0) {
		perror(scratch->path);
		abort();
	}
	scratch->stream = open_memstream(&scratch->said, &scratch->said_len);
	scratch->report = report_new(scratch->stream, SEVERITY_NOTE);
	return scratch;
}

static inline int
scratch_remove_one(
    const char *path, const struct stat *st, int kind, struct FTW *ftw)
{
	(void)st;
	(void)kind;
	(void)ftw;
	return remove(path);
}

static inline int
scratch_free(struct scratch *scratch)
{
	int result =
	    nftw(scratch->path, scratch_remove_one, 16, FTW_DEPTH | FTW_PHYS);

	report_free(scratch->report);
	(void)fclose(scratch->stream);
	free(scratch->said);
	free(scratch);
	return result;
}

/* For cmocka: the scratch directory is the state of the test. */
static inline int
scratch_setup(void **state)
{
	*state = scratch_make();
	return 0;
}

static inline int
scratch_teardown(void **state)
{
	return scratch_free(*state);
}

/* PATH/name in a buffer of the caller's. */
static inline const char *
scratch_path(const struct scratch *scratch, const char *name,
    char out[SCRATCH_BYTES + 64])
{
	(void)snprintf(out, SCRATCH_BYTES + 64, "%s/%s", scratch->path, name);
	return out;
}

/* What was reported since the last call has `text` in it. */
static inline int
scratch_said(struct scratch *scratch, const char *text)
{
	int found;

	(void)fflush(scratch->stream);
	found = scratch->said != NULL && strstr(scratch->said, text) != NULL;
	if (!found)
		(void)fprintf(stderr, "want: %s\nhave: %s\n", text,
		    scratch->said == NULL ? "" : scratch->said);
	rewind(scratch->stream);
	(void)fputc('\0', scratch->stream);
	rewind(scratch->stream);
	return found;
}

/* Nothing was reported since the last call. */
static inline int
scratch_silent(struct scratch *scratch)
{
	(void)fflush(scratch->stream);
	if (scratch->said == NULL || scratch->said[0] == '\0')
		return 1;
	(void)fprintf(stderr, "want silence, have: %s\n", scratch->said);
	return 0;
}

/* A new file: one that was there before may be an object by now. */
static inline int
file_make(const char *path, const void *data, size_t len, mode_t mode)
{
	int fd;
	int ok;

	(void)unlink(path);
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL, 0600);
	ok = fd >= 0 && write(fd, data, len) == (ssize_t)len &&
	     fchmod(fd, mode) == 0;

	if (fd >= 0)
		(void)close(fd);
	return ok;
}

static inline int
file_is(const char *path, const void *data, size_t len)
{
	char *have = malloc(len + 1);
	FILE *file = fopen(path, "r");
	int same = have != NULL && file != NULL &&
		   fread(have, 1, len + 1, file) == len &&
		   memcmp(have, data, len) == 0;

	if (file != NULL)
		(void)fclose(file);
	free(have);
	return same;
}

static inline int
file_exists(const char *path)
{
	struct stat st;

	return lstat(path, &st) == 0;
}

/* Runs `run` in a child; its exit status, or -1 when it was killed. */
static inline int
child_run(int (*run)(struct scratch *), struct scratch *scratch)
{
	pid_t pid = fork();
	int status;

	if (pid == 0)
		_exit(run(scratch));
	if (pid < 0 || waitpid(pid, &status, 0) != pid)
		return -1;
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/* In a child: gives up root, when it is root. */
static inline int
child_become_nobody(void)
{
	if (geteuid() != 0)
		return 1;
	return setgroups(0, NULL) == 0 &&
	       setresgid(SCRATCH_NOBODY, SCRATCH_NOBODY, SCRATCH_NOBODY) == 0 &&
	       setresuid(SCRATCH_NOBODY, SCRATCH_NOBODY, SCRATCH_NOBODY) == 0;
}

/* In a child: a tmpfs that nobody else sees, at a directory that exists. */
static inline int
child_mount_small(const char *path, const char *options)
{
	return unshare(CLONE_NEWNS) == 0 &&
	       mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0 &&
	       mount("tmpfs", path, "tmpfs", 0, options) == 0;
}

#endif
