/* SPDX-License-Identifier: ISC */
/* What a configuration says of its source, as source.h wants it. */
#include "crlpress/config.h"

#include <stddef.h>

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

struct source_config
config_source(const struct config *config, const struct source_points *points)
{
	return (struct source_config){
	    .conninfo = config->conninfo,
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
