/* SPDX-License-Identifier: ISC */
/*
 * One request to the store until there is an answer: signed anew for each
 * try, with the same bytes; tried again where that may heal, up to a
 * deadline.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "crlpress/quantity.h"

#include "store_s3_impl.h"

/* After so many failed tries of a request it is said that it goes on. */
#define PATIENCE_TRIES 4

/* A moment's fault heals within this, however many were given up before. */
#define DEADLINE_LEAST_MS 10000

/* A store that answers at all does so within this. */
#define ANSWERING_MS 10000

struct s3_request
s3_request_make(enum http_method method, const char *key, const char *doing)
{
	return (struct s3_request){
	    .method = method, .key = key, .doing = doing, .fd = -1};
}

void
s3_header_add(struct s3_request *request, const char *format, ...)
{
	va_list args;
	int len;

	if (request->header_count == S3_HEADERS_MOST) {
		request->unfit = true;
		return;
	}
	va_start(args, format);
	len = vsnprintf(request->header[request->header_count], S3_HEADER_BYTES,
	    format, args);
	va_end(args);
	if (len > 0 && len < S3_HEADER_BYTES)
		request->header_count++;
	else
		request->unfit = true;
}

/* The request itself, with lines that point into `request`. */
static enum status
try_once(struct s3 *s3, const struct s3_request *request, const char *url,
    const struct http_signature *signature, int64_t left_ms,
    struct s3_answer *answer)
{
	const char *lines[S3_HEADERS_MOST];
	struct http_request http = {
	    .method = request->method,
	    .url = url,
	    .header = lines,
	    .header_count = request->header_count,
	    .body = request->body,
	    .body_len = request->fd < 0 ? (size_t)request->body_len : 0,
	    .has_body_fd = request->fd >= 0,
	    .body_fd = request->fd,
	    .body_fd_len = request->body_len,
	    .body_sha256 =
		request->body_sha256[0] != '\0' ? request->body_sha256 : NULL,
	    .signature = signature,
	    .reply_most = request->reply_most,
	    .timeout_ms = left_ms > 0 ? left_ms : 1,
	};
	enum status status;

	memset(answer, 0, sizeof(*answer));
	for (size_t i = 0; i < request->header_count; i++)
		lines[i] = request->header[i];
	status = http_call(request->public_url == NULL ? s3->http : s3->public,
	    &http, &answer->reply);
	if (status == STATUS_OK)
		s3_answer_read(answer);
	return status;
}

/* `*reported` when there are no credentials to sign with. */
static enum status
try_signed(struct s3 *s3, const struct s3_request *request, const char *url,
    int64_t left_ms, struct s3_answer *answer, struct credentials *credentials,
    bool *reported)
{
	struct http_signature signature = {
	    .key_id = credentials->key_id,
	    .secret = credentials->secret,
	    .region = s3->region,
	    .service = "s3",
	};
	enum status status;

	memset(answer, 0, sizeof(*answer));
	credentials_wipe(credentials);
	status = credentials_get(
	    s3->credentials, s3->context->clock_sec(), credentials);
	*reported = status != STATUS_OK;
	if (status != STATUS_OK)
		return status;
	if (credentials->session_token[0] != '\0')
		signature.session_token = credentials->session_token;
	return try_once(s3, request, url, &signature, left_ms, answer);
}

/*
 * Credentials that were taken away before their time are asked for anew, once;
 * true when there are others now.
 */
static bool
renews(struct s3 *s3, const struct s3_answer *answer,
    const struct credentials *refused, bool *renewed)
{
	static const char *const codes[] = {
	    "ExpiredToken", "InvalidToken", "InvalidAccessKeyId"};
	struct credentials now = {.key_id = ""};
	bool others = false;

	for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++)
		others = others || strcmp(answer->code, codes[i]) == 0;
	if (*renewed || !others)
		return false;
	*renewed = true;
	credentials_forget(s3->credentials, refused);
	others = credentials_get(s3->credentials, s3->context->clock_sec(),
		     &now) == STATUS_OK &&
		 (strcmp(now.key_id, refused->key_id) != 0 ||
		     strcmp(now.session_token, refused->session_token) != 0);
	credentials_wipe(&now);
	return others;
}

