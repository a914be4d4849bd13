/* SPDX-License-Identifier: ISC */
/* The gates that stop a whole issuer. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "crlpress/gate_now.h"
#include "crlpress/utc.h"
#include "run_impl.h"

struct gate_place
run_place(struct run *run)
{
	return (struct gate_place){
	    .object = run->config->name,
	    .passes = &run->options->passes,
	    .report = run->report,
	    .closed = &run->gates_closed,
	};
}

struct gate_place
run_shard_place(struct run *run, const struct run_shard *shard)
{
	return (struct gate_place){
	    .object = shard->object,
	    .shard = shard->index,
	    .passes = &run->options->passes,
	    .report = run->report,
	    .closed = &run->shard[shard - run->shard].gates_closed,
	};
}

enum status
run_gate_issuer(struct run *run)
{
	struct gate_place place = run_place(run);
	char text[GATE_NOW_WHY_BYTES];
	const char *why = gate_now_issuer(issuer_facts(run->issuer),
	    run->config->certificate, run->this_update_sec, text);

	return why == NULL ? STATUS_OK
			   : gate_refuse(&place, GATE_ISSUER, "%s", why);
}

/*
 * RFC 5280, 5.1.2.4: a CRL is issued at its thisUpdate. One of a time to come
 * is not valid until then, and its shard stands still; only looking ahead is
 * free.
 */
static enum status
gate_asked_time(struct run *run)
{
	struct gate_place place = run_place(run);
	int64_t here_sec = run->context->clock_sec();
	char have[UTC_ISO_BYTES], want[UTC_ISO_BYTES];
	enum status status;

	if (!run->options->has_now || run->options->dry_run ||
	    run->options->now_sec <= here_sec)
		return STATUS_OK;
	status = gate_refuse(&place, GATE_CLOCK,
	    "--now is a time to come, have %s, want at most %s",
	    utc_to_iso(run->options->now_sec, have),
	    utc_to_iso(here_sec, want));
	if (status != STATUS_OK)
		report_hint(run->report,
		    "nothing is published that is not valid yet; --dry-run "
		    "shows what would be");
	return status;
}

/*
 * An outage that outlasted all that is published, or a clock that is ahead by
 * as much, the database's too: from here they look the same. In the second case
 * the next run takes out what has not expired, and time-up closes when the
 * clock is right again.
 */
static void
warn_ran_out(struct run *run)
{
	char then[UTC_ISO_BYTES], now[UTC_ISO_BYTES];
	int64_t last_sec = UTC_MIN_SEC;

	for (size_t i = 0; i < run->shard_count; i++) {
		const struct run_shard *shard = &run->shard[i];

		if ((shard->has_previous || shard->is_gone) &&
		    shard->previous_next_update_sec > last_sec)
			last_sec = shard->previous_next_update_sec;
	}
	if (run->is_again || last_sec == UTC_MIN_SEC ||
	    last_sec >= run->this_update_sec)
		return;
	report_warn(run->report, run->config->name, gate_name(GATE_CLOCK),
	    "RFC 5280, 5.1.2.5",
	    "all that is published here ran out, the last of it %s, and it is "
	    "%s now",
	    utc_to_iso(last_sec, then), utc_to_iso(run->this_update_sec, now));
	report_hint(run->report,
	    "where that was no outage, the clocks are wrong, here and in the "
	    "database: stop, and set them right, before another run takes out "
	    "what expires until then");
}

enum status
run_gate_clock(struct run *run)
{
	const struct run_options *options = run->options;
	struct gate_place place = run_place(run);
	enum status status = gate_asked_time(run);

	/* A run that was asked to be in the past may be. */
	if (status == STATUS_OK)
		status = gate_now_clock(&place, run->config, &run->snapshot,
		    options->has_now ? options->now_sec
				     : run->context->clock_sec(),
		    options->has_now);
	if (status == STATUS_OK)
		warn_ran_out(run);
	return status;
}

/*
 * The last manifest says which database it was made from and how far that
 * was: a restored backup, a lagging standby or another server is behind it.
 */
