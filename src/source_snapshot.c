/* SPDX-License-Identifier: ISC */
/*
 * The transaction that all is read in, and where its snapshot stands.
 * PostgreSQL manual, 9.27 "System Administration Functions".
 *
 * Functions are named with their schema: search_path is the role's, and may
 * have others of the same name.
 */
#include <inttypes.h>
#include <limits.h>
#include <math.h>
#include <stdio.h>

#include "source_impl.h"

/* pg_control_checkpoint() and the binary formats read here are in all later
 * ones; the one before has been without fixes since 2023. */
#define SERVER_VERSION_LEAST 120000
#define SERVER_VERSION_TRANSACTION_TIMEOUT 170000

/* A reader waits only for ACCESS EXCLUSIVE: a rewrite of the table. It must
 * not be waited for: TRUNCATE and ALTER TABLE leave a table that looks empty to
 * a snapshot taken before them, and this one has been taken. */
#define LOCK_TIMEOUT_MSEC 1

/* statement_timeout is an int of milliseconds in the server. */
#define STATEMENT_TIMEOUT_SEC_MOST (INT_MAX / 1000)

/* xlogdefs.h: page headers, short and, on a segment's first page, long. */
#define WAL_PAGE_HEADER_BYTES 24
#define WAL_SEGMENT_HEADER_BYTES 40

static enum status
server_version_check(struct source *source)
{
	int have = database_server_version(source_database(source));

	if (have >= SERVER_VERSION_LEAST)
		return STATUS_OK;
	return report_fault(source_report(source), STATUS_FAILED,
	    source_name(source), "server-version", NULL,
	    "PostgreSQL, have %d, want %d or later", have / 10000,
	    SERVER_VERSION_LEAST / 10000);
}

/*
 * The transaction, and settings that the statement's meaning or this
 * program's patience depend on. The snapshot is taken by the first query.
 * search_path is the role's.
 */
static enum status
transaction_begin(struct source *source, const char *import)
{
	int64_t timeout_sec = source_config(source)->statement_timeout_sec;
	char sql[1024];
	const struct database_query query = {
	    source_name(source), "snapshot", sql};
	enum status status;

	if (timeout_sec < 0)
		timeout_sec = 0;
	if (timeout_sec > STATEMENT_TIMEOUT_SEC_MOST)
		timeout_sec = STATEMENT_TIMEOUT_SEC_MOST;
	snprintf(sql, sizeof(sql),
	    "BEGIN TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY;"
	    "%s%s%s"
	    "SET LOCAL statement_timeout = %" PRId64 ";"
	    "SET LOCAL lock_timeout = %d;"
	    "SET LOCAL idle_in_transaction_session_timeout = 0;%s"
	    /* A policy that hides rows is an error, as it is to pg_dump. */
	    "SET LOCAL row_security = off;"
	    "SET LOCAL client_min_messages = warning;"
	    "SET LOCAL standard_conforming_strings = on;"
	    "SET LOCAL DateStyle = 'ISO';"
	    "SET LOCAL TimeZone = 'UTC'",
	    import != NULL ? "SET TRANSACTION SNAPSHOT '" : "",
	    import != NULL ? import : "", import != NULL ? "';" : "",
	    timeout_sec * 1000, LOCK_TIMEOUT_MSEC,
	    database_server_version(source_database(source)) >=
		    SERVER_VERSION_TRANSACTION_TIMEOUT
		? "SET LOCAL transaction_timeout = 0;"
		: "");
	status = database_execute(source_database(source), &query);
	/* Of all these commands only the import depends on somebody else. */
	return import != NULL && status == STATUS_FAILED ? STATUS_REFUSED
							 : status;
}

/*
 * This query takes the snapshot, so it comes first; it says the time, and
 * whether the position may be asked for: a refused function would abort the
 * transaction. Some services withhold these functions, some have none.
 */
