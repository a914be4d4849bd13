/* SPDX-License-Identifier: ISC */
/*
 * The directory store when more than one is at it: threads and processes that
 * replace the same version, readers during replacements, many keys at once,
 * and processes that are killed.
 */
#include "crlpress/store.h"

#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "../lib/store_scratch.h"

#define RACERS 16
#define REPLACEMENTS 500
#define READERS 4

/* Two pages and a bit, so that a torn file would show. */
#define BODY_BYTES 9001

/* One of the racers: all would replace the same version. */
struct racer {
	struct store *store;
	struct store_upload upload;
	pthread_barrier_t *start;
	enum status status;
};

static void *
racer_run(void *arg)
{
	struct racer *racer = arg;
	struct store_version now;

	(void)pthread_barrier_wait(racer->start);
	racer->status = store_put(racer->store, &racer->upload, &now);
	return NULL;
}

static void
stage_racer(struct scratch *scratch, int i, mode_t mode,
    const struct store_version *replaces, struct store_upload *upload)
{
	char name[32];
	char body[32];

	(void)snprintf(name, sizeof(name), "racer-%d", i);
	(void)snprintf(body, sizeof(body), "body of %04d", i);
	stage(scratch, name, body, strlen(body), mode, "0.crl", upload);
	upload->replaces = *replaces;
}

/* Races threads; gives the version of the winner. */
static void
race_threads(struct scratch *scratch, struct store *store, mode_t mode,
    struct store_version *version)
{
	struct racer racer[RACERS];
	struct store_object object;
	pthread_t thread[RACERS];
	pthread_barrier_t start;
	int winner = -1;

	assert_int_equal(pthread_barrier_init(&start, NULL, RACERS), 0);
	for (int i = 0; i < RACERS; i++) {
		racer[i].store = store;
		racer[i].start = &start;
		stage_racer(scratch, i, mode, version, &racer[i].upload);
		assert_int_equal(
		    pthread_create(&thread[i], NULL, racer_run, &racer[i]), 0);
	}
	for (int i = 0; i < RACERS; i++)
		assert_int_equal(pthread_join(thread[i], NULL), 0);
	for (int i = 0; i < RACERS; i++) {
		if (racer[i].status == STATUS_OK) {
			assert_int_equal(winner, -1);
			winner = i;
		} else {
			assert_int_equal(racer[i].status, STATUS_CONFLICT);
		}
	}
	assert_int_not_equal(winner, -1);
	assert_int_equal(store_get(store, "0.crl", &object), STATUS_OK);
	assert_true(
	    file_is(racer[winner].upload.path, object.data, object.len));
	*version = object.version;
	store_object_free(&object);
	for (int i = 0; i < RACERS; i++)
		upload_free(&racer[i].upload);
	(void)pthread_barrier_destroy(&start);
}

static void
test_race_of_threads(void **state)
{
	struct scratch *scratch = *state;
	struct store *store = make_store(scratch);
	struct store_version version = {.text = ""};

	for (int round = 0; round < 20; round++)
		race_threads(scratch, store, round % 2 ? 0600 : 0644, &version);
	assert_int_equal(entries_with(scratch->path, ".crlpress-tmp-"), 0);
	assert_true(scratch_silent(scratch));
	store_close(store);
}

/* Races processes, each with a store of its own; `version` as above. */
static void
race_processes(struct scratch *scratch, const char *path, mode_t mode,
    const struct store_version *version)
{
	pid_t pid[RACERS];
	int start[2];
	int winners = 0;

	assert_int_equal(pipe(start), 0);
	for (int i = 0; i < RACERS; i++) {
		struct store_upload upload;

		stage_racer(scratch, i, mode, version, &upload);
		pid[i] = fork();
		if (pid[i] == 0) {
			struct store *store = open_store(scratch, path);
			struct store_version now;
			char byte;

			(void)close(start[1]);
			if (store == NULL || read(start[0], &byte, 1) != 0)
				_exit(90);
			_exit((int)store_put(store, &upload, &now));
		}
		assert_true(pid[i] > 0);
		upload_free(&upload);
	}
	/* The end of the file is the signal to all of them. */
	(void)close(start[0]);
	(void)close(start[1]);
	for (int i = 0; i < RACERS; i++) {
		int status;

		assert_int_equal(waitpid(pid[i], &status, 0), pid[i]);
		assert_true(WIFEXITED(status));
		if (WEXITSTATUS(status) == STATUS_OK)
			winners++;
		else
			assert_int_equal(WEXITSTATUS(status), STATUS_CONFLICT);
	}
	assert_int_equal(winners, 1);
}

