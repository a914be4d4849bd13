/* SPDX-License-Identifier: ISC */
/*
 * A bucket of S3, or of what speaks like it, as a store. A put replaces an
 * object at once and as a whole, on the condition that the version that was
 * judged still stands there; so readers see all of the old one or all of the
 * new one, and of two publishers one is told.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "store_s3_impl.h"

/* How often an object is fetched whose bytes are not what they should be. */
#define GET_TRIES 3

static enum status
open_fault(struct s3 *s3, const struct store_config *config, enum status status,
    const char *what)
{
	return report_fault(
	    s3->store.report, status, config->url, "store", NULL, "%s", what);
}

/* Region and endpoint make the place. */
static enum status
place_open(struct s3 *s3, const struct store_config *config)
{
	const struct store_remote *remote = config->remote;
	const char *region = remote->region;
	const char *why = s3_url_fault(config->url);
	enum status status;

	if (why != NULL)
		return open_fault(s3, config, STATUS_CONFIG, why);
	if (region == NULL) {
		status = credentials_region(s3->credentials, &region);
		if (status != STATUS_OK)
			return status;
	}
	if (region == NULL && remote->endpoint == NULL)
		return open_fault(s3, config, STATUS_CONFIG,
		    "no region, want [store] region or AWS_REGION");
	/* Stores that have no regions take Amazon's first. */
	if (region == NULL)
		region = "us-east-1";
	why = s3_region_fault(region);
	if (why == NULL && remote->endpoint != NULL)
		why = s3_endpoint_fault(remote->endpoint);
	if (why != NULL)
		return open_fault(s3, config, STATUS_CONFIG, why);
	(void)snprintf(s3->region, sizeof(s3->region), "%s", region);
	if (s3_place_make(config->url, remote->endpoint, region,
		remote->path_style, &s3->place, &why) != STATUS_OK)
		return open_fault(s3, config, STATUS_CONFIG, why);
	return STATUS_OK;
}

static enum status
clients_open(struct s3 *s3, const struct store_config *config)
{
	const struct store_remote *remote = config->remote;
	struct http_config http = {
	    .ca_file = remote->ca_file,
	    .connections = remote->connections,
	    .connect_timeout_sec = remote->connect_timeout_sec,
	    .stall_timeout_sec = remote->stall_timeout_sec,
	    .request_timeout_sec = remote->request_timeout_sec,
	    .http2 = remote->http2,
	    .cancelled = config->context->interrupted,
	};
	const char *(*environment)(const char *) = config->context->environment;
	enum status status;

	/* As users of AWS tools have it. */
	if (http.ca_file == NULL && environment != NULL)
		http.ca_file = environment("AWS_CA_BUNDLE");
	if (http.ca_file != NULL && http.ca_file[0] == '\0')
		http.ca_file = NULL;
	status = http_open(&http, s3->store.report, &s3->http);
	if (status != STATUS_OK || remote->read_back != STORE_READ_BACK_PUBLIC)
		return status;
	/* Whoever serves the public is judged as the public does. */
	http.ca_file = config->public_ca_file;
	return http_open(&http, s3->store.report, &s3->public);
}

static enum status
credentials_start(struct s3 *s3, const struct store_config *config)
{
	const struct credentials_config credentials = {
	    .profile = config->remote->profile,
	    .region = config->remote->region,
	    .ca_file = config->remote->ca_file,
	};

	return credentials_open(
	    config->context, &credentials, s3->store.report, &s3->credentials);
}

static enum status
memory_open(struct s3 *s3, const struct store_config *config)
{
	s3_cache_open(
	    &s3->cache, config->state_dir, config->remote->cache_bytes_most);
	if (config->state_dir == NULL)
		return STATUS_OK;
	s3->state_dir = strdup(config->state_dir);
	if (s3->state_dir == NULL)
		return open_fault(
		    s3, config, STATUS_NO_MEMORY, "out of memory");
	return STATUS_OK;
}

static void
s3_close(struct store *store)
{
	struct s3 *s3 = (struct s3 *)store;

	http_close(s3->http);
	http_close(s3->public);
	credentials_close(s3->credentials);
	s3_cache_close(&s3->cache);
	free(s3->state_dir);
	free(s3);
}

