/* SPDX-License-Identifier: ISC */
/*
 * The profile in the two shared files. Within a profile the order is
 * botocore's: a role, single sign-on, keys of the credentials file, a
 * process, keys of the config file. What is not done here is refused by name
 * rather than passed over, so that nobody signs with keys that the profile
 * does not mean.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "credentials_impl.h"

/* A setting that is known and not done, and what to do instead. */
struct refusal {
	enum aws_setting setting;
	const char *instead;
};

static const struct refusal refusals[] = {
    {AWS_ROLE_ARN,
	"a role is taken with web_identity_token_file only; let another tool "
	"take it and hand over its keys"},
    {AWS_SSO_SESSION,
	"log in with another tool and hand over the keys that it gets"},
    {AWS_SSO_START_URL,
	"log in with another tool and hand over the keys that it gets"},
};

static const struct refusal refusal_process = {AWS_CREDENTIAL_PROCESS,
    "run it yourself and hand over its keys in the environment"};

/* The file that a setting is taken from: the credentials file first. */
static const struct aws_profile *
file_with(const struct credentials_provider *provider, enum aws_setting setting)
{
	for (size_t i = 0; i < 2; i++)
		if (provider->profile_of[i].value[setting] != NULL)
			return &provider->profile_of[i];
	return NULL;
}

static const char *
value_of(const struct credentials_provider *provider, enum aws_setting setting)
{
	const struct aws_profile *file = file_with(provider, setting);

	return file == NULL ? NULL : file->value[setting];
}

/* "FILE:LINE" of a setting. */
static void
place_of(const struct credentials_provider *provider,
    const struct aws_profile *file, enum aws_setting setting, char *place,
    size_t size)
{
	size_t i = (size_t)(file - provider->profile_of);

	(void)snprintf(place, size, "%s:%zu", provider->profile_path[i],
	    file->line[setting]);
}

/* The path that a variable names, or that below the home directory. */
static enum status
path_find(struct credentials_provider *provider, enum aws_file file)
{
	bool keys = file == AWS_CREDENTIALS_FILE;
	const char *named = credentials_variable(
	    provider, keys ? VARIABLE_CREDENTIALS_FILE : VARIABLE_CONFIG_FILE);
	const char *home = credentials_variable(provider, VARIABLE_HOME);
	const char *rest = keys ? "/.aws/credentials" : "/.aws/config";
	char **path = &provider->profile_path[file];

	if (named != NULL && named[0] == '~' && named[1] == '/') {
		rest = named + 1;
	} else if (named != NULL) {
		home = "";
		rest = named;
	}
	if (home == NULL)
		return STATUS_OK;
	if (asprintf(path, "%s%s", home, rest) >= 0)
		return STATUS_OK;
	*path = NULL;
	return credentials_fault(
	    provider, STATUS_NO_MEMORY, "credentials", "out of memory");
}

static enum status
file_read(struct credentials_provider *provider, enum aws_file file)
{
	const char *path = provider->profile_path[file];
	const char *why = NULL;
	char *text = NULL;
	enum status status;
	size_t line = 0;
	size_t len = 0;

	status =
	    credentials_file_read(path, AWS_PROFILE_BYTES_MOST, &text, &len);
	if (status == STATUS_NOT_FOUND)
		return STATUS_OK;
	if (status == STATUS_MALFORMED)
		return credentials_fault(provider, STATUS_CONFIG, path,
		    "too large, want at most %zu bytes",
		    AWS_PROFILE_BYTES_MOST);
	if (status != STATUS_OK)
		return credentials_fault(provider, STATUS_CONFIG, path,
		    "cannot be read: %s",
		    strerror(status == STATUS_NO_MEMORY ? ENOMEM : errno));
	status = aws_profile_read(text, len, file, provider->profile,
	    &provider->profile_of[file], &line, &why);
	credentials_text_free(text, len);
	if (status == STATUS_OK)
		return STATUS_OK;
	return credentials_fault(
	    provider, STATUS_CONFIG, path, "line %zu: %s", line, why);
}

enum status
credentials_profile_read(struct credentials_provider *provider)
{
	enum status status = STATUS_OK;

	if (provider->profile_read)
		return STATUS_OK;
	for (enum aws_file file = AWS_CREDENTIALS_FILE;
	     status == STATUS_OK && file <= AWS_CONFIG_FILE; file++) {
		if (provider->profile_path[file] == NULL)
			status = path_find(provider, file);
		if (status == STATUS_OK &&
		    provider->profile_path[file] != NULL &&
		    !provider->profile_of[file].found)
			status = file_read(provider, file);
	}
	provider->profile_read = status == STATUS_OK;
	return status;
}

const char *
credentials_region_known(const struct credentials_provider *provider)
{
	const char *region = provider->region;

	if (region == NULL)
		region = credentials_variable(provider, VARIABLE_REGION);
	if (region == NULL)
		region =
		    credentials_variable(provider, VARIABLE_DEFAULT_REGION);
	if (region == NULL)
		region = value_of(provider, AWS_REGION);
	return region;
}

