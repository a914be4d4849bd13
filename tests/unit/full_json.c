/* SPDX-License-Identifier: ISC */
/* JSON as it is written: commas, escapes, and octets that are not UTF-8. */
#include "crlpress/json.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

struct page {
	struct json json;
	char *text;
	size_t len;
};

static int
page_setup(void **state)
{
	struct page *page = calloc(1, sizeof(*page));

	if (page == NULL)
		return -1;
	page->json.stream = open_memstream(&page->text, &page->len);
	*state = page;
	return page->json.stream == NULL ? -1 : 0;
}

static int
page_teardown(void **state)
{
	struct page *page = *state;

	fclose(page->json.stream);
	free(page->text);
	free(page);
	return 0;
}

static void
assert_page(struct page *page, const char *want)
{
	fflush(page->json.stream);
	assert_string_equal(page->text, want);
	assert_int_equal(page->len, strlen(want));
}

static void
test_nested(void **state)
{
	struct page *page = *state;
	struct json *json = &page->json;

	json_open(json, NULL, '{');
	json_string(json, "name", "letters");
	json_open(json, "shards", '[');
	json_open(json, NULL, '{');
	json_uint(json, "index", 0);
	json_bool(json, "new", true);
	json_close(json, '}');
	json_open(json, NULL, '{');
	json_close(json, '}');
	json_uint(json, NULL, 18446744073709551615U);
	json_string(json, NULL, "");
	json_null(json, NULL);
	json_open(json, NULL, '[');
	json_close(json, ']');
	json_close(json, ']');
	json_bool(json, "well", false);
	json_null(json, "url");
	json_seconds(json, "seconds", 1.5);
	json_close(json, '}');
	json_end(json);
	json_open(json, NULL, '[');
	json_close(json, ']');
	json_end(json);
	assert_page(page,
	    "{\"name\":\"letters\",\"shards\":[{\"index\":0,\"new\":true},{},"
	    "18446744073709551615,\"\",null,[]],\"well\":false,\"url\":null,"
	    "\"seconds\":1.500}\n[]\n");
}

struct text {
	const char *text;
	const char *json;
};

static const struct text texts[] = {
    {"", "\"\""},
    {"plain /text/ 'of' <all> &kinds", "\"plain /text/ 'of' <all> &kinds\""},
    {"say \"no\"", "\"say \\\"no\\\"\""},
    {"C:\\x", "\"C:\\\\x\""},
    {"a\nb\tc\rd\be\ff", "\"a\\u000ab\\u0009c\\u000dd\\u0008e\\u000cf\""},
    {"\x01\x1f\x7f", "\"\\u0001\\u001f\\u007f\""},
    {"%s%n%%", "\"%s%n%%\""},
    /* The first and last characters of each length. */
    {"\xc2\x80 \xdf\xbf", "\"\xc2\x80 \xdf\xbf\""},
    {"\xe0\xa0\x80 \xef\xbf\xbf", "\"\xe0\xa0\x80 \xef\xbf\xbf\""},
    {"\xed\x9f\xbf \xee\x80\x80", "\"\xed\x9f\xbf \xee\x80\x80\""},
    {"\xf0\x90\x80\x80 \xf4\x8f\xbf\xbf",
	"\"\xf0\x90\x80\x80 \xf4\x8f\xbf\xbf\""},
    /* What is no UTF-8, octet by octet. */
    {"a\xff z", "\"a\\ufffd z\""},
    {"\x80", "\"\\ufffd\""},
    {"\xc3", "\"\\ufffd\""},
    {"\xc3(", "\"\\ufffd(\""},
    {"\xc0\xaf", "\"\\ufffd\\ufffd\""},
    {"\xc1\xbf", "\"\\ufffd\\ufffd\""},
    {"\xe2\x82", "\"\\ufffd\\ufffd\""},
    {"\xe2\x82\"", "\"\\ufffd\\ufffd\\\"\""},
    {"\xe0\x9f\xbf", "\"\\ufffd\\ufffd\\ufffd\""},
    {"\xed\xa0\x80", "\"\\ufffd\\ufffd\\ufffd\""},
    {"\xf0\x8f\xbf\xbf", "\"\\ufffd\\ufffd\\ufffd\\ufffd\""},
    {"\xf4\x90\x80\x80", "\"\\ufffd\\ufffd\\ufffd\\ufffd\""},
    {"\xf5\x80\x80\x80", "\"\\ufffd\\ufffd\\ufffd\\ufffd\""},
    {"\xf0\x9f\x98", "\"\\ufffd\\ufffd\\ufffd\""},
};

static void
test_texts(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		struct page *page;
		void *own = NULL;

		assert_int_equal(page_setup(&own), 0);
		page = own;
		json_string(&page->json, NULL, texts[i].text);
		assert_page(page, texts[i].json);
		page_teardown(&own);
	}
}

/* Names are escaped as texts are; NULL is null. */
static void
test_names(void **state)
{
	struct page *page = *state;

	json_open(&page->json, NULL, '{');
	json_string(&page->json, "a\"\xff", NULL);
	json_string(&page->json, "b", NULL);
	json_close(&page->json, '}');
	assert_page(page, "{\"a\\\"\\ufffd\":null,\"b\":null}");
}

static void
test_seconds(void **state)
{
	struct page *page = *state;

	json_open(&page->json, NULL, '[');
	json_seconds(&page->json, NULL, 0);
	json_seconds(&page->json, NULL, 0.0004);
	json_seconds(&page->json, NULL, 86400.9996);
	json_seconds(&page->json, NULL, INFINITY);
	json_seconds(&page->json, NULL, NAN);
	json_close(&page->json, ']');
	assert_page(page, "[0.000,0.000,86401.000,null,null]");
}

#define page_test(test) \
	cmocka_unit_test_setup_teardown(test, page_setup, page_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    page_test(test_nested),
	    cmocka_unit_test(test_texts),
	    page_test(test_names),
	    page_test(test_seconds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
