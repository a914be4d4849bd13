/* SPDX-License-Identifier: ISC */
/* crlpress push: some shards of one issuer, now. */
#include <errno.h>
#include <inttypes.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "crlpress/command.h"
#include "crlpress/config.h"
#include "crlpress/quantity.h"
#include "crlpress/report_json.h"
#include "crlpress/run.h"
#include "crlpress/serial_list.h"
#include "crlpress/serial_text.h"
#include "push_impl.h"

struct push_options {
	const char *config;
	const char *issuer;
	struct option_texts serials;
	struct option_texts serial_files;
	struct option_texts certificates;
	struct option_texts shards;
	struct option_texts passes;
	const char *passphrase_fd;
	struct option_time now;
	uint32_t jobs;
	bool dry_run;
	bool diff;
	bool json;
	bool quiet;
};

#define ROW(name, letter, kind, field, argument, help)                    \
	{                                                                 \
		name, letter, kind, offsetof(struct push_options, field), \
		    argument, help                                        \
	}

static const struct option_row option_rows[] = {
    ROW("config", 'c', OPTION_TEXT, config, "PATH",
	"a configuration file, or a directory of *.cnf"),
    ROW("issuer", 'i', OPTION_TEXT, issuer, "NAME",
	"the issuer, where there are several"),
    ROW("serial", 's', OPTION_TEXTS, serials, "SERIAL",
	"hex, a:b:c or dec:123; - for a list on stdin"),
    ROW("serial-file", 0, OPTION_TEXTS, serial_files, "FILE",
	"a list of serials, one a line"),
    ROW("certificate", 0, OPTION_TEXTS, certificates, "FILE",
	"the revoked certificate, PEM or DER"),
    ROW("shard", 0, OPTION_TEXTS, shards, "N", "a shard by its index"),
    ROW("dry-run", 'n', OPTION_FLAG, dry_run, NULL,
	"make and judge everything, publish nothing"),
    ROW("diff", 0, OPTION_FLAG, diff, NULL,
	"print every entry that differs from what is published"),
    ROW("pass", 0, OPTION_TEXTS, passes, "GATE[:SHARD]",
	"let one gate pass, once; recorded in the manifest"),
    ROW("jobs", 'j', OPTION_COUNT, jobs, "N",
	"threads that make shards (default: one a processor)"),
    ROW("now", 0, OPTION_TIME, now, "TIME",
	"the time of this run, as 2026-12-01T06:00:00Z"),
    ROW("passphrase-fd", 0, OPTION_TEXT, passphrase_fd, "N",
	"read the key's passphrase from this descriptor"),
    ROW("json", 0, OPTION_FLAG, json, NULL, "report on stdout as JSON"),
    ROW("quiet", 'q', OPTION_FLAG, quiet, NULL,
	"print nothing when all is well"),
};

static const struct option_table option_table = {
    option_rows, sizeof(option_rows) / sizeof(option_rows[0])};

/* What one push works with, beside its options. */
struct push {
	const struct context *context;
	const struct push_options *options;
	struct run_options run;
	struct report *report;
	struct progress *progress;
	struct json json;
	struct serial_list list;
	struct push_certificate *certificate;
	size_t certificate_count;
	struct run_asked *asked;
	uint32_t only[OPTION_TEXTS_MOST];
};

static enum status
usage_fault(struct push *push, const char *what)
{
	return report_fault(
	    push->report, STATUS_USAGE, "usage", NULL, NULL, "%s", what);
}

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

static enum status
read_certificates(struct push *push)
{
	const struct option_texts *paths = &push->options->certificates;
	enum status status = STATUS_OK;

	push->certificate =
	    calloc(paths->count + 1, sizeof(*push->certificate));
	if (push->certificate == NULL)
		return STATUS_NO_MEMORY;
	for (size_t i = 0; status == STATUS_OK && i < paths->count; i++)
		status = push_certificate_read(paths->text[i], push->report,
		    &push->certificate[push->certificate_count++]);
	return status;
}

/* Everything that was asked for, before anything is opened for it. */
static enum status
read_asked(struct push *push)
{
	const struct push_options *options = push->options;
	enum status status = STATUS_OK;
	size_t i;

	for (i = 0; status == STATUS_OK && i < options->serials.count; i++)
		status = read_serial(push, options->serials.text[i]);
	for (i = 0; status == STATUS_OK && i < options->serial_files.count; i++)
		status = read_list_file(push, options->serial_files.text[i]);
	if (status == STATUS_OK)
		status = read_certificates(push);
	if (status != STATUS_OK || push->list.count > 0 ||
	    push->certificate_count > 0 || options->shards.count > 0)
		return status;
	return usage_fault(
	    push, options->serials.count + options->serial_files.count > 0
		      ? "no serial in the list"
		      : "want --serial, --certificate or --shard");
}

