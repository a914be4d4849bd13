/* SPDX-License-Identifier: ISC */
#include "crlpress/trial.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "crlpress/database.h"
#include "crlpress/gate_now.h"
#include "crlpress/issuer.h"
#include "crlpress/source.h"
#include "crlpress/source_certificate.h"
#include "crlpress/source_plan.h"
#include "crlpress/survey.h"
#include "crlpress/uint160.h"
#include "crlpress/utc.h"

/* Reading a table whole is dear when it is large and most of it is not for
 * the statement. */
#define SCAN_ROWS_LEAST 10000.0
#define SCAN_SHARE 10.0

struct trial {
	const struct config *config;
	struct source *source;
	struct report *report;
	FILE *out;
	int64_t now_sec;
	struct survey *survey;
};

/* What would be refused, each reason once. */
static enum status
tell_rows(struct trial *trial)
{
	const struct gate_place place = {
	    .object = trial->config->name, .report = trial->report};
	enum status refused = STATUS_OK, status;

	for (size_t i = 0; i < trial->survey->cause_count; i++) {
		const struct survey_cause *cause = &trial->survey->cause[i];

		refused = report_fault(trial->report, STATUS_REFUSED,
		    trial->config->name, "rows", "BR 4.9.7",
		    "%" PRIu64 " %s would be refused: %s, as with %s",
		    cause->count, cause->count == 1 ? "row" : "rows",
		    cause->why, cause->serial);
	}
	status = gate_now_rows(&place, trial->config, trial->survey->rows);
	if (trial->out != NULL)
		fprintf(trial->out,
		    "\n# %s: %" PRIu64 " rows, %" PRIu64 " to be refused\n",
		    trial->config->name, trial->survey->rows,
		    trial->survey->refused);
	return status_graver(status, refused);
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

	(void)uint160_to_hex(&trial->survey->serial, serial);
	snprintf(shard, sizeof(shard), "%" PRIu32,
	    trial->survey->has_example ? trial->survey->shard
				       : config->shards.first);
	status = try_statement(trial, &all, lookback_sec);
	if (status == STATUS_OK && of_shard.sql != NULL)
		status = try_statement(trial, &of_shard, lookback_sec);
	if (status == STATUS_OK && of_serial.sql != NULL &&
	    trial->survey->has_example)
		status = try_statement(trial, &of_serial, lookback_sec);
	return status;
}

/* What a file is, where a database would tell how it goes about it. */
static void
tell_edition(const struct trial *trial)
{
	const struct source_snapshot *snapshot = source_snapshot(trial->source);
	const struct source_edition *edition = &snapshot->edition;
	char number[UINT160_DECIMAL_BYTES];
	char iso[UTC_ISO_BYTES];

	if (trial->out == NULL)
		return;
	(void)uint160_to_decimal(&edition->number, number);
	if (snapshot->kind == SOURCE_INDEX) {
		fprintf(trial->out, "\n# %s\n#   %s certificates\n",
		    trial->config->source, number);
		return;
	}
	fprintf(trial->out,
	    "\n# %s\n#   crlNumber %s, thisUpdate %s, nextUpdate ",
	    trial->config->source, number, utc_to_iso(edition->sec, iso));
	fprintf(trial->out, "%s\n",
	    snapshot->has_next_update
		? utc_to_iso(snapshot->next_update_sec, iso)
		: "(none)");
}

/* That it leads to a server; what its role may do there is asked nobody. */
static enum status
try_connection(const struct trial *trial, const char *key, const char *conninfo)
{
	const struct database_config config = {
	    .conninfo = conninfo,
	    .key = key,
	    .file = trial->config->path,
	    .connect_timeout_sec = trial->config->connect_timeout_sec,
	};
	struct database *database = NULL;
	enum status status;

	if (conninfo == NULL)
		return STATUS_OK;
	status = database_open(&config, trial->report, &database);
	if (status == STATUS_OK && trial->out != NULL)
		fprintf(trial->out, "\n# %s: %s, connected\n", key,
		    database_name(database));
	database_close(database);
	return status_public(status);
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

	trial.survey = malloc(sizeof(*trial.survey));
	if (trial.survey == NULL)
		return report_fault(report, STATUS_NO_MEMORY, config->name,
		    NULL, NULL, "out of memory");
	if (source.points != NULL)
		status = issuer_load(config->certificate, report, &issuer);
	if (issuer != NULL)
		points.issuer = issuer_facts(issuer)->subject;
	if (status == STATUS_OK)
		status = source_open(&source, report, &trial.source);
	if (status == STATUS_OK)
		status = survey_rows(
		    trial.source, config, trial.now_sec, report, trial.survey);
	if (status == STATUS_OK && source.kind == SOURCE_DATABASE)
		status = try_statements(&trial, lookback_sec);
	else if (status == STATUS_OK)
		tell_edition(&trial);
	if (status == STATUS_OK)
		status = status_graver(tell_rows(&trial),
		    gate_now_source(config, source_snapshot(trial.source),
			trial.now_sec, report));
	status = status_graver(status_public(status),
	    try_connection(
		&trial, "[source] revoke_conninfo", config->revoke_conninfo));
	status = status_graver(status,
	    try_connection(&trial, "[share] conninfo", config->share_conninfo));
	source_close(trial.source);
	issuer_free(issuer);
	free(trial.survey);
	return status;
}
