/* SPDX-License-Identifier: ISC */
/*
 * The HTTP client against a server that answers as each test wants it: whole
 * replies and broken ones, bodies, limits. full_http_secret.c has what is
 * signed and kept secret.
 */
#include "crlpress/http.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "../lib/http_stand.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define BIG_BYTES 300000

static bool
always(void)
{
	return true;
}

/* One call of a GET to a server with these answers. */
static enum status
get(struct scratch *scratch, const struct stand_answer *answer, size_t count,
    const struct http_config *config, uint64_t most, struct http_reply *reply)
{
	struct http_request request = {.method = HTTP_GET, .reply_most = most};
	struct http *http = stand_client(scratch, config);
	struct stand stand;
	enum status status;
	char url[128];

	stand_start(&stand, answer, count);
	request.url = stand_url(&stand, url);
	status = http_call(http, &request, reply);
	http_close(http);
	stand_stop(&stand);
	stand_free(&stand);
	return status;
}

static void
test_reply(void **state)
{
	static const struct stand_answer answer[] = {
	    {"HTTP/1.1 100 Continue\r\nETag: \"not-this\"\r\n\r\n"
	     "HTTP/1.1 404 Not Found\r\nETag:  \"abc\" \t\r\nX-Two: a\r\n"
	     "x-two: a\r\nX-Other: a\r\nX-Other: b\r\nEmpty:\r\n"
	     "Content-Length: 5\r\n\r\nhello",
		0, STAND_KEEP, false}};
	struct http_config config = stand_config();
	struct http_reply reply;

	assert_int_equal(get(*state, answer, 1, &config, 0, &reply), STATUS_OK);
	assert_int_equal(reply.outcome, HTTP_ANSWERED);
	assert_int_equal(reply.code, 404);
	assert_string_equal((char *)reply.body, "hello");
	assert_int_equal(reply.body_len, 5);
	assert_string_equal(http_reply_header(&reply, "etag"), "\"abc\"");
	assert_string_equal(http_reply_header(&reply, "X-TWO"), "a");
	assert_null(http_reply_header(&reply, "X-Other"));
	assert_string_equal(http_reply_header(&reply, "empty"), "");
	assert_null(http_reply_header(&reply, "X"));
	assert_null(http_reply_header(&reply, "X-Two: a"));
	assert_string_equal(reply.why, "");
	http_reply_free(&reply);
	assert_null(reply.body);
	assert_null(http_reply_header(&reply, "etag"));
	http_reply_free(NULL);
	assert_true(scratch_silent(*state));
}

/* Whoever follows a redirect shows its signature to somebody else. */
static void
test_redirect(void **state)
{
	static const struct stand_answer answer[] = {
	    {"HTTP/1.1 302 Found\r\nLocation: /other\r\nSet-Cookie: a=b\r\n"
	     "Content-Length: 0\r\n\r\n",
		0, STAND_KEEP, false},
	    {STAND_OK, 0, STAND_KEEP, false}};
	struct http_config config = stand_config();
	struct http_reply reply;

	assert_int_equal(
	    get(*state, answer, 2, &config, 10, &reply), STATUS_OK);
	assert_int_equal(reply.code, 302);
	assert_null(reply.body);
	http_reply_free(&reply);
}

struct broken {
	struct stand_answer answer;
	enum http_outcome outcome;
};

/* None of these is an answer, whatever its first line says. */
static void
test_broken(void **state)
{
	static const struct broken cases[] = {
	    {{"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello", 0,
		 STAND_CLOSE, false},
		HTTP_UNANSWERED},
	    {{"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello", 0,
		 STAND_RESET, false},
		HTTP_UNANSWERED},
	    {{"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n"
	      "hello\r\n",
		 0, STAND_CLOSE, false},
		HTTP_UNANSWERED},
	    {{"HTTP/1.1 200 OK\r\nContent-Le", 0, STAND_CLOSE, false},
		HTTP_UNANSWERED},
	    {{"", 0, STAND_CLOSE, false}, HTTP_UNANSWERED},
	    {{"", 0, STAND_RESET, false}, HTTP_UNANSWERED},
	    {{"HTTP/1.1 200 OK\r\nContent-Length: 11\r\n\r\nhello world", 0,
		 STAND_KEEP, false},
		HTTP_TOO_LARGE},
	};
	struct http_config config = stand_config();

	for (size_t i = 0; i < COUNT(cases); i++) {
		/* libcurl tries an idle connection again by itself. */
		const struct stand_answer answer[] = {
		    cases[i].answer, cases[i].answer};
		struct http_reply reply;

		assert_int_equal(
		    get(*state, answer, 2, &config, 10, &reply), STATUS_FAILED);
		assert_int_equal(reply.outcome, cases[i].outcome);
		assert_int_equal(reply.code, 0);
		assert_string_not_equal(reply.why, "");
		assert_null(strpbrk(reply.why, "\r\n"));
		http_reply_free(&reply);
	}
}

