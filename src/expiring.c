/* SPDX-License-Identifier: ISC */
/* Counts of certificates by when they expire, and their text. */
#include "crlpress/expiring.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

int64_t
expiring_step_sec(size_t step)
{
	return EXPIRING_STEP_SEC << step;
}

size_t
expiring_step(int64_t after_sec)
{
	size_t step = 0;

	while (step < EXPIRING_STEPS && after_sec >= expiring_step_sec(step))
		step++;
	return step;
}

void
expiring_sum(struct expiring *expiring)
{
	for (size_t step = 1; step < EXPIRING_STEPS; step++)
		expiring->by[step] += expiring->by[step - 1];
}

char *
expiring_to_text(
    const struct expiring *expiring, char text[EXPIRING_TEXT_BYTES])
{
	size_t len = 0;

	for (size_t step = 0; step < EXPIRING_STEPS; step++)
		len += (size_t)snprintf(text + len, EXPIRING_TEXT_BYTES - len,
		    "%s%" PRIu64, step == 0 ? "" : "/", expiring->by[step]);
	return text;
}

/* One count without needless zeros in front; NULL, or what is behind it. */
static const char *
read_count(const char *at, const char *end, uint64_t *count)
{
	const char *first = at;

	*count = 0;
	for (; at < end && *at >= '0' && *at <= '9'; at++) {
		unsigned digit = (unsigned)(*at - '0');

		if (*count > (UINT64_MAX - digit) / 10)
			return NULL;
		*count = *count * 10 + digit;
	}
	return at == first || (*first == '0' && at - first > 1) ? NULL : at;
}

enum status
expiring_from_text(const char *text, size_t len, struct expiring *expiring)
{
	const char *at = text, *end = text + len;

	for (size_t step = 0; step < EXPIRING_STEPS; step++) {
		if (step > 0 && (at == end || *at++ != '/'))
			return STATUS_MALFORMED;
		at = read_count(at, end, &expiring->by[step]);
		if (at == NULL)
			return STATUS_MALFORMED;
	}
	return at == end ? STATUS_OK : STATUS_MALFORMED;
}
