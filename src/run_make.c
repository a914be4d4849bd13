/* SPDX-License-Identifier: ISC */
/*
 * One shard from rows to judged bytes on disk. Shards are made by several
 * threads; each touches its own shard only. What fails here leaves the
 * published shard standing.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "crlpress/judge.h"
#include "crlpress/pool.h"
#include "crlpress/utc.h"
#include "run_impl.h"

/* Name of a staged file: "65535.crl". */
#define STAGE_NAME_BYTES 32

/* What a thread keeps from shard to shard: fresh pages cost more than rows. */
struct make_room {
	struct row *rows;
	struct row *scratch;
	size_t count;
	struct signer_buffer tbs;
};

struct make {
	struct run *run;
	struct make_room room[POOL_WORKERS_MOST];
};

/* The rows of one shard, sorted and what the gates left of them. */
struct make_job {
	struct run *run;
	struct run_shard *shard;
	struct gate_place place;
	struct make_room *room;
	struct row *rows;
	size_t count;
	struct row *recorded;         /* sorted; NULL when there are none */
	struct run_signed_rows taken; /* of a CRL that was signed elsewhere */
	/* The signer is told what the number must be above, and holds itself
	 * to it: nothing, where that gate was let pass. */
	struct uint160 number_floor;
};

static enum status
make_no_memory(const struct make_job *job)
{
	return report_fault(job->run->report, STATUS_NO_MEMORY,
	    job->shard->object, NULL, NULL,
	    "out of memory for %" PRIu64 " rows", job->shard->rows.count);
}

static enum status
both(enum status one, enum status other)
{
	return one != STATUS_OK ? one : other;
}

/* RFC 5280, 5.1.2.5. A shorter validity closes it, until that has run out. */
static enum status
gate_next_up(const struct make_job *job)
{
	const struct run *run = job->run;
	int64_t published_sec = job->shard->previous_next_update_sec;
	int64_t ahead_sec = published_sec - run->next_update_sec;
	char here[UTC_ISO_BYTES], there[UTC_ISO_BYTES];
	enum status status;

	if (ahead_sec <= 0)
		return STATUS_OK;
	status = gate_refuse(&job->place, GATE_NEXT_UP,
	    "nextUpdate, have %s, want not before the published %s",
	    utc_to_iso(run->next_update_sec, here),
	    utc_to_iso(published_sec, there));
	if (status != STATUS_OK)
		report_hint(run->report,
		    "where [crl] validity was shortened, --pass %s:all; "
		    "without that this shard stands until a run from %s on",
		    gate_name(GATE_NEXT_UP),
		    utc_to_iso(run->this_update_sec + ahead_sec, here));
	return status;
}

/*
 * RFC 5280, 5.1.2.4, 5.1.2.5 and 5.2.3: what follows is newer in every way.
 * Each is a gate of its own, and all that are closed are told at once.
 */
static enum status
gate_follows(struct make_job *job)
{
	const struct run *run = job->run;
	const struct run_shard *shard = job->shard;
	char have[UINT160_DECIMAL_BYTES], want[UINT160_DECIMAL_BYTES];
	char here[UTC_ISO_BYTES], there[UTC_ISO_BYTES];
	enum status status = STATUS_OK;

	if (uint160_compare(&run->number, &shard->previous_number) > 0)
		job->number_floor = shard->previous_number;
	else
		status = gate_refuse(&job->place, GATE_NUMBER_UP,
		    "crlNumber, have %s, want above the published %s",
		    uint160_to_decimal(&run->number, have),
		    uint160_to_decimal(&shard->previous_number, want));
	if (run->this_update_sec <= shard->previous_this_update_sec)
		status = both(status,
		    gate_refuse(&job->place, GATE_TIME_UP,
			"thisUpdate, have %s, want after the published %s",
			utc_to_iso(run->this_update_sec, here),
			utc_to_iso(shard->previous_this_update_sec, there)));
	return both(status, gate_next_up(job));
}

/*
 * What was to leave, as the last manifest has it, is no loss. Where nothing
 * was foreseen, since there is no manifest of the published CRL, rows alone do
 * not empty a shard, whatever they say of expiry.
 */
