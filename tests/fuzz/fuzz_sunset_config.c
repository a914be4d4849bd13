/* SPDX-License-Identifier: ISC */
/*
 * The configuration of ocsp-sunset out of any text: a fault is always said,
 * and what is taken is printed as text that is taken for the same.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../src/sunset/sunset_config.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
require(int held)
{
	if (!held)
		abort();
}

/* What it prints; NULL when it was refused. */
static char *
print_parsed(const char *text, size_t len)
{
	struct report *report = report_new(NULL, SEVERITY_FAULT);
	struct sunset_config *config = NULL;
	char *printed = NULL;
	size_t printed_len = 0;
	FILE *stream;

	require(report != NULL);
	if (sunset_config_parse("c", text, len, report, &config) != STATUS_OK) {
		require(config == NULL);
		require(report_count(report, SEVERITY_FAULT) > 0);
	} else {
		require(report_count(report, SEVERITY_FAULT) == 0);
		stream = open_memstream(&printed, &printed_len);
		require(stream != NULL);
		sunset_config_print(config, stream);
		(void)fclose(stream);
	}
	sunset_config_free(config);
	report_free(report);
	return printed;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = malloc(size + 1);
	char *printed;
	char *again;

	require(text != NULL);
	memcpy(text, data, size);
	text[size] = '\0';
	printed = print_parsed(text, size);
	if (printed != NULL) {
		again = print_parsed(printed, strlen(printed));
		require(again != NULL && strcmp(printed, again) == 0);
		free(again);
	}
	free(printed);
	free(text);
	return 0;
}
