/* SPDX-License-Identifier: ISC */
/*
 * Decimal numbers, strictly. A value has one spelling, but where people fill
 * columns up: what is read here is compared, hashed or checked elsewhere, and
 * `010` must not be taken for eight by one reader and for ten by another.
 */
#include "crlpress/decimal.h"

#include <stdbool.h>

static const char not_decimal[] = "not a decimal number without leading zeros";
static const char too_large[] = "a number too large";

static enum status
refuse(const char **why, const char *text)
{
	if (why != NULL)
		*why = text;
	return STATUS_MALFORMED;
}

static bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

const char *
decimal_fault(const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (!is_digit(text[i]))
			return not_decimal;
	return len == 0 || (text[0] == '0' && len > 1) ? not_decimal : NULL;
}

enum status
decimal_read_filled(const char *text, size_t len, uint64_t most,
    uint64_t *value, const char **why)
{
	uint64_t sum = 0;

	if (len == 0)
		return refuse(why, not_decimal);
	for (size_t i = 0; i < len; i++) {
		if (!is_digit(text[i]))
			return refuse(why, not_decimal);
		if (__builtin_mul_overflow(sum, 10U, &sum) ||
		    __builtin_add_overflow(
			sum, (unsigned)(text[i] - '0'), &sum) ||
		    sum > most)
			return refuse(why, too_large);
	}
	*value = sum;
	return STATUS_OK;
}

enum status
decimal_read(const char *text, size_t len, uint64_t most, uint64_t *value,
    const char **why)
{
	const char *fault = decimal_fault(text, len);

	if (fault != NULL)
		return refuse(why, fault);
	return decimal_read_filled(text, len, most, value, why);
}

enum status
decimal_take(const char **text, const char *end, uint64_t most, uint64_t *value,
    const char **why)
{
	const char *behind = *text;
	enum status status;

	while (behind < end && is_digit(*behind))
		behind++;
	status =
	    decimal_read(*text, (size_t)(behind - *text), most, value, why);
	if (status == STATUS_OK)
		*text = behind;
	return status;
}
