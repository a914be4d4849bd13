/* SPDX-License-Identifier: ISC */
/*
 * The walk over a certificate against libcrypto, which makes the certificates
 * here: every fact the same, every cut and every wrong length refused.
 */
#include "crlpress/certificate_read.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/x509v3.h>

#define DAY_SEC 86400

/* What a certificate of the tests is made with. */
struct recipe {
	const char *serial; /* hex */
	const char *points; /* as openssl.cnf has it; NULL: none */
	long not_after_days;
};

static EVP_PKEY *key;

static void
add_extension(X509 *x509, int nid, const char *text)
{
	X509V3_CTX context;
	X509_EXTENSION *extension;

	X509V3_set_ctx(&context, x509, x509, NULL, NULL, 0);
	X509V3_set_ctx_nodb(&context);
	extension = X509V3_EXT_conf_nid(NULL, &context, nid, text);
	assert_non_null(extension);
	assert_int_equal(X509_add_ext(x509, extension, -1), 1);
	X509_EXTENSION_free(extension);
}

static X509 *
make(const struct recipe *recipe)
{
	X509 *x509 = X509_new();
	BIGNUM *serial = NULL;
	X509_NAME *name;

	assert_non_null(x509);
	assert_int_equal(X509_set_version(x509, 2), 1);
	assert_true(BN_hex2bn(&serial, recipe->serial) > 0);
	assert_non_null(
	    BN_to_ASN1_INTEGER(serial, X509_get_serialNumber(x509)));
	BN_free(serial);
	name = X509_get_subject_name(x509);
	assert_int_equal(X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC,
			     (const unsigned char *)"Test", -1, -1, 0),
	    1);
	assert_int_equal(X509_set_issuer_name(x509, name), 1);
	assert_non_null(X509_gmtime_adj(X509_getm_notBefore(x509), 0));
	assert_non_null(X509_time_adj_ex(
	    X509_getm_notAfter(x509), (int)recipe->not_after_days, 0, NULL));
	assert_int_equal(X509_set_pubkey(x509, key), 1);
	add_extension(x509, NID_subject_key_identifier, "hash");
	add_extension(x509, NID_authority_key_identifier, "keyid:always");
	if (recipe->points != NULL)
		add_extension(
		    x509, NID_crl_distribution_points, recipe->points);
	assert_true(X509_sign(x509, key, EVP_sha256()) > 0);
	return x509;
}

static int64_t
asn1_sec(const ASN1_TIME *time)
{
	ASN1_TIME *epoch = ASN1_TIME_set(NULL, 0);
	int days = 0, secs = 0;

	assert_non_null(epoch);
	assert_int_equal(ASN1_TIME_diff(&days, &secs, epoch, time), 1);
	ASN1_TIME_free(epoch);
	return (int64_t)days * DAY_SEC + secs;
}

static void
check_name(const X509_NAME *name, const struct crl_view *view)
{
	unsigned char *der = NULL;
	int len = i2d_X509_NAME(name, &der);

	assert_int_equal(view->len, len);
	assert_memory_equal(view->data, der, view->len);
	OPENSSL_free(der);
}

/* Every URL that libcrypto finds, in order. */
static void
check_urls(const X509 *x509, const struct certificate *certificate)
{
	CRL_DIST_POINTS *points =
	    X509_get_ext_d2i(x509, NID_crl_distribution_points, NULL, NULL);
	size_t n = 0;

	assert_int_equal(certificate->has_points, points != NULL);
	for (int i = 0; points != NULL && i < sk_DIST_POINT_num(points); i++) {
		DIST_POINT *point = sk_DIST_POINT_value(points, i);
		GENERAL_NAMES *names;

		if (point->distpoint == NULL || point->distpoint->type != 0)
			continue;
		names = point->distpoint->name.fullname;
		for (int k = 0; k < sk_GENERAL_NAME_num(names); k++) {
			GENERAL_NAME *name = sk_GENERAL_NAME_value(names, k);
			const ASN1_IA5STRING *url;

			if (name->type != GEN_URI)
				continue;
			url = name->d.uniformResourceIdentifier;
			assert_true(n < certificate->url_count);
			assert_int_equal(certificate->url[n].len, url->length);
			assert_memory_equal(certificate->url[n].data, url->data,
			    (size_t)url->length);
			n++;
		}
	}
	assert_int_equal(certificate->url_count, n);
	assert_int_equal(certificate->point_count,
	    points == NULL ? 0 : sk_DIST_POINT_num(points));
	CRL_DIST_POINTS_free(points);
}

