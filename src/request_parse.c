/* SPDX-License-Identifier: ISC */
/*
 * Reads requests and closing lists, as docs/airgap.md defines them, from bytes
 * that anybody may have written: they were carried around. What was read here
 * is written back byte for byte by request_format and closing_format.
 */
#include "crlpress/request.h"

#include <stdlib.h>
#include <string.h>

#include "list_read.h"
#include "manifest_impl.h"
#include "request_impl.h"

/* No shard takes fewer bytes: bounds for counts before they are believed. */
#define REQUEST_SHARD_BYTES_LEAST 160
#define CLOSING_SHARD_BYTES_LEAST 85

static const char order_fault[] = "not the values of this line in order";

static bool
read_format(struct list_reader *reader, void *object)
{
	uint64_t format;

	(void)object;
	if (!list_take_count(reader, UINT32_MAX, &format))
		return false;
	if (format != REQUEST_FORMAT)
		return list_malformed(
		    reader, "a format that this version does not know");
	return true;
}

static bool
read_issuer(struct list_reader *reader, void *object)
{
	struct request *request = object;

	return list_take_string(reader, &request->issuer, manifest_word_fault);
}

static bool
read_issuer_sha256(struct list_reader *reader, void *object)
{
	return list_take_hash(
	    reader, &((struct request *)object)->issuer_sha256);
}

static bool
read_number(struct list_reader *reader, void *object)
{
	return list_take_number(reader, &((struct request *)object)->number);
}

static bool
read_this_update(struct list_reader *reader, void *object)
{
	struct request *request = object;

	return list_take_time(reader, &request->this_update_sec);
}