/* Whether all certificates are of this configuration's issuer. */
static bool
has_issued_all(struct push *push, const struct config *config)
{
	struct issuer *issuer = NULL;
	bool all = true;

	if (issuer_load(config->certificate, push->report, &issuer) !=
	    STATUS_OK)
		return false;
	for (size_t i = 0; i < push->certificate_count; i++)
		all = all && push_certificate_is_of(
				 &push->certificate[i], issuer_facts(issuer));
	issuer_free(issuer);
	return all;
}

static enum status
wrong_issuer(struct push *push, const struct config *config)
{
	struct issuer *issuer = NULL;
	char have[ISSUER_NAME_BYTES], want[ISSUER_NAME_BYTES];
	enum status status;

	status = issuer_load(config->certificate, push->report, &issuer);
	for (size_t i = 0; status == STATUS_OK && i < push->certificate_count;
	     i++) {
		const struct push_certificate *its = &push->certificate[i];

		if (push_certificate_is_of(its, issuer_facts(issuer)))
			continue;
		status = report_fault(push->report, STATUS_USAGE, its->path,
		    "certificate", "RFC 5280, 4.1.2.4",
		    "it is not of issuer %s, have %s, want %s and its key "
		    "identifier",
		    config->name,
		    issuer_name_text(
			&its->certificate.issuer, have, sizeof(have)),
		    issuer_name_text(
			&issuer_facts(issuer)->subject, want, sizeof(want)));
	}
	issuer_free(issuer);
	return status;
}

/* The one that was named, or there is, or that issued the certificates. */
static bool
is_meant(struct push *push, const struct config *config, size_t count)
{
	if (push->options->issuer != NULL)
		return strcmp(config->name, push->options->issuer) == 0;
	return count == 1 ||
	       (push->certificate_count > 0 && has_issued_all(push, config));
}

static enum status
none_meant(struct push *push)
{
	if (push->options->issuer != NULL)
		return report_fault(push->report, STATUS_USAGE, "usage", NULL,
		    NULL, "--issuer %s: no such name is configured",
		    push->options->issuer);
	return usage_fault(
	    push, push->certificate_count > 0
		      ? "no configured issuer has issued the certificates given"
		      : "there are several issuers; name one with --issuer");
}

/*
 * The configuration of the issuer. One that is broken does not stop a push for
 * another issuer, and shows in the exit status.
 */
static enum status
choose_config(struct push *push, char **paths, size_t count,
    struct config **chosen, enum status *broken)
{
	for (size_t i = 0; i < count; i++) {
		struct config *config = NULL;
		enum status status =
		    config_load(paths[i], push->report, &config);

		if (status != STATUS_OK) {
			*broken = status_graver(*broken, status);
		} else if (!is_meant(push, config, count)) {
			config_free(config);
		} else if (*chosen != NULL) {
			report_fault(push->report, STATUS_CONFIG, config->path,
			    "config", NULL,
			    "of the issuer that %s is of too; name one with "
			    "--issuer",
			    (*chosen)->path);
			config_free(config);
			return STATUS_CONFIG;
		} else {
			*chosen = config;
		}
	}
	if (*chosen != NULL)
		return STATUS_OK;
	return *broken != STATUS_OK ? *broken : none_meant(push);
}

static enum status
read_shards(struct push *push, const struct config *config)
{
	const struct option_texts *texts = &push->options->shards;
	uint64_t first = config->shards.first;
	const char *why = NULL;
	uint64_t index = 0;

	for (size_t i = 0; i < texts->count; i++) {
		if (quantity_count(texts->text[i], first,
			first + config->shards.count - 1, &index,
			&why) != STATUS_OK)
			return report_fault(push->report, STATUS_USAGE, "usage",
			    NULL, NULL,
			    "--shard %s: %s; %s has %" PRIu32
			    " shards from %" PRIu32,
			    texts->text[i], why, config->name,
			    config->shards.count, config->shards.first);
		push->only[i] = (uint32_t)index;
	}
	push->run.only = push->only;
	push->run.only_count = texts->count;
	return STATUS_OK;
}

static int
asked_compare(const void *a, const void *b)
{
	const struct run_asked *x = a;
	const struct run_asked *y = b;
	int order = uint160_compare(&x->serial, &y->serial);

	/* What a certificate says of its shard comes first. */
	return order != 0 ? order : (int)y->has_shard - (int)x->has_shard;
}

