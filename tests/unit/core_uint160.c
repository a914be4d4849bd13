/* SPDX-License-Identifier: ISC */
/* Serial numbers against vectors made with big integers, and their edges. */
#include "crlpress/uint160.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define VECTORS "tests/vectors/uint160.txt"
#define VALUES_LEAST 721
#define FAULTS_LEAST 37

#define LARGEST "7fffffffffffffffffffffffffffffffffffffff"
#define LARGEST_DECIMAL "730750818665451459101842416358141509827966271487"

static struct uint160
from_hex(const char *text)
{
	struct uint160 value;
	const char *why = NULL;
	enum status status = uint160_from_hex(&value, text, strlen(text), &why);

	if (status != STATUS_OK)
		fail_msg("%s: %s", text, why);
	return value;
}

static void
assert_hex(const struct uint160 *value, const char *hex)
{
	char have[UINT160_HEX_BYTES];

	assert_ptr_equal(uint160_to_hex(value, have), have);
	assert_string_equal(have, hex);
}

/* "HEX DECIMAL NEXT [N REST]..." */
static void
check_value(char *rest)
{
	const char *hex = strtok_r(rest, " ", &rest);
	const char *decimal = strtok_r(rest, " ", &rest);
	const char *next = strtok_r(rest, " ", &rest);
	struct uint160 a = from_hex(hex);
	struct uint160 b = {{0xff}};
	struct uint160 c = {{0xff}};
	uint8_t octets[UINT160_OCTETS + 3] = {0};
	char have[UINT160_DECIMAL_BYTES];
	const char *why = NULL;
	const char *n;

	assert_hex(&a, hex);
	assert_ptr_equal(uint160_to_decimal(&a, have), have);
	assert_string_equal(have, decimal);
	assert_int_equal(
	    uint160_from_decimal(&b, decimal, strlen(decimal), &why),
	    STATUS_OK);
	assert_memory_equal(&a, &b, sizeof(a));
	memcpy(octets + 3, a.octet, UINT160_OCTETS);
	assert_int_equal(
	    uint160_from_octets(&c, octets, sizeof(octets), &why), STATUS_OK);
	assert_memory_equal(&a, &c, sizeof(a));
	while ((n = strtok_r(rest, " ", &rest)) != NULL)
		assert_int_equal(
		    uint160_mod(&a, (uint32_t)strtoul(n, NULL, 10)),
		    strtoul(strtok_r(rest, " ", &rest), NULL, 10));
	if (strcmp(next, "fault") == 0) {
		assert_int_equal(uint160_next(&a), STATUS_MALFORMED);
		assert_hex(&a, hex);
	} else {
		assert_int_equal(uint160_next(&a), STATUS_OK);
		assert_hex(&a, next);
		assert_true(uint160_compare(&a, &b) > 0);
		assert_true(uint160_compare(&b, &a) < 0);
	}
}

/* A text that is no number leaves the value alone and says why. */
static void
check_fault(const char *kind, const char *text, size_t len)
{
	struct uint160 value = uint160_from_u64(4711);
	const char *why = NULL;
	enum status status;

	if (strcmp(kind, "hex") == 0)
		status = uint160_from_hex(&value, text, len, &why);
	else
		status = uint160_from_decimal(&value, text, len, &why);
	if (status != STATUS_MALFORMED)
		fail_msg("%s '%s' was taken", kind, text);
	assert_non_null(why);
	assert_hex(&value, "1267");
}

/* Octets of every length, with a zero before them or none, and none behind. */
static void
test_octets(void **state)
{
	(void)state;
	for (size_t len = 1; len <= UINT160_OCTETS; len++)
		for (unsigned first = 0; first < 0x80; first += 0x7f) {
			uint8_t *octets = malloc(len);
			struct uint160 value, want = {{0}};
			const char *why = NULL;

			assert_non_null(octets);
			for (size_t i = 0; i < len; i++)
				octets[i] = (uint8_t)(0x11 * i + len);
			octets[0] = (uint8_t)first;
			memcpy(want.octet + UINT160_OCTETS - len, octets, len);
			assert_int_equal(
			    uint160_from_octets(&value, octets, len, &why),
			    STATUS_OK);
			assert_memory_equal(&value, &want, sizeof(want));
			assert_int_equal(
			    uint160_is_zero(&value), len == 1 && first == 0);
			free(octets);
		}
}

/* Each octet alone makes a value other than zero. */
static void
test_zero(void **state)
{
	struct uint160 value = {{0}};

	(void)state;
	assert_true(uint160_is_zero(&value));
	for (size_t i = 0; i < UINT160_OCTETS; i++) {
		value.octet[i] = 1;
		assert_false(uint160_is_zero(&value));
		value.octet[i] = 0;
	}
}

/* The order is that of the octets, whichever differ first and how. */
static void
test_order(void **state)
{
	static const uint8_t octets[] = {0x00, 0x01, 0x7f, 0x80, 0xff};
	const size_t n = sizeof(octets);

	(void)state;
	for (size_t i = 0; i < UINT160_OCTETS * n * n * 3; i++) {
		size_t at = i % UINT160_OCTETS, rest = i / UINT160_OCTETS;
		struct uint160 a, b;
		int want, have;

		memset(&a, (int)(rest / n / n) * 0x7f, sizeof(a));
		b = a;
		a.octet[at] = octets[rest % n];
		b.octet[at] = octets[rest / n % n];
		/* What comes after the first difference does not count. */
		if (a.octet[at] != b.octet[at] && at + 1 < UINT160_OCTETS)
			b.octet[UINT160_OCTETS - 1] ^= 0x55;
		want = memcmp(a.octet, b.octet, UINT160_OCTETS);
		have = uint160_compare(&a, &b);
		assert_int_equal(
		    (have > 0) - (have < 0), (want > 0) - (want < 0));
	}
}

