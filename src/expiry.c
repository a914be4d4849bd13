/* SPDX-License-Identifier: ISC */
/*
 * The expiry file: written, read and judged. One table has its lines, so that
 * what is written and what is read cannot differ in their order; a value is
 * read by writing it again and comparing, so each has one spelling.
 */
#include "crlpress/expiry.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "crlpress/utc.h"
#include "manifest_impl.h"

static const char first_line[] = "crlpress-ocsp-expiry 1";

/* Longest value of a line, with its NUL: a position. */
#define VALUE_BYTES 128

struct field {
	const char *name;
	/* Writes the value. */
	void (*print)(const struct expiry *expiry, char out[VALUE_BYTES]);
	/* Takes it in, as far as printing it again can tell the rest. */
	bool (*read)(const char *value, struct expiry *expiry);
	const char *why;
};

static void
print_last(const struct expiry *expiry, char out[VALUE_BYTES])
{
	if (expiry->has_last)
		utc_to_iso(expiry->last_sec, out);
	else
		snprintf(out, VALUE_BYTES, "none");
}

static bool
read_last(const char *value, struct expiry *expiry)
{
	expiry->has_last = strcmp(value, "none") != 0;
	return !expiry->has_last ||
	       utc_from_iso(value, &expiry->last_sec) == STATUS_OK;
}

static void
print_made(const struct expiry *expiry, char out[VALUE_BYTES])
{
	utc_to_iso(expiry->made_sec, out);
}

static bool
read_made(const char *value, struct expiry *expiry)
{
	return utc_from_iso(value, &expiry->made_sec) == STATUS_OK;
}

static void
print_statement(const struct expiry *expiry, char out[VALUE_BYTES])
{
	hash_to_hex(&expiry->statement, out);
}

static bool
read_statement(const char *value, struct expiry *expiry)
{
	return hash_from_hex(value, strlen(value), &expiry->statement) ==
	       STATUS_OK;
}

static void
print_position(const struct expiry *expiry, char out[VALUE_BYTES])
{
	if (!expiry->has_position)
		snprintf(out, VALUE_BYTES, "none");
	else
		snprintf(out, VALUE_BYTES,
		    "%s %" PRIu32 " %" PRIX32 "/%" PRIX32,
		    expiry->system_identifier, expiry->timeline,
		    (uint32_t)(expiry->wal_position >> 32),
		    (uint32_t)expiry->wal_position);
}

/* What sscanf overlooks, the comparison with what is printed does not. */
static bool
read_position(const char *value, struct expiry *expiry)
{
	uint32_t high, low;

	expiry->has_position = strcmp(value, "none") != 0;
	if (!expiry->has_position)
		return true;
	if (sscanf(value, "%23[0-9] %" SCNu32 " %8" SCNx32 "/%8" SCNx32,
		expiry->system_identifier, &expiry->timeline, &high, &low) != 4)
		return false;
	expiry->wal_position = (uint64_t)high << 32 | low;
	return manifest_system_identifier_ok(expiry->system_identifier);
}

static const struct field fields[] = {
    {"last-expiry", print_last, read_last,
	"neither a time like 2026-12-01T06:00:00Z nor none"},
    {"made", print_made, read_made, "not a time like 2026-12-01T06:00:00Z"},
    {"statement-sha256", print_statement, read_statement,
	"not 64 lower-case hex digits"},
    {"position", print_position, read_position,
	"neither a position (system identifier, timeline, WAL position) nor "
	"none"},
};
#define FIELD_COUNT (sizeof(fields) / sizeof(fields[0]))

/* Appends to `text`; false when it is full. */
static bool __attribute__((format(printf, 3, 4)))
text_add(char text[EXPIRY_BYTES_MOST], size_t *len, const char *format, ...)
{
	va_list args;
	int n;

	va_start(args, format);
	n = vsnprintf(text + *len, EXPIRY_BYTES_MOST - *len, format, args);
	va_end(args);
	if (n < 0 || (size_t)n >= EXPIRY_BYTES_MOST - *len)
		return false;
	*len += (size_t)n;
	return true;
}

