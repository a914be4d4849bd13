/* SPDX-License-Identifier: ISC */
/*
 * Serials that come twice are found, whichever thread has them and in however
 * many rounds; serials that come once are not, nor are those of two issuers.
 */
#include "crlpress/disjoint.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

#include <cmocka.h>

#define ENTRIES 200000
/* Each of so many comes twice. */
#define TWIN_EACH 101
#define WORKERS 3

/* Every serial of these is above what uint160_from_u64 gives. */
static struct uint160
serial_of(uint64_t n)
{
	struct uint160 serial = uint160_from_u64(n);

	/* Octets that differ in different places. */
	serial.octet[0] = (uint8_t)(n % 3);
	serial.octet[7] = (uint8_t)(n >> 3);
	return serial;
}

struct twins {
	struct disjoint *disjoint;
	uint64_t entries;
	unsigned rounds;
};

static bool
is_twin(uint64_t n)
{
	return n % TWIN_EACH == 1;
}

/* All entries once, and each of the twins by another worker too. */
static void
walk(struct twins *twins)
{
	do {
		twins->rounds++;
		for (uint64_t n = 1; n <= twins->entries; n++) {
			struct uint160 serial = serial_of(n);

			disjoint_add(twins->disjoint, (unsigned)(n % WORKERS),
			    7, &serial);
			if (is_twin(n))
				disjoint_add(twins->disjoint,
				    (unsigned)((n + 1) % WORKERS), 7, &serial);
		}
	} while (disjoint_next(twins->disjoint));
}

/* So many entries, where so many are expected. */
static void
check_many(uint64_t have, uint64_t expected, uint64_t memory, unsigned rounds)
{
	struct twins twins = {.entries = have};
	size_t count = 0;

	assert_int_equal(
	    disjoint_new(WORKERS, expected, memory, &twins.disjoint),
	    STATUS_OK);
	walk(&twins);
	assert_int_equal(twins.rounds, rounds);
	assert_int_equal(disjoint_count(twins.disjoint, &count), STATUS_OK);
	assert_int_equal(count, (have - 1) / TWIN_EACH + 1);
	for (uint64_t n = 1; n <= have; n++) {
		struct uint160 serial = serial_of(n);

		assert_true(disjoint_suspects(twins.disjoint, 7, &serial) ==
			    is_twin(n));
		assert_false(disjoint_suspects(twins.disjoint, 8, &serial));
	}
	disjoint_free(twins.disjoint);
}

static void
check(uint64_t expected, uint64_t memory, unsigned rounds)
{
	check_many(ENTRIES, expected, memory, rounds);
}

static void
finds_twins_in_one_round(void **state)
{
	(void)state;
	check(ENTRIES, DISJOINT_MEMORY_MOST, 1);
	check(0, DISJOINT_MEMORY_MOST, 1);
	check(ENTRIES, ENTRIES * 8, 1);
}

static void
finds_twins_in_many_rounds(void **state)
{
	(void)state;
	check((uint64_t)1 << 27, DISJOINT_MEMORY_MOST, 4);
	check(ENTRIES, ENTRIES * 8 / 2, 2);
	check(ENTRIES, ENTRIES * 8 / 7, 8);
}

/* Memory is not taken for what was not expected: one walk for nothing. */
static void
finds_twins_of_more_than_expected(void **state)
{
	(void)state;
	check_many(2000000, ENTRIES, 2 << 20, 1 + 8);
	check_many(2000000, 0, 2 << 20, 1 + 8);
	check_many(2000000, 2000000, 16 << 20, 1);
}

static void
tells_issuers_apart(void **state)
{
	struct disjoint *disjoint;
	struct uint160 serial = serial_of(5);
	size_t count = 1;

	(void)state;
	assert_int_equal(disjoint_new(1, 2, 4096, &disjoint), STATUS_OK);
	disjoint_add(disjoint, 0, 1, &serial);
	disjoint_add(disjoint, 0, 2, &serial);
	assert_false(disjoint_next(disjoint));
	assert_int_equal(disjoint_count(disjoint, &count), STATUS_OK);
	assert_int_equal(count, 0);
	assert_false(disjoint_suspects(disjoint, 1, &serial));
	disjoint_free(disjoint);
}

static void
of_nothing_there_is_no_suspect(void **state)
{
	struct disjoint *disjoint;
	struct uint160 serial = serial_of(5);
	size_t count = 1;

	(void)state;
	assert_int_equal(disjoint_new(2, 0, 4096, &disjoint), STATUS_OK);
	assert_false(disjoint_next(disjoint));
	assert_int_equal(disjoint_count(disjoint, &count), STATUS_OK);
	assert_int_equal(count, 0);
	assert_false(disjoint_suspects(disjoint, 0, &serial));
	disjoint_free(disjoint);
	disjoint_free(NULL);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(finds_twins_in_one_round),
	    cmocka_unit_test(finds_twins_in_many_rounds),
	    cmocka_unit_test(finds_twins_of_more_than_expected),
	    cmocka_unit_test(tells_issuers_apart),
	    cmocka_unit_test(of_nothing_there_is_no_suspect),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
