/* SPDX-License-Identifier: ISC */
/*
 * The judge's reader: a strict DER reader for any CRL anybody made. It
 * allocates nothing, checks every bound, and hands out views into the bytes
 * it was given. What RFC 5280 forbids but DER can say is read and left to
 * lint.h; what is not DER, or has no place to be read into, is a fault here.
 * Pure; shares no code with the encoder.
 */
#ifndef CRLPRESS_CRL_READ_H
#define CRLPRESS_CRL_READ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "crlpress/status.h"
#include "crlpress/uint160.h"

/* Borrowed bytes inside the CRL; `data` is NULL when the field is absent. */
struct crl_view {
	const uint8_t *data;
	size_t len;
};

/* Whether both are there and have the same bytes. */
bool crl_view_equal(const struct crl_view *a, const struct crl_view *b);

/*
 * Where and why the bytes are not a CRL; texts are static. The offset is that
 * of the tag of the value at fault, or of the octet where a missing value
 * should begin, or of the first octet too many.
 */
struct crl_fault {
	size_t offset; /* from the start of the bytes given to crl_parse */
	const char *rule;
	const char *clause;
	const char *text;
};

/* RFC 5280, 5.1.2.4-6: how a time was encoded. */
enum crl_time_form { CRL_TIME_UTC, CRL_TIME_GENERALIZED };

struct crl_time {
	int64_t sec;
	enum crl_time_form form;
};

/* How many CRL extensions are told apart; more of them is a fault. */
#define CRL_EXTENSIONS_MOST 32

/* One extension of the CRL, in order of appearance. */
struct crl_extension {
	struct crl_view oid;   /* content octets */
	struct crl_view value; /* content of the OCTET STRING */
	bool critical;
	bool critical_encoded; /* BOOLEAN present (DEFAULT FALSE must not be) */
};

struct crl {
	struct crl_view bytes; /* the whole CertificateList, or TBSCertList */
	struct crl_view tbs;   /* TBSCertList with its header: what is signed */
	bool has_version;
	uint32_t version;                /* 1 is v2 */
	struct crl_view inner_algorithm; /* AlgorithmIdentifier with header */
	struct crl_view outer_algorithm;
	struct crl_view signature; /* BIT STRING content after unused = 0 */
	struct crl_view issuer;    /* Name with header */
	struct crl_time this_update;
	bool has_next_update;
	struct crl_time next_update;
	bool has_entries;        /* the field is there, even if empty */
	struct crl_view entries; /* content of revokedCertificates */
	bool has_extensions;     /* the field is there, even if empty */
	size_t extension_count;
	struct crl_extension extension[CRL_EXTENSIONS_MOST];
};

/*
 * Parses a DER CRL. STATUS_MALFORMED with `*fault` filled. Entries are only
 * bounded here, and read one at a time below.
 */
enum status crl_parse(const uint8_t *data, size_t len, struct crl *crl,
    struct crl_fault *fault) MUST_CHECK;

/*
 * Parses a TBSCertList alone (what a signer is asked to sign): as crl_parse,
 * with outer_algorithm and signature absent.
 */
enum status crl_parse_tbs(const uint8_t *data, size_t len, struct crl *crl,
    struct crl_fault *fault) MUST_CHECK;

/*
 * How many extensions one entry may have before reading it is refused: there
 * are four of them, and duplicates are found by comparing each with each.
 */
#define CRL_ENTRY_EXTENSIONS_MOST 16

/* How an entry's serial is encoded, for lint; the value itself is `serial`. */
struct crl_entry {
	size_t offset;           /* of the entry from the start of the CRL */
	struct crl_view encoded; /* the entry with its header */
	struct crl_view integer; /* content octets of userCertificate */
	struct crl_time revoked_at;
	int reason;            /* 0 to 127 as encoded; -1: no reasonCode */
	struct uint160 serial; /* when in range */
	bool serial_in_range;  /* positive and below 2^159 */
	bool reason_critical;
	bool has_invalidity_date;
	bool has_certificate_issuer;
	bool has_hold_instruction;
	bool has_unknown;
	bool has_unknown_critical;
	bool has_duplicate_extension;
	bool has_empty_extensions; /* SEQUENCE OF with nothing in it */
	bool has_encoded_default;  /* BOOLEAN FALSE encoded */
	/* The serial is in range, revoked_at a UTCTime, the reason below 32 or
	 * -1, and all that is said above from reason_critical on is false. Not
	 * every entry of which that is so has it set. */
	bool is_usual;
};

/*
 * The entry at `*position` (0 at first; moved to the next). STATUS_DONE after
 * the last, STATUS_MALFORMED with `*fault`.
 */
enum status crl_entry_read(const struct crl *crl, size_t *position,
    struct crl_entry *entry, struct crl_fault *fault) MUST_CHECK;

/*
 * The same without the short cut that crl_entry_read takes through entries of
 * the usual shape, so that tests can hold one against the other.
 */
enum status crl_entry_read_general(const struct crl *crl, size_t *position,
    struct crl_entry *entry, struct crl_fault *fault) MUST_CHECK;

/* The first extension with this OID (content octets), or NULL. */
const struct crl_extension *crl_extension_find(
    const struct crl *crl, const uint8_t *oid, size_t oid_len);

/*
 * The contents of three extensions: STATUS_NOT_FOUND without the extension,
 * STATUS_MALFORMED with `*fault` when its value is not what RFC 5280 has there.
 */

/* RFC 5280, 5.2.3: not negative and below 2^159. */
enum status crl_number(const struct crl *crl, struct uint160 *number,
    struct crl_fault *fault) MUST_CHECK;

/* RFC 5280, 5.2.1. key_id absent where the extension has none. */
struct crl_aki {
	bool critical;
	struct crl_view key_id;
	bool has_issuer_or_serial;
};
enum status crl_aki(const struct crl *crl, struct crl_aki *aki,
    struct crl_fault *fault) MUST_CHECK;

/* RFC 5280, 5.2.5. */
#define CRL_IDP_URLS_MOST 16
struct crl_idp {
	bool critical;
	bool has_full_name;
	bool has_relative_name;
	size_t url_count; /* uniformResourceIdentifiers, in order */
	struct crl_view url[CRL_IDP_URLS_MOST];
	size_t other_name_count; /* GeneralNames of other kinds */
	bool only_users;
	bool only_cas;
	bool only_attributes;
	bool indirect;
	bool has_some_reasons;
	bool has_encoded_default; /* a BOOLEAN FALSE that DER omits */
};
enum status crl_idp(const struct crl *crl, struct crl_idp *idp,
    struct crl_fault *fault) MUST_CHECK;

#endif
