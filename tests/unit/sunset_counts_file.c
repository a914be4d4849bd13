/* SPDX-License-Identifier: ISC */
/*
 * The counts file: appended to and never cut, torn lines ended by the writer
 * and left out by the reader, one writer at a time, bad lines by number.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <signal.h>
#include <sys/resource.h>

#include <cmocka.h>

#include "../../src/sunset/counts_read.h"
#include "../lib/scratch.h"

#define HOUR_SEC 1796130000LL /* 2026-12-01T13:00:00Z */

#define LINE_A                                                             \
	"2026-12-01T13Z host=a issuer=other method=get mode=404 nonce=no " \
	"hash=none count=1\n"
#define LINE_B "2026-12-01T13Z up=60\n"

static struct count_record
record_a(void)
{
	struct count_record record = {.hour_sec = HOUR_SEC,
	    .host = "a",
	    .issuer = "other",
	    .mode = ANSWER_NOT_FOUND,
	    .count = 1};

	return record;
}

/* What a reader is given. */
struct taken {
	uint64_t records;
	uint64_t count;
	uint64_t up_sec;
};

static const char *
take(void *context, const struct count_record *record)
{
	struct taken *taken = context;

	taken->records++;
	taken->count += record->count;
	taken->up_sec += record->up_sec;
	return record->count == 777 ? "seven" : NULL;
}

static struct taken
read_all(struct scratch *scratch, const char *path, enum status want)
{
	struct taken taken = {0};
	const struct counts_taker taker = {take, &taken};

	assert_int_equal(counts_read(path, &taker, scratch->report), want);
	return taken;
}

static void
test_append(void **state)
{
	struct scratch *scratch = *state;
	struct count_record records[2] = {
	    record_a(), {.hour_sec = HOUR_SEC, .up_sec = 60}};
	char path[SCRATCH_BYTES + 64];
	struct counts_file *file = NULL;
	struct taken taken;

	scratch_path(scratch, "counts", path);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(
		    counts_file_open(path, scratch->report, &file), STATUS_OK);
		assert_int_equal(
		    counts_file_append(file, records, 2, scratch->report),
		    STATUS_OK);
		assert_int_equal(
		    counts_file_append(file, records, 0, scratch->report),
		    STATUS_OK);
		counts_file_close(file);
	}
	assert_true(file_is(path, LINE_A LINE_B LINE_A LINE_B,
	    2 * (sizeof(LINE_A LINE_B) - 1)));
	taken = read_all(scratch, path, STATUS_OK);
	assert_int_equal(taken.records, 4);
	assert_int_equal(taken.count, 2);
	assert_int_equal(taken.up_sec, 120);
	assert_true(scratch_silent(scratch));
	counts_file_close(NULL);
}

/* More than one batch of lines. */
static void
test_many(void **state)
{
	struct scratch *scratch = *state;
	static struct count_record records[3000];
	char path[SCRATCH_BYTES + 64];
	struct counts_file *file = NULL;
	struct taken taken;

	for (size_t i = 0; i < 3000; i++) {
		records[i] = record_a();
		records[i].count = i + 1000;
	}
	scratch_path(scratch, "many", path);
	assert_int_equal(
	    counts_file_open(path, scratch->report, &file), STATUS_OK);
	assert_int_equal(
	    counts_file_append(file, records, 3000, scratch->report),
	    STATUS_OK);
	counts_file_close(file);
	taken = read_all(scratch, path, STATUS_OK);
	assert_int_equal(taken.records, 3000);
	assert_int_equal(taken.count, 3000 * 1000 + 2999 * 3000 / 2);
}

