/* SPDX-License-Identifier: ISC */
/* What a rule says at a time. Pure; no library. */
#ifndef CRLPRESS_SCHEDULE_H
#define CRLPRESS_SCHEDULE_H

#include <stdbool.h>
#include <stdint.h>

#include "sunset_config.h"

/*
 * A rule at one second. Neither: nothing, the next wider rule holds. With a
 * share: `partial` for so many of a hundred requests, for the others `base`
 * or, without one, the next wider rule.
 */
struct schedule_now {
	bool has_base;
	enum answer_mode base;
	uint32_t share_percent; /* 0: no partial phase, or not its window */
	enum answer_mode partial;
};

void schedule_at(
    const struct sunset_rule *rule, int64_t now_sec, struct schedule_now *now);

/*
 * Whether the next request is of the share: of any hundred in a row, exactly
 * `share_percent` are, spread evenly. `*sum` begins with 0 and is the
 * caller's; nothing of the request goes into it.
 */
bool schedule_share(uint32_t share_percent, uint32_t *sum);

#endif
