/* SPDX-License-Identifier: ISC */
/* Certificate by RFC 5280, 4.1, as far as its revocation goes. */
#include "crlpress/certificate_read.h"

#include <string.h>

#include "crlpress/der_read.h"

/* TBSCertificate: tags of its optional fields. */
#define TAG_VERSION 0xa0
#define TAG_ISSUER_ID 0x81
#define TAG_SUBJECT_ID 0x82
#define TAG_EXTENSIONS 0xa3

/* RFC 5280, 4.2.1.1 */
#define TAG_AKI_KEY_ID 0x80

/* RFC 5280, 4.2.1.13: DistributionPoint and DistributionPointName. */
#define TAG_POINT_NAME 0xa0
#define TAG_POINT_REASONS 0x81
#define TAG_POINT_CRL_ISSUER 0xa2
#define TAG_FULL_NAME 0xa0
#define TAG_RELATIVE_NAME 0xa1

/* RFC 5280, 4.2.1.6 */
#define TAG_NAME_URL 0x86

static const uint8_t oid_aki[] = {0x55, 0x1d, 0x23};
static const uint8_t oid_points[] = {0x55, 0x1d, 0x1f};

static enum status
certificate_fault(struct crl_fault *fault, size_t offset, const char *text)
{
	return der_fault(fault, DER_RULE_CERTIFICATE, offset, text);
}

static enum status
take_certificate(struct der_reader *reader, uint8_t tag, const char *text,
    struct der_value *value, struct crl_fault *fault)
{
	return der_take(reader, tag, DER_RULE_CERTIFICATE, text, value, fault);
}

static bool
view_is(const struct crl_view *view, const uint8_t *oid, size_t len)
{
	return view->len == len && memcmp(view->data, oid, len) == 0;
}

/* RFC 5280, 4.1.2.2: read as it stands; what is out of range has no value. */
static enum status
serial_read(struct der_reader *reader, struct certificate *certificate,
    struct crl_fault *fault)
{
	struct der_value value;
	struct crl_view octets;
	enum status status;

	status = take_certificate(reader, DER_INTEGER,
	    "serialNumber is not an INTEGER", &value, fault);
	if (status == STATUS_OK)
		status = der_integer_check(&value, DER_RULE_SERIAL, fault);
	if (status != STATUS_OK)
		return status;
	octets = certificate->integer = value.content;
	if (octets.data[0] >= 0x80 || octets.len > UINT160_OCTETS)
		return STATUS_OK;
	memcpy(certificate->serial.octet + UINT160_OCTETS - octets.len,
	    octets.data, octets.len);
	certificate->serial_in_range = !uint160_is_zero(&certificate->serial);
	return STATUS_OK;
}

/* RFC 5280, 4.1.2.5 */
static enum status
validity_read(struct der_reader *reader, struct certificate *certificate,
    struct crl_fault *fault)
{
	struct der_value value;
	struct der_reader in;
	enum status status;

	status = take_certificate(
	    reader, DER_SEQUENCE, "validity is not a SEQUENCE", &value, fault);
	if (status != STATUS_OK)
		return status;
	in = der_reader_in(reader->base, &value);
	status = der_take_time(
	    &in, "notBefore is not a time", &certificate->not_before, fault);
	if (status == STATUS_OK)
		status = der_take_time(&in, "notAfter is not a time",
		    &certificate->not_after, fault);
	if (status != STATUS_OK)
		return status;
	return der_end(
	    &in, DER_RULE_CERTIFICATE, "octets after the validity", fault);
}

/* RFC 5280, 4.2.1.1: the key identifier is all that is wanted of it. */
static enum status
aki_read(struct der_reader in, struct certificate *certificate,
    struct crl_fault *fault)
{
	struct der_value value;
	enum status status;

	status = take_certificate(&in, DER_SEQUENCE,
	    "authorityKeyIdentifier is not a SEQUENCE", &value, fault);
	if (status != STATUS_OK)
		return status;
	in = der_reader_in(in.base, &value);
	if (der_peek(&in) != TAG_AKI_KEY_ID)
		return der_check_rest(in, fault);
	status = der_next(&in, &value, fault);
	if (status != STATUS_OK)
		return status;
	certificate->key_id = value.content;
	return der_check_rest(in, fault);
}

