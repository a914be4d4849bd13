/* SPDX-License-Identifier: ISC */
/*
 * The issuer's certificate: the names and key identifiers a CRL must carry,
 * and the judge's check of signatures. libcrypto stays behind this header.
 */
#ifndef CRLPRESS_ISSUER_H
#define CRLPRESS_ISSUER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "crlpress/crl_read.h"
#include "crlpress/report.h"
#include "crlpress/status.h"

struct issuer;

/* A certificate file larger than this is not one. */
#define ISSUER_FILE_BYTES_MOST (1024 * 1024)

#define ISSUER_SHA256_BYTES 32

/* Facts of the certificate; the bytes belong to the issuer. */
struct issuer_facts {
	struct crl_view subject; /* DER Name */
	struct crl_view key_id;  /* content of subjectKeyIdentifier or absent */
	int64_t not_before_sec;
	int64_t not_after_sec;
	bool has_key_usage;
	bool may_sign_crls;                  /* no keyUsage, or cRLSign in it */
	bool is_ca;                          /* basicConstraints cA */
	uint8_t sha256[ISSUER_SHA256_BYTES]; /* of the DER certificate */
};

/*
 * Loads the one certificate (PEM or DER) in a file. A fault names the file.
 * The caller frees it; issuer_free(NULL) is fine.
 */
enum status issuer_load(
    const char *path, struct report *report, struct issuer **issuer) MUST_CHECK;
void issuer_free(struct issuer *issuer);

const struct issuer_facts *issuer_facts(const struct issuer *issuer);

/* Two certificates of one key: a CA may have several, and several keys. */
bool issuer_has_same_key(const struct issuer *a, const struct issuer *b);

/* A name that is longer is cut off: it is for a person to recognise. */
#define ISSUER_NAME_BYTES 512

/* A DER Name as RFC 4514 has it, "CN=E1,O=Example"; returns `out`. */
const char *issuer_name_text(
    const struct crl_view *name, char *out, size_t size);

/* What databases and people know an issuer by; all text with a NUL. */
struct issuer_description {
	char serial[64];       /* lower-case hex of whole octets */
	char sha1[41];         /* of the DER certificate, hex */
	char subject_sha1[41]; /* of the DER Name */
	char key[64];          /* "EC prime256v1", "RSA 2048" */
};

void issuer_describe(
    const struct issuer *issuer, struct issuer_description *description);

/*
 * RFC 5280, 6.3.3 (f): whether the CRL's signature verifies under the
 * issuer's key. STATUS_OK, or STATUS_MALFORMED with `*why` in static text.
 * Threads may verify with one issuer at the same time.
 */
enum status issuer_verify(const struct issuer *issuer, const struct crl *crl,
    const char **why) MUST_CHECK;

/*
 * How many octets a signature of the issuer's key has at most, and the
 * AlgorithmIdentifier (DER) that goes with it, by PKCS#1 or, `pss`, PSS with
 * every parameter spelt out. Signatures of ECDSA are some octets shorter by
 * chance. False: no key that CRLs are signed with.
 */
bool issuer_signature_sizes(const struct issuer *issuer, bool pss,
    size_t *algorithm_len, size_t *signature_len);

#endif
