/* SPDX-License-Identifier: ISC */
/*
 * The signer's own judgement of what it is asked to sign, by RFC 5280, 5.1
 * and 5.2. It reads the bytes with the judge's reader and believes nothing
 * that the other process says of them.
 */
#include "signer_check.h"

#include <pthread.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "crlpress/utc.h"

struct signer_check {
	const struct signer_config *config;
	const struct signer_key_facts *facts;
	uint32_t count;        /* of shards; 1 without a pattern */
	pthread_mutex_t mutex; /* of last */
	struct uint160 *last;  /* number last signed for each, or 0 */
};

/* A TBSCertList being judged. */
struct candidate {
	struct signer_check *check;
	const struct crl *crl;
	const struct uint160 *floor;
	int64_t now_sec;
	uint32_t slot; /* shard index less the first */
	struct uint160 number;
	struct signer_refusal *refusal;
};

enum status
signer_check_new(const struct signer_config *config,
    const struct signer_key_facts *facts, struct signer_check **check,
    const char **why)
{
	struct signer_check *new;
	uint32_t count = 1;
	char url[SHARD_NAME_BYTES];

	*check = NULL;
	if (config->url_pattern != NULL) {
		count = config->shard_count;
		if (count == 0 || count > SHARD_COUNT_MOST ||
		    config->shard_first > UINT32_MAX - (count - 1)) {
			*why = "range of shards out of bounds";
			return STATUS_CONFIG;
		}
		/* The last one is the longest. */
		if (shard_expand(config->url_pattern, count,
			config->shard_first + (count - 1), url, sizeof(url),
			why) != STATUS_OK)
			return STATUS_CONFIG;
	}
	new = calloc(1, sizeof(*new));
	if (new == NULL)
		goto no_memory;
	new->config = config;
	new->facts = facts;
	new->count = count;
	(void)pthread_mutex_init(&new->mutex, NULL);
	new->last = calloc(count, sizeof(*new->last));
	if (new->last == NULL)
		goto no_memory;
	*check = new;
	return STATUS_OK;
no_memory:
	signer_check_free(new);
	*why = "out of memory";
	return STATUS_NO_MEMORY;
}

void
signer_check_free(struct signer_check *check)
{
	if (check == NULL)
		return;
	(void)pthread_mutex_destroy(&check->mutex);
	free(check->last);
	free(check);
}

__attribute__((format(printf, 3, 4))) static enum status
refuse(const struct candidate *c, enum signer_refusal_code code,
    const char *format, ...)
{
	va_list list;

	c->refusal->code = code;
	va_start(list, format);
	(void)vsnprintf(
	    c->refusal->text, sizeof(c->refusal->text), format, list);
	va_end(list);
	return STATUS_REFUSED;
}

static enum status
refuse_fault(const struct candidate *c, enum signer_refusal_code code,
    const struct crl_fault *fault)
{
	return refuse(c, code, "%s, at offset %zu of the TBSCertList",
	    fault->text, fault->offset);
}

/* RFC 5280, 5.1.2.3; BR 7.2: the subject of the certificate, byte for byte. */
static enum status
check_issuer(struct candidate *c)
{
	if (!crl_view_equal(&c->crl->issuer, &c->check->facts->subject))
		return refuse(c, SIGNER_REFUSAL_ISSUER,
		    "issuer is not the subject of the issuer certificate");
	return STATUS_OK;
}

/* RFC 5280, 5.1.2.2: signature is the algorithm that will stand outside. */
static enum status
check_algorithm(struct candidate *c)
{
	if (!crl_view_equal(
		&c->crl->inner_algorithm, &c->check->facts->algorithm))
		return refuse(c, SIGNER_REFUSAL_ALGORITHM,
		    "signature algorithm is not that of the key");
	return STATUS_OK;
}

/* RFC 5280, 5.2.1: keyIdentifier is the subjectKeyIdentifier, if any. */
static enum status
check_aki(struct candidate *c)
{
	struct crl_fault fault;
	struct crl_aki aki;
	enum status status;

	if (c->check->facts->key_id.data == NULL)
		return STATUS_OK;
	status = crl_aki(c->crl, &aki, &fault);
	if (status == STATUS_NOT_FOUND)
		return refuse(
		    c, SIGNER_REFUSAL_AKI, "authorityKeyIdentifier missing");
	if (status != STATUS_OK)
		return refuse_fault(c, SIGNER_REFUSAL_AKI, &fault);
	if (!crl_view_equal(&aki.key_id, &c->check->facts->key_id))
		return refuse(c, SIGNER_REFUSAL_AKI,
		    "authorityKeyIdentifier is not the key identifier of the "
		    "issuer certificate");
	return STATUS_OK;
}

/* BR 7.2.2.1: the URL of one of the shards, byte for byte. */
static enum status
check_url(struct candidate *c, const struct crl_view *url)
{
	const struct signer_config *config = c->check->config;
	uint32_t index;

	if (shard_find_octets(config->url_pattern, c->check->count,
		config->shard_first, url->data, url->len, &index) != STATUS_OK)
		return refuse(c, SIGNER_REFUSAL_URL,
		    "URL of no shard of this issuer, have %.*s",
		    url->len < 200 ? (int)url->len : 200, url->data);
	c->slot = index - config->shard_first;
	return STATUS_OK;
}

