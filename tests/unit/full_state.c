/* SPDX-License-Identifier: ISC */
/*
 * The state directory on a real file system: what it is made of, who may have
 * it at the same time, and whose it is.
 */
#include "crlpress/state.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/file.h>
#include <sys/syscall.h>

#include <cmocka.h>

#include "../lib/state_scratch.h"

/* A file that somebody removes between its opening and its locking. */
static const char *removed;

int
flock(int fd, int operation)
{
	if (removed != NULL && (operation & LOCK_EX) != 0) {
		assert_int_equal(unlink(removed), 0);
		removed = NULL;
	}
	return (int)syscall(SYS_flock, fd, operation);
}

static void
test_directories(void **test)
{
	struct scratch *scratch = *test;
	struct uint160 number;
	char path[SCRATCH_BYTES + 64];
	mode_t mask = umask(0);
	struct state *state = open_state(scratch);

	umask(mask);
	assert_non_null(state);
	assert_int_equal(mode_of(scratch, "state"), 0700);
	assert_int_equal(mode_of(scratch, "state/" NAME), 0700);
	assert_int_equal(mode_of(scratch, "state/" NAME "/stage"), 0700);
	assert_int_equal(mode_of(scratch, "state/" NAME "/lock"), 0600);
	staged_path(scratch, getpid(), 0, "", path);
	assert_int_equal(
	    mode_of(scratch, path + strlen(scratch->path) + 1), 0700);
	assert_int_equal(state_number(state, STATE_NUMBER, &number), STATUS_OK);
	assert_true(uint160_is_zero(&number));
	state_close(state);
	assert_false(file_exists(path));
	state_close(NULL);
	state = open_state(scratch);
	assert_non_null(state);
	state_close(state);
	assert_true(scratch_silent(scratch));
}

static void
test_names_refused(void **test)
{
	static const char *const names[] = {"", ".", "..", "a/b", "/", "a\nb"};
	struct scratch *scratch = *test;

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		struct state *state;

		assert_int_equal(state_open(scratch->path, names[i],
				     STATE_SHARED, scratch->report, &state),
		    STATUS_CONFIG);
		assert_null(state);
		assert_true(scratch_said(scratch, "not a name"));
	}
}

static void
test_directory_in_the_way(void **test)
{
	struct scratch *scratch = *test;
	char path[SCRATCH_BYTES + 64];
	struct state *state;

	assert_int_equal(state_open("/nowhere/at/all", NAME, STATE_SHARED,
			     scratch->report, &state),
	    STATUS_FAILED);
	assert_true(scratch_said(scratch,
	    "/nowhere/at/all: state: cannot "
	    "open or make the directory: No such file or directory"));
	assert_true(
	    file_make(scratch_path(scratch, "state", path), "", 0, 0644));
	assert_null(open_state(scratch));
	assert_true(scratch_said(scratch, "Not a directory"));
	assert_int_equal(unlink(path), 0);
	assert_int_equal(mkdir(path, 0700), 0);
	assert_true(
	    file_make(scratch_path(scratch, "state/" NAME, path), "", 0, 0644));
	assert_null(open_state(scratch));
	assert_true(
	    scratch_said(scratch, "state/" NAME ": state: cannot open "
				  "or make the directory: Not a directory"));
	assert_int_equal(unlink(path), 0);
	assert_int_equal(mkdir(path, 0700), 0);
	assert_true(file_make(
	    scratch_path(scratch, "state/" NAME "/stage", path), "", 0, 0644));
	assert_null(open_state(scratch));
	assert_true(scratch_said(scratch, "stage: state: cannot open or make"));
}

static void
test_lock_between_processes(void **test)
{
	struct scratch *scratch = *test;
	char dir[SCRATCH_BYTES + 64];
	char want[2 * SCRATCH_BYTES];
	pid_t pid = fork_holder(scratch, STATE_EXCLUSIVE, false);
	struct state *state = NULL;

	scratch_path(scratch, "state", dir);
	assert_null(open_state(scratch));
	(void)snprintf(want, sizeof(want),
	    "%s/" NAME "/lock: lock: another run of this issuer holds it: "
	    "process %ld\n",
	    dir, (long)pid);
	assert_true(scratch_said(scratch, want));
	assert_int_equal(
	    state_open(dir, NAME, STATE_EXCLUSIVE, scratch->report, &state),
	    STATUS_LOCKED);
	assert_null(state);
	/* Another issuer is not concerned. */
	assert_int_equal(
	    state_open(dir, "other", STATE_EXCLUSIVE, scratch->report, &state),
	    STATUS_OK);
	state_close(state);
	kill_child(pid);
	state = open_state(scratch);
	assert_non_null(state);
	/* Not even this process twice. */
	assert_null(open_state(scratch));
	state_close(state);
}

