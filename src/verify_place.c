/* SPDX-License-Identifier: ISC */
/*
 * Whether each CRL stands where its own URL leads: two that were exchanged are
 * right by themselves, and whoever fetches one gets the other. A manifest
 * tells that for its own set; here it is for sets without one.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "verify_impl.h"

/* The last components of a path, as many as the key has; NULL: it has less. */
static const char *
path_tail(const char *path, const char *key)
{
	const char *at = path + strlen(path);
	size_t slashes = 0;

	for (const char *c = key; *c != '\0'; c++)
		slashes += *c == '/';
	for (; at > path; at--)
		if (at[-1] == '/' && slashes-- == 0)
			return at;
	return slashes == 0 ? path : NULL;
}

/* The shard of a configuration whose object has this path; NULL: none. */
static bool
find_place(const struct config *config, const char *path, uint32_t *index)
{
	const char *tail =
	    path == NULL ? NULL : path_tail(path, config->object_pattern);

	return tail != NULL &&
	       shard_find(config->object_pattern, config->shards.count,
		   config->shards.first, tail, index) == STATUS_OK;
}

/* BR 7.2.2.1: the distribution point is where it was fetched from. */
static enum status
place_fault(struct verify *verify, const struct verify_file *file,
    const struct config *config, uint32_t index)
{
	char url[SHARD_NAME_BYTES];
	const char *why = NULL;

	if (shard_expand(config->url_pattern, config->shards.count, index, url,
		sizeof(url), &why) != STATUS_OK)
		return STATUS_OK;
	return report_fault(verify->report, STATUS_FAULTY, file->path,
	    "idp-url", "BR 7.2.2.1",
	    "stands at the key of shard %" PRIu32
	    " of %s, have the URL %s, want %s",
	    index, config->name, file->url, url);
}

/* From inside the store a path is shorter than the key, but not its real one.
 */
static enum status
judge_place(struct verify *verify, const struct verify_file *file)
{
	enum status status = STATUS_OK;
	uint32_t index = 0;
	char *real;

	if (find_place(file->config, file->path, &index) &&
	    index == file->shard)
		return STATUS_OK;
	real = realpath(file->path, NULL);
	/* Two configurations may have the same keys, in two stores. */
	if (!find_place(file->config, real, &index) || index != file->shard)
		for (size_t i = 0;
		     status == STATUS_OK && i < verify->config_count; i++)
			if (find_place(verify->config[i], file->path, &index) ||
			    find_place(verify->config[i], real, &index))
				status = place_fault(
				    verify, file, verify->config[i], index);
	free(real);
	return status;
}

/*
 * Without a configuration only the names tell: a file that has the name of
 * the URL of another, beside one that has the name of its own.
 */
static void
look_at_name(struct verify *verify, const struct verify_file *file)
{
	const char *slash = strrchr(file->path, '/');
	const char *name = slash == NULL ? file->path : slash + 1;
	const char *own = strrchr(file->url, '/');
	const struct verify_file *there;
	char *path = NULL;

	if (own == NULL || own[1] == '\0' || strcmp(own + 1, name) == 0 ||
	    asprintf(&path, "%.*s%s", (int)(name - file->path), file->path,
		own + 1) < 0)
		return;
	there = verify_list_find(verify, path);
	if (there != NULL && there->parsed)
		report_warn(verify->report, file->path, "idp-url", "BR 7.2.2.1",
		    "names %s, and beside it stands %s: exchanged?", file->url,
		    there->path);
	free(path);
}

enum status
verify_place_judge(struct verify *verify)
{
	enum status worst = STATUS_OK;

	for (size_t i = 0; i < verify->file_count; i++) {
		const struct verify_file *file = &verify->file[i];

		if (!file->parsed || file->url == NULL)
			continue;
		if (file->config == NULL) {
			if (verify->config_count + verify->manifest_count == 0)
				look_at_name(verify, file);
		} else if (verify_set_manifest(verify, file->config) == NULL) {
			worst = status_graver(worst, judge_place(verify, file));
		}
	}
	return worst;
}
