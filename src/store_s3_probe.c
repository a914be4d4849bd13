/* SPDX-License-Identifier: ISC */
/*
 * Whether a store does what a run relies on, shown with a scratch object: that
 * conditions hold, one after the other and when several try at once, that
 * metadata is kept, that what was put is what is read. Stores that speak S3
 * differ in this, and some take a condition and ignore it.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "crlpress/pool.h"

#include "store_s3_impl.h"

/* How many put at once to see whether one of them wins. */
#define RACERS 8

/* What is put: a word and a number. */
#define BODY_BYTES 48

struct probe {
	struct s3 *s3;
	char key[S3_SCRATCH_KEY_BYTES];
	enum s3_form form;
	struct store_version version; /* what stands there */
	unsigned bodies;              /* put so far; no two are the same */
	atomic_uint winners;
	atomic_bool broken;
};

/* One put of a probe. */
struct attempt {
	char body[BODY_BYTES];
	const struct store_version *replaces; /* NULL: no condition */
	enum s3_form form;
	struct store_upload upload;
	struct store_version etag; /* what it answered */
};

static enum status
attempt_make(struct probe *probe, unsigned number, struct attempt *attempt)
{
	int len = snprintf(attempt->body, sizeof(attempt->body),
	    "crlpress probe, object %u\n", number);

	attempt->etag.text[0] = '\0';
	attempt->upload = (struct store_upload){
	    .key = probe->key,
	    .size = len > 0 ? (uint64_t)len : 0,
	    .content_type = "application/pkix-crl",
	    .cache_control = "no-cache",
	};
	if (hash_bytes((const uint8_t *)attempt->body,
		(size_t)attempt->upload.size,
		&attempt->upload.sha256) != STATUS_OK)
		return store_fault(
		    &probe->s3->store, probe->key, "cannot hash a probe");
	return STATUS_OK;
}

/*
 * Puts. STATUS_CONFLICT when the condition failed, STATUS_MALFORMED when the
 * store does not know conditions.
 */
static enum status
attempt_put(struct probe *probe, struct attempt *attempt)
{
	struct s3_request request =
	    s3_request_make(HTTP_PUT, probe->key, "put it");
	struct s3_answer answer;
	enum status status;
	int code;

	request.body = attempt->body;
	request.body_len = attempt->upload.size;
	request.reply_most = HTTP_ERROR_BYTES_MOST;
	(void)hash_to_hex(&attempt->upload.sha256, request.body_sha256);
	s3_metadata_add(&request, &attempt->upload);
	if (attempt->replaces != NULL)
		s3_condition_add(&request, attempt->form, attempt->replaces);
	status = s3_call(probe->s3, &request, &answer);
	if (status != STATUS_OK)
		return status;
	code = answer.reply.code;
	if (code == 200 || code == 201 || code == 204)
		(void)s3_etag(&answer, &attempt->etag);
	else if (code == 412)
		status = STATUS_CONFLICT;
	else if (attempt->replaces != NULL &&
		 (code == 501 || strcmp(answer.code, "NotImplemented") == 0))
		status = STATUS_MALFORMED;
	else
		status = s3_refused(probe->s3, &request, &answer);
	s3_answer_free(&answer);
	return status;
}

static enum status
unfit(struct probe *probe, const char *what)
{
	enum status status = store_fault(&probe->s3->store, NULL,
	    "not fit for more than one publisher: %s", what);

	report_hint(probe->s3->store.report,
	    "[store] unconditional = yes uses it even so; then see to it that "
	    "nobody else publishes there");
	return status;
}

/* A put that must succeed, and what it must leave. */
static enum status
show_put(struct probe *probe, struct attempt *attempt)
{
	struct s3 *s3 = probe->s3;
	struct store_object object = {.data = NULL};
	struct store_version now;
	struct hash hash;
	enum status status = attempt_put(probe, attempt);

	if (status == STATUS_MALFORMED)
		return unfit(probe, "it knows no conditional puts");
	if (status != STATUS_OK)
		return status;
	attempt->upload.replaces = probe->version;
	status = s3_read_back(s3, &attempt->upload, &attempt->etag, &now);
	if (status == STATUS_OK)
		status =
		    s3_fetch(s3, probe->key, attempt->upload.size, &object);
	if (status == STATUS_NOT_FOUND || status == STATUS_CONFLICT)
		return store_fault(&s3->store, probe->key,
		    "what was put a moment ago is not there");
	if (status != STATUS_OK)
		return status;
	if (hash_bytes(object.data, object.len, &hash) != STATUS_OK ||
	    memcmp(&hash, &attempt->upload.sha256, sizeof(hash)) != 0 ||
	    strcmp(object.version.text, now.text) != 0)
		status = store_fault(&s3->store, probe->key,
		    "what was put a moment ago reads as something else");
	store_object_free(&object);
	probe->version = now;
	return status;
}

