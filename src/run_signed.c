/* SPDX-License-Identifier: ISC */
/*
 * publish --signed: CRLs that an offline signer made of what was staged here.
 *
 * That every row of the staged snapshot is listed was judged when it was
 * staged, and holds of these bytes: the request is the one that the state
 * directory remembers, and each TBSCertList has the SHA-256 in it. What may
 * have changed since are the rows and the store. So each entry must be proved
 * by a row of a snapshot taken now, which it may differ from only by what the
 * next CRL may change; and the same gates are asked as of any other run, of
 * the rows that these CRLs list. Rows that they do not list are told.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "crlpress/config_text.h"
#include "crlpress/crl_build.h"
#include "crlpress/request.h"
#include "crlpress/utc.h"
#include "run_impl.h"

#define SIGNED_RULE "signed"

#define REASON_KEY_COMPROMISE 1

/* What is read of the directory; the texts are gone when it is. */
struct run_signed {
	struct request request;
	struct closing closing;
};

static enum status
no_memory(struct run *run)
{
	return report_fault(run->report, STATUS_NO_MEMORY, run->config->name,
	    NULL, NULL, "out of memory");
}

static enum status
refuse(struct run *run, const char *object, const char *text)
{
	return report_fault(run->report, STATUS_REFUSED, object, SIGNED_RULE,
	    "house rule", "%s", text);
}

/* A whole file, or why not. */
static enum status
file_read(
    struct run *run, const char *path, size_t most, char **data, size_t *len)
{
	char why[CONFIG_WHY_BYTES];
	enum status status = config_text_read(path, most, data, len, why);

	if (status == STATUS_NO_MEMORY)
		return no_memory(run);
	return status == STATUS_OK ? STATUS_OK : refuse(run, path, why);
}

/* What is not there may well be what nobody has made yet. */
static void
hint_missing(struct run *run, const char *path, const char *name)
{
	const char *dir = run->options->signed_dir;

	if (access(path, F_OK) == 0 || errno != ENOENT)
		return;
	if (strcmp(name, REQUEST_NAME) == 0)
		report_hint(run->report,
		    "no set was staged here: `crlpress publish --stage-tbs "
		    "DIR` makes one, `crlpress sign DIR` signs it");
	else
		report_hint(run->report,
		    "not signed yet: `crlpress sign`, where the key is, makes "
		    "it in the directory that was staged; all of that is "
		    "expected in %s",
		    dir);
}

static enum status
dir_read(
    struct run *run, const char *name, size_t most, char **data, size_t *len)
{
	enum status status;
	char *path = NULL;

	if (asprintf(&path, "%s/%s", run->options->signed_dir, name) < 0)
		return no_memory(run);
	status = file_read(run, path, most, data, len);
	if (status == STATUS_REFUSED)
		hint_missing(run, path, name);
	free(path);
	return status;
}

/* The request is the last one that was staged from here, to the byte. */
static enum status
remembered(struct run *run, const char *text, size_t len)
{
	char *path = run_staged_path(run);
	enum status status;
	char *mine = NULL;
	size_t mine_len = 0;

	if (path == NULL)
		return STATUS_NO_MEMORY;
	status = file_read(run, path, REQUEST_BYTES_MOST, &mine, &mine_len);
	if (status == STATUS_OK &&
	    (mine_len != len || memcmp(mine, text, len) != 0)) {
		status = refuse(run, run->options->signed_dir,
		    "not the request that was staged last from here");
		report_hint(run->report,
		    "one that was staged before another is stale: stage again");
	}
	free(mine);
	free(path);
	return status;
}

static enum status
list_fault(struct run *run, const char *name, size_t line, const char *why)
{
	return report_fault(run->report, STATUS_REFUSED,
	    run->options->signed_dir, SIGNED_RULE, "house rule",
	    "%s, line %zu: %s", name, line, why);
}

static enum status
request_read(struct run *run)
{
	const char *why = NULL;
	enum status status;
	char *text = NULL;
	size_t line = 0, len = 0;

	status = dir_read(run, REQUEST_NAME, REQUEST_BYTES_MOST, &text, &len);
	if (status == STATUS_OK)
		status = remembered(run, text, len);
	if (status == STATUS_OK &&
	    request_parse(text, len, &run->signed_set->request, &line, &why) !=
		STATUS_OK)
		status = list_fault(run, REQUEST_NAME, line, why);
	if (status == STATUS_OK && hash_bytes((const uint8_t *)text, len,
				       &run->request_sha256) != STATUS_OK)
		status = no_memory(run);
	free(text);
	return status;
}

