/* SPDX-License-Identifier: ISC */
/* Characters at the limits of RFC 3629, 4, and what lies beyond each. */
#include "crlpress/utf8.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static const struct {
	const char *text;
	size_t len;
	uint32_t code;
} good[] = {
    {"\x01", 1, 0x01},
    {"\x7f", 1, 0x7f},
    {"\xc2\x80", 2, 0x80},
    {"\xdf\xbf", 2, 0x7ff},
    {"\xe0\xa0\x80", 3, 0x800},
    {"\xed\x9f\xbf", 3, 0xd7ff},
    {"\xee\x80\x80", 3, 0xe000},
    {"\xef\xbf\xbf", 3, 0xffff},
    {"\xf0\x90\x80\x80", 4, 0x10000},
    {"\xf4\x8f\xbf\xbf", 4, 0x10ffff},
};

static const char *const bad[] = {
    "\x80",             /* the octet of a continuation */
    "\xbf",             /* ... */
    "\xc0\x80",         /* overlong */
    "\xc1\xbf",         /* ... */
    "\xe0\x9f\xbf",     /* ... */
    "\xf0\x8f\xbf\xbf", /* ... */
    "\xed\xa0\x80",     /* surrogates */
    "\xed\xbf\xbf",     /* ... */
    "\xf4\x90\x80\x80", /* past U+10FFFF */
    "\xf7\xbf\xbf\xbf", /* ... */
    "\xf8\x88\x80\x80\x80",
    "\xff",
    "\xc2\x7f", /* something else where it should go on */
    "\xc2\xc0",
    "\xe1\x80\x40",
    "\xf1\x80\x80\xc0",
};

static void
test_good(void **state)
{
	uint32_t code = 0;

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		assert_int_equal(
		    utf8_read(good[i].text, UTF8_MOST, &code), good[i].len);
		assert_int_equal(code, good[i].code);
	}
	assert_int_equal(utf8_read("\0a", 2, &code), 1);
	assert_int_equal(code, 0);
}

static void
test_bad(void **state)
{
	uint32_t code;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(utf8_read(bad[i], UTF8_MOST, &code), 0);
}

/* What ends before the character does, by its room or by a NUL. */
static void
test_cut(void **state)
{
	char text[UTF8_MOST];
	uint32_t code;

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		for (size_t room = 1; room < good[i].len; room++) {
			memset(text, 0, sizeof(text));
			memcpy(text, good[i].text, room);
			assert_int_equal(
			    utf8_read(good[i].text, room, &code), 0);
			assert_int_equal(utf8_read(text, UTF8_MOST, &code), 0);
		}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_good),
	    cmocka_unit_test(test_bad),
	    cmocka_unit_test(test_cut),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
