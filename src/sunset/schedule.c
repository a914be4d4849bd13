/* SPDX-License-Identifier: ISC */
/*
 * The phases of a rule. The last that has begun is in force; one that is for
 * all requests at all times stands in the mode's place from then on.
 */
#include "schedule.h"

#define DAY_SEC 86400

static bool
phase_is_whole(const struct sunset_phase *phase)
{
	return phase->share_percent == 100 && !phase->has_window;
}

/* Within the window; one that ends before it begins passes midnight. */
static bool
window_is_open(const struct sunset_phase *phase, int64_t now_sec)
{
	int64_t rest = now_sec % DAY_SEC;
	uint32_t sec = (uint32_t)(rest < 0 ? rest + DAY_SEC : rest);

	if (!phase->has_window)
		return true;
	if (phase->window_first_sec < phase->window_end_sec)
		return sec >= phase->window_first_sec &&
		       sec < phase->window_end_sec;
	return sec >= phase->window_first_sec || sec < phase->window_end_sec;
}

void
schedule_at(
    const struct sunset_rule *rule, int64_t now_sec, struct schedule_now *now)
{
	const struct sunset_phase *last = NULL;

	*now = (struct schedule_now){
	    .has_base = rule->has_mode, .base = rule->mode};
	for (uint32_t i = 0;
	     i < rule->phases && rule->phase[i].from_sec <= now_sec; i++) {
		last = &rule->phase[i];
		if (phase_is_whole(last)) {
			now->has_base = true;
			now->base = last->mode;
		}
	}
	if (last == NULL || phase_is_whole(last) ||
	    !window_is_open(last, now_sec))
		return;
	now->share_percent = last->share_percent;
	now->partial = last->mode;
}

bool
schedule_share(uint32_t share_percent, uint32_t *sum)
{
	*sum += share_percent;
	if (*sum < 100)
		return false;
	*sum -= 100;
	return true;
}
