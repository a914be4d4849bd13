/* SPDX-License-Identifier: ISC */
/*
 * index_next on any bytes. Whatever it takes has times that a CRL can have and
 * a reason that there is; each entry comes of its line alone; and a text that
 * is taken whole is not when its last octet is missing.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "crlpress/index_read.h"
#include "crlpress/reason.h"
#include "crlpress/utc.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check_entry(const struct index_entry *entry)
{
	if (entry->not_after_sec < UTC_MIN_SEC ||
	    entry->not_after_sec > UTC_MAX_SEC || entry->serial.octet[0] > 0x7f)
		abort();
	if (!entry->is_revoked && (entry->state == 'R' || entry->reason != 0))
		abort();
	if (!entry->is_revoked)
		return;
	if (entry->state == 'V' || entry->revoked_at_sec < UTC_MIN_SEC ||
	    entry->revoked_at_sec > UTC_MAX_SEC ||
	    strcmp(reason_name(entry->reason), "unknown") == 0)
		abort();
}

/* Reads on to the end, and says how it ended. */
static enum status
read_all(const char *text, size_t len)
{
	struct index_reader reader = {.text = text, .len = len};
	struct index_entry entry;
	const char *why = NULL;
	enum status status;
	size_t at;

	for (;;) {
		at = reader.at;
		status = index_next(&reader, &entry, &why);
		if (status != STATUS_OK)
			break;
		if (reader.at <= at || reader.at > len || reader.line == 0)
			abort();
		check_entry(&entry);
	}
	if (status == STATUS_MALFORMED && why == NULL)
		abort();
	if (status == STATUS_DONE && reader.at != len)
		abort();
	return status;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *text = (const char *)data;

	if (read_all(text, size) == STATUS_DONE && size > 0 &&
	    read_all(text, size - 1) == STATUS_DONE)
		abort();
	return 0;
}
