/* SPDX-License-Identifier: ISC */
/*
 * What the places of credentials have in common: values, times, small files,
 * URLs that secrets may be sent to, and requests.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "crlpress/fd_io.h"
#include "crlpress/utc.h"

#include "credentials_impl.h"

/* To services that are near, or known to be up. */
#define CONNECT_TIMEOUT_SEC 2
#define STALL_TIMEOUT_SEC 5
#define REQUEST_TIMEOUT_SEC 10

/* The host of a URL; a longer one is none. */
#define HOST_BYTES 256

bool
credentials_word_ok(const char *text)
{
	if (*text == '\0')
		return false;
	for (; *text != '\0'; text++)
		if (*text <= ' ' || *text > '~')
			return false;
	return true;
}

enum status
credentials_set(struct credentials_provider *provider, char *out, size_t size,
    const char *value, const char *object, const char *what)
{
	size_t len = strlen(value);

	if (!credentials_word_ok(value))
		return credentials_fault(provider, STATUS_CONFIG, object,
		    "%s is empty or has a blank or another byte in it that no "
		    "key has",
		    what);
	if (len >= size)
		return credentials_fault(provider, STATUS_CONFIG, object,
		    "%s is too long, have %zu bytes, want at most %zu", what,
		    len, size - 1);
	memcpy(out, value, len + 1);
	return STATUS_OK;
}

enum status
credentials_time(const char *text, int64_t *sec)
{
	char iso[UTC_ISO_BYTES];
	size_t whole = strlen("2026-11-22T05:09:49");
	const char *rest;

	if (strlen(text) <= whole)
		return STATUS_MALFORMED;
	memcpy(iso, text, whole);
	iso[whole] = 'Z';
	iso[whole + 1] = '\0';
	rest = text + whole;
	if (*rest == '.') {
		size_t digits = strspn(rest + 1, "0123456789");

		if (digits == 0)
			return STATUS_MALFORMED;
		rest += 1 + digits;
	}
	if (strcmp(rest, "Z") != 0 && strcmp(rest, "+00:00") != 0)
		return STATUS_MALFORMED;
	return utc_from_iso(iso, sec);
}

void
credentials_text_free(char *text, size_t len)
{
	if (text != NULL)
		explicit_bzero(text, len);
	free(text);
}

enum status
credentials_file_read(const char *path, size_t most, char **out, size_t *len)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	enum status status = STATUS_FAILED;
	char *text = NULL;
	ssize_t n = 0;
	int error;

	*out = NULL;
	*len = 0;
	if (fd < 0)
		return errno == ENOENT || errno == ENOTDIR ? STATUS_NOT_FOUND
							   : STATUS_FAILED;
	/* One more than there may be, and the NUL. */
	text = malloc(most + 2);
	if (text != NULL)
		n = fd_read(fd, text, most + 1);
	error = errno;
	(void)close(fd);
	if (text == NULL) {
		status = STATUS_NO_MEMORY;
	} else if (n >= 0 && (size_t)n > most) {
		status = STATUS_MALFORMED;
	} else if (n >= 0) {
		text[n] = '\0';
		*out = text;
		*len = (size_t)n;
		return STATUS_OK;
	}
	credentials_text_free(text, text == NULL ? 0 : most + 2);
	errno = error;
	return status;
}

/* Why a file was not read. */
static const char *
read_failure(enum status status, int error)
{
	switch (status) {
	case STATUS_NOT_FOUND:
		return strerror(ENOENT);
	case STATUS_MALFORMED:
		return strerror(EFBIG);
	case STATUS_NO_MEMORY:
		return strerror(ENOMEM);
	default:
		return strerror(error);
	}
}

