/* SPDX-License-Identifier: ISC */
/*
 * The pool: every index once, on as many threads as were asked for, each with
 * a number that no other has at the time.
 */
#include "crlpress/pool.h"

#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>

#include <cmocka.h>

#include "../lib/scratch.h"

#define INDEXES_MOST 5000

/* So long may a thread take to come; then the test fails. */
#define PATIENCE_SEC 60

struct tally {
	atomic_uint seen[INDEXES_MOST];
	atomic_uint calls;
	atomic_uint strangers; /* calls on other threads than this */
	atomic_uint busy[POOL_WORKERS_MOST];
	atomic_uint quarrels;
	pthread_t caller;
};

static void
count(void *context, unsigned worker, size_t i)
{
	struct tally *tally = context;

	if (worker >= POOL_WORKERS_MOST)
		abort();
	/* Two at a time with one number would quarrel here. */
	if (atomic_fetch_add(&tally->busy[worker], 1) != 0)
		atomic_fetch_add(&tally->quarrels, 1);
	atomic_fetch_add(&tally->seen[i], 1);
	atomic_fetch_add(&tally->calls, 1);
	if (!pthread_equal(tally->caller, pthread_self()))
		atomic_fetch_add(&tally->strangers, 1);
	atomic_fetch_sub(&tally->busy[worker], 1);
}

static bool
tally_is_whole(struct tally *tally, size_t n)
{
	for (size_t i = 0; i < INDEXES_MOST; i++)
		if (atomic_load(&tally->seen[i]) != (i < n))
			return false;
	return atomic_load(&tally->calls) == n &&
	       atomic_load(&tally->quarrels) == 0;
}

static void
test_once(void **state)
{
	static const unsigned workers[] = {
	    0, 1, 2, 3, 8, 64, 65, 5000, UINT32_MAX};
	static const size_t counts[] = {0, 1, 2, 3, 63, 64, 65, INDEXES_MOST};

	(void)state;
	for (size_t i = 0; i < sizeof(workers) / sizeof(workers[0]); i++)
		for (size_t j = 0; j < sizeof(counts) / sizeof(counts[0]);
		     j++) {
			struct tally *tally = calloc(1, sizeof(*tally));

			assert_non_null(tally);
			tally->caller = pthread_self();
			pool_run(workers[i], counts[j], count, tally);
			if (!tally_is_whole(tally, counts[j]))
				fail_msg("%u workers, %zu indexes", workers[i],
				    counts[j]);
			if (workers[i] <= 1)
				assert_int_equal(
				    atomic_load(&tally->strangers), 0);
			free(tally);
		}
}

/* In order, when there is nobody else. */
static void
follow(void *context, unsigned worker, size_t i)
{
	size_t *next = context;

	assert_int_equal(worker, 0);
	assert_int_equal(i, *next);
	++*next;
}

static void
test_alone(void **state)
{
	size_t next = 0;

	(void)state;
	pool_run(1, 100, follow, &next);
	assert_int_equal(next, 100);
}

/* Holds every call until `wanted` of them are there at the same time. */
struct gathering {
	pthread_mutex_t mutex;
	pthread_cond_t changed;
	unsigned wanted;
	unsigned inside;
	unsigned most;
	bool complete;
	bool late;
	bool busy[POOL_WORKERS_MOST];
	bool quarrel;
};

static void
gather(void *context, unsigned worker, size_t i)
{
	struct gathering *g = context;
	struct timespec until;

	(void)i;
	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += PATIENCE_SEC;
	pthread_mutex_lock(&g->mutex);
	g->inside++;
	if (worker >= POOL_WORKERS_MOST || g->busy[worker])
		g->quarrel = true;
	else
		g->busy[worker] = true;
	if (g->inside > g->most)
		g->most = g->inside;
	if (g->inside == g->wanted) {
		g->complete = true;
		pthread_cond_broadcast(&g->changed);
	}
	while (!g->complete && !g->late)
		if (pthread_cond_timedwait(&g->changed, &g->mutex, &until) ==
		    ETIMEDOUT)
			g->late = true;
	g->inside--;
	if (worker < POOL_WORKERS_MOST)
		g->busy[worker] = false;
	pthread_mutex_unlock(&g->mutex);
}

static unsigned
most_at_once(unsigned workers, size_t indexes, unsigned wanted)
{
	struct gathering g = {.wanted = wanted};

	pthread_mutex_init(&g.mutex, NULL);
	pthread_cond_init(&g.changed, NULL);
	pool_run(workers, indexes, gather, &g);
	assert_false(g.late);
	assert_false(g.quarrel);
	assert_int_equal(g.inside, 0);
	pthread_cond_destroy(&g.changed);
	pthread_mutex_destroy(&g.mutex);
	return g.most;
}

static void
test_at_once(void **state)
{
	(void)state;
	assert_int_equal(most_at_once(1, 5, 1), 1);
	assert_int_equal(most_at_once(4, 4, 4), 4);
	assert_int_equal(most_at_once(4, 400, 4), 4);
	assert_int_equal(most_at_once(9, 3, 3), 3);
	assert_int_equal(
	    most_at_once(1000, 1000, POOL_WORKERS_MOST), POOL_WORKERS_MOST);
}

static void *
idle(void *argument)
{
	return argument;
}

/* Without a single thread more, the one there is does it all. */
static int
run_without_threads(struct scratch *scratch)
{
	struct rlimit none = {0, 0};
	struct tally *tally = calloc(1, sizeof(*tally));
	pthread_t thread;

	(void)scratch;
	if (tally == NULL)
		return 1;
	tally->caller = pthread_self();
	if (!child_become_nobody() || setrlimit(RLIMIT_NPROC, &none) != 0)
		return SCRATCH_NOT_PERMITTED;
	if (pthread_create(&thread, NULL, idle, NULL) == 0)
		return SCRATCH_NOT_PERMITTED;
	pool_run(8, 100, count, tally);
	if (!tally_is_whole(tally, 100) || atomic_load(&tally->strangers) != 0)
		return 2;
	free(tally);
	return 0;
}

static void
test_without_threads(void **state)
{
	int result = child_run(run_without_threads, *state);

	if (result == SCRATCH_NOT_PERMITTED) {
		print_message("SKIP: threads cannot be forbidden here\n");
		skip();
	}
	assert_int_equal(result, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_once),
	    cmocka_unit_test(test_alone),
	    cmocka_unit_test(test_at_once),
	    cmocka_unit_test_setup_teardown(
		test_without_threads, scratch_setup, scratch_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
