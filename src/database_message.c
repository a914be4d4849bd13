/* SPDX-License-Identifier: ISC */
/* What libpq and the server say, made fit for one line of a report. */
#include <stddef.h>
#include <stdio.h>
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
    {"42P01", "is it the right database, and the schema in the statement or "
	      "the role's search_path?"},
    {"3F000", "is it the right database?"},
    {"55P03", "something holds the table in ACCESS EXCLUSIVE mode: a rewrite "
	      "or a migration"},
    {"57014", "raise statement_timeout, or see why the statement takes so "
	      "long"},
};

/*
 * The same of a connect, whose SQLSTATE libpq keeps to itself: by PostgreSQL's
 * own words for it. A server that speaks another language is left without.
 */
struct words {
	const char *first;
	const char *then; /* after it */
	const char *hint;
};

static const struct words connect_words[] = {
    /* 28P01 */
    {"password authentication failed", "", DATABASE_PASSWORD_HINT},
    /* 28000 */
    {"no pg_hba.conf entry", "",
	"pg_hba.conf of the server says who may connect, from where and how"},
    {"authentication failed", "",
	"pg_hba.conf of the server says who may connect, from where and how; "
	"`user` names the role, else it is called as the system's user"},
    {"role \"", "\" does not exist",
	"`user` names the role, else it is called as the system's user"},
    /* 3D000 */
    {"database \"", "\" does not exist",
	"`dbname` names the database, else it is called as the role"},
    /* 42501 */
    {"permission denied for database", "",
	"GRANT CONNECT ON DATABASE to the role"},
    /* 57P03 */
    {"the database system is", "",
	"the server starts up or shuts down: run it again when it is ready"},
    /* 53300 */
    {"too many c", "",
	"its max_connections, or the role's CONNECTION LIMIT, is used up"},
    {"remaining connection slots", "",
	"its max_connections, or the role's CONNECTION LIMIT, is used up"},
    /* libpq's */
    {"definition of service", "not found",
	"services stand in ~/.pg_service.conf, in the file that PGSERVICEFILE "
	"names, or in the system's pg_service.conf"},
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

bool
database_message_option(
    const char *conninfo, const char *error, char name[DATABASE_OPTION_BYTES])
{
	const char *quote = error != NULL ? strchr(error, '"') : NULL;
	size_t len = 0;

	if (quote != NULL)
		len = strspn(quote + 1, "abcdefghijklmnopqrstuvwxyz_");
	if (len < 2 || len >= DATABASE_OPTION_BYTES || quote[1 + len] != '"')
		return false;
	(void)snprintf(
	    name, DATABASE_OPTION_BYTES, "%.*s", (int)len, quote + 1);
	while ((conninfo = strstr(conninfo, name)) != NULL) {
		conninfo += len;
		if (conninfo[strspn(conninfo, " \t")] == '=')
			return true;
	}
	return false;
}

const char *
database_message_connect_remedy(const char *text)
{
	size_t count = sizeof(connect_words) / sizeof(connect_words[0]);

	for (size_t i = 0; text != NULL && i < count; i++) {
		const char *at = strstr(text, connect_words[i].first);

		if (at != NULL && strstr(at, connect_words[i].then) != NULL)
			return connect_words[i].hint;
	}
	return NULL;
}
