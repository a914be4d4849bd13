/* SPDX-License-Identifier: ISC */
/*
 * One pass, octet by octet: what a field says is put together while it is
 * read. A quote inside of a field that does not begin with one is a quote: the
 * field then says what it says.
 */
#include "crlpress/csv_record.h"

/* Where in a field the reader is. */
enum place {
	PLACE_BEGIN,
	PLACE_PLAIN,
	PLACE_QUOTED,
	PLACE_CLOSED, /* behind a quote, which may be the first of two */
};

static void
field_begin(struct csv_reader *reader)
{
	if (reader->fields < CSV_FIELDS_MOST)
		reader->field[reader->fields] =
		    (struct csv_field){reader->text + reader->len, 0};
	reader->fields++;
}

static void
field_end(struct csv_reader *reader)
{
	struct csv_field *field;

	if (reader->fields > CSV_FIELDS_MOST)
		return;
	field = &reader->field[reader->fields - 1];
	field->len = (size_t)(reader->text + reader->len - field->text);
}

/* CR LF ends a line as well. */
static void
drop_return(struct csv_reader *reader, enum place place)
{
	if (place == PLACE_PLAIN && reader->text[reader->len - 1] == '\r')
		reader->len--;
}

static enum place
place_next(enum place place, int c)
{
	switch (place) {
	case PLACE_QUOTED:
		return c == '"' ? PLACE_CLOSED : PLACE_QUOTED;
	case PLACE_CLOSED:
		return c == '"' ? PLACE_QUOTED : PLACE_PLAIN;
	case PLACE_BEGIN:
		return c == '"' ? PLACE_QUOTED : PLACE_PLAIN;
	default:
		return PLACE_PLAIN;
	}
}

/* Whether it is of the text, and no quote around it. */
static bool
is_text(enum place before, enum place after)
{
	return after != PLACE_CLOSED &&
	       !(before == PLACE_BEGIN && after == PLACE_QUOTED);
}

static enum status
record_end(struct csv_reader *reader, int c, enum place place, bool is_torn,
    const char **why)
{
	drop_return(reader, place);
	field_end(reader);
	*why = NULL;
	reader->is_cut = c == EOF && place == PLACE_QUOTED;
	if (reader->is_cut)
		*why = "a quote that nothing closes";
	else if (is_torn)
		*why = "text behind the quote that closes a field";
	return *why == NULL ? STATUS_OK : STATUS_MALFORMED;
}

/* Where the next one would begin is not known. */
static enum status
too_long(struct csv_reader *reader, enum place place, const char **why)
{
	reader->is_over = reader->is_cut = true;
	*why = place == PLACE_QUOTED
		   ? "longer than any row, or a quote that nothing closes"
		   : "longer than any row";
	return STATUS_MALFORMED;
}

/* Up to the end of a line outside of quotes. */
static enum status
line_read(struct csv_reader *reader, const char **why)
{
	enum place place = PLACE_BEGIN, next;
	bool is_torn = false;
	int c;

	reader->len = reader->fields = 0;
	reader->line = ++reader->lines;
	field_begin(reader);
	while ((c = getc_unlocked(reader->stream)) != EOF) {
		if (c == '\n' && place != PLACE_QUOTED)
			break;
		if (c == ',' && place != PLACE_QUOTED) {
			field_end(reader);
			field_begin(reader);
			place = PLACE_BEGIN;
			continue;
		}
		reader->lines += c == '\n';
		next = place_next(place, c);
		is_torn |= place == PLACE_CLOSED && c != '"' && c != '\r';
		if (is_text(place, next)) {
			if (reader->len == reader->room)
				return too_long(reader, place, why);
			reader->text[reader->len++] = (char)c;
		}
		place = next;
	}
	if (c == EOF) {
		reader->is_over = true;
		if (ferror(reader->stream))
			return STATUS_IO;
	}
	return record_end(reader, c, place, is_torn, why);
}

enum status
csv_record_read(struct csv_reader *reader, const char **why)
{
	enum status status = STATUS_OK;

	while (!reader->is_over) {
		status = line_read(reader, why);
		if (status != STATUS_OK || reader->fields > 1 ||
		    reader->len > 0)
			return status;
	}
	return STATUS_DONE;
}
