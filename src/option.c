/* SPDX-License-Identifier: ISC */
/* Options by table over getopt_long. */
#include "crlpress/option.h"

#include <getopt.h>
#include <stdbool.h>
#include <string.h>

#include "crlpress/name_nearest.h"
#include "crlpress/quantity.h"
#include "crlpress/utc.h"

/* Values of long options without a letter start above all letters. */
#define OPTION_VALUE_BASE 0x100

#define COUNT_MOST 1024
#define HELP_COLUMN 24

static enum status
usage_fault(
    struct report *report, const char *name, const char *text, const char *why)
{
	return report_fault(report, STATUS_USAGE, "usage", NULL, NULL,
	    "--%s %s: %s", name, text, why);
}

static enum status
option_store(const struct option_row *row, const char *text, void *options,
    struct report *report)
{
	void *place = (char *)options + row->offset;
	struct option_texts *texts = place;
	struct option_time *time = place;
	struct option_duration *duration = place;
	const char *why = NULL;
	uint64_t count = 0;

	switch (row->kind) {
	case OPTION_FLAG:
		*(bool *)place = true;
		return STATUS_OK;
	case OPTION_TEXT:
		*(const char **)place = text;
		return STATUS_OK;
	case OPTION_TEXTS:
		if (texts->count == OPTION_TEXTS_MOST)
			return usage_fault(
			    report, row->name, text, "given too often");
		texts->text[texts->count++] = text;
		return STATUS_OK;
	case OPTION_TIME:
		time->given = true;
		if (utc_from_iso(text, &time->sec) == STATUS_OK)
			return STATUS_OK;
		return usage_fault(report, row->name, text,
		    "not a time like 2026-12-01T06:00:00Z");
	case OPTION_COUNT:
		if (quantity_count(text, 1, COUNT_MOST, &count, &why) !=
		    STATUS_OK)
			return usage_fault(report, row->name, text, why);
		*(uint32_t *)place = (uint32_t)count;
		return STATUS_OK;
	case OPTION_DURATION:
	case OPTION_DURATION_MAYBE:
		duration->given = true;
		duration->sec = 0;
		if (text == NULL)
			return STATUS_OK;
		if (quantity_duration(text, &duration->sec, &why) != STATUS_OK)
			return usage_fault(report, row->name, text, why);
		if (duration->sec > 0)
			return STATUS_OK;
		return usage_fault(report, row->name, text, "no time at all");
	}
	return STATUS_FAILED;
}

static void
fill_getopt(
    const struct option_table *table, struct option *longs, char *letters)
{
	size_t at = 0;

	letters[at++] = ':';
	for (size_t i = 0; i < table->count; i++) {
		const struct option_row *row = &table->row[i];
		bool takes = row->kind != OPTION_FLAG;
		int how = takes ? required_argument : no_argument;

		if (row->kind == OPTION_DURATION_MAYBE)
			how = optional_argument;
		longs[i] = (struct option){
		    row->name, how, NULL, OPTION_VALUE_BASE + (int)i};
		if (row->letter == 0)
			continue;
		letters[at++] = row->letter;
		if (takes)
			letters[at++] = ':';
	}
	longs[table->count] = (struct option){"help", no_argument, NULL, 'h'};
	letters[at++] = 'h';
	letters[at] = '\0';
}

static const struct option_row *
option_find(const struct option_table *table, int value)
{
	if (value >= OPTION_VALUE_BASE)
		return &table->row[value - OPTION_VALUE_BASE];
	for (size_t i = 0; i < table->count; i++)
		if (table->row[i].letter == value)
			return &table->row[i];
	return NULL;
}

static const char *
option_next(const void *context, unsigned long i)
{
	const struct option_table *table = context;

	if (i == table->count)
		return "help";
	return i < table->count ? table->row[i].name : NULL;
}

static enum status
unknown_fault(
    const struct option_table *table, const char *text, struct report *report)
{
	bool is_long = strncmp(text, "--", 2) == 0;
	const char *near = NULL;
	char name[NAME_NEAREST_BYTES];

	/* What is behind a = is the value. */
	if (is_long && strcspn(text + 2, "=") < sizeof(name)) {
		snprintf(name, sizeof(name), "%.*s",
		    (int)strcspn(text + 2, "="), text + 2);
		near = name_nearest(name, option_next, table);
	}
	return report_fault(report, STATUS_USAGE, "usage", NULL, NULL,
	    "unknown option %s%s%s%s", text,
	    near != NULL ? "; did you mean --" : "", near != NULL ? near : "",
	    near != NULL ? "?" : "");
}

/*
 * What getopt_long did not take. A letter is in optopt, and argv[optind - 1]
 * not yet behind it when others follow; a long option is in argv, and its
 * value in optopt when it is known.
 */
static enum status
option_fault(const struct option_table *table, int value, char **argv,
    struct report *report)
{
	const char *text = argv[optind - 1];
	char letter[] = {'-', (char)optopt, '\0'};

	/* --help is the one long option with a letter for its value. */
	if (optopt != 0 && optopt != 'h' && optopt < OPTION_VALUE_BASE)
		text = letter;
	if (value == ':')
		return report_fault(report, STATUS_USAGE, "usage", NULL, NULL,
		    "%s needs an argument", text);
	if (optopt != 0 && text != letter)
		return report_fault(report, STATUS_USAGE, "usage", NULL, NULL,
		    "%s: this option takes no argument", text);
	return unknown_fault(table, text, report);
}

/*
 * The first mistake is told: others may follow from it. The flags behind it
 * are read all the same, for one says how it is to be told.
 */
enum status
option_parse(const struct option_table *table, int argc, char **argv,
    void *options, struct report *report, int *operands)
{
	struct option longs[OPTION_ROWS_MOST + 2] = {0};
	char letters[2 * OPTION_ROWS_MOST + 4];
	enum status status = STATUS_OK;
	int value;

	fill_getopt(table, longs, letters);
	/* 0, not 1: a scan before this one may have ended within "-abc". */
	optind = 0;
	opterr = 0;
	while ((value = getopt_long(argc, argv, letters, longs, NULL)) != -1) {
		const struct option_row *row = option_find(table, value);

		if (status == STATUS_OK && value == 'h')
			return STATUS_DONE;
		if (row == NULL && status == STATUS_OK)
			status = option_fault(table, value, argv, report);
		else if (row != NULL &&
			 (status == STATUS_OK || row->kind == OPTION_FLAG))
			status = status_graver(
			    status, option_store(row, optarg, options, report));
	}
	*operands = optind;
	return status;
}

void
option_help(const struct option_table *table, FILE *stream)
{
	for (size_t i = 0; i < table->count; i++) {
		const struct option_row *row = &table->row[i];
		int width;

		if (row->letter != 0)
			width = fprintf(
			    stream, "  -%c, --%s", row->letter, row->name);
		else
			width = fprintf(stream, "      --%s", row->name);
		if (row->argument != NULL && *row->argument == '[')
			width += fprintf(stream, "%s", row->argument);
		else if (row->argument != NULL)
			width += fprintf(stream, " %s", row->argument);
		fprintf(stream, "%*s%s\n",
		    width < HELP_COLUMN + 4 ? HELP_COLUMN + 4 - width : 2, "",
		    row->help);
	}
	fprintf(stream, "  -h, --help%*sprint this help\n",
	    HELP_COLUMN + 4 - 12, "");
}
