/* SPDX-License-Identifier: ISC */
/*
 * Reads a manifest, as docs/manifest.md defines it, from bytes that anybody
 * may have written. There is one way to write each value and one order of the
 * fields, and anything else is refused: what was read here is written back
 * byte for byte by manifest_format.
 */
#include "crlpress/manifest.h"

#include <stdlib.h>
#include <string.h>

#include "crlpress/uint160.h"
#include "crlpress/utc.h"

#include "list_read.h"
#include "manifest_impl.h"

/* No shard takes fewer bytes: a bound for the count before it is believed. */
#define SHARD_BYTES_LEAST 200

static bool
read_format(struct list_reader *reader, void *object)
{
	uint64_t format;

	(void)object;
	if (!list_take_count(reader, UINT32_MAX, &format))
		return false;
	if (format != MANIFEST_FORMAT)
		return list_malformed(
		    reader, "a format that this version does not know");
	return true;
}

static bool
read_issuer(struct list_reader *reader, void *object)
{
	struct manifest *manifest = object;

	return list_take_string(reader, &manifest->issuer, manifest_word_fault);
}

static bool
read_issuer_sha256(struct list_reader *reader, void *object)
{
	struct manifest *manifest = object;

	return list_take_hash(reader, &manifest->issuer_sha256);
}

static bool
read_this_update(struct list_reader *reader, void *object)
{
	struct manifest *manifest = object;

	return list_take_time(reader, &manifest->this_update_sec);
}

static bool
read_next_update(struct list_reader *reader, void *object)
{
	struct manifest *manifest = object;

	if (!list_take_time(reader, &manifest->next_update_sec))
		return false;
	if (manifest->next_update_sec <= manifest->this_update_sec)
		return list_malformed(
		    reader, "a nextUpdate that is not after thisUpdate");
	return true;
}

static bool
read_number(struct list_reader *reader, void *object)
{
	struct manifest *manifest = object;

	return list_take_number(reader, &manifest->number);
}

static bool
read_position(struct list_reader *reader, void *object)
{
	return list_take_position(reader, &((struct manifest *)object)->origin);
}

static bool
read_edition(struct list_reader *reader, void *object)
{
	return list_take_edition(reader, &((struct manifest *)object)->origin);
}

static bool
read_rows(struct list_reader *reader, void *object)
{
	struct manifest *manifest = object;
	struct manifest_rows *rows = &manifest->rows;

	if (!list_take_named(reader, "read=", &rows->read) ||
	    !list_take_named(reader, " listed=", &rows->listed) ||
	    !list_take_named(reader, " duplicate=", &rows->duplicate) ||
	    !list_take_named(reader, " expired=", &rows->expired) ||
	    !list_take_named(reader, " gone=", &rows->gone) ||
	    !list_take_named(reader, " deferred=", &rows->deferred) ||
	    !list_take_named(reader, " withheld=", &rows->withheld))
		return false;
	if (!manifest_rows_agree(rows))
		return list_malformed(
		    reader, "rows that do not add up to the rows read");
	return true;
}

static bool
read_passed(struct list_reader *reader, void *object)
{
	struct manifest *manifest = object;
	size_t count = manifest->passed_count;

	if (count == MANIFEST_PASSED_MOST)
		return list_malformed(reader, "too many gates passed");
	/* Room doubles whenever the count is a power of two. */
	if ((count & (count - 1)) == 0) {
		size_t room = count == 0 ? 1 : 2 * count;
		char **passed =
		    realloc(manifest->passed, room * sizeof(*passed));

		if (passed == NULL)
			return list_fail(
			    reader, STATUS_NO_MEMORY, "out of memory");
		manifest->passed = passed;
	}
	manifest->passed[count] = NULL;
	manifest->passed_count = count + 1;
	return list_take_string(
	    reader, &manifest->passed[count], manifest_word_fault);
}

static bool
read_shards(struct list_reader *reader, void *object)
{
	struct manifest *manifest = object;
	uint64_t count;

	if (!list_take_count(reader, SHARD_COUNT_MOST, &count))
		return false;
	if (count > (size_t)(reader->limit - reader->rest) / SHARD_BYTES_LEAST)
		return list_malformed(
		    reader, "more shards than the text has room for");
	if (count == 0)
		return true;
	manifest->shard = calloc((size_t)count, sizeof(*manifest->shard));
	if (manifest->shard == NULL)
		return list_fail(reader, STATUS_NO_MEMORY, "out of memory");
	manifest->shard_count = (size_t)count;
	return true;
}

static bool
read_replaced(struct list_reader *reader, void *object)
{
	struct manifest *manifest = object;

	manifest->has_replaced = true;
	return list_take_time(reader, &manifest->replaced_sec);
}

