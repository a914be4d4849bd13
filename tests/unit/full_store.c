/* SPDX-License-Identifier: ISC */
/*
 * The directory store on real directories: put, replace, conflict, links and
 * other things in the way, full and read-only file systems, leftovers.
 * full_store_race.c has what happens when several are at it, full_store_sync.c
 * what is made durable when.
 */
#include "crlpress/store.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/file.h>

#include <cmocka.h>

#include "../lib/store_scratch.h"

#include "crlpress/manifest.h"

static void
assert_object(
    struct store *store, const char *key, const void *data, size_t len)
{
	struct store_object object;

	assert_int_equal(store_get(store, key, &object), STATUS_OK);
	assert_int_equal(object.len, len);
	if (len > 0)
		assert_memory_equal(object.data, data, len);
	else
		assert_null(object.data);
	assert_true(object.version.text[0] != '\0');
	store_object_free(&object);
	assert_null(object.data);
}

static void
put_and_check(struct scratch *scratch, mode_t mode)
{
	struct store *store = make_store(scratch);
	struct store_upload first;
	struct store_upload second;
	struct store_version v1;
	struct store_version v2;
	struct store_object object;
	struct stat st;
	char path[SCRATCH_BYTES + 64];

	assert_int_equal(
	    store_get(store, "a/b/0.crl", &object), STATUS_NOT_FOUND);
	stage(scratch, "s1", "first", 5, mode, "a/b/0.crl", &first);
	assert_int_equal(store_put(store, &first, &v1), STATUS_OK);
	assert_object(store, "a/b/0.crl", "first", 5);
	assert_int_equal(
	    stat(scratch_path(scratch, "store/a/b/0.crl", path), &st), 0);
	assert_int_equal(st.st_mode & 07777, 0644);
	assert_int_equal(st.st_nlink, mode == 0644 ? 2 : 1);
	assert_int_equal(
	    stat(scratch_path(scratch, "store/a/b", path), &st), 0);
	assert_int_equal(st.st_mode & 07777, 0755);
	/* The stage is cleared: the version stays the same. */
	assert_int_equal(unlink(first.path), 0);
	assert_int_equal(store_get(store, "a/b/0.crl", &object), STATUS_OK);
	assert_string_equal(object.version.text, v1.text);

	stage(scratch, "s2", "second!", 7, mode, "a/b/0.crl", &second);
	second.replaces = object.version;
	assert_int_equal(store_put(store, &second, &v2), STATUS_OK);
	assert_string_not_equal(v2.text, v1.text);
	assert_object(store, "a/b/0.crl", "second!", 7);
	/* The old one is still whole for who has it. */
	assert_memory_equal(object.data, "first", 5);
	store_object_free(&object);

	assert_int_equal(store_sync(store), STATUS_OK);
	assert_int_equal(store_sync(store), STATUS_OK);
	assert_int_equal(entries_with(scratch->path, ".crlpress-tmp-"), 0);
	assert_true(scratch_silent(scratch));
	upload_free(&first);
	upload_free(&second);
	store_close(store);
}

static void
test_put_linked(void **state)
{
	mode_t mask = umask(077);

	put_and_check(*state, 0644);
	umask(mask);
}

/* A mode that an object may not have takes a copy. */
static void
test_put_copied(void **state)
{
	mode_t mask = umask(077);

	put_and_check(*state, 0600);
	umask(mask);
}

static void
test_file_url(void **state)
{
	struct scratch *scratch = *state;
	char path[SCRATCH_BYTES + 64];
	char url[SCRATCH_BYTES + 80];
	struct store_upload upload;
	struct store_version now;
	struct store *store;

	store_close(make_store(scratch));
	(void)snprintf(url, sizeof(url), "file://%s/",
	    scratch_path(scratch, "store", path));
	store = open_store(scratch, url);
	assert_non_null(store);
	stage(scratch, "s", "", 0, 0644, "empty", &upload);
	assert_int_equal(store_put(store, &upload, &now), STATUS_OK);
	assert_object(store, "empty", "", 0);
	upload_free(&upload);
	stage(scratch, "s", "", 0, 0600, "empty too", &upload);
	assert_int_equal(store_put(store, &upload, &now), STATUS_FAILED);
	assert_true(scratch_said(scratch, "not an object key"));
	upload.key = "empty-too";
	assert_int_equal(store_put(store, &upload, &now), STATUS_OK);
	assert_object(store, "empty-too", "", 0);
	assert_true(file_exists(scratch_path(scratch, "store/empty", path)));
	upload_free(&upload);
	store_close(store);
	store_close(NULL);
}

