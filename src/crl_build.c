/* SPDX-License-Identifier: ISC */
/*
 * The encoder of CRLs. RFC 5280, 5.1 gives the structure; what this program
 * puts into it:
 *
 *   version v2, signature, issuer, thisUpdate, nextUpdate,
 *   revokedCertificates (absent when there are none),
 *   extensions: authorityKeyIdentifier, cRLNumber,
 *   issuingDistributionPoint (critical).
 *
 * An entry has at most one extension, a reasonCode other than 0.
 */
#include "crlpress/crl_build.h"

#include <assert.h>
#include <stdbool.h>
#include <string.h>

#include "crlpress/der_write.h"

#define BOOLEAN_TRUE "\x01\x01\xff"
#define BOOLEAN_LEN 3
#define VERSION_V2 "\x02\x01\x01"
#define VERSION_LEN 3

/* The OIDs with their header. */
#define OID_AKI "\x06\x03\x55\x1d\x23"
#define OID_NUMBER "\x06\x03\x55\x1d\x14"
#define OID_IDP "\x06\x03\x55\x1d\x1c"
#define OID_LEN 5

/* crlEntryExtensions with one reasonCode; the reason is the last octet. */
#define REASON_EXTENSION "\x30\x0c\x30\x0a\x06\x03\x55\x1d\x15\x04\x03\x0a\x01"
#define REASON_EXTENSION_LEN 13
#define REASON_LEN (REASON_EXTENSION_LEN + 1)

/* Content sizes of everything around the entries. */
struct sizes {
	size_t general_name; /* IDP, from the inside out */
	size_t full_name;
	size_t point;
	size_t idp;
	size_t key_id; /* AKI */
	size_t aki;
	size_t number; /* the INTEGER as an element */
	size_t aki_extension;
	size_t number_extension;
	size_t idp_extension;
	size_t extensions; /* of the SEQUENCE OF Extension */
	size_t entries;
	size_t tbs;
};

/* Entries are of some hundred days: each day's date is formatted once. */
#define DAYS 512

struct day {
	int64_t day;      /* since 1970 */
	uint8_t time[17]; /* tag, length, digits of midnight, Z */
	size_t len;       /* 0: not filled */
};

static bool
has_idp(const struct crl_header *header)
{
	return header->url != NULL || header->scope != CRL_SCOPE_ALL;
}

/* RFC 5280, 5.2.5, inside out. */
static void
measure_idp(const struct crl_header *header, struct sizes *sizes)
{
	if (!has_idp(header))
		return;
	if (header->url != NULL) {
		sizes->general_name = strlen(header->url);
		sizes->full_name = der_size(sizes->general_name);
		sizes->point = der_size(sizes->full_name);
		sizes->idp = der_size(sizes->point);
	}
	if (header->scope != CRL_SCOPE_ALL)
		sizes->idp += BOOLEAN_LEN;
	sizes->idp_extension =
	    OID_LEN + BOOLEAN_LEN + der_size(der_size(sizes->idp));
	sizes->extensions += der_size(sizes->idp_extension);
}

static void
measure_extensions(const struct crl_header *header, struct sizes *sizes)
{
	sizes->number = der_size(der_uint_len(&header->number));
	sizes->number_extension = OID_LEN + der_size(sizes->number);
	sizes->extensions = der_size(sizes->number_extension);
	if (header->key_id != NULL) {
		sizes->key_id = header->key_id_len;
		sizes->aki = der_size(sizes->key_id);
		sizes->aki_extension = OID_LEN + der_size(der_size(sizes->aki));
		sizes->extensions += der_size(sizes->aki_extension);
	}
	measure_idp(header, sizes);
}

/* RFC 5280, 5.3.1: the reason unspecified (0) is said by saying nothing. */
size_t
crl_entry_size(
    const struct uint160 *serial, int64_t revoked_at_sec, uint8_t reason)
{
	/* All three are below 128 octets: their headers take two. */
	size_t size =
	    2 + 2 + der_uint_len(serial) + 2 + der_time_len(revoked_at_sec);

	return reason == 0 ? size : size + REASON_LEN;
}

static size_t
entries_len(const struct row *rows, size_t n)
{
	size_t len = 0;

	for (size_t i = 0; i < n; i++)
		len += crl_entry_size(
		    &rows[i].serial, row_revoked_at(&rows[i]), rows[i].reason);
	return len;
}

/* The content of an element of this size; the inverse of der_size. */
static size_t
content_len(size_t size)
{
	size_t len = size - 2;

	while (der_size(len) > size)
		len--;
	return len;
}

