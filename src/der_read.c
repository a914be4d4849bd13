/* SPDX-License-Identifier: ISC */
/*
 * DER by X.690, and no more of BER than that: definite lengths in their
 * shortest form, one octet of tag, integers without a spare octet, booleans
 * of 00 or FF. Depth is bounded by a constant and nothing calls itself.
 */
#include "crlpress/der_read.h"

#include <endian.h>
#include <string.h>

/* X.690, 8.1.2.4: these five bits say that the number follows elsewhere. */
#define TAG_NUMBER_MASK 0x1f
#define TAG_CLASS_MASK 0xc0
#define TAG_CONSTRUCTED 0x20

/* From 1 January 1900 to 1 January 1970. */
#define UTC_EPOCH_DAYS 25567

/* A length of more octets than this is longer than any memory. */
#define LENGTH_OCTETS_MOST 8

struct rule_row {
	const char *id;
	const char *clause;
};

static const struct rule_row rules[DER_RULE_COUNT] = {
    [DER_RULE_DER] = {"der", "MRSP 5.2, RFC 5280 5.1"},
    [DER_RULE_VERSION] = {"version", "RFC 5280, 5.1.2.1"},
    [DER_RULE_TIME_FORM] = {"time-form", "RFC 5280, 5.1.2.4-6"},
    [DER_RULE_EXTENSIONS] = {"extensions", "RFC 5280, 5.2, BR 7.2.2"},
    [DER_RULE_AKI] = {"aki", "RFC 5280, 5.2.1"},
    [DER_RULE_NUMBER] = {"number", "RFC 5280, 5.2.3, BR 7.2.2"},
    [DER_RULE_IDP] = {"idp", "RFC 5280, 5.2.5, BR 7.2.2.1, CCADB 6.2"},
    [DER_RULE_SERIAL] = {"serial", "RFC 5280, 4.1.2.2"},
    [DER_RULE_REASON] = {"reason",
	"BR 4.9.1.1, 7.2.2, MRSP 6.1.1, RFC 5280 5.3.1"},
    [DER_RULE_ENTRY_EXT] = {"entry-ext", "BR 7.2.2"},
    [DER_RULE_CERTIFICATE] = {"certificate", "RFC 5280, 4.1"},
};

/* Days before each month of a year that is not a leap year, and its length. */
struct month_row {
	uint16_t before;
	uint8_t days;
};

static const struct month_row months[13] = {{0, 0}, {0, 31}, {31, 28}, {59, 31},
    {90, 30}, {120, 31}, {151, 30}, {181, 31}, {212, 31}, {243, 30}, {273, 31},
    {304, 30}, {334, 31}};

enum status
der_fault(struct crl_fault *fault, enum der_rule rule, size_t offset,
    const char *text)
{
	fault->offset = offset;
	fault->rule = rules[rule].id;
	fault->clause = rules[rule].clause;
	fault->text = text;
	return STATUS_MALFORMED;
}

static enum status
fault_der(struct crl_fault *fault, size_t offset, const char *text)
{
	return der_fault(fault, DER_RULE_DER, offset, text);
}

struct der_reader
der_reader_of(const uint8_t *base, struct crl_view view)
{
	struct der_reader reader = {.base = base};

	reader.position = (size_t)(view.data - base);
	reader.end = reader.position + view.len;
	return reader;
}

struct der_reader
der_reader_in(const uint8_t *base, const struct der_value *value)
{
	return der_reader_of(base, value->content);
}

uint8_t
der_peek(const struct der_reader *reader)
{
	if (reader->position == reader->end)
		return 0;
	return reader->base[reader->position];
}

/*
 * X.690, 10.1: the length at reader->position + 1, in its shortest form.
 * `*header` is the size of tag and length. At least 2 octets are left.
 */
static enum status
length_read(const struct der_reader *reader, size_t *header, size_t *len,
    struct crl_fault *fault)
{
	size_t at = reader->position;
	const uint8_t *p = reader->base + at + 1;
	size_t left = reader->end - at - 2;
	size_t octets = p[0] & 0x7f;
	uint64_t sum = 0;

