/* SPDX-License-Identifier: ISC */
/*
 * libcurl behind http.h: a handle for each connection, set up anew for every
 * request and emptied after it, so that nothing of one request (a header, a
 * signature) can be left for the next; only connections stay.
 *
 * libcurl keeps copies of what it signs with. It is given memory functions
 * that wipe what they free, so that no secret outlives its request.
 */
#include "crlpress/http.h"

#include <errno.h>
#include <malloc.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <curl/curl.h>

/* What is slower than this for the stall timeout is not moving. */
#define STALL_BYTES_PER_SEC 1024L

/* "aws:amz:REGION:SERVICE" and "Name: " with the longest value we send. */
#define SIGV4_BYTES 192

/* A body in memory begins with this much when its length is not told. */
#define BODY_BYTES_FIRST ((size_t)16 * 1024)

/* Lines that http.c adds to the caller's. */
#define TOKEN_HEADER "x-amz-security-token: "
#define DIGEST_HEADER "x-amz-content-sha256: "

static const char user_agent[] = "crlpress/" CRLPRESS_VERSION;

/* SHA-256 of nothing. */
static const char empty_sha256[] =
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

struct http {
	struct http_config config;
	char *ca_file;
	pthread_mutex_t mutex;
	pthread_cond_t freed;
	CURL *idle[HTTP_CONNECTIONS_MOST]; /* the last used is used next */
	unsigned idle_count;
};

/* A request under way. */
struct call {
	struct http *http;
	const struct http_request *request;
	struct http_reply *reply;
	CURL *handle;
	struct curl_slist *header;
	uint64_t sent;    /* bytes of the body that libcurl has taken */
	size_t room;      /* of reply->body */
	bool headers_end; /* the blank line behind them came */
	bool too_large;
	bool cut;        /* an error body was as long as is kept */
	int local_error; /* errno of a file or memory here; 0: none */
	char error[CURL_ERROR_SIZE];
};

static void *
wiping_malloc(size_t size)
{
	return malloc(size);
}

static void
wiping_free(void *data)
{
	if (data == NULL)
		return;
	explicit_bzero(data, malloc_usable_size(data));
	free(data);
}

static void *
wiping_realloc(void *data, size_t size)
{
	size_t before = data == NULL ? 0 : malloc_usable_size(data);
	void *after = malloc(size);

	if (after == NULL || data == NULL)
		return after;
	memcpy(after, data, before < size ? before : size);
	wiping_free(data);
	return after;
}

static char *
wiping_strdup(const char *text)
{
	return strdup(text);
}

static void *
wiping_calloc(size_t count, size_t size)
{
	return calloc(count, size);
}

static enum status
no_memory(struct report *report)
{
	return report_fault(
	    report, STATUS_NO_MEMORY, "http", NULL, NULL, "out of memory");
}

/* Whether it can be read is said now, not after a quarter of an hour. */
static enum status
ca_file_check(const char *path, struct report *report)
{
	if (path == NULL || access(path, R_OK) == 0)
		return STATUS_OK;
	return report_fault(report, STATUS_CONFIG, path, "http", NULL,
	    "the file of CA certificates cannot be read: %s", strerror(errno));
}

static enum status
handles_make(struct http *http, struct report *report)
{
	if (http->config.ca_file != NULL) {
		http->ca_file = strdup(http->config.ca_file);
		http->config.ca_file = http->ca_file;
		if (http->ca_file == NULL)
			return no_memory(report);
	}
	while (http->idle_count < http->config.connections) {
		CURL *handle = curl_easy_init();

		if (handle == NULL)
			return no_memory(report);
		http->idle[http->idle_count++] = handle;
	}
	return STATUS_OK;
}

