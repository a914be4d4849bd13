/* SPDX-License-Identifier: ISC */
/*
 * Text as a configuration file, through a memfd so that every step of
 * config_load is taken. What loads must print, and the print must load again
 * and print the same.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "crlpress/config.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Loads the bytes; NULL when they are no configuration. */
static struct config *
text_load(const void *data, size_t size)
{
	struct report *report = report_new(NULL, SEVERITY_NOTE);
	struct config *config = NULL;
	enum status status;
	char path[64];
	int fd;

	fd = memfd_create("config", MFD_CLOEXEC);
	if (fd == -1 || report == NULL ||
	    write(fd, data, size) != (ssize_t)size)
		abort();
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	status = config_load(path, report, &config);
	close(fd);
	/* A failure without a line, or the other way round, is a bug. */
	if ((status == STATUS_OK) != (config != NULL) ||
	    (status == STATUS_OK) !=
		(report_count(report, SEVERITY_FAULT) == 0))
		abort();
	report_free(report);
	return config;
}

static char *
text_print(const struct config *config, size_t *size)
{
	char *text = NULL;
	FILE *stream = open_memstream(&text, size);

	if (stream == NULL)
		abort();
	config_print(config, stream);
	if (fclose(stream) != 0)
		abort();
	return text;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct config *first = text_load(data, size);
	struct config *second;
	char *one, *two;
	size_t one_size, two_size;

	if (first == NULL)
		return 0;
	one = text_print(first, &one_size);
	second = text_load(one, one_size);
	if (second == NULL)
		abort();
	two = text_print(second, &two_size);
	if (one_size != two_size || memcmp(one, two, one_size) != 0 ||
	    strcmp(first->sql, second->sql) != 0)
		abort();
	free(one);
	free(two);
	config_free(first);
	config_free(second);
	return 0;
}
