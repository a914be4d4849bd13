/* SPDX-License-Identifier: ISC */
/* crlpress verify: anybody's CRLs, judged offline. */
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "crlpress/command.h"
#include "crlpress/command_option.h"
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

#define OFFSET(member) offsetof(struct verify_options, member)

static const struct option_row option_rows[] = {
    {"config", 'c', OPTION_TEXTS, OFFSET(configs), "PATH",
	"judge by this configuration, or every *.cnf of a directory"},
    {"issuer-cert", 'i', OPTION_TEXTS, OFFSET(issuer_certs), "FILE",
	"an issuer's certificate; may be given several times"},
    {"profile", 'p', OPTION_TEXT, OFFSET(profile), "NAME",
	"tls, tls-ca, smime-strict, smime-legacy or private"},
    {"url", 'u', OPTION_TEXT, OFFSET(url), "URL",
	"the URL the distribution point must name"},
    {"rows", 0, OPTION_TEXT, OFFSET(rows), "FILE",
	"CSV of the rows that must be listed, and no others"},
    {"previous", 0, OPTION_TEXT, OFFSET(previous), "PATH",
	"the set published before, which this one must follow"},
    {"ccadb", 0, OPTION_TEXT, OFFSET(ccadb), "FILE",
	"the JSON array of URLs that the CCADB has, which must be theirs"},
    {"serial", 's', OPTION_TEXTS, OFFSET(serials), "SERIAL",
	"tell which CRL lists this serial, since when and why"},
    {"now", 0, OPTION_TIME, OFFSET(now), "TIME",
	"judge as of this time, as 2026-12-01T06:00:00Z"},
    {"jobs", 'j', OPTION_COUNT, OFFSET(jobs), "N",
	"threads (default: one a processor)"},
    {"rules", 0, OPTION_FLAG, OFFSET(rules), NULL,
	"list the rules, with their severity in each profile"},
    COMMAND_OPTION_JSON(OFFSET(json)),
    {"quiet", 'q', OPTION_FLAG, OFFSET(quiet), NULL, "print findings only"},
};

