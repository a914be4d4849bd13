/* SPDX-License-Identifier: ISC */
/*
 * expiry_parse on any bytes. What it takes must be written back byte for
 * byte. The input stands there with a closing line of its own too, so that
 * mutations get past it.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "crlpress/expiry.h"

#include "../../src/manifest_impl.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
parse_one(const char *text, size_t len)
{
	char again[EXPIRY_BYTES_MOST];
	struct expiry expiry;
	const char *why = NULL;
	size_t line = 0;

	if (expiry_parse(text, len, &expiry, &line, &why) != STATUS_OK) {
		if (why == NULL || line == 0)
			abort();
		return;
	}
	if (expiry_format(&expiry, again) != len ||
	    memcmp(again, text, len) != 0)
		abort();
	if (expiry_judge(&expiry, expiry.made_sec, &why) == STATUS_OK &&
	    expiry.has_last && expiry.last_sec >= expiry.made_sec)
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *text = (const char *)data;
	size_t len = size;
	char *closed;
	int n;

	closed = malloc(size + 64);
	if (closed == NULL)
		return 0;
	parse_one(text, size);
	while (len > 0 && text[len - 1] == '\n')
		len--;
	while (len > 0 && text[len - 1] != '\n')
		len--;
	if (len > 0)
		memcpy(closed, text, len);
	n = snprintf(
	    closed + len, 64, "end %u %zu\n", manifest_cksum(text, len), len);
	parse_one(closed, len + (size_t)n);
	free(closed);
	return 0;
}
