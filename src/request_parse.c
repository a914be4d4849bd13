/* SPDX-License-Identifier: ISC */
/*
 * Reads requests and closing lists, as docs/airgap.md defines them, from bytes
 * that anybody may have written: they were carried around. What was read here
 * is written back byte for byte by request_format and closing_format.
 */
#include "crlpress/request.h"

#include <string.h>

#include "list_read.h"
#include "request_impl.h"

/* No shard takes fewer bytes: bounds for counts before they are believed. */
#define REQUEST_SHARD_BYTES_LEAST 160
#define CLOSING_SHARD_BYTES_LEAST 85

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))
#define REQUEST(member) offsetof(struct request, member)
#define SHARD(member) offsetof(struct request_shard, member)
#define CLOSING(member) offsetof(struct closing, member)
#define CLOSING_SHARD(member) offsetof(struct closing_shard, member)

static bool
read_format(struct list_reader *reader, void *object)
{
	(void)object;
	return list_take_format(reader, REQUEST_FORMAT);
}

static bool
read_next_update(struct list_reader *reader, void *object)
{
	struct request *request = object;

	return list_take_next_update(
	    reader, request->this_update_sec, &request->next_update_sec);
}

/* Of a lower-case hex digit; -1: it is none. */
static int
digit_of(char c)
{
	static const char digits[] = "0123456789abcdef";
	const char *found = c == '\0' ? NULL : strchr(digits, c);

	return found == NULL ? -1 : (int)(found - digits);
}

static bool
read_algorithm(struct list_reader *reader, void *object)
{
	static const char want[] = "not octets in lower-case hex";
	struct request *request = object;
	const char *word;
	size_t len;

	if (!list_take_bytes(reader, &word, &len))
		return false;
	if (len % 2 != 0 || len / 2 > REQUEST_ALGORITHM_BYTES_MOST)
		return list_malformed(reader, want);
	for (size_t i = 0; i < len; i += 2) {
		int high = digit_of(word[i]), low = digit_of(word[i + 1]);

		if (high < 0 || low < 0)
			return list_malformed(reader, want);
		request->algorithm[i / 2] = (uint8_t)(high << 4 | low);
	}
	request->algorithm_len = len / 2;
	return true;
}

static bool
read_configured(struct list_reader *reader, void *object)
{
	static const struct list_value values[] = {
	    {"", list_take_index, REQUEST(shards_configured), 0},
	    {" from ", list_take_index, REQUEST(shard_first), 0},
	};
	const char *why;

	if (!list_read_values(reader, values, COUNT(values), object))
		return false;
	why = request_range_fault(object);
	return why == NULL || list_malformed(reader, why);
}

static bool
read_sharding(struct list_reader *reader, void *object)
{
	struct request *request = object;
	const char *why;

	if (!list_take_sharding(reader, &request->placing))
		return false;
	why = request_range_fault(request);
	return why == NULL || list_malformed(reader, why);
}

static bool
read_passed(struct list_reader *reader, void *object)
{
	struct request *request = object;

	return list_take_passed(reader, &request->passed,
	    &request->passed_count, REQUEST_PASSED_MOST);
}

static bool
read_shards(struct list_reader *reader, void *object)
{
	struct request *request = object;

	request->shard = list_take_shards(reader, REQUEST_SHARD_BYTES_LEAST,
	    sizeof(*request->shard), &request->shard_count);
	return request->shard != NULL || list_malformed(reader, "no shard");
}

static const struct list_field request_fields[] = {
    {"# crlpress-request ", LIST_ONCE, "not a request of crlpress", read_format,
	0},
    {"# issuer ", LIST_ONCE, "want the field issuer", list_take_word,
	REQUEST(issuer)},
    {"# issuer-sha256 ", LIST_ONCE, "want the field issuer-sha256",
	list_take_hash, REQUEST(issuer_sha256)},
    {"# number ", LIST_ONCE, "want the field number", list_take_number,
	REQUEST(number)},
    {"# this-update ", LIST_ONCE, "want the field this-update", list_take_time,
	REQUEST(this_update_sec)},
    {"# next-update ", LIST_ONCE, "want the field next-update",
	read_next_update, 0},
    {"# algorithm ", LIST_ONCE, "want the field algorithm", read_algorithm, 0},
    {"# url ", LIST_ONCE, "want the field url", list_take_word,
	REQUEST(url_pattern)},
    {"# configured ", LIST_ONCE, "want the field configured", read_configured,
	0},
    {"# sharding ", LIST_AT_MOST_ONCE, NULL, read_sharding, 0},
    {"# position ", LIST_AT_MOST_ONCE, NULL, list_take_position,
	REQUEST(origin)},
    {"# edition ", LIST_AT_MOST_ONCE, NULL, list_take_edition, REQUEST(origin)},
    {"# passed ", LIST_ANY_TIMES, NULL, read_passed, 0},
    {"# shards ", LIST_ONCE, "want the field shards", read_shards, 0},
};

