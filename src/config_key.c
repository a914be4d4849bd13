/* SPDX-License-Identifier: ISC */
/*
 * Every key of the configuration, and how values of each kind are read and
 * printed. crlpress.cnf(5) has the same keys; a test compares them.
 */
#include "crlpress/config_key.h"

#include <stdlib.h>
#include <string.h>

#include "crlpress/config_value.h"
#include "crlpress/key_uri.h"
#include "crlpress/lint.h"
#include "crlpress/name_nearest.h"
#include "crlpress/quantity.h"
#include "crlpress/s3_url.h"
#include "crlpress/utc.h"

#define MINUTE INT64_C(60)
#define HOUR INT64_C(3600)
#define DAY INT64_C(86400)

/* Longer than any certificate lives; keeps sums of times from overflow. */
#define DURATION_MOST (36600 * DAY)

/* statement_timeout is an int of milliseconds in PostgreSQL. */
#define STATEMENT_TIMEOUT_MOST (24 * DAY)

/* More would make gates of the clock and of replay lag meaningless. */
#define SKEW_MOST (1 * DAY)

/* As many as there are threads, and as http.h allows. */
#define REMOTE_CONNECTIONS_MOST 64

/* Copies of all shards there can be, at a sensible size. */
#define CACHE_MOST (INT64_C(1) << 40)

/* First index: such that first + SHARD_COUNT_MOST still fits 32 bits. */
#define SHARD_FIRST_MOST (INT64_C(1) << 31)

static const char *
name_at(const char *const *names, size_t count, unsigned value)
{
	return value < count ? names[value] : NULL;
}
#define NAME_AT(names, value) \
	name_at(names, sizeof(names) / sizeof((names)[0]), value)

static const char *
digest_choice(unsigned value)
{
	static const char *const names[] = {
	    [SIGNER_DIGEST_DEFAULT] = "default",
	    [SIGNER_DIGEST_SHA256] = "sha256",
	    [SIGNER_DIGEST_SHA384] = "sha384",
	    [SIGNER_DIGEST_SHA512] = "sha512",
	};
	return NAME_AT(names, value);
}

static const char *
padding_choice(unsigned value)
{
	static const char *const names[] = {
	    [SIGNER_PADDING_PKCS1] = "pkcs1",
	    [SIGNER_PADDING_PSS] = "pss",
	};
	return NAME_AT(names, value);
}

static const char *
profile_choice(unsigned value)
{
	return value < PROFILE_COUNT ? profile_name((enum profile)value) : NULL;
}

static const char *
encoding_choice(unsigned value)
{
	static const char *const names[] = {
	    [SERIAL_BYTEA] = "bytea",
	    [SERIAL_HEX] = "hex",
	    [SERIAL_DECIMAL] = "decimal",
	};
	return NAME_AT(names, value);
}

static const char *
scope_choice(unsigned value)
{
	static const char *const names[] = {
	    [CRL_SCOPE_ALL] = "all",
	    [CRL_SCOPE_USERS] = "users",
	    [CRL_SCOPE_CAS] = "cas",
	};
	return NAME_AT(names, value);
}

static const char *
path_style_choice(unsigned value)
{
	static const char *const names[] = {
	    [STORE_PATH_STYLE_AUTO] = "auto",
	    [STORE_PATH_STYLE_YES] = "yes",
	    [STORE_PATH_STYLE_NO] = "no",
	};
	return NAME_AT(names, value);
}

static const char *
read_back_choice(unsigned value)
{
	static const char *const names[] = {
	    [STORE_READ_BACK_HEAD] = "head",
	    [STORE_READ_BACK_OBJECT] = "object",
	    [STORE_READ_BACK_PUBLIC] = "public",
	};
	return NAME_AT(names, value);
}

/* A choice is read and written as an unsigned, whatever enum it is of. */
#define CHOICE_FITS(type) \
	_Static_assert(sizeof(type) == sizeof(unsigned), "an odd enum")
