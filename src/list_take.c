/* SPDX-License-Identifier: ISC */
/*
 * The values in the lines that list_read.c reads: one way to write each.
 */
#include "list_read.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "crlpress/decimal.h"
#include "crlpress/shard.h"
#include "crlpress/uint160.h"
#include "crlpress/utc.h"

#include "manifest_impl.h"

static const char position_fault[] = "not a WAL position";
static const char time_fault[] = "not a time like 2026-11-22T05:09:49Z";

bool
list_take_end(struct list_reader *reader)
{
	if (reader->at != reader->end)
		return list_malformed(
		    reader, "something behind the last value of the line");
	return true;
}

bool
list_take_if(struct list_reader *reader, const char *text)
{
	size_t len = strlen(text);

	if ((size_t)(reader->end - reader->at) < len ||
	    memcmp(reader->at, text, len) != 0)
		return false;
	reader->at += len;
	return true;
}

/* Exactly this text. */
bool
list_take_text(struct list_reader *reader, const char *text, const char *why)
{
	return list_take_if(reader, text) || list_malformed(reader, why);
}

/* All up to the next blank or the end of the line, at least one byte. */
bool
list_take_bytes(struct list_reader *reader, const char **bytes, size_t *len)
{
	size_t left = (size_t)(reader->end - reader->at);
	const char *blank = memchr(reader->at, ' ', left);

	*bytes = reader->at;
	*len = blank == NULL ? left : (size_t)(blank - reader->at);
	if (*len == 0)
		return list_malformed(reader, "a value is missing");
	reader->at += *len;
	return true;
}

bool
list_take_string(struct list_reader *reader, char **string,
    const char *(*fault)(const char *))
{
	const char *word;
	const char *why;
	size_t len;

	if (!list_take_bytes(reader, &word, &len))
		return false;
	if (len >= SHARD_NAME_BYTES)
		return list_malformed(reader, "a word of more than 1024 bytes");
	if (memchr(word, '\0', len) != NULL)
		return list_malformed(reader, "a NUL");
	*string = strndup(word, len);
	if (*string == NULL)
		return list_fail(reader, STATUS_NO_MEMORY, "out of memory");
	why = fault(*string);
	if (why != NULL)
		return list_malformed(reader, why);
	return true;
}

static bool
take_digits(struct list_reader *reader, uint64_t most, uint64_t *value)
{
	const char *word, *why = NULL;
	size_t len;

	if (!list_take_bytes(reader, &word, &len))
		return false;
	if (decimal_read(word, len, most, value, &why) != STATUS_OK)
		return list_malformed(reader, why);
	return true;
}

bool
list_take_word(struct list_reader *reader, void *to)
{
	return list_take_string(reader, to, manifest_word_fault);
}

bool
list_take_count(struct list_reader *reader, void *to)
{
	return take_digits(reader, UINT64_MAX, to);
}

bool
list_take_index(struct list_reader *reader, void *to)
{
	uint64_t n;

	if (!take_digits(reader, UINT32_MAX, &n))
		return false;
	*(uint32_t *)to = (uint32_t)n;
	return true;
}

bool
list_take_number(struct list_reader *reader, void *to)
{
	const char *word;
	const char *why = NULL;
	size_t len;

	if (!list_take_bytes(reader, &word, &len))
		return false;
	why = decimal_fault(word, len);
	if (why != NULL)
		return list_malformed(reader, why);
	if (uint160_from_decimal(to, word, len, &why) != STATUS_OK)
		return list_malformed(reader, why);
	return true;
}

bool
list_take_time(struct list_reader *reader, void *to)
{
	char iso[UTC_ISO_BYTES];
	const char *word;
	size_t len;

	if (!list_take_bytes(reader, &word, &len))
		return false;
	if (len != sizeof(iso) - 1 || memchr(word, '\0', len) != NULL)
		return list_malformed(reader, time_fault);
	memcpy(iso, word, len);
	iso[len] = '\0';
	if (utc_from_iso(iso, to) != STATUS_OK)
		return list_malformed(reader, time_fault);
	return true;
}

bool
list_take_hash(struct list_reader *reader, void *to)
{
	const char *word;
	size_t len;

	if (!list_take_bytes(reader, &word, &len))
		return false;
	if (hash_from_hex(word, len, to) != STATUS_OK)
		return list_malformed(
		    reader, "not a SHA-256 in lower-case hex");
	return true;
}

/* Half of a WAL position as %X writes it. Stops behind the last digit. */
static bool
take_wal_half(struct list_reader *reader, uint64_t *half)
{
	static const char digit[] = "0123456789ABCDEF";
	const char *from = reader->at;
	uint64_t n = 0;

	while (reader->at < reader->end && *reader->at != '\0') {
		const char *found = strchr(digit, *reader->at);

		if (found == NULL)
			break;
		n = n << 4 | (uint64_t)(found - digit);
		reader->at++;
		if (n > UINT32_MAX || (*from == '0' && reader->at - from > 1))
			return list_malformed(reader, position_fault);
	}
	if (reader->at == from)
		return list_malformed(reader, position_fault);
	*half = n;
	return true;
}

/* Whether the value is not known; goes behind it then. */
bool
list_take_unknown(struct list_reader *reader)
{
	return list_take_if(reader, MANIFEST_UNKNOWN);
}

