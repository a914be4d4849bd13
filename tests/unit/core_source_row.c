/* SPDX-License-Identifier: ISC */
/*
 * Tuples of a binary COPY, built here by hand from PostgreSQL's description of
 * the format: what becomes of each value, each fault, each cut.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "crlpress/source_row.h"
#include "crlpress/utc.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

#define MISCOUNT "a tuple of another number of fields than columns"
#define USEC 1000000LL
/* 2000-01-01 00:00:00 UTC. */
#define EPOCH_SEC 946684800LL

/* Two good times. */
#define REVOKED_SEC 1700000000LL
#define NOT_AFTER_SEC 1800000000LL

/* A tuple while it is put together. */
struct tuple {
	uint8_t octet[2 * SOURCE_TUPLE_BYTES_MOST];
	size_t len;
};

static const struct source_layout layout_bytea = {SERIAL_BYTEA,
    {SOURCE_TYPE_BYTEA, SOURCE_TYPE_TIMESTAMPTZ, SOURCE_TYPE_INT2,
	SOURCE_TYPE_TIMESTAMPTZ, SOURCE_TYPE_INT4},
    false, NULL, NULL};
static const struct source_layout layout_hex = {SERIAL_HEX,
    {SOURCE_TYPE_TEXT, SOURCE_TYPE_INT8, SOURCE_TYPE_INT4, SOURCE_TYPE_INT4,
	SOURCE_TYPE_INT8},
    false, NULL, NULL};
static const struct source_layout layout_decimal = {SERIAL_DECIMAL,
    {SOURCE_TYPE_TEXT, SOURCE_TYPE_INT8, SOURCE_TYPE_INT4, SOURCE_TYPE_INT4,
	SOURCE_TYPE_INT8},
    false, NULL, NULL};
static const struct source_layout layout_bpchar = {SERIAL_HEX,
    {SOURCE_TYPE_BPCHAR, SOURCE_TYPE_INT8, SOURCE_TYPE_INT4, SOURCE_TYPE_INT4,
	SOURCE_TYPE_INT8},
    false, NULL, NULL};

static void
put_integer(struct tuple *tuple, int size, int64_t value)
{
	for (int i = size - 1; i >= 0; i--)
		tuple->octet[tuple->len++] =
		    (uint8_t)((uint64_t)value >> (8 * i));
}

static void
put_start(struct tuple *tuple)
{
	tuple->len = 0;
	put_integer(tuple, 2, SOURCE_COLUMNS_LEAST);
}

static void
put_null(struct tuple *tuple)
{
	put_integer(tuple, 4, -1);
}

static void
put_octets(struct tuple *tuple, const void *octets, size_t len)
{
	put_integer(tuple, 4, (int64_t)len);
	memcpy(tuple->octet + tuple->len, octets, len);
	tuple->len += len;
}

static void
put_field(struct tuple *tuple, int size, int64_t value)
{
	put_integer(tuple, 4, size);
	put_integer(tuple, size, value);
}

/* Microseconds since 2000 of whole seconds since 1970. */
static int64_t
usec_of(int64_t sec)
{
	return (sec - EPOCH_SEC) * USEC;
}

static struct source_row
decode(const struct source_layout *layout, const struct tuple *tuple)
{
	struct source_row row;
	const char *why = NULL;
	size_t used = 0;

	/* What a row of the batch before may have left; a bool is 0 or 1. */
	memset(&row, 0x01, sizeof(row));
	assert_int_equal(source_row_decode(layout, tuple->octet, tuple->len,
			     &used, &row, &why),
	    STATUS_OK);
	assert_int_equal(used, tuple->len);
	return row;
}

/* A good row of layout_bytea but for its times. */
static struct source_row
decode_times(int64_t revoked_usec, int64_t not_after_usec)
{
	static struct tuple tuple;

	put_start(&tuple);
	put_octets(&tuple, "\x01", 1);
	put_field(&tuple, 8, revoked_usec);
	put_field(&tuple, 2, 1);
	put_field(&tuple, 8, not_after_usec);
	put_field(&tuple, 4, 3);
	return decode(&layout_bytea, &tuple);
}

