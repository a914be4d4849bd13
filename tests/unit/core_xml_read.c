/* SPDX-License-Identifier: ISC */
/*
 * xml_element over replies as S3 and STS write them, and over what nobody
 * should send.
 */
#include "crlpress/xml_read.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define LONG_BYTES 64

/* A text, an element of it, and what comes out. */
struct reading {
	const char *text;
	const char *name;
	enum status status;
	const char *want;
};

static const struct reading readings[] = {
    {"<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
     "<Error><Code>NoSuchKey</Code><Message>gone</Message></Error>",
	"Code", STATUS_OK, "NoSuchKey"},
    {"<Error><Code>SlowDown</Code><Message>a &amp; b &lt;c&gt; "
     "&quot;d&quot; &apos;e&apos;</Message></Error>",
	"Message", STATUS_OK, "a & b <c> \"d\" 'e'"},
    {"<s:A xmlns:s='urn:x'><s:Code>x</s:Code></s:A>", "Code", STATUS_OK, "x"},
    {"<A><B C='>'><Code>x</Code></B></A>", "Code", STATUS_OK, "x"},
    {"<A><B/><Code >x</Code\n></A>", "Code", STATUS_OK, "x"},
    {"<A><Code/><Code>x</Code></A>", "Code", STATUS_OK, ""},
    {"<A><Code></Code></A>", "Code", STATUS_OK, ""},
    {"<Code>first</Code><Code>second</Code>", "Code", STATUS_OK, "first"},
    {"<A><!-- <Code>no</Code> --><Code>x<!-- y -->z</Code></A>", "Code",
	STATUS_OK, "xz"},
    {"<A><![CDATA[<Code>no</Code>]]><Code><![CDATA[<&>]]>x</Code></A>", "Code",
	STATUS_OK, "<&>x"},
    {"<Code>&#65;&#x42;&#xe9;&#x20ac;&#x1F600;</Code>", "Code", STATUS_OK,
	"AB\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80"},
    /* What stands behind it is not looked at. */
    {"<A><Code>x</Code></B>", "Code", STATUS_OK, "x"},
    /* None. */
    {"", "Code", STATUS_NOT_FOUND, ""},
    {"slow down", "Code", STATUS_NOT_FOUND, ""},
    {"<A><Codes>x</Codes><Cod>y</Cod></A>", "Code", STATUS_NOT_FOUND, ""},
    {"<A Code='x'/>", "Code", STATUS_NOT_FOUND, ""},
    {"<A>Code</A>", "Code", STATUS_NOT_FOUND, ""},
    /* No XML, or more than is read. */
    {"<!DOCTYPE a [<!ENTITY b 'x'>]><A><Code>&b;</Code></A>", "Code",
	STATUS_MALFORMED, ""},
    {"<!doctype html><html><Code>x</Code></html>", "Code", STATUS_MALFORMED,
	""},
    {"<A><Code>&b;</Code></A>", "Code", STATUS_MALFORMED, ""},
    {"<A><Code>&amp</Code></A>", "Code", STATUS_MALFORMED, ""},
    {"<A><Code>&#;</Code></A>", "Code", STATUS_MALFORMED, ""},
    {"<A><Code>&#x;</Code></A>", "Code", STATUS_MALFORMED, ""},
    {"<A><Code>&#0;</Code></A>", "Code", STATUS_MALFORMED, ""},
    {"<A><Code>&#xd800;</Code></A>", "Code", STATUS_MALFORMED, ""},
    {"<A><Code>&#x110000;</Code></A>", "Code", STATUS_MALFORMED, ""},
    {"<A><Code>&#99999999999999999999;</Code></A>", "Code", STATUS_MALFORMED,
	""},
    {"<A><Code>&#6f;</Code></A>", "Code", STATUS_MALFORMED, ""},
    {"<A><Code>x<b/></Code></A>", "Code", STATUS_MALFORMED, ""},
    {"<A><Code>x</A></Code>", "Code", STATUS_MALFORMED, ""},
    {"<A><B></A></B><Code>x</Code>", "Code", STATUS_MALFORMED, ""},
    {"</A><Code>x</Code>", "Code", STATUS_MALFORMED, ""},
    {"<A><Code>x", "Code", STATUS_MALFORMED, ""},
    {"<A><Code>x</Code", "Code", STATUS_MALFORMED, ""},
    {"<A><Code", "Code", STATUS_MALFORMED, ""},
    {"<A><Cod>x</Cod>", "Code", STATUS_MALFORMED, ""},
    {"<A><", "Code", STATUS_MALFORMED, ""},
    {"<A b='<Code>x</Code>", "Code", STATUS_MALFORMED, ""},
    {"<A><!-- <Code>x</Code>", "Code", STATUS_MALFORMED, ""},
    {"<!--><Code>x</Code>", "Code", STATUS_MALFORMED, ""},
    {"<?xml <Code>x</Code>", "Code", STATUS_MALFORMED, ""},
    {"<![CDATA[<Code>x</Code>", "Code", STATUS_MALFORMED, ""},
};

