/* SPDX-License-Identifier: ISC */
/*
 * The first step of a run: the lock, the signer (forked before there is a
 * thread or a connection), the store and what is published in it, and then the
 * database's snapshot, the times and the number.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "crlpress/gzip.h"
#include "crlpress/utc.h"
#include "run_impl.h"

/* A run that starts within a second of the last one waits this long. */
#define NEXT_SECOND_MOST_SEC 3

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

/* Those that were named, and those of the serials that were. */
static void
choose_shards(const struct run *run, bool *chosen)
{
	const struct run_options *options = run->options;
	uint32_t first = run->config->shards.first;

	for (size_t i = 0; i < options->only_count; i++)
		chosen[options->only[i] - first] = true;
	for (size_t i = 0; !run->is_again && i < options->asked_count; i++)
		chosen[options->asked[i].shard - first] = true;
}

/* By one thread, before others read. */
static void
points_init(struct run *run)
{
	run->points =
	    config_points(run->config, issuer_facts(run->issuer)->subject);
}

static enum status
shards_init(struct run *run)
{
	const struct shard_scheme_config *shards = &run->config->shards;
	bool *chosen = calloc(shards->count, sizeof(*chosen));
	enum status status = STATUS_OK;
	size_t count = 0;

	if (chosen == NULL)
		return no_memory(run);
	points_init(run);
	if (run->options->push)
		choose_shards(run, chosen);
	else
		memset(chosen, true, shards->count * sizeof(*chosen));
	for (uint32_t i = 0; i < shards->count; i++)
		count += chosen[i];
	run->shard = calloc(count + 1, sizeof(*run->shard));
	if (run->shard == NULL)
		status = no_memory(run);
	for (uint32_t i = 0; status == STATUS_OK && i < shards->count; i++)
		if (chosen[i])
			status = shard_init(run,
			    &run->shard[run->shard_count++], shards->first + i);
	run->by_shard = run->options->push && run->config->shard_sql != NULL;
	free(chosen);
	return status == STATUS_OK ? run_memory_open(run) : status;
}

/* A key that is elsewhere is no mistake, but something to say. */
static enum status
no_key(struct run *run)
{
	report_fault(run->report, STATUS_CONFIG, run->config->path, "config",
	    NULL, "[issuer] key: none: nothing can be signed here");
	report_hint(run->report,
	    "where the key is elsewhere: publish --stage-tbs, and --signed");
	return STATUS_CONFIG;
}

static enum status
start_signer(struct run *run)
{
	const struct config *config = run->config;
	struct signer_config signer = config_signer(config);

	signer.passphrase_fd = run->options->passphrase_fd;
	signer.now_sec = run->options->now_sec;
	signer.has_now = run->options->has_now;
	if (run->options->stage_dir != NULL)
		return run_stage_open(run, &signer);
	if (run->options->signed_dir != NULL)
		return run_signed_open(run);
	if (!config_has_key(config))
		return no_key(run);
	return signer_start(&signer, run->report, &run->signer);
}

static enum status
manifest_fault(struct run *run, const char *key, size_t line, const char *why)
{
	enum status status = report_fault(run->report, STATUS_REFUSED, key,
	    "previous-readable", "house rule", "line %zu: %s", line, why);

	report_hint(run->report,
	    "the shards themselves are judged without it; when they are all "
	    "there, move it away and run with --pass store-known");
	return status;
}

/* What is pushed stands beside what a run published. */
static enum status
no_manifest(struct run *run)
{
	report_fault(run->report, STATUS_REFUSED, run->config->manifest_key,
	    "push", "house rule", "there is no manifest in %s",
	    store_name(run->store));
	report_hint(run->report,
	    "`crlpress publish` makes the first CRL of every shard");
	return STATUS_REFUSED;
}

/* Compressed or not, as whoever put it was told. */
static enum status
manifest_read(const struct store_object *object, struct manifest *manifest,
    size_t *line, const char **why)
{
	struct gzip_bytes text;
	enum status status;

	if (!gzip_is_packed(object->data, object->len))
		return manifest_parse((const char *)object->data, object->len,
		    manifest, line, why);
	status = gzip_unpack(
	    object->data, object->len, MANIFEST_BYTES_MOST, &text, why);
	if (status != STATUS_OK) {
		*why = *why != NULL ? *why : "out of memory";
		return status;
	}
	status = manifest_parse(
	    (const char *)text.data, text.len, manifest, line, why);
	gzip_bytes_free(&text);
	return status;
}

