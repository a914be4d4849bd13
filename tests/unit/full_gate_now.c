/* SPDX-License-Identifier: ISC */
/*
 * The gates that need nothing that was published: where each closes, to the
 * second, and what it says, which a run and a trial have in common.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "crlpress/gate_now.h"

#define NOW_SEC 1795323600LL /* 2026-11-22T05:00:00Z */
#define SKEW_SEC 300
#define LAG_SEC 60
#define USEC_PER_SEC 1000000

static char source_database[] = "db";
static char source_crl[] = "crl:f.crl";
static char source_index[] = "index:index.txt";
static char issuer_id[] = "E1";
static char name[] = "e1";

struct now {
	struct config config;
	struct source_snapshot snapshot;
	struct gate_passes passes;
	struct gate_place place;
};

static int
now_setup(void **state)
{
	static struct now now;

	now = (struct now){
	    .config = {.name = name,
		.source = source_database,
		.skew_sec = SKEW_SEC,
		.replay_lag_sec = LAG_SEC},
	    .snapshot = {.kind = SOURCE_DATABASE,
		.now_usec = NOW_SEC * USEC_PER_SEC},
	};
	now.place = (struct gate_place){
	    .object = name, .report = report_new(NULL, SEVERITY_NOTE)};
	assert_non_null(now.place.report);
	*state = &now;
	return 0;
}

static int
now_teardown(void **state)
{
	struct now *now = *state;

	report_free(now->place.report);
	return 0;
}

static void
be_file(struct now *now, enum source_kind kind, char *source)
{
	now->config.source = source;
	now->snapshot = (struct source_snapshot){.kind = kind,
	    .edition = {.sec = NOW_SEC},
	    .has_next_update = true,
	    .next_update_sec = NOW_SEC};
}

/* STATUS_OK and no new finding, or one that says this of that gate. */
static void
closed(
    const struct now *now, enum status status, enum gate gate, const char *text)
{
	size_t kept = report_kept(now->place.report);
	const struct finding *finding;

	if (text == NULL) {
		assert_int_equal(status, STATUS_OK);
		assert_int_equal(kept, 0);
		return;
	}
	assert_int_equal(status, STATUS_REFUSED);
	assert_int_equal(kept, 1);
	finding = report_finding(now->place.report, 0);
	assert_string_equal(finding->object, name);
	assert_string_equal(finding->rule, gate_name(gate));
	assert_string_equal(finding->text, text);
}

static void
at_clock(struct now *now, int64_t here_sec, bool may_be_past, const char *text)
{
	report_free(now->place.report);
	now->place.report = report_new(NULL, SEVERITY_NOTE);
	closed(now,
	    gate_now_clock(&now->place, &now->config, &now->snapshot, here_sec,
		may_be_past),
	    GATE_CLOCK, text);
}

static void
at_source(struct now *now, int64_t now_sec, const char *text)
{
	report_free(now->place.report);
	now->place.report = report_new(NULL, SEVERITY_NOTE);
	closed(now,
	    gate_now_fresh(&now->place, &now->config, &now->snapshot, now_sec),
	    GATE_DB_FRESH, text);
}

static void
certificate_is_of_now(void **state)
{
	static const struct issuer_facts facts = {
	    .not_before_sec = NOW_SEC, .not_after_sec = NOW_SEC + 10};
	char text[GATE_NOW_WHY_BYTES];

	(void)state;
	assert_null(gate_now_issuer(&facts, "e1.pem", NOW_SEC, text));
	assert_null(gate_now_issuer(&facts, "e1.pem", NOW_SEC + 10, text));
	assert_string_equal(
	    gate_now_issuer(&facts, "e1.pem", NOW_SEC - 1, text),
	    "issuer certificate not yet valid, have 2026-11-22T04:59:59Z, "
	    "want from 2026-11-22T05:00:00Z: e1.pem");
	assert_string_equal(
	    gate_now_issuer(&facts, "e1.pem", NOW_SEC + 11, text),
	    "issuer certificate expired, have 2026-11-22T05:00:11Z, want up "
	    "to 2026-11-22T05:00:10Z: e1.pem");
}

static void
clocks_agree(void **state)
{
	struct now *now = *state;

	at_clock(now, NOW_SEC - SKEW_SEC, false, NULL);
	at_clock(now, NOW_SEC + SKEW_SEC, false, NULL);
	at_clock(now, NOW_SEC - SKEW_SEC - 1, false,
	    "the clock here is behind the database's, have "
	    "2026-11-22T04:54:59Z, want 2026-11-22T05:00:00Z within 5m");
	at_clock(now, NOW_SEC + SKEW_SEC + 1, false,
	    "the clock here is ahead of the database's, have "
	    "2026-11-22T05:05:01Z, want 2026-11-22T05:00:00Z within 5m");
	/* Asked for, the past is no fault; what is to come is. */
	at_clock(now, 0, true, NULL);
	at_clock(now, NOW_SEC + SKEW_SEC + 1, true,
	    "the clock here is ahead of the database's, have "
	    "2026-11-22T05:05:01Z, want 2026-11-22T05:00:00Z within 5m");
}

