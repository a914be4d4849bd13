/* SPDX-License-Identifier: ISC */
/*
 * The one file that knows libpq: the connection, questions and answers, COPY.
 * PostgreSQL manual, 34 (libpq) and 55 (Frontend/Backend Protocol).
 *
 * Nothing here waits without a bound: after the connect, which has libpq's
 * own, every wait goes through source_wait.
 */
#include "crlpress/source.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <libpq-fe.h>

#include "crlpress/source_row.h"
#include "source_impl.h"

/* A silent server: the time it gives itself, and some to say so. The server
 * without a timeout gets a day. */
#define SILENCE_GRACE_SEC 10
#define SILENCE_SEC_WITHOUT_TIMEOUT 86400

/* How long one poll may last. TLS may hold octets back that poll cannot see,
 * so libpq is asked again after each. */
#define POLL_MSEC 1000

enum phase {
	PHASE_OPEN,     /* the snapshot stands */
	PHASE_COPY,     /* rows are coming */
	PHASE_COMPLETE, /* all of them came */
	PHASE_BROKEN    /* a fault was reported */
};

struct source {
	PGconn *conn;
	struct report *report;
	struct source_config config;
	struct source_statement statement;
	struct source_snapshot snapshot;
	struct source_layout layout;
	enum phase phase;
	bool header_read;
	int64_t silent_msec; /* since the server last sent something */
	uint64_t rows;
	char name[SOURCE_NAME_BYTES]; /* "database crl at db1:5432" */
	/* Received and not yet decoded: begin to end. */
	size_t begin;
	size_t end;
	uint8_t buffer[SOURCE_TUPLE_BYTES_MOST];
};

struct source_answer {
	PGresult *result;
};

/* The connection is gone or cannot be used. */
static enum status
connection_fault(struct source *source, const char *rule)
{
	char text[SOURCE_MESSAGE_BYTES];

	return report_fault(source->report, STATUS_IO, source->name, rule, NULL,
	    "%s", source_message(PQerrorMessage(source->conn), text));
}

static void
server_hint(struct source *source, const PGresult *result, const char *sqlstate)
{
	const char *hint = PQresultErrorField(result, PG_DIAG_MESSAGE_HINT);
	char text[SOURCE_MESSAGE_BYTES];

	if (hint != NULL) {
		report_hint(source->report, "%s", source_message(hint, text));
		return;
	}
	hint = source_message_remedy(sqlstate);
	if (hint != NULL)
		report_hint(source->report, "%s", hint);
}

/* The server's answer is an error, or not what was asked for. */
static enum status
server_fault(struct source *source, const struct source_query *query,
    const PGresult *result)
{
	const char *primary =
	    PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
	const char *position =
	    PQresultErrorField(result, PG_DIAG_STATEMENT_POSITION);
	const char *sqlstate = PQresultErrorField(result, PG_DIAG_SQLSTATE);
	char text[SOURCE_MESSAGE_BYTES];
	char line[32] = "";
	enum status status;

	if (PQresultStatus(result) != PGRES_FATAL_ERROR)
		return report_fault(source->report, STATUS_FAILED,
		    query->object, query->rule, NULL,
		    "unexpected answer of the server: %s",
		    PQresStatus(PQresultStatus(result)));
	if (primary == NULL) /* libpq's own: the connection broke */
		return connection_fault(source, query->rule);
	if (sqlstate == NULL)
		sqlstate = "none";
	if (position != NULL && query->sql != NULL)
		snprintf(line, sizeof(line),
		    "line %u: ", source_message_line(query->sql, position));
	status = report_fault(source->report, STATUS_FAILED, query->object,
	    query->rule, NULL, "%s%s (SQLSTATE %s)", line,
	    source_message(primary, text), sqlstate);
	server_hint(source, result, sqlstate);
	return status;
}

/*
 * Waits a while for the server and takes in what came. A fault when it has
 * been silent for longer than it may work on one statement.
 */
