/* SPDX-License-Identifier: ISC */
/*
 * What a run published, into the archive, after the manifest. By way of a
 * spool on local disk, so that neither an archive that does not answer nor a
 * killed process loses a CRL that was public: what is left there the next run
 * brings to the archive.
 */
#include <fcntl.h>
#include <inttypes.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "crlpress/archive.h"
#include "crlpress/fd_io.h"
#include "crlpress/pool.h"
#include "crlpress/utc.h"
#include "run_impl.h"

/* "archive-4294967295" and its NUL: a name for what is staged. */
#define STAGE_NAME_BYTES 32

/* What waits in the spool is not waited for. */
#define ARCHIVE_RETRY_SEC 60

struct work {
	struct run *run;
	struct config config; /* the run's, but for how long is waited */
	struct archive archive;
	struct manifest manifest; /* that was put; without a shard: none */
	struct state_spool spool;
	struct store *spool_store;
	atomic_ullong spooled; /* bytes in all spools */
	atomic_bool failed;    /* something is not archived */
};

static enum status
archive_fault(struct work *work, const char *object, const char *what)
{
	atomic_store(&work->failed, true);
	return report_fault(work->run->report, STATUS_PARTIAL, object,
	    "archive", "house rule", "%s", what);
}

void
run_archive_note(struct run *run, char *text, size_t len, int64_t put_sec)
{
	free(run->put_text);
	run->put_text = NULL;
	if (run->config->archive_url == NULL) {
		free(text);
		return;
	}
	run->put_text = text;
	run->put_len = len;
	run->put_sec = put_sec;
}

/* A file of ours, whole. */
static enum status
file_read(const char *path, struct gzip_bytes *bytes)
{
	int fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	enum status status = STATUS_FAILED;
	struct stat st;

	memset(bytes, 0, sizeof(*bytes));
	if (fd < 0)
		return STATUS_FAILED;
	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) &&
	    (uint64_t)st.st_size <= STORE_OBJECT_BYTES_MOST)
		bytes->data = malloc((size_t)st.st_size + 1);
	if (bytes->data != NULL &&
	    fd_read(fd, bytes->data, (size_t)st.st_size) == st.st_size) {
		bytes->len = (size_t)st.st_size;
		status = STATUS_OK;
	} else {
		gzip_bytes_free(bytes);
	}
	(void)close(fd);
	return status;
}

/* Packs bytes into the spool, under the key that they get in the archive. */
static enum status
spool_put(struct work *work, const char *name, const char *key,
    const void *data, size_t len)
{
	struct store_upload upload = {
	    .key = key, .content_type = "application/gzip"};
	struct run *run = work->run;
	struct gzip_bytes packed;
	enum status status;

	if (gzip_pack(data, len, &packed) != STATUS_OK)
		return archive_fault(work, key, "cannot be compressed");
	if (atomic_fetch_add(&work->spooled, packed.len) + packed.len >
	    run->config->archive_spool_most) {
		gzip_bytes_free(&packed);
		return archive_fault(work, key,
		    "is not kept: more waits for the archive than [archive] "
		    "spool allows");
	}
	status = run_put_bytes(run, name,
	    (struct stage_part){packed.data, packed.len}, work->spool_store,
	    &upload);
	if (status != STATUS_OK)
		status = archive_fault(work, key, "cannot be kept here");
	gzip_bytes_free(&packed);
	return status;
}

/* A shard that was published, from what was staged of it. */
static void
spool_shard(void *context, unsigned worker, size_t i)
{
	struct work *work = context;
	const struct run_shard *shard = &work->run->shard[i];
	char key[ARCHIVE_KEY_BYTES];
	char name[STAGE_NAME_BYTES];
	struct gzip_bytes crl;
	struct hash hash;

	(void)worker;
	if (shard->state != RUN_SHARD_PUBLISHED)
		return;
	(void)snprintf(name, sizeof(name), "archive-%" PRIu32, shard->index);
	if (archive_crl_key(work->run->config->name, shard->this_update_sec,
		&shard->number, shard->key, key) != STATUS_OK) {
		(void)archive_fault(work, shard->key, "too long a key");
		return;
	}
	if (file_read(shard->staged.path, &crl) != STATUS_OK) {
		(void)archive_fault(
		    work, shard->object, "cannot be read where it was staged");
		return;
	}
	/* What is kept for good is what was published, or nothing. */
	if (hash_bytes(crl.data, crl.len, &hash) == STATUS_OK &&
	    memcmp(&hash, &shard->staged.sha256, sizeof(hash)) == 0)
		(void)!spool_put(work, name, key, crl.data, crl.len);
	else
		(void)archive_fault(
		    work, shard->object, "changed since it was published");
	gzip_bytes_free(&crl);
	progress_add(work->run->progress, 1);
}

