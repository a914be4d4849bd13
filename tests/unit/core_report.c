/* SPDX-License-Identifier: ISC */
/* What a report prints, counts and keeps, from one thread and from many. */
#include "crlpress/report.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define THREADS 8
#define THREAD_FINDINGS 5000

/* A report and what it printed. */
struct printed {
	struct report *report;
	FILE *stream;
	char *text;
	size_t len;
};

/* How many strings can be copied before memory runs out; below 0: any. */
static int copies_left = -1;

/* Takes the place of the C library's for the whole program. */
char *
strdup(const char *text)
{
	size_t len = strlen(text) + 1;
	char *copy = copies_left == 0 ? NULL : malloc(len);

	if (copies_left > 0)
		copies_left--;
	return copy == NULL ? NULL : memcpy(copy, text, len);
}

static int
setup(void **state, enum severity least)
{
	struct printed *printed = calloc(1, sizeof(*printed));

	assert_non_null(printed);
	printed->stream = open_memstream(&printed->text, &printed->len);
	assert_non_null(printed->stream);
	printed->report = report_new(printed->stream, least);
	assert_non_null(printed->report);
	*state = printed;
	return 0;
}

static int
setup_notes(void **state)
{
	return setup(state, SEVERITY_NOTE);
}

static int
setup_faults(void **state)
{
	return setup(state, SEVERITY_FAULT);
}

static int
teardown(void **state)
{
	struct printed *printed = *state;

	copies_left = -1;
	report_free(printed->report);
	fclose(printed->stream);
	free(printed->text);
	free(printed);
	return 0;
}

static void
assert_printed(struct printed *printed, const char *want)
{
	fflush(printed->stream);
	assert_string_equal(printed->text, want);
}

static void
assert_counts(const struct report *report, uint64_t notes, uint64_t warnings,
    uint64_t faults)
{
	assert_int_equal(report_count(report, SEVERITY_NOTE), notes);
	assert_int_equal(report_count(report, SEVERITY_WARNING), warnings);
	assert_int_equal(report_count(report, SEVERITY_FAULT), faults);
}

static void
assert_finding(const struct report *report, size_t i, enum severity severity,
    const char *object, const char *rule, const char *text)
{
	const struct finding *finding = report_finding(report, i);

	assert_int_equal(finding->severity, severity);
	assert_string_equal(finding->object, object);
	if (rule == NULL)
		assert_null(finding->rule);
	else
		assert_string_equal(finding->rule, rule);
	assert_string_equal(finding->text, text);
}

static void
test_forms(void **state)
{
	struct printed *printed = *state;
	struct report *report = printed->report;

	assert_int_equal(
	    report_fault(report, STATUS_REFUSED, "7.crl", "aki",
		"RFC 5280, 5.2.1", "missing, have %d, want %d", 0, 1),
	    STATUS_REFUSED);
	report_hint(report, "give it %s", "one");
	assert_int_equal(
	    report_fault(report, STATUS_IO, "a", NULL, "house rule", "b"),
	    STATUS_IO);
	assert_int_equal(
	    report_fault(report, STATUS_OK, "a", "size", NULL, "b"), STATUS_OK);
	(void)report_fault(report, STATUS_IO, "a", NULL, NULL, "cannot open");
	report_warn(report, "7.crl", "fresh", "BR 4.9.7", "%d days old", 5);
	report_note(report, "issuer e1", "%d shards", 128);
	report_close(report);
	assert_printed(printed,
	    "7.crl: aki, RFC 5280, 5.2.1: missing, have 0, want 1\n"
	    "  hint: give it one\n"
	    "a: house rule: b\n"
	    "a: size: b\n"
	    "a: cannot open\n"
	    "warning: 7.crl: fresh, BR 4.9.7: 5 days old\n"
	    "note: issuer e1: 128 shards\n");
	assert_counts(report, 1, 1, 4);
	assert_int_equal(report_kept(report), 6);
	assert_finding(report, 0, SEVERITY_FAULT, "7.crl", "aki",
	    "missing, have 0, want 1");
	assert_string_equal(
	    report_finding(report, 0)->clause, "RFC 5280, 5.2.1");
	assert_finding(report, 3, SEVERITY_FAULT, "a", NULL, "cannot open");
	assert_finding(
	    report, 4, SEVERITY_WARNING, "7.crl", "fresh", "5 days old");
	assert_finding(
	    report, 5, SEVERITY_NOTE, "issuer e1", NULL, "128 shards");
}

