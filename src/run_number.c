/* SPDX-License-Identifier: ISC */
/*
 * The number of a run. RFC 5280, 5.2.3: it is above every number of this
 * issuer that was published, and above every one that was ever given out. The
 * time in seconds, where that is higher, keeps it above those of a state
 * directory that was lost.
 *
 * What stands in the store counts only where the issuer signed it: anybody
 * who can write there could otherwise use up all numbers with one CRL. Nor
 * does a number that the issuer did sign, but after which hardly another one
 * fits below 2^159: it stops its own shard, by its gate, and no other.
 */
#include <inttypes.h>

#include "crlpress/work.h"
#include "run_impl.h"

/*
 * The octets of which the end of all numbers consists: with one run a second
 * 2^32 numbers last for more than a century, so that one above them was not
 * reached by counting.
 */
#define NUMBER_END_OCTETS 4

/* Below 2^56: what a count that began at the time in seconds can come to. */
#define COUNTED_OCTETS 7

/* Whether it is 2^159 - 2^32 or above. */
static bool
is_near_end(const struct uint160 *number)
{
	if (number->octet[0] != 0x7f)
		return false;
	for (size_t i = 1; i < UINT160_OCTETS - NUMBER_END_OCTETS; i++)
		if (number->octet[i] != 0xff)
			return false;
	return true;
}

/* BR 7.2.2: what follows is above it and below 2^159; the gate will close. */
static void
warn_near_end(struct run *run, const struct run_shard *shard)
{
	char number[UINT160_DECIMAL_BYTES];

	report_warn(run->report, shard->object, "number-up", "BR 7.2.2",
	    "the crlNumber of %s, %s, does not count: hardly one is left after "
	    "it below 2^159",
	    shard->key, uint160_to_decimal(&shard->previous_number, number));
	report_hint(run->report,
	    "the issuer's key signed it: find out where; then let a lower "
	    "number pass, --pass number-up:%" PRIu32,
	    shard->index);
}

/*
 * The number of a CRL that is gone, as the last manifest has it. A manifest is
 * not signed: one number in it must not use up all others, so that of those
 * only what counting can reach counts, and else the shard's gate closes.
 */
static enum status
remembered_number(struct run *run, const struct run_shard *shard)
{
	for (size_t i = 0; i < UINT160_OCTETS - COUNTED_OCTETS; i++)
		if (shard->previous_number.octet[i] != 0)
			return STATUS_OK;
	if (uint160_compare(&shard->previous_number, &run->number) < 0)
		return STATUS_OK;
	run->number = shard->previous_number;
	return uint160_next(&run->number);
}

/* A published number that would matter, looked at closely. */
static enum status
published_number(struct run *run, struct run_shard *shard)
{
	enum status status;

	/* What cannot be read had a number all the same. */
	if (shard->state == RUN_SHARD_WITHHELD)
		return remembered_number(run, shard);
	status = run_previous_again(run, shard);
	if (status == STATUS_REFUSED)
		shard->state = RUN_SHARD_WITHHELD;
	/* Withheld, or gone since: what is remembered is the manifest's. */
	if (status == STATUS_REFUSED || status == STATUS_NOT_FOUND)
		return remembered_number(run, shard);
	if (status != STATUS_OK ||
	    uint160_compare(&shard->previous_number, &run->number) < 0)
		return status;
	if (is_near_end(&shard->previous_number)) {
		warn_near_end(run, shard);
		return STATUS_OK;
	}
	run->number = shard->previous_number;
	return uint160_next(&run->number);
}

/*
 * A number that several hosts take theirs from: the database gives it out, and
 * the state directory here is told, which may have given it to a push.
 */
static enum status
take_shared(struct run *run)
{
	struct uint160 shared, taken;
	enum status status = work_number(run->work, &run->number, &shared);

	while (status == STATUS_OK) {
		status = state_number_take(run->state, &shared, &taken);
		if (status != STATUS_OK ||
		    uint160_compare(&shared, &taken) == 0)
			break;
		status = uint160_next(&taken);
		if (status == STATUS_OK)
			status = work_number(run->work, &taken, &shared);
	}
	if (status == STATUS_OK)
		run->number = shared;
	return status;
}

static enum status
take_number(struct run *run)
{
	struct uint160 given;
	enum status status = state_number(run->state, STATE_NUMBER, &given);

	if (status != STATUS_OK)
		return status;
	run->number = uint160_from_u64(
	    run->this_update_sec < 0 ? 0 : (uint64_t)run->this_update_sec);
	/* Where there is none after it, state_number_take says so. */
	if (uint160_next(&given) == STATUS_OK &&
	    uint160_compare(&given, &run->number) > 0)
		run->number = given;
	for (size_t i = 0; status == STATUS_OK && i < run->shard_count; i++)
		if (uint160_compare(
			&run->shard[i].previous_number, &run->number) >= 0)
			status = published_number(run, &run->shard[i]);
	if (status != STATUS_OK)
		return status;
	/* Written down before it is used: never two byte strings under one. */
	return run->work != NULL
		   ? take_shared(run)
		   : state_number_take(run->state, &run->number, &run->number);
}

enum status
run_choose_number(struct run *run)
{
	enum status status = take_number(run);

	/* One that was not taken is nobody's, and is not told. */
	if (status != STATUS_OK)
		run->number = (struct uint160){{0}};
	return status;
}