CHOICE_FITS(enum signer_digest);
CHOICE_FITS(enum signer_padding);
CHOICE_FITS(enum profile);
CHOICE_FITS(enum serial_encoding);
CHOICE_FITS(enum shard_scheme);
CHOICE_FITS(enum crl_scope);
CHOICE_FITS(enum store_path_style);
CHOICE_FITS(enum store_read_back);

/* A row's fields up to the help, and those that few rows have. */
#define KEY(section_, name_, kind_, member)                      \
	.section = (section_), .name = (name_), .kind = (kind_), \
	.offset = offsetof(struct config, member)
#define DEFAULT(text) .standard = (text), .note = (text)
#define REQUIRED .note = "required", .required = true
#define WITHOUT(text) .note = (text)
#define RANGE(least_, most_) .least = (least_), .most = (most_)

/* clang-format off */
static const struct config_key keys[] = {
    {KEY("issuer", "name", CONFIG_TEXT, name),
	WITHOUT("the file's name without .cnf"), .fault = config_name_fault,
	.help = "name of the issuer in messages, state and manifest"},
    {KEY("issuer", "certificate", CONFIG_PATH, certificate), REQUIRED,
	.help = "certificate of the issuer, PEM or DER"},
    {KEY("issuer", "key", CONFIG_PLACE, key), REQUIRED,
	.fault = config_private_key_fault, .hidden = true,
	.help = "private key of the issuer, PEM or DER, or its URI, or none"},
    {KEY("issuer", "passphrase_file", CONFIG_PATH, passphrase_file),
	WITHOUT("none"),
	.help = "file whose first line is the passphrase or PIN of the key"},
    {KEY("issuer", "key_module", CONFIG_PATH, key_module),
	WITHOUT("as OpenSSL has it"),
	.help = "PKCS#11 library of the token that holds the key"},
    {KEY("issuer", "key_provider", CONFIG_TEXT, key_provider),
	WITHOUT("none: an engine"),
	.help = "provider of OpenSSL that leads to the key"},
    {KEY("issuer", "key_sessions", CONFIG_COUNT, key_sessions),
	DEFAULT("1"), RANGE(1, SIGNER_SESSIONS_MOST),
	.help = "how many signatures at a time"},
    {KEY("issuer", "key_timeout", CONFIG_DURATION, key_timeout_sec),
	DEFAULT("1m"), RANGE(1, SIGNER_TIMEOUT_SEC_MOST),
	.help = "longest wait for one signature"},
    {KEY("issuer", "key_sandbox", CONFIG_BOOL, key_sandbox), DEFAULT("yes"),
	.help = "whether the signer gives up what signing does not need"},
    {KEY("issuer", "digest", CONFIG_CHOICE, digest), DEFAULT("default"),
	.choice = digest_choice, .help = "digest of the signature"},
    {KEY("issuer", "padding", CONFIG_CHOICE, padding), DEFAULT("pkcs1"),
	.choice = padding_choice, .help = "padding of RSA signatures"},
    {KEY("issuer", "profile", CONFIG_CHOICE, profile), DEFAULT("tls"),
	.choice = profile_choice, .help = "which rules the CRLs keep"},
    {KEY("issuer", "ocsp", CONFIG_BOOL, has_ocsp), DEFAULT("no"),
	.help = "whether the certificates carry an OCSP URL"},

    {KEY("source", "source", CONFIG_TEXT, source), WITHOUT("a database"),
	.fault = config_source_fault, .hidden = true,
	.help = "crl:PATH, crl:URL or index:PATH, in place of a database"},
    {KEY("source", "crl_issuer", CONFIG_PATH, crl_issuer),
	WITHOUT("certificate of [issuer]"),
	.help = "certificate that the CRL is signed by, PEM or DER"},
    {KEY("source", "crl_ca_file", CONFIG_PATH, crl_ca_file),
	WITHOUT("the system's"),
	.help = "CA certificates of the server of the CRL's URL, PEM"},
    {KEY("source", "fetch_timeout", CONFIG_DURATION, fetch_timeout_sec),
	DEFAULT("5m"), RANGE(1, DAY),
	.help = "longest time for fetching the CRL"},
    {KEY("source", "size_most", CONFIG_SIZE, source_size_most),
	DEFAULT("256M"), RANGE(1024, INT64_C(1) << 30),
	.help = "largest size of the file of the source"},
    {KEY("source", "conninfo", CONFIG_TEXT, conninfo),
	WITHOUT("none"), .fault = config_conninfo_fault, .hidden = true,
	.help = "connection string of libpq, without a password"},
    {KEY("source", "revoke_conninfo", CONFIG_TEXT, revoke_conninfo),
	WITHOUT("that of conninfo"), .fault = config_conninfo_fault,
	.hidden = true,
	.help = "the same for `revoke`, whose role writes"},
    {KEY("source", "query_file", CONFIG_PATH, query_file),
	WITHOUT("none"),
	.help = "file with the SQL statement that yields the rows"},
    {KEY("source", "shard_query_file", CONFIG_PATH, shard_query_file),
	WITHOUT("none"),
	.help = "file with the statement for the rows of one shard"},
    {KEY("source", "serial_query_file", CONFIG_PATH, serial_query_file),
	WITHOUT("none"),
	.help = "file with the statement for the row of one serial"},
    {KEY("source", "certificate_query_file", CONFIG_PATH,
	certificate_query_file),
	WITHOUT("none"),
	.help = "file with the statement that counts valid certificates"},
    {KEY("source", "issuer_id", CONFIG_TEXT, issuer_id),
	WITHOUT("none"),
	.help = "what :'issuer' stands for in the statement"},
    {KEY("source", "serial_encoding", CONFIG_CHOICE, encoding),
	DEFAULT("bytea"), .choice = encoding_choice,
	.help = "how the serial column is written"},
    {KEY("source", "connections", CONFIG_COUNT, source_connections),
	DEFAULT("4"), RANGE(1, SOURCE_CONNECTIONS_MOST),
	.help = "how many connections read rows at a time"},
    {KEY("source", "connect_timeout", CONFIG_DURATION, connect_timeout_sec),
	DEFAULT("10s"), RANGE(2, HOUR),
	.help = "longest wait for a connection"},
    {KEY("source", "statement_timeout", CONFIG_DURATION,
	statement_timeout_sec),
	DEFAULT("1h"), RANGE(1, STATEMENT_TIMEOUT_MOST),
	.help = "longest run of the statement"},
    {KEY("source", "lookback", CONFIG_DURATION, lookback_sec),
	DEFAULT("30d"), RANGE(1, DURATION_MOST),
	.help = "how long after their expiry rows are still asked for"},

    {KEY("shards", "scheme", CONFIG_CHOICE, shards.scheme),
	DEFAULT("column"), .choice = shard_scheme_name,
	.help = "what decides the shard of a certificate"},
    {KEY("shards", "count", CONFIG_COUNT, shards.count), REQUIRED,
	RANGE(1, SHARD_COUNT_MOST), .help = "number of shards"},
    {KEY("shards", "first", CONFIG_COUNT, shards.first), DEFAULT("0"),
	RANGE(0, SHARD_FIRST_MOST), .help = "index of the first shard"},
    {KEY("shards", "url", CONFIG_TEXT, url_pattern), REQUIRED,
	.fault = config_url_fault,
	.help = "URL of a shard, with {shard} for its index"},
    {KEY("shards", "object", CONFIG_TEXT, object_pattern),
	WITHOUT("the path of url"), .fault = config_object_fault,
	.help = "object key of a shard in the store, with {shard}"},
    {KEY("shards", "anchor", CONFIG_TIME, shards.anchor_sec),
	WITHOUT("none"), .expiry = true,
	.help = "start of chunk 0 of the scheme expiry"},
    {KEY("shards", "chunk", CONFIG_DURATION, shards.chunk_sec),
	WITHOUT("none"), RANGE(1, DURATION_MOST), .expiry = true,
	.help = "length of a chunk of the scheme expiry"},

    {KEY("crl", "validity", CONFIG_DURATION, validity_sec), DEFAULT("9d"),
	RANGE(2, DURATION_MOST),
	.help = "from thisUpdate to nextUpdate, both included"},
    {KEY("crl", "period", CONFIG_DURATION, period_sec), DEFAULT("6h"),
	RANGE(1, DURATION_MOST), .help = "how often publish is run"},
    {KEY("crl", "scope", CONFIG_CHOICE, scope), WITHOUT("by profile"),
	.choice = scope_choice,
	.help = "which certificates the distribution point covers"},

    {KEY("store", "url", CONFIG_TEXT, store_url), REQUIRED,
	.fault = config_store_fault, .help = "where the shards are put"},
    {KEY("store", "manifest", CONFIG_TEXT, manifest_key),
	WITHOUT("crlpress-manifest-NAME.txt"), .fault = config_object_fault,
	.help = "object key of the manifest"},
    {KEY("store", "endpoint", CONFIG_TEXT, remote.endpoint),
	WITHOUT("of AWS, by region"), .fault = s3_endpoint_fault,
	.help = "URL of the S3 service"},
    {KEY("store", "region", CONFIG_TEXT, remote.region),
	WITHOUT("of the environment or profile"), .fault = s3_region_fault,
	.help = "region that requests are signed for"},
    {KEY("store", "path_style", CONFIG_CHOICE, remote.path_style),
	DEFAULT("auto"), .choice = path_style_choice,
	.help = "whether the bucket stands in the path, not the host name"},
    {KEY("store", "profile", CONFIG_TEXT, remote.profile), WITHOUT("none"),
	.fault = config_profile_fault,
	.help = "profile of the shared AWS files"},
    {KEY("store", "ca_file", CONFIG_PATH, remote.ca_file),
	WITHOUT("the system's"),
	.help = "CA certificates of the endpoint, PEM"},
    {KEY("store", "connections", CONFIG_COUNT, remote.connections),
	DEFAULT("8"), RANGE(1, REMOTE_CONNECTIONS_MOST),
	.help = "how many puts at a time"},
    {KEY("store", "connect_timeout", CONFIG_DURATION,
	remote.connect_timeout_sec),
	DEFAULT("10s"), RANGE(1, HOUR),
	.help = "longest wait for a connection"},
    {KEY("store", "stall_timeout", CONFIG_DURATION, remote.stall_timeout_sec),
	DEFAULT("30s"), RANGE(1, HOUR),
	.help = "longest time with less than 1 KiB a second"},
    {KEY("store", "request_timeout", CONFIG_DURATION,
	remote.request_timeout_sec),
	DEFAULT("10m"), RANGE(1, DAY),
	.help = "longest time for one request and its answer"},
    {KEY("store", "retry_deadline", CONFIG_DURATION,
	remote.retry_deadline_sec),
	DEFAULT("10m"), RANGE(1, DAY),
	.help = "how long a request is tried again"},
    {KEY("store", "http2", CONFIG_BOOL, remote.http2), DEFAULT("yes"),
	.help = "whether to offer HTTP/2 where there is TLS"},
    {KEY("store", "cache", CONFIG_SIZE, remote.cache_bytes_most),
	DEFAULT("1G"), RANGE(0, CACHE_MOST),
	.help = "bytes of copies of objects in the state directory"},
    {KEY("store", "read_back", CONFIG_CHOICE, remote.read_back),
	DEFAULT("head"), .choice = read_back_choice,
	.help = "what is read back of an object that was put"},
    {KEY("store", "public_age_most", CONFIG_DURATION,
	remote.public_age_most_sec),
	DEFAULT("1h"), RANGE(0, DURATION_MOST),
	.help = "how old a copy the public URL may still serve"},
    {KEY("store", "cache_control", CONFIG_TEXT, remote.cache_control),
	DEFAULT("public, no-transform"), .fault = config_header_fault,
	.help = "Cache-Control of the shards"},
    {KEY("store", "cache_margin", CONFIG_DURATION, remote.cache_margin_sec),
	DEFAULT("15m"), RANGE(0, DURATION_MOST),
	.help = "from the next run to Expires of the shards"},
    {KEY("store", "unconditional", CONFIG_BOOL, remote.unconditional),
	DEFAULT("no"),
	.help = "whether to put without conditions, guarded by the lock alone"},

    {KEY("store", "manifest_gzip", CONFIG_BOOL, manifest_gzip), DEFAULT("no"),
	.help = "whether the manifest in S3 is compressed"},
    {KEY("store", "public_ca_file", CONFIG_PATH, public_ca_file),
	WITHOUT("the system's"),
	.help = "CA certificates of the servers of the shards' URLs, PEM"},

    {KEY("archive", "url", CONFIG_TEXT, archive_url), WITHOUT("none"),
	.fault = config_store_fault,
	.help = "where every published set is kept"},
    {KEY("archive", "endpoint", CONFIG_TEXT, archive_endpoint),
	WITHOUT("that of the store"), .fault = s3_endpoint_fault,
	.help = "URL of the S3 service of the archive"},
    {KEY("archive", "region", CONFIG_TEXT, archive_region),
	WITHOUT("that of the store"), .fault = s3_region_fault,
	.help = "region that its requests are signed for"},
    {KEY("archive", "path_style", CONFIG_CHOICE, archive_path_style),
	DEFAULT("auto"), .choice = path_style_choice,
	.help = "whether its bucket stands in the path, not the host name"},
    {KEY("archive", "profile", CONFIG_TEXT, archive_profile),
	WITHOUT("that of the store"), .fault = config_profile_fault,
	.help = "profile of the shared AWS files for the archive"},
    {KEY("archive", "ca_file", CONFIG_PATH, archive_ca_file),
	WITHOUT("that of the store"),
	.help = "CA certificates of the archive's endpoint, PEM"},
    {KEY("archive", "unconditional", CONFIG_BOOL, archive_unconditional),
	DEFAULT("no"),
	.help = "whether to put into the archive without conditions"},
    {KEY("archive", "spool", CONFIG_SIZE, archive_spool_most), DEFAULT("4G"),
	RANGE(0, CACHE_MOST),
	.help = "bytes that may wait on local disk for the archive"},

    {KEY("share", "conninfo", CONFIG_TEXT, share_conninfo),
	WITHOUT("that of [source]"), .fault = config_conninfo_fault,
	.help = "database in which hosts share a run, without a password"},
    {KEY("share", "lease", CONFIG_DURATION, share_lease_sec), DEFAULT("1m"),
	RANGE(2, 1 * HOUR),
	.help = "how long a host may be silent before others take over"},

    {KEY("state", "dir", CONFIG_PATH, state_dir),
	DEFAULT("/var/lib/crlpress"),
	.help = "directory of locks, the ledger and staged shards"},
    {KEY("state", "memory_budget", CONFIG_SIZE, memory_budget),
	DEFAULT("256M"), RANGE(INT64_C(64) << 20, INT64_C(1) << 40),
	.help = "memory that all processes of a run are to do with"},
    {KEY("state", "ledger_size", CONFIG_SIZE, ledger_size), DEFAULT("64M"),
	RANGE(4096, INT64_C(1) << 40),
	.help = "size at which the ledger is put aside"},

    {KEY("ocsp", "query_file", CONFIG_PATH, ocsp_query_file), WITHOUT("none"),
	.help = "file with the SQL statement that ocsp-gate asks"},
    {KEY("ocsp", "expiry_file", CONFIG_PATH, ocsp_expiry_file),
	WITHOUT("none"), .help = "file that ocsp-gate writes"},
    {KEY("ocsp", "allow_none", CONFIG_BOOL, ocsp_allow_none), DEFAULT("no"),
	.help = "whether there may be no certificate with an OCSP URL"},

    {KEY("gates", "floor", CONFIG_PERCENT, floor_percent), DEFAULT("90%"),
	.help = "least entries of all shards, of those published"},
    {KEY("gates", "shard_floor", CONFIG_PERCENT, shard_floor_percent),
	DEFAULT("50%"), .help = "least entries of a shard, of those published"},
    {KEY("gates", "clock_skew", CONFIG_DURATION, skew_sec), DEFAULT("5m"),
	RANGE(0, SKEW_MOST), .help = "how far clocks may differ"},
    {KEY("gates", "replay_lag", CONFIG_DURATION, replay_lag_sec),
	DEFAULT("5m"), RANGE(0, SKEW_MOST),
	.help = "how far a standby may be behind"},
    {KEY("gates", "size_most", CONFIG_SIZE, size_most), DEFAULT("32M"),
	RANGE(1024, CRL_BUILD_BYTES_MOST), .help = "largest size of a shard"},
    {KEY("gates", "size_warning", CONFIG_SIZE, size_warning), DEFAULT("10M"),
	RANGE(1024, CRL_BUILD_BYTES_MOST),
	.help = "size of a shard from which on it is warned of"},
    {KEY("gates", "allow_empty", CONFIG_BOOL, allow_empty), DEFAULT("no"),
	.help = "whether the source may have no row at all"},
};
/* clang-format on */

