/* SPDX-License-Identifier: ISC */
/*
 * The encoder against octets written by hand: every length below is counted,
 * none is computed. Then sizes around every place where a DER length takes
 * one octet more, read back by the strict reader, which shares no code.
 */
#include "crlpress/crl_build.h"

#include <stdlib.h>

#include "../lib/der_vector.h"

#include "crlpress/utc.h"

/* ecdsa-with-SHA256, 12 octets; CN=CA, 15 octets. */
#define W_ALG "300a06082a8648ce3d040302"
#define W_NAME "300d310b300906035504030c02'CA'"
#define W_FROM "170d'261122050949Z'"
#define W_TO "170d'261201050948Z'"
#define W_HEAD "020101" W_ALG W_NAME W_FROM W_TO /* 60 octets */

#define W_AKI "300f0603551d2304083006800401020304" /* 17 octets */
#define W_NUMBER "300a0603551d140403020107"        /* 12 octets */
#define W_POINT "a012a010860e'http://c/0.crl'"     /* 20 octets */
#define W_USERS "8101ff"
#define W_CAS "8201ff"
/* 37 octets with a scope, 34 without. */
#define W_IDP(scope) "30230603551d1c0101ff04193017" W_POINT scope
#define W_IDP_ALL "30200603551d1c0101ff04163014" W_POINT
#define W_EXTS "a0443042" W_AKI W_NUMBER W_IDP(W_USERS) /* 70 octets */

#define FROM_SEC 1795324189LL /* 2026-11-22 05:09:49 */
#define TO_SEC 1796101788LL   /* 2026-12-01 05:09:48 */

/* 2026-11-21 09:30:58 */
#define WHEN_SEC 1795253458LL
#define W_WHEN "170d'261121093058Z'"

static const uint8_t algorithm[] = {
    0x30, 0x0a, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02};
static const uint8_t name[] = {0x30, 0x0d, 0x31, 0x0b, 0x30, 0x09, 0x06, 0x03,
    0x55, 0x04, 0x03, 0x0c, 0x02, 'C', 'A'};
static const uint8_t key_id[] = {1, 2, 3, 4};

static struct crl_header
header_make(void)
{
	return (struct crl_header){
	    .algorithm = algorithm,
	    .algorithm_len = sizeof(algorithm),
	    .issuer = name,
	    .issuer_len = sizeof(name),
	    .key_id = key_id,
	    .key_id_len = sizeof(key_id),
	    .this_update_sec = FROM_SEC,
	    .next_update_sec = TO_SEC,
	    .number = uint160_from_u64(7),
	    .url = "http://c/0.crl",
	    .scope = CRL_SCOPE_USERS,
	};
}

static struct row
row_of(const char *hex, int64_t revoked_at_sec, uint8_t reason)
{
	struct uint160 serial;
	const char *why;

	assert_int_equal(
	    uint160_from_hex(&serial, hex, strlen(hex), &why), STATUS_OK);
	return row_make(&serial, revoked_at_sec, reason, UTC_MAX_SEC);
}

/* The TBSCertList, in memory of exactly the size that was announced. */
static uint8_t *
build(const struct crl_header *header, const struct row *rows, size_t n,
    size_t *size)
{
	const char *why = NULL;
	uint8_t *out;

	assert_int_equal(crl_tbs_size(header, rows, n, size, &why), STATUS_OK);
	out = malloc(*size + 1);
	assert_non_null(out);
	memset(out, 0xa5, *size + 1);
	crl_tbs_write(header, rows, n, out, *size);
	assert_int_equal(out[*size], 0xa5);
	return out;
}

static void
golden(const struct crl_header *header, const struct row *rows, size_t n,
    const char *text)
{
	struct vector want;
	size_t size = 0;
	uint8_t *have = build(header, rows, n, &size);

	assemble(text, &want);
	assert_int_equal(size, want.len);
	assert_memory_equal(have, want.octet, want.len);
	free(have);
}