static void
test_bound(void **state)
{
	struct printed *printed = *state;
	struct report *report = printed->report;
	char want[4096] = "";
	size_t len = 0;

	for (int i = 0; i < 1000; i++) {
		(void)report_fault(report, STATUS_REFUSED, "row", "rows",
		    "house rule", "number %d", i);
		report_hint(report, "look at %d", i);
	}
	/* Another severity and another rule have bounds of their own. */
	for (int i = 0; i < REPORT_RULE_MOST + 1; i++)
		report_warn(report, "w", "rows", NULL, "%d", i);
	(void)report_fault(report, STATUS_REFUSED, "o", "other", NULL, "x");
	report_close(report);
	for (int i = 0; i < REPORT_RULE_MOST; i++)
		len += (size_t)snprintf(want + len, sizeof(want) - len,
		    "row: rows, house rule: number %d\n  hint: look at %d\n", i,
		    i);
	for (int i = 0; i < REPORT_RULE_MOST; i++)
		len += (size_t)snprintf(want + len, sizeof(want) - len,
		    "warning: w: rows: %d\n", i);
	snprintf(want + len, sizeof(want) - len,
	    "o: other: x\n"
	    "... and 990 more findings of rule rows\n"
	    "warning: ... and 1 more findings of rule rows\n");
	assert_printed(printed, want);
	assert_counts(report, 0, REPORT_RULE_MOST + 1, 1001);
	assert_int_equal(report_kept(report), 2 * REPORT_RULE_MOST + 1);
}

/* What has no rule is told apart by its format. */
static void
test_bound_without_rule(void **state)
{
	struct printed *printed = *state;
	struct report *report = printed->report;

	for (int i = 0; i < REPORT_RULE_MOST + 2; i++)
		report_note(report, "n", "one %d", i);
	report_note(report, "n", "two");
	report_close(report);
	fflush(printed->stream);
	assert_non_null(strstr(printed->text, "note: n: one 9\n"));
	assert_null(strstr(printed->text, "one 10"));
	assert_non_null(strstr(printed->text,
	    "note: n: two\n"
	    "note: ... and 2 more findings like \"one %d\"\n"));
	assert_counts(report, REPORT_RULE_MOST + 3, 0, 0);
}

static void
test_least(void **state)
{
	struct printed *printed = *state;
	struct report *report = printed->report;

	report_note(report, "n", "quiet");
	report_hint(report, "quiet too");
	for (int i = 0; i < 100; i++)
		report_warn(report, "w", "rule", NULL, "quiet");
	(void)report_fault(report, STATUS_IO, "f", "rule", NULL, "loud");
	report_close(report);
	assert_printed(printed, "f: rule: loud\n");
	assert_counts(report, 1, 100, 1);
	assert_int_equal(report_kept(report), REPORT_RULE_MOST + 2);
}

static void
test_silent(void **state)
{
	struct report *report = report_new(NULL, SEVERITY_NOTE);

	(void)state;
	assert_non_null(report);
	for (int i = 0; i < 100; i++)
		(void)report_fault(report, STATUS_IO, "o", "r", NULL, "%d", i);
	report_hint(report, "h");
	report_close(report);
	assert_counts(report, 0, 0, 100);
	assert_int_equal(report_kept(report), REPORT_RULE_MOST);
	assert_finding(report, 9, SEVERITY_FAULT, "o", "r", "9");
	report_free(report);
	report_free(NULL);
}

/* What a thread found is told as if it had been found here. */
static void
test_replay(void **state)
{
	struct report *from = report_new(NULL, SEVERITY_FAULT);
	struct report *to = report_new(NULL, SEVERITY_NOTE);

	(void)state;
	assert_true(from != NULL && to != NULL);
	report_note(from, "n", "note %d", 1);
	report_warn(from, "w", "rule", "clause", "100%% of %s", "a\nb");
	assert_int_equal(
	    report_fault(from, STATUS_IO, "f", "rule", NULL, "broke"),
	    STATUS_IO);
	report_hint(from, "mend %s", "it");
	report_hint(from, "the first hint stays");
	report_replay(from, to);
	assert_int_equal(report_kept(to), 3);
	assert_finding(to, 0, SEVERITY_NOTE, "n", NULL, "note 1");
	assert_finding(to, 1, SEVERITY_WARNING, "w", "rule", "100% of a\\x0ab");
	assert_string_equal(report_finding(to, 1)->clause, "clause");
	assert_finding(to, 2, SEVERITY_FAULT, "f", "rule", "broke");
	assert_null(report_finding(to, 1)->hint);
	assert_string_equal(report_finding(to, 2)->hint, "mend it");
	assert_counts(to, 1, 1, 1);
	report_free(from);
	report_free(to);
}

