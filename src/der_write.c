/* SPDX-License-Identifier: ISC */
/*
 * DER pieces of the encoder. The judge has its own (crl_read.c): what one of
 * them gets wrong the other shall not share.
 */
#include "crlpress/der_write.h"

#include <endian.h>
#include <string.h>

#include "crlpress/utc.h"

#define UTC_TIME_LEN 13
#define GENERALIZED_TIME_LEN 15

/* Octets behind the first one of a length: 0 for the short form. */
static size_t
length_octets(size_t len)
{
	if (len < 0x80)
		return 0;
	if (len <= 0xff)
		return 1;
	if (len <= 0xffff)
		return 2;
	return len <= 0xffffff ? 3 : 4;
}

static size_t
leading_zeros(const struct uint160 *value)
{
	uint64_t first;
	size_t zeros;

	/* Most serials have their first octets within eight. */
	memcpy(&first, value->octet, sizeof(first));
	if (first != 0)
		return (size_t)__builtin_clzll(be64toh(first)) / 8;
	zeros = sizeof(first);
	while (zeros < UINT160_OCTETS - 1 && value->octet[zeros] == 0)
		zeros++;
	return zeros;
}

static uint8_t *
put_digits(uint8_t *at, int n)
{
	*at++ = (uint8_t)('0' + n / 10);
	*at++ = (uint8_t)('0' + n % 10);
	return at;
}

size_t
der_size(size_t len)
{
	return 2 + length_octets(len) + len;
}

/* X.690, 8.3: as few octets as hold the value and a sign bit of zero. */
size_t
der_uint_len(const struct uint160 *value)
{
	size_t zeros = leading_zeros(value);

	return UINT160_OCTETS - zeros + (value->octet[zeros] >> 7);
}

/* RFC 5280, 5.1.2.4-6: UTCTime to 2049, GeneralizedTime from 2050. */
size_t
der_time_len(int64_t sec)
{
	return sec < UTC_2050_SEC ? UTC_TIME_LEN : GENERALIZED_TIME_LEN;
}

uint8_t *
der_put_header(uint8_t *at, uint8_t tag, size_t len)
{
	size_t octets = length_octets(len);

	*at++ = tag;
	if (octets == 0) {
		*at++ = (uint8_t)len;
		return at;
	}
	*at++ = (uint8_t)(0x80 | octets);
	while (octets-- > 0)
		*at++ = (uint8_t)(len >> (8 * octets));
	return at;
}

uint8_t *
der_put_bytes(uint8_t *at, const void *data, size_t len)
{
	memcpy(at, data, len);
	return at + len;
}

/* The last `len` octets, in two pieces that overlap where they are few. */
static void
octets_copy(uint8_t *at, const struct uint160 *value, size_t len)
{
	const uint8_t *from = value->octet + UINT160_OCTETS - len;

	if (len >= 16) {
		memcpy(at, from, 16);
		memcpy(at + len - 8, from + len - 8, 8);
	} else if (len >= 8) {
		memcpy(at, from, 8);
		memcpy(at + len - 8, from + len - 8, 8);
	} else {
		memcpy(at, from, len);
	}
}

/* At most 21 octets: the length takes one. */
uint8_t *
der_put_uint(uint8_t *at, const struct uint160 *value)
{
	size_t zeros = leading_zeros(value);
	size_t sign = value->octet[zeros] >> 7;
	size_t len = UINT160_OCTETS - zeros;

	at[0] = DER_INTEGER;
	at[1] = (uint8_t)(sign + len);
	at[2] = 0;
	octets_copy(at + 2 + sign, value, len);
	return at + 2 + sign + len;
}

uint8_t *
der_put_time(uint8_t *at, int64_t sec)
{
	struct utc_civil civil = utc_to_civil(sec);
	size_t len = der_time_len(sec);

	at = der_put_header(
	    at, len == UTC_TIME_LEN ? DER_UTC_TIME : DER_GENERALIZED_TIME, len);
	if (len == GENERALIZED_TIME_LEN)
		at = put_digits(at, civil.year / 100);
	at = put_digits(at, civil.year % 100);
	at = put_digits(at, civil.month);
	at = put_digits(at, civil.day);
	at = put_digits(at, civil.hour);
	at = put_digits(at, civil.minute);
	at = put_digits(at, civil.second);
	*at++ = 'Z';
	return at;
}
