/* SPDX-License-Identifier: ISC */
/*
 * Reads a manifest, as docs/manifest.md defines it, from bytes that anybody
 * may have written. There is one way to write each value and one order of the
 * fields, and anything else is refused: what was read here is written back
 * byte for byte by manifest_format.
 */
#include "crlpress/manifest.h"

#include <string.h>

#include "list_read.h"
#include "manifest_impl.h"

/* No shard takes fewer bytes: a bound for the count before it is believed. */
#define SHARD_BYTES_LEAST 200

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))
#define MANIFEST(member) offsetof(struct manifest, member)
#define ROWS(member) offsetof(struct manifest_rows, member)
#define SHARD(member) offsetof(struct manifest_shard, member)

static bool
read_format(struct list_reader *reader, void *object)
{
	(void)object;
	return list_take_format(reader, MANIFEST_FORMAT);
}

static bool
read_next_update(struct list_reader *reader, void *object)
{
	struct manifest *manifest = object;

	return list_take_next_update(
	    reader, manifest->this_update_sec, &manifest->next_update_sec);
}

static bool
read_rows(struct list_reader *reader, void *rows)
{
	static const struct list_value values[] = {
	    {"read=", list_take_count, ROWS(read), 0},
	    {" listed=", list_take_count, ROWS(listed), 0},
	    {" duplicate=", list_take_count, ROWS(duplicate), 0},
	    {" expired=", list_take_count, ROWS(expired), 0},
	    {" gone=", list_take_count, ROWS(gone), 0},
	    {" deferred=", list_take_count, ROWS(deferred), 0},
	    {" withheld=", list_take_count, ROWS(withheld), 0},
	};

	if (!list_read_values(reader, values, COUNT(values), rows))
		return false;
	return manifest_rows_agree(rows) ||
	       list_malformed(
		   reader, "rows that do not add up to the rows read");
}

static bool
read_passed(struct list_reader *reader, void *object)
{
	struct manifest *manifest = object;

	return list_take_passed(reader, &manifest->passed,
	    &manifest->passed_count, MANIFEST_PASSED_MOST);
}

static bool
read_replaced(struct list_reader *reader, void *object)
{
	struct manifest *manifest = object;

	manifest->has_replaced = true;
	return list_take_time(reader, &manifest->replaced_sec);
}

static bool
read_shards(struct list_reader *reader, void *object)
{
	struct manifest *manifest = object;

	manifest->shard = list_take_shards(reader, SHARD_BYTES_LEAST,
	    sizeof(*manifest->shard), &manifest->shard_count);
	return reader->status == STATUS_OK;
}

/* The fields in their order. */
static const struct list_field fields[] = {
    {"# crlpress-manifest ", LIST_ONCE, "not a manifest of crlpress",
	read_format, 0},
    {"# issuer ", LIST_ONCE, "want the field issuer", list_take_word,
	MANIFEST(issuer)},
    {"# issuer-sha256 ", LIST_ONCE, "want the field issuer-sha256",
	list_take_hash, MANIFEST(issuer_sha256)},
    {"# this-update ", LIST_ONCE, "want the field this-update", list_take_time,
	MANIFEST(this_update_sec)},
    {"# next-update ", LIST_ONCE, "want the field next-update",
	read_next_update, 0},
    {"# number ", LIST_ONCE, "want the field number", list_take_number,
	MANIFEST(number)},
    {"# position ", LIST_AT_MOST_ONCE, NULL, list_take_position,
	MANIFEST(origin)},
    {"# edition ", LIST_AT_MOST_ONCE, NULL, list_take_edition,
	MANIFEST(origin)},
    {"# rows ", LIST_ONCE, "want the field rows", read_rows, MANIFEST(rows)},
    {"# passed ", LIST_ANY_TIMES, NULL, read_passed, 0},
    {"# replaced ", LIST_AT_MOST_ONCE, NULL, read_replaced, 0},
    {"# sharding ", LIST_AT_MOST_ONCE, NULL, list_take_sharding,
	MANIFEST(placing)},
    {"# shards ", LIST_ONCE, "want the field shards", read_shards, 0},
};

