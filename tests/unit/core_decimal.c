/* SPDX-License-Identifier: ISC */
/*
 * Decimal numbers: what is one, what is above its bound or 64 bits, where
 * reading stops, and that a refusal leaves the value and the place alone.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "crlpress/decimal.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* What a value must still be after a refusal. */
#define UNTOUCHED 77

#define NO_NUMBER "not a decimal number without leading zeros"
#define TOO_LARGE "a number too large"

struct example {
	const char *text;
	uint64_t most;
	uint64_t value;
	const char *why;    /* NULL: it is read */
	const char *filled; /* the same of decimal_read_filled */
};

static const struct example examples[] = {
    {"0", 0, 0, NULL, NULL},
    {"7", 7, 7, NULL, NULL},
    {"10", 10, 10, NULL, NULL},
    {"65535", 65535, 65535, NULL, NULL},
    {"4294967295", UINT32_MAX, UINT32_MAX, NULL, NULL},
    {"9223372036854775807", INT64_MAX, INT64_MAX, NULL, NULL},
    {"18446744073709551615", UINT64_MAX, UINT64_MAX, NULL, NULL},
    {"00", 9, 0, NO_NUMBER, NULL},
    {"007", 7, 7, NO_NUMBER, NULL},
    {"000000000000000000000000000001", 1, 1, NO_NUMBER, NULL},
    {"1", 0, 0, TOO_LARGE, TOO_LARGE},
    {"8", 7, 0, TOO_LARGE, TOO_LARGE},
    {"10", 9, 0, TOO_LARGE, TOO_LARGE},
    {"19", 18, 0, TOO_LARGE, TOO_LARGE},
    {"4294967296", UINT32_MAX, 0, TOO_LARGE, TOO_LARGE},
    {"9223372036854775808", INT64_MAX, 0, TOO_LARGE, TOO_LARGE},
    /* Past 64 bits by the last digit, by a factor, and by far. */
    {"18446744073709551616", UINT64_MAX, 0, TOO_LARGE, TOO_LARGE},
    {"18446744073709551620", UINT64_MAX, 0, TOO_LARGE, TOO_LARGE},
    {"184467440737095516150", UINT64_MAX, 0, TOO_LARGE, TOO_LARGE},
    {"99999999999999999999999999999999999999999", UINT64_MAX, 0, TOO_LARGE,
	TOO_LARGE},
    {"", 9, 0, NO_NUMBER, NO_NUMBER},
    {"-", 9, 0, NO_NUMBER, NO_NUMBER},
    {"-1", 9, 0, NO_NUMBER, NO_NUMBER},
    {"+1", 9, 0, NO_NUMBER, NO_NUMBER},
    {" 1", 9, 0, NO_NUMBER, NO_NUMBER},
    {"1 ", 9, 0, NO_NUMBER, NO_NUMBER},
    {"1\n", 9, 0, NO_NUMBER, NO_NUMBER},
    {"0x1", 9, 0, NO_NUMBER, NO_NUMBER},
    {"1.0", 99, 0, NO_NUMBER, NO_NUMBER},
    {"1e3", 9999, 0, NO_NUMBER, NO_NUMBER},
    {"/", 99, 0, NO_NUMBER, NO_NUMBER}, /* before 0 */
    {":", 99, 0, NO_NUMBER, NO_NUMBER}, /* behind 9 */
    {"\xb2", 99, 0, NO_NUMBER, NO_NUMBER},
};

static void
check(const struct example *example, enum status status, uint64_t value,
    const char *why, const char *want)
{
	if (want == NULL) {
		assert_int_equal(status, STATUS_OK);
		assert_int_equal(value, example->value);
		assert_null(why);
		return;
	}
	assert_int_equal(status, STATUS_MALFORMED);
	assert_int_equal(value, UNTOUCHED);
	assert_string_equal(why, want);
}

static void
all_of_a_text_is_a_number(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(examples); i++) {
		const struct example *example = &examples[i];
		uint64_t value = UNTOUCHED, again = UNTOUCHED;
		size_t len = strlen(example->text);
		const char *why = NULL;
		enum status status;

		status = decimal_read(
		    example->text, len, example->most, &value, &why);
		check(example, status, value, why, example->why);
		/* Nobody need ask why. */
		assert_int_equal(decimal_read(example->text, len, example->most,
				     &again, NULL),
		    status);
		assert_int_equal(again, value);
		value = UNTOUCHED;
		why = NULL;
		status = decimal_read_filled(
		    example->text, len, example->most, &value, &why);
		check(example, status, value, why, example->filled);
	}
}

/* A bound says nothing of whether it is a number. */
static void
a_fault_is_of_the_text(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(examples); i++) {
		const struct example *example = &examples[i];
		const char *fault =
		    decimal_fault(example->text, strlen(example->text));

		if (example->why != NULL &&
		    strcmp(example->why, NO_NUMBER) == 0)
			assert_string_equal(fault, NO_NUMBER);
		else
			assert_null(fault);
	}
}

/* No octet behind the length is looked at, nor one of zero taken for an end. */
static void
a_text_ends_where_it_says(void **state)
{
	uint64_t value = UNTOUCHED;

	(void)state;
	assert_int_equal(decimal_read("1234", 2, 99, &value, NULL), STATUS_OK);
	assert_int_equal(value, 12);
	assert_int_equal(
	    decimal_read_filled("0012", 3, 99, &value, NULL), STATUS_OK);
	assert_int_equal(value, 1);
	assert_int_equal(
	    decimal_read("1\0", 2, 99, &value, NULL), STATUS_MALFORMED);
	assert_int_equal(
	    decimal_read_filled("1\0", 2, 99, &value, NULL), STATUS_MALFORMED);
	assert_int_equal(value, 1);
}

static void
digits_are_taken_from_the_front(void **state)
{
	static const struct {
		const char *text;
		size_t len;
		uint64_t most;
		size_t taken; /* 0: refused */
		uint64_t value;
	} fronts[] = {
	    {"12/34", 5, 99, 2, 12},
	    {"0/34", 4, 99, 1, 0},
	    {"12", 2, 99, 2, 12},
	    {"1234", 2, 99, 2, 12},
	    {"12\0", 3, 99, 2, 12},
	    {"100-", 4, 100, 3, 100},
	    {"101-", 4, 100, 0, 0},
	    {"012/", 4, 99, 0, 0},
	    {"00", 2, 99, 0, 0},
	    {"/12", 3, 99, 0, 0},
	    {"12", 0, 99, 0, 0},
	    {"18446744073709551616-", 21, UINT64_MAX, 0, 0},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(fronts); i++) {
		const char *text = fronts[i].text, *why = NULL;
		uint64_t value = UNTOUCHED;
		enum status status =
		    decimal_take(&text, fronts[i].text + fronts[i].len,
			fronts[i].most, &value, &why);

		assert_int_equal(
		    status, fronts[i].taken > 0 ? STATUS_OK : STATUS_MALFORMED);
		assert_ptr_equal(text, fronts[i].text + fronts[i].taken);
		assert_int_equal(
		    value, fronts[i].taken > 0 ? fronts[i].value : UNTOUCHED);
		assert_int_equal(why == NULL, fronts[i].taken > 0);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(all_of_a_text_is_a_number),
	    cmocka_unit_test(a_fault_is_of_the_text),
	    cmocka_unit_test(a_text_ends_where_it_says),
	    cmocka_unit_test(digits_are_taken_from_the_front),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
