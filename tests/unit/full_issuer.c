/* SPDX-License-Identifier: ISC */
/*
 * Issuer certificates in every form a file may have, and signatures of every
 * algorithm: libcrypto makes the keys, certificates and CRLs here, each
 * signature is verified, and none is once anything about it has changed.
 */
#include "crlpress/issuer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#define PATH_BYTES 256

/* 2026-01-01 and ten years later. */
#define NOT_BEFORE_SEC 1767225600
#define NOT_AFTER_SEC 2082758400

static char directory[] = "/tmp/crlpress-issuer-XXXXXX";
static struct report *report;

/* What a certificate is to say. */
struct certificate_plan {
	const char *key_usage; /* NULL: none */
	bool is_ca;
	bool has_key_id;
};

static const struct certificate_plan usual = {
    "critical,keyCertSign,cRLSign", true, true};

/* A signature to be made. */
struct scheme_plan {
	const char *name;
	EVP_PKEY **key;
	const char *md; /* NULL: the algorithm's own */
	int salt_len;   /* 0: no PSS */
	const char *mgf1_md;
};

static EVP_PKEY *rsa;
static EVP_PKEY *rsa_other;
static EVP_PKEY *rsa_pss;
static EVP_PKEY *p256;
static EVP_PKEY *p384;
static EVP_PKEY *p521;
static EVP_PKEY *ed25519;
static EVP_PKEY *ed448;

static const struct scheme_plan schemes[] = {
    {"rsa-sha256", &rsa, "SHA256", 0, NULL},
    {"rsa-sha384", &rsa, "SHA384", 0, NULL},
    {"rsa-sha512", &rsa, "SHA512", 0, NULL},
    {"rsa-sha1", &rsa, "SHA1", 0, NULL},
    {"rsa-md5", &rsa, "MD5", 0, NULL},
    {"pss-sha256", &rsa, "SHA256", 32, "SHA256"},
    {"pss-sha384", &rsa, "SHA384", 48, "SHA384"},
    {"pss-sha512", &rsa, "SHA512", 64, "SHA512"},
    {"pss-salt", &rsa, "SHA256", 20, "SHA256"},
    {"pss-mixed", &rsa, "SHA256", 32, "SHA384"},
    {"pss-defaults", &rsa, "SHA1", 20, "SHA1"},
    {"pss-key", &rsa_pss, "SHA256", 32, "SHA256"},
    {"p256", &p256, "SHA256", 0, NULL},
    {"p256-sha1", &p256, "SHA1", 0, NULL},
    {"p384", &p384, "SHA384", 0, NULL},
    {"p521", &p521, "SHA512", 0, NULL},
    {"ed25519", &ed25519, NULL, 0, NULL},
    {"ed448", &ed448, NULL, 0, NULL},
};

#define SCHEMES (sizeof(schemes) / sizeof(*schemes))

static EVP_PKEY *
key_rsa_pss(void)
{
	EVP_PKEY_CTX *context =
	    EVP_PKEY_CTX_new_from_name(NULL, "RSA-PSS", NULL);
	EVP_PKEY *key = NULL;

	if (context != NULL && EVP_PKEY_keygen_init(context) == 1 &&
	    EVP_PKEY_CTX_set_rsa_keygen_bits(context, 2048) == 1)
		(void)EVP_PKEY_generate(context, &key);
	EVP_PKEY_CTX_free(context);
	return key;
}

static int
setup(void **state)
{
	(void)state;
	rsa = EVP_RSA_gen(2048);
	rsa_other = EVP_RSA_gen(2048);
	rsa_pss = key_rsa_pss();
	p256 = EVP_EC_gen("P-256");
	p384 = EVP_EC_gen("P-384");
	p521 = EVP_EC_gen("P-521");
	ed25519 = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
	ed448 = EVP_PKEY_Q_keygen(NULL, NULL, "ED448");
	if (!rsa || !rsa_other || !rsa_pss || !p256 || !p384 || !p521 ||
	    !ed25519 || !ed448)
		return -1;
	return mkdtemp(directory) != NULL ? 0 : -1;
}