/* RFC 5280, 5.1.2.6: no entries, no revokedCertificates. */
static void
test_empty(void **state)
{
	struct crl_header header = header_make();

	(void)state;
	golden(&header, NULL, 0, "308182" W_HEAD W_EXTS);
}

static void
test_entries(void **state)
{
	struct crl_header header = header_make();
	struct row row[3];

	(void)state;
	row[0] = row_of("010203", WHEN_SEC, 0);
	golden(&header, row, 1,
	    "30819a" W_HEAD "3016"
	    "30140203010203" W_WHEN W_EXTS);
	row[0].reason = 1;
	golden(&header, row, 1,
	    "3081a8" W_HEAD "3024"
	    "30220203010203" W_WHEN "300c300a0603551d1504030a0101" W_EXTS);
	row[0] = row_of("01", WHEN_SEC, 9);
	row[1] = row_of("80", WHEN_SEC, 0);
	row[2] = row_of("ff0102030405060708090a0b0c0d0e0f", WHEN_SEC, 4);
	/* 34, 21 and 50 octets. */
	golden(&header, row, 3,
	    "3081ed" W_HEAD "3069"
	    "3020020101" W_WHEN "300c300a0603551d1504030a0109"
	    "301302020080" W_WHEN
	    "3030021100ff0102030405060708090a0b0c0d0e0f" W_WHEN
	    "300c300a0603551d1504030a0104" W_EXTS);
}

/* RFC 5280, 5.3.1: unspecified (0) SHOULD be absent; BR 7.2.2: MUST. */
static void
test_reasons(void **state)
{
	struct crl_header header = header_make();

	(void)state;
	for (uint8_t reason = 0; reason <= 10; reason++) {
		struct row row = row_of("010203", WHEN_SEC, reason);
		struct crl_fault fault;
		struct crl_entry entry;
		struct crl crl;
		size_t position = 0, size = 0;
		uint8_t *tbs = build(&header, &row, 1, &size);

		assert_int_equal(
		    crl_parse_tbs(tbs, size, &crl, &fault), STATUS_OK);
		assert_int_equal(
		    crl_entry_read(&crl, &position, &entry, &fault), STATUS_OK);
		assert_int_equal(entry.reason, reason == 0 ? -1 : reason);
		assert_int_equal(entry.encoded.len, reason == 0 ? 22 : 36);
		free(tbs);
	}
}

/* RFC 5280, 5.1.2.4-6: UTCTime to 2049, GeneralizedTime from 2050. */
static void
test_times(void **state)
{
	struct crl_header header = header_make();
	struct row row[4];

	(void)state;
	header.this_update_sec = UTC_2050_SEC - 1;
	header.next_update_sec = UTC_2050_SEC;
	row[0] = row_of("01", UTC_2050_SEC - 1, 0);
	row[1] = row_of("02", UTC_2050_SEC, 0);
	row[2] = row_of("03", -1, 0);
	row[3] = row_of("04", UTC_MIN_SEC, 0);
	golden(&header, row, 4,
	    "3081d8"
	    "020101" W_ALG W_NAME "170d'491231235959Z'"
	    "180f'20500101000000Z'"
	    "3052"
	    "3012020101170d'491231235959Z'"
	    "3014020102180f'20500101000000Z'"
	    "3012020103170d'691231235959Z'"
	    "3012020104170d'500101000000Z'" W_EXTS);
}

