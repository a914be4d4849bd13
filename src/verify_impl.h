/* SPDX-License-Identifier: ISC */
/* What the files of verify share. */
#ifndef CRLPRESS_VERIFY_IMPL_H
#define CRLPRESS_VERIFY_IMPL_H

#include "crlpress/crl_read.h"
#include "crlpress/pool.h"
#include "crlpress/verify.h"

/*
 * The bytes of a file: as read, or decoded from PEM. Zero-initialise; what is
 * read into it again replaces what was there, and the buffer is kept.
 */
struct verify_bytes {
	const uint8_t *data;
	size_t len;
	uint8_t *buffer;
	size_t room;
	uint8_t *decoded;
};

/*
 * Buffers of a verification: one a worker, and one more where two files are
 * held side by side after the workers are done.
 */
#define VERIFY_BUFFERS (POOL_WORKERS_MOST + 1)

/*
 * verify_bytes.c: reads a CRL, in DER or PEM, into `bytes`, where `*crl`
 * points then. Faults go to `report` under the path; STATUS_FAULTY.
 */
enum status verify_crl_read(const char *path, struct report *report,
    struct verify_bytes *bytes, struct crl *crl) MUST_CHECK;

/*
 * The same of a file that was judged, once more: what is read must be what was
 * judged then.
 */
enum status verify_crl_again(const struct verify_file *file,
    struct report *report, struct verify_bytes *bytes,
    struct crl *crl) MUST_CHECK;

/* Whether it is a regular file that begins so; at most 64 characters. */
bool verify_begins_with(const char *path, const char *text);

/* Any file of up to `most` bytes; faults as above. */
enum status verify_text_read(const char *path, size_t most,
    struct report *report, struct verify_bytes *bytes) MUST_CHECK;
void verify_bytes_free(struct verify_bytes *bytes);

/*
 * verify_list.c: ends the list. A file that was added twice stands in it once,
 * and it can be looked up by its path from then on.
 */
enum status verify_list_close(struct verify *verify) MUST_CHECK;

/* NULL when there is none. */
struct verify_file *verify_list_find(
    const struct verify *verify, const char *path);

/* Whether a configuration's set has to be complete. */
bool verify_is_whole(const struct verify *verify, const struct config *config);

/* verify_file.c */
void verify_file_judge(
    struct verify *verify, unsigned worker, struct verify_file *file);
void verify_file_free(struct verify_file *file);
bool verify_is_same_ca(const struct issuer *a, const struct issuer *b);

/* verify_set.c */
enum status verify_set_judge(struct verify *verify) MUST_CHECK;
/* The file at a key of a manifest, or NULL. */
struct verify_file *verify_set_find(const struct verify *verify,
    const struct verify_manifest *manifest, const char *key);
/* The manifest of a configuration, or NULL. */
const struct verify_manifest *verify_set_manifest(
    const struct verify *verify, const struct config *config);

/* verify_place.c: whether each CRL stands where its own URL is. */
enum status verify_place_judge(struct verify *verify) MUST_CHECK;

/*
 * verify_disjoint.c: made for CRLs of so many bytes before they are judged,
 * told of every entry then by the worker that reads it, asked in the end.
 */
enum status verify_disjoint_new(
    struct verify *verify, uint64_t bytes) MUST_CHECK;
void verify_disjoint_free(struct verify_disjoint *disjoint);
void verify_disjoint_entry(struct verify_disjoint *disjoint, unsigned worker,
    const struct issuer *issuer, const struct crl_entry *entry);
enum status verify_disjoint_judge(struct verify *verify) MUST_CHECK;

/* verify_rows.c: reads verify->rows_path; then holds files against it. */
enum status verify_rows_load(struct verify *verify) MUST_CHECK;
enum status verify_rows_judge(struct verify *verify) MUST_CHECK;

/*
 * The rows of a file's shard, sorted and unique, without those revoked after
 * its thisUpdate. `*rows` is malloc'd; NULL where there are no rows for it.
 */
enum status verify_rows_of(struct verify *verify,
    const struct verify_file *file, struct row **rows,
    size_t *count) MUST_CHECK;

/*
 * The entries of a file's CRL as rows that never expire, sorted, one a serial.
 * `*rows` is malloc'd.
 */
enum status verify_entries_of(struct verify *verify,
    const struct verify_file *file, const struct crl *crl, struct row **rows,
    size_t *count) MUST_CHECK;

/* verify_report.c: text from anywhere, made so that it can only be read. */
void verify_print_text(const char *text, FILE *stream);

/* verify_ccadb.c */
enum status verify_ccadb_judge(struct verify *verify) MUST_CHECK;

/* verify_previous.c */
enum status verify_previous_judge(struct verify *verify) MUST_CHECK;

#endif
