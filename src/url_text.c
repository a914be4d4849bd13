/* SPDX-License-Identifier: ISC */
/*
 * RFC 3986, 3.2.1: userinfo, and what looks like it. A password that was not
 * encoded may have any character in it, a slash, a blank or an '@' too, so
 * that it is not parsed but looked at from behind.
 */
#include "crlpress/url_text.h"

#include <stdio.h>
#include <string.h>

#define HIDDEN "***"

#define PORT_DIGITS 5

/* What follows the scheme, or all of it. */
static const char *
after_scheme(const char *text)
{
	const char *mark = strstr(text, "://");

	return mark != NULL ? mark + strlen("://") : text;
}

/*
 * The colon of a host after which no port stands, as of a user's whose '@' is
 * missing; NULL: none. That of a bare address in brackets is none.
 */
static const char *
odd_colon(const char *host)
{
	size_t len = strcspn(host, "/?#");
	const char *colon = memchr(host, ':', len);
	size_t port;

	if (colon == NULL || host[0] == '[')
		return NULL;
	port = strspn(colon + 1, "0123456789");
	return port <= PORT_DIGITS && colon + 1 + port == host + len ? NULL
								     : colon;
}

bool
url_text_has_user(const char *text)
{
	const char *host = after_scheme(text);

	return memchr(host, '@', strcspn(host, "/?#")) != NULL ||
	       (host != text && odd_colon(host) != NULL);
}

const char *
url_text_shown(const char *text, char out[URL_TEXT_BYTES])
{
	const char *host = after_scheme(text);
	const char *at = strrchr(host, '@');
	const char *rest = at != NULL ? at : host;
	const char *colon = host != text || at != NULL
				? odd_colon(at != NULL ? at + 1 : host)
				: NULL;
	int scheme = (int)(host - text);

	if (colon != NULL)
		(void)snprintf(out, URL_TEXT_BYTES, "%.*s%s%.*s:" HIDDEN "%s",
		    scheme, text, at != NULL ? HIDDEN : "", (int)(colon - rest),
		    rest, colon + strcspn(colon, "/?#"));
	else
		(void)snprintf(out, URL_TEXT_BYTES, "%.*s%s%s", scheme, text,
		    at != NULL ? HIDDEN : "", rest);
	return out;
}
