/* SPDX-License-Identifier: ISC */
/*
 * CRLs written by hand, for the tests of the strict reader. A vector is hex
 * with a few signs: `{...}` is a length and what it covers, 'x' is text, and ^
 * stands where the fault is expected. Every CRL read lies right before a page
 * that cannot be read, so a step too far kills the test.
 */
#ifndef CRLPRESS_DER_VECTOR_H
#define CRLPRESS_DER_VECTOR_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "crlpress/crl_read.h"

#define VECTOR_BYTES_MOST 4096
#define VECTOR_DEPTH_MOST 16
#define NO_MARK ((size_t)-1)

/* ecdsa-with-SHA256; CN=CA; 2026-11-22 and 2026-12-01; any signature. */
#define ALG "30{06{2a8648ce3d040302}}"
#define NAME "30{31{30{06{550403}0c{'CA'}}}}"
#define FROM "17{'261122000000Z'}"
#define TO "17{'261201000000Z'}"
#define SIG "03{003006020101020101}"
#define TBS(entries, extensions) \
	"30{020101" ALG NAME FROM TO entries extensions "}"
#define LIST(tbs) "30{" tbs ALG SIG "}"

#define EXT(oid, value) "30{06{" oid "}04{" value "}}"
#define CRITICAL(oid, value) "30{06{" oid "}0101ff04{" value "}}"
#define EXTS(list) "a0{30{" list "}}"
#define NUMBER EXT("551d14", "020107")
#define AKI EXT("551d23", "30{80{0102030405}}")
#define IDP CRITICAL("551d1c", "30{a0{a0{86{'http://c/0.crl'}}}8101ff}")

#define WHEN "17{'261121093058Z'}"
#define REASON(n) "30{" EXT("551d15", "0a{" n "}") "}"
#define PLAIN "30{0203010203" WHEN "}"
#define USUAL "30{02{7f0102030405060708090a0b0c0d0e0f}" WHEN REASON("01") "}"
#define WHOLE LIST(TBS("30{" PLAIN USUAL "}", EXTS(NUMBER AKI IDP)))

/* What cannot be read, and the rule it breaks. */
struct bad {
	const char *text;
	const char *rule;
};

/* Assembled bytes, and where the mark stood. */
struct vector {
	uint8_t octet[VECTOR_BYTES_MOST];
	size_t len;
	size_t mark;
};

/* Room that ends at a page without any access. */
struct guard {
	uint8_t *map;
	size_t bytes;
};

static struct guard guard;

static inline int
guard_setup(void **state)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);

	(void)state;
	guard.bytes = (VECTOR_BYTES_MOST + page - 1) / page * page;
	guard.map = mmap(NULL, guard.bytes + page, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (guard.map == MAP_FAILED)
		return -1;
	return mprotect(guard.map + guard.bytes, page, PROT_NONE);
}

/* Copies so that the last octet is the last that can be read. */
static inline const uint8_t *
guard_put(const uint8_t *data, size_t len)
{
	uint8_t *at = guard.map + guard.bytes - len;

	memcpy(at, data, len);
	return at;
}

/* Puts the DER length of what follows `start` before it. */
static inline void
length_insert(struct vector *v, size_t start)
{
	uint8_t head[3] = {0};
	size_t len = v->len - start, n = 0;

	if (len >= 0x100) {
		head[n++] = 0x82;
		head[n++] = (uint8_t)(len >> 8);
	} else if (len >= 0x80) {
		head[n++] = 0x81;
	}
	head[n++] = (uint8_t)len;
	assert_true(v->len + n <= VECTOR_BYTES_MOST);
	memmove(v->octet + start + n, v->octet + start, len);
	memcpy(v->octet + start, head, n);
	v->len += n;
	if (v->mark != NO_MARK && v->mark >= start)
		v->mark += n;
}

static inline uint8_t
hex_digit(char c)
{
	const char *digits = "0123456789abcdef";
	const char *at = strchr(digits, c);

	assert_true(c != '\0' && at != NULL);
	return (uint8_t)(at - digits);
}

static inline void
assemble(const char *text, struct vector *v)
{
	size_t start[VECTOR_DEPTH_MOST], depth = 0;

	v->len = 0;
	v->mark = NO_MARK;
	for (; *text != '\0'; text++) {
		assert_true(v->len < VECTOR_BYTES_MOST);
		if (*text == '{') {
			assert_true(depth < VECTOR_DEPTH_MOST);
			start[depth++] = v->len;
		} else if (*text == '}') {
			assert_true(depth > 0);
			length_insert(v, start[--depth]);
		} else if (*text == '^') {
			v->mark = v->len;
		} else if (*text == '\'') {
			while (*++text != '\'')
				v->octet[v->len++] = (uint8_t)*text;
		} else if (*text != ' ') {
			v->octet[v->len] = (uint8_t)(hex_digit(*text++) << 4);
			v->octet[v->len++] |= hex_digit(*text);
		}
	}
	assert_int_equal(depth, 0);
}

