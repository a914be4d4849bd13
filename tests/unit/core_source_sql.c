/* SPDX-License-Identifier: ISC */
/*
 * Placeholders of a statement: what is replaced, what is left alone, what is
 * refused and where. And the columns a statement may have.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "crlpress/source_column.h"
#include "crlpress/source_sql.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const struct source_sql_literals literals = {
    .issuer = "'I'", .lookback = "'L'"};

static void
test_expand(void **state)
{
	static const struct {
		const char *sql;
		const char *want; /* NULL: as it is */
	} cases[] = {
	    {"", NULL},
	    {"SELECT 1", NULL},
	    {"a = :'issuer'", "a =  'I' "},
	    {":'issuer':'lookback'", " 'I'  'L' "},
	    {"(:'lookback')::timestamptz", "( 'L' )::timestamptz"},
	    {":'lookback'::timestamptz", " 'L' ::timestamptz"},
	    {"x::text = :'issuer'", "x::text =  'I' "},
	    {"f(a := :'issuer')", "f(a :=  'I' )"},
	    {"a[1:2], a[ : 3], a[:]", NULL},
	    /* Quotes. */
	    {"':''issuer'''", NULL},
	    {"'it''s :name' \":name\" U&\":name\"", NULL},
	    {"'back\\' = :'issuer'", "'back\\' =  'I' "},
	    {"E'quote\\' :name' = :'issuer'", "E'quote\\' :name' =  'I' "},
	    {"e'\\\\' = :'issuer'", "e'\\\\' =  'I' "},
	    {"E'it''s :name'", NULL},
	    /* The letter e that belongs to a word. */
	    {"DATE'2026\\' = :'issuer'", "DATE'2026\\' =  'I' "},
	    {"each'2026\\' = :'issuer'", "each'2026\\' =  'I' "},
	    {"date'2026\\' = :'issuer'", "date'2026\\' =  'I' "},
	    {"\"a\"\":name\"", NULL},
	    /* Dollar quotes. */
	    {"$$ :name ' $$ :'issuer'", "$$ :name ' $$  'I' "},
	    {"$a$ :name $$ $b$ $a$ :'issuer'", "$a$ :name $$ $b$ $a$  'I' "},
	    {"$a1_$:name$a1_$", NULL},
	    {"$1 = :'issuer' AND $2", "$1 =  'I'  AND $2"},
	    {"a$b$ = :'issuer' AND c$b$", "a$b$ =  'I'  AND c$b$"},
	    /* Comments. */
	    {"-- :name '\n:'issuer'", "-- :name '\n 'I' "},
	    {"1 -- :name", NULL},
	    {"/* :name ' */ :'issuer'", "/* :name ' */  'I' "},
	    {"/* /* ' */ :name */ :'issuer'", "/* /* ' */ :name */  'I' "},
	    {"1 - -1 / 2 * 3", NULL},
	    /* The end. */
	    {"SELECT 1;", "SELECT 1 "},
	    {"SELECT 1 ; -- over\n/* : */ \n",
		"SELECT 1   -- over\n/* : */ \n"},
	    {"SELECT ';'", NULL},
	    {"\xc3\xa4\xc3\xb6 = :'issuer'", "\xc3\xa4\xc3\xb6 =  'I' "},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct source_sql_fault fault;
		char *sql = NULL;

		assert_int_equal(
		    source_sql_expand(cases[i].sql, &literals, &sql, &fault),
		    STATUS_OK);
		assert_string_equal(
		    sql, cases[i].want != NULL ? cases[i].want : cases[i].sql);
		free(sql);
	}
}

