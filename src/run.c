/* SPDX-License-Identifier: ISC */
/* The order of things in a run; each step is in a file of its own. */
#include <stdlib.h>
#include <time.h>

#include "crlpress/utc.h"
#include "run_impl.h"

static double
monotonic_sec(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

uint64_t
run_count_shards(const struct run *run, enum run_shard_state state)
{
	uint64_t count = 0;

	for (size_t i = 0; i < run->shard_count; i++)
		count += run->shard[i].state == state;
	return count;
}

struct run_shard *
run_shard_find(struct run *run, uint32_t index)
{
	size_t low = 0, high = run->shard_count;

	/* Mostly every shard there is. */
	if (run->shard_count == run->config->shards.count)
		return &run->shard[index - run->config->shards.first];
	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (run->shard[middle].index == index)
			return &run->shard[middle];
		if (run->shard[middle].index < index)
			low = middle + 1;
		else
			high = middle;
	}
	return NULL;
}

/* Where the rows went, once every shard is staged, withheld or failed. */
static void
count_rows(struct run *run)
{
	struct manifest_rows *rows = &run->rows;

	rows->withheld = run->rows_unplaced;
	rows->listed = rows->duplicate = rows->expired = rows->gone = 0;
	for (size_t i = 0; i < run->shard_count; i++) {
		const struct run_shard *shard = &run->shard[i];

		rows->withheld += shard->rows_faulty;
		if (shard->state != RUN_SHARD_STAGED) {
			rows->withheld += shard->rows.count;
			continue;
		}
		rows->listed += shard->entries;
		rows->duplicate += shard->merge.duplicates;
		rows->expired += shard->merge.removed;
		rows->gone += shard->merge.gone;
	}
}

/*
 * The law, as arithmetic: every row read is listed, the same as another,
 * proved expired, deferred, in a shard that was withheld, or of a shard that
 * this run is not about.
 */
static enum status
check_rows(struct run *run)
{
	const struct manifest_rows *rows = &run->rows;
	uint64_t sum = rows->listed + rows->duplicate + rows->expired +
		       rows->gone + rows->deferred + rows->withheld +
		       run->rows_elsewhere;

	if (sum == rows->read)
		return STATUS_OK;
	return report_fault(run->report, STATUS_FAILED, run->config->name,
	    "rows", "house rule",
	    "rows do not add up, have %llu accounted for, want %llu read; "
	    "this is a bug",
	    (unsigned long long)sum, (unsigned long long)rows->read);
}

/* What the exit status says when every step was done. */
static enum status
verdict(const struct run *run)
{
	uint64_t published = run_count_shards(run, RUN_SHARD_PUBLISHED);

	if (run_count_shards(run, RUN_SHARD_UNPLACED) > 0)
		return published > 0 ? STATUS_PARTIAL : STATUS_FAILED;
	if (run_count_shards(run, RUN_SHARD_FAILED) > 0)
		return published > 0 ? STATUS_PARTIAL : STATUS_FAILED;
	for (size_t i = 0; i < run->shard_count; i++)
		if (run->shard[i].public_other)
			return STATUS_PARTIAL;
	if (run_count_shards(run, RUN_SHARD_WITHHELD) > 0)
		return STATUS_REFUSED;
	return STATUS_OK;
}

/* What stops a whole run stops what was made, too: nothing of it goes out. */
static void
withhold_made(struct run *run)
{
	for (size_t i = 0; i < run->shard_count; i++)
		if (run->shard[i].state == RUN_SHARD_STAGED)
			run->shard[i].state = RUN_SHARD_WITHHELD;
	count_rows(run);
}

/* The law counts on an old shard that is valid; say where it is not. */
static void
warn_stale(struct run *run)
{
	char date[UTC_ISO_BYTES];

	for (size_t i = 0; i < run->shard_count; i++) {
		const struct run_shard *shard = &run->shard[i];

		if (shard->state == RUN_SHARD_STAGED ||
		    shard->state == RUN_SHARD_OVERTAKEN ||
		    !shard->has_previous ||
		    shard->previous_next_update_sec >= run->this_update_sec)
			continue;
		report_warn(run->report, shard->object, "fresh", "BR 4.9.7",
		    "withheld, and the CRL that stands expired %s",
		    utc_to_iso(shard->previous_next_update_sec, date));
	}
}

/* What was published stays so when the ledger cannot say it. */
static enum status
judge_ledger(const struct run *run, enum status status, enum status ledger)
{
	if (ledger == STATUS_OK)
		return status;
	return status_graver(status,
	    run_count_shards(run, RUN_SHARD_PUBLISHED) > 0 ? STATUS_PARTIAL
							   : STATUS_FAILED);
}

