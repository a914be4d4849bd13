/* SPDX-License-Identifier: ISC */
/*
 * One snapshot for several connections: its text, which passes from the one
 * that exported it to others. PostgreSQL manual, 9.28.5 "Snapshot
 * Synchronization Functions" and SET TRANSACTION.
 */
#include "crlpress/source_share.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "source_impl.h"

/* pg_current_snapshot() has another name before. */
#define SERVER_VERSION_CURRENT_SNAPSHOT 130000

/* The first word of the text. */
#define FORM "crlpress-snapshot-1"

enum word {
	WORD_FORM,
	WORD_ID,
	WORD_STARTED,
	WORD_SEEN,
	WORD_NOW,
	WORD_STANDBY,
	WORD_LAG,
	WORD_SYSTEM, /* "-": the server would not tell */
	WORD_TIMELINE,
	WORD_POSITION,
	WORD_COUNT
};

#define ASK_NOW                                   \
	"SELECT pg_catalog.clock_timestamp(),"    \
	" pg_catalog.pg_postmaster_start_time()," \
	" pg_catalog.hashtextextended(CAST("
#define ASK_SEEN "pg_catalog.pg_current_snapshot()"
#define ASK_SEEN_12 "pg_catalog.txid_current_snapshot()"
#define ASK_HASH " AS text), 0)"
#define ASK_EXPORT ", pg_catalog.pg_export_snapshot()"

enum status
source_share_ask(
    struct source *source, bool export, struct source_shared *shared)
{
	bool current = database_server_version(source_database(source)) >=
		       SERVER_VERSION_CURRENT_SNAPSHOT;
	struct database_query query = {source_name(source), "snapshot", NULL};
	struct database_answer *answer;
	enum status status;
	char sql[512];
	uint64_t now;

	snprintf(sql, sizeof(sql), "%s%s%s%s", ASK_NOW,
	    current ? ASK_SEEN : ASK_SEEN_12, ASK_HASH,
	    export ? ASK_EXPORT : "");
	query.sql = sql;
	status = database_ask(source_database(source), &query, &answer);
	if (status != STATUS_OK)
		return status;
	if (!database_answer_integer(answer, 0, 0, 8, &now) ||
	    !database_answer_integer(answer, 0, 1, 8, &shared->started) ||
	    !database_answer_integer(answer, 0, 2, 8, &shared->seen))
		status = report_fault(source_report(source), STATUS_FAILED,
		    source_name(source), "snapshot", NULL,
		    "the server does not tell of its snapshot");
	else if (export)
		database_answer_text(
		    answer, 0, 3, shared->id, sizeof(shared->id));
	shared->snapshot.now_usec =
	    (int64_t)now + DATABASE_EPOCH_SEC * DATABASE_USEC_PER_SEC;
	database_answer_free(answer);
	return status;
}

bool
source_is_shared(struct source *source)
{
	return source->config.kind == SOURCE_DATABASE &&
	       source_shared(source)->id[0] != '\0';
}

enum status
source_share_export(struct source *source, struct source_share *share)
{
	const struct source_shared *shared = source_shared(source);
	const struct source_snapshot *snapshot = source_snapshot(source);

	if (!source_is_shared(source))
		return report_fault(source_report(source), STATUS_FAILED,
		    source_name(source), "snapshot", NULL,
		    "its snapshot was not exported");
	snprintf(share->text, sizeof(share->text),
	    FORM " %s %" PRIu64 " %" PRIu64 " %" PRId64 " %d %.17g %s %" PRIu32
		 " %" PRIu64,
	    shared->id, shared->started, shared->seen, snapshot->now_usec,
	    snapshot->standby, snapshot->replay_lag_sec,
	    snapshot->has_position ? snapshot->system_identifier : "-",
	    snapshot->timeline, snapshot->wal_position);
	return STATUS_OK;
}

/* False: not WORD_COUNT words with one blank between them. */
static bool
words_split(char *text, char *word[WORD_COUNT])
{
	char *at = text;

	for (int i = 0; i < WORD_COUNT; i++) {
		word[i] = strsep(&at, " ");
		if (word[i] == NULL || word[i][0] == '\0')
			return false;
	}
	return at == NULL;
}

/* Only what the server gives out goes into a statement. */
static bool
id_is_safe(const char *id)
{
	return strlen(id) < SOURCE_SHARE_ID_BYTES &&
	       id[strspn(id, "0123456789ABCDEFabcdef-")] == '\0';
}

enum status
source_share_parse(
    const struct source_share *share, struct source_shared *shared)
{
	struct source_snapshot *snapshot = &shared->snapshot;
	char text[SOURCE_SHARE_BYTES];
	char *word[WORD_COUNT];

	*shared = (struct source_shared){.started = 0};
	memcpy(text, share->text, sizeof(text));
	text[sizeof(text) - 1] = '\0';
	if (!words_split(text, word) || strcmp(word[WORD_FORM], FORM) != 0 ||
	    !id_is_safe(word[WORD_ID]) ||
	    strlen(word[WORD_SYSTEM]) >= sizeof(snapshot->system_identifier))
		return STATUS_MALFORMED;
	snprintf(shared->id, sizeof(shared->id), "%s", word[WORD_ID]);
	/* Whatever these say is held against what the server says. */
	shared->started = strtoull(word[WORD_STARTED], NULL, 10);
	shared->seen = strtoull(word[WORD_SEEN], NULL, 10);
	snapshot->now_usec = strtoll(word[WORD_NOW], NULL, 10);
	snapshot->standby = strcmp(word[WORD_STANDBY], "0") != 0;
	snapshot->replay_lag_sec = strtod(word[WORD_LAG], NULL);
	snapshot->has_position = strcmp(word[WORD_SYSTEM], "-") != 0;
	if (snapshot->has_position)
		snprintf(snapshot->system_identifier,
		    sizeof(snapshot->system_identifier), "%s",
		    word[WORD_SYSTEM]);
	snapshot->timeline = (uint32_t)strtoul(word[WORD_TIMELINE], NULL, 10);
	snapshot->wal_position = strtoull(word[WORD_POSITION], NULL, 10);
	return STATUS_OK;
}