/* Number and hash of what stood there: both are known, or neither. */
static bool
read_previous_sha256(struct list_reader *reader, void *object)
{
	struct request_shard *shard = object;

	if (shard->has_previous)
		return list_take_hash(reader, &shard->previous_sha256);
	return list_take_unknown(reader) ||
	       list_malformed(reader, "a hash of what has no number");
}

static const struct list_value request_values[] = {
    {"", list_take_index, SHARD(index), 0},
    {" entries=", list_take_count, SHARD(entries), 0},
    {" added=", list_take_count, SHARD(added), 0},
    {" removed=", list_take_count, SHARD(removed), 0},
    {" settled=", list_take_time, SHARD(settled_sec), SHARD(has_settled)},
    {" previous=", list_take_number, SHARD(previous), SHARD(has_previous)},
    {" previous-sha256=", read_previous_sha256, 0, 0},
    {" size=", list_take_count, SHARD(size), 0},
    {" url=", list_take_word, SHARD(url), 0},
};

/* ` SHA256  NAME`, and nothing behind it; goes to the next line. */
static bool
parse_file(struct list_reader *reader, const char *name, struct hash *sha256)
{
	return list_read_sum(reader, sha256, "no two blanks before the name") &&
	       list_take_text(reader, name, "not the name of the shard") &&
	       list_take_end(reader) && list_next(reader);
}

static bool
parse_shards(struct list_reader *reader, struct request *request)
{
	char name[REQUEST_FILE_NAME_BYTES];

	for (size_t i = 0; i < request->shard_count; i++) {
		struct request_shard *shard = &request->shard[i];
		const char *why;

		if (!list_read_shard(
			reader, request_values, COUNT(request_values), shard))
			return false;
		why = request_shard_fault(request, shard);
		if (why == NULL && i > 0 && shard->index <= shard[-1].index)
			why = LIST_ORDER_FAULT;
		if (why != NULL)
			return list_malformed(reader, why);
		if (!parse_file(reader, request_tbs_name(shard->index, name),
			&shard->sha256))
			return false;
	}
	return true;
}

enum status
request_parse(const char *text, size_t len, struct request *request,
    size_t *line, const char **why)
{
	struct list_reader reader;

	memset(request, 0, sizeof(*request));
	if (list_begin(&reader, text, len, REQUEST_BYTES_MOST,
		"the list is too large") &&
	    list_read_fields(
		&reader, request_fields, COUNT(request_fields), request) &&
	    parse_shards(&reader, request) && list_read_end(&reader))
		return STATUS_OK;
	*line = reader.line;
	*why = reader.why;
	request_free(request);
	return reader.status;
}

static bool
read_closing_shards(struct list_reader *reader, void *object)
{
	struct closing *closing = object;

	closing->shard = list_take_shards(reader, CLOSING_SHARD_BYTES_LEAST,
	    sizeof(*closing->shard), &closing->shard_count);
	return closing->shard != NULL || list_malformed(reader, "no shard");
}

static const struct list_field closing_fields[] = {
    {"# crlpress-signed ", LIST_ONCE, "not a closing list of crlpress",
	read_format, 0},
    {"# issuer ", LIST_ONCE, "want the field issuer", list_take_word,
	CLOSING(issuer)},
    {"# issuer-sha256 ", LIST_ONCE, "want the field issuer-sha256",
	list_take_hash, CLOSING(issuer_sha256)},
    {"# number ", LIST_ONCE, "want the field number", list_take_number,
	CLOSING(number)},
    {"# request-sha256 ", LIST_ONCE, "want the field request-sha256",
	list_take_hash, CLOSING(request_sha256)},
    {"# shards ", LIST_ONCE, "want the field shards", read_closing_shards, 0},
};

static const struct list_value closing_values[] = {
    {"", list_take_index, CLOSING_SHARD(index), 0},
    {" size=", list_take_count, CLOSING_SHARD(size), 0},
};

static bool
parse_closing_shards(struct list_reader *reader, struct closing *closing)
{
	char name[REQUEST_FILE_NAME_BYTES];

	for (size_t i = 0; i < closing->shard_count; i++) {
		struct closing_shard *shard = &closing->shard[i];

		if (!list_read_shard(
			reader, closing_values, COUNT(closing_values), shard))
			return false;
		if (i > 0 && shard->index <= shard[-1].index)
			return list_malformed(reader, LIST_ORDER_FAULT);
		if (!parse_file(reader, request_crl_name(shard->index, name),
			&shard->sha256))
			return false;
	}
	return true;
}

enum status
closing_parse(const char *text, size_t len, struct closing *closing,
    size_t *line, const char **why)
{
	struct list_reader reader;

	memset(closing, 0, sizeof(*closing));
	if (list_begin(&reader, text, len, REQUEST_BYTES_MOST,
		"the list is too large") &&
	    list_read_fields(
		&reader, closing_fields, COUNT(closing_fields), closing) &&
	    parse_closing_shards(&reader, closing) && list_read_end(&reader))
		return STATUS_OK;
	*line = reader.line;
	*why = reader.why;
	closing_free(closing);
	return reader.status;
}
