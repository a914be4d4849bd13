/* SPDX-License-Identifier: ISC */
/* The command table, and what all commands share. */
#include "crlpress/command.h"

#include <stdlib.h>
#include <string.h>

#include "crlpress/name_nearest.h"
#include "crlpress/report_json.h"

static const struct command command_help;

static const struct command *const commands[] = {
    &command_publish,
    &command_push,
    &command_revoke,
    &command_sign,
    &command_verify,
    &command_plan,
    &command_archive,
    &command_init,
    &command_check_config,
    &command_ocsp_gate,
    &command_help,
};

#define COMMAND_COUNT (sizeof(commands) / sizeof(commands[0]))

static void
print_overview(FILE *stream)
{
	fprintf(stream,
	    "usage: crlpress COMMAND [OPTION...]\n\n"
	    "Publishes partitioned CRLs from the revoked serials in a "
	    "PostgreSQL database.\n\n");
	for (size_t i = 0; i < COMMAND_COUNT; i++)
		fprintf(stream, "  %-14s%s\n", commands[i]->name,
		    commands[i]->summary);
	fprintf(stream,
	    "  %-14s%s\n\n"
	    "`crlpress help COMMAND` tells more, crlpress(1) all.\n",
	    "--version", "Print the version");
}

static const struct command *
command_find(const char *name)
{
	for (size_t i = 0; i < COMMAND_COUNT; i++)
		if (strcmp(commands[i]->name, name) == 0)
			return commands[i];
	return NULL;
}

static const char *
command_next(const void *context, unsigned long i)
{
	(void)context;
	return i < COMMAND_COUNT ? commands[i]->name : NULL;
}

static enum status
command_unknown(struct report *report, const char *name)
{
	const char *near = name_nearest(name, command_next, NULL);

	report_fault(report, STATUS_USAGE, "usage", NULL, NULL,
	    "unknown command %s%s%s%s", name,
	    near != NULL ? "; did you mean " : "", near != NULL ? near : "",
	    near != NULL ? "?" : "");
	report_hint(report, "`crlpress help` lists them");
	return STATUS_USAGE;
}

static void
command_describe(const struct command *command, FILE *stream)
{
	fprintf(stream, "usage: crlpress %s [OPTION...]%s%s\n\n%s.\n\n",
	    command->name, command->operands[0] != '\0' ? " " : "",
	    command->operands, command->summary);
	option_help(&command->options, stream);
	if (command->help != NULL)
		fprintf(stream,
		    "\n%sAnd 4 when standard output cannot be written.\n",
		    command->help);
	if (command->help_more != NULL)
		command->help_more(stream);
}

/* Of all that are named, or of none. */
static enum status
help_run(struct command_call *call, const void *options)
{
	(void)options;
	for (int i = 0; i < call->operand_count; i++)
		if (command_find(call->operands[i]) == NULL)
			return command_unknown(call->report, call->operands[i]);
	for (int i = 0; i < call->operand_count; i++) {
		if (i > 0)
			fputc('\n', call->context->out);
		command_describe(
		    command_find(call->operands[i]), call->context->out);
	}
	if (call->operand_count == 0)
		print_overview(call->context->out);
	return STATUS_OK;
}

static const struct command command_help = {
    .name = "help",
    .operands = "[COMMAND...]",
    .summary = "Print the help of commands, or which there are",
    .run = help_run,
};

/* STATUS_DONE when there is nothing more to do. */
static enum status
command_parse(const struct command *command, struct command_call *call,
    int argc, char **argv, void *options)
{
	int operand = 0;
	enum status status = option_parse(
	    &command->options, argc, argv, options, call->report, &operand);

	if (status == STATUS_DONE) {
		command_describe(command, call->context->out);
		return STATUS_DONE;
	}
	if (status == STATUS_OK && command->operands[0] == '\0' &&
	    operand < argc)
		status = report_fault(call->report, STATUS_USAGE, "usage", NULL,
		    NULL, "%s takes no operand, have %s", command->name,
		    argv[operand]);
	call->operands = argv + operand;
	call->operand_count = argc - operand;
	return status;
}

