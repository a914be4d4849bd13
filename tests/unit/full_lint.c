/* SPDX-License-Identifier: ISC */
/*
 * The table of rules, and what tests/bad cannot show: severities by profile,
 * every signature algorithm, CRLs of our own, and long and unsorted lists.
 * The CRLs here are a good one of tests/bad whose fields are then replaced;
 * no issuer is given, so that nothing has to be signed.
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

#define GOOD "tests/bad/good-three.der"
#define URL "http://crl.example.test/7.crl"

/* thisUpdate of the good CRL, and what is left until its nextUpdate. */
#define THIS_SEC 1772344800
#define VALIDITY_SEC (9 * 86400 - 1)

#define MANY 100000

static uint8_t good[2048];
static size_t good_len;
static struct crl crl;
static struct report *report;
static struct lint_context context;
static struct lint_result result;

/* Reads and parses a CRL into `good` and `crl`. */
static bool
crl_load(const char *path)
{
	FILE *file = fopen(path, "rb");
	struct crl_fault fault;

	if (file == NULL)
		return false;
	good_len = fread(good, 1, sizeof(good), file);
	fclose(file);
	return crl_parse(good, good_len, &crl, &fault) == STATUS_OK;
}

static int
setup(void **state)
{
	(void)state;
	context = (struct lint_context){
	    .profile = PROFILE_TLS,
	    .url = URL,
	    .now_sec = THIS_SEC + 3600,
	    .skew_sec = 60,
	};
	report = report_new(NULL, SEVERITY_NOTE);
	return report != NULL && crl_load(GOOD) ? 0 : -1;
}

static int
teardown(void **state)
{
	(void)state;
	report_free(report);
	return 0;
}

/* Lints afresh. The findings before are forgotten. */
static enum status
lint(void)
{
	report_free(report);
	report = report_new(NULL, SEVERITY_NOTE);
	return lint_both(&crl, &context, "the CRL", report, &result);
}

static void
lint_is_good(void)
{
	if (lint() != STATUS_OK || report_kept(report) != 0)
		fail_msg("want nothing, have %s: %s",
		    report_finding(report, 0)->rule,
		    report_finding(report, 0)->text);
	assert_int_equal(result.faults, 0);
	assert_int_equal(result.warnings, 0);
}

/* Exactly one finding, of this rule and severity, with this word in it. */
static void
lint_finds(enum severity severity, const char *rule, const char *word)
{
	enum status status = lint();
	const struct finding *finding;

	for (size_t i = 1; i < report_kept(report); i++)
		print_error("%s: %s\n", report_finding(report, i)->rule,
		    report_finding(report, i)->text);
	assert_int_equal(report_kept(report), 1);
	finding = report_finding(report, 0);
	assert_string_equal(finding->rule, rule);
	assert_string_equal(finding->object, "the CRL");
	if (strstr(finding->text, word) == NULL)
		fail_msg(
		    "%s: want \"%s\", have \"%s\"", rule, word, finding->text);
	assert_int_equal(finding->severity, severity);
	assert_int_equal(result.faults, severity == SEVERITY_FAULT);
	assert_int_equal(result.warnings, severity == SEVERITY_WARNING);
	assert_int_equal(
	    status, severity == SEVERITY_FAULT ? STATUS_FAULTY : STATUS_OK);
}

static void
test_profiles(void **state)
{
	static const char *const names[PROFILE_COUNT] = {
	    "tls", "tls-ca", "smime-strict", "smime-legacy", "private"};
	enum profile profile = PROFILE_PRIVATE;

	(void)state;
	for (unsigned i = 0; i < PROFILE_COUNT; i++) {
		assert_string_equal(profile_name((enum profile)i), names[i]);
		assert_int_equal(
		    profile_from_name(names[i], &profile), STATUS_OK);
		assert_int_equal(profile, i);
	}
	assert_int_equal(profile_from_name("TLS", &profile), STATUS_NOT_FOUND);
	assert_int_equal(profile_from_name("", &profile), STATUS_NOT_FOUND);
	assert_int_equal(profile_from_name("tls-", &profile), STATUS_NOT_FOUND);
	assert_non_null(profile_name(PROFILE_COUNT));
}

