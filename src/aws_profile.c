/* SPDX-License-Identifier: ISC */
/*
 * The format is the one of the AWS SDKs and Tools Reference Guide ("Shared
 * config and credentials files"): sections, `name = value`, comments of whole
 * lines or behind a blank, and indented lines that belong to the setting
 * above. In the config file a profile's section is [profile NAME], but for
 * [default].
 */
#include "crlpress/aws_profile.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

struct setting_row {
	const char *name;
	enum aws_setting setting;
	bool has_blanks; /* such a value may have blanks in it */
};

static const struct setting_row rows[] = {
    {"aws_access_key_id", AWS_ACCESS_KEY_ID, false},
    {"aws_secret_access_key", AWS_SECRET_ACCESS_KEY, false},
    {"aws_session_token", AWS_SESSION_TOKEN, false},
    {"region", AWS_REGION, false},
    {"role_arn", AWS_ROLE_ARN, false},
    {"role_session_name", AWS_ROLE_SESSION_NAME, false},
    {"web_identity_token_file", AWS_WEB_IDENTITY_TOKEN_FILE, true},
    {"credential_process", AWS_CREDENTIAL_PROCESS, true},
    {"sso_session", AWS_SSO_SESSION, true},
    {"sso_start_url", AWS_SSO_START_URL, false},
    /* What it was called once. */
    {"aws_security_token", AWS_SESSION_TOKEN, false},
};
#define ROW_COUNT (sizeof(rows) / sizeof(*rows))

/* A part of a line. */
struct span {
	const char *text;
	size_t len;
};

struct reader {
	struct aws_profile *profile;
	enum aws_file file;
	const char *name;
	bool in_section;                 /* some section has begun */
	bool in_profile;                 /* it is that of the profile */
	bool has_above;                  /* a setting stands above in it */
	const struct setting_row *above; /* that, if it means something here */
	size_t line;
	enum status status;
	const char *why;
};

/* Returns false, so that a caller can end with it. */
static bool
fail(struct reader *reader, const char *why)
{
	reader->status = STATUS_MALFORMED;
	reader->why = why;
	return false;
}

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t';
}

static struct span
trim(struct span span)
{
	while (span.len > 0 && is_blank(*span.text)) {
		span.text++;
		span.len--;
	}
	while (span.len > 0 && is_blank(span.text[span.len - 1]))
		span.len--;
	return span;
}

static bool
is_comment(struct span span)
{
	return span.len > 0 && (*span.text == '#' || *span.text == ';');
}

static bool
span_is(struct span span, const char *text)
{
	return span.len == strlen(text) &&
	       memcmp(span.text, text, span.len) == 0;
}

/* The name of a profile in the config file may stand in quotes. */
static struct span
unquote(struct span span)
{
	if (span.len >= 2 && (*span.text == '"' || *span.text == '\'') &&
	    span.text[span.len - 1] == *span.text) {
		span.text++;
		span.len -= 2;
	}
	return span;
}

/* Whether a section's name is that of the profile. */
static bool
section_is(const struct reader *reader, struct span span)
{
	static const char prefix[] = "profile";
	const size_t len = sizeof(prefix) - 1;

	if (reader->file == AWS_CREDENTIALS_FILE)
		return span_is(span, reader->name);
	if (span_is(span, "default"))
		return strcmp(reader->name, "default") == 0;
	if (span.len <= len || memcmp(span.text, prefix, len) != 0 ||
	    !is_blank(span.text[len]))
		return false;
	span.text += len;
	span.len -= len;
	return span_is(unquote(trim(span)), reader->name);
}

/* `[name]`, and behind it a comment at most. */
static bool
read_section(struct reader *reader, struct span line)
{
	const char *close = memchr(line.text, ']', line.len);
	struct span name = {line.text + 1, 0};
	struct span rest;

	if (close == NULL)
		return fail(reader, "a section without its bracket");
	name.len = (size_t)(close - name.text);
	rest.text = close + 1;
	rest.len = line.len - (size_t)(rest.text - line.text);
	rest = trim(rest);
	if (rest.len > 0 && !is_comment(rest))
		return fail(reader, "something behind a section's name");
	reader->in_section = true;
	reader->in_profile = section_is(reader, trim(name));
	reader->has_above = false;
	reader->above = NULL;
	if (reader->in_profile && reader->profile->found)
		return fail(reader, "the profile stands there twice");
	reader->profile->found |= reader->in_profile;
	return true;
}

