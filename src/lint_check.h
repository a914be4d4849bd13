/* SPDX-License-Identifier: ISC */
/*
 * Between lint.c, which has the table of rules and calls its checks, and
 * lint_crl.c and lint_entry.c, which have the checks. Nobody else's.
 */
#ifndef CRLPRESS_LINT_CHECK_H
#define CRLPRESS_LINT_CHECK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "crlpress/crl_read.h"
#include "crlpress/lint.h"

/* Index of the table; the order is that of the verdict. */
enum lint_id {
	LINT_DER,
	LINT_VERSION,
	LINT_SIGALG_MATCH,
	LINT_SIGNATURE,
	LINT_ISSUER_BYTES,
	LINT_TIME_FORM,
	LINT_NEXT_UPDATE,
	LINT_NOT_FUTURE,
	LINT_FRESH,
	LINT_AKI,
	LINT_NUMBER,
	LINT_IDP,
	LINT_IDP_URL,
	LINT_EXTENSIONS,
	LINT_ENTRIES_ABSENT,
	LINT_SERIAL,
	LINT_SERIAL_UNIQUE,
	LINT_ORDER,
	LINT_REVOKED_AT,
	LINT_REASON,
	LINT_ENTRY_EXT,
	LINT_SIZE,
	LINT_RULES
};

/* The judging of one CRL. */
struct lint {
	const struct crl *crl;
	const struct lint_context *context;
	const char *object;
	struct report *report;
	struct lint_result *result;
	bool general; /* without short cuts, as lint_crl_general */
};

/* The entry that the walk stands at, and how it follows the ones before. */
struct lint_walk {
	struct lint *lint;
	const struct crl_entry *entry;
	/* Serial against the last entry's that had one: below 0 it is out of
	 * order, 0 the same again. Above 0 too when there is none to compare.
	 */
	int order;
	uint64_t unsorted;      /* entries out of order so far */
	size_t unsorted_offset; /* of the first of them */
};

/* What a text of foreign bytes has room for, and its NUL. */
#define LINT_NAME_BYTES 160

/*
 * A finding of the rule, as hard as the table says for the profile; or never
 * harder than a warning; or a fault wherever the rule holds.
 */
void lint_find(struct lint *lint, enum lint_id id, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
void lint_warn(struct lint *lint, enum lint_id id, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
void lint_fault(struct lint *lint, enum lint_id id, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* What the reader could not read, under the rule that it names. */
void lint_malformed(struct lint *lint, const struct crl_fault *fault);

/* Whether the profile is for shards that browsers or mailers trust. */
bool lint_is_shard_profile(enum profile profile);

/*
 * RFC 5280, 4.1.2.5: whether a time can be judged; before 1950 there is no
 * form for it and time-form has said so.
 */
bool lint_time_is_sane(const struct crl_time *time);

/* RFC 5280, 5.1.2.4-6: whether the form is the one its year asks for. */
bool lint_time_form_is_right(const struct crl_time *time);

/* Checks of the whole CRL: lint_crl.c. */
void lint_check_der(struct lint *lint);
void lint_check_version(struct lint *lint);
void lint_check_signature(struct lint *lint);
void lint_check_issuer_bytes(struct lint *lint);
void lint_check_time_form(struct lint *lint);
void lint_check_next_update(struct lint *lint);
void lint_check_not_future(struct lint *lint);
void lint_check_fresh(struct lint *lint);
void lint_check_entries_absent(struct lint *lint);
void lint_check_size(struct lint *lint);

/* lint_algorithm.c. */
void lint_check_sigalg_match(struct lint *lint);

/* Of its extensions: lint_extension.c. */
void lint_check_aki(struct lint *lint);
void lint_check_number(struct lint *lint);
void lint_check_idp(struct lint *lint);
void lint_check_idp_url(struct lint *lint);
void lint_check_extensions(struct lint *lint);

/* Of one entry, 10 million times a CRL: lint_entry.c. */
void lint_entry_der(struct lint_walk *walk);
void lint_entry_time_form(struct lint_walk *walk);
void lint_entry_serial(struct lint_walk *walk);
void lint_entry_serial_unique(struct lint_walk *walk);
void lint_entry_revoked_at(struct lint_walk *walk);
void lint_entry_reason(struct lint_walk *walk);
void lint_entry_entry_ext(struct lint_walk *walk);

/* A check of an entry. */
typedef void lint_entry_check(struct lint_walk *walk);

/*
 * Reads every entry once, calls the `n` checks with each, and says what only
 * the whole list shows.
 */
void lint_walk_entries(
    struct lint *lint, lint_entry_check *const checks[], size_t n);

#endif
