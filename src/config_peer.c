/* SPDX-License-Identifier: ISC */
/*
 * Names are compared as sets without making them: two patterns whose fixed
 * beginnings or ends differ have no name in common, and only of those few that
 * are left the names of one are looked up in the other.
 */
#include "crlpress/config_peer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "crlpress/hex.h"
#include "crlpress/s3_url.h"

/* Where a store is, and a name in it. */
#define NAME_BYTES (SHARD_NAME_BYTES + 4096)

/* The names that a pattern stands for, each behind `base`. */
struct names {
	const char *pattern; /* NULL: there are none */
	const char *base;
	uint32_t first;
	uint32_t count;  /* 0: the pattern is the one name itself */
	char *start;     /* the base, and the pattern up to its place */
	const char *end; /* the pattern behind its place */
	size_t start_len;
	size_t end_len;
};

/* What a configuration has for itself. */
struct holding {
	char *base; /* of its store */
	char *url;  /* as clients take it */
	struct names manifest;
	struct names objects;
	struct names urls;
};

static const char *
after_scheme(const char *url, const char *scheme)
{
	size_t len = strlen(scheme);

	return strncmp(url, scheme, len) == 0 ? url + len : NULL;
}

static bool
ends_with(const char *text, const char *end)
{
	size_t len = strlen(text), end_len = strlen(end);

	return len >= end_len && strcmp(text + len - end_len, end) == 0;
}

/* RFC 3986, 2.3 */
static bool
is_unreserved(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	       (c >= '0' && c <= '9') || strchr("-._~", c) != NULL;
}

/*
 * The host from `host` up to `end`, in place: without upper case, the root's
 * dot, and a port that the scheme has anyway. Returns its new end.
 */
static char *
host_plain(char *host, const char *end, bool is_tls)
{
	char *port = memrchr(host, ':', (size_t)(end - host));
	char *to = host;
	size_t len;

	/* Of an address in brackets. */
	if (port != NULL && memchr(port, ']', (size_t)(end - port)) != NULL)
		port = NULL;
	for (; to < (port != NULL ? port : end); to++)
		if (*to >= 'A' && *to <= 'Z')
			*to = (char)(*to - 'A' + 'a');
	if (to > host && to[-1] == '.')
		to--;
	if (port == NULL)
		return to;
	for (port++; port < end && *port == '0'; port++)
		;
	len = (size_t)(end - port);
	if (len == 0 || (!is_tls && len == 2 && memcmp(port, "80", 2) == 0) ||
	    (is_tls && len == 3 && memcmp(port, "443", 3) == 0))
		return to;
	*to++ = ':';
	memmove(to, port, len);
	return to + len;
}

/*
 * A URL, or a pattern of URLs, as clients take it (RFC 3986, 6.2.2 and 6.2.3):
 * two ways to write one thing lead to one file. NULL without memory.
 */
static char *
url_plain(const char *url)
{
	static const char hex[] = "0123456789ABCDEF";
	char *plain = strdup(url);
	char *host = plain == NULL ? NULL : strstr(plain, "://");
	const char *from;
	char *to;

	if (host == NULL)
		return plain;
	host += strlen("://");
	from = host + strcspn(host, "/?");
	to = host_plain(host, from, after_scheme(plain, "https:") != NULL);
	while (*from != '\0') {
		int high = *from == '%' ? hex_digit(from[1]) : -1;
		int low = high < 0 ? -1 : hex_digit(from[2]);

		if (low < 0) {
			*to++ = *from++;
			continue;
		}
		from += 3;
		if (is_unreserved((char)(high * 16 + low)) && high + low > 0) {
			*to++ = (char)(high * 16 + low);
		} else {
			*to++ = '%';
			*to++ = hex[high];
			*to++ = hex[low];
		}
	}
	*to = '\0';
	return plain;
}

/* By what it is, not by how it was written; NULL without memory. */
static char *
directory_base(const char *path)
{
	char *real = realpath(path, NULL);
	char *base = NULL;
	size_t len;

	/* What is not there yet is what it is called. */
	if (real == NULL)
		real = strdup(path);
	if (real == NULL)
		return NULL;
	for (len = strlen(real); len > 0 && real[len - 1] == '/'; len--)
		;
	if (asprintf(&base, "%.*s/", (int)len, real) < 0)
		base = NULL;
	free(real);
	return base;
}

