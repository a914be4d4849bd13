/* SPDX-License-Identifier: ISC */
/*
 * Flat rows: what goes into one comes out of it, sets share the slabs of one
 * arena, and the sort is held against qsort on rows of every kind.
 */
#include "crlpress/row.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "crlpress/utc.h"

/* More than fit into a few slabs, and into the arena's first block. */
#define MANY 200000

/* A linear congruential generator: the same rows on every machine. */
static uint64_t
random_next(uint64_t *seed)
{
	*seed = *seed * 6364136223846793005U + 1442695040888963407U;
	return *seed >> 33;
}

static struct row
row_numbered(uint64_t n)
{
	struct uint160 serial = uint160_from_u64(n * 2654435761U);

	return row_make(
	    &serial, (int64_t)n, (uint8_t)(n % 11), (int64_t)n + 7776000);
}

static void
test_round_trip(void **state)
{
	static const int64_t date[] = {UTC_MIN_SEC, UTC_MIN_SEC + 1, -1, 0, 1,
	    UTC_MIN_SEC + 0xffffffffLL, UTC_MIN_SEC + 0x100000000LL,
	    UTC_2050_SEC - 1, UTC_2050_SEC, UTC_MAX_SEC - 1, UTC_MAX_SEC};
	const size_t dates = sizeof(date) / sizeof(date[0]);
	struct uint160 serial;
	struct row row;

	(void)state;
	for (size_t i = 0; i < UINT160_OCTETS; i++)
		serial.octet[i] = (uint8_t)(0x7f - 5 * i);
	for (size_t i = 0; i < dates * dates; i++) {
		int64_t revoked_at = date[i / dates];
		int64_t not_after = date[i % dates];

		row = row_make(&serial, revoked_at, 10, not_after);
		assert_int_equal(row_revoked_at(&row), revoked_at);
		assert_int_equal(row_not_after(&row), not_after);
		assert_memory_equal(&row.serial, &serial, sizeof(serial));
		assert_int_equal(row.reason, 10);
		assert_int_equal(row.spare, 0);
	}
}

static void
fill(struct row_arena *arena, struct row_set *set, uint64_t first, uint64_t n)
{
	for (uint64_t i = first; i < first + n; i++) {
		struct row row = row_numbered(i);

		assert_int_equal(row_set_append(arena, set, &row), STATUS_OK);
	}
}

static void
assert_set(const struct row_set *set, uint64_t first, uint64_t n)
{
	struct row *out = calloc((size_t)n + 1, sizeof(*out));
	struct row want;

	assert_non_null(out);
	assert_int_equal(set->count, n);
	memset(&out[n], 0x5a, sizeof(*out));
	row_set_gather(set, out);
	for (uint64_t i = 0; i < n; i++) {
		want = row_numbered(first + i);
		assert_memory_equal(&out[i], &want, sizeof(want));
	}
	memset(&want, 0x5a, sizeof(want));
	assert_memory_equal(&out[n], &want, sizeof(want));
	free(out);
}

/* Around the 2047 rows of a slab and twice as many. */
static void
test_gather(void **state)
{
	static const uint64_t counts[] = {
	    0, 1, 2046, 2047, 2048, 4094, 4095, MANY};
	struct row_arena *arena = row_arena_new();

	(void)state;
	assert_non_null(arena);
	for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++) {
		struct row_set set = {0};

		fill(arena, &set, i, counts[i]);
		assert_set(&set, i, counts[i]);
	}
	row_arena_free(arena);
	row_arena_free(NULL);
}

/* Rows that arrive for many shards in turn stay apart. */
static void
test_sets_apart(void **state)
{
	struct row_arena *arena = row_arena_new();
	struct row_set set[5] = {0};

	(void)state;
	assert_non_null(arena);
	for (uint64_t i = 0; i < 20000; i++)
		for (uint64_t j = 0; j < 5; j++)
			if (i % (j + 1) == 0)
				fill(arena, &set[j], j << 32 | set[j].count, 1);
	for (uint64_t j = 0; j < 5; j++)
		assert_set(&set[j], j << 32, (20000 + j) / (j + 1));
	row_arena_free(arena);
}

static void
assert_empty(const struct row_set *set)
{
	static const struct row_set none;

	assert_memory_equal(set, &none, sizeof(none));
}

/* Slabs that are given back serve the next set, with nothing left in them. */
static void
test_release(void **state)
{
	struct row_arena *arena = row_arena_new();
	struct row_set a = {0}, b = {0}, c = {0};
	const void *a_first, *a_last;

	(void)state;
	assert_non_null(arena);
	row_set_release(arena, &a);
	assert_empty(&a);
	fill(arena, &a, 0, 5000);
	fill(arena, &b, 90000, 5000);
	a_first = a.first;
	a_last = a.last;
	row_set_release(arena, &a);
	assert_empty(&a);
	assert_set(&b, 90000, 5000);

	fill(arena, &c, 7000, 2047);
	assert_ptr_equal(c.first, a_first);
	assert_set(&c, 7000, 2047);
	fill(arena, &c, 7000 + 2047, 2 * 2047);
	assert_ptr_equal(c.last, a_last);
	assert_set(&c, 7000, 3 * 2047);
	/* The slabs given back are used up; the next one is new. */
	fill(arena, &a, 50, 10000);
	assert_ptr_not_equal(a.first, a_first);
	assert_set(&a, 50, 10000);
	assert_set(&b, 90000, 5000);
	assert_set(&c, 7000, 3 * 2047);

	/* Those of two sets, three slabs each, wait behind one another. */
	a_last = b.last;
	row_set_release(arena, &b);
	row_set_release(arena, &c);
	fill(arena, &b, 1, 6 * 2047);
	assert_set(&b, 1, 6 * 2047);
	assert_ptr_equal(b.last, a_last);
	assert_set(&a, 50, 10000);
	row_arena_free(arena);
}