enum status
run_gate_database(struct run *run)
{
	const struct source_snapshot *now = &run->snapshot;
	const struct source_origin *then = &run->manifest.origin;
	struct gate_place place = run_place(run);
	/* What was staged is older than the rows that it is held against. */
	enum status status =
	    gate_now_fresh(&place, run->config, now, run->now_sec);

	if (status != STATUS_OK || !run->has_manifest)
		return status;
	if (now->kind != SOURCE_DATABASE)
		return run_gate_edition(run);
	if (then->has_edition)
		return gate_refuse(&place, GATE_DB_FRESH,
		    "another kind of source, have a database, want the %s "
		    "that the last manifest has",
		    source_kind_name(then->kind));
	if (!then->has_position)
		return STATUS_OK;
	if (!now->has_position)
		return gate_refuse(&place, GATE_DB_FRESH,
		    "the server does not tell its position, which the last "
		    "manifest has");
	if (strcmp(now->system_identifier, then->system_identifier) != 0)
		return gate_refuse(&place, GATE_DB_FRESH,
		    "another database cluster, have system identifier %s, "
		    "want %s",
		    now->system_identifier, then->system_identifier);
	if (now->timeline < then->timeline)
		return gate_refuse(&place, GATE_DB_FRESH,
		    "an older timeline, have %" PRIu32 ", want %" PRIu32
		    " or later",
		    now->timeline, then->timeline);
	if (now->wal_position < then->wal_position)
		return gate_refuse(&place, GATE_DB_FRESH,
		    "the database is behind the last manifest, have WAL "
		    "position %" PRIX64 "/%" PRIX64 ", want %" PRIX64
		    "/%" PRIX64 " or later",
		    now->wal_position >> 32, now->wal_position & 0xffffffff,
		    then->wal_position >> 32, then->wal_position & 0xffffffff);
	return STATUS_OK;
}

/* Two configurations that write one manifest would undo each other. */
static enum status
gate_manifest_issuer(struct run *run)
{
	enum status status;

	if (!run->has_manifest ||
	    strcmp(run->manifest.issuer, run->config->name) == 0)
		return STATUS_OK;
	status = report_fault(run->report, STATUS_REFUSED,
	    run->config->manifest_key, "same-scope", "house rule",
	    "the manifest is another issuer's, have %s, want %s",
	    run->manifest.issuer, run->config->name);
	report_hint(run->report,
	    "give each issuer a manifest of its own: [store] manifest");
	return status;
}

static enum status
gate_standing(struct run *run, const struct manifest_shard *then)
{
	const struct shard_scheme_config *shards = &run->config->shards;
	struct gate_place place = run_place(run);
	const struct run_shard *now;

	if (then->index < shards->first ||
	    then->index - shards->first >= shards->count)
		return gate_refuse(&place, GATE_SHARD_GONE,
		    "shard %" PRIu32 " is published at %s but not configured, "
		    "have %" PRIu32 " shards from %" PRIu32,
		    then->index, then->url, shards->count, shards->first);
	now = run_shard_find(run, then->index);
	if (now == NULL) /* a push is not about it */
		return STATUS_OK;
	if (strcmp(now->url, then->url) != 0)
		return gate_refuse(&place, GATE_SHARD_GONE,
		    "shard %" PRIu32 " is published for another URL, have %s, "
		    "want %s, which certificates name",
		    then->index, now->url, then->url);
	if (strcmp(now->key, then->key) != 0)
		return gate_refuse(&place, GATE_SHARD_GONE,
		    "shard %" PRIu32 " is published under another key, have "
		    "%s, want %s",
		    then->index, now->key, then->key);
	return STATUS_OK;
}

/*
 * An older manifest, which does not say how shards were found: of a computed
 * scheme every shard is published, so the first and the last tell.
 */
