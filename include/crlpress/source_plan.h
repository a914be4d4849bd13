/* SPDX-License-Identifier: ISC */
/*
 * How the server would run a statement of the source: its EXPLAIN, and the
 * tables that it would read from end to end.
 */
#ifndef CRLPRESS_SOURCE_PLAN_H
#define CRLPRESS_SOURCE_PLAN_H

#include "crlpress/database.h"
#include "crlpress/source.h"

/* Lines of an EXPLAIN; what is more is left out. */
#define SOURCE_PLAN_LINES_MOST 64
#define SOURCE_PLAN_LINE_BYTES 512

#define SOURCE_PLAN_SCANS_MOST 8

/* A table that is read whole. */
struct source_plan_scan {
	char table[DATABASE_NAME_BYTES];
	double rows;       /* that are expected out of it */
	double table_rows; /* that it is believed to have; below 0: not known */
};

struct source_plan {
	size_t line_count;
	char line[SOURCE_PLAN_LINES_MOST][SOURCE_PLAN_LINE_BYTES];
	size_t scan_count;
	struct source_plan_scan scan[SOURCE_PLAN_SCANS_MOST];
};

/*
 * The plan of a statement, which becomes the one that would be started next.
 * Not while rows are being read. Faults are reported: a table that is not
 * there, a right that is missing.
 */
enum status source_plan(struct source *source,
    const struct source_statement *statement, int64_t lookback_sec,
    struct source_plan *plan) MUST_CHECK;

#endif
