/* SPDX-License-Identifier: ISC */
/* crlpress init: a configuration to begin with, for a database that is there.
 */
#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "crlpress/command.h"
#include "init_impl.h"

#define OFFSET(member) offsetof(struct init_options, member)

static const struct option_row option_rows[] = {
    {"preset", 'p', OPTION_TEXT, OFFSET(preset), "NAME",
	"what to begin with, or the path of a preset's .cnf"},
    {"list", 'l', OPTION_FLAG, OFFSET(list), NULL, "list the presets"},
    {"preset-dir", 0, OPTION_TEXT, OFFSET(preset_dir), "DIR",
	"where presets are looked for"},
    {"out", 'o', OPTION_TEXT, OFFSET(out), "FILE",
	"write FILE, with its statement beside it (default: stdout)"},
    {"name", 0, OPTION_TEXT, OFFSET(name), "NAME",
	"name of the issuer (default: FILE without .cnf)"},
    {"conninfo", 0, OPTION_TEXT, OFFSET(conninfo), "CONNINFO",
	"connection string of libpq (default: the preset's service)"},
    {"issuer-id", 0, OPTION_TEXT, OFFSET(issuer_id), "ID",
	"what the database knows the issuer by (default: it is asked)"},
    {"issuer-cert", 0, OPTION_TEXT, OFFSET(issuer_cert), "FILE",
	"certificate of the issuer, PEM or DER"},
    {"certificate", 0, OPTION_TEXT, OFFSET(certificate), "FILE",
	"one that it has issued, which names its CRL"},
    {"key", 0, OPTION_TEXT, OFFSET(key), "FILE|URI",
	"private key of the issuer, which is not opened"},
    {"profile", 0, OPTION_TEXT, OFFSET(profile), "NAME",
	"which rules the CRLs keep (default: the preset's)"},
    {"shards", 0, OPTION_TEXT, OFFSET(shards), "N",
	"how many CRLs the certificates name"},
    {"url", 0, OPTION_TEXT, OFFSET(url), "URL",
	"URL of a CRL, with {shard} where there are several"},
    {"store", 0, OPTION_TEXT, OFFSET(store), "DIR|s3://...",
	"where the CRLs are put"},
    {"state-dir", 0, OPTION_TEXT, OFFSET(state_dir), "DIR",
	"directory of locks and the ledger (default: the preset's)"},
};

/* The environment's, as tests and packages that are not installed have it. */
static const char *
preset_directory(
    const struct context *context, const struct init_options *options)
{
	const char *variable = context->environment("CRLPRESS_PRESET_DIR");

	if (options->preset_dir != NULL)
		return options->preset_dir;
	return variable != NULL && *variable != '\0' ? variable
						     : CRLPRESS_PRESET_DIR;
}

/* What check-config would refuse, before it does. */
static void
tell_left(const struct init *init)
{
	const struct config_key *key;

	for (size_t i = 0; (key = config_key(i)) != NULL; i++) {
		if (init->value[i].kind != INIT_ASK)
			continue;
		report_warn(init->report, init->object, INIT_RULE, NULL,
		    "[%s] %s is left to set: %s", key->section, key->name,
		    key->help);
		report_hint(init->report, "%s says it", init->value[i].with);
	}
}

/* Where the certificates tell the number, so must somebody. */
static void
count_begin(struct init *init)
{
	struct shard_scheme_config *shards = &init->config->shards;

	if (init->options->shards != NULL ||
	    (shards->scheme != SHARD_COLUMN && shards->scheme != SHARD_CDP))
		return;
	init_ask(init, INIT_OFFSET(shards.count), "--shards");
	shards->count = SHARD_COUNT_MOST;
}

static enum status
init_write(struct init *init)
{
	enum status status = STATUS_OK;
	size_t len = 0;
	char *text = init_text(init, &len);

	if (text == NULL)
		return STATUS_USAGE;
	if (init->options->out != NULL)
		status = init_file_write(init, text, len);
	else
		fwrite(text, 1, len, init->context->out);
	if (status == STATUS_OK)
		tell_left(init);
	free(text);
	return status;
}

static enum status
init_make(struct init *init)
{
	enum status status = STATUS_NO_MEMORY, values;

	init->here = getcwd(NULL, 0);
	init->value = calloc(CONFIG_KEYS_MOST, sizeof(*init->value));
	if (init->here == NULL && errno != ENOMEM)
		return report_fault(init->report, STATUS_FAILED, init->object,
		    INIT_RULE, NULL, "the current directory is gone: %s",
		    strerror(errno));
	if (init->here == NULL || init->value == NULL)
		return report_fault(init->report, status, init->object,
		    INIT_RULE, NULL, "out of memory");
	status = preset_load(preset_directory(init->context, init->options),
	    init->options->preset, init->report, &init->preset);
	if (status != STATUS_OK)
		return status;
	init->config = init->preset->config;
	status = init_file_find(init);
	values = init_values(init);
	if (status == STATUS_OK)
		status = values;
	if (status == STATUS_OK)
		status = init_statements(init);
	if (status != STATUS_OK)
		return status;
	count_begin(init);
	status = init_certificates(init);
	if (status == STATUS_OK)
		status = init_database(init);
	return status == STATUS_OK ? init_write(init) : status;
}

static void
init_free(struct init *init)
{
	for (size_t i = 0; init->value != NULL && i < CONFIG_KEYS_MOST; i++)
		free(init->value[i].text);
	init_certificates_free(init);
	preset_free(init->preset);
	free(init->value);
	free(init->survey);
	free(init->issuers);
	free(init->directory);
	free(init->here);
}

static enum status
command_run(struct command_call *call, const void *given)
{
	const struct init_options *options = given;
	const struct context *context = call->context;
	struct init init = {
	    .context = context,
	    .options = options,
	    .report = call->report,
	    .now_sec = context->clock_sec(),
	    .object = options->out != NULL ? options->out : "standard output",
	};
	enum status status;

	if (options->list)
		return preset_list(preset_directory(context, options),
		    call->report, context->out);
	if (options->preset == NULL) {
		command_usage(call->report, "init needs --preset NAME");
		report_hint(call->report, "`crlpress init --list` lists them");
		return STATUS_USAGE;
	}
	status = init_make(&init);
	init_free(&init);
	return status_public(status);
}

const struct command command_init = {
    .name = "init",
    .operands = "",
    .summary = "Write a configuration for a database that is there",
    .help = "Presets are looked for in " CRLPRESS_PRESET_DIR
	    ",\nor where CRLPRESS_PRESET_DIR says.\n"
	    "What cannot be known is written as a key without a value, which "
	    "check-config\nrefuses, and told on standard error. Nothing is "
	    "written over.\n"
	    "Exit status: 0 written; 1 not written: the database is not to be "
	    "had, or\nthe file is there; 2 the options, or the preset, are "
	    "wrong.\n",
    .options = {option_rows, sizeof(option_rows) / sizeof(option_rows[0])},
    .options_size = sizeof(struct init_options),
    .run = command_run,
};
