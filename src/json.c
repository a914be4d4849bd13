/* SPDX-License-Identifier: ISC */
/* A writer of JSON; RFC 8259, 7 says what a string must escape. */
#include "crlpress/json.h"

#include <inttypes.h>

static void
put_text(FILE *stream, const char *text)
{
	fputc('"', stream);
	for (const unsigned char *c = (const unsigned char *)text; *c; c++) {
		if (*c == '"' || *c == '\\')
			fprintf(stream, "\\%c", *c);
		else if (*c < 0x20 || *c == 0x7f)
			fprintf(stream, "\\u%04x", *c);
		else
			fputc(*c, stream);
	}
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
json_number_text(struct json *json, const char *name, const char *digits)
{
	begin(json, name);
	fputs(digits, json->stream);
}

void
json_seconds(struct json *json, const char *name, double seconds)
{
	begin(json, name);
	fprintf(json->stream, "%.3f", seconds);
}

void
json_end(struct json *json)
{
	fputc('\n', json->stream);
	json->follows = false;
}
