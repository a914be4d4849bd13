/* SPDX-License-Identifier: ISC */
/*
 * How a host comes into a shared run, and leaves it: docs/hosts.md, "Entering".
 * The row of the issuer is locked for as long as that takes to decide, so that
 * of two hosts one opens a run and the other joins it.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "work_impl.h"

#define RULE "share"

/* How often a run that is being opened is looked at. */
#define OPENING_MSEC 250

/* Older runs are of no use to anybody. */
#define KEEP_SQL "interval '30 days'"

/* The last run of an issuer. */
struct last_run {
	bool exists;
	bool ended;
	bool opening;
	bool done; /* every shard was published, or was not to be */
	bool same; /* of the same configuration */
	uint64_t run;
	int64_t age_sec; /* since it ended */
	uint64_t alive;  /* workers */
	uint64_t opener; /* 0, or 1: alive */
	uint64_t unpublished;
	char host[256];
};

enum decision { DECIDED_OPEN, DECIDED_JOIN, DECIDED_WAIT };

static enum status
execute(struct work *work, const char *sql)
{
	const struct database_query query = {"shared run", RULE, sql};

	return database_execute(work->database, &query);
}

/* A statement whose answer does not matter, or that it has one. */
static enum status
tell(struct work *work, const struct work_query *query, int *rows)
{
	struct database_answer *answer = NULL;
	enum status status = work_ask_once(work, work->report, query, &answer);

	if (rows != NULL)
		*rows = status == STATUS_OK ? database_answer_rows(answer) : 0;
	database_answer_free(answer);
	return status;
}

static enum status
lock_issuer(struct work *work)
{
	const char *const parameter[] = {work->config.issuer};
	const struct work_query make = {
	    "INSERT INTO crlpress.work_issuer (issuer) VALUES ($1)"
	    " ON CONFLICT DO NOTHING RETURNING 1",
	    parameter, 1};
	const struct work_query lock = {
	    "SELECT 1 FROM crlpress.work_issuer WHERE issuer = $1 FOR UPDATE",
	    parameter, 1};
	enum status status = tell(work, &make, NULL);

	return status == STATUS_OK ? tell(work, &lock, NULL) : status;
}

static enum status
read_last(struct work *work, struct last_run *last)
{
	static const char sql[] =
	    "SELECT r.run, (r.ended_at IS NOT NULL)::int::bigint,"
	    " (r.state = 'opening')::int::bigint,"
	    " (r.state = 'done')::int::bigint,"
	    " (r.configuration = $2)::int::bigint,"
	    " extract(epoch FROM clock_timestamp() - r.ended_at)::bigint,"
	    " (SELECT count(*) FROM crlpress.work_worker AS w"
	    "  WHERE w.run = r.run AND NOT w.lost"
	    "  AND w.until >= clock_timestamp()),"
	    " (SELECT count(*) FROM crlpress.work_worker AS w"
	    "  WHERE w.worker = r.opener AND NOT w.lost"
	    "  AND w.until >= clock_timestamp()),"
	    " (SELECT count(*) FROM crlpress.work_shard AS s"
	    "  WHERE s.run = r.run AND s.state <> 'published'),"
	    " coalesce(r.this_update, 0), coalesce(r.lookback, 0),"
	    " r.snapshot,"
	    " (SELECT w.host FROM crlpress.work_worker AS w"
	    "  WHERE w.worker = r.opener)"
	    " FROM crlpress.work_run AS r WHERE r.issuer = $1"
	    " ORDER BY r.run DESC LIMIT 1";
	const char *const parameter[] = {
	    work->config.issuer, work->config.configuration};
	const struct work_query query = {sql, parameter, 2};
	struct database_answer *answer = NULL;
	struct work_run *facts = &work->facts;
	enum status status = work_ask_once(work, work->report, &query, &answer);
	bool no_age = true;

	*last = (struct last_run){.exists = false};
	if (status != STATUS_OK || database_answer_rows(answer) == 0) {
		database_answer_free(answer);
		return status;
	}
	last->exists = true;
	last->run = (uint64_t)work_integer(answer, 0, 0, NULL);
	last->ended = work_integer(answer, 0, 1, NULL) != 0;
	last->opening = work_integer(answer, 0, 2, NULL) != 0;
	last->done = work_integer(answer, 0, 3, NULL) != 0;
	last->same = work_integer(answer, 0, 4, NULL) != 0;
	last->age_sec = work_integer(answer, 0, 5, &no_age);
	last->alive = (uint64_t)work_integer(answer, 0, 6, NULL);
	last->opener = (uint64_t)work_integer(answer, 0, 7, NULL);
	last->unpublished = (uint64_t)work_integer(answer, 0, 8, NULL);
	facts->this_update_sec = work_integer(answer, 0, 9, NULL);
	facts->lookback_sec = work_integer(answer, 0, 10, NULL);
	database_answer_text(
	    answer, 0, 11, facts->snapshot.text, sizeof(facts->snapshot.text));
	database_answer_text(answer, 0, 12, last->host, sizeof(last->host));
	database_answer_free(answer);
	return STATUS_OK;
}