static int
teardown(void **state)
{
	EVP_PKEY *const keys[] = {
	    rsa, rsa_other, rsa_pss, p256, p384, p521, ed25519, ed448};

	(void)state;
	for (size_t i = 0; i < sizeof(keys) / sizeof(*keys); i++)
		EVP_PKEY_free(keys[i]);
	return rmdir(directory);
}

static int
report_setup(void **state)
{
	(void)state;
	report = report_new(NULL, SEVERITY_NOTE);
	return report != NULL ? 0 : -1;
}

static int
report_teardown(void **state)
{
	(void)state;
	report_free(report);
	return 0;
}

static X509_NAME *
name_of(const char *text)
{
	X509_NAME *name = X509_NAME_new();

	assert_non_null(name);
	assert_int_equal(X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8,
			     (const unsigned char *)text, -1, -1, 0),
	    1);
	return name;
}

static void
extension_add(X509 *certificate, int nid, const char *value)
{
	X509V3_CTX context;
	X509_EXTENSION *extension;

	X509V3_set_ctx(&context, certificate, certificate, NULL, NULL, 0);
	extension = X509V3_EXT_conf_nid(NULL, &context, nid, value);
	assert_non_null(extension);
	assert_int_equal(X509_add_ext(certificate, extension, -1), 1);
	X509_EXTENSION_free(extension);
}

/* The digest a key of this kind signs its certificate with. */
static const EVP_MD *
digest_of(EVP_PKEY *key)
{
	bool own = key == ed25519 || key == ed448;

	return own ? NULL : EVP_sha256();
}

static X509 *
certificate_make(EVP_PKEY *key, const struct certificate_plan *plan)
{
	X509 *certificate = X509_new();
	X509_NAME *name = name_of("An Issuer");

	assert_non_null(certificate);
	X509_set_version(certificate, X509_VERSION_3);
	ASN1_INTEGER_set(X509_get_serialNumber(certificate), 4711);
	ASN1_TIME_set(X509_getm_notBefore(certificate), NOT_BEFORE_SEC);
	ASN1_TIME_set(X509_getm_notAfter(certificate), NOT_AFTER_SEC);
	X509_set_subject_name(certificate, name);
	X509_set_issuer_name(certificate, name);
	X509_NAME_free(name);
	X509_set_pubkey(certificate, key);
	extension_add(certificate, NID_basic_constraints,
	    plan->is_ca ? "critical,CA:TRUE" : "CA:FALSE");
	if (plan->key_usage != NULL)
		extension_add(certificate, NID_key_usage, plan->key_usage);
	if (plan->has_key_id)
		extension_add(certificate, NID_subject_key_identifier, "hash");
	assert_true(X509_sign(certificate, key, digest_of(key)) > 0);
	return certificate;
}

static void
path_of(const char *name, char path[PATH_BYTES])
{
	(void)snprintf(path, PATH_BYTES, "%s/%s", directory, name);
}

/* Writes a file of the directory and gives its path. */
static void
file_write(
    const char *name, const void *data, size_t len, char path[PATH_BYTES])
{
	FILE *file;

	path_of(name, path);
	file = fopen(path, "wb");
	assert_non_null(file);
	assert_int_equal(fwrite(data, 1, len, file), len);
	assert_int_equal(fclose(file), 0);
}

static struct issuer *
issuer_make(EVP_PKEY *key, const struct certificate_plan *plan)
{
	X509 *certificate = certificate_make(key, plan);
	struct issuer *issuer = NULL;
	uint8_t *der = NULL;
	int len = i2d_X509(certificate, &der);
	char path[PATH_BYTES];

	assert_true(len > 0);
	file_write("issuer", der, (size_t)len, path);
	assert_int_equal(issuer_load(path, report, &issuer), STATUS_OK);
	unlink(path);
	OPENSSL_free(der);
	X509_free(certificate);
	return issuer;
}

