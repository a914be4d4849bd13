/* SPDX-License-Identifier: ISC */
/*
 * The file of the hour that is not over: what of it goes into the counts file
 * after a crash, and what does not.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "../../src/sunset/counts_hour.h"
#include "../lib/scratch.h"

#define LINE                                                  \
	"2026-12-01T13Z host=a issuer=b method=get mode=404 " \
	"nonce=no hash=none count="
#define UP "2026-12-01T13Z up=60\n"

struct stand {
	struct scratch *scratch;
	char counts[SCRATCH_BYTES + 64];
	char path[SCRATCH_BYTES + 64];
	struct counts_file *file;
	struct counts_hour *hour;
};

static void
stand_open(struct stand *stand, struct scratch *scratch)
{
	stand->scratch = scratch;
	(void)scratch_path(scratch, "counts", stand->counts);
	(void)scratch_path(scratch, "counts.hour", stand->path);
	assert_int_equal(
	    counts_file_open(stand->counts, scratch->report, &stand->file),
	    STATUS_OK);
	assert_int_equal(
	    counts_hour_open(stand->counts, scratch->report, &stand->hour),
	    STATUS_OK);
	assert_non_null(stand->hour);
}

static void
stand_close(struct stand *stand)
{
	counts_hour_close(stand->hour);
	counts_file_close(stand->file);
}

static void
save(struct stand *stand, const char *text)
{
	counts_hour_add(stand->hour, text, strlen(text));
	counts_hour_save(stand->hour, stand->file, stand->scratch->report);
}

static void
recover(struct stand *stand)
{
	assert_int_equal(counts_hour_recover(
			     stand->hour, stand->file, stand->scratch->report),
	    STATUS_OK);
}

static void
holds(const char *path, const char *want)
{
	assert_true(file_is(path, want, strlen(want)));
}

/* What was saved last, once; a new process sees the same. */
static void
test_recover(void **state)
{
	static char want[16384];
	struct stand stand;

	stand_open(&stand, *state);
	recover(&stand);
	holds(stand.counts, "");
	save(&stand, LINE "100000\n" UP);
	save(&stand, LINE "7\n" UP);
	holds(stand.path, "crlpress-hour 0\n" LINE "7\n" UP "end 2\n");
	stand_close(&stand);
	stand_open(&stand, *state);
	recover(&stand);
	holds(stand.counts, LINE "7\n" UP);
	holds(stand.path, "");
	recover(&stand);
	holds(stand.counts, LINE "7\n" UP);
	assert_true(scratch_said(*state, "an hour that did not end: 2 lines"));
	/* In parts, more than are appended at once. */
	for (unsigned i = 0; i < 50; i++)
		counts_hour_add(stand.hour, LINE "1\n" LINE "2\n",
		    sizeof(LINE "1\n" LINE "2\n") - 1);
	save(&stand, UP);
	recover(&stand);
	holds(stand.path, "");
	want[0] = '\0';
	strcat(want, LINE "7\n" UP);
	for (unsigned i = 0; i < 50; i++)
		strcat(want, LINE "1\n" LINE "2\n");
	strcat(want, UP);
	holds(stand.counts, want);
	stand_close(&stand);
}

/* What the counts file has already is not added again. */
static void
test_settled(void **state)
{
	struct stand stand;
	struct count_record record;
	const char *why = NULL;

	stand_open(&stand, *state);
	save(&stand, LINE "7\n" UP);
	assert_int_equal(
	    count_record_parse(LINE "7", sizeof(LINE "7") - 1, &record, &why),
	    STATUS_OK);
	assert_int_equal(
	    counts_file_append(stand.file, &record, 1, stand.scratch->report),
	    STATUS_OK);
	recover(&stand);
	holds(stand.counts, LINE "7\n");
	holds(stand.path, "");
	save(&stand, LINE "8\n" UP);
	counts_hour_clear(stand.hour);
	recover(&stand);
	holds(stand.counts, LINE "7\n");
	stand_close(&stand);
}

/* Torn, or not ours: left out whole. */
static void
test_torn(void **state)
{
	static const char *const bad[] = {
	    "x",
	    "crlpress-hour 0\n",
	    "crlpress-hour 0\n" LINE "7\n" UP,
	    "crlpress-hour 0\n" LINE "7\n" UP "end 3\n",
	    "crlpress-hour 0\n" LINE "7\n" UP "end 1\n",
	    "crlpress-hour 0\n" LINE "7\n" UP "end 2",
	    "crlpress-hour 0\n" LINE "7\n" UP "end 2\nx",
	    "crlpress-hour 0\n" LINE "7\n" UP "end 2\nend 2\n",
	    "crlpress-hour 0\n" LINE "0\n" UP "end 2\n",
	    "crlpress-hour 00\n" LINE "7\n" UP "end 2\n",
	    "crlpress-hour x\n" LINE "7\n" UP "end 2\n",
	    "crlpress-hour 0\nend 2\n",
	};
	struct stand stand;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		stand_open(&stand, *state);
		assert_true(
		    file_make(stand.path, bad[i], strlen(bad[i]), 0644));
		counts_hour_close(stand.hour);
		assert_int_equal(counts_hour_open(stand.counts,
				     stand.scratch->report, &stand.hour),
		    STATUS_OK);
		recover(&stand);
		holds(stand.counts, "");
		holds(stand.path, "");
		stand_close(&stand);
	}
	assert_true(scratch_said(*state, "torn: what the last hour counted"));
}

/* More than there is room for: nothing, rather than a part; then again. */
static void
test_full(void **state)
{
	struct stand stand;
	size_t line = sizeof(LINE "1\n") - 1;

	stand_open(&stand, *state);
	save(&stand, LINE "7\n" UP);
	for (size_t n = 0; n <= COUNTS_HOUR_BYTES_MOST; n += line)
		counts_hour_add(stand.hour, LINE "1\n", line);
	save(&stand, UP);
	holds(stand.path, "");
	save(&stand, LINE "9\n" UP);
	holds(stand.path, "crlpress-hour 0\n" LINE "9\n" UP "end 2\n");
	stand_close(&stand);
	assert_true(scratch_said(*state, "who is killed loses"));
}

/* Where it cannot be, all goes on without it. */
static void
test_nowhere(void **state)
{
	struct scratch *scratch = *state;
	char path[SCRATCH_BYTES + 64];
	struct counts_hour *hour = NULL;

	(void)scratch_path(scratch, "no/such/counts", path);
	assert_int_equal(
	    counts_hour_open(path, scratch->report, &hour), STATUS_OK);
	assert_null(hour);
	assert_true(scratch_said(scratch, "cannot be opened"));
	counts_hour_add(hour, UP, 3);
	counts_hour_save(hour, NULL, scratch->report);
	assert_int_equal(
	    counts_hour_recover(hour, NULL, scratch->report), STATUS_OK);
	counts_hour_clear(hour);
	counts_hour_close(hour);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(
		test_recover, scratch_setup, scratch_teardown),
	    cmocka_unit_test_setup_teardown(
		test_settled, scratch_setup, scratch_teardown),
	    cmocka_unit_test_setup_teardown(
		test_torn, scratch_setup, scratch_teardown),
	    cmocka_unit_test_setup_teardown(
		test_full, scratch_setup, scratch_teardown),
	    cmocka_unit_test_setup_teardown(
		test_nowhere, scratch_setup, scratch_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
