/* SPDX-License-Identifier: ISC */
/* The command table, and what all commands share. */
#include "crlpress/command.h"

#include <stdlib.h>
#include <string.h>

#include "crlpress/report_json.h"

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
	    "  %-14s%s\n  %-14s%s\n\n"
	    "`crlpress help COMMAND` tells more, crlpress(1) all.\n",
	    "help", "print the help of a command", "--version",
	    "print the version");
}

static const struct command *
command_find(const char *name)
{
	for (size_t i = 0; i < COMMAND_COUNT; i++)
		if (strcmp(commands[i]->name, name) == 0)
			return commands[i];
	return NULL;
}

static enum status
unknown_command(const struct context *context, const char *name)
{
	fprintf(context->err,
	    "usage: unknown command %s\n  hint: `crlpress help` lists them\n",
	    name);
	return STATUS_USAGE;
}

static void
command_help(const struct command *command, FILE *stream)
{
	fprintf(stream, "usage: crlpress %s [OPTION...]%s%s\n\n%s.\n\n",
	    command->name, command->operands[0] != '\0' ? " " : "",
	    command->operands, command->summary);
	option_help(&command->options, stream);
	if (command->help != NULL)
		fprintf(stream, "\n%s", command->help);
	if (command->help_more != NULL)
		command->help_more(stream);
}

static enum status
help_dispatch(const struct context *context, int argc, char **argv)
{
	const struct command *command;

	if (argc < 3) {
		print_overview(context->out);
		return STATUS_OK;
	}
	command = command_find(argv[2]);
	if (command == NULL)
		return unknown_command(context, argv[2]);
	command_help(command, context->out);
	return STATUS_OK;
}

/* STATUS_DONE when there is nothing more to do. */
static enum status
command_parse(const struct command *command, struct command_call *call,
    int argc, char **argv, void *options)
{
	int operand = 0;
	enum status status = option_parse(
	    &command->options, argc, argv, options, call->report, &operand);

	if (status == STATUS_DONE) {
		command_help(command, call->context->out);
		return STATUS_DONE;
	}
	if (status == STATUS_OK && command->operands[0] == '\0' &&
	    operand < argc)
		status = report_fault(call->report, STATUS_USAGE, "usage", NULL,
		    NULL, "%s takes no operand, have %s", command->name,
		    argv[operand]);
	if (status != STATUS_OK)
		report_hint(call->report,
		    "`crlpress help %s` lists the options", command->name);
	call->operands = argv + operand;
	call->operand_count = argc - operand;
	return status;
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
	void *options = calloc(1, command->options_size);
	enum status status = STATUS_NO_MEMORY;

	if (call.report != NULL && options != NULL) {
		status = command_parse(command, &call, argc, argv, options);
		if (status == STATUS_OK)
			status = command->run(&call, options);
		else if (status == STATUS_DONE)
			status = STATUS_OK;
		command_close(&call);
	}
	if (call.json != NULL)
		report_json_end(call.report, status, call.json);
	progress_free(call.progress);
	report_free(call.report);
	free(options);
	return status;
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
	if (strcmp(argv[1], "help") == 0 || strcmp(argv[1], "--help") == 0 ||
	    strcmp(argv[1], "-h") == 0)
		return help_dispatch(context, argc, argv);
	command = command_find(argv[1]);
	if (command == NULL)
		return unknown_command(context, argv[1]);
	return command_run(command, context, argc - 1, argv + 1);
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
