/* SPDX-License-Identifier: ISC */
/* crlpress publish: the main job, for every configured issuer. */
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "crlpress/command.h"
#include "crlpress/command_option.h"
#include "crlpress/config.h"
#include "crlpress/config_peer.h"
#include "crlpress/run.h"

struct publish_options {
	const char *config;
	struct option_texts issuers;
	struct option_texts passes;
	const char *passphrase_fd;
	const char *stage_dir;
	const char *signed_dir;
	struct option_time now;
	uint32_t jobs;
	bool share;
	bool dry_run;
	bool diff;
	bool json;
	bool quiet;
};

#define OFFSET(member) offsetof(struct publish_options, member)

static const struct option_row option_rows[] = {
    COMMAND_OPTION_CONFIG(OFFSET(config)),
    COMMAND_OPTION_ISSUERS(OFFSET(issuers)),
    {"dry-run", 'n', OPTION_FLAG, OFFSET(dry_run), NULL,
	"make and judge everything, publish nothing"},
    {"diff", 0, OPTION_FLAG, OFFSET(diff), NULL,
	"print every entry that differs from what is published"},
    COMMAND_OPTION_PASS(OFFSET(passes)),
    {"stage-tbs", 0, OPTION_TEXT, OFFSET(stage_dir), "DIR",
	"sign nothing: write there what `sign` is to sign elsewhere"},
    {"signed", 0, OPTION_TEXT, OFFSET(signed_dir), "DIR",
	"publish what `sign` made of what was staged last"},
    {"share", 0, OPTION_FLAG, OFFSET(share), NULL,
	"with the other hosts that do the same now: [share]"},
    {"jobs", 'j', OPTION_COUNT, OFFSET(jobs), "N",
	"threads that read rows and make shards (default: one a "
	"processor)"},
    COMMAND_OPTION_NOW(OFFSET(now)),
    COMMAND_OPTION_PASSPHRASE_FD(OFFSET(passphrase_fd)),
    COMMAND_OPTION_JSON(OFFSET(json)),
    COMMAND_OPTION_QUIET(OFFSET(quiet)),
};

/* What one publish works with, beside its options. */
struct publish {
	struct command_call *call;
	struct report *report;
	const struct publish_options *options;
	struct run_options run;
	struct command_issuers asked;
};

static enum status
publish_config(struct publish *publish, const struct config *config)
{
	const struct context *context = publish->call->context;
	struct run *run = NULL;
	enum status status;

	if (context->interrupted != NULL && context->interrupted())
		return report_fault(publish->report, STATUS_FAILED,
		    config->name, NULL, NULL, "not begun: interrupted");
	status = run_publish(config, &publish->run, context, publish->report,
	    publish->call->progress, &run);
	if (run != NULL)
		command_tell_run(publish->call, &publish->run, run);
	run_free(run);
	return status;
}

/* What shares something with another is told before anything is done. */
static enum status
publish_check(struct publish *publish, struct config_peer *peers, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		const struct config *config = peers[i].config;

		publish->asked.is_one_unread |= config == NULL;
		if (config != NULL)
			peers[i].idle = !command_is_asked_for(
			    &publish->asked, config->name);
	}
	return config_peers_check(peers, count, publish->report);
}

/* A directory is of one issuer, and of one step of three. */
static enum status
check_elsewhere(const struct publish *publish, size_t count)
{
	const struct run_options *run = &publish->run;
	bool both = run->stage_dir != NULL && run->signed_dir != NULL;

	if (run->stage_dir == NULL && run->signed_dir == NULL)
		return STATUS_OK;
	if (both || run->share || run->dry_run)
		return command_usage(publish->report,
		    "--stage-tbs and --signed go without each other, --dry-run "
		    "and --share");
	if (count > 1 && publish->options->issuers.count != 1)
		return command_usage(publish->report,
		    "--stage-tbs and --signed go with one issuer; name it with "
		    "--issuer");
	return STATUS_OK;
}

/* One after the other; what fails for one does not stop the next. */
static enum status
publish_all(struct publish *publish, char **paths, size_t count)
{
	struct config_peer *peers = NULL;
	enum status worst;

	if (count > 1 && publish->run.passphrase_fd >= 0)
		return report_fault(publish->report, STATUS_USAGE, "usage",
		    NULL, NULL,
		    "--passphrase-fd goes with one configuration, have %zu",
		    count);
	if (count > 1 && publish->run.passes.count > 0 &&
	    publish->options->issuers.count != 1)
		return command_usage(publish->report,
		    "--pass goes with one issuer; name it with --issuer");
	if (check_elsewhere(publish, count) != STATUS_OK)
		return STATUS_USAGE;
	if (publish->run.share &&
	    (publish->run.dry_run || publish->run.has_now ||
		publish->run.passes.count > 0))
		return command_usage(publish->report,
		    "--share goes without --dry-run, --now and --pass: other "
		    "hosts would not do the same");
	publish->run.several = count > 1;
	worst = config_peers_load(paths, count, publish->report, &peers);
	if (peers == NULL)
		return worst;
	worst = status_graver(worst, publish_check(publish, peers, count));
	for (size_t i = 0; i < count; i++)
		if (peers[i].config != NULL && !peers[i].idle &&
		    !peers[i].refused)
			worst = status_graver(
			    worst, publish_config(publish, peers[i].config));
	config_peers_free(peers, count);
	return status_graver(
	    worst, command_issuers_missing(&publish->asked, publish->report));
}

static enum status
publish_paths(struct publish *publish)
{
	const struct publish_options *options = publish->options;
	char **paths = NULL;
	enum status status;
	size_t count = 0;

	status = command_run_options(publish->call, options->passphrase_fd,
	    &options->passes, &publish->run);
	if (status == STATUS_OK)
		status = config_paths(
		    command_config(publish->call->context, options->config),
		    publish->report, &paths, &count);
	if (status == STATUS_OK)
		status = publish_all(publish, paths, count);
	if (status_exit(status) != status_exit(STATUS_USAGE))
		command_passes_unused(
		    &options->passes, publish->report, &publish->run.passes);
	config_paths_free(paths, count);
	return status;
}

static enum status
command_run(struct command_call *call, const void *given)
{
	const struct publish_options *options = given;
	struct publish publish = {
	    .call = call,
	    .report = call->report,
	    .options = options,
	    .run.share = options->share,
	    .run.stage_dir = options->stage_dir,
	    .run.signed_dir = options->signed_dir,
	    .run.quiet = options->quiet,
	    .run.dry_run = options->dry_run,
	    .run.diff = options->diff,
	    .run.has_now = options->now.given,
	    .run.now_sec = options->now.sec,
	    .run.workers =
		options->jobs != 0 ? options->jobs : call->context->cpus,
	    .asked.named = &options->issuers,
	};

	command_progress(call, options->quiet);
	command_json(call, options->json, "runs");
	return publish_paths(&publish);
}

const struct command command_publish = {
    .name = "publish",
    .operands = "",
    .summary = "Make, judge and publish every shard of every issuer",
    .help = "Exit status: 0 done; 1 failed, nothing changed; 2 usage or "
	    "configuration;\n3 a gate refused something, the old shards "
	    "stand; 4 partly uploaded, safe to\nrun again; 75 another run "
	    "holds the lock.\n",
    .help_more = command_print_gates,
    .json_array = "runs",
    .options = {option_rows, sizeof(option_rows) / sizeof(option_rows[0])},
    .options_size = sizeof(struct publish_options),
    .run = command_run,
};
