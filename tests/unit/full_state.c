/* SPDX-License-Identifier: ISC */
/*
 * The state directory on a real file system: the lock between processes, the
 * number file, staged files, a full disk, and what killed runs leave behind.
 */
#include "crlpress/state.h"

#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/uio.h>

#include <cmocka.h>

#include "../lib/scratch.h"

#define NAME "p256-1"

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

static struct state *
open_state(struct scratch *scratch)
{
	char dir[SCRATCH_BYTES + 64];
	struct state *state = NULL;

	if (state_open(scratch_path(scratch, "state", dir), NAME,
		scratch->report, &state) != STATUS_OK)
		return NULL;
	return state;
}

static mode_t
mode_of(struct scratch *scratch, const char *name)
{
	char path[SCRATCH_BYTES + 64];
	struct stat st;

	assert_int_equal(lstat(scratch_path(scratch, name, path), &st), 0);
	return st.st_mode & 07777;
}

static void
assert_number(struct state *state, uint64_t want)
{
	struct uint160 number;
	struct uint160 expected = uint160_from_u64(want);

	assert_int_equal(state_number(state, STATE_NUMBER, &number), STATUS_OK);
	assert_int_equal(uint160_compare(&number, &expected), 0);
}

static void
test_directories(void **test)
{
	struct scratch *scratch = *test;
	mode_t mask = umask(0);
	struct state *state = open_state(scratch);

	umask(mask);
	assert_non_null(state);
	assert_int_equal(mode_of(scratch, "state"), 0700);
	assert_int_equal(mode_of(scratch, "state/" NAME), 0700);
	assert_int_equal(mode_of(scratch, "state/" NAME "/stage"), 0700);
	assert_int_equal(mode_of(scratch, "state/" NAME "/lock"), 0600);
	assert_number(state, 0);
	state_close(state);
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
				     scratch->report, &state),
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

	assert_int_equal(
	    state_open("/nowhere/at/all", NAME, scratch->report, &state),
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
}

