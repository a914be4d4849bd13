/* SPDX-License-Identifier: ISC */
/* Strings of JSON; see json_text.h. */
#include "crlpress/json_text.h"

#include <stdint.h>
#include <string.h>

#include "crlpress/hex.h"
#include "crlpress/utf8.h"

/* Where a string goes. */
struct sink {
	char *out; /* NULL: nowhere */
	size_t size;
	size_t len;
	bool is_full;
};

enum status
json_text_fault(struct json_text *text, const char *why)
{
	if (text->why == NULL)
		text->why = why;
	return STATUS_MALFORMED;
}

int
json_text_peek(const struct json_text *text)
{
	return text->at < text->len ? (unsigned char)text->text[text->at] : -1;
}

/* RFC 8259, 2: these four and no other. */
void
json_text_skip_blanks(struct json_text *text)
{
	int c = json_text_peek(text);

	while (c == ' ' || c == '\t' || c == '\n' || c == '\r') {
		text->at++;
		c = json_text_peek(text);
	}
}

bool
json_text_take(struct json_text *text, char c)
{
	if (text->at == text->len || text->text[text->at] != c)
		return false;
	text->at++;
	return true;
}

static void
sink_put(struct sink *sink, char c)
{
	if (sink->out == NULL)
		return;
	if (sink->len + 1 >= sink->size)
		sink->is_full = true;
	else
		sink->out[sink->len++] = c;
}

/* Four hexadecimal digits behind \u. */
static enum status
hex_read(struct json_text *text, uint32_t *unit)
{
	*unit = 0;
	for (int i = 0; i < 4; i++) {
		int c = json_text_peek(text);
		int digit = c < 0 ? -1 : hex_digit((char)c);

		if (digit < 0)
			return json_text_fault(
			    text, "\\u without four hexadecimal digits");
		*unit = *unit << 4 | (uint32_t)digit;
		text->at++;
	}
	return STATUS_OK;
}

/* RFC 8259, 7: beyond U+FFFF as two halves, and no half alone. */
static enum status
unicode_read(struct json_text *text, uint32_t *point)
{
	enum status status = hex_read(text, point);
	uint32_t low;

	if (status != STATUS_OK)
		return status;
	if (*point == 0)
		return json_text_fault(text, "a NUL in a string");
	if (*point < 0xd800 || *point > 0xdfff)
		return STATUS_OK;
	if (*point > 0xdbff || text->len - text->at < 2 ||
	    text->text[text->at] != '\\' || text->text[text->at + 1] != 'u')
		return json_text_fault(text, "half a surrogate pair");
	text->at += 2;
	status = hex_read(text, &low);
	if (status != STATUS_OK)
		return status;
	if (low < 0xdc00 || low > 0xdfff)
		return json_text_fault(text, "half a surrogate pair");
	*point = 0x10000 + ((*point - 0xd800) << 10) + (low - 0xdc00);
	return STATUS_OK;
}

/* RFC 3629, 3 */
static void
utf8_put(struct sink *sink, uint32_t point)
{
	if (point < 0x80) {
		sink_put(sink, (char)point);
		return;
	}
	if (point < 0x800) {
		sink_put(sink, (char)(0xc0 | point >> 6));
	} else if (point < 0x10000) {
		sink_put(sink, (char)(0xe0 | point >> 12));
		sink_put(sink, (char)(0x80 | (point >> 6 & 0x3f)));
	} else {
		sink_put(sink, (char)(0xf0 | point >> 18));
		sink_put(sink, (char)(0x80 | (point >> 12 & 0x3f)));
		sink_put(sink, (char)(0x80 | (point >> 6 & 0x3f)));
	}
	sink_put(sink, (char)(0x80 | (point & 0x3f)));
}

/* What may stand behind a backslash, and what it means. */
static const char escape_letters[] = "\"\\/bfnrt";
static const char escape_values[] = "\"\\/\b\f\n\r\t";

/* Behind a backslash. */
static enum status
escape_read(struct json_text *text, struct sink *sink)
{
	int c = json_text_peek(text);
	const char *letter = c > 0 ? strchr(escape_letters, c) : NULL;
	enum status status;
	uint32_t point;

	if (letter != NULL) {
		sink_put(sink, escape_values[letter - escape_letters]);
		text->at++;
		return STATUS_OK;
	}
	if (c != 'u')
		return json_text_fault(
		    text, "an escape that JSON does not have");
	text->at++;
	status = unicode_read(text, &point);
	if (status == STATUS_OK)
		utf8_put(sink, point);
	return status;
}

/* A character as it stands there. */
static enum status
character_read(struct json_text *text, struct sink *sink)
{
	const char *p = text->text + text->at;
	uint32_t code;
	size_t len = utf8_read(p, text->len - text->at, &code);

	if (len == 0)
		return json_text_fault(text, "not UTF-8");
	for (size_t i = 0; i < len; i++)
		sink_put(sink, p[i]);
	text->at += len;
	return STATUS_OK;
}

/* Up to the closing quote. */
static enum status
characters_read(struct json_text *text, struct sink *sink)
{
	enum status status = STATUS_OK;

	while (status == STATUS_OK) {
		int c = json_text_peek(text);

		if (c < 0)
			return json_text_fault(
			    text, "a string without its end");
		if (c < 0x20)
			return json_text_fault(
			    text, "a control character in a string");
		if (c >= 0x80) {
			status = character_read(text, sink);
			continue;
		}
		text->at++;
		if (c == '"')
			return STATUS_OK;
		if (c == '\\')
			status = escape_read(text, sink);
		else
			sink_put(sink, (char)c);
	}
	return status;
}

size_t
json_text_room(const struct json_text *text)
{
	size_t at = text->at + 1;

	while (at < text->len && text->text[at] != '"')
		at += text->text[at] == '\\' ? 2 : 1;
	return (at < text->len ? at : text->len) - text->at + 1;
}

enum status
json_text_string(struct json_text *text, char *out, size_t size)
{
	struct sink sink = {.out = out, .size = size};
	enum status status;

	if (!json_text_take(text, '"'))
		return json_text_fault(text, "not a string");
	status = characters_read(text, &sink);
	if (status != STATUS_OK)
		return status;
	if (sink.is_full)
		return json_text_fault(text, "a string too long");
	if (out != NULL)
		out[sink.len] = '\0';
	return STATUS_OK;
}
