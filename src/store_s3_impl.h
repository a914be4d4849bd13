/* SPDX-License-Identifier: ISC */
/*
 * What the files of the S3 store share. store_s3.c is the store,
 * store_s3_call.c sends one request until there is an answer,
 * store_s3_answer.c says what that says, store_s3_put.c puts, store_s3_back.c
 * reads back, store_s3_probe.c shows what the store can do, store_s3_memory.c
 * remembers it, store_s3_cache.c keeps copies of objects.
 */
#ifndef CRLPRESS_STORE_S3_IMPL_H
#define CRLPRESS_STORE_S3_IMPL_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "crlpress/credentials.h"
#include "crlpress/http.h"
#include "crlpress/retry.h"
#include "crlpress/s3_url.h"

#include "store_impl.h"

/* Headers of a request, and the longest: a Cache-Control of the operator. */
#define S3_HEADERS_MOST 11
#define S3_HEADER_BYTES 512

/* <Code> of an error, and what of <Message> a person needs. */
#define S3_CODE_BYTES 64
#define S3_MESSAGE_BYTES 200

/* What is said of an answer, or of that there is none. */
#define S3_TEXT_BYTES (HTTP_WHY_BYTES + S3_CODE_BYTES + S3_MESSAGE_BYTES)

/* How If-Match wants an ETag. Amazon has it quoted, as HTTP does; RADOS
 * Gateway 16 compares with what stands between the quotes. */
enum s3_form { S3_FORM_UNKNOWN, S3_FORM_QUOTED, S3_FORM_PLAIN, S3_FORM_COUNT };

/* Copies of objects, in a directory of the state. */
struct s3_cache {
	int dir; /* -1: there is none */
	uint64_t bytes_most;
	pthread_mutex_t mutex; /* of what follows */
	uint64_t bytes;
};

struct s3 {
	struct store store;
	const struct context *context;
	struct s3_place place;
	char region[S3_REGION_BYTES];
	bool unconditional;
	enum store_read_back read_back;
	int64_t public_age_most_sec;
	struct credentials_provider *credentials;
	struct http *http;
	struct http *public; /* for public URLs; NULL: not asked for */
	struct retry_policy retry;
	char *state_dir; /* NULL: none */
	struct s3_cache cache;
	atomic_int form;      /* enum s3_form */
	atomic_uint answers;  /* that were the last word to a request */
	atomic_uint given_up; /* requests, while it answered others */
	atomic_bool dead;     /* it does not answer any more */
	atomic_bool patience; /* it was said that there are retries */
};

struct s3_request {
	enum http_method method;
	const char *key;
	const char *doing; /* "put it", for messages */
	/* Another place than the store's: not signed. */
	const char *public_url;
	const char *bucket_url; /* of the bucket itself; NULL: of the key */
	char header[S3_HEADERS_MOST][S3_HEADER_BYTES];
	size_t header_count;
	bool unfit; /* a header did not fit: it is not sent */
	bool once;  /* not tried again */
	/* Where what is wrong with this object alone is said instead of being
	 * reported; NULL: it is reported. */
	struct store_flaw *flaw;
	int fd; /* of the body of a put, -1: it is in memory */
	const void *body;
	uint64_t body_len;
	char body_sha256[HASH_HEX_BYTES];
	uint64_t reply_most;
};

struct s3_answer {
	struct http_reply reply;
	char code[S3_CODE_BYTES]; /* <Code>; empty: none */
	char message[S3_MESSAGE_BYTES];
	char region[S3_REGION_BYTES]; /* where the bucket is, if it says */
};

/* store_s3_call.c */

/* An empty request. */
struct s3_request s3_request_make(
    enum http_method method, const char *key, const char *doing);

