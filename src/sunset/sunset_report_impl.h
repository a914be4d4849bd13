/* SPDX-License-Identifier: ISC */
/* What the forms of the report (text, JSON, HTML) are made from. */
#ifndef CRLPRESS_SUNSET_REPORT_IMPL_H
#define CRLPRESS_SUNSET_REPORT_IMPL_H

#include <stdint.h>
#include <stdio.h>

#include "trend.h"
#include "verdict.h"

/* Sums of one name over the period and the last two weeks. */
struct sunset_sums {
	uint64_t period;
	uint64_t week;
	uint64_t week_before;
	bool ever;
	size_t last; /* the last day with a request, when there was one */
};

struct sunset_findings {
	const struct trend *trend;
	const struct verdict_rule *rule;
	const struct verdict *verdict;
	uint32_t days_shown; /* of the table of days */
	int64_t now_sec;
};

struct sunset_sums sunset_sums_of(
    const struct sunset_findings *findings, const uint64_t day[TREND_DAYS]);

/* The first day of what there is; today, when there is nothing. */
size_t sunset_first_day(const struct sunset_findings *findings);

/* "-12 %", "+3 %", "new", "gone" or "" for the last week against the one
 * before. Returns `out`. */
#define SUNSET_CHANGE_BYTES 16
char *sunset_change(
    uint64_t week, uint64_t week_before, char out[SUNSET_CHANGE_BYTES]);

/* "34.5" percent, cut off; "0.0" of nothing. Returns `out`. */
#define SUNSET_SHARE_BYTES 8
char *sunset_share(uint64_t part, uint64_t whole, char out[SUNSET_SHARE_BYTES]);

void sunset_report_text(const struct sunset_findings *findings, FILE *out);
void sunset_report_json(const struct sunset_findings *findings, FILE *out);
void sunset_report_html(const struct sunset_findings *findings, FILE *out);

#endif
