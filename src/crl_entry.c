/* SPDX-License-Identifier: ISC */
/*
 * The entries of revokedCertificates (RFC 5280, 5.1.2.6 and 5.3), one at a
 * time. A shard may have millions, nearly all of one shape, so that shape is
 * recognised at once; whatever is not exactly that is read field by field, and
 * only there are faults found.
 */
#include <string.h>

#include "crlpress/crl_read.h"
#include "crlpress/der_read.h"

/* Of an entry of the usual shape: header and content of revocationDate. */
#define USUAL_TIME_BYTES (2 + DER_UTC_TIME_LEN)

/* RFC 5280, 5.3.1: crlEntryExtensions with a reasonCode and nothing else; the
 * reason is the octet that follows. */
static const uint8_t usual_reason[] = {0x30, 0x0c, 0x30, 0x0a, 0x06, 0x03, 0x55,
    0x1d, 0x15, 0x04, 0x03, 0x0a, 0x01};
#define USUAL_REASON_BYTES (sizeof(usual_reason) + 1)

/* What crl_entry.is_usual promises; the values of RFC 5280 end at 10. */
#define USUAL_REASON_MOST 31

/*
 * As many octets are looked at from where such an entry begins, whether they
 * are its own or not: 4 before the serial, at most 20 of it, date and reason.
 * Where fewer are left, entries are read the long way.
 */
#define USUAL_ROOM (4 + UINT160_OCTETS + USUAL_TIME_BYTES + USUAL_REASON_BYTES)

/* RFC 5280, 5.3: the extensions of an entry, 2.5.29.x by their last octet. */
enum entry_extension {
	ENTRY_REASON = 0x15,
	ENTRY_HOLD_INSTRUCTION = 0x17,
	ENTRY_INVALIDITY_DATE = 0x18,
	ENTRY_CERTIFICATE_ISSUER = 0x1d,
	ENTRY_UNKNOWN = 0
};

static const uint8_t id_ce[] = {0x55, 0x1d};

/* What is next to be read, as the positions that callers hold have it. */
static struct der_reader
entries_reader(const struct crl *crl, size_t position)
{
	struct der_reader reader;

	reader = der_reader_of(crl->bytes.data, crl->entries);
	reader.position += position;
	return reader;
}

/*
 * RFC 5280, 4.1.2.2: positive and at most 20 octets. The octets are a minimal
 * INTEGER; out of range they are seen in entry->integer only.
 */
static void
serial_set(struct crl_entry *entry)
{
	const uint8_t *p = entry->integer.data;
	size_t len = entry->integer.len;

	if (len > UINT160_OCTETS || p[0] >= 0x80 || (len == 1 && p[0] == 0))
		return;
	memcpy(entry->serial.octet + UINT160_OCTETS - len, p, len);
	entry->serial_in_range = true;
}

/*
 * An entry of the usual shape at `p`, with USUAL_ROOM octets to look at:
 * header, positive serial, UTCTime and at most a reasonCode, each length of one
 * octet. False when it is anything else; the entry is then half filled.
 *
 * What differs from entry to entry at random (a serial's zero octet, a reason)
 * is no branch here, since it could not be foreseen.
 */
static bool
usual_read(const uint8_t *p, struct crl_entry *entry)
{
	size_t len = p[1], serial_len = p[3];
	size_t plain_len = 2 + serial_len + USUAL_TIME_BYTES;
	bool has_reason = len != plain_len;
	const uint8_t *time, *extensions;
	const char *why;
	bool other;

	if (serial_len - 1 >= UINT160_OCTETS)
		return false;
	time = p + 4 + serial_len;
	extensions = time + USUAL_TIME_BYTES;
	other = (p[0] != DER_SEQUENCE) | (p[2] != DER_INTEGER);
	/* RFC 5280, 4.1.2.2: positive; X.690, 8.3.2: minimal. */
	other |= (p[4] >= 0x80) | ((p[4] == 0) & (p[5] < 0x80));
	other |= (time[0] != DER_UTC_TIME) | (time[1] != DER_UTC_TIME_LEN);
	other |=
	    has_reason &
	    ((len != plain_len + USUAL_REASON_BYTES) |
		(memcmp(extensions, usual_reason, sizeof(usual_reason)) != 0) |
		(extensions[USUAL_REASON_BYTES - 1] > USUAL_REASON_MOST));
	if (other ||
	    der_utc_time(time + 2, &entry->revoked_at.sec) != STATUS_OK ||
	    uint160_from_octets(&entry->serial, p + 4, serial_len, &why) !=
		STATUS_OK)
		return false;
	entry->encoded = (struct crl_view){p, 2 + len};
	entry->integer = (struct crl_view){p + 4, serial_len};
	entry->revoked_at.form = CRL_TIME_UTC;
	entry->reason = has_reason ? extensions[USUAL_REASON_BYTES - 1] : -1;
	entry->serial_in_range = true;
	entry->reason_critical = false;
	entry->has_invalidity_date = false;
	entry->has_certificate_issuer = false;
	entry->has_hold_instruction = false;
	entry->has_unknown = false;
	entry->has_unknown_critical = false;
	entry->has_duplicate_extension = false;
	entry->has_empty_extensions = false;
	entry->has_encoded_default = false;
	entry->is_usual = true;
	return true;
}