/* As large as it may be is not too large. */
static void
test_most(void **state)
{
	static const struct stand_answer answer[] = {
	    {STAND_OK, 0, STAND_KEEP, false}};
	struct http_config config = stand_config();
	struct http_reply reply;

	assert_int_equal(get(*state, answer, 1, &config, 2, &reply), STATUS_OK);
	assert_string_equal((char *)reply.body, "ok");
	http_reply_free(&reply);
	assert_int_equal(
	    get(*state, answer, 1, &config, 1, &reply), STATUS_FAILED);
	assert_int_equal(reply.outcome, HTTP_TOO_LARGE);
	http_reply_free(&reply);
}

/* An error is an error however long its text is; and headers have an end. */
static void
test_long(void **state)
{
	const size_t len = 3 * HTTP_ERROR_BYTES_MOST;
	struct http_config config = stand_config();
	struct stand_answer answer = {.end = STAND_CLOSE};
	struct http_reply reply;
	char *text = malloc(len);
	int head;

	assert_non_null(text);
	memset(text, 'x', len);
	head = sprintf(
	    text, "HTTP/1.1 403 No\r\nContent-Length: %zu\r\n\r\n", len);
	text[head] = '<';
	answer.text = text;
	answer.len = len;
	assert_int_equal(
	    get(*state, &answer, 1, &config, 10, &reply), STATUS_OK);
	assert_int_equal(reply.code, 403);
	assert_int_equal(reply.body_len, HTTP_ERROR_BYTES_MOST);
	assert_int_equal(reply.body[0], '<');
	http_reply_free(&reply);

	memset(text, 'x', len);
	(void)memcpy(text, "HTTP/1.1 200 OK\r\n", 17);
	for (size_t i = 17; i + 100 < len; i += 100)
		memcpy(text + i, "A: ", 3), memcpy(text + i + 98, "\r\n", 2);
	assert_int_equal(
	    get(*state, &answer, 1, &config, 10, &reply), STATUS_FAILED);
	assert_int_not_equal(reply.outcome, HTTP_ANSWERED);
	http_reply_free(&reply);
	free(text);
}

static void
test_nobody(void **state)
{
	struct http_request request = {.method = HTTP_GET, .reply_most = 9};
	struct http_config config = stand_config();
	struct http *http = stand_client(*state, &config);
	struct http_reply reply;
	struct stand stand;
	char url[128];

	/* The port was somebody's a moment ago. */
	stand_start(&stand, NULL, 0);
	stand_stop(&stand);
	stand_free(&stand);
	request.url = stand_url(&stand, url);
	assert_int_equal(http_call(http, &request, &reply), STATUS_FAILED);
	assert_int_equal(reply.outcome, HTTP_UNSENT);
	assert_string_not_equal(reply.why, "");
	http_reply_free(&reply);
	http_close(http);
}

static void
test_hopeless(void **state)
{
	static const char *const urls[] = {
	    "ftp://127.0.0.1/", "http://", "file:///etc/passwd", "http://a b/"};
	struct http_request request = {.method = HTTP_GET, .reply_most = 9};
	struct http_config config = stand_config();
	struct http *http = stand_client(*state, &config);
	struct http_reply reply;

	for (size_t i = 0; i < COUNT(urls); i++) {
		request.url = urls[i];
		assert_int_equal(
		    http_call(http, &request, &reply), STATUS_FAILED);
		assert_int_equal(reply.outcome, HTTP_HOPELESS);
		http_reply_free(&reply);
	}
	http_close(http);
}