static void
test_expand_refused(void **state)
{
	static const struct {
		const char *sql;
		const char *what;
		unsigned line;
		const char *name;
	} cases[] = {
	    {"\n:'ISSUER'", "an unknown placeholder", 2, "ISSUER"},
	    {":'issue'", "an unknown placeholder", 1, "issue"},
	    {":'issuers'", "an unknown placeholder", 1, "issuers"},
	    {":''", "an unknown placeholder", 1, ""},
	    {"-- a\n/*\n*/\n'\n' :name", "an unknown placeholder", 5, "name"},
	    {":issuer", "an unknown placeholder", 1, "issuer"},
	    {":\"issuer\"", "an unknown placeholder", 1, "issuer"},
	    {":::lb", "an unknown placeholder", 1, "lb"},
	    {"a[x:y]", "an unknown placeholder", 1, "y"},
	    {":'issuer", "an unknown placeholder", 1, "issuer"},
	    {"\n'abc", "a quote that does not end", 2, ""},
	    {"\"abc", "a quote that does not end", 1, ""},
	    {"E'abc\\'", "a quote that does not end", 1, ""},
	    {"E'abc\\", "a quote that does not end", 1, ""},
	    {"$x$ $y$ $$", "a dollar quote that does not end", 1, ""},
	    {"1\n\n/* /* */", "a comment that does not end", 3, ""},
	    {"SELECT 1; SELECT 2", "more than one statement", 1, ""},
	    {"SELECT 1;;", "more than one statement", 1, ""},
	    {"SELECT 1;\n:'issuer'", "more than one statement", 2, ""},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct source_sql_fault fault;
		char *sql = NULL;

		assert_int_equal(
		    source_sql_expand(cases[i].sql, &literals, &sql, &fault),
		    STATUS_CONFIG);
		assert_null(sql);
		assert_string_equal(fault.what, cases[i].what);
		assert_string_equal(fault.name, cases[i].name);
		assert_int_equal(fault.line, cases[i].line);
	}
}

static void
test_expand_limits(void **state)
{
	char *long_sql = malloc(SOURCE_SQL_BYTES_MOST + 1);
	char long_name[3 * SOURCE_SQL_NAME_BYTES];
	struct source_sql_fault fault;
	char *sql = NULL;

	(void)state;
	assert_non_null(long_sql);
	memset(long_sql, ' ', SOURCE_SQL_BYTES_MOST);
	long_sql[SOURCE_SQL_BYTES_MOST - 1] = '\0';
	assert_int_equal(
	    source_sql_expand(long_sql, &literals, &sql, &fault), STATUS_OK);
	free(sql);
	long_sql[SOURCE_SQL_BYTES_MOST - 1] = ' ';
	long_sql[SOURCE_SQL_BYTES_MOST] = '\0';
	assert_int_equal(source_sql_expand(long_sql, &literals, &sql, &fault),
	    STATUS_CONFIG);
	assert_string_equal(fault.what, "the statement is too long");
	/* As a literal makes it, too. */
	long_sql[SOURCE_SQL_BYTES_MOST - 1] = '\0';
	memcpy(long_sql + SOURCE_SQL_BYTES_MOST - 12, ":'lookback'", 11);
	assert_int_equal(
	    source_sql_expand(long_sql, &literals, &sql, &fault), STATUS_OK);
	free(sql);
	assert_int_equal(source_sql_expand(long_sql,
			     &(struct source_sql_literals){
				 .issuer = "'I'", .lookback = "'0123456789'"},
			     &sql, &fault),
	    STATUS_CONFIG);
	assert_string_equal(fault.what, "the statement is too long");
	memset(long_name, 'n', sizeof(long_name));
	long_name[0] = ':';
	long_name[sizeof(long_name) - 1] = '\0';
	assert_int_equal(source_sql_expand(long_name, &literals, &sql, &fault),
	    STATUS_CONFIG);
	assert_int_equal(strlen(fault.name), SOURCE_SQL_NAME_BYTES - 1);
	free(long_sql);
}

