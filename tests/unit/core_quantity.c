/* SPDX-License-Identifier: ISC */
/*
 * Strict values: what is read, what is refused, and that a refusal leaves the
 * value alone and says why.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "crlpress/quantity.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* What a value must still be after a refusal. */
#define UNTOUCHED 77

/* Text that no kind of value is. */
static const char *const never[] = {"", " ", "-1", "+1", "x", "1 ", " 1",
    "0x10", "1.5", "1e3", "\t1", "1\n", "१", "99999999999999999999999"};

static void
test_duration(void **state)
{
	static const struct {
		const char *text;
		int64_t sec;
	} good[] = {{"0s", 0}, {"1s", 1}, {"90s", 90}, {"30m", 1800},
	    {"6h", 21600}, {"9d", 777600}, {"2w", 1209600}, {"1h30m", 5400},
	    {"1w1d1h1m1s", 694861}, {"1d90m", 91800},
	    {"9223372036854775807s", INT64_MAX},
	    {"106751991167300d15h30m7s", INT64_MAX}};
	const char *why;
	int64_t sec;
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(good); i++) {
		sec = UNTOUCHED;
		assert_int_equal(
		    quantity_duration(good[i].text, &sec, &why), STATUS_OK);
		assert_int_equal(sec, good[i].sec);
	}
}

static void
test_duration_refused(void **state)
{
	static const char *const bad[] = {"0", "1", "s", "1S", "6H", "1y",
	    "30m1h", "1m1m", "1h 30m", "1h30", "1h-30m", "01h", "1h030m", "1ms",
	    "6h ", "9223372036854775808s", "18446744073709551616s",
	    "15250284452472w", "106751991167300d15h30m8s"};
	const char *why;
	int64_t sec;
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(bad) + COUNT(never); i++) {
		const char *text =
		    i < COUNT(bad) ? bad[i] : never[i - COUNT(bad)];

		sec = UNTOUCHED;
		why = NULL;
		assert_int_equal(
		    quantity_duration(text, &sec, &why), STATUS_MALFORMED);
		assert_int_equal(sec, UNTOUCHED);
		assert_non_null(why);
		assert_non_null(strstr(why, "duration"));
	}
}

static void
test_duration_text(void **state)
{
	static const struct {
		int64_t sec;
		const char *text;
	} rows[] = {{0, "0s"}, {1, "1s"}, {59, "59s"}, {60, "1m"},
	    {5400, "1h30m"}, {86399, "23h59m59s"}, {777600, "9d"},
	    {1209600, "14d"}, {90061, "1d1h1m1s"},
	    {INT64_MAX, "106751991167300d15h30m7s"}};
	char text[QUANTITY_DURATION_BYTES];
	const char *why;
	int64_t sec;
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(rows); i++) {
		assert_ptr_equal(
		    quantity_duration_text(rows[i].sec, text), text);
		assert_string_equal(text, rows[i].text);
		assert_int_equal(
		    quantity_duration(text, &sec, &why), STATUS_OK);
		assert_int_equal(sec, rows[i].sec);
	}
}

static void
test_size(void **state)
{
	static const struct {
		const char *text;
		uint64_t bytes;
	} good[] = {{"0", 0}, {"1", 1}, {"4096", 4096}, {"4096B", 4096},
	    {"64k", 65536}, {"64kB", 65536}, {"64KiB", 65536},
	    {"32M", 33554432}, {"32MB", 33554432}, {"32MiB", 33554432},
	    {"2G", 2147483648U}, {"2GiB", 2147483648U},
	    {"18446744073709551615", UINT64_MAX},
	    {"17179869183G", UINT64_C(17179869183) << 30}};
	const char *why;
	uint64_t bytes;
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(good); i++) {
		bytes = UNTOUCHED;
		assert_int_equal(
		    quantity_size(good[i].text, &bytes, &why), STATUS_OK);
		assert_int_equal(bytes, good[i].bytes);
	}
}

