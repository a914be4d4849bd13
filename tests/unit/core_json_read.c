/* SPDX-License-Identifier: ISC */
/*
 * json_read_strings over what metadata services answer, and over what is no
 * JSON, or not what was asked for.
 */
#include "crlpress/json_read.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define VALUE_BYTES 16

/* A text, and the member "a" of it; NULL: not there. */
struct reading {
	const char *text;
	enum status status;
	const char *want;
};

static const struct reading readings[] = {
    {"{\"a\":\"x\"}", STATUS_OK, "x"},
    {" { \"b\" : \"y\" , \"a\" : \"x\" } \n", STATUS_OK, "x"},
    {"{\"a\":\"\"}", STATUS_OK, ""},
    {"{}", STATUS_OK, NULL},
    {"{ }", STATUS_OK, NULL},
    {"{\"a\":null}", STATUS_OK, NULL},
    {"{\"A\":\"x\"}", STATUS_OK, NULL},
    {"{\"b\":{\"a\":\"x\"}}", STATUS_OK, NULL},
    {"{\"b\":[1,-0.5e+10,true,false,null,{},[],\"a\"],\"a\":\"x\"}", STATUS_OK,
	"x"},
    {"{\"a\":\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"}", STATUS_OK, "\"\\/\b\f\n\r\t"},
    {"{\"a\":\"\\u0041\\u00E9\\u20ac\\ud83d\\ude00\"}", STATUS_OK,
	"A\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80"},
    {"{\"\\u0061\":\"x\"}", STATUS_OK, "x"},
    {"{\"a\":\"\xc3\xa9\"}", STATUS_OK, "\xc3\xa9"},
    {"{\"a\":\"123456789012345\"}", STATUS_OK, "123456789012345"},
    {"{\"b\":[[[[[[[[]]]]]]]]}", STATUS_OK, NULL},
    /* No JSON. */
    {"", STATUS_MALFORMED, NULL},
    {" ", STATUS_MALFORMED, NULL},
    {"[\"a\"]", STATUS_MALFORMED, NULL},
    {"\"a\"", STATUS_MALFORMED, NULL},
    {"<html>", STATUS_MALFORMED, NULL},
    {"{\"a\":\"x\"", STATUS_MALFORMED, NULL},
    {"{\"a\":\"x", STATUS_MALFORMED, NULL},
    {"{\"a\":\"x\"}}", STATUS_MALFORMED, NULL},
    {"{\"a\":\"x\"} x", STATUS_MALFORMED, NULL},
    {"{\"a\":\"x\",}", STATUS_MALFORMED, NULL},
    {"{\"a\":\"x\" \"b\":\"y\"}", STATUS_MALFORMED, NULL},
    {"{\"a\" \"x\"}", STATUS_MALFORMED, NULL},
    {"{a:\"x\"}", STATUS_MALFORMED, NULL},
    {"{'a':'x'}", STATUS_MALFORMED, NULL},
    {"{\"b\":01}", STATUS_MALFORMED, NULL},
    {"{\"b\":1.}", STATUS_MALFORMED, NULL},
    {"{\"b\":1e}", STATUS_MALFORMED, NULL},
    {"{\"b\":-}", STATUS_MALFORMED, NULL},
    {"{\"b\":}", STATUS_MALFORMED, NULL},
    {"{\"b\":nul}", STATUS_MALFORMED, NULL},
    {"{\"b\":[1 2]}", STATUS_MALFORMED, NULL},
    {"{\"b\":[1,]}", STATUS_MALFORMED, NULL},
    {"{\"b\":[1}", STATUS_MALFORMED, NULL},
    {"{\"b\":{\"c\"}}", STATUS_MALFORMED, NULL},
    {"{\"b\":[[[[[[[[[]]]]]]]]]}", STATUS_MALFORMED, NULL},
    {"{\"a\":\"\\x\"}", STATUS_MALFORMED, NULL},
    {"{\"a\":\"\\", STATUS_MALFORMED, NULL},
    {"{\"a\":\"\\u00", STATUS_MALFORMED, NULL},
    {"{\"a\":\"\\u00g0\"}", STATUS_MALFORMED, NULL},
    {"{\"a\":\"\\ud83d\"}", STATUS_MALFORMED, NULL},
    {"{\"a\":\"\\ud83dx\"}", STATUS_MALFORMED, NULL},
    {"{\"a\":\"\\ud83d\\u0041\"}", STATUS_MALFORMED, NULL},
    {"{\"a\":\"\\ude00\"}", STATUS_MALFORMED, NULL},
    {"{\"a\":\"x\ny\"}", STATUS_MALFORMED, NULL},
    /* Not what was asked for. */
    {"{\"a\":1}", STATUS_MALFORMED, NULL},
    {"{\"a\":true}", STATUS_MALFORMED, NULL},
    {"{\"a\":{}}", STATUS_MALFORMED, NULL},
    {"{\"a\":[\"x\"]}", STATUS_MALFORMED, NULL},
    {"{\"a\":\"x\",\"a\":\"y\"}", STATUS_MALFORMED, NULL},
    {"{\"a\":\"x\\u0000y\"}", STATUS_MALFORMED, NULL},
    {"{\"a\":\"1234567890123456\"}", STATUS_MALFORMED, NULL},
    /* No UTF-8: alone, too long, a surrogate, beyond the last, cut off. */
    {"{\"a\":\"\x80\"}", STATUS_MALFORMED, NULL},
    {"{\"a\":\"\xc0\xaf\"}", STATUS_MALFORMED, NULL},
    {"{\"a\":\"\xe0\x9f\xbf\"}", STATUS_MALFORMED, NULL},
    {"{\"a\":\"\xed\xa0\x80\"}", STATUS_MALFORMED, NULL},
    {"{\"a\":\"\xf4\x90\x80\x80\"}", STATUS_MALFORMED, NULL},
    {"{\"a\":\"\xf5\x80\x80\x80\"}", STATUS_MALFORMED, NULL},
    {"{\"a\":\"\xe2\x82\"}", STATUS_MALFORMED, NULL},
    {"{\"a\":\"x\",\"b\"}", STATUS_MALFORMED, NULL},
};

