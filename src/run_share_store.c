/* SPDX-License-Identifier: ISC */
/*
 * The store of a shared run is one, by what was put there: a host whose file
 * system is not mounted has a directory of that name too, and would publish
 * into it what nobody reads. So a host finds what the others put before it
 * takes part, and who closes a run finds what all of them put in it.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "crlpress/pool.h"
#include "run_share.h"

#define RULE "share"

void
share_names_add(struct share_names *names, uint32_t shard)
{
	if (names->count++ < SHARE_NAMES_MOST)
		names->len += (size_t)snprintf(names->text + names->len,
		    sizeof(names->text) - names->len, " %" PRIu32, shard);
}

const char *
share_names_more(const struct share_names *names)
{
	return names->count > SHARE_NAMES_MOST ? " and more" : "";
}

/*
 * Nothing stands here, or something older than others put. Numbers given out
 * in the tables run ahead of the time, and one host alone does not know them:
 * where it had to make a store anew, its CRLs are newer by their time.
 */
static bool
lags(const struct run_shard *shard, const struct work_known *known)
{
	if (!shard->has_previous)
		return true;
	if (known->may_be_anew &&
	    shard->previous_this_update_sec > known->this_update_sec)
		return false;
	return uint160_compare(&shard->previous_number, &known->number) < 0;
}

/* What this host has of a shard, unless it is refused for what stands there:
 * of that no number is known. */
static struct run_shard *
shard_seen(struct run *run, const struct work_known *known)
{
	struct run_shard *shard = run_shard_find(run, known->shard);

	return shard == NULL || shard->state == RUN_SHARD_WITHHELD ? NULL
								   : shard;
}

static enum status
refuse_host(struct share *share, const struct work_known *known, size_t count)
{
	struct run *run = share->run;
	struct gate_place place = run_place(run);
	char number[UINT160_DECIMAL_BYTES];
	enum status status;

	place.passes = NULL;
	status = gate_refuse(&place, GATE_STORE,
	    "this host does not see what the others put: %s has not got %zu "
	    "CRLs, nor newer ones, among them shard %" PRIu32
	    " with number %s of %s",
	    run->config->store_url, count, known->shard,
	    uint160_to_decimal(&known->number, number), known->host);
	report_hint(run->report,
	    "is the store mounted here, and the same on every host? Where it "
	    "was emptied or put back on purpose, one `crlpress publish` "
	    "without --share makes it anew");
	return status;
}

static void
withhold(
    struct run *run, struct run_shard *shard, const struct work_known *known)
{
	struct gate_place place = run_shard_place(run, shard);
	char number[UINT160_DECIMAL_BYTES];

	place.passes = NULL;
	shard->state = RUN_SHARD_WITHHELD;
	if (gate_refuse(&place, GATE_PREVIOUS,
		"%s is gone or older than %s put it, want number %s",
		shard->key, known->host,
		uint160_to_decimal(&known->number, number)) != STATUS_OK)
		report_hint(run->report,
		    "put back what stood there; or, to make it anew from the "
		    "rows, `crlpress publish --pass %s:%" PRIu32
		    "` on one host, without --share",
		    gate_name(GATE_PREVIOUS), shard->index);
}

enum status
run_share_sees(struct share *share)
{
	struct run *run = share->run;
	const struct work_known *first = NULL;
	size_t seen = 0, behind = 0;

	for (size_t i = 0; i < share->known_count; i++) {
		const struct work_known *known = &share->known[i];
		const struct run_shard *shard = shard_seen(run, known);

		seen += shard != NULL;
		if (shard == NULL || !lags(shard, known))
			continue;
		if (behind++ == 0)
			first = known;
	}
	if (behind == 0)
		return STATUS_OK;
	/* The opener saw them a moment ago. */
	if (behind == seen || !work_is_opener(share->work))
		return refuse_host(share, first, behind);
	for (size_t i = 0; i < share->known_count; i++) {
		struct run_shard *shard = shard_seen(run, &share->known[i]);

		if (shard != NULL && lags(shard, &share->known[i]))
			withhold(run, shard, &share->known[i]);
	}
	return STATUS_OK;
}

bool
run_share_standing(struct run *run, const struct run_shard *shard,
    struct uint160 *number, struct hash *sha256)
{
	struct store_object object = {.data = NULL};
	struct crl_fault fault = {0};
	struct crl crl;
	bool told;

	if (store_get(run->store, shard->key, &object) != STATUS_OK)
		return false;
	told = crl_parse(object.data, object.len, &crl, &fault) == STATUS_OK &&
	       crl_number(&crl, number, &fault) == STATUS_OK &&
	       (sha256 == NULL ||
		   hash_bytes(object.data, object.len, sha256) == STATUS_OK);
	store_object_free(&object);
	return told;
}

/* What others put, looked for by several threads. */
struct search {
	struct run *run;
	const struct work_shard *shards;
	bool *is_missing;
};

static void
search_shard(void *context, unsigned worker, size_t i)
{
	struct search *search = context;
	const struct work_shard *shard = &search->shards[i];
	const struct run_shard *own = &search->run->shard[i];
	struct uint160 number;

	(void)worker;
	if (shard->state != WORK_PUBLISHED || own->state == RUN_SHARD_PUBLISHED)
		return;
	/* A newer one is a push's. */
	search->is_missing[i] =
	    !run_share_standing(search->run, own, &number, NULL) ||
	    uint160_compare(&number, &shard->number) < 0;
}

static enum status
tell_missing(struct share *share, const uint32_t *missing, size_t count)
{
	struct run *run = share->run;
	struct share_names names = {.count = 0};
	enum status status = work_deny(share->work, missing, count);

	if (status != STATUS_OK)
		return status;
	for (size_t i = 0; i < count; i++)
		share_names_add(&names, missing[i]);
	report_fault(run->report, STATUS_PARTIAL, run->config->name, RULE,
	    "house rule",
	    "other hosts of run %" PRIu64 " published them, and %s as this "
	    "host sees it has not got them:%s%s",
	    work_id(share->work), run->config->store_url, names.text,
	    share_names_more(&names));
	report_hint(run->report,
	    "is the store mounted on every host, and the same everywhere?");
	return STATUS_OK;
}

enum status
run_share_find(struct share *share, struct work_shard *shards)
{
	struct run *run = share->run;
	struct search search = {.run = run, .shards = shards};
	uint32_t *missing = calloc(run->shard_count + 1, sizeof(*missing));
	enum status status = STATUS_OK;
	size_t count = 0;

	search.is_missing = calloc(run->shard_count + 1, sizeof(bool));
	if (missing == NULL || search.is_missing == NULL) {
		status = report_fault(run->report, STATUS_NO_MEMORY,
		    run->config->name, RULE, NULL, "out of memory");
		goto out;
	}
	pool_run(
	    run_store_workers(run), run->shard_count, search_shard, &search);
	for (size_t i = 0; i < run->shard_count; i++) {
		if (!search.is_missing[i])
			continue;
		missing[count++] = shards[i].shard;
		shards[i].state = WORK_FAILED;
	}
	if (count > 0)
		status = tell_missing(share, missing, count);
out:
	free(search.is_missing);
	free(missing);
	return status;
}
