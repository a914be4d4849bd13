/* SPDX-License-Identifier: ISC */
/* What the files of a run share; see run.h for who does what. */
#ifndef CRLPRESS_RUN_IMPL_H
#define CRLPRESS_RUN_IMPL_H

#include <stdatomic.h>

#include "crlpress/crl_build.h"
#include "crlpress/crl_read.h"
#include "crlpress/issuer.h"
#include "crlpress/manifest.h"
#include "crlpress/request.h"
#include "crlpress/row.h"
#include "crlpress/row_spill.h"
#include "crlpress/run.h"
#include "crlpress/signer.h"
#include "crlpress/source.h"
#include "crlpress/source_certificate.h"
#include "crlpress/source_share.h"
#include "crlpress/state.h"
#include "crlpress/store.h"

/* Seconds and a process number, "1795324189-12345". */
#define RUN_ID_BYTES 48

/* "issuer/shard 65535" with the longest name of an issuer. */
#define RUN_OBJECT_BYTES 160

enum run_shard_state {
	RUN_SHARD_PENDING,
	RUN_SHARD_WITHHELD, /* a gate closed: the old one stands */
	RUN_SHARD_FAILED,   /* something broke: the old one stands */
	RUN_SHARD_STAGED,   /* signed and judged */
	RUN_SHARD_PUBLISHED,
	RUN_SHARD_UNPLACED, /* staged, but the store did not take it */
	/* Somebody published it since it was surveyed: to be made again. */
	RUN_SHARD_OVERTAKEN,
	RUN_SHARD_ELSEWHERE, /* of a shared run: another host has it */
};

struct run_shard {
	uint32_t index;
	char object[RUN_OBJECT_BYTES];
	char *url;
	char *key;
	enum run_shard_state state;

	/* What is published, as judged. */
	bool has_previous;
	bool previous_passed;  /* no CRL, and let pass */
	bool previous_unread;  /* that, since it could not even be read */
	bool previous_foreign; /* its number did not count */
	/* The last manifest has a CRL that does not stand here; what follows
	 * is of that one, but for the version. */
	bool is_gone;
	struct uint160 previous_number;
	int64_t previous_this_update_sec;
	int64_t previous_next_update_sec;
	uint64_t previous_entries;
	struct store_version previous_version;
	/* As it was before the snapshot was taken. The rows are newer than
	 * that, and than nothing that came later. */
	struct store_version surveyed_version;
	bool is_kept; /* a dry run: the object as it was surveyed */
	bool is_left; /* not kept: too much */
	struct store_object kept;

	/* What the snapshot says. */
	struct row_set rows;
	uint64_t rows_faulty;   /* named and not in `rows` */
	uint64_t rows_deferred; /* for the next run */
	/* What became of all of these; they are counted in run->rows. */
	struct manifest_rows tally;
	bool rows_refused; /* a faulty row withholds the shard */
	/* Serials that were recorded of late, recorded_at in revoked_at's
	 * place; empty where the source does not tell (run_collect.c). */
	struct row_set recorded;
	int64_t recorded_since_sec; /* then, or later */

	/* What was made of it: of the run, or of the one that made it again. */
	struct uint160 number;
	int64_t this_update_sec;
	int64_t next_update_sec;
	int64_t published_sec; /* when the store had it */
	struct gate_merge merge;
	struct gate_changes changes; /* none where nothing was published */
	uint64_t entries;
	struct stage_file staged;
	/* Every row that was recorded before the CRL that this replaces was
	 * made could be listed on that or on this (manifest_shard.settled). */
	bool is_settled;
	bool has_expiring;     /* merge.expiring is known: rows tell it */
	uint64_t late;         /* of those added, recorded too long ago */
	uint32_t gates_closed; /* a bit (1 << gate) for each */
	/* With --stage-tbs: what is to be signed, and what stood there. */
	uint64_t tbs_size;
	struct hash tbs_sha256;
	struct hash previous_sha256;
	/* With --signed: what was asked for; NULL: it was withheld then. */
	const struct request_shard *asked;
	bool is_standing; /* put by a run that ended before its manifest */
	uint64_t rows_unlisted; /* came, or were seen, since it was staged */
	uint64_t rows_changed;  /* of entries, for the next CRL to tell */
	bool unledgered;        /* published, but the ledger does not say so */
	bool public_other;      /* published, but its URL serves another */
	bool may_stand;         /* unplaced, as far as can be told */
	struct uint160 found;   /* what the ledger was told that stands here */
};

