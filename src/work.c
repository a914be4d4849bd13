/* SPDX-License-Identifier: ISC */
/*
 * The statements of a shared run; docs/hosts.md says what each has to keep.
 * Those that change something begin with the worker's own row: its lease is
 * renewed, or it is lost and nothing is changed.
 */
#include "crlpress/work.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "work_column.h"
#include "work_impl.h"

static const char *const state_names[] = {
    [WORK_OPEN] = "open",
    [WORK_LEASED] = "leased",
    [WORK_MADE] = "made",
    [WORK_PUBLISHED] = "published",
    [WORK_WITHHELD] = "withheld",
    [WORK_FAILED] = "failed",
};

/* A statement that must have changed so many rows: else the lease is lost. */
enum status
work_change(struct work *work, const struct work_query *query, size_t want)
{
	struct database_answer *answer = NULL;
	enum status status = work_ask(work, query, &answer);
	size_t have = 0;

	if (status == STATUS_OK)
		have = (size_t)database_answer_rows(answer);
	database_answer_free(answer);
	if (status != STATUS_OK)
		return status;
	return have == want ? STATUS_OK : STATUS_CONFLICT;
}

/* What it changes, if anything, is to be seen when one looks. */
static enum status
tell(struct work *work, const struct work_query *query)
{
	struct database_answer *answer = NULL;
	enum status status = work_ask(work, query, &answer);

	database_answer_free(answer);
	return status;
}

uint64_t
work_id(const struct work *work)
{
	return work->run;
}

bool
work_is_opener(const struct work *work)
{
	return work->is_opener;
}

const struct work_run *
work_facts(const struct work *work)
{
	return &work->facts;
}

enum status
work_clock(struct work *work, int64_t *now_sec)
{
	const struct work_query query = {
	    "SELECT extract(epoch FROM clock_timestamp())::bigint", NULL, 0};
	struct database_answer *answer = NULL;
	enum status status = work_ask(work, &query, &answer);

	*now_sec = 0;
	if (status == STATUS_OK)
		*now_sec = work_integer(answer, 0, 0, NULL);
	database_answer_free(answer);
	return status;
}

#define SHARE_COLUMNS 6

static enum status
share(struct work *work, const struct work_run *run,
    const struct work_column *columns, size_t count)
{
	char number[2][WORK_NUMBER_BYTES];
	const char *const parameter[] = {WORK_ME_PARAMETERS, run->snapshot.text,
	    number[0], number[1], columns[0].text, columns[1].text,
	    columns[2].text, columns[3].text, columns[4].text, columns[5].text};
	const struct work_query query = {WORK_ME
	    ", opened AS (UPDATE crlpress.work_run AS r SET state = 'making',"
	    "  snapshot = $4, this_update = $5::bigint,"
	    "  lookback = $6::bigint FROM me WHERE r.run = $1::bigint"
	    "  AND r.opener = me.worker AND r.state = 'opening'"
	    "  RETURNING r.run)"
	    " INSERT INTO crlpress.work_shard"
	    " (run, shard, state, rows, deferred, standing, gates)"
	    " SELECT opened.run, u.* FROM opened, unnest($7::bigint[],"
	    "  $8::text[], $9::bigint[], $10::bigint[], $11::text[],"
	    "  $12::bigint[]) AS u RETURNING 1",
	    parameter, WORK_ME_COUNT + 3 + SHARE_COLUMNS};

	snprintf(
	    number[0], sizeof(number[0]), "%" PRId64, run->this_update_sec);
	snprintf(number[1], sizeof(number[1]), "%" PRId64, run->lookback_sec);
	return work_change(work, &query, count);
}

enum status
work_share(struct work *work, const struct work_run *run,
    const struct work_shard *shards, size_t count)
{
	struct work_column columns[SHARE_COLUMNS];
	enum status status;
	bool ok = work_columns_open(columns, SHARE_COLUMNS);

	for (size_t i = 0; ok && i < count; i++) {
		work_column_count(&columns[0], i, shards[i].shard);
		work_column_text(&columns[1], i, state_names[shards[i].state]);
		work_column_count(&columns[2], i, shards[i].rows);
		work_column_count(&columns[3], i, shards[i].deferred);
		work_column_text(&columns[4], i,
		    shards[i].standing[0] != '\0' ? shards[i].standing
						  : "\"\"");
		work_column_count(&columns[5], i, shards[i].gates);
	}
	status = ok && work_columns_close(columns, SHARE_COLUMNS)
		     ? share(work, run, columns, count)
		     : work_no_memory(work);
	work_columns_free(columns, SHARE_COLUMNS);
	if (status == STATUS_OK)
		work->facts = *run;
	return status;
}

