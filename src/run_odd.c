/* SPDX-License-Identifier: ISC */
/*
 * Rows of which something is to be said: kept while they arrive, by whoever
 * reads, and told when all are there, by shard and serial. So what is said
 * depends neither on how many read nor on who was first.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "crlpress/quantity.h"
#include "crlpress/utc.h"
#include "run_odd.h"

/* More than these of one reader are counted, and told without their serial. */
#define ROWS_MOST 65536

#define ROW_OBJECT_BYTES (RUN_OBJECT_BYTES + SOURCE_SERIAL_TEXT_BYTES + 16)

#define MORE_SERIAL "(one of more than are kept)"

bool
run_odd_add(
    struct run_odd_list *list, const struct run *run, const struct run_odd *odd)
{
	struct run_odd *row = list->row;
	size_t room;

	if (list->count == ROWS_MOST) {
		if (list->more == NULL)
			list->more =
			    calloc(run->shard_count + 1, sizeof(*list->more));
		if (list->more == NULL)
			return false;
		if (odd->kind < RUN_ODD_WARNINGS)
			list->more[odd->shard]++;
		else
			list->more_warnings++;
		return true;
	}
	if (list->count == list->room) {
		room = list->room == 0 ? 64 : 2 * list->room;
		row = reallocarray(row, room, sizeof(*row));
		if (row == NULL)
			return false;
		list->row = row;
		list->room = room;
	}
	row[list->count++] = *odd;
	return true;
}

/* All that can tell two apart, so that equal ones are the same. */
static int
compare(const void *a, const void *b)
{
	const struct run_odd *x = a, *y = b;
	int order = (x->shard > y->shard) - (x->shard < y->shard);

	if (order == 0)
		order = strcmp(x->serial, y->serial);
	if (order == 0)
		order = (int)x->kind - (int)y->kind;
	if (order == 0 && x->why != NULL && y->why != NULL)
		order = strcmp(x->why, y->why);
	if (order == 0)
		order = (x->value > y->value) - (x->value < y->value);
	return order;
}

/*
 * A row that cannot be listed withholds its shard, or, where not even that is
 * known, every shard: a certificate is revoked and nothing would say so.
 */
static void
refuse(struct run *run, size_t i, const char *serial, const char *why)
{
	struct run_shard *shard = i < run->shard_count ? &run->shard[i] : NULL;
	struct gate_place place =
	    shard == NULL ? run_place(run) : run_shard_place(run, shard);
	char object[ROW_OBJECT_BYTES];

	snprintf(object, sizeof(object), "%s/row %s", place.object, serial);
	place.object = object;
	if (shard == NULL) {
		run->rows_unplaced++;
		/* Counted here, judged when all rows are told. */
		report_warn(run->report, object, gate_name(GATE_UNPLACED),
		    "BR 4.9.7", "%s; no shard can be told for it", why);
		return;
	}
	shard->rows_faulty++;
	if (gate_refuse(&place, GATE_ROWS, "%s", why) != STATUS_OK)
		shard->rows_refused = true;
}

static void
tell(struct run *run, const struct run_odd *odd)
{
	char date[UTC_ISO_BYTES], limit[QUANTITY_DURATION_BYTES];
	char why[160];

	switch (odd->kind) {
	case RUN_ODD_FAULTY:
		refuse(run, odd->shard, odd->serial, odd->why);
		break;
	case RUN_ODD_FUTURE:
		snprintf(why, sizeof(why),
		    "revoked_at lies in the future, have %s, want within %s of "
		    "now",
		    utc_to_iso(odd->value, date),
		    quantity_duration_text(run->config->skew_sec, limit));
		refuse(run, odd->shard, odd->serial, why);
		break;
	case RUN_ODD_ELSEWHERE:
		snprintf(why, sizeof(why),
		    "a row of shard %" PRId64 ", which was not asked for",
		    odd->value);
		refuse(run, odd->shard, odd->serial, why);
		break;
	case RUN_ODD_RECORDED:
		report_warn(run->report, run->shard[odd->shard].object,
		    "period", "BR 4.9.7", "serial %s: %s", odd->serial,
		    odd->why);
		break;
	case RUN_ODD_RECORDED_FUTURE:
		report_warn(run->report, run->shard[odd->shard].object,
		    "period", "BR 4.9.7",
		    "serial %s: recorded_at lies in the future, have %s",
		    odd->serial, utc_to_iso(odd->value, date));
		break;
	}
}

void
run_odd_tell(struct run *run, struct run_odd_list *list)
{
	if (list->count > 0)
		qsort(list->row, list->count, sizeof(*list->row), compare);
	for (size_t i = 0; i < list->count; i++)
		tell(run, &list->row[i]);
	for (size_t i = 0; list->more != NULL && i <= run->shard_count; i++)
		for (; list->more[i] > 0; list->more[i]--)
			refuse(run, i, MORE_SERIAL, "another faulty row");
	for (; list->more_warnings > 0; list->more_warnings--)
		report_warn(run->report, run->config->name, "period",
		    "BR 4.9.7", "another row with a date that cannot be");
}

bool
run_odd_join(
    struct run_odd_list *list, struct run_odd_list *from, size_t shard_count)
{
	size_t count = list->count + from->count;
	struct run_odd *row;

	if (from->count > 0) {
		row = reallocarray(list->row, count, sizeof(*row));
		if (row == NULL)
			return false;
		memcpy(
		    row + list->count, from->row, from->count * sizeof(*row));
		list->row = row;
		list->room = list->count = count;
	}
	if (list->more == NULL) {
		list->more = from->more;
		from->more = NULL;
	}
	for (size_t i = 0; from->more != NULL && i <= shard_count; i++)
		list->more[i] += from->more[i];
	list->more_warnings += from->more_warnings;
	run_odd_free(from);
	return true;
}

void
run_odd_free(struct run_odd_list *list)
{
	free(list->row);
	free(list->more);
	memset(list, 0, sizeof(*list));
}