static void
test_table(void **state)
{
	static const char *const ids[] = {"der", "version", "sigalg-match",
	    "signature", "issuer-bytes", "time-form", "next-update",
	    "not-future", "fresh", "aki", "number", "idp", "idp-url",
	    "extensions", "entries-absent", "serial", "serial-unique", "order",
	    "revoked-at", "reason", "entry-ext", "size"};

	(void)state;
	assert_int_equal(lint_rule_count(), sizeof(ids) / sizeof(*ids));
	for (size_t i = 0; i < lint_rule_count(); i++) {
		struct lint_rule_facts facts = lint_rule(i);

		assert_string_equal(facts.id, ids[i]);
		assert_true(strlen(facts.clause) > 5);
		assert_true(strlen(facts.summary) > 20);
		for (unsigned p = 0; p < PROFILE_COUNT; p++) {
			bool warns = strcmp(facts.id, "order") == 0 ||
				     (strcmp(facts.id, "idp") == 0 &&
					 p == PROFILE_PRIVATE);

			assert_int_equal(facts.severity[p],
			    warns ? LINT_WARNING : LINT_FAULT);
		}
	}
}

static void
test_good(void **state)
{
	(void)state;
	lint_is_good();
	assert_int_equal(result.entries, 3);
	context.url = NULL;
	lint_is_good();
	context.profile = PROFILE_SMIME_LEGACY;
	lint_is_good();
	context.profile = PROFILE_PRIVATE;
	lint_is_good();
}

/* An AlgorithmIdentifier, and how hard each profile takes it. */
struct algorithm_row {
	const char *bytes;
	size_t len;
	int tls; /* -1: good; else the severity */
	int smime;
	int own; /* in private */
	const char *word;
};

#define GOOD_EVERYWHERE -1, -1, -1, NULL
#define BAD_EVERYWHERE SEVERITY_FAULT, SEVERITY_FAULT, SEVERITY_FAULT
#define ROW(text, ...)                              \
	{                                           \
		text, sizeof(text) - 1, __VA_ARGS__ \
	}
#define RSA "\x30\x0d\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01"
#define SHA "\x30\x0d\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02"
#define MGF "\x30\x1a\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x08"
#define PSS_LONGER \
	"\x30\x42\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0a\x30\x35"
#define PSS "\x30\x41\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0a\x30\x34"

