/* SPDX-License-Identifier: ISC */
/* crlpress verify: anybody's CRLs, judged offline. */
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "crlpress/command.h"
#include "crlpress/report_json.h"
#include "crlpress/serial_text.h"
#include "crlpress/verify.h"

/* How far thisUpdate may lie ahead of this clock without a configuration. */
#define SKEW_SEC 300

struct verify_options {
	struct option_texts configs;
	struct option_texts issuer_certs;
	struct option_texts serials;
	const char *profile;
	const char *url;
	const char *rows;
	const char *previous;
	const char *ccadb;
	struct option_time now;
	uint32_t jobs;
	bool rules;
	bool json;
	bool quiet;
};

#define ROW(name, letter, kind, field, argument, help)                      \
	{                                                                   \
		name, letter, kind, offsetof(struct verify_options, field), \
		    argument, help                                          \
	}

static const struct option_row option_rows[] = {
    ROW("config", 'c', OPTION_TEXTS, configs, "PATH",
	"judge by this configuration, or every *.cnf of a directory"),
    ROW("issuer-cert", 'i', OPTION_TEXTS, issuer_certs, "FILE",
	"an issuer's certificate; may be given several times"),
    ROW("profile", 'p', OPTION_TEXT, profile, "NAME",
	"tls, tls-ca, smime-strict, smime-legacy or private"),
    ROW("url", 'u', OPTION_TEXT, url, "URL",
	"the URL the distribution point must name"),
    ROW("rows", 0, OPTION_TEXT, rows, "FILE",
	"CSV of the rows that must be listed, and no others"),
    ROW("previous", 0, OPTION_TEXT, previous, "PATH",
	"the set published before, which this one must follow"),
    ROW("ccadb", 0, OPTION_TEXT, ccadb, "FILE",
	"the JSON array of URLs that the CCADB has, which must be theirs"),
    ROW("serial", 's', OPTION_TEXTS, serials, "SERIAL",
	"tell which CRL lists this serial, since when and why"),
    ROW("now", 0, OPTION_TIME, now, "TIME",
	"judge as of this time, as 2026-12-01T06:00:00Z"),
    ROW("jobs", 'j', OPTION_COUNT, jobs, "N",
	"threads (default: one a processor)"),
    ROW("rules", 0, OPTION_FLAG, rules, NULL,
	"list the rules, with their severity in each profile"),
    ROW("json", 0, OPTION_FLAG, json, NULL, "report on stdout as JSON"),
    ROW("quiet", 'q', OPTION_FLAG, quiet, NULL, "print findings only"),
};

static const struct option_table option_table = {
    option_rows, sizeof(option_rows) / sizeof(option_rows[0])};

/* What verify judges by; owned here, borrowed by struct verify. */
struct judges {
	struct config *config[VERIFY_ISSUERS_MOST];
	struct issuer *issuer[VERIFY_ISSUERS_MOST];
	struct uint160 serial[OPTION_TEXTS_MOST]; /* to be asked for */
	size_t serial_count;
};

static enum status
too_many(struct report *report)
{
	return report_fault(report, STATUS_USAGE, "usage", NULL, NULL,
	    "more than %d issuers at once", VERIFY_ISSUERS_MOST);
}

static enum status
add_issuer(struct verify *verify, struct judges *judges, const char *path)
{
	size_t at = verify->issuer_count;
	enum status status;

	if (at == VERIFY_ISSUERS_MOST)
		return too_many(verify->report);
	status = issuer_load(path, verify->report, &judges->issuer[at]);
	if (status != STATUS_OK)
		return status;
	verify->issuer[at] = judges->issuer[at];
	verify->issuer_count++;
	return STATUS_OK;
}

