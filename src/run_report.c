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
    [RUN_SHARD_OVERTAKEN] = "overtaken",
    [RUN_SHARD_ELSEWHERE] = "elsewhere",
};

static const char *const phase_names[RUN_PHASE_COUNT] = {
    [RUN_PHASE_OPEN] = "open",
    [RUN_PHASE_READ] = "read",
    [RUN_PHASE_MAKE] = "make",
    [RUN_PHASE_PUBLISH] = "publish",
};

/* Ranges of shards that the summary names; --json has them all. */
#define RANGES_NAMED_MOST 64

/* From as many in a row on they are told as a range. */
#define RANGE_LEAST 3

/* Of more serials, only those are told one by one that were not published. */
#define ASKED_TOLD_MOST 100

struct totals {
	uint64_t made; /* shards staged or published */
	uint64_t entries;
	uint64_t added;
	uint64_t removed;
	uint64_t bytes;
};

const char *
run_shard_state_name(enum run_shard_state state)
{
	return state_names[state];
}

bool
run_shard_is_made(const struct run_shard *shard)
{
	return shard->state == RUN_SHARD_STAGED ||
	       shard->state == RUN_SHARD_PUBLISHED;
}

bool
run_published_next(
    const struct run *run, size_t *at, struct run_published *published)
{
	while (*at < run->shard_count) {
		const struct run_shard *shard = &run->shard[(*at)++];

		if (shard->state != RUN_SHARD_PUBLISHED)
			continue;
		*published = (struct run_published){
		    .object = shard->object,
		    .url = shard->url,
		    .shard = shard->index,
		    .number = shard->number,
		    .published_sec = shard->published_sec,
		};
		return true;
	}
	return false;
}

static struct totals
sum_up(const struct run *run)
{
	struct totals totals = {0};

	for (size_t i = 0; i < run->shard_count; i++) {
		const struct run_shard *shard = &run->shard[i];

		if (!run_shard_is_made(shard))
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
	    " expired + %" PRIu64 " gone + %" PRIu64 " duplicate + %" PRIu64
	    " deferred + %" PRIu64 " withheld",
	    rows->read, rows->listed, rows->expired, rows->gone,
	    rows->duplicate, rows->deferred, rows->withheld);
	if (run->rows_elsewhere > 0)
		fprintf(
		    stream, " + %" PRIu64 " elsewhere", run->rows_elsewhere);
}

/* The shard of a serial that was asked for, if it came to stand there. */
static const struct run_shard *
shard_listing(const struct run *run, const struct run_asked *asked)
{
	for (size_t i = 0; asked->listed && i < run->shard_count; i++)
		if (run->shard[i].index == asked->shard &&
		    run_shard_is_made(&run->shard[i]))
			return &run->shard[i];
	return NULL;
}

/*
 * From when on it was known to when everybody can: of a serial that is listed
 * for the first time. What was listed already has been published before.
 */
static void
print_published(
    const struct run_shard *shard, const struct run_asked *asked, FILE *stream)
{
	char date[UTC_ISO_BYTES];

	if (shard->state != RUN_SHARD_PUBLISHED) {
		fputs("would be published", stream);
		return;
	}
	fprintf(stream, "published %s", utc_to_iso(shard->published_sec, date));
	if (asked->before == RUN_BEFORE_NOT && asked->has_recorded)
		fprintf(stream, ", %" PRId64 " s later",
		    shard->published_sec - asked->recorded_at_sec);
}

/* The CRL that stood there, if it listed this serial. */
static void
print_before(const struct run_asked *asked, FILE *stream)
{
	char number[UINT160_DECIMAL_BYTES], date[UTC_ISO_BYTES];

	if (asked->before == RUN_BEFORE_UNKNOWN)
		fputs("whether it was listed before is not known, ", stream);
	else if (asked->before != RUN_BEFORE_NOT)
		fprintf(stream, "listed already%s by number %s of %s, ",
		    asked->before == RUN_BEFORE_CHANGED
			? ", with another date or reason,"
			: "",
		    uint160_to_decimal(&asked->before_number, number),
		    utc_to_iso(asked->before_this_update_sec, date));
}

