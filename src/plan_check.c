/* SPDX-License-Identifier: ISC */
/*
 * The URLs of a plan asked as a relying party would: by HTTP, without a
 * credential, following nothing. What comes back is judged by the rules that
 * `verify` has.
 */
#include "crlpress/plan_check.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "crlpress/http.h"
#include "crlpress/issuer.h"
#include "crlpress/lint.h"
#include "crlpress/pool.h"
#include "crlpress/retry.h"
#include "crlpress/utc.h"

#define RULE "url"

/* A server that does not answer so often does not: people wait for this. */
#define CHECK_TRIES 3
#define CHECK_RETRY_SEC 60

/* RFC 5280, 4.2.1.13 and RFC 2585, 4.2. */
#define CONTENT_TYPE "application/pkix-crl"

struct check {
	const struct plan *plan;
	struct report *report;
	struct http *http;
	struct issuer *issuer;
	struct retry_policy retry;
	struct lint_context lint; /* all but the URL */
	struct plan_answers *answers;
};

static enum status
url_fault(struct check *check, const struct plan_answer *answer,
    const char *clause, const char *what)
{
	return report_fault(check->report, STATUS_FAULTY, answer->url, RULE,
	    clause, "%s", what);
}

static enum status
code_fault(struct check *check, const struct plan_answer *answer,
    const char *clause, const char *want)
{
	return report_fault(check->report, STATUS_FAULTY, answer->url, RULE,
	    clause, "the answer is %d, want %s", answer->code, want);
}

/*
 * Asked again only where that may heal, and not for long. What is larger than
 * was asked for is an answer, too: something is there.
 */
static enum status
ask(struct check *check, struct plan_answer *answer, uint64_t most,
    struct http_reply *reply)
{
	struct http_request request = {
	    .method = HTTP_GET, .url = answer->url, .reply_most = most};
	struct retry retry;
	bool heals;

	retry_begin(&retry, &check->retry);
	do {
		http_reply_free(reply);
		request.timeout_ms = retry_left_ms(&retry) + 1;
		(void)!http_call(check->http, &request, reply);
		heals = reply->outcome == HTTP_UNSENT ||
			reply->outcome == HTTP_UNANSWERED ||
			(reply->outcome == HTTP_ANSWERED &&
			    retry_code_heals(reply->code));
	} while (
	    heals && retry.tries < CHECK_TRIES - 1 && retry_wait(&retry, 0));
	answer->code = reply->code;
	if (reply->outcome == HTTP_ANSWERED)
		return STATUS_OK;
	if (reply->outcome == HTTP_TOO_LARGE && answer->beyond)
		return STATUS_OK;
	return report_fault(check->report, STATUS_FAULTY, answer->url, RULE,
	    "BR 4.9.7", "no answer: %s", reply->why);
}

static void
facts_take(struct plan_answer *answer, const struct crl *crl)
{
	struct crl_fault fault = {0};

	answer->parsed = true;
	answer->has_number =
	    crl_number(crl, &answer->number, &fault) == STATUS_OK;
	answer->this_update_sec = crl->this_update.sec;
	answer->has_next_update = crl->has_next_update;
	answer->next_update_sec = crl->next_update.sec;
}

/* Another type is told apart by some clients, and by most is not. */
static void
type_judge(struct check *check, const struct plan_answer *answer,
    const struct http_reply *reply)
{
	const char *type = http_reply_header(reply, "Content-Type");
	const size_t len = strlen(CONTENT_TYPE);

	if (type == NULL || strncasecmp(type, CONTENT_TYPE, len) != 0 ||
	    strchr("; ", type[len]) == NULL)
		report_warn(check->report, answer->url, RULE, "RFC 2585, 4.2",
		    "the Content-Type, have %s, want " CONTENT_TYPE,
		    type == NULL ? "none" : type);
	/* A client that asked for none may take the bytes as they come. */
	if (http_reply_header(reply, "Content-Encoding") != NULL)
		report_warn(check->report, answer->url, RULE,
		    "RFC 9110, 12.5.3",
		    "has a Content-Encoding, %s, that nobody asked for",
		    http_reply_header(reply, "Content-Encoding"));
}