static void
test_size_refused(void **state)
{
	static const char *const bad[] = {"k", "B", "iB", "1iB", "1m", "1g",
	    "1T", "1kk", "1kiBB", "1MBB", "1 M", "1M ", "032M", "1b", "1kib",
	    "18446744073709551616", "17179869184G", "18014398509481984k"};
	const char *why;
	uint64_t bytes;
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(bad) + COUNT(never); i++) {
		const char *text =
		    i < COUNT(bad) ? bad[i] : never[i - COUNT(bad)];

		bytes = UNTOUCHED;
		why = NULL;
		assert_int_equal(
		    quantity_size(text, &bytes, &why), STATUS_MALFORMED);
		assert_int_equal(bytes, UNTOUCHED);
		assert_non_null(why);
		assert_non_null(strstr(why, "size"));
	}
}

static void
test_percent(void **state)
{
	static const char *const bad[] = {"0", "90", "%", "101%", "090%",
	    "90%%", "90 %", "4294967386%", "50.5%"};
	const char *why = NULL;
	uint32_t percent;
	size_t i;

	(void)state;
	assert_int_equal(quantity_percent("0%", &percent, &why), STATUS_OK);
	assert_int_equal(percent, 0);
	assert_int_equal(quantity_percent("90%", &percent, &why), STATUS_OK);
	assert_int_equal(percent, 90);
	assert_int_equal(quantity_percent("100%", &percent, &why), STATUS_OK);
	assert_int_equal(percent, 100);
	percent = UNTOUCHED;
	for (i = 0; i < COUNT(bad) + COUNT(never); i++) {
		const char *text =
		    i < COUNT(bad) ? bad[i] : never[i - COUNT(bad)];

		why = NULL;
		assert_int_equal(
		    quantity_percent(text, &percent, &why), STATUS_MALFORMED);
		assert_int_equal(percent, UNTOUCHED);
		assert_non_null(why);
		assert_non_null(strstr(why, "0% to 100%"));
	}
}

static void
test_bool(void **state)
{
	static const char *const yes[] = {"yes", "true", "on"};
	static const char *const no[] = {"no", "false", "off"};
	static const char *const bad[] = {
	    "", "Yes", "TRUE", "1", "0", "y", "yes ", " no", "nope", "of"};
	const char *why;
	bool value;
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(yes); i++) {
		value = false;
		assert_int_equal(
		    quantity_bool(yes[i], &value, &why), STATUS_OK);
		assert_true(value);
		assert_int_equal(quantity_bool(no[i], &value, &why), STATUS_OK);
		assert_false(value);
	}
	for (i = 0; i < COUNT(bad); i++) {
		value = i % 2 == 0;
		why = NULL;
		assert_int_equal(
		    quantity_bool(bad[i], &value, &why), STATUS_MALFORMED);
		assert_true(value == (i % 2 == 0));
		assert_non_null(why);
	}
}

static void
test_count(void **state)
{
	const char *why = NULL;
	uint64_t value = UNTOUCHED;
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(never); i++) {
		assert_int_equal(
		    quantity_count(never[i], 0, UINT64_MAX, &value, &why),
		    STATUS_MALFORMED);
		assert_non_null(strstr(why, "not a decimal number"));
	}
	assert_int_equal(
	    quantity_count("00", 0, 9, &value, &why), STATUS_MALFORMED);
	assert_int_equal(
	    quantity_count("1k", 0, 9, &value, &why), STATUS_MALFORMED);
	assert_int_equal(
	    quantity_count("4", 5, 9, &value, &why), STATUS_MALFORMED);
	assert_non_null(strstr(why, "small"));
	assert_int_equal(
	    quantity_count("10", 5, 9, &value, &why), STATUS_MALFORMED);
	assert_non_null(strstr(why, "large"));
	assert_int_equal(value, UNTOUCHED);
	assert_int_equal(quantity_count("5", 5, 9, &value, &why), STATUS_OK);
	assert_int_equal(value, 5);
	assert_int_equal(quantity_count("9", 5, 9, &value, &why), STATUS_OK);
	assert_int_equal(value, 9);
	assert_int_equal(
	    quantity_count("18446744073709551615", 0, UINT64_MAX, &value, &why),
	    STATUS_OK);
	assert_true(value == UINT64_MAX);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_duration),
	    cmocka_unit_test(test_duration_refused),
	    cmocka_unit_test(test_duration_text),
	    cmocka_unit_test(test_size),
	    cmocka_unit_test(test_size_refused),
	    cmocka_unit_test(test_percent),
	    cmocka_unit_test(test_bool),
	    cmocka_unit_test(test_count),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
