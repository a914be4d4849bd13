/* SPDX-License-Identifier: ISC */
/* Reads a character; RFC 3629, 3 and 4. */
#include "crlpress/utf8.h"

/* The first octet of a character, without the bits of its code. */
struct form {
	uint8_t mask;
	uint8_t lead;
	uint32_t least; /* code that needs so many octets */
};

static const struct form forms[UTF8_MOST] = {
    {0x80, 0x00, 0},
    {0xe0, 0xc0, 0x80},
    {0xf0, 0xe0, 0x800},
    {0xf8, 0xf0, 0x10000},
};

size_t
utf8_read(const void *text, size_t room, uint32_t *code)
{
	const uint8_t *p = text;
	size_t more = 0;

	while (
	    more < UTF8_MOST && (p[0] & forms[more].mask) != forms[more].lead)
		more++;
	if (more == UTF8_MOST || more >= room)
		return 0;
	*code = p[0] & (uint8_t)~forms[more].mask;
	for (size_t i = 1; i <= more; i++) {
		if ((p[i] & 0xc0) != 0x80)
			return 0;
		*code = *code << 6 | (p[i] & 0x3f);
	}
	if (*code < forms[more].least || *code > 0x10ffff ||
	    (*code >= 0xd800 && *code <= 0xdfff))
		return 0;
	return more + 1;
}