#define KEYS (sizeof(keys) / sizeof(keys[0]))
_Static_assert(KEYS <= CONFIG_KEYS_MOST, "CONFIG_KEYS_MOST is too small");

const struct config_key *
config_key(size_t i)
{
	return i < KEYS ? &keys[i] : NULL;
}

/* Whether a store is one that the keys of a network are for. */
static bool
url_is_remote(const char *url)
{
	return url != NULL && strncmp(url, "s3://", 5) == 0;
}

/* Whether it is one of the store in S3 alone. */
static bool
key_is_remote(const struct config_key *key)
{
	const size_t begin = offsetof(struct config, remote);

	return key->offset >= begin &&
	       key->offset < begin + sizeof(struct store_remote);
}

bool
config_key_applies(const struct config_key *key, const struct config *config)
{
	if (strcmp(key->section, "source") == 0)
		return config_source_applies(key->offset, config);
	if (key_is_remote(key) ||
	    key->offset == offsetof(struct config, manifest_gzip))
		return url_is_remote(config->store_url);
	if (strcmp(key->section, "archive") != 0 ||
	    key->offset == offsetof(struct config, archive_url))
		return true;
	if (key->offset == offsetof(struct config, archive_spool_most))
		return config->archive_url != NULL;
	return url_is_remote(config->archive_url);
}