static void
reads(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(readings) / sizeof(*readings); i++) {
		const struct reading *r = &readings[i];
		char a[VALUE_BYTES] = "before";
		struct json_read_member member = {
		    .name = "a", .out = a, .size = sizeof(a), .found = true};
		const char *why = "";
		/* So that a byte too far is one of nobody's. */
		char *copy = malloc(strlen(r->text) + 1);
		enum status status;

		assert_non_null(copy);
		memcpy(copy, r->text, strlen(r->text));
		status =
		    json_read_strings(copy, strlen(r->text), &member, 1, &why);
		if (status != r->status || member.found != (r->want != NULL) ||
		    strcmp(a, r->want == NULL ? "" : r->want) != 0 ||
		    (why != NULL) != (status != STATUS_OK))
			fail_msg("%s: have %s, %s, %s", r->text,
			    status_name(status), a, why);
		free(copy);
	}
}

/* As an instance's service answers. */
static void
credentials(void **state)
{
	static const char text[] =
	    "{\n  \"Code\" : \"Success\",\n"
	    "  \"LastUpdated\" : \"2026-11-22T05:09:49Z\",\n"
	    "  \"AccessKeyId\" : \"AKID\",\n"
	    "  \"SecretAccessKey\" : \"a/b+c=\",\n"
	    "  \"Token\" : \"tok\"\n}";
	char id[VALUE_BYTES];
	char secret[VALUE_BYTES];
	char code[VALUE_BYTES];
	char none[VALUE_BYTES];
	struct json_read_member member[] = {
	    {"AccessKeyId", id, sizeof(id), false},
	    {"SecretAccessKey", secret, sizeof(secret), false},
	    {"Code", code, sizeof(code), false},
	    {"Expiration", none, sizeof(none), true},
	};
	const char *why;

	(void)state;
	assert_int_equal(
	    json_read_strings(text, strlen(text), member, 4, &why), STATUS_OK);
	assert_string_equal(id, "AKID");
	assert_string_equal(secret, "a/b+c=");
	assert_string_equal(code, "Success");
	assert_false(member[3].found);
	assert_string_equal(none, "");
}

/* What was read before the fault does not stay. */
static void
wiped(void **state)
{
	static const char text[] = "{\"a\":\"secret\",\"b\":1}x";
	char a[VALUE_BYTES] = "";
	struct json_read_member member = {
	    .name = "a", .out = a, .size = sizeof(a)};
	const char *why;

	(void)state;
	assert_int_equal(
	    json_read_strings(text, strlen(text), &member, 1, &why),
	    STATUS_MALFORMED);
	for (size_t i = 0; i < sizeof(a); i++)
		assert_int_equal(a[i], 0);
}

static void
length(void **state)
{
	char *text = malloc(JSON_READ_BYTES_MOST + 1);
	const char *why;

	(void)state;
	assert_non_null(text);
	memset(text, ' ', JSON_READ_BYTES_MOST + 1);
	memcpy(text, "{}", 2);
	assert_int_equal(
	    json_read_strings(text, JSON_READ_BYTES_MOST, NULL, 0, &why),
	    STATUS_OK);
	assert_int_equal(
	    json_read_strings(text, JSON_READ_BYTES_MOST + 1, NULL, 0, &why),
	    STATUS_MALFORMED);
	free(text);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(reads),
	    cmocka_unit_test(credentials),
	    cmocka_unit_test(wiped),
	    cmocka_unit_test(length),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
