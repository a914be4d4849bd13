/* SPDX-License-Identifier: ISC */
/* The names of the kinds of sources. */
#include "crlpress/source_kind.h"

#include <string.h>
#include <strings.h>

#define FILE_URL "file://"

static const char *const names[SOURCE_KIND_COUNT] = {
    [SOURCE_DATABASE] = "database",
    [SOURCE_CRL] = "crl",
    [SOURCE_INDEX] = "index",
};

const char *
source_kind_name(enum source_kind kind)
{
	return names[kind];
}

bool
source_kind_from_name(const char *word, size_t len, enum source_kind *kind)
{
	for (int i = 0; i < SOURCE_KIND_COUNT; i++)
		if (strlen(names[i]) == len &&
		    memcmp(names[i], word, len) == 0) {
			*kind = (enum source_kind)i;
			return true;
		}
	return false;
}

bool
source_place_is_url(const char *place)
{
	return strncasecmp(place, "http://", 7) == 0 ||
	       strncasecmp(place, "https://", 8) == 0;
}

/* SOURCE_DATABASE, which no text names, when it is none of the others. */
static enum source_kind
kind_read(const char *text, const char **place)
{
	size_t word = strcspn(text, ":");
	enum source_kind kind;

	*place = NULL;
	if (text[word] == '\0' || !source_kind_from_name(text, word, &kind) ||
	    kind == SOURCE_DATABASE)
		return SOURCE_DATABASE;
	*place = text + word + 1;
	/* RFC 8089, 2: of no host, the slash that follows is the path's. */
	if (strncmp(*place, FILE_URL "/", sizeof(FILE_URL)) == 0)
		*place += sizeof(FILE_URL) - 1;
	return kind;
}

const char *
source_kind_fault(const char *text)
{
	const char *place;
	enum source_kind kind = kind_read(text, &place);

	if (kind == SOURCE_DATABASE)
		return "not crl:PATH, crl:URL or index:PATH";
	if (*place == '\0')
		return "a path that is missing";
	if (source_place_is_url(place))
		return kind == SOURCE_CRL
			   ? NULL
			   : "a URL, want the path of the CA's own index";
	/* A path may have colons, but not where a scheme of URLs would. */
	if (strstr(place, "://") != NULL)
		return "not a path, and not a URL http:// or https://";
	return NULL;
}

enum source_kind
source_kind_of(const char *text, const char **place)
{
	*place = NULL;
	if (text == NULL || source_kind_fault(text) != NULL)
		return SOURCE_DATABASE;
	return kind_read(text, place);
}
