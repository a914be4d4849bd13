/* SPDX-License-Identifier: ISC */
/* What libpq and the server say, made fit for one line of a report. */
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "database_impl.h"

/* What to do about an error whose message does not say it. */
struct remedy {
	const char *sqlstate;
	const char *hint;
};

static const struct remedy remedies[] = {
    {"40001", "a standby gave up the query for replay: read from the primary, "
	      "or set hot_standby_feedback or max_standby_streaming_delay"},
    {"42501", "the role needs USAGE on the schema and SELECT on what the "
	      "statement reads, without row-level security"},
    {"42703", "the statement does not match the tables of this database"},
    {"42P01", "is it the right database (sharding-config/native.sql makes the "
	      "native table), and the schema in the statement or the role's "
	      "search_path?"},
    {"3F000", "is it the right database?"},
    {"55P03", "something holds the table in ACCESS EXCLUSIVE mode: a rewrite "
	      "or a migration"},
    {"57014", "raise statement_timeout, or see why the statement takes so "
	      "long"},
};

const char *
database_message(const char *text, char out[DATABASE_MESSAGE_BYTES])
{
	size_t n = 0;

	for (; text != NULL && *text != '\0' && n + 1 < DATABASE_MESSAGE_BYTES;
	     text++) {
		if (*text != '\n' && *text != '\t' && *text != '\r')
			out[n++] = *text;
		else if (n > 0 && out[n - 1] != ' ')
			out[n++] = ' ';
	}
	while (n > 0 && out[n - 1] == ' ')
		n--;
	out[n] = '\0';
	return n > 0 ? out : "no reason given";
}

unsigned
database_message_line(const char *sql, const char *position)
{
	unsigned long left = strtoul(position, NULL, 10);
	unsigned line = 1;

	for (; *sql != '\0' && left > 1; sql++) {
		if (*sql == '\n')
			line++;
		/* UTF-8: an octet that continues is no character. */
		if (((unsigned char)sql[1] & 0xc0) != 0x80)
			left--;
	}
	return line;
}

const char *
database_message_remedy(const char *sqlstate)
{
	for (size_t i = 0; i < sizeof(remedies) / sizeof(remedies[0]); i++) {
		if (strcmp(sqlstate, remedies[i].sqlstate) == 0)
			return remedies[i].hint;
	}
	return NULL;
}