/* A server that does not speak TLS will not learn it. */
static void
test_no_tls(void **state)
{
	static const struct stand_answer answer[] = {
	    {"HTTP/1.1 400 Bad Request\r\n\r\n", 0, STAND_CLOSE, true}};
	struct http_request request = {.method = HTTP_GET, .reply_most = 9};
	struct http_config config = stand_config();
	struct http *http = stand_client(*state, &config);
	struct sockaddr_in address = {.sin_family = AF_INET,
	    .sin_addr = {.s_addr = htonl(INADDR_LOOPBACK)}};
	struct http_reply reply;
	char url[128];
	pid_t child;
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	socklen_t len = sizeof(address);

	assert_int_equal(bind(fd, (struct sockaddr *)&address, len), 0);
	assert_int_equal(listen(fd, 1), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &len), 0);
	/* It waits for no end of a line: a greeting of TLS has none. */
	child = fork();
	if (child == 0) {
		int peer = accept(fd, NULL, NULL);
		char byte;

		if (read(peer, &byte, 1) == 1)
			(void)!write(
			    peer, answer[0].text, strlen(answer[0].text));
		_exit(0);
	}
	(void)snprintf(url, sizeof(url), "https://127.0.0.1:%u/",
	    (unsigned)ntohs(address.sin_port));
	request.url = url;
	assert_int_equal(http_call(http, &request, &reply), STATUS_FAILED);
	assert_int_equal(reply.outcome, HTTP_HOPELESS);
	http_reply_free(&reply);
	http_close(http);
	(void)close(fd);
	(void)waitpid(child, NULL, 0);
}

/* A server that is silent is not waited for longer than was said. */
static void
test_stall(void **state)
{
	static const struct stand_answer answer[] = {
	    {"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhe", 0, STAND_HANG,
		false}};
	struct http_config config = stand_config();
	struct http_request request = {
	    .method = HTTP_GET, .reply_most = 9, .timeout_ms = 300};
	struct http_reply reply;
	const char *told;
	struct stand stand;
	struct http *http;
	char url[128];

	config.stall_timeout_sec = 1;
	assert_int_equal(
	    get(*state, answer, 1, &config, 9, &reply), STATUS_FAILED);
	assert_int_equal(reply.outcome, HTTP_UNANSWERED);
	assert_non_null(strstr(reply.why, "too slow"));
	http_reply_free(&reply);
	config = stand_config();
	config.request_timeout_sec = 1;
	assert_int_equal(
	    get(*state, answer, 1, &config, 9, &reply), STATUS_FAILED);
	assert_int_equal(reply.outcome, HTTP_UNANSWERED);
	http_reply_free(&reply);
	/* And a request may have less time than the client gives. */
	config = stand_config();
	http = stand_client(*state, &config);
	stand_start(&stand, answer, 1);
	request.url = stand_url(&stand, url);
	assert_int_equal(http_call(http, &request, &reply), STATUS_FAILED);
	assert_int_equal(reply.outcome, HTTP_UNANSWERED);
	told = strstr(reply.why, "after ");
	assert_non_null(told);
	/* By curl's own clock, which may begin a little later. */
	assert_in_range(strtol(told + 6, NULL, 10), 200, 30000);
	http_reply_free(&reply);
	http_close(http);
	stand_stop(&stand);
	stand_free(&stand);
}

static void
test_cancelled(void **state)
{
	static const struct stand_answer answer[] = {
	    {"", 0, STAND_HANG, false}};
	struct http_config config = stand_config();
	struct http_reply reply;

	config.cancelled = always;
	assert_int_equal(
	    get(*state, answer, 1, &config, 9, &reply), STATUS_FAILED);
	assert_int_equal(reply.outcome, HTTP_CANCELLED);
	assert_string_equal(reply.why, "interrupted");
	http_reply_free(&reply);
}

static const char *
body_of(const struct stand *stand)
{
	const char *end = strstr(stand->request, "\r\n\r\n");

	assert_non_null(end);
	return end + 4;
}

