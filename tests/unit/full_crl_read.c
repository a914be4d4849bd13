/* SPDX-License-Identifier: ISC */
/*
 * The strict reader against libcrypto: CRLs that libcrypto made and signed are
 * read by both, and every field and entry has to be the same.
 */
#include "crlpress/crl_read.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include <openssl/evp.h>
#include <openssl/objects.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#define URL "http://crl.example/17.crl"
#define KEY_ID "\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a"

enum key_kind { KEY_RSA, KEY_P256, KEY_ED25519, KEY_COUNT };

static EVP_PKEY *keys[KEY_COUNT];

/* What one CRL is to be like. */
struct plan {
	enum key_kind key;
	size_t entries;
	bool has_idp;
	bool has_next_update;
};

/* xorshift64: the same CRLs in every run. */
static uint64_t
random_next(uint64_t *seed)
{
	*seed ^= *seed << 13;
	*seed ^= *seed >> 7;
	*seed ^= *seed << 17;
	return *seed;
}

static int
keys_setup(void **state)
{
	(void)state;
	keys[KEY_RSA] = EVP_RSA_gen(2048);
	keys[KEY_P256] = EVP_EC_gen("P-256");
	keys[KEY_ED25519] = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
	return keys[KEY_RSA] && keys[KEY_P256] && keys[KEY_ED25519] ? 0 : -1;
}

static int
keys_teardown(void **state)
{
	(void)state;
	for (size_t i = 0; i < KEY_COUNT; i++)
		EVP_PKEY_free(keys[i]);
	return 0;
}

static void
reason_add(X509_REVOKED *revoked, long reason)
{
	ASN1_ENUMERATED *value = ASN1_ENUMERATED_new();

	assert_true(ASN1_ENUMERATED_set(value, reason));
	assert_int_equal(
	    X509_REVOKED_add1_ext_i2d(revoked, NID_crl_reason, value, 0, 0), 1);
	ASN1_ENUMERATED_free(value);
}

static void
invalidity_add(X509_REVOKED *revoked, time_t when)
{
	ASN1_GENERALIZEDTIME *value = ASN1_GENERALIZEDTIME_set(NULL, when);

	assert_non_null(value);
	assert_int_equal(X509_REVOKED_add1_ext_i2d(
			     revoked, NID_invalidity_date, value, 0, 0),
	    1);
	ASN1_GENERALIZEDTIME_free(value);
}

/* A serial of 1 to 20 octets, a date from 1950 to 2100, perhaps a reason. */
static void
entry_add(X509_CRL *crl, uint64_t *seed)
{
	X509_REVOKED *revoked = X509_REVOKED_new();
	uint8_t octets[20];
	size_t len = 1 + random_next(seed) % sizeof(octets);
	int64_t sec;
	BIGNUM *number;
	ASN1_INTEGER *serial;
	ASN1_TIME *when;

	for (size_t i = 0; i < len; i++)
		octets[i] = (uint8_t)(random_next(seed) >> 8);
	octets[0] &= 0x7f;
	number = BN_bin2bn(octets, (int)len, NULL);
	serial = BN_to_ASN1_INTEGER(number, NULL);
	sec = -631152000 + (int64_t)(random_next(seed) % 4733510400u);
	when = ASN1_TIME_set(NULL, (time_t)sec);
	assert_true(X509_REVOKED_set_serialNumber(revoked, serial));
	assert_true(X509_REVOKED_set_revocationDate(revoked, when));
	if (random_next(seed) % 3 != 0)
		reason_add(revoked, (long)(random_next(seed) % 11));
	if (random_next(seed) % 7 == 0)
		invalidity_add(revoked, (time_t)sec);
	assert_true(X509_CRL_add0_revoked(crl, revoked));
	ASN1_TIME_free(when);
	ASN1_INTEGER_free(serial);
	BN_free(number);
}

