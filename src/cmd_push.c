/* SPDX-License-Identifier: ISC */
/* crlpress push: some shards of one issuer, now. */
#include <errno.h>
#include <inttypes.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "crlpress/command.h"
#include "crlpress/command_option.h"
#include "crlpress/config.h"
#include "crlpress/run.h"
#include "crlpress/serial_list.h"
#include "crlpress/serial_text.h"
#include "push_impl.h"

struct push_options {
	struct push_settings push;
	struct option_texts serials;
	struct option_texts serial_files;
	struct option_texts certificates;
	struct option_texts shards;
	struct option_time now;
	bool dry_run;
	bool diff;
};

#define OFFSET(member) offsetof(struct push_options, member)

static const struct option_row option_rows[] = {
    COMMAND_OPTION_CONFIG(OFFSET(push.config)),
    COMMAND_OPTION_ISSUER(OFFSET(push.issuer)),
    {"serial", 's', OPTION_TEXTS, OFFSET(serials), "SERIAL",
	"hex, a:b:c or dec:123; - for a list on stdin"},
    {"serial-file", 0, OPTION_TEXTS, OFFSET(serial_files), "FILE",
	"a list of serials, one a line"},
    {"certificate", 0, OPTION_TEXTS, OFFSET(certificates), "FILE",
	"the revoked certificate, PEM or DER"},
    {"shard", 0, OPTION_TEXTS, OFFSET(shards), "N", "a shard by its index"},
    COMMAND_OPTION_WAIT(OFFSET(push.wait)),
    {"dry-run", 'n', OPTION_FLAG, OFFSET(dry_run), NULL,
	"make and judge everything, publish nothing"},
    {"diff", 0, OPTION_FLAG, OFFSET(diff), NULL,
	"print every entry that differs from what is published"},
    COMMAND_OPTION_PASS(OFFSET(push.passes)),
    COMMAND_OPTION_JOBS(OFFSET(push.jobs)),
    COMMAND_OPTION_NOW(OFFSET(now)),
    COMMAND_OPTION_PASSPHRASE_FD(OFFSET(push.passphrase_fd)),
    COMMAND_OPTION_JSON(OFFSET(push.json)),
    COMMAND_OPTION_QUIET(OFFSET(push.quiet)),
};

static enum status
read_list(struct push *push, FILE *stream, const char *name)
{
	unsigned long line = 0;
	const char *why = NULL;
	enum status status = serial_list_read(&push->list, stream, &line, &why);

	if (status == STATUS_MALFORMED)
		return report_fault(push->report, STATUS_USAGE, name, "serial",
		    NULL, "line %lu: %s", line, why);
	if (status != STATUS_OK)
		return report_fault(push->report, status, name, "serial", NULL,
		    "cannot be read");
	return STATUS_OK;
}

static enum status
read_list_file(struct push *push, const char *path)
{
	FILE *stream = fopen(path, "re");
	enum status status;

	if (stream == NULL)
		return report_fault(push->report, STATUS_USAGE, path, "serial",
		    NULL, "cannot be opened: %s", strerror(errno));
	status = read_list(push, stream, path);
	(void)fclose(stream);
	return status;
}

static enum status
read_serial(struct push *push, const char *text)
{
	const char *why = "more serials than a push may have";
	struct uint160 serial;
	enum status status;

	if (strcmp(text, "-") == 0)
		return read_list(push, push->context->in, "standard input");
	status = serial_text_read(text, strlen(text), &serial, &why);
	if (status == STATUS_OK)
		status = serial_list_add(&push->list, &serial);
	if (status == STATUS_OK || status == STATUS_NO_MEMORY)
		return status;
	return report_fault(push->report, STATUS_USAGE, "usage", NULL, NULL,
	    "--serial %s: %s", text, why);
}

/* Everything that was asked for, before anything is opened for it. */
static enum status
read_asked(struct push *push, const struct push_options *options)
{
	enum status status = STATUS_OK;
	size_t i;

	for (i = 0; status == STATUS_OK && i < options->serials.count; i++)
		status = read_serial(push, options->serials.text[i]);
	for (i = 0; status == STATUS_OK && i < options->serial_files.count; i++)
		status = read_list_file(push, options->serial_files.text[i]);
	if (status == STATUS_OK)
		status = push_read_certificates(push, &options->certificates);
	if (status != STATUS_OK || push->list.count > 0 ||
	    push->certificate_count > 0 || options->shards.count > 0)
		return status;
	return command_usage(push->report,
	    options->serials.count + options->serial_files.count > 0
		? "no serial in the list"
		: "want --serial, --certificate or --shard");
}

static enum status
read_shards(struct push *push, const struct option_texts *texts,
    const struct config *config)
{
	enum status status = STATUS_OK;

	push->only = calloc(texts->count + 1, sizeof(*push->only));
	if (push->only == NULL)
		return STATUS_NO_MEMORY;
	for (size_t i = 0; status == STATUS_OK && i < texts->count; i++)
		status = push_read_shard(
		    push, config, texts->text[i], &push->only[i]);
	push->run.only = push->only;
	push->run.only_count = texts->count;
	return status;
}

static enum status
push_run(struct push *push, const void *given)
{
	const struct push_options *options = given;
	enum status broken = STATUS_OK;
	struct config *config = NULL;
	enum status status;

	push->run.dry_run = options->dry_run;
	push->run.diff = options->diff;
	push->run.has_now = options->now.given;
	push->run.now_sec = options->now.sec;
	status = read_asked(push, options);
	if (status == STATUS_OK)
		status = push_choose(push, &config, &broken);
	if (status == STATUS_OK)
		status = read_shards(push, &options->shards, config);
	if (status == STATUS_OK)
		status = push_make_asked(push, config);
	if (status == STATUS_OK)
		status = push_publish(push, config);
	config_free(config);
	return status_graver(status, broken);
}

static enum status
command_run(struct command_call *call, const void *given)
{
	const struct push_options *options = given;

	return push_command(call, &options->push, options, push_run);
}

const struct command command_push = {
    .name = "push",
    .operands = "",
    .summary = "Publish the shards of some revoked certificates now",
    .help = "The database must say that each certificate is revoked; its "
	    "shard is then made,\njudged and published as by `publish`, which "
	    "may run at the same time.\n\nExit status: 0 done; 1 failed, "
	    "nothing changed; 2 usage or configuration;\n3 not revoked, or a "
	    "gate refused something, the old shards stand; 4 partly\n"
	    "uploaded, or not yet public with --wait-public: safe to run "
	    "again.\n",
    .help_more = command_print_gates,
    .json_array = "runs",
    .options = {option_rows, sizeof(option_rows) / sizeof(option_rows[0])},
    .options_size = sizeof(struct push_options),
    .run = command_run,
};
