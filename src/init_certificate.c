/* SPDX-License-Identifier: ISC */
/*
 * What certificates say: the issuer's, how databases know it; one that it has
 * issued, where its CRL is to be found (RFC 5280, 4.2.1.13).
 */
#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "crlpress/utc.h"
#include "init_impl.h"

#define URL INIT_OFFSET(url_pattern)
#define OPTION "--certificate"

static enum status
issuer_read(struct init *init)
{
	const struct issuer_facts *facts;
	char name[ISSUER_NAME_BYTES], iso[UTC_ISO_BYTES];
	enum status status;

	if (init->options->issuer_cert == NULL)
		return STATUS_OK;
	status =
	    issuer_load(init->config->certificate, init->report, &init->issuer);
	if (status != STATUS_OK)
		return status;
	facts = issuer_facts(init->issuer);
	issuer_describe(init->issuer, &init->description);
	init_why(init, INIT_OFFSET(certificate), "%s: %s, until %s.",
	    issuer_name_text(&facts->subject, name, sizeof(name)),
	    init->description.key, utc_to_iso(facts->not_after_sec, iso));
	if (facts->key_id.data == NULL)
		init_why(init, INIT_OFFSET(certificate),
		    "It has no subjectKeyIdentifier.");
	return STATUS_OK;
}

/* Whether the digits from `at` on stand by themselves: 7 in /e1/7.crl. */
static bool
is_number(const char *url, size_t at, size_t len)
{
	return (at == 0 || !isalnum((unsigned char)url[at - 1])) &&
	       !isalnum((unsigned char)url[at + len]);
}

/*
 * The URL of one shard with {shard} for its number, where the path has one
 * number, and one only. False: it cannot be told.
 */
static bool
pattern_make(const char *url, char *out, size_t size)
{
	const char *host = strstr(url, "://");
	const char *path = host != NULL ? strchr(host + 3, '/') : NULL;
	size_t at, len, where = 0, digits = 0, numbers = 0;

	if (path == NULL || strpbrk(url, "{}") != NULL)
		return false;
	for (at = (size_t)(path - url); url[at] != '\0'; at += len) {
		len = strspn(url + at, "0123456789");
		if (len > 0 && len <= 9 && is_number(url, at, len)) {
			numbers++;
			where = at;
			digits = len;
		}
		len += len == 0;
	}
	if (numbers != 1)
		return false;
	if (url[where] == '0' && digits > 1)
		len = (size_t)snprintf(out, size, "%.*s{shard:0%zu}%s",
		    (int)where, url, digits, url + where + digits);
	else
		len = (size_t)snprintf(out, size, "%.*s{shard}%s", (int)where,
		    url, url + where + digits);
	return len < size;
}

/* Without --url: its own, or what it is one of. */
static enum status
url_take(struct init *init, const char *url)
{
	const struct config *config = init->config;
	char pattern[SHARD_NAME_BYTES];
	bool one = config->shards.count == 1;

	init_why(
	    init, URL, "%s names %s as its CRL.", init->certificate.path, url);
	if (!one && !pattern_make(url, pattern, sizeof(pattern))) {
		init_why(init, URL,
		    "Which part of that is the number of the shard cannot be "
		    "told.");
		return STATUS_OK;
	}
	if (!one)
		init_why(
		    init, URL, "The number in it has to be that of the shard.");
	init->has_url = true;
	return init_set(init, URL, OPTION, one ? url : pattern);
}

static enum status
points_read(struct init *init)
{
	const struct certificate *its = &init->certificate.certificate;
	char url[SHARD_NAME_BYTES];
	uint32_t shard = 0;
	enum status status;

	if (its->url_count == 1 && !init->has_url &&
	    its->url[0].len < sizeof(url) &&
	    memchr(its->url[0].data, '\0', its->url[0].len) == NULL) {
		memcpy(url, its->url[0].data, its->url[0].len);
		url[its->url[0].len] = '\0';
		status = url_take(init, url);
		if (status != STATUS_OK)
			return status;
	} else if (!init->has_url) {
		init_why(init, URL, "%s names %zu URLs of CRLs.",
		    init->certificate.path, its->url_count);
	}
	if (!init->has_url)
		return STATUS_OK;
	status = push_certificate_shard(
	    &init->certificate, init->config, init->report, &shard);
	if (status == STATUS_OK)
		init_why(init, URL, "%s is of shard %" PRIu32 ".",
		    init->certificate.path, shard);
	return status;
}

enum status
init_certificates(struct init *init)
{
	const char *path = init->options->certificate;
	enum status status = issuer_read(init);

	if (status != STATUS_OK || path == NULL)
		return status;
	status = push_certificate_read(path, init->report, &init->certificate);
	if (status == STATUS_OK && init->issuer != NULL &&
	    !push_certificate_is_of(
		&init->certificate, issuer_facts(init->issuer)))
		status = report_fault(init->report, STATUS_USAGE, path,
		    INIT_RULE, "RFC 5280, 4.1.2.4",
		    "not issued by %s: another name, or another key",
		    init->config->certificate);
	if (status == STATUS_OK)
		status = points_read(init);
	return status;
}

void
init_certificates_free(struct init *init)
{
	push_certificate_free(&init->certificate);
	issuer_free(init->issuer);
}