size_t
config_key_index(size_t offset)
{
	size_t i = 0;

	while (i < KEYS - 1 && keys[i].offset != offset)
		i++;
	return i;
}

const struct config_key *
config_key_find(const char *section, const char *name)
{
	size_t i;

	for (i = 0; i < KEYS; i++) {
		if (strcmp(keys[i].name, name) == 0 &&
		    strcmp(keys[i].section, section) == 0)
			return &keys[i];
	}
	return NULL;
}

/* Where the key's value is; the caller knows its type by the kind. */
static void *
place_of(const struct config_key *key, struct config *config)
{
	return (char *)config + key->offset;
}

static const void *
place_read(const struct config_key *key, const struct config *config)
{
	return (const char *)config + key->offset;
}

static enum status
key_refuse(char why[CONFIG_KEY_WHY_BYTES], const char *text)
{
	snprintf(why, CONFIG_KEY_WHY_BYTES, "%s", text);
	return STATUS_MALFORMED;
}

static enum status
text_set(const struct config_key *key, struct config *config,
    const char *directory, const char *value)
{
	char **place = place_of(key, config);
	char *text;

	if ((key->kind == CONFIG_PATH ||
		(key->kind == CONFIG_PLACE && !key_uri_is(value) &&
		    strcmp(value, CONFIG_KEY_NONE) != 0)) &&
	    *value != '/') {
		if (asprintf(&text, "%s/%s", directory, value) == -1)
			text = NULL;
	} else {
		text = strdup(value);
	}
	if (text == NULL)
		return STATUS_NO_MEMORY;
	free(*place);
	*place = text;
	return STATUS_OK;
}

