/* SPDX-License-Identifier: ISC */
/* The keys of the configuration, and how each kind of value is read. */
#include "sunset_key.h"

#include <stdlib.h>
#include <string.h>

#include "crlpress/hex.h"
#include "crlpress/name_nearest.h"
#include "crlpress/quantity.h"
#include "crlpress/utc.h"

#define RULE (SUNSET_SERVER | SUNSET_HOST | SUNSET_ISSUER)

#define AT(field) offsetof(struct sunset_config, field)

/* An hour: whoever needs longer for a request is not served. */
#define HOUR_SEC 3600
#define DAY_SEC 86400

static const struct sunset_key keys[] = {
    {SUNSET_SERVER, "listen", SUNSET_LISTEN, 0, 0, NULL, 0, 0,
	"address and port to answer on; may stand several times"},
    {SUNSET_SERVER, "metrics", SUNSET_ADDRESS, AT(metrics), 0, NULL, 0, 0,
	"address and port of the metrics, a local one"},
    {SUNSET_SERVER, "threads", SUNSET_COUNT, AT(threads), 0, "0", 0,
	SUNSET_THREADS_MOST, "threads that answer; 0: one a processor"},
    {SUNSET_SERVER, "pin_threads", SUNSET_FLAG, AT(pin_threads), 0, "no", 0, 0,
	"a thread for each processor, and what that one receives"},
    {SUNSET_SERVER, "connections", SUNSET_COUNT, AT(connections), 0, "16384",
	16, 1048576, "connections at a time, of all threads"},
    {SUNSET_SERVER, "backlog", SUNSET_COUNT, AT(backlog), 0, "4096", 1, 65535,
	"connections that wait to be accepted"},
    {SUNSET_SERVER, "user", SUNSET_TEXT, AT(user), 0, NULL, 0, 0,
	"whom to become when started as root"},
    {SUNSET_SERVER, "counts", SUNSET_TEXT, AT(counts), 0, NULL, 0, 0,
	"file that keeps the counts of each hour"},
    {SUNSET_SERVER, "idle_timeout", SUNSET_DURATION, AT(idle_sec), 0, "30s", 1,
	HOUR_SEC, "how long a connection may wait for a request"},
    {SUNSET_SERVER, "request_timeout", SUNSET_DURATION, AT(request_sec), 0,
	"10s", 1, HOUR_SEC, "how long a request may take to arrive"},
    {SUNSET_SERVER, "write_timeout", SUNSET_DURATION, AT(write_sec), 0, "10s",
	1, HOUR_SEC, "how long an answer may take to be taken"},
    {SUNSET_SERVER, "drain_timeout", SUNSET_DURATION, AT(drain_sec), 0, "10s",
	1, HOUR_SEC, "how long SIGTERM waits for connections to end"},
    {RULE, "mode", SUNSET_MODE, 0, 0, "unauthorized", 0, 0,
	"what is answered: unauthorized, trylater, internalerror, 410, 404, "
	"503, close"},
    {RULE, "from", SUNSET_PHASE, 0, 0, NULL, 0, 0,
	"a phase: TIME mode = MODE [share = N%] [window = hh:mm-hh:mm]"},
    {SUNSET_SERVER, "max_age", SUNSET_DURATION, AT(max_age_sec), 0, "0s", 0,
	30 * DAY_SEC, "how long a cache may keep an answer; 0s: no-cache"},
    {SUNSET_SERVER, "retry_after", SUNSET_DURATION, AT(retry_after_sec), 0,
	"1d", 1, 365 * DAY_SEC, "Retry-After of mode 503"},
    {SUNSET_SERVER, "last_expiry", SUNSET_TIME, AT(has_last_expiry),
	AT(last_expiry_sec), NULL, 0, 0,
	"when the last certificate that names this responder expires"},
    {SUNSET_SERVER, "expiry_file", SUNSET_TEXT, AT(expiry_file), 0, NULL, 0, 0,
	"file of crlpress ocsp-gate that says so"},
    {SUNSET_SERVER, "expiry_max_age", SUNSET_DURATION, AT(expiry_max_age_sec),
	0, "7d", HOUR_SEC, 3650 * DAY_SEC,
	"how old that file may be when it is read"},
    {SUNSET_SERVER, "override", SUNSET_OVERRIDDEN, AT(override), 0, NULL, 0, 0,
	SUNSET_OVERRIDE ": run before that all the same"},
    {SUNSET_ISSUER, "key_hash", SUNSET_KEY_HASH, 0, 0, NULL, 0, 0,
	"issuerKeyHash of requests, in hex: SHA-1, SHA-256; several"},
    {SUNSET_REPORT, "retire_below", SUNSET_COUNT, AT(retire_below), 0, "100", 1,
	UINT32_MAX, "the name can go when fewer requests a day come ..."},
    {SUNSET_REPORT, "retire_days", SUNSET_COUNT, AT(retire_days), 0, "30", 1,
	3650, "... for so many days"},
};
#define KEYS (sizeof(keys) / sizeof(keys[0]))

