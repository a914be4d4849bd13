/* SPDX-License-Identifier: ISC */
/*
 * Revoked certificates out of PostgreSQL: one snapshot, one binary COPY, no
 * malloc a row. libpq stays behind this header.
 *
 * Or out of a file that is read whole, a CRL or an index.txt
 * (source_kind.h): its bytes are the snapshot, all rows of it one statement,
 * whatever is asked for. There is one reader then, and nothing to be shared.
 *
 * The statement yields these columns, in this order, the last or not:
 *   serial      bytea, or text in hex or decimal (serial encoding)
 *   revoked_at  timestamptz, or bigint seconds since 1970
 *   reason      smallint, integer or bigint: RFC 5280, 5.3.1
 *   not_after   timestamptz, or bigint seconds since 1970
 *   shard       smallint, integer or bigint; NULL: the scheme decides; with
 *               the scheme cdp, certificate: bytea (DER) or text (PEM)
 *   recorded_at timestamptz, or bigint seconds since 1970; NULL: not known
 * and may name :'issuer' and :'lookback' as psql would: both are replaced by
 * quoted literals (the configured issuer id; an ISO time, the oldest not_after
 * that is still asked for). Statements for less than all rows are told more:
 * :'shard', an index in decimal, or :'serial', in hex of whole octets. That for
 * all rows may name :'part' and :'parts', and then yields the rows of one part
 * of so many; see source_part.h.
 */
#ifndef CRLPRESS_SOURCE_H
#define CRLPRESS_SOURCE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "crlpress/report.h"
#include "crlpress/shard.h"
#include "crlpress/source_kind.h"
#include "crlpress/status.h"
#include "crlpress/uint160.h"

enum serial_encoding { SERIAL_BYTEA, SERIAL_HEX, SERIAL_DECIMAL };

/* Borrowed strings, which outlive the source. */
struct source_config {
	const char *conninfo; /* libpq conninfo or URI; NULL: libpq's own */
	const char *file;     /* of the configuration, for messages; or NULL */
	const char *absent_hint; /* where the table is not there, or NULL */
	const char *sql;         /* the statement, no trailing semicolon */
	const char *sql_name;    /* its file, for messages */
	const char *issuer_id;
	enum serial_encoding encoding;
	const struct source_points *points; /* of the scheme cdp, or NULL */
	int64_t connect_timeout_sec;
	int64_t statement_timeout_sec;
	/* Others are to read in its snapshot too: source_share.h. */
	bool share;
	/* Once it is true waits end soon, in silence; NULL: never. */
	const atomic_bool *stop;
	/* A file; of what stands above connect_timeout_sec counts alone. */
	enum source_kind kind;
	const char *place;       /* its path, or the URL of a CRL */
	const char *certificate; /* of the issuer of a CRL */
	const char *ca_file;     /* of the URL's server; NULL: the system's */
	int64_t fetch_timeout_sec;
	uint64_t size_most;
	bool (*cancelled)(void); /* fetching ends once it is true; or NULL */
	/* No revocation can be later: it does not count as the last one of an
	 * index; 0: any can. */
	int64_t latest_sec;
};

/* Longest bound of a part, "(4294967295,0)", with its NUL. */
#define SOURCE_PART_BYTES 24

/* One part of all rows. */
struct source_part {
	uint32_t number; /* from 0 */
	uint32_t count;
	/* Where the statement takes bounds; "" elsewhere. */
	char from[SOURCE_PART_BYTES];
	char to[SOURCE_PART_BYTES];
};

/*
 * How far back recorded_at is wanted: a row that was recorded before may come
 * without it, since a server spends on that column what it does on any other.
 * Zero-initialised: of every row.
 */
struct source_recorded {
	bool is_bounded;
	int64_t since_sec; /* INT64_MAX: of none */
};

/*
 * A statement to be read from. Borrowed: sql, shard, serial and part until it
 * is started, the name as long as the source.
 */
