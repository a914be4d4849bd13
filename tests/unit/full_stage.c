/* SPDX-License-Identifier: ISC */
/*
 * Staged files on a real file system: whole or not there, each run's in a
 * directory of its own, and those of killed runs swept while others live.
 */
#include "crlpress/state.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/uio.h>

#include <cmocka.h>

#include "../lib/state_scratch.h"

/* Makes writev(2) stop short and be interrupted, as a file system may. */
static atomic_bool short_writes;

ssize_t
writev(int fd, const struct iovec *iov, int count)
{
	static unsigned calls;

	if (!short_writes)
		return syscall(SYS_writev, fd, iov, count);
	calls++;
	if (calls % 3 == 0) {
		errno = EINTR;
		return -1;
	}
	while (count > 1 && iov->iov_len == 0) {
		iov++;
		count--;
	}
	return write(fd, iov->iov_base, iov->iov_len < 3 ? iov->iov_len : 3);
}

/* A leftover of a process that was killed while it wrote. */
static void
test_leftover(void **test)
{
	struct scratch *scratch = *test;
	struct state *state = open_state(scratch);
	struct stage_part part = {"new", 3};
	struct stage_file file;
	char path[SCRATCH_BYTES + 64];
	char object[SCRATCH_BYTES + 64];

	/* Both names are published as hard links: they stay as they are. */
	scratch_path(scratch, "object-1", object);
	assert_true(file_make(staged_path(scratch, getpid(), 0, ".tmp-7", path),
	    "old one", 7, 0644));
	assert_int_equal(link(path, object), 0);
	assert_true(file_make(
	    staged_path(scratch, getpid(), 0, "7", path), "old two", 7, 0644));
	assert_int_equal(
	    link(path, scratch_path(scratch, "object-2", object)), 0);
	assert_int_equal(stage_write(state, "7", &part, 1, &file), STATUS_OK);
	assert_string_equal(file.path, path);
	assert_true(file_is(file.path, "new", 3));
	assert_true(file_is(object, "old two", 7));
	assert_true(
	    file_is(scratch_path(scratch, "object-1", object), "old one", 7));
	assert_false(
	    file_exists(staged_path(scratch, getpid(), 0, ".tmp-7", path)));
	stage_file_free(&file);
	assert_null(file.path);
	state_close(state);
}

static void
test_stage(void **test)
{
	struct scratch *scratch = *test;
	mode_t mask = umask(077);
	struct state *state = open_state(scratch);
	struct stage_part parts[40];
	struct stage_file file;
	char want[SCRATCH_BYTES + 64];
	size_t len = 0;

	/* More parts than one call takes, empty ones among them. */
	for (size_t i = 0; i < 40; i++) {
		parts[i].data = "0123456789";
		parts[i].len = i % 11;
		memcpy(want + len, "0123456789", i % 11);
		len += i % 11;
	}
	assert_int_equal(stage_write(state, "0", parts, 40, &file), STATUS_OK);
	assert_int_equal(file.size, len);
	assert_true(file_is(file.path, want, len));
	assert_int_equal(
	    mode_of(scratch, file.path + strlen(scratch->path) + 1), 0644);
	stage_file_free(&file);
	short_writes = true;
	assert_int_equal(stage_write(state, "2", parts, 40, &file), STATUS_OK);
	short_writes = false;
	assert_int_equal(file.size, len);
	assert_true(file_is(file.path, want, len));
	stage_file_free(&file);
	assert_int_equal(stage_write(state, "1", parts, 0, &file), STATUS_OK);
	assert_int_equal(file.size, 0);
	assert_true(file_is(file.path, "", 0));
	stage_file_free(&file);
	stage_file_free(NULL);
	umask(mask);
	assert_true(scratch_silent(scratch));
	stage_clear(state);
	stage_clear(state);
	state_close(state);
	assert_int_equal(staging_count(scratch), 0);
	assert_true(scratch_silent(scratch));
}

static void
test_stage_refused(void **test)
{
	static const char *const names[] = {
	    "", ".", "..", "../number", "a/b", ".tmp-1"};
	struct scratch *scratch = *test;
	struct state *state = open_state(scratch);
	struct stage_part parts[2] = {{"x", 1}, {"y", STAGE_BYTES_MOST}};
	struct stage_file file;
	char path[SCRATCH_BYTES + 64];

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		assert_int_equal(stage_write(state, names[i], parts, 1, &file),
		    STATUS_FAILED);
		assert_null(file.path);
		assert_true(scratch_said(scratch, "cannot use the name"));
	}
	assert_int_equal(
	    stage_write(state, "1", parts, 2, &file), STATUS_FAILED);
	assert_true(scratch_said(
	    scratch, "-0/1: state: cannot write it: File too large"));
	/* A directory is nothing that was staged; it is said, and stays. */
	assert_int_equal(
	    mkdir(staged_path(scratch, getpid(), 0, "d", path), 0700), 0);
	stage_clear(state);
	assert_int_equal(report_count(scratch->report, SEVERITY_WARNING), 1);
	assert_true(scratch_said(scratch, "-0/d: state: cannot remove it: "));
	state_close(state);
	state = open_state(scratch);
	assert_non_null(state);
	stage_sweep(state);
	assert_int_equal(report_count(scratch->report, SEVERITY_WARNING), 2);
	assert_true(scratch_said(scratch, "-0/d: state: cannot remove it: "));
	assert_int_equal(stage_write(state, "1", parts, 1, &file), STATUS_OK);
	stage_file_free(&file);
	state_close(state);
}

