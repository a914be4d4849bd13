/* SPDX-License-Identifier: ISC */
#include "crlpress/plan_size.h"

#include <inttypes.h>

#include "crlpress/quantity.h"
#include "crlpress/utc.h"

#define DAY_SEC 86400.0

/* All that is told of a shard. */
struct line {
	uint32_t index;
	const char *url;
	const struct forecast_shard *shard;
	uint64_t bytes;
	double a_day;
	struct forecast_point then;
	bool is_beyond; /* size_warning, once */
	int64_t beyond_sec;
	bool is_refused; /* and size_most */
	int64_t refused_sec;
	uint64_t worst_bytes;
};

static struct line
line_make(const struct plan_sizes *sizes, size_t i)
{
	const struct config *config = sizes->plan->config;
	const struct forecast *forecast = &sizes->forecast;
	struct line line = {
	    .index = config->shards.first + (uint32_t)i,
	    .url = sizes->plan->url[i],
	    .shard = &forecast->shard[i],
	};

	line.bytes = forecast_bytes(forecast, line.shard, line.url);
	line.a_day = (double)line.shard->recent * DAY_SEC /
		     (double)forecast_trend_sec(forecast);
	line.then = forecast_at(forecast, line.shard, line.url, FORECAST_STEPS);
	line.is_beyond = forecast_when(forecast, line.shard, line.url,
	    sizes->warn_bytes, &line.beyond_sec);
	line.is_refused = forecast_when(forecast, line.shard, line.url,
	    config->size_most, &line.refused_sec);
	line.worst_bytes = forecast_bytes_worst(forecast, line.shard, line.url);
	return line;
}

/* "2026-11-22", or "-" for never. */
#define DATE_BYTES 11

static const char *
date_of(bool is_any, int64_t sec, char out[UTC_ISO_BYTES])
{
	if (!is_any)
		return "-";
	utc_to_iso(sec, out);
	out[DATE_BYTES - 1] = '\0';
	return out;
}

static void
print_line(
    const struct plan_sizes *sizes, const struct line *line, FILE *stream)
{
	char date[UTC_ISO_BYTES];

	fprintf(stream,
	    "%7" PRIu32 " %10" PRIu64 " %11" PRIu64
	    " %9.1f %10.0f %11.0f  %-10s",
	    line->index, line->shard->entries, line->bytes, line->a_day,
	    line->then.entries, line->then.bytes,
	    date_of(line->is_beyond, line->beyond_sec, date));
	if (sizes->forecast.tells_certificates)
		fprintf(stream, " %12" PRIu64 " %11" PRIu64,
		    line->shard->certificates, line->worst_bytes);
	fputc('\n', stream);
}

static void
print_head(const struct plan_sizes *sizes, FILE *stream)
{
	const struct forecast *forecast = &sizes->forecast;
	char now[UTC_ISO_BYTES], then[UTC_ISO_BYTES];
	char trend[QUANTITY_DURATION_BYTES], horizon[QUANTITY_DURATION_BYTES];

	fprintf(stream,
	    "  now %s: %" PRIu64 " rows, %" PRIu64 " expired, %" PRIu64
	    " deferred, %" PRIu64 " not counted\n",
	    utc_to_iso(forecast->now_sec, now), sizes->rows, forecast->expired,
	    forecast->deferred, sizes->refused);
	fprintf(stream,
	    "  then %s, in %s, by the revocations of %s: %" PRIu64 "\n",
	    utc_to_iso(forecast->now_sec + forecast->horizon_sec, then),
	    quantity_duration_text(forecast->horizon_sec, horizon),
	    quantity_duration_text(forecast_trend_sec(forecast), trend),
	    forecast->recent);
	fprintf(stream, "  beyond: when larger than %" PRIu64 " bytes\n\n",
	    sizes->warn_bytes);
	fprintf(stream, "%7s %10s %11s %9s %10s %11s  %-10s", "shard",
	    "entries", "bytes", "a day", "then", "bytes", "beyond");
	if (forecast->tells_certificates)
		fprintf(stream, " %12s %11s", "certificates", "all revoked");
	fputc('\n', stream);
}

void
plan_sizes_print(const struct plan_sizes *sizes, FILE *stream)
{
	print_head(sizes, stream);
	for (size_t i = 0; i < sizes->plan->count; i++) {
		struct line line = line_make(sizes, i);

		print_line(sizes, &line, stream);
	}
	if (sizes->recommended > 0)
		fprintf(stream,
		    "\n  %" PRIu32 " shards would do, by %s; there are "
		    "%" PRIu32 "\n",
		    sizes->recommended,
		    sizes->forecast.tells_certificates
			? "all certificates"
			: "what comes until then",
		    sizes->plan->config->shards.count);
}

static void
print_date(struct json *json, const char *name, bool is_any, int64_t sec)
{
	char iso[UTC_ISO_BYTES];

	if (is_any)
		json_string(json, name, utc_to_iso(sec, iso));
	else
		json_null(json, name);
}

static void
print_json_line(
    const struct plan_sizes *sizes, const struct line *line, struct json *json)
{
	json_open(json, NULL, '{');
	json_uint(json, "shard", line->index);
	json_string(json, "url", line->url);
	json_uint(json, "entries", line->shard->entries);
	json_uint(json, "bytes", line->bytes);
	json_uint(json, "recent", line->shard->recent);
	json_uint(json, "then_entries", (uint64_t)line->then.entries);
	json_uint(json, "then_bytes", (uint64_t)line->then.bytes);
	print_date(json, "beyond_warning", line->is_beyond, line->beyond_sec);
	print_date(json, "beyond_most", line->is_refused, line->refused_sec);
	if (sizes->forecast.tells_certificates) {
		json_uint(json, "certificates", line->shard->certificates);
		json_uint(json, "all_revoked_bytes", line->worst_bytes);
	}
	json_close(json, '}');
}

void
plan_sizes_print_json(const struct plan_sizes *sizes, struct json *json)
{
	const struct forecast *forecast = &sizes->forecast;
	const struct config *config = sizes->plan->config;

	print_date(json, "now", true, forecast->now_sec);
	print_date(
	    json, "then", true, forecast->now_sec + forecast->horizon_sec);
	json_uint(
	    json, "trend_seconds", (uint64_t)forecast_trend_sec(forecast));
	json_uint(json, "rows", sizes->rows);
	json_uint(json, "expired", forecast->expired);
	json_uint(json, "deferred", forecast->deferred);
	json_uint(json, "not_counted", sizes->refused);
	json_uint(json, "size_warning", sizes->warn_bytes);
	json_uint(json, "size_most", config->size_most);
	if (sizes->recommended > 0)
		json_uint(json, "recommended", sizes->recommended);
	else
		json_null(json, "recommended");
	json_open(json, "shards", '[');
	for (size_t i = 0; i < sizes->plan->count; i++) {
		struct line line = line_make(sizes, i);

		print_json_line(sizes, &line, json);
	}
	json_close(json, ']');
}