/* The closing list answers this request, shard for shard. */
static enum status
closing_check(struct run *run)
{
	const struct request *request = &run->signed_set->request;
	const struct closing *closing = &run->signed_set->closing;
	bool same = closing->shard_count == request->shard_count;

	for (size_t i = 0; same && i < closing->shard_count; i++)
		same = closing->shard[i].index == request->shard[i].index &&
		       closing->shard[i].size <= request->shard[i].size +
						     CRL_PREFIX_BYTES +
						     CRL_SUFFIX_BYTES_MOST;
	if (!same)
		return refuse(run, run->options->signed_dir,
		    REQUEST_CLOSING_NAME
		    " has not the shards of the request, one for one");
	if (memcmp(closing->request_sha256.octet, run->request_sha256.octet,
		HASH_BYTES) != 0)
		return refuse(run, run->options->signed_dir,
		    REQUEST_CLOSING_NAME " is of another request");
	return STATUS_OK;
}

static enum status
closing_read(struct run *run)
{
	const char *why = NULL;
	enum status status;
	char *text = NULL;
	size_t line = 0, len = 0;

	status = dir_read(
	    run, REQUEST_CLOSING_NAME, REQUEST_BYTES_MOST, &text, &len);
	if (status == STATUS_OK &&
	    closing_parse(text, len, &run->signed_set->closing, &line, &why) !=
		STATUS_OK)
		status = list_fault(run, REQUEST_CLOSING_NAME, line, why);
	free(text);
	return status == STATUS_OK ? closing_check(run) : status;
}

/* What was staged was staged by this configuration. */
static enum status
config_check(struct run *run)
{
	const struct request *request = &run->signed_set->request;
	const struct config *config = run->config;
	const struct issuer_facts *facts = issuer_facts(run->issuer);
	struct shard_placing placing = shard_placing_of(&config->shards);

	if (strcmp(request->issuer, config->name) == 0 &&
	    memcmp(request->issuer_sha256.octet, facts->sha256, HASH_BYTES) ==
		0 &&
	    strcmp(request->url_pattern, config->url_pattern) == 0 &&
	    request->shard_first == config->shards.first &&
	    request->shards_configured == config->shards.count &&
	    (!request->placing.is_known ||
		shard_placing_same(&request->placing, &placing)))
		return STATUS_OK;
	return refuse(run, run->options->signed_dir,
	    "staged with another configuration: name, certificate, URL, "
	    "number of shards or scheme differ");
}

enum status
run_signed_open(struct run *run)
{
	enum status status;

	run->signed_set = calloc(1, sizeof(*run->signed_set));
	if (run->signed_set == NULL)
		return no_memory(run);
	status = request_read(run);
	if (status == STATUS_OK)
		status = closing_read(run);
	return status == STATUS_OK ? config_check(run) : status;
}

/* RFC 5280, 5.1.2.5: what is published is still valid then. */
static enum status
check_times(struct run *run)
{
	const struct request *request = &run->signed_set->request;
	char have[UTC_ISO_BYTES], now[UTC_ISO_BYTES];

	if (request->next_update_sec > run->now_sec)
		return STATUS_OK;
	report_fault(run->report, STATUS_REFUSED, run->options->signed_dir,
	    SIGNED_RULE, "RFC 5280, 5.1.2.5",
	    "expired: nextUpdate %s is not after now, %s",
	    utc_to_iso(request->next_update_sec, have),
	    utc_to_iso(run->now_sec, now));
	report_hint(run->report, "stage again, and have that signed");
	return STATUS_REFUSED;
}

/* The rows were read from a database that is behind this one, or from it. */
static enum status
check_position(struct run *run)
{
	const struct source_origin *then = &run->signed_set->request.origin;
	const struct source_snapshot *now = &run->snapshot;
	struct gate_place place = run_place(run);

	if (then->has_edition)
		return run_gate_edition_of(
		    run, then->kind, &then->edition, "the request");
	if (!then->has_position)
		return STATUS_OK;
	if (now->has_position &&
	    strcmp(now->system_identifier, then->system_identifier) == 0 &&
	    now->timeline >= then->timeline &&
	    now->wal_position >= then->wal_position)
		return STATUS_OK;
	return gate_refuse(&place, GATE_DB_FRESH,
	    "not the database that was staged from, or it is behind that");
}

static enum status
stale(struct run *run, const char *object, const struct uint160 *published)
{
	const struct request *request = &run->signed_set->request;
	char have[UINT160_DECIMAL_BYTES], want[UINT160_DECIMAL_BYTES];

	report_fault(run->report, STATUS_REFUSED, object, SIGNED_RULE,
	    "RFC 5280, 5.2.3",
	    "stale: number %s was staged, and %s has been published since",
	    uint160_to_decimal(&request->number, have),
	    uint160_to_decimal(published, want));
	report_hint(run->report, "stage again, and have that signed");
	return STATUS_REFUSED;
}