static const struct algorithm_row algorithms[] = {
    ROW(RSA "\x0b\x05\x00", GOOD_EVERYWHERE),
    ROW(RSA "\x0c\x05\x00", GOOD_EVERYWHERE),
    ROW(RSA "\x0d\x05\x00", GOOD_EVERYWHERE),
    ROW(PSS "\xa0\x0f" SHA "\x01\x05\x00\xa1\x1c" MGF SHA
	    "\x01\x05\x00\xa2\x03\x02\x01\x20",
	GOOD_EVERYWHERE),
    ROW(PSS "\xa0\x0f" SHA "\x02\x05\x00\xa1\x1c" MGF SHA
	    "\x02\x05\x00\xa2\x03\x02\x01\x30",
	GOOD_EVERYWHERE),
    ROW(PSS "\xa0\x0f" SHA "\x03\x05\x00\xa1\x1c" MGF SHA
	    "\x03\x05\x00\xa2\x03\x02\x01\x40",
	GOOD_EVERYWHERE),
    ROW("\x30\x0a\x06\x08\x2a\x86\x48\xce\x3d\x04\x03\x02", GOOD_EVERYWHERE),
    ROW("\x30\x0a\x06\x08\x2a\x86\x48\xce\x3d\x04\x03\x03", GOOD_EVERYWHERE),
    ROW("\x30\x0a\x06\x08\x2a\x86\x48\xce\x3d\x04\x03\x04", GOOD_EVERYWHERE),
    ROW("\x30\x05\x06\x03\x2b\x65\x70", SEVERITY_WARNING, -1, -1, "Ed25519"),
    ROW("\x30\x05\x06\x03\x2b\x65\x71", SEVERITY_WARNING, -1, -1, "Ed448"),
    /* Parameters: RSA without, ECDSA and Ed25519 with NULL. */
    ROW("\x30\x0b\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0b", BAD_EVERYWHERE,
	"wrong parameters"),
    ROW("\x30\x0c\x06\x08\x2a\x86\x48\xce\x3d\x04\x03\x02\x05\x00",
	BAD_EVERYWHERE, "ECDSA with SHA-256 with wrong parameters"),
    ROW("\x30\x07\x06\x03\x2b\x65\x70\x05\x00", BAD_EVERYWHERE,
	"wrong parameters"),
    /* Weak ones, with and without parameters. */
    ROW(RSA "\x02\x05\x00", BAD_EVERYWHERE, "MD2"),
    ROW(RSA "\x03\x05\x00", BAD_EVERYWHERE, "MD4"),
    ROW(RSA "\x04\x05\x00", BAD_EVERYWHERE, "MD5"),
    ROW(RSA "\x05\x05\x00", BAD_EVERYWHERE, "SHA-1"),
    ROW("\x30\x09\x06\x05\x2b\x0e\x03\x02\x1d\x05\x00", BAD_EVERYWHERE,
	"SHA-1"),
    ROW("\x30\x09\x06\x07\x2a\x86\x48\xce\x3d\x04\x01", BAD_EVERYWHERE,
	"SHA-1"),
    ROW("\x30\x09\x06\x07\x2a\x86\x48\xce\x38\x04\x03", BAD_EVERYWHERE,
	"SHA-1"),
    /* PSS: SHA-1 by default, other salts, hashes that differ. */
    ROW("\x30\x0d\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0a\x30\x00",
	BAD_EVERYWHERE, "RSASSA-PSS"),
    ROW("\x30\x0b\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0a", BAD_EVERYWHERE,
	"RSASSA-PSS"),
    ROW(PSS "\xa0\x0f" SHA "\x01\x05\x00\xa1\x1c" MGF SHA
	    "\x01\x05\x00\xa2\x03\x02\x01\x14",
	SEVERITY_FAULT, SEVERITY_FAULT, SEVERITY_WARNING, "salt"),
    ROW(PSS_LONGER "\xa0\x0f" SHA "\x02\x05\x00\xa1\x1c" MGF SHA
		   "\x02\x05\x00\xa2\x04\x02\x02\x00"
		   "\xde",
	SEVERITY_FAULT, SEVERITY_FAULT, SEVERITY_WARNING, "salt"),
    ROW(PSS "\xa0\x0f" SHA "\x01\x05\x00\xa1\x1c" MGF SHA
	    "\x02\x05\x00\xa2\x03\x02\x01\x20",
	BAD_EVERYWHERE, "RSASSA-PSS"),
    /* SHA-224 with ECDSA, and nothing anybody has. */
    ROW("\x30\x0a\x06\x08\x2a\x86\x48\xce\x3d\x04\x03\x01", SEVERITY_FAULT,
	SEVERITY_FAULT, SEVERITY_WARNING, "not known"),
    ROW("\x30\x05\x06\x03\x2a\x03\x04", SEVERITY_FAULT, SEVERITY_FAULT,
	SEVERITY_WARNING, "not known"),
    ROW("\x30\x02\x06\x00", SEVERITY_FAULT, SEVERITY_FAULT, SEVERITY_WARNING,
	"not known"),
};

static void
algorithm_check(int severity, const char *word)
{
	if (severity < 0)
		lint_is_good();
	else
		lint_finds((enum severity)severity, "sigalg-match", word);
}

static void
test_algorithms(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(algorithms) / sizeof(*algorithms); i++) {
		const struct algorithm_row *row = &algorithms[i];
		/* Memory of that size, for the sanitizer to watch. */
		uint8_t *copy = malloc(row->len);

		assert_non_null(copy);
		memcpy(copy, row->bytes, row->len);
		crl.inner_algorithm = (struct crl_view){copy, row->len};
		crl.outer_algorithm = crl.inner_algorithm;
		context.profile = PROFILE_TLS;
		algorithm_check(row->tls, row->word);
		context.profile = PROFILE_SMIME_STRICT;
		algorithm_check(row->smime, row->word);
		context.profile = PROFILE_PRIVATE;
		algorithm_check(row->own, row->word);
		free(copy);
	}
}