/* RFC 5280, 4.2.1.6: GeneralNames, of which URLs are wanted. */
static enum status
full_name_read(struct der_reader in, struct certificate *certificate,
    struct crl_fault *fault)
{
	struct der_value value;
	enum status status;

	while (der_peek(&in) != 0) {
		status = der_next(&in, &value, fault);
		if (status != STATUS_OK)
			return status;
		if (value.tag != TAG_NAME_URL) {
			certificate->other_name_count++;
			continue;
		}
		if (certificate->url_count == CERTIFICATE_URLS_MOST)
			return certificate_fault(fault, value.offset,
			    "too many URLs in cRLDistributionPoints");
		certificate->url[certificate->url_count++] = value.content;
	}
	return STATUS_OK;
}

static enum status
point_name_read(struct der_reader in, struct certificate *certificate,
    struct crl_fault *fault)
{
	struct der_value value;
	enum status status;

	if (der_peek(&in) == TAG_RELATIVE_NAME) {
		certificate->has_relative_name = true;
		status = der_next(&in, &value, fault);
	} else {
		status = take_certificate(&in, TAG_FULL_NAME,
		    "distributionPoint is neither kind of name", &value, fault);
		if (status == STATUS_OK)
			status = full_name_read(
			    der_reader_in(in.base, &value), certificate, fault);
	}
	if (status != STATUS_OK)
		return status;
	return der_end(
	    &in, DER_RULE_CERTIFICATE, "octets after distributionPoint", fault);
}

/* One DistributionPoint; each field is optional. */
static enum status
point_read(struct der_reader in, struct certificate *certificate,
    struct crl_fault *fault)
{
	struct der_value value;
	enum status status = STATUS_OK;

	if (der_peek(&in) == TAG_POINT_NAME) {
		status = der_next(&in, &value, fault);
		if (status == STATUS_OK)
			status = point_name_read(
			    der_reader_in(in.base, &value), certificate, fault);
	}
	if (status == STATUS_OK && der_peek(&in) == TAG_POINT_REASONS) {
		certificate->has_some_reasons = true;
		status = der_next(&in, &value, fault);
	}
	if (status == STATUS_OK && der_peek(&in) == TAG_POINT_CRL_ISSUER) {
		certificate->has_crl_issuer = true;
		status = der_next(&in, &value, fault);
	}
	if (status != STATUS_OK)
		return status;
	return der_end(&in, DER_RULE_CERTIFICATE,
	    "a field that DistributionPoint does not have there", fault);
}

/* RFC 5280, 4.2.1.13 */
static enum status
points_read(struct der_reader in, struct certificate *certificate,
    struct crl_fault *fault)
{
	struct der_value value;
	enum status status;

	status = take_certificate(&in, DER_SEQUENCE,
	    "cRLDistributionPoints is not a SEQUENCE", &value, fault);
	if (status == STATUS_OK)
		status = der_end(&in, DER_RULE_CERTIFICATE,
		    "octets after cRLDistributionPoints", fault);
	if (status != STATUS_OK)
		return status;
	in = der_reader_in(in.base, &value);
	while (status == STATUS_OK && der_peek(&in) != 0) {
		status = take_certificate(&in, DER_SEQUENCE,
		    "DistributionPoint is not a SEQUENCE", &value, fault);
		certificate->point_count++;
		if (status == STATUS_OK)
			status = point_read(
			    der_reader_in(in.base, &value), certificate, fault);
	}
	return status;
}

/* RFC 5280, 4.2: no extension twice; only those looked at are counted. */
static enum status
extension_read(const uint8_t *base, const struct crl_extension *extension,
    struct certificate *certificate, struct crl_fault *fault)
{
	struct der_reader in = der_reader_of(base, extension->value);

	if (view_is(&extension->oid, oid_aki, sizeof(oid_aki))) {
		if (certificate->key_id.data != NULL)
			return certificate_fault(fault, in.position,
			    "authorityKeyIdentifier is there twice");
		return aki_read(in, certificate, fault);
	}
	if (!view_is(&extension->oid, oid_points, sizeof(oid_points)))
		return STATUS_OK;
	if (certificate->has_points)
		return certificate_fault(
		    fault, in.position, "cRLDistributionPoints is there twice");
	certificate->has_points = true;
	return points_read(in, certificate, fault);
}