/* Dates of one day are formatted once: the clock of each is its own. */
static void
test_days(void **state)
{
	static const int64_t when[] = {86399, 0, 86400, 86401, 172799, 86399,
	    -1, -86400, -86401, UTC_2050_SEC - 1, UTC_2050_SEC,
	    UTC_2050_SEC + 86399, UTC_2050_SEC - 86400, UTC_MAX_SEC,
	    UTC_MIN_SEC, 1795253458, 1795253459, 1795219199, 1795219200};
	enum { N = sizeof(when) / sizeof(when[0]) };
	struct crl_header header = header_make();
	struct crl_fault fault;
	struct crl_entry entry;
	struct row row[N];
	struct crl crl;
	size_t position = 0, size = 0;
	uint8_t *tbs;

	(void)state;
	for (size_t i = 0; i < N; i++)
		row[i] = row_of("010203", when[i], 0);
	tbs = build(&header, row, N, &size);
	assert_int_equal(crl_parse_tbs(tbs, size, &crl, &fault), STATUS_OK);
	for (size_t i = 0; i < N; i++) {
		assert_int_equal(
		    crl_entry_read(&crl, &position, &entry, &fault), STATUS_OK);
		assert_int_equal(entry.revoked_at.sec, when[i]);
	}
	assert_int_equal(
	    crl_entry_read(&crl, &position, &entry, &fault), STATUS_DONE);
	free(tbs);
}

/* RFC 5280, 5.2.1 and 5.2.5. */
static void
test_extensions(void **state)
{
	struct crl_header header = header_make();

	(void)state;
	header.key_id = NULL;
	golden(
	    &header, NULL, 0, "3071" W_HEAD "a0333031" W_NUMBER W_IDP(W_USERS));
	header = header_make();
	header.scope = CRL_SCOPE_CAS;
	golden(&header, NULL, 0,
	    "308182" W_HEAD "a0443042" W_AKI W_NUMBER W_IDP(W_CAS));
	header.scope = CRL_SCOPE_ALL;
	golden(&header, NULL, 0,
	    "307f" W_HEAD "a041303f" W_AKI W_NUMBER W_IDP_ALL);
	header.url = NULL;
	golden(&header, NULL, 0, "305d" W_HEAD "a01f301d" W_AKI W_NUMBER);
	header.scope = CRL_SCOPE_USERS;
	golden(&header, NULL, 0,
	    "306e" W_HEAD "a030302e" W_AKI W_NUMBER
	    "300f0603551d1c0101ff040530038101ff");
	header.scope = CRL_SCOPE_CAS;
	golden(&header, NULL, 0,
	    "306e" W_HEAD "a030302e" W_AKI W_NUMBER
	    "300f0603551d1c0101ff040530038201ff");
}

/* RFC 5280, 5.2.3: up to 20 octets. */
static void
test_number(void **state)
{
	struct crl_header header = header_make();

	(void)state;
	header.url = NULL;
	header.scope = CRL_SCOPE_ALL;
	header.number = uint160_from_u64(0x80);
	golden(&header, NULL, 0,
	    "305e" W_HEAD "a020301e" W_AKI "300b0603551d14040402020080");
	memset(&header.number, 0xff, sizeof(header.number));
	header.number.octet[0] = 0x7f;
	golden(&header, NULL, 0,
	    "3070" W_HEAD "a0323030" W_AKI "301d0603551d14041602147f"
	    "ffffffffffffffffffffffffffffffffffffff");
}

static void
test_reproducible(void **state)
{
	enum { N = 1000 };
	struct crl_header header = header_make();
	static struct row row[N];
	size_t size = 0, again_size = 0;
	uint8_t *tbs, *again;

	(void)state;
	for (size_t i = 0; i < N; i++) {
		struct uint160 serial = uint160_from_u64(i * 1000003 + 1);

		row[i] = row_make(&serial, WHEN_SEC - (int64_t)(i * 5003),
		    (uint8_t)(i % 3), (int64_t)i);
	}
	tbs = build(&header, row, N, &size);
	/* Neither the expiry nor the octet to spare is anybody's business. */
	for (size_t i = 0; i < N; i++) {
		row[i] = row_make(&row[i].serial, row_revoked_at(&row[i]),
		    row[i].reason, UTC_MAX_SEC);
		row[i].spare = 1;
	}
	again = build(&header, row, N, &again_size);
	assert_int_equal(size, again_size);
	assert_memory_equal(tbs, again, size);
	free(tbs);
	free(again);
}