static void
conflict_and_check(struct scratch *scratch, mode_t mode)
{
	struct store *store = make_store(scratch);
	struct store_upload ours;
	struct store_upload theirs;
	struct store_version v;
	struct store_version now;

	stage(scratch, "s1", "ours", 4, mode, "0.crl", &ours);
	stage(scratch, "s2", "them", 4, mode, "0.crl", &theirs);
	assert_int_equal(store_put(store, &theirs, &v), STATUS_OK);
	/* Something stands there that we have not judged. */
	assert_int_equal(store_put(store, &ours, &now), STATUS_CONFLICT);
	assert_object(store, "0.crl", "them", 4);
	/* We judged a version that is not there any more. */
	(void)snprintf(ours.replaces.text, sizeof(ours.replaces.text), "x");
	assert_int_equal(store_put(store, &ours, &now), STATUS_CONFLICT);
	ours.replaces = v;
	assert_int_equal(store_put(store, &ours, &now), STATUS_OK);
	assert_object(store, "0.crl", "ours", 4);
	/* The one that was judged has gone. */
	assert_int_equal(store_put(store, &theirs, &now), STATUS_CONFLICT);
	ours.replaces = now;
	ours.key = "gone.crl";
	assert_int_equal(store_put(store, &ours, &now), STATUS_CONFLICT);
	assert_int_equal(entries_with(scratch->path, ".crlpress-tmp-"), 0);
	assert_true(scratch_silent(scratch));
	upload_free(&ours);
	upload_free(&theirs);
	store_close(store);
}

static void
test_conflict_linked(void **state)
{
	conflict_and_check(*state, 0644);
}

static void
test_conflict_copied(void **state)
{
	conflict_and_check(*state, 0600);
}

/* A killed run has put it: the same bytes, as the same file and another. */
static void
test_ours_already(void **state)
{
	struct scratch *scratch = *state;
	struct store *store = make_store(scratch);
	struct store_upload upload;
	struct store_upload other;
	struct store_version v1;
	struct store_version v2;

	stage(scratch, "s1", "ours", 4, 0644, "0.crl", &upload);
	assert_int_equal(store_put(store, &upload, &v1), STATUS_OK);
	assert_int_equal(store_put(store, &upload, &v2), STATUS_OK);
	assert_string_equal(v1.text, v2.text);
	/* rename(2) does nothing when both are links of one file. */
	upload.replaces = v1;
	assert_int_equal(store_put(store, &upload, &v2), STATUS_OK);
	assert_string_equal(v1.text, v2.text);
	assert_int_equal(entries_with(scratch->path, ".crlpress-tmp-"), 0);
	stage(scratch, "s2", "ours", 4, 0644, "0.crl", &other);
	(void)snprintf(
	    other.replaces.text, sizeof(other.replaces.text), "older");
	assert_int_equal(store_put(store, &other, &v2), STATUS_OK);
	assert_string_equal(v1.text, v2.text);
	upload_free(&upload);
	upload_free(&other);
	store_close(store);
}

/* The upload says one thing, the staged file is another. */
static void
test_staged_file_changed(void **state)
{
	struct scratch *scratch = *state;
	struct store *store = make_store(scratch);
	struct store_upload upload;
	struct store_version now;
	struct store_object object;

	stage(scratch, "s", "bytes", 5, 0600, "0.crl", &upload);
	upload.size = 6;
	assert_int_equal(store_put(store, &upload, &now), STATUS_FAILED);
	assert_true(scratch_said(scratch, "have 5 bytes, want 6"));
	upload.size = 5;
	upload.sha256.octet[0] ^= 1;
	assert_int_equal(store_put(store, &upload, &now), STATUS_FAILED);
	assert_true(scratch_said(scratch, "reads back as something else"));
	assert_int_equal(unlink(upload.path), 0);
	assert_int_equal(store_put(store, &upload, &now), STATUS_FAILED);
	assert_true(
	    scratch_said(scratch, "/s: store: cannot open it: No such"));
	assert_int_equal(store_get(store, "0.crl", &object), STATUS_NOT_FOUND);
	assert_int_equal(entries_with(scratch->path, ".crlpress-tmp-"), 0);
	upload_free(&upload);
	store_close(store);
}

