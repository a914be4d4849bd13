/* SPDX-License-Identifier: ISC */
/*
 * request_parse and closing_parse on any bytes. What they take must be written
 * back byte for byte, and be refused when a byte is missing at the end. The
 * input stands there with a closing line of its own too, so that mutations get
 * past it.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "crlpress/request.h"

#include "../../src/manifest_impl.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
request_one(const char *text, size_t len)
{
	struct request request;
	const char *why = NULL;
	char *again = NULL;
	size_t again_len = 0;
	size_t line = 0;

	if (request_parse(text, len, &request, &line, &why) != STATUS_OK) {
		if (why == NULL || line == 0 || request.shard != NULL)
			abort();
		return;
	}
	if (request_format(&request, &again, &again_len, &why) != STATUS_OK ||
	    again_len != len || memcmp(again, text, len) != 0)
		abort();
	free(again);
	request_free(&request);
	if (request_parse(text, len - 1, &request, &line, &why) == STATUS_OK)
		abort();
}

static void
closing_one(const char *text, size_t len)
{
	struct closing closing;
	const char *why = NULL;
	char *again = NULL;
	size_t again_len = 0;
	size_t line = 0;

	if (closing_parse(text, len, &closing, &line, &why) != STATUS_OK) {
		if (why == NULL || line == 0 || closing.shard != NULL)
			abort();
		return;
	}
	if (closing_format(&closing, &again, &again_len, &why) != STATUS_OK ||
	    again_len != len || memcmp(again, text, len) != 0)
		abort();
	free(again);
	closing_free(&closing);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *text = (const char *)data;
	size_t len = size;
	char *closed;
	int n;

	request_one(text, size);
	closing_one(text, size);
	/* Cut off the last line and put a right one there. */
	while (len > 0 && text[len - 1] == '\n')
		len--;
	while (len > 0 && text[len - 1] != '\n')
		len--;
	closed = malloc(len + 64);
	if (closed == NULL)
		return 0;
	if (len > 0)
		memcpy(closed, text, len);
	n = snprintf(
	    closed + len, 64, "# end %u %zu\n", manifest_cksum(text, len), len);
	request_one(closed, len + (size_t)n);
	closing_one(closed, len + (size_t)n);
	free(closed);
	return 0;
}
