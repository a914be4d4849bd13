/* SPDX-License-Identifier: ISC */
/*
 * Which serials stand in two shards, found without keeping serials: bits of a
 * hash of each, thrown into parts by the first of them, so that each part is
 * small enough for a hash table that fits a processor's cache. Hashes that come
 * twice are suspects; the caller walks over its entries once more and compares
 * the serials of suspects in full.
 *
 * Memory is 6 bytes an entry, up to a limit: more entries are taken in rounds,
 * by the first bits of their hashes, and each round but the first walks over
 * all of them again.
 *
 *     do
 *             for each entry: disjoint_add
 *     while (disjoint_next(disjoint));
 *     for each entry: if disjoint_suspects, compare
 */
#ifndef CRLPRESS_DISJOINT_H
#define CRLPRESS_DISJOINT_H

#include <stdbool.h>
#include <stdint.h>

#include "crlpress/status.h"
#include "crlpress/uint160.h"

struct disjoint;

/* For whom there is no budget: forty million entries. */
#define DISJOINT_MEMORY_MOST (UINT64_C(240) << 20)

/* For about so many entries, with at most so much memory and some MiB for each
 * worker; where there are more entries than that, all are wanted once more. */
enum status disjoint_new(unsigned workers, uint64_t entries,
    uint64_t memory_most, struct disjoint **disjoint) MUST_CHECK;
void disjoint_free(struct disjoint *disjoint);

/*
 * A serial of the issuer `issuer`, any number that tells issuers apart. No
 * two calls at a time have the same worker.
 */
void disjoint_add(struct disjoint *disjoint, unsigned worker, uint64_t issuer,
    const struct uint160 *serial);

/*
 * Ends a round. True: all entries are to be added once more, those of the
 * next round are then kept.
 */
bool disjoint_next(struct disjoint *disjoint);

/*
 * After the last round: how many hashes came twice. STATUS_NO_MEMORY when
 * that is not known.
 */
enum status disjoint_count(
    const struct disjoint *disjoint, size_t *count) MUST_CHECK;

/* Whether this serial's hash is one of them. Threads may ask. */
bool disjoint_suspects(const struct disjoint *disjoint, uint64_t issuer,
    const struct uint160 *serial);

#endif
