/* SPDX-License-Identifier: ISC */
/*
 * CSV as RFC 4180 has it: what stands in the fields of each record, and on
 * which line it begins; and where the reader gives up.
 */
#include "crlpress/csv_record.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define ROOM 16

/* What came of a file, a line a record: "LINE:<field><field>", or the fault. */
static void
file_read(const char *text, size_t len, char *told, size_t room)
{
	char *buffer = malloc(ROOM), *copy = malloc(len);
	struct csv_reader reader = {.text = buffer, .room = ROOM};
	const char *why = NULL;
	enum status status;
	size_t n = 0;

	assert_non_null(buffer);
	assert_non_null(copy);
	memcpy(copy, text, len);
	reader.stream = fmemopen(copy, len, "r");
	assert_non_null(reader.stream);
	while ((status = csv_record_read(&reader, &why)) != STATUS_DONE) {
		n += (size_t)snprintf(
		    told + n, room - n, "%u:", (unsigned)reader.line);
		for (size_t i = 0; status == STATUS_OK && i < reader.fields &&
				   i < CSV_FIELDS_MOST;
		     i++)
			n += (size_t)snprintf(told + n, room - n, "<%.*s>",
			    (int)reader.field[i].len, reader.field[i].text);
		if (status != STATUS_OK)
			n += (size_t)snprintf(told + n, room - n, "%s%s", why,
			    reader.is_cut ? ", cut" : "");
		n += (size_t)snprintf(told + n, room - n, "\n");
		assert_true(n < room);
	}
	told[n] = '\0';
	assert_true(reader.is_over);
	/* And so it stays. */
	assert_int_equal(csv_record_read(&reader, &why), STATUS_DONE);
	assert_int_equal(fclose(reader.stream), 0);
	free(buffer);
	free(copy);
}

static void
test_records(void **state)
{
	static const struct {
		const char *text;
		const char *want;
	} cases[] = {
	    {"\n", ""},
	    {"\r\n\n\r\n", ""},
	    {"a", "1:<a>\n"},
	    {"a\n", "1:<a>\n"},
	    {"a\r\n", "1:<a>\n"},
	    {"a\r", "1:<a>\n"},
	    {"a\rb\n", "1:<a\rb>\n"},
	    {",", "1:<><>\n"},
	    {"a,,b\n,c\n", "1:<a><><b>\n2:<><c>\n"},
	    {"a\n\n\nb", "1:<a>\n4:<b>\n"},
	    /* Quotes, and what they hold. */
	    {"\"a,b\",c", "1:<a,b><c>\n"},
	    {"\"a\nb\"\nc", "1:<a\nb>\n3:<c>\n"},
	    {"\"a\r\n\"\r\nc", "1:<a\r\n>\n3:<c>\n"},
	    {"\"\"\"a\"\"b\"\"\"", "1:<\"a\"b\">\n"},
	    {"\"\",\"\"\n", "1:<><>\n"},
	    {"\"\"\na", "2:<a>\n"},
	    {"\"a\"\r\n", "1:<a>\n"},
	    /* One that opens nothing. */
	    {"a\"b\nc", "1:<a\"b>\n2:<c>\n"},
	    {"a\"\"b,\"\"\"\"\n", "1:<a\"\"b><\">\n"},
	    {"\"a\"b\nc",
		"1:text behind the quote that closes a field\n2:<c>\n"},
	    {"\"a\" \nc",
		"1:text behind the quote that closes a field\n2:<c>\n"},
	    {"\"a\"b\"c,d\"\ne",
		"1:text behind the quote that closes a field\n2:<e>\n"},
	    {"a\n\"b\nc", "1:<a>\n2:a quote that nothing closes, cut\n"},
	    {"\"", "1:a quote that nothing closes, cut\n"},
	    {"a\"", "1:<a\">\n"},
	    /* As much as there is room for, without quotes and commas. */
	    {"12345678,\"12345678\"\na", "1:<12345678><12345678>\n2:<a>\n"},
	    {"12345678,123456789\na", "1:longer than any row, cut\n"},
	    {"\"12345678901234567\"\na",
		"1:longer than any row, or a quote that nothing closes, cut\n"},
	    /* More fields than are kept are counted. */
	    {"1,2,3,4,5,6,7,8\n", "1:<1><2><3><4><5><6><7><8>\n"},
	    {"1,2,3,4,5,6,7,8,9,0\na", "1:<1><2><3><4><5><6><7><8>\n2:<a>\n"},
	};
	char told[256];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		file_read(
		    cases[i].text, strlen(cases[i].text), told, sizeof(told));
		if (strcmp(told, cases[i].want) != 0)
			fail_msg("%s: have\n%swant\n%s", cases[i].text, told,
			    cases[i].want);
	}
}

static void
test_counts(void **state)
{
	static char text[] = "1,2,3,4,5,6,7,8,9,\n\"1\0\",2";
	char buffer[ROOM];
	struct csv_reader reader = {.text = buffer, .room = ROOM};
	const char *why = NULL;

	(void)state;
	reader.stream = fmemopen(text, sizeof(text) - 1, "r");
	assert_non_null(reader.stream);
	assert_int_equal(csv_record_read(&reader, &why), STATUS_OK);
	assert_int_equal(reader.fields, 10);
	assert_int_equal(csv_record_read(&reader, &why), STATUS_OK);
	assert_int_equal(reader.fields, 2);
	assert_int_equal(reader.field[0].len, 2);
	assert_memory_equal(reader.field[0].text, "1\0", 2);
	assert_int_equal(fclose(reader.stream), 0);
}

/* What cannot be read is not the end. */
static void
test_error(void **state)
{
	char buffer[ROOM];
	struct csv_reader reader = {.text = buffer, .room = ROOM};
	const char *why = NULL;

	(void)state;
	reader.stream = fopen("/", "re");
	assert_non_null(reader.stream);
	assert_int_equal(csv_record_read(&reader, &why), STATUS_IO);
	assert_int_equal(reader.line, 1);
	assert_int_equal(fclose(reader.stream), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_records),
	    cmocka_unit_test(test_counts),
	    cmocka_unit_test(test_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
