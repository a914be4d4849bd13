/* SPDX-License-Identifier: ISC */
/*
 * What the HTTP client signs with is in the signature and nowhere else: not in
 * what is said of a failure, not on the heap afterwards.
 */
#include "crlpress/http.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "../lib/http_stand.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static void
test_signature(void **state)
{
	static const struct http_signature signature = {.key_id = "test:KEYID",
	    .secret = "notshown",
	    .session_token = "thetoken",
	    .region = "eu-test-1",
	    .service = "s3"};
	struct http_request request = {.method = HTTP_PUT,
	    .body = "abc",
	    .body_len = 3,
	    .body_sha256 =
		"ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410"
		"ff61f20015ad",
	    .signature = &signature};
	struct stand stand;

	stand_ask(*state, &request, &stand);
	assert_true(stand_has(&stand, "\r\nAuthorization: AWS4-HMAC-SHA256 "
				      "Credential=test:KEYID/"));
	assert_true(stand_has(&stand, "/eu-test-1/s3/aws4_request"));
	assert_true(stand_has(
	    &stand, "\r\nx-amz-content-sha256: ba7816bf8f01cfea414140de5dae"));
	assert_true(
	    stand_has(&stand, "\r\nx-amz-security-token: thetoken\r\n"));
	/* What is not under the signature could be exchanged. */
	assert_true(stand_has(&stand, ";x-amz-content-sha256;"));
	assert_true(stand_has(&stand, ";x-amz-security-token,"));
	assert_null(strstr(stand.request, "notshown"));
	stand_free(&stand);
	request =
	    (struct http_request){.method = HTTP_GET, .signature = &signature};
	stand_ask(*state, &request, &stand);
	assert_true(stand_has(&stand,
	    "\r\nx-amz-content-sha256: e3b0c44298fc1c149afbf4c8996fb92427ae41"
	    "e4649b934ca495991b7852b855\r\n"));
	stand_free(&stand);
}

/* A proxy's URL may hold a password; what is said of it may not. */
static void
test_proxy_secret(void **state)
{
	static const char *const proxies[] = {
	    "nonsense://user:notshown@127.0.0.1:1", "http://user:notshown@[bad",
	    "http://user:notshown@127.0.0.1:1"};
	struct http_config config = stand_config();
	struct http_request request = {
	    .method = HTTP_GET, .url = "http://127.0.0.2:1/", .reply_most = 9};

	config.direct = false;
	for (size_t i = 0; i < COUNT(proxies); i++) {
		struct http *http = stand_client(*state, &config);
		struct http_reply reply;

		assert_int_equal(setenv("http_proxy", proxies[i], 1), 0);
		assert_int_equal(
		    http_call(http, &request, &reply), STATUS_FAILED);
		assert_int_not_equal(reply.outcome, HTTP_ANSWERED);
		assert_null(strstr(reply.why, "notshown"));
		assert_string_not_equal(reply.why, "");
		http_reply_free(&reply);
		http_close(http);
	}
	assert_int_equal(unsetenv("http_proxy"), 0);
}

/* How often a text stands on the heap; -1: there is none to look at. */
static int
heap_count(const char *text)
{
	char line[512];
	FILE *maps = fopen("/proc/self/maps", "r");
	size_t len = strlen(text);
	int count = -1;

	assert_non_null(maps);
	while (fgets(line, sizeof(line), maps) != NULL) {
		unsigned long from;
		unsigned long to;
		const char *at;

		if (strstr(line, "[heap]") == NULL ||
		    sscanf(line, "%lx-%lx", &from, &to) != 2)
			continue;
		count = 0;
		at = (const char *)from;
		while ((at = memmem(at, to - (unsigned long)(uintptr_t)at, text,
			    len)) != NULL) {
			count++;
			at++;
		}
	}
	(void)fclose(maps);
	return count;
}

/* A secret is nowhere on the heap once it was used. */
static void
test_wiped(void **state)
{
	/* On the stack, and in no string of the program. */
	char secret[24] = "sekrit-";
	char token[24] = "tokin-";
	const struct http_signature signature = {.key_id = "id",
	    .secret = secret,
	    .session_token = token,
	    .region = "r",
	    .service = "s3"};
	struct http_request request = {
	    .method = HTTP_GET, .signature = &signature};
	struct stand stand;
	char *witness;

	for (size_t i = 0; i < 12; i++) {
		secret[7 + i] = (char)('a' + i * 7 % 26);
		token[6 + i] = (char)('z' - i * 5 % 26);
	}
	if (heap_count("sekrit-") < 0)
		skip();
	stand_ask(*state, &request, &stand);
	/* The server has seen it; it is not who is asked here. */
	explicit_bzero(stand.request, STAND_REQUEST_BYTES);
	stand_free(&stand);
	assert_int_equal(heap_count(secret), 0);
	assert_int_equal(heap_count(token), 0);
	/* And one that is there would be found. */
	witness = strdup(secret);
	assert_non_null(witness);
	assert_int_equal(heap_count(secret), 1);
	free(witness);
}

int
main(void)
{
#define TEST(function)                   \
	cmocka_unit_test_setup_teardown( \
	    function, scratch_setup, scratch_teardown)
	const struct CMUnitTest tests[] = {
	    TEST(test_signature),
	    TEST(test_proxy_secret),
	    TEST(test_wiped),
	};

	return cmocka_run_group_tests_name("http_secret", tests, NULL, NULL);
}