enum status
run_manifest_get(struct run *run, const char *key, struct manifest *manifest,
    struct store_version *version)
{
	struct store_object object;
	const char *why = NULL;
	enum status status;
	size_t line = 0;

	status = store_get(run->store, key, &object);
	if (status != STATUS_OK)
		return status;
	*version = object.version;
	status = manifest_read(&object, manifest, &line, &why);
	if (status != STATUS_OK)
		status = manifest_fault(run, key, line, why);
	store_object_free(&object);
	return status;
}

/* The manifest of the last run; a store without one is new. */
static enum status
read_manifest(struct run *run)
{
	enum status status = run_manifest_get(run, run->config->manifest_key,
	    &run->manifest, &run->manifest_version);

	run->has_manifest = status == STATUS_OK;
	if (status != STATUS_NOT_FOUND)
		return status;
	/* The run that a shard is made again for may be the first. */
	return run->options->push && !run->is_again ? no_manifest(run)
						    : STATUS_OK;
}

static int64_t
newest_published(const struct run *run, int64_t limit_sec)
{
	int64_t newest = UTC_MIN_SEC;

	for (size_t i = 0; i < run->shard_count; i++) {
		int64_t sec = run->shard[i].previous_this_update_sec;

		if ((run->shard[i].has_previous || run->shard[i].is_gone) &&
		    sec > newest && sec < limit_sec)
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
 * A run that publishes every shard is alone; a dry run is in nobody's way, nor
 * is a push, but where the store takes no conditions: the lock is all that
 * orders publishers then. What was
 * published from here is read before the manifest is: the manifest that
 * another run puts meanwhile is newer than that, never older.
 */
static enum status
open_state(struct run *run)
{
	const struct config *config = run->config;
	bool shared = run->options->dry_run ||
		      (run->options->push && !config->remote.unconditional);
	enum status status;

	status = state_open(config->state_dir, config->name,
	    shared ? STATE_SHARED : STATE_EXCLUSIVE, run->report, &run->state);
	if (status != STATUS_OK)
		return status;
	stage_sweep(run->state);
	return state_number(run->state, STATE_PUBLISHED, &run->published);
}

static enum status
open_store(struct run *run)
{
	const struct config *config = run->config;
	struct store_config store = {
	    .url = config->store_url,
	    .remote = &config->remote,
	    .context = run->context,
	    .public_ca_file = config->public_ca_file,
	};
	char *state_dir = NULL;
	enum status status;

	if (asprintf(&state_dir, "%s/%s", config->state_dir, config->name) < 0)
		return no_memory(run);
	store.state_dir = state_dir;
	status = store_open(&store, run->report, &run->store);
	free(state_dir);
	return status;
}

/* Without a manifest nothing tells whether the database is behind. */
static void
warn_without_manifest(struct run *run)
{
	for (size_t i = 0;
	     !run->is_again && !run->has_manifest && i < run->shard_count;
	     i++) {
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
	enum status status;

	status = issuer_load(config->certificate, run->report, &run->issuer);
	if (status == STATUS_OK)
		status = open_state(run);
	if (status == STATUS_OK)
		status = run_ledger_open(run);
	if (status == STATUS_OK)
		status = start_signer(run);
	if (status == STATUS_OK)
		status = run_asked_locate(run);
	if (status == STATUS_OK)
		status = open_store(run);
	if (status == STATUS_OK && !run->options->dry_run)
		status = store_sweep(run->store);
	return status;
}

enum status
run_look(struct run *run)
{
	struct state_puts puts = {.count = 0};
	enum status status = shards_init(run);

	/* What others put meanwhile is newer than that, never older. */
	if (status == STATUS_OK)
		status = state_puts_read(run->state, &puts);
	if (status == STATUS_OK)
		status = read_manifest(run);
	if (status == STATUS_OK)
		status = run_gate_set(run);
	if (status == STATUS_OK)
		status = run_previous_survey(run);
	if (status == STATUS_OK)
		status = run_gate_renamed(run);
	if (status == STATUS_OK)
		status = run_ledger_found(run);
	if (status == STATUS_OK)
		status = run_gate_store(run, &puts);
	if (status == STATUS_OK)
		warn_without_manifest(run);
	state_puts_free(&puts);
	return status;
}

/* thisUpdate is never ahead of a clock that it can be held against. */
static void
choose_times(struct run *run, int64_t now_sec)
{
	int64_t database_sec = run->snapshot.now_usec / 1000000;

	run->this_update_sec = now_sec;
	/* A file has no clock. */
	if (!run->options->has_now && run->snapshot.kind == SOURCE_DATABASE &&
	    database_sec < now_sec)
		run->this_update_sec = database_sec;
	/* BR 7.2: the interval includes its last second. */
	run->next_update_sec =
	    run->this_update_sec + run->config->validity_sec - 1;
	run->now_sec = run->this_update_sec;
	run->has_times = true;
	if (run->signed_set != NULL)
		run_signed_times(run);
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

	if (run->has_lookback)
		return run->lookback_sec;
	for (size_t i = 0; i < run->shard_count; i++)
		if ((run->shard[i].has_previous || run->shard[i].is_gone) &&
		    run->shard[i].previous_this_update_sec < oldest_sec)
			oldest_sec = run->shard[i].previous_this_update_sec;
	if (run->has_manifest && run->manifest.has_replaced &&
	    run->manifest.replaced_sec < oldest_sec)
		oldest_sec = run->manifest.replaced_sec;
	oldest_sec -= run->config->lookback_sec;
	return oldest_sec < UTC_MIN_SEC ? UTC_MIN_SEC : oldest_sec;
}

int64_t
run_lookback(const struct run *run)
{
	return choose_lookback(run);
}

unsigned
run_connections(const struct run *run)
{
	unsigned most = run->config->source_connections;

	if (run->by_shard)
		return 1;
	return run->options->workers < most ? run->options->workers : most;
}

static struct source_config
source_config_of(struct run *run)
{
	struct source_config source = config_source(run->config, &run->points);

	source.stop = &run->stop_reading;
	source.cancelled = run->context->interrupted;
	source.latest_sec = run->context->clock_sec() + run->config->skew_sec;
	return source;
}

/* Before the shards are known, a serial is asked for, and no more. */
static bool
run_shares(const struct run *run)
{
	return run->shard_count > 0 &&
	       (run_connections(run) > 1 ||
		   (run->work != NULL && !run->is_again));
}

enum status
run_connect(struct run *run, struct source **out)
{
	struct source_config source;

	points_init(run);
	source = source_config_of(run);
	source.share = run_shares(run);
	return source_open(&source, run->report, out);
}

enum status
run_connect_shared(struct run *run, const struct source_share *share,
    struct report *report, struct source **out)
{
	struct source_config source = source_config_of(run);

	return source_open_shared(&source, share, report, out);
}

enum status
run_start_rows(struct run *run, const struct run_shard *shard)
{
	const struct config *config = run->config;
	struct source_statement statement = {
	    .sql = config->shard_sql,
	    .name = config_statement_name(config->shard_query_file),
	};
	char text[16];

	snprintf(text, sizeof(text), "%" PRIu32, shard->index);
	statement.shard = text;
	return source_start_statement(
	    run->source, &statement, choose_lookback(run));
}

enum status
run_open_source(struct run *run)
{
	int64_t now_sec = read_clock(run);
	enum status status;

	/* A push may have asked for serials; a connection costs as much as all
	 * that it asks. */
	status = run->source != NULL
		     ? source_renew(run->source, run_shares(run))
		     : run_connect(run, &run->source);
	if (status != STATUS_OK)
		return status;
	/* A server that was slow to answer makes no row one of the future. */
	if (!run->options->has_now)
		now_sec = run->context->clock_sec();
	run->snapshot = *source_snapshot(run->source);
	choose_times(run, now_sec);
	status = run_gate_clock(run);
	if (status == STATUS_OK)
		status = run_gate_issuer(run);
	if (status == STATUS_OK)
		status = run_gate_database(run);
	if (status == STATUS_OK && run->signed_set != NULL)
		return run_signed_begin(run);
	return status == STATUS_OK ? run_choose_number(run) : status;
}
