/* SPDX-License-Identifier: ISC */
/*
 * The ledger on a real file system: whole lines whatever happens, put aside
 * and never lost, by several at once.
 */
#include "crlpress/ledger.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <dirent.h>
#include <pthread.h>
#include <sys/file.h>
#include <sys/resource.h>

#include "../lib/scratch.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* 2026-11-22 05:09:49 */
#define NOW_SEC 1795324189
#define ASIDE "ledger-20261122T050949Z"

#define PROCESSES 4
#define THREADS 3
#define LINES_EACH 150
#define SIZE_MOST 4096
#define TEXT_BYTES 65536

/* Enough for a new file's first line and not for a second. */
#define SMALL_DISK "size=8k,nr_inodes=8"
#define LARGE_LINE 3000

static int64_t
clock_sec(void)
{
	return NOW_SEC;
}

static enum status
open_any(const char *dir, uint64_t size_most, struct report *report,
    struct ledger **ledger)
{
	struct ledger_config config = {
	    .dir = dir, .size_most = size_most, .clock_sec = clock_sec};

	return ledger_open(&config, report, ledger);
}

static struct ledger *
open_ledger(struct scratch *scratch, uint64_t size_most)
{
	struct ledger *ledger;

	assert_int_equal(
	    open_any(scratch->path, size_most, scratch->report, &ledger),
	    STATUS_OK);
	return ledger;
}

static enum status
append(struct ledger *ledger, const char *line)
{
	return ledger_append(ledger, line, strlen(line));
}

static bool
holds(const struct scratch *scratch, const char *name, const char *text)
{
	char path[SCRATCH_BYTES + 64];

	return file_is(scratch_path(scratch, name, path), text, strlen(text));
}

static void
make(const struct scratch *scratch, const char *name, const char *text)
{
	char path[SCRATCH_BYTES + 64];

	assert_true(file_make(
	    scratch_path(scratch, name, path), text, strlen(text), 0600));
}

static void
test_lines(void **test)
{
	struct scratch *scratch = *test;
	struct ledger *ledger = open_ledger(scratch, 1000);
	char path[SCRATCH_BYTES + 64];
	struct stat st;

	/* Nothing is made before there is something to say. */
	scratch_path(scratch, LEDGER_NAME, path);
	assert_int_equal(ledger_sync(ledger), STATUS_OK);
	assert_false(file_exists(path));
	assert_int_equal(append(ledger, "{\"a\":1}"), STATUS_OK);
	assert_int_equal(append(ledger, "{}"), STATUS_OK);
	assert_int_equal(ledger_sync(ledger), STATUS_OK);
	ledger_close(ledger);
	ledger = open_ledger(scratch, 1000);
	assert_int_equal(append(ledger, "{\"b\":2}"), STATUS_OK);
	ledger_close(ledger);
	ledger_close(NULL);
	assert_true(holds(scratch, LEDGER_NAME, "{\"a\":1}\n{}\n{\"b\":2}\n"));
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_true(scratch_silent(scratch));
}

/* A line that a crash cut off stays, and spoils no other. */
static void
test_torn(void **test)
{
	static const struct {
		const char *before;
		const char *after;
	} cases[] = {
	    {"", "{\"b\":2}\n"},
	    {"{\"a\":1}\n", "{\"a\":1}\n{\"b\":2}\n"},
	    {"{\"a\":1}\n{\"torn", "{\"a\":1}\n{\"torn\n{\"b\":2}\n"},
	    {"{", "{\n{\"b\":2}\n"},
	};
	struct scratch *scratch = *test;
	struct ledger *ledger = open_ledger(scratch, 1000);

	for (size_t i = 0; i < COUNT(cases); i++) {
		make(scratch, LEDGER_NAME, cases[i].before);
		assert_int_equal(append(ledger, "{\"b\":2}"), STATUS_OK);
		assert_true(holds(scratch, LEDGER_NAME, cases[i].after));
	}
	ledger_close(ledger);
	assert_true(scratch_silent(scratch));
}