enum status
work_number(
    struct work *work, const struct uint160 *least, struct uint160 *number)
{
	char text[UINT160_DECIMAL_BYTES];
	const char *const parameter[] = {
	    work->config.issuer, uint160_to_decimal(least, text)};
	const struct work_query query = {
	    "UPDATE crlpress.work_issuer SET number ="
	    " greatest(number + 1, $2::numeric)"
	    " WHERE issuer = $1 RETURNING number::text",
	    parameter, 2};
	struct database_answer *answer = NULL;
	enum status status = work_ask(work, &query, &answer);

	if (status != STATUS_OK)
		return status;
	/* BR 7.2.2: below 2^159. */
	if (database_answer_rows(answer) != 1 ||
	    work_read_number(answer, 0, 0, number) != STATUS_OK)
		status = report_fault(work->report, STATUS_REFUSED,
		    "crlpress.work_issuer", "number", "BR 7.2.2",
		    "no number below 2^159 for issuer %s", work->config.issuer);
	database_answer_free(answer);
	return status;
}

/* Whose lease has passed loses what it has; of itself no worker says so. */
static enum status
reap(struct work *work)
{
	const char *const parameter[] = {work->run_text, work->worker_text};
	const struct work_query query = {
	    "WITH dead AS (UPDATE crlpress.work_worker SET lost = true"
	    "  WHERE run = $1::bigint AND NOT lost"
	    "  AND worker <> $2::bigint"
	    "  AND until < clock_timestamp() RETURNING worker)"
	    " UPDATE crlpress.work_shard SET state = 'open', worker = NULL"
	    " WHERE run = $1::bigint AND state IN ('leased', 'made')"
	    " AND worker IN (SELECT worker FROM dead UNION ALL"
	    "  SELECT worker FROM crlpress.work_worker"
	    "  WHERE run = $1::bigint AND lost)"
	    " RETURNING 1",
	    parameter, 2};

	return tell(work, &query);
}

static enum work_phase
phase_of(const char *state)
{
	static const struct {
		const char *name;
		enum work_phase phase;
	} phases[] = {
	    {"opening", WORK_OPENING},
	    {"making", WORK_MAKING},
	    {"putting", WORK_PUTTING},
	    {"closing", WORK_CLOSING},
	};

	for (size_t i = 0; i < sizeof(phases) / sizeof(phases[0]); i++)
		if (strcmp(phases[i].name, state) == 0)
			return phases[i].phase;
	return WORK_ENDED;
}

enum status
work_look(struct work *work, struct work_view *view)
{
	static const char sql[] =
	    "SELECT r.state, (SELECT count(*) FROM crlpress.work_worker AS w"
	    "  WHERE w.worker = $2::bigint AND NOT w.lost),"
	    " count(*) FILTER (WHERE s.state = 'open'),"
	    " count(*) FILTER (WHERE s.state = 'leased'),"
	    " count(*) FILTER (WHERE s.state = 'made'),"
	    " count(*) FILTER (WHERE s.state = 'made'"
	    "  AND s.worker = $2::bigint),"
	    " (SELECT count(*) FROM crlpress.work_worker AS w"
	    "  WHERE w.run = $1::bigint AND NOT w.lost AND w.can_make"
	    "  AND w.until >= clock_timestamp()),"
	    " coalesce(sum(s.entries_before)"
	    "  FILTER (WHERE s.state = 'made'), 0)::bigint,"
	    " coalesce(sum(s.entries_now)"
	    "  FILTER (WHERE s.state = 'made'), 0)::bigint"
	    " FROM crlpress.work_run AS r LEFT JOIN crlpress.work_shard AS s"
	    " USING (run) WHERE r.run = $1::bigint GROUP BY r.run";
	const char *const parameter[] = {work->run_text, work->worker_text};
	const struct work_query query = {sql, parameter, 2};
	struct database_answer *answer = NULL;
	enum status status = reap(work);
	char state[16];

	*view = (struct work_view){.phase = WORK_ENDED, .lost = true};
	if (status == STATUS_OK)
		status = work_ask(work, &query, &answer);
	if (status != STATUS_OK || database_answer_rows(answer) == 0) {
		database_answer_free(answer);
		return status;
	}
	database_answer_text(answer, 0, 0, state, sizeof(state));
	view->phase = phase_of(state);
	view->refused = strcmp(state, "refused") == 0;
	view->lost = work_integer(answer, 0, 1, NULL) == 0;
	view->open = (uint64_t)work_integer(answer, 0, 2, NULL);
	view->leased = (uint64_t)work_integer(answer, 0, 3, NULL);
	view->made = (uint64_t)work_integer(answer, 0, 4, NULL);
	view->mine = (uint64_t)work_integer(answer, 0, 5, NULL);
	view->makers = (uint64_t)work_integer(answer, 0, 6, NULL);
	view->before = (uint64_t)work_integer(answer, 0, 7, NULL);
	view->now = (uint64_t)work_integer(answer, 0, 8, NULL);
	database_answer_free(answer);
	return STATUS_OK;
}

