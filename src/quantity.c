/* SPDX-License-Identifier: ISC */
/*
 * Strict values: every function reads the whole text or nothing. Numbers have
 * no sign, no blanks and no leading zeros, so that a value has one spelling
 * and `010` is not taken for eight by one reader and for ten by another.
 */
#include "crlpress/quantity.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "crlpress/decimal.h"

struct unit {
	char letter;
	int64_t sec;
};

/* Largest first: a sum goes down this list. */
static const struct unit units[] = {
    {'w', 604800},
    {'d', 86400},
    {'h', 3600},
    {'m', 60},
    {'s', 1},
};
#define UNITS (sizeof(units) / sizeof(units[0]))

/* Weeks are read but not printed: 30d is what people write. */
#define UNIT_FIRST_PRINTED 1

static const char duration_why[] = "not a duration like 6h, 9d, 90m or 1h30m";
static const char size_why[] = "not a size like 4096, 64k, 32M or 2G";
static const char percent_why[] = "not a whole percentage from 0% to 100%";
static const char bool_why[] = "not yes, no, true, false, on or off";

static enum status
quantity_refuse(const char **why, const char *text)
{
	*why = text;
	return STATUS_MALFORMED;
}

/* The number that `*text` begins with; moves it behind that. */
static bool
digits_read(const char **text, uint64_t *value)
{
	return decimal_take(text, *text + strlen(*text), UINT64_MAX, value,
		   NULL) == STATUS_OK;
}

/* The unit with this letter at or below `from` in the list; UNITS: none. */
static size_t
unit_find(char letter, size_t from)
{
	size_t i;

	for (i = from; i < UNITS; i++) {
		if (units[i].letter == letter)
			break;
	}
	return i;
}

enum status
quantity_duration(const char *text, int64_t *sec, const char **why)
{
	int64_t sum = 0;
	size_t next = 0;

	do {
		uint64_t number;
		int64_t part;
		size_t i;

		if (!digits_read(&text, &number))
			return quantity_refuse(why, duration_why);
		i = unit_find(*text, next);
		if (i == UNITS)
			return quantity_refuse(why, duration_why);
		if (__builtin_mul_overflow(number, units[i].sec, &part) ||
		    __builtin_add_overflow(sum, part, &sum))
			return quantity_refuse(why, "a duration too long");
		next = i + 1;
		text++;
	} while (*text != '\0');
	*sec = sum;
	return STATUS_OK;
}

enum status
quantity_size(const char *text, uint64_t *bytes, const char **why)
{
	static const struct {
		char letter;
		unsigned shift;
	} factors[] = {{'k', 10}, {'K', 10}, {'M', 20}, {'G', 30}};
	uint64_t value;
	unsigned shift = 0;
	size_t i;

	if (!digits_read(&text, &value))
		return quantity_refuse(why, size_why);
	for (i = 0; i < sizeof(factors) / sizeof(factors[0]); i++) {
		if (*text == factors[i].letter) {
			shift = factors[i].shift;
			text++;
			break;
		}
	}
	if (shift != 0 && strcmp(text, "iB") == 0)
		text += 2;
	else if (strcmp(text, "B") == 0)
		text++;
	if (*text != '\0')
		return quantity_refuse(why, size_why);
	if (__builtin_mul_overflow(value, UINT64_C(1) << shift, &value))
		return quantity_refuse(why, "a size too large");
	*bytes = value;
	return STATUS_OK;
}

enum status
quantity_percent(const char *text, uint32_t *percent, const char **why)
{
	uint64_t value;

	if (!digits_read(&text, &value) || value > 100 ||
	    strcmp(text, "%") != 0)
		return quantity_refuse(why, percent_why);
	*percent = (uint32_t)value;
	return STATUS_OK;
}

enum status
quantity_bool(const char *text, bool *value, const char **why)
{
	static const struct {
		const char *text;
		bool value;
	} words[] = {{"yes", true}, {"no", false}, {"true", true},
	    {"false", false}, {"on", true}, {"off", false}};
	size_t i;

	for (i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (strcmp(text, words[i].text) == 0) {
			*value = words[i].value;
			return STATUS_OK;
		}
	}
	return quantity_refuse(why, bool_why);
}

enum status
quantity_count(const char *text, uint64_t min, uint64_t max, uint64_t *value,
    const char **why)
{
	uint64_t number;

	if (!digits_read(&text, &number) || *text != '\0')
		return quantity_refuse(why, "not a decimal number");
	if (number < min)
		return quantity_refuse(why, "a number too small");
	if (number > max)
		return quantity_refuse(why, "a number too large");
	*value = number;
	return STATUS_OK;
}

char *
quantity_duration_text(int64_t sec, char out[QUANTITY_DURATION_BYTES])
{
	size_t len = 0;
	size_t i;

	if (sec <= 0) {
		memcpy(out, "0s", sizeof("0s"));
		return out;
	}
	for (i = UNIT_FIRST_PRINTED; i < UNITS; i++) {
		long long part = sec / units[i].sec;
		int n;

		if (part == 0)
			continue;
		n = snprintf(out + len, QUANTITY_DURATION_BYTES - len, "%lld%c",
		    part, units[i].letter);
		/* 15 digits of days and three short parts fit. */
		if (n > 0)
			len += (size_t)n;
		sec %= units[i].sec;
	}
	return out;
}
