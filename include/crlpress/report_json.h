/* SPDX-License-Identifier: ISC */
/* The last members of every JSON report: findings, status, exit status. */
#ifndef CRLPRESS_REPORT_JSON_H
#define CRLPRESS_REPORT_JSON_H

#include "crlpress/json.h"
#include "crlpress/report.h"

/* Writes "findings", "status" and "exit" into the object that is open. */
void report_print_json(
    const struct report *report, enum status status, struct json *json);

#endif
