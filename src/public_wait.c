/* SPDX-License-Identifier: ISC */
/*
 * The public URL of a shard, asked until it serves what was published. Every
 * answer is judged as a client judges it, by the issuer's signature and by
 * number, since a cache may have any older one, and its own error pages.
 */
#include "crlpress/public_wait.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "crlpress/crl_read.h"
#include "crlpress/http.h"
#include "crlpress/issuer.h"
#include "crlpress/pool.h"
#include "crlpress/quantity.h"

#define RULE "public"

/* Between two questions for one URL. Caches are told minutes, so that more
 * than this would find out nothing earlier. */
#define PAUSE_MSEC_FIRST 250
#define PAUSE_MSEC_MOST 10000

/* URLs asked at a time, once there are many shards. */
#define CONNECTIONS 8

/* A CRL from before a limit was set may be larger than it. */
#define BYTES_MOST_FACTOR 2

/* What was seen, as a text; a change of it is said. */
#define SEEN_BYTES 512

/* An entity tag that is longer is not sent back. */
#define ETAG_BYTES 256

struct wait_shard {
	struct run_published published;
	uint64_t wanted; /* serials that it is to list */
	bool done;
	bool answered; /* if by something else than what was published */
	char seen[SEEN_BYTES];
	char etag[ETAG_BYTES]; /* of the last answer, or "" */
};

struct waiting {
	const struct public_wait *wait;
	struct http *http;
	struct issuer *issuer;
	int64_t deadline_ms; /* of the monotonic clock */
	struct wait_shard *shard;
	size_t count;
};

static int64_t
left_ms(const struct waiting *waiting)
{
	return waiting->deadline_ms - waiting->wait->context->monotonic_ms();
}

static const struct run_asked *
asked_find(const struct public_wait *wait, const struct uint160 *serial)
{
	size_t low = 0, high = wait->asked_count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int order =
		    uint160_compare(&wait->asked[middle].serial, serial);

		if (order == 0)
			return &wait->asked[middle];
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return NULL;
}

/* How many of the serials stand there. */
static uint64_t
count_listed(const struct waiting *waiting, const struct wait_shard *shard,
    const struct crl *crl)
{
	struct crl_fault fault = {0};
	struct crl_entry entry;
	size_t position = 0;
	uint64_t count = 0;

	if (shard->wanted == 0)
		return 0;
	while (crl_entry_read(crl, &position, &entry, &fault) == STATUS_OK) {
		const struct run_asked *asked =
		    entry.serial_in_range
			? asked_find(waiting->wait, &entry.serial)
			: NULL;

		count +=
		    asked != NULL && asked->shard == shard->published.shard;
	}
	return count;
}

/* Judges a CRL; `text` says what it is, and the result whether it will do. */
static bool
crl_will_do(const struct waiting *waiting, const struct wait_shard *shard,
    const struct http_reply *reply, char *text)
{
	char have[UINT160_DECIMAL_BYTES], want[UINT160_DECIMAL_BYTES];
	struct crl_fault fault = {0};
	const char *why = NULL;
	struct uint160 number;
	uint64_t listed;
	struct crl crl;

	if (reply->body == NULL ||
	    crl_parse(reply->body, reply->body_len, &crl, &fault) !=
		STATUS_OK ||
	    crl_number(&crl, &number, &fault) != STATUS_OK) {
		snprintf(text, SEEN_BYTES, "serves no CRL with a number");
		return false;
	}
	if (issuer_verify(waiting->issuer, &crl, &why) != STATUS_OK) {
		snprintf(text, SEEN_BYTES,
		    "serves a CRL that is not the issuer's: %s", why);
		return false;
	}
	uint160_to_decimal(&number, have);
	uint160_to_decimal(&shard->published.number, want);
	if (uint160_compare(&number, &shard->published.number) < 0) {
		snprintf(text, SEEN_BYTES, "serves number %s, want at least %s",
		    have, want);
		return false;
	}
	listed = count_listed(waiting, shard, &crl);
	if (listed < shard->wanted) {
		snprintf(text, SEEN_BYTES,
		    "serves number %s, which lists %" PRIu64 " of %" PRIu64
		    " serials",
		    have, listed, shard->wanted);
		return false;
	}
	snprintf(text, SEEN_BYTES, "serves number %s", have);
	return true;
}

