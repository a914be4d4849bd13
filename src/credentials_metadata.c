/* SPDX-License-Identifier: ISC */
/*
 * Keys from the machine that the program runs on: the endpoint of a container
 * (ECS, EKS Pod Identity) and the instance metadata service of EC2, in its
 * second version alone: the first gives keys to whoever can make a server
 * follow a URL.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "crlpress/json_read.h"

#include "credentials_impl.h"

/* Where ECS answers, and where EKS does; secrets may go there in the clear. */
#define CONTAINER_URL "http://169.254.170.2"
static const char *const container_hosts[] = {
    "169.254.170.2", "169.254.170.23", "fd00:ec2::23"};
#define CONTAINER_HOST_COUNT \
	(sizeof(container_hosts) / sizeof(*container_hosts))

#define INSTANCE_URL "http://169.254.169.254"
#define INSTANCE_URL_6 "http://[fd00:ec2::254]"
#define INSTANCE_TOKEN_PATH "/latest/api/token"
#define INSTANCE_ROLE_PATH "/latest/meta-data/iam/security-credentials/"
/* Six hours, the most there is; one is asked for with each renewal. */
#define INSTANCE_TTL "X-aws-ec2-metadata-token-ttl-seconds: 21600"
#define INSTANCE_TOKEN_HEADER "X-aws-ec2-metadata-token: "
/* AWS's tokens have 56. */
#define INSTANCE_TOKEN_BYTES 1024
/* A role's name has 64. */
#define ROLE_BYTES 129

#define URL_BYTES 1024
#define WORD_BYTES 256
#define HEADER_BYTES (CREDENTIALS_FILE_BYTES_MOST + 64)

/* One question; `header` may be NULL. Free the reply if STATUS_OK. */
static enum status
ask(struct credentials_provider *provider, enum http_method method,
    const char *url, const char *header, struct http_reply *reply)
{
	struct http_request request = {
	    .method = method,
	    .url = url,
	    .header = &header,
	    .header_count = header == NULL ? 0 : 1,
	    .reply_most = JSON_READ_BYTES_MOST,
	};
	struct http *http;
	enum status status;

	memset(reply, 0, sizeof(*reply));
	status = credentials_http(provider, true, &http);
	if (status != STATUS_OK)
		return status;
	status = credentials_call(provider, http, &request, reply);
	if (status != STATUS_OK)
		credentials_fault(
		    provider, status, url, "no answer: %s", reply->why);
	else if (reply->code != 200)
		status = credentials_fault(provider, STATUS_FAILED, url,
		    "no keys, have status %d, want 200", reply->code);
	if (status != STATUS_OK)
		http_reply_free(reply);
	return status;
}

/* The members of a container's and of an instance's answer. */
static enum status
keys_read(struct credentials_provider *provider, const char *url,
    const struct http_reply *reply, struct credentials *found)
{
	char code[WORD_BYTES] = "";
	char expiration[WORD_BYTES] = "";
	struct json_read_member member[] = {
	    {.name = "AccessKeyId",
		.out = found->key_id,
		.size = sizeof(found->key_id)},
	    {.name = "SecretAccessKey",
		.out = found->secret,
		.size = sizeof(found->secret)},
	    {.name = "Token",
		.out = found->session_token,
		.size = sizeof(found->session_token)},
	    {.name = "Expiration",
		.out = expiration,
		.size = sizeof(expiration)},
	    {.name = "Code", .out = code, .size = sizeof(code)},
	};
	const char *why = NULL;

	if (json_read_strings((const char *)reply->body, reply->body_len,
		member, sizeof(member) / sizeof(*member), &why) != STATUS_OK)
		return credentials_fault(provider, STATUS_FAILED, url,
		    "the reply cannot be read: %s", why);
	if (member[4].found && strcmp(code, "Success") != 0)
		return credentials_fault(provider, STATUS_FAILED, url,
		    "no keys, have Code %s, want Success", code);
	for (size_t i = 0; i < 3; i++)
		if ((i < 2 || member[i].found) &&
		    !credentials_word_ok(member[i].out))
			return credentials_fault(provider, STATUS_FAILED, url,
			    "no %s in the reply, or one that no key has",
			    member[i].name);
	found->expires_sec = CREDENTIALS_NEVER_SEC;
	if (member[3].found &&
	    credentials_time(expiration, &found->expires_sec) != STATUS_OK)
		return credentials_fault(provider, STATUS_FAILED, url,
		    "an Expiration that is no time, have %s", expiration);
	return STATUS_OK;
}