/* A good row but for its serial; NULL is SQL's. */
static struct source_row
decode_serial(
    const struct source_layout *layout, const char *serial, size_t len)
{
	static struct tuple tuple;

	put_start(&tuple);
	if (serial != NULL)
		put_octets(&tuple, serial, len);
	else
		put_null(&tuple);
	if (layout->encoding == SERIAL_BYTEA) {
		put_field(&tuple, 8, usec_of(REVOKED_SEC));
		put_field(&tuple, 2, 1);
		put_field(&tuple, 8, usec_of(NOT_AFTER_SEC));
		put_field(&tuple, 4, 3);
	} else {
		put_field(&tuple, 8, REVOKED_SEC);
		put_field(&tuple, 4, 1);
		put_field(&tuple, 4, NOT_AFTER_SEC);
		put_field(&tuple, 8, 3);
	}
	return decode(layout, &tuple);
}

static void
assert_serial(const struct source_row *row, const char *hex)
{
	char have[UINT160_HEX_BYTES];

	assert_null(row->fault);
	assert_true(row->has_serial);
	assert_string_equal(uint160_to_hex(&row->serial, have), hex);
}

static void
test_good(void **state)
{
	struct source_row row =
	    decode_times(usec_of(REVOKED_SEC) + 999999, usec_of(NOT_AFTER_SEC));

	(void)state;
	assert_serial(&row, "01");
	assert_true(row.revoked_at_sec == REVOKED_SEC);
	assert_true(row.not_after_sec == NOT_AFTER_SEC);
	assert_int_equal(row.reason, 1);
	assert_true(row.has_not_after && row.has_hint && row.hint.has_shard);
	assert_true(row.hint.shard == 3);
	assert_string_equal(row.serial_text, "");
	assert_false(row.has_recorded);
	assert_null(row.recorded_fault);
}

/* Every octet must be there, and none more is taken. */
static void
test_cut(void **state)
{
	static struct tuple tuple;
	struct source_row row;
	const char *why;
	size_t used;

	(void)state;
	put_start(&tuple);
	put_octets(&tuple, "\x7f\x01", 2);
	put_field(&tuple, 8, usec_of(REVOKED_SEC));
	put_field(&tuple, 2, 1);
	put_field(&tuple, 8, usec_of(NOT_AFTER_SEC));
	put_null(&tuple);
	for (size_t len = 0; len < tuple.len; len++) {
		/* So that a sanitizer sees a read beyond. */
		uint8_t *part = malloc(len > 0 ? len : 1);

		assert_non_null(part);
		memcpy(part, tuple.octet, len);
		used = 99;
		assert_int_equal(source_row_decode(&layout_bytea, part, len,
				     &used, &row, &why),
		    STATUS_OK);
		assert_int_equal(used, 0);
		free(part);
	}
	memset(tuple.octet + tuple.len, 0xff, 8);
	assert_int_equal(source_row_decode(&layout_bytea, tuple.octet,
			     tuple.len + 8, &used, &row, &why),
	    STATUS_OK);
	assert_int_equal(used, tuple.len);
	assert_null(row.fault);
	assert_false(row.hint.has_shard);
	assert_true(row.has_hint);
}

static void
test_trailer(void **state)
{
	struct source_row row;
	const char *why;
	size_t used;

	(void)state;
	assert_int_equal(
	    source_row_decode(&layout_bytea, (const uint8_t *)"\xff\xff\x00", 3,
		&used, &row, &why),
	    STATUS_DONE);
	assert_int_equal(used, 2);
}

static void
assert_malformed(const struct tuple *tuple, const char *want)
{
	struct source_row row;
	const char *why = "";
	size_t used;

	assert_int_equal(source_row_decode(&layout_bytea, tuple->octet,
			     tuple->len, &used, &row, &why),
	    STATUS_MALFORMED);
	assert_string_equal(why, want);
	assert_int_equal(used, 0);
}

static void
test_malformed_count(void **state)
{
	static const int counts[] = {0, 1, 4, 6, -2, 1280};
	static struct tuple tuple;

	(void)state;
	for (size_t i = 0; i < COUNT(counts); i++) {
		tuple.len = 0;
		put_integer(&tuple, 2, counts[i]);
		assert_malformed(&tuple, MISCOUNT);
	}
}

