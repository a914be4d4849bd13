/* SPDX-License-Identifier: ISC */
/*
 * What `push` and `revoke` share (push.c), and the certificates that they are
 * asked for (push_certificate.c).
 */
#ifndef CRLPRESS_PUSH_IMPL_H
#define CRLPRESS_PUSH_IMPL_H

#include "crlpress/certificate_read.h"
#include "crlpress/command.h"
#include "crlpress/config.h"
#include "crlpress/issuer.h"
#include "crlpress/json.h"
#include "crlpress/progress.h"
#include "crlpress/report.h"
#include "crlpress/run.h"
#include "crlpress/serial_list.h"
#include "crlpress/status.h"

/* Options of both. */
struct push_settings {
	const char *config; /* NULL: the context's */
	const char *issuer; /* NULL: there is one, or certificates tell */
	struct option_texts passes;
	const char *passphrase_fd;
	struct option_duration wait;
	uint32_t jobs;
	bool json;
	bool quiet;
};

struct push_certificate {
	const char *path;
	char *text;   /* of the file */
	uint8_t *der; /* NULL: the text itself is it */
	struct certificate certificate;
};

/* Reads the one certificate, PEM or DER, in a file. Faults are reported. */
enum status push_certificate_read(const char *path, struct report *report,
    struct push_certificate *certificate) MUST_CHECK;
void push_certificate_free(struct push_certificate *certificate);

/* Whether it names this issuer as its own: Name and key identifier. */
bool push_certificate_is_of(const struct push_certificate *certificate,
    const struct issuer_facts *issuer);

/*
 * The configured shard whose URL stands in it, byte for byte, and which the
 * scheme gives, where it can be told from a certificate. Faults are reported.
 */
enum status push_certificate_shard(const struct push_certificate *certificate,
    const struct config *config, struct report *report,
    uint32_t *shard) MUST_CHECK;

/* What one command works with. */
struct push {
	const struct command_call *call;
	const struct context *context;
	struct report *report;
	struct progress *progress; /* NULL: no terminal, or quiet */
	struct json *json;         /* NULL: no --json */
	const struct push_settings *settings;
	bool has_runs; /* the member of that name in the JSON was begun */
	struct serial_list list;
	struct push_certificate *certificate;
	size_t certificate_count;
	/* What is published, and where it points to. */
	struct run_options run;
	struct run_asked *asked;
	uint32_t *only;
	bool published; /* it is, whatever else went wrong */
};

/* Calls `body` with the options; frees what is in `push` then. */
enum status push_command(struct command_call *call,
    const struct push_settings *settings, const void *options,
    enum status (*body)(struct push *push, const void *options)) MUST_CHECK;

enum status push_read_certificates(
    struct push *push, const struct option_texts *paths) MUST_CHECK;

/*
 * The configuration of the issuer, for the caller to free, which has issued
 * all certificates that were read. `*broken` is what is to be told of others.
 */
enum status push_choose(
    struct push *push, struct config **config, enum status *broken) MUST_CHECK;

/* --shard. */
enum status push_read_shard(struct push *push, const struct config *config,
    const char *text, uint32_t *shard) MUST_CHECK;

/* The serials of the list and of the certificates, into push->run. */
enum status push_make_asked(
    struct push *push, const struct config *config) MUST_CHECK;

/* The first `n` of push->asked, each serial once, into push->run. */
enum status push_sort_asked(struct push *push, size_t n) MUST_CHECK;

/* The run, what it has to tell, and, if asked to, the wait for the public. */
enum status push_publish(
    struct push *push, const struct config *config) MUST_CHECK;

#endif