/* BR 7.2: both ends counted, 10 days are 864000 s. */
static void
test_next_update(void **state)
{
	(void)state;
	crl.next_update.sec = THIS_SEC + 863999;
	lint_is_good();
	crl.next_update.sec = THIS_SEC + 864000;
	lint_finds(SEVERITY_FAULT, "next-update", "864001 s");
	context.profile = PROFILE_PRIVATE;
	lint_is_good();
	crl.next_update.sec = THIS_SEC;
	lint_finds(SEVERITY_FAULT, "next-update", "after thisUpdate");
	crl.has_next_update = false;
	lint_finds(SEVERITY_FAULT, "next-update", "no nextUpdate");
}

/* Twelve months of the calendar, from a date that the next year lacks too. */
static void
test_next_update_year(void **state)
{
	static const char *const rows[][3] = {
	    {"2026-03-01T06:00:00Z", "2027-03-01T05:59:59Z",
		"2027-03-01T06:00:00Z"},
	    {"2027-06-30T00:00:00Z", "2028-06-29T23:59:59Z",
		"2028-06-30T00:00:00Z"},
	    {"2028-02-29T12:00:00Z", "2029-02-28T11:59:59Z",
		"2029-02-28T12:00:00Z"},
	};

	(void)state;
	context.profile = PROFILE_TLS_CA;
	context.url = NULL;
	crl.has_entries = false;
	crl.entries.len = 0;
	crl.extension_count = 2; /* without issuingDistributionPoint */
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		assert_int_equal(
		    utc_from_iso(rows[i][0], &crl.this_update.sec), STATUS_OK);
		context.now_sec = crl.this_update.sec;
		assert_int_equal(
		    utc_from_iso(rows[i][1], &crl.next_update.sec), STATUS_OK);
		lint_is_good();
		assert_int_equal(
		    utc_from_iso(rows[i][2], &crl.next_update.sec), STATUS_OK);
		lint_finds(SEVERITY_FAULT, "next-update", "12 months");
	}
}

static void
test_not_future(void **state)
{
	(void)state;
	context.now_sec = THIS_SEC - 60;
	lint_is_good();
	context.now_sec = THIS_SEC - 61;
	lint_finds(SEVERITY_FAULT, "not-future", "61 s after now");
	context.skew_sec = 61;
	lint_is_good();
}

static void
test_fresh(void **state)
{
	(void)state;
	context.now_sec = THIS_SEC + 4 * 86400;
	lint_is_good();
	context.now_sec++;
	lint_finds(SEVERITY_FAULT, "fresh", "345601 s");
	context.has_ocsp = true;
	lint_is_good();
	context.now_sec = THIS_SEC + VALIDITY_SEC / 2;
	lint_is_good();
	context.now_sec++;
	lint_finds(SEVERITY_WARNING, "fresh", "past half");
	context.now_sec = THIS_SEC + 7 * 86400;
	lint_finds(SEVERITY_WARNING, "fresh", "past half");
	context.now_sec++;
	lint_finds(SEVERITY_FAULT, "fresh", "604801 s");
	/* SBR 4.9.7 has 7 days, whatever OCSP. */
	context.profile = PROFILE_SMIME_STRICT;
	context.has_ocsp = false;
	lint_finds(SEVERITY_FAULT, "fresh", "604801 s");
	context.now_sec--;
	lint_finds(SEVERITY_WARNING, "fresh", "past half");
	context.profile = PROFILE_PRIVATE;
	lint_finds(SEVERITY_WARNING, "fresh", "past half");
	context.now_sec = THIS_SEC + VALIDITY_SEC;
	lint_finds(SEVERITY_WARNING, "fresh", "past half");
	context.now_sec++;
	lint_finds(SEVERITY_FAULT, "fresh", "nextUpdate");
}