/* A lock on a file that nobody else will ever open is none. */
static void
test_lock_removed(void **test)
{
	struct scratch *scratch = *test;
	char path[SCRATCH_BYTES + 64];
	struct state *state = open_state(scratch);

	state_close(state);
	scratch_path(scratch, "state/" NAME "/lock", path);
	removed = path;
	state = open_state(scratch);
	assert_non_null(state);
	assert_null(removed);
	assert_null(open_state(scratch));
	assert_true(scratch_said(scratch, "another run of this issuer"));
	state_close(state);
}

/* A child that lives on, as a signer might, does not keep the lock. */
static void
test_lock_is_not_inherited(void **test)
{
	struct scratch *scratch = *test;
	struct state *state = open_state(scratch);
	pid_t pid;

	assert_non_null(state);
	pid = fork();
	if (pid == 0)
		for (;;)
			(void)pause();
	assert_true(pid > 0);
	state_close(state);
	state = open_state(scratch);
	kill_child(pid);
	assert_non_null(state);
	state_close(state);
}

/* Who shares is kept out by nobody, keeps nobody out, and takes no lock. */
static void
test_shared(void **test)
{
	struct scratch *scratch = *test;
	struct state *first = share_state(scratch);
	struct state *second = share_state(scratch);
	char path[SCRATCH_BYTES + 64];
	struct state *alone;

	assert_non_null(first);
	assert_non_null(second);
	assert_false(
	    file_exists(scratch_path(scratch, "state/" NAME "/lock", path)));
	alone = open_state(scratch);
	assert_non_null(alone);
	state_close(second);
	second = share_state(scratch);
	assert_non_null(second);
	assert_null(open_state(scratch));
	assert_true(scratch_said(scratch, "another run of this issuer"));
	state_close(first);
	state_close(alone);
	state_close(second);
	assert_int_equal(staging_count(scratch), 0);
}

/* In a child without rights: a state directory of somebody else. */
static int
foreign_run(struct scratch *scratch)
{
	struct state *state;

	if (geteuid() != 0 || !child_become_nobody())
		return SCRATCH_NOT_PERMITTED;
	state = open_state(scratch);
	if (state == NULL)
		return 1;
	if (!scratch_said(scratch, "belongs to somebody else, have user 0"))
		return 2;
	return 0;
}

static void
test_foreign_directory(void **test)
{
	struct scratch *scratch = *test;
	struct state *state = open_state(scratch);
	char path[SCRATCH_BYTES + 64];
	int result;

	state_close(state);
	assert_int_equal(chmod(scratch_path(scratch, "state", path), 0755), 0);
	assert_int_equal(
	    chmod(scratch_path(scratch, "state/" NAME "/lock", path), 0666), 0);
	assert_int_equal(
	    chmod(scratch_path(scratch, "state/" NAME "/stage", path), 0777),
	    0);
	assert_int_equal(
	    chmod(scratch_path(scratch, "state/" NAME, path), 0777), 0);
	/* Ours, but anybody can write there. */
	state = open_state(scratch);
	assert_non_null(state);
	assert_true(scratch_said(scratch, "anybody can write there, have mode "
					  "0777, want 0700"));
	assert_int_equal(report_count(scratch->report, SEVERITY_WARNING), 1);
	state_close(state);
	result = child_run(foreign_run, scratch);
	if (result == SCRATCH_NOT_PERMITTED) {
		print_message("SKIP: cannot become another user\n");
		skip();
	}
	assert_int_equal(result, 0);
}