static void
test_malformed_length(void **state)
{
	/* Field by field of layout_bytea, lengths that its type cannot have. */
	static const struct {
		int field;
		int size;
	} wrong[] = {{1, 0}, {1, 4}, {1, 7}, {1, 9}, {2, 0}, {2, 1}, {2, 4},
	    {3, 0}, {3, 4}, {3, 16}, {4, 0}, {4, 2}, {4, 8}};
	static const int right[] = {1, 8, 2, 8, 4};
	static struct tuple tuple;

	(void)state;
	for (size_t i = 0; i < COUNT(wrong); i++) {
		put_start(&tuple);
		for (int f = 0; f < SOURCE_COLUMNS_LEAST; f++) {
			int size =
			    f == wrong[i].field ? wrong[i].size : right[f];
			char octets[16] = {0};

			octets[sizeof(octets) - 1] = 1;
			put_octets(&tuple, octets + 16 - size, (size_t)size);
		}
		assert_malformed(
		    &tuple, "a field whose length is not that of its type");
	}
}

/* At once, without waiting for octets that no buffer has room for. */
static void
test_malformed_large(void **state)
{
	static const int64_t sizes[] = {SOURCE_TUPLE_BYTES_MOST,
	    SOURCE_TUPLE_BYTES_MOST - 5, INT32_MAX, INT32_MIN, -2};
	static struct tuple tuple;
	static char serial[SOURCE_TUPLE_BYTES_MOST];
	struct source_row row;
	const char *why;
	size_t used;

	(void)state;
	for (size_t i = 0; i < COUNT(sizes); i++) {
		put_start(&tuple);
		put_integer(&tuple, 4, sizes[i]);
		assert_malformed(&tuple, "a tuple above 64 KiB");
	}
	/* The largest that fits, with four heads after it, and one more. */
	put_start(&tuple);
	put_octets(&tuple, serial, SOURCE_TUPLE_BYTES_MOST - 2 - 5 * 4);
	for (int i = 0; i < 4; i++)
		put_null(&tuple);
	assert_int_equal(tuple.len, SOURCE_TUPLE_BYTES_MOST);
	assert_int_equal(source_row_decode(&layout_bytea, tuple.octet,
			     tuple.len, &used, &row, &why),
	    STATUS_OK);
	assert_int_equal(used, tuple.len);
	put_start(&tuple);
	put_octets(&tuple, serial, SOURCE_TUPLE_BYTES_MOST - 2 - 5 * 4 + 1);
	assert_malformed(&tuple, "a tuple above 64 KiB");
}

static void
test_header(void **state)
{
	static const uint8_t good[] = {'P', 'G', 'C', 'O', 'P', 'Y', '\n', 0xff,
	    '\r', '\n', 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff};
	uint8_t bytes[64] = {0};
	const char *why = NULL;
	size_t used;

	(void)state;
	for (size_t len = 0; len < 19; len++) {
		assert_int_equal(
		    source_header_decode(good, len, &used, &why), STATUS_OK);
		assert_int_equal(used, 0);
	}
	assert_int_equal(
	    source_header_decode(good, sizeof(good), &used, &why), STATUS_OK);
	assert_int_equal(used, 19);
	for (size_t i = 0; i < 11; i++) {
		memcpy(bytes, good, sizeof(good));
		bytes[i] ^= 1;
		assert_int_equal(
		    source_header_decode(bytes, i + 1, &used, &why),
		    STATUS_MALFORMED);
		assert_string_equal(why, "no binary COPY signature");
	}
	/* Flags: bit 16 was "has OIDs"; the lower half may be ignored. */
	memcpy(bytes, good, sizeof(good));
	bytes[12] = 1;
	assert_int_equal(
	    source_header_decode(bytes, 19, &used, &why), STATUS_MALFORMED);
	bytes[12] = 0;
	bytes[14] = 1;
	assert_int_equal(
	    source_header_decode(bytes, 19, &used, &why), STATUS_OK);
	assert_int_equal(used, 19);
	/* An extension is skipped, within reason. */
	bytes[18] = 10;
	assert_int_equal(
	    source_header_decode(bytes, 28, &used, &why), STATUS_OK);
	assert_int_equal(used, 0);
	assert_int_equal(
	    source_header_decode(bytes, 64, &used, &why), STATUS_OK);
	assert_int_equal(used, 29);
	bytes[15] = 0x80;
	assert_int_equal(
	    source_header_decode(bytes, 64, &used, &why), STATUS_MALFORMED);
	assert_string_equal(why, "header extension too long");
}

