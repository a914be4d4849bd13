/* SPDX-License-Identifier: ISC */
/*
 * Which keys are in force: where they come from, and when they are renewed.
 * The order is that of the AWS SDKs ("standardized credential providers"),
 * with botocore's rule that a profile named to the program comes before keys
 * of the environment.
 */
#include "crlpress/credentials.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "credentials_impl.h"

/* Keys are renewed when they have less than this left, as botocore does. */
#define RENEW_SEC (15 * 60)

/* A service that does not answer, or gives short keys, is let alone so long. */
#define ASK_AGAIN_SEC 60

/* The deadline of one question to a service, all tries together. */
#define ASK_DEADLINE_MS (20 * 1000)

static const char *const names[VARIABLE_COUNT] = {
    [VARIABLE_KEY_ID] = "AWS_ACCESS_KEY_ID",
    [VARIABLE_SECRET] = "AWS_SECRET_ACCESS_KEY",
    [VARIABLE_SESSION_TOKEN] = "AWS_SESSION_TOKEN",
    [VARIABLE_SECURITY_TOKEN] = "AWS_SECURITY_TOKEN",
    [VARIABLE_REGION] = "AWS_REGION",
    [VARIABLE_DEFAULT_REGION] = "AWS_DEFAULT_REGION",
    [VARIABLE_PROFILE] = "AWS_PROFILE",
    [VARIABLE_DEFAULT_PROFILE] = "AWS_DEFAULT_PROFILE",
    [VARIABLE_CREDENTIALS_FILE] = "AWS_SHARED_CREDENTIALS_FILE",
    [VARIABLE_CONFIG_FILE] = "AWS_CONFIG_FILE",
    [VARIABLE_HOME] = "HOME",
    [VARIABLE_ROLE_ARN] = "AWS_ROLE_ARN",
    [VARIABLE_ROLE_SESSION_NAME] = "AWS_ROLE_SESSION_NAME",
    [VARIABLE_WEB_IDENTITY_TOKEN_FILE] = "AWS_WEB_IDENTITY_TOKEN_FILE",
    [VARIABLE_STS_ENDPOINT] = "AWS_ENDPOINT_URL_STS",
    [VARIABLE_CONTAINER_RELATIVE_URI] =
	"AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
    [VARIABLE_CONTAINER_FULL_URI] = "AWS_CONTAINER_CREDENTIALS_FULL_URI",
    [VARIABLE_CONTAINER_TOKEN] = "AWS_CONTAINER_AUTHORIZATION_TOKEN",
    [VARIABLE_CONTAINER_TOKEN_FILE] = "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE",
    [VARIABLE_METADATA_DISABLED] = "AWS_EC2_METADATA_DISABLED",
    [VARIABLE_METADATA_ENDPOINT] = "AWS_EC2_METADATA_SERVICE_ENDPOINT",
    [VARIABLE_METADATA_MODE] = "AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE",
};

struct credentials_source {
	enum status (*get)(
	    struct credentials_provider *, int64_t, struct credentials *);
	bool renews; /* asking again can give other keys */
};

const char *
credentials_variable_name(enum credentials_variable variable)
{
	return names[variable];
}

const char *
credentials_variable(const struct credentials_provider *provider,
    enum credentials_variable variable)
{
	return provider->variable[variable];
}

enum status
credentials_fault(struct credentials_provider *provider, enum status status,
    const char *object, const char *format, ...)
{
	char text[CREDENTIALS_WHY_BYTES];
	va_list args;

	va_start(args, format);
	(void)vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	if (provider->has_others)
		report_warn(provider->report, object, "credentials", NULL,
		    "%s; the present keys are used to their end", text);
	else
		report_fault(provider->report, status, object, "credentials",
		    NULL, "%s", text);
	return status;
}

enum status
credentials_none(struct credentials_provider *provider, const char *format, ...)
{
	size_t len = strlen(provider->why);
	va_list args;

	/* What is cut off at the end was said at length before. */
	if (len > 0 && len + 2 < sizeof(provider->why)) {
		memcpy(provider->why + len, "; ", 3);
		len += 2;
	}
	va_start(args, format);
	(void)vsnprintf(
	    provider->why + len, sizeof(provider->why) - len, format, args);
	va_end(args);
	return STATUS_NOT_FOUND;
}