static enum status
choice_set(const struct config_key *key, struct config *config,
    const char *value, char why[CONFIG_KEY_WHY_BYTES])
{
	const char *name;
	unsigned i;
	size_t used = 0;

	for (i = 0; (name = key->choice(i)) != NULL; i++) {
		if (strcmp(name, value) == 0) {
			memcpy(place_of(key, config), &i, sizeof(i));
			return STATUS_OK;
		}
	}
	for (i = 0; (name = key->choice(i)) != NULL; i++) {
		int n = snprintf(why + used, CONFIG_KEY_WHY_BYTES - used,
		    "%s%s", i == 0 ? "not one of " : ", ", name);

		if (n < 0 || (size_t)n >= CONFIG_KEY_WHY_BYTES - used)
			break;
		used += (size_t)n;
	}
	return STATUS_MALFORMED;
}

static enum status
count_set(const struct config_key *key, struct config *config,
    const char *value, char why[CONFIG_KEY_WHY_BYTES])
{
	uint32_t *place = place_of(key, config);
	const char *text;
	uint64_t number;

	if (quantity_count(value, (uint64_t)key->least, (uint64_t)key->most,
		&number, &text) != STATUS_OK) {
		snprintf(why, CONFIG_KEY_WHY_BYTES, "%s, want %lld to %lld",
		    text, (long long)key->least, (long long)key->most);
		return STATUS_MALFORMED;
	}
	*place = (uint32_t)number;
	return STATUS_OK;
}

