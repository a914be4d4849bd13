/* SPDX-License-Identifier: ISC */
/*
 * The keys that sign requests to an S3 store, from where users of AWS tools
 * expect them, in the order of the AWS SDKs; the first place that has any
 * stays the only one:
 *
 * 1. AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN, unless
 *    a profile is configured;
 * 2. the token file of AWS_WEB_IDENTITY_TOKEN_FILE for AWS_ROLE_ARN, likewise;
 * 3. the profile (the configured one, AWS_PROFILE, or "default") in the
 *    shared credentials and config files: a web identity, or keys;
 * 4. the container endpoint of AWS_CONTAINER_CREDENTIALS_RELATIVE_URI or
 *    _FULL_URI;
 * 5. the instance metadata service, IMDSv2 only.
 *
 * Keys that end are renewed in time. No key, token or reply is ever reported.
 * No file may be read and no service asked before the keys are wanted.
 */
#ifndef CRLPRESS_CREDENTIALS_H
#define CRLPRESS_CREDENTIALS_H

#include <stdint.h>

#include "crlpress/context.h"
#include "crlpress/report.h"
#include "crlpress/status.h"

/* AWS says 128 and 40; other stores are freer. */
#define CREDENTIALS_KEY_BYTES 257
#define CREDENTIALS_SECRET_BYTES 257
/* AWS names no bound and asks not to assume one; a header has its own. */
#define CREDENTIALS_TOKEN_BYTES 16385

#define CREDENTIALS_NEVER_SEC INT64_MAX

/* Zero-initialise; wipe every copy. */
struct credentials {
	char key_id[CREDENTIALS_KEY_BYTES];
	char secret[CREDENTIALS_SECRET_BYTES];
	char session_token[CREDENTIALS_TOKEN_BYTES]; /* empty: none */
	int64_t expires_sec;
};

/* Strings are copied. */
struct credentials_config {
	const char *profile; /* NULL: as the environment says */
	const char *region;  /* whose STS is asked; NULL: as of the profile */
	const char *ca_file; /* for STS and a container endpoint; NULL: the
			      * system's */
};

struct credentials_provider;

/*
 * The environment is read here, and neither the configuration nor the context
 * is kept but for its functions. STATUS_NO_MEMORY, reported.
 */
enum status credentials_open(const struct context *context,
    const struct credentials_config *config, struct report *report,
    struct credentials_provider **provider) MUST_CHECK;
void credentials_close(struct credentials_provider *provider);

/*
 * AWS_REGION, AWS_DEFAULT_REGION, then what the profile says; NULL when nobody
 * does. Belongs to the provider. STATUS_CONFIG, reported, when a shared file
 * cannot be used.
 */
enum status credentials_region(
    struct credentials_provider *provider, const char **region) MUST_CHECK;

/*
 * A copy of the keys, renewed before when they are about to end. Keys that
 * could not be renewed are used to their end, with a warning. Any failure is
 * reported: STATUS_CONFIG when there are none, or a file or variable is wrong;
 * STATUS_FAILED when a service does not give them. Threads may call it.
 */
enum status credentials_get(struct credentials_provider *provider,
    int64_t now_sec, struct credentials *copy) MUST_CHECK;

/*
 * Says that the store refused these keys as ended or unknown: the next
 * credentials_get asks for new ones, if these are still what it has, and if
 * they come from where new ones can come from. Threads may call it.
 */
void credentials_forget(
    struct credentials_provider *provider, const struct credentials *refused);

/* Overwrites the copy. */
void credentials_wipe(struct credentials *copy);

#endif
