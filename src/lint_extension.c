/* SPDX-License-Identifier: ISC */
/*
 * Lint of the CRL's extensions (RFC 5280, 5.2): authorityKeyIdentifier,
 * cRLNumber, issuingDistributionPoint, and what else may stand beside them.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "lint_check.h"

/* BR 7.2.2.1: the one scheme, and nothing normalised. */
#define URL_SCHEME "http://"

/* What an extension of a CRL is to us. */
enum extension_kind {
	EXTENSION_OWN,       /* has a rule of its own */
	EXTENSION_FORBIDDEN, /* makes the CRL another thing */
	EXTENSION_KNOWN,     /* RFC 5280 has it, shards do not */
};

struct extension_row {
	uint8_t oid[8];
	size_t oid_len;
	enum extension_kind kind;
	const char *name;
};

/* The place of cRLNumber in the table. */
#define ROW_NUMBER 1

/* RFC 5280, 5.2.1 to 5.2.7. */
static const struct extension_row extensions[] = {
    {{0x55, 0x1d, 0x23}, 3, EXTENSION_OWN, "authorityKeyIdentifier"},
    {{0x55, 0x1d, 0x14}, 3, EXTENSION_OWN, "cRLNumber"},
    {{0x55, 0x1d, 0x1c}, 3, EXTENSION_OWN, "issuingDistributionPoint"},
    {{0x55, 0x1d, 0x1b}, 3, EXTENSION_FORBIDDEN, "deltaCRLIndicator"},
    {{0x55, 0x1d, 0x12}, 3, EXTENSION_KNOWN, "issuerAltName"},
    {{0x55, 0x1d, 0x2e}, 3, EXTENSION_KNOWN, "freshestCRL"},
    {{0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x01, 0x01}, 8, EXTENSION_KNOWN,
	"authorityInfoAccess"},
};

/* Hex of foreign octets, cut off with "..." where they are many. */
static const char *
hex_text(const struct crl_view *view, char out[LINT_NAME_BYTES])
{
	size_t most = (LINT_NAME_BYTES - 4) / 2;
	size_t n = view->len < most ? view->len : most;

	out[0] = '\0';
	for (size_t i = 0; i < n; i++)
		(void)snprintf(out + 2 * i, 3, "%02x", view->data[i]);
	if (n < view->len)
		memcpy(out + 2 * n, "...", 4);
	return out;
}

/* A URL cut off at what there is room for; the report escapes the rest. */
static const char *
url_text(const struct crl_view *url, char out[LINT_NAME_BYTES])
{
	size_t most = LINT_NAME_BYTES - 4;
	size_t n = url->len < most ? url->len : most;

	memcpy(out, url->data, n);
	/* A NUL would end the text early and hide what follows. */
	for (size_t i = 0; i < n; i++)
		if (out[i] == '\0')
			out[i] = '\x01';
	memcpy(out + n, n < url->len ? "..." : "", n < url->len ? 4 : 1);
	return out;
}

/* RFC 5280, 5.2.1. */
void
lint_check_aki(struct lint *lint)
{
	const struct issuer *issuer = lint->context->issuer;
	const struct crl_view *want;
	struct crl_fault fault;
	struct crl_aki aki;
	enum status status = crl_aki(lint->crl, &aki, &fault);
	char have_text[LINT_NAME_BYTES];
	char want_text[LINT_NAME_BYTES];

	if (status == STATUS_NOT_FOUND) {
		lint_find(
		    lint, LINT_AKI, "have no authorityKeyIdentifier, want one");
		return;
	}
	if (status != STATUS_OK) {
		lint_malformed(lint, &fault);
		return;
	}
	if (aki.critical)
		lint_find(lint, LINT_AKI,
		    "have authorityKeyIdentifier critical, want it not");
	if (aki.has_issuer_or_serial)
		lint_find(lint, LINT_AKI,
		    "have an issuer or a serial in authorityKeyIdentifier, "
		    "want a keyIdentifier alone");
	if (aki.key_id.data == NULL) {
		lint_find(lint, LINT_AKI,
		    "have no keyIdentifier in authorityKeyIdentifier, want "
		    "the issuer's");
		return;
	}
	if (issuer == NULL || issuer_facts(issuer)->key_id.data == NULL)
		return;
	want = &issuer_facts(issuer)->key_id;
	if (aki.key_id.len != want->len ||
	    memcmp(aki.key_id.data, want->data, want->len) != 0)
		lint_find(lint, LINT_AKI,
		    "have keyIdentifier %s, want the issuer's %s",
		    hex_text(&aki.key_id, have_text),
		    hex_text(want, want_text));
}

