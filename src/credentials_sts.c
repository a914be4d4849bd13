/* SPDX-License-Identifier: ISC */
/*
 * Keys for the token of a web identity (Kubernetes' service accounts have
 * one in a file): AssumeRoleWithWebIdentity of AWS STS, API version
 * 2011-06-15. The request is not signed; the token is its proof, so it goes
 * out by TLS alone.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "crlpress/xml_read.h"

#include "credentials_impl.h"

/* A name or text of the reply that is shown or looked at. */
#define WORD_BYTES 256

/* The session's name in the store's logs, when nobody gives one. */
#define SESSION_NAME "crlpress"

/* Roles and session names are short; AWS says 2048 and 64. */
#define ROLE_BYTES_MOST 2048

/* A form of an HTTP POST, wiped when freed. */
struct form {
	char *text;
	size_t size;
	size_t len;
};

static void
form_put(struct form *form, char c)
{
	if (form->len + 1 < form->size)
		form->text[form->len++] = c;
}

/* Everything but unreserved characters (RFC 3986, 2.3) is encoded. */
static void
form_encode(struct form *form, const char *text)
{
	static const char digits[] = "0123456789ABCDEF";
	static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				    "abcdefghijklmnopqrstuvwxyz"
				    "0123456789-._~";

	for (; *text != '\0'; text++) {
		unsigned char c = (unsigned char)*text;

		if (strchr(plain, c) != NULL) {
			form_put(form, *text);
			continue;
		}
		form_put(form, '%');
		form_put(form, digits[c >> 4]);
		form_put(form, digits[c & 15]);
	}
}

static void
form_add(struct form *form, const char *name, const char *value)
{
	if (form->len > 0)
		form_put(form, '&');
	while (*name != '\0')
		form_put(form, *name++);
	form_put(form, '=');
	form_encode(form, value);
	form->text[form->len] = '\0';
}

static bool
form_make(struct form *form, const char *role_arn, const char *session_name,
    const char *token)
{
	/* Three bytes for each, and the names. */
	form->size =
	    3 * (strlen(role_arn) + strlen(session_name) + strlen(token)) +
	    WORD_BYTES;
	form->text = malloc(form->size);
	if (form->text == NULL)
		return false;
	form_add(form, "Action", "AssumeRoleWithWebIdentity");
	form_add(form, "Version", "2011-06-15");
	form_add(form, "RoleArn", role_arn);
	form_add(form, "RoleSessionName", session_name);
	form_add(form, "WebIdentityToken", token);
	return true;
}

/* The region's own endpoint, unless told; false when there is none. */
static bool
endpoint_make(
    const struct credentials_provider *provider, char *url, size_t size)
{
	const char *named =
	    credentials_variable(provider, VARIABLE_STS_ENDPOINT);
	const char *region = credentials_region_known(provider);
	int n;

	if (named != NULL) {
		size_t len = strlen(named);

		n = snprintf(
		    url, size, "%s%s", named, named[len - 1] == '/' ? "" : "/");
	} else if (region == NULL || strcmp(region, "aws-global") == 0) {
		n = snprintf(url, size, "https://sts.amazonaws.com/");
	} else if (strspn(region, "abcdefghijklmnopqrstuvwxyz0123456789-") !=
		   strlen(region)) {
		return false;
	} else {
		n = snprintf(url, size, "https://sts.%s.amazonaws.com%s/",
		    region, strncmp(region, "cn-", 3) == 0 ? ".cn" : "");
	}
	return n > 0 && (size_t)n < size && credentials_url_ok(url, NULL, 0);
}

/* One element of the reply, which must be there. */
static enum status
reply_take(struct credentials_provider *provider, const char *url,
    const struct http_reply *reply, const char *name, char *out, size_t size)
{
	enum status status = xml_element(
	    (const char *)reply->body, reply->body_len, name, out, size);

	if (status == STATUS_OK && credentials_word_ok(out))
		return STATUS_OK;
	return credentials_fault(provider, STATUS_FAILED, url,
	    "%s in the reply",
	    status == STATUS_NOT_FOUND ? "no credentials"
				       : "a credential that cannot be read");
}

static enum status
reply_read(struct credentials_provider *provider, const char *url,
    const struct http_reply *reply, struct credentials *found)
{
	char expiration[WORD_BYTES];
	enum status status;

	status = reply_take(provider, url, reply, "AccessKeyId", found->key_id,
	    sizeof(found->key_id));
	if (status == STATUS_OK)
		status = reply_take(provider, url, reply, "SecretAccessKey",
		    found->secret, sizeof(found->secret));
	if (status == STATUS_OK)
		status = reply_take(provider, url, reply, "SessionToken",
		    found->session_token, sizeof(found->session_token));
	if (status == STATUS_OK)
		status = reply_take(provider, url, reply, "Expiration",
		    expiration, sizeof(expiration));
	if (status != STATUS_OK)
		return status;
	if (credentials_time(expiration, &found->expires_sec) == STATUS_OK)
		return STATUS_OK;
	return credentials_fault(provider, STATUS_FAILED, url,
	    "an Expiration that is no time, have %s", expiration);
}

