/* SPDX-License-Identifier: ISC */
/*
 * Files and passphrases on their way into the signer's process, and out of
 * its memory again. No library; private to signer_key.c and what will stand
 * beside it for other kinds of keys.
 */
#ifndef CRLPRESS_SIGNER_SECRET_H
#define CRLPRESS_SIGNER_SECRET_H

#include <stdbool.h>

#include "crlpress/signer_key.h"

/* A file in memory. */
struct signer_file {
	uint8_t *data;
	size_t len;
};

/*
 * Reads a file of at most `most` bytes; a fault is the notice `unreadable`.
 * `exposed` is the warning when others than its owner and group may read it,
 * or others than its owner write it; SIGNER_NOTICE_COUNT for one that is no
 * secret. Wiped and freed by signer_file_free, which takes {0} too.
 */
enum status signer_file_load(struct signer_file *file, const char *path,
    size_t most, enum signer_notice_code unreadable,
    enum signer_notice_code exposed, struct signer_notices *notices) MUST_CHECK;
void signer_file_free(struct signer_file *file);

struct signer_passphrase {
	size_t len;
	bool given; /* there is one */
	bool asked; /* a key wanted it */
	char text[SIGNER_PASSPHRASE_BYTES_MOST + 1];
};

/*
 * The first line, without its end, of `passphrase_fd` or else of the file
 * `passphrase_path`; none without either. To be wiped in any case.
 */
enum status signer_passphrase_load(const struct signer_config *config,
    struct signer_passphrase *pass, struct signer_notices *notices) MUST_CHECK;
void signer_passphrase_wipe(struct signer_passphrase *pass);

#endif