/* By pg_type's OIDs. */
static void
test_column_types(void **state)
{
	static const struct {
		enum source_column column;
		enum serial_encoding encoding;
		uint32_t oid;
		bool good;
		enum source_type type;
		bool hint;
	} cases[] = {
	    {SOURCE_SERIAL, SERIAL_BYTEA, 17, true, SOURCE_TYPE_BYTEA, 0},
	    {SOURCE_SERIAL, SERIAL_BYTEA, 25, false, 0, true},
	    {SOURCE_SERIAL, SERIAL_BYTEA, 1043, false, 0, true},
	    {SOURCE_SERIAL, SERIAL_BYTEA, 20, false, 0, true},
	    {SOURCE_SERIAL, SERIAL_HEX, 17, true, SOURCE_TYPE_BYTEA, 0},
	    {SOURCE_SERIAL, SERIAL_HEX, 25, true, SOURCE_TYPE_TEXT, 0},
	    {SOURCE_SERIAL, SERIAL_HEX, 1043, true, SOURCE_TYPE_TEXT, 0},
	    {SOURCE_SERIAL, SERIAL_HEX, 1042, true, SOURCE_TYPE_BPCHAR, 0},
	    {SOURCE_SERIAL, SERIAL_DECIMAL, 25, true, SOURCE_TYPE_TEXT, 0},
	    {SOURCE_SERIAL, SERIAL_DECIMAL, 1700, false, 0, true},
	    {SOURCE_SERIAL, SERIAL_DECIMAL, 2950, false, 0, false},
	    {SOURCE_REVOKED_AT, 0, 1184, true, SOURCE_TYPE_TIMESTAMPTZ, 0},
	    {SOURCE_REVOKED_AT, 0, 20, true, SOURCE_TYPE_INT8, 0},
	    {SOURCE_REVOKED_AT, 0, 23, true, SOURCE_TYPE_INT4, 0},
	    {SOURCE_REVOKED_AT, 0, 21, false, 0, false},
	    {SOURCE_REVOKED_AT, 0, 1114, false, 0, true},
	    {SOURCE_NOT_AFTER, 0, 1082, false, 0, true},
	    {SOURCE_NOT_AFTER, 0, 1700, false, 0, true},
	    {SOURCE_NOT_AFTER, 0, 701, false, 0, true},
	    {SOURCE_NOT_AFTER, 0, 25, false, 0, true},
	    {SOURCE_REASON, 0, 21, true, SOURCE_TYPE_INT2, 0},
	    {SOURCE_REASON, 0, 23, true, SOURCE_TYPE_INT4, 0},
	    {SOURCE_SHARD, 0, 20, true, SOURCE_TYPE_INT8, 0},
	    {SOURCE_RECORDED_AT, 0, 1184, true, SOURCE_TYPE_TIMESTAMPTZ, 0},
	    {SOURCE_RECORDED_AT, 0, 20, true, SOURCE_TYPE_INT8, 0},
	    {SOURCE_RECORDED_AT, 0, 1114, false, 0, true},
	    {SOURCE_RECORDED_AT, 0, 1700, false, 0, true},
	    {SOURCE_RECORDED_AT, 0, 16, false, 0, false},
	    {SOURCE_SHARD, 0, 25, false, 0, true},
	    {SOURCE_SHARD, 0, 1184, false, 0, false},
	    {SOURCE_REASON, 0, 1700, false, 0, true},
	    {SOURCE_REASON, 0, 16, false, 0, false},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		const char *want = NULL, *hint = NULL;
		enum source_type type = SOURCE_TYPE_TEXT;
		enum status status = source_column_type(cases[i].column,
		    cases[i].encoding, cases[i].oid, &type, &want, &hint);

		assert_int_equal(
		    status, cases[i].good ? STATUS_OK : STATUS_CONFIG);
		if (cases[i].good) {
			assert_int_equal(type, cases[i].type);
			continue;
		}
		assert_non_null(want);
		assert_int_equal(hint != NULL, cases[i].hint);
	}
}

static void
test_column_places(void **state)
{
	(void)state;
	assert_int_equal(
	    source_column_place(SOURCE_REVOKED_AT, "revoked_at"), STATUS_OK);
	assert_int_equal(
	    source_column_place(SOURCE_REVOKED_AT, "revocationDate"),
	    STATUS_OK);
	assert_int_equal(
	    source_column_place(SOURCE_SHARD, "?column?"), STATUS_OK);
	assert_int_equal(
	    source_column_place(SOURCE_REVOKED_AT, "not_after"), STATUS_CONFIG);
	assert_int_equal(
	    source_column_place(SOURCE_SHARD, "reason"), STATUS_CONFIG);
	assert_int_equal(
	    source_column_place(SOURCE_SHARD, "recorded_at"), STATUS_CONFIG);
	assert_int_equal(source_column_place(SOURCE_RECORDED_AT, "not_after"),
	    STATUS_CONFIG);
	assert_int_equal(
	    source_column_place(SOURCE_RECORDED_AT, "created"), STATUS_OK);
}

