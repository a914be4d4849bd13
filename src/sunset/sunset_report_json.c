/* SPDX-License-Identifier: ISC */
/* The report as JSON: every day, every name, the verdict. */
#include "crlpress/json.h"
#include "crlpress/utc.h"

#include "sunset_report_impl.h"

static void
put_days(struct json *json, const struct sunset_findings *findings)
{
	const struct trend *trend = findings->trend;
	char text[TREND_DAY_BYTES];

	json_open(json, "days", '[');
	for (size_t day = sunset_first_day(findings); day <= trend->today;
	     day++) {
		json_open(json, NULL, '{');
		json_string(json, "day", trend_day_text(trend, day, text));
		json_uint(json, "requests", trend->requests[day]);
		json_uint(json, "ocsp", trend->ocsp[day]);
		json_uint(json, "malformed", trend->malformed[day]);
		json_uint(json, "health", trend->health[day]);
		json_uint(json, "counted_sec", trend->up_sec[day]);
		json_close(json, '}');
	}
	json_close(json, ']');
}

static void
put_series(struct json *json, const struct sunset_findings *findings,
    const struct trend_series *series)
{
	struct sunset_sums sums = sunset_sums_of(findings, series->day);
	char last[TREND_DAY_BYTES];

	json_open(json, NULL, '{');
	json_string(json, "name", series->name);
	json_uint(json, "requests", trend_sum(series->day, 0, TREND_DAYS));
	json_uint(json, "period", sums.period);
	json_uint(json, "week", sums.week);
	json_uint(json, "week_before", sums.week_before);
	json_string(json, "last_seen",
	    trend_day_text(findings->trend, sums.last, last));
	json_close(json, '}');
}

static void
put_verdict(struct json *json, const struct sunset_findings *findings)
{
	const struct verdict *verdict = findings->verdict;
	const struct verdict_rule *rule = findings->rule;
	char text[VERDICT_TEXT_BYTES];

	json_open(json, "threshold", '{');
	json_uint(json, "below", rule->below);
	json_uint(json, "days", rule->days);
	json_bool(json, "ocsp_only", rule->ocsp_only);
	json_bool(json, "assume_complete", rule->assume_complete);
	json_close(json, '}');
	json_open(json, "verdict", '{');
	json_bool(json, "may_retire", verdict->may_retire);
	json_string(
	    json, "text", verdict_text(findings->trend, rule, verdict, text));
	json_uint(json, "days_above", verdict->above);
	json_uint(json, "days_not_counted", verdict->unknown);
	json_bool(json, "today_above", verdict->today_above);
	json_uint(json, "days_below", verdict->streak);
	json_uint(json, "week", verdict->week);
	json_uint(json, "week_before", verdict->week_before);
	if (verdict->weeks_left < VERDICT_WEEKS_MOST)
		json_uint(json, "weeks_left", verdict->weeks_left);
	else
		json_null(json, "weeks_left");
	json_close(json, '}');
}

void
sunset_report_json(const struct sunset_findings *findings, FILE *out)
{
	const struct trend *trend = findings->trend;
	struct json json = {.stream = out};
	char now[UTC_ISO_BYTES];

	json_open(&json, NULL, '{');
	json_string(&json, "made", utc_to_iso(findings->now_sec, now));
	put_days(&json, findings);
	json_open(&json, "by", '{');
	for (unsigned by = 0; by < TREND_BYS; by++) {
		json_open(&json, trend_by_name((enum trend_by)by), '[');
		for (size_t i = 0; i < trend->by[by].count; i++)
			put_series(&json, findings, trend->by[by].series[i]);
		json_close(&json, ']');
	}
	json_close(&json, '}');
	put_verdict(&json, findings);
	json_close(&json, '}');
	json_end(&json);
}
