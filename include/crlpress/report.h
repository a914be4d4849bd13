/* SPDX-License-Identifier: ISC */
/*
 * Findings: every fault, warning and note of a command, said once, where it
 * is found, as one line `object: rule, clause: what, have X, want Y`, and
 * kept for --json and for the verdict table of `verify`.
 *
 * A report may be shared by threads. It keeps a bounded number of findings
 * of each rule and counts the rest, so that a million bad rows end neither
 * in a million lines nor in silence. What has no rule, notes among them, is
 * bounded by its format instead.
 *
 * Objects and texts may hold bytes from anywhere: control characters, those
 * that reorder or hide text, and what is not UTF-8 are printed and kept as
 * \xNN.
 */
#ifndef CRLPRESS_REPORT_H
#define CRLPRESS_REPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "crlpress/status.h"

/* How many findings of one rule are printed and kept; the rest is counted. */
#define REPORT_RULE_MOST 10

enum severity { SEVERITY_NOTE, SEVERITY_WARNING, SEVERITY_FAULT };

/* One finding; the strings belong to the report. */
struct finding {
	enum severity severity;
	char *object;       /* what it is about: a file, shard, row, key */
	const char *rule;   /* id of the rule: static text */
	const char *clause; /* "RFC 5280, 5.2.3" or "house rule": static */
	char *text;
	char *hint; /* what to do about it, or NULL */
};

struct report;

/*
 * A new report that prints findings of at least `least` to `stream`, or keeps
 * them silently when `stream` is NULL. NULL when memory ran out.
 */
struct report *report_new(FILE *stream, enum severity least);
void report_free(struct report *report);

/*
 * Records and prints one finding. `rule` and `clause` must be static text;
 * either may be NULL and is then left out of the line; `object` and `format`
 * may not, and `format` is a string literal. report_fault returns `status`,
 * so that a caller can end with `return report_fault(...)`.
 */
enum status report_fault(struct report *report, enum status status,
    const char *object, const char *rule, const char *clause,
    const char *format, ...) __attribute__((format(printf, 6, 7)));
void report_warn(struct report *report, const char *object, const char *rule,
    const char *clause, const char *format, ...)
    __attribute__((format(printf, 5, 6)));
void report_note(struct report *report, const char *object, const char *format,
    ...) __attribute__((format(printf, 3, 4)));

/*
 * A second line that says what to do about the fault just reported; nothing
 * when that was not printed.
 */
void report_hint(struct report *report, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/*
 * Tells `to` what `from`, a silent report of the same rules, has kept, in
 * order: what a thread found that others waited for.
 */
void report_replay(const struct report *from, struct report *to);

/*
 * Prints one line for each rule of which more findings came than were
 * printed. Call it once at the end.
 */
void report_close(struct report *report);

/* How many findings of this severity came, printed or not. */
uint64_t report_count(const struct report *report, enum severity severity);

/* The findings kept, in order; `i` below report_kept(). */
size_t report_kept(const struct report *report);
const struct finding *report_finding(const struct report *report, size_t i);

const char *severity_name(enum severity severity);

#endif
