/* SPDX-License-Identifier: ISC */
/*
 * The last expiry. It is read as a number or a time, never as a text, and an
 * infinite one is refused: it is no date that a certificate can have.
 */
#include "crlpress/source_expiry.h"

#include <inttypes.h>
#include <stdlib.h>

#include "crlpress/utc.h"
#include "source_impl.h"

/* PostgreSQL, pg_type.dat. */
#define OID_INT8 20
#define OID_INT4 23
#define OID_DATE 1082
#define OID_TIMESTAMP 1114
#define OID_TIMESTAMPTZ 1184

static enum status
column_fault(struct source *source, uint32_t oid)
{
	struct report *report = source_report(source);

	report_fault(report, STATUS_CONFIG, source_statement(source)->name,
	    "columns", NULL,
	    "type of the column, have OID %" PRIu32
	    ", want timestamptz or bigint",
	    oid);
	if (oid == OID_TIMESTAMP || oid == OID_DATE)
		report_hint(report, "say of which zone it is: "
				    "max(not_after) AT TIME ZONE 'UTC'");
	else if (oid == OID_INT4)
		report_hint(report, "seconds since 1970: "
				    "max(not_after)::bigint");
	return STATUS_CONFIG;
}

static enum status
description_check(
    struct source *source, const struct database_description *description)
{
	const char *name = source_statement(source)->name;

	if (description->parameters != 0)
		return report_fault(source_report(source), STATUS_CONFIG, name,
		    "statement", NULL, "parameters like $1, have %d, want none",
		    description->parameters);
	if (description->columns != 1)
		return report_fault(source_report(source), STATUS_CONFIG, name,
		    "columns", NULL, "have %d, want 1: max(not_after)",
		    description->columns);
	if (description->type_oid[0] != OID_TIMESTAMPTZ &&
	    description->type_oid[0] != OID_INT8)
		return column_fault(source, description->type_oid[0]);
	return STATUS_OK;
}

/* Upwards: what expires within a second has not expired at its start. */
static int64_t
seconds_from_usec(int64_t usec)
{
	int64_t sec = usec / DATABASE_USEC_PER_SEC;

	if (usec % DATABASE_USEC_PER_SEC > 0)
		sec++;
	return sec + DATABASE_EPOCH_SEC;
}

/* The dates that a certificate can have: RFC 5280, 4.1.2.5. */
static enum status
value_take(struct source *source, uint64_t value, uint32_t oid,
    struct source_expiry *expiry)
{
	int64_t sec = (int64_t)value;

	if (oid == OID_TIMESTAMPTZ)
		sec = seconds_from_usec(sec);
	if (sec < UTC_MIN_SEC || sec > UTC_MAX_SEC)
		return report_fault(source_report(source), STATUS_FAILED,
		    source_statement(source)->name, "ocsp-expiry", NULL,
		    "no date that a certificate can have, have %" PRId64
		    ", want seconds since 1970 or a finite time",
		    sec);
	expiry->has_last = true;
	expiry->last_sec = sec;
	return STATUS_OK;
}

enum status
source_expiry_ask(struct source *source, struct source_expiry *expiry)
{
	struct database_query query = {
	    source_statement(source)->name, "statement", NULL};
	struct database_description description;
	struct database_answer *answer = NULL;
	char *sql = NULL;
	enum status status;
	uint64_t value;

	*expiry = (struct source_expiry){.has_last = false};
	/* As far back as there is anything. */
	status = source_statement_expand(source, UTC_MIN_SEC, &sql);
	if (status != STATUS_OK)
		return status;
	query.sql = sql;
	status =
	    database_describe(source_database(source), &query, &description);
	if (status == STATUS_OK)
		status = description_check(source, &description);
	if (status == STATUS_OK)
		status = database_ask(source_database(source), &query, &answer);
	if (status == STATUS_OK &&
	    database_answer_integer(answer, 0, 0, 8, &value))
		status =
		    value_take(source, value, description.type_oid[0], expiry);
	database_answer_free(answer);
	free(sql);
	return status;
}
