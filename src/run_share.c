/* SPDX-License-Identifier: ISC */
/*
 * A run that several hosts share: docs/hosts.md. Each takes some shards at a
 * time, makes them as a run of its own would, and says so; when all are made,
 * and their sums were judged, each puts what it made. What a host does not
 * come to, since it died or lost its database, its store or its lease, another
 * one does, as long as there is one that has the snapshot.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "run_share.h"

#define RULE "share"

/* Between two looks at what the others do. */
#define PAUSE_MSEC 200

static void
pause_a_little(void)
{
	const struct timespec pause = {.tv_nsec = PAUSE_MSEC * 1000000L};

	nanosleep(&pause, NULL);
}

/* Nothing of what was made here goes out any more: it may be others' by now. */
static enum status
lost(struct share *share)
{
	struct run *run = share->run;
	enum status status = run_failed(run);

	for (size_t i = 0; i < run->shard_count; i++)
		if (share->mine[i] &&
		    run->shard[i].state != RUN_SHARD_PUBLISHED)
			run->shard[i].state = RUN_SHARD_ELSEWHERE;
	report_fault(run->report, status, run->config->name, RULE, "house rule",
	    "the lease of this host in run %" PRIu64 " passed, and was taken "
	    "over; what it made is not put",
	    work_id(share->work));
	report_hint(run->report,
	    "the host, or its way to the database, stood still for longer than "
	    "[share] lease");
	return status;
}

/* What this host says of a shard that it has. */
static struct work_shard
shard_facts(const struct run_shard *shard)
{
	const struct manifest_rows *rows = &shard->tally;
	bool is_made = run_shard_is_made(shard);
	struct work_shard facts = {
	    .shard = shard->index,
	    .number = shard->number,
	    .gates = shard->gates_closed,
	    /* What was overtaken was not read, or nothing was made of it. */
	    .is_counted = shard->state != RUN_SHARD_ELSEWHERE &&
			  shard->state != RUN_SHARD_OVERTAKEN,
	    .rows = rows->read,
	    .deferred = rows->deferred,
	};

	if (!is_made)
		return facts;
	facts.before = shard->previous_entries;
	facts.now = shard->entries + shard->merge.foreseen;
	facts.listed = rows->listed;
	facts.duplicate = rows->duplicate;
	facts.expired = rows->expired;
	facts.gone = rows->gone;
	return facts;
}

/* Of those that are this worker's, in this state: how it is to be told. */
static size_t
gather(struct share *share, enum run_shard_state state, enum work_state told,
    size_t count)
{
	struct run *run = share->run;

	for (size_t i = 0; i < run->shard_count; i++) {
		if (!share->mine[i] || run->shard[i].state != state)
			continue;
		share->room[count] = shard_facts(&run->shard[i]);
		share->room[count].state = told;
		if (told == WORK_OPEN)
			share->room[count].is_counted = false;
		count++;
	}
	return count;
}

/* Those in this state are not this worker's any more. */
static void
let_go(struct share *share, enum run_shard_state state)
{
	for (size_t i = 0; i < share->run->shard_count; i++)
		if (share->run->shard[i].state == state)
			share->mine[i] = false;
}

/* What failed here may do elsewhere, and this host is no good for more. */
static enum status
give_up_failed(struct share *share)
{
	struct run *run = share->run;
	size_t count = gather(share, RUN_SHARD_FAILED, WORK_OPEN, 0);
	enum status status;

	count = gather(share, RUN_SHARD_UNPLACED, WORK_OPEN, count);
	if (count == 0)
		return STATUS_OK;
	share->can_make = false;
	/* In this order: what is open, somebody else may have at once. */
	status = work_report(share->work, share->room, count);
	if (status == STATUS_OK)
		status = work_stop_making(share->work);
	let_go(share, RUN_SHARD_FAILED);
	let_go(share, RUN_SHARD_UNPLACED);
	report_warn(run->report, run->config->name, RULE, "house rule",
	    "%zu shards are left to the other hosts of run %" PRIu64, count,
	    work_id(share->work));
	return status;
}

