/* SPDX-License-Identifier: ISC */
/*
 * The one file that knows libpq: the connection, questions and answers, COPY.
 * PostgreSQL manual, 34 (libpq) and 55 (Frontend/Backend Protocol).
 *
 * Nothing here waits without a bound: after the connect, which has libpq's
 * own, every wait goes through database_wait.
 */
#include "crlpress/database.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <libpq-fe.h>

#include "crlpress/name_nearest.h"

#include "database_impl.h"

/* A silent server: the time it gives itself, and some to say so. The server
 * without a timeout gets a day. */
#define SILENCE_GRACE_SEC 10
#define SILENCE_SEC_WITHOUT_TIMEOUT 86400

/* How long one poll may last. TLS may hold octets back that poll cannot see,
 * so libpq is asked again after each. */
#define POLL_MSEC 1000
/* Where somebody else may call it off. */
#define POLL_STOP_MSEC 50

/* The server's name and whose connection it is; a path is cut off. */
#define OBJECT_BYTES (DATABASE_NAME_BYTES + 1024)

/* libpq counts what is sent at once in an int. */
#define SEND_BYTES_MOST ((size_t)1 << 20)

struct database {
	PGconn *conn;
	struct report *report;
	struct database_config config;
	int64_t silent_msec; /* since the server last sent something */
	char name[DATABASE_NAME_BYTES];
};

struct database_answer {
	PGresult *result;
};

/* The connection is gone or cannot be used. */
static enum status
connection_fault(struct database *database, const char *rule)
{
	char text[DATABASE_MESSAGE_BYTES];

	return report_fault(database->report, STATUS_IO, database->name, rule,
	    NULL, "%s", database_message(PQerrorMessage(database->conn), text));
}

static void
server_hint(
    struct database *database, const PGresult *result, const char *sqlstate)
{
	const char *hint = PQresultErrorField(result, PG_DIAG_MESSAGE_HINT);
	const char *what = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
	char text[DATABASE_MESSAGE_BYTES];

	if (hint != NULL) {
		report_hint(
		    database->report, "%s", database_message(hint, text));
		return;
	}
	if (strcmp(sqlstate, "42501") == 0)
		hint = database->config.denied_hint;
	else if (strcmp(sqlstate, "42P01") == 0 && what != NULL &&
		 strstr(what, "\"crlpress.") != NULL)
		hint = database->config.absent_hint;
	if (hint == NULL)
		hint = database_message_remedy(sqlstate);
	if (hint != NULL)
		report_hint(database->report, "%s", hint);
}

/* The server's answer is an error, or not what was asked for. */
static enum status
server_fault(struct database *database, const struct database_query *query,
    const PGresult *result)
{
	const char *primary =
	    PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
	const char *position =
	    PQresultErrorField(result, PG_DIAG_STATEMENT_POSITION);
	const char *sqlstate = PQresultErrorField(result, PG_DIAG_SQLSTATE);
	char text[DATABASE_MESSAGE_BYTES];
	char line[32] = "";
	enum status status;

	if (PQresultStatus(result) != PGRES_FATAL_ERROR)
		return report_fault(database->report, STATUS_FAILED,
		    query->object, query->rule, NULL,
		    "unexpected answer of the server: %s",
		    PQresStatus(PQresultStatus(result)));
	if (primary == NULL) /* libpq's own: the connection broke */
		return connection_fault(database, query->rule);
	if (sqlstate == NULL)
		sqlstate = "none";
	if (position != NULL && query->sql != NULL)
		snprintf(line, sizeof(line),
		    "line %u: ", database_message_line(query->sql, position));
	status = report_fault(database->report, STATUS_FAILED, query->object,
	    query->rule, NULL, "%s%s (SQLSTATE %s)", line,
	    database_message(primary, text), sqlstate);
	server_hint(database, result, sqlstate);
	return status;
}

/*
 * Waits a while for the server and takes in what came. A fault when it has
 * been silent, and has taken nothing, for longer than it may work on one
 * statement.
 */