static void
extensions_add(X509_CRL *crl, const struct plan *plan)
{
	ASN1_INTEGER *number = ASN1_INTEGER_new();
	AUTHORITY_KEYID *aki = AUTHORITY_KEYID_new();
	X509_EXTENSION *idp;

	assert_true(ASN1_INTEGER_set_uint64(number, 0xfedcba9876543210));
	assert_int_equal(
	    X509_CRL_add1_ext_i2d(crl, NID_crl_number, number, 0, 0), 1);
	aki->keyid = ASN1_OCTET_STRING_new();
	assert_true(ASN1_OCTET_STRING_set(
	    aki->keyid, (const unsigned char *)KEY_ID, sizeof(KEY_ID) - 1));
	assert_int_equal(
	    X509_CRL_add1_ext_i2d(crl, NID_authority_key_identifier, aki, 0, 0),
	    1);
	if (plan->has_idp) {
		idp = X509V3_EXT_conf_nid(NULL, NULL,
		    NID_issuing_distribution_point,
		    "critical,fullname:URI:" URL ",onlyuser:TRUE");
		assert_non_null(idp);
		assert_true(X509_CRL_add_ext(crl, idp, -1));
		X509_EXTENSION_free(idp);
	}
	ASN1_INTEGER_free(number);
	AUTHORITY_KEYID_free(aki);
}

static X509_CRL *
crl_make(const struct plan *plan)
{
	X509_CRL *crl = X509_CRL_new();
	X509_NAME *name = X509_NAME_new();
	ASN1_TIME *from = ASN1_TIME_set(NULL, 1795305600);
	ASN1_TIME *to = ASN1_TIME_set(NULL, 2524608000);
	uint64_t seed = 88172645463325252 + plan->entries;

	assert_true(X509_NAME_add_entry_by_txt(name, "O", MBSTRING_UTF8,
	    (const unsigned char *)"Shard \xc3\xa9", -1, -1, 0));
	assert_true(X509_NAME_add_entry_by_txt(
	    name, "CN", MBSTRING_ASC, (const unsigned char *)"R1", -1, -1, 0));
	assert_true(X509_CRL_set_version(crl, X509_CRL_VERSION_2));
	assert_true(X509_CRL_set_issuer_name(crl, name));
	assert_true(X509_CRL_set1_lastUpdate(crl, from));
	if (plan->has_next_update)
		assert_true(X509_CRL_set1_nextUpdate(crl, to));
	for (size_t i = 0; i < plan->entries; i++)
		entry_add(crl, &seed);
	extensions_add(crl, plan);
	assert_true(X509_CRL_sign(crl, keys[plan->key],
			plan->key == KEY_ED25519 ? NULL : EVP_sha256()) > 0);
	X509_NAME_free(name);
	ASN1_TIME_free(from);
	ASN1_TIME_free(to);
	return crl;
}

static void
bytes_expect(struct crl_view view, uint8_t *der, int len)
{
	assert_true(len > 0);
	assert_int_equal(view.len, len);
	assert_memory_equal(view.data, der, view.len);
	OPENSSL_free(der);
}

static void
time_expect(const struct crl_time *have, const ASN1_TIME *want)
{
	struct tm tm;

	assert_true(ASN1_TIME_to_tm(want, &tm));
	assert_true(have->sec == (int64_t)timegm(&tm));
	assert_int_equal(have->form, ASN1_STRING_type(want) == V_ASN1_UTCTIME
					 ? CRL_TIME_UTC
					 : CRL_TIME_GENERALIZED);
}

static void
serial_expect(const struct uint160 *have, const ASN1_INTEGER *want)
{
	BIGNUM *number = ASN1_INTEGER_to_BN(want, NULL);
	uint8_t octets[UINT160_OCTETS];

	assert_int_equal(
	    BN_bn2binpad(number, octets, sizeof(octets)), sizeof(octets));
	assert_memory_equal(have->octet, octets, sizeof(octets));
	BN_free(number);
}