/* Builds, and reads everything back. */
static void
round_trip(const struct crl_header *header, const struct row *row, size_t n,
    size_t entries_len)
{
	struct crl_fault fault = {.text = "none"};
	struct crl_idp idp = {0};
	struct crl_aki aki = {0};
	struct uint160 number;
	struct crl crl;
	size_t size = 0, position = 0;
	uint8_t *tbs = build(header, row, n, &size);

	if (crl_parse_tbs(tbs, size, &crl, &fault) != STATUS_OK)
		fail_msg(
		    "%zu octets, at %zu: %s", size, fault.offset, fault.text);
	assert_int_equal(crl.entries.len, entries_len);
	for (size_t i = 0; i < n; i++) {
		struct crl_entry entry;

		assert_int_equal(
		    crl_entry_read(&crl, &position, &entry, &fault), STATUS_OK);
		assert_memory_equal(
		    &entry.serial, &row[i].serial, sizeof(entry.serial));
	}
	assert_int_equal(position, entries_len);
	assert_int_equal(crl_number(&crl, &number, &fault), STATUS_OK);
	assert_int_equal(uint160_compare(&number, &header->number), 0);
	assert_int_equal(crl_aki(&crl, &aki, &fault), STATUS_OK);
	assert_int_equal(aki.key_id.len, header->key_id_len);
	assert_memory_equal(aki.key_id.data, header->key_id, aki.key_id.len);
	if (header->url != NULL) {
		assert_int_equal(crl_idp(&crl, &idp, &fault), STATUS_OK);
		assert_int_equal(idp.url[0].len, strlen(header->url));
		assert_memory_equal(
		    idp.url[0].data, header->url, idp.url[0].len);
	}
	free(tbs);
}

/* Every length inside the extensions passes 128, 256 and 65536. */
static void
test_lengths(void **state)
{
	enum { ROOM = 65700 };
	static const size_t range[][2] = {{1, 300}, {65450, 65600}};
	uint8_t *octets = malloc(ROOM);
	char *url = malloc(ROOM);

	(void)state;
	assert_true(octets != NULL && url != NULL);
	memset(octets, 0x5c, ROOM);
	for (size_t i = 0; i < 2; i++)
		for (size_t n = range[i][0]; n < range[i][1]; n++) {
			struct crl_header header = header_make();

			memset(url, 'u', n);
			url[n] = '\0';
			header.url = url;
			round_trip(&header, NULL, 0, 0);
			header.key_id = octets;
			header.key_id_len = n;
			round_trip(&header, NULL, 0, 0);
			header.url = NULL;
			header.scope = CRL_SCOPE_ALL;
			round_trip(&header, NULL, 0, 0);
		}
	free(octets);
	free(url);
}

/* A row whose entry has `len` octets, 20 to 39: its serial takes the rest. */
static struct row
row_long(size_t len)
{
	struct uint160 serial = uint160_from_u64(0);

	assert_true(len >= 20 && len <= 39);
	memset(serial.octet + UINT160_OCTETS - (len - 19), 0x33, len - 19);
	return row_make(&serial, WHEN_SEC, 0, UTC_MAX_SEC);
}

/* Entries of exactly this many octets: all of 22, but for the last two. */
static void
entries_of(size_t octets)
{
	size_t n = (octets - 40) / 22, rest = 40 + (octets - 40) % 22;
	struct crl_header header = header_make();
	struct row *row = calloc(n + 2, sizeof(*row));

	assert_non_null(row);
	for (size_t i = 0; i < n; i++)
		row[i] = row_long(22);
	row[n] = row_long(rest / 2);
	row[n + 1] = row_long(rest - rest / 2);
	round_trip(&header, row, n + 2, octets);
	free(row);
}

static void
test_entries_lengths(void **state)
{
	(void)state;
	for (size_t octets = 40; octets < 300; octets++)
		entries_of(octets);
	/* The field, and the list around it with its other 130 octets. */
	for (size_t octets = 65536 - 150; octets <= 65536; octets++)
		entries_of(octets);
	entries_of(16777215);
	entries_of(16777216);
}

