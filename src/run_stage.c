/* SPDX-License-Identifier: ISC */
/*
 * publish --stage-tbs: all that a run does before it signs, and what would be
 * signed into a directory, for a signer that no network reaches. Its number is
 * taken, so that whatever comes of it stands for nothing else; the request is
 * the last file, and is remembered here before it is there.
 */
#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "crlpress/file_replace.h"
#include "crlpress/request.h"
#include "run_impl.h"

#define STAGE_RULE "stage"

/* What the state directory remembers of the last set that was staged. */
#define STAGED_NAME "staged"

static enum status
no_memory(struct run *run)
{
	return report_fault(run->report, STATUS_NO_MEMORY, run->config->name,
	    NULL, NULL, "out of memory");
}

static enum status
file_write(struct run *run, const char *path, const void *data, size_t len)
{
	const struct file_replace file = {
	    .path = path,
	    .data = data,
	    .len = len,
	    .rule = STAGE_RULE,
	    .report = run->report,
	};
	enum status status = file_replace(&file);

	return status == STATUS_NO_MEMORY ? no_memory(run) : status;
}

char *
run_staged_path(struct run *run)
{
	char *path = NULL;

	if (asprintf(&path, "%s/%s/" STAGED_NAME, run->config->state_dir,
		run->config->name) >= 0)
		return path;
	(void)no_memory(run);
	return NULL;
}

/* A file of the directory; NULL: no memory, reported. */
static char *
stage_path(struct run *run, const char *name)
{
	char *path = NULL;

	if (asprintf(&path, "%s/%s", run->options->stage_dir, name) >= 0)
		return path;
	(void)no_memory(run);
	return NULL;
}

static enum status
stage_put(struct run *run, const char *name, const void *data, size_t len)
{
	char *path = stage_path(run, name);
	enum status status = STATUS_NO_MEMORY;

	if (path != NULL)
		status = file_write(run, path, data, len);
	free(path);
	return status;
}

/* What is carried is this set and nothing else. */
static enum status
directory_check(struct run *run)
{
	const char *place = run->options->stage_dir;
	const struct dirent *entry;
	enum status status = STATUS_OK;
	DIR *dir;

	run->stage_made_dir = mkdir(place, 0755) == 0;
	dir = opendir(place);
	if (dir == NULL)
		return report_fault(run->report, STATUS_FAILED, place,
		    STAGE_RULE, NULL, "cannot be made or opened: %s",
		    strerror(errno));
	while (status == STATUS_OK && (entry = readdir(dir)) != NULL) {
		if (strcmp(entry->d_name, ".") == 0 ||
		    strcmp(entry->d_name, "..") == 0)
			continue;
		status = report_fault(run->report, STATUS_FAILED, place,
		    STAGE_RULE, NULL, "not empty, have %s", entry->d_name);
		report_hint(run->report,
		    "name a new directory, or take away what is there");
	}
	(void)closedir(dir);
	run->stage_is_ours = status == STATUS_OK;
	return status;
}

enum status
run_stage_open(struct run *run, const struct signer_config *signer)
{
	enum status status = directory_check(run);

	if (status == STATUS_OK)
		status = signer_describe(
		    signer, run->report, run->algorithm, &run->algorithm_len);
	return status;
}

/*
 * What stood there, for the signer's own comparison; what is let pass as no
 * CRL of the issuer's would only confuse there.
 */
enum status
run_stage_previous(
    struct run *run, struct run_shard *shard, const struct store_object *object)
{
	char name[REQUEST_FILE_NAME_BYTES];

	if (hash_bytes(object->data, object->len, &shard->previous_sha256) !=
	    STATUS_OK)
		return no_memory(run);
	if (gate_was_passed(&run->options->passes, GATE_SCOPE, shard->index))
		return STATUS_OK;
	return stage_put(run, request_previous_name(shard->index, name),
	    object->data, object->len);
}

enum status
run_stage_shard(
    struct run *run, struct run_shard *shard, const struct signer_buffer *tbs)
{
	char name[REQUEST_FILE_NAME_BYTES];

	shard->tbs_size = tbs->size;
	if (hash_bytes(tbs->data, tbs->size, &shard->tbs_sha256) != STATUS_OK)
		return no_memory(run);
	return stage_put(
	    run, request_tbs_name(shard->index, name), tbs->data, tbs->size);
}

static struct request_shard
request_line(const struct run *run, const struct run_shard *shard)
{
	return (struct request_shard){
	    .index = shard->index,
	    .url = shard->url,
	    .size = shard->tbs_size,
	    .sha256 = shard->tbs_sha256,
	    .entries = shard->entries,
	    .added = shard->merge.added,
	    .removed = shard->merge.removed + shard->merge.lost,
	    .has_settled = shard->is_settled,
	    .settled_sec = shard->previous_this_update_sec,
	    .has_previous =
		shard->has_previous &&
		uint160_compare(&shard->previous_number, &run->number) < 0,
	    .previous = shard->previous_number,
	    .previous_sha256 = shard->previous_sha256,
	};
}

