/* SPDX-License-Identifier: ISC */
/*
 * The first step of a run: the lock, the signer (forked before there is a
 * thread or a connection), the store and what is published in it, the times
 * and the number, and then the database's snapshot.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "crlpress/utc.h"
#include "run_impl.h"

/* A run that starts within a second of the last one waits this long. */
#define NEXT_SECOND_MOST_SEC 3

/* What faults of the statement are about where it is in no file. */
#define NATIVE_NAME "native statement"

static enum status
no_memory(struct run *run)
{
	return report_fault(run->report, STATUS_NO_MEMORY, run->config->name,
	    NULL, NULL, "out of memory");
}

static enum status
shard_init(struct run *run, struct run_shard *shard, uint32_t index)
{
	const struct config *config = run->config;
	uint32_t count = config->shards.count;
	char name[SHARD_NAME_BYTES];
	const char *why = NULL;

	shard->index = index;
	snprintf(shard->object, sizeof(shard->object), "%s/shard %" PRIu32,
	    config->name, index);
	if (shard_expand(config->url_pattern, count, index, name, sizeof(name),
		&why) != STATUS_OK)
		return report_fault(run->report, STATUS_CONFIG, shard->object,
		    "config", NULL, "url: %s", why);
	shard->url = strdup(name);
	if (shard_expand(config->object_pattern, count, index, name,
		sizeof(name), &why) != STATUS_OK)
		return report_fault(run->report, STATUS_CONFIG, shard->object,
		    "config", NULL, "object: %s", why);
	shard->key = strdup(name);
	if (shard->url == NULL || shard->key == NULL)
		return no_memory(run);
	return STATUS_OK;
}

static enum status
shards_init(struct run *run)
{
	const struct shard_scheme_config *shards = &run->config->shards;
	enum status status = STATUS_OK;

	run->shard = calloc(shards->count, sizeof(*run->shard));
	run->arena = row_arena_new();
	if (run->shard == NULL || run->arena == NULL)
		return no_memory(run);
	run->shard_count = shards->count;
	for (uint32_t i = 0; status == STATUS_OK && i < shards->count; i++)
		status = shard_init(run, &run->shard[i], shards->first + i);
	return status;
}

static enum status
start_signer(struct run *run)
{
	const struct config *config = run->config;
	struct signer_config signer = {
	    .key_path = config->key,
	    .passphrase_path = config->passphrase_file,
	    .passphrase_fd = run->options->passphrase_fd,
	    .certificate_path = config->certificate,
	    .digest = config->digest,
	    .padding = config->padding,
	    .url_pattern = config->url_pattern,
	    .shard_first = config->shards.first,
	    .shard_count = config->shards.count,
	    .skew_sec = config->skew_sec,
	    .now_sec = run->options->now_sec,
	    .has_now = run->options->has_now,
	};

	return signer_start(&signer, run->report, &run->signer);
}

static enum status
manifest_fault(struct run *run, size_t line, const char *why)
{
	enum status status =
	    report_fault(run->report, STATUS_REFUSED, run->config->manifest_key,
		"previous-readable", "house rule", "line %zu: %s", line, why);

	report_hint(run->report,
	    "the shards themselves are judged without it; move it away when "
	    "they are all right");
	return status;
}

/* The manifest of the last run; a store without one is new. */
static enum status
read_manifest(struct run *run)
{
	struct store_object object;
	const char *why = NULL;
	enum status status;
	size_t line = 0;

	status = store_get(run->store, run->config->manifest_key, &object);
	if (status == STATUS_NOT_FOUND)
		return STATUS_OK;
	if (status != STATUS_OK)
		return status;
	run->manifest_version = object.version;
	status = manifest_parse(
	    (const char *)object.data, object.len, &run->manifest, &line, &why);
	if (status != STATUS_OK)
		status = manifest_fault(run, line, why);
	else
		run->has_manifest = true;
	store_object_free(&object);
	return status;
}

static int64_t
newest_published(const struct run *run, int64_t limit_sec)
{
	int64_t newest = UTC_MIN_SEC;

	for (size_t i = 0; i < run->shard_count; i++) {
		int64_t sec = run->shard[i].previous_this_update_sec;

		if (run->shard[i].has_previous && sec > newest &&
		    sec < limit_sec)
			newest = sec;
	}
	return newest;
}

/*
 * Two runs in one second: the second one waits for its own. A shard from the
 * far future is not waited for, and its neighbours are no worse off for it.
 */
static int64_t
read_clock(const struct run *run)
{
	int64_t now_sec = run->context->clock_sec();
	int64_t newest_sec =
	    newest_published(run, now_sec + NEXT_SECOND_MOST_SEC);
	struct timespec tick = {.tv_nsec = 10000000};

	if (run->options->has_now)
		return run->options->now_sec;
	while (now_sec <= newest_sec &&
	       newest_sec - now_sec < NEXT_SECOND_MOST_SEC) {
		nanosleep(&tick, NULL);
		now_sec = run->context->clock_sec();
	}
	return now_sec;
}

/*
 * RFC 5280, 5.2.3: above every number that was published or only ever given
 * to the signer; the time, where that is higher, keeps it above those of a
 * state directory that was lost.
 */
