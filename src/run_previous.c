/* SPDX-License-Identifier: ISC */
/* What is published of a shard before a run, and whether it can follow. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "crlpress/pool.h"
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
 * it was at the survey: before the snapshot was taken, and whole. Any other
 * run may take a copy of what it was at the survey for what stands there now,
 * since the put is on that condition.
 */
static enum status
object_get(struct run *run, struct run_shard *shard,
    struct store_object *object, struct store_flaw *flaw)
{
	if (run->previous_kept && !shard->is_left) {
		if (!shard->is_kept)
			return STATUS_NOT_FOUND;
		*object = shard->kept;
		shard->is_kept = false;
		return STATUS_OK;
	}
	if (run->surveyed)
		return store_look_again(run->store, shard->key,
		    &shard->surveyed_version, object, flaw);
	return store_look(run->store, shard->key, object, flaw);
}

static bool
room_take(struct run *run, size_t len)
{
	size_t before = atomic_fetch_add(&run->kept_bytes, len);

	if (before <= PREVIOUS_KEPT_BYTES_MOST &&
	    len <= PREVIOUS_KEPT_BYTES_MOST - before)
		return true;
	atomic_fetch_sub(&run->kept_bytes, len);
	return false;
}

/* What was read is not needed now; a dry run will want it once more. */
static void
object_return(
    struct run *run, struct run_shard *shard, struct store_object *object)
{
	if (run->options->dry_run && !run->previous_kept)
		shard->is_left = !room_take(run, object->len);
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

/* What is read of one object, before anything is said of it. */
struct look {
	enum status status; /* STATUS_MALFORMED: it is no CRL */
	struct store_flaw flaw;
	struct store_object object;
	struct crl crl;
	struct crl_fault fault;
};

/* Reads, parses and fills in; by one of several threads. */
static void
look_begin(struct run *run, struct run_shard *shard, struct look *look)
{
	shard->has_previous = shard->is_gone = false;
	memset(&shard->previous_version, 0, sizeof(shard->previous_version));
	memset(&shard->previous_number, 0, sizeof(shard->previous_number));
	look->flaw.what[0] = '\0';
	/* It was tried for long enough, and what stands there has a name. */
	look->status = STATUS_UNREADABLE;
	look->object =
	    (struct store_object){.version = shard->surveyed_version};
	if (!shard->previous_unread)
		look->status =
		    object_get(run, shard, &look->object, &look->flaw);
	shard->previous_version = look->object.version;
	if (look->status != STATUS_OK)
		return;
	memset(&look->fault, 0, sizeof(look->fault));
	look->status = crl_parse(
	    look->object.data, look->object.len, &look->crl, &look->fault);
	if (look->status == STATUS_OK)
		look->status = previous_facts(shard, &look->crl, &look->fault);
	if (look->status == STATUS_OK)
		return;
	look->status = STATUS_MALFORMED;
	store_object_free(&look->object);
}

static enum status
refuse_unread(
    struct run *run, struct run_shard *shard, const struct store_flaw *flaw)
{
	static const char format[] =
	    "what is published as %s cannot be read: %s";
	struct gate_place place = run_shard_place(run, shard);
	enum status status;

	/* What no put can replace is not let pass either. */
	if (flaw->in_the_way)
		place.passes = NULL;
	status =
	    gate_refuse(&place, GATE_PREVIOUS, format, shard->key, flaw->what);
	if (status == STATUS_OK)
		return STATUS_OK;
	if (flaw->hint != NULL)
		report_hint(run->report, "%s", flaw->hint);
	if (!flaw->in_the_way)
		report_hint(run->report,
		    "this shard alone waits; to replace what stands there by "
		    "what the rows say, --pass %s:%" PRIu32,
		    gate_name(GATE_PREVIOUS), shard->index);
	return status;
}

/*
 * What cannot be read or is no CRL closes its gate; let pass, it is as if
 * nothing were published, but for what the put replaces. That the shard is
 * withheld takes nothing from the number that it is known to have had.
 */
static enum status
look_refuse(struct run *run, struct run_shard *shard, const struct look *look)
{
	struct gate_place place = run_shard_place(run, shard);
	enum status status = STATUS_OK;

	/* It is read more than once; what was let pass is said once. */
	if (!shard->previous_passed && look->status == STATUS_UNREADABLE)
		status = refuse_unread(run, shard, &look->flaw);
	else if (!shard->previous_passed)
		status = gate_refuse(&place, GATE_PREVIOUS,
		    "%s is published but is no CRL, offset %zu: %s", shard->key,
		    look->fault.offset, look->fault.text);
	(void)!remember(run, shard);
	if (status != STATUS_OK) {
		shard->is_gone = false;
		return status;
	}
	shard->previous_passed = true;
	shard->previous_unread = look->status == STATUS_UNREADABLE;
	return STATUS_NOT_FOUND;
}

/* Says what there is to say; the order of the calls is that of the lines. */
static enum status
look_end(struct run *run, struct run_shard *shard, struct look *look)
{
	switch (look->status) {
	case STATUS_OK:
		judge_number(run, shard, &look->crl);
		return STATUS_OK;
	case STATUS_NOT_FOUND:
		return remember(run, shard);
	case STATUS_UNREADABLE:
	case STATUS_MALFORMED:
		return look_refuse(run, shard, look);
	default:
		return look->status;
	}
}

enum status
run_previous_read(struct run *run, struct run_shard *shard,
    struct store_object *object, struct crl *crl)
{
	struct look look;
	enum status status;