static enum status
duration_set(const struct config_key *key, struct config *config,
    const char *value, char why[CONFIG_KEY_WHY_BYTES])
{
	char least[QUANTITY_DURATION_BYTES];
	char most[QUANTITY_DURATION_BYTES];
	int64_t *place = place_of(key, config);
	const char *text;
	int64_t sec;

	if (quantity_duration(value, &sec, &text) != STATUS_OK)
		return key_refuse(why, text);
	if (sec < key->least || sec > key->most) {
		snprintf(why, CONFIG_KEY_WHY_BYTES,
		    "a duration out of range, want %s to %s",
		    quantity_duration_text(key->least, least),
		    quantity_duration_text(key->most, most));
		return STATUS_MALFORMED;
	}
	*place = sec;
	return STATUS_OK;
}

static enum status
size_set(const struct config_key *key, struct config *config, const char *value,
    char why[CONFIG_KEY_WHY_BYTES])
{
	uint64_t *place = place_of(key, config);
	const char *text;
	uint64_t bytes;

	if (quantity_size(value, &bytes, &text) != STATUS_OK)
		return key_refuse(why, text);
	if (bytes < (uint64_t)key->least || bytes > (uint64_t)key->most) {
		snprintf(why, CONFIG_KEY_WHY_BYTES,
		    "a size out of range, want %lld to %lld bytes",
		    (long long)key->least, (long long)key->most);
		return STATUS_MALFORMED;
	}
	*place = bytes;
	return STATUS_OK;
}

