/* SPDX-License-Identifier: ISC */
/*
 * The numbers of the state directory on a real file system: taken by many
 * processes at once, some of which are killed; damaged, in the way, at their
 * end, on a full disk.
 */
#include "crlpress/state.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <time.h>

#include <cmocka.h>

#include "../lib/state_scratch.h"

#define NUMBER "state/" NAME "/number"

/* Waiting takes no time here when it is only counted. */
static bool no_time;
static int pauses;

int
nanosleep(const struct timespec *time, struct timespec *left)
{
	pauses++;
	return no_time ? 0 : (int)syscall(SYS_nanosleep, time, left);
}

static void
assert_number(struct state *state, enum state_kind kind, uint64_t want)
{
	struct uint160 number;
	struct uint160 expected = uint160_from_u64(want);

	assert_int_equal(state_number(state, kind, &number), STATUS_OK);
	assert_int_equal(uint160_compare(&number, &expected), 0);
}

/* Takes a number, at least `least`, that must be `want`. */
static void
assert_takes(struct state *state, uint64_t least, uint64_t want)
{
	struct uint160 expected = uint160_from_u64(want);
	struct uint160 from = uint160_from_u64(least);
	struct uint160 number;

	assert_int_equal(state_number_take(state, &from, &number), STATUS_OK);
	assert_int_equal(uint160_compare(&number, &expected), 0);
}

static enum status
take(struct state *state)
{
	struct uint160 number = uint160_from_u64(1);

	return state_number_take(state, &number, &number);
}

static void
test_take(void **test)
{
	struct scratch *scratch = *test;
	char path[SCRATCH_BYTES + 64];
	struct state *state = open_state(scratch);

	scratch_path(scratch, NUMBER, path);
	assert_number(state, STATE_NUMBER, 0);
	assert_false(file_exists(path));
	/* Never 0, which stands for none. */
	assert_takes(state, 0, 1);
	assert_takes(state, 1795324189, 1795324189);
	assert_true(file_is(path, "1795324189\n", 11));
	assert_int_equal(mode_of(scratch, NUMBER), 0600);
	/* Above the last, whatever is asked for. */
	assert_takes(state, 1795324189, 1795324190);
	assert_takes(state, 5, 1795324191);
	assert_takes(state, 1795324193, 1795324193);
	state_close(state);
	state = share_state(scratch);
	assert_takes(state, 0, 1795324194);
	assert_number(state, STATE_NUMBER, 1795324194);
	state_close(state);
	assert_true(scratch_silent(scratch));
}

static void
test_last_number(void **test)
{
	struct scratch *scratch = *test;
	char path[SCRATCH_BYTES + 64];
	struct state *state = open_state(scratch);
	struct uint160 number, most;

	memset(&most, 0xff, sizeof(most));
	most.octet[0] = 0x7f;
	assert_int_equal(state_number_take(state, &most, &number), STATUS_OK);
	assert_int_equal(uint160_compare(&number, &most), 0);
	scratch_path(scratch, NUMBER, path);
	assert_true(file_is(
	    path, "730750818665451459101842416358141509827966271487\n", 49));
	number = uint160_from_u64(77);
	assert_int_equal(
	    state_number_take(state, &number, &number), STATUS_REFUSED);
	assert_true(scratch_said(scratch,
	    "number: number, BR 7.2.2: the last number below 2^159 was given "
	    "out\n  hint: write there the highest crlNumber"));
	/* Nothing was given out. */
	assert_number(state, STATE_PUBLISHED, 0);
	most = uint160_from_u64(77);
	assert_int_equal(uint160_compare(&number, &most), 0);
	assert_true(file_is(
	    path, "730750818665451459101842416358141509827966271487\n", 49));
	/* As the hint has it. */
	assert_true(file_make(path, "41\n", 3, 0600));
	assert_takes(state, 0, 42);
	state_close(state);
}