/* A run of which nobody is left: what it did not do is this one's to do. */
static enum status
abandon(struct work *work, const struct last_run *last)
{
	char run[WORK_NUMBER_BYTES];
	const char *const parameter[] = {run};
	const struct work_query query = {
	    "WITH ended AS (UPDATE crlpress.work_run SET state = 'abandoned',"
	    "  ended_at = clock_timestamp() WHERE run = $1::bigint"
	    "  AND ended_at IS NULL RETURNING run)"
	    " UPDATE crlpress.work_worker AS w SET lost = true FROM ended"
	    " WHERE w.run = ended.run RETURNING 1",
	    parameter, 1};

	snprintf(run, sizeof(run), "%" PRIu64, last->run);
	report_warn(work->report, work->config.issuer, RULE, "house rule",
	    "run %" PRIu64 " was left unfinished by %s, have %" PRIu64
	    " shards that it does not know to be published; they are this "
	    "run's",
	    last->run, last->host, last->unpublished);
	return tell(work, &query, NULL);
}

static enum status
become_worker(struct work *work)
{
	static const char sql[] =
	    "INSERT INTO crlpress.work_worker (run, host, until) VALUES"
	    " ($1::bigint, $2,"
	    "  clock_timestamp() + make_interval(secs => $3::float8))"
	    " RETURNING worker";
	const char *const parameter[] = {
	    work->run_text, work->config.host, work->lease_text};
	const struct work_query query = {sql, parameter, 3};
	struct database_answer *answer = NULL;
	enum status status;

	snprintf(work->run_text, sizeof(work->run_text), "%" PRIu64, work->run);
	status = work_ask_once(work, work->report, &query, &answer);
	if (status != STATUS_OK)
		return status;
	work->worker = (uint64_t)work_integer(answer, 0, 0, NULL);
	snprintf(work->worker_text, sizeof(work->worker_text), "%" PRIu64,
	    work->worker);
	database_answer_free(answer);
	return STATUS_OK;
}

static enum status
open_run(struct work *work)
{
	const char *const names[] = {
	    work->config.issuer, work->config.configuration};
	const char *const numbers[] = {work->run_text, work->worker_text};
	const struct work_query sweep = {
	    "DELETE FROM crlpress.work_run WHERE issuer = $1"
	    " AND ended_at < clock_timestamp() - " KEEP_SQL " RETURNING 1",
	    names, 1};
	const struct work_query insert = {
	    "INSERT INTO crlpress.work_run (issuer, configuration)"
	    " VALUES ($1, $2) RETURNING run",
	    names, 2};
	const struct work_query own = {
	    "UPDATE crlpress.work_run SET opener = $2::bigint"
	    " WHERE run = $1::bigint RETURNING 1",
	    numbers, 2};
	struct database_answer *answer = NULL;
	enum status status = tell(work, &sweep, NULL);

	if (status == STATUS_OK)
		status = work_ask_once(work, work->report, &insert, &answer);
	if (status == STATUS_OK)
		work->run = (uint64_t)work_integer(answer, 0, 0, NULL);
	database_answer_free(answer);
	work->is_opener = true;
	if (status == STATUS_OK)
		status = become_worker(work);
	return status == STATUS_OK ? tell(work, &own, NULL) : status;
}

static enum status
other_configuration(struct work *work, const struct last_run *last)
{
	report_fault(work->report, STATUS_REFUSED, work->config.issuer, RULE,
	    "house rule",
	    "%s shares run %" PRIu64 " with another configuration or version",
	    last->host, last->run);
	report_hint(work->report,
	    "shards, URLs, times, profile, statements, gates and store have "
	    "to be the same on every host: compare `crlpress check-config`");
	return STATUS_REFUSED;
}