struct source_statement {
	const char *sql;
	const char *name;               /* its file, for messages */
	const char *shard;              /* decimal; NULL: not of one shard */
	const char *serial;             /* hex; NULL: not of one serial */
	bool has_parts;                 /* it may name :'part' and :'parts' */
	const struct source_part *part; /* NULL: the one that is all */
	struct source_recorded recorded;
};

/* Longest text of a serial in a fault, cut if longer. */
#define SOURCE_SERIAL_TEXT_BYTES 64

/* One row. */
struct source_row {
	const char *fault; /* static text; NULL: the row is well-formed */
	struct uint160 serial;
	int64_t revoked_at_sec; /* cut off towards the past */
	int64_t not_after_sec;
	uint8_t reason;
	struct shard_hint hint;
	/* When the row was written, where the source tells. What is no time
	 * is no fault of the row: it can stand in a CRL without it. */
	bool has_recorded;
	int64_t recorded_at_sec;
	const char *recorded_fault; /* static text, or NULL */
	/* With a fault: what can still be said of the row; all true without. */
	bool has_serial;
	bool has_hint;
	bool has_not_after;
	/* With a fault: as the database has it, bytea in hex, printable ASCII;
	 * "" for NULL and in a row without a fault. */
	char serial_text[SOURCE_SERIAL_TEXT_BYTES];
};

/* Where the snapshot stands. */
struct source_snapshot {
	char system_identifier
	    [SOURCE_SYSTEM_BYTES]; /* decimal, as pg_controldata prints it */
	uint32_t timeline;
	uint64_t wal_position; /* replayed on a standby, inserted otherwise */
	bool standby;
	int64_t now_usec; /* the database's clock at the snapshot, since 1970 */
	/* Standby: age of the last replayed commit, INFINITY when it has not
	 * replayed one since it started; 0 when nothing is left to replay.
	 * Primary: 0. */
	double replay_lag_sec;
	bool has_position; /* false: the server would not tell (privileges) */
	/* A file has none of these, but an edition, and a CRL nextUpdate. */
	enum source_kind kind;
	struct source_edition edition;
	bool has_next_update;
	int64_t next_update_sec;
};

struct source;

/*
 * Connects and opens one REPEATABLE READ READ ONLY transaction; its snapshot
 * is taken here. Faults name the server, never a password. The caller closes
 * it; source_close(NULL) is fine.
 */
enum status source_open(const struct source_config *config,
    struct report *report, struct source **source) MUST_CHECK;
/* From now on its faults go there. */
void source_report_to(struct source *source, struct report *report);
void source_close(struct source *source);
/* What it reads is given up; before source_close. */
void source_cancel(struct source *source);

/*
 * A new transaction on the same connection, with a snapshot of now, when the
 * rows of the one before are all read; `share` as in the configuration.
 */
enum status source_renew(struct source *source, bool share) MUST_CHECK;

const struct source_snapshot *source_snapshot(const struct source *source);

/*
 * Starts the COPY of the configured statement. Checks the statement's columns
 * and types first: a missing table or column, or a wrong type, is a fault
 * here. Rows whose not_after is before `lookback_sec` are not asked for.
 */
enum status source_start(
    struct source *source, int64_t lookback_sec) MUST_CHECK;

/*
 * The same of another statement. Both may be called again, in the same
 * snapshot, once source_read has said STATUS_DONE.
 */
enum status source_start_statement(struct source *source,
    const struct source_statement *statement, int64_t lookback_sec) MUST_CHECK;

/* Whether the statement has a column recorded_at; known once started. */
bool source_tells_recorded(const struct source *source);

/*
 * The next rows, up to `room`; `*count` may be less. STATUS_DONE with
 * *count == 0 after the last row, when the server has confirmed that the COPY
 * is complete; anything else is a fault already reported, and what was read
 * so far must not be used.
 */
enum status source_read(struct source *source, struct source_row *rows,
    size_t room, size_t *count) MUST_CHECK;

#endif
