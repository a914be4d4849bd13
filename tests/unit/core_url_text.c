/* SPDX-License-Identifier: ISC */
/* What a message shows of a URL that somebody put a secret into. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "crlpress/url_text.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

struct shown {
	const char *text;
	const char *want;
};

static void
test_plain(void **state)
{
	static const char *const plain[] = {
	    "s3://my-bucket/prefix",
	    "https://s3.example.com:9000",
	    "https://s3.example.com:9000/x:y",
	    "http://[2001:db8::1]:9000/x",
	    "/srv/crl:2/x",
	    "file:///srv/a:b",
	    "many",
	    "90%",
	    "2026-02-30T00:00:00Z",
	    "host:name",
	    "",
	};
	char out[URL_TEXT_BYTES];

	(void)state;
	for (size_t i = 0; i < COUNT(plain); i++) {
		assert_string_equal(url_text_shown(plain[i], out), plain[i]);
		assert_false(url_text_has_user(plain[i]));
	}
}

static void
test_user(void **state)
{
	static const struct shown shown[] = {
	    {"s3://AKIAX:geheim99@my-bucket/x", "s3://***@my-bucket/x"},
	    {"s3://geheim99@my-bucket", "s3://***@my-bucket"},
	    {"https://u:geheim99@h:9000", "https://***@h:9000"},
	    {"https://u:geheim99/geheim@geheim99@h:9000/x",
		"https://***@h:9000/x"},
	    {"https://u:geheim 99@h", "https://***@h"},
	    {"u:geheim99@h:9000", "***@h:9000"},
	    {"geheim99@", "***@"},
	    {"crl:https://u:geheim99@h/x", "crl:https://***@h/x"},
	    {"https://u:p@h:geheim99/x", "https://***@h:***/x"},
	    {"https://u:gehe/im99@h/x", "https://***@h/x"},
	};
	char out[URL_TEXT_BYTES];

	(void)state;
	for (size_t i = 0; i < COUNT(shown); i++) {
		assert_string_equal(
		    url_text_shown(shown[i].text, out), shown[i].want);
		assert_true(url_text_has_user(shown[i].text));
	}
}

/* The '@' was forgotten, or is a slash. */
static void
test_no_at(void **state)
{
	static const struct shown shown[] = {
	    {"s3://AKIAX:geheim99/my-bucket", "s3://AKIAX:***/my-bucket"},
	    {"https://u:geheim99", "https://u:***"},
	    {"https://u:99geheim?x#y", "https://u:***?x#y"},
	    {"s3://AKIAX:654321/my-bucket", "s3://AKIAX:***/my-bucket"},
	};
	char out[URL_TEXT_BYTES];

	(void)state;
	for (size_t i = 0; i < COUNT(shown); i++) {
		assert_string_equal(
		    url_text_shown(shown[i].text, out), shown[i].want);
		assert_true(url_text_has_user(shown[i].text));
	}
	/* In a path it is nobody's. */
	assert_false(url_text_has_user("https://h:9000/x@y"));
}

static void
test_long(void **state)
{
	char text[2 * URL_TEXT_BYTES], out[URL_TEXT_BYTES];

	(void)state;
	memset(text, 'x', sizeof(text));
	text[sizeof(text) - 1] = '\0';
	assert_int_equal(strlen(url_text_shown(text, out)), URL_TEXT_BYTES - 1);
	/* The '@' beyond what is shown counts. */
	memcpy(text, "https://u:geheim", strlen("https://u:geheim"));
	text[sizeof(text) - 3] = '@';
	assert_string_equal(url_text_shown(text, out), "https://***@x");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_plain),
	    cmocka_unit_test(test_user),
	    cmocka_unit_test(test_no_at),
	    cmocka_unit_test(test_long),
	};

	return cmocka_run_group_tests_name("url_text", tests, NULL, NULL);
}
