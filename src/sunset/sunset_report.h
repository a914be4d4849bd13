/* SPDX-License-Identifier: ISC */
/* `ocsp-sunset report`: what dies away, and whether the name can go. */
#ifndef CRLPRESS_SUNSET_REPORT_H
#define CRLPRESS_SUNSET_REPORT_H

#include <stdint.h>
#include <stdio.h>

#include "crlpress/report.h"
#include "crlpress/status.h"

/*
 * argv[0] is the name of the command. What is asked for goes to `out`, faults
 * to `report`; `now_sec` is the clock.
 */
enum status sunset_report(int argc, char **argv, FILE *out, int64_t now_sec,
    struct report *report) MUST_CHECK;

#endif
