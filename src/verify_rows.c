/* SPDX-License-Identifier: ISC */
/*
 * Coverage (BR 4.9.7): every row of the database stands in the shard that the
 * scheme gives, and no entry stands there without a row. Rows come as CSV; the
 * configuration whose shard a row is in is the one that was given.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "crlpress/gate.h"
#include "crlpress/row_csv.h"
#include "crlpress/utc.h"
#include "verify_impl.h"

static enum status
line_fault(struct verify *verify, const struct row_csv *csv, const char *why)
{
	return report_fault(verify->report, STATUS_FAULTY, verify->rows_path,
	    "set-cover", "BR 4.9.7", "line %" PRIu64 ": %s", row_csv_line(csv),
	    why);
}

static enum status
no_memory(struct verify *verify)
{
	return report_fault(verify->report, STATUS_NO_MEMORY, verify->rows_path,
	    NULL, NULL, "out of memory");
}

static enum status
rows_init(struct verify *verify)
{
	const struct config *config = verify->config[0];

	verify->arena = row_arena_new(NULL);
	verify->rows = calloc(1, sizeof(*verify->rows));
	if (verify->arena == NULL || verify->rows == NULL)
		return no_memory(verify);
	verify->rows_count = 1;
	verify->rows->config = config;
	verify->rows->set =
	    calloc(config->shards.count, sizeof(*verify->rows->set));
	return verify->rows->set == NULL ? no_memory(verify) : STATUS_OK;
}

static enum status
add_row(struct verify *verify, const struct row_csv *csv,
    const struct source_row *from)
{
	const struct shard_scheme_config *shards =
	    &verify->rows->config->shards;
	const char *why = NULL;
	uint32_t index = 0;
	struct row row;

	if (shard_of(shards, &from->serial, from->not_after_sec, &from->hint,
		&index, &why) != STATUS_OK)
		return line_fault(verify, csv, why);
	row = row_make(&from->serial, from->revoked_at_sec, from->reason,
	    from->not_after_sec);
	if (row_set_append(verify->arena,
		&verify->rows->set[index - shards->first], &row) != STATUS_OK)
		return no_memory(verify);
	return STATUS_OK;
}

/* A file that was not read to its end says nothing of what is missing. */
static enum status
read_rows(struct verify *verify, struct row_csv *csv, bool *whole)
{
	enum status status, worst = STATUS_OK;
	struct row_csv_fault fault;
	struct source_row row;
	bool hinted = false;

	*whole = false;
	while ((status = row_csv_next(csv, &row, &fault)) != STATUS_DONE) {
		if (status == STATUS_IO)
			return line_fault(verify, csv, strerror(errno));
		if (status == STATUS_OK) {
			status = add_row(verify, csv, &row);
		} else {
			status = line_fault(verify, csv, fault.why);
			if (fault.hint != NULL && !hinted)
				report_hint(verify->report, "%s", fault.hint);
			hinted |= fault.hint != NULL;
		}
		worst = status_graver(worst, status);
		if (worst == STATUS_NO_MEMORY || row_csv_is_cut(csv))
			return worst;
	}
	*whole = true;
	return worst;
}

/* As publish reads them: with the configuration's encoding of serials and, in
 * the scheme cdp, by the certificate of each row. */
static enum status
read_file(struct verify *verify, FILE *file, bool *whole)
{
	const struct config *config = verify->rows->config;
	const struct source_points points = config_points(
	    config, issuer_facts(verify->config_issuer[0])->subject);
	const struct source_config source = config_source(config, &points);
	struct row_csv *csv = NULL;
	enum status status =
	    row_csv_new(file, source.encoding, source.points, &csv);

	if (status != STATUS_OK)
		return no_memory(verify);
	status = read_rows(verify, csv, whole);
	row_csv_free(csv);
	return status;
}

static void
rows_drop(struct verify *verify)
{
	free(verify->rows->set);
	verify->rows->set = NULL;
	verify->rows_count = 0;
}

enum status
verify_rows_load(struct verify *verify)
{
	enum status status;
	bool whole = false;
	FILE *file;

	if (verify->config_count != 1)
		return report_fault(verify->report, STATUS_USAGE, "usage", NULL,
		    NULL, "--rows goes with one configuration, have %zu",
		    verify->config_count);
	status = rows_init(verify);
	if (status != STATUS_OK)
		return status;
	file = fopen(verify->rows_path, "re");
	if (file == NULL) {
		status = report_fault(verify->report, STATUS_FAULTY,
		    verify->rows_path, "file", "house rule", "%s",
		    strerror(errno));
	} else {
		status = read_file(verify, file, &whole);
		fclose(file);
	}
	if (!whole)
		rows_drop(verify);
	return status;
}

static size_t
drop_later(struct row *rows, size_t n, int64_t this_update_sec)
{
	size_t kept = 0;

	for (size_t i = 0; i < n; i++)
		if (row_revoked_at(&rows[i]) <= this_update_sec)
			rows[kept++] = rows[i];
	return kept;
}

enum status
verify_rows_of(struct verify *verify, const struct verify_file *file,
    struct row **rows, size_t *count)
{
	const struct gate_place place = {
	    .object = file->path,
	    .shard = file->shard,
	    .report = verify->report,
	};
	struct gate_merge merge = {0};
	const struct row_set *set;
	struct row *scratch;
	size_t n;

