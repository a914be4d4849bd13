/* SPDX-License-Identifier: ISC */
/*
 * Command-line options from a table: getopt_long's rows, the help text and
 * the checks all come from the same `struct option_row`s.
 */
#ifndef CRLPRESS_OPTION_H
#define CRLPRESS_OPTION_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "crlpress/report.h"
#include "crlpress/status.h"

enum option_kind {
	OPTION_FLAG,     /* bool */
	OPTION_TEXT,     /* const char * */
	OPTION_TEXTS,    /* struct option_texts: may stand several times */
	OPTION_TIME,     /* struct option_time */
	OPTION_COUNT,    /* uint32_t, 1 to 1024 */
	OPTION_DURATION, /* struct option_duration, "1h30m" */
	/* The same; without a letter, --name or --name=1h30m */
	OPTION_DURATION_MAYBE,
};

#define OPTION_TEXTS_MOST 256

struct option_texts {
	const char *text[OPTION_TEXTS_MOST];
	size_t count;
};

struct option_time {
	bool given;
	int64_t sec;
};

struct option_duration {
	bool given;
	int64_t sec; /* 0: no word on how long */
};

struct option_row {
	const char *name; /* without its dashes */
	char letter;      /* 0: none */
	enum option_kind kind;
	size_t offset;        /* in the command's struct of options */
	const char *argument; /* "FILE", "[=DURATION]"; NULL for a flag */
	const char *help;
};

/* Commands have fewer options than this. */
#define OPTION_ROWS_MOST 32

struct option_table {
	const struct option_row *row;
	size_t count;
};

/*
 * Reads argv[1...] into `options`. The first mistake is reported,
 * STATUS_USAGE, and flags behind it are read. On --help STATUS_DONE, where no
 * mistake came before. `*operands` is the index of the first operand.
 */
enum status option_parse(const struct option_table *table, int argc,
    char **argv, void *options, struct report *report,
    int *operands) MUST_CHECK;

/* Prints one line an option. */
void option_help(const struct option_table *table, FILE *stream);

#endif