/* All sizes but those of the entries and what is around them. */
static void
measure(const struct crl_header *header, struct sizes *sizes)
{
	memset(sizes, 0, sizeof(*sizes));
	measure_extensions(header, sizes);
	sizes->tbs = VERSION_LEN + header->algorithm_len + header->issuer_len +
		     der_size(der_time_len(header->this_update_sec)) +
		     der_size(der_time_len(header->next_update_sec)) +
		     der_size(der_size(sizes->extensions));
}

static uint8_t *
put_pair(uint8_t *at, unsigned n)
{
	*at++ = (uint8_t)('0' + n / 10);
	*at++ = (uint8_t)('0' + n % 10);
	return at;
}

static uint8_t *
put_revocation_date(uint8_t *at, int64_t sec, struct day *days)
{
	int64_t day = sec / 86400 - (sec % 86400 < 0);
	unsigned second = (unsigned)(sec - day * 86400);
	struct day *date = &days[(uint64_t)day % DAYS];

	if (date->len == 0 || date->day != day) {
		date->day = day;
		date->len = (size_t)(der_put_time(date->time, day * 86400) -
				     date->time);
	}
	/* Of a UTCTime two octets too many, which what follows overwrites:
	 * behind the last entry there are always extensions. */
	memcpy(at, date->time, sizeof(date->time));
	at += date->len - 7;
	at = put_pair(at, second / 3600);
	at = put_pair(at, second / 60 % 60);
	at = put_pair(at, second % 60);
	return at + 1;
}

static uint8_t *
put_entries(uint8_t *at, const struct row *rows, size_t n)
{
	struct day days[DAYS] = {{0}};

	for (size_t i = 0; i < n; i++) {
		const struct row *row = &rows[i];
		uint8_t *content = at + 2;

		at = der_put_uint(content, &row->serial);
		at = put_revocation_date(at, row_revoked_at(row), days);
		if (row->reason != 0) {
			at = der_put_bytes(
			    at, REASON_EXTENSION, REASON_EXTENSION_LEN);
			*at++ = row->reason;
		}
		content[-2] = DER_SEQUENCE;
		content[-1] = (uint8_t)(at - content);
	}
	return at;
}

/* RFC 5280, 5.2.1 and 5.2.3: both not critical. */
static uint8_t *
put_aki(uint8_t *at, const struct crl_header *header, const struct sizes *sizes)
{
	at = der_put_header(at, DER_SEQUENCE, sizes->aki_extension);
	at = der_put_bytes(at, OID_AKI, OID_LEN);
	at = der_put_header(at, DER_OCTET_STRING, der_size(sizes->aki));
	at = der_put_header(at, DER_SEQUENCE, sizes->aki);
	at = der_put_header(at, DER_CONTEXT(0), sizes->key_id);
	return der_put_bytes(at, header->key_id, sizes->key_id);
}

static uint8_t *
put_number(
    uint8_t *at, const struct crl_header *header, const struct sizes *sizes)
{
	at = der_put_header(at, DER_SEQUENCE, sizes->number_extension);
	at = der_put_bytes(at, OID_NUMBER, OID_LEN);
	at = der_put_header(at, DER_OCTET_STRING, sizes->number);
	return der_put_uint(at, &header->number);
}

/* RFC 5280, 5.2.5: critical; onlyContainsUserCerts [1], ...CACerts [2]. */
static uint8_t *
put_idp(uint8_t *at, const struct crl_header *header, const struct sizes *sizes)
{
	at = der_put_header(at, DER_SEQUENCE, sizes->idp_extension);
	at = der_put_bytes(at, OID_IDP, OID_LEN);
	at = der_put_bytes(at, BOOLEAN_TRUE, BOOLEAN_LEN);
	at = der_put_header(at, DER_OCTET_STRING, der_size(sizes->idp));
	at = der_put_header(at, DER_SEQUENCE, sizes->idp);
	if (header->url != NULL) {
		at = der_put_header(
		    at, DER_CONTEXT_CONSTRUCTED(0), sizes->point);
		at = der_put_header(
		    at, DER_CONTEXT_CONSTRUCTED(0), sizes->full_name);
		at = der_put_header(at, DER_CONTEXT(6), sizes->general_name);
		at = der_put_bytes(at, header->url, sizes->general_name);
	}
	if (header->scope != CRL_SCOPE_ALL) {
		at = der_put_bytes(at, BOOLEAN_TRUE, BOOLEAN_LEN);
		at[-BOOLEAN_LEN] = header->scope == CRL_SCOPE_USERS
				       ? DER_CONTEXT(1)
				       : DER_CONTEXT(2);
	}
	return at;
}

