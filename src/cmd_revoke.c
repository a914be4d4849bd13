/* SPDX-License-Identifier: ISC */
/*
 * crlpress revoke: revocations into the native table, all or none, and then
 * onto the CRLs of their shards.
 */
#include <errno.h>
#include <inttypes.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "crlpress/command.h"
#include "crlpress/command_option.h"
#include "crlpress/reason.h"
#include "crlpress/serial_text.h"
#include "crlpress/utc.h"
#include "push_impl.h"
#include "revoke_impl.h"

#define RULE "revoke"

/* RFC 5280, 5.3.1: for delta CRLs, which no profile has. */
#define REASON_REMOVE_FROM_CRL 8

struct revoke_options {
	struct push_settings push;
	struct option_texts serials;
	struct option_texts certificates;
	const char *csv;
	const char *reason;
	const char *shard;
	struct option_time date;
	struct option_time not_after;
	bool no_push;
	bool dry_run;
};

#define OFFSET(member) offsetof(struct revoke_options, member)

static const struct option_row option_rows[] = {
    COMMAND_OPTION_CONFIG(OFFSET(push.config)),
    COMMAND_OPTION_ISSUER(OFFSET(push.issuer)),
    {"serial", 's', OPTION_TEXTS, OFFSET(serials), "SERIAL",
	"hex, a:b:c or dec:123"},
    {"certificate", 0, OPTION_TEXTS, OFFSET(certificates), "FILE",
	"the certificate, PEM or DER"},
    {"reason", 'r', OPTION_TEXT, OFFSET(reason), "REASON",
	"keyCompromise, superseded..., or its number"},
    {"date", 0, OPTION_TIME, OFFSET(date), "TIME",
	"since when it is revoked (default: now)"},
    {"not-after", 0, OPTION_TIME, OFFSET(not_after), "TIME",
	"when it expires, with --serial"},
    {"shard", 0, OPTION_TEXT, OFFSET(shard), "N", "its shard, with --serial"},
    {"csv", 0, OPTION_TEXT, OFFSET(csv), "FILE",
	"many rows, as `verify --rows` reads them; - for stdin"},
    {"no-push", 0, OPTION_FLAG, OFFSET(no_push), NULL,
	"record it, and leave publishing to the next run"},
    COMMAND_OPTION_WAIT(OFFSET(push.wait)),
    {"dry-run", 'n', OPTION_FLAG, OFFSET(dry_run), NULL,
	"check everything, record and publish nothing"},
    COMMAND_OPTION_PASS(OFFSET(push.passes)),
    COMMAND_OPTION_JOBS(OFFSET(push.jobs)),
    COMMAND_OPTION_PASSPHRASE_FD(OFFSET(push.passphrase_fd)),
    COMMAND_OPTION_JSON(OFFSET(push.json)),
    COMMAND_OPTION_QUIET(OFFSET(push.quiet)),
};

/* What one call works with, beside what a push does. */
struct revoke {
	struct push *push;
	const struct revoke_options *options;
	const struct config *config;
	int64_t now_sec;
	uint8_t reason;
	struct revoke_rows rows;
	struct record_counts counts;
	bool recorded;
};

static enum status
check_usage(struct push *push, const struct revoke_options *options)
{
	size_t named = options->serials.count + options->certificates.count;
	const char *what = NULL;

	if ((options->csv != NULL) == (named > 0))
		what = "want --serial or --certificate, or else --csv";
	else if (options->csv != NULL &&
		 (options->reason != NULL || options->date.given ||
		     options->not_after.given || options->shard != NULL))
		what = "with --csv, reasons, dates and shards are in the file";
	else if (options->csv == NULL && options->reason == NULL)
		what = "want --reason";
	else if ((options->not_after.given || options->shard != NULL) &&
		 options->serials.count != 1)
		what = "--not-after and --shard are of one --serial; a "
		       "certificate says them itself";
	else if (options->csv != NULL && strcmp(options->csv, "-") == 0 &&
		 push->run.passphrase_fd == STDIN_FILENO)
		what = "--csv - and --passphrase-fd 0 both read standard input";
	return what == NULL ? STATUS_OK : command_usage(push->report, what);
}

static enum status
read_reason(struct revoke *revoke)
{
	const char *text = revoke->options->reason;
	char wanted[REASON_LIST_BYTES];

	if (text == NULL ||
	    reason_from_text(text, &revoke->reason) == STATUS_OK)
		return STATUS_OK;
	return report_fault(revoke->push->report, STATUS_USAGE, "usage", NULL,
	    NULL, "--reason, have %s, want one of RFC 5280, 5.3.1: %s", text,
	    reason_list(~(1U << REASON_REMOVE_FROM_CRL), wanted));
}

