/* SPDX-License-Identifier: ISC */
/*
 * The gate of the server: nothing said, a date, a file, both, and what an
 * override makes of each.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "../../src/sunset/expiry_gate.h"
#include "../lib/scratch.h"
#include "crlpress/expiry.h"

#define NOW_SEC 1796130000LL /* 2026-12-01T13:00:00Z */

/* A file as `crlpress ocsp-gate` writes it. */
static void
expiry_make(const char *path, bool has_last, int64_t last_sec, int64_t made_sec)
{
	struct expiry expiry = {
	    .has_last = has_last, .last_sec = last_sec, .made_sec = made_sec};
	char text[EXPIRY_BYTES_MOST];
	size_t len = expiry_format(&expiry, text);

	assert_true(len > 0);
	assert_true(file_make(path, text, len, 0644));
}

static void
test_nothing(void **state)
{
	struct scratch *scratch = *state;
	struct expiry_gate gate = {0};

	assert_int_equal(
	    expiry_gate_check(&gate, NOW_SEC, scratch->report), STATUS_REFUSED);
	assert_true(scratch_said(scratch, "BR 4.9.9: nothing says"));
	gate.override = true;
	assert_int_equal(
	    expiry_gate_check(&gate, NOW_SEC, scratch->report), STATUS_OK);
	assert_true(scratch_said(scratch, "the gate is overridden"));
}

static void
test_date(void **state)
{
	struct scratch *scratch = *state;
	struct expiry_gate gate = {.has_last = true, .last_sec = NOW_SEC - 1};

	assert_int_equal(
	    expiry_gate_check(&gate, NOW_SEC, scratch->report), STATUS_OK);
	assert_true(
	    scratch_said(scratch, "as configured: 2026-12-01T12:59:59Z"));
	gate.last_sec = NOW_SEC;
	assert_int_equal(
	    expiry_gate_check(&gate, NOW_SEC, scratch->report), STATUS_REFUSED);
	assert_true(scratch_said(scratch, "has not expired yet"));
}

static void
test_file(void **state)
{
	struct scratch *scratch = *state;
	char path[SCRATCH_BYTES + 64];
	struct expiry_gate gate = {
	    .path = scratch_path(scratch, "expiry", path), .max_age_sec = 60};

	expiry_make(path, true, NOW_SEC - 100, NOW_SEC - 50);
	assert_int_equal(
	    expiry_gate_check(&gate, NOW_SEC, scratch->report), STATUS_OK);
	assert_true(scratch_said(scratch, "2026-12-01T12:58:20Z (asked"));
	expiry_make(path, false, 0, NOW_SEC - 50);
	assert_int_equal(
	    expiry_gate_check(&gate, NOW_SEC, scratch->report), STATUS_OK);
	assert_true(scratch_said(scratch, "none (asked"));
	expiry_make(path, true, NOW_SEC + 1, NOW_SEC - 50);
	assert_int_equal(
	    expiry_gate_check(&gate, NOW_SEC, scratch->report), STATUS_REFUSED);
	assert_true(scratch_said(scratch, "has not expired yet"));
	/* Made before the last one expired. */
	expiry_make(path, true, NOW_SEC - 50, NOW_SEC - 100);
	assert_int_equal(
	    expiry_gate_check(&gate, NOW_SEC, scratch->report), STATUS_REFUSED);
	assert_true(scratch_said(scratch, "make it again"));
	expiry_make(path, true, NOW_SEC - 50, NOW_SEC + 3600);
	assert_int_equal(
	    expiry_gate_check(&gate, NOW_SEC, scratch->report), STATUS_REFUSED);
	assert_true(scratch_said(scratch, "made in the future"));
}

