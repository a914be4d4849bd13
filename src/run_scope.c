/* SPDX-License-Identifier: ISC */
/*
 * The gate same-scope: whether a published CRL is an older one of the very
 * kind that a run makes.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "run_impl.h"

/* What is held against what is published. */
struct scope {
	struct run *run;
	const struct run_shard *shard;
	const struct gate_place *place;
	const struct crl *previous;
};

static bool
idp_names(const struct crl *crl, const char *url)
{
	struct crl_fault fault = {0};
	struct crl_view want = {(const uint8_t *)url, strlen(url)};
	struct crl_idp idp = {0};

	if (crl_idp(crl, &idp, &fault) != STATUS_OK)
		return false;
	for (size_t i = 0; i < idp.url_count; i++)
		if (crl_view_equal(&idp.url[i], &want))
			return true;
	return false;
}

static enum status
scope_issuer(const struct scope *scope)
{
	const struct issuer_facts *facts = issuer_facts(scope->run->issuer);

	if (crl_view_equal(&scope->previous->issuer, &facts->subject))
		return STATUS_OK;
	return gate_refuse(scope->place, GATE_SCOPE,
	    "the published CRL has another issuer name");
}

static enum status
scope_key_id(const struct scope *scope)
{
	const struct issuer_facts *facts = issuer_facts(scope->run->issuer);
	struct crl_fault fault = {0};
	struct crl_aki aki = {0};

	if (facts->key_id.data == NULL ||
	    crl_aki(scope->previous, &aki, &fault) != STATUS_OK ||
	    crl_view_equal(&aki.key_id, &facts->key_id))
		return STATUS_OK;
	return gate_refuse(scope->place, GATE_SCOPE,
	    "the published CRL has another authority key identifier");
}

static enum status
scope_signature(const struct scope *scope)
{
	const char *why = NULL;

	if (issuer_verify(scope->run->issuer, scope->previous, &why) ==
	    STATUS_OK)
		return STATUS_OK;
	return gate_refuse(scope->place, GATE_SCOPE,
	    "the signature of the published CRL: %s", why);
}

static enum status
scope_url(const struct scope *scope)
{
	if (idp_names(scope->previous, scope->shard->url))
		return STATUS_OK;
	return gate_refuse(scope->place, GATE_SCOPE,
	    "the published CRL does not name %s as its distribution point",
	    scope->shard->url);
}

/* The issuingDistributionPoint's word for which certificates it is about. */
#define SCOPE_TEXT_BYTES 160

static char *
scope_text(const struct crl_idp *idp, char out[SCOPE_TEXT_BYTES])
{
	const struct {
		bool is_there;
		const char *name;
	} part[] = {
	    {idp->only_users, "onlyContainsUserCerts"},
	    {idp->only_cas, "onlyContainsCACerts"},
	    {idp->only_attributes, "onlyContainsAttributeCerts"},
	    {idp->has_some_reasons, "onlySomeReasons"},
	    {idp->indirect, "indirectCRL"},
	};
	size_t len = 0;

	out[0] = '\0';
	for (size_t i = 0; i < sizeof(part) / sizeof(part[0]); i++)
		if (part[i].is_there)
			len +=
			    (size_t)snprintf(out + len, SCOPE_TEXT_BYTES - len,
				"%s%s", len == 0 ? "" : " and ", part[i].name);
	if (len == 0)
		snprintf(out, SCOPE_TEXT_BYTES, "all certificates");
	return out;
}

/* What is to be written restricts nothing, and before it was one kind. */
static bool
scope_widens(const struct crl_idp *now, const struct crl_idp *then)
{
	return !now->only_users && !now->only_cas && !then->only_attributes &&
	       !then->has_some_reasons && !then->indirect;
}

/*
 * RFC 5280, 5.2.5 and 6.3.3 (b)(2): a CRL of another scope says nothing about a
 * certificate, so whoever it listed is revoked for nobody any more. A wider
 * scope takes no certificate away and is let go with a warning: it claims more
 * than before, and the way back from a narrower one should not take a pass for
 * every shard.
 */
static enum status
scope_kind(const struct scope *scope)
{
	const enum crl_scope ours = scope->run->config->scope;
	struct crl_idp now = {
	    .only_users = ours == CRL_SCOPE_USERS,
	    .only_cas = ours == CRL_SCOPE_CAS,
	};
	char have[SCOPE_TEXT_BYTES], want[SCOPE_TEXT_BYTES];
	struct crl_fault fault = {0};
	struct crl_idp then = {0};
	enum status status = crl_idp(scope->previous, &then, &fault);

	/* Without the extension it is about all; scope_url had its say. */
	if (status == STATUS_NOT_FOUND)
		then = (struct crl_idp){0};
	else if (status != STATUS_OK)
		return gate_refuse(scope->place, GATE_SCOPE,
		    "the issuingDistributionPoint of the published CRL: %s",
		    fault.text);
	scope_text(&now, have);
	scope_text(&then, want);
	if (strcmp(have, want) == 0)
		return STATUS_OK;
	if (scope_widens(&now, &then)) {
		report_warn(scope->run->report, scope->shard->object,
		    gate_name(GATE_SCOPE), "RFC 5280, 5.2.5",
		    "the scope becomes wider, have %s, was %s: from now on "
		    "this CRL speaks for every certificate that names its URL",
		    have, want);
		return STATUS_OK;
	}
	status = gate_refuse(scope->place, GATE_SCOPE,
	    "the scope of the published CRL is another, have %s, want %s", have,
	    want);
	if (status != STATUS_OK)
		report_hint(scope->run->report,
		    "put [crl] scope, or [issuer] profile where that decides "
		    "it, back: to a client a CRL of another scope says nothing "
		    "about a certificate that was in it, and many take that "
		    "for not revoked; --pass %s:%" PRIu32
		    " where no certificate of the kind that is left out names "
		    "this URL",
		    gate_name(GATE_SCOPE), scope->shard->index);
	return status;
}

/*
 * The published object is an older CRL of this issuer for this URL. What
 * leaves is proved by it, so it must be the issuer's own word. One closed
 * test is enough to know a foreign CRL by; let pass, all others are told.
 */
enum status
run_gate_scope(struct run *run, const struct run_shard *shard,
    const struct gate_place *place, const struct crl *previous)
{
	const struct scope scope = {run, shard, place, previous};
	static enum status (*const test[])(const struct scope *) = {
	    scope_issuer, scope_key_id, scope_signature, scope_url, scope_kind};
	enum status status = STATUS_OK;

	for (size_t i = 0;
	     status == STATUS_OK && i < sizeof(test) / sizeof(test[0]); i++)
		status = test[i](&scope);
	return status;
}