static enum status
s3_open(const struct store_config *config, struct report *report,
    struct store **store)
{
	const struct store_remote *remote = config->remote;
	struct s3 *s3 = calloc(1, sizeof(*s3));
	enum status status;

	if (s3 == NULL)
		return report_fault(report, STATUS_NO_MEMORY, config->url,
		    "store", NULL, "out of memory");
	s3->store.report = report;
	s3->store.connections = remote->connections;
	s3->context = config->context;
	s3->unconditional = remote->unconditional;
	s3->read_back = remote->read_back;
	s3->public_age_most_sec = remote->public_age_most_sec;
	s3->cache.dir = -1;
	s3->retry = (struct retry_policy){
	    .now_ms = config->context->monotonic_ms,
	    .random_bytes = config->context->random_bytes,
	    .sleep_ms = retry_sleep_ms,
	    .cancelled = config->context->interrupted,
	    .deadline_ms = remote->retry_deadline_sec * 1000,
	};
	atomic_init(&s3->form, S3_FORM_UNKNOWN);
	atomic_init(&s3->answers, 0);
	atomic_init(&s3->given_up, 0);
	atomic_init(&s3->dead, false);
	atomic_init(&s3->patience, false);
	status = credentials_start(s3, config);
	if (status == STATUS_OK)
		status = place_open(s3, config);
	if (status == STATUS_OK)
		status = clients_open(s3, config);
	if (status == STATUS_OK)
		status = memory_open(s3, config);
	if (status != STATUS_OK) {
		s3_close(&s3->store);
		return status;
	}
	*store = &s3->store;
	return STATUS_OK;
}

/*
 * The bytes of a 200. libcurl has seen that as many came as Content-Length
 * says; without it nothing tells whether they are all.
 */
static enum status
object_take(struct s3 *s3, const struct s3_request *request,
    struct s3_answer *answer, struct store_object *object)
{
	struct http_reply *reply = &answer->reply;

	if (http_reply_header(reply, "Content-Length") == NULL)
		return s3_fault(s3, request, NULL,
		    "a reply without Content-Length: whether it is whole "
		    "cannot be told");
	if (!s3_etag(answer, &object->version))
		return s3_fault(s3, request, NULL,
		    "a reply without a usable ETag: no version to hold a put "
		    "against");
	object->data = reply->body;
	object->len = reply->body_len;
	reply->body = NULL;
	reply->body_len = 0;
	return STATUS_OK;
}

/* How the bytes go with what the publisher said of them. */
enum bytes { BYTES_UNTOLD, BYTES_AGREE, BYTES_DIFFER };

static enum bytes
bytes_judge(const struct s3_answer *answer, const struct store_object *object)
{
	const char *text =
	    http_reply_header(&answer->reply, "x-amz-meta-sha256");
	struct hash want;
	struct hash have;

	if (text == NULL ||
	    hash_from_hex(text, strlen(text), &want) != STATUS_OK)
		return BYTES_UNTOLD;
	if (hash_bytes(object->data, object->len, &have) != STATUS_OK ||
	    memcmp(&have, &want, sizeof(have)) != 0)
		return BYTES_DIFFER;
	return BYTES_AGREE;
}

/* With `copy`, STATUS_DONE when that is what stands there. */
static enum status
get_once(struct s3 *s3, const char *key, uint64_t most,
    const struct s3_copy *copy, struct store_object *object, enum bytes *bytes,
    struct store_flaw *flaw)
{
	struct s3_request request = s3_request_make(HTTP_GET, key, "get it");
	struct s3_answer answer;
	enum status status;

	request.reply_most = most;
	request.flaw = flaw;
	if (copy != NULL)
		s3_header_add(
		    &request, "If-None-Match: \"%s\"", copy->version.text);
	status = s3_call(s3, &request, &answer);
	if (status != STATUS_OK)
		return status;
	if (answer.reply.code == 200)
		status = object_take(s3, &request, &answer, object);
	else if (answer.reply.code == 304 && copy != NULL)
		status = STATUS_DONE;
	else if (s3_is_missing(&request, &answer))
		status = STATUS_NOT_FOUND;
	else
		status = s3_refused(s3, &request, &answer);
	if (status == STATUS_OK && bytes != NULL)
		*bytes = bytes_judge(&answer, object);
	s3_answer_free(&answer);
	return status;
}

