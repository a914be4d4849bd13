/* SPDX-License-Identifier: ISC */
/* database_message.c: what libpq and the server say. Pure; no library. */
#ifndef CRLPRESS_DATABASE_IMPL_H
#define CRLPRESS_DATABASE_IMPL_H

#include <stdbool.h>

/* Where a password may stand. */
#define DATABASE_PASSWORD_HINT                                       \
	"the password belongs in libpq's passfile (~/.pgpass, mode " \
	"0600) or service file"

/* The name of a parameter of libpq; it has none that is nearly as long. */
#define DATABASE_OPTION_BYTES 48

/* A message of libpq or of the server, on one line. */
#define DATABASE_MESSAGE_BYTES 1024

/* libpq's lines and tabs as one line; `text` may be NULL. */
const char *database_message(
    const char *text, char out[DATABASE_MESSAGE_BYTES]);
/* The line of `sql` at the server's `position`, in characters from 1. */
unsigned database_message_line(const char *sql, const char *position);
/* What to do about an error, by its SQLSTATE; NULL: nothing to add. */
const char *database_message_remedy(const char *sqlstate);

/*
 * The parameter of a connection string that libpq's message on it is about:
 * the first word there in quotes, when it has a value in the string. Of what
 * else is quoted any could be a secret. False: none.
 */
bool database_message_option(
    const char *conninfo, const char *error, char name[DATABASE_OPTION_BYTES]);
/*
 * What to do about a connection that failed with these words of the server or
 * of libpq; NULL: nothing to add.
 */
const char *database_message_connect_remedy(const char *text);

#endif
