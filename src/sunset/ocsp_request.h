/* SPDX-License-Identifier: ISC */
/*
 * What an OCSP request (RFC 6960, 4.1) reveals of its sender's library and of
 * the issuer it asks about. Serial numbers are passed over. Pure; allocates
 * nothing.
 */
#ifndef CRLPRESS_OCSP_REQUEST_H
#define CRLPRESS_OCSP_REQUEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "crlpress/status.h"

#include "counts.h"

struct ocsp_request {
	bool nonce;              /* RFC 9654: id-pkix-ocsp-nonce is there */
	enum count_hash hash;    /* of the first CertID */
	const uint8_t *key_hash; /* its issuerKeyHash, in the bytes given */
	size_t key_hash_len;
};

/*
 * STATUS_MALFORMED when the bytes are not one OCSP request in DER; `*request`
 * then says nothing: no nonce, COUNT_HASH_NONE, no key hash.
 */
enum status ocsp_request_parse(
    const uint8_t *der, size_t len, struct ocsp_request *request) MUST_CHECK;

/* What decoding a path of `len` bytes may write. */
#define OCSP_PATH_DER_BYTES(len) ((len) / 4 * 3 + 3)

/*
 * RFC 6960, A.1: the request that stands in the path of a GET, in base64,
 * behind the path of the responder's URL, which may have slashes itself:
 * looked for behind the first OCSP_PATH_TRIES slashes that an 'M' follows, as
 * a SEQUENCE begins with it. '+', '/' and '=' may stand as %2B, %2F and %3D, a
 * '+' also as a blank or %20; slashes are never collapsed. The padding may be
 * left out. `der` has room for OCSP_PATH_DER_BYTES(len).
 */
#define OCSP_PATH_TRIES 8
enum status ocsp_path_parse(const char *path, size_t len, uint8_t *der,
    struct ocsp_request *request) MUST_CHECK;

#endif
