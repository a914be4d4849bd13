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
	/* What the manifests of both sets have of these very CRLs, or NULL. */
	const struct manifest_shard *line_then;
	const struct manifest_shard *line_now;
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

/*
 * RFC 5280, 6.3.3: what stood on the CRL before proves what may leave it, so
 * it must be the issuer's own word. Whose neither is known to be, was said of
 * the one now.
 */
static enum status
judge_witness(const struct pair *pair)
{
	const char *why = NULL;

	if (pair->then->issuer == NULL ||
	    issuer_verify(pair->then->issuer, &pair->crl_then, &why) ==
		STATUS_OK)
		return STATUS_OK;
	return report_fault(pair->verify->report, STATUS_FAULTY,
	    pair->then->path, gate_name(GATE_SCOPE), "house rule",
	    "the signature of the published CRL: %s", why);
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
		status = pair_fault(pair, "next-update-up", "RFC 5280, 5.1.2.5",
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

/*
 * RFC 5280, 3.3: how many entries the CRL then had that had expired, when its
 * manifest has that: no more may have left. When there were others in between,
 * as the manifest now may know, it says nothing.
 */
static bool
may_leave(const struct pair *pair, uint64_t *leaving)
{
	const struct manifest_shard *then = pair->line_then;
	const struct manifest_shard *now = pair->line_now;

	if (then == NULL || !then->has_leaving ||
	    (now != NULL && now->has_settled &&
		now->settled_sec != then->this_update_sec))
		return false;
	*leaving = then->leaving;
	return true;
}

/* Without rows their number is all that can be judged. */
static enum status
judge_lost(const struct pair *pair, uint64_t lost)
{
	uint64_t leaving = 0;

	if (may_leave(pair, &leaving) && lost > leaving)
		return report_fault(pair->verify->report, STATUS_FAULTY,
		    pair->now->path, gate_name(GATE_EARLY_REMOVAL),
		    "RFC 5280, 3.3",
		    "more entries of %s left than had expired when it was "
		    "made, have %" PRIu64 ", want at most %" PRIu64,
		    pair->then->path, lost, leaving);
	if (lost > 0)
		report_warn(pair->verify->report, pair->now->path,
		    gate_name(GATE_EARLY_REMOVAL), "RFC 5280, 3.3",
		    "%" PRIu64 " entries of %s left; --rows would tell whether "
		    "they might",
		    lost, pair->then->path);
	return STATUS_OK;
}

/* With the entries themselves as rows, what is lost is what left. */
static enum status
judge_without_rows(const struct pair *pair)
{
	struct gate_place place = {.object = pair->now->path};
	struct gate_published published = {
	    .crl = &pair->crl_then,
	    .this_update_sec = pair->crl_now.this_update.sec,
	};
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
		(void)!gate_merge(
		    &place, rows, n, &published, &n, &merge, NULL);
		status = status_graver(pass_on_all_but_removals(pair, silent),
		    judge_lost(pair, merge.lost));
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

/*
 * Rows do not tell when they were recorded. What is listed now, though it had
 * expired and was not listed then, must have been recorded in between: more
 * than is due is no fault.
 */
static void
take_for_recorded(struct row *entries, size_t count)
{
	for (size_t i = 0; i < count; i++)
		entries[i] =
		    row_make(&entries[i].serial, UTC_MAX_SEC, 0, UTC_MAX_SEC);
}

static enum status
judge_with_rows(const struct pair *pair, struct row *rows, size_t n)
{
	struct gate_place place = {
	    .object = pair->now->path,
	    .shard = pair->now->shard,
	    .report = pair->verify->report,
	};
	struct gate_published published = {
	    .crl = &pair->crl_then,
	    .this_update_sec = pair->crl_now.this_update.sec,
	    .has_settled = true,
	    .settled_sec = pair->crl_then.this_update.sec,
	};
	struct gate_merge merge = {0};
	struct row *entries = NULL;
	enum status status;
	size_t count = 0;
	size_t i = 0;

	status = verify_entries_of(
	    pair->verify, pair->now, &pair->crl_now, &entries, &count);
	take_for_recorded(entries, count);
	published.recorded = entries;
	published.recorded_count = count;
	published.has_leaving = may_leave(pair, &published.leaving);
	/* When they expire never changes: however many sets there were. */
	if (pair->line_then != NULL)
		gate_foresee(&published, pair->line_then);
	if (status == STATUS_OK && gate_merge(&place, rows, n, &published, &n,
				       &merge, NULL) != STATUS_OK)
		status = STATUS_FAULTY;
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
judge_pair(struct pair *pair)
{
	const struct verify_file *then = pair->then, *now = pair->now;
	struct verify *verify = pair->verify;
	enum status status;

	/* The very same CRL: this shard was not replaced. */
	if (memcmp(&then->sha256, &now->sha256, sizeof(then->sha256)) == 0)
		return STATUS_OK;
	status = verify_crl_again(
	    then, verify->report, &verify->bytes[0], &pair->crl_then);
	if (status == STATUS_OK)
		status = verify_crl_again(
		    now, verify->report, &verify->bytes[1], &pair->crl_now);
	if (status == STATUS_OK)
		status = judge_witness(pair);
	if (status == STATUS_OK)
		status = status_graver(judge_head(pair), judge_entries(pair));
	return status;
}

/* Of each file the line of a manifest about these very bytes, or NULL. */
static const struct manifest_shard **
lines_make(const struct verify *verify)
{
	const struct manifest_shard **lines =
	    calloc(verify->file_count + 1, sizeof(struct manifest_shard *));

	for (size_t m = 0; lines != NULL && m < verify->manifest_count; m++) {
		const struct manifest *manifest = &verify->manifest[m].manifest;

		for (size_t i = 0; i < manifest->shard_count; i++) {
			const struct manifest_shard *line = &manifest->shard[i];
			const struct verify_file *file = verify_set_find(
			    verify, &verify->manifest[m], line->key);

			if (file != NULL && memcmp(&file->sha256, &line->sha256,
						sizeof(file->sha256)) == 0)
				lines[file - verify->file] = line;
		}
	}
	return lines;
}

/* One shard is one URL of one issuer; without a URL there is one CRL. */
static int
compare_shards(const struct verify_file *a, const struct verify_file *b)
{
	uintptr_t x = (uintptr_t)a->issuer, y = (uintptr_t)b->issuer;

	if (x != y)
		return x < y ? -1 : 1;
	if (a->url == NULL || b->url == NULL)
		return (a->url != NULL) - (b->url != NULL);
	return strcmp(a->url, b->url);
}

/* By shard; of several of one that which was named first. */
static int
compare_now(const void *a, const void *b)
{
	const struct verify_file *x = *(const struct verify_file *const *)a;
	const struct verify_file *y = *(const struct verify_file *const *)b;
	int order = compare_shards(x, y);

	return order != 0 ? order : (x > y) - (x < y);
}

/* The CRLs now, as compare_now has them. */
struct now_list {
	const struct verify_file **file;
	size_t count;
};

static enum status
now_list_make(struct verify *verify, struct now_list *list)
{
	list->file = calloc(verify->file_count + 1, sizeof(*list->file));
	if (list->file == NULL)
		return report_fault(verify->report, STATUS_NO_MEMORY,
		    verify->previous_path, NULL, NULL, "out of memory");
	for (size_t i = 0; i < verify->file_count; i++)
		if (verify->file[i].parsed)
			list->file[list->count++] = &verify->file[i];
	qsort(list->file, list->count, sizeof(*list->file), compare_now);
	return STATUS_OK;
}

static const struct verify_file *
find_now(const struct now_list *list, const struct verify_file *then)
{
	size_t low = 0, high = list->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (compare_shards(list->file[middle], then) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	if (low == list->count || compare_shards(list->file[low], then) != 0)
		return NULL;
	return list->file[low];
}

/* What could not be read of the previous set. */
static enum status
pass_on(struct verify *verify, const struct finding *finding)
{
	if (finding->severity != SEVERITY_FAULT)
		return STATUS_OK;
	return report_fault(verify->report, STATUS_FAULTY, finding->object,
	    gate_name(GATE_PREVIOUS), "house rule", "%s", finding->text);
}

static enum status
pass_on_file(struct verify *verify, const struct verify_file *then)
{
	enum status worst = STATUS_FAULTY;

	for (size_t i = 0; i < then->finding_count; i++)
		worst =
		    status_graver(worst, pass_on(verify, &then->finding[i]));
	return worst;
}

static enum status
pass_on_all(struct verify *verify, const struct report *silent)
{
	enum status worst = STATUS_OK;

	for (size_t i = 0; i < report_kept(silent); i++)
		worst = status_graver(
		    worst, pass_on(verify, report_finding(silent, i)));
	return worst;
}

/* CCADB 6.2: a shard that was published does not go away. */
static enum status
judge_gone(struct verify *verify, const struct verify_file *then)
{
	if (!verify_is_whole(verify, then->config))
		return STATUS_OK;
	return report_fault(verify->report, STATUS_FAULTY, then->path,
	    "set-complete", "CCADB 6.2", "was published and is gone, want %s",
	    then->url != NULL ? then->url : "one CRL");
}

/* Both sets, and what their manifests have of each file. */
struct sets {
	struct verify *verify;
	const struct verify *before;
	struct now_list now;
	const struct manifest_shard **lines_then;
	const struct manifest_shard **lines_now;
};

static enum status
sets_make(struct sets *sets)
{
	enum status status = now_list_make(sets->verify, &sets->now);

	if (status != STATUS_OK)
		return status;
	sets->lines_then = lines_make(sets->before);
	sets->lines_now = lines_make(sets->verify);
	if (sets->lines_then != NULL && sets->lines_now != NULL)
		return STATUS_OK;
	return report_fault(sets->verify->report, STATUS_NO_MEMORY,
	    sets->verify->previous_path, NULL, NULL, "out of memory");
}

/* Counts in `pairs` when there is something to compare with. */
static enum status
judge_then_and_now(const struct sets *sets, size_t i, size_t *pairs)
{
	struct pair pair = {
	    .verify = sets->verify,
	    .then = &sets->before->file[i],
	    .line_then = sets->lines_then[i],
	};

	if (!pair.then->parsed)
		return pass_on_file(sets->verify, pair.then);
	pair.now = find_now(&sets->now, pair.then);
	if (pair.now == NULL)
		return judge_gone(sets->verify, pair.then);
	pair.line_now = sets->lines_now[pair.now - sets->verify->file];
	++*pairs;
	return judge_pair(&pair);
}

static enum status
judge_pairs(struct verify *verify, const struct verify *before)
{
	struct sets sets = {.verify = verify, .before = before};
	enum status worst = sets_make(&sets);
	bool made = worst == STATUS_OK;
	size_t pairs = 0;

	for (size_t i = 0; made && i < before->file_count; i++)
		worst =
		    status_graver(worst, judge_then_and_now(&sets, i, &pairs));
	/* Nothing was compared: that must not look like all is well. */
	if (pairs == 0 && worst == STATUS_OK)
		worst = report_fault(verify->report, STATUS_FAULTY,
		    verify->previous_path, "same-scope", "house rule",
		    "no CRL there has the issuer and URL of one that is "
		    "verified");
	free(sets.now.file);
	free(sets.lines_then);
	free(sets.lines_now);
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
	before.by_path = NULL;
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
		status =
		    status_graver(status, pass_on_all(verify, before.report));
	else if (before.file_count == 0)
		status = report_fault(verify->report, STATUS_FAULTY,
		    verify->previous_path, "previous-readable", "house rule",
		    "no CRL to be found");
	if (verify_list_close(&before) != STATUS_OK)
		status = STATUS_FAILED;
	else if (before.file_count > 0) {
		pool_run(
		    before.workers, before.file_count, judge_then, &before);
		status = status_graver(status, judge_pairs(verify, &before));
	}
	before.bytes = NULL; /* lent */
	report_free(before.report);
	verify_free(&before);
	return status;
}
