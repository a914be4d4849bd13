/* SPDX-License-Identifier: ISC */
/*
 * Rules of single configuration values. URLs and object keys are taken byte
 * for byte as they stand, so whatever a server, a client or a store might
 * normalise is refused rather than guessed at.
 */
#include "crlpress/config_value.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "crlpress/config_file.h"
#include "crlpress/hex.h"
#include "crlpress/key_uri.h"
#include "crlpress/s3_url.h"
#include "crlpress/url_text.h"

/* A directory of this name lies beside others; most systems end at 255. */
#define ISSUER_NAME_MOST 64

/* Longest value of a header that an operator sets. */
#define HEADER_MOST 256

static bool
is_visible(const char *text)
{
	for (; *text != '\0'; text++) {
		if (*text < '!' || *text > '~')
			return false;
	}
	return true;
}

static bool
starts_with(const char *text, const char *prefix)
{
	return strncmp(text, prefix, strlen(prefix)) == 0;
}

const char *
config_name_fault(const char *value)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyz0123456789";
	static const char others[] = "abcdefghijklmnopqrstuvwxyz0123456789._-";
	size_t len = strspn(value, others);

	if (len == 0 || value[len] != '\0' || strchr(letters, value[0]) == NULL)
		return "not a name of a-z, 0-9, `.`, `_` and `-` that begins "
		       "with a letter or digit";
	if (len > ISSUER_NAME_MOST)
		return "a name of more than 64 characters";
	return NULL;
}

const char *
config_private_key_fault(const char *value)
{
	struct key_uri uri;
	const char *why = NULL;

	return key_uri_parse(value, &uri, &why) == STATUS_OK ? NULL : why;
}

/* The parameters of libpq that are secrets, as `word=`. */
static bool
has_secret_parameter(const char *text)
{
	/* "password" finds "sslpassword" too. */
	static const char *const words[] = {"password", "client_secret",
	    "scram_client_key", "scram_server_key"};
	size_t i;

	for (i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		const char *p = text;

		while ((p = strstr(p, words[i])) != NULL) {
			p += strlen(words[i]);
			if (p[strspn(p, " \t\r\n\f\v")] == '=')
				return true;
		}
	}
	return false;
}

/*
 * A user:password@, of a URI or where its scheme was forgotten. libpq looks for
 * it up to a slash; a password with a slash in it would not work, and be
 * printed. What begins with a scheme is a URI as a whole, with blanks in it or
 * not.
 */
static bool
has_uri_password(const char *text)
{
	bool whole = starts_with(text, "postgresql://") ||
		     starts_with(text, "postgres://");
	bool colon = false;

	for (; *text != '\0'; text++) {
		if (starts_with(text, "://"))
			text += 2;
		else if (*text == '@' && colon)
			return true;
		else if (*text == ' ' && !whole)
			colon = false;
		else
			colon = colon || *text == ':';
	}
	return false;
}

/* libpq decodes %XX in names of a URI's parameters as well. In place. */
static void
percent_decode(char *text)
{
	char *out = text;

	while (*text != '\0') {
		int high = *text == '%' ? hex_digit(text[1]) : -1;
		int low = high == -1 ? -1 : hex_digit(text[2]);

		if (low != -1 && high + low > 0) {
			*out++ = (char)(high * 16 + low);
			text += 3;
		} else {
			*out++ = *text++;
		}
	}
	*out = '\0';
}

const char *
config_conninfo_fault(const char *value)
{
	char decoded[CONFIG_VALUE_BYTES_MOST + 1];
	size_t len = strlen(value);

	if (len >= sizeof(decoded))
		return "a connection string that is too long";
	memcpy(decoded, value, len + 1);
	percent_decode(decoded);
	if (has_secret_parameter(value) || has_secret_parameter(decoded) ||
	    has_uri_password(value))
		return "a secret in the connection string, want passfile= or "
		       "service=";
	return NULL;
}

/* A path in which no segment is empty, "." or "..". */
static bool
is_plain_path(const char *path)
{
	size_t len;

	for (;; path += len + 1) {
		len = strcspn(path, "/");
		if (len == 0 || (len == 1 && path[0] == '.') ||
		    (len == 2 && path[0] == '.' && path[1] == '.'))
			return false;
		if (path[len] == '\0')
			return true;
	}
}

/* RFC 3986, 2.1: a % is followed by two hexadecimal digits. */
static bool
has_bad_escape(const char *text)
{
	while ((text = strchr(text, '%')) != NULL) {
		text++;
		if (hex_digit(text[0]) == -1 || hex_digit(text[1]) == -1)
			return true;
	}
	return false;
}

const char *
config_url_fault(const char *value)
{
	size_t scheme = strspn(value, "abcdefghijklmnopqrstuvwxyz0123456789+");
	const char *host;
	size_t host_len;

	/* RFC 3986, 2: these stand in no URI. */
	if (!is_visible(value) || strpbrk(value, "\"<>\\^`|") != NULL ||
	    has_bad_escape(value))
		return "not a URL: a character that no URL has";
	if (scheme == 0 || !starts_with(value + scheme, "://"))
		return "not a URL like http://crl.example.com/{shard}.crl";
	host = value + scheme + 3;
	host_len = strcspn(host, "/?#");
	if (url_text_has_user(value))
		return "a URL with a user or a password before its host, which "
		       "everybody would read";
	if (host_len == 0 || memchr(host, '{', host_len) != NULL)
		return "not a URL with a plain host name";
	if (strchr(host, '#') != NULL)
		return "a URL with a fragment";
	if (host[host_len] != '/' || host[host_len + 1] == '\0')
		return "a URL without a path";
	return NULL;
}

const char *
config_object_fault(const char *value)
{
	if (!is_visible(value))
		return "not an object key: want visible ASCII without blanks";
	if (*value == '/')
		return "an object key that begins with a slash";
	if (!is_plain_path(value))
		return "an object key with an empty part, `.` or `..`";
	return NULL;
}

const char *
config_store_fault(const char *value)
{
	if (starts_with(value, "s3://"))
		return s3_url_fault(value);
	if (*value == '/' || starts_with(value, "file:///"))
		return NULL;
	if (url_text_has_user(value))
		return S3_CREDENTIALS_FAULT;
	return "not a store like /path, file:///path or s3://bucket/prefix";
}

/* One blank at a time: a signature covers the line as it is. */
const char *
config_header_fault(const char *value)
{
	size_t len = strlen(value);

	if (len == 0 || len > HEADER_MOST)
		return "not the value of a header of 1 to 256 characters";
	if (value[0] == ' ' || value[len - 1] == ' ' ||
	    strstr(value, "  ") != NULL)
		return "a blank too many";
	for (; *value != '\0'; value++)
		if (*value < ' ' || *value > '~')
			return "not the value of a header: want visible ASCII";
	return NULL;
}

const char *
config_profile_fault(const char *value)
{
	if (*value == '\0' || strpbrk(value, "[]\"'#;") != NULL)
		return "not the name of a profile";
	return NULL;
}

const char *
config_url_object(const char *url)
{
	const char *host = strstr(url, "://");
	const char *path = host != NULL ? strchr(host + 3, '/') : NULL;

	if (path == NULL || strpbrk(path, "?%") != NULL ||
	    config_object_fault(path + 1) != NULL)
		return NULL;
	return path + 1;
}