static void
test_keys_refused(void **state)
{
	static const char *const keys[] = {"", "/etc/passwd", "..", "../x",
	    "a/../x", "a/./x", ".", "a//b", "a/", "a\nb", "a b", "a\tb", "a\\b",
	    "\x7f", ".crlpress-lock", "a/.crlpress-tmp-1", ".crlpress-x/y"};
	struct store_upload upload;
	struct store_version now;
	struct store_object object;

	(void)state;
	/* A report of its own for each: one says only so much of a rule. */
	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		struct scratch *scratch = scratch_make();
		struct store *store = make_store(scratch);

		stage(scratch, "s", "bytes", 5, 0644, "x", &upload);
		assert_int_equal(
		    store_get(store, keys[i], &object), STATUS_FAILED);
		assert_true(scratch_said(scratch, "not an object key"));
		upload.key = keys[i];
		assert_int_equal(
		    store_put(store, &upload, &now), STATUS_FAILED);
		assert_true(scratch_said(scratch, "not an object key"));
		upload_free(&upload);
		store_close(store);
		scratch_free(scratch);
	}
}

/* A component too long, a path too deep, an object too large. */
static void
test_limits(void **state)
{
	struct scratch *scratch = *state;
	struct store *store = make_store(scratch);
	struct store_upload upload;
	struct store_version now;
	struct store_object object;
	char key[400];
	char path[SCRATCH_BYTES + 64];

	stage(scratch, "s", "bytes", 5, 0644, key, &upload);
	memset(key, 'k', sizeof(key));
	key[300] = '\0';
	assert_int_equal(store_put(store, &upload, &now), STATUS_FAILED);
	assert_true(scratch_said(scratch, "File name too long"));
	key[299] = '/';
	key[300] = 'x';
	key[301] = '\0';
	assert_int_equal(store_put(store, &upload, &now), STATUS_FAILED);
	assert_true(scratch_said(scratch, "File name too long"));
	for (size_t i = 0; i < 33; i++)
		memcpy(key + 2 * i, "d/", 2);
	(void)snprintf(key + 66, 4, "x");
	assert_int_equal(store_put(store, &upload, &now), STATUS_FAILED);
	assert_true(scratch_said(scratch, "File name too long"));
	(void)snprintf(key, sizeof(key), "big");
	upload.size = STORE_OBJECT_BYTES_MOST + 1;
	assert_int_equal(store_put(store, &upload, &now), STATUS_FAILED);
	assert_true(scratch_said(scratch, "too large"));
	assert_true(
	    file_make(scratch_path(scratch, "store/big", path), "", 0, 0644));
	assert_int_equal(truncate(path, (off_t)STORE_OBJECT_BYTES_MOST + 1), 0);
	assert_int_equal(store_get(store, "big", &object), STATUS_FAILED);
	assert_true(scratch_said(scratch, "big: store: too large"));
	upload_free(&upload);
	store_close(store);
}

/* What stands in the way of the key, and what to say of it. */
struct obstacle {
	const char *key;
	const char *get;
	const char *put;
};

static const struct obstacle obstacles[] = {
    {"link", "is a symbolic link", "is not a regular file: not replaced"},
    {"dangling", "is a symbolic link", "is not a regular file: not replaced"},
    {"dir", "is not a regular file", "is not a regular file: not replaced"},
    {"fifo", "is not a regular file", "is not a regular file: not replaced"},
    {"out/secret", "cannot open its directory", "cannot open its directory"},
    {"file/x", "cannot open its directory", "cannot open its directory"},
    {"loop/x", "cannot open its directory", "cannot open its directory"},
};

