/* SPDX-License-Identifier: ISC */
/*
 * Prometheus text: the same whatever the size of the pieces, whole lines
 * only, and every cell that is not 0 once.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../../src/sunset/metrics.h"

static const char *const hosts[] = {"ocsp.example.net"};
static const char *const issuers[] = {"r10", "E5"};
static const struct count_names names = {hosts, issuers, 1, 2};

static const struct metrics_state numbers = {.start_sec = 1796130000,
    .reload_sec = 1796130001,
    .reloads_failed = 2,
    .connections_open = 3,
    .connections_accepted = 4,
    .connections_refused = 5,
    .connections_timed_out = 6};

static const char head[] =
    "# HELP ocsp_sunset_start_time_seconds Start of the server, in seconds "
    "since 1970.\n"
    "# TYPE ocsp_sunset_start_time_seconds gauge\n"
    "ocsp_sunset_start_time_seconds 1796130000\n"
    "# HELP ocsp_sunset_config_time_seconds When the configuration in force "
    "was read.\n"
    "# TYPE ocsp_sunset_config_time_seconds gauge\n"
    "ocsp_sunset_config_time_seconds 1796130001\n"
    "# HELP ocsp_sunset_reloads_failed_total Configurations that were "
    "refused.\n"
    "# TYPE ocsp_sunset_reloads_failed_total counter\n"
    "ocsp_sunset_reloads_failed_total 2\n"
    "# HELP ocsp_sunset_connections_open Connections that are open.\n"
    "# TYPE ocsp_sunset_connections_open gauge\n"
    "ocsp_sunset_connections_open 3\n"
    "# HELP ocsp_sunset_connections_accepted_total Connections that were "
    "accepted.\n"
    "# TYPE ocsp_sunset_connections_accepted_total counter\n"
    "ocsp_sunset_connections_accepted_total 4\n"
    "# HELP ocsp_sunset_connections_refused_total Connections closed to "
    "make room for others.\n"
    "# TYPE ocsp_sunset_connections_refused_total counter\n"
    "ocsp_sunset_connections_refused_total 5\n"
    "# HELP ocsp_sunset_connections_timed_out_total Connections closed for "
    "being too slow.\n"
    "# TYPE ocsp_sunset_connections_timed_out_total counter\n"
    "ocsp_sunset_connections_timed_out_total 6\n"
    "# HELP ocsp_sunset_requests_total Requests, by what they reveal.\n"
    "# TYPE ocsp_sunset_requests_total counter\n";

static uint32_t
cells(void)
{
	const char *why;
	uint32_t count = 0;

	assert_int_equal(count_cells(1, 2, &count, &why), STATUS_OK);
	return count;
}

/* All of it, in pieces of `size`; malloc'd. */
static char *
metrics_all(const uint64_t *cell, size_t size)
{
	struct metrics_cursor cursor = {0};
	char *all = calloc(1, 1024 * 1024);
	char *piece = malloc(size);
	size_t len = 0, n;

	assert_non_null(all);
	assert_non_null(piece);
	while ((n = metrics_next(
		    &cursor, &numbers, &names, cell, piece, size)) > 0) {
		assert_true(n <= size);
		/* Whole lines. */
		assert_int_equal(piece[n - 1], '\n');
		memcpy(all + len, piece, n);
		len += n;
	}
	/* And stays at its end. */
	assert_int_equal(
	    metrics_next(&cursor, &numbers, &names, cell, piece, size), 0);
	free(piece);
	return all;
}

static void
test_golden(void **state)
{
	uint64_t *cell = calloc(cells(), sizeof(*cell));
	struct count_key key = {
	    0, 1, ANSWER_TRYLATER, COUNT_POST, COUNT_KIND(true, 1)};
	char want[4096];
	char *have;

	(void)state;
	assert_non_null(cell);
	have = metrics_all(cell, 65536);
	assert_string_equal(have, head);
	free(have);
	cell[count_cell(&key, 1, 2)] = 42;
	key = (struct count_key){1, 2, ANSWER_MALFORMED, COUNT_OTHER, 0};
	cell[count_cell(&key, 1, 2)] = UINT64_MAX;
	snprintf(want, sizeof(want),
	    "%socsp_sunset_requests_total{host=\"ocsp.example.net\","
	    "issuer=\"E5\",method=\"post\",mode=\"trylater\",nonce=\"yes\","
	    "hash=\"sha1\"} 42\n"
	    "ocsp_sunset_requests_total{host=\"other\",issuer=\"other\","
	    "method=\"other\",mode=\"malformed\",nonce=\"no\","
	    "hash=\"none\"} 18446744073709551615\n",
	    head);
	have = metrics_all(cell, 65536);
	assert_string_equal(have, want);
	free(have);
	free(cell);
}

static void
test_pieces(void **state)
{
	uint32_t count = cells(), lines = 0;
	uint64_t *cell = calloc(count, sizeof(*cell));
	char *whole, *part;

	(void)state;
	assert_non_null(cell);
	for (uint32_t i = 0; i < count; i++)
		cell[i] = i % 3 == 0 ? 0 : i;
	whole = metrics_all(cell, 1024 * 1024);
	for (const char *p = whole; (p = strchr(p, '{')) != NULL; p++)
		lines++;
	assert_int_equal(lines, count - (count + 2) / 3);
	for (size_t size = METRICS_PIECE_LEAST; size < 3000; size += 97) {
		part = metrics_all(cell, size);
		assert_string_equal(part, whole);
		free(part);
	}
	free(whole);
	free(cell);
}

/* Too small a buffer, too many names: nothing at all. */
static void
test_refused(void **state)
{
	static const struct count_names many = {NULL, NULL, 65, 65};
	struct metrics_cursor cursor = {0};
	char buffer[METRICS_PIECE_LEAST];

	(void)state;
	assert_int_equal(metrics_next(&cursor, &numbers, &names, NULL, buffer,
			     sizeof(buffer) - 1),
	    0);
	assert_int_equal(metrics_next(&cursor, &numbers, &many, NULL, buffer,
			     sizeof(buffer)),
	    0);
	assert_int_equal(cursor.next, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_golden),
	    cmocka_unit_test(test_pieces),
	    cmocka_unit_test(test_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