/* Those that it has already come first, and count: an answer may have been
 * lost, and what it was leased beyond `room` nobody would make. */
enum status
work_lease(
    struct work *work, struct work_shard *shards, size_t room, size_t *count)
{
	char most[WORK_NUMBER_BYTES];
	const char *const parameter[] = {WORK_ME_PARAMETERS, most};
	const struct work_query query = {WORK_ME
	    ", free AS (SELECT s.shard FROM crlpress.work_shard AS s"
	    "  WHERE s.run = $1::bigint AND s.state = 'open'"
	    "  ORDER BY s.shard LIMIT greatest(0, $4::bigint - (SELECT count(*)"
	    "   FROM crlpress.work_shard AS l WHERE l.run = $1::bigint"
	    "   AND l.worker = $2::bigint AND l.state = 'leased'))"
	    "  FOR UPDATE SKIP LOCKED),"
	    " taken AS (UPDATE crlpress.work_shard AS s"
	    "  SET state = 'leased', worker = me.worker FROM me, free"
	    "  WHERE s.run = $1::bigint AND s.shard = free.shard"
	    "  RETURNING s.shard, s.rows, s.standing)"
	    " SELECT s.shard, s.rows, s.standing FROM me,"
	    "  crlpress.work_shard AS s WHERE s.run = $1::bigint"
	    "  AND s.worker = me.worker AND s.state = 'leased'"
	    " UNION ALL SELECT shard, rows, standing FROM taken"
	    " LIMIT $4::bigint",
	    parameter, WORK_ME_COUNT + 1};
	struct database_answer *answer = NULL;
	enum status status;

	*count = 0;
	snprintf(most, sizeof(most), "%zu", room);
	status = work_ask(work, &query, &answer);
	if (status != STATUS_OK)
		return status;
	for (; (int)*count < database_answer_rows(answer); ++*count) {
		int row = (int)*count;

		shards[row] = (struct work_shard){.state = WORK_LEASED};
		shards[row].shard =
		    (uint32_t)work_integer(answer, row, 0, NULL);
		shards[row].rows = (uint64_t)work_integer(answer, row, 1, NULL);
		database_answer_text(answer, row, 2, shards[row].standing,
		    sizeof(shards[row].standing));
	}
	database_answer_free(answer);
	return STATUS_OK;
}

enum status
work_stop_making(struct work *work)
{
	const char *const parameter[] = {work->run_text, work->worker_text};
	const struct work_query query = {
	    "WITH me AS (UPDATE crlpress.work_worker SET can_make = false"
	    "  WHERE worker = $2::bigint AND NOT lost RETURNING worker)"
	    " UPDATE crlpress.work_shard AS s SET state = 'open',"
	    " worker = NULL FROM me WHERE s.run = $1::bigint"
	    " AND s.worker = me.worker AND s.state = 'leased' RETURNING 1",
	    parameter, 2};

	return tell(work, &query);
}

#define REPORT_COLUMNS 12

/* A count, if it was counted. */
static void
report_count_of(struct work_column *column, size_t row,
    const struct work_shard *shard, uint64_t count)
{
	if (shard->is_counted)
		work_column_count(column, row, count);
	else
		work_column_text(column, row, "NULL");
}

static void
report_row(
    struct work_column *columns, size_t row, const struct work_shard *shard)
{
	char number[UINT160_DECIMAL_BYTES];

