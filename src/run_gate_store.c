/* SPDX-License-Identifier: ISC */
/*
 * The gate store-known: whether the store has what was published. A file
 * system that is not mounted, a bucket of another name, an older copy: what was
 * published is still out there, and nothing here could be held against it.
 *
 * There are three witnesses. The state has the number of the last manifest and
 * of the last CRL of each shard that were put from here: of another host's it
 * knows nothing, and what is newer than that is fine. The manifest has a line
 * for each shard, also where there is no state.
 */
#include <inttypes.h>
#include <string.h>

#include "run_impl.h"

/* Shards beside those of a push that are asked for, when all of its own are
 * gone: one that is there tells enough. */
#define ELSEWHERE_MOST 8

/* The number that the store has of a shard, in it or in the manifest. */
static struct uint160
known_number(const struct run *run, const struct run_shard *shard)
{
	const struct manifest_shard *line =
	    manifest_find(&run->manifest, shard->index);
	struct uint160 number = {{0}};

	if (shard->has_previous)
		number = shard->previous_number;
	if (line != NULL && uint160_compare(&line->number, &number) > 0)
		number = line->number;
	return number;
}

/*
 * A push is not in the header of a manifest: a store that goes back to before
 * it is known by the shard. Where the manifest alone is as new as that, this
 * one object went back, and gate_known closes for its shard.
 */
static enum status
gate_puts(struct run *run, const struct state_puts *puts)
{
	char have[UINT160_DECIMAL_BYTES], want[UINT160_DECIMAL_BYTES];
	struct gate_place place = run_place(run);
	const struct run_shard *first = NULL;
	struct uint160 first_number = {{0}};
	enum status status;
	size_t count = 0;

	for (size_t i = 0; i < run->shard_count; i++) {
		const struct run_shard *shard = &run->shard[i];
		struct uint160 number = known_number(run, shard);
		const struct uint160 *put = state_puts_find(puts, shard->index);

		/* What cannot be read has closed its own gate, and stays. */
		if (put == NULL || shard->state == RUN_SHARD_WITHHELD ||
		    uint160_compare(&number, put) >= 0)
			continue;
		if (count++ > 0)
			continue;
		first = shard;
		first_number = number;
	}
	if (first == NULL)
		return STATUS_OK;
	status = gate_refuse(&place, GATE_STORE,
	    "%s is older than what was put there from here, of %zu shards, "
	    "have number %s of shard %" PRIu32 ", want %s",
	    store_name(run->store), count,
	    uint160_to_decimal(&first_number, have), first->index,
	    uint160_to_decimal(state_puts_find(puts, first->index), want));
	if (status != STATUS_OK)
		report_hint(run->report,
		    "it was restored from a backup, or is somebody else's "
		    "copy: put the newer objects back; where they are lost, "
		    "see that there are rows for all that ledger.jsonl in the "
		    "state directory tells since, then --pass %s",
		    gate_name(GATE_STORE));
	return status;
}

/* Whether a shard that a push is not about stands in the store. */
static enum status
look_elsewhere(struct run *run, bool *stands)
{
	size_t looked = 0;

	for (size_t i = 0; !*stands && looked < ELSEWHERE_MOST &&
			   i < run->manifest.shard_count;
	     i++) {
		const struct manifest_shard *line = &run->manifest.shard[i];
		struct store_object object = {0};
		struct store_flaw flaw = {.hint = NULL};
		enum status status;

		if (run_shard_find(run, line->index) != NULL)
			continue;
		looked++;
		status = store_look(run->store, line->key, &object, &flaw);
		store_object_free(&object);
		/* What cannot be read is there. */
		*stands = status == STATUS_OK || status == STATUS_UNREADABLE;
		if (!*stands && status != STATUS_NOT_FOUND)
			return status;
	}
	return STATUS_OK;
}

/*
 * One shard that is gone is made anew from its rows. All of them at once, and
 * the manifest still there, is another file system in their directory's place:
 * what was made there would be lost with it.
 */
static enum status
gate_all_gone(struct run *run)
{
	struct gate_place place = run_place(run);
	enum status status = STATUS_OK;
	bool stands = false;
	size_t gone = 0;

	for (size_t i = 0; i < run->shard_count; i++) {
		const struct run_shard *shard = &run->shard[i];
		const struct manifest_shard *line =
		    manifest_find(&run->manifest, shard->index);

		/* Under another key it was not looked for. */
		if (line == NULL || strcmp(line->key, shard->key) != 0)
			continue;
		gone += shard->is_gone && !shard->previous_passed;
		stands |= !shard->is_gone;
	}
	/* What is made again, somebody put a moment ago. */
	if (gone == 0 || stands || run->manifest.shard_count < 2 ||
	    run->is_again)
		return STATUS_OK;
	status = look_elsewhere(run, &stands);
	if (status != STATUS_OK || stands)
		return status;
	status = gate_refuse(&place, GATE_STORE,
	    "%s has the manifest and not one shard, want the %zu that it tells "
	    "of",
	    store_name(run->store), run->manifest.shard_count);
	if (status != STATUS_OK)
		report_hint(run->report,
		    "see that what they lie in is mounted, and that [shards] "
		    "object is what it was; where they are lost, --pass %s "
		    "makes them anew from the rows",
		    gate_name(GATE_STORE));
	return status;
}

/* Of the last manifest that was put from here. */
static enum status
gate_published(struct run *run)
{
	struct gate_place place = run_place(run);
	char text[UINT160_DECIMAL_BYTES];
	bool is_empty = true;

	if (run->has_manifest)
		return gate_refuse(&place, GATE_STORE,
		    "%s has an older manifest than was published from here, "
		    "want number %s",
		    store_name(run->store),
		    uint160_to_decimal(&run->published, text));
	for (size_t i = 0; i < run->shard_count; i++)
		is_empty = is_empty && !run->shard[i].has_previous;
	if (is_empty)
		return gate_refuse(&place, GATE_STORE,
		    "%s is empty, want what was published, up to number %s",
		    store_name(run->store),
		    uint160_to_decimal(&run->published, text));
	return gate_refuse(&place, GATE_STORE,
	    "%s has no manifest, which was published from here up to number "
	    "%s: what else is missing cannot be told",
	    store_name(run->store), uint160_to_decimal(&run->published, text));
}

enum status
run_gate_store(struct run *run, const struct state_puts *puts)
{
	enum status status;

	if (!uint160_is_zero(&run->published) &&
	    (!run->has_manifest ||
		uint160_compare(&run->manifest.number, &run->published) < 0))
		return gate_published(run);
	status = gate_puts(run, puts);
	return status == STATUS_OK ? gate_all_gone(run) : status;
}