static void
test_rotation(void **test)
{
	struct scratch *scratch = *test;
	struct ledger *ledger = open_ledger(scratch, 23);

	/* To the octet, with one for the end of a line that may be torn. */
	assert_int_equal(append(ledger, "{\"line\":1}"), STATUS_OK);
	assert_int_equal(append(ledger, "{\"line\":2}"), STATUS_OK);
	assert_true(
	    holds(scratch, LEDGER_NAME, "{\"line\":1}\n{\"line\":2}\n"));
	assert_int_equal(append(ledger, "{\"line\":3}"), STATUS_OK);
	assert_true(
	    holds(scratch, ASIDE ".jsonl", "{\"line\":1}\n{\"line\":2}\n"));
	assert_true(holds(scratch, LEDGER_NAME, "{\"line\":3}\n"));
	/* One that is too long for any file has one for itself. */
	assert_int_equal(
	    append(ledger, "{\"line\":\"4, which is too long\"}"), STATUS_OK);
	assert_true(holds(scratch, ASIDE "-1.jsonl", "{\"line\":3}\n"));
	assert_int_equal(append(ledger, "{}"), STATUS_OK);
	assert_true(holds(scratch, ASIDE "-2.jsonl",
	    "{\"line\":\"4, which is too long\"}\n"));
	assert_true(holds(scratch, LEDGER_NAME, "{}\n"));
	/* What is torn is put aside as it is. */
	make(scratch, LEDGER_NAME, "{\"line\":5, which a crash cut");
	assert_int_equal(append(ledger, "{}"), STATUS_OK);
	assert_true(
	    holds(scratch, ASIDE "-3.jsonl", "{\"line\":5, which a crash cut"));
	assert_true(holds(scratch, LEDGER_NAME, "{}\n"));
	assert_int_equal(ledger_sync(ledger), STATUS_OK);
	ledger_close(ledger);
	assert_true(scratch_silent(scratch));
}

/* A line is worth more than the size of its file. */
static void
test_rotation_impossible(void **test)
{
	struct scratch *scratch = *test;
	struct ledger *ledger = open_ledger(scratch, 8);
	char name[64];

	make(scratch, ASIDE ".jsonl", "kept");
	for (int i = 1; i < 1000; i++) {
		(void)snprintf(name, sizeof(name), ASIDE "-%d.jsonl", i);
		make(scratch, name, "kept");
	}
	assert_int_equal(append(ledger, "{\"a\":1}"), STATUS_OK);
	assert_true(scratch_silent(scratch));
	assert_int_equal(append(ledger, "{\"b\":2}"), STATUS_OK);
	assert_true(scratch_said(
	    scratch, "ledger: grows on, since it cannot be put aside: "));
	assert_true(holds(scratch, LEDGER_NAME, "{\"a\":1}\n{\"b\":2}\n"));
	assert_true(holds(scratch, ASIDE ".jsonl", "kept"));
	assert_true(holds(scratch, ASIDE "-999.jsonl", "kept"));
	ledger_close(ledger);
}

/* Somebody else put it aside or away meanwhile. */
static void
test_moved_away(void **test)
{
	struct scratch *scratch = *test;
	struct ledger *ledger = open_ledger(scratch, 1000);
	char from[SCRATCH_BYTES + 64], to[SCRATCH_BYTES + 64];

	assert_int_equal(append(ledger, "{\"a\":1}"), STATUS_OK);
	assert_int_equal(rename(scratch_path(scratch, LEDGER_NAME, from),
			     scratch_path(scratch, "old", to)),
	    0);
	assert_int_equal(append(ledger, "{\"b\":2}"), STATUS_OK);
	assert_true(holds(scratch, "old", "{\"a\":1}\n"));
	assert_true(holds(scratch, LEDGER_NAME, "{\"b\":2}\n"));
	ledger_close(ledger);
}

