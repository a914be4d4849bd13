/* SPDX-License-Identifier: ISC */
/*
 * crlpress ocsp-gate: asks the database until when certificates carry an OCSP
 * URL or Must-Staple, and writes that down for ocsp-sunset (BR 4.9.9).
 */
#include <inttypes.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "crlpress/command.h"
#include "crlpress/command_option.h"
#include "crlpress/config.h"
#include "crlpress/config_peer.h"
#include "crlpress/config_text.h"
#include "crlpress/expiry.h"
#include "crlpress/expiry_file.h"
#include "crlpress/gate_now.h"
#include "crlpress/source_expiry.h"
#include "crlpress/utc.h"

/* As psql would write it; see source.h. */
#define ISSUER_PARAMETER ":'issuer'"

#define USEC_PER_SEC 1000000

struct gate_options {
	const char *config;
	struct option_time now;
	bool dry_run;
	bool json;
	bool quiet;
};

#define OFFSET(member) offsetof(struct gate_options, member)

static const struct option_row option_rows[] = {
    COMMAND_OPTION_CONFIG(OFFSET(config)),
    {"dry-run", 'n', OPTION_FLAG, OFFSET(dry_run), NULL,
	"print the file instead of writing it"},
    COMMAND_OPTION_NOW(OFFSET(now)),
    COMMAND_OPTION_JSON(OFFSET(json)),
    {"quiet", 'q', OPTION_FLAG, OFFSET(quiet), NULL,
	"print nothing when OCSP may end"},
};

/* One configuration being asked about. */
struct asking {
	const struct context *context;
	const struct gate_options *options;
	struct report *report;
	struct json *json; /* NULL: text */
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
	struct expiry *expiry = &asking->expiry;
	int64_t database_sec = snapshot->now_usec / USEC_PER_SEC;
	enum status status = gate_now_source(
	    asking->config, snapshot, asking->now_sec, asking->report);

	if (status != STATUS_OK)
		return status;
	expiry->made_sec =
	    database_sec < asking->now_sec ? database_sec : asking->now_sec;
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

static void
expiry_tell_json(const struct asking *asking, bool may_end)
{
	const struct expiry *expiry = &asking->expiry;
	struct json *json = asking->json;
	char last[UTC_ISO_BYTES], made[UTC_ISO_BYTES];

	json_open(json, NULL, '{');
	json_string(json, "issuer", asking->config->name);
	json_string(json, "last_expiry",
	    expiry->has_last ? utc_to_iso(expiry->last_sec, last) : NULL);
	json_string(json, "made", utc_to_iso(expiry->made_sec, made));
	json_bool(json, "may_end", may_end);
	json_close(json, '}');
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
	if (asking->json != NULL)
		expiry_tell_json(asking, status == STATUS_OK);
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
		if (asking->json == NULL)
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

/*
 * Of many that were not named one by one, those that have no [ocsp] have
 * nothing to be asked.
 */
static bool
is_concerned(const struct config *config, size_t count)
{
	return count == 1 || config->ocsp_query_file != NULL ||
	       config->ocsp_expiry_file != NULL;
}

/* One after the other; what fails for one does not stop the next. */
static enum status
ask_all(const struct asking *common, char **paths, size_t count, bool are_named)
{
	struct config_peer *peers = NULL;
	enum status worst, status = STATUS_OK;
	size_t asked = 0;

	worst = config_peers_load(paths, count, common->report, &peers);
	/* Of one file the last would stand, as if it spoke for all. */
	if (peers != NULL && !common->options->dry_run)
		status =
		    config_peers_check_expiry(peers, count, common->report);
	worst = status_graver(status_public(worst), status_public(status));
	for (size_t i = 0; peers != NULL && i < count; i++) {
		const struct config *config = peers[i].config;

		if (status == STATUS_NO_MEMORY || config == NULL ||
		    (!are_named && !is_concerned(config, count)))
			continue;
		asked++;
		if (!peers[i].refused)
			worst = status_graver(worst, ask_one(common, config));
	}
	config_peers_free(peers, count);
	if (worst == STATUS_OK && asked == 0)
		return report_fault(common->report, STATUS_CONFIG, "ocsp-gate",
		    "config", NULL, "no issuer here has [ocsp] query_file");
	return worst;
}

/* By --config as everywhere, or named one by one. */
static enum status
ask_path(const struct asking *common, const char *path)
{
	char **paths = NULL;
	size_t count = 0;
	enum status status = config_paths(path, common->report, &paths, &count);

	if (status == STATUS_OK)
		status = ask_all(common, paths, count, false);
	config_paths_free(paths, count);
	return status;
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

	if (call->operand_count > 0 && options->config != NULL)
		return command_usage(call->report,
		    "want --config or configurations one by one, not both");
	command_json(call, options->json, command_ocsp_gate.json_array);
	common.json = call->json;
	/* One that is a directory is taken for all that is in it. */
	if (call->operand_count > 1)
		return ask_all(
		    &common, call->operands, (size_t)call->operand_count, true);
	return ask_path(
	    &common, call->operand_count == 1
			 ? call->operands[0]
			 : command_config(call->context, options->config));
}

const struct command command_ocsp_gate = {
    .name = "ocsp-gate",
    .operands = "[CONFIG...]",
    .summary = "Write down until when certificates name an OCSP responder",
    .help = "Without CONFIG it is what --config names, of a directory those "
	    "with [ocsp].\n\n"
	    "Exit status: 0 written, and OCSP may end; 1 failed; 2 usage or "
	    "configuration;\n3 it may not end yet, or nothing could be told; "
	    "the file says which.\n",
    .json_array = "answers",
    .options = {option_rows, sizeof(option_rows) / sizeof(option_rows[0])},
    .options_size = sizeof(struct gate_options),
    .run = command_run,
};
