/* SPDX-License-Identifier: ISC */
/*
 * Lint of what a CRL says of itself: version, issuer, signature, times, size.
 */
#include <string.h>

#include "crlpress/utc.h"
#include "lint_check.h"

#define DAY_SEC 86400LL

/* BR 7.2, MRSP 6: of a CRL for end-entity certificates, in days. */
#define NEXT_UPDATE_DAYS_MOST 10

/* BR 4.9.7: CRLs are issued at least this often, in days. */
#define AGE_DAYS_MOST 4
#define AGE_DAYS_MOST_OCSP 7

/* RFC 5280, 5.1.2.1: the INTEGER of v2. */
#define VERSION_2 1

/*
 * X.690, 11.5: what is DEFAULT is not encoded. The reader takes it, since all
 * others read it too.
 */
void
lint_check_der(struct lint *lint)
{
	const struct crl *crl = lint->crl;

	for (size_t i = 0; i < crl->extension_count; i++) {
		const struct crl_extension *extension = &crl->extension[i];

		if (extension->critical_encoded && !extension->critical)
			lint_find(lint, LINT_DER,
			    "extension at offset %zu: have critical FALSE "
			    "encoded, want it left out",
			    (size_t)(extension->oid.data - crl->bytes.data));
	}
}

/* RFC 5280, 5.1.2.1. */
void
lint_check_version(struct lint *lint)
{
	if (!lint->crl->has_version)
		lint_find(lint, LINT_VERSION,
		    "have no version, which says v1, want v2");
	else if (lint->crl->version != VERSION_2)
		lint_find(lint, LINT_VERSION,
		    "have version INTEGER %u, want %d", lint->crl->version,
		    VERSION_2);
}

/* RFC 5280, 6.3.3 (f), and 4.2.1.3: keyUsage of who signs CRLs. */
void
lint_check_signature(struct lint *lint)
{
	const struct issuer *issuer = lint->context->issuer;
	const char *why = NULL;

	if (issuer == NULL)
		return;
	if (!issuer_facts(issuer)->may_sign_crls)
		lint_find(lint, LINT_SIGNATURE,
		    "have an issuer certificate with a keyUsage without "
		    "cRLSign, want it with cRLSign");
	if (issuer_verify(issuer, lint->crl, &why) != STATUS_OK)
		lint_find(lint, LINT_SIGNATURE, "does not verify: %s",
		    why != NULL ? why : "libcrypto failed");
}

/* RFC 5280, 5.1.2.3; BR 7.2: byte for byte. */
void
lint_check_issuer_bytes(struct lint *lint)
{
	const struct crl_view *have = &lint->crl->issuer;
	const struct crl_view *want;

	/* A Name of nothing is its two octets of header. */
	if (have->len <= 2) {
		lint_find(lint, LINT_ISSUER_BYTES,
		    "have an empty issuer, want the certificate's subject");
		return;
	}
	if (lint->context->issuer == NULL)
		return;
	want = &issuer_facts(lint->context->issuer)->subject;
	if (have->len != want->len ||
	    memcmp(have->data, want->data, want->len) != 0)
		lint_find(lint, LINT_ISSUER_BYTES,
		    "have an issuer of %zu octets at offset %zu that is not "
		    "the certificate's subject of %zu octets, want the same "
		    "bytes",
		    have->len, (size_t)(have->data - lint->crl->bytes.data),
		    want->len);
}

static void
time_form_check(
    struct lint *lint, const char *name, const struct crl_time *time)
{
	char iso[UTC_ISO_BYTES];

	if (!lint_time_form_is_right(time))
		lint_find(lint, LINT_TIME_FORM,
		    "%s: have %s as %s, want UTCTime to 2049 and "
		    "GeneralizedTime from 2050",
		    name, utc_to_iso(time->sec, iso),
		    time->form == CRL_TIME_UTC ? "UTCTime" : "GeneralizedTime");
}

/* RFC 5280, 5.1.2.4 and 5.1.2.5. */
void
lint_check_time_form(struct lint *lint)
{
	time_form_check(lint, "thisUpdate", &lint->crl->this_update);
	if (lint->crl->has_next_update)
		time_form_check(lint, "nextUpdate", &lint->crl->next_update);
}

/* Whether both times can be held against each other. */
static bool
times_are_ordered(const struct crl *crl)
{
	return crl->has_next_update && lint_time_is_sane(&crl->this_update) &&
	       lint_time_is_sane(&crl->next_update) &&
	       crl->next_update.sec > crl->this_update.sec;
}

/* Twelve months later; of 29 February the 28th. False past the year 9999. */
static bool
year_later(int64_t sec, int64_t *later)
{
	struct utc_civil civil = utc_to_civil(sec);

	civil.year++;
	if (civil.month == 2 && civil.day == 29)
		civil.day = 28;
	return utc_from_civil(&civil, later) == STATUS_OK;
}

/*
 * BR 7.2: at most 10 days, MRSP 6: counting both ends, so that a difference
 * of exactly 10 days is a second too long; 12 months of the calendar for the
 * CRLs of CA certificates.
 */
