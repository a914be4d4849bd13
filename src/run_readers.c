/* SPDX-License-Identifier: ISC */
/*
 * Several connections that read one snapshot, a part at a time. The first one
 * is the run's, which exported the snapshot and read what there is to know
 * before; it alone can read everything, if need be. Another that cannot be
 * opened, or fails before it has a row of a part, is no fault: the part is
 * given back and the rest read it, with a note. One that fails with rows under
 * way ends all.
 */
#include <inttypes.h>
#include <sched.h>
#include <stdlib.h>

#include "crlpress/pool.h"
#include "run_collect.h"

/* What there is to do: every part, and then, perhaps, counting. */
static uint32_t
tasks(const struct readers *readers)
{
	return readers->parts.count +
	       (readers->parts.kind == SOURCE_SPLIT_STATEMENT);
}

/*
 * The next task; false: there is none. The first reader is the one that is
 * always there, so it waits until what others took is finished or given back.
 */
static bool
task_take(struct readers *readers, bool first, uint32_t *task)
{
	bool taken = first && !readers->begun;

	pthread_mutex_lock(&readers->mutex);
	if (taken) {
		readers->begun = true;
		*task = 0;
	}
	while (!taken && !atomic_load(&readers->run->stop_reading)) {
		if (readers->returned_count > 0) {
			*task = readers->returned[--readers->returned_count];
			taken = true;
			break;
		}
		if (readers->next + 1 < tasks(readers)) {
			*task = ++readers->next;
			taken = true;
			break;
		}
		if (!first || readers->finished == tasks(readers))
			break;
		pthread_cond_wait(&readers->changed, &readers->mutex);
	}
	pthread_mutex_unlock(&readers->mutex);
	return taken;
}

/* When nothing is left to do, those that still try to connect stop that. */
static void
task_finish(struct readers *readers)
{
	pthread_mutex_lock(&readers->mutex);
	if (++readers->finished == tasks(readers))
		atomic_store(&readers->run->stop_reading, true);
	pthread_cond_broadcast(&readers->changed);
	pthread_mutex_unlock(&readers->mutex);
}

/* At most one of each reader is given back. */
static void
task_return(struct readers *readers, uint32_t task)
{
	pthread_mutex_lock(&readers->mutex);
	readers->returned[readers->returned_count++] = task;
	pthread_cond_broadcast(&readers->changed);
	pthread_mutex_unlock(&readers->mutex);
}

/* The first to fail is the one that tells why. */
static void
call_off(struct readers *readers, const struct reader *reader)
{
	pthread_mutex_lock(&readers->mutex);
	if (!atomic_load(&readers->run->stop_reading))
		readers->failed = reader;
	atomic_store(&readers->run->stop_reading, true);
	pthread_cond_broadcast(&readers->changed);
	pthread_mutex_unlock(&readers->mutex);
}

static enum status
task_do(struct reader *reader, uint32_t task)
{
	struct readers *readers = reader->readers;
	int64_t lookback_sec = run_lookback(reader->run);
	enum status status;

	if (task == readers->parts.count)
		return source_count_rows(
		    reader->source, lookback_sec, &readers->counted);
	status = source_start_part(
	    reader->source, &readers->parts, task, lookback_sec);
	return status == STATUS_OK ? reader_read(reader) : status;
}

/* Whether another failed, so that the server works for nobody. */
static bool
was_called_off(const struct reader *reader)
{
	struct readers *readers = reader->readers;
	bool called_off;

	pthread_mutex_lock(&readers->mutex);
	called_off = readers->failed != NULL && readers->failed != reader;
	pthread_mutex_unlock(&readers->mutex);
	return called_off;
}

/* One that is not the first: the others do without. */
static void
reader_give_up(const struct reader *reader)
{
	const struct report *silent = reader->report;

	if (!atomic_load(&reader->run->stop_reading))
		report_note(reader->run->report, reader->run->config->name,
		    "rows are read by fewer connections: %s",
		    report_kept(silent) > 0 ? report_finding(silent, 0)->text
					    : "no reason given");
}

/* The first reader begins with the first part, so that it holds the locks of
 * whatever the statement reads. */
static void
reader_work(struct reader *reader)
{
	struct readers *readers = reader->readers;
	bool is_first = reader == &readers->reader[0];
	uint32_t task = 0;

	while (task_take(readers, is_first, &task)) {
		uint64_t before = reader->rows_read;
		enum status status = task_do(reader, task);

		if (status == STATUS_OK) {
			task_finish(readers);
			continue;
		}
		if (is_first || reader->rows_read != before) {
			call_off(readers, reader);
		} else {
			reader_give_up(reader);
			task_return(readers, task);
		}
		if (was_called_off(reader))
			source_cancel(reader->source);
		return;
	}
}

/*
 * The server sends 8 KiB at a time. Where it runs beside us, a reader that
 * wakes at each of them takes the processor from whoever sends; by this policy
 * it waits for its turn, and finds more. That it cannot be had costs only time.
 * A policy that somebody chose for the process stays.
 */
