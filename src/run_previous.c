/* SPDX-License-Identifier: ISC */
/* What is published of a shard before a run, and whether it can follow. */
#include <string.h>

#include "run_impl.h"

/*
 * What a dry run keeps of the store, at most: as much as some 30 million
 * entries have. Of what is beyond it reads again what may have been replaced
 * meanwhile, and its gates say so.
 */
#define PREVIOUS_KEPT_BYTES_MOST ((size_t)1 << 30)

/* RFC 5280, 5.2.3: a CRL of another program may have no number: 0. */
static enum status
previous_facts(
    struct run_shard *shard, const struct crl *crl, struct crl_fault *fault)
{
	enum status status = crl_number(crl, &shard->previous_number, fault);

	if (status == STATUS_NOT_FOUND)
		memset(
		    &shard->previous_number, 0, sizeof(shard->previous_number));
	else if (status != STATUS_OK)
		return status;
	shard->has_previous = true;
	shard->previous_this_update_sec = crl->this_update.sec;
	shard->previous_next_update_sec =
	    crl->has_next_update ? crl->next_update.sec : crl->this_update.sec;
	return STATUS_OK;
}

/*
 * RFC 5280, 5.2.3: numbers are an issuer's, and a CRL that it did not sign has
 * none of them. That is looked at where the number would matter, which is
 * hardly ever: the survey comes before the run's number is chosen.
 */
static void
judge_number(struct run *run, struct run_shard *shard, const struct crl *crl)
{
	char number[UINT160_DECIMAL_BYTES];
	const char *why = NULL;

	if (uint160_is_zero(&run->number) ||
	    uint160_compare(&shard->previous_number, &run->number) < 0 ||
	    issuer_verify(run->issuer, crl, &why) == STATUS_OK)
		return;
	/* It is read more than once, and this is said once. */
	if (!shard->previous_foreign) {
		report_warn(run->report, shard->object, "number-up",
		    "RFC 5280, 5.2.3",
		    "the crlNumber of %s, %s, does not count: %s", shard->key,
		    uint160_to_decimal(&shard->previous_number, number), why);
		report_hint(run->report,
		    "somebody else put it there: put the last CRL of the "
		    "issuer back, or take the object away and run again");
	}
	shard->previous_foreign = true;
	memset(&shard->previous_number, 0, sizeof(shard->previous_number));
}

/*
 * The object in the store. A dry run, which others publish beside, has it as
 * it was at the survey: before the snapshot was taken, and whole.
 */
static enum status
object_get(
    struct run *run, struct run_shard *shard, struct store_object *object)
{
	if (!run->previous_kept || shard->is_left)
		return store_get(run->store, shard->key, object);
	if (!shard->is_kept)
		return STATUS_NOT_FOUND;
	*object = shard->kept;
	shard->is_kept = false;
	return STATUS_OK;
}

/* What was read is not needed now; a dry run will want it once more. */
static void
object_return(
    struct run *run, struct run_shard *shard, struct store_object *object)
{
	/* Counted at the survey, which is one thread's. */
	if (!run->previous_kept) {
		shard->is_left =
		    object->len > PREVIOUS_KEPT_BYTES_MOST - run->kept_bytes;
		if (!shard->is_left)
			run->kept_bytes += object->len;
	}
	if (!run->options->dry_run || shard->is_left) {
		store_object_free(object);
		return;
	}
	shard->kept = *object;
	shard->is_kept = true;
}

/*
 * Nothing that could be read stands here; what the last manifest says stood
 * here was published, and clients may have it.
 */
static enum status
remember(struct run *run, struct run_shard *shard)
{
	const struct manifest_shard *line =
	    manifest_find(&run->manifest, shard->index);

	shard->is_gone = line != NULL;
	if (line == NULL)
		return STATUS_NOT_FOUND;
	shard->previous_number = line->number;
	shard->previous_this_update_sec = line->this_update_sec;
	shard->previous_next_update_sec = line->next_update_sec;
	return STATUS_NOT_FOUND;
}

enum status
run_previous_read(struct run *run, struct run_shard *shard,
    struct store_object *object, struct crl *crl)
{
	struct gate_place place = run_shard_place(run, shard);
	struct crl_fault fault = {0};
	enum status status;

	shard->has_previous = shard->is_gone = false;
	memset(&shard->previous_version, 0, sizeof(shard->previous_version));
	memset(&shard->previous_number, 0, sizeof(shard->previous_number));
	status = object_get(run, shard, object);
	if (status == STATUS_NOT_FOUND)
		return remember(run, shard);
	if (status != STATUS_OK)
		return status;
	shard->previous_version = object->version;
	status = crl_parse(object->data, object->len, crl, &fault);
	if (status == STATUS_OK)
		status = previous_facts(shard, crl, &fault);
	if (status == STATUS_OK) {
		judge_number(run, shard, crl);
		return STATUS_OK;
	}
	store_object_free(object);
	/* It is read more than once; what was let pass is said once. */
	if (!shard->previous_passed &&
	    gate_refuse(&place, GATE_PREVIOUS,
		"%s is published but is no CRL, offset %zu: %s", shard->key,
		fault.offset, fault.text) != STATUS_OK)
		return STATUS_REFUSED;
	/* As if nothing were published, but replacing that. */
	shard->previous_passed = true;
	return remember(run, shard);
}

enum status
run_previous_again(struct run *run, struct run_shard *shard)
{
	struct store_object object = {0};
	struct crl crl;
	enum status status = run_previous_read(run, shard, &object, &crl);

	if (status == STATUS_OK)
		object_return(run, shard, &object);
	return status;
}

/*
 * A shard that cannot be read here is withheld, and its neighbours go on; so
 * the survey fails only for what stops them all.
 */
enum status
run_previous_survey(struct run *run)
{
	for (size_t i = 0; i < run->shard_count; i++) {
		enum status status = run_previous_again(run, &run->shard[i]);

		if (status == STATUS_REFUSED)
			run->shard[i].state = RUN_SHARD_WITHHELD;
		else if (status != STATUS_OK && status != STATUS_NOT_FOUND)
			return status;
	}
	for (size_t i = 0; i < run->shard_count; i++)
		run->shard[i].surveyed_version = run->shard[i].previous_version;
	run->previous_kept = run->options->dry_run;
	return STATUS_OK;
}

void
run_previous_forget(struct run *run)
{
	for (size_t i = 0; i < run->shard_count; i++) {
		if (run->shard[i].is_kept)
			store_object_free(&run->shard[i].kept);
		run->shard[i].is_kept = false;
	}
}
