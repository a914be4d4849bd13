/* SPDX-License-Identifier: ISC */
/*
 * The gates: what may be published after what was published before. A gate
 * that closes is a fault, and the old shard stands; an operator may let one
 * pass by name, once, for a named shard (`--pass no-early-removal:7`), which
 * turns the fault into a warning and is recorded in the manifest. Only a gate
 * by which no entry can go astray may be let pass for all shards at once.
 * Pure but for the report.
 */
#ifndef CRLPRESS_GATE_H
#define CRLPRESS_GATE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "crlpress/crl_read.h"
#include "crlpress/expiring.h"
#include "crlpress/manifest.h"
#include "crlpress/report.h"
#include "crlpress/row.h"
#include "crlpress/status.h"

enum gate {
	/* Of one shard. */
	GATE_PREVIOUS,      /* the published object can be read */
	GATE_NUMBER_UP,     /* the number rises */
	GATE_TIME_UP,       /* thisUpdate is later */
	GATE_NEXT_UP,       /* nextUpdate is not earlier */
	GATE_SCOPE,         /* same issuer, AKI, URL, scope */
	GATE_EARLY_REMOVAL, /* no entry leaves before it may */
	GATE_CHANGE,        /* no listed entry changes but to keyCompromise */
	GATE_SHARD_FLOOR,   /* not far fewer entries than before */
	GATE_DUPLICATE,     /* rows of one serial agree */
	GATE_ROWS,          /* every row of the shard is well-formed */
	GATE_DISJOINT,      /* no serial has rows in another shard too */
	/* Of a run. */
	GATE_FLOOR,      /* not far fewer entries in all */
	GATE_DB_FRESH,   /* the database is not behind the last manifest */
	GATE_DB_SCOPE,   /* the source knows the issuer at all */
	GATE_CLOCK,      /* clocks agree */
	GATE_UNPLACED,   /* every row can be given to a shard */
	GATE_ISSUER,     /* the issuer certificate is valid now */
	GATE_STORE,      /* the store still has what was published */
	GATE_SHARD_GONE, /* no shard of the manifest is configured away, nor
			  * found in another way */
	GATE_COUNT
};

/* "no-early-removal", as in --pass and in messages. */
const char *gate_name(enum gate gate);
const char *gate_summary(enum gate gate);
bool gate_is_of_shard(enum gate gate);
/* Whether it may be let pass for all shards at once. */
bool gate_takes_all(enum gate gate);

/* Gates an operator lets pass, as parsed from --pass. Zero-initialise. */
#define GATE_PASSES_MOST 256

struct gate_pass {
	enum gate gate;
	bool all;         /* of whichever shard */
	uint32_t shard;   /* else, for gates of a shard */
	atomic_bool used; /* shards are made by several threads */
};

struct gate_passes {
	struct gate_pass pass[GATE_PASSES_MOST];
	size_t count;
};

/*
 * Adds "GATE" (of a run), "GATE:SHARD" (of a shard) or "GATE:all" (of those
 * that take it). STATUS_MALFORMED with static `*why` for an unknown name, a
 * missing or superfluous shard.
 */
enum status gate_passes_add(
    struct gate_passes *passes, const char *text, const char **why) MUST_CHECK;

/* Whether this gate of a shard has closed and was let pass. */
bool gate_was_passed(
    const struct gate_passes *passes, enum gate gate, uint32_t shard);

/* Where a gate stands: which shard's, said under which name, to whom. */
struct gate_place {
	const char *object;         /* "issuer/shard 7" */
	uint32_t shard;             /* for gates of a shard */
	struct gate_passes *passes; /* NULL: none; marked as used */
	struct report *report;
	/* NULL, or a bit (1 << gate) for each that closed is set there. */
	uint32_t *closed;
};

/*
 * A gate closes: a fault and STATUS_REFUSED, or, when an operator let it
 * pass, a warning and STATUS_OK.
 */
enum status gate_refuse(const struct gate_place *place, enum gate gate,
    const char *format, ...) __attribute__((format(printf, 3, 4))) MUST_CHECK;

/*
 * What differs from the published CRL, in order of serial, for --dry-run and
 * the ledger: rows whose `spare` says how. A changed entry is two rows: as it
 * was, as it is to be. Zero-initialise; gate_changes_free.
 */
