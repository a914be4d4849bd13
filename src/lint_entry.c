/* SPDX-License-Identifier: ISC */
/*
 * Lint of the entries of revokedCertificates (RFC 5280, 5.1.2.6 and 5.3), in
 * one pass and without memory. Only the serials of a list that is not sorted
 * are copied, to find one that is listed twice.
 */
#include <stdlib.h>
#include <string.h>

#include "crlpress/utc.h"
#include "lint_check.h"

/*
 * How many serials of an unsorted list are copied at most: 1.5 GiB of them,
 * and more entries than fit in a CRL of 2 GiB that our own would be.
 */
#define SORT_ENTRIES_MOST ((size_t)1 << 26)

/* Serial and place of an entry, to be sorted. */
struct place {
	struct uint160 serial;
	uint32_t offset; /* of the entry; at most UINT32_MAX, see below */
};

/* RFC 5280, 5.3.1: reasonCode has values of 0 to 10. */
#define REASON_UNSPECIFIED 0
#define REASON_MOST 10
#define R(reason) (1U << (reason))

struct reason_policy {
	unsigned allowed; /* bit by reason */
	bool required;
	const char *text;
};

/* BR 7.2.2 and 4.9.1.1, MRSP 6.1.1; SBR 7.2.2 for certificateHold (6). */
static const struct reason_policy reasons[PROFILE_COUNT] = {
    [PROFILE_TLS] = {R(1) | R(3) | R(4) | R(5) | R(9), false,
	"1, 3, 4, 5, 9 or none"},
    [PROFILE_TLS_CA] = {R(1) | R(2) | R(3) | R(4) | R(5) | R(9), true,
	"1, 2, 3, 4, 5 or 9"},
    [PROFILE_SMIME_STRICT] = {R(1) | R(3) | R(4) | R(5) | R(9), false,
	"1, 3, 4, 5, 9 or none"},
    [PROFILE_SMIME_LEGACY] = {R(1) | R(3) | R(4) | R(5) | R(6) | R(9), false,
	"1, 3, 4, 5, 6, 9 or none"},
    /* RFC 5280, 5.3.1: removeFromCRL (8) is for delta CRLs. */
    [PROFILE_PRIVATE] = {R(1) | R(2) | R(3) | R(4) | R(5) | R(6) | R(9) | R(10),
	false, "1 to 6, 9, 10 or none"},
};

/* Text of the serial as it stands there, cut off with "...". */
static const char *
serial_text(const struct crl_entry *entry, char out[LINT_NAME_BYTES])
{
	static const char digits[] = "0123456789abcdef";
	size_t most = (LINT_NAME_BYTES - 4) / 2;
	size_t n = entry->integer.len < most ? entry->integer.len : most;

	for (size_t i = 0; i < n; i++) {
		out[2 * i] = digits[entry->integer.data[i] >> 4];
		out[2 * i + 1] = digits[entry->integer.data[i] & 15];
	}
	out[2 * n] = '\0';
	if (n < entry->integer.len)
		memcpy(out + 2 * n, "...", 4);
	return out;
}

/* X.690, 11.5: what is DEFAULT is not encoded. */
void
lint_entry_der(struct lint_walk *walk)
{
	char serial[LINT_NAME_BYTES];

	if (walk->entry->has_encoded_default)
		lint_find(walk->lint, LINT_DER,
		    "entry at offset %zu, serial %s: have critical FALSE "
		    "encoded, want it left out",
		    walk->entry->offset, serial_text(walk->entry, serial));
}

/* RFC 5280, 5.1.2.6: revocationDate has the form of thisUpdate. */
void
lint_entry_time_form(struct lint_walk *walk)
{
	const struct crl_entry *entry = walk->entry;
	char serial[LINT_NAME_BYTES];
	char iso[UTC_ISO_BYTES];

	if (!lint_time_form_is_right(&entry->revoked_at))
		lint_find(walk->lint, LINT_TIME_FORM,
		    "entry at offset %zu, serial %s: have revocationDate %s "
		    "as %s, want UTCTime to 2049 and GeneralizedTime from 2050",
		    entry->offset, serial_text(entry, serial),
		    utc_to_iso(entry->revoked_at.sec, iso),
		    entry->revoked_at.form == CRL_TIME_UTC ? "UTCTime"
							   : "GeneralizedTime");
}