enum status
http_open(
    const struct http_config *config, struct report *report, struct http **out)
{
	struct http *http;
	enum status status = ca_file_check(config->ca_file, report);

	*out = NULL;
	if (status != STATUS_OK)
		return status;
	if (curl_global_init_mem(CURL_GLOBAL_DEFAULT, wiping_malloc,
		wiping_free, wiping_realloc, wiping_strdup,
		wiping_calloc) != CURLE_OK)
		return no_memory(report);
	http = calloc(1, sizeof(*http));
	if (http == NULL || pthread_mutex_init(&http->mutex, NULL) != 0) {
		free(http);
		curl_global_cleanup();
		return no_memory(report);
	}
	if (pthread_cond_init(&http->freed, NULL) != 0) {
		(void)pthread_mutex_destroy(&http->mutex);
		free(http);
		curl_global_cleanup();
		return no_memory(report);
	}
	http->config = *config;
	if (http->config.connections < 1)
		http->config.connections = 1;
	if (http->config.connections > HTTP_CONNECTIONS_MOST)
		http->config.connections = HTTP_CONNECTIONS_MOST;
	status = handles_make(http, report);
	if (status == STATUS_OK)
		*out = http;
	else
		http_close(http);
	return status;
}

void
http_close(struct http *http)
{
	if (http == NULL)
		return;
	while (http->idle_count > 0)
		curl_easy_cleanup(http->idle[--http->idle_count]);
	(void)pthread_cond_destroy(&http->freed);
	(void)pthread_mutex_destroy(&http->mutex);
	free(http->ca_file);
	free(http);
	curl_global_cleanup();
}

static CURL *
handle_take(struct http *http)
{
	CURL *handle;

	(void)pthread_mutex_lock(&http->mutex);
	while (http->idle_count == 0)
		(void)pthread_cond_wait(&http->freed, &http->mutex);
	handle = http->idle[--http->idle_count];
	(void)pthread_mutex_unlock(&http->mutex);
	return handle;
}

/* Its options go, and with them every secret; its connections stay. */
static void
handle_give(struct http *http, CURL *handle)
{
	curl_easy_reset(handle);
	(void)pthread_mutex_lock(&http->mutex);
	http->idle[http->idle_count++] = handle;
	(void)pthread_cond_signal(&http->freed);
	(void)pthread_mutex_unlock(&http->mutex);
}

static uint64_t
body_len(const struct http_request *request)
{
	return request->has_body_fd ? request->body_fd_len
				    : (uint64_t)request->body_len;
}

/* libcurl asks for the next bytes of the body. */
static size_t
on_read(char *to, size_t size, size_t count, void *context)
{
	struct call *call = context;
	const struct http_request *request = call->request;
	uint64_t left = body_len(request) - call->sent;
	size_t len = size * count;
	ssize_t n;

	if (len > left)
		len = (size_t)left;
	if (len == 0)
		return 0;
	if (!request->has_body_fd) {
		memcpy(to, (const char *)request->body + call->sent, len);
		call->sent += len;
		return len;
	}
	do
		n = pread(request->body_fd, to, len, (off_t)call->sent);
	while (n < 0 && errno == EINTR);
	if (n <= 0) {
		/* The end too early: somebody made the file shorter. */
		call->local_error = n < 0 ? errno : ESTALE;
		return CURL_READFUNC_ABORT;
	}
	call->sent += (uint64_t)n;
	return (size_t)n;
}

/* libcurl begins anew, say on another connection. */
static int
on_seek(void *context, curl_off_t offset, int origin)
{
	struct call *call = context;

	if (origin != SEEK_SET || offset < 0 ||
	    (uint64_t)offset > body_len(call->request))
		return CURL_SEEKFUNC_FAIL;
	call->sent = (uint64_t)offset;
	return CURL_SEEKFUNC_OK;
}

/* Room for `len` more bytes and a NUL. */
static bool
body_grow(struct call *call, size_t len)
{
	struct http_reply *reply = call->reply;
	size_t want = reply->body_len + len + 1;
	size_t room = call->room == 0 ? BODY_BYTES_FIRST : call->room;
	curl_off_t told = -1;
	uint8_t *body;

	if (want <= call->room)
		return true;
	/* What the reply says of its length is a hint, no more than that. */
	if (call->room == 0 && reply->code / 100 == 2 &&
	    curl_easy_getinfo(call->handle, CURLINFO_CONTENT_LENGTH_DOWNLOAD_T,
		&told) == CURLE_OK &&
	    told > 0 && (uint64_t)told <= call->request->reply_most)
		room = (size_t)told + 1;
	while (room < want)
		room *= 2;
	body = realloc(reply->body, room);
	if (body == NULL) {
		call->local_error = ENOMEM;
		return false;
	}
	reply->body = body;
	call->room = room;
	return true;
}

