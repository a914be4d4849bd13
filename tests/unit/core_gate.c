/* SPDX-License-Identifier: ISC */
/* The table of gates, what --pass takes, and how a gate closes. */
#include "crlpress/gate.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../lib/gate_stand.h"

struct name_row {
	enum gate gate;
	const char *name;
	bool of_shard;
};

/* crlpress(1) documents them, and manifests hold them: they do not change. */
static const struct name_row names[] = {
    {GATE_PREVIOUS, "previous-readable", true},
    {GATE_NUMBER_UP, "number-up", true},
    {GATE_TIME_UP, "time-up", true},
    {GATE_NEXT_UP, "next-update-up", true},
    {GATE_SCOPE, "same-scope", true},
    {GATE_EARLY_REMOVAL, "no-early-removal", true},
    {GATE_CHANGE, "change", true},
    {GATE_SHARD_FLOOR, "shard-floor", true},
    {GATE_DUPLICATE, "duplicate", true},
    {GATE_ROWS, "rows", true},
    {GATE_DISJOINT, "set-disjoint", true},
    {GATE_FLOOR, "floor", false},
    {GATE_DB_FRESH, "db-fresh", false},
    {GATE_DB_SCOPE, "db-scope", false},
    {GATE_CLOCK, "clock", false},
    {GATE_UNPLACED, "unplaced-rows", false},
    {GATE_ISSUER, "issuer-valid", false},
    {GATE_STORE, "store-known", false},
    {GATE_SHARD_GONE, "set-complete", false},
};

#define NAMES (sizeof(names) / sizeof(names[0]))

static void
test_names(void **state)
{
	(void)state;
	assert_int_equal(NAMES, GATE_COUNT);
	for (size_t i = 0; i < NAMES; i++) {
		assert_int_equal(names[i].gate, i);
		assert_string_equal(gate_name(names[i].gate), names[i].name);
		assert_int_equal(
		    gate_is_of_shard(names[i].gate), names[i].of_shard);
		assert_true(strlen(gate_summary(names[i].gate)) > 10);
	}
}

static void
test_pass_each(void **state)
{
	struct gate_passes passes = {0};
	const char *why = NULL;
	char text[64];

	(void)state;
	for (size_t i = 0; i < NAMES; i++) {
		snprintf(text, sizeof(text), "%s%s", names[i].name,
		    names[i].of_shard ? ":65535" : "");
		assert_int_equal(
		    gate_passes_add(&passes, text, &why), STATUS_OK);
		assert_int_equal(passes.count, i + 1);
		assert_int_equal(passes.pass[i].gate, names[i].gate);
		assert_int_equal(
		    passes.pass[i].shard, names[i].of_shard ? 65535 : 0);
		assert_false(passes.pass[i].used);
	}
}

static void
test_pass_shards(void **state)
{
	struct gate_passes passes = {0};
	const char *why = NULL;

	(void)state;
	assert_int_equal(gate_passes_add(&passes, "change:0", &why), STATUS_OK);
	assert_int_equal(passes.pass[0].shard, 0);
	assert_int_equal(
	    gate_passes_add(&passes, "change:4294967295", &why), STATUS_OK);
	assert_int_equal(passes.pass[1].shard, UINT32_MAX);
}

struct bad_row {
	const char *text;
	const char *why; /* a part of it */
};

static const struct bad_row bad[] = {
    {"", "no gate"},
    {":", "no gate"},
    {":7", "no gate"},
    {"chang", "no gate"},
    {"changes:7", "no gate"},
    {"Change:7", "no gate"},
    {" change:7", "no gate"},
    {"change :7", "no gate"},
    {"early-removal:7", "no gate"},
    {"floor ", "no gate"},
    {"all", "no gate"},
    {"*", "no gate"},
    {"change", "of one shard"},
    {"no-early-removal", "of one shard"},
    {"floor:7", "whole run"},
    {"floor:", "whole run"},
    {"db-fresh:0", "whole run"},
    {"change:", "not a decimal"},
    {"change: 7", "not a decimal"},
    {"change:7 ", "not a decimal"},
    {"change:+7", "not a decimal"},
    {"change:-1", "not a decimal"},
    {"change:07", "not a decimal"},
    {"change:0x7", "not a decimal"},
    {"change:7:8", "not a decimal"},
    {"change:7,8", "not a decimal"},
    {"change:*", "not a decimal"},
    {"floor:all", "whole run"},
    {"next-update-up", "as GATE:all"},
    {"next-update-up:ALL", "not a decimal"},
    {"next-update-up:all ", "not a decimal"},
    {"next-update-up:", "not a decimal"},
    {"change:4294967296", "too large"},
    {"change:18446744073709551616", "not a decimal"},
};

