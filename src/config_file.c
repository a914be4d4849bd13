/* SPDX-License-Identifier: ISC */
/*
 * The values of a configuration file, as libcrypto's NCONF reads them: quotes
 * taken off, escapes and $variables resolved. The one place of NCONF. What
 * config_scan.c found and what NCONF found must be the same keys, or the file
 * is refused: a difference would mean that one of the two misread it.
 */
#include "crlpress/config_file.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/bio.h>
#include <openssl/conf.h>
#include <openssl/err.h>
#include <openssl/safestack.h>

#include "crlpress/config.h"
#include "crlpress/config_text.h"

/* A path and a line; a longer path is cut in messages. */
#define OBJECT_BYTES 1024

/* Text of a fault; the report escapes and cuts it again. */
#define FAULT_BYTES 2048

enum status
config_file_fault(struct report *report, const char *name, size_t line,
    const char *clause, const char *format, ...)
{
	char object[OBJECT_BYTES];
	char text[FAULT_BYTES];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	snprintf(
	    object, sizeof(object), "%.*s:%zu", OBJECT_BYTES - 32, name, line);
	return report_fault(
	    report, STATUS_CONFIG, object, "config", clause, "%s", text);
}

struct config_entry *
config_file_entry(
    const struct config_file *file, const char *section, const char *key)
{
	size_t i;

	for (i = 0; i < file->entry_count; i++) {
		if (strcmp(file->entry[i].key, key) == 0 &&
		    strcmp(file->entry[i].section, section) == 0)
			return &file->entry[i];
	}
	return NULL;
}

const struct config_section *
config_file_section(const struct config_file *file, const char *name)
{
	size_t i;

	for (i = 0; i < file->section_count; i++) {
		if (strcmp(file->section[i].name, name) == 0)
			return &file->section[i];
	}
	return NULL;
}

/* Line ends become LF: NCONF would lose a continuation before CR LF where
 * the two fall into different reads of its own. */
static enum status
file_new(
    const char *name, const char *text, size_t len, struct config_file **file)
{
	struct config_file *new = calloc(1, sizeof(*new));
	size_t i;

	*file = new;
	if (new == NULL)
		return STATUS_NO_MEMORY;
	new->name = strdup(name);
	new->text = malloc(len + 1);
	new->entry = calloc(CONFIG_ENTRIES_MOST, sizeof(*new->entry));
	new->section = calloc(CONFIG_ENTRIES_MOST, sizeof(*new->section));
	if (new->name == NULL || new->text == NULL || new->entry == NULL ||
	    new->section == NULL)
		return STATUS_NO_MEMORY;
	for (i = 0; i < len; i++) {
		if (text[i] != '\r')
			new->text[new->text_len++] = text[i];
	}
	new->text[new->text_len] = '\0';
	return STATUS_OK;
}

/* One try; NULL with the line at which NCONF gave up. */
static CONF *
values_try(const struct config_file *file, long *line)
{
	CONF *conf = NCONF_new(NULL);
	BIO *bio = BIO_new_mem_buf(file->text, (int)file->text_len);

	*line = 0;
	if (conf == NULL || bio == NULL ||
	    NCONF_load_bio(conf, bio, line) <= 0) {
		NCONF_free(conf);
		conf = NULL;
	}
	BIO_free(bio);
	return conf;
}

/* The entry in whose lines this one is, or NULL. */
static struct config_entry *
entry_at(const struct config_file *file, long line)
{
	size_t i;

	for (i = 0; i < file->entry_count; i++) {
		struct config_entry *entry = &file->entry[i];

		if (!entry->refused && line > 0 &&
		    (size_t)line >= entry->line &&
		    (size_t)line <= entry->line_last)
			return entry;
	}
	return NULL;
}

/*
 * Loads the text, and again without the line at fault, as long as there is
 * one. Each round refuses an entry, so it ends.
 */
static enum status
values_load(struct config_file *file, struct report *report, CONF **conf)
{
	enum status status = STATUS_OK;
	struct config_entry *entry;
	const char *reason;
	long line;

	do {
		ERR_clear_error();
		*conf = values_try(file, &line);
		if (*conf != NULL)
			return status;
		reason = ERR_reason_error_string(ERR_peek_last_error());
		status = config_file_fault(report, file->name,
		    line > 0 ? (size_t)line : 1, NULL, "%s",
		    reason != NULL ? reason : "NCONF cannot read the file");
		ERR_clear_error();
		entry = entry_at(file, line);
		if (entry != NULL) {
			entry->refused = true;
			config_file_blank(file, entry->line, entry->line_last);
		}
	} while (entry != NULL);
	return status;
}

/* What no key can have as its value; NULL: none of it. */
static const char *
value_fault(const char *value)
{
	const unsigned char *p = (const unsigned char *)value;

	if (*p == '\0')
		return "no value";
	if (strlen(value) > CONFIG_VALUE_BYTES_MOST)
		return "the value is too long";
	/* Refused where it stands in the text already; here for `$\ENV::`,
	 * which could not be printed so that it is read back. */
	if (strstr(value, "ENV::") != NULL)
		return "a name in the environment (ENV::)";
	for (; *p != '\0'; p++) {
		if (*p < ' ' || *p == 0x7f)
			return "a control character in the value";
	}
	return NULL;
}

