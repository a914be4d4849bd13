/* SPDX-License-Identifier: ISC */
/*
 * ccadb_parse on any bytes. What it takes must come back the same when it is
 * written as JSON, and be refused when an octet is missing at the end; the
 * normal form of a URL has itself for a normal form, but where a percent sign
 * that encodes nothing comes to stand before what it did not stand before.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "crlpress/ccadb.h"
#include "crlpress/json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check_normal(const char *url)
{
	char *normal = ccadb_url_normal(url);
	char *again = normal == NULL ? NULL : ccadb_url_normal(normal);

	if (again == NULL || strlen(normal) > strlen(url) + 1)
		abort();
	if (strchr(url, '%') == NULL && strcmp(normal, again) != 0)
		abort();
	free(again);
	free(normal);
}

static void
check_again(const struct ccadb_urls *urls)
{
	struct json json = {0};
	struct ccadb_urls again;
	const char *why = NULL;
	char *text = NULL;
	size_t len = 0;
	size_t offset = 0;

	json.stream = open_memstream(&text, &len);
	if (json.stream == NULL)
		abort();
	json_open(&json, NULL, '[');
	for (size_t i = 0; i < urls->count; i++)
		json_string(&json, NULL, urls->url[i]);
	json_close(&json, ']');
	fclose(json.stream);
	if (ccadb_parse(text, len, &again, &offset, &why) != STATUS_OK ||
	    again.count != urls->count)
		abort();
	for (size_t i = 0; i < urls->count; i++)
		if (strcmp(again.url[i], urls->url[i]) != 0)
			abort();
	ccadb_free(&again);
	/* The bracket that ends it is the last octet. */
	if (ccadb_parse(text, len - 1, &again, &offset, &why) == STATUS_OK)
		abort();
	free(text);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct ccadb_urls urls;
	const char *why = NULL;
	size_t offset = 0;

	if (ccadb_parse((const char *)data, size, &urls, &offset, &why) !=
	    STATUS_OK) {
		if (why == NULL || offset > size || urls.url != NULL)
			abort();
		return 0;
	}
	if (offset != size)
		abort();
	check_again(&urls);
	for (size_t i = 0; i < urls.count; i++)
		check_normal(urls.url[i]);
	ccadb_free(&urls);
	return 0;
}