/* Keys in the environment: both or none. */
static enum status
from_environment(struct credentials_provider *provider, int64_t now_sec,
    struct credentials *found)
{
	const char *key_id = credentials_variable(provider, VARIABLE_KEY_ID);
	const char *secret = credentials_variable(provider, VARIABLE_SECRET);
	const char *token =
	    credentials_variable(provider, VARIABLE_SESSION_TOKEN);
	enum status status;

	(void)now_sec;
	if (provider->profile_configured)
		return STATUS_NOT_FOUND;
	if (key_id == NULL && secret == NULL)
		return credentials_none(provider, "not in the environment");
	if (token == NULL)
		token = credentials_variable(provider, VARIABLE_SECURITY_TOKEN);
	if (key_id == NULL || secret == NULL)
		return credentials_fault(provider, STATUS_CONFIG,
		    names[key_id == NULL ? VARIABLE_KEY_ID : VARIABLE_SECRET],
		    "not set, although %s is",
		    names[key_id == NULL ? VARIABLE_SECRET : VARIABLE_KEY_ID]);
	status = credentials_set(provider, found->key_id, sizeof(found->key_id),
	    key_id, "environment", names[VARIABLE_KEY_ID]);
	if (status == STATUS_OK)
		status = credentials_set(provider, found->secret,
		    sizeof(found->secret), secret, "environment",
		    names[VARIABLE_SECRET]);
	if (status == STATUS_OK && token != NULL)
		status = credentials_set(provider, found->session_token,
		    sizeof(found->session_token), token, "environment",
		    names[VARIABLE_SESSION_TOKEN]);
	found->expires_sec = CREDENTIALS_NEVER_SEC;
	return status;
}

/* In the order they are asked in. */
static const struct credentials_source sources[] = {
    {from_environment, false},
    {credentials_from_token_file, true},
    {credentials_from_profile, true},
    {credentials_from_container, true},
    {credentials_from_instance, true},
};

/* A copy, or NULL for what is not there; false when memory ran out. */
static bool
copy_string(char **copy, const char *text)
{
	*copy = NULL;
	if (text == NULL || *text == '\0')
		return true;
	*copy = strdup(text);
	return *copy != NULL;
}

static bool
provider_fill(struct credentials_provider *provider,
    const struct context *context, const struct credentials_config *config)
{
	const char *profile = config->profile;

	for (size_t i = 0; i < VARIABLE_COUNT; i++)
		if (!copy_string(&provider->variable[i],
			context->environment == NULL
			    ? NULL
			    : context->environment(names[i])))
			return false;
	provider->profile_configured = profile != NULL && *profile != '\0';
	if (!provider->profile_configured)
		profile = credentials_variable(provider, VARIABLE_PROFILE);
	if (profile == NULL)
		profile =
		    credentials_variable(provider, VARIABLE_DEFAULT_PROFILE);
	provider->profile_named = profile != NULL;
	return copy_string(
		   &provider->profile, profile == NULL ? "default" : profile) &&
	       copy_string(&provider->region, config->region) &&
	       copy_string(&provider->ca_file, config->ca_file);
}

enum status
credentials_open(const struct context *context,
    const struct credentials_config *config, struct report *report,
    struct credentials_provider **out)
{
	struct credentials_provider *provider = calloc(1, sizeof(*provider));

	*out = NULL;
	if (provider != NULL) {
		provider->report = report;
		provider->policy = (struct retry_policy){
		    .now_ms = context->monotonic_ms,
		    .random_bytes = context->random_bytes,
		    .sleep_ms = retry_sleep_ms,
		    .cancelled = context->interrupted,
		    .deadline_ms = ASK_DEADLINE_MS,
		};
		/* With default attributes it cannot fail. */
		(void)pthread_mutex_init(&provider->lock, NULL);
	}
	if (provider == NULL || !provider_fill(provider, context, config)) {
		credentials_close(provider);
		return report_fault(report, STATUS_NO_MEMORY, "credentials",
		    "credentials", NULL, "out of memory");
	}
	*out = provider;
	return STATUS_OK;
}

