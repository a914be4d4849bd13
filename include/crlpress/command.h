/* SPDX-License-Identifier: ISC */
/* The commands of crlpress: one row each in command.c. */
#ifndef CRLPRESS_COMMAND_H
#define CRLPRESS_COMMAND_H

#include <stdbool.h>
#include <stdio.h>

#include "crlpress/context.h"
#include "crlpress/gate.h"
#include "crlpress/json.h"
#include "crlpress/option.h"
#include "crlpress/progress.h"
#include "crlpress/report.h"
#include "crlpress/run.h"
#include "crlpress/status.h"

/*
 * One call of a command, which command_dispatch begins and ends: the command
 * line is parsed before its `run`, and behind it report and JSON are closed
 * with the status that it gave. A fault of the object "usage" that was the last
 * word gets its hint there, and --json its document where `run` began none.
 */
struct command_call {
	const struct context *context;
	struct report *report;
	struct progress *progress; /* NULL until command_progress */
	struct json *json;         /* NULL until command_json */
	struct json json_begun;
	bool is_closed;  /* the report is */
	char **operands; /* behind the options */
	int operand_count;
};

struct command {
	const char *name;
	const char *operands; /* "PATH...", "" for none */
	const char *summary;  /* one line */
	const char *help;     /* a paragraph below the options; may be NULL */
	void (*help_more)(FILE *stream); /* a table below that; may be NULL */
	/* With an option --json: the array of its report. */
	const char *json_array;
	struct option_table options;
	size_t options_size;
	/* `options` is the command's struct of that size. */
	enum status (*run)(struct command_call *call, const void *options);
};

extern const struct command command_archive;
extern const struct command command_check_config;
extern const struct command command_init;
extern const struct command command_ocsp_gate;
extern const struct command command_plan;
extern const struct command command_publish;
extern const struct command command_push;
extern const struct command command_revoke;
extern const struct command command_sign;
extern const struct command command_verify;

/* Finds and runs argv[1]; --help, --version and `help COMMAND...` too. */
enum status command_dispatch(
    const struct context *context, int argc, char **argv) MUST_CHECK;

/* Why the command line cannot be obeyed; STATUS_USAGE. */
enum status command_usage(struct report *report, const char *what);

/* What --config says, or else the context. */
const char *command_config(const struct context *context, const char *config);

/* Shows progress, where somebody may look at it. */
void command_progress(struct command_call *call, bool quiet);

/*
 * Where --json is `wanted`, begins the report whose array is `name`, which the
 * caller begins where that is NULL.
 */
void command_json(struct command_call *call, bool wanted, const char *name);

/* Ends the report, for what is to be printed behind it. */
void command_close(struct command_call *call);

/* The names that are configured, as far as a hint has room for them. */
#define COMMAND_NAMES_BYTES 256

struct command_names {
	char text[COMMAND_NAMES_BYTES]; /* "e1, e2" */
	size_t count;
	size_t left; /* out, for want of room */
};

void command_names_add(struct command_names *names, const char *name);
/* What --issuer named is not among them; STATUS_USAGE. */
enum status command_not_configured(const char *issuer,
    const struct command_names *names, struct report *report);
/* The hint alone, where there is a name. */
void command_names_hint(
    const struct command_names *names, struct report *report);

/*
 * The issuers that --issuer named, none for all of them: asked for by the name
 * of each configuration, and in the end which were not there. That is not said
 * when a configuration could not be read: it may have the name.
 */
struct command_issuers {
	const struct option_texts *named;
	bool found[OPTION_TEXTS_MOST];
	bool is_one_unread;
	struct command_names names;
};

bool command_is_asked_for(struct command_issuers *issuers, const char *name);
enum status command_issuers_missing(
    const struct command_issuers *issuers, struct report *report) MUST_CHECK;

/*
 * command_run.c: the options of all commands that make CRLs. -1 for no
 * descriptor; one that is given is open. Mistakes are reported, STATUS_USAGE.
 */
enum status command_passphrase_fd(
    const char *text, struct report *report, int *fd) MUST_CHECK;
/* The passphrase and the gates that are let pass, into `run`. */
enum status command_run_options(const struct command_call *call,
    const char *passphrase_fd, const struct option_texts *passes,
    struct run_options *run) MUST_CHECK;
/* A gate that did not close was let pass in vain: a wrong name or shard? */
void command_passes_unused(const struct option_texts *texts,
    struct report *report, const struct gate_passes *passes);
void command_print_gates(FILE *stream);
/* As JSON, or else as text: not when quiet and all well. */
void command_tell_run(const struct command_call *call,
    const struct run_options *options, const struct run *run);

#endif
