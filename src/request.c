/* SPDX-License-Identifier: ISC */
/*
 * The writing of requests and closing lists. docs/airgap.md defines the
 * formats; request_parse.c reads them.
 */
#include "crlpress/request.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "list_write.h"
#include "manifest_impl.h"
#include "request_impl.h"

char *
request_tbs_name(uint32_t index, char out[REQUEST_FILE_NAME_BYTES])
{
	(void)snprintf(out, REQUEST_FILE_NAME_BYTES, "%" PRIu32 ".tbs", index);
	return out;
}

char *
request_crl_name(uint32_t index, char out[REQUEST_FILE_NAME_BYTES])
{
	(void)snprintf(out, REQUEST_FILE_NAME_BYTES, "%" PRIu32 ".crl", index);
	return out;
}

char *
request_previous_name(uint32_t index, char out[REQUEST_FILE_NAME_BYTES])
{
	(void)snprintf(out, REQUEST_FILE_NAME_BYTES,
	    "%" PRIu32 REQUEST_PREVIOUS_SUFFIX, index);
	return out;
}

const char *
request_shard_fault(
    const struct request *request, const struct request_shard *shard)
{
	char url[SHARD_NAME_BYTES];
	const char *why = NULL;

	if (shard->index < request->shard_first ||
	    shard->index - request->shard_first >= request->shards_configured)
		return "a shard that is none of the issuer's";
	if (shard_expand(request->url_pattern, request->shards_configured,
		shard->index, url, sizeof(url), &why) != STATUS_OK)
		return why;
	if (strcmp(url, shard->url) != 0)
		return "a URL that is not the shard's";
	if (shard->size == 0)
		return "a TBSCertList without a byte";
	if (shard->has_previous &&
	    uint160_compare(&shard->previous, &request->number) >= 0)
		return "a number that is not above the one before";
	return NULL;
}

const char *
request_range_fault(const struct request *request)
{
	if (request->shards_configured == 0 ||
	    request->shards_configured > SHARD_COUNT_MOST ||
	    request->shard_first > UINT32_MAX - request->shards_configured)
		return "shards out of range";
	if (request->placing.by.count != 0 &&
	    (request->placing.by.count != request->shards_configured ||
		request->placing.by.first != request->shard_first))
		return "a sharding of other shards than are configured";
	return NULL;
}

static void
format_algorithm(struct list_text *text, const struct request *request)
{
	if (request->algorithm_len == 0 ||
	    request->algorithm_len > REQUEST_ALGORITHM_BYTES_MOST) {
		(void)list_text_fail(text, STATUS_MALFORMED,
		    "an algorithm of no octet or too many");
		return;
	}
	list_printf(text, "# algorithm ");
	for (size_t i = 0; i < request->algorithm_len; i++)
		list_printf(text, "%02x", request->algorithm[i]);
	list_printf(text, "\n");
}

static void
format_head(struct list_text *text, const struct request *request)
{
	const char *why = request_range_fault(request);

	if (why != NULL)
		(void)list_text_fail(text, STATUS_MALFORMED, why);
	if (request->next_update_sec <= request->this_update_sec)
		(void)list_text_fail(text, STATUS_MALFORMED,
		    "a nextUpdate that is not after thisUpdate");
	list_printf(text, "# crlpress-request %d\n", REQUEST_FORMAT);
	list_put_word(text, "issuer", request->issuer);
	list_put_hash(text, "issuer-sha256", &request->issuer_sha256);
	list_put_number(text, "number", &request->number);
	list_put_time(text, "this-update", request->this_update_sec);
	list_put_time(text, "next-update", request->next_update_sec);
	format_algorithm(text, request);
	list_put_word(text, "url", request->url_pattern);
	list_printf(text, "# configured %" PRIu32 " from %" PRIu32 "\n",
	    request->shards_configured, request->shard_first);
	list_put_sharding(text, &request->placing);
	list_put_origin(text, &request->origin);
	list_put_passed(
	    text, request->passed, request->passed_count, REQUEST_PASSED_MOST);
	if (request->shard_count == 0 ||
	    request->shard_count > SHARD_COUNT_MOST)
		(void)list_text_fail(
		    text, STATUS_MALFORMED, "no shard, or too many");
	list_printf(text, "# shards %zu\n", request->shard_count);
}

