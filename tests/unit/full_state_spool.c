/* SPDX-License-Identifier: ISC */
/* What waits to be archived: whose it is, who takes it over, when it goes. */
#include "crlpress/state.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "../lib/state_scratch.h"

#define TEST(test) \
	cmocka_unit_test_setup_teardown(test, scratch_setup, scratch_teardown)

static void
make_file(const struct state_spool *spool, const char *name, size_t len)
{
	char path[2 * SCRATCH_BYTES];
	char data[256] = "";

	(void)snprintf(path, sizeof(path), "%s/%s", spool->path, name);
	assert_true(file_make(path, data, len, 0644));
}

static void
make_directory(const struct state_spool *spool, const char *name)
{
	char path[2 * SCRATCH_BYTES];

	(void)snprintf(path, sizeof(path), "%s/%s", spool->path, name);
	assert_int_equal(mkdir(path, 0755), 0);
}

/* Nobody takes it while it is open; then the next one does. */
static void
test_taken_over(void **context)
{
	struct scratch *scratch = *context;
	struct state *state = open_state(scratch);
	struct state *other = share_state(scratch);
	struct state_spool mine, theirs, next;
	char *left;

	assert_non_null(state);
	assert_non_null(other);
	assert_int_equal(state_spool_make(state, &mine), STATUS_OK);
	assert_int_equal(state_spool_make(other, &theirs), STATUS_OK);
	assert_string_not_equal(mine.path, theirs.path);
	make_file(&theirs, "object", 100);
	assert_int_equal(state_spool_next(state, &next), STATUS_DONE);
	state_spool_close(&next);
	left = strdup(theirs.path);
	state_spool_close(&theirs);
	assert_int_equal(state_spool_next(state, &next), STATUS_OK);
	assert_string_equal(next.path, left);
	/* And it is as locked as it was. */
	assert_int_equal(state_spool_next(other, &theirs), STATUS_DONE);
	assert_int_equal(state_spool_bytes(state), 100);
	state_spool_close(&theirs);
	state_spool_close(&next);
	state_spool_close(&mine);
	free(left);
	state_close(other);
	state_close(state);
}

/* With a file in it, however deep, it stays, and comes again. */
static void
test_removed(void **context)
{
	struct scratch *scratch = *context;
	struct state *state = open_state(scratch);
	struct state_spool spool, next;
	char path[2 * SCRATCH_BYTES];

	assert_non_null(state);
	assert_int_equal(state_spool_make(state, &spool), STATUS_OK);
	make_directory(&spool, "a");
	make_directory(&spool, "a/b");
	make_directory(&spool, "c");
	make_file(&spool, "a/b/object", 7);
	make_file(&spool, ".crlpress-lock", 0);
	assert_false(state_spool_remove(&spool));
	state_spool_close(&spool);
	assert_int_equal(state_spool_next(state, &next), STATUS_OK);
	assert_int_equal(state_spool_bytes(state), 7);
	(void)snprintf(path, sizeof(path), "%s/a/b/object", next.path);
	assert_int_equal(unlink(path), 0);
	assert_true(state_spool_remove(&next));
	state_spool_close(&next);
	assert_int_equal(state_spool_next(state, &next), STATUS_DONE);
	state_spool_close(&next);
	state_close(state);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(test_taken_over),
	    TEST(test_removed),
	};

	return cmocka_run_group_tests_name("state_spool", tests, NULL, NULL);
}
