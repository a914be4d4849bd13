/* SPDX-License-Identifier: ISC */
/*
 * The entries of the published CRL as rows, in order of serial. Ours are
 * sorted and are read once, as they come; a CRL that somebody else made may
 * not be: that is found out on the way, and all of it is read again, looked
 * through first, and sorted where need be.
 */
#include "gate_impl.h"

#include <stdlib.h>

#include "crlpress/utc.h"

/* Where one entry cannot be read, nobody knows where the next one begins. */
static enum status
refuse_damage(const struct gate_listed *listed, const struct gate_place *place,
    const struct crl_fault *fault)
{
	return gate_refuse(place, GATE_PREVIOUS,
	    "published CRL, offset %zu: %s: only the %zu entries before it can "
	    "be compared, and none behind it",
	    fault->offset, fault->text, listed->read);
}

static enum status
refuse_range(const struct gate_place *place, size_t offset)
{
	return gate_refuse(place, GATE_PREVIOUS,
	    "published CRL, offset %zu: serial out of range", offset);
}

/* RFC 5280, 5.3.1: no reason means 0. Filled where it stays: see row.c. */
static void
listed_set(struct gate_listed *listed, const struct crl_entry *entry)
{
	row_fill(&listed->entry, &entry->serial, entry->revoked_at.sec,
	    (uint8_t)(entry->reason < 0 ? 0 : entry->reason), UTC_MIN_SEC);
}

/*
 * One entry of the CRL as a row. What cannot be read closes GATE_PREVIOUS; let
 * pass, it is left out.
 */
static enum status
listed_read(struct gate_listed *listed, const struct gate_place *place)
{
	struct crl_fault fault = {0};
	struct crl_entry entry;
	enum status status;

	for (;;) {
		status = crl_entry_read(
		    listed->crl, &listed->position, &entry, &fault);
		if (status == STATUS_DONE)
			return STATUS_DONE;
		if (status != STATUS_OK) {
			status = refuse_damage(listed, place, &fault);
			listed->is_partial = true;
			return status == STATUS_OK ? STATUS_DONE : status;
		}
		listed->read++;
		if (entry.serial_in_range)
			break;
		status = refuse_range(place, entry.offset);
		if (status != STATUS_OK)
			return status;
	}
	listed_set(listed, &entry);
	return STATUS_OK;
}

/* The next entry of what is read as it comes; it ends where that is odd. */
static enum status
listed_read_plain(struct gate_listed *listed)
{
	struct crl_fault fault = {0};
	struct crl_entry entry;
	enum status status;

	status = crl_entry_read(listed->crl, &listed->position, &entry, &fault);
	if (status == STATUS_DONE)
		return STATUS_DONE;
	listed->is_odd =
	    status != STATUS_OK || !entry.serial_in_range ||
	    uint160_compare(&entry.serial, &listed->entry.serial) < 0;
	if (listed->is_odd)
		return STATUS_DONE;
	listed_set(listed, &entry);
	return STATUS_OK;
}

static enum status
listed_read_any(struct gate_listed *listed, const struct gate_place *place)
{
	if (listed->as_it_comes)
		return listed_read_plain(listed);
	if (listed->sorted == NULL)
		return listed_read(listed, place);
	if (listed->sorted_next == listed->sorted_count)
		return STATUS_DONE;
	listed->entry = listed->sorted[listed->sorted_next++];
	return STATUS_OK;
}

/* Copies and sorts the entries of a CRL that is not sorted. */
static enum status
listed_sort(struct gate_listed *listed, const struct gate_place *place)
{
	/* The smallest entry DER can express is 20 octets. */
	size_t room = listed->crl->entries.len / 20 + 1;
	struct row *rows = calloc(room * 2, sizeof(*rows));
	enum status status;
	size_t n = 0;

	if (rows == NULL)
		return report_fault(place->report, STATUS_NO_MEMORY,
		    place->object, NULL, NULL, "out of memory");
	listed->position = 0;
	while ((status = listed_read(listed, place)) == STATUS_OK && n < room)
		rows[n++] = listed->entry;
	if (status != STATUS_DONE) {
		free(rows);
		return status == STATUS_OK ? STATUS_REFUSED : status;
	}
	row_sort(rows, rows + room, n);
	listed->sorted = rows;
	listed->sorted_count = n;
	return STATUS_OK;
}

static bool
listed_is_sorted(const struct crl *crl)
{
	struct crl_fault fault = {0};
	struct crl_entry entry;
	struct uint160 last = {{0}};
	size_t position = 0;

	while (crl_entry_read(crl, &position, &entry, &fault) == STATUS_OK) {
		/* One that is let pass says nothing of the order. */
		if (!entry.serial_in_range)
			continue;
		if (uint160_compare(&entry.serial, &last) < 0)
			return false;
		last = entry.serial;
	}
	return true;
}

enum status
gate_listed_next(struct gate_listed *listed, const struct gate_place *place)
{
	enum status status;
	struct uint160 last = listed->entry.serial;

	do
		status = listed_read_any(listed, place);
	while (status == STATUS_OK && listed->has_entry &&
	       uint160_compare(&listed->entry.serial, &last) == 0);
	listed->has_entry = status == STATUS_OK;
	return status == STATUS_DONE ? STATUS_OK : status;
}

enum status
gate_listed_open(struct gate_listed *listed, const struct gate_place *place)
{
	enum status status = STATUS_OK;

	if (!listed->as_it_comes && !listed_is_sorted(listed->crl))
		status = listed_sort(listed, place);
	return status == STATUS_OK ? gate_listed_next(listed, place) : status;
}

void
gate_listed_free(struct gate_listed *listed)
{
	free(listed->sorted);
	listed->sorted = NULL;
}