/* Asks for keys and reads them. */
static enum status
keys_ask(struct credentials_provider *provider, const char *url,
    const char *header, struct credentials *found)
{
	struct http_reply reply;
	enum status status = ask(provider, HTTP_GET, url, header, &reply);

	if (status != STATUS_OK)
		return status;
	status = keys_read(provider, url, &reply, found);
	http_reply_free(&reply);
	return status;
}

/* The URL of the container's endpoint; false when there is none. */
static bool
container_url(const struct credentials_provider *provider, char *url,
    size_t size, enum credentials_variable *named)
{
	const char *relative =
	    credentials_variable(provider, VARIABLE_CONTAINER_RELATIVE_URI);
	const char *full =
	    credentials_variable(provider, VARIABLE_CONTAINER_FULL_URI);
	int n;

	*named = relative != NULL ? VARIABLE_CONTAINER_RELATIVE_URI
				  : VARIABLE_CONTAINER_FULL_URI;
	if (relative != NULL)
		n = snprintf(url, size, "%s%s%s", CONTAINER_URL,
		    *relative == '/' ? "" : "/", relative);
	else
		n = snprintf(url, size, "%s", full == NULL ? "" : full);
	/* A longer one is refused with the rest. */
	if (n < 0 || (size_t)n >= size)
		(void)snprintf(url, size, "(too long)");
	return relative != NULL || full != NULL;
}

/* The Authorization header; empty when there is none. */
static enum status
container_header(
    struct credentials_provider *provider, char *header, size_t size)
{
	const char *file =
	    credentials_variable(provider, VARIABLE_CONTAINER_TOKEN_FILE);
	const char *named =
	    credentials_variable(provider, VARIABLE_CONTAINER_TOKEN);
	enum status status = STATUS_OK;
	char *token = NULL;
	size_t len = 0;

	header[0] = '\0';
	if (file != NULL) {
		status = credentials_token_read(provider, file, &token, &len);
		if (status == STATUS_OK)
			(void)snprintf(
			    header, size, "Authorization: %s", token);
		credentials_text_free(token, len);
	} else if (named != NULL) {
		/* "Bearer ..." has a blank; a line's end would be another
		 * header. */
		for (const char *c = named; *c != '\0'; c++)
			if (*c < ' ' || *c > '~')
				return credentials_fault(provider,
				    STATUS_CONFIG,
				    credentials_variable_name(
					VARIABLE_CONTAINER_TOKEN),
				    "a byte in it that no header has");
		if (strlen(named) > CREDENTIALS_FILE_BYTES_MOST)
			return credentials_fault(provider, STATUS_CONFIG,
			    credentials_variable_name(VARIABLE_CONTAINER_TOKEN),
			    "too long, want at most %zu bytes",
			    CREDENTIALS_FILE_BYTES_MOST);
		(void)snprintf(header, size, "Authorization: %s", named);
	}
	return status;
}

enum status
credentials_from_container(struct credentials_provider *provider,
    int64_t now_sec, struct credentials *found)
{
	enum credentials_variable named;
	char url[URL_BYTES];
	enum status status;
	char *header;

	(void)now_sec;
	if (!container_url(provider, url, sizeof(url), &named))
		return credentials_none(provider, "no container");
	if (!credentials_url_ok(url, container_hosts, CONTAINER_HOST_COUNT))
		return credentials_fault(provider, STATUS_CONFIG,
		    credentials_variable_name(named),
		    "keys are not fetched from there, want an https:// URL, or "
		    "http:// to this machine or a container's own address");
	header = malloc(HEADER_BYTES);
	if (header == NULL)
		return credentials_fault(
		    provider, STATUS_NO_MEMORY, url, "out of memory");
	status = container_header(provider, header, HEADER_BYTES);
	if (status == STATUS_OK)
		status = keys_ask(
		    provider, url, header[0] == '\0' ? NULL : header, found);
	credentials_text_free(header, HEADER_BYTES);
	return status;
}

/* The service's address without a slash at its end. */
static void
instance_url(
    const struct credentials_provider *provider, char *url, size_t size)
{
	const char *named =
	    credentials_variable(provider, VARIABLE_METADATA_ENDPOINT);
	const char *mode =
	    credentials_variable(provider, VARIABLE_METADATA_MODE);
	size_t len;

	if (named == NULL)
		named = mode != NULL && strcasecmp(mode, "ipv6") == 0
			    ? INSTANCE_URL_6
			    : INSTANCE_URL;
	(void)snprintf(url, size, "%s", named);
	len = strlen(url);
	if (len > 0 && url[len - 1] == '/')
		url[len - 1] = '\0';
}