/* Partial writes: a file size limit cuts one off, and the rest fails. */
static int
limited_run(struct scratch *scratch)
{
	const struct rlimit limit = {6000, 6000};
	static char body[4096];
	struct stage_part parts[2] = {{body, 4096}, {body, 4096}};
	struct state *state = open_state(scratch);
	struct stage_file file;
	char path[SCRATCH_BYTES + 64];

	(void)signal(SIGXFSZ, SIG_IGN);
	if (state == NULL || setrlimit(RLIMIT_FSIZE, &limit) != 0)
		return 1;
	if (stage_write(state, "1", parts, 2, &file) != STATUS_FAILED)
		return 2;
	if (!scratch_said(
		scratch, "-0/1: state: cannot write it: File too large"))
		return 3;
	if (file.path != NULL ||
	    file_exists(staged_path(scratch, getpid(), 0, "1", path)) ||
	    file_exists(staged_path(scratch, getpid(), 0, ".tmp-1", path)))
		return 4;
	return stage_write(state, "1", parts, 1, &file) == STATUS_OK ? 0 : 5;
}

static void
test_partial_write(void **test)
{
	assert_int_equal(child_run(limited_run, *test), 0);
}

/* In a child: a state directory of 64 kB, full after the first file. */
static int
full_disk_run(struct scratch *scratch)
{
	static char body[256 * 1024];
	struct stage_part parts[2] = {{"head", 4}, {body, sizeof(body)}};
	struct stage_file file;
	struct state *state;
	char path[SCRATCH_BYTES + 64];

	if (mkdir(scratch_path(scratch, "state", path), 0700) != 0)
		return 1;
	if (!child_mount_small(path, "size=64k,mode=0700"))
		return SCRATCH_NOT_PERMITTED;
	state = open_state(scratch);
	if (state == NULL ||
	    stage_write(state, "0", parts, 2, &file) != STATUS_FAILED)
		return 2;
	if (!scratch_said(scratch, "-0/0: state: cannot write it: "
				   "No space left on device\n"))
		return 3;
	if (stage_write(state, "0", parts, 1, &file) != STATUS_OK ||
	    !file_is(file.path, "head", 4))
		return 4;
	return 0;
}

static void
test_full_disk(void **test)
{
	int result = child_run(full_disk_run, *test);

	if (result == SCRATCH_NOT_PERMITTED) {
		print_message("SKIP: no mount namespace of its own\n");
		skip();
	}
	assert_int_equal(result, 0);
}

/* Threads stage at once. */
struct stager {
	struct state *state;
	int index;
	bool ok;
};

static void *
stager_run(void *arg)
{
	struct stager *stager = arg;

	stager->ok = true;
	for (int i = 0; i < 20; i++) {
		char name[32];
		struct stage_part part = {name, 0};
		struct stage_file file;

		(void)snprintf(name, sizeof(name), "%d-%d", stager->index, i);
		part.len = strlen(name);
		if (stage_write(stager->state, name, &part, 1, &file) !=
			STATUS_OK ||
		    !file_is(file.path, name, part.len))
			stager->ok = false;
		stage_file_free(&file);
	}
	return NULL;
}

static void
test_stage_by_threads(void **test)
{
	struct scratch *scratch = *test;
	struct state *state = open_state(scratch);
	struct stager stager[8];
	pthread_t thread[8];

	for (int i = 0; i < 8; i++) {
		stager[i] = (struct stager){state, i, false};
		assert_int_equal(
		    pthread_create(&thread[i], NULL, stager_run, &stager[i]),
		    0);
	}
	for (int i = 0; i < 8; i++) {
		assert_int_equal(pthread_join(thread[i], NULL), 0);
		assert_true(stager[i].ok);
	}
	stage_clear(state);
	state_close(state);
}