static enum status
gate_shard_floor(const struct make_job *job)
{
	const struct run_shard *shard = job->shard;
	uint64_t now = shard->entries + shard->merge.foreseen;
	uint32_t percent = job->run->config->shard_floor_percent;

	if (now * 100 >= shard->previous_entries * percent)
		return STATUS_OK;
	return gate_refuse(&job->place, GATE_SHARD_FLOOR,
	    "far fewer entries than are published, have %" PRIu64
	    ", want at least %" PRIu32 "%% of %" PRIu64,
	    now, percent, shard->previous_entries);
}

/*
 * Whether the CRL that the manifest speaks of listed this row: it was revoked
 * and, as far as can be told, recorded before, and had not expired.
 */
static bool
was_listed(const struct make_job *job, const struct row *row,
    const struct manifest_shard *line, size_t *next)
{
	const struct row *recorded = job->recorded;
	size_t n = (size_t)job->shard->recorded.count;
	bool since = false;

	for (; *next < n &&
	       uint160_compare(&recorded[*next].serial, &row->serial) <= 0;
	     (*next)++)
		since |=
		    uint160_compare(&recorded[*next].serial, &row->serial) ==
			0 &&
		    row_revoked_at(&recorded[*next]) >= line->this_update_sec;
	return !since && row_revoked_at(row) <= line->this_update_sec &&
	       row_not_after(row) >= line->this_update_sec;
}

/*
 * A CRL that is gone from the store cannot be held against rows one by one,
 * and as long as it is gone, all that it listed passes for good. So it is
 * made anew, with a warning, when there is a row for each entry that was not
 * to leave; rows that it cannot have listed do not count.
 */
static enum status
gate_gone(const struct make_job *job, const struct manifest_shard *line)
{
	uint64_t want = line->entries - (line->has_leaving ? line->leaving : 0);
	const char *key = job->shard->key;
	uint64_t have = 0;
	size_t next = 0;

	for (size_t i = 0; i < job->count; i++)
		have += was_listed(job, &job->rows[i], line, &next);
	if (have < want)
		return gate_refuse(&job->place, GATE_PREVIOUS,
		    "%s is gone from the store, have %" PRIu64
		    " rows that it can have listed, want at least the %" PRIu64
		    " entries that the last manifest has and that were to stay",
		    key, have, want);
	report_warn(job->run->report, job->shard->object,
	    gate_name(GATE_PREVIOUS), "house rule",
	    "%s is gone from the store and is made anew, from %" PRIu64
	    " rows of at least %" PRIu64,
	    key, have, want);
	return STATUS_OK;
}

/*
 * The last manifest is a witness too: what it says stands here still does, or
 * something newer. A shard that is gone is made anew where there are rows for
 * all that it listed.
 */
static enum status
gate_known(const struct make_job *job)
{
	const struct run_shard *shard = job->shard;
	const struct manifest_shard *line =
	    manifest_find(&job->run->manifest, shard->index);
	char have[UINT160_DECIMAL_BYTES], want[UINT160_DECIMAL_BYTES];

	if (line == NULL || shard->previous_passed)
		return STATUS_OK;
	if (!shard->has_previous)
		return gate_gone(job, line);
	/* One that the issuer did not sign is for run_gate_scope to tell. */
	if (shard->has_previous && !shard->previous_foreign &&
	    uint160_compare(&shard->previous_number, &line->number) < 0)
		return gate_refuse(&job->place, GATE_PREVIOUS,
		    "%s is older than the last manifest has it, have number "
		    "%s, want %s",
		    shard->key,
		    uint160_to_decimal(&shard->previous_number, have),
		    uint160_to_decimal(&line->number, want));
	return STATUS_OK;
}

static enum status
gather_recorded(struct make_job *job)
{
	const struct row_set *recorded = &job->shard->recorded;
	size_t n = (size_t)recorded->count;

	if (n == 0)
		return STATUS_OK;
	job->recorded = calloc(n, 2 * sizeof(*job->recorded));
	if (job->recorded == NULL)
		return make_no_memory(job);
	return run_rows_sorted(
	    job->run, job->shard, recorded, job->recorded, job->recorded + n);
}

/*
 * What the last manifest says of the very CRL that stands here may be held
 * against it. Of another one it says only what certificates do that were on
 * one before it, and that they still do.
 */
