/* SPDX-License-Identifier: ISC */
/* Threads that take the next index until there is none. */
#include "crlpress/pool.h"

#include <pthread.h>
#include <stdatomic.h>

struct pool {
	atomic_size_t next;
	size_t count;
	void (*work)(void *context, unsigned worker, size_t i);
	void *context;
};

struct worker {
	struct pool *pool;
	unsigned number;
	pthread_t thread;
};

static void *
worker_run(void *argument)
{
	struct worker *worker = argument;
	struct pool *pool = worker->pool;
	size_t i;

	while ((i = atomic_fetch_add(&pool->next, 1)) < pool->count)
		pool->work(pool->context, worker->number, i);
	return NULL;
}

void
pool_run(unsigned workers, size_t count,
    void (*work)(void *context, unsigned worker, size_t i), void *context)
{
	struct pool pool = {.count = count, .work = work, .context = context};
	struct worker worker[POOL_WORKERS_MOST];
	unsigned started = 1;

	atomic_init(&pool.next, 0);
	if (workers > POOL_WORKERS_MOST)
		workers = POOL_WORKERS_MOST;
	for (unsigned i = 0; i < workers || i == 0; i++)
		worker[i] = (struct worker){.pool = &pool, .number = i};
	while (started < workers && started < count &&
	       pthread_create(&worker[started].thread, NULL, worker_run,
		   &worker[started]) == 0)
		started++;
	worker_run(&worker[0]);
	while (--started > 0)
		pthread_join(worker[started].thread, NULL);
}
