/* SPDX-License-Identifier: ISC */
/*
 * The rows are placed as a run places them, and counted. What a run does with
 * what is published is left out: an entry that expired stays for some hours
 * more, and rows that are the same twice are two here.
 */
#include "crlpress/plan_size.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "crlpress/source.h"
#include "crlpress/source_certificate.h"
#include "crlpress/source_certificates.h"
#include "crlpress/utc.h"

#define RULE "size"
#define CLAUSE "house rule"

#define USEC_PER_SEC 1000000

#define BATCH_ROWS 1024

struct measuring {
	const struct config *config;
	const struct plan_size_options *options;
	struct report *report;
	struct plan_sizes *sizes;
	struct source *source;
	const char *why; /* of the first row that cannot be counted */
	char serial[UINT160_HEX_BYTES];
};

static void
refuse_row(
    struct measuring *measuring, const struct source_row *row, const char *why)
{
	measuring->sizes->refused++;
	if (measuring->why != NULL)
		return;
	measuring->why = why;
	if (row->has_serial)
		(void)uint160_to_hex(&row->serial, measuring->serial);
	else
		snprintf(measuring->serial, sizeof(measuring->serial), "%s",
		    "(no serial)");
}

static void
count_row(struct measuring *measuring, const struct source_row *row)
{
	const struct shard_scheme_config *shards = &measuring->config->shards;
	const char *why = NULL;
	uint32_t index;

	measuring->sizes->rows++;
	if (row->fault != NULL)
		refuse_row(measuring, row, row->fault);
	else if (shard_of(shards, &row->serial, row->not_after_sec, &row->hint,
		     &index, &why) != STATUS_OK)
		refuse_row(measuring, row, why);
	else
		forecast_add(&measuring->sizes->forecast, index - shards->first,
		    &row->serial, row->revoked_at_sec, row->reason,
		    row->not_after_sec);
}

/* What expired before now and was revoked within the trend tells of it too. */
static enum status
count_rows(struct measuring *measuring)
{
	const struct forecast *forecast = &measuring->sizes->forecast;
	struct source_row *batch = calloc(BATCH_ROWS, sizeof(*batch));
	enum status status;
	size_t count = 0;

	if (batch == NULL)
		return report_fault(measuring->report, STATUS_NO_MEMORY,
		    measuring->config->name, NULL, NULL, "out of memory");
	status = source_start(
	    measuring->source, forecast->now_sec - forecast->trend_sec);
	while (status == STATUS_OK &&
	       (status = source_read(
		    measuring->source, batch, BATCH_ROWS, &count)) == STATUS_OK)
		for (size_t i = 0; i < count; i++)
			count_row(measuring, &batch[i]);
	free(batch);
	return status == STATUS_DONE ? STATUS_OK : status;
}

/* Spread evenly, none is lost: the first shards have one more. */
static void
spread(struct forecast *forecast, uint64_t certificates)
{
	for (uint32_t i = 0; i < forecast->count; i++)
		forecast->shard[i].certificates +=
		    certificates / forecast->count +
		    (i < certificates % forecast->count);
}

static enum status
take_certificates(
    void *context, bool has_shard, int64_t shard, uint64_t certificates)
{
	struct measuring *measuring = context;
	struct forecast *forecast = &measuring->sizes->forecast;
	const struct shard_scheme_config *shards = &measuring->config->shards;

	if (certificates > PLAN_CERTIFICATES_MOST)
		return report_fault(measuring->report, STATUS_FAILED,
		    measuring->config->certificate_query_file, RULE, NULL,
		    "have %" PRIu64 " certificates, want at most %" PRIu64,
		    certificates, PLAN_CERTIFICATES_MOST);
	if (!has_shard) {
		spread(forecast, certificates);
		return STATUS_OK;
	}
	if (shard < shards->first || shard - shards->first >= shards->count)
		return report_fault(measuring->report, STATUS_FAILED,
		    measuring->config->certificate_query_file, RULE, NULL,
		    "certificates of a shard that is not configured, have "
		    "%" PRId64 ", want %" PRIu32 " to %" PRIu32,
		    shard, shards->first, shards->first + (shards->count - 1));
	forecast->shard[shard - shards->first].certificates += certificates;
	return STATUS_OK;
}

/* What the operator says goes before what the database says. */
static enum status
count_certificates(struct measuring *measuring)
{
	const struct config *config = measuring->config;
	struct forecast *forecast = &measuring->sizes->forecast;
	const struct source_statement statement = {
	    .sql = config->certificate_sql,
	    .name = config->certificate_query_file,
	};

	forecast->tells_certificates = true;
	if (measuring->options->has_certificates) {
		spread(forecast, measuring->options->certificates);
		return STATUS_OK;
	}
	if (config->certificate_sql != NULL)
		return source_certificates_ask(measuring->source, &statement,
		    forecast->now_sec, take_certificates, measuring);
	forecast->tells_certificates = false;
	return STATUS_OK;
}

