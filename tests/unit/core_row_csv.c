/* SPDX-License-Identifier: ISC */
/*
 * Rows as psql prints them: every form that is taken gives the same row, and
 * what is anything else is refused with the field that is wrong. What a value
 * of a row may be is tested with source_row.c; here, that it is asked.
 */
#include "crlpress/row_csv.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "crlpress/source_certificate.h"
#include "crlpress/source_row.h"
#include "crlpress/utc.h"

/* 2026-11-22T05:09:49Z and 2027-02-20T05:09:49Z. */
#define REVOKED_SEC 1795324189
#define NOT_AFTER_SEC 1803100189

static const struct source_points points = {
    .url_pattern = "http://crl.example/{shard}.crl",
    .shard_first = 1,
    .shard_count = 9,
};

/* The file stands alone in memory, so that a sanitizer sees a step too far. */
static FILE *
stream_of(char *copy, const char *text, size_t len)
{
	FILE *stream;

	memcpy(copy, text, len);
	stream = fmemopen(copy, len, "r");
	assert_non_null(stream);
	return stream;
}

/* The first row of a text of `len` octets. */
static enum status
read_bytes(const char *text, size_t len, enum serial_encoding encoding,
    bool is_cdp, struct source_row *row, struct row_csv_fault *fault)
{
	char *copy = malloc(len);
	struct row_csv *csv = NULL;
	enum status status;
	FILE *stream;

	assert_non_null(copy);
	stream = stream_of(copy, text, len);
	assert_int_equal(
	    row_csv_new(stream, encoding, is_cdp ? &points : NULL, &csv),
	    STATUS_OK);
	status = row_csv_next(csv, row, fault);
	row_csv_free(csv);
	assert_int_equal(fclose(stream), 0);
	free(copy);
	return status;
}

static void
assert_read_as(
    enum serial_encoding encoding, const char *line, struct source_row *row)
{
	struct row_csv_fault fault;

	memset(row, 0x5a, sizeof(*row));
	if (read_bytes(line, strlen(line), encoding, false, row, &fault) !=
	    STATUS_OK)
		fail_msg("refused: %s: %s", line, fault.why);
}

static void
assert_read(const char *line, struct source_row *row)
{
	assert_read_as(SERIAL_BYTEA, line, row);
}

static void
assert_refused_as(enum serial_encoding encoding, bool is_cdp, const char *line,
    const char *want)
{
	struct row_csv_fault fault;
	struct source_row row;

	if (read_bytes(line, strlen(line), encoding, is_cdp, &row, &fault) !=
	    STATUS_MALFORMED)
		fail_msg("taken: %s", line);
	if (strstr(fault.why, want) == NULL)
		fail_msg("%s: have %s, want %s", line, fault.why, want);
}

static void
assert_refused(const char *line, const char *want)
{
	assert_refused_as(SERIAL_BYTEA, false, line, want);
}

static void
test_serials(void **state)
{
	static const struct {
		enum serial_encoding encoding;
		const char *text;
	} same[] = {
	    {SERIAL_BYTEA, "\\x01ab"},
	    {SERIAL_BYTEA, "01ab"},
	    {SERIAL_BYTEA, "1ab"},
	    {SERIAL_BYTEA, "01AB"},
	    {SERIAL_BYTEA, "\\x1Ab"},
	    {SERIAL_BYTEA, "000000001ab"},
	    {SERIAL_BYTEA, "\"1ab\""},
	    {SERIAL_HEX, "1ab"},
	    {SERIAL_HEX, "01AB"},
	    {SERIAL_HEX, "01AB   "},
	    /* "1ab" and "427" in octets. */
	    {SERIAL_HEX, "\\x316162"},
	    {SERIAL_DECIMAL, "427"},
	    {SERIAL_DECIMAL, "00427"},
	    {SERIAL_DECIMAL, "427 "},
	    {SERIAL_DECIMAL, "\\x343237"},
	};
	struct uint160 want = uint160_from_u64(0x1ab);
	struct source_row row;
	char line[128];

	(void)state;
	for (size_t i = 0; i < sizeof(same) / sizeof(same[0]); i++) {
		snprintf(line, sizeof(line), "%s,0,0,0,", same[i].text);
		assert_read_as(same[i].encoding, line, &row);
		assert_memory_equal(&row.serial, &want, sizeof(want));
	}
	/* 20 octets are the most. */
	assert_read("\\x7fffffffffffffffffffffffffffffffffffffff,0,0,0,", &row);
	for (size_t i = 0; i < UINT160_OCTETS; i++)
		assert_int_equal(row.serial.octet[i], i == 0 ? 0x7f : 0xff);
	assert_read_as(SERIAL_DECIMAL,
	    "730750818665451459101842416358141509827966271487,0,0,0,", &row);
	for (size_t i = 0; i < UINT160_OCTETS; i++)
		assert_int_equal(row.serial.octet[i], i == 0 ? 0x7f : 0xff);
	assert_read("\\x0a0b,0,0,0,", &row);
	want = uint160_from_u64(0x0a0b);
	assert_memory_equal(&row.serial, &want, sizeof(want));
}

