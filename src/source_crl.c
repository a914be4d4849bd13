/* SPDX-License-Identifier: ISC */
/*
 * A CRL as a source: of a CA whose rows nobody else may read, but which
 * publishes one for all of its certificates. It must be complete (RFC 5280,
 * 5.2.4 and 5.2.5: no delta, no part) and that issuer's alone; and signed, by
 * the certificate that is configured. It does not tell when a certificate
 * expires: no row of it ever leaves, since that could not be proved.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "crlpress/der_read.h"
#include "crlpress/pem.h"
#include "crlpress/utc.h"
#include "source_file.h"

#define RULE "source"

/* id-ce, 2.5.29, and its arcs. */
#define OID_ISSUER_ALT_NAME 18
#define OID_NUMBER 20
#define OID_DELTA 27
#define OID_IDP 28
#define OID_AKI 35
#define OID_FRESHEST 46

static const uint8_t id_ce[] = {0x55, 0x1d};

static enum status
refuse(struct source_file *file, const char *clause, const char *what)
{
	return report_fault(file->report, STATUS_REFUSED, file->place, RULE,
	    clause, "%s", what);
}

static enum status
refuse_bytes(struct source_file *file, const struct crl_fault *fault)
{
	return report_fault(file->report, STATUS_REFUSED, file->place, RULE,
	    fault->clause, "not a CRL, offset %zu: %s", fault->offset,
	    fault->text);
}

/* PEM becomes DER, in place of it. */
static enum status
to_der(struct source_file *file)
{
	const char *why = NULL;
	uint8_t *der = NULL;
	enum status status;
	size_t len = 0;

	if (file->len == 0)
		return refuse(file, "RFC 5280, 5.1", "it is empty");
	if (file->bytes[0] == DER_SEQUENCE ||
	    !pem_is_likely(file->bytes, file->len))
		return STATUS_OK;
	status = pem_read_crl(file->bytes, file->len, &der, &len, &why);
	if (status == STATUS_MALFORMED)
		return report_fault(file->report, STATUS_REFUSED, file->place,
		    RULE, "RFC 7468, 6", "not a CRL: %s", why);
	if (status != STATUS_OK)
		return report_fault(file->report, status, file->place, RULE,
		    NULL, "out of memory");
	free(file->bytes);
	file->bytes = der;
	file->len = len;
	return STATUS_OK;
}

/* RFC 5280, 6.3.3 (b) and (f): by the name, and by the key. */
static enum status
check_issuer(struct source_file *file)
{
	const char *certificate = file->source.config.certificate;
	const struct issuer_facts *facts;
	char have[ISSUER_NAME_BYTES], want[ISSUER_NAME_BYTES];
	const char *why = NULL;
	enum status status = STATUS_OK;

	if (file->issuer == NULL)
		status = issuer_load(certificate, file->report, &file->issuer);
	if (status != STATUS_OK)
		return status;
	facts = issuer_facts(file->issuer);
	if (!crl_view_equal(&facts->subject, &file->crl.issuer))
		return report_fault(file->report, STATUS_REFUSED, file->place,
		    RULE, "RFC 5280, 6.3.3 (b)",
		    "another issuer's CRL, have %s, want %s",
		    issuer_name_text(&file->crl.issuer, have, sizeof(have)),
		    issuer_name_text(&facts->subject, want, sizeof(want)));
	if (!facts->may_sign_crls)
		return report_fault(file->report, STATUS_REFUSED, certificate,
		    RULE, "RFC 5280, 6.3.3 (f)",
		    "its keyUsage has no cRLSign, and it is to have signed %s",
		    file->place);
	if (issuer_verify(file->issuer, &file->crl, &why) != STATUS_OK)
		return report_fault(file->report, STATUS_REFUSED, file->place,
		    RULE, "RFC 5280, 6.3.3 (f)",
		    "its signature is not that "
		    "of %s: %s",
		    certificate, why);
	return STATUS_OK;
}

/* RFC 5280, 5.2.5: a CRL that is not for all certificates says so there. */
static enum status
check_point(struct source_file *file)
{
	struct crl_fault fault = {0};
	struct crl_idp idp = {0};
	enum status status = crl_idp(&file->crl, &idp, &fault);

	if (status == STATUS_NOT_FOUND)
		return STATUS_OK;
	if (status != STATUS_OK)
		return refuse_bytes(file, &fault);
	if (idp.indirect)
		return refuse(file, "RFC 5280, 5.2.5",
		    "an indirect CRL, which lists other issuers' certificates");
	if (idp.only_users || idp.only_cas || idp.only_attributes)
		return refuse(file, "RFC 5280, 5.2.5",
		    "a CRL for certificates of one type only, want one for all "
		    "that the issuer issued");
	if (idp.has_some_reasons)
		return refuse(file, "RFC 5280, 5.2.5",
		    "a CRL for some reasons only, want one for all");
	return refuse(file, "RFC 5280, 5.2.5",
	    "the CRL of one distribution point, which is one for the "
	    "certificates that name it, want one for all that the issuer "
	    "issued");
}

/* The last arc of an extension of id-ce; -1: another one. */
static int
last_arc(const struct crl_extension *extension)
{
	if (extension->oid.len != sizeof(id_ce) + 1 ||
	    memcmp(extension->oid.data, id_ce, sizeof(id_ce)) != 0)
		return -1;
	return extension->oid.data[sizeof(id_ce)];
}

