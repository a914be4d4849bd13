/* SPDX-License-Identifier: ISC */
/*
 * Counts by day. Dense arrays: twenty years of days are 57 KiB a name, and
 * there are few names.
 */
#include "trend.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "crlpress/utc.h"

static const char full[] = "a count too large to be added up";

static const char *const by_names[TREND_BYS] = {
    [TREND_HOST] = "host",
    [TREND_ISSUER] = "issuer",
    [TREND_MODE] = "mode",
    [TREND_CLIENT] = "client",
};

struct trend *
trend_new(int64_t now_sec)
{
	struct trend *trend = calloc(1, sizeof(*trend));

	if (trend == NULL)
		return NULL;
	/* The last day is the last of the array. */
	trend->today = TREND_DAYS - 1;
	trend->base_day = now_sec / TREND_DAY_SEC - (TREND_DAYS - 1);
	return trend;
}

static struct trend_series *
series_find(struct trend_list *list, const char *name)
{
	for (size_t i = 0; i < list->count; i++)
		if (strcmp(list->series[i]->name, name) == 0)
			return list->series[i];
	return NULL;
}

/* A new one; NULL when memory ran out. */
static struct trend_series *
series_new(struct trend_list *list, const char *name)
{
	struct trend_series *series;

	if (list->series == NULL)
		list->series =
		    calloc(TREND_NAMES_MOST, sizeof(struct trend_series *));
	if (list->series == NULL)
		return NULL;
	series = calloc(1, sizeof(*series));
	if (series == NULL)
		return NULL;
	snprintf(series->name, sizeof(series->name), "%s", name);
	list->series[list->count++] = series;
	return series;
}

static const char *
sum_add(uint64_t *sum, uint64_t count)
{
	uint64_t both;

	if (__builtin_add_overflow(*sum, count, &both))
		return full;
	*sum = both;
	return NULL;
}

static const char *
list_add(struct trend_list *list, const char *name, size_t day, uint64_t count)
{
	struct trend_series *series = series_find(list, name);

	if (series == NULL && list->count == TREND_NAMES_MOST)
		return "too many names of hosts or issuers";
	if (series == NULL)
		series = series_new(list, name);
	if (series == NULL)
		return "out of memory";
	return sum_add(&series->day[day], count);
}

/* "GET sha1 nonce", "POST unreadable". */
static void
client_name(const struct count_record *record, char *out, size_t size)
{
	static const char *const methods[COUNT_METHODS] = {[COUNT_GET] = "GET",
	    [COUNT_POST] = "POST",
	    [COUNT_OTHER] = "other"};
	enum count_hash hash = COUNT_KIND_HASH(record->kind);

	snprintf(out, size, "%s %s%s", methods[record->method],
	    hash == COUNT_HASH_NONE ? "unreadable" : count_hash_name(hash),
	    COUNT_KIND_NONCE(record->kind) ? " nonce" : "");
}

/* The index of the record's day; false when there is none. */
static bool
day_index(const struct trend *trend, int64_t hour_sec, size_t *day)
{
	int64_t index;

	if (hour_sec < 0)
		return false;
	index = hour_sec / TREND_DAY_SEC - trend->base_day;
	if (index < 0 || index >= TREND_DAYS)
		return false;
	*day = (size_t)index;
	return true;
}

static const char *
request_add(struct trend *trend, const struct count_record *record, size_t day)
{
	const char *const name[TREND_CLIENT] = {
	    [TREND_HOST] = record->host,
	    [TREND_ISSUER] = record->issuer,
	    [TREND_MODE] = answer_mode_name(record->mode),
	};
	char client[COUNT_ISSUER_BYTES];
	const char *why = sum_add(&trend->requests[day], record->count);

	if (COUNT_KIND_HASH(record->kind) != COUNT_HASH_NONE && why == NULL)
		why = sum_add(&trend->ocsp[day], record->count);
	client_name(record, client, sizeof(client));
	for (unsigned by = 0; by < TREND_BYS && why == NULL; by++)
		why = list_add(&trend->by[by],
		    by == TREND_CLIENT ? client : name[by], day, record->count);
	return why;
}

