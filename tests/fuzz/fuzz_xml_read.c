/* SPDX-License-Identifier: ISC */
/*
 * xml_element on any bytes: what it hands out is a string that fits, no
 * longer than the text it was taken from, and nothing when it is refused.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "crlpress/xml_read.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* All that is handed out cannot be longer than the text. */
static enum status
take(void *context, const char *value)
{
	size_t *left = context;

	if (strlen(value) > *left)
		abort();
	*left -= strlen(value);
	return STATUS_OK;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char out[64];
	size_t left = size;
	enum status status;

	for (size_t room = 1; room <= sizeof(out); room *= 4) {
		memset(out, 'x', sizeof(out));
		status =
		    xml_element((const char *)data, size, "Code", out, room);
		if (strnlen(out, room) == room || strlen(out) > size)
			abort();
		if (status != STATUS_OK && out[0] != '\0')
			abort();
	}
	(void)!xml_elements(
	    (const char *)data, size, "Key", out, sizeof(out), take, &left);
	return 0;
}
