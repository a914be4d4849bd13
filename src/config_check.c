/* SPDX-License-Identifier: ISC */
/*
 * The checks between keys. The limits on lifetimes are those of the CA/Browser
 * Forum's TLS Baseline Requirements (BR) and Mozilla's Root Store Policy
 * (MRSP); a CRL that breaks them would be refused after it was made, here it
 * is refused before.
 */
#include "crlpress/config_check.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "crlpress/config_value.h"
#include "crlpress/database.h"
#include "crlpress/key_uri.h"
#include "crlpress/lint.h"
#include "crlpress/quantity.h"
#include "crlpress/s3_url.h"
#include "crlpress/source_sql.h"
#include "crlpress/url_text.h"

#define DAY INT64_C(86400)
#define FAULT_BYTES 1024
#define OFFSET(member) offsetof(struct config, member)

/* How the parameter of a statement is written, as for psql. */
#define ISSUER_PARAMETER ":'issuer'"
#define SHARD_PARAMETER ":'shard'"
#define SERIAL_PARAMETER ":'serial'"
#define PART_PARAMETER ":'part'"
#define PARTS_PARAMETER ":'parts'"

struct profile_limits {
	int64_t validity_most_sec; /* 0: none */
	int64_t period_most_sec;   /* without an OCSP URL in certificates */
	enum crl_scope scope;
};

/*
 * BR 7.2 and MRSP 6: nextUpdate at most 10 days after thisUpdate, counted
 * with both ends, for subscriber certificates, 12 months for CA certificates.
 * nextUpdate is thisUpdate + validity - 1 s, so a validity of 10 days is the
 * longest. BR 4.9.7: a new CRL every 4 days; the 7 days where certificates
 * carry an OCSP URL are more than half of 10 and so out of reach anyway.
 */
static const struct profile_limits limits[PROFILE_COUNT] = {
    [PROFILE_TLS] = {10 * DAY, 4 * DAY, CRL_SCOPE_USERS},
    [PROFILE_TLS_CA] = {365 * DAY, 0, CRL_SCOPE_CAS},
    [PROFILE_SMIME_STRICT] = {10 * DAY, 0, CRL_SCOPE_USERS},
    [PROFILE_SMIME_LEGACY] = {10 * DAY, 0, CRL_SCOPE_USERS},
    [PROFILE_PRIVATE] = {0, 0, CRL_SCOPE_ALL},
};

enum crl_scope
config_profile_scope(enum profile profile)
{
	return limits[profile].scope;
}

const struct config_place *
config_place(const struct config_draft *draft, size_t offset)
{
	return &draft->place[config_key_index(offset)];
}

enum status
config_draft_fault(const struct config_draft *draft, size_t offset,
    const char *clause, const char *format, ...)
{
	const struct config_section *section;
	const struct config_key *key = config_key(config_key_index(offset));
	size_t line = config_place(draft, offset)->line;
	char text[FAULT_BYTES];
	va_list args;

	section = config_file_section(draft->file, key->section);
	if (line == 0)
		line = section != NULL ? section->line : 1;
	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	return config_file_fault(draft->report, draft->file->name, line, clause,
	    "[%s] %s: %s", key->section, key->name, text);
}

/* Whether the value can be judged: the file's own is not one refused. */
static bool
sound(const struct config_draft *draft, size_t offset)
{
	return !config_place(draft, offset)->bad;
}

static enum status
required_check(const struct config_draft *draft)
{
	enum status status = STATUS_OK;
	const struct config_key *key;
	size_t i;

	for (i = 0; (key = config_key(i)) != NULL; i++) {
		if (key->required && draft->place[i].line == 0 &&
		    (!draft->of_signer || strcmp(key->section, "issuer") == 0))
			status = config_draft_fault(draft, key->offset, NULL,
			    "missing: it is required");
	}
	return status;
}

