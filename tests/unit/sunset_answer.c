/* SPDX-License-Identifier: ISC */
/* The exact bytes of every answer, and which of them a request gets. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../../src/sunset/answer.h"
#include "../../src/sunset/choice.h"
#include "../../src/sunset/schedule.h"
#include "../lib/scratch.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* RFC 9110, 5.6.7 has this one for an example. */
#define EXAMPLE_SEC 784111777
#define EXAMPLE "Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n"

#define OCSP "Content-Type: application/ocsp-response\r\n"
#define NO_CACHE "Cache-Control: no-cache\r\n"
#define NO_STORE "Cache-Control: no-store\r\n"
#define LENGTH(n) "Content-Length: " n "\r\n"
#define ALLOW "Allow: GET, HEAD, POST, OPTIONS\r\n"
#define END "\r\n"

struct answer_row {
	enum answer_text text;
	const char *head; /* without Connection and the empty line */
	const char *body;
	size_t body_len;
};

static const struct answer_row answers[] = {
    {ANSWER_TEXT_UNAUTHORIZED,
	"HTTP/1.1 200 OK\r\n" EXAMPLE OCSP NO_CACHE LENGTH("5"),
	"\x30\x03\x0a\x01\x06", 5},
    {ANSWER_TEXT_TRYLATER,
	"HTTP/1.1 200 OK\r\n" EXAMPLE OCSP NO_CACHE LENGTH("5"),
	"\x30\x03\x0a\x01\x03", 5},
    {ANSWER_TEXT_INTERNAL,
	"HTTP/1.1 200 OK\r\n" EXAMPLE OCSP NO_CACHE LENGTH("5"),
	"\x30\x03\x0a\x01\x02", 5},
    {ANSWER_TEXT_GONE, "HTTP/1.1 410 Gone\r\n" EXAMPLE NO_CACHE LENGTH("0"), "",
	0},
    {ANSWER_TEXT_NOT_FOUND,
	"HTTP/1.1 404 Not Found\r\n" EXAMPLE NO_CACHE LENGTH("0"), "", 0},
    {ANSWER_TEXT_UNAVAILABLE,
	"HTTP/1.1 503 Service Unavailable\r\n" EXAMPLE NO_CACHE
	"Retry-After: 3600\r\n" LENGTH("0"),
	"", 0},
    {ANSWER_TEXT_HEALTH,
	"HTTP/1.1 200 OK\r\n" EXAMPLE
	"Content-Type: text/plain\r\n" NO_STORE LENGTH("3"),
	"ok\n", 3},
    {ANSWER_TEXT_OPTIONS, "HTTP/1.1 200 OK\r\n" EXAMPLE ALLOW LENGTH("0"), "",
	0},
    {ANSWER_TEXT_400,
	"HTTP/1.1 400 Bad Request\r\n" EXAMPLE NO_STORE LENGTH("0"), "", 0},
    {ANSWER_TEXT_405,
	"HTTP/1.1 405 Method Not Allowed\r\n" EXAMPLE NO_STORE ALLOW LENGTH(
	    "0"),
	"", 0},
    {ANSWER_TEXT_408,
	"HTTP/1.1 408 Request Timeout\r\n" EXAMPLE NO_STORE LENGTH("0"), "", 0},
    {ANSWER_TEXT_411,
	"HTTP/1.1 411 Length Required\r\n" EXAMPLE NO_STORE LENGTH("0"), "", 0},
    {ANSWER_TEXT_413,
	"HTTP/1.1 413 Content Too Large\r\n" EXAMPLE NO_STORE LENGTH("0"), "",
	0},
    {ANSWER_TEXT_414,
	"HTTP/1.1 414 URI Too Long\r\n" EXAMPLE NO_STORE LENGTH("0"), "", 0},
    {ANSWER_TEXT_417,
	"HTTP/1.1 417 Expectation Failed\r\n" EXAMPLE NO_STORE LENGTH("0"), "",
	0},
    {ANSWER_TEXT_431,
	"HTTP/1.1 431 Request Header Fields Too Large\r\n" EXAMPLE NO_STORE
	    LENGTH("0"),
	"", 0},
    {ANSWER_TEXT_501,
	"HTTP/1.1 501 Not Implemented\r\n" EXAMPLE NO_STORE LENGTH("0"), "", 0},
    {ANSWER_TEXT_505,
	"HTTP/1.1 505 HTTP Version Not Supported\r\n" EXAMPLE NO_STORE LENGTH(
	    "0"),
	"", 0},
};
_Static_assert(COUNT(answers) == ANSWER_TEXTS, "a row for each answer");

