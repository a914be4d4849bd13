/* SPDX-License-Identifier: ISC */
/*
 * The end of a shared run: one worker writes the manifest, of what all of them
 * published and of what stands on, and says what was not published.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "run_share.h"

#define RULE "share"

/* What all workers said in the end. */
struct result {
	struct work_shard *shards;
	struct work_attempt *attempts;
	size_t count;
	uint64_t published;
	enum run_shard_state *states; /* of this host, to be put back */
	struct manifest_rows rows;    /* of this host */
};

/* The line of the manifest is made from these, as from what was made here. */
static void
take_line(struct run_shard *shard, const struct work_attempt *attempt)
{
	const struct manifest_shard *line = &attempt->line;

	shard->number = line->number;
	shard->this_update_sec = line->this_update_sec;
	shard->next_update_sec = line->next_update_sec;
	shard->staged.size = line->size;
	shard->staged.sha256 = line->sha256;
	shard->entries = line->entries;
	shard->merge = (struct gate_merge){
	    .added = line->added,
	    .removed = line->removed,
	    .leaving = line->leaving,
	    .expiring = line->expiring,
	};
	shard->has_expiring = line->has_expiring;
	shard->is_settled = line->has_settled;
	shard->is_gone = false;
	shard->has_previous = attempt->has_replaced;
	shard->previous_this_update_sec = attempt->replaced_sec;
	shard->state = RUN_SHARD_PUBLISHED;
}

/* A push since: the manifest knows of a newer one than this run put. */
static bool
is_superseded(const struct run *run, const struct work_shard *shard)
{
	const struct manifest_shard *line =
	    manifest_find(&run->manifest, shard->shard);

	return line != NULL &&
	       uint160_compare(&line->number, &shard->number) > 0;
}

/* Rows of what was not published are withheld, but for the next run's. */
static struct manifest_rows
sum_rows(const struct result *result)
{
	struct manifest_rows rows = {0};

	for (size_t i = 0; i < result->count; i++) {
		const struct work_shard *shard = &result->shards[i];

		rows.read += shard->rows;
		rows.deferred += shard->deferred;
		if (shard->state != WORK_PUBLISHED)
			continue;
		rows.listed += shard->listed;
		rows.duplicate += shard->duplicate;
		rows.expired += shard->expired;
		rows.gone += shard->gone;
	}
	rows.withheld = rows.read - rows.listed - rows.duplicate -
			rows.expired - rows.gone - rows.deferred;
	return rows;
}

static enum status
take_results(struct share *share, struct result *result)
{
	struct run *run = share->run;
	enum status status;

	result->states = calloc(run->shard_count + 1, sizeof(*result->states));
	if (result->states == NULL || result->count != run->shard_count)
		return report_fault(run->report, STATUS_FAILED,
		    run->config->name, RULE, NULL,
		    "shards of the shared run, have %zu, want %zu",
		    result->count, run->shard_count);
	status = run_share_find(share, result->shards);
	if (status != STATUS_OK)
		return status;
	for (size_t i = 0; i < result->count; i++) {
		struct run_shard *shard = &run->shard[i];

		result->states[i] = shard->state;
		result->published += result->shards[i].state == WORK_PUBLISHED;
		if (shard->state == RUN_SHARD_PUBLISHED)
			continue;
		shard->gates_closed |= result->shards[i].gates;
		if (result->shards[i].state == WORK_PUBLISHED &&
		    !is_superseded(run, &result->shards[i]))
			take_line(shard, &result->attempts[i]);
	}
	result->rows = run->rows;
	run->rows = sum_rows(result);
	return STATUS_OK;
}

/* This host tells of its own. */
static void
put_back(struct share *share, const struct result *result)
{
	struct run *run = share->run;

	for (size_t i = 0; i < run->shard_count; i++)
		run->shard[i].state = result->states[i];
	run->rows = result->rows;
}

/* Every shard that the run did not publish, whoever had it. */
static enum status
tell_unpublished(struct share *share, const struct result *result)
{
	struct run *run = share->run;
	struct share_names names = {.count = 0};
	enum status status = STATUS_REFUSED;

	for (size_t i = 0; i < result->count; i++) {
		if (result->shards[i].state == WORK_PUBLISHED)
			continue;
		if (result->shards[i].state == WORK_FAILED)
			status = result->published > 0 ? STATUS_PARTIAL
						       : STATUS_FAILED;
		share_names_add(&names, result->shards[i].shard);
	}
	if (names.count == 0) {
		if (!run->options->quiet)
			report_note(run->report, run->config->name,
			    "shared run %" PRIu64 ": all %zu shards are "
			    "published",
			    work_id(share->work), result->count);
		return STATUS_OK;
	}
	return report_fault(run->report, status, run->config->name, RULE,
	    "house rule",
	    "of the %zu shards of run %" PRIu64 " %zu are not published:%s%s",
	    result->count, work_id(share->work), names.count, names.text,
	    share_names_more(&names));
}

static enum status
put_manifest(struct share *share, struct result *result)
{
	struct run *run = share->run;
	enum status status = take_results(share, result);

	if (status != STATUS_OK)
		return status;
	if (result->published > 0) {
		status = run_choose_number(run);
		if (status == STATUS_OK)
			status = run_put_manifest(run);
	}
	put_back(share, result);
	return status;
}

enum status
run_share_close(struct share *share, bool *closed)
{
	struct result result = {.shards = NULL};
	enum status status = work_close_begin(share->work, closed);

	if (status != STATUS_OK || !*closed)
		return status;
	status = work_result(
	    share->work, &result.shards, &result.attempts, &result.count);
	if (status == STATUS_OK)
		status = put_manifest(share, &result);
	if (status == STATUS_OK)
		status = work_close_end(share->work);
	if (status == STATUS_OK)
		status = tell_unpublished(share, &result);
	else if (status == STATUS_CONFLICT)
		status = report_fault(share->run->report, STATUS_PARTIAL,
		    share->run->config->name, RULE, "house rule",
		    "the lease passed while the manifest was put: another "
		    "host closes the run");
	free(result.states);
	free(result.shards);
	free(result.attempts);
	return status;
}
