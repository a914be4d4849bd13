/* SPDX-License-Identifier: ISC */
/*
 * A certificate says itself which serial it has, who issued it and where its
 * revocation is to be found (RFC 5280, 4.2.1.13): nothing is left to be typed.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "crlpress/config_text.h"
#include "crlpress/pem.h"
#include "push_impl.h"

#define RULE "certificate"

static enum status
read_fault(struct report *report, const char *path, const char *why)
{
	return report_fault(report, STATUS_USAGE, path, RULE, NULL, "%s", why);
}

enum status
push_certificate_read(const char *path, struct report *report,
    struct push_certificate *certificate)
{
	char why_not[CONFIG_WHY_BYTES];
	struct crl_fault fault = {0};
	const char *why = NULL;
	const uint8_t *data;
	enum status status;
	size_t len = 0;

	*certificate = (struct push_certificate){.path = path};
	status = config_text_read(
	    path, CERTIFICATE_BYTES_MOST, &certificate->text, &len, why_not);
	if (status == STATUS_NO_MEMORY)
		return report_fault(
		    report, status, path, RULE, NULL, "out of memory");
	if (status != STATUS_OK)
		return read_fault(report, path, why_not);
	data = (const uint8_t *)certificate->text;
	/* What begins as DER does is DER, whatever else is in it. */
	if (len > 0 && data[0] != 0x30) {
		if (pem_read_certificate(
			data, len, &certificate->der, &len, &why) != STATUS_OK)
			return read_fault(report, path, why);
		data = certificate->der;
	}
	if (certificate_parse(data, len, &certificate->certificate, &fault) !=
	    STATUS_OK)
		return report_fault(report, STATUS_USAGE, path, RULE,
		    "RFC 5280, 4.1", "offset %zu: %s", fault.offset,
		    fault.text);
	if (!certificate->certificate.serial_in_range)
		return report_fault(report, STATUS_USAGE, path, RULE,
		    "RFC 5280, 4.1.2.2",
		    "its serial has %zu octets or is not positive, want at "
		    "most 20",
		    certificate->certificate.integer.len);
	return STATUS_OK;
}

void
push_certificate_free(struct push_certificate *certificate)
{
	free(certificate->text);
	free(certificate->der);
}

bool
push_certificate_is_of(const struct push_certificate *certificate,
    const struct issuer_facts *issuer)
{
	const struct certificate *its = &certificate->certificate;

	return crl_view_equal(&its->issuer, &issuer->subject) &&
	       (its->key_id.data == NULL || issuer->key_id.data == NULL ||
		   crl_view_equal(&its->key_id, &issuer->key_id));
}

/* Which configured shard a URL is of. */
static bool
find_shard(
    const struct config *config, const struct crl_view *url, uint32_t *shard)
{
	return shard_find_octets(config->url_pattern, config->shards.count,
		   config->shards.first, url->data, url->len,
		   shard) == STATUS_OK;
}

/* That the URL and the scheme are of one mind. */
static enum status
check_scheme(const struct push_certificate *certificate,
    const struct config *config, struct report *report, uint32_t shard)
{
	const struct certificate *its = &certificate->certificate;
	const struct shard_hint hint = {.has_shard = true, .shard = shard};
	const char *why = NULL;
	uint32_t index;

	if (shard_of(&config->shards, &its->serial, its->not_after.sec, &hint,
		&index, &why) == STATUS_OK)
		return STATUS_OK;
	return report_fault(report, STATUS_USAGE, certificate->path, RULE,
	    "RFC 5280, 4.2.1.13", "its CRL URL is of shard %" PRIu32 ": %s",
	    shard, why);
}

enum status
push_certificate_shard(const struct push_certificate *certificate,
    const struct config *config, struct report *report, uint32_t *shard)
{
	const struct certificate *its = &certificate->certificate;
	uint32_t index = 0;
	size_t found = 0;

	for (size_t i = 0; i < its->url_count; i++) {
		if (!find_shard(config, &its->url[i], &index))
			continue;
		if (found++ > 0 && index != *shard)
			return report_fault(report, STATUS_USAGE,
			    certificate->path, RULE, "RFC 5280, 4.2.1.13",
			    "it names two shards, have %" PRIu32
			    " and %" PRIu32,
			    *shard, index);
		*shard = index;
	}
	if (found > 0)
		return check_scheme(certificate, config, report, *shard);
	return report_fault(report, STATUS_USAGE, certificate->path, RULE,
	    "RFC 5280, 4.2.1.13",
	    "no CRL URL in it is of a configured shard, have %.*s, want %s",
	    its->url_count > 0 ? (int)its->url[0].len : 4,
	    its->url_count > 0 ? (const char *)its->url[0].data : "none",
	    config->url_pattern);
}
