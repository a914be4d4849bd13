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

	/* Mostly every shard there is; a manifest may name others, too. */
	if (run->shard_count == run->config->shards.count) {
		size_t at = index - run->config->shards.first;

		return at < run->shard_count ? &run->shard[at] : NULL;
	}
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

/* Where the rows of a shard went, once it is staged, withheld or failed. */
static struct manifest_rows
count_shard_rows(const struct run_shard *shard)
{
	struct manifest_rows rows = {
	    .read =
		shard->rows.count + shard->rows_faulty + shard->rows_deferred,
	    .deferred = shard->rows_deferred,
	    .withheld = shard->rows_faulty,
	};

	if (shard->state != RUN_SHARD_STAGED) {
		rows.withheld += shard->rows.count;
		return rows;
	}
	rows.listed = shard->entries;
	rows.duplicate = shard->merge.duplicates;
	rows.expired = shard->merge.removed;
	rows.gone = shard->merge.gone;
	rows.deferred += shard->rows_unlisted;
	return rows;
}

/*
 * Whether nothing that expired can be missing here unseen: every row was
 * listed, and what is not known to have been leaves with the CRL before.
 */
static bool
is_settled(const struct run *run, const struct run_shard *shard)
{
	return shard->has_previous &&
	       shard->previous_this_update_sec < run->this_update_sec &&
	       shard->rows_faulty == 0 && run->rows_unplaced == 0 &&
	       shard->merge.lost == 0 &&
	       !gate_was_passed(
		   &run->options->passes, GATE_EARLY_REMOVAL, shard->index);
}

/* What was read, and deferred, was counted as it was read. */
void
run_count_rows(struct run *run)
{
	struct manifest_rows *rows = &run->rows;
	uint64_t elsewhere = 0;

	rows->withheld = run->rows_unplaced;
	rows->listed = rows->duplicate = rows->expired = rows->gone = 0;
	rows->deferred -= run->rows_unlisted;
	run->rows_unlisted = 0;
	for (size_t i = 0; i < run->shard_count; i++) {
		struct run_shard *shard = &run->shard[i];

		/* Counted before it was put. */
		if (shard->state != RUN_SHARD_PUBLISHED) {
			shard->tally = count_shard_rows(shard);
			shard->is_settled = is_settled(run, shard);
		}
		rows->listed += shard->tally.listed;
		rows->duplicate += shard->tally.duplicate;
		rows->expired += shard->tally.expired;
		rows->gone += shard->tally.gone;
		if (run_shard_is_made(shard))
			run->rows_unlisted += shard->rows_unlisted;
		/* Of a shared run: read here, and made by another host. */
		if (shard->state == RUN_SHARD_ELSEWHERE)
			elsewhere += shard->tally.withheld;
		else
			rows->withheld += shard->tally.withheld;
	}
	rows->deferred += run->rows_unlisted;
	if (run->work != NULL && !run->is_again)
		run->rows_elsewhere = elsewhere;
}