/* A piece of the reply's body; anything but `len` ends the transfer. */
static size_t
on_body(char *data, size_t size, size_t count, void *context)
{
	struct call *call = context;
	struct http_reply *reply = call->reply;
	size_t len = size * count;
	bool good;
	long code = 0;

	(void)curl_easy_getinfo(call->handle, CURLINFO_RESPONSE_CODE, &code);
	reply->code = (int)code;
	good = code / 100 == 2;
	if (good && len > call->request->reply_most - reply->body_len) {
		call->too_large = true;
		return 0;
	}
	if (!good && len > HTTP_ERROR_BYTES_MOST - reply->body_len) {
		call->cut = true;
		len = HTTP_ERROR_BYTES_MOST - reply->body_len;
	}
	if (!body_grow(call, len))
		return 0;
	memcpy(reply->body + reply->body_len, data, len);
	reply->body_len += len;
	reply->body[reply->body_len] = '\0';
	return call->cut ? 0 : size * count;
}

/* Appends a header line without its end, and a NUL. */
static size_t
on_header(char *line, size_t size, size_t count, void *context)
{
	struct call *call = context;
	struct http_reply *reply = call->reply;
	size_t len = size * count;
	size_t kept = len;
	char *headers;

	/* Each reply begins so: those to CONNECT and "100" are forgotten. */
	if (len >= 5 && memcmp(line, "HTTP/", 5) == 0) {
		reply->headers_len = 0;
		call->headers_end = false;
		return len;
	}
	while (kept > 0 && strchr("\r\n\t ", line[kept - 1]) != NULL)
		kept--;
	if (kept == 0) {
		call->headers_end = true;
		return len;
	}
	if (reply->headers == NULL) {
		headers = malloc(HTTP_REPLY_HEADERS_BYTES);
		if (headers == NULL) {
			call->local_error = ENOMEM;
			return 0;
		}
		reply->headers = headers;
	}
	if (kept + 1 > HTTP_REPLY_HEADERS_BYTES - reply->headers_len) {
		call->too_large = true;
		return 0;
	}
	memcpy(reply->headers + reply->headers_len, line, kept);
	reply->headers_len += kept;
	reply->headers[reply->headers_len++] = '\0';
	return len;
}

static int
on_progress(void *context, curl_off_t down_total, curl_off_t down_now,
    curl_off_t up_total, curl_off_t up_now)
{
	const struct call *call = context;
	bool (*cancelled)(void) = call->http->config.cancelled;

	(void)down_total;
	(void)down_now;
	(void)up_total;
	(void)up_now;
	return cancelled != NULL && cancelled() ? 1 : 0;
}

/* False when memory ran out. */
static bool
header_add(struct call *call, const char *name, const char *value)
{
	size_t size = strlen(name) + strlen(value) + 1;
	struct curl_slist *list;
	char *line = malloc(size);

	if (line == NULL)
		return false;
	(void)snprintf(line, size, "%s%s", name, value);
	list = curl_slist_append(call->header, line);
	explicit_bzero(line, size);
	free(line);
	if (list != NULL)
		call->header = list;
	return list != NULL;
}

static bool
headers_set(struct call *call)
{
	const struct http_request *request = call->request;
	const struct http_signature *signature = request->signature;
	const char *digest = request->body_sha256;
	bool ok = true;

	for (size_t i = 0; i < request->header_count; i++)
		ok = ok && header_add(call, request->header[i], "");
	if (digest == NULL && signature != NULL)
		digest = empty_sha256;
	if (digest != NULL)
		ok = ok && header_add(call, DIGEST_HEADER, digest);
	if (signature != NULL && signature->session_token != NULL)
		ok = ok &&
		     header_add(call, TOKEN_HEADER, signature->session_token);
	return ok && curl_easy_setopt(call->handle, CURLOPT_HTTPHEADER,
			 call->header) == CURLE_OK;
}

