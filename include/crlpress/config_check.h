/* SPDX-License-Identifier: ISC */
/*
 * What the values of a configuration must be together, once each is well
 * formed by itself: what is required, what excludes what, which lifetimes a
 * profile allows.
 */
#ifndef CRLPRESS_CONFIG_CHECK_H
#define CRLPRESS_CONFIG_CHECK_H

#include <stdbool.h>
#include <stddef.h>

#include "crlpress/config.h"
#include "crlpress/config_file.h"
#include "crlpress/config_key.h"

/* How a key came by its value; one each, in the table's order. */
struct config_place {
	size_t line; /* 0: not in the file */
	bool bad;    /* in the file, and refused */
};

struct config_draft {
	struct config *config;
	const struct config_file *file;
	struct report *report;
	bool of_signer; /* config_load_signer */
	struct config_place place[CONFIG_KEYS_MOST];
};

/* The place of the key whose member has this offset in struct config. */
const struct config_place *config_place(
    const struct config_draft *draft, size_t offset);

/*
 * Reports a fault of the key with this offset, at its line or, when it is
 * not in the file, at its section's. STATUS_CONFIG.
 */
enum status config_draft_fault(const struct config_draft *draft, size_t offset,
    const char *clause, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/*
 * config_source.c: what goes with the source that there is. And its path made
 * absolute, as those of other keys are when they are set.
 */
enum status config_source_check(const struct config_draft *draft) MUST_CHECK;
enum status config_source_derive(
    struct config *config, const char *directory) MUST_CHECK;

/* What [crl] scope is by default. */
enum crl_scope config_profile_scope(enum profile profile);

/*
 * All checks. A check that needs a value which was refused is left out: the
 * fault has been reported already. STATUS_CONFIG when anything was wrong.
 */
enum status config_check(const struct config_draft *draft) MUST_CHECK;

/* The same of [issuer] alone, and there must be a key. */
enum status config_check_signer(const struct config_draft *draft) MUST_CHECK;

#endif
