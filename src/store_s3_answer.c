/* SPDX-License-Identifier: ISC */
/*
 * What an answer of the store says: errors by their codes, whether they may
 * heal and what to do about them; versions; and that something is missing.
 */
#include <stdio.h>
#include <string.h>

#include "crlpress/xml_read.h"

#include "store_s3_impl.h"

/* Codes of errors that S3 and those like it send, and what they call for. */
enum s3_error_kind {
	ERROR_HEALS,
	ERROR_OF_ONE, /* another object may get another answer */
	ERROR_OF_ALL,
};

struct s3_error {
	const char *code;
	enum s3_error_kind kind;
	const char *hint;
};

static const struct s3_error errors[] = {
    {"RequestTimeout", ERROR_HEALS, NULL},
    {"IncompleteBody", ERROR_HEALS, NULL},
    {"ConditionalRequestConflict", ERROR_HEALS, NULL},
    {"OperationAborted", ERROR_HEALS, NULL},
    {"SlowDown", ERROR_HEALS, NULL},
    {"ServiceUnavailable", ERROR_HEALS, NULL},
    {"InternalError", ERROR_HEALS, NULL},
    {"AccessDenied", ERROR_OF_ONE,
	"the key needs s3:GetObject and s3:PutObject on the objects, and "
	"s3:ListBucket on the bucket: without that a missing object looks "
	"like a refusal"},
    {"InvalidAccessKeyId", ERROR_OF_ALL, "the store does not know this key id"},
    {"SignatureDoesNotMatch", ERROR_OF_ALL,
	"the secret is not the one of this key id, or something between "
	"changes the request"},
    {"RequestTimeTooSkewed", ERROR_OF_ALL, "set the clock of this host"},
    {"ExpiredToken", ERROR_OF_ALL, "the credentials have expired"},
    {"InvalidToken", ERROR_OF_ALL, "the session token is not valid"},
    {"NoSuchBucket", ERROR_OF_ALL, "make the bucket, or correct [store] url"},
    {"InvalidBucketName", ERROR_OF_ALL, "correct [store] url"},
    {"PermanentRedirect", ERROR_OF_ALL, "correct [store] region or endpoint"},
    {"TemporaryRedirect", ERROR_OF_ALL, "the bucket is new; try again later"},
    {"AuthorizationHeaderMalformed", ERROR_OF_ALL, "correct [store] region"},
    {"QuotaExceeded", ERROR_OF_ONE,
	"free some space there, or raise the quota"},
    {"EntityTooLarge", ERROR_OF_ONE, NULL},
    {"NotImplemented", ERROR_OF_ONE,
	"a store without conditional puts wants [store] unconditional = yes"},
    {"XAmzContentSHA256Mismatch", ERROR_OF_ONE,
	"the bytes changed on their way, or since they were judged"},
    {"BadDigest", ERROR_OF_ONE,
	"the bytes changed on their way, or since they were judged"},
};

static const struct s3_error *
error_find(const char *code)
{
	for (size_t i = 0; i < sizeof(errors) / sizeof(errors[0]); i++)
		if (strcmp(errors[i].code, code) == 0)
			return &errors[i];
	return NULL;
}

/* A proxy's page of HTML says nothing. */
void
s3_answer_read(struct s3_answer *answer)
{
	const struct http_reply *reply = &answer->reply;
	const char *text = (const char *)reply->body;
	const char *region = http_reply_header(reply, "x-amz-bucket-region");

	if (reply->code / 100 == 2)
		return;
	if (reply->body_len > 0) {
		(void)!xml_element(text, reply->body_len, "Code", answer->code,
		    sizeof(answer->code));
		(void)!xml_element(text, reply->body_len, "Message",
		    answer->message, sizeof(answer->message));
		(void)!xml_element(text, reply->body_len, "Region",
		    answer->region, sizeof(answer->region));
	}
	if (region != NULL)
		(void)snprintf(
		    answer->region, sizeof(answer->region), "%s", region);
}

