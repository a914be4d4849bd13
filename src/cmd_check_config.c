/* SPDX-License-Identifier: ISC */
/* crlpress check-config: what a configuration means, before cron runs it. */
#include <stddef.h>
#include <stdlib.h>

#include "crlpress/archive.h"
#include "crlpress/command.h"
#include "crlpress/command_option.h"
#include "crlpress/config.h"
#include "crlpress/config_peer.h"
#include "crlpress/store.h"
#include "crlpress/trial.h"

struct check_options {
	const char *config;
	struct option_texts issuers;
	bool keys;
	bool online;
	bool json;
	bool quiet;
};

#define OFFSET(member) offsetof(struct check_options, member)

static const struct option_row option_rows[] = {
    COMMAND_OPTION_CONFIG(OFFSET(config)),
    COMMAND_OPTION_ISSUERS(OFFSET(issuers)),
    {"keys", 0, OPTION_FLAG, OFFSET(keys), NULL,
	"list every key there is, with its default"},
    {"online", 0, OPTION_FLAG, OFFSET(online), NULL,
	"also try the database, and the store with an object that is "
	"removed again"},
    COMMAND_OPTION_JSON(OFFSET(json)),
    COMMAND_OPTION_QUIET(OFFSET(quiet)),
};

/* What all configurations are checked with. */
struct check {
	const struct command_call *call;
	const struct check_options *options;
	FILE *out; /* NULL: quiet, or JSON goes there */
	struct command_issuers asked;
};

/* Whether the store does what a run will rely on. */
static enum status
check_store(const struct check *check, const struct config *config)
{
	struct store_config store_config = {
	    .url = config->store_url,
	    .remote = &config->remote,
	    .context = check->call->context,
	};
	struct store *store = NULL;
	char *state_dir = NULL;
	enum status status;

	/* What is shown is remembered, if there was a run already. */
	if (asprintf(&state_dir, "%s/%s", config->state_dir, config->name) < 0)
		return STATUS_NO_MEMORY;
	store_config.state_dir = state_dir;
	status = store_open(&store_config, check->call->report, &store);
	if (status == STATUS_OK)
		status = store_probe(store);
	if (status == STATUS_OK && check->out != NULL)
		fprintf(check->out, "\n# %s: tried and found fit\n",
		    config->store_url);
	store_close(store);
	free(state_dir);
	return status_public(status);
}

/* That it can be read: nothing is put there that is not to stay. */
static enum status
check_archive(const struct check *check, const struct config *config)
{
	struct archive archive;
	struct archive_sets sets = {.set = NULL};
	enum status status;

	if (config->archive_url == NULL)
		return STATUS_OK;
	status = archive_open(
	    config, check->call->context, check->call->report, &archive);
	if (status == STATUS_OK)
		status = archive_sets_list(&archive, &sets);
	if (status == STATUS_OK && check->out != NULL)
		fprintf(check->out, "\n# %s: read, %zu sets\n",
		    config->archive_url, sets.count);
	archive_sets_free(&sets);
	archive_close(&archive);
	return status_public(status);
}

static enum status
check_config(const struct check *check, const struct config *config)
{
	const struct command_call *call = check->call;
	const bool online = check->options->online;
	enum status status =
	    trial_files(config, call->context, online, call->report);

	if (check->out != NULL)
		config_print(config, check->out);
	if (!online)
		return status_public(status);
	/* Each says what it can, whatever the other found. */
	status = status_graver(status_public(status),
	    status_public(
		trial_source(config, call->context, check->out, call->report)));
	status = status_graver(status, check_store(check, config));
	return status_graver(status, check_archive(check, config));
}

/* One of the files, which could be read or not. */
static enum status
check_peer(struct check *check, const char *path,
    const struct config_peer *peer, enum status unread)
{
	enum status status = peer->config == NULL ? unread
			     : peer->refused      ? STATUS_CONFIG
						  : STATUS_OK;
	struct json *json = check->call->json;

	if (peer->idle)
		return STATUS_OK;
	if (peer->config != NULL)
		status =
		    status_graver(status, check_config(check, peer->config));
	if (json == NULL)
		return status;
	json_open(json, NULL, '{');
	json_string(
	    json, "issuer", peer->config != NULL ? peer->config->name : NULL);
	json_string(json, "file", path);
	json_string(json, "status", status_name(status));
	json_close(json, '}');
	return status;
}

static enum status
check_peers(struct check *check, char **paths, size_t count)
{
	struct report *report = check->call->report;
	struct config_peer *peers = NULL;
	enum status worst = config_peers_load(paths, count, report, &peers);
	enum status unread = worst;

	for (size_t i = 0; peers != NULL && i < count; i++) {
		const struct config *config = peers[i].config;

		check->asked.is_one_unread |= config == NULL;
		if (config != NULL)
			peers[i].idle =
			    !command_is_asked_for(&check->asked, config->name);
	}
	if (peers != NULL)
		worst = status_graver(
		    worst, config_peers_check(peers, count, report));
	for (size_t i = 0; peers != NULL && i < count; i++)
		worst = status_graver(
		    worst, check_peer(check, paths[i], &peers[i], unread));
	config_peers_free(peers, count);
	return status_graver(
	    worst, command_issuers_missing(&check->asked, report));
}

static enum status
command_run(struct command_call *call, const void *given)
{
	const struct check_options *options = given;
	const char *path = command_config(call->context, options->config);
	struct check check = {
	    .call = call,
	    .options = options,
	    .out = options->quiet || options->json ? NULL : call->context->out,
	    .asked.named = &options->issuers,
	};
	char **paths = NULL;
	enum status status;
	size_t count = 0;

	if (options->keys && options->json)
		return command_usage(
		    call->report, "want one of --keys and --json");
	if (options->keys) {
		config_print_keys(call->context->out);
		return STATUS_OK;
	}
	command_json(call, options->json, command_check_config.json_array);
	status = config_paths(path, call->report, &paths, &count);
	if (status == STATUS_OK)
		status = check_peers(&check, paths, count);
	config_paths_free(paths, count);
	return status;
}

const struct command command_check_config = {
    .name = "check-config",
    .operands = "",
    .summary = "Read configurations strictly and print what they mean",
    .help = "A certificate or key that is not here is a warning, and with "
	    "--online a fault. No\nkey is opened: whether it is the "
	    "certificate's, `publish --dry-run` tells.\n\n"
	    "Exit status: 0 well-formed, and fit; 1 the database, the store or "
	    "the state\ndirectory is not to be had or not fit; 2 not "
	    "well-formed, or a file that it names\nis wrong; 3 publish would "
	    "refuse something.\n",
    .json_array = "configurations",
    .options = {option_rows, sizeof(option_rows) / sizeof(option_rows[0])},
    .options_size = sizeof(struct check_options),
    .run = command_run,
};