struct escape {
	const char *text;
	const char *want;
};

static const struct escape escapes[] = {
    {"plain ~ \\ text", "plain ~ \\ text"},
    {"a\nb\tc\rd", "a\\x0ab\\x09c\\x0dd"},
    {"\x1b[2J\x07\x7f", "\\x1b[2J\\x07\\x7f"},
    /* Valid UTF-8 of two, three and four octets stays. */
    {"\xc3\xa4 \xe2\x82\xac \xf0\x9f\x94\x92",
	"\xc3\xa4 \xe2\x82\xac \xf0\x9f\x94\x92"},
    {"\xc2\xa0", "\xc2\xa0"},
    {"\xf4\x8f\xbf\xbf", "\xf4\x8f\xbf\xbf"},
    /* C1, bidirectional override and isolate, separator, BOM, tag. */
    {"\xc2\x9b"
     "31m",
	"\\xc2\\x9b31m"},
    {"\xe2\x80\xae"
     "x",
	"\\xe2\\x80\\xaex"},
    {"\xe2\x81\xa6", "\\xe2\\x81\\xa6"},
    {"\xe2\x80\xa8", "\\xe2\\x80\\xa8"},
    {"\xef\xbb\xbf", "\\xef\\xbb\\xbf"},
    {"\xf3\xa0\x81\x81", "\\xf3\\xa0\\x81\\x81"},
    /* Not UTF-8: stray, cut off, overlong, surrogate, past the end. */
    {"\x80", "\\x80"},
    {"\xff\xfe", "\\xff\\xfe"},
    {"\xc3", "\\xc3"},
    {"\xc3z", "\\xc3z"},
    {"\xe2\x82", "\\xe2\\x82"},
    {"\xf0\x9f\x94", "\\xf0\\x9f\\x94"},
    {"\xc0\xaf", "\\xc0\\xaf"},
    {"\xc1\xbf", "\\xc1\\xbf"},
    {"\xe0\x80\xaf", "\\xe0\\x80\\xaf"},
    {"\xf0\x80\x80\xaf", "\\xf0\\x80\\x80\\xaf"},
    {"\xed\xa0\x80", "\\xed\\xa0\\x80"},
    {"\xf4\x90\x80\x80", "\\xf4\\x90\\x80\\x80"},
    {"\xf8\x88\x80\x80\x80", "\\xf8\\x88\\x80\\x80\\x80"},
};

static void
test_escapes(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(escapes) / sizeof(*escapes); i++) {
		struct printed *printed;
		void *own = NULL;
		char want[256];

		assert_int_equal(setup(&own, SEVERITY_NOTE), 0);
		printed = own;
		(void)report_fault(printed->report, STATUS_IO, escapes[i].text,
		    NULL, NULL, "<%s>", escapes[i].text);
		report_hint(printed->report, "{%s}", escapes[i].text);
		snprintf(want, sizeof(want), "%s: <%s>\n  hint: {%s}\n",
		    escapes[i].want, escapes[i].want, escapes[i].want);
		assert_printed(printed, want);
		assert_string_equal(report_finding(printed->report, 0)->object,
		    escapes[i].want);
		teardown(&own);
	}
}

/* Texts beyond any bound are cut and say so, and stay one line. */
static void
test_long(void **state)
{
	struct printed *printed = *state;
	struct report *report = printed->report;
	char *text = malloc(100001);

	assert_non_null(text);
	memset(text, '\n', 100000);
	text[100000] = '\0';
	(void)report_fault(report, STATUS_IO, "o", NULL, NULL, "%s", text);
	fflush(printed->stream);
	assert_true(printed->len < 20000);
	assert_ptr_equal(
	    strchr(printed->text, '\n'), printed->text + printed->len - 1);
	(void)report_fault(report, STATUS_IO, text, NULL, NULL, "%s", text);
	(void)report_fault(report, STATUS_IO, "o", NULL, NULL, "next");
	/* The text is seen behind the longest object. */
	(void)report_fault(report, STATUS_IO, text, "rule", NULL, "seen");
	fflush(printed->stream);
	assert_non_null(strstr(printed->text, "\\x0a...\no: next\n"));
	assert_non_null(strstr(printed->text, "\\x0a...: rule: seen\n"));
	memset(text, 'x', 5000);
	text[5000] = '\0';
	(void)report_fault(report, STATUS_IO, "o", NULL, NULL, "%s!", text);
	fflush(printed->stream);
	assert_string_equal(printed->text + printed->len - 6, "xx...\n");
	assert_counts(report, 0, 0, 5);
	free(text);
}

