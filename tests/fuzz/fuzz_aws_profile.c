/* SPDX-License-Identifier: ISC */
/*
 * aws_profile_read on any bytes, as both files: values are words or, where
 * they may be, texts; nothing stays when the file is refused.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "crlpress/aws_profile.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
read_one(const char *text, size_t len, enum aws_file file)
{
	struct aws_profile profile;
	const char *why;
	size_t line;
	enum status status =
	    aws_profile_read(text, len, file, "b", &profile, &line, &why);

	if ((status == STATUS_OK) != (why == NULL) || line > len + 1)
		abort();
	for (size_t i = 0; i < AWS_SETTING_COUNT; i++) {
		const char *value = profile.value[i];

		if (value == NULL)
			continue;
		if (status != STATUS_OK || !profile.found || value[0] == '\0' ||
		    value[0] == ' ' || strchr(value, '\n') != NULL ||
		    profile.line[i] > line)
			abort();
	}
	aws_profile_free(&profile);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	read_one((const char *)data, size, AWS_CREDENTIALS_FILE);
	read_one((const char *)data, size, AWS_CONFIG_FILE);
	return 0;
}