/* Where the time of a run goes, for its report. */
enum run_phase {
	RUN_PHASE_OPEN,
	RUN_PHASE_READ,
	RUN_PHASE_MAKE,
	RUN_PHASE_PUBLISH,
	RUN_PHASE_COUNT
};

struct run {
	const struct config *config;
	struct run_options *options;
	const struct context *context;
	struct report *report;
	struct progress *progress;

	struct issuer *issuer;
	struct source_points points; /* of the scheme cdp */
	struct signer *signer;
	struct state *state;
	struct store *store;
	struct source *source;
	struct ledger *ledger; /* NULL in a dry run */
	char id[RUN_ID_BYTES]; /* of its lines there */
	/* Whether what was published stands there, and in the state. */
	enum status ledgered;
	struct source_snapshot snapshot;
	bool has_manifest;
	struct manifest manifest; /* of the run before */
	struct store_version manifest_version;
	struct uint160 published; /* last manifest from here, as of the start */
	/* The manifest that this run put, and when; NULL: none, or none is to
	 * be archived. */
	char *put_text;
	size_t put_len;
	int64_t put_sec;
	bool surveyed;      /* what stands in the store was looked at */
	bool previous_kept; /* a dry run reads no more of the store */
	atomic_size_t kept_bytes;

	int64_t now_sec; /* what staleness is held against */
	int64_t this_update_sec;
	int64_t next_update_sec;
	bool has_times; /* these are known, as the number is when it is not 0 */
	struct uint160 number;
	/* With --stage-tbs or --signed: run_stage.c, run_signed.c. */
	uint8_t algorithm[SIGNER_ALGORITHM_BYTES_MOST];
	size_t algorithm_len;
	struct hash request_sha256;
	bool stage_made_dir;
	bool stage_is_ours; /* it was empty */
	bool stage_is_done; /* the request is there */
	struct run_signed *signed_set;
	uint64_t rows_unlisted; /* of rows.deferred */
	bool has_lookback;      /* another host's; else it is chosen here */
	int64_t lookback_sec;
	struct work *work; /* NULL, or the run is shared */

	atomic_bool stop_reading; /* waits for the database end */
	struct row_spill *spill;  /* the rows' budget */
	struct row_arena *arena;
	struct run_shard *shard;
	size_t shard_count; /* by rising index */
	bool is_again;      /* the signer, the store and so on are another's */
	bool by_shard;      /* a statement a shard, not one for all rows */
	struct manifest_rows rows;
	uint64_t rows_elsewhere; /* of shards that are not of this run */
	uint64_t rows_unplaced;
	bool tells_recorded;   /* the source has a column recorded_at */
	uint32_t gates_closed; /* of the run, not of a shard */

	bool made; /* there is something to tell */
	enum status status;
	double started_sec;
	double seconds;
	double phase_seconds[RUN_PHASE_COUNT];
	uint64_t signer_kib;
	uint64_t scratch_bytes; /* of rows that went to a file */
};

/* run_gate.c, run_gate_store.c: each returns STATUS_REFUSED when it closed. */
enum status run_gate_issuer(struct run *run) MUST_CHECK;
enum status run_gate_clock(struct run *run) MUST_CHECK;
enum status run_gate_database(struct run *run) MUST_CHECK;
enum status run_gate_set(struct run *run) MUST_CHECK;
/* `puts` was read before the store was looked at. */
enum status run_gate_store(
    struct run *run, const struct state_puts *puts) MUST_CHECK;
enum status run_gate_rows(struct run *run) MUST_CHECK;
enum status run_gate_floor(struct run *run) MUST_CHECK;
enum status run_gate_floor_of(const struct run *run,
    const struct gate_place *place, uint64_t before, uint64_t now) MUST_CHECK;
/* run_edition.c: what rows were read from, for a list to remember. */
struct source_origin run_origin(const struct run *run);
/* The same of a source that is a file. */
enum status run_gate_edition(struct run *run) MUST_CHECK;
/* Not an older one than `then`, which `where` has. */
enum status run_gate_edition_of(struct run *run, enum source_kind kind,
    const struct source_edition *then, const char *where) MUST_CHECK;
