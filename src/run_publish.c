/* SPDX-License-Identifier: ISC */
/*
 * Judged shards into the store, each where the version it was judged against
 * still stands; then, when all of that is durable, the manifest.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "crlpress/gzip.h"
#include "crlpress/pool.h"
#include "crlpress/utc.h"
#include "run_impl.h"

#define MANIFEST_STAGE_NAME "manifest"

/* With each somebody else's was put, so that as many pushes at once end well;
 * more at once than this are a loop somewhere. */
#define MANIFEST_ATTEMPTS 64

/* The next run replaces it; until a while after that it may be kept. */
static int64_t
expires_sec(const struct run *run)
{
	int64_t sec = run->this_update_sec + run->config->period_sec +
		      run->config->remote.cache_margin_sec;

	return sec < run->next_update_sec ? sec : run->next_update_sec;
}

bool
run_is_interrupted(const struct run *run)
{
	return run->context->interrupted != NULL && run->context->interrupted();
}

static void
upload_shard(void *context, unsigned worker, size_t i)
{
	struct run *run = context;
	struct run_shard *shard = &run->shard[i];
	struct store_version now = {.text = ""};
	struct store_upload upload = {
	    .key = shard->key,
	    .path = shard->staged.path,
	    .size = shard->staged.size,
	    .sha256 = shard->staged.sha256,
	    .content_type = "application/pkix-crl",
	    .replaces = shard->previous_version,
	    .number = &shard->number,
	    .this_update_sec = run->this_update_sec,
	    .expires_sec = expires_sec(run),
	    .cache_control = run->config->remote.cache_control,
	    .public_url = shard->url,
	};
	enum status status = STATUS_OK;

	(void)worker;
	if (shard->state != RUN_SHARD_STAGED)
		return;
	if (shard->is_standing) {
		shard->state = RUN_SHARD_PUBLISHED;
		return;
	}
	if (run_is_interrupted(run)) {
		shard->state = RUN_SHARD_UNPLACED;
		return;
	}
	if (store_keeps_files(run->store))
		status = stage_sync(run->state, &shard->staged);
	if (status == STATUS_OK)
		status = store_put(run->store, &upload, &now);
	if (status == STATUS_CONFLICT) {
		shard->state = RUN_SHARD_OVERTAKEN;
		return;
	}
	/* It is published, and said that not everybody sees it. */
	shard->public_other = status == STATUS_PARTIAL && now.text[0] != '\0';
	shard->may_stand = status == STATUS_PARTIAL && now.text[0] == '\0';
	if (shard->public_other)
		status = STATUS_OK;
	shard->state =
	    status == STATUS_OK ? RUN_SHARD_PUBLISHED : RUN_SHARD_UNPLACED;
	shard->published_sec = run->context->clock_sec();
	if (status == STATUS_OK)
		run_ledger_published(run, shard);
	progress_add(run->progress, 1);
}

unsigned
run_store_workers(const struct run *run)
{
	unsigned connections = store_connections(run->store);

	return connections != 0 ? connections : run->options->workers;
}

/* What a store that goes back to an older copy is known by. */
static enum status
remember_puts(struct run *run)
{
	struct state_put *put = calloc(run->shard_count + 1, sizeof(*put));
	enum status status;
	size_t count = 0;

	if (put == NULL)
		return report_fault(run->report, STATUS_NO_MEMORY,
		    run->config->name, NULL, NULL, "out of memory");
	for (size_t i = 0; i < run->shard_count; i++)
		if (run->shard[i].state == RUN_SHARD_PUBLISHED)
			put[count++] = (struct state_put){
			    run->shard[i].index, run->shard[i].number};
	status = state_puts_raise(run->state, put, count);
	free(put);
	return status;
}

void
run_put_shards(struct run *run)
{
	if (run->work != NULL && run_share_attempt(run) != STATUS_OK)
		return;
	progress_phase(run->progress, "publishing",
	    run_count_shards(run, RUN_SHARD_STAGED));
	pool_run(run_store_workers(run), run->shard_count, upload_shard, run);
	progress_clear(run->progress);
	/* On disk before what it says is. */
	run->ledgered = status_graver(run->ledgered, run_ledger_sync(run));
}

