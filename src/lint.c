/* SPDX-License-Identifier: ISC */
/*
 * The table of rules, one row each, and what goes through it. The checks are
 * in lint_crl.c, lint_algorithm.c, lint_extension.c and lint_entry.c.
 *
 * A check looks at its own rule and trusts no other: where two rules would
 * see the same mistake, one of them is silent, so that a verdict names what
 * is wrong and not what follows from it.
 */
#include "crlpress/lint.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "crlpress/utc.h"
#include "lint_check.h"

/* Texts of findings are cut off here; the longest quotes two names. */
#define TEXT_BYTES 1024

/* One rule. `crl` is called once, `entry` once an entry; NULL: not at all. */
struct rule {
	struct lint_rule_facts facts;
	/* Whether the rule asks for an extension, which a v1 CRL cannot have;
	 * `version` says so then. */
	bool needs_v2;
	void (*crl)(struct lint *lint);
	lint_entry_check *entry;
};

/* Severities in the order of enum profile. */
#define ALWAYS                                                             \
	{                                                                  \
		LINT_FAULT, LINT_FAULT, LINT_FAULT, LINT_FAULT, LINT_FAULT \
	}
#define PRIVATE_WARNS                                                        \
	{                                                                    \
		LINT_FAULT, LINT_FAULT, LINT_FAULT, LINT_FAULT, LINT_WARNING \
	}
#define WARNS                                                           \
	{                                                               \
		LINT_WARNING, LINT_WARNING, LINT_WARNING, LINT_WARNING, \
		    LINT_WARNING                                        \
	}

static const char *const profiles[PROFILE_COUNT] = {
    [PROFILE_TLS] = "tls",
    [PROFILE_TLS_CA] = "tls-ca",
    [PROFILE_SMIME_STRICT] = "smime-strict",
    [PROFILE_SMIME_LEGACY] = "smime-legacy",
    [PROFILE_PRIVATE] = "private",
};

