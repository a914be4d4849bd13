/* SPDX-License-Identifier: ISC */
/*
 * A configuration tried before a run relies on it: the files that it names
 * (trial_files.c), how the server would run each statement, and which rows a
 * run would refuse. Nothing is signed, no key is opened, and nothing kept.
 */
#ifndef CRLPRESS_TRIAL_H
#define CRLPRESS_TRIAL_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "crlpress/config.h"
#include "crlpress/context.h"
#include "crlpress/report.h"
#include "crlpress/status.h"

/*
 * The files. One that is not there or cannot be read is a warning, since the
 * publisher may be elsewhere, and `strict` a fault; one that is there and wrong
 * is a fault. `strict` also asks whether there can be a state directory.
 * STATUS_CONFIG, STATUS_REFUSED for a certificate that is not valid now,
 * STATUS_FAILED without a state directory.
 */
enum status trial_files(const struct config *config,
    const struct context *context, bool strict,
    struct report *report) MUST_CHECK;

/*
 * Prints plans and counts to `out` as comments, unless it is NULL. A table
 * read whole for little is a warning; rows that would be refused are faults,
 * one for each reason, with their count and one of them, as is a source without
 * any, and one that gate_now_source does not take: STATUS_REFUSED. Faults of
 * the statements and of rights as a run would report them. The connections of
 * `revoke` and of shared runs, where they are others, are made and closed. The
 * status is public.
 */
enum status trial_source(const struct config *config,
    const struct context *context, FILE *out, struct report *report) MUST_CHECK;

#endif