	*rows = NULL;
	*count = 0;
	if (verify->rows_count == 0 || file->config != verify->rows->config)
		return STATUS_OK;
	set = &verify->rows->set[file->shard - file->config->shards.first];
	n = (size_t)set->count;
	*rows = calloc(n + 1, sizeof(**rows));
	scratch = calloc(n + 1, sizeof(*scratch));
	if (*rows == NULL || scratch == NULL) {
		free(scratch);
		return no_memory(verify);
	}
	/* All of them are in memory. */
	if (row_set_gather(set, *rows) != STATUS_OK) {
		free(scratch);
		return no_memory(verify);
	}
	row_sort(*rows, scratch, n);
	free(scratch);
	n = drop_later(*rows, n, file->this_update_sec);
	return gate_unique(&place, *rows, n, count, &merge) == STATUS_OK
		   ? STATUS_OK
		   : STATUS_FAULTY;
}

static size_t
drop_twins(struct row *rows, size_t n)
{
	size_t kept = 0;

	for (size_t i = 0; i < n; i++)
		if (kept == 0 || uint160_compare(&rows[kept - 1].serial,
				     &rows[i].serial) != 0)
			rows[kept++] = rows[i];
	return kept;
}

/* RFC 5280, 5.3.1: no reason means 0. */
enum status
verify_entries_of(struct verify *verify, const struct verify_file *file,
    const struct crl *crl, struct row **rows, size_t *count)
{
	size_t room = (size_t)file->entries;
	struct row *list = calloc(room * 2 + 1, sizeof(*list));
	struct crl_fault fault = {0};
	struct crl_entry entry;
	size_t position = 0;
	size_t n = 0;

	*rows = list;
	*count = 0;
	if (list == NULL)
		return no_memory(verify);
	while (n < room &&
	       crl_entry_read(crl, &position, &entry, &fault) == STATUS_OK)
		if (entry.serial_in_range)
			list[n++] =
			    row_make(&entry.serial, entry.revoked_at.sec,
				(uint8_t)(entry.reason < 0 ? 0 : entry.reason),
				UTC_MAX_SEC);
	row_sort(list, list + room, n);
	*count = drop_twins(list, n);
	return STATUS_OK;
}

static enum status
entry_fault(struct verify *verify, const struct verify_file *file,
    const struct uint160 *serial, const char *what)
{
	char hex[UINT160_HEX_BYTES];

	return report_fault(verify->report, STATUS_FAULTY, file->path,
	    "set-cover", "BR 4.9.7", "serial %s %s",
	    uint160_to_hex(serial, hex), what);
}

static bool
says_the_same(const struct row *entry, const struct row *row)
{
	return row_revoked_at(entry) == row_revoked_at(row) &&
	       entry->reason == row->reason;
}

/*
 * A row whose certificate had expired may have left already; whether rightly,
 * only the previous set can tell.
 */
static enum status
judge_row(struct verify *verify, const struct verify_file *file,
    const struct row *row)
{
	if (row_not_after(row) < file->this_update_sec)
		return STATUS_OK;
	return entry_fault(
	    verify, file, &row->serial, "is revoked by a row but not listed");
}

/* Both in order of serial, each serial once. */
static enum status
walk(struct verify *verify, const struct verify_file *file,
    const struct row *entries, size_t entry_count, const struct row *rows,
    size_t n)
{
	enum status worst = STATUS_OK;
	size_t i = 0;

	for (size_t k = 0; k < entry_count; k++) {
		const struct row *entry = &entries[k];
		int order = 1;

		while (i < n && (order = uint160_compare(
				     &rows[i].serial, &entry->serial)) < 0)
			worst = status_graver(
			    worst, judge_row(verify, file, &rows[i++]));
		if (i == n || order != 0)
			worst = entry_fault(verify, file, &entry->serial,
			    "is listed but no row revokes it");
		else if (!says_the_same(entry, &rows[i++]))
			worst = entry_fault(verify, file, &entry->serial,
			    "is listed with another date or reason than its "
			    "row");
	}
	while (i < n)
		worst =
		    status_graver(worst, judge_row(verify, file, &rows[i++]));
	return worst;
}

static enum status
judge_file(struct verify *verify, const struct verify_file *file)
{
	struct row *rows = NULL, *entries = NULL;
	size_t count = 0, entry_count = 0;
	enum status status;
	struct crl crl;

	status = verify_rows_of(verify, file, &rows, &count);
	if (status == STATUS_OK)
		status =
		    verify_crl_again(file, verify->report, verify->bytes, &crl);
	if (status == STATUS_OK)
		status = verify_entries_of(
		    verify, file, &crl, &entries, &entry_count);
	if (status == STATUS_OK)
		status = walk(verify, file, entries, entry_count, rows, count);
	free(entries);
	free(rows);
	return status;
}

enum status
verify_rows_judge(struct verify *verify)
{
	enum status worst = STATUS_OK;

	for (size_t i = 0; verify->rows_count > 0 && i < verify->file_count;
	     i++)
		if (verify->file[i].config == verify->rows->config)
			worst = status_graver(
			    worst, judge_file(verify, &verify->file[i]));
	return worst;
}