/* Names of buckets are Amazon's, or an endpoint's, whatever the region. */
static char *
bucket_base(const struct config *config)
{
	const char *endpoint = config->remote.endpoint;
	char *plain = url_plain(endpoint != NULL ? endpoint : "");
	struct s3_place place;
	const char *host, *why = NULL;
	char *base = NULL;

	if (plain == NULL)
		return NULL;
	/* With TLS or without it is one service. */
	host = strstr(plain, "://");
	host = host != NULL ? host + strlen("://") : "";
	if (ends_with(host, ".amazonaws.com"))
		host = "";
	if (s3_place_make(config->store_url, endpoint, "us-east-1",
		STORE_PATH_STYLE_YES, &place, &why) != STATUS_OK)
		base = strdup(config->store_url);
	else if (asprintf(&base, "%s s3://%s/%s", host, place.bucket,
		     place.prefix) < 0)
		base = NULL;
	free(plain);
	return base;
}

static char *
store_base(const struct config *config)
{
	const char *path = after_scheme(config->store_url, "file://");

	if (after_scheme(config->store_url, "s3://") != NULL)
		return bucket_base(config);
	return directory_base(path != NULL ? path : config->store_url);
}

static enum status
names_make(struct names *names, const char *base, const char *pattern,
    uint32_t first, uint32_t count)
{
	const char *place = count == 0 ? NULL : strchr(pattern, '{');
	size_t fixed =
	    place == NULL ? strlen(pattern) : (size_t)(place - pattern);

	*names = (struct names){
	    .pattern = pattern, .base = base, .first = first, .count = count};
	if (asprintf(&names->start, "%s%.*s", base, (int)fixed, pattern) < 0) {
		names->start = NULL;
		return STATUS_NO_MEMORY;
	}
	names->end = place == NULL ? names->start : strchr(place, '}') + 1;
	names->start_len = strlen(names->start);
	names->end_len = strlen(names->end);
	return STATUS_OK;
}

static enum status
holding_make(struct holding *holding, const struct config *config)
{
	uint32_t first = config->shards.first;
	uint32_t count = config->shards.count;
	enum status status;

	holding->base = store_base(config);
	if (holding->base == NULL)
		return STATUS_NO_MEMORY;
	status = names_make(
	    &holding->manifest, holding->base, config->manifest_key, 0, 0);
	if (status == STATUS_OK)
		status = names_make(&holding->objects, holding->base,
		    config->object_pattern, first, count);
	if (status != STATUS_OK || config->url_pattern == NULL)
		return status;
	holding->url = url_plain(config->url_pattern);
	if (holding->url == NULL)
		return STATUS_NO_MEMORY;
	return names_make(&holding->urls, "", holding->url, first, count);
}

static void
holding_free(struct holding *holding)
{
	free(holding->manifest.start);
	free(holding->objects.start);
	free(holding->urls.start);
	free(holding->url);
	free(holding->base);
}

static size_t
lesser(size_t a, size_t b)
{
	return a < b ? a : b;
}

/* Whether a name could be of both, by what all names of each have. */
static bool
names_may_meet(const struct names *a, const struct names *b)
{
	size_t start = lesser(a->start_len, b->start_len);
	size_t end = lesser(a->end_len, b->end_len);

	return memcmp(a->start, b->start, start) == 0 &&
	       memcmp(a->end + a->end_len - end, b->end + b->end_len - end,
		   end) == 0;
}

static bool
names_have(const struct names *names, const char *name)
{
	const char *rest = after_scheme(name, names->base);
	uint32_t index;

	if (rest == NULL)
		return false;
	if (names->count == 0)
		return strcmp(rest, names->pattern) == 0;
	return shard_find(names->pattern, names->count, names->first, rest,
		   &index) == STATUS_OK;
}

/* A name that both have, as `a` has it, in `name`. */
static bool
names_meet(const struct names *a, const struct names *b, char name[NAME_BYTES])
{
	char own[SHARD_NAME_BYTES];
	const char *why;
	uint32_t i = 0;

	if (a->pattern == NULL || b->pattern == NULL || !names_may_meet(a, b))
		return false;
	do {
		(void)snprintf(own, sizeof(own), "%s", a->pattern);
		if (a->count > 0 &&
		    shard_expand(a->pattern, a->count, a->first + i, own,
			sizeof(own), &why) != STATUS_OK)
			return false;
		(void)snprintf(name, NAME_BYTES, "%s%s", a->base, own);
		if (names_have(b, name)) {
			(void)snprintf(name, NAME_BYTES, "%s", own);
			return true;
		}
	} while (++i < a->count);
	return false;
}

/* What two have in common first, as text; NULL: nothing. */
static const char *
common_thing(const struct config_peer *a, const struct holding *x,
    const struct config_peer *b, const struct holding *y, char name[NAME_BYTES])
{
	if (strcmp(a->config->name, b->config->name) == 0) {
		(void)snprintf(name, NAME_BYTES, "%s", a->config->name);
		return "issuer name";
	}
	if (names_meet(&x->urls, &y->urls, name))
		return "URL";
	if (names_meet(&x->manifest, &y->manifest, name))
		return "manifest";
	if (names_meet(&x->objects, &y->objects, name) ||
	    names_meet(&x->manifest, &y->objects, name) ||
	    names_meet(&y->manifest, &x->objects, name))
		return "object";
	return NULL;
}

