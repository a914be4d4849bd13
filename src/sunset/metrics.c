/* SPDX-License-Identifier: ISC */
/*
 * Prometheus text: the head once, then a line for each cell that is not 0.
 * Names of hosts and issuers hold nothing that a label would have to escape
 * (count_host_fault, count_issuer_fault).
 */
#include "metrics.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

/* Longest line: names of 253 and 64 characters, and what is around them. */
_Static_assert(
    METRICS_PIECE_LEAST >= COUNT_HOST_BYTES + COUNT_ISSUER_BYTES + 256,
    "a line fits a piece");

/* One of the values beside the counters. */
struct metric {
	const char *name;
	const char *type;
	const char *help;
	uint64_t (*value)(const struct metrics_state *state);
};

static uint64_t
start_sec(const struct metrics_state *state)
{
	return (uint64_t)state->start_sec;
}

static uint64_t
reload_sec(const struct metrics_state *state)
{
	return (uint64_t)state->reload_sec;
}

static uint64_t
reloads_failed(const struct metrics_state *state)
{
	return state->reloads_failed;
}

static uint64_t
connections_open(const struct metrics_state *state)
{
	return state->connections_open;
}

static uint64_t
connections_accepted(const struct metrics_state *state)
{
	return state->connections_accepted;
}

static uint64_t
connections_refused(const struct metrics_state *state)
{
	return state->connections_refused;
}

static uint64_t
connections_timed_out(const struct metrics_state *state)
{
	return state->connections_timed_out;
}

static const struct metric metrics[] = {
    {"ocsp_sunset_start_time_seconds", "gauge",
	"Start of the server, in seconds since 1970.", start_sec},
    {"ocsp_sunset_config_time_seconds", "gauge",
	"When the configuration in force was read.", reload_sec},
    {"ocsp_sunset_reloads_failed_total", "counter",
	"Configurations that were refused.", reloads_failed},
    {"ocsp_sunset_connections_open", "gauge", "Connections that are open.",
	connections_open},
    {"ocsp_sunset_connections_accepted_total", "counter",
	"Connections that were accepted.", connections_accepted},
    {"ocsp_sunset_connections_refused_total", "counter",
	"Connections closed to make room for others.", connections_refused},
    {"ocsp_sunset_connections_timed_out_total", "counter",
	"Connections closed for being too slow.", connections_timed_out},
};
#define METRIC_COUNT (sizeof(metrics) / sizeof(metrics[0]))

static const char requests_head[] =
    "# HELP ocsp_sunset_requests_total Requests, by what they reveal.\n"
    "# TYPE ocsp_sunset_requests_total counter\n";

/* A piece as it grows. */
struct piece {
	char *buffer;
	size_t size;
	size_t len;
};

/* Appends whole or not at all: false when there is no room. */
static bool __attribute__((format(printf, 2, 3)))
piece_add(struct piece *piece, const char *format, ...)
{
	size_t room = piece->size - piece->len;
	va_list args;
	int n;

	va_start(args, format);
	n = vsnprintf(piece->buffer + piece->len, room, format, args);
	va_end(args);
	if (n < 0 || (size_t)n >= room)
		return false;
	piece->len += (size_t)n;
	return true;
}

static bool
metric_add(struct piece *piece, const struct metric *metric,
    const struct metrics_state *state)
{
	return piece_add(piece, "# HELP %s %s\n# TYPE %s %s\n%s %" PRIu64 "\n",
	    metric->name, metric->help, metric->name, metric->type,
	    metric->name, metric->value(state));
}

static bool
cell_add(struct piece *piece, const struct count_names *names, uint32_t cell,
    uint64_t count)
{
	struct count_key key = count_key_of(cell, names->hosts, names->issuers);

	if (count == 0)
		return true;
	return piece_add(piece,
	    "ocsp_sunset_requests_total{host=\"%s\",issuer=\"%s\","
	    "method=\"%s\",mode=\"%s\",nonce=\"%s\",hash=\"%s\"} %" PRIu64 "\n",
	    key.host < names->hosts ? names->host[key.host] : COUNT_OTHER_NAME,
	    key.issuer < names->issuers ? names->issuer[key.issuer]
					: COUNT_OTHER_NAME,
	    count_method_name((enum count_method)key.method),
	    answer_mode_name((enum answer_mode)key.mode),
	    COUNT_KIND_NONCE(key.kind) ? "yes" : "no",
	    count_hash_name(COUNT_KIND_HASH(key.kind)), count);
}

/* The cursor counts metrics first, then the head of the requests, then cells.
 */
static bool
step_add(struct piece *piece, uint32_t step, const struct metrics_state *state,
    const struct count_names *names, const uint64_t *cell)
{
	if (step < METRIC_COUNT)
		return metric_add(piece, &metrics[step], state);
	step -= (uint32_t)METRIC_COUNT;
	if (step == 0)
		return piece_add(piece, "%s", requests_head);
	return cell_add(piece, names, step - 1, cell[step - 1]);
}

size_t
metrics_next(struct metrics_cursor *cursor, const struct metrics_state *state,
    const struct count_names *names, const uint64_t *cell, char *buffer,
    size_t size)
{
	struct piece piece = {buffer, size, 0};
	const char *why = NULL;
	uint32_t cells = 0;

	if (size < METRICS_PIECE_LEAST ||
	    count_cells(names->hosts, names->issuers, &cells, &why) !=
		STATUS_OK)
		return 0;
	while (cursor->next < METRIC_COUNT + 1 + cells &&
	       step_add(&piece, cursor->next, state, names, cell))
		cursor->next++;
	return piece.len;
}
