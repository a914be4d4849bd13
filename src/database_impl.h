/* SPDX-License-Identifier: ISC */
/* database_message.c: what libpq and the server say. Pure; no library. */
#ifndef CRLPRESS_DATABASE_IMPL_H
#define CRLPRESS_DATABASE_IMPL_H

/* A message of libpq or of the server, on one line. */
#define DATABASE_MESSAGE_BYTES 1024

/* libpq's lines and tabs as one line; `text` may be NULL. */
const char *database_message(
    const char *text, char out[DATABASE_MESSAGE_BYTES]);
/* The line of `sql` at the server's `position`, in characters from 1. */
unsigned database_message_line(const char *sql, const char *position);
/* What to do about an error, by its SQLSTATE; NULL: nothing to add. */
const char *database_message_remedy(const char *sqlstate);

#endif
