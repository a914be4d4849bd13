/* SPDX-License-Identifier: ISC */
/* What the files of a shared run's tables have in common. */
#ifndef CRLPRESS_WORK_IMPL_H
#define CRLPRESS_WORK_IMPL_H

#include <pthread.h>

#include "crlpress/database.h"
#include "crlpress/work.h"

/* A bigint as a parameter. */
#define WORK_NUMBER_BYTES 24

struct work {
	struct work_config config;
	struct report *report;
	uint64_t run;
	uint64_t worker;
	bool is_opener;
	struct work_run facts;
	/* The same as parameters of statements. */
	char run_text[WORK_NUMBER_BYTES];
	char worker_text[WORK_NUMBER_BYTES];
	char lease_text[WORK_NUMBER_BYTES];

	pthread_mutex_t mutex; /* of the connection */
	struct database *database;
	bool has_mutex;
	bool is_beating;
	pthread_t beater;
	pthread_mutex_t stop_mutex;
	pthread_cond_t stop;
	bool stopped;
};

/* A statement with parameters. */
struct work_query {
	const char *sql;
	const char *const *parameter;
	int count;
};

/* What a statement that changes something begins with: the worker's own row,
 * by the parameters $1 to $3. */
#define WORK_ME                                                        \
	"WITH me AS (UPDATE crlpress.work_worker SET until ="          \
	" clock_timestamp() + make_interval(secs => $3::float8)"       \
	" WHERE worker = $2::bigint AND run = $1::bigint AND NOT lost" \
	" RETURNING worker)"
#define WORK_ME_PARAMETERS work->run_text, work->worker_text, work->lease_text
#define WORK_ME_COUNT 3

/* work.c: a statement that must change so many rows; STATUS_CONFLICT, not
 * reported, when it did not, since the lease is lost. */
enum status work_change(
    struct work *work, const struct work_query *query, size_t want) MUST_CHECK;

/* work_db.c: the connection. */
enum status work_connect(struct work *work, struct report *report) MUST_CHECK;
/* Asks once, within a transaction perhaps. */
enum status work_ask_once(struct work *work, struct report *report,
    const struct work_query *query, struct database_answer **answer) MUST_CHECK;
/* Asks until there is an answer, for as long as that makes sense. Threads may
 * call it. */
enum status work_ask(struct work *work, const struct work_query *query,
    struct database_answer **answer) MUST_CHECK;
/* Renews the lease every now and then, until work_beat_stop. */
enum status work_beat_start(struct work *work) MUST_CHECK;
void work_beat_stop(struct work *work);

/* NULL reads as 0, and `*is_null` (which may be NULL) says so. */
int64_t work_integer(
    const struct database_answer *answer, int row, int column, bool *is_null);
enum status work_read_number(const struct database_answer *answer, int row,
    int column, struct uint160 *number) MUST_CHECK;
enum status work_no_memory(const struct work *work);

#endif
