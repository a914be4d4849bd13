/* SPDX-License-Identifier: ISC */
/*
 * Signing a request where the key is, without a database, a store or a
 * network: a directory that `publish --stage-tbs` wrote is looked at, shown,
 * signed and judged.
 *
 *   directory   exactly the files of the request             sign_dir.c
 *   look        each TBSCertList, and what it changes        sign_look.c
 *   remember    never two byte strings under one number      sign_state.c
 *   sign        the CRLs, each judged, and the closing list  sign.c
 *   tell        what is about to be signed, and was          sign_report.c
 */
#ifndef CRLPRESS_SIGN_H
#define CRLPRESS_SIGN_H

#include <stdbool.h>
#include <stdint.h>

#include "crlpress/config.h"
#include "crlpress/context.h"
#include "crlpress/json.h"
#include "crlpress/report.h"
#include "crlpress/status.h"

struct sign_options {
	const char *dir;
	bool dry_run; /* show it, sign nothing */
	bool yes;     /* nobody is asked */
	bool quiet;   /* show it only to whoever is asked */
	bool has_now;
	int64_t now_sec;
	int passphrase_fd; /* -1: none */
};

/*
 * Does it. Faults are reported; what is to be signed is shown on `shown`, and
 * put into `json` unless that is NULL. STATUS_REFUSED and nothing signed when
 * something is not as it must be, or the person said no; STATUS_PARTIAL when
 * some CRLs were signed: run again, and these come out as they are.
 */
enum status sign_directory(const struct config *config,
    const struct sign_options *options, const struct context *context,
    struct report *report, FILE *shown, struct json *json) MUST_CHECK;

#endif
