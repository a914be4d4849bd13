/* SPDX-License-Identifier: ISC */
/*
 * The configuration of ocsp-sunset: one file, read strictly. The rules of its
 * format stand in sunset_config.c, its keys in one table in sunset_key.c,
 * which parsing, defaults, check-config and the manual page's check read.
 *
 *   [server]                  where it listens, its limits, what it answers
 *   [host ocsp.example.net]   what it answers to requests for this host
 *   [issuer r10]              what it answers for certificates of this issuer
 *   [report]                  when the report says that the name can go
 *
 * What is answered is a `mode` and a schedule, in each of the first three
 * sections; an issuer's goes before a host's, a host's before the server's:
 *
 *   mode = unauthorized
 *   from = 2026-12-01 mode = trylater share = 10% window = 02:00-04:00
 *   from = 2027-01-01T12:00:00Z mode = 410
 *
 * Each `from` is a phase, in order of time. A phase without share and window
 * takes the place of the mode; one with either applies to that share of the
 * requests, within that window of each day (UTC; it may pass midnight), until
 * the next phase begins, and the others get what held before.
 */
#ifndef CRLPRESS_SUNSET_CONFIG_H
#define CRLPRESS_SUNSET_CONFIG_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/socket.h>

#include "crlpress/report.h"
#include "crlpress/status.h"

#include "answer_mode.h"
#include "counts.h"

/* One message to the child, which must fit a socket's buffer. */
#define SUNSET_CONFIG_BYTES_MOST 131072

#define SUNSET_LISTEN_MOST 16
#define SUNSET_THREADS_MOST 64
/* A schedule is looked through once a second for each host and issuer. */
#define SUNSET_PHASES_MOST 32
/* SHA-1 and SHA-256 of a few keys: an issuer may have been rekeyed. */
#define SUNSET_KEY_HASHES_MOST 8
/* SHA-512. */
#define SUNSET_KEY_HASH_BYTES 64

/* The override's name: whoever sets it has read what it means. */
#define SUNSET_OVERRIDE "certificates-may-still-name-this-responder"

struct sunset_address {
	struct sockaddr_storage storage;
	socklen_t len; /* 0: none */
};

struct sunset_phase {
	int64_t from_sec;
	enum answer_mode mode;
	uint32_t share_percent; /* 100: of all requests */
	bool has_window;
	uint32_t window_first_sec; /* of the UTC day */
	uint32_t window_end_sec;   /* may lie before the first: past midnight */
};

/* What is answered, and when. */
struct sunset_rule {
	bool given; /* a mode or a phase; else the next wider rule holds */
	bool has_mode;
	enum answer_mode mode; /* the wider rule's when it has none */
	struct sunset_phase phase[SUNSET_PHASES_MOST];
	uint32_t phases;
};

struct sunset_host {
	char name[COUNT_HOST_BYTES]; /* lower case */
	struct sunset_rule rule;
};

struct sunset_key_hash {
	uint8_t octet[SUNSET_KEY_HASH_BYTES];
	uint8_t len; /* 20, 32, 48 or 64 */
};

struct sunset_issuer {
	char name[COUNT_ISSUER_BYTES];
	struct sunset_key_hash key_hash[SUNSET_KEY_HASHES_MOST];
	uint32_t key_hashes;
	struct sunset_rule rule;
};

struct sunset_config {
	/* [server]; what ends in (*) changes only when the server starts. */
	struct sunset_address listen[SUNSET_LISTEN_MOST]; /* (*) */
	uint32_t listens;
	struct sunset_address metrics; /* (*) */
	uint32_t threads;              /* (*) 0: one a processor */
	bool pin_threads;              /* (*) to processors */
	uint32_t connections;          /* (*) at most, of all threads */
	uint32_t backlog;              /* (*) */
	char *user;                    /* (*) or NULL */
	char *counts;                  /* (*) path, or NULL: not kept */
	int64_t idle_sec;              /* between two requests */
	int64_t request_sec;           /* from its first byte to its last */
	int64_t write_sec;             /* for an answer to be taken */
	int64_t drain_sec;             /* after SIGTERM */
	int64_t max_age_sec;           /* 0: Cache-Control: no-cache */
	int64_t retry_after_sec;
	bool has_last_expiry;
	int64_t last_expiry_sec;
	char *expiry_file;
	int64_t expiry_max_age_sec;
	bool override; /* override = SUNSET_OVERRIDE */
	struct sunset_rule rule;
	/* [host NAME], [issuer NAME] */
	struct sunset_host *host; /* in the order of the file */
	uint32_t hosts;
	struct sunset_issuer *issuer;
	uint32_t issuers;
	/* [report] */
	uint32_t retire_below; /* requests a day ... */
	uint32_t retire_days;  /* ... for so many days */
	/* Derived: the lists as counts.h wants them. */
	const char *host_name[COUNT_HOSTS_MOST];
	const char *issuer_name[COUNT_ISSUERS_MOST];
	struct count_names names;
	uint32_t cells;
};

/*
 * Reads the text of a configuration, `len` bytes and a NUL. `name` is what
 * faults call it. STATUS_CONFIG when there were faults, all of them reported;
 * `*config` is then NULL. Opens no file.
 */
enum status sunset_config_parse(const char *name, const char *text, size_t len,
    struct report *report, struct sunset_config **config) MUST_CHECK;

/*
 * Reads the file. The text is handed out too, malloc'd, when `text` is not
 * NULL. Relative paths in it are below the current directory.
 */
enum status sunset_config_load(const char *path, struct report *report,
    struct sunset_config **config, char **text, size_t *len) MUST_CHECK;

/* Prints what was understood, in the form that is read. */
void sunset_config_print(const struct sunset_config *config, FILE *stream);

/* Every key there is, with its default and one line of help. */
void sunset_config_print_keys(FILE *stream);

/*
 * Reports, as warnings, what differs in `new` and takes a restart to change.
 */
void sunset_config_compare(const char *name, const struct sunset_config *old,
    const struct sunset_config *new, struct report *report);

void sunset_config_free(struct sunset_config *config);

#endif
