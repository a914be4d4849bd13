/* SPDX-License-Identifier: ISC */
/*
 * The table of the keys of ocsp-sunset's configuration: one row gives a key
 * its sections, kind, place, limits, default and help.
 */
#ifndef CRLPRESS_SUNSET_KEY_H
#define CRLPRESS_SUNSET_KEY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "crlpress/status.h"

#include "sunset_config.h"

/* Sections, as bits: a key may stand in several. */
enum sunset_section {
	SUNSET_SERVER = 1,
	SUNSET_HOST = 2,
	SUNSET_ISSUER = 4,
	SUNSET_REPORT = 8
};

enum sunset_kind {
	SUNSET_COUNT,      /* uint32_t */
	SUNSET_DURATION,   /* int64_t seconds */
	SUNSET_TIME,       /* a bool, which says that it is given, and ... */
	SUNSET_TEXT,       /* char *; NULL: not given */
	SUNSET_ADDRESS,    /* struct sunset_address */
	SUNSET_LISTEN,     /* any number of them */
	SUNSET_OVERRIDDEN, /* bool, by SUNSET_OVERRIDE */
	SUNSET_FLAG,       /* bool: yes or no */
	/* Of a section's rule or issuer; no offset. */
	SUNSET_MODE,
	SUNSET_PHASE,
	SUNSET_KEY_HASH
};

struct sunset_key {
	unsigned sections;
	const char *name;
	enum sunset_kind kind;
	size_t offset;        /* in struct sunset_config */
	size_t offset_value;  /* of a time's seconds */
	const char *standard; /* default; NULL: none */
	int64_t least;
	int64_t most;
	const char *help;
};

/* What a section's line is about; NULL where there is none. */
struct sunset_place {
	enum sunset_section section;
	struct sunset_config *config;
	struct sunset_rule *rule;
	struct sunset_issuer *issuer;
};

#define SUNSET_KEYS_MOST 32

/* Key `i`; NULL past the last. */
const struct sunset_key *sunset_key(size_t i);

/* Its index, or -1 when the section has no such key. */
int sunset_key_find(enum sunset_section section, const char *name);

/* Whether the key may stand in a section more than once. */
bool sunset_key_repeats(const struct sunset_key *key);

/*
 * Reads a value into its place. STATUS_MALFORMED with `why` filled in, which
 * does not name the key, or STATUS_NO_MEMORY.
 */
#define SUNSET_WHY_BYTES 192
enum status sunset_key_set(const struct sunset_key *key,
    const struct sunset_place *place, const char *value,
    char why[SUNSET_WHY_BYTES]) MUST_CHECK;

/* "[server]" without its name's part: "server". */
const char *sunset_section_name(enum sunset_section section);

/* The nearest of the section's keys, or NULL when none is near. */
const char *sunset_key_nearest(enum sunset_section section, const char *name);

/* "192.0.2.1:80", "[2001:db8::1]:80"; the port may be 0. */
enum status sunset_address_parse(const char *text,
    struct sunset_address *address, const char **why) MUST_CHECK;
#define SUNSET_ADDRESS_BYTES 64
char *sunset_address_text(
    const struct sunset_address *address, char out[SUNSET_ADDRESS_BYTES]);

/* "2026-12-01 mode = trylater share = 10% window = 02:00-04:00" */
enum status sunset_phase_parse(
    const char *text, struct sunset_phase *phase, const char **why) MUST_CHECK;
void sunset_phase_print(const struct sunset_phase *phase, FILE *stream);

/* "2026-12-01T06:00:00Z" or, for midnight, "2026-12-01". */
enum status sunset_time_parse(const char *text, int64_t *sec) MUST_CHECK;

#endif
