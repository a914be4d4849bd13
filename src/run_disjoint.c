/* SPDX-License-Identifier: ISC */
/*
 * A serial with rows in two shards: a certificate names one of them, and
 * which one the rows do not agree on. Only a scheme that looks at more than
 * the serial can come to that.
 */
#include <inttypes.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "crlpress/disjoint.h"
#include "crlpress/pool.h"
#include "run_impl.h"

/* There is one issuer in a run. */
#define ISSUER 0

struct walk {
	struct run *run;
	struct disjoint *disjoint;
	struct row_arena *arena; /* of what is suspect */
	struct row_set suspect;  /* the shard's place in revoked_low */
	atomic_bool failed;      /* rows could not be read back */
};

/* Rows of one shard, as a worker looks at them. */
struct look {
	struct walk *walk;
	unsigned worker;
	size_t shard;
};

static enum status
add_rows(void *context, const struct row *row, size_t n)
{
	struct look *look = context;

	for (size_t i = 0; i < n; i++)
		disjoint_add(
		    look->walk->disjoint, look->worker, ISSUER, &row[i].serial);
	return STATUS_OK;
}

static void
add_shard(void *context, unsigned worker, size_t i)
{
	struct walk *walk = context;
	struct look look = {.walk = walk, .worker = worker};

	if (row_set_each(&walk->run->shard[i].rows, add_rows, &look) !=
	    STATUS_OK)
		atomic_store(&walk->failed, true);
}

static enum status
gather_rows(void *context, const struct row *row, size_t n)
{
	struct look *look = context;
	struct walk *walk = look->walk;
	enum status status = STATUS_OK;

	for (size_t i = 0; status == STATUS_OK && i < n; i++) {
		struct row copy = {.serial = row[i].serial,
		    .revoked_low = (uint32_t)look->shard};

		if (disjoint_suspects(walk->disjoint, ISSUER, &copy.serial))
			status =
			    row_set_append(walk->arena, &walk->suspect, &copy);
	}
	return status;
}

static enum status
gather_shard(struct walk *walk, size_t i)
{
	struct look look = {.walk = walk, .shard = i};

	return row_set_each(&walk->run->shard[i].rows, gather_rows, &look);
}

static void
refuse_pair(struct run *run, const struct uint160 *serial,
    struct run_shard *shard, const struct run_shard *other)
{
	struct gate_place place = run_shard_place(run, shard);
	char hex[UINT160_HEX_BYTES];

	if (gate_refuse(&place, GATE_DISJOINT,
		"serial %s has rows in shard %" PRIu32
		" too; its certificate names one of them",
		uint160_to_hex(serial, hex), other->index) != STATUS_OK)
		shard->rows_refused = true;
}

/* Rows of one serial stand together, those of one shard among them too. */
static void
refuse_pairs(struct run *run, const struct row *row, size_t n)
{
	for (size_t i = 1; i < n; i++) {
		struct run_shard *a = &run->shard[row[i - 1].revoked_low];
		struct run_shard *b = &run->shard[row[i].revoked_low];

		if (a == b ||
		    uint160_compare(&row[i - 1].serial, &row[i].serial) != 0)
			continue;
		refuse_pair(run, &row[i].serial, a, b);
		refuse_pair(run, &row[i].serial, b, a);
	}
}

static enum status
judge_suspects(struct walk *walk)
{
	enum status status = STATUS_OK;
	struct row *rows = NULL;
	size_t n;

	for (size_t i = 0; status == STATUS_OK && i < walk->run->shard_count;
	     i++)
		status = gather_shard(walk, i);
	n = (size_t)walk->suspect.count;
	if (status == STATUS_OK)
		rows = calloc(n * 2 + 1, sizeof(*rows));
	if (rows == NULL)
		return STATUS_NO_MEMORY;
	status = row_set_gather(&walk->suspect, rows);
	row_sort(rows, rows + n, n);
	refuse_pairs(walk->run, rows, n);
	free(rows);
	return status;
}

static enum status
walk_rounds(struct walk *walk)
{
	enum status status;
	size_t count = 0;

	do
		pool_run(walk->run->options->workers, walk->run->shard_count,
		    add_shard, walk);
	while (disjoint_next(walk->disjoint));
	status = atomic_load(&walk->failed)
		     ? STATUS_IO
		     : disjoint_count(walk->disjoint, &count);
	if (status == STATUS_OK && count > 0)
		status = judge_suspects(walk);
	return status;
}

enum status
run_gate_disjoint(struct run *run)
{
	struct walk walk = {.run = run};
	enum status status;

	if (run->config->shards.scheme == SHARD_SERIAL_MOD ||
	    run->shard_count < 2)
		return STATUS_OK;
	walk.arena = row_arena_new(NULL);
	status = walk.arena == NULL
		     ? STATUS_NO_MEMORY
		     : disjoint_new(run->options->workers, run->rows.read,
			   run_memory_disjoint(run), &walk.disjoint);
	if (status == STATUS_OK)
		status = walk_rounds(&walk);
	if (status != STATUS_OK)
		report_fault(run->report, status, run->config->name,
		    gate_name(GATE_DISJOINT), "house rule",
		    "cannot be judged: %s", run_memory_fault(run, status));
	disjoint_free(walk.disjoint);
	row_arena_free(walk.arena);
	return status;
}
