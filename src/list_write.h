/* SPDX-License-Identifier: ISC */
/*
 * The text of a list as list_read.h reads it. What could not be read back is
 * refused here, so that nobody stumbles over it later. Pure; no library.
 */
#ifndef CRLPRESS_LIST_WRITE_H
#define CRLPRESS_LIST_WRITE_H

#include <stddef.h>
#include <stdint.h>

#include "crlpress/shard.h"
#include "crlpress/source_kind.h"
#include "crlpress/status.h"
#include "crlpress/uint160.h"
#include "crlpress/utc.h"

#include "list_read.h"

/* The text as it grows; the first failure stays. Zero-initialise. */
struct list_text {
	char *data;
	size_t len;
	size_t size;
	enum status status;
	const char *why;
};

/* Returns `status`; `why` is static text. */
enum status list_text_fail(
    struct list_text *text, enum status status, const char *why);

void list_printf(struct list_text *text, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* A value as text, in `out`, which is returned; fails where it has none. */
char *list_time(struct list_text *text, int64_t sec, char out[UTC_ISO_BYTES]);
char *list_number(struct list_text *text, const struct uint160 *number,
    char out[UINT160_DECIMAL_BYTES]);

/* The lines `# NAME VALUE`. */
void list_put_word(struct list_text *text, const char *name, const char *word);
void list_put_hash(
    struct list_text *text, const char *name, const struct hash *hash);
void list_put_number(
    struct list_text *text, const char *name, const struct uint160 *number);
void list_put_time(struct list_text *text, const char *name, int64_t sec);
/* `# passed`, each on a line of its own. */
void list_put_passed(
    struct list_text *text, char *const *passed, size_t count, size_t most);

/* The line `# position`, or `# edition`, or neither. */
void list_put_origin(
    struct list_text *text, const struct source_origin *origin);

/* The line `# sharding`, or nothing where that is not known. */
void list_put_sharding(
    struct list_text *text, const struct shard_placing *placing);

/*
 * The closing line. `*out` is malloc'd, `*len` without the ending NUL; or the
 * status and `*why` of what failed, and nothing to free.
 */
enum status list_finish(struct list_text *text, char **out, size_t *len,
    const char **why) MUST_CHECK;

#endif
