/* SPDX-License-Identifier: ISC */
/*
 * CertificateList and TBSCertList by RFC 5280, 5.1: every field found, bounded
 * and in its place. The entries are read by crl_entry.c, the values of the
 * extensions by crl_extension.c.
 */
#include "crlpress/crl_read.h"

#include <string.h>

#include "crlpress/der_read.h"

/* TBSCertList: crlExtensions is [0] EXPLICIT. */
#define TAG_EXTENSIONS 0xa0

/* RFC 5280, 5.1.1.2: OID and parameters, which are whatever the OID says. */
static enum status
algorithm_read(struct der_reader *reader, const char *text,
    struct crl_view *algorithm, struct crl_fault *fault)
{
	struct der_reader in;
	struct der_value value, inner;
	enum status status;

	status =
	    der_take(reader, DER_SEQUENCE, DER_RULE_DER, text, &value, fault);
	if (status != STATUS_OK)
		return status;
	*algorithm = value.encoded;
	in = der_reader_in(reader->base, &value);
	status = der_take(&in, DER_OID, DER_RULE_DER,
	    "AlgorithmIdentifier has no OID", &inner, fault);
	if (status == STATUS_OK)
		status = der_oid_check(&inner, fault);
	if (status == STATUS_OK && der_peek(&in) != 0) {
		status = der_next(&in, &inner, fault);
		if (status == STATUS_OK)
			status = der_check(reader->base, &inner, fault);
	}
	if (status != STATUS_OK)
		return status;
	return der_end(&in, DER_RULE_DER,
	    "octets after the AlgorithmIdentifier's parameters", fault);
}

/* X.690, 11.6: the shorter one counts as filled with zero octets. */
static int
set_compare(struct crl_view a, struct crl_view b)
{
	size_t least = a.len < b.len ? a.len : b.len;
	int order = memcmp(a.data, b.data, least);

	if (order != 0)
		return order;
	return (a.len > b.len) - (a.len < b.len);
}

/* RelativeDistinguishedName: a sorted SET OF SEQUENCE { OID, ANY }. */
static enum status
rdn_read(struct der_reader in, struct crl_fault *fault)
{
	struct crl_view last = {NULL, 0};
	struct der_value pair, value;
	struct der_reader fields;
	enum status status;

	do {
		status = der_take(&in, DER_SEQUENCE, DER_RULE_DER,
		    "RDN of the issuer holds no SEQUENCE", &pair, fault);
		if (status != STATUS_OK)
			return status;
		if (last.data != NULL && set_compare(last, pair.encoded) > 0)
			return der_fault(fault, DER_RULE_DER, pair.offset,
			    "RDN of the issuer is not sorted");
		last = pair.encoded;
		fields = der_reader_in(in.base, &pair);
		status = der_take(&fields, DER_OID, DER_RULE_DER,
		    "attribute of the issuer has no OID", &value, fault);
		if (status == STATUS_OK)
			status = der_oid_check(&value, fault);
		if (status == STATUS_OK)
			status = der_next(&fields, &value, fault);
		if (status == STATUS_OK)
			status = der_check(in.base, &value, fault);
		if (status == STATUS_OK)
			status = der_end(&fields, DER_RULE_DER,
			    "octets after an attribute of the issuer", fault);
		if (status != STATUS_OK)
			return status;
	} while (der_peek(&in) != 0);
	return STATUS_OK;
}

/* RFC 5280, 5.1.2.3 and 4.1.2.4; an empty Name is left to lint. */
static enum status
issuer_read(struct der_reader *reader, struct crl *crl, struct crl_fault *fault)
{
	struct der_reader in;
	struct der_value value;
	enum status status;

	status = der_take(reader, DER_SEQUENCE, DER_RULE_DER,
	    "issuer is not a SEQUENCE", &value, fault);
	if (status != STATUS_OK)
		return status;
	crl->issuer = value.encoded;
	in = der_reader_in(reader->base, &value);
	while (der_peek(&in) != 0) {
		status = der_take(&in, DER_SET, DER_RULE_DER,
		    "issuer holds no SET", &value, fault);
		if (status == STATUS_OK)
			status =
			    rdn_read(der_reader_in(in.base, &value), fault);
		if (status != STATUS_OK)
			return status;
	}
	return STATUS_OK;
}

