/* SPDX-License-Identifier: ISC */
/*
 * A run that several hosts share, as it stands in a database of theirs: who
 * takes part, who has which shard, what became of it. docs/hosts.md has the
 * protocol, sharding-config/work.sql the tables.
 *
 * A lease is renewed by a thread of its own. Whoever let it pass may find that
 * another has taken over, and is lost then: nothing that it made goes out any
 * more. After work_enter every statement is asked again, by a new connection
 * where that is gone, until three leases and a minute have passed.
 */
#ifndef CRLPRESS_WORK_H
#define CRLPRESS_WORK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "crlpress/manifest.h"
#include "crlpress/report.h"
#include "crlpress/source_share.h"
#include "crlpress/status.h"
#include "crlpress/uint160.h"

/* Borrowed strings, which outlive it. */
struct work_config {
	const char *conninfo;     /* NULL: libpq's environment */
	const char *conninfo_key; /* which key, of which file: for messages */
	const char *file;
	const char *issuer;        /* configured name */
	const char *configuration; /* what must be the same on every host */
	const char *host;          /* for messages, here and elsewhere */
	int64_t lease_sec;
	int64_t connect_timeout_sec;
	bool quiet;        /* no notes */
	int64_t fresh_sec; /* a run that ended well since is not repeated */
	int64_t (*monotonic_ms)(void);
};

/* What the host that opened a run says of it. */
struct work_run {
	struct source_share snapshot;
	int64_t this_update_sec;
	int64_t lookback_sec;
};

enum work_state {
	WORK_OPEN,   /* nobody's */
	WORK_LEASED, /* being made */
	WORK_MADE,   /* to be put by whoever made it */
	WORK_PUBLISHED,
	WORK_WITHHELD,
	WORK_FAILED
};

/* A shard of a run. */
struct work_shard {
	uint32_t shard;
	enum work_state state;
	uint64_t rows; /* of the snapshot, however they turn out */
	/* The number of the CRL that stood there before the snapshot was
	 * taken, in decimal; "" for none. */
	char standing[UINT160_DECIMAL_BYTES];
	struct uint160 number; /* as published */
	bool is_counted; /* what follows, and `rows`, are counts of a report */
	/* For the floor: entries published and to be. */
	uint64_t before;
	uint64_t now;
	/* Where its rows went. */
	uint64_t listed;
	uint64_t duplicate;
	uint64_t expired;
	uint64_t gone;
	uint64_t deferred;
	uint32_t gates; /* a bit for each that closed */
};

/* How far a run is. */
enum work_phase {
	WORK_OPENING,
	WORK_MAKING,  /* nothing goes out before all is made */
	WORK_PUTTING, /* and its sums were judged */
	WORK_CLOSING, /* the manifest */
	WORK_ENDED
};

struct work_view {
	enum work_phase phase;
	bool refused;    /* ended so */
	bool lost;       /* this worker's lease passed, and was taken over */
	uint64_t open;   /* shards */
	uint64_t leased; /* by anybody */
	uint64_t made;
	uint64_t mine;   /* of those made */
	uint64_t makers; /* live workers that can make a shard */
	/* The sums of those made, for the floor. */
	uint64_t before;
	uint64_t now;
};

struct work;

/*
 * Takes part in the run of an issuer: opens one, or joins the one under way,
 * for which it waits while that is being opened. STATUS_DONE: one ended well a
 * moment ago, which `number` of a run tells; STATUS_REFUSED: a host with
 * another configuration is at it. Failures are reported. work_close gives back
 * what it has; work_close(NULL) is fine.
 */
enum status work_enter(const struct work_config *config, struct report *report,
    struct work **work) MUST_CHECK;
void work_close(struct work *work);

uint64_t work_id(const struct work *work);
bool work_is_opener(const struct work *work);
/* What the opener said. */
const struct work_run *work_facts(const struct work *work);
/* This server's clock. */
enum status work_clock(struct work *work, int64_t *now_sec) MUST_CHECK;

/* A name of a host and a process, as messages have it. */
#define WORK_HOST_BYTES 288

/* A CRL that was put for a shard, as far as the tables know. */
struct work_known {
	uint32_t shard;
	struct uint160 number;
	char host[WORK_HOST_BYTES]; /* who put it, or saw it standing */
	/* An earlier run put it: one host alone may have made it anew since,
	 * later and under a lower number. */
	bool may_be_anew;
	int64_t this_update_sec;
};

/*
 * By shard the highest number that was put in this run, or stood there when it
 * was opened; else that of those before it, as long as they are kept. For the
 * caller to free. Who then looks at the store finds that, or newer.
 */
enum status work_known(
    struct work *work, struct work_known **known, size_t *count) MUST_CHECK;

/* The opener's: the rows were judged, these are the shards. */
enum status work_share(struct work *work, const struct work_run *run,
    const struct work_shard *shards, size_t count) MUST_CHECK;

/* A number above every one given out here, and at least `least`. */
enum status work_number(struct work *work, const struct uint160 *least,
    struct uint160 *number) MUST_CHECK;

/* Where things stand, after the leases that passed were given up. */
enum status work_look(struct work *work, struct work_view *view) MUST_CHECK;

/* Leases up to `room` shards that nobody has; *count may be 0. */
enum status work_lease(struct work *work, struct work_shard *shards,
    size_t room, size_t *count) MUST_CHECK;

/* Makes no more: what is leased is somebody else's to make. */
enum status work_stop_making(struct work *work) MUST_CHECK;

/*
 * What became of shards that this worker has: made, published, withheld, or,
 * for others to try, open. STATUS_CONFLICT, not reported: the lease was lost.
 */
enum status work_report(struct work *work, const struct work_shard *shards,
    size_t count) MUST_CHECK;

/* The verdict, by a look that found nothing left to be made: what was made
 * may be put, or the run ends. */
enum status work_judge(struct work *work, bool pass) MUST_CHECK;
/* Nobody is left who could make what is open. */
enum status work_give_up_open(struct work *work) MUST_CHECK;

/* What is about to be put: the line that the manifest gets, without URL and
 * key, and the thisUpdate of what it replaces. */
struct work_attempt {
	struct manifest_shard line;
	bool has_replaced;
	int64_t replaced_sec;
};

/* Writes it down. STATUS_CONFLICT, not reported: the lease was lost, nothing
 * may be put. */
enum status work_attempt(struct work *work, const struct work_attempt *attempts,
    size_t count) MUST_CHECK;
/* Whether this run put that CRL, or was about to. */
enum status work_was_attempted(struct work *work, uint32_t shard,
    const struct uint160 *number, const struct hash *sha256,
    bool *was) MUST_CHECK;

/* Takes over the closing of the run; `*mine` when that is this worker's. */
enum status work_close_begin(struct work *work, bool *mine) MUST_CHECK;
/* Every shard of the run, by index, and what was put of those published, for
 * the caller to free. */
enum status work_result(struct work *work, struct work_shard **shards,
    struct work_attempt **attempts, size_t *count) MUST_CHECK;
/* These do not stand in the store that the closer sees, whoever put them. */
enum status work_deny(
    struct work *work, const uint32_t *shards, size_t count) MUST_CHECK;
enum status work_close_end(struct work *work) MUST_CHECK;

#endif