static void
test_no_serials(void **state)
{
	static const struct {
		enum serial_encoding encoding;
		const char *text;
		const char *want;
	} none[] = {
	    {SERIAL_BYTEA, "8000000000000000000000000000000000000000",
		"row 8000000000000000000000000000000000000000: "
		"serial is 2^159 or above"},
	    {SERIAL_BYTEA, "017fffffffffffffffffffffffffffffffffffffff",
		"2^159 or above"},
	    {SERIAL_BYTEA, "", "serial is empty"},
	    {SERIAL_BYTEA, "\\x", "serial is empty"},
	    {SERIAL_BYTEA, "0", "row 00: serial is zero"},
	    {SERIAL_BYTEA, "\\X01", "serial, have \"\\X01\", want hex"},
	    {SERIAL_BYTEA, "0x01", "serial, have \"0x01\", want hex"},
	    {SERIAL_BYTEA, "\\\\x01", "want hex"},
	    {SERIAL_BYTEA, "\\x\\x01", "want hex"},
	    {SERIAL_BYTEA, "01:ab", "want hex"},
	    {SERIAL_BYTEA, "-1", "want hex"},
	    {SERIAL_BYTEA, " 1", "want hex"},
	    {SERIAL_BYTEA, "1 ", "want hex"},
	    {SERIAL_BYTEA, "1g", "serial, have \"1g\", want hex"},
	    {SERIAL_BYTEA, "\\x1g", "serial, have \"\\x1g\", want hex"},
	    {SERIAL_HEX, "01:ab", "row 01:ab: serial has colons in it"},
	    {SERIAL_HEX, "1g", "serial is not hex"},
	    {SERIAL_HEX, " 1", "serial has a blank in it"},
	    /* Octets that are no digits. */
	    {SERIAL_HEX, "\\x01ab", "serial is not hex"},
	    {SERIAL_DECIMAL, "\\x0427", "serial is not decimal"},
	    {SERIAL_DECIMAL, "\\x3432a", "serial is not decimal"},
	    {SERIAL_DECIMAL, "\\xg", "serial, have \"\\xg\", want hex"},
	    {SERIAL_DECIMAL, "1a", "row 1a: serial is not decimal"},
	    {SERIAL_DECIMAL, "-1", "serial is negative"},
	    {SERIAL_DECIMAL, "1e3", "serial is not decimal"},
	    {SERIAL_DECIMAL, "0", "serial is zero"},
	    {SERIAL_DECIMAL, "", "serial is empty"},
	    {SERIAL_DECIMAL, "730750818665451459101842416358141509827966271488",
		"serial is 2^159 or above"},
	};
	char line[128];

	(void)state;
	for (size_t i = 0; i < sizeof(none) / sizeof(none[0]); i++) {
		snprintf(line, sizeof(line), "%s,0,0,0,", none[i].text);
		assert_refused_as(none[i].encoding, false, line, none[i].want);
	}
}