static void
validity_check(struct lint *lint)
{
	int64_t this_sec = lint->crl->this_update.sec;
	int64_t next_sec = lint->crl->next_update.sec;
	int64_t limit_sec;

	if (lint->context->profile == PROFILE_PRIVATE)
		return;
	if (lint->context->profile == PROFILE_TLS_CA) {
		if (year_later(this_sec, &limit_sec) && next_sec >= limit_sec)
			lint_find(lint, LINT_NEXT_UPDATE,
			    "have a nextUpdate %lld s after thisUpdate, want "
			    "it at least a second before 12 months (%lld s)",
			    (long long)(next_sec - this_sec),
			    (long long)(limit_sec - this_sec));
		return;
	}
	limit_sec = NEXT_UPDATE_DAYS_MOST * DAY_SEC;
	if (next_sec - this_sec + 1 > limit_sec)
		lint_find(lint, LINT_NEXT_UPDATE,
		    "have a validity of %lld s, both ends counted, want at "
		    "most %lld s (%d days)",
		    (long long)(next_sec - this_sec + 1), (long long)limit_sec,
		    NEXT_UPDATE_DAYS_MOST);
}

void
lint_check_next_update(struct lint *lint)
{
	const struct crl *crl = lint->crl;
	char have[UTC_ISO_BYTES];
	char want[UTC_ISO_BYTES];

	if (!crl->has_next_update) {
		lint_find(
		    lint, LINT_NEXT_UPDATE, "have no nextUpdate, want one");
		return;
	}
	if (!lint_time_is_sane(&crl->this_update) ||
	    !lint_time_is_sane(&crl->next_update))
		return;
	if (crl->next_update.sec <= crl->this_update.sec)
		lint_find(lint, LINT_NEXT_UPDATE,
		    "have nextUpdate %s, want it after thisUpdate %s",
		    utc_to_iso(crl->next_update.sec, have),
		    utc_to_iso(crl->this_update.sec, want));
	else
		validity_check(lint);
}

/* House rule. */
void
lint_check_not_future(struct lint *lint)
{
	int64_t ahead_sec = lint->crl->this_update.sec - lint->context->now_sec;
	char have[UTC_ISO_BYTES];
	char now[UTC_ISO_BYTES];

	if (lint_time_is_sane(&lint->crl->this_update) &&
	    ahead_sec > lint->context->skew_sec)
		lint_find(lint, LINT_NOT_FUTURE,
		    "have thisUpdate %s, %lld s after now (%s), want at most "
		    "%lld s",
		    utc_to_iso(lint->crl->this_update.sec, have),
		    (long long)ahead_sec,
		    utc_to_iso(lint->context->now_sec, now),
		    (long long)lint->context->skew_sec);
}

/*
 * BR 4.9.7: every 4 days where certificates carry no OCSP URL, else 7; SBR
 * 4.9.7: 7 days. INT64_MAX where only nextUpdate counts.
 */
static int64_t
age_most_sec(const struct lint_context *context)
{
	if (!lint_is_shard_profile(context->profile))
		return INT64_MAX;
	if (context->profile == PROFILE_TLS && !context->has_ocsp)
		return AGE_DAYS_MOST * DAY_SEC;
	return AGE_DAYS_MOST_OCSP * DAY_SEC;
}

void
lint_check_fresh(struct lint *lint)
{
	const struct crl *crl = lint->crl;
	int64_t age_sec = lint->context->now_sec - crl->this_update.sec;
	int64_t most_sec = age_most_sec(lint->context);
	bool ordered = times_are_ordered(crl);
	int64_t validity_sec =
	    ordered ? crl->next_update.sec - crl->this_update.sec : 0;
	char next[UTC_ISO_BYTES];
	char now[UTC_ISO_BYTES];

	if (!lint_time_is_sane(&crl->this_update))
		return;
	if (ordered && crl->next_update.sec < lint->context->now_sec)
		lint_find(lint, LINT_FRESH,
		    "have nextUpdate %s, want it not before now (%s)",
		    utc_to_iso(crl->next_update.sec, next),
		    utc_to_iso(lint->context->now_sec, now));
	else if (age_sec > most_sec)
		lint_find(lint, LINT_FRESH,
		    "have an age of %lld s, want at most %lld s (%lld days)",
		    (long long)age_sec, (long long)most_sec,
		    (long long)(most_sec / DAY_SEC));
	else if (ordered && age_sec > validity_sec / 2)
		lint_warn(lint, LINT_FRESH,
		    "have an age of %lld s, past half of the validity of "
		    "%lld s, want a newer CRL",
		    (long long)age_sec, (long long)validity_sec);
}

/* RFC 5280, 5.1.2.6: "the revoked certificates list MUST be absent". */
void
lint_check_entries_absent(struct lint *lint)
{
	if (lint->crl->has_entries && lint->crl->entries.len == 0)
		lint_find(lint, LINT_ENTRIES_ABSENT,
		    "have an empty revokedCertificates, want it left out");
}

/* House rule: consumers give up on what is too large. */
void
lint_check_size(struct lint *lint)
{
	uint64_t most = lint->context->bytes_most;

	if (most != 0 && lint->crl->bytes.len > most)
		lint_find(lint, LINT_SIZE, "have %zu bytes, want at most %llu",
		    lint->crl->bytes.len, (unsigned long long)most);
}