static void
check_facts(X509 *x509, const struct certificate *certificate)
{
	BIGNUM *want = ASN1_INTEGER_to_BN(X509_get0_serialNumber(x509), NULL);
	BIGNUM *have = BN_bin2bn(
	    certificate->integer.data, (int)certificate->integer.len, NULL);
	const ASN1_OCTET_STRING *key_id = X509_get0_authority_key_id(x509);

	assert_int_equal(BN_cmp(want, have), 0);
	BN_free(want);
	BN_free(have);
	check_name(X509_get_issuer_name(x509), &certificate->issuer);
	check_name(X509_get_subject_name(x509), &certificate->subject);
	assert_int_equal(
	    certificate->not_before.sec, asn1_sec(X509_get0_notBefore(x509)));
	assert_int_equal(
	    certificate->not_after.sec, asn1_sec(X509_get0_notAfter(x509)));
	assert_int_equal(certificate->key_id.len, key_id->length);
	assert_memory_equal(
	    certificate->key_id.data, key_id->data, certificate->key_id.len);
	check_urls(x509, certificate);
}

static const struct recipe recipes[] = {
    {"01", NULL, 90},
    {"7F", "URI:http://crl.example.com/1.crl", 90},
    {"0120F61C409C583B6AEA8BCFCC9EF518", "URI:http://crl.example.com/1.crl",
	9000},
    {"7FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF",
	"URI:http://a.example/1.crl,URI:http://b.example/1.crl", 398},
    {"80", "URI:ldap://x/,DNS:example.com,URI:http://b.example/1.crl", 90},
};

#define RECIPES (sizeof(recipes) / sizeof(recipes[0]))

static void
reads_what_libcrypto_reads(void **state)
{
	struct certificate certificate;
	struct crl_fault fault = {0};

	(void)state;
	for (size_t i = 0; i < RECIPES; i++) {
		X509 *x509 = make(&recipes[i]);
		unsigned char *der = NULL;
		int len = i2d_X509(x509, &der);

		assert_true(len > 0);
		assert_int_equal(
		    certificate_parse(der, (size_t)len, &certificate, &fault),
		    STATUS_OK);
		assert_true(certificate.serial_in_range);
		check_facts(x509, &certificate);
		OPENSSL_free(der);
		X509_free(x509);
	}
}

static void
a_serial_out_of_range_has_no_value(void **state)
{
	static const char *const serials[] = {
	    "00", "-01", "FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF"};
	struct certificate certificate;
	struct crl_fault fault = {0};

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		struct recipe recipe = {serials[i], NULL, 1};
		X509 *x509 = make(&recipe);
		unsigned char *der = NULL;
		int len = i2d_X509(x509, &der);

		assert_int_equal(
		    certificate_parse(der, (size_t)len, &certificate, &fault),
		    STATUS_OK);
		assert_false(certificate.serial_in_range);
		OPENSSL_free(der);
		X509_free(x509);
	}
}

