/* SPDX-License-Identifier: ISC */
/*
 * The configuration of one issuer: a file in OpenSSL's configuration syntax
 * (config(5ssl)), read with libcrypto's NCONF. One table of keys in config.c
 * drives parsing, defaults, `check-config` and the check of crlpress.cnf(5).
 */
#ifndef CRLPRESS_CONFIG_H
#define CRLPRESS_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "crlpress/crl_build.h"
#include "crlpress/lint.h"
#include "crlpress/report.h"
#include "crlpress/shard.h"
#include "crlpress/signer.h"
#include "crlpress/source.h"
#include "crlpress/source_certificate.h"
#include "crlpress/source_part.h"
#include "crlpress/status.h"
#include "crlpress/store_remote.h"

/* A configuration, or the SQL beside it, that is larger is a mistake. */
#define CONFIG_FILE_BYTES_MOST (1024 * 1024)

/* Strings belong to the configuration; paths are resolved against the file. */
struct config {
	char *path;
	char *name; /* [issuer] name, by default the file's without .cnf */

	/* [issuer] */
	char *certificate;
	char *key;             /* a path or a URI: key_uri.h; or "none" */
	char *passphrase_file; /* NULL: none */
	char *pin_source;      /* the path that a URI names; NULL: none */
	char *key_module;      /* NULL: as OpenSSL has it */
	char *key_provider;    /* NULL: an engine */
	uint32_t key_sessions;
	int64_t key_timeout_sec;
	bool key_sandbox; /* the signer is confined */
	enum signer_digest digest;
	enum signer_padding padding;
	enum profile profile;
	bool has_ocsp; /* certificates carry an OCSP URL */

	/* [source] */
	char *source;      /* as source_kind.h; NULL: a database */
	char *crl_issuer;  /* NULL: certificate */
	char *crl_ca_file; /* NULL: the system's */
	int64_t fetch_timeout_sec;
	uint64_t source_size_most;
	char *conninfo;        /* NULL: libpq's environment */
	char *revoke_conninfo; /* of `revoke`; NULL: conninfo */
	char *query_file;      /* NULL: the native table */
	char *sql;             /* its text, or the native statement */
	/* For a push: the rows of one shard, the row of one serial. A
	 * statement is NULL where all rows are to be read instead. */
	char *shard_query_file;
	char *shard_sql;
	char *serial_query_file;
	char *serial_sql;
	/* For `plan`: how many certificates are valid. NULL: not told. */
	char *certificate_query_file;
	char *certificate_sql;
	char *issuer_id;
	enum serial_encoding encoding;
	uint32_t source_connections;
	struct source_split split; /* of the native statement; or none */
	int64_t connect_timeout_sec;
	int64_t statement_timeout_sec;
	int64_t lookback_sec;

	/* [shards] */
	struct shard_scheme_config shards;
	char *url_pattern;
	char *object_pattern;

	/* [crl] */
	int64_t validity_sec;
	int64_t period_sec;
	enum crl_scope scope;

	/* [store] */
	char *store_url;
	char *manifest_key;
	struct store_remote remote; /* with an s3:// URL */
	bool manifest_gzip;         /* and there the manifest is packed */
	char *public_ca_file;       /* of the servers of url_pattern */

	/* [archive] */
	char *archive_url; /* NULL: nothing is archived */
	char *archive_endpoint;
	char *archive_region;
	enum store_path_style archive_path_style;
	char *archive_profile;
	char *archive_ca_file;
	bool archive_unconditional;
	uint64_t archive_spool_most; /* bytes that may wait on local disk */

	/* [share] */
	char *share_conninfo; /* NULL: that of the source */
	int64_t share_lease_sec;

	/* [state] */
	char *state_dir;
	uint64_t ledger_size;   /* at which the ledger is put aside */
	uint64_t memory_budget; /* bytes, of all processes of a run */

	/* [ocsp] */
	char *ocsp_query_file;  /* NULL: ocsp-gate has nothing to ask */
	char *ocsp_expiry_file; /* NULL: and nowhere to write it */
	bool ocsp_allow_none;   /* that there is no such certificate is fine */

	/* [gates] */
	uint32_t floor_percent;       /* of the total entries published */
	uint32_t shard_floor_percent; /* of a shard's */
	int64_t skew_sec;
	int64_t replay_lag_sec;
	uint64_t size_most; /* bytes of one CRL */
	uint64_t size_warning;
	bool allow_empty; /* an issuer without a single revocation is fine */
};

/*
 * How its source is opened; what it points to is the configuration's, which
 * outlives it, and `points`, which the scheme cdp looks at.
 */
struct source_config config_source(
    const struct config *config, const struct source_points *points);

/* The shards' URLs for the scheme cdp; `issuer` is a DER Name, or empty. */
struct source_points config_points(
    const struct config *config, struct crl_view issuer);

/*
 * How its signer is started: with no passphrase from a descriptor, by the
 * clock, for the URLs that it has.
 */
struct signer_config config_signer(const struct config *config);

/* [issuer] key, where that is on another machine: docs/airgap.md. */
#define CONFIG_KEY_NONE "none"

bool config_has_key(const struct config *config);

/* What its rows come from. */
enum source_kind config_source_kind(const struct config *config);

/* Of a file, its path or URL. */
const char *config_source_place(const struct config *config);

/* [store] manifest, when it is not given: of this name. */
#define CONFIG_MANIFEST_KEY "crlpress-manifest-%s.txt"

/* What to do where the native table is not there. */
#define CONFIG_NATIVE_HINT                                                \
	"is it the right database? sharding-config/native.sql makes the " \
	"native table"

/* A statement in messages: its file, or NULL for a native one. */
const char *config_statement_name(const char *query_file);

/*
 * Reads a file. Every mistake in it is reported, not just the first, as
 * `FILE:LINE: ...` with the nearest known name. STATUS_CONFIG when there was
 * any. The caller frees it; config_free(NULL) is fine.
 */
enum status config_load(
    const char *path, struct report *report, struct config **config) MUST_CHECK;
void config_free(struct config *config);

/*
 * The same for who does nothing but sign: of the file [issuer] alone must be
 * complete, with a key, and nothing else of it is judged. What it has of URLs
 * and shards is there, or NULL and 0.
 */
enum status config_load_signer(
    const char *path, struct report *report, struct config **config) MUST_CHECK;

/*
 * The files of a path: itself, or every *.cnf of a directory, by name. The
 * caller frees the list with config_paths_free.
 */
enum status config_paths(const char *path, struct report *report, char ***paths,
    size_t *count) MUST_CHECK;
void config_paths_free(char **paths, size_t count);

/* Prints what was understood, in the form of a configuration file. */
void config_print(const struct config *config, FILE *stream);

/* One line a key: section, key, kind, default, help; for the man page check. */
void config_print_keys(FILE *stream);

#endif