static void
test_size(void **state)
{
	(void)state;
	context.bytes_most = crl.bytes.len;
	lint_is_good();
	context.bytes_most--;
	lint_finds(SEVERITY_FAULT, "size", "bytes, want at most");
	context.bytes_most = 0;
	lint_is_good();
}

/* The configured URL may be long; both are told. */
static void
test_url(void **state)
{
	static char want[600] = "http://";

	(void)state;
	memset(want + 7, 'x', sizeof(want) - 8);
	context.url = want;
	lint_finds(SEVERITY_FAULT, "idp-url", "have \"" URL "\"");
}

/* Where no URL is configured, a private CRL may be without one. */
static void
test_idp_private(void **state)
{
	(void)state;
	context.profile = PROFILE_PRIVATE;
	context.url = NULL;
	assert_true(crl_load("tests/bad/idp-relative.der"));
	lint_finds(SEVERITY_WARNING, "idp", "nameRelativeToCRLIssuer");
	assert_true(crl_load("tests/bad/idp-absent.der"));
	lint_is_good();
	assert_true(crl_load("tests/bad/idp-no-point.der"));
	lint_is_good();
	assert_true(crl_load("tests/bad/idp-https.der"));
	lint_finds(SEVERITY_WARNING, "idp", "https://");
	/* A URL that is not http may be the configured one. */
	context.url = "https://crl.example.test/7.crl";
	lint_finds(SEVERITY_WARNING, "idp", "https://");
	context.url = URL;
	assert_true(crl_load("tests/bad/idp-absent.der"));
	lint_finds(SEVERITY_FAULT, "idp-url", "have no URL");
}

/* BR 7.2.2 has its say in public, RFC 5280 everywhere. */
static void
test_extensions_private(void **state)
{
	(void)state;
	context.profile = PROFILE_PRIVATE;
	assert_true(crl_load("tests/bad/extensions-freshest.der"));
	lint_is_good();
	assert_true(crl_load("tests/bad/entry-ext-unknown.der"));
	lint_is_good();
	assert_true(crl_load("tests/bad/extensions-unknown.der"));
	lint_finds(SEVERITY_WARNING, "extensions", "extension 2.999.1,");
	assert_true(crl_load("tests/bad/extensions-delta.der"));
	lint_finds(SEVERITY_FAULT, "extensions", "deltaCRLIndicator");
}

/* RFC 5280, 5.1.2.7. */
static void
test_extensions_empty(void **state)
{
	bool seen = false;

	(void)state;
	crl.extension_count = 0;
	assert_int_equal(lint(), STATUS_FAULTY);
	for (size_t i = 0; i < report_kept(report); i++)
		if (strcmp(report_finding(report, i)->rule, "extensions") == 0)
			seen = true;
	assert_true(seen);
}

/* Entries of 16-octet serials, that end in the number given. */
#define ENTRY_BYTES 35

/* The good CRL's bytes, and after them the entries that replace its own. */
static uint8_t *list;
static size_t list_len;

static int
list_setup(void **state)
{
	struct crl_fault fault;

	if (setup(state) != 0)
		return -1;
	list = calloc(1, good_len + MANY * ENTRY_BYTES);
	if (list == NULL)
		return -1;
	memcpy(list, good, good_len);
	list_len = good_len;
	return crl_parse(list, good_len, &crl, &fault) == STATUS_OK ? 0 : -1;
}

static int
list_teardown(void **state)
{
	free(list);
	return teardown(state);
}

static void
list_add(uint32_t number)
{
	static const uint8_t head[] = {0x30, 33, 0x02, 16, 0x11};
	static const char date[] = "\x17\x0d"
				   "260227101112Z";
	uint8_t *p = list + list_len;

	assert_true(list_len < good_len + MANY * ENTRY_BYTES);
	memcpy(p, head, sizeof(head));
	for (size_t i = 0; i < 4; i++)
		p[16 + i] = (uint8_t)(number >> (24 - 8 * i));
	memcpy(p + 20, date, sizeof(date) - 1);
	list_len += ENTRY_BYTES;
}

