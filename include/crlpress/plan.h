/* SPDX-License-Identifier: ISC */
/*
 * What an issuer's configuration comes to, before anything is published: the
 * URLs of its shards, as lines, as the CCADB's field takes them, as JSON.
 */
#ifndef CRLPRESS_PLAN_H
#define CRLPRESS_PLAN_H

#include <stdio.h>

#include "crlpress/config.h"
#include "crlpress/forecast.h"
#include "crlpress/json.h"
#include "crlpress/report.h"
#include "crlpress/status.h"

/* Every URL in order of its shard. */
struct plan {
	const struct config *config; /* borrowed */
	char **url;
	size_t count;
};

/* Faults are reported; plan_free in any case. Zero-initialise `*plan`. */
enum status plan_make(const struct config *config, struct report *report,
    struct plan *plan) MUST_CHECK;

/* What a person wants to know. */
void plan_print(const struct plan *plan, FILE *stream);

/* One URL a line. */
void plan_print_urls(const struct plan *plan, FILE *stream);

/*
 * One line, an array of the URLs, as the field "JSON Array of Partitioned
 * CRLs" takes it.
 */
void plan_print_ccadb(const struct plan *plan, FILE *stream);

/* An object in an array. */
void plan_print_json(const struct plan *plan, struct json *json);

void plan_free(struct plan *plan);

#endif
