/* SPDX-License-Identifier: ISC */
/* crlpress publish: the main job, for every configured issuer. */
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "crlpress/command.h"
#include "crlpress/config.h"
#include "crlpress/config_peer.h"
#include "crlpress/report_json.h"
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

#define ROW(name, letter, kind, field, argument, help)                       \
	{                                                                    \
		name, letter, kind, offsetof(struct publish_options, field), \
		    argument, help                                           \
	}

static const struct option_row option_rows[] = {
    ROW("config", 'c', OPTION_TEXT, config, "PATH",
	"a configuration file, or a directory of *.cnf"),
    ROW("issuer", 'i', OPTION_TEXTS, issuers, "NAME",
	"only this issuer; may be given several times"),
    ROW("dry-run", 'n', OPTION_FLAG, dry_run, NULL,
	"make and judge everything, publish nothing"),
    ROW("diff", 0, OPTION_FLAG, diff, NULL,
	"print every entry that differs from what is published"),
    ROW("pass", 0, OPTION_TEXTS, passes, "GATE[:SHARD]",
	"let one gate pass, once; recorded in the manifest"),
    ROW("stage-tbs", 0, OPTION_TEXT, stage_dir, "DIR",
	"sign nothing: write there what `sign` is to sign elsewhere"),
    ROW("signed", 0, OPTION_TEXT, signed_dir, "DIR",
	"publish what `sign` made of what was staged last"),
    ROW("share", 0, OPTION_FLAG, share, NULL,
	"with the other hosts that do the same now: [share]"),
    ROW("jobs", 'j', OPTION_COUNT, jobs, "N",
	"threads that read rows and make shards (default: one a "
	"processor)"),
    ROW("now", 0, OPTION_TIME, now, "TIME",
	"the time of this run, as 2026-12-01T06:00:00Z"),
    ROW("passphrase-fd", 0, OPTION_TEXT, passphrase_fd, "N",
	"read the key's passphrase from this descriptor"),
    ROW("json", 0, OPTION_FLAG, json, NULL, "report on stdout as JSON"),
    ROW("quiet", 'q', OPTION_FLAG, quiet, NULL,
	"print nothing when all is well"),
};

static const struct option_table option_table = {
    option_rows, sizeof(option_rows) / sizeof(option_rows[0])};

/* What one publish works with, beside its options. */
struct publish {
	const struct context *context;
	const struct publish_options *options;
	struct run_options run;
	struct report *report;
	struct progress *progress;
	struct json json;
	struct command_issuers asked;
};

static enum status
publish_config(struct publish *publish, const struct config *config)
{
	const struct context *context = publish->context;
	struct run *run = NULL;
	enum status status;

	if (context->interrupted != NULL && context->interrupted())
		return report_fault(publish->report, STATUS_FAILED,
		    config->name, NULL, NULL, "not begun: interrupted");
	status = run_publish(config, &publish->run, context, publish->report,
	    publish->progress, &run);
	if (run != NULL)
		command_tell_run(publish->context, publish->report,
		    &publish->run, run,
		    publish->options->json ? &publish->json : NULL);
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
		return report_fault(publish->report, STATUS_USAGE, "usage",
		    NULL, NULL,
		    "--stage-tbs and --signed go without each other, --dry-run "
		    "and --share");
	if (count > 1 && publish->options->issuers.count != 1)
		return report_fault(publish->report, STATUS_USAGE, "usage",
		    NULL, NULL,
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
		return report_fault(publish->report, STATUS_USAGE, "usage",
		    NULL, NULL,
		    "--pass goes with one issuer; name it with --issuer");
	if (check_elsewhere(publish, count) != STATUS_OK)
		return STATUS_USAGE;
	if (publish->run.share &&
	    (publish->run.dry_run || publish->run.has_now ||
		publish->run.passes.count > 0))
		return report_fault(publish->report, STATUS_USAGE, "usage",
		    NULL, NULL,
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
	const char *path = publish->options->config != NULL
			       ? publish->options->config
			       : publish->context->config_path;
	char **paths = NULL;
	enum status status;
	size_t count = 0;

	status = command_passphrase_fd(publish->options->passphrase_fd,
	    publish->report, &publish->run.passphrase_fd);
	if (status == STATUS_OK)
		status = command_passes(&publish->options->passes,
		    publish->report, &publish->run.passes);
	if (status == STATUS_OK)
		status = config_paths(path, publish->report, &paths, &count);
	if (status == STATUS_OK)
		status = publish_all(publish, paths, count);
	if (status_exit(status) != status_exit(STATUS_USAGE))
		command_passes_unused(&publish->options->passes,
		    publish->report, &publish->run.passes);
	config_paths_free(paths, count);
	return status;
}

static enum status
publish_run(struct publish *publish)
{
	const struct publish_options *options = publish->options;
	enum status status;

	publish->run.share = options->share;
	publish->run.stage_dir = options->stage_dir;
	publish->run.signed_dir = options->signed_dir;
	publish->run.quiet = options->quiet;
	publish->run.dry_run = options->dry_run;
	publish->run.diff = options->diff;
	publish->run.has_now = options->now.given;
	publish->run.now_sec = options->now.sec;
	publish->run.workers =
	    options->jobs != 0 ? options->jobs : publish->context->cpus;
	if (options->json)
		report_json_begin(
		    &publish->json, publish->context->out, "runs");
	status = publish_paths(publish);
	report_close(publish->report);
	if (options->json)
		report_json_end(publish->report, status, &publish->json);
	return status;
}

static enum status
command_run(const struct command *command, const struct context *context,
    int argc, char **argv)
{
	struct publish_options options = {0};
	struct publish publish = {.context = context,
	    .options = &options,
	    .asked.named = &options.issuers};
	enum status status;
	int operands = 0;

	publish.report = report_new(context->err, SEVERITY_NOTE);
	if (publish.report == NULL)
		return STATUS_NO_MEMORY;
	status = command_parse(
	    command, context, argc, argv, &options, publish.report, &operands);
	if (status == STATUS_OK) {
		if (context->err_is_terminal && !options.quiet)
			publish.progress = progress_new(context->err);
		status = publish_run(&publish);
	} else if (status == STATUS_DONE) {
		status = STATUS_OK;
	}
	progress_free(publish.progress);
	report_free(publish.report);
	return status;
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
    .options = &option_table,
    .run = command_run,
};
