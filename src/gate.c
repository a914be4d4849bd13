/* SPDX-License-Identifier: ISC */
/*
 * The table of gates and how one closes or is let pass. The comparison of a
 * shard with its published CRL is in gate_merge.c.
 */
#include "crlpress/gate.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "crlpress/quantity.h"

/* Longest sentence of a gate; a URL of 1024 bytes fits into it. */
#define GATE_TEXT_BYTES 2048

/* Whose gate it is, and so what --pass names with it. */
enum reach {
	OF_RUN,
	OF_SHARD,
	/* Or of all of them at once: let pass, no entry is lost, comes or
	 * changes by it, so that it is no decision about a shard. */
	OF_SHARDS,
};

struct gate_row {
	const char *name;
	const char *clause;
	const char *summary;
	enum reach reach;
};

/* --pass next-update-up:all */
#define ALL_SHARDS "all"

static const struct gate_row rows[GATE_COUNT] = {
    [GATE_PREVIOUS] = {"previous-readable", "house rule",
	"the published object can be read and is a CRL", OF_SHARD},
    [GATE_NUMBER_UP] = {"number-up", "RFC 5280, 5.2.3", "the CRL number rises",
	OF_SHARD},
    [GATE_TIME_UP] = {"time-up", "RFC 5280, 5.1.2.4",
	"thisUpdate is later than the published one", OF_SHARD},
    [GATE_NEXT_UP] = {"next-update-up", "RFC 5280, 5.1.2.5",
	"nextUpdate is not earlier than the published one", OF_SHARDS},
    [GATE_SCOPE] = {"same-scope", "house rule",
	"same issuer, key, URL and scope as published", OF_SHARD},
    [GATE_EARLY_REMOVAL] = {"no-early-removal", "RFC 5280, 3.3",
	"an entry leaves only after it was listed past its expiry", OF_SHARD},
    [GATE_CHANGE] = {"change", "BR 7.2.2",
	"a listed entry changes only to keyCompromise", OF_SHARD},
    [GATE_SHARD_FLOOR] = {"shard-floor", "house rule",
	"not far fewer entries than the published shard has", OF_SHARD},
    [GATE_DUPLICATE] = {"duplicate", "house rule",
	"rows of one serial say the same", OF_SHARD},
    [GATE_FLOOR] = {"floor", "house rule",
	"not far fewer entries in all than are published", OF_RUN},
    [GATE_DB_FRESH] = {"db-fresh", "house rule",
	"the database is not behind the last manifest", OF_RUN},
    [GATE_DB_SCOPE] = {"db-scope", "house rule",
	"the source has rows of this issuer", OF_RUN},
    [GATE_CLOCK] = {"clock", "RFC 5280, 5.1.2.4",
	"the clocks here and in the database agree", OF_RUN},
    [GATE_ROWS] = {"rows", "BR 4.9.7", "every row of the shard is well-formed",
	OF_SHARD},
    [GATE_DISJOINT] = {"set-disjoint", "house rule",
	"no serial has rows in two shards", OF_SHARD},
    [GATE_UNPLACED] = {"unplaced-rows", "BR 4.9.7",
	"every row of the source belongs to a shard", OF_RUN},
    [GATE_ISSUER] = {"issuer-valid", "RFC 5280, 6.3.3",
	"the issuer certificate is valid now", OF_RUN},
    [GATE_STORE] = {"store-known", "house rule",
	"the store still has what was published", OF_RUN},
    [GATE_SHARD_GONE] = {"set-complete", "CCADB 6.2",
	"published shards stay, and so does the way to them", OF_RUN},
};

_Static_assert(GATE_COUNT <= 32, "gate_place.closed has a bit for each");

const char *
gate_name(enum gate gate)
{
	return rows[gate].name;
}

const char *
gate_summary(enum gate gate)
{
	return rows[gate].summary;
}

bool
gate_is_of_shard(enum gate gate)
{
	return rows[gate].reach != OF_RUN;
}

bool
gate_takes_all(enum gate gate)
{
	return rows[gate].reach == OF_SHARDS;
}

