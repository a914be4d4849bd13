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

#include "manifest_impl.h"

/* No shard takes fewer bytes: a bound for the count before it is believed. */
#define SHARD_BYTES_LEAST 200

/* Where the reading is: a line, and how far in it. The first failure stays. */
struct reader {
	const char *at;
	const char *end;   /* of the line: its newline */
	const char *start; /* of the line */
	const char *rest;  /* the line behind it */
	const char *limit; /* of the text */
	size_t line;
	enum status status;
	const char *why;
};

enum field_times { FIELD_ONCE, FIELD_AT_MOST_ONCE, FIELD_ANY_TIMES };

/* A line `# NAME VALUE` before the shards. */
struct field {
	const char *prefix;
	enum field_times times;
	const char *missing;
	bool (*read)(struct reader *, struct manifest *);
};

/* Returns false, so that a caller can end with it. */
static bool
reader_fail(struct reader *reader, enum status status, const char *why)
{
	if (reader->status == STATUS_OK) {
		reader->status = status;
		reader->why = why;
	}
	return false;
}

static bool
reader_malformed(struct reader *reader, const char *why)
{
	return reader_fail(reader, STATUS_MALFORMED, why);
}

/* Goes to the next line. */
static bool
line_next(struct reader *reader)
{
	size_t left = (size_t)(reader->limit - reader->rest);
	const char *newline;

	reader->line++;
	if (left == 0)
		return reader_malformed(reader, "no closing line");
	newline = memchr(reader->rest, '\n', left);
	if (newline == NULL)
		return reader_malformed(reader, "a line without an end");
	reader->start = reader->at = reader->rest;
	reader->end = newline;
	reader->rest = newline + 1;
	return true;
}

static bool
line_is(const struct reader *reader, const char *prefix)
{
	size_t len = strlen(prefix);

	return (size_t)(reader->end - reader->start) >= len &&
	       memcmp(reader->start, prefix, len) == 0;
}

static bool
take_end(struct reader *reader)
{
	if (reader->at != reader->end)
		return reader_malformed(
		    reader, "something behind the last value of the line");
	return true;
}

/* Exactly this text. */
static bool
take_text(struct reader *reader, const char *text, const char *why)
{
	size_t len = strlen(text);

	if ((size_t)(reader->end - reader->at) < len ||
	    memcmp(reader->at, text, len) != 0)
		return reader_malformed(reader, why);
	reader->at += len;
	return true;
}

/* All up to the next blank or the end of the line, at least one byte. */
static bool
take_word(struct reader *reader, const char **word, size_t *len)
{
	size_t left = (size_t)(reader->end - reader->at);
	const char *blank = memchr(reader->at, ' ', left);

	*word = reader->at;
	*len = blank == NULL ? left : (size_t)(blank - reader->at);
	if (*len == 0)
		return reader_malformed(reader, "a value is missing");
	reader->at += *len;
	return true;
}

/* A word of its own; the caller frees it. */
static bool
take_string(
    struct reader *reader, char **string, const char *(*fault)(const char *))
{
	const char *word;
	const char *why;
	size_t len;