/* clang-format off */
static const struct rule rules[LINT_RULES] = {
    [LINT_DER] = {{"der", "MRSP 5.2, RFC 5280 5.1",
	"strict DER, one CertificateList and nothing after it", ALWAYS},
	false, lint_check_der, lint_entry_der},
    [LINT_VERSION] = {{"version", "RFC 5280 5.1.2.1",
	"the version is there and v2", ALWAYS},
	false, lint_check_version, NULL},
    [LINT_SIGALG_MATCH] = {{"sigalg-match",
	"RFC 5280 5.1.1.2, BR 7.1.3.2",
	"both AlgorithmIdentifiers are the same, as the algorithm asks, "
	"without SHA-1 or MD5", ALWAYS},
	false, lint_check_sigalg_match, NULL},
    [LINT_SIGNATURE] = {{"signature", "RFC 5280 6.3.3",
	"the signature is the issuer's, who may sign CRLs", ALWAYS},
	false, lint_check_signature, NULL},
    [LINT_ISSUER_BYTES] = {{"issuer-bytes", "BR 7.2, RFC 5280 5.1.2.3",
	"the issuer is not empty and byte for byte the certificate's subject",
	ALWAYS},
	false, lint_check_issuer_bytes, NULL},
    [LINT_TIME_FORM] = {{"time-form", "RFC 5280 5.1.2.4-6",
	"UTCTime to 2049, GeneralizedTime from 2050, in seconds and Z", ALWAYS},
	false, lint_check_time_form, lint_entry_time_form},
    [LINT_NEXT_UPDATE] = {{"next-update", "BR 7.2, MRSP 6, RFC 5280 5.1.2.5",
	"nextUpdate is there, after thisUpdate, within 10 days (tls-ca: "
	"12 months)", ALWAYS},
	false, lint_check_next_update, NULL},
    [LINT_NOT_FUTURE] = {{"not-future", "house rule",
	"thisUpdate is not in the future", ALWAYS},
	false, lint_check_not_future, NULL},
    [LINT_FRESH] = {{"fresh", "BR 4.9.7, SBR 4.9.7",
	"nextUpdate has not passed and the CRL is not older than its issuance "
	"frequency", ALWAYS},
	false, lint_check_fresh, NULL},
    [LINT_AKI] = {{"aki", "RFC 5280 5.2.1",
	"authorityKeyIdentifier is there, not critical, a keyIdentifier alone, "
	"the issuer's", ALWAYS},
	true, lint_check_aki, NULL},
    [LINT_NUMBER] = {{"number", "RFC 5280 5.2.3, BR 7.2.2",
	"cRLNumber is there, not critical, from 0 to below 2^159", ALWAYS},
	true, lint_check_number, NULL},
    [LINT_IDP] = {{"idp", "RFC 5280 5.2.5, BR 7.2.2.1, CCADB 6.2",
	"issuingDistributionPoint is critical, has http URLs and one scope",
	PRIVATE_WARNS},
	true, lint_check_idp, NULL},
    [LINT_IDP_URL] = {{"idp-url", "BR 7.2.2.1, MRSP 6.1.2",
	"the configured URL stands in it, byte for byte, once", ALWAYS},
	true, lint_check_idp_url, NULL},
    [LINT_EXTENSIONS] = {{"extensions", "RFC 5280 5.2, BR 7.2.2",
	"no extension twice, no delta CRL, nothing unknown", ALWAYS},
	false, lint_check_extensions, NULL},
    [LINT_ENTRIES_ABSENT] = {{"entries-absent", "RFC 5280 5.1.2.6",
	"revokedCertificates is absent where nothing is revoked", ALWAYS},
	false, lint_check_entries_absent, NULL},
    [LINT_SERIAL] = {{"serial", "RFC 5280 4.1.2.2",
	"serials are positive and have at most 20 octets", ALWAYS},
	false, NULL, lint_entry_serial},
    [LINT_SERIAL_UNIQUE] = {{"serial-unique", "house rule",
	"no serial is listed twice", ALWAYS},
	false, NULL, lint_entry_serial_unique},
    [LINT_ORDER] = {{"order", "house rule",
	"entries are sorted by serial (a fault in CRLs of our own)", WARNS},
	false, NULL, NULL /* the walk itself sees it */},
    [LINT_REVOKED_AT] = {{"revoked-at", "house rule",
	"nothing is revoked after thisUpdate", ALWAYS},
	false, NULL, lint_entry_revoked_at},
    [LINT_REASON] = {{"reason",
	"BR 4.9.1.1, 7.2.2, MRSP 6.1.1, RFC 5280 5.3.1",
	"reasons are those of the profile, not critical, never 0", ALWAYS},
	false, NULL, lint_entry_reason},
    [LINT_ENTRY_EXT] = {{"entry-ext", "BR 7.2.2, RFC 5280 5.3",
	"no entry has a certificateIssuer, an extension twice or one unknown",
	ALWAYS},
	false, NULL, lint_entry_entry_ext},
    [LINT_SIZE] = {{"size", "house rule",
	"the CRL is not larger than configured", ALWAYS},
	false, lint_check_size, NULL},
};
/* clang-format on */

const char *
profile_name(enum profile profile)
{
	return (unsigned)profile < PROFILE_COUNT ? profiles[profile]
						 : "(no profile)";
}

enum status
profile_from_name(const char *name, enum profile *profile)
{
	for (unsigned i = 0; i < PROFILE_COUNT; i++)
		if (strcmp(name, profiles[i]) == 0) {
			*profile = (enum profile)i;
			return STATUS_OK;
		}
	return STATUS_NOT_FOUND;
}

static enum lint_severity
rule_severity(const struct lint *lint, enum lint_id id)
{
	return rules[id].facts.severity[lint->context->profile];
}

