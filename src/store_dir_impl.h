/* SPDX-License-Identifier: ISC */
/*
 * What the files of the directory store share. store_dir.c is the store,
 * store_dir_file.c finds and locks, store_dir_put.c puts, store_dir_list.c
 * lists and removes, store_dir_sweep.c cleans up after puts that were killed.
 */
#ifndef CRLPRESS_STORE_DIR_IMPL_H
#define CRLPRESS_STORE_DIR_IMPL_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>

#include "store_impl.h"

/* Names that no object may have, whatever directory it is in. */
#define DIR_RESERVED ".crlpress-"
#define DIR_LOCK_NAME ".crlpress-lock"
#define DIR_TEMP_PREFIX ".crlpress-tmp-"

/* Directories of a key; the sweep goes as deep and keeps a descriptor each. */
#define DIR_DEPTH_MOST 32

#define DIR_MODE 0755
#define DIR_OBJECT_MODE 0644

struct store_dir {
	struct store store;
	int root;
	pthread_mutex_t mutex; /* of what follows */
	char **touched;        /* directories to be synced; "." is the root */
	size_t touched_count;
	size_t touched_room;
};

/* Reports that `doing` did not work, as store_fault, with a remedy. */
enum status dir_fault(
    struct store_dir *dir, const char *key, const char *doing, int error);

/*
 * The same of one object, not reported: STATUS_UNREADABLE, or, where it is the
 * whole process that can open no more, the fault.
 */
enum status dir_flaw(struct store_dir *dir, const char *key, const char *doing,
    int error, struct store_flaw *flaw);

/* close(2) of what may be open. */
void dir_fd_close(int fd);

void dir_version_set(struct store_version *version, const struct stat *st);
bool dir_same_file(const struct stat *a, const struct stat *b);

/*
 * Reads a file of this size; what is wrong with it, `*flaw`, is not reported.
 * `*data` is malloc'd; NULL for an empty one.
 */
enum status dir_read(struct store_dir *dir, const char *key, int fd, size_t len,
    uint8_t **data, struct store_flaw *flaw) MUST_CHECK;

/*
 * Opens a directory below `at`, never through a link; -1 with errno. With
 * `make` a missing one is made.
 */
int dir_child_open(int at, const char *name, bool make) MUST_CHECK;

/*
 * Opens the directory that a key is in and finds its name there. With `make`
 * missing ones are made; else STATUS_NOT_FOUND, not reported. Nor is what
 * stands in the way: `*flaw`.
 */
enum status dir_parent_open(struct store_dir *dir, const char *key, bool make,
    int *parent, const char **name, struct store_flaw *flaw) MUST_CHECK;

/*
 * Opens an object, a regular file of a size that is allowed;
 * STATUS_NOT_FOUND, not reported, when there is none. What is wrong with it,
 * `*flaw`, is not reported either; `*version` is that of the file all the
 * same, or empty. The caller closes `*fd` unless it is -1, after failures too.
 */
enum status dir_object_open(struct store_dir *dir, const char *key, int *fd,
    struct stat *st, struct store_version *version,
    struct store_flaw *flaw) MUST_CHECK;

/* Reports a root that is not there any more. */
enum status dir_root_check(struct store_dir *dir) MUST_CHECK;

/*
 * Takes the store's lock. Each caller has a descriptor of its own, so that
 * threads are kept apart too. With `wait` false STATUS_LOCKED, not reported,
 * when somebody else has it. dir_lock_drop of -1 is fine.
 */
enum status dir_lock_take(
    struct store_dir *dir, bool wait, int *lock) MUST_CHECK;
void dir_lock_drop(int *lock);

/*
 * Remembers the directory of a key, and all above it, for the next sync: any
 * of them may be new, made by us or by somebody who did not live to sync it.
 */
enum status dir_touched_add(struct store_dir *dir, const char *key) MUST_CHECK;

/* The functions of the kind. */
enum status store_dir_put(struct store *store,
    const struct store_upload *upload, struct store_version *now) MUST_CHECK;
enum status store_dir_sweep(struct store *store) MUST_CHECK;
enum status store_dir_list(struct store *store, const char *prefix,
    const char *after, struct store_keys *keys) MUST_CHECK;
enum status store_dir_remove(struct store *store, const char *key) MUST_CHECK;

#endif
