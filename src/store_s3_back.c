/* SPDX-License-Identifier: ISC */
/*
 * What was put is read back: what the store says of it always; its bytes, and
 * what its public URL serves, by option. A put that cannot be read back has
 * not been done, whatever was answered.
 */
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "crlpress/quantity.h"

#include "store_s3_impl.h"

/* A copy of the public URL is read up to twice what was put, and this. */
#define PUBLIC_BYTES_MORE (64ULL * 1024 * 1024)

/* Whether the text of a header is this number. */
static bool
is_number(const char *text, uint64_t number)
{
	const char *why;
	uint64_t value;

	return text != NULL &&
	       quantity_count(text, number, number, &value, &why) == STATUS_OK;
}

/* "application/pkix-crl", and parameters after it or not. */
static bool
is_type(const char *have, const char *want)
{
	size_t len = strcspn(want, ";");

	return have != NULL && strncasecmp(have, want, len) == 0 &&
	       (have[len] == '\0' || have[len] == ';' || have[len] == ' ');
}

static enum status
back_fault(struct s3 *s3, const struct store_upload *upload, const char *what,
    const char *have, const char *want)
{
	return store_fault(&s3->store, upload->key,
	    "reads back with another %s, have %s, want %s", what,
	    have == NULL ? "none" : have, want);
}

/* Of an object that is ours by its ETag. */
static enum status
facts_compare(struct s3 *s3, const struct store_upload *upload,
    const struct http_reply *reply)
{
	const char *size = http_reply_header(reply, "Content-Length");
	const char *sha256 = http_reply_header(reply, "x-amz-meta-sha256");
	const char *type = http_reply_header(reply, "Content-Type");
	char want[HASH_HEX_BYTES];

	if (!is_number(size, upload->size)) {
		(void)snprintf(want, sizeof(want), "%llu",
		    (unsigned long long)upload->size);
		return back_fault(s3, upload, "size", size, want);
	}
	(void)hash_to_hex(&upload->sha256, want);
	if (sha256 == NULL || strcmp(sha256, want) != 0)
		return back_fault(
		    s3, upload, "x-amz-meta-sha256", sha256, want);
	if (!is_type(type, upload->content_type))
		return back_fault(
		    s3, upload, "Content-Type", type, upload->content_type);
	return STATUS_OK;
}

/*
 * One look. STATUS_NOT_FOUND when the store does not show the put yet: it
 * shows nothing, or what was replaced.
 */
static enum status
look_once(struct s3 *s3, const struct store_upload *upload,
    const struct store_version *etag, struct store_version *now)
{
	struct s3_request request =
	    s3_request_make(HTTP_HEAD, upload->key, "read it back");
	const char *replaced = upload->replaces.text;
	char want[HASH_HEX_BYTES];
	struct s3_answer answer;
	const char *sha256;
	enum status status;
	bool ours;

	status = s3_call(s3, &request, &answer);
	if (status != STATUS_OK)
		return status;
	sha256 = http_reply_header(&answer.reply, "x-amz-meta-sha256");
	(void)hash_to_hex(&upload->sha256, want);
	if (s3_is_missing(&request, &answer)) {
		status = STATUS_NOT_FOUND;
	} else if (answer.reply.code != 200) {
		status = s3_refused(s3, &request, &answer);
	} else if (!s3_etag(&answer, now)) {
		status = store_fault(&s3->store, upload->key,
		    "reads back without a usable ETag");
	} else {
		/* A put that was answered without one goes by the hash. */
		ours = etag->text[0] != '\0'
			   ? strcmp(now->text, etag->text) == 0
			   : sha256 != NULL && strcmp(sha256, want) == 0;
		if (ours)
			status = facts_compare(s3, upload, &answer.reply);
		else
			status = strcmp(now->text, replaced) == 0
				     ? STATUS_NOT_FOUND
				     : STATUS_CONFLICT;
	}
	s3_answer_free(&answer);
	return status;
}

