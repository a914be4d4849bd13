/* SPDX-License-Identifier: ISC */
#include "crlpress/forecast.h"

#include <stdlib.h>

#define DAY_SEC INT64_C(86400)

/* Standard deviations that the fullest of some shards lies above the mean. */
#define SPREAD 4

/* What the bytes of a whole CRL are, as a double: more than a run would make.
 */
#define BYTES_BEYOND ((double)CRL_BUILD_BYTES_MOST + 1)

enum status
forecast_init(struct forecast *forecast, uint32_t count, int64_t now_sec,
    int64_t trend_sec, int64_t horizon_sec)
{
	*forecast = (struct forecast){
	    .now_sec = now_sec,
	    .trend_sec = trend_sec,
	    .horizon_sec = horizon_sec,
	    .count = count,
	};
	forecast->shard = calloc(count, sizeof(*forecast->shard));
	return forecast->shard != NULL ? STATUS_OK : STATUS_NO_MEMORY;
}

void
forecast_free(struct forecast *forecast)
{
	free(forecast->shard);
	*forecast = (struct forecast){.shard = NULL};
}

/* How many whole steps these seconds are: FORECAST_STEPS for all more. */
static unsigned
steps_of(const struct forecast *forecast, int64_t sec)
{
	int64_t steps;

	if (sec <= 0)
		return 0;
	if (sec >= forecast->horizon_sec)
		return FORECAST_STEPS;
	/* Both are below 2^32 or so. */
	steps = sec * FORECAST_STEPS / forecast->horizon_sec;
	return (unsigned)steps;
}

static void
add_recent(struct forecast *forecast, struct forecast_shard *shard,
    int64_t lived_sec, size_t size)
{
	shard->recent++;
	shard->recent_bytes += size;
	forecast->recent++;
	forecast->lived[steps_of(forecast, lived_sec)]++;
}

/* RFC 5280, 3.3: an entry may leave once its certificate has expired. */
static void
add_entry(const struct forecast *forecast, struct forecast_shard *shard,
    int64_t left_sec, size_t size)
{
	unsigned step = steps_of(forecast, left_sec);

	shard->entries++;
	shard->bytes += size;
	if (step == FORECAST_STEPS)
		return;
	shard->leaving[step]++;
	shard->leaving_bytes[step] += size;
}

void
forecast_add(struct forecast *forecast, uint32_t shard,
    const struct uint160 *serial, int64_t revoked_at_sec, uint8_t reason,
    int64_t not_after_sec)
{
	struct forecast_shard *to = &forecast->shard[shard];
	size_t size = crl_entry_size(serial, revoked_at_sec, reason);
	size_t serial_len =
	    size -
	    crl_entry_size(&(struct uint160){{0}}, revoked_at_sec, reason) + 1;

	if (revoked_at_sec > forecast->now_sec) {
		forecast->deferred++;
		return;
	}
	if (forecast->serial_len == 0 || revoked_at_sec < forecast->oldest_sec)
		forecast->oldest_sec = revoked_at_sec;
	if (forecast->serial_len < serial_len)
		forecast->serial_len = serial_len;
	if (forecast->now_sec - revoked_at_sec < forecast->trend_sec)
		add_recent(forecast, to, not_after_sec - revoked_at_sec, size);
	if (not_after_sec < forecast->now_sec)
		forecast->expired++;
	else
		add_entry(
		    forecast, to, not_after_sec - forecast->now_sec, size);
}

int64_t
forecast_trend_sec(const struct forecast *forecast)
{
	int64_t since_sec = forecast->now_sec - forecast->oldest_sec;

	if (forecast->serial_len == 0 || since_sec > forecast->trend_sec)
		since_sec = forecast->trend_sec;
	return since_sec > DAY_SEC ? since_sec : DAY_SEC;
}

static double
size_of(const struct forecast *forecast, const char *url, double entries_bytes)
{
	struct crl_header header = forecast->header;
	uint64_t size;

	if (entries_bytes >= BYTES_BEYOND)
		return entries_bytes;
	header.url = url;
	size =
	    crl_size(&header, (uint64_t)entries_bytes, forecast->signature_len);
	return size > 0 ? (double)size : BYTES_BEYOND;
}