static void
set_file_limit(rlim_t bytes)
{
	struct rlimit limit;

	assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
	limit.rlim_cur = bytes;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

/* The disk takes some octets of a line, or none: it has none of it. */
static void
test_limit(void **test)
{
	struct scratch *scratch = *test;
	struct ledger *ledger = open_ledger(scratch, 1000);
	struct rlimit before;

	assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
	(void)signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(append(ledger, "{\"a\":1}"), STATUS_OK);
	for (rlim_t room = 0; room < 8; room++) {
		enum status status;

		set_file_limit(8 + room);
		status = append(ledger, "{\"b\":2}");
		set_file_limit(before.rlim_cur);
		assert_int_equal(status, STATUS_FAILED);
		assert_true(
		    scratch_said(scratch, "ledger: cannot write to it: "));
		assert_true(holds(scratch, LEDGER_NAME, "{\"a\":1}\n"));
	}
	assert_int_equal(append(ledger, "{\"b\":2}"), STATUS_OK);
	assert_true(holds(scratch, LEDGER_NAME, "{\"a\":1}\n{\"b\":2}\n"));
	(void)signal(SIGXFSZ, SIG_DFL);
	ledger_close(ledger);
}

/* A file system that is full, and has room again. */
static int
fill_disk(struct scratch *scratch)
{
	static char line[LARGE_LINE];
	char path[SCRATCH_BYTES + 64];
	struct ledger *ledger;
	struct stat st;
	int lines = 0;

	if (!child_mount_small(scratch->path, SMALL_DISK))
		return SCRATCH_NOT_PERMITTED;
	memset(line, 'x', sizeof(line));
	if (open_any(scratch->path, 1 << 20, scratch->report, &ledger) !=
	    STATUS_OK)
		return 1;
	while (lines < 10 &&
	       ledger_append(ledger, line, sizeof(line)) == STATUS_OK)
		lines++;
	if (lines != 2 || !scratch_said(scratch, "No space left on device") ||
	    stat(scratch_path(scratch, LEDGER_NAME, path), &st) != 0 ||
	    st.st_size != 2 * (LARGE_LINE + 1))
		return 2;
	if (append(ledger, "{}") != STATUS_OK || stat(path, &st) != 0 ||
	    st.st_size != 2 * (LARGE_LINE + 1) + 3)
		return 3;
	ledger_close(ledger);
	return 0;
}

static void
test_full(void **test)
{
	int status = child_run(fill_disk, *test);

	if (status == SCRATCH_NOT_PERMITTED)
		skip();
	assert_int_equal(status, 0);
}

static void
test_not_a_file(void **test)
{
	struct scratch *scratch = *test;
	struct ledger *ledger = open_ledger(scratch, 1000);
	char path[SCRATCH_BYTES + 64], other[SCRATCH_BYTES + 64];

	scratch_path(scratch, LEDGER_NAME, path);
	make(scratch, "other", "mine");
	assert_int_equal(
	    symlink(scratch_path(scratch, "other", other), path), 0);
	assert_int_equal(append(ledger, "{}"), STATUS_FAILED);
	assert_true(scratch_said(scratch, "ledger: cannot open it: "));
	assert_true(holds(scratch, "other", "mine"));
	assert_int_equal(unlink(path), 0);
	assert_int_equal(mkfifo(path, 0600), 0);
	assert_int_equal(append(ledger, "{}"), STATUS_FAILED);
	assert_true(scratch_said(scratch, "ledger: cannot write to it: "));
	assert_int_equal(ledger_sync(ledger), STATUS_FAILED);
	assert_true(scratch_said(scratch, "ledger: cannot sync it: "));
	assert_int_equal(unlink(path), 0);
	assert_int_equal(mkdir(path, 0700), 0);
	assert_int_equal(append(ledger, "{}"), STATUS_FAILED);
	assert_true(scratch_said(scratch, "ledger: cannot open it: "));
	ledger_close(ledger);
	assert_int_equal(
	    open_any(other, 1000, scratch->report, &ledger), STATUS_FAILED);
	assert_null(ledger);
	assert_true(scratch_said(scratch, "ledger: cannot open its directory"));
}

static void
test_too_long(void **test)
{
	struct scratch *scratch = *test;
	struct ledger *ledger = open_ledger(scratch, 1000);
	char path[SCRATCH_BYTES + 64];
	char *line = malloc(LEDGER_LINE_BYTES_MOST + 1);

	assert_non_null(line);
	memset(line, 'x', LEDGER_LINE_BYTES_MOST + 1);
	assert_int_equal(
	    ledger_append(ledger, line, LEDGER_LINE_BYTES_MOST + 1),
	    STATUS_FAILED);
	assert_true(
	    scratch_said(scratch, "ledger: cannot take a line as long"));
	assert_false(file_exists(scratch_path(scratch, LEDGER_NAME, path)));
	assert_int_equal(
	    ledger_append(ledger, line, LEDGER_LINE_BYTES_MOST), STATUS_OK);
	free(line);
	ledger_close(ledger);
}

/* One of several that append at once. */
struct writer {
	struct ledger *ledger;
	int process;
	int thread;
	bool well;
};

static void *
write_lines(void *context)
{
	struct writer *writer = context;
	char line[160];

	writer->well = true;
	for (int i = 0; writer->well && i < LINES_EACH; i++) {
		/* Lines of several lengths. */
		(void)snprintf(line, sizeof(line), "%d %d %d %.*s.",
		    writer->process, writer->thread, i, i % 90,
		    "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
		    "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx");
		writer->well = append(writer->ledger, line) == STATUS_OK;
	}
	return NULL;
}

/* A process that appends, with threads that share its ledger. */
static int
append_many(struct scratch *scratch, int process)
{
	struct writer writer[THREADS];
	pthread_t thread[THREADS];
	struct ledger *ledger;
	bool well = true;

	if (open_any(scratch->path, SIZE_MOST, scratch->report, &ledger) !=
	    STATUS_OK)
		return 1;
	for (int t = 0; t < THREADS; t++) {
		writer[t] = (struct writer){ledger, process, t, false};
		if (pthread_create(&thread[t], NULL, write_lines, &writer[t]) !=
		    0)
			return 1;
	}
	for (int t = 0; t < THREADS; t++) {
		(void)pthread_join(thread[t], NULL);
		well = well && writer[t].well;
	}
	ledger_close(ledger);
	return well ? 0 : 1;
}

/* No name here is as long as any could be. */
static const char *
entry_path(const struct scratch *scratch, const struct dirent *entry,
    char path[SCRATCH_BYTES + 64])
{
	(void)snprintf(
	    path, SCRATCH_BYTES + 64, "%s/%.60s", scratch->path, entry->d_name);
	return path;
}

/* Marks every line of a file as seen; false for one that is none. */
static bool
count_file(const char *path, unsigned char seen[PROCESSES][THREADS][LINES_EACH])
{
	FILE *file = fopen(path, "r");
	char line[TEXT_BYTES];
	int p, t, i, at;
	struct stat st;
	/* Nothing is appended to what was put aside. */
	bool well = file != NULL && fstat(fileno(file), &st) == 0 &&
		    st.st_size <= SIZE_MOST;

	while (well && fgets(line, sizeof(line), file) != NULL) {
		at = 0;
		well = sscanf(line, "%d %d %d %n", &p, &t, &i, &at) == 3 &&
		       at > 0 && p >= 0 && p < PROCESSES && t >= 0 &&
		       t < THREADS && i >= 0 && i < LINES_EACH &&
		       seen[p][t][i]++ == 0 &&
		       strlen(line + at) == (size_t)(i % 90) + 2 &&
		       strcmp(line + at + i % 90, ".\n") == 0;
	}
	if (file != NULL)
		(void)fclose(file);
	return well;
}

/* Every line of all of them is whole, and stands once, in some file. */
static void
test_at_once(void **test)
{
	static unsigned char seen[PROCESSES][THREADS][LINES_EACH];
	struct scratch *scratch = *test;
	char path[SCRATCH_BYTES + 64];
	const struct dirent *entry;
	pid_t pid[PROCESSES];
	int status, files = 0;
	DIR *dir;

	for (int p = 0; p < PROCESSES; p++) {
		pid[p] = fork();
		assert_true(pid[p] >= 0);
		if (pid[p] == 0)
			_exit(append_many(scratch, p));
	}
	for (int p = 0; p < PROCESSES; p++) {
		assert_int_equal(waitpid(pid[p], &status, 0), pid[p]);
		assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	}
	dir = opendir(scratch->path);
	assert_non_null(dir);
	while ((entry = readdir(dir)) != NULL) {
		if (entry->d_name[0] == '.')
			continue;
		assert_true(count_file(entry_path(scratch, entry, path), seen));
		files++;
	}
	(void)closedir(dir);
	assert_true(files > 10);
	for (size_t i = 0; i < sizeof(seen); i++)
		assert_int_equal(((unsigned char *)seen)[i], 1);
}

/* Somebody does not let go of the file: said once, and then no more waited
 * for; what is appended when they do stands there. */
static void
test_held(void **test)
{
	struct scratch *scratch = *test;
	struct ledger_config config = {
	    .dir = scratch->path,
	    .size_most = 1000,
	    .clock_sec = clock_sec,
	    .lock_tries = 20,
	};
	struct ledger *ledger;
	char path[SCRATCH_BYTES + 64];
	int fd;

	assert_int_equal(
	    ledger_open(&config, scratch->report, &ledger), STATUS_OK);
	assert_int_equal(append(ledger, "{}"), STATUS_OK);
	fd = open(scratch_path(scratch, LEDGER_NAME, path), O_RDONLY);
	assert_true(fd >= 0);
	assert_int_equal(flock(fd, LOCK_SH), 0);
	/* In vain would be for ever. */
	(void)alarm(60);
	assert_int_equal(append(ledger, "{\"a\":1}"), STATUS_LOCKED);
	assert_true(scratch_said(
	    scratch, "lock: another process has held it for half a minute"));
	for (int i = 0; i < 3; i++)
		assert_int_equal(append(ledger, "{}"), STATUS_LOCKED);
	(void)alarm(0);
	assert_int_equal(report_count(scratch->report, SEVERITY_FAULT), 1);
	assert_int_equal(close(fd), 0);
	assert_int_equal(append(ledger, "{\"b\":2}"), STATUS_OK);
	ledger_close(ledger);
	assert_true(holds(scratch, LEDGER_NAME, "{}\n{\"b\":2}\n"));
}

#define TEST(function)                   \
	cmocka_unit_test_setup_teardown( \
	    function, scratch_setup, scratch_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(test_lines),
	    TEST(test_torn),
	    TEST(test_rotation),
	    TEST(test_rotation_impossible),
	    TEST(test_moved_away),
	    TEST(test_limit),
	    TEST(test_full),
	    TEST(test_not_a_file),
	    TEST(test_too_long),
	    TEST(test_at_once),
	    TEST(test_held),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