/* In a child without rights: everything there can be used. */
static int
owner_run(struct scratch *scratch)
{
	const struct stage_part part = {"bytes", 5};
	struct uint160 number = uint160_from_u64(8);
	struct stage_file file;
	struct state *state;

	if (!child_become_nobody())
		return SCRATCH_NOT_PERMITTED;
	state = open_state(scratch);
	if (state == NULL)
		return 1;
	stage_sweep(state);
	if (staging_count(scratch) != 1 ||
	    state_published_set(state, &number) != STATUS_OK ||
	    state_number_take(state, &number, &number) != STATUS_OK ||
	    stage_write(state, "0", &part, 1, &file) != STATUS_OK)
		return 2;
	stage_file_free(&file);
	stage_clear(state);
	state_close(state);
	return scratch_silent(scratch) ? 0 : 3;
}

/* Root was there first, or in between: the owner goes on as if it had not. */
static void
test_root_in_between(void **test)
{
	struct scratch *scratch = *test;
	const struct stage_part part = {"bytes", 5};
	struct uint160 number = uint160_from_u64(7);
	char path[SCRATCH_BYTES + 64];
	struct stage_file file;
	struct state *state;
	pid_t pid;

	if (geteuid() != 0) {
		print_message("SKIP: not root\n");
		skip();
	}
	scratch_path(scratch, "state", path);
	assert_int_equal(mkdir(path, 0700), 0);
	assert_int_equal(chown(path, SCRATCH_NOBODY, SCRATCH_NOBODY), 0);
	state = open_state(scratch);
	assert_non_null(state);
	assert_int_equal(state_number_take(state, &number, &number), STATUS_OK);
	assert_int_equal(state_published_set(state, &number), STATUS_OK);
	assert_int_equal(stage_write(state, "0", &part, 1, &file), STATUS_OK);
	stage_file_free(&file);
	stage_clear(state);
	state_close(state);
	/* And was killed, with something staged. */
	pid = fork_holder(scratch, STATE_SHARED, true);
	kill_child(pid);
	assert_int_equal(staging_count(scratch), 1);
	assert_true(scratch_silent(scratch));
	assert_int_equal(child_run(owner_run, scratch), 0);
}

/* In a child without rights: who may is told. */
static int
stranger_run(struct scratch *scratch)
{
	char text[SCRATCH_BYTES + 160];
	struct state *state;
	struct stat st;

	if (!child_become_nobody())
		return SCRATCH_NOT_PERMITTED;
	/* Root's, wherever this runs, or whoever stands for root there. */
	if (stat("/usr", &st) != 0 || st.st_uid == geteuid())
		return SCRATCH_NOT_PERMITTED;
	if (state_open("/usr/crlpress-none", NAME, STATE_SHARED,
		scratch->report, &state) == STATUS_OK)
		return 1;
	(void)snprintf(text, sizeof(text),
	    "hint: the user that crlpress runs as may not do this there: /usr "
	    "belongs to user %u, and this is user %u",
	    (unsigned)st.st_uid, (unsigned)geteuid());
	return scratch_said(scratch, text) ? 0 : 2;
}

static void
test_not_permitted(void **test)
{
	struct scratch *scratch = *test;

	assert_int_equal(child_run(stranger_run, scratch), 0);
}

/* The owner's directory, and in it a file that is not this user's. */
static int
visitor_run(struct scratch *scratch)
{
	char text[SCRATCH_BYTES + 160];

	if (!child_become_nobody())
		return SCRATCH_NOT_PERMITTED;
	if (open_state(scratch) != NULL)
		return 1;
	(void)snprintf(text, sizeof(text),
	    "/state belongs to user 0, and this is user %u",
	    (unsigned)geteuid());
	return scratch_said(scratch, text) ? 0 : 2;
}

static void
test_owner_is_told(void **test)
{
	struct scratch *scratch = *test;
	struct state *state;

	if (geteuid() != 0) {
		print_message("SKIP: not root\n");
		skip();
	}
	state = open_state(scratch);
	assert_non_null(state);
	state_close(state);
	assert_int_equal(child_run(visitor_run, scratch), 0);
}

#define TEST(test) \
	cmocka_unit_test_setup_teardown(test, scratch_setup, scratch_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(test_directories),
	    TEST(test_names_refused),
	    TEST(test_directory_in_the_way),
	    TEST(test_lock_between_processes),
	    TEST(test_lock_removed),
	    TEST(test_lock_is_not_inherited),
	    TEST(test_shared),
	    TEST(test_foreign_directory),
	    TEST(test_root_in_between),
	    TEST(test_not_permitted),
	    TEST(test_owner_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
