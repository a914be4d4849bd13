/* SPDX-License-Identifier: ISC */
/*
 * The beginning of a shared run. The host that opens it reads all rows, as a
 * run of one host does, judges them and tells the others which shards there
 * are; it exports the snapshot that they all read in. A host that joins reads
 * in that snapshot, with the times of the run.
 */
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "crlpress/hash.h"
#include "run_share.h"

#define RULE "share"

/* What makes the same shards of the same rows, and puts them where. */
static void
print_configuration(const struct run *run, FILE *stream)
{
	const struct config *config = run->config;
	const struct shard_scheme_config *shards = &config->shards;
	char hex[HASH_HEX_BYTES];
	struct hash certificate;

	memcpy(certificate.octet, issuer_facts(run->issuer)->sha256,
	    sizeof(certificate.octet));
	fprintf(stream, "%s %s %s\n", CRLPRESS_VERSION, config->name,
	    hash_to_hex(&certificate, hex));
	fprintf(stream, "issuer %d %d %d %d\n", (int)config->digest,
	    (int)config->padding, (int)config->profile, config->has_ocsp);
	fprintf(stream, "source %s %d %" PRId64 "\n%s\n%s\n",
	    config->issuer_id != NULL ? config->issuer_id : "",
	    (int)config->encoding, config->lookback_sec, config->sql,
	    config->shard_sql != NULL ? config->shard_sql : "");
	fprintf(stream,
	    "shards %d %" PRIu32 " %" PRIu32 " %" PRId64 " %" PRId64
	    "\n%s\n%s\n",
	    (int)shards->scheme, shards->count, shards->first,
	    shards->anchor_sec, shards->chunk_sec, config->url_pattern,
	    config->object_pattern);
	fprintf(stream, "crl %" PRId64 " %" PRId64 " %d\n",
	    config->validity_sec, config->period_sec, (int)config->scope);
	fprintf(stream, "store %s %s %s\n", config->store_url,
	    config->remote.endpoint != NULL ? config->remote.endpoint : "",
	    config->manifest_key);
	fprintf(stream, "gates %" PRIu32 " %" PRIu32 " %" PRIu64 " %d\n",
	    config->floor_percent, config->shard_floor_percent,
	    config->size_most, config->allow_empty);
}

static enum status
no_memory(struct run *run)
{
	return report_fault(run->report, STATUS_NO_MEMORY, run->config->name,
	    RULE, NULL, "out of memory");
}

static enum status
configuration_hash(struct run *run, char hex[HASH_HEX_BYTES])
{
	char *text = NULL;
	size_t len = 0;
	FILE *stream = open_memstream(&text, &len);
	struct hash hash;
	enum status status;
	bool whole;

	if (stream == NULL)
		return no_memory(run);
	print_configuration(run, stream);
	whole = ferror(stream) == 0;
	whole = fclose(stream) == 0 && whole;
	status = whole ? hash_bytes((const uint8_t *)text, len, &hash)
		       : STATUS_NO_MEMORY;
	free(text);
	if (status != STATUS_OK)
		return no_memory(run);
	hash_to_hex(&hash, hex);
	return STATUS_OK;
}

enum status
run_share_enter(struct share *share)
{
	struct run *run = share->run;
	const struct config *config = run->config;
	char hex[HASH_HEX_BYTES], name[HOST_NAME_MAX + 1] = "";
	char host[WORK_HOST_BYTES];
	struct work_config work = {
	    .conninfo = config->share_conninfo != NULL ? config->share_conninfo
						       : config->conninfo,
	    .conninfo_key = config->share_conninfo != NULL
				? "[share] conninfo"
				: "[source] conninfo",
	    .file = config->path,
	    .issuer = config->name,
	    .configuration = hex,
	    .host = host,
	    .lease_sec = config->share_lease_sec,
	    .connect_timeout_sec = config->connect_timeout_sec,
	    .quiet = run->options->quiet,
	    .fresh_sec = config->period_sec / 2,
	    .monotonic_ms = run->context->monotonic_ms,
	};
	enum status status = configuration_hash(run, hex);

	if (status != STATUS_OK)
		return status;
	(void)gethostname(name, sizeof(name) - 1);
	snprintf(host, sizeof(host), "%s, process %ld", name, (long)getpid());
	if (config->remote.unconditional) {
		report_fault(run->report, STATUS_REFUSED, config->name, RULE,
		    "house rule",
		    "the store takes no conditions: only the lock of one host "
		    "keeps an older CRL from a newer one's place");
		report_hint(run->report, "publish without --share");
		return STATUS_REFUSED;
	}
	return work_enter(&work, run->report, &share->work);
}

/* Of all hosts' shards none is this one's yet. */
static void
give_away(struct run *run)
{
	for (size_t i = 0; i < run->shard_count; i++) {
		struct run_shard *shard = &run->shard[i];

		if (shard->state == RUN_SHARD_PENDING && !shard->rows_refused)
			shard->state = RUN_SHARD_ELSEWHERE;
		else
			shard->state = RUN_SHARD_WITHHELD;
	}
}

