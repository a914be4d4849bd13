/* SPDX-License-Identifier: ISC */
/*
 * Rows to be revoked: what each must be, to the second and in each profile, and
 * a file of them, sorted, each serial once, every bad line told.
 */
#include "../../src/revoke_impl.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* 2026-11-22T05:09:49Z. */
#define NOW_SEC 1795324189

static struct config
config_of(enum profile profile)
{
	return (struct config){
	    .name = (char *)(uintptr_t) "e1",
	    .profile = profile,
	    .shards = {.scheme = SHARD_COLUMN, .count = 4, .first = 1},
	};
}

static struct record_row
row_good(void)
{
	return (struct record_row){
	    .serial = uint160_from_u64(7),
	    .shard = 1,
	    .has_shard = true,
	    .has_date = true,
	    .has_not_after = true,
	    .reason = 4,
	    .revoked_at_sec = NOW_SEC,
	    .not_after_sec = NOW_SEC,
	};
}

static enum status
check(const struct config *config, const struct record_row *row)
{
	char why[REVOKE_WHY_BYTES];
	const char *clause = NULL;

	return revoke_row_check(config, NOW_SEC, row, &clause, why);
}

static void
test_edges(void **state)
{
	struct config config = config_of(PROFILE_TLS);
	struct record_row row = row_good();

	(void)state;
	assert_int_equal(check(&config, &row), STATUS_OK);
	row.revoked_at_sec = NOW_SEC + 1;
	assert_int_equal(check(&config, &row), STATUS_MALFORMED);
	row.has_date = false;
	assert_int_equal(check(&config, &row), STATUS_OK);
	row.not_after_sec = NOW_SEC - 1;
	assert_int_equal(check(&config, &row), STATUS_MALFORMED);
	row.has_not_after = false;
	assert_int_equal(check(&config, &row), STATUS_OK);
	row.serial = uint160_from_u64(0);
	assert_int_equal(check(&config, &row), STATUS_MALFORMED);
}

/* BR 7.2.2 and 4.9.1.1, MRSP 6.1.1, SBR 7.2.2: a letter a reason. */
static void
test_profiles(void **state)
{
	static const char *const allowed[PROFILE_COUNT] = {
	    [PROFILE_TLS] = "yy-yyy---y-",
	    [PROFILE_TLS_CA] = "-yyyyy---y-",
	    [PROFILE_SMIME_STRICT] = "yy-yyy---y-",
	    [PROFILE_SMIME_LEGACY] = "yy-yyyy--y-",
	    [PROFILE_PRIVATE] = "yyyyyyy--yy",
	};

	(void)state;
	for (int profile = 0; profile < PROFILE_COUNT; profile++)
		for (uint8_t reason = 0; reason <= 10; reason++) {
			struct config config = config_of((enum profile)profile);
			struct record_row row = row_good();

			row.reason = reason;
			assert_int_equal(check(&config, &row),
			    allowed[profile][reason] == 'y' ? STATUS_OK
							    : STATUS_MALFORMED);
		}
}

struct file_case {
	const char *text;
	enum status status;
	size_t faults;
	size_t rows;
};

static void
read_case(const struct file_case *file)
{
	struct config config = config_of(PROFILE_TLS);
	struct report *report = report_new(NULL, SEVERITY_NOTE);
	FILE *stream =
	    fmemopen((void *)(uintptr_t)file->text, strlen(file->text), "r");
	struct revoke_rows rows = {0};
	enum status status;

	assert_non_null(report);
	assert_non_null(stream);
	status = revoke_rows_read(
	    "f.csv", stream, &config, NOW_SEC, report, NULL, &rows);
	if (status != file->status ||
	    report_count(report, SEVERITY_FAULT) != file->faults ||
	    (status == STATUS_OK && rows.count != file->rows))
		fail_msg("%s: status %s, %zu faults, %zu rows", file->text,
		    status_name(status),
		    (size_t)report_count(report, SEVERITY_FAULT), rows.count);
	for (size_t i = 1; i < rows.count && status == STATUS_OK; i++)
		assert_true(uint160_compare(&rows.row[i - 1].serial,
				&rows.row[i].serial) < 0);
	assert_int_equal(fclose(stream), 0);
	free(rows.row);
	report_free(report);
}

#define HEAD "serial,revoked_at,reason,not_after,shard\n"
#define REST ",1795000000,4,1800000000,1\n"

static void
test_files(void **state)
{
	static const struct file_case cases[] = {
	    {HEAD "0a" REST, STATUS_OK, 0, 1},
	    {"0a" REST, STATUS_OK, 0, 1},
	    {HEAD "0c" REST "0a" REST "0b" REST, STATUS_OK, 0, 3},
	    {HEAD "0c" REST "0a" REST "0c" REST "0a" REST, STATUS_OK, 0, 2},
	    {"0c" REST "\n\n0a" REST, STATUS_OK, 0, 2},
	    {HEAD, STATUS_USAGE, 1, 0},
	    {"\n", STATUS_USAGE, 1, 0},
	    /* A header is the first line, or none. */
	    {"0a" REST HEAD, STATUS_USAGE, 1, 0},
	    /* The same serial, and any other column not. */
	    {"0a" REST "0a,1795000001,4,1800000000,1\n", STATUS_USAGE, 1, 0},
	    {"0a" REST "0a,1795000000,1,1800000000,1\n", STATUS_USAGE, 1, 0},
	    {"0a" REST "0a,1795000000,4,1800000001,1\n", STATUS_USAGE, 1, 0},
	    {"0a" REST "0a,1795000000,4,1800000000,2\n", STATUS_USAGE, 1, 0},
	    {"0a" REST "0a,1795000000,1,1800000000,1\n0a" REST, STATUS_USAGE, 1,
		0},
	    /* Outside, and outside of what an index can be. */
	    {"0a,1795000000,4,1800000000,0\n", STATUS_USAGE, 1, 0},
	    {"0a,1795000000,4,1800000000,5\n", STATUS_USAGE, 1, 0},
	    {"0a,1795000000,4,1800000000,4294967297\n", STATUS_USAGE, 1, 0},
	    {"0a,1795000000,4,1800000000,\n", STATUS_USAGE, 1, 0},
	    {"x\ny\n0a" REST "z\n", STATUS_USAGE, 3, 0},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		read_case(&cases[i]);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_edges),
	    cmocka_unit_test(test_profiles),
	    cmocka_unit_test(test_files),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
