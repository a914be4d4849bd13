/* SPDX-License-Identifier: ISC */
/*
 * One spelling of each URL, to tell a URL that is written otherwise from one
 * that is another: RFC 3986, 6.2.2 (case, percent-encoding, dot segments) and
 * 6.2.3 (port, empty path).
 */
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "crlpress/hex.h"
#include "crlpress/ccadb.h"

static char
lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

/* RFC 3986, 2.3. */
static bool
is_unreserved(int c)
{
	return (c >= '0' && c <= '9') ||
	       (lower((char)c) >= 'a' && lower((char)c) <= 'z') || c == '-' ||
	       c == '.' || c == '_' || c == '~';
}

/* 6.2.2.1 and 6.2.2.2: %7e and %7E are ~, %2f is %2F. In place. */
static void
decode_percent(char *url)
{
	static const char digits[] = "0123456789ABCDEF";
	char *out = url;

	for (const char *p = url; *p != '\0';) {
		int high = *p == '%' ? hex_digit(p[1]) : -1;
		int low = high >= 0 ? hex_digit(p[2]) : -1;

		if (low < 0) {
			*out++ = *p++;
			continue;
		}
		p += 3;
		if (is_unreserved(high * 16 + low)) {
			*out++ = (char)(high * 16 + low);
			continue;
		}
		*out++ = '%';
		*out++ = digits[high];
		*out++ = digits[low];
	}
	*out = '\0';
}

/* 5.2.4, of an absolute path that ends at a query, a fragment or the end. */
static void
remove_dot_segments(char *path)
{
	char *out = path;
	const char *p = path;

	while (*p == '/') {
		size_t len = 1 + strcspn(p + 1, "/?#");
		bool is_last = p[len] != '/';

		if (len == 2 && p[1] == '.') {
			if (is_last)
				*out++ = '/';
		} else if (len == 3 && p[1] == '.' && p[2] == '.') {
			while (out > path && *--out != '/')
				;
			if (is_last)
				*out++ = '/';
		} else {
			memmove(out, p, len);
			out += len;
		}
		p += len;
	}
	memmove(out, p, strlen(p) + 1);
}

/* 6.2.3: without the scheme's own port, and without a colon and no port. */
static size_t
authority_len(const char *scheme, const char *authority, size_t len)
{
	const char *port = strncmp(scheme, "https:", 6) == 0 ? ":443" : ":80";
	size_t port_len = strlen(port);

	for (;;) {
		if (len > 0 && authority[len - 1] == ':')
			len--;
		else if (len >= port_len && memcmp(authority + len - port_len,
						port, port_len) == 0)
			len -= port_len;
		else
			return len;
	}
}

char *
ccadb_url_normal(const char *url)
{
	/* Room for the path of a URL that has none. */
	size_t url_len = strlen(url);
	char *normal = malloc(url_len + 2);
	char *authority, *rest;
	const char *mark;
	size_t len;

	if (normal == NULL)
		return NULL;
	memcpy(normal, url, url_len + 1);
	mark = strstr(normal, "://");
	if (mark == NULL)
		return normal;
	authority = normal + (mark - normal) + 3;
	decode_percent(authority);
	rest = authority + strcspn(authority, "/?#");
	for (char *c = normal; c < rest; c++)
		*c = lower(*c);
	len = authority_len(normal, authority, (size_t)(rest - authority));
	if (*rest != '/') {
		memmove(authority + len + 1, rest, strlen(rest) + 1);
		authority[len] = '/';
	} else {
		memmove(authority + len, rest, strlen(rest) + 1);
	}
	remove_dot_segments(authority + len);
	return normal;
}