/* The fields in their order. */
static const struct list_field fields[] = {
    {"# crlpress-manifest ", LIST_ONCE, "not a manifest of crlpress",
	read_format},
    {"# issuer ", LIST_ONCE, "want the field issuer", read_issuer},
    {"# issuer-sha256 ", LIST_ONCE, "want the field issuer-sha256",
	read_issuer_sha256},
    {"# this-update ", LIST_ONCE, "want the field this-update",
	read_this_update},
    {"# next-update ", LIST_ONCE, "want the field next-update",
	read_next_update},
    {"# number ", LIST_ONCE, "want the field number", read_number},
    {"# position ", LIST_AT_MOST_ONCE, NULL, read_position},
    {"# edition ", LIST_AT_MOST_ONCE, NULL, read_edition},
    {"# rows ", LIST_ONCE, "want the field rows", read_rows},
    {"# passed ", LIST_ANY_TIMES, NULL, read_passed},
    {"# replaced ", LIST_AT_MOST_ONCE, NULL, read_replaced},
    {"# shards ", LIST_ONCE, "want the field shards", read_shards},
};

static bool
take_state(struct list_reader *reader, bool *withheld)
{
	const char *word;
	size_t len;

	if (!list_take_word(reader, &word, &len))
		return false;
	*withheld = len == 8 && memcmp(word, "withheld", 8) == 0;
	if (!*withheld && (len != 9 || memcmp(word, "published", 9) != 0))
		return list_malformed(
		    reader, "a state that is not published or withheld");
	return true;
}

/* A count, or that it is not known. */
static bool
take_leaving(struct list_reader *reader, struct manifest_shard *shard)
{
	if (list_take_unknown(reader))
		return true;
	shard->has_leaving = true;
	if (!list_take_count(reader, UINT64_MAX, &shard->leaving))
		return false;
	if (!manifest_leaving_ok(shard))
		return list_malformed(
		    reader, "more entries that may leave than there are");
	return true;
}

/* A time, or that it is not known. */
static bool
take_settled(struct list_reader *reader, struct manifest_shard *shard)
{
	if (list_take_unknown(reader))
		return true;
	shard->has_settled = true;
	return list_take_time(reader, &shard->settled_sec);
}

/* The line of a shard. */
static bool
parse_shard_line(struct list_reader *reader, struct manifest_shard *shard)
{
	static const char order[] = "not the values of this line in order";

	return list_take_text(
		   reader, "# shard ", "fewer shards than announced") &&
	       list_take_index(reader, &shard->index) &&
	       list_take_text(reader, " number=", order) &&
	       list_take_number(reader, &shard->number) &&
	       list_take_text(reader, " this-update=", order) &&
	       list_take_time(reader, &shard->this_update_sec) &&
	       list_take_text(reader, " next-update=", order) &&
	       list_take_time(reader, &shard->next_update_sec) &&
	       list_take_named(reader, " entries=", &shard->entries) &&
	       list_take_named(reader, " added=", &shard->added) &&
	       list_take_named(reader, " removed=", &shard->removed) &&
	       list_take_text(reader, " leaving=", order) &&
	       take_leaving(reader, shard) &&
	       list_take_text(reader, " settled=", order) &&
	       take_settled(reader, shard) &&
	       list_take_named(reader, " size=", &shard->size) &&
	       list_take_text(reader, " state=", order) &&
	       take_state(reader, &shard->withheld) &&
	       list_take_text(reader, " url=", order) &&
	       list_take_string(reader, &shard->url, manifest_word_fault) &&
	       list_take_end(reader);
}

/* Reads the shards and stands on the closing line. */
static bool
parse_shards(struct list_reader *reader, struct manifest *manifest)
{
	for (size_t i = 0; i < manifest->shard_count; i++) {
		struct manifest_shard *shard = &manifest->shard[i];

		if (!parse_shard_line(reader, shard))
			return false;
		if (i > 0 && shard->index <= shard[-1].index)
			return list_malformed(reader,
			    "shards that are not in the order of their index");
		if (!list_next(reader) ||
		    !list_take_hash(reader, &shard->sha256) ||
		    !list_take_text(
			reader, "  ", "no two blanks before the key") ||
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

static bool
parse_end(struct list_reader *reader, const char *text)
{
	if (list_is(reader, "# shard "))
		return list_malformed(reader, "more shards than announced");
	return list_read_end(reader, text);
}

enum status
manifest_parse(const char *text, size_t len, struct manifest *manifest,
    size_t *line, const char **why)
{
	struct list_reader reader = {.status = STATUS_OK};

	memset(manifest, 0, sizeof(*manifest));
	if (len > MANIFEST_BYTES_MOST) {
		*line = 1;
		*why = "manifest too large";
		return STATUS_MALFORMED;
	}
	if (len == 0)
		text = "";
	reader.rest = text;
	reader.limit = text + len;
	if (list_read_fields(&reader, fields,
		sizeof(fields) / sizeof(fields[0]), manifest) &&
	    parse_shards(&reader, manifest) && parse_end(&reader, text) &&
	    parse_twins(&reader, manifest))
		return STATUS_OK;
	*line = reader.line;
	*why = reader.why;
	manifest_free(manifest);
	return reader.status;
}