/* RFC 5280, 5.1.2.1: absent is v1; what it must be is left to lint. */
static enum status
version_read(
    struct der_reader *reader, struct crl *crl, struct crl_fault *fault)
{
	struct der_value value;
	const uint8_t *p;
	enum status status;
	uint64_t version = 0;

	if (der_peek(reader) != DER_INTEGER)
		return STATUS_OK;
	status = der_next(reader, &value, fault);
	if (status == STATUS_OK)
		status = der_integer_check(&value, DER_RULE_DER, fault);
	if (status != STATUS_OK)
		return status;
	p = value.content.data;
	if (p[0] >= 0x80 || value.content.len > sizeof(version))
		return der_fault(fault, DER_RULE_VERSION, value.offset,
		    "version is negative or enormous");
	for (size_t i = 0; i < value.content.len; i++)
		version = version << 8 | p[i];
	if (version > UINT32_MAX)
		return der_fault(fault, DER_RULE_VERSION, value.offset,
		    "version is negative or enormous");
	crl->has_version = true;
	crl->version = (uint32_t)version;
	return STATUS_OK;
}

/* RFC 5280, 5.1.2.4-5. */
static enum status
times_read(struct der_reader *reader, struct crl *crl, struct crl_fault *fault)
{
	enum status status;
	uint8_t tag;

	status = der_take_time(
	    reader, "thisUpdate is not a time", &crl->this_update, fault);
	if (status != STATUS_OK)
		return status;
	tag = der_peek(reader);
	if (tag != DER_UTC_TIME && tag != DER_GENERALIZED_TIME)
		return STATUS_OK;
	crl->has_next_update = true;
	return der_take_time(
	    reader, "nextUpdate is not a time", &crl->next_update, fault);
}

/* RFC 5280, 5.1.2.6: only bounded. */
static enum status
entries_read(
    struct der_reader *reader, struct crl *crl, struct crl_fault *fault)
{
	struct der_value value;
	enum status status;

	if (der_peek(reader) != DER_SEQUENCE)
		return STATUS_OK;
	status = der_next(reader, &value, fault);
	if (status != STATUS_OK)
		return status;
	crl->has_entries = true;
	crl->entries = value.content;
	return STATUS_OK;
}

/* RFC 5280, 5.1.2.7: [0] EXPLICIT SEQUENCE OF Extension. */
static enum status
extensions_read(
    struct der_reader *reader, struct crl *crl, struct crl_fault *fault)
{
	struct der_reader in;
	struct der_value value;
	enum status status;

	if (der_peek(reader) != TAG_EXTENSIONS)
		return STATUS_OK;
	status = der_next(reader, &value, fault);
	if (status != STATUS_OK)
		return status;
	crl->has_extensions = true;
	in = der_reader_in(reader->base, &value);
	status = der_take(&in, DER_SEQUENCE, DER_RULE_DER,
	    "crlExtensions is not a SEQUENCE", &value, fault);
	if (status == STATUS_OK)
		status = der_end(&in, DER_RULE_DER,
		    "octets after the SEQUENCE of crlExtensions", fault);
	if (status != STATUS_OK)
		return status;
	in = der_reader_in(reader->base, &value);
	while (der_peek(&in) != 0) {
		if (crl->extension_count == CRL_EXTENSIONS_MOST)
			return der_fault(fault, DER_RULE_EXTENSIONS,
			    in.position, "too many extensions");
		status = der_take_extension(
		    &in, &crl->extension[crl->extension_count], fault);
		if (status != STATUS_OK)
			return status;
		crl->extension_count++;
	}
	return STATUS_OK;
}

