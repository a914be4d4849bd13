/* SPDX-License-Identifier: ISC */
/*
 * What is old leaves the archive. A set is as old as the one that followed it:
 * until then it was what stood in public. Sets go first, so that what a
 * killed process leaves is CRLs that no set names, which the next one removes,
 * and no set with something missing.
 */
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "crlpress/archive.h"
#include "crlpress/pool.h"

struct prune {
	struct archive *archive;
	struct archive_sets sets;
	size_t first_left; /* sets before this one go */
	int64_t before_sec;
	bool dry_run;
	/* Keys that sets which are left name, by set; then all, sorted. */
	struct store_keys *named;
	struct store_keys all;
	struct store_keys crls; /* all there are */
	bool *goes;
	atomic_size_t removed;
	atomic_bool failed;
};

static enum status
no_memory(struct archive *archive)
{
	return report_fault(archive->report, STATUS_NO_MEMORY,
	    archive->config->name, "archive", NULL, "out of memory");
}

/* The keys of one set that is left. */
static enum status
names_of(struct prune *prune, const struct manifest *manifest,
    struct store_keys *keys)
{
	const char *issuer = prune->archive->config->name;
	char key[ARCHIVE_KEY_BYTES];

	keys->key = calloc(manifest->shard_count + 1, sizeof(*keys->key));
	if (keys->key == NULL)
		return no_memory(prune->archive);
	for (size_t i = 0; i < manifest->shard_count; i++) {
		const struct manifest_shard *line = &manifest->shard[i];

		if (archive_crl_key(issuer, line->this_update_sec,
			&line->number, line->key, key) != STATUS_OK)
			continue;
		keys->key[keys->count] = strdup(key);
		if (keys->key[keys->count] == NULL)
			return no_memory(prune->archive);
		keys->count++;
	}
	return STATUS_OK;
}

static void
read_set(void *context, unsigned worker, size_t i)
{
	struct prune *prune = context;
	const struct archive_set *set = &prune->sets.set[prune->first_left + i];
	struct archive_manifest manifest;
	enum status status;

	(void)worker;
	status = archive_manifest_get(prune->archive, set, &manifest);
	if (status == STATUS_OK) {
		status = names_of(prune, &manifest.manifest, &prune->named[i]);
		archive_manifest_free(&manifest);
	}
	if (status != STATUS_OK)
		atomic_store(&prune->failed, true);
}

