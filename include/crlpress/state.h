/* SPDX-License-Identifier: ISC */
/*
 * What one issuer keeps on local disk between runs, in one directory:
 *   lock         held for the length of a run that publishes every shard
 *   number       the last CRL number ever given out, in decimal
 *   number.lock  held while a number is read and written, or `shards` is
 *   published    the number of the last manifest put into the store
 *   shards       the number of the last CRL of each shard that was put there
 *   staged       the request of the last set that went to an offline signer
 *   signed-number, signed/   on the signer's machine: the last number signed
 *                for this issuer, the requests and CRLs of the last two
 *   stage/       a directory for each run under way, held by it, with the
 *                signed bytes, one file a shard
 *   spool/       the same of what is to be archived, until it is
 * A number is given out once: it is above every one before it, and written
 * and synced before anything is signed under it, by whoever takes one. So a
 * number never stands for two different byte strings, whatever runs at once
 * and whatever is killed. That something was published tells an empty store
 * from a lost one.
 */
#ifndef CRLPRESS_STATE_H
#define CRLPRESS_STATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "crlpress/hash.h"
#include "crlpress/report.h"
#include "crlpress/status.h"
#include "crlpress/uint160.h"

struct state;

/* What a directory may take as one object is what is worth staging. */
#define STAGE_BYTES_MOST (2ULL * 1024 * 1024 * 1024)

enum state_mode {
	STATE_EXCLUSIVE, /* the one run that publishes every shard */
	STATE_SHARED     /* beside others, and beside that one */
};

/*
 * Opens DIR/NAME, both made when missing, and makes a directory for what is
 * to be staged. STATE_EXCLUSIVE takes the lock: STATUS_LOCKED, reported, when
 * another process has it. Every failure below is reported. state_close takes
 * the staging directory away again; state_close(NULL) is fine.
 */
enum status state_open(const char *dir, const char *name, enum state_mode mode,
    struct report *report, struct state **state) MUST_CHECK;
void state_close(struct state *state);

/*
 * What root makes in somebody else's state directory is given to who owns
 * that: the next run is theirs again. For files of other modules too.
 */
void state_own(const struct state *state, int fd);

/* The file of STATE_PUBLISHED: who has one was published from here. */
#define STATE_PUBLISHED_NAME "published"

enum state_kind {
	STATE_NUMBER,
	STATE_PUBLISHED,
	STATE_SIGNED,
	STATE_KIND_COUNT
};

/* The last number of its kind; zero when there was none yet: no file. */
enum status state_number(struct state *state, enum state_kind kind,
    struct uint160 *number) MUST_CHECK;

/*
 * Takes the next number, synced: above every one ever taken, and at least
 * `least`. Processes take turns; STATUS_LOCKED when another one has been at it
 * for half a minute, STATUS_REFUSED when there is none left below 2^159.
 */
enum status state_number_take(struct state *state, const struct uint160 *least,
    struct uint160 *number) MUST_CHECK;

/* Keeps the number of a published manifest, synced, unless it has a higher. */
enum status state_published_set(
    struct state *state, const struct uint160 *number) MUST_CHECK;

/* The same of the number that is signed here, before anything is. */
enum status state_signed_set(
    struct state *state, const struct uint160 *number) MUST_CHECK;

/* The last CRL of a shard that was put into the store from here. */
struct state_put {
	uint32_t shard;
	struct uint160 number;
};

struct state_puts {
	struct state_put *put; /* by rising shard */
	size_t count;
};

/*
 * All of them, to be freed with state_puts_free; none where there is no file.
 * One that is damaged is not one that says nothing: STATUS_FAILED.
 */
enum status state_puts_read(
    const struct state *state, struct state_puts *puts) MUST_CHECK;

/* NULL: none was. It belongs to `puts`. */
const struct uint160 *state_puts_find(
    const struct state_puts *puts, uint32_t shard);

/*
 * Keeps, synced, that these were put, by rising shard; a higher number that
 * is kept already stays. Processes take turns, as for numbers.
 */
enum status state_puts_raise(
    struct state *state, const struct state_put *put, size_t count) MUST_CHECK;
void state_puts_free(struct state_puts *puts);

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
 * Writes `parts` to a staged file of this name, by way of a temporary file
 * that is renamed. Nothing is lost with a staged file that a crash takes,
 * since the next run makes its own; so it is synced by stage_sync, before it
 * is put. The file is 0644. `file->sha256` is not filled in: the judge does
 * that from the file's bytes. Threads may call it with different names.
 */
enum status stage_write(struct state *state, const char *name,
    const struct stage_part *parts, size_t count,
    struct stage_file *file) MUST_CHECK;
void stage_file_free(struct stage_file *file);

/* Returns when the bytes are on disk. Threads may call it. */
enum status stage_sync(
    struct state *state, const struct stage_file *file) MUST_CHECK;

/*
 * Removes everything that was staged here. What cannot be removed is a
 * warning, in both: nothing is ever read again that a run staged before.
 */
void stage_clear(struct state *state);

/* Removes what runs left behind that were killed, of no run under way. */
void stage_sweep(struct state *state);

/* A directory for what is to go elsewhere, locked for as long as it is open. */
struct state_spool {
	char *path;
	int lock; /* -1: not open */
};

/* Makes one. Failures are reported; close it in any case. */
enum status state_spool_make(
    struct state *state, struct state_spool *spool) MUST_CHECK;

/*
 * One that somebody left behind, a killed process or one that could not empty
 * it; STATUS_DONE when there is none. One that is closed and still there comes
 * again.
 */
enum status state_spool_next(
    struct state *state, struct state_spool *spool) MUST_CHECK;

/* What is in all of them, about: others may be at work. */
uint64_t state_spool_bytes(const struct state *state);

/* Takes away one without a file; false: it is still there. Close it then. */
bool state_spool_remove(struct state_spool *spool) MUST_CHECK;
void state_spool_close(struct state_spool *spool);

#endif
