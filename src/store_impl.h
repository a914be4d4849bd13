/* SPDX-License-Identifier: ISC */
/*
 * What a kind of store brings along, for store.c and the kinds alone. A store
 * begins with `struct store`, and its kind is a row of the table in store.c.
 */
#ifndef CRLPRESS_STORE_IMPL_H
#define CRLPRESS_STORE_IMPL_H

#include <stdbool.h>

#include "crlpress/store.h"

/*
 * The functions of a kind, as store.h describes those of the same name. Keys
 * have passed manifest_key_fault, `*object` is empty, uploads have a size of
 * at most STORE_OBJECT_BYTES_MOST, and `*now` is left alone by what fails.
 * `open` leaves `name`, `kind` and `report` to store.c; `close` frees all but
 * `name`.
 */
struct store_kind {
	const char *prefix; /* of its URLs */
	bool keeps_files;   /* as store_keeps_files has it */
	enum status (*open)(const struct store_config *config,
	    struct report *report, struct store **store);
	void (*close)(struct store *store);
	/* `seen`: as store_look_again has it; NULL: what stands there now. */
	enum status (*get)(struct store *store, const char *key,
	    const struct store_version *seen, struct store_object *object,
	    struct store_flaw *flaw);
	enum status (*put)(struct store *store,
	    const struct store_upload *upload, struct store_version *now);
	enum status (*sync)(struct store *store);
	enum status (*sweep)(struct store *store);
	enum status (*probe)(struct store *store);
	/* In any order, with store_keys_add. */
	enum status (*list)(struct store *store, const char *prefix,
	    const char *after, struct store_keys *keys);
	enum status (*remove)(struct store *store, const char *key);
};

struct store {
	const struct store_kind *kind;
	char *name; /* the URL */
	struct report *report;
	unsigned connections; /* as store_connections has it */
};

/* For a kind's list: takes a copy of a key, if it is one. */
enum status store_keys_add(
    struct store *store, struct store_keys *keys, const char *key) MUST_CHECK;

/* Room for a store's URL, a slash and a key in a message. */
#define STORE_PLACE_BYTES 4096

/*
 * Reports that something could not be done with the object `key` (NULL: with
 * the store itself) as `URL/key: store: what`. Returns STATUS_FAILED.
 */
enum status store_fault(struct store *store, const char *key,
    const char *format, ...) __attribute__((format(printf, 3, 4)));

/* Says what is wrong with one object: STATUS_UNREADABLE. */
enum status store_flaw_set(struct store_flaw *flaw, const char *hint,
    const char *format, ...) __attribute__((format(printf, 3, 4)));

/* Reports that, as store_fault. Any other status stays what it is. */
enum status store_flaw_report(struct store *store, const char *key,
    enum status status, const struct store_flaw *flaw) MUST_CHECK;

/* The same as store_fault, as a warning. */
void store_warn(struct store *store, const char *key, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* store_dir.c */
extern const struct store_kind store_dir_path;
extern const struct store_kind store_dir_url;

/* store_s3.c */
extern const struct store_kind store_s3;

#endif
