/* SPDX-License-Identifier: ISC */
/*
 * Serials that come twice are found, whichever thread has them and in however
 * many rounds; serials that come once are not, nor are those of two issuers.
 */
#include "crlpress/disjoint.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#define ENTRIES 200000
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
	unsigned rounds;
};

/* All entries once, and each of the twins by another worker too. */
static void
walk(struct twins *twins, const uint64_t *twin, size_t twin_count)
{
	struct uint160 serial;

	do {
		twins->rounds++;
		for (uint64_t n = 1; n <= ENTRIES; n++) {
			serial = serial_of(n);
			disjoint_add(twins->disjoint, (unsigned)(n % WORKERS),
			    7, &serial);
		}
		for (size_t i = 0; i < twin_count; i++) {
			serial = serial_of(twin[i]);
			disjoint_add(twins->disjoint,
			    (unsigned)((twin[i] + 1) % WORKERS), 7, &serial);
		}
	} while (disjoint_next(twins->disjoint));
}

static void
check(uint64_t entries, uint64_t memory, unsigned rounds)
{
	static const uint64_t twin[] = {1, 2, 77777, 131072, ENTRIES};
	struct twins twins = {0};
	struct uint160 serial;
	size_t count = 0, suspects = 0;

	assert_int_equal(
	    disjoint_new(WORKERS, entries, memory, &twins.disjoint), STATUS_OK);
	walk(&twins, twin, sizeof(twin) / sizeof(twin[0]));
	assert_int_equal(twins.rounds, rounds);
	assert_int_equal(disjoint_count(twins.disjoint, &count), STATUS_OK);
	assert_int_equal(count, sizeof(twin) / sizeof(twin[0]));
	for (size_t i = 0; i < sizeof(twin) / sizeof(twin[0]); i++) {
		serial = serial_of(twin[i]);
		assert_true(disjoint_suspects(twins.disjoint, 7, &serial));
		assert_false(disjoint_suspects(twins.disjoint, 8, &serial));
	}
	for (uint64_t n = 1; n <= ENTRIES; n++) {
		serial = serial_of(n);
		suspects += disjoint_suspects(twins.disjoint, 7, &serial);
	}
	assert_int_equal(suspects, sizeof(twin) / sizeof(twin[0]));
	disjoint_free(twins.disjoint);
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
	    cmocka_unit_test(tells_issuers_apart),
	    cmocka_unit_test(of_nothing_there_is_no_suspect),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
