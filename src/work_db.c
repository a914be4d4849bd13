/* SPDX-License-Identifier: ISC */
/*
 * The connection to the tables of a shared run: one, which the thread that
 * renews the lease has part in. It may break, and the server may be started
 * anew; what is asked is asked again then, as every statement may be.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "work_impl.h"

/* As often as a lease is renewed while it lasts. */
#define BEATS 4

/* Leases that may pass without an answer before it is given up; and no less
 * time than a server needs to be started anew. */
#define LEASES_MOST 3
#define ANSWER_SEC_LEAST 60

/* Between two tries of one statement. */
#define RETRY_MSEC 200

#define OBJECT "shared run"
#define RULE "share"

static const char settings[] =
    "SET default_transaction_isolation = 'read committed';"
    "SET default_transaction_read_only = off;"
    "SET client_min_messages = warning;"
    /* A number that was given out is not given out again. */
    "SET synchronous_commit = on";

enum status
work_no_memory(const struct work *work)
{
	return report_fault(work->report, STATUS_NO_MEMORY, work->config.issuer,
	    RULE, NULL, "out of memory");
}

enum status
work_connect(struct work *work, struct report *report)
{
	struct database_config config = {
	    .conninfo = work->config.conninfo,
	    .key = work->config.conninfo_key,
	    .file = work->config.file,
	    .absent_hint =
		"sharding-config/work.sql makes the tables that hosts share a "
		"run by (docs/hosts.md); without them, publish without --share",
	    .connect_timeout_sec = work->config.connect_timeout_sec,
	    .statement_timeout_sec = work->config.lease_sec,
	    .denied_hint = "GRANT crlpress_worker TO the role",
	};
	struct database_query query = {OBJECT, RULE, NULL};
	char sql[sizeof(settings) + 128];
	enum status status;

	/* Whoever is stopped while it enters must not keep others out. */
	snprintf(sql, sizeof(sql),
	    "%s; SET statement_timeout = %" PRId64
	    "; SET idle_in_transaction_session_timeout = %" PRId64,
	    settings, work->config.lease_sec * 1000,
	    work->config.lease_sec * 1000 / 2);
	query.sql = sql;
	status = database_open(&config, report, &work->database);
	if (status == STATUS_OK)
		status = database_execute(work->database, &query);
	if (status != STATUS_OK) {
		database_close(work->database);
		work->database = NULL;
	}
	return status;
}

enum status
work_ask_once(struct work *work, struct report *report,
    const struct work_query *query, struct database_answer **answer)
{
	const struct database_query ask = {OBJECT, RULE, query->sql};
	enum status status = STATUS_OK;

	*answer = NULL;
	if (work->database == NULL)
		status = work_connect(work, report);
	if (status == STATUS_OK)
		status = database_ask_with(work->database, &ask,
		    query->parameter, query->count, answer);
	return status;
}

/* One try, told to nobody: the report goes with the connection. */
static enum status
ask_quietly(struct work *work, const struct work_query *query,
    struct database_answer **answer, struct report *told)
{
	struct report *quiet = report_new(NULL, SEVERITY_NOTE);
	enum status status = STATUS_NO_MEMORY;

	if (quiet == NULL)
		return status;
	if (work->database != NULL)
		database_report_to(work->database, quiet);
	status = work_ask_once(work, quiet, query, answer);
	if (status == STATUS_OK) {
		database_report_to(work->database, work->report);
	} else {
		database_close(work->database);
		work->database = NULL;
		if (told != NULL)
			report_replay(quiet, told);
	}
	report_free(quiet);
	return status;
}

enum status
work_ask(struct work *work, const struct work_query *query,
    struct database_answer **answer)
{
	const struct timespec pause = {.tv_nsec = RETRY_MSEC * 1000000L};
	int64_t most_sec = work->config.lease_sec * LEASES_MOST;
	int64_t end_ms = work->config.monotonic_ms();
	enum status status;
	bool last = false;

