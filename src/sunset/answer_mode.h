/* SPDX-License-Identifier: ISC */
/*
 * How a request is answered: the modes that a configuration can name, and two
 * that are only counted. The names are those of the configuration, the counts
 * file and the metrics. Pure; no library.
 */
#ifndef CRLPRESS_ANSWER_MODE_H
#define CRLPRESS_ANSWER_MODE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "crlpress/status.h"

enum answer_mode {
	ANSWER_UNAUTHORIZED, /* 200, RFC 6960 4.2.1: unauthorized (6) */
	ANSWER_TRYLATER,     /* 200, tryLater (3) */
	ANSWER_INTERNAL,     /* 200, internalError (2) */
	ANSWER_GONE,         /* HTTP 410 */
	ANSWER_NOT_FOUND,    /* HTTP 404 */
	ANSWER_UNAVAILABLE,  /* HTTP 503 with Retry-After */
	ANSWER_CLOSE,        /* the connection is closed without an answer */
	ANSWER_MALFORMED,    /* not to be configured: any HTTP 4xx and 5xx for a
			      * request that is wrong in itself */
	ANSWER_HEALTH,       /* not to be configured: GET / */
	ANSWER_MODES
};

/* "unauthorized", "trylater", "internalerror", "410", "404", "503", "close",
 * "malformed", "health". Never NULL. */
const char *answer_mode_name(enum answer_mode mode);

/* STATUS_NOT_FOUND when there is no such name, `*mode` unchanged. */
enum status answer_mode_from_name(
    const char *name, size_t len, enum answer_mode *mode) MUST_CHECK;

/* Whether a configuration may name it. */
bool answer_mode_configurable(enum answer_mode mode);

/* An OCSP error response: 30 03 0A 01 xx, unsigned. */
#define ANSWER_DER_BYTES 5

/* The bytes of the OCSP error response, or NULL where the mode has none. */
const uint8_t *answer_mode_der(enum answer_mode mode);

#endif
