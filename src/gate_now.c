/* SPDX-License-Identifier: ISC */
/*
 * The gates that need nothing that was published: what a run stops by, and
 * what check-config and ocsp-gate say of the same issuer and source.
 */
#include "crlpress/gate_now.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>

#include "crlpress/database.h"
#include "crlpress/quantity.h"
#include "crlpress/utc.h"

/* RFC 5280, 6.3.3: the issuer's certificate is valid when the CRL is. */
const char *
gate_now_issuer(const struct issuer_facts *facts, const char *path,
    int64_t now_sec, char why[GATE_NOW_WHY_BYTES])
{
	bool is_early = now_sec < facts->not_before_sec;
	char have[UTC_ISO_BYTES], want[UTC_ISO_BYTES];

	if (!is_early && now_sec <= facts->not_after_sec)
		return NULL;
	snprintf(why, GATE_NOW_WHY_BYTES,
	    "issuer certificate %s, have %s, want %s %s: %s",
	    is_early ? "not yet valid" : "expired", utc_to_iso(now_sec, have),
	    is_early ? "from" : "up to",
	    utc_to_iso(
		is_early ? facts->not_before_sec : facts->not_after_sec, want),
	    path);
	return why;
}

/*
 * A clock that is behind makes CRLs that look old; one that is ahead makes
 * CRLs from the future, and no run after it can publish until then.
 */
static enum status
clock_of_database(const struct gate_place *place, const struct config *config,
    const struct source_snapshot *snapshot, int64_t here_sec, bool may_be_past)
{
	int64_t database_sec = snapshot->now_usec / DATABASE_USEC_PER_SEC;
	bool behind = database_sec - here_sec > config->skew_sec;
	bool ahead = here_sec - database_sec > config->skew_sec;
	char here[UTC_ISO_BYTES], there[UTC_ISO_BYTES];
	char limit[QUANTITY_DURATION_BYTES];

	if (!ahead && (!behind || may_be_past))
		return STATUS_OK;
	return gate_refuse(place, GATE_CLOCK,
	    "the clock here is %s the database's, have %s, want %s within %s",
	    ahead ? "ahead of" : "behind", utc_to_iso(here_sec, here),
	    utc_to_iso(database_sec, there),
	    quantity_duration_text(config->skew_sec, limit));
}

/* A CRL from the future: the clock of one of the two is wrong. */
static enum status
clock_of_crl(const struct gate_place *place, const struct config *config,
    const struct source_snapshot *snapshot, int64_t here_sec, bool may_be_past)
{
	int64_t made_sec = snapshot->edition.sec;
	char have[UTC_ISO_BYTES], want[UTC_ISO_BYTES];
	char limit[QUANTITY_DURATION_BYTES];

	if (may_be_past || made_sec - here_sec <= config->skew_sec)
		return STATUS_OK;
	return gate_refuse(place, GATE_CLOCK,
	    "the clock here is behind thisUpdate of %s, have %s, want %s "
	    "within %s",
	    config_source_place(config), utc_to_iso(here_sec, have),
	    utc_to_iso(made_sec, want),
	    quantity_duration_text(config->skew_sec, limit));
}

enum status
gate_now_clock(const struct gate_place *place, const struct config *config,
    const struct source_snapshot *snapshot, int64_t here_sec, bool may_be_past)
{
	if (snapshot->kind == SOURCE_DATABASE)
		return clock_of_database(
		    place, config, snapshot, here_sec, may_be_past);
	if (snapshot->kind == SOURCE_CRL)
		return clock_of_crl(
		    place, config, snapshot, here_sec, may_be_past);
	return STATUS_OK;
}

static enum status
fresh_database(const struct gate_place *place, const struct config *config,
    const struct source_snapshot *snapshot)
{
	char limit[QUANTITY_DURATION_BYTES];

	if (!snapshot->standby ||
	    snapshot->replay_lag_sec <= (double)config->replay_lag_sec)
		return STATUS_OK;
	(void)quantity_duration_text(config->replay_lag_sec, limit);
	if (!isfinite(snapshot->replay_lag_sec))
		return gate_refuse(place, GATE_DB_FRESH,
		    "the standby has replayed nothing since it started: how "
		    "far it lags is not known, want within %s",
		    limit);
	return gate_refuse(place, GATE_DB_FRESH,
	    "the standby lags, have %.0f s behind, want within %s",
	    snapshot->replay_lag_sec, limit);
}

/* RFC 5280, 5.1.2.5: by nextUpdate there is a newer one. */
static enum status
fresh_crl(const struct gate_place *place, const struct config *config,
    const struct source_snapshot *snapshot, int64_t now_sec)
{
	char have[UTC_ISO_BYTES], want[UTC_ISO_BYTES];

	if (!snapshot->has_next_update)
		return gate_refuse(place, GATE_DB_FRESH,
		    "%s has no nextUpdate: whether it is current cannot be "
		    "told",
		    config_source_place(config));
	if (snapshot->next_update_sec >= now_sec)
		return STATUS_OK;
	return gate_refuse(place, GATE_DB_FRESH,
	    "%s is out of date, have nextUpdate %s, want %s or later",
	    config_source_place(config),
	    utc_to_iso(snapshot->next_update_sec, have),
	    utc_to_iso(now_sec, want));
}

enum status
gate_now_fresh(const struct gate_place *place, const struct config *config,
    const struct source_snapshot *snapshot, int64_t now_sec)
{
	if (snapshot->kind == SOURCE_DATABASE)
		return fresh_database(place, config, snapshot);
	if (snapshot->kind == SOURCE_CRL)
		return fresh_crl(place, config, snapshot, now_sec);
	return STATUS_OK;
}

enum status
gate_now_source(const struct config *config,
    const struct source_snapshot *snapshot, int64_t now_sec,
    struct report *report)
{
	const struct gate_place place = {
	    .object = config->name, .report = report};
	enum status status =
	    gate_now_clock(&place, config, snapshot, now_sec, false);

	return status == STATUS_OK
		   ? gate_now_fresh(&place, config, snapshot, now_sec)
		   : status;
}

enum status
gate_now_rows(
    const struct gate_place *place, const struct config *config, uint64_t rows)
{
	enum status status;

	if (rows > 0 || config->allow_empty)
		return STATUS_OK;
	status = gate_refuse(place, GATE_DB_SCOPE,
	    "the source has not one row of issuer_id %s",
	    config->issuer_id != NULL ? config->issuer_id : "(none)");
	if (status != STATUS_OK)
		report_hint(place->report,
		    "allow_empty = yes where nothing was ever revoked");
	return status;
}
