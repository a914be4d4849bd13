/* SPDX-License-Identifier: ISC */
/*
 * From a spool on local disk into the archive: CRLs first, then the sets that
 * name them. What is safe there leaves the spool; the rest waits.
 */
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "crlpress/archive.h"
#include "crlpress/pool.h"

/* A spool on its way into the archive. */
struct forward {
	struct archive *archive;
	const char *path; /* of the spool */
	struct store *spool;
	struct store_keys keys;
	bool *done;
	size_t first; /* of the keys that are being put */
	unsigned workers;
	atomic_bool failed;
};

static void
forward_fault(struct forward *forward, const char *key, const char *what)
{
	atomic_store(&forward->failed, true);
	(void)report_fault(forward->archive->report, STATUS_PARTIAL, key,
	    "archive", "house rule", "%s", what);
}

/*
 * Something else stands there than the bytes that we came to put: the same
 * when it is unpacked, packed by another version of zlib, or a conflict.
 */
static enum status
contested(
    struct forward *forward, const char *key, const struct store_object *packed)
{
	struct gzip_bytes ours = {.data = NULL}, theirs = {.data = NULL};
	struct store_object object;
	const char *why = NULL;
	bool same = false;

	if (store_get(forward->archive->store, key, &object) != STATUS_OK)
		return STATUS_CONFLICT;
	if (gzip_unpack(packed->data, packed->len, STORE_OBJECT_BYTES_MOST,
		&ours, &why) == STATUS_OK &&
	    gzip_unpack(object.data, object.len, ours.len, &theirs, &why) ==
		STATUS_OK)
		same = ours.len == theirs.len &&
		       memcmp(ours.data, theirs.data, ours.len) == 0;
	gzip_bytes_free(&ours);
	gzip_bytes_free(&theirs);
	store_object_free(&object);
	return same ? STATUS_OK : STATUS_CONFLICT;
}

static enum status
forward_object(struct forward *forward, const char *key, const char *path)
{
	struct store_upload upload = {
	    .key = key, .path = path, .content_type = "application/gzip"};
	struct store_object packed;
	struct store_version now;
	enum status status = store_get(forward->spool, key, &packed);

	if (status != STATUS_OK)
		return status;
	upload.size = packed.len;
	status = hash_bytes(packed.data, packed.len, &upload.sha256);
	if (status == STATUS_OK)
		status = store_put(forward->archive->store, &upload, &now);
	if (status == STATUS_CONFLICT)
		status = contested(forward, key, &packed);
	store_object_free(&packed);
	return status;
}

static void
forward_key(void *context, unsigned worker, size_t i)
{
	struct forward *forward = context;
	const char *key = forward->keys.key[forward->first + i];
	enum status status = STATUS_NO_MEMORY;
	char *path = NULL;

	(void)worker;
	if (asprintf(&path, "%s/%s", forward->path, key) >= 0)
		status = forward_object(forward, key, path);
	if (status == STATUS_CONFLICT)
		forward_fault(forward, key,
		    "something else stands there in the archive; nothing is "
		    "replaced");
	else if (status == STATUS_NOT_FOUND)
		forward_fault(forward, key, "is gone from the spool");
	if (status == STATUS_OK)
		forward->done[forward->first + i] = true;
	else
		atomic_store(&forward->failed, true);
	free(path);
}

/* Puts keys from `first` up to `end`; those that are safe leave the spool. */
static void
forward_keys(struct forward *forward, size_t first, size_t end)
{
	forward->first = first;
	pool_run(forward->workers, end - first, forward_key, forward);
	if (store_sync(forward->archive->store) != STATUS_OK) {
		atomic_store(&forward->failed, true);
		return;
	}
	for (size_t i = first; i < end; i++)
		if (forward->done[i] && store_remove(forward->spool,
					    forward->keys.key[i]) != STATUS_OK)
			atomic_store(&forward->failed, true);
}

enum status
archive_forward(struct archive *archive, const char *path, struct store *spool,
    unsigned workers)
{
	struct forward forward = {.archive = archive,
	    .path = path,
	    .spool = spool,
	    .workers = workers};
	char sets[ARCHIVE_KEY_BYTES];
	size_t first = 0;

	atomic_init(&forward.failed, false);
	archive_sets_place(archive->config->name, sets);
	if (store_list(spool, "", NULL, &forward.keys) != STATUS_OK)
		return STATUS_PARTIAL;
	forward.done = calloc(forward.keys.count + 1, sizeof(*forward.done));
	if (forward.done == NULL)
		atomic_store(&forward.failed, true);
	/* "crls/" sorts before "sets/". */
	while (first < forward.keys.count &&
	       strcmp(forward.keys.key[first], sets) < 0)
		first++;
	if (!atomic_load(&forward.failed))
		forward_keys(&forward, 0, first);
	/* A set that names what is not there yet waits, too. */
	if (!atomic_load(&forward.failed))
		forward_keys(&forward, first, forward.keys.count);
	free(forward.done);
	store_keys_free(&forward.keys);
	return atomic_load(&forward.failed) ? STATUS_PARTIAL : STATUS_OK;
}
