/* SPDX-License-Identifier: ISC */
/* The command table of ocsp-sunset, and the commands that are the server's. */
#include "sunset_command.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "crlpress/option.h"

#include "parent.h"
#include "render.h"
#include "sunset_config.h"
#include "sunset_key.h"
#include "sunset_report.h"

struct sunset_command {
	const char *name;
	const char *operands;
	const char *summary;
	/* argv[0] is the command's name. */
	enum status (*run)(const struct sunset_context *context, int argc,
	    char **argv, struct report *report);
};

static const char serve_help[] =
    "usage: ocsp-sunset serve [OPTION...] CONFIG\n\n"
    "Answer what still arrives at a retired OCSP responder. SIGHUP reads "
    "CONFIG again,\nSIGTERM answers what is there and ends.\n\n";
static const char serve_more[] =
    "\nExit status: 0 ended by a signal; 1 failed; 2 usage or configuration; "
    "3 certificates\nmay still name this responder; 75 another one keeps the "
    "counts.\n";

static const char check_help[] =
    "usage: ocsp-sunset check-config [OPTION...] CONFIG\n\n"
    "Read a configuration strictly and print what it means.\n\n";

struct serve_options {
	uint32_t threads;
	const char *last_expiry;
};

#define SERVE(name, letter, kind, field, argument, help)                   \
	{                                                                  \
		name, letter, kind, offsetof(struct serve_options, field), \
		    argument, help                                         \
	}

static const struct option_row serve_rows[] = {
    SERVE("threads", 't', OPTION_COUNT, threads, "N",
	"threads that answer; default: as configured"),
    SERVE("last-expiry", 0, OPTION_TEXT, last_expiry, "TIME",
	"when the last certificate that names us expires"),
};
static const struct option_table serve_table = {
    serve_rows, sizeof(serve_rows) / sizeof(serve_rows[0])};

struct check_options {
	bool keys;
	bool quiet;
};

#define CHECK(name, letter, field, help)                              \
	{                                                             \
		name, letter, OPTION_FLAG,                            \
		    offsetof(struct check_options, field), NULL, help \
	}

static const struct option_row check_rows[] = {
    CHECK("keys", 0, keys, "list every key there is, with its default"),
    CHECK("quiet", 'q', quiet, "print nothing when all is well"),
};
static const struct option_table check_table = {
    check_rows, sizeof(check_rows) / sizeof(check_rows[0])};

/* One operand, unless there need be none. */
static enum status
operand_take(int argc, char **argv, int operands, const char *hint,
    struct report *report, const char **operand)
{
	if (argc - operands == 1) {
		*operand = argv[operands];
		return STATUS_OK;
	}
	(void)report_fault(report, STATUS_USAGE, "usage", NULL, NULL,
	    "%s takes one CONFIG, have %d", argv[0], argc - operands);
	report_hint(report, "%s", hint);
	return STATUS_USAGE;
}

static enum status
serve_run(const struct sunset_context *context, int argc, char **argv,
    struct report *report)
{
	struct serve_options options = {0};
	struct parent_options start = {0};
	int operands = 0;
	enum status status =
	    option_parse(&serve_table, argc, argv, &options, report, &operands);

	if (status == STATUS_DONE) {
		fputs(serve_help, context->out);
		option_help(&serve_table, context->out);
		fputs(serve_more, context->out);
		return STATUS_OK;
	}
	if (status == STATUS_OK)
		status = operand_take(argc, argv, operands,
		    "`ocsp-sunset serve --help` lists the options", report,
		    &start.config_path);
	if (status != STATUS_OK)
		return status;
	start.threads = options.threads;
	start.has_last_expiry = options.last_expiry != NULL;
	/* A date will do, as in the configuration. */
	if (start.has_last_expiry && sunset_time_parse(options.last_expiry,
					 &start.last_expiry_sec) != STATUS_OK)
		return report_fault(report, STATUS_USAGE, "usage", NULL, NULL,
		    "--last-expiry %s: not a time like 2026-12-01 or "
		    "2026-12-01T06:00:00Z",
		    options.last_expiry);
	return parent_run(context, &start, report);
}

