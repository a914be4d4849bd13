/* SPDX-License-Identifier: ISC */
/*
 * URLs of objects in S3. A signature covers the path as it is sent, so it is
 * encoded here, byte for byte, and by nobody else.
 */
#include "crlpress/s3_url.h"

#include <stdio.h>
#include <string.h>

#include "crlpress/url_text.h"

#define SCHEME "s3://"
#define SCHEME_LEN (sizeof(SCHEME) - 1)

#define LOWER "abcdefghijklmnopqrstuvwxyz"
#define UPPER "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define DIGITS "0123456789"

/* A label of a host name (RFC 1035, 2.3.4), and Amazon's least. */
#define BUCKET_LEAST 3
#define BUCKET_HOST_MOST 63

static bool
starts_with(const char *text, const char *prefix)
{
	return strncmp(text, prefix, strlen(prefix)) == 0;
}

/* A path in which no segment is empty, "." or ".."; one slash may end it. */
static bool
is_plain_path(const char *path)
{
	while (*path != '\0') {
		size_t len = strcspn(path, "/");

		if (len == 0 || (len == 1 && path[0] == '.') ||
		    (len == 2 && path[0] == '.' && path[1] == '.'))
			return false;
		path += len;
		if (*path == '/')
			path++;
	}
	return true;
}

static bool
is_visible(const char *text)
{
	for (; *text != '\0'; text++)
		if (*text < '!' || *text > '~')
			return false;
	return true;
}

const char *
s3_url_fault(const char *url)
{
	const char *bucket = url + SCHEME_LEN;
	size_t len;

	if (!starts_with(url, SCHEME))
		return "not a store like s3://bucket or s3://bucket/prefix";
	if (url_text_has_user(url))
		return S3_CREDENTIALS_FAULT;
	len = strcspn(bucket, "/");
	if (len < BUCKET_LEAST || len >= S3_BUCKET_BYTES ||
	    strspn(bucket, LOWER UPPER DIGITS ".-_") != len ||
	    strchr("._-", bucket[0]) != NULL || memcmp(bucket, "xn--", 4) == 0)
		return "not the name of a bucket, want 3 to 255 of a-z, 0-9, "
		       "`.`, `-`";
	if (bucket[len] == '\0')
		return NULL;
	if (!is_visible(bucket + len) || strpbrk(bucket + len, "\\") != NULL)
		return "a prefix that is not visible ASCII without blanks";
	if (!is_plain_path(bucket + len + 1))
		return "a prefix with an empty part, `.` or `..`";
	if (strlen(bucket + len + 1) > S3_KEY_BYTES_MOST / 2)
		return "a prefix of more than 512 bytes";
	return NULL;
}

/* ":8080" and nothing after it. */
static bool
is_port(const char *text)
{
	size_t len = text[0] == ':' ? strspn(text + 1, DIGITS) : 0;

	return len > 0 && len <= 5 && text[1 + len] == '\0';
}

const char *
s3_endpoint_fault(const char *endpoint)
{
	const char *host = endpoint;
	size_t len;

	if (url_text_has_user(endpoint))
		return S3_CREDENTIALS_FAULT;
	if (starts_with(host, "http://"))
		host += strlen("http://");
	else if (starts_with(host, "https://"))
		host += strlen("https://");
	else
		return "not an endpoint like https://s3.example.com";
	if (host[0] == '[')
		len = 1 + strspn(host + 1, DIGITS "abcdefABCDEF:.");
	else
		len = strspn(host, LOWER UPPER DIGITS ".-");
	if (host[0] == '[' && host[len] == ']')
		len++;
	else if (host[0] == '[')
		return "not an endpoint: an address without its `]`";
	if (len == 0 || len > 255)
		return "not an endpoint with a plain host name";
	if (host[len] == '\0' || is_port(host + len))
		return NULL;
	return "an endpoint with more than a host name and a port";
}

const char *
s3_region_fault(const char *region)
{
	size_t len = strspn(region, LOWER UPPER DIGITS "-_");

	if (len == 0 || region[len] != '\0' || len >= S3_REGION_BYTES)
		return "not a region like eu-central-1";
	return NULL;
}

/* Whether it can be a label of a host name, under one TLS wildcard. */
static bool
is_host_label(const char *bucket)
{
	size_t len = strlen(bucket);

	return len <= BUCKET_HOST_MOST && bucket[len - 1] != '-' &&
	       strspn(bucket, LOWER DIGITS "-") == len;
}