static void
test_bodies(void **state)
{
	static const char *const header[] = {
	    "Content-Type: application/pkix-crl", "x-amz-meta-a: b"};
	struct http_request request = {.method = HTTP_PUT,
	    .header = header,
	    .header_count = 2,
	    .body = "some bytes",
	    .body_len = 10};
	char path[SCRATCH_BYTES + 64];
	char *big = malloc(BIG_BYTES);
	struct stand stand;

	assert_non_null(big);
	for (size_t i = 0; i < BIG_BYTES; i++)
		big[i] = (char)('a' + i % 23);
	stand_ask(*state, &request, &stand);
	assert_true(stand_has(&stand, "PUT /bucket/a%20b HTTP/1.1\r\n"));
	assert_true(
	    stand_has(&stand, "\r\nContent-Type: application/pkix-crl\r\n"));
	assert_true(stand_has(&stand, "\r\nx-amz-meta-a: b\r\n"));
	assert_true(stand_has(&stand, "\r\nContent-Length: 10\r\n"));
	assert_string_equal(body_of(&stand), "some bytes");
	assert_null(strstr(stand.request, "Authorization"));
	stand_free(&stand);

	request = (struct http_request){
	    .method = HTTP_PUT, .has_body_fd = true, .body_fd_len = BIG_BYTES};
	assert_true(
	    file_make(scratch_path(*state, "big", path), big, BIG_BYTES, 0600));
	request.body_fd = open(path, O_RDONLY);
	/* From the beginning, wherever the descriptor is. */
	assert_int_equal(lseek(request.body_fd, 100, SEEK_SET), 100);
	stand_ask(*state, &request, &stand);
	assert_true(stand_has(&stand, "\r\nContent-Length: 300000\r\n"));
	assert_memory_equal(body_of(&stand), big, BIG_BYTES);
	assert_int_equal(lseek(request.body_fd, 0, SEEK_CUR), 100);
	(void)close(request.body_fd);
	stand_free(&stand);

	request = (struct http_request){
	    .method = HTTP_POST, .body = "Action=x", .body_len = 8};
	stand_ask(*state, &request, &stand);
	assert_true(stand_has(&stand, "POST /bucket/"));
	assert_string_equal(body_of(&stand), "Action=x");
	stand_free(&stand);
	free(big);
}

static void
test_methods(void **state)
{
	static const struct stand_answer answer[] = {
	    {"HTTP/1.1 200 OK\r\nContent-Length: 99\r\nETag: x\r\n\r\n", 0,
		STAND_KEEP, false}};
	struct http_request request = {.method = HTTP_DELETE};
	struct http_config config = stand_config();
	struct http_reply reply;
	struct stand stand;
	struct http *http;
	char url[128];

	stand_ask(*state, &request, &stand);
	assert_true(stand_has(&stand, "DELETE /bucket/a%20b HTTP/1.1\r\n"));
	stand_free(&stand);
	request = (struct http_request){.method = HTTP_PUT};
	stand_ask(*state, &request, &stand);
	assert_true(stand_has(&stand, "\r\nContent-Length: 0\r\n"));
	stand_free(&stand);
	/* To HEAD no body comes, whatever the length says. */
	http = stand_client(*state, &config);
	stand_start(&stand, answer, 1);
	request = (struct http_request){
	    .method = HTTP_HEAD, .url = stand_url(&stand, url)};
	assert_int_equal(http_call(http, &request, &reply), STATUS_OK);
	assert_string_equal(http_reply_header(&reply, "Content-Length"), "99");
	http_reply_free(&reply);
	http_close(http);
	stand_stop(&stand);
	assert_true(stand_has(&stand, "HEAD /bucket/a%20b HTTP/1.1\r\n"));
	stand_free(&stand);
}

/* A file that is shorter than was said is no body; nor has it an end. */
static void
test_short_file(void **state)
{
	static const struct stand_answer answer[] = {
	    {STAND_OK, 0, STAND_KEEP, false}};
	struct http_config config = stand_config();
	struct http *http = stand_client(*state, &config);
	struct http_request request = {
	    .method = HTTP_PUT, .has_body_fd = true, .body_fd_len = 11};
	char path[SCRATCH_BYTES + 64];
	struct http_reply reply;
	struct stand stand;
	char url[128];

	assert_true(file_make(
	    scratch_path(*state, "short", path), "ten bytes!", 10, 0600));
	request.body_fd = open(path, O_RDONLY);
	stand_start(&stand, answer, 1);
	request.url = stand_url(&stand, url);
	assert_int_equal(http_call(http, &request, &reply), STATUS_FAILED);
	assert_int_equal(reply.outcome, HTTP_LOCAL);
	assert_string_equal(reply.why, "the file is shorter than it was");
	http_reply_free(&reply);
	(void)close(request.body_fd);
	http_close(http);
	stand_stop(&stand);
	stand_free(&stand);
}

