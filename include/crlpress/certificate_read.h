/* SPDX-License-Identifier: ISC */
/*
 * What a certificate says about its revocation: its serial, its issuer, how
 * long it is valid, and the URLs of its CRLs (RFC 5280, 4.1 and 4.2.1.13).
 * A walk over the DER that reads these and bounds the rest; nothing is
 * allocated, and views point into the bytes given. Whether the signature is
 * right is not looked at. Pure.
 */
#ifndef CRLPRESS_CERTIFICATE_READ_H
#define CRLPRESS_CERTIFICATE_READ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "crlpress/crl_read.h"
#include "crlpress/status.h"
#include "crlpress/uint160.h"

/* More URLs than this in one certificate are a fault. */
#define CERTIFICATE_URLS_MOST 16

/* A certificate larger than this is none: 64 KiB hold a thousand names. */
#define CERTIFICATE_BYTES_MOST (1024 * 1024)

struct certificate {
	struct crl_view bytes;
	struct crl_view integer; /* content octets of serialNumber */
	bool serial_in_range;    /* positive and below 2^159 */
	struct uint160 serial;   /* when in range */
	struct crl_view issuer;  /* Name with header */
	struct crl_view subject; /* Name with header */
	struct crl_time not_before;
	struct crl_time not_after;
	struct crl_view key_id; /* of authorityKeyIdentifier, or absent */

	/* cRLDistributionPoints: all points together. */
	bool has_points;
	size_t point_count;
	size_t url_count;
	struct crl_view url[CERTIFICATE_URLS_MOST];
	size_t other_name_count; /* GeneralNames that are no URL */
	bool has_relative_name;
	bool has_some_reasons;
	bool has_crl_issuer;
};

/*
 * Parses the one DER certificate in these bytes. STATUS_MALFORMED with
 * `*fault`, whose rule is "certificate" where it is not DER's own.
 */
enum status certificate_parse(const uint8_t *data, size_t len,
    struct certificate *certificate, struct crl_fault *fault) MUST_CHECK;

#endif
