/* SPDX-License-Identifier: ISC */
/*
 * A name that was changed: [issuer] name is that of the state and of the
 * manifest, so an issuer of another name knows nothing of what was published
 * under the old one, and shards that are not configured any more are nobody's.
 * The state directory still has the old name, and so the store its manifest.
 */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "run_impl.h"

/* Whether something was published from here under this name. */
static bool
was_published(int dir, const char *name)
{
	char place[PATH_MAX];
	struct stat st;
	int len =
	    snprintf(place, sizeof(place), "%s/" STATE_PUBLISHED_NAME, name);

	return name[0] != '.' && len > 0 && (size_t)len < sizeof(place) &&
	       fstatat(dir, place, &st, 0) == 0 && S_ISREG(st.st_mode);
}

/* One of its shards that is one of ours, or NULL. */
static const struct manifest_shard *
find_common(const struct run *run, const struct manifest *manifest)
{
	const struct config *config = run->config;
	uint32_t index;

	for (size_t i = 0; i < manifest->shard_count; i++)
		if (shard_find(config->object_pattern, config->shards.count,
			config->shards.first, manifest->shard[i].key,
			&index) == STATUS_OK)
			return &manifest->shard[i];
	return NULL;
}

static enum status
refuse(struct run *run, const char *key, const struct manifest *manifest,
    const struct manifest_shard *common)
{
	struct gate_place place = run_place(run);
	enum status status = gate_refuse(&place, GATE_SHARD_GONE,
	    "%s is published under another name, as %s has it, with "
	    "%zu shards in all, have %s, want %s",
	    common->key, key, manifest->shard_count, run->config->name,
	    manifest->issuer);

	if (status != STATUS_OK)
		report_hint(run->report,
		    "put [issuer] name back: state, manifest and ledger are of "
		    "that name; --pass %s where it is given up for good and "
		    "every shard of it is one of this configuration",
		    gate_name(GATE_SHARD_GONE));
	return status;
}

static enum status
judge_name(struct run *run, const char *name)
{
	struct manifest manifest = {0};
	struct store_version version;
	const struct manifest_shard *common;
	enum status status = STATUS_OK;
	char *key = NULL;

	if (asprintf(&key, CONFIG_MANIFEST_KEY, name) < 0)
		return report_fault(run->report, STATUS_NO_MEMORY,
		    run->config->name, NULL, NULL, "out of memory");
	if (manifest_key_fault(key) == NULL)
		status = run_manifest_get(run, key, &manifest, &version);
	if (status == STATUS_NOT_FOUND)
		status = STATUS_OK;
	else if (status == STATUS_OK &&
		 (common = find_common(run, &manifest)) != NULL)
		status = refuse(run, key, &manifest, common);
	manifest_free(&manifest);
	free(key);
	return status;
}

/* Without a manifest of its own, whose are the shards that stand there? */
static bool
is_heir(const struct run *run)
{
	if (run->is_again || run->has_manifest)
		return false;
	for (size_t i = 0; i < run->shard_count; i++)
		if (run->shard[i].has_previous)
			return true;
	return false;
}

enum status
run_gate_renamed(struct run *run)
{
	enum status status = STATUS_OK;
	const struct dirent *entry;
	DIR *dir;

	if (!is_heir(run))
		return STATUS_OK;
	dir = opendir(run->config->state_dir);
	if (dir == NULL) {
		report_warn(run->report, run->config->state_dir, "state", NULL,
		    "cannot look for other names of this issuer: %s",
		    strerror(errno));
		return STATUS_OK;
	}
	while (status == STATUS_OK && (entry = readdir(dir)) != NULL)
		if (strcmp(entry->d_name, run->config->name) != 0 &&
		    was_published(dirfd(dir), entry->d_name))
			status = judge_name(run, entry->d_name);
	closedir(dir);
	return status;
}
