/* SPDX-License-Identifier: ISC */
#include "crlpress/source_certificate.h"

#include <string.h>

#include "crlpress/base64.h"
#include "crlpress/certificate_read.h"
#include "crlpress/shard.h"

/* Whether it has one distribution point of one URL. NULL, or what is wrong. */
static const char *
points_fault(const struct certificate *certificate)
{
	if (!certificate->has_points ||
	    (certificate->url_count == 0 && certificate->other_name_count == 0))
		return "certificate names no CRL";
	if (certificate->has_relative_name || certificate->has_some_reasons ||
	    certificate->has_crl_issuer || certificate->other_name_count > 0)
		return "certificate has a CRL distribution point of more than "
		       "a URL";
	if (certificate->point_count != 1 || certificate->url_count != 1)
		return "certificate names several CRLs";
	return NULL;
}

/* Whether it is what the row is about. NULL, or what is wrong. */
static const char *
identity_fault(const struct source_points *points,
    const struct certificate *certificate, const struct source_row *row)
{
	const struct crl_view *issuer = &points->issuer;

	if (!certificate->serial_in_range ||
	    (row->has_serial &&
		uint160_compare(&certificate->serial, &row->serial) != 0))
		return "certificate has another serial than the row";
	if (row->has_not_after &&
	    certificate->not_after.sec != row->not_after_sec)
		return "certificate expires at another time than the row says";
	if (issuer->len > 0 &&
	    (issuer->len != certificate->issuer.len ||
		memcmp(issuer->data, certificate->issuer.data, issuer->len) !=
		    0))
		return "certificate is of another issuer";
	return NULL;
}

const char *
source_certificate_place(const struct source_points *points, bool pem,
    const uint8_t *bytes, size_t len, uint8_t *buffer, size_t room,
    struct source_row *row)
{
	struct certificate certificate;
	struct crl_fault unused;
	const char *fault = NULL;
	uint32_t index;

	if (pem) {
		if (base64_from_pem((const char *)bytes, len, "CERTIFICATE",
			buffer, room, &len, &fault) != STATUS_OK)
			return "certificate is not PEM";
		bytes = buffer;
	}
	if (certificate_parse(bytes, len, &certificate, &unused) != STATUS_OK)
		return "certificate is not DER, or not one";
	fault = identity_fault(points, &certificate, row);
	if (fault == NULL)
		fault = points_fault(&certificate);
	if (fault != NULL)
		return fault;
	if (shard_find_octets(points->url_pattern, points->shard_count,
		points->shard_first, certificate.url[0].data,
		certificate.url[0].len, &index) != STATUS_OK)
		return "certificate names a CRL of no shard";
	row->has_hint = true;
	row->hint.has_shard = true;
	row->hint.shard = index;
	return NULL;
}