static void
make_obstacles(struct scratch *scratch)
{
	char path[SCRATCH_BYTES + 64];
	char outside[SCRATCH_BYTES + 64];

	assert_int_equal(
	    mkdir(scratch_path(scratch, "outside", outside), 0755), 0);
	scratch_path(scratch, "outside/secret", outside);
	assert_true(file_make(outside, "secret", 6, 0644));
	assert_int_equal(
	    symlink(outside, scratch_path(scratch, "store/link", path)), 0);
	scratch_path(scratch, "outside", outside);
	assert_int_equal(
	    symlink(outside, scratch_path(scratch, "store/out", path)), 0);
	assert_int_equal(
	    symlink("nowhere", scratch_path(scratch, "store/dangling", path)),
	    0);
	assert_int_equal(
	    symlink("loop", scratch_path(scratch, "store/loop", path)), 0);
	assert_int_equal(
	    mkdir(scratch_path(scratch, "store/dir", path), 0755), 0);
	assert_int_equal(
	    mkfifo(scratch_path(scratch, "store/fifo", path), 0644), 0);
	assert_true(
	    file_make(scratch_path(scratch, "store/file", path), "f", 1, 0644));
}

static void
test_obstacles(void **state)
{
	struct store_upload upload;
	struct store_version now;
	struct store_object object;
	char path[SCRATCH_BYTES + 64];

	(void)state;
	for (size_t i = 0; i < sizeof(obstacles) / sizeof(obstacles[0]); i++) {
		struct scratch *scratch = scratch_make();
		struct store *store = make_store(scratch);

		make_obstacles(scratch);
		stage(
		    scratch, "s", "bytes", 5, 0644, obstacles[i].key, &upload);
		assert_int_equal(
		    store_get(store, upload.key, &object), STATUS_FAILED);
		assert_true(scratch_said(scratch, obstacles[i].get));
		assert_int_equal(
		    store_put(store, &upload, &now), STATUS_FAILED);
		assert_true(scratch_said(scratch, obstacles[i].put));
		scratch_path(scratch, "outside/secret", path);
		assert_true(file_is(path, "secret", 6));
		upload_free(&upload);
		store_close(store);
		scratch_free(scratch);
	}
}

/* The staged file may not be a link either. */
static void
test_staged_link_refused(void **state)
{
	struct scratch *scratch = *state;
	struct store *store = make_store(scratch);
	struct store_upload upload;
	struct store_version now;
	char path[SCRATCH_BYTES + 64];

	stage(scratch, "s", "bytes", 5, 0644, "new", &upload);
	assert_int_equal(
	    rename(upload.path, scratch_path(scratch, "t", path)), 0);
	assert_int_equal(symlink(path, upload.path), 0);
	assert_int_equal(store_put(store, &upload, &now), STATUS_FAILED);
	assert_true(scratch_said(scratch, "cannot open it"));
	upload_free(&upload);
	store_close(store);
}

static void
test_open_refused(void **state)
{
	static const struct {
		const char *url;
		const char *said;
		enum status status;
	} cases[] = {
	    {"", "no kind of store", STATUS_CONFIG},
	    {"relative/path", "no kind of store", STATUS_CONFIG},
	    {"ftp://example.net/x", "no kind of store", STATUS_CONFIG},
	    {"file://host/path", "no kind of store", STATUS_CONFIG},
	    {"file:///a%20b", "want the plain path", STATUS_CONFIG},
	    {"/nowhere/at/all", "No such file or directory", STATUS_FAILED},
	    {"/etc/passwd",
		"/etc/passwd: store: cannot be opened as a "
		"directory: Not a directory",
		STATUS_FAILED},
	    {"file:///etc/passwd", "Not a directory", STATUS_FAILED},
	};
	struct scratch *scratch = *state;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct store_config config = {.url = cases[i].url};
		struct store *store;

		assert_int_equal(store_open(&config, scratch->report, &store),
		    cases[i].status);
		assert_null(store);
		assert_true(scratch_said(scratch, cases[i].said));
	}
}

/* The directory is removed under an open store: no answer, not "nothing". */
static void
test_root_removed(void **state)
{
	struct scratch *scratch = *state;
	struct store *store = make_store(scratch);
	struct store_upload upload;
	struct store_version now;
	struct store_object object;

	assert_int_equal(rmdir(store_name(store)), 0);
	assert_int_equal(store_get(store, "0.crl", &object), STATUS_FAILED);
	assert_true(scratch_said(scratch, "removed while it was in use"));
	assert_int_equal(store_get(store, "a/0.crl", &object), STATUS_FAILED);
	assert_true(scratch_said(scratch, "removed while it was in use"));
	assert_int_equal(store_sweep(store), STATUS_FAILED);
	assert_true(scratch_said(scratch, "removed while it was in use"));
	stage(scratch, "s", "bytes", 5, 0644, "0.crl", &upload);
	assert_int_equal(store_put(store, &upload, &now), STATUS_FAILED);
	assert_true(scratch_said(scratch, "No such file or directory"));
	upload_free(&upload);
	store_close(store);
}

