/* SPDX-License-Identifier: ISC */
/* What the files of signing share; see sign.h for who does what. */
#ifndef CRLPRESS_SIGN_IMPL_H
#define CRLPRESS_SIGN_IMPL_H

#include "crlpress/crl_read.h"
#include "crlpress/issuer.h"
#include "crlpress/request.h"
#include "crlpress/sign.h"
#include "crlpress/signer.h"
#include "crlpress/state.h"

/* "issuer/shard 65535" with the longest name of an issuer. */
#define SIGN_OBJECT_BYTES 160

/* The rule of what is wrong with a request. */
#define SIGN_RULE "request"

/* One shard of the request, and what became of it. */
struct sign_shard {
	const struct request_shard *asked;
	char object[SIGN_OBJECT_BYTES];
	/* Against the CRL before, where that could be had. */
	bool is_compared;
	uint64_t added;
	uint64_t removed;
	uint64_t changed;
	bool is_kept;   /* its CRL is in the state directory */
	bool is_signed; /* and in the directory that is carried */
	struct closing_shard made;
};

struct sign {
	const struct config *config;
	const struct sign_options *options;
	const struct context *context;
	struct report *report;
	FILE *shown;

	struct issuer *issuer;
	struct state *state;
	struct signer *signer; /* NULL until something is to be signed */
	char *request_text;
	size_t request_len;
	struct hash request_sha256;
	struct request request;
	struct sign_shard *shard; /* as many as the request has */
	int64_t now_sec;
	struct uint160 last; /* number signed here; 0: none */
	bool is_again;       /* this very request was begun before */
};

/* Bytes of a file. */
struct sign_bytes {
	uint8_t *data;
	size_t len;
};

enum status sign_no_memory(const struct sign *sign);

/* sign_dir.c */
/* DIR/NAME, to be freed; NULL: no memory, reported. */
char *sign_path(const struct sign *sign, const char *name);
/* The request; the bytes, and what they say. */
enum status sign_dir_request(struct sign *sign) MUST_CHECK;
/* That every file of the request is there, and nothing else. */
enum status sign_dir_check(const struct sign *sign) MUST_CHECK;
/*
 * Reads a file of at most `most` bytes; freed by the caller. STATUS_NOT_FOUND,
 * not reported, when there is none; else failures are reported.
 */
enum status sign_file_read(const struct sign *sign, const char *path,
    size_t most, struct sign_bytes *bytes) MUST_CHECK;
enum status sign_file_write(const struct sign *sign, const char *path,
    const void *data, size_t len) MUST_CHECK;

/* sign_look.c */
/* The TBSCertList of a shard, held against what the request says of it. */
enum status sign_look_read(const struct sign *sign,
    const struct sign_shard *shard, struct sign_bytes *tbs) MUST_CHECK;
/* The same of all, and how each differs from the CRL before. */
enum status sign_look(struct sign *sign) MUST_CHECK;

/* sign_state.c */
enum status sign_state_open(struct sign *sign) MUST_CHECK;
/* Writes down what is about to be signed, before anything is. */
enum status sign_state_begin(struct sign *sign) MUST_CHECK;
/* The place of what was signed of a shard under a number, to be freed. */
char *sign_state_path(
    const struct sign *sign, const struct uint160 *number, const char *name);
/* Forgets all but the last two numbers; what cannot be is a warning. */
void sign_state_sweep(const struct sign *sign);

/* sign_report.c */
void sign_show(const struct sign *sign);
void sign_print_json(
    const struct sign *sign, enum status status, struct json *json);

#endif