/* A foreign CRL has no number of the issuer's, which reading it again tells. */
static enum status
check_number(struct run *run, struct run_shard *shard)
{
	enum status status;

	if (uint160_compare(&shard->previous_number, &run->number) <= 0)
		return STATUS_OK;
	status = run_previous_again(run, shard);
	if (status == STATUS_REFUSED) {
		shard->state = RUN_SHARD_WITHHELD;
		return STATUS_OK;
	}
	if (status != STATUS_OK && status != STATUS_NOT_FOUND)
		return status;
	return uint160_compare(&shard->previous_number, &run->number) > 0
		   ? stale(run, shard->object, &shard->previous_number)
		   : STATUS_OK;
}

/* Why is in the report of the run that staged the others. */
static void
tell_not_asked(struct run *run)
{
	const struct run_shard *first = NULL;
	uint64_t count = 0;

	for (size_t i = run->shard_count; i-- > 0;) {
		if (run->shard[i].asked != NULL)
			continue;
		first = &run->shard[i];
		count++;
	}
	if (count > 0)
		report_warn(run->report, first->object, SIGNED_RULE,
		    "house rule",
		    "not in the request: withheld, or not written, when this "
		    "was staged, as are %" PRIu64 " more",
		    count - 1);
}

enum status
run_signed_begin(struct run *run)
{
	const struct request *request = &run->signed_set->request;
	enum status status = check_times(run);

	run->number = request->number;
	if (status == STATUS_OK)
		status = check_position(run);
	/* What the manifest is to have is what the CRLs were made of. */
	if (request->origin.has_edition)
		run->snapshot.edition = request->origin.edition;
	if (status == STATUS_OK && run->has_manifest &&
	    uint160_compare(&run->manifest.number, &run->number) > 0)
		status = stale(
		    run, run->config->manifest_key, &run->manifest.number);
	for (size_t i = 0; status == STATUS_OK && i < run->shard_count; i++) {
		struct run_shard *shard = &run->shard[i];

		shard->asked = request_find(request, shard->index);
		/* It was not staged with the others. */
		if (shard->asked == NULL)
			shard->state = RUN_SHARD_WITHHELD;
		else
			status = check_number(run, shard);
	}
	if (status == STATUS_OK)
		tell_not_asked(run);
	return status;
}

void
run_signed_times(struct run *run)
{
	run->this_update_sec = run->signed_set->request.this_update_sec;
	run->next_update_sec = run->signed_set->request.next_update_sec;
}

static const struct closing_shard *
closing_find(const struct run *run, uint32_t index)
{
	const struct request *request = &run->signed_set->request;
	const struct request_shard *asked = request_find(request, index);

	return &run->signed_set->closing.shard[asked - request->shard];
}

/* The bytes of DIR/INDEX.crl are those of the closing list, around the
 * TBSCertList that was staged. */
static enum status
crl_check(struct run *run, const struct run_shard *shard, const uint8_t *data,
    size_t len, struct crl *crl)
{
	const struct closing_shard *made = closing_find(run, shard->index);
	struct crl_fault fault = {0};
	struct hash sha256, tbs;

	if (hash_bytes(data, len, &sha256) != STATUS_OK)
		return no_memory(run);
	if (len != made->size ||
	    memcmp(sha256.octet, made->sha256.octet, HASH_BYTES) != 0)
		return refuse(run, shard->object,
		    "not the CRL of " REQUEST_CLOSING_NAME
		    ": its size or SHA-256 differs");
	if (crl_parse(data, len, crl, &fault) != STATUS_OK)
		return report_fault(run->report, STATUS_REFUSED, shard->object,
		    fault.rule, fault.clause, "offset %zu: %s", fault.offset,
		    fault.text);
	if (hash_bytes(crl->tbs.data, crl->tbs.len, &tbs) != STATUS_OK)
		return no_memory(run);
	if (memcmp(tbs.octet, shard->asked->sha256.octet, HASH_BYTES) != 0)
		return refuse(
		    run, shard->object, "not the TBSCertList that was staged");
	return STATUS_OK;
}

/* Into the stage of this run, which nobody else writes to. */
static enum status
crl_stage(
    struct run *run, struct run_shard *shard, const char *data, size_t len)
{
	const struct stage_part part = {data, len};
	char name[REQUEST_FILE_NAME_BYTES];