	if (!take_word(reader, &word, &len))
		return false;
	if (len >= SHARD_NAME_BYTES)
		return reader_malformed(
		    reader, "a word of more than 1024 bytes");
	if (memchr(word, '\0', len) != NULL)
		return reader_malformed(reader, "a NUL");
	*string = strndup(word, len);
	if (*string == NULL)
		return reader_fail(reader, STATUS_NO_MEMORY, "out of memory");
	why = fault(*string);
	if (why != NULL)
		return reader_malformed(reader, why);
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

static bool
take_count(struct reader *reader, uint64_t most, uint64_t *value)
{
	const char *word;
	uint64_t n = 0;
	size_t len;

	if (!take_word(reader, &word, &len))
		return false;
	if (!digits_ok(word, len))
		return reader_malformed(
		    reader, "not a decimal number without leading zeros");
	for (size_t i = 0; i < len; i++) {
		unsigned digit = (unsigned)(word[i] - '0');

		if (n > (most - digit) / 10)
			return reader_malformed(reader, "a number too large");
		n = n * 10 + digit;
	}
	*value = n;
	return true;
}

static bool
take_index(struct reader *reader, uint32_t *value)
{
	uint64_t n;

	if (!take_count(reader, UINT32_MAX, &n))
		return false;
	*value = (uint32_t)n;
	return true;
}

/* ` name=` and a number. */
static bool
take_named(struct reader *reader, const char *name, uint64_t *value)
{
	return take_text(
		   reader, name, "not the values of this line in order") &&
	       take_count(reader, UINT64_MAX, value);
}

static bool
take_number(struct reader *reader, struct uint160 *number)
{
	const char *word;
	const char *why = NULL;
	size_t len;

	if (!take_word(reader, &word, &len))
		return false;
	if (!digits_ok(word, len))
		return reader_malformed(
		    reader, "not a decimal number without leading zeros");
	if (uint160_from_decimal(number, word, len, &why) != STATUS_OK)
		return reader_malformed(reader, why);
	return true;
}

static bool
take_time(struct reader *reader, int64_t *sec)
{
	char iso[UTC_ISO_BYTES];
	const char *word;
	size_t len;

	if (!take_word(reader, &word, &len))
		return false;
	if (len != sizeof(iso) - 1 || memchr(word, '\0', len) != NULL)
		return reader_malformed(
		    reader, "not a time like 2026-11-22T05:09:49Z");
	memcpy(iso, word, len);
	iso[len] = '\0';
	if (utc_from_iso(iso, sec) != STATUS_OK)
		return reader_malformed(
		    reader, "not a time like 2026-11-22T05:09:49Z");
	return true;
}

static bool
take_hash(struct reader *reader, struct hash *hash)
{
	const char *word;
	size_t len;

	if (!take_word(reader, &word, &len))
		return false;
	if (hash_from_hex(word, len, hash) != STATUS_OK)
		return reader_malformed(
		    reader, "not a SHA-256 in lower-case hex");
	return true;
}

/* Half of a WAL position as %X writes it. Stops behind the last digit. */
static bool
take_wal_half(struct reader *reader, uint64_t *half)
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
			return reader_malformed(reader, "not a WAL position");
	}
	if (reader->at == from)
		return reader_malformed(reader, "not a WAL position");
	*half = n;
	return true;
}

static bool
read_format(struct reader *reader, struct manifest *manifest)
{
	uint64_t format;

	(void)manifest;
	if (!take_count(reader, UINT32_MAX, &format))
		return false;
	if (format != MANIFEST_FORMAT)
		return reader_malformed(
		    reader, "a format that this version does not know");
	return true;
}

static bool
read_issuer(struct reader *reader, struct manifest *manifest)
{
	return take_string(reader, &manifest->issuer, manifest_word_fault);
}

static bool
read_issuer_sha256(struct reader *reader, struct manifest *manifest)
{
	return take_hash(reader, &manifest->issuer_sha256);
}

static bool
read_this_update(struct reader *reader, struct manifest *manifest)
{
	return take_time(reader, &manifest->this_update_sec);
}

static bool
read_next_update(struct reader *reader, struct manifest *manifest)
{
	if (!take_time(reader, &manifest->next_update_sec))
		return false;
	if (manifest->next_update_sec <= manifest->this_update_sec)
		return reader_malformed(
		    reader, "a nextUpdate that is not after thisUpdate");
	return true;
}

static bool
read_number(struct reader *reader, struct manifest *manifest)
{
	return take_number(reader, &manifest->number);
}

static bool
read_position(struct reader *reader, struct manifest *manifest)
{
	const char *word;
	uint64_t high;
	uint64_t low;
	size_t len;

	if (!take_word(reader, &word, &len))
		return false;
	if (len >= sizeof(manifest->system_identifier) ||
	    memchr(word, '\0', len) != NULL)
		return reader_malformed(reader, "not a system identifier");
	memcpy(manifest->system_identifier, word, len);
	manifest->system_identifier[len] = '\0';
	if (!manifest_system_identifier_ok(manifest->system_identifier))
		return reader_malformed(reader, "not a system identifier");
	if (!take_text(reader, " ", "a value is missing") ||
	    !take_index(reader, &manifest->timeline) ||
	    !take_text(reader, " ", "a value is missing") ||
	    !take_wal_half(reader, &high) ||
	    !take_text(reader, "/", "not a WAL position") ||
	    !take_wal_half(reader, &low))
		return false;
	manifest->wal_position = high << 32 | low;
	manifest->has_position = true;
	return true;
}

static bool
read_rows(struct reader *reader, struct manifest *manifest)
{
	struct manifest_rows *rows = &manifest->rows;

	if (!take_named(reader, "read=", &rows->read) ||
	    !take_named(reader, " listed=", &rows->listed) ||
	    !take_named(reader, " duplicate=", &rows->duplicate) ||
	    !take_named(reader, " expired=", &rows->expired) ||
	    !take_named(reader, " gone=", &rows->gone) ||
	    !take_named(reader, " deferred=", &rows->deferred) ||
	    !take_named(reader, " withheld=", &rows->withheld))
		return false;
	if (!manifest_rows_agree(rows))
		return reader_malformed(
		    reader, "rows that do not add up to the rows read");
	return true;
}