static const struct setting_row *
find_row(struct span name)
{
	for (size_t i = 0; i < ROW_COUNT; i++)
		if (strlen(rows[i].name) == name.len &&
		    strncasecmp(rows[i].name, name.text, name.len) == 0)
			return &rows[i];
	return NULL;
}

/* Up to a comment behind a blank. */
static struct span
strip_comment(struct span span)
{
	for (size_t i = 1; i < span.len; i++)
		if ((span.text[i] == '#' || span.text[i] == ';') &&
		    is_blank(span.text[i - 1])) {
			span.len = i;
			break;
		}
	return trim(span);
}

/* No value has control characters; most of them no blanks either. */
static bool
value_ok(struct span value, bool has_blanks)
{
	for (size_t i = 0; i < value.len; i++) {
		unsigned char c = (unsigned char)value.text[i];

		if (c < ' ' || c == 0x7f || (c == ' ' && !has_blanks))
			return false;
	}
	return true;
}

static bool
keep(struct reader *reader, const struct setting_row *row, struct span value)
{
	struct aws_profile *profile = reader->profile;

	if (!is_comment(value))
		value = strip_comment(value);
	if (value.len == 0 || is_comment(value))
		return fail(reader, "a setting without a value");
	if (!value_ok(value, row->has_blanks))
		return fail(reader, "a blank or control character in a value");
	if (profile->value[row->setting] != NULL)
		return fail(reader, "a setting that stands there twice");
	profile->value[row->setting] = strndup(value.text, value.len);
	profile->line[row->setting] = reader->line;
	if (profile->value[row->setting] == NULL) {
		(void)fail(reader, "out of memory");
		reader->status = STATUS_NO_MEMORY;
		return false;
	}
	return true;
}

static bool
read_setting(struct reader *reader, struct span line)
{
	const char *equals = memchr(line.text, '=', line.len);
	struct span name = {line.text, 0};
	struct span value;

	if (equals == NULL)
		return fail(reader, "neither [section] nor name = value");
	if (!reader->in_section)
		return fail(reader, "a setting before the first section");
	name.len = (size_t)(equals - line.text);
	name = trim(name);
	value.text = equals + 1;
	value.len = line.len - (size_t)(value.text - line.text);
	if (name.len == 0)
		return fail(reader, "a value without a name");
	reader->has_above = true;
	reader->above = find_row(name);
	if (!reader->in_profile || reader->above == NULL)
		return true;
	return keep(reader, reader->above, trim(value));
}

static bool
read_line(struct reader *reader, struct span line)
{
	bool indented = line.len > 0 && is_blank(*line.text);

	if (line.len > 0 && line.text[line.len - 1] == '\r')
		line.len--;
	line = trim(line);
	if (memchr(line.text, '\0', line.len) != NULL)
		return fail(reader, "a NUL");
	if (line.len == 0 || is_comment(line))
		return true;
	if (indented && reader->has_above) {
		/* More of what stands above. */
		if (!reader->in_profile || reader->above == NULL)
			return true;
		return fail(reader, "a value of more than one line");
	}
	if (*line.text == '[')
		return read_section(reader, line);
	return read_setting(reader, line);
}

enum status
aws_profile_read(const char *text, size_t len, enum aws_file file,
    const char *name, struct aws_profile *profile, size_t *line,
    const char **why)
{
	struct reader reader = {.profile = profile, .file = file, .name = name};
	const char *end = text + len;

	memset(profile, 0, sizeof(*profile));
	*why = NULL;
	for (const char *at = text; at < end;) {
		const char *newline = memchr(at, '\n', (size_t)(end - at));
		const char *stop = newline == NULL ? end : newline;
		struct span span = {at, (size_t)(stop - at)};

		reader.line++;
		if (!read_line(&reader, span)) {
			aws_profile_free(profile);
			break;
		}
		at = newline == NULL ? end : newline + 1;
	}
	*line = reader.line;
	*why = reader.why;
	return reader.status;
}

const char *
aws_setting_name(enum aws_setting setting)
{
	for (size_t i = 0; i < ROW_COUNT; i++)
		if (rows[i].setting == setting)
			return rows[i].name;
	return "";
}

void
aws_profile_free(struct aws_profile *profile)
{
	for (size_t i = 0; i < AWS_SETTING_COUNT; i++) {
		char *value = profile->value[i];

		if (value != NULL)
			explicit_bzero(value, strlen(value));
		free(value);
	}
	memset(profile, 0, sizeof(*profile));
}