static void
know_expiry(const struct make_job *job, struct gate_published *published)
{
	const struct run_shard *shard = job->shard;
	const struct manifest_shard *line =
	    manifest_find(&job->run->manifest, shard->index);
	int order;

	if (published->crl == NULL || line == NULL)
		return;
	order = uint160_compare(&shard->previous_number, &line->number);
	if (line->has_leaving && order == 0) {
		published->has_leaving = true;
		published->leaving = line->leaving;
	}
	if (!shard->previous_foreign && !shard->previous_passed && order >= 0)
		gate_foresee(published, line);
}

static enum status
merge(struct make_job *job, const struct crl *previous)
{
	struct run_shard *shard = job->shard;
	struct gate_published published = {
	    .crl = previous,
	    .this_update_sec = job->run->this_update_sec,
	};
	enum status status;

	published.recorded = job->recorded;
	published.recorded_count = (size_t)shard->recorded.count;
	published.has_settled =
	    run_settled(job->run, shard, &published.settled_sec);
	if (shard->asked == NULL) {
		published.has_seen =
		    run_edition_seen(job->run, shard, &published.seen_sec);
	} else {
		/* What is on it is listed, and nothing else. */
		published.recorded = job->taken.listed;
		published.recorded_count = job->taken.listed_count;
		published.has_settled = true;
		published.settled_sec = UTC_MAX_SEC;
	}
	know_expiry(job, &published);
	status = gate_merge(&job->place, job->rows, job->count, &published,
	    &job->count, &shard->merge, &shard->changes);
	shard->entries = job->count;
	/* The entries of a CRL as a source do not tell. */
	shard->has_expiring = job->run->snapshot.kind != SOURCE_CRL;
	return status;
}

/*
 * Whether somebody published here since the snapshot was about to be taken. A
 * dry run has what it surveyed.
 */
static bool
is_overtaken(const struct make_job *job)
{
	const struct run_shard *shard = job->shard;

	return !job->run->options->dry_run &&
	       strcmp(shard->previous_version.text,
		   shard->surveyed_version.text) != 0;
}

/* It was put before, by a run that did not come to its manifest. */
static enum status
adopt_standing(struct make_job *job)
{
	struct run_shard *shard = job->shard;
	enum status status = merge(job, NULL);

	shard->is_standing = true;
	shard->previous_entries = shard->entries;
	shard->merge.added = shard->asked->added;
	return status;
}

/* Where the key is elsewhere: what stood there when this was staged. */
static enum status
gate_elsewhere(struct make_job *job, const struct store_object *object)
{
	if (job->run->options->stage_dir != NULL)
		return run_stage_previous(job->run, job->shard, object);
	if (job->shard->asked != NULL)
		return run_signed_previous(job->run, job->shard, object);
	return STATUS_OK;
}

/* Everything that is held against the CRL now published. */
static enum status
judge_previous(struct make_job *job)
{
	const struct gate_merge *merged = &job->shard->merge;
	struct store_object object = {0};
	struct crl previous;
	enum status status;

	status = run_previous_read(job->run, job->shard, &object, &previous);
	/* Its rows may be newer than ours: nothing here can be held against
	 * it. */
	if ((status == STATUS_OK || status == STATUS_NOT_FOUND) &&
	    is_overtaken(job)) {
		store_object_free(&object);
		return STATUS_CONFLICT;
	}
	if (status == STATUS_NOT_FOUND) {
		status = gate_known(job);
		if (job->shard->is_gone)
			status = both(status, gate_follows(job));
		return both(status, merge(job, NULL));
	}
	if (status != STATUS_OK)
		return status;
	if (job->shard->asked != NULL &&
	    run_signed_stands(job->run, job->shard, &object)) {
		store_object_free(&object);
		return adopt_standing(job);
	}
	status = gate_known(job);
	if (status == STATUS_OK)
		status = run_gate_scope(
		    job->run, job->shard, &job->place, &previous);
	if (status == STATUS_OK)
		status = gate_follows(job);
	if (status == STATUS_OK)
		status = gate_elsewhere(job, &object);
	if (status == STATUS_OK)
		status = merge(job, &previous);
	if (status == STATUS_OK && job->shard->asked != NULL)
		status = run_signed_lost(job->shard, &job->place);
	store_object_free(&object);
	job->shard->previous_entries =
	    merged->kept + merged->removed + merged->lost;
	return status == STATUS_OK ? gate_shard_floor(job) : status;
}