enum status
config_key_set(const struct config_key *key, struct config *config,
    const char *directory, const char *value, char why[CONFIG_KEY_WHY_BYTES])
{
	const char *fault = key->fault != NULL ? key->fault(value) : NULL;
	enum status status = STATUS_OK;

	if (fault != NULL)
		return key_refuse(why, fault);
	switch (key->kind) {
	case CONFIG_TEXT:
	case CONFIG_PATH:
	case CONFIG_PLACE:
		return text_set(key, config, directory, value);
	case CONFIG_CHOICE:
		return choice_set(key, config, value, why);
	case CONFIG_COUNT:
		return count_set(key, config, value, why);
	case CONFIG_DURATION:
		return duration_set(key, config, value, why);
	case CONFIG_SIZE:
		return size_set(key, config, value, why);
	case CONFIG_BOOL:
		status = quantity_bool(value, place_of(key, config), &fault);
		break;
	case CONFIG_PERCENT:
		status = quantity_percent(value, place_of(key, config), &fault);
		break;
	case CONFIG_TIME:
		status = utc_from_iso(value, place_of(key, config));
		fault = "not a time like 2026-01-01T00:00:00Z";
		break;
	}
	return status == STATUS_OK ? STATUS_OK : key_refuse(why, fault);
}

static bool
kind_is_text(enum config_kind kind)
{
	return kind == CONFIG_TEXT || kind == CONFIG_PATH ||
	       kind == CONFIG_PLACE;
}