/* A CRL that the caller signs and frees. */
static X509_CRL *
crl_new(void)
{
	X509_CRL *crl = X509_CRL_new();
	X509_NAME *name = name_of("An Issuer");
	ASN1_TIME *time = ASN1_TIME_set(NULL, NOT_BEFORE_SEC + 86400);

	assert_non_null(crl);
	X509_CRL_set_version(crl, X509_CRL_VERSION_2);
	X509_CRL_set_issuer_name(crl, name);
	X509_CRL_set1_lastUpdate(crl, time);
	X509_CRL_set1_nextUpdate(crl, time);
	X509_NAME_free(name);
	ASN1_TIME_free(time);
	return crl;
}

/* The DER of a CRL signed as planned; the caller frees it. */
static uint8_t *
crl_make(const struct scheme_plan *plan, size_t *len)
{
	X509_CRL *crl = crl_new();
	EVP_MD_CTX *context = EVP_MD_CTX_new();
	EVP_PKEY_CTX *key_context = NULL;
	const EVP_MD *md =
	    plan->md != NULL ? EVP_get_digestbyname(plan->md) : NULL;
	uint8_t *der = NULL;
	int der_len;

	assert_int_equal(
	    EVP_DigestSignInit(context, &key_context, md, NULL, *plan->key), 1);
	if (plan->salt_len > 0) {
		const EVP_MD *mgf1_md = EVP_get_digestbyname(plan->mgf1_md);

		assert_true(EVP_PKEY_CTX_set_rsa_padding(
				key_context, RSA_PKCS1_PSS_PADDING) > 0);
		assert_true(EVP_PKEY_CTX_set_rsa_pss_saltlen(
				key_context, plan->salt_len) > 0);
		assert_true(
		    EVP_PKEY_CTX_set_rsa_mgf1_md(key_context, mgf1_md) > 0);
	}
	assert_true(X509_CRL_sign_ctx(crl, context) > 0);
	der_len = i2d_X509_CRL(crl, &der);
	assert_true(der_len > 0);
	*len = (size_t)der_len;
	EVP_MD_CTX_free(context);
	X509_CRL_free(crl);
	return der;
}

static enum status
verify(const struct issuer *issuer, const uint8_t *der, size_t len,
    const char **why)
{
	struct crl_fault fault;
	struct crl crl;

	assert_int_equal(crl_parse(der, len, &crl, &fault), STATUS_OK);
	return issuer_verify(issuer, &crl, why);
}

/* Each scheme: right, then with the signature, the TBS, the key changed. */
static void
test_verify(void **state)
{
	(void)state;
	for (size_t i = 0; i < SCHEMES; i++) {
		const struct scheme_plan *plan = &schemes[i];
		struct issuer *issuer = issuer_make(*plan->key, &usual);
		const char *why = NULL;
		struct crl crl;
		struct crl_fault fault;
		size_t len;
		uint8_t *der = crl_make(plan, &len);

		if (verify(issuer, der, len, &why) != STATUS_OK)
			fail_msg("%s: %s", plan->name, why);
		assert_int_equal(crl_parse(der, len, &crl, &fault), STATUS_OK);
		der[len - 1] ^= 1;
		assert_int_equal(
		    verify(issuer, der, len, &why), STATUS_MALFORMED);
		der[len - 1] ^= 1;
		/* The last digit of thisUpdate's second. */
		der[(size_t)(crl.issuer.data - der) + crl.issuer.len + 13] ^= 1;
		assert_int_equal(
		    verify(issuer, der, len, &why), STATUS_MALFORMED);
		assert_non_null(why);
		OPENSSL_free(der);
		issuer_free(issuer);
	}
}

/* What is said of a signature before there is one. */
static void
test_signature_sizes(void **state)
{
	(void)state;
	for (size_t i = 0; i < SCHEMES; i++) {
		const struct scheme_plan *plan = &schemes[i];
		EVP_PKEY *key = *plan->key;
		struct issuer *issuer = issuer_make(key, &usual);
		bool by_chance = key == p256 || key == p384 || key == p521;
		size_t len, algorithm_len = 0, most = 0;
		uint8_t *der = crl_make(plan, &len);
		struct crl_fault fault;
		struct crl crl;

		assert_int_equal(crl_parse(der, len, &crl, &fault), STATUS_OK);
		assert_true(issuer_signature_sizes(
		    issuer, plan->salt_len > 0, &algorithm_len, &most));
		/* SHA-1 and its salt need not be spelt out. */
		if (plan->salt_len != 20 &&
		    (plan->md == NULL || strcmp(plan->md, "SHA1") != 0))
			assert_int_equal(
			    algorithm_len, crl.outer_algorithm.len);
		if (by_chance)
			assert_in_range(crl.signature.len, most - 8, most);
		else
			assert_int_equal(crl.signature.len, most);
		/* Another padding is for RSA alone to have. */
		assert_int_equal(
		    issuer_signature_sizes(
			issuer, plan->salt_len == 0, &algorithm_len, &most),
		    key == rsa || by_chance || key == ed25519 || key == ed448);
		OPENSSL_free(der);
		issuer_free(issuer);
	}
}