/* anchor and chunk: both with the scheme expiry, neither without. */
static enum status
expiry_check(const struct config_draft *draft)
{
	bool expiry = draft->config->shards.scheme == SHARD_EXPIRY;
	enum status status = STATUS_OK;
	const struct config_key *key;
	size_t i;

	if (!sound(draft, OFFSET(shards.scheme)))
		return STATUS_OK;
	for (i = 0; (key = config_key(i)) != NULL; i++) {
		if (!key->expiry || expiry == (draft->place[i].line != 0))
			continue;
		status = config_draft_fault(draft, key->offset, NULL, "%s",
		    expiry ? "missing: the scheme expiry requires it"
			   : "only the scheme expiry has it");
	}
	return status;
}

/* That the template expands for the first and the last shard. */
static enum status
template_check(
    const struct config_draft *draft, size_t offset, const char *pattern)
{
	const struct shard_scheme_config *shards = &draft->config->shards;
	char name[SHARD_NAME_BYTES], shown[URL_TEXT_BYTES];
	const char *why;

	if (shard_expand(pattern, shards->count, shards->first, name,
		sizeof(name), &why) == STATUS_OK &&
	    shard_expand(pattern, shards->count,
		shards->first + (shards->count - 1), name, sizeof(name),
		&why) == STATUS_OK)
		return STATUS_OK;
	return config_draft_fault(draft, offset, NULL, "%s, have \"%s\"", why,
	    url_text_shown(pattern, shown));
}

/* A manifest that is put over a shard would hide it. */
static enum status
manifest_check(const struct config_draft *draft)
{
	const struct config *config = draft->config;
	const char *pattern = config->object_pattern;
	size_t fixed = strcspn(pattern, "{");
	char name[SHARD_NAME_BYTES];
	const char *why;
	uint32_t i;

	if (strncmp(pattern, config->manifest_key, fixed) != 0)
		return STATUS_OK;
	for (i = 0; i < config->shards.count; i++) {
		if (shard_expand(pattern, config->shards.count,
			config->shards.first + i, name, sizeof(name),
			&why) != STATUS_OK)
			break;
		if (strcmp(name, config->manifest_key) == 0)
			return config_draft_fault(draft, OFFSET(manifest_key),
			    NULL, "the object key of shard %lu too, \"%s\"",
			    (unsigned long)config->shards.first + i, name);
	}
	return STATUS_OK;
}

/* BR 7.2.2.1 and CCADB 6.2: http; a private PKI may use what it likes. */
static enum status
names_check(const struct config_draft *draft)
{
	const struct config *config = draft->config;
	char shown[URL_TEXT_BYTES];
	enum status status = STATUS_OK;
	bool shards = sound(draft, OFFSET(shards.count)) &&
		      sound(draft, OFFSET(shards.first)) &&
		      config->shards.count > 0;

	if (config->url_pattern != NULL && sound(draft, OFFSET(profile)) &&
	    config->profile != PROFILE_PRIVATE &&
	    strncmp(config->url_pattern, "http://", 7) != 0)
		status = config_draft_fault(draft, OFFSET(url_pattern),
		    "BR 7.2.2.1", "not an http:// URL, have \"%s\"",
		    url_text_shown(config->url_pattern, shown));
	if (config->url_pattern != NULL && shards &&
	    template_check(draft, OFFSET(url_pattern), config->url_pattern) !=
		STATUS_OK)
		/* An object taken from the URL has the same fault. */
		return STATUS_CONFIG;
	if (config->object_pattern == NULL || !shards)
		return status;
	if (template_check(draft, OFFSET(object_pattern),
		config->object_pattern) != STATUS_OK)
		return STATUS_CONFIG;
	if (config->manifest_key != NULL && manifest_check(draft) != STATUS_OK)
		return STATUS_CONFIG;
	return status;
}

/* `what` of the key must be at least twice the period. */
static enum status
twice_check(const struct config_draft *draft, size_t offset, int64_t sec,
    const char *why)
{
	char have[QUANTITY_DURATION_BYTES];
	char period[QUANTITY_DURATION_BYTES];

	if (!sound(draft, offset) || sec / 2 >= draft->config->period_sec)
		return STATUS_OK;
	return config_draft_fault(draft, offset, "house rule",
	    "%s, have %s, want at least twice the period of %s", why,
	    quantity_duration_text(sec, have),
	    quantity_duration_text(draft->config->period_sec, period));
}