	work_column_count(&columns[0], row, shard->shard);
	work_column_text(&columns[1], row, state_names[shard->state]);
	work_column_text(&columns[2], row,
	    shard->state == WORK_PUBLISHED
		? uint160_to_decimal(&shard->number, number)
		: "NULL");
	work_column_count(&columns[3], row, shard->gates);
	report_count_of(&columns[4], row, shard, shard->rows);
	report_count_of(&columns[5], row, shard, shard->deferred);
	report_count_of(&columns[6], row, shard, shard->before);
	report_count_of(&columns[7], row, shard, shard->now);
	report_count_of(&columns[8], row, shard, shard->listed);
	report_count_of(&columns[9], row, shard, shard->duplicate);
	report_count_of(&columns[10], row, shard, shard->expired);
	report_count_of(&columns[11], row, shard, shard->gone);
}

/* What is not counted anew stays as it was; so does what was reported before,
 * for the answer may have been lost. */
static enum status
report_rows(struct work *work, const struct work_column *columns, size_t count)
{
	const char *const parameter[] = {WORK_ME_PARAMETERS, columns[0].text,
	    columns[1].text, columns[2].text, columns[3].text, columns[4].text,
	    columns[5].text, columns[6].text, columns[7].text, columns[8].text,
	    columns[9].text, columns[10].text, columns[11].text};
	const struct work_query query = {WORK_ME
	    " UPDATE crlpress.work_shard AS s SET state = u.state,"
	    " worker = CASE WHEN u.state <> 'open' THEN me.worker END,"
	    " number = u.number, gates = u.gates,"
	    " rows = coalesce(u.n_rows, s.rows),"
	    " deferred = coalesce(u.n_deferred, s.deferred),"
	    " entries_before = coalesce(u.n_before, s.entries_before),"
	    " entries_now = coalesce(u.n_now, s.entries_now),"
	    " listed = coalesce(u.n_listed, s.listed),"
	    " duplicate = coalesce(u.n_duplicate, s.duplicate),"
	    " expired = coalesce(u.n_expired, s.expired),"
	    " gone = coalesce(u.n_gone, s.gone)"
	    " FROM me, unnest($4::bigint[], $5::text[], $6::numeric[],"
	    "  $7::bigint[], $8::bigint[], $9::bigint[], $10::bigint[],"
	    "  $11::bigint[], $12::bigint[], $13::bigint[], $14::bigint[],"
	    "  $15::bigint[]) AS u (shard, state, number, gates, n_rows,"
	    "  n_deferred, n_before, n_now, n_listed, n_duplicate,"
	    "  n_expired, n_gone)"
	    " WHERE s.run = $1::bigint AND s.shard = u.shard"
	    " AND (s.worker = me.worker"
	    "  OR (u.state = 'open' AND s.worker IS NULL)) RETURNING 1",
	    parameter, WORK_ME_COUNT + REPORT_COLUMNS};

	return work_change(work, &query, count);
}

enum status
work_report(struct work *work, const struct work_shard *shards, size_t count)
{
	struct work_column columns[REPORT_COLUMNS];
	enum status status;
	bool ok;

	if (count == 0)
		return STATUS_OK;
	ok = work_columns_open(columns, REPORT_COLUMNS);
	for (size_t i = 0; ok && i < count; i++)
		report_row(columns, i, &shards[i]);
	status = ok && work_columns_close(columns, REPORT_COLUMNS)
		     ? report_rows(work, columns, count)
		     : work_no_memory(work);
	work_columns_free(columns, REPORT_COLUMNS);
	return status;
}

/* Another may have said it before; it saw the same sums. */
enum status
work_judge(struct work *work, bool pass)
{
	const char *const parameter[] = {
	    work->run_text, pass ? "putting" : "refused"};
	const struct work_query query = {
	    "UPDATE crlpress.work_run SET state = $2, ended_at ="
	    " CASE WHEN $2 = 'refused' THEN clock_timestamp() END"
	    " WHERE run = $1::bigint AND state = 'making' RETURNING 1",
	    parameter, 2};

	return tell(work, &query);
}

enum status
work_give_up_open(struct work *work)
{
	const char *const parameter[] = {work->run_text};
	const struct work_query query = {
	    "UPDATE crlpress.work_shard AS s SET state = 'failed'"
	    " WHERE s.run = $1::bigint AND s.state = 'open'"
	    " AND NOT EXISTS (SELECT FROM crlpress.work_worker AS w"
	    "  WHERE w.run = s.run AND NOT w.lost AND w.can_make"
	    "  AND w.until >= clock_timestamp()) RETURNING 1",
	    parameter, 1};

	return tell(work, &query);
}