void
run_rows_replace(struct run *run, const struct manifest_rows *these,
    const struct manifest_rows *those)
{
	struct manifest_rows *rows = &run->rows;

	rows->read += those->read - these->read;
	rows->listed += those->listed - these->listed;
	rows->duplicate += those->duplicate - these->duplicate;
	rows->expired += those->expired - these->expired;
	rows->gone += those->gone - these->gone;
	rows->deferred += those->deferred - these->deferred;
	rows->withheld += those->withheld - these->withheld;
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

uint64_t
run_count_unknown(const struct run *run)
{
	uint64_t count = 0;

	for (size_t i = 0; i < run->shard_count; i++)
		count += run->shard[i].may_stand;
	return count;
}

/* A run that fails: "nothing was changed" is said only where that is known. */
enum status
run_failed(const struct run *run)
{
	return run_count_shards(run, RUN_SHARD_PUBLISHED) > 0 ||
		       run_count_unknown(run) > 0
		   ? STATUS_PARTIAL
		   : STATUS_FAILED;
}

enum status
run_verdict(const struct run *run)
{
	if (run_count_shards(run, RUN_SHARD_UNPLACED) > 0 ||
	    run_count_shards(run, RUN_SHARD_FAILED) > 0)
		return run_failed(run);
	for (size_t i = 0; i < run->shard_count; i++)
		if (run->shard[i].public_other)
			return STATUS_PARTIAL;
	if (run_count_shards(run, RUN_SHARD_WITHHELD) > 0)
		return STATUS_REFUSED;
	return STATUS_OK;
}

/* What stops a whole run stops what was made, too: nothing of it goes out. */
static void
drop_made(struct run *run, enum run_shard_state state)
{
	for (size_t i = 0; i < run->shard_count; i++)
		if (run->shard[i].state == RUN_SHARD_STAGED ||
		    run->shard[i].state == RUN_SHARD_OVERTAKEN)
			run->shard[i].state = state;
	run_count_rows(run);
}

/* The law counts on an old shard that is valid; say where it is not. */
void
run_warn_stale(struct run *run)
{
	char date[UTC_ISO_BYTES];

	for (size_t i = 0; i < run->shard_count; i++) {
		const struct run_shard *shard = &run->shard[i];

		if (shard->state == RUN_SHARD_STAGED ||
		    shard->state == RUN_SHARD_PUBLISHED ||
		    shard->state == RUN_SHARD_ELSEWHERE ||
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
	return status_graver(status, run_failed(run));
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
	enum status archived;
	enum status status;

	if (run->options->dry_run)
		return run_verdict(run);
	if (run->options->stage_dir != NULL)
		return run_stage_close(run);
	if (run->options->signed_dir != NULL && run_signed_is_done(run)) {
		report_note(run->report, run->config->name,
		    "all of it is published already");
		return run_verdict(run);
	}
	status = run_ledger_passed(run);
	if (status == STATUS_OK &&
	    run_count_shards(run, RUN_SHARD_STAGED) == 0 &&
	    run_count_shards(run, RUN_SHARD_OVERTAKEN) == 0)
		return run_verdict(run);
	if (status == STATUS_OK)
		status = run_ledger_publishing(run);
	if (status != STATUS_OK) {
		drop_made(run, RUN_SHARD_FAILED);
		return status;
	}
	catch_interrupts(run, true);
	status = run_upload(run);
	if (status == STATUS_OK &&
	    run_count_shards(run, RUN_SHARD_PUBLISHED) > 0)
		status = run_put_manifest(run);
	archived = run_archive(run);
	catch_interrupts(run, false);
	if (status == STATUS_OK)
		status = run_verdict(run);
	/* Shards are out, and something after them failed. */
	else if (run_failed(run) == STATUS_PARTIAL)
		status = STATUS_PARTIAL;
	return judge_ledger(
	    run, status_graver(status, archived), run->ledgered);
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
	if (status == STATUS_OK)
		run_recorded_begin(run);
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
	run_count_rows(run);
	if (run->options->signed_dir != NULL)
		run_signed_tell(run);
	status = run_period_serials(run);
	end_phase(run, RUN_PHASE_MAKE);
	if (status == STATUS_OK)
		status = check_rows(run);
	if (status == STATUS_OK)
		status = run_asked_judge(run);
	if (status == STATUS_OK)
		status = run_gate_floor(run);
	if (status != STATUS_OK)
		drop_made(run, RUN_SHARD_WITHHELD);
	run_warn_stale(run);
	run_warn_size(run);
	return status;
}

static enum status
run_steps(struct run *run)
{
	enum status status = run_open(run);

	if (status == STATUS_OK && run->options->share) {
		status = run_share(run);
		end_phase(run, RUN_PHASE_PUBLISH);
		status = status_graver(status, run_archive(run));
		return judge_ledger(run, status, run->ledgered);
	}
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
	run_stage_end(run);
	/* What is staged has been published, or is made anew next time. */
	if (run->state != NULL)
		stage_clear(run->state);
	run_previous_forget(run);
	run_signed_free(run);
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
	if (run->spill != NULL)
		run->scratch_bytes = row_spill_bytes(run->spill);
	row_spill_free(run->spill);
	run->spill = NULL;
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
	free(run->put_text);
	free(run);
}