static void
print_asked(const struct run *run, const struct run_asked *asked, FILE *stream)
{
	const struct run_shard *shard = shard_listing(run, asked);
	char hex[UINT160_HEX_BYTES], date[UTC_ISO_BYTES];
	char number[UINT160_DECIMAL_BYTES];

	fprintf(stream, "%s: serial %s: ", run->config->name,
	    uint160_to_hex(&asked->serial, hex));
	if (shard == NULL) {
		fprintf(
		    stream, "not published, shard %" PRIu32 "\n", asked->shard);
		return;
	}
	fprintf(stream, "shard %" PRIu32 ", %s, ", shard->index, shard->url);
	if (asked->has_recorded)
		fprintf(stream, "recorded %s, ",
		    utc_to_iso(asked->recorded_at_sec, date));
	print_before(asked, stream);
	if (asked->before >= RUN_BEFORE_LISTED)
		fprintf(stream, "number %s ",
		    uint160_to_decimal(&shard->number, number));
	print_published(shard, asked, stream);
	fputc('\n', stream);
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

static bool
is_withheld(const struct run_shard *shard)
{
	return shard->state == RUN_SHARD_WITHHELD;
}

static bool
is_unpublished(const struct run_shard *shard)
{
	return shard->state == RUN_SHARD_FAILED ||
	       (shard->state == RUN_SHARD_UNPLACED && !shard->may_stand);
}

static bool
is_unknown(const struct run_shard *shard)
{
	return shard->state == RUN_SHARD_UNPLACED && shard->may_stand;
}

/* " 34", or " 34 35", or " 34-66": what goes from `at` to below `end`. */
static void
print_range(const struct run *run, size_t at, size_t end, FILE *stream)
{
	if (end - at >= RANGE_LEAST) {
		fprintf(stream, " %" PRIu32 "-%" PRIu32, run->shard[at].index,
		    run->shard[end - 1].index);
		return;
	}
	for (; at < end; at++)
		fprintf(stream, " %" PRIu32, run->shard[at].index);
}

/* Indices for --pass or push; the faults above may all be of one shard. */
static void
print_which(const struct run *run, const char *what,
    bool (*is_one)(const struct run_shard *shard), FILE *stream)
{
	const struct run_shard *shard = run->shard;
	unsigned ranges = 0;
	size_t more = 0;

	for (size_t i = 0, end; i < run->shard_count; i = end) {
		end = i + 1;
		if (!is_one(&shard[i]))
			continue;
		while (end < run->shard_count && is_one(&shard[end]) &&
		       shard[end].index == shard[end - 1].index + 1)
			end++;
		if (ranges == 0)
			fprintf(stream, "%s: %s:", run->config->name, what);
		if (ranges++ < RANGES_NAMED_MOST)
			print_range(run, i, end, stream);
		else
			more += end - i;
	}
	if (more > 0)
		fprintf(stream, " and %zu more", more);
	if (ranges > 0)
		fputc('\n', stream);
}

/* "published", "staged" or "would be published". */
static const char *
done_word(const struct run *run)
{
	return run->options->dry_run             ? "would be published"
	       : run->options->stage_dir != NULL ? "staged"
						 : "published";
}

/* What is not among the shards that the summary counts as made. */
static void
print_missing(const struct run *run, FILE *stream)
{
	const char *unpublished = run->options->dry_run ? "would not be made"
				  : run->options->stage_dir != NULL
				      ? "not staged"
				      : "not published";

	print_which(run, "withheld", is_withheld, stream);
	print_which(run, unpublished, is_unpublished, stream);
	print_which(run, "published or not, not known", is_unknown, stream);
}

void
run_print(const struct run *run, FILE *stream)
{
	struct totals totals = sum_up(run);
	char number[UINT160_DECIMAL_BYTES], hex[HASH_HEX_BYTES];

	/* A run that ended before that has said why; not always whose it is. */
	if (!run->made) {
		if (run->options->several)
			fprintf(stream, "%s: %s: nothing was made\n",
			    run->config->name, status_name(run->status));
		return;
	}
	if (run->options->dry_run)
		print_shards(run, stream);
	if (run->options->dry_run || run->options->diff)
		run_diff_print(run, stream);
	for (size_t i = 0; i < run->options->asked_count; i++)
		if (run->options->asked_count <= ASKED_TOLD_MOST ||
		    !run->options->asked[i].listed)
			print_asked(run, &run->options->asked[i], stream);
	print_missing(run, stream);
	fprintf(stream, "%s: %s: %" PRIu64 " of %zu shards %s, ",
	    run->config->name, status_name(run->status), totals.made,
	    run->shard_count, done_word(run));
	if (totals.made > 0)
		fprintf(stream,
		    "number %s, %" PRIu64 " entries (+%" PRIu64 " -%" PRIu64
		    "), %" PRIu64 " bytes, ",
		    uint160_to_decimal(&run->number, number), totals.entries,
		    totals.added, totals.removed, totals.bytes);
	print_rows(run, stream);
	fprintf(stream, ", %.2f s\n", run->seconds);
	if (run->stage_is_done)
		fprintf(stream, "%s: to be signed: %s, request %s\n",
		    run->config->name, run->options->stage_dir,
		    hash_to_hex(&run->request_sha256, hex));
}

void
run_print_json_rows(const struct run *run, struct json *json)
{
	const struct manifest_rows *rows = &run->rows;

	json_open(json, "rows", '{');
	json_uint(json, "read", rows->read);
	json_uint(json, "listed", rows->listed);
	json_uint(json, "expired", rows->expired);
	json_uint(json, "gone", rows->gone);
	json_uint(json, "duplicate", rows->duplicate);
	json_uint(json, "deferred", rows->deferred);
	json_uint(json, "withheld", rows->withheld);
	if (run->options->push)
		json_uint(json, "elsewhere", run->rows_elsewhere);
	json_close(json, '}');
}

/* NULL: nothing is known of it. */
static void
print_json_before(const struct run_asked *asked, struct json *json)
{
	enum run_before before =
	    asked != NULL ? asked->before : RUN_BEFORE_UNKNOWN;
	bool listed = before >= RUN_BEFORE_LISTED;
	char number[UINT160_DECIMAL_BYTES], date[UTC_ISO_BYTES];

	if (before == RUN_BEFORE_UNKNOWN)
		json_null(json, "listed_before");
	else
		json_bool(json, "listed_before", listed);
	json_string(json, "before_number",
	    listed ? uint160_to_decimal(&asked->before_number, number) : NULL);
	json_string(json, "before_this_update",
	    listed ? utc_to_iso(asked->before_this_update_sec, date) : NULL);
	json_bool(json, "changed", before == RUN_BEFORE_CHANGED);
}

static void
print_json_asked(
    const struct run *run, const struct run_asked *asked, struct json *json)
{
	const struct run_shard *shard = shard_listing(run, asked);
	bool first = shard != NULL && shard->state == RUN_SHARD_PUBLISHED &&
		     asked->before == RUN_BEFORE_NOT;
	char hex[UINT160_HEX_BYTES], date[UTC_ISO_BYTES];

	json_open(json, NULL, '{');
	json_string(json, "serial", uint160_to_hex(&asked->serial, hex));
	json_uint(json, "shard", asked->shard);
	json_string(json, "url", shard != NULL ? shard->url : NULL);
	json_bool(json, "listed", shard != NULL);
	json_string(json, "recorded_at",
	    asked->has_recorded ? utc_to_iso(asked->recorded_at_sec, date)
				: NULL);
	json_string(json, "published_at",
	    first ? utc_to_iso(shard->published_sec, date) : NULL);
	print_json_before(shard != NULL ? asked : NULL, json);
	json_close(json, '}');
}

static void
print_json_shard(
    const struct run *run, const struct run_shard *shard, struct json *json)
{
	char hex[HASH_HEX_BYTES], number[UINT160_DECIMAL_BYTES];
	char date[UTC_ISO_BYTES];

	json_open(json, NULL, '{');
	json_uint(json, "index", shard->index);
	json_string(json, "url", shard->url);
	json_string(json, "key", shard->key);
	json_string(json, "state", state_names[shard->state]);
	if (run_shard_is_made(shard)) {
		json_string(
		    json, "number", uint160_to_decimal(&shard->number, number));
		json_string(json, "this_update",
		    utc_to_iso(shard->this_update_sec, date));
		json_uint(json, "entries", shard->entries);
		json_uint(json, "added", shard->merge.added);
		json_uint(
		    json, "removed", shard->merge.removed + shard->merge.lost);
		json_uint(json, "changed", shard->merge.changed);
		json_uint(json, "late", shard->late);
		json_bool(
		    json, "first", !shard->has_previous && !shard->is_gone);
		json_uint(json, "size", shard->staged.size);
		json_string(
		    json, "sha256", hash_to_hex(&shard->staged.sha256, hex));
	}
	/* Of one that was withheld it shows what the gates saw. */
	if ((run->options->dry_run || run->options->diff) &&
	    (run_shard_is_made(shard) || shard->changes.count > 0))
		run_diff_print_json(shard, json);
	json_close(json, '}');
}

void
run_print_json(const struct run *run, struct json *json)
{
	char number[UINT160_DECIMAL_BYTES], date[UTC_ISO_BYTES];
	char hex[HASH_HEX_BYTES];

	json_open(json, NULL, '{');
	json_string(json, "issuer", run->config->name);
	json_string(json, "config", run->config->path);
	json_string(json, "status", status_name(run->status));
	json_bool(json, "dry_run", run->options->dry_run);
	if (run->stage_is_done)
		json_string(json, "request_sha256",
		    hash_to_hex(&run->request_sha256, hex));
	json_string(json, "number",
	    uint160_is_zero(&run->number)
		? NULL
		: uint160_to_decimal(&run->number, number));
	json_string(json, "this_update",
	    run->has_times ? utc_to_iso(run->this_update_sec, date) : NULL);
	json_string(json, "next_update",
	    run->has_times ? utc_to_iso(run->next_update_sec, date) : NULL);
	run_print_json_rows(run, json);
	if (run->options->push) {
		json_open(json, "serials", '[');
		for (size_t i = 0; run->made && i < run->options->asked_count;
		     i++)
			print_json_asked(run, &run->options->asked[i], json);
		json_close(json, ']');
	}
	json_open(json, "shards", '[');
	for (size_t i = 0; i < run->shard_count; i++)
		print_json_shard(run, &run->shard[i], json);
	json_close(json, ']');
	json_seconds(json, "seconds", run->seconds);
	json_open(json, "phases", '{');
	for (int i = 0; i < RUN_PHASE_COUNT; i++)
		json_seconds(json, phase_names[i], run->phase_seconds[i]);
	json_close(json, '}');
	json_uint(json, "signer_peak_kib", run->signer_kib);
	json_uint(json, "scratch_bytes", run->scratch_bytes);
	json_close(json, '}');
}
