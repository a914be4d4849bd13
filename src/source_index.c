/* SPDX-License-Identifier: ISC */
/*
 * index.txt of `openssl ca` as a source. It knows every certificate, so that
 * what it says of one must be said once: a serial that stands there twice
 * could be revoked and valid. It grows and is rewritten whole: an index that
 * has fewer certificates than before, or an older last revocation, is an old
 * copy.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "crlpress/utc.h"
#include "source_file.h"

#define RULE "source"

/* More lines than this are no index of a tool that reads all into memory. */
#define INDEX_LINES_MOST UINT32_MAX

/* Whose is which line. */
struct place {
	struct uint160 serial;
	uint32_t line;
};

struct places {
	struct place *place;
	size_t count;
	size_t room;
};

static int
place_compare(const void *a, const void *b)
{
	const struct place *x = a, *y = b;
	int order = uint160_compare(&x->serial, &y->serial);

	return order != 0 ? order : (x->line > y->line) - (x->line < y->line);
}

/* A line has at least 13 + 2 + 5 octets, so that this cannot overflow. */
static enum status
places_add(struct source_file *file, struct places *places,
    const struct uint160 *serial, size_t line)
{
	struct place *grown;
	size_t room = places->room == 0 ? 1024 : places->room * 2;

	if (line > INDEX_LINES_MOST)
		return report_fault(file->report, STATUS_REFUSED, file->place,
		    RULE, "house rule", "more than 2^32 lines");
	if (places->count == places->room) {
		grown = reallocarray(places->place, room, sizeof(*grown));
		if (grown == NULL)
			return report_fault(file->report, STATUS_NO_MEMORY,
			    file->place, RULE, NULL,
			    "out of memory after %zu lines", line);
		places->place = grown;
		places->room = room;
	}
	places->place[places->count].serial = *serial;
	places->place[places->count++].line = (uint32_t)line;
	return STATUS_OK;
}

static enum status
places_judge(struct source_file *file, struct places *places)
{
	char serial[UINT160_HEX_BYTES];

	if (places->count == 0)
		return STATUS_OK;
	qsort(places->place, places->count, sizeof(*places->place),
	    place_compare);
	for (size_t i = 1; i < places->count; i++) {
		const struct place *one = &places->place[i - 1];
		const struct place *other = &places->place[i];

		if (uint160_compare(&one->serial, &other->serial) == 0)
			return report_fault(file->report, STATUS_REFUSED,
			    file->place, RULE, "RFC 5280, 4.1.2.2",
			    "serial %s stands in two lines, %" PRIu32
			    " and %" PRIu32,
			    uint160_to_hex(&one->serial, serial), one->line,
			    other->line);
	}
	return STATUS_OK;
}

static void
note_entry(struct source_file *file, const struct index_entry *entry,
    uint64_t *invalidity)
{
	struct source_edition *edition = &file->source.snapshot.edition;
	int64_t latest_sec = file->source.config.latest_sec;

	if (!entry->is_revoked)
		return;
	*invalidity += entry->has_invalidity_date;
	/* A mistake, which its shard is withheld for: once it is mended, the
	 * index has not gone back. */
	if (latest_sec != 0 && entry->revoked_at_sec > latest_sec)
		return;
	if (entry->revoked_at_sec > edition->sec)
		edition->sec = entry->revoked_at_sec;
}

static void
index_rewind(struct source_file *file)
{
	file->reader = (struct index_reader){
	    .text = (const char *)file->bytes,
	    .len = file->len,
	};
}

static enum status
index_check(struct source_file *file)
{
	struct places places = {.count = 0};
	struct index_entry entry;
	const char *why = NULL;
	uint64_t invalidity = 0;
	enum status status;

	index_rewind(file);
	while (
	    (status = index_next(&file->reader, &entry, &why)) == STATUS_OK) {
		status =
		    places_add(file, &places, &entry.serial, file->reader.line);
		if (status != STATUS_OK)
			goto out;
		note_entry(file, &entry, &invalidity);
	}
	if (status == STATUS_DONE)
		status = places_judge(file, &places);
	else
		status = report_fault(file->report, STATUS_REFUSED, file->place,
		    RULE, "openssl-ca(1)", "line %zu: %s", file->reader.line,
		    why);
	if (status == STATUS_OK && invalidity > 0)
		report_note(file->report, file->place,
		    "%" PRIu64 " revocations have an invalidity date, which is "
		    "left out: revocationDate alone is published",
		    invalidity);
	file->source.snapshot.edition.number = uint160_from_u64(places.count);
out:
	free(places.place);
	return status;
}

/* As databases are asked: what expired too long ago is of no use. */
static enum status
index_row(struct source_file *file, struct source_row *row)
{
	struct index_entry entry;
	const char *why = NULL;
	enum status status;

	do {
		status = index_next(&file->reader, &entry, &why);
		if (status != STATUS_OK)
			return status;
	} while (!entry.is_revoked || entry.not_after_sec < file->lookback_sec);
	*row = source_file_row(&entry.serial, entry.revoked_at_sec,
	    entry.reason, entry.not_after_sec);
	return STATUS_OK;
}

const struct source_format source_index = {
    .check = index_check,
    .rewind = index_rewind,
    .next = index_row,
};
