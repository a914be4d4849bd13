/* SPDX-License-Identifier: ISC */
/*
 * Lines of index.txt, as OpenSSL 1.0 to 3 write them (crypto/txt_db/txt_db.c,
 * apps/ca.c). OpenSSL skips what it cannot make out; here that is a fault,
 * since it may be a revocation.
 */
#include "crlpress/index_read.h"

#include <string.h>
#include <strings.h>

#include "crlpress/reason.h"
#include "crlpress/utc.h"

enum field {
	FIELD_STATE,
	FIELD_NOT_AFTER,
	FIELD_REVOKED,
	FIELD_SERIAL,
	FIELD_FILE,
	FIELD_SUBJECT,
	FIELD_COUNT
};

#define UTC_TIME_LEN 13         /* "261122050949Z" */
#define GENERALIZED_TIME_LEN 15 /* "20261122050949Z" */

/* Longest name of a reason, with its NUL. */
#define REASON_NAME_BYTES 24

/* Longest OID of a hold instruction; there are three, of 18 octets. */
#define OID_LEN_MOST 128

struct span {
	const char *text;
	size_t len;
};

/* The words of `openssl ca` that are no reasons of RFC 5280. */
static const struct pseudo {
	const char *name;
	uint8_t reason;
	bool has_time; /* else an OID follows */
} pseudos[] = {
    {"holdInstruction", 6, false},
    {"keyTime", 1, true},
    {"CAkeyTime", 2, true},
};

static enum status
refuse(const char **why, const char *text)
{
	*why = text;
	return STATUS_MALFORMED;
}

/* Fields end at a tab that has no backslash before it. */
static enum status
line_split(const char *line, size_t len, struct span field[FIELD_COUNT],
    const char **why)
{
	bool escaped = false;
	size_t n = 0;

	field[0] = (struct span){line, 0};
	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)line[i];

		if (c == '\t' && !escaped) {
			if (++n == FIELD_COUNT)
				return refuse(why, "more than six fields");
			field[n] = (struct span){line + i + 1, 0};
			continue;
		}
		if (c == '\0')
			return refuse(why, "a NUL");
		if ((c < ' ' && c != '\t') || c == 0x7f)
			return refuse(why, "a control character");
		escaped = c == '\\';
		field[n].len++;
	}
	if (n + 1 != FIELD_COUNT)
		return refuse(why, "fewer than six fields");
	return STATUS_OK;
}

static int
two_digits(const char *text)
{
	if (text[0] < '0' || text[0] > '9' || text[1] < '0' || text[1] > '9')
		return -1;
	return (text[0] - '0') * 10 + (text[1] - '0');
}

/* RFC 5280, 4.1.2.5: seconds and Z; a year of two digits is 1950 to 2049. */
static bool
time_read(struct span field, int64_t *sec)
{
	int part[7];
	size_t at = 0, first = 1;
	struct utc_civil civil;

	if (field.len == GENERALIZED_TIME_LEN)
		first = 0;
	else if (field.len != UTC_TIME_LEN)
		return false;
	for (size_t i = first; i < 7; i++, at += 2) {
		part[i] = two_digits(field.text + at);
		if (part[i] < 0)
			return false;
	}
	if (first == 1)
		part[0] = part[1] < 50 ? 20 : 19;
	civil = (struct utc_civil){part[0] * 100 + part[1], part[2], part[3],
	    part[4], part[5], part[6]};
	return field.text[at] == 'Z' &&
	       utc_from_civil(&civil, sec) == STATUS_OK;
}

/* The part of a field before the next comma, which is taken off it. */
static bool
part_take(struct span *field, struct span *part)
{
	const char *comma;

	if (field->text == NULL)
		return false;
	comma = memchr(field->text, ',', field->len);
	*part = *field;
	if (comma == NULL) {
		*field = (struct span){NULL, 0};
		return true;
	}
	part->len = (size_t)(comma - field->text);
	field->text = comma + 1;
	field->len -= part->len + 1;
	return true;
}

/* X.680, 32.3, loosely: numbers with dots. What it is stands in no CRL. */
static bool
is_oid(struct span text)
{
	if (text.len == 0 || text.len > OID_LEN_MOST)
		return false;
	for (size_t i = 0; i < text.len; i++)
		if (memchr("0123456789.", text.text[i], 11) == NULL)
			return false;
	return true;
}

/* What stands behind the reason, if anything may. */
static enum status
extra_read(const struct pseudo *pseudo, struct span *rest,
    struct index_entry *entry, const char **why)
{
	struct span extra;
	int64_t sec;

