/* SPDX-License-Identifier: ISC */
/* Root given up for real, in a child: groups and capabilities too. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include <sys/prctl.h>

#include "../../src/sunset/privilege.h"
#include "../lib/scratch.h"

/* Root is given up for good, groups and capabilities too. */
static int
privilege_run(struct scratch *scratch)
{
	struct privilege privilege;
	gid_t group[8];

	if (privilege_find("nobody", scratch->report, &privilege) !=
		STATUS_OK ||
	    !privilege.drop ||
	    privilege_drop(&privilege, scratch->report) != STATUS_OK)
		return 1;
	if (getuid() != SCRATCH_NOBODY || geteuid() != SCRATCH_NOBODY ||
	    getgid() != SCRATCH_NOBODY || getegid() != SCRATCH_NOBODY)
		return 2;
	if (getgroups(8, group) != 1 || group[0] != SCRATCH_NOBODY)
		return 3;
	if (setuid(0) == 0 || setgid(0) == 0 || chroot("/") == 0)
		return 4;
	return prctl(PR_GET_DUMPABLE) == 0 ? 0 : 5;
}

static void
test_privilege(void **state)
{
	struct scratch *scratch = *state;
	struct privilege privilege;

	assert_int_equal(
	    privilege_find("no-such-user", scratch->report, &privilege),
	    STATUS_CONFIG);
	assert_true(scratch_said(scratch, "no such user"));
	if (geteuid() != 0) {
		assert_int_equal(
		    privilege_find(NULL, scratch->report, &privilege),
		    STATUS_OK);
		assert_false(privilege.drop);
		assert_int_equal(
		    privilege_find("root", scratch->report, &privilege),
		    STATUS_OK);
		assert_true(scratch_said(scratch, "not started as root"));
		return;
	}
	assert_int_equal(
	    privilege_find(NULL, scratch->report, &privilege), STATUS_CONFIG);
	assert_true(scratch_said(scratch, "nobody to become"));
	assert_int_equal(
	    privilege_find("root", scratch->report, &privilege), STATUS_CONFIG);
	assert_int_equal(child_run(privilege_run, scratch), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(
		test_privilege, scratch_setup, scratch_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
