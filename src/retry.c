/* SPDX-License-Identifier: ISC */
/*
 * Backoff. A server that is overloaded must not get the same load again at
 * the same moment from everybody; hence the growth and the jitter.
 */
#include "crlpress/retry.h"

#include <string.h>
#include <time.h>

/* So long at most until a cancelled wait ends. */
#define SLICE_MS 100

/* A server that asks for more is not one to wait for. */
#define AFTER_MOST_SEC (24 * 60 * 60)

void
retry_begin(struct retry *retry, const struct retry_policy *policy)
{
	retry->policy = policy;
	retry->until_ms = policy->now_ms() + policy->deadline_ms;
	retry->tries = 0;
}

int64_t
retry_left_ms(const struct retry *retry)
{
	int64_t now_ms = retry->policy->now_ms();

	return now_ms < retry->until_ms ? retry->until_ms - now_ms : 0;
}

int64_t
retry_delay_ms(unsigned tries, uint32_t random)
{
	int64_t step = RETRY_FIRST_MS;

	for (unsigned i = 1; i < tries && step < RETRY_LONGEST_MS; i++)
		step *= 2;
	if (step > RETRY_LONGEST_MS)
		step = RETRY_LONGEST_MS;
	return step / 2 + (int64_t)random % (step / 2 + 1);
}

static bool
is_cancelled(const struct retry_policy *policy)
{
	return policy->cancelled != NULL && policy->cancelled();
}

bool
retry_wait(struct retry *retry, int64_t least_ms)
{
	const struct retry_policy *policy = retry->policy;
	uint32_t random = 0;
	int64_t wait_ms;

	retry->tries++;
	/* Without randomness the wait is short, and that is all. */
	if (!policy->random_bytes(&random, sizeof(random)))
		random = 0;
	wait_ms = retry_delay_ms(retry->tries, random);
	/* No sooner than asked for, and not all at that very moment. */
	if (wait_ms < least_ms)
		wait_ms = least_ms + wait_ms / 2;
	if (wait_ms >= retry_left_ms(retry))
		return false;
	while (wait_ms > 0 && !is_cancelled(policy)) {
		int64_t slice_ms = wait_ms < SLICE_MS ? wait_ms : SLICE_MS;

		policy->sleep_ms(slice_ms);
		wait_ms -= slice_ms;
	}
	return !is_cancelled(policy);
}

/* RFC 6585, 4 (429); RFC 9110, 15.6. A 501 stays a 501. */
bool
retry_code_heals(int code)
{
	static const int codes[] = {429, 500, 502, 503, 504};

	for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++)
		if (codes[i] == code)
			return true;
	return false;
}

/* RFC 9110, 10.2.3. */
int64_t
retry_after_ms(const char *value)
{
	int64_t sec = 0;

	if (value == NULL || *value == '\0' ||
	    value[strspn(value, "0123456789")] != '\0')
		return 0;
	for (; *value != '\0' && sec <= AFTER_MOST_SEC; value++)
		sec = sec * 10 + (*value - '0');
	if (sec > AFTER_MOST_SEC)
		sec = AFTER_MOST_SEC;
	return sec * 1000;
}

void
retry_sleep_ms(int64_t ms)
{
	struct timespec time = {
	    .tv_sec = (time_t)(ms / 1000),
	    .tv_nsec = (long)(ms % 1000) * 1000000,
	};

	(void)nanosleep(&time, NULL);
}
