/* SPDX-License-Identifier: ISC */
/*
 * One profile of the two files that AWS tools share, ~/.aws/credentials and
 * ~/.aws/config: as the AWS SDKs read them, but a file that could be
 * understood in two ways is refused. Pure; no library.
 */
#ifndef CRLPRESS_AWS_PROFILE_H
#define CRLPRESS_AWS_PROFILE_H

#include <stdbool.h>
#include <stddef.h>

#include "crlpress/status.h"

/* A file that is larger is none of them. */
#define AWS_PROFILE_BYTES_MOST ((size_t)1024 * 1024)

enum aws_file { AWS_CREDENTIALS_FILE, AWS_CONFIG_FILE };

/* The settings that mean something here; all others are passed over. */
enum aws_setting {
	AWS_ACCESS_KEY_ID,
	AWS_SECRET_ACCESS_KEY,
	AWS_SESSION_TOKEN,
	AWS_REGION,
	AWS_ROLE_ARN,
	AWS_ROLE_SESSION_NAME,
	AWS_WEB_IDENTITY_TOKEN_FILE,
	AWS_CREDENTIAL_PROCESS,
	AWS_SSO_SESSION,
	AWS_SSO_START_URL,
	AWS_SETTING_COUNT
};

struct aws_profile {
	bool found; /* the file has a section of this profile */
	/* NULL: not set. */
	char *value[AWS_SETTING_COUNT];
	size_t line[AWS_SETTING_COUNT];
};

/*
 * Reads the profile `name` from the text of a file. STATUS_MALFORMED with a
 * line and a reason, neither of which says what stands there;
 * STATUS_NO_MEMORY. Free it with aws_profile_free, which wipes it, if
 * STATUS_OK; otherwise it is empty.
 */
enum status aws_profile_read(const char *text, size_t len, enum aws_file file,
    const char *name, struct aws_profile *profile, size_t *line,
    const char **why) MUST_CHECK;
void aws_profile_free(struct aws_profile *profile);

/* "aws_access_key_id". */
const char *aws_setting_name(enum aws_setting setting);

#endif