static void
test_serial_bytea(void **state)
{
	static const char largest[] = "\x7f\xff\xff\xff\xff\xff\xff\xff\xff\xff"
				      "\xff\xff\xff\xff\xff\xff\xff\xff\xff"
				      "\xff";
	static const char above[] = "\x80\x00\x00\x00\x00\x00\x00\x00\x00\x00"
				    "\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00";
	char long_zeros[64] = {0};
	struct source_row row;

	(void)state;
	row = decode_serial(&layout_bytea, largest, 20);
	assert_serial(&row, "7fffffffffffffffffffffffffffffffffffffff");
	row = decode_serial(&layout_bytea, "\x00\x80", 2);
	assert_serial(&row, "80");
	row = decode_serial(&layout_bytea, above, 20);
	assert_string_equal(row.fault, "serial is 2^159 or above");
	assert_string_equal(
	    row.serial_text, "8000000000000000000000000000000000000000");
	assert_false(row.has_serial);
	row = decode_serial(&layout_bytea, "", 0);
	assert_string_equal(row.fault, "serial is empty");
	assert_string_equal(row.serial_text, "");
	row = decode_serial(&layout_bytea, "\x00\x00", 2);
	assert_string_equal(row.fault, "serial is zero");
	assert_string_equal(row.serial_text, "0000");
	assert_false(row.has_serial);
	row = decode_serial(&layout_bytea, NULL, 0);
	assert_string_equal(row.fault, "serial is NULL");
	assert_string_equal(row.serial_text, "");
	/* Everything else is known. */
	assert_true(row.has_not_after && row.has_hint && row.hint.has_shard);
	assert_true(row.not_after_sec == NOT_AFTER_SEC && row.hint.shard == 3);
	/* Whole octets of what is cut off. */
	long_zeros[0] = 1;
	row = decode_serial(&layout_bytea, long_zeros, sizeof(long_zeros));
	assert_string_equal(row.fault, "serial is 2^159 or above");
	assert_int_equal(strlen(row.serial_text), 62);
}

