/* SPDX-License-Identifier: ISC */
/*
 * Sections, keys and lines of a file in the syntax of config(5ssl). NCONF
 * keeps no line numbers, lets the last of two keys win, reads the environment
 * and other files, and takes a quote that is never closed. So the text is
 * scanned here first, by the rules that NCONF has for continued lines,
 * comments, quotes and escapes, and whatever is refused is taken out of the
 * text before NCONF sees it.
 */
#include "crlpress/config_file.h"

#include <stdlib.h>
#include <string.h>

/* One line with those that a backslash at its end joins to it. */
struct logical_line {
	char *text; /* without comment and blanks around it */
	size_t line;
	size_t line_last;
	const char *why; /* refused: static text */
};

struct scan {
	struct config_file *file;
	struct report *report;
	size_t at;    /* in file->text */
	size_t line;  /* of the next line */
	char *joined; /* room for the longest logical line */
	const struct config_section *section; /* NULL: before the first */
	bool section_refused;
	enum status status;
};

static const char name_letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				   "abcdefghijklmnopqrstuvwxyz"
				   "0123456789_-.";
static const char blanks[] = " \t";

/* Says so, and keeps the line from NCONF. */
static void
line_refuse(
    struct scan *scan, const struct logical_line *line, const char *what)
{
	scan->status = config_file_fault(
	    scan->report, scan->file->name, line->line, NULL, "%s", what);
	config_file_blank(scan->file, line->line, line->line_last);
}

void
config_file_blank(struct config_file *file, size_t line, size_t line_last)
{
	size_t now = 1;
	size_t i;

	for (i = 0; i < file->text_len && now <= line_last; i++) {
		if (file->text[i] == '\n')
			now++;
		else if (now >= line)
			file->text[i] = ' ';
	}
}

/*
 * Joins the next lines as NCONF does: a line goes on when it ends in a
 * backslash with none before it. `*joint` is where the last one was joined
 * on, 0 when none was. false: the text is at its end.
 */
static bool
line_join(struct scan *scan, struct logical_line *line, size_t *joint)
{
	const struct config_file *file = scan->file;
	size_t used = 0;

	if (scan->at >= file->text_len)
		return false;
	*line = (struct logical_line){
	    .text = scan->joined, .line = scan->line, .line_last = scan->line};
	*joint = 0;
	for (;;) {
		const char *from = file->text + scan->at;
		size_t len = strcspn(from, "\n");

		memcpy(scan->joined + used, from, len);
		used += len;
		line->line_last = scan->line++;
		scan->at += len;
		if (scan->at < file->text_len)
			scan->at++;
		if (used == 0 || scan->joined[used - 1] != '\\' ||
		    (used > 1 && scan->joined[used - 2] == '\\'))
			break;
		if (scan->at >= file->text_len) {
			line->why = "a backslash at the end of the file";
			break;
		}
		used--;
		*joint = used;
	}
	scan->joined[used] = '\0';
	return true;
}

/* Behind the quote that begins at `p`; NULL: it is not closed. */
static char *
quote_end(char *p)
{
	char quote = *p++;

	for (; *p != '\0'; p++) {
		if (*p == '\\' && p[1] != '\0')
			p++;
		else if (*p == quote)
			return p + 1;
	}
	return NULL;
}

/* Where the comment or the text ends; with `*why` where it cannot be read. */
static char *
comment_find(char *p, const char **why)
{
	while (*p != '\0' && *p != '#') {
		if (*p == '\\' && p[1] == '\0') {
			*why = "a backslash with nothing to escape";
			return p;
		}
		if (*p == '\\') {
			p += 2;
		} else if (*p == '"' || *p == '\'' || *p == '`') {
			char *end = quote_end(p);

			if (end == NULL) {
				*why = "a quote that is not closed";
				return p + strlen(p);
			}
			p = end;
		} else {
			p++;
		}
	}
	return p;
}

/*
 * $ENV::x, ${ENV::x} and $(ENV::x): what a file means must not depend on who
 * reads it. Refused in quotes too, where NCONF would leave it alone.
 */
static bool
has_environment(const char *p)
{
	while ((p = strchr(p, '$')) != NULL) {
		p++;
		if (strncmp(p + (*p == '{' || *p == '('), "ENV::", 5) == 0)
			return true;
	}
	return false;
}

