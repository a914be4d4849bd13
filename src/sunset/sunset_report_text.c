/* SPDX-License-Identifier: ISC */
/* The report as text, for a terminal. */
#include <inttypes.h>
#include <string.h>

#include "sunset_report_impl.h"

/* Names are cut off to no column: the widest sets it, within reason. */
#define NAME_WIDTH_LEAST 24
#define NAME_WIDTH_MOST 64

static void
print_head(const struct sunset_findings *findings, FILE *out)
{
	const struct trend *trend = findings->trend;
	size_t first = sunset_first_day(findings);
	char from[TREND_DAY_BYTES], to[TREND_DAY_BYTES];

	fprintf(out,
	    "%s to %s: %" PRIu64 " requests, %" PRIu64 " of them OCSP\n"
	    "beside them: %" PRIu64 " malformed, %" PRIu64 " health checks\n\n",
	    trend_day_text(trend, first, from),
	    trend_day_text(trend, trend->today, to),
	    trend_sum(trend->requests, first, TREND_DAYS),
	    trend_sum(trend->ocsp, first, TREND_DAYS),
	    trend_sum(trend->malformed, first, TREND_DAYS),
	    trend_sum(trend->health, first, TREND_DAYS));
}

static void
print_day(const struct sunset_findings *findings, size_t day, FILE *out)
{
	const struct trend *trend = findings->trend;
	const char *note = "";
	char text[TREND_DAY_BYTES];
	uint32_t minutes = trend->up_sec[day] / 60;

	if (day == trend->today)
		note = "  today";
	else if (!verdict_knows(trend, findings->rule, day))
		note = "  not counted in full";
	fprintf(out,
	    "%s %12" PRIu64 " %12" PRIu64 " %12" PRIu64 "   %2" PRIu32
	    ":%02" PRIu32 "%s\n",
	    trend_day_text(trend, day, text), trend->requests[day],
	    trend->ocsp[day], trend->malformed[day], minutes / 60, minutes % 60,
	    note);
}

static void
print_days(const struct sunset_findings *findings, FILE *out)
{
	size_t today = findings->trend->today;
	size_t first = sunset_first_day(findings);
	size_t from = trend_before(today + 1, findings->days_shown);

	fprintf(out, "day            requests      of OCSP    malformed  "
		     "counted\n");
	for (size_t day = from < first ? first : from; day <= today; day++)
		print_day(findings, day, out);
}

static int
name_width(const struct trend *trend)
{
	size_t width = NAME_WIDTH_LEAST;

	for (unsigned by = 0; by < TREND_BYS; by++)
		for (size_t i = 0; i < trend->by[by].count; i++) {
			size_t len = strlen(trend->by[by].series[i]->name);

			if (len > width && len <= NAME_WIDTH_MOST)
				width = len;
		}
	return (int)width;
}

static void
print_series(const struct sunset_findings *findings,
    const struct trend_series *series, int width, FILE *out)
{
	const struct trend *trend = findings->trend;
	struct sunset_sums all = sunset_sums_of(findings, trend->requests);
	struct sunset_sums sums = sunset_sums_of(findings, series->day);
	char share[SUNSET_SHARE_BYTES], change[SUNSET_CHANGE_BYTES];
	char last[TREND_DAY_BYTES];

	fprintf(out, "  %-*s %10" PRIu64 " %6s %% %10" PRIu64 " %8s  %s\n",
	    width, series->name, sums.period,
	    sunset_share(sums.period, all.period, share), sums.week,
	    sunset_change(sums.week, sums.week_before, change),
	    trend_day_text(trend, sums.last, last));
}

static void
print_by(const struct sunset_findings *findings, FILE *out)
{
	const struct trend *trend = findings->trend;
	int width = name_width(trend);

	fprintf(out,
	    "\n  %-*s %5" PRIu32 " days    share     7 days   change  "
	    "last seen\n",
	    width, "", findings->rule->days);
	for (unsigned by = 0; by < TREND_BYS; by++) {
		fprintf(out, "%s\n", trend_by_name((enum trend_by)by));
		for (size_t i = 0; i < trend->by[by].count; i++)
			print_series(
			    findings, trend->by[by].series[i], width, out);
	}
}

static void
print_outlook(const struct sunset_findings *findings, FILE *out)
{
	const struct verdict *verdict = findings->verdict;
	const struct verdict_rule *rule = findings->rule;

	if (verdict->may_retire)
		return;
	if (verdict->above == 0 || verdict->weeks_left == 0)
		fprintf(out, "below for %" PRIu32 " of %" PRIu32 " days\n",
		    verdict->streak, rule->days);
	else if (verdict->weeks_left >= VERDICT_WEEKS_MOST)
		fprintf(out, "at the rate of the last two weeks: never\n");
	else
		fprintf(out,
		    "at the rate of the last two weeks: below %" PRIu64
		    " a day in about %" PRIu32 " days\n",
		    rule->below, verdict->weeks_left * 7);
}

void
sunset_report_text(const struct sunset_findings *findings, FILE *out)
{
	char text[VERDICT_TEXT_BYTES];

	print_head(findings, out);
	print_days(findings, out);
	print_by(findings, out);
	fputc('\n', out);
	print_outlook(findings, out);
	fprintf(out, "%s\n",
	    verdict_text(
		findings->trend, findings->rule, findings->verdict, text));
}
