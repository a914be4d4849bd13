/* SPDX-License-Identifier: ISC */
/*
 * Two manifests that were made from one: nothing that either says anew is
 * lost, whoever put theirs first.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "crlpress/manifest.h"

/* "1 2 3w 4e -": numbers of shards 0 to 4; w: withheld; e: it is known when
 * its entries expire; -: no line. */
static struct manifest
manifest_make(const char *lines, uint64_t number)
{
	struct manifest manifest = {.number = uint160_from_u64(number)};
	char *copy = strdup(lines);
	char *rest = NULL;
	uint32_t index = 0;

	assert_non_null(copy);
	manifest.issuer = strdup("e1");
	manifest.shard = calloc(8, sizeof(*manifest.shard));
	assert_non_null(manifest.shard);
	for (char *word = strtok_r(copy, " ", &rest); word != NULL;
	     word = strtok_r(NULL, " ", &rest), index++) {
		struct manifest_shard *shard =
		    &manifest.shard[manifest.shard_count];
		char text[32];

		if (*word == '-')
			continue;
		manifest.shard_count++;
		shard->index = index;
		shard->number = uint160_from_u64(strtoul(word, NULL, 10));
		shard->withheld = strchr(word, 'w') != NULL;
		shard->has_expiring = strchr(word, 'e') != NULL;
		shard->expiring.by[7] =
		    shard->has_expiring ? shard->number.octet[19] : 0;
		shard->sha256.octet[0] = shard->number.octet[19];
		snprintf(text, sizeof(text), "http://x/%u", index);
		shard->url = strdup(text);
		shard->key = strdup(text + 7);
	}
	free(copy);
	return manifest;
}

static void
manifest_expect(const struct manifest *manifest, const char *lines)
{
	char have[128] = "";
	uint32_t index = 0;
	size_t at = 0;

	for (size_t i = 0; i < manifest->shard_count; i++, index++) {
		const struct manifest_shard *shard = &manifest->shard[i];

		for (; index < shard->index; index++)
			at += (size_t)snprintf(
			    have + at, sizeof(have) - at, "- ");
		at += (size_t)snprintf(have + at, sizeof(have) - at, "%u%s%s ",
		    shard->number.octet[19], shard->withheld ? "w" : "",
		    shard->has_expiring ? "e" : "");
		assert_int_equal(shard->expiring.by[7],
		    shard->has_expiring ? shard->number.octet[19] : 0);
		assert_non_null(shard->url);
		assert_non_null(shard->key);
	}
	have[at > 0 ? at - 1 : 0] = '\0';
	assert_string_equal(have, lines);
}

