/* SPDX-License-Identifier: ISC */
/* Slips of the pen, by Levenshtein's distance. */
#include "crlpress/name_nearest.h"

#include <stddef.h>
#include <string.h>

/* Edits at which a short and a long name still count as a slip. */
#define SLIP_SHORT 2
#define SLIP_LONG 3
#define LONG_NAME 8

size_t
name_distance(const char *a, const char *b)
{
	size_t row[NAME_NEAREST_BYTES];
	size_t b_len = strlen(b);
	size_t i, k;

	if (b_len >= NAME_NEAREST_BYTES)
		return NAME_NEAREST_BYTES;
	for (k = 0; k <= b_len; k++)
		row[k] = k;
	for (i = 1; a[i - 1] != '\0'; i++) {
		size_t corner = row[0];

		row[0] = i;
		for (k = 1; k <= b_len; k++) {
			size_t best = corner + (a[i - 1] != b[k - 1]);

			corner = row[k];
			if (row[k] + 1 < best)
				best = row[k] + 1;
			if (row[k - 1] + 1 < best)
				best = row[k - 1] + 1;
			row[k] = best;
		}
	}
	return row[b_len];
}

const char *
name_nearest(const char *name,
    const char *(*next)(const void *context, unsigned long i),
    const void *context)
{
	size_t len = strlen(name);
	size_t best = (len < LONG_NAME ? SLIP_SHORT : SLIP_LONG) + 1;
	const char *nearest = NULL;
	const char *known;
	unsigned long i;

	for (i = 0; (known = next(context, i)) != NULL; i++) {
		size_t distance = name_distance(name, known);

		/* A name of which nothing is left was not meant. */
		if (distance < best && distance < len) {
			best = distance;
			nearest = known;
		}
	}
	return nearest;
}