/* Whether the CRL that stands there is the one that stood there when the run
 * was opened; what is newer was made of newer rows, or by this very run. */
static bool
stands_as_told(const struct run_shard *shard, const struct work_shard *told)
{
	char text[UINT160_DECIMAL_BYTES] = "";

	if (shard->has_previous)
		uint160_to_decimal(&shard->previous_number, text);
	return strcmp(text, told->standing) == 0;
}

static void
take(struct share *share, const struct work_shard *told)
{
	struct run *run = share->run;
	struct run_shard *shard = run_shard_find(run, told->shard);

	share->mine[shard - run->shard] = true;
	/* Else this host has refused it, and says so. */
	if (shard->state != RUN_SHARD_ELSEWHERE)
		return;
	shard->state = stands_as_told(shard, told) ? RUN_SHARD_PENDING
						   : RUN_SHARD_OVERTAKEN;
}

/*
 * The statement for one shard yields what that for all rows did, or it forgets
 * some: a revoked certificate would not be listed.
 */
static void
check_rows(struct share *share, const struct work_shard *told)
{
	struct run *run = share->run;
	struct run_shard *shard = run_shard_find(run, told->shard);
	struct gate_place place = run_shard_place(run, shard);
	uint64_t have =
	    shard->rows.count + shard->rows_faulty + shard->rows_deferred;

	/* One host's options are not another's: nothing is let pass. */
	place.passes = NULL;
	if (shard->state == RUN_SHARD_PENDING && have != told->rows &&
	    gate_refuse(&place, GATE_ROWS,
		"the statement for one shard yields other rows than that for "
		"all, have %" PRIu64 ", want %" PRIu64,
		have, told->rows) != STATUS_OK)
		shard->rows_refused = true;
}

/* The snapshot is gone for this host, and for whoever comes later. */
static enum status
cannot_read(struct share *share)
{
	struct run *run = share->run;

	for (size_t i = 0; i < run->shard_count; i++) {
		if (run->shard[i].state != RUN_SHARD_PENDING)
			continue;
		run->shard[i].state = RUN_SHARD_ELSEWHERE;
		share->mine[i] = false;
	}
	share->can_make = false;
	report_warn(run->report, run->config->name, RULE, "house rule",
	    "this host lost the snapshot of run %" PRIu64
	    ": it puts what it made, and makes no more",
	    work_id(share->work));
	share->is_troubled = true;
	return work_stop_making(share->work);
}

static enum status
tell_made(struct share *share)
{
	size_t count = gather(share, RUN_SHARD_STAGED, WORK_MADE, 0);
	enum status status;

	/* Made again when it may be put; for the floor it does not count. */
	count = gather(share, RUN_SHARD_OVERTAKEN, WORK_MADE, count);
	count = gather(share, RUN_SHARD_WITHHELD, WORK_WITHHELD, count);
	status = work_report(share->work, share->room, count);
	if (status == STATUS_OK)
		let_go(share, RUN_SHARD_WITHHELD);
	return status;
}

/* Some shards, as many as there are threads: one number, one round. */
static enum status
make_some(struct share *share)
{
	struct run *run = share->run;
	size_t room = run->options->workers;
	size_t count = 0;
	enum status status;

	if (room > run->shard_count)
		room = run->shard_count;
	status = work_lease(share->work, share->room, room, &count);
	if (status != STATUS_OK || count == 0)
		return status;
	for (size_t i = 0; i < count; i++)
		take(share, &share->room[i]);
	if (run->by_shard && run_collect(run) != STATUS_OK)
		return cannot_read(share);
	for (size_t i = 0; i < count; i++)
		check_rows(share, &share->room[i]);
	status = run_choose_number(run);
	if (status != STATUS_OK)
		return status;
	run_make(run);
	run_count_rows(run);
	status = tell_made(share);
	return status == STATUS_OK ? give_up_failed(share) : status;
}

/* The floor is of all shards, whoever made them: as they were at one moment,
 * for a worker that is lost takes its own out of the sums. */
static enum status
judge(struct share *share, const struct work_view *view)
{
	struct run *run = share->run;
	struct gate_place place = run_place(run);
	enum status status;

	place.passes = NULL;
	status = run_gate_floor_of(run, &place, view->before, view->now);
	return status_graver(
	    status, work_judge(share->work, status == STATUS_OK));
}

