/* SPDX-License-Identifier: ISC */
/*
 * Lint of the two AlgorithmIdentifiers. BR 7.1.3.2 lists them as bytes, and
 * as bytes they are compared here.
 */
#include <string.h>

#include "lint_check.h"

/* SEQUENCE { OID } and SEQUENCE { OID, NULL }; every length is one octet. */
#define RSA(last) \
	"\x30\x0d\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01" last "\x05\x00"
#define ECDSA(last) "\x30\x0a\x06\x08\x2a\x86\x48\xce\x3d\x04\x03" last
#define EDDSA(last) "\x30\x05\x06\x03\x2b\x65" last

/* RFC 4055, 3.1: of RSASSA-PSS the OID, and the parameters to the salt. */
#define PSS_OID "\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0a"
#define SHA2(last) \
	"\x30\x0d\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02" last "\x05\x00"
#define PSS_HASHES(last)                                                   \
	"\xa0\x0f" SHA2(last) "\xa1\x1c\x30\x1a\x06\x09"                   \
			      "\x2a\x86\x48\x86\xf7\x0d\x01\x01\x08" SHA2( \
				  last)
#define PSS(last, salt) \
	"\x30\x41" PSS_OID "\x30\x34" PSS_HASHES(last) "\xa2\x03\x02\x01" salt

/* Some bytes; literals may hold zero octets. */
struct bytes {
	const char *data;
	size_t len;
	const char *name;
};
#define BYTES(text, name)                    \
	{                                    \
		text, sizeof(text) - 1, name \
	}

/* BR 7.1.3.2.1 and 7.1.3.2.2. */
static const struct bytes public_algorithms[] = {
    BYTES(RSA("\x0b"), "RSA with SHA-256"),
    BYTES(RSA("\x0c"), "RSA with SHA-384"),
    BYTES(RSA("\x0d"), "RSA with SHA-512"),
    BYTES(PSS("\x01", "\x20"), "RSASSA-PSS with SHA-256"),
    BYTES(PSS("\x02", "\x30"), "RSASSA-PSS with SHA-384"),
    BYTES(PSS("\x03", "\x40"), "RSASSA-PSS with SHA-512"),
    BYTES(ECDSA("\x02"), "ECDSA with SHA-256"),
    BYTES(ECDSA("\x03"), "ECDSA with SHA-384"),
    BYTES(ECDSA("\x04"), "ECDSA with SHA-512"),
};

/* SBR 7.1.3.2.3; the TLS BR have no EdDSA. */
static const struct bytes eddsa_algorithms[] = {
    BYTES(EDDSA("\x70"), "Ed25519"),
    BYTES(EDDSA("\x71"), "Ed448"),
};

/* BR 7.1.3.2: OIDs of digests that can be forged. */
static const struct bytes weak_oids[] = {
    BYTES("\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x02", "MD2"),
    BYTES("\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x03", "MD4"),
    BYTES("\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x04", "MD5"),
    BYTES("\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x05", "SHA-1"),
    BYTES("\x06\x05\x2b\x0e\x03\x02\x1d", "SHA-1"),
    BYTES("\x06\x05\x2b\x0e\x03\x02\x0f", "SHA-1"),
    BYTES("\x06\x05\x2b\x0e\x03\x02\x1b", "SHA-1"),
    BYTES("\x06\x07\x2a\x86\x48\xce\x38\x04\x03", "SHA-1"),
    BYTES("\x06\x07\x2a\x86\x48\xce\x3d\x04\x01", "SHA-1"),
};

/* The parameters of RSASSA-PSS with any salt. */
static const struct bytes pss_hashes[] = {
    BYTES(PSS_HASHES("\x01"), "SHA-256"),
    BYTES(PSS_HASHES("\x02"), "SHA-384"),
    BYTES(PSS_HASHES("\x03"), "SHA-512"),
};

/* The header of the AlgorithmIdentifier, and of the parameters of PSS. */
#define HEADER_LEN 2

#define COUNT(table) (sizeof(table) / sizeof(*(table)))

/* Whether the bytes stand in the view at the offset. */
static bool
bytes_at(const struct crl_view *view, size_t offset, const struct bytes *bytes)
{
	return view->len >= offset && view->len - offset >= bytes->len &&
	       memcmp(view->data + offset, bytes->data, bytes->len) == 0;
}

/* The row that the view begins with; NULL: none. */
static const struct bytes *
bytes_find(const struct bytes *table, size_t n, const struct crl_view *view,
    size_t offset)
{
	for (size_t i = 0; i < n; i++)
		if (bytes_at(view, offset, &table[i]))
			return &table[i];
	return NULL;
}