/* Says what is seen, where that is something new. */
static void
tell(const struct waiting *waiting, struct wait_shard *shard, const char *text,
    const struct http_reply *reply)
{
	const char *age = http_reply_header(reply, "Age");
	const char *why;
	uint64_t sec = 0;

	if (strcmp(text, shard->seen) == 0)
		return;
	snprintf(shard->seen, sizeof(shard->seen), "%s", text);
	if (waiting->wait->quiet)
		return;
	if (age != NULL &&
	    quantity_count(age, 0, UINT32_MAX, &sec, &why) == STATUS_OK)
		report_note(waiting->wait->report, shard->published.object,
		    "%s %s, Age %" PRIu64 " s", shard->published.url, text,
		    sec);
	else
		report_note(waiting->wait->report, shard->published.object,
		    "%s %s", shard->published.url, text);
}

/* Not having changed is the answer that a cache is asked for. */
static bool
answer_will_do(const struct waiting *waiting, struct wait_shard *shard,
    const struct http_reply *reply, char *text)
{
	const char *etag = http_reply_header(reply, "ETag");

	if (reply->code == 304 && shard->etag[0] != '\0') {
		snprintf(text, SEEN_BYTES, "%s", shard->seen);
		return false;
	}
	shard->etag[0] = '\0';
	if (reply->code != 200) {
		snprintf(
		    text, SEEN_BYTES, "answers with status %d", reply->code);
		return false;
	}
	if (etag != NULL && strlen(etag) < sizeof(shard->etag))
		snprintf(shard->etag, sizeof(shard->etag), "%s", etag);
	return crl_will_do(waiting, shard, reply, text);
}

static void
ask_shard(void *context, unsigned worker, size_t i)
{
	struct waiting *waiting = context;
	struct wait_shard *shard = &waiting->shard[i];
	char condition[ETAG_BYTES + 32];
	const char *const header[] = {condition};
	struct http_request request = {
	    .method = HTTP_GET,
	    .url = shard->published.url,
	    .header = header,
	    .header_count = shard->etag[0] != '\0',
	    .reply_most = BYTES_MOST_FACTOR * waiting->wait->config->size_most,
	    .timeout_ms = left_ms(waiting),
	};
	struct http_reply reply = {0};
	char text[SEEN_BYTES];

	(void)worker;
	if (shard->done || request.timeout_ms <= 0)
		return;
	snprintf(
	    condition, sizeof(condition), "If-None-Match: %s", shard->etag);
	if (http_call(waiting->http, &request, &reply) == STATUS_OK) {
		shard->answered = true;
		shard->done = answer_will_do(waiting, shard, &reply, text);
	} else {
		snprintf(text, sizeof(text), "gives no answer: %s", reply.why);
	}
	/* What the deadline cut off says nothing of the URL. */
	if (shard->done || shard->seen[0] == '\0' || left_ms(waiting) > 0)
		tell(waiting, shard, text, &reply);
	http_reply_free(&reply);
}

static size_t
count_left(const struct waiting *waiting)
{
	size_t left = 0;

	for (size_t i = 0; i < waiting->count; i++)
		left += !waiting->shard[i].done;
	return left;
}

static void
pause_msec(int64_t msec)
{
	const struct timespec pause = {.tv_sec = (time_t)(msec / 1000),
	    .tv_nsec = (long)(msec % 1000) * 1000000};

	(void)nanosleep(&pause, NULL);
}

