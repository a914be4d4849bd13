/* SPDX-License-Identifier: ISC */
/*
 * What the state directory keeps of what was put into the store, on a real
 * file system: joined, written as runs of neighbours, by many processes at
 * once, for as many shards as there can be.
 */
#include "crlpress/state.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "../lib/state_scratch.h"

#include "crlpress/shard.h"

#define SHARDS "state/" NAME "/shards"

/* Shards that one process each raises at the same time. */
#define WRITERS 8

static void
assert_file(const struct scratch *scratch, const char *text)
{
	char path[SCRATCH_BYTES + 64];

	scratch_path(scratch, SHARDS, path);
	assert_true(file_is(path, text, strlen(text)));
}

static void
assert_kept(struct state *state, uint32_t shard, uint64_t want)
{
	struct uint160 expected = uint160_from_u64(want);
	const struct uint160 *number;
	struct state_puts puts;

	assert_int_equal(state_puts_read(state, &puts), STATUS_OK);
	number = state_puts_find(&puts, shard);
	if (want == 0)
		assert_null(number);
	else
		assert_true(
		    number != NULL && uint160_compare(number, &expected) == 0);
	state_puts_free(&puts);
}

static enum status
raise_one(struct state *state, uint32_t shard, uint64_t number)
{
	struct state_put put = {shard, uint160_from_u64(number)};

	return state_puts_raise(state, &put, 1);
}

static void
test_raise(void **test)
{
	struct scratch *scratch = *test;
	struct state *state = share_state(scratch);
	struct state_put put[3] = {
	    {2, uint160_from_u64(70)},
	    {3, uint160_from_u64(70)},
	    {UINT32_MAX, uint160_from_u64(70)},
	};

	assert_kept(state, 2, 0);
	assert_int_equal(state_puts_raise(state, NULL, 0), STATUS_OK);
	assert_kept(state, 2, 0);
	assert_int_equal(state_puts_raise(state, put, 3), STATUS_OK);
	assert_file(scratch, "2-3 70\n4294967295-4294967295 70\n");
	assert_int_equal(mode_of(scratch, SHARDS), 0600);
	/* Before, between and behind what there is; the higher one stays. */
	assert_int_equal(raise_one(state, 0, 71), STATUS_OK);
	assert_int_equal(raise_one(state, 3, 72), STATUS_OK);
	assert_int_equal(raise_one(state, 2, 69), STATUS_OK);
	assert_int_equal(raise_one(state, 4, 72), STATUS_OK);
	assert_file(
	    scratch, "0-0 71\n2-2 70\n3-4 72\n4294967295-4294967295 70\n");
	assert_kept(state, 0, 71);
	assert_kept(state, 1, 0);
	assert_kept(state, 2, 70);
	assert_kept(state, 4, 72);
	assert_kept(state, UINT32_MAX, 70);
	state_close(state);
	assert_true(scratch_silent(scratch));
}

static void
test_many_shards(void **test)
{
	struct scratch *scratch = *test;
	struct state *state = share_state(scratch);
	struct state_put *put = calloc(2 * SHARD_COUNT_MOST + 1, sizeof(*put));

	assert_non_null(put);
	for (uint32_t i = 0; i <= 2 * SHARD_COUNT_MOST; i++)
		put[i] = (struct state_put){i, uint160_from_u64(70 + i % 2)};
	/* One is more than there can be. */
	assert_int_equal(state_puts_raise(state, put, 2 * SHARD_COUNT_MOST + 1),
	    STATUS_FAILED);
	assert_true(scratch_said(scratch, "shards: state: damaged"));
	assert_kept(state, 0, 0);
	assert_int_equal(
	    state_puts_raise(state, put, 2 * SHARD_COUNT_MOST), STATUS_OK);
	assert_kept(state, 0, 70);
	assert_kept(state, 2 * SHARD_COUNT_MOST - 1, 71);
	assert_kept(state, 2 * SHARD_COUNT_MOST, 0);
	free(put);
	state_close(state);
}

static int
write_one(struct scratch *scratch, uint32_t shard)
{
	struct state *state = share_state(scratch);
	bool ok = state != NULL;

	for (uint64_t n = 1; ok && n <= 20; n++)
		ok = raise_one(state, shard, n) == STATUS_OK;
	state_close(state);
	return ok ? 0 : 1;
}

/* Nobody's is lost while others write. */
static void
test_many_writers(void **test)
{
	struct scratch *scratch = *test;
	pid_t child[WRITERS];
	struct state *state;

	for (uint32_t i = 0; i < WRITERS; i++) {
		child[i] = fork();
		assert_true(child[i] >= 0);
		if (child[i] == 0)
			_exit(write_one(scratch, i));
	}
	for (uint32_t i = 0; i < WRITERS; i++) {
		int how = -1;

		assert_int_equal(waitpid(child[i], &how, 0), child[i]);
		assert_int_equal(how, 0);
	}
	assert_file(scratch, "0-7 20\n");
	state = share_state(scratch);
	assert_kept(state, 7, 20);
	state_close(state);
}

static void
test_in_the_way(void **test)
{
	struct scratch *scratch = *test;
	struct state *state = share_state(scratch);
	char path[SCRATCH_BYTES + 64];
	struct state_puts puts;

	assert_int_equal(mkdir(scratch_path(scratch, SHARDS, path), 0700), 0);
	assert_int_equal(state_puts_read(state, &puts), STATUS_FAILED);
	assert_true(scratch_said(scratch, "shards: state: cannot read it"));
	assert_int_equal(raise_one(state, 1, 1), STATUS_FAILED);
	assert_int_equal(rmdir(path), 0);
	/* A link leads out of the directory that is ours. */
	assert_int_equal(symlink("/dev/null", path), 0);
	assert_int_equal(state_puts_read(state, &puts), STATUS_FAILED);
	assert_int_equal(unlink(path), 0);
	/* What a crash left of one that was being written. */
	(void)snprintf(path + strlen(path), 8, ".tmp");
	assert_true(file_make(path, "0-", 2, 0600));
	assert_int_equal(raise_one(state, 1, 1), STATUS_OK);
	assert_file(scratch, "1-1 1\n");
	state_close(state);
}

#define TEST(test) \
	cmocka_unit_test_setup_teardown(test, scratch_setup, scratch_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(test_raise),
	    TEST(test_many_shards),
	    TEST(test_many_writers),
	    TEST(test_in_the_way),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
