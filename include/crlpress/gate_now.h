/* SPDX-License-Identifier: ISC */
/*
 * The gates that need nothing that was published: whether the issuer's
 * certificate and the source are of now. A run stops by them; a trial says
 * beforehand, in the same words, that one would. All but the first return what
 * gate_refuse does; those of the source close nothing for an index, whose
 * dates are judged by the row.
 */
#ifndef CRLPRESS_GATE_NOW_H
#define CRLPRESS_GATE_NOW_H

#include <stdbool.h>
#include <stdint.h>

#include "crlpress/config.h"
#include "crlpress/gate.h"
#include "crlpress/issuer.h"
#include "crlpress/source.h"
#include "crlpress/status.h"

/*
 * Why the certificate of `path` is not valid at a time, for GATE_ISSUER, which
 * a trial may only warn of; NULL: it is valid.
 */
#define GATE_NOW_WHY_BYTES 512
const char *gate_now_issuer(const struct issuer_facts *facts, const char *path,
    int64_t now_sec, char why[GATE_NOW_WHY_BYTES]);

/*
 * GATE_CLOCK: the clock here beside the database's, or beside thisUpdate of a
 * CRL. `may_be_past` where a time was asked for: that may lie before.
 */
enum status gate_now_clock(const struct gate_place *place,
    const struct config *config, const struct source_snapshot *snapshot,
    int64_t here_sec, bool may_be_past) MUST_CHECK;

/* GATE_DB_FRESH: a standby that lags, a CRL that ran out. */
enum status gate_now_fresh(const struct gate_place *place,
    const struct config *config, const struct source_snapshot *snapshot,
    int64_t now_sec) MUST_CHECK;

/* Both, with nothing to let pass. */
enum status gate_now_source(const struct config *config,
    const struct source_snapshot *snapshot, int64_t now_sec,
    struct report *report) MUST_CHECK;

/* GATE_DB_SCOPE, for all rows of the source: not one. */
enum status gate_now_rows(const struct gate_place *place,
    const struct config *config, uint64_t rows) MUST_CHECK;

#endif