static const char *const times[] = {
    "1795324189",
    "001795324189",
    "\"2026-11-22 05:09:49+00\"",
    "2026-11-22T05:09:49Z",
    "2026-11-22 05:09:49Z",
    "2026-11-22 05:09:49+00",
    "2026-11-22T05:09:49+00",
    "2026-11-22 05:09:49+00:00",
    "2026-11-22 05:09:49.1+00",
    "2026-11-22 05:09:49.999999+00",
    "2026-11-22 05:09:49.000000000Z",
    "2026-11-22T05:09:49.5+00:00",
    "2026-11-22 05:09:49-00",
    "2026-11-22 06:09:49+01",
    "2026-11-22 10:54:49+05:45",
    "2026-11-22 10:54:49.999999+05:45",
    "2026-11-22T01:39:49-03:30",
    "2026-11-21 20:09:49-09",
    "2026-11-22 20:09:49+15",
    "2026-11-22 11:04:46+05:54:57",
    "2026-11-21 23:14:52-05:54:57",
};

static const char *const no_times[] = {
    " ",
    "+1795324189",
    "1795324189.5",
    "1795324189Z",
    "9223372036854775807",
    "Infinity",
    "2026-11-22",
    "2026-11-22 05:09:49",
    "2026-11-22T05:09:49",
    "2026-11-22T05:09Z",
    "2026-11-22_05:09:49Z",
    "2026-11-22t05:09:49Z",
    "2026-11-22T05:09:49z",
    "2026-11-22 05:09:49+",
    "2026-11-22 05:09:49+1",
    "2026-11-22 05:09:49+16",
    "2026-11-22 05:09:49+-1",
    "2026-11-22 05:09:49+00:60",
    "2026-11-22 05:09:49+00:00:60",
    "2026-11-22 05:09:49+00:-1",
    "2026-11-22 05:09:49+0000",
    "2026-11-22 05:09:49+00:",
    "2026-11-22 05:09:49+00:0",
    "2026-11-22 05:09:49+00:00:00:00",
    "2026-11-22 05:09:49+00 ",
    "2026-11-22 05:09:49Z+00",
    "2026-11-22 05:09:49 UTC",
    "2026-11-22 05:09:49.Z",
    "2026-11-22 05:09:49.+00",
    "2026-11-22 05:09:49.5",
    "2026-11-22 05:09:49.eZ",
    "2026-11-22 05:09:49.-00Z",
    "2026-11-22 05:09:49.5.5Z",
    "2026-11-22 05:09:49.5eZ",
    "2026-11-22 05:09:49ZZ",
    " 2026-11-22 05:09:49Z",
    "2026-11-22 05:09:49Z ",
    "2026-02-30 05:09:49Z",
    "2026-13-01 05:09:49Z",
    "2026-11-22 24:00:00Z",
    "2026-11-22 05:09:60Z",
    "11/22/2026 05:09:49Z",
    "Sun Nov 22 05:09:49 2026 UTC",
};

/* What stands there is a time, and none that a CRL can say. */
static const struct {
	const char *text;
	const char *want;
} far_times[] = {
    {"", " is NULL"},
    {"infinity", " is infinity"},
    {"-infinity", " is -infinity"},
    {"1949-12-31 23:59:59Z", " is before 1950"},
    {"1950-01-01 00:59:59+01", " is before 1950"},
    {"0001-01-01 00:00:00+00", " is before 1950"},
    {"2026-11-22 05:09:49+00 BC", " is before 1950"},
    {"-631152001", " is before 1950"},
    {"10000-01-01 00:00:00Z", " is after 9999"},
    {"9999-12-31 23:00:00-01", " is after 9999"},
    {"253402300800", " is after 9999: are these seconds?"},
    {"999999999999999999", " is after 9999: are these seconds?"},
};

static void
refuse_times(const char *text, const char *want)
{
	char line[128], why[256];

	snprintf(line, sizeof(line), "1,%s,0,7,", text);
	snprintf(why, sizeof(why), "revoked_at%s", want);
	assert_refused(line, why);
	snprintf(line, sizeof(line), "1,7,0,%s,", text);
	snprintf(why, sizeof(why), "not_after%s", want);
	assert_refused(line, why);
}

