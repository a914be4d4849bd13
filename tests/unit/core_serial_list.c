/* SPDX-License-Identifier: ISC */
/* Lists of serials: what is a line, what is passed over, which line is wrong.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "crlpress/serial_list.h"

static enum status
list_read(const char *text, size_t len, struct serial_list *list,
    unsigned long *line, const char **why)
{
	FILE *stream = fmemopen((void *)(uintptr_t)text, len, "r");
	enum status status;

	assert_non_null(stream);
	status = serial_list_read(list, stream, line, why);
	fclose(stream);
	return status;
}

static void
test_lists(void **state)
{
	static const struct {
		const char *text;
		const char *want; /* serials in hex */
	} cases[] = {
	    {"1f\n", "1f"},
	    {"1f", "1f"},
	    {"\n\n", ""},
	    {"# 1f\n", ""},
	    {"#", ""},
	    {"  0a:1b \t\r\ndec:16 # sixteen\nserial=0A1B", "0a1b 10 0a1b"},
	    {"0x2#3", "02"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct serial_list list = {NULL, 0, 0};
		char have[256] = "", hex[UINT160_HEX_BYTES];
		const char *why = NULL;
		unsigned long line = 0;

		assert_int_equal(list_read(cases[i].text, strlen(cases[i].text),
				     &list, &line, &why),
		    STATUS_OK);
		for (size_t n = 0; n < list.count; n++) {
			if (n > 0)
				strcat(have, " ");
			strcat(have, uint160_to_hex(&list.serial[n], hex));
		}
		assert_string_equal(have, cases[i].want);
		serial_list_free(&list);
	}
}

static void
test_bad_lines(void **state)
{
	static const struct {
		const char *text;
		unsigned long line;
	} cases[] = {
	    {"xyz\n", 1},
	    {"1f\n\n# fine\n1f 20\n", 4},
	    {"1f\n0\n", 2},
	    {"1f\n010203040506070809101112131415161718192021", 2},
	    {"dec:\n", 1},
	    {"1f\n1f\f\n", 2},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct serial_list list = {NULL, 0, 0};
		const char *why = NULL;
		unsigned long line = 0;

		assert_int_equal(list_read(cases[i].text, strlen(cases[i].text),
				     &list, &line, &why),
		    STATUS_MALFORMED);
		assert_int_equal(line, cases[i].line);
		assert_non_null(why);
		serial_list_free(&list);
	}
}

/* A line has an end, whatever is in it; a comment may be as long as it is. */
static void
test_long_lines(void **state)
{
	struct serial_list list = {NULL, 0, 0};
	const char *why = NULL;
	unsigned long line = 0;
	char text[8192];

	(void)state;
	memset(text, 'x', sizeof(text));
	memcpy(text, "1f # ", 5);
	text[sizeof(text) - 1] = '\n';
	assert_int_equal(
	    list_read(text, sizeof(text), &list, &line, &why), STATUS_OK);
	assert_int_equal(list.count, 1);
	memset(text, ' ', 4096);
	memcpy(text, "1f", 2);
	memset(text + 4096, '\n', sizeof(text) - 4096);
	assert_int_equal(list_read(text, sizeof(text), &list, &line, &why),
	    STATUS_MALFORMED);
	assert_int_equal(line, 1);
	assert_string_equal(why, "too long for a serial");
	/* A NUL is no end of a serial. */
	assert_int_equal(
	    list_read("1f\0", 3, &list, &line, &why), STATUS_MALFORMED);
	serial_list_free(&list);
}

static void
test_most(void **state)
{
	struct serial_list list = {NULL, 0, 0};
	struct uint160 serial = uint160_from_u64(1);

	(void)state;
	for (size_t i = 0; i < SERIAL_LIST_MOST; i++)
		assert_int_equal(serial_list_add(&list, &serial), STATUS_OK);
	assert_int_equal(serial_list_add(&list, &serial), STATUS_MALFORMED);
	assert_int_equal(list.count, SERIAL_LIST_MOST);
	serial_list_free(&list);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_lists),
	    cmocka_unit_test(test_bad_lines),
	    cmocka_unit_test(test_long_lines),
	    cmocka_unit_test(test_most),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
