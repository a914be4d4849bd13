/* SPDX-License-Identifier: ISC */
/* Rows that cannot be listed, or have a date that cannot be: run_odd.c. */
#ifndef CRLPRESS_RUN_ODD_H
#define CRLPRESS_RUN_ODD_H

#include "run_impl.h"

enum run_odd_kind {
	RUN_ODD_FAULTY,          /* `why` */
	RUN_ODD_FUTURE,          /* revoked at `value`, seconds */
	RUN_ODD_ELSEWHERE,       /* of shard `value`, which was not asked for */
	RUN_ODD_RECORDED,        /* `why` of its recorded_at */
	RUN_ODD_RECORDED_FUTURE, /* recorded at `value`, seconds */
};

/* The first kind that withholds nothing. */
#define RUN_ODD_WARNINGS RUN_ODD_RECORDED

struct run_odd {
	enum run_odd_kind kind;
	size_t shard;    /* its place in run->shard; shard_count: it has none */
	const char *why; /* static text, or NULL */
	int64_t value;
	char serial[SOURCE_SERIAL_TEXT_BYTES];
};

/* Zero-initialise. */
struct run_odd_list {
	struct run_odd *row;
	size_t count;
	size_t room;
	uint64_t *more; /* not kept, of each shard and of none; or NULL */
	uint64_t more_warnings;
};

/* False: out of memory, and a row that must be told would not be. */
bool run_odd_add(struct run_odd_list *list, const struct run *run,
    const struct run_odd *odd) MUST_CHECK;
/* Those of `from` too, which is then empty. */
bool run_odd_join(struct run_odd_list *list, struct run_odd_list *from,
    size_t shard_count) MUST_CHECK;
/* Says all of them, in order, and counts them in the run's shards. */
void run_odd_tell(struct run *run, struct run_odd_list *list);
void run_odd_free(struct run_odd_list *list);

#endif
