/* SPDX-License-Identifier: ISC */
/* How a run is told: a line for a person, an object for a program. */
#include <inttypes.h>

#include "crlpress/utc.h"
#include "run_impl.h"

static const char *const state_names[] = {
    [RUN_SHARD_PENDING] = "pending",
    [RUN_SHARD_WITHHELD] = "withheld",
    [RUN_SHARD_FAILED] = "failed",
    [RUN_SHARD_STAGED] = "staged",
    [RUN_SHARD_PUBLISHED] = "published",
    [RUN_SHARD_UNPLACED] = "not-uploaded",
};

static const char *const phase_names[RUN_PHASE_COUNT] = {
    [RUN_PHASE_OPEN] = "open",
    [RUN_PHASE_READ] = "read",
    [RUN_PHASE_MAKE] = "make",
    [RUN_PHASE_PUBLISH] = "publish",
};

/* Withheld shards that the summary names; --json has them all. */
#define WITHHELD_NAMED_MOST 64

struct totals {
	uint64_t made; /* shards staged or published */
	uint64_t entries;
	uint64_t added;
	uint64_t removed;
	uint64_t bytes;
};

static bool
is_made(const struct run_shard *shard)
{
	return shard->state == RUN_SHARD_STAGED ||
	       shard->state == RUN_SHARD_PUBLISHED;
}

static struct totals
sum_up(const struct run *run)
{
	struct totals totals = {0};

	for (size_t i = 0; i < run->shard_count; i++) {
		const struct run_shard *shard = &run->shard[i];

		if (!is_made(shard))
			continue;
		totals.made++;
		totals.entries += shard->entries;
		totals.added += shard->merge.added;
		totals.removed += shard->merge.removed + shard->merge.lost;
		totals.bytes += shard->staged.size;
	}
	return totals;
}

static void
print_rows(const struct run *run, FILE *stream)
{
	const struct manifest_rows *rows = &run->rows;

	fprintf(stream,
	    "%" PRIu64 " rows = %" PRIu64 " listed + %" PRIu64
	    " expired + %" PRIu64 " duplicate + %" PRIu64 " deferred + %" PRIu64
	    " withheld",
	    rows->read, rows->listed, rows->expired, rows->duplicate,
	    rows->deferred, rows->withheld);
}

static void
print_shards(const struct run *run, FILE *stream)
{
	fprintf(stream, "%8s %10s %8s %8s %12s  %s\n", "shard", "entries",
	    "added", "removed", "bytes", "state");
	for (size_t i = 0; i < run->shard_count; i++) {
		const struct run_shard *shard = &run->shard[i];

		fprintf(stream,
		    "%8" PRIu32 " %10" PRIu64 " %8" PRIu64 " %8" PRIu64
		    " %12" PRIu64 "  %s\n",
		    shard->index, shard->entries, shard->merge.added,
		    shard->merge.removed, shard->staged.size,
		    state_names[shard->state]);
	}
}

/* Indices for --pass; the faults above may all be of one shard. */
static void
print_withheld(const struct run *run, FILE *stream)
{
	unsigned printed = 0;

	for (size_t i = 0; i < run->shard_count; i++) {
		if (run->shard[i].state != RUN_SHARD_WITHHELD)
			continue;
		if (printed == 0)
			fprintf(stream, "%s: withheld:", run->config->name);
		if (printed++ < WITHHELD_NAMED_MOST)
			fprintf(stream, " %" PRIu32, run->shard[i].index);
	}
	if (printed > WITHHELD_NAMED_MOST)
		fprintf(stream, " and %u more", printed - WITHHELD_NAMED_MOST);
	if (printed > 0)
		fputc('\n', stream);
}

void
run_print(const struct run *run, FILE *stream)
{
	struct totals totals = sum_up(run);
	char number[UINT160_DECIMAL_BYTES];

	/* A run that ended before that has said why, and has no more to say. */
	if (!run->made)
		return;
	if (run->options->dry_run)
		print_shards(run, stream);
	print_withheld(run, stream);
	fprintf(stream, "%s: %s: %" PRIu64 " of %zu shards %s, ",
	    run->config->name, status_name(run->status), totals.made,
	    run->shard_count,
	    run->options->dry_run ? "would be published" : "published");
	if (totals.made > 0)
		fprintf(stream,
		    "number %s, %" PRIu64 " entries (+%" PRIu64 " -%" PRIu64
		    "), %" PRIu64 " bytes, ",
		    uint160_to_decimal(&run->number, number), totals.entries,
		    totals.added, totals.removed, totals.bytes);
	print_rows(run, stream);
	fprintf(stream, ", %.2f s\n", run->seconds);
}

static void
print_json_rows(const struct run *run, struct json *json)
{
	const struct manifest_rows *rows = &run->rows;

	json_open(json, "rows", '{');
	json_uint(json, "read", rows->read);
	json_uint(json, "listed", rows->listed);
	json_uint(json, "expired", rows->expired);
	json_uint(json, "duplicate", rows->duplicate);
	json_uint(json, "deferred", rows->deferred);
	json_uint(json, "withheld", rows->withheld);
	json_close(json, '}');
}

static void
print_json_shard(const struct run_shard *shard, struct json *json)
{
	char hex[HASH_HEX_BYTES];

	json_open(json, NULL, '{');
	json_uint(json, "index", shard->index);
	json_string(json, "url", shard->url);
	json_string(json, "key", shard->key);
	json_string(json, "state", state_names[shard->state]);
	if (is_made(shard)) {
		json_uint(json, "entries", shard->entries);
		json_uint(json, "added", shard->merge.added);
		json_uint(
		    json, "removed", shard->merge.removed + shard->merge.lost);
		json_uint(json, "changed", shard->merge.changed);
		json_uint(json, "size", shard->staged.size);
		json_string(
		    json, "sha256", hash_to_hex(&shard->staged.sha256, hex));
	}
	json_close(json, '}');
}

void
run_print_json(const struct run *run, struct json *json)
{
	char number[UINT160_DECIMAL_BYTES], date[UTC_ISO_BYTES];

	json_open(json, NULL, '{');
	json_string(json, "issuer", run->config->name);
	json_string(json, "config", run->config->path);
	json_string(json, "status", status_name(run->status));
	json_bool(json, "dry_run", run->options->dry_run);
	json_string(json, "number", uint160_to_decimal(&run->number, number));
	json_string(
	    json, "this_update", utc_to_iso(run->this_update_sec, date));
	json_string(
	    json, "next_update", utc_to_iso(run->next_update_sec, date));
	print_json_rows(run, json);
	json_open(json, "shards", '[');
	for (size_t i = 0; i < run->shard_count; i++)
		print_json_shard(&run->shard[i], json);
	json_close(json, ']');
	json_seconds(json, "seconds", run->seconds);
	json_open(json, "phases", '{');
	for (int i = 0; i < RUN_PHASE_COUNT; i++)
		json_seconds(json, phase_names[i], run->phase_seconds[i]);
	json_close(json, '}');
	json_uint(json, "signer_peak_kib", run->signer_kib);
	json_close(json, '}');
}
