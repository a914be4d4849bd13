/* SPDX-License-Identifier: ISC */
/* What the files of a run share; see run.h for who does what. */
#ifndef CRLPRESS_RUN_IMPL_H
#define CRLPRESS_RUN_IMPL_H

#include "crlpress/crl_build.h"
#include "crlpress/crl_read.h"
#include "crlpress/issuer.h"
#include "crlpress/manifest.h"
#include "crlpress/row.h"
#include "crlpress/run.h"
#include "crlpress/signer.h"
#include "crlpress/source.h"
#include "crlpress/state.h"
#include "crlpress/store.h"

/* "issuer/shard 65535" with the longest name of an issuer. */
#define RUN_OBJECT_BYTES 160

enum run_shard_state {
	RUN_SHARD_PENDING,
	RUN_SHARD_WITHHELD, /* a gate closed: the old one stands */
	RUN_SHARD_FAILED,   /* something broke: the old one stands */
	RUN_SHARD_STAGED,   /* signed and judged */
	RUN_SHARD_PUBLISHED,
	RUN_SHARD_UNPLACED, /* staged, but the store did not take it */
};

struct run_shard {
	uint32_t index;
	char object[RUN_OBJECT_BYTES];
	char *url;
	char *key;
	enum run_shard_state state;

	/* What is published, as judged. */
	bool has_previous;
	bool previous_passed; /* no CRL, and let pass */
	struct uint160 previous_number;
	int64_t previous_this_update_sec;
	int64_t previous_next_update_sec;
	uint64_t previous_entries;
	struct store_version previous_version;

	/* What the snapshot says. */
	struct row_set rows;
	uint64_t rows_faulty; /* named and not in `rows` */
	bool rows_refused;    /* a faulty row withholds the shard */

	/* What was made of it. */
	struct gate_merge merge;
	uint64_t entries;
	struct stage_file staged;
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
	struct signer *signer;
	struct state *state;
	struct store *store;
	struct source *source;
	struct source_snapshot snapshot;
	bool has_manifest;
	struct manifest manifest; /* of the run before */
	struct store_version manifest_version;

	int64_t this_update_sec;
	int64_t next_update_sec;
	struct uint160 number;

	struct row_arena *arena;
	struct run_shard *shard;
	size_t shard_count;
	struct manifest_rows rows;
	uint64_t rows_unplaced;

	bool made; /* there is something to tell */
	enum status status;
	double started_sec;
	double seconds;
	double phase_seconds[RUN_PHASE_COUNT];
	uint64_t signer_kib;
};

/* run_gate.c: each returns STATUS_REFUSED when it closed. */
enum status run_gate_issuer(struct run *run) MUST_CHECK;
enum status run_gate_clock(struct run *run) MUST_CHECK;
enum status run_gate_database(struct run *run) MUST_CHECK;
enum status run_gate_set(struct run *run) MUST_CHECK;
enum status run_gate_store(struct run *run) MUST_CHECK;
enum status run_gate_rows(struct run *run) MUST_CHECK;
enum status run_gate_floor(struct run *run) MUST_CHECK;
struct gate_place run_place(struct run *run);
struct gate_place run_shard_place(
    struct run *run, const struct run_shard *shard);

/* run_open.c */
enum status run_open(struct run *run) MUST_CHECK;
enum status run_open_source(struct run *run) MUST_CHECK;

/* run_previous.c: what is published of a shard. */

/*
 * Reads and parses the published object of a shard; fills the previous_...
 * fields. STATUS_NOT_FOUND when nothing is published. `crl` looks into
 * `object`, which the caller frees.
 */
enum status run_previous_read(struct run *run, struct run_shard *shard,
    struct store_object *object, struct crl *crl) MUST_CHECK;

/* The same of all shards, for times and numbers; keeps no bytes. */
enum status run_previous_survey(struct run *run) MUST_CHECK;

/* run_collect.c */
enum status run_collect(struct run *run) MUST_CHECK;

/* run_make.c: makes every shard; each ends staged, withheld or failed. */
void run_make(struct run *run);

/* run_publish.c */
enum status run_upload(struct run *run) MUST_CHECK;
enum status run_put_manifest(struct run *run) MUST_CHECK;

/* run.c */
uint64_t run_count_shards(const struct run *run, enum run_shard_state state);

#endif
