/* SPDX-License-Identifier: ISC */
/* crlpress check-config: what a configuration means, before cron runs it. */
#include <stddef.h>
#include <stdlib.h>

#include "crlpress/archive.h"
#include "crlpress/command.h"
#include "crlpress/config.h"
#include "crlpress/config_peer.h"
#include "crlpress/store.h"
#include "crlpress/trial.h"

struct check_options {
	const char *config;
	bool keys;
	bool online;
	bool quiet;
};

#define ROW(name, letter, kind, field, argument, help)                     \
	{                                                                  \
		name, letter, kind, offsetof(struct check_options, field), \
		    argument, help                                         \
	}

static const struct option_row option_rows[] = {
    ROW("config", 'c', OPTION_TEXT, config, "PATH",
	"a configuration file, or a directory of *.cnf"),
    ROW("keys", 0, OPTION_FLAG, keys, NULL,
	"list every key there is, with its default"),
    ROW("online", 0, OPTION_FLAG, online, NULL,
	"also try the database, and the store with an object that is "
	"removed again"),
    ROW("quiet", 'q', OPTION_FLAG, quiet, NULL,
	"print nothing when all is well"),
};

static const struct option_table option_table = {
    option_rows, sizeof(option_rows) / sizeof(option_rows[0])};

/* Whether the store does what a run will rely on. */
static enum status
check_store(const struct context *context, const struct check_options *options,
    const struct config *config, struct report *report)
{
	struct store_config store_config = {
	    .url = config->store_url,
	    .remote = &config->remote,
	    .context = context,
	};
	struct store *store = NULL;
	char *state_dir = NULL;
	enum status status;

	/* What is shown is remembered, if there was a run already. */
	if (asprintf(&state_dir, "%s/%s", config->state_dir, config->name) < 0)
		return STATUS_NO_MEMORY;
	store_config.state_dir = state_dir;
	status = store_open(&store_config, report, &store);
	if (status == STATUS_OK)
		status = store_probe(store);
	if (status == STATUS_OK && !options->quiet)
		fprintf(context->out, "\n# %s: tried and found fit\n",
		    config->store_url);
	store_close(store);
	free(state_dir);
	return status_public(status);
}

/* That it can be read: nothing is put there that is not to stay. */
static enum status
check_archive(const struct context *context,
    const struct check_options *options, const struct config *config,
    struct report *report)
{
	struct archive archive;
	struct archive_sets sets = {.set = NULL};
	enum status status;

	if (config->archive_url == NULL)
		return STATUS_OK;
	status = archive_open(config, context, report, &archive);
	if (status == STATUS_OK)
		status = archive_sets_list(&archive, &sets);
	if (status == STATUS_OK && !options->quiet)
		fprintf(context->out, "\n# %s: read, %zu sets\n",
		    config->archive_url, sets.count);
	archive_sets_free(&sets);
	archive_close(&archive);
	return status_public(status);
}

static enum status
check_config(const struct context *context, const struct check_options *options,
    const struct config *config, struct report *report)
{
	enum status status = STATUS_OK;

	if (!options->quiet)
		config_print(config, context->out);
	if (options->online)
		status = status_public(trial_source(config, context,
		    options->quiet ? NULL : context->out, report));
	/* Each says what it can, whatever the other found. */
	if (options->online)
		status = status_graver(
		    status, check_store(context, options, config, report));
	if (options->online)
		status = status_graver(
		    status, check_archive(context, options, config, report));
	return status;
}

static enum status
check_paths(const struct context *context, const struct check_options *options,
    struct report *report)
{
	const char *path =
	    options->config != NULL ? options->config : context->config_path;
	struct config_peer *peers = NULL;
	char **paths = NULL;
	enum status worst;
	size_t count = 0;

	worst = config_paths(path, report, &paths, &count);
	if (worst == STATUS_OK)
		worst = config_peers_load(paths, count, report, &peers);
	if (peers != NULL)
		worst = status_graver(
		    worst, config_peers_check(peers, count, report));
	for (size_t i = 0; peers != NULL && i < count; i++)
		if (peers[i].config != NULL)
			worst =
			    status_graver(worst, check_config(context, options,
						     peers[i].config, report));
	config_peers_free(peers, count);
	config_paths_free(paths, count);
	return worst;
}

static enum status
command_run(const struct command *command, const struct context *context,
    int argc, char **argv)
{
	struct report *report = report_new(context->err, SEVERITY_NOTE);
	struct check_options options = {0};
	enum status status;
	int operands = 0;

	if (report == NULL)
		return STATUS_NO_MEMORY;
	status = command_parse(
	    command, context, argc, argv, &options, report, &operands);
	if (status == STATUS_OK && options.keys)
		config_print_keys(context->out);
	else if (status == STATUS_OK)
		status = check_paths(context, &options, report);
	else if (status == STATUS_DONE)
		status = STATUS_OK;
	report_close(report);
	report_free(report);
	return status;
}

const struct command command_check_config = {
    .name = "check-config",
    .operands = "",
    .summary = "Read configurations strictly and print what they mean",
    .help = "Exit status: 0 well-formed, and fit; 1 the database or the "
	    "store\nis not to be had or not fit; 2 not well-formed; 3 a row "
	    "would be refused.\n",
    .options = &option_table,
    .run = command_run,
};
