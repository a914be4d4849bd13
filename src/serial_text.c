/* SPDX-License-Identifier: ISC */
/* The spellings of a serial number, told apart by how they begin. */
#include "crlpress/serial_text.h"

#include <string.h>

/* Two digits and a colon, two digits and a colon, two digits. */
static enum status
octets_read(
    const char *text, size_t len, struct uint160 *serial, const char **why)
{
	char hex[SERIAL_TEXT_BYTES_MOST];
	size_t n = 0;

	for (size_t i = 0; i < len; i++) {
		if ((i % 3 == 2) != (text[i] == ':') || len % 3 != 2) {
			*why = "want two hex digits between colons";
			return STATUS_MALFORMED;
		}
		if (text[i] != ':')
			hex[n++] = text[i];
	}
	return uint160_from_hex(serial, hex, n, why);
}

static enum status
hex_read(const char *text, size_t len, struct uint160 *serial, const char **why)
{
	if (memchr(text, ':', len) != NULL)
		return octets_read(text, len, serial, why);
	return uint160_from_hex(serial, text, len, why);
}

static enum status
decimal_read(
    const char *text, size_t len, struct uint160 *serial, const char **why)
{
	return uint160_from_decimal(serial, text, len, why);
}

static const struct {
	const char *prefix;
	enum status (*read)(const char *text, size_t len,
	    struct uint160 *serial, const char **why);
} spellings[] = {
    {"dec:", decimal_read},
    {"serial=", hex_read},
    {"0x", hex_read},
    {"0X", hex_read},
    {"", hex_read},
};

enum status
serial_text_read(
    const char *text, size_t len, struct uint160 *serial, const char **why)
{
	enum status status = STATUS_MALFORMED;
	struct uint160 value;
	size_t i = 0, skip;

	if (len >= SERIAL_TEXT_BYTES_MOST) {
		*why = "too long for a serial";
		return STATUS_MALFORMED;
	}
	for (;; i++) {
		skip = strlen(spellings[i].prefix);
		if (len >= skip && memcmp(text, spellings[i].prefix, skip) == 0)
			break;
	}
	status = spellings[i].read(text + skip, len - skip, &value, why);
	if (status != STATUS_OK)
		return status;
	if (uint160_is_zero(&value)) {
		*why = "zero is no serial";
		return STATUS_MALFORMED;
	}
	*serial = value;
	return STATUS_OK;
}