/* If-None-Match: * makes an object, and does not replace it. */
static enum status
show_create(struct probe *probe)
{
	static const struct store_version nothing = {.text = ""};
	struct attempt attempt = {.replaces = &nothing};
	enum status status;

	if (probe->s3->unconditional)
		attempt.replaces = NULL;
	status = attempt_make(probe, probe->bodies++, &attempt);
	if (status == STATUS_OK)
		status = show_put(probe, &attempt);
	if (status == STATUS_CONFLICT)
		return store_fault(&probe->s3->store, probe->key,
		    "If-None-Match fails where nothing is");
	if (status != STATUS_OK || probe->s3->unconditional)
		return status;
	status = attempt_make(probe, probe->bodies++, &attempt);
	if (status == STATUS_OK)
		status = attempt_put(probe, &attempt);
	if (status == STATUS_CONFLICT)
		return STATUS_OK;
	return status == STATUS_OK ? unfit(probe, "it ignores If-None-Match")
				   : status;
}

/* One form of If-Match: STATUS_CONFLICT when the store has another. */
static enum status
show_form(struct probe *probe, enum s3_form form)
{
	struct store_version before = probe->version;
	struct attempt attempt = {.replaces = &before, .form = form};
	enum status status = attempt_make(probe, probe->bodies++, &attempt);

	if (status == STATUS_OK)
		status = show_put(probe, &attempt);
	if (status != STATUS_OK)
		return status;
	/* And with a version that is gone. */
	status = attempt_make(probe, probe->bodies++, &attempt);
	if (status == STATUS_OK)
		status = attempt_put(probe, &attempt);
	if (status == STATUS_CONFLICT) {
		probe->form = form;
		return STATUS_OK;
	}
	return status == STATUS_OK ? unfit(probe, "it ignores If-Match")
				   : status;
}

static void
race_one(void *context, unsigned worker, size_t i)
{
	struct probe *probe = context;
	struct attempt attempt = {
	    .replaces = &probe->version, .form = probe->form};
	enum status status;

	(void)worker;
	status = attempt_make(probe, probe->bodies + (unsigned)i, &attempt);
	if (status == STATUS_OK)
		status = attempt_put(probe, &attempt);
	if (status == STATUS_OK)
		atomic_fetch_add(&probe->winners, 1);
	else if (status != STATUS_CONFLICT)
		atomic_store(&probe->broken, true);
}

/* Of several at once one wins; an answer may be lost, so none may say so. */
static enum status
show_race(struct probe *probe)
{
	pool_run(RACERS, RACERS, race_one, probe);
	if (atomic_load(&probe->broken))
		return STATUS_FAILED;
	if (atomic_load(&probe->winners) > 1)
		return unfit(probe, "of several puts at once with the same "
				    "condition more than one succeeds");
	return STATUS_OK;
}

static enum status
show_conditions(struct probe *probe)
{
	enum status status = show_form(probe, S3_FORM_QUOTED);

	if (status == STATUS_CONFLICT)
		status = show_form(probe, S3_FORM_PLAIN);
	if (status == STATUS_CONFLICT)
		return unfit(probe, "If-Match fails with the version that "
				    "stands there");
	return status == STATUS_OK ? show_race(probe) : status;
}

/* What cannot be removed is small; it is said when it was put just now. */
static void
scratch_remove(struct probe *probe, const char *key, bool told)
{
	struct s3_request request =
	    s3_request_make(HTTP_DELETE, key, "remove it");
	struct s3_answer answer;

	request.reply_most = HTTP_ERROR_BYTES_MOST;
	if (s3_call(probe->s3, &request, &answer) != STATUS_OK)
		return;
	if (told && answer.reply.code / 100 != 2 && answer.reply.code != 404)
		store_warn(&probe->s3->store, NULL,
		    "the scratch object %s is left there: removing it gives "
		    "%d %s",
		    key, answer.reply.code, answer.code);
	s3_answer_free(&answer);
}

/* All that is shown, and the end of the scratch object. */
static enum status
show(struct probe *probe, int scratch)
{
	char left[S3_SCRATCH_KEY_BYTES];
	enum status status;

	if (s3_scratch_left(probe->s3, scratch, left))
		scratch_remove(probe, left, false);
	s3_scratch_note(probe->s3, scratch, probe->key);
	status = show_create(probe);
	if (status == STATUS_OK && !probe->s3->unconditional)
		status = show_conditions(probe);
	/* Where a put was not let in there is nothing to remove. */
	if (probe->version.text[0] == '\0')
		return status;
	scratch_remove(probe, probe->key, true);
	s3_scratch_note(probe->s3, scratch, NULL);
	return status;
}

enum status
s3_probe(struct store *store)
{
	struct s3 *s3 = (struct s3 *)store;
	struct probe probe = {.s3 = s3, .form = S3_FORM_QUOTED};
	uint64_t random;
	enum status status;
	int scratch;

	s3_memory_forget(s3);
	atomic_init(&probe.winners, 0);
	atomic_init(&probe.broken, false);
	if (!s3->context->random_bytes(&random, sizeof(random)))
		return store_fault(
		    store, NULL, "the system has no randomness to give");
	(void)snprintf(probe.key, sizeof(probe.key),
	    S3_SCRATCH_PREFIX "%016" PRIx64, random);
	scratch = s3_scratch_open(s3);
	status = show(&probe, scratch);
	if (scratch >= 0)
		(void)close(scratch);
	if (status != STATUS_OK)
		return status;
	atomic_store(&s3->form, (int)probe.form);
	s3_memory_write(s3, probe.form);
	return STATUS_OK;
}