/* Only there is it known what a row has to say, and who may write it. */
static enum status
check_native(const struct revoke *revoke)
{
	const struct config *config = revoke->config;

	if (config_source_kind(config) != SOURCE_DATABASE) {
		report_fault(revoke->push->report, STATUS_CONFIG, config->path,
		    RULE, NULL,
		    "rows come from a file, have %s, want the native table",
		    config->source);
		report_hint(revoke->push->report,
		    "revoke it in the CA itself, then `crlpress push`");
		return STATUS_CONFIG;
	}
	if (config->query_file == NULL)
		return STATUS_OK;
	report_fault(revoke->push->report, STATUS_CONFIG, config->path, RULE,
	    NULL, "rows come from query_file, have %s, want the native table",
	    config->query_file);
	report_hint(revoke->push->report,
	    "record it in the CA's own tables, then `crlpress push`");
	return STATUS_CONFIG;
}

/* By name, or, of a certificate, by its file. */
static enum status
row_fault(const struct revoke *revoke, const char *object,
    const struct record_row *row, const char *clause, const char *why)
{
	char hex[UINT160_HEX_BYTES];

	return report_fault(revoke->push->report, STATUS_USAGE, object, RULE,
	    clause, "serial %s: %s", uint160_to_hex(&row->serial, hex), why);
}

static enum status
add_row(struct revoke *revoke, const char *object, struct record_row *row)
{
	const struct revoke_options *options = revoke->options;
	char why[REVOKE_WHY_BYTES];
	const char *clause = NULL;
	enum status status;

	row->reason = revoke->reason;
	row->has_date = options->date.given;
	row->revoked_at_sec =
	    options->date.given ? options->date.sec : revoke->now_sec;
	status = revoke_row_check(
	    revoke->config, revoke->now_sec, row, &clause, why);
	if (status != STATUS_OK)
		return row_fault(revoke, object, row, clause, why);
	return revoke_rows_add(&revoke->rows, row);
}

static enum status
add_serial(struct revoke *revoke, const char *text)
{
	const struct revoke_options *options = revoke->options;
	struct record_row row = {
	    .has_not_after = options->not_after.given,
	    .not_after_sec = options->not_after.sec,
	    .has_shard = options->shard != NULL,
	};
	const char *why = NULL;
	enum status status;

	if (serial_text_read(text, strlen(text), &row.serial, &why) !=
	    STATUS_OK)
		return report_fault(revoke->push->report, STATUS_USAGE, "usage",
		    NULL, NULL, "--serial %s: %s", text, why);
	status = options->shard == NULL
		     ? STATUS_OK
		     : push_read_shard(revoke->push, revoke->config,
			   options->shard, &row.shard);
	return status == STATUS_OK ? add_row(revoke, revoke->config->name, &row)
				   : status;
}

/* RFC 5280, 4.2.1.13: the shard is the one whose URL stands in it. */
static enum status
add_certificate(struct revoke *revoke, const struct push_certificate *its)
{
	struct record_row row = {
	    .serial = its->certificate.serial,
	    .has_not_after = true,
	    .not_after_sec = its->certificate.not_after.sec,
	};
	enum status status = push_certificate_shard(
	    its, revoke->config, revoke->push->report, &row.shard);

	/* Where the scheme tells it, the column stays NULL. */
	row.has_shard = revoke->config->shards.scheme == SHARD_COLUMN;
	return status == STATUS_OK ? add_row(revoke, its->path, &row) : status;
}

static enum status
read_csv(struct revoke *revoke)
{
	const char *path = revoke->options->csv;
	bool is_stdin = strcmp(path, "-") == 0;
	struct push *push = revoke->push;
	FILE *stream = is_stdin ? push->context->in : fopen(path, "re");
	enum status status;

	if (stream == NULL)
		return report_fault(push->report, STATUS_USAGE, path, RULE,
		    NULL, "cannot be opened: %s", strerror(errno));
	status = revoke_rows_read(is_stdin ? "standard input" : path, stream,
	    revoke->config, revoke->now_sec, push->report, push->progress,
	    &revoke->rows);
	if (!is_stdin)
		(void)fclose(stream);
	return status;
}

static enum status
read_rows(struct revoke *revoke)
{
	const struct option_texts *serials = &revoke->options->serials;
	struct push *push = revoke->push;
	enum status status = STATUS_OK;

	if (revoke->options->csv != NULL)
		return read_csv(revoke);
	for (size_t i = 0; status == STATUS_OK && i < serials->count; i++)
		status = add_serial(revoke, serials->text[i]);
	for (size_t i = 0; status == STATUS_OK && i < push->certificate_count;
	     i++)
		status = add_certificate(revoke, &push->certificate[i]);
	return status;
}

