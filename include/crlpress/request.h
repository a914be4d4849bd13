/* SPDX-License-Identifier: ISC */
/*
 * What goes to a signer that no network reaches, and what comes back: the
 * request, which names the TBSCertList of every shard that is to be signed,
 * and the closing list, which names the CRLs made of them. Text that a person
 * can read and `sha256sum -c` can check; docs/airgap.md is its definition.
 * Pure; no library.
 */
#ifndef CRLPRESS_REQUEST_H
#define CRLPRESS_REQUEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "crlpress/hash.h"
#include "crlpress/shard.h"
#include "crlpress/source_kind.h"
#include "crlpress/status.h"
#include "crlpress/uint160.h"

#define REQUEST_FORMAT 1

/* Names in the directory that is carried; shards are INDEX.tbs, INDEX.crl. */
#define REQUEST_NAME "request.txt"
#define REQUEST_CLOSING_NAME "signed.txt"
#define REQUEST_PREVIOUS_SUFFIX ".previous.crl"
#define REQUEST_FILE_NAME_BYTES 32

/* As large as a manifest may be, which tells of as many shards. */
#define REQUEST_BYTES_MOST (64UL * 1024 * 1024)

/* RSASSA-PSS with every parameter spelt out takes 70 octets. */
#define REQUEST_ALGORITHM_BYTES_MOST 256

/* Gates that were let pass: each is a decision of a person. */
#define REQUEST_PASSED_MOST 256

/* A TBSCertList that is to be signed. */
struct request_shard {
	uint32_t index;
	char *url; /* owned by the request */
	uint64_t size;
	struct hash sha256;
	uint64_t entries;
	uint64_t added; /* against what stood there when it was made */
	uint64_t removed;
	/* As in a manifest: manifest_shard.settled_sec. */
	bool has_settled;
	int64_t settled_sec;
	/* What stood there, and it was judged against; none at first. */
	bool has_previous;
	struct uint160 previous;
	struct hash previous_sha256; /* of the whole CRL */
};

struct request {
	char *issuer;              /* configured name */
	struct hash issuer_sha256; /* of the DER certificate */
	struct uint160 number;
	int64_t this_update_sec;
	int64_t next_update_sec;
	uint8_t algorithm[REQUEST_ALGORITHM_BYTES_MOST]; /* of the signature */
	size_t algorithm_len;
	/* Which URLs the issuer's shards have: what is signed is of these. */
	char *url_pattern;
	uint32_t shard_first;
	uint32_t shards_configured;
	struct shard_placing placing; /* as in a manifest */
	struct source_origin origin;  /* of the snapshot it was made from */
	char **passed;                /* "floor" or "floor:7" */
	size_t passed_count;
	struct request_shard *shard; /* by rising index; at least one */
	size_t shard_count;
};

void request_free(struct request *request);

/*
 * Writes it. `*text` is malloc'd, `*len` without the ending NUL.
 * STATUS_MALFORMED with static `*why` for one that request_parse would not
 * read back.
 */
enum status request_format(const struct request *request, char **text,
    size_t *len, const char **why) MUST_CHECK;

/*
 * Reads one strictly; request_format of it gives the very same text.
 * STATUS_MALFORMED with the line number and static `*why`, and nothing to free.
 */
enum status request_parse(const char *text, size_t len, struct request *request,
    size_t *line, const char **why) MUST_CHECK;

/* The shard with this index, or NULL. */
const struct request_shard *request_find(
    const struct request *request, uint32_t index);

/* A signed CRL. */
struct closing_shard {
	uint32_t index;
	uint64_t size;
	struct hash sha256;
};

struct closing {
	char *issuer;
	struct hash issuer_sha256;
	struct uint160 number;
	struct hash request_sha256;  /* of the text of the request */
	struct closing_shard *shard; /* by rising index */
	size_t shard_count;
};

void closing_free(struct closing *closing);
enum status closing_format(const struct closing *closing, char **text,
    size_t *len, const char **why) MUST_CHECK;
enum status closing_parse(const char *text, size_t len, struct closing *closing,
    size_t *line, const char **why) MUST_CHECK;

/* "7.tbs", "7.crl"; each returns `out`. */
char *request_tbs_name(uint32_t index, char out[REQUEST_FILE_NAME_BYTES]);
char *request_crl_name(uint32_t index, char out[REQUEST_FILE_NAME_BYTES]);
/* "7.previous.crl": what stood there, for the signer to compare with. */
char *request_previous_name(uint32_t index, char out[REQUEST_FILE_NAME_BYTES]);

#endif
