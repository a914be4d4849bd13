/* SPDX-License-Identifier: ISC */
/*
 * Configurations beside each other without memory: nobody knows what they
 * share, so that none is used. What they share is told by tests/e2e.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cmocka.h>

#include "crlpress/config_peer.h"

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED true
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define SANITIZED true
#endif
#endif
#ifndef SANITIZED
#define SANITIZED false
#endif

/* What may be had beyond what there is, and what is asked for in vain. */
#define ROOM_BYTES ((rlim_t)16 << 20)
#define LONG_BYTES ((size_t)64 << 20)

#define PEERS 3

struct stand {
	struct rlimit before;
	struct report *report;
	FILE *stream;
	char *said;
	size_t said_len;
	char *text; /* of LONG_BYTES */
	struct config config[PEERS];
	struct config_peer peer[PEERS];
};

static int
stand_set_up(void **state)
{
	struct stand *stand = calloc(1, sizeof(*stand));
	static char names[PEERS][4] = {"a", "b", "c"};
	static char stores[PEERS][16] = {"/none/a", "/none/b", "/none/c"};
	static char manifest[] = "manifest.txt", object[] = "{shard}.crl";

	assert_non_null(stand);
	stand->stream = open_memstream(&stand->said, &stand->said_len);
	assert_non_null(stand->stream);
	stand->report = report_new(stand->stream, SEVERITY_NOTE);
	assert_non_null(stand->report);
	stand->text = malloc(LONG_BYTES);
	assert_non_null(stand->text);
	memset(stand->text, 'x', LONG_BYTES);
	stand->text[0] = '/';
	stand->text[LONG_BYTES - 1] = '\0';
	for (size_t i = 0; i < PEERS; i++) {
		stand->config[i].name = stand->config[i].path = names[i];
		stand->config[i].store_url = stores[i];
		stand->config[i].manifest_key = manifest;
		stand->config[i].object_pattern = object;
		stand->config[i].shards.count = 1;
		stand->peer[i].config = &stand->config[i];
	}
	*state = stand;
	return 0;
}

static int
stand_tear_down(void **state)
{
	struct stand *stand = *state;

	report_free(stand->report);
	(void)fclose(stand->stream);
	free(stand->said);
	free(stand->text);
	free(stand);
	return 0;
}

/* A sanitizer's own memory is more than any limit. */
static void
need_limit(void)
{
	if (!SANITIZED)
		return;
	print_message("SKIP: no limit of memory under a sanitizer\n");
	skip();
}

/* Room for what is small from here on. */
static void
memory_ends(struct stand *stand)
{
	long pages = 0;
	FILE *stream = fopen("/proc/self/statm", "re");
	struct rlimit limit;

	assert_non_null(stream);
	assert_int_equal(fscanf(stream, "%ld", &pages), 1);
	(void)fclose(stream);
	assert_int_equal(getrlimit(RLIMIT_AS, &stand->before), 0);
	limit = stand->before;
	limit.rlim_cur =
	    (rlim_t)pages * (rlim_t)sysconf(_SC_PAGESIZE) + ROOM_BYTES;
	assert_int_equal(setrlimit(RLIMIT_AS, &limit), 0);
}

static void
memory_is_back(const struct stand *stand)
{
	assert_int_equal(setrlimit(RLIMIT_AS, &stand->before), 0);
}

static void
none_is_used(const struct stand *stand, enum status status)
{
	report_close(stand->report);
	(void)fflush(stand->stream);
	assert_int_equal(status, STATUS_NO_MEMORY);
	assert_non_null(strstr(stand->said, "out of memory: what files share"));
}

static void
test_all_is_well(void **state)
{
	struct stand *stand = *state;

	assert_int_equal(
	    config_peers_check(stand->peer, PEERS, stand->report), STATUS_OK);
	assert_int_equal(
	    config_peers_check_expiry(stand->peer, PEERS, stand->report),
	    STATUS_OK);
	for (size_t i = 0; i < PEERS; i++)
		assert_false(stand->peer[i].refused);
}

/* Those before it and those behind it, whatever it is that is too long. */
static void
test_one_is_too_long(void **state)
{
	struct stand *stand = *state;
	struct config *config = &stand->config[1];
	char **const texts[] = {&config->store_url, &config->manifest_key,
	    &config->object_pattern, &config->url_pattern};

	need_limit();
	for (size_t n = 0; n < sizeof(texts) / sizeof(texts[0]); n++) {
		char *kept = *texts[n];
		enum status status;

		for (size_t i = 0; i < PEERS; i++)
			stand->peer[i].refused = false;
		*texts[n] = stand->text;
		memory_ends(stand);
		status = config_peers_check(stand->peer, PEERS, stand->report);
		memory_is_back(stand);
		*texts[n] = kept;
		none_is_used(stand, status);
		for (size_t i = 0; i < PEERS; i++)
			assert_true(stand->peer[i].refused);
	}
}

static void
test_too_many(void **state)
{
	const size_t count = LONG_BYTES / sizeof(struct config_peer);
	struct stand *stand = *state;
	struct config_peer *many;
	enum status status;

	need_limit();
	many = calloc(count, sizeof(*many));
	assert_non_null(many);
	memory_ends(stand);
	status = config_peers_check(many, count, stand->report);
	memory_is_back(stand);
	none_is_used(stand, status);
	assert_true(many[0].refused && many[count - 1].refused);
	free(many);
}

static void
test_expiry_file_is_too_long(void **state)
{
	struct stand *stand = *state;
	enum status status;

	need_limit();
	stand->text[LONG_BYTES / 2] = '/';
	stand->config[1].ocsp_expiry_file = stand->text;
	memory_ends(stand);
	status = config_peers_check_expiry(stand->peer, PEERS, stand->report);
	memory_is_back(stand);
	none_is_used(stand, status);
}

#define STAND(test) \
	cmocka_unit_test_setup_teardown(test, stand_set_up, stand_tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    STAND(test_all_is_well),
	    STAND(test_one_is_too_long),
	    STAND(test_too_many),
	    STAND(test_expiry_file_is_too_long),
	};

	return cmocka_run_group_tests_name("config_peer", tests, NULL, NULL);
}
