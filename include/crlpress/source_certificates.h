/* SPDX-License-Identifier: ISC */
/*
 * How many certificates are valid, revoked or not: what a CA would have to list
 * if it had to revoke all of them. The statement yields two columns:
 *   shard         smallint, integer or bigint; NULL: spread over all shards
 *   certificates  the same, never NULL
 * and may name :'issuer', and :'lookback' for the time now.
 */
#ifndef CRLPRESS_SOURCE_CERTIFICATES_H
#define CRLPRESS_SOURCE_CERTIFICATES_H

#include <stdbool.h>
#include <stdint.h>

#include "crlpress/source.h"
#include "crlpress/status.h"

/*
 * Asks it, in the snapshot of the source and not while rows are being read;
 * it becomes the statement that would be started next. `take` gets every row,
 * and `has_shard`. Any other column is a fault, reported, and so is a count
 * below zero.
 */
enum status source_certificates_ask(struct source *source,
    const struct source_statement *statement, int64_t now_sec,
    enum status (*take)(
	void *context, bool has_shard, int64_t shard, uint64_t certificates),
    void *context) MUST_CHECK;

#endif
