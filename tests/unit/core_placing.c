/* SPDX-License-Identifier: ISC */
/*
 * How shards are found, as manifests and requests remember it: the line byte
 * for byte, what is refused, and what is the same.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "crlpress/manifest.h"
#include "crlpress/request.h"
#include "crlpress/utc.h"

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

static const struct shard_scheme_config expiry = {
    .scheme = SHARD_EXPIRY,
    .count = 4,
    .first = 1,
    .anchor_sec = 1767225600, /* 2026-01-01T00:00:00Z */
    .chunk_sec = 2592000,
};

/* Each, and its line; NULL: it may not stand there. */
static const struct {
	struct shard_scheme_config by;
	const char *line;
} lines[] = {
    /* The row says it: nothing else matters. */
    {{SHARD_COLUMN, 7, 3, 5, 6}, "# sharding column\n"},
    {{SHARD_CDP, 7, 3, 5, 6}, "# sharding cdp\n"},
    {{SHARD_SERIAL_MOD, 4, 0, 5, 6}, "# sharding serial-mod count=4 first=0\n"},
    {{SHARD_SERIAL_MOD, SHARD_COUNT_MOST, UINT32_MAX - SHARD_COUNT_MOST + 1, 0,
	 0},
	"# sharding serial-mod count=65536 first=4294901760\n"},
    {{SHARD_EXPIRY, 1, 0, UTC_MAX_SEC, INT64_MAX},
	"# sharding expiry count=1 first=0 anchor=9999-12-31T23:59:59Z "
	"chunk=9223372036854775807\n"},
    {{SHARD_EXPIRY, 4, 1, UTC_MIN_SEC, 1},
	"# sharding expiry count=4 first=1 anchor=1950-01-01T00:00:00Z "
	"chunk=1\n"},
    {{SHARD_SERIAL_MOD, 0, 0, 0, 0}, NULL},
    {{SHARD_SERIAL_MOD, SHARD_COUNT_MOST + 1, 0, 0, 0}, NULL},
    {{SHARD_SERIAL_MOD, 2, UINT32_MAX, 0, 0}, NULL},
    {{SHARD_EXPIRY, 4, 1, 0, 0}, NULL},
    {{SHARD_EXPIRY, 4, 1, 0, -1}, NULL},
    {{SHARD_EXPIRY, 4, 1, UTC_MAX_SEC + 1, 1}, NULL},
    {{SHARD_EXPIRY, 4, 1, UTC_MIN_SEC - 1, 1}, NULL},
    {{(enum shard_scheme)4, 4, 1, 0, 1}, NULL},
};

/* Lines that no writer writes. */
static const char *const refused[] = {
    "# sharding \n",
    "# sharding colum\n",
    "# sharding columns\n",
    "# sharding column \n",
    "# sharding column count=2 first=0\n",
    "# sharding serial-mod\n",
    "# sharding serial-mod count=2\n",
    "# sharding serial-mod first=0 count=2\n",
    "# sharding serial-mod count=0 first=0\n",
    "# sharding serial-mod count=02 first=0\n",
    "# sharding serial-mod count=65537 first=0\n",
    "# sharding serial-mod count=2 first=4294967295\n",
    "# sharding serial-mod count=2 first=0 anchor=2026-01-01T00:00:00Z\n",
    "# sharding expiry count=4 first=1\n",
    "# sharding expiry count=4 first=1 anchor=2026-01-01 chunk=1\n",
    "# sharding expiry count=4 first=1 anchor=2026-01-01T00:00:00Z chunk=0\n",
    "# sharding expiry count=4 first=1 anchor=2026-01-01T00:00:00Z chunk=-1\n",
    ("# sharding expiry count=4 first=1 anchor=2026-01-01T00:00:00Z "
     "chunk=9223372036854775808\n"),
    "# sharding column\n# sharding column\n",
};

static enum status
manifest_text(struct shard_placing placing, char **text, size_t *len)
{
	char issuer[] = "e1";
	struct manifest manifest = {
	    .issuer = issuer,
	    .this_update_sec = 1795324189,
	    .next_update_sec = 1795324190,
	    .placing = placing,
	};
	const char *why = NULL;
	enum status status = manifest_format(&manifest, text, len, &why);

	assert_true(status == STATUS_OK || why != NULL);
	return status;
}

static struct shard_placing
read_back(const char *text, size_t len)
{
	struct manifest manifest;
	struct shard_placing placing;
	const char *why = "";
	size_t line = 0;

	if (manifest_parse(text, len, &manifest, &line, &why) != STATUS_OK)
		fail_msg("line %zu: %s", line, why);
	placing = manifest.placing;
	manifest_free(&manifest);
	return placing;
}

/* The line stands where it is to stand, and is read back as it was. */
static void
test_lines(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(lines); i++) {
		struct shard_placing placing = shard_placing_of(&lines[i].by);
		char want[256];
		char *text = NULL;
		size_t len = 0;

		assert_true(placing.is_known);
		if (lines[i].line == NULL) {
			assert_int_equal(manifest_text(placing, &text, &len),
			    STATUS_MALFORMED);
			continue;
		}
		assert_int_equal(
		    manifest_text(placing, &text, &len), STATUS_OK);
		snprintf(want, sizeof(want), "withheld=0\n%s# shards 0\n",
		    lines[i].line);
		if (strstr(text, want) == NULL)
			fail_msg("no \"%s\" in:\n%s", want, text);
		placing = read_back(text, len);
		assert_true(placing.is_known);
		assert_true(shard_placing_same(
		    &placing, &(struct shard_placing){.is_known = true,
				  .by = shard_placing_of(&lines[i].by).by}));
		free(text);
	}
}