static bool
signature_set(struct call *call)
{
	const struct http_signature *signature = call->request->signature;
	char scope[SIGV4_BYTES];
	CURL *h = call->handle;
	int len;

	if (signature == NULL)
		return true;
	len = snprintf(scope, sizeof(scope), "aws:amz:%s:%s", signature->region,
	    signature->service);
	/* User and password apart: a key id may have a colon in it. */
	return len > 0 && (size_t)len < sizeof(scope) &&
	       curl_easy_setopt(h, CURLOPT_AWS_SIGV4, scope) == CURLE_OK &&
	       curl_easy_setopt(h, CURLOPT_USERNAME, signature->key_id) ==
		   CURLE_OK &&
	       curl_easy_setopt(h, CURLOPT_PASSWORD, signature->secret) ==
		   CURLE_OK;
}

static bool
method_set(struct call *call)
{
	curl_off_t len = (curl_off_t)body_len(call->request);
	CURL *h = call->handle;
	bool ok = true;

	switch (call->request->method) {
	case HTTP_GET:
		return curl_easy_setopt(h, CURLOPT_HTTPGET, 1L) == CURLE_OK;
	case HTTP_HEAD:
		return curl_easy_setopt(h, CURLOPT_NOBODY, 1L) == CURLE_OK;
	case HTTP_DELETE:
		return curl_easy_setopt(h, CURLOPT_CUSTOMREQUEST, "DELETE") ==
		       CURLE_OK;
	case HTTP_PUT:
		ok = curl_easy_setopt(h, CURLOPT_UPLOAD, 1L) == CURLE_OK &&
		     curl_easy_setopt(h, CURLOPT_INFILESIZE_LARGE, len) ==
			 CURLE_OK;
		break;
	case HTTP_POST:
		ok = curl_easy_setopt(h, CURLOPT_POST, 1L) == CURLE_OK &&
		     curl_easy_setopt(h, CURLOPT_POSTFIELDSIZE_LARGE, len) ==
			 CURLE_OK;
		break;
	}
	return ok &&
	       curl_easy_setopt(h, CURLOPT_READFUNCTION, on_read) == CURLE_OK &&
	       curl_easy_setopt(h, CURLOPT_READDATA, call) == CURLE_OK &&
	       curl_easy_setopt(h, CURLOPT_SEEKFUNCTION, on_seek) == CURLE_OK &&
	       curl_easy_setopt(h, CURLOPT_SEEKDATA, call) == CURLE_OK;
}

static bool
callbacks_set(struct call *call)
{
	CURL *h = call->handle;

	return curl_easy_setopt(h, CURLOPT_WRITEFUNCTION, on_body) ==
		   CURLE_OK &&
	       curl_easy_setopt(h, CURLOPT_WRITEDATA, call) == CURLE_OK &&
	       curl_easy_setopt(h, CURLOPT_HEADERFUNCTION, on_header) ==
		   CURLE_OK &&
	       curl_easy_setopt(h, CURLOPT_HEADERDATA, call) == CURLE_OK &&
	       curl_easy_setopt(h, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L) ==
		   CURLE_OK &&
	       curl_easy_setopt(h, CURLOPT_XFERINFOFUNCTION, on_progress) ==
		   CURLE_OK &&
	       curl_easy_setopt(h, CURLOPT_XFERINFODATA, call) == CURLE_OK &&
	       curl_easy_setopt(h, CURLOPT_NOPROGRESS, 0L) == CURLE_OK &&
	       curl_easy_setopt(h, CURLOPT_ERRORBUFFER, call->error) ==
		   CURLE_OK;
}