	if (p[0] < 0x80) {
		sum = p[0];
		octets = 0;
	} else if (octets == 0) {
		return fault_der(fault, at, "indefinite length");
	} else if (octets > left) {
		return fault_der(fault, at, "length is cut off");
	} else if (p[1] == 0 || (octets == 1 && p[1] < 0x80)) {
		return fault_der(fault, at, "length is not minimal");
	} else if (octets > LENGTH_OCTETS_MOST) {
		return fault_der(fault, at, "length passes the end");
	}
	for (size_t i = 1; i <= octets; i++)
		sum = sum << 8 | p[i];
	if (sum > left - octets)
		return fault_der(fault, at, "length passes the end");
	*header = 2 + octets;
	*len = (size_t)sum;
	return STATUS_OK;
}

enum status
der_next(
    struct der_reader *reader, struct der_value *value, struct crl_fault *fault)
{
	size_t at = reader->position, header, len;
	const uint8_t *p = reader->base + at;
	enum status status;

	if (reader->end - at < 2)
		return fault_der(fault, at, "value is cut off");
	if (p[0] == 0)
		return fault_der(fault, at, "end-of-contents octet");
	if ((p[0] & TAG_NUMBER_MASK) == TAG_NUMBER_MASK)
		return fault_der(fault, at, "tag number above 30");
	status = length_read(reader, &header, &len, fault);
	if (status != STATUS_OK)
		return status;
	value->tag = p[0];
	value->offset = at;
	value->content = (struct crl_view){p + header, len};
	value->encoded = (struct crl_view){p, header + len};
	reader->position = at + header + len;
	return STATUS_OK;
}

enum status
der_take(struct der_reader *reader, uint8_t tag, enum der_rule rule,
    const char *text, struct der_value *value, struct crl_fault *fault)
{
	if (der_peek(reader) != tag)
		return der_fault(fault, rule, reader->position, text);
	return der_next(reader, value, fault);
}

enum status
der_end(const struct der_reader *reader, enum der_rule rule, const char *text,
    struct crl_fault *fault)
{
	if (reader->position != reader->end)
		return der_fault(fault, rule, reader->position, text);
	return STATUS_OK;
}

/* X.690, 11.1: TRUE is FF. */
enum status
der_boolean(const struct der_value *value, bool *out, struct crl_fault *fault)
{
	if (value->content.len != 1)
		return fault_der(
		    fault, value->offset, "BOOLEAN is not of one octet");
	if (value->content.data[0] != 0 && value->content.data[0] != 0xff)
		return fault_der(
		    fault, value->offset, "BOOLEAN is neither 00 nor FF");
	*out = value->content.data[0] != 0;
	return STATUS_OK;
}

/* X.690, 8.3.2: the first nine bits are not all alike. */
enum status
der_integer_check(
    const struct der_value *value, enum der_rule rule, struct crl_fault *fault)
{
	const uint8_t *p = value->content.data;

	if (value->content.len == 0)
		return der_fault(fault, rule, value->offset,
		    "INTEGER or ENUMERATED is empty");
	if (value->content.len > 1 &&
	    ((p[0] == 0 && p[1] < 0x80) || (p[0] == 0xff && p[1] >= 0x80)))
		return der_fault(fault, rule, value->offset,
		    "INTEGER or ENUMERATED is not minimal");
	return STATUS_OK;
}

/* X.690, 8.19.2: no part begins with 80, the last one ends. */
enum status
der_oid_check(const struct der_value *value, struct crl_fault *fault)
{
	const uint8_t *p = value->content.data;
	size_t len = value->content.len;

	if (len == 0)
		return fault_der(
		    fault, value->offset, "OBJECT IDENTIFIER is empty");
	if (p[len - 1] >= 0x80)
		return fault_der(
		    fault, value->offset, "OBJECT IDENTIFIER is cut off");
	for (size_t i = 0; i < len; i++)
		if (p[i] == 0x80 && (i == 0 || p[i - 1] < 0x80))
			return fault_der(fault, value->offset,
			    "OBJECT IDENTIFIER is not minimal");
	return STATUS_OK;
}

/* X.690, 8.6.2 and 11.2.1: at most seven unused bits, all of them 0. */
enum status
der_bits_check(const struct der_value *value, struct crl_fault *fault)
{
	const uint8_t *p = value->content.data;
	size_t len = value->content.len;

	if (len == 0 || p[0] > 7 || (len == 1 && p[0] != 0))
		return fault_der(fault, value->offset,
		    "BIT STRING has no count of unused bits from 0 to 7");
	if ((p[len - 1] & ((1u << p[0]) - 1)) != 0 && len > 1)
		return fault_der(fault, value->offset,
		    "BIT STRING has unused bits that are not 0");
	return STATUS_OK;
}