/* As a run of now makes it; a number is at least the time. */
static enum status
header_make(struct measuring *measuring, int64_t now_sec)
{
	const struct config *config = measuring->config;
	struct forecast *forecast = &measuring->sizes->forecast;
	const struct issuer *issuer = measuring->sizes->issuer;
	const struct issuer_facts *facts = issuer_facts(issuer);

	forecast->header = (struct crl_header){
	    .issuer = facts->subject.data,
	    .issuer_len = facts->subject.len,
	    .key_id = facts->key_id.data,
	    .key_id_len = facts->key_id.len,
	    .this_update_sec = now_sec,
	    .next_update_sec = now_sec + config->validity_sec - 1,
	    .number = uint160_from_u64((uint64_t)now_sec),
	    .scope = config->scope,
	};
	if (!issuer_signature_sizes(issuer,
		config->padding == SIGNER_PADDING_PSS,
		&forecast->header.algorithm_len, &forecast->signature_len))
		return report_fault(measuring->report, STATUS_CONFIG,
		    config->certificate, RULE, NULL,
		    "a key that CRLs are not signed with, or not by this "
		    "padding");
	return STATUS_OK;
}

/* thisUpdate of a run: the earlier of the two clocks; a file has none. */
static int64_t
time_of(const struct measuring *measuring, const struct context *context)
{
	const struct source_snapshot *snapshot =
	    source_snapshot(measuring->source);
	int64_t here_sec = context->clock_sec();
	int64_t there_sec = snapshot->now_usec / USEC_PER_SEC;

	if (snapshot->kind != SOURCE_DATABASE)
		return here_sec;
	return here_sec < there_sec ? here_sec : there_sec;
}

static enum status
measure(struct measuring *measuring, const struct context *context)
{
	const struct config *config = measuring->config;
	const struct plan_size_options *options = measuring->options;
	int64_t now_sec = time_of(measuring, context);
	enum status status;

	status =
	    forecast_init(&measuring->sizes->forecast, config->shards.count,
		now_sec, options->trend_sec, options->horizon_sec);
	if (status != STATUS_OK)
		return report_fault(measuring->report, status, config->name,
		    NULL, NULL, "out of memory");
	status = header_make(measuring, now_sec);
	if (status == STATUS_OK)
		status = count_certificates(measuring);
	if (status == STATUS_OK)
		status = count_rows(measuring);
	return status;
}

/* A shard that is the worst of its kind, and how many there are. */
struct worst {
	uint64_t count;
	size_t shard;
	int64_t when_sec;
	uint64_t bytes;
};

static void
worst_note(struct worst *worst, size_t shard, int64_t when_sec, uint64_t bytes)
{
	worst->count++;
	if (worst->count > 1 &&
	    (when_sec > worst->when_sec ||
		(when_sec == worst->when_sec && bytes <= worst->bytes)))
		return;
	worst->shard = shard;
	worst->when_sec = when_sec;
	worst->bytes = bytes;
}

/* The first shard to be larger than that, by what comes. */
static struct worst
worst_by_trend(const struct plan_sizes *sizes, uint64_t bytes_most)
{
	const struct forecast *forecast = &sizes->forecast;
	struct worst worst = {.count = 0};
	int64_t when_sec;

	for (size_t i = 0; i < sizes->plan->count; i++)
		if (forecast_when(forecast, &forecast->shard[i],
			sizes->plan->url[i], bytes_most, &when_sec))
			worst_note(&worst, i, when_sec,
			    forecast_bytes(forecast, &forecast->shard[i],
				sizes->plan->url[i]));
	return worst;
}

/* The largest of those that would be, if all were revoked. */
static struct worst
worst_of_all(const struct plan_sizes *sizes, uint64_t bytes_most)
{
	const struct forecast *forecast = &sizes->forecast;
	struct worst worst = {.count = 0};

	for (size_t i = 0;
	     forecast->tells_certificates && i < sizes->plan->count; i++) {
		uint64_t bytes = forecast_bytes_worst(
		    forecast, &forecast->shard[i], sizes->plan->url[i]);

		if (bytes > bytes_most)
			worst_note(&worst, i, 0, bytes);
	}
	return worst;
}

#define OUTGROW                                                       \
	"%" PRIu64 " of %zu shards outgrow %s, want at most %" PRIu64 \
	" bytes; the first is shard %" PRIu32 ", %s, have %" PRIu64   \
	" bytes now"

static enum status
tell_trend(const struct plan_sizes *sizes, struct report *report,
    const struct worst *worst, const char *key, uint64_t bytes_most,
    bool is_fault)
{
	const struct config *config = sizes->plan->config;
	uint32_t index = config->shards.first + (uint32_t)worst->shard;
	char when[UTC_ISO_BYTES] = "already";

	if (worst->when_sec > sizes->forecast.now_sec)
		(void)utc_to_iso(worst->when_sec, when);
	if (is_fault)
		return report_fault(report, STATUS_FAULTY, config->name, RULE,
		    CLAUSE, OUTGROW, worst->count, sizes->plan->count, key,
		    bytes_most, index, when, worst->bytes);
	report_warn(report, config->name, RULE, CLAUSE, OUTGROW, worst->count,
	    sizes->plan->count, key, bytes_most, index, when, worst->bytes);
	return STATUS_OK;
}

