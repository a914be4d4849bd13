/* SPDX-License-Identifier: ISC */
/*
 * The field "JSON Array of Partitioned CRLs" of the CCADB: a JSON array of
 * strings (RFC 8259), each the URL of one shard, compared byte for byte with
 * what stands in the CRL (CCADB Policy 6.2). Pure; no library.
 */
#ifndef CRLPRESS_CCADB_H
#define CRLPRESS_CCADB_H

#include <stddef.h>

#include "crlpress/shard.h"
#include "crlpress/status.h"

/* One issuer's URLs, and room for blanks and escapes. */
#define CCADB_BYTES_MOST ((size_t)64 * 1024 * 1024)

/* An issuer has no more shards. */
#define CCADB_URLS_MOST SHARD_COUNT_MOST

struct ccadb_urls {
	char **url; /* in the order of the array */
	size_t count;
};

/*
 * Reads an array strictly. STATUS_MALFORMED with the offset and static `*why`,
 * or STATUS_NO_MEMORY; then there is nothing to free. Zero-initialise `*urls`.
 */
enum status ccadb_parse(const char *text, size_t len, struct ccadb_urls *urls,
    size_t *offset, const char **why) MUST_CHECK;
void ccadb_free(struct ccadb_urls *urls);

/*
 * A URL as RFC 3986, 6.2.2 and 6.2.3 would write it, malloc'd: two that differ
 * but are alike here name the same thing, and are different URLs to whoever
 * compares bytes. NULL when memory ran out.
 */
char *ccadb_url_normal(const char *url);

#endif