/*
 * The token that every other question needs. Where it is not had, there is no
 * such service, or it is not for us: STATUS_NOT_FOUND, with the reason noted.
 */
static enum status
instance_token(struct credentials_provider *provider, const char *base,
    char *header, size_t size)
{
	static const char *const ttl[] = {INSTANCE_TTL};
	struct http_request request = {
	    .method = HTTP_PUT,
	    .header = ttl,
	    .header_count = 1,
	    .reply_most = INSTANCE_TOKEN_BYTES - 1,
	};
	struct http_reply reply = {0};
	char url[URL_BYTES];
	struct http *http;
	enum status status;

	(void)snprintf(url, sizeof(url), "%s%s", base, INSTANCE_TOKEN_PATH);
	request.url = url;
	status = credentials_http(provider, true, &http);
	if (status != STATUS_OK)
		return status;
	status = credentials_call(provider, http, &request, &reply);
	if (status == STATUS_NO_MEMORY)
		credentials_fault(provider, status, url, "out of memory");
	else if (status != STATUS_OK)
		status = credentials_none(provider,
		    "no instance metadata at %s: %s", base, reply.why);
	else if (reply.code != 200)
		status = credentials_none(provider,
		    "no instance metadata at %s: status %d", base, reply.code);
	else if (reply.body_len == 0 ||
		 strlen((const char *)reply.body) != reply.body_len ||
		 !credentials_word_ok((const char *)reply.body))
		status = credentials_fault(
		    provider, STATUS_FAILED, url, "the reply is no token");
	else
		(void)snprintf(header, size, "%s%s", INSTANCE_TOKEN_HEADER,
		    (const char *)reply.body);
	http_reply_free(&reply);
	return status;
}

/* A name that can stand in a URL as it is. */
static bool
role_ok(const char *role)
{
	return *role != '\0' && *role != '.' &&
	       strspn(role, "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
			    "abcdefghijklmnopqrstuvwxyz"
			    "0123456789+=,.@_-") == strlen(role);
}

/* The role of the instance, in the first line of the reply. */
static enum status
instance_role(struct credentials_provider *provider, const char *base,
    const char *header, char role[ROLE_BYTES])
{
	struct http_reply reply;
	char url[URL_BYTES];
	enum status status;
	size_t len;

	(void)snprintf(url, sizeof(url), "%s%s", base, INSTANCE_ROLE_PATH);
	status = ask(provider, HTTP_GET, url, header, &reply);
	if (status != STATUS_OK)
		return status;
	len =
	    reply.body_len == 0 ? 0 : strcspn((const char *)reply.body, "\r\n");
	role[0] = '\0';
	if (len > 0 && len < ROLE_BYTES) {
		memcpy(role, reply.body, len);
		role[len] = '\0';
	}
	http_reply_free(&reply);
	if (role_ok(role))
		return STATUS_OK;
	return credentials_fault(
	    provider, STATUS_FAILED, url, "the reply is no role's name");
}

enum status
credentials_from_instance(struct credentials_provider *provider,
    int64_t now_sec, struct credentials *found)
{
	const char *disabled =
	    credentials_variable(provider, VARIABLE_METADATA_DISABLED);
	char header[sizeof(INSTANCE_TOKEN_HEADER) + INSTANCE_TOKEN_BYTES];
	char base[URL_BYTES / 2];
	char role[ROLE_BYTES];
	char url[URL_BYTES];
	enum status status;

	(void)now_sec;
	if (disabled != NULL && strcasecmp(disabled, "true") == 0)
		return credentials_none(provider, "instance metadata disabled");
	instance_url(provider, base, sizeof(base));
	if (strncmp(base, "http://", 7) != 0 &&
	    strncmp(base, "https://", 8) != 0)
		return credentials_fault(provider, STATUS_CONFIG,
		    credentials_variable_name(VARIABLE_METADATA_ENDPOINT),
		    "no http:// URL");
	status = instance_token(provider, base, header, sizeof(header));
	if (status == STATUS_OK)
		status = instance_role(provider, base, header, role);
	if (status == STATUS_OK) {
		(void)snprintf(
		    url, sizeof(url), "%s%s%s", base, INSTANCE_ROLE_PATH, role);
		status = keys_ask(provider, url, header, found);
	}
	explicit_bzero(header, sizeof(header));
	return status;
}