/* Once, so that a person who waits knows for what. */
static void
say_patience(struct s3 *s3, const struct s3_answer *answer, unsigned tries)
{
	char length[QUANTITY_DURATION_BYTES];
	char text[S3_TEXT_BYTES];

	if (tries < PATIENCE_TRIES || atomic_exchange(&s3->patience, true))
		return;
	s3_answer_text(answer, text);
	report_note(s3->store.report, s3->store.name,
	    "%s; trying again for up to %s", text,
	    quantity_duration_text(s3->retry.deadline_ms / 1000, length));
}

enum status
s3_fault(struct s3 *s3, const struct s3_request *request, const char *hint,
    const char *format, ...)
{
	char text[STORE_FLAW_BYTES];
	enum status status;
	va_list args;

	va_start(args, format);
	(void)vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	if (request->flaw != NULL)
		return store_flaw_set(request->flaw, hint, "%s", text);
	status = store_fault(&s3->store, request->key, "%s", text);
	if (hint != NULL)
		report_hint(s3->store.report, "%s", hint);
	return status;
}

/* Whether another object might get an answer. */
static bool
is_of_object(const struct s3 *s3, const struct s3_answer *answer)
{
	enum http_outcome outcome = answer->reply.outcome;

	return !atomic_load(&s3->dead) && outcome != HTTP_HOPELESS &&
	       outcome != HTTP_LOCAL && outcome != HTTP_CANCELLED;
}

/* The end of a request that got no answer. */
static enum status
gave_up(struct s3 *s3, const struct s3_request *request,
    const struct s3_answer *answer, unsigned tries)
{
	const struct http_reply *reply = &answer->reply;
	struct s3_request told = *request;
	char text[S3_TEXT_BYTES];
	const char *where = request->public_url;
	const char *hint = NULL;

	if (!is_of_object(s3, answer))
		told.flaw = NULL;
	if (reply->outcome == HTTP_HOPELESS && where == NULL)
		hint = "[store] endpoint and ca_file say whom to trust there";
	s3_answer_text(answer, text);
	return s3_fault(s3, &told, hint, "cannot %s%s%s: %s%s", request->doing,
	    where != NULL ? " from " : "", where != NULL ? where : "", text,
	    tries > 1 ? ", again and again" : "");
}

/* Whether the store has an answer to another question: is this name there? */
static bool
is_answering(struct s3 *s3)
{
	struct s3_request request =
	    s3_request_make(HTTP_HEAD, S3_SCRATCH_PREFIX "0", "look at it");
	struct credentials credentials = {.key_id = ""};
	struct s3_answer answer;
	char url[S3_URL_BYTES];
	bool reported = false;
	bool answering;
	int64_t least_ms;

	if (s3_object_url(&s3->place, request.key, url) != STATUS_OK)
		return false;
	answering = try_signed(s3, &request, url, ANSWERING_MS, &answer,
			&credentials, &reported) == STATUS_OK &&
		    !s3_answer_heals(&answer, &least_ms);
	s3_answer_free(&answer);
	credentials_wipe(&credentials);
	return answering;
}

/*
 * A store that answered nobody while one request was tried to its end is not
 * asked any more: a hundred shards would each wait as long again. One object
 * that cannot be read says nothing of the others, so that after it is read in
 * vain the store is asked for something else.
 */
static void
note_end(struct s3 *s3, const struct s3_request *request,
    const struct retry *retry, unsigned answers)
{
	atomic_fetch_add(&s3->given_up, 1);
	/* A single try may have ended for want of time to wait as asked. */
	if (retry->tries > 1 && atomic_load(&s3->answers) == answers &&
	    (request->flaw == NULL || !is_answering(s3)))
		atomic_store(&s3->dead, true);
}