/* RFC 5280, 4.1.2.2. */
void
lint_entry_serial(struct lint_walk *walk)
{
	const struct crl_entry *entry = walk->entry;
	const char *have = "a serial of 0";
	char serial[LINT_NAME_BYTES];

	if (entry->serial_in_range)
		return;
	if (entry->integer.len > 0 && (entry->integer.data[0] & 0x80) != 0)
		have = "a negative serial";
	else if (entry->integer.len > UINT160_OCTETS)
		have = "a serial of more than 20 octets";
	lint_find(walk->lint, LINT_SERIAL,
	    "entry at offset %zu, serial %s: have %s, want it positive and of "
	    "at most 20 octets",
	    entry->offset, serial_text(entry, serial), have);
}

static void
duplicate_find(struct lint *lint, const struct crl_entry *entry)
{
	char serial[LINT_NAME_BYTES];

	lint_find(lint, LINT_SERIAL_UNIQUE,
	    "entry at offset %zu, serial %s: have it listed again, want it "
	    "once",
	    entry->offset, serial_text(entry, serial));
}

/* House rule; where the list is not sorted, see walk_unsorted. */
void
lint_entry_serial_unique(struct lint_walk *walk)
{
	if (walk->order == 0)
		duplicate_find(walk->lint, walk->entry);
}

/* House rule. */
void
lint_entry_revoked_at(struct lint_walk *walk)
{
	const struct crl_entry *entry = walk->entry;
	const struct crl_time *this_update = &walk->lint->crl->this_update;
	char serial[LINT_NAME_BYTES];
	char have[UTC_ISO_BYTES];
	char want[UTC_ISO_BYTES];

	if (entry->revoked_at.sec <= this_update->sec)
		return;
	if (!lint_time_is_sane(this_update))
		return;
	lint_find(walk->lint, LINT_REVOKED_AT,
	    "entry at offset %zu, serial %s: have revocationDate %s, want it "
	    "not after thisUpdate %s",
	    entry->offset, serial_text(entry, serial),
	    utc_to_iso(entry->revoked_at.sec, have),
	    utc_to_iso(this_update->sec, want));
}

/* An entry without reasonCode, or with one that the profile does not have. */
static void
reason_find(struct lint_walk *walk, const struct reason_policy *policy)
{
	const struct crl_entry *entry = walk->entry;
	char serial[LINT_NAME_BYTES];

	if (entry->reason < 0)
		lint_find(walk->lint, LINT_REASON,
		    "entry at offset %zu, serial %s: have no reasonCode, want "
		    "%s",
		    entry->offset, serial_text(entry, serial), policy->text);
	else if (entry->reason == REASON_UNSPECIFIED &&
		 walk->lint->context->profile == PROFILE_PRIVATE)
		/* RFC 5280, 5.3.1: a SHOULD. */
		lint_warn(walk->lint, LINT_REASON,
		    "entry at offset %zu, serial %s: have reason 0 encoded, "
		    "want it left out",
		    entry->offset, serial_text(entry, serial));
	else
		lint_find(walk->lint, LINT_REASON,
		    "entry at offset %zu, serial %s: have reason %d, want %s",
		    entry->offset, serial_text(entry, serial), entry->reason,
		    policy->text);
}

/* RFC 5280, 5.3.1; BR 7.2.2. */
void
lint_entry_reason(struct lint_walk *walk)
{
	const struct crl_entry *entry = walk->entry;
	const struct reason_policy *policy =
	    &reasons[walk->lint->context->profile];
	int reason = entry->reason;
	char serial[LINT_NAME_BYTES];

	if (reason < 0 ? policy->required
		       : reason > REASON_MOST ||
			     (policy->allowed & R((unsigned)reason)) == 0)
		reason_find(walk, policy);
	if (entry->reason_critical)
		lint_find(walk->lint, LINT_REASON,
		    "entry at offset %zu, serial %s: have reasonCode "
		    "critical, want it not",
		    entry->offset, serial_text(entry, serial));
}