/* Each serial once. */
static enum status
sort_asked(struct push *push, size_t n)
{
	struct run_asked *asked = push->asked;
	char hex[UINT160_HEX_BYTES];
	size_t count = 0;

	qsort(asked, n, sizeof(*asked), asked_compare);
	for (size_t i = 0; i < n; i++) {
		const struct run_asked *last = &asked[count - (count > 0)];

		if (count == 0 ||
		    uint160_compare(&last->serial, &asked[i].serial) != 0)
			asked[count++] = asked[i];
		else if (asked[i].has_shard && asked[i].shard != last->shard)
			return report_fault(push->report, STATUS_USAGE, "usage",
			    NULL, NULL,
			    "two certificates of serial %s name two shards",
			    uint160_to_hex(&last->serial, hex));
	}
	push->run.asked = asked;
	push->run.asked_count = count;
	return STATUS_OK;
}

static enum status
make_asked(struct push *push, const struct config *config)
{
	size_t n = push->list.count + push->certificate_count;
	enum status status = STATUS_OK;

	push->asked = calloc(n + 1, sizeof(*push->asked));
	if (push->asked == NULL)
		return STATUS_NO_MEMORY;
	for (size_t i = 0; i < push->list.count; i++)
		push->asked[i].serial = push->list.serial[i];
	for (size_t i = 0; status == STATUS_OK && i < push->certificate_count;
	     i++) {
		const struct push_certificate *its = &push->certificate[i];
		struct run_asked *asked = &push->asked[push->list.count + i];

		asked->serial = its->certificate.serial;
		asked->has_shard = true;
		status = push_certificate_shard(
		    its, config, push->report, &asked->shard);
	}
	return status == STATUS_OK ? sort_asked(push, n) : status;
}

static enum status
push_config(struct push *push, const struct config *config)
{
	struct run *run = NULL;
	enum status status = STATUS_OK;

	if (push->certificate_count > 0)
		status = wrong_issuer(push, config);
	if (status == STATUS_OK)
		status = read_shards(push, config);
	if (status == STATUS_OK)
		status = make_asked(push, config);
	if (status != STATUS_OK)
		return status;
	status = run_publish(config, &push->run, push->context, push->report,
	    push->progress, &run);
	if (run != NULL)
		command_tell_run(push->context, push->report, &push->run, run,
		    push->options->json ? &push->json : NULL);
	run_free(run);
	return status;
}

static enum status
push_paths(struct push *push)
{
	const char *path = push->options->config != NULL
			       ? push->options->config
			       : push->context->config_path;
	enum status broken = STATUS_OK;
	struct config *config = NULL;
	char **paths = NULL;
	enum status status;
	size_t count = 0;

	status = command_passphrase_fd(push->options->passphrase_fd,
	    push->report, &push->run.passphrase_fd);
	if (status == STATUS_OK)
		status = command_passes(
		    &push->options->passes, push->report, &push->run.passes);
	if (status == STATUS_OK)
		status = read_asked(push);
	if (status == STATUS_OK)
		status = config_paths(path, push->report, &paths, &count);
	if (status == STATUS_OK)
		status = choose_config(push, paths, count, &config, &broken);
	if (status == STATUS_OK) {
		status = status_graver(push_config(push, config), broken);
		command_passes_unused(
		    &push->options->passes, push->report, &push->run.passes);
	}
	config_free(config);
	config_paths_free(paths, count);
	return status;
}

static enum status
push_run(struct push *push)
{
	const struct push_options *options = push->options;
	enum status status;

	push->run.push = true;
	push->run.quiet = options->quiet;
	push->run.dry_run = options->dry_run;
	push->run.diff = options->diff;
	push->run.has_now = options->now.given;
	push->run.now_sec = options->now.sec;
	push->run.workers =
	    options->jobs != 0 ? options->jobs : push->context->cpus;
	if (options->json)
		report_json_begin(&push->json, push->context->out, "runs");
	status = push_paths(push);
	report_close(push->report);
	if (options->json)
		report_json_end(push->report, status, &push->json);
	return status;
}

static void
push_free(struct push *push)
{
	for (size_t i = 0; i < push->certificate_count; i++)
		push_certificate_free(&push->certificate[i]);
	free(push->certificate);
	free(push->asked);
	serial_list_free(&push->list);
	progress_free(push->progress);
	report_free(push->report);
}

static enum status
command_run(const struct command *command, const struct context *context,
    int argc, char **argv)
{
	struct push_options options = {0};
	struct push push = {.context = context, .options = &options};
	enum status status;
	int operands = 0;

	push.report = report_new(context->err, SEVERITY_NOTE);
	if (push.report == NULL)
		return STATUS_NO_MEMORY;
	status = command_parse(
	    command, context, argc, argv, &options, push.report, &operands);
	if (status == STATUS_OK) {
		if (context->err_is_terminal && !options.quiet)
			push.progress = progress_new(context->err);
		status = push_run(&push);
	} else if (status == STATUS_DONE) {
		status = STATUS_OK;
	}
	push_free(&push);
	return status;
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
	    "uploaded, safe to run again.\n",
    .help_more = command_print_gates,
    .options = &option_table,
    .run = command_run,
};
