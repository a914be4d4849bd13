/* SPDX-License-Identifier: ISC */
/*
 * The gate of a run whose source is a file: whether it is an older one than the
 * last run saw. What the position is to a database, the
 * crlNumber and thisUpdate are to a CRL, and to an index the certificates that
 * it knows and its latest revocation: neither goes back.
 */
#include <string.h>

#include "crlpress/utc.h"
#include "run_impl.h"

static const char *
number_name(enum source_kind kind)
{
	return kind == SOURCE_CRL ? "crlNumber" : "certificates";
}

static const char *
time_name(enum source_kind kind)
{
	return kind == SOURCE_CRL ? "thisUpdate" : "latest revocation";
}

enum status
run_gate_edition_of(struct run *run, enum source_kind kind,
    const struct source_edition *then, const char *where)
{
	const struct source_snapshot *now = &run->snapshot;
	struct gate_place place = run_place(run);
	char have[UINT160_DECIMAL_BYTES], want[UINT160_DECIMAL_BYTES];
	char here[UTC_ISO_BYTES], there[UTC_ISO_BYTES];

	if (kind != now->kind)
		return gate_refuse(&place, GATE_DB_FRESH,
		    "another kind of source, have %s, want the %s that %s has",
		    source_kind_name(now->kind), source_kind_name(kind), where);
	if (uint160_compare(&now->edition.number, &then->number) < 0)
		return gate_refuse(&place, GATE_DB_FRESH,
		    "%s is behind %s, have %s %s, want at least %s",
		    config_source_place(run->config), where, number_name(kind),
		    uint160_to_decimal(&now->edition.number, have),
		    uint160_to_decimal(&then->number, want));
	if (now->edition.sec < then->sec)
		return gate_refuse(&place, GATE_DB_FRESH,
		    "%s is behind %s, have %s %s, want %s or later",
		    config_source_place(run->config), where, time_name(kind),
		    utc_to_iso(now->edition.sec, here),
		    utc_to_iso(then->sec, there));
	return STATUS_OK;
}

struct source_origin
run_origin(const struct run *run)
{
	const struct source_snapshot *snapshot = &run->snapshot;
	struct source_origin origin = {
	    .has_position = snapshot->has_position,
	    .timeline = snapshot->timeline,
	    .wal_position = snapshot->wal_position,
	    .has_edition = snapshot->kind != SOURCE_DATABASE,
	    .kind = snapshot->kind,
	    .edition = snapshot->edition,
	};

	memcpy(origin.system_identifier, snapshot->system_identifier,
	    sizeof(origin.system_identifier));
	return origin;
}

enum status
run_gate_edition(struct run *run)
{
	const struct source_origin *then = &run->manifest.origin;

	/* A database has no edition, and none is looked at. */
	return run_gate_edition_of(run,
	    then->has_edition ? then->kind : SOURCE_DATABASE, &then->edition,
	    "the last manifest");
}

/*
 * A copy of an index comes late, and may have revocations of certificates that
 * expired meanwhile: no CRL has listed them, whatever their dates.
 */
bool
run_edition_seen(
    const struct run *run, const struct run_shard *shard, int64_t *sec)
{
	const struct manifest *then = &run->manifest;
	const struct manifest_shard *line = manifest_find(then, shard->index);

	if (run->snapshot.kind != SOURCE_INDEX || !run->has_manifest ||
	    !then->origin.has_edition || then->origin.kind != SOURCE_INDEX)
		return false;
	*sec = then->origin.edition.sec;
	/* It was withheld: made of an index from before that, and what that
	 * had is not known. */
	if (line != NULL && line->this_update_sec < then->this_update_sec)
		*sec = UTC_MIN_SEC;
	return true;
}
