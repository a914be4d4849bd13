/* SPDX-License-Identifier: ISC */
/*
 * `ocsp-sunset render`: the fixed bodies and ready configuration for servers
 * that are there already.
 */
#ifndef CRLPRESS_RENDER_H
#define CRLPRESS_RENDER_H

#include <stdio.h>

#include "crlpress/report.h"
#include "crlpress/status.h"

/* As sunset_report. */
enum status sunset_render(
    int argc, char **argv, FILE *out, struct report *report) MUST_CHECK;

#endif
