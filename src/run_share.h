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
	/* By place in run->shard: leased and to be put by this worker. */
	bool *mine;
};

/* run_share_open.c: the snapshot and the times, of this host or another. */
enum status run_share_enter(struct share *share) MUST_CHECK;
enum status run_share_begin(struct share *share) MUST_CHECK;

/* run_share_close.c: the manifest; `*closed` when this worker did it. */
enum status run_share_close(struct share *share, bool *closed) MUST_CHECK;

#endif