static const char *const connections[] = {
    [ANSWER_SILENT] = "",
    [ANSWER_KEEP_ALIVE] = "Connection: keep-alive\r\n",
    [ANSWER_CLOSING] = "Connection: close\r\n",
};

static void
test_bytes(void **state)
{
	struct answer_set *set = malloc(sizeof(*set));
	char want[ANSWER_BYTES_MOST + 1];

	(void)state;
	assert_non_null(set);
	answer_set_init(set, 0, 3600);
	for (size_t i = 0; i < COUNT(answers); i++)
		for (unsigned k = 0; k < ANSWER_CONNECTIONS; k++) {
			const struct answer *answer =
			    answer_get(set, answers[i].text,
				(enum answer_connection)k, EXAMPLE_SEC);
			int len = snprintf(want, sizeof(want), "%s%s\r\n",
			    answers[i].head, connections[k]);

			assert_int_equal(answer->head_len, len);
			assert_int_equal(
			    answer->len, (size_t)len + answers[i].body_len);
			assert_memory_equal(answer->octet, want, (size_t)len);
			assert_memory_equal(answer->octet + len,
			    answers[i].body, answers[i].body_len);
		}
	free(set);
}

static void
test_cache(void **state)
{
	struct answer_set *set = malloc(sizeof(*set));
	const struct answer *answer;

	(void)state;
	assert_non_null(set);
	answer_set_init(set, 300, 3600);
	answer = answer_get(
	    set, ANSWER_TEXT_UNAUTHORIZED, ANSWER_SILENT, EXAMPLE_SEC);
	assert_non_null(
	    strstr(answer->octet, "Cache-Control: max-age=300\r\n"));
	assert_null(strstr(answer->octet, "no-cache"));
	/* What is wrong in itself is never to be kept. */
	answer = answer_get(set, ANSWER_TEXT_400, ANSWER_CLOSING, EXAMPLE_SEC);
	assert_non_null(strstr(answer->octet, NO_STORE));
	/* The longest there can be. */
	answer_set_init(set, 2592000, 31536000);
	answer = answer_get(
	    set, ANSWER_TEXT_UNAVAILABLE, ANSWER_KEEP_ALIVE, EXAMPLE_SEC);
	assert_true(answer->len < ANSWER_BYTES_MOST);
	assert_non_null(strstr(answer->octet, "Retry-After: 31536000\r\n"));
	free(set);
}

/* The date is that of the request, also when another answer had it first. */
static void
test_date(void **state)
{
	static const struct {
		int64_t sec;
		const char *text;
	} dates[] = {
	    {0, "Thu, 01 Jan 1970 00:00:00 GMT"},
	    {951782399, "Mon, 28 Feb 2000 23:59:59 GMT"},
	    {951782400, "Tue, 29 Feb 2000 00:00:00 GMT"},
	    {1764547200, "Mon, 01 Dec 2025 00:00:00 GMT"},
	    {4102444799, "Thu, 31 Dec 2099 23:59:59 GMT"},
	};
	struct answer_set *set = malloc(sizeof(*set));
	char text[32];

	(void)state;
	assert_non_null(set);
	answer_set_init(set, 0, 1);
	for (size_t i = 0; i < COUNT(dates); i++) {
		const struct answer *answer;

		answer_date_format(dates[i].sec, text);
		assert_string_equal(text, dates[i].text);
		for (unsigned k = 0; k < 2; k++) {
			answer = answer_get(set, (enum answer_text)k,
			    ANSWER_SILENT, dates[i].sec);
			assert_memory_equal(answer->octet + answer->date_at,
			    dates[i].text, ANSWER_DATE_LEN);
			assert_memory_equal(
			    answer->octet + answer->date_at - 6, "Date: ", 6);
		}
	}
	free(set);
}

static void
test_statuses(void **state)
{
	static const unsigned statuses[] = {
	    400, 405, 408, 411, 413, 414, 417, 431, 501, 505};
	struct answer_set *set = malloc(sizeof(*set));
	char want[16];

	(void)state;
	assert_non_null(set);
	answer_set_init(set, 0, 1);
	for (size_t i = 0; i < COUNT(statuses); i++) {
		(void)snprintf(want, sizeof(want), "HTTP/1.1 %u ", statuses[i]);
		assert_memory_equal(answer_get(set, answer_text_of(statuses[i]),
					ANSWER_CLOSING, 0)
					->octet,
		    want, strlen(want));
	}
	assert_int_equal(answer_text_of(999), ANSWER_TEXT_400);
	free(set);
}

