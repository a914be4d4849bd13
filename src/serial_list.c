/* SPDX-License-Identifier: ISC */
/* Serials line by line; a line is bounded, whatever the stream has. */
#include "crlpress/serial_list.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "crlpress/serial_text.h"

/* A line without its comment: a serial and blanks around it. */
#define LINE_BYTES_MOST 512

struct line {
	char text[LINE_BYTES_MOST];
	size_t len;
	bool comment;
	bool long_one;
};

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

/* The next line; false at the end of the stream. */
static bool
line_read(FILE *stream, struct line *line)
{
	int c;

	line->len = 0;
	line->comment = line->long_one = false;
	while ((c = getc(stream)) != EOF && c != '\n') {
		line->comment = line->comment || c == '#';
		if (line->comment)
			continue;
		if (line->len == sizeof(line->text))
			line->long_one = true;
		else
			line->text[line->len++] = (char)c;
	}
	return c != EOF || line->len > 0 || line->comment;
}

static enum status
line_take(struct serial_list *list, const struct line *line, const char **why)
{
	const char *text = line->text;
	size_t len = line->len;
	struct uint160 serial;
	enum status status;

	while (len > 0 && is_blank(text[len - 1]))
		len--;
	for (; len > 0 && is_blank(*text); len--)
		text++;
	if (len == 0)
		return STATUS_OK;
	*why = "too long for a serial";
	if (line->long_one)
		return STATUS_MALFORMED;
	status = serial_text_read(text, len, &serial, why);
	if (status != STATUS_OK)
		return status;
	*why = "more serials than a push may have";
	return serial_list_add(list, &serial);
}

enum status
serial_list_add(struct serial_list *list, const struct uint160 *serial)
{
	if (list->count == SERIAL_LIST_MOST)
		return STATUS_MALFORMED;
	if (list->count == list->room) {
		size_t room = list->room == 0 ? 64 : list->room * 2;
		struct uint160 *more =
		    realloc(list->serial, room * sizeof(*more));

		if (more == NULL)
			return STATUS_NO_MEMORY;
		list->serial = more;
		list->room = room;
	}
	list->serial[list->count++] = *serial;
	return STATUS_OK;
}

enum status
serial_list_read(struct serial_list *list, FILE *stream, unsigned long *number,
    const char **why)
{
	enum status status = STATUS_OK;
	struct line line;

	for (*number = 1; status == STATUS_OK && line_read(stream, &line);
	     (*number)++) {
		status = line_take(list, &line, why);
		if (status != STATUS_OK)
			return status;
	}
	return ferror(stream) ? STATUS_IO : STATUS_OK;
}

void
serial_list_free(struct serial_list *list)
{
	free(list->serial);
	*list = (struct serial_list){NULL, 0, 0};
}
