/* SPDX-License-Identifier: ISC */
/*
 * The rules of manifests and the writing of one. docs/manifest.md defines the
 * format; manifest_parse.c reads it. What is written here is refused when it
 * could not be read back, so that a run never leaves a manifest behind that
 * the next run stumbles over.
 */
#include "crlpress/manifest.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "crlpress/uint160.h"
#include "crlpress/utc.h"

#include "list_write.h"
#include "manifest_impl.h"

/* The longest value `expiring`, with what stands before it. */
#define EXPIRING_BYTES (sizeof(MANIFEST_EXPIRING) + EXPIRING_TEXT_BYTES)

/* One shard to be compared with the others. */
struct twin_row {
	const char *text;
	size_t at; /* in the manifest's array */
};

/*
 * IEEE 1003.1, cksum: polynomial 0x04C11DB7, most significant bit first, the
 * length behind the data; a row is the remainder of four bits.
 */
static const uint32_t cksum_nibble[16] = {
    0x00000000,
    0x04c11db7,
    0x09823b6e,
    0x0d4326d9,
    0x130476dc,
    0x17c56b6b,
    0x1a864db2,
    0x1e475005,
    0x2608edb8,
    0x22c9f00f,
    0x2f8ad6d6,
    0x2b4bcb61,
    0x350c9b64,
    0x31cd86d3,
    0x3c8ea00a,
    0x384fbdbd,
};

static uint32_t
cksum_octet(uint32_t crc, uint8_t octet)
{
	crc = (crc << 4) ^ cksum_nibble[(crc >> 28) ^ (octet >> 4)];
	return (crc << 4) ^ cksum_nibble[(crc >> 28) ^ (octet & 15)];
}

uint32_t
manifest_cksum(const char *data, size_t len)
{
	uint32_t crc = 0;

	for (size_t i = 0; i < len; i++)
		crc = cksum_octet(crc, (uint8_t)data[i]);
	for (size_t left = len; left > 0; left >>= 8)
		crc = cksum_octet(crc, (uint8_t)(left & 0xff));
	return ~crc;
}

bool
manifest_rows_agree(const struct manifest_rows *rows)
{
	const uint64_t part[] = {rows->listed, rows->duplicate, rows->expired,
	    rows->gone, rows->deferred, rows->withheld};
	uint64_t left = rows->read;

	for (size_t i = 0; i < sizeof(part) / sizeof(part[0]); i++) {
		if (part[i] > left)
			return false;
		left -= part[i];
	}
	return left == 0;
}

bool
manifest_leaving_ok(const struct manifest_shard *shard)
{
	return !shard->has_leaving || shard->leaving <= shard->entries;
}

bool
manifest_expiring_ok(const struct manifest_shard *shard)
{
	const uint64_t *by = shard->expiring.by;

	if (!shard->has_expiring)
		return true;
	for (size_t step = 1; step < EXPIRING_STEPS; step++)
		if (by[step] < by[step - 1])
			return false;
	return shard->has_leaving && shard->leaving <= by[0] &&
	       by[EXPIRING_STEPS - 1] <= shard->entries;
}

bool
manifest_system_identifier_ok(const char *text)
{
	static const char most[] = "18446744073709551615";
	size_t len = strlen(text);

	if (len == 0 || len != strspn(text, "0123456789") ||
	    (text[0] == '0' && len > 1))
		return false;
	return len < sizeof(most) - 1 ||
	       (len == sizeof(most) - 1 && strcmp(text, most) <= 0);
}

static int
twin_compare(const void *a, const void *b)
{
	const struct twin_row *x = a;
	const struct twin_row *y = b;
	int order = strcmp(x->text, y->text);

	if (order != 0)
		return order;
	return x->at < y->at ? -1 : x->at > y->at;
}

enum status
manifest_twin(const struct manifest *manifest, bool urls, size_t *twin)
{
	size_t count = manifest->shard_count;
	struct twin_row *rows;

	*twin = count;
	if (count < 2)
		return STATUS_OK;
	rows = calloc(count, sizeof(*rows));
	if (rows == NULL)
		return STATUS_NO_MEMORY;
	for (size_t i = 0; i < count; i++) {
		const struct manifest_shard *shard = &manifest->shard[i];

		rows[i].text = urls ? shard->url : shard->key;
		rows[i].at = i;
	}
	qsort(rows, count, sizeof(*rows), twin_compare);
	for (size_t i = 1; i < count; i++)
		if (strcmp(rows[i - 1].text, rows[i].text) == 0 &&
		    rows[i].at < *twin)
			*twin = rows[i].at;
	free(rows);
	return STATUS_OK;
}