/*
 * Until there is an answer. STATUS_FAILED when it was given up, with the last
 * answer; `*reported` when that is said already.
 */
static enum status
call_again(struct s3 *s3, const struct s3_request *request, const char *url,
    struct retry *retry, struct s3_answer *answer, bool *reported)
{
	struct credentials credentials = {.key_id = ""};
	unsigned answers = atomic_load(&s3->answers);
	bool renewed = false;
	enum status status;
	int64_t least_ms;

	for (;;) {
		int64_t left_ms = retry_left_ms(retry);

		status = request->public_url != NULL
			     ? try_once(s3, request, url, NULL, left_ms, answer)
			     : try_signed(s3, request, url, left_ms, answer,
				   &credentials, reported);
		if (*reported)
			break;
		if (renews(s3, answer, &credentials, &renewed)) {
			s3_answer_free(answer);
			continue;
		}
		if (!s3_answer_heals(answer, &least_ms))
			break;
		if (request->once) {
			status = STATUS_FAILED;
			break;
		}
		say_patience(s3, answer, retry->tries + 1);
		if (atomic_load(&s3->dead) || !retry_wait(retry, least_ms)) {
			if (request->public_url == NULL)
				note_end(s3, request, retry, answers);
			status = STATUS_FAILED;
			break;
		}
		s3_answer_free(answer);
	}
	credentials_wipe(&credentials);
	return status;
}

/*
 * What was waited for in vain all the time is not waited for as long with each
 * object anew.
 */
static int64_t
deadline_ms(struct s3 *s3)
{
	int64_t all_ms = s3->retry.deadline_ms;
	int64_t ms = all_ms / (1 + (int64_t)atomic_load(&s3->given_up));

	if (ms < DEADLINE_LEAST_MS)
		ms = DEADLINE_LEAST_MS;
	return ms < all_ms ? ms : all_ms;
}

static enum status
call_url(struct s3 *s3, const struct s3_request *request, const char *url,
    struct s3_answer *answer)
{
	struct retry_policy policy = s3->retry;
	bool reported = false;
	struct retry retry;
	enum status status;

	policy.deadline_ms = deadline_ms(s3);
	retry_begin(&retry, &policy);
	status = call_again(s3, request, url, &retry, answer, &reported);
	if (status == STATUS_OK) {
		if (request->public_url == NULL)
			atomic_fetch_add(&s3->answers, 1);
		return STATUS_OK;
	}
	if (!reported &&
	    gave_up(s3, request, answer, retry.tries) == STATUS_UNREADABLE)
		status = STATUS_UNREADABLE;
	s3_answer_free(answer);
	return status;
}

enum status
s3_call(
    struct s3 *s3, const struct s3_request *request, struct s3_answer *answer)
{
	char url[S3_URL_BYTES];

	memset(answer, 0, sizeof(*answer));
	/* Without one of its headers, a condition say, it is another one. */
	if (request->unfit)
		return store_fault(&s3->store, request->key,
		    "cannot %s: a header is too long", request->doing);
	if (request->public_url != NULL)
		return call_url(s3, request, request->public_url, answer);
	if (request->bucket_url == NULL &&
	    s3_object_url(&s3->place, request->key, url) != STATUS_OK)
		return store_fault(&s3->store, request->key,
		    "too long a key, want at most %d bytes with the prefix",
		    S3_KEY_BYTES_MOST);
	if (s3->retry.cancelled != NULL && s3->retry.cancelled())
		return store_fault(&s3->store, request->key,
		    "cannot %s: interrupted", request->doing);
	if (atomic_load(&s3->dead))
		return store_fault(&s3->store, request->key,
		    "not tried to %s: the store does not answer any more",
		    request->doing);
	return call_url(s3, request,
	    request->bucket_url != NULL ? request->bucket_url : url, answer);
}