/* What the source had at least not yet when the published CRL of this shard was
 * made: nothing that was revoked after this; false: that is not known. */
bool run_edition_seen(
    const struct run *run, const struct run_shard *shard, int64_t *sec);
struct gate_place run_place(struct run *run);
struct gate_place run_shard_place(
    struct run *run, const struct run_shard *shard);

/* run_open.c */
enum status run_open(struct run *run) MUST_CHECK;
/* What the store has of the shards of this run. */
enum status run_look(struct run *run) MUST_CHECK;
/* The manifest in the store: STATUS_NOT_FOUND when there is none. */
enum status run_manifest_get(struct run *run, const char *key,
    struct manifest *manifest, struct store_version *version) MUST_CHECK;
/* A snapshot, the times, the number. */
enum status run_open_source(struct run *run) MUST_CHECK;
/* The rows of one shard. */
enum status run_start_rows(
    struct run *run, const struct run_shard *shard) MUST_CHECK;
/* From when on expired rows are asked for. */
int64_t run_lookback(const struct run *run);
/* The configured source; `sql` is what source_start reads. */
enum status run_connect(struct run *run, struct source **source) MUST_CHECK;
/* The same, in the snapshot that the run's source shares; faults go there. */
enum status run_connect_shared(struct run *run,
    const struct source_share *share, struct report *report,
    struct source **source) MUST_CHECK;
/* How many connections may read. */
unsigned run_connections(const struct run *run);

/* run_previous.c: what is published of a shard. */

/*
 * Reads and parses the published object of a shard; fills the previous_...
 * fields. STATUS_NOT_FOUND when nothing is published, STATUS_REFUSED when it
 * cannot be followed: the shard is to be withheld. `crl` looks into `object`,
 * which the caller frees.
 */
enum status run_previous_read(struct run *run, struct run_shard *shard,
    struct store_object *object, struct crl *crl) MUST_CHECK;

/* The same of all shards, several at a time, for times and numbers; keeps
 * bytes in a dry run only, until run_previous_forget. */
enum status run_previous_survey(struct run *run) MUST_CHECK;
void run_previous_forget(struct run *run);

/* The same of one shard once more, since its number would matter. */
enum status run_previous_again(
    struct run *run, struct run_shard *shard) MUST_CHECK;

/* run_number.c: takes the number of this run. */
enum status run_choose_number(struct run *run) MUST_CHECK;

/* run_asked.c: the serials that a push is asked for. */
/* Finds out the shard of each. */
enum status run_asked_locate(struct run *run) MUST_CHECK;
/* A row of a shard of this run: when it was recorded, if it was asked for. */
void run_asked_note(struct run *run, const struct source_row *row);
/* These sorted rows are to be listed in a shard that was merged. */
void run_asked_mark(struct run *run, const struct run_shard *shard,
    const struct row *rows, size_t n);
/* Whether all stand in what was made. */
enum status run_asked_judge(struct run *run) MUST_CHECK;

/* run_collect.c */
enum status run_collect(struct run *run) MUST_CHECK;

/* run_memory.c: how much memory the rows and those who work on them take. */
/* The budget of the rows, before any is read. */
enum status run_memory_open(struct run *run) MUST_CHECK;
/* Readers, and threads that make shards, that there is memory for. */
unsigned run_memory_readers(const struct run *run, unsigned most);
unsigned run_memory_workers(const struct run *run);
/* For the hashes that find serials in two shards, beside the rows. */
uint64_t run_memory_disjoint(const struct run *run);
/* Rows of a set, sorted; `scratch` has room for as many. */
enum status run_rows_sorted(struct run *run, const struct run_shard *shard,
    const struct row_set *set, struct row *rows,
    struct row *scratch) MUST_CHECK;
/* What is wrong when rows cannot be kept or had back: static text. */
const char *run_memory_fault(const struct run *run, enum status status);

/* run_disjoint.c: serials with rows in two shards withhold both. */
enum status run_gate_disjoint(struct run *run) MUST_CHECK;

/*
 * run_period.c: whether runs come as often as they are owed; only warnings.
 * run_period_serials counts in shard->late; it fails for want of memory.
 */