static enum status
source_wait(struct source *source, const char *rule)
{
	int64_t limit_sec = source->config.statement_timeout_sec;
	struct pollfd pollfd = {.fd = PQsocket(source->conn), .events = POLLIN};
	int n;

	limit_sec = limit_sec > 0 ? limit_sec + SILENCE_GRACE_SEC
				  : SILENCE_SEC_WITHOUT_TIMEOUT;
	if (pollfd.fd < 0)
		return connection_fault(source, rule);
	n = poll(&pollfd, 1, POLL_MSEC);
	if (n < 0 && errno != EINTR)
		return report_fault(source->report, STATUS_IO, source->name,
		    rule, NULL, "poll: %s", strerror(errno));
	source->silent_msec = n == 0 ? source->silent_msec + POLL_MSEC : 0;
	if (source->silent_msec / 1000 > limit_sec)
		return report_fault(source->report, STATUS_IO, source->name,
		    rule, NULL, "the server has been silent for %" PRId64 " s",
		    limit_sec);
	if (PQconsumeInput(source->conn) == 0)
		return connection_fault(source, rule);
	return STATUS_OK;
}

/* The next result, NULL when there is no more. The caller clears it. */
static enum status
result_next(struct source *source, const char *rule, PGresult **result)
{
	enum status status = STATUS_OK;

	*result = NULL;
	source->silent_msec = 0;
	while (status == STATUS_OK && PQisBusy(source->conn))
		status = source_wait(source, rule);
	if (status == STATUS_OK)
		*result = PQgetResult(source->conn);
	return status;
}

/*
 * The answer to what was just sent, `sent` being libpq's word on that: all of
 * its results are of the wanted status, and the last is returned for the
 * caller to clear. A COPY goes on, so that its first result is the answer.
 */
