/* SPDX-License-Identifier: ISC */
/*
 * Which name somebody meant who wrote another one: keys of a configuration,
 * options, commands. Pure.
 */
#ifndef CRLPRESS_NAME_NEAREST_H
#define CRLPRESS_NAME_NEAREST_H

#include <stddef.h>

/* Names that are known have fewer bytes; a longer one is never meant. */
#define NAME_NEAREST_BYTES 64

/* Levenshtein's distance: a transposition counts as two. NAME_NEAREST_BYTES
 * where `known` is longer than names are. */
size_t name_distance(const char *name, const char *known);

/*
 * The name of the list nearest to `name` by edit distance, or NULL when none
 * is near enough to be meant. `next` yields the names, NULL past the last.
 */
const char *name_nearest(const char *name,
    const char *(*next)(const void *context, unsigned long i),
    const void *context);

#endif