/* At most what the profile allows. */
static enum status
most_check(const struct config_draft *draft, size_t offset, const char *clause,
    int64_t sec, int64_t most_sec)
{
	char have[QUANTITY_DURATION_BYTES];
	char most[QUANTITY_DURATION_BYTES];

	if (!sound(draft, offset) || most_sec == 0 || sec <= most_sec)
		return STATUS_OK;
	return config_draft_fault(draft, offset, clause,
	    "too long for the profile %s, have %s, want at most %s",
	    profile_name(draft->config->profile),
	    quantity_duration_text(sec, have),
	    quantity_duration_text(most_sec, most));
}

static enum status
times_check(const struct config_draft *draft)
{
	const struct config *config = draft->config;
	enum status status = STATUS_OK;

	if (sound(draft, OFFSET(profile))) {
		const struct profile_limits *limit = &limits[config->profile];

		if (most_check(draft, OFFSET(validity_sec), "BR 7.2",
			config->validity_sec,
			limit->validity_most_sec) != STATUS_OK)
			status = STATUS_CONFIG;
		if (!config->has_ocsp &&
		    most_check(draft, OFFSET(period_sec), "BR 4.9.7",
			config->period_sec,
			limit->period_most_sec) != STATUS_OK)
			status = STATUS_CONFIG;
	}
	if (!sound(draft, OFFSET(period_sec)))
		return status;
	if (twice_check(draft, OFFSET(validity_sec), config->validity_sec,
		"a CRL would expire when one run fails") != STATUS_OK)
		status = STATUS_CONFIG;
	/* No row of a CRL has an expiry that could be looked back on. */
	if (config_source_kind(config) != SOURCE_CRL &&
	    twice_check(draft, OFFSET(lookback_sec), config->lookback_sec,
		"entries could leave unproved when one run fails") != STATUS_OK)
		status = STATUS_CONFIG;
	return status;
}

/* BR 7.2.2.1 and CCADB 6.2: a shard says which certificates it covers. */
static enum status
scope_check(const struct config_draft *draft)
{
	const struct config *config = draft->config;

	if (!sound(draft, OFFSET(profile)) || !sound(draft, OFFSET(scope)) ||
	    config->profile == PROFILE_PRIVATE ||
	    config->scope == limits[config->profile].scope)
		return STATUS_OK;
	return config_draft_fault(draft, OFFSET(scope), "BR 7.2.2.1",
	    "the profile %s wants %s", profile_name(config->profile),
	    limits[config->profile].scope == CRL_SCOPE_USERS ? "users" : "cas");
}

static bool
has_parameter(const char *sql, const char *parameter)
{
	return sql != NULL && strstr(sql, parameter) != NULL;
}

static enum status
source_check(const struct config_draft *draft)
{
	const struct config *config = draft->config;
	enum status status = STATUS_OK;

	/* Of a source that was refused it is not known what it would ask. */
	if (config_source_kind(config) != SOURCE_DATABASE ||
	    !sound(draft, OFFSET(source)))
		return STATUS_OK;
	/* Without it each of them would yield what no push asked for. */
	if (config->shard_query_file != NULL &&
	    sound(draft, OFFSET(shard_query_file)) &&
	    !has_parameter(config->shard_sql, SHARD_PARAMETER))
		status = config_draft_fault(draft, OFFSET(shard_query_file),
		    NULL, "the statement has no " SHARD_PARAMETER);
	if (config->serial_query_file != NULL &&
	    sound(draft, OFFSET(serial_query_file)) &&
	    !has_parameter(config->serial_sql, SERIAL_PARAMETER))
		status = config_draft_fault(draft, OFFSET(serial_query_file),
		    NULL, "the statement has no " SERIAL_PARAMETER);
	if (!sound(draft, OFFSET(query_file)))
		return status;
	if (config->sql != NULL && source_sql_has(config->sql, "part") !=
				       source_sql_has(config->sql, "parts"))
		status = config_draft_fault(draft, OFFSET(query_file), NULL,
		    PART_PARAMETER " and " PARTS_PARAMETER
				   " go together, and the statement has one");
	if (config->issuer_id == NULL && sound(draft, OFFSET(issuer_id)) &&
	    (has_parameter(config->sql, ISSUER_PARAMETER) ||
		has_parameter(config->shard_sql, ISSUER_PARAMETER) ||
		has_parameter(config->serial_sql, ISSUER_PARAMETER) ||
		has_parameter(config->certificate_sql, ISSUER_PARAMETER)))
		status = config_draft_fault(draft, OFFSET(issuer_id), NULL,
		    "missing: the statement has " ISSUER_PARAMETER);
	if (config->query_file == NULL && sound(draft, OFFSET(shards.scheme)) &&
	    config->shards.scheme == SHARD_CDP)
		status = config_draft_fault(draft, OFFSET(shards.scheme), NULL,
		    "the native table has no certificates; cdp wants a "
		    "query_file");
	if (config->query_file == NULL && sound(draft, OFFSET(encoding)) &&
	    config->encoding != SERIAL_BYTEA)
		status = config_draft_fault(draft, OFFSET(encoding), NULL,
		    "the native table has bytea; anything else wants a "
		    "query_file");
	return status;
}

