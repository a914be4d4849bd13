/* SPDX-License-Identifier: ISC */
#include "crlpress/trial.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "crlpress/issuer.h"
#include "crlpress/shard.h"
#include "crlpress/source.h"
#include "crlpress/source_certificate.h"
#include "crlpress/source_plan.h"
#include "crlpress/uint160.h"

#define BATCH_ROWS 1024

/* Reasons that are told apart; all further ones are told as the last. */
#define REASONS_MOST 32

/* Reading a table whole is dear when it is large and most of it is not for
 * the statement. */
#define SCAN_ROWS_LEAST 10000.0
#define SCAN_SHARE 10.0

struct reason {
	const char *why; /* static text */
	uint64_t count;
	char serial[SOURCE_SERIAL_TEXT_BYTES]; /* of one of them */
};

struct trial {
	const struct config *config;
	struct source *source;
	struct report *report;
	FILE *out;
	int64_t now_sec;
	uint64_t rows;
	size_t reason_count;
	struct reason reason[REASONS_MOST];
	/* One that would be listed, to ask for by itself. */
	bool has_example;
	struct uint160 serial;
	uint32_t shard;
};

static void
count_reason(struct trial *trial, const struct source_row *row, const char *why)
{
	char hex[UINT160_HEX_BYTES];
	const char *serial = row->serial_text;
	struct reason *reason;
	size_t i = 0;

	while (
	    i < trial->reason_count && strcmp(trial->reason[i].why, why) != 0)
		i++;
	if (i == REASONS_MOST)
		i--;
	reason = &trial->reason[i];
	if (i == trial->reason_count) {
		trial->reason_count++;
		reason->why = why;
		if (serial[0] == '\0')
			serial = row->has_serial
				     ? uint160_to_hex(&row->serial, hex)
				     : "(no serial)";
		snprintf(reason->serial, sizeof(reason->serial), "%s", serial);
	}
	reason->count++;
}

/* As a run judges a row by itself. */
static void
try_row(struct trial *trial, const struct source_row *row)
{
	const char *why = NULL;
	uint32_t index;

	trial->rows++;
	if (row->fault != NULL)
		count_reason(trial, row, row->fault);
	else if (shard_of(&trial->config->shards, &row->serial,
		     row->not_after_sec, &row->hint, &index, &why) != STATUS_OK)
		count_reason(trial, row, why);
	else if (row->revoked_at_sec - trial->now_sec > trial->config->skew_sec)
		count_reason(trial, row, "revoked_at lies in the future");
	else if (!trial->has_example) {
		trial->has_example = true;
		trial->serial = row->serial;
		trial->shard = index;
	}
}

static enum status
try_rows(struct trial *trial, int64_t lookback_sec)
{
	struct source_row *batch = calloc(BATCH_ROWS, sizeof(*batch));
	enum status status;
	size_t count = 0;

	if (batch == NULL)
		return report_fault(trial->report, STATUS_NO_MEMORY,
		    trial->config->name, NULL, NULL, "out of memory");
	status = source_start(trial->source, lookback_sec);
	while (
	    status == STATUS_OK && (status = source_read(trial->source, batch,
					BATCH_ROWS, &count)) == STATUS_OK)
		for (size_t i = 0; i < count; i++)
			try_row(trial, &batch[i]);
	free(batch);
	return status == STATUS_DONE ? STATUS_OK : status;
}

/* What would be refused, each reason once. */
static enum status
tell_rows(struct trial *trial)
{
	enum status status = STATUS_OK;
	uint64_t refused = 0;

	for (size_t i = 0; i < trial->reason_count; i++) {
		const struct reason *reason = &trial->reason[i];

		refused += reason->count;
		status = report_fault(trial->report, STATUS_REFUSED,
		    trial->config->name, "rows", "BR 4.9.7",
		    "%" PRIu64 " %s would be refused: %s, as with %s",
		    reason->count, reason->count == 1 ? "row" : "rows",
		    reason->why, reason->serial);
	}
	if (trial->out != NULL)
		fprintf(trial->out,
		    "\n# %s: %" PRIu64 " rows, %" PRIu64 " to be refused\n",
		    trial->config->name, trial->rows, refused);
	return status;
}