static enum status
bytes_compare(struct s3 *s3, const struct store_upload *upload)
{
	struct store_object object = {.data = NULL};
	struct hash hash;
	enum status status;

	status = s3_fetch(s3, upload->key, upload->size, &object);
	if (status == STATUS_NOT_FOUND)
		return STATUS_CONFLICT;
	if (status != STATUS_OK)
		return status;
	if (hash_bytes(object.data, object.len, &hash) != STATUS_OK ||
	    object.len != upload->size ||
	    memcmp(&hash, &upload->sha256, sizeof(hash)) != 0)
		status = store_fault(&s3->store, upload->key,
		    "what was put reads back as something else");
	store_object_free(&object);
	return status;
}

enum status
s3_read_back(struct s3 *s3, const struct store_upload *upload,
    const struct store_version *etag, struct store_version *now)
{
	enum status status;
	struct retry retry;

	retry_begin(&retry, &s3->retry);
	do
		status = look_once(s3, upload, etag, now);
	while (status == STATUS_NOT_FOUND && retry_wait(&retry, 0));
	if (status == STATUS_NOT_FOUND)
		return store_fault(&s3->store, upload->key,
		    "what was put does not read back: the store still shows "
		    "what was there before");
	if (status == STATUS_OK && s3->read_back != STORE_READ_BACK_HEAD)
		status = bytes_compare(s3, upload);
	return status;
}

static enum status
public_fault(struct s3 *s3, const struct store_upload *upload, const char *what,
    const char *have)
{
	(void)report_fault(s3->store.report, STATUS_PARTIAL, upload->public_url,
	    "public", NULL, "%s, have %s", what, have);
	report_hint(s3->store.report,
	    "the store has the new one; look at what serves this URL");
	return STATUS_PARTIAL;
}

/* RFC 9111, 5.1: another copy may still be served by a cache, for a while. */
static enum status
public_stale(struct s3 *s3, const struct store_upload *upload,
    const struct http_reply *reply)
{
	const char *age = http_reply_header(reply, "Age");
	char text[QUANTITY_DURATION_BYTES];
	char most[QUANTITY_DURATION_BYTES];
	const char *why;
	uint64_t sec = 0;

	if (age == NULL ||
	    quantity_count(age, 0, UINT32_MAX, &sec, &why) != STATUS_OK)
		return public_fault(s3, upload,
		    "serves something else than the store",
		    "no Age that could explain it");
	(void)quantity_duration_text((int64_t)sec, text);
	if ((int64_t)sec > s3->public_age_most_sec)
		return public_fault(
		    s3, upload, "serves a copy that is too old", text);
	report_warn(s3->store.report, upload->public_url, "public", NULL,
	    "serves a copy that is %s old; up to %s is let pass", text,
	    quantity_duration_text(s3->public_age_most_sec, most));
	return STATUS_OK;
}

enum status
s3_read_public(struct s3 *s3, const struct store_upload *upload)
{
	struct s3_request request =
	    s3_request_make(HTTP_GET, upload->key, "read it");
	struct s3_answer answer;
	const char *type;
	char code[24];
	struct hash hash;
	enum status status;

	request.public_url = upload->public_url;
	request.reply_most = 2 * upload->size + PUBLIC_BYTES_MORE;
	if (s3_call(s3, &request, &answer) != STATUS_OK)
		return STATUS_PARTIAL;
	type = http_reply_header(&answer.reply, "Content-Type");
	(void)snprintf(code, sizeof(code), "%d", answer.reply.code);
	if (answer.reply.code != 200)
		status =
		    public_fault(s3, upload, "does not answer with 200", code);
	else if (hash_bytes(answer.reply.body, answer.reply.body_len, &hash) !=
		     STATUS_OK ||
		 memcmp(&hash, &upload->sha256, sizeof(hash)) != 0)
		status = public_stale(s3, upload, &answer.reply);
	else if (!is_type(type, upload->content_type))
		status = public_fault(s3, upload, "serves another Content-Type",
		    type == NULL ? "none" : type);
	else
		status = STATUS_OK;
	s3_answer_free(&answer);
	return status;
}