/* A statement for one shard or one serial has one placeholder more. */
static void
test_more_placeholders(void **state)
{
	const struct source_sql_literals shard = {
	    .issuer = "'I'", .lookback = "'L'", .shard = "'7'"};
	const struct source_sql_literals serial = {
	    .issuer = "'I'", .lookback = "'L'", .serial = "'0a'"};
	struct source_sql_fault fault;
	char *sql = NULL;

	(void)state;
	assert_int_equal(
	    source_sql_expand(":'shard':'issuer'", &shard, &sql, &fault),
	    STATUS_OK);
	assert_string_equal(sql, " '7'  'I' ");
	free(sql);
	assert_int_equal(
	    source_sql_expand("x=:'serial'", &serial, &sql, &fault), STATUS_OK);
	assert_string_equal(sql, "x= '0a' ");
	free(sql);
	assert_int_equal(source_sql_expand(":'shard'", &serial, &sql, &fault),
	    STATUS_CONFIG);
	assert_string_equal(fault.name, "shard");
	assert_non_null(strstr(fault.hint, ":'serial'"));
	assert_int_equal(source_sql_expand(":'serial'", &shard, &sql, &fault),
	    STATUS_CONFIG);
	assert_non_null(strstr(fault.hint, ":'shard'"));
	assert_int_equal(source_sql_expand(":'shard'", &literals, &sql, &fault),
	    STATUS_CONFIG);
	assert_string_equal(
	    fault.hint, "the placeholders are :'issuer' and :'lookback'");
}

/* What several connections share is told which part it is. */
static void
test_parts(void **state)
{
	const struct source_sql_literals parts = {.issuer = "'I'",
	    .lookback = "'L'",
	    .part = "'1'",
	    .parts = "'4'",
	    .from = "'(0,0)'",
	    .to = "'(9,0)'"};
	struct source_sql_fault fault;
	char *sql = NULL;

	(void)state;
	assert_int_equal(source_sql_expand(":'part'/:'parts' :'from' :'to'",
			     &parts, &sql, &fault),
	    STATUS_OK);
	assert_string_equal(sql, " '1' / '4'   '(0,0)'   '(9,0)' ");
	free(sql);
	assert_int_equal(
	    source_sql_expand(":'shard'", &parts, &sql, &fault), STATUS_CONFIG);
	assert_non_null(strstr(fault.hint, ":'part' and :'parts'"));
	/* A statement for one shard is not split. */
	assert_int_equal(source_sql_expand(":'part'", &literals, &sql, &fault),
	    STATUS_CONFIG);
	assert_string_equal(fault.name, "part");
}

/* A placeholder that psql would replace, and no text that looks like one. */
static void
test_has(void **state)
{
	(void)state;
	assert_true(source_sql_has("SELECT :'part'", "part"));
	assert_true(source_sql_has("x -- y\n= :'part' % :'parts'", "parts"));
	assert_false(source_sql_has("SELECT :'parts'", "part"));
	assert_false(source_sql_has("SELECT 1 -- :'part'", "part"));
	assert_false(source_sql_has("/* :'part' */ SELECT 1", "part"));
	assert_false(source_sql_has("SELECT ':''part'''", "part"));
	assert_false(source_sql_has("SELECT $$:'part'$$", "part"));
	assert_false(source_sql_has("SELECT :\"part\"", "part"));
	assert_false(source_sql_has("", "part"));
	assert_false(source_sql_has("SELECT :'part' '", "part"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_more_placeholders),
	    cmocka_unit_test(test_parts),
	    cmocka_unit_test(test_has),
	    cmocka_unit_test(test_expand),
	    cmocka_unit_test(test_expand_refused),
	    cmocka_unit_test(test_expand_limits),
	    cmocka_unit_test(test_column_types),
	    cmocka_unit_test(test_column_places),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
