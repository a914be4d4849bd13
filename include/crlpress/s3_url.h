/* SPDX-License-Identifier: ISC */
/*
 * Where the objects of a bucket are: the URL of the store, the endpoint and
 * the style make the URLs that requests go to. Pure; no library.
 */
#ifndef CRLPRESS_S3_URL_H
#define CRLPRESS_S3_URL_H

#include <stdbool.h>
#include <stddef.h>

#include "crlpress/status.h"
#include "crlpress/store_remote.h"

/* Amazon's limit for names of buckets; RADOS Gateway's longest are 255. */
#define S3_BUCKET_BYTES 256

/* A prefix and a key: S3 takes keys of up to 1024 bytes. */
#define S3_KEY_BYTES_MOST 1024

/* scheme://host:port, with the bucket in front of the host. */
#define S3_ORIGIN_BYTES 640

/* The origin, and a path of a bucket and a key with each byte escaped. */
#define S3_URL_BYTES \
	(S3_ORIGIN_BYTES + S3_BUCKET_BYTES + 3 * S3_KEY_BYTES_MOST + 2)

/* Longest region; a place of its own since it stands in host names. */
#define S3_REGION_BYTES 64

struct s3_place {
	char bucket[S3_BUCKET_BYTES];
	char prefix[S3_KEY_BYTES_MOST + 1]; /* with its slash at the end, or
					       empty */
	char origin[S3_ORIGIN_BYTES];
	bool bucket_in_path;
};

/* Of a URL with a user or a key before its host. */
#define S3_CREDENTIALS_FAULT                                               \
	"credentials in the URL; they belong into the environment "        \
	"(AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY) or into a profile of " \
	"the shared AWS files, which `profile` names"

/*
 * What is wrong with "s3://bucket/prefix", an endpoint or a region, as static
 * text; NULL when nothing is.
 */
const char *s3_url_fault(const char *url);
const char *s3_endpoint_fault(const char *endpoint);
const char *s3_region_fault(const char *region);

/*
 * The place of a store. `endpoint` may be NULL: Amazon's, by region. Each is
 * without fault; STATUS_MALFORMED with static `*why` when they do not go
 * together: a bucket's name that can be in no host name.
 */
enum status s3_place_make(const char *url, const char *endpoint,
    const char *region, enum store_path_style style, struct s3_place *place,
    const char **why) MUST_CHECK;

/*
 * The URL of the object `key`, below the prefix. Each byte but A-Z, a-z, 0-9,
 * "-._~/" is percent-encoded, which is the form that is signed too.
 * STATUS_MALFORMED when prefix and key together are too long.
 */
enum status s3_object_url(const struct s3_place *place, const char *key,
    char url[S3_URL_BYTES]) MUST_CHECK;

/* The bucket, a prefix, a token of the store's and a key to begin after. */
#define S3_TOKEN_BYTES 2048
#define S3_LIST_URL_BYTES                                                \
	(S3_ORIGIN_BYTES + 3 * S3_BUCKET_BYTES + 6 * S3_KEY_BYTES_MOST + \
	    3 * S3_TOKEN_BYTES + 128)

/*
 * The URL that lists the objects whose keys begin with `prefix`, below the
 * place's own, its query sorted and encoded as it is signed. `token` and
 * `after` may be NULL. STATUS_MALFORMED when one is too long.
 */
enum status s3_list_url(const struct s3_place *place, const char *prefix,
    const char *token, const char *after,
    char url[S3_LIST_URL_BYTES]) MUST_CHECK;

#endif