_Static_assert(KEYS <= SUNSET_KEYS_MOST, "SUNSET_KEYS_MOST");

static enum status
refuse(char why[SUNSET_WHY_BYTES], const char *text)
{
	(void)snprintf(why, SUNSET_WHY_BYTES, "%s", text);
	return STATUS_MALFORMED;
}

static enum status
count_set(const struct sunset_key *key, void *place, const char *value,
    char why[SUNSET_WHY_BYTES])
{
	uint64_t count = 0;
	const char *text = "";

	if (quantity_count(value, (uint64_t)key->least, (uint64_t)key->most,
		&count, &text) != STATUS_OK) {
		(void)snprintf(why, SUNSET_WHY_BYTES, "%s (%lld to %lld)", text,
		    (long long)key->least, (long long)key->most);
		return STATUS_MALFORMED;
	}
	*(uint32_t *)place = (uint32_t)count;
	return STATUS_OK;
}

static enum status
duration_set(const struct sunset_key *key, void *place, const char *value,
    char why[SUNSET_WHY_BYTES])
{
	char least[QUANTITY_DURATION_BYTES];
	char most[QUANTITY_DURATION_BYTES];
	const char *text = "";
	int64_t sec = 0;

	if (quantity_duration(value, &sec, &text) != STATUS_OK)
		return refuse(why, text);
	if (sec < key->least || sec > key->most) {
		(void)snprintf(why, SUNSET_WHY_BYTES, "not from %s to %s",
		    quantity_duration_text(key->least, least),
		    quantity_duration_text(key->most, most));
		return STATUS_MALFORMED;
	}
	*(int64_t *)place = sec;
	return STATUS_OK;
}

static enum status
text_set(char **place, const char *value, char why[SUNSET_WHY_BYTES])
{
	if (value[0] == '\0')
		return refuse(why, "empty");
	free(*place);
	*place = strdup(value);
	return *place == NULL ? STATUS_NO_MEMORY : STATUS_OK;
}

static enum status
listen_set(
    struct sunset_config *config, const char *value, char why[SUNSET_WHY_BYTES])
{
	const char *text = "";

	if (config->listens == SUNSET_LISTEN_MOST)
		return refuse(why, "more addresses than 16");
	if (sunset_address_parse(
		value, &config->listen[config->listens], &text) != STATUS_OK)
		return refuse(why, text);
	config->listens++;
	return STATUS_OK;
}

static enum status
mode_set(
    struct sunset_rule *rule, const char *value, char why[SUNSET_WHY_BYTES])
{
	if (answer_mode_from_name(value, strlen(value), &rule->mode) !=
		STATUS_OK ||
	    !answer_mode_configurable(rule->mode))
		return refuse(why, "not unauthorized, trylater, "
				   "internalerror, 410, 404, 503 or close");
	rule->has_mode = true;
	rule->given = true;
	return STATUS_OK;
}

static enum status
phase_add(
    struct sunset_rule *rule, const char *value, char why[SUNSET_WHY_BYTES])
{
	struct sunset_phase *phase = &rule->phase[rule->phases];
	const char *text = "";

	if (rule->phases == SUNSET_PHASES_MOST)
		return refuse(why, "more phases than 32");
	if (sunset_phase_parse(value, phase, &text) != STATUS_OK)
		return refuse(why, text);
	if (rule->phases > 0 && phase->from_sec <= phase[-1].from_sec)
		return refuse(why, "not after the phase before it");
	rule->phases++;
	rule->given = true;
	return STATUS_OK;
}

/* One hash stands for one issuer. */
static bool
key_hash_taken(
    const struct sunset_config *config, const struct sunset_key_hash *hash)
{
	for (uint32_t i = 0; i < config->issuers; i++) {
		const struct sunset_issuer *issuer = &config->issuer[i];

		for (uint32_t k = 0; k < issuer->key_hashes; k++)
			if (issuer->key_hash[k].len == hash->len &&
			    memcmp(issuer->key_hash[k].octet, hash->octet,
				hash->len) == 0)
				return true;
	}
	return false;
}

