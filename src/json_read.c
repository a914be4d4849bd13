/* SPDX-License-Identifier: ISC */
/* A reader of one JSON object (RFC 8259), by descent with a bounded depth. */
#include "crlpress/json_read.h"

#include <string.h>

#include "crlpress/json_text.h"

/* Room for the name of a wanted member, each letter of it escaped. */
#define NAME_BYTES 256

/* Returns false, so that a caller can end with it. */
static bool
fail(struct json_text *text, const char *why)
{
	(void)json_text_fault(text, why);
	return false;
}

static bool
read_string(struct json_text *text, char *out, size_t size)
{
	return json_text_string(text, out, size) == STATUS_OK;
}

/* At least one digit. */
static bool
skip_digits(struct json_text *text)
{
	size_t from = text->at;

	while (json_text_peek(text) >= '0' && json_text_peek(text) <= '9')
		text->at++;
	return text->at > from;
}

static bool
skip_number(struct json_text *text)
{
	(void)json_text_take(text, '-');
	/* No zero stands before other digits. */
	if (!json_text_take(text, '0') && !skip_digits(text))
		return fail(text, "no value where one must be");
	if (json_text_take(text, '.') && !skip_digits(text))
		return fail(text, "a number without digits");
	if (json_text_take(text, 'e') || json_text_take(text, 'E')) {
		if (!json_text_take(text, '+'))
			(void)json_text_take(text, '-');
		if (!skip_digits(text))
			return fail(text, "a number without digits");
	}
	return true;
}

/* Takes `true`, `false` or `null`, if it comes next. */
static bool
take_word(struct json_text *text, const char *word)
{
	size_t len = strlen(word);

	if (text->len - text->at < len ||
	    memcmp(text->text + text->at, word, len) != 0)
		return false;
	text->at += len;
	return true;
}

static bool skip_value(struct json_text *text, unsigned depth);

/* Behind the bracket of an object or an array that nobody asks for. */
static bool
skip_members(struct json_text *text, bool is_object, unsigned depth)
{
	char bracket = is_object ? '}' : ']';

	if (depth > JSON_READ_DEPTH_MOST)
		return fail(text, "too deep");
	json_text_skip_blanks(text);
	if (json_text_take(text, bracket))
		return true;
	for (;;) {
		json_text_skip_blanks(text);
		if (is_object) {
			if (!read_string(text, NULL, 0))
				return false;
			json_text_skip_blanks(text);
			if (!json_text_take(text, ':'))
				return fail(text, "no colon behind a name");
		}
		if (!skip_value(text, depth))
			return false;
		if (json_text_take(text, bracket))
			return true;
		if (!json_text_take(text, ','))
			return fail(text, "no comma between two members");
	}
}

/* Any value, and the blanks before and behind it. */
static bool
skip_value(struct json_text *text, unsigned depth)
{
	bool ok;

	json_text_skip_blanks(text);
	if (json_text_peek(text) == '"')
		ok = read_string(text, NULL, 0);
	else if (json_text_take(text, '{'))
		ok = skip_members(text, true, depth + 1);
	else if (json_text_take(text, '['))
		ok = skip_members(text, false, depth + 1);
	else if (take_word(text, "true") || take_word(text, "false") ||
		 take_word(text, "null"))
		ok = true;
	else
		ok = skip_number(text);
	json_text_skip_blanks(text);
	return ok;
}

/* The value of a member that is wanted. */
static bool
read_wanted(struct json_text *text, struct json_read_member *member)
{
	json_text_skip_blanks(text);
	if (member->found)
		return fail(text, "a member twice");
	if (take_word(text, "null")) {
		json_text_skip_blanks(text);
		return true;
	}
	if (!read_string(text, member->out, member->size))
		return false;
	member->found = true;
	json_text_skip_blanks(text);
	return true;
}

static bool
read_member(
    struct json_text *text, struct json_read_member *member, size_t count)
{
	char name[NAME_BYTES] = "";
	bool fits;

	json_text_skip_blanks(text);
	fits = json_text_room(text) <= sizeof(name);
	if (!read_string(text, fits ? name : NULL, sizeof(name)))
		return false;
	json_text_skip_blanks(text);
	if (!json_text_take(text, ':'))
		return fail(text, "no colon behind a name");
	for (size_t i = 0; i < count; i++)
		if (fits && strcmp(name, member[i].name) == 0)
			return read_wanted(text, &member[i]);
	return skip_value(text, 0);
}

static bool
read_object(
    struct json_text *text, struct json_read_member *member, size_t count)
{
	json_text_skip_blanks(text);
	if (!json_text_take(text, '{'))
		return fail(text, "no JSON object");
	json_text_skip_blanks(text);
	if (!json_text_take(text, '}')) {
		do {
			if (!read_member(text, member, count))
				return false;
		} while (json_text_take(text, ','));
		if (!json_text_take(text, '}'))
			return fail(text, "no comma between two members");
	}
	json_text_skip_blanks(text);
	return text->at == text->len ||
	       fail(text, "something behind the object");
}

enum status
json_read_strings(const char *text, size_t len, struct json_read_member *member,
    size_t count, const char **why)
{
	struct json_text json = {.text = text, .len = len};
	bool ok;

	*why = NULL;
	for (size_t i = 0; i < count; i++) {
		member[i].out[0] = '\0';
		member[i].found = false;
	}
	if (len > JSON_READ_BYTES_MOST)
		ok = fail(&json, "too long");
	else
		ok = read_object(&json, member, count);
	if (ok)
		return STATUS_OK;
	/* Secrets may stand there. */
	for (size_t i = 0; i < count; i++) {
		explicit_bzero(member[i].out, member[i].size);
		member[i].found = false;
	}
	*why = json.why;
	return STATUS_MALFORMED;
}