size_t
expiry_format(const struct expiry *expiry, char text[EXPIRY_BYTES_MOST])
{
	struct expiry again;
	const char *why = NULL;
	size_t len = 0, line = 0;
	bool fits = text_add(text, &len, "%s\n", first_line);

	for (size_t i = 0; fits && i < FIELD_COUNT; i++) {
		char value[VALUE_BYTES];

		fields[i].print(expiry, value);
		fits = text_add(text, &len, "%s %s\n", fields[i].name, value);
	}
	fits = fits && text_add(text, &len, "end %" PRIu32 " %zu\n",
			   manifest_cksum(text, len), len);
	if (!fits || expiry_parse(text, len, &again, &line, &why) != STATUS_OK)
		return 0;
	return len;
}

/*
 * The next line of the text, cut off at its LF, without NULs and other bytes
 * that no line of ours has; NULL when there is none. It goes into `line`.
 */
static const char *
line_take(const char **at, const char *end, char line[EXPIRY_BYTES_MOST])
{
	const char *newline = memchr(*at, '\n', (size_t)(end - *at));
	size_t len;

	if (newline == NULL)
		return NULL;
	len = (size_t)(newline - *at);
	if (len >= EXPIRY_BYTES_MOST || memchr(*at, '\0', len) != NULL)
		return NULL;
	memcpy(line, *at, len);
	line[len] = '\0';
	*at = newline + 1;
	return line;
}

static const char *
field_read(const struct field *field, const char *line, struct expiry *expiry)
{
	size_t name_len = strlen(field->name);
	char again[VALUE_BYTES];

	if (strncmp(line, field->name, name_len) != 0 || line[name_len] != ' ')
		return "not the line that is due here";
	if (!field->read(line + name_len + 1, expiry))
		return field->why;
	field->print(expiry, again);
	return strcmp(again, line + name_len + 1) == 0 ? NULL : field->why;
}

/* The closing line, which `at` is behind: nothing may follow. */
static const char *
closing_check(
    const char *line, const char *text, const char *before, const char *rest)
{
	char want[VALUE_BYTES];
	size_t len = (size_t)(before - text);

	snprintf(want, sizeof(want), "end %" PRIu32 " %zu",
	    manifest_cksum(text, len), len);
	if (strcmp(line, want) != 0)
		return "the closing line does not fit the lines before: the "
		       "file was changed or damaged";
	return *rest != '\0' ? "something behind the closing line" : NULL;
}

enum status
expiry_parse(const char *text, size_t len, struct expiry *expiry, size_t *line,
    const char **why)
{
	char bounded[EXPIRY_BYTES_MOST];
	char buffer[EXPIRY_BYTES_MOST];
	const char *at = bounded, *end, *before, *read;

	*line = 1;
	*expiry = (struct expiry){0};
	*why = "not an expiry file of `crlpress ocsp-gate`";
	if (len >= EXPIRY_BYTES_MOST)
		return STATUS_MALFORMED;
	memcpy(bounded, text, len);
	bounded[len] = '\0';
	end = bounded + len;
	read = line_take(&at, end, buffer);
	if (read == NULL || strcmp(read, first_line) != 0)
		return STATUS_MALFORMED;
	for (size_t i = 0; i < FIELD_COUNT; i++) {
		++*line;
		read = line_take(&at, end, buffer);
		*why = read == NULL ? "the line is missing or torn"
				    : field_read(&fields[i], read, expiry);
		if (*why != NULL)
			return STATUS_MALFORMED;
	}
	++*line;
	before = at;
	read = line_take(&at, end, buffer);
	*why = read == NULL ? "no closing line"
			    : closing_check(read, bounded, before, at);
	/* A NUL behind the closing line ends `bounded` before the text does. */
	if (*why == NULL && at != end)
		*why = "something behind the closing line";
	return *why == NULL ? STATUS_OK : STATUS_MALFORMED;
}

/* BR 4.9.9: a responder that certificates name answers with signatures. */
enum status
expiry_judge(const struct expiry *expiry, int64_t now_sec, const char **why)
{
	*why = NULL;
	if (expiry->made_sec > now_sec + EXPIRY_SKEW_SEC)
		*why = "made in the future: one of the clocks is wrong";
	else if (expiry->has_last && expiry->last_sec >= now_sec)
		*why = "a certificate that may name the responder has not "
		       "expired yet";
	else if (expiry->has_last && expiry->last_sec >= expiry->made_sec)
		*why = "made before the last such certificate expired; make "
		       "it again, since others may have been issued";
	return *why == NULL ? STATUS_OK : STATUS_REFUSED;
}
