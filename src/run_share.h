/* SPDX-License-Identifier: ISC */
/* What the files of a shared run have in common; docs/hosts.md. */
#ifndef CRLPRESS_RUN_SHARE_H
#define CRLPRESS_RUN_SHARE_H

#include "crlpress/work.h"
#include "run_impl.h"

struct share {
	struct run *run;
	struct work *work;
	bool can_make;           /* has the snapshot, and what it takes */
	bool is_troubled;        /* lost it, which was reported */
	bool is_putting;         /* signals are caught */
	struct work_shard *room; /* as many as there are shards */
	/* What others put before this host looked at the store. */
	struct work_known *known;
	size_t known_count;
	/* By place in run->shard: leased and to be put by this worker. */
	bool *mine;
};

/* Shards that one line names. */
#define SHARE_NAMES_MOST 64

/* " 3 7 9", as far as a line names them. Zero-initialise. */
struct share_names {
	char text[SHARE_NAMES_MOST * 12];
	size_t len;
	size_t count; /* with those it does not name */
};

void share_names_add(struct share_names *names, uint32_t shard);
/* What is to stand behind the text: "", or that there are others. */
const char *share_names_more(const struct share_names *names);

/* run_share_open.c: the snapshot and the times, of this host or another. */
enum status run_share_enter(struct share *share) MUST_CHECK;
enum status run_share_begin(struct share *share) MUST_CHECK;

/*
 * run_share_store.c: whether this host sees the store that the others see. What
 * it has not got of what they put is a fault of the host, or, of its opener,
 * withholds the shard where the rest is there.
 */
enum status run_share_sees(struct share *share) MUST_CHECK;
/* Of what others published (one for each shard of the run), what does not stand
 * here becomes WORK_FAILED, in the tables as well; reported. */
enum status run_share_find(
    struct share *share, struct work_shard *shards) MUST_CHECK;
/* Number of what stands there now, and its hash unless that is NULL; false
 * where there is no CRL. */
bool run_share_standing(struct run *run, const struct run_shard *shard,
    struct uint160 *number, struct hash *sha256);

/* run_share_close.c: the manifest; `*closed` when this worker did it. */
enum status run_share_close(struct share *share, bool *closed) MUST_CHECK;

#endif
