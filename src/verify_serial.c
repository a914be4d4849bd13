/* SPDX-License-Identifier: ISC */
/* Which shard lists a serial, since when, and why. */
#include <inttypes.h>

#include "crlpress/utc.h"
#include "verify_impl.h"

static const char *const reasons[] = {
    [0] = "unspecified",
    [1] = "keyCompromise",
    [2] = "cACompromise",
    [3] = "affiliationChanged",
    [4] = "superseded",
    [5] = "cessationOfOperation",
    [6] = "certificateHold",
    [8] = "removeFromCRL",
    [9] = "privilegeWithdrawn",
    [10] = "aACompromise",
};

static const char *
reason_name(int reason)
{
	size_t at = reason < 0 ? 0 : (size_t)reason;

	if (at >= sizeof(reasons) / sizeof(reasons[0]) || reasons[at] == NULL)
		return "unknown";
	return reasons[at];
}

/* The entry of a serial in a CRL; false when there is none. */
static bool
find_entry(const struct crl *crl, const struct uint160 *serial,
    struct crl_entry *entry)
{
	struct crl_fault fault = {0};
	size_t position = 0;

	while (crl_entry_read(crl, &position, entry, &fault) == STATUS_OK)
		if (entry->serial_in_range &&
		    uint160_compare(&entry->serial, serial) == 0)
			return true;
	return false;
}

static bool
ask_file(struct verify *verify, const struct verify_file *file,
    const struct uint160 *serial, FILE *stream)
{
	char hex[UINT160_HEX_BYTES], date[UTC_ISO_BYTES], at[UTC_ISO_BYTES];
	struct verify_bytes bytes = {0};
	struct crl_fault fault = {0};
	struct crl_entry entry;
	bool found = false;
	struct crl crl;

	if (verify_bytes_open(file->path, verify->report, &bytes) ==
		STATUS_OK &&
	    crl_parse(bytes.data, bytes.len, &crl, &fault) == STATUS_OK)
		found = find_entry(&crl, serial, &entry);
	if (found)
		fprintf(stream,
		    "%s: listed in %s (%s), revoked %s, reason %s, as of %s\n",
		    uint160_to_hex(serial, hex), file->path,
		    file->url != NULL ? file->url : "no URL",
		    utc_to_iso(entry.revoked_at.sec, date),
		    reason_name(entry.reason),
		    utc_to_iso(file->this_update_sec, at));
	verify_bytes_close(&bytes);
	return found;
}

/* Only this scheme tells the shard by the serial alone. */
static void
tell_home(
    const struct verify *verify, const struct uint160 *serial, FILE *stream)
{
	for (size_t i = 0; i < verify->config_count; i++) {
		const struct config *config = verify->config[i];
		struct shard_hint hint = {0};
		const char *why = NULL;
		uint32_t index = 0;

		if (config->shards.scheme == SHARD_SERIAL_MOD &&
		    shard_of(&config->shards, serial, 0, &hint, &index, &why) ==
			STATUS_OK)
			fprintf(stream,
			    "  of %s it would stand in shard %" PRIu32 "\n",
			    config->name, index);
	}
}

enum status
verify_ask(struct verify *verify, const struct uint160 *serial, FILE *stream)
{
	char hex[UINT160_HEX_BYTES];
	bool found = false;

	for (size_t i = 0; i < verify->file_count; i++)
		if (verify->file[i].parsed)
			found |=
			    ask_file(verify, &verify->file[i], serial, stream);
	if (found)
		return STATUS_OK;
	fprintf(stream, "%s: not listed in any of %zu CRLs\n",
	    uint160_to_hex(serial, hex), verify->file_count);
	tell_home(verify, serial, stream);
	return STATUS_NOT_FOUND;
}