/* What verify judges by; owned here, borrowed by struct verify. */
struct judges {
	struct config *config[VERIFY_ISSUERS_MOST];
	struct issuer *issuer[VERIFY_ISSUERS_MOST];
	struct uint160 serial[OPTION_TEXTS_MOST]; /* to be asked for */
	size_t serial_count;
	enum status broken; /* a file of them is; the others judge */
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

/* One whose certificate cannot be read has nothing to judge by. */
static enum status
add_config(struct verify *verify, struct judges *judges, const char *path)
{
	size_t at = verify->config_count;
	struct config *config = NULL;
	enum status status;

	if (at == VERIFY_ISSUERS_MOST)
		return too_many(verify->report);
	status = config_load(path, verify->report, &config);
	if (status == STATUS_OK)
		status = add_issuer(verify, judges, config->certificate);
	if (status != STATUS_OK) {
		config_free(config);
		return status;
	}
	judges->config[at] = config;
	verify->config[at] = config;
	verify->config_count++;
	if (config->skew_sec > verify->skew_sec)
		verify->skew_sec = config->skew_sec;
	verify->config_issuer[at] = verify->issuer[verify->issuer_count - 1];
	return STATUS_OK;
}

/*
 * A file that is wrong is told, and shows in the exit status: it must not keep
 * from sight what is wrong with the CRLs of the others.
 */
static enum status
go_on(struct judges *judges, enum status status)
{
	if (status == STATUS_USAGE || status == STATUS_NO_MEMORY)
		return status;
	judges->broken = status_graver(judges->broken, status);
	return STATUS_OK;
}

static enum status
add_configs(struct verify *verify, struct judges *judges, const char *path)
{
	char **paths = NULL;
	enum status status;
	size_t count = 0;

	status =
	    go_on(judges, config_paths(path, verify->report, &paths, &count));
	for (size_t i = 0; status == STATUS_OK && i < count; i++)
		status = go_on(judges, add_config(verify, judges, paths[i]));
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
		status = go_on(judges,
		    add_issuer(verify, judges, options->issuer_certs.text[i]));
	if (status == STATUS_OK && verify->issuer_count == 0 &&
	    judges->broken != STATUS_OK)
		status = judges->broken;
	else if (status == STATUS_OK && verify->issuer_count == 0)
		status = command_usage(verify->report,
		    "want --config or --issuer-cert: a signature can only be "
		    "judged by its issuer");
	return status;
}

static enum status
verify_paths(struct verify *verify, int count, char **paths)
{
	enum status worst = STATUS_OK;

	if (count == 0)
		return command_usage(
		    verify->report, "want a file, directory or manifest");
	for (int i = 0; i < count; i++)
		worst = status_graver(worst, verify_add(verify, paths[i]));
	if (verify->file_count == 0 && worst == STATUS_OK)
		worst = report_fault(verify->report, STATUS_FAULTY, paths[0],
		    "set-complete", "house rule", "no CRL to be found");
	return status_graver(worst, verify_run(verify));
}

/* That a serial is not listed is an answer, not a fault of the CRLs. */
static void
tell_json(struct verify *verify, const struct judges *judges, struct json *json)
{
	json_open(json, "serials", '[');
	for (size_t i = 0; i < judges->serial_count; i++)
		(void)!verify_ask_json(verify, &judges->serial[i], json);
	json_close(json, ']');
	json_open(json, "files", '[');
	verify_print_json(verify, json);
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

/* Its severity in each profile; null where that has no such rule. */
static void
print_rule_json(struct lint_rule_facts rule, struct json *json)
{
	json_open(json, NULL, '{');
	json_string(json, "rule", rule.id);
	json_string(json, "clause", rule.clause);
	json_string(json, "summary", rule.summary);
	json_open(json, "severity", '{');
	for (int p = 0; p < PROFILE_COUNT; p++)
		json_string(json, profile_name((enum profile)p),
		    rule.severity[p] == 0 ? NULL
					  : severity_texts[rule.severity[p]]);
	json_close(json, '}');
	json_close(json, '}');
}

static void
print_rules(const struct command_call *call)
{
	FILE *stream = call->context->out;
	size_t of_one = lint_rule_count();

	if (call->json == NULL) {
		fprintf(stream, "%-17s", "rule");
		for (int p = 0; p < PROFILE_COUNT; p++)
			fprintf(
			    stream, " %-12s", profile_name((enum profile)p));
		fprintf(stream, " %s\n", "clause: what");
	}
	for (size_t i = 0; i < of_one + verify_rule_count(); i++) {
		struct lint_rule_facts rule =
		    i < of_one ? lint_rule(i) : verify_rule(i - of_one);

		if (call->json != NULL)
			print_rule_json(rule, call->json);
		else
			print_rule(rule, stream);
	}
}

/* Judges and tells what it found. */
static enum status
verify_judge(struct verify *verify, const struct judges *judges,
    struct command_call *call, const struct verify_options *options)
{
	enum status status =
	    verify_paths(verify, call->operand_count, call->operands);

	if (status_exit(status) == status_exit(STATUS_USAGE))
		return status; /* Nothing was judged. */
	command_close(call);
	if (options->json) {
		command_json(call, true, NULL);
		tell_json(verify, judges, call->json);
	} else {
		tell(verify, judges, call->context->out, options->quiet);
	}
	return status_graver(status, judges->broken);
}

static enum status
command_run(struct command_call *call, const void *given)
{
	const struct verify_options *options = given;
	const struct context *context = call->context;
	struct verify verify = {
	    .report = call->report,
	    .url = options->url,
	    .rows_path = options->rows,
	    .previous_path = options->previous,
	    .ccadb_path = options->ccadb,
	    .now_sec =
		options->now.given ? options->now.sec : context->clock_sec(),
	    .skew_sec = SKEW_SEC,
	    .workers = options->jobs != 0 ? options->jobs : context->cpus,
	};
	struct judges *judges;
	enum status status;

	if (options->rules) {
		command_json(call, options->json, "rules");
		print_rules(call);
		return STATUS_OK;
	}
	judges = calloc(1, sizeof(*judges));
	if (judges == NULL)
		return STATUS_NO_MEMORY;
	command_progress(call, options->quiet);
	verify.progress = call->progress;
	status = read_judges(&verify, judges, options);
	if (status == STATUS_OK)
		status = verify_judge(&verify, judges, call, options);
	verify_free(&verify);
	for (size_t i = 0; i < VERIFY_ISSUERS_MOST; i++) {
		config_free(judges->config[i]);
		issuer_free(judges->issuer[i]);
	}
	free(judges);
	return status;
}

const struct command command_verify = {
    .name = "verify",
    .operands = "PATH...",
    .summary = "Judge CRLs offline: files, directories, a manifest",
    .help = "Of several configurations one that is wrong stops no other; its "
	    "status is 2.\n\n"
	    "Exit status: 0 no fault; 1 failed; 2 usage or configuration; 5 "
	    "faults found.\n",
    .json_array = "files",
    .options = {option_rows, sizeof(option_rows) / sizeof(option_rows[0])},
    .options_size = sizeof(struct verify_options),
    .run = command_run,
};