static enum status
snapshot_read_clock(
    struct source *source, struct source_snapshot *snapshot, bool *may_position)
{
	static const char sql[] =
	    "SELECT pg_catalog.clock_timestamp(),"
	    " pg_catalog.pg_is_in_recovery(),"
	    " pg_catalog.pg_last_xact_replay_timestamp(),"
	    " (SELECT pg_catalog.bool_and(COALESCE("
	    "   pg_catalog.has_function_privilege("
	    "     pg_catalog.to_regprocedure(f), 'EXECUTE'), false))"
	    "  FROM pg_catalog.unnest(ARRAY["
	    "   'pg_catalog.pg_control_system()',"
	    "   'pg_catalog.pg_control_checkpoint()',"
	    "   'pg_catalog.pg_control_recovery()',"
	    "   'pg_catalog.pg_current_wal_insert_lsn()',"
	    "   'pg_catalog.pg_last_wal_replay_lsn()',"
	    "   'pg_catalog.pg_last_wal_receive_lsn()',"
	    "   'pg_catalog.pg_walfile_name(pg_lsn)']) AS f)";
	const struct database_query query = {
	    source_name(source), "snapshot", sql};
	uint64_t now, standby, replayed, position;
	struct database_answer *answer;
	enum status status =
	    database_ask(source_database(source), &query, &answer);

	if (status != STATUS_OK)
		return status;
	database_answer_integer(answer, 0, 1, 1, &standby);
	database_answer_integer(answer, 0, 3, 1, &position);
	if (!database_answer_integer(answer, 0, 0, 8, &now)) {
		database_answer_free(answer);
		return report_fault(source_report(source), STATUS_FAILED,
		    source_name(source), "snapshot", NULL,
		    "the server does not tell its time");
	}
	snapshot->now_usec =
	    (int64_t)now + DATABASE_EPOCH_SEC * DATABASE_USEC_PER_SEC;
	snapshot->standby = standby != 0;
	*may_position = position != 0;
	if (!snapshot->standby)
		snapshot->replay_lag_sec = 0;
	else if (database_answer_integer(answer, 0, 2, 8, &replayed))
		snapshot->replay_lag_sec =
		    (double)((int64_t)now - (int64_t)replayed) /
		    (double)DATABASE_USEC_PER_SEC;
	else
		snapshot->replay_lag_sec = INFINITY;
	database_answer_free(answer);
	return STATUS_OK;
}

/*
 * A primary's insert position just after a page header is the same place as
 * that page's start, which is what a standby says once it replayed everything
 * before. Without this a standby would seem behind after a segment switch.
 */
static uint64_t
wal_position_normal(uint64_t position, uint64_t page, uint64_t segment)
{
	if (page == 0 || segment == 0)
		return position;
	if (position % segment == WAL_SEGMENT_HEADER_BYTES)
		return position - WAL_SEGMENT_HEADER_BYTES;
	if (position % page == WAL_PAGE_HEADER_BYTES &&
	    position % segment != WAL_PAGE_HEADER_BYTES)
		return position - WAL_PAGE_HEADER_BYTES;
	return position;
}

/*
 * The timeline. A primary's is in the name of the WAL file it writes; the one
 * in its last checkpoint is stale after a promotion. A standby writes no WAL
 * and does not say which timeline it replays, so it is the latest that it is
 * known to have come to: that of its last restartpoint, of its minimum
 * recovery point, or of its WAL receiver (shown only to pg_read_all_stats).
 * Too low a value makes a gate refuse, until the next restartpoint. Too high
 * a one can come from the receiver alone, while replay is still before the
 * fork, and then the position is too low for the gate all the same.
 *
 * The position is read after the snapshot was taken, so it is no less than
 * what the snapshot sees.
 *
 * On a standby of an idle primary the last commit grows old though nothing is
 * missing. It does not lag when its WAL receiver runs (one that has lost the
 * primary ends after wal_receiver_timeout) and all that came was replayed.
 */
