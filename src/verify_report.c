/* SPDX-License-Identifier: ISC */
/* How a verification is told. */
#include <inttypes.h>

#include "crlpress/utc.h"
#include "verify_impl.h"

struct totals {
	uint64_t good;
	uint64_t entries;
	uint64_t bytes;
};

static struct totals
sum_up(const struct verify *verify)
{
	struct totals totals = {0};

	for (size_t i = 0; i < verify->file_count; i++) {
		totals.good += verify->file[i].status == STATUS_OK;
		totals.entries += verify->file[i].entries;
		totals.bytes += verify->file[i].size;
	}
	return totals;
}

/* What is not printable ASCII could end a line early or rule the terminal. */
void
verify_print_text(const char *text, FILE *stream)
{
	for (const char *c = text; *c != '\0'; c++)
		if (*c >= 0x20 && *c < 0x7f)
			fputc(*c, stream);
		else
			fprintf(stream, "\\x%02x", (unsigned char)*c);
}

static void
print_file(const struct verify_file *file, FILE *stream)
{
	char date[UTC_ISO_BYTES], until[UTC_ISO_BYTES];
	char number[UINT160_DECIMAL_BYTES] = "-";
	const char *next = "-";

	if (!file->parsed) {
		fprintf(stream, "%-7s %10s %-20s %-20s %-12s ", "FAULTY", "-",
		    "-", "-", "-");
	} else {
		if (file->has_number)
			uint160_to_decimal(&file->number, number);
		if (file->has_next_update)
			next = utc_to_iso(file->next_update_sec, until);
		fprintf(stream, "%-7s %10" PRIu64 " %-20s %-20s %-12s ",
		    file->status == STATUS_OK ? "ok" : "FAULTY", file->entries,
		    utc_to_iso(file->this_update_sec, date), next, number);
	}
	verify_print_text(file->path, stream);
	fputc('\n', stream);
}

void
verify_print(const struct verify *verify, FILE *stream)
{
	struct totals totals = sum_up(verify);

	fprintf(stream, "%-7s %10s %-20s %-20s %-12s %s\n", "verdict",
	    "entries", "thisUpdate", "nextUpdate", "number", "file");
	for (size_t i = 0; i < verify->file_count; i++)
		print_file(&verify->file[i], stream);
	fprintf(stream,
	    "%" PRIu64 " of %zu CRLs ok, %" PRIu64 " entries, %" PRIu64
	    " bytes, %" PRIu64 " faults, %" PRIu64 " warnings\n",
	    totals.good, verify->file_count, totals.entries, totals.bytes,
	    report_count(verify->report, SEVERITY_FAULT),
	    report_count(verify->report, SEVERITY_WARNING));
}

static void
print_json_file(const struct verify_file *file, struct json *json)
{
	char number[UINT160_DECIMAL_BYTES], date[UTC_ISO_BYTES];
	char hex[HASH_HEX_BYTES];

	json_open(json, NULL, '{');
	json_string(json, "file", file->path);
	json_bool(json, "ok", file->status == STATUS_OK);
	if (file->parsed) {
		json_string(json, "url", file->url);
		if (file->config != NULL) {
			json_string(json, "issuer", file->config->name);
			json_uint(json, "shard", file->shard);
		}
		if (file->has_number)
			json_string(json, "number",
			    uint160_to_decimal(&file->number, number));
		json_string(json, "this_update",
		    utc_to_iso(file->this_update_sec, date));
		json_string(json, "next_update",
		    file->has_next_update
			? utc_to_iso(file->next_update_sec, date)
			: NULL);
		json_uint(json, "entries", file->entries);
		json_uint(json, "size", file->size);
		json_string(json, "sha256", hash_to_hex(&file->sha256, hex));
	}
	json_close(json, '}');
}

void
verify_print_json(const struct verify *verify, struct json *json)
{
	for (size_t i = 0; i < verify->file_count; i++)
		print_json_file(&verify->file[i], json);
}
