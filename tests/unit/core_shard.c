/* SPDX-License-Identifier: ISC */
/*
 * The sharding schemes and shard names against their golden vectors, and
 * what no vector line can say: configurations and buffers out of bounds.
 */
#include "crlpress/shard.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define VECTORS "tests/vectors/shard.txt"

/* Fewer lines than were frozen once mean that some were lost. */
#define VECTORS_SHARD_LEAST 1192
#define VECTORS_URL_LEAST 56

#define FIELDS_MOST 16

struct vector {
	unsigned line;
	size_t count;
	char *field[FIELDS_MOST];
	char text[4096];
};

/* The next line that is not a comment, split at blanks; false at the end. */
static bool
vector_read(FILE *file, struct vector *vector)
{
	char *rest = vector->text;
	char *field;

	do {
		if (fgets(vector->text, sizeof(vector->text), file) == NULL)
			return false;
		vector->line++;
		assert_non_null(strchr(vector->text, '\n'));
	} while (vector->text[0] == '#');
	vector->count = 0;
	while ((field = strtok_r(rest, " \n", &rest)) != NULL) {
		assert_true(vector->count < FIELDS_MOST);
		vector->field[vector->count++] = field;
	}
	return true;
}

static long long
number(const char *text)
{
	char *end;
	long long n = strtoll(text, &end, 10);

	assert_true(end != text && *end == '\0');
	return n;
}

static void
vector_fail(const struct vector *vector, const char *have)
{
	fail_msg(VECTORS ":%u: want %s, have %s", vector->line,
	    vector->field[vector->count - 1], have);
}

static enum shard_scheme
scheme_from(const char *name)
{
	static const char *const names[] = {
	    [SHARD_COLUMN] = "column",
	    [SHARD_SERIAL_MOD] = "serial-mod",
	    [SHARD_EXPIRY] = "expiry",
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		if (strcmp(names[i], name) == 0)
			return (enum shard_scheme)i;
	fail_msg("no such scheme: %s", name);
	return SHARD_COLUMN;
}

static void
check_shard(const struct vector *vector)
{
	char *const *field = vector->field;
	struct shard_scheme_config config = {0};
	struct shard_hint hint = {0};
	struct uint160 serial;
	uint32_t index = 4711;
	const char *why = NULL;
	char have[32] = "fault";
	enum status status;

	assert_int_equal(vector->count, 10);
	config.scheme = scheme_from(field[1]);
	config.count = (uint32_t)number(field[2]);
	config.first = (uint32_t)number(field[3]);
	config.anchor_sec = number(field[4]);
	config.chunk_sec = number(field[5]);
	status = uint160_from_hex(&serial, field[6], strlen(field[6]), &why);
	assert_int_equal(status, STATUS_OK);
	hint.has_shard = strcmp(field[8], "-") != 0;
	if (hint.has_shard)
		hint.shard = number(field[8]);
	status =
	    shard_of(&config, &serial, number(field[7]), &hint, &index, &why);
	if (status == STATUS_OK)
		snprintf(have, sizeof(have), "%u", index);
	if (strcmp(have, field[9]) != 0)
		vector_fail(vector, have);
	if (status != STATUS_OK) {
		assert_int_equal(status, STATUS_MALFORMED);
		assert_non_null(why);
		assert_int_equal(index, 4711);
	}
}

static void
check_url(struct vector *vector)
{
	char *const *field = vector->field;
	uint32_t count;
	uint32_t index;
	const char *why = NULL;
	char have[SHARD_NAME_BYTES];
	enum status status;

	assert_true(vector->count >= 5);
	/* A pattern with a blank in it was split; no answer has one. */
	for (size_t i = 3; i < vector->count - 2; i++)
		field[i][strlen(field[i])] = ' ';
	count = (uint32_t)number(field[1]);
	index = (uint32_t)number(field[2]);
	status = shard_expand(field[3], count, index, have, sizeof(have), &why);
	if (status != STATUS_OK) {
		assert_int_equal(status, STATUS_MALFORMED);
		assert_non_null(why);
		strcpy(have, "fault");
	}
	if (strcmp(have, field[vector->count - 1]) != 0)
		vector_fail(vector, have);
}

static void
test_vectors(void **state)
{
	struct vector vector = {0};
	unsigned shards = 0;
	unsigned urls = 0;
	FILE *file = fopen(VECTORS, "r");

	(void)state;
	assert_non_null(file);
	while (vector_read(file, &vector)) {
		if (strcmp(vector.field[0], "shard") == 0) {
			check_shard(&vector);
			shards++;
		} else if (strcmp(vector.field[0], "url") == 0) {
			check_url(&vector);
			urls++;
		} else {
			fail_msg(VECTORS ":%u: unknown line", vector.line);
		}
	}
	assert_int_equal(ferror(file), 0);
	fclose(file);
	assert_true(shards >= VECTORS_SHARD_LEAST);
	assert_true(urls >= VECTORS_URL_LEAST);
}

/* One call with everything but the configuration harmless. */
static enum status
shard_of_config(const struct shard_scheme_config *config, int64_t not_after_sec,
    uint32_t *index)
{
	struct uint160 serial = uint160_from_u64(129);
	struct shard_hint hint = {0};
	const char *why = NULL;
	enum status status =
	    shard_of(config, &serial, not_after_sec, &hint, index, &why);

	if (status != STATUS_OK)
		assert_non_null(why);
	return status;
}

static void
test_bad_config(void **state)
{
	const struct shard_scheme_config bad[] = {
	    {.scheme = SHARD_SERIAL_MOD, .count = 0},
	    {.scheme = SHARD_SERIAL_MOD, .count = SHARD_COUNT_MOST + 1},
	    {.scheme = SHARD_SERIAL_MOD, .count = 2, .first = UINT32_MAX},
	    {.scheme = SHARD_EXPIRY, .count = 128, .chunk_sec = 0},
	    {.scheme = SHARD_EXPIRY, .count = 128, .chunk_sec = -1},
	    {.scheme = (enum shard_scheme)17, .count = 128, .chunk_sec = 1},
	};
	uint32_t index = 4711;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		assert_int_equal(
		    shard_of_config(&bad[i], 0, &index), STATUS_MALFORMED);
		assert_int_equal(index, 4711);
	}
}