/* STS says why; the token is not in it. */
static enum status
refusal_fault(struct credentials_provider *provider, const char *url,
    const struct http_reply *reply)
{
	const char *body = (const char *)reply->body;
	char message[WORD_BYTES];
	char code[WORD_BYTES];

	if (xml_element(body, reply->body_len, "Code", code, sizeof(code)) !=
	    STATUS_OK)
		code[0] = '\0';
	if (xml_element(body, reply->body_len, "Message", message,
		sizeof(message)) != STATUS_OK)
		message[0] = '\0';
	return credentials_fault(provider, STATUS_FAILED, url,
	    "the role was not given, have status %d %s%s%s, want 200",
	    reply->code, code, message[0] == '\0' ? "" : ": ", message);
}

static enum status
post(struct credentials_provider *provider, const char *url,
    const struct form *form, struct credentials *found)
{
	static const char *const header[] = {
	    "Content-Type: application/x-www-form-urlencoded"};
	struct http_request request = {
	    .method = HTTP_POST,
	    .url = url,
	    .header = header,
	    .header_count = 1,
	    .body = form->text,
	    .body_len = form->len,
	    .reply_most = XML_READ_BYTES_MOST,
	};
	struct http_reply reply = {0};
	struct http *http;
	enum status status;

	status = credentials_http(provider, false, &http);
	if (status != STATUS_OK)
		return status;
	status = credentials_call(provider, http, &request, &reply);
	if (status != STATUS_OK)
		credentials_fault(
		    provider, status, url, "no answer: %s", reply.why);
	else if (reply.code != 200)
		status = refusal_fault(provider, url, &reply);
	else
		status = reply_read(provider, url, &reply, found);
	http_reply_free(&reply);
	return status;
}

enum status
credentials_assume_role(struct credentials_provider *provider, int64_t now_sec,
    const char *token_file, const char *role_arn, const char *session_name,
    struct credentials *found)
{
	char session[WORD_BYTES];
	char url[WORD_BYTES * 2];
	struct form form = {0};
	char *token = NULL;
	enum status status;
	size_t len = 0;

	if (session_name == NULL) {
		(void)snprintf(session, sizeof(session), SESSION_NAME "-%lld",
		    (long long)now_sec);
		session_name = session;
	}
	if (strlen(role_arn) > ROLE_BYTES_MOST ||
	    strlen(session_name) > ROLE_BYTES_MOST)
		return credentials_fault(provider, STATUS_CONFIG, token_file,
		    "the role or its session's name is too long, want at most "
		    "%d bytes",
		    ROLE_BYTES_MOST);
	if (!endpoint_make(provider, url, sizeof(url)))
		return credentials_fault(provider, STATUS_CONFIG,
		    credentials_variable_name(VARIABLE_STS_ENDPOINT),
		    "the token cannot be sent there, want an https:// URL, or "
		    "http:// to this machine");
	status = credentials_token_read(provider, token_file, &token, &len);
	if (status != STATUS_OK)
		return status;
	if (form_make(&form, role_arn, session_name, token))
		status = post(provider, url, &form, found);
	else
		status = credentials_fault(
		    provider, STATUS_NO_MEMORY, url, "out of memory");
	credentials_text_free(form.text, form.size);
	credentials_text_free(token, len);
	return status;
}

enum status
credentials_from_token_file(struct credentials_provider *provider,
    int64_t now_sec, struct credentials *found)
{
	const char *file =
	    credentials_variable(provider, VARIABLE_WEB_IDENTITY_TOKEN_FILE);
	const char *role = credentials_variable(provider, VARIABLE_ROLE_ARN);
	enum status status;

	if (provider->profile_configured || file == NULL)
		return STATUS_NOT_FOUND;
	if (role == NULL)
		return credentials_fault(provider, STATUS_CONFIG,
		    credentials_variable_name(VARIABLE_ROLE_ARN),
		    "not set, although %s is",
		    credentials_variable_name(
			VARIABLE_WEB_IDENTITY_TOKEN_FILE));
	/* For the region. */
	status = credentials_profile_read(provider);
	if (status != STATUS_OK)
		return status;
	return credentials_assume_role(provider, now_sec, file, role,
	    credentials_variable(provider, VARIABLE_ROLE_SESSION_NAME), found);
}
