/* SPDX-License-Identifier: ISC */
/*
 * A set against the one published before it, shard by shard: the number rises,
 * times go on, no entry left too early, none changed but to keyCompromise.
 * Whether an entry left rightly only its row can tell; without rows that is
 * a warning with a count.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "crlpress/gate.h"
#include "crlpress/utc.h"
#include "verify_impl.h"

/* One shard then and now. */
struct pair {
	struct verify *verify;
	const struct verify_file *then;
	const struct verify_file *now;
	struct crl crl_then;
	struct crl crl_now;
};

static enum status
pair_fault(const struct pair *pair, const char *rule, const char *clause,
    const char *have, const char *want)
{
	return report_fault(pair->verify->report, STATUS_FAULTY,
	    pair->now->path, rule, clause, "have %s, want %s of %s", have, want,
	    pair->then->path);
}

static bool
view_same(const struct crl_view *a, const struct crl_view *b)
{
	return a->len == b->len &&
	       (a->len == 0 || memcmp(a->data, b->data, a->len) == 0);
}

static enum status
judge_numbers(const struct pair *pair)
{
	const struct verify_file *then = pair->then, *now = pair->now;
	char have[UINT160_DECIMAL_BYTES], want[UINT160_DECIMAL_BYTES];
	char here[UTC_ISO_BYTES], there[UTC_ISO_BYTES];
	enum status status = STATUS_OK;

	if (uint160_compare(&now->number, &then->number) <= 0)
		status = pair_fault(pair, "number-up", "RFC 5280, 5.2.3",
		    uint160_to_decimal(&now->number, have),
		    uint160_to_decimal(&then->number, want));
	if (now->this_update_sec <= then->this_update_sec)
		status = pair_fault(pair, "time-up", "RFC 5280, 5.1.2.4",
		    utc_to_iso(now->this_update_sec, here),
		    utc_to_iso(then->this_update_sec, there));
	if (now->next_update_sec < then->next_update_sec)
		status = pair_fault(pair, "time-up", "RFC 5280, 5.1.2.5",
		    utc_to_iso(now->next_update_sec, here),
		    utc_to_iso(then->next_update_sec, there));
	if (!view_same(&pair->crl_now.issuer, &pair->crl_then.issuer))
		status = pair_fault(pair, "same-scope", "house rule",
		    "another issuer", "the issuer");
	return status;
}

/* The entries of a CRL as rows that never expire. */
static enum status
entries_as_rows(
    const struct crl *crl, uint64_t count, struct row **rows, size_t *n)
{
	struct row *list = calloc((size_t)count * 2 + 2, sizeof(*list));
	struct crl_fault fault = {0};
	struct crl_entry entry;
	size_t position = 0;

	*rows = list;
	*n = 0;
	if (list == NULL)
		return STATUS_NO_MEMORY;
	while (*n < count &&
	       crl_entry_read(crl, &position, &entry, &fault) == STATUS_OK)
		if (entry.serial_in_range)
			list[(*n)++] =
			    row_make(&entry.serial, entry.revoked_at.sec,
				(uint8_t)(entry.reason < 0 ? 0 : entry.reason),
				UTC_MAX_SEC);
	row_sort(list, list + *n, *n);
	return STATUS_OK;
}

/* With the entries themselves as rows, what is lost is what left. */
static enum status
judge_without_rows(const struct pair *pair)
{
	struct gate_place place = {.object = pair->now->path};
	struct gate_merge merge = {0};
	struct report *silent = report_new(NULL, SEVERITY_NOTE);
	enum status status = STATUS_NO_MEMORY;
	struct row *rows = NULL;
	size_t n = 0;

	place.report = silent;
	if (silent != NULL)
		status = entries_as_rows(
		    &pair->crl_now, pair->now->entries, &rows, &n);
	if (status == STATUS_OK) {
		(void)!gate_merge(&place, rows, n, &pair->crl_then,
		    pair->crl_now.this_update.sec, &n, &merge);
		if (merge.lost > 0)
			report_warn(pair->verify->report, pair->now->path,
			    "no-early-removal", "RFC 5280, 3.3",
			    "%" PRIu64 " entries of %s left; --rows would tell "
			    "whether they might",
			    merge.lost, pair->then->path);
	}
	for (size_t i = 0; silent != NULL && i < report_kept(silent); i++) {
		const struct finding *finding = report_finding(silent, i);

		if (strcmp(finding->rule, gate_name(GATE_CHANGE)) == 0)
			status = report_fault(pair->verify->report,
			    STATUS_FAULTY, finding->object, finding->rule,
			    finding->clause, "%s", finding->text);
	}
	report_free(silent);
	free(rows);
	return status;
}

