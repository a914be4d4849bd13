/* SPDX-License-Identifier: ISC */
/* Names in the archive: made, read back, and in the order of time. */
#include "crlpress/archive.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

/* 2026-11-22T05:10:12Z */
#define THEN_SEC 1795324212

static const struct hash hash = {
    {0x3f, 0x2a, 0x9c, 0x01, 0xd2, 0xe4, 0xb5, 0xa6, 0xff, 0xff}};

/* No number of a CRL has so many digits. */
#define NINES "9999999999999999999999999999999999999999999999999999"

static void
test_set_name(void **state)
{
	const struct uint160 number = uint160_from_u64(1795324189);
	struct archive_set set = archive_set_make(THEN_SEC, &number, &hash);
	char key[ARCHIVE_KEY_BYTES];
	struct archive_set read;

	(void)state;
	assert_string_equal(
	    set.name, "20261122T051012Z-1795324189-3f2a9c01d2e4b5a6");
	assert_int_equal(archive_set_read(set.name, &read), STATUS_OK);
	assert_int_equal(read.published_sec, THEN_SEC);
	assert_int_equal(uint160_compare(&read.number, &number), 0);
	assert_memory_equal(read.hash, hash.octet, ARCHIVE_HASH_BYTES);
	assert_string_equal(read.name, set.name);
	archive_set_key("e1", &set, key);
	assert_string_equal(
	    key, "e1/sets/20261122T051012Z-1795324189-3f2a9c01d2e4b5a6.txt.gz");
}

static void
test_set_longest(void **state)
{
	struct uint160 number;
	struct archive_set set, read;

	(void)state;
	memset(&number, 0xff, sizeof(number));
	number.octet[0] = 0x7f;
	set = archive_set_make(253402300799LL, &number, &hash);
	assert_int_equal(archive_set_read(set.name, &read), STATUS_OK);
	assert_int_equal(read.published_sec, 253402300799LL);
	assert_int_equal(uint160_compare(&read.number, &number), 0);
}

static void
test_set_refused(void **state)
{
	static const char *const bad[] = {"", "2026",
	    "20261122T051012Z-1795324189-3f2a9c01d2e4b5a",
	    "20261122T051012Z-1795324189-3f2a9c01d2e4b5a67",
	    "20261122T051012Z-1795324189-3F2a9c01d2e4b5a6",
	    "20261122T051012Z-1795324189-3f2a9c01d2e4b5ag",
	    "20261122T051012Z-01795324189-3f2a9c01d2e4b5a6",
	    "20261122T051012Z--3f2a9c01d2e4b5a6",
	    "20261122T051012Z-1x-3f2a9c01d2e4b5a6",
	    "20261322T051012Z-1795324189-3f2a9c01d2e4b5a6",
	    "20260230T051012Z-1795324189-3f2a9c01d2e4b5a6",
	    "20261122T051012-1795324189-3f2a9c01d2e4b5a6",
	    "20261122t051012z-1795324189-3f2a9c01d2e4b5a6",
	    "20261122T051012Z_1795324189-3f2a9c01d2e4b5a6",
	    "20261122T051012Z-1795324189",
	    "20261122T051012Z-" NINES "-3f2a9c01d2e4b5a6"};
	struct archive_set set;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(
		    archive_set_read(bad[i], &set), STATUS_MALFORMED);
}

static void
test_order(void **state)
{
	const struct uint160 nine = uint160_from_u64(9);
	const struct uint160 ten = uint160_from_u64(10);
	const struct hash other = {{0xff}};
	struct archive_set a = archive_set_make(THEN_SEC, &ten, &hash);
	struct archive_set b = archive_set_make(THEN_SEC + 1, &nine, &hash);
	struct archive_set c = archive_set_make(THEN_SEC, &nine, &hash);
	struct archive_set d = archive_set_make(THEN_SEC, &nine, &other);

	(void)state;
	assert_true(archive_set_compare(&a, &b) < 0);
	assert_true(archive_set_compare(&b, &a) > 0);
	/* By number, not by its text. */
	assert_true(archive_set_compare(&c, &a) < 0);
	assert_true(archive_set_compare(&c, &d) < 0);
	assert_int_equal(archive_set_compare(&c, &c), 0);
}

static void
test_crl_key(void **state)
{
	const struct uint160 number = uint160_from_u64(7);
	char key[ARCHIVE_KEY_BYTES], place[ARCHIVE_KEY_BYTES];
	char longest[ARCHIVE_KEY_BYTES];
	int64_t sec = 0;

	(void)state;
	assert_int_equal(
	    archive_crl_key("e1", THEN_SEC, &number, "a/0.crl", key),
	    STATUS_OK);
	assert_string_equal(key, "e1/crls/20261122T051012Z-7/a/0.crl.gz");
	archive_crl_place("e1", THEN_SEC, &number, place);
	assert_string_equal(place, "e1/crls/20261122T051012Z-7/");
	assert_true(archive_crl_time("e1", key, &sec));
	assert_int_equal(sec, THEN_SEC);
	assert_false(archive_crl_time("e2", key, &sec));
	assert_false(archive_crl_time("e1", "e1/crls/README", &sec));
	assert_false(archive_crl_time("e1", "e1/crls/20261122T051012Z", &sec));
	assert_false(
	    archive_crl_time("e1", "e1/sets/20261122T051012Z-7/x", &sec));
	memset(longest, 'x', sizeof(longest) - 1);
	longest[sizeof(longest) - 1] = '\0';
	assert_int_equal(archive_crl_key("e1", THEN_SEC, &number, longest, key),
	    STATUS_MALFORMED);
	longest[1024] = '\0';
	assert_int_equal(
	    archive_crl_key("e1", THEN_SEC, &number, longest, key), STATUS_OK);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_set_name),
	    cmocka_unit_test(test_set_longest),
	    cmocka_unit_test(test_set_refused),
	    cmocka_unit_test(test_order),
	    cmocka_unit_test(test_crl_key),
	};

	return cmocka_run_group_tests_name("archive_name", tests, NULL, NULL);
}
