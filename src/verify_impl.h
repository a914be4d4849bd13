/* SPDX-License-Identifier: ISC */
/* What the files of verify share. */
#ifndef CRLPRESS_VERIFY_IMPL_H
#define CRLPRESS_VERIFY_IMPL_H

#include "crlpress/crl_read.h"
#include "crlpress/verify.h"

/* The bytes of a file: mapped, or decoded from PEM. Zero-initialise. */
struct verify_bytes {
	const uint8_t *data;
	size_t len;
	void *map;
	size_t map_len;
	uint8_t *decoded;
};

/*
 * Maps a regular file, and decodes PEM. Faults go to `report` under the path;
 * STATUS_FAULTY.
 */
enum status verify_bytes_open(const char *path, struct report *report,
    struct verify_bytes *bytes) MUST_CHECK;
void verify_bytes_close(struct verify_bytes *bytes);

/* verify_list.c: finds or adds a file by its path. NULL: out of memory. */
struct verify_file *verify_file_add(struct verify *verify, const char *path);

/* verify_file.c */
void verify_file_judge(
    struct verify *verify, unsigned worker, struct verify_file *file);

/* verify_set.c */
enum status verify_set_judge(struct verify *verify) MUST_CHECK;

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

/* verify_previous.c */
enum status verify_previous_judge(struct verify *verify) MUST_CHECK;

#endif