static enum status
add_config(struct verify *verify, struct judges *judges, const char *path)
{
	size_t at = verify->config_count;
	enum status status;

	if (at == VERIFY_ISSUERS_MOST)
		return too_many(verify->report);
	status = config_load(path, verify->report, &judges->config[at]);
	if (status != STATUS_OK)
		return status;
	verify->config[at] = judges->config[at];
	verify->config_count++;
	if (judges->config[at]->skew_sec > verify->skew_sec)
		verify->skew_sec = judges->config[at]->skew_sec;
	status = add_issuer(verify, judges, judges->config[at]->certificate);
	if (status == STATUS_OK)
		verify->config_issuer[at] =
		    verify->issuer[verify->issuer_count - 1];
	return status;
}

static enum status
add_configs(struct verify *verify, struct judges *judges, const char *path)
{
	char **paths = NULL;
	enum status status;
	size_t count = 0;

	status = config_paths(path, verify->report, &paths, &count);
	for (size_t i = 0; status == STATUS_OK && i < count; i++)
		status = add_config(verify, judges, paths[i]);
	config_paths_free(paths, count);
	return status;
}

static enum status
read_profile(struct verify *verify, const struct verify_options *options)
{
	verify->profile = PROFILE_TLS;
	if (options->profile == NULL)
		return STATUS_OK;
	verify->has_profile = true;
	if (profile_from_name(options->profile, &verify->profile) == STATUS_OK)
		return STATUS_OK;
	return report_fault(verify->report, STATUS_USAGE, "usage", NULL, NULL,
	    "--profile %s: no such profile", options->profile);
}

/* As openssl and databases print them (serial_text.h). */
static enum status
read_serial(const char *text, struct uint160 *serial, struct report *report)
{
	const char *why = NULL;

	if (serial_text_read(text, strlen(text), serial, &why) == STATUS_OK)
		return STATUS_OK;
	return report_fault(report, STATUS_USAGE, "usage", NULL, NULL,
	    "--serial %s: %s", text, why);
}

static enum status
read_serials(struct verify *verify, struct judges *judges,
    const struct option_texts *texts)
{
	enum status status = STATUS_OK;

	for (size_t i = 0; status == STATUS_OK && i < texts->count; i++)
		status = read_serial(
		    texts->text[i], &judges->serial[i], verify->report);
	judges->serial_count = texts->count;
	return status;
}

static enum status
read_judges(struct verify *verify, struct judges *judges,
    const struct verify_options *options)
{
	enum status status = read_profile(verify, options);

	if (status == STATUS_OK)
		status = read_serials(verify, judges, &options->serials);
	for (size_t i = 0; status == STATUS_OK && i < options->configs.count;
	     i++)
		status = add_configs(verify, judges, options->configs.text[i]);
	for (size_t i = 0;
	     status == STATUS_OK && i < options->issuer_certs.count; i++)
		status =
		    add_issuer(verify, judges, options->issuer_certs.text[i]);
	if (status == STATUS_OK && verify->issuer_count == 0)
		status = report_fault(verify->report, STATUS_USAGE, "usage",
		    NULL, NULL,
		    "want --config or --issuer-cert: a signature can only be "
		    "judged by its issuer");
	return status;
}

static enum status
verify_paths(struct verify *verify, int argc, char **argv, int operands)
{
	enum status worst = STATUS_OK;

	if (operands == argc)
		return report_fault(verify->report, STATUS_USAGE, "usage", NULL,
		    NULL, "want a file, directory or manifest");
	for (int i = operands; i < argc; i++)
		worst = status_graver(worst, verify_add(verify, argv[i]));
	if (verify->file_count == 0 && worst == STATUS_OK)
		worst =
		    report_fault(verify->report, STATUS_FAULTY, argv[operands],
			"set-complete", "house rule", "no CRL to be found");
	return status_graver(worst, verify_run(verify));
}

/* That a serial is not listed is an answer, not a fault of the CRLs. */
static void
tell_json(struct verify *verify, const struct judges *judges, FILE *stream,
    enum status status)
{
	struct json json = {.stream = stream};