void run_period_last(struct run *run);
enum status run_period_serials(struct run *run) MUST_CHECK;

/*
 * What the last manifest knows of the published CRL (gate_published.settled);
 * false: nothing.
 */
bool run_settled(
    const struct run *run, const struct run_shard *shard, int64_t *sec);

/* Chooses what shard->recorded will have. */
void run_recorded_begin(struct run *run);
/* The same for all shards at once, for a statement that yields all rows. */
struct source_recorded run_recorded_wanted(const struct run *run);

/* The same, sorted, to look a serial up in: run_recorded_free. */
struct run_recorded {
	struct row *row;
	size_t count;
};

enum status run_recorded_load(struct run *run, const struct run_shard *shard,
    struct run_recorded *recorded) MUST_CHECK;
/* When it was recorded first; false: not of late, or not told. */
bool run_recorded_find(const struct run_recorded *recorded,
    const struct uint160 *serial, int64_t *sec);
void run_recorded_free(struct run_recorded *recorded);

/*
 * run_ledger.c: what the ledger is told, nothing by a dry run. Failures are
 * reported. run_ledger_published, for threads, marks the shard instead, and
 * run_ledger_sync, which makes all of it durable, then fails.
 */
enum status run_ledger_open(struct run *run) MUST_CHECK;
/* CRLs that stand in the store and are not those of the manifest that the run
 * began with; each is told once. */
enum status run_ledger_found(struct run *run) MUST_CHECK;
/* What is staged, before any of it is put; it is on disk then. */
enum status run_ledger_publishing(struct run *run) MUST_CHECK;
enum status run_ledger_passed(struct run *run) MUST_CHECK;
/* That a request is about to be there. */
enum status run_ledger_staged(struct run *run) MUST_CHECK;
void run_ledger_published(struct run *run, struct run_shard *shard);
enum status run_ledger_sync(struct run *run) MUST_CHECK;
/* Says how the run ended, by run->status, and closes it. */
enum status run_ledger_end(struct run *run) MUST_CHECK;

/* run_renamed.c: what stands in the store is of no other name. */
enum status run_gate_renamed(struct run *run) MUST_CHECK;

/* run_scope.c: whether the published CRL is an older one of this shard. */
enum status run_gate_scope(struct run *run, const struct run_shard *shard,
    const struct gate_place *place, const struct crl *previous) MUST_CHECK;

/* run_make.c: makes every shard; each ends staged, withheld or failed. */
void run_make(struct run *run);

/*
 * run_again.c: makes the shards that were overtaken once more, from a new
 * snapshot, and puts them, some times if need be. None is left overtaken.
 */
void run_again(struct run *run);
/* Waits a little, by chance more or less; longer with each attempt. */
void run_pause(const struct run *run, unsigned attempt);

/* run_publish.c */
/* How many threads the store is good for. */
unsigned run_store_workers(const struct run *run);
/* Puts what is staged; sets run->ledgered. */
void run_put_shards(struct run *run);
/* Makes it durable, and then known to the state; sets run->ledgered. */
enum status run_store_sync(struct run *run) MUST_CHECK;
/*
 * Puts bytes that were synced to local disk as `name` first; path, size and
 * hash of `upload` are filled in. STATUS_CONFLICT as store_put.
 */
enum status run_put_bytes(struct run *run, const char *name,
    struct stage_part part, struct store *store,
    struct store_upload *upload) MUST_CHECK;
/* What the manifest says of a shard that was made, but for URL and key. */
void run_fill_line(const struct run_shard *shard, struct manifest_shard *line);
bool run_is_interrupted(const struct run *run);
enum status run_upload(struct run *run) MUST_CHECK;
enum status run_put_manifest(struct run *run) MUST_CHECK;

/* "floor:7", as in --pass, to be freed; NULL: no memory. */
char *run_pass_text(const struct gate_pass *pass);

/*
 * run_stage.c: what would be signed, in a directory. run_stage_open checks
 * that it is empty and finds out the algorithm of the key, which is elsewhere.
 * Faults are reported.
 */
enum status run_stage_open(
    struct run *run, const struct signer_config *signer) MUST_CHECK;
enum status run_stage_previous(struct run *run, struct run_shard *shard,
    const struct store_object *object) MUST_CHECK;
