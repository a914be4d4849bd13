/* SPDX-License-Identifier: ISC */
/* The table of statuses: complete, and the exits that cron relies on. */
#include "crlpress/status.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

struct want {
	enum status status;
	int exit;
	const char *name;
};

static const struct want wants[] = {
    {STATUS_OK, 0, "ok"},
    {STATUS_FAILED, 1, "failed"},
    {STATUS_USAGE, 2, "usage"},
    {STATUS_CONFIG, 2, "config"},
    {STATUS_REFUSED, 3, "refused"},
    {STATUS_PARTIAL, 4, "partial"},
    {STATUS_FAULTY, 5, "faulty"},
    {STATUS_LOCKED, 75, "locked"},
    {STATUS_NO_MEMORY, 1, "no-memory"},
    {STATUS_IO, 1, "io"},
    {STATUS_MALFORMED, 1, "malformed"},
    {STATUS_NOT_FOUND, 1, "not-found"},
    {STATUS_CONFLICT, 1, "conflict"},
    {STATUS_DONE, 0, "done"},
    {STATUS_UNREADABLE, 1, "unreadable"},
};

static void
test_table(void **state)
{
	(void)state;
	assert_int_equal(sizeof(wants) / sizeof(*wants), STATUS_COUNT);
	for (size_t i = 0; i < STATUS_COUNT; i++) {
		assert_int_equal(wants[i].status, i);
		assert_int_equal(status_exit(wants[i].status), wants[i].exit);
		assert_string_equal(
		    status_name(wants[i].status), wants[i].name);
		assert_true(strlen(status_text(wants[i].status)) > 0);
		for (size_t j = 0; j < i; j++)
			assert_string_not_equal(wants[i].name, wants[j].name);
	}
}

/* A status from nowhere is a failure, not a success. */
static void
test_out_of_range(void **state)
{
	const enum status none[] = {
	    STATUS_COUNT, (enum status)(-1), (enum status)1000000};

	(void)state;
	for (size_t i = 0; i < sizeof(none) / sizeof(*none); i++) {
		assert_int_equal(status_exit(none[i]), 1);
		assert_string_equal(status_name(none[i]), "failed");
		assert_non_null(status_text(none[i]));
		assert_int_equal(status_graver(STATUS_OK, none[i]), none[i]);
	}
}

/* From the gravest down: whichever comes first, the graver one stays. */
static void
test_graver(void **state)
{
	static const enum status order[] = {STATUS_CONFIG, STATUS_FAILED,
	    STATUS_PARTIAL, STATUS_FAULTY, STATUS_REFUSED, STATUS_LOCKED,
	    STATUS_OK};
	const size_t n = sizeof(order) / sizeof(*order);

	(void)state;
	for (size_t i = 0; i < n; i++)
		for (size_t j = i; j < n; j++) {
			assert_int_equal(
			    status_graver(order[i], order[j]), order[i]);
			assert_int_equal(
			    status_graver(order[j], order[i]), order[i]);
		}
	assert_int_equal(
	    status_exit(status_graver(STATUS_USAGE, STATUS_FAILED)), 2);
	assert_int_equal(
	    status_exit(status_graver(STATUS_LOCKED, STATUS_IO)), 1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_table),
	    cmocka_unit_test(test_out_of_range),
	    cmocka_unit_test(test_graver),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
