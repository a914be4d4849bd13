/* SPDX-License-Identifier: ISC */
/*
 * The credentials from outside: usage: credentials [-p PROFILE] [-r REGION]
 * STEP..., each step one line: `region`, `forget` (what was had last), or
 * a number of seconds from now, at which the keys are asked for.
 */
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

#include "crlpress/credentials.h"

static int64_t
monotonic_ms(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static const char *
environment(const char *name)
{
	return getenv(name);
}

static bool
random_bytes(void *data, size_t len)
{
	return getentropy(data, len) == 0;
}

static enum status
keys(struct credentials_provider *provider, const char *step,
    struct credentials *last)
{
	int64_t now_sec = (int64_t)time(NULL) + strtoll(step, NULL, 10);
	struct credentials copy = {0};
	enum status status = credentials_get(provider, now_sec, &copy);

	if (status == STATUS_OK) {
		printf("%s %s %s %s\n", copy.key_id, copy.secret,
		    copy.session_token[0] == '\0' ? "-" : copy.session_token,
		    copy.expires_sec == CREDENTIALS_NEVER_SEC ? "never"
							      : "ends");
		*last = copy;
	} else {
		printf("%s\n", status_name(status));
	}
	credentials_wipe(&copy);
	return status;
}

static enum status
region(struct credentials_provider *provider)
{
	const char *name;
	enum status status = credentials_region(provider, &name);

	printf("%s\n", status != STATUS_OK ? status_name(status)
		       : name == NULL      ? "none"
					   : name);
	return status;
}

int
main(int argc, char **argv)
{
	const struct context context = {
	    .environment = environment,
	    .monotonic_ms = monotonic_ms,
	    .random_bytes = random_bytes,
	};
	struct report *report = report_new(stderr, SEVERITY_WARNING);
	struct credentials_config config = {0};
	struct credentials_provider *provider;
	struct credentials last = {0};
	enum status status;
	int option;

	while ((option = getopt(argc, argv, "p:r:c:")) != -1) {
		if (option == 'p')
			config.profile = optarg;
		else if (option == 'r')
			config.region = optarg;
		else if (option == 'c')
			config.ca_file = optarg;
		else
			return 2;
	}
	(void)signal(SIGPIPE, SIG_IGN);
	if (report == NULL)
		return 1;
	status = credentials_open(&context, &config, report, &provider);
	for (int i = optind; i < argc && provider != NULL; i++) {
		if (strcmp(argv[i], "region") == 0)
			status = region(provider);
		else if (strcmp(argv[i], "forget") == 0)
			credentials_forget(provider, &last);
		else
			status = keys(provider, argv[i], &last);
	}
	credentials_close(provider);
	report_close(report);
	report_free(report);
	return status_exit(status);
}