/* Without the line it is not known, and none is written. */
static void
test_older(void **state)
{
	char *text = NULL;
	size_t len = 0;

	(void)state;
	assert_int_equal(
	    manifest_text((struct shard_placing){0}, &text, &len), STATUS_OK);
	assert_null(strstr(text, "sharding"));
	assert_false(read_back(text, len).is_known);
	free(text);
}

/* `line` in place of the one in `text`; a closing line would be right. */
static enum status
parse_with(const char *text, const char *line, const char **why)
{
	const char *at = strstr(text, "# sharding ");
	const char *behind = strchr(at, '\n') + 1;
	struct manifest manifest;
	char *changed = NULL;
	enum status status;
	size_t number = 0;
	int len;

	len = asprintf(
	    &changed, "%.*s%s%s", (int)(at - text), text, line, behind);
	assert_true(len > 0);
	status = manifest_parse(changed, (size_t)len, &manifest, &number, why);
	free(changed);
	return status;
}

static void
test_refused(void **state)
{
	struct shard_placing placing = shard_placing_of(&expiry);
	char *text = NULL;
	size_t len = 0;

	(void)state;
	assert_int_equal(manifest_text(placing, &text, &len), STATUS_OK);
	for (size_t i = 0; i < COUNT(refused); i++) {
		const char *why = "";

		if (parse_with(text, refused[i], &why) != STATUS_MALFORMED ||
		    strstr(why, "closing") != NULL || strstr(why, "cksum"))
			fail_msg("%s: %s", refused[i], why);
	}
	free(text);
}

/* Whatever moves one certificate is a difference; a range of rows is none. */
static void
test_same(void **state)
{
	const struct shard_placing as = shard_placing_of(&expiry);
	struct shard_scheme_config other[5] = {
	    expiry, expiry, expiry, expiry, expiry};

	(void)state;
	other[0].scheme = SHARD_SERIAL_MOD;
	other[1].count++;
	other[2].first++;
	other[3].anchor_sec++;
	other[4].chunk_sec++;
	assert_true(shard_placing_same(&as, &as));
	for (size_t i = 0; i < COUNT(other); i++) {
		struct shard_placing by = shard_placing_of(&other[i]);

		assert_false(shard_placing_same(&as, &by));
		assert_false(shard_placing_same(&by, &as));
		other[i].scheme = SHARD_COLUMN;
		by = shard_placing_of(&other[i]);
		assert_int_equal(by.by.count, 0);
		assert_true(shard_placing_same(&by,
		    &(struct shard_placing){.by = {.scheme = SHARD_COLUMN}}));
	}
}

/* A join has that of the run whose header it has. */
static void
test_join(void **state)
{
	char issuer[] = "e1";
	struct manifest before = {
	    .issuer = issuer,
	    .placing = shard_placing_of(&expiry),
	};
	struct manifest ours = before;
	struct manifest joined;

	(void)state;
	ours.number.octet[UINT160_OCTETS - 1] = 1;
	ours.placing.by.count++;
	assert_int_equal(
	    manifest_join(&before, &before, &ours, &joined), STATUS_OK);
	assert_int_equal(joined.placing.by.count, expiry.count + 1);
	manifest_free(&joined);
	assert_int_equal(
	    manifest_join(&before, &before, &before, &joined), STATUS_OK);
	assert_int_equal(joined.placing.by.count, expiry.count);
	manifest_free(&joined);
}

/* A request names the shards twice; both are the same. */
static void
test_request(void **state)
{
	static const char line[] = "# configured 4 from 1\n"
				   "# sharding expiry count=4 first=1 "
				   "anchor=2026-01-01T00:00:00Z chunk=2592000\n"
				   "# shards 1\n";
	char issuer[] = "e1", pattern[] = "http://e.example/{shard}.crl",
	     url[] = "http://e.example/2.crl";
	struct request_shard shard = {.index = 2, .url = url, .size = 1};
	struct request request = {
	    .issuer = issuer,
	    .this_update_sec = 1795324189,
	    .next_update_sec = 1795324190,
	    .algorithm_len = 1,
	    .url_pattern = pattern,
	    .shard_first = 1,
	    .shards_configured = 4,
	    .placing = shard_placing_of(&expiry),
	    .shard = &shard,
	    .shard_count = 1,
	};
	struct request back;
	const char *why = "";
	char *text = NULL, *at;
	size_t len = 0, number = 0;

	(void)state;
	assert_int_equal(request_format(&request, &text, &len, &why), 0);
	assert_non_null(strstr(text, line));
	assert_int_equal(request_parse(text, len, &back, &number, &why), 0);
	assert_true(shard_placing_same(&back.placing, &request.placing));
	request_free(&back);
	at = strstr(text, "expiry count=4");
	at[strlen("expiry count=")] = '5';
	assert_int_equal(
	    request_parse(text, len, &back, &number, &why), STATUS_MALFORMED);
	assert_string_equal(
	    why, "a sharding of other shards than are configured");
	free(text);
	request.placing.by.first = 0;
	assert_int_equal(
	    request_format(&request, &text, &len, &why), STATUS_MALFORMED);
	request.placing = (struct shard_placing){0};
	assert_int_equal(request_format(&request, &text, &len, &why), 0);
	assert_null(strstr(text, "sharding"));
	assert_int_equal(request_parse(text, len, &back, &number, &why), 0);
	assert_false(back.placing.is_known);
	request_free(&back);
	free(text);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_lines),
	    cmocka_unit_test(test_older),
	    cmocka_unit_test(test_refused),
	    cmocka_unit_test(test_same),
	    cmocka_unit_test(test_join),
	    cmocka_unit_test(test_request),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