/* One shard: its line, and the line that sha256sum(1) reads. */
static void
format_shard(struct list_text *text, const struct request *request,
    const struct request_shard *shard)
{
	const char *why = manifest_word_fault(shard->url);
	char settled[UTC_ISO_BYTES] = MANIFEST_UNKNOWN;
	char previous[UINT160_DECIMAL_BYTES] = MANIFEST_UNKNOWN;
	char previous_hex[HASH_HEX_BYTES] = MANIFEST_UNKNOWN;
	char name[REQUEST_FILE_NAME_BYTES];
	char hex[HASH_HEX_BYTES];

	if (why == NULL)
		why = request_shard_fault(request, shard);
	if (why != NULL) {
		(void)list_text_fail(text, STATUS_MALFORMED, why);
		return;
	}
	if (shard->has_settled)
		list_time(text, shard->settled_sec, settled);
	if (shard->has_previous) {
		list_number(text, &shard->previous, previous);
		hash_to_hex(&shard->previous_sha256, previous_hex);
	}
	list_printf(text,
	    "# shard %" PRIu32 " entries=%" PRIu64 " added=%" PRIu64
	    " removed=%" PRIu64 " settled=%s previous=%s previous-sha256=%s "
	    "size=%" PRIu64 " url=%s\n",
	    shard->index, shard->entries, shard->added, shard->removed, settled,
	    previous, previous_hex, shard->size, shard->url);
	list_printf(text, "%s  %s\n", hash_to_hex(&shard->sha256, hex),
	    request_tbs_name(shard->index, name));
}

enum status
request_format(
    const struct request *request, char **out, size_t *len, const char **why)
{
	struct list_text text = {.status = STATUS_OK};

	*out = NULL;
	*len = 0;
	format_head(&text, request);
	for (size_t i = 0; text.status == STATUS_OK && i < request->shard_count;
	     i++) {
		if (i > 0 &&
		    request->shard[i].index <= request->shard[i - 1].index)
			(void)list_text_fail(
			    &text, STATUS_MALFORMED, LIST_ORDER_FAULT);
		format_shard(&text, request, &request->shard[i]);
	}
	return list_finish(&text, out, len, why);
}

enum status
closing_format(
    const struct closing *closing, char **out, size_t *len, const char **why)
{
	struct list_text text = {.status = STATUS_OK};
	char name[REQUEST_FILE_NAME_BYTES];
	char hex[HASH_HEX_BYTES];

	*out = NULL;
	*len = 0;
	if (closing->shard_count == 0)
		(void)list_text_fail(&text, STATUS_MALFORMED, "no shard");
	list_printf(&text, "# crlpress-signed %d\n", REQUEST_FORMAT);
	list_put_word(&text, "issuer", closing->issuer);
	list_put_hash(&text, "issuer-sha256", &closing->issuer_sha256);
	list_put_number(&text, "number", &closing->number);
	list_put_hash(&text, "request-sha256", &closing->request_sha256);
	list_printf(&text, "# shards %zu\n", closing->shard_count);
	for (size_t i = 0; text.status == STATUS_OK && i < closing->shard_count;
	     i++) {
		const struct closing_shard *shard = &closing->shard[i];

		if (i > 0 && shard->index <= shard[-1].index)
			(void)list_text_fail(
			    &text, STATUS_MALFORMED, LIST_ORDER_FAULT);
		list_printf(&text,
		    "# shard %" PRIu32 " size=%" PRIu64 "\n%s  %s\n",
		    shard->index, shard->size, hash_to_hex(&shard->sha256, hex),
		    request_crl_name(shard->index, name));
	}
	return list_finish(&text, out, len, why);
}

const struct request_shard *
request_find(const struct request *request, uint32_t index)
{
	_Static_assert(offsetof(struct request_shard, index) == 0, "list_find");

	return list_find(request->shard, request->shard_count,
	    sizeof(*request->shard), index);
}

void
request_free(struct request *request)
{
	if (request == NULL)
		return;
	free(request->issuer);
	free(request->url_pattern);
	for (size_t i = 0; i < request->passed_count; i++)
		free(request->passed[i]);
	free(request->passed);
	for (size_t i = 0; i < request->shard_count; i++)
		free(request->shard[i].url);
	free(request->shard);
	memset(request, 0, sizeof(*request));
}

void
closing_free(struct closing *closing)
{
	if (closing == NULL)
		return;
	free(closing->issuer);
	free(closing->shard);
	memset(closing, 0, sizeof(*closing));
}