static void
format_rows(struct list_text *text, const struct manifest_rows *rows)
{
	if (!manifest_rows_agree(rows))
		(void)list_text_fail(text, STATUS_MALFORMED,
		    "rows that do not add up to the rows read");
	list_printf(text,
	    "# rows read=%llu listed=%llu duplicate=%llu expired=%llu "
	    "gone=%llu deferred=%llu withheld=%llu\n",
	    (unsigned long long)rows->read, (unsigned long long)rows->listed,
	    (unsigned long long)rows->duplicate,
	    (unsigned long long)rows->expired, (unsigned long long)rows->gone,
	    (unsigned long long)rows->deferred,
	    (unsigned long long)rows->withheld);
}

/* The fields of the run, in their order. */
static void
format_head(struct list_text *text, const struct manifest *manifest)
{
	list_printf(text, "# crlpress-manifest %d\n", MANIFEST_FORMAT);
	list_put_word(text, "issuer", manifest->issuer);
	if (manifest->next_update_sec <= manifest->this_update_sec)
		(void)list_text_fail(text, STATUS_MALFORMED,
		    "a nextUpdate that is not after thisUpdate");
	list_put_hash(text, "issuer-sha256", &manifest->issuer_sha256);
	list_put_time(text, "this-update", manifest->this_update_sec);
	list_put_time(text, "next-update", manifest->next_update_sec);
	list_put_number(text, "number", &manifest->number);
	list_put_origin(text, &manifest->origin);
	format_rows(text, &manifest->rows);
	list_put_passed(text, manifest->passed, manifest->passed_count,
	    MANIFEST_PASSED_MOST);
	if (manifest->has_replaced)
		list_put_time(text, "replaced", manifest->replaced_sec);
	list_put_sharding(text, &manifest->placing);
	if (manifest->shard_count > SHARD_COUNT_MOST)
		(void)list_text_fail(text, STATUS_MALFORMED, "too many shards");
	list_printf(text, "# shards %zu\n", manifest->shard_count);
}

static const char *
text_leaving(const struct manifest_shard *shard, char out[MANIFEST_COUNT_BYTES])
{
	if (!shard->has_leaving)
		return MANIFEST_UNKNOWN;
	snprintf(out, MANIFEST_COUNT_BYTES, "%llu",
	    (unsigned long long)shard->leaving);
	return out;
}

/* The one value that may be missing. */
static const char *
text_expiring(const struct manifest_shard *shard, char out[EXPIRING_BYTES])
{
	char counts[EXPIRING_TEXT_BYTES];

	if (!shard->has_expiring)
		return "";
	snprintf(out, EXPIRING_BYTES, MANIFEST_EXPIRING "%s",
	    expiring_to_text(&shard->expiring, counts));
	return out;
}

static const char *
text_settled(struct list_text *text, const struct manifest_shard *shard,
    char out[UTC_ISO_BYTES])
{
	if (!shard->has_settled)
		return MANIFEST_UNKNOWN;
	return list_time(text, shard->settled_sec, out);
}