/* No arithmetic overflows, whatever the times are. */
static void
test_far_times(void **state)
{
	struct shard_scheme_config config = {
	    .scheme = SHARD_EXPIRY,
	    .count = 128,
	    .anchor_sec = INT64_MIN,
	    .chunk_sec = INT64_MAX,
	};
	uint32_t index = 4711;

	(void)state;
	assert_int_equal(
	    shard_of_config(&config, INT64_MAX, &index), STATUS_MALFORMED);
	assert_int_equal(shard_of_config(&config, -1, &index), STATUS_OK);
	assert_int_equal(index, 1);
	config.anchor_sec = INT64_MAX;
	assert_int_equal(
	    shard_of_config(&config, INT64_MIN, &index), STATUS_MALFORMED);
	assert_int_equal(
	    shard_of_config(&config, INT64_MAX, &index), STATUS_OK);
	assert_int_equal(index, 0);
}

/* The last shard of the last index there is. */
static void
test_last_first(void **state)
{
	struct shard_scheme_config config = {
	    .scheme = SHARD_SERIAL_MOD,
	    .count = 128,
	    .first = UINT32_MAX - 127,
	};
	uint32_t index = 0;

	(void)state;
	assert_int_equal(shard_of_config(&config, 0, &index), STATUS_OK);
	assert_int_equal(index, UINT32_MAX - 126);
}

static void
test_expand_room(void **state)
{
	const char *pattern = "a{shard:04}b";
	char out[9] = "????????";
	const char *why = NULL;

	(void)state;
	for (size_t size = 0; size < 7; size++) {
		assert_int_equal(
		    shard_expand(pattern, 128, 12, out, size, &why),
		    STATUS_MALFORMED);
		assert_int_equal(out[size], '?');
	}
	assert_int_equal(
	    shard_expand(pattern, 128, 12, out, 7, &why), STATUS_OK);
	assert_string_equal(out, "a0012b");
	assert_int_equal(out[7], '?');
	assert_int_equal(
	    shard_expand("", 1, 0, out, 0, &why), STATUS_MALFORMED);
	assert_int_equal(shard_expand("", 1, 0, out, 1, &why), STATUS_OK);
	assert_string_equal(out, "");
}

