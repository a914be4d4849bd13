/* SPDX-License-Identifier: ISC */
/*
 * manifest_parse on any bytes. What it takes must be written back byte for
 * byte, and be refused when a byte is missing at the end. The input stands
 * there with a closing line of its own too, so that mutations get past it.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "crlpress/manifest.h"

#include "../../src/manifest_impl.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
parse_one(const char *text, size_t len)
{
	struct manifest manifest;
	const char *why = NULL;
	char *again = NULL;
	size_t again_len = 0;
	size_t line = 0;

	if (manifest_parse(text, len, &manifest, &line, &why) != STATUS_OK) {
		if (why == NULL || line == 0 || manifest.shard != NULL)
			abort();
		return;
	}
	if (manifest_format(&manifest, &again, &again_len, &why) != STATUS_OK ||
	    again_len != len || memcmp(again, text, len) != 0)
		abort();
	free(again);
	for (size_t i = 0; i < manifest.shard_count; i++)
		if (manifest_find(&manifest, manifest.shard[i].index) !=
		    &manifest.shard[i])
			abort();
	manifest_free(&manifest);
	if (manifest_parse(text, len - 1, &manifest, &line, &why) == STATUS_OK)
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *text = (const char *)data;
	size_t len = size;
	char *closed;
	int n;

	parse_one(text, size);
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
	parse_one(closed, len + (size_t)n);
	free(closed);
	return 0;
}