/* One shard: its line, and the line that sha256sum(1) reads. */
static void
format_shard(struct list_text *text, const struct manifest_shard *shard)
{
	const char *why = manifest_word_fault(shard->url);
	char hex[HASH_HEX_BYTES];
	char number[UINT160_DECIMAL_BYTES];
	char this_update[UTC_ISO_BYTES];
	char next_update[UTC_ISO_BYTES];
	char leaving[MANIFEST_COUNT_BYTES];
	char expiring[EXPIRING_BYTES];
	char settled[UTC_ISO_BYTES];

	if (why == NULL)
		why = manifest_key_fault(shard->key);
	if (why == NULL && !manifest_leaving_ok(shard))
		why = "more entries that may leave than there are";
	if (why == NULL && !manifest_expiring_ok(shard))
		why = MANIFEST_EXPIRING_FAULT;
	if (why != NULL) {
		(void)list_text_fail(text, STATUS_MALFORMED, why);
		return;
	}
	list_printf(text,
	    "# shard %lu number=%s this-update=%s next-update=%s entries=%llu "
	    "added=%llu removed=%llu leaving=%s%s settled=%s size=%llu "
	    "state=%s url=%s\n",
	    (unsigned long)shard->index,
	    list_number(text, &shard->number, number),
	    list_time(text, shard->this_update_sec, this_update),
	    list_time(text, shard->next_update_sec, next_update),
	    (unsigned long long)shard->entries,
	    (unsigned long long)shard->added,
	    (unsigned long long)shard->removed, text_leaving(shard, leaving),
	    text_expiring(shard, expiring), text_settled(text, shard, settled),
	    (unsigned long long)shard->size,
	    shard->withheld ? "withheld" : "published", shard->url);
	list_printf(
	    text, "%s  %s\n", hash_to_hex(&shard->sha256, hex), shard->key);
}

/* No key and no URL twice; the texts have been looked at. */
static void
format_twins(struct list_text *text, const struct manifest *manifest)
{
	for (int urls = 0; urls < 2 && text->status == STATUS_OK; urls++) {
		size_t twin;

		if (manifest_twin(manifest, urls != 0, &twin) != STATUS_OK)
			(void)list_text_fail(
			    text, STATUS_NO_MEMORY, "out of memory");
		else if (twin < manifest->shard_count)
			(void)list_text_fail(text, STATUS_MALFORMED,
			    urls ? "a URL that two shards have"
				 : "a key that two shards have");
	}
}

const char *
manifest_word_fault(const char *text)
{
	if (text == NULL || text[0] == '\0')
		return "an empty word";
	if (strnlen(text, SHARD_NAME_BYTES) == SHARD_NAME_BYTES)
		return "a word of more than 1024 bytes";
	for (const char *c = text; *c != '\0'; c++) {
		if (*c <= ' ' || *c > '~')
			return "a blank, a control character or a byte that is "
			       "not ASCII";
		/* sha256sum(1) takes a line with one for an escaped name. */
		if (*c == '\\')
			return "a backslash";
	}
	return NULL;
}

const char *
manifest_key_fault(const char *key)
{
	const char *why = manifest_word_fault(key);

	if (why != NULL)
		return why;
	for (const char *part = key;;) {
		size_t len = strcspn(part, "/");

		if (len == 0)
			return part == key
				   ? "a key that begins with a slash"
				   : "a key with an empty path component";
		if ((len == 1 && part[0] == '.') ||
		    (len == 2 && part[0] == '.' && part[1] == '.'))
			return "a key with the path component . or ..";
		if (part[len] == '\0')
			return NULL;
		part += len + 1;
	}
}

enum status
manifest_format(
    const struct manifest *manifest, char **out, size_t *len, const char **why)
{
	struct list_text text = {.status = STATUS_OK};

	*out = NULL;
	*len = 0;
	format_head(&text, manifest);
	for (size_t i = 0;
	     text.status == STATUS_OK && i < manifest->shard_count; i++) {
		if (i > 0 &&
		    manifest->shard[i].index <= manifest->shard[i - 1].index)
			(void)list_text_fail(
			    &text, STATUS_MALFORMED, LIST_ORDER_FAULT);
		format_shard(&text, &manifest->shard[i]);
	}
	if (text.status == STATUS_OK)
		format_twins(&text, manifest);
	return list_finish(&text, out, len, why);
}

const struct manifest_shard *
manifest_find(const struct manifest *manifest, uint32_t index)
{
	_Static_assert(
	    offsetof(struct manifest_shard, index) == 0, "list_find");

	return list_find(manifest->shard, manifest->shard_count,
	    sizeof(*manifest->shard), index);
}

void
manifest_free(struct manifest *manifest)
{
	if (manifest == NULL)
		return;
	free(manifest->issuer);
	for (size_t i = 0; i < manifest->passed_count; i++)
		free(manifest->passed[i]);
	free(manifest->passed);
	for (size_t i = 0; i < manifest->shard_count; i++) {
		free(manifest->shard[i].url);
		free(manifest->shard[i].key);
	}
	free(manifest->shard);
	memset(manifest, 0, sizeof(*manifest));
}
