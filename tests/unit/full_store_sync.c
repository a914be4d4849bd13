/* SPDX-License-Identifier: ISC */
/*
 * What the directory store and the state directory make durable, and what
 * they say when that fails: fsync(2) is counted here, and made to fail as a
 * broken disk makes it.
 */
#include "crlpress/store.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/syscall.h>

#include <cmocka.h>

#include "../lib/store_scratch.h"

#include "crlpress/state.h"

static int sync_calls;
static int sync_error;

int
fsync(int fd)
{
	sync_calls++;
	if (sync_error != 0) {
		errno = sync_error;
		return -1;
	}
	return (int)syscall(SYS_fsync, fd);
}

static int
setup(void **state)
{
	sync_calls = 0;
	sync_error = 0;
	return scratch_setup(state);
}

/* A sync goes to the directories of what was put since the last one. */
static void
test_sync(void **state)
{
	struct scratch *scratch = *state;
	struct store *store = make_store(scratch);
	struct store_upload upload;
	struct store_version now;
	char path[SCRATCH_BYTES + 64];

	stage(scratch, "s", "bytes", 5, 0644, "a/b/0.crl", &upload);
	assert_int_equal(store_put(store, &upload, &now), STATUS_OK);
	assert_int_equal(store_sync(store), STATUS_OK);
	upload.key = "c/0.crl";
	assert_int_equal(store_put(store, &upload, &now), STATUS_OK);
	assert_int_equal(
	    unlink(scratch_path(scratch, "store/a/b/0.crl", path)), 0);
	assert_int_equal(rmdir(scratch_path(scratch, "store/a/b", path)), 0);
	assert_int_equal(rmdir(scratch_path(scratch, "store/a", path)), 0);
	assert_int_equal(store_sync(store), STATUS_OK);
	assert_int_equal(store_put(store, &upload, &now), STATUS_OK);
	assert_int_equal(
	    unlink(scratch_path(scratch, "store/c/0.crl", path)), 0);
	assert_int_equal(rmdir(scratch_path(scratch, "store/c", path)), 0);
	assert_int_equal(store_sync(store), STATUS_FAILED);
	assert_true(scratch_said(scratch,
	    "store/c: store: cannot sync the directory: No such file"));
	/* What could not be synced is not forgotten. */
	assert_int_equal(store_sync(store), STATUS_FAILED);
	assert_int_equal(mkdir(path, 0755), 0);
	assert_int_equal(store_sync(store), STATUS_OK);
	upload_free(&upload);
	store_close(store);
}

/* Each directory once, from the root down; a linked file was synced before. */
static void
test_directories_synced(void **state)
{
	static const char *const keys[] = {"a/b/0", "a/b/1", "a/2", "3"};
	struct scratch *scratch = *state;
	struct store *store = make_store(scratch);
	struct store_upload upload;
	struct store_version now;

	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		stage(scratch, "s", "bytes", 5, 0644, keys[i], &upload);
		assert_int_equal(store_put(store, &upload, &now), STATUS_OK);
		upload_free(&upload);
	}
	assert_int_equal(sync_calls, 0);
	sync_error = EIO;
	assert_int_equal(store_sync(store), STATUS_FAILED);
	assert_true(scratch_said(
	    scratch, "store: cannot sync the directory: Input/output error"));
	/* A file system that has nothing to sync is fine. */
	sync_error = EINVAL;
	sync_calls = 0;
	assert_int_equal(store_sync(store), STATUS_OK);
	assert_int_equal(sync_calls, 3);
	assert_int_equal(store_sync(store), STATUS_OK);
	assert_int_equal(sync_calls, 3);
	store_close(store);
}

/* Bytes that were there already may be of a run that did not live to sync. */
static void
test_ours_already_synced(void **state)
{
	struct scratch *scratch = *state;
	struct store *store = make_store(scratch);
	struct store_upload upload;
	struct store_version now;

	stage(scratch, "s", "bytes", 5, 0644, "0.crl", &upload);
	assert_int_equal(store_put(store, &upload, &now), STATUS_OK);
	assert_int_equal(store_sync(store), STATUS_OK);
	assert_int_equal(sync_calls, 1);
	assert_int_equal(store_put(store, &upload, &now), STATUS_OK);
	assert_int_equal(store_sync(store), STATUS_OK);
	assert_int_equal(sync_calls, 2);
	upload_free(&upload);
	store_close(store);
}

/* A copy that cannot be synced does not replace anything. */
static void
test_copy_not_synced(void **state)
{
	struct scratch *scratch = *state;
	struct store *store = make_store(scratch);
	struct store_upload upload;
	struct store_version now;
	char path[SCRATCH_BYTES + 64];

	stage(scratch, "s", "old", 3, 0600, "0.crl", &upload);
	assert_int_equal(store_put(store, &upload, &now), STATUS_OK);
	assert_int_equal(sync_calls, 1);
	upload_free(&upload);
	stage(scratch, "s", "new", 3, 0600, "0.crl", &upload);
	upload.replaces = now;
	sync_error = EIO;
	assert_int_equal(store_put(store, &upload, &now), STATUS_FAILED);
	assert_true(scratch_said(
	    scratch, "0.crl: store: cannot write it: Input/output error"));
	assert_true(
	    file_is(scratch_path(scratch, "store/0.crl", path), "old", 3));
	assert_int_equal(entries_with(scratch->path, ".crlpress-tmp-"), 0);
	upload_free(&upload);
	store_close(store);
}

/* A number that is not on the disk was not given out. */
static void
test_state_not_synced(void **state)
{
	struct scratch *scratch = *state;
	char dir[SCRATCH_BYTES + 64];
	struct uint160 number = uint160_from_u64(7);
	struct stage_part part = {"bytes", 5};
	struct stage_file file;
	struct state *own;

	assert_int_equal(state_open(scratch_path(scratch, "state", dir), "x",
			     STATE_EXCLUSIVE, scratch->report, &own),
	    STATUS_OK);
	/* The names of the directories, so that the number in them lasts:
	 * state, x and stage. */
	assert_int_equal(sync_calls, 3);
	sync_calls = 0;
	assert_int_equal(state_number_take(own, &number, &number), STATUS_OK);
	/* The file, and the directory it was renamed in. */
	assert_int_equal(sync_calls, 2);
	assert_int_equal(stage_write(own, "0", &part, 1, &file), STATUS_OK);
	assert_int_equal(sync_calls, 2);
	assert_int_equal(stage_sync(own, &file), STATUS_OK);
	assert_int_equal(sync_calls, 3);
	sync_error = EIO;
	assert_int_equal(stage_sync(own, &file), STATUS_FAILED);
	assert_true(scratch_said(
	    scratch, "-0/0: state: cannot sync it: Input/output error"));
	stage_file_free(&file);
	assert_int_equal(
	    state_number_take(own, &number, &number), STATUS_FAILED);
	assert_true(scratch_said(
	    scratch, "number: state: cannot write it: Input/output error"));
	assert_true(
	    file_is(scratch_path(scratch, "state/x/number", dir), "7\n", 2));
	assert_int_equal(state_published_set(own, &number), STATUS_FAILED);
	assert_true(scratch_said(
	    scratch, "published: state: cannot write it: Input/output error"));
	state_close(own);
}

#define TEST(test) \
	cmocka_unit_test_setup_teardown(test, setup, scratch_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(test_sync),
	    TEST(test_directories_synced),
	    TEST(test_ours_already_synced),
	    TEST(test_copy_not_synced),
	    TEST(test_state_not_synced),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
