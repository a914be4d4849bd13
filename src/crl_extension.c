/* SPDX-License-Identifier: ISC */
/*
 * The values of the extensions that a CRL must have: crlNumber,
 * authorityKeyIdentifier and issuingDistributionPoint (RFC 5280, 5.2). Each is
 * read as it stands; what it ought to be is lint's to say.
 */
#include <string.h>

#include "crlpress/crl_read.h"
#include "crlpress/der_read.h"

static const uint8_t oid_number[] = {0x55, 0x1d, 0x14};
static const uint8_t oid_idp[] = {0x55, 0x1d, 0x1c};
static const uint8_t oid_aki[] = {0x55, 0x1d, 0x23};

/* RFC 5280, 4.2.1.1: AuthorityKeyIdentifier. */
#define TAG_AKI_KEY_ID 0x80
#define TAG_AKI_ISSUER 0xa1
#define TAG_AKI_SERIAL 0x82

/* RFC 5280, 5.2.5: IssuingDistributionPoint and DistributionPointName. */
#define TAG_IDP_POINT 0xa0
#define TAG_IDP_ONLY_USERS 0x81
#define TAG_IDP_ONLY_CAS 0x82
#define TAG_IDP_SOME_REASONS 0x83
#define TAG_IDP_INDIRECT 0x84
#define TAG_IDP_ONLY_ATTRIBUTES 0x85
#define TAG_POINT_FULL_NAME 0xa0
#define TAG_POINT_RELATIVE_NAME 0xa1

/* RFC 5280, 4.2.1.6: the kinds of GeneralName. */
#define TAG_NAME_URL 0x86
static const uint8_t other_names[] = {
    0xa0, 0x81, 0x82, 0xa3, 0xa4, 0xa5, 0x87, 0x88};

/* The one SEQUENCE that the value of an extension is, opened as `*in`. */
static enum status
sequence_open(const struct crl *crl, const struct crl_extension *extension,
    enum der_rule rule, struct der_reader *in, struct crl_fault *fault)
{
	const uint8_t *base = crl->bytes.data;
	struct der_reader reader = der_reader_of(base, extension->value);
	struct der_value value;
	enum status status;

	status = der_take(&reader, DER_SEQUENCE, rule,
	    "value of the extension is not a SEQUENCE", &value, fault);
	if (status != STATUS_OK)
		return status;
	*in = der_reader_in(base, &value);
	return der_end(
	    &reader, rule, "octets after the extension's SEQUENCE", fault);
}

/* RFC 5280, 5.2.3. */
enum status
crl_number(
    const struct crl *crl, struct uint160 *number, struct crl_fault *fault)
{
	const struct crl_extension *extension;
	struct der_reader in;
	struct der_value value;
	enum status status;
	struct crl_view octets;

	extension = crl_extension_find(crl, oid_number, sizeof(oid_number));
	if (extension == NULL)
		return STATUS_NOT_FOUND;
	in = der_reader_of(crl->bytes.data, extension->value);
	status = der_take(&in, DER_INTEGER, DER_RULE_NUMBER,
	    "crlNumber is not an INTEGER", &value, fault);
	if (status == STATUS_OK)
		status = der_integer_check(&value, DER_RULE_NUMBER, fault);
	if (status == STATUS_OK)
		status = der_end(
		    &in, DER_RULE_NUMBER, "octets after the crlNumber", fault);
	if (status != STATUS_OK)
		return status;
	octets = value.content;
	if (octets.data[0] >= 0x80)
		return der_fault(fault, DER_RULE_NUMBER, value.offset,
		    "crlNumber is negative");
	if (octets.len > UINT160_OCTETS)
		return der_fault(fault, DER_RULE_NUMBER, value.offset,
		    "crlNumber is 2^159 or more");
	memset(number, 0, sizeof(*number));
	memcpy(number->octet + UINT160_OCTETS - octets.len, octets.data,
	    octets.len);
	return STATUS_OK;
}

/* RFC 5280, 5.2.1. */
enum status
crl_aki(const struct crl *crl, struct crl_aki *aki, struct crl_fault *fault)
{
	const struct crl_extension *extension;
	struct der_reader in;
	struct der_value value;
	enum status status;

	extension = crl_extension_find(crl, oid_aki, sizeof(oid_aki));
	if (extension == NULL)
		return STATUS_NOT_FOUND;
	memset(aki, 0, sizeof(*aki));
	aki->critical = extension->critical;
	status = sequence_open(crl, extension, DER_RULE_AKI, &in, fault);
	if (status == STATUS_OK && der_peek(&in) == TAG_AKI_KEY_ID) {
		status = der_next(&in, &value, fault);
		if (status == STATUS_OK)
			aki->key_id = value.content;
	}
	if (status == STATUS_OK && der_peek(&in) == TAG_AKI_ISSUER) {
		aki->has_issuer_or_serial = true;
		status = der_next(&in, &value, fault);
		if (status == STATUS_OK)
			status = der_check(in.base, &value, fault);
	}
	if (status == STATUS_OK && der_peek(&in) == TAG_AKI_SERIAL) {
		aki->has_issuer_or_serial = true;
		status = der_next(&in, &value, fault);
		if (status == STATUS_OK)
			status = der_integer_check(&value, DER_RULE_AKI, fault);
	}
	if (status != STATUS_OK)
		return status;
	return der_end(&in, DER_RULE_AKI,
	    "a field that authorityKeyIdentifier does not have there", fault);
}