/* What is wrong with an entry's extensions; NULL: nothing. */
static const char *
extension_fault(const struct crl_entry *entry)
{
	if (entry->has_empty_extensions)
		return "have empty crlEntryExtensions, want them left out";
	if (entry->has_duplicate_extension)
		return "have an extension twice, want it once";
	if (entry->has_unknown_critical)
		return "have an unknown critical extension, want none";
	if (entry->has_certificate_issuer)
		return "have a certificateIssuer, want no indirect CRL";
	return NULL;
}

/* BR 7.2.2: any other extension is NOT RECOMMENDED; NULL: there is none. */
static const char *
extension_warning(const struct crl_entry *entry, enum profile profile)
{
	bool is_tls = profile == PROFILE_TLS || profile == PROFILE_TLS_CA;

	if (profile == PROFILE_PRIVATE)
		return NULL;
	if (entry->has_unknown)
		return "have an unknown extension, want none";
	if (entry->has_hold_instruction)
		return "have a holdInstructionCode, want none";
	if (entry->has_invalidity_date && is_tls)
		return "have an invalidityDate, want revocationDate alone";
	return NULL;
}

/* RFC 5280, 5.3; BR 7.2.2. */
void
lint_entry_entry_ext(struct lint_walk *walk)
{
	const struct crl_entry *entry = walk->entry;
	const char *text;
	char serial[LINT_NAME_BYTES];

	text = extension_fault(entry);
	if (text != NULL) {
		lint_find(walk->lint, LINT_ENTRY_EXT,
		    "entry at offset %zu, serial %s: %s", entry->offset,
		    serial_text(entry, serial), text);
		return;
	}
	text = extension_warning(entry, walk->lint->context->profile);
	if (text != NULL)
		lint_warn(walk->lint, LINT_ENTRY_EXT,
		    "entry at offset %zu, serial %s: %s", entry->offset,
		    serial_text(entry, serial), text);
}

/*
 * Copies the serials. One that repeats the serial before it is left out: the
 * walk has reported it. The walk has read every entry without a fault.
 */
static size_t
places_fill(const struct crl *crl, struct place *places)
{
	struct crl_entry entry;
	struct crl_fault fault;
	size_t position = 0;
	size_t n = 0;

	while (crl_entry_read(crl, &position, &entry, &fault) == STATUS_OK) {
		if (!entry.serial_in_range)
			continue;
		if (n > 0 &&
		    uint160_compare(&places[n - 1].serial, &entry.serial) == 0)
			continue;
		places[n].serial = entry.serial;
		places[n].offset = (uint32_t)entry.offset;
		n++;
	}
	return n;
}

/* By serial, then by place, so that the first one listed comes first. */
static int
place_compare(const void *a, const void *b)
{
	const struct place *one = a;
	const struct place *other = b;
	int order = uint160_compare(&one->serial, &other->serial);

	if (order != 0)
		return order;
	return (one->offset > other->offset) - (one->offset < other->offset);
}

/* The entry at an offset, for its finding. */
static void
place_find(struct lint *lint, const struct place *place)
{
	const struct crl *crl = lint->crl;
	size_t position =
	    place->offset - (size_t)(crl->entries.data - crl->bytes.data);
	struct crl_entry entry;
	struct crl_fault fault;

	if (crl_entry_read(crl, &position, &entry, &fault) == STATUS_OK)
		duplicate_find(lint, &entry);
}

/* House rule serial-unique, in a list that is not sorted. */
static void
walk_unsorted(struct lint *lint)
{
	uint64_t entries = lint->result->entries;
	struct place *places;
	size_t n;

	if (entries > SORT_ENTRIES_MOST || lint->crl->bytes.len > UINT32_MAX) {
		lint_find(lint, LINT_SERIAL_UNIQUE,
		    "have %llu entries that are not sorted, want at most %zu "
		    "to judge them",
		    (unsigned long long)entries, SORT_ENTRIES_MOST);
		return;
	}
	places = malloc((size_t)entries * sizeof(*places));
	if (places == NULL) {
		lint_find(lint, LINT_SERIAL_UNIQUE,
		    "cannot be judged: out of memory for %llu entries that "
		    "are not sorted",
		    (unsigned long long)entries);
		return;
	}
	n = places_fill(lint->crl, places);
	qsort(places, n, sizeof(*places), place_compare);
	for (size_t i = 1; i < n; i++)
		if (uint160_compare(&places[i - 1].serial, &places[i].serial) ==
		    0)
			place_find(lint, &places[i]);
	free(places);
}

