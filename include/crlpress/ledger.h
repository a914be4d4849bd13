/* SPDX-License-Identifier: ISC */
/*
 * The ledger of an issuer: what was published when, one JSON line an event,
 * in the state directory. It only ever grows; docs/ledger.md is its
 * definition. Here are lines and the file they go to; what is said in them is
 * in run_ledger.c.
 *
 *   ledger.jsonl                     the lines of late
 *   ledger-20261122T050949Z.jsonl    older ones, put aside at that time
 *
 * Several processes may append, and several threads of each: every line is
 * one write(2) under a lock that is held for no longer than that.
 */
#ifndef CRLPRESS_LEDGER_H
#define CRLPRESS_LEDGER_H

#include <stddef.h>
#include <stdint.h>

#include "crlpress/report.h"
#include "crlpress/state.h"
#include "crlpress/status.h"

#define LEDGER_NAME "ledger.jsonl"

/* A line says at most LEDGER_SERIALS_MOST serials, of less than 128 bytes
 * each, and a few names; none is nearly as long. */
#define LEDGER_SERIALS_MOST 10000
#define LEDGER_LINE_BYTES_MOST (4UL * 1024 * 1024)

struct ledger;

struct ledger_config {
	const char *dir;    /* which exists; "DIR/NAME" of the state */
	uint64_t size_most; /* of ledger.jsonl, when it has several lines */
	int64_t (*clock_sec)(void);
	/* Whose owner gets what root makes there; borrowed, may be NULL. */
	const struct state *state;
	/* How often its lock is asked for, every 2 ms; 0: for
	 * half a minute. */
	unsigned lock_tries;
};

/*
 * Opens the directory; the configuration's strings are not kept. Every failure
 * below is reported. ledger_close(NULL) is fine.
 */
enum status ledger_open(const struct ledger_config *config,
    struct report *report, struct ledger **ledger) MUST_CHECK;
void ledger_close(struct ledger *ledger);

/*
 * Appends `len` bytes without a newline in them, and a newline. A last line
 * that a crash cut off is ended before it; a file that would become too large
 * is put aside first. What a full disk took only in part is taken back where
 * that is possible. Threads may call it. STATUS_LOCKED when another process
 * does not let go of the file; that is waited for once.
 */
enum status ledger_append(
    struct ledger *ledger, const char *line, size_t len) MUST_CHECK;

/* Returns when all that was appended is on disk. */
enum status ledger_sync(struct ledger *ledger) MUST_CHECK;

#endif
