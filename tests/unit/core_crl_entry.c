/* SPDX-License-Identifier: ISC */
/*
 * The strict reader: entries, by the short cut and by the long way.
 */
#include <time.h>

#include "../lib/der_vector.h"
#include "crlpress/der_read.h"

static void
test_entries(void **state)
{
	struct crl_fault fault;
	struct crl_entry entry;
	struct vector v;
	struct crl crl;
	size_t position = 0;

	(void)state;
	parse_good(WHOLE, &v, &crl);
	assert_int_equal(
	    entry_read_both(&crl, &position, &entry, &fault), STATUS_OK);
	view_expect(&crl, entry.encoded, PLAIN);
	assert_ptr_equal(crl.bytes.data + entry.offset, crl.entries.data);
	view_expect(&crl, entry.integer, "010203");
	assert_true(entry.serial_in_range);
	assert_memory_equal(
	    entry.serial.octet, "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\1\2\3", 20);
	assert_int_equal(entry.revoked_at.sec, 1795253458);
	assert_int_equal(entry.revoked_at.form, CRL_TIME_UTC);
	assert_int_equal(entry.reason, -1);
	assert_int_equal(
	    entry_read_both(&crl, &position, &entry, &fault), STATUS_OK);
	view_expect(&crl, entry.encoded, USUAL);
	assert_int_equal(entry.reason, 1);
	assert_false(entry.reason_critical);
	assert_memory_equal(entry.serial.octet,
	    "\0\0\0\0\x7f\1\2\3\4\5\6\7\x08\x09\x0a\x0b\x0c\x0d\x0e\x0f", 20);
	assert_int_equal(
	    entry_read_both(&crl, &position, &entry, &fault), STATUS_DONE);
	parse_good(LIST(TBS("", "")), &v, &crl);
	position = 0;
	assert_int_equal(
	    entry_read_both(&crl, &position, &entry, &fault), STATUS_DONE);
}

/* The only entry of a CRL. */
static void
entry_good(const char *text, struct vector *v, struct crl *crl,
    struct crl_entry *entry)
{
	char list[2048];
	struct crl_fault fault = {.text = "none"};
	size_t position = 0;

	snprintf(list, sizeof(list), LIST(TBS("30{%s}", "")), text);
	parse_good(list, v, crl);
	if (entry_read_both(crl, &position, entry, &fault) != STATUS_OK)
		fail_msg("%s: at %zu: %s", text, fault.offset, fault.text);
	assert_int_equal(
	    entry_read_both(crl, &position, entry, &fault), STATUS_DONE);
	position = 0;
	assert_int_equal(
	    entry_read_both(crl, &position, entry, &fault), STATUS_OK);
}

struct serial_case {
	const char *integer;
	bool in_range;
};

static const struct serial_case serials[] = {
    {"00", false},
    {"01", true},
    {"7f", true},
    {"80", false},
    {"ff", false},
    {"0080", true},
    {"ff7f", false},
    {"7fffffffffffffffffffffffffffffffffffffff", true},
    {"00ffffffffffffffffffffffffffffffffffffff", true},
    {"80ffffffffffffffffffffffffffffffffffff", false},
    {"00ffffffffffffffffffffffffffffffffffffffff", false},
    {"010000000000000000000000000000000000000000", false},
};

static void
test_serials(void **state)
{
	struct crl_entry entry;
	struct uint160 want;
	struct vector v;
	struct crl crl;
	char text[128];

	(void)state;
	for (size_t i = 0; i < sizeof(serials) / sizeof(serials[0]); i++) {
		snprintf(text, sizeof(text), "30{02{%s}" WHEN "}",
		    serials[i].integer);
		entry_good(text, &v, &crl, &entry);
		view_expect(&crl, entry.integer, serials[i].integer);
		assert_int_equal(entry.serial_in_range, serials[i].in_range);
		memset(&want, 0, sizeof(want));
		if (serials[i].in_range)
			memcpy(want.octet + 20 - entry.integer.len,
			    entry.integer.data, entry.integer.len);
		assert_memory_equal(&entry.serial, &want, sizeof(want));
	}
}

#define HOLD EXT("551d17", "06{2a03}")
#define INVALID EXT("551d18", "18{'20261120000000Z'}")
#define CERT_ISSUER CRITICAL("551d1d", "30{a4{" NAME "}}")

