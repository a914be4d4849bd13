/* SPDX-License-Identifier: ISC */
/* What [source] source names, and what it may not. */
#include "crlpress/source_kind.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

struct good {
	const char *text;
	enum source_kind kind;
	const char *place;
	bool is_url;
};

static const struct good goods[] = {
    {"crl:/srv/a.crl", SOURCE_CRL, "/srv/a.crl", false},
    {"crl:a.crl", SOURCE_CRL, "a.crl", false},
    {"crl:a:b.crl", SOURCE_CRL, "a:b.crl", false},
    {"crl:file:///srv/a.crl", SOURCE_CRL, "/srv/a.crl", false},
    {"crl:http://a/b", SOURCE_CRL, "http://a/b", true},
    {"crl:HTTPS://a/b", SOURCE_CRL, "HTTPS://a/b", true},
    {"index:index.txt", SOURCE_INDEX, "index.txt", false},
    {"index:file:///index.txt", SOURCE_INDEX, "/index.txt", false},
};

static const char *const bads[] = {
    "",
    "crl",
    "crl:",
    "index:",
    "/srv/a.crl",
    "a.crl",
    "CRL:a.crl",
    "crl :a.crl",
    "database:a",
    "crls:a",
    "crl:file://host/a.crl",
    "crl:ftp://a/b",
    "index:http://a/b",
    "index:https://a/b",
};

static void
test_good(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(goods) / sizeof(goods[0]); i++) {
		const char *place = NULL;

		assert_null(source_kind_fault(goods[i].text));
		assert_int_equal(
		    source_kind_of(goods[i].text, &place), goods[i].kind);
		assert_string_equal(place, goods[i].place);
		assert_int_equal(source_place_is_url(place), goods[i].is_url);
	}
}

static void
test_bad(void **state)
{
	const char *place = "none";

	(void)state;
	for (size_t i = 0; i < sizeof(bads) / sizeof(bads[0]); i++) {
		assert_non_null(source_kind_fault(bads[i]));
		assert_int_equal(
		    source_kind_of(bads[i], &place), SOURCE_DATABASE);
		assert_null(place);
	}
	assert_int_equal(source_kind_of(NULL, &place), SOURCE_DATABASE);
}

static void
test_names(void **state)
{
	(void)state;
	for (int i = 0; i < SOURCE_KIND_COUNT; i++) {
		const char *name = source_kind_name((enum source_kind)i);
		enum source_kind kind = SOURCE_KIND_COUNT;

		assert_true(source_kind_from_name(name, strlen(name), &kind));
		assert_int_equal(kind, i);
		assert_false(
		    source_kind_from_name(name, strlen(name) - 1, &kind));
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_good),
	    cmocka_unit_test(test_bad),
	    cmocka_unit_test(test_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