/* Cut off at each byte, the next writer goes on, and nothing else is lost. */
static void
test_torn(void **state)
{
	struct scratch *scratch = *state;
	static const char whole[] = LINE_A LINE_A;
	size_t line_len = sizeof(LINE_A) - 1;
	struct count_record record = record_a();
	char path[SCRATCH_BYTES + 64];
	char want[512];

	scratch_path(scratch, "torn", path);
	for (size_t cut = 1; cut < line_len; cut++) {
		struct counts_file *file = NULL;
		struct taken taken;
		int n;

		/* A report prints ten findings of a rule. */
		report_free(scratch->report);
		scratch->report = report_new(scratch->stream, SEVERITY_NOTE);
		assert_true(file_make(path, whole, line_len + cut, 0644));
		taken = read_all(scratch, path, STATUS_OK);
		assert_int_equal(taken.records, 1);
		assert_true(scratch_said(scratch, "torn lines left out: 1"));
		assert_int_equal(
		    counts_file_open(path, scratch->report, &file), STATUS_OK);
		assert_true(scratch_said(scratch, "ends within a line"));
		assert_int_equal(
		    counts_file_append(file, &record, 1, scratch->report),
		    STATUS_OK);
		counts_file_close(file);
		n = snprintf(want, sizeof(want), "%s%.*s torn\n%s", LINE_A,
		    (int)cut, LINE_A, LINE_A);
		assert_true(file_is(path, want, (size_t)n));
		taken = read_all(scratch, path, STATUS_OK);
		assert_int_equal(taken.records, 2);
		assert_true(scratch_said(scratch, "torn lines left out: 1"));
	}
}

/* A crash may leave a block of zeros; a long line of ours it may not. */
static void
test_torn_zeros(void **state)
{
	struct scratch *scratch = *state;
	static char zeros[5000];
	char path[SCRATCH_BYTES + 64];
	struct counts_file *file = NULL;

	scratch_path(scratch, "zeros", path);
	assert_true(file_make(path, zeros, sizeof(zeros), 0644));
	assert_int_equal(
	    counts_file_open(path, scratch->report, &file), STATUS_OK);
	counts_file_close(file);
	assert_int_equal(read_all(scratch, path, STATUS_OK).records, 0);
	zeros[sizeof(zeros) - 1] = '\n';
	assert_true(file_make(path, zeros, sizeof(zeros), 0644));
	read_all(scratch, path, STATUS_MALFORMED);
	assert_true(scratch_said(scratch, "line 1: a long line"));
}

static void
test_bad_lines(void **state)
{
	struct scratch *scratch = *state;
	static const char text[] = LINE_A
	    "\n" LINE_A "2026-12-01T13Z up=3601\n" LINE_A
	    "2026-12-01T13Z host=a issuer=other method=get mode=404 nonce=no "
	    "hash=none count=777\n" LINE_A;
	char path[SCRATCH_BYTES + 64];
	struct taken taken;

	scratch_path(scratch, "bad", path);
	assert_true(file_make(path, text, sizeof(text) - 1, 0644));
	taken = read_all(scratch, path, STATUS_MALFORMED);
	assert_int_equal(taken.records, 5);
	(void)fflush(scratch->stream);
	assert_non_null(strstr(scratch->said, "line 2: no hour"));
	assert_non_null(strstr(scratch->said, "line 4: more seconds"));
	assert_true(scratch_said(scratch, "line 6: seven"));
	assert_true(file_make(path, "", 0, 0644));
	assert_int_equal(read_all(scratch, path, STATUS_OK).records, 0);
	scratch_path(scratch, "none", path);
	read_all(scratch, path, STATUS_IO);
	assert_true(scratch_said(scratch, "cannot be opened"));
	/* A directory opens, and cannot be read. */
	read_all(scratch, scratch->path, STATUS_IO);
	assert_true(scratch_said(scratch, "cannot be read"));
}