/*
 * Another version stands there than the one that was to be replaced. When it
 * is one that this run was about to put, a worker before this one put it, be
 * it late: it is published. Else somebody pushed it, and it is made again. The
 * number alone does not tell: a push takes its own from another directory.
 */
static enum status
settle_overtaken(struct share *share)
{
	struct run *run = share->run;
	enum status status = STATUS_OK;

	for (size_t i = 0; status == STATUS_OK && i < run->shard_count; i++) {
		struct run_shard *shard = &run->shard[i];
		struct work_shard facts;
		struct uint160 number;
		struct hash sha256;
		bool was = false;

		if (!share->mine[i] || shard->state != RUN_SHARD_OVERTAKEN ||
		    !run_share_standing(run, shard, &number, &sha256))
			continue;
		status = work_was_attempted(
		    share->work, shard->index, &number, &sha256, &was);
		if (status != STATUS_OK || !was)
			continue;
		shard->state = RUN_SHARD_ELSEWHERE;
		share->mine[i] = false;
		facts = shard_facts(shard);
		facts.state = WORK_PUBLISHED;
		facts.number = number;
		status = work_report(share->work, &facts, 1);
	}
	return status;
}

static void
catch_interrupts(struct share *share, bool on)
{
	const struct context *context = share->run->context;

	if (context->interrupt_catch != NULL && share->is_putting != on)
		context->interrupt_catch(on);
	share->is_putting = on;
}

static enum status
tell_put(struct share *share)
{
	size_t count = gather(share, RUN_SHARD_PUBLISHED, WORK_PUBLISHED, 0);
	enum status status;

	count = gather(share, RUN_SHARD_WITHHELD, WORK_WITHHELD, count);
	status = work_report(share->work, share->room, count);
	let_go(share, RUN_SHARD_PUBLISHED);
	let_go(share, RUN_SHARD_WITHHELD);
	return status;
}

static enum status
put_mine(struct share *share)
{
	struct run *run = share->run;
	struct work_view view;
	enum status status = run_period_serials(run);

	catch_interrupts(share, true);
	if (status == STATUS_OK)
		status = run_ledger_publishing(run);
	if (status != STATUS_OK)
		return status;
	run_put_shards(run);
	/* Whoever stood still for too long finds another's there, and leaves
	 * it alone. */
	status = work_look(share->work, &view);
	if (status == STATUS_OK && view.lost)
		return STATUS_CONFLICT;
	if (status == STATUS_OK)
		status = settle_overtaken(share);
	if (status != STATUS_OK)
		return status;
	run_again(run);
	status = run_store_sync(run);
	if (status == STATUS_OK)
		status = tell_put(share);
	return status == STATUS_OK ? give_up_failed(share) : status;
}

enum status
run_share_attempt(struct run *run)
{
	struct work_attempt *attempts =
	    calloc(run->shard_count + 1, sizeof(*attempts));
	enum status status = STATUS_NO_MEMORY;
	size_t count = 0;

	for (size_t i = 0; attempts != NULL && i < run->shard_count; i++) {
		const struct run_shard *shard = &run->shard[i];

		if (shard->state != RUN_SHARD_STAGED)
			continue;
		attempts[count].line.index = shard->index;
		run_fill_line(shard, &attempts[count].line);
		attempts[count].has_replaced =
		    shard->has_previous || shard->is_gone;
		attempts[count++].replaced_sec =
		    shard->previous_this_update_sec;
	}
	if (attempts != NULL)
		status = work_attempt(run->work, attempts, count);
	else
		report_fault(run->report, status, run->config->name, RULE, NULL,
		    "out of memory");
	/* Lost: whose they are now is not known here. */
	for (size_t i = 0; status != STATUS_OK && i < run->shard_count; i++)
		if (run->shard[i].state == RUN_SHARD_STAGED)
			run->shard[i].state = status == STATUS_CONFLICT
						  ? RUN_SHARD_ELSEWHERE
						  : RUN_SHARD_UNPLACED;
	free(attempts);
	return status;
}

