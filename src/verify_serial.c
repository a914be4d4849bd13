/* SPDX-License-Identifier: ISC */
/* Which shard lists a serial, since when, and why. */
#include <inttypes.h>

#include "crlpress/reason.h"
#include "crlpress/utc.h"
#include "verify_impl.h"

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
    const struct uint160 *serial, struct crl_entry *entry)
{
	struct crl crl;

	return file->parsed &&
	       verify_crl_again(file, verify->report, verify->bytes, &crl) ==
		   STATUS_OK &&
	       find_entry(&crl, serial, entry);
}

/* Only this scheme tells the shard by the serial alone. */
static bool
find_home(
    const struct config *config, const struct uint160 *serial, uint32_t *index)
{
	struct shard_hint hint = {0};
	const char *why = NULL;

	return config->shards.scheme == SHARD_SERIAL_MOD &&
	       shard_of(&config->shards, serial, 0, &hint, index, &why) ==
		   STATUS_OK;
}

static void
tell_entry(const struct verify_file *file, const struct uint160 *serial,
    const struct crl_entry *entry, FILE *stream)
{
	char hex[UINT160_HEX_BYTES], date[UTC_ISO_BYTES];

	fprintf(stream, "%s: listed in ", uint160_to_hex(serial, hex));
	verify_print_text(file->path, stream);
	fputs(" (", stream);
	verify_print_text(file->url != NULL ? file->url : "no URL", stream);
	fprintf(stream, "), revoked %s, reason %s, ",
	    utc_to_iso(entry->revoked_at.sec, date),
	    reason_name(entry->reason));
	fprintf(stream, "as of %s\n", utc_to_iso(file->this_update_sec, date));
}

enum status
verify_ask(struct verify *verify, const struct uint160 *serial, FILE *stream)
{
	enum status status = STATUS_NOT_FOUND;
	char hex[UINT160_HEX_BYTES];
	struct crl_entry entry;
	uint32_t index = 0;

	for (size_t i = 0; i < verify->file_count; i++) {
		if (!ask_file(verify, &verify->file[i], serial, &entry))
			continue;
		tell_entry(&verify->file[i], serial, &entry, stream);
		status = STATUS_OK;
	}
	if (status == STATUS_OK)
		return status;
	fprintf(stream, "%s: not listed in any of %zu CRLs\n",
	    uint160_to_hex(serial, hex), verify->file_count);
	for (size_t i = 0; i < verify->config_count; i++)
		if (find_home(verify->config[i], serial, &index))
			fprintf(stream,
			    "  of %s it would stand in shard %" PRIu32 "\n",
			    verify->config[i]->name, index);
	return status;
}

static void
tell_entry_json(const struct verify_file *file, const struct crl_entry *entry,
    struct json *json)
{
	char date[UTC_ISO_BYTES];

	json_open(json, NULL, '{');
	json_string(json, "file", file->path);
	json_string(json, "url", file->url);
	json_string(
	    json, "revoked_at", utc_to_iso(entry->revoked_at.sec, date));
	json_string(json, "reason", reason_name(entry->reason));
	json_string(
	    json, "this_update", utc_to_iso(file->this_update_sec, date));
	json_close(json, '}');
}

static void
tell_homes_json(const struct verify *verify, const struct uint160 *serial,
    struct json *json)
{
	uint32_t index = 0;

	json_open(json, "homes", '[');
	for (size_t i = 0; i < verify->config_count; i++) {
		if (!find_home(verify->config[i], serial, &index))
			continue;
		json_open(json, NULL, '{');
		json_string(json, "issuer", verify->config[i]->name);
		json_uint(json, "shard", index);
		json_close(json, '}');
	}
	json_close(json, ']');
}

enum status
verify_ask_json(
    struct verify *verify, const struct uint160 *serial, struct json *json)
{
	enum status status = STATUS_NOT_FOUND;
	char hex[UINT160_HEX_BYTES];
	struct crl_entry entry;

	json_open(json, NULL, '{');
	json_string(json, "serial", uint160_to_hex(serial, hex));
	json_open(json, "listed", '[');
	for (size_t i = 0; i < verify->file_count; i++) {
		if (!ask_file(verify, &verify->file[i], serial, &entry))
			continue;
		tell_entry_json(&verify->file[i], &entry, json);
		status = STATUS_OK;
	}
	json_close(json, ']');
	tell_homes_json(verify, serial, json);
	json_close(json, '}');
	return status;
}