static enum status
request_passes(struct run *run, struct request *request)
{
	const struct gate_passes *passes = &run->options->passes;

	request->passed = calloc(passes->count + 1, sizeof(char *));
	for (size_t i = 0; request->passed != NULL && i < passes->count; i++) {
		if (!passes->pass[i].used)
			continue;
		request->passed[request->passed_count] =
		    run_pass_text(&passes->pass[i]);
		if (request->passed[request->passed_count++] == NULL)
			return no_memory(run);
	}
	return request->passed != NULL ? STATUS_OK : no_memory(run);
}

/* Strings are the run's, but for those of the gates. */
static enum status
request_fill(struct run *run, struct request *request)
{
	const struct issuer_facts *facts = issuer_facts(run->issuer);

	request->issuer = run->config->name;
	memcpy(request->issuer_sha256.octet, facts->sha256, HASH_BYTES);
	request->number = run->number;
	request->this_update_sec = run->this_update_sec;
	request->next_update_sec = run->next_update_sec;
	memcpy(request->algorithm, run->algorithm, run->algorithm_len);
	request->algorithm_len = run->algorithm_len;
	request->url_pattern = run->config->url_pattern;
	request->shard_first = run->config->shards.first;
	request->shards_configured = run->config->shards.count;
	request->placing = shard_placing_of(&run->config->shards);
	request->origin = run_origin(run);
	request->shard = calloc(run->shard_count + 1, sizeof(*request->shard));
	if (request->shard == NULL)
		return no_memory(run);
	for (size_t i = 0; i < run->shard_count; i++)
		if (run->shard[i].state == RUN_SHARD_STAGED)
			request->shard[request->shard_count++] =
			    request_line(run, &run->shard[i]);
	return request_passes(run, request);
}

/* Here before it is there: what comes back is held against this. */
static enum status
request_put(struct run *run, const struct request *request)
{
	char *remembered = run_staged_path(run);
	enum status status = STATUS_NO_MEMORY;
	const char *why = "cannot be made";
	char *text = NULL;
	size_t len = 0;

	if (remembered == NULL)
		goto out;
	status = request_format(request, &text, &len, &why);
	if (status != STATUS_OK) {
		report_fault(run->report, status, run->options->stage_dir,
		    STAGE_RULE, NULL, "the request: %s", why);
		goto out;
	}
	status = hash_bytes((const uint8_t *)text, len, &run->request_sha256);
	if (status == STATUS_OK)
		status = file_write(run, remembered, text, len);
	if (status == STATUS_OK)
		status = run_ledger_staged(run);
	if (status == STATUS_OK)
		status = stage_put(run, REQUEST_NAME, text, len);
	run->stage_is_done = status == STATUS_OK;
out:
	free(remembered);
	free(text);
	return status;
}

/* Takes away what was put there of a shard. */
static void
shard_remove(struct run *run, const struct run_shard *shard)
{
	char name[REQUEST_FILE_NAME_BYTES];
	char *tbs = stage_path(run, request_tbs_name(shard->index, name));
	char *previous =
	    stage_path(run, request_previous_name(shard->index, name));

	if (tbs != NULL)
		(void)unlink(tbs);
	if (previous != NULL)
		(void)unlink(previous);
	free(tbs);
	free(previous);
}

/* Somebody published meanwhile; that is not made again here. */
static bool
tell_overtaken(struct run *run)
{
	bool any = false;

	for (size_t i = 0; i < run->shard_count; i++) {
		struct run_shard *shard = &run->shard[i];

		if (shard->state != RUN_SHARD_OVERTAKEN)
			continue;
		any = true;
		shard->state = RUN_SHARD_FAILED;
		report_fault(run->report, STATUS_FAILED, shard->object, "store",
		    "house rule",
		    "somebody else published here since it was judged");
		report_hint(run->report, "run again");
	}
	return any;
}

/* As of a run of which some shards are out: something is there to be signed. */
static enum status
verdict_of_request(const struct run *run)
{
	enum status status = run_verdict(run);

	return status == STATUS_FAILED ? STATUS_PARTIAL : status;
}

enum status
run_stage_close(struct run *run)
{
	struct request request = {.issuer = NULL};
	enum status status = run_verdict(run);

	if (tell_overtaken(run))
		return STATUS_FAILED;
	if (run_count_shards(run, RUN_SHARD_STAGED) == 0)
		return status;
	/* What was withheld or failed once it was there: the request does not
	 * name it. */
	for (size_t i = 0; i < run->shard_count; i++)
		if (run->shard[i].state != RUN_SHARD_STAGED)
			shard_remove(run, &run->shard[i]);
	status = run_ledger_passed(run);
	if (status == STATUS_OK)
		status = request_fill(run, &request);
	if (status == STATUS_OK)
		status = request_put(run, &request);
	for (size_t i = 0; i < request.passed_count; i++)
		free(request.passed[i]);
	free(request.passed);
	free(request.shard);
	return status == STATUS_OK ? verdict_of_request(run) : status;
}

/* A directory without a request is nothing; its files are ours. */
void
run_stage_end(struct run *run)
{
	if (run->options->stage_dir == NULL || run->stage_is_done)
		return;
	for (size_t i = 0; run->stage_is_ours && i < run->shard_count; i++)
		shard_remove(run, &run->shard[i]);
	if (run->stage_made_dir)
		(void)rmdir(run->options->stage_dir);
}
