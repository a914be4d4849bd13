/* SPDX-License-Identifier: ISC */
/*
 * A connection to PostgreSQL: questions and answers, COPY both ways. libpq
 * stays behind database.c.
 *
 * Nothing here waits without a bound, and nothing is tried again. Faults are
 * reported where they are found, by the name of the server or of what was
 * asked; none has a password in it. One statement, one function: nothing here
 * is to be called with text that came from elsewhere, but as a parameter or
 * through database_quote.
 */
#ifndef CRLPRESS_DATABASE_H
#define CRLPRESS_DATABASE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "crlpress/report.h"
#include "crlpress/status.h"

/* PostgreSQL's timestamps count microseconds from 2000. */
#define DATABASE_EPOCH_SEC 946684800LL
#define DATABASE_USEC_PER_SEC 1000000LL

/* Longest name of a database, a column or a type, with its NUL. */
#define DATABASE_NAME_BYTES 512

/* Columns that database_describe tells of. */
#define DATABASE_COLUMNS_MOST 8

/* What is wrong with a connection string. */
#define DATABASE_WHY_BYTES 192

struct database_config {
	const char *conninfo; /* NULL: libpq's environment */
	/* Which key of a configuration it is of, and the file's path, for
	 * faults of the connect; NULL: there is none. */
	const char *key;
	const char *file;
	int64_t connect_timeout_sec; /* 0: none */
	/* How long the server may work on one statement; it is not told so
	 * here, but believed dead some seconds later. 0: a day. */
	int64_t statement_timeout_sec;
	/* What to do where a right is missing; NULL: what a reader does. */
	const char *denied_hint;
	/* And where a table of the schema crlpress is. */
	const char *absent_hint;
	/* Once it is true every wait ends soon, with STATUS_FAILED, and
	 * nothing is said; NULL: there is no such thing. */
	const atomic_bool *stop;
};

/* A statement, and what a fault of it is about. */
struct database_query {
	const char *object;
	const char *rule; /* static text */
	const char *sql;
};

struct database;
struct database_answer;

/*
 * Whether libpq can read it; NULL can be. STATUS_CONFIG with `why` filled in,
 * which has no value of the string in it, and `*hint`, static text or NULL. A
 * service is not looked up, and nobody is connected to.
 */
enum status database_conninfo_check(const char *conninfo,
    char why[DATABASE_WHY_BYTES], const char **hint) MUST_CHECK;

/* Connects. database_close(NULL) is fine. */
enum status database_open(const struct database_config *config,
    struct report *report, struct database **database) MUST_CHECK;
void database_close(struct database *database);

/* Asks the server to give up what it works on, of which nobody reads the rest;
 * before database_close. */
void database_cancel(struct database *database);

/* "database crl at db1:5432". */
const char *database_name(const struct database *database);
struct report *database_report(struct database *database);
/* From now on faults go there; returns where they went. */
struct report *database_report_to(
    struct database *database, struct report *report);

/* 150018 is 15.18. */
int database_server_version(const struct database *database);

/* `text` as an SQL literal, for the caller to free; NULL: reported. */
char *database_quote(struct database *database, const char *text);

/* Commands, one or several, that yield no rows. */
enum status database_execute(
    struct database *database, const struct database_query *query) MUST_CHECK;

/*
 * A query that yields exactly one row; and one with parameters $1 and so on,
 * in text form, that yields any number. database_answer_free(NULL) is fine.
 */
enum status database_ask(struct database *database,
    const struct database_query *query,
    struct database_answer **answer) MUST_CHECK;
enum status database_ask_with(struct database *database,
    const struct database_query *query, const char *const *parameter, int count,
    struct database_answer **answer) MUST_CHECK;
void database_answer_free(struct database_answer *answer);

/* A command with parameters, and how many rows it inserted or changed. */
enum status database_change(struct database *database,
    const struct database_query *query, const char *const *parameter, int count,
    uint64_t *rows) MUST_CHECK;

int database_answer_rows(const struct database_answer *answer);
/*
 * A value of `size` octets as it is on the wire, most significant first.
 * False with *value == 0: NULL, or of another size.
 */
bool database_answer_integer(const struct database_answer *answer, int row,
    int column, int size, uint64_t *value);
/* A text, cut off to `size` with its NUL; "" for NULL. Returns `out`. */
char *database_answer_text(const struct database_answer *answer, int row,
    int column, char *out, size_t size);

/* What a statement would yield. */
struct database_description {
	int columns;
	int parameters;
	/* Of the first columns. */
	uint32_t type_oid[DATABASE_COLUMNS_MOST];
	char name[DATABASE_COLUMNS_MOST][DATABASE_NAME_BYTES];
};

/* Has the server parse a statement, without running it. */
enum status database_describe(struct database *database,
    const struct database_query *query,
    struct database_description *description) MUST_CHECK;

/*
 * COPY ... TO STDOUT (FORMAT binary). _receive puts up to `room` octets, and at
 * least one, where the caller wants them, cutting where it has to; STATUS_DONE
 * when there are no more, and then _end, which has the server's word that the
 * COPY is complete, and its count of rows.
 */
enum status database_copy_out(
    struct database *database, const struct database_query *query) MUST_CHECK;
enum status database_copy_receive(struct database *database, uint8_t *octets,
    size_t room, size_t *count) MUST_CHECK;
enum status database_copy_out_end(struct database *database,
    const struct database_query *query, uint64_t *rows) MUST_CHECK;

/*
 * COPY ... FROM STDIN. After a fault, or for a COPY that is not to be
 * completed, database_close ends it, and the transaction with it.
 */
enum status database_copy_in(
    struct database *database, const struct database_query *query) MUST_CHECK;
enum status database_copy_send(
    struct database *database, const uint8_t *octets, size_t len) MUST_CHECK;
enum status database_copy_in_end(struct database *database,
    const struct database_query *query, uint64_t *rows) MUST_CHECK;

#endif
