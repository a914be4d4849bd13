/* SPDX-License-Identifier: ISC */
/*
 * What one issuer keeps on local disk between runs, in one directory:
 *   lock       held for the length of a run
 *   number     the last CRL number ever given to the signer, in decimal
 *   published  the number of the last manifest put into the store
 *   stage/     signed bytes of the run under way, one file a shard
 * The number is written and synced before anything is signed under it, so a
 * number is never used for two different byte strings, whatever is killed.
 * That something was published tells an empty store from a lost one.
 */
#ifndef CRLPRESS_STATE_H
#define CRLPRESS_STATE_H

#include <stdint.h>

#include "crlpress/hash.h"
#include "crlpress/report.h"
#include "crlpress/status.h"
#include "crlpress/uint160.h"

struct state;

/* What a directory may take as one object is what is worth staging. */
#define STAGE_BYTES_MOST (2ULL * 1024 * 1024 * 1024)

/*
 * Opens DIR/NAME, both made when missing, and takes the lock: STATUS_LOCKED,
 * reported, when another process has it. Every failure below is reported.
 * state_close(NULL) is fine.
 */
enum status state_open(const char *dir, const char *name, struct report *report,
    struct state **state) MUST_CHECK;
void state_close(struct state *state);

enum state_kind { STATE_NUMBER, STATE_PUBLISHED, STATE_KIND_COUNT };

/* The last number of its kind; zero when there was none yet: no file. */
enum status state_number(struct state *state, enum state_kind kind,
    struct uint160 *number) MUST_CHECK;

/* Replaces it, synced. A number below the last one is refused. */
enum status state_number_set(struct state *state, enum state_kind kind,
    const struct uint160 *number) MUST_CHECK;

/* A staged file. The path belongs to whoever frees it: stage_file_free. */
struct stage_file {
	char *path;
	uint64_t size;
	struct hash sha256;
};

/* Bytes to be written one behind the other. */
struct stage_part {
	const void *data;
	size_t len;
};

/*
 * Writes `parts` to stage/NAME by way of a temporary file that is renamed.
 * Nothing is lost with a staged file that a crash takes, since the next run
 * makes its own; so it is synced by stage_sync, before it is put. The file is
 * 0644. `file->sha256` is not filled in: the judge does that from the file's
 * bytes. Threads may call it with different names.
 */
enum status stage_write(struct state *state, const char *name,
    const struct stage_part *parts, size_t count,
    struct stage_file *file) MUST_CHECK;
void stage_file_free(struct stage_file *file);

/* Returns when the bytes are on disk. Threads may call it. */
enum status stage_sync(
    struct state *state, const struct stage_file *file) MUST_CHECK;

/* Removes everything staged. */
enum status stage_clear(struct state *state) MUST_CHECK;

#endif
