/* SPDX-License-Identifier: ISC */
/*
 * The bounds of parts: whatever the table's size and the number of parts,
 * every ctid there can be, and every shard, is in exactly one of them.
 */
#include "crlpress/source_part.h"

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* "(17,0)": a block, and its first place, which no row has. */
static uint64_t
block(const char *text)
{
	char again[SOURCE_PART_BYTES];
	uint64_t number = strtoull(text + 1, NULL, 10);

	snprintf(again, sizeof(again), "(%" PRIu64 ",0)", number);
	assert_string_equal(text, again);
	return number;
}

static void
blocks_case(uint64_t blocks, uint32_t count)
{
	const struct source_parts parts = {
	    .kind = SOURCE_SPLIT_BLOCKS, .count = count, .blocks = blocks};
	uint64_t at = 0, before = 2 * blocks / (count + 1);

	for (uint32_t i = 0; i < count; i++) {
		struct source_part part = source_part_of(&parts, i);
		uint64_t size;

		assert_int_equal(part.number, i);
		assert_int_equal(part.count, count);
		assert_int_equal(block(part.from), at);
		at = block(part.to);
		assert_true(at >= block(part.from));
		/* Each smaller than the one before, as far as is known. */
		size = (i + 1 < count ? at : blocks) - block(part.from);
		assert_true(size <= before + 1);
		before = size;
	}
	/* And the last one the least by far. */
	assert_true(before <= 2 * blocks / count / (count + 1) + 1);
	/* InvalidBlockNumber: the table may have grown as far as it can. */
	assert_int_equal(at, UINT32_MAX);
}

static void
test_blocks(void **state)
{
	static const uint64_t sizes[] = {
	    0, 1, 2, 7, 1023, 1024, 22728, UINT32_MAX - 1};
	static const uint32_t counts[] = {1, 2, 3, 16, 255, 256};

	(void)state;
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++)
		for (size_t k = 0; k < sizeof(counts) / sizeof(counts[0]); k++)
			blocks_case(sizes[i], counts[k]);
}

static void
ranges_case(uint32_t first, uint32_t shards, uint32_t count)
{
	const struct source_parts parts = {.kind = SOURCE_SPLIT_RANGES,
	    .count = count,
	    .split = {.shard_first = first, .shard_count = shards}};
	int64_t at = INT64_MIN;

	for (uint32_t i = 0; i < count; i++) {
		struct source_part part = source_part_of(&parts, i);

		assert_int_equal(strtoll(part.from, NULL, 10), at);
		at = strtoll(part.to, NULL, 10);
		if (i + 1 < count)
			assert_true(at > first && at < first + (int64_t)shards);
	}
	assert_true(at == INT64_MAX);
}

static void
test_ranges(void **state)
{
	(void)state;
	ranges_case(0, 2, 2);
	ranges_case(1, 128, 4);
	ranges_case(0, 65536, 64);
	ranges_case(UINT32_C(1) << 31, 100, 7);
}

/* What the statement says itself has no bounds. */
static void
test_statement(void **state)
{
	const struct source_parts parts = {
	    .kind = SOURCE_SPLIT_STATEMENT, .count = 3};
	struct source_part part = source_part_of(&parts, 2);

	(void)state;
	assert_int_equal(part.number, 2);
	assert_int_equal(part.count, 3);
	assert_string_equal(part.from, "");
	assert_string_equal(part.to, "");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_blocks),
	    cmocka_unit_test(test_ranges),
	    cmocka_unit_test(test_statement),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
