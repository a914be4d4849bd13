/* SPDX-License-Identifier: ISC */
/*
 * From a certificate to its shard, and from a shard to its name. Integers
 * only: a rounded quotient would move a certificate to another URL than the
 * one it carries.
 */
#include "crlpress/shard.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "crlpress/decimal.h"
#include "crlpress/utc.h"

#define PLACE_OPEN "{shard"

/* Digits of the largest uint32_t. */
#define INDEX_DIGITS_MOST 10

static const char *const scheme_names[] = {
    [SHARD_COLUMN] = "column",
    [SHARD_SERIAL_MOD] = "serial-mod",
    [SHARD_EXPIRY] = "expiry",
    [SHARD_CDP] = "cdp",
};

static enum status
malformed(const char **why, const char *text)
{
	*why = text;
	return STATUS_MALFORMED;
}

/* The shard by the row alone; the range is checked by the caller. */
static enum status
index_from_column(
    const struct shard_hint *hint, int64_t *index, const char **why)
{
	if (!hint->has_shard)
		return malformed(why, "row without a shard");
	*index = hint->shard;
	return STATUS_OK;
}

static enum status
index_from_expiry(const struct shard_scheme_config *config,
    int64_t not_after_sec, int64_t *index, const char **why)
{
	int64_t since;

	if (config->chunk_sec <= 0)
		return malformed(why, "chunk not above 0 seconds");
	if (not_after_sec < config->anchor_sec)
		return malformed(why, "not_after before the anchor");
	if (__builtin_sub_overflow(not_after_sec, config->anchor_sec, &since))
		return malformed(why, "not_after too far from the anchor");
	/* Neither is negative: the division rounds down. */
	*index = since / config->chunk_sec % config->count + config->first;
	return STATUS_OK;
}

/*
 * Reads "}" or ":0W}" behind "{shard"; `*width` is 1 without one. Returns
 * what follows the place, NULL when it is neither.
 */
static const char *
place_end(const char *p, unsigned *width)
{
	*width = 1;
	if (p[0] == ':' && p[1] == '0' && p[2] >= '1' && p[2] <= '9') {
		*width = (unsigned)(p[2] - '0');
		p += 3;
	}
	return *p == '}' ? p + 1 : NULL;
}

/* Decimal, filled with zeros to `width`; returns the number of digits. */
static size_t
index_digits(uint32_t index, unsigned width, char digits[INDEX_DIGITS_MOST])
{
	char reversed[INDEX_DIGITS_MOST];
	size_t n = 0;

	do {
		reversed[n++] = (char)('0' + index % 10);
		index /= 10;
	} while (index != 0 || n < width);
	for (size_t i = 0; i < n; i++)
		digits[i] = reversed[n - 1 - i];
	return n;
}

static const char *
range_fault(const struct shard_scheme_config *config)
{
	if (config->count == 0 || config->count > SHARD_COUNT_MOST)
		return "shard count not 1 to 65536";
	if (config->first > UINT32_MAX - (config->count - 1))
		return "first shard too large";
	return NULL;
}

enum status
shard_of(const struct shard_scheme_config *config, const struct uint160 *serial,
    int64_t not_after_sec, const struct shard_hint *hint, uint32_t *index,
    const char **why)
{
	const char *fault = range_fault(config);
	enum status status = STATUS_OK;
	int64_t answer = 0;

	if (fault != NULL)
		return malformed(why, fault);
	switch (config->scheme) {
	case SHARD_COLUMN:
	case SHARD_CDP:
		status = index_from_column(hint, &answer, why);
		break;
	case SHARD_SERIAL_MOD:
		answer =
		    (int64_t)uint160_mod(serial, config->count) + config->first;
		break;
	case SHARD_EXPIRY:
		status = index_from_expiry(config, not_after_sec, &answer, why);
		break;
	default:
		return malformed(why, "unknown sharding scheme");
	}
	if (status != STATUS_OK)
		return status;
	if (answer < config->first ||
	    answer > (int64_t)config->first + (config->count - 1))
		return malformed(why, "shard out of range");
	if (hint->has_shard && hint->shard != answer)
		return malformed(why, "shard contradicts the sharding scheme");
	*index = (uint32_t)answer;
	return STATUS_OK;
}

const char *
shard_scheme_name(unsigned scheme)
{
	return scheme < sizeof(scheme_names) / sizeof(scheme_names[0])
		   ? scheme_names[scheme]
		   : NULL;
}

/* Whether the index is computed; else the CA's own word for it is taken. */
static bool
is_computed(enum shard_scheme scheme)
{
	return scheme == SHARD_SERIAL_MOD || scheme == SHARD_EXPIRY;
}

struct shard_placing
shard_placing_of(const struct shard_scheme_config *config)
{
	struct shard_placing placing = {
	    .is_known = true,
	    .by = {.scheme = config->scheme},
	};

	if (is_computed(config->scheme)) {
		placing.by.count = config->count;
		placing.by.first = config->first;
	}
	if (config->scheme == SHARD_EXPIRY) {
		placing.by.anchor_sec = config->anchor_sec;
		placing.by.chunk_sec = config->chunk_sec;
	}
	return placing;
}

