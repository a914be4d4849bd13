/* SPDX-License-Identifier: ISC */
/*
 * The text of the configuration: that of the preset, line by line, with other
 * values where there are some, and above each what was found out about it. What
 * comes from a database or a certificate stands in comments, so nothing of it
 * may end a line, or join the next one.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "crlpress/config_text.h"
#include "crlpress/utc.h"
#include "init_impl.h"

/* Columns of a comment; longer words stay whole. */
#define WIDTH 78

struct writer {
	struct init *init;
	const struct config_file *file;
	FILE *stream;
};

/* What can stand in a comment: a backslash would take the next line along. */
static void
text_clean(char *text)
{
	const char *why;
	size_t line;
	bool utf8 =
	    config_text_check(text, strlen(text), &line, &why) == STATUS_OK;

	for (unsigned char *p = (unsigned char *)text; *p != '\0'; p++)
		if (*p < ' ' || *p == 0x7f || *p == '\\' ||
		    (*p >= 0x80 && !utf8))
			*p = '?';
}

static void
comment_write(FILE *stream, const char *text)
{
	char *copy = strdup(text), *rest = copy, *word;
	size_t column = 0;

	if (copy == NULL)
		return;
	text_clean(copy);
	while ((word = strsep(&rest, " ")) != NULL) {
		size_t len = strlen(word);

		if (len == 0)
			continue;
		if (column > 0 && column + 1 + len > WIDTH) {
			fputc('\n', stream);
			column = 0;
		}
		fprintf(stream, "%s%s", column == 0 ? "# " : " ", word);
		column += len + (column == 0 ? 2 : 1);
	}
	if (column > 0)
		fputc('\n', stream);
	free(copy);
}

/* A key that is not as the preset has it. */
static void
value_write(const struct writer *writer, const struct config_key *key)
{
	const struct init_value *value =
	    init_value_at(writer->init, key->offset);
	char ask[INIT_WHY_BYTES];

	comment_write(writer->stream, value->why);
	if (value->kind == INIT_ASK) {
		snprintf(ask, sizeof(ask), "SET THIS: %s; as %s says it.",
		    key->help, value->with);
		comment_write(writer->stream, ask);
		fprintf(writer->stream, "%s =\n", key->name);
	}
	if (value->kind != INIT_SET)
		return;
	fprintf(writer->stream, "%s = ", key->name);
	if (value->text != NULL)
		fputs(value->text, writer->stream);
	else
		config_key_print(key, writer->init->config, writer->stream);
	fputc('\n', writer->stream);
}

/* Keys that the preset has not, at the head of their section. */
static void
section_write(const struct writer *writer, const char *section)
{
	const struct config_key *key;

	for (size_t i = 0; (key = config_key(i)) != NULL; i++)
		if (strcmp(key->section, section) == 0 &&
		    (writer->init->value[i].kind == INIT_SET ||
			writer->init->value[i].kind == INIT_ASK) &&
		    config_file_entry(writer->file, section, key->name) == NULL)
			value_write(writer, key);
}

/* Lines `line` to `last` of the preset; returns what is behind them. */
static const char *
lines_copy(const struct writer *writer, const char *text, size_t count)
{
	while (count-- > 0 && *text != '\0') {
		size_t len = strcspn(text, "\n");

		fprintf(writer->stream, "%.*s\n", (int)len, text);
		text += len + (text[len] == '\n');
	}
	return text;
}

static const char *
lines_skip(const char *text, size_t count)
{
	while (count-- > 0 && *text != '\0') {
		size_t len = strcspn(text, "\n");

		text += len + (text[len] == '\n');
	}
	return text;
}

static const struct config_entry *
entry_at(const struct config_file *file, size_t line)
{
	for (size_t i = 0; i < file->entry_count; i++)
		if (file->entry[i].line == line)
			return &file->entry[i];
	return NULL;
}

static const struct config_section *
section_at(const struct config_file *file, size_t line)
{
	for (size_t i = 0; i < file->section_count; i++)
		if (file->section[i].line == line)
			return &file->section[i];
	return NULL;
}