	look_begin(run, shard, &look);
	status = look_end(run, shard, &look);
	if (status != STATUS_OK)
		return status;
	*object = look.object;
	*crl = look.crl;
	return STATUS_OK;
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

/* Of all shards: how reading each of them ended. */
struct survey {
	struct run *run;
	struct look **look; /* of what is to be judged; NULL: nothing is */
	atomic_bool stopped;
	atomic_int status; /* why */
};

/* The whole run ends by it; it has been reported. */
static void
survey_stop(struct survey *survey, enum status status)
{
	if (!atomic_exchange(&survey->stopped, true))
		atomic_store(&survey->status, (int)status);
}

static void
survey_shard(void *context, unsigned worker, size_t i)
{
	struct survey *survey = context;
	struct run *run = survey->run;
	struct run_shard *shard = &run->shard[i];
	struct look look;

	(void)worker;
	if (atomic_load(&survey->stopped))
		return;
	if (run_is_interrupted(run)) {
		survey_stop(survey, STATUS_FAILED);
		return;
	}
	look_begin(run, shard, &look);
	if (look.status == STATUS_OK) {
		/* There is no number yet that this one's could be above. */
		object_return(run, shard, &look.object);
	} else if (look.status == STATUS_UNREADABLE ||
		   look.status == STATUS_MALFORMED) {
		survey->look[i] = malloc(sizeof(look));
		if (survey->look[i] != NULL)
			*survey->look[i] = look;
		else
			survey_stop(survey,
			    report_fault(run->report, STATUS_NO_MEMORY,
				shard->object, NULL, NULL, "out of memory"));
	} else if (look.status == STATUS_NOT_FOUND) {
		(void)!remember(run, shard);
	} else {
		survey_stop(survey, look.status);
	}
	progress_add(run->progress, 1);
}

/* In the order of the shards, whichever of them were read first. */
static enum status
survey_judge(struct survey *survey)
{
	struct run *run = survey->run;

	for (size_t i = 0; i < run->shard_count; i++) {
		struct run_shard *shard = &run->shard[i];

		if (survey->look[i] != NULL &&
		    look_end(run, shard, survey->look[i]) == STATUS_REFUSED)
			shard->state = RUN_SHARD_WITHHELD;
		free(survey->look[i]);
		shard->surveyed_version = shard->previous_version;
	}
	return STATUS_OK;
}

/*
 * A shard that cannot be read here is withheld, and its neighbours go on; so
 * the survey fails only for what stops them all.
 */
enum status
run_previous_survey(struct run *run)
{
	struct survey survey = {.run = run};
	enum status status;

	survey.look = calloc(run->shard_count + 1, sizeof(struct look *));
	if (survey.look == NULL)
		return report_fault(run->report, STATUS_NO_MEMORY,
		    run->config->name, NULL, NULL, "out of memory");
	atomic_init(&survey.stopped, false);
	atomic_init(&survey.status, STATUS_OK);
	progress_phase(
	    run->progress, "reading what is published", run->shard_count);
	pool_run(
	    run_store_workers(run), run->shard_count, survey_shard, &survey);
	progress_clear(run->progress);
	status = (enum status)atomic_load(&survey.status);
	if (status == STATUS_OK)
		status = survey_judge(&survey);
	else
		for (size_t i = 0; i < run->shard_count; i++)
			free(survey.look[i]);
	free(survey.look);
	run->surveyed = status == STATUS_OK;
	run->previous_kept = run->surveyed && run->options->dry_run;
	return status;
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
