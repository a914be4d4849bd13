/* SPDX-License-Identifier: ISC */
/*
 * A put into S3: on the condition that the version that was judged still
 * stands there (If-Match), or nothing (If-None-Match). An answer that was lost
 * may stand for a put that was done, so a condition that failed is no more
 * than a reason to look: bytes that are ours are success.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "crlpress/utc.h"

#include "store_s3_impl.h"

/* "Sun, 22 Nov 2026 08:30:00 GMT" and its NUL. */
#define HTTP_DATE_BYTES 40

/* A put under way. */
struct put {
	struct s3 *s3;
	const struct store_upload *upload;
	int fd;
	enum s3_form form;
	struct store_version etag; /* what the put answered, or empty */
	bool seen;                 /* the bytes were read, and are ours */
};

/* RFC 9110, 5.6.7. */
static void
http_date(int64_t sec, char out[HTTP_DATE_BYTES])
{
	static const char days[] = "ThuFriSatSunMonTueWed";
	static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
	struct utc_civil civil = utc_to_civil(sec);
	/* 1970-01-01 was a Thursday; `sec` is after that. */
	size_t day = (size_t)(sec / 86400 % 7);

	(void)snprintf(out, HTTP_DATE_BYTES,
	    "%.3s, %02d %.3s %04d %02d:%02d:%02d GMT", days + 3 * day,
	    civil.day % 100, months + (size_t)3 * (size_t)(civil.month - 1),
	    civil.year % 10000, civil.hour % 100, civil.minute % 100,
	    civil.second % 100);
}

void
s3_condition_add(struct s3_request *request, enum s3_form form,
    const struct store_version *replaces)
{
	const char *quote = form == S3_FORM_PLAIN ? "" : "\"";

	if (replaces->text[0] == '\0')
		s3_header_add(request, "If-None-Match: *");
	else
		s3_header_add(
		    request, "If-Match: %s%s%s", quote, replaces->text, quote);
}

void
s3_metadata_add(struct s3_request *request, const struct store_upload *upload)
{
	char number[UINT160_DECIMAL_BYTES];
	char iso[UTC_ISO_BYTES];
	char date[HTTP_DATE_BYTES];

	s3_header_add(request, "Content-Type: %s", upload->content_type);
	if (upload->content_encoding != NULL)
		s3_header_add(
		    request, "Content-Encoding: %s", upload->content_encoding);
	if (upload->cache_control != NULL)
		s3_header_add(
		    request, "Cache-Control: %s", upload->cache_control);
	if (upload->expires_sec > 0 && upload->expires_sec <= UTC_MAX_SEC) {
		http_date(upload->expires_sec, date);
		s3_header_add(request, "Expires: %s", date);
	}
	/* No name may be the beginning of another: libcurl signs them in the
	 * order of the lines then, not of the names. */
	s3_header_add(request, "x-amz-meta-sha256: %s", request->body_sha256);
	if (upload->number == NULL)
		return;
	uint160_to_decimal(upload->number, number);
	s3_header_add(request, "x-amz-meta-crl-number: %s", number);
	s3_header_add(request, "x-amz-meta-this-update: %s",
	    utc_to_iso(upload->this_update_sec, iso));
}

static enum status
file_fault(struct put *put, const char *what)
{
	return report_fault(put->s3->store.report, STATUS_FAILED,
	    put->upload->path, "store", NULL, "%s", what);
}