static enum status
database_wait(struct database *database, const char *rule, short events)
{
	int64_t limit_sec = database->config.statement_timeout_sec;
	const atomic_bool *stop = database->config.stop;
	int wait_msec = stop != NULL ? POLL_STOP_MSEC : POLL_MSEC;
	struct pollfd pollfd = {
	    .fd = PQsocket(database->conn), .events = events};
	int n;

	limit_sec = limit_sec > 0 ? limit_sec + SILENCE_GRACE_SEC
				  : SILENCE_SEC_WITHOUT_TIMEOUT;
	if (pollfd.fd < 0)
		return connection_fault(database, rule);
	n = poll(&pollfd, 1, wait_msec);
	if (stop != NULL && atomic_load(stop))
		return STATUS_FAILED;
	if (n < 0 && errno != EINTR)
		return report_fault(database->report, STATUS_IO, database->name,
		    rule, NULL, "poll: %s", strerror(errno));
	database->silent_msec = n == 0 ? database->silent_msec + wait_msec : 0;
	if (database->silent_msec / 1000 > limit_sec)
		return report_fault(database->report, STATUS_IO, database->name,
		    rule, NULL, "the server has been silent for %" PRId64 " s",
		    limit_sec);
	if (PQconsumeInput(database->conn) == 0)
		return connection_fault(database, rule);
	return STATUS_OK;
}

/* The next result, NULL when there is no more. The caller clears it. */
static enum status
result_next(struct database *database, const char *rule, PGresult **result)
{
	enum status status = STATUS_OK;

	*result = NULL;
	database->silent_msec = 0;
	while (status == STATUS_OK && PQisBusy(database->conn))
		status = database_wait(database, rule, POLLIN);
	if (status == STATUS_OK)
		*result = PQgetResult(database->conn);
	return status;
}

/*
 * What else comes after an error, so that another command may be sent; in
 * silence, for the error was told, and not for long.
 */
static void
error_drain(struct database *database, const PGresult *error)
{
	struct pollfd pollfd = {.events = POLLIN};

	if (PQresultStatus(error) != PGRES_FATAL_ERROR)
		return;
	for (int waits = 0; waits < SILENCE_GRACE_SEC;) {
		PGresult *result;

		pollfd.fd = PQsocket(database->conn);
		if (pollfd.fd < 0 || PQstatus(database->conn) != CONNECTION_OK)
			return;
		if (PQisBusy(database->conn)) {
			waits += poll(&pollfd, 1, POLL_MSEC) <= 0;
			if (PQconsumeInput(database->conn) == 0)
				return;
			continue;
		}
		result = PQgetResult(database->conn);
		if (result == NULL)
			return;
		PQclear(result);
	}
}

/*
 * The answer to what was just sent, `sent` being libpq's word on that: all of
 * its results are of the wanted status, and the last is returned for the
 * caller to clear. A COPY goes on, so that its first result is the answer.
 */
static enum status
answer_read(struct database *database, const struct database_query *query,
    int sent, ExecStatusType want, PGresult **answer)
{
	PGresult *result = NULL;
	enum status status;

	*answer = NULL;
	if (sent == 0)
		return connection_fault(database, query->rule);
	for (;;) {
		status = result_next(database, query->rule, &result);
		if (status != STATUS_OK || result == NULL)
			break;
		PQclear(*answer);
		*answer = result;
		if (PQresultStatus(result) != want) {
			status = server_fault(database, query, result);
			error_drain(database, result);
			break;
		}
		if (want == PGRES_COPY_OUT || want == PGRES_COPY_IN)
			return STATUS_OK;
	}
	if (status == STATUS_OK && *answer == NULL)
		status =
		    report_fault(database->report, STATUS_FAILED, query->object,
			query->rule, NULL, "no answer of the server");
	if (status != STATUS_OK) {
		PQclear(*answer);
		*answer = NULL;
	}
	return status;
}

static void
notice_note(void *context, const char *message)
{
	const struct database *database = context;
	char text[DATABASE_MESSAGE_BYTES];

	report_note(database->report, database->name, "%s",
	    database_message(message, text));
}

