/* SPDX-License-Identifier: ISC */
/* crlpress plan: what a configuration comes to, in URLs and in sizes. */
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "crlpress/command.h"
#include "crlpress/command_option.h"
#include "crlpress/plan.h"
#include "crlpress/plan_check.h"
#include "crlpress/plan_size.h"
#include "crlpress/quantity.h"

/* Whole weeks, since weekdays differ; a quarter of a year is time to act. */
#define TREND_SEC (28 * INT64_C(86400))
#define HORIZON_SEC (90 * INT64_C(86400))

struct plan_options {
	const char *config;
	struct option_texts issuers;
	bool urls;
	bool ccadb;
	bool check;
	bool sizes;
	struct option_duration trend;
	struct option_duration horizon;
	const char *certificates;
	bool json;
	bool quiet;
};

#define OFFSET(member) offsetof(struct plan_options, member)

static const struct option_row option_rows[] = {
    COMMAND_OPTION_CONFIG(OFFSET(config)),
    COMMAND_OPTION_ISSUERS(OFFSET(issuers)),
    {"urls", 0, OPTION_FLAG, OFFSET(urls), NULL,
	"print the URL of every shard, one a line"},
    {"ccadb", 0, OPTION_FLAG, OFFSET(ccadb), NULL,
	"print them as the JSON array that the CCADB takes"},
    {"check", 0, OPTION_FLAG, OFFSET(check), NULL,
	"ask every URL, and those before and behind them"},
    {"sizes", 0, OPTION_FLAG, OFFSET(sizes), NULL,
	"ask the database how large each shard is, and will be"},
    {"horizon", 0, OPTION_DURATION, OFFSET(horizon), "DURATION",
	"how far ahead --sizes looks; 90d"},
    {"trend", 0, OPTION_DURATION, OFFSET(trend), "DURATION",
	"by the revocations of how long; 28d"},
    {"certificates", 0, OPTION_TEXT, OFFSET(certificates), "N",
	"with --sizes, as many are valid, and may all be revoked"},
    {"json", 0, OPTION_FLAG, OFFSET(json), NULL, "print the plan as JSON"},
    {"quiet", 'q', OPTION_FLAG, OFFSET(quiet), NULL,
	"with --check or --sizes, print findings only"},
};

struct planning {
	const struct context *context;
	struct report *report;
	struct json *json; /* NULL: text */
	const struct plan_options *options;
	struct command_issuers asked;
	struct plan_size_options sizes;
	size_t issuers; /* that were planned so far */
};

/* As the network has them, beside what they are to be. */
static enum status
tell_answers(struct planning *planning, const struct plan *plan)
{
	struct plan_answers answers;
	enum status status =
	    plan_check(plan, planning->context, planning->report, &answers);

	if (planning->json != NULL) {
		json_open(planning->json, NULL, '{');
		json_string(planning->json, "issuer", plan->config->name);
		plan_answers_print_json(&answers, planning->json);
		json_close(planning->json, '}');
	} else if (!planning->options->quiet) {
		plan_print(plan, planning->context->out);
		plan_answers_print(&answers, planning->context->out);
	}
	plan_answers_free(&answers);
	return status;
}

/* How large they are and will be; what there is to warn of goes first. */
static enum status
tell_sizes(struct planning *planning, const struct plan *plan)
{
	FILE *out = planning->context->out;
	struct plan_sizes sizes = {.plan = NULL};
	enum status status = plan_sizes_make(plan, &planning->sizes,
	    planning->context, planning->report, &sizes);

	if (status != STATUS_OK && status != STATUS_FAULTY) {
		;
	} else if (planning->json != NULL) {
		json_open(planning->json, NULL, '{');
		json_string(planning->json, "issuer", plan->config->name);
		plan_sizes_print_json(&sizes, planning->json);
		json_close(planning->json, '}');
	} else if (!planning->options->quiet) {
		plan_print(plan, out);
		plan_sizes_print(&sizes, out);
	}
	plan_sizes_free(&sizes);
	return status_public(status);
}

/* A field is one issuer's: with several it is said whose each line is. */
static void
tell(struct planning *planning, const struct plan *plan, size_t files)
{
	FILE *out = planning->context->out;

	if (planning->options->urls) {
		plan_print_urls(plan, out);
	} else if (planning->options->ccadb) {
		if (files > 1)
			report_note(planning->report, plan->config->name,
			    "line %zu, %zu URLs", planning->issuers + 1,
			    plan->count);
		plan_print_ccadb(plan, out);
	} else if (planning->json != NULL) {
		plan_print_json(plan, planning->json);
	} else {
		plan_print(plan, out);
	}
	planning->issuers++;
}