/* One connection for one request after the other, none like the one before. */
static void
test_kept(void **state)
{
	static const struct stand_answer answer[] = {
	    {STAND_OK, 0, STAND_KEEP, false}, {STAND_OK, 0, STAND_KEEP, false},
	    {STAND_OK, 0, STAND_KEEP, false}};
	static const char *const header[] = {"X-Once: 1"};
	static const struct http_signature signature = {
	    .key_id = "id", .secret = "s", .region = "r", .service = "s3"};
	const struct http_request requests[] = {
	    {.method = HTTP_PUT, .body = "abc", .body_len = 3, .reply_most = 2},
	    {.method = HTTP_DELETE,
		.header = header,
		.header_count = 1,
		.signature = &signature,
		.reply_most = 2},
	    {.method = HTTP_GET, .reply_most = 2}};
	struct http_config config = stand_config();
	struct http *http = stand_client(*state, &config);
	struct stand stand;
	char url[128];

	stand_start(&stand, answer, 3);
	for (size_t i = 0; i < COUNT(requests); i++) {
		struct http_request request = requests[i];
		struct http_reply reply;

		request.url = stand_url(&stand, url);
		assert_int_equal(http_call(http, &request, &reply), STATUS_OK);
		assert_string_equal((char *)reply.body, "ok");
		http_reply_free(&reply);
	}
	http_close(http);
	stand_stop(&stand);
	assert_int_equal(stand.requests, 3);
	assert_int_equal(stand.connections, 1);
	/* And nothing of those before is in the last. */
	assert_true(stand_has(&stand, "GET /bucket/a%20b HTTP/1.1\r\n"));
	assert_null(strstr(stand.request, "X-Once"));
	assert_null(strstr(stand.request, "Authorization"));
	assert_string_equal(body_of(&stand), "");
	stand_free(&stand);
}

struct crowd {
	struct http *http;
	const char *url;
	atomic_uint served;
};

static void *
crowd_one(void *argument)
{
	struct crowd *crowd = argument;
	struct http_request request = {
	    .method = HTTP_GET, .url = crowd->url, .reply_most = 2};
	struct http_reply reply;

	if (http_call(crowd->http, &request, &reply) == STATUS_OK &&
	    reply.code == 200)
		atomic_fetch_add(&crowd->served, 1);
	http_reply_free(&reply);
	return NULL;
}

/* More threads than handles: each waits for its turn. */
static void
test_crowd(void **state)
{
	struct stand_answer answer[8];
	struct http_config config = stand_config();
	struct crowd crowd = {.http = stand_client(*state, &config)};
	pthread_t thread[8];
	struct stand stand;
	char url[128];

	for (size_t i = 0; i < COUNT(answer); i++)
		answer[i] =
		    (struct stand_answer){STAND_OK, 0, STAND_KEEP, false};
	stand_start(&stand, answer, COUNT(answer));
	crowd.url = stand_url(&stand, url);
	for (size_t i = 0; i < COUNT(thread); i++)
		assert_int_equal(
		    pthread_create(&thread[i], NULL, crowd_one, &crowd), 0);
	for (size_t i = 0; i < COUNT(thread); i++)
		(void)pthread_join(thread[i], NULL);
	assert_int_equal(crowd.served, 8);
	assert_int_equal(stand.connections, 1);
	http_close(crowd.http);
	stand_stop(&stand);
	stand_free(&stand);
}

static void
test_ca_file(void **state)
{
	struct scratch *scratch = *state;
	struct http_config config = stand_config();
	struct http_request request = {.method = HTTP_GET, .reply_most = 9};
	char path[SCRATCH_BYTES + 64];
	struct http_reply reply;
	struct http *http = NULL;

	config.ca_file = scratch_path(scratch, "absent.pem", path);
	assert_int_equal(
	    http_open(&config, scratch->report, &http), STATUS_CONFIG);
	assert_null(http);
	assert_true(scratch_said(scratch, "absent.pem: http: the file of CA"));
	/* One that is there, and is none. */
	assert_true(file_make(path, "no certificate\n", 15, 0600));
	http = stand_client(scratch, &config);
	request.url = "https://127.0.0.1:1/";
	assert_int_equal(http_call(http, &request, &reply), STATUS_FAILED);
	assert_int_not_equal(reply.outcome, HTTP_ANSWERED);
	http_reply_free(&reply);
	http_close(http);
	http_close(NULL);
}

int
main(void)
{
#define TEST(function)                   \
	cmocka_unit_test_setup_teardown( \
	    function, scratch_setup, scratch_teardown)
	const struct CMUnitTest tests[] = {
	    TEST(test_reply),
	    TEST(test_redirect),
	    TEST(test_broken),
	    TEST(test_most),
	    TEST(test_long),
	    TEST(test_nobody),
	    TEST(test_hopeless),
	    TEST(test_no_tls),
	    TEST(test_stall),
	    TEST(test_cancelled),
	    TEST(test_bodies),
	    TEST(test_methods),
	    TEST(test_short_file),
	    TEST(test_kept),
	    TEST(test_crowd),
	    TEST(test_ca_file),
	};

	return cmocka_run_group_tests_name("http", tests, NULL, NULL);
}
