/* SPDX-License-Identifier: ISC */
/*
 * The verdict. What is not known is never taken for silence: a server that
 * was down for a month saw nobody either.
 */
#include "verdict.h"

#include <inttypes.h>
#include <stdarg.h>

#define WEEK 7

/* The counts that the rule is about. */
static const uint64_t *
counts_of(const struct trend *trend, const struct verdict_rule *rule)
{
	return rule->ocsp_only ? trend->ocsp : trend->requests;
}

bool
verdict_knows(
    const struct trend *trend, const struct verdict_rule *rule, size_t day)
{
	return rule->assume_complete ||
	       trend->up_sec[day] >= VERDICT_UP_SEC_LEAST;
}

/* Weeks until a day has less than `below`, as the last two weeks went. */
static uint32_t
weeks_left(const struct verdict *verdict, uint64_t below)
{
	double per_day = (double)verdict->week / WEEK;
	double share;
	uint32_t weeks;

	if (per_day < (double)below)
		return 0;
	if (verdict->week_before <= verdict->week)
		return VERDICT_WEEKS_MOST;
	share = (double)verdict->week / (double)verdict->week_before;
	for (weeks = 0; weeks < VERDICT_WEEKS_MOST; weeks++) {
		if (per_day < (double)below)
			break;
		per_day *= share;
	}
	return weeks;
}

/* The days of the period, the last first. */
static void
period_judge(const struct trend *trend, const struct verdict_rule *rule,
    struct verdict *verdict)
{
	const uint64_t *counts = counts_of(trend, rule);
	bool unbroken = true;

	for (uint32_t i = 1; i <= VERDICT_DAYS_MOST; i++) {
		size_t day = trend->today - i;
		bool above = counts[day] >= rule->below;
		bool known = verdict_knows(trend, rule, day);

		unbroken = unbroken && !above && known;
		if (!unbroken && i > rule->days)
			break;
		verdict->streak += unbroken;
		if (i > rule->days)
			continue;
		if (above && verdict->above++ == 0)
			verdict->last_above = day;
		if (!above && !known && verdict->unknown++ == 0)
			verdict->last_unknown = day;
	}
}

struct verdict
verdict_make(const struct trend *trend, const struct verdict_rule *rule)
{
	const uint64_t *counts = counts_of(trend, rule);
	size_t today = trend->today;
	struct verdict verdict = {0};

	period_judge(trend, rule, &verdict);
	verdict.today_above = counts[today] >= rule->below;
	verdict.may_retire =
	    verdict.above == 0 && verdict.unknown == 0 && !verdict.today_above;
	verdict.week = trend_sum(counts, today - WEEK, today);
	verdict.week_before =
	    trend_sum(counts, today - 2 * (size_t)WEEK, today - WEEK);
	verdict.weeks_left = weeks_left(&verdict, rule->below);
	return verdict;
}

/* A text as it grows; what does not fit is cut off. */
struct sentence {
	char *text;
	size_t len;
};

static void __attribute__((format(printf, 2, 3)))
sentence_add(struct sentence *sentence, const char *format, ...)
{
	size_t room = VERDICT_TEXT_BYTES - sentence->len;
	va_list args;
	int n;

	va_start(args, format);
	n = vsnprintf(sentence->text + sentence->len, room, format, args);
	va_end(args);
	if (n > 0)
		sentence->len += (size_t)n < room ? (size_t)n : room - 1;
}

char *
verdict_text(const struct trend *trend, const struct verdict_rule *rule,
    const struct verdict *verdict, char out[VERDICT_TEXT_BYTES])
{
	const uint64_t *counts = counts_of(trend, rule);
	struct sentence sentence = {out, 0};
	char day[TREND_DAY_BYTES];

	if (verdict->may_retire) {
		sentence_add(&sentence,
		    "may retire: below %" PRIu64 " requests on each of the "
		    "last %" PRIu32 " days",
		    rule->below, rule->days);
		return out;
	}
	sentence_add(&sentence, "not yet:");
	if (verdict->above > 0)
		sentence_add(&sentence,
		    " %" PRIu32 " of the last %" PRIu32 " days had %" PRIu64
		    " requests or more, the last %s with %" PRIu64 ";",
		    verdict->above, rule->days, rule->below,
		    trend_day_text(trend, verdict->last_above, day),
		    counts[verdict->last_above]);
	if (verdict->today_above)
		sentence_add(&sentence, " today has %" PRIu64 " already;",
		    counts[trend->today]);
	if (verdict->unknown > 0)
		sentence_add(&sentence,
		    " %" PRIu32 " of the last %" PRIu32 " days were not "
		    "counted in full, the last %s;",
		    verdict->unknown, rule->days,
		    trend_day_text(trend, verdict->last_unknown, day));
	out[sentence.len - 1] = '\0';
	return out;
}
