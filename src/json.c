/* SPDX-License-Identifier: ISC */
/*
 * A writer of JSON; RFC 8259, 7 says what a string must escape, and 8.1 that
 * it is UTF-8. Paths are not always: what is not becomes U+FFFD.
 */
#include "crlpress/json.h"

#include <inttypes.h>
#include <math.h>
#include <stddef.h>

#include "crlpress/utf8.h"

/* One character; returns how many octets of `p` it was. */
static size_t
put_character(FILE *stream, const unsigned char *p)
{
	uint32_t code;
	size_t len = 1;

	if (*p == '"' || *p == '\\')
		fprintf(stream, "\\%c", *p);
	else if (*p < 0x20 || *p == 0x7f)
		fprintf(stream, "\\u%04x", *p);
	else if (*p < 0x80)
		fputc(*p, stream);
	else if ((len = utf8_read(p, UTF8_MOST, &code)) > 0)
		fwrite(p, 1, len, stream);
	else
		fputs("\\ufffd", stream);
	return len > 0 ? len : 1;
}

static void
put_text(FILE *stream, const char *text)
{
	const unsigned char *p = (const unsigned char *)text;

	fputc('"', stream);
	while (*p != '\0')
		p += put_character(stream, p);
	fputc('"', stream);
}

static void
begin(struct json *json, const char *name)
{
	if (json->follows)
		fputc(',', json->stream);
	json->follows = true;
	if (name == NULL)
		return;
	put_text(json->stream, name);
	fputc(':', json->stream);
}

void
json_open(struct json *json, const char *name, char bracket)
{
	begin(json, name);
	fputc(bracket, json->stream);
	json->follows = false;
}

void
json_close(struct json *json, char bracket)
{
	fputc(bracket, json->stream);
	json->follows = true;
}

void
json_string(struct json *json, const char *name, const char *text)
{
	if (text == NULL) {
		json_null(json, name);
		return;
	}
	begin(json, name);
	put_text(json->stream, text);
}

void
json_uint(struct json *json, const char *name, uint64_t value)
{
	begin(json, name);
	fprintf(json->stream, "%" PRIu64, value);
}

void
json_bool(struct json *json, const char *name, bool value)
{
	begin(json, name);
	fputs(value ? "true" : "false", json->stream);
}

void
json_null(struct json *json, const char *name)
{
	begin(json, name);
	fputs("null", json->stream);
}

void
json_seconds(struct json *json, const char *name, double seconds)
{
	if (!isfinite(seconds)) {
		json_null(json, name);
		return;
	}
	begin(json, name);
	fprintf(json->stream, "%.3f", seconds);
}

void
json_end(struct json *json)
{
	fputc('\n', json->stream);
	json->follows = false;
}