/* The next logical line; false at the end of the text. */
static bool
line_next(struct scan *scan, struct logical_line *line)
{
	size_t joint;
	char *end;

	if (!line_join(scan, line, &joint))
		return false;
	end = line->text + strlen(line->text);
	if (line->why == NULL)
		end = comment_find(line->text, &line->why);
	if (*end == '#' && (size_t)(end - line->text) < joint)
		line->why = "a comment that ends in a backslash takes the "
			    "next line with it";
	*end = '\0';
	while (end > line->text && strchr(blanks, end[-1]) != NULL)
		*--end = '\0';
	line->text += strspn(line->text, blanks);
	if (line->why == NULL && has_environment(line->text))
		line->why = "a value from the environment ($ENV::), which "
			    "the file must not depend on";
	return true;
}

/* The name at `*p`, which is moved behind it and the blanks that follow. */
static bool
name_read(const char **p, char name[CONFIG_NAME_BYTES])
{
	size_t len = strspn(*p, name_letters);

	if (len == 0 || len >= CONFIG_NAME_BYTES)
		return false;
	memcpy(name, *p, len);
	name[len] = '\0';
	*p += len;
	*p += strspn(*p, blanks);
	return true;
}

/* `[ name ]`, nothing behind it, each once. */
static void
section_scan(struct scan *scan, const struct logical_line *line)
{
	struct config_file *file = scan->file;
	struct config_section *section;
	const struct config_section *first;
	const char *p = line->text + 1;
	char name[CONFIG_NAME_BYTES];

	p += strspn(p, blanks);
	scan->section_refused = true;
	if (line->why != NULL) {
		line_refuse(scan, line, line->why);
		return;
	}
	if (!name_read(&p, name) || strcmp(p, "]") != 0) {
		line_refuse(scan, line, "not a section header like [crl]");
		return;
	}
	first = config_file_section(file, name);
	if (first != NULL) {
		scan->status = config_file_fault(scan->report, file->name,
		    line->line, NULL, "section [%s] twice, first in line %zu",
		    name, first->line);
		section = file->section + (first - file->section);
	} else if (file->section_count == CONFIG_ENTRIES_MOST) {
		line_refuse(scan, line, "too many sections");
		return;
	} else {
		section = &file->section[file->section_count++];
		memcpy(section->name, name, sizeof(section->name));
		section->line = line->line;
	}
	scan->section = section;
	scan->section_refused = false;
}

/* Keeps `section.key`, refused or not, with its lines. */
static void
entry_add(struct scan *scan, const struct logical_line *line, const char *key)
{
	struct config_file *file = scan->file;
	const char *section = scan->section->name;
	const struct config_entry *first;
	struct config_entry *entry;

	first = config_file_entry(file, section, key);
	if (first != NULL) {
		scan->status =
		    config_file_fault(scan->report, file->name, line->line,
			NULL, "key `%s` twice in [%s], first in line %zu", key,
			section, first->line);
		config_file_blank(file, line->line, line->line_last);
		return;
	}
	if (file->entry_count == CONFIG_ENTRIES_MOST) {
		line_refuse(scan, line, "too many keys");
		return;
	}
	entry = &file->entry[file->entry_count++];
	memcpy(entry->section, section, strlen(section) + 1);
	memcpy(entry->key, key, strlen(key) + 1);
	entry->line = line->line;
	entry->line_last = line->line_last;
	if (line->why != NULL) {
		entry->refused = true;
		line_refuse(scan, line, line->why);
	}
}

/* `key = value`. */
static void
entry_scan(struct scan *scan, const struct logical_line *line)
{
	const char *p = line->text;
	char key[CONFIG_NAME_BYTES];
	const char *why = NULL;

	if (*p == '.')
		why = "directives such as .include and .pragma are refused";
	else if (!name_read(&p, key))
		why = line->why != NULL ? line->why
					: "not a line like `key = value`";
	else if (strncmp(p, "::", 2) == 0)
		why = "section::key is refused: put the key below its "
		      "section's header";
	else if (*p != '=')
		why = line->why != NULL ? line->why
					: "no `=` behind the key's name";
	else if (scan->section == NULL && !scan->section_refused)
		why = "a key before the first section header";
	if (why != NULL)
		line_refuse(scan, line, why);
	else if (scan->section_refused)
		config_file_blank(scan->file, line->line, line->line_last);
	else
		entry_add(scan, line, key);
}

enum status
config_file_scan(struct config_file *file, struct report *report)
{
	struct scan scan = {.file = file, .report = report, .line = 1};
	struct logical_line line;

	scan.joined = malloc(file->text_len + 1);
	if (scan.joined == NULL)
		return STATUS_NO_MEMORY;
	while (line_next(&scan, &line)) {
		if (*line.text == '\0' && line.why != NULL)
			line_refuse(&scan, &line, line.why);
		else if (*line.text == '[')
			section_scan(&scan, &line);
		else if (*line.text != '\0')
			entry_scan(&scan, &line);
	}
	free(scan.joined);
	return scan.status;
}