	if (!part_take(rest, &extra))
		return refuse(why, "a reason without what follows it");
	/* OpenSSL takes the name of a hold instruction as well. */
	if (!pseudo->has_time &&
	    (extra.len < 15 ||
		memcmp(extra.text, "holdInstruction", 15) != 0) &&
	    !is_oid(extra))
		return refuse(why, "a hold instruction that is no OID");
	if (pseudo->has_time && !time_read(extra, &sec))
		return refuse(why, "an invalidity date that is no time");
	entry->has_invalidity_date = pseudo->has_time;
	return STATUS_OK;
}

static enum status
reason_read(struct span name, struct span *rest, struct index_entry *entry,
    const char **why)
{
	char text[REASON_NAME_BYTES];

	if (name.len == 0 || name.len >= sizeof(text))
		return refuse(why, "a reason that is none");
	memcpy(text, name.text, name.len);
	text[name.len] = '\0';
	for (size_t i = 0; i < sizeof(pseudos) / sizeof(pseudos[0]); i++)
		if (strcasecmp(pseudos[i].name, text) == 0) {
			entry->reason = pseudos[i].reason;
			return extra_read(&pseudos[i], rest, entry, why);
		}
	/* Numbers are reasons elsewhere, but not here. */
	if ((text[0] >= '0' && text[0] <= '9') ||
	    reason_from_text(text, &entry->reason) != STATUS_OK)
		return refuse(why, "a reason that is none");
	return STATUS_OK;
}

static enum status
revocation_read(struct span field, struct index_entry *entry, const char **why)
{
	struct span part;
	enum status status = STATUS_OK;

	entry->is_revoked = field.len > 0;
	if (field.len == 0)
		return entry->state == 'R'
			   ? refuse(why, "revoked without a revocation date")
			   : STATUS_OK;
	if (entry->state == 'V')
		return refuse(why, "valid with a revocation date");
	if (!part_take(&field, &part) ||
	    !time_read(part, &entry->revoked_at_sec))
		return refuse(why, "a revocation date that is no time");
	if (part_take(&field, &part))
		status = reason_read(part, &field, entry, why);
	if (status == STATUS_OK && field.text != NULL)
		return refuse(why, "more behind the reason than belongs there");
	return status;
}

/* In place of a subject that is empty OpenSSL writes the serial. */
static bool
is_subject(struct span subject, struct span serial)
{
	if (subject.len > 0 && subject.text[0] == '/')
		return true;
	return subject.len == serial.len &&
	       memcmp(subject.text, serial.text, serial.len) == 0;
}

enum status
index_line_read(
    const char *line, size_t len, struct index_entry *entry, const char **why)
{
	struct span field[FIELD_COUNT] = {{NULL, 0}};
	const struct span *state = &field[FIELD_STATE];
	enum status status;

	*entry = (struct index_entry){.reason = 0};
	if (len > INDEX_LINE_BYTES_MOST)
		return refuse(why, "a line above 64 KiB");
	status = line_split(line, len, field, why);
	if (status != STATUS_OK)
		return status;
	if (state->len != 1 || memchr("VRE", state->text[0], 3) == NULL)
		return refuse(why, "a state that is not V, R or E");
	entry->state = state->text[0];
	if (!time_read(field[FIELD_NOT_AFTER], &entry->not_after_sec))
		return refuse(why, "a notAfter that is no time");
	if (field[FIELD_SERIAL].len == 0 ||
	    uint160_from_hex(&entry->serial, field[FIELD_SERIAL].text,
		field[FIELD_SERIAL].len, why) != STATUS_OK)
		return refuse(why, "a serial that is not hex below 2^159");
	if (!is_subject(field[FIELD_SUBJECT], field[FIELD_SERIAL]))
		return refuse(why, "a subject that does not begin with /");
	return revocation_read(field[FIELD_REVOKED], entry, why);
}

enum status
index_next(
    struct index_reader *reader, struct index_entry *entry, const char **why)
{
	for (;;) {
		const char *line = reader->text + reader->at;
		size_t left = reader->len - reader->at;
		const char *end;

		if (left == 0)
			return STATUS_DONE;
		reader->line++;
		end = memchr(line, '\n', left);
		if (end == NULL)
			return refuse(why,
			    "the last line has no end: the file was cut off, "
			    "or is being written");
		reader->at += (size_t)(end - line) + 1;
		if (*line != '#')
			return index_line_read(
			    line, (size_t)(end - line), entry, why);
	}
}