/* What shard_expand makes of each index, shard_find leads back to it. */
static void
find_all(const char *pattern, uint32_t count, uint32_t first)
{
	char name[SHARD_NAME_BYTES];
	const char *why = NULL;
	uint32_t index;

	for (uint32_t n = 0; n < count; n++) {
		assert_int_equal(shard_expand(pattern, count, first + n, name,
				     sizeof(name), &why),
		    STATUS_OK);
		index = ~(first + n);
		assert_int_equal(
		    shard_find(pattern, count, first, name, &index), STATUS_OK);
		assert_int_equal(index, first + n);
	}
}

static void
test_find(void **state)
{
	(void)state;
	find_all("http://x/{shard}.crl", 1200, 0);
	find_all("http://x/{shard}.crl", 1200, 1);
	find_all("{shard}", 128, UINT32_MAX - 127);
	find_all("a{shard:04}b", 12000, 0);
	find_all("{shard:09}", 3, 99999);
	/* Digits right before and behind the place. */
	find_all("7{shard}0", 2000, 5);
	find_all("x", 1, 9);
	find_all("x{shard}", 1, 9);
	find_all("", 1, 0);
}

static void
test_find_none(void **state)
{
	static const struct {
		const char *pattern;
		const char *name;
	} none[] = {
	    {"x/{shard}.crl", "x/4.crl"},
	    {"x/{shard}.crl", "x/0.crl"},
	    {"x/{shard}.crl", "x/01.crl"},
	    {"x/{shard}.crl", "x/+1.crl"},
	    {"x/{shard}.crl", "x/ 1.crl"},
	    {"x/{shard}.crl", "x/-1.crl"},
	    {"x/{shard}.crl", "x/.crl"},
	    {"x/{shard}.crl", "x/1.crl2"},
	    {"x/{shard}.crl", "x/1.crL"},
	    {"x/{shard}.crl", "X/1.crl"},
	    {"x/{shard}.crl", "x/1"},
	    {"x/{shard}.crl", "x/"},
	    {"x/{shard}.crl", ""},
	    {"x/{shard}.crl", "x/4294967297.crl"},
	    {"x/{shard}.crl", "x/18446744073709551617.crl"},
	    {"x/{shard}.crl", "x/00000000000000000001.crl"},
	    {"x/{shard}.crl", "x/{shard}.crl"},
	    {"x/{shard:03}.crl", "x/1.crl"},
	    {"x/{shard:03}.crl", "x/0001.crl"},
	    {"1{shard}1", "11"},
	};
	uint32_t index = 77;

	(void)state;
	for (size_t i = 0; i < sizeof(none) / sizeof(none[0]); i++)
		assert_int_equal(
		    shard_find(none[i].pattern, 3, 1, none[i].name, &index),
		    STATUS_NOT_FOUND);
	assert_int_equal(shard_find("x", 1, 0, "y", &index), STATUS_NOT_FOUND);
	assert_int_equal(shard_find("x", 1, 0, "xx", &index), STATUS_NOT_FOUND);
	/* No shard has this pattern's name. */
	assert_int_equal(shard_find("x", 2, 0, "x", &index), STATUS_NOT_FOUND);
	assert_int_equal(
	    shard_find("x{shard", 3, 0, "x1", &index), STATUS_NOT_FOUND);
	assert_int_equal(index, 77);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_vectors),
	    cmocka_unit_test(test_bad_config),
	    cmocka_unit_test(test_far_times),
	    cmocka_unit_test(test_last_first),
	    cmocka_unit_test(test_expand_room),
	    cmocka_unit_test(test_find),
	    cmocka_unit_test(test_find_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
