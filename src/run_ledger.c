/* SPDX-License-Identifier: ISC */
/*
 * What a run says in the ledger; docs/ledger.md defines it. A dry run says
 * nothing: it publishes nothing.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "crlpress/ledger.h"
#include "crlpress/utc.h"
#include "run_impl.h"

/* A line under way. */
struct event {
	struct json json;
	FILE *stream;
	char *text;
	size_t len;
};

static enum status
no_memory(struct run *run)
{
	return report_fault(run->report, STATUS_NO_MEMORY, run->config->name,
	    "ledger", NULL, "out of memory");
}

/* What every line begins with. */
static enum status
event_open(struct run *run, const char *name, struct event *event)
{
	char date[UTC_ISO_BYTES];

	*event = (struct event){0};
	event->stream = open_memstream(&event->text, &event->len);
	if (event->stream == NULL)
		return no_memory(run);
	event->json.stream = event->stream;
	json_open(&event->json, NULL, '{');
	json_string(&event->json, "event", name);
	json_string(
	    &event->json, "time", utc_to_iso(run->context->clock_sec(), date));
	json_string(&event->json, "run", run->id);
	json_string(&event->json, "issuer", run->config->name);
	return STATUS_OK;
}

static enum status
event_close(struct run *run, struct event *event)
{
	enum status status;
	bool whole;

	json_close(&event->json, '}');
	whole = ferror(event->stream) == 0;
	if (fclose(event->stream) != 0 || !whole)
		status = no_memory(run);
	else
		status = ledger_append(run->ledger, event->text, event->len);
	free(event->text);
	return status;
}

static void
put_time(struct event *event, const char *name, int64_t sec)
{
	char date[UTC_ISO_BYTES];

	json_string(&event->json, name, utc_to_iso(sec, date));
}

/* Beyond what a double holds, so that it is text. */
static void
put_number(struct event *event, const char *name, const struct uint160 *number)
{
	char text[UINT160_DECIMAL_BYTES];

	json_string(&event->json, name, uint160_to_decimal(number, text));
}

/* Names of the gates in a set of them. */
static void
put_gates(struct event *event, uint32_t gates)
{
	json_open(&event->json, "gates", '[');
	for (int i = 0; i < GATE_COUNT; i++)
		if ((gates >> i & 1) != 0)
			json_string(
			    &event->json, NULL, gate_name((enum gate)i));
	json_close(&event->json, ']');
}

static void
put_shard(struct event *event, const struct run_shard *shard)
{
	json_uint(&event->json, "shard", shard->index);
	json_string(&event->json, "url", shard->url);
	json_string(&event->json, "key", shard->key);
}

static enum status
say_start(struct run *run)
{
	struct event event;
	enum status status = event_open(run, "start", &event);

	if (status != STATUS_OK)
		return status;
	json_string(&event.json, "version", CRLPRESS_VERSION);
	json_string(&event.json, "config", run->config->path);
	if (run->options->push)
		json_bool(&event.json, "push", true);
	if (run->options->stage_dir != NULL)
		json_string(&event.json, "stage", run->options->stage_dir);
	if (run->options->signed_dir != NULL)
		json_string(&event.json, "signed", run->options->signed_dir);
	if (run->options->has_now)
		put_time(&event, "now", run->options->now_sec);
	return event_close(run, &event);
}

enum status
run_ledger_open(struct run *run)
{
	const struct config *config = run->config;
	struct ledger_config ledger = {
	    .size_most = config->ledger_size,
	    .clock_sec = run->context->clock_sec,
	    .state = run->state,
	};
	enum status status;
	char *dir = NULL;

	if (run->options->dry_run)
		return STATUS_OK;
	(void)snprintf(run->id, sizeof(run->id), "%" PRId64 "-%ld",
	    run->context->clock_sec(), (long)getpid());
	if (asprintf(&dir, "%s/%s", config->state_dir, config->name) < 0)
		return no_memory(run);
	ledger.dir = dir;
	status = ledger_open(&ledger, run->report, &run->ledger);
	free(dir);
	/* What cannot be written down now is not begun. */
	if (status == STATUS_OK)
		status = say_start(run);
	if (status == STATUS_OK)
		status = ledger_sync(run->ledger);
	if (status != STATUS_OK) {
		ledger_close(run->ledger);
		run->ledger = NULL;
	}
	return status;
}

enum status
run_ledger_passed(struct run *run)
{
	const struct gate_passes *passes = &run->options->passes;
	enum status status = STATUS_OK;
	struct event event;

	for (size_t i = 0;
	     status == STATUS_OK && run->ledger != NULL && i < passes->count;
	     i++) {
		const struct gate_pass *pass = &passes->pass[i];

		if (!pass->used)
			continue;
		status = event_open(run, "passed", &event);
		if (status != STATUS_OK)
			break;
		json_string(&event.json, "gate", gate_name(pass->gate));
		if (pass->all)
			json_bool(&event.json, "all", true);
		else if (gate_is_of_shard(pass->gate))
			json_uint(&event.json, "shard", pass->shard);
		status = event_close(run, &event);
	}
	return status;
}