static void __attribute__((format(printf, 4, 0)))
finding_add(struct lint *lint, enum lint_id id, enum lint_severity severity,
    const char *format, va_list args)
{
	const struct lint_rule_facts *facts = &rules[id].facts;
	char text[TEXT_BYTES];

	if (severity == LINT_OFF)
		return;
	(void)vsnprintf(text, sizeof(text), format, args);
	if (severity == LINT_WARNING) {
		lint->result->warnings++;
		report_warn(lint->report, lint->object, facts->id,
		    facts->clause, "%s", text);
		return;
	}
	lint->result->faults++;
	(void)report_fault(lint->report, STATUS_FAULTY, lint->object, facts->id,
	    facts->clause, "%s", text);
}

void
lint_find(struct lint *lint, enum lint_id id, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	finding_add(lint, id, rule_severity(lint, id), format, args);
	va_end(args);
}

void
lint_warn(struct lint *lint, enum lint_id id, const char *format, ...)
{
	enum lint_severity severity = rule_severity(lint, id);
	va_list args;

	va_start(args, format);
	finding_add(lint, id, severity == LINT_FAULT ? LINT_WARNING : severity,
	    format, args);
	va_end(args);
}

void
lint_fault(struct lint *lint, enum lint_id id, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	finding_add(lint, id, LINT_FAULT, format, args);
	va_end(args);
}

void
lint_malformed(struct lint *lint, const struct crl_fault *fault)
{
	lint->result->faults++;
	(void)report_fault(lint->report, STATUS_FAULTY, lint->object,
	    fault->rule, fault->clause, "at offset %zu: %s", fault->offset,
	    fault->text);
}

bool
lint_is_shard_profile(enum profile profile)
{
	return profile == PROFILE_TLS || profile == PROFILE_SMIME_STRICT ||
	       profile == PROFILE_SMIME_LEGACY;
}

bool
lint_time_is_sane(const struct crl_time *time)
{
	return time->sec >= UTC_MIN_SEC && time->sec <= UTC_MAX_SEC;
}

bool
lint_time_form_is_right(const struct crl_time *time)
{
	return (time->sec >= UTC_2050_SEC) ==
	       (time->form == CRL_TIME_GENERALIZED);
}

/* RFC 5280, 5.1.2.1: extensions are v2's; a CRL of v1 has none to judge. */
static bool
rule_applies(const struct lint *lint, enum lint_id id)
{
	const struct crl *crl = lint->crl;

	if (rule_severity(lint, id) == LINT_OFF)
		return false;
	return !rules[id].needs_v2 || crl->has_version || crl->has_extensions;
}

static enum status
lint_run(struct lint *lint)
{
	lint_entry_check *entry_checks[LINT_RULES];
	size_t n = 0;

	memset(lint->result, 0, sizeof(*lint->result));
	for (unsigned i = 0; i < LINT_RULES; i++) {
		if (!rule_applies(lint, (enum lint_id)i))
			continue;
		if (rules[i].crl != NULL)
			rules[i].crl(lint);
		if (rules[i].entry != NULL)
			entry_checks[n++] = rules[i].entry;
	}
	lint_walk_entries(lint, entry_checks, n);
	return lint->result->faults == 0 ? STATUS_OK : STATUS_FAULTY;
}

enum status
lint_crl(const struct crl *crl, const struct lint_context *context,
    const char *object, struct report *report, struct lint_result *result)
{
	struct lint lint = {crl, context, object, report, result, false};

	return lint_run(&lint);
}

enum status
lint_crl_general(const struct crl *crl, const struct lint_context *context,
    const char *object, struct report *report, struct lint_result *result)
{
	struct lint lint = {crl, context, object, report, result, true};

	return lint_run(&lint);
}

size_t
lint_rule_count(void)
{
	return LINT_RULES;
}

struct lint_rule_facts
lint_rule(size_t i)
{
	return rules[i].facts;
}