static void
refused(const struct crl_header *header, size_t n)
{
	const char *why = NULL;
	size_t size = 77;

	assert_int_equal(
	    crl_tbs_size(header, NULL, n, &size, &why), STATUS_MALFORMED);
	assert_non_null(why);
	assert_int_equal(size, 77);
}

/* Refused before a row is looked at, or anything is added up. */
static void
test_absurd(void **state)
{
	struct crl_header header = header_make();

	(void)state;
	refused(&header, CRL_BUILD_BYTES_MOST / 32 + 1);
	refused(&header, SIZE_MAX / sizeof(struct row));
	refused(&header, SIZE_MAX);
	header.issuer_len = SIZE_MAX;
	refused(&header, 0);
	header.issuer_len = CRL_BUILD_BYTES_MOST / 2 + 1;
	refused(&header, 0);
	header = header_make();
	header.algorithm_len = SIZE_MAX - 100;
	refused(&header, 0);
	header = header_make();
	header.key_id_len = SIZE_MAX - 7;
	refused(&header, 0);
}

/* The whole CRL, with the longest header and suffix, is within the limit. */
static void
test_largest(void **state)
{
	struct crl_header header = header_make();
	const char *why = NULL;
	size_t size = 0;

	(void)state;
	header.issuer_len = CRL_BUILD_BYTES_MOST / 2;
	header.algorithm_len = CRL_BUILD_BYTES_MOST / 2;
	refused(&header, 0);
	header.algorithm_len -= 5000;
	while (crl_tbs_size(&header, NULL, 0, &size, &why) == STATUS_OK)
		header.algorithm_len++;
	assert_true(CRL_PREFIX_BYTES + size + CRL_SUFFIX_BYTES_MOST <=
		    CRL_BUILD_BYTES_MOST);
	assert_true(CRL_PREFIX_BYTES + size + CRL_SUFFIX_BYTES_MOST + 16 >
		    CRL_BUILD_BYTES_MOST);
}

struct prefix_case {
	size_t tbs_len;
	size_t suffix_len;
	const char *octets;
	size_t len;
};

static const struct prefix_case prefixes[] = {
    {100, 27, "\x30\x7f", 2},
    {100, 28, "\x30\x81\x80", 3},
    {200, 55, "\x30\x81\xff", 3},
    {200, 56, "\x30\x82\x01\x00", 4},
    {65000, 535, "\x30\x82\xff\xff", 4},
    {65000, 536, "\x30\x83\x01\x00\x00", 5},
    {0xffff00, 0xff, "\x30\x83\xff\xff\xff", 5},
    {0xffff00, 0x100, "\x30\x84\x01\x00\x00\x00", 6},
    {0x7ffff000, 0xfff, "\x30\x84\x7f\xff\xff\xff", 6},
};

static void
test_prefix(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(prefixes) / sizeof(prefixes[0]); i++) {
		const struct prefix_case *c = &prefixes[i];
		uint8_t out[CRL_PREFIX_BYTES];

		assert_int_equal(
		    crl_prefix_write(c->tbs_len, c->suffix_len, out), c->len);
		assert_memory_equal(out, c->octets, c->len);
	}
}

