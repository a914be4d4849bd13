/* SPDX-License-Identifier: ISC */
/* Options by table: what is stored where, and each mistake in its words. */
#include "crlpress/option.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define WORDS_MOST 8

struct options {
	bool quiet;
	bool json;
	const char *config;
	struct option_texts issuers;
	struct option_time now;
	uint32_t jobs;
	struct option_duration wait;
	struct option_duration ahead;
};

static const struct option_row rows[] = {
    {"config", 'c', OPTION_TEXT, offsetof(struct options, config), "PATH",
	"a file"},
    {"issuer", 'i', OPTION_TEXTS, offsetof(struct options, issuers), "NAME",
	"only this one"},
    {"now", 0, OPTION_TIME, offsetof(struct options, now), "TIME",
	"the time of the run"},
    {"jobs", 'j', OPTION_COUNT, offsetof(struct options, jobs), "N", "threads"},
    {"a-name-that-is-rather-long", 0, OPTION_FLAG,
	offsetof(struct options, json), NULL, "as JSON"},
    {"wait", 0, OPTION_DURATION_MAYBE, offsetof(struct options, wait),
	"[=DURATION]", "how long"},
    {"ahead", 0, OPTION_DURATION, offsetof(struct options, ahead), "DURATION",
	"how far"},
    {"quiet", 'q', OPTION_FLAG, offsetof(struct options, quiet), NULL,
	"nothing when all is well"},
};

static const struct option_table table = {rows, sizeof(rows) / sizeof(rows[0])};

struct command_line {
	struct options options;
	struct report *report;
	int argc;
	char *argv[WORDS_MOST + 2];
	char text[512];
	int operands;
};

static int
line_setup(void **state)
{
	struct command_line *line = calloc(1, sizeof(*line));

	if (line == NULL)
		return -1;
	line->report = report_new(NULL, SEVERITY_NOTE);
	*state = line;
	return line->report == NULL ? -1 : 0;
}

static int
line_teardown(void **state)
{
	struct command_line *line = *state;

	report_free(line->report);
	free(line);
	return 0;
}

/* Parses the words of `text`; "crlpress" comes before them. */
static enum status
parse(struct command_line *line, const char *text)
{
	static char program[] = "crlpress";
	char *rest = line->text, *word;

	memset(&line->options, 0, sizeof(line->options));
	report_free(line->report);
	line->report = report_new(NULL, SEVERITY_NOTE);
	assert_non_null(line->report);
	assert_true(strlen(text) < sizeof(line->text));
	strcpy(line->text, text);
	line->argc = 0;
	line->argv[line->argc++] = program;
	while ((word = strtok_r(rest, " ", &rest)) != NULL) {
		assert_true(line->argc <= WORDS_MOST);
		line->argv[line->argc++] = word;
	}
	line->argv[line->argc] = NULL;
	return option_parse(&table, line->argc, line->argv, &line->options,
	    line->report, &line->operands);
}

static void
parse_good(struct command_line *line, const char *text)
{
	if (parse(line, text) != STATUS_OK)
		fail_msg("\"%s\" was refused", text);
	assert_int_equal(report_kept(line->report), 0);
}

static void
test_none(void **state)
{
	static const struct options none;
	struct command_line *line = *state;

	parse_good(line, "");
	assert_memory_equal(&line->options, &none, sizeof(none));
	assert_int_equal(line->operands, 1);
	parse_good(line, "one two");
	assert_memory_equal(&line->options, &none, sizeof(none));
	assert_int_equal(line->operands, 1);
	assert_string_equal(line->argv[2], "two");
}

static void
assert_all(const struct command_line *line)
{
	const struct options *options = &line->options;

	assert_true(options->quiet);
	assert_true(options->json);
	assert_string_equal(options->config, "x.cnf");
	assert_int_equal(options->issuers.count, 2);
	assert_string_equal(options->issuers.text[0], "a");
	assert_string_equal(options->issuers.text[1], "b");
	assert_int_equal(options->jobs, 12);
}

