/* SPDX-License-Identifier: ISC */
/*
 * A source from outside: opens the one that the arguments describe, prints
 * its snapshot and its rows as text, one a line, and how it ended.
 *
 * source_dump [-c CONNINFO] [-s SQL | -f FILE] [-e bytea|hex|decimal]
 *     [-i ISSUER] [-l LOOKBACK_SEC] [-t STATEMENT_TIMEOUT_SEC]
 *     [-T CONNECT_TIMEOUT_SEC] [-n ROWS_AT_A_TIME] [-w] [-q] [-N]
 *     [-x] [-S SHARE]
 *
 * -w waits for a line on stdin once the source is open; -q prints no rows but
 * their number; -N opens only, without a COPY. -x prints what others need to
 * read in this snapshot, which they are told by -S.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "crlpress/report.h"
#include "crlpress/source.h"
#include "crlpress/source_share.h"
#include "crlpress/utc.h"

#define ROWS_MOST 65536
#define SQL_BYTES 1000000

struct dump {
	struct source_config config;
	int64_t lookback_sec;
	size_t room;
	bool wait;
	bool quiet;
	bool open_only;
	const char *share; /* NULL: a snapshot of its own */
	struct report *report;
	struct source *source;
};

static void
usage(void)
{
	fputs("source_dump: wrong arguments; see its source\n", stderr);
	exit(2);
}

static const char *
file_read(const char *path)
{
	static char text[SQL_BYTES];
	FILE *file = fopen(path, "r");
	size_t len;

	if (file == NULL)
		usage();
	len = fread(text, 1, sizeof(text) - 1, file);
	text[len] = '\0';
	fclose(file);
	return text;
}

static enum serial_encoding
encoding_parse(const char *name)
{
	if (strcmp(name, "bytea") == 0)
		return SERIAL_BYTEA;
	if (strcmp(name, "hex") == 0)
		return SERIAL_HEX;
	if (strcmp(name, "decimal") != 0)
		usage();
	return SERIAL_DECIMAL;
}

static void
arguments_parse(struct dump *dump, int argc, char **argv)
{
	int c;

	while ((c = getopt(argc, argv, "c:s:f:e:i:l:t:T:n:wqNxS:")) != -1) {
		switch (c) {
		case 'c':
			dump->config.conninfo = optarg;
			break;
		case 's':
			dump->config.sql = optarg;
			break;
		case 'f':
			dump->config.sql = file_read(optarg);
			break;
		case 'e':
			dump->config.encoding = encoding_parse(optarg);
			break;
		case 'i':
			dump->config.issuer_id = optarg;
			break;
		case 'l':
			dump->lookback_sec = strtoll(optarg, NULL, 10);
			break;
		case 't':
			dump->config.statement_timeout_sec =
			    strtoll(optarg, NULL, 10);
			break;
		case 'T':
			dump->config.connect_timeout_sec =
			    strtoll(optarg, NULL, 10);
			break;
		case 'n':
			dump->room = strtoul(optarg, NULL, 10);
			break;
		case 'w':
			dump->wait = true;
			break;
		case 'q':
			dump->quiet = true;
			break;
		case 'x':
			dump->config.share = true;
			break;
		case 'S':
			dump->share = optarg;
			break;
		case 'N':
			dump->open_only = true;
			break;
		default:
			usage();
		}
	}
	if (optind != argc || dump->room == 0 || dump->room > ROWS_MOST)
		usage();
}

static void
snapshot_print(const struct source_snapshot *s)
{
	printf("snapshot position=%d system=%s timeline=%" PRIu32
	       " wal=%" PRIX64 "/%" PRIX64 " standby=%d now_usec=%" PRId64
	       " lag=%.6f\n",
	    s->has_position, s->system_identifier, s->timeline,
	    s->wal_position >> 32, s->wal_position & 0xffffffff, s->standby,
	    s->now_usec, s->replay_lag_sec);
	fflush(stdout);
}

/* Fields that a row with a fault does not have are "-". */
static void
row_print(const struct source_row *row)
{
	char serial[UINT160_HEX_BYTES] = "-";
	char revoked_at[UTC_ISO_BYTES] = "-", not_after[UTC_ISO_BYTES] = "-";
	char shard[24] = "-", recorded_at[UTC_ISO_BYTES];

	if (row->has_serial)
		uint160_to_hex(&row->serial, serial);
	if (row->fault == NULL)
		utc_to_iso(row->revoked_at_sec, revoked_at);
	if (row->has_not_after)
		utc_to_iso(row->not_after_sec, not_after);
	if (row->has_hint && row->hint.has_shard)
		snprintf(shard, sizeof(shard), "%" PRId64, row->hint.shard);
	printf("row %s %s %d %s %s", serial, revoked_at, row->reason, not_after,
	    shard);
	if (row->has_recorded)
		printf(" recorded %s",
		    utc_to_iso(row->recorded_at_sec, recorded_at));
	if (row->recorded_fault != NULL)
		printf(" but: %s", row->recorded_fault);
	if (row->fault != NULL)
		printf(" fault: %s [%s]", row->fault, row->serial_text);
	putchar('\n');
}

static enum status
rows_dump(struct dump *dump)
{
	static struct source_row rows[ROWS_MOST];
	uint64_t total = 0;
	size_t count;
	enum status status;

	status = source_start(dump->source, dump->lookback_sec);
	while (status == STATUS_OK) {
		status = source_read(dump->source, rows, dump->room, &count);
		if (status != STATUS_OK)
			break;
		total += count;
		for (size_t i = 0; !dump->quiet && i < count; i++)
			row_print(&rows[i]);
		if (total == count) {
			puts("reading");
			fflush(stdout);
		}
	}
	if (status == STATUS_DONE && (source_read(dump->source, rows,
					  dump->room, &count) != STATUS_DONE ||
					 count != 0))
		puts("no longer done");
	printf("rows %" PRIu64 "\n", total);
	return status == STATUS_DONE ? STATUS_OK : status;
}

static enum status
dump_open(struct dump *dump)
{
	struct source_share share;

	if (dump->share == NULL)
		return source_open(&dump->config, dump->report, &dump->source);
	snprintf(share.text, sizeof(share.text), "%s", dump->share);
	return source_open_shared(
	    &dump->config, &share, dump->report, &dump->source);
}

static enum status
share_print(struct source *source)
{
	struct source_share share;
	enum status status = source_share_export(source, &share);

	if (status == STATUS_OK)
		printf("share %s\n", share.text);
	fflush(stdout);
	return status;
}

int
main(int argc, char **argv)
{
	struct dump dump = {.config = {.sql = "",
				.sql_name = "test.sql",
				.issuer_id = "test-1",
				.connect_timeout_sec = 5,
				.statement_timeout_sec = 60},
	    .room = 1000};
	enum status status;
	char line[8];

	arguments_parse(&dump, argc, argv);
	dump.report = report_new(stderr, SEVERITY_NOTE);
	if (dump.report == NULL)
		return 1;
	status = dump_open(&dump);
	if (status == STATUS_OK) {
		snapshot_print(source_snapshot(dump.source));
		if (source_is_shared(dump.source))
			status = share_print(dump.source);
		if (dump.wait && fgets(line, sizeof(line), stdin) == NULL)
			puts("no line");
		if (!dump.open_only)
			status = rows_dump(&dump);
	}
	source_close(dump.source);
	report_close(dump.report);
	printf("status %s\n", status_name(status));
	report_free(dump.report);
	return status_exit(status);
}
