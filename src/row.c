/* SPDX-License-Identifier: ISC */
/*
 * Flat rows, and a sort that looks at serials a byte at a time
 * (most-significant digit radix), since serials are random and a comparison
 * sort is not.
 */
#include "crlpress/row.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "crlpress/utc.h"

/* Below this many rows inserting beats counting. */
#define INSERTION_MOST 24

_Static_assert(sizeof(struct row) == 32, "rows are 32 bytes");

/* Member by member: a literal would be made elsewhere and copied. */
void
row_fill(struct row *row, const struct uint160 *serial, int64_t revoked_at_sec,
    uint8_t reason, int64_t not_after_sec)
{
	uint64_t revoked = (uint64_t)(revoked_at_sec - UTC_MIN_SEC);
	uint64_t not_after = (uint64_t)(not_after_sec - UTC_MIN_SEC);

	row->serial = *serial;
	row->reason = reason;
	row->spare = 0;
	row->revoked_high = (uint8_t)(revoked >> 32);
	row->not_after_high = (uint8_t)(not_after >> 32);
	row->revoked_low = (uint32_t)revoked;
	row->not_after_low = (uint32_t)not_after;
}

struct row
row_make(const struct uint160 *serial, int64_t revoked_at_sec, uint8_t reason,
    int64_t not_after_sec)
{
	struct row row;

	row_fill(&row, serial, revoked_at_sec, reason, not_after_sec);
	return row;
}

int64_t
row_revoked_at(const struct row *row)
{
	return (int64_t)((uint64_t)row->revoked_high << 32 | row->revoked_low) +
	       UTC_MIN_SEC;
}

int64_t
row_not_after(const struct row *row)
{
	return (int64_t)((uint64_t)row->not_after_high << 32 |
			 row->not_after_low) +
	       UTC_MIN_SEC;
}

/* Rows of one serial; there is hardly ever more than one. */
static int
compare_rest(const struct row *a, const struct row *b)
{
	int64_t x = row_revoked_at(a), y = row_revoked_at(b);

	if (x == y) {
		x = row_not_after(a);
		y = row_not_after(b);
	}
	if (x == y) {
		x = a->reason;
		y = b->reason;
	}
	return (x > y) - (x < y);
}

static int
compare_rest_qsort(const void *a, const void *b)
{
	return compare_rest(a, b);
}

static int
compare_qsort(const void *a, const void *b)
{
	const struct row *x = a, *y = b;
	int order = uint160_compare(&x->serial, &y->serial);

	return order != 0 ? order : compare_rest(x, y);
}

static bool
row_is_after(const struct row *a, const struct row *b)
{
	int order = uint160_compare(&a->serial, &b->serial);

	return order > 0 || (order == 0 && compare_rest(a, b) > 0);
}

static void
sort_insertion(struct row *rows, size_t n)
{
	for (size_t i = 1; i < n; i++) {
		struct row row = rows[i];
		size_t j = i;

		while (j > 0 && row_is_after(&rows[j - 1], &row)) {
			rows[j] = rows[j - 1];
			j--;
		}
		rows[j] = row;
	}
}

/* Counts of rows by an octet, and then where those with it begin. 32 bits, for
 * they are cleared for some hundred rows at a time. */
struct digits {
	uint32_t start[257];
};

/* The first octet from `digit` on in which rows differ; UINT160_OCTETS: none,
 * and the counts of that octet. */
static size_t
digit_find(
    const struct row *rows, size_t n, size_t digit, struct digits *digits)
{
	uint32_t *start = digits->start;

	for (; digit < UINT160_OCTETS; digit++) {
		memset(digits, 0, sizeof(*digits));
		for (size_t i = 0; i < n; i++)
			start[rows[i].serial.octet[digit] + 1]++;
		/* A zero octet that all share sorts nothing. */
		if (start[rows[0].serial.octet[digit] + 1] != n)
			break;
	}
	return digit;
}

/* Rows equal in the octets before `digit`, more than are inserted; at most 20
 * deep. */
static void
sort_digit(struct row *rows, struct row *scratch, size_t n, size_t digit)
{
	struct digits digits;
	uint32_t *start = digits.start;
	uint32_t at[256];

	digit = digit_find(rows, n, digit, &digits);
	if (digit == UINT160_OCTETS) {
		qsort(rows, n, sizeof(*rows), compare_rest_qsort);
		return;
	}
	for (size_t i = 0; i < 256; i++) {
		start[i + 1] += start[i];
		at[i] = start[i];
	}
	for (size_t i = 0; i < n; i++)
		scratch[at[rows[i].serial.octet[digit]]++] = rows[i];
	memcpy(rows, scratch, n * sizeof(*rows));
	for (size_t i = 0; i < 256; i++) {
		size_t count = start[i + 1] - start[i];

		if (count > INSERTION_MOST)
			sort_digit(rows + start[i], scratch + start[i], count,
			    digit + 1);
		else if (count > 1)
			sort_insertion(rows + start[i], count);
	}
}

/* More than 2^32 are no shard's: nobody could take a CRL of them. */
void
row_sort(struct row *rows, struct row *scratch, size_t n)
{
	if (n > UINT32_MAX)
		qsort(rows, n, sizeof(*rows), compare_qsort);
	else if (n > INSERTION_MOST)
		sort_digit(rows, scratch, n, 0);
	else
		sort_insertion(rows, n);
}

size_t
row_seek(const struct row *rows, size_t n, const struct uint160 *serial)
{
	size_t low = 0, high = n;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (uint160_compare(&rows[middle].serial, serial) <= 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}
