/* SPDX-License-Identifier: ISC */
/*
 * The issuer's private key, in a process of its own that does nothing else.
 *
 * The process is forked before the database is opened. It loads the key,
 * checks it against the issuer certificate, and then answers one kind of
 * request: a sealed memfd with a TBSCertList. It reads that itself and signs
 * only when the issuer and the AlgorithmIdentifier are its own, the IDP is one
 * it was started for, the number is above the last one it signed for that IDP
 * and above the floor it was told, and the times are in order and not in the
 * future. It dies with its parent; a parent whose signer died gets a fault.
 */
#ifndef CRLPRESS_SIGNER_H
#define CRLPRESS_SIGNER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "crlpress/crl_read.h"
#include "crlpress/report.h"
#include "crlpress/shard.h"
#include "crlpress/status.h"
#include "crlpress/uint160.h"

/* RSA-16384 signs 2048 bytes; nothing in use signs more. */
#define SIGNER_SIGNATURE_BYTES_MOST 2048

enum signer_digest {
	SIGNER_DIGEST_DEFAULT, /* by the key: P-384 SHA-384, else SHA-256 */
	SIGNER_DIGEST_SHA256,
	SIGNER_DIGEST_SHA384,
	SIGNER_DIGEST_SHA512
};

enum signer_padding { SIGNER_PADDING_PKCS1, SIGNER_PADDING_PSS };

/* Borrowed strings. */
struct signer_config {
	const char *key_path;         /* PEM or DER private key */
	const char *passphrase_path;  /* its first line; NULL: none */
	int passphrase_fd;            /* -1: none; closed by signer_start */
	const char *certificate_path; /* the issuer's */
	enum signer_digest digest;
	enum signer_padding padding;
	const char *url_pattern; /* the IDPs it may sign for */
	uint32_t shard_first;
	uint32_t shard_count;
	int64_t skew_sec;  /* how far thisUpdate may lie after its clock */
	int64_t now_sec;   /* the clock, when has_now: a run with --now */
	bool has_now;
};

struct signer;

/*
 * Forks the process and waits until it is ready. STATUS_CONFIG or
 * STATUS_FAILED with the fault reported: no key, wrong passphrase, a key that
 * is not the certificate's, a certificate that may not sign CRLs.
 */
enum status signer_start(const struct signer_config *config,
    struct report *report, struct signer **signer) MUST_CHECK;

/* Ends the process; a killed one is noticed and is no fault here. */
void signer_stop(struct signer *signer);

/* DER AlgorithmIdentifier of its signatures; belongs to the signer. */
struct crl_view signer_algorithm(const struct signer *signer);

/* Bytes of memory the TBSCertList is built in, then handed over. */
struct signer_buffer {
	int fd;
	uint8_t *data;
	size_t size;
};

/* A new writable buffer of `size` bytes. signer_buffer_free is idempotent. */
enum status signer_buffer_new(struct signer_buffer *buffer, size_t size,
    struct report *report) MUST_CHECK;
void signer_buffer_free(struct signer_buffer *buffer);

struct signer_signature {
	size_t len;
	uint8_t octet[SIGNER_SIGNATURE_BYTES_MOST];
};

/*
 * Seals the buffer (it is read-only from here on) and has it signed.
 * `floor` is the number last published for this shard, or 0. Threads may sign
 * at the same time; they take turns. STATUS_REFUSED when the signer refused,
 * STATUS_FAILED when it is gone; reported under the name `object`.
 */
enum status signer_sign(struct signer *signer, struct signer_buffer *buffer,
    const struct uint160 *floor, const char *object, struct report *report,
    struct signer_signature *signature) MUST_CHECK;

/* Peak resident memory of the signer in KiB, for the run's report; 0 if
 * unknown. */
uint64_t signer_peak_kib(const struct signer *signer);

#endif
