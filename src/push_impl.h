/* SPDX-License-Identifier: ISC */
/* Certificates that a push is asked for (push_certificate.c). */
#ifndef CRLPRESS_PUSH_IMPL_H
#define CRLPRESS_PUSH_IMPL_H

#include "crlpress/certificate_read.h"
#include "crlpress/config.h"
#include "crlpress/issuer.h"
#include "crlpress/report.h"
#include "crlpress/status.h"

struct push_certificate {
	const char *path;
	char *text;   /* of the file */
	uint8_t *der; /* NULL: the text itself is it */
	struct certificate certificate;
};

/* Reads the one certificate, PEM or DER, in a file. Faults are reported. */
enum status push_certificate_read(const char *path, struct report *report,
    struct push_certificate *certificate) MUST_CHECK;
void push_certificate_free(struct push_certificate *certificate);

/* Whether it names this issuer as its own: Name and key identifier. */
bool push_certificate_is_of(const struct push_certificate *certificate,
    const struct issuer_facts *issuer);

/*
 * The configured shard whose URL stands in it, byte for byte, and which the
 * scheme gives, where it can be told from a certificate. Faults are reported.
 */
enum status push_certificate_shard(const struct push_certificate *certificate,
    const struct config *config, struct report *report,
    uint32_t *shard) MUST_CHECK;

#endif
