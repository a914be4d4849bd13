/* SPDX-License-Identifier: ISC */
/* gzip: there and back, always the same file, and nothing beyond its bound. */
#include "crlpress/gzip.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define LARGE ((size_t)5000000)

/* Half of it repeats, half does not. */
static uint8_t *
large_make(void)
{
	uint8_t *data = malloc(LARGE);
	uint32_t x = 1;

	assert_non_null(data);
	for (size_t i = 0; i < LARGE; i++) {
		x = x * 1664525 + 1013904223;
		data[i] = i % 2 == 0 ? (uint8_t)(x >> 24) : (uint8_t)(i / 7);
	}
	return data;
}

static void
back(const void *data, size_t len)
{
	struct gzip_bytes packed, again, unpacked;
	const char *why = NULL;

	assert_int_equal(gzip_pack(data, len, &packed), STATUS_OK);
	assert_int_equal(gzip_pack(data, len, &again), STATUS_OK);
	assert_int_equal(packed.len, again.len);
	assert_memory_equal(packed.data, again.data, packed.len);
	assert_true(gzip_is_packed(packed.data, packed.len));
	/* RFC 1952, 2.3: no flags, so no name; no time. */
	assert_int_equal(packed.data[3], 0);
	assert_memory_equal(packed.data + 4, "\0\0\0\0", 4);
	assert_int_equal(
	    gzip_unpack(packed.data, packed.len, len, &unpacked, &why),
	    STATUS_OK);
	assert_int_equal(unpacked.len, len);
	assert_memory_equal(unpacked.data, data, len);
	gzip_bytes_free(&unpacked);
	if (len > 0) {
		assert_int_equal(gzip_unpack(packed.data, packed.len, len - 1,
				     &unpacked, &why),
		    STATUS_MALFORMED);
		assert_non_null(strstr(why, "larger than it may be"));
		assert_null(unpacked.data);
	}
	gzip_bytes_free(&packed);
	gzip_bytes_free(&again);
}

static void
test_back(void **state)
{
	uint8_t *large = large_make();

	(void)state;
	back("", 0);
	back("x", 1);
	back(large, 4095);
	back(large, 4096);
	back(large, 65537);
	back(large, LARGE);
	memset(large, 0, LARGE);
	back(large, LARGE);
	free(large);
}

/* A program of others reads it. */
static void
test_zcat(void **state)
{
	static const char text[] = "# crlpress-manifest 1\n";
	char path[] = "/tmp/gzip.XXXXXX";
	char command[64], line[64] = "";
	struct gzip_bytes packed;
	int fd = mkstemp(path);
	FILE *file = fd >= 0 ? fdopen(fd, "wb") : NULL;
	FILE *pipe;

	(void)state;
	assert_non_null(file);
	assert_int_equal(gzip_pack(text, strlen(text), &packed), STATUS_OK);
	assert_int_equal(fwrite(packed.data, 1, packed.len, file), packed.len);
	assert_int_equal(fclose(file), 0);
	gzip_bytes_free(&packed);
	(void)snprintf(command, sizeof(command), "zcat <%s", path);
	pipe = popen(command, "r");
	assert_non_null(pipe);
	assert_non_null(fgets(line, sizeof(line), pipe));
	assert_int_equal(pclose(pipe), 0);
	assert_int_equal(remove(path), 0);
	assert_string_equal(line, text);
}

static void
refused(const uint8_t *data, size_t len, const char *want)
{
	struct gzip_bytes unpacked;
	const char *why = NULL;

	assert_int_equal(
	    gzip_unpack(data, len, 1000, &unpacked, &why), STATUS_MALFORMED);
	assert_non_null(why);
	assert_non_null(strstr(why, want));
	assert_null(unpacked.data);
}

static void
test_refused(void **state)
{
	struct gzip_bytes packed;
	uint8_t *twice;

	(void)state;
	assert_int_equal(gzip_pack("hello, world", 12, &packed), STATUS_OK);
	for (size_t len = 2; len < packed.len; len++)
		refused(packed.data, len, "cut off");
	refused(packed.data, 1, "not a gzip file");
	refused((const uint8_t *)"# crl", 5, "not a gzip file");
	twice = malloc(2 * packed.len);
	assert_non_null(twice);
	memcpy(twice, packed.data, packed.len);
	memcpy(twice + packed.len, packed.data, packed.len);
	refused(twice, 2 * packed.len, "stands behind");
	refused(twice, packed.len + 1, "stands behind");
	/* The check sum, the length, the kind of compression. */
	twice[packed.len - 8] ^= 1;
	refused(twice, packed.len, "damaged");
	twice[packed.len - 8] ^= 1;
	twice[packed.len - 4] ^= 1;
	refused(twice, packed.len, "damaged");
	twice[packed.len - 4] ^= 1;
	twice[2] = 7;
	refused(twice, packed.len, "damaged");
	free(twice);
	gzip_bytes_free(&packed);
}

/* A bomb: a thousand times as much as it is. */
static void
test_bomb(void **state)
{
	struct gzip_bytes packed;
	uint8_t *zeros = calloc(1, LARGE);

	(void)state;
	assert_non_null(zeros);
	assert_int_equal(gzip_pack(zeros, LARGE, &packed), STATUS_OK);
	assert_true(packed.len < LARGE / 100);
	refused(packed.data, packed.len, "larger than it may be");
	free(zeros);
	gzip_bytes_free(&packed);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_back),
	    cmocka_unit_test(test_zcat),
	    cmocka_unit_test(test_refused),
	    cmocka_unit_test(test_bomb),
	};

	return cmocka_run_group_tests_name("gzip", tests, NULL, NULL);
}
