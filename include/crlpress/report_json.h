/* SPDX-License-Identifier: ISC */
/*
 * What every JSON report is: an object with one array of what was done, and
 * then findings, status, exit status.
 */
#ifndef CRLPRESS_REPORT_JSON_H
#define CRLPRESS_REPORT_JSON_H

#include "crlpress/json.h"
#include "crlpress/report.h"

/*
 * Begins a report on `stream` whose array is `name`, which the caller begins
 * where that is NULL; ends it with "findings", "status" and "exit".
 */
void report_json_begin(struct json *json, FILE *stream, const char *name);
void report_json_end(
    const struct report *report, enum status status, struct json *json);

#endif