static void
test_times(void **state)
{
	struct source_row row;
	char line[128];

	(void)state;
	for (size_t i = 0; i < sizeof(times) / sizeof(times[0]); i++) {
		snprintf(line, sizeof(line), "1,%s,0,7,", times[i]);
		assert_read(line, &row);
		assert_int_equal(row.revoked_at_sec, REVOKED_SEC);
		assert_int_equal(row.not_after_sec, 7);
		snprintf(line, sizeof(line), "1,7,0,%s,", times[i]);
		assert_read(line, &row);
		assert_int_equal(row.revoked_at_sec, 7);
		assert_int_equal(row.not_after_sec, REVOKED_SEC);
	}
}

/* With what is there, what is wanted, and what to do. */
static void
test_no_times(void **state)
{
	struct row_csv_fault fault;
	struct source_row row;
	char want[128];

	(void)state;
	for (size_t i = 0; i < sizeof(no_times) / sizeof(no_times[0]); i++) {
		snprintf(want, sizeof(want),
		    ", have \"%s\", want a time with its offset", no_times[i]);
		refuse_times(no_times[i], want);
	}
	for (size_t i = 0; i < sizeof(far_times) / sizeof(far_times[0]); i++)
		refuse_times(far_times[i].text, far_times[i].want);
	assert_int_equal(
	    read_bytes("1,now,0,7,", 10, SERIAL_BYTEA, false, &row, &fault),
	    STATUS_MALFORMED);
	assert_non_null(strstr(fault.hint, "PGTZ=UTC"));
	/* A long one is cut off. */
	assert_refused("1,2026-11-22 05:09:49.0000000000000000000000000000000"
		       "0000000000000,0,7,",
	    "have \"2026-11-22 05:09:49.0000000000000000000000000000\"..., "
	    "want a time");
}

/* The ends of what a row can hold. */
static void
test_time_ends(void **state)
{
	struct source_row row;

	(void)state;
	assert_read("1,0,0,253402300799,", &row);
	assert_int_equal(row.revoked_at_sec, 0);
	assert_int_equal(row.not_after_sec, UTC_MAX_SEC);
	assert_read("1,1950-01-01 00:00:00+00,0,9999-12-31T23:59:59Z,", &row);
	assert_int_equal(row.revoked_at_sec, UTC_MIN_SEC);
	assert_int_equal(row.not_after_sec, UTC_MAX_SEC);
	/* Cut off, not rounded: before 1970 too. */
	assert_read("1,1969-12-31 23:59:59.9+00,0,2000-02-29 00:00:00Z,", &row);
	assert_int_equal(row.revoked_at_sec, -1);
	assert_int_equal(row.not_after_sec, 951782400);
}

static void
test_reasons(void **state)
{
	struct source_row row;
	char line[64];

	(void)state;
	for (int reason = 0; reason < 300; reason++) {
		snprintf(line, sizeof(line), "1,0,%d,0,", reason);
		if (reason == 7 || reason == 8) {
			assert_refused(line, "row 01: reason is ");
			continue;
		}
		if (reason > 10) {
			assert_refused(line, "row 01: reason is not 0 to 10");
			continue;
		}
		assert_read(line, &row);
		assert_int_equal(row.reason, reason);
	}
	assert_read("1,0,superseded,0,", &row);
	assert_int_equal(row.reason, 4);
	assert_read("1,0,KEYCOMPROMISE,0,", &row);
	assert_int_equal(row.reason, 1);
	assert_read("1,0,cessationOfOperation,0,", &row);
	assert_int_equal(row.reason, 5);
	assert_read("1,0,unspecified,0,", &row);
	assert_int_equal(row.reason, 0);
	assert_refused("1,0,removeFromCRL,0,", "reason is 8 (removeFromCRL)");
	assert_refused("1,0,,0,", "reason is NULL");
	assert_refused("1,0,-1,0,", "reason is not 0 to 10");
	assert_refused("1,0,4294967296,0,", "reason is not 0 to 10");
	assert_refused("1,0, 1,0,",
	    "reason, have \" 1\", want a number or name of RFC 5280, 5.3.1");
	assert_refused("1,0,1.0,0,", "reason, have \"1.0\", want");
	assert_refused("1,0,none,0,", "reason, have \"none\", want");
	assert_refused("1,0,superseded4,0,", "have \"superseded4\", want");
	assert_refused("1,0,18446744073709551617,0,", "reason, have");
	assert_refused(
	    "1,0,supersededsupersededsupersededsuperseded,0,", "reason, have");
}

