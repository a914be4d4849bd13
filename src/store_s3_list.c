/* SPDX-License-Identifier: ISC */
/*
 * What a bucket has, page by page (ListObjectsV2); the removal of an object;
 * and that one might be put.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "crlpress/xml_read.h"

#include "store_s3_impl.h"

/* No object has this key; none is made by asking. */
#define RIGHT_KEY ".crlpress-right"

/* A listing under way. */
struct listing {
	struct s3 *s3;
	const char *prefix;
	const char *after;
	struct store_keys *keys;
	size_t page_keys; /* of this page, ours or not */
	bool more;
	char token[S3_TOKEN_BYTES];
	char text[S3_TOKEN_BYTES];
};

/* A key of the bucket, as the place has it; others are not ours. */
static enum status
take_key(void *context, const char *key)
{
	struct listing *listing = context;
	const char *own = listing->s3->place.prefix;
	size_t own_len = strlen(own);

	listing->page_keys++;
	if (strncmp(key, own, own_len) != 0)
		return STATUS_OK;
	key += own_len;
	if (strncmp(key, listing->prefix, strlen(listing->prefix)) != 0 ||
	    (listing->after != NULL && strcmp(key, listing->after) <= 0))
		return STATUS_OK;
	return store_keys_add(&listing->s3->store, listing->keys, key);
}

/* What stands once in a page, into listing->text. */
static enum status
take_text(void *context, const char *text)
{
	struct listing *listing = context;

	(void)snprintf(listing->text, sizeof(listing->text), "%s", text);
	return STATUS_DONE;
}

/* Empty when it is not there. */
static void
page_text(
    struct listing *listing, const struct http_reply *reply, const char *name)
{
	char room[S3_TOKEN_BYTES];

	listing->text[0] = '\0';
	if (xml_elements((const char *)reply->body, reply->body_len, name, room,
		sizeof(room), take_text, listing) != STATUS_DONE)
		listing->text[0] = '\0';
}

/* Half a list would look like objects that are gone: all of it, or a fault. */
static enum status
take_page(struct listing *listing, const struct http_reply *reply)
{
	struct store *store = &listing->s3->store;
	char key[S3_KEY_BYTES_MOST + 1];
	enum status status;

	listing->page_keys = 0;
	status = xml_elements((const char *)reply->body, reply->body_len, "Key",
	    key, sizeof(key), take_key, listing);
	if (status != STATUS_OK && status != STATUS_MALFORMED)
		return status;
	page_text(listing, reply, "IsTruncated");
	listing->more = strcmp(listing->text, "true") == 0;
	if (status == STATUS_MALFORMED ||
	    (!listing->more && strcmp(listing->text, "false") != 0))
		return store_fault(store, listing->prefix,
		    "cannot list it: the answer is no list of objects");
	if (!listing->more)
		return STATUS_OK;
	page_text(listing, reply, "NextContinuationToken");
	/* A store that has ever more of nothing would never end. */
	if (listing->text[0] == '\0' || listing->page_keys == 0)
		return store_fault(store, listing->prefix,
		    "cannot list it: a list that goes on nowhere");
	(void)memcpy(listing->token, listing->text, sizeof(listing->token));
	return STATUS_OK;
}

static enum status
list_page(struct listing *listing, bool first, char *url)
{
	struct s3_request request =
	    s3_request_make(HTTP_GET, listing->prefix, "list it");
	struct s3_answer answer;
	enum status status;

	if (s3_list_url(&listing->s3->place, listing->prefix,
		first ? NULL : listing->token, listing->after,
		url) != STATUS_OK)
		return store_fault(&listing->s3->store, listing->prefix,
		    "cannot list it: too long a prefix");
	request.bucket_url = url;
	request.reply_most = XML_LIST_BYTES_MOST;
	status = s3_call(listing->s3, &request, &answer);
	if (status != STATUS_OK)
		return status;
	if (answer.reply.code == 200)
		status = take_page(listing, &answer.reply);
	else
		status = s3_refused(listing->s3, &request, &answer);
	s3_answer_free(&answer);
	return status;
}

enum status
s3_list(struct store *store, const char *prefix, const char *after,
    struct store_keys *keys)
{
	struct listing listing = {.s3 = (struct s3 *)store,
	    .prefix = prefix,
	    .after = after,
	    .keys = keys};
	char *url = malloc(S3_LIST_URL_BYTES);
	enum status status = STATUS_OK;

	if (url == NULL)
		return store_fault(store, prefix, "out of memory");
	listing.more = true;
	for (size_t page = 0; status == STATUS_OK && listing.more; page++)
		status = page > STORE_KEYS_MOST
			     ? store_fault(store, prefix, "too long a list")
			     : list_page(&listing, page == 0, url);
	free(url);
	return status;
}

enum status
s3_remove(struct store *store, const char *key)
{
	struct s3 *s3 = (struct s3 *)store;
	struct s3_request request =
	    s3_request_make(HTTP_DELETE, key, "remove it");
	struct s3_answer answer;
	enum status status;

	request.reply_most = HTTP_ERROR_BYTES_MOST;
	s3_cache_drop(&s3->cache, key);
	status = s3_call(s3, &request, &answer);
	if (status != STATUS_OK)
		return status;
	if (answer.reply.code / 100 != 2 && !s3_is_missing(&request, &answer))
		status = s3_refused(s3, &request, &answer);
	s3_answer_free(&answer);
	return status;
}

enum status
s3_show_right(struct s3 *s3)
{
	static const struct store_version never = {
	    .text = "00000000000000000000000000000000"};
	struct s3_request request =
	    s3_request_make(HTTP_PUT, RIGHT_KEY, "put anything there");
	struct s3_answer answer;
	struct hash hash;
	enum status status;

	if (s3->unconditional)
		return STATUS_OK;
	if (hash_bytes(NULL, 0, &hash) != STATUS_OK)
		return STATUS_FAILED;
	(void)hash_to_hex(&hash, request.body_sha256);
	request.reply_most = HTTP_ERROR_BYTES_MOST;
	s3_condition_add(
	    &request, (enum s3_form)atomic_load(&s3->form), &never);
	status = s3_call(s3, &request, &answer);
	if (status != STATUS_OK)
		return status;
	if (answer.reply.code / 100 == 2)
		status = store_fault(&s3->store, NULL,
		    "takes a put whose condition does not hold, which it did "
		    "not when it was looked at");
	else if (answer.reply.code != 412 && !s3_is_missing(&request, &answer))
		status = s3_refused(s3, &request, &answer);
	s3_answer_free(&answer);
	return status;
}