/* Adds a line; with one that is too long, or too many, s3_call refuses. */
void s3_header_add(struct s3_request *request, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/*
 * Sends it, again and again where that may heal. STATUS_OK when the store
 * gave an answer that is not to be waited for, good or bad; the caller frees
 * it. Else it is reported.
 */
enum status s3_call(struct s3 *s3, const struct s3_request *request,
    struct s3_answer *answer) MUST_CHECK;

/*
 * Says what is wrong with the object of a request: STATUS_UNREADABLE where it
 * has a `flaw`, else it is reported.
 */
enum status s3_fault(struct s3 *s3, const struct s3_request *request,
    const char *hint, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* store_s3_answer.c */

/* Takes what the body of an error says; of a good answer nothing. */
void s3_answer_read(struct s3_answer *answer);

/* Whether an answer is not the last word; `*least_ms`: what it asks for. */
bool s3_answer_heals(const struct s3_answer *answer, int64_t *least_ms);

/* "the answer is 503 SlowDown", or why there is none. */
void s3_answer_text(const struct s3_answer *answer, char text[S3_TEXT_BYTES]);

/*
 * Says what is wrong with an answer that is none of those that the caller can
 * use, as s3_fault; reports it where no other object would get a better one.
 */
enum status s3_refused(struct s3 *s3, const struct s3_request *request,
    const struct s3_answer *answer);

/* It is certain that there is no such object, as far as a code can tell. */
bool s3_is_missing(
    const struct s3_request *request, const struct s3_answer *answer);

/*
 * The ETag of an answer without its quotes. False when there is none that
 * could name a version: a weak one says that something changes the bytes.
 */
bool s3_etag(const struct s3_answer *answer, struct store_version *version);

void s3_answer_free(struct s3_answer *answer);

/* store_s3.c */

/* Fetches an object and no copy of it. As store_get, reported. */
enum status s3_fetch(struct s3 *s3, const char *key, uint64_t most,
    struct store_object *object) MUST_CHECK;

/* store_s3_put.c */
enum status s3_put(struct store *store, const struct store_upload *upload,
    struct store_version *now);

/*
 * The version that stands there; empty when there is none. With a `flaw` it is
 * tried only once.
 */
enum status s3_version_now(struct s3 *s3, const char *key,
    struct store_version *version, struct store_flaw *flaw) MUST_CHECK;

/* Adds the condition: what must stand there; empty: nothing. */
void s3_condition_add(struct s3_request *request, enum s3_form form,
    const struct store_version *replaces);

/* Adds what is kept beside the bytes; request->body_sha256 is filled in. */
void s3_metadata_add(
    struct s3_request *request, const struct store_upload *upload);

/* store_s3_back.c */

/*
 * Sees that the object is what was put: `etag` is what the put answered, or
 * empty. `*now` is filled in. STATUS_CONFLICT when another stands there, not
 * reported.
 */
enum status s3_read_back(struct s3 *s3, const struct store_upload *upload,
    const struct store_version *etag, struct store_version *now) MUST_CHECK;

/* STATUS_PARTIAL, reported, when the public URL serves something else. */
enum status s3_read_public(
    struct s3 *s3, const struct store_upload *upload) MUST_CHECK;

/* store_s3_probe.c */
enum status s3_probe(struct store *store);

/* store_s3_list.c */
enum status s3_list(struct store *store, const char *prefix, const char *after,
    struct store_keys *keys);
enum status s3_remove(struct store *store, const char *key);

/*
 * That this store may still be written, by one request that changes nothing:
 * a put on a condition that cannot hold is refused for the want of a right
 * before it is for the condition. Where conditions are not known nothing is
 * shown.
 */
enum status s3_show_right(struct s3 *s3) MUST_CHECK;

/* store_s3_memory.c: without a state directory there is none; no faults. */

/* The key of a scratch object: this, and 16 digits. */
#define S3_SCRATCH_PREFIX ".crlpress-probe-"
#define S3_SCRATCH_KEY_BYTES 48

/* What a probe before showed; the form stays unknown when none did. */
void s3_memory_recall(struct s3 *s3);
void s3_memory_write(const struct s3 *s3, enum s3_form form);
void s3_memory_forget(const struct s3 *s3);

/*
 * The file with the key of the scratch object, for as long as that is there:
 * a probe that was killed leaves both, and the next one removes both. It is
 * locked until it is closed, so that one probe does not take another one's
 * object away. -1: none.
 */
int s3_scratch_open(const struct s3 *s3);

/* Whether the file names an object of this place, and which. */
bool s3_scratch_left(
    const struct s3 *s3, int fd, char key[S3_SCRATCH_KEY_BYTES]);

/* Notes the key before the object is put; NULL: it is gone. */
void s3_scratch_note(const struct s3 *s3, int fd, const char *key);

/* store_s3_cache.c: nothing here is a fault; without a copy it is slower. */

struct s3_copy {
	struct store_version version;
	uint64_t size;
	struct hash sha256;
};

void s3_cache_open(
    struct s3_cache *cache, const char *state_dir, uint64_t bytes_most);
void s3_cache_close(struct s3_cache *cache);

/* Gives a new file to the owner of the directory it is in. */
void s3_file_own(int dir, int fd);

/* Whether there is a copy of the object. */
bool s3_cache_find(
    struct s3_cache *cache, const char *key, struct s3_copy *copy);

/* Reads the copy; false when its bytes are not what they were. */
bool s3_cache_read(struct s3_cache *cache, const char *key,
    const struct s3_copy *copy, struct store_object *object);

/* Keeps the bytes, or a link to a file with them. */
void s3_cache_keep(
    struct s3_cache *cache, const char *key, const struct store_object *object);
void s3_cache_link(struct s3_cache *cache, const char *key,
    const struct s3_copy *copy, const char *path);
void s3_cache_drop(struct s3_cache *cache, const char *key);

#endif