/* Two runs may end in another order than they took their numbers in. */
static void
test_published(void **test)
{
	struct scratch *scratch = *test;
	struct state *state = share_state(scratch);
	struct uint160 number = uint160_from_u64(100);
	char path[SCRATCH_BYTES + 64];

	assert_number(state, STATE_PUBLISHED, 0);
	assert_int_equal(state_published_set(state, &number), STATUS_OK);
	assert_number(state, STATE_PUBLISHED, 100);
	number = uint160_from_u64(99);
	assert_int_equal(state_published_set(state, &number), STATUS_OK);
	assert_number(state, STATE_PUBLISHED, 100);
	number = uint160_from_u64(101);
	assert_int_equal(state_published_set(state, &number), STATUS_OK);
	assert_number(state, STATE_PUBLISHED, 101);
	assert_number(state, STATE_NUMBER, 0);
	assert_true(scratch_silent(scratch));
	scratch_path(scratch, "state/" NAME "/published", path);
	assert_true(file_make(path, "x\n", 2, 0600));
	assert_int_equal(state_published_set(state, &number), STATUS_FAILED);
	assert_true(scratch_said(scratch,
	    "published: state: damaged, want one decimal number below 2^159 "
	    "and a newline\n  hint: write there the number that the manifest"));
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
		scratch_path(scratch, NUMBER, path);
		assert_true(
		    file_make(path, damaged[i], strlen(damaged[i]), 0600));
		if (state_number(state, STATE_NUMBER, &number) != STATUS_FAILED)
			fail_msg("taken: \"%s\"", damaged[i]);
		assert_true(scratch_said(scratch, "number: state: damaged"));
		assert_int_equal(take(state), STATUS_FAILED);
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
	char path[SCRATCH_BYTES + 64];

	scratch_path(scratch, NUMBER, path);
	assert_true(file_make(path, "1\0\n", 3, 0600));
	assert_int_equal(take(state), STATUS_FAILED);
	assert_true(scratch_said(scratch, "damaged"));
	assert_int_equal(unlink(path), 0);
	assert_int_equal(symlink("/etc/hostname", path), 0);
	assert_int_equal(take(state), STATUS_FAILED);
	assert_true(scratch_said(scratch, "number: state: cannot open it"));
	assert_int_equal(unlink(path), 0);
	assert_int_equal(mkdir(path, 0700), 0);
	assert_int_equal(take(state), STATUS_FAILED);
	assert_true(scratch_said(scratch, "number: state: cannot read it"));
	state_close(state);
}

/* A process was killed between the temporary file and the rename. */
static void
test_leftover(void **test)
{
	struct scratch *scratch = *test;
	struct state *state = open_state(scratch);
	char path[SCRATCH_BYTES + 64];

	assert_takes(state, 5, 5);
	scratch_path(scratch, NUMBER ".tmp", path);
	assert_true(file_make(path, "9", 1, 0600));
	assert_number(state, STATE_NUMBER, 5);
	assert_takes(state, 0, 6);
	assert_false(file_exists(path));
	state_close(state);
}

/*
 * Six processes take numbers for as long as they live, each writes down what
 * it was given, one of them is killed every other moment and another begins.
 */
#define TAKERS 6
#define KILLS 60
#define TAKEN_MOST (1 << 20)

/* In a child; what it took goes to `out`, eight octets a number. */
static void
take_for_ever(struct scratch *scratch, int out)
{
	struct state *state = share_state(scratch);
	uint64_t last = 0;

	for (;;) {
		struct uint160 number = uint160_from_u64(1);
		uint64_t got = 0;

		if (state == NULL ||
		    state_number_take(state, &number, &number) != STATUS_OK)
			_exit(1);
		for (int i = UINT160_OCTETS - 8; i < UINT160_OCTETS; i++)
			got = got << 8 | number.octet[i];
		/* It rises for each of them. */
		if (got <= last || write(out, &got, sizeof(got)) != sizeof(got))
			_exit(2);
		last = got;
	}
}

static pid_t
fork_taker(struct scratch *scratch, int out)
{
	pid_t pid = fork();

	if (pid == 0) {
		if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0)
			_exit(3);
		take_for_ever(scratch, out);
	}
	assert_true(pid > 0);
	return pid;
}

/* Waits until there are this many octets of numbers; a minute at most. */
static off_t
await_more(int out, off_t size)
{
	const struct timespec tick = {.tv_nsec = 1000000};
	struct stat st;

	for (int i = 0; i < 60000; i++) {
		assert_int_equal(fstat(out, &st), 0);
		if (st.st_size >= size)
			return st.st_size;
		(void)nanosleep(&tick, NULL);
		/* None of them ends by itself. */
		assert_int_equal(waitpid(-1, NULL, WNOHANG), 0);
	}
	fail_msg("no more numbers are given out");
	return 0;
}

/* Each number at most once; `*highest` is the highest of them. */
static void
assert_all_different(int out, size_t count, uint64_t *highest)
{
	static uint64_t taken[TAKEN_MOST];
	static uint8_t seen[TAKEN_MOST * 2];

	assert_in_range(count, 1, TAKEN_MOST);
	assert_int_equal(pread(out, taken, count * 8, 0), count * 8);
	*highest = 0;
	for (size_t i = 0; i < count; i++) {
		assert_in_range(taken[i], 1, sizeof(seen) - 1);
		if (seen[taken[i]]++ != 0)
			fail_msg("number %lu was given out twice",
			    (unsigned long)taken[i]);
		if (taken[i] > *highest)
			*highest = taken[i];
	}
}

