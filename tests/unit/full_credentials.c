/* SPDX-License-Identifier: ISC */
/*
 * The credentials as many threads use them, and what of them stays in memory.
 * Where they come from is tested from outside (tests/e2e/s3-credentials.bats).
 */
#include "crlpress/credentials.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "../../src/credentials_impl.h"

#define THREADS 8
#define ROUNDS 500
#define NOW_SEC 1800000000

/* What the environment says; read by `variable`. */
static struct {
	const char *name;
	const char *value;
} variables[VARIABLE_COUNT];

static const char *
variable(const char *name)
{
	for (size_t i = 0; i < VARIABLE_COUNT && variables[i].name; i++)
		if (strcmp(variables[i].name, name) == 0)
			return variables[i].value;
	return NULL;
}

static int64_t
now_ms(void)
{
	return 0;
}

static bool
no_bytes(void *data, size_t len)
{
	memset(data, 0, len);
	return true;
}

static struct credentials_provider *
open_with(struct report *report, const char *file)
{
	const struct context context = {
	    .environment = variable,
	    .monotonic_ms = now_ms,
	    .random_bytes = no_bytes,
	};
	const struct credentials_config config = {0};
	struct credentials_provider *provider;

	memset(variables, 0, sizeof(variables));
	variables[0].name = "AWS_SHARED_CREDENTIALS_FILE";
	variables[0].value = file;
	variables[1].name = "AWS_CONFIG_FILE";
	variables[1].value = "/dev/null";
	variables[2].name = "AWS_EC2_METADATA_DISABLED";
	variables[2].value = "true";
	assert_int_equal(
	    credentials_open(&context, &config, report, &provider), STATUS_OK);
	/* It has what it needs by now. */
	memset(variables, 0, sizeof(variables));
	return provider;
}

/* A file of keys; the caller removes it. */
static void
write_keys(char path[])
{
	static const char text[] = "[default]\n"
				   "aws_access_key_id = AKID\n"
				   "aws_secret_access_key = a/secret+=\n"
				   "aws_session_token = token\n"
				   "region = eu-west-3\n";
	int fd = mkstemp(path);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	assert_int_equal(close(fd), 0);
}

static void *
use(void *context)
{
	struct credentials_provider *provider = context;
	struct credentials copy = {0};
	const char *region;
	size_t good = 0;

	for (int i = 0; i < ROUNDS; i++) {
		if (credentials_get(provider, NOW_SEC + i, &copy) !=
			STATUS_OK ||
		    credentials_region(provider, &region) != STATUS_OK)
			break;
		good += strcmp(copy.key_id, "AKID") == 0 &&
			strcmp(copy.secret, "a/secret+=") == 0 &&
			strcmp(copy.session_token, "token") == 0 &&
			strcmp(region, "eu-west-3") == 0;
		if (i % 7 == 0)
			credentials_forget(provider, &copy);
		credentials_wipe(&copy);
	}
	return good == ROUNDS ? context : NULL;
}

static void
threads(void **state)
{
	char path[] = "/tmp/crlpress-keys-XXXXXX";
	struct report *report = report_new(NULL, SEVERITY_WARNING);
	struct credentials_provider *provider;
	pthread_t thread[THREADS];

	(void)state;
	write_keys(path);
	assert_non_null(report);
	provider = open_with(report, path);
	for (size_t i = 0; i < THREADS; i++)
		assert_int_equal(
		    pthread_create(&thread[i], NULL, use, provider), 0);
	for (size_t i = 0; i < THREADS; i++) {
		void *result;

		assert_int_equal(pthread_join(thread[i], &result), 0);
		assert_ptr_equal(result, provider);
	}
	assert_int_equal(report_kept(report), 0);
	credentials_close(provider);
	report_free(report);
	assert_int_equal(unlink(path), 0);
}

/* Every one asks, and every one is told. */
static void
none(void **state)
{
	struct report *report = report_new(NULL, SEVERITY_WARNING);
	struct credentials_provider *provider;
	struct credentials copy;

	(void)state;
	assert_non_null(report);
	memset(&copy, 'x', sizeof(copy));
	provider = open_with(report, "/dev/null");
	for (int i = 0; i < 2; i++)
		assert_int_equal(
		    credentials_get(provider, NOW_SEC, &copy), STATUS_CONFIG);
	assert_int_equal(report_count(report, SEVERITY_FAULT), 2);
	/* Nothing of what was there. */
	for (size_t i = 0; i < sizeof(copy); i++)
		assert_int_equal(((const char *)&copy)[i], 0);
	credentials_close(provider);
	credentials_close(NULL);
	report_free(report);
}

static void
times(void **state)
{
	static const struct {
		const char *text;
		int64_t sec; /* 0: none */
	} cases[] = {
	    {"2027-01-15T08:00:00Z", NOW_SEC},
	    {"2027-01-15T08:00:00.999Z", NOW_SEC},
	    {"2027-01-15T08:00:00+00:00", NOW_SEC},
	    {"2027-01-15T08:00:00", 0},
	    {"2027-01-15T08:00:00.Z", 0},
	    {"2027-01-15T08:00:00ZZ", 0},
	    {"2027-01-15T08:00:00+01:00", 0},
	    {"2027-02-30T08:00:00Z", 0},
	    {"", 0},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		int64_t sec = 0;
		enum status status = credentials_time(cases[i].text, &sec);

		if ((status == STATUS_OK) != (cases[i].sec != 0) ||
		    (status == STATUS_OK && sec != cases[i].sec))
			fail_msg(
			    "%s: have %lld", cases[i].text, (long long)sec);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(threads),
	    cmocka_unit_test(none),
	    cmocka_unit_test(times),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