/*
 * What can be said of a value by its tag alone. Of the universal types only
 * SEQUENCE and SET are constructed in DER, but for three that hold a SEQUENCE:
 * EXTERNAL, EMBEDDED PDV and CHARACTER STRING.
 */
static enum status
value_check(const struct der_value *value, struct crl_fault *fault)
{
	uint8_t number = value->tag & TAG_NUMBER_MASK;
	bool constructed = (value->tag & TAG_CONSTRUCTED) != 0;
	bool holds = number == 8 || number == 11 || number == 16 ||
		     number == 17 || number == 29;
	bool truth;

	if ((value->tag & TAG_CLASS_MASK) != 0)
		return STATUS_OK;
	if (constructed != holds)
		return fault_der(fault, value->offset,
		    "type is primitive where DER has it constructed, or "
		    "the reverse");
	switch (value->tag) {
	case DER_BOOLEAN:
		return der_boolean(value, &truth, fault);
	case DER_INTEGER:
	case DER_ENUMERATED:
		return der_integer_check(value, DER_RULE_DER, fault);
	case DER_BIT_STRING:
		return der_bits_check(value, fault);
	case DER_NULL:
		if (value->content.len != 0)
			return fault_der(
			    fault, value->offset, "NULL is not empty");
		return STATUS_OK;
	case DER_OID:
		return der_oid_check(value, fault);
	default:
		return STATUS_OK;
	}
}

enum status
der_check(
    const uint8_t *base, const struct der_value *value, struct crl_fault *fault)
{
	return der_check_rest(der_reader_of(base, value->encoded), fault);
}

enum status
der_check_rest(struct der_reader reader, struct crl_fault *fault)
{
	size_t ends[DER_DEPTH_MOST] = {0};
	size_t depth = 0;
	struct der_value value;
	enum status status;

	for (;;) {
		while (reader.position == reader.end) {
			if (depth == 0)
				return STATUS_OK;
			reader.end = ends[--depth];
		}
		status = der_next(&reader, &value, fault);
		if (status == STATUS_OK)
			status = value_check(&value, fault);
		if (status != STATUS_OK)
			return status;
		if ((value.tag & TAG_CONSTRUCTED) == 0)
			continue;
		if (depth == DER_DEPTH_MOST)
			return fault_der(
			    fault, value.offset, "values nest too deep");
		ends[depth++] = reader.end;
		reader = der_reader_in(reader.base, &value);
	}
}

/*
 * Days before 1 January of the year, from a day that is the same for all of
 * them. 400 years are added so that the year before the year 0 can be divided.
 */
static int64_t
days_before_year(unsigned year)
{
	unsigned y = year + 399;

	return (int64_t)(365 * y + y / 4 - y / 100 + y / 400);
}

/* Seconds of midnight; the number of a month is below 100. */
static enum status
date_convert(unsigned year, unsigned month, unsigned day, int64_t *sec)
{
	bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
	int64_t days = days_before_year(year) - days_before_year(1970);

	if (month - 1 > 11 ||
	    day - 1 >= months[month].days + (leap && month == 2 ? 1u : 0u))
		return STATUS_MALFORMED;
	days += months[month].before + (leap && month > 2 ? 1u : 0u);
	*sec = (days + day - 1) * 86400;
	return STATUS_OK;
}

/*
 * Eight digits at once as four numbers of two, the first in the lowest of four
 * words of 16 bits; `*bad` becomes other than 0 when they are no digits.
 */
static uint64_t
pairs_read(const uint8_t text[8], uint64_t *bad)
{
	uint64_t digit;

	memcpy(&digit, text, sizeof(digit));
	digit = le64toh(digit) ^ 0x3030303030303030;
	*bad |= (digit | (digit + 0x0606060606060606)) & 0xf0f0f0f0f0f0f0f0;
	return (digit * 10 + (digit >> 8)) & 0x00ff00ff00ff00ff;
}

static unsigned
pair(uint64_t pairs, unsigned i)
{
	return (unsigned)(pairs >> (16 * i)) & 0xff;
}

/* DDhhmmssZ as its pairs and its last octet: the seconds since midnight. */
static unsigned
clock_convert(uint64_t pairs, uint8_t z, uint64_t *bad)
{
	/* A word above 23, 59, 59 has its highest bit set by what is added. */
	*bad |= (pairs + 0x7fc47fc47fe80000) & 0x8000800080000000;
	*bad |= z ^ 'Z';
	return pair(pairs, 1) * 3600 + pair(pairs, 2) * 60 + pair(pairs, 3);
}

