/* SPDX-License-Identifier: ISC */
/*
 * Configuration files for the unit tests: a directory to write them in, a
 * base of which single lines are replaced, and what is to be reported then.
 */
#ifndef CRLPRESS_CONFIG_CASE_H
#define CRLPRESS_CONFIG_CASE_H

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "crlpress/config.h"
#include "crlpress/config_file.h"
#include "crlpress/config_key.h"
#include "crlpress/config_text.h"
#include "crlpress/config_value.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define PATH_BYTES 512

/* The least that is a configuration; bad cases replace one line of it. */
static const char *const base[] = {
    "[issuer]",                                    /* 1 */
    "certificate = ca.pem",                        /* 2 */
    "key = ca.key",                                /* 3 */
    "[source]",                                    /* 4 */
    "issuer_id = r1",                              /* 5 */
    "[shards]",                                    /* 6 */
    "count = 4",                                   /* 7 */
    "url = http://crl.example.com/r1/{shard}.crl", /* 8 */
    "[store]",                                     /* 9 */
    "url = /srv/crl",                              /* 10 */
};

static char directory[64];

static int
directory_make(void **state)
{
	(void)state;
	strcpy(directory, "/tmp/crlpress-config-XXXXXX");
	return mkdtemp(directory) != NULL ? 0 : -1;
}

static int
entry_remove(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

static int
directory_remove(void **state)
{
	(void)state;
	return nftw(directory, entry_remove, 8, FTW_DEPTH | FTW_PHYS);
}

static const char *
path_of(const char *name, char path[PATH_BYTES])
{
	snprintf(path, PATH_BYTES, "%s/%s", directory, name);
	return path;
}

static void
file_write(const char *name, const void *data, size_t len)
{
	char path[PATH_BYTES];
	FILE *stream = fopen(path_of(name, path), "w");

	assert_non_null(stream);
	assert_int_equal(fwrite(data, 1, len, stream), len);
	assert_int_equal(fclose(stream), 0);
}

/* The base, its line `line` replaced (0: none; 11: appended) by `text`. */
static void
base_write(const char *name, size_t line, const char *text)
{
	char path[PATH_BYTES];
	FILE *stream = fopen(path_of(name, path), "w");
	size_t i;

	assert_non_null(stream);
	for (i = 0; i <= COUNT(base); i++) {
		if (i + 1 == line)
			fprintf(stream, "%s\n", text);
		else if (i < COUNT(base))
			fprintf(stream, "%s\n", base[i]);
	}
	assert_int_equal(fclose(stream), 0);
}

static enum status
load(const char *name, struct report **report, struct config **config)
{
	char path[PATH_BYTES];

	*report = report_new(NULL, SEVERITY_NOTE);
	assert_non_null(*report);
	return config_load(path_of(name, path), *report, config);
}

static void
findings_print(const struct report *report)
{
	size_t i;

	for (i = 0; i < report_kept(report); i++)
		print_message("  %s: %s\n", report_finding(report, i)->object,
		    report_finding(report, i)->text);
}

static struct config *
load_good(const char *name)
{
	struct report *report;
	struct config *config = NULL;
	enum status status = load(name, &report, &config);

	if (status != STATUS_OK)
		findings_print(report);
	assert_int_equal(status, STATUS_OK);
	assert_int_equal(report_count(report, SEVERITY_FAULT), 0);
	report_free(report);
	return config;
}

/* Whether there is a fault at NAME:line whose text has these words. */
static bool
has_fault(const struct report *report, const char *name, size_t line,
    const char *words)
{
	char object[PATH_BYTES + 32];
	size_t i;

	snprintf(object, sizeof(object), "%s/%s:%zu", directory, name, line);
	for (i = 0; i < report_kept(report); i++) {
		const struct finding *finding = report_finding(report, i);

		if (strcmp(finding->object, object) == 0 &&
		    strcmp(finding->rule, "config") == 0 &&
		    strstr(finding->text, words) != NULL)
			return true;
	}
	return false;
}

/* One mistake, and the one fault that is to be reported of it. */
struct bad {
	size_t line; /* of the base, replaced by */
	const char *text;
	size_t fault_line;
	const char *words;
};

static void
bad_expect(const struct bad *bad, size_t count)
{
	size_t i;

	for (i = 0; i < count; i++) {
		struct report *report;
		struct config *config = NULL;
		enum status status;
		bool found;

		base_write("bad.cnf", bad[i].line, bad[i].text);
		status = load("bad.cnf", &report, &config);
		found = has_fault(
		    report, "bad.cnf", bad[i].fault_line, bad[i].words);
		if (status != STATUS_CONFIG || !found ||
		    report_count(report, SEVERITY_FAULT) != 1) {
			print_message("case %zu: %s\n  wanted %zu: %s\n", i,
			    bad[i].text, bad[i].fault_line, bad[i].words);
			findings_print(report);
		}
		assert_int_equal(status, STATUS_CONFIG);
		assert_null(config);
		assert_true(found);
		assert_int_equal(report_count(report, SEVERITY_FAULT), 1);
		report_free(report);
	}
}

#endif