/* libpq alone knows what it can read, and says what a run would end with. */
static enum status
conninfo_check(const struct config_draft *draft)
{
	const struct config *config = draft->config;
	const struct {
		size_t offset;
		const char *conninfo;
	} places[] = {
	    {OFFSET(conninfo), config->conninfo},
	    {OFFSET(revoke_conninfo), config->revoke_conninfo},
	    {OFFSET(share_conninfo), config->share_conninfo},
	};
	enum status status = STATUS_OK;
	char why[DATABASE_WHY_BYTES];
	const char *hint;

	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		if (!sound(draft, places[i].offset) ||
		    database_conninfo_check(places[i].conninfo, why, &hint) ==
			STATUS_OK)
			continue;
		status = config_draft_fault(
		    draft, places[i].offset, NULL, "%s", why);
		if (hint != NULL)
			report_hint(draft->report, "%s", hint);
	}
	return status;
}

/* What a key that is in no file is asked for by, and by whom. */
static enum status
key_check(const struct config_draft *draft)
{
	const struct config *config = draft->config;
	enum status status = STATUS_OK;
	struct key_uri uri;
	const char *why;

	if (config->key == NULL || !sound(draft, OFFSET(key)) ||
	    key_uri_parse(config->key, &uri, &why) != STATUS_OK)
		return STATUS_OK;
	if (uri.home == KEY_IN_FILE && config->key_provider != NULL)
		status = config_draft_fault(draft, OFFSET(key_provider), NULL,
		    "goes with a URI, and the key is a file");
	if (uri.home == KEY_IN_FILE && config->key_module != NULL)
		status = config_draft_fault(draft, OFFSET(key_module), NULL,
		    "goes with a key in a token, and the key is a file");
	if (uri.home == KEY_IN_ENGINE && config->key_provider != NULL)
		status = config_draft_fault(draft, OFFSET(key_provider), NULL,
		    "the key names an engine, which is no provider");
	if (uri.home == KEY_IN_PROVIDER && config->key_provider == NULL)
		status = config_draft_fault(draft, OFFSET(key), NULL,
		    "a URI that no key_provider goes with; want a file, "
		    "pkcs11: or org.openssl.engine:");
	if (config->pin_source != NULL && config->passphrase_file != NULL)
		status = config_draft_fault(draft, OFFSET(passphrase_file),
		    NULL, "the URI of the key names a PIN file, too");
	return status;
}