/* RFC 5280, 5.2.3; BR 7.2.2. */
void
lint_check_number(struct lint *lint)
{
	const struct extension_row *row = &extensions[ROW_NUMBER];
	const struct crl_extension *extension;
	struct crl_fault fault;
	struct uint160 number;
	enum status status = crl_number(lint->crl, &number, &fault);

	if (status == STATUS_NOT_FOUND) {
		lint_find(lint, LINT_NUMBER, "have no cRLNumber, want one");
		return;
	}
	if (status != STATUS_OK) {
		lint_malformed(lint, &fault);
		return;
	}
	extension = crl_extension_find(lint->crl, row->oid, row->oid_len);
	if (extension != NULL && extension->critical)
		lint_find(
		    lint, LINT_NUMBER, "have cRLNumber critical, want it not");
}

/* BR 7.2.2.1. */
static bool
url_is_http(const struct crl_view *url)
{
	size_t scheme_len = sizeof(URL_SCHEME) - 1;

	return url->len > scheme_len &&
	       memcmp(url->data, URL_SCHEME, scheme_len) == 0;
}

/* RFC 5280, 5.2.5 and BR 7.2.2.1: fullName, of http URLs alone. */
static void
idp_names_check(struct lint *lint, const struct crl_idp *idp)
{
	char text[LINT_NAME_BYTES];

	if (idp->has_relative_name)
		lint_find(lint, LINT_IDP,
		    "have nameRelativeToCRLIssuer, want fullName");
	else if (!idp->has_full_name &&
		 lint_is_shard_profile(lint->context->profile))
		lint_find(lint, LINT_IDP,
		    "have no distributionPoint, want its fullName");
	else if (idp->has_full_name && idp->url_count == 0 &&
		 idp->other_name_count == 0)
		lint_find(lint, LINT_IDP, "have an empty fullName, want a URL");
	if (idp->other_name_count > 0)
		lint_find(lint, LINT_IDP,
		    "have %zu names in fullName that are no URLs, want URLs "
		    "alone",
		    idp->other_name_count);
	for (size_t i = 0; i < idp->url_count; i++) {
		const struct crl_view *url = &idp->url[i];

		if (!url_is_http(url))
			lint_find(lint, LINT_IDP,
			    "have URL \"%s\" at offset %zu, want it to begin "
			    "with %s",
			    url_text(url, text),
			    (size_t)(url->data - lint->crl->bytes.data),
			    URL_SCHEME);
	}
}

/*
 * RFC 5280, 5.2.5 and BR 7.2.2.1: a shard says of which certificates it is,
 * and is of all reasons.
 */
static void
idp_scope_check(struct lint *lint, const struct crl_idp *idp)
{
	enum profile profile = lint->context->profile;
	bool want_users = lint_is_shard_profile(profile);
	bool want_cas = profile == PROFILE_TLS_CA;

	if (idp->only_users && idp->only_cas)
		lint_find(lint, LINT_IDP,
		    "have onlyContainsUserCerts and onlyContainsCACerts, want "
		    "one of them");
	else if (want_users && !idp->only_users)
		lint_find(lint, LINT_IDP, "have %s, want onlyContainsUserCerts",
		    idp->only_cas ? "onlyContainsCACerts"
				  : "no onlyContains...");
	else if (want_cas && !idp->only_cas)
		lint_find(lint, LINT_IDP, "have %s, want onlyContainsCACerts",
		    idp->only_users ? "onlyContainsUserCerts"
				    : "no onlyContains...");
	if (idp->only_attributes)
		lint_find(lint, LINT_IDP,
		    "have onlyContainsAttributeCerts, want it not");
	if (idp->has_some_reasons)
		lint_find(lint, LINT_IDP,
		    "have onlySomeReasons, want all reasons in one CRL");
	if (idp->indirect)
		lint_find(lint, LINT_IDP, "have indirectCRL, want it not");
}

