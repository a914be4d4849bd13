/* SPDX-License-Identifier: ISC */
/*
 * A run: the revoked certificates of one issuer, from one snapshot of its
 * database to signed, judged and published shards.
 *
 *   open      lock, signer, store, manifest, database snapshot
 *   collect   rows into one set a shard                     run_collect.c
 *   make      merge, encode, sign, stage, judge each shard  run_make.c
 *   gates     what stops the whole issuer                   run_gate.c
 *   publish   compare-and-swap puts, manifest last          run_publish.c
 *   stage     in place of that: what is to be signed        run_stage.c
 *   signed    in place of signing: what was, elsewhere      run_signed.c
 *   again     what others published meanwhile, made anew    run_again.c
 *   share     make and publish with other hosts            run_share.c
 *   tell      the summary line, the JSON report             run_report.c
 */
#ifndef CRLPRESS_RUN_H
#define CRLPRESS_RUN_H

#include <stdbool.h>
#include <stdint.h>

#include "crlpress/config.h"
#include "crlpress/context.h"
#include "crlpress/gate.h"
#include "crlpress/json.h"
#include "crlpress/progress.h"
#include "crlpress/report.h"
#include "crlpress/status.h"
#include "crlpress/uint160.h"

/* Whether the CRL that was replaced listed a serial already. */
enum run_before {
	RUN_BEFORE_UNKNOWN, /* it was gone, or could not be taken at its word */
	RUN_BEFORE_NOT,
	RUN_BEFORE_LISTED,
	RUN_BEFORE_CHANGED, /* with another date or reason */
};

/* A serial that must stand on what a push publishes. */
struct run_asked {
	struct uint160 serial;
	/* Of the certificate, or found out; then what became of it. */
	bool has_shard;
	uint32_t shard;
	bool listed;
	bool deferred; /* revoked after thisUpdate: the next one's */
	bool has_recorded;
	int64_t recorded_at_sec;
	/* Of one that is listed: whether that is news. */
	enum run_before before;
	struct uint160 before_number; /* of the CRL that listed it */
	int64_t before_this_update_sec;
};

/* A push of more serials than this is a run. */
#define RUN_ASKED_MOST 1000000

struct run_options {
	/* Only some shards, beside a run of all of them: those in `only` and
	 * those of `asked`, which is sorted by serial, each there once. */
	bool push;
	const uint32_t *only;
	size_t only_count;
	struct run_asked *asked;
	size_t asked_count;
	/* The key is elsewhere, docs/airgap.md: where what is to be signed is
	 * put, or what was signed is found; both NULL: the key is here. */
	const char *stage_dir;
	const char *signed_dir;
	bool share;   /* with other hosts: docs/hosts.md */
	bool several; /* others are in the same process: say whose it was */
	bool quiet;   /* say nothing of what is well */
	bool dry_run; /* stop before the store */
	bool diff;    /* every entry that differs, in a dry run or not */
	bool has_now; /* --now: the clock of this run */
	int64_t now_sec;
	unsigned workers;  /* threads that make shards */
	int passphrase_fd; /* -1: none */
	struct gate_passes passes;
};

/* How a run ended, for the exit status and for who reads it. */
struct run;

/*
 * Makes and publishes everything `config` says. Faults are reported. `*run`
 * is set whenever there was memory for it, and tells how far things came.
 */
enum status run_publish(const struct config *config,
    struct run_options *options, const struct context *context,
    struct report *report, struct progress *progress,
    struct run **run) MUST_CHECK;
void run_free(struct run *run);

/* A shard that a run has published; strings belong to the run. */
struct run_published {
	const char *object; /* "letters/shard 7" */
	const char *url;
	uint32_t shard;
	struct uint160 number;
	int64_t published_sec;
};

/* The next one behind `*at`, 0 at first; false: there is none. */
bool run_published_next(
    const struct run *run, size_t *at, struct run_published *published);

/* One line for a person; several with a dry run, which shows the shards, and
 * with a push, which tells of its serials. */
void run_print(const struct run *run, FILE *stream);

/* The same as an object of a JSON report. */
void run_print_json(const struct run *run, struct json *json);

#endif
