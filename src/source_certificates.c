/* SPDX-License-Identifier: ISC */
#include "crlpress/source_certificates.h"

#include <inttypes.h>
#include <stdlib.h>

#include "source_impl.h"

#define COLUMNS 2

/* PostgreSQL, pg_type.dat: the integers, and how many octets each has. */
static const struct {
	uint32_t oid;
	int size;
} integers[] = {{21, 2}, {23, 4}, {20, 8}};

static const char *const column_names[COLUMNS] = {"shard", "certificates"};

/* 0: no integer. */
static int
size_of(uint32_t oid)
{
	for (size_t i = 0; i < sizeof(integers) / sizeof(integers[0]); i++)
		if (integers[i].oid == oid)
			return integers[i].size;
	return 0;
}

static enum status
description_check(
    struct source *source, const struct database_description *description)
{
	const char *name = source_statement(source)->name;
	struct report *report = source_report(source);

	if (description->parameters != 0)
		return report_fault(report, STATUS_CONFIG, name, "statement",
		    NULL, "parameters like $1, have %d, want none",
		    description->parameters);
	if (description->columns != COLUMNS)
		return report_fault(report, STATUS_CONFIG, name, "columns",
		    NULL, "have %d, want 2: shard, certificates",
		    description->columns);
	for (int i = 0; i < COLUMNS; i++) {
		if (size_of(description->type_oid[i]) != 0)
			continue;
		report_fault(report, STATUS_CONFIG, name, "columns", NULL,
		    "type of %s, have OID %" PRIu32 ", want bigint",
		    column_names[i], description->type_oid[i]);
		report_hint(report, "as count(*) is; of anything else: "
				    "CAST(... AS bigint)");
		return STATUS_CONFIG;
	}
	return STATUS_OK;
}

/* With the sign of an integer of so many octets. */
static bool
integer_at(const struct database_answer *answer, int row, int column, int size,
    int64_t *value)
{
	uint64_t bits;

	if (!database_answer_integer(answer, row, column, size, &bits))
		return false;
	*value = size == 2   ? (int16_t)bits
		 : size == 4 ? (int32_t)bits
			     : (int64_t)bits;
	return true;
}

static enum status
answer_take(struct source *source, const struct database_answer *answer,
    const struct database_description *description,
    enum status (*take)(
	void *context, bool has_shard, int64_t shard, uint64_t certificates),
    void *context)
{
	enum status status = STATUS_OK;
	int rows = database_answer_rows(answer);

	for (int i = 0; status == STATUS_OK && i < rows; i++) {
		int64_t shard = 0, certificates = 0;
		bool has_shard = integer_at(
		    answer, i, 0, size_of(description->type_oid[0]), &shard);

		if (!integer_at(answer, i, 1, size_of(description->type_oid[1]),
			&certificates) ||
		    certificates < 0)
			return report_fault(source_report(source),
			    STATUS_FAILED, source_statement(source)->name,
			    "certificates", NULL,
			    "row %d is no count of certificates", i + 1);
		status =
		    take(context, has_shard, shard, (uint64_t)certificates);
	}
	return status;
}

enum status
source_certificates_ask(struct source *source,
    const struct source_statement *statement, int64_t now_sec,
    enum status (*take)(
	void *context, bool has_shard, int64_t shard, uint64_t certificates),
    void *context)
{
	struct database_query query = {statement->name, "statement", NULL};
	struct database_description description;
	struct database_answer *answer = NULL;
	char *sql = NULL;
	enum status status;

	source_choose(source, statement);
	status = source_statement_expand(source, now_sec, &sql);
	if (status != STATUS_OK)
		return status;
	query.sql = sql;
	status =
	    database_describe(source_database(source), &query, &description);
	if (status == STATUS_OK)
		status = description_check(source, &description);
	if (status == STATUS_OK)
		status = database_ask_with(
		    source_database(source), &query, NULL, 0, &answer);
	if (status == STATUS_OK)
		status =
		    answer_take(source, answer, &description, take, context);
	database_answer_free(answer);
	free(sql);
	return status;
}