enum status
s3_fetch(
    struct s3 *s3, const char *key, uint64_t most, struct store_object *object)
{
	return get_once(s3, key, most, NULL, object, NULL, NULL);
}

/*
 * Fetches it, again when it was changed on its way. Bytes that stay other ones
 * than their publisher put are for the gates to judge; they are not kept.
 */
static enum status
get_whole(struct s3 *s3, const char *key, struct store_object *object,
    struct store_flaw *flaw)
{
	enum bytes bytes = BYTES_UNTOLD;
	enum status status;
	struct retry retry;

	retry_begin(&retry, &s3->retry);
	for (;;) {
		status = get_once(s3, key, STORE_OBJECT_BYTES_MOST, NULL,
		    object, &bytes, flaw);
		if (status != STATUS_OK || bytes != BYTES_DIFFER ||
		    retry.tries == GET_TRIES - 1 || !retry_wait(&retry, 0))
			break;
		store_object_free(object);
	}
	if (status == STATUS_OK && bytes == BYTES_DIFFER)
		store_warn(&s3->store, key,
		    "has not the bytes that its x-amz-meta-sha256 says");
	if (status == STATUS_OK && bytes == BYTES_AGREE)
		s3_cache_keep(&s3->cache, key, object);
	return status;
}

/* By way of a copy, if there is one of what stands there. */
static enum status
get_or_copy(struct s3 *s3, const char *key, const struct store_version *seen,
    struct store_object *object, struct store_flaw *flaw)
{
	struct s3_copy copy;
	enum status status;

	if (s3_cache_find(&s3->cache, key, &copy)) {
		enum bytes bytes = BYTES_UNTOLD;

		if (seen != NULL &&
		    strcmp(seen->text, copy.version.text) == 0 &&
		    s3_cache_read(&s3->cache, key, &copy, object))
			return STATUS_OK;
		status = get_once(s3, key, STORE_OBJECT_BYTES_MOST, &copy,
		    object, &bytes, flaw);
		if (status == STATUS_DONE &&
		    s3_cache_read(&s3->cache, key, &copy, object))
			return STATUS_OK;
		/* A copy that is damaged, or of what was replaced. */
		if (status == STATUS_DONE || status == STATUS_OK)
			s3_cache_drop(&s3->cache, key);
		if (status == STATUS_OK && bytes == BYTES_AGREE)
			s3_cache_keep(&s3->cache, key, object);
		if (status == STATUS_OK && bytes == BYTES_DIFFER)
			store_object_free(object);
		else if (status != STATUS_DONE)
			return status;
	}
	return get_whole(s3, key, object, flaw);
}

/*
 * What cannot be read may have a version even so: a HEAD tells it where a body
 * does not arrive, or is too large.
 */
static enum status
s3_get(struct store *store, const char *key, const struct store_version *seen,
    struct store_object *object, struct store_flaw *flaw)
{
	struct s3 *s3 = (struct s3 *)store;
	enum status status = get_or_copy(s3, key, seen, object, flaw);
	struct store_flaw ignored;

	if (status == STATUS_UNREADABLE &&
	    s3_version_now(s3, key, &object->version, &ignored) != STATUS_OK)
		object->version.text[0] = '\0';
	return status;
}

/* What a put answered is durable. */
static enum status
s3_sync(struct store *store)
{
	(void)store;
	return STATUS_OK;
}

/* A put that was cut off leaves nothing. */
static enum status
s3_sweep(struct store *store)
{
	struct s3 *s3 = (struct s3 *)store;

	if (s3->unconditional)
		report_warn(store->report, store->name, "store", NULL,
		    "unconditional = yes: the lock in the state directory is "
		    "now the only guard against another publisher");
	s3_memory_recall(s3);
	if (atomic_load(&s3->form) != S3_FORM_UNKNOWN)
		return s3_show_right(s3);
	return s3_probe(store);
}

const struct store_kind store_s3 = {.prefix = "s3://",
    .open = s3_open,
    .close = s3_close,
    .get = s3_get,
    .put = s3_put,
    .sync = s3_sync,
    .sweep = s3_sweep,
    .probe = s3_probe,
    .list = s3_list,
    .remove = s3_remove};