/* In a child without rights: the store can be read, not written. */
static int
read_only_run(struct scratch *scratch)
{
	char path[SCRATCH_BYTES + 64];
	struct store_upload upload = {.key = "new.crl", .size = 5};
	struct store_version now;
	struct store_object object;
	struct store *store;

	scratch_path(scratch, "store", path);
	if (!child_become_nobody())
		return SCRATCH_NOT_PERMITTED;
	store = open_store(scratch, path);
	if (store == NULL)
		return 1;
	if (store_get(store, "0.crl", &object) != STATUS_OK)
		return 2;
	store_object_free(&object);
	if (store_sweep(store) != STATUS_FAILED)
		return 3;
	if (!scratch_said(scratch, "store: store: cannot write there: "
				   "Permission denied"))
		return 4;
	upload.path = scratch_path(scratch, "s", path);
	if (store_put(store, &upload, &now) != STATUS_FAILED)
		return 5;
	if (!scratch_said(scratch, "Permission denied"))
		return 6;
	upload.key = "dir/new.crl";
	if (store_put(store, &upload, &now) != STATUS_FAILED)
		return 7;
	return scratch_said(scratch, "dir/new.crl: store: cannot open its "
				     "directory: Permission denied")
		   ? 0
		   : 8;
}

static void
test_directory_without_rights(void **state)
{
	struct scratch *scratch = *state;
	struct store *store = make_store(scratch);
	struct store_upload upload;
	struct store_version now;
	char path[SCRATCH_BYTES + 64];
	int result;

	stage(scratch, "s", "bytes", 5, 0644, "0.crl", &upload);
	assert_int_equal(store_put(store, &upload, &now), STATUS_OK);
	assert_int_equal(
	    unlink(scratch_path(scratch, "store/.crlpress-lock", path)), 0);
	assert_int_equal(chmod(store_name(store), 0555), 0);
	result = child_run(read_only_run, scratch);
	assert_int_equal(chmod(store_name(store), 0755), 0);
	upload_free(&upload);
	store_close(store);
	if (result == SCRATCH_NOT_PERMITTED) {
		print_message("SKIP: cannot become another user\n");
		skip();
	}
	assert_int_equal(result, 0);
}

/* In a child: a store of 64 kB. */
static int
full_disk_run(struct scratch *scratch)
{
	char path[SCRATCH_BYTES + 64];
	char staged[SCRATCH_BYTES + 64];
	static char body[256 * 1024];
	struct store_upload upload = {.key = "0.crl", .path = staged};
	struct store_version now;
	struct store_object object;
	struct store *store;

	scratch_path(scratch, "store", path);
	scratch_path(scratch, "s", staged);
	if (!child_mount_small(path, "size=64k"))
		return SCRATCH_NOT_PERMITTED;
	store = open_store(scratch, path);
	if (store == NULL || !file_make(staged, "small", 5, 0644))
		return 1;
	upload.size = 5;
	if (hash_bytes((const uint8_t *)"small", 5, &upload.sha256) !=
		STATUS_OK ||
	    store_put(store, &upload, &now) != STATUS_OK)
		return 2;
	memset(body, 'x', sizeof(body));
	if (!file_make(staged, body, sizeof(body), 0644))
		return 3;
	upload.size = sizeof(body);
	upload.replaces = now;
	if (store_put(store, &upload, &now) != STATUS_FAILED)
		return 4;
	if (!scratch_said(scratch,
		"0.crl: store: cannot write it: No space left on device"))
		return 5;
	/* The old one stands, nothing is left over, and a small one fits. */
	if (store_get(store, "0.crl", &object) != STATUS_OK ||
	    object.len != 5 || memcmp(object.data, "small", 5) != 0)
		return 6;
	if (entries_with(path, ".crlpress-tmp-") != 0)
		return 7;
	if (!file_make(staged, "again", 5, 0644) ||
	    hash_bytes((const uint8_t *)"again", 5, &upload.sha256) !=
		STATUS_OK)
		return 8;
	upload.size = 5;
	upload.replaces = object.version;
	if (store_put(store, &upload, &now) != STATUS_OK)
		return 9;
	if (store_sync(store) != STATUS_OK || !scratch_silent(scratch))
		return 10;
	/* Mounted read-only: it can be read. */
	store_object_free(&object);
	if (mount(NULL, path, NULL, MS_REMOUNT | MS_RDONLY, NULL) != 0)
		return 11;
	if (store_sweep(store) != STATUS_FAILED ||
	    !scratch_said(scratch, "Read-only file system"))
		return 12;
	upload.replaces = now;
	if (store_put(store, &upload, &now) != STATUS_FAILED ||
	    !scratch_said(scratch, "Read-only file system"))
		return 13;
	return store_get(store, "0.crl", &object) == STATUS_OK ? 0 : 14;
}

