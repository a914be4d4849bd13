/* SPDX-License-Identifier: ISC */
/*
 * Serial and CRL numbers as 20 big-endian octets. Arithmetic goes over five
 * words of 32 bits, so that no step needs more than a uint64_t.
 */
#include "crlpress/uint160.h"

#include <endian.h>
#include <string.h>

#include "crlpress/hex.h"

#define WORDS (UINT160_OCTETS / 4)

/* The largest power of ten in a word, and its digits. */
#define DECIMAL_GROUP 1000000000U
#define DECIMAL_GROUP_DIGITS 9

static const char *const why_large = "not below 2^159 (20 octets)";

/* Most significant word first. */
static void
words_load(uint32_t word[WORDS], const struct uint160 *value)
{
	for (size_t i = 0; i < WORDS; i++) {
		const uint8_t *p = &value->octet[4 * i];

		word[i] = (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 |
			  (uint32_t)p[2] << 8 | (uint32_t)p[3];
	}
}

static void
words_store(struct uint160 *value, const uint32_t word[WORDS])
{
	for (size_t i = 0; i < WORDS; i++) {
		uint8_t *p = &value->octet[4 * i];

		p[0] = (uint8_t)(word[i] >> 24);
		p[1] = (uint8_t)(word[i] >> 16);
		p[2] = (uint8_t)(word[i] >> 8);
		p[3] = (uint8_t)word[i];
	}
}

/* word = word * factor + add, modulo 2^160; the carry out is returned. */
static uint32_t
words_multiply_add(uint32_t word[WORDS], uint32_t factor, uint32_t add)
{
	uint64_t carry = add;

	for (size_t i = WORDS; i-- > 0;) {
		carry += (uint64_t)word[i] * factor;
		word[i] = (uint32_t)carry;
		carry >>= 32;
	}
	return (uint32_t)carry;
}

/* word = word / n; the remainder is returned. */
static uint32_t
words_divide(uint32_t word[WORDS], uint32_t n)
{
	uint64_t rest = 0;

	for (size_t i = 0; i < WORDS; i++) {
		rest = rest << 32 | word[i];
		word[i] = (uint32_t)(rest / n);
		rest %= n;
	}
	return (uint32_t)rest;
}

static uint64_t
load_64(const uint8_t *p)
{
	uint64_t n;

	memcpy(&n, p, sizeof(n));
	return be64toh(n);
}

static uint32_t
load_32(const uint8_t *p)
{
	uint32_t n;

	memcpy(&n, p, sizeof(n));
	return be32toh(n);
}

/*
 * As many octets as there may be, in three pieces and without a loop. They are
 * written where they stay: see uint160_compare.
 */
static void
octets_load(struct uint160 *value, const uint8_t *octets, size_t len)
{
	uint64_t high = 0, low = 0;
	uint32_t top = 0;

	if (len >= 16) {
		low = load_64(octets + len - 8);
		high = load_64(octets + len - 16);
		top = (uint32_t)((uint64_t)load_32(octets) >> 8 * (20 - len));
	} else if (len >= 8) {
		low = load_64(octets + len - 8);
		high = load_64(octets) >> 8 >> 8 * (15 - len);
	} else {
		for (size_t i = 0; i < len; i++)
			low = low << 8 | octets[i];
	}
	top = htobe32(top);
	high = htobe64(high);
	low = htobe64(low);
	memcpy(value->octet, &top, sizeof(top));
	memcpy(value->octet + 4, &high, sizeof(high));
	memcpy(value->octet + 12, &low, sizeof(low));
}

enum status
uint160_from_octets(
    struct uint160 *value, const uint8_t *octets, size_t len, const char **why)
{
	if (len == 0) {
		*why = "empty";
		return STATUS_MALFORMED;
	}
	while (len > UINT160_OCTETS && *octets == 0) {
		octets++;
		len--;
	}
	if (len > UINT160_OCTETS ||
	    (len == UINT160_OCTETS && (octets[0] & 0x80) != 0)) {
		*why = why_large;
		return STATUS_MALFORMED;
	}
	octets_load(value, octets, len);
	return STATUS_OK;
}

enum status
uint160_from_hex(
    struct uint160 *value, const char *text, size_t len, const char **why)
{
	struct uint160 v = {{0}};
	size_t significant = 0;

	if (len == 0) {
		*why = "empty";
		return STATUS_MALFORMED;
	}
	for (size_t i = 0; i < len; i++) {
		if (hex_digit(text[i]) < 0) {
			*why = "not hexadecimal digits alone";
			return STATUS_MALFORMED;
		}
		if (significant > 0 || text[i] != '0')
			significant++;
	}
	if (significant > (size_t)2 * UINT160_OCTETS) {
		*why = why_large;
		return STATUS_MALFORMED;
	}
	for (size_t i = 0; i < significant; i++) {
		int digit = hex_digit(text[len - 1 - i]);

		v.octet[UINT160_OCTETS - 1 - i / 2] |=
		    (uint8_t)(i % 2 == 0 ? digit : digit << 4);
	}
	if ((v.octet[0] & 0x80) != 0) {
		*why = why_large;
		return STATUS_MALFORMED;
	}
	*value = v;
	return STATUS_OK;
}

enum status
uint160_from_decimal(
    struct uint160 *value, const char *text, size_t len, const char **why)
{
	uint32_t word[WORDS] = {0};
	bool large = false;

	if (len == 0) {
		*why = "empty";
		return STATUS_MALFORMED;
	}
	for (size_t i = 0; i < len; i++) {
		if (text[i] < '0' || text[i] > '9') {
			*why = "not decimal digits alone";
			return STATUS_MALFORMED;
		}
		if (words_multiply_add(word, 10, (uint32_t)(text[i] - '0')) !=
		    0)
			large = true;
	}
	if (large || (word[0] & 0x80000000U) != 0) {
		*why = why_large;
		return STATUS_MALFORMED;
	}
	words_store(value, word);
	return STATUS_OK;
}

struct uint160
uint160_from_u64(uint64_t n)
{
	struct uint160 value = {{0}};

	for (size_t i = UINT160_OCTETS; n != 0; n >>= 8)
		value.octet[--i] = (uint8_t)n;
	return value;
}

enum status
uint160_next(struct uint160 *value)
{
	struct uint160 v = *value;
	size_t i = UINT160_OCTETS;

	while (i > 0 && ++v.octet[i - 1] == 0)
		i--;
	if (i == 0 || (v.octet[0] & 0x80) != 0)
		return STATUS_MALFORMED;
	*value = v;
	return STATUS_OK;
}

/*
 * What memcmp would say, in the pieces of 4, 8 and 8 octets that serials are
 * written in: one load over several stores that are still under way waits for
 * all of them, and a serial is mostly compared as soon as it is read.
 */
int
uint160_compare(const struct uint160 *a, const struct uint160 *b)
{
	uint64_t x = load_32(a->octet), y = load_32(b->octet);

	if (x == y) {
		x = load_64(a->octet + 4);
		y = load_64(b->octet + 4);
	}
	if (x == y) {
		x = load_64(a->octet + 12);
		y = load_64(b->octet + 12);
	}
	return (x > y) - (x < y);
}

bool
uint160_is_zero(const struct uint160 *value)
{
	return (load_32(value->octet) | load_64(value->octet + 4) |
		   load_64(value->octet + 12)) == 0;
}

uint32_t
uint160_mod(const struct uint160 *value, uint32_t n)
{
	uint32_t word[WORDS];
	uint64_t rest = 0;

	words_load(word, value);
	/* Shard counts are mostly powers of two: then the low bits suffice. */
	if ((n & (n - 1)) == 0)
		return word[WORDS - 1] & (n - 1);
	for (size_t i = 0; i < WORDS; i++)
		rest = (rest << 32 | word[i]) % n;
	return (uint32_t)rest;
}

char *
uint160_to_hex(const struct uint160 *value, char out[UINT160_HEX_BYTES])
{
	static const char digits[] = "0123456789abcdef";
	size_t i = 0;
	char *p = out;

	while (i < UINT160_OCTETS - 1 && value->octet[i] == 0)
		i++;
	for (; i < UINT160_OCTETS; i++) {
		*p++ = digits[value->octet[i] >> 4];
		*p++ = digits[value->octet[i] & 0xf];
	}
	*p = '\0';
	return out;
}

char *
uint160_to_decimal(const struct uint160 *value, char out[UINT160_DECIMAL_BYTES])
{
	/* Whole groups of nine digits, least significant last. */
	char digits[6 * DECIMAL_GROUP_DIGITS];
	uint32_t word[WORDS];
	size_t start = sizeof(digits);
	size_t zeros = 0;

	words_load(word, value);
	while (start > 0) {
		uint32_t group = words_divide(word, DECIMAL_GROUP);

		for (int i = 0; i < DECIMAL_GROUP_DIGITS; i++) {
			digits[--start] = (char)('0' + group % 10);
			group /= 10;
		}
	}
	while (zeros < sizeof(digits) - 1 && digits[zeros] == '0')
		zeros++;
	/* At most 49 digits are left, of whatever 20 octets there are. */
	memcpy(out, digits + zeros, sizeof(digits) - zeros);
	out[sizeof(digits) - zeros] = '\0';
	return out;
}
