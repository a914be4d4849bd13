/* SPDX-License-Identifier: ISC */
/* Counts of certificates by when they expire, and their text. */
#include "crlpress/expiring.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "crlpress/decimal.h"
#include "crlpress/utc.h"

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
expiring_add(struct expiring *expiring, int64_t not_after_sec)
{
	expiring->sum += (uint64_t)not_after_sec - (uint64_t)UTC_MIN_SEC;
}

int64_t
expiring_less(const struct expiring *expiring, const struct expiring *before)
{
	int64_t more = (int64_t)(expiring->sum - before->sum);

	if (!expiring->has_sum || !before->has_sum || more >= 0)
		return 0;
	return more == INT64_MIN ? INT64_MAX : -more;
}

void
expiring_pile(struct expiring *expiring)
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
	if (expiring->has_sum)
		(void)snprintf(text + len, EXPIRING_TEXT_BYTES - len,
		    "/%" PRIu64, expiring->sum);
	return text;
}

enum status
expiring_from_text(const char *text, size_t len, struct expiring *expiring)
{
	const char *at = text, *end = text + len;
	enum status status = STATUS_OK;

	for (size_t step = 0; status == STATUS_OK && step < EXPIRING_STEPS;
	     step++) {
		if (step > 0 && (at == end || *at++ != '/'))
			return STATUS_MALFORMED;
		status = decimal_take(
		    &at, end, UINT64_MAX, &expiring->by[step], NULL);
	}
	/* There since it is written. */
	expiring->has_sum = status == STATUS_OK && at != end;
	expiring->sum = 0;
	if (!expiring->has_sum)
		return status;
	if (*at++ != '/')
		return STATUS_MALFORMED;
	status = decimal_take(&at, end, UINT64_MAX, &expiring->sum, NULL);
	return status == STATUS_OK && at != end ? STATUS_MALFORMED : status;
}