static bool
read_next_update(struct list_reader *reader, void *object)
{
	struct request *request = object;

	if (!list_take_time(reader, &request->next_update_sec))
		return false;
	if (request->next_update_sec <= request->this_update_sec)
		return list_malformed(
		    reader, "a nextUpdate that is not after thisUpdate");
	return true;
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

	if (!list_take_word(reader, &word, &len))
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
read_url(struct list_reader *reader, void *object)
{
	struct request *request = object;

	return list_take_string(
	    reader, &request->url_pattern, manifest_word_fault);
}

static bool
read_configured(struct list_reader *reader, void *object)
{
	struct request *request = object;
	const char *why;

	if (!list_take_index(reader, &request->shards_configured) ||
	    !list_take_text(reader, " from ", order_fault) ||
	    !list_take_index(reader, &request->shard_first))
		return false;
	why = request_range_fault(request);
	return why == NULL || list_malformed(reader, why);
}

static bool
read_position(struct list_reader *reader, void *object)
{
	return list_take_position(reader, &((struct request *)object)->origin);
}

static bool
read_edition(struct list_reader *reader, void *object)
{
	return list_take_edition(reader, &((struct request *)object)->origin);
}

static bool
read_passed(struct list_reader *reader, void *object)
{
	struct request *request = object;

	if (request->passed_count == REQUEST_PASSED_MOST)
		return list_malformed(reader, "too many gates passed");
	if (request->passed == NULL)
		request->passed =
		    calloc(REQUEST_PASSED_MOST, sizeof(*request->passed));
	if (request->passed == NULL)
		return list_fail(reader, STATUS_NO_MEMORY, "out of memory");
	return list_take_string(reader,
	    &request->passed[request->passed_count++], manifest_word_fault);
}

/* How many shards there are to be, each of at least so many bytes. */
static bool
take_shards(struct list_reader *reader, size_t least, size_t *count)
{
	uint64_t n;

	if (!list_take_count(reader, SHARD_COUNT_MOST, &n))
		return false;
	if (n == 0)
		return list_malformed(reader, "no shard");
	if (n > (size_t)(reader->limit - reader->rest) / least)
		return list_malformed(
		    reader, "more shards than the text has room for");
	*count = (size_t)n;
	return true;
}

static bool
read_shards(struct list_reader *reader, void *object)
{
	struct request *request = object;
	size_t count;

	if (!take_shards(reader, REQUEST_SHARD_BYTES_LEAST, &count))
		return false;
	request->shard = calloc(count, sizeof(*request->shard));
	if (request->shard == NULL)
		return list_fail(reader, STATUS_NO_MEMORY, "out of memory");
	request->shard_count = count;
	return true;
}

static const struct list_field request_fields[] = {
    {"# crlpress-request ", LIST_ONCE, "not a request of crlpress",
	read_format},
    {"# issuer ", LIST_ONCE, "want the field issuer", read_issuer},
    {"# issuer-sha256 ", LIST_ONCE, "want the field issuer-sha256",
	read_issuer_sha256},
    {"# number ", LIST_ONCE, "want the field number", read_number},
    {"# this-update ", LIST_ONCE, "want the field this-update",
	read_this_update},
    {"# next-update ", LIST_ONCE, "want the field next-update",
	read_next_update},
    {"# algorithm ", LIST_ONCE, "want the field algorithm", read_algorithm},
    {"# url ", LIST_ONCE, "want the field url", read_url},
    {"# configured ", LIST_ONCE, "want the field configured", read_configured},
    {"# position ", LIST_AT_MOST_ONCE, NULL, read_position},
    {"# edition ", LIST_AT_MOST_ONCE, NULL, read_edition},
    {"# passed ", LIST_ANY_TIMES, NULL, read_passed},
    {"# shards ", LIST_ONCE, "want the field shards", read_shards},
};

static bool
take_settled(struct list_reader *reader, struct request_shard *shard)
{
	if (list_take_unknown(reader))
		return true;
	shard->has_settled = true;
	return list_take_time(reader, &shard->settled_sec);
}

/* Number and hash of what stood there: both are known, or neither. */
static bool
take_previous(struct list_reader *reader, struct request_shard *shard)
{
	static const char next[] = " previous-sha256=";

	if (list_take_unknown(reader))
		return list_take_text(reader, next, order_fault) &&
		       (list_take_unknown(reader) ||
			   list_malformed(
			       reader, "a hash of what has no number"));
	shard->has_previous = true;
	return list_take_number(reader, &shard->previous) &&
	       list_take_text(reader, next, order_fault) &&
	       list_take_hash(reader, &shard->previous_sha256);
}

/* ` SHA256  NAME`, and nothing behind it; goes to the next line. */
static bool
take_file(struct list_reader *reader, const char *name, struct hash *sha256)
{
	return list_next(reader) && list_take_hash(reader, sha256) &&
	       list_take_text(reader, "  ", "no two blanks before the name") &&
	       list_take_text(reader, name, "not the name of the shard") &&
	       list_take_end(reader) && list_next(reader);
}

static bool
parse_shard(struct list_reader *reader, const struct request *request,
    struct request_shard *shard)
{
	char name[REQUEST_FILE_NAME_BYTES];
	const char *why;

	if (!list_take_text(
		reader, "# shard ", "fewer shards than announced") ||
	    !list_take_index(reader, &shard->index) ||
	    !list_take_named(reader, " entries=", &shard->entries) ||
	    !list_take_named(reader, " added=", &shard->added) ||
	    !list_take_named(reader, " removed=", &shard->removed) ||
	    !list_take_text(reader, " settled=", order_fault) ||
	    !take_settled(reader, shard) ||
	    !list_take_text(reader, " previous=", order_fault) ||
	    !take_previous(reader, shard) ||
	    !list_take_named(reader, " size=", &shard->size) ||
	    !list_take_text(reader, " url=", order_fault) ||
	    !list_take_string(reader, &shard->url, manifest_word_fault) ||
	    !list_take_end(reader))
		return false;
	why = request_shard_fault(request, shard);
	if (why != NULL)
		return list_malformed(reader, why);
	if (shard > request->shard && shard->index <= shard[-1].index)
		return list_malformed(reader, LIST_ORDER_FAULT);
	return take_file(
	    reader, request_tbs_name(shard->index, name), &shard->sha256);
}

static bool
parse_shards(struct list_reader *reader, struct request *request)
{
	for (size_t i = 0; i < request->shard_count; i++)
		if (!parse_shard(reader, request, &request->shard[i]))
			return false;
	return true;
}

/* False, with the fault in the reader, when it is too large for any list. */
static bool
reader_begin(struct list_reader *reader, const char *text, size_t len)
{
	reader->rest = text;
	reader->limit = text + len;
	reader->line = 1;
	if (len > REQUEST_BYTES_MOST)
		return list_malformed(reader, "the list is too large");
	reader->line = 0;
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
request_parse(const char *text, size_t len, struct request *request,
    size_t *line, const char **why)
{
	struct list_reader reader = {.status = STATUS_OK};

	memset(request, 0, sizeof(*request));
	if (len == 0)
		text = "";
	if (reader_begin(&reader, text, len) &&
	    list_read_fields(&reader, request_fields,
		sizeof(request_fields) / sizeof(*request_fields), request) &&
	    parse_shards(&reader, request) && parse_end(&reader, text))
		return STATUS_OK;
	*line = reader.line;
	*why = reader.why;
	request_free(request);
	return reader.status;
}

static bool
read_closing_issuer(struct list_reader *reader, void *object)
{
	struct closing *closing = object;

	return list_take_string(reader, &closing->issuer, manifest_word_fault);
}

static bool
read_closing_issuer_sha256(struct list_reader *reader, void *object)
{
	return list_take_hash(
	    reader, &((struct closing *)object)->issuer_sha256);
}

static bool
read_closing_number(struct list_reader *reader, void *object)
{
	return list_take_number(reader, &((struct closing *)object)->number);
}

static bool
read_closing_request(struct list_reader *reader, void *object)
{
	return list_take_hash(
	    reader, &((struct closing *)object)->request_sha256);
}

static bool
read_closing_shards(struct list_reader *reader, void *object)
{
	struct closing *closing = object;
	size_t count;

	if (!take_shards(reader, CLOSING_SHARD_BYTES_LEAST, &count))
		return false;
	closing->shard = calloc(count, sizeof(*closing->shard));
	if (closing->shard == NULL)
		return list_fail(reader, STATUS_NO_MEMORY, "out of memory");
	closing->shard_count = count;
	return true;
}

static const struct list_field closing_fields[] = {
    {"# crlpress-signed ", LIST_ONCE, "not a closing list of crlpress",
	read_format},
    {"# issuer ", LIST_ONCE, "want the field issuer", read_closing_issuer},
    {"# issuer-sha256 ", LIST_ONCE, "want the field issuer-sha256",
	read_closing_issuer_sha256},
    {"# number ", LIST_ONCE, "want the field number", read_closing_number},
    {"# request-sha256 ", LIST_ONCE, "want the field request-sha256",
	read_closing_request},
    {"# shards ", LIST_ONCE, "want the field shards", read_closing_shards},
};

static bool
parse_closing_shards(struct list_reader *reader, struct closing *closing)
{
	char name[REQUEST_FILE_NAME_BYTES];

	for (size_t i = 0; i < closing->shard_count; i++) {
		struct closing_shard *shard = &closing->shard[i];

		if (!list_take_text(
			reader, "# shard ", "fewer shards than announced") ||
		    !list_take_index(reader, &shard->index) ||
		    !list_take_named(reader, " size=", &shard->size) ||
		    !list_take_end(reader))
			return false;
		if (i > 0 && shard->index <= shard[-1].index)
			return list_malformed(reader, LIST_ORDER_FAULT);
		if (!take_file(reader, request_crl_name(shard->index, name),
			&shard->sha256))
			return false;
	}
	return true;
}

enum status
closing_parse(const char *text, size_t len, struct closing *closing,
    size_t *line, const char **why)
{
	struct list_reader reader = {.status = STATUS_OK};

	memset(closing, 0, sizeof(*closing));
	if (len == 0)
		text = "";
	if (reader_begin(&reader, text, len) &&
	    list_read_fields(&reader, closing_fields,
		sizeof(closing_fields) / sizeof(*closing_fields), closing) &&
	    parse_closing_shards(&reader, closing) && parse_end(&reader, text))
		return STATUS_OK;
	*line = reader.line;
	*why = reader.why;
	closing_free(closing);
	return reader.status;
}
