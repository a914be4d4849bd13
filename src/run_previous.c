/* SPDX-License-Identifier: ISC */
/* What is published of a shard before a run, and whether it can follow. */
#include <string.h>

#include "run_impl.h"

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

enum status
run_previous_read(struct run *run, struct run_shard *shard,
    struct store_object *object, struct crl *crl)
{
	struct gate_place place = run_shard_place(run, shard);
	struct crl_fault fault = {0};
	enum status status;

	shard->has_previous = false;
	memset(&shard->previous_version, 0, sizeof(shard->previous_version));
	memset(&shard->previous_number, 0, sizeof(shard->previous_number));
	status = store_get(run->store, shard->key, object);
	if (status != STATUS_OK)
		return status;
	shard->previous_version = object->version;
	status = crl_parse(object->data, object->len, crl, &fault);
	if (status == STATUS_OK)
		status = previous_facts(shard, crl, &fault);
	if (status == STATUS_OK)
		return STATUS_OK;
	store_object_free(object);
	/* It is read more than once; what was let pass is said once. */
	if (!shard->previous_passed &&
	    gate_refuse(&place, GATE_PREVIOUS,
		"%s is published but is no CRL, offset %zu: %s", shard->key,
		fault.offset, fault.text) != STATUS_OK)
		return STATUS_REFUSED;
	/* As if nothing were published, but replacing that. */
	shard->previous_passed = true;
	return STATUS_NOT_FOUND;
}

/*
 * A shard that cannot be read here is withheld, and its neighbours go on; so
 * the survey fails only for what stops them all.
 */
enum status
run_previous_survey(struct run *run)
{
	for (size_t i = 0; i < run->shard_count; i++) {
		struct run_shard *shard = &run->shard[i];
		struct store_object object = {0};
		struct crl crl;
		enum status status;

		status = run_previous_read(run, shard, &object, &crl);
		if (status == STATUS_OK)
			store_object_free(&object);
		else if (status == STATUS_REFUSED)
			shard->state = RUN_SHARD_WITHHELD;
		else if (status != STATUS_NOT_FOUND)
			return status;
	}
	return STATUS_OK;
}