/* The endpoint of Amazon in a region; China has a domain of its own. */
static void
endpoint_of_region(const char *region, char endpoint[S3_ORIGIN_BYTES])
{
	(void)snprintf(endpoint, S3_ORIGIN_BYTES,
	    "https://s3.%s.amazonaws.com%s", region,
	    starts_with(region, "cn-") ? ".cn" : "");
}

enum status
s3_place_make(const char *url, const char *endpoint, const char *region,
    enum store_path_style style, struct s3_place *place, const char **why)
{
	char amazon[S3_ORIGIN_BYTES];
	const char *bucket = url + SCHEME_LEN;
	size_t len = strcspn(bucket, "/");
	size_t scheme;
	int n;

	memset(place, 0, sizeof(*place));
	memcpy(place->bucket, bucket, len);
	if (bucket[len] == '/' && bucket[len + 1] != '\0') {
		const char *prefix = bucket + len + 1;
		size_t end = strlen(prefix) - 1;

		(void)snprintf(place->prefix, sizeof(place->prefix), "%s%s",
		    prefix, prefix[end] == '/' ? "" : "/");
	}
	place->bucket_in_path =
	    style == STORE_PATH_STYLE_YES ||
	    (style == STORE_PATH_STYLE_AUTO &&
		(endpoint != NULL || !is_host_label(place->bucket)));
	if (endpoint == NULL) {
		endpoint_of_region(region, amazon);
		endpoint = amazon;
	}
	if (!place->bucket_in_path && !is_host_label(place->bucket)) {
		*why = "a bucket whose name can stand in no host name, want "
		       "path_style = yes";
		return STATUS_MALFORMED;
	}
	scheme = (size_t)(strstr(endpoint, "://") - endpoint) + 3;
	n = snprintf(place->origin, sizeof(place->origin), "%.*s%s%s%s",
	    (int)scheme, endpoint, place->bucket_in_path ? "" : place->bucket,
	    place->bucket_in_path ? "" : ".", endpoint + scheme);
	if (n >= 0 && (size_t)n < sizeof(place->origin))
		return STATUS_OK;
	*why = "an endpoint that is too long";
	return STATUS_MALFORMED;
}

/* Appends what fits; the caller has seen that all does. */
static char *
encode_but(char *to, const char *text, const char *plain)
{
	static const char hex[] = "0123456789ABCDEF";

	for (; *text != '\0'; text++) {
		unsigned char c = (unsigned char)*text;

		if (strchr(plain, *text) != NULL) {
			*to++ = *text;
			continue;
		}
		*to++ = '%';
		*to++ = hex[c >> 4];
		*to++ = hex[c & 15];
	}
	*to = '\0';
	return to;
}

static char *
encode(char *to, const char *text)
{
	return encode_but(to, text, LOWER UPPER DIGITS "-._~/");
}

/* In a query a slash is encoded too. */
static char *
encode_value(char *to, const char *text)
{
	return encode_but(to, text, LOWER UPPER DIGITS "-._~");
}

enum status
s3_object_url(
    const struct s3_place *place, const char *key, char url[S3_URL_BYTES])
{
	size_t origin = strlen(place->origin);
	char *to = url;

	if (strlen(place->prefix) + strlen(key) > S3_KEY_BYTES_MOST)
		return STATUS_MALFORMED;
	memcpy(to, place->origin, origin);
	to += origin;
	*to++ = '/';
	if (place->bucket_in_path) {
		to = encode(to, place->bucket);
		*to++ = '/';
	}
	to = encode(to, place->prefix);
	(void)encode(to, key);
	return STATUS_OK;
}

enum status
s3_list_url(const struct s3_place *place, const char *prefix, const char *token,
    const char *after, char url[S3_LIST_URL_BYTES])
{
	size_t own = strlen(place->prefix);
	char *to = url;

	if (own + strlen(prefix) > S3_KEY_BYTES_MOST ||
	    (after != NULL && own + strlen(after) > S3_KEY_BYTES_MOST) ||
	    (token != NULL && strlen(token) >= S3_TOKEN_BYTES))
		return STATUS_MALFORMED;
	to = stpcpy(to, place->origin);
	to = stpcpy(to, "/");
	if (place->bucket_in_path)
		to = encode(to, place->bucket);
	to = stpcpy(to, "?");
	if (token != NULL) {
		to = encode_value(stpcpy(to, "continuation-token="), token);
		to = stpcpy(to, "&");
	}
	to = stpcpy(to, "list-type=2&prefix=");
	to = encode_value(encode_value(to, place->prefix), prefix);
	if (after != NULL) {
		to = encode_value(stpcpy(to, "&start-after="), place->prefix);
		(void)encode_value(to, after);
	}
	return STATUS_OK;
}