static void
test_full_and_read_only_disk(void **state)
{
	struct scratch *scratch = *state;
	int result;

	store_close(make_store(scratch));
	result = child_run(full_disk_run, scratch);
	if (result == SCRATCH_NOT_PERMITTED) {
		print_message("SKIP: no mount namespace of its own\n");
		skip();
	}
	assert_int_equal(result, 0);
}

static void
test_sweep(void **state)
{
	static const char *const left[] = {"store/.crlpress-tmp-1-0-0",
	    "store/a/.crlpress-tmp-2-0-0", "store/a/b/.crlpress-tmp-3-0-0"};
	static const char *const kept[] = {
	    "store/a/0.crl", "store/other.tmp", "store/a/.htaccess"};
	struct scratch *scratch = *state;
	struct store *store = make_store(scratch);
	char path[SCRATCH_BYTES + 64];
	char outside[SCRATCH_BYTES + 64];
	int busy;

	assert_int_equal(
	    mkdir(scratch_path(scratch, "store/a", path), 0755), 0);
	assert_int_equal(
	    mkdir(scratch_path(scratch, "store/a/b", path), 0755), 0);
	assert_int_equal(
	    mkdir(scratch_path(scratch, "outside", outside), 0755), 0);
	assert_int_equal(
	    symlink(outside, scratch_path(scratch, "store/out", path)), 0);
	scratch_path(scratch, "outside/.crlpress-tmp-9", outside);
	assert_true(file_make(outside, "x", 1, 0644));
	for (size_t i = 0; i < 3; i++) {
		assert_true(file_make(
		    scratch_path(scratch, left[i], path), "x", 1, 0644));
		assert_true(file_make(
		    scratch_path(scratch, kept[i], path), "x", 1, 0644));
	}
	/* A copy under way is locked by whoever writes it. */
	scratch_path(scratch, "store/.crlpress-tmp-busy", path);
	assert_true(file_make(path, "x", 1, 0600));
	busy = open(path, O_RDWR);
	assert_int_equal(flock(busy, LOCK_EX), 0);
	assert_int_equal(store_sweep(store), STATUS_OK);
	assert_true(file_exists(path));
	assert_true(file_exists(outside));
	for (size_t i = 0; i < 3; i++) {
		assert_false(file_exists(scratch_path(scratch, left[i], path)));
		assert_true(file_exists(scratch_path(scratch, kept[i], path)));
	}
	(void)close(busy);
	assert_int_equal(store_sweep(store), STATUS_OK);
	assert_int_equal(entries_with(store_name(store), ".crlpress-tmp-"), 0);
	assert_true(scratch_silent(scratch));
	store_close(store);
}

/* While somebody has the store's lock nothing is swept, or waited for. */
static void
test_sweep_while_locked(void **state)
{
	struct scratch *scratch = *state;
	struct store *store = make_store(scratch);
	char left[SCRATCH_BYTES + 64];
	char path[SCRATCH_BYTES + 64];
	int lock;

	scratch_path(scratch, "store/.crlpress-tmp-1", left);
	assert_true(file_make(left, "x", 1, 0644));
	assert_true(file_make(
	    scratch_path(scratch, "store/.crlpress-lock", path), "", 0, 0600));
	lock = open(path, O_RDWR);
	assert_int_equal(flock(lock, LOCK_EX), 0);
	assert_int_equal(store_sweep(store), STATUS_OK);
	assert_true(file_exists(left));
	(void)close(lock);
	assert_int_equal(store_sweep(store), STATUS_OK);
	assert_false(file_exists(left));
	store_close(store);
}

