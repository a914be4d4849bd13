/* SPDX-License-Identifier: ISC */
/* DER pieces of the encoder, each against octets written by hand. */
#include "crlpress/der_write.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "crlpress/utc.h"

#define ROOM 64

struct header_case {
	size_t len;
	const char *octets;
	size_t octets_len;
};

/* X.690, 8.1.3 and 10.1: the shortest form that holds the length. */
static const struct header_case headers[] = {
    {0, "\x30\x00", 2},
    {1, "\x30\x01", 2},
    {127, "\x30\x7f", 2},
    {128, "\x30\x81\x80", 3},
    {255, "\x30\x81\xff", 3},
    {256, "\x30\x82\x01\x00", 4},
    {65535, "\x30\x82\xff\xff", 4},
    {65536, "\x30\x83\x01\x00\x00", 5},
    {16777215, "\x30\x83\xff\xff\xff", 5},
    {16777216, "\x30\x84\x01\x00\x00\x00", 6},
    {0x7fffffff, "\x30\x84\x7f\xff\xff\xff", 6},
};

static void
test_header(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(headers) / sizeof(headers[0]); i++) {
		const struct header_case *c = &headers[i];
		uint8_t out[ROOM];

		memset(out, 0x5a, sizeof(out));
		assert_ptr_equal(der_put_header(out, DER_SEQUENCE, c->len),
		    out + c->octets_len);
		assert_memory_equal(out, c->octets, c->octets_len);
		assert_int_equal(out[c->octets_len], 0x5a);
		assert_int_equal(der_size(c->len), c->octets_len + c->len);
	}
}

static void
test_tags(void **state)
{
	uint8_t out[ROOM];

	(void)state;
	der_put_header(out, DER_CONTEXT(6), 3);
	assert_memory_equal(out, "\x86\x03", 2);
	der_put_header(out, DER_CONTEXT_CONSTRUCTED(0), 200);
	assert_memory_equal(out, "\xa0\x81\xc8", 3);
}

struct uint_case {
	const char *hex;
	const char *octets;
	size_t octets_len;
};

/* X.690, 8.3.2: no more octets than needed; a sign octet before 80 to ff. */
static const struct uint_case uints[] = {
    {"00", "\x02\x01\x00", 3},
    {"01", "\x02\x01\x01", 3},
    {"7f", "\x02\x01\x7f", 3},
    {"80", "\x02\x02\x00\x80", 4},
    {"ff", "\x02\x02\x00\xff", 4},
    {"0100", "\x02\x02\x01\x00", 4},
    {"7fff", "\x02\x02\x7f\xff", 4},
    {"8000", "\x02\x03\x00\x80\x00", 5},
    {"ffffffffffffffffffffffffffffffffffffff",
	"\x02\x14\x00\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"
	"\xff\xff\xff\xff\xff",
	22},
    {"7fffffffffffffffffffffffffffffffffffffff",
	"\x02\x14\x7f\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"
	"\xff\xff\xff\xff\xff",
	22},
};

static void
test_uint(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(uints) / sizeof(uints[0]); i++) {
		const struct uint_case *c = &uints[i];
		struct uint160 value;
		const char *why;
		uint8_t out[ROOM];

		memset(out, 0x5a, sizeof(out));
		assert_int_equal(
		    uint160_from_hex(&value, c->hex, strlen(c->hex), &why),
		    STATUS_OK);
		assert_int_equal(der_uint_len(&value), c->octets_len - 2);
		assert_ptr_equal(
		    der_put_uint(out, &value), out + c->octets_len);
		assert_memory_equal(out, c->octets, c->octets_len);
		assert_int_equal(out[c->octets_len], 0x5a);
	}
}

struct time_case {
	const char *iso;
	const char *der; /* tag, length, text */
};

/* RFC 5280, 5.1.2.4: UTCTime to 2049; 4.1.2.5.1: YY from 50 means 19YY. */
static const struct time_case times[] = {
    {"1950-01-01T00:00:00Z", "\x17\x0d"
			     "500101000000Z"},
    {"1969-12-31T23:59:59Z", "\x17\x0d"
			     "691231235959Z"},
    {"1999-12-31T23:59:59Z", "\x17\x0d"
			     "991231235959Z"},
    {"2000-02-29T12:34:56Z", "\x17\x0d"
			     "000229123456Z"},
    {"2026-11-22T05:09:49Z", "\x17\x0d"
			     "261122050949Z"},
    {"2049-12-31T23:59:59Z", "\x17\x0d"
			     "491231235959Z"},
    {"2050-01-01T00:00:00Z", "\x18\x0f"
			     "20500101000000Z"},
    {"9999-12-31T23:59:59Z", "\x18\x0f"
			     "99991231235959Z"},
};

/* Of every length; no octet behind what was written is touched. */
static void
test_uint_lengths(void **state)
{
	(void)state;
	for (size_t i = 0; i < 4 * UINT160_OCTETS; i++) {
		static const uint8_t firsts[] = {0x01, 0x7f, 0x80, 0xff};
		size_t len = i / 4 + 1, sign = firsts[i % 4] >> 7;
		struct uint160 value = {{0}};
		uint8_t have[ROOM], want[ROOM];

		memset(have, 0xa5, sizeof(have));
		memset(want, 0xa5, sizeof(want));
		for (size_t k = 0; k < len; k++)
			value.octet[UINT160_OCTETS - len + k] =
			    (uint8_t)(k == 0 ? firsts[i % 4] : 0x31 + k);
		want[0] = DER_INTEGER;
		want[1] = (uint8_t)(len + sign);
		want[2] = 0;
		memcpy(
		    want + 2 + sign, value.octet + UINT160_OCTETS - len, len);
		assert_ptr_equal(
		    der_put_uint(have, &value), have + 2 + sign + len);
		assert_memory_equal(have, want, sizeof(want));
		assert_int_equal(der_uint_len(&value), len + sign);
	}
}

static void
test_time(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(times) / sizeof(times[0]); i++) {
		const struct time_case *c = &times[i];
		size_t len = strlen(c->der);
		uint8_t out[ROOM];
		int64_t sec = 0;

		memset(out, 0x5a, sizeof(out));
		assert_int_equal(utc_from_iso(c->iso, &sec), STATUS_OK);
		assert_int_equal(der_time_len(sec), len - 2);
		assert_ptr_equal(der_put_time(out, sec), out + len);
		assert_memory_equal(out, c->der, len);
		assert_int_equal(out[len], 0x5a);
	}
}

static void
test_bytes(void **state)
{
	uint8_t out[ROOM] = {0};

	(void)state;
	assert_ptr_equal(der_put_bytes(out, "abc", 3), out + 3);
	assert_memory_equal(out, "abc\0", 4);
	assert_ptr_equal(der_put_bytes(out, "xyz", 0), out);
	assert_memory_equal(out, "abc\0", 4);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_header),
	    cmocka_unit_test(test_tags),
	    cmocka_unit_test(test_uint),
	    cmocka_unit_test(test_uint_lengths),
	    cmocka_unit_test(test_time),
	    cmocka_unit_test(test_bytes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
