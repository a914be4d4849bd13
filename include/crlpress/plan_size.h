/* SPDX-License-Identifier: ISC */
/*
 * How large the shards of an issuer are, what they grow to, and what they would
 * be if every certificate had to be revoked: from its table, in one snapshot.
 */
#ifndef CRLPRESS_PLAN_SIZE_H
#define CRLPRESS_PLAN_SIZE_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "crlpress/context.h"
#include "crlpress/forecast.h"
#include "crlpress/issuer.h"
#include "crlpress/json.h"
#include "crlpress/plan.h"
#include "crlpress/report.h"
#include "crlpress/status.h"

/* More would have no serial number. */
#define PLAN_CERTIFICATES_MOST (UINT64_C(1) << 48)

struct plan_size_options {
	int64_t trend_sec;
	int64_t horizon_sec;
	bool has_certificates; /* as many, spread over all shards */
	uint64_t certificates;
};

/* Zero-initialise; plan_sizes_free. */
struct plan_sizes {
	const struct plan *plan; /* borrowed */
	struct issuer *issuer;
	struct forecast forecast;
	uint64_t rows;
	uint64_t refused; /* rows that cannot be counted */
	uint64_t warn_bytes;
	/* How many shards would do, for all certificates where that is told,
	 * else for the horizon; 0: no number of shards. */
	uint32_t recommended;
};

/*
 * Reads the table. STATUS_FAULTY, reported, when a shard is, or will be before
 * the horizon, larger than `size_most`, so that a run refuses it; one beyond
 * `size_warning` is a warning, and so is one that would be if every certificate
 * were revoked.
 */
enum status plan_sizes_make(const struct plan *plan,
    const struct plan_size_options *options, const struct context *context,
    struct report *report, struct plan_sizes *sizes) MUST_CHECK;
void plan_sizes_free(struct plan_sizes *sizes);

/* Only of what could be made: a table for a person, members of an object. */
void plan_sizes_print(const struct plan_sizes *sizes, FILE *stream);
void plan_sizes_print_json(const struct plan_sizes *sizes, struct json *json);

#endif