/*
 * The URLs are in certificates. What a scheme gives them may not change as long
 * as one of these is valid: sharding-config/README.md.
 */
static void
tell_remedy(const struct plan_sizes *sizes, struct report *report)
{
	const struct config *config = sizes->plan->config;
	bool is_free = config->shards.scheme == SHARD_COLUMN ||
		       config->shards.scheme == SHARD_CDP;

	if (sizes->recommended == 0)
		report_hint(report, "no number of shards up to %d would do",
		    SHARD_COUNT_MOST);
	else if (sizes->recommended <= config->shards.count)
		report_hint(report,
		    "as many shards would do if all had the same: see which "
		    "certificates the full ones have");
	else if (is_free)
		report_hint(report,
		    "%" PRIu32 " shards would do: count may grow, and new "
		    "certificates can name the new ones; issued ones stay "
		    "where they are",
		    sizes->recommended);
	else
		report_hint(report,
		    "%" PRIu32 " shards would do, for new certificates alone: "
		    "by another count issued ones would be in shards that "
		    "their URLs do not name; give new ones other URLs, in "
		    "another configuration",
		    sizes->recommended);
}

static enum status
tell(const struct measuring *measuring)
{
	const struct plan_sizes *sizes = measuring->sizes;
	const struct config *config = measuring->config;
	struct report *report = measuring->report;
	struct worst most = worst_by_trend(sizes, config->size_most);
	struct worst some = worst_by_trend(sizes, sizes->warn_bytes);
	struct worst all = worst_of_all(sizes, sizes->warn_bytes);
	enum status status = STATUS_OK;

	if (sizes->refused > 0)
		report_warn(report, config->name, "rows", "BR 4.9.7",
		    "%" PRIu64 " rows are not counted, and would be refused: "
		    "%s, as with %s",
		    sizes->refused, measuring->why, measuring->serial);
	if (most.count > 0)
		status = tell_trend(
		    sizes, report, &most, "size_most", config->size_most, true);
	else if (some.count > 0)
		status = tell_trend(sizes, report, &some, "size_warning",
		    sizes->warn_bytes, false);
	if (most.count > 0 || some.count > 0)
		tell_remedy(sizes, report);
	if (all.count == 0)
		return status;
	report_warn(report, config->name, RULE, CLAUSE,
	    "if every certificate were revoked, %" PRIu64 " of %zu shards "
	    "would be larger than size_warning, %" PRIu64
	    " bytes; the largest is shard %" PRIu32 ", %" PRIu64 " bytes",
	    all.count, sizes->plan->count, sizes->warn_bytes,
	    config->shards.first + (uint32_t)all.shard, all.bytes);
	tell_remedy(sizes, report);
	return status;
}

/* By the longest URL; by what is larger, all certificates or the horizon. */
static uint32_t
recommend(const struct plan_sizes *sizes)
{
	const struct forecast *forecast = &sizes->forecast;
	const char *url = sizes->plan->url[sizes->plan->count - 1];
	const struct forecast_shard none = {.entries = 0};
	uint64_t total = 0;

	for (size_t i = 0; i < sizes->plan->count; i++) {
		const struct forecast_shard *shard = &forecast->shard[i];
		uint64_t most = shard->entries;

		for (unsigned step = 1; step <= FORECAST_STEPS; step++) {
			double entries =
			    forecast_at(forecast, shard, url, step).entries;

			if (entries > (double)most)
				most = (uint64_t)entries;
		}
		total +=
		    most > shard->certificates ? most : shard->certificates;
	}
	return forecast_shard_count(total, forecast_entry_bytes(forecast),
	    forecast_bytes(forecast, &none, url) + 16, sizes->warn_bytes);
}

enum status
plan_sizes_make(const struct plan *plan,
    const struct plan_size_options *options, const struct context *context,
    struct report *report, struct plan_sizes *sizes)
{
	const struct config *config = plan->config;
	struct measuring measuring = {
	    .config = config,
	    .options = options,
	    .report = report,
	    .sizes = sizes,
	};
	struct source_points points =
	    config_points(config, (struct crl_view){0});
	const struct source_config source = config_source(config, &points);
	enum status status;

	*sizes = (struct plan_sizes){.plan = plan};
	sizes->warn_bytes = config->size_warning < config->size_most
				? config->size_warning
				: config->size_most;
	status = issuer_load(config->certificate, report, &sizes->issuer);
	if (status != STATUS_OK)
		return status;
	points.issuer = issuer_facts(sizes->issuer)->subject;
	status = source_open(&source, report, &measuring.source);
	if (status == STATUS_OK)
		status = measure(&measuring, context);
	source_close(measuring.source);
	if (status == STATUS_OK) {
		sizes->recommended = recommend(sizes);
		status = tell(&measuring);
	}
	return status;
}

void
plan_sizes_free(struct plan_sizes *sizes)
{
	forecast_free(&sizes->forecast);
	issuer_free(sizes->issuer);
	*sizes = (struct plan_sizes){.plan = NULL};
}
