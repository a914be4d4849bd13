/* SPDX-License-Identifier: ISC */
/* crlpress publish: the main job, for every configured issuer. */
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "crlpress/command.h"
#include "crlpress/config.h"
#include "crlpress/report_json.h"
#include "crlpress/run.h"

struct publish_options {
	const char *config;
	struct option_texts issuers;
	struct option_texts passes;
	const char *passphrase_fd;
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
	char **names; /* of the issuers so far */
	size_t names_count;
};

/* Two issuers of one name would share a lock, a number and a manifest. */
static enum status
check_name(struct publish *publish, const struct config *config)
{
	for (size_t i = 0; i < publish->names_count; i++) {
		if (strcmp(publish->names[i], config->name) != 0)
			continue;
		return report_fault(publish->report, STATUS_CONFIG,
		    config->path, "config", NULL,
		    "another file has the issuer name %s too", config->name);
	}
	publish->names[publish->names_count] = strdup(config->name);
	if (publish->names[publish->names_count] == NULL)
		return STATUS_NO_MEMORY;
	publish->names_count++;
	return STATUS_OK;
}

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

static enum status
publish_issuer(struct publish *publish, const char *path)
{
	struct config *config = NULL;
	enum status status;

	status = config_load(path, publish->report, &config);
	publish->asked.is_one_unread |= status != STATUS_OK;
	if (status == STATUS_OK)
		status = check_name(publish, config);
	if (status == STATUS_OK &&
	    command_is_asked_for(&publish->asked, config->name))
		status = publish_config(publish, config);
	config_free(config);
	return status;
}

/* One after the other; what fails for one does not stop the next. */
static enum status
publish_all(struct publish *publish, char **paths, size_t count)
{
	enum status worst = STATUS_OK;

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
	if (publish->run.share &&
	    (publish->run.dry_run || publish->run.has_now ||
		publish->run.passes.count > 0))
		return report_fault(publish->report, STATUS_USAGE, "usage",
		    NULL, NULL,
		    "--share goes without --dry-run, --now and --pass: other "
		    "hosts would not do the same");
	publish->names = calloc(count, sizeof(*publish->names));
	if (publish->names == NULL)
		return STATUS_NO_MEMORY;
	for (size_t i = 0; i < count; i++)
		worst = status_graver(worst, publish_issuer(publish, paths[i]));
	while (publish->names_count > 0)
		free(publish->names[--publish->names_count]);
	free(publish->names);
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