/* Half as much again as is wanted: shards differ a little. */
static enum status
make_room(struct make_job *job, size_t n)
{
	struct make_room *room = job->room;

	if (n < room->count)
		return STATUS_OK;
	free(room->rows);
	free(room->scratch);
	room->count = n + n / 2 + 1;
	room->rows = calloc(room->count, sizeof(*room->rows));
	room->scratch = calloc(room->count, sizeof(*room->scratch));
	if (room->rows != NULL && room->scratch != NULL)
		return STATUS_OK;
	free(room->rows);
	free(room->scratch);
	room->rows = room->scratch = NULL;
	room->count = 0;
	return make_no_memory(job);
}

static enum status
gather(struct make_job *job)
{
	struct run_shard *shard = job->shard;
	size_t n = (size_t)shard->rows.count;
	enum status status = make_room(job, n);

	if (status != STATUS_OK)
		return status;
	job->rows = job->room->rows;
	status = run_rows_sorted(
	    job->run, shard, &shard->rows, job->rows, job->room->scratch);
	if (status != STATUS_OK)
		return status;
	return gate_unique(
	    &job->place, job->rows, n, &job->count, &shard->merge);
}

static struct crl_header
make_header(const struct make_job *job)
{
	const struct issuer_facts *facts = issuer_facts(job->run->issuer);
	const struct run *run = job->run;
	struct crl_view algorithm = {run->algorithm, run->algorithm_len};

	if (run->signer != NULL)
		algorithm = signer_algorithm(run->signer);

	return (struct crl_header){
	    .algorithm = algorithm.data,
	    .algorithm_len = algorithm.len,
	    .issuer = facts->subject.data,
	    .issuer_len = facts->subject.len,
	    .key_id = facts->key_id.data,
	    .key_id_len = facts->key_id.len,
	    .this_update_sec = job->run->this_update_sec,
	    .next_update_sec = job->run->next_update_sec,
	    .number = job->run->number,
	    .url = job->shard->url,
	    .scope = job->run->config->scope,
	};
}

/* The signed CRL to disk: SEQUENCE header, TBS, algorithm and signature. */
static enum status
stage(const struct make_job *job, const struct signer_buffer *tbs,
    const struct crl_header *header, const struct signer_signature *signature)
{
	uint8_t prefix[CRL_PREFIX_BYTES], suffix[CRL_SUFFIX_BYTES_MOST];
	char name[STAGE_NAME_BYTES];
	struct stage_part part[3];
	size_t suffix_len;

	suffix_len = crl_suffix_write(header->algorithm, header->algorithm_len,
	    signature->octet, signature->len, suffix);
	if (suffix_len == 0)
		return report_fault(job->run->report, STATUS_FAILED,
		    job->shard->object, NULL, NULL, "signature too long");
	part[0] = (struct stage_part){
	    prefix, crl_prefix_write(tbs->size, suffix_len, prefix)};
	part[1] = (struct stage_part){tbs->data, tbs->size};
	part[2] = (struct stage_part){suffix, suffix_len};
	snprintf(name, sizeof(name), "%" PRIu32 ".crl", job->shard->index);
	return stage_write(job->run->state, name, part, 3, &job->shard->staged);
}

/*
 * Or hands over what is to be signed. What is judged and thrown away then has
 * a signature of one octet, which nobody looks at.
 */
static enum status
sign(const struct make_job *job, struct signer_buffer *tbs,
    struct signer_signature *signature)
{
	if (job->run->options->stage_dir == NULL)
		return signer_sign(job->run->signer, tbs, &job->number_floor,
		    job->shard->object, job->run->report, signature);
	signature->len = 1;
	signature->octet[0] = 0;
	return run_stage_shard(job->run, job->shard, tbs);
}