/* Both have a thing that only one can have. */
static enum status
peers_refuse(struct config_peer *one, struct config_peer *other,
    const char *what, const char *name, struct report *report)
{
	one->refused = other->refused = true;
	return report_fault(report, STATUS_CONFIG, one->config->path, "config",
	    "house rule",
	    "the %s %s is that of another file too, %s; neither is used", what,
	    name, other->config->path);
}

static enum status
peers_unknown(struct report *report)
{
	return report_fault(report, STATUS_NO_MEMORY, "config", NULL, NULL,
	    "out of memory: what files share is not known, and none is used");
}

/*
 * Each with those before it. Of two that are refused already nothing more is
 * said: copies of one file, however many, are as many lines.
 */
static enum status
peer_check(struct config_peer *peers, const struct holding *holdings, size_t at,
    struct report *report)
{
	enum status status = STATUS_OK;
	char name[NAME_BYTES];

	for (size_t i = 0; i < at; i++) {
		const char *what;

		if (peers[i].config == NULL ||
		    (peers[i].idle && peers[at].idle) ||
		    (peers[i].refused && peers[at].refused))
			continue;
		what = common_thing(
		    &peers[at], &holdings[at], &peers[i], &holdings[i], name);
		if (what == NULL)
			continue;
		status =
		    peers_refuse(&peers[at], &peers[i], what, name, report);
	}
	return status;
}

enum status
config_peers_check(
    struct config_peer *peers, size_t count, struct report *report)
{
	struct holding *holdings = calloc(count + 1, sizeof(*holdings));
	enum status status = holdings != NULL ? STATUS_OK : STATUS_NO_MEMORY;

	for (size_t i = 0; i < count && status != STATUS_NO_MEMORY; i++) {
		if (peers[i].config == NULL)
			continue;
		if (holding_make(&holdings[i], peers[i].config) != STATUS_OK)
			status = STATUS_NO_MEMORY;
		else
			status = status_graver(
			    status, peer_check(peers, holdings, i, report));
	}
	for (size_t i = 0; i < count; i++) {
		/* Nobody knows what they share. */
		peers[i].refused |= status == STATUS_NO_MEMORY;
		if (holdings != NULL)
			holding_free(&holdings[i]);
	}
	free(holdings);
	return status == STATUS_NO_MEMORY ? peers_unknown(report) : status;
}

/* Where a file is written, however it is called: the directory may be reached
 * by a link, the file itself is replaced. NULL without memory. */
static char *
file_place(const char *path)
{
	const char *slash = strrchr(path, '/');
	const char *name = slash == NULL ? path : slash + 1;
	char *directory = NULL, *base = NULL, *place = NULL;

	if (asprintf(&directory, "%.*s", (int)(name - path), path) < 0)
		return NULL;
	base = directory_base(slash == NULL ? "." : directory);
	if (base != NULL && asprintf(&place, "%s%s", base, name) < 0)
		place = NULL;
	free(directory);
	free(base);
	return place;
}

enum status
config_peers_check_expiry(
    struct config_peer *peers, size_t count, struct report *report)
{
	char **place = calloc(count + 1, sizeof(*place));
	enum status status = place == NULL ? STATUS_NO_MEMORY : STATUS_OK;

	for (size_t i = 0; i < count && status != STATUS_NO_MEMORY; i++) {
		const struct config *config = peers[i].config;

		if (config == NULL || config->ocsp_expiry_file == NULL)
			continue;
		place[i] = file_place(config->ocsp_expiry_file);
		if (place[i] == NULL)
			status = STATUS_NO_MEMORY;
		for (size_t j = 0; j < i && place[i] != NULL; j++) {
			if (place[j] == NULL || strcmp(place[i], place[j]) != 0)
				continue;
			status = peers_refuse(&peers[i], &peers[j],
			    "expiry_file", config->ocsp_expiry_file, report);
			break;
		}
	}
	for (size_t i = 0; i < count && place != NULL; i++)
		free(place[i]);
	free(place);
	return status == STATUS_NO_MEMORY ? peers_unknown(report) : status;
}

enum status
config_peers_load(char **paths, size_t count, struct report *report,
    struct config_peer **peers)
{
	enum status worst = STATUS_OK;

	*peers = calloc(count + 1, sizeof(**peers));
	if (*peers == NULL)
		return STATUS_NO_MEMORY;
	for (size_t i = 0; i < count; i++)
		worst = status_graver(
		    worst, config_load(paths[i], report, &(*peers)[i].config));
	return worst;
}

void
config_peers_free(struct config_peer *peers, size_t count)
{
	for (size_t i = 0; peers != NULL && i < count; i++)
		config_free(peers[i].config);
	free(peers);
}