enum status
run_ledger_staged(struct run *run)
{
	char hex[HASH_HEX_BYTES];
	struct event event;
	enum status status;

	if (run->ledger == NULL)
		return STATUS_OK;
	status = event_open(run, "staged", &event);
	if (status != STATUS_OK)
		return status;
	put_number(&event, "number", &run->number);
	put_time(&event, "this_update", run->this_update_sec);
	put_time(&event, "next_update", run->next_update_sec);
	json_string(&event.json, "request_sha256",
	    hash_to_hex(&run->request_sha256, hex));
	json_uint(
	    &event.json, "shards", run_count_shards(run, RUN_SHARD_STAGED));
	status = event_close(run, &event);
	return status == STATUS_OK ? ledger_sync(run->ledger) : status;
}

/* Serials of one shard on their way into lines. */
struct serials {
	const struct run_recorded *recorded;
	const struct gate_changes *changes;
	size_t next; /* in `changes` */
};

static void
put_serial(struct event *event, const struct serials *serials,
    const struct row *row, const char *change)
{
	char hex[UINT160_HEX_BYTES];
	int64_t sec = 0;

	json_open(&event->json, NULL, '[');
	json_string(&event->json, NULL, uint160_to_hex(&row->serial, hex));
	put_time(event, NULL, row_revoked_at(row));
	if (run_recorded_find(serials->recorded, &row->serial, &sec))
		put_time(event, NULL, sec);
	else
		json_null(&event->json, NULL);
	json_string(&event->json, NULL, change);
	json_close(&event->json, ']');
}

/* As many as a line may have. */
static void
put_serials(struct event *event, struct serials *serials)
{
	const struct gate_changes *changes = serials->changes;
	size_t put = 0;

	json_open(&event->json, "serials", '[');
	for (; serials->next < changes->count && put < LEDGER_SERIALS_MOST;
	     serials->next++) {
		const struct row *row = &changes->row[serials->next];

		if (row->spare != GATE_ADDED && row->spare != GATE_CHANGED_TO)
			continue;
		put_serial(event, serials, row,
		    row->spare == GATE_ADDED ? "added" : "changed");
		put++;
	}
	json_close(&event->json, ']');
}

static bool
serials_are_left(const struct serials *serials)
{
	for (size_t i = serials->next; i < serials->changes->count; i++)
		if (serials->changes->row[i].spare == GATE_ADDED ||
		    serials->changes->row[i].spare == GATE_CHANGED_TO)
			return true;
	return false;
}

/* The CRL that this run made of a shard. */
static void
put_made(
    struct event *event, const struct run *run, const struct run_shard *shard)
{
	char hex[HASH_HEX_BYTES];

	put_shard(event, shard);
	put_number(event, "number", &shard->number);
	put_time(event, "this_update", run->this_update_sec);
	put_time(event, "next_update", run->next_update_sec);
	json_uint(&event->json, "size", shard->staged.size);
	json_string(
	    &event->json, "sha256", hash_to_hex(&shard->staged.sha256, hex));
	json_uint(&event->json, "entries", shard->entries);
	json_uint(&event->json, "added", shard->merge.added);
	json_uint(
	    &event->json, "removed", shard->merge.removed + shard->merge.lost);
	json_uint(&event->json, "changed", shard->merge.changed);
	json_uint(&event->json, "late", shard->late);
	json_bool(
	    &event->json, "first", !shard->has_previous && !shard->is_gone);
	if (shard->is_gone)
		json_bool(&event->json, "remade", true);
}

static enum status
say_made(
    struct run *run, const struct run_shard *shard, struct serials *serials)
{
	struct event event;
	enum status status = event_open(run, "publishing", &event);

	if (status != STATUS_OK)
		return status;
	put_made(&event, run, shard);
	if (shard->has_previous)
		put_serials(&event, serials);
	return event_close(run, &event);
}

/* Those that the line before had no room for. */
static enum status
say_more(
    struct run *run, const struct run_shard *shard, struct serials *serials)
{
	struct event event;
	enum status status = event_open(run, "serials", &event);

	if (status != STATUS_OK)
		return status;
	json_uint(&event.json, "shard", shard->index);
	put_number(&event, "number", &shard->number);
	put_serials(&event, serials);
	return event_close(run, &event);
}

static enum status
say_publishing(struct run *run, struct run_shard *shard)
{
	struct run_recorded recorded;
	struct serials serials = {
	    .recorded = &recorded, .changes = &shard->changes};
	enum status status = run_recorded_load(run, shard, &recorded);

	if (status == STATUS_OK)
		status = say_made(run, shard, &serials);
	while (status == STATUS_OK && serials_are_left(&serials))
		status = say_more(run, shard, &serials);
	run_recorded_free(&recorded);
	return status;
}

