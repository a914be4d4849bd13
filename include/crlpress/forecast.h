/* SPDX-License-Identifier: ISC */
/*
 * What the shards of an issuer have now, and what they will have if
 * certificates go on being revoked as they were of late: counted row by row,
 * with nothing kept of a row. Pure; no library.
 *
 * The time up to the horizon is cut into equal steps. What is listed now and
 * when it expires is known to a step. What will come is a mean: as many a step
 * as the shard had within the time of the trend, of which so many are still
 * listed when they are so old as the certificates of that time lived on after
 * their revocation.
 */
#ifndef CRLPRESS_FORECAST_H
#define CRLPRESS_FORECAST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "crlpress/crl_build.h"
#include "crlpress/shard.h"
#include "crlpress/status.h"

/* Three days each, of ninety; more would say no more of a mean. */
#define FORECAST_STEPS 30

/* Beyond a century the trend of a month says nothing, and no sum wraps. */
#define FORECAST_TIME_MOST_SEC (INT64_C(36600) * 86400)

/* An entry with a serial of 20 octets and a reason, until 2049. */
#define FORECAST_ENTRY_BYTES 53

/* All but the entries of a CRL with RSA-4096 and a URL of 200 octets. */
#define FORECAST_HEADER_BYTES 1500

struct forecast_shard {
	uint64_t entries; /* revoked, and not expired */
	uint64_t bytes;   /* of these */
	uint64_t recent;  /* revoked within the trend, expired or not */
	uint64_t recent_bytes;
	/* Of the entries those that expire in each step. */
	uint64_t leaving[FORECAST_STEPS];
	uint64_t leaving_bytes[FORECAST_STEPS];
	/* That are valid, revoked or not; as far as that is told. */
	uint64_t certificates;
};

struct forecast {
	int64_t now_sec;
	int64_t trend_sec;   /* how far back */
	int64_t horizon_sec; /* how far ahead */
	uint32_t count;
	struct forecast_shard *shard;
	uint64_t expired;  /* rows that are not listed, or about to leave */
	uint64_t deferred; /* rows that are revoked after now */
	/* Of the recent rows those whose certificates lived on for so many
	 * whole steps; the last for more. */
	uint64_t lived[FORECAST_STEPS + 1];
	uint64_t recent;
	int64_t oldest_sec; /* the first revocation, where there is a row */
	size_t serial_len;  /* of the longest, in octets of DER; 0: none */
	bool tells_certificates;

	/* What each CRL has beside its entries; the URL is the shard's. */
	struct crl_header header;
	size_t signature_len;
};

/*
 * Room for `count` shards, all of it zero; forecast_free in any case. Times are
 * above zero and at most FORECAST_TIME_MOST_SEC.
 */
enum status forecast_init(struct forecast *forecast, uint32_t count,
    int64_t now_sec, int64_t trend_sec, int64_t horizon_sec) MUST_CHECK;
void forecast_free(struct forecast *forecast);

/* A row that a run would list in the shard at that place, from 0. */
void forecast_add(struct forecast *forecast, uint32_t shard,
    const struct uint160 *serial, int64_t revoked_at_sec, uint8_t reason,
    int64_t not_after_sec);

/*
 * The trend, or the time since the first revocation where that is less, and at
 * least a day: what `recent` rows are divided by.
 */
int64_t forecast_trend_sec(const struct forecast *forecast);

/* What a shard is thought to have at the end of `step` steps from now. */
struct forecast_point {
	double entries;
	double bytes; /* of the whole CRL */
};

struct forecast_point forecast_at(const struct forecast *forecast,
    const struct forecast_shard *shard, const char *url, unsigned step);

/*
 * When it is first thought to be larger than that, to a part of a step; false:
 * not until the horizon. now_sec: it is already.
 */
bool forecast_when(const struct forecast *forecast,
    const struct forecast_shard *shard, const char *url, uint64_t bytes_most,
    int64_t *when_sec);

/* The size now: that of the CRL without what expired. */
uint64_t forecast_bytes(const struct forecast *forecast,
    const struct forecast_shard *shard, const char *url);

/* The size with each valid certificate revoked, for a reason. */
uint64_t forecast_bytes_worst(const struct forecast *forecast,
    const struct forecast_shard *shard, const char *url);

/* The largest entry that this issuer is thought to have. */
size_t forecast_entry_bytes(const struct forecast *forecast);

/*
 * How many shards keep each of them to `bytes_most` when all of so many
 * certificates are revoked, each an entry of `entry_bytes` in one of them by
 * chance: a power of two, so that to double it splits every shard in two. 0
 * when that would be more than SHARD_COUNT_MOST.
 */
uint32_t forecast_shard_count(uint64_t certificates, size_t entry_bytes,
    uint64_t header_bytes, uint64_t bytes_most);

#endif
