/* SPDX-License-Identifier: ISC */
/*
 * What the writer (manifest.c) and the reader (manifest_parse.c) of manifests
 * have in common: the rules that hold for both. docs/manifest.md has them.
 */
#ifndef CRLPRESS_MANIFEST_IMPL_H
#define CRLPRESS_MANIFEST_IMPL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "crlpress/manifest.h"

/* What stands where a count is not known. */
#define MANIFEST_UNKNOWN "-"

/* Stands before the one value that an older manifest has not. */
#define MANIFEST_EXPIRING " expiring="
#define MANIFEST_EXPIRING_FAULT "counts by expiry that do not fit the others"

/* The longest count as text, with its NUL. */
#define MANIFEST_COUNT_BYTES 21

/* Whether every row read went somewhere. */
bool manifest_rows_agree(const struct manifest_rows *rows);

/* Whether no more entries may leave than there are. */
bool manifest_leaving_ok(const struct manifest_shard *shard);

/* Whether what expires by when rises from `leaving` to no more than all. */
bool manifest_expiring_ok(const struct manifest_shard *shard);

/* Whether it is the decimal text of a uint64_t, as PostgreSQL writes one. */
bool manifest_system_identifier_ok(const char *text);

/*
 * Looks for two shards with the same key (or, with `urls`, the same URL) and
 * sets `*twin` to the index of the second in the array, or to the count when
 * there are none. STATUS_NO_MEMORY or STATUS_OK.
 */
enum status manifest_twin(
    const struct manifest *manifest, bool urls, size_t *twin) MUST_CHECK;

/* What cksum(1) of POSIX gives for these bytes. */
uint32_t manifest_cksum(const char *data, size_t len);

#endif
