/* SPDX-License-Identifier: ISC */
/* crlpress sign: the CRLs of a request, where the key is and nothing else. */
#include <stddef.h>
#include <string.h>

#include "crlpress/command.h"
#include "crlpress/config.h"
#include "crlpress/report_json.h"
#include "crlpress/sign.h"

struct sign_command_options {
	const char *config;
	const char *issuer;
	const char *passphrase_fd;
	struct option_time now;
	bool dry_run;
	bool yes;
	bool json;
};

#define ROW(name, letter, kind, field, argument, help)                      \
	{                                                                   \
		name, letter, kind,                                         \
		    offsetof(struct sign_command_options, field), argument, \
		    help                                                    \
	}

static const struct option_row option_rows[] = {
    ROW("config", 'c', OPTION_TEXT, config, "PATH",
	"a configuration file, or a directory of *.cnf"),
    ROW("issuer", 'i', OPTION_TEXT, issuer, "NAME",
	"the issuer, where the directory has several"),
    ROW("dry-run", 'n', OPTION_FLAG, dry_run, NULL,
	"show what would be signed, sign nothing"),
    ROW("yes", 'y', OPTION_FLAG, yes, NULL, "do not ask before signing"),
    ROW("now", 0, OPTION_TIME, now, "TIME",
	"the time here, as 2026-12-01T06:00:00Z"),
    ROW("passphrase-fd", 0, OPTION_TEXT, passphrase_fd, "N",
	"read the key's passphrase from this descriptor"),
    ROW("json", 0, OPTION_FLAG, json, NULL, "report on stdout as JSON"),
};

static const struct option_table option_table = {
    option_rows, sizeof(option_rows) / sizeof(option_rows[0])};

/* The one configuration: the only one, or that of the issuer named. */
static enum status
load_config(const struct sign_command_options *options,
    const struct context *context, struct report *report,
    struct config **config)
{
	const char *path =
	    options->config != NULL ? options->config : context->config_path;
	char **paths = NULL;
	size_t count = 0;
	enum status status = config_paths(path, report, &paths, &count);

	if (status == STATUS_OK && count > 1 && options->issuer == NULL)
		status = report_fault(report, STATUS_USAGE, "usage", NULL, NULL,
		    "%s has %zu configurations; name one with --issuer", path,
		    count);
	for (size_t i = 0; status == STATUS_OK && *config == NULL && i < count;
	     i++) {
		status = config_load_signer(paths[i], report, config);
		if (status == STATUS_OK && options->issuer != NULL &&
		    strcmp((*config)->name, options->issuer) != 0) {
			config_free(*config);
			*config = NULL;
		}
	}
	if (status == STATUS_OK && *config == NULL)
		status = report_fault(report, STATUS_USAGE, "usage", NULL, NULL,
		    "--issuer %s: not configured", options->issuer);
	config_paths_free(paths, count);
	return status;
}

static enum status
sign_run(const struct sign_command_options *options,
    const struct context *context, const char *dir, struct report *report)
{
	struct sign_options sign = {
	    .dir = dir,
	    .dry_run = options->dry_run,
	    .yes = options->yes,
	    .has_now = options->now.given,
	    .now_sec = options->now.sec,
	};
	struct json json = {.stream = context->out};
	struct config *config = NULL;
	enum status status;

	if (options->json)
		report_json_begin(&json, context->out, "requests");
	status = command_passphrase_fd(
	    options->passphrase_fd, report, &sign.passphrase_fd);
	if (status == STATUS_OK)
		status = load_config(options, context, report, &config);
	if (status == STATUS_OK)
		status = sign_directory(config, &sign, context, report,
		    options->json ? context->err : context->out,
		    options->json ? &json : NULL);
	config_free(config);
	report_close(report);
	if (options->json)
		report_json_end(report, status, &json);
	return status;
}

static enum status
command_run(const struct command *command, const struct context *context,
    int argc, char **argv)
{
	struct sign_command_options options = {0};
	struct report *report = report_new(context->err, SEVERITY_NOTE);
	enum status status;
	int operands = 0;

	if (report == NULL)
		return STATUS_NO_MEMORY;
	status = command_parse(
	    command, context, argc, argv, &options, report, &operands);
	if (status == STATUS_OK && argc - operands != 1)
		status = report_fault(report, STATUS_USAGE, "usage", NULL, NULL,
		    "sign takes one directory, have %d", argc - operands);
	else if (status == STATUS_OK)
		status = sign_run(&options, context, argv[operands], report);
	else if (status == STATUS_DONE)
		status = STATUS_OK;
	report_free(report);
	return status;
}

const struct command command_sign = {
    .name = "sign",
    .operands = "DIR",
    .summary = "Sign what publish --stage-tbs wrote, where only the key is",
    .help = "DIR is what was carried here. Of the configuration [issuer] "
	    "alone is needed, and\n[state] dir, which remembers what was "
	    "signed.\n\n"
	    "Exit status: 0 signed; 1 failed, nothing signed; 2 usage or "
	    "configuration;\n3 refused, nothing signed; 4 partly signed, safe "
	    "to run again; 75 another process\nis at it.\n",
    .options = &option_table,
    .run = command_run,
};