bool
s3_answer_heals(const struct s3_answer *answer, int64_t *least_ms)
{
	const struct http_reply *reply = &answer->reply;
	const struct s3_error *error = error_find(answer->code);

	*least_ms = 0;
	switch (reply->outcome) {
	case HTTP_UNSENT:
	case HTTP_UNANSWERED:
		return true;
	case HTTP_ANSWERED:
		*least_ms =
		    retry_after_ms(http_reply_header(reply, "Retry-After"));
		return retry_code_heals(reply->code) ||
		       (error != NULL && error->kind == ERROR_HEALS);
	case HTTP_TOO_LARGE:
	case HTTP_HOPELESS:
	case HTTP_LOCAL:
	case HTTP_CANCELLED:
		break;
	}
	return false;
}

void
s3_answer_text(const struct s3_answer *answer, char text[S3_TEXT_BYTES])
{
	const struct http_reply *reply = &answer->reply;
	bool told = answer->code[0] != '\0' && error_find(answer->code) == NULL;

	if (reply->outcome != HTTP_ANSWERED)
		(void)snprintf(text, S3_TEXT_BYTES, "%s", reply->why);
	else
		(void)snprintf(text, S3_TEXT_BYTES, "the answer is %d%s%s%s%s",
		    reply->code, answer->code[0] != '\0' ? " " : "",
		    answer->code, told && answer->message[0] ? ": " : "",
		    told ? answer->message : "");
}

enum status
s3_refused(struct s3 *s3, const struct s3_request *request,
    const struct s3_answer *answer)
{
	const struct s3_error *error = error_find(answer->code);
	const struct http_reply *reply = &answer->reply;
	struct s3_request told = *request;
	const char *hint = error == NULL ? NULL : error->hint;
	bool elsewhere = answer->region[0] != '\0' &&
			 strcmp(answer->region, s3->region) != 0;
	char text[S3_TEXT_BYTES];
	enum status status;

	if (hint == NULL && reply->code == 403 && request->method == HTTP_HEAD)
		hint = error_find("AccessDenied")->hint;
	else if (hint == NULL && reply->code / 100 == 3)
		hint = "redirects are not followed: correct [store] endpoint";
	if (elsewhere || (error != NULL && error->kind == ERROR_OF_ALL))
		told.flaw = NULL;
	s3_answer_text(answer, text);
	status = s3_fault(s3, &told, elsewhere ? NULL : hint, "cannot %s: %s",
	    request->doing, text);
	if (elsewhere)
		report_hint(s3->store.report,
		    "the store says region %s, [store] region is %s",
		    answer->region, s3->region);
	return status;
}

bool
s3_is_missing(const struct s3_request *request, const struct s3_answer *answer)
{
	if (answer->reply.code != 404)
		return false;
	/* No body comes with HEAD; one that comes must be the store's. */
	return request->method == HTTP_HEAD ||
	       strcmp(answer->code, "NoSuchKey") == 0;
}

bool
s3_etag(const struct s3_answer *answer, struct store_version *version)
{
	const char *etag = http_reply_header(&answer->reply, "ETag");
	size_t len = etag == NULL ? 0 : strlen(etag);

	version->text[0] = '\0';
	if (len >= 2 && etag[0] == '"' && etag[len - 1] == '"') {
		etag++;
		len -= 2;
	}
	/* RFC 9110, 8.8.3: a weak one has its W/ before the quotes. */
	if (len == 0 || len >= sizeof(version->text) ||
	    memchr(etag, '"', len) != NULL)
		return false;
	for (size_t i = 0; i < len; i++)
		if (etag[i] < '!' || etag[i] > '~')
			return false;
	memcpy(version->text, etag, len);
	version->text[len] = '\0';
	return true;
}

void
s3_answer_free(struct s3_answer *answer)
{
	http_reply_free(&answer->reply);
}