/* House rule order, one finding a CRL; and what an unsorted list hides. */
static void
walk_end(const struct lint_walk *walk)
{
	struct lint *lint = walk->lint;

	if (walk->unsorted == 0)
		return;
	if (lint->context->ours)
		lint_fault(lint, LINT_ORDER,
		    "have %llu entries out of order, the first at offset %zu, "
		    "want them sorted by serial",
		    (unsigned long long)walk->unsorted, walk->unsorted_offset);
	else
		lint_find(lint, LINT_ORDER,
		    "have %llu entries out of order, the first at offset %zu, "
		    "want them sorted by serial",
		    (unsigned long long)walk->unsorted, walk->unsorted_offset);
	walk_unsorted(lint);
}

/*
 * Holds the entry against the last one that had a serial. A list is unsorted
 * whatever the profile makes of that, since serial-unique depends on it.
 */
static void
walk_compare(struct lint_walk *walk, const struct crl_entry *last)
{
	walk->order = 1;
	if (last == NULL || !walk->entry->serial_in_range)
		return;
	walk->order = uint160_compare(&walk->entry->serial, &last->serial);
	if (walk->order < 0 && walk->unsorted++ == 0)
		walk->unsorted_offset = walk->entry->offset;
}

/* What entries of the usual shape may be without a finding. */
struct usual {
	int64_t latest_sec; /* of revoked_at */
	uint64_t reasons;   /* bit by reason + 1; bit 0: none */
};

static struct usual
usual_of(const struct lint *lint)
{
	const struct reason_policy *policy = &reasons[lint->context->profile];

	return (struct usual){
	    .latest_sec = lint->crl->this_update.sec,
	    .reasons = (uint64_t)policy->allowed << 1 | !policy->required,
	};
}

/*
 * Whether no check of an entry has anything to say of this one: nearly all are
 * such, and asking each check costs more than this. What der, time-form,
 * serial and entry-ext look for, an entry of the usual shape does not have;
 * serial-unique, revoked-at and reason ask what is asked here.
 */
static bool
is_beyond_doubt(const struct lint_walk *walk, const struct usual *usual)
{
	const struct crl_entry *entry = walk->entry;

	return entry->is_usual && walk->order != 0 &&
	       entry->revoked_at.sec <= usual->latest_sec &&
	       (usual->reasons >> (entry->reason + 1) & 1) != 0;
}

void
lint_walk_entries(struct lint *lint, lint_entry_check *const checks[], size_t n)
{
	/* Two, so that the last entry with a serial needs no copy. */
	struct crl_entry entries[2];
	struct crl_entry *entry = &entries[0];
	const struct crl_entry *last = NULL;
	const struct lint_context *context = lint->context;
	const struct usual usual = usual_of(lint);
	struct lint_walk walk = {.lint = lint};
	struct crl_fault fault;
	size_t position = 0;
	enum status status;

	for (;;) {
		status = lint->general ? crl_entry_read_general(lint->crl,
					     &position, entry, &fault)
				       : crl_entry_read(lint->crl, &position,
					     entry, &fault);
		if (status != STATUS_OK)
			break;
		lint->result->entries++;
		walk.entry = entry;
		walk_compare(&walk, last);
		if (!is_beyond_doubt(&walk, &usual))
			for (size_t i = 0; i < n; i++)
				checks[i](&walk);
		if (context->on_entry != NULL)
			context->on_entry(context->asker, entry);
		if (entry->serial_in_range) {
			last = entry;
			entry = &entries[last == &entries[0]];
		}
	}
	if (status != STATUS_DONE)
		lint_malformed(lint, &fault);
	else
		walk_end(&walk);
}

bool
lint_reason_allowed(enum profile profile, unsigned reason, const char **want)
{
	const struct reason_policy *policy = &reasons[profile];

	*want = policy->text;
	/* Of 0 nothing is encoded. */
	if (reason == REASON_UNSPECIFIED)
		return !policy->required;
	return reason <= REASON_MOST && (policy->allowed & R(reason)) != 0;
}
