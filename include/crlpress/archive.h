/* SPDX-License-Identifier: ISC */
/*
 * The archive: every CRL that was published, and of every manifest that was
 * put the set that it names, compressed, in a store. Nothing in it is ever
 * replaced. Below the archive's URL stand
 *
 *   ISSUER/crls/THISUPDATE-NUMBER/KEY.gz         a CRL, where its line says
 *   ISSUER/sets/PUBLISHED-NUMBER-HASH.txt.gz     a manifest, as it was put
 *
 * with times like 20261122T050949Z. Where a CRL stands follows from its line
 * in a manifest (thisUpdate, number, key), so a set has no copies of what
 * stands on from an earlier one. A set is put when all that it names is there.
 *
 *   names                                              archive_name.c
 *   the store, sets, one CRL                                archive.c
 *   a set into a directory                            archive_fetch.c
 *   from a spool into it                            archive_forward.c
 *   what is old goes                                  archive_prune.c
 *   what a run puts there                                run_archive.c
 */
#ifndef CRLPRESS_ARCHIVE_H
#define CRLPRESS_ARCHIVE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "crlpress/config.h"
#include "crlpress/context.h"
#include "crlpress/gzip.h"
#include "crlpress/hash.h"
#include "crlpress/manifest.h"
#include "crlpress/report.h"
#include "crlpress/status.h"
#include "crlpress/store.h"
#include "crlpress/uint160.h"

/* "20261122T051012Z-1795324189-3f2a9c01d2e4b5a6", with the longest number. */
#define ARCHIVE_SET_BYTES 96

/* The octets of a manifest's hash that stand in the name of its set. */
#define ARCHIVE_HASH_BYTES 8

/* A longer key than S3 takes is put nowhere. */
#define ARCHIVE_KEY_BYTES 1280

struct archive_set {
	char name[ARCHIVE_SET_BYTES];
	int64_t published_sec; /* when its manifest had been put */
	struct uint160 number; /* of the run that put it */
	uint8_t hash[ARCHIVE_HASH_BYTES];
};

/* By time. Free it with archive_sets_free. */
struct archive_sets {
	struct archive_set *set;
	size_t count;
};

/* Pure; no library. */
struct archive_set archive_set_make(int64_t published_sec,
    const struct uint160 *number, const struct hash *manifest);
/* STATUS_MALFORMED for what archive_set_make would not have named so. */
enum status archive_set_read(
    const char *name, struct archive_set *set) MUST_CHECK;
/* By time, then number, then name. */
int archive_set_compare(
    const struct archive_set *a, const struct archive_set *b);

/*
 * Keys. Places of all CRLs, of those of a run, of sets end with a slash;
 * STATUS_MALFORMED when a key does not fit.
 */
enum status archive_crl_key(const char *issuer, int64_t this_update_sec,
    const struct uint160 *number, const char *key,
    char out[ARCHIVE_KEY_BYTES]) MUST_CHECK;
void archive_crl_place(const char *issuer, int64_t this_update_sec,
    const struct uint160 *number, char out[ARCHIVE_KEY_BYTES]);
void archive_crls_place(const char *issuer, char out[ARCHIVE_KEY_BYTES]);
void archive_sets_place(const char *issuer, char out[ARCHIVE_KEY_BYTES]);
void archive_set_key(const char *issuer, const struct archive_set *set,
    char out[ARCHIVE_KEY_BYTES]);
/* The time of a key below archive_crls_place; false: it has none. */
bool archive_crl_time(
    const char *issuer, const char *key, int64_t *this_update_sec);

/* An open archive of one issuer; the strings are the configuration's. */
struct archive {
	const struct config *config;
	struct store *store;
	struct report *report;
};

/* Faults are reported; archive_close in any case. */
enum status archive_open(const struct config *config,
    const struct context *context, struct report *report,
    struct archive *archive) MUST_CHECK;
void archive_close(struct archive *archive);

/* All there are. */
enum status archive_sets_list(
    struct archive *archive, struct archive_sets *sets) MUST_CHECK;
void archive_sets_free(struct archive_sets *sets);

/* A set's manifest, whole and held against its name. */
struct archive_manifest {
	struct gzip_bytes text;
	struct manifest manifest;
};

enum status archive_manifest_get(struct archive *archive,
    const struct archive_set *set, struct archive_manifest *out) MUST_CHECK;
void archive_manifest_free(struct archive_manifest *manifest);

/*
 * The very bytes that a line of a manifest names: no more of them than it says
 * are unpacked, and their hash is compared. STATUS_NOT_FOUND, not reported,
 * when there is none.
 */
enum status archive_crl_get(struct archive *archive,
    const struct manifest_shard *line, struct gzip_bytes *crl) MUST_CHECK;

/*
 * Writes a set into a directory that is empty or not there yet, each shard
 * under its key, the manifest under that of the configuration. What cannot be
 * had is reported, and the rest is written: STATUS_FAILED.
 */
enum status archive_fetch(struct archive *archive,
    const struct archive_set *set, const char *directory,
    unsigned workers) MUST_CHECK;

/*
 * Brings what is in a spool, a directory store at `path` with the archive's
 * own keys, into the archive; what is safe there leaves the spool.
 * STATUS_PARTIAL, reported, when something has to wait.
 */
enum status archive_forward(struct archive *archive, const char *path,
    struct store *spool, unsigned workers) MUST_CHECK;

/* What archive_prune did, or would do. */
struct archive_pruned {
	size_t sets;
	size_t sets_left;
	size_t crls;
	size_t crls_left;
};

/*
 * Removes sets that were followed by another one before `before_sec`, so the
 * newest never; then CRLs older than that which no set that is left names.
 * With `dry_run` they are only counted.
 */
enum status archive_prune(struct archive *archive, int64_t before_sec,
    bool dry_run, unsigned workers, struct archive_pruned *pruned) MUST_CHECK;

#endif
