/* SPDX-License-Identifier: ISC */
/*
 * Lint by its short cuts, held against lint without them: whatever a test
 * judges, both must have the same findings. After cmocka.h.
 */
#ifndef CRLPRESS_LINT_BOTH_H
#define CRLPRESS_LINT_BOTH_H

#include "crlpress/lint.h"

static inline void
findings_compare(const struct report *report, const struct report *general)
{
	assert_int_equal(report_kept(report), report_kept(general));
	for (size_t i = 0; i < report_kept(report); i++) {
		const struct finding *one = report_finding(report, i);
		const struct finding *other = report_finding(general, i);

		assert_int_equal(one->severity, other->severity);
		assert_ptr_equal(one->rule, other->rule);
		assert_string_equal(one->text, other->text);
	}
}

/* lint_crl into an empty report. */
static inline enum status
lint_both(const struct crl *crl, const struct lint_context *context,
    const char *name, struct report *report, struct lint_result *result)
{
	struct report *general = report_new(NULL, SEVERITY_NOTE);
	enum status status = lint_crl(crl, context, name, report, result);
	struct lint_result other;

	assert_non_null(general);
	assert_int_equal(
	    status, lint_crl_general(crl, context, name, general, &other));
	assert_int_equal(result->entries, other.entries);
	assert_int_equal(result->faults, other.faults);
	assert_int_equal(result->warnings, other.warnings);
	findings_compare(report, general);
	report_free(general);
	return status;
}

#endif