/* What faults of the server are about. */
static void
connection_name(struct database *database)
{
	const char *db = PQdb(database->conn);
	const char *host = PQhost(database->conn);
	const char *port = PQport(database->conn);

	if (db == NULL || host == NULL || port == NULL)
		return;
	snprintf(database->name, sizeof(database->name), "database %s at %s:%s",
	    db, *host != '\0' ? host : "the local socket", port);
}

/* Names of libpq's parameters, for name_nearest. */
static const char *
option_next(const void *context, unsigned long i)
{
	const PQconninfoOption *options = context;

	/* The last has no name. */
	return options[i].keyword;
}

/* Whether the value of a parameter is a secret. */
static bool
option_is_secret(const PQconninfoOption *options, const char *name)
{
	for (size_t i = 0; options[i].keyword != NULL; i++)
		if (strcmp(options[i].keyword, name) == 0)
			return strcmp(options[i].dispchar, "*") == 0;
	return false;
}

enum status
database_conninfo_check(
    const char *conninfo, char why[DATABASE_WHY_BYTES], const char **hint)
{
	PQconninfoOption *options, *all = NULL;
	char *error = NULL, name[DATABASE_OPTION_BYTES];
	const char *nearest = NULL;

	*hint = NULL;
	/* expand_dbname takes what is neither form for a database's name. */
	if (conninfo == NULL ||
	    (strchr(conninfo, '=') == NULL && strstr(conninfo, "://") == NULL))
		return STATUS_OK;
	options = PQconninfoParse(conninfo, &error);
	if (options != NULL) {
		PQconninfoFree(options);
		return STATUS_OK;
	}
	snprintf(
	    why, DATABASE_WHY_BYTES, "the connection string cannot be parsed");
	if (database_message_option(conninfo, error, name)) {
		all = PQconninfoParse("", NULL);
		if (all != NULL)
			nearest = name_nearest(name, option_next, all);
		snprintf(why, DATABASE_WHY_BYTES,
		    "invalid connection option \"%s\"%s%s%s", name,
		    nearest != NULL ? ", is it to be \"" : "",
		    nearest != NULL ? nearest : "",
		    nearest != NULL ? "\"?" : "");
		if (nearest != NULL && option_is_secret(all, nearest))
			*hint = DATABASE_PASSWORD_HINT;
		PQconninfoFree(all);
	}
	PQfreemem(error);
	return STATUS_CONFIG;
}

/* What faults of the connect are about: whose connection it is, too. */
static const char *
connect_object(const struct database *database, char *object, size_t size)
{
	const struct database_config *config = &database->config;

	if (config->file == NULL)
		return database->name;
	snprintf(object, size, "%s (%s%s%s)", database->name,
	    config->conninfo != NULL ? config->key
				     : "libpq's environment, for ",
	    config->conninfo != NULL ? " of " : "", config->file);
	return object;
}

static enum status
conninfo_refuse(const struct database *database)
{
	char object[OBJECT_BYTES], why[DATABASE_WHY_BYTES];
	const char *hint;

	if (database_conninfo_check(database->config.conninfo, why, &hint) ==
	    STATUS_OK)
		return STATUS_OK;
	(void)report_fault(database->report, STATUS_CONFIG,
	    connect_object(database, object, sizeof(object)), "connect", NULL,
	    "%s", why);
	if (hint != NULL)
		report_hint(database->report, "%s", hint);
	return STATUS_CONFIG;
}

static enum status
connect_fault(const struct database *database)
{
	char object[OBJECT_BYTES], text[DATABASE_MESSAGE_BYTES];
	const char *why = PQerrorMessage(database->conn);
	const char *hint = database_message_connect_remedy(why);

	if (PQconnectionNeedsPassword(database->conn))
		hint = DATABASE_PASSWORD_HINT;
	(void)report_fault(database->report, STATUS_IO,
	    connect_object(database, object, sizeof(object)), "connect", NULL,
	    "%s", database_message(why, text));
	if (hint != NULL)
		report_hint(database->report, "%s", hint);
	return STATUS_IO;
}

