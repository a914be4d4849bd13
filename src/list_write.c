/* SPDX-License-Identifier: ISC */
/*
 * Writes the lines that list_read.c reads.
 */
#include "list_write.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "crlpress/manifest.h"

#include "manifest_impl.h"

/* Most manifests are smaller: 128 shards. Doubled while it is too small. */
#define TEXT_FIRST_BYTES ((size_t)64 * 1024)

enum status
list_text_fail(struct list_text *text, enum status status, const char *why)
{
	if (text->status == STATUS_OK) {
		text->status = status;
		text->why = why;
	}
	return status;
}

/* Makes room for `more` bytes and a NUL. */
static enum status
text_grow(struct list_text *text, size_t more)
{
	size_t size = text->size == 0 ? TEXT_FIRST_BYTES : text->size;
	char *data;

	if (more > MANIFEST_BYTES_MOST - text->len)
		return list_text_fail(
		    text, STATUS_MALFORMED, "manifest too large");
	while (size <= text->len + more)
		size *= 2;
	if (size == text->size)
		return STATUS_OK;
	data = realloc(text->data, size);
	if (data == NULL)
		return list_text_fail(text, STATUS_NO_MEMORY, "out of memory");
	text->data = data;
	text->size = size;
	return STATUS_OK;
}

void
list_printf(struct list_text *text, const char *format, ...)
{
	va_list args;
	int need;

	if (text->status != STATUS_OK)
		return;
	va_start(args, format);
	need = vsnprintf(NULL, 0, format, args);
	va_end(args);
	if (need < 0) {
		(void)list_text_fail(
		    text, STATUS_MALFORMED, "cannot be written as text");
		return;
	}
	if (text_grow(text, (size_t)need) != STATUS_OK)
		return;
	va_start(args, format);
	need = vsnprintf(
	    text->data + text->len, text->size - text->len, format, args);
	va_end(args);
	if (need > 0)
		text->len += (size_t)need;
}

/* A time as text; fails when it has none. */
char *
list_time(struct list_text *text, int64_t sec, char out[UTC_ISO_BYTES])
{
	if (sec < UTC_MIN_SEC || sec > UTC_MAX_SEC)
		(void)list_text_fail(
		    text, STATUS_MALFORMED, "a time without a date");
	return utc_to_iso(sec, out);
}

/* RFC 5280, 5.2.3: at most 20 octets as a DER INTEGER. */
char *
list_number(struct list_text *text, const struct uint160 *number,
    char out[UINT160_DECIMAL_BYTES])
{
	if (number->octet[0] > 0x7f)
		(void)list_text_fail(
		    text, STATUS_MALFORMED, "a number of 2^159 or more");
	return uint160_to_decimal(number, out);
}

void
list_put_word(struct list_text *text, const char *name, const char *word)
{
	const char *why = manifest_word_fault(word);

	if (why != NULL)
		(void)list_text_fail(text, STATUS_MALFORMED, why);
	else
		list_printf(text, "# %s %s\n", name, word);
}

void
list_put_hash(struct list_text *text, const char *name, const struct hash *hash)
{
	char hex[HASH_HEX_BYTES];

	list_printf(text, "# %s %s\n", name, hash_to_hex(hash, hex));
}

void
list_put_number(
    struct list_text *text, const char *name, const struct uint160 *number)
{
	char decimal[UINT160_DECIMAL_BYTES];

	list_printf(
	    text, "# %s %s\n", name, list_number(text, number, decimal));
}

void
list_put_time(struct list_text *text, const char *name, int64_t sec)
{
	char iso[UTC_ISO_BYTES];

	list_printf(text, "# %s %s\n", name, list_time(text, sec, iso));
}

void
list_put_passed(
    struct list_text *text, char *const *passed, size_t count, size_t most)
{
	if (count > most)
		(void)list_text_fail(
		    text, STATUS_MALFORMED, "too many gates passed");
	for (size_t i = 0; text->status == STATUS_OK && i < count; i++)
		list_put_word(text, "passed", passed[i]);
}

static void
format_position(struct list_text *text, const struct source_origin *origin)
{
	const char *system = origin->system_identifier;

	if (memchr(system, '\0', SOURCE_SYSTEM_BYTES) == NULL ||
	    !manifest_system_identifier_ok(system)) {
		(void)list_text_fail(
		    text, STATUS_MALFORMED, "not a system identifier");
		return;
	}
	list_printf(text, "# position %s %lu %lX/%lX\n", system,
	    (unsigned long)origin->timeline,
	    (unsigned long)(origin->wal_position >> 32),
	    (unsigned long)(origin->wal_position & 0xffffffffU));
}

static void
format_edition(struct list_text *text, const struct source_origin *origin)
{
	char number[UINT160_DECIMAL_BYTES];
	char iso[UTC_ISO_BYTES];

	if (origin->kind == SOURCE_DATABASE)
		(void)list_text_fail(
		    text, STATUS_MALFORMED, "an edition of a database");
	list_printf(text, "# edition %s %s %s\n",
	    source_kind_name(origin->kind),
	    list_number(text, &origin->edition.number, number),
	    list_time(text, origin->edition.sec, iso));
}

void
list_put_origin(struct list_text *text, const struct source_origin *origin)
{
	if (origin->has_position)
		format_position(text, origin);
	if (origin->has_edition && origin->has_position)
		(void)list_text_fail(
		    text, STATUS_MALFORMED, "an edition beside a position");
	if (origin->has_edition)
		format_edition(text, origin);
}

void
list_put_sharding(struct list_text *text, const struct shard_placing *placing)
{
	char words[SHARD_PLACING_BYTES];
	const char *why = NULL;

	if (!placing->is_known)
		return;
	why = shard_placing_fault(placing);
	if (why != NULL)
		(void)list_text_fail(text, STATUS_MALFORMED, why);
	else
		list_printf(text, "# sharding %s\n",
		    shard_placing_text(placing, words));
}

enum status
list_finish(struct list_text *text, char **out, size_t *len, const char **why)
{
	if (text->status == STATUS_OK)
		list_printf(text, "# end %lu %zu\n",
		    (unsigned long)manifest_cksum(text->data, text->len),
		    text->len);
	if (text->status != STATUS_OK) {
		*why = text->why;
		free(text->data);
		return text->status;
	}
	*out = text->data;
	*len = text->len;
	return STATUS_OK;
}