static enum status
crl_judge(struct check *check, struct plan_answer *answer,
    const struct http_reply *reply)
{
	struct lint_context lint = check->lint;
	struct lint_result result = {0};
	struct crl_fault fault = {0};
	struct crl crl;
	enum status status;

	answer->size = reply->body_len;
	type_judge(check, answer, reply);
	if (crl_parse(reply->body, reply->body_len, &crl, &fault) != STATUS_OK)
		return report_fault(check->report, STATUS_FAULTY, answer->url,
		    fault.rule, fault.clause, "offset %zu: %s", fault.offset,
		    fault.text);
	facts_take(answer, &crl);
	lint.url = answer->url;
	status = lint_crl(&crl, &lint, answer->url, check->report, &result);
	answer->entries = result.entries;
	return status;
}

/* CCADB 6.2: each URL that is disclosed has a CRL. */
static enum status
ask_shard(struct check *check, struct plan_answer *answer)
{
	struct http_reply reply = {.code = 0};
	enum status status;

	status = ask(check, answer, 2 * check->lint.bytes_most, &reply);
	if (status == STATUS_OK && reply.code != 200)
		status = code_fault(check, answer, "BR 4.9.7", "200");
	else if (status == STATUS_OK)
		status = crl_judge(check, answer, &reply);
	http_reply_free(&reply);
	return status;
}

/* CCADB 6.2: all of an issuer's are disclosed, so there is not one more. */
static enum status
ask_beyond(struct check *check, struct plan_answer *answer)
{
	struct http_reply reply = {.code = 0};
	enum status status;

	status = ask(check, answer, HTTP_ERROR_BYTES_MOST, &reply);
	if (status != STATUS_OK || reply.code == 404 || reply.code == 410)
		;
	else if (reply.outcome == HTTP_TOO_LARGE || reply.code / 100 == 2)
		status = url_fault(check, answer, "CCADB 6.2",
		    "something is there, and no shard has this URL");
	else if (reply.code == 403)
		/* As S3 has it for whoever may not list the bucket. */
		report_warn(check->report, answer->url, RULE, "CCADB 6.2",
		    "the answer is 403: whether it is there cannot be told, "
		    "want 404 or 410");
	else
		status = code_fault(check, answer, "CCADB 6.2", "404 or 410");
	http_reply_free(&reply);
	return status;
}

static void
ask_one(void *context, unsigned worker, size_t i)
{
	struct check *check = context;
	struct plan_answer *answer = &check->answers->answer[i];

	(void)worker;
	answer->well = (answer->beyond ? ask_beyond(check, answer)
				       : ask_shard(check, answer)) == STATUS_OK;
}

static enum status
answer_add(struct check *check, uint32_t index, bool beyond)
{
	const struct config *config = check->plan->config;
	struct plan_answer *answer =
	    &check->answers->answer[check->answers->count];
	char url[SHARD_NAME_BYTES];
	const char *why = NULL;

	if (shard_expand(config->url_pattern, config->shards.count, index, url,
		sizeof(url), &why) != STATUS_OK)
		return report_fault(check->report, STATUS_CONFIG, config->name,
		    "config", NULL, "url of shard %" PRIu32 ": %s", index, why);
	answer->index = index;
	answer->beyond = beyond;
	answer->url = strdup(url);
	if (answer->url == NULL)
		return STATUS_NO_MEMORY;
	check->answers->count++;
	return STATUS_OK;
}

/* The shards, the one below the first, and the one behind the last. */
static enum status
answers_make(struct check *check)
{
	const struct config *config = check->plan->config;
	const struct shard_scheme_config *shards = &config->shards;
	/* A single CRL may have a URL without an index. */
	bool indexed = strchr(config->url_pattern, '{') != NULL;
	enum status status = STATUS_OK;

	check->answers->answer =
	    calloc((size_t)shards->count + 2, sizeof(*check->answers->answer));
	if (check->answers->answer == NULL)
		return STATUS_NO_MEMORY;
	if (indexed && shards->first > 0)
		status = answer_add(check, shards->first - 1, true);
	for (uint32_t n = 0; status == STATUS_OK && n < shards->count; n++)
		status = answer_add(check, shards->first + n, false);
	if (status == STATUS_OK && indexed)
		status = answer_add(check, shards->first + shards->count, true);
	return status;
}