static enum status
check_run(const struct sunset_context *context, int argc, char **argv,
    struct report *report)
{
	struct check_options options = {0};
	struct sunset_config *config = NULL;
	const char *path = NULL;
	int operands = 0;
	enum status status =
	    option_parse(&check_table, argc, argv, &options, report, &operands);

	if (status == STATUS_DONE) {
		fputs(check_help, context->out);
		option_help(&check_table, context->out);
		return STATUS_OK;
	}
	if (status == STATUS_OK && options.keys) {
		sunset_config_print_keys(context->out);
		return STATUS_OK;
	}
	if (status == STATUS_OK)
		status = operand_take(argc, argv, operands,
		    "`ocsp-sunset check-config --help` lists the options",
		    report, &path);
	if (status == STATUS_OK)
		status = sunset_config_load(path, report, &config, NULL, NULL);
	if (status == STATUS_OK && !options.quiet)
		sunset_config_print(config, context->out);
	sunset_config_free(config);
	return status;
}

static enum status
report_run(const struct sunset_context *context, int argc, char **argv,
    struct report *report)
{
	return sunset_report(
	    argc, argv, context->out, context->clock_sec(), report);
}

static enum status
render_run(const struct sunset_context *context, int argc, char **argv,
    struct report *report)
{
	return sunset_render(argc, argv, context->out, report);
}

static const struct sunset_command commands[] = {
    {"serve", "CONFIG", "answer what still arrives", serve_run},
    {"check-config", "CONFIG", "read a configuration strictly, print it",
	check_run},
    {"report", "", "what dies away, and whether the name can go", report_run},
    {"render", "DIR", "bodies and configuration for other servers", render_run},
};

#define COMMANDS (sizeof(commands) / sizeof(commands[0]))

static void
overview_print(FILE *stream)
{
	fprintf(stream, "usage: ocsp-sunset COMMAND [OPTION...]\n\n"
			"Fixed answers for OCSP responders until they are "
			"retired.\n\n");
	for (size_t i = 0; i < COMMANDS; i++)
		fprintf(stream, "  %-14s%s\n", commands[i].name,
		    commands[i].summary);
	fprintf(stream,
	    "  %-14sprint the version\n\n"
	    "`ocsp-sunset COMMAND --help` tells more, "
	    "ocsp-sunset(8) all.\n",
	    "--version");
}

static enum status
command_run(const struct sunset_context *context,
    const struct sunset_command *command, int argc, char **argv)
{
	struct report *report = report_new(context->err, SEVERITY_NOTE);
	enum status status;

	if (report == NULL)
		return STATUS_NO_MEMORY;
	status = command->run(context, argc, argv, report);
	report_close(report);
	report_free(report);
	return status;
}

enum status
sunset_command_dispatch(
    const struct sunset_context *context, int argc, char **argv)
{
	if (argc < 2) {
		overview_print(context->err);
		return STATUS_USAGE;
	}
	if (strcmp(argv[1], "--version") == 0 || strcmp(argv[1], "-V") == 0) {
		fprintf(context->out, "ocsp-sunset %s\n", CRLPRESS_VERSION);
		return STATUS_OK;
	}
	if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0 ||
	    strcmp(argv[1], "help") == 0) {
		overview_print(context->out);
		return STATUS_OK;
	}
	for (size_t i = 0; i < COMMANDS; i++)
		if (strcmp(argv[1], commands[i].name) == 0)
			return command_run(
			    context, &commands[i], argc - 1, argv + 1);
	fprintf(context->err,
	    "usage: unknown command %s\n  hint: `ocsp-sunset --help` lists "
	    "them\n",
	    argv[1]);
	return STATUS_USAGE;
}