/*
 * RFC 5280, 4.1.2.5.1: YYMMDDhhmmssZ; 50 to 99 are of the twentieth century.
 * Of these hundred years each fourth has a leap day, 2000 too. Nearly every
 * entry has such a date, so it does without date_convert's divisions.
 */
enum status
der_utc_time(const uint8_t text[DER_UTC_TIME_LEN], int64_t *sec)
{
	uint64_t bad = 0;
	uint64_t date = pairs_read(text, &bad);
	uint64_t time = pairs_read(text + 4, &bad);
	unsigned clock_sec = clock_convert(time, text[12], &bad);
	unsigned year = pair(date, 0) + (pair(date, 0) < 50 ? 100 : 0);
	unsigned month = pair(date, 1);
	unsigned day = pair(date, 2);
	unsigned leap = year % 4 == 0;
	unsigned days;

	if (bad != 0 || month - 1 > 11 ||
	    day - 1 >= months[month].days + (leap & (month == 2)))
		return STATUS_MALFORMED;
	days = year * 365 + (year - 1) / 4 + months[month].before +
	       (leap & (month > 2)) + day - 1;
	*sec = ((int64_t)days - UTC_EPOCH_DAYS) * 86400 + clock_sec;
	return STATUS_OK;
}

/* RFC 5280, 4.1.2.5.2: YYYYMMDDhhmmssZ. */
enum status
der_generalized_time(const uint8_t text[DER_GENERALIZED_TIME_LEN], int64_t *sec)
{
	uint64_t bad = 0;
	uint64_t date = pairs_read(text, &bad);
	uint64_t time = pairs_read(text + 6, &bad);
	unsigned clock_sec = clock_convert(time, text[14], &bad);

	if (bad != 0 || date_convert(pair(date, 0) * 100 + pair(date, 1),
			    pair(date, 2), pair(date, 3), sec) != STATUS_OK)
		return STATUS_MALFORMED;
	*sec += clock_sec;
	return STATUS_OK;
}

enum status
der_take_time(struct der_reader *reader, const char *text,
    struct crl_time *time, struct crl_fault *fault)
{
	struct der_value value;
	enum status status;
	bool utc = der_peek(reader) == DER_UTC_TIME;

	if (!utc && der_peek(reader) != DER_GENERALIZED_TIME)
		return fault_der(fault, reader->position, text);
	status = der_next(reader, &value, fault);
	if (status != STATUS_OK)
		return status;
	time->form = utc ? CRL_TIME_UTC : CRL_TIME_GENERALIZED;
	status = STATUS_MALFORMED;
	if (utc && value.content.len == DER_UTC_TIME_LEN)
		status = der_utc_time(value.content.data, &time->sec);
	if (!utc && value.content.len == DER_GENERALIZED_TIME_LEN)
		status = der_generalized_time(value.content.data, &time->sec);
	if (status != STATUS_OK)
		return der_fault(fault, DER_RULE_TIME_FORM, value.offset,
		    "time is no date to the second ending in Z");
	return STATUS_OK;
}

enum status
der_take_extension(struct der_reader *reader, struct crl_extension *extension,
    struct crl_fault *fault)
{
	const uint8_t *base = reader->base;
	struct der_reader in;
	struct der_value value;
	enum status status;

	*extension = (struct crl_extension){.critical = false};
	status = der_take(reader, DER_SEQUENCE, DER_RULE_DER,
	    "Extension is not a SEQUENCE", &value, fault);
	if (status != STATUS_OK)
		return status;
	in = der_reader_in(base, &value);
	status = der_take(
	    &in, DER_OID, DER_RULE_DER, "Extension has no OID", &value, fault);
	if (status == STATUS_OK)
		status = der_oid_check(&value, fault);
	if (status != STATUS_OK)
		return status;
	extension->oid = value.content;
	if (der_peek(&in) == DER_BOOLEAN) {
		status = der_next(&in, &value, fault);
		if (status == STATUS_OK)
			status =
			    der_boolean(&value, &extension->critical, fault);
		if (status != STATUS_OK)
			return status;
		extension->critical_encoded = true;
	}
	status = der_take(&in, DER_OCTET_STRING, DER_RULE_DER,
	    "Extension has no OCTET STRING", &value, fault);
	if (status != STATUS_OK)
		return status;
	extension->value = value.content;
	return der_end(
	    &in, DER_RULE_DER, "octets after the Extension's value", fault);
}