	json_open(&json, NULL, '{');
	json_open(&json, "serials", '[');
	for (size_t i = 0; i < judges->serial_count; i++)
		(void)!verify_ask_json(verify, &judges->serial[i], &json);
	json_close(&json, ']');
	verify_print_json(verify, status, &json);
	json_close(&json, '}');
	json_end(&json);
}

static void
tell(struct verify *verify, const struct judges *judges, FILE *stream,
    bool quiet)
{
	if (!quiet)
		verify_print(verify, stream);
	for (size_t i = 0; i < judges->serial_count; i++)
		(void)!verify_ask(verify, &judges->serial[i], stream);
}

static const char *const severity_texts[] = {"-", "warning", "fault"};

static void
print_rule(struct lint_rule_facts rule, FILE *stream)
{
	fprintf(stream, "%-17s", rule.id);
	for (int p = 0; p < PROFILE_COUNT; p++)
		fprintf(stream, " %-12s", severity_texts[rule.severity[p]]);
	fprintf(stream, " %s: %s\n", rule.clause, rule.summary);
}

static enum status
print_rules(FILE *stream)
{
	fprintf(stream, "%-17s", "rule");
	for (int p = 0; p < PROFILE_COUNT; p++)
		fprintf(stream, " %-12s", profile_name((enum profile)p));
	fprintf(stream, " %s\n", "clause: what");
	for (size_t i = 0; i < lint_rule_count(); i++)
		print_rule(lint_rule(i), stream);
	for (size_t i = 0; i < verify_rule_count(); i++)
		print_rule(verify_rule(i), stream);
	return STATUS_OK;
}

static enum status
verify_command(struct verify *verify, const struct verify_options *options,
    const struct context *context, int argc, char **argv, int operands)
{
	struct judges *judges = calloc(1, sizeof(*judges));
	enum status status;

	if (judges == NULL)
		return STATUS_NO_MEMORY;
	verify->url = options->url;
	verify->rows_path = options->rows;
	verify->previous_path = options->previous;
	verify->ccadb_path = options->ccadb;
	verify->now_sec =
	    options->now.given ? options->now.sec : context->clock_sec();
	verify->skew_sec = SKEW_SEC;
	verify->workers = options->jobs != 0 ? options->jobs : context->cpus;
	status = read_judges(verify, judges, options);
	if (status == STATUS_OK) {
		status = verify_paths(verify, argc, argv, operands);
		report_close(verify->report);
		if (status_exit(status) == status_exit(STATUS_USAGE))
			; /* Nothing was judged. */
		else if (options->json)
			tell_json(verify, judges, context->out, status);
		else
			tell(verify, judges, context->out, options->quiet);
	}
	verify_free(verify);
	for (size_t i = 0; i < VERIFY_ISSUERS_MOST; i++) {
		config_free(judges->config[i]);
		issuer_free(judges->issuer[i]);
	}
	free(judges);
	return status;
}

static enum status
command_run(const struct command *command, const struct context *context,
    int argc, char **argv)
{
	struct verify_options options = {0};
	struct verify verify = {0};
	enum status status;
	int operands = 0;

	verify.report = report_new(context->err, SEVERITY_NOTE);
	if (verify.report == NULL)
		return STATUS_NO_MEMORY;
	status = command_parse(
	    command, context, argc, argv, &options, verify.report, &operands);
	if (status == STATUS_OK && options.rules) {
		status = print_rules(context->out);
	} else if (status == STATUS_OK) {
		if (context->err_is_terminal && !options.quiet)
			verify.progress = progress_new(context->err);
		status = verify_command(
		    &verify, &options, context, argc, argv, operands);
	} else if (status == STATUS_DONE) {
		status = STATUS_OK;
	}
	progress_free(verify.progress);
	report_free(verify.report);
	return status;
}

const struct command command_verify = {
    .name = "verify",
    .operands = "PATH...",
    .summary = "Judge CRLs offline: files, directories, a manifest",
    .help = "Exit status: 0 no fault; 2 usage or configuration; 5 faults "
	    "found.\n",
    .options = &option_table,
    .run = command_run,
};