static void
clock_is_not_behind_a_crl(void **state)
{
	struct now *now = *state;

	be_file(now, SOURCE_CRL, source_crl);
	at_clock(now, NOW_SEC - SKEW_SEC, false, NULL);
	at_clock(now, NOW_SEC + 100 * SKEW_SEC, false, NULL);
	at_clock(now, NOW_SEC - SKEW_SEC - 1, false,
	    "the clock here is behind thisUpdate of f.crl, have "
	    "2026-11-22T04:54:59Z, want 2026-11-22T05:00:00Z within 5m");
	at_clock(now, NOW_SEC - SKEW_SEC - 1, true, NULL);
}

static void
standby_keeps_up(void **state)
{
	struct now *now = *state;

	now->snapshot.replay_lag_sec = LAG_SEC + 1;
	at_source(now, NOW_SEC, NULL); /* a primary has no lag */
	now->snapshot.standby = true;
	at_source(
	    now, NOW_SEC, "the standby lags, have 61 s behind, want within 1m");
	now->snapshot.replay_lag_sec = LAG_SEC;
	at_source(now, NOW_SEC, NULL);
	now->snapshot.replay_lag_sec = INFINITY;
	at_source(now, NOW_SEC,
	    "the standby has replayed nothing since it started: how far it "
	    "lags is not known, want within 1m");
	now->snapshot.replay_lag_sec = NAN;
	at_source(now, NOW_SEC,
	    "the standby has replayed nothing since it started: how far it "
	    "lags is not known, want within 1m");
}

static void
crl_has_not_run_out(void **state)
{
	struct now *now = *state;

	be_file(now, SOURCE_CRL, source_crl);
	at_source(now, NOW_SEC, NULL);
	at_source(now, NOW_SEC + 1,
	    "f.crl is out of date, have nextUpdate 2026-11-22T05:00:00Z, want "
	    "2026-11-22T05:00:01Z or later");
	now->snapshot.has_next_update = false;
	at_source(now, NOW_SEC,
	    "f.crl has no nextUpdate: whether it is current cannot be told");
}

static void
index_is_of_any_time(void **state)
{
	struct now *now = *state;

	be_file(now, SOURCE_INDEX, source_index);
	now->snapshot.has_next_update = false;
	at_clock(now, 0, false, NULL);
	at_clock(now, 2 * NOW_SEC, false, NULL);
	at_source(now, 2 * NOW_SEC, NULL);
}

/* The clock before all else, and what is behind it too. */
static void
source_is_of_now(void **state)
{
	struct now *now = *state;
	struct report *report = now->place.report;

	now->snapshot.standby = true;
	assert_int_equal(
	    gate_now_source(&now->config, &now->snapshot, NOW_SEC, report),
	    STATUS_OK);
	now->snapshot.replay_lag_sec = LAG_SEC + 1;
	closed(now,
	    gate_now_source(&now->config, &now->snapshot, NOW_SEC, report),
	    GATE_DB_FRESH,
	    "the standby lags, have 61 s behind, want within 1m");
	assert_int_equal(
	    gate_now_source(&now->config, &now->snapshot, 0, report),
	    STATUS_REFUSED);
	assert_string_equal(
	    report_finding(report, 1)->rule, gate_name(GATE_CLOCK));
	assert_int_equal(report_kept(report), 2);
}

static void
source_has_rows(void **state)
{
	struct now *now = *state;
	struct gate_place *place = &now->place;
	const char *why;

	assert_int_equal(gate_now_rows(place, &now->config, 1), STATUS_OK);
	closed(now, gate_now_rows(place, &now->config, 0), GATE_DB_SCOPE,
	    "the source has not one row of issuer_id (none)");
	now->config.issuer_id = issuer_id;
	now->config.allow_empty = true;
	assert_int_equal(gate_now_rows(place, &now->config, 0), STATUS_OK);
	now->config.allow_empty = false;
	/* Let pass, as any gate of a run. */
	assert_int_equal(
	    gate_passes_add(&now->passes, "db-scope", &why), STATUS_OK);
	place->passes = &now->passes;
	assert_int_equal(gate_now_rows(place, &now->config, 0), STATUS_OK);
	assert_string_equal(report_finding(place->report, 1)->text,
	    "let pass by --pass: the source has not one row of issuer_id E1");
}

int
main(void)
{
#define NOW_TEST(test) \
	cmocka_unit_test_setup_teardown(test, now_setup, now_teardown)
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(certificate_is_of_now),
	    NOW_TEST(clocks_agree),
	    NOW_TEST(clock_is_not_behind_a_crl),
	    NOW_TEST(standby_keeps_up),
	    NOW_TEST(crl_has_not_run_out),
	    NOW_TEST(index_is_of_any_time),
	    NOW_TEST(source_is_of_now),
	    NOW_TEST(source_has_rows),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
