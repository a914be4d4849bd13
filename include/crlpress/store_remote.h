/* SPDX-License-Identifier: ISC */
/*
 * What [store] says of a store that is reached over a network, beside its
 * URL. Part of struct config, and handed to store_open as it stands there.
 */
#ifndef CRLPRESS_STORE_REMOTE_H
#define CRLPRESS_STORE_REMOTE_H

#include <stdbool.h>
#include <stdint.h>

/* Where the bucket stands in a URL. */
enum store_path_style {
	STORE_PATH_STYLE_AUTO,
	STORE_PATH_STYLE_YES, /* https://host/bucket/key */
	STORE_PATH_STYLE_NO,  /* https://bucket.host/key */
};

/* What is read back of an object that was put. */
enum store_read_back {
	STORE_READ_BACK_HEAD,   /* what the store says of it */
	STORE_READ_BACK_OBJECT, /* its bytes too */
	STORE_READ_BACK_PUBLIC, /* and what its public URL serves */
};

struct store_remote {
	char *endpoint; /* NULL: AWS, by region */
	char *region;   /* NULL: the environment's or the profile's */
	enum store_path_style path_style;
	char *profile; /* NULL: the environment's, or "default" */
	char *ca_file; /* NULL: the system's CAs */
	uint32_t connections;
	int64_t connect_timeout_sec;
	int64_t stall_timeout_sec;
	int64_t request_timeout_sec;
	int64_t retry_deadline_sec;
	bool http2;
	bool unconditional; /* puts without a condition */
	enum store_read_back read_back;
	int64_t public_age_most_sec; /* of a stale copy at the public URL */
	uint64_t cache_bytes_most;   /* 0: nothing is kept */
	char *cache_control;         /* of the shards */
	int64_t cache_margin_sec;    /* from the next run to Expires */
};

#endif