/* RFC 5280, 5.3.1: one ENUMERATED of one octet, or there is no int for it. */
static enum status
reason_read(
    struct der_reader in, struct crl_entry *entry, struct crl_fault *fault)
{
	struct der_value value;
	enum status status;

	status = der_take(&in, DER_ENUMERATED, DER_RULE_REASON,
	    "reasonCode is not an ENUMERATED", &value, fault);
	if (status == STATUS_OK)
		status = der_integer_check(&value, DER_RULE_REASON, fault);
	if (status != STATUS_OK)
		return status;
	if (value.content.len != 1 || value.content.data[0] >= 0x80)
		return der_fault(fault, DER_RULE_REASON, value.offset,
		    "reasonCode is negative or of several octets");
	entry->reason = value.content.data[0];
	return der_end(
	    &in, DER_RULE_REASON, "octets after the reasonCode", fault);
}

/* RFC 5280, 5.3.2: a GeneralizedTime; its value is nobody's concern. */
static enum status
invalidity_date_check(struct der_reader in, struct crl_fault *fault)
{
	struct crl_time time;
	enum status status;
	size_t at = in.position;

	if (der_peek(&in) != DER_GENERALIZED_TIME)
		return der_fault(fault, DER_RULE_ENTRY_EXT, at,
		    "invalidityDate is not a GeneralizedTime");
	status =
	    der_take_time(&in, "invalidityDate is not a time", &time, fault);
	if (status != STATUS_OK)
		return status;
	return der_end(
	    &in, DER_RULE_ENTRY_EXT, "octets after the invalidityDate", fault);
}

/* Exactly one value with this tag, well-formed all the way down. */
static enum status
single_check(struct der_reader in, uint8_t tag, const char *text,
    struct crl_fault *fault)
{
	struct der_value value;
	enum status status;

	status = der_take(&in, tag, DER_RULE_ENTRY_EXT, text, &value, fault);
	if (status == STATUS_OK)
		status = der_check(in.base, &value, fault);
	if (status != STATUS_OK)
		return status;
	return der_end(&in, DER_RULE_ENTRY_EXT,
	    "octets after the value of an entry's extension", fault);
}

static enum entry_extension
extension_kind(struct crl_view oid)
{
	if (oid.len != sizeof(id_ce) + 1 ||
	    memcmp(oid.data, id_ce, sizeof(id_ce)) != 0)
		return ENTRY_UNKNOWN;
	switch (oid.data[sizeof(id_ce)]) {
	case ENTRY_REASON:
		return ENTRY_REASON;
	case ENTRY_HOLD_INSTRUCTION:
		return ENTRY_HOLD_INSTRUCTION;
	case ENTRY_INVALIDITY_DATE:
		return ENTRY_INVALIDITY_DATE;
	case ENTRY_CERTIFICATE_ISSUER:
		return ENTRY_CERTIFICATE_ISSUER;
	default:
		return ENTRY_UNKNOWN;
	}
}

/* The first of its kind in the entry, or any unknown one. */
static enum status
extension_note(const uint8_t *base, const struct crl_extension *extension,
    struct crl_entry *entry, struct crl_fault *fault)
{
	struct der_reader in = der_reader_of(base, extension->value);

	switch (extension_kind(extension->oid)) {
	case ENTRY_REASON:
		entry->reason_critical = extension->critical;
		return reason_read(in, entry, fault);
	case ENTRY_HOLD_INSTRUCTION:
		entry->has_hold_instruction = true;
		return single_check(in, DER_OID,
		    "holdInstructionCode is not an OBJECT IDENTIFIER", fault);
	case ENTRY_INVALIDITY_DATE:
		entry->has_invalidity_date = true;
		return invalidity_date_check(in, fault);
	case ENTRY_CERTIFICATE_ISSUER:
		entry->has_certificate_issuer = true;
		return single_check(in, DER_SEQUENCE,
		    "certificateIssuer is not a SEQUENCE", fault);
	default:
		entry->has_unknown = true;
		if (extension->critical)
			entry->has_unknown_critical = true;
		return STATUS_OK;
	}
}

