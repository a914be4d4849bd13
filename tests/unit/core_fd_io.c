/* SPDX-License-Identifier: ISC */
/*
 * Reading and writing on through pipes that give and take a part at a time,
 * signals that come meanwhile, and what ends it.
 */
#include "crlpress/fd_io.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

/* More than a pipe takes at once. */
#define MANY ((size_t)1 << 20)

static int ends[2];
static volatile size_t taken;

static uint8_t *
many_make(void)
{
	uint8_t *data = malloc(MANY);

	assert_non_null(data);
	for (size_t i = 0; i < MANY; i++)
		data[i] = (uint8_t)(i * 7 + i / 251);
	return data;
}

/* What lets the call go on once it was interrupted; closed the second time. */
static void
give(int number)
{
	(void)number;
	if (write(ends[1], "late", 4) == 4)
		(void)close(ends[1]);
}

static void
take(int number)
{
	char drained[4096];
	ssize_t n;

	(void)number;
	while ((n = read(ends[0], drained, sizeof(drained))) > 0)
		taken += (size_t)n;
}

/* Again and again, lest the first comes before the call. */
static void
alarm_start(void (*handler)(int))
{
	struct sigaction action = {.sa_handler = handler};
	struct itimerval every = {{0, 10000}, {0, 10000}};

	assert_int_equal(sigaction(SIGALRM, &action, NULL), 0);
	assert_int_equal(setitimer(ITIMER_REAL, &every, NULL), 0);
}

static void
alarm_stop(void)
{
	struct itimerval never = {0};

	assert_int_equal(setitimer(ITIMER_REAL, &never, NULL), 0);
	(void)signal(SIGALRM, SIG_DFL);
}

static void
test_read_interrupted(void **state)
{
	char data[16] = "";

	(void)state;
	assert_int_equal(pipe(ends), 0);
	alarm_start(give);
	assert_int_equal(fd_read(ends[0], data, sizeof(data)), 4);
	alarm_stop();
	assert_memory_equal(data, "late", 4);
	(void)close(ends[0]);
}

static void
test_write_interrupted(void **state)
{
	uint8_t *data = many_make();
	size_t before = 0;

	(void)state;
	assert_int_equal(pipe2(ends, O_NONBLOCK), 0);
	/* Full, so that nothing is taken before the first alarm. */
	while (write(ends[1], data, 4096) == 4096)
		before += 4096;
	assert_int_equal(fcntl(ends[1], F_SETFL, 0), 0);
	taken = 0;
	alarm_start(take);
	assert_true(fd_write(ends[1], data, MANY));
	alarm_stop();
	take(0);
	assert_int_equal(taken, before + MANY);
	(void)close(ends[0]);
	(void)close(ends[1]);
	free(data);
}

/* All arrives, in order, whatever each end does at once. */
static void
test_whole(void **state)
{
	uint8_t *data = many_make(), *got = calloc(1, MANY);
	int result;
	pid_t child;

	(void)state;
	assert_non_null(got);
	assert_int_equal(pipe(ends), 0);
	child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		(void)close(ends[0]);
		_exit(fd_write(ends[1], data, MANY) ? 0 : 1);
	}
	(void)close(ends[1]);
	/* Up to a size, and on from there. */
	assert_int_equal(fd_read(ends[0], got, 70001), 70001);
	assert_int_equal(
	    fd_read(ends[0], got + 70001, MANY - 70001), MANY - 70001);
	assert_int_equal(fd_read(ends[0], got, 0), 0);
	assert_memory_equal(got, data, MANY);
	/* Behind it is the end. */
	assert_int_equal(fd_read(ends[0], got, 5), 0);
	assert_int_equal(waitpid(child, &result, 0), child);
	assert_int_equal(result, 0);
	(void)close(ends[0]);
	free(data);
	free(got);
}

static void
test_failures(void **state)
{
	char byte = 'x';

	(void)state;
	errno = 0;
	assert_int_equal(fd_read(-1, &byte, 1), -1);
	assert_int_equal(errno, EBADF);
	errno = 0;
	assert_false(fd_write(-1, &byte, 1));
	assert_int_equal(errno, EBADF);
	assert_true(fd_write(-1, &byte, 0));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_read_interrupted),
	    cmocka_unit_test(test_write_interrupted),
	    cmocka_unit_test(test_whole),
	    cmocka_unit_test(test_failures),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