static void
reads(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(readings) / sizeof(*readings); i++) {
		const struct reading *r = &readings[i];
		char out[LONG_BYTES] = "before";
		/* So that a byte too far is one of nobody's. */
		char *copy = malloc(strlen(r->text) + 1);

		assert_non_null(copy);
		memcpy(copy, r->text, strlen(r->text));
		if (xml_element(copy, strlen(r->text), r->name, out,
			sizeof(out)) != r->status ||
		    strcmp(out, r->want) != 0)
			fail_msg("%s: have %s", r->text, out);
		free(copy);
	}
}

static void
fits(void **state)
{
	static const char text[] = "<A><B>12345678</B></A>";
	char out[9];

	(void)state;
	assert_int_equal(
	    xml_element(text, strlen(text), "B", out, 9), STATUS_OK);
	assert_string_equal(out, "12345678");
	assert_int_equal(
	    xml_element(text, strlen(text), "B", out, 8), STATUS_MALFORMED);
	/* Not half of a secret stays. */
	for (size_t i = 0; i < 8; i++)
		assert_int_equal(out[i], 0);
	assert_int_equal(
	    xml_element(text, strlen(text), "B", out, 0), STATUS_MALFORMED);
}

static void
nul_in_text(void **state)
{
	static const char text[] = "<A><B>12\0"
				   "34</B></A>";
	char out[LONG_BYTES];

	(void)state;
	assert_int_equal(
	    xml_element(text, sizeof(text) - 1, "B", out, sizeof(out)),
	    STATUS_MALFORMED);
}

/* As deep as may be, and one more. */
static void
depth(void **state)
{
	char text[XML_READ_DEPTH_MOST * 8 + LONG_BYTES];
	char out[LONG_BYTES];

	(void)state;
	for (size_t deep = XML_READ_DEPTH_MOST - 1; deep <= XML_READ_DEPTH_MOST;
	     deep++) {
		char *at = text;

		for (size_t i = 0; i < deep; i++)
			at = stpcpy(at, "<d>");
		at = stpcpy(at, "<B>x</B>");
		assert_int_equal(xml_element(text, (size_t)(at - text), "B",
				     out, sizeof(out)),
		    deep < XML_READ_DEPTH_MOST ? STATUS_OK : STATUS_MALFORMED);
	}
}

static void
length(void **state)
{
	static const char start[] = "<B>x</B>";
	char *text = malloc(XML_READ_BYTES_MOST + 1);
	char out[LONG_BYTES];

	(void)state;
	assert_non_null(text);
	memset(text, ' ', XML_READ_BYTES_MOST + 1);
	memcpy(text, start, strlen(start));
	assert_int_equal(
	    xml_element(text, XML_READ_BYTES_MOST, "B", out, sizeof(out)),
	    STATUS_OK);
	assert_int_equal(
	    xml_element(text, XML_READ_BYTES_MOST + 1, "B", out, sizeof(out)),
	    STATUS_MALFORMED);
	free(text);
}

struct taken {
	char text[LONG_BYTES];
	size_t count;
	size_t most; /* after which it has enough */
};

static enum status
take(void *context, const char *value)
{
	struct taken *taken = context;

	(void)strncat(
	    taken->text, value, sizeof(taken->text) - strlen(taken->text) - 1);
	(void)strncat(
	    taken->text, ";", sizeof(taken->text) - strlen(taken->text) - 1);
	return ++taken->count == taken->most ? STATUS_DONE : STATUS_OK;
}

static void
all_of(const char *text, size_t most, enum status want, const char *values)
{
	struct taken taken = {.most = most};
	char out[8];

	assert_int_equal(xml_elements(text, strlen(text), "K", out, sizeof(out),
			     take, &taken),
	    want);
	if (want == STATUS_OK || want == STATUS_DONE)
		assert_string_equal(taken.text, values);
}

/* Every element of a name, and nothing but whole XML. */
static void
elements(void **state)
{
	(void)state;
	all_of("<R/>", 0, STATUS_OK, "");
	all_of("<R><C><K>a</K><S>1</S></C><C><K>b&amp;</K></C><K/></R>", 0,
	    STATUS_OK, "a;b&;;");
	all_of("<R><K>a</K><K>b</K><K>c</K></R>", 2, STATUS_DONE, "a;b;");
	all_of("<R><K>a</K><K>b</K>", 0, STATUS_MALFORMED, "");
	all_of("<R><K>a</K><K>b</R>", 0, STATUS_MALFORMED, "");
	all_of("<R><K>a</K><K>12345678</K></R>", 0, STATUS_MALFORMED, "");
	all_of("<R><K>a<b/></K></R>", 0, STATUS_MALFORMED, "");
	all_of("<!DOCTYPE R><R><K>a</K></R>", 0, STATUS_MALFORMED, "");
	all_of("", 0, STATUS_MALFORMED, "");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(reads),
	    cmocka_unit_test(fits),
	    cmocka_unit_test(nul_in_text),
	    cmocka_unit_test(depth),
	    cmocka_unit_test(length),
	    cmocka_unit_test(elements),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
