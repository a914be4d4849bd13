/* SPDX-License-Identifier: ISC */
/*
 * The issuer's private key, in a process of its own that does nothing else.
 *
 * The process is forked before the database is opened. It loads the key,
 * checks it against the issuer certificate, and then answers one kind of
 * request: a memfd with a TBSCertList, which it copies. It reads its copy
 * itself and signs that, and only when the issuer and the AlgorithmIdentifier
 * are its own, the AKI is the certificate's, the IDP is one it was started for,
 * the number is above the last one it signed for that IDP and above the floor
 * it was told, and the times are in order and not in the future. With a key
 * from a file it can do nothing else any more once it has the key; with a token
 * it cannot do what no module needs (sandbox.h). It dies with its parent; a
 * parent whose signer died gets a fault.
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

/* The largest TBSCertList taken: as much as crl_build.h makes. */
#define SIGNER_TBS_BYTES_MOST 0x7fffffffUL

/*
 * How long one answer may take: decrypting a key takes seconds, hashing 2 GiB
 * with a slow processor takes half a minute.
 */
#define SIGNER_TIMEOUT_SEC 60
#define SIGNER_TIMEOUT_SEC_MOST 86400

enum signer_digest {
	/* By the key: P-384 SHA-384, P-521 SHA-512, Ed25519 none, else
	 * SHA-256. */
	SIGNER_DIGEST_DEFAULT,
	SIGNER_DIGEST_SHA256,
	SIGNER_DIGEST_SHA384,
	SIGNER_DIGEST_SHA512
};

enum signer_padding { SIGNER_PADDING_PKCS1, SIGNER_PADDING_PSS };

/* Signatures that a token may be asked for at a time. */
#define SIGNER_SESSIONS_MOST 16

/* Borrowed strings. */
struct signer_config {
	/* PEM or DER private key, or a URI: key_uri.h. */
	const char *key_path;
	const char *module_path;     /* of PKCS#11; NULL: as OpenSSL has it */
	const char *provider;        /* of OpenSSL; NULL: an engine */
	const char *passphrase_path; /* its first line; NULL: none */
	int passphrase_fd; /* goes first; -1: none; signer_start closes it */
	const char *certificate_path; /* the issuer's */
	enum signer_digest digest;
	enum signer_padding padding;
	/* The IDPs it may sign for; NULL: one full CRL, which has no IDP. */
	const char *url_pattern;
	uint32_t shard_first;
	uint32_t shard_count; /* ignored without a pattern */
	int64_t skew_sec;     /* how far thisUpdate may lie after its clock */
	int64_t now_sec;      /* the clock, when has_now: a run with --now */
	bool has_now;
	uint32_t timeout_sec; /* for one answer; 0: SIGNER_TIMEOUT_SEC */
	uint32_t sessions;    /* signatures at a time; 0: one */
	bool unconfined;      /* without the sandbox: sandbox.h */
	/* PINs that were refused are remembered below this directory, for each
	 * issuer; NULL: nowhere. */
	const char *pin_mark_dir;
	const char *pin_mark_issuer;
};

struct signer;

/*
 * Forks the process and waits until it is ready. STATUS_CONFIG or
 * STATUS_FAILED with the fault reported: no key, wrong passphrase, a key that
 * is not the certificate's, a certificate that may not sign CRLs.
 *
 * Call it from the main thread, before any other thread and any connection
 * exists: the process goes on from a copy of this one, and it is killed when
 * the thread that forked it ends. Several signers may be started so.
 */
enum status signer_start(const struct signer_config *config,
    struct report *report, struct signer **signer) MUST_CHECK;

/*
 * Ends the process, by force when it does not end by itself, and frees the
 * signer; a process that is gone already is no fault here. NULL is fine.
 */
void signer_stop(struct signer *signer);

/* DER AlgorithmIdentifier of its signatures; belongs to the signer. */
struct crl_view signer_algorithm(const struct signer *signer);

/* RSASSA-PSS with every parameter spelt out takes 70 octets. */
#define SIGNER_ALGORITHM_BYTES_MOST 256

/*
 * The same without the key, which is elsewhere: what the configuration and the
 * certificate say that it will be. Faults are reported.
 */
enum status signer_describe(const struct signer_config *config,
    struct report *report, uint8_t algorithm[SIGNER_ALGORITHM_BYTES_MOST],
    size_t *len) MUST_CHECK;

/*
 * Memory a TBSCertList is built in, and which the signer reads.
 * Zero-initialise, or signer_buffer_new.
 */
struct signer_buffer {
	uint8_t *data;
	size_t size;
	size_t room; /* of the memory; at least size */
	int fd;      /* the memfd that is mapped at data; -1: none */
};

/*
 * Room for `size` bytes, 1 to SIGNER_TBS_BYTES_MOST, whatever they are. _new
 * takes a buffer that holds nothing; _resize one that was used, whose memory
 * it uses again where it can. All of the memory is there then: writing to it
 * cannot fail. STATUS_FAILED when it is too large, else STATUS_NO_MEMORY; on
 * failure the buffer is empty. signer_buffer_free is idempotent.
 */
enum status signer_buffer_new(struct signer_buffer *buffer, size_t size,
    struct report *report) MUST_CHECK;
enum status signer_buffer_resize(struct signer_buffer *buffer, size_t size,
    struct report *report) MUST_CHECK;
void signer_buffer_free(struct signer_buffer *buffer);

struct signer_signature {
	size_t len;
	uint8_t octet[SIGNER_SIGNATURE_BYTES_MOST];
};

/*
 * Hands the buffer to the signer and has it signed. The signer copies it first:
 * what it judged is what it signs, whatever becomes of the buffer meanwhile. A
 * buffer may be sent again, with the same content, which the number then
 * decides, or with another.
 * `floor` is the number last published for this shard, or 0. Threads may sign
 * at the same time; past `sessions` of them they take turns. STATUS_REFUSED
 * when the signer refused, STATUS_FAILED when it is gone or silent for
 * timeout_sec (it is killed then); reported under the name `object`, the death
 * itself once as "signer".
 */
enum status signer_sign(struct signer *signer,
    const struct signer_buffer *buffer, const struct uint160 *floor,
    const char *object, struct report *report,
    struct signer_signature *signature) MUST_CHECK;

/*
 * Peak resident memory of the signer's process in KiB, as of its last answer;
 * for the run's report.
 */
uint64_t signer_peak_kib(const struct signer *signer);

#endif
