/* SPDX-License-Identifier: ISC */
/*
 * When a request is tried again: exponential backoff with jitter up to a
 * deadline. Clock, randomness and sleep are given, so that tests have their
 * own. No library.
 */
#ifndef CRLPRESS_RETRY_H
#define CRLPRESS_RETRY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The first wait; each is twice the one before, up to the longest. */
#define RETRY_FIRST_MS 250
#define RETRY_LONGEST_MS (30 * 1000)

/* Kept for all tries of all requests. */
struct retry_policy {
	int64_t (*now_ms)(void); /* of a clock that is never set */
	bool (*random_bytes)(void *data, size_t len);
	void (*sleep_ms)(int64_t ms);
	bool (*cancelled)(void); /* NULL: never */
	int64_t deadline_ms;     /* for one request, from its first try */
};

/* One request, whatever number of tries it takes. */
struct retry {
	const struct retry_policy *policy;
	int64_t until_ms;
	unsigned tries; /* that failed */
};

void retry_begin(struct retry *retry, const struct retry_policy *policy);

/* Milliseconds left; 0 when the deadline has passed. */
int64_t retry_left_ms(const struct retry *retry);

/*
 * Waits after a failed try, at least `least_ms` (what a server asked for; 0:
 * nothing). False when there is no time left for that, or it was cancelled:
 * the request has failed.
 */
bool retry_wait(struct retry *retry, int64_t least_ms);

/*
 * The wait after `tries` failed tries (from 1): half of the step, and up to
 * the other half by `random`, so that those who failed together do not come
 * back together.
 */
int64_t retry_delay_ms(unsigned tries, uint32_t random);

/* Whether a reply of HTTP with this code may heal: 429, 500, 502, 503, 504. */
bool retry_code_heals(int code);

/*
 * A Retry-After in seconds, as milliseconds; 0 for none (NULL), a date, or
 * what is no number. At most a day.
 */
int64_t retry_after_ms(const char *value);

/* Sleeps; for policies of programs. */
void retry_sleep_ms(int64_t ms);

#endif