void
credentials_close(struct credentials_provider *provider)
{
	if (provider == NULL)
		return;
	http_close(provider->http);
	http_close(provider->direct);
	for (size_t i = 0; i < 2; i++) {
		aws_profile_free(&provider->profile_of[i]);
		free(provider->profile_path[i]);
	}
	for (size_t i = 0; i < VARIABLE_COUNT; i++)
		if (provider->variable[i] != NULL)
			credentials_text_free(provider->variable[i],
			    strlen(provider->variable[i]));
	free(provider->profile);
	free(provider->region);
	free(provider->ca_file);
	(void)pthread_mutex_destroy(&provider->lock);
	explicit_bzero(provider, sizeof(*provider));
	free(provider);
}

/* What is said when nobody has keys, or who had some has no more. */
static enum status
none_fault(struct credentials_provider *provider)
{
	if (provider->source != NULL)
		return credentials_fault(provider, STATUS_FAILED, "credentials",
		    "not renewed: %s", provider->why);
	credentials_fault(provider, STATUS_CONFIG, "credentials",
	    "none found: %s", provider->why);
	report_hint(provider->report,
	    "set %s and %s, or name a profile of the shared credentials file",
	    names[VARIABLE_KEY_ID], names[VARIABLE_SECRET]);
	return STATUS_CONFIG;
}

/* Asks the place that had keys before, or each in turn. */
static enum status
ask(struct credentials_provider *provider, int64_t now_sec,
    struct credentials *found)
{
	enum status status = STATUS_NOT_FOUND;
	const struct credentials_source *source = provider->source;

	provider->why[0] = '\0';
	if (source != NULL) {
		status = source->get(provider, now_sec, found);
		if (status == STATUS_NOT_FOUND)
			status = none_fault(provider);
		return status;
	}
	for (size_t i = 0; i < sizeof(sources) / sizeof(*sources); i++) {
		status = sources[i].get(provider, now_sec, found);
		if (status == STATUS_OK)
			provider->source = &sources[i];
		if (status != STATUS_NOT_FOUND)
			return status;
	}
	return none_fault(provider);
}

/* Seconds that the keys have left; 0 when they have ended, or are none. */
static int64_t
left_sec(const struct credentials_provider *provider, int64_t now_sec)
{
	int64_t expires = provider->now.expires_sec;

	if (provider->source == NULL || expires <= now_sec)
		return 0;
	return expires == CREDENTIALS_NEVER_SEC ? expires : expires - now_sec;
}

/*
 * Whether it is time to ask. A clock that was set back does not stop it. Keys
 * that had ended when they came are used all the same, since the clock that
 * says so may be this one: the store will tell.
 */
static bool
is_due(const struct credentials_provider *provider, int64_t now_sec)
{
	int64_t left = left_sec(provider, now_sec);

	if (provider->source == NULL || provider->forgotten)
		return true;
	if (left >= RENEW_SEC)
		return false;
	return (left == 0 && provider->refused) ||
	       now_sec < provider->asked_sec ||
	       now_sec - provider->asked_sec >= ASK_AGAIN_SEC;
}

static enum status
renew(struct credentials_provider *provider, int64_t now_sec)
{
	struct credentials found = {0};
	enum status status;

	provider->has_others =
	    left_sec(provider, now_sec) > 0 && !provider->forgotten;
	status = ask(provider, now_sec, &found);
	provider->asked_sec = now_sec;
	provider->refused = status != STATUS_OK;
	if (status == STATUS_OK) {
		provider->now = found;
		provider->forgotten = false;
	} else if (provider->has_others) {
		status = STATUS_OK;
	}
	credentials_wipe(&found);
	return status;
}

enum status
credentials_get(struct credentials_provider *provider, int64_t now_sec,
    struct credentials *copy)
{
	enum status status = STATUS_OK;

	credentials_wipe(copy);
	(void)pthread_mutex_lock(&provider->lock);
	if (is_due(provider, now_sec))
		status = renew(provider, now_sec);
	if (status == STATUS_OK)
		*copy = provider->now;
	(void)pthread_mutex_unlock(&provider->lock);
	return status;
}

void
credentials_forget(
    struct credentials_provider *provider, const struct credentials *refused)
{
	(void)pthread_mutex_lock(&provider->lock);
	if (provider->source != NULL && provider->source->renews &&
	    strcmp(provider->now.key_id, refused->key_id) == 0 &&
	    strcmp(provider->now.session_token, refused->session_token) == 0)
		provider->forgotten = true;
	(void)pthread_mutex_unlock(&provider->lock);
}

void
credentials_wipe(struct credentials *copy)
{
	explicit_bzero(copy, sizeof(*copy));
}
