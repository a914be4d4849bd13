/* SPDX-License-Identifier: ISC */
/*
 * The scheme `cdp`: the row brings its certificate, and the CRL distribution
 * point in that names the shard (RFC 5280, 4.2.1.13), byte for byte. Pure; no
 * library.
 */
#ifndef CRLPRESS_SOURCE_CERTIFICATE_H
#define CRLPRESS_SOURCE_CERTIFICATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "crlpress/crl_read.h"
#include "crlpress/source.h"
#include "crlpress/status.h"

/* Which URLs are shards' ones. */
struct source_points {
	const char *url_pattern;
	uint32_t shard_first;
	uint32_t shard_count;
	struct crl_view issuer; /* DER Name; empty: not looked at */
};

/*
 * The shard that a certificate names, as the row's hint; the certificate is
 * that of the row: its serial and notAfter are. NULL, or in static text why it
 * cannot be told. `pem` is text, else DER; `buffer` has room for `room` octets,
 * and is used for what PEM decodes to.
 */
const char *source_certificate_place(const struct source_points *points,
    bool pem, const uint8_t *bytes, size_t len, uint8_t *buffer, size_t room,
    struct source_row *row);

#endif