/* RFC 5280, 5.2: what is critical and not understood may change all. */
static enum status
check_extension(struct source_file *file, size_t i)
{
	const struct crl_extension *extension = &file->crl.extension[i];

	for (size_t j = 0; j < i; j++)
		if (crl_view_equal(
			&file->crl.extension[j].oid, &extension->oid))
			return refuse(file, "RFC 5280, 4.2",
			    "an extension that stands there twice");
	switch (last_arc(extension)) {
	case OID_DELTA:
		return refuse(file, "RFC 5280, 5.2.4",
		    "a delta CRL, want the complete one");
	case OID_IDP:
		return check_point(file);
	case OID_ISSUER_ALT_NAME:
	case OID_NUMBER:
	case OID_AKI:
	case OID_FRESHEST:
		return STATUS_OK;
	default:
		if (!extension->critical)
			return STATUS_OK;
		return refuse(file, "RFC 5280, 5.2",
		    "a critical extension that is not known: what it lists "
		    "cannot be told");
	}
}

static enum status
check_scope(struct source_file *file)
{
	enum status status = STATUS_OK;

	for (size_t i = 0; status == STATUS_OK && i < file->crl.extension_count;
	     i++)
		status = check_extension(file, i);
	return status;
}

static enum status
refuse_entry(struct source_file *file, const struct crl_entry *entry,
    const char *clause, const char *what)
{
	char serial[UINT160_HEX_BYTES];

	return report_fault(file->report, STATUS_REFUSED, file->place, RULE,
	    clause, "the entry of serial %s %s",
	    entry->serial_in_range ? uint160_to_hex(&entry->serial, serial)
				   : "(out of range)",
	    what);
}

static enum status
check_entry(struct source_file *file, const struct crl_entry *entry)
{
	if (!entry->serial_in_range)
		return report_fault(file->report, STATUS_REFUSED, file->place,
		    RULE, "RFC 5280, 4.1.2.2",
		    "offset %zu: an entry whose serial is not above 0 and "
		    "below 2^159",
		    entry->offset);
	if (entry->has_certificate_issuer)
		return refuse_entry(
		    file, entry, "RFC 5280, 5.3.3", "names another issuer");
	if (entry->has_unknown_critical)
		return refuse_entry(file, entry, "RFC 5280, 5.3",
		    "has a critical extension that is not known");
	if (entry->has_duplicate_extension)
		return refuse_entry(
		    file, entry, "RFC 5280, 4.2", "has an extension twice");
	return STATUS_OK;
}

/* Says how many there are of what the shards' entries do not have. */
static void
tell_invalidity(struct source_file *file, uint64_t count)
{
	if (count > 0)
		report_note(file->report, file->place,
		    "%" PRIu64 " entries have an invalidityDate, which is left "
		    "out: revocationDate alone is published",
		    count);
}

static enum status
check_entries(struct source_file *file)
{
	struct crl_fault fault = {0};
	struct crl_entry entry;
	uint64_t invalidity = 0;
	size_t position = 0;
	enum status status;

	while ((status = crl_entry_read(
		    &file->crl, &position, &entry, &fault)) == STATUS_OK) {
		status = check_entry(file, &entry);
		if (status != STATUS_OK)
			return status;
		invalidity += entry.has_invalidity_date;
	}
	if (status != STATUS_DONE)
		return refuse_bytes(file, &fault);
	tell_invalidity(file, invalidity);
	return STATUS_OK;
}

static enum status
check_edition(struct source_file *file)
{
	struct source_snapshot *snapshot = &file->source.snapshot;
	struct crl_fault fault = {0};
	enum status status =
	    crl_number(&file->crl, &snapshot->edition.number, &fault);

	/* `openssl ca` makes CRLs without a number, unless it is told to. */
	if (status == STATUS_NOT_FOUND)
		snapshot->edition.number = uint160_from_u64(0);
	else if (status != STATUS_OK)
		return refuse_bytes(file, &fault);
	snapshot->edition.sec = file->crl.this_update.sec;
	snapshot->has_next_update = file->crl.has_next_update;
	snapshot->next_update_sec = file->crl.next_update.sec;
	return STATUS_OK;
}

static enum status
crl_check(struct source_file *file)
{
	static enum status (*const steps[])(struct source_file *) = {
	    check_issuer, check_scope, check_edition, check_entries};
	struct crl_fault fault = {0};
	enum status status = to_der(file);

	if (status == STATUS_OK &&
	    crl_parse(file->bytes, file->len, &file->crl, &fault) != STATUS_OK)
		return refuse_bytes(file, &fault);
	for (size_t i = 0;
	     status == STATUS_OK && i < sizeof(steps) / sizeof(steps[0]); i++)
		status = steps[i](file);
	return status;
}

static void
crl_rewind(struct source_file *file)
{
	file->position = 0;
}

static enum status
crl_next(struct source_file *file, struct source_row *row)
{
	struct crl_fault fault = {0};
	struct crl_entry entry;
	enum status status =
	    crl_entry_read(&file->crl, &file->position, &entry, &fault);

	if (status != STATUS_OK)
		return status;
	/* RFC 5280, 4.1.2.5: no expiry that is known. */
	*row = source_file_row(
	    &entry.serial, entry.revoked_at.sec, entry.reason, UTC_MAX_SEC);
	return STATUS_OK;
}

const struct source_format source_crl = {
    .check = crl_check,
    .rewind = crl_rewind,
    .next = crl_next,
};
