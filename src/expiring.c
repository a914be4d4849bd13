/* SPDX-License-Identifier: ISC */
/* Counts of certificates by when they expire, and their text. */
#include "crlpress/expiring.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "crlpress/decimal.h"

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
	return status == STATUS_OK && at != end ? STATUS_MALFORMED : status;
}