/* By serial, then by the place that `not_after` holds here. */
static int
compare(const void *a, const void *b)
{
	const struct row *x = a, *y = b;
	int order = memcmp(&x->serial, &y->serial, sizeof(x->serial));

	if (order != 0)
		return order;
	return row_not_after(x) < row_not_after(y) ? -1 : 1;
}

enum serials {
	SERIALS_RANDOM,
	SERIALS_MIXED_LENGTHS,
	SERIALS_SORTED,
	SERIALS_REVERSED,
	SERIALS_EQUAL,
	SERIALS_LAST_OCTET, /* 19 octets are the same */
	SERIALS_FEW,
	SERIALS_COUNT
};

static struct uint160
serial_make(enum serials kind, size_t i, uint64_t *seed)
{
	struct uint160 serial = uint160_from_u64(0x123456789aU);
	size_t from = 0;

	switch (kind) {
	case SERIALS_MIXED_LENGTHS:
		from = random_next(seed) % UINT160_OCTETS;
		serial = uint160_from_u64(0);
		/* fall through */
	case SERIALS_RANDOM:
		for (size_t j = from; j < UINT160_OCTETS; j++)
			serial.octet[j] = (uint8_t)random_next(seed);
		break;
	case SERIALS_SORTED:
		serial = uint160_from_u64(i * 77);
		break;
	case SERIALS_REVERSED:
		serial = uint160_from_u64((UINT64_MAX - i) / 3);
		break;
	case SERIALS_LAST_OCTET:
		serial.octet[UINT160_OCTETS - 1] = (uint8_t)random_next(seed);
		break;
	case SERIALS_FEW:
		serial = uint160_from_u64(random_next(seed) % 40 * 0x01010101U);
		break;
	case SERIALS_EQUAL:
	case SERIALS_COUNT:
		break;
	}
	return serial;
}

/* Each row carries the place where it arrived: the sort must be stable. */
static void
sort_case(enum serials kind, size_t n, uint64_t seed)
{
	struct row *have = calloc(n + 1, sizeof(*have));
	struct row *want = calloc(n + 1, sizeof(*want));
	struct row *scratch = calloc(n + 1, sizeof(*scratch));

	assert_true(have != NULL && want != NULL && scratch != NULL);
	for (size_t i = 0; i < n; i++) {
		struct uint160 serial = serial_make(kind, i, &seed);

		have[i] = row_make(&serial, (int64_t)random_next(&seed),
		    (uint8_t)(i % 11), (int64_t)i);
	}
	memset(&have[n], 0x5a, sizeof(*have));
	memset(&scratch[n], 0xa5, sizeof(*scratch));
	memcpy(want, have, (n + 1) * sizeof(*have));
	qsort(want, n, sizeof(*want), compare);
	row_sort(have, scratch, n);
	if (memcmp(have, want, (n + 1) * sizeof(*have)) != 0)
		fail_msg("kind %d, %zu rows", (int)kind, n);
	assert_int_equal(scratch[n].spare, 0xa5);
	free(have);
	free(want);
	free(scratch);
}

static void
test_sort(void **state)
{
	static const size_t counts[] = {
	    0, 1, 2, 3, 23, 24, 25, 26, 300, 2048, 100000};

	(void)state;
	for (unsigned kind = 0; kind < SERIALS_COUNT; kind++)
		for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++)
			sort_case((enum serials)kind, counts[i], kind + i);
}

/* The whole range of the first octet, and of one in the middle. */
static void
test_sort_extremes(void **state)
{
	enum { N = 512 };
	struct row row[N], scratch[N];

	(void)state;
	for (size_t i = 0; i < N; i++) {
		struct uint160 serial = uint160_from_u64(0);

		serial.octet[0] = (uint8_t)(255 - i / 2);
		serial.octet[11] = i % 2 == 0 ? 255 : 0;
		row[i] = row_make(&serial, 0, 0, (int64_t)i);
	}
	row_sort(row, scratch, N);
	for (size_t i = 0; i < N; i++) {
		assert_int_equal(row[i].serial.octet[0], i / 2);
		assert_int_equal(row[i].serial.octet[11], i % 2 == 0 ? 0 : 255);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_round_trip),
	    cmocka_unit_test(test_gather),
	    cmocka_unit_test(test_sets_apart),
	    cmocka_unit_test(test_release),
	    cmocka_unit_test(test_sort),
	    cmocka_unit_test(test_sort_extremes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