static void
test_race_of_processes(void **state)
{
	struct scratch *scratch = *state;
	struct store *store = make_store(scratch);
	struct store_version version = {.text = ""};

	for (int round = 0; round < 20; round++) {
		struct store_object object;

		race_processes(scratch, store_name(store),
		    round % 2 ? 0600 : 0644, &version);
		assert_int_equal(store_get(store, "0.crl", &object), STATUS_OK);
		version = object.version;
		store_object_free(&object);
	}
	assert_int_equal(entries_with(scratch->path, ".crlpress-tmp-"), 0);
	store_close(store);
}

/* A reader: what it gets is one body or another, whole. */
struct reader {
	struct store *store;
	atomic_bool *stop;
	unsigned long read;
	unsigned long wrong;
};

static bool
body_whole(const uint8_t *data, size_t len)
{
	if (len != BODY_BYTES)
		return false;
	for (size_t i = 1; i < len; i++)
		if (data[i] != data[0])
			return false;
	return true;
}

static void *
reader_run(void *arg)
{
	struct reader *reader = arg;

	while (!*reader->stop) {
		struct store_object object;

		if (store_get(reader->store, "d/0.crl", &object) != STATUS_OK ||
		    !body_whole(object.data, object.len))
			reader->wrong++;
		store_object_free(&object);
		reader->read++;
	}
	return NULL;
}

static void
test_readers_see_whole_objects(void **state)
{
	struct scratch *scratch = *state;
	struct store *store = make_store(scratch);
	struct reader reader[READERS];
	pthread_t thread[READERS];
	struct store_version version = {.text = ""};
	atomic_bool stop = false;

	for (int i = -1; i < REPLACEMENTS; i++) {
		struct store_upload upload;
		char body[BODY_BYTES];

		memset(body, 'A' + (i + 1) % 26, sizeof(body));
		stage(scratch, "s", body, sizeof(body), i % 2 ? 0600 : 0644,
		    "d/0.crl", &upload);
		upload.replaces = version;
		assert_int_equal(
		    store_put(store, &upload, &version), STATUS_OK);
		assert_int_equal(unlink(upload.path), 0);
		upload_free(&upload);
		if (i >= 0)
			continue;
		for (int k = 0; k < READERS; k++) {
			reader[k] = (struct reader){store, &stop, 0, 0};
			assert_int_equal(pthread_create(&thread[k], NULL,
					     reader_run, &reader[k]),
			    0);
		}
	}
	stop = true;
	for (int k = 0; k < READERS; k++) {
		assert_int_equal(pthread_join(thread[k], NULL), 0);
		assert_int_equal(reader[k].wrong, 0);
		assert_true(reader[k].read > 0);
	}
	assert_true(scratch_silent(scratch));
	store_close(store);
}

/* Threads put many keys in new directories at once, then it is synced. */
struct filler {
	struct scratch *scratch;
	struct store *store;
	int index;
	enum status status;
};

static void *
filler_run(void *arg)
{
	struct filler *filler = arg;

	for (int i = 0; i < 25 && filler->status == STATUS_OK; i++) {
		char path[SCRATCH_BYTES + 64];
		char name[64];
		char key[64];
		struct store_upload upload = {.key = key, .path = path};
		struct store_version now;

		(void)snprintf(name, sizeof(name), "f-%d-%d", filler->index, i);
		(void)snprintf(
		    key, sizeof(key), "p/%d/%d.crl", i, filler->index);
		scratch_path(filler->scratch, name, path);
		upload.size = strlen(name);
		if (!file_make(path, name, strlen(name), 0644) ||
		    hash_bytes((const uint8_t *)name, strlen(name),
			&upload.sha256) != STATUS_OK)
			filler->status = STATUS_IO;
		else
			filler->status =
			    store_put(filler->store, &upload, &now);
		if (i == 12 && filler->status == STATUS_OK)
			filler->status = store_sync(filler->store);
	}
	return NULL;
}