bool
config_key_has(const struct config_key *key, const struct config *config)
{
	char *const *place = place_read(key, config);

	if (!config_key_applies(key, config))
		return false;
	if (kind_is_text(key->kind))
		return *place != NULL;
	return !key->expiry || config->shards.scheme == SHARD_EXPIRY;
}

/* Quoted where NCONF would otherwise change it. */
static void
text_print(const char *text, FILE *stream)
{
	size_t len = strlen(text);

	if (strpbrk(text, "#\"'`\\$") == NULL && len > 0 && text[0] != ' ' &&
	    text[len - 1] != ' ') {
		fputs(text, stream);
		return;
	}
	fputc('"', stream);
	for (; *text != '\0'; text++) {
		if (*text == '"' || *text == '\\')
			fputc('\\', stream);
		fputc(*text, stream);
	}
	fputc('"', stream);
}

static void
size_print(uint64_t bytes, FILE *stream)
{
	static const char letters[] = "kMG";
	size_t i = 0;

	while (i < sizeof(letters) - 1 && bytes != 0 && bytes % 1024 == 0) {
		bytes /= 1024;
		i++;
	}
	fprintf(stream, "%llu", (unsigned long long)bytes);
	if (i > 0)
		fputc(letters[i - 1], stream);
}

void
config_key_print(
    const struct config_key *key, const struct config *config, FILE *stream)
{
	const void *place = place_read(key, config);
	char duration[QUANTITY_DURATION_BYTES];
	char iso[UTC_ISO_BYTES];
	unsigned choice;

	switch (key->kind) {
	case CONFIG_TEXT:
	case CONFIG_PATH:
	case CONFIG_PLACE:
		text_print(*(char *const *)place, stream);
		break;
	case CONFIG_CHOICE:
		memcpy(&choice, place, sizeof(choice));
		fputs(key->choice(choice), stream);
		break;
	case CONFIG_BOOL:
		fputs(*(const bool *)place ? "yes" : "no", stream);
		break;
	case CONFIG_COUNT:
		fprintf(stream, "%u", (unsigned)*(const uint32_t *)place);
		break;
	case CONFIG_PERCENT:
		fprintf(stream, "%u%%", (unsigned)*(const uint32_t *)place);
		break;
	case CONFIG_DURATION:
		fputs(quantity_duration_text(*(const int64_t *)place, duration),
		    stream);
		break;
	case CONFIG_TIME:
		fputs(utc_to_iso(*(const int64_t *)place, iso), stream);
		break;
	case CONFIG_SIZE:
		size_print(*(const uint64_t *)place, stream);
		break;
	}
}

void
config_key_free_all(struct config *config)
{
	size_t i;

	for (i = 0; i < KEYS; i++) {
		char **place = place_of(&keys[i], config);

		if (kind_is_text(keys[i].kind)) {
			free(*place);
			*place = NULL;
		}
	}
}

/* Names of one section's keys, for name_nearest. */
static const char *
key_next(const void *context, unsigned long i)
{
	const char *section = context;
	size_t k;

	for (k = 0; k < KEYS; k++) {
		if (strcmp(keys[k].section, section) == 0 && i-- == 0)
			return keys[k].name;
	}
	return NULL;
}

/* Names of sections; one may come more than once. */
static const char *
section_next(const void *context, unsigned long i)
{
	(void)context;
	return i < KEYS ? keys[i].section : NULL;
}

const char *
config_key_nearest(const char *section, const char *name)
{
	return name_nearest(name, key_next, section);
}

const char *
config_section_nearest(const char *name)
{
	return name_nearest(name, section_next, NULL);
}

const char *
config_key_elsewhere(const char *name)
{
	size_t i;

	for (i = 0; i < KEYS; i++) {
		if (strcmp(keys[i].name, name) == 0)
			return keys[i].section;
	}
	return NULL;
}