/* What a power cut may take back is not held against the store afterwards. */
enum status
run_store_sync(struct run *run)
{
	enum status status = store_sync(run->store);

	if (status == STATUS_OK)
		run->ledgered =
		    status_graver(run->ledgered, remember_puts(run));
	return status;
}

enum status
run_upload(struct run *run)
{
	run_put_shards(run);
	run_again(run);
	if (run_is_interrupted(run))
		report_warn(run->report, run->config->name, NULL, NULL,
		    "interrupted: of the shards %llu are published, of %llu "
		    "it is not known, and %llu are not; it is safe to run "
		    "again",
		    (unsigned long long)run_count_shards(
			run, RUN_SHARD_PUBLISHED),
		    (unsigned long long)run_count_unknown(run),
		    (unsigned long long)(run_count_shards(
					     run, RUN_SHARD_UNPLACED) -
					 run_count_unknown(run)));
	return run_store_sync(run);
}

void
run_fill_line(const struct run_shard *shard, struct manifest_shard *line)
{
	line->number = shard->number;
	line->this_update_sec = shard->this_update_sec;
	line->next_update_sec = shard->next_update_sec;
	line->size = shard->staged.size;
	line->sha256 = shard->staged.sha256;
	line->entries = shard->entries;
	line->added = shard->merge.added;
	line->removed = shard->merge.removed + shard->merge.lost;
	line->has_leaving = true;
	line->leaving = shard->merge.leaving;
	line->has_expiring = shard->has_expiring;
	line->expiring = shard->merge.expiring;
	line->has_settled = shard->is_settled;
	line->settled_sec = shard->previous_this_update_sec;
	if (shard->asked == NULL)
		return;
	/* What was known when it was staged. */
	line->added = shard->asked->added;
	line->removed = shard->asked->removed;
	line->has_settled = shard->asked->has_settled;
	line->settled_sec = shard->asked->settled_sec;
}

/* Of a CRL that stands on, what the manifest before knew is still so. */
static void
keep_leaving(const struct run *run, const struct run_shard *shard,
    struct manifest_shard *line)
{
	const struct manifest_shard *before =
	    manifest_find(&run->manifest, shard->index);

	if (before == NULL || !before->has_leaving ||
	    uint160_compare(&before->number, &line->number) != 0)
		return;
	line->has_leaving = true;
	line->leaving = before->leaving;
	line->has_expiring = before->has_expiring;
	line->expiring = before->expiring;
}

/*
 * Whether what stands there may go into the manifest: the issuer's own CRL for
 * this shard, and no older than it was known to be.
 */
static bool
is_to_be_known(
    const struct run *run, const struct run_shard *shard, const struct crl *crl)
{
	const struct manifest_shard *before =
	    manifest_find(&run->manifest, shard->index);
	const uint32_t scope = 1U << GATE_SCOPE | 1U << GATE_PREVIOUS;
	const char *why = NULL;

	return (shard->gates_closed & scope) == 0 &&
	       issuer_verify(run->issuer, crl, &why) == STATUS_OK &&
	       (before == NULL || uint160_compare(&shard->previous_number,
				      &before->number) >= 0);
}

/*
 * What is gone, damaged or somebody else's leaves the manifest as it was:
 * were it forgotten, the next run would find nothing to hold its rows against.
 * STATUS_NOT_FOUND when nothing was known either.
 */
static enum status
fill_known(const struct run *run, const struct run_shard *shard,
    struct manifest_shard *line)
{
	const struct manifest_shard *before =
	    manifest_find(&run->manifest, shard->index);

	if (before == NULL)
		return STATUS_NOT_FOUND;
	*line = *before;
	line->url = line->key = NULL;
	line->added = line->removed = 0;
	line->withheld = true;
	return STATUS_OK;
}

/* The facts of a CRL that this run did not replace. */
static enum status
fill_facts(const struct run *run, const struct run_shard *shard,
    const struct store_object *object, const struct crl *crl,
    struct manifest_shard *line)
{
	struct crl_fault fault = {0};
	struct crl_entry entry;
	size_t position = 0;