static void
test_all(void **state)
{
	struct command_line *line = *state;

	parse_good(line, "--config x.cnf --issuer a --issuer=b "
			 "--a-name-that-is-rather-long --jobs=12 -q");
	assert_all(line);
	assert_false(line->options.now.given);
	assert_int_equal(line->operands, line->argc);
	parse_good(line, "-cx.cnf -ia -qi b --a-name -j 12 op");
	assert_all(line);
	assert_int_equal(line->operands, line->argc - 1);
	assert_string_equal(line->argv[line->operands], "op");
	parse_good(line, "--now 2026-11-22T05:09:49Z");
	assert_true(line->options.now.given);
	assert_int_equal(line->options.now.sec, 1795324189);
	assert_false(line->options.quiet);
	/* The last one counts. */
	parse_good(line, "-j 5 -j 1024 -c y -c z");
	assert_int_equal(line->options.jobs, 1024);
	assert_string_equal(line->options.config, "z");
}

static void
test_operands(void **state)
{
	struct command_line *line = *state;

	parse_good(line, "one -q two --jobs 3");
	assert_true(line->options.quiet);
	assert_int_equal(line->options.jobs, 3);
	assert_int_equal(line->operands, line->argc - 2);
	assert_string_equal(line->argv[line->operands], "one");
	assert_string_equal(line->argv[line->operands + 1], "two");
	parse_good(line, "-q -- -j --nonsense");
	assert_true(line->options.quiet);
	assert_int_equal(line->options.jobs, 0);
	assert_string_equal(line->argv[line->operands], "-j");
	assert_int_equal(line->operands, line->argc - 2);
}

static void
test_help(void **state)
{
	static const char *const texts[] = {"-h", "--help", "-qh", "-q --help",
	    "op -h", "--help --nonsense", "--hel"};
	struct command_line *line = *state;

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		assert_int_equal(parse(line, texts[i]), STATUS_DONE);
		assert_int_equal(report_kept(line->report), 0);
	}
	parse_good(line, "-- --help");
}

struct bad {
	const char *text;
	const char *said;
};

static const struct bad bad[] = {
    {"--nonsense", "unknown option --nonsense"},
    {"--isuer a", "unknown option --isuer; did you mean --issuer?"},
    {"--isuer=issuer", "unknown option --isuer=issuer; did you mean --issuer?"},
    {"--hlep", "unknown option --hlep; did you mean --help?"},
    /* Of two that begin so; nothing is left of it as either. */
    {"--a", "unknown option --a"},
    {"--nonsense=7", "unknown option --nonsense=7"},
    {"--nonsense op", "unknown option --nonsense"},
    {"-x", "unknown option -x"},
    {"op -x", "unknown option -x"},
    /* Letters of one word: getopt is still in the middle of it. */
    {"-xq", "unknown option -x"},
    {"-qx", "unknown option -x"},
    {"-qxc file", "unknown option -x"},
    {"-\xc3\xa4", "unknown option -\\xc3"},
    {"-q -j", "-j needs an argument"},
    {"-qj", "-j needs an argument"},
    {"--jobs", "--jobs needs an argument"},
    {"--config", "--config needs an argument"},
    {"op --issuer", "--issuer needs an argument"},
    {"--quiet=yes", "--quiet=yes: this option takes no argument"},
    {"--help=all", "--help=all: this option takes no argument"},
    {"--jobs 0", "--jobs 0: a number too small"},
    {"--jobs 1025", "--jobs 1025: a number too large"},
    {"-j 08", "--jobs 08: not a decimal number"},
    {"-j=8", "--jobs =8: not a decimal number"},
    {"--jobs=", "--jobs : not a decimal number"},
    {"--jobs -1", "--jobs -1: not a decimal number"},
    {"--now now", "--now now: not a time like 2026-12-01T06:00:00Z"},
    {"--now 2026-02-30T00:00:00Z",
	"--now 2026-02-30T00:00:00Z: not a time like 2026-12-01T06:00:00Z"},
};

static void
test_bad(void **state)
{
	struct command_line *line = *state;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		const struct finding *finding;

		if (parse(line, bad[i].text) != STATUS_USAGE)
			fail_msg("\"%s\" was taken", bad[i].text);
		assert_int_equal(report_kept(line->report), 1);
		finding = report_finding(line->report, 0);
		assert_int_equal(finding->severity, SEVERITY_FAULT);
		assert_string_equal(finding->object, "usage");
		assert_string_equal(finding->text, bad[i].said);
		/* What went wrong there has no part in the next parse. */
		parse_good(line, "-q -i a");
		assert_true(line->options.quiet);
		assert_int_equal(line->options.issuers.count, 1);
		assert_null(line->options.config);
	}
}

/* Only the first mistake is said: the rest may follow from it. But flags say
 * how it is to be said. */
