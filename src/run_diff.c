/* SPDX-License-Identifier: ISC */
/*
 * What differs from the published CRLs, entry by entry: a line each for a
 * person, an object each for a program.
 */
#include <inttypes.h>

#include "crlpress/reason.h"
#include "crlpress/utc.h"
#include "run_impl.h"

/* Lines of a shard without --diff: a screen holds a few shards. */
#define LINES_MOST 10

static const char *const change_names[] = {
    [GATE_ADDED] = "added",
    [GATE_REMOVED] = "removed",
    [GATE_LOST] = "lost",
    [GATE_CHANGED_TO] = "changed",
};

/* "2026-11-20T05:00:00Z superseded", as an entry has it. */
static void
print_entry(const struct row *row, FILE *stream)
{
	char date[UTC_ISO_BYTES];

	fprintf(stream, "%s %s", utc_to_iso(row_revoked_at(row), date),
	    reason_name(row->reason));
}

/* `from` is what a changed entry was; each row is one line. */
static void
print_change(const struct row *row, const struct row *from, FILE *stream)
{
	char serial[UINT160_HEX_BYTES], date[UTC_ISO_BYTES];

	uint160_to_hex(&row->serial, serial);
	switch ((enum gate_change)row->spare) {
	case GATE_ADDED:
		fprintf(stream, "+ %s ", serial);
		print_entry(row, stream);
		break;
	case GATE_REMOVED:
		fprintf(stream, "- %s expired %s", serial,
		    utc_to_iso(row_not_after(row), date));
		break;
	case GATE_LOST:
		fprintf(stream, "- %s let pass without a row, was ", serial);
		print_entry(row, stream);
		break;
	case GATE_CHANGED_TO:
		fprintf(stream, "~ %s ", serial);
		print_entry(from, stream);
		fputs(" -> ", stream);
		print_entry(row, stream);
		break;
	case GATE_CHANGED_FROM:
		return;
	}
	fputc('\n', stream);
}

static void
print_shard(const struct run *run, const struct run_shard *shard, FILE *stream)
{
	const struct gate_changes *changes = &shard->changes;
	uint64_t lines = 0;

	if (!shard->has_previous) {
		fprintf(stream, "%s: %s, %" PRIu64 " entries\n", shard->object,
		    shard->is_gone ? "gone from the store, made anew"
				   : "first publication",
		    shard->entries);
		return;
	}
	if (changes->count == 0)
		return;
	fprintf(stream, "%s:\n", shard->object);
	for (size_t i = 0; i < changes->count; i++) {
		if (changes->row[i].spare == GATE_CHANGED_FROM)
			continue;
		if (lines++ < LINES_MOST || run->options->diff)
			print_change(&changes->row[i],
			    i == 0 ? NULL : &changes->row[i - 1], stream);
	}
	if (lines > LINES_MOST && !run->options->diff)
		fprintf(stream, "and %" PRIu64 " more; --diff shows them\n",
		    lines - LINES_MOST);
}

void
run_diff_print(const struct run *run, FILE *stream)
{
	for (size_t i = 0; i < run->shard_count; i++)
		if (run_shard_is_made(&run->shard[i]) ||
		    run->shard[i].changes.count > 0)
			print_shard(run, &run->shard[i], stream);
}

static void
print_json_entry(const struct row *row, struct json *json)
{
	char date[UTC_ISO_BYTES];

	json_string(json, "revoked_at", utc_to_iso(row_revoked_at(row), date));
	json_string(json, "reason", reason_name(row->reason));
}

static void
print_json_change(
    const struct row *row, const struct row *from, struct json *json)
{
	char serial[UINT160_HEX_BYTES], date[UTC_ISO_BYTES];

	json_open(json, NULL, '{');
	json_string(json, "change", change_names[row->spare]);
	json_string(json, "serial", uint160_to_hex(&row->serial, serial));
	print_json_entry(row, json);
	/* Of what is lost nothing tells when it expires. */
	if (row->spare != GATE_LOST)
		json_string(
		    json, "not_after", utc_to_iso(row_not_after(row), date));
	if (row->spare == GATE_CHANGED_TO) {
		json_open(json, "was", '{');
		print_json_entry(from, json);
		json_close(json, '}');
	}
	json_close(json, '}');
}

void
run_diff_print_json(const struct run_shard *shard, struct json *json)
{
	const struct gate_changes *changes = &shard->changes;

	json_open(json, "changes", '[');
	for (size_t i = 0; i < changes->count; i++)
		if (changes->row[i].spare != GATE_CHANGED_FROM)
			print_json_change(&changes->row[i],
			    i == 0 ? NULL : &changes->row[i - 1], json);
	json_close(json, ']');
}