/* Later keywords win: the configuration's over ours, ours over what would
 * change the meaning of the statement. */
static enum status
connection_open(struct database *database)
{
	const char *keywords[] = {"fallback_application_name",
	    "connect_timeout", "dbname", "client_encoding", NULL};
	const char *values[] = {
	    "crlpress", NULL, database->config.conninfo, "UTF8", NULL};
	int64_t timeout_sec = database->config.connect_timeout_sec;
	char timeout[24];

	snprintf(timeout, sizeof(timeout), "%" PRId64,
	    timeout_sec < INT_MAX ? timeout_sec : INT_MAX);
	if (timeout_sec > 0)
		values[1] = timeout;
	database->conn = PQconnectdbParams(keywords, values, 1);
	if (database->conn == NULL)
		return report_fault(database->report, STATUS_NO_MEMORY,
		    database->name, "connect", NULL, "out of memory");
	connection_name(database);
	if (PQstatus(database->conn) == CONNECTION_OK) {
		PQsetNoticeProcessor(database->conn, notice_note, database);
		return STATUS_OK;
	}
	return connect_fault(database);
}

const char *
database_name(const struct database *database)
{
	return database->name;
}

struct report *
database_report(struct database *database)
{
	return database->report;
}

struct report *
database_report_to(struct database *database, struct report *report)
{
	struct report *before = database->report;

	database->report = report;
	return before;
}

int
database_server_version(const struct database *database)
{
	return PQserverVersion(database->conn);
}

enum status
database_open(const struct database_config *config, struct report *report,
    struct database **database)
{
	struct database *new = calloc(1, sizeof(*new));
	enum status status;

	*database = NULL;
	if (new == NULL)
		return report_fault(report, STATUS_NO_MEMORY, "database",
		    "connect", NULL, "out of memory");
	new->report = report;
	new->config = *config;
	snprintf(new->name, sizeof(new->name), "database");
	status = conninfo_refuse(new);
	if (status == STATUS_OK)
		status = connection_open(new);
	if (status == STATUS_OK)
		*database = new;
	else
		database_close(new);
	return status;
}

char *
database_quote(struct database *database, const char *text)
{
	char *quoted = PQescapeLiteral(database->conn, text, strlen(text));
	char *copy = quoted != NULL ? strdup(quoted) : NULL;
	char message[DATABASE_MESSAGE_BYTES];

	if (quoted == NULL)
		report_fault(database->report, STATUS_CONFIG, text, "statement",
		    NULL, "%s",
		    database_message(PQerrorMessage(database->conn), message));
	else if (copy == NULL)
		report_fault(database->report, STATUS_NO_MEMORY, text,
		    "statement", NULL, "out of memory");
	PQfreemem(quoted);
	return copy;
}

/* Sends it, and waits until the server says this and nothing more. */
static enum status
query_run(struct database *database, const struct database_query *query,
    ExecStatusType want)
{
	PGresult *result;
	enum status status = answer_read(database, query,
	    PQsendQuery(database->conn, query->sql), want, &result);

	PQclear(result);
	return status;
}

enum status
database_execute(struct database *database, const struct database_query *query)
{
	return query_run(database, query, PGRES_COMMAND_OK);
}

/* The server's own count of the rows of a command. */
static enum status
rows_read(struct database *database, const struct database_query *query,
    PGresult *result, uint64_t *rows)
{
	const char *text = PQcmdTuples(result);
	char *end;

	errno = 0;
	*rows = strtoull(text, &end, 10);
	if (errno == 0 && end != text && *end == '\0')
		return STATUS_OK;
	return report_fault(database->report, STATUS_MALFORMED, query->object,
	    query->rule, NULL, "the server does not count its rows: \"%s\"",
	    PQcmdStatus(result));
}

