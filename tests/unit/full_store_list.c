/* SPDX-License-Identifier: ISC */
/* What a directory store lists, and what it removes. */
#include "crlpress/store.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "../lib/store_scratch.h"

#define TEST(test) \
	cmocka_unit_test_setup_teardown(test, scratch_setup, scratch_teardown)

static void
put_name(struct scratch *scratch, struct store *store, const char *key)
{
	struct store_version now;
	struct store_upload upload;

	stage(scratch, "staged", "x", 1, 0644, key, &upload);
	assert_int_equal(store_put(store, &upload, &now), STATUS_OK);
	upload_free(&upload);
}

static void
keys_are(struct store *store, const char *prefix, const char *after,
    const char *want)
{
	struct store_keys keys;
	char have[256] = "";

	assert_int_equal(store_list(store, prefix, after, &keys), STATUS_OK);
	for (size_t i = 0; i < keys.count; i++) {
		(void)strcat(have, keys.key[i]);
		(void)strcat(have, " ");
	}
	assert_string_equal(have, want);
	store_keys_free(&keys);
}

/* By rising bytes, as S3 has them, and nothing of the store's own. */
static void
test_list(void **state)
{
	struct scratch *scratch = *state;
	struct store *store = make_store(scratch);
	char path[SCRATCH_BYTES + 64];

	keys_are(store, "", NULL, "");
	keys_are(store, "a/", NULL, "");
	put_name(scratch, store, "b");
	put_name(scratch, store, "a/2");
	put_name(scratch, store, "a/10");
	put_name(scratch, store, "a/x/y/z");
	put_name(scratch, store, "a-b/c");
	scratch_path(scratch, "store/a/.crlpress-tmp-1", path);
	assert_true(file_make(path, "x", 1, 0644));
	scratch_path(scratch, "store/a/has a blank", path);
	assert_true(file_make(path, "x", 1, 0644));
	keys_are(store, "", NULL, "a-b/c a/10 a/2 a/x/y/z b ");
	keys_are(store, "a/", NULL, "a/10 a/2 a/x/y/z ");
	keys_are(store, "a/x/", NULL, "a/x/y/z ");
	keys_are(store, "a/", "a/10", "a/2 a/x/y/z ");
	keys_are(store, "a/", "a/x/y", "a/x/y/z ");
	keys_are(store, "a/", "a/x/y/z", "");
	keys_are(store, "", "a-b/", "a-b/c a/10 a/2 a/x/y/z b ");
	store_close(store);
}

/* Once or twice; the directories that it leaves empty go, others do not. */
static void
test_remove(void **state)
{
	struct scratch *scratch = *state;
	struct store *store = make_store(scratch);
	char path[SCRATCH_BYTES + 64];
	struct stat st;

	put_name(scratch, store, "a/b/1");
	put_name(scratch, store, "a/b/c/2");
	assert_int_equal(store_remove(store, "a/b/c/2"), STATUS_OK);
	assert_int_equal(store_remove(store, "a/b/c/2"), STATUS_OK);
	assert_int_equal(store_remove(store, "never/was"), STATUS_OK);
	keys_are(store, "", NULL, "a/b/1 ");
	scratch_path(scratch, "store/a/b/c", path);
	assert_int_not_equal(stat(path, &st), 0);
	assert_int_equal(store_remove(store, "a/b/1"), STATUS_OK);
	scratch_path(scratch, "store/a", path);
	assert_int_not_equal(stat(path, &st), 0);
	scratch_path(scratch, "store", path);
	assert_int_equal(stat(path, &st), 0);
	/* What is no key is no name of a file elsewhere. */
	assert_int_not_equal(store_remove(store, "../store"), STATUS_OK);
	assert_int_not_equal(store_remove(store, ".crlpress-lock"), STATUS_OK);
	/* And it can be put again. */
	put_name(scratch, store, "a/b/1");
	store_close(store);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(test_list),
	    TEST(test_remove),
	};

	return cmocka_run_group_tests_name("store_list", tests, NULL, NULL);
}
