/* SPDX-License-Identifier: ISC */
/* Rows judged one by one, and counted. Which rules there are for a row stands
 * in source_row.c, shard.c and lint_entry.c. */
#include "crlpress/survey.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "crlpress/crl_build.h"
#include "crlpress/lint.h"
#include "crlpress/shard.h"

#define BATCH_ROWS 1024

struct surveyor {
	const struct config *config;
	int64_t now_sec;
	struct survey *survey;
};

static void
count_cause(
    struct survey *survey, const struct source_row *row, const char *why)
{
	char hex[UINT160_HEX_BYTES];
	const char *serial = row->serial_text;
	struct survey_cause *cause;
	size_t i = 0;

	while (
	    i < survey->cause_count && strcmp(survey->cause[i].why, why) != 0)
		i++;
	if (i == SURVEY_CAUSES_MOST)
		i--;
	cause = &survey->cause[i];
	if (i == survey->cause_count) {
		survey->cause_count++;
		cause->why = why;
		if (serial[0] == '\0')
			serial = row->has_serial
				     ? uint160_to_hex(&row->serial, hex)
				     : "(no serial)";
		snprintf(cause->serial, sizeof(cause->serial), "%s", serial);
	}
	cause->count++;
	survey->refused++;
}

static void
count_shard(struct survey *survey, int64_t shard)
{
	if (survey->shard_rows++ == 0)
		survey->shard_first = survey->shard_last = shard;
	if (shard < survey->shard_first)
		survey->shard_first = shard;
	if (shard > survey->shard_last)
		survey->shard_last = shard;
	if (shard < 0 || shard >= SURVEY_SHARDS_MOST ||
	    survey->shard_seen[shard])
		return;
	survey->shard_seen[shard] = true;
	survey->shard_count++;
}

/* Octets of the INTEGER: a serial with its first bit set has a zero before. */
static size_t
serial_len(const struct uint160 *serial)
{
	char hex[UINT160_HEX_BYTES];
	size_t len;

	(void)uint160_to_hex(serial, hex);
	len = strlen(hex) / 2;
	return hex[0] >= '8' ? len + 1 : len;
}

/* What a row that can be read is like. */
static void
count_row(const struct surveyor *surveyor, const struct source_row *row)
{
	struct survey *survey = surveyor->survey;
	size_t len = serial_len(&row->serial);

	if (survey->readable++ == 0) {
		survey->not_after_first_sec = row->not_after_sec;
		survey->not_after_last_sec = row->not_after_sec;
		survey->serial_least_len = survey->serial_most_len = len;
	}
	if (row->not_after_sec < survey->not_after_first_sec)
		survey->not_after_first_sec = row->not_after_sec;
	if (row->not_after_sec > survey->not_after_last_sec)
		survey->not_after_last_sec = row->not_after_sec;
	if (len < survey->serial_least_len)
		survey->serial_least_len = len;
	if (len > survey->serial_most_len)
		survey->serial_most_len = len;
	if (row->not_after_sec < surveyor->now_sec)
		survey->expired++;
	if (row->reason < SURVEY_REASONS)
		survey->reason[row->reason]++;
	survey->entry_bytes +=
	    crl_entry_size(&row->serial, row->revoked_at_sec, row->reason);
	if (row->hint.has_shard)
		count_shard(survey, row->hint.shard);
}

/* As a run judges a row by itself, and the entry that is made of it. */
static void
judge_row(const struct surveyor *surveyor, const struct source_row *row)
{
	const struct config *config = surveyor->config;
	struct survey *survey = surveyor->survey;
	const char *want, *why = NULL;
	uint32_t index = 0;

	survey->rows++;
	if (row->fault != NULL) {
		count_cause(survey, row, row->fault);
		return;
	}
	count_row(surveyor, row);
	if (shard_of(&config->shards, &row->serial, row->not_after_sec,
		&row->hint, &index, &why) != STATUS_OK)
		count_cause(survey, row, why);
	else if (row->revoked_at_sec - surveyor->now_sec > config->skew_sec)
		count_cause(survey, row, "revoked_at lies in the future");
	/* BR 4.9.1.1 and 4.9.13 */
	else if (!lint_reason_allowed(config->profile, row->reason, &want))
		count_cause(survey, row, "the profile has no such reason");
	else if (!survey->has_example) {
		survey->has_example = true;
		survey->serial = row->serial;
		survey->shard = index;
	}
}

/* The most frequent first, whatever order the rows came in. */
static int
cause_compare(const void *a, const void *b)
{
	const struct survey_cause *left = a, *right = b;

	if (left->count != right->count)
		return left->count < right->count ? 1 : -1;
	return strcmp(left->why, right->why);
}

enum status
survey_rows(struct source *source, const struct config *config, int64_t now_sec,
    struct report *report, struct survey *survey)
{
	const struct surveyor surveyor = {config, now_sec, survey};
	struct source_row *batch = calloc(BATCH_ROWS, sizeof(*batch));
	enum status status;
	size_t count = 0;

	memset(survey, 0, sizeof(*survey));
	if (batch == NULL)
		return report_fault(report, STATUS_NO_MEMORY, config->name,
		    NULL, NULL, "out of memory");
	status = source_start(source, now_sec - config->lookback_sec);
	while (status == STATUS_OK && (status = source_read(source, batch,
					   BATCH_ROWS, &count)) == STATUS_OK)
		for (size_t i = 0; i < count; i++)
			judge_row(&surveyor, &batch[i]);
	free(batch);
	qsort(survey->cause, survey->cause_count, sizeof(survey->cause[0]),
	    cause_compare);
	return status == STATUS_DONE ? STATUS_OK : status;
}