enum status
credentials_token_read(struct credentials_provider *provider, const char *path,
    char **token, size_t *len)
{
	enum status status;
	size_t from;

	status = credentials_file_read(
	    path, CREDENTIALS_FILE_BYTES_MOST, token, len);
	if (status != STATUS_OK)
		return credentials_fault(provider, STATUS_CONFIG, path,
		    "the token file cannot be read: %s",
		    read_failure(status, errno));
	while (*len > 0 && strchr(" \t\r\n", (*token)[*len - 1]) != NULL)
		(*token)[--*len] = '\0';
	from = strspn(*token, " \t\r\n");
	memmove(*token, *token + from, *len - from + 1);
	*len -= from;
	if (strlen(*token) == *len && credentials_word_ok(*token))
		return STATUS_OK;
	credentials_text_free(*token, *len);
	*token = NULL;
	return credentials_fault(provider, STATUS_CONFIG, path,
	    "the token file is empty or has more than one word in it");
}

/* Takes the host out of a URL, without the brackets of an address. */
static bool
url_host(const char *authority, char host[HOST_BYTES])
{
	size_t len = strcspn(authority, "/?#");
	const char *end;

	/* A user before the host is how hosts are made to look like others. */
	if (memchr(authority, '@', len) != NULL)
		return false;
	if (*authority == '[') {
		end = memchr(authority, ']', len);
		if (end == NULL)
			return false;
		authority++;
		len = (size_t)(end - authority);
	} else {
		end = memchr(authority, ':', len);
		if (end != NULL)
			len = (size_t)(end - authority);
	}
	if (len == 0 || len >= HOST_BYTES)
		return false;
	memcpy(host, authority, len);
	host[len] = '\0';
	return true;
}

/* Nobody but this machine. */
static bool
host_is_local(const char *host)
{
	struct in6_addr six;
	struct in_addr four;

	if (strcasecmp(host, "localhost") == 0)
		return true;
	if (inet_pton(AF_INET, host, &four) == 1)
		return ntohl(four.s_addr) >> 24 == 127;
	return inet_pton(AF_INET6, host, &six) == 1 &&
	       IN6_IS_ADDR_LOOPBACK(&six);
}

bool
credentials_url_ok(const char *url, const char *const *hosts, size_t count)
{
	static const char plain[] = "http://";
	static const char tls[] = "https://";
	char host[HOST_BYTES];

	if (!credentials_word_ok(url))
		return false;
	if (strncmp(url, tls, sizeof(tls) - 1) == 0)
		return url_host(url + sizeof(tls) - 1, host);
	if (strncmp(url, plain, sizeof(plain) - 1) != 0 ||
	    !url_host(url + sizeof(plain) - 1, host))
		return false;
	for (size_t i = 0; i < count; i++)
		if (strcasecmp(host, hosts[i]) == 0)
			return true;
	return host_is_local(host);
}

enum status
credentials_http(
    struct credentials_provider *provider, bool direct, struct http **out)
{
	struct http **http = direct ? &provider->direct : &provider->http;
	struct http_config config = {
	    .ca_file = provider->ca_file,
	    .connections = 1,
	    .connect_timeout_sec = CONNECT_TIMEOUT_SEC,
	    .stall_timeout_sec = STALL_TIMEOUT_SEC,
	    .request_timeout_sec = REQUEST_TIMEOUT_SEC,
	    .direct = direct,
	    .cancelled = provider->policy.cancelled,
	};
	enum status status = STATUS_OK;

	if (*http == NULL)
		status = http_open(&config, provider->report, http);
	*out = *http;
	return status;
}

enum status
credentials_call(struct credentials_provider *provider, struct http *http,
    const struct http_request *request, struct http_reply *reply)
{
	struct retry retry;
	enum status status;
	bool heals;

	retry_begin(&retry, &provider->policy);
	for (;;) {
		int64_t least_ms = 0;

		status = http_call(http, request, reply);
		if (status == STATUS_OK) {
			heals = retry_code_heals(reply->code);
			least_ms = retry_after_ms(
			    http_reply_header(reply, "Retry-After"));
		} else {
			/* Where nobody is at home, nobody will come. */
			heals = reply->outcome == HTTP_UNANSWERED;
		}
		if (!heals || !retry_wait(&retry, least_ms))
			return status;
		http_reply_free(reply);
	}
}
