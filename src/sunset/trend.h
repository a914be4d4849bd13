/* SPDX-License-Identifier: ISC */
/*
 * Counts by day: in all, and by host, issuer, mode and kind of client, each
 * by itself. A day is one of UTC. Pure; no library.
 */
#ifndef CRLPRESS_TREND_H
#define CRLPRESS_TREND_H

#include <stdint.h>

#include "counts.h"

#define TREND_DAY_SEC 86400

/* Twenty years: longer than certificates that name a responder last. */
#define TREND_DAYS 7306

/* Names of one kind: those configured over the years, a few times 64. */
#define TREND_NAMES_MOST 512

enum trend_by {
	TREND_HOST,
	TREND_ISSUER,
	TREND_MODE,
	TREND_CLIENT, /* "GET sha1 nonce" */
	TREND_BYS
};

struct trend_series {
	char name[COUNT_HOST_BYTES];
	uint64_t day[TREND_DAYS];
};

struct trend_list {
	struct trend_series **series; /* in the order they came */
	size_t count;
};

/* A day is known by its index: 0 to `today`, which is the last. */
struct trend {
	int64_t base_day; /* index 0, in days since 1970 */
	size_t today;     /* not over yet */
	bool has_first;
	size_t first; /* the first day with a record */
	/* Requests that a responder would have to answer: all but malformed
	 * ones and health checks. `ocsp` are those among them that hold an
	 * OCSP request which could be read. */
	uint64_t requests[TREND_DAYS];
	uint64_t ocsp[TREND_DAYS];
	uint64_t malformed[TREND_DAYS];
	uint64_t health[TREND_DAYS];
	/* Seconds counted; of several servers, those of the one with least
	 * among those that had begun on a day before. */
	uint32_t up_sec[TREND_DAYS];
	bool begun[TREND_DAYS];           /* there was one of these */
	uint32_t up_here_sec[TREND_DAYS]; /* of the file being read */
	bool has_first_here;
	size_t first_here;
	/* Of the file being read: hours to come, or 20 years ago and more. */
	uint64_t strays_here;
	struct trend_list by[TREND_BYS];
};

/* `now_sec` is in the last day. NULL when memory ran out. */
struct trend *trend_new(int64_t now_sec);
void trend_free(struct trend *trend);

/*
 * Takes a record in; NULL, or static text with what is wrong with it. One of
 * an hour that cannot be is what a clock wrote that was wrong: it is passed
 * over, and counted, since no other hour gets seconds by it.
 */
const char *trend_add(struct trend *trend, const struct count_record *record);

/*
 * After each file, since every server has its own: one that counts no more was
 * not there for its clients. Returns how many records were passed over.
 */
uint64_t trend_file_end(struct trend *trend);

/* The sum over the days from `first` to before `end`, none below 0. */
uint64_t trend_sum(const uint64_t day[TREND_DAYS], size_t first, size_t end);

/* The days of the last `count` before `end`: index of the first of them. */
size_t trend_before(size_t end, size_t count);

/* Those with most requests in the last `days` days first. */
void trend_sort(struct trend *trend, size_t days);

/* "2026-11-22" and its NUL. Returns `out`. */
#define TREND_DAY_BYTES 11
char *trend_day_text(
    const struct trend *trend, size_t day, char out[TREND_DAY_BYTES]);

/* "host", "issuer", "mode", "client". */
const char *trend_by_name(enum trend_by by);

#endif
