/* SPDX-License-Identifier: ISC */
/* Those who read the rows of a snapshot: run_collect.c and run_readers.c. */
#ifndef CRLPRESS_RUN_COLLECT_H
#define CRLPRESS_RUN_COLLECT_H

#include <pthread.h>

#include "crlpress/source_part.h"
#include "run_impl.h"
#include "run_odd.h"

/* Of one shard, what one reader read. */
struct reader_shard {
	struct row_set rows;
	struct row_set recorded;
	uint64_t rows_deferred;
};

struct readers;

struct reader {
	struct run *run;
	struct readers *readers;
	struct report *report; /* the run's, or one that is told later */
	struct source *source; /* its own, but the first one's is the run's */
	struct source_row *batch;
	const struct run_shard *reading; /* NULL: rows of any shard */

	struct row_arena *arena;
	struct reader_shard *shard; /* as many as the run has */
	struct run_odd_list odd;
	uint64_t rows_read;
	uint64_t rows_elsewhere;
	bool tells_recorded;
};

struct readers {
	struct run *run;
	struct source_parts parts;
	struct source_share share;
	struct reader reader[SOURCE_CONNECTIONS_MOST];
	unsigned count;

	/* Of what follows; `changed` when a part was finished or given back,
	 * and when all is called off. */
	pthread_mutex_t mutex;
	pthread_cond_t changed;
	bool begun;        /* the first reader took the first part */
	uint32_t next;     /* the last of those that were taken in turn */
	uint32_t finished; /* how many */
	uint32_t returned[SOURCE_CONNECTIONS_MOST];
	uint32_t returned_count;
	const struct reader *failed; /* the first that did */
	uint64_t counted; /* rows of all of it, as the server counts */
};

/* run_collect.c */
enum status reader_init(
    struct reader *reader, struct readers *readers) MUST_CHECK;
void reader_free(struct reader *reader);
/* The rows of what its source was started with. */
enum status reader_read(struct reader *reader) MUST_CHECK;
/* What all of them read, into the run. */
enum status readers_take(struct readers *readers) MUST_CHECK;

/* run_readers.c: all rows, by as many readers as are worth it. */
enum status readers_read(struct readers *readers) MUST_CHECK;

#endif