static void
test_serial_text(void **state)
{
	static const struct {
		const struct source_layout *layout;
		const char *text;
		const char *hex;   /* or */
		const char *fault; /* what it is not */
	} cases[] = {
	    {&layout_hex, "1", "01", NULL},
	    {&layout_hex, "abc", "0abc", NULL},
	    {&layout_hex, "ABCdef", "abcdef", NULL},
	    {&layout_hex, "000000000000000000000000000000000000000000000001",
		"01", NULL},
	    {&layout_hex, "7fffffffffffffffffffffffffffffffffffffff",
		"7fffffffffffffffffffffffffffffffffffffff", NULL},
	    {&layout_hex, "8000000000000000000000000000000000000000", NULL,
		"serial is 2^159 or above"},
	    {&layout_hex, "", NULL, "serial is empty"},
	    {&layout_hex, "0", NULL, "serial is zero"},
	    {&layout_hex, "0000", NULL, "serial is zero"},
	    {&layout_hex, "-1", NULL, "serial is negative"},
	    {&layout_hex, "0x01", NULL, "serial has a 0x before it"},
	    {&layout_hex, "0X01", NULL, "serial has a 0x before it"},
	    {&layout_hex, "01:02", NULL, "serial has colons in it"},
	    {&layout_hex, " 01", NULL, "serial has a blank in it"},
	    {&layout_hex, "01 ", NULL, "serial has a blank in it"},
	    {&layout_hex, "01\n", NULL, "serial has a blank in it"},
	    {&layout_hex, "01 02", NULL, "serial has a blank in it"},
	    {&layout_hex, "0g", NULL, "serial is not hex"},
	    {&layout_hex, "\\x01", NULL, "serial is not hex"},
	    {&layout_hex, "\xc3\xa4", NULL, "serial is not hex"},
	    {&layout_bpchar, "0abc      ", "0abc", NULL},
	    {&layout_bpchar, " 0abc", NULL, "serial has a blank in it"},
	    {&layout_bpchar, "    ", NULL, "serial is empty"},
	    {&layout_decimal, "255", "ff", NULL},
	    {&layout_decimal, "0255", "ff", NULL},
	    {&layout_decimal,
		"730750818665451459101842416358141509827966271487",
		"7fffffffffffffffffffffffffffffffffffffff", NULL},
	    {&layout_decimal,
		"730750818665451459101842416358141509827966271488", NULL,
		"serial is 2^159 or above"},
	    {&layout_decimal, "-5", NULL, "serial is negative"},
	    {&layout_decimal, "1.0", NULL, "serial is not decimal"},
	    {&layout_decimal, "1e5", NULL, "serial is not decimal"},
	    {&layout_decimal, "ff", NULL, "serial is not decimal"},
	    {&layout_decimal, "+5", NULL, "serial is not decimal"},
	    {&layout_decimal, "0", NULL, "serial is zero"},
	    {&layout_decimal, "0x5", NULL, "serial has a 0x before it"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct source_row row = decode_serial(
		    cases[i].layout, cases[i].text, strlen(cases[i].text));

		if (cases[i].hex != NULL) {
			assert_serial(&row, cases[i].hex);
			continue;
		}
		assert_non_null(row.fault);
		assert_string_equal(row.fault, cases[i].fault);
		assert_false(row.has_serial);
	}
}

/* Only printable ASCII, and cut off where there is no more room. */
static void
test_serial_text_kept(void **state)
{
	char text[SOURCE_SERIAL_TEXT_BYTES + 9];
	struct source_row row;

	(void)state;
	row = decode_serial(&layout_hex, "a\0b\x1b[1m\x7f\xc3\xa4", 10);
	assert_string_equal(row.serial_text, "a?b?[1m???");
	memset(text, 'z', sizeof(text));
	row = decode_serial(&layout_hex, text, sizeof(text));
	assert_int_equal(strlen(row.serial_text), SOURCE_SERIAL_TEXT_BYTES - 1);
}

static void
test_time(void **state)
{
	static const struct {
		int64_t usec;
		int64_t sec;
		const char *fault; /* after the column's name */
	} cases[] = {
	    {0, EPOCH_SEC, NULL},
	    {999999, EPOCH_SEC, NULL},
	    {USEC, EPOCH_SEC + 1, NULL},
	    {-1, EPOCH_SEC - 1, NULL},
	    {-USEC, EPOCH_SEC - 1, NULL},
	    {-USEC - 1, EPOCH_SEC - 2, NULL},
	    {(UTC_MIN_SEC - EPOCH_SEC) * USEC, UTC_MIN_SEC, NULL},
	    {(UTC_MIN_SEC - EPOCH_SEC) * USEC - 1, 0, " is before 1950"},
	    {(UTC_MAX_SEC - EPOCH_SEC) * USEC + 999999, UTC_MAX_SEC, NULL},
	    {(UTC_MAX_SEC - EPOCH_SEC + 1) * USEC, 0, " is after 9999"},
	    {-211810204800000000LL, 0, " is before 1950"}, /* 4713 BC */
	    {INT64_MAX, 0, " is infinity"},
	    {INT64_MIN, 0, " is -infinity"},
	    {INT64_MAX - 1, 0, " is after 9999"},
	    {INT64_MIN + 1, 0, " is before 1950"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct source_row revoked =
		    decode_times(cases[i].usec, usec_of(NOT_AFTER_SEC));
		struct source_row expires =
		    decode_times(usec_of(REVOKED_SEC), cases[i].usec);

		if (cases[i].fault == NULL) {
			assert_null(revoked.fault);
			assert_true(revoked.revoked_at_sec == cases[i].sec);
			assert_null(expires.fault);
			assert_true(expires.not_after_sec == cases[i].sec);
			assert_true(expires.has_not_after);
			continue;
		}
		assert_int_equal(strncmp(revoked.fault, "revoked_at", 10), 0);
		assert_string_equal(revoked.fault + 10, cases[i].fault);
		assert_true(revoked.has_serial && revoked.has_not_after);
		assert_string_equal(revoked.serial_text, "01");
		assert_int_equal(strncmp(expires.fault, "not_after", 9), 0);
		assert_string_equal(expires.fault + 9, cases[i].fault);
		assert_true(expires.has_serial && !expires.has_not_after);
	}
}

/* Seconds of an int8 column, and milliseconds taken for them. */
static void
test_time_integer(void **state)
{
	static const struct {
		int64_t value;
		const char *fault;
	} cases[] = {
	    {0, NULL},
	    {-1, NULL},
	    {UTC_MIN_SEC, NULL},
	    {UTC_MIN_SEC - 1, "revoked_at is before 1950"},
	    {UTC_MAX_SEC, NULL},
	    {UTC_MAX_SEC + 1, "revoked_at is after 9999: are these seconds?"},
	    {1700000000000, "revoked_at is after 9999: are these seconds?"},
	    {INT64_MAX, "revoked_at is after 9999: are these seconds?"},
	    {INT64_MIN, "revoked_at is before 1950"},
	};
	static struct tuple tuple;

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct source_row row;

		put_start(&tuple);
		put_octets(&tuple, "1f", 2);
		put_field(&tuple, 8, cases[i].value);
		put_field(&tuple, 4, 0);
		put_field(&tuple, 4, -2);
		put_field(&tuple, 8, INT64_MIN);
		row = decode(&layout_hex, &tuple);
		assert_true(row.not_after_sec == -2);
		assert_true(row.hint.shard == INT64_MIN);
		if (cases[i].fault == NULL) {
			assert_null(row.fault);
			assert_true(row.revoked_at_sec == cases[i].value);
		} else {
			assert_string_equal(row.fault, cases[i].fault);
		}
	}
}

static void
test_reason(void **state)
{
	static const int good[] = {0, 1, 2, 3, 4, 5, 6, 9, 10};
	static const struct {
		int reason;
		const char *fault;
	} bad[] = {{-1, "reason is not 0 to 10"}, {11, "reason is not 0 to 10"},
	    {257, "reason is not 0 to 10"}, {-32768, "reason is not 0 to 10"},
	    {7, "reason is 7, which means nothing"},
	    {8, "reason is 8 (removeFromCRL), for delta CRLs"}};
	static struct tuple tuple;

	(void)state;
	for (size_t i = 0; i < COUNT(good) + COUNT(bad); i++) {
		bool is_good = i < COUNT(good);
		int reason = is_good ? good[i] : bad[i - COUNT(good)].reason;
		struct source_row row;

		put_start(&tuple);
		put_octets(&tuple, "\x2a", 1);
		put_field(&tuple, 8, 0);
		put_field(&tuple, 2, reason);
		put_field(&tuple, 8, 0);
		put_null(&tuple);
		row = decode(&layout_bytea, &tuple);
		if (is_good) {
			assert_null(row.fault);
			assert_int_equal(row.reason, reason);
		} else {
			assert_string_equal(
			    row.fault, bad[i - COUNT(good)].fault);
			assert_true(row.has_serial);
			assert_string_equal(row.serial_text, "2a");
		}
	}
}

/* The first NULL is told; what is known is there all the same. */
static void
test_nulls(void **state)
{
	static const char *const faults[] = {"serial is NULL",
	    "revoked_at is NULL", "reason is NULL", "not_after is NULL", NULL};
	static struct tuple tuple;

	(void)state;
	for (int null = 0; null < 5; null++) {
		struct source_row row;
		static const int size[] = {1, 8, 2, 8, 4};

		put_start(&tuple);
		for (int f = 0; f < 5; f++) {
			if (f == null)
				put_null(&tuple);
			else
				put_field(&tuple, size[f], 5);
		}
		row = decode(&layout_bytea, &tuple);
		if (faults[null] == NULL)
			assert_null(row.fault);
		else
			assert_string_equal(row.fault, faults[null]);
		assert_int_equal(row.has_serial, null != 0);
		assert_int_equal(row.has_not_after, null != 3);
		assert_int_equal(row.hint.has_shard, null != 4);
		assert_true(row.has_hint);
	}
	put_start(&tuple);
	for (int f = 0; f < 5; f++)
		put_null(&tuple);
	assert_string_equal(
	    decode(&layout_bytea, &tuple).fault, "serial is NULL");
}

/* A good row of six columns, of which the last is put by the caller. */
static void
put_start_six(struct tuple *tuple)
{
	tuple->len = 0;
	put_integer(tuple, 2, 6);
	put_octets(tuple, "\x01", 1);
	put_field(tuple, 8, usec_of(REVOKED_SEC));
	put_field(tuple, 2, 1);
	put_field(tuple, 8, usec_of(NOT_AFTER_SEC));
	put_field(tuple, 4, 3);
}

/* What is no time is told beside a row that is fine. */
static void
test_recorded(void **state)
{
	static const struct {
		int64_t usec;
		int64_t sec;
		const char *fault;
	} cases[] = {
	    {0, EPOCH_SEC, NULL},
	    {-1, EPOCH_SEC - 1, NULL},
	    {USEC * 60 + 999999, EPOCH_SEC + 60, NULL},
	    {INT64_MAX, 0, "recorded_at is infinity"},
	    {INT64_MIN, 0, "recorded_at is -infinity"},
	    {INT64_MAX - 1, 0, "recorded_at is after 9999"},
	    {INT64_MIN + 1, 0, "recorded_at is before 1950"},
	};
	struct source_layout layout = layout_bytea;
	static struct tuple tuple;
	struct source_row row;

	(void)state;
	layout.type[SOURCE_RECORDED_AT] = SOURCE_TYPE_TIMESTAMPTZ;
	layout.has_recorded_at = true;
	for (size_t i = 0; i < COUNT(cases); i++) {
		put_start_six(&tuple);
		put_field(&tuple, 8, cases[i].usec);
		row = decode(&layout, &tuple);
		assert_serial(&row, "01");
		assert_true(row.hint.shard == 3 && row.reason == 1);
		assert_string_equal(row.serial_text, "");
		assert_int_equal(row.has_recorded, cases[i].fault == NULL);
		if (cases[i].fault != NULL) {
			assert_string_equal(row.recorded_fault, cases[i].fault);
			continue;
		}
		assert_null(row.recorded_fault);
		assert_true(row.recorded_at_sec == cases[i].sec);
	}
	/* Not known, and seconds that are not. */
	put_start_six(&tuple);
	put_null(&tuple);
	row = decode(&layout, &tuple);
	assert_serial(&row, "01");
	assert_false(row.has_recorded);
	assert_null(row.recorded_fault);
	layout.type[SOURCE_RECORDED_AT] = SOURCE_TYPE_INT8;
	put_start_six(&tuple);
	put_field(&tuple, 8, 1700000000000);
	row = decode(&layout, &tuple);
	assert_serial(&row, "01");
	assert_string_equal(row.recorded_fault,
	    "recorded_at is after 9999: are these seconds?");
}

/* Six columns are six fields, wholly there, of their type. */
static void
test_recorded_shape(void **state)
{
	struct source_layout layout = layout_bytea;
	static struct tuple tuple;
	struct source_row row;
	const char *why = "";
	size_t used;

	(void)state;
	layout.type[SOURCE_RECORDED_AT] = SOURCE_TYPE_TIMESTAMPTZ;
	layout.has_recorded_at = true;
	put_start_six(&tuple);
	put_field(&tuple, 8, 0);
	for (size_t len = 0; len < tuple.len; len++) {
		uint8_t *part = malloc(len > 0 ? len : 1);

		assert_non_null(part);
		memcpy(part, tuple.octet, len);
		assert_int_equal(
		    source_row_decode(&layout, part, len, &used, &row, &why),
		    STATUS_OK);
		assert_int_equal(used, 0);
		free(part);
	}
	assert_malformed(&tuple, MISCOUNT);
	tuple.octet[1] = 5;
	assert_int_equal(source_row_decode(&layout, tuple.octet, tuple.len,
			     &used, &row, &why),
	    STATUS_MALFORMED);
	for (int size = 0; size < 16; size++) {
		if (size == 8)
			continue;
		put_start_six(&tuple);
		put_octets(
		    &tuple, "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", (size_t)size);
		assert_int_equal(source_row_decode(&layout, tuple.octet,
				     tuple.len, &used, &row, &why),
		    STATUS_MALFORMED);
		assert_string_equal(
		    why, "a field whose length is not that of its type");
		assert_int_equal(used, 0);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_good),
	    cmocka_unit_test(test_cut),
	    cmocka_unit_test(test_trailer),
	    cmocka_unit_test(test_malformed_count),
	    cmocka_unit_test(test_malformed_length),
	    cmocka_unit_test(test_malformed_large),
	    cmocka_unit_test(test_header),
	    cmocka_unit_test(test_serial_bytea),
	    cmocka_unit_test(test_serial_text),
	    cmocka_unit_test(test_serial_text_kept),
	    cmocka_unit_test(test_time),
	    cmocka_unit_test(test_time_integer),
	    cmocka_unit_test(test_reason),
	    cmocka_unit_test(test_nulls),
	    cmocka_unit_test(test_recorded),
	    cmocka_unit_test(test_recorded_shape),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