static bool
timeouts_set(struct call *call)
{
	const struct http_config *config = &call->http->config;
	int64_t all_ms = config->request_timeout_sec * 1000;
	CURL *h = call->handle;

	if (call->request->timeout_ms > 0 &&
	    (all_ms <= 0 || call->request->timeout_ms < all_ms))
		all_ms = call->request->timeout_ms;
	/* In a program with threads libcurl must not use signals. */
	return curl_easy_setopt(h, CURLOPT_NOSIGNAL, 1L) == CURLE_OK &&
	       curl_easy_setopt(h, CURLOPT_CONNECTTIMEOUT_MS,
		   (long)(config->connect_timeout_sec * 1000)) == CURLE_OK &&
	       curl_easy_setopt(h, CURLOPT_LOW_SPEED_LIMIT,
		   STALL_BYTES_PER_SEC) == CURLE_OK &&
	       curl_easy_setopt(h, CURLOPT_LOW_SPEED_TIME,
		   (long)config->stall_timeout_sec) == CURLE_OK &&
	       curl_easy_setopt(h, CURLOPT_TIMEOUT_MS, (long)all_ms) ==
		   CURLE_OK;
}

static bool
connection_set(struct call *call)
{
	const struct http_config *config = &call->http->config;
	long version = config->http2 ? (long)CURL_HTTP_VERSION_2TLS
				     : (long)CURL_HTTP_VERSION_1_1;
	CURL *h = call->handle;

	/* Without HTTP/2 in libcurl it is 1.1 anyway. */
	(void)curl_easy_setopt(h, CURLOPT_HTTP_VERSION, version);
	return curl_easy_setopt(h, CURLOPT_URL, call->request->url) ==
		   CURLE_OK &&
	       curl_easy_setopt(h, CURLOPT_PROTOCOLS_STR, "http,https") ==
		   CURLE_OK &&
	       curl_easy_setopt(h, CURLOPT_FOLLOWLOCATION, 0L) == CURLE_OK &&
	       curl_easy_setopt(h, CURLOPT_USERAGENT, user_agent) == CURLE_OK &&
	       curl_easy_setopt(h, CURLOPT_SSLVERSION,
		   (long)CURL_SSLVERSION_TLSv1_2) == CURLE_OK &&
	       (config->ca_file == NULL || curl_easy_setopt(h, CURLOPT_CAINFO,
					       config->ca_file) == CURLE_OK) &&
	       (!config->direct ||
		   curl_easy_setopt(h, CURLOPT_NOPROXY, "*") == CURLE_OK);
}

/* What no second try will heal. */
static bool
is_hopeless(CURLcode code, const char *error)
{
	static const CURLcode hopeless[] = {CURLE_UNSUPPORTED_PROTOCOL,
	    CURLE_URL_MALFORMAT, CURLE_NOT_BUILT_IN,
	    CURLE_BAD_FUNCTION_ARGUMENT, CURLE_UNKNOWN_OPTION,
	    CURLE_SSL_CERTPROBLEM, CURLE_SSL_CIPHER,
	    CURLE_PEER_FAILED_VERIFICATION, CURLE_USE_SSL_FAILED,
	    CURLE_SSL_CACERT_BADFILE, CURLE_SSL_ISSUER_ERROR};

	for (size_t i = 0; i < sizeof(hopeless) / sizeof(hopeless[0]); i++)
		if (code == hopeless[i])
			return true;
	/* A server that does not speak TLS at all. */
	return code == CURLE_SSL_CONNECT_ERROR &&
	       strstr(error, "wrong version number") != NULL;
}

static enum http_outcome
outcome_of(const struct call *call, CURLcode code)
{
	long sent = 0;

	/* libcurl is content with headers that break off. */
	if (code == CURLE_OK && !call->headers_end)
		return HTTP_UNANSWERED;
	if (code == CURLE_OK || call->cut)
		return HTTP_ANSWERED;
	if (call->local_error != 0 || code == CURLE_OUT_OF_MEMORY)
		return HTTP_LOCAL;
	if (call->too_large)
		return HTTP_TOO_LARGE;
	if (code == CURLE_ABORTED_BY_CALLBACK)
		return HTTP_CANCELLED;
	if (is_hopeless(code, call->error))
		return HTTP_HOPELESS;
	(void)curl_easy_getinfo(call->handle, CURLINFO_REQUEST_SIZE, &sent);
	return sent > 0 ? HTTP_UNANSWERED : HTTP_UNSENT;
}

