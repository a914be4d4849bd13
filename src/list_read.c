/* SPDX-License-Identifier: ISC */
/*
 * Reads the lines of the lists that are written for people and read strictly:
 * the manifest (docs/manifest.md), and what goes to an offline signer and back
 * (docs/airgap.md).
 */
#include "list_read.h"

#include <string.h>

#include "crlpress/shard.h"
#include "crlpress/utc.h"

#include "manifest_impl.h"

/* Returns false, so that a caller can end with it. */
bool
list_fail(struct list_reader *reader, enum status status, const char *why)
{
	if (reader->status == STATUS_OK) {
		reader->status = status;
		reader->why = why;
	}
	return false;
}

bool
list_malformed(struct list_reader *reader, const char *why)
{
	return list_fail(reader, STATUS_MALFORMED, why);
}

/* Goes to the next line. */
bool
list_next(struct list_reader *reader)
{
	size_t left = (size_t)(reader->limit - reader->rest);
	const char *newline;

	reader->line++;
	if (left == 0)
		return list_malformed(reader, "no closing line");
	newline = memchr(reader->rest, '\n', left);
	if (newline == NULL)
		return list_malformed(reader, "a line without an end");
	reader->start = reader->at = reader->rest;
	reader->end = newline;
	reader->rest = newline + 1;
	return true;
}

bool
list_is(const struct list_reader *reader, const char *prefix)
{
	size_t len = strlen(prefix);

	return (size_t)(reader->end - reader->start) >= len &&
	       memcmp(reader->start, prefix, len) == 0;
}

bool
list_take_end(struct list_reader *reader)
{
	if (reader->at != reader->end)
		return list_malformed(
		    reader, "something behind the last value of the line");
	return true;
}

/* Exactly this text. */
bool
list_take_text(struct list_reader *reader, const char *text, const char *why)
{
	size_t len = strlen(text);

	if ((size_t)(reader->end - reader->at) < len ||
	    memcmp(reader->at, text, len) != 0)
		return list_malformed(reader, why);
	reader->at += len;
	return true;
}

/* All up to the next blank or the end of the line, at least one byte. */
bool
list_take_word(struct list_reader *reader, const char **word, size_t *len)
{
	size_t left = (size_t)(reader->end - reader->at);
	const char *blank = memchr(reader->at, ' ', left);

	*word = reader->at;
	*len = blank == NULL ? left : (size_t)(blank - reader->at);
	if (*len == 0)
		return list_malformed(reader, "a value is missing");
	reader->at += *len;
	return true;
}

/* A word of its own; the caller frees it. */
bool
list_take_string(struct list_reader *reader, char **string,
    const char *(*fault)(const char *))
{
	const char *word;
	const char *why;
	size_t len;

	if (!list_take_word(reader, &word, &len))
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

/* Whether the word is digits without needless zeros in front. */
static bool
digits_ok(const char *word, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (word[i] < '0' || word[i] > '9')
			return false;
	return len > 0 && (word[0] != '0' || len == 1);
}

bool
list_take_count(struct list_reader *reader, uint64_t most, uint64_t *value)
{
	const char *word;
	uint64_t n = 0;
	size_t len;

	if (!list_take_word(reader, &word, &len))
		return false;
	if (!digits_ok(word, len))
		return list_malformed(
		    reader, "not a decimal number without leading zeros");
	for (size_t i = 0; i < len; i++) {
		unsigned digit = (unsigned)(word[i] - '0');

		if (n > (most - digit) / 10)
			return list_malformed(reader, "a number too large");
		n = n * 10 + digit;
	}
	*value = n;
	return true;
}

bool
list_take_index(struct list_reader *reader, uint32_t *value)
{
	uint64_t n;

	if (!list_take_count(reader, UINT32_MAX, &n))
		return false;
	*value = (uint32_t)n;
	return true;
}

/* ` name=` and a number. */
bool
list_take_named(struct list_reader *reader, const char *name, uint64_t *value)
{
	return list_take_text(
		   reader, name, "not the values of this line in order") &&
	       list_take_count(reader, UINT64_MAX, value);
}

bool
list_take_number(struct list_reader *reader, struct uint160 *number)
{
	const char *word;
	const char *why = NULL;
	size_t len;

	if (!list_take_word(reader, &word, &len))
		return false;
	if (!digits_ok(word, len))
		return list_malformed(
		    reader, "not a decimal number without leading zeros");
	if (uint160_from_decimal(number, word, len, &why) != STATUS_OK)
		return list_malformed(reader, why);
	return true;
}

bool
list_take_time(struct list_reader *reader, int64_t *sec)
{
	char iso[UTC_ISO_BYTES];
	const char *word;
	size_t len;

	if (!list_take_word(reader, &word, &len))
		return false;
	if (len != sizeof(iso) - 1 || memchr(word, '\0', len) != NULL)
		return list_malformed(
		    reader, "not a time like 2026-11-22T05:09:49Z");
	memcpy(iso, word, len);
	iso[len] = '\0';
	if (utc_from_iso(iso, sec) != STATUS_OK)
		return list_malformed(
		    reader, "not a time like 2026-11-22T05:09:49Z");
	return true;
}

bool
list_take_hash(struct list_reader *reader, struct hash *hash)
{
	const char *word;
	size_t len;

	if (!list_take_word(reader, &word, &len))
		return false;
	if (hash_from_hex(word, len, hash) != STATUS_OK)
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
			return list_malformed(reader, "not a WAL position");
	}
	if (reader->at == from)
		return list_malformed(reader, "not a WAL position");
	*half = n;
	return true;
}

