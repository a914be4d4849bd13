/* SPDX-License-Identifier: ISC */
/*
 * What may follow what: a new shard judged against the one now published, and
 * the merge of the two that decides which rows are listed. Pure but for the
 * report.
 */
#ifndef CRLPRESS_GATE_H
#define CRLPRESS_GATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "crlpress/crl_read.h"
#include "crlpress/report.h"
#include "crlpress/row.h"
#include "crlpress/status.h"

/* How the rows of a shard stand to its published CRL. */
struct gate_merge {
	uint64_t added;      /* listed now, not before */
	uint64_t removed;    /* listed before, expired and proved: not now */
	uint64_t kept;
	uint64_t gone;       /* expired, and the CRL before had dropped it */
	uint64_t duplicates; /* identical rows of one serial */
	uint64_t changed;    /* legal changes: an upgrade to keyCompromise */
};

/*
 * One row a serial: identical duplicates are dropped and counted; rows of one
 * serial that contradict each other are a fault. `*count` is set to what is
 * left of the `n` sorted rows.
 */
enum status gate_unique(struct row *rows, size_t n, const char *object,
    struct report *report, size_t *count,
    struct gate_merge *merge) MUST_CHECK;

/*
 * Merges sorted, unique rows with the published CRL, in place: rows that may
 * leave are taken out, `*count` is set to what is to be listed. Faults, each
 * with STATUS_REFUSED: an entry of the published CRL that no row proves
 * expired before that CRL's thisUpdate (RFC 5280, 3.3), and a change of a
 * listed entry other than to keyCompromise (BR 7.2.2).
 */
enum status gate_merge(struct row *rows, size_t n, const struct crl *previous,
    const char *object, struct report *report, size_t *count,
    struct gate_merge *merge) MUST_CHECK;

#endif