/* One turn: what there is to be done now, if anything. */
static enum status
take_turn(struct share *share, const struct work_view *view, bool *ended)
{
	bool idle = view->open + view->leased + view->made == 0;
	bool closed = false;
	enum status status;

	if (view->phase == WORK_PUTTING && view->mine > 0)
		return put_mine(share);
	if (view->open > 0 && share->can_make)
		return make_some(share);
	if (view->open > 0 && view->makers == 0)
		return work_give_up_open(share->work);
	if (view->phase == WORK_MAKING && view->open + view->leased == 0)
		return judge(share, view);
	if (view->phase == WORK_CLOSING ||
	    (view->phase == WORK_PUTTING && idle)) {
		status = run_share_close(share, &closed);
		*ended = closed;
		if (closed || status != STATUS_OK)
			return status;
	}
	pause_a_little();
	return STATUS_OK;
}

/* Another host judged what all made, and it was not to go out. */
static enum status
refused(struct share *share)
{
	struct run *run = share->run;

	for (size_t i = 0; i < run->shard_count; i++)
		if (run->shard[i].state == RUN_SHARD_STAGED)
			run->shard[i].state = RUN_SHARD_WITHHELD;
	return report_fault(run->report, STATUS_REFUSED, run->config->name,
	    RULE, "house rule",
	    "run %" PRIu64 " was refused as a whole: nothing of it is put",
	    work_id(share->work));
}

static enum status
take_turns(struct share *share)
{
	struct run *run = share->run;
	enum status status = STATUS_OK;
	struct work_view view;
	bool ended = false;

	while (status == STATUS_OK && !ended) {
		status = work_look(share->work, &view);
		if (status != STATUS_OK)
			break;
		if (view.phase == WORK_ENDED && view.refused)
			return refused(share);
		if (view.phase == WORK_ENDED && !view.lost)
			return STATUS_OK;
		if (view.lost)
			return lost(share);
		if (run_is_interrupted(run))
			return report_fault(run->report, STATUS_FAILED,
			    run->config->name, NULL, NULL,
			    "interrupted: the other hosts go on, or the next "
			    "run does");
		status = take_turn(share, &view, &ended);
	}
	return status == STATUS_CONFLICT ? lost(share) : status;
}

/* What this host has to say of its own, whatever else there was. */
static enum status
conclude(struct share *share, enum status status)
{
	struct run *run = share->run;

	catch_interrupts(share, false);
	for (size_t i = 0; i < run->shard_count; i++)
		if (run->shard[i].state == RUN_SHARD_STAGED ||
		    run->shard[i].state == RUN_SHARD_PENDING ||
		    run->shard[i].state == RUN_SHARD_OVERTAKEN)
			run->shard[i].state = RUN_SHARD_ELSEWHERE;
	run_count_rows(run);
	run_warn_stale(run);
	run_warn_size(run);
	if (status == STATUS_OK && share->is_troubled)
		return run_failed(run);
	if (status == STATUS_OK)
		return run_verdict(run);
	/* That shards are withheld, here or elsewhere, is no failure. */
	if (status == STATUS_REFUSED)
		return status_graver(status, run_verdict(run));
	return run_failed(run) == STATUS_PARTIAL ? STATUS_PARTIAL : status;
}

enum status
run_share(struct run *run)
{
	struct share share = {.run = run};
	enum status status;

	if (config_source_kind(run->config) != SOURCE_DATABASE)
		return report_fault(run->report, STATUS_CONFIG,
		    run->config->path, RULE, NULL,
		    "hosts share the snapshot of a database, and the source is "
		    "a file, have %s",
		    run->config->source);
	status = run_share_enter(&share);
	if (status == STATUS_DONE)
		return STATUS_OK;
	if (status != STATUS_OK)
		return status;
	run->work = share.work;
	status = run_share_begin(&share);
	if (status == STATUS_OK) {
		run->made = true;
		status = conclude(&share, take_turns(&share));
	}
	run->work = NULL;
	work_close(share.work);
	free(share.known);
	free(share.room);
	free(share.mine);
	return status;
}