	return stage_write(run->state, request_crl_name(shard->index, name),
	    &part, 1, &shard->staged);
}

/* BR 7.2.2: what differs from an entry that is to be published must be what
 * the next CRL may change in it. */
static bool
may_become(const struct crl_entry *entry, const struct row *row)
{
	uint8_t reason = (uint8_t)(entry->reason < 0 ? 0 : entry->reason);

	if (row->reason == reason &&
	    row_revoked_at(row) == entry->revoked_at.sec)
		return true;
	return row->reason == REASON_KEY_COMPROMISE &&
	       row_revoked_at(row) <= entry->revoked_at.sec;
}

/* The rows of a shard, walked beside the entries of its signed CRL. */
struct selection {
	struct run *run;
	struct run_shard *shard;
	const struct gate_place *place;
	struct row *rows;
	size_t count; /* of those to be held against what is published */
	/* Rows that expired before this may be missing: they prove that what
	 * is published may leave. */
	int64_t proof_sec;
};

/* Nothing is let pass here: a set that is made anew can say it. */
static struct gate_place
strict_place(const struct gate_place *place)
{
	return (struct gate_place){
	    .object = place->object,
	    .shard = place->shard,
	    .report = place->report,
	    .closed = place->closed,
	};
}

static enum status
select_entry(struct selection *selection, const struct crl_entry *entry,
    const struct row *row)
{
	uint8_t reason = (uint8_t)(entry->reason < 0 ? 0 : entry->reason);
	const struct gate_place strict = strict_place(selection->place);
	char serial[UINT160_HEX_BYTES];

	if (row == NULL)
		return gate_refuse(&strict, GATE_EARLY_REMOVAL,
		    "serial %s is signed but has no row now: nothing proves "
		    "that it is revoked",
		    uint160_to_hex(&entry->serial, serial));
	if (!may_become(entry, row))
		return gate_refuse(&strict, GATE_CHANGE,
		    "serial %s has changed since it was staged",
		    uint160_to_hex(&entry->serial, serial));
	if (row->reason != reason ||
	    row_revoked_at(row) != entry->revoked_at.sec)
		selection->shard->rows_changed++;
	selection->rows[selection->count++] = row_make(
	    &entry->serial, entry->revoked_at.sec, reason, row_not_after(row));
	return STATUS_OK;
}

static void
select_row(struct selection *selection, const struct row *row)
{
	if (row_not_after(row) < selection->proof_sec &&
	    row_revoked_at(row) < selection->proof_sec)
		selection->rows[selection->count++] = *row;
	else
		selection->shard->rows_unlisted++;
}

/* Both are sorted; rows are written over that were read. */
static enum status
select_rows(struct selection *selection, size_t n, const struct crl *crl)
{
	const struct row *rows = selection->rows;
	struct crl_fault fault = {0};
	struct crl_entry entry;
	enum status status = STATUS_OK;
	size_t position = 0, i = 0;

	while (status == STATUS_OK &&
	       crl_entry_read(crl, &position, &entry, &fault) == STATUS_OK) {
		struct row row;

		while (i < n &&
		       uint160_compare(&rows[i].serial, &entry.serial) < 0) {
			row = rows[i++];
			select_row(selection, &row);
		}
		if (i < n &&
		    uint160_compare(&rows[i].serial, &entry.serial) == 0) {
			row = rows[i++];
			status = select_entry(selection, &entry, &row);
		} else {
			status = select_entry(selection, &entry, NULL);
		}
	}
	for (; status == STATUS_OK && i < n; i++) {
		struct row row = rows[i];

		select_row(selection, &row);
	}
	return status;
}

/* What is signed counts as recorded since whatever is published: it is listed,
 * and whether that was right was judged when it was staged. */
static enum status
list_signed(struct run *run, struct run_shard *shard, const struct crl *crl,
    struct row **listed, size_t *count)
{
	size_t room = (size_t)shard->asked->entries;
	struct crl_fault fault = {0};
	struct crl_entry entry;
	size_t position = 0;

	/* As many as the bytes have, whatever the list says. */
	if (room > crl->entries.len)
		return refuse(
		    run, shard->object, "fewer entries than the request says");
	*listed = calloc(room + 1, sizeof(**listed));
	if (*listed == NULL)
		return no_memory(run);
	while (*count < room &&
	       crl_entry_read(crl, &position, &entry, &fault) == STATUS_OK)
		(*listed)[(*count)++] =
		    row_make(&entry.serial, UTC_MAX_SEC, 0, UTC_MAX_SEC);
	return STATUS_OK;
}