static void
list_use(void)
{
	crl.bytes = (struct crl_view){list, list_len};
	crl.entries = (struct crl_view){list + good_len, list_len - good_len};
}

/* "offset 123" of the entry of this index, and of octets within it. */
static const char *
offset_text(size_t i, size_t octets)
{
	static char text[64];

	(void)snprintf(text, sizeof(text), "offset %zu",
	    good_len + i * ENTRY_BYTES + octets);
	return text;
}

static void
test_list_sorted(void **state)
{
	(void)state;
	for (uint32_t i = 0; i < MANY; i++)
		list_add(2 * i);
	list_use();
	context.ours = true;
	lint_is_good();
	assert_int_equal(result.entries, MANY);
	/* The last but one again. */
	list_len -= ENTRY_BYTES;
	list_add(2 * (MANY - 2));
	list_use();
	lint_finds(SEVERITY_FAULT, "serial-unique", offset_text(MANY - 1, 0));
	assert_int_equal(result.entries, MANY);
}

static void
test_list_order(void **state)
{
	(void)state;
	list_add(5);
	list_add(3);
	list_add(4);
	list_add(1);
	list_use();
	lint_finds(SEVERITY_WARNING, "order", "2 entries out of order");
	lint_finds(SEVERITY_WARNING, "order", offset_text(1, 0));
	context.profile = PROFILE_PRIVATE;
	lint_finds(SEVERITY_WARNING, "order", "2 entries out of order");
	context.ours = true;
	lint_finds(SEVERITY_FAULT, "order", "2 entries out of order");
}

/* How many findings of a rule were kept. */
static size_t
findings_of(const char *rule)
{
	size_t n = 0;

	for (size_t i = 0; i < report_kept(report); i++)
		n += strcmp(report_finding(report, i)->rule, rule) == 0;
	return n;
}

/* Duplicates side by side, apart, and both, each told once. */
static void
test_list_unsorted(void **state)
{
	static const struct {
		uint32_t numbers[8];
		size_t n;
		size_t duplicates;
	} rows[] = {
	    {{1, 2, 1}, 3, 1},
	    {{1, 2, 1, 2}, 4, 2},
	    {{9, 9, 2, 3}, 4, 1},
	    {{9, 9, 9, 3}, 4, 2},
	    {{9, 9, 2, 9}, 4, 2},
	    {{9, 2, 9, 9}, 4, 2},
	    {{9, 9, 2, 2, 9, 9}, 6, 4},
	    {{3, 2, 1, 0}, 4, 0},
	    {{0, 3, 2, 1, 5, 4, 7, 6}, 8, 0},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		list_len = good_len;
		for (size_t k = 0; k < rows[i].n; k++)
			list_add(rows[i].numbers[k]);
		list_use();
		assert_int_equal(
		    lint(), rows[i].duplicates > 0 ? STATUS_FAULTY : STATUS_OK);
		assert_int_equal(findings_of("order"), 1);
		assert_int_equal(
		    findings_of("serial-unique"), rows[i].duplicates);
		assert_int_equal(result.faults, rows[i].duplicates);
		assert_int_equal(result.warnings, 1);
		assert_int_equal(result.entries, rows[i].n);
	}
}

/* Serials that are none are not held against each other. */
static void
test_list_unsorted_range(void **state)
{
	(void)state;
	list_add(3);
	for (uint32_t i = 0; i < 3; i++) {
		list_add(7);
		list[list_len - ENTRY_BYTES + 4] = 0x91;
		list_add(2 * i);
	}
	list_use();
	assert_int_equal(lint(), STATUS_FAULTY);
	assert_int_equal(findings_of("serial"), 3);
	assert_int_equal(findings_of("order"), 1);
	assert_int_equal(findings_of("serial-unique"), 0);
	/* Such a serial in between does not hide the same one after it. */
	list_len = good_len;
	list_add(5);
	list_add(7);
	list[good_len + ENTRY_BYTES + 4] = 0x91;
	list_add(5);
	list_use();
	assert_int_equal(lint(), STATUS_FAULTY);
	assert_int_equal(findings_of("serial"), 1);
	assert_int_equal(findings_of("order"), 0);
	assert_int_equal(findings_of("serial-unique"), 1);
}