/* Another process that holds the lock until it is killed. */
static pid_t
fork_holder(struct scratch *scratch)
{
	int ready[2];
	char byte = 0;
	pid_t pid;

	assert_int_equal(pipe(ready), 0);
	pid = fork();
	if (pid == 0) {
		if (open_state(scratch) == NULL || write(ready[1], "x", 1) != 1)
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

static void
test_lock_between_processes(void **test)
{
	struct scratch *scratch = *test;
	char dir[SCRATCH_BYTES + 64];
	char want[2 * SCRATCH_BYTES];
	pid_t pid = fork_holder(scratch);
	struct state *state = NULL;

	scratch_path(scratch, "state", dir);
	assert_int_equal(
	    state_open(dir, NAME, scratch->report, &state), STATUS_LOCKED);
	assert_null(state);
	(void)snprintf(want, sizeof(want),
	    "%s/" NAME "/lock: lock: another run of this issuer holds it: "
	    "process %ld\n",
	    dir, (long)pid);
	assert_true(scratch_said(scratch, want));
	/* Another issuer is not concerned. */
	assert_int_equal(
	    state_open(dir, "other", scratch->report, &state), STATUS_OK);
	state_close(state);
	assert_int_equal(kill(pid, SIGKILL), 0);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	state = open_state(scratch);
	assert_non_null(state);
	/* Not even this process twice. */
	assert_null(open_state(scratch));
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
	assert_int_equal(kill(pid, SIGKILL), 0);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	assert_non_null(state);
	state_close(state);
}

static void
test_number(void **test)
{
	struct scratch *scratch = *test;
	char path[SCRATCH_BYTES + 64];
	struct state *state = open_state(scratch);
	struct uint160 number = uint160_from_u64(1795324189);
	struct uint160 most;

	scratch_path(scratch, "state/" NAME "/number", path);
	assert_false(file_exists(path));
	assert_int_equal(
	    state_number_set(state, STATE_NUMBER, &number), STATUS_OK);
	assert_true(file_is(path, "1795324189\n", 11));
	assert_number(state, 1795324189);
	assert_int_equal(
	    state_number_set(state, STATE_NUMBER, &number), STATUS_OK);
	/* Never back. */
	number = uint160_from_u64(1795324188);
	assert_int_equal(
	    state_number_set(state, STATE_NUMBER, &number), STATUS_FAILED);
	assert_true(
	    scratch_said(scratch, "have 1795324188, want at least 1795324189"));
	assert_number(state, 1795324189);
	memset(&most, 0xff, sizeof(most));
	most.octet[0] = 0x7f;
	assert_int_equal(
	    state_number_set(state, STATE_NUMBER, &most), STATUS_OK);
	state_close(state);
	state = open_state(scratch);
	assert_int_equal(state_number(state, STATE_NUMBER, &number), STATUS_OK);
	assert_int_equal(uint160_compare(&number, &most), 0);
	assert_true(file_is(
	    path, "730750818665451459101842416358141509827966271487\n", 49));
	state_close(state);
}

static void
test_damaged_number(void **test)
{
	static const char *const damaged[] = {"", "\n", "12", "12\n\n", " 12\n",
	    "012\n", "12 \n", "-1\n", "0x12\n", "12\r\n", "12\n13\n",
	    "730750818665451459101842416358141509827966271488\n",
	    "1000000000000000000000000000000000000000000000000000000000000\n"};

	(void)test;
	for (size_t i = 0; i < sizeof(damaged) / sizeof(damaged[0]); i++) {
		struct scratch *scratch = scratch_make();
		struct state *state = open_state(scratch);
		struct uint160 number = uint160_from_u64(77);
		char path[SCRATCH_BYTES + 64];

		assert_non_null(state);
		scratch_path(scratch, "state/" NAME "/number", path);
		assert_true(
		    file_make(path, damaged[i], strlen(damaged[i]), 0600));
		if (state_number(state, STATE_NUMBER, &number) != STATUS_FAILED)
			fail_msg("taken: \"%s\"", damaged[i]);
		assert_true(scratch_said(scratch, "number: state: damaged"));
		assert_int_equal(state_number_set(state, STATE_NUMBER, &number),
		    STATUS_FAILED);
		assert_true(scratch_said(scratch, "number: state: damaged"));
		assert_true(file_is(path, damaged[i], strlen(damaged[i])));
		state_close(state);
		scratch_free(scratch);
	}
}

/* A NUL in the file, a link and a directory in its place. */
static void
test_number_in_the_way(void **test)
{
	struct scratch *scratch = *test;
	struct state *state = open_state(scratch);
	struct uint160 number;
	char path[SCRATCH_BYTES + 64];

	scratch_path(scratch, "state/" NAME "/number", path);
	assert_true(file_make(path, "1\0\n", 3, 0600));
	assert_int_equal(
	    state_number(state, STATE_NUMBER, &number), STATUS_FAILED);
	assert_true(scratch_said(scratch, "damaged"));
	assert_int_equal(unlink(path), 0);
	assert_int_equal(symlink("/etc/hostname", path), 0);
	assert_int_equal(
	    state_number(state, STATE_NUMBER, &number), STATUS_FAILED);
	assert_true(scratch_said(scratch, "number: state: cannot open it"));
	assert_int_equal(unlink(path), 0);
	assert_int_equal(mkdir(path, 0700), 0);
	assert_int_equal(
	    state_number(state, STATE_NUMBER, &number), STATUS_FAILED);
	assert_true(scratch_said(scratch, "number: state: cannot read it"));
	state_close(state);
}

/* A run was killed between the temporary file and the rename. */
static void
test_leftovers(void **test)
{
	struct scratch *scratch = *test;
	struct state *state = open_state(scratch);
	struct uint160 number = uint160_from_u64(5);
	struct stage_part part = {"new", 3};
	struct stage_file file;
	char path[SCRATCH_BYTES + 64];
	char object[SCRATCH_BYTES + 64];

	assert_int_equal(
	    state_number_set(state, STATE_NUMBER, &number), STATUS_OK);
	assert_true(
	    file_make(scratch_path(scratch, "state/" NAME "/number.tmp", path),
		"9", 1, 0600));
	assert_number(state, 5);
	number = uint160_from_u64(6);
	assert_int_equal(
	    state_number_set(state, STATE_NUMBER, &number), STATUS_OK);
	assert_number(state, 6);
	assert_false(file_exists(path));

	/* Both names are published as hard links: they must stay as they are.
	 */
	scratch_path(scratch, "object-1", object);
	assert_true(file_make(
	    scratch_path(scratch, "state/" NAME "/stage/.tmp-7", path),
	    "old one", 7, 0644));
	assert_int_equal(link(path, object), 0);
	assert_true(
	    file_make(scratch_path(scratch, "state/" NAME "/stage/7", path),
		"old two", 7, 0644));
	assert_int_equal(
	    link(path, scratch_path(scratch, "object-2", object)), 0);
	assert_int_equal(stage_write(state, "7", &part, 1, &file), STATUS_OK);
	assert_true(file_is(file.path, "new", 3));
	assert_true(file_is(object, "old two", 7));
	assert_true(
	    file_is(scratch_path(scratch, "object-1", object), "old one", 7));
	assert_false(file_exists(
	    scratch_path(scratch, "state/" NAME "/stage/.tmp-7", path)));
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
	assert_int_equal(mode_of(scratch, "state/" NAME "/stage/0"), 0644);
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
	assert_int_equal(stage_clear(state), STATUS_OK);
	assert_int_equal(stage_clear(state), STATUS_OK);
	assert_int_equal(
	    rmdir(scratch_path(scratch, "state/" NAME "/stage", want)), 0);
	state_close(state);
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
	assert_true(scratch_said(scratch, "stage/1: state: cannot write it: "
					  "File too large"));
	/* A directory is nothing that was staged; it is said. */
	assert_int_equal(
	    mkdir(scratch_path(scratch, "state/" NAME "/stage/d", path), 0700),
	    0);
	assert_int_equal(stage_clear(state), STATUS_FAILED);
	assert_true(scratch_said(scratch, "stage/d: state: cannot remove it"));
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
	if (!scratch_said(scratch, "stage/1: state: cannot write it: "
				   "File too large"))
		return 3;
	if (file.path != NULL ||
	    file_exists(
		scratch_path(scratch, "state/" NAME "/stage/1", path)) ||
	    file_exists(
		scratch_path(scratch, "state/" NAME "/stage/.tmp-1", path)))
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
	struct uint160 number = uint160_from_u64(41);
	struct uint160 have;
	struct stage_file file;
	struct state *state;
	char path[SCRATCH_BYTES + 64];
	FILE *filler;

	if (mkdir(scratch_path(scratch, "state", path), 0700) != 0)
		return 1;
	if (!child_mount_small(path, "size=64k,mode=0700"))
		return SCRATCH_NOT_PERMITTED;
	state = open_state(scratch);
	if (state == NULL ||
	    state_number_set(state, STATE_NUMBER, &number) != STATUS_OK)
		return 2;
	if (stage_write(state, "0", parts, 2, &file) != STATUS_FAILED)
		return 3;
	if (!scratch_said(scratch, "/stage/0: state: cannot write it: "
				   "No space left on device\n"))
		return 4;
	if (stage_write(state, "0", parts, 1, &file) != STATUS_OK ||
	    !file_is(file.path, "head", 4))
		return 5;
	/* Nothing left at all: the number stays what it was. */
	filler = fopen(scratch_path(scratch, "state/filler", path), "w");
	if (filler == NULL)
		return 6;
	(void)fwrite(body, 1, sizeof(body), filler);
	(void)fclose(filler);
	number = uint160_from_u64(42);
	if (state_number_set(state, STATE_NUMBER, &number) != STATUS_FAILED)
		return 7;
	if (!scratch_said(scratch, "/number: state: cannot write it: "
				   "No space left on device\n"))
		return 8;
	number = uint160_from_u64(41);
	if (state_number(state, STATE_NUMBER, &have) != STATUS_OK ||
	    uint160_compare(&have, &number) != 0)
		return 9;
	scratch_path(scratch, "state/" NAME "/number.tmp", path);
	return file_exists(path) ? 10 : 0;
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
	assert_int_equal(stage_clear(state), STATUS_OK);
	state_close(state);
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
	    TEST(test_lock_is_not_inherited),
	    TEST(test_number),
	    cmocka_unit_test(test_damaged_number),
	    TEST(test_number_in_the_way),
	    TEST(test_leftovers),
	    TEST(test_stage),
	    TEST(test_stage_refused),
	    TEST(test_partial_write),
	    TEST(test_full_disk),
	    TEST(test_foreign_directory),
	    TEST(test_stage_by_threads),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
