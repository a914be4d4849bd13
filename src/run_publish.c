/* SPDX-License-Identifier: ISC */
/*
 * Judged shards into the store, each where the version it was judged against
 * still stands; then, when all of that is durable, the manifest.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "crlpress/pool.h"
#include "crlpress/utc.h"
#include "run_impl.h"

#define MANIFEST_STAGE_NAME "manifest"

static enum status
conflict(struct run *run, const char *object)
{
	enum status status = report_fault(run->report, STATUS_PARTIAL, object,
	    "store", "house rule",
	    "somebody else published here since it was judged");

	report_hint(run->report, "run again: theirs will be judged then");
	return status;
}

static void
upload_shard(void *context, unsigned worker, size_t i)
{
	struct run *run = context;
	struct run_shard *shard = &run->shard[i];
	struct store_version now;
	struct store_upload upload = {
	    .key = shard->key,
	    .path = shard->staged.path,
	    .size = shard->staged.size,
	    .sha256 = shard->staged.sha256,
	    .content_type = "application/pkix-crl",
	    .replaces = shard->previous_version,
	};
	enum status status;

	(void)worker;
	if (shard->state != RUN_SHARD_STAGED)
		return;
	status = stage_sync(run->state, &shard->staged);
	if (status == STATUS_OK)
		status = store_put(run->store, &upload, &now);
	if (status == STATUS_CONFLICT)
		status = conflict(run, shard->object);
	shard->state =
	    status == STATUS_OK ? RUN_SHARD_PUBLISHED : RUN_SHARD_UNPLACED;
	progress_add(run->progress, 1);
}

enum status
run_upload(struct run *run)
{
	progress_phase(run->progress, "publishing",
	    run_count_shards(run, RUN_SHARD_STAGED));
	pool_run(run->options->workers, run->shard_count, upload_shard, run);
	progress_clear(run->progress);
	return store_sync(run->store);
}

static enum status
fill_published(const struct run *run, const struct run_shard *shard,
    struct manifest_shard *line)
{
	line->number = run->number;
	line->this_update_sec = run->this_update_sec;
	line->next_update_sec = run->next_update_sec;
	line->size = shard->staged.size;
	line->sha256 = shard->staged.sha256;
	line->entries = shard->entries;
	line->added = shard->merge.added;
	line->removed = shard->merge.removed + shard->merge.lost;
	return STATUS_OK;
}

/* What stands in the store of a shard that this run did not replace. */
static enum status
fill_standing(
    struct run *run, struct run_shard *shard, struct manifest_shard *line)
{
	struct store_object object = {0};
	struct crl_fault fault = {0};
	struct crl_entry entry;
	enum status status;
	size_t position = 0;
	struct crl crl;

	line->withheld = true;
	/* Absent, or unreadable and reported when the run began. */
	if (!shard->has_previous)
		return STATUS_NOT_FOUND;
	status = run_previous_read(run, shard, &object, &crl);
	if (status != STATUS_OK)
		return status;
	line->number = shard->previous_number;
	line->this_update_sec = shard->previous_this_update_sec;
	line->next_update_sec = shard->previous_next_update_sec;
	line->size = object.len;
	while (crl_entry_read(&crl, &position, &entry, &fault) == STATUS_OK)
		line->entries++;
	status = hash_bytes(object.data, object.len, &line->sha256);
	store_object_free(&object);
	return status;
}

/*
 * The line of one shard; none (STATUS_NOT_FOUND) where nothing readable
 * stands: a manifest says only what is there. That it cannot be told is a
 * failure: the line would be missing next time.
 */
static enum status
fill_shard(
    struct run *run, struct run_shard *shard, struct manifest_shard *line)
{
	enum status status;

	status = shard->state == RUN_SHARD_PUBLISHED
		     ? fill_published(run, shard, line)
		     : fill_standing(run, shard, line);
	if (status != STATUS_OK)
		return status == STATUS_REFUSED ? STATUS_NOT_FOUND : status;
	line->index = shard->index;
	line->url = strdup(shard->url);
	line->key = strdup(shard->key);
	if (line->url == NULL || line->key == NULL) {
		free(line->url);
		free(line->key);
		return STATUS_NO_MEMORY;
	}
	return STATUS_OK;
}

static enum status
fill_shards(struct run *run, struct manifest *manifest)
{
	enum status status;

	manifest->shard = calloc(run->shard_count, sizeof(*manifest->shard));
	if (manifest->shard == NULL)
		return STATUS_NO_MEMORY;
	for (size_t i = 0; i < run->shard_count; i++) {
		struct manifest_shard line = {0};

		status = fill_shard(run, &run->shard[i], &line);
		if (status != STATUS_OK && status != STATUS_NOT_FOUND)
			return status;
		if (status == STATUS_OK)
			manifest->shard[manifest->shard_count++] = line;
	}
	return STATUS_OK;
}