static int
key_compare(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* All names in one list, of which the strings are owned from then on. */
static enum status
names_join(struct prune *prune, size_t count)
{
	size_t total = 0;

	for (size_t i = 0; i < count; i++)
		total += prune->named[i].count;
	prune->all.key = calloc(total + 1, sizeof(*prune->all.key));
	if (prune->all.key == NULL)
		return no_memory(prune->archive);
	for (size_t i = 0; i < count; i++) {
		struct store_keys *keys = &prune->named[i];

		for (size_t k = 0; k < keys->count; k++)
			prune->all.key[prune->all.count++] = keys->key[k];
		keys->count = 0;
	}
	if (prune->all.count > 0)
		qsort(prune->all.key, prune->all.count, sizeof(char *),
		    key_compare);
	return STATUS_OK;
}

/* A set that is left and cannot be read may name any CRL: then none goes. */
static enum status
names_read(struct prune *prune, unsigned workers)
{
	size_t count = prune->sets.count - prune->first_left;
	enum status status = STATUS_OK;

	prune->named = calloc(count + 1, sizeof(*prune->named));
	if (prune->named == NULL)
		return no_memory(prune->archive);
	pool_run(workers, count, read_set, prune);
	if (atomic_load(&prune->failed))
		status = report_fault(prune->archive->report, STATUS_FAILED,
		    prune->archive->config->name, "archive", "house rule",
		    "what these sets name cannot be told, so nothing is "
		    "removed");
	else
		status = names_join(prune, count);
	for (size_t i = 0; i < count; i++)
		store_keys_free(&prune->named[i]);
	free(prune->named);
	prune->named = NULL;
	return status;
}

static void
remove_set(void *context, unsigned worker, size_t i)
{
	struct prune *prune = context;
	char key[ARCHIVE_KEY_BYTES];

	(void)worker;
	archive_set_key(prune->archive->config->name, &prune->sets.set[i], key);
	if (store_remove(prune->archive->store, key) == STATUS_OK)
		atomic_fetch_add(&prune->removed, 1);
	else
		atomic_store(&prune->failed, true);
}

static void
remove_crl(void *context, unsigned worker, size_t i)
{
	struct prune *prune = context;

	(void)worker;
	if (!prune->goes[i])
		return;
	if (store_remove(prune->archive->store, prune->crls.key[i]) ==
	    STATUS_OK)
		atomic_fetch_add(&prune->removed, 1);
	else
		atomic_store(&prune->failed, true);
}

/* Old, and of no set that is left. What has no time is not ours to judge. */
static size_t
choose_crls(struct prune *prune)
{
	const char *issuer = prune->archive->config->name;
	size_t count = 0;

	for (size_t i = 0; i < prune->crls.count; i++) {
		char *key = prune->crls.key[i];
		int64_t sec = 0;

		if (!archive_crl_time(issuer, key, &sec) ||
		    sec >= prune->before_sec ||
		    bsearch(&key, prune->all.key, prune->all.count,
			sizeof(char *), key_compare) != NULL)
			continue;
		prune->goes[i] = true;
		count++;
	}
	return count;
}

/*
 * How many sets from the first on were followed. Of those of one second nobody
 * knows by the name which was the last, so they go together.
 */
static size_t
count_followed(const struct prune *prune)
{
	const struct archive_set *set = prune->sets.set;
	size_t followed = 0;

	for (size_t i = 1;
	     i < prune->sets.count && set[i].published_sec < prune->before_sec;
	     i++)
		if (set[i].published_sec > set[i - 1].published_sec)
			followed = i;
	return followed;
}

static enum status
prune_look(struct prune *prune, unsigned workers)
{
	char place[ARCHIVE_KEY_BYTES];
	enum status status;

	/* CRLs before the sets: what is put meanwhile, from a spool maybe and
	 * older than it looks, is put in that order and is in neither. */
	archive_crls_place(prune->archive->config->name, place);
	status = store_list(prune->archive->store, place, NULL, &prune->crls);
	if (status == STATUS_OK)
		status = archive_sets_list(prune->archive, &prune->sets);
	if (status != STATUS_OK)
		return status;
	prune->first_left = count_followed(prune);
	status = names_read(prune, workers);
	if (status != STATUS_OK)
		return status;
	prune->goes = calloc(prune->crls.count + 1, sizeof(*prune->goes));
	return prune->goes != NULL ? STATUS_OK : no_memory(prune->archive);
}

static enum status
prune_do(struct prune *prune, unsigned workers, struct archive_pruned *pruned)
{
	const char *url = prune->archive->config->archive_url;

	pruned->sets = prune->first_left;
	pruned->sets_left = prune->sets.count - prune->first_left;
	pruned->crls = choose_crls(prune);
	pruned->crls_left = prune->crls.count - pruned->crls;
	if (prune->dry_run)
		return STATUS_OK;
	/* Of puts that were killed; a bucket has none, and would be probed. */
	if (strncmp(url, "s3://", 5) != 0 &&
	    store_sweep(prune->archive->store) != STATUS_OK)
		return STATUS_FAILED;
	pool_run(workers, prune->first_left, remove_set, prune);
	pruned->sets = atomic_exchange(&prune->removed, 0);
	if (atomic_load(&prune->failed)) {
		pruned->crls = 0;
		return STATUS_FAILED;
	}
	pool_run(workers, prune->crls.count, remove_crl, prune);
	pruned->crls = atomic_load(&prune->removed);
	return atomic_load(&prune->failed) ? STATUS_FAILED
					   : store_sync(prune->archive->store);
}

enum status
archive_prune(struct archive *archive, int64_t before_sec, bool dry_run,
    unsigned workers, struct archive_pruned *pruned)
{
	struct prune prune = {
	    .archive = archive, .before_sec = before_sec, .dry_run = dry_run};
	enum status status;

	*pruned = (struct archive_pruned){.sets = 0};
	atomic_init(&prune.removed, 0);
	atomic_init(&prune.failed, false);
	status = prune_look(&prune, workers);
	if (status == STATUS_OK)
		status = prune_do(&prune, workers, pruned);
	archive_sets_free(&prune.sets);
	store_keys_free(&prune.all);
	store_keys_free(&prune.crls);
	free(prune.goes);
	return status;
}
