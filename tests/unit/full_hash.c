/* SPDX-License-Identifier: ISC */
/* SHA-256 against the examples of FIPS 180-2, and a hash's text and back. */
#include "crlpress/hash.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define EMPTY "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
#define ABC "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"

static void
test_bytes(void **state)
{
	char hex[HASH_HEX_BYTES];
	struct hash hash;

	(void)state;
	assert_int_equal(
	    hash_bytes((const uint8_t *)"abc", 3, &hash), STATUS_OK);
	assert_string_equal(hash_to_hex(&hash, hex), ABC);
	assert_int_equal(hash_bytes(NULL, 0, &hash), STATUS_OK);
	assert_string_equal(hash_to_hex(&hash, hex), EMPTY);
}

static void
test_hex(void **state)
{
	struct hash want;
	struct hash have;

	(void)state;
	assert_int_equal(
	    hash_bytes((const uint8_t *)"abc", 3, &want), STATUS_OK);
	assert_int_equal(hash_from_hex(ABC, 64, &have), STATUS_OK);
	assert_memory_equal(&have, &want, sizeof(have));
	/* No ending NUL is needed, and what follows is not looked at. */
	assert_int_equal(hash_from_hex(ABC "f", 64, &have), STATUS_OK);
}

static void
test_hex_malformed(void **state)
{
	static const char *const texts[] = {
	    "",
	    "ba",
	    ABC "0",
	    "Ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
	    "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ag",
	    "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015/d",
	    "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015`d",
	    "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015:d",
	    " a7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
	};
	struct hash hash;
	struct hash before;

	(void)state;
	memset(&hash, 0x5a, sizeof(hash));
	before = hash;
	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
		assert_int_equal(
		    hash_from_hex(texts[i], strlen(texts[i]), &hash),
		    STATUS_MALFORMED);
		assert_memory_equal(&hash, &before, sizeof(hash));
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_bytes),
	    cmocka_unit_test(test_hex),
	    cmocka_unit_test(test_hex_malformed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
