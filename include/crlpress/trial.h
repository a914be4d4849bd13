/* SPDX-License-Identifier: ISC */
/*
 * A configuration tried against its database before a run relies on it: how
 * the server would run each statement, and which rows a run would refuse.
 * Nothing is signed, and nothing kept.
 */
#ifndef CRLPRESS_TRIAL_H
#define CRLPRESS_TRIAL_H

#include <stdio.h>

#include "crlpress/config.h"
#include "crlpress/context.h"
#include "crlpress/report.h"
#include "crlpress/status.h"

/*
 * Prints plans and counts to `out` as comments, unless it is NULL. A table
 * read whole for little is a warning; rows that would be refused are faults,
 * one for each reason, with their count and one of them: STATUS_REFUSED. Faults
 * of the statements and of rights as a run would report them.
 */
enum status trial_source(const struct config *config,
    const struct context *context, FILE *out, struct report *report) MUST_CHECK;

#endif
