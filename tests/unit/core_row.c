/* SPDX-License-Identifier: ISC */
/*
 * Flat rows: what goes into one comes out of it, sets share the slabs of one
 * arena and give to the scratch file what is beyond a budget, and the sort is
 * held against qsort on rows of every kind.
 */
#include "crlpress/row.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "crlpress/row_spill.h"
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
	assert_int_equal(row_set_gather(set, out), STATUS_OK);
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
	struct row_arena *arena = row_arena_new(NULL);

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
	struct row_arena *arena = row_arena_new(NULL);
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

/* By serial, then by all else; the spare octet is 0. */
static int
compare(const void *a, const void *b)
{
	const struct row *x = a, *y = b;
	int order = memcmp(&x->serial, &y->serial, sizeof(x->serial));

	if (order != 0)
		return order;
	if (row_revoked_at(x) != row_revoked_at(y))
		return row_revoked_at(x) < row_revoked_at(y) ? -1 : 1;
	if (row_not_after(x) != row_not_after(y))
		return row_not_after(x) < row_not_after(y) ? -1 : 1;
	return (x->reason > y->reason) - (x->reason < y->reason);
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

/* Some times come often, so that rows of a serial differ in one thing each. */
static void
sort_case(enum serials kind, size_t n, uint64_t seed)
{
	struct row *have = calloc(n + 1, sizeof(*have));
	struct row *want = calloc(n + 1, sizeof(*want));
	struct row *scratch = calloc(n + 1, sizeof(*scratch));

	assert_true(have != NULL && want != NULL && scratch != NULL);
	for (size_t i = 0; i < n; i++) {
		struct uint160 serial = serial_make(kind, i, &seed);

		have[i] = row_make(&serial, (int64_t)(random_next(&seed) % 3),
		    (uint8_t)(random_next(&seed) % 11),
		    (int64_t)(random_next(&seed) % 3));
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

/* Serials 1, 3, 3, 5: of each, and of what is between, how many are no higher.
 */
static void
test_seek(void **state)
{
	static const uint64_t numbers[] = {1, 3, 3, 5};
	static const size_t want[] = {0, 1, 1, 3, 3, 4, 4};
	struct row row[4];

	(void)state;
	for (size_t i = 0; i < 4; i++) {
		struct uint160 serial = uint160_from_u64(numbers[i]);

		row[i] = row_make(&serial, 0, 0, 0);
	}
	for (uint64_t n = 0; n < sizeof(want) / sizeof(want[0]); n++) {
		struct uint160 serial = uint160_from_u64(n);

		assert_int_equal(row_seek(row, 4, &serial), want[n]);
		assert_int_equal(row_seek(row, 0, &serial), 0);
	}
}

/*
 * The order of arrival is lost where several read: whatever it was, rows of
 * one serial come out the same.
 */
static void
test_sort_any_arrival(void **state)
{
	enum { N = 60 };
	struct row row[N], other[N], scratch[N];
	struct uint160 serial = uint160_from_u64(7);

	(void)state;
	for (size_t i = 0; i < N; i++)
		row[i] = row_make(&serial, (int64_t)(i % 3), (uint8_t)(i % 5),
		    (int64_t)(i % 4));
	for (size_t i = 0; i < N; i++)
		other[(i * 7 + 3) % N] = row[i];
	/* As few as are inserted, and as many as are not. */
	for (size_t n = 20; n <= N; n += N - 20) {
		struct row a[N], b[N];

		memcpy(a, row, sizeof(a));
		memcpy(b, row, sizeof(b));
		for (size_t i = 0; n == N && i < N; i++)
			b[i] = other[i];
		for (size_t i = 0; n < N && i < n; i++)
			b[i] = row[n - 1 - i];
		row_sort(a, scratch, n);
		row_sort(b, scratch, n);
		assert_memory_equal(a, b, n * sizeof(*a));
		for (size_t i = 1; i < n; i++)
			assert_true(compare(&a[i - 1], &a[i]) <= 0);
	}
}

/* What two readers have, one behind the other, and freed once. */
static void
test_splice(void **state)
{
	struct row_arena *arena = row_arena_new(NULL),
			 *from = row_arena_new(NULL);
	struct row_set set = {0}, other = {0}, empty = {0};

	(void)state;
	assert_true(arena != NULL && from != NULL);
	fill(arena, &set, 0, 5000);
	fill(from, &other, 5000, 3000);
	assert_int_equal(row_set_splice(&set, &empty), STATUS_OK);
	assert_int_equal(row_set_splice(&set, &other), STATUS_OK);
	row_arena_join(arena, from);
	assert_int_equal(other.count, 0);
	assert_null(other.first);
	assert_set(&set, 0, 8000);
	/* The set goes on, and so does the arena. */
	fill(arena, &set, 8000, 10000);
	assert_set(&set, 0, 18000);
	assert_int_equal(row_set_splice(&empty, &set), STATUS_OK);
	assert_set(&empty, 0, 18000);
	row_arena_free(arena);
}

/* A number for each row of a set, in whatever order they come. */
static uint64_t
row_number(const struct row *row)
{
	uint64_t i = (uint64_t)row_not_after(row) - 7776000;
	struct row want = row_numbered(i);

	assert_memory_equal(row, &want, sizeof(want));
	return i;
}

struct seen {
	bool *row;
	uint64_t first;
	uint64_t n;
	uint64_t count;
};

static enum status
see(void *context, const struct row *rows, size_t n)
{
	struct seen *seen = context;

	for (size_t i = 0; i < n; i++) {
		uint64_t number = row_number(&rows[i]) - seen->first;

		assert_true(number < seen->n && !seen->row[number]);
		seen->row[number] = true;
		seen->count++;
	}
	return STATUS_OK;
}

/* Every row once, by both ways to have them. */
static void
assert_all(const struct row_set *set, uint64_t first, uint64_t n)
{
	struct seen seen = {.first = first, .n = n};
	struct row *out = calloc((size_t)n + 1, sizeof(*out));

	assert_int_equal(set->count, n);
	seen.row = calloc((size_t)n + 1, sizeof(*seen.row));
	assert_true(out != NULL && seen.row != NULL);
	assert_int_equal(row_set_each(set, see, &seen), STATUS_OK);
	assert_int_equal(seen.count, n);
	memset(seen.row, 0, (size_t)n * sizeof(*seen.row));
	seen.count = 0;
	memset(&out[n], 0x5a, sizeof(*out));
	assert_int_equal(row_set_gather(set, out), STATUS_OK);
	assert_int_equal(see(&seen, out, (size_t)n), STATUS_OK);
	assert_int_equal(seen.count, n);
	assert_int_equal(out[n].reason, 0x5a);
	free(seen.row);
	free(out);
}

/* Rows by the hundred thousand with memory for few. */
static void
test_spill(void **state)
{
	enum { SETS = 40 };
	const uint64_t budget = UINT64_C(256) << 10;
	struct row_spill *spill = row_spill_new(P_tmpdir, budget, 2 * SETS);
	struct row_arena *arena = row_arena_new(spill);
	struct row_arena *from = row_arena_new(spill);
	struct row_set set[SETS] = {0}, other[SETS] = {0};

	(void)state;
	assert_true(spill != NULL && arena != NULL && from != NULL);
	/* One set is empty, one has few rows, others more and more. */
	for (uint64_t i = 0; i < SETS; i++) {
		fill(arena, &set[i], i, i * 97);
		fill(from, &other[i], i + i * 97, i * 61);
	}
	assert_true(row_spill_memory(spill) <= budget);
	assert_true(row_spill_bytes(spill) > budget);
	for (uint64_t i = 0; i < SETS; i++) {
		assert_all(&set[i], i, i * 97);
		assert_all(&other[i], i + i * 97, i * 61);
		assert_int_equal(row_set_splice(&set[i], &other[i]), STATUS_OK);
		assert_all(&set[i], i, i * (97 + 61));
	}
	row_arena_join(arena, from);
	/* A set goes on after it was put together. */
	for (uint64_t i = 0; i < SETS; i++) {
		fill(arena, &set[i], i + i * (97 + 61), 500);
		assert_all(&set[i], i, i * (97 + 61) + 500);
	}
	assert_int_equal(row_spill_error(spill), 0);
	row_arena_free(arena);
	row_spill_free(spill);
	row_spill_free(NULL);
}

/* Either of two sets that are put together may have nothing in the file. */
static void
test_spill_splice(void **state)
{
	struct row_spill *spill = row_spill_new(P_tmpdir, 65536, 8);
	struct row_arena *arena = row_arena_new(spill);
	struct row_set a = {0}, b = {0}, c = {0}, d = {0};

	(void)state;
	assert_true(spill != NULL && arena != NULL);
	fill(arena, &a, 0, 5);
	fill(arena, &b, 5, 9000);
	fill(arena, &c, 9005, 3);
	fill(arena, &d, 9008, 7000);
	assert_true(a.spilled_last == 0 && b.spilled_last != 0 &&
		    c.spilled_last == 0 && d.spilled_last != 0);
	assert_int_equal(row_set_splice(&a, &b), STATUS_OK);
	assert_int_equal(row_set_splice(&a, &c), STATUS_OK);
	assert_all(&a, 0, 9008);
	assert_int_equal(row_set_splice(&a, &d), STATUS_OK);
	assert_all(&a, 0, 16008);
	row_arena_free(arena);
	row_spill_free(spill);
}

/* Tens of thousands of sets have small slabs, few have large ones. */
static void
test_spill_sets(void **state)
{
	struct row_spill *spill = row_spill_new(P_tmpdir, 8 << 20, 4000);
	struct row_arena *arena = row_arena_new(spill);
	struct row_set *set = calloc(4000, sizeof(*set));

	(void)state;
	assert_true(spill != NULL && arena != NULL && set != NULL);
	assert_int_equal(row_spill_sets_most(8 << 20), 4096);
	for (uint64_t i = 0; i < 4000; i++)
		fill(arena, &set[i], i, 1);
	assert_true(row_spill_memory(spill) <= 8 << 20);
	assert_int_equal(row_spill_bytes(spill), 0);
	for (uint64_t i = 0; i < 4000; i++)
		assert_all(&set[i], i, 1);
	row_arena_free(arena);
	row_spill_free(spill);
	free(set);
}

/* No such directory: the set stays as it was, and why is known. */
static void
test_spill_fault(void **state)
{
	struct row_spill *spill = row_spill_new("/nonexistent/x", 65536, 1);
	struct row_arena *arena = row_arena_new(spill);
	enum status status = STATUS_OK;
	struct row_set set = {0};
	uint64_t n = 0;

	(void)state;
	assert_true(spill != NULL && arena != NULL);
	while (status == STATUS_OK && n < 100000) {
		struct row row = row_numbered(n);

		status = row_set_append(arena, &set, &row);
		n += status == STATUS_OK;
	}
	assert_int_equal(status, STATUS_IO);
	assert_int_equal(row_spill_error(spill), ENOENT);
	assert_all(&set, 0, n);
	row_arena_free(arena);
	row_spill_free(spill);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_round_trip),
	    cmocka_unit_test(test_gather),
	    cmocka_unit_test(test_sets_apart),
	    cmocka_unit_test(test_sort),
	    cmocka_unit_test(test_sort_extremes),
	    cmocka_unit_test(test_sort_any_arrival),
	    cmocka_unit_test(test_seek),
	    cmocka_unit_test(test_splice),
	    cmocka_unit_test(test_spill),
	    cmocka_unit_test(test_spill_splice),
	    cmocka_unit_test(test_spill_sets),
	    cmocka_unit_test(test_spill_fault),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
