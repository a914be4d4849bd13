/* SPDX-License-Identifier: ISC */
/*
 * The field of the CCADB: arrays that JSON allows, those that it does not,
 * each at its offset, and URLs that are written otherwise.
 */
#include "crlpress/ccadb.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

struct good {
	const char *text;
	const char *joined; /* the strings, each with a ; behind it */
};

static const struct good goods[] = {
    {"[]", ""},
    {" [ ] \n", ""},
    {"[\"\"]", ";"},
    {"[\"a\"]", "a;"},
    {"\t[\r\n\"a\" ,\"b\"\n, \"c\" ]\r\n", "a;b;c;"},
    {"[\"http:\\/\\/x\\/1.crl\"]", "http://x/1.crl;"},
    {"[\"\\\"\\\\\\b\\f\\n\\r\\t\"]", "\"\\\b\f\n\r\t;"},
    {"[\"\\u0061\\u00e9\\u20AC\\uD83d\\ude00\"]",
	"a\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80;"},
    {"[\"\\ud7ff\\ue000\\uffff\\u007f\\u0080\\u07ff\\u0800\"]",
	"\xed\x9f\xbf\xee\x80\x80\xef\xbf\xbf\x7f\xc2\x80\xdf\xbf"
	"\xe0\xa0\x80;"},
    {"[\"\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\"]",
	"\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80;"},
    {"[\"\xc2\x80\xed\x9f\xbf\xf0\x90\x80\x80\xf4\x8f\xbf\xbf\"]",
	"\xc2\x80\xed\x9f\xbf\xf0\x90\x80\x80\xf4\x8f\xbf\xbf;"},
    {"[\"\x7f]\"]", "\x7f];"},
};

struct bad {
	const char *text;
	size_t offset;
	const char *why;
};

static const struct bad bads[] = {
    {"", 0, "not a JSON array"},
    {"  ", 2, "not a JSON array"},
    {"{}", 0, "not a JSON array"},
    {"\"a\"", 0, "not a JSON array"},
    {"\xef\xbb\xbf[]", 0, "not a JSON array"},
    {"\f[]", 0, "not a JSON array"},
    {"[", 1, "not a string"},
    {"[,", 1, "not a string"},
    {"[\"a\",]", 5, "not a string"},
    {"[1]", 1, "not a string"},
    {"[null]", 1, "not a string"},
    {"['a']", 1, "not a string"},
    {"[[\"a\"]]", 1, "not a string"},
    {"[\"a\"", 4, "neither a comma nor the array's end"},
    {"[\"a\" \"b\"]", 5, "neither a comma nor the array's end"},
    {"[\"a\";\"b\"]", 4, "neither a comma nor the array's end"},
    {"[] x", 3, "more behind the array"},
    {"[][]", 2, "more behind the array"},
    {"[\"a\"],", 5, "more behind the array"},
    {"[\"a", 3, "a string without its end"},
    {"[\"a\\\"]", 6, "a string without its end"},
    {"[\"a\nb\"]", 3, "a control character in a string"},
    {"[\"\x1f\"]", 2, "a control character in a string"},
    {"[\"\\x\"]", 3, "an escape that JSON does not have"},
    {"[\"\\'\"]", 3, "an escape that JSON does not have"},
    {"[\"\\U0061\"]", 3, "an escape that JSON does not have"},
    {"[\"\\", 3, "an escape that JSON does not have"},
    {"[\"\\u\"]", 4, "\\u without four hexadecimal digits"},
    {"[\"\\u00g0\"]", 6, "\\u without four hexadecimal digits"},
    {"[\"\\u006", 7, "\\u without four hexadecimal digits"},
    {"[\"\\u0000\"]", 8, "a NUL in a string"},
    {"[\"\\ud83d\"]", 8, "half a surrogate pair"},
    {"[\"\\ud83dx\"]", 8, "half a surrogate pair"},
    {"[\"\\ud83d\\n\"]", 8, "half a surrogate pair"},
    {"[\"\\ud83d\\ud83d\"]", 14, "half a surrogate pair"},
    {"[\"\\ud83d\\ue000\"]", 14, "half a surrogate pair"},
    {"[\"\\ude00\"]", 8, "half a surrogate pair"},
    {"[\"\\ud83d\\u\"]", 10, "\\u without four hexadecimal digits"},
    {"[\"\x80\"]", 2, "not UTF-8"},
    {"[\"\xc1\xbf\"]", 2, "not UTF-8"},
    {"[\"\xc3\"]", 2, "not UTF-8"},
    {"[\"\xe0\x9f\xbf\"]", 2, "not UTF-8"},
    {"[\"\xed\xa0\x80\"]", 2, "not UTF-8"},
    {"[\"\xf0\x8f\xbf\xbf\"]", 2, "not UTF-8"},
    {"[\"\xf4\x90\x80\x80\"]", 2, "not UTF-8"},
    {"[\"\xf5\x80\x80\x80\"]", 2, "not UTF-8"},
    {"[\"\xe2\x82\"]", 2, "not UTF-8"},
    {"[\"\xff\"]", 2, "not UTF-8"},
};

/* In memory that ends where the text does, so that ASan sees a step beyond. */
static enum status
parse(const char *text, size_t len, struct ccadb_urls *urls, size_t *offset,
    const char **why)
{
	char *exact = malloc(len > 0 ? len : 1);
	enum status status;

	assert_non_null(exact);
	memcpy(exact, text, len);
	status = ccadb_parse(exact, len, urls, offset, why);
	free(exact);
	return status;
}

