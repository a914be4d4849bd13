/* SPDX-License-Identifier: ISC */
/*
 * Where shards are published: one interface, a directory or S3 behind it.
 * A put is a compare-and-swap on the version that was judged, so that of two
 * publishers one wins and the other is told; nothing half-written is ever
 * visible.
 */
#ifndef CRLPRESS_STORE_H
#define CRLPRESS_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "crlpress/context.h"
#include "crlpress/hash.h"
#include "crlpress/report.h"
#include "crlpress/status.h"
#include "crlpress/store_remote.h"
#include "crlpress/uint160.h"

/* A larger object is no CRL that anybody would read. */
#define STORE_OBJECT_BYTES_MOST (2ULL * 1024 * 1024 * 1024)

/* Names a version of an object: an ETag, or what the directory has for one. */
#define STORE_VERSION_BYTES 128

struct store_version {
	char text[STORE_VERSION_BYTES]; /* empty: the object does not exist */
};

/* An object's bytes, malloc'd. Free it with store_object_free. */
struct store_object {
	const uint8_t *data; /* NULL when len is 0 */
	size_t len;
	struct store_version version;
};

/*
 * A file to be put, which is not changed or removed meanwhile; it has been
 * synced where the store keeps files.
 */
struct store_upload {
	const char *key;
	const char *path; /* of the staged file */
	uint64_t size;
	struct hash sha256;
	const char *content_type; /* "application/pkix-crl" */
	/* What was done to the bytes, where a store can tell: "gzip"; NULL:
	 * nothing. */
	const char *content_encoding;
	/* What must be there now; empty: nothing. */
	struct store_version replaces;
	/* What a store keeps beside the bytes, where it keeps such things. */
	const struct uint160 *number; /* NULL: none */
	int64_t this_update_sec;
	int64_t expires_sec;       /* until when a cache may have it */
	const char *cache_control; /* NULL: none */
	const char *public_url;    /* where clients find it; NULL: nowhere */
};

struct store;

struct store_config {
	const char *url; /* "/path", "file:///path" or "s3://bucket/prefix" */
	/* For s3: only, and never NULL there. */
	const struct store_remote *remote;
	const struct context *context;
	/* A directory of the issuer's for what is remembered of the store and
	 * its objects, by one process or several; NULL: nothing is. */
	const char *state_dir;
	/* CA certificates of the servers of public URLs; NULL: the system's. */
	const char *public_ca_file;
};

/*
 * The configuration is not kept. Faults name the store; STATUS_CONFIG when
 * the URL names no kind of store. A store that can only be read is fine until
 * something is put or swept. store_close(NULL) is fine.
 */
enum status store_open(const struct store_config *config, struct report *report,
    struct store **store) MUST_CHECK;
void store_close(struct store *store);

/* The store's URL, for messages. */
const char *store_name(const struct store *store);

/* How many puts at a time it is meant for; 0: as many as there are CPUs. */
unsigned store_connections(const struct store *store);

/* Whether what stands there afterwards may be the very file that was put; else
 * it is a copy, which no crash of this machine takes away. */
bool store_keeps_files(const struct store *store);

/*
 * Shows by objects of its own, removed again, that the store does what a run
 * relies on; what cannot be shown is reported. A run does so by store_sweep
 * when it has not been shown before.
 */
enum status store_probe(struct store *store) MUST_CHECK;

/*
 * Reads an object. STATUS_NOT_FOUND when it is certain that there is none
 * (not reported); any other failure is reported. Threads may call it.
 */
enum status store_get(struct store *store, const char *key,
    struct store_object *object) MUST_CHECK;
void store_object_free(struct store_object *object);

/* Why one object cannot be read, while the store as such can. */
#define STORE_FLAW_BYTES 768

struct store_flaw {
	char what[STORE_FLAW_BYTES]; /* "cannot open it: Permission denied" */
	const char *hint;            /* static text; NULL: none */
	bool in_the_way;             /* and no put can replace it */
};

/*
 * As store_get, for one object of several. Where the fault is that object's
 * alone it is not reported: STATUS_UNREADABLE, with `*flaw` filled in and
 * nothing in `object` but the version that stands there; empty where that
 * cannot be told, so that a put which replaces "nothing" replaces nothing.
 */
enum status store_look(struct store *store, const char *key,
    struct store_object *object, struct store_flaw *flaw) MUST_CHECK;

/*
 * As store_look, of a version that was seen before in this run; a copy of that
 * one may be read without asking the store what stands there now. Whoever
 * wants to know puts on the condition that it does.
 */
enum status store_look_again(struct store *store, const char *key,
    const struct store_version *seen, struct store_object *object,
    struct store_flaw *flaw) MUST_CHECK;

/*
 * Puts an object where upload->replaces is what stands there, reads it back,
 * and fills `*now` with the new version. STATUS_CONFLICT (not reported) when
 * something else stands there and it is not these very bytes; bytes that are
 * ours already are success. STATUS_PARTIAL, reported, with `*now` filled in:
 * the store has it, but what its public URL serves is something else. Any
 * other failure is reported; `*now` is left alone then. That is
 * STATUS_PARTIAL when it was sent and nobody can say whether it stands there.
 * Threads may call it with different keys.
 */
enum status store_put(struct store *store, const struct store_upload *upload,
    struct store_version *now) MUST_CHECK;

/* Makes what was put so far durable; called before the manifest is put. */
enum status store_sync(struct store *store) MUST_CHECK;

/*
 * Removes what puts of a killed run left behind, never an object, nor
 * anything of a put under way. It also says when the store cannot be written,
 * so that a run may know before it signs.
 */
enum status store_sweep(struct store *store) MUST_CHECK;

/* Keys of objects, by rising bytes. Free them with store_keys_free. */
struct store_keys {
	char **key;
	size_t count;
	size_t room;
};

/* 65536 shards, sixty times; a longer list is somebody else's bucket. */
#define STORE_KEYS_MOST ((size_t)4 * 1024 * 1024)

/*
 * The keys below `prefix`, which is empty or ends with a slash, that come
 * after `after` (NULL: all of them). What is no key that store_put would take
 * is left out. Nothing there is no failure.
 */
enum status store_list(struct store *store, const char *prefix,
    const char *after, struct store_keys *keys) MUST_CHECK;
void store_keys_free(struct store_keys *keys);

/*
 * Removes an object, whatever version of it stands there; one that is not
 * there is no failure. Threads may call it with different keys.
 */
enum status store_remove(struct store *store, const char *key) MUST_CHECK;

#endif