static void
test_vectors(void **state)
{
	char line[4096];
	unsigned values = 0;
	unsigned faults = 0;
	FILE *file = fopen(VECTORS, "r");

	(void)state;
	assert_non_null(file);
	while (fgets(line, sizeof(line), file) != NULL) {
		char *rest = strchr(line, '\n');
		const char *kind;

		assert_non_null(rest);
		*rest = '\0';
		if (line[0] == '#')
			continue;
		kind = strtok_r(line, " ", &rest);
		if (strcmp(kind, "value") == 0) {
			check_value(rest);
			values++;
		} else {
			check_fault(kind, rest, strlen(rest));
			faults++;
		}
	}
	assert_int_equal(ferror(file), 0);
	fclose(file);
	assert_true(values >= VALUES_LEAST);
	assert_true(faults >= FAULTS_LEAST);
}

static void
test_hex_forms(void **state)
{
	struct uint160 value;

	(void)state;
	value = from_hex("0");
	assert_hex(&value, "00");
	assert_true(uint160_is_zero(&value));
	value = from_hex("abc");
	assert_hex(&value, "0abc");
	value = from_hex("ABCdef");
	assert_hex(&value, "abcdef");
	value = from_hex("0000000000000000000000000000" LARGEST);
	assert_hex(&value, LARGEST);
	assert_false(uint160_is_zero(&value));
	value = from_hex("0000000000000000000000000000000000000000000000");
	assert_true(uint160_is_zero(&value));
}

static void
test_decimal_forms(void **state)
{
	struct uint160 value;
	const char *why = NULL;
	const char *text = "0000000000000000" LARGEST_DECIMAL "9";

	(void)state;
	/* The length counts, not a NUL. */
	assert_int_equal(
	    uint160_from_decimal(&value, text, strlen(text) - 1, &why),
	    STATUS_OK);
	assert_hex(&value, LARGEST);
	assert_int_equal(
	    uint160_from_decimal(&value, "000", 3, &why), STATUS_OK);
	assert_true(uint160_is_zero(&value));
	check_fault("decimal", text, strlen(text));
}

static void
test_empty(void **state)
{
	struct uint160 value = uint160_from_u64(4711);
	const char *why = NULL;

	(void)state;
	check_fault("hex", "12", 0);
	check_fault("decimal", "12", 0);
	assert_int_equal(
	    uint160_from_octets(&value, NULL, 0, &why), STATUS_MALFORMED);
	assert_non_null(why);
	assert_hex(&value, "1267");
}

/* Every octet but a digit is refused, at the start, amid and at the end. */
static void
test_every_octet(void **state)
{
	(void)state;
	for (int c = 0; c < 256; c++)
		for (size_t at = 0; at < 3; at++) {
			char text[] = "000";
			bool decimal = c >= '0' && c <= '9';
			bool hex = decimal || (c >= 'a' && c <= 'f') ||
				   (c >= 'A' && c <= 'F');

			text[at] = (char)c;
			if (!hex)
				check_fault("hex", text, 3);
			if (!decimal)
				check_fault("decimal", text, 3);
		}
}

static void
test_large_octets(void **state)
{
	uint8_t octets[UINT160_OCTETS + 1] = {0};
	struct uint160 value = uint160_from_u64(4711);
	const char *why = NULL;

	(void)state;
	octets[1] = 0x80;
	assert_int_equal(
	    uint160_from_octets(&value, octets, sizeof(octets), &why),
	    STATUS_MALFORMED);
	assert_non_null(why);
	octets[0] = 0x01;
	octets[1] = 0x00;
	assert_int_equal(
	    uint160_from_octets(&value, octets, sizeof(octets), &why),
	    STATUS_MALFORMED);
	assert_hex(&value, "1267");
	assert_int_equal(
	    uint160_from_octets(&value, octets, 2, &why), STATUS_OK);
	assert_hex(&value, "0100");
}

static void
test_u64(void **state)
{
	struct uint160 value;

	(void)state;
	value = uint160_from_u64(0);
	assert_hex(&value, "00");
	value = uint160_from_u64(UINT64_MAX);
	assert_hex(&value, "ffffffffffffffff");
	value = uint160_from_u64(0x0123456789abcdef);
	assert_hex(&value, "0123456789abcdef");
	assert_int_equal(uint160_compare(&value, &value), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_vectors),
	    cmocka_unit_test(test_order),
	    cmocka_unit_test(test_octets),
	    cmocka_unit_test(test_zero),
	    cmocka_unit_test(test_hex_forms),
	    cmocka_unit_test(test_decimal_forms),
	    cmocka_unit_test(test_empty),
	    cmocka_unit_test(test_every_octet),
	    cmocka_unit_test(test_large_octets),
	    cmocka_unit_test(test_u64),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
