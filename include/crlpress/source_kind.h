/* SPDX-License-Identifier: ISC */
/*
 * What rows can come from: a database, or a file that another program keeps,
 * as [source] source of the configuration names it: "crl:PATH", "crl:URL" or
 * "index:PATH". Pure; no library.
 */
#ifndef CRLPRESS_SOURCE_KIND_H
#define CRLPRESS_SOURCE_KIND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "crlpress/status.h"
#include "crlpress/uint160.h"

enum source_kind {
	SOURCE_DATABASE, /* PostgreSQL: what there is without the key */
	SOURCE_CRL,      /* a complete CRL that the CA publishes */
	SOURCE_INDEX,    /* index.txt, the database of `openssl ca` */
	SOURCE_KIND_COUNT
};

/* "database", "crl", "index"; static text. */
const char *source_kind_name(enum source_kind kind);

/* The kind that this word of `len` octets is; false: none. */
bool source_kind_from_name(
    const char *word, size_t len, enum source_kind *kind);

/*
 * What the text of the key names: its kind, and in `*place` the path or URL,
 * inside of the text. A path may be written as file:///PATH. NULL is a
 * database, and so is what source_kind_fault refuses.
 */
enum source_kind source_kind_of(const char *text, const char **place);

/* What is wrong with the text of the key: static text; NULL: nothing. */
const char *source_kind_fault(const char *text);

/* Whether a place of a CRL is to be fetched. */
bool source_place_is_url(const char *place);

/*
 * Which edition of a file was read, in place of a position of a database;
 * neither of the two goes back as time goes on.
 */
struct source_edition {
	/* Its crlNumber, 0 without; of an index how many certificates. */
	struct uint160 number;
	/* Its thisUpdate; of an index the latest revocation, or UTC_MIN_SEC. */
	int64_t sec;
};

/* PostgreSQL's system identifier as text: decimal. */
#define SOURCE_SYSTEM_BYTES 24

/* What rows were read from and how far that was, as lists remember it: the
 * position of a database, the edition of a file, or neither. */
struct source_origin {
	bool has_position;
	char system_identifier[SOURCE_SYSTEM_BYTES];
	uint32_t timeline;
	uint64_t wal_position;
	bool has_edition;
	enum source_kind kind;
	struct source_edition edition;
};

#endif