static bool
oid_seen(const struct crl_view *seen, size_t n, struct crl_view oid)
{
	for (size_t i = 0; i < n; i++)
		if (seen[i].len == oid.len &&
		    memcmp(seen[i].data, oid.data, oid.len) == 0)
			return true;
	return false;
}

/* RFC 5280, 5.3: crlEntryExtensions. The first of several alike counts. */
static enum status
extensions_read(
    struct der_reader in, struct crl_entry *entry, struct crl_fault *fault)
{
	struct crl_view seen[CRL_ENTRY_EXTENSIONS_MOST];
	struct crl_extension extension;
	enum status status;
	size_t n = 0;

	entry->has_empty_extensions = der_peek(&in) == 0;
	while (der_peek(&in) != 0) {
		if (n == CRL_ENTRY_EXTENSIONS_MOST)
			return der_fault(fault, DER_RULE_ENTRY_EXT, in.position,
			    "too many extensions in an entry");
		status = der_take_extension(&in, &extension, fault);
		if (status != STATUS_OK)
			return status;
		if (extension.critical_encoded && !extension.critical)
			entry->has_encoded_default = true;
		if (oid_seen(seen, n, extension.oid)) {
			entry->has_duplicate_extension = true;
			if (extension.critical &&
			    extension_kind(extension.oid) == ENTRY_UNKNOWN)
				entry->has_unknown_critical = true;
		} else {
			status =
			    extension_note(in.base, &extension, entry, fault);
			if (status != STATUS_OK)
				return status;
		}
		seen[n++] = extension.oid;
	}
	return STATUS_OK;
}

/* What the SEQUENCE of an entry holds. */
static enum status
fields_read(
    struct der_reader in, struct crl_entry *entry, struct crl_fault *fault)
{
	struct der_value value;
	enum status status;

	status = der_take(&in, DER_INTEGER, DER_RULE_DER,
	    "entry has no INTEGER as its serial", &value, fault);
	if (status == STATUS_OK)
		status = der_integer_check(&value, DER_RULE_SERIAL, fault);
	if (status != STATUS_OK)
		return status;
	entry->integer = value.content;
	serial_set(entry);
	status = der_take_time(
	    &in, "revocationDate is not a time", &entry->revoked_at, fault);
	if (status != STATUS_OK)
		return status;
	if (der_peek(&in) == DER_SEQUENCE) {
		status = der_next(&in, &value, fault);
		if (status == STATUS_OK)
			status = extensions_read(
			    der_reader_in(in.base, &value), entry, fault);
		if (status != STATUS_OK)
			return status;
	}
	return der_end(&in, DER_RULE_DER,
	    "a field that an entry does not have there", fault);
}

enum status
crl_entry_read(const struct crl *crl, size_t *position, struct crl_entry *entry,
    struct crl_fault *fault)
{
	const uint8_t *p;

	if (*position >= crl->entries.len)
		return STATUS_DONE;
	p = crl->entries.data + *position;
	if (crl->entries.len - *position < USUAL_ROOM || !usual_read(p, entry))
		return crl_entry_read_general(crl, position, entry, fault);
	entry->offset = (size_t)(p - crl->bytes.data);
	*position += entry->encoded.len;
	return STATUS_OK;
}

enum status
crl_entry_read_general(const struct crl *crl, size_t *position,
    struct crl_entry *entry, struct crl_fault *fault)
{
	struct der_reader reader;
	struct der_value value;
	enum status status;

	if (*position >= crl->entries.len)
		return STATUS_DONE;
	memset(entry, 0, sizeof(*entry));
	entry->reason = -1;
	reader = entries_reader(crl, *position);
	status = der_take(&reader, DER_SEQUENCE, DER_RULE_DER,
	    "entry is not a SEQUENCE", &value, fault);
	if (status != STATUS_OK)
		return status;
	entry->offset = value.offset;
	entry->encoded = value.encoded;
	status = fields_read(der_reader_in(reader.base, &value), entry, fault);
	if (status == STATUS_OK)
		*position += value.encoded.len;
	return status;
}