static enum status
gate_range(struct run *run)
{
	const struct shard_scheme_config *now = &run->config->shards;
	const struct manifest *then = &run->manifest;
	struct gate_place place = run_place(run);
	uint32_t first, last;

	if (shard_placing_of(now).by.count == 0 || then->shard_count == 0)
		return STATUS_OK;
	first = then->shard[0].index;
	last = then->shard[then->shard_count - 1].index;
	if (first == now->first && last - first == now->count - 1)
		return STATUS_OK;
	return gate_refuse(&place, GATE_SHARD_GONE,
	    "the scheme %s takes a certificate to another shard than its URL "
	    "names where the range of shards is another, have %" PRIu32
	    " shards from %" PRIu32 ", want %" PRIu32 " to %" PRIu32
	    ", which are published",
	    shard_scheme_name(now->scheme), now->count, now->first, first,
	    last);
}

/*
 * RFC 5280, 5.2.5: a certificate is looked for in the CRL whose URL it names,
 * which was found from its serial or expiry when it was issued. Found in
 * another way now, its revocation goes where nobody looks. Only the revocations
 * to come do: no entry that is published leaves by it.
 */
static enum status
gate_placing(struct run *run)
{
	const struct shard_placing *then = &run->manifest.placing;
	struct shard_placing now = shard_placing_of(&run->config->shards);
	char have[SHARD_PLACING_BYTES], want[SHARD_PLACING_BYTES];
	struct gate_place place = run_place(run);
	enum status status = STATUS_OK;

	if (!then->is_known)
		status = gate_range(run);
	else if (!shard_placing_same(then, &now))
		status = gate_refuse(&place, GATE_SHARD_GONE,
		    "the shard of a certificate is found in another way than "
		    "when its URL was chosen, have %s, want %s, as published",
		    shard_placing_text(&now, have),
		    shard_placing_text(then, want));
	if (status != STATUS_OK)
		report_hint(run->report,
		    "put [shards] back for the certificates that name these "
		    "URLs; new ones may have another scheme under a url and "
		    "[issuer] name of their own, in a second file; --pass %s "
		    "where no certificate was issued yet",
		    gate_name(GATE_SHARD_GONE));
	return status;
}

/*
 * CCADB 6.2: a shard's URL is in certificates. Its number, URL and place may
 * not be configured away, nor the way to it.
 */
enum status
run_gate_set(struct run *run)
{
	enum status status = gate_manifest_issuer(run);

	for (size_t i = 0; status == STATUS_OK && run->has_manifest &&
			   i < run->manifest.shard_count;
	     i++)
		status = gate_standing(run, &run->manifest.shard[i]);
	if (status == STATUS_OK && run->has_manifest)
		status = gate_placing(run);
	return status;
}

/* After all rows were read: what they are as a whole. */
enum status
run_gate_rows(struct run *run)
{
	struct gate_place place = run_place(run);

	if (run->rows_unplaced > 0)
		return gate_refuse(&place, GATE_UNPLACED,
		    "%" PRIu64 " rows belong to no shard, so that no shard is "
		    "known to be complete",
		    run->rows_unplaced);
	/* One shard may well have none. */
	return run->by_shard
		   ? STATUS_OK
		   : gate_now_rows(&place, run->config, run->rows.read);
}

/*
 * The last net: were all else wrong, far fewer entries than before do not go
 * out. What was to leave, as the last manifest has it, counts as still there.
 */
enum status
run_gate_floor_of(const struct run *run, const struct gate_place *place,
    uint64_t before, uint64_t now)
{
	/* Both are far below 2^57: a percentage cannot overflow. */
	if (now * 100 >= before * run->config->floor_percent)
		return STATUS_OK;
	return gate_refuse(place, GATE_FLOOR,
	    "far fewer entries than are published, have %" PRIu64
	    ", want at least %" PRIu32 "%% of %" PRIu64,
	    now, run->config->floor_percent, before);
}

enum status
run_gate_floor(struct run *run)
{
	struct gate_place place = run_place(run);
	uint64_t before = 0, now = 0;

	for (size_t i = 0; i < run->shard_count; i++) {
		const struct run_shard *shard = &run->shard[i];

		if (shard->state != RUN_SHARD_STAGED)
			continue;
		before += shard->previous_entries;
		now += shard->entries + shard->merge.foreseen;
	}
	return run_gate_floor_of(run, &place, before, now);
}