/* Takes the result over, or clears it. */
static enum status
answer_new(struct database *database, const struct database_query *query,
    PGresult *result, struct database_answer **answer)
{
	*answer = malloc(sizeof(**answer));
	if (*answer == NULL) {
		PQclear(result);
		return report_fault(database->report, STATUS_NO_MEMORY,
		    query->object, query->rule, NULL, "out of memory");
	}
	(*answer)->result = result;
	return STATUS_OK;
}

enum status
database_ask_with(struct database *database, const struct database_query *query,
    const char *const *parameter, int count, struct database_answer **answer)
{
	PGresult *result;
	enum status status = answer_read(database, query,
	    PQsendQueryParams(database->conn, query->sql, count, NULL,
		parameter, NULL, NULL, 1),
	    PGRES_TUPLES_OK, &result);

	*answer = NULL;
	if (status != STATUS_OK)
		return status;
	return answer_new(database, query, result, answer);
}

enum status
database_change(struct database *database, const struct database_query *query,
    const char *const *parameter, int count, uint64_t *rows)
{
	PGresult *result;
	enum status status = answer_read(database, query,
	    PQsendQueryParams(database->conn, query->sql, count, NULL,
		parameter, NULL, NULL, 1),
	    PGRES_COMMAND_OK, &result);

	*rows = 0;
	if (status == STATUS_OK)
		status = rows_read(database, query, result, rows);
	PQclear(result);
	return status;
}

enum status
database_ask(struct database *database, const struct database_query *query,
    struct database_answer **answer)
{
	enum status status =
	    database_ask_with(database, query, NULL, 0, answer);

	if (status != STATUS_OK || database_answer_rows(*answer) == 1)
		return status;
	status = report_fault(database->report, STATUS_FAILED, query->object,
	    query->rule, NULL, "rows of an answer, have %d, want 1",
	    database_answer_rows(*answer));
	database_answer_free(*answer);
	*answer = NULL;
	return status;
}

void
database_answer_free(struct database_answer *answer)
{
	if (answer == NULL)
		return;
	PQclear(answer->result);
	free(answer);
}

int
database_answer_rows(const struct database_answer *answer)
{
	return PQntuples(answer->result);
}

bool
database_answer_integer(const struct database_answer *answer, int row,
    int column, int size, uint64_t *value)
{
	const char *octets = PQgetvalue(answer->result, row, column);

	*value = 0;
	if (PQgetisnull(answer->result, row, column) ||
	    PQgetlength(answer->result, row, column) != size)
		return false;
	for (int i = 0; i < size; i++)
		*value = *value << 8 | (uint8_t)octets[i];
	return true;
}

char *
database_answer_text(const struct database_answer *answer, int row, int column,
    char *out, size_t size)
{
	snprintf(out, size, "%.*s", PQgetlength(answer->result, row, column),
	    PQgetvalue(answer->result, row, column));
	return out;
}

enum status
database_describe(struct database *database, const struct database_query *query,
    struct database_description *description)
{
	PGresult *result;
	enum status status;

	status = answer_read(database, query,
	    PQsendPrepare(database->conn, "", query->sql, 0, NULL),
	    PGRES_COMMAND_OK, &result);
	PQclear(result);
	if (status != STATUS_OK)
		return status;
	status = answer_read(database, query,
	    PQsendDescribePrepared(database->conn, ""), PGRES_COMMAND_OK,
	    &result);
	if (status != STATUS_OK)
		return status;
	description->parameters = PQnparams(result);
	description->columns = PQnfields(result);
	for (int i = 0; i < DATABASE_COLUMNS_MOST && i < description->columns;
	     i++) {
		description->type_oid[i] = PQftype(result, i);
		snprintf(description->name[i], DATABASE_NAME_BYTES, "%s",
		    PQfname(result, i));
	}
	PQclear(result);
	return STATUS_OK;
}

enum status
database_copy_out(struct database *database, const struct database_query *query)
{
	return query_run(database, query, PGRES_COPY_OUT);
}

/*
 * PQgetlineAsync is called obsolete in libpq's manual, and is right here: it
 * is the one call that copies a message to where the caller wants it, where
 * PQgetCopyData mallocs and frees for every row. It takes binary data, counts
 * instead of ending a string, and gives a long message in parts.
 */