/* Takes over the values of one of NCONF's sections; counts them. */
static enum status
section_take(struct config_file *file, const CONF *conf, const char *section,
    size_t *count)
{
	STACK_OF(CONF_VALUE) *values = NCONF_get_section(conf, section);
	int i;

	for (i = 0; i < sk_CONF_VALUE_num(values); i++) {
		const CONF_VALUE *found = sk_CONF_VALUE_value(values, i);
		struct config_entry *entry;

		entry = config_file_entry(file, section, found->name);
		if (entry == NULL || entry->refused || entry->value != NULL)
			return STATUS_CONFLICT;
		entry->value = strdup(found->value);
		if (entry->value == NULL)
			return STATUS_NO_MEMORY;
		(*count)++;
	}
	return STATUS_OK;
}

/* All sections; STATUS_CONFLICT when scan and NCONF disagree. */
static enum status
values_take(struct config_file *file, const CONF *conf)
{
	STACK_OF(OPENSSL_CSTRING) *names = NCONF_get_section_names(conf);
	enum status status = STATUS_OK;
	size_t count = 0;
	size_t want = 0;
	size_t n;
	int i;

	if (names == NULL)
		return STATUS_NO_MEMORY;
	for (i = 0; i < sk_OPENSSL_CSTRING_num(names); i++) {
		status = section_take(
		    file, conf, sk_OPENSSL_CSTRING_value(names, i), &count);
		if (status != STATUS_OK)
			break;
	}
	sk_OPENSSL_CSTRING_free(names);
	for (n = 0; n < file->entry_count; n++)
		want += !file->entry[n].refused;
	if (status == STATUS_OK && count != want)
		status = STATUS_CONFLICT;
	return status;
}

/* Drops the values that no key can have. */
static enum status
values_judge(struct config_file *file, struct report *report)
{
	enum status status = STATUS_OK;
	size_t i;

	for (i = 0; i < file->entry_count; i++) {
		struct config_entry *entry = &file->entry[i];
		const char *why;

		if (entry->refused)
			continue;
		why = value_fault(entry->value);
		if (why == NULL)
			continue;
		status = config_file_fault(report, file->name, entry->line,
		    NULL, "[%s] %s: %s", entry->section, entry->key, why);
		entry->refused = true;
		free(entry->value);
		entry->value = NULL;
	}
	return status;
}

enum status
config_file_values(struct config_file *file, struct report *report)
{
	enum status status, judged;
	CONF *conf = NULL;

	status = values_load(file, report, &conf);
	if (conf == NULL)
		return status;
	judged = values_take(file, conf);
	if (judged == STATUS_CONFLICT)
		judged = config_file_fault(report, file->name, 1, NULL,
		    "libcrypto reads other keys in this file than crlpress");
	else if (judged == STATUS_OK)
		judged = values_judge(file, report);
	NCONF_free(conf);
	return judged != STATUS_OK ? judged : status;
}

enum status
config_file_parse(const char *name, const char *text, size_t len,
    struct report *report, struct config_file **file)
{
	struct config_file *new = NULL;
	enum status status, values;
	const char *why;
	size_t line;

	*file = NULL;
	if (len > CONFIG_FILE_BYTES_MOST)
		return config_file_fault(report, name, 1, NULL,
		    "the file is too large, want at most %d bytes",
		    CONFIG_FILE_BYTES_MOST);
	if (config_text_check(text, len, &line, &why) != STATUS_OK)
		return config_file_fault(report, name, line, NULL, "%s", why);
	status = file_new(name, text, len, &new);
	if (status != STATUS_OK)
		goto out;
	status = config_file_scan(new, report);
	if (status != STATUS_OK && status != STATUS_CONFIG)
		goto out;
	values = config_file_values(new, report);
	if (values != STATUS_OK)
		status = values;
	if (values != STATUS_OK && values != STATUS_CONFIG)
		goto out;
	*file = new;
	new = NULL;
out:
	config_file_free(new);
	return status;
}

enum status
config_file_read(
    const char *path, struct report *report, struct config_file **file)
{
	char why[CONFIG_WHY_BYTES];
	enum status status;
	char *text = NULL;
	size_t len;

	*file = NULL;
	status =
	    config_text_read(path, CONFIG_FILE_BYTES_MOST, &text, &len, why);
	if (status == STATUS_IO)
		return config_file_fault(report, path, 1, NULL, "%s", why);
	if (status != STATUS_OK)
		return status;
	status = config_file_parse(path, text, len, report, file);
	free(text);
	return status;
}

void
config_file_free(struct config_file *file)
{
	size_t i;

	if (file == NULL)
		return;
	for (i = 0; file->entry != NULL && i < file->entry_count; i++)
		free(file->entry[i].value);
	free(file->entry);
	free(file->section);
	free(file->text);
	free(file->name);
	free(file);
}