const char *
shard_placing_fault(const struct shard_placing *placing)
{
	const struct shard_scheme_config *by = &placing->by;

	if (shard_scheme_name(by->scheme) == NULL)
		return "unknown sharding scheme";
	if (by->scheme == SHARD_EXPIRY && by->chunk_sec <= 0)
		return "chunk not above 0 seconds";
	if (by->scheme == SHARD_EXPIRY &&
	    (by->anchor_sec < UTC_MIN_SEC || by->anchor_sec > UTC_MAX_SEC))
		return "an anchor without a date";
	return is_computed(by->scheme) ? range_fault(by) : NULL;
}

bool
shard_placing_same(const struct shard_placing *a, const struct shard_placing *b)
{
	return a->by.scheme == b->by.scheme && a->by.count == b->by.count &&
	       a->by.first == b->by.first &&
	       a->by.anchor_sec == b->by.anchor_sec &&
	       a->by.chunk_sec == b->by.chunk_sec;
}

char *
shard_placing_text(
    const struct shard_placing *placing, char out[SHARD_PLACING_BYTES])
{
	const struct shard_scheme_config *by = &placing->by;
	const char *name = shard_scheme_name(by->scheme);
	char anchor[UTC_ISO_BYTES];

	if (by->scheme == SHARD_EXPIRY)
		snprintf(out, SHARD_PLACING_BYTES,
		    "%s count=%" PRIu32 " first=%" PRIu32 " anchor=%s "
		    "chunk=%" PRId64,
		    name, by->count, by->first,
		    utc_to_iso(by->anchor_sec, anchor), by->chunk_sec);
	else if (by->scheme == SHARD_SERIAL_MOD)
		snprintf(out, SHARD_PLACING_BYTES,
		    "%s count=%" PRIu32 " first=%" PRIu32, name, by->count,
		    by->first);
	else
		snprintf(out, SHARD_PLACING_BYTES, "%s",
		    name != NULL ? name : "unknown");
	return out;
}

enum status
shard_expand(const char *pattern, uint32_t count, uint32_t index, char *out,
    size_t size, const char **why)
{
	char digits[INDEX_DIGITS_MOST];
	const char *p = pattern;
	const char *from;
	unsigned width;
	unsigned places = 0;
	size_t used = 0;
	size_t n;

	while (*p != '\0') {
		if (strncmp(p, PLACE_OPEN, strlen(PLACE_OPEN)) == 0) {
			p = place_end(p + strlen(PLACE_OPEN), &width);
			if (p == NULL)
				return malformed(
				    why, "not {shard} or {shard:04}");
			places++;
			from = digits;
			n = index_digits(index, width, digits);
		} else {
			if (*p == '{' || *p == '}')
				return malformed(
				    why, "brace outside of {shard}");
			from = p++;
			n = 1;
		}
		if (size - used <= n)
			return malformed(why, "longer than its room");
		memcpy(out + used, from, n);
		used += n;
	}
	if (places > 1 || (places == 0 && count != 1))
		return malformed(why, "{shard} must stand there exactly once");
	if (size == 0)
		return malformed(why, "longer than its room");
	out[used] = '\0';
	return STATUS_OK;
}

/*
 * What stands where the place is, as a number; 0 where nothing does, which is
 * as good as any other: the expansion of what is found here is compared.
 */
static uint64_t
index_read(const char *pattern, const char *name)
{
	const char *place = strstr(pattern, PLACE_OPEN);
	size_t before = place == NULL ? 0 : (size_t)(place - pattern);
	const char *after = place == NULL ? NULL : strchr(place, '}');
	size_t len = strlen(name);
	uint64_t index = 0;

	if (after == NULL || len < before + strlen(after + 1) ||
	    decimal_read_filled(name + before, len - before - strlen(after + 1),
		UINT32_MAX, &index, NULL) != STATUS_OK)
		return 0;
	return index;
}

enum status
shard_find(const char *pattern, uint32_t count, uint32_t first,
    const char *name, uint32_t *index)
{
	char expanded[SHARD_NAME_BYTES];
	const char *why = NULL;
	uint64_t found = first;

	if (strstr(pattern, PLACE_OPEN) != NULL)
		found = index_read(pattern, name);
	if (found < first || found - first >= count)
		return STATUS_NOT_FOUND;
	if (shard_expand(pattern, count, (uint32_t)found, expanded,
		sizeof(expanded), &why) != STATUS_OK ||
	    strcmp(expanded, name) != 0)
		return STATUS_NOT_FOUND;
	*index = (uint32_t)found;
	return STATUS_OK;
}

enum status
shard_find_octets(const char *pattern, uint32_t count, uint32_t first,
    const uint8_t *name, size_t len, uint32_t *index)
{
	char text[SHARD_NAME_BYTES];

	if (len >= sizeof(text) || memchr(name, '\0', len) != NULL)
		return STATUS_NOT_FOUND;
	memcpy(text, name, len);
	text[len] = '\0';
	return shard_find(pattern, count, first, text, index);
}