/* Shards that are out want a manifest: a signal does not end that halfway. */
static void
catch_interrupts(const struct run *run, bool on)
{
	if (run->context->interrupt_catch != NULL)
		run->context->interrupt_catch(on);
}

static enum status
publish(struct run *run)
{
	enum status status;

	if (run->options->dry_run)
		return verdict(run);
	status = run_ledger_passed(run);
	if (status != STATUS_OK)
		return status;
	if (run_count_shards(run, RUN_SHARD_STAGED) == 0 &&
	    run_count_shards(run, RUN_SHARD_OVERTAKEN) == 0)
		return verdict(run);
	catch_interrupts(run, true);
	status = run_upload(run);
	if (status == STATUS_OK &&
	    run_count_shards(run, RUN_SHARD_PUBLISHED) > 0)
		status = run_put_manifest(run);
	catch_interrupts(run, false);
	if (status == STATUS_OK)
		status = verdict(run);
	/* Shards are out, and something after them failed. */
	else if (run_count_shards(run, RUN_SHARD_PUBLISHED) > 0)
		status = STATUS_PARTIAL;
	return judge_ledger(run, status, run->ledgered);
}

/* Ends a phase: its time is what passed since the one before ended. */
static void
end_phase(struct run *run, enum run_phase phase)
{
	double before = 0;

	for (int i = 0; i < (int)phase; i++)
		before += run->phase_seconds[i];
	run->phase_seconds[phase] = monotonic_sec() - run->started_sec - before;
}

static enum status
read_rows(struct run *run)
{
	enum status status = run_collect(run);

	source_close(run->source);
	run->source = NULL;
	end_phase(run, RUN_PHASE_READ);
	if (status == STATUS_OK)
		status = run_gate_rows(run);
	return status == STATUS_OK ? run_gate_disjoint(run) : status;
}

enum status
run_round(struct run *run)
{
	enum status status = run_look(run);

	if (status == STATUS_OK)
		status = run_open_source(run);
	end_phase(run, RUN_PHASE_OPEN);
	if (status == STATUS_OK)
		status = read_rows(run);
	if (status != STATUS_OK)
		return status;
	/* That is about runs of all shards. */
	if (!run->options->push)
		run_period_last(run);
	run_make(run);
	run->made = true;
	count_rows(run);
	status = run_period_serials(run);
	end_phase(run, RUN_PHASE_MAKE);
	if (status == STATUS_OK)
		status = check_rows(run);
	if (status == STATUS_OK)
		status = run_asked_judge(run);
	if (status == STATUS_OK)
		status = run_gate_floor(run);
	if (status != STATUS_OK)
		withhold_made(run);
	warn_stale(run);
	return status;
}

static enum status
run_steps(struct run *run)
{
	enum status status = run_open(run);

	if (status == STATUS_OK)
		status = run_round(run);
	if (status == STATUS_OK)
		status = publish(run);
	end_phase(run, RUN_PHASE_PUBLISH);
	return status;
}

void
run_shards_free(struct run *run)
{
	for (size_t i = 0; i < run->shard_count; i++) {
		free(run->shard[i].url);
		free(run->shard[i].key);
		stage_file_free(&run->shard[i].staged);
		gate_changes_free(&run->shard[i].changes);
	}
	free(run->shard);
}

enum status
run_publish(const struct config *config, struct run_options *options,
    const struct context *context, struct report *report,
    struct progress *progress, struct run **out)
{
	struct run *run = calloc(1, sizeof(*run));

	*out = run;
	if (run == NULL)
		return report_fault(report, STATUS_NO_MEMORY, config->name,
		    NULL, NULL, "out of memory");
	run->config = config;
	run->options = options;
	run->context = context;
	run->report = report;
	run->progress = progress;
	run->started_sec = monotonic_sec();
	run->status = status_public(run_steps(run));
	run->status = judge_ledger(run, run->status, run_ledger_end(run));
	/* What is staged has been published, or is made anew next time. */
	if (run->state != NULL)
		stage_clear(run->state);
	run_previous_forget(run);
	if (run->signer != NULL)
		run->signer_kib = signer_peak_kib(run->signer);
	source_close(run->source);
	run->source = NULL;
	signer_stop(run->signer);
	run->signer = NULL;
	store_close(run->store);
	run->store = NULL;
	state_close(run->state);
	run->state = NULL;
	row_arena_free(run->arena);
	run->arena = NULL;
	run->seconds = monotonic_sec() - run->started_sec;
	return run->status;
}

void
run_free(struct run *run)
{
	if (run == NULL)
		return;
	run_shards_free(run);
	manifest_free(&run->manifest);
	issuer_free(run->issuer);
	free(run);
}