/* Assembles and parses what has to be a CRL. */
static inline void
parse_good(const char *text, struct vector *v, struct crl *crl)
{
	struct crl_fault fault = {.text = "none"};
	enum status status;

	assemble(text, v);
	status = crl_parse(guard_put(v->octet, v->len), v->len, crl, &fault);
	if (status != STATUS_OK)
		fail_msg("%s: at %zu: %s", text, fault.offset, fault.text);
}

static inline void
fault_expect(const char *text, const struct vector *v, enum status status,
    const struct crl_fault *fault, const char *rule)
{
	assert_true(v->mark != NO_MARK);
	if (status != STATUS_MALFORMED)
		fail_msg("%s: read as status %d", text, (int)status);
	if (fault->offset != v->mark || strcmp(fault->rule, rule) != 0)
		fail_msg("%s: %s at %zu (%s), want %s at %zu", text,
		    fault->rule, fault->offset, fault->text, rule, v->mark);
	assert_non_null(fault->clause);
	assert_non_null(fault->text);
}

static inline void
view_expect(const struct crl *crl, struct crl_view view, const char *text)
{
	struct vector v;

	assemble(text, &v);
	assert_true(view.data >= crl->bytes.data);
	assert_true(view.data + view.len <= crl->bytes.data + crl->bytes.len);
	assert_int_equal(view.len, v.len);
	assert_memory_equal(view.data, v.octet, v.len);
}

static inline bool
time_equal(const struct crl_time *a, const struct crl_time *b)
{
	return a->sec == b->sec && a->form == b->form;
}

static inline bool
view_equal(struct crl_view a, struct crl_view b)
{
	return a.data == b.data && a.len == b.len;
}

static inline bool
entry_equal(const struct crl_entry *a, const struct crl_entry *b)
{
	return a->offset == b->offset && view_equal(a->encoded, b->encoded) &&
	       view_equal(a->integer, b->integer) &&
	       a->serial_in_range == b->serial_in_range &&
	       memcmp(&a->serial, &b->serial, sizeof(a->serial)) == 0 &&
	       time_equal(&a->revoked_at, &b->revoked_at) &&
	       a->reason == b->reason &&
	       a->reason_critical == b->reason_critical &&
	       a->has_invalidity_date == b->has_invalidity_date &&
	       a->has_certificate_issuer == b->has_certificate_issuer &&
	       a->has_hold_instruction == b->has_hold_instruction &&
	       a->has_unknown == b->has_unknown &&
	       a->has_unknown_critical == b->has_unknown_critical &&
	       a->has_duplicate_extension == b->has_duplicate_extension &&
	       a->has_empty_extensions == b->has_empty_extensions &&
	       a->has_encoded_default == b->has_encoded_default;
}

/* What is_usual promises of an entry. */
static inline bool
entry_is_usual(const struct crl_entry *entry)
{
	return entry->serial_in_range &&
	       entry->revoked_at.form == CRL_TIME_UTC && entry->reason < 32 &&
	       !entry->reason_critical && !entry->has_invalidity_date &&
	       !entry->has_certificate_issuer && !entry->has_hold_instruction &&
	       !entry->has_unknown && !entry->has_unknown_critical &&
	       !entry->has_duplicate_extension &&
	       !entry->has_empty_extensions && !entry->has_encoded_default;
}

/* Reads one entry by both ways, which have to agree in everything. */
static inline enum status
entry_read_both(const struct crl *crl, size_t *position,
    struct crl_entry *entry, struct crl_fault *fault)
{
	struct crl_entry other;
	struct crl_fault other_fault;
	size_t before = *position, there = before;
	enum status status = crl_entry_read(crl, position, entry, fault);

	assert_int_equal(
	    status, crl_entry_read_general(crl, &there, &other, &other_fault));
	assert_int_equal(*position, there);
	if (status == STATUS_OK) {
		assert_true(entry_equal(entry, &other));
		assert_true(!entry->is_usual || entry_is_usual(&other));
		assert_true(*position > before);
	} else {
		assert_int_equal(*position, before);
	}
	if (status == STATUS_MALFORMED) {
		assert_int_equal(fault->offset, other_fault.offset);
		assert_ptr_equal(fault->rule, other_fault.rule);
		assert_ptr_equal(fault->text, other_fault.text);
	}
	return status;
}

/* Everything that can be asked of a CRL; only bounds are at stake. */
static inline void
read_all(const struct crl *crl)
{
	struct crl_fault fault;
	struct crl_entry entry;
	struct crl_aki aki;
	struct crl_idp idp;
	struct uint160 number;
	size_t position = 0;
	enum status status;

	do
		status = entry_read_both(crl, &position, &entry, &fault);
	while (status == STATUS_OK);
	if (status == STATUS_MALFORMED)
		assert_true(fault.offset <= crl->bytes.len);
	status = crl_number(crl, &number, &fault);
	if (status == STATUS_MALFORMED)
		assert_true(fault.offset <= crl->bytes.len);
	status = crl_aki(crl, &aki, &fault);
	if (status == STATUS_MALFORMED)
		assert_true(fault.offset <= crl->bytes.len);
	status = crl_idp(crl, &idp, &fault);
	if (status == STATUS_MALFORMED)
		assert_true(fault.offset <= crl->bytes.len);
}

#endif
