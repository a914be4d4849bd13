/* SPDX-License-Identifier: ISC */
/*
 * Which shard lists a certificate, and what that shard's URL and object key
 * are. The URL stands inside issued certificates, so the answers here may
 * never change: tests/vectors/shard.txt freezes them. Pure; no library.
 */
#ifndef CRLPRESS_SHARD_H
#define CRLPRESS_SHARD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "crlpress/status.h"
#include "crlpress/uint160.h"

/* Boulder runs 128 and plans for thousands; a shard is a file and a URL. */
#define SHARD_COUNT_MOST 65536

/* Longest URL or object key with its NUL: S3 keys end at 1024 bytes. */
#define SHARD_NAME_BYTES 1025

enum shard_scheme {
	SHARD_COLUMN,     /* the row says it */
	SHARD_SERIAL_MOD, /* whole serial modulo count, plus first */
	SHARD_EXPIRY,     /* chunk of not_after since an anchor, modulo count */
	SHARD_CDP, /* the certificate names it, as source_certificate.h reads */
};

struct shard_scheme_config {
	enum shard_scheme scheme;
	uint32_t count;     /* 1 to SHARD_COUNT_MOST */
	uint32_t first;     /* index of the first shard, usually 0 or 1 */
	int64_t anchor_sec; /* SHARD_EXPIRY: start of chunk 0 */
	int64_t chunk_sec;  /* SHARD_EXPIRY: length of a chunk, above 0 */
};

/* What a row brings along. */
struct shard_hint {
	bool has_shard; /* the shard column is not NULL */
	int64_t shard;
};

/*
 * The index of the shard that lists the certificate, `first` to
 * `first + count - 1`. STATUS_MALFORMED with static `*why` when the row's
 * shard is missing (SHARD_COLUMN), out of range or contradicts the scheme, or
 * not_after lies before the anchor.
 */
enum status shard_of(const struct shard_scheme_config *config,
    const struct uint160 *serial, int64_t not_after_sec,
    const struct shard_hint *hint, uint32_t *index,
    const char **why) MUST_CHECK;

/* "serial-mod", as in a configuration; NULL: there is none. */
const char *shard_scheme_name(unsigned scheme);

/*
 * How shards are found, for a list to remember: what shard_of looks at beside
 * the certificate and its row. Where the row says its shard that is the scheme
 * alone: of what is only a range, or of another scheme, nothing.
 */
struct shard_placing {
	bool is_known; /* older lists do not say */
	struct shard_scheme_config by;
};

struct shard_placing shard_placing_of(const struct shard_scheme_config *config);

/* Whether a list may say so: NULL, or static text. */
const char *shard_placing_fault(const struct shard_placing *placing);

/* Whether each certificate has the same shard by both, which are known. */
bool shard_placing_same(
    const struct shard_placing *a, const struct shard_placing *b);

/* "expiry count=4 first=0 anchor=2026-01-01T00:00:00Z chunk=2592000" */
#define SHARD_PLACING_BYTES 128

char *shard_placing_text(
    const struct shard_placing *placing, char out[SHARD_PLACING_BYTES]);

/*
 * Expands "{shard}" (decimal) or "{shard:04}" (zero-filled, width 1 to 9) in
 * a URL or key template. The place must stand exactly once unless `count` is
 * 1, where it may be missing; no other brace is allowed. STATUS_MALFORMED
 * with `*why` otherwise, or when `out` (size bytes) is too small.
 */
enum status shard_expand(const char *pattern, uint32_t count, uint32_t index,
    char *out, size_t size, const char **why) MUST_CHECK;

/*
 * The way back: the one index of `count` from `first` whose expansion is this
 * name, byte for byte. STATUS_NOT_FOUND when there is none.
 */
enum status shard_find(const char *pattern, uint32_t count, uint32_t first,
    const char *name, uint32_t *index) MUST_CHECK;

/* The same of octets that have no NUL behind them; one among them is no name.
 */
enum status shard_find_octets(const char *pattern, uint32_t count,
    uint32_t first, const uint8_t *name, size_t len,
    uint32_t *index) MUST_CHECK;

#endif