static enum status
judge_with_rows(const struct pair *pair, struct row *rows, size_t n)
{
	struct gate_place place = {
	    .object = pair->now->path,
	    .shard = pair->now->shard,
	    .report = pair->verify->report,
	};
	struct gate_merge merge = {0};
	struct crl_fault fault = {0};
	struct crl_entry entry;
	size_t position = 0;
	size_t i = 0;

	if (gate_merge(&place, rows, n, &pair->crl_then,
		pair->crl_now.this_update.sec, &n, &merge) != STATUS_OK)
		return STATUS_FAULTY;
	while (i < n &&
	       crl_entry_read(&pair->crl_now, &position, &entry, &fault) ==
		   STATUS_OK &&
	       uint160_compare(&entry.serial, &rows[i].serial) == 0)
		i++;
	if (i == n && n == pair->now->entries)
		return STATUS_OK;
	return report_fault(pair->verify->report, STATUS_FAULTY,
	    pair->now->path, "no-early-removal", "RFC 5280, 3.3",
	    "entries do not follow from %s and the rows, have %" PRIu64
	    ", want %zu",
	    pair->then->path, pair->now->entries, n);
}

static enum status
judge_entries(const struct pair *pair)
{
	struct row *rows = NULL;
	enum status status;
	size_t n = 0;

	status = verify_rows_of(pair->verify, pair->now, &rows, &n);
	if (status == STATUS_OK)
		status = rows == NULL ? judge_without_rows(pair)
				      : judge_with_rows(pair, rows, n);
	free(rows);
	return status;
}

static enum status
judge_pair(struct verify *verify, const struct verify_file *then,
    const struct verify_file *now)
{
	struct pair pair = {.verify = verify, .then = then, .now = now};
	struct verify_bytes bytes_then = {0}, bytes_now = {0};
	struct crl_fault fault = {0};
	enum status status;

	/* The very same CRL: this shard was not replaced. */
	if (memcmp(&then->sha256, &now->sha256, sizeof(then->sha256)) == 0)
		return STATUS_OK;
	status = verify_bytes_open(then->path, verify->report, &bytes_then);
	if (status == STATUS_OK)
		status =
		    verify_bytes_open(now->path, verify->report, &bytes_now);
	if (status == STATUS_OK &&
	    crl_parse(bytes_then.data, bytes_then.len, &pair.crl_then,
		&fault) == STATUS_OK &&
	    crl_parse(bytes_now.data, bytes_now.len, &pair.crl_now, &fault) ==
		STATUS_OK)
		status =
		    status_graver(judge_numbers(&pair), judge_entries(&pair));
	verify_bytes_close(&bytes_then);
	verify_bytes_close(&bytes_now);
	return status;
}

static const struct verify_file *
find_now(const struct verify *verify, const struct verify_file *then)
{
	for (size_t i = 0; i < verify->file_count; i++) {
		const struct verify_file *now = &verify->file[i];

		if (now->parsed && now->issuer == then->issuer &&
		    (now->url == NULL ? then->url == NULL
				      : then->url != NULL &&
					    strcmp(now->url, then->url) == 0))
			return now;
	}
	return NULL;
}

/* CCADB 6.2: a shard that was published does not go away. */
static enum status
judge_pairs(struct verify *verify, const struct verify *before)
{
	enum status worst = STATUS_OK;

	for (size_t i = 0; i < before->file_count; i++) {
		const struct verify_file *then = &before->file[i];
		const struct verify_file *now = find_now(verify, then);

		if (!then->parsed)
			worst = report_fault(verify->report, STATUS_FAULTY,
			    then->path, "previous-readable", "house rule",
			    "is no CRL");
		else if (now != NULL)
			worst =
			    status_graver(worst, judge_pair(verify, then, now));
		else if (verify->whole)
			worst = report_fault(verify->report, STATUS_FAULTY,
			    then->path, "set-complete", "CCADB 6.2",
			    "was published and is gone, want %s",
			    then->url != NULL ? then->url : "one CRL");
	}
	return worst;
}

enum status
verify_previous_judge(struct verify *verify)
{
	struct verify before = *verify;
	enum status status;

	if (verify->previous_path == NULL)
		return STATUS_OK;
	before.file = NULL;
	before.file_count = before.file_room = 0;
	before.manifest = NULL;
	before.manifest_count = 0;
	before.disjoint = NULL;
	before.arena = NULL;
	before.rows = NULL;
	before.rows_count = 0;
	before.report = report_new(NULL, SEVERITY_NOTE);
	if (before.report == NULL)
		return STATUS_NO_MEMORY;
	status = verify_add(&before, verify->previous_path);
	/* Old CRLs may have expired: only what they are is of interest. */
	for (size_t i = 0; i < before.file_count; i++)
		verify_file_judge(&before, 0, &before.file[i]);
	if (status == STATUS_OK && before.file_count > 0)
		status = judge_pairs(verify, &before);
	else
		status = report_fault(verify->report, STATUS_FAULTY,
		    verify->previous_path, "previous-readable", "house rule",
		    "no set of CRLs can be read there");
	report_free(before.report);
	verify_free(&before);
	return status;
}
