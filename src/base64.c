/* SPDX-License-Identifier: ISC */
/*
 * A table instead of branches, four characters at a time: a million
 * certificates in PEM are more than a gigabyte.
 */
#include "crlpress/base64.h"

#include <stdbool.h>
#include <string.h>

#define DASHES "-----"

/* No character of base64; the bit is in no value. */
#define NO 0x80

/* clang-format off */
static const uint8_t values[256] = {
    NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO,
    NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO,
    NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, 62, NO, NO, NO, 63,
    52, 53, 54, 55, 56, 57, 58, 59, 60, 61, NO, NO, NO, NO, NO, NO,
    NO, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14,
    15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, NO, NO, NO, NO, NO,
    NO, 26, 27, 28, 29, 30, 31, 32, 33, 34, 35, 36, 37, 38, 39, 40,
    41, 42, 43, 44, 45, 46, 47, 48, 49, 50, 51, NO, NO, NO, NO, NO,
    NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO,
    NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO,
    NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO,
    NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO,
    NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO,
    NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO,
    NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO,
    NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO,
};
/* clang-format on */

struct reader {
	const char *at;
	const char *end;
};

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static void
skip_blanks(struct reader *reader)
{
	while (reader->at < reader->end && is_blank(*reader->at))
		reader->at++;
}

static bool
take(struct reader *reader, const char *text)
{
	size_t len = strlen(text);

	if ((size_t)(reader->end - reader->at) < len ||
	    memcmp(reader->at, text, len) != 0)
		return false;
	reader->at += len;
	return true;
}

static bool
take_boundary(struct reader *reader, const char *word, const char *label)
{
	return take(reader, DASHES) && take(reader, word) &&
	       take(reader, label) && take(reader, DASHES);
}

static uint32_t
value_at(const char *at)
{
	return values[(uint8_t)*at];
}

/* The next four characters, wherever lines end between them. */
static size_t
take_four(struct reader *reader, char four[4])
{
	size_t count = 0;

	while (count < 4 && reader->at < reader->end && *reader->at != '-') {
		char c = *reader->at++;

		if (c != '\r' && c != '\n')
			four[count++] = c;
	}
	return count;
}

/* How many octets four characters are, 1 to 3; 0: they are not base64. */
static size_t
four_decode(const char four[4], uint8_t octets[3])
{
	size_t pad = four[3] == '=' ? 1 + (four[2] == '=') : 0;
	uint32_t a = value_at(&four[0]), b = value_at(&four[1]);
	uint32_t c = pad < 2 ? value_at(&four[2]) : 0;
	uint32_t d = pad < 1 ? value_at(&four[3]) : 0;

	/* RFC 4648, 3.5: what fills up the last octet is zero. */
	if (((a | b | c | d) & NO) != 0 || (pad == 2 && (b & 0x0f) != 0) ||
	    (pad == 1 && (c & 0x03) != 0))
		return 0;
	octets[0] = (uint8_t)(a << 2 | b >> 4);
	octets[1] = (uint8_t)(b << 4 | c >> 2);
	octets[2] = (uint8_t)(c << 6 | d);
	return 3 - pad;
}

/* Whole fours of one line, as long as they are. */
static size_t
line_decode(struct reader *reader, uint8_t *octets, size_t room)
{
	size_t len = 0;

	while (reader->end - reader->at >= 4 && room - len >= 3) {
		uint32_t a = value_at(reader->at);
		uint32_t b = value_at(reader->at + 1);
		uint32_t c = value_at(reader->at + 2);
		uint32_t d = value_at(reader->at + 3);

		if (((a | b | c | d) & NO) != 0)
			break;
		octets[len] = (uint8_t)(a << 2 | b >> 4);
		octets[len + 1] = (uint8_t)(b << 4 | c >> 2);
		octets[len + 2] = (uint8_t)(c << 6 | d);
		reader->at += 4;
		len += 3;
	}
	return len;
}

/* Up to the dashes that end the block. NULL, or what is wrong. */
static const char *
body_decode(struct reader *reader, uint8_t *octets, size_t room, size_t *len)
{
	bool ended = false;
	char four[4];

	*len = 0;
	for (;;) {
		uint8_t last[3];
		size_t count;

		if (!ended)
			*len += line_decode(reader, octets + *len, room - *len);
		count = take_four(reader, four);
		if (count == 0)
			return NULL;
		if (count < 4 || ended)
			return "PEM that is not base64";
		count = four_decode(four, last);
		if (count == 0)
			return "PEM that is not base64";
		if (count > room - *len)
			return "PEM that is too long";
		memcpy(octets + *len, last, count);
		*len += count;
		ended = count < 3;
	}
}

enum status
base64_from_pem(const char *text, size_t text_len, const char *label,
    uint8_t *octets, size_t room, size_t *len, const char **why)
{
	struct reader reader = {text, text + text_len};

	*why = "not PEM";
	skip_blanks(&reader);
	if (!take_boundary(&reader, "BEGIN ", label))
		return STATUS_MALFORMED;
	skip_blanks(&reader);
	*why = body_decode(&reader, octets, room, len);
	if (*why != NULL)
		return STATUS_MALFORMED;
	*why = "PEM without its end, or more behind it";
	if (!take_boundary(&reader, "END ", label))
		return STATUS_MALFORMED;
	skip_blanks(&reader);
	if (reader.at != reader.end)
		return STATUS_MALFORMED;
	*why = NULL;
	return STATUS_OK;
}
