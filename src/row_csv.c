/* SPDX-License-Identifier: ISC */
/* A strict reader of the CSV that psql makes of rows. */
#include "crlpress/row_csv.h"

#include <string.h>

#include "crlpress/utc.h"

/* The sixth, when the row was written, may be missing. */
#define FIELDS_LEAST 5
#define FIELDS 6
#define SECONDS_DIGITS_MOST 12

/* "2026-11-22 05:09:49", before a fraction and "+00". */
#define STAMP_LEN 19

struct field {
	const char *text;
	size_t len;
};

/* How many fields there are, 0 when they are too few or too many. */
static size_t
split(const char *line, size_t len, struct field *fields)
{
	size_t at = 0, start = 0;

	for (size_t i = 0; i <= len; i++) {
		if (i < len && line[i] != ',')
			continue;
		if (at == FIELDS)
			return 0;
		fields[at++] = (struct field){line + start, i - start};
		start = i + 1;
	}
	return at >= FIELDS_LEAST ? at : 0;
}

static bool
read_digits(const struct field *field, int64_t *value)
{
	int64_t sum = 0;

	if (field->len == 0 || field->len > SECONDS_DIGITS_MOST)
		return false;
	for (size_t i = 0; i < field->len; i++) {
		if (field->text[i] < '0' || field->text[i] > '9')
			return false;
		sum = sum * 10 + (field->text[i] - '0');
	}
	*value = sum;
	return true;
}

/* What may follow the seconds: a fraction, which is cut off, and UTC. */
static bool
tail_is_utc(const char *text, size_t len)
{
	size_t i = 0;

	if (len > 1 && text[0] == '.' && text[1] >= '0' && text[1] <= '9')
		for (i = 2; i < len && text[i] >= '0' && text[i] <= '9';)
			i++;
	return (len - i == 1 && text[i] == 'Z') ||
	       (len - i == 3 && memcmp(text + i, "+00", 3) == 0) ||
	       (len - i == 6 && memcmp(text + i, "+00:00", 6) == 0);
}

static bool
read_time(const struct field *field, int64_t *sec)
{
	char iso[UTC_ISO_BYTES];

	if (read_digits(field, sec))
		return *sec <= UTC_MAX_SEC;
	if (field->len <= STAMP_LEN ||
	    (field->text[10] != ' ' && field->text[10] != 'T') ||
	    !tail_is_utc(field->text + STAMP_LEN, field->len - STAMP_LEN))
		return false;
	memcpy(iso, field->text, STAMP_LEN);
	iso[10] = 'T';
	iso[STAMP_LEN] = 'Z';
	iso[STAMP_LEN + 1] = '\0';
	return utc_from_iso(iso, sec) == STATUS_OK;
}

/* When the row was written: nothing of it stands in a CRL, so that a time which
 * is none is as good as one that is not known. */
static bool
recorded_is_fine(const struct field *field)
{
	static const char *const none[] = {"", "infinity", "-infinity"};
	int64_t sec;

	for (size_t i = 0; i < sizeof(none) / sizeof(none[0]); i++)
		if (strlen(none[i]) == field->len &&
		    memcmp(none[i], field->text, field->len) == 0)
			return true;
	return read_time(field, &sec);
}

int
row_csv_is_header(const char *line, size_t len)
{
	return len >= 7 && memcmp(line, "serial,", 7) == 0;
}

enum status
row_csv_read(
    const char *line, size_t len, struct row_csv *row, const char **why)
{
	struct field field[FIELDS];
	int64_t reason = 0;
	size_t fields;

	*why = "not five fields: serial,revoked_at,reason,not_after,shard";
	fields = split(line, len, field);
	if (fields == 0)
		return STATUS_MALFORMED;
	if (field[0].len > 2 && memcmp(field[0].text, "\\x", 2) == 0) {
		field[0].text += 2;
		field[0].len -= 2;
	}
	if (uint160_from_hex(&row->serial, field[0].text, field[0].len, why) !=
	    STATUS_OK)
		return STATUS_MALFORMED;
	*why = "revoked_at is not a time in UTC";
	if (!read_time(&field[1], &row->revoked_at_sec))
		return STATUS_MALFORMED;
	*why = "reason is not one of RFC 5280";
	if (!read_digits(&field[2], &reason) || reason > 10 || reason == 7)
		return STATUS_MALFORMED;
	row->reason = (uint8_t)reason;
	*why = "not_after is not a time in UTC";
	if (!read_time(&field[3], &row->not_after_sec))
		return STATUS_MALFORMED;
	*why = "shard is not a number";
	row->hint.has_shard = field[4].len > 0;
	row->hint.shard = 0;
	if (row->hint.has_shard && !read_digits(&field[4], &row->hint.shard))
		return STATUS_MALFORMED;
	*why = "recorded_at is not a time in UTC";
	if (fields == FIELDS && !recorded_is_fine(&field[5]))
		return STATUS_MALFORMED;
	return STATUS_OK;
}

bool
row_csv_line(FILE *stream, char text[ROW_CSV_LINE_BYTES], size_t *len)
{
	size_t n = 0;
	int c = 0;

	while (n < ROW_CSV_LINE_BYTES && (c = getc_unlocked(stream)) != EOF &&
	       c != '\n')
		text[n++] = (char)c;
	*len = n > 0 && c == '\n' && text[n - 1] == '\r' ? n - 1 : n;
	return c != EOF || n > 0;
}
