/* SPDX-License-Identifier: ISC */
/*
 * PKCS#11 URIs by RFC 7512, strictly: an attribute that is misspelt would
 * lead to another key or to none. A PIN in the text is refused, since whoever
 * reads the configuration would read it too.
 */
#include "crlpress/key_uri.h"

#include <stddef.h>
#include <string.h>

#include "crlpress/hex.h"

#define PKCS11 "pkcs11:"
#define ENGINE "org.openssl.engine:"

#define ATTRIBUTES_MOST 32

/* RFC 7512, 2.3: what a path may name, and what a query may. */
static const char *const path_names[] = {"token", "manufacturer", "serial",
    "model", "library-manufacturer", "library-version", "library-description",
    "object", "type", "id", "slot-description", "slot-manufacturer", "slot-id"};
static const char *const query_names[] = {
    "pin-source", "pin-value", "module-name", "module-path"};

struct attribute {
	const char *name;
	size_t name_len;
	const char *value;
	size_t value_len;
};

struct attributes {
	size_t count;
	struct attribute of[ATTRIBUTES_MOST];
};

static bool
is_alpha(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

bool
key_uri_is(const char *text)
{
	size_t i = 0;

	if (!is_alpha(text[0]))
		return false;
	while (is_alpha(text[i]) || is_digit(text[i]) || text[i] == '+' ||
	       text[i] == '-' || text[i] == '.')
		i++;
	/* A single letter and a colon is no scheme in use. */
	return i > 1 && text[i] == ':';
}

static bool
name_is(const struct attribute *attribute, const char *name)
{
	return strlen(name) == attribute->name_len &&
	       memcmp(name, attribute->name, attribute->name_len) == 0;
}

/* RFC 7512, 2.3: unreserved octets, some reserved ones, or %XX. */
static bool
value_is_sane(const struct attribute *attribute)
{
	static const char others[] = "-._~:[]@!$'()*+,=&/?|";

	for (size_t i = 0; i < attribute->value_len; i++) {
		char c = attribute->value[i];

		if (c == '%') {
			if (attribute->value_len - i < 3 ||
			    hex_digit(attribute->value[i + 1]) < 0 ||
			    hex_digit(attribute->value[i + 2]) < 0)
				return false;
			i += 2;
		} else if (!is_alpha(c) && !is_digit(c) &&
			   (c == '\0' || strchr(others, c) == NULL)) {
			return false;
		}
	}
	return true;
}

static bool
name_is_known(
    const struct attribute *attribute, const char *const *names, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (name_is(attribute, names[i]))
			return true;
	/* A vendor's own. */
	return attribute->name_len > 2 && memcmp(attribute->name, "x-", 2) == 0;
}

static const struct attribute *
attribute_find(const struct attributes *attributes, const char *name)
{
	for (size_t i = 0; i < attributes->count; i++)
		if (name_is(&attributes->of[i], name))
			return &attributes->of[i];
	return NULL;
}

/* Adds `text` up to `len`, "name=value". NULL or what is wrong with it. */
static const char *
attribute_add(struct attributes *attributes, const char *text, size_t len,
    const char *const *names, size_t count)
{
	struct attribute new = {.name = text};
	const char *sign = memchr(text, '=', len);

	if (sign == NULL)
		return "a PKCS#11 attribute without a value";
	new.name_len = (size_t)(sign - text);
	new.value = sign + 1;
	new.value_len = len - new.name_len - 1;
	if (!name_is_known(&new, names, count))
		return "an attribute that RFC 7512 does not have there";
	if (!value_is_sane(&new))
		return "a character that must be written %XX (RFC 7512, 2.3)";
	for (size_t i = 0; i < attributes->count; i++)
		if (attributes->of[i].name_len == new.name_len &&
		    memcmp(attributes->of[i].name, new.name, new.name_len) == 0)
			return "the same PKCS#11 attribute twice";
	if (attributes->count == ATTRIBUTES_MOST)
		return "too many PKCS#11 attributes";
	attributes->of[attributes->count++] = new;
	return NULL;
}

static const char *
attributes_scan(struct attributes *attributes, const char *text, size_t len,
    char between, const char *const *names, size_t count)
{
	while (len > 0) {
		const char *end = memchr(text, between, len);
		size_t part = end != NULL ? (size_t)(end - text) : len;
		const char *fault =
		    attribute_add(attributes, text, part, names, count);

		if (fault != NULL)
			return fault;
		text += part + (end != NULL);
		len -= part + (end != NULL);
	}
	return NULL;
}

/* The path that pin-source names: "file:" before it or not, %XX decoded. */
static const char *
pin_source_read(const struct attribute *source, struct key_uri *uri)
{
	static const char scheme[] = "file:";
	const char *value = source->value;
	size_t len = source->value_len, out = 0;

	if (len > 0 && value[0] == '|')
		return "pin-source names a program, want a file";
	if (len >= strlen(scheme) &&
	    memcmp(value, scheme, strlen(scheme)) == 0) {
		value += strlen(scheme);
		len -= strlen(scheme);
		if (len > 2 && memcmp(value, "///", 3) == 0) {
			value += 2;
			len -= 2;
		}
	}
	for (size_t i = 0; i < len; i++) {
		char c = value[i];

		if (c == '%') {
			c = (char)(hex_digit(value[i + 1]) << 4 |
				   hex_digit(value[i + 2]));
			i += 2;
		}
		if (c == '\0')
			return "pin-source has a NUL in it";
		uri->pin_path[out++] = c;
	}
	uri->pin_path[out] = '\0';
	if (uri->pin_path[0] != '/' || uri->pin_path[1] == '/')
		return "pin-source must be file: and an absolute path";
	return NULL;
}

/* The URI again, without what is about the PIN. */
static void
token_id_write(struct key_uri *uri, const struct attributes *path,
    const struct attributes *query)
{
	size_t out = strlen(PKCS11);
	const char *before = "";

	memcpy(uri->id, PKCS11, out);
	for (size_t i = 0; i < path->count + query->count; i++) {
		const struct attribute *a = i < path->count
						? &path->of[i]
						: &query->of[i - path->count];
		size_t len = a->name_len + 1 + a->value_len;

		if (i == path->count)
			before = "?";
		if (name_is(a, "pin-source"))
			continue;
		memcpy(uri->id + out, before, strlen(before));
		out += strlen(before);
		memcpy(uri->id + out, a->name, len);
		out += len;
		before = i < path->count ? ";" : "&";
	}
	uri->id[out] = '\0';
}

/* RFC 7512, 2.3. The text is shorter than the room there is. */
static const char *
token_read(const char *text, struct key_uri *uri)
{
	struct attributes path = {0}, query = {0};
	const struct attribute *a;
	const char *mark, *fault;
	size_t len;

	text += strlen(PKCS11);
	mark = strchr(text, '?');
	len = mark != NULL ? (size_t)(mark - text) : strlen(text);
	fault = attributes_scan(&path, text, len, ';', path_names,
	    sizeof(path_names) / sizeof(*path_names));
	if (fault == NULL && mark != NULL)
		fault = attributes_scan(&query, mark + 1, strlen(mark + 1), '&',
		    query_names, sizeof(query_names) / sizeof(*query_names));
	if (fault != NULL)
		return fault;
	/* Any token that has such a key would do otherwise. */
	if (attribute_find(&path, "token") == NULL &&
	    attribute_find(&path, "serial") == NULL &&
	    attribute_find(&path, "slot-id") == NULL)
		return "no token is named, want token=, serial= or slot-id=";
	if (attribute_find(&path, "object") == NULL &&
	    attribute_find(&path, "id") == NULL)
		return "no key is named, want object= or id=";
	a = attribute_find(&path, "type");
	if (a != NULL && (a->value_len != strlen("private") ||
			     memcmp(a->value, "private", a->value_len) != 0))
		return "type is not private";
	a = attribute_find(&query, "pin-source");
	if (a != NULL)
		fault = pin_source_read(a, uri);
	token_id_write(uri, &path, &query);
	return fault;
}

/* "ENGINE:ID", the latter in the engine's own words. */
static const char *
engine_read(const char *text, struct key_uri *uri)
{
	const char *colon;
	size_t len;

	text += strlen(ENGINE);
	colon = strchr(text, ':');
	if (colon == NULL || colon == text || colon[1] == '\0')
		return "want org.openssl.engine:ENGINE:KEY";
	len = (size_t)(colon - text);
	if (len >= sizeof(uri->engine))
		return "the name of the engine is too long";
	for (size_t i = 0; i < len; i++)
		if (!is_alpha(text[i]) && !is_digit(text[i]) &&
		    text[i] != '-' && text[i] != '_')
			return "the name of an engine has letters, digits, "
			       "'-' and '_'";
	memcpy(uri->engine, text, len);
	uri->engine[len] = '\0';
	memcpy(uri->id, colon + 1, strlen(colon + 1) + 1);
	return NULL;
}

static bool
begins(const char *text, const char *with)
{
	return strncmp(text, with, strlen(with)) == 0;
}

enum status
key_uri_parse(const char *text, struct key_uri *uri, const char **why)
{
	memset(uri, 0, sizeof(*uri));
	*why = NULL;
	if (!key_uri_is(text)) {
		uri->home = KEY_IN_FILE;
		return STATUS_OK;
	}
	if (strlen(text) >= sizeof(uri->id)) {
		*why = "a URI this long names no key";
		return STATUS_MALFORMED;
	}
	/* Nor in what an engine or provider is told, in whatever case. */
	if (strcasestr(text, "pin-value") != NULL)
		*why = "a PIN in the text; name a file by passphrase_file or "
		       "pin-source";
	/* They would read it themselves, and try it again and again. */
	else if (!begins(text, PKCS11) &&
		 strcasestr(text, "pin-source") != NULL)
		*why = "pin-source goes with pkcs11: alone; name the file by "
		       "passphrase_file";
	if (*why != NULL)
		return STATUS_MALFORMED;
	if (begins(text, PKCS11)) {
		uri->home = KEY_IN_TOKEN;
		memcpy(uri->engine, "pkcs11", sizeof("pkcs11"));
		*why = token_read(text, uri);
	} else if (begins(text, ENGINE)) {
		uri->home = KEY_IN_ENGINE;
		*why = engine_read(text, uri);
	} else {
		uri->home = KEY_IN_PROVIDER;
		memcpy(uri->id, text, strlen(text) + 1);
	}
	return *why == NULL ? STATUS_OK : STATUS_MALFORMED;
}
