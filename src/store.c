/* SPDX-License-Identifier: ISC */
/*
 * The stores behind one interface: the URL chooses the kind, a row of a
 * table; what holds for every kind (keys, sizes) is checked here.
 */
#include "crlpress/store.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "crlpress/manifest.h"

#include "store_impl.h"

static const struct store_kind *const kinds[] = {
    &store_dir_path,
    &store_dir_url,
    &store_s3,
};

static const struct store_kind *
kind_find(const char *url)
{
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (strncmp(url, kinds[i]->prefix, strlen(kinds[i]->prefix)) ==
		    0)
			return kinds[i];
	return NULL;
}

/* A key that the manifest could not name is not for a store either. */
static enum status
key_check(struct store *store, const char *key)
{
	const char *why = manifest_key_fault(key);

	if (why == NULL)
		return STATUS_OK;
	return store_fault(store, key, "not an object key: %s", why);
}

/* URL/KEY, cut off when it is too long: it is for a person. */
static void
place_make(
    const struct store *store, const char *key, char place[STORE_PLACE_BYTES])
{
	size_t len = strlen(store->name);

	(void)snprintf(place, STORE_PLACE_BYTES, "%s%s%s", store->name,
	    key == NULL || (len > 0 && store->name[len - 1] == '/') ? "" : "/",
	    key == NULL ? "" : key);
}

enum status
store_fault(struct store *store, const char *key, const char *format, ...)
{
	char place[STORE_PLACE_BYTES];
	char what[STORE_PLACE_BYTES];
	va_list args;

	place_make(store, key, place);
	va_start(args, format);
	(void)vsnprintf(what, sizeof(what), format, args);
	va_end(args);
	return report_fault(
	    store->report, STATUS_FAILED, place, "store", NULL, "%s", what);
}

enum status
store_flaw_set(
    struct store_flaw *flaw, const char *hint, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	(void)vsnprintf(flaw->what, sizeof(flaw->what), format, args);
	va_end(args);
	flaw->hint = hint;
	return STATUS_UNREADABLE;
}

enum status
store_flaw_report(struct store *store, const char *key, enum status status,
    const struct store_flaw *flaw)
{
	if (status != STATUS_UNREADABLE)
		return status;
	status = store_fault(store, key, "%s", flaw->what);
	if (flaw->hint != NULL)
		report_hint(store->report, "%s", flaw->hint);
	return status;
}

void
store_warn(struct store *store, const char *key, const char *format, ...)
{
	char place[STORE_PLACE_BYTES];
	char what[STORE_PLACE_BYTES];
	va_list args;

	place_make(store, key, place);
	va_start(args, format);
	(void)vsnprintf(what, sizeof(what), format, args);
	va_end(args);
	report_warn(store->report, place, "store", NULL, "%s", what);
}

enum status
store_open(const struct store_config *config, struct report *report,
    struct store **store)
{
	const struct store_kind *kind = kind_find(config->url);
	char *name;
	enum status status;

	*store = NULL;
	if (kind == NULL)
		return report_fault(report, STATUS_CONFIG, config->url, "store",
		    NULL,
		    "no kind of store has such a URL, want /PATH, "
		    "file:///PATH or s3://BUCKET/PREFIX");
	name = strdup(config->url);
	if (name == NULL)
		return report_fault(report, STATUS_NO_MEMORY, config->url,
		    "store", NULL, "out of memory");
	status = kind->open(config, report, store);
	if (status != STATUS_OK) {
		free(name);
		return status;
	}
	(*store)->kind = kind;
	(*store)->name = name;
	(*store)->report = report;
	return STATUS_OK;
}

void
store_close(struct store *store)
{
	char *name;

	if (store == NULL)
		return;
	name = store->name;
	store->kind->close(store);
	free(name);
}

const char *
store_name(const struct store *store)
{
	return store->name;
}

unsigned
store_connections(const struct store *store)
{
	return store->connections;
}

bool
store_keeps_files(const struct store *store)
{
	return store->kind->keeps_files;
}

enum status
store_probe(struct store *store)
{
	return store->kind->probe(store);
}

