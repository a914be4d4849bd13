/* SPDX-License-Identifier: ISC */
/*
 * For the tests of the signer: issuers made with libcrypto in a directory of
 * their own, a configuration for each, TBSCertLists as the encoder makes them
 * and as it never would, and a look into the report.
 */
#ifndef CRLPRESS_SIGNER_CA_H
#define CRLPRESS_SIGNER_CA_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include <openssl/conf.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include "crlpress/crl_build.h"
#include "crlpress/signer.h"

#define NOW_SEC 1795323600LL /* 2026-11-22 05:00:00 */
#define DAY_SEC 86400LL
#define URL_PATTERN "http://crl.example/{shard:03}.crl"
#define SHARD_FIRST 5
#define SHARD_COUNT 8
#define DIR_BYTES 128
#define PATH_BYTES 256
#define PASSPHRASE "correct horse battery"

#define USAGE_CA "critical,keyCertSign,cRLSign"

/* An issuer: its key, its certificate, and both in files. */
struct ca {
	char dir[DIR_BYTES];
	EVP_PKEY *pkey;
	X509 *certificate;
	char key_path[PATH_BYTES];
	char certificate_path[PATH_BYTES];
};

static inline FILE *
file_create(const char *path)
{
	FILE *file = fopen(path, "wb");

	assert_non_null(file);
	assert_int_equal(fchmod(fileno(file), 0600), 0);
	return file;
}

static inline void
file_write(const char *path, const char *text)
{
	FILE *file = file_create(path);

	assert_true(fputs(text, file) >= 0);
	assert_int_equal(fclose(file), 0);
}

static inline void
extension_add(X509 *certificate, int nid, const char *value)
{
	X509_EXTENSION *extension;
	X509V3_CTX context;

	X509V3_set_ctx(&context, certificate, certificate, NULL, NULL, 0);
	extension = X509V3_EXT_conf_nid(NULL, &context, nid, value);
	assert_non_null(extension);
	assert_int_equal(X509_add_ext(certificate, extension, -1), 1);
	X509_EXTENSION_free(extension);
}

/* A certificate of the key for itself; NULL leaves the extension out. */
static inline X509 *
certificate_make(
    EVP_PKEY *pkey, const char *basic, const char *usage, const char *key_id)
{
	X509 *x = X509_new();
	X509_NAME *name;
	const EVP_MD *digest = EVP_PKEY_get_base_id(pkey) == EVP_PKEY_ED25519
				   ? NULL
				   : EVP_sha256();

	assert_non_null(x);
	assert_int_equal(X509_set_version(x, X509_VERSION_3), 1);
	assert_int_equal(ASN1_INTEGER_set(X509_get_serialNumber(x), 17), 1);
	name = X509_get_subject_name(x);
	assert_int_equal(X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC,
			     (const unsigned char *)"Signer Test", -1, -1, 0),
	    1);
	assert_int_equal(X509_set_issuer_name(x, name), 1);
	assert_non_null(ASN1_TIME_set(X509_getm_notBefore(x), NOW_SEC));
	assert_non_null(
	    ASN1_TIME_set(X509_getm_notAfter(x), NOW_SEC + 900 * DAY_SEC));
	assert_int_equal(X509_set_pubkey(x, pkey), 1);
	if (basic != NULL)
		extension_add(x, NID_basic_constraints, basic);
	if (usage != NULL)
		extension_add(x, NID_key_usage, usage);
	if (key_id != NULL)
		extension_add(x, NID_subject_key_identifier, key_id);
	assert_true(X509_sign(x, pkey, digest) > 0);
	return x;
}

static inline void
certificate_write(const char *path, X509 *certificate)
{
	FILE *file = file_create(path);

	assert_int_equal(PEM_write_X509(file, certificate), 1);
	assert_int_equal(fclose(file), 0);
}

static inline void
key_write(const char *path, EVP_PKEY *pkey)
{
	FILE *file = file_create(path);

	assert_int_equal(
	    PEM_write_PrivateKey(file, pkey, NULL, NULL, 0, NULL, NULL), 1);
	assert_int_equal(fclose(file), 0);
}

/* Takes the key over. */
static inline void
ca_make(struct ca *ca, EVP_PKEY *pkey)
{
	const char *tmp = getenv("TMPDIR");

	assert_non_null(pkey);
	(void)snprintf(ca->dir, sizeof(ca->dir), "%s/full_signer.XXXXXX",
	    tmp != NULL ? tmp : "/tmp");
	assert_non_null(mkdtemp(ca->dir));
	ca->pkey = pkey;
	ca->certificate =
	    certificate_make(pkey, "critical,CA:TRUE", USAGE_CA, "hash");
	(void)snprintf(
	    ca->key_path, sizeof(ca->key_path), "%s/ca.key", ca->dir);
	(void)snprintf(ca->certificate_path, sizeof(ca->certificate_path),
	    "%s/ca.crt", ca->dir);
	key_write(ca->key_path, pkey);
	certificate_write(ca->certificate_path, ca->certificate);
}

static inline EVP_PKEY *
key_ec(const char *curve)
{
	return EVP_PKEY_Q_keygen(NULL, NULL, "EC", curve);
}

