/* SPDX-License-Identifier: ISC */
/*
 * The private key inside the signer's process: opened, checked against the
 * issuer certificate, and asked for signatures. libcrypto stays behind this
 * header. Nothing here prints: the process has no report, so what there is to
 * say is handed out as notices, which never contain a secret.
 */
#ifndef CRLPRESS_SIGNER_KEY_H
#define CRLPRESS_SIGNER_KEY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "crlpress/crl_read.h"
#include "crlpress/signer.h"
#include "crlpress/status.h"

/* A PEM file of an RSA-16384 key has 13 kB. */
#define SIGNER_KEY_BYTES_MOST (64 * 1024)

/* libcrypto takes passphrases of PEM files up to this length. */
#define SIGNER_PASSPHRASE_BYTES_MOST 1023

/* A line of text about a key or a TBSCertList, with its NUL. */
#define SIGNER_TEXT_BYTES 512

/* What there is to say. Severity, clause and hint of each: signer.c. */
enum signer_notice_code {
	SIGNER_NOTICE_KEY_UNREADABLE,
	SIGNER_NOTICE_KEY_ABSENT,  /* no token has it */
	SIGNER_NOTICE_KEY_MODULE,  /* its token's library does not start */
	SIGNER_NOTICE_KEY_EXPOSED, /* a warning */
	SIGNER_NOTICE_KEY_MALFORMED,
	SIGNER_NOTICE_KEY_ENCRYPTED, /* and there is no passphrase */
	SIGNER_NOTICE_KEY_PASSPHRASE,
	SIGNER_NOTICE_KEY_PIN, /* refused by its token */
	SIGNER_NOTICE_KEY_KIND,
	SIGNER_NOTICE_KEY_PADDING,
	SIGNER_NOTICE_KEY_DIGEST,
	SIGNER_NOTICE_KEY_MISMATCH,
	SIGNER_NOTICE_CERTIFICATE_UNREADABLE,
	SIGNER_NOTICE_CERTIFICATE_MALFORMED,
	SIGNER_NOTICE_CERTIFICATE_USAGE,
	SIGNER_NOTICE_CERTIFICATE_NO_CA, /* a note */
	SIGNER_NOTICE_PASSPHRASE_UNREADABLE,
	SIGNER_NOTICE_PASSPHRASE_EXPOSED, /* a warning */
	SIGNER_NOTICE_PASSPHRASE_LENGTH,
	SIGNER_NOTICE_PROCESS,    /* the process could not be set up */
	SIGNER_NOTICE_NO_SANDBOX, /* a warning */
	SIGNER_NOTICE_UNCONFINED, /* a note: as configured */
	SIGNER_NOTICE_COUNT
};

struct signer_notice {
	enum signer_notice_code code;
	char text[SIGNER_TEXT_BYTES];
};

/* One fault at most, and what may come before it. */
#define SIGNER_NOTICES_MOST 4

struct signer_notices {
	size_t count;
	struct signer_notice notice[SIGNER_NOTICES_MOST];
};

/* Adds one; without effect when there are SIGNER_NOTICES_MOST. */
void signer_notice_add(struct signer_notices *notices,
    enum signer_notice_code code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

struct signer_key;

/*
 * Loads the key and the certificate that `config` names and checks that the
 * one belongs to the other and may sign CRLs. Reads `passphrase_fd` up to the
 * end of its first line and leaves it open. On failure the last notice is the
 * fault. The caller closes the key; signer_key_close(NULL) is fine.
 */
enum status signer_key_open(const struct signer_config *config,
    struct signer_notices *notices, struct signer_key **key) MUST_CHECK;
void signer_key_close(struct signer_key *key);

/*
 * The same of the certificate alone, where the key is elsewhere: its facts are
 * those that the key's would be, and nothing can be signed with it.
 */
enum status signer_key_open_public(const struct signer_config *config,
    struct signer_notices *notices, struct signer_key **key) MUST_CHECK;

/* What its CRLs must carry; the bytes belong to the key. */
struct signer_key_facts {
	struct crl_view algorithm; /* DER AlgorithmIdentifier */
	struct crl_view subject;   /* DER Name of the certificate */
	struct crl_view key_id;    /* content of its SKI, or absent */
	bool is_elsewhere; /* in a token, behind an engine or provider */
};

const struct signer_key_facts *signer_key_facts(const struct signer_key *key);

/* Signs `len` bytes. STATUS_FAILED with static `*why`. */
enum status signer_key_sign(const struct signer_key *key, const uint8_t *data,
    size_t len, struct signer_signature *signature,
    const char **why) MUST_CHECK;

#endif