/*
 * The oldest thisUpdate that this run replaced, and, as long as a shard was
 * not replaced, what was so before.
 */
static void
fill_replaced(const struct run *run, struct manifest *manifest)
{
	manifest->replaced_sec = UTC_MAX_SEC;
	for (size_t i = 0; i < run->shard_count; i++) {
		const struct run_shard *shard = &run->shard[i];
		int64_t sec = shard->previous_this_update_sec;

		if (!shard->has_previous)
			continue;
		manifest->has_replaced = true;
		if (shard->state != RUN_SHARD_PUBLISHED &&
		    run->manifest.has_replaced &&
		    run->manifest.replaced_sec < sec)
			sec = run->manifest.replaced_sec;
		if (sec < manifest->replaced_sec)
			manifest->replaced_sec = sec;
	}
}

/* "floor" or "no-early-removal:7": what the operator let pass in this run. */
static enum status
fill_passed(const struct run *run, struct manifest *manifest)
{
	const struct gate_passes *passes = &run->options->passes;

	manifest->passed = calloc(passes->count + 1, sizeof(char *));
	if (manifest->passed == NULL)
		return STATUS_NO_MEMORY;
	for (size_t i = 0; i < passes->count; i++) {
		const struct gate_pass *pass = &passes->pass[i];
		char *text = NULL;
		int len;

		if (!pass->used)
			continue;
		if (gate_is_of_shard(pass->gate))
			len = asprintf(&text, "%s:%" PRIu32,
			    gate_name(pass->gate), pass->shard);
		else
			len = asprintf(&text, "%s", gate_name(pass->gate));
		if (len < 0)
			return STATUS_NO_MEMORY;
		manifest->passed[manifest->passed_count++] = text;
	}
	return STATUS_OK;
}

static enum status
fill_manifest(struct run *run, struct manifest *manifest)
{
	const struct issuer_facts *facts = issuer_facts(run->issuer);
	enum status status;

	memcpy(manifest->issuer_sha256.octet, facts->sha256, HASH_BYTES);
	manifest->this_update_sec = run->this_update_sec;
	manifest->next_update_sec = run->next_update_sec;
	manifest->number = run->number;
	manifest->has_position = run->snapshot.has_position;
	memcpy(manifest->system_identifier, run->snapshot.system_identifier,
	    sizeof(manifest->system_identifier));
	manifest->timeline = run->snapshot.timeline;
	manifest->wal_position = run->snapshot.wal_position;
	manifest->rows = run->rows;
	fill_replaced(run, manifest);
	manifest->issuer = strdup(run->config->name);
	if (manifest->issuer == NULL)
		return STATUS_NO_MEMORY;
	status = fill_passed(run, manifest);
	return status == STATUS_OK ? fill_shards(run, manifest) : status;
}

static enum status
put_text(struct run *run, const char *text, size_t len)
{
	struct stage_part part = {text, len};
	struct store_upload upload = {
	    .key = run->config->manifest_key,
	    .size = len,
	    .content_type = "text/plain; charset=utf-8",
	    .replaces = run->manifest_version,
	};
	struct stage_file staged = {0};
	struct store_version now;
	enum status status;

	status =
	    stage_write(run->state, MANIFEST_STAGE_NAME, &part, 1, &staged);
	if (status == STATUS_OK)
		status = hash_bytes((const uint8_t *)text, len, &upload.sha256);
	if (status == STATUS_OK) {
		upload.path = staged.path;
		status = store_put(run->store, &upload, &now);
	}
	if (status == STATUS_CONFLICT)
		status = conflict(run, run->config->manifest_key);
	stage_file_free(&staged);
	return status == STATUS_OK ? store_sync(run->store) : status;
}

enum status
run_put_manifest(struct run *run)
{
	struct manifest manifest = {0};
	const char *why = "cannot be made";
	enum status status;
	char *text = NULL;
	size_t len = 0;

	status = fill_manifest(run, &manifest);
	if (status == STATUS_OK)
		status = manifest_format(&manifest, &text, &len, &why);
	if (status != STATUS_OK)
		report_fault(run->report, status, run->config->manifest_key,
		    NULL, NULL, "%s", why);
	else
		status = put_text(run, text, len);
	if (status == STATUS_OK)
		status =
		    state_number_set(run->state, STATE_PUBLISHED, &run->number);
	manifest_free(&manifest);
	free(text);
	return status;
}
