/* SPDX-License-Identifier: ISC */
/*
 * As much of XML 1.0 as the replies of S3 and STS are written in: tags, text,
 * comments, CDATA sections and processing instructions; names are taken as
 * they come. What it lets pass need not be well-formed, but what it hands out
 * stood between a start tag and the end tag of the same name.
 */
#include "crlpress/xml_read.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

/* Where the reading is, and the names of the elements it is in. */
struct reader {
	const char *at;
	const char *end;
	size_t depth;
	struct name {
		const char *text;
		size_t len;
	} open[XML_READ_DEPTH_MOST];
};

struct tag {
	struct name name; /* with its prefix */
	bool is_end;
	bool is_empty; /* <name/> */
};

/* Text as it is put together; false when it does not fit. */
struct writer {
	char *out;
	size_t size;
	size_t len;
};

static const struct {
	const char *name;
	char is;
} entities[] = {
    {"amp;", '&'},
    {"lt;", '<'},
    {"gt;", '>'},
    {"quot;", '"'},
    {"apos;", '\''},
};

static bool
put(struct writer *writer, char c)
{
	if (c == '\0' || writer->len + 1 >= writer->size)
		return false;
	writer->out[writer->len++] = c;
	return true;
}

static bool
starts(const struct reader *reader, const char *text)
{
	size_t len = strlen(text);

	return (size_t)(reader->end - reader->at) >= len &&
	       memcmp(reader->at, text, len) == 0;
}

/* Goes behind the next `text`, of which `from` is where to look. */
static bool
skip_past(struct reader *reader, size_t from, const char *text)
{
	size_t left = (size_t)(reader->end - reader->at);
	const char *found;

	if (from > left)
		return false;
	found = memmem(reader->at + from, left - from, text, strlen(text));
	if (found == NULL)
		return false;
	reader->at = found + strlen(text);
	return true;
}

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* Behind what is no element: a comment, an instruction. */
static bool
skip_other(struct reader *reader)
{
	if (starts(reader, "<!--"))
		return skip_past(reader, 4, "-->");
	if (starts(reader, "<?"))
		return skip_past(reader, 2, "?>");
	if (starts(reader, "<![CDATA["))
		return skip_past(reader, 9, "]]>");
	/* <!DOCTYPE and its like. */
	return false;
}

/* Behind the `>` of a tag; one in a quoted value does not count. */
static bool
skip_attributes(struct reader *reader)
{
	char quote = '\0';

	for (; reader->at < reader->end; reader->at++) {
		char c = *reader->at;

		if (quote != '\0') {
			if (c == quote)
				quote = '\0';
		} else if (c == '"' || c == '\'') {
			quote = c;
		} else if (c == '<') {
			return false;
		} else if (c == '>') {
			reader->at++;
			return true;
		}
	}
	return false;
}

/* At a `<` that starts a tag. */
static bool
read_tag(struct reader *reader, struct tag *tag)
{
	const char *name;

	reader->at++;
	tag->is_end = starts(reader, "/");
	if (tag->is_end)
		reader->at++;
	name = reader->at;
	while (reader->at < reader->end && !is_blank(*reader->at) &&
	       strchr("<>/\"'=&", *reader->at) == NULL)
		reader->at++;
	tag->name.text = name;
	tag->name.len = (size_t)(reader->at - name);
	if (tag->name.len == 0 || !skip_attributes(reader))
		return false;
	tag->is_empty = reader->at[-2] == '/' && !tag->is_end;
	return true;
}

static bool
names_equal(struct name a, struct name b)
{
	return a.len == b.len && memcmp(a.text, b.text, a.len) == 0;
}

/* Whether this is the element, whatever its prefix. */
static bool
tag_is(const struct tag *tag, const char *name)
{
	const char *colon = memchr(tag->name.text, ':', tag->name.len);
	struct name local = tag->name;
	struct name want = {name, strlen(name)};

	if (colon != NULL) {
		local.text = colon + 1;
		local.len -= (size_t)(local.text - tag->name.text);
	}
	return !tag->is_end && names_equal(local, want);
}

/* Into an element, or out of the one it is in. */
static bool
step(struct reader *reader, const struct tag *tag)
{
	if (tag->is_empty)
		return true;
	if (tag->is_end)
		return reader->depth > 0 &&
		       names_equal(reader->open[--reader->depth], tag->name);
	if (reader->depth == XML_READ_DEPTH_MOST)
		return false;
	reader->open[reader->depth++] = tag->name;
	return true;
}

/* A code point as UTF-8. */
static bool
put_code(struct writer *writer, uint32_t code)
{
	if (code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff))
		return false;
	if (code < 0x80)
		return put(writer, (char)code);
	if (code < 0x800)
		return put(writer, (char)(0xc0 | code >> 6)) &&
		       put(writer, (char)(0x80 | (code & 0x3f)));
	if (code < 0x10000)
		return put(writer, (char)(0xe0 | code >> 12)) &&
		       put(writer, (char)(0x80 | (code >> 6 & 0x3f))) &&
		       put(writer, (char)(0x80 | (code & 0x3f)));
	return put(writer, (char)(0xf0 | code >> 18)) &&
	       put(writer, (char)(0x80 | (code >> 12 & 0x3f))) &&
	       put(writer, (char)(0x80 | (code >> 6 & 0x3f))) &&
	       put(writer, (char)(0x80 | (code & 0x3f)));
}