static enum status
plan_file(struct planning *planning, const char *path, size_t files)
{
	struct config *config = NULL;
	struct plan plan = {0};
	enum status status;

	status = config_load(path, planning->report, &config);
	if (status != STATUS_OK)
		planning->asked.is_one_unread = true;
	else if (command_is_asked_for(&planning->asked, config->name)) {
		status = plan_make(config, planning->report, &plan);
		if (status == STATUS_OK && planning->options->check)
			status = tell_answers(planning, &plan);
		else if (status == STATUS_OK && planning->options->sizes)
			status = tell_sizes(planning, &plan);
		else if (status == STATUS_OK)
			tell(planning, &plan, files);
	}
	plan_free(&plan);
	config_free(config);
	return status;
}

static enum status
plan_paths(struct planning *planning)
{
	const char *path =
	    command_config(planning->context, planning->options->config);
	char **paths = NULL;
	enum status worst;
	size_t count = 0;

	worst = config_paths(path, planning->report, &paths, &count);
	for (size_t i = 0; i < count; i++)
		worst =
		    status_graver(worst, plan_file(planning, paths[i], count));
	config_paths_free(paths, count);
	return status_graver(
	    worst, command_issuers_missing(&planning->asked, planning->report));
}

/* What --sizes is to reckon with. */
static enum status
sizes_take(struct planning *planning)
{
	const struct plan_options *options = planning->options;
	struct plan_size_options *sizes = &planning->sizes;
	const char *why = NULL;

	sizes->trend_sec =
	    options->trend.given ? options->trend.sec : TREND_SEC;
	sizes->horizon_sec =
	    options->horizon.given ? options->horizon.sec : HORIZON_SEC;
	if (!options->sizes &&
	    (options->trend.given || options->horizon.given ||
		options->certificates != NULL))
		return command_usage(planning->report,
		    "--horizon, --trend and --certificates go with "
		    "--sizes");
	if (sizes->trend_sec > FORECAST_TIME_MOST_SEC ||
	    sizes->horizon_sec > FORECAST_TIME_MOST_SEC)
		return command_usage(planning->report,
		    "--horizon and --trend are at most 36600d");
	if (options->certificates == NULL)
		return STATUS_OK;
	sizes->has_certificates = true;
	if (quantity_count(options->certificates, 0, PLAN_CERTIFICATES_MOST,
		&sizes->certificates, &why) != STATUS_OK)
		return report_fault(planning->report, STATUS_USAGE, "usage",
		    NULL, NULL, "--certificates: %s: %s", options->certificates,
		    why);
	return STATUS_OK;
}

static enum status
command_run(struct command_call *call, const void *given)
{
	const struct plan_options *options = given;
	struct planning planning = {
	    .context = call->context,
	    .report = call->report,
	    .options = options,
	    .asked.named = &options->issuers,
	};
	enum status status;

	if (options->check + options->sizes > 1)
		return command_usage(
		    call->report, "want one of --check and --sizes");
	if ((options->check || options->sizes) &&
	    (options->urls || options->ccadb))
		return command_usage(call->report,
		    "--check and --sizes go with --json or nothing");
	/* What it would print is all that it is asked for. */
	if (options->quiet && !options->check && !options->sizes)
		return command_usage(
		    call->report, "--quiet goes with --check or --sizes");
	if (options->urls + options->ccadb + options->json > 1)
		return command_usage(
		    call->report, "want one of --urls, --ccadb and --json");
	status = sizes_take(&planning);
	if (status != STATUS_OK)
		return status;
	command_json(call, options->json, "issuers");
	planning.json = call->json;
	return plan_paths(&planning);
}

const struct command command_plan = {
    .name = "plan",
    .operands = "",
    .summary = "Print the URLs that certificates name, and shards' sizes",
    .help = "Exit status: 0 done; 1 the database is not to be had; 2 usage or\n"
	    "configuration; 5 --check found faults, or --sizes a shard that "
	    "will be\nlarger than size_most.\n",
    .json_array = "issuers",
    .options = {option_rows, sizeof(option_rows) / sizeof(option_rows[0])},
    .options_size = sizeof(struct plan_options),
    .run = command_run,
};