static void
test_places(void **state)
{
	struct scratch *scratch = *state;
	char path[SCRATCH_BYTES + 64], link[SCRATCH_BYTES + 64];
	struct counts_file *file = NULL, *other = NULL;

	scratch_path(scratch, "places", path);
	assert_int_equal(
	    counts_file_open(path, scratch->report, &file), STATUS_OK);
	assert_int_equal(
	    counts_file_open(path, scratch->report, &other), STATUS_LOCKED);
	assert_null(other);
	assert_true(scratch_said(scratch, "another process writes to it"));
	assert_int_equal(
	    fcntl(counts_file_fd(file), F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
	counts_file_close(file);
	/* The lock goes with it. */
	assert_int_equal(
	    counts_file_open(path, scratch->report, &file), STATUS_OK);
	counts_file_close(file);
	scratch_path(scratch, "link", link);
	assert_int_equal(symlink(path, link), 0);
	assert_int_equal(
	    counts_file_open(link, scratch->report, &file), STATUS_IO);
	assert_int_equal(
	    counts_file_open(scratch->path, scratch->report, &file), STATUS_IO);
	assert_int_equal(mkfifo(scratch_path(scratch, "pipe", path), 0600), 0);
	assert_int_equal(
	    counts_file_open(path, scratch->report, &file), STATUS_IO);
	assert_true(scratch_said(scratch, "not a regular file"));
}

/* A limit on files takes the second half of a line; room comes back. */
static int
full_run(struct scratch *scratch)
{
	struct rlimit limit = {sizeof(LINE_A) + 20, RLIM_INFINITY};
	struct count_record record = record_a();
	char path[SCRATCH_BYTES + 64];
	struct counts_file *file = NULL;
	static const char want[] = LINE_A "2026-12-01T13Z host=a torn\n" LINE_A;

	(void)signal(SIGXFSZ, SIG_IGN);
	scratch_path(scratch, "full", path);
	if (counts_file_open(path, scratch->report, &file) != STATUS_OK ||
	    setrlimit(RLIMIT_FSIZE, &limit) != 0)
		return 1;
	if (counts_file_append(file, &record, 1, scratch->report) != STATUS_OK)
		return 2;
	for (int i = 0; i < 2; i++)
		if (counts_file_append(file, &record, 1, scratch->report) !=
		    STATUS_IO)
			return 3;
	limit.rlim_cur = RLIM_INFINITY;
	if (setrlimit(RLIMIT_FSIZE, &limit) != 0)
		return 4;
	if (counts_file_append(file, &record, 1, scratch->report) != STATUS_OK)
		return 5;
	counts_file_close(file);
	/* 21 bytes of the line were there, then what ends it. */
	return file_is(path, want, sizeof(want) - 1) ? 0 : 6;
}

/* The same where not one byte of the line had room. */
static int
full_between_run(struct scratch *scratch)
{
	struct rlimit limit = {sizeof(LINE_A) - 1, RLIM_INFINITY};
	struct count_record record = record_a();
	char path[SCRATCH_BYTES + 64];
	struct counts_file *file = NULL;
	static const char want[] = LINE_A LINE_A;

	(void)signal(SIGXFSZ, SIG_IGN);
	scratch_path(scratch, "between", path);
	if (counts_file_open(path, scratch->report, &file) != STATUS_OK ||
	    setrlimit(RLIMIT_FSIZE, &limit) != 0)
		return 1;
	if (counts_file_append(file, &record, 1, scratch->report) != STATUS_OK)
		return 2;
	if (counts_file_append(file, &record, 1, scratch->report) != STATUS_IO)
		return 3;
	limit.rlim_cur = RLIM_INFINITY;
	if (setrlimit(RLIMIT_FSIZE, &limit) != 0)
		return 4;
	if (counts_file_append(file, &record, 1, scratch->report) != STATUS_OK)
		return 5;
	counts_file_close(file);
	return file_is(path, want, sizeof(want) - 1) ? 0 : 6;
}

static void
test_full(void **state)
{
	assert_int_equal(child_run(full_run, *state), 0);
	assert_int_equal(child_run(full_between_run, *state), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(
		test_append, scratch_setup, scratch_teardown),
	    cmocka_unit_test_setup_teardown(
		test_many, scratch_setup, scratch_teardown),
	    cmocka_unit_test_setup_teardown(
		test_torn, scratch_setup, scratch_teardown),
	    cmocka_unit_test_setup_teardown(
		test_torn_zeros, scratch_setup, scratch_teardown),
	    cmocka_unit_test_setup_teardown(
		test_bad_lines, scratch_setup, scratch_teardown),
	    cmocka_unit_test_setup_teardown(
		test_places, scratch_setup, scratch_teardown),
	    cmocka_unit_test_setup_teardown(
		test_full, scratch_setup, scratch_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
