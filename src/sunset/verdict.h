/* SPDX-License-Identifier: ISC */
/*
 * Whether the name of a responder can go: when fewer requests than a
 * threshold came on every one of the last days. A day of which too little was
 * counted is not known to be one of these. Pure; no library.
 */
#ifndef CRLPRESS_VERDICT_H
#define CRLPRESS_VERDICT_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "trend.h"

/* Ten years; the trend reaches further back. */
#define VERDICT_DAYS_MOST 3650U

/* A restart takes seconds; a day of which more is missing than an hour is not
 * known. */
#define VERDICT_UP_SEC_LEAST (TREND_DAY_SEC - 3600)

/* Weeks that the estimate looks ahead. */
#define VERDICT_WEEKS_MOST 520U

struct verdict_rule {
	uint64_t below; /* requests a day */
	uint32_t days;
	bool ocsp_only;       /* count those that hold an OCSP request */
	bool assume_complete; /* days without a word were silent ones */
};

struct verdict {
	bool may_retire;
	uint32_t above;    /* days of the period that had too many */
	uint32_t unknown;  /* days that were not counted, or not enough */
	bool today_above;  /* today has too many already */
	size_t last_above; /* the latest of those days */
	size_t last_unknown;
	uint32_t streak; /* days below without a gap, up to yesterday */
	uint64_t week;   /* requests of the last 7 days */
	uint64_t week_before;
	/* Weeks until a day is below, if each week has the share of the one
	 * before that the last had; VERDICT_WEEKS_MOST: not to be seen. */
	uint32_t weeks_left;
};

struct verdict verdict_make(
    const struct trend *trend, const struct verdict_rule *rule);

/* Whether enough of the day was counted. */
bool verdict_knows(
    const struct trend *trend, const struct verdict_rule *rule, size_t day);

/* A sentence: "not yet: ...". Returns `out`. */
#define VERDICT_TEXT_BYTES 512
char *verdict_text(const struct trend *trend, const struct verdict_rule *rule,
    const struct verdict *verdict, char out[VERDICT_TEXT_BYTES]);

#endif
