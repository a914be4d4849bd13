/* SPDX-License-Identifier: ISC */
/* The names of RFC 5280, 5.3.1. */
#include "crlpress/reason.h"

#include <stddef.h>

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
