/* SPDX-License-Identifier: ISC */
/*
 * One row a serial, before anything is compared with what is published: a
 * join in the source's statement may give a row twice, and two rows of one
 * serial may contradict each other.
 */
#include "crlpress/gate.h"

#include <string.h>

#include "crlpress/utc.h"

#define REASON_KEY_COMPROMISE 1

static bool
row_same(const struct row *a, const struct row *b)
{
	return memcmp(a, b, sizeof(*a)) == 0;
}

static int64_t
later(int64_t a_sec, int64_t b_sec)
{
	return a_sec > b_sec ? a_sec : b_sec;
}

/* The row that was revoked first; of two, keyCompromise says more. */
static bool
row_is_earlier(const struct row *a, const struct row *b)
{
	if (row_revoked_at(a) != row_revoked_at(b))
		return row_revoked_at(a) < row_revoked_at(b);
	return a->reason == REASON_KEY_COMPROMISE &&
	       b->reason != REASON_KEY_COMPROMISE;
}

/*
 * What rows that contradict each other come to when they are let pass. The
 * later expiry stays, whichever row has it: the certificate may still be
 * valid, and its entry must not leave.
 */
static struct row
row_of_both(const struct row *a, const struct row *b)
{
	const struct row *stays = row_is_earlier(b, a) ? b : a;

	return row_make(&stays->serial, row_revoked_at(stays), stays->reason,
	    later(row_not_after(a), row_not_after(b)));
}

static enum status
refuse_duplicate(
    const struct gate_place *place, const struct row *a, const struct row *b)
{
	char serial[UINT160_HEX_BYTES];
	char first[UTC_ISO_BYTES], first_end[UTC_ISO_BYTES];
	char second[UTC_ISO_BYTES], second_end[UTC_ISO_BYTES];

	return gate_refuse(place, GATE_DUPLICATE,
	    "serial %s has contradicting rows, have %s reason %u expiring %s "
	    "and %s reason %u expiring %s, want one",
	    uint160_to_hex(&a->serial, serial),
	    utc_to_iso(row_revoked_at(a), first), a->reason,
	    utc_to_iso(row_not_after(a), first_end),
	    utc_to_iso(row_revoked_at(b), second), b->reason,
	    utc_to_iso(row_not_after(b), second_end));
}

enum status
gate_unique(const struct gate_place *place, struct row *rows, size_t n,
    size_t *count, struct gate_merge *merge)
{
	enum status verdict = STATUS_OK;
	size_t kept = 0;

	for (size_t i = 0; i < n; i++) {
		struct row *last = kept == 0 ? NULL : &rows[kept - 1];

		if (last == NULL ||
		    uint160_compare(&last->serial, &rows[i].serial) != 0) {
			if (kept != i)
				rows[kept] = rows[i];
			kept++;
			continue;
		}
		merge->duplicates++;
		if (row_same(last, &rows[i]))
			continue;
		if (refuse_duplicate(place, last, &rows[i]) != STATUS_OK)
			verdict = STATUS_REFUSED;
		*last = row_of_both(last, &rows[i]);
	}
	*count = kept;
	return verdict;
}