static void
fields_compare(const struct crl *have, X509_CRL *want)
{
	uint8_t *der = NULL;
	const X509_ALGOR *algorithm;
	const ASN1_BIT_STRING *signature;
	int len;

	len = i2d_re_X509_CRL_tbs(want, &der);
	bytes_expect(have->tbs, der, len);
	assert_true(have->has_version);
	assert_int_equal(have->version, X509_CRL_get_version(want));
	X509_CRL_get0_signature(want, &signature, &algorithm);
	der = NULL;
	len = i2d_X509_ALGOR(algorithm, &der);
	bytes_expect(have->outer_algorithm, der, len);
	der = NULL;
	len = i2d_X509_ALGOR(algorithm, &der); /* no way to get the inner one */
	bytes_expect(have->inner_algorithm, der, len);
	assert_int_equal(have->signature.len, ASN1_STRING_length(signature));
	assert_memory_equal(have->signature.data,
	    ASN1_STRING_get0_data(signature), have->signature.len);
	der = NULL;
	len = i2d_X509_NAME(X509_CRL_get_issuer(want), &der);
	bytes_expect(have->issuer, der, len);
	time_expect(&have->this_update, X509_CRL_get0_lastUpdate(want));
	assert_int_equal(
	    have->has_next_update, X509_CRL_get0_nextUpdate(want) != NULL);
	if (have->has_next_update)
		time_expect(&have->next_update, X509_CRL_get0_nextUpdate(want));
}

static void
extensions_compare(const struct crl *have, const X509_CRL *want)
{
	assert_int_equal(have->extension_count, X509_CRL_get_ext_count(want));
	for (size_t i = 0; i < have->extension_count; i++) {
		X509_EXTENSION *extension = X509_CRL_get_ext(want, (int)i);
		const ASN1_OBJECT *oid = X509_EXTENSION_get_object(extension);
		const ASN1_STRING *value = X509_EXTENSION_get_data(extension);
		const struct crl_extension *ours = &have->extension[i];

		assert_int_equal(ours->oid.len, OBJ_length(oid));
		assert_memory_equal(
		    ours->oid.data, OBJ_get0_data(oid), ours->oid.len);
		assert_int_equal(ours->value.len, ASN1_STRING_length(value));
		assert_memory_equal(ours->value.data,
		    ASN1_STRING_get0_data(value), ours->value.len);
		assert_int_equal(
		    ours->critical, X509_EXTENSION_get_critical(extension));
		assert_int_equal(ours->critical_encoded, ours->critical);
	}
}

static void
idp_compare(const struct crl *have, const X509_CRL *want)
{
	ISSUING_DIST_POINT *idp;
	struct crl_fault fault;
	const GENERAL_NAME *name;
	struct crl_idp ours;
	int critical;

	idp = X509_CRL_get_ext_d2i(
	    want, NID_issuing_distribution_point, &critical, NULL);
	if (idp == NULL) {
		assert_int_equal(
		    crl_idp(have, &ours, &fault), STATUS_NOT_FOUND);
		return;
	}
	assert_int_equal(crl_idp(have, &ours, &fault), STATUS_OK);
	assert_int_equal(ours.critical, critical);
	assert_int_equal(
	    ours.url_count, sk_GENERAL_NAME_num(idp->distpoint->name.fullname));
	name = sk_GENERAL_NAME_value(idp->distpoint->name.fullname, 0);
	assert_int_equal(ours.url[0].len,
	    ASN1_STRING_length(name->d.uniformResourceIdentifier));
	assert_memory_equal(ours.url[0].data, URL, sizeof(URL) - 1);
	assert_int_equal(ours.only_users, idp->onlyuser > 0);
	assert_int_equal(ours.only_cas, idp->onlyCA > 0);
	assert_int_equal(ours.only_attributes, idp->onlyattr > 0);
	assert_int_equal(ours.indirect, idp->indirectCRL > 0);
	assert_int_equal(ours.has_some_reasons, idp->onlysomereasons != NULL);
	assert_false(ours.has_encoded_default);
	ISSUING_DIST_POINT_free(idp);
}

static void
values_compare(const struct crl *have, const X509_CRL *want)
{
	AUTHORITY_KEYID *aki;
	ASN1_INTEGER *number;
	struct crl_fault fault;
	struct uint160 our_number;
	struct crl_aki our_aki;

	number = X509_CRL_get_ext_d2i(want, NID_crl_number, NULL, NULL);
	assert_int_equal(crl_number(have, &our_number, &fault), STATUS_OK);
	serial_expect(&our_number, number);
	ASN1_INTEGER_free(number);
	aki = X509_CRL_get_ext_d2i(
	    want, NID_authority_key_identifier, NULL, NULL);
	assert_int_equal(crl_aki(have, &our_aki, &fault), STATUS_OK);
	assert_int_equal(our_aki.key_id.len, ASN1_STRING_length(aki->keyid));
	assert_memory_equal(our_aki.key_id.data,
	    ASN1_STRING_get0_data(aki->keyid), our_aki.key_id.len);
	assert_false(our_aki.has_issuer_or_serial);
	AUTHORITY_KEYID_free(aki);
	idp_compare(have, want);
}