static void
test_lines(void **state)
{
	static const struct {
		const char *before, *theirs, *ours, *want;
	} cases[] = {
	    /* Only one changed it. */
	    {"1 1", "1 1", "2 2", "2 2"},
	    {"1 1", "2 1", "1 1", "2 1"},
	    {"1 1", "2 1", "1 3", "2 3"},
	    {"1 1", "1 3", "2 1", "2 3"},
	    /* Both did: the higher number. */
	    {"1 1", "2 1", "3 1", "3 1"},
	    {"1 1", "3 1", "2 1", "3 1"},
	    {"1 1", "3 2", "2 3", "3 3"},
	    /* A number that an operator let go down, and nobody else touched.
	     */
	    {"9 1", "9 2", "3 1", "3 2"},
	    {"9 1", "3 1", "9 2", "3 2"},
	    /* Withheld by a run; pushed meanwhile. */
	    {"1 1", "1 1", "1w 2", "1w 2"},
	    {"1 1", "2 1", "1w 2", "2 2"},
	    {"1 1", "1w 2", "2 1", "2 2"},
	    /* The run saw what was pushed, and did not replace it. */
	    {"1 1", "2 1", "2w 3", "2 3"},
	    /* New ones, and one that is configured no more. */
	    {"1 -", "1 2", "1 -", "1 2"},
	    {"1 -", "1 -", "1 2", "1 2"},
	    {"1 -", "1 3", "1 2", "1 3"},
	    {"1 1", "1 1", "2 -", "2"},
	    {"1 1", "1 -", "2 1", "2"},
	    {"1 1", "1 2", "2 -", "2 2"},
	    {"- 1 - 1", "- 2 - 1", "0 1 - 1", "0 2 - 1"},
	    /* When entries expire goes with the line. */
	    {"1 1", "2e 1", "1 2e", "2e 2e"},
	    {"1e 1e", "1e 2e", "2 1e", "2 2e"},
	    {"1 1e", "1e 1e", "1 1", "1e 1"},
	    /* There was none: two first runs. */
	    {"", "2 2", "3 1", "3 2"},
	    {"", "", "1 1", "1 1"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct manifest before = manifest_make(cases[i].before, 1);
		struct manifest theirs = manifest_make(cases[i].theirs, 1);
		struct manifest ours = manifest_make(cases[i].ours, 2);
		struct manifest joined;

		assert_int_equal(
		    manifest_join(&before, &theirs, &ours, &joined), STATUS_OK);
		manifest_expect(&joined, cases[i].want);
		manifest_free(&before);
		manifest_free(&theirs);
		manifest_free(&ours);
		manifest_free(&joined);
	}
}

/* Which header stands: by the numbers of the three. */
static void
test_header(void **state)
{
	static const struct {
		uint64_t before, theirs, ours, want;
	} cases[] = {
	    {1, 1, 2, 2}, /* a run; a push */
	    {1, 2, 1, 2}, /* a push; a run */
	    {1, 1, 1, 1}, /* two pushes */
	    {1, 3, 2, 3}, /* two runs */
	    {1, 2, 3, 3},
	    {9, 9, 3, 3},
	    {9, 3, 9, 3},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct manifest before = manifest_make("1", cases[i].before);
		struct manifest theirs = manifest_make("1", cases[i].theirs);
		struct manifest ours = manifest_make("1", cases[i].ours);
		struct uint160 want = uint160_from_u64(cases[i].want);
		struct manifest joined;

		theirs.rows.read = cases[i].theirs;
		ours.rows.read = cases[i].ours;
		assert_int_equal(
		    manifest_join(&before, &theirs, &ours, &joined), STATUS_OK);
		assert_memory_equal(&joined.number, &want, sizeof(want));
		assert_int_equal(joined.rows.read, cases[i].want);
		manifest_free(&before);
		manifest_free(&theirs);
		manifest_free(&ours);
		manifest_free(&joined);
	}
}

static void
pass(struct manifest *manifest, const char *gate)
{
	char **all = realloc(
	    manifest->passed, (manifest->passed_count + 1) * sizeof(*all));

	assert_non_null(all);
	manifest->passed = all;
	manifest->passed[manifest->passed_count++] = strdup(gate);
}

static bool
has_passed(const struct manifest *manifest, const char *gate)
{
	size_t count = 0;

	for (size_t i = 0; i < manifest->passed_count; i++)
		count += strcmp(manifest->passed[i], gate) == 0;
	assert_true(count <= 1);
	return count == 1;
}

/* What was let pass by either is told once; the older `replaced` counts. */
static void
test_passed_and_replaced(void **state)
{
	(void)state;
	for (int turned = 0; turned < 2; turned++) {
		struct manifest before = manifest_make("1", 1);
		struct manifest push = manifest_make("2", 1);
		struct manifest full = manifest_make("1", 5);
		struct manifest joined;

		pass(&before, "floor");
		pass(&push, "floor");
		pass(&push, "change:0");
		pass(&full, "clock");
		pass(&full, "change:0");
		push.has_replaced = turned != 0;
		push.replaced_sec = 50;
		full.has_replaced = true;
		full.replaced_sec = 70;
		assert_int_equal(manifest_join(&before, turned ? &push : &full,
				     turned ? &full : &push, &joined),
		    STATUS_OK);
		/* The run before let that pass, and this one did not. */
		assert_false(has_passed(&joined, "floor"));
		assert_true(has_passed(&joined, "change:0"));
		assert_true(has_passed(&joined, "clock"));
		assert_true(joined.has_replaced);
		assert_int_equal(joined.replaced_sec, turned ? 50 : 70);
		manifest_free(&before);
		manifest_free(&push);
		manifest_free(&full);
		manifest_free(&joined);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_lines),
	    cmocka_unit_test(test_header),
	    cmocka_unit_test(test_passed_and_replaced),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
