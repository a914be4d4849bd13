/* SPDX-License-Identifier: ISC */
/*
 * crlpress ocsp-gate: asks the database until when certificates carry an OCSP
 * URL or Must-Staple, and writes that down for ocsp-sunset (BR 4.9.9).
 */
#include <inttypes.h>
#include <math.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "crlpress/command.h"
#include "crlpress/config.h"
#include "crlpress/config_peer.h"
#include "crlpress/config_text.h"
#include "crlpress/expiry.h"
#include "crlpress/expiry_file.h"
#include "crlpress/source_expiry.h"
#include "crlpress/utc.h"

/* As psql would write it; see source.h. */
#define ISSUER_PARAMETER ":'issuer'"

#define USEC_PER_SEC 1000000

struct gate_options {
	struct option_time now;
	bool dry_run;
	bool quiet;
};

#define OFFSET(member) offsetof(struct gate_options, member)

static const struct option_row option_rows[] = {
    {"dry-run", 'n', OPTION_FLAG, OFFSET(dry_run), NULL,
	"print the file instead of writing it"},
    {"now", 0, OPTION_TIME, OFFSET(now), "TIME",
	"the time of this run, as 2026-12-01T06:00:00Z"},
    {"quiet", 'q', OPTION_FLAG, OFFSET(quiet), NULL,
	"print nothing when OCSP may end"},
};

/* One configuration being asked about. */
struct asking {
	const struct context *context;
	const struct gate_options *options;
	struct report *report;
	const struct config *config;
	char *sql;
	int64_t now_sec;
	struct expiry expiry;
};

static enum status
config_fault(const struct asking *asking, const char *what)
{
	return report_fault(asking->report, STATUS_CONFIG, asking->config->path,
	    "config", NULL, "[ocsp] %s", what);
}

static enum status
keys_check(const struct asking *asking)
{
	const struct config *config = asking->config;

	if (config->ocsp_query_file == NULL)
		return config_fault(asking, "query_file: missing: it holds the "
					    "statement to be asked");
	if (config->ocsp_expiry_file == NULL && !asking->options->dry_run)
		return config_fault(
		    asking, "expiry_file: missing: it is to be written");
	return STATUS_OK;
}

/* The statement, and the hash that sha256sum gives of its file. */
static enum status
statement_load(struct asking *asking)
{
	const char *path = asking->config->ocsp_query_file;
	char reason[CONFIG_WHY_BYTES];
	const char *why = NULL;
	size_t len = 0, line = 0;
	enum status status = config_text_read(
	    path, CONFIG_FILE_BYTES_MOST, &asking->sql, &len, reason);

	if (status == STATUS_IO)
		return report_fault(asking->report, STATUS_CONFIG, path,
		    "config", NULL, "%s", reason);
	if (status != STATUS_OK)
		return status;
	status = hash_bytes(
	    (const uint8_t *)asking->sql, len, &asking->expiry.statement);
	if (status != STATUS_OK)
		return report_fault(asking->report, status, path, "config",
		    NULL, "cannot be hashed");
	if (config_text_check(asking->sql, len, &line, &why) != STATUS_OK ||
	    config_text_statement(asking->sql, &line, &why) != STATUS_OK)
		return report_fault(asking->report, STATUS_CONFIG, path,
		    "config", NULL, "line %zu: %s", line, why);
	if (asking->config->issuer_id == NULL &&
	    strstr(asking->sql, ISSUER_PARAMETER) != NULL)
		return report_fault(asking->report, STATUS_CONFIG,
		    asking->config->path, "config", NULL,
		    "[source] issuer_id: missing: the statement has "
		    "" ISSUER_PARAMETER);
	return STATUS_OK;
}

/*
 * The file holds for the time of the snapshot, so it is made then: at the
 * earlier of the two clocks, which must agree. A standby that lags does not
 * know of the certificates issued last.
 */
static enum status
snapshot_take(struct asking *asking, const struct source_snapshot *snapshot)
{
	const struct config *config = asking->config;
	struct expiry *expiry = &asking->expiry;
	int64_t database_sec = snapshot->now_usec / USEC_PER_SEC;
	int64_t apart_sec = database_sec - asking->now_sec;

	if (apart_sec > config->skew_sec || -apart_sec > config->skew_sec)
		return report_fault(asking->report, STATUS_REFUSED,
		    config->name, "clock", "house rule",
		    "clocks apart, have %" PRId64 " s, want at most %" PRId64
		    " s",
		    apart_sec, config->skew_sec);
	if (snapshot->standby &&
	    !(snapshot->replay_lag_sec <= (double)config->replay_lag_sec))
		return report_fault(asking->report, STATUS_REFUSED,
		    config->name, "db-fresh", "house rule",
		    "standby behind, have %.0f s, want at most %" PRId64 " s",
		    isfinite(snapshot->replay_lag_sec)
			? snapshot->replay_lag_sec
			: (double)UTC_MAX_SEC,
		    config->replay_lag_sec);
	expiry->made_sec = apart_sec < 0 ? database_sec : asking->now_sec;
	expiry->has_position = snapshot->has_position;
	if (snapshot->has_position) {
		memcpy(expiry->system_identifier, snapshot->system_identifier,
		    sizeof(expiry->system_identifier));
		expiry->timeline = snapshot->timeline;
		expiry->wal_position = snapshot->wal_position;
	}
	return STATUS_OK;
}

