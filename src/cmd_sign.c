/* SPDX-License-Identifier: ISC */
/* crlpress sign: the CRLs of a request, where the key is and nothing else. */
#include <stddef.h>
#include <string.h>

#include "crlpress/command.h"
#include "crlpress/command_option.h"
#include "crlpress/config.h"
#include "crlpress/sign.h"

struct sign_command_options {
	const char *config;
	const char *issuer;
	const char *passphrase_fd;
	struct option_time now;
	bool dry_run;
	bool yes;
	bool json;
	bool quiet;
};

#define OFFSET(member) offsetof(struct sign_command_options, member)

static const struct option_row option_rows[] = {
    COMMAND_OPTION_CONFIG(OFFSET(config)),
    COMMAND_OPTION_ISSUER(OFFSET(issuer)),
    {"dry-run", 'n', OPTION_FLAG, OFFSET(dry_run), NULL,
	"show what would be signed, sign nothing"},
    {"yes", 'y', OPTION_FLAG, OFFSET(yes), NULL, "do not ask before signing"},
    {"now", 0, OPTION_TIME, OFFSET(now), "TIME",
	"the time here, as 2026-12-01T06:00:00Z"},
    COMMAND_OPTION_PASSPHRASE_FD(OFFSET(passphrase_fd)),
    COMMAND_OPTION_JSON(OFFSET(json)),
    {"quiet", 'q', OPTION_FLAG, OFFSET(quiet), NULL,
	"with --yes, print nothing when all is well"},
};

/* The one configuration: the only one, or that of the issuer named. */
static enum status
load_config(const struct command_call *call,
    const struct sign_command_options *options, struct config **config)
{
	const char *path = command_config(call->context, options->config);
	struct report *report = call->report;
	struct command_names names = {.count = 0};
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
			command_names_add(&names, (*config)->name);
			config_free(*config);
			*config = NULL;
		}
	}
	if (status == STATUS_OK && *config == NULL)
		status =
		    command_not_configured(options->issuer, &names, report);
	config_paths_free(paths, count);
	return status;
}

static enum status
command_run(struct command_call *call, const void *given)
{
	const struct sign_command_options *options = given;
	const struct context *context = call->context;
	struct sign_options sign = {
	    .dry_run = options->dry_run,
	    .yes = options->yes,
	    .quiet = options->quiet,
	    .has_now = options->now.given,
	    .now_sec = options->now.sec,
	};
	struct config *config = NULL;
	enum status status;

	if (call->operand_count != 1)
		return report_fault(call->report, STATUS_USAGE, "usage", NULL,
		    NULL, "sign takes one directory, have %d",
		    call->operand_count);
	sign.dir = call->operands[0];
	command_json(call, options->json, "requests");
	status = command_passphrase_fd(
	    options->passphrase_fd, call->report, &sign.passphrase_fd);
	if (status == STATUS_OK)
		status = load_config(call, options, &config);
	if (status == STATUS_OK)
		status = sign_directory(config, &sign, context, call->report,
		    options->json ? context->err : context->out, call->json);
	config_free(config);
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
    .json_array = "requests",
    .options = {option_rows, sizeof(option_rows) / sizeof(option_rows[0])},
    .options_size = sizeof(struct sign_command_options),
    .run = command_run,
};