/* What a configuration says at times; "-" is nothing. */
static struct sunset_config *
config_read(struct scratch *scratch, const char *text)
{
	struct sunset_config *config = NULL;

	if (sunset_config_parse("c.cnf", text, strlen(text), scratch->report,
		&config) != STATUS_OK) {
		(void)fflush(scratch->stream);
		print_error("%s\n", scratch->said);
	}
	assert_non_null(config);
	return config;
}

#define DAY 86400
/* 2026-12-01 and the days after it. */
#define DECEMBER INT64_C(1796083200)

static void
test_schedule(void **state)
{
	struct sunset_config *config = config_read(*state,
	    "[server]\nmode = unauthorized\n"
	    "from = 2026-12-01 mode=trylater share=10% window=02:00-04:00\n"
	    "from = 2026-12-02T12:00:00Z mode = trylater\n"
	    "from = 2026-12-03 mode = 410 window = 22:30-01:00\n"
	    "from = 2026-12-05 mode = close share = 50%\n"
	    "from = 2026-12-06 mode = 404\n");
	static const struct {
		int64_t sec;
		enum answer_mode base;
		uint32_t share;
		enum answer_mode partial;
	} rows[] = {
	    {0, ANSWER_UNAUTHORIZED, 0, 0},
	    {DECEMBER - 1, ANSWER_UNAUTHORIZED, 0, 0},
	    {DECEMBER, ANSWER_UNAUTHORIZED, 0, 0},
	    {DECEMBER + 7199, ANSWER_UNAUTHORIZED, 0, 0},
	    {DECEMBER + 7200, ANSWER_UNAUTHORIZED, 10, ANSWER_TRYLATER},
	    {DECEMBER + 14399, ANSWER_UNAUTHORIZED, 10, ANSWER_TRYLATER},
	    {DECEMBER + 14400, ANSWER_UNAUTHORIZED, 0, 0},
	    {DECEMBER + DAY + 7200, ANSWER_UNAUTHORIZED, 10, ANSWER_TRYLATER},
	    {DECEMBER + DAY + 43199, ANSWER_UNAUTHORIZED, 0, 0},
	    {DECEMBER + DAY + 43200, ANSWER_TRYLATER, 0, 0},
	    {DECEMBER + 2 * DAY - 1, ANSWER_TRYLATER, 0, 0},
	    /* Past midnight, on both sides. */
	    {DECEMBER + 2 * DAY, ANSWER_TRYLATER, 100, ANSWER_GONE},
	    {DECEMBER + 2 * DAY + 3599, ANSWER_TRYLATER, 100, ANSWER_GONE},
	    {DECEMBER + 2 * DAY + 3600, ANSWER_TRYLATER, 0, 0},
	    {DECEMBER + 2 * DAY + 80999, ANSWER_TRYLATER, 0, 0},
	    {DECEMBER + 2 * DAY + 81000, ANSWER_TRYLATER, 100, ANSWER_GONE},
	    {DECEMBER + 4 * DAY, ANSWER_TRYLATER, 50, ANSWER_CLOSE},
	    {DECEMBER + 5 * DAY, ANSWER_NOT_FOUND, 0, 0},
	    {DECEMBER + 5000 * DAY, ANSWER_NOT_FOUND, 0, 0},
	};
	struct schedule_now now;

	for (size_t i = 0; i < COUNT(rows); i++) {
		schedule_at(&config->rule, rows[i].sec, &now);
		assert_true(now.has_base);
		assert_int_equal(now.base, rows[i].base);
		assert_int_equal(now.share_percent, rows[i].share);
		if (rows[i].share > 0)
			assert_int_equal(now.partial, rows[i].partial);
	}
	sunset_config_free(config);
}

/* Exactly so many of a hundred, and never two when one would do. */
static void
test_share(void **state)
{
	(void)state;
	for (uint32_t share = 1; share <= 100; share++) {
		uint32_t sum = 0;
		unsigned last = 0;
		unsigned hits = 0;

		for (unsigned i = 1; i <= 1000; i++) {
			if (!schedule_share(share, &sum))
				continue;
			hits++;
			assert_true(i - last >= 100 / share);
			last = i;
		}
		assert_int_equal(hits, 10 * share);
	}
}

static const char rules[] =
    "[server]\nmode = unauthorized\n"
    "[host a.example]\nmode = trylater\n"
    "[host b.example]\n"
    "[host c.example]\nfrom = 2026-12-01 mode = 410 share = 50%\n"
    "[issuer r1]\nkey_hash = 0101010101010101010101010101010101010101\n"
    "key_hash = 0202020202020202020202020202020202020202"
    "020202020202020202020202\n"
    "mode = 404\n"
    "[issuer r2]\nkey_hash = 0303030303030303030303030303030303030303\n"
    "[issuer r3]\nkey_hash = 04040404:04040404040404040404040404040404\n"
    "from = 2026-12-01 mode = 503 share = 50%\n";

