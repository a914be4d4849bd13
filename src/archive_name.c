/* SPDX-License-Identifier: ISC */
/* Names in the archive, made and read back. Pure; no library. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "crlpress/archive.h"
#include "crlpress/hex.h"
#include "crlpress/utc.h"

#define CRLS "crls/"
#define SETS "sets/"

/* "20261122T050949Z" */
#define STAMP_LEN ((size_t)16)

/* In the way that names sort by time. */
static void
stamp_make(int64_t sec, char out[STAMP_LEN + 1])
{
	char iso[UTC_ISO_BYTES];
	char *to = out;

	(void)utc_to_iso(sec, iso);
	for (const char *c = iso; *c != '\0' && to < out + STAMP_LEN; c++)
		if (*c != '-' && *c != ':')
			*to++ = *c;
	*to = '\0';
}

static enum status
stamp_read(const char *text, int64_t *sec)
{
	char again[STAMP_LEN + 1];
	char iso[UTC_ISO_BYTES];

	if (strnlen(text, STAMP_LEN) < STAMP_LEN)
		return STATUS_MALFORMED;
	(void)snprintf(iso, sizeof(iso), "%.4s-%.2s-%.2sT%.2s:%.2s:%.2sZ", text,
	    text + 4, text + 6, text + 9, text + 11, text + 13);
	if (utc_from_iso(iso, sec) != STATUS_OK)
		return STATUS_MALFORMED;
	stamp_make(*sec, again);
	return memcmp(again, text, STAMP_LEN) == 0 ? STATUS_OK
						   : STATUS_MALFORMED;
}

static void
name_write(struct archive_set *set)
{
	char stamp[STAMP_LEN + 1];
	char number[UINT160_DECIMAL_BYTES];
	int len;

	stamp_make(set->published_sec, stamp);
	len = snprintf(set->name, sizeof(set->name), "%s-%s-", stamp,
	    uint160_to_decimal(&set->number, number));
	for (size_t i = 0; i < ARCHIVE_HASH_BYTES; i++, len += 2)
		(void)snprintf(set->name + len, sizeof(set->name) - (size_t)len,
		    "%02x", set->hash[i]);
}

struct archive_set
archive_set_make(int64_t published_sec, const struct uint160 *number,
    const struct hash *manifest)
{
	struct archive_set set = {
	    .published_sec = published_sec, .number = *number};

	memcpy(set.hash, manifest->octet, sizeof(set.hash));
	name_write(&set);
	return set;
}

enum status
archive_set_read(const char *name, struct archive_set *set)
{
	char number[UINT160_DECIMAL_BYTES];
	struct archive_set read = {.name = ""};
	const char *why = NULL;
	const char *text = name;
	size_t len;

	if (stamp_read(text, &read.published_sec) != STATUS_OK ||
	    text[STAMP_LEN] != '-')
		return STATUS_MALFORMED;
	text += STAMP_LEN + 1;
	len = strcspn(text, "-");
	if (len >= sizeof(number) || text[len] != '-')
		return STATUS_MALFORMED;
	memcpy(number, text, len);
	number[len] = '\0';
	if (uint160_from_decimal(&read.number, number, len, &why) != STATUS_OK)
		return STATUS_MALFORMED;
	text += len + 1;
	if (strlen(text) != (size_t)2 * ARCHIVE_HASH_BYTES)
		return STATUS_MALFORMED;
	for (size_t i = 0; i < ARCHIVE_HASH_BYTES; i++) {
		int high = hex_digit(text[2 * i]);
		int low = hex_digit(text[2 * i + 1]);

		if (high < 0 || low < 0)
			return STATUS_MALFORMED;
		read.hash[i] = (uint8_t)(high << 4 | low);
	}
	/* One way to write each: upper case or a leading zero is no name. */
	name_write(&read);
	if (strcmp(read.name, name) != 0)
		return STATUS_MALFORMED;
	*set = read;
	return STATUS_OK;
}

int
archive_set_compare(const struct archive_set *a, const struct archive_set *b)
{
	int order;

	if (a->published_sec != b->published_sec)
		return a->published_sec < b->published_sec ? -1 : 1;
	order = uint160_compare(&a->number, &b->number);
	return order != 0 ? order : strcmp(a->name, b->name);
}

void
archive_crl_place(const char *issuer, int64_t this_update_sec,
    const struct uint160 *number, char out[ARCHIVE_KEY_BYTES])
{
	char decimal[UINT160_DECIMAL_BYTES];
	char stamp[STAMP_LEN + 1];

	stamp_make(this_update_sec, stamp);
	(void)snprintf(out, ARCHIVE_KEY_BYTES, "%s/" CRLS "%s-%s/", issuer,
	    stamp, uint160_to_decimal(number, decimal));
}

enum status
archive_crl_key(const char *issuer, int64_t this_update_sec,
    const struct uint160 *number, const char *key, char out[ARCHIVE_KEY_BYTES])
{
	size_t len;
	int rest;

	archive_crl_place(issuer, this_update_sec, number, out);
	len = strlen(out);
	rest = snprintf(out + len, ARCHIVE_KEY_BYTES - len, "%s.gz", key);
	return rest >= 0 && (size_t)rest < ARCHIVE_KEY_BYTES - len
		   ? STATUS_OK
		   : STATUS_MALFORMED;
}

void
archive_crls_place(const char *issuer, char out[ARCHIVE_KEY_BYTES])
{
	(void)snprintf(out, ARCHIVE_KEY_BYTES, "%s/" CRLS, issuer);
}

void
archive_sets_place(const char *issuer, char out[ARCHIVE_KEY_BYTES])
{
	(void)snprintf(out, ARCHIVE_KEY_BYTES, "%s/" SETS, issuer);
}

void
archive_set_key(const char *issuer, const struct archive_set *set,
    char out[ARCHIVE_KEY_BYTES])
{
	(void)snprintf(
	    out, ARCHIVE_KEY_BYTES, "%s/" SETS "%s.txt.gz", issuer, set->name);
}

bool
archive_crl_time(const char *issuer, const char *key, int64_t *this_update_sec)
{
	char place[ARCHIVE_KEY_BYTES];
	size_t len;

	archive_crls_place(issuer, place);
	len = strlen(place);
	return strncmp(key, place, len) == 0 &&
	       stamp_read(key + len, this_update_sec) == STATUS_OK &&
	       key[len + STAMP_LEN] == '-';
}