static void
test_good(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(goods) / sizeof(goods[0]); i++) {
		struct ccadb_urls urls;
		const char *why = NULL;
		char joined[256] = "";
		size_t offset = 0;

		assert_int_equal(parse(goods[i].text, strlen(goods[i].text),
				     &urls, &offset, &why),
		    STATUS_OK);
		for (size_t k = 0; k < urls.count; k++) {
			strcat(joined, urls.url[k]);
			strcat(joined, ";");
		}
		assert_string_equal(joined, goods[i].joined);
		assert_int_equal(offset, strlen(goods[i].text));
		ccadb_free(&urls);
		assert_null(urls.url);
	}
}

static void
test_bad(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(bads) / sizeof(bads[0]); i++) {
		struct ccadb_urls urls;
		const char *why = NULL;
		size_t offset = 999;

		if (parse(bads[i].text, strlen(bads[i].text), &urls, &offset,
			&why) != STATUS_MALFORMED)
			fail_msg("%s: taken", bads[i].text);
		if (offset != bads[i].offset || strcmp(why, bads[i].why) != 0)
			fail_msg("%s: at %zu: %s", bads[i].text, offset, why);
		assert_null(urls.url);
		assert_int_equal(urls.count, 0);
	}
}

/* A NUL is a control character, in a string and before it. */
static void
test_nul(void **state)
{
	struct ccadb_urls urls;
	const char *why = NULL;
	size_t offset = 0;

	(void)state;
	assert_int_equal(
	    parse("[\"a\0b\"]", 7, &urls, &offset, &why), STATUS_MALFORMED);
	assert_string_equal(why, "a control character in a string");
	assert_int_equal(
	    parse("\0[]", 3, &urls, &offset, &why), STATUS_MALFORMED);
	assert_string_equal(why, "not a JSON array");
	assert_int_equal(
	    parse("[]\0", 3, &urls, &offset, &why), STATUS_MALFORMED);
	assert_string_equal(why, "more behind the array");
}

/* Cut off anywhere, nothing of an array is one. */
static void
test_cut(void **state)
{
	static const char text[] =
	    "[\"http:\\/\\/x\\u002f1\", \"\\ud83d\\ude00\xe2\x82\xac\"]";

	(void)state;
	for (size_t len = 0; len < sizeof(text) - 1; len++) {
		struct ccadb_urls urls;
		const char *why = NULL;
		size_t offset = 0;

		assert_int_equal(
		    parse(text, len, &urls, &offset, &why), STATUS_MALFORMED);
		assert_true(offset <= len);
		assert_non_null(why);
	}
}

/* As many as an issuer can have shards, and one more. */
static void
test_most(void **state)
{
	size_t len = (CCADB_URLS_MOST + 1) * 3 + 1;
	char *text = malloc(len + 1);
	struct ccadb_urls urls;
	const char *why = NULL;
	size_t offset = 0;

	(void)state;
	assert_non_null(text);
	for (size_t i = 0; i <= CCADB_URLS_MOST; i++)
		memcpy(text + i * 3, i == 0 ? "[\"\"" : ",\"\"", 3);
	text[len - 1] = ']';
	assert_int_equal(
	    parse(text, len, &urls, &offset, &why), STATUS_MALFORMED);
	assert_string_equal(why, "more URLs than an issuer has shards");
	text[len - 4] = ']';
	assert_int_equal(parse(text, len - 3, &urls, &offset, &why), STATUS_OK);
	assert_int_equal(urls.count, CCADB_URLS_MOST);
	ccadb_free(&urls);
	assert_int_equal(
	    ccadb_parse(text, CCADB_BYTES_MOST + 1, &urls, &offset, &why),
	    STATUS_MALFORMED);
	assert_string_equal(why, "larger than all URLs together");
	free(text);
}

static const char *const normals[][2] = {
    {"http://x/1.crl", "http://x/1.crl"},
    {"HTTP://Crl.Example.COM/E1/1.crl", "http://crl.example.com/E1/1.crl"},
    {"http://x:80/1", "http://x/1"},
    {"http://x:/1", "http://x/1"},
    {"http://x:8080/1", "http://x:8080/1"},
    {"http://x:443/1", "http://x:443/1"},
    {"https://x:443/1", "https://x/1"},
    {"http://x::80:/1", "http://x/1"},
    {"http://x:%380/1", "http://x/1"},
    {"http://x%2Fy/1", "http://x%2fy/1"},
    {"https://x:80/1", "https://x:80/1"},
    {"http://x", "http://x/"},
    {"http://x?q", "http://x/?q"},
    {"http://x/%7e%41%2f%2F%zz%4", "http://x/~A%2F%2F%zz%4"},
    {"http://x/a/./b/../c", "http://x/a/c"},
    {"http://x/a/.", "http://x/a/"},
    {"http://x/a/..", "http://x/"},
    {"http://x/../../a", "http://x/a"},
    {"http://x/..", "http://x/"},
    {"http://x/a/%2e%2e/b", "http://x/b"},
    {"http://x/a//b", "http://x/a//b"},
    {"http://x/a?b/../c", "http://x/a?b/../c"},
    {"http://x/a/..?b", "http://x/?b"},
    {"http://x/a/...", "http://x/a/..."},
    {"http://x/a/", "http://x/a/"},
    {"http://", "http:///"},
    {"", ""},
    {"no url", "no url"},
};

static void
test_normal(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(normals) / sizeof(normals[0]); i++) {
		char *normal = ccadb_url_normal(normals[i][0]);
		char *again;

		assert_string_equal(normal, normals[i][1]);
		again = ccadb_url_normal(normal);
		assert_string_equal(again, normal);
		free(again);
		free(normal);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_good),
	    cmocka_unit_test(test_bad),
	    cmocka_unit_test(test_nul),
	    cmocka_unit_test(test_cut),
	    cmocka_unit_test(test_most),
	    cmocka_unit_test(test_normal),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