static bool
read_passed(struct reader *reader, struct manifest *manifest)
{
	size_t count = manifest->passed_count;

	if (count == MANIFEST_PASSED_MOST)
		return reader_malformed(reader, "too many gates passed");
	/* Room doubles whenever the count is a power of two. */
	if ((count & (count - 1)) == 0) {
		size_t room = count == 0 ? 1 : 2 * count;
		char **passed =
		    realloc(manifest->passed, room * sizeof(*passed));

		if (passed == NULL)
			return reader_fail(
			    reader, STATUS_NO_MEMORY, "out of memory");
		manifest->passed = passed;
	}
	manifest->passed[count] = NULL;
	manifest->passed_count = count + 1;
	return take_string(
	    reader, &manifest->passed[count], manifest_word_fault);
}

static bool
read_shards(struct reader *reader, struct manifest *manifest)
{
	uint64_t count;

	if (!take_count(reader, SHARD_COUNT_MOST, &count))
		return false;
	if (count > (size_t)(reader->limit - reader->rest) / SHARD_BYTES_LEAST)
		return reader_malformed(
		    reader, "more shards than the text has room for");
	if (count == 0)
		return true;
	manifest->shard = calloc((size_t)count, sizeof(*manifest->shard));
	if (manifest->shard == NULL)
		return reader_fail(reader, STATUS_NO_MEMORY, "out of memory");
	manifest->shard_count = (size_t)count;
	return true;
}

static bool
read_replaced(struct reader *reader, struct manifest *manifest)
{
	manifest->has_replaced = true;
	return take_time(reader, &manifest->replaced_sec);
}

/* The fields in their order. */
static const struct field fields[] = {
    {"# crlpress-manifest ", FIELD_ONCE, "not a manifest of crlpress",
	read_format},
    {"# issuer ", FIELD_ONCE, "want the field issuer", read_issuer},
    {"# issuer-sha256 ", FIELD_ONCE, "want the field issuer-sha256",
	read_issuer_sha256},
    {"# this-update ", FIELD_ONCE, "want the field this-update",
	read_this_update},
    {"# next-update ", FIELD_ONCE, "want the field next-update",
	read_next_update},
    {"# number ", FIELD_ONCE, "want the field number", read_number},
    {"# position ", FIELD_AT_MOST_ONCE, NULL, read_position},
    {"# rows ", FIELD_ONCE, "want the field rows", read_rows},
    {"# passed ", FIELD_ANY_TIMES, NULL, read_passed},
    {"# replaced ", FIELD_AT_MOST_ONCE, NULL, read_replaced},
    {"# shards ", FIELD_ONCE, "want the field shards", read_shards},
};

/* Reads the fields and stands on the line behind them. */
static bool
parse_fields(struct reader *reader, struct manifest *manifest)
{
	if (!line_next(reader))
		return false;
	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
		const struct field *field = &fields[i];
		bool seen = false;

		while (line_is(reader, field->prefix)) {
			if (seen && field->times != FIELD_ANY_TIMES)
				return reader_malformed(
				    reader, "a field that stands here twice");
			reader->at += strlen(field->prefix);
			if (!field->read(reader, manifest) ||
			    !take_end(reader) || !line_next(reader))
				return false;
			seen = true;
		}
		if (!seen && field->times == FIELD_ONCE)
			return reader_malformed(reader, field->missing);
	}
	return true;
}

static bool
take_state(struct reader *reader, bool *withheld)
{
	const char *word;
	size_t len;

	if (!take_word(reader, &word, &len))
		return false;
	*withheld = len == 8 && memcmp(word, "withheld", 8) == 0;
	if (!*withheld && (len != 9 || memcmp(word, "published", 9) != 0))
		return reader_malformed(
		    reader, "a state that is not published or withheld");
	return true;
}

/* Whether the value is not known; goes behind it then. */
static bool
take_unknown(struct reader *reader)
{
	const size_t len = strlen(MANIFEST_UNKNOWN);

	if ((size_t)(reader->end - reader->at) < len ||
	    memcmp(reader->at, MANIFEST_UNKNOWN, len) != 0)
		return false;
	reader->at += len;
	return true;
}

/* A count, or that it is not known. */
static bool
take_leaving(struct reader *reader, struct manifest_shard *shard)
{
	if (take_unknown(reader))
		return true;
	shard->has_leaving = true;
	if (!take_count(reader, UINT64_MAX, &shard->leaving))
		return false;
	if (!manifest_leaving_ok(shard))
		return reader_malformed(
		    reader, "more entries that may leave than there are");
	return true;
}

