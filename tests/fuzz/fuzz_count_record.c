/* SPDX-License-Identifier: ISC */
/*
 * count_record_parse on any bytes: the process that keeps the counts reads
 * with it what the one that talks to the network sent. What it takes must be
 * written back byte for byte.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "../../src/sunset/counts.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct count_record record;
	char line[COUNT_LINE_BYTES];
	const char *why = NULL;
	/* A copy of just this size, for the sanitizer to guard its end. */
	char *text = malloc(size > 0 ? size : 1);

	if (text == NULL)
		return 0;
	if (size > 0)
		memcpy(text, data, size);
	if (count_record_parse(text, size, &record, &why) != STATUS_OK) {
		if (why == NULL)
			abort();
	} else if ((record.up_sec > 0) == (record.count > 0) ||
		   count_record_format(&record, line) != size + 1 ||
		   memcmp(line, text, size) != 0) {
		abort();
	}
	free(text);
	return 0;
}