/* The keys of a network go with an s3:// URL, and with one another. */
static enum status
remote_check(const struct config_draft *draft)
{
	const struct config *config = draft->config;
	enum status status = STATUS_OK;
	const struct config_key *key;
	struct s3_place place;
	const char *why;

	if (config->store_url == NULL || !sound(draft, OFFSET(store_url)))
		return STATUS_OK;
	for (size_t i = 0; (key = config_key(i)) != NULL; i++)
		if (strcmp(key->section, "archive") != 0 &&
		    strcmp(key->section, "source") != 0 &&
		    draft->place[i].line != 0 &&
		    !config_key_applies(key, config))
			status = config_draft_fault(draft, key->offset, NULL,
			    "only a store s3://... has it");
	if (strncmp(config->store_url, "s3://", 5) != 0)
		return status;
	if (sound(draft, OFFSET(remote.endpoint)) &&
	    sound(draft, OFFSET(remote.path_style)) &&
	    s3_place_make(config->store_url, config->remote.endpoint,
		"us-east-1", config->remote.path_style, &place,
		&why) != STATUS_OK)
		status = config_draft_fault(
		    draft, OFFSET(remote.path_style), NULL, "%s", why);
	return status;
}

/* The path of a store in a directory; NULL: it is none. */
static const char *
directory_of(const char *url)
{
	if (strncmp(url, "file://", 7) == 0)
		url += 7;
	return *url == '/' ? url : NULL;
}

/*
 * What stands below the store is served to everybody, and `verify` would take
 * it for CRLs; hidden names are neither.
 */
static bool
archive_is_in_store(const struct config *config)
{
	const char *store = directory_of(config->store_url);
	const char *archive = directory_of(config->archive_url);
	size_t len = store != NULL ? strlen(store) : 0;

	while (len > 0 && store[len - 1] == '/')
		len--;
	return store != NULL && archive != NULL &&
	       strncmp(store, archive, len) == 0 &&
	       (archive[len] == '/' || archive[len] == '\0') &&
	       strstr(archive + len, "/.") == NULL;
}

static enum status
archive_check(const struct config_draft *draft)
{
	const struct config *config = draft->config;
	enum status status = STATUS_OK;
	const struct config_key *key;
	struct s3_place place;
	const char *why;

	if (!sound(draft, OFFSET(archive_url)))
		return STATUS_OK;
	for (size_t i = 0; (key = config_key(i)) != NULL; i++)
		if (strcmp(key->section, "archive") == 0 &&
		    draft->place[i].line != 0 &&
		    !config_key_applies(key, config))
			status = config_draft_fault(draft, key->offset, NULL,
			    config->archive_url == NULL
				? "without a url there is no archive"
				: "only an archive s3://... has it");
	if (config->archive_url == NULL || config->store_url == NULL ||
	    !sound(draft, OFFSET(store_url)))
		return status;
	if (archive_is_in_store(config))
		return config_draft_fault(draft, OFFSET(archive_url),
		    "house rule",
		    "inside of the store, where everybody sees it; want "
		    "another directory, or a hidden one");
	if (strncmp(config->archive_url, "s3://", 5) == 0 &&
	    sound(draft, OFFSET(archive_endpoint)) &&
	    sound(draft, OFFSET(archive_path_style)) &&
	    s3_place_make(config->archive_url,
		config->archive_endpoint != NULL ? config->archive_endpoint
						 : config->remote.endpoint,
		"us-east-1", config->archive_path_style, &place,
		&why) != STATUS_OK)
		status = config_draft_fault(
		    draft, OFFSET(archive_path_style), NULL, "%s", why);
	return status;
}

enum status
config_check(const struct config_draft *draft)
{
	static enum status (*const checks[])(const struct config_draft *) = {
	    required_check, expiry_check, names_check, times_check, scope_check,
	    source_check, config_source_check, conninfo_check, key_check,
	    remote_check, archive_check};
	enum status status = STATUS_OK;
	size_t i;

	for (i = 0; i < sizeof(checks) / sizeof(checks[0]); i++) {
		if (checks[i](draft) != STATUS_OK)
			status = STATUS_CONFIG;
	}
	return status;
}

enum status
config_check_signer(const struct config_draft *draft)
{
	enum status status = required_check(draft);

	if (draft->config->key != NULL && !config_has_key(draft->config))
		status = config_draft_fault(draft, OFFSET(key), NULL,
		    "none, and this is where it is to be signed");
	return key_check(draft) == STATUS_OK ? status : STATUS_CONFIG;
}