/* A signature of each scheme is none of any other key's. */
static void
test_verify_others(void **state)
{
	EVP_PKEY *const keys[] = {rsa, rsa_other, p256, p384, ed25519, ed448};

	(void)state;
	for (size_t k = 0; k < sizeof(keys) / sizeof(*keys); k++) {
		struct issuer *issuer = issuer_make(keys[k], &usual);

		for (size_t i = 0; i < SCHEMES; i++) {
			const char *why = NULL;
			size_t len;
			uint8_t *der;

			if (*schemes[i].key == keys[k])
				continue;
			der = crl_make(&schemes[i], &len);
			assert_int_equal(
			    verify(issuer, der, len, &why), STATUS_MALFORMED);
			assert_non_null(why);
			OPENSSL_free(der);
		}
		issuer_free(issuer);
	}
}

/* The AlgorithmIdentifier outside decides, and nothing else may stand there. */
static void
test_verify_algorithm(void **state)
{
	static const uint8_t sha384[] = {0x30, 0x0a, 0x06, 0x08, 0x2a, 0x86,
	    0x48, 0xce, 0x3d, 0x04, 0x03, 0x03};
	static const uint8_t longer[] = {0x30, 0x0a, 0x06, 0x08, 0x2a, 0x86,
	    0x48, 0xce, 0x3d, 0x04, 0x03, 0x02, 0x00};
	static const uint8_t unknown[] = {
	    0x30, 0x05, 0x06, 0x03, 0x2a, 0x03, 0x04};
	static const uint8_t digest[] = {0x30, 0x0b, 0x06, 0x09, 0x60, 0x86,
	    0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01};
	static const uint8_t pss_empty[] = {0x30, 0x0d, 0x06, 0x09, 0x2a, 0x86,
	    0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x0a, 0x30, 0x00};
	static const uint8_t pss_none[] = {0x30, 0x0b, 0x06, 0x09, 0x2a, 0x86,
	    0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x0a};
	static const uint8_t broken[] = {
	    0x30, 0x05, 0x06, 0x08, 0x2a, 0x86, 0x48};
	static const struct {
		struct crl_view view;
		const char *word;
	} rows[] = {
	    {{sha384, sizeof(sha384)}, "not the issuer's"},
	    {{unknown, sizeof(unknown)}, "unknown"},
	    {{digest, sizeof(digest)}, "unknown"},
	    {{pss_empty, sizeof(pss_empty)}, "kind"},
	    {{pss_none, sizeof(pss_none)}, "parameters"},
	    {{broken, sizeof(broken)}, "cannot be read"},
	    {{longer, sizeof(longer)}, "cannot be read"},
	    {{NULL, 0}, "not signed"},
	};
	struct issuer *issuer = issuer_make(p256, &usual);
	struct crl_fault fault;
	const char *why = NULL;
	struct crl crl;
	size_t len;
	uint8_t *der = crl_make(&schemes[12], &len);

	(void)state;
	assert_string_equal(schemes[12].name, "p256");
	assert_int_equal(crl_parse(der, len, &crl, &fault), STATUS_OK);
	assert_int_equal(issuer_verify(issuer, &crl, &why), STATUS_OK);
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct crl changed = crl;

		changed.outer_algorithm = rows[i].view;
		assert_int_equal(
		    issuer_verify(issuer, &changed, &why), STATUS_MALFORMED);
		if (strstr(why, rows[i].word) == NULL)
			fail_msg("want \"%s\", have \"%s\"", rows[i].word, why);
	}
	/* What stands inside does not matter here. */
	crl.inner_algorithm = (struct crl_view){unknown, sizeof(unknown)};
	assert_int_equal(issuer_verify(issuer, &crl, &why), STATUS_OK);
	OPENSSL_free(der);
	issuer_free(issuer);
}