static void
ask_all(struct waiting *waiting)
{
	int64_t msec = PAUSE_MSEC_FIRST;

	for (;;) {
		int64_t left;

		pool_run(CONNECTIONS, waiting->count, ask_shard, waiting);
		left = left_ms(waiting);
		if (count_left(waiting) == 0 || left <= 0)
			return;
		pause_msec(msec < left ? msec : left);
		msec = msec * 2 < PAUSE_MSEC_MOST ? msec * 2 : PAUSE_MSEC_MOST;
	}
}

static enum status
judge(const struct waiting *waiting, int64_t deadline_sec)
{
	enum status status = STATUS_OK;
	char limit[QUANTITY_DURATION_BYTES];
	bool answered = false;

	quantity_duration_text(deadline_sec, limit);
	for (size_t i = 0; i < waiting->count; i++) {
		const struct wait_shard *shard = &waiting->shard[i];

		if (shard->done)
			continue;
		answered = answered || shard->answered;
		status = report_fault(waiting->wait->report, STATUS_PARTIAL,
		    shard->published.object, RULE, NULL,
		    "it is published, but after %s %s still %s", limit,
		    shard->published.url,
		    shard->seen[0] != '\0' ? shard->seen : "gives no answer");
	}
	/* Where nobody answers no cache does. */
	if (answered)
		report_hint(waiting->wait->report,
		    "see what caches stand before the store, and how long they "
		    "keep an object");
	return status;
}

/* The shards, and what each is to list. */
static enum status
shards_take(struct waiting *waiting, const struct run *run)
{
	const struct public_wait *wait = waiting->wait;
	struct run_published published;
	size_t at = 0, n = 0;

	while (run_published_next(run, &at, &published))
		n++;
	waiting->shard = calloc(n + 1, sizeof(*waiting->shard));
	if (waiting->shard == NULL)
		return report_fault(wait->report, STATUS_NO_MEMORY,
		    wait->config->name, NULL, NULL, "out of memory");
	for (at = 0; run_published_next(run, &at, &published);)
		waiting->shard[waiting->count++].published = published;
	for (size_t i = 0; i < wait->asked_count; i++)
		for (size_t k = 0; k < waiting->count; k++)
			waiting->shard[k].wanted +=
			    waiting->shard[k].published.shard ==
				wait->asked[i].shard &&
			    wait->asked[i].listed;
	return STATUS_OK;
}

static enum status
client_open(struct waiting *waiting)
{
	const struct store_remote *remote = &waiting->wait->config->remote;
	struct http_config http = {
	    .ca_file = waiting->wait->config->public_ca_file,
	    .connections = CONNECTIONS,
	    .connect_timeout_sec = remote->connect_timeout_sec,
	    .stall_timeout_sec = remote->stall_timeout_sec,
	    .request_timeout_sec = remote->request_timeout_sec,
	    .http2 = remote->http2,
	};

	return http_open(&http, waiting->wait->report, &waiting->http);
}

enum status
public_wait(const struct public_wait *wait, const struct run *run)
{
	int64_t deadline_sec = wait->deadline_sec > 0 ? wait->deadline_sec
						      : PUBLIC_WAIT_SEC_DEFAULT;
	struct waiting waiting = {
	    .wait = wait,
	    .deadline_ms = wait->context->monotonic_ms() + deadline_sec * 1000,
	};
	enum status status = shards_take(&waiting, run);

	if (status == STATUS_OK && waiting.count > 0) {
		status = issuer_load(
		    wait->config->certificate, wait->report, &waiting.issuer);
		if (status == STATUS_OK)
			status = client_open(&waiting);
		if (status == STATUS_OK) {
			ask_all(&waiting);
			status = judge(&waiting, deadline_sec);
		} else {
			/* What is published is so. */
			status = STATUS_PARTIAL;
		}
	}
	http_close(waiting.http);
	issuer_free(waiting.issuer);
	free(waiting.shard);
	return status;
}