/* Of the living nothing is touched, of the dead nothing is left. */
static void
test_sweep(void **test)
{
	struct scratch *scratch = *test;
	pid_t living = fork_holder(scratch, STATE_EXCLUSIVE, true);
	pid_t beside = fork_holder(scratch, STATE_SHARED, true);
	pid_t dead = fork_holder(scratch, STATE_SHARED, true);
	struct state *state = share_state(scratch);
	char path[SCRATCH_BYTES + 64];

	assert_non_null(state);
	assert_int_equal(staging_count(scratch), 4);
	kill_child(dead);
	stage_sweep(state);
	assert_int_equal(staging_count(scratch), 3);
	assert_false(file_exists(staged_path(scratch, dead, 0, "", path)));
	assert_true(
	    file_is(staged_path(scratch, living, 0, "0", path), "theirs", 6));
	assert_true(
	    file_is(staged_path(scratch, beside, 0, "0", path), "theirs", 6));
	assert_true(file_exists(staged_path(scratch, getpid(), 0, "", path)));
	kill_child(living);
	state_close(state);
	state = open_state(scratch);
	assert_non_null(state);
	stage_sweep(state);
	assert_int_equal(staging_count(scratch), 2);
	assert_true(
	    file_is(staged_path(scratch, beside, 0, "0", path), "theirs", 6));
	kill_child(beside);
	stage_sweep(state);
	assert_int_equal(staging_count(scratch), 1);
	state_close(state);
	assert_int_equal(staging_count(scratch), 0);
	assert_true(scratch_silent(scratch));
}

/* Two states of one process stage the same name. */
static void
test_directory_of_its_own(void **test)
{
	struct scratch *scratch = *test;
	struct state *first = open_state(scratch);
	struct state *second = share_state(scratch);
	struct stage_part part = {"first", 5};
	struct stage_file file[2];

	assert_int_equal(
	    stage_write(first, "0", &part, 1, &file[0]), STATUS_OK);
	part = (struct stage_part){"second", 6};
	assert_int_equal(
	    stage_write(second, "0", &part, 1, &file[1]), STATUS_OK);
	assert_true(file_is(file[0].path, "first", 5));
	assert_true(file_is(file[1].path, "second", 6));
	stage_sweep(first);
	stage_clear(second);
	assert_false(file_exists(file[1].path));
	assert_true(file_is(file[0].path, "first", 5));
	state_close(second);
	assert_true(file_is(file[0].path, "first", 5));
	stage_clear(first);
	state_close(first);
	assert_int_equal(staging_count(scratch), 0);
	stage_file_free(&file[0]);
	stage_file_free(&file[1]);
	assert_true(scratch_silent(scratch));
}

/* The name that we would have is a dead process's, or a living one's. */
static void
test_name_taken(void **test)
{
	struct scratch *scratch = *test;
	struct state *state = open_state(scratch);
	char path[SCRATCH_BYTES + 64];

	state_close(state);
	assert_int_equal(
	    mkdir(staged_path(scratch, getpid(), 0, "", path), 0700), 0);
	assert_true(file_make(
	    staged_path(scratch, getpid(), 1, "", path), "", 0, 0600));
	state = share_state(scratch);
	assert_non_null(state);
	assert_true(file_exists(staged_path(scratch, getpid(), 2, "", path)));
	/* A file is nothing that we make there; who is alone removes it. */
	stage_sweep(state);
	assert_int_equal(staging_count(scratch), 2);
	state_close(state);
	state = open_state(scratch);
	assert_non_null(state);
	assert_true(file_exists(staged_path(scratch, getpid(), 0, "", path)));
	stage_sweep(state);
	assert_int_equal(staging_count(scratch), 1);
	state_close(state);
	assert_true(scratch_silent(scratch));
}

/* Runs begin, stage and end while others sweep: nobody loses a file. */
#define RUNNERS 6
#define RUNS 150

static int
runner_run(struct scratch *scratch)
{
	for (int i = 0; i < RUNS; i++) {
		const struct stage_part part = {&i, sizeof(i)};
		struct state *state = share_state(scratch);
		struct stage_file file;

		if (state == NULL)
			return 1;
		stage_sweep(state);
		if (stage_write(state, "0", &part, 1, &file) != STATUS_OK ||
		    stage_sync(state, &file) != STATUS_OK ||
		    !file_is(file.path, &i, sizeof(i)))
			return 2;
		stage_file_free(&file);
		stage_clear(state);
		state_close(state);
	}
	return scratch_silent(scratch) ? 0 : 3;
}

static void
test_sweep_while_others_begin(void **test)
{
	struct scratch *scratch = *test;
	pid_t pid[RUNNERS];

	for (int i = 0; i < RUNNERS; i++) {
		pid[i] = fork();
		if (pid[i] == 0)
			_exit(runner_run(scratch));
	}
	for (int i = 0; i < RUNNERS; i++) {
		int status = -1;

		assert_int_equal(waitpid(pid[i], &status, 0), pid[i]);
		assert_int_equal(status, 0);
	}
	assert_int_equal(staging_count(scratch), 0);
}

#define TEST(test) \
	cmocka_unit_test_setup_teardown(test, scratch_setup, scratch_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(test_stage),
	    TEST(test_leftover),
	    TEST(test_stage_refused),
	    TEST(test_partial_write),
	    TEST(test_full_disk),
	    TEST(test_stage_by_threads),
	    TEST(test_sweep),
	    TEST(test_directory_of_its_own),
	    TEST(test_name_taken),
	    TEST(test_sweep_while_others_begin),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