static enum status
answer_read(struct source *source, const struct source_query *query, int sent,
    ExecStatusType want, PGresult **answer)
{
	PGresult *result = NULL;
	enum status status;

	*answer = NULL;
	if (sent == 0)
		return connection_fault(source, query->rule);
	for (;;) {
		status = result_next(source, query->rule, &result);
		if (status != STATUS_OK || result == NULL)
			break;
		PQclear(*answer);
		*answer = result;
		if (PQresultStatus(result) != want) {
			status = server_fault(source, query, result);
			break;
		}
		if (want == PGRES_COPY_OUT)
			return STATUS_OK;
	}
	if (status == STATUS_OK && *answer == NULL)
		status =
		    report_fault(source->report, STATUS_FAILED, query->object,
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
	const struct source *source = context;
	char text[SOURCE_MESSAGE_BYTES];

	report_note(
	    source->report, source->name, "%s", source_message(message, text));
}

/* What faults of the server are about. */
static void
connection_name(struct source *source)
{
	const char *db = PQdb(source->conn);
	const char *host = PQhost(source->conn);
	const char *port = PQport(source->conn);

	if (db == NULL || host == NULL || port == NULL)
		return;
	snprintf(source->name, sizeof(source->name), "database %s at %s:%s", db,
	    *host != '\0' ? host : "the local socket", port);
}

/*
 * libpq repeats what it cannot parse, so its message stays unsaid where that
 * could be a password.
 */
static enum status
conninfo_check(struct source *source)
{
	const char *conninfo = source->config.conninfo;
	PQconninfoOption *options;
	char *error = NULL;
	char text[SOURCE_MESSAGE_BYTES];
	enum status status;

	/* expand_dbname takes what is neither form for a database's name. */
	if (conninfo == NULL ||
	    (strchr(conninfo, '=') == NULL && strstr(conninfo, "://") == NULL))
		return STATUS_OK;
	options = PQconninfoParse(conninfo, &error);
	if (options != NULL) {
		PQconninfoFree(options);
		return STATUS_OK;
	}
	if (strcasestr(conninfo, "pass") != NULL ||
	    strchr(conninfo, '@') != NULL)
		status = report_fault(source->report, STATUS_CONFIG,
		    source->name, "connect", NULL,
		    "the connection string cannot be parsed");
	else
		status =
		    report_fault(source->report, STATUS_CONFIG, source->name,
			"connect", NULL, "%s", source_message(error, text));
	PQfreemem(error);
	return status;
}

/* Later keywords win: the configuration's over ours, ours over what would
 * change the meaning of the statement. */
static enum status
connection_open(struct source *source)
{
	const char *keywords[] = {"fallback_application_name",
	    "connect_timeout", "dbname", "client_encoding", NULL};
	const char *values[] = {
	    "crlpress", NULL, source->config.conninfo, "UTF8", NULL};
	int64_t timeout_sec = source->config.connect_timeout_sec;
	char timeout[24];
	enum status status;

	snprintf(timeout, sizeof(timeout), "%" PRId64,
	    timeout_sec < INT_MAX ? timeout_sec : INT_MAX);
	if (timeout_sec > 0)
		values[1] = timeout;
	source->conn = PQconnectdbParams(keywords, values, 1);
	if (source->conn == NULL)
		return report_fault(source->report, STATUS_NO_MEMORY,
		    source->name, "connect", NULL, "out of memory");
	connection_name(source);
	if (PQstatus(source->conn) == CONNECTION_OK) {
		PQsetNoticeProcessor(source->conn, notice_note, source);
		return STATUS_OK;
	}
	status = connection_fault(source, "connect");
	if (PQconnectionNeedsPassword(source->conn) ||
	    PQconnectionUsedPassword(source->conn))
		report_hint(source->report,
		    "the password belongs in libpq's passfile (~/.pgpass, "
		    "mode 0600) or service file");
	return status;
}

const char *
source_name(const struct source *source)
{
	return source->name;
}

struct report *
source_report(struct source *source)
{
	return source->report;
}

const struct source_config *
source_config(const struct source *source)
{
	return &source->config;
}

const struct source_statement *
source_statement(const struct source *source)
{
	return &source->statement;
}

int
source_server_version(const struct source *source)
{
	return PQserverVersion(source->conn);
}

char *
source_quote(struct source *source, const char *text)
{
	char *quoted = PQescapeLiteral(source->conn, text, strlen(text));
	char *copy = quoted != NULL ? strdup(quoted) : NULL;
	char message[SOURCE_MESSAGE_BYTES];

	if (quoted == NULL)
		report_fault(source->report, STATUS_CONFIG, text, "statement",
		    NULL, "%s",
		    source_message(PQerrorMessage(source->conn), message));
	else if (copy == NULL)
		report_fault(source->report, STATUS_NO_MEMORY, text,
		    "statement", NULL, "out of memory");
	PQfreemem(quoted);
	return copy;
}

enum status
source_execute(struct source *source, const struct source_query *query)
{
	PGresult *result;
	enum status status = answer_read(source, query,
	    PQsendQuery(source->conn, query->sql), PGRES_COMMAND_OK, &result);

	PQclear(result);
	return status;
}

enum status
source_ask(struct source *source, const struct source_query *query,
    struct source_answer **answer)
{
	PGresult *result;
	enum status status = answer_read(source, query,
	    PQsendQueryParams(
		source->conn, query->sql, 0, NULL, NULL, NULL, NULL, 1),
	    PGRES_TUPLES_OK, &result);

	*answer = NULL;
	if (status != STATUS_OK)
		return status;
	if (PQntuples(result) != 1) {
		status = report_fault(source->report, STATUS_FAILED,
		    query->object, query->rule, NULL,
		    "rows of an answer, have %d, want 1", PQntuples(result));
		PQclear(result);
		return status;
	}
	*answer = malloc(sizeof(**answer));
	if (*answer == NULL) {
		PQclear(result);
		return report_fault(source->report, STATUS_NO_MEMORY,
		    query->object, query->rule, NULL, "out of memory");
	}
	(*answer)->result = result;
	return STATUS_OK;
}

void
source_answer_free(struct source_answer *answer)
{
	if (answer == NULL)
		return;
	PQclear(answer->result);
	free(answer);
}

bool
source_answer_integer(
    const struct source_answer *answer, int column, int size, uint64_t *value)
{
	const char *octets = PQgetvalue(answer->result, 0, column);

	*value = 0;
	if (PQgetisnull(answer->result, 0, column) ||
	    PQgetlength(answer->result, 0, column) != size)
		return false;
	for (int i = 0; i < size; i++)
		*value = *value << 8 | (uint8_t)octets[i];
	return true;
}

char *
source_answer_text(
    const struct source_answer *answer, int column, char *out, size_t size)
{
	snprintf(out, size, "%.*s", PQgetlength(answer->result, 0, column),
	    PQgetvalue(answer->result, 0, column));
	return out;
}

enum status
source_describe(struct source *source, const struct source_query *query,
    struct source_description *description)
{
	PGresult *result;
	enum status status;

	status = answer_read(source, query,
	    PQsendPrepare(source->conn, "", query->sql, 0, NULL),
	    PGRES_COMMAND_OK, &result);
	PQclear(result);
	if (status != STATUS_OK)
		return status;
	status =
	    answer_read(source, query, PQsendDescribePrepared(source->conn, ""),
		PGRES_COMMAND_OK, &result);
	if (status != STATUS_OK)
		return status;
	description->parameters = PQnparams(result);
	description->columns = PQnfields(result);
	for (int i = 0; i < SOURCE_COLUMN_COUNT && i < description->columns;
	     i++) {
		description->type_oid[i] = PQftype(result, i);
		snprintf(description->name[i], SOURCE_NAME_BYTES, "%s",
		    PQfname(result, i));
	}
	PQclear(result);
	return STATUS_OK;
}

enum status
source_open(const struct source_config *config, struct report *report,
    struct source **source)
{
	struct source *new = calloc(1, sizeof(*new));
	enum status status;

	*source = NULL;
	if (new == NULL)
		return report_fault(report, STATUS_NO_MEMORY, "database",
		    "connect", NULL, "out of memory");
	new->report = report;
	new->config = *config;
	new->statement.sql = config->sql;
	new->statement.name = config->sql_name;
	snprintf(new->name, sizeof(new->name), "database");
	status = conninfo_check(new);
	if (status == STATUS_OK)
		status = connection_open(new);
	if (status == STATUS_OK)
		status = source_snapshot_take(new, &new->snapshot);
	if (status == STATUS_OK)
		*source = new;
	else
		source_close(new);
	return status;
}

const struct source_snapshot *
source_snapshot(const struct source *source)
{
	return &source->snapshot;
}

/* The lines around the statement keep a comment at its end from eating the
 * parenthesis. */
static enum status
copy_begin(struct source *source, const char *sql)
{
	static const char before[] = "COPY (\n";
	static const char after[] = "\n) TO STDOUT (FORMAT binary)";
	const struct source_query query = {
	    source->statement.name, "copy", NULL};
	size_t size = sizeof(before) + strlen(sql) + sizeof(after);
	char *copy = malloc(size);
	PGresult *result;
	enum status status;

	if (copy == NULL)
		return report_fault(source->report, STATUS_NO_MEMORY,
		    source->statement.name, "copy", NULL, "out of memory");
	snprintf(copy, size, "%s%s%s", before, sql, after);
	status = answer_read(source, &query, PQsendQuery(source->conn, copy),
	    PGRES_COPY_OUT, &result);
	PQclear(result);
	free(copy);
	return status;
}

enum status
source_start(struct source *source, int64_t lookback_sec)
{
	const struct source_statement statement = {
	    .sql = source->config.sql, .name = source->config.sql_name};

	return source_start_statement(source, &statement, lookback_sec);
}

enum status
source_start_statement(struct source *source,
    const struct source_statement *statement, int64_t lookback_sec)
{
	char *sql = NULL;
	enum status status;

	if (source->phase != PHASE_OPEN && source->phase != PHASE_COMPLETE)
		return report_fault(source->report, STATUS_FAILED, source->name,
		    "statement", NULL, "rows of another one are not all read");
	source->statement = *statement;
	source->header_read = false;
	source->rows = 0;
	source->begin = source->end = 0;
	status =
	    source_statement_check(source, lookback_sec, &source->layout, &sql);
	if (status == STATUS_OK)
		status = copy_begin(source, sql);
	source->phase = status == STATUS_OK ? PHASE_COPY : PHASE_BROKEN;
	free(sql);
	return status;
}

static enum status
copy_fault(struct source *source, const char *what)
{
	return report_fault(source->report, STATUS_MALFORMED, source->name,
	    "copy", "binary COPY format", "after row %" PRIu64 ": %s",
	    source->rows, what);
}

/*
 * The COPY has no more data: only the command's own word makes it complete.
 * `trailer` says whether the data said so too.
 */
static enum status
copy_end(struct source *source, bool trailer)
{
	const struct source_query query = {
	    source->statement.name, "copy", NULL};
	char *data = NULL;
	char *end;
	PGresult *result = NULL;
	uint64_t told;
	enum status status;

	if (PQgetCopyData(source->conn, &data, 1) >= 0) {
		PQfreemem(data);
		return copy_fault(source, "more data after its end");
	}
	status = answer_read(source, &query, 1, PGRES_COMMAND_OK, &result);
	if (status != STATUS_OK)
		return status;
	if (!trailer) {
		PQclear(result);
		return copy_fault(source, "it ended without a trailer");
	}
	errno = 0;
	told = strtoull(PQcmdTuples(result), &end, 10);
	if (errno != 0 || end == PQcmdTuples(result) || *end != '\0' ||
	    told != source->rows)
		status = report_fault(source->report, STATUS_MALFORMED,
		    source->name, "copy", NULL,
		    "rows, have %" PRIu64 ", want the server's \"%s\"",
		    source->rows, PQcmdStatus(result));
	PQclear(result);
	return status;
}

/*
 * Some more octets into the buffer; STATUS_DONE when the server has no more.
 *
 * PQgetlineAsync is called obsolete in libpq's manual, and is right here: it
 * is the one call that copies a message to where the caller wants it, where
 * PQgetCopyData mallocs and frees for every row. It takes binary data, counts
 * instead of ending a string, and gives a long message in parts.
 */
static enum status
copy_receive(struct source *source)
{
	enum status status;

	if (source->begin > 0) {
		source->end -= source->begin;
		memmove(source->buffer, source->buffer + source->begin,
		    source->end);
		source->begin = 0;
	}
	if (source->end == sizeof(source->buffer))
		return copy_fault(source, "a tuple above 64 KiB");
	source->silent_msec = 0;
	for (bool asked = false;; asked = true) {
		int n = PQgetlineAsync(source->conn,
		    (char *)source->buffer + source->end,
		    (int)(sizeof(source->buffer) - source->end));

		if (n > 0) {
			source->end += (size_t)n;
			return STATUS_OK;
		}
		if (n < 0)
			return STATUS_DONE;
		/* Mostly there is something already, and no need to poll. */
		if (asked)
			status = source_wait(source, "copy");
		else if (PQconsumeInput(source->conn) == 0)
			status = connection_fault(source, "copy");
		else
			status = STATUS_OK;
		if (status != STATUS_OK)
			return status;
	}
}

/* The trailer was read: nothing may follow it. */
static enum status
copy_finish(struct source *source)
{
	enum status status;

	if (source->begin != source->end)
		return copy_fault(source, "data after the trailer");
	status = copy_receive(source);
	if (status == STATUS_OK)
		return copy_fault(source, "data after the trailer");
	if (status != STATUS_DONE)
		return status;
	status = copy_end(source, true);
	return status == STATUS_OK ? STATUS_DONE : status;
}

/* What is at the start of the buffer: the header once, then a row. */
static enum status
copy_decode(struct source *source, struct source_row *row, size_t *used)
{
	const uint8_t *bytes = source->buffer + source->begin;
	size_t len = source->end - source->begin;
	const char *why = NULL;
	enum status status;

	if (!source->header_read) {
		status = source_header_decode(bytes, len, used, &why);
		if (status != STATUS_OK)
			return copy_fault(source, why);
		if (*used == 0)
			return STATUS_OK;
		source->begin += *used;
		source->header_read = true;
		return copy_decode(source, row, used);
	}
	status =
	    source_row_decode(&source->layout, bytes, len, used, row, &why);
	if (status == STATUS_MALFORMED)
		return copy_fault(source, why);
	source->begin += *used;
	return status;
}

/* STATUS_DONE after the last row, when the COPY is known to be complete. */
static enum status
row_next(struct source *source, struct source_row *row)
{
	enum status status;
	size_t used = 0;

	for (;;) {
		status = copy_decode(source, row, &used);
		if (status == STATUS_DONE)
			return copy_finish(source);
		if (status != STATUS_OK)
			return status;
		if (used > 0) {
			source->rows++;
			return STATUS_OK;
		}
		status = copy_receive(source);
		if (status == STATUS_DONE)
			return copy_end(source, false);
		if (status != STATUS_OK)
			return status;
	}
}

bool
source_tells_recorded(const struct source *source)
{
	return source->layout.has_recorded_at;
}

enum status
source_read(
    struct source *source, struct source_row *rows, size_t room, size_t *count)
{
	enum status status = STATUS_OK;
	size_t n = 0;

	*count = 0;
	if (source->phase == PHASE_COMPLETE)
		return STATUS_DONE;
	if (source->phase != PHASE_COPY)
		return STATUS_FAILED;
	while (n < room) {
		status = row_next(source, &rows[n]);
		if (status != STATUS_OK)
			break;
		n++;
	}
	if (status == STATUS_DONE) {
		source->phase = PHASE_COMPLETE;
		if (n == 0)
			return STATUS_DONE;
	} else if (status != STATUS_OK) {
		source->phase = PHASE_BROKEN;
		return status;
	}
	*count = n;
	return STATUS_OK;
}

void
source_close(struct source *source)
{
	if (source == NULL)
		return;
	PQfinish(source->conn);
	free(source);
}