static enum status
decide(struct work *work, enum decision *decision)
{
	struct last_run last;
	enum status status = lock_issuer(work);

	if (status == STATUS_OK)
		status = read_last(work, &last);
	if (status != STATUS_OK)
		return status;
	*decision = DECIDED_OPEN;
	if (last.exists && last.ended && last.done && last.same &&
	    last.unpublished == 0 && last.age_sec >= 0 &&
	    last.age_sec < work->config.fresh_sec) {
		if (!work->config.quiet)
			report_note(work->report, work->config.issuer,
			    "shared run %" PRIu64
			    " published every shard %" PRId64
			    " s ago: nothing to do",
			    last.run, last.age_sec);
		return STATUS_DONE;
	}
	if (last.exists && !last.ended) {
		if (last.opening && last.opener > 0)
			*decision = DECIDED_WAIT;
		else if (!last.opening && last.alive > 0)
			*decision = DECIDED_JOIN;
		else
			status = abandon(work, &last);
		if (status == STATUS_OK && *decision != DECIDED_OPEN &&
		    !last.same)
			return other_configuration(work, &last);
	}
	if (status == STATUS_OK && *decision == DECIDED_OPEN)
		return open_run(work);
	work->run = last.run;
	if (status == STATUS_OK && *decision == DECIDED_JOIN)
		status = become_worker(work);
	return status;
}

static enum status
enter_once(struct work *work, enum decision *decision)
{
	enum status status =
	    execute(work, "BEGIN ISOLATION LEVEL READ COMMITTED");

	if (status == STATUS_OK)
		status = decide(work, decision);
	if (status == STATUS_OK)
		return execute(work, "COMMIT");
	/* The connection goes, and what was begun with it. */
	return status;
}

/* Whoever opens one does not do so for ever: its lease passes. */
static enum status
enter(struct work *work)
{
	const struct timespec pause = {.tv_nsec = OPENING_MSEC * 1000000L};
	enum decision decision = DECIDED_WAIT;
	enum status status;
	bool waited = false;

	for (;;) {
		status = enter_once(work, &decision);
		if (status != STATUS_OK || decision != DECIDED_WAIT)
			return status;
		if (!waited && !work->config.quiet)
			report_note(work->report, work->config.issuer,
			    "shared run %" PRIu64
			    " is being opened by another host: waiting",
			    work->run);
		waited = true;
		nanosleep(&pause, NULL);
	}
}

enum status
work_enter(
    const struct work_config *config, struct report *report, struct work **out)
{
	struct work *work = calloc(1, sizeof(*work));
	enum status status;

	*out = NULL;
	if (work == NULL)
		return report_fault(report, STATUS_NO_MEMORY, config->issuer,
		    RULE, NULL, "out of memory");
	work->config = *config;
	work->report = report;
	snprintf(work->lease_text, sizeof(work->lease_text), "%" PRId64,
	    config->lease_sec);
	status = work_connect(work, report);
	if (status == STATUS_OK)
		status = enter(work);
	if (status == STATUS_OK)
		status = work_beat_start(work);
	if (status == STATUS_OK) {
		*out = work;
		return STATUS_OK;
	}
	work_close(work);
	return status;
}

/*
 * What this worker has is anybody's again; a run that it was opening is not
 * opened. Once only: where there is no answer, the lease passes.
 */
static void
leave(struct work *work)
{
	const char *const parameter[] = {work->run_text, work->worker_text};
	const struct work_query query = {
	    "WITH gone AS (UPDATE crlpress.work_worker SET lost = true"
	    "  WHERE worker = $2::bigint RETURNING worker),"
	    " ended AS (UPDATE crlpress.work_run AS r"
	    "  SET state = 'abandoned', ended_at = clock_timestamp()"
	    "  FROM gone WHERE r.run = $1::bigint AND r.opener = gone.worker"
	    "  AND r.state = 'opening' RETURNING 1)"
	    " UPDATE crlpress.work_shard AS s SET state = 'open',"
	    " worker = NULL FROM gone WHERE s.run = $1::bigint"
	    " AND s.worker = gone.worker AND s.state IN ('leased', 'made')"
	    " RETURNING 1",
	    parameter, 2};
	struct report *quiet = report_new(NULL, SEVERITY_NOTE);
	struct database_answer *answer = NULL;

	if (quiet != NULL && work->database != NULL) {
		database_report_to(work->database, quiet);
		if (work_ask_once(work, quiet, &query, &answer) == STATUS_OK)
			database_answer_free(answer);
		database_report_to(work->database, work->report);
	}
	report_free(quiet);
}

void
work_close(struct work *work)
{
	if (work == NULL)
		return;
	work_beat_stop(work);
	if (work->worker != 0 && work->has_mutex)
		leave(work);
	database_close(work->database);
	free(work);
}