/* A time, or that it is not known. */
static bool
take_settled(struct reader *reader, struct manifest_shard *shard)
{
	if (take_unknown(reader))
		return true;
	shard->has_settled = true;
	return take_time(reader, &shard->settled_sec);
}

/* The line of a shard. */
static bool
parse_shard_line(struct reader *reader, struct manifest_shard *shard)
{
	static const char order[] = "not the values of this line in order";

	return take_text(reader, "# shard ", "fewer shards than announced") &&
	       take_index(reader, &shard->index) &&
	       take_text(reader, " number=", order) &&
	       take_number(reader, &shard->number) &&
	       take_text(reader, " this-update=", order) &&
	       take_time(reader, &shard->this_update_sec) &&
	       take_text(reader, " next-update=", order) &&
	       take_time(reader, &shard->next_update_sec) &&
	       take_named(reader, " entries=", &shard->entries) &&
	       take_named(reader, " added=", &shard->added) &&
	       take_named(reader, " removed=", &shard->removed) &&
	       take_text(reader, " leaving=", order) &&
	       take_leaving(reader, shard) &&
	       take_text(reader, " settled=", order) &&
	       take_settled(reader, shard) &&
	       take_named(reader, " size=", &shard->size) &&
	       take_text(reader, " state=", order) &&
	       take_state(reader, &shard->withheld) &&
	       take_text(reader, " url=", order) &&
	       take_string(reader, &shard->url, manifest_word_fault) &&
	       take_end(reader);
}

/* Reads the shards and stands on the closing line. */
static bool
parse_shards(struct reader *reader, struct manifest *manifest)
{
	for (size_t i = 0; i < manifest->shard_count; i++) {
		struct manifest_shard *shard = &manifest->shard[i];

		if (!parse_shard_line(reader, shard))
			return false;
		if (i > 0 && shard->index <= shard[-1].index)
			return reader_malformed(reader,
			    "shards that are not in the order of their index");
		if (!line_next(reader) || !take_hash(reader, &shard->sha256) ||
		    !take_text(reader, "  ", "no two blanks before the key") ||
		    !take_string(reader, &shard->key, manifest_key_fault) ||
		    !take_end(reader) || !line_next(reader))
			return false;
	}
	return true;
}

/* No key and no URL twice; names the line of the second. */
static bool
parse_twins(struct reader *reader, const struct manifest *manifest)
{
	size_t closing = reader->line;

	for (int urls = 0; urls < 2; urls++) {
		size_t twin;

		if (manifest_twin(manifest, urls != 0, &twin) != STATUS_OK)
			return reader_fail(
			    reader, STATUS_NO_MEMORY, "out of memory");
		if (twin == manifest->shard_count)
			continue;
		/* Two lines a shard, the URL on the first. */
		reader->line = closing - 2 * (manifest->shard_count - twin) +
			       (urls ? 0 : 1);
		return reader_malformed(
		    reader, urls ? "a URL that two shards have"
				 : "a key that two shards have");
	}
	return true;
}

/* `# end CKSUM BYTES`, what cksum(1) prints for all before it. */
static bool
parse_end(struct reader *reader, const char *text)
{
	size_t before = (size_t)(reader->start - text);
	uint64_t bytes;
	uint32_t sum;

	if (line_is(reader, "# shard "))
		return reader_malformed(reader, "more shards than announced");
	if (!take_text(reader, "# end ", "want the closing line") ||
	    !take_index(reader, &sum) ||
	    !take_text(reader, " ", "a value is missing") ||
	    !take_count(reader, UINT64_MAX, &bytes) || !take_end(reader))
		return false;
	if (reader->rest != reader->limit)
		return reader_malformed(
		    reader, "something behind the closing line");
	if (bytes != before)
		return reader_malformed(
		    reader, "not as many bytes as the closing line says");
	if (sum != manifest_cksum(text, before))
		return reader_malformed(
		    reader, "not the checksum that the closing line says");
	return true;
}

enum status
manifest_parse(const char *text, size_t len, struct manifest *manifest,
    size_t *line, const char **why)
{
	struct reader reader = {.status = STATUS_OK};

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
	if (parse_fields(&reader, manifest) &&
	    parse_shards(&reader, manifest) && parse_end(&reader, text) &&
	    parse_twins(&reader, manifest))
		return STATUS_OK;
	*line = reader.line;
	*why = reader.why;
	manifest_free(manifest);
	return reader.status;
}
