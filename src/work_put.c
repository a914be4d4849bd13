/* SPDX-License-Identifier: ISC */
/*
 * The end of a shared run: what is about to be put, written down before it is,
 * so that whoever takes over can tell this run's CRL from another's; and the
 * closing, which one worker does.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "work_column.h"
#include "work_impl.h"

#define ATTEMPT_COLUMNS 13

/* A number of manifest and shard that a bigint does not hold is no fault of
 * theirs to be told of. */
static void
attempt_row(
    struct work_column *columns, size_t row, const struct work_attempt *attempt)
{
	const struct manifest_shard *line = &attempt->line;
	char number[UINT160_DECIMAL_BYTES], hex[HASH_HEX_BYTES];
	char expiring[EXPIRING_TEXT_BYTES];

	work_column_count(&columns[0], row, line->index);
	work_column_text(
	    &columns[1], row, uint160_to_decimal(&line->number, number));
	work_column_integer(&columns[2], row, line->this_update_sec);
	work_column_integer(&columns[3], row, line->next_update_sec);
	work_column_count(&columns[4], row, line->size);
	work_column_text(&columns[5], row, hash_to_hex(&line->sha256, hex));
	work_column_count(&columns[6], row, line->entries);
	work_column_count(&columns[7], row, line->added);
	work_column_count(&columns[8], row, line->removed);
	work_column_count(&columns[9], row, line->leaving);
	if (attempt->has_replaced)
		work_column_integer(&columns[10], row, attempt->replaced_sec);
	else
		work_column_text(&columns[10], row, "NULL");
	if (line->has_settled)
		work_column_integer(&columns[11], row, line->settled_sec);
	else
		work_column_text(&columns[11], row, "NULL");
	work_column_text(&columns[12], row,
	    line->has_expiring ? expiring_to_text(&line->expiring, expiring)
			       : "NULL");
}

/* Written once more it stays what it is: the answer may have been lost. */
static enum status
attempt_rows(struct work *work, const struct work_column *columns, size_t count)
{
	const char *const parameter[] = {WORK_ME_PARAMETERS, columns[0].text,
	    columns[1].text, columns[2].text, columns[3].text, columns[4].text,
	    columns[5].text, columns[6].text, columns[7].text, columns[8].text,
	    columns[9].text, columns[10].text, columns[11].text,
	    columns[12].text};
	const struct work_query query = {WORK_ME
	    ", mine AS (SELECT s.shard FROM me, crlpress.work_shard AS s"
	    "  WHERE s.run = $1::bigint AND s.worker = me.worker"
	    "  AND s.state = 'made' AND s.shard = ANY ($4::bigint[])"
	    "  FOR UPDATE OF s)"
	    " INSERT INTO crlpress.work_attempt SELECT $1::bigint, u.*"
	    " FROM mine, unnest($4::bigint[], $5::numeric[], $6::bigint[],"
	    "  $7::bigint[], $8::bigint[], $9::text[], $10::bigint[],"
	    "  $11::bigint[], $12::bigint[], $13::bigint[], $14::bigint[],"
	    "  $15::bigint[], $16::text[]) AS u (shard)"
	    " WHERE u.shard = mine.shard"
	    " ON CONFLICT (run, shard, number) DO UPDATE"
	    " SET size = EXCLUDED.size RETURNING 1",
	    parameter, WORK_ME_COUNT + ATTEMPT_COLUMNS};

	return work_change(work, &query, count);
}

enum status
work_attempt(
    struct work *work, const struct work_attempt *attempts, size_t count)
{
	struct work_column columns[ATTEMPT_COLUMNS];
	enum status status;
	bool ok;

	if (count == 0)
		return STATUS_OK;
	ok = work_columns_open(columns, ATTEMPT_COLUMNS);
	for (size_t i = 0; ok && i < count; i++)
		attempt_row(columns, i, &attempts[i]);
	status = ok && work_columns_close(columns, ATTEMPT_COLUMNS)
		     ? attempt_rows(work, columns, count)
		     : work_no_memory(work);
	work_columns_free(columns, ATTEMPT_COLUMNS);
	return status;
}

