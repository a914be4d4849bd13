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

#define OFFSET(member) offsetof(struct check_options, member)

static const struct option_row option_rows[] = {
    {"config", 'c', OPTION_TEXT, OFFSET(config), "PATH",
	"a configuration file, or a directory of *.cnf"},
    {"keys", 0, OPTION_FLAG, OFFSET(keys), NULL,
	"list every key there is, with its default"},
    {"online", 0, OPTION_FLAG, OFFSET(online), NULL,
	"also try the database, and the store with an object that is "
	"removed again"},
    {"quiet", 'q', OPTION_FLAG, OFFSET(quiet), NULL,
	"print nothing when all is well"},
};

/* Whether the store does what a run will rely on. */
static enum status
check_store(const struct command_call *call,
    const struct check_options *options, const struct config *config)
{
	struct store_config store_config = {
	    .url = config->store_url,
	    .remote = &config->remote,
	    .context = call->context,
	};
	struct store *store = NULL;
	char *state_dir = NULL;
	enum status status;

	/* What is shown is remembered, if there was a run already. */
	if (asprintf(&state_dir, "%s/%s", config->state_dir, config->name) < 0)
		return STATUS_NO_MEMORY;
	store_config.state_dir = state_dir;
	status = store_open(&store_config, call->report, &store);
	if (status == STATUS_OK)
		status = store_probe(store);
	if (status == STATUS_OK && !options->quiet)
		fprintf(call->context->out, "\n# %s: tried and found fit\n",
		    config->store_url);
	store_close(store);
	free(state_dir);
	return status_public(status);
}

/* That it can be read: nothing is put there that is not to stay. */
static enum status
check_archive(const struct command_call *call,
    const struct check_options *options, const struct config *config)
{
	struct archive archive;
	struct archive_sets sets = {.set = NULL};
	enum status status;

	if (config->archive_url == NULL)
		return STATUS_OK;
	status = archive_open(config, call->context, call->report, &archive);
	if (status == STATUS_OK)
		status = archive_sets_list(&archive, &sets);
	if (status == STATUS_OK && !options->quiet)
		fprintf(call->context->out, "\n# %s: read, %zu sets\n",
		    config->archive_url, sets.count);
	archive_sets_free(&sets);
	archive_close(&archive);
	return status_public(status);
}

static enum status
check_config(const struct command_call *call,
    const struct check_options *options, const struct config *config)
{
	FILE *out = options->quiet ? NULL : call->context->out;
	enum status status;

	if (out != NULL)
		config_print(config, out);
	if (!options->online)
		return STATUS_OK;
	/* Each says what it can, whatever the other found. */
	status = status_public(
	    trial_source(config, call->context, out, call->report));
	status = status_graver(status, check_store(call, options, config));
	return status_graver(status, check_archive(call, options, config));
}

static enum status
check_paths(
    const struct command_call *call, const struct check_options *options)
{
	struct config_peer *peers = NULL;
	char **paths = NULL;
	enum status worst;
	size_t count = 0;

	worst = config_paths(command_config(call->context, options->config),
	    call->report, &paths, &count);
	if (worst == STATUS_OK)
		worst = config_peers_load(paths, count, call->report, &peers);
	if (peers != NULL)
		worst = status_graver(
		    worst, config_peers_check(peers, count, call->report));
	for (size_t i = 0; peers != NULL && i < count; i++)
		if (peers[i].config != NULL)
			worst = status_graver(worst,
			    check_config(call, options, peers[i].config));
	config_peers_free(peers, count);
	config_paths_free(paths, count);
	return worst;
}

static enum status
command_run(struct command_call *call, const void *given)
{
	const struct check_options *options = given;

	if (!options->keys)
		return check_paths(call, options);
	config_print_keys(call->context->out);
	return STATUS_OK;
}

const struct command command_check_config = {
    .name = "check-config",
    .operands = "",
    .summary = "Read configurations strictly and print what they mean",
    .help = "Exit status: 0 well-formed, and fit; 1 the database or the "
	    "store\nis not to be had or not fit; 2 not well-formed; 3 a row "
	    "would be refused.\n",
    .options = {option_rows, sizeof(option_rows) / sizeof(option_rows[0])},
    .options_size = sizeof(struct check_options),
    .run = command_run,
};
