/* SPDX-License-Identifier: ISC */
/*
 * The table of configuration keys. One row gives a key its section, kind,
 * place in struct config, default, limits and help; parsing, defaults,
 * printing, `check-config --keys` and the check of crlpress.cnf(5) all read
 * it.
 */
#ifndef CRLPRESS_CONFIG_KEY_H
#define CRLPRESS_CONFIG_KEY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "crlpress/config.h"
#include "crlpress/status.h"

/* A bound of arrays beside the table; config_key.c asserts that it fits. */
#define CONFIG_KEYS_MOST 96

/* A reason why a value is refused, with what is wanted instead. */
#define CONFIG_KEY_WHY_BYTES 256

enum config_kind {
	CONFIG_TEXT,     /* char * */
	CONFIG_PATH,     /* char *, made absolute */
	CONFIG_PLACE,    /* char *, a path made absolute, or a URI */
	CONFIG_CHOICE,   /* an enum */
	CONFIG_BOOL,     /* bool */
	CONFIG_COUNT,    /* uint32_t */
	CONFIG_PERCENT,  /* uint32_t */
	CONFIG_DURATION, /* int64_t seconds */
	CONFIG_TIME,     /* int64_t seconds since 1970 */
	CONFIG_SIZE,     /* uint64_t bytes */
};

struct config_key {
	const char *section;
	const char *name;
	enum config_kind kind;
	size_t offset;        /* in struct config; no two keys have the same */
	const char *standard; /* default, as text of the file; NULL: none */
	const char *note;     /* what stands in its place where there is none:
				 "required", "none", "by profile" */
	bool required;
	bool hidden;   /* what is refused may have a secret in it */
	bool expiry;   /* has a meaning with the scheme expiry only */
	int64_t least; /* counts, durations, sizes */
	int64_t most;
	const char *(*choice)(unsigned value);   /* NULL past the last */
	const char *(*fault)(const char *value); /* static text; NULL: fine */
	const char *help;
};

/* Key `i`; NULL past the last. The keys of a section stand together. */
const struct config_key *config_key(size_t i);

/* Whether it has a meaning with the store and the archive there are. */
bool config_key_applies(
    const struct config_key *key, const struct config *config);

/* config_source.c: the same of the key of [source] with this offset. */
bool config_source_applies(size_t offset, const struct config *config);

/* The key with this offset, which one must have. */
size_t config_key_index(size_t offset);

const struct config_key *config_key_find(const char *section, const char *name);

/*
 * Reads a value into its place; a string there before is freed. Paths are
 * taken to be below `directory`. STATUS_MALFORMED with `why` filled in (it
 * names neither key nor value), or STATUS_NO_MEMORY.
 */
enum status config_key_set(const struct config_key *key, struct config *config,
    const char *directory, const char *value,
    char why[CONFIG_KEY_WHY_BYTES]) MUST_CHECK;

/* Whether there is something to print: a string is not NULL. */
bool config_key_has(const struct config_key *key, const struct config *config);

/* Prints the value so that config_key_set reads the same back. */
void config_key_print(
    const struct config_key *key, const struct config *config, FILE *stream);

/* Frees the strings that keys own. */
void config_key_free_all(struct config *config);

/*
 * The known section, or key of a section, whose name is nearest to this one;
 * NULL when none is near.
 */
const char *config_key_nearest(const char *section, const char *name);
const char *config_section_nearest(const char *name);

/* A section that has a key of this name; NULL: none has. */
const char *config_key_elsewhere(const char *name);

#endif