static void
test_many_keys_at_once(void **state)
{
	struct scratch *scratch = *state;
	struct store *store = make_store(scratch);
	struct filler filler[8];
	struct store_object object;
	pthread_t thread[8];

	for (int i = 0; i < 8; i++) {
		filler[i] = (struct filler){scratch, store, i, STATUS_OK};
		assert_int_equal(
		    pthread_create(&thread[i], NULL, filler_run, &filler[i]),
		    0);
	}
	for (int i = 0; i < 8; i++) {
		assert_int_equal(pthread_join(thread[i], NULL), 0);
		assert_int_equal(filler[i].status, STATUS_OK);
	}
	assert_int_equal(store_sync(store), STATUS_OK);
	assert_int_equal(store_get(store, "p/24/7.crl", &object), STATUS_OK);
	assert_int_equal(object.len, 6);
	assert_memory_equal(object.data, "f-7-24", 6);
	store_object_free(&object);
	assert_int_equal(entries_with(store_name(store), "[0-9]*.crl"), 200);
	store_close(store);
}

/* Another run sweeps all the time: it must not take what is in use. */
static void *
sweeper_run(void *arg)
{
	struct reader *sweeper = arg;

	while (!*sweeper->stop) {
		if (store_sweep(sweeper->store) != STATUS_OK)
			sweeper->wrong++;
		sweeper->read++;
	}
	return NULL;
}

static void
test_sweep_during_puts(void **state)
{
	struct scratch *scratch = *state;
	struct store *store = make_store(scratch);
	struct store_version version = {.text = ""};
	atomic_bool stop = false;
	struct reader sweeper = {store, &stop, 0, 0};
	pthread_t thread;

	assert_int_equal(
	    pthread_create(&thread, NULL, sweeper_run, &sweeper), 0);
	for (int i = 0; i < 300; i++) {
		struct store_upload upload;

		stage_racer(scratch, i, i % 2 ? 0600 : 0644, &version, &upload);
		assert_int_equal(
		    store_put(store, &upload, &version), STATUS_OK);
		upload_free(&upload);
	}
	stop = true;
	assert_int_equal(pthread_join(thread, NULL), 0);
	assert_int_equal(sweeper.wrong, 0);
	assert_true(sweeper.read > 0);
	assert_true(scratch_silent(scratch));
	store_close(store);
}

/* In a child: puts until it is killed. */
static int
put_for_ever(struct scratch *scratch)
{
	char path[SCRATCH_BYTES + 64];
	struct store *store;

	scratch_path(scratch, "store", path);
	store = open_store(scratch, path);
	if (store == NULL)
		return 1;
	for (int i = 0;; i++) {
		char body[BODY_BYTES];
		struct store_upload upload;
		struct store_object object;
		struct store_version now;

		memset(body, 'A' + i % 26, sizeof(body));
		stage(scratch, "s", body, sizeof(body), i % 2 ? 0600 : 0644,
		    "0.crl", &upload);
		if (store_get(store, "0.crl", &object) == STATUS_OK)
			upload.replaces = object.version;
		store_object_free(&object);
		if (store_put(store, &upload, &now) != STATUS_OK)
			return 2;
		(void)unlink(upload.path);
		upload_free(&upload);
	}
}

static void
test_killed_puts(void **state)
{
	struct scratch *scratch = *state;
	struct store *store = make_store(scratch);

	for (int i = 0; i < 40; i++) {
		pid_t pid = fork();
		struct store_object object;
		enum status status;
		int how;

		if (pid == 0)
			_exit(put_for_ever(scratch));
		assert_true(pid > 0);
		(void)usleep((useconds_t)(2000 + 531 * i));
		assert_int_equal(kill(pid, SIGKILL), 0);
		assert_int_equal(waitpid(pid, &how, 0), pid);
		assert_true(WIFSIGNALED(how));
		status = store_get(store, "0.crl", &object);
		if (status != STATUS_NOT_FOUND) {
			assert_int_equal(status, STATUS_OK);
			assert_true(body_whole(object.data, object.len));
		}
		store_object_free(&object);
	}
	assert_int_equal(store_sweep(store), STATUS_OK);
	assert_int_equal(entries_with(store_name(store), ".crlpress-tmp-"), 0);
	store_close(store);
}

#define TEST(test) \
	cmocka_unit_test_setup_teardown(test, scratch_setup, scratch_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(test_race_of_threads),
	    TEST(test_race_of_processes),
	    TEST(test_readers_see_whole_objects),
	    TEST(test_many_keys_at_once),
	    TEST(test_sweep_during_puts),
	    TEST(test_killed_puts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