static enum answer_mode
choose(struct choice *choice, const char *host, unsigned octet, size_t len,
    struct count_key *key)
{
	struct ocsp_request ocsp = {.key_hash_len = len};
	uint8_t key_hash[64];

	memset(key_hash, (int)octet, sizeof(key_hash));
	ocsp.key_hash = key_hash;
	memset(key, 0, sizeof(*key));
	return choice_make(
	    choice, DECEMBER + 5, host, strlen(host), &ocsp, key);
}

static void
test_choice(void **state)
{
	struct sunset_config *config;
	static const struct {
		const char *host;
		unsigned octet;
		size_t len;
		enum answer_mode mode;
		unsigned host_at;
		unsigned issuer_at;
	} rows[] = {
	    {"", 0, 0, ANSWER_UNAUTHORIZED, 3, 3},
	    {"x.example", 0, 20, ANSWER_UNAUTHORIZED, 3, 3},
	    {"a.example", 0, 0, ANSWER_TRYLATER, 0, 3},
	    {"A.eXample", 0, 0, ANSWER_TRYLATER, 0, 3},
	    {"a.example.", 0, 0, ANSWER_TRYLATER, 0, 3},
	    {".", 0, 0, ANSWER_UNAUTHORIZED, 3, 3},
	    {"a.exampl", 0, 0, ANSWER_UNAUTHORIZED, 3, 3},
	    {"a.examplex", 0, 0, ANSWER_UNAUTHORIZED, 3, 3},
	    /* A host that says nothing is counted, and no more. */
	    {"b.example", 0, 0, ANSWER_UNAUTHORIZED, 1, 3},
	    /* The issuer goes first, by either hash, of its whole length. */
	    {"a.example", 1, 20, ANSWER_NOT_FOUND, 0, 0},
	    {"x.example", 2, 32, ANSWER_NOT_FOUND, 3, 0},
	    {"a.example", 1, 32, ANSWER_TRYLATER, 0, 3},
	    {"a.example", 1, 19, ANSWER_TRYLATER, 0, 3},
	    {"a.example", 2, 20, ANSWER_TRYLATER, 0, 3},
	    /* One that says nothing leaves it to the host. */
	    {"a.example", 3, 20, ANSWER_TRYLATER, 0, 1},
	    {"x.example", 3, 20, ANSWER_UNAUTHORIZED, 3, 1},
	};
	struct choice *choice = malloc(sizeof(*choice));
	struct count_key key;

	assert_non_null(choice);
	config = config_read(*state, rules);
	choice_init(choice, config);
	for (size_t i = 0; i < COUNT(rows); i++) {
		assert_int_equal(choose(choice, rows[i].host, rows[i].octet,
				     rows[i].len, &key),
		    rows[i].mode);
		assert_int_equal(key.mode, rows[i].mode);
		assert_int_equal(key.host, rows[i].host_at);
		assert_int_equal(key.issuer, rows[i].issuer_at);
	}
	free(choice);
	sunset_config_free(config);
}

/* Whom a share leaves out gets what the next wider rule says. */
static void
test_choice_share(void **state)
{
	struct sunset_config *config = config_read(*state, rules);
	struct choice *choice = malloc(sizeof(*choice));
	struct count_key key;
	unsigned gone = 0;
	unsigned busy = 0;
	unsigned later = 0;

	assert_non_null(choice);
	choice_init(choice, config);
	for (unsigned i = 0; i < 100; i++) {
		enum answer_mode mode = choose(choice, "c.example", 0, 0, &key);

		gone += mode == ANSWER_GONE;
		assert_true(mode == ANSWER_GONE || mode == ANSWER_UNAUTHORIZED);
		mode = choose(choice, "a.example", 4, 20, &key);
		busy += mode == ANSWER_UNAVAILABLE;
		later += mode == ANSWER_TRYLATER;
		assert_int_equal(key.issuer, 2);
	}
	assert_int_equal(gone, 50);
	assert_int_equal(busy, 50);
	assert_int_equal(later, 50);
	free(choice);
	sunset_config_free(config);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_bytes),
	    cmocka_unit_test(test_cache),
	    cmocka_unit_test(test_date),
	    cmocka_unit_test(test_statuses),
	    cmocka_unit_test_setup_teardown(
		test_schedule, scratch_setup, scratch_teardown),
	    cmocka_unit_test(test_share),
	    cmocka_unit_test_setup_teardown(
		test_choice, scratch_setup, scratch_teardown),
	    cmocka_unit_test_setup_teardown(
		test_choice_share, scratch_setup, scratch_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