enum gate_change {
	GATE_ADDED = 1,
	GATE_REMOVED, /* expired and proved; with its row's not_after */
	GATE_LOST,    /* let pass: as listed, its not_after means nothing */
	GATE_CHANGED_FROM, /* as listed, with its row's not_after */
	GATE_CHANGED_TO,
};

struct gate_changes {
	struct row *row;
	size_t count;
	size_t room;
};

void gate_changes_free(struct gate_changes *changes);

/* How the rows of a shard stand to its published CRL. */
struct gate_merge {
	uint64_t added;      /* listed now, not before */
	uint64_t removed;    /* listed before, expired and proved: not now */
	uint64_t kept;       /* listed before and now */
	uint64_t gone;       /* expired; the CRL before had dropped it */
	uint64_t duplicates; /* identical rows of one serial */
	uint64_t changed;    /* of those kept: upgraded to keyCompromise */
	uint64_t lost;       /* let pass: listed before, no row proves expiry */
	uint64_t leaving;    /* of those listed now: expired by thisUpdate */
	uint64_t foreseen;   /* of those removed: as many as were to leave */
	uint64_t unsettled;  /* of those added: expired, perhaps not new */
	struct expiring expiring; /* of those listed now: from thisUpdate on */
};

/*
 * One row a serial: identical duplicates are dropped and counted; rows of one
 * serial that contradict each other close GATE_DUPLICATE; let pass, the
 * earliest revocation and the latest expiry stay. `*count` is set to what is
 * left of the `n` sorted rows.
 */
enum status gate_unique(const struct gate_place *place, struct row *rows,
    size_t n, size_t *count, struct gate_merge *merge) MUST_CHECK;

/* What a shard's rows are held against. */
struct gate_published {
	const struct crl *crl;   /* NULL: nothing is published */
	int64_t this_update_sec; /* the run's own */

	/* Serials that were recorded of late, sorted, one more than once as
	 * the case may be; when they were recorded stands in revoked_at's
	 * place. None where the source does not tell. */
	const struct row *recorded;
	size_t recorded_count;

	/* When the CRL before `crl` was made, as the manifest has it: what
	 * was recorded before then and is not on `crl` was on that one.
	 * Without, that is known of no row. */
	bool has_settled;
	int64_t settled_sec;

	/* The latest revocation that the source had when `crl` was made, or
	 * earlier, where it is known: what was revoked since is on no CRL. */
	bool has_seen;
	int64_t seen_sec;

	/* How many entries of `crl` may leave, as the manifest has it that
	 * was written with it (gate_merge.leaving of that run). */
	bool has_leaving;
	uint64_t leaving;

	/* How many entries expire by when, as the manifest has it of `crl` or
	 * of an earlier one (gate_merge.expiring of that run): its thisUpdate,
	 * and all of its entries. */
	bool has_expiring;
	struct expiring expiring;
	int64_t expiring_sec;
	uint64_t expiring_entries;
};

/* What a line of a manifest has of when entries expire, where it has that. */
void gate_foresee(
    struct gate_published *published, const struct manifest_shard *line);

/*
 * Merges sorted, unique rows with the published CRL, in place: rows that may
 * leave are taken out, `*count` is set to what is to be listed. A row leaves
 * when its certificate expired before the published CRL's thisUpdate and that
 * CRL listed it (RFC 5280, 3.3), or had dropped it already. It can have
 * dropped what the CRL before it listed, and so nothing that was recorded
 * since that was made (settled_sec): such a row expired before it could be
 * seen, and is listed once. A published CRL from after `this_update_sec` is no
 * proof for what is still valid then, and one that cannot be read to its end
 * none for rows behind that.
 *
 * Closes GATE_EARLY_REMOVAL for a listed entry without a row, for more entries
 * that leave than had expired when the published CRL was made, and for more
 * listed entries that expire by a time than was foreseen; GATE_CHANGE for a
 * change other than to keyCompromise (BR 7.2.2).
 *
 * `changes` gets what differs, refused or not; it may be NULL, and gets
 * nothing where nothing is published. STATUS_NO_MEMORY is reported.
 */
enum status gate_merge(const struct gate_place *place, struct row *rows,
    size_t n, const struct gate_published *published, size_t *count,
    struct gate_merge *merge, struct gate_changes *changes) MUST_CHECK;

#endif
