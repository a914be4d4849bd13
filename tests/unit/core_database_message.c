/* SPDX-License-Identifier: ISC */
/* What is made of the words of PostgreSQL and of libpq. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "../../src/database_impl.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static void
test_connect_remedy(void **state)
{
	static const struct {
		const char *text;
		const char *hint; /* some words of it; NULL: none */
	} cases[] = {
	    {"FATAL:  password authentication failed for user \"cron\"",
		"passfile"},
	    {"FATAL:  no pg_hba.conf entry for host \"::1\", user \"cron\"",
		"pg_hba.conf of the server"},
	    {"FATAL:  Peer authentication failed for user \"cron\"",
		"pg_hba.conf of the server"},
	    {"FATAL:  role \"nope\" does not exist", "`user` names the role"},
	    {"FATAL:  database \"nope\" does not exist",
		"`dbname` names the database"},
	    {"FATAL:  permission denied for database \"crl\"", "GRANT CONNECT"},
	    {"FATAL:  the database system is starting up", "starts up"},
	    {"FATAL:  sorry, too many clients already", "max_connections"},
	    {"FATAL:  too many connections for role \"cron\"",
		"CONNECTION LIMIT"},
	    {"definition of service \"nope\" not found", "pg_service.conf"},
	    {"FATAL:  Datenbank \"nope\" existiert nicht", NULL},
	    {"connection refused", NULL},
	    {"database \"nope\" is at war", NULL},
	    {NULL, NULL},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		const char *hint =
		    database_message_connect_remedy(cases[i].text);

		assert_int_equal(hint != NULL, cases[i].hint != NULL);
		if (hint != NULL)
			assert_non_null(strstr(hint, cases[i].hint));
	}
}

static void
test_option(void **state)
{
	static const struct {
		const char *conninfo;
		const char *error;
		const char *name; /* NULL: none */
	} cases[] = {
	    {"host=x passwrd=s", "invalid connection option \"passwrd\"\n",
		"passwrd"},
	    {"host=x passwrd\t =s", "invalid connection option \"passwrd\"\n",
		"passwrd"},
	    {"postgres://h/d?passwrd=s",
		"invalid URI query parameter: \"passwrd\"\n", "passwrd"},
	    /* Where it may be a value. */
	    {"host=x secret", "missing \"=\" after \"secret\"\n", NULL},
	    {"host=x secret", "\"secret\" is odd", NULL},
	    {"host=secret x=1", "\"secret\" is odd", NULL},
	    {"host=x s%zz=1", "invalid token: \"s%zz\"", NULL},
	    {"host=x a=1", "unexpected \"a\"", NULL},
	    {"host=x secre=1", "unexpected \"secre", NULL},
	    {"host=x", NULL, NULL},
	    {"host=x", "out of memory", NULL},
	};
	char name[DATABASE_OPTION_BYTES];

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		bool found = database_message_option(
		    cases[i].conninfo, cases[i].error, name);

		assert_int_equal(found, cases[i].name != NULL);
		if (found)
			assert_string_equal(name, cases[i].name);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_connect_remedy),
	    cmocka_unit_test(test_option),
	};

	return cmocka_run_group_tests_name(
	    "database_message", tests, NULL, NULL);
}