enum status run_stage_shard(struct run *run, struct run_shard *shard,
    const struct signer_buffer *tbs) MUST_CHECK;
/* The request, when all is judged; in place of publishing. */
enum status run_stage_close(struct run *run) MUST_CHECK;
/* Takes away what has no request in the end. */
void run_stage_end(struct run *run);
/* The last request that was staged, in the state directory; to be freed. */
char *run_staged_path(struct run *run);

/*
 * run_signed.c: what was signed elsewhere, in place of signing. All but
 * run_signed_take, which threads call, are the main thread's.
 */
enum status run_signed_open(struct run *run) MUST_CHECK;
/* After the snapshot: times, number, what is asked of each shard. */
void run_signed_times(struct run *run);
enum status run_signed_begin(struct run *run) MUST_CHECK;

/* Sorted, unique rows of a shard, and serials that its signed CRL lists. */
struct run_signed_rows {
	struct row *row;
	size_t count;
	struct row *listed; /* to be freed; revoked_at and not_after mean
			       nothing */
	size_t listed_count;
};

/*
 * Stages the signed CRL of a shard and leaves the rows that it lists, as it
 * lists them, and those that prove that what stands there may leave.
 * STATUS_REFUSED when a row is wanting or says something else.
 */
enum status run_signed_take(struct run *run, struct run_shard *shard,
    const struct gate_place *place, struct run_signed_rows *rows) MUST_CHECK;
/* Whether what stands there is the very CRL that is to be published. */
bool run_signed_stands(const struct run *run, const struct run_shard *shard,
    const struct store_object *object);
/* That it is what stood there when this was staged. */
enum status run_signed_previous(struct run *run, const struct run_shard *shard,
    const struct store_object *object) MUST_CHECK;
/* Of what leaves since it had no row as it was staged, none has one now. */
enum status run_signed_lost(
    const struct run_shard *shard, const struct gate_place *place) MUST_CHECK;
bool run_signed_is_done(const struct run *run);
void run_signed_tell(struct run *run);
void run_signed_free(struct run *run);

/*
 * run_archive.c: keeps what was published, by option. That it failed is
 * reported, and STATUS_PARTIAL: what was published stays so, and what waits on
 * local disk is archived by the next run.
 */
enum status run_archive(struct run *run) MUST_CHECK;
/* Takes over the text of a manifest that was put. */
void run_archive_note(struct run *run, char *text, size_t len, int64_t put_sec);

/* run_share.c: from the look at the store to the manifest, with others. */
enum status run_share(struct run *run) MUST_CHECK;
/* Writes down what is staged before it is put: no more is it when that fails,
 * which is reported, but for STATUS_CONFLICT: the lease was lost. */
enum status run_share_attempt(struct run *run) MUST_CHECK;

/* run_diff.c: what differs from the published CRLs, entry by entry. */
void run_diff_print(const struct run *run, FILE *stream);
void run_diff_print_json(const struct run_shard *shard, struct json *json);

/* run_report.c */
/* "withheld": static text. */
const char *run_shard_state_name(enum run_shard_state state);
/* Staged or published. */
bool run_shard_is_made(const struct run_shard *shard);
void run_print_json_rows(const struct run *run, struct json *json);

/* run.c */
/* In run->rows, these rows have become those. */
void run_rows_replace(struct run *run, const struct manifest_rows *these,
    const struct manifest_rows *those);
/* Where the rows went, when shards were made. */
void run_count_rows(struct run *run);
/* The law counts on an old shard that is valid; says where it is not. */
void run_warn_stale(struct run *run);
/* run_size.c: warns once of shards beyond size_warning. */
void run_warn_size(const struct run *run);
/* What the exit status says when every step was done. */
enum status run_verdict(const struct run *run);

/* Of what was put and could not be read back. */
uint64_t run_count_unknown(const struct run *run);

/* STATUS_PARTIAL when something was published, or may be; STATUS_FAILED. */
enum status run_failed(const struct run *run);
uint64_t run_count_shards(const struct run *run, enum run_shard_state state);
/* NULL: not of this run. */
struct run_shard *run_shard_find(struct run *run, uint32_t index);
/* From the look at the store to shards that may be put. */
enum status run_round(struct run *run) MUST_CHECK;
void run_shards_free(struct run *run);

#endif
