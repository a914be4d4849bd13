/* SPDX-License-Identifier: ISC */
/*
 * The encoder: sorted rows to the DER of a TBSCertList and of the signed
 * CertificateList around it (RFC 5280, 5.1). The size is computed before a
 * byte is written; the same header and rows give the same bytes for ever.
 * Pure; shares no code with crl_read.h, which judges what it makes.
 */
#ifndef CRLPRESS_CRL_BUILD_H
#define CRLPRESS_CRL_BUILD_H

#include <stddef.h>
#include <stdint.h>

#include "crlpress/row.h"
#include "crlpress/status.h"

/* A CRL of 2 GiB is nobody's shard; DER lengths up to there take 4 octets. */
#define CRL_BUILD_BYTES_MOST 0x7fffffffUL

/* RFC 5280, 5.2.5: what the issuingDistributionPoint says of its scope. */
enum crl_scope {
	CRL_SCOPE_ALL,   /* no onlyContains... */
	CRL_SCOPE_USERS, /* onlyContainsUserCerts */
	CRL_SCOPE_CAS,   /* onlyContainsCACerts */
};

/* Everything of a CRL but its entries. The bytes are borrowed. */
struct crl_header {
	const uint8_t *algorithm; /* DER AlgorithmIdentifier */
	size_t algorithm_len;
	const uint8_t *issuer; /* DER Name, as in the issuer's subject */
	size_t issuer_len;
	const uint8_t *key_id; /* content of the issuer's SKI; NULL: no AKI */
	size_t key_id_len;
	int64_t this_update_sec;
	int64_t next_update_sec;
	struct uint160 number;
	const char *url; /* IDP distributionPoint; NULL: none */
	enum crl_scope scope;
};

/*
 * Size in bytes of the TBSCertList. STATUS_MALFORMED with `*why` when it
 * would pass CRL_BUILD_BYTES_MOST. `rows` are sorted by serial, one a serial.
 */
enum status crl_tbs_size(const struct crl_header *header,
    const struct row *rows, size_t n, size_t *size,
    const char **why) MUST_CHECK;

/* Size in bytes of one entry: 20 to 55. */
size_t crl_entry_size(
    const struct uint160 *serial, int64_t revoked_at_sec, uint8_t reason);

/*
 * Size in bytes of the signed CRL whose entries take `entries_bytes` together,
 * 0 for none, with a signature of `signature_len` octets. 0 when it would pass
 * CRL_BUILD_BYTES_MOST or the header is none.
 */
uint64_t crl_size(const struct crl_header *header, uint64_t entries_bytes,
    size_t signature_len);

/* Writes the TBSCertList to `out`, which has exactly `size` bytes of room. */
void crl_tbs_write(const struct crl_header *header, const struct row *rows,
    size_t n, uint8_t *out, size_t size);

/*
 * The CertificateList around a TBSCertList is
 *   prefix (crl_prefix_write) | TBS | suffix (crl_suffix_write).
 */
#define CRL_PREFIX_BYTES 6
#define CRL_SUFFIX_BYTES_MOST 4096 /* RSA-16384 and an algorithm with PSS */

/* Both return the number of bytes written, at most the sizes above; the
 * suffix returns 0 when it would not fit. */
size_t crl_prefix_write(
    size_t tbs_len, size_t suffix_len, uint8_t out[CRL_PREFIX_BYTES]);
size_t crl_suffix_write(const uint8_t *algorithm, size_t algorithm_len,
    const uint8_t *signature, size_t signature_len,
    uint8_t out[CRL_SUFFIX_BYTES_MOST]);

#endif