/* The reason, on one line. */
static void
why_set(struct call *call, CURLcode code)
{
	struct http_reply *reply = call->reply;
	const char *text = call->error;

	if (call->local_error == ESTALE)
		text = "the file is shorter than it was";
	else if (call->local_error != 0)
		text = strerror(call->local_error);
	else if (call->too_large)
		text = "the reply is larger than was asked for";
	else if (code == CURLE_ABORTED_BY_CALLBACK)
		text = "interrupted";
	else if (code == CURLE_OK)
		text = "the reply breaks off in its headers";
	/* libcurl repeats a proxy's URL, and a password may stand in it. */
	else if (text[0] == '\0' || strchr(text, '@') != NULL)
		text = curl_easy_strerror(code);
	(void)snprintf(reply->why, sizeof(reply->why), "%s", text);
	for (char *c = reply->why; *c != '\0'; c++)
		if ((unsigned char)*c < ' ')
			*c = ' ';
}

static void
call_perform(struct call *call)
{
	struct http_reply *reply = call->reply;
	CURLcode code = CURLE_OUT_OF_MEMORY;
	long status = 0;

	if (connection_set(call) && timeouts_set(call) && callbacks_set(call) &&
	    method_set(call) && signature_set(call) && headers_set(call))
		code = curl_easy_perform(call->handle);
	reply->outcome = outcome_of(call, code);
	if (reply->outcome == HTTP_ANSWERED) {
		(void)curl_easy_getinfo(
		    call->handle, CURLINFO_RESPONSE_CODE, &status);
		reply->code = (int)status;
	} else {
		reply->code = 0;
		why_set(call, code);
	}
}

enum status
http_call(struct http *http, const struct http_request *request,
    struct http_reply *reply)
{
	struct call call = {.http = http, .request = request, .reply = reply};

	memset(reply, 0, sizeof(*reply));
	/* A request that is cut to fit would be another request. */
	if (request->header_count > HTTP_REQUEST_HEADERS_MOST) {
		reply->outcome = HTTP_HOPELESS;
		(void)snprintf(
		    reply->why, sizeof(reply->why), "too many headers");
		return STATUS_FAILED;
	}
	call.handle = handle_take(http);
	call_perform(&call);
	curl_slist_free_all(call.header);
	handle_give(http, call.handle);
	if (reply->outcome == HTTP_LOCAL &&
	    (call.local_error == 0 || call.local_error == ENOMEM))
		return STATUS_NO_MEMORY;
	return reply->outcome == HTTP_ANSWERED ? STATUS_OK : STATUS_FAILED;
}

/* The value of a line when its name is `name`, else NULL. */
static const char *
line_value(const char *line, const char *name)
{
	size_t len = strlen(name);

	if (strncasecmp(line, name, len) != 0 || line[len] != ':')
		return NULL;
	line += len + 1;
	return line + strspn(line, " \t");
}

const char *
http_reply_header(const struct http_reply *reply, const char *name)
{
	const char *found = NULL;
	size_t at = 0;

	while (at < reply->headers_len) {
		const char *line = reply->headers + at;
		const char *value = line_value(line, name);

		if (value != NULL && found != NULL && strcmp(value, found) != 0)
			return NULL;
		if (value != NULL)
			found = value;
		at += strlen(line) + 1;
	}
	return found;
}

void
http_reply_free(struct http_reply *reply)
{
	if (reply == NULL)
		return;
	/* Of a metadata endpoint it is a secret. */
	if (reply->body != NULL)
		explicit_bzero(reply->body, reply->body_len);
	free(reply->body);
	free(reply->headers);
	memset(reply, 0, sizeof(*reply));
}