/* As the store was when it was looked at: before the snapshot was taken. */
static void
note_standing(struct share *share)
{
	const struct run *run = share->run;

	for (size_t i = 0; i < run->shard_count; i++) {
		const struct run_shard *shard = &run->shard[i];

		share->room[i] = (struct work_shard){.shard = shard->index};
		if (shard->has_previous)
			uint160_to_decimal(
			    &shard->previous_number, share->room[i].standing);
	}
}

/* A shard that no host can make is told at once, as the others are. */
static enum status
tell_others(struct share *share, const struct source_share *snapshot)
{
	struct run *run = share->run;
	struct work_run facts = {
	    .snapshot = *snapshot,
	    .this_update_sec = run->this_update_sec,
	    .lookback_sec = run_lookback(run),
	};
	enum status status;

	for (size_t i = 0; i < run->shard_count; i++) {
		const struct run_shard *shard = &run->shard[i];

		share->room[i].rows = shard->rows.count + shard->rows_faulty +
				      shard->rows_deferred;
		share->room[i].deferred = shard->rows_deferred;
		share->room[i].gates = shard->gates_closed;
		share->room[i].state = shard->state == RUN_SHARD_WITHHELD
					   ? WORK_WITHHELD
					   : WORK_OPEN;
	}
	status = work_share(share->work, &facts, share->room, run->shard_count);
	if (status == STATUS_CONFLICT)
		status = report_fault(run->report, STATUS_FAILED,
		    run->config->name, RULE, "house rule",
		    "it took longer than the lease to open the shared run, "
		    "which somebody else took over");
	return status;
}

static enum status
begin_opener(struct share *share)
{
	struct run *run = share->run;
	struct source_share snapshot = {.text = ""};
	enum status status;

	note_standing(share);
	status = run_open_source(run);
	if (status == STATUS_OK) {
		run_recorded_begin(run);
		status = source_share_export(run->source, &snapshot);
	}
	if (status == STATUS_OK)
		status = run_collect(run);
	if (status == STATUS_OK)
		status = run_gate_rows(run);
	if (status == STATUS_OK)
		status = run_gate_disjoint(run);
	if (status != STATUS_OK)
		return status;
	run_period_last(run);
	give_away(run);
	return tell_others(share, &snapshot);
}

/* The server's clock is that of now, the snapshot's of when it was taken. */
static enum status
judge_clock(struct share *share)
{
	struct run *run = share->run;
	int64_t then_usec = run->snapshot.now_usec;
	int64_t now_sec;
	enum status status = work_clock(share->work, &now_sec);

	if (status != STATUS_OK)
		return status;
	run->snapshot.now_usec = now_sec * 1000000;
	status = run_gate_clock(run);
	run->snapshot.now_usec = then_usec;
	return status;
}

static enum status
begin_joiner(struct share *share)
{
	struct run *run = share->run;
	const struct work_run *facts = work_facts(share->work);
	enum status status = run_connect_shared(
	    run, &facts->snapshot, run->report, &run->source);

	/* The run of those that have the snapshot is another run. */
	if (status == STATUS_REFUSED) {
		report_hint(run->report,
		    "run %" PRIu64 " goes on without this host; what it does "
		    "not publish is the next run's",
		    work_id(share->work));
		return STATUS_LOCKED;
	}
	if (status != STATUS_OK)
		return status;
	run->snapshot = *source_snapshot(run->source);
	run->this_update_sec = facts->this_update_sec;
	run->now_sec = facts->this_update_sec;
	run->next_update_sec =
	    run->this_update_sec + run->config->validity_sec - 1;
	run->has_times = true;
	run->lookback_sec = facts->lookback_sec;
	run->has_lookback = true;
	run->by_shard = run->config->shard_sql != NULL;
	run_recorded_begin(run);
	status = judge_clock(share);
	if (status == STATUS_OK)
		status = run_gate_issuer(run);
	if (status == STATUS_OK)
		status = run_gate_database(run);
	if (status == STATUS_OK && !run->by_shard)
		status = run_collect(run);
	if (status == STATUS_OK && !run->by_shard)
		status = run_gate_rows(run);
	if (status == STATUS_OK && !run->by_shard)
		status = run_gate_disjoint(run);
	if (status == STATUS_OK)
		give_away(run);
	return status;
}

enum status
run_share_begin(struct share *share)
{
	struct run *run = share->run;
	/* What they know before the store is looked at, that must have. */
	enum status status =
	    work_known(share->work, &share->known, &share->known_count);

	if (status == STATUS_OK)
		status = run_look(run);
	if (status == STATUS_OK)
		status = run_share_sees(share);
	if (status != STATUS_OK)
		return status;
	share->room = calloc(run->shard_count + 1, sizeof(*share->room));
	share->mine = calloc(run->shard_count + 1, sizeof(*share->mine));
	if (share->room == NULL || share->mine == NULL)
		return no_memory(run);
	status = work_is_opener(share->work) ? begin_opener(share)
					     : begin_joiner(share);
	share->can_make = status == STATUS_OK;
	return status;
}