/* The TBSCertList next in `reader`. */
static enum status
tbs_read(struct der_reader *reader, struct crl *crl, struct crl_fault *fault)
{
	struct der_reader in;
	struct der_value value;
	enum status status;

	status = der_take(reader, DER_SEQUENCE, DER_RULE_DER,
	    "TBSCertList is not a SEQUENCE", &value, fault);
	if (status != STATUS_OK)
		return status;
	crl->tbs = value.encoded;
	in = der_reader_in(reader->base, &value);
	status = version_read(&in, crl, fault);
	if (status == STATUS_OK)
		status = algorithm_read(&in,
		    "signature of TBSCertList is not a SEQUENCE",
		    &crl->inner_algorithm, fault);
	if (status == STATUS_OK)
		status = issuer_read(&in, crl, fault);
	if (status == STATUS_OK)
		status = times_read(&in, crl, fault);
	if (status == STATUS_OK)
		status = entries_read(&in, crl, fault);
	if (status == STATUS_OK)
		status = extensions_read(&in, crl, fault);
	if (status != STATUS_OK)
		return status;
	return der_end(&in, DER_RULE_DER,
	    "a field that TBSCertList does not have there", fault);
}

/* RFC 5280, 5.1.1.3: whole octets. */
static enum status
signature_read(
    struct der_reader *reader, struct crl *crl, struct crl_fault *fault)
{
	struct der_value value;
	enum status status;

	status = der_take(reader, DER_BIT_STRING, DER_RULE_DER,
	    "signatureValue is not a BIT STRING", &value, fault);
	if (status != STATUS_OK)
		return status;
	if (value.content.len == 0 || value.content.data[0] != 0)
		return der_fault(fault, DER_RULE_DER, value.offset,
		    "signatureValue is not of whole octets");
	crl->signature.data = value.content.data + 1;
	crl->signature.len = value.content.len - 1;
	return STATUS_OK;
}

enum status
crl_parse(
    const uint8_t *data, size_t len, struct crl *crl, struct crl_fault *fault)
{
	struct der_reader reader = {data, 0, len}, in;
	struct der_value value;
	enum status status;

	memset(crl, 0, sizeof(*crl));
	crl->bytes = (struct crl_view){data, len};
	status = der_take(&reader, DER_SEQUENCE, DER_RULE_DER,
	    "CertificateList is not a SEQUENCE", &value, fault);
	if (status == STATUS_OK)
		status = der_end(&reader, DER_RULE_DER,
		    "octets after the CertificateList", fault);
	if (status != STATUS_OK)
		return status;
	in = der_reader_in(data, &value);
	status = tbs_read(&in, crl, fault);
	if (status == STATUS_OK)
		status =
		    algorithm_read(&in, "signatureAlgorithm is not a SEQUENCE",
			&crl->outer_algorithm, fault);
	if (status == STATUS_OK)
		status = signature_read(&in, crl, fault);
	if (status != STATUS_OK)
		return status;
	return der_end(&in, DER_RULE_DER, "octets after signatureValue", fault);
}

enum status
crl_parse_tbs(
    const uint8_t *data, size_t len, struct crl *crl, struct crl_fault *fault)
{
	struct der_reader reader = {data, 0, len};
	enum status status;

	memset(crl, 0, sizeof(*crl));
	crl->bytes = (struct crl_view){data, len};
	status = tbs_read(&reader, crl, fault);
	if (status != STATUS_OK)
		return status;
	return der_end(
	    &reader, DER_RULE_DER, "octets after the TBSCertList", fault);
}

bool
crl_view_equal(const struct crl_view *a, const struct crl_view *b)
{
	return a->data != NULL && b->data != NULL && a->len == b->len &&
	       memcmp(a->data, b->data, a->len) == 0;
}

const struct crl_extension *
crl_extension_find(const struct crl *crl, const uint8_t *oid, size_t oid_len)
{
	const struct crl_extension *extension = crl->extension;

	for (size_t i = 0; i < crl->extension_count; i++, extension++)
		if (extension->oid.len == oid_len &&
		    memcmp(extension->oid.data, oid, oid_len) == 0)
			return extension;
	return NULL;
}