/* Whether it costs what it should not. */
static bool
is_dear(const struct source_plan_scan *scan)
{
	return scan->table_rows >= SCAN_ROWS_LEAST &&
	       scan->rows * SCAN_SHARE < scan->table_rows;
}

static enum status
try_statement(struct trial *trial, const struct source_statement *statement,
    int64_t lookback_sec)
{
	struct source_plan *plan = malloc(sizeof(*plan));
	enum status status;

	if (plan == NULL)
		return report_fault(trial->report, STATUS_NO_MEMORY,
		    statement->name, NULL, NULL, "out of memory");
	status = source_plan(trial->source, statement, lookback_sec, plan);
	if (status == STATUS_OK && trial->out != NULL) {
		fprintf(trial->out, "\n# %s%s%s\n", statement->name,
		    statement->shard != NULL ? ", of one shard" : "",
		    statement->serial != NULL ? ", of one serial" : "");
		for (size_t i = 0; i < plan->line_count; i++)
			fprintf(trial->out, "#   %s\n", plan->line[i]);
	}
	for (size_t i = 0; status == STATUS_OK && i < plan->scan_count; i++) {
		if (!is_dear(&plan->scan[i]))
			continue;
		report_warn(trial->report, statement->name, "plan", NULL,
		    "reads all of %s, which has about %.0f rows, for %.0f",
		    plan->scan[i].table, plan->scan[i].table_rows,
		    plan->scan[i].rows);
		report_hint(trial->report,
		    "an index on what it asks for, and ANALYZE, would help");
	}
	free(plan);
	return status;
}

/* All of the statements that there are, as runs and pushes would start them. */
static enum status
try_statements(struct trial *trial, int64_t lookback_sec)
{
	const struct config *config = trial->config;
	char serial[UINT160_HEX_BYTES], shard[16];
	struct source_statement all = {
	    .sql = config->sql,
	    .name = config_statement_name(config->query_file),
	    .has_parts = true,
	};
	struct source_statement of_shard = {
	    .sql = config->shard_sql,
	    .name = config_statement_name(config->shard_query_file),
	    .shard = shard,
	};
	struct source_statement of_serial = {
	    .sql = config->serial_sql,
	    .name = config_statement_name(config->serial_query_file),
	    .serial = serial,
	};
	enum status status;

	(void)uint160_to_hex(&trial->serial, serial);
	snprintf(shard, sizeof(shard), "%" PRIu32,
	    trial->has_example ? trial->shard : config->shards.first);
	status = try_statement(trial, &all, lookback_sec);
	if (status == STATUS_OK && of_shard.sql != NULL)
		status = try_statement(trial, &of_shard, lookback_sec);
	if (status == STATUS_OK && of_serial.sql != NULL && trial->has_example)
		status = try_statement(trial, &of_serial, lookback_sec);
	return status;
}

enum status
trial_source(const struct config *config, const struct context *context,
    FILE *out, struct report *report)
{
	struct trial trial = {
	    .config = config,
	    .report = report,
	    .out = out,
	    .now_sec = context->clock_sec(),
	};
	struct source_points points =
	    config_points(config, (struct crl_view){0});
	const struct source_config source = config_source(config, &points);
	int64_t lookback_sec = trial.now_sec - config->lookback_sec;
	struct issuer *issuer = NULL;
	enum status status = STATUS_OK;

	if (source.points != NULL)
		status = issuer_load(config->certificate, report, &issuer);
	if (issuer != NULL)
		points.issuer = issuer_facts(issuer)->subject;
	if (status == STATUS_OK)
		status = source_open(&source, report, &trial.source);
	if (status == STATUS_OK)
		status = try_rows(&trial, lookback_sec);
	if (status == STATUS_OK)
		status = try_statements(&trial, lookback_sec);
	if (status == STATUS_OK)
		status = tell_rows(&trial);
	source_close(trial.source);
	issuer_free(issuer);
	return status;
}