static bool
policy_batch(void)
{
	const struct sched_param none = {0};

	return sched_getscheduler(0) == SCHED_OTHER &&
	       sched_setscheduler(0, SCHED_BATCH, &none) == 0;
}

static void
policy_restore(bool was_changed)
{
	const struct sched_param none = {0};

	if (was_changed)
		(void)sched_setscheduler(0, SCHED_OTHER, &none);
}

/* By one thread for each reader. */
static void
read_beside(struct readers *readers, size_t i)
{
	struct reader *reader = &readers->reader[i];
	struct run *run = readers->run;

	if (i == 0) {
		reader_work(reader);
		return;
	}
	/* No more threads than one, say, and the first has read it all. */
	if (atomic_load(&run->stop_reading))
		return;
	if (run_connect_shared(run, &readers->share, reader->report,
		&reader->source) == STATUS_OK)
		reader_work(reader);
	else
		reader_give_up(reader);
	source_close(reader->source);
	reader->source = NULL;
}

static void
work(void *context, unsigned worker, size_t i)
{
	struct readers *readers = context;
	bool changed = policy_batch();

	(void)worker;
	read_beside(readers, i);
	policy_restore(changed);
}

/* Each row in exactly one part: where the statement says which, count them. */
static enum status
judge_count(const struct readers *readers)
{
	const struct run *run = readers->run;
	uint64_t read = 0;

	for (unsigned i = 0; i < readers->count; i++)
		read += readers->reader[i].rows_read;
	if (readers->parts.kind != SOURCE_SPLIT_STATEMENT ||
	    read == readers->counted)
		return STATUS_OK;
	report_fault(run->report, STATUS_REFUSED, run->config->query_file,
	    "parts", "BR 4.9.7",
	    "rows of all %" PRIu32 " parts, have %" PRIu64 ", want the %" PRIu64
	    " of the whole",
	    readers->parts.count, read, readers->counted);
	report_hint(run->report,
	    "every row has to be in exactly one part: a remainder may be "
	    "negative, and NULL is in none");
	return STATUS_REFUSED;
}

/* What one has to say is told: who failed first, or the run's own. */
static enum status
readers_judge(struct readers *readers)
{
	struct run *run = readers->run;
	const struct reader *who =
	    readers->failed != NULL ? readers->failed : &readers->reader[0];

	report_replay(who->report, run->report);
	if (readers->failed != NULL)
		return STATUS_FAILED;
	if (readers->finished != tasks(readers))
		return report_fault(run->report, STATUS_FAILED,
		    run->config->name, "parts", "house rule",
		    "parts that were read, have %" PRIu32 ", want %" PRIu32
		    "; this is a bug",
		    readers->finished, tasks(readers));
	return judge_count(readers);
}

/* All of them but the first, which there is, and what each says. */
static enum status
readers_init(struct readers *readers, unsigned count)
{
	enum status status = STATUS_OK;

	for (unsigned i = 0; status == STATUS_OK && i < count; i++) {
		struct reader *reader = &readers->reader[i];

		if (i > 0) {
			status = reader_init(reader, readers);
			readers->count++;
		}
		reader->report = report_new(NULL, SEVERITY_FAULT);
		if (reader->report == NULL)
			status = STATUS_NO_MEMORY;
	}
	if (status != STATUS_OK)
		report_fault(readers->run->report, status,
		    readers->run->config->name, NULL, NULL, "out of memory");
	return status;
}

static enum status
parts_read(struct readers *readers, unsigned count)
{
	struct run *run = readers->run;
	struct reader *first = &readers->reader[0];
	enum status status = source_share_export(run->source, &readers->share);

	if (status == STATUS_OK)
		status = readers_init(readers, count);
	if (status == STATUS_OK) {
		source_report_to(run->source, first->report);
		pool_run(count, count, work, readers);
		source_report_to(run->source, run->report);
		atomic_store(&run->stop_reading, false);
		status = readers_judge(readers);
	}
	/* What is said of them from now on, the run says. */
	for (unsigned i = 0; i < readers->count; i++) {
		if (readers->reader[i].report != run->report)
			report_free(readers->reader[i].report);
		readers->reader[i].report = run->report;
	}
	return status;
}

/* A thread each, as many as the options and the memory allow. */
static unsigned
connections_most(const struct run *run)
{
	return source_is_shared(run->source)
		   ? run_memory_readers(run, run_connections(run))
		   : 1;
}

enum status
readers_read(struct readers *readers)
{
	struct run *run = readers->run;
	unsigned most = connections_most(run);
	enum status status;

	status = source_parts_plan(run->source, &run->config->split, most,
	    run_lookback(run), &readers->parts);
	if (status != STATUS_OK)
		return status;
	readers->parts.recorded = run_recorded_wanted(run);
	if (readers->parts.count > 1)
		return parts_read(
		    readers, most < tasks(readers) ? most : tasks(readers));
	status = source_start_part(
	    run->source, &readers->parts, 0, run_lookback(run));
	return status == STATUS_OK ? reader_read(&readers->reader[0]) : status;
}