static void
points_of_all_kinds_are_told_apart(void **state)
{
	/* fullName and reasons, then relativeName and cRLIssuer. */
	static const uint8_t points[] = {0x30, 0x2d, 0x30, 0x11, 0xa0, 0x0b,
	    0xa0, 0x09, 0x86, 0x07, 'h', 't', 't', 'p', ':', '/', '/', 0x81,
	    0x02, 0x06, 0x40, 0x30, 0x18, 0xa0, 0x0c, 0xa1, 0x0a, 0x30, 0x08,
	    0x06, 0x03, 0x55, 0x04, 0x03, 0x0c, 0x01, 'x', 0xa2, 0x08, 0xa4,
	    0x06, 0x30, 0x04, 0x31, 0x02, 0x30, 0x00};
	struct recipe recipe = {"05", NULL, 1};
	X509 *x509 = make(&recipe);
	struct certificate certificate;
	struct crl_fault fault = {0};
	ASN1_OCTET_STRING *value = ASN1_OCTET_STRING_new();
	X509_EXTENSION *extension;
	unsigned char *der = NULL;
	int len;

	(void)state;
	assert_int_equal(
	    ASN1_OCTET_STRING_set(value, points, (int)sizeof(points)), 1);
	extension = X509_EXTENSION_create_by_NID(
	    NULL, NID_crl_distribution_points, 0, value);
	assert_int_equal(X509_add_ext(x509, extension, -1), 1);
	len = i2d_re_X509_tbs(x509, &der);
	assert_true(len > 0);
	OPENSSL_free(der);
	der = NULL;
	assert_true(X509_sign(x509, key, EVP_sha256()) > 0);
	len = i2d_X509(x509, &der);
	assert_int_equal(
	    certificate_parse(der, (size_t)len, &certificate, &fault),
	    STATUS_OK);
	assert_int_equal(certificate.point_count, 2);
	assert_int_equal(certificate.url_count, 1);
	assert_memory_equal(certificate.url[0].data, "http://", 7);
	assert_true(certificate.has_some_reasons);
	assert_true(certificate.has_relative_name);
	assert_true(certificate.has_crl_issuer);
	OPENSSL_free(der);
	ASN1_OCTET_STRING_free(value);
	X509_EXTENSION_free(extension);
	X509_free(x509);
}

/* So that a read behind the end ends the program. */
static uint8_t *
at_page_end(const uint8_t *der, size_t len, uint8_t **map, size_t *map_len)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	size_t pages = (len + page - 1) / page * page;

	*map_len = pages + page;
	*map = mmap(NULL, *map_len, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	assert_true(*map != MAP_FAILED);
	assert_int_equal(mprotect(*map + pages, page, PROT_NONE), 0);
	memcpy(*map + pages - len, der, len);
	return *map + pages - len;
}

static void
refuses_every_cut_and_tail(void **state)
{
	X509 *x509 = make(&recipes[2]);
	struct certificate certificate;
	struct crl_fault fault = {0};
	unsigned char *der = NULL;
	size_t len = (size_t)i2d_X509(x509, &der), map_len;
	uint8_t *tail, *map, *at;

	(void)state;
	for (size_t n = 0; n < len; n++) {
		at = at_page_end(der, n, &map, &map_len);
		assert_int_equal(certificate_parse(at, n, &certificate, &fault),
		    STATUS_MALFORMED);
		munmap(map, map_len);
	}
	tail = calloc(1, len + 1);
	assert_non_null(tail);
	memcpy(tail, der, len);
	assert_int_equal(certificate_parse(tail, len + 1, &certificate, &fault),
	    STATUS_MALFORMED);
	free(tail);
	OPENSSL_free(der);
	X509_free(x509);
}

/* Every octet wrong in eight ways: never a crash, never another URL's bytes
 * outside of the certificate. */
static void
survives_every_wrong_bit(void **state)
{
	X509 *x509 = make(&recipes[3]);
	struct certificate certificate;
	struct crl_fault fault = {0};
	unsigned char *der = NULL;
	size_t len = (size_t)i2d_X509(x509, &der), map_len;
	uint8_t *map, *at;

	(void)state;
	at = at_page_end(der, len, &map, &map_len);
	for (size_t bit = 0; bit < len * 8; bit++) {
		at[bit / 8] ^= (uint8_t)(1 << bit % 8);
		if (certificate_parse(at, len, &certificate, &fault) ==
		    STATUS_OK)
			for (size_t i = 0; i < certificate.url_count; i++)
				assert_true(certificate.url[i].data >= at &&
					    certificate.url[i].len <= len);
		else
			assert_non_null(fault.text);
		at[bit / 8] ^= (uint8_t)(1 << bit % 8);
	}
	munmap(map, map_len);
	OPENSSL_free(der);
	X509_free(x509);
}

static int
make_key(void **state)
{
	(void)state;
	key = EVP_EC_gen("P-256");
	return key == NULL;
}

static int
free_key(void **state)
{
	(void)state;
	EVP_PKEY_free(key);
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(reads_what_libcrypto_reads),
	    cmocka_unit_test(a_serial_out_of_range_has_no_value),
	    cmocka_unit_test(points_of_all_kinds_are_told_apart),
	    cmocka_unit_test(refuses_every_cut_and_tail),
	    cmocka_unit_test(survives_every_wrong_bit),
	};

	return cmocka_run_group_tests(tests, make_key, free_key);
}
