/* SPDX-License-Identifier: ISC */
/*
 * The rows of a source, looked at before anything relies on them: how many a
 * run would refuse and why, and what the others are like. Each row is judged
 * by itself, as a run would.
 */
#ifndef CRLPRESS_SURVEY_H
#define CRLPRESS_SURVEY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "crlpress/config.h"
#include "crlpress/report.h"
#include "crlpress/source.h"
#include "crlpress/status.h"
#include "crlpress/uint160.h"

/* Causes that are told apart; all further ones are told as the last. */
#define SURVEY_CAUSES_MOST 32

/* RFC 5280, 5.3.1: 0 to 10. */
#define SURVEY_REASONS 11

/* Why rows would be refused. */
struct survey_cause {
	const char *why; /* static text */
	uint64_t count;
	char serial[SOURCE_SERIAL_TEXT_BYTES]; /* of one of them */
};

/* Of a million numbers or more: a column that is no shard's number. */
#define SURVEY_SHARDS_MOST (2 * SHARD_COUNT_MOST)

struct survey {
	uint64_t rows;
	uint64_t refused;
	size_t cause_count;
	struct survey_cause cause[SURVEY_CAUSES_MOST];

	/* Of the rows that can be read, in the configured shards or not. */
	uint64_t readable;
	uint64_t reason[SURVEY_REASONS];
	uint64_t expired;
	int64_t not_after_first_sec;
	int64_t not_after_last_sec;
	size_t serial_least_len; /* content octets of the INTEGER */
	size_t serial_most_len;
	uint64_t entry_bytes; /* all of them as entries of a CRL */
	/* The numbers that rows bring along. */
	uint64_t shard_rows; /* that have one */
	int64_t shard_first;
	int64_t shard_last;
	uint32_t shard_count; /* different ones below SURVEY_SHARDS_MOST */
	bool shard_seen[SURVEY_SHARDS_MOST];

	/* One that would be listed. */
	bool has_example;
	struct uint160 serial;
	uint32_t shard;
};

/*
 * Reads all rows of an open source that was not started. `survey` is large:
 * not for a stack. Faults of the source are reported, those of rows counted.
 */
enum status survey_rows(struct source *source, const struct config *config,
    int64_t now_sec, struct report *report, struct survey *survey) MUST_CHECK;

#endif