/* RFC 5280, 5.2.5: one URL where there are shards, none where not. */
static enum status
check_idp(struct candidate *c)
{
	bool wanted = c->check->config->url_pattern != NULL;
	struct crl_fault fault;
	struct crl_idp idp;
	enum status status;

	c->slot = 0;
	status = crl_idp(c->crl, &idp, &fault);
	if (status == STATUS_NOT_FOUND && !wanted)
		return STATUS_OK;
	if (status == STATUS_NOT_FOUND)
		return refuse(
		    c, SIGNER_REFUSAL_IDP, "issuingDistributionPoint missing");
	if (status != STATUS_OK)
		return refuse_fault(c, SIGNER_REFUSAL_IDP, &fault);
	if (!wanted)
		return refuse(c, SIGNER_REFUSAL_IDP,
		    "issuingDistributionPoint on a CRL of all certificates");
	if (idp.url_count != 1 || idp.other_name_count != 0 ||
	    idp.has_relative_name)
		return refuse(c, SIGNER_REFUSAL_IDP,
		    "issuingDistributionPoint, have %zu URLs and %zu other "
		    "names, want one URL",
		    idp.url_count,
		    idp.other_name_count + (idp.has_relative_name ? 1 : 0));
	return check_url(c, &idp.url[0]);
}

/* RFC 5280, 5.2.3: monotonically increasing for a CRL scope and issuer. */
static enum status
check_number(struct candidate *c)
{
	char have[UINT160_DECIMAL_BYTES];
	char want[UINT160_DECIMAL_BYTES];
	struct crl_fault fault;
	enum status status;

	status = crl_number(c->crl, &c->number, &fault);
	if (status == STATUS_NOT_FOUND)
		return refuse(c, SIGNER_REFUSAL_NUMBER, "crlNumber missing");
	if (status != STATUS_OK)
		return refuse_fault(c, SIGNER_REFUSAL_NUMBER, &fault);
	if (uint160_compare(&c->number, c->floor) <= 0)
		return refuse(c, SIGNER_REFUSAL_NUMBER_FLOOR,
		    "crlNumber not above the published one, have %s, want "
		    "above %s",
		    uint160_to_decimal(&c->number, have),
		    uint160_to_decimal(c->floor, want));
	return STATUS_OK;
}

/* The same, among what is signed here: from now on the number is used up. */
static enum status
claim_number(struct candidate *c)
{
	struct uint160 *place = &c->check->last[c->slot];
	char have[UINT160_DECIMAL_BYTES];
	char want[UINT160_DECIMAL_BYTES];
	struct uint160 last;

	(void)pthread_mutex_lock(&c->check->mutex);
	last = *place;
	if (uint160_compare(&c->number, &last) > 0)
		*place = c->number;
	(void)pthread_mutex_unlock(&c->check->mutex);
	if (uint160_compare(&c->number, &last) > 0)
		return STATUS_OK;
	return refuse(c, SIGNER_REFUSAL_NUMBER_LAST,
	    "crlNumber not above the last one signed, have %s, want above %s",
	    uint160_to_decimal(&c->number, have),
	    uint160_to_decimal(&last, want));
}

/* RFC 5280, 5.1.2.5: nextUpdate is there, and later than thisUpdate. */
static enum status
check_times(struct candidate *c)
{
	char have[UTC_ISO_BYTES];
	char want[UTC_ISO_BYTES];

	if (!c->crl->has_next_update)
		return refuse(c, SIGNER_REFUSAL_TIMES, "nextUpdate missing");
	if (c->crl->next_update.sec <= c->crl->this_update.sec)
		return refuse(c, SIGNER_REFUSAL_TIMES,
		    "nextUpdate not after thisUpdate, have %s, want after %s",
		    utc_to_iso(c->crl->next_update.sec, have),
		    utc_to_iso(c->crl->this_update.sec, want));
	return STATUS_OK;
}

/* House rule: nothing is dated ahead. */
static enum status
check_future(struct candidate *c)
{
	int64_t limit;
	char have[UTC_ISO_BYTES];
	char want[UTC_ISO_BYTES];

	if (__builtin_add_overflow(
		c->now_sec, c->check->config->skew_sec, &limit))
		return refuse(c, SIGNER_REFUSAL_FUTURE, "clock out of range");
	if (c->crl->this_update.sec > limit)
		return refuse(c, SIGNER_REFUSAL_FUTURE,
		    "thisUpdate after the signer's clock, have %s, want at "
		    "most %s",
		    utc_to_iso(c->crl->this_update.sec, have),
		    utc_to_iso(limit, want));
	return STATUS_OK;
}

/*
 * In this order: the number is that of the shard which check_idp finds, and
 * only what is right in all else uses one up.
 */
static enum status (*const checks[])(struct candidate *) = {
    check_issuer,
    check_algorithm,
    check_aki,
    check_idp,
    check_number,
    check_times,
    check_future,
    claim_number,
};

enum status
signer_check_tbs(struct signer_check *check, const uint8_t *data, size_t len,
    const struct uint160 *floor, int64_t now_sec,
    struct signer_refusal *refusal)
{
	struct crl_fault fault;
	struct crl crl;
	struct candidate c = {
	    .check = check,
	    .crl = &crl,
	    .floor = floor,
	    .now_sec = now_sec,
	    .refusal = refusal,
	};
	enum status status;

	if (crl_parse_tbs(data, len, &crl, &fault) != STATUS_OK)
		return refuse_fault(&c, SIGNER_REFUSAL_DER, &fault);
	for (size_t i = 0; i < sizeof(checks) / sizeof(*checks); i++) {
		status = checks[i](&c);
		if (status != STATUS_OK)
			return status;
	}
	return STATUS_OK;
}
