/* SPDX-License-Identifier: ISC */
/*
 * What somebody else published while this run was under way (a push, another
 * host) may list what our snapshot had not yet, so ours does not replace it.
 * These shards are made once more: what stands there is read, then a new
 * snapshot is taken, under a new number. So a shard is only ever replaced by
 * rows that are newer than what it replaces.
 */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "run_impl.h"

/* As often as a run may be overtaken; each time somebody else published. */
#define ATTEMPTS 5

/* What two that met wait before they try again, so as not to meet again. */
#define PAUSE_LEAST_MS 5
#define PAUSE_MOST_MS 250

void
run_pause(const struct run *run, unsigned attempt)
{
	uint64_t most_ms = (uint64_t)PAUSE_LEAST_MS
			   << (attempt < 6 ? attempt : 6);
	uint16_t chance = 0;
	uint64_t ms;
	struct timespec pause;

	if (most_ms > PAUSE_MOST_MS)
		most_ms = PAUSE_MOST_MS;
	if (run->context->random_bytes != NULL &&
	    !run->context->random_bytes(&chance, sizeof(chance)))
		chance = 0;
	ms = PAUSE_LEAST_MS + chance * most_ms / UINT16_MAX;
	pause = (struct timespec){.tv_nsec = (long)ms * 1000000};
	nanosleep(&pause, NULL);
}

/* The indices of what was overtaken, for the caller to free; NULL: memory. */
static uint32_t *
overtaken(struct run *run, size_t *count)
{
	uint32_t *only = calloc(run->shard_count + 1, sizeof(*only));

	*count = 0;
	for (size_t i = 0; only != NULL && i < run->shard_count; i++) {
		if (run->shard[i].state != RUN_SHARD_OVERTAKEN)
			continue;
		only[(*count)++] = run->shard[i].index;
		if (run->options->quiet)
			continue;
		report_note(run->report, run->shard[i].object,
		    "somebody else published it meanwhile: made again from "
		    "newer rows");
	}
	return only;
}

/* A run of some shards with what this one has open. */
static void
again_begin(
    struct run *again, const struct run *run, struct run_options *options)
{
	*again = (struct run){
	    .config = run->config,
	    .options = options,
	    .context = run->context,
	    .report = run->report,
	    .progress = run->progress,
	    .issuer = run->issuer,
	    .signer = run->signer,
	    .state = run->state,
	    .store = run->store,
	    .ledger = run->ledger,
	    .work = run->work,
	    .is_again = true,
	    .started_sec = run->started_sec,
	};
	memcpy(again->id, run->id, sizeof(again->id));
}

static size_t
count_passed(const struct gate_passes *passes)
{
	size_t count = 0;

	for (size_t i = 0; i < passes->count; i++)
		count += passes->pass[i].used;
	return count;
}

/* The rows of a shard that nothing was made of in the end. */
static struct manifest_rows
all_withheld(const struct manifest_rows *rows)
{
	return (struct manifest_rows){
	    .read = rows->read,
	    .deferred = rows->deferred,
	    .withheld = rows->read - rows->deferred,
	};
}

/* What became of the shards, and of their rows, is what did here. */
static void
take_over(struct run *run, struct run *again, enum status status)
{
	for (size_t i = 0; i < run->shard_count; i++) {
		struct run_shard *shard = &run->shard[i];
		struct run_shard *made;

		if (shard->state != RUN_SHARD_OVERTAKEN)
			continue;
		made = again->shard_count > 0
			   ? run_shard_find(again, shard->index)
			   : NULL;
		if (made != NULL && status == STATUS_OK) {
			struct run_shard before = *shard;

			run_rows_replace(run, &shard->tally, &made->tally);
			/* Freed with the other. */
			*shard = *made;
			*made = before;
		} else {
			struct manifest_rows rows = all_withheld(&shard->tally);

			run_rows_replace(run, &shard->tally, &rows);
			shard->tally = rows;
			/* Why was said. */
			shard->state = status == STATUS_REFUSED
					   ? RUN_SHARD_WITHHELD
					   : RUN_SHARD_FAILED;
		}
		/* Of an arena that goes. */
		shard->rows = (struct row_set){.count = 0};
		shard->recorded = (struct row_set){.count = 0};
	}
	run->gates_closed |= again->gates_closed;
	run->ledgered = status_graver(run->ledgered, again->ledgered);
}

static void
again_end(struct run *again)
{
	source_close(again->source);
	row_arena_free(again->arena);
	row_spill_free(again->spill);
	run_shards_free(again);
	manifest_free(&again->manifest);
}

static void
again_once(struct run *run)
{
	struct run_options options = *run->options;
	size_t passed = count_passed(&options.passes);
	uint32_t *only = overtaken(run, &options.only_count);
	enum status status = STATUS_NO_MEMORY;
	struct run again;

	options.push = true;
	options.only = only;
	again_begin(&again, run, &options);
	if (only == NULL)
		report_fault(run->report, status, run->config->name, NULL, NULL,
		    "out of memory");
	else
		status = run_round(&again);
	if (status == STATUS_OK && count_passed(&options.passes) > passed)
		status = run_ledger_passed(&again);
	if (status == STATUS_OK)
		status = run_ledger_publishing(&again);
	if (status == STATUS_OK)
		run_put_shards(&again);
	take_over(run, &again, status);
	run->options->passes = options.passes;
	again_end(&again);
	free(only);
}

/* Nothing more is tried. */
static void
give_up(struct run *run)
{
	for (size_t i = 0; i < run->shard_count; i++) {
		struct run_shard *shard = &run->shard[i];

		if (shard->state != RUN_SHARD_OVERTAKEN)
			continue;
		shard->state = RUN_SHARD_UNPLACED;
		if (run_is_interrupted(run))
			continue;
		report_fault(run->report, STATUS_PARTIAL, shard->object,
		    "store", "house rule",
		    "somebody else published here since it was judged");
		report_hint(
		    run->report, "run again: theirs will be judged then");
	}
}

void
run_again(struct run *run)
{
	for (unsigned n = 1;
	     /* What another made cannot be made again here. */
	     run->signed_set == NULL && n < ATTEMPTS &&
	     run_count_shards(run, RUN_SHARD_OVERTAKEN) > 0 &&
	     !run_is_interrupted(run);
	     n++) {
		run_pause(run, n);
		again_once(run);
	}
	give_up(run);
}
