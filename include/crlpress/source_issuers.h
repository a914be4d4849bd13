/* SPDX-License-Identifier: ISC */
/*
 * Which issuers a database knows, asked by a statement of whoever knows its
 * tables. It yields three columns: what :'issuer' stands for in the statement
 * for the rows, how many revoked rows there are of it, and whether it is the
 * issuer of a certificate, NULL when that cannot be told. It may have one
 * parameter, $1: a JSON object with what is known of the certificate.
 */
#ifndef CRLPRESS_SOURCE_ISSUERS_H
#define CRLPRESS_SOURCE_ISSUERS_H

#include "crlpress/config_file.h"
#include "crlpress/source.h"

/* What is more is left out: it is for a person to choose from. */
#define SOURCE_ISSUERS_MOST 32

/* One more than a configuration takes, so that none is cut to fit. */
#define SOURCE_ISSUER_ID_BYTES (CONFIG_VALUE_BYTES_MOST + 2)

struct source_issuer {
	char id[SOURCE_ISSUER_ID_BYTES];
	uint64_t rows;
	bool is_told; /* whether it is the certificate's */
	bool is_it;
};

/* The certificate's first, then by the number of their rows. */
struct source_issuers {
	size_t count;
	bool has_more;
	struct source_issuer issuer[SOURCE_ISSUERS_MOST];
};

/* Asks in the source's snapshot. Faults are reported by the statement's name,
 * which is used as long as the source. `issuers` is large. */
enum status source_issuers(struct source *source, const char *name,
    const char *sql, const char *facts,
    struct source_issuers *issuers) MUST_CHECK;

#endif