static void
test_many_take(void **test)
{
	struct scratch *scratch = *test;
	char path[SCRATCH_BYTES + 64];
	pid_t pid[TAKERS];
	uint64_t highest;
	struct state *state;
	off_t size = 0;
	int out = open(scratch_path(scratch, "taken", path),
	    O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	int status;

	assert_true(out >= 0);
	for (int i = 0; i < TAKERS; i++)
		pid[i] = fork_taker(scratch, out);
	for (int i = 0; i < KILLS; i++) {
		size = await_more(out, size + 3 * 8);
		assert_int_equal(kill(pid[i % TAKERS], SIGKILL), 0);
		assert_int_equal(
		    waitpid(pid[i % TAKERS], &status, 0), pid[i % TAKERS]);
		/* It was well until then. */
		assert_true(WIFSIGNALED(status));
		pid[i % TAKERS] = fork_taker(scratch, out);
	}
	(void)await_more(out, size + 8 * TAKERS * 8);
	for (int i = 0; i < TAKERS; i++) {
		assert_int_equal(kill(pid[i], SIGKILL), 0);
		assert_int_equal(waitpid(pid[i], &status, 0), pid[i]);
		assert_true(WIFSIGNALED(status));
	}
	size = lseek(out, 0, SEEK_END);
	assert_int_equal(size % 8, 0);
	assert_all_different(out, (size_t)size / 8, &highest);
	(void)close(out);
	/* What was killed right after the number was its own is lost. */
	state = open_state(scratch);
	assert_non_null(state);
	for (uint64_t more = 1; more <= 2; more++) {
		struct uint160 least = uint160_from_u64(highest + 1);
		struct uint160 number = uint160_from_u64(1);

		assert_int_equal(
		    state_number_take(state, &number, &number), STATUS_OK);
		assert_true(uint160_compare(&number, &least) >= 0);
	}
	stage_sweep(state);
	assert_int_equal(staging_count(scratch), 1);
	state_close(state);
	assert_true(scratch_silent(scratch));
}

/* Nobody waits for ever for a process that is stopped in the wrong moment. */
static void
test_lock_held(void **test)
{
	struct scratch *scratch = *test;
	struct state *state = share_state(scratch);
	char path[SCRATCH_BYTES + 64];
	int fd;

	assert_takes(state, 5, 5);
	fd = open(
	    scratch_path(scratch, NUMBER ".lock", path), O_RDWR | O_CLOEXEC);
	assert_true(fd >= 0);
	assert_int_equal(flock(fd, LOCK_EX), 0);
	no_time = true;
	pauses = 0;
	assert_int_equal(take(state), STATUS_LOCKED);
	no_time = false;
	assert_int_equal(pauses, 5999);
	assert_true(scratch_said(scratch,
	    "number.lock: lock: another process has held it for half a "
	    "minute\n  hint: lslocks tells which"));
	assert_number(state, STATE_NUMBER, 5);
	/* It is not a lock on what was removed. */
	assert_int_equal(unlink(path), 0);
	assert_takes(state, 0, 6);
	(void)close(fd);
	assert_takes(state, 0, 7);
	state_close(state);
}

/* In a child: a state directory of 64 kB that is full. */
static int
full_disk_run(struct scratch *scratch)
{
	static char body[256 * 1024];
	struct uint160 number = uint160_from_u64(41);
	struct uint160 have;
	struct state *state;
	char path[SCRATCH_BYTES + 64];
	FILE *filler;

	if (mkdir(scratch_path(scratch, "state", path), 0700) != 0)
		return 1;
	if (!child_mount_small(path, "size=64k,mode=0700"))
		return SCRATCH_NOT_PERMITTED;
	state = open_state(scratch);
	if (state == NULL ||
	    state_number_take(state, &number, &number) != STATUS_OK)
		return 2;
	filler = fopen(scratch_path(scratch, "state/filler", path), "w");
	if (filler == NULL)
		return 3;
	(void)fwrite(body, 1, sizeof(body), filler);
	(void)fclose(filler);
	if (take(state) != STATUS_FAILED)
		return 4;
	if (!scratch_said(scratch, "/number: state: cannot write it: "
				   "No space left on device\n"))
		return 5;
	/* The number stays what it was. */
	if (state_number(state, STATE_NUMBER, &have) != STATUS_OK ||
	    uint160_compare(&have, &number) != 0)
		return 6;
	return file_exists(scratch_path(scratch, NUMBER ".tmp", path)) ? 7 : 0;
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

#define TEST(test) \
	cmocka_unit_test_setup_teardown(test, scratch_setup, scratch_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(test_take),
	    TEST(test_last_number),
	    TEST(test_published),
	    cmocka_unit_test(test_damaged_number),
	    TEST(test_number_in_the_way),
	    TEST(test_leftover),
	    TEST(test_many_take),
	    TEST(test_lock_held),
	    TEST(test_full_disk),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