/* Behind `&#`: digits and a semicolon. */
static bool
read_number(struct reader *reader, struct writer *writer)
{
	static const char digits[] = "0123456789abcdef";
	uint32_t base = 10;
	uint32_t code = 0;
	const char *from;

	if (starts(reader, "x")) {
		base = 16;
		reader->at++;
	}
	for (from = reader->at; reader->at < reader->end; reader->at++) {
		char c = *reader->at;
		const char *digit;

		if (c == ';')
			break;
		digit = memchr(
		    digits, c >= 'A' && c <= 'F' ? c - 'A' + 'a' : c, base);
		if (digit == NULL || code > 0x10ffff)
			return false;
		code = code * base + (uint32_t)(digit - digits);
	}
	if (reader->at == from || reader->at == reader->end)
		return false;
	reader->at++;
	return put_code(writer, code);
}

/* Behind `&`. */
static bool
read_entity(struct reader *reader, struct writer *writer)
{
	if (starts(reader, "#")) {
		reader->at++;
		return read_number(reader, writer);
	}
	for (size_t i = 0; i < sizeof(entities) / sizeof(*entities); i++) {
		if (!starts(reader, entities[i].name))
			continue;
		reader->at += strlen(entities[i].name);
		return put(writer, entities[i].is);
	}
	return false;
}

static bool
read_cdata(struct reader *reader, struct writer *writer)
{
	const char *from = reader->at + strlen("<![CDATA[");

	if (!skip_other(reader))
		return false;
	for (; from < reader->at - strlen("]]>"); from++)
		if (!put(writer, *from))
			return false;
	return true;
}

/* The text of the element that was just opened, up to its end tag. */
static bool
read_text(struct reader *reader, struct writer *writer)
{
	struct tag tag;

	while (reader->at < reader->end) {
		bool ok;

		if (starts(reader, "</"))
			return read_tag(reader, &tag) && step(reader, &tag);
		if (starts(reader, "<![CDATA["))
			ok = read_cdata(reader, writer);
		else if (starts(reader, "<!--"))
			ok = skip_other(reader);
		else if (starts(reader, "<"))
			return false;
		else if (*reader->at++ == '&')
			ok = read_entity(reader, writer);
		else
			ok = put(writer, reader->at[-1]);
		if (!ok)
			return false;
	}
	return false;
}

/* Sets `*found` when it stands behind the start tag of the element. */
static bool
find(struct reader *reader, const char *name, bool *found, bool *is_empty)
{
	struct tag tag;

	*found = false;
	while (reader->at < reader->end) {
		const char *next =
		    memchr(reader->at, '<', (size_t)(reader->end - reader->at));

		if (next == NULL)
			break;
		reader->at = next;
		if (starts(reader, "<!") || starts(reader, "<?")) {
			if (!skip_other(reader))
				return false;
			continue;
		}
		if (!read_tag(reader, &tag) || !step(reader, &tag))
			return false;
		if (tag_is(&tag, name)) {
			*found = true;
			*is_empty = tag.is_empty;
			return true;
		}
	}
	return reader->depth == 0;
}

enum status
xml_element(
    const char *text, size_t len, const char *name, char *out, size_t size)
{
	struct reader reader = {.at = text};
	struct writer writer = {.out = out, .size = size};
	bool is_empty = false;
	bool found;

	if (size == 0)
		return STATUS_MALFORMED;
	out[0] = '\0';
	if (len == 0)
		return STATUS_NOT_FOUND;
	if (len > XML_READ_BYTES_MOST)
		return STATUS_MALFORMED;
	reader.end = text + len;
	if (!find(&reader, name, &found, &is_empty))
		return STATUS_MALFORMED;
	if (!found)
		return STATUS_NOT_FOUND;
	if (!is_empty && !read_text(&reader, &writer)) {
		/* It may have been the first half of a secret. */
		explicit_bzero(out, size);
		return STATUS_MALFORMED;
	}
	out[writer.len] = '\0';
	return STATUS_OK;
}

enum status
xml_elements(const char *text, size_t len, const char *name, char *out,
    size_t size, enum status (*take)(void *context, const char *),
    void *context)
{
	struct reader reader = {.at = text, .end = text + len};
	enum status status = STATUS_OK;
	bool found = true;

	if (size == 0 || len == 0 || len > XML_LIST_BYTES_MOST)
		return STATUS_MALFORMED;
	while (status == STATUS_OK) {
		struct writer writer = {.out = out, .size = size};
		bool is_empty = false;

		if (!find(&reader, name, &found, &is_empty))
			return STATUS_MALFORMED;
		if (!found)
			break;
		if (!is_empty && !read_text(&reader, &writer))
			return STATUS_MALFORMED;
		out[writer.len] = '\0';
		status = take(context, out);
	}
	return status;
}