	line->withheld = true;
	line->number = shard->previous_number;
	line->this_update_sec = shard->previous_this_update_sec;
	line->next_update_sec = shard->previous_next_update_sec;
	keep_leaving(run, shard, line);
	line->has_settled = run_settled(run, shard, &line->settled_sec);
	line->size = object->len;
	while (crl_entry_read(crl, &position, &entry, &fault) == STATUS_OK)
		line->entries++;
	return hash_bytes(object->data, object->len, &line->sha256);
}

/* What stands in the store of a shard that this run did not replace. */
static enum status
fill_standing(
    struct run *run, struct run_shard *shard, struct manifest_shard *line)
{
	struct store_object object = {0};
	enum status status = STATUS_NOT_FOUND;
	struct crl crl;

	/* Absent, or unreadable and reported when the run began. */
	if (shard->has_previous)
		status = run_previous_read(run, shard, &object, &crl);
	if (status == STATUS_NOT_FOUND || status == STATUS_REFUSED)
		return fill_known(run, shard, line);
	if (status != STATUS_OK)
		return status;
	status = is_to_be_known(run, shard, &crl)
		     ? fill_facts(run, shard, &object, &crl, line)
		     : fill_known(run, shard, line);
	store_object_free(&object);
	return status;
}

/*
 * The line of one shard; none (STATUS_NOT_FOUND) where nothing readable
 * stands and nothing was known. That it cannot be told is a failure: the line
 * would be missing next time.
 */
static enum status
fill_shard(
    struct run *run, struct run_shard *shard, struct manifest_shard *line)
{
	enum status status = STATUS_OK;

	if (shard->state == RUN_SHARD_PUBLISHED)
		run_fill_line(shard, line);
	else
		status = fill_standing(run, shard, line);
	if (status != STATUS_OK)
		return status;
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
		const struct manifest_shard *before =
		    manifest_find(&run->manifest, shard->index);
		int64_t sec = shard->previous_this_update_sec;