static void
test_pass_bad(void **state)
{
	struct gate_passes passes = {0};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		const char *why = NULL;

		if (gate_passes_add(&passes, bad[i].text, &why) !=
		    STATUS_MALFORMED)
			fail_msg("\"%s\" was taken", bad[i].text);
		assert_non_null(why);
		if (strstr(why, bad[i].why) == NULL)
			fail_msg("\"%s\": %s, want %s", bad[i].text, why,
			    bad[i].why);
		assert_int_equal(passes.count, 0);
	}
}

/*
 * All shards at once: only where no entry can be lost, come or change by it.
 * What is added here is a decision; see crlpress(1), GATES.
 */
static void
test_pass_all(void **state)
{
	const char *why = NULL;
	char text[64];

	(void)state;
	for (size_t i = 0; i < NAMES; i++) {
		struct gate_passes passes = {0};
		bool takes = names[i].gate == GATE_NEXT_UP;

		snprintf(text, sizeof(text), "%s:all", names[i].name);
		assert_int_equal(gate_takes_all(names[i].gate), takes);
		assert_int_equal(gate_passes_add(&passes, text, &why),
		    takes ? STATUS_OK : STATUS_MALFORMED);
		assert_int_equal(passes.count, takes);
		if (takes)
			assert_true(passes.pass[0].all);
		else if (names[i].of_shard)
			assert_non_null(strstr(why, "guards entries"));
	}
}

/* It is of every shard, and of no other gate. */
static void
test_pass_all_used(void **state)
{
	struct stand stand;

	(void)state;
	stand_make(&stand);
	stand_pass(&stand, "next-update-up:all");
	assert_false(gate_was_passed(&stand.passes, GATE_NEXT_UP, 9));
	assert_int_equal(
	    gate_refuse(&stand.place, GATE_TIME_UP, "old"), STATUS_REFUSED);
	assert_int_equal(
	    gate_refuse(&stand.place, GATE_FLOOR, "few"), STATUS_REFUSED);
	assert_false(stand.passes.pass[0].used);
	assert_int_equal(
	    gate_refuse(&stand.place, GATE_NEXT_UP, "back"), STATUS_OK);
	stand.place.shard = 9;
	assert_int_equal(
	    gate_refuse(&stand.place, GATE_NEXT_UP, "back"), STATUS_OK);
	assert_true(stand.passes.pass[0].used);
	assert_true(gate_was_passed(&stand.passes, GATE_NEXT_UP, 9));
	assert_false(gate_was_passed(&stand.passes, GATE_TIME_UP, 9));
	stand_free(&stand);
}

static void
test_pass_many(void **state)
{
	struct gate_passes passes = {0};
	const char *why = NULL;
	char text[64];

	(void)state;
	for (unsigned i = 0; i < GATE_PASSES_MOST; i++) {
		snprintf(text, sizeof(text), "change:%u", i);
		assert_int_equal(
		    gate_passes_add(&passes, text, &why), STATUS_OK);
	}
	assert_int_equal(
	    gate_passes_add(&passes, "floor", &why), STATUS_MALFORMED);
	assert_string_equal(why, "too many gates to let pass");
	assert_int_equal(passes.count, GATE_PASSES_MOST);
}

static void
assert_last(const struct stand *stand, enum severity severity, const char *rule,
    const char *clause, const char *text)
{
	size_t kept = report_kept(stand->place.report);
	const struct finding *finding;

	assert_true(kept > 0);
	finding = report_finding(stand->place.report, kept - 1);
	assert_int_equal(finding->severity, severity);
	assert_string_equal(finding->object, STAND_OBJECT);
	assert_string_equal(finding->rule, rule);
	assert_string_equal(finding->clause, clause);
	assert_string_equal(finding->text, text);
}