	if (most_sec < ANSWER_SEC_LEAST)
		most_sec = ANSWER_SEC_LEAST;
	end_ms += most_sec * 1000;
	do {
		last = work->config.monotonic_ms() >= end_ms;
		pthread_mutex_lock(&work->mutex);
		status = ask_quietly(
		    work, query, answer, last ? work->report : NULL);
		pthread_mutex_unlock(&work->mutex);
		if (status != STATUS_OK && !last)
			nanosleep(&pause, NULL);
	} while (status != STATUS_OK && !last);
	return status;
}

/* Once; who is lost stays so, and finds out when it asks. */
static void
beat(struct work *work)
{
	const char *const parameter[] = {work->worker_text, work->lease_text};
	const struct work_query query = {
	    "UPDATE crlpress.work_worker SET until = clock_timestamp() +"
	    " make_interval(secs => $2::float8)"
	    " WHERE worker = $1::bigint AND NOT lost RETURNING 1",
	    parameter, 2};
	struct database_answer *answer = NULL;

	pthread_mutex_lock(&work->mutex);
	if (ask_quietly(work, &query, &answer, NULL) == STATUS_OK)
		database_answer_free(answer);
	pthread_mutex_unlock(&work->mutex);
}

static void *
beat_on(void *context)
{
	struct work *work = context;
	int64_t period_ms = work->config.lease_sec * 1000 / BEATS;
	struct timespec until;

	pthread_mutex_lock(&work->stop_mutex);
	while (!work->stopped) {
		clock_gettime(CLOCK_MONOTONIC, &until);
		until.tv_sec += (time_t)(period_ms / 1000);
		until.tv_nsec += (long)(period_ms % 1000) * 1000000L;
		until.tv_sec += until.tv_nsec / 1000000000L;
		until.tv_nsec %= 1000000000L;
		(void)pthread_cond_timedwait(
		    &work->stop, &work->stop_mutex, &until);
		if (work->stopped)
			break;
		pthread_mutex_unlock(&work->stop_mutex);
		beat(work);
		pthread_mutex_lock(&work->stop_mutex);
	}
	pthread_mutex_unlock(&work->stop_mutex);
	return NULL;
}

enum status
work_beat_start(struct work *work)
{
	pthread_condattr_t monotonic;

	if (pthread_mutex_init(&work->mutex, NULL) != 0)
		return work_no_memory(work);
	work->has_mutex = true;
	if (pthread_condattr_init(&monotonic) != 0)
		return work_no_memory(work);
	(void)pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	if (pthread_mutex_init(&work->stop_mutex, NULL) == 0 &&
	    pthread_cond_init(&work->stop, &monotonic) == 0 &&
	    pthread_create(&work->beater, NULL, beat_on, work) == 0)
		work->is_beating = true;
	pthread_condattr_destroy(&monotonic);
	return work->is_beating ? STATUS_OK : work_no_memory(work);
}

void
work_beat_stop(struct work *work)
{
	if (!work->is_beating)
		return;
	pthread_mutex_lock(&work->stop_mutex);
	work->stopped = true;
	pthread_cond_signal(&work->stop);
	pthread_mutex_unlock(&work->stop_mutex);
	(void)pthread_join(work->beater, NULL);
	work->is_beating = false;
}

int64_t
work_integer(
    const struct database_answer *answer, int row, int column, bool *is_null)
{
	uint64_t value = 0;
	bool has = database_answer_integer(answer, row, column, 8, &value);

	if (is_null != NULL)
		*is_null = !has;
	return (int64_t)value;
}

enum status
work_read_number(const struct database_answer *answer, int row, int column,
    struct uint160 *number)
{
	char text[UINT160_DECIMAL_BYTES + 1];
	const char *why = NULL;

	database_answer_text(answer, row, column, text, sizeof(text));
	return uint160_from_decimal(number, text, strlen(text), &why);
}