/* RFC 5280, 5.2.5; CCADB 6.2. */
void
lint_check_idp(struct lint *lint)
{
	struct crl_fault fault;
	struct crl_idp idp;
	enum status status = crl_idp(lint->crl, &idp, &fault);

	if (status == STATUS_NOT_FOUND) {
		if (lint_is_shard_profile(lint->context->profile))
			lint_find(lint, LINT_IDP,
			    "have no issuingDistributionPoint, want one");
		return;
	}
	if (status != STATUS_OK) {
		lint_malformed(lint, &fault);
		return;
	}
	if (!idp.critical)
		lint_find(lint, LINT_IDP,
		    "have issuingDistributionPoint not critical, want it "
		    "critical");
	idp_names_check(lint, &idp);
	idp_scope_check(lint, &idp);
	/* X.690, 11.5. */
	if (idp.has_encoded_default)
		lint_find(lint, LINT_IDP,
		    "have a FALSE encoded in issuingDistributionPoint, want "
		    "it left out");
}

/* The URLs that idp-url judges, and how many of them are the wanted one. */
static void
urls_count(const struct lint *lint, const struct crl_idp *idp, size_t *judged,
    size_t *matches)
{
	const char *want = lint->context->url;
	size_t want_len = strlen(want);

	*judged = 0;
	*matches = 0;
	for (size_t i = 0; i < idp->url_count; i++) {
		const struct crl_view *url = &idp->url[i];

		/* What is no http URL is a fault of `idp` but in private. */
		if (lint->context->profile != PROFILE_PRIVATE &&
		    !url_is_http(url))
			continue;
		++*judged;
		if (url->len == want_len &&
		    memcmp(url->data, want, want_len) == 0)
			++*matches;
	}
}

/*
 * BR 7.2.2.1, MRSP 6.1.2: the URL of the certificates, byte for byte. Where
 * there is no URL and the profile asks for one, `idp` says so.
 */
void
lint_check_idp_url(struct lint *lint)
{
	const char *want = lint->context->url;
	struct crl_idp idp = {.url_count = 0};
	struct crl_fault fault;
	size_t judged;
	size_t matches;
	char text[LINT_NAME_BYTES];

	if (want == NULL ||
	    crl_idp(lint->crl, &idp, &fault) == STATUS_MALFORMED)
		return;
	urls_count(lint, &idp, &judged, &matches);
	if (judged == 0) {
		if (idp.url_count == 0 &&
		    !lint_is_shard_profile(lint->context->profile))
			lint_find(lint, LINT_IDP_URL,
			    "have no URL, want \"%s\"", want);
	} else if (matches == 0) {
		lint_find(lint, LINT_IDP_URL, "have \"%s\"%s, want \"%s\"",
		    url_text(&idp.url[0], text),
		    idp.url_count > 1 ? " and others" : "", want);
	} else if (matches > 1) {
		lint_find(lint, LINT_IDP_URL,
		    "have \"%s\" %zu times, want it once", want, matches);
	} else if (judged > 1) {
		lint_warn(lint, LINT_IDP_URL,
		    "have %zu URLs beside \"%s\", want it alone", judged - 1,
		    want);
	}
}