static void
test_entry_extensions(void **state)
{
	struct crl_entry e;
	struct vector v;
	struct crl crl;

	(void)state;
	entry_good("30{020101" WHEN "30{" CRITICAL("551d15", "0a0100") "}}", &v,
	    &crl, &e);
	assert_int_equal(e.reason, 0);
	assert_true(e.reason_critical);
	assert_false(e.has_encoded_default || e.has_unknown ||
		     e.has_duplicate_extension || e.has_empty_extensions);
	entry_good("30{020101 18{'20200229235959Z'}30{" HOLD INVALID CERT_ISSUER
		   "}}",
	    &v, &crl, &e);
	assert_int_equal(e.revoked_at.form, CRL_TIME_GENERALIZED);
	assert_int_equal(e.revoked_at.sec, 1583020799);
	assert_true(e.has_hold_instruction && e.has_invalidity_date &&
		    e.has_certificate_issuer);
	assert_false(e.has_unknown || e.has_unknown_critical);
	entry_good("30{020101" WHEN "30{}}", &v, &crl, &e);
	assert_true(e.has_empty_extensions);
	entry_good("30{020101" WHEN "30{30{06{551d15}0101000403 0a017f}}}", &v,
	    &crl, &e);
	assert_int_equal(e.reason, 127);
	assert_true(e.has_encoded_default);
	assert_false(e.reason_critical || e.has_empty_extensions);
	entry_good(
	    "30{020101" WHEN "30{" EXT("2a03", "ffff") "}}", &v, &crl, &e);
	assert_true(e.has_unknown);
	assert_false(e.has_unknown_critical || e.has_duplicate_extension);
	entry_good(
	    "30{020101" WHEN "30{" CRITICAL("551d16", "") "}}", &v, &crl, &e);
	assert_true(e.has_unknown && e.has_unknown_critical);
	entry_good("30{020101" WHEN "30{" EXT("551d15", "0a0101")
		       EXT("551d15", "0a0102") "}}",
	    &v, &crl, &e);
	assert_true(e.has_duplicate_extension);
	assert_int_equal(e.reason, 1);
	entry_good("30{020101" WHEN "30{" EXT("2a03", "")
		       INVALID CRITICAL("2a03", "") "}}",
	    &v, &crl, &e);
	assert_true(e.has_duplicate_extension && e.has_unknown_critical);
}

#define IN(extensions) "30{020101" WHEN "30{" extensions "}}"
#define SIXTEEN                                                               \
	NUMBER NUMBER NUMBER NUMBER NUMBER NUMBER NUMBER NUMBER NUMBER NUMBER \
	    NUMBER NUMBER NUMBER NUMBER NUMBER NUMBER