static void
test_shards(void **state)
{
	struct source_row row;

	(void)state;
	assert_read("1,0,0,0,", &row);
	assert_false(row.hint.has_shard);
	assert_int_equal(row.hint.shard, 0);
	assert_read("1,0,0,0,0", &row);
	assert_true(row.hint.has_shard);
	assert_int_equal(row.hint.shard, 0);
	/* Whether a scheme has such a shard is for it to say. */
	assert_read("1,0,0,0,999999999999999999", &row);
	assert_true(row.hint.has_shard);
	assert_int_equal(row.hint.shard, 999999999999999999);
	assert_read("1,0,0,0,-1", &row);
	assert_int_equal(row.hint.shard, -1);
	assert_refused("1,0,0,0,1000000000000000000", "shard, have \"1000");
	assert_refused("1,0,0,0, 1", "shard, have \" 1\", want a number");
	assert_refused("1,0,0,0,1 ", "shard, have");
	assert_refused("1,0,0,0,-", "shard, have");
	assert_refused("1,0,0,0,0x1", "shard, have");
	assert_refused("1,0,0,0,NULL", "shard, have");
}

/* That a good one is taken is tested where one is made, in cdp.bats. */
static void
test_certificates(void **state)
{
	static const struct {
		const char *text;
		const char *want;
	} cases[] = {
	    {"", "row 01: certificate is NULL"},
	    {"4", "row 01: certificate is not PEM"},
	    {"\"-----BEGIN CERTIFICATE-----\nAAAA\n"
	     "-----END CERTIFICATE-----\n\"",
		"row 01: certificate is not DER, or not one"},
	    {"\\x3000", "row 01: certificate is not DER, or not one"},
	    {"\\x300", "row 01: certificate is not DER, or not one"},
	    {"\\x300g", "certificate, have \"\\x300g\", want hex"},
	};
	char line[160];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		snprintf(line, sizeof(line), "1,0,0,0,%s\n", cases[i].text);
		assert_refused_as(SERIAL_BYTEA, true, line, cases[i].want);
	}
	assert_refused_as(SERIAL_BYTEA, true, "1,0,0,0\n",
	    "fields, have 4, want serial,revoked_at,reason,not_after,"
	    "certificate, and recorded_at or not");
}

/* What a tuple can have, in serial and certificate, and one octet more; in
 * hex, twice as much. */
static void
test_large(void **state)
{
	static const size_t sizes[] = {60000, 65400, 65536, 66000, 120000};
	const size_t room = 2 * 130000 + 64;
	struct row_csv_fault fault;
	struct source_row row;
	char *text = malloc(room);

	(void)state;
	assert_non_null(text);
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++)
		for (int which = 0; which < 2; which++) {
			char *digits = text + (which == 0 ? 2 : 10);
			size_t n = sizes[i];

			memcpy(text, which == 0 ? "\\x" : "1,0,0,0,\\x",
			    which == 0 ? 2 : 10);
			memset(digits, '1', n);
			memcpy(digits + n, which == 0 ? ",0,0,0,\\x11" : "",
			    which == 0 ? 12 : 1);
			assert_int_equal(read_bytes(text, strlen(text),
					     SERIAL_HEX, true, &row, &fault),
			    STATUS_MALFORMED);
			assert_null(strstr(fault.why, "longer than any row"));
			/* As hex of a serial that is all digits "\x11". */
			if (n == 120000)
				assert_non_null(strstr(fault.why,
				    which == 0 ? "not hex" : "not DER"));
		}
	/* Text is as long as it is. */
	memcpy(text, "1,0,0,0,", 8);
	memset(text + 8, 'A', 65500);
	assert_int_equal(
	    read_bytes(text, 8 + 65500, SERIAL_HEX, true, &row, &fault),
	    STATUS_MALFORMED);
	assert_string_equal(fault.why, "a row above 64 KiB");
	/* With no room for the numbers behind it. */
	memset(text, '1', 65500);
	memcpy(text + 65500, ",0,0,0,", 7);
	assert_int_equal(
	    read_bytes(text, 65500 + 7, SERIAL_DECIMAL, true, &row, &fault),
	    STATUS_MALFORMED);
	assert_string_equal(fault.why, "a row above 64 KiB");
	/* Both at once. */
	memset(text, '1', 65400);
	memcpy(text + 65400, ",0,0,0,", 7);
	memset(text + 65407, 'A', 60000);
	assert_int_equal(
	    read_bytes(text, 65407 + 60000, SERIAL_DECIMAL, true, &row, &fault),
	    STATUS_MALFORMED);
	assert_string_equal(fault.why, "a row above 64 KiB");
	free(text);
}

