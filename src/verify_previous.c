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
#include "crlpress/pool.h"
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

/* `want` is what it must be to the one there was. */
static enum status
pair_fault(const struct pair *pair, const char *rule, const char *clause,
    const char *have, const char *want, const char *there)
{
	return report_fault(pair->verify->report, STATUS_FAULTY,
	    pair->now->path, rule, clause, "have %s, want %s the %s of %s",
	    have, want, there, pair->then->path);
}

/* Where both have none there is nothing to rise; lint says what it thinks. */
static enum status
judge_number(const struct pair *pair)
{
	const struct verify_file *then = pair->then, *now = pair->now;
	char have[UINT160_DECIMAL_BYTES], there[UINT160_DECIMAL_BYTES];

	if (!then->has_number ||
	    (now->has_number &&
		uint160_compare(&now->number, &then->number) > 0))
		return STATUS_OK;
	uint160_to_decimal(&now->number, have);
	return pair_fault(pair, "number-up", "RFC 5280, 5.2.3",
	    now->has_number ? have : "none", "above",
	    uint160_to_decimal(&then->number, there));
}

static enum status
judge_head(const struct pair *pair)
{
	const struct verify_file *then = pair->then, *now = pair->now;
	char here[UTC_ISO_BYTES], there[UTC_ISO_BYTES];
	enum status status = judge_number(pair);

	if (now->this_update_sec <= then->this_update_sec)
		status = pair_fault(pair, "time-up", "RFC 5280, 5.1.2.4",
		    utc_to_iso(now->this_update_sec, here), "after",
		    utc_to_iso(then->this_update_sec, there));
	if (now->next_update_sec < then->next_update_sec)
		status = pair_fault(pair, "time-up", "RFC 5280, 5.1.2.5",
		    utc_to_iso(now->next_update_sec, here), "not before",
		    utc_to_iso(then->next_update_sec, there));
	if (!crl_view_equal(&pair->crl_now.issuer, &pair->crl_then.issuer))
		status = pair_fault(pair, "same-scope", "house rule",
		    "another issuer", "to be", "issuer");
	return status;
}

/* Of what a gate said, all but that entries left without a row. */
static enum status
pass_on_all_but_removals(const struct pair *pair, const struct report *silent)
{
	enum status worst = STATUS_OK;

	for (size_t i = 0; i < report_kept(silent); i++) {
		const struct finding *finding = report_finding(silent, i);

		if (finding->rule == NULL ||
		    strcmp(finding->rule, gate_name(GATE_EARLY_REMOVAL)) != 0)
			worst = report_fault(pair->verify->report,
			    STATUS_FAULTY, finding->object, finding->rule,
			    finding->clause, "%s", finding->text);
	}
	return worst;
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
		status = verify_entries_of(
		    pair->verify, pair->now, &pair->crl_now, &rows, &n);
	if (status == STATUS_OK) {
		(void)!gate_merge(&place, rows, n, &pair->crl_then,
		    pair->crl_now.this_update.sec, &n, &merge);
		status = pass_on_all_but_removals(pair, silent);
		if (merge.lost > 0)
			report_warn(pair->verify->report, pair->now->path,
			    "no-early-removal", "RFC 5280, 3.3",
			    "%" PRIu64 " entries of %s left; --rows would tell "
			    "whether they might",
			    merge.lost, pair->then->path);
	}
	report_free(silent);
	free(rows);
	return status;
}

/* The first serial of two lists that differ: due, and listed. */
static enum status
follows_not(
    const struct pair *pair, const struct row *due, const struct row *listed)
{
	bool is_missing =
	    listed == NULL ||
	    (due != NULL && uint160_compare(&due->serial, &listed->serial) < 0);
	char serial[UINT160_HEX_BYTES];

	return report_fault(pair->verify->report, STATUS_FAULTY,
	    pair->now->path, "no-early-removal", "RFC 5280, 3.3",
	    "does not follow from %s and the rows: serial %s %s",
	    pair->then->path,
	    uint160_to_hex(is_missing ? &due->serial : &listed->serial, serial),
	    is_missing ? "is not listed but must be"
		       : "is listed but they leave it out");
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
	struct row *entries = NULL;
	enum status status;
	size_t count = 0;
	size_t i = 0;

	if (gate_merge(&place, rows, n, &pair->crl_then,
		pair->crl_now.this_update.sec, &n, &merge) != STATUS_OK)
		return STATUS_FAULTY;
	status = verify_entries_of(
	    pair->verify, pair->now, &pair->crl_now, &entries, &count);
	while (i < n && i < count &&
	       uint160_compare(&entries[i].serial, &rows[i].serial) == 0)
		i++;
	if (status == STATUS_OK && (i < n || i < count))
		status = follows_not(pair, i < n ? &rows[i] : NULL,
		    i < count ? &entries[i] : NULL);
	free(entries);
	return status;
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
		status = status_graver(judge_head(&pair), judge_entries(&pair));
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

/* What could not be read of the previous set. */
static enum status
pass_on(struct verify *verify, const struct report *silent)
{
	enum status worst = STATUS_OK;

	for (size_t i = 0; i < report_kept(silent); i++) {
		const struct finding *finding = report_finding(silent, i);

		if (finding->severity == SEVERITY_FAULT)
			worst = report_fault(verify->report, STATUS_FAULTY,
			    finding->object, gate_name(GATE_PREVIOUS),
			    "house rule", "%s", finding->text);
	}
	return worst;
}

/* CCADB 6.2: a shard that was published does not go away. */
static enum status
judge_gone(struct verify *verify, const struct verify_file *then)
{
	if (!verify->whole)
		return STATUS_OK;
	return report_fault(verify->report, STATUS_FAULTY, then->path,
	    "set-complete", "CCADB 6.2", "was published and is gone, want %s",
	    then->url != NULL ? then->url : "one CRL");
}

static enum status
judge_pairs(struct verify *verify, const struct verify *before)
{
	enum status worst = STATUS_OK;
	size_t pairs = 0;

	for (size_t i = 0; i < before->file_count; i++) {
		const struct verify_file *then = &before->file[i];
		const struct verify_file *now = find_now(verify, then);

		if (!then->parsed)
			worst = status_graver(
			    worst, pass_on(verify, then->findings));
		else if (now == NULL)
			worst = status_graver(worst, judge_gone(verify, then));
		else
			worst =
			    status_graver(worst, judge_pair(verify, then, now));
		pairs += then->parsed && now != NULL;
	}
	/* Nothing was compared: that must not look like all is well. */
	if (pairs == 0 && worst == STATUS_OK)
		worst = report_fault(verify->report, STATUS_FAULTY,
		    verify->previous_path, "same-scope", "house rule",
		    "no CRL there has the issuer and URL of one that is "
		    "verified");
	return worst;
}

/* Old CRLs may have expired: only what they are is of interest. */
static void
judge_then(void *context, unsigned worker, size_t i)
{
	struct verify *before = context;

	verify_file_judge(before, worker, &before->file[i]);
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
	if (status != STATUS_OK)
		status = status_graver(status, pass_on(verify, before.report));
	else if (before.file_count == 0)
		status = report_fault(verify->report, STATUS_FAULTY,
		    verify->previous_path, "previous-readable", "house rule",
		    "no CRL to be found");
	pool_run(before.workers, before.file_count, judge_then, &before);
	if (before.file_count > 0)
		status = status_graver(status, judge_pairs(verify, &before));
	report_free(before.report);
	verify_free(&before);
	return status;
}