static enum status
get(struct store *store, const char *key, const struct store_version *seen,
    struct store_object *object, struct store_flaw *flaw)
{
	enum status status;

	memset(object, 0, sizeof(*object));
	flaw->what[0] = '\0';
	flaw->hint = NULL;
	flaw->in_the_way = false;
	status = key_check(store, key);
	if (status != STATUS_OK)
		return status;
	return store->kind->get(store, key, seen, object, flaw);
}

enum status
store_get(struct store *store, const char *key, struct store_object *object)
{
	struct store_flaw flaw;
	enum status status = get(store, key, NULL, object, &flaw);

	return store_flaw_report(store, key, status, &flaw);
}

enum status
store_look(struct store *store, const char *key, struct store_object *object,
    struct store_flaw *flaw)
{
	return get(store, key, NULL, object, flaw);
}

enum status
store_look_again(struct store *store, const char *key,
    const struct store_version *seen, struct store_object *object,
    struct store_flaw *flaw)
{
	return get(store, key, seen, object, flaw);
}

void
store_object_free(struct store_object *object)
{
	if (object == NULL)
		return;
	free((void *)(uintptr_t)object->data);
	memset(object, 0, sizeof(*object));
}

enum status
store_put(struct store *store, const struct store_upload *upload,
    struct store_version *now)
{
	enum status status = key_check(store, upload->key);

	if (status != STATUS_OK)
		return status;
	if (upload->size > STORE_OBJECT_BYTES_MOST)
		return store_fault(store, upload->key,
		    "too large, have %llu bytes, want at most %llu",
		    (unsigned long long)upload->size,
		    (unsigned long long)STORE_OBJECT_BYTES_MOST);
	return store->kind->put(store, upload, now);
}

enum status
store_sync(struct store *store)
{
	return store->kind->sync(store);
}

enum status
store_sweep(struct store *store)
{
	return store->kind->sweep(store);
}

enum status
store_keys_add(struct store *store, struct store_keys *keys, const char *key)
{
	if (manifest_key_fault(key) != NULL)
		return STATUS_OK;
	if (keys->count == STORE_KEYS_MOST)
		return store_fault(store, NULL, "more than %zu objects to list",
		    STORE_KEYS_MOST);
	if (keys->count == keys->room) {
		size_t room = keys->room == 0 ? 64 : 2 * keys->room;
		char **list = reallocarray(keys->key, room, sizeof(*list));

		if (list == NULL)
			return store_fault(store, NULL, "out of memory");
		keys->key = list;
		keys->room = room;
	}
	keys->key[keys->count] = strdup(key);
	if (keys->key[keys->count] == NULL)
		return store_fault(store, NULL, "out of memory");
	keys->count++;
	return STATUS_OK;
}

static int
key_compare(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* A store that lists an object twice has it once. */
static void
keys_settle(struct store_keys *keys)
{
	size_t kept = 0;

	if (keys->count > 0)
		qsort(keys->key, keys->count, sizeof(*keys->key), key_compare);
	for (size_t i = 0; i < keys->count; i++) {
		if (kept > 0 && strcmp(keys->key[kept - 1], keys->key[i]) == 0)
			free(keys->key[i]);
		else
			keys->key[kept++] = keys->key[i];
	}
	keys->count = kept;
}

enum status
store_list(struct store *store, const char *prefix, const char *after,
    struct store_keys *keys)
{
	enum status status;

	memset(keys, 0, sizeof(*keys));
	status = store->kind->list(store, prefix, after, keys);
	if (status != STATUS_OK)
		store_keys_free(keys);
	else
		keys_settle(keys);
	return status;
}

void
store_keys_free(struct store_keys *keys)
{
	if (keys == NULL)
		return;
	for (size_t i = 0; i < keys->count; i++)
		free(keys->key[i]);
	free(keys->key);
	memset(keys, 0, sizeof(*keys));
}

enum status
store_remove(struct store *store, const char *key)
{
	enum status status = key_check(store, key);

	if (status != STATUS_OK)
		return status;
	return store->kind->remove(store, key);
}
