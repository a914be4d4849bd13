/* SPDX-License-Identifier: ISC */
/*
 * An index as a source: its rows, which edition it is, and files that change
 * while they are read. What CRLs are read is for source-file.bats, with a CA
 * that signs them.
 */
#include "crlpress/source.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../lib/scratch.h"
#include "crlpress/utc.h"

#define LOOKBACK_SEC 1800000000 /* 2027-01-15T08:00:00Z */
#define LINES 5000

/* Comments, so that reading takes a while: hardly a try is not caught. */
#define LARGE_BYTES ((size_t)32 << 20)
#define TRIES_MOST 500

static enum status
open_index(struct scratch *scratch, const char *path, struct source **source)
{
	const struct source_config config = {
	    .kind = SOURCE_INDEX,
	    .place = path,
	    .size_most = (uint64_t)1 << 30,
	};

	return source_open(&config, scratch->report, source);
}

static void
test_rows(void **state)
{
	static const char text[] =
	    "R\t270115075959Z\t260101000000Z\t01\tunknown\t/CN=a\n"
	    "R\t270115080000Z\t260102000000Z,superseded\t02\tunknown\t/CN=b\n"
	    "V\t280101000000Z\t\t03\tunknown\t/CN=c\n"
	    "E\t250101000000Z\t\t04\tunknown\t/CN=d\n"
	    "E\t280101000000Z\t260103000000Z\t05\tunknown\t/CN=e\n"
	    "R\t280101000000Z\t260103000000Z,removeFromCRL\t06\t\t/CN=f\n"
	    "R\t280101000000Z\t260103000000Z\t00\tunknown\t/CN=g\n";
	static const struct {
		uint8_t serial;
		uint8_t reason;
		const char *fault;
	} want[] = {{2, 4, NULL}, {5, 0, NULL},
	    {6, 0, "reason is 8 (removeFromCRL), for delta CRLs"},
	    {0, 0, "serial is zero"}};
	struct scratch *scratch = *state;
	char path[SCRATCH_BYTES + 64];
	struct source_row rows[3];
	struct source *source;
	size_t at = 0, count;

	assert_true(file_make(scratch_path(scratch, "index.txt", path), text,
	    sizeof(text) - 1, 0600));
	assert_int_equal(open_index(scratch, path, &source), STATUS_OK);
	assert_int_equal(source_snapshot(source)->kind, SOURCE_INDEX);
	assert_false(source_snapshot(source)->has_position);
	assert_int_equal(source_snapshot(source)->edition.number.octet[19], 7);
	assert_true(source_snapshot(source)->edition.sec == 1767398400);
	/* Not before it was started, and twice, in batches. */
	assert_int_equal(source_read(source, rows, 3, &count), STATUS_FAILED);
	for (int round = 0; round < 2; round++) {
		assert_int_equal(source_start(source, LOOKBACK_SEC), STATUS_OK);
		assert_false(source_tells_recorded(source));
		for (at = 0; source_read(source, rows, 3, &count) == STATUS_OK;)
			for (size_t i = 0; i < count; i++, at++) {
				assert_true(at < 4);
				assert_int_equal(
				    rows[i].serial.octet[19], want[at].serial);
				assert_int_equal(
				    rows[i].reason, want[at].reason);
				if (want[at].fault == NULL)
					assert_null(rows[i].fault);
				else
					assert_string_equal(
					    rows[i].fault, want[at].fault);
			}
		assert_int_equal(at, 4);
		assert_int_equal(
		    source_read(source, rows, 3, &count), STATUS_DONE);
		assert_int_equal(count, 0);
	}
	/* A new edition is another snapshot. */
	assert_true(file_make(path, "", 0, 0600));
	assert_int_equal(source_renew(source, false), STATUS_OK);
	assert_true(source_snapshot(source)->edition.sec == UTC_MIN_SEC);
	assert_int_equal(source_start(source, LOOKBACK_SEC), STATUS_OK);
	assert_int_equal(source_read(source, rows, 3, &count), STATUS_DONE);
	source_close(source);
	assert_true(scratch_silent(scratch));
}

/* Wherever among many the serial stands a second time. */
static void
test_twice(void **state)
{
	struct scratch *scratch = *state;
	char path[SCRATCH_BYTES + 64];
	struct source *source = NULL;
	char *text = NULL;
	size_t len = 0;
	FILE *stream = open_memstream(&text, &len);

	assert_non_null(stream);
	for (unsigned i = 0; i < LINES; i++)
		fprintf(stream, "V\t280101000000Z\t\t%04X\tunknown\t/CN=a\n",
		    (i * 7919) % 65521);
	fflush(stream);
	assert_true(file_make(
	    scratch_path(scratch, "index.txt", path), text, len, 0600));
	assert_int_equal(open_index(scratch, path, &source), STATUS_OK);
	source_close(source);
	fprintf(stream, "R\t280101000000Z\t260101000000Z\t%X\tunknown\t/CN=b\n",
	    (4711U * 7919) % 65521);
	fclose(stream);
	assert_true(file_make(path, text, len, 0600));
	assert_int_equal(open_index(scratch, path, &source), STATUS_REFUSED);
	assert_null(source);
	assert_true(
	    scratch_said(scratch, "stands in two lines, 4712 and 5001"));
	free(text);
}

struct writer {
	const char *path;
	atomic_bool stop;
};

/* Longer, shorter, as long as before and newer, without end. */
static void *
write_on(void *context)
{
	struct writer *writer = context;
	off_t len = (off_t)LARGE_BYTES;

	while (!atomic_load(&writer->stop)) {
		(void)!truncate(writer->path, len + 1);
		(void)!truncate(writer->path, len);
		(void)!truncate(writer->path, len - 1);
	}
	return NULL;
}

/* It is one that was not touched, or it is refused. */
static void
test_changes(void **state)
{
	struct scratch *scratch = *state;
	char path[SCRATCH_BYTES + 64];
	struct writer writer = {.path = path};
	enum status status = STATUS_OK;
	struct source *source = NULL;
	char *text = malloc(LARGE_BYTES);
	pthread_t thread;

	assert_non_null(text);
	memset(text, 'x', LARGE_BYTES);
	for (size_t i = 0; i < LARGE_BYTES; i += 64)
		text[i] = '#';
	for (size_t i = 63; i < LARGE_BYTES; i += 64)
		text[i] = '\n';
	assert_true(file_make(
	    scratch_path(scratch, "index.txt", path), text, LARGE_BYTES, 0600));
	free(text);
	assert_int_equal(open_index(scratch, path, &source), STATUS_OK);
	source_close(source);
	atomic_init(&writer.stop, false);
	assert_int_equal(pthread_create(&thread, NULL, write_on, &writer), 0);
	for (int i = 0; i < TRIES_MOST; i++) {
		status = open_index(scratch, path, &source);
		source_close(source);
		fflush(scratch->stream);
		if (status != STATUS_OK && scratch->said != NULL &&
		    strstr(scratch->said, "changed while it was read") != NULL)
			break;
	}
	atomic_store(&writer.stop, true);
	pthread_join(thread, NULL);
	assert_int_equal(status, STATUS_REFUSED);
	assert_true(scratch_said(scratch, "changed while it was read"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(
		test_rows, scratch_setup, scratch_teardown),
	    cmocka_unit_test_setup_teardown(
		test_twice, scratch_setup, scratch_teardown),
	    cmocka_unit_test_setup_teardown(
		test_changes, scratch_setup, scratch_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
