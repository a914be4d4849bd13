/* SPDX-License-Identifier: ISC */
/*
 * Judging CRLs offline: files, directories or a manifest, by themselves and
 * as the set of an issuer's shards; no database, no network.
 *
 *   list   paths to files                                    verify_list.c
 *   bytes  read, not mapped                                 verify_bytes.c
 *   file   one file: parse, lint, facts                      verify_file.c
 *   set    complete, disjoint, as the manifest says           verify_set.c
 *                                                        verify_disjoint.c
 *   place  each where its URL leads                         verify_place.c
 *   ccadb  as CCADB says                                    verify_ccadb.c
 *   rows   every row listed, and nothing else               verify_rows.c
 *   then   against the set published before             verify_previous.c
 *   ask    which shard lists a serial                     verify_serial.c
 *   tell   the table, the JSON report                        verify_report.c
 */
#ifndef CRLPRESS_VERIFY_H
#define CRLPRESS_VERIFY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "crlpress/config.h"
#include "crlpress/issuer.h"
#include "crlpress/json.h"
#include "crlpress/lint.h"
#include "crlpress/manifest.h"
#include "crlpress/progress.h"
#include "crlpress/report.h"
#include "crlpress/row.h"
#include "crlpress/status.h"

/* More issuers or configurations than this are not judged at once. */
#define VERIFY_ISSUERS_MOST 256

/* A file that was asked for or found. */
struct verify_file {
	char *path;
	struct finding *finding; /* of this file; told in order */
	size_t finding_count;
	uint64_t found; /* those of which there were too many, too */

	/* What it turned out to be. */
	bool parsed;
	bool pem;                    /* size and sha256 are of its DER */
	const struct config *config; /* whose shard it is; NULL: unknown */
	uint32_t shard;              /* its index there */
	const struct issuer *shard_issuer; /* of that configuration */
	const struct issuer *issuer;       /* NULL: none that was given */
	char *url;                         /* the IDP's first; NULL: none */
	uint64_t size;
	struct hash sha256;
	bool has_number;
	struct uint160 number;
	int64_t this_update_sec;
	bool has_next_update;
	int64_t next_update_sec; /* this_update_sec where there is none */
	uint64_t entries;
	enum status status; /* STATUS_OK or STATUS_FAULTY */
};

/* The rows of one configuration's shards, by index from the first. */
struct verify_rows {
	const struct config *config;
	struct row_set *set; /* config->shards.count of them */
};

struct verify_manifest {
	char *path;
	char *root; /* directory its keys are relative to */
	struct manifest manifest;
};

struct verify {
	/* What to judge by: borrowed, filled in by the caller. */
	const struct config *config[VERIFY_ISSUERS_MOST];
	const struct issuer *config_issuer[VERIFY_ISSUERS_MOST];
	size_t config_count;
	const struct issuer *issuer[VERIFY_ISSUERS_MOST];
	size_t issuer_count;
	bool has_profile; /* else the configuration's, or tls */
	enum profile profile;
	const char *url;           /* every CRL's IDP must name it; NULL: any */
	const char *rows_path;     /* CSV of rows; NULL: none */
	const char *previous_path; /* the set published before; NULL: none */
	const char *ccadb_path;    /* the URLs as CCADB has them; NULL: none */
	int64_t now_sec;
	int64_t skew_sec;
	unsigned workers;
	struct report *report;
	struct progress *progress;

	/* What was found. */
	struct verify_file *file;
	size_t file_count;
	size_t file_room;
	size_t *by_path; /* indexes of files, by path; NULL: still adding */
	struct verify_manifest *manifest;
	size_t manifest_count;
	bool has_bad_manifest; /* one that cannot be read, whosever it is */
	bool whole;            /* a directory: every set must be complete */
	struct verify_bytes *bytes;       /* buffers, one a worker */
	struct verify_disjoint *disjoint; /* NULL: serials are not compared */
	struct row_arena *arena;
	struct verify_rows *rows;
	size_t rows_count;
};

/*
 * Adds a file, every file of a directory (deep, links not followed), or what
 * a manifest names. What is no regular file is a fault with its path.
 */
enum status verify_add(struct verify *verify, const char *path) MUST_CHECK;

/*
 * Judges what was added. STATUS_OK, STATUS_FAULTY, or what went wrong before
 * there was a verdict.
 */
enum status verify_run(struct verify *verify) MUST_CHECK;

/*
 * Prints which CRLs list a serial, since when and why; or that none does, and
 * in which shard it would have to stand where the scheme tells.
 * STATUS_NOT_FOUND when none does.
 */
enum status verify_ask(struct verify *verify, const struct uint160 *serial,
    FILE *stream) MUST_CHECK;
/* The same as an object in an array. */
enum status verify_ask_json(struct verify *verify, const struct uint160 *serial,
    struct json *json) MUST_CHECK;

/* A table with one line a file, and one line in all. */
void verify_print(const struct verify *verify, FILE *stream);
/* One object a file, into the array that is open. */
void verify_print_json(const struct verify *verify, struct json *json);

/* The rules of sets, as lint.h lists those of one CRL. */
size_t verify_rule_count(void);
struct lint_rule_facts verify_rule(size_t i);

/* Frees what was found, not what was filled in. */
void verify_free(struct verify *verify);

#endif