static void
test_suffix(void **state)
{
	static const uint8_t zeros[CRL_SUFFIX_BYTES_MOST];
	uint8_t out[CRL_SUFFIX_BYTES_MOST + 1];
	struct vector want;
	size_t len;

	(void)state;
	assemble(W_ALG "030500deadbeef", &want);
	len = crl_suffix_write(algorithm, sizeof(algorithm),
	    (const uint8_t *)"\xde\xad\xbe\xef", 4, out);
	assert_int_equal(len, want.len);
	assert_memory_equal(out, want.octet, len);
	/* RSA of 2048 bits: 256 octets and the count of unused bits. */
	assemble(W_ALG "0382010100", &want);
	len = crl_suffix_write(algorithm, sizeof(algorithm), zeros, 256, out);
	assert_int_equal(len, want.len + 256);
	assert_memory_equal(out, want.octet, want.len);
	/* RSA of 16384 bits and a PSS algorithm of 67 octets. */
	assert_int_not_equal(crl_suffix_write(zeros, 67, zeros, 2016, out), 0);
	out[CRL_SUFFIX_BYTES_MOST] = 0xa5;
	for (size_t n = 2000; n < 2100; n++) {
		len = crl_suffix_write(zeros, 2048, zeros, n, out);
		assert_true(len <= CRL_SUFFIX_BYTES_MOST);
		assert_int_equal(out[CRL_SUFFIX_BYTES_MOST], 0xa5);
	}
	assert_int_equal(crl_suffix_write(zeros, 12, zeros, 4096, out), 0);
	assert_int_equal(crl_suffix_write(zeros, 12, zeros, SIZE_MAX, out), 0);
	assert_int_equal(crl_suffix_write(zeros, SIZE_MAX, zeros, 72, out), 0);
}

/*
 * The size of a whole CRL, from the sum of its entries, is that of its parts:
 * around every place where a length takes one octet more.
 */
static void
test_size(void **state)
{
	static const size_t signature_lens[] = {0, 64, 72, 126, 127, 256, 2016};
	struct crl_header header = header_make();
	uint8_t prefix[CRL_PREFIX_BYTES], suffix[CRL_SUFFIX_BYTES_MOST];
	uint8_t zeros[2048] = {0};
	struct row row = row_of("010203", WHEN_SEC, 0);

	(void)state;
	assert_int_equal(crl_entry_size(&row.serial, WHEN_SEC, 0), 22);
	assert_int_equal(crl_entry_size(&row.serial, WHEN_SEC, 1), 36);
	assert_int_equal(crl_entry_size(&row.serial, UTC_2050_SEC, 9), 38);
	for (size_t i = 0; i < 7; i++) {
		size_t len = signature_lens[i];

		for (size_t n = 0; n < 3100; n += n < 20 ? 1 : 7) {
			struct row *rows = calloc(n + 1, sizeof(*rows));
			size_t tbs = 0, after;
			const char *why;

			assert_non_null(rows);
			for (size_t k = 0; k < n; k++)
				rows[k] = row;
			assert_int_equal(
			    crl_tbs_size(&header, rows, n, &tbs, &why),
			    STATUS_OK);
			after = crl_suffix_write(
			    algorithm, sizeof(algorithm), zeros, len, suffix);
			assert_int_equal(crl_size(&header, 22 * n, len),
			    crl_prefix_write(tbs, after, prefix) + tbs + after);
			free(rows);
		}
	}
	assert_int_equal(crl_size(&header, CRL_BUILD_BYTES_MOST, 72), 0);
	assert_int_equal(crl_size(&header, UINT64_MAX, 72), 0);
	assert_int_equal(crl_size(&header, 0, SIZE_MAX), 0);
	assert_int_not_equal(
	    crl_size(&header, CRL_BUILD_BYTES_MOST - 1000, 72), 0);
	header.issuer_len = SIZE_MAX;
	assert_int_equal(crl_size(&header, 0, 72), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_empty),
	    cmocka_unit_test(test_entries),
	    cmocka_unit_test(test_reasons),
	    cmocka_unit_test(test_times),
	    cmocka_unit_test(test_days),
	    cmocka_unit_test(test_extensions),
	    cmocka_unit_test(test_number),
	    cmocka_unit_test(test_reproducible),
	    cmocka_unit_test(test_lengths),
	    cmocka_unit_test(test_entries_lengths),
	    cmocka_unit_test(test_absurd),
	    cmocka_unit_test(test_largest),
	    cmocka_unit_test(test_prefix),
	    cmocka_unit_test(test_suffix),
	    cmocka_unit_test(test_size),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