static const struct bad bad_entries[] = {
    {"^020101", "der"},
    {"^30", "der"},
    {"^3005020101", "der"},
    {"^3080020101" WHEN "0000", "der"},
    {"^308112020101" WHEN, "der"},
    {"30{^}", "der"},
    {"30{^" WHEN "}", "der"},
    {"30{^0200" WHEN "}", "serial"},
    {"30{^02020001" WHEN "}", "serial"},
    {"30{^0202ff80" WHEN "}", "serial"},
    {"30{^0281010117" WHEN "}", "der"},
    {"30{^02100102}", "der"},
    {"30{020101^}", "der"},
    {"30{020101^0500}", "der"},
    {"30{020101^17{'261121093058'}}", "time-form"},
    {"30{020101^17{'261121093058Z0'}}", "time-form"},
    {"30{020101^17{'2611210930580'}}", "time-form"},
    {"30{020101^17{'26112109305 Z'}}", "time-form"},
    {"30{020101^17{'2611210930Z'}}", "time-form"},
    {"30{020101^17{':01121093058Z'}}", "time-form"},
    {"30{020101^17{'0:1121093058Z'}}", "time-form"},
    {"30{020101^18{'1:991121093058Z'}}", "time-form"},
    {"30{020101^18{':0001121093058Z'}}", "time-form"},
    {"30{020101^17{'2611210930+00'}}", "time-form"},
    {"30{020101^17{'261121093060Z'}}", "time-form"},
    {"30{020101^17{'261121096058Z'}}", "time-form"},
    {"30{020101^17{'261121240000Z'}}", "time-form"},
    {"30{020101^17{'261131000000Z'}}", "time-form"},
    {"30{020101^17{'261100000000Z'}}", "time-form"},
    {"30{020101^17{'260001000000Z'}}", "time-form"},
    {"30{020101^17{'261301000000Z'}}", "time-form"},
    {"30{020101^17{'260229000000Z'}}", "time-form"},
    {"30{020101^17{'20261121093058Z'}}", "time-form"},
    {"30{020101^17{}}", "time-form"},
    {"30{020101^18{'261121093058Z'}}", "time-form"},
    {"30{020101^18{'20261121093058.5Z'}}", "time-form"},
    {"30{020101^18{'21000229000000Z'}}", "time-form"},
    {"30{020101^18{'202611210930Z'}}", "time-form"},
    {"30{020101^170d3236}", "der"},
    {"30{020101" WHEN "^0500}", "der"},
    {"30{020101" WHEN "^a0{}}", "der"},
    {"30{020101" WHEN "^3010}", "der"},
    {"30{020101" WHEN REASON("01") "^0500}", "der"},
    {IN("^0500"), "der"},
    {IN("30{06{551d15}^0101010403 0a0101}"), "der"},
    {IN(EXT("551d15", "^")), "reason"},
    {IN(EXT("551d15", "^020101")), "reason"},
    {IN(EXT("551d15", "^0a00")), "reason"},
    {IN(EXT("551d15", "^0a020001")), "reason"},
    {IN(EXT("551d15", "^0a0180")), "reason"},
    {IN(EXT("551d15", "^0a01ff")), "reason"},
    {IN(EXT("551d15", "^0a020080")), "reason"},
    {IN(EXT("551d15", "0a0101^00")), "reason"},
    {IN(EXT("551d15", "^0a02 01")), "der"},
    {IN(EXT("551d18", "^17{'261121093058Z'}")), "entry-ext"},
    {IN(EXT("551d18", "^18{'20261121093058.5Z'}")), "time-form"},
    {IN(EXT("551d18", "18{'20261121093058Z'}^0500")), "entry-ext"},
    {IN(EXT("551d17", "^")), "entry-ext"},
    {IN(EXT("551d17", "^06{80}")), "der"},
    {IN(EXT("551d17", "06{2a}^06{2a}")), "entry-ext"},
    {IN(EXT("551d1d", "^0500")), "entry-ext"},
    {IN(EXT("551d1d", "30{^050100}")), "der"},
    {IN(SIXTEEN "^" NUMBER), "entry-ext"},
};

static void
test_bad_entries(void **state)
{
	struct crl_fault fault;
	struct crl_entry entry;
	struct vector v;
	struct crl crl;
	char list[4096];

	(void)state;
	for (size_t i = 0; i < sizeof(bad_entries) / sizeof(bad_entries[0]);
	     i++) {
		const struct bad *bad = &bad_entries[i];
		size_t position = 0;

		snprintf(list, sizeof(list), LIST(TBS("30{" USUAL "%s}", "")),
		    bad->text);
		parse_good(list, &v, &crl);
		assert_int_equal(
		    entry_read_both(&crl, &position, &entry, &fault),
		    STATUS_OK);
		fault_expect(bad->text, &v,
		    entry_read_both(&crl, &position, &entry, &fault), &fault,
		    bad->rule);
	}
	snprintf(list, sizeof(list), "%s", IN(SIXTEEN));
	entry_good(list, &v, &crl, &entry);
	assert_true(entry.has_duplicate_extension);
}

/* An entry cut off anywhere is none, and nothing behind it is read. */
static void
test_truncated(void **state)
{
	static const char *const bases[] = {PLAIN, USUAL, IN(INVALID)};
	struct crl_fault fault;
	struct crl_entry entry;
	struct vector v;
	struct crl crl;

	(void)state;
	for (size_t b = 0; b < sizeof(bases) / sizeof(bases[0]); b++) {
		assemble(bases[b], &v);
		memset(&crl, 0, sizeof(crl));
		for (size_t len = 1; len < v.len; len++) {
			crl.entries.data = guard_put(v.octet, len);
			crl.entries.len = len;
			crl.bytes = crl.entries;
			assert_int_equal(
			    entry_read_both(&crl, &(size_t){0}, &entry, &fault),
			    STATUS_MALFORMED);
			assert_int_equal(fault.offset, 0);
			assert_string_equal(fault.rule, "der");
		}
	}
}

