/* SPDX-License-Identifier: ISC */
/*
 * For the tests of the gates: a gate in front of shard 7 with its report and
 * what an operator lets pass, and published CRLs made of rows. Include
 * cmocka.h first.
 */
#ifndef CRLPRESS_GATE_STAND_H
#define CRLPRESS_GATE_STAND_H

#include <stdlib.h>
#include <string.h>

#include "crlpress/crl_build.h"
#include "crlpress/gate.h"
#include "crlpress/utc.h"

#define STAND_OBJECT "letters/shard 7"
#define STAND_SHARD 7

struct stand {
	struct gate_passes passes;
	struct gate_place place;
	struct gate_merge merge;
};

static inline void
stand_make(struct stand *stand)
{
	memset(stand, 0, sizeof(*stand));
	stand->place = (struct gate_place){
	    .object = STAND_OBJECT,
	    .shard = STAND_SHARD,
	    .passes = &stand->passes,
	    .report = report_new(NULL, SEVERITY_NOTE),
	};
	assert_non_null(stand->place.report);
}

static inline void
stand_free(struct stand *stand)
{
	report_free(stand->place.report);
}

static inline void
stand_pass(struct stand *stand, const char *text)
{
	const char *why = NULL;

	assert_int_equal(
	    gate_passes_add(&stand->passes, text, &why), STATUS_OK);
}

/* How many findings of this severity were kept for a gate. */
static inline size_t
stand_count(const struct stand *stand, enum severity severity, enum gate gate)
{
	size_t count = 0;

	for (size_t i = 0; i < report_kept(stand->place.report); i++) {
		const struct finding *finding =
		    report_finding(stand->place.report, i);

		assert_string_equal(finding->object, STAND_OBJECT);
		count += finding->severity == severity &&
			 strcmp(finding->rule, gate_name(gate)) == 0;
	}
	return count;
}

/* The only finding, which has this text in it. */
static inline void
stand_said(const struct stand *stand, enum severity severity, enum gate gate,
    const char *text)
{
	const struct finding *finding;

	assert_int_equal(report_kept(stand->place.report), 1);
	assert_int_equal(stand_count(stand, severity, gate), 1);
	finding = report_finding(stand->place.report, 0);
	if (strstr(finding->text, text) == NULL)
		fail_msg("have: %s, want: %s", finding->text, text);
}

static inline struct row
stand_row(uint64_t serial, int64_t revoked_at_sec, uint8_t reason,
    int64_t not_after_sec)
{
	struct uint160 value = uint160_from_u64(serial);

	return row_make(&value, revoked_at_sec, reason, not_after_sec);
}

/* A published CRL, and the bytes it looks into. */
struct published {
	uint8_t *bytes;
	size_t len;
	struct crl crl;
};

/*
 * Lists the rows as they come, sorted or not, with a signature that nobody
 * verifies. The encoder does not ask what it lists.
 */
static inline void
published_make(struct published *published, const struct row *rows, size_t n,
    int64_t this_update_sec)
{
	static const uint8_t algorithm[] = {
	    0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70};
	static const uint8_t name[] = {0x30, 0x0d, 0x31, 0x0b, 0x30, 0x09, 0x06,
	    0x03, 0x55, 0x04, 0x03, 0x0c, 0x02, 'C', 'A'};
	static const uint8_t signature[64];
	struct crl_header header = {
	    .algorithm = algorithm,
	    .algorithm_len = sizeof(algorithm),
	    .issuer = name,
	    .issuer_len = sizeof(name),
	    .this_update_sec = this_update_sec,
	    .next_update_sec = this_update_sec + 86400,
	    .number = uint160_from_u64(1),
	};
	uint8_t prefix[CRL_PREFIX_BYTES], suffix[CRL_SUFFIX_BYTES_MOST];
	size_t size, before, after;
	struct crl_fault fault;
	const char *why;

	assert_int_equal(
	    crl_tbs_size(&header, rows, n, &size, &why), STATUS_OK);
	after = crl_suffix_write(
	    algorithm, sizeof(algorithm), signature, sizeof(signature), suffix);
	before = crl_prefix_write(size, after, prefix);
	published->len = before + size + after;
	published->bytes = malloc(published->len);
	assert_non_null(published->bytes);
	memcpy(published->bytes, prefix, before);
	crl_tbs_write(&header, rows, n, published->bytes + before, size);
	memcpy(published->bytes + before + size, suffix, after);
	assert_int_equal(crl_parse(published->bytes, published->len,
			     &published->crl, &fault),
	    STATUS_OK);
}

static inline void
published_free(struct published *published)
{
	free(published->bytes);
}

#endif