enum status
database_copy_receive(
    struct database *database, uint8_t *octets, size_t room, size_t *count)
{
	enum status status;

	*count = 0;
	database->silent_msec = 0;
	for (bool asked = false;; asked = true) {
		int n = PQgetlineAsync(database->conn, (char *)octets,
		    room < INT_MAX ? (int)room : INT_MAX);

		if (n > 0) {
			*count = (size_t)n;
			return STATUS_OK;
		}
		if (n < 0)
			return STATUS_DONE;
		/* Mostly there is something already, and no need to poll. */
		if (asked)
			status = database_wait(database, "copy", POLLIN);
		else if (PQconsumeInput(database->conn) == 0)
			status = connection_fault(database, "copy");
		else
			status = STATUS_OK;
		if (status != STATUS_OK)
			return status;
	}
}

enum status
database_copy_out_end(struct database *database,
    const struct database_query *query, uint64_t *rows)
{
	char *data = NULL;
	PGresult *result = NULL;
	enum status status;

	*rows = 0;
	if (PQgetCopyData(database->conn, &data, 1) >= 0) {
		PQfreemem(data);
		return report_fault(database->report, STATUS_MALFORMED,
		    database->name, query->rule, "binary COPY format",
		    "more data after its end");
	}
	status = answer_read(database, query, 1, PGRES_COMMAND_OK, &result);
	if (status == STATUS_OK)
		status = rows_read(database, query, result, rows);
	PQclear(result);
	return status;
}

enum status
database_copy_in(struct database *database, const struct database_query *query)
{
	enum status status = query_run(database, query, PGRES_COPY_IN);

	/* libpq itself would wait for ever. */
	if (status == STATUS_OK && PQsetnonblocking(database->conn, 1) != 0)
		status = connection_fault(database, query->rule);
	return status;
}

/* Until libpq has nothing left to send. */
static enum status
copy_flush(struct database *database)
{
	enum status status = STATUS_OK;
	int left;

	database->silent_msec = 0;
	while ((left = PQflush(database->conn)) > 0 && status == STATUS_OK)
		status = database_wait(database, "copy", POLLIN | POLLOUT);
	if (left < 0)
		status = connection_fault(database, "copy");
	return status;
}

enum status
database_copy_send(struct database *database, const uint8_t *octets, size_t len)
{
	enum status status = STATUS_OK;

	while (status == STATUS_OK && len > 0) {
		size_t part = len < SEND_BYTES_MOST ? len : SEND_BYTES_MOST;

		if (PQputCopyData(
			database->conn, (const char *)octets, (int)part) != 1)
			return connection_fault(database, "copy");
		status = copy_flush(database);
		octets += part;
		len -= part;
	}
	return status;
}

enum status
database_copy_in_end(struct database *database,
    const struct database_query *query, uint64_t *rows)
{
	PGresult *result = NULL;
	enum status status;

	*rows = 0;
	if (PQputCopyEnd(database->conn, NULL) != 1)
		return connection_fault(database, query->rule);
	status = copy_flush(database);
	if (status == STATUS_OK && PQsetnonblocking(database->conn, 0) != 0)
		status = connection_fault(database, query->rule);
	if (status == STATUS_OK)
		status =
		    answer_read(database, query, 1, PGRES_COMMAND_OK, &result);
	if (status == STATUS_OK)
		status = rows_read(database, query, result, rows);
	PQclear(result);
	return status;
}

/* A statement that yields no rows for long would not notice that nobody is
 * there. Whether the server listens is its own matter. */
void
database_cancel(struct database *database)
{
	char error[256];
	PGcancel *cancel;

	if (PQstatus(database->conn) != CONNECTION_OK)
		return;
	cancel = PQgetCancel(database->conn);
	if (cancel != NULL)
		(void)PQcancel(cancel, error, sizeof(error));
	PQfreeCancel(cancel);
}

void
database_close(struct database *database)
{
	if (database == NULL)
		return;
	PQfinish(database->conn);
	free(database);
}
