/* SPDX-License-Identifier: ISC */
/*
 * state_puts_parse on any bytes, of the file that every run and push reads.
 * What it takes rises by shard, is found again by shard, is written back byte
 * for byte, and is refused when its last octet is missing.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "../../src/state_impl.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check_puts(const struct state_puts *puts, const char *text, size_t len)
{
	char *again = state_puts_text(puts);

	if (again == NULL || strlen(again) != len ||
	    memcmp(again, text, len) != 0)
		abort();
	free(again);
	for (size_t i = 0; i < puts->count; i++)
		if ((i > 0 && puts->put[i].shard <= puts->put[i - 1].shard) ||
		    state_puts_find(puts, puts->put[i].shard) !=
			&puts->put[i].number)
			abort();
}

static enum status
parse_one(const char *text, size_t len)
{
	struct state_puts puts = {.count = 0};
	enum status status = state_puts_parse(text, len, &puts);

	if (status == STATUS_OK)
		check_puts(&puts, text, len);
	else if (status != STATUS_MALFORMED)
		abort();
	state_puts_free(&puts);
	return status;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = malloc(size + 1);

	if (text == NULL)
		return 0;
	if (size > 0)
		memcpy(text, data, size);
	text[size] = '\0';
	if (parse_one(text, size) == STATUS_OK && size > 0) {
		text[size - 1] = '\0';
		if (parse_one(text, size - 1) == STATUS_OK)
			abort();
	}
	free(text);
	return 0;
}