/* RFC 4055, 3.1: a salt or a trailer that nobody means. */
static void
test_verify_pss(void **state)
{
	static const uint8_t salt[] = {0xa2, 0x03, 0x02, 0x01, 0x20};
	struct issuer *issuer = issuer_make(rsa, &usual);
	struct crl_fault fault;
	const char *why = NULL;
	struct crl crl;
	size_t len;
	uint8_t *der = crl_make(&schemes[5], &len);
	uint8_t algorithm[80];

	(void)state;
	assert_string_equal(schemes[5].name, "pss-sha256");
	assert_int_equal(crl_parse(der, len, &crl, &fault), STATUS_OK);
	assert_true(crl.outer_algorithm.len < sizeof(algorithm));
	len = crl.outer_algorithm.len;
	memcpy(algorithm, crl.outer_algorithm.data, len);
	assert_memory_equal(algorithm + len - sizeof(salt), salt, sizeof(salt));
	crl.outer_algorithm.data = algorithm;
	assert_int_equal(issuer_verify(issuer, &crl, &why), STATUS_OK);
	algorithm[len - 1] = 31;
	assert_int_equal(issuer_verify(issuer, &crl, &why), STATUS_MALFORMED);
	algorithm[len - 1] = 0xff;
	assert_int_equal(issuer_verify(issuer, &crl, &why), STATUS_MALFORMED);
	/* The salt's length becomes a trailer of 32: its salt would be 20. */
	algorithm[len - 1] = 32;
	algorithm[len - sizeof(salt)] = 0xa3;
	assert_int_equal(issuer_verify(issuer, &crl, &why), STATUS_MALFORMED);
	assert_non_null(strstr(why, "parameters"));
	OPENSSL_free(der);
	issuer_free(issuer);
}

static void
test_facts(void **state)
{
	X509 *certificate = certificate_make(p256, &usual);
	const ASN1_OCTET_STRING *key_id = X509_get0_subject_key_id(certificate);
	uint8_t *der = NULL;
	uint8_t *name = NULL;
	int len = i2d_X509(certificate, &der);
	int name_len = i2d_X509_NAME(X509_get_subject_name(certificate), &name);
	uint8_t sha256[ISSUER_SHA256_BYTES];
	struct issuer *issuer = NULL;
	const struct issuer_facts *facts;
	char path[PATH_BYTES];

	(void)state;
	file_write("facts", der, (size_t)len, path);
	assert_int_equal(issuer_load(path, report, &issuer), STATUS_OK);
	unlink(path);
	facts = issuer_facts(issuer);
	assert_int_equal(facts->subject.len, name_len);
	assert_memory_equal(facts->subject.data, name, facts->subject.len);
	assert_int_equal(facts->key_id.len, ASN1_STRING_length(key_id));
	assert_memory_equal(facts->key_id.data, ASN1_STRING_get0_data(key_id),
	    facts->key_id.len);
	assert_int_equal(facts->not_before_sec, NOT_BEFORE_SEC);
	assert_int_equal(facts->not_after_sec, NOT_AFTER_SEC);
	assert_true(facts->has_key_usage);
	assert_true(facts->may_sign_crls);
	assert_true(facts->is_ca);
	assert_int_equal(
	    EVP_Digest(der, (size_t)len, sha256, NULL, EVP_sha256(), NULL), 1);
	assert_memory_equal(facts->sha256, sha256, sizeof(sha256));
	issuer_free(issuer);
	OPENSSL_free(der);
	OPENSSL_free(name);
	X509_free(certificate);
}

