/* SPDX-License-Identifier: ISC */
/* Threads that take the next index until there is none. */
#include "crlpress/pool.h"

#include <pthread.h>
#include <stdatomic.h>

struct pool {
	atomic_size_t next;
	size_t count;
	void (*work)(void *context, size_t i);
	void *context;
};

static void *
pool_thread(void *argument)
{
	struct pool *pool = argument;
	size_t i;

	while ((i = atomic_fetch_add(&pool->next, 1)) < pool->count)
		pool->work(pool->context, i);
	return NULL;
}

void
pool_run(unsigned workers, size_t count, void (*work)(void *context, size_t i),
    void *context)
{
	struct pool pool = {.count = count, .work = work, .context = context};
	pthread_t thread[POOL_WORKERS_MOST];
	size_t started = 0;

	atomic_init(&pool.next, 0);
	if (workers > POOL_WORKERS_MOST)
		workers = POOL_WORKERS_MOST;
	if (workers > count)
		workers = (unsigned)count;
	while (started + 1 < workers &&
	       pthread_create(&thread[started], NULL, pool_thread, &pool) == 0)
		started++;
	pool_thread(&pool);
	while (started > 0)
		pthread_join(thread[--started], NULL);
}