		/* One that is gone or somebody else's may be put back. */
		if (shard->state != RUN_SHARD_PUBLISHED && before != NULL &&
		    (!shard->has_previous || before->this_update_sec < sec))
			sec = before->this_update_sec;
		else if (!shard->has_previous && !shard->is_gone)
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

static bool
is_told(const struct manifest *manifest, const char *text)
{
	for (size_t i = 0; i < manifest->passed_count; i++)
		if (strcmp(manifest->passed[i], text) == 0)
			return true;
	return false;
}

char *
run_pass_text(const struct gate_pass *pass)
{
	char *text = NULL;
	int len;

	if (pass->all)
		len = asprintf(&text, "%s:all", gate_name(pass->gate));
	else if (gate_is_of_shard(pass->gate))
		len = asprintf(
		    &text, "%s:%" PRIu32, gate_name(pass->gate), pass->shard);
	else
		len = asprintf(&text, "%s", gate_name(pass->gate));
	return len < 0 ? NULL : text;
}

/* "floor", "no-early-removal:7", "next-update-up:all": what the operator let
 * pass in this run, beside what the manifest tells already. */
static enum status
fill_passed(const struct run *run, struct manifest *manifest)
{
	const struct gate_passes *passes = &run->options->passes;
	char **all = realloc(manifest->passed,
	    (manifest->passed_count + passes->count + 1) * sizeof(*all));

	if (all == NULL)
		return STATUS_NO_MEMORY;
	manifest->passed = all;
	for (size_t i = 0; i < passes->count; i++) {
		const struct gate_pass *pass = &passes->pass[i];
		char *text;

		if (!pass->used)
			continue;
		text = run_pass_text(pass);
		if (text == NULL)
			return STATUS_NO_MEMORY;
		if (is_told(manifest, text))
			free(text);
		else
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
	manifest->origin = run_origin(run);
	manifest->rows = run->rows;
	manifest->placing = shard_placing_of(&run->config->shards);
	fill_replaced(run, manifest);
	manifest->issuer = strdup(run->config->name);
	if (manifest->issuer == NULL)
		return STATUS_NO_MEMORY;
	status = fill_passed(run, manifest);
	return status == STATUS_OK ? fill_shards(run, manifest) : status;
}

/* Where the line of a shard stands, or is to stand: lines rise. */
static size_t
line_place(const struct manifest *manifest, uint32_t index)
{
	size_t at = 0;

	while (at < manifest->shard_count && manifest->shard[at].index < index)
		at++;
	return at;
}

static enum status
set_line(struct manifest *manifest, struct manifest_shard *line)
{
	size_t at = line_place(manifest, line->index);
	struct manifest_shard *shard = manifest->shard;

	if (at < manifest->shard_count && shard[at].index == line->index) {
		free(shard[at].url);
		free(shard[at].key);
		shard[at] = *line;
		return STATUS_OK;
	}
	shard = realloc(shard, (manifest->shard_count + 1) * sizeof(*shard));
	if (shard == NULL) {
		free(line->url);
		free(line->key);
		return STATUS_NO_MEMORY;
	}
	memmove(&shard[at + 1], &shard[at],
	    (manifest->shard_count - at) * sizeof(*shard));
	shard[at] = *line;
	manifest->shard = shard;
	manifest->shard_count++;
	return STATUS_OK;
}

/*
 * A push: what the last run of all shards wrote, with new lines for those that
 * were pushed. What is read next must reach back to what they replaced.
 */
static enum status
fill_pushed(struct run *run, struct manifest *manifest)
{
	enum status status = manifest_join(
	    &run->manifest, &run->manifest, &run->manifest, manifest);

	for (size_t i = 0; status == STATUS_OK && i < run->shard_count; i++) {
		struct run_shard *shard = &run->shard[i];
		struct manifest_shard line = {0};

		if (shard->state != RUN_SHARD_PUBLISHED)
			continue;
		status = fill_shard(run, shard, &line);
		if (status == STATUS_OK)
			status = set_line(manifest, &line);
		if (shard->has_previous && (!manifest->has_replaced ||
					       shard->previous_this_update_sec <
						   manifest->replaced_sec)) {
			manifest->has_replaced = true;
			manifest->replaced_sec =
			    shard->previous_this_update_sec;
		}
	}
	return status == STATUS_OK ? fill_passed(run, manifest) : status;
}

/* What is put is the text, or the text packed. */
static enum status
pack_manifest(
    struct run *run, struct stage_part *part, struct gzip_bytes *packed)
{
	enum status status;

	if (!run->config->manifest_gzip)
		return STATUS_OK;
	status = gzip_pack(part->data, part->len, packed);
	if (status != STATUS_OK)
		return report_fault(run->report, status,
		    run->config->manifest_key, NULL, NULL,
		    "cannot be compressed");
	*part = (struct stage_part){packed->data, packed->len};
	return STATUS_OK;
}

enum status
run_put_bytes(struct run *run, const char *name, struct stage_part part,
    struct store *store, struct store_upload *upload)
{
	struct stage_file staged = {0};
	struct store_version now;
	enum status status;

	status = stage_write(run->state, name, &part, 1, &staged);
	if (status == STATUS_OK)
		status = hash_bytes(part.data, part.len, &upload->sha256);
	if (status == STATUS_OK)
		status = stage_sync(run->state, &staged);
	if (status == STATUS_OK) {
		upload->path = staged.path;
		upload->size = part.len;
		status = store_put(store, upload, &now);
	}
	upload->path = NULL;
	stage_file_free(&staged);
	return status;
}

/* STATUS_CONFLICT, not reported: another version than `replaces` is there. */
static enum status
put_text(struct run *run, const struct manifest *manifest, const char *text,
    size_t len, const struct store_version *replaces)
{
	struct stage_part part = {text, len};
	struct gzip_bytes packed = {.data = NULL};
	struct store_upload upload = {
	    .key = run->config->manifest_key,
	    .content_type = "text/plain; charset=utf-8",
	    .replaces = *replaces,
	    .number = &manifest->number,
	    .this_update_sec = manifest->this_update_sec,
	    .cache_control = "no-cache",
	};
	enum status status;

	status = pack_manifest(run, &part, &packed);
	if (packed.data != NULL)
		upload.content_encoding = "gzip";
	/* One that a crash leaves torn would stop every run after it. */
	if (status == STATUS_OK)
		status = run_put_bytes(
		    run, MANIFEST_STAGE_NAME, part, run->store, &upload);
	gzip_bytes_free(&packed);
	return status;
}

static enum status
put_manifest(struct run *run, const struct manifest *manifest,
    const struct store_version *replaces)
{
	/* After the one that it replaces was read, and before it is put: so of
	 * two publishers the sets have the order of their manifests. */
	int64_t put_sec = run->context->clock_sec();
	const char *why = "cannot be made";
	enum status status;
	char *text = NULL;
	size_t len = 0;

	status = manifest_format(manifest, &text, &len, &why);
	if (status != STATUS_OK)
		report_fault(run->report, status, run->config->manifest_key,
		    NULL, NULL, "%s", why);
	else
		status = put_text(run, manifest, text, len, replaces);
	if (status == STATUS_OK)
		run_archive_note(run, text, len, put_sec);
	else
		free(text);
	return status;
}

/*
 * Somebody put theirs since ours was begun: what stands there now, and what is
 * to stand there instead. Theirs may be gone again.
 */
static enum status
join_manifests(struct run *run, const struct manifest *ours,
    struct manifest *joined, struct store_version *replaces)
{
	struct manifest theirs = {0};
	enum status status =
	    run_manifest_get(run, run->config->manifest_key, &theirs, replaces);

	if (status == STATUS_NOT_FOUND) {
		memset(replaces, 0, sizeof(*replaces));
		status = manifest_join(ours, ours, ours, joined);
	} else if (status == STATUS_OK) {
		status = manifest_join(&run->manifest, &theirs, ours, joined);
	} else {
		return status;
	}
	manifest_free(&theirs);
	return status != STATUS_NO_MEMORY ? status
					  : report_fault(run->report, status,
						run->config->manifest_key, NULL,
						NULL, "out of memory");
}

static enum status
conflict(struct run *run)
{
	enum status status = report_fault(run->report, STATUS_PARTIAL,
	    run->config->manifest_key, "store", "house rule",
	    "somebody else published here since it was judged");

	report_hint(run->report, "run again: theirs will be judged then");
	return status;
}

/* Ours in place of what was there when the run began; else both. */
static enum status
put_manifests(struct run *run, const struct manifest *ours)
{
	struct store_version replaces = run->manifest_version;
	enum status status = put_manifest(run, ours, &replaces);

	for (unsigned n = 1; status == STATUS_CONFLICT && n < MANIFEST_ATTEMPTS;
	     n++) {
		struct manifest joined = {0};

		run_pause(run, n);
		status = join_manifests(run, ours, &joined, &replaces);
		if (status == STATUS_OK)
			status = put_manifest(run, &joined, &replaces);
		manifest_free(&joined);
	}
	return status == STATUS_CONFLICT ? conflict(run) : status;
}

/*
 * What stands there by a put whose answer was lost is known now. The next run
 * has it from the manifest, and would find nothing.
 */
static void
tell_found(struct run *run)
{
	enum status status;

	if (run->options->push ||
	    run_count_shards(run, RUN_SHARD_PUBLISHED) == run->shard_count)
		return;
	status = run_ledger_found(run);
	run->ledgered = status_graver(
	    run->ledgered, status_graver(status, run_ledger_sync(run)));
}

enum status
run_put_manifest(struct run *run)
{
	struct manifest manifest = {0};
	enum status status;

	/* Of what was not replaced it tells what stands there now. */
	run->surveyed = false;
	status = run->options->push ? fill_pushed(run, &manifest)
				    : fill_manifest(run, &manifest);
	if (status == STATUS_OK) {
		tell_found(run);
		status = put_manifests(run, &manifest);
	} else {
		report_fault(run->report, status, run->config->manifest_key,
		    NULL, NULL, "cannot be made");
	}
	if (status == STATUS_OK)
		status = store_sync(run->store);
	/* The header, by which that is known, is not a push's. */
	if (status == STATUS_OK && !run->options->push)
		status = state_published_set(run->state, &run->number);
	manifest_free(&manifest);
	return status;
}
