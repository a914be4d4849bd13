/* SPDX-License-Identifier: ISC */
/*
 * json_read_strings on any bytes: what it hands out is a string that fits,
 * and nothing of it stays when the text is refused.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "crlpress/json_read.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char id[8];
	char token[64];
	struct json_read_member member[] = {
	    {"AccessKeyId", id, sizeof(id), false},
	    {"Token", token, sizeof(token), false},
	};
	const char *why;
	enum status status;

	memset(id, 'x', sizeof(id));
	memset(token, 'x', sizeof(token));
	status = json_read_strings((const char *)data, size, member, 2, &why);
	for (size_t i = 0; i < 2; i++) {
		if (strnlen(member[i].out, member[i].size) == member[i].size)
			abort();
		if (!member[i].found && member[i].out[0] != '\0')
			abort();
		if (status != STATUS_OK && member[i].found)
			abort();
	}
	if ((status == STATUS_OK) != (why == NULL))
		abort();
	return 0;
}
