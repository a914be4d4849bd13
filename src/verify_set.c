/* SPDX-License-Identifier: ISC */
/*
 * The shards of an issuer as a set: every configured one there exactly once
 * (CCADB 6.2, BR 4.9.7), and each as the manifest has it.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "verify_impl.h"

static enum status
set_fault(struct verify *verify, const char *object, const char *rule,
    const char *clause, const char *text)
{
	return report_fault(
	    verify->report, STATUS_FAULTY, object, rule, clause, "%s", text);
}

/* Marks in `seen` the shards of one configuration; two of one are a fault. */
static enum status
mark_seen(struct verify *verify, const struct config *config, bool *seen)
{
	enum status status = STATUS_OK;

	for (size_t i = 0; i < verify->file_count; i++) {
		const struct verify_file *file = &verify->file[i];
		uint32_t at;

		if (!file->parsed || file->config != config)
			continue;
		at = file->shard - config->shards.first;
		if (seen[at])
			status = report_fault(verify->report, STATUS_FAULTY,
			    file->path, "set-complete", "CCADB 6.2",
			    "shard %" PRIu32 " is there twice", file->shard);
		seen[at] = true;
	}
	return status;
}

static enum status
judge_complete(struct verify *verify, const struct config *config)
{
	bool *seen = calloc(config->shards.count, sizeof(*seen));
	char url[SHARD_NAME_BYTES];
	const char *why = NULL;
	enum status status;

	if (seen == NULL)
		return report_fault(verify->report, STATUS_NO_MEMORY,
		    config->name, NULL, NULL, "out of memory");
	status = mark_seen(verify, config, seen);
	for (uint32_t n = 0; n < config->shards.count; n++) {
		uint32_t index = config->shards.first + n;

		if (seen[n] ||
		    shard_expand(config->url_pattern, config->shards.count,
			index, url, sizeof(url), &why) != STATUS_OK)
			continue;
		status = report_fault(verify->report, STATUS_FAULTY,
		    config->name, "set-complete", "CCADB 6.2",
		    "shard %" PRIu32 " is missing, want %s", index, url);
	}
	free(seen);
	return status;
}

static struct verify_file *
find_key(const struct verify *verify, const struct verify_manifest *manifest,
    const char *key)
{
	size_t root_len = strlen(manifest->root);

	for (size_t i = 0; i < verify->file_count; i++) {
		const char *path = verify->file[i].path;

		if (strncmp(path, manifest->root, root_len) == 0 &&
		    path[root_len] == '/' &&
		    strcmp(path + root_len + 1, key) == 0)
			return &verify->file[i];
	}
	return NULL;
}

static bool
is_as_listed(const struct verify_file *file, const struct manifest_shard *line)
{
	return file->size == line->size && file->entries == line->entries &&
	       file->this_update_sec == line->this_update_sec &&
	       file->next_update_sec == line->next_update_sec &&
	       memcmp(&file->sha256, &line->sha256, sizeof(file->sha256)) == 0;
}

/* A push publishes a shard between two runs, and with a higher number. */
static enum status
judge_line(struct verify *verify, const struct verify_file *file,
    const struct manifest_shard *line)
{
	char have[UINT160_DECIMAL_BYTES], want[UINT160_DECIMAL_BYTES];
	int order;

	if (file == NULL || !file->parsed)
		return STATUS_OK;
	if (file->url == NULL || strcmp(file->url, line->url) != 0)
		return set_fault(verify, file->path, "set-manifest",
		    "BR 7.2.2.1", "its URL is not the manifest's");
	if (is_as_listed(file, line))
		return STATUS_OK;
	order = uint160_compare(&file->number, &line->number);
	if (file->has_number && order > 0) {
		report_note(verify->report, file->path,
		    "newer than the manifest: pushed since, number %s",
		    uint160_to_decimal(&file->number, have));
		return STATUS_OK;
	}
	if (order == 0)
		return set_fault(verify, file->path, "set-manifest",
		    "RFC 5280, 5.2.3",
		    "has the number the manifest has, but other bytes");
	return report_fault(verify->report, STATUS_FAULTY, file->path,
	    "set-manifest", "RFC 5280, 5.2.3",
	    "older than the manifest, have number %s, want %s",
	    uint160_to_decimal(&file->number, have),
	    uint160_to_decimal(&line->number, want));
}

static enum status
judge_manifest(struct verify *verify, const struct verify_manifest *manifest)
{
	enum status worst = STATUS_OK;

	for (size_t i = 0; i < manifest->manifest.shard_count; i++) {
		const struct manifest_shard *line =
		    &manifest->manifest.shard[i];

		if (line->withheld)
			report_warn(verify->report, manifest->path,
			    "set-manifest", "house rule",
			    "shard %" PRIu32
			    " was withheld in the last run: an older one "
			    "stands",
			    line->index);
		worst = status_graver(
		    worst, judge_line(verify,
			       find_key(verify, manifest, line->key), line));
	}
	return worst;
}

enum status
verify_set_judge(struct verify *verify)
{
	enum status worst = STATUS_OK;

	for (size_t i = 0; verify->whole && i < verify->config_count; i++)
		worst = status_graver(
		    worst, judge_complete(verify, verify->config[i]));
	for (size_t i = 0; i < verify->manifest_count; i++)
		worst = status_graver(
		    worst, judge_manifest(verify, &verify->manifest[i]));
	return worst;
}
