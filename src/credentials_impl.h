/* SPDX-License-Identifier: ISC */
/*
 * What the files of the credentials share: the provider, where the keys can
 * come from, and small files and URLs.
 */
#ifndef CRLPRESS_CREDENTIALS_IMPL_H
#define CRLPRESS_CREDENTIALS_IMPL_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "crlpress/aws_profile.h"
#include "crlpress/credentials.h"
#include "crlpress/http.h"
#include "crlpress/retry.h"

/* The variables that mean something here. */
enum credentials_variable {
	VARIABLE_KEY_ID,
	VARIABLE_SECRET,
	VARIABLE_SESSION_TOKEN,
	VARIABLE_SECURITY_TOKEN, /* its old name */
	VARIABLE_REGION,
	VARIABLE_DEFAULT_REGION,
	VARIABLE_PROFILE,
	VARIABLE_DEFAULT_PROFILE,
	VARIABLE_CREDENTIALS_FILE,
	VARIABLE_CONFIG_FILE,
	VARIABLE_HOME,
	VARIABLE_ROLE_ARN,
	VARIABLE_ROLE_SESSION_NAME,
	VARIABLE_WEB_IDENTITY_TOKEN_FILE,
	VARIABLE_STS_ENDPOINT,
	VARIABLE_CONTAINER_RELATIVE_URI,
	VARIABLE_CONTAINER_FULL_URI,
	VARIABLE_CONTAINER_TOKEN,
	VARIABLE_CONTAINER_TOKEN_FILE,
	VARIABLE_METADATA_DISABLED,
	VARIABLE_METADATA_ENDPOINT,
	VARIABLE_METADATA_MODE,
	VARIABLE_COUNT
};

/* A file with a token in it. */
#define CREDENTIALS_FILE_BYTES_MOST ((size_t)16 * 1024)

/* Why a place has no keys, for the message when none has. */
#define CREDENTIALS_WHY_BYTES 512

struct credentials_source;

struct credentials_provider {
	struct report *report;
	struct retry_policy policy;
	char *variable[VARIABLE_COUNT]; /* NULL: not set, or empty */
	char *profile;                  /* never NULL */
	bool profile_configured;        /* not by the environment */
	bool profile_named;             /* not just the default */
	char *region;                   /* configured; NULL: not */
	char *ca_file;

	pthread_mutex_t lock; /* of what follows */
	struct http *http;    /* to STS; NULL: not yet */
	struct http *direct;  /* to metadata; likewise */
	/* The profile in both files, once read. */
	bool profile_read;
	struct aws_profile profile_of[2]; /* by enum aws_file */
	char *profile_path[2];            /* NULL: nowhere */
	/* What was found. */
	const struct credentials_source *source;
	struct credentials now;
	int64_t asked_sec; /* when it was last tried to renew them */
	bool refused;      /* that failed */
	bool forgotten;    /* the store does not take them any more */
	bool has_others;   /* while renewing: there are some to go on with */
	char why[CREDENTIALS_WHY_BYTES];
};

/* The name of a variable. */
const char *credentials_variable_name(enum credentials_variable variable);

/* The value, or NULL. */
const char *credentials_variable(const struct credentials_provider *provider,
    enum credentials_variable variable);

/* Notes why a place has no keys. Returns STATUS_NOT_FOUND. */
enum status credentials_none(struct credentials_provider *provider,
    const char *format, ...) __attribute__((format(printf, 2, 3)));

/*
 * Reports a fault of an object: a variable, a file, a URL. It is a warning
 * when there are keys still that can be used. Returns `status`.
 */
enum status credentials_fault(struct credentials_provider *provider,
    enum status status, const char *object, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/*
 * The places, in order. Each fills `*found` (zeroed before), or returns
 * STATUS_NOT_FOUND when there is nothing to be had there; any other failure
 * is reported and ends the search.
 */
enum status credentials_from_token_file(struct credentials_provider *provider,
    int64_t now_sec, struct credentials *found) MUST_CHECK;
enum status credentials_from_profile(struct credentials_provider *provider,
    int64_t now_sec, struct credentials *found) MUST_CHECK;
enum status credentials_from_container(struct credentials_provider *provider,
    int64_t now_sec, struct credentials *found) MUST_CHECK;
enum status credentials_from_instance(struct credentials_provider *provider,
    int64_t now_sec, struct credentials *found) MUST_CHECK;

/* Reads the shared files, once. */
enum status credentials_profile_read(
    struct credentials_provider *provider) MUST_CHECK;

/* The region in force; NULL: none. The files have been read, if need be. */
const char *credentials_region_known(
    const struct credentials_provider *provider);

/* AssumeRoleWithWebIdentity. `session_name` may be NULL. */
enum status credentials_assume_role(struct credentials_provider *provider,
    int64_t now_sec, const char *token_file, const char *role_arn,
    const char *session_name, struct credentials *found) MUST_CHECK;

/* Copies a value; reports one that is too long. `what` names it. */
enum status credentials_set(struct credentials_provider *provider, char *out,
    size_t size, const char *value, const char *object,
    const char *what) MUST_CHECK;

/*
 * "2026-11-22T05:09:49Z", with a fraction if need be; STATUS_MALFORMED.
 */
enum status credentials_time(const char *text, int64_t *sec) MUST_CHECK;

/*
 * Whether these may be sent as the value of a header: printing ASCII without
 * blanks, and not nothing.
 */
bool credentials_word_ok(const char *text);

/*
 * A file that is at most `most` bytes, and a NUL behind it; STATUS_NOT_FOUND
 * when there is none, STATUS_MALFORMED when it is larger, STATUS_FAILED with
 * errno. Nothing is reported. Wipe and free it.
 */
enum status credentials_file_read(
    const char *path, size_t most, char **text, size_t *len) MUST_CHECK;
void credentials_text_free(char *text, size_t len);

/* A file that holds one token, blanks around it cut off; reported. */
enum status credentials_token_read(struct credentials_provider *provider,
    const char *path, char **token, size_t *len) MUST_CHECK;

/*
 * Whether secrets may be sent to this URL: by TLS to anywhere, else to this
 * machine or to one of `hosts` only.
 */
bool credentials_url_ok(
    const char *url, const char *const *hosts, size_t count);

/* The client for a kind of service, made when it is first needed. */
enum status credentials_http(struct credentials_provider *provider, bool direct,
    struct http **http) MUST_CHECK;

/*
 * Sends a request, and again while that may help. STATUS_OK when it was
 * answered, by whatever code; else not reported, `reply->why` tells. Free the
 * reply.
 */
enum status credentials_call(struct credentials_provider *provider,
    struct http *http, const struct http_request *request,
    struct http_reply *reply) MUST_CHECK;

#endif