/* Without memory a fault is printed and counted, only not kept. */
static void
test_no_memory(void **state)
{
	struct printed *printed = *state;

	for (int copies = 0; copies < 2; copies++) {
		copies_left = copies;
		assert_int_equal(report_fault(printed->report, STATUS_NO_MEMORY,
				     "o", "r", NULL, "x"),
		    STATUS_NO_MEMORY);
	}
	assert_counts(printed->report, 0, 0, 2);
	assert_int_equal(report_kept(printed->report), 0);
	copies_left = -1;
	report_warn(printed->report, "o", "r", NULL, "y");
	assert_int_equal(report_kept(printed->report), 1);
	assert_finding(printed->report, 0, SEVERITY_WARNING, "o", "r", "y");
	assert_printed(printed, "o: r: x\no: r: x\nwarning: o: r: y\n");
}

/* More rules than the table holds: the rest shares its bound by severity. */
static void
test_many_rules(void **state)
{
	static char names[2000][8];
	struct printed *printed = *state;
	const char *close;

	for (size_t i = 0; i < 2000; i++) {
		snprintf(names[i], sizeof(names[i]), "r%zu", i);
		(void)report_fault(
		    printed->report, STATUS_IO, "o", names[i], NULL, "x");
	}
	report_warn(printed->report, "o", "late", NULL, "x");
	report_close(printed->report);
	fflush(printed->stream);
	assert_counts(printed->report, 0, 1, 2000);
	assert_non_null(strstr(printed->text, "warning: o: late: x\n"));
	close = strstr(printed->text, "... and ");
	assert_non_null(close);
	assert_int_equal(
	    strtoul(close + 8, NULL, 10), 2001 - report_kept(printed->report));
	assert_non_null(strstr(close, " more findings of rule (others)\n"));
}

static void *
thread_run(void *arg)
{
	struct report *report = arg;

	for (int i = 0; i < THREAD_FINDINGS; i++) {
		(void)report_fault(report, STATUS_REFUSED, "object", "rule",
		    "clause", "number %d of a thread", i);
		report_hint(report, "hint %d", i);
		report_warn(report, "object", "rule", "clause", "warning");
		(void)report_count(report, SEVERITY_FAULT);
		if (report_kept(report) > 0)
			(void)report_finding(report, 0);
	}
	return NULL;
}

static void
test_threads(void **state)
{
	struct printed *printed = *state;
	pthread_t thread[THREADS];
	unsigned lines = 0;

	for (size_t i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&thread[i], NULL, thread_run,
				     printed->report),
		    0);
	for (size_t i = 0; i < THREADS; i++)
		pthread_join(thread[i], NULL);
	assert_counts(printed->report, 0, THREADS * THREAD_FINDINGS,
	    THREADS * THREAD_FINDINGS);
	assert_int_equal(report_kept(printed->report), 2 * REPORT_RULE_MOST);
	fflush(printed->stream);
	for (char *rest = printed->text, *line;
	     (line = strtok_r(rest, "\n", &rest)) != NULL;) {
		if (strncmp(line, "  hint: hint ", 13) == 0)
			continue;
		lines++;
		if (strncmp(line, "object: rule, clause: number ", 29) != 0)
			assert_string_equal(
			    line, "warning: object: rule, clause: warning");
	}
	assert_int_equal(lines, 2 * REPORT_RULE_MOST);
}

static void
test_names(void **state)
{
	(void)state;
	assert_string_equal(severity_name(SEVERITY_NOTE), "note");
	assert_string_equal(severity_name(SEVERITY_WARNING), "warning");
	assert_string_equal(severity_name(SEVERITY_FAULT), "fault");
	assert_string_equal(severity_name((enum severity)3), "fault");
}

#define WITH_REPORT(test) \
	cmocka_unit_test_setup_teardown(test, setup_notes, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    WITH_REPORT(test_forms),
	    WITH_REPORT(test_bound),
	    WITH_REPORT(test_bound_without_rule),
	    cmocka_unit_test_setup_teardown(test_least, setup_faults, teardown),
	    cmocka_unit_test(test_silent),
	    cmocka_unit_test(test_replay),
	    cmocka_unit_test(test_escapes),
	    WITH_REPORT(test_long),
	    WITH_REPORT(test_no_memory),
	    WITH_REPORT(test_many_rules),
	    WITH_REPORT(test_threads),
	    cmocka_unit_test(test_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