/* Whether the value is not known; goes behind it then. */
bool
list_take_unknown(struct list_reader *reader)
{
	const size_t len = strlen(MANIFEST_UNKNOWN);

	if ((size_t)(reader->end - reader->at) < len ||
	    memcmp(reader->at, MANIFEST_UNKNOWN, len) != 0)
		return false;
	reader->at += len;
	return true;
}

bool
list_take_position(struct list_reader *reader, struct source_origin *origin)
{
	const char *word;
	uint64_t high;
	uint64_t low;
	size_t len;

	origin->has_position = true;
	if (!list_take_word(reader, &word, &len))
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
	    !list_take_text(reader, "/", "not a WAL position") ||
	    !take_wal_half(reader, &low))
		return false;
	origin->wal_position = high << 32 | low;
	return true;
}

bool
list_take_edition(struct list_reader *reader, struct source_origin *origin)
{
	const char *word;
	size_t len;

	if (origin->has_position)
		return list_malformed(reader, "an edition beside a position");
	origin->has_edition = true;
	if (!list_take_word(reader, &word, &len))
		return false;
	if (!source_kind_from_name(word, len, &origin->kind) ||
	    origin->kind == SOURCE_DATABASE)
		return list_malformed(reader, "not a kind of file");
	return list_take_text(reader, " ", "a value is missing") &&
	       list_take_number(reader, &origin->edition.number) &&
	       list_take_text(reader, " ", "a value is missing") &&
	       list_take_time(reader, &origin->edition.sec);
}

bool
list_read_fields(struct list_reader *reader, const struct list_field *fields,
    size_t count, void *object)
{
	if (!list_next(reader))
		return false;
	for (size_t i = 0; i < count; i++) {
		const struct list_field *field = &fields[i];
		bool seen = false;

		while (list_is(reader, field->prefix)) {
			if (seen && field->times != LIST_ANY_TIMES)
				return list_malformed(
				    reader, "a field that stands here twice");
			reader->at += strlen(field->prefix);
			if (!field->read(reader, object) ||
			    !list_take_end(reader) || !list_next(reader))
				return false;
			seen = true;
		}
		if (!seen && field->times == LIST_ONCE)
			return list_malformed(reader, field->missing);
	}
	return true;
}

bool
list_read_end(struct list_reader *reader, const char *text)
{
	size_t before = (size_t)(reader->start - text);
	uint64_t bytes;
	uint32_t sum;

	if (!list_take_text(reader, "# end ", "want the closing line") ||
	    !list_take_index(reader, &sum) ||
	    !list_take_text(reader, " ", "a value is missing") ||
	    !list_take_count(reader, UINT64_MAX, &bytes) ||
	    !list_take_end(reader))
		return false;
	if (reader->rest != reader->limit)
		return list_malformed(
		    reader, "something behind the closing line");
	if (bytes != before)
		return list_malformed(
		    reader, "not as many bytes as the closing line says");
	if (sum != manifest_cksum(text, before))
		return list_malformed(
		    reader, "not the checksum that the closing line says");
	return true;
}
