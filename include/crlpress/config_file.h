/* SPDX-License-Identifier: ISC */
/*
 * A file in OpenSSL's configuration syntax, as entries with the lines they
 * stand in. config_scan.c finds sections, keys and lines and refuses what
 * would make a file mean something else elsewhere; config_file.c takes the
 * values from libcrypto's NCONF, and refuses the file when NCONF saw other
 * keys than the scan did. libcrypto stays behind this header.
 *
 * Narrower than config(5ssl): no key outside a section, no section::key, no
 * .include or .pragma, nothing from the environment ($ENV::), each section
 * and key once, names of letters, digits, `_`, `-` and `.`.
 */
#ifndef CRLPRESS_CONFIG_FILE_H
#define CRLPRESS_CONFIG_FILE_H

#include <stdbool.h>
#include <stddef.h>

#include "crlpress/report.h"
#include "crlpress/status.h"

/* Eight times the keys that there are. */
#define CONFIG_ENTRIES_MOST 256

/* Longest name of a section or key, and its NUL. */
#define CONFIG_NAME_BYTES 64

/* Longest value: four URLs or paths could stand in it. */
#define CONFIG_VALUE_BYTES_MOST 4096

struct config_entry {
	char section[CONFIG_NAME_BYTES];
	char key[CONFIG_NAME_BYTES];
	char *value; /* NULL: refused, and said so */
	size_t line; /* first and last line, from 1 */
	size_t line_last;
	bool refused; /* its line is not given to NCONF */
};

struct config_section {
	char name[CONFIG_NAME_BYTES];
	size_t line;
};

/* Free it with config_file_free. */
struct config_file {
	char *name; /* for messages */
	struct config_entry *entry;
	size_t entry_count;
	struct config_section *section;
	size_t section_count;
	char *text; /* what NCONF reads: refused lines are blanks */
	size_t text_len;
};

/*
 * Reads a file, or text in memory, under the name `name`. Every mistake is
 * reported. STATUS_CONFIG when there was any; `*file` is set even then, as
 * long as there is text to speak of, so that the rest can be judged too; it
 * is NULL otherwise.
 */
enum status config_file_read(const char *path, struct report *report,
    struct config_file **file) MUST_CHECK;
enum status config_file_parse(const char *name, const char *text, size_t len,
    struct report *report, struct config_file **file) MUST_CHECK;
void config_file_free(struct config_file *file);

/*
 * The two halves of config_file_parse: sections, keys and lines by the scan,
 * then the values by NCONF. The second refuses a file in which NCONF finds
 * other keys than the scan did. Both report; STATUS_CONFIG, STATUS_NO_MEMORY.
 */
enum status config_file_scan(
    struct config_file *file, struct report *report) MUST_CHECK;
enum status config_file_values(
    struct config_file *file, struct report *report) MUST_CHECK;

/* Turns the lines of an entry into blanks, so that NCONF skips them. */
void config_file_blank(struct config_file *file, size_t line, size_t line_last);

/* The entry or section of this name, or NULL. */
struct config_entry *config_file_entry(
    const struct config_file *file, const char *section, const char *key);
const struct config_section *config_file_section(
    const struct config_file *file, const char *name);

/* Reports `NAME:LINE: config, CLAUSE: ...`; STATUS_CONFIG. */
enum status config_file_fault(struct report *report, const char *name,
    size_t line, const char *clause, const char *format, ...)
    __attribute__((format(printf, 5, 6)));

#endif
