/* SPDX-License-Identifier: ISC */
/* The names of RFC 5280, 5.3.1. */
#include "crlpress/reason.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "crlpress/quantity.h"

static const char *const names[] = {
    [0] = "unspecified",
    [1] = "keyCompromise",
    [2] = "cACompromise",
    [3] = "affiliationChanged",
    [4] = "superseded",
    [5] = "cessationOfOperation",
    [6] = "certificateHold",
    [8] = "removeFromCRL",
    [9] = "privilegeWithdrawn",
    [10] = "aACompromise",
};

const char *
reason_name(int reason)
{
	size_t at = reason < 0 ? 0 : (size_t)reason;

	if (at >= sizeof(names) / sizeof(names[0]) || names[at] == NULL)
		return "unknown";
	return names[at];
}

enum status
reason_from_text(const char *text, uint8_t *reason)
{
	const size_t count = sizeof(names) / sizeof(names[0]);
	uint64_t number = 0;
	const char *why;

	for (size_t i = 0; i < count; i++)
		if (names[i] != NULL && strcasecmp(names[i], text) == 0) {
			*reason = (uint8_t)i;
			return STATUS_OK;
		}
	if (quantity_count(text, 0, count - 1, &number, &why) != STATUS_OK ||
	    names[number] == NULL)
		return STATUS_MALFORMED;
	*reason = (uint8_t)number;
	return STATUS_OK;
}

/* All of them, with what stands between, have room. */
char *
reason_list(unsigned reasons, char out[REASON_LIST_BYTES])
{
	const size_t count = sizeof(names) / sizeof(names[0]);
	size_t len = 0, left = 0;

	for (size_t i = 0; i < count; i++)
		left += names[i] != NULL && (reasons >> i & 1) != 0;
	out[0] = '\0';
	for (size_t i = 0; i < count; i++) {
		if (names[i] == NULL || (reasons >> i & 1) == 0)
			continue;
		left--;
		snprintf(out + len, REASON_LIST_BYTES - len, "%s%s",
		    len == 0    ? ""
		    : left == 0 ? " or "
				: ", ",
		    names[i]);
		len += strlen(out + len);
	}
	return out;
}
