/* SPDX-License-Identifier: ISC */
/*
 * What the tables know of the store: which number was put there for each
 * shard, by this run and those before it, and what its opener saw.
 */
#include <inttypes.h>
#include <stdlib.h>

#include "work_column.h"
#include "work_impl.h"

static enum status
read_known(struct work *work, const struct database_answer *answer,
    struct work_known *known)
{
	for (int row = 0; row < database_answer_rows(answer); row++) {
		bool is_null;

		known[row].shard = (uint32_t)work_integer(answer, row, 0, NULL);
		known[row].this_update_sec =
		    work_integer(answer, row, 3, &is_null);
		known[row].may_be_anew = !is_null;
		database_answer_text(
		    answer, row, 2, known[row].host, sizeof(known[row].host));
		if (work_read_number(answer, row, 1, &known[row].number) !=
		    STATUS_OK)
			return report_fault(work->report, STATUS_FAILED,
			    "crlpress.work_shard", "share", NULL,
			    "no CRL number where one was written");
	}
	return STATUS_OK;
}

enum status
work_known(struct work *work, struct work_known **known, size_t *count)
{
	static const char sql[] =
	    "WITH told AS ("
	    " SELECT s.shard, s.number, s.worker, s.run = $1::bigint AS here,"
	    "  a.this_update FROM crlpress.work_shard AS s"
	    "  JOIN crlpress.work_run AS r USING (run)"
	    "  LEFT JOIN crlpress.work_attempt AS a USING (run, shard, number)"
	    "  WHERE r.issuer = $2 AND s.state = 'published'"
	    "  AND s.number IS NOT NULL"
	    " UNION ALL"
	    " SELECT s.shard, nullif(s.standing, '')::numeric, r.opener, true,"
	    "  NULL FROM crlpress.work_shard AS s"
	    "  JOIN crlpress.work_run AS r USING (run)"
	    "  WHERE s.run = $1::bigint AND s.standing <> '')"
	    " SELECT DISTINCT ON (t.shard) t.shard, t.number::text,"
	    "  coalesce(w.host, 'another host'),"
	    "  CASE WHEN NOT t.here THEN t.this_update END FROM told AS t"
	    "  LEFT JOIN crlpress.work_worker AS w USING (worker)"
	    "  ORDER BY t.shard, t.here DESC, t.number DESC";
	const char *const parameter[] = {work->run_text, work->config.issuer};
	const struct work_query query = {sql, parameter, 2};
	struct database_answer *answer = NULL;
	enum status status = work_ask(work, &query, &answer);

	*known = NULL;
	*count = 0;
	if (status != STATUS_OK)
		return status;
	*known =
	    calloc((size_t)database_answer_rows(answer) + 1, sizeof(**known));
	status = *known == NULL ? work_no_memory(work)
				: read_known(work, answer, *known);
	if (status == STATUS_OK)
		*count = (size_t)database_answer_rows(answer);
	database_answer_free(answer);
	return status;
}

/* Written once more it stays what it is: the answer may have been lost. */
static enum status
deny(struct work *work, const char *shards, size_t count)
{
	const char *const parameter[] = {WORK_ME_PARAMETERS, shards};
	const struct work_query query = {WORK_ME
	    " UPDATE crlpress.work_shard AS s SET state = 'failed',"
	    " number = NULL FROM me, crlpress.work_run AS r"
	    " WHERE s.run = $1::bigint AND r.run = s.run"
	    " AND r.closer = me.worker AND s.shard = ANY ($4::bigint[])"
	    " RETURNING 1",
	    parameter, WORK_ME_COUNT + 1};

	return work_change(work, &query, count);
}

enum status
work_deny(struct work *work, const uint32_t *shards, size_t count)
{
	struct work_column column;
	bool ok = work_columns_open(&column, 1);
	enum status status;

	for (size_t i = 0; ok && i < count; i++)
		work_column_count(&column, i, shards[i]);
	ok = ok && work_columns_close(&column, 1);
	status = ok ? deny(work, column.text, count) : work_no_memory(work);
	work_columns_free(&column, 1);
	return status;
}