/* The manifest that was put is the set. */
static void
spool_set(struct work *work)
{
	struct run *run = work->run;
	char key[ARCHIVE_KEY_BYTES];
	struct archive_set set;
	struct hash hash;

	if (hash_bytes((const uint8_t *)run->put_text, run->put_len, &hash) !=
	    STATUS_OK) {
		(void)archive_fault(
		    work, run->config->manifest_key, "cannot be hashed");
		return;
	}
	set = archive_set_make(run->put_sec, &run->number, &hash);
	archive_set_key(run->config->name, &set, key);
	(void)!spool_put(work, "archive-set", key, run->put_text, run->put_len);
}

static enum status
spool_open(struct work *work)
{
	struct run *run = work->run;
	struct store_config config = {.context = run->context};
	enum status status;

	atomic_store(&work->spooled, state_spool_bytes(run->state));
	status = state_spool_make(run->state, &work->spool);
	if (status != STATUS_OK)
		return status;
	config.url = work->spool.path;
	return store_open(&config, run->report, &work->spool_store);
}

/* Whether this run published the very CRL of a line. */
static bool
is_ours(struct run *run, const struct manifest_shard *line)
{
	const struct run_shard *shard = run_shard_find(run, line->index);

	return shard != NULL && shard->index == line->index &&
	       shard->state == RUN_SHARD_PUBLISHED &&
	       memcmp(&shard->staged.sha256, &line->sha256,
		   sizeof(line->sha256)) == 0;
}

/* A CRL of the set that somebody else published, from where it stands. */
static void
heal_line(struct work *work, const struct manifest_shard *line, const char *key)
{
	struct run *run = work->run;
	struct store_object object;
	struct hash hash;
	enum status status;

	status = store_get(run->store, line->key, &object);
	if (status == STATUS_OK && object.len == line->size &&
	    hash_bytes(object.data, object.len, &hash) == STATUS_OK &&
	    memcmp(&hash, &line->sha256, sizeof(hash)) == 0)
		(void)!spool_put(
		    work, "archive-other", key, object.data, object.len);
	else if (status != STATUS_OK && status != STATUS_NOT_FOUND)
		/* It may well stand there; what is wrong was reported. */
		atomic_store(&work->failed, true);
	else
		/* Whoever replaced it may have it in a spool of theirs. */
		report_warn(run->report, key, "archive", "house rule",
		    "is not in the archive, and does not stand in the store "
		    "any more");
	if (status == STATUS_OK)
		store_object_free(&object);
}