/* Where the last word was a mistake on the command line, and nothing more. */
static void
usage_hint(struct report *report, const char *name)
{
	size_t count = report_kept(report);
	const struct finding *last =
	    count > 0 ? report_finding(report, count - 1) : NULL;

	if (last != NULL && last->severity == SEVERITY_FAULT &&
	    last->hint == NULL && strcmp(last->object, "usage") == 0)
		report_hint(report, "see `crlpress %s --help`", name);
}

/* By the command's own option, or one that it would have been. */
static bool
json_is_wanted(
    const struct command *command, int argc, char **argv, const void *options)
{
	const struct option_table *table = &command->options;

	for (size_t i = 0; command->json_array != NULL && i < table->count; i++)
		if (strcmp(table->row[i].name, "json") == 0)
			return *(const bool *)((const char *)options +
					       table->row[i].offset);
	for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++)
		if (strcmp(argv[i], "--json") == 0)
			return true;
	return false;
}

/* What stopped a command before it began its document is told by one. */
static void
command_end(const struct command *command, struct command_call *call,
    bool is_json, enum status status)
{
	usage_hint(call->report, command->name);
	command_close(call);
	if (is_json && call->json == NULL)
		command_json(call, true,
		    command->json_array != NULL ? command->json_array : "done");
	if (call->json != NULL)
		report_json_end(call->report, status, call->json);
}

/* argv[0] is the command's name. */
static enum status
command_run(const struct command *command, const struct context *context,
    int argc, char **argv)
{
	struct command_call call = {
	    .context = context,
	    .report = report_new(context->err, SEVERITY_NOTE),
	};
	void *options = calloc(1, command->options_size + 1);
	enum status status = STATUS_NO_MEMORY;

	if (call.report != NULL && options != NULL) {
		status = command_parse(command, &call, argc, argv, options);
		if (status == STATUS_OK)
			status = command->run(&call, options);
		else if (status == STATUS_DONE)
			goto out;
		command_end(command, &call,
		    json_is_wanted(command, argc, argv, options), status);
	}
out:
	progress_free(call.progress);
	report_free(call.report);
	free(options);
	return status == STATUS_DONE ? STATUS_OK : status;
}

/* argv[0] is no command's name. */
static enum status
unknown_run(const struct context *context, int argc, char **argv)
{
	struct command_call call = {
	    .context = context,
	    .report = report_new(context->err, SEVERITY_NOTE),
	};
	enum status status;

	if (call.report == NULL)
		return STATUS_NO_MEMORY;
	status = command_unknown(call.report, argv[0]);
	command_end(&command_help, &call,
	    json_is_wanted(&command_help, argc, argv, NULL), status);
	report_free(call.report);
	return status;
}

/* `crlpress --help` is `crlpress help`. */
static const char *
command_word(const char *word)
{
	return strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0 ? "help"
								      : word;
}

enum status
command_dispatch(const struct context *context, int argc, char **argv)
{
	const struct command *command;

	if (argc < 2) {
		print_overview(context->err);
		return STATUS_USAGE;
	}
	if (strcmp(argv[1], "--version") == 0 || strcmp(argv[1], "-V") == 0) {
		fprintf(context->out, "crlpress %s\n", CRLPRESS_VERSION);
		return STATUS_OK;
	}
	command = command_find(command_word(argv[1]));
	return command != NULL
		   ? command_run(command, context, argc - 1, argv + 1)
		   : unknown_run(context, argc - 1, argv + 1);
}

enum status
command_usage(struct report *report, const char *what)
{
	return report_fault(
	    report, STATUS_USAGE, "usage", NULL, NULL, "%s", what);
}

const char *
command_config(const struct context *context, const char *config)
{
	return config != NULL ? config : context->config_path;
}

void
command_progress(struct command_call *call, bool quiet)
{
	if (call->context->err_is_terminal && !quiet)
		call->progress = progress_new(call->context->err);
}

void
command_json(struct command_call *call, bool wanted, const char *name)
{
	if (!wanted)
		return;
	call->json = &call->json_begun;
	report_json_begin(call->json, call->context->out, name);
}

void
command_close(struct command_call *call)
{
	if (!call->is_closed)
		report_close(call->report);
	call->is_closed = true;
}
