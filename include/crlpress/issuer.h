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

/* A name that is longer is cut off: it is for a person to recognise. */
#define ISSUER_NAME_BYTES 512

/* A DER Name as RFC 4514 has it, "CN=E1,O=Example"; returns `out`. */
const char *issuer_name_text(
    const struct crl_view *name, char *out, size_t size);

/*
 * RFC 5280, 6.3.3 (f): whether the CRL's signature verifies under the
 * issuer's key. STATUS_OK, or STATUS_MALFORMED with `*why` in static text.
 * Threads may verify with one issuer at the same time.
 */
enum status issuer_verify(const struct issuer *issuer, const struct crl *crl,
    const char **why) MUST_CHECK;

#endif