static void
test_fields(void **state)
{
	struct source_row row;

	(void)state;
	assert_read(
	    "\\x0a,2026-11-22 05:09:49+00,1,2027-02-20 05:09:49+00,63", &row);
	assert_int_equal(row.serial.octet[UINT160_OCTETS - 1], 10);
	assert_int_equal(row.revoked_at_sec, REVOKED_SEC);
	assert_int_equal(row.reason, 1);
	assert_int_equal(row.not_after_sec, NOT_AFTER_SEC);
	assert_int_equal(row.hint.shard, 63);
	assert_refused("1",
	    "fields, have 1, want serial,revoked_at,reason,not_after,shard, "
	    "and recorded_at or not");
	assert_refused("1,0,0,0", "fields, have 4, want serial");
	assert_refused("1,0,0,0,0,,", "fields, have 7, want serial");
	assert_refused("1,0,0,0,0,0,0,0,0,0", "fields, have 10, want serial");
	assert_refused("1;0;0;0;0", "fields, have 1, want serial");
	assert_refused(",,,,", "serial is empty");
}

/* The sixth is checked and not kept. */
static void
test_recorded(void **state)
{
	static const char *const good[] = {"", "0", "1795324189",
	    "2026-11-22 05:09:49.123456+00", "2026-11-22T05:09:49Z", "infinity",
	    "-infinity", "0001-01-01 00:00:00+00", "-1",
	    "2026-11-22 05:09:49+01"};
	static const char *const bad[] = {
	    " ", "now", "2026-11-22", "infinity ", "0 "};
	struct source_row row;
	char line[80];

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		(void)snprintf(line, sizeof(line), "1,2,3,4,5,%s", good[i]);
		assert_read(line, &row);
		assert_int_equal(row.hint.shard, 5);
		assert_int_equal(row.not_after_sec, 4);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		(void)snprintf(line, sizeof(line), "1,2,3,4,5,%s", bad[i]);
		assert_refused(line, "recorded_at, have");
	}
}

/* A NUL is an octet like any other. */
static void
test_octets(void **state)
{
	static const char nul_in_serial[] = "1\0,2,3,4,5";
	static const char nul_in_shard[] = "1,2,3,4,5\0";
	static const char nul_in_reason[] = "1,2,superseded\0,4,5";
	struct row_csv_fault fault;
	struct source_row row;

	(void)state;
	assert_int_equal(read_bytes(nul_in_serial, sizeof(nul_in_serial) - 1,
			     SERIAL_BYTEA, false, &row, &fault),
	    STATUS_MALFORMED);
	assert_int_equal(read_bytes(nul_in_serial, sizeof(nul_in_serial) - 1,
			     SERIAL_DECIMAL, false, &row, &fault),
	    STATUS_MALFORMED);
	assert_int_equal(read_bytes(nul_in_shard, sizeof(nul_in_shard) - 1,
			     SERIAL_BYTEA, false, &row, &fault),
	    STATUS_MALFORMED);
	assert_int_equal(read_bytes(nul_in_reason, sizeof(nul_in_reason) - 1,
			     SERIAL_BYTEA, false, &row, &fault),
	    STATUS_MALFORMED);
}

