/* SPDX-License-Identifier: ISC */
/* Reasons by name and number, as they are typed. */
#include "crlpress/reason.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

struct text_case {
	const char *text;
	int reason; /* -1: none */
};

static void
test_texts(void **state)
{
	static const struct text_case cases[] = {
	    {"unspecified", 0},
	    {"keyCompromise", 1},
	    {"KEYCOMPROMISE", 1},
	    {"CACompromise", 2},
	    {"affiliationchanged", 3},
	    {"superseded", 4},
	    {"cessationOfOperation", 5},
	    {"certificateHold", 6},
	    {"removeFromCRL", 8},
	    {"privilegeWithdrawn", 9},
	    {"aACompromise", 10},
	    {"0", 0},
	    {"1", 1},
	    {"10", 10},
	    {"7", -1},
	    {"11", -1},
	    {"01", -1},
	    {"-1", -1},
	    {"", -1},
	    {" superseded", -1},
	    {"superseded ", -1},
	    {"key", -1},
	    {"unknown", -1},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		uint8_t reason = 99;
		enum status status = reason_from_text(cases[i].text, &reason);

		if ((status == STATUS_OK) != (cases[i].reason >= 0) ||
		    (status == STATUS_OK ? reason != cases[i].reason
					 : reason != 99))
			fail_msg("\"%s\": status %s, reason %u", cases[i].text,
			    status_name(status), reason);
	}
}

static void
test_names(void **state)
{
	(void)state;
	for (int i = 0; i <= 10; i++) {
		uint8_t reason = 99;

		if (i == 7) {
			assert_string_equal(reason_name(i), "unknown");
			continue;
		}
		assert_int_equal(
		    reason_from_text(reason_name(i), &reason), STATUS_OK);
		assert_int_equal(reason, i);
	}
	assert_string_equal(reason_name(-1), "unspecified");
	assert_string_equal(reason_name(11), "unknown");
}

static void
test_lists(void **state)
{
	char list[REASON_LIST_BYTES];

	(void)state;
	assert_ptr_equal(reason_list(0, list), list);
	assert_string_equal(list, "");
	assert_string_equal(reason_list(1U << 4, list), "superseded");
	assert_string_equal(
	    reason_list(1U << 4 | 1U << 0, list), "unspecified or superseded");
	assert_string_equal(reason_list(1U << 10 | 1U << 9 | 1U << 7, list),
	    "privilegeWithdrawn or aACompromise");
	/* All of them have room, whatever other bits there are. */
	assert_string_equal(reason_list(~0U, list),
	    "unspecified, keyCompromise, cACompromise, affiliationChanged, "
	    "superseded, cessationOfOperation, certificateHold, "
	    "removeFromCRL, privilegeWithdrawn or aACompromise");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_texts),
	    cmocka_unit_test(test_names),
	    cmocka_unit_test(test_lists),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