/* It is not recorded, so all has to be known of it. */
static enum status
incomplete(const struct revoke *revoke, const struct record_row *row)
{
	const char *object = revoke->config->name;
	const char *why = "its shard cannot be told";
	char detail[REVOKE_WHY_BYTES];
	uint32_t shard;

	if (!row->has_not_after)
		return row_fault(revoke, object, row, "RFC 5280, 3.3",
		    "when it expires is not known; want --not-after or "
		    "--certificate");
	if (revoke_row_shard(revoke->config, row, &shard, &why) == STATUS_OK)
		return STATUS_FAILED;
	snprintf(
	    detail, sizeof(detail), "%s; want --shard or --certificate", why);
	return row_fault(revoke, object, row, "BR 4.9.7", detail);
}

/* What stands there in the end is what is pushed. */
static enum status
record_row(struct revoke *revoke, struct record *record, struct record_row *row)
{
	const char *clause = NULL, *why = NULL;
	char detail[REVOKE_WHY_BYTES];
	enum status status;
	bool complete;
	uint32_t shard;

	/* What is recorded already may have what is not known here. */
	complete = row->has_not_after && revoke_row_shard(revoke->config, row,
					     &shard, &why) == STATUS_OK;
	if (why != NULL && row->has_shard)
		return row_fault(
		    revoke, revoke->config->name, row, "BR 4.9.7", why);
	status = record_one(record, complete, row, &revoke->counts);
	if (status == STATUS_NOT_FOUND)
		return incomplete(revoke, row);
	if (status != STATUS_OK)
		return status;
	if (revoke_row_check(revoke->config, revoke->now_sec, row, &clause,
		detail) != STATUS_OK)
		return row_fault(
		    revoke, revoke->config->name, row, clause, detail);
	if (revoke_row_shard(revoke->config, row, &shard, &why) == STATUS_OK)
		return STATUS_OK;
	snprintf(detail, sizeof(detail), "what is recorded is wrong: %s", why);
	row_fault(revoke, revoke->config->name, row, "BR 4.9.7", detail);
	if (!row->has_shard && revoke->config->shards.scheme == SHARD_COLUMN)
		record_hint_wrong(revoke->push->report);
	return STATUS_USAGE;
}

static enum status
record_rows(struct revoke *revoke, struct record *record)
{
	struct revoke_rows *rows = &revoke->rows;
	enum status status = STATUS_OK;

	if (revoke->options->csv != NULL)
		return record_all(record, rows->row, rows->count,
		    revoke->push->progress, &revoke->counts);
	/* Two of us at the same rows must not wait for each other. */
	revoke_rows_order(rows);
	for (size_t i = 0; status == STATUS_OK && i < rows->count; i++)
		status = record_row(revoke, record, &rows->row[i]);
	return status;
}

static enum status
record(struct revoke *revoke)
{
	const char *csv = revoke->options->csv;
	struct record *record = NULL;
	enum status status;

	status = record_open(revoke->config,
	    csv != NULL ? csv : revoke->config->name, revoke->push->report,
	    &record);
	if (status == STATUS_OK)
		status = record_rows(revoke, record);
	if (status == STATUS_OK && !revoke->options->dry_run) {
		status = record_commit(record);
		revoke->recorded = status == STATUS_OK;
	}
	record_close(record);
	return status;
}

static void
tell(const struct revoke *revoke)
{
	const struct record_counts *counts = &revoke->counts;
	const struct push *push = revoke->push;

	if (push->json != NULL) {
		json_open(push->json, "revoked", '{');
		json_bool(push->json, "dry_run", revoke->options->dry_run);
		json_uint(push->json, "recorded", counts->recorded);
		json_uint(push->json, "upgraded", counts->upgraded);
		json_uint(push->json, "already", counts->same);
		json_close(push->json, '}');
	} else if (!push->settings->quiet) {
		fprintf(push->context->out,
		    "%s: %s %" PRIu64 " recorded, %" PRIu64
		    " upgraded to keyCompromise or moved earlier, %" PRIu64
		    " already recorded\n",
		    revoke->config->name,
		    revoke->options->dry_run ? "would be:" : "revoked:",
		    counts->recorded, counts->upgraded, counts->same);
		(void)fflush(push->context->out);
	}
}

/*
 * The serials, and the shard of each, which is known now. Of too many to be
 * looked up one by one only the shards: there a run accounts for every row.
 */
