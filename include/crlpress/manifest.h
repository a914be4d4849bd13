/* SPDX-License-Identifier: ISC */
/*
 * The manifest: what stands in the store after a run, as text that a person
 * can grep and `sha256sum -c` can check. docs/manifest.md is its definition.
 * Pure; no library.
 */
#ifndef CRLPRESS_MANIFEST_H
#define CRLPRESS_MANIFEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "crlpress/expiring.h"
#include "crlpress/hash.h"
#include "crlpress/shard.h"
#include "crlpress/source_kind.h"
#include "crlpress/status.h"
#include "crlpress/uint160.h"

#define MANIFEST_FORMAT 1

/* A manifest of SHARD_COUNT_MOST shards with the longest names is larger
 * than this by no sensible URL. */
#define MANIFEST_BYTES_MOST (64UL * 1024 * 1024)

/* A gate for every shard and more; each is a decision of a person. */
#define MANIFEST_PASSED_MOST (2 * SHARD_COUNT_MOST)

/* One shard as it stands in the store. */
struct manifest_shard {
	uint32_t index;
	char *url; /* owned by the manifest */
	char *key;
	uint64_t size;
	struct hash sha256;
	struct uint160 number;
	int64_t this_update_sec;
	int64_t next_update_sec;
	uint64_t entries;
	uint64_t added; /* against what stood there before */
	uint64_t removed;
	/* How many of the entries had expired before its thisUpdate: these may
	 * leave next time, and no others. Unknown for a CRL that the run did
	 * not make and the manifest before did not know. */
	bool has_leaving;
	uint64_t leaving;
	/* How many of the entries expire by when, from its thisUpdate on: no
	 * later run may find more of them. Known only where `leaving` is; not
	 * where the source does not tell when a certificate expires. */
	bool has_expiring;
	struct expiring expiring;
	/* A row that expired, is not among the entries and was recorded
	 * before this stood on an earlier CRL, and left rightly. Without: of
	 * no such row that is known. */
	bool has_settled;
	int64_t settled_sec;
	bool withheld; /* not replaced by the run: this is an older one */
};

/* Where every row of the snapshot went; they add up to `read`. */
struct manifest_rows {
	uint64_t read;
	uint64_t listed;    /* entries of the CRLs made */
	uint64_t duplicate; /* the same row again */
	uint64_t expired;   /* left out now: proved by the CRL before */
	uint64_t gone;      /* expired; the CRL before had dropped them */
	uint64_t deferred;  /* revoked after thisUpdate, within the skew */
	uint64_t withheld;  /* of shards that were withheld, faulty ones too */
};

struct manifest {
	char *issuer;              /* configured name */
	struct hash issuer_sha256; /* of the DER certificate */
	int64_t this_update_sec;
	int64_t next_update_sec;
	struct uint160 number;
	struct source_origin origin;
	struct manifest_rows rows;
	/* The oldest thisUpdate of the CRLs that those standing replaced: what
	 * they list was not expired by then, so the proofs that the next run
	 * may ask for reach back to there. */
	bool has_replaced;
	int64_t replaced_sec;
	char **passed; /* "floor" or "floor:7": gates an operator let pass */
	size_t passed_count;
	/* By what the shards of certificates were found. */
	struct shard_placing placing;
	struct manifest_shard *shard; /* by rising index */
	size_t shard_count;
};

/* All strings of a manifest are malloc'd and freed here. */
void manifest_free(struct manifest *manifest);

/*
 * What is wrong with a text that is to stand in a manifest, as static text,
 * or NULL when nothing is: for whoever lets one in (configuration, store),
 * long before a manifest is written. A word (issuer, URL, gate) is printable
 * ASCII without blanks and backslashes; a key is also a relative path without
 * empty, "." and ".." components.
 */
const char *manifest_word_fault(const char *text);
const char *manifest_key_fault(const char *key);

/*
 * Writes it. `*text` is malloc'd, `*len` without the ending NUL.
 * STATUS_MALFORMED with static `*why` for one that manifest_parse would not
 * read back.
 */
enum status manifest_format(const struct manifest *manifest, char **text,
    size_t *len, const char **why) MUST_CHECK;

/*
 * Reads one strictly: every field once, counts that agree, the closing line
 * there; manifest_format of it gives the very same text. STATUS_MALFORMED
 * with the line number and static `*why`, and nothing to free.
 */
enum status manifest_parse(const char *text, size_t len,
    struct manifest *manifest, size_t *line, const char **why) MUST_CHECK;

/*
 * What is to stand where both `theirs`, which stands there now, and `ours`
 * follow `before` (a zeroed one: none): of each shard the line of who changed
 * it, and the higher number of two; the header of the later run, with every
 * gate that was let pass and the older `replaced`. STATUS_NO_MEMORY, and
 * nothing to free.
 */
enum status manifest_join(const struct manifest *before,
    const struct manifest *theirs, const struct manifest *ours,
    struct manifest *joined) MUST_CHECK;

/* The shard with this index, or NULL. */
const struct manifest_shard *manifest_find(
    const struct manifest *manifest, uint32_t index);

#endif
