/* SPDX-License-Identifier: ISC */
/*
 * The CRLs of tests/bad: each has one thing wrong, and exactly that rule must
 * be named; the good ones among them name none. And of a good one no bit may
 * be turned without its being noticed.
 */
#include "crlpress/lint.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../lib/lint_both.h"
#include "crlpress/utc.h"

#define DIRECTORY "tests/bad/"

/* What tools/make-bad-crls has these files judged by. */
#define URL "http://crl.example.test/7.crl"
#define SKEW_SEC 300
#define BYTES_MOST 1600

/* Larger than any of the files. */
#define FILE_BYTES 2048

#define LINES_LEAST 150

/* What is only warned of; all else are faults. */
static const char *const warnings[] = {
    "entry-ext-hold-instruction.der",
    "entry-ext-invalidity-date.der",
    "entry-ext-unknown.der",
    "extensions-aia.der",
    "extensions-freshest.der",
    "extensions-unknown.der",
    "fresh-half.der",
    "idp-indirect-private.der",
    "idp-url-beside.der",
    "order-swapped.der",
    "reason-zero-private.der",
};

struct bad_file {
	uint8_t data[FILE_BYTES];
	size_t len;
};

static struct issuer *issuer;

static int
setup(void **state)
{
	struct report *report = report_new(stderr, SEVERITY_NOTE);
	enum status status;

	(void)state;
	status = issuer_load(DIRECTORY "issuer.pem", report, &issuer);
	report_free(report);
	return status == STATUS_OK ? 0 : -1;
}

static int
teardown(void **state)
{
	(void)state;
	issuer_free(issuer);
	return 0;
}

static void
file_read(const char *name, struct bad_file *bad)
{
	char path[256];
	FILE *file;

	(void)snprintf(path, sizeof(path), DIRECTORY "%s", name);
	file = fopen(path, "rb");
	if (file == NULL)
		fail_msg("%s: cannot be opened", path);
	bad->len = fread(bad->data, 1, sizeof(bad->data), file);
	assert_true(bad->len < sizeof(bad->data));
	fclose(file);
}

static struct lint_context
context_of(const char *profile, const char *now)
{
	struct lint_context context = {
	    .issuer = issuer,
	    .url = URL,
	    .skew_sec = SKEW_SEC,
	    .bytes_most = BYTES_MOST,
	};

	assert_int_equal(
	    profile_from_name(profile, &context.profile), STATUS_OK);
	assert_int_equal(utc_from_iso(now, &context.now_sec), STATUS_OK);
	return context;
}

/* Parses and lints as a caller would; what is found goes to the report. */
static enum status
judge(const uint8_t *data, size_t len, const struct lint_context *context,
    const char *name, struct report *report)
{
	struct lint_result result;
	struct crl_fault fault;
	struct crl crl;

	if (crl_parse(data, len, &crl, &fault) != STATUS_OK)
		return report_fault(report, STATUS_FAULTY, name, fault.rule,
		    fault.clause, "at offset %zu: %s", fault.offset,
		    fault.text);
	return lint_both(&crl, context, name, report, &result);
}

/* The rule is one of the table's; returns its index. */
static size_t
rule_index(const char *id)
{
	for (size_t i = 0; i < lint_rule_count(); i++)
		if (strcmp(lint_rule(i).id, id) == 0)
			return i;
	fail_msg("no rule \"%s\"", id);
	return 0;
}

/* Findings say what is there and what is wanted, those of entries where. */
static void
finding_check(const struct finding *finding)
{
	static const char *const texts[] = {
	    "have ", "at offset ", "does not verify: "};
	bool said = false;

	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++)
		if (strstr(finding->text, texts[i]) != NULL)
			said = true;
	if (!said || finding->clause == NULL)
		fail_msg(
		    "%s: says too little: %s", finding->object, finding->text);
	if (strstr(finding->text, "entry ") == finding->text)
		assert_non_null(strstr(finding->text, "at offset "));
}

static bool
is_warning(const char *name)
{
	for (size_t i = 0; i < sizeof(warnings) / sizeof(*warnings); i++)
		if (strcmp(name, warnings[i]) == 0)
			return true;
	return false;
}

/* Whether the verdict is the expected one; says so when it is not. */
static bool
verdict_check(const char *name, const char *rule, enum status status,
    const struct report *report)
{
	size_t n = report_kept(report);
	uint64_t faults = report_count(report, SEVERITY_FAULT);
	bool right = true;

	for (size_t i = 0; i < n; i++) {
		const struct finding *finding = report_finding(report, i);

		if (strcmp(finding->rule, rule) != 0) {
			print_error("%s: want %s, have %s: %s\n", name, rule,
			    finding->rule, finding->text);
			right = false;
		}
		assert_string_equal(finding->object, name);
		finding_check(finding);
	}
	if (strcmp(rule, "-") != 0 && n == 0) {
		print_error("%s: want %s, have no finding\n", name, rule);
		right = false;
	}
	if (n > 0 && (faults == 0) != is_warning(name)) {
		print_error("%s: %s\n", name,
		    faults == 0 ? "want a fault, have a warning"
				: "want a warning, have a fault");
		right = false;
	}
	assert_int_equal(status, faults > 0 ? STATUS_FAULTY : STATUS_OK);
	return right;
}

