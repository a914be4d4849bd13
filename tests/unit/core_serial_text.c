/* SPDX-License-Identifier: ISC */
/* Serials as people write them: one value for each spelling, or a reason. */
#include "crlpress/serial_text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define F20 "ffffffffffffffffffffffffffffffffffffffff"

static const struct {
	const char *text;
	const char *hex;
} good[] = {
    {"0a1b", "0a1b"},
    {"A1B", "0a1b"},
    {"0A:1B", "0a1b"},
    {"0a", "0a"},
    {"0x0a1b", "0a1b"},
    {"0X0A1B", "0a1b"},
    {"0x0a:1b", "0a1b"},
    {"serial=0A1B", "0a1b"},
    {"dec:2587", "0a1b"},
    {"10", "10"},
    {"dec:10", "0a"},
    {"00000000000000000000000000000000000000000000000000000001", "01"},
    {"7f:ff:ff:ff:ff:ff:ff:ff:ff:ff:ff:ff:ff:ff:ff:ff:ff:ff:ff:ff",
	"7fffffffffffffffffffffffffffffffffffffff"},
    {"dec:730750818665451459101842416358141509827966271487",
	"7fffffffffffffffffffffffffffffffffffffff"},
};

static const char *const bad[] = {"", "0", "00", "0x", "0x0", "dec:", "dec:0",
    "serial=", "x", "-1", "dec:-1", "+1", " 1", "1 ", "0a:", ":0a", "0a::1b",
    "0a:1", "a:1b", "0a1:b2", "0a:1b:", "dec:0a", "dec:0x10", "dec:1:2",
    "0x0x1", "80000000000000000000000000000000000000000", F20,
    "dec:730750818665451459101842416358141509827966271488", F20 F20 F20 F20};

static void
reads_each_spelling(void **state)
{
	char hex[UINT160_HEX_BYTES];

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		struct uint160 serial = {{0}};
		const char *why = NULL;

		assert_int_equal(serial_text_read(good[i].text,
				     strlen(good[i].text), &serial, &why),
		    STATUS_OK);
		assert_string_equal(uint160_to_hex(&serial, hex), good[i].hex);
	}
}

static void
refuses_the_rest_with_a_reason(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct uint160 serial = uint160_from_u64(7);
		struct uint160 seven = serial;
		const char *why = NULL;

		assert_int_equal(
		    serial_text_read(bad[i], strlen(bad[i]), &serial, &why),
		    STATUS_MALFORMED);
		assert_non_null(why);
		assert_int_equal(uint160_compare(&serial, &seven), 0);
	}
}

static void
reads_no_further_than_it_is_told(void **state)
{
	struct uint160 serial = {{0}}, want = uint160_from_u64(0x0a);
	const char *why = NULL;

	(void)state;
	assert_int_equal(serial_text_read("0a1b", 2, &serial, &why), STATUS_OK);
	assert_int_equal(uint160_compare(&serial, &want), 0);
	assert_int_equal(
	    serial_text_read("0a1b", 0, &serial, &why), STATUS_MALFORMED);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(reads_each_spelling),
	    cmocka_unit_test(refuses_the_rest_with_a_reason),
	    cmocka_unit_test(reads_no_further_than_it_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