/* A statement that matches nothing by mistake has no answer either. */
static enum status
answer_take(struct asking *asking, const struct source_expiry *answer)
{
	asking->expiry.has_last = answer->has_last;
	asking->expiry.last_sec = answer->last_sec;
	if (answer->has_last || asking->config->ocsp_allow_none)
		return STATUS_OK;
	report_fault(asking->report, STATUS_REFUSED,
	    asking->config->ocsp_query_file, "ocsp-expiry", "BR 4.9.9",
	    "the database knows no certificate that names a responder, want "
	    "one, expired or not");
	report_hint(asking->report,
	    "when there never was one, say so: [ocsp] allow_none = yes");
	return STATUS_REFUSED;
}

static enum status
database_ask(struct asking *asking)
{
	const struct config *config = asking->config;
	struct source_config source_config = config_source(config, NULL);
	struct source_expiry answer;
	struct source *source = NULL;
	enum status status;

	source_config.sql = asking->sql;
	source_config.sql_name = config->ocsp_query_file;
	status = source_open(&source_config, asking->report, &source);
	if (status == STATUS_OK)
		status = snapshot_take(asking, source_snapshot(source));
	if (status == STATUS_OK)
		status = source_expiry_ask(source, &answer);
	if (status == STATUS_OK)
		status = answer_take(asking, &answer);
	source_close(source);
	return status;
}

/* What was found, and whether OCSP may end by it: the exit status. */
static enum status
expiry_tell(const struct asking *asking)
{
	const struct expiry *expiry = &asking->expiry;
	char last[UTC_ISO_BYTES] = "none";
	const char *why = NULL;
	enum status status = expiry_judge(expiry, expiry->made_sec, &why);

	if (expiry->has_last)
		utc_to_iso(expiry->last_sec, last);
	if (status != STATUS_OK)
		report_warn(asking->report, asking->config->name, "ocsp-expiry",
		    "BR 4.9.9", "%s, have last expiry %s", why, last);
	else if (!asking->options->quiet && !asking->options->dry_run)
		fprintf(asking->context->out,
		    "%s: last expiry %s, OCSP may end\n", asking->config->name,
		    last);
	return status;
}

static enum status
expiry_put(struct asking *asking)
{
	char text[EXPIRY_BYTES_MOST];
	size_t len = expiry_format(&asking->expiry, text);

	if (len == 0)
		return report_fault(asking->report, STATUS_FAILED,
		    asking->config->name, "ocsp-expiry", NULL,
		    "the answer cannot be written down");
	if (asking->options->dry_run) {
		fwrite(text, 1, len, asking->context->out);
		return STATUS_OK;
	}
	return expiry_file_write(
	    asking->config->ocsp_expiry_file, text, len, asking->report);
}

static enum status
ask_one(const struct asking *common, const struct config *config)
{
	struct asking asking = *common;
	enum status status;

	asking.config = config;
	status = keys_check(&asking);
	if (status == STATUS_OK)
		status = statement_load(&asking);
	if (status == STATUS_OK)
		status = database_ask(&asking);
	if (status == STATUS_OK)
		status = expiry_put(&asking);
	if (status == STATUS_OK)
		status = expiry_tell(&asking);
	free(asking.sql);
	return status_public(status);
}

/* One after the other; what fails for one does not stop the next. */
static enum status
ask_all(const struct asking *common, int count, char **paths)
{
	struct config_peer *peers = NULL;
	enum status worst, status = STATUS_OK;

	if (count == 0) {
		command_usage(
		    common->report, "ocsp-gate wants a configuration");
		report_hint(common->report,
		    "`crlpress help ocsp-gate` lists the options");
		return STATUS_USAGE;
	}
	worst = config_peers_load(paths, (size_t)count, common->report, &peers);
	/* Of one file the last would stand, as if it spoke for all. */
	if (peers != NULL && !common->options->dry_run)
		status = config_peers_check_expiry(
		    peers, (size_t)count, common->report);
	worst = status_graver(status_public(worst), status_public(status));
	for (int i = 0; peers != NULL && i < count; i++)
		if (status != STATUS_NO_MEMORY && peers[i].config != NULL &&
		    !peers[i].refused)
			worst = status_graver(
			    worst, ask_one(common, peers[i].config));
	config_peers_free(peers, (size_t)count);
	return worst;
}

static enum status
command_run(struct command_call *call, const void *given)
{
	const struct gate_options *options = given;
	struct asking common = {
	    .context = call->context,
	    .options = options,
	    .report = call->report,
	    .now_sec = options->now.given ? options->now.sec
					  : call->context->clock_sec(),
	};

	return ask_all(&common, call->operand_count, call->operands);
}

const struct command command_ocsp_gate = {
    .name = "ocsp-gate",
    .operands = "CONFIG...",
    .summary = "Write down until when certificates name an OCSP responder",
    .help = "Exit status: 0 written, and OCSP may end; 1 failed; 2 usage or "
	    "configuration;\n3 it may not end yet, or nothing could be told; "
	    "the file says which.\n",
    .options = {option_rows, sizeof(option_rows) / sizeof(option_rows[0])},
    .options_size = sizeof(struct gate_options),
    .run = command_run,
};