static enum status
check_open(struct check *check, const struct context *context)
{
	const struct config *config = check->plan->config;
	const struct http_config http = {
	    .ca_file = config->public_ca_file,
	    .connections = config->remote.connections,
	    .connect_timeout_sec = config->remote.connect_timeout_sec,
	    .stall_timeout_sec = config->remote.stall_timeout_sec,
	    .request_timeout_sec = config->remote.request_timeout_sec,
	    .http2 = config->remote.http2,
	    .cancelled = context->interrupted,
	};
	enum status status;

	check->retry = (struct retry_policy){
	    .now_ms = context->monotonic_ms,
	    .random_bytes = context->random_bytes,
	    .sleep_ms = retry_sleep_ms,
	    .cancelled = context->interrupted,
	    .deadline_ms = CHECK_RETRY_SEC * 1000,
	};
	status =
	    issuer_load(config->certificate, check->report, &check->issuer);
	if (status != STATUS_OK)
		return status;
	check->lint = (struct lint_context){
	    .profile = config->profile,
	    .issuer = check->issuer,
	    .has_ocsp = config->has_ocsp,
	    .now_sec = context->clock_sec(),
	    .skew_sec = config->skew_sec,
	    .bytes_most = config->size_most,
	};
	return http_open(&http, check->report, &check->http);
}

enum status
plan_check(const struct plan *plan, const struct context *context,
    struct report *report, struct plan_answers *answers)
{
	struct check check = {
	    .plan = plan, .report = report, .answers = answers};
	enum status status;

	*answers = (struct plan_answers){.answer = NULL};
	status = check_open(&check, context);
	if (status == STATUS_OK)
		status = answers_make(&check);
	if (status == STATUS_OK)
		pool_run(plan->config->remote.connections, answers->count,
		    ask_one, &check);
	for (size_t i = 0; status == STATUS_OK && i < answers->count; i++)
		if (!answers->answer[i].well)
			status = STATUS_FAULTY;
	http_close(check.http);
	issuer_free(check.issuer);
	return status;
}

void
plan_answers_free(struct plan_answers *answers)
{
	if (answers == NULL)
		return;
	for (size_t i = 0; i < answers->count; i++)
		free(answers->answer[i].url);
	free(answers->answer);
	*answers = (struct plan_answers){.answer = NULL};
}

static const char *
verdict_of(const struct plan_answer *answer)
{
	if (!answer->well)
		return "FAULT";
	return answer->beyond ? "absent" : "ok";
}

void
plan_answers_print(const struct plan_answers *answers, FILE *stream)
{
	for (size_t i = 0; i < answers->count; i++) {
		const struct plan_answer *answer = &answers->answer[i];
		char number[UINT160_DECIMAL_BYTES] = "-";
		char next[UTC_ISO_BYTES] = "-";

		if (answer->has_number)
			(void)uint160_to_decimal(&answer->number, number);
		if (answer->has_next_update)
			(void)utc_to_iso(answer->next_update_sec, next);
		fprintf(stream, "  %-6s  %3d  %-10s  %-20s  %s\n",
		    verdict_of(answer), answer->code, number, next,
		    answer->url);
	}
}

static void
print_json(const struct plan_answer *answer, struct json *json)
{
	char number[UINT160_DECIMAL_BYTES];
	char iso[UTC_ISO_BYTES];

	json_open(json, NULL, '{');
	json_string(json, "url", answer->url);
	json_uint(json, "shard", answer->index);
	json_string(json, "want", answer->beyond ? "absent" : "crl");
	json_uint(json, "code", (uint64_t)answer->code);
	json_bool(json, "ok", answer->well);
	if (answer->has_number)
		json_string(json, "number",
		    uint160_to_decimal(&answer->number, number));
	if (answer->parsed) {
		json_string(json, "this_update",
		    utc_to_iso(answer->this_update_sec, iso));
		json_string(json, "next_update",
		    answer->has_next_update
			? utc_to_iso(answer->next_update_sec, iso)
			: NULL);
		json_uint(json, "entries", answer->entries);
		json_uint(json, "size", answer->size);
	}
	json_close(json, '}');
}

void
plan_answers_print_json(const struct plan_answers *answers, struct json *json)
{
	json_open(json, "answers", '[');
	for (size_t i = 0; i < answers->count; i++)
		print_json(&answers->answer[i], json);
	json_close(json, ']');
}