static enum status
snapshot_read_position(struct source *source, struct source_snapshot *snapshot)
{
	static const char sql_primary[] =
	    "SELECT s.system_identifier,"
	    " pg_catalog.pg_current_wal_insert_lsn(),"
	    " CAST(CAST('x' || pg_catalog.left(pg_catalog.pg_walfile_name("
	    "  pg_catalog.pg_current_wal_insert_lsn()), 8)"
	    "  AS bit(32)) AS bigint),"
	    " pg_catalog.pg_size_bytes("
	    "  pg_catalog.current_setting('wal_block_size')),"
	    " pg_catalog.pg_size_bytes("
	    "  pg_catalog.current_setting('wal_segment_size')),"
	    " false"
	    " FROM pg_catalog.pg_control_system() AS s";
	static const char sql_standby[] =
	    "SELECT s.system_identifier,"
	    " pg_catalog.pg_last_wal_replay_lsn(),"
	    " CAST(GREATEST(c.timeline_id, r.min_recovery_end_timeline,"
	    "  w.received_tli) AS bigint),"
	    " pg_catalog.pg_size_bytes("
	    "  pg_catalog.current_setting('wal_block_size')),"
	    " pg_catalog.pg_size_bytes("
	    "  pg_catalog.current_setting('wal_segment_size')),"
	    " COALESCE(w.pid IS NOT NULL AND"
	    "  pg_catalog.pg_last_wal_receive_lsn() <="
	    "  pg_catalog.pg_last_wal_replay_lsn(), false)"
	    " FROM pg_catalog.pg_control_system() AS s"
	    " CROSS JOIN pg_catalog.pg_control_checkpoint() AS c"
	    " CROSS JOIN pg_catalog.pg_control_recovery() AS r"
	    " LEFT JOIN pg_catalog.pg_stat_wal_receiver AS w ON true";
	const struct database_query query = {source_name(source), "snapshot",
	    snapshot->standby ? sql_standby : sql_primary};
	uint64_t identifier, position, timeline, page, segment, level;
	struct database_answer *answer;
	enum status status =
	    database_ask(source_database(source), &query, &answer);

	if (status != STATUS_OK)
		return status;
	if (database_answer_integer(answer, 0, 0, 8, &identifier) &&
	    database_answer_integer(answer, 0, 1, 8, &position) &&
	    database_answer_integer(answer, 0, 2, 8, &timeline) &&
	    database_answer_integer(answer, 0, 3, 8, &page) &&
	    database_answer_integer(answer, 0, 4, 8, &segment)) {
		snprintf(snapshot->system_identifier,
		    sizeof(snapshot->system_identifier), "%" PRIu64,
		    identifier);
		snapshot->timeline = (uint32_t)timeline;
		snapshot->wal_position =
		    wal_position_normal(position, page, segment);
		snapshot->has_position = true;
	}
	if (database_answer_integer(answer, 0, 5, 1, &level) && level != 0)
		snapshot->replay_lag_sec = 0;
	database_answer_free(answer);
	return STATUS_OK;
}

/*
 * Others read in this snapshot too, if the server lets them. An export that is
 * refused costs the transaction, so it is tried before there is anything in it.
 */
static enum status
snapshot_export(struct source *source)
{
	const struct database_query rollback = {
	    source_name(source), "snapshot", "ROLLBACK"};
	struct database *database = source_database(source);
	struct report *silent = report_new(NULL, SEVERITY_FAULT);
	struct report *report;
	enum status status;

	if (silent == NULL)
		return report_fault(source_report(source), STATUS_NO_MEMORY,
		    source_name(source), "snapshot", NULL, "out of memory");
	report = database_report_to(database, silent);
	status = source_share_ask(source, true, source_shared(source));
	database_report_to(database, report);
	if (status != STATUS_OK) {
		report_note(report, source_name(source),
		    "its snapshot cannot be shared, one connection reads all: "
		    "%s",
		    report_kept(silent) > 0 ? report_finding(silent, 0)->text
					    : "no reason given");
		status = database_execute(database, &rollback);
		if (status == STATUS_OK)
			status = transaction_begin(source, NULL);
	}
	report_free(silent);
	return status;
}

enum status
source_snapshot_take(
    struct source *source, const char *import, struct source_snapshot *snapshot)
{
	const struct source_shared *shared = source_shared(source);
	bool may_position = false;
	enum status status = server_version_check(source);

	*snapshot = (struct source_snapshot){.has_position = false};
	if (status == STATUS_OK)
		status = transaction_begin(source, import);
	if (status == STATUS_OK && source_config(source)->share)
		status = snapshot_export(source);
	if (status == STATUS_OK)
		status = snapshot_read_clock(source, snapshot, &may_position);
	/* The first question took the snapshot. */
	if (status == STATUS_OK && shared->id[0] != '\0')
		snapshot->now_usec = shared->snapshot.now_usec;
	if (status == STATUS_OK && may_position)
		status = snapshot_read_position(source, snapshot);
	return status;
}