static enum status
ask_push(struct revoke *revoke)
{
	const struct shard_scheme_config *shards = &revoke->config->shards;
	const struct revoke_rows *rows = &revoke->rows;
	struct push *push = revoke->push;
	const char *why = NULL;
	bool *concerned = calloc(shards->count, sizeof(*concerned));
	enum status status = STATUS_OK;
	size_t asked = rows->count <= RUN_ASKED_MOST ? rows->count : 0;
	uint32_t shard = 0;

	push->only = calloc(shards->count, sizeof(*push->only));
	push->asked = calloc(asked + 1, sizeof(*push->asked));
	if (concerned == NULL || push->only == NULL || push->asked == NULL) {
		free(concerned);
		return STATUS_NO_MEMORY;
	}
	for (size_t i = 0; status == STATUS_OK && i < rows->count; i++) {
		status = revoke_row_shard(
		    revoke->config, &rows->row[i], &shard, &why);
		if (status != STATUS_OK) {
			status = row_fault(revoke, revoke->config->name,
			    &rows->row[i], "BR 4.9.7", why);
			break;
		}
		concerned[shard - shards->first] = true;
		if (i < asked)
			push->asked[i] =
			    (struct run_asked){.serial = rows->row[i].serial,
				.has_shard = true,
				.shard = shard};
	}
	push->run.only = push->only;
	for (uint32_t i = 0; i < shards->count; i++)
		if (concerned[i])
			push->only[push->run.only_count++] = shards->first + i;
	free(concerned);
	return status == STATUS_OK ? push_sort_asked(push, asked) : status;
}

static enum status
publish(struct revoke *revoke)
{
	enum status status = ask_push(revoke);

	if (status == STATUS_OK)
		status = push_publish(revoke->push, revoke->config);
	if (status == STATUS_OK)
		return STATUS_OK;
	if (!revoke->push->published)
		report_hint(revoke->push->report,
		    "it is recorded: the next `crlpress publish` lists it, or "
		    "`crlpress push`");
	/* Something has changed, whatever it was that went wrong. */
	return status == STATUS_REFUSED ? status : STATUS_PARTIAL;
}

static enum status
revoke_config(struct revoke *revoke)
{
	enum status status = check_native(revoke);

	revoke->now_sec = revoke->push->context->clock_sec();
	if (status == STATUS_OK)
		status = read_rows(revoke);
	if (status == STATUS_OK)
		status = record(revoke);
	if (status != STATUS_OK)
		return status;
	tell(revoke);
	if (revoke->options->dry_run || revoke->options->no_push)
		return STATUS_OK;
	return publish(revoke);
}

static enum status
revoke_run(struct push *push, const void *given)
{
	struct revoke revoke = {.push = push, .options = given};
	enum status broken = STATUS_OK;
	struct config *config = NULL;
	enum status status;

	status = check_usage(push, revoke.options);
	if (status == STATUS_OK)
		status = read_reason(&revoke);
	if (status == STATUS_OK)
		status =
		    push_read_certificates(push, &revoke.options->certificates);
	if (status == STATUS_OK)
		status = push_choose(push, &config, &broken);
	revoke.config = config;
	if (status == STATUS_OK)
		status = revoke_config(&revoke);
	/* What is wrong with another issuer does not undo it. */
	if (revoke.recorded && broken != STATUS_OK)
		broken = STATUS_PARTIAL;
	free(revoke.rows.row);
	config_free(config);
	return status_graver(status, broken);
}

static enum status
command_run(struct command_call *call, const void *given)
{
	const struct revoke_options *options = given;

	return push_command(call, &options->push, options, revoke_run);
}

const struct command command_revoke = {
    .name = "revoke",
    .operands = "",
    .summary = "Record revocations in the native table, and publish them",
    .help = "All are recorded or none; then the shards concerned are pushed. "
	    "A serial that is\nrecorded already stays as it is, but may become "
	    "keyCompromise and its date then move\nearlier; to ask for what is "
	    "recorded is no mistake.\n\nExit status: 0 done; 1 failed, nothing "
	    "recorded; 2 usage, configuration, or\nsomething that cannot be "
	    "recorded: nothing is; 3 recorded already otherwise, nothing\n"
	    "changed, or recorded and a gate refused the rest; 4 recorded, not "
	    "published or not\nyet public, or another issuer's configuration "
	    "is wrong: safe to run again.\n",
    .help_more = command_print_gates,
    .options = {option_rows, sizeof(option_rows) / sizeof(option_rows[0])},
    .options_size = sizeof(struct revoke_options),
    .run = command_run,
};
