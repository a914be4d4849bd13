/* SPDX-License-Identifier: ISC */
/* What a configuration says of its source, as source.h wants it, and what it
 * may say where that is no database. */
#include "crlpress/config.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "crlpress/config_check.h"
#include "crlpress/config_key.h"
#include "crlpress/config_value.h"

#define OFFSET(member) offsetof(struct config, member)

const char *
config_statement_name(const char *query_file)
{
	return query_file != NULL ? query_file : "native statement";
}

struct source_points
config_points(const struct config *config, struct crl_view issuer)
{
	return (struct source_points){
	    .url_pattern = config->url_pattern,
	    .shard_first = config->shards.first,
	    .shard_count = config->shards.count,
	    .issuer = issuer,
	};
}

const char *
config_source_fault(const char *value)
{
	const char *fault = source_kind_fault(value);
	const char *place;

	if (fault != NULL)
		return fault;
	(void)source_kind_of(value, &place);
	return source_place_is_url(place) ? config_url_fault(place) : NULL;
}

enum source_kind
config_source_kind(const struct config *config)
{
	const char *place;

	return source_kind_of(config->source, &place);
}

const char *
config_source_place(const struct config *config)
{
	const char *place;

	(void)source_kind_of(config->source, &place);
	return place;
}

/* By whom the CRL of the source is signed. */
static const char *
crl_certificate(const struct config *config)
{
	return config->crl_issuer != NULL ? config->crl_issuer
					  : config->certificate;
}

struct source_config
config_source(const struct config *config, const struct source_points *points)
{
	const char *place;
	enum source_kind kind = source_kind_of(config->source, &place);

	return (struct source_config){
	    .kind = kind,
	    .place = place,
	    .certificate = crl_certificate(config),
	    .ca_file = config->crl_ca_file,
	    .fetch_timeout_sec = config->fetch_timeout_sec,
	    .size_most = config->source_size_most,
	    .conninfo = config->conninfo,
	    .file = config->path,
	    .absent_hint =
		config->query_file == NULL ? CONFIG_NATIVE_HINT : NULL,
	    .sql = config->sql,
	    .sql_name = config_statement_name(config->query_file),
	    /* A statement without :'issuer' needs none. */
	    .issuer_id = config->issuer_id != NULL ? config->issuer_id : "",
	    .encoding = config->encoding,
	    .points = config->shards.scheme == SHARD_CDP ? points : NULL,
	    .connect_timeout_sec = config->connect_timeout_sec,
	    .statement_timeout_sec = config->statement_timeout_sec,
	};
}

enum status
config_source_derive(struct config *config, const char *directory)
{
	enum source_kind kind;
	const char *place;
	char *text;

	kind = source_kind_of(config->source, &place);
	if (kind == SOURCE_DATABASE || place[0] == '/' ||
	    source_place_is_url(place))
		return STATUS_OK;
	if (asprintf(&text, "%s:%s/%s", source_kind_name(kind), directory,
		place) == -1)
		return STATUS_NO_MEMORY;
	free(config->source);
	config->source = text;
	return STATUS_OK;
}

bool
config_source_applies(size_t offset, const struct config *config)
{
	const enum source_kind kind = config_source_kind(config);

	switch (offset) {
	case OFFSET(source):
		return true;
	case OFFSET(crl_issuer):
	case OFFSET(crl_ca_file):
	case OFFSET(fetch_timeout_sec):
		return kind == SOURCE_CRL;
	case OFFSET(source_size_most):
		return kind != SOURCE_DATABASE;
	case OFFSET(lookback_sec):
		return kind != SOURCE_CRL;
	case OFFSET(connect_timeout_sec):
		return kind != SOURCE_INDEX;
	default:
		return kind == SOURCE_DATABASE;
	}
}

/* What a kind of sources does not have. */
static enum status
keys_check(const struct config_draft *draft)
{
	const struct config *config = draft->config;
	enum source_kind kind = config_source_kind(config);
	enum status status = STATUS_OK;
	const struct config_key *key;

	for (size_t i = 0; (key = config_key(i)) != NULL; i++)
		if (strcmp(key->section, "source") == 0 &&
		    draft->place[i].line != 0 &&
		    !config_key_applies(key, config))
			status = config_draft_fault(draft, key->offset, NULL,
			    "a source that is %s has no such thing",
			    kind == SOURCE_DATABASE ? "a database"
			    : kind == SOURCE_CRL    ? "a CRL"
						    : "an index");
	return status;
}

/* What a row of a file tells besides its serial decides its shard, or not. */
static enum status
scheme_check(const struct config_draft *draft, enum source_kind kind)
{
	switch (draft->config->shards.scheme) {
	case SHARD_COLUMN:
		return config_draft_fault(draft, OFFSET(shards.scheme), NULL,
		    "a file has no column that says the shard, have column, "
		    "want serial-mod");
	case SHARD_CDP:
		return config_draft_fault(draft, OFFSET(shards.scheme), NULL,
		    "a file has no certificates, have cdp, want serial-mod");
	case SHARD_EXPIRY:
		if (kind != SOURCE_CRL)
			return STATUS_OK;
		return config_draft_fault(draft, OFFSET(shards.scheme), NULL,
		    "a CRL does not tell when certificates expire, have "
		    "expiry, want serial-mod");
	case SHARD_SERIAL_MOD:
		break;
	}
	return STATUS_OK;
}

/* Whether the file has a value of this key that was not refused. */
static bool
is_bad(const struct config_draft *draft, size_t offset)
{
	return config_place(draft, offset)->bad;
}

enum status
config_source_check(const struct config_draft *draft)
{
	const struct config *config = draft->config;
	enum source_kind kind = config_source_kind(config);
	enum status status;

	if (is_bad(draft, OFFSET(source)))
		return STATUS_OK;
	status = keys_check(draft);
	if (kind == SOURCE_DATABASE)
		return status;
	if (!is_bad(draft, OFFSET(shards.scheme)) &&
	    scheme_check(draft, kind) != STATUS_OK)
		status = STATUS_CONFIG;
	if (config->ocsp_query_file != NULL)
		status =
		    config_draft_fault(draft, OFFSET(ocsp_query_file), NULL,
			"ocsp-gate asks a database, and the source is a "
			"file");
	return status;
}