/* The one duplicate among many, with the place where it is listed again. */
static void
test_list_unsorted_long(void **state)
{
	bool seen = false;

	(void)state;
	/* 7919 is prime, so that this visits every number once. */
	for (uint32_t i = 0; i < MANY - 1; i++)
		list_add(i * 7919U % MANY);
	list_add(7919U * 17 % MANY);
	list_use();
	assert_int_equal(lint(), STATUS_FAULTY);
	assert_int_equal(findings_of("serial-unique"), 1);
	for (size_t i = 0; i < report_kept(report); i++)
		if (strstr(report_finding(report, i)->text,
			offset_text(MANY - 1, 0)) != NULL)
			seen = true;
	assert_true(seen);
	assert_int_equal(result.faults, 1);
}

/* An entry that cannot be read ends the walk and is the only finding. */
static void
test_list_malformed(void **state)
{
	(void)state;
	list_add(1);
	list_add(2);
	list_add(3);
	list[good_len + ENTRY_BYTES] = 0x31;
	list_use();
	lint_finds(SEVERITY_FAULT, "der", offset_text(1, 0));
	assert_int_equal(result.entries, 1);
	list[good_len + ENTRY_BYTES] = 0x30;
	list[good_len + 2 * ENTRY_BYTES + 30] = 'x';
	lint_finds(SEVERITY_FAULT, "time-form", offset_text(2, 20));
	assert_int_equal(result.entries, 2);
}

/* More findings of a rule than are kept are counted all the same. */
static void
test_list_counted(void **state)
{
	(void)state;
	for (uint32_t i = 0; i < 1000; i++) {
		list_add(i);
		memcpy(list + list_len - 13, "260301060001Z", 13);
	}
	list_use();
	assert_int_equal(lint(), STATUS_FAULTY);
	assert_int_equal(result.faults, 1000);
	assert_int_equal(report_count(report, SEVERITY_FAULT), 1000);
	assert_int_equal(findings_of("revoked-at"), REPORT_RULE_MOST);
}

/* RFC 5280, 4.2.1.3: who may not sign CRLs has not signed this one. */
static void
test_issuer(void **state)
{
	struct issuer *issuer = NULL;

	(void)state;
	assert_int_equal(
	    issuer_load("tests/bad/issuer.pem", report, &issuer), STATUS_OK);
	context.issuer = issuer;
	lint_is_good();
	crl.signature.len--;
	lint_finds(SEVERITY_FAULT, "signature", "does not verify");
	context.issuer = NULL;
	lint_is_good();
	crl.signature.len++;
	issuer_free(issuer);
	assert_int_equal(
	    issuer_load("tests/bad/issuer-no-crlsign.pem", report, &issuer),
	    STATUS_OK);
	context.issuer = issuer;
	lint_finds(SEVERITY_FAULT, "signature", "without cRLSign");
	context.issuer = NULL;
	issuer_free(issuer);
	crl.issuer.len = 2;
	lint_finds(SEVERITY_FAULT, "issuer-bytes", "empty issuer");
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
#define LIST(name) \
	cmocka_unit_test_setup_teardown(name, list_setup, list_teardown)
	const struct CMUnitTest tests[] = {
	    TEST(test_profiles),
	    TEST(test_table),
	    TEST(test_good),
	    TEST(test_algorithms),
	    TEST(test_next_update),
	    TEST(test_next_update_year),
	    TEST(test_not_future),
	    TEST(test_fresh),
	    TEST(test_size),
	    TEST(test_url),
	    TEST(test_idp_private),
	    TEST(test_extensions_private),
	    TEST(test_extensions_empty),
	    LIST(test_list_sorted),
	    LIST(test_list_order),
	    LIST(test_list_unsorted),
	    LIST(test_list_unsorted_range),
	    LIST(test_list_unsorted_long),
	    LIST(test_list_malformed),
	    LIST(test_list_counted),
	    TEST(test_issuer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