/* The short cut looks at no entry that has less than this behind it. */
#define BEHIND PLAIN PLAIN PLAIN

/*
 * Each octet of entries of the usual shape as each other octet, where the short
 * cut may be taken and where it may not.
 */
static void
test_two_paths(void **state)
{
	static const char *const bases[] = {PLAIN, USUAL, IN(INVALID),
	    "30{0202008018{'20500101000000Z'}}" PLAIN, PLAIN BEHIND,
	    USUAL BEHIND,
	    "30{02{008182838485868788898a8b8c8d8e8f90}" WHEN "}" BEHIND,
	    "30{02{0102030405060708090a0b0c0d0e0f1011121314}" WHEN REASON(
		"00") "}" BEHIND};
	struct vector v;
	struct crl crl;

	(void)state;
	for (size_t b = 0; b < sizeof(bases) / sizeof(bases[0]); b++) {
		assemble(bases[b], &v);
		memset(&crl, 0, sizeof(crl));
		for (size_t i = 0; i < v.len * 256; i++) {
			uint8_t was = v.octet[i / 256];

			v.octet[i / 256] = (uint8_t)i;
			crl.entries.data = guard_put(v.octet, v.len);
			crl.entries.len = v.len;
			crl.bytes = crl.entries;
			read_all(&crl);
			v.octet[i / 256] = was;
		}
	}
}

/* Of every length, with an octet that may be a sign before it or not. */
static void
test_serial_lengths(void **state)
{
	static const uint8_t firsts[] = {0x01, 0x7f, 0x00, 0x80};
	struct crl_fault fault;
	struct crl_entry entry;
	struct vector v;
	struct crl crl;
	char serial[64], text[512];

	(void)state;
	for (size_t i = 0; i < 21 * sizeof(firsts); i++) {
		size_t n = (size_t)snprintf(
		    serial, sizeof(serial), "%02x", firsts[i % sizeof(firsts)]);

		for (size_t k = 0; k < i / sizeof(firsts); k++)
			n += (size_t)snprintf(
			    serial + n, sizeof(serial) - n, "%02zx", 0x81 + k);
		snprintf(
		    text, sizeof(text), "30{02{%s}" WHEN "}" BEHIND, serial);
		assemble(text, &v);
		memset(&crl, 0, sizeof(crl));
		crl.entries.data = guard_put(v.octet, v.len);
		crl.entries.len = v.len;
		crl.bytes = crl.entries;
		if (entry_read_both(&crl, &(size_t){0}, &entry, &fault) !=
		    STATUS_OK)
			continue;
		assert_int_equal(entry.is_usual, entry.serial_in_range);
		assert_int_equal(
		    entry.is_usual, v.octet[4] < 0x80 && v.octet[3] <= 20 &&
					!(v.octet[3] == 1 && v.octet[4] == 0));
	}
}

/* One entry with this date as the C library writes it. */
static void
date_check(int64_t sec, bool utc)
{
	time_t when = (time_t)sec;
	struct crl_fault fault;
	struct crl_entry entry;
	struct vector v;
	struct crl crl;
	struct tm tm;
	char date[32], text[64];

	assert_non_null(gmtime_r(&when, &tm));
	strftime(date, sizeof(date), "%m%d%H%M%SZ", &tm);
	if (utc)
		snprintf(text, sizeof(text), "30{020101 17{'%02u%s'}}",
		    (unsigned)tm.tm_year % 100u, date);
	else
		snprintf(text, sizeof(text), "30{020101 18{'%04u%s'}}",
		    (unsigned)(tm.tm_year + 1900), date);
	assemble(text, &v);
	memset(&crl, 0, sizeof(crl));
	crl.bytes.data = guard_put(v.octet, v.len);
	crl.bytes.len = v.len;
	crl.entries = crl.bytes;
	assert_int_equal(
	    entry_read_both(&crl, &(size_t){0}, &entry, &fault), STATUS_OK);
	assert_true(entry.revoked_at.sec == sec);
	assert_int_equal(
	    entry.revoked_at.form, utc ? CRL_TIME_UTC : CRL_TIME_GENERALIZED);
}