const char *
trend_add(struct trend *trend, const struct count_record *record)
{
	size_t day;

	if (!day_index(trend, record->hour_sec, &day)) {
		trend->strays_here++;
		return NULL;
	}
	if (!trend->has_first || day < trend->first)
		trend->first = day;
	trend->has_first = true;
	if (!trend->has_first_here || day < trend->first_here)
		trend->first_here = day;
	trend->has_first_here = true;
	if (record->up_sec > 0) {
		if (__builtin_add_overflow(trend->up_here_sec[day],
			record->up_sec, &trend->up_here_sec[day]))
			return full;
		return NULL;
	}
	if (record->mode == ANSWER_MALFORMED)
		return sum_add(&trend->malformed[day], record->count);
	if (record->mode == ANSWER_HEALTH)
		return sum_add(&trend->health[day], record->count);
	return request_add(trend, record, day);
}

uint64_t
trend_file_end(struct trend *trend)
{
	size_t day = trend->has_first_here ? trend->first_here : TREND_DAYS;
	uint64_t strays = trend->strays_here;

	/* Its first day is never whole: others that were there speak of it. */
	if (day < TREND_DAYS && !trend->begun[day] &&
	    trend->up_here_sec[day] > trend->up_sec[day])
		trend->up_sec[day] = trend->up_here_sec[day];
	while (++day < TREND_DAYS) {
		if (!trend->begun[day] ||
		    trend->up_here_sec[day] < trend->up_sec[day])
			trend->up_sec[day] = trend->up_here_sec[day];
		trend->begun[day] = true;
	}
	memset(trend->up_here_sec, 0, sizeof(trend->up_here_sec));
	trend->has_first_here = false;
	trend->strays_here = 0;
	return strays;
}

uint64_t
trend_sum(const uint64_t day[TREND_DAYS], size_t first, size_t end)
{
	uint64_t sum = 0;

	for (size_t i = first; i < end && i < TREND_DAYS; i++)
		if (__builtin_add_overflow(sum, day[i], &sum))
			return UINT64_MAX;
	return sum;
}

size_t
trend_before(size_t end, size_t count)
{
	return count < end ? end - count : 0;
}

/* A series and what it is sorted by. */
struct ranked {
	struct trend_series *series;
	uint64_t recent;
	uint64_t all;
};

static int
ranked_compare(const void *a, const void *b)
{
	const struct ranked *x = a;
	const struct ranked *y = b;

	if (x->recent != y->recent)
		return x->recent > y->recent ? -1 : 1;
	if (x->all != y->all)
		return x->all > y->all ? -1 : 1;
	return strcmp(x->series->name, y->series->name);
}

void
trend_sort(struct trend *trend, size_t days)
{
	struct ranked ranked[TREND_NAMES_MOST];
	size_t end = trend->today;

	for (unsigned by = 0; by < TREND_BYS; by++) {
		struct trend_list *list = &trend->by[by];

		for (size_t i = 0; i < list->count; i++) {
			const uint64_t *day = list->series[i]->day;

			ranked[i] = (struct ranked){list->series[i],
			    trend_sum(day, trend_before(end, days), end),
			    trend_sum(day, 0, TREND_DAYS)};
		}
		if (list->count > 0)
			qsort(ranked, list->count, sizeof(ranked[0]),
			    ranked_compare);
		for (size_t i = 0; i < list->count; i++)
			list->series[i] = ranked[i].series;
	}
}

char *
trend_day_text(const struct trend *trend, size_t day, char out[TREND_DAY_BYTES])
{
	char iso[UTC_ISO_BYTES];

	utc_to_iso((trend->base_day + (int64_t)day) * TREND_DAY_SEC, iso);
	memcpy(out, iso, TREND_DAY_BYTES - 1);
	out[TREND_DAY_BYTES - 1] = '\0';
	return out;
}

const char *
trend_by_name(enum trend_by by)
{
	return by_names[by];
}

void
trend_free(struct trend *trend)
{
	if (trend == NULL)
		return;
	for (unsigned by = 0; by < TREND_BYS; by++) {
		for (size_t i = 0; i < trend->by[by].count; i++)
			free(trend->by[by].series[i]);
		free(trend->by[by].series);
	}
	free(trend);
}
