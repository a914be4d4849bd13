/* SPDX-License-Identifier: ISC */
/*
 * The primitives under crl_read.h: one DER value after another out of a run of
 * octets, each bound checked, each fault with its offset and the rule that it
 * breaks. Nothing is allocated; views point into the bytes given. Pure.
 */
#ifndef CRLPRESS_DER_READ_H
#define CRLPRESS_DER_READ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "crlpress/crl_read.h"
#include "crlpress/status.h"

/* X.690, 8.1.2: identifier octets; 0x80 is context-specific, 0x20 constructed.
 */
#define DER_BOOLEAN 0x01
#define DER_INTEGER 0x02
#define DER_BIT_STRING 0x03
#define DER_OCTET_STRING 0x04
#define DER_NULL 0x05
#define DER_OID 0x06
#define DER_ENUMERATED 0x0a
#define DER_UTC_TIME 0x17
#define DER_GENERALIZED_TIME 0x18
#define DER_SEQUENCE 0x30
#define DER_SET 0x31

/*
 * How deep values may nest where their type is not known: a Name inside a
 * GeneralName inside an extension takes seven levels.
 */
#define DER_DEPTH_MOST 16

/* The rules that a fault of reading can break; der_fault knows their texts. */
enum der_rule {
	DER_RULE_DER,
	DER_RULE_VERSION,
	DER_RULE_TIME_FORM,
	DER_RULE_EXTENSIONS,
	DER_RULE_AKI,
	DER_RULE_NUMBER,
	DER_RULE_IDP,
	DER_RULE_SERIAL,
	DER_RULE_REASON,
	DER_RULE_ENTRY_EXT,
	DER_RULE_CERTIFICATE,
	DER_RULE_COUNT
};

/* What is still to be read of a run of values. */
struct der_reader {
	const uint8_t *base; /* offsets count from here */
	size_t position;
	size_t end;
};

struct der_value {
	uint8_t tag;
	size_t offset;           /* of the tag */
	struct crl_view content; /* `data` is not NULL, even when empty */
	struct crl_view encoded; /* with tag and length */
};

/* Fills `*fault`; returns STATUS_MALFORMED. `text` is static. */
enum status der_fault(struct crl_fault *fault, enum der_rule rule,
    size_t offset, const char *text) MUST_CHECK;

/* A reader over `view`, which lies in the bytes that begin at `base`. */
struct der_reader der_reader_of(const uint8_t *base, struct crl_view view);

/* A reader over what a value holds. */
struct der_reader der_reader_in(
    const uint8_t *base, const struct der_value *value);

/* The next tag; 0, which is none, at the end. */
uint8_t der_peek(const struct der_reader *reader);

/* The next value, whatever it is. */
enum status der_next(struct der_reader *reader, struct der_value *value,
    struct crl_fault *fault) MUST_CHECK;

/* The next value, which has to have this tag: else `rule` and `text`. */
enum status der_take(struct der_reader *reader, uint8_t tag, enum der_rule rule,
    const char *text, struct der_value *value,
    struct crl_fault *fault) MUST_CHECK;

/* Nothing may be left: else `rule` and `text`. */
enum status der_end(const struct der_reader *reader, enum der_rule rule,
    const char *text, struct crl_fault *fault) MUST_CHECK;

/* The content of a value as its type has it, by X.690, 8 and 11. */
enum status der_boolean(const struct der_value *value, bool *out,
    struct crl_fault *fault) MUST_CHECK;
enum status der_integer_check(const struct der_value *value, enum der_rule rule,
    struct crl_fault *fault) MUST_CHECK;
enum status der_oid_check(
    const struct der_value *value, struct crl_fault *fault) MUST_CHECK;
enum status der_bits_check(
    const struct der_value *value, struct crl_fault *fault) MUST_CHECK;

/* The last thing read is well-formed DER all the way down. */
enum status der_check(const uint8_t *base, const struct der_value *value,
    struct crl_fault *fault) MUST_CHECK;
/* So is everything that is still to be read. */
enum status der_check_rest(
    struct der_reader reader, struct crl_fault *fault) MUST_CHECK;

/* UTCTime or GeneralizedTime by its tag; else `text`. */
enum status der_take_time(struct der_reader *reader, const char *text,
    struct crl_time *time, struct crl_fault *fault) MUST_CHECK;

/*
 * Seconds from the 13 octets YYMMDDhhmmssZ or the 15 octets YYYYMMDDhhmmssZ;
 * STATUS_MALFORMED when they are anything else or no date of the calendar.
 */
#define DER_UTC_TIME_LEN 13
#define DER_GENERALIZED_TIME_LEN 15
enum status der_utc_time(
    const uint8_t text[DER_UTC_TIME_LEN], int64_t *sec) MUST_CHECK;
enum status der_generalized_time(
    const uint8_t text[DER_GENERALIZED_TIME_LEN], int64_t *sec) MUST_CHECK;

/* One Extension (RFC 5280, 4.1): OID, critical, OCTET STRING. */
enum status der_take_extension(struct der_reader *reader,
    struct crl_extension *extension, struct crl_fault *fault) MUST_CHECK;

#endif