/*
 * A run may be killed between the put of a shard and the line that says so, so
 * what is in it is said, and is on disk, before; the next run says that it
 * found the CRL. One sync is enough for all shards.
 */
enum status
run_ledger_publishing(struct run *run)
{
	enum status status = STATUS_OK;

	if (run->ledger == NULL)
		return STATUS_OK;
	for (size_t i = 0; status == STATUS_OK && i < run->shard_count; i++)
		if (run->shard[i].state == RUN_SHARD_STAGED &&
		    !run->shard[i].is_standing)
			status = say_publishing(run, &run->shard[i]);
	return status == STATUS_OK ? ledger_sync(run->ledger) : status;
}

void
run_ledger_published(struct run *run, struct run_shard *shard)
{
	struct event event;
	enum status status;

	if (run->ledger == NULL)
		return;
	status = event_open(run, "published", &event);
	if (status == STATUS_OK) {
		put_made(&event, run, shard);
		status = event_close(run, &event);
	}
	shard->unledgered = status != STATUS_OK;
}

static enum status
say_found(struct run *run, const struct run_shard *shard)
{
	struct event event;
	enum status status = event_open(run, "found", &event);

	if (status != STATUS_OK)
		return status;
	put_shard(&event, shard);
	put_number(&event, "number", &shard->previous_number);
	put_time(&event, "this_update", shard->previous_this_update_sec);
	put_time(&event, "next_update", shard->previous_next_update_sec);
	return event_close(run, &event);
}

enum status
run_ledger_found(struct run *run)
{
	enum status status = STATUS_OK;

	for (size_t i = 0;
	     status == STATUS_OK && run->ledger != NULL && i < run->shard_count;
	     i++) {
		struct run_shard *shard = &run->shard[i];
		const struct manifest_shard *line =
		    manifest_find(&run->manifest, shard->index);

		if (shard->state == RUN_SHARD_PUBLISHED ||
		    !shard->has_previous ||
		    (!uint160_is_zero(&shard->found) &&
			uint160_compare(
			    &shard->found, &shard->previous_number) == 0) ||
		    (line != NULL && uint160_compare(&line->number,
					 &shard->previous_number) == 0))
			continue;
		status = say_found(run, shard);
		shard->found = shard->previous_number;
	}
	return status;
}

enum status
run_ledger_sync(struct run *run)
{
	enum status status = STATUS_OK;

	if (run->ledger == NULL)
		return STATUS_OK;
	for (size_t i = 0; i < run->shard_count; i++)
		if (run->shard[i].unledgered)
			status = STATUS_FAILED;
	return status_graver(ledger_sync(run->ledger), status);
}

/* What became of a shard that was not published. */
static enum status
say_standing(struct run *run, const struct run_shard *shard)
{
	struct event event;
	enum status status =
	    event_open(run, run_shard_state_name(shard->state), &event);

	if (status != STATUS_OK)
		return status;
	put_shard(&event, shard);
	put_gates(&event, shard->gates_closed);
	if (shard->has_previous) {
		put_number(&event, "standing", &shard->previous_number);
		put_time(&event, "until", shard->previous_next_update_sec);
	} else {
		json_null(&event.json, "standing");
		json_null(&event.json, "until");
	}
	return event_close(run, &event);
}

static enum status
say_end(struct run *run)
{
	static const enum run_shard_state told[] = {RUN_SHARD_PUBLISHED,
	    RUN_SHARD_WITHHELD, RUN_SHARD_FAILED, RUN_SHARD_UNPLACED};
	struct event event;
	enum status status = event_open(run, "end", &event);

	if (status != STATUS_OK)
		return status;
	json_string(&event.json, "status", status_name(run->status));
	json_uint(&event.json, "exit", (uint64_t)status_exit(run->status));
	if (run->made) {
		put_number(&event, "number", &run->number);
		put_time(&event, "this_update", run->this_update_sec);
		put_time(&event, "next_update", run->next_update_sec);
	}
	put_gates(&event, run->gates_closed);
	json_open(&event.json, "shards", '{');
	for (size_t i = 0; i < sizeof(told) / sizeof(told[0]); i++)
		json_uint(&event.json, run_shard_state_name(told[i]),
		    run_count_shards(run, told[i]));
	json_close(&event.json, '}');
	run_print_json_rows(run, &event.json);
	return event_close(run, &event);
}

enum status
run_ledger_end(struct run *run)
{
	enum status status = STATUS_OK;

	if (run->ledger == NULL)
		return STATUS_OK;
	for (size_t i = 0; status == STATUS_OK && i < run->shard_count; i++) {
		enum run_shard_state state = run->shard[i].state;

		if (state == RUN_SHARD_WITHHELD || state == RUN_SHARD_FAILED ||
		    state == RUN_SHARD_UNPLACED)
			status = say_standing(run, &run->shard[i]);
	}
	if (status == STATUS_OK)
		status = say_end(run);
	if (status == STATUS_OK)
		status = ledger_sync(run->ledger);
	ledger_close(run->ledger);
	run->ledger = NULL;
	return status;
}