static enum status
gate_find(const char *name, size_t len, enum gate *gate)
{
	for (size_t i = 0; i < GATE_COUNT; i++)
		if (strlen(rows[i].name) == len &&
		    memcmp(rows[i].name, name, len) == 0) {
			*gate = (enum gate)i;
			return STATUS_OK;
		}
	return STATUS_NOT_FOUND;
}

/* What stands behind the colon: a shard, or all of them. */
static enum status
pass_read_shard(struct gate_pass *pass, const char *text, const char **why)
{
	enum status status;
	uint64_t shard = 0;

	pass->all = strcmp(text, ALL_SHARDS) == 0;
	if (pass->all && !gate_takes_all(pass->gate)) {
		*why = "this gate guards entries: it is let pass for one "
		       "shard at a time, as GATE:SHARD";
		return STATUS_MALFORMED;
	}
	if (pass->all)
		return STATUS_OK;
	status = quantity_count(text, 0, UINT32_MAX, &shard, why);
	pass->shard = (uint32_t)shard;
	return status == STATUS_OK ? STATUS_OK : STATUS_MALFORMED;
}

enum status
gate_passes_add(struct gate_passes *passes, const char *text, const char **why)
{
	size_t len = strcspn(text, ":");
	struct gate_pass pass = {0};

	if (passes->count == GATE_PASSES_MOST) {
		*why = "too many gates to let pass";
		return STATUS_MALFORMED;
	}
	if (gate_find(text, len, &pass.gate) != STATUS_OK) {
		*why = "no gate has this name";
		return STATUS_MALFORMED;
	}
	if (gate_is_of_shard(pass.gate) != (text[len] == ':')) {
		*why = rows[pass.gate].reach == OF_RUN
			   ? "this gate is of the whole run, of no shard"
		       : rows[pass.gate].reach == OF_SHARD
			   ? "this gate is of one shard; name it, as GATE:SHARD"
			   : "this gate is of one shard; name it, as "
			     "GATE:SHARD, or all of them, as GATE:all";
		return STATUS_MALFORMED;
	}
	if (text[len] == ':' &&
	    pass_read_shard(&pass, text + len + 1, why) != STATUS_OK)
		return STATUS_MALFORMED;
	passes->pass[passes->count++] = pass;
	return STATUS_OK;
}

bool
gate_was_passed(
    const struct gate_passes *passes, enum gate gate, uint32_t shard)
{
	for (size_t i = 0; i < passes->count; i++)
		if (passes->pass[i].gate == gate && passes->pass[i].used &&
		    (passes->pass[i].all || passes->pass[i].shard == shard))
			return true;
	return false;
}

static bool
gate_passes(const struct gate_place *place, enum gate gate)
{
	struct gate_passes *passes = place->passes;
	bool found = false;

	for (size_t i = 0; passes != NULL && i < passes->count; i++) {
		struct gate_pass *pass = &passes->pass[i];

		if (pass->gate != gate ||
		    (gate_is_of_shard(gate) && !pass->all &&
			pass->shard != place->shard))
			continue;
		pass->used = true;
		found = true;
	}
	return found;
}

enum status
gate_refuse(
    const struct gate_place *place, enum gate gate, const char *format, ...)
{
	const struct gate_row *row = &rows[gate];
	char text[GATE_TEXT_BYTES];
	va_list list;

	va_start(list, format);
	vsnprintf(text, sizeof(text), format, list);
	va_end(list);
	if (!gate_passes(place, gate)) {
		if (place->closed != NULL)
			*place->closed |= UINT32_C(1) << gate;
		return report_fault(place->report, STATUS_REFUSED,
		    place->object, row->name, row->clause, "%s", text);
	}
	report_warn(place->report, place->object, row->name, row->clause,
	    "let pass by --pass: %s", text);
	return STATUS_OK;
}

void
gate_foresee(
    struct gate_published *published, const struct manifest_shard *line)
{
	if (!line->has_expiring)
		return;
	published->has_expiring = true;
	published->expiring = line->expiring;
	published->expiring_sec = line->this_update_sec;
	published->expiring_entries = line->entries;
}

void
gate_changes_free(struct gate_changes *changes)
{
	free(changes->row);
	memset(changes, 0, sizeof(*changes));
}