/* The manifest in the store's root is one that two old tools understand. */
static void
test_manifest_for_other_tools(void **state)
{
	static const char checks[] =
	    "cd '%s' && sha256sum --strict -c MANIFEST && "
	    "test \"# end $(head -n -1 MANIFEST | cksum)\" = "
	    "\"$(tail -n 1 MANIFEST)\"";
	struct scratch *scratch = *state;
	struct store *store = make_store(scratch);
	struct manifest manifest = {.issuer = strdup("p256-1"),
	    .next_update_sec = 864000,
	    .shard_count = 3};
	char command[2 * SCRATCH_BYTES];
	char out[1024];
	struct store_upload upload;
	struct store_version now;
	const char *why = NULL;
	char *text;
	size_t len;
	FILE *pipe;

	manifest.shard = calloc(3, sizeof(*manifest.shard));
	for (uint32_t i = 0; i < 3; i++) {
		struct manifest_shard *shard = &manifest.shard[i];

		shard->index = i;
		assert_true(asprintf(&shard->key, "p/%u.crl", i) > 0);
		assert_true(asprintf(&shard->url, "http://x/%u", i) > 0);
		stage(scratch, shard->key + 2, shard->url, 10, 0644, shard->key,
		    &upload);
		shard->sha256 = upload.sha256;
		shard->size = 10;
		assert_int_equal(store_put(store, &upload, &now), STATUS_OK);
		upload_free(&upload);
	}
	assert_int_equal(
	    manifest_format(&manifest, &text, &len, &why), STATUS_OK);
	stage(scratch, "m", text, len, 0644, "MANIFEST", &upload);
	assert_int_equal(store_put(store, &upload, &now), STATUS_OK);
	(void)snprintf(command, sizeof(command), checks, store_name(store));
	(void)strncat(command, " 2>&1", sizeof(command) - strlen(command) - 1);
	pipe = popen(command, "r");
	assert_non_null(pipe);
	len = fread(out, 1, sizeof(out) - 1, pipe);
	out[len] = '\0';
	assert_int_equal(pclose(pipe), 0);
	assert_string_equal(out, "p/0.crl: OK\np/1.crl: OK\np/2.crl: OK\n");
	free(text);
	upload_free(&upload);
	manifest_free(&manifest);
	store_close(store);
}

/*
 * Who cuts off an object while somebody reads it is no crlpress; but it must
 * not end the one that reads.
 */
static void
test_cut_off_while_read(void **state)
{
	struct scratch *scratch = *state;
	struct store *store = make_store(scratch);
	struct store_object object;
	char path[SCRATCH_BYTES + 64];
	struct store_upload upload;
	struct store_version now;
	static uint8_t bytes[100000];
	uint64_t sum = 0;

	memset(bytes, 7, sizeof(bytes));
	stage(scratch, "s", (const char *)bytes, sizeof(bytes), 0600, "0.crl",
	    &upload);
	assert_int_equal(store_put(store, &upload, &now), STATUS_OK);
	assert_int_equal(store_get(store, "0.crl", &object), STATUS_OK);
	assert_int_equal(
	    truncate(scratch_path(scratch, "store/0.crl", path), 10), 0);
	for (size_t i = 0; i < object.len; i++)
		sum += object.data[i];
	assert_int_equal(sum, 7 * sizeof(bytes));
	store_object_free(&object);
	upload_free(&upload);
	store_close(store);
}

#define TEST(test) \
	cmocka_unit_test_setup_teardown(test, scratch_setup, scratch_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(test_put_linked),
	    TEST(test_put_copied),
	    TEST(test_file_url),
	    TEST(test_conflict_linked),
	    TEST(test_conflict_copied),
	    TEST(test_ours_already),
	    TEST(test_staged_file_changed),
	    cmocka_unit_test(test_keys_refused),
	    TEST(test_limits),
	    cmocka_unit_test(test_obstacles),
	    TEST(test_staged_link_refused),
	    TEST(test_open_refused),
	    TEST(test_root_removed),
	    TEST(test_directory_without_rights),
	    TEST(test_full_and_read_only_disk),
	    TEST(test_sweep),
	    TEST(test_sweep_while_locked),
	    TEST(test_manifest_for_other_tools),
	    TEST(test_cut_off_while_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