static uint8_t *
put_extensions(
    uint8_t *at, const struct crl_header *header, const struct sizes *sizes)
{
	at = der_put_header(
	    at, DER_CONTEXT_CONSTRUCTED(0), der_size(sizes->extensions));
	at = der_put_header(at, DER_SEQUENCE, sizes->extensions);
	if (header->key_id != NULL)
		at = put_aki(at, header, sizes);
	at = put_number(at, header, sizes);
	if (has_idp(header))
		at = put_idp(at, header, sizes);
	return at;
}

/* Four such lengths and the entries are below 2^33: no sum can wrap. */
static bool
header_is_sane(const struct crl_header *header)
{
	const size_t most = CRL_BUILD_BYTES_MOST / 2;

	return header->issuer_len <= most && header->algorithm_len <= most &&
	       (header->key_id == NULL || header->key_id_len <= most) &&
	       (header->url == NULL || strlen(header->url) <= most);
}

enum status
crl_tbs_size(const struct crl_header *header, const struct row *rows, size_t n,
    size_t *size, const char **why)
{
	/* The largest entry is below 64 octets. */
	const size_t rows_most = CRL_BUILD_BYTES_MOST / 32;
	struct sizes sizes;

	if (n > rows_most) {
		*why = "more entries than one CRL can hold";
		return STATUS_MALFORMED;
	}
	if (!header_is_sane(header)) {
		*why = "a name, algorithm, key identifier or URL too long";
		return STATUS_MALFORMED;
	}
	measure(header, &sizes);
	/* RFC 5280, 5.1.2.6: no entries, no field. */
	if (n > 0)
		sizes.tbs += der_size(entries_len(rows, n));
	if (sizes.tbs > CRL_BUILD_BYTES_MOST - CRL_PREFIX_BYTES * 2 -
			    CRL_SUFFIX_BYTES_MOST) {
		*why = "larger than 2 GiB";
		return STATUS_MALFORMED;
	}
	*size = der_size(sizes.tbs);
	return STATUS_OK;
}

uint64_t
crl_size(const struct crl_header *header, uint64_t entries_bytes,
    size_t signature_len)
{
	struct sizes sizes;
	size_t size;

	if (!header_is_sane(header) || entries_bytes > CRL_BUILD_BYTES_MOST ||
	    signature_len > CRL_SUFFIX_BYTES_MOST)
		return 0;
	measure(header, &sizes);
	if (entries_bytes > 0)
		sizes.tbs += der_size(entries_bytes);
	/* RFC 5280, 5.1.1.3: a BIT STRING begins with its unused bits. */
	size = der_size(sizes.tbs) + header->algorithm_len +
	       der_size(1 + signature_len);
	size = der_size(size);
	return size > CRL_BUILD_BYTES_MOST ? 0 : size;
}

void
crl_tbs_write(const struct crl_header *header, const struct row *rows, size_t n,
    uint8_t *out, size_t size)
{
	size_t tbs_len = content_len(size);
	struct sizes sizes;
	uint8_t *at = out;

	measure(header, &sizes);
	if (n > 0)
		sizes.entries = content_len(tbs_len - sizes.tbs);
	sizes.tbs = tbs_len;
	at = der_put_header(at, DER_SEQUENCE, sizes.tbs);
	at = der_put_bytes(at, VERSION_V2, VERSION_LEN);
	at = der_put_bytes(at, header->algorithm, header->algorithm_len);
	at = der_put_bytes(at, header->issuer, header->issuer_len);
	at = der_put_time(at, header->this_update_sec);
	at = der_put_time(at, header->next_update_sec);
	if (n > 0) {
		at = der_put_header(at, DER_SEQUENCE, sizes.entries);
		at = put_entries(at, rows, n);
	}
	at = put_extensions(at, header, &sizes);
	assert((size_t)(at - out) == size);
	(void)size;
}

size_t
crl_prefix_write(
    size_t tbs_len, size_t suffix_len, uint8_t out[CRL_PREFIX_BYTES])
{
	return (
	    size_t)(der_put_header(out, DER_SEQUENCE, tbs_len + suffix_len) -
		    out);
}

/* RFC 5280, 5.1.1.3: the signature as a BIT STRING without unused bits. */
size_t
crl_suffix_write(const uint8_t *algorithm, size_t algorithm_len,
    const uint8_t *signature, size_t signature_len,
    uint8_t out[CRL_SUFFIX_BYTES_MOST])
{
	uint8_t *at = out;

	if (algorithm_len > CRL_SUFFIX_BYTES_MOST / 2 ||
	    signature_len > CRL_SUFFIX_BYTES_MOST / 2 - 16)
		return 0;
	at = der_put_bytes(at, algorithm, algorithm_len);
	at = der_put_header(at, DER_BIT_STRING, signature_len + 1);
	*at++ = 0;
	at = der_put_bytes(at, signature, signature_len);
	return (size_t)(at - out);
}
