/* SPDX-License-Identifier: ISC */
/*
 * What every JSON report is: an object with one array of what was done, and
 * then findings, status, exit status.
 */
#ifndef CRLPRESS_REPORT_JSON_H
#define CRLPRESS_REPORT_JSON_H

#include "crlpress/json.h"
#include "crlpress/report.h"

/* Writes "findings", "status" and "exit" into the object that is open. */
void report_print_json(
    const struct report *report, enum status status, struct json *json);

/*
 * Begins a report on `stream` whose array is `name`, which the caller begins
 * where that is NULL; ends it with the above.
 */
void report_json_begin(struct json *json, FILE *stream, const char *name);
void report_json_end(
    const struct report *report, enum status status, struct json *json);

#endif