enum status
work_was_attempted(struct work *work, uint32_t shard,
    const struct uint160 *number, const struct hash *sha256, bool *was)
{
	char index[WORK_NUMBER_BYTES], text[UINT160_DECIMAL_BYTES];
	char hex[HASH_HEX_BYTES];
	const char *const parameter[] = {work->run_text, index,
	    uint160_to_decimal(number, text), hash_to_hex(sha256, hex)};
	const struct work_query query = {
	    "SELECT 1 FROM crlpress.work_attempt WHERE run = $1::bigint"
	    " AND shard = $2::bigint AND number = $3::numeric"
	    " AND sha256 = $4",
	    parameter, 4};
	struct database_answer *answer = NULL;
	enum status status;

	*was = false;
	snprintf(index, sizeof(index), "%" PRIu32, shard);
	status = work_ask(work, &query, &answer);
	if (status == STATUS_OK)
		*was = database_answer_rows(answer) > 0;
	database_answer_free(answer);
	return status;
}

/* When all shards came to an end; or when who began it is lost. */
enum status
work_close_begin(struct work *work, bool *mine)
{
	const char *const parameter[] = {WORK_ME_PARAMETERS};
	const struct work_query query = {WORK_ME
	    " UPDATE crlpress.work_run AS r SET state = 'closing',"
	    " closer = me.worker FROM me WHERE r.run = $1::bigint AND ("
	    " (r.state = 'putting' AND NOT EXISTS ("
	    "   SELECT FROM crlpress.work_shard AS s WHERE s.run = r.run"
	    "   AND s.state IN ('open', 'leased', 'made')))"
	    " OR (r.state = 'closing' AND (r.closer = me.worker OR EXISTS ("
	    "   SELECT FROM crlpress.work_worker AS w"
	    "   WHERE w.worker = r.closer AND w.lost)))) RETURNING 1",
	    parameter, WORK_ME_COUNT};
	enum status status = work_change(work, &query, 1);

	*mine = status == STATUS_OK;
	return status == STATUS_CONFLICT ? STATUS_OK : status;
}

enum status
work_close_end(struct work *work)
{
	const char *const parameter[] = {WORK_ME_PARAMETERS};
	const struct work_query query = {WORK_ME
	    " UPDATE crlpress.work_run AS r SET state = 'done',"
	    " ended_at = coalesce(ended_at, clock_timestamp()) FROM me"
	    " WHERE r.run = $1::bigint AND r.closer = me.worker"
	    " AND r.state IN ('closing', 'done') RETURNING 1",
	    parameter, WORK_ME_COUNT};

	return work_change(work, &query, 1);
}

static enum work_state
state_of(const struct database_answer *answer, int row, int column)
{
	char text[16];

	database_answer_text(answer, row, column, text, sizeof(text));
	return strcmp(text, "published") == 0  ? WORK_PUBLISHED
	       : strcmp(text, "withheld") == 0 ? WORK_WITHHELD
					       : WORK_FAILED;
}

/* Not where the source does not tell when a certificate expires. */
static enum status
read_expiring(
    const struct database_answer *answer, int row, struct manifest_shard *line)
{
	char text[EXPIRING_TEXT_BYTES];

	database_answer_text(answer, row, 20, text, sizeof(text));
	line->has_expiring = text[0] != '\0';
	return line->has_expiring
		   ? expiring_from_text(text, strlen(text), &line->expiring)
		   : STATUS_OK;
}