static void
test_refuse(void **state)
{
	struct stand stand;

	(void)state;
	stand_make(&stand);
	assert_int_equal(
	    gate_refuse(&stand.place, GATE_CHANGE, "serial %s, %d", "ab", 3),
	    STATUS_REFUSED);
	assert_last(
	    &stand, SEVERITY_FAULT, "change", "BR 7.2.2", "serial ab, 3");
	assert_int_equal(report_count(stand.place.report, SEVERITY_FAULT), 1);
	assert_int_equal(report_count(stand.place.report, SEVERITY_WARNING), 0);
	stand.place.passes = NULL;
	assert_int_equal(
	    gate_refuse(&stand.place, GATE_FLOOR, "few"), STATUS_REFUSED);
	assert_last(&stand, SEVERITY_FAULT, "floor", "house rule", "few");
	stand_free(&stand);
}

/* One gate of one shard is let pass, and nothing beside it. */
static void
test_pass_used(void **state)
{
	struct stand stand;

	(void)state;
	stand_make(&stand);
	stand_pass(&stand, "change:8");
	stand_pass(&stand, "no-early-removal:7");
	stand_pass(&stand, "change:7");
	stand_pass(&stand, "change:7");
	stand_pass(&stand, "floor");
	assert_int_equal(
	    gate_refuse(&stand.place, GATE_DUPLICATE, "two"), STATUS_REFUSED);
	for (size_t i = 0; i < stand.passes.count; i++)
		assert_false(stand.passes.pass[i].used);
	assert_int_equal(
	    gate_refuse(&stand.place, GATE_CHANGE, "serial %x", 0xabU),
	    STATUS_OK);
	assert_last(&stand, SEVERITY_WARNING, "change", "BR 7.2.2",
	    "let pass by --pass: serial ab");
	assert_false(stand.passes.pass[0].used);
	assert_false(stand.passes.pass[1].used);
	assert_true(stand.passes.pass[2].used);
	assert_true(stand.passes.pass[3].used);
	assert_false(stand.passes.pass[4].used);
	assert_int_equal(
	    gate_refuse(&stand.place, GATE_CHANGE, "again"), STATUS_OK);
	stand.place.shard = 9;
	assert_int_equal(
	    gate_refuse(&stand.place, GATE_CHANGE, "other"), STATUS_REFUSED);
	assert_false(stand.passes.pass[0].used);
	/* A gate of the run knows no shard. */
	assert_int_equal(
	    gate_refuse(&stand.place, GATE_FLOOR, "few"), STATUS_OK);
	assert_true(stand.passes.pass[4].used);
	assert_int_equal(
	    gate_refuse(&stand.place, GATE_DB_FRESH, "old"), STATUS_REFUSED);
	assert_false(stand.passes.pass[1].used);
	stand_free(&stand);
}

/* A URL of the longest kind does not push the end of the sentence out. */
static void
test_long(void **state)
{
	struct stand stand;
	char url[1025];

	(void)state;
	memset(url, 'u', sizeof(url) - 1);
	url[sizeof(url) - 1] = '\0';
	stand_make(&stand);
	assert_int_equal(
	    gate_refuse(&stand.place, GATE_SCOPE, "names %s, want z", url),
	    STATUS_REFUSED);
	assert_non_null(
	    strstr(report_finding(stand.place.report, 0)->text, "uuu, want z"));
	stand_free(&stand);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_names),
	    cmocka_unit_test(test_pass_each),
	    cmocka_unit_test(test_pass_shards),
	    cmocka_unit_test(test_pass_bad),
	    cmocka_unit_test(test_pass_all),
	    cmocka_unit_test(test_pass_all_used),
	    cmocka_unit_test(test_pass_many),
	    cmocka_unit_test(test_refuse),
	    cmocka_unit_test(test_pass_used),
	    cmocka_unit_test(test_long),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
