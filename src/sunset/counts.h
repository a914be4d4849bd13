/* SPDX-License-Identifier: ISC */
/*
 * What is counted of the requests, and the file that keeps it: so many
 * requests in an hour of this host, issuer, method, mode and kind of client
 * library; never an address, never a serial.
 *
 * Threads count in dense arrays of cells (count_cell); a difference between
 * two sums of them leaves as records, one line each:
 *
 *   2026-12-01T13Z host=ocsp.example.net issuer=r10 method=get \
 *   mode=unauthorized nonce=no hash=sha1 count=42
 *
 * (on one line). An hour may have several lines of one key, after a restart
 * say; readers add them up. Beside them stands how many seconds of the hour
 * were counted, so that silence can be told from a server that did not run:
 *
 *   2026-12-01T13Z up=3600
 * Everything but struct counts_file is pure.
 */
#ifndef CRLPRESS_COUNTS_H
#define CRLPRESS_COUNTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "crlpress/report.h"
#include "crlpress/status.h"

#include "answer_mode.h"

/* Configured ones; one cell more is for all others ("other"). */
#define COUNT_HOSTS_MOST 64
#define COUNT_ISSUERS_MOST 64

/* Cells of a thread: 512 KiB, of which only what is counted is resident. A
 * configuration with more is refused. */
#define COUNT_CELLS_MOST 65536U

/* RFC 1035, 2.3.4: a host name has at most 253 characters; and the NUL. */
#define COUNT_HOST_BYTES 254
/* A label of the configuration, and the NUL. */
#define COUNT_ISSUER_BYTES 65
/* The longest line, with its LF and a NUL. */
#define COUNT_LINE_BYTES 512

/* The name of the last host and of the last issuer of each configuration. */
#define COUNT_OTHER_NAME "other"

enum count_method { COUNT_GET, COUNT_POST, COUNT_OTHER, COUNT_METHODS };

/*
 * What a request reveals of the client's library: bit 0 says whether it has a
 * nonce, bits 1 and 2 are the hash algorithm of its first CertID.
 */
enum count_hash {
	COUNT_HASH_NONE, /* no request, or not one that could be read */
	COUNT_HASH_SHA1,
	COUNT_HASH_SHA256,
	COUNT_HASH_OTHER,
	COUNT_HASHES
};
#define COUNT_KIND(nonce, hash) \
	((uint8_t)(((unsigned)(hash) << 1) | ((nonce) ? 1U : 0U)))
#define COUNT_KIND_NONCE(kind) (((unsigned)(kind)&1U) != 0)
#define COUNT_KIND_HASH(kind) ((enum count_hash)(((unsigned)(kind) >> 1) & 3U))
#define COUNT_KINDS 8

/* Host and issuer are indices of the configured lists; their count is the
 * index of "other". */
struct count_key {
	uint16_t host;
	uint16_t issuer;
	uint8_t mode;   /* enum answer_mode */
	uint8_t method; /* enum count_method */
	uint8_t kind;   /* COUNT_KIND */
};

/* The lists of a configuration; the strings stay the caller's. */
struct count_names {
	const char *const *host; /* `hosts` of them, without "other" */
	const char *const *issuer;
	uint16_t hosts;
	uint16_t issuers;
};

/*
 * How many cells a thread needs. STATUS_CONFIG with static `*why` when there
 * are more hosts or issuers than allowed, or more cells than
 * COUNT_CELLS_MOST.
 */
enum status count_cells(
    size_t hosts, size_t issuers, uint32_t *cells, const char **why) MUST_CHECK;

/*
 * The cell of a key, below count_cells(). What is out of range in the key is
 * counted as "other", COUNT_OTHER or ANSWER_MALFORMED: never outside.
 */
uint32_t count_cell(
    const struct count_key *key, uint16_t hosts, uint16_t issuers);

/* The key of a cell below count_cells(). */
struct count_key count_key_of(uint32_t cell, uint16_t hosts, uint16_t issuers);

/* One line of the file, by name: what passes between the processes. */
struct count_record {
	int64_t hour_sec; /* the start of the hour, since 1970 */
	uint32_t up_sec;  /* above 0: seconds counted; nothing else is set */
	char host[COUNT_HOST_BYTES];
	char issuer[COUNT_ISSUER_BYTES];
	enum answer_mode mode;
	enum count_method method;
	uint8_t kind;
	uint64_t count; /* above 0 */
};

/* The names filled in; `hour_sec` is cut to the hour. */
void count_record_fill(struct count_record *record,
    const struct count_names *names, const struct count_key *key,
    int64_t now_sec, uint64_t count);

/*
 * How much of the hour of `from_sec` was counted, up to `to_sec`. False, and
 * nothing to append, when that is nothing. To be appended whenever counts
 * are, and at the end of each hour, though nobody came.
 */
bool count_record_up(
    struct count_record *record, int64_t from_sec, int64_t to_sec);

/*
 * Writes the line with its LF and a NUL, and returns its length without the
 * NUL. A record that count_record_parse would refuse is the caller's bug.
 */
size_t count_record_format(
    const struct count_record *record, char line[COUNT_LINE_BYTES]);

/*
 * Reads a line strictly, without its LF: every field once, in order, in its
 * one spelling, so that count_record_format gives the very same bytes.
 * STATUS_MALFORMED with static `*why`, and `*record` undefined. This is how
 * the parent reads what the child sent, too.
 */
enum status count_record_parse(const char *line, size_t len,
    struct count_record *record, const char **why) MUST_CHECK;

/*
 * What a name of the configuration must be, as static text, or NULL when
 * nothing is wrong: a host is lower-case letters, digits, '-', '.', '_', ':',
 * '[' and ']'; an issuer is letters, digits, '-', '.', '_'. "other" is taken.
 */
const char *count_host_fault(const char *host);
const char *count_issuer_fault(const char *issuer);

const char *count_method_name(enum count_method method);
const char *count_hash_name(enum count_hash hash);

/*
 * The file: appended to only, so that it may be made so (chattr +a). A line
 * that a crash tore is ended with " torn" by the next writer, and readers
 * drop it, as they drop a last line without its LF.
 */
#define COUNT_TORN " torn"

struct counts_file;

/*
 * Opens or makes the file and ends a torn line. The lock on it is held until
 * counts_file_close: STATUS_LOCKED when another process has it. Faults are
 * reported. The descriptor is close-on-exec.
 */
enum status counts_file_open(const char *path, struct report *report,
    struct counts_file **file) MUST_CHECK;

/*
 * Appends the records, each as a whole line, and syncs. After a failure some
 * of them may be in the file; a line that may be torn is ended by the next
 * append. To append all of them again then counts some twice, not to do so
 * loses some: the former keeps a name alive too long, the latter not long
 * enough. Nothing is done for `count` 0.
 */
enum status counts_file_append(struct counts_file *file,
    const struct count_record *record, size_t count,
    struct report *report) MUST_CHECK;

/* For the parent's own sandbox; it stays the file's. */
int counts_file_fd(const struct counts_file *file);

void counts_file_close(struct counts_file *file);

#endif
