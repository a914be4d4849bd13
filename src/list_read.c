/* SPDX-License-Identifier: ISC */
/*
 * Reads the lines of the lists that are written for people and read strictly:
 * the manifest (docs/manifest.md), and what goes to an offline signer and back
 * (docs/airgap.md). list_take.c reads their values.
 */
#include "list_read.h"

#include <string.h>

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

bool
list_begin(struct list_reader *reader, const char *text, size_t len,
    size_t most, const char *too_large)
{
	*reader = (struct list_reader){.status = STATUS_OK};
	reader->text = reader->rest = len == 0 ? "" : text;
	reader->limit = reader->text + len;
	if (len <= most)
		return true;
	reader->line = 1;
	return list_malformed(reader, too_large);
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

/* Whether the line begins so. */
static bool
line_is(const struct list_reader *reader, const char *prefix)
{
	size_t len = strlen(prefix);

	return (size_t)(reader->end - reader->start) >= len &&
	       memcmp(reader->start, prefix, len) == 0;
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

		while (line_is(reader, field->prefix)) {
			if (seen && field->times != LIST_ANY_TIMES)
				return list_malformed(
				    reader, "a field that stands here twice");
			reader->at += strlen(field->prefix);
			if (!field->read(
				reader, (char *)object + field->offset) ||
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
list_read_values(struct list_reader *reader, const struct list_value *values,
    size_t count, void *object)
{
	for (size_t i = 0; i < count; i++) {
		const struct list_value *value = &values[i];
		char *to = object;

		if (!list_take_text(reader, value->before,
			"not the values of this line in order"))
			return false;
		if (value->known != 0) {
			if (list_take_unknown(reader))
				continue;
			*(bool *)(to + value->known) = true;
		}
		if (!value->read(reader, to + value->offset))
			return false;
	}
	return true;
}

bool
list_read_shard(struct list_reader *reader, const struct list_value *values,
    size_t count, void *shard)
{
	return list_take_text(
		   reader, "# shard ", "fewer shards than announced") &&
	       list_read_values(reader, values, count, shard) &&
	       list_take_end(reader);
}

bool
list_read_sum(
    struct list_reader *reader, struct hash *sha256, const char *no_blanks)
{
	return list_next(reader) && list_take_hash(reader, sha256) &&
	       list_take_text(reader, "  ", no_blanks);
}

bool
list_read_end(struct list_reader *reader)
{
	size_t before = (size_t)(reader->start - reader->text);
	uint64_t bytes;
	uint32_t sum;

	if (line_is(reader, "# shard "))
		return list_malformed(reader, "more shards than announced");
	if (!list_take_text(reader, "# end ", "want the closing line") ||
	    !list_take_index(reader, &sum) ||
	    !list_take_text(reader, " ", "a value is missing") ||
	    !list_take_count(reader, &bytes) || !list_take_end(reader))
		return false;
	if (reader->rest != reader->limit)
		return list_malformed(
		    reader, "something behind the closing line");
	if (bytes != before)
		return list_malformed(
		    reader, "not as many bytes as the closing line says");
	if (sum != manifest_cksum(reader->text, before))
		return list_malformed(
		    reader, "not the checksum that the closing line says");
	return true;
}

const void *
list_find(const void *shards, size_t count, size_t size, uint32_t index)
{
	const char *first = shards;
	size_t low = 0, high = count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		const void *shard = first + middle * size;
		uint32_t its;

		memcpy(&its, shard, sizeof(its));
		if (its == index)
			return shard;
		if (its < index)
			low = middle + 1;
		else
			high = middle;
	}
	return NULL;
}