static bool
read_state(struct list_reader *reader, void *withheld)
{
	const char *word;
	size_t len;

	if (!list_take_bytes(reader, &word, &len))
		return false;
	*(bool *)withheld = len == 8 && memcmp(word, "withheld", 8) == 0;
	if (*(bool *)withheld ||
	    (len == 9 && memcmp(word, "published", 9) == 0))
		return true;
	return list_malformed(
	    reader, "a state that is not published or withheld");
}

static bool
read_leaving(struct list_reader *reader, void *object)
{
	struct manifest_shard *shard = object;

	if (!list_take_count(reader, &shard->leaving))
		return false;
	return manifest_leaving_ok(shard) ||
	       list_malformed(
		   reader, "more entries that may leave than there are");
}

/* There since it is written: an older manifest has none. */
static bool
read_expiring(struct list_reader *reader, void *object)
{
	struct manifest_shard *shard = object;
	const char *word;
	size_t len;

	if (!list_take_if(reader, MANIFEST_EXPIRING))
		return true;
	if (!list_take_bytes(reader, &word, &len))
		return false;
	if (expiring_from_text(word, len, &shard->expiring) != STATUS_OK)
		return list_malformed(reader, "not eight counts and a sum");
	shard->has_expiring = true;
	return manifest_expiring_ok(shard) ||
	       list_malformed(reader, MANIFEST_EXPIRING_FAULT);
}

static const struct list_value shard_values[] = {
    {"", list_take_index, SHARD(index), 0},
    {" number=", list_take_number, SHARD(number), 0},
    {" this-update=", list_take_time, SHARD(this_update_sec), 0},
    {" next-update=", list_take_time, SHARD(next_update_sec), 0},
    {" entries=", list_take_count, SHARD(entries), 0},
    {" added=", list_take_count, SHARD(added), 0},
    {" removed=", list_take_count, SHARD(removed), 0},
    {" leaving=", read_leaving, 0, SHARD(has_leaving)},
    {"", read_expiring, 0, 0},
    {" settled=", list_take_time, SHARD(settled_sec), SHARD(has_settled)},
    {" size=", list_take_count, SHARD(size), 0},
    {" state=", read_state, SHARD(withheld), 0},
    {" url=", list_take_word, SHARD(url), 0},
};

/* Reads the shards and stands on the closing line. */
static bool
parse_shards(struct list_reader *reader, struct manifest *manifest)
{
	for (size_t i = 0; i < manifest->shard_count; i++) {
		struct manifest_shard *shard = &manifest->shard[i];

		if (!list_read_shard(
			reader, shard_values, COUNT(shard_values), shard))
			return false;
		if (i > 0 && shard->index <= shard[-1].index)
			return list_malformed(reader, LIST_ORDER_FAULT);
		if (!list_read_sum(reader, &shard->sha256,
			"no two blanks before the key") ||
		    !list_take_string(
			reader, &shard->key, manifest_key_fault) ||
		    !list_take_end(reader) || !list_next(reader))
			return false;
	}
	return true;
}

/* No key and no URL twice; names the line of the second. */
static bool
parse_twins(struct list_reader *reader, const struct manifest *manifest)
{
	size_t closing = reader->line;

	for (int urls = 0; urls < 2; urls++) {
		size_t twin;

		if (manifest_twin(manifest, urls != 0, &twin) != STATUS_OK)
			return list_fail(
			    reader, STATUS_NO_MEMORY, "out of memory");
		if (twin == manifest->shard_count)
			continue;
		/* Two lines a shard, the URL on the first. */
		reader->line = closing - 2 * (manifest->shard_count - twin) +
			       (urls ? 0 : 1);
		return list_malformed(
		    reader, urls ? "a URL that two shards have"
				 : "a key that two shards have");
	}
	return true;
}

enum status
manifest_parse(const char *text, size_t len, struct manifest *manifest,
    size_t *line, const char **why)
{
	struct list_reader reader;

	memset(manifest, 0, sizeof(*manifest));
	if (list_begin(&reader, text, len, MANIFEST_BYTES_MOST,
		"manifest too large") &&
	    list_read_fields(&reader, fields, COUNT(fields), manifest) &&
	    parse_shards(&reader, manifest) && list_read_end(&reader) &&
	    parse_twins(&reader, manifest))
		return STATUS_OK;
	*line = reader.line;
	*why = reader.why;
	manifest_free(manifest);
	return reader.status;
}