/* What the calendar of the C library makes of six numbers, if it is a date. */
static bool
civil_to_sec(const int part[6], int64_t *sec)
{
	struct tm tm = {.tm_year = part[0] - 1900,
	    .tm_mon = part[1] - 1,
	    .tm_mday = part[2],
	    .tm_hour = part[3],
	    .tm_min = part[4],
	    .tm_sec = part[5]};

	*sec = timegm(&tm);
	return tm.tm_year == part[0] - 1900 && tm.tm_mon == part[1] - 1 &&
	       tm.tm_mday == part[2] && tm.tm_hour == part[3] &&
	       tm.tm_min == part[4] && tm.tm_sec == part[5];
}

static void
time_check(const int part[6])
{
	int64_t want = 0, have = 0;
	bool real = civil_to_sec(part, &want);
	char text[32];

	snprintf(text, sizeof(text), "%04u%02u%02u%02u%02u%02uZ",
	    (unsigned)part[0] % 10000, (unsigned)part[1] % 100,
	    (unsigned)part[2] % 100, (unsigned)part[3] % 100,
	    (unsigned)part[4] % 100, (unsigned)part[5] % 100);
	assert_int_equal(
	    der_generalized_time((const uint8_t *)text, &have) == STATUS_OK,
	    real);
	assert_true(!real || have == want);
	if (part[0] < 1950 || part[0] > 2049)
		return;
	assert_int_equal(
	    der_utc_time((const uint8_t *)text + 2, &have) == STATUS_OK, real);
	assert_true(!real || have == want);
}

/* Every two digits at every place, beside others that are in order. */
static void
test_numbers(void **state)
{
	(void)state;
	for (int year = 1900; year <= 2100; year++)
		for (int i = 0; i < 10000; i++)
			time_check((int[6]){year, i / 100, i % 100, 1, 2, 3});
	for (int i = 0; i < 1000000; i++)
		time_check(
		    (int[6]){2024, 2, 29, i / 10000, i / 100 % 100, i % 100});
	for (int year = 0; year < 10000; year++)
		for (int day = 28; day <= 30; day++)
			time_check((int[6]){year, 2, day, 23, 59, 59});
}

/* Every octet at every place of a time: digits alone are digits. */
static void
test_digits(void **state)
{
	static const char whole[] = "20151011121314Z";
	uint8_t text[sizeof(whole)];
	int64_t sec;

	(void)state;
	for (size_t i = 0; i < 256 * (sizeof(whole) - 1); i++) {
		size_t at = i / 256;
		uint8_t octet = (uint8_t)i;
		bool is_digit = octet >= '0' && octet <= '9';

		memcpy(text, whole, sizeof(whole));
		text[at] = octet;
		if (at == sizeof(whole) - 2 ? octet == 'Z' : is_digit)
			continue;
		assert_int_equal(
		    der_generalized_time(text, &sec), STATUS_MALFORMED);
		if (at >= 2)
			assert_int_equal(
			    der_utc_time(text + 2, &sec), STATUS_MALFORMED);
	}
}

/* Every day from 1950 to 2049, and every 29th of ten thousand years. */
static void
test_calendar(void **state)
{
	(void)state;
	for (int64_t day = 0; day < 36525; day++)
		date_check(-631152000 + day * 86400 + day % 86400, true);
	for (int64_t day = 0; day < 3652425; day += 29)
		date_check(-62167219200 + day * 86400 + day % 86400, false);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_entries),
	    cmocka_unit_test(test_serials),
	    cmocka_unit_test(test_entry_extensions),
	    cmocka_unit_test(test_bad_entries),
	    cmocka_unit_test(test_truncated),
	    cmocka_unit_test(test_two_paths),
	    cmocka_unit_test(test_serial_lengths),
	    cmocka_unit_test(test_numbers),
	    cmocka_unit_test(test_digits),
	    cmocka_unit_test(test_calendar),
	};

	return cmocka_run_group_tests(tests, guard_setup, NULL);
}
