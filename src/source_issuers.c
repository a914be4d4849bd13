/* SPDX-License-Identifier: ISC */
#include "crlpress/source_issuers.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "source_impl.h"

#define RULE "issuers"

_Static_assert(SOURCE_ISSUERS_MOST == 32, "the LIMIT is one more");

/* As text and numbers, whatever the statement has for them. */
static const char before[] = "SELECT issuer_id::text, revoked::bigint, "
			     "is_it::boolean FROM (";
static const char behind[] =
    "\n) AS issuers (issuer_id, revoked, is_it) WHERE issuer_id IS NOT NULL "
    "ORDER BY is_it DESC NULLS LAST, revoked DESC, issuer_id LIMIT 33";

static void
issuers_read(
    const struct database_answer *answer, struct source_issuers *issuers)
{
	int rows = database_answer_rows(answer);

	for (int i = 0; i < rows && i < SOURCE_ISSUERS_MOST; i++) {
		struct source_issuer *issuer =
		    &issuers->issuer[issuers->count++];
		uint64_t is_it;

		database_answer_text(
		    answer, i, 0, issuer->id, sizeof(issuer->id));
		(void)database_answer_integer(answer, i, 1, 8, &issuer->rows);
		issuer->is_told =
		    database_answer_integer(answer, i, 2, 1, &is_it);
		issuer->is_it = issuer->is_told && is_it != 0;
	}
	issuers->has_more = rows > SOURCE_ISSUERS_MOST;
}

enum status
source_issuers(struct source *source, const char *name, const char *sql,
    const char *facts, struct source_issuers *issuers)
{
	struct database *database = source_database(source);
	struct database_query query = {name, RULE, NULL};
	struct database_description *description = NULL;
	struct database_answer *answer = NULL;
	enum status status = STATUS_NO_MEMORY;
	char *text = NULL;

	memset(issuers, 0, sizeof(*issuers));
	description = malloc(sizeof(*description));
	if (description == NULL ||
	    asprintf(&text, "%s%s%s", before, sql, behind) < 0) {
		text = NULL;
		report_fault(source_report(source), status, name, RULE, NULL,
		    "out of memory");
		goto out;
	}
	query.sql = text;
	status = database_describe(database, &query, description);
	if (status == STATUS_OK && description->parameters > 1)
		status = report_fault(source_report(source), STATUS_CONFIG,
		    name, RULE, NULL, "%d parameters, want $1 or none",
		    description->parameters);
	if (status == STATUS_OK)
		status = database_ask_with(
		    database, &query, &facts, description->parameters, &answer);
	if (status == STATUS_OK)
		issuers_read(answer, issuers);
out:
	database_answer_free(answer);
	free(text);
	free(description);
	return status;
}