bool
list_take_format(struct list_reader *reader, uint32_t format)
{
	uint32_t its;

	if (!list_take_index(reader, &its))
		return false;
	return its == format || list_malformed(reader,
				    "a format that this version does not know");
}

bool
list_take_next_update(
    struct list_reader *reader, int64_t this_update_sec, int64_t *sec)
{
	if (!list_take_time(reader, sec))
		return false;
	return *sec > this_update_sec ||
	       list_malformed(
		   reader, "a nextUpdate that is not after thisUpdate");
}

bool
list_take_passed(
    struct list_reader *reader, char ***passed, size_t *count, size_t most)
{
	const size_t n = *count;

	if (n == most)
		return list_malformed(reader, "too many gates passed");
	/* Room doubles whenever the count is a power of two. */
	if ((n & (n - 1)) == 0) {
		size_t room = n == 0 ? 1 : 2 * n;
		char **more = realloc(*passed, room * sizeof(*more));

		if (more == NULL)
			return list_fail(
			    reader, STATUS_NO_MEMORY, "out of memory");
		*passed = more;
	}
	(*passed)[n] = NULL;
	*count = n + 1;
	return list_take_word(reader, &(*passed)[n]);
}

void *
list_take_shards(
    struct list_reader *reader, size_t least, size_t size, size_t *count)
{
	void *shards = NULL;
	uint64_t n;

	if (!take_digits(reader, SHARD_COUNT_MOST, &n))
		return NULL;
	if (n > (size_t)(reader->limit - reader->rest) / least)
		(void)list_malformed(
		    reader, "more shards than the text has room for");
	else if (n > 0 && (shards = calloc((size_t)n, size)) == NULL)
		(void)list_fail(reader, STATUS_NO_MEMORY, "out of memory");
	if (shards != NULL)
		*count = (size_t)n;
	return shards;
}

bool
list_take_position(struct list_reader *reader, void *to)
{
	struct source_origin *origin = to;
	const char *word;
	uint64_t high;
	uint64_t low;
	size_t len;

	origin->has_position = true;
	if (!list_take_bytes(reader, &word, &len))
		return false;
	if (len >= SOURCE_SYSTEM_BYTES || memchr(word, '\0', len) != NULL)
		return list_malformed(reader, "not a system identifier");
	memcpy(origin->system_identifier, word, len);
	origin->system_identifier[len] = '\0';
	if (!manifest_system_identifier_ok(origin->system_identifier))
		return list_malformed(reader, "not a system identifier");
	if (!list_take_text(reader, " ", "a value is missing") ||
	    !list_take_index(reader, &origin->timeline) ||
	    !list_take_text(reader, " ", "a value is missing") ||
	    !take_wal_half(reader, &high) ||
	    !list_take_text(reader, "/", position_fault) ||
	    !take_wal_half(reader, &low))
		return false;
	origin->wal_position = high << 32 | low;
	return true;
}

static bool
take_chunk(struct list_reader *reader, void *to)
{
	uint64_t chunk_sec;

	if (!take_digits(reader, INT64_MAX, &chunk_sec))
		return false;
	*(int64_t *)to = (int64_t)chunk_sec;
	return true;
}

#define BY(member) offsetof(struct shard_placing, by.member)

bool
list_take_sharding(struct list_reader *reader, void *to)
{
	static const struct list_value values[] = {
	    {" count=", list_take_index, BY(count), 0},
	    {" first=", list_take_index, BY(first), 0},
	    {" anchor=", list_take_time, BY(anchor_sec), 0},
	    {" chunk=", take_chunk, BY(chunk_sec), 0},
	};
	static const size_t has_values[] = {
	    [SHARD_COLUMN] = 0,
	    [SHARD_SERIAL_MOD] = 2,
	    [SHARD_EXPIRY] = 4,
	    [SHARD_CDP] = 0,
	};
	struct shard_placing *placing = to;
	unsigned scheme = 0;
	const char *name, *word, *why;
	size_t len;

	placing->is_known = true;
	if (!list_take_bytes(reader, &word, &len))
		return false;
	while ((name = shard_scheme_name(scheme)) != NULL &&
	       (strlen(name) != len || memcmp(name, word, len) != 0))
		scheme++;
	if (name == NULL)
		return list_malformed(reader, "unknown sharding scheme");
	placing->by.scheme = (enum shard_scheme)scheme;
	if (!list_read_values(reader, values, has_values[scheme], placing))
		return false;
	why = shard_placing_fault(placing);
	return why == NULL || list_malformed(reader, why);
}

bool
list_take_edition(struct list_reader *reader, void *to)
{
	struct source_origin *origin = to;
	const char *word;
	size_t len;

	if (origin->has_position)
		return list_malformed(reader, "an edition beside a position");
	origin->has_edition = true;
	if (!list_take_bytes(reader, &word, &len))
		return false;
	if (!source_kind_from_name(word, len, &origin->kind) ||
	    origin->kind == SOURCE_DATABASE)
		return list_malformed(reader, "not a kind of file");
	return list_take_text(reader, " ", "a value is missing") &&
	       list_take_number(reader, &origin->edition.number) &&
	       list_take_text(reader, " ", "a value is missing") &&
	       list_take_time(reader, &origin->edition.sec);
}