/* Hex, with or without colons between octets, as openssl prints it. */
static enum status
key_hash_add(const struct sunset_place *place, const char *value,
    char why[SUNSET_WHY_BYTES])
{
	struct sunset_issuer *issuer = place->issuer;
	struct sunset_key_hash hash = {.len = 0};

	if (issuer->key_hashes == SUNSET_KEY_HASHES_MOST)
		return refuse(why, "more hashes than 8 of one issuer");
	for (const char *p = value; *p != '\0'; p += 2) {
		if (*p == ':' && hash.len > 0)
			p++;
		if (hash.len == SUNSET_KEY_HASH_BYTES || hex_digit(p[0]) < 0 ||
		    hex_digit(p[1]) < 0)
			return refuse(why, "not a hash in hex");
		hash.octet[hash.len++] =
		    (uint8_t)(hex_digit(p[0]) << 4 | hex_digit(p[1]));
	}
	if (hash.len != 20 && hash.len != 32 && hash.len != 48 &&
	    hash.len != 64)
		return refuse(why, "not a hash of 20, 32, 48 or 64 octets");
	if (key_hash_taken(place->config, &hash))
		return refuse(why, "a hash that stands there already");
	issuer->key_hash[issuer->key_hashes++] = hash;
	return STATUS_OK;
}

static enum status
override_set(bool *place, const char *value, char why[SUNSET_WHY_BYTES])
{
	*place = strcmp(value, SUNSET_OVERRIDE) == 0;
	return *place ? STATUS_OK : refuse(why, "not " SUNSET_OVERRIDE);
}

static enum status
flag_set(bool *place, const char *value, char why[SUNSET_WHY_BYTES])
{
	*place = strcmp(value, "yes") == 0;
	return *place || strcmp(value, "no") == 0
		   ? STATUS_OK
		   : refuse(why, "not yes or no");
}

const struct sunset_key *
sunset_key(size_t i)
{
	return i < KEYS ? &keys[i] : NULL;
}

int
sunset_key_find(enum sunset_section section, const char *name)
{
	for (size_t i = 0; i < KEYS; i++)
		if ((keys[i].sections & section) != 0 &&
		    strcmp(keys[i].name, name) == 0)
			return (int)i;
	return -1;
}

bool
sunset_key_repeats(const struct sunset_key *key)
{
	return key->kind == SUNSET_LISTEN || key->kind == SUNSET_PHASE ||
	       key->kind == SUNSET_KEY_HASH;
}

enum status
sunset_key_set(const struct sunset_key *key, const struct sunset_place *place,
    const char *value, char why[SUNSET_WHY_BYTES])
{
	char *base = (char *)place->config;
	const char *text = "";

	switch (key->kind) {
	case SUNSET_COUNT:
		return count_set(key, base + key->offset, value, why);
	case SUNSET_DURATION:
		return duration_set(key, base + key->offset, value, why);
	case SUNSET_TIME:
		*(bool *)(base + key->offset) = true;
		if (sunset_time_parse(value,
			(int64_t *)(base + key->offset_value)) == STATUS_OK)
			return STATUS_OK;
		return refuse(why, "not a time like 2026-12-01T06:00:00Z");
	case SUNSET_TEXT:
		return text_set((char **)(base + key->offset), value, why);
	case SUNSET_ADDRESS:
		if (sunset_address_parse(value,
			(struct sunset_address *)(base + key->offset),
			&text) == STATUS_OK)
			return STATUS_OK;
		return refuse(why, text);
	case SUNSET_LISTEN:
		return listen_set(place->config, value, why);
	case SUNSET_OVERRIDDEN:
		return override_set((bool *)(base + key->offset), value, why);
	case SUNSET_FLAG:
		return flag_set((bool *)(base + key->offset), value, why);
	case SUNSET_MODE:
		return mode_set(place->rule, value, why);
	case SUNSET_PHASE:
		return phase_add(place->rule, value, why);
	case SUNSET_KEY_HASH:
		return key_hash_add(place, value, why);
	}
	return STATUS_MALFORMED;
}

const char *
sunset_section_name(enum sunset_section section)
{
	switch (section) {
	case SUNSET_SERVER:
		return "server";
	case SUNSET_HOST:
		return "host";
	case SUNSET_ISSUER:
		return "issuer";
	case SUNSET_REPORT:
		return "report";
	}
	return "";
}

/* Longer ones are far apart. */
#define DISTANCE_MOST 3

const char *
sunset_key_nearest(enum sunset_section section, const char *name)
{
	const char *nearest = NULL;
	size_t least = DISTANCE_MOST + 1;

	for (size_t i = 0; i < KEYS; i++) {
		size_t far = name_distance(name, keys[i].name);

		if ((keys[i].sections & section) == 0 || far >= least ||
		    far >= strlen(keys[i].name))
			continue;
		least = far;
		nearest = keys[i].name;
	}
	return nearest;
}