static void
test_facts_usage(void **state)
{
	static const struct {
		struct certificate_plan plan;
		bool may_sign_crls;
	} rows[] = {
	    {{"cRLSign", false, true}, true},
	    {{"critical,digitalSignature,keyCertSign", true, true}, false},
	    {{NULL, true, false}, true},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct issuer *issuer = issuer_make(p256, &rows[i].plan);
		const struct issuer_facts *facts = issuer_facts(issuer);

		assert_int_equal(facts->may_sign_crls, rows[i].may_sign_crls);
		assert_int_equal(
		    facts->has_key_usage, rows[i].plan.key_usage != NULL);
		assert_int_equal(facts->is_ca, rows[i].plan.is_ca);
		assert_int_equal(
		    facts->key_id.data != NULL, rows[i].plan.has_key_id);
		issuer_free(issuer);
	}
}

/* A file that cannot be used: the line names it and says the word. */
static void
load_fails(const char *path, const char *word)
{
	struct issuer *issuer = NULL;
	size_t n = report_kept(report);
	enum status status = issuer_load(path, report, &issuer);
	const struct finding *finding;

	if (status != STATUS_CONFIG)
		fail_msg("%s: want \"%s\", have it loaded", path, word);
	assert_null(issuer);
	assert_int_equal(report_kept(report), n + 1);
	finding = report_finding(report, n);
	assert_string_equal(finding->object, path);
	if (strstr(finding->text, word) == NULL)
		fail_msg(
		    "%s: want \"%s\", have \"%s\"", path, word, finding->text);
}

/* The text of PEM blocks, and its length. */
struct text {
	char data[16384];
	size_t len;
};

static void
text_add(struct text *text, const char *more, size_t len)
{
	assert_true(text->len + len < sizeof(text->data));
	memcpy(text->data + text->len, more, len);
	text->len += len;
}

static void
text_add_bio(struct text *text, BIO *bio)
{
	char *data = NULL;
	long len = BIO_get_mem_data(bio, &data);

	assert_true(len > 0);
	text_add(text, data, (size_t)len);
	BIO_free(bio);
}

static void
text_add_certificate(struct text *text, X509 *certificate)
{
	BIO *bio = BIO_new(BIO_s_mem());

	assert_int_equal(PEM_write_bio_X509(bio, certificate), 1);
	text_add_bio(text, bio);
}

static void
text_add_key(struct text *text, EVP_PKEY *key)
{
	BIO *bio = BIO_new(BIO_s_mem());

	assert_int_equal(
	    PEM_write_bio_PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL), 1);
	text_add_bio(text, bio);
}

static void
load_text_fails(const struct text *text, const char *word)
{
	char path[PATH_BYTES];

	file_write("text", text->data, text->len, path);
	load_fails(path, word);
	unlink(path);
}

static void
test_load_pem(void **state)
{
	static const char words[] = "0ne certificate\nsubject: CN=An Issuer\n";
	X509 *certificate = certificate_make(p256, &usual);
	struct text text = {.len = 0};
	struct issuer *issuer = NULL;
	char path[PATH_BYTES];

	(void)state;
	text_add(&text, words, sizeof(words) - 1);
	text_add_certificate(&text, certificate);
	text_add(&text, "\n", 1);
	file_write("text", text.data, text.len, path);
	assert_int_equal(issuer_load(path, report, &issuer), STATUS_OK);
	assert_int_equal(report_kept(report), 0);
	issuer_free(issuer);
	unlink(path);
	X509_free(certificate);
}

static void
test_load_pem_wrong(void **state)
{
	X509 *certificate = certificate_make(p256, &usual);
	struct text one = {.len = 0};
	struct text text;

	(void)state;
	text_add_certificate(&one, certificate);
	text = one;
	text_add_certificate(&text, certificate);
	load_text_fails(&text, "more than one");
	text = one;
	text_add_key(&text, p256);
	load_text_fails(&text, "\"PRIVATE KEY\"");
	text.len = 0;
	text_add_key(&text, p256);
	load_text_fails(&text, "\"PRIVATE KEY\"");
	text = one;
	text.len -= 20;
	load_text_fails(&text, "cut short");
	/* The second block is cut short: it could have been a certificate. */
	text = one;
	text_add(&text, one.data, 40);
	load_text_fails(&text, "cut short");
	text = one;
	text.data[100] = '\x01';
	load_text_fails(&text, "damaged");
	text.len = 0;
	text_add(&text, "hello\n", 6);
	load_text_fails(&text, "neither");
	text.len = 0;
	text_add(&text, "-----BEGIN CERTIFICATE-----\nMAMCAQU=\n", 37);
	text_add(&text, "-----END CERTIFICATE-----\n", 26);
	load_text_fails(&text, "not a certificate");
	X509_free(certificate);
}

