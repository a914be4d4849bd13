/* SPDX-License-Identifier: ISC */
/* The command table, and what all commands share. */
#include "crlpress/command.h"

#include <string.h>

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
	return command->run(command, context, argc - 1, argv + 1);
}

void
command_help(const struct command *command, FILE *stream)
{
	fprintf(stream, "usage: crlpress %s [OPTION...]%s%s\n\n%s.\n\n",
	    command->name, command->operands[0] != '\0' ? " " : "",
	    command->operands, command->summary);
	option_help(command->options, stream);
	if (command->help != NULL)
		fprintf(stream, "\n%s", command->help);
	if (command->help_more != NULL)
		command->help_more(stream);
}

enum status
command_parse(const struct command *command, const struct context *context,
    int argc, char **argv, void *options, struct report *report, int *operands)
{
	enum status status;

	status = option_parse(
	    command->options, argc, argv, options, report, operands);
	if (status == STATUS_DONE) {
		command_help(command, context->out);
		return STATUS_DONE;
	}
	if (status == STATUS_OK && command->operands[0] == '\0' &&
	    *operands < argc)
		status = report_fault(report, STATUS_USAGE, "usage", NULL, NULL,
		    "%s takes no operand, have %s", command->name,
		    argv[*operands]);
	if (status != STATUS_OK)
		report_hint(report, "`crlpress help %s` lists the options",
		    command->name);
	return status;
}