static enum status
choose_number(struct run *run)
{
	struct uint160 timed = uint160_from_u64(
	    run->this_update_sec < 0 ? 0 : (uint64_t)run->this_update_sec);
	enum status status =
	    state_number(run->state, STATE_NUMBER, &run->number);

	if (status != STATUS_OK)
		return status;
	for (size_t i = 0; i < run->shard_count; i++)
		if (uint160_compare(
			&run->shard[i].previous_number, &run->number) > 0)
			run->number = run->shard[i].previous_number;
	if (uint160_next(&run->number) != STATUS_OK)
		return report_fault(run->report, STATUS_REFUSED,
		    run->config->name, "number", "BR 7.2.2",
		    "the published number is the last there is");
	if (uint160_compare(&timed, &run->number) > 0)
		run->number = timed;
	/* Given out before it is used: never two byte strings under one. */
	return run->options->dry_run
		   ? STATUS_OK
		   : state_number_set(run->state, STATE_NUMBER, &run->number);
}

/* Without a manifest nothing tells whether the database is behind. */
static void
warn_without_manifest(struct run *run)
{
	for (size_t i = 0; !run->has_manifest && i < run->shard_count; i++) {
		if (!run->shard[i].has_previous)
			continue;
		report_warn(run->report, run->config->manifest_key, "db-fresh",
		    "house rule",
		    "shards are published but no manifest: whether the "
		    "database is behind them cannot be told");
		return;
	}
}

enum status
run_open(struct run *run)
{
	const struct config *config = run->config;
	struct store_config store = {.url = config->store_url};
	enum status status;

	status = shards_init(run);
	if (status == STATUS_OK)
		status =
		    issuer_load(config->certificate, run->report, &run->issuer);
	if (status == STATUS_OK)
		status = state_open(
		    config->state_dir, config->name, run->report, &run->state);
	if (status == STATUS_OK)
		status = stage_clear(run->state);
	if (status == STATUS_OK)
		status = start_signer(run);
	if (status == STATUS_OK)
		status = store_open(&store, run->report, &run->store);
	if (status == STATUS_OK && !run->options->dry_run)
		status = store_sweep(run->store);
	if (status == STATUS_OK)
		status = read_manifest(run);
	if (status == STATUS_OK)
		status = run_gate_set(run);
	if (status == STATUS_OK)
		status = run_previous_survey(run);
	if (status == STATUS_OK)
		status = run_gate_store(run);
	if (status == STATUS_OK)
		warn_without_manifest(run);
	return status;
}

/* thisUpdate is never ahead of a clock that it can be held against. */
static void
choose_times(struct run *run, int64_t now_sec)
{
	int64_t database_sec = run->snapshot.now_usec / 1000000;

	run->this_update_sec = now_sec;
	if (!run->options->has_now && database_sec < now_sec)
		run->this_update_sec = database_sec;
	/* BR 7.2: the interval includes its last second. */
	run->next_update_sec =
	    run->this_update_sec + run->config->validity_sec - 1;
}

/*
 * From when on expired rows are still of use. An entry that is published had
 * not expired when the CRL before was issued; so the proof that it may leave
 * lies after the oldest thisUpdate of the CRLs that the published ones
 * replaced, however long runs have been failing. The lookback is the margin.
 */
static int64_t
choose_lookback(const struct run *run)
{
	int64_t oldest_sec = run->this_update_sec;

	for (size_t i = 0; i < run->shard_count; i++)
		if (run->shard[i].has_previous &&
		    run->shard[i].previous_this_update_sec < oldest_sec)
			oldest_sec = run->shard[i].previous_this_update_sec;
	if (run->has_manifest && run->manifest.has_replaced &&
	    run->manifest.replaced_sec < oldest_sec)
		oldest_sec = run->manifest.replaced_sec;
	oldest_sec -= run->config->lookback_sec;
	return oldest_sec < UTC_MIN_SEC ? UTC_MIN_SEC : oldest_sec;
}

enum status
run_open_source(struct run *run)
{
	const struct config *config = run->config;
	struct source_config source = {
	    .conninfo = config->conninfo,
	    .sql = config->sql,
	    .sql_name =
		config->query_file != NULL ? config->query_file : NATIVE_NAME,
	    /* A statement without :'issuer' needs none. */
	    .issuer_id = config->issuer_id != NULL ? config->issuer_id : "",
	    .encoding = config->encoding,
	    .connect_timeout_sec = config->connect_timeout_sec,
	    .statement_timeout_sec = config->statement_timeout_sec,
	};
	int64_t now_sec = read_clock(run);
	enum status status;

	status = source_open(&source, run->report, &run->source);
	if (status != STATUS_OK)
		return status;
	run->snapshot = *source_snapshot(run->source);
	choose_times(run, now_sec);
	status = run_gate_clock(run);
	if (status == STATUS_OK)
		status = run_gate_issuer(run);
	if (status == STATUS_OK)
		status = run_gate_database(run);
	if (status == STATUS_OK)
		status = choose_number(run);
	if (status == STATUS_OK)
		status = source_start(run->source, choose_lookback(run));
	return status;
}