/* What stands there is this one: it was put, and the run that did it ended. */
static bool
may_stand(const struct run *run, const struct run_shard *shard)
{
	return shard->has_previous &&
	       uint160_compare(&shard->previous_number, &run->number) == 0;
}

enum status
run_signed_take(struct run *run, struct run_shard *shard,
    const struct gate_place *place, struct run_signed_rows *rows)
{
	struct selection selection = {
	    .run = run,
	    .shard = shard,
	    .place = place,
	    .rows = rows->row,
	    .proof_sec = UTC_MIN_SEC,
	};
	char name[REQUEST_FILE_NAME_BYTES];
	enum status status;
	struct crl crl;
	char *data = NULL;
	size_t len = 0;

	if (shard->has_previous && !may_stand(run, shard))
		selection.proof_sec = shard->previous_this_update_sec;
	if (selection.proof_sec > run->this_update_sec)
		selection.proof_sec = run->this_update_sec;
	status = dir_read(run, request_crl_name(shard->index, name),
	    (size_t)closing_find(run, shard->index)->size, &data, &len);
	if (status == STATUS_OK)
		status =
		    crl_check(run, shard, (const uint8_t *)data, len, &crl);
	if (status == STATUS_OK)
		status = select_rows(&selection, rows->count, &crl);
	if (status == STATUS_OK)
		status = list_signed(
		    run, shard, &crl, &rows->listed, &rows->listed_count);
	if (status == STATUS_OK)
		status = crl_stage(run, shard, data, len);
	rows->count = selection.count;
	free(data);
	return status;
}

bool
run_signed_stands(const struct run *run, const struct run_shard *shard,
    const struct store_object *object)
{
	const struct closing_shard *made;
	struct hash sha256;

	if (!may_stand(run, shard))
		return false;
	made = closing_find(run, shard->index);
	return hash_bytes(object->data, object->len, &sha256) == STATUS_OK &&
	       memcmp(sha256.octet, made->sha256.octet, HASH_BYTES) == 0;
}

enum status
run_signed_previous(struct run *run, const struct run_shard *shard,
    const struct store_object *object)
{
	const struct request_shard *asked = shard->asked;
	struct hash sha256;

	if (hash_bytes(object->data, object->len, &sha256) != STATUS_OK)
		return no_memory(run);
	if (asked->has_previous &&
	    memcmp(sha256.octet, asked->previous_sha256.octet, HASH_BYTES) == 0)
		return STATUS_OK;
	refuse(run, shard->object,
	    "stale: another CRL stands here than when it was staged");
	report_hint(run->report, "stage again, and have that signed");
	return STATUS_REFUSED;
}

enum status
run_signed_lost(const struct run_shard *shard, const struct gate_place *place)
{
	const struct gate_place strict = strict_place(place);
	uint64_t came = shard->rows_unlisted + shard->rows_deferred;
	enum status status;

	if (shard->merge.lost == 0 || came == 0)
		return STATUS_OK;
	status = gate_refuse(&strict, GATE_EARLY_REMOVAL,
	    "%" PRIu64 " published entries would leave by --pass, and %" PRIu64
	    " rows came since this was staged: they may be revoked again",
	    shard->merge.lost, came);
	report_hint(place->report, "stage again, and have that signed");
	return status;
}

/* Nothing is owed any more: all of it stands, and the manifest says so. */
bool
run_signed_is_done(const struct run *run)
{
	if (!run->has_manifest ||
	    uint160_compare(&run->manifest.number, &run->number) != 0)
		return false;
	for (size_t i = 0; i < run->shard_count; i++)
		if (run->shard[i].asked != NULL && !run->shard[i].is_standing)
			return false;
	return true;
}

void
run_signed_tell(struct run *run)
{
	uint64_t changed = 0, unlisted = run->rows.deferred;

	for (size_t i = 0; i < run->shard_count; i++)
		if (run->shard[i].state == RUN_SHARD_STAGED)
			changed += run->shard[i].rows_changed;
	if (unlisted == 0 && changed == 0)
		return;
	report_warn(run->report, run->config->name, SIGNED_RULE, "BR 4.9.7",
	    "not yet listed: %" PRIu64 " rows that came after this was staged, "
	    "and %" PRIu64 " changed entries",
	    unlisted, changed);
	report_hint(run->report,
	    "stage the next set: a revocation is owed within 24 hours");
}

void
run_signed_free(struct run *run)
{
	if (run->signed_set == NULL)
		return;
	request_free(&run->signed_set->request);
	closing_free(&run->signed_set->closing);
	free(run->signed_set);
	run->signed_set = NULL;
}