static void
test_first(void **state)
{
	struct command_line *line = *state;

	assert_int_equal(parse(line, "-j 0 -x -c f -q -h"), STATUS_USAGE);
	assert_int_equal(report_kept(line->report), 1);
	assert_true(line->options.quiet);
	assert_null(line->options.config);
	assert_int_equal(parse(line, "--nonsense -q"), STATUS_USAGE);
	assert_int_equal(report_kept(line->report), 1);
	assert_true(line->options.quiet);
}

static void
test_too_often(void **state)
{
	static char program[] = "crlpress", option[] = "-ia";
	struct command_line *line = *state;
	char *argv[OPTION_TEXTS_MOST + 3];
	int argc = 0;

	argv[argc++] = program;
	while (argc <= OPTION_TEXTS_MOST)
		argv[argc++] = option;
	argv[argc] = NULL;
	assert_int_equal(option_parse(&table, argc, argv, &line->options,
			     line->report, &line->operands),
	    STATUS_OK);
	assert_int_equal(line->options.issuers.count, OPTION_TEXTS_MOST);
	argv[argc++] = option;
	argv[argc] = NULL;
	memset(&line->options, 0, sizeof(line->options));
	assert_int_equal(option_parse(&table, argc, argv, &line->options,
			     line->report, &line->operands),
	    STATUS_USAGE);
	assert_int_equal(line->options.issuers.count, OPTION_TEXTS_MOST);
	assert_string_equal(report_finding(line->report, 0)->text,
	    "--issuer a: given too often");
}

/* An argument that may be missing stands behind a =, or is the next word. */
static void
test_maybe(void **state)
{
	static const char *const wrong[] = {
	    "--wait=", "--wait=0s", "--wait=10", "--wait=-1s", "--wait=soon"};
	struct command_line *line = *state;

	parse_good(line, "");
	assert_false(line->options.wait.given);
	parse_good(line, "--wait -q");
	assert_true(line->options.wait.given);
	assert_int_equal(line->options.wait.sec, 0);
	assert_true(line->options.quiet);
	parse_good(line, "--wait=1h30m");
	assert_true(line->options.wait.given);
	assert_int_equal(line->options.wait.sec, 5400);
	parse_good(line, "--wait 5s");
	assert_int_equal(line->options.wait.sec, 0);
	assert_int_equal(line->operands, 2);
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		assert_int_equal(parse(line, wrong[i]), STATUS_USAGE);
}

static void
test_duration(void **state)
{
	static const char *const wrong[] = {"--ahead", "--ahead=", "--ahead 0s",
	    "--ahead 10", "--ahead -1s", "--ahead soon"};
	struct command_line *line = *state;

	parse_good(line, "");
	assert_false(line->options.ahead.given);
	parse_good(line, "--ahead 1h30m one");
	assert_true(line->options.ahead.given);
	assert_int_equal(line->options.ahead.sec, 5400);
	assert_int_equal(line->operands, 3);
	parse_good(line, "--ahead=90d");
	assert_int_equal(line->options.ahead.sec, 90 * 86400);
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		assert_int_equal(parse(line, wrong[i]), STATUS_USAGE);
}

static void
test_help_text(void **state)
{
	char *text = NULL;
	size_t len = 0;
	FILE *stream = open_memstream(&text, &len);

	(void)state;
	assert_non_null(stream);
	option_help(&table, stream);
	assert_int_equal(fclose(stream), 0);
	assert_string_equal(text,
	    "  -c, --config PATH         a file\n"
	    "  -i, --issuer NAME         only this one\n"
	    "      --now TIME            the time of the run\n"
	    "  -j, --jobs N              threads\n"
	    "      --a-name-that-is-rather-long  as JSON\n"
	    "      --wait[=DURATION]     how long\n"
	    "      --ahead DURATION      how far\n"
	    "  -q, --quiet               nothing when all is well\n"
	    "  -h, --help                print this help\n");
	free(text);
}

#define line_test(test) \
	cmocka_unit_test_setup_teardown(test, line_setup, line_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    line_test(test_none),
	    line_test(test_all),
	    line_test(test_operands),
	    line_test(test_help),
	    line_test(test_bad),
	    line_test(test_first),
	    line_test(test_too_often),
	    line_test(test_maybe),
	    line_test(test_duration),
	    cmocka_unit_test(test_help_text),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