static void
entry_compare(const struct crl_entry *have, X509_REVOKED *want)
{
	const ASN1_INTEGER *serial = X509_REVOKED_get0_serialNumber(want);
	ASN1_GENERALIZEDTIME *invalid;
	ASN1_ENUMERATED *reason;
	uint8_t *der = NULL;
	BIGNUM *number;
	int len;

	len = i2d_X509_REVOKED(want, &der);
	bytes_expect(have->encoded, der, len);
	number = ASN1_INTEGER_to_BN(serial, NULL);
	assert_int_equal(have->serial_in_range, !BN_is_zero(number));
	BN_free(number);
	serial_expect(&have->serial, serial);
	time_expect(&have->revoked_at, X509_REVOKED_get0_revocationDate(want));
	reason = X509_REVOKED_get_ext_d2i(want, NID_crl_reason, NULL, NULL);
	assert_int_equal(
	    have->reason, reason == NULL ? -1 : ASN1_ENUMERATED_get(reason));
	invalid =
	    X509_REVOKED_get_ext_d2i(want, NID_invalidity_date, NULL, NULL);
	assert_int_equal(have->has_invalidity_date, invalid != NULL);
	assert_false(have->reason_critical || have->has_certificate_issuer ||
		     have->has_hold_instruction || have->has_unknown ||
		     have->has_unknown_critical ||
		     have->has_duplicate_extension ||
		     have->has_empty_extensions || have->has_encoded_default);
	ASN1_ENUMERATED_free(reason);
	ASN1_GENERALIZEDTIME_free(invalid);
}

static void
entries_compare(const struct crl *have, X509_CRL *want)
{
	STACK_OF(X509_REVOKED) *all = X509_CRL_get_REVOKED(want);
	size_t n = all == NULL ? 0 : (size_t)sk_X509_REVOKED_num(all);
	struct crl_fault fault;
	struct crl_entry entry;
	size_t position = 0;

	assert_int_equal(have->has_entries, all != NULL);
	for (size_t i = 0; i < n; i++) {
		assert_int_equal(
		    crl_entry_read(have, &position, &entry, &fault), STATUS_OK);
		assert_ptr_equal(
		    entry.encoded.data, have->bytes.data + entry.offset);
		entry_compare(&entry, sk_X509_REVOKED_value(all, (int)i));
	}
	assert_int_equal(
	    crl_entry_read(have, &position, &entry, &fault), STATUS_DONE);
}

/* Both read the same bytes. */
static void
plan_check(const struct plan *plan)
{
	X509_CRL *made = crl_make(plan), *want;
	uint8_t *der = NULL;
	const uint8_t *end;
	int len = i2d_X509_CRL(made, &der);
	struct crl_fault fault;
	struct crl have;

	assert_true(len > 0);
	end = der;
	want = d2i_X509_CRL(NULL, &end, len);
	assert_non_null(want);
	if (crl_parse(der, (size_t)len, &have, &fault) != STATUS_OK)
		fail_msg("at %zu: %s", fault.offset, fault.text);
	fields_compare(&have, want);
	extensions_compare(&have, want);
	values_compare(&have, want);
	entries_compare(&have, want);
	X509_CRL_free(want);
	X509_CRL_free(made);
	OPENSSL_free(der);
}

static void
test_against_libcrypto(void **state)
{
	static const size_t entries[] = {0, 1, 2000};

	(void)state;
	for (int i = 0; i < KEY_COUNT * 3 * 2 * 2; i++) {
		struct plan plan = {
		    .key = (enum key_kind)(i % KEY_COUNT),
		    .entries = entries[i / KEY_COUNT % 3],
		    .has_idp = i / KEY_COUNT / 3 % 2 != 0,
		    .has_next_update = i / KEY_COUNT / 6 % 2 != 0,
		};

		plan_check(&plan);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_against_libcrypto),
	};

	return cmocka_run_group_tests(tests, keys_setup, keys_teardown);
}
