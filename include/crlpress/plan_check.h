/* SPDX-License-Identifier: ISC */
/*
 * Whether the URLs of a plan answer as they must, as anybody on the network
 * sees it: each with a valid CRL of its own shard, and those just before and
 * behind them with none.
 */
#ifndef CRLPRESS_PLAN_CHECK_H
#define CRLPRESS_PLAN_CHECK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "crlpress/context.h"
#include "crlpress/json.h"
#include "crlpress/plan.h"
#include "crlpress/report.h"
#include "crlpress/status.h"
#include "crlpress/uint160.h"

/* What one URL answered. */
struct plan_answer {
	uint32_t index; /* of the shard */
	bool beyond;    /* no shard has it: nothing may be there */
	bool well;      /* it is as it must be */
	char *url;
	int code; /* of HTTP; 0: no answer */
	bool parsed;
	bool has_number;
	struct uint160 number;
	int64_t this_update_sec;
	bool has_next_update;
	int64_t next_update_sec;
	uint64_t entries;
	uint64_t size;
};

/* By rising index. Free it with plan_answers_free. */
struct plan_answers {
	struct plan_answer *answer;
	size_t count;
};

/*
 * Asks all of them, several at a time. STATUS_OK, or STATUS_FAULTY when one is
 * not as it must be, reported under its URL; or what went wrong before there
 * was an answer.
 */
enum status plan_check(const struct plan *plan, const struct context *context,
    struct report *report, struct plan_answers *answers) MUST_CHECK;
void plan_answers_free(struct plan_answers *answers);

/* One line a URL; members of an array. */
void plan_answers_print(const struct plan_answers *answers, FILE *stream);
void plan_answers_print_json(
    const struct plan_answers *answers, struct json *json);

#endif