/* Of a file: a letter a record, R a row, F a fault, I cannot be read. */
static void
assert_records(const char *text, const char *want, const uint64_t *lines)
{
	char have[16] = "", *copy = malloc(strlen(text));
	struct row_csv *csv = NULL;
	struct row_csv_fault fault;
	struct source_row row;
	enum status status;
	size_t n = 0;
	FILE *stream;

	assert_non_null(copy);
	stream = stream_of(copy, text, strlen(text));
	assert_int_equal(
	    row_csv_new(stream, SERIAL_BYTEA, NULL, &csv), STATUS_OK);
	while ((status = row_csv_next(csv, &row, &fault)) != STATUS_DONE) {
		assert_true(n < sizeof(have) - 1);
		if (row_csv_line(csv) != lines[n])
			fail_msg("%s: %zu", text, (size_t)row_csv_line(csv));
		have[n++] = status == STATUS_OK   ? 'R'
			    : row_csv_is_cut(csv) ? 'C'
						  : 'F';
	}
	assert_string_equal(have, want);
	row_csv_free(csv);
	assert_int_equal(fclose(stream), 0);
	free(copy);
}

#define HEAD "serial,revoked_at,reason,not_after,shard\n"
#define ROW "0a,0,0,0,1"

static void
test_records(void **state)
{
	static const uint64_t lines[] = {1, 2, 3, 4}, later[] = {2, 4, 6};

	(void)state;
	assert_records(HEAD, "", lines);
	assert_records("\n\r\n", "", lines);
	assert_records(ROW, "R", lines);
	assert_records(ROW "\r\n" ROW "\r", "RR", lines);
	assert_records(HEAD ROW "\n\n" ROW "\n\n" ROW, "RRR", later);
	/* A header may name its columns otherwise, but for one of them. */
	assert_records("s,revoked_at,r,n,i\n\n\n", "", lines);
	assert_records("s,r,n,i,certificate\n", "", lines);
	assert_records("\"serial\",r\n", "", lines);
	assert_records("Serial,a,b,c,d\n" ROW, "FR", lines);
	assert_records("serials,a,b,c,d\n" ROW, "FR", lines);
	assert_records("x\n" HEAD ROW "\nx", "FFRF", lines);
	/* A line more in a field. */
	assert_records("\"0\na\",0,0,0,1\n\n\"a\",\"0\",0,0,1\n\n" ROW, "FRR",
	    (const uint64_t[]){1, 4, 6});
	assert_records(ROW "\n\"" ROW "\n", "RC", lines);
	assert_records("\"0a\"0,0,0,0,1\n" ROW, "FR", lines);
}

static void
test_longest(void **state)
{
	char text[ROW_CSV_RECORD_BYTES + 64];
	static const uint64_t lines[] = {1, 2, 3};

	(void)state;
	/* 1024 octets without the commas, and one more. */
	memset(text, '0', sizeof(text));
	memcpy(text + ROW_CSV_RECORD_BYTES - 4, "1,0,0,0,\n" ROW,
	    sizeof("1,0,0,0,\n" ROW));
	assert_records(text, "RR", lines);
	memcpy(text + ROW_CSV_RECORD_BYTES - 3, "1,0,0,0,\n" ROW,
	    sizeof("1,0,0,0,\n" ROW));
	assert_records(text, "C", lines);
	memset(text, '0', sizeof(text));
	text[ROW_CSV_RECORD_BYTES] = '\n';
	text[ROW_CSV_RECORD_BYTES + 1] = '\0';
	assert_records(text, "F", lines);
	memset(text, '0', sizeof(text));
	memcpy(text + ROW_CSV_RECORD_BYTES + 1, "\n" ROW, sizeof("\n" ROW));
	assert_records(text, "C", lines);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_serials),
	    cmocka_unit_test(test_no_serials),
	    cmocka_unit_test(test_times),
	    cmocka_unit_test(test_no_times),
	    cmocka_unit_test(test_time_ends),
	    cmocka_unit_test(test_reasons),
	    cmocka_unit_test(test_shards),
	    cmocka_unit_test(test_certificates),
	    cmocka_unit_test(test_large),
	    cmocka_unit_test(test_fields),
	    cmocka_unit_test(test_recorded),
	    cmocka_unit_test(test_octets),
	    cmocka_unit_test(test_records),
	    cmocka_unit_test(test_longest),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