enum status
credentials_region(struct credentials_provider *provider, const char **region)
{
	enum status status = STATUS_OK;

	(void)pthread_mutex_lock(&provider->lock);
	*region = credentials_region_known(provider);
	if (*region == NULL) {
		status = credentials_profile_read(provider);
		*region = credentials_region_known(provider);
	}
	(void)pthread_mutex_unlock(&provider->lock);
	return status;
}

static enum status
refuse(struct credentials_provider *provider, const struct refusal *refusal)
{
	const struct aws_profile *file = file_with(provider, refusal->setting);
	char place[CREDENTIALS_WHY_BYTES];

	place_of(provider, file, refusal->setting, place, sizeof(place));
	credentials_fault(provider, STATUS_CONFIG, place,
	    "%s of profile %s is not supported",
	    aws_setting_name(refusal->setting), provider->profile);
	if (!provider->has_others)
		report_hint(provider->report, "%s", refusal->instead);
	return STATUS_CONFIG;
}

/* Keys of one file: both or none. */
static enum status
keys_of(struct credentials_provider *provider, enum aws_file kind,
    struct credentials *found)
{
	static const enum aws_setting wanted[] = {
	    AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN};
	const struct aws_profile *file = &provider->profile_of[kind];
	char *out[] = {found->key_id, found->secret, found->session_token};
	const size_t size[] = {sizeof(found->key_id), sizeof(found->secret),
	    sizeof(found->session_token)};
	bool has_id = file->value[AWS_ACCESS_KEY_ID] != NULL;
	bool has_secret = file->value[AWS_SECRET_ACCESS_KEY] != NULL;
	enum status status = STATUS_OK;

	if (!has_id && !has_secret)
		return STATUS_NOT_FOUND;
	if (!has_id || !has_secret)
		return credentials_fault(provider, STATUS_CONFIG,
		    provider->profile_path[kind],
		    "profile %s has %s without %s", provider->profile,
		    aws_setting_name(
			has_id ? AWS_ACCESS_KEY_ID : AWS_SECRET_ACCESS_KEY),
		    aws_setting_name(
			has_id ? AWS_SECRET_ACCESS_KEY : AWS_ACCESS_KEY_ID));
	for (size_t i = 0; i < 3 && status == STATUS_OK; i++) {
		char place[CREDENTIALS_WHY_BYTES];

		if (file->value[wanted[i]] == NULL)
			continue;
		place_of(provider, file, wanted[i], place, sizeof(place));
		status = credentials_set(provider, out[i], size[i],
		    file->value[wanted[i]], place, aws_setting_name(wanted[i]));
	}
	found->expires_sec = CREDENTIALS_NEVER_SEC;
	return status;
}

/* Nothing there that gives keys, or no such profile. */
static enum status
nothing_found(struct credentials_provider *provider)
{
	const char *keys = provider->profile_path[AWS_CREDENTIALS_FILE];
	const char *config = provider->profile_path[AWS_CONFIG_FILE];
	bool found = provider->profile_of[AWS_CREDENTIALS_FILE].found ||
		     provider->profile_of[AWS_CONFIG_FILE].found;

	if (keys == NULL)
		keys = "~/.aws/credentials";
	if (config == NULL)
		config = "~/.aws/config";
	if (!found && provider->profile_named)
		return credentials_fault(provider, STATUS_CONFIG,
		    provider->profile, "no such profile in %s or %s", keys,
		    config);
	return credentials_none(provider, "%s profile %s in %s or %s",
	    found ? "no keys in" : "no", provider->profile, keys, config);
}

enum status
credentials_from_profile(struct credentials_provider *provider, int64_t now_sec,
    struct credentials *found)
{
	enum status status = credentials_profile_read(provider);
	const char *token_file;
	const char *role;

	if (status != STATUS_OK)
		return status;
	role = value_of(provider, AWS_ROLE_ARN);
	token_file = value_of(provider, AWS_WEB_IDENTITY_TOKEN_FILE);
	if (role != NULL && token_file != NULL)
		return credentials_assume_role(provider, now_sec, token_file,
		    role, value_of(provider, AWS_ROLE_SESSION_NAME), found);
	for (size_t i = 0; i < sizeof(refusals) / sizeof(*refusals); i++)
		if (value_of(provider, refusals[i].setting) != NULL)
			return refuse(provider, &refusals[i]);
	status = keys_of(provider, AWS_CREDENTIALS_FILE, found);
	if (status == STATUS_NOT_FOUND &&
	    value_of(provider, AWS_CREDENTIAL_PROCESS) != NULL)
		return refuse(provider, &refusal_process);
	if (status == STATUS_NOT_FOUND)
		status = keys_of(provider, AWS_CONFIG_FILE, found);
	if (status == STATUS_NOT_FOUND)
		status = nothing_found(provider);
	return status;
}