static void
test_expect(void **state)
{
	FILE *file = fopen(DIRECTORY "EXPECT", "r");
	uint64_t seen[64] = {0};
	size_t lines = 0;
	size_t wrong = 0;
	char line[256];

	(void)state;
	assert_non_null(file);
	while (fgets(line, sizeof(line), file) != NULL) {
		char name[64], profile[32], now[32], rule[32];
		struct lint_context context;
		struct bad_file bad;
		struct report *report;
		enum status status;

		if (line[0] == '#')
			continue;
		assert_int_equal(sscanf(line, "%63s %31s %31s %31s", name,
				     profile, now, rule),
		    4);
		context = context_of(profile, now);
		file_read(name, &bad);
		report = report_new(NULL, SEVERITY_NOTE);
		status = judge(bad.data, bad.len, &context, name, report);
		if (!verdict_check(name, rule, status, report))
			wrong++;
		report_free(report);
		if (strcmp(rule, "-") != 0)
			seen[rule_index(rule)]++;
		lines++;
	}
	fclose(file);
	assert_int_equal(wrong, 0);
	assert_true(lines >= LINES_LEAST);
	for (size_t i = 0; i < lint_rule_count(); i++)
		if (seen[i] == 0)
			fail_msg("no bad CRL for %s", lint_rule(i).id);
}

/* Every bit is signed, is the signature, or is DER around them. */
static void
test_bits(void **state)
{
	struct lint_context context = context_of("tls", "2026-03-01T12:00:00Z");
	struct bad_file bad;

	(void)state;
	file_read("good-three.der", &bad);
	for (size_t i = 0; i < 8 * bad.len; i++) {
		struct report *report = report_new(NULL, SEVERITY_NOTE);
		enum status status;

		bad.data[i / 8] ^= (uint8_t)(1U << i % 8);
		status = judge(bad.data, bad.len, &context, "bits", report);
		if (status != STATUS_FAULTY)
			fail_msg("bit %zu may be turned", i);
		assert_true(report_count(report, SEVERITY_FAULT) > 0);
		bad.data[i / 8] ^= (uint8_t)(1U << i % 8);
		report_free(report);
	}
}

/*
 * Every file by every profile, whatever it was made for, and with each of its
 * octets turned into some others: judge() holds the short cuts of lint against
 * none. Without an issuer, since signatures have no short cut.
 */
static void
file_turn(const char *name, const struct lint_context *context)
{
	static const uint8_t turns[] = {0, 0x01, 0x02, 0x10, 0x30, 0x80, 0xff};
	struct bad_file bad;

	file_read(name, &bad);
	for (size_t i = 0; i < bad.len; i++)
		for (size_t k = i == 0 ? 0 : 1; k < sizeof(turns); k++) {
			struct report *report = report_new(NULL, SEVERITY_NOTE);

			bad.data[i] ^= turns[k];
			(void)!judge(bad.data, bad.len, context, name, report);
			bad.data[i] ^= turns[k];
			report_free(report);
		}
}

static void
test_short_cuts(void **state)
{
	FILE *file = fopen(DIRECTORY "EXPECT", "r");
	struct lint_context context;
	char line[256], name[64], now[32];
	unsigned profile = 0;

	(void)state;
	assert_non_null(file);
	while (fgets(line, sizeof(line), file) != NULL) {
		if (line[0] == '#')
			continue;
		assert_int_equal(sscanf(line, "%63s %*s %31s", name, now), 2);
		context = context_of("tls", now);
		context.issuer = NULL;
		context.profile = (enum profile)(profile++ % PROFILE_COUNT);
		file_turn(name, &context);
	}
	fclose(file);
}

/* Cut off anywhere, in memory of that size for the sanitizer to watch. */
static void
test_cuts(void **state)
{
	struct lint_context context = context_of("tls", "2026-03-01T12:00:00Z");
	struct bad_file bad;

	(void)state;
	file_read("good-three.der", &bad);
	for (size_t len = 0; len < bad.len; len++) {
		struct report *report = report_new(NULL, SEVERITY_NOTE);
		uint8_t *copy = malloc(len + 1);

		assert_non_null(copy);
		memcpy(copy, bad.data, len);
		assert_int_equal(
		    judge(copy, len, &context, "cut", report), STATUS_FAULTY);
		assert_string_equal(report_finding(report, 0)->rule, "der");
		free(copy);
		report_free(report);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_expect),
	    cmocka_unit_test(test_bits),
	    cmocka_unit_test(test_short_cuts),
	    cmocka_unit_test(test_cuts),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
