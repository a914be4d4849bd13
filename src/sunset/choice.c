/* SPDX-License-Identifier: ISC */
/*
 * The rule of the issuer, then the host's, then the server's: the first that
 * has something to say of this request does. The rules are looked through
 * once a second, not at each request.
 */
#include "choice.h"

#include <string.h>

static bool
same_name(const char *name, const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		char c = text[i];

		if (c >= 'A' && c <= 'Z')
			c = (char)(c | 0x20);
		if (name[i] != c)
			return false;
	}
	return name[len] == '\0';
}

uint16_t
choice_host(const struct sunset_config *config, const char *host, size_t len)
{
	/* RFC 1034, 3.1: the name from the root, dot and all. */
	if (len > 0 && host[len - 1] == '.')
		len--;
	if (len == 0)
		return (uint16_t)config->hosts;
	for (uint32_t i = 0; i < config->hosts; i++)
		if (same_name(config->host[i].name, host, len))
			return (uint16_t)i;
	return (uint16_t)config->hosts;
}

/* The index of the issuer with this key, or config->issuers: "other". */
static uint16_t
issuer_of(
    const struct sunset_config *config, const uint8_t *key_hash, size_t len)
{
	for (uint32_t i = 0; len > 0 && i < config->issuers; i++) {
		const struct sunset_issuer *issuer = &config->issuer[i];

		for (uint32_t k = 0; k < issuer->key_hashes; k++)
			if (issuer->key_hash[k].len == len &&
			    memcmp(issuer->key_hash[k].octet, key_hash, len) ==
				0)
				return (uint16_t)i;
	}
	return (uint16_t)config->issuers;
}

static void
rules_refresh(struct choice *choice, int64_t now_sec)
{
	const struct sunset_config *config = choice->config;
	struct schedule_now *now = choice->now;

	schedule_at(&config->rule, now_sec, now++);
	for (uint32_t i = 0; i < config->hosts; i++)
		schedule_at(&config->host[i].rule, now_sec, now++);
	for (uint32_t i = 0; i < config->issuers; i++)
		schedule_at(&config->issuer[i].rule, now_sec, now++);
	choice->now_sec = now_sec;
}

void
choice_init(struct choice *choice, const struct sunset_config *config)
{
	memset(choice, 0, sizeof(*choice));
	choice->config = config;
	choice->now_sec = INT64_MIN;
}

/* Whether rule `i` says what this request gets. */
static bool
rule_says(struct choice *choice, uint32_t i, enum answer_mode *mode)
{
	const struct schedule_now *now = &choice->now[i];

	if (now->share_percent > 0 &&
	    schedule_share(now->share_percent, &choice->sum[i])) {
		*mode = now->partial;
		return true;
	}
	*mode = now->base;
	return now->has_base;
}

enum answer_mode
choice_make(struct choice *choice, int64_t now_sec, const char *host,
    size_t host_len, const struct ocsp_request *ocsp, struct count_key *key)
{
	const struct sunset_config *config = choice->config;
	enum answer_mode mode = ANSWER_UNAUTHORIZED;
	bool said = false;

	if (choice->now_sec != now_sec)
		rules_refresh(choice, now_sec);
	key->host = choice_host(config, host, host_len);
	key->issuer = issuer_of(config, ocsp->key_hash, ocsp->key_hash_len);
	if (key->issuer < config->issuers)
		said =
		    rule_says(choice, 1 + config->hosts + key->issuer, &mode);
	if (!said && key->host < config->hosts)
		said = rule_says(choice, 1U + key->host, &mode);
	if (!said)
		(void)rule_says(choice, 0, &mode);
	key->mode = (uint8_t)mode;
	return mode;
}