static enum status
read_attempt(
    const struct database_answer *answer, int row, struct work_attempt *attempt)
{
	struct manifest_shard *line = &attempt->line;
	char hex[HASH_HEX_BYTES];
	enum status status;
	bool is_null;

	line->this_update_sec = work_integer(answer, row, 10, NULL);
	line->next_update_sec = work_integer(answer, row, 11, NULL);
	line->size = (uint64_t)work_integer(answer, row, 12, NULL);
	line->entries = (uint64_t)work_integer(answer, row, 14, NULL);
	line->added = (uint64_t)work_integer(answer, row, 15, NULL);
	line->removed = (uint64_t)work_integer(answer, row, 16, NULL);
	line->leaving = (uint64_t)work_integer(answer, row, 17, NULL);
	line->has_leaving = true;
	attempt->replaced_sec = work_integer(answer, row, 18, &is_null);
	attempt->has_replaced = !is_null;
	line->settled_sec = work_integer(answer, row, 19, &is_null);
	line->has_settled = !is_null;
	status = read_expiring(answer, row, line);
	if (status != STATUS_OK)
		return status;
	database_answer_text(answer, row, 13, hex, sizeof(hex));
	return hash_from_hex(hex, strlen(hex), &line->sha256);
}

static enum status
read_result(const struct database_answer *answer, int row,
    struct work_shard *shard, struct work_attempt *attempt)
{
	enum status status = STATUS_OK;

	shard->shard = (uint32_t)work_integer(answer, row, 0, NULL);
	attempt->line.index = shard->shard;
	shard->state = state_of(answer, row, 1);
	shard->gates = (uint32_t)work_integer(answer, row, 2, NULL);
	shard->listed = (uint64_t)work_integer(answer, row, 3, NULL);
	shard->duplicate = (uint64_t)work_integer(answer, row, 4, NULL);
	shard->expired = (uint64_t)work_integer(answer, row, 5, NULL);
	shard->gone = (uint64_t)work_integer(answer, row, 6, NULL);
	shard->rows = (uint64_t)work_integer(answer, row, 7, NULL);
	shard->deferred = (uint64_t)work_integer(answer, row, 8, NULL);
	if (shard->state != WORK_PUBLISHED)
		return STATUS_OK;
	status = work_read_number(answer, row, 9, &shard->number);
	attempt->line.number = shard->number;
	return status == STATUS_OK ? read_attempt(answer, row, attempt)
				   : status;
}

static enum status
read_results(struct work *work, const struct database_answer *answer,
    struct work_shard *shards, struct work_attempt *attempts)
{
	enum status status = STATUS_OK;

	for (int row = 0;
	     status == STATUS_OK && row < database_answer_rows(answer); row++)
		status = read_result(answer, row, &shards[row], &attempts[row]);
	if (status != STATUS_OK)
		status = report_fault(work->report, STATUS_FAILED,
		    "crlpress.work_attempt", "share", NULL,
		    "what it says of a published shard is not what was written "
		    "there");
	return status;
}

enum status
work_result(struct work *work, struct work_shard **shards,
    struct work_attempt **attempts, size_t *count)
{
	static const char sql[] =
	    "SELECT s.shard, s.state, s.gates, s.listed, s.duplicate,"
	    " s.expired, s.gone, s.rows, s.deferred, s.number::text,"
	    " a.this_update, a.next_update, a.size, a.sha256, a.entries,"
	    " a.added, a.removed, a.leaving, a.replaced, a.settled,"
	    " a.expiring"
	    " FROM crlpress.work_shard AS s"
	    " LEFT JOIN crlpress.work_attempt AS a USING (run, shard, number)"
	    " WHERE s.run = $1::bigint ORDER BY s.shard";
	const char *const parameter[] = {work->run_text};
	const struct work_query query = {sql, parameter, 1};
	struct database_answer *answer = NULL;
	enum status status = work_ask(work, &query, &answer);

	*shards = NULL;
	*attempts = NULL;
	*count = 0;
	if (status != STATUS_OK)
		return status;
	*count = (size_t)database_answer_rows(answer);
	*shards = calloc(*count + 1, sizeof(**shards));
	*attempts = calloc(*count + 1, sizeof(**attempts));
	status = *shards == NULL || *attempts == NULL
		     ? work_no_memory(work)
		     : read_results(work, answer, *shards, *attempts);
	database_answer_free(answer);
	return status;
}