/* Removes the files of the directory, which has no others. */
static inline void
ca_free(struct ca *ca)
{
	char command[PATH_BYTES];

	(void)snprintf(command, sizeof(command), "rm -rf '%s'", ca->dir);
	assert_int_equal(system(command), 0);
	EVP_PKEY_free(ca->pkey);
	X509_free(ca->certificate);
}

static inline struct signer_config
ca_config(const struct ca *ca)
{
	return (struct signer_config){
	    .key_path = ca->key_path,
	    .passphrase_fd = -1,
	    .certificate_path = ca->certificate_path,
	    .url_pattern = URL_PATTERN,
	    .shard_first = SHARD_FIRST,
	    .shard_count = SHARD_COUNT,
	    .skew_sec = 60,
	    .now_sec = NOW_SEC,
	    .has_now = true,
	};
}

/* One that may sign so many at a time. */
static inline struct signer *
ca_start_sessions(const struct ca *ca, unsigned sessions)
{
	struct signer_config config = ca_config(ca);
	struct report *report = report_new(stderr, SEVERITY_NOTE);
	struct signer *signer = NULL;

	assert_non_null(report);
	config.sessions = sessions;
	assert_int_equal(signer_start(&config, report, &signer), STATUS_OK);
	report_free(report);
	return signer;
}

static inline struct signer *
ca_start(const struct ca *ca)
{
	return ca_start_sessions(ca, 1);
}

/* The header of a list that a signer of this algorithm should sign. */
static inline struct crl_header
ca_header_of(const struct ca *ca, struct crl_view algorithm, const char *url,
    uint64_t number)
{
	const ASN1_OCTET_STRING *key_id =
	    X509_get0_subject_key_id(ca->certificate);
	struct crl_header header = {
	    .algorithm = algorithm.data,
	    .algorithm_len = algorithm.len,
	    .this_update_sec = NOW_SEC,
	    .next_update_sec = NOW_SEC + 9 * DAY_SEC,
	    .number = uint160_from_u64(number),
	    .url = url,
	    .scope = url != NULL ? CRL_SCOPE_USERS : CRL_SCOPE_ALL,
	};

	assert_int_equal(
	    X509_NAME_get0_der(X509_get_subject_name(ca->certificate),
		&header.issuer, &header.issuer_len),
	    1);
	if (key_id != NULL) {
		header.key_id = ASN1_STRING_get0_data(key_id);
		header.key_id_len = (size_t)ASN1_STRING_length(key_id);
	}
	return header;
}

static inline struct crl_header
ca_header(const struct ca *ca, const struct signer *signer, const char *url,
    uint64_t number)
{
	return ca_header_of(ca, signer_algorithm(signer), url, number);
}

/* A buffer with `rows` entries after the header. */
static inline struct signer_buffer
tbs_make(const struct crl_header *header, uint64_t rows)
{
	struct signer_buffer buffer;
	struct row *row = calloc((size_t)rows + 1, sizeof(*row));
	const char *why = NULL;
	size_t size;

	assert_non_null(row);
	for (uint64_t i = 0; i < rows; i++) {
		struct uint160 serial = uint160_from_u64(1000 + i);

		row[i] =
		    row_make(&serial, NOW_SEC - DAY_SEC, 1, NOW_SEC + DAY_SEC);
	}
	assert_int_equal(
	    crl_tbs_size(header, row, (size_t)rows, &size, &why), STATUS_OK);
	assert_int_equal(signer_buffer_new(&buffer, size, NULL), STATUS_OK);
	crl_tbs_write(header, row, (size_t)rows, buffer.data, size);
	free(row);
	return buffer;
}

/* Puts the list together and has libcrypto verify it. */
static inline X509_CRL *
crl_verify(const struct ca *ca, const struct signer *signer,
    const struct signer_buffer *tbs, const struct signer_signature *signature)
{
	struct crl_view algorithm = signer_algorithm(signer);
	uint8_t suffix[CRL_SUFFIX_BYTES_MOST];
	uint8_t prefix[CRL_PREFIX_BYTES];
	const unsigned char *p;
	X509_CRL *crl;
	uint8_t *whole;
	size_t before;
	size_t after;

	after = crl_suffix_write(algorithm.data, algorithm.len,
	    signature->octet, signature->len, suffix);
	before = crl_prefix_write(tbs->size, after, prefix);
	whole = malloc(before + tbs->size + after);
	assert_non_null(whole);
	memcpy(whole, prefix, before);
	memcpy(whole + before, tbs->data, tbs->size);
	memcpy(whole + before + tbs->size, suffix, after);
	p = whole;
	crl = d2i_X509_CRL(NULL, &p, (long)(before + tbs->size + after));
	assert_non_null(crl);
	assert_ptr_equal(p, whole + before + tbs->size + after);
	assert_int_equal(X509_CRL_verify(crl, ca->pkey), 1);
	free(whole);
	return crl;
}

/* The last finding but hints; fails when there is none. */
static inline const struct finding *
report_last(const struct report *report)
{
	assert_true(report_kept(report) > 0);
	return report_finding(report, report_kept(report) - 1);
}

static inline void
assert_contains(const char *text, const char *part)
{
	if (strstr(text, part) == NULL)
		fail_msg("\"%s\" lacks \"%s\"", text, part);
}

#endif
