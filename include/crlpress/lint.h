/* SPDX-License-Identifier: ISC */
/*
 * What one CRL must be, by itself: one row a rule, with its id, its clause and
 * its severity in each profile. `publish` judges its own signed bytes by this
 * table before they are uploaded, `verify` anyone's.
 */
#ifndef CRLPRESS_LINT_H
#define CRLPRESS_LINT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "crlpress/crl_read.h"
#include "crlpress/issuer.h"
#include "crlpress/report.h"
#include "crlpress/status.h"

/* Which rules hold, and how hard. */
enum profile {
	PROFILE_TLS,
	PROFILE_TLS_CA,
	PROFILE_SMIME_STRICT,
	PROFILE_SMIME_LEGACY,
	PROFILE_PRIVATE,
	PROFILE_COUNT
};

/* "tls-ca". Never NULL. */
const char *profile_name(enum profile profile);
enum status profile_from_name(
    const char *name, enum profile *profile) MUST_CHECK;

/* What a CRL is judged against; pointers are borrowed and may be NULL. */
struct lint_context {
	enum profile profile;
	const struct issuer *issuer; /* NULL: signature and names unjudged */
	const char *url;             /* the configured URL; NULL: unknown */
	bool ours; /* made by this program: order is a fault, not a warning */
	bool has_ocsp; /* certificates carry an OCSP URL: older CRLs allowed */
	int64_t now_sec;
	int64_t skew_sec;    /* how far thisUpdate may lie after now */
	uint64_t bytes_most; /* configured limit of an object; 0: none */
	/* Called with each entry as it is read, in order, so that whoever has
	 * more to ask of it need not read it again; NULL: nobody. */
	void (*on_entry)(void *asker, const struct crl_entry *entry);
	void *asker;
};

/* What the reading of all entries found out besides. */
struct lint_result {
	uint64_t entries;
	uint64_t faults;
	uint64_t warnings;
};

/*
 * Judges one parsed CRL by every rule; findings go to `report` under the name
 * `object`. STATUS_OK when no fault was found, else STATUS_FAULTY.
 */
enum status lint_crl(const struct crl *crl, const struct lint_context *context,
    const char *object, struct report *report,
    struct lint_result *result) MUST_CHECK;

/*
 * The same, with every check asked of every entry, which crl_entry_read_general
 * reads, so that tests can hold one against the other.
 */
enum status lint_crl_general(const struct crl *crl,
    const struct lint_context *context, const char *object,
    struct report *report, struct lint_result *result) MUST_CHECK;

/*
 * Whether an entry may have this reason; 0 is one without. `*want` says in
 * static text which are allowed: "1, 3, 4, 5, 9 or none".
 */
bool lint_reason_allowed(
    enum profile profile, unsigned reason, const char **want);

/* How hard a rule is in a profile. */
enum lint_severity { LINT_OFF, LINT_WARNING, LINT_FAULT };

/* The table, for `verify --rules` and the documentation check. */
struct lint_rule_facts {
	const char *id;
	const char *clause;
	const char *summary;
	enum lint_severity severity[PROFILE_COUNT];
};
size_t lint_rule_count(void);
struct lint_rule_facts lint_rule(size_t i);

#endif