/* What was issued since it was made, it does not know. */
static void
test_age(void **state)
{
	struct scratch *scratch = *state;
	char path[SCRATCH_BYTES + 64];
	struct expiry_gate gate = {
	    .path = scratch_path(scratch, "age", path), .max_age_sec = 3600};

	expiry_make(path, true, NOW_SEC - 9000, NOW_SEC - 3600);
	assert_int_equal(
	    expiry_gate_check(&gate, NOW_SEC, scratch->report), STATUS_OK);
	assert_int_equal(expiry_gate_check(&gate, NOW_SEC + 1, scratch->report),
	    STATUS_REFUSED);
	assert_true(scratch_said(scratch, "have made 2026-12-01T12:00:00Z, "
					  "now 2026-12-01T13:00:01Z, "
					  "want at most 1h"));
	/* So does one that knows of no certificate. */
	expiry_make(path, false, 0, NOW_SEC - 3600);
	assert_int_equal(expiry_gate_check(&gate, NOW_SEC + 1, scratch->report),
	    STATUS_REFUSED);
	gate.override = true;
	assert_int_equal(
	    expiry_gate_check(&gate, NOW_SEC + 1, scratch->report), STATUS_OK);
}

/* Both must be in the past. */
static void
test_both(void **state)
{
	struct scratch *scratch = *state;
	char path[SCRATCH_BYTES + 64];
	struct expiry_gate gate = {.path = scratch_path(scratch, "both", path),
	    .max_age_sec = 60,
	    .has_last = true,
	    .last_sec = NOW_SEC - 10};

	expiry_make(path, true, NOW_SEC - 100, NOW_SEC - 50);
	assert_int_equal(
	    expiry_gate_check(&gate, NOW_SEC, scratch->report), STATUS_OK);
	gate.last_sec = NOW_SEC + 10;
	assert_int_equal(
	    expiry_gate_check(&gate, NOW_SEC, scratch->report), STATUS_REFUSED);
	gate.last_sec = NOW_SEC - 10;
	expiry_make(path, true, NOW_SEC + 10, NOW_SEC - 50);
	assert_int_equal(
	    expiry_gate_check(&gate, NOW_SEC, scratch->report), STATUS_REFUSED);
}

/* What cannot be read says nothing, and so refuses. */
static void
test_unreadable(void **state)
{
	struct scratch *scratch = *state;
	static const char old[] = "crlpress-ocsp-expiry 1\nlast-expiry none\n";
	static char large[EXPIRY_BYTES_MOST * 3];
	char path[SCRATCH_BYTES + 64];
	struct expiry_gate gate = {
	    .path = scratch_path(scratch, "unread", path)};

	assert_int_equal(
	    expiry_gate_check(&gate, NOW_SEC, scratch->report), STATUS_REFUSED);
	assert_true(scratch_said(scratch, "cannot be opened"));
	assert_true(file_make(path, old, sizeof(old) - 1, 0644));
	assert_int_equal(
	    expiry_gate_check(&gate, NOW_SEC, scratch->report), STATUS_REFUSED);
	assert_true(scratch_said(scratch, "line 3: the line is missing"));
	assert_true(file_make(path, large, sizeof(large), 0644));
	assert_int_equal(
	    expiry_gate_check(&gate, NOW_SEC, scratch->report), STATUS_REFUSED);
	assert_true(scratch_said(scratch, "line 1: not an expiry file"));
	assert_int_equal(unlink(path), 0);
	assert_int_equal(mkfifo(path, 0600), 0);
	assert_int_equal(
	    expiry_gate_check(&gate, NOW_SEC, scratch->report), STATUS_REFUSED);
	assert_true(scratch_said(scratch, "cannot be read"));
	gate.path = scratch->path;
	assert_int_equal(
	    expiry_gate_check(&gate, NOW_SEC, scratch->report), STATUS_REFUSED);
	/* With the override, each is a warning, and said all the same. */
	gate.override = true;
	assert_int_equal(
	    expiry_gate_check(&gate, NOW_SEC, scratch->report), STATUS_OK);
	assert_true(scratch_said(scratch, "cannot be read"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(
		test_nothing, scratch_setup, scratch_teardown),
	    cmocka_unit_test_setup_teardown(
		test_date, scratch_setup, scratch_teardown),
	    cmocka_unit_test_setup_teardown(
		test_file, scratch_setup, scratch_teardown),
	    cmocka_unit_test_setup_teardown(
		test_age, scratch_setup, scratch_teardown),
	    cmocka_unit_test_setup_teardown(
		test_both, scratch_setup, scratch_teardown),
	    cmocka_unit_test_setup_teardown(
		test_unreadable, scratch_setup, scratch_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
