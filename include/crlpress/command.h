/* SPDX-License-Identifier: ISC */
/* The commands of crlpress: one row each in command.c. */
#ifndef CRLPRESS_COMMAND_H
#define CRLPRESS_COMMAND_H

#include <stdbool.h>
#include <stdio.h>

#include "crlpress/context.h"
#include "crlpress/gate.h"
#include "crlpress/option.h"
#include "crlpress/run.h"
#include "crlpress/status.h"

struct command {
	const char *name;
	const char *operands; /* "PATH...", "" for none */
	const char *summary;  /* one line */
	const char *help;     /* a paragraph below the options; may be NULL */
	void (*help_more)(FILE *stream); /* a table below that; may be NULL */
	const struct option_table *options;
	/* argv[0] is the command's name. */
	enum status (*run)(const struct command *command,
	    const struct context *context, int argc, char **argv);
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

/* Finds and runs argv[1]; --help, --version and `help COMMAND` too. */
enum status command_dispatch(
    const struct context *context, int argc, char **argv) MUST_CHECK;

void command_help(const struct command *command, FILE *stream);

/*
 * What every command does with its command line: parses the options, prints
 * the help when asked, refuses operands when it has none. STATUS_DONE when
 * there is nothing more to do.
 */
enum status command_parse(const struct command *command,
    const struct context *context, int argc, char **argv, void *options,
    struct report *report, int *operands) MUST_CHECK;

/*
 * The issuers that --issuer named, none for all of them: asked for by the name
 * of each configuration, and in the end which were not there. That is not said
 * when a configuration could not be read: it may have the name.
 */
struct command_issuers {
	const struct option_texts *named;
	bool found[OPTION_TEXTS_MOST];
	bool is_one_unread;
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
enum status command_passes(const struct option_texts *texts,
    struct report *report, struct gate_passes *passes) MUST_CHECK;
/* A gate that did not close was let pass in vain: a wrong name or shard? */
void command_passes_unused(const struct option_texts *texts,
    struct report *report, const struct gate_passes *passes);
void command_print_gates(FILE *stream);
/* Into `json`, or, where that is NULL, as text: not when quiet and all well. */
void command_tell_run(const struct context *context,
    const struct report *report, const struct run_options *options,
    const struct run *run, struct json *json);

#endif