static void
test_load_der_wrong(void **state)
{
	X509 *certificate = certificate_make(p256, &usual);
	uint8_t *der = NULL;
	int len = i2d_X509(certificate, &der);
	struct text text = {.len = 0};

	(void)state;
	assert_true(len > 0x100);
	text_add(&text, (const char *)der, (size_t)len);
	text_add(&text, "\0", 1);
	load_text_fails(&text, "1 bytes after");
	text_add(&text, (const char *)der, (size_t)len);
	load_text_fails(&text, "bytes after");
	text.len = (size_t)len - 1;
	load_text_fails(&text, "not a certificate");
	/* The same with an outer length of no length: BER. */
	text.len = 0;
	text_add(&text, "\x30\x80", 2);
	text_add(&text, (const char *)der + 4, (size_t)len - 4);
	text_add(&text, "\0\0", 2);
	load_text_fails(&text, "BER");
	OPENSSL_free(der);
	X509_free(certificate);
}

static void
test_load_files(void **state)
{
	char path[PATH_BYTES];

	(void)state;
	path_of("missing", path);
	load_fails(path, "No such file");
	load_fails(directory, "not a regular file");
	path_of("fifo", path);
	assert_int_equal(mkfifo(path, 0600), 0);
	load_fails(path, "not a regular file");
	unlink(path);
	load_fails("/dev/zero", "not a regular file");
	file_write("empty", "", 0, path);
	load_fails(path, "empty");
	/* Sparse, so that no bytes have to be there. */
	assert_int_equal(truncate(path, ISSUER_FILE_BYTES_MOST + 1), 0);
	load_fails(path, "too large");
	assert_int_equal(truncate(path, ISSUER_FILE_BYTES_MOST), 0);
	load_fails(path, "neither");
	unlink(path);
	issuer_free(NULL);
}

static const char *
name_text(const char *der, size_t len, char *out, size_t size)
{
	struct crl_view name = {(const uint8_t *)der, len};

	return issuer_name_text(&name, out, size);
}

/* What a CRL calls its issuer, whoever wrote it. */
static void
test_name_text(void **state)
{
	static const char name[] =
	    "\x30\x1b\x31\x0b\x30\x09\x06\x03\x55\x04\x0a\x0c\x02"
	    "A,\x31\x0c\x30\x0a\x06\x03\x55\x04\x03\x0c\x03\x1b[m";
	char out[ISSUER_NAME_BYTES];

	(void)state;
	assert_string_equal(name_text(name, sizeof(name) - 1, out, sizeof(out)),
	    "CN=\\1B[m,O=A\\,");
	/* Cut off, where there is less room. */
	assert_string_equal(
	    name_text(name, sizeof(name) - 1, out, 6), "CN=\\1");
	assert_string_equal(name_text("\x30\x00", 2, out, sizeof(out)),
	    "a name that cannot be shown");
	assert_string_equal(name_text("\x31\x05", 2, out, sizeof(out)),
	    "a name that cannot be shown");
	assert_string_equal(name_text(NULL, 0, out, sizeof(out)),
	    "a name that cannot be shown");
}

int
main(void)
{
#define TEST(name) \
	cmocka_unit_test_setup_teardown(name, report_setup, report_teardown)
	const struct CMUnitTest tests[] = {
	    TEST(test_verify),
	    TEST(test_signature_sizes),
	    TEST(test_verify_others),
	    TEST(test_verify_algorithm),
	    TEST(test_verify_pss),
	    TEST(test_facts),
	    TEST(test_facts_usage),
	    TEST(test_load_pem),
	    TEST(test_load_pem_wrong),
	    TEST(test_load_der_wrong),
	    TEST(test_load_files),
	    cmocka_unit_test(test_name_text),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