static const struct extension_row *
extension_find(const struct crl_view *oid)
{
	size_t n = sizeof(extensions) / sizeof(*extensions);

	for (size_t i = 0; i < n; i++)
		if (extensions[i].oid_len == oid->len &&
		    memcmp(extensions[i].oid, oid->data, oid->len) == 0)
			return &extensions[i];
	return NULL;
}

/*
 * X.690, 8.19: an OID in dots. In hex when an arc passes 64 bits or the text
 * its room.
 */
static const char *
oid_text(const struct crl_view *oid, char out[LINT_NAME_BYTES])
{
	uint64_t arc = 0;
	size_t used = 0;

	for (size_t i = 0; i < oid->len; i++) {
		const char *first = "";

		if (arc > UINT64_MAX >> 7 || used > LINT_NAME_BYTES - 24)
			return hex_text(oid, out);
		arc = arc << 7 | (oid->data[i] & 0x7f);
		if ((oid->data[i] & 0x80) != 0)
			continue;
		/* The first two arcs share a number. */
		if (used == 0) {
			first = arc < 40 ? "0" : arc < 80 ? "1" : "2";
			arc -= arc < 40 ? 0 : arc < 80 ? 40 : 80;
		}
		used += (size_t)snprintf(out + used, LINT_NAME_BYTES - used,
		    "%s.%" PRIu64, first, arc);
		arc = 0;
	}
	return used > 0 ? out : hex_text(oid, out);
}

/* RFC 5280, 5.2; BR 7.2.2: any other extension is NOT RECOMMENDED. */
static void
extension_check(struct lint *lint, const struct crl_extension *extension)
{
	const struct extension_row *row = extension_find(&extension->oid);
	size_t offset = (size_t)(extension->oid.data - lint->crl->bytes.data);
	char text[LINT_NAME_BYTES];

	if (row == NULL && extension->critical)
		lint_find(lint, LINT_EXTENSIONS,
		    "at offset %zu: have unknown extension %s critical, want "
		    "none",
		    offset, oid_text(&extension->oid, text));
	else if (row == NULL)
		lint_warn(lint, LINT_EXTENSIONS,
		    "at offset %zu: have unknown extension %s, want none",
		    offset, oid_text(&extension->oid, text));
	else if (row->kind == EXTENSION_FORBIDDEN)
		lint_find(lint, LINT_EXTENSIONS,
		    "at offset %zu: have %s, want a complete CRL", offset,
		    row->name);
	else if (row->kind == EXTENSION_KNOWN && extension->critical)
		lint_find(lint, LINT_EXTENSIONS,
		    "at offset %zu: have %s critical, want it not", offset,
		    row->name);
	else if (row->kind == EXTENSION_KNOWN &&
		 lint->context->profile != PROFILE_PRIVATE)
		lint_warn(lint, LINT_EXTENSIONS,
		    "at offset %zu: have %s, want none", offset, row->name);
}

/* RFC 5280, 5.2 and 4.2: "more than one instance" is never allowed. */
static bool
extension_is_repeated(const struct crl *crl, size_t i)
{
	const struct crl_view *oid = &crl->extension[i].oid;

	return crl_extension_find(crl, oid->data, oid->len) !=
	       &crl->extension[i];
}

void
lint_check_extensions(struct lint *lint)
{
	const struct crl *crl = lint->crl;
	char text[LINT_NAME_BYTES];

	/* RFC 5280, 5.1.2.7: SIZE (1..MAX). */
	if (crl->has_extensions && crl->extension_count == 0)
		lint_find(lint, LINT_EXTENSIONS,
		    "have an empty crlExtensions, want the extensions of a "
		    "CRL");
	for (size_t i = 0; i < crl->extension_count; i++) {
		const struct crl_extension *extension = &crl->extension[i];

		if (extension_is_repeated(crl, i))
			lint_find(lint, LINT_EXTENSIONS,
			    "at offset %zu: have extension %s again, want it "
			    "once",
			    (size_t)(extension->oid.data - crl->bytes.data),
			    oid_text(&extension->oid, text));
		else
			extension_check(lint, extension);
	}
}