static enum status
encode_and_sign(const struct make_job *job)
{
	struct crl_header header = make_header(job);
	struct signer_buffer *tbs = &job->room->tbs;
	struct signer_signature signature;
	const char *why = NULL;
	enum status status;
	size_t size = 0;

	status = crl_tbs_size(&header, job->rows, job->count, &size, &why);
	if (status != STATUS_OK)
		return report_fault(job->run->report, STATUS_REFUSED,
		    job->shard->object, "size", "house rule", "%s", why);
	status = signer_buffer_resize(tbs, size, job->run->report);
	if (status == STATUS_OK) {
		crl_tbs_write(&header, job->rows, job->count, tbs->data, size);
		status = sign(job, tbs, &signature);
	}
	if (status == STATUS_OK)
		status = stage(job, tbs, &header, &signature);
	return status;
}

static enum status
judge_staged(const struct make_job *job)
{
	const struct run *run = job->run;
	struct judge_meant meant = {
	    .lint =
		{
		    .profile = run->config->profile,
		    .issuer =
			run->options->stage_dir != NULL ? NULL : run->issuer,
		    .url = job->shard->url,
		    .ours = true,
		    .has_ocsp = run->config->has_ocsp,
		    .now_sec = run->now_sec,
		    .skew_sec = run->config->skew_sec,
		    .bytes_most = run->config->size_most,
		},
	    .this_update_sec = run->this_update_sec,
	    .next_update_sec = run->next_update_sec,
	    .number = run->number,
	    .scope = run->config->scope,
	    .rows = job->rows,
	    .row_count = job->count,
	};

	return judge_file(job->shard->staged.path, &meant, job->shard->object,
	    run->report, &job->shard->staged.sha256);
}

/* The rows that are listed, of one that was signed elsewhere. */
static enum status
take_signed(struct make_job *job)
{
	enum status status;

	if (job->shard->asked == NULL)
		return STATUS_OK;
	job->taken = (struct run_signed_rows){
	    .row = job->rows,
	    .count = job->count,
	};
	status =
	    run_signed_take(job->run, job->shard, &job->place, &job->taken);
	job->count = job->taken.count;
	return status;
}

static enum status
make_steps(struct make_job *job)
{
	enum status status = gather(job);

	if (status == STATUS_OK)
		status = gather_recorded(job);
	if (status == STATUS_OK)
		status = take_signed(job);
	if (status == STATUS_OK)
		status = judge_previous(job);
	if (status == STATUS_OK)
		run_asked_mark(job->run, job->shard, job->rows, job->count);
	if (status == STATUS_OK && job->shard->asked == NULL)
		status = encode_and_sign(job);
	if (status == STATUS_OK)
		status = judge_staged(job);
	free(job->recorded);
	free(job->taken.listed);
	job->recorded = job->taken.listed = NULL;
	return status;
}

static void
make_shard(void *context, unsigned worker, size_t i)
{
	struct make *make = context;
	struct run *run = make->run;
	struct run_shard *shard = &run->shard[i];
	struct make_job job = {
	    .run = run,
	    .shard = shard,
	    .place = run_shard_place(run, shard),
	    .room = &make->room[worker],
	};
	enum status status = STATUS_REFUSED;

	/* Of a shared run: made before, or another host's. */
	if (run->work != NULL && !run->is_again &&
	    shard->state != RUN_SHARD_PENDING)
		return;
	if (shard->state == RUN_SHARD_PENDING && !shard->rows_refused)
		status = make_steps(&job);
	shard->state = status == STATUS_OK         ? RUN_SHARD_STAGED
		       : status == STATUS_REFUSED  ? RUN_SHARD_WITHHELD
		       : status == STATUS_CONFLICT ? RUN_SHARD_OVERTAKEN
						   : RUN_SHARD_FAILED;
	shard->number = run->number;
	shard->this_update_sec = run->this_update_sec;
	shard->next_update_sec = run->next_update_sec;
	progress_add(run->progress, 1);
}

void
run_make(struct run *run)
{
	struct make make = {.run = run};

	progress_phase(run->progress, "making shards", run->shard_count);
	pool_run(run_memory_workers(run), run->shard_count, make_shard, &make);
	progress_clear(run->progress);
	for (size_t i = 0; i < POOL_WORKERS_MOST; i++) {
		free(make.room[i].rows);
		free(make.room[i].scratch);
		signer_buffer_free(&make.room[i].tbs);
	}
}
