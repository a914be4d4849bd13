/* SPDX-License-Identifier: ISC */
/*
 * What a run may take of memory: the budget is that of all processes, and what
 * grows with the table is kept within it. Rows go to a scratch file beyond
 * their share; as many shards are made at a time as the rest allows. Not
 * counted is what grows with what changed since the last run.
 */
#include <inttypes.h>
#include <string.h>

#include "run_impl.h"

/* Programs, libraries, the signer, buffers of connections: measured 24 MiB. */
#define FIXED_BYTES (UINT64_C(32) << 20)

/* Rows get this part of what is left: writing and reading back what does not
 * fit costs little, and who makes shards wants the rest. */
#define ROWS_SHARE 4

/*
 * What a shard takes while it is made, for each entry: rows and room to sort
 * them, half as much again (96), then the TBS here and in the signer, the
 * staged file and the published one (40 each, with a reason in most). Each
 * session of the signer keeps its copy, but who signs takes the first that is
 * free: hardly more are ever used than shards are made at a time.
 */
#define MAKE_BYTES_AN_ENTRY UINT64_C(256)

static uint64_t
budget(const struct run *run)
{
	uint64_t all = run->config->memory_budget;

	return all > 2 * FIXED_BYTES ? all - FIXED_BYTES : FIXED_BYTES;
}

static uint64_t
rows_budget(const struct run *run)
{
	return budget(run) / ROWS_SHARE;
}

enum status
run_memory_open(struct run *run)
{
	/* Of each shard the rows, and those that were recorded of late. */
	uint64_t sets = 2 * (uint64_t)run->shard_count *
			run_memory_readers(run, run_connections(run));

	run->spill =
	    row_spill_new(run->config->state_dir, rows_budget(run), sets);
	run->arena = run->spill == NULL ? NULL : row_arena_new(run->spill);
	if (run->arena != NULL)
		return STATUS_OK;
	return report_fault(run->report, STATUS_NO_MEMORY, run->config->name,
	    NULL, NULL, "out of memory");
}

unsigned
run_memory_readers(const struct run *run, unsigned most)
{
	uint64_t sets = row_spill_sets_most(rows_budget(run)) / 2;
	uint64_t readers =
	    run->shard_count == 0 ? most : sets / run->shard_count;

	if (readers < 1)
		return 1;
	return readers < most ? (unsigned)readers : most;
}

unsigned
run_memory_workers(const struct run *run)
{
	uint64_t taken = row_spill_memory(run->spill);
	uint64_t have = taken < budget(run) ? budget(run) - taken : 0;
	uint64_t largest = 1;
	uint64_t workers;

	for (size_t i = 0; i < run->shard_count; i++) {
		const struct run_shard *shard = &run->shard[i];

		if (shard->rows.count > largest)
			largest = shard->rows.count;
		if (shard->previous_entries > largest)
			largest = shard->previous_entries;
	}
	workers = have / MAKE_BYTES_AN_ENTRY / largest;
	if (workers < 1)
		return 1;
	return workers < run->options->workers ? (unsigned)workers
					       : run->options->workers;
}

/* Half of the rest: no shard is made meanwhile, but rows are read back. */
uint64_t
run_memory_disjoint(const struct run *run)
{
	return (budget(run) - rows_budget(run)) / 2;
}

const char *
run_memory_fault(const struct run *run, enum status status)
{
	if (status == STATUS_IO && run->spill != NULL)
		return strerror(row_spill_error(run->spill));
	return "out of memory";
}

enum status
run_rows_sorted(struct run *run, const struct run_shard *shard,
    const struct row_set *set, struct row *rows, struct row *scratch)
{
	enum status status = row_set_gather(set, rows);

	if (status != STATUS_OK)
		return report_fault(run->report, status, shard->object, NULL,
		    NULL, "scratch file in %s: %s", run->config->state_dir,
		    run_memory_fault(run, status));
	row_sort(rows, scratch, (size_t)set->count);
	return STATUS_OK;
}