static enum status
extensions_read(struct der_reader in, struct certificate *certificate,
    struct crl_fault *fault)
{
	struct crl_extension extension;
	struct der_value value;
	enum status status;

	status = take_certificate(
	    &in, DER_SEQUENCE, "extensions is not a SEQUENCE", &value, fault);
	if (status == STATUS_OK)
		status = der_end(&in, DER_RULE_CERTIFICATE,
		    "octets after the extensions", fault);
	if (status != STATUS_OK)
		return status;
	in = der_reader_in(in.base, &value);
	while (status == STATUS_OK && der_peek(&in) != 0) {
		status = der_take_extension(&in, &extension, fault);
		if (status == STATUS_OK)
			status = extension_read(
			    in.base, &extension, certificate, fault);
	}
	return status;
}

/* What stands behind the subject's key: unique identifiers, extensions. */
static enum status
tail_read(struct der_reader in, struct certificate *certificate,
    struct crl_fault *fault)
{
	struct der_value value;
	enum status status = STATUS_OK;

	if (der_peek(&in) == TAG_ISSUER_ID)
		status = der_next(&in, &value, fault);
	if (status == STATUS_OK && der_peek(&in) == TAG_SUBJECT_ID)
		status = der_next(&in, &value, fault);
	if (status == STATUS_OK && der_peek(&in) == TAG_EXTENSIONS) {
		status = der_next(&in, &value, fault);
		if (status == STATUS_OK)
			status = extensions_read(
			    der_reader_in(in.base, &value), certificate, fault);
	}
	if (status != STATUS_OK)
		return status;
	return der_end(&in, DER_RULE_CERTIFICATE,
	    "a field that TBSCertificate does not have there", fault);
}

static enum status
tbs_read(struct der_reader in, struct certificate *certificate,
    struct crl_fault *fault)
{
	struct der_value value;
	enum status status = STATUS_OK;

	if (der_peek(&in) == TAG_VERSION)
		status = der_next(&in, &value, fault);
	if (status == STATUS_OK)
		status = serial_read(&in, certificate, fault);
	if (status == STATUS_OK)
		status = take_certificate(&in, DER_SEQUENCE,
		    "signature is not a SEQUENCE", &value, fault);
	if (status == STATUS_OK)
		status = take_certificate(&in, DER_SEQUENCE,
		    "issuer is not a SEQUENCE", &value, fault);
	if (status != STATUS_OK)
		return status;
	certificate->issuer = value.encoded;
	status = validity_read(&in, certificate, fault);
	if (status == STATUS_OK)
		status = take_certificate(&in, DER_SEQUENCE,
		    "subject is not a SEQUENCE", &value, fault);
	if (status != STATUS_OK)
		return status;
	certificate->subject = value.encoded;
	status = take_certificate(&in, DER_SEQUENCE,
	    "subjectPublicKeyInfo is not a SEQUENCE", &value, fault);
	return status == STATUS_OK ? tail_read(in, certificate, fault) : status;
}

enum status
certificate_parse(const uint8_t *data, size_t len,
    struct certificate *certificate, struct crl_fault *fault)
{
	struct der_reader reader = {data, 0, len};
	struct der_value outer, value;
	enum status status;

	memset(certificate, 0, sizeof(*certificate));
	certificate->bytes = (struct crl_view){data, len};
	status = take_certificate(&reader, DER_SEQUENCE,
	    "Certificate is not a SEQUENCE", &outer, fault);
	if (status == STATUS_OK)
		status = der_end(&reader, DER_RULE_CERTIFICATE,
		    "octets after the Certificate", fault);
	if (status != STATUS_OK)
		return status;
	reader = der_reader_in(data, &outer);
	status = take_certificate(&reader, DER_SEQUENCE,
	    "TBSCertificate is not a SEQUENCE", &value, fault);
	if (status == STATUS_OK)
		status =
		    tbs_read(der_reader_in(data, &value), certificate, fault);
	if (status == STATUS_OK)
		status = take_certificate(&reader, DER_SEQUENCE,
		    "signatureAlgorithm is not a SEQUENCE", &value, fault);
	if (status == STATUS_OK)
		status = take_certificate(&reader, DER_BIT_STRING,
		    "signatureValue is not a BIT STRING", &value, fault);
	if (status != STATUS_OK)
		return status;
	return der_end(&reader, DER_RULE_CERTIFICATE,
	    "octets after signatureValue", fault);
}