/*
 * Of what comes evenly from now on, the part of one step's that is listed at
 * the end of `step` steps, in steps: the sum over the age that each has by
 * then, of how many certificates lived on for so long.
 */
static double
part_listed(const struct forecast *forecast, unsigned step)
{
	uint64_t left = forecast->recent;
	double part = 0;

	for (unsigned age = 0; age < step; age++) {
		uint64_t before = left;

		left -= forecast->lived[age];
		part += ((double)before + (double)left) / 2;
	}
	return forecast->recent > 0 ? part / (double)forecast->recent : 0;
}

struct forecast_point
forecast_at(const struct forecast *forecast, const struct forecast_shard *shard,
    const char *url, unsigned step)
{
	uint64_t entries = shard->entries, bytes = shard->bytes;
	/* Steps of all that is recent which are listed then. */
	double come = part_listed(forecast, step) *
		      (double)forecast->horizon_sec / FORECAST_STEPS /
		      (double)forecast_trend_sec(forecast);

	for (unsigned i = 0; i < step && i < FORECAST_STEPS; i++) {
		entries -= shard->leaving[i];
		bytes -= shard->leaving_bytes[i];
	}
	return (struct forecast_point){
	    .entries = (double)entries + come * (double)shard->recent,
	    .bytes = size_of(forecast, url,
		(double)bytes + come * (double)shard->recent_bytes),
	};
}

bool
forecast_when(const struct forecast *forecast,
    const struct forecast_shard *shard, const char *url, uint64_t bytes_most,
    int64_t *when_sec)
{
	double most = (double)bytes_most, before = 0, part;
	struct forecast_point at;

	for (unsigned step = 0; step <= FORECAST_STEPS; step++) {
		at = forecast_at(forecast, shard, url, step);
		if (at.bytes > most) {
			part = step == 0
				   ? 0
				   : step - 1 +
					 (most - before) / (at.bytes - before);
			*when_sec =
			    forecast->now_sec +
			    (int64_t)(part * (double)forecast->horizon_sec /
				      FORECAST_STEPS);
			return true;
		}
		before = at.bytes;
	}
	return false;
}

uint64_t
forecast_bytes(const struct forecast *forecast,
    const struct forecast_shard *shard, const char *url)
{
	return (uint64_t)size_of(forecast, url, (double)shard->bytes);
}

size_t
forecast_entry_bytes(const struct forecast *forecast)
{
	size_t least = crl_entry_size(
	    &(struct uint160){{0}}, forecast->now_sec, /* any */ 1);

	if (forecast->serial_len == 0)
		return FORECAST_ENTRY_BYTES;
	return least - 1 + forecast->serial_len;
}

/* The valid certificates that are revoked already are among them. */
uint64_t
forecast_bytes_worst(const struct forecast *forecast,
    const struct forecast_shard *shard, const char *url)
{
	double bytes = (double)shard->bytes;

	if (shard->certificates > shard->entries)
		bytes += (double)(shard->certificates - shard->entries) *
			 (double)forecast_entry_bytes(forecast);
	return (uint64_t)size_of(forecast, url, bytes);
}

/* The integer part. */
static uint64_t
square_root(uint64_t n)
{
	uint64_t root = 0;

	for (uint64_t bit = UINT64_C(1) << 31; bit > 0; bit >>= 1)
		if ((root | bit) * (root | bit) <= n)
			root |= bit;
	return root;
}

uint32_t
forecast_shard_count(uint64_t certificates, size_t entry_bytes,
    uint64_t header_bytes, uint64_t bytes_most)
{
	uint64_t entries_most;

	if (entry_bytes == 0 || bytes_most <= header_bytes)
		return 0;
	entries_most = (bytes_most - header_bytes) / entry_bytes;
	for (uint32_t n = 1; n <= SHARD_COUNT_MOST; n *= 2) {
		uint64_t mean = certificates / n + (certificates % n > 0);
		/* One shard has all of them, and none by chance. */
		uint64_t spread = n == 1 ? 0 : SPREAD * square_root(mean);

		/* spread is below 2^34. */
		if (mean <= entries_most && spread <= entries_most - mean)
			return n;
	}
	return 0;
}