/* IA5String: a URL with other octets is none that DER can say. */
static enum status
url_add(
    struct crl_idp *idp, const struct der_value *value, struct crl_fault *fault)
{
	for (size_t i = 0; i < value->content.len; i++)
		if (value->content.data[i] >= 0x80)
			return der_fault(fault, DER_RULE_IDP, value->offset,
			    "URL is not an IA5String");
	if (idp->url_count == CRL_IDP_URLS_MOST)
		return der_fault(
		    fault, DER_RULE_IDP, value->offset, "too many URLs");
	idp->url[idp->url_count++] = value->content;
	return STATUS_OK;
}

/* RFC 5280, 4.2.1.6: GeneralNames. */
static enum status
full_name_read(
    struct der_reader in, struct crl_idp *idp, struct crl_fault *fault)
{
	struct der_value value;
	enum status status;

	while (der_peek(&in) != 0) {
		status = der_next(&in, &value, fault);
		if (status != STATUS_OK)
			return status;
		if (value.tag == TAG_NAME_URL) {
			status = url_add(idp, &value, fault);
		} else if (memchr(other_names, value.tag,
			       sizeof(other_names)) != NULL) {
			idp->other_name_count++;
			status = der_check(in.base, &value, fault);
		} else {
			status = der_fault(fault, DER_RULE_IDP, value.offset,
			    "no GeneralName has this tag");
		}
		if (status != STATUS_OK)
			return status;
	}
	return STATUS_OK;
}

/* RFC 5280, 4.2.1.13: DistributionPointName, a CHOICE and so [0] EXPLICIT. */
static enum status
point_read(
    struct der_reader *reader, struct crl_idp *idp, struct crl_fault *fault)
{
	struct der_reader in;
	struct der_value value;
	enum status status;

	if (der_peek(reader) != TAG_IDP_POINT)
		return STATUS_OK;
	status = der_next(reader, &value, fault);
	if (status != STATUS_OK)
		return status;
	in = der_reader_in(reader->base, &value);
	if (der_peek(&in) == TAG_POINT_RELATIVE_NAME) {
		idp->has_relative_name = true;
		status = der_next(&in, &value, fault);
		if (status == STATUS_OK)
			status = der_check(in.base, &value, fault);
	} else {
		status = der_take(&in, TAG_POINT_FULL_NAME, DER_RULE_IDP,
		    "distributionPoint is neither kind of name", &value, fault);
		idp->has_full_name = status == STATUS_OK;
		if (status == STATUS_OK)
			status = full_name_read(
			    der_reader_in(in.base, &value), idp, fault);
	}
	if (status != STATUS_OK)
		return status;
	return der_end(
	    &in, DER_RULE_IDP, "octets after distributionPoint", fault);
}

/* One of the booleans, each DEFAULT FALSE. */
static enum status
flag_read(struct der_reader *in, uint8_t tag, struct crl_idp *idp, bool *flag,
    struct crl_fault *fault)
{
	struct der_value value;
	enum status status;

	if (der_peek(in) != tag)
		return STATUS_OK;
	status = der_next(in, &value, fault);
	if (status == STATUS_OK)
		status = der_boolean(&value, flag, fault);
	if (status == STATUS_OK && !*flag)
		idp->has_encoded_default = true;
	return status;
}

/* X.690, 11.2.2: ReasonFlags name their bits, so no zero bit ends them. */
static enum status
some_reasons_read(
    struct der_reader *in, struct crl_idp *idp, struct crl_fault *fault)
{
	struct der_value value;
	enum status status;
	const uint8_t *p;

	if (der_peek(in) != TAG_IDP_SOME_REASONS)
		return STATUS_OK;
	idp->has_some_reasons = true;
	status = der_next(in, &value, fault);
	if (status == STATUS_OK)
		status = der_bits_check(&value, fault);
	if (status != STATUS_OK)
		return status;
	p = value.content.data;
	if (value.content.len > 1 &&
	    (p[value.content.len - 1] >> p[0] & 1) == 0)
		return der_fault(fault, DER_RULE_DER, value.offset,
		    "onlySomeReasons ends in a zero bit");
	return STATUS_OK;
}

/* RFC 5280, 5.2.5. */
enum status
crl_idp(const struct crl *crl, struct crl_idp *idp, struct crl_fault *fault)
{
	const struct crl_extension *extension;
	struct der_reader in;
	enum status status;

	extension = crl_extension_find(crl, oid_idp, sizeof(oid_idp));
	if (extension == NULL)
		return STATUS_NOT_FOUND;
	memset(idp, 0, sizeof(*idp));
	idp->critical = extension->critical;
	status = sequence_open(crl, extension, DER_RULE_IDP, &in, fault);
	if (status == STATUS_OK)
		status = point_read(&in, idp, fault);
	if (status == STATUS_OK)
		status = flag_read(
		    &in, TAG_IDP_ONLY_USERS, idp, &idp->only_users, fault);
	if (status == STATUS_OK)
		status = flag_read(
		    &in, TAG_IDP_ONLY_CAS, idp, &idp->only_cas, fault);
	if (status == STATUS_OK)
		status = some_reasons_read(&in, idp, fault);
	if (status == STATUS_OK)
		status = flag_read(
		    &in, TAG_IDP_INDIRECT, idp, &idp->indirect, fault);
	if (status == STATUS_OK)
		status = flag_read(&in, TAG_IDP_ONLY_ATTRIBUTES, idp,
		    &idp->only_attributes, fault);
	if (status != STATUS_OK)
		return status;
	return der_end(&in, DER_RULE_IDP,
	    "a field that issuingDistributionPoint does not have there", fault);
}
