/* SPDX-License-Identifier: ISC */
/* A directory store in a scratch directory. Include cmocka.h first. */
#ifndef CRLPRESS_STORE_SCRATCH_H
#define CRLPRESS_STORE_SCRATCH_H

#include <stdint.h>

#include "crlpress/store.h"

#include "scratch.h"

static inline struct store *
open_store(struct scratch *scratch, const char *path)
{
	const struct store_config config = {.url = path};
	struct store *store = NULL;

	if (store_open(&config, scratch->report, &store) != STATUS_OK)
		return NULL;
	return store;
}

/* A store in the scratch directory. */
static inline struct store *
make_store(struct scratch *scratch)
{
	char path[SCRATCH_BYTES + 64];
	struct store *store;

	scratch_path(scratch, "store", path);
	(void)mkdir(path, 0755);
	store = open_store(scratch, path);
	assert_non_null(store);
	assert_string_equal(store_name(store), path);
	return store;
}

/* Stages a file in the scratch directory and fills in the upload. */
static inline void
stage(struct scratch *scratch, const char *name, const void *data, size_t len,
    mode_t mode, const char *key, struct store_upload *upload)
{
	char path[SCRATCH_BYTES + 64];

	scratch_path(scratch, name, path);
	assert_true(file_make(path, data, len, mode));
	memset(upload, 0, sizeof(*upload));
	upload->key = key;
	upload->path = strdup(path);
	upload->size = len;
	upload->content_type = "application/pkix-crl";
	assert_int_equal(hash_bytes(data, len, &upload->sha256), STATUS_OK);
}

static inline void
upload_free(struct store_upload *upload)
{
	free((char *)(uintptr_t)upload->path);
}

/* How many entries of the directory begin with the prefix. */
static inline int
entries_with(const char *dir, const char *prefix)
{
	char command[2 * SCRATCH_BYTES];
	char line[64] = "";
	FILE *pipe;

	(void)snprintf(command, sizeof(command),
	    "find '%s' -name '%s*' | wc -l", dir, prefix);
	pipe = popen(command, "r");
	assert_non_null(pipe);
	assert_non_null(fgets(line, sizeof(line), pipe));
	assert_int_equal(pclose(pipe), 0);
	return (int)strtol(line, NULL, 10);
}

#endif