static const char *
entry_write(const struct writer *writer, const struct config_entry *entry,
    const char *text)
{
	const struct config_key *key =
	    config_key_find(entry->section, entry->key);
	const struct init_value *value =
	    key != NULL ? init_value_at(writer->init, key->offset) : NULL;
	size_t lines = entry->line_last - entry->line + 1;

	if (value != NULL && value->kind != INIT_KEEP) {
		value_write(writer, key);
		return lines_skip(text, lines);
	}
	if (value != NULL)
		comment_write(writer->stream, value->why);
	return lines_copy(writer, text, lines);
}

static void
preset_write(const struct writer *writer)
{
	const struct config_file *file = writer->file;
	const char *text = file->text;
	const struct config_key *key;
	size_t line = 1;

	while (*text != '\0') {
		const struct config_section *section = section_at(file, line);
		const struct config_entry *entry = entry_at(file, line);

		if (entry != NULL) {
			text = entry_write(writer, entry, text);
			line = entry->line_last + 1;
			continue;
		}
		text = lines_copy(writer, text, 1);
		line++;
		if (section != NULL)
			section_write(writer, section->name);
	}
	for (size_t i = 0; (key = config_key(i)) != NULL; i++) {
		const struct config_key *before =
		    i > 0 ? config_key(i - 1) : NULL;

		if ((before != NULL &&
			strcmp(before->section, key->section) == 0) ||
		    config_file_section(file, key->section) != NULL ||
		    init_value_at(writer->init, key->offset)->kind == INIT_KEEP)
			continue;
		fprintf(writer->stream, "\n[%s]\n", key->section);
		section_write(writer, key->section);
	}
}

static void
header_write(const struct writer *writer)
{
	char iso[UTC_ISO_BYTES], text[INIT_WHY_BYTES];

	snprintf(text, sizeof(text),
	    "Written by `crlpress init` on %s from the preset %s, which is not "
	    "read any more: this file and the statement beside it are to be "
	    "changed like any other. Above a value stands what the preset "
	    "says of it, then what was found. crlpress.cnf(5) has all keys.",
	    utc_to_iso(writer->init->now_sec, iso), writer->init->preset->name);
	comment_write(writer->stream, text);
	fputs("#\n", writer->stream);
}

/* Whether a reader has the very values, whatever is in them. */
static bool
text_reads_back(const struct init *init, const char *text, size_t len)
{
	struct report *silent = report_new(NULL, SEVERITY_FAULT);
	struct config_file *file = NULL;
	const struct config_key *key;
	bool same = false;

	if (silent != NULL &&
	    config_file_parse("", text, len, silent, &file) != STATUS_NO_MEMORY)
		same = file != NULL;
	for (size_t i = 0; same && (key = config_key(i)) != NULL; i++) {
		const struct init_value *value = &init->value[i];
		const struct config_entry *entry =
		    config_file_entry(file, key->section, key->name);
		const char *want = NULL;

		if (value->kind != INIT_SET)
			continue;
		if (key->kind == CONFIG_TEXT || key->kind == CONFIG_PATH ||
		    key->kind == CONFIG_PLACE)
			memcpy(&want, (const char *)init->config + key->offset,
			    sizeof(want));
		same = entry != NULL && entry->value != NULL &&
		       (value->text != NULL || want == NULL ||
			   strcmp(entry->value, want) == 0);
	}
	config_file_free(file);
	report_free(silent);
	return same;
}

char *
init_text(struct init *init, size_t *len)
{
	struct writer writer = {.init = init, .file = init->preset->file};
	char *text = NULL;

	writer.stream = open_memstream(&text, len);
	if (writer.stream != NULL) {
		header_write(&writer);
		preset_write(&writer);
		if (fclose(writer.stream) != 0) {
			free(text);
			text = NULL;
		}
	}
	if (text == NULL) {
		report_fault(init->report, STATUS_NO_MEMORY, init->object,
		    INIT_RULE, NULL, "out of memory");
		return NULL;
	}
	if (text_reads_back(init, text, *len))
		return text;
	report_fault(init->report, STATUS_USAGE, init->object, INIT_RULE, NULL,
	    "a value that cannot stand in a configuration: a control "
	    "character, or not UTF-8");
	free(text);
	return NULL;
}