static int
key_compare(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static bool
is_listed(const struct store_keys *keys, const char *key)
{
	return keys->count > 0 && bsearch(&key, keys->key, keys->count,
				      sizeof(char *), key_compare) != NULL;
}

/*
 * What the set names and this run did not publish is in the archive since it
 * was; but for what was published before there was one, or by somebody who
 * has none. One listing tells.
 */
static enum status
heal(struct work *work)
{
	const char *issuer = work->run->config->name;
	char place[ARCHIVE_KEY_BYTES], key[ARCHIVE_KEY_BYTES];
	char oldest[ARCHIVE_KEY_BYTES] = "";
	struct store_keys keys;
	enum status status;

	for (size_t i = 0; i < work->manifest.shard_count; i++) {
		const struct manifest_shard *line = &work->manifest.shard[i];

		if (is_ours(work->run, line))
			continue;
		archive_crl_place(
		    issuer, line->this_update_sec, &line->number, place);
		if (oldest[0] == '\0' || strcmp(place, oldest) < 0)
			(void)stpcpy(oldest, place);
	}
	if (oldest[0] == '\0')
		return STATUS_OK;
	archive_crls_place(issuer, place);
	status = store_list(work->archive.store, place, oldest, &keys);
	if (status != STATUS_OK)
		return status;
	for (size_t i = 0; i < work->manifest.shard_count; i++) {
		const struct manifest_shard *line = &work->manifest.shard[i];

		if (!is_ours(work->run, line) &&
		    archive_crl_key(issuer, line->this_update_sec,
			&line->number, line->key, key) == STATUS_OK &&
		    !is_listed(&keys, key))
			heal_line(work, line, key);
	}
	store_keys_free(&keys);
	return STATUS_OK;
}

static bool
forward_spool(struct work *work, const char *path, struct store *spool)
{
	unsigned workers = store_connections(work->archive.store);

	if (archive_forward(&work->archive, path, spool,
		workers != 0 ? workers : work->run->options->workers) ==
	    STATUS_OK)
		return true;
	atomic_store(&work->failed, true);
	return false;
}

/* What runs before could not bring there; the first that fails is the last. */
static void
forward_others(struct work *work)
{
	struct run *run = work->run;
	struct store_config config = {.context = run->context};
	enum status status = STATUS_OK;

	while (status == STATUS_OK) {
		struct state_spool spool;
		struct store *store = NULL;

		status = state_spool_next(run->state, &spool);
		if (status == STATUS_OK) {
			config.url = spool.path;
			status = store_open(&config, run->report, &store);
		}
		/* Of a put that was killed. */
		if (status == STATUS_OK)
			status = store_sweep(store);
		if (status == STATUS_OK &&
		    !forward_spool(work, spool.path, store))
			status = STATUS_FAILED;
		store_close(store);
		/* It would be the next one again, for ever. */
		if (status == STATUS_OK && !state_spool_remove(&spool))
			status = archive_fault(
			    work, spool.path, "cannot be removed");
		state_spool_close(&spool);
	}
	if (status != STATUS_DONE)
		atomic_store(&work->failed, true);
}

static void
forward_all(struct work *work)
{
	work->config = *work->run->config;
	if (work->config.remote.retry_deadline_sec > ARCHIVE_RETRY_SEC)
		work->config.remote.retry_deadline_sec = ARCHIVE_RETRY_SEC;
	if (archive_open(&work->config, work->run->context, work->run->report,
		&work->archive) != STATUS_OK ||
	    heal(work) != STATUS_OK) {
		atomic_store(&work->failed, true);
		return;
	}
	if (forward_spool(work, work->spool.path, work->spool_store)) {
		(void)!state_spool_remove(&work->spool);
		forward_others(work);
	}
}

/* What cannot be done is said where it is found, and once here in all. */
static enum status
verdict(struct work *work)
{
	const struct run *run = work->run;
	char *where = NULL;

	if (!atomic_load(&work->failed))
		return STATUS_OK;
	(void)report_fault(run->report, STATUS_PARTIAL, run->config->name,
	    "archive", "house rule",
	    "published, but not all of it is in the archive");
	if (asprintf(&where, "%s/%s/spool", run->config->state_dir,
		run->config->name) < 0)
		where = NULL;
	report_hint(run->report,
	    "what waits in %s is archived by the next run or push",
	    where != NULL ? where : "the spool");
	free(where);
	return STATUS_PARTIAL;
}

enum status
run_archive(struct run *run)
{
	struct work work = {.run = run, .spool = {.lock = -1}};
	const char *why = NULL;
	enum status status;
	size_t line = 0;

	if (run->config->archive_url == NULL ||
	    run_count_shards(run, RUN_SHARD_PUBLISHED) == 0)
		return STATUS_OK;
	atomic_init(&work.spooled, 0);
	atomic_init(&work.failed, false);
	if (run->put_text != NULL &&
	    manifest_parse(run->put_text, run->put_len, &work.manifest, &line,
		&why) != STATUS_OK)
		(void)archive_fault(&work, run->config->manifest_key, why);
	progress_phase(run->progress, "archiving",
	    run_count_shards(run, RUN_SHARD_PUBLISHED));
	status = spool_open(&work);
	if (status == STATUS_OK) {
		pool_run(run->options->workers, run->shard_count, spool_shard,
		    &work);
		/* A set that names what could not be kept is none. */
		if (run->put_text != NULL && !atomic_load(&work.failed))
			spool_set(&work);
		status = store_sync(work.spool_store);
	}
	if (status == STATUS_OK)
		forward_all(&work);
	else
		atomic_store(&work.failed, true);
	progress_clear(run->progress);
	archive_close(&work.archive);
	store_close(work.spool_store);
	state_spool_close(&work.spool);
	manifest_free(&work.manifest);
	return verdict(&work);
}