/* The row whose OID the view has, whatever its parameters are. */
static const struct bytes *
oid_find(const struct bytes *table, size_t n, const struct crl_view *view)
{
	for (size_t i = 0; i < n; i++) {
		struct bytes oid = table[i];

		/* Header and OID are as long as the OID's length says. */
		oid.data += HEADER_LEN;
		oid.len = HEADER_LEN + (size_t)oid.data[1];
		if (bytes_at(view, HEADER_LEN, &oid))
			return &table[i];
	}
	return NULL;
}

/* RFC 4055, 3.1: the hashes of a PSS that is none of BR's three. */
static void
pss_check(struct lint *lint, const struct crl_view *algorithm)
{
	size_t offset = HEADER_LEN + sizeof(PSS_OID) - 1 + HEADER_LEN;
	const struct bytes *row =
	    bytes_find(pss_hashes, COUNT(pss_hashes), algorithm, offset);

	if (row != NULL && lint->context->profile == PROFILE_PRIVATE)
		lint_warn(lint, LINT_SIGALG_MATCH,
		    "have RSASSA-PSS with %s and a salt of another length, "
		    "want a salt as long as the hash",
		    row->name);
	else
		lint_find(lint, LINT_SIGALG_MATCH,
		    "have RSASSA-PSS with parameters of its own, want "
		    "SHA-256, SHA-384 or SHA-512 for both hashes and a salt "
		    "as long");
}

/* An OID that is known, with parameters that it does not have; or another. */
static void
other_check(struct lint *lint, const struct crl_view *algorithm)
{
	static const struct bytes pss = BYTES(PSS_OID, "RSASSA-PSS");
	const struct bytes *row;

	row = bytes_find(weak_oids, COUNT(weak_oids), algorithm, HEADER_LEN);
	if (row != NULL) {
		lint_find(lint, LINT_SIGALG_MATCH,
		    "have a signature over %s, want SHA-256, SHA-384 or "
		    "SHA-512",
		    row->name);
		return;
	}
	if (bytes_at(algorithm, HEADER_LEN, &pss)) {
		pss_check(lint, algorithm);
		return;
	}
	row = oid_find(public_algorithms, COUNT(public_algorithms), algorithm);
	if (row == NULL)
		row = oid_find(
		    eddsa_algorithms, COUNT(eddsa_algorithms), algorithm);
	if (row != NULL)
		lint_find(lint, LINT_SIGALG_MATCH,
		    "have %s with wrong parameters, want NULL for RSA and "
		    "none for ECDSA and EdDSA",
		    row->name);
	else if (lint->context->profile == PROFILE_PRIVATE)
		lint_warn(lint, LINT_SIGALG_MATCH,
		    "have a signature algorithm that is not known, want RSA, "
		    "RSASSA-PSS, ECDSA or EdDSA");
	else
		lint_find(lint, LINT_SIGALG_MATCH,
		    "have a signature algorithm that is not known, want RSA, "
		    "RSASSA-PSS or ECDSA");
}

static bool
is_tls(enum profile profile)
{
	return profile == PROFILE_TLS || profile == PROFILE_TLS_CA;
}

/*
 * RFC 5280, 5.1.1.2: "MUST contain the same algorithm identifier as the
 * signature field in the sequence tbsCertList". The outer one, by which the
 * signature is verified, is then held against BR 7.1.3.2.
 */
void
lint_check_sigalg_match(struct lint *lint)
{
	const struct crl_view *inner = &lint->crl->inner_algorithm;
	const struct crl_view *outer = &lint->crl->outer_algorithm;
	const struct bytes *row;

	if (outer->data == NULL)
		outer = inner;
	if (inner->len != outer->len ||
	    memcmp(inner->data, outer->data, inner->len) != 0) {
		lint_find(lint, LINT_SIGALG_MATCH,
		    "have an algorithm of %zu octets in TBSCertList and "
		    "another of %zu octets outside of it, want the same bytes",
		    inner->len, outer->len);
		return;
	}
	row = bytes_find(public_algorithms, COUNT(public_algorithms), outer, 0);
	if (row != NULL && row->len == outer->len)
		return;
	row = bytes_find(eddsa_algorithms, COUNT(eddsa_algorithms), outer, 0);
	if (row == NULL || row->len != outer->len)
		other_check(lint, outer);
	else if (is_tls(lint->context->profile))
		lint_warn(lint, LINT_SIGALG_MATCH,
		    "have %s, want RSA, RSASSA-PSS or ECDSA: browsers take no "
		    "other",
		    row->name);
}