static enum status
file_open(struct put *put)
{
	struct stat st;

	put->fd = open(
	    put->upload->path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (put->fd < 0 || fstat(put->fd, &st) != 0)
		return file_fault(put, strerror(errno));
	if (!S_ISREG(st.st_mode) || (uint64_t)st.st_size != put->upload->size)
		return file_fault(put, "changed since it was staged");
	return STATUS_OK;
}

/* Sent, and what became of it cannot be told. */
static enum status
put_unknown(enum status status)
{
	return status == STATUS_FAILED ? STATUS_PARTIAL : status;
}

/*
 * STATUS_CONFLICT when the condition failed: 412, or 404 as Amazon has it when
 * what is to be replaced is gone.
 */
static enum status
put_send(struct put *put)
{
	const struct store_upload *upload = put->upload;
	struct s3_request request =
	    s3_request_make(HTTP_PUT, upload->key, "put it");
	struct s3_answer answer;
	enum status status;

	request.fd = put->fd;
	request.body_len = upload->size;
	request.reply_most = HTTP_ERROR_BYTES_MOST;
	(void)hash_to_hex(&upload->sha256, request.body_sha256);
	s3_metadata_add(&request, upload);
	if (!put->s3->unconditional)
		s3_condition_add(&request, put->form, &upload->replaces);
	status = s3_call(put->s3, &request, &answer);
	if (status != STATUS_OK)
		return put_unknown(status);
	if (answer.reply.code == 200 || answer.reply.code == 201 ||
	    answer.reply.code == 204)
		(void)s3_etag(&answer, &put->etag);
	else if (answer.reply.code == 412 || s3_is_missing(&request, &answer))
		status = STATUS_CONFLICT;
	else
		status = s3_refused(put->s3, &request, &answer);
	s3_answer_free(&answer);
	return status;
}

enum status
s3_version_now(struct s3 *s3, const char *key, struct store_version *version,
    struct store_flaw *flaw)
{
	struct s3_request request =
	    s3_request_make(HTTP_HEAD, key, "look at it");
	struct s3_answer answer;
	enum status status;

	version->text[0] = '\0';
	request.flaw = flaw;
	request.once = flaw != NULL;
	status = s3_call(s3, &request, &answer);
	if (status != STATUS_OK)
		return status;
	if (answer.reply.code == 200 && !s3_etag(&answer, version))
		status = s3_fault(
		    s3, &request, NULL, "a reply without a usable ETag");
	else if (answer.reply.code != 200 && !s3_is_missing(&request, &answer))
		status = s3_refused(s3, &request, &answer);
	s3_answer_free(&answer);
	return status;
}

/* What stands there are the bytes we came to put, or it is a conflict. */
static enum status
put_is_ours(struct put *put)
{
	const struct store_upload *upload = put->upload;
	struct store_object object = {.data = NULL};
	struct hash hash;
	enum status status;

	status =
	    s3_fetch(put->s3, upload->key, STORE_OBJECT_BYTES_MOST, &object);
	if (status == STATUS_NOT_FOUND)
		return STATUS_CONFLICT;
	if (status != STATUS_OK)
		return status;
	if (hash_bytes(object.data, object.len, &hash) != STATUS_OK)
		status =
		    store_fault(&put->s3->store, upload->key, "cannot hash it");
	else if (object.len != upload->size ||
		 memcmp(&hash, &upload->sha256, sizeof(hash)) != 0)
		status = STATUS_CONFLICT;
	put->seen = status == STATUS_OK;
	put->etag = object.version;
	store_object_free(&object);
	return status;
}

/* A condition failed: for the form of the ETag, or for somebody else. */
static enum status
put_contested(struct put *put)
{
	const struct store_version *replaces = &put->upload->replaces;
	struct store_version there;
	enum status status;

	/* Only a store that nobody probed: a form that is known is right. */
	if (put->form == S3_FORM_UNKNOWN && !put->s3->unconditional &&
	    replaces->text[0] != '\0') {
		status =
		    s3_version_now(put->s3, put->upload->key, &there, NULL);
		if (status != STATUS_OK)
			return status;
		if (strcmp(there.text, replaces->text) == 0) {
			put->form = S3_FORM_PLAIN;
			status = put_send(put);
			if (status == STATUS_OK)
				atomic_store(&put->s3->form, S3_FORM_PLAIN);
			if (status != STATUS_CONFLICT)
				return status;
		}
	}
	return put_is_ours(put);
}

/* Without conditions: looked at a moment before, which is no guard. */
static enum status
put_compare(struct put *put)
{
	struct store_version there;
	enum status status =
	    s3_version_now(put->s3, put->upload->key, &there, NULL);

	if (status != STATUS_OK)
		return status;
	return strcmp(there.text, put->upload->replaces.text) == 0
		   ? STATUS_OK
		   : STATUS_CONFLICT;
}

enum status
s3_put(struct store *store, const struct store_upload *upload,
    struct store_version *now)
{
	struct s3 *s3 = (struct s3 *)store;
	struct put put = {.s3 = s3,
	    .upload = upload,
	    .fd = -1,
	    .form = (enum s3_form)atomic_load(&s3->form)};
	struct store_version version;
	struct s3_copy copy = {.size = upload->size, .sha256 = upload->sha256};
	enum status status;

	s3_cache_drop(&s3->cache, upload->key);
	status = file_open(&put);
	if (status == STATUS_OK && s3->unconditional)
		status = put_compare(&put);
	if (status == STATUS_OK)
		status = put_send(&put);
	if (status == STATUS_CONFLICT)
		status = put_contested(&put);
	if (put.fd >= 0)
		(void)close(put.fd);
	version = put.etag;
	if (status == STATUS_OK && !put.seen)
		status =
		    put_unknown(s3_read_back(s3, upload, &put.etag, &version));
	if (status != STATUS_OK)
		return status;
	*now = copy.version = version;
	s3_cache_link(&s3->cache, upload->key, &copy, upload->path);
	if (s3->read_back != STORE_READ_BACK_PUBLIC ||
	    upload->public_url == NULL)
		return STATUS_OK;
	return s3_read_public(s3, upload);
}
