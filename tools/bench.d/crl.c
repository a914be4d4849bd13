/* SPDX-License-Identifier: ISC */
/*
 * For tools/bench-others: a CRL as most C programs would make it, with an
 * X509_CRL of libcrypto and an X509_REVOKED an entry.
 *
 * usage: crl CERTIFICATE KEY ROWS CRL
 *
 * ROWS has a line an entry: serial in hex, seconds since 1970, reason.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <openssl/pem.h>
#include <openssl/x509v3.h>

#define VALIDITY_SEC (9 * 86400L)

static void
give_up(const char *what)
{
	fprintf(stderr, "crl: %s\n", what);
	exit(1);
}

/* RFC 5280, 5.3.1: the reason 0 is said by saying nothing. */
static void
entry_add(X509_CRL *crl, const char *hex, long sec, long reason)
{
	X509_REVOKED *entry = X509_REVOKED_new();
	ASN1_TIME *time = ASN1_TIME_set(NULL, sec);
	BIGNUM *number = NULL;
	ASN1_INTEGER *serial = NULL;
	ASN1_ENUMERATED *code = ASN1_ENUMERATED_new();

	if (BN_hex2bn(&number, hex) != 0)
		serial = BN_to_ASN1_INTEGER(number, NULL);
	if (entry == NULL || time == NULL || serial == NULL || code == NULL ||
	    X509_REVOKED_set_serialNumber(entry, serial) != 1 ||
	    X509_REVOKED_set_revocationDate(entry, time) != 1 ||
	    ASN1_ENUMERATED_set(code, reason) != 1 ||
	    (reason != 0 && X509_REVOKED_add1_ext_i2d(
				entry, NID_crl_reason, code, 0, 0) != 1) ||
	    X509_CRL_add0_revoked(crl, entry) != 1)
		give_up("an entry");
	ASN1_ENUMERATED_free(code);
	ASN1_INTEGER_free(serial);
	ASN1_TIME_free(time);
	BN_free(number);
}

static void
entries_read(X509_CRL *crl, const char *path)
{
	FILE *stream = fopen(path, "r");
	char hex[64];
	long sec, reason;

	if (stream == NULL)
		give_up(path);
	while (fscanf(stream, "%63s %ld %ld", hex, &sec, &reason) == 3)
		entry_add(crl, hex, sec, reason);
	fclose(stream);
}

/* Key identifier and number, as every CRL has them (RFC 5280, 5.2). */
static void
head_set(X509_CRL *crl, X509 *issuer, time_t now)
{
	ASN1_TIME *from = ASN1_TIME_set(NULL, now);
	ASN1_TIME *to = ASN1_TIME_set(NULL, now + VALIDITY_SEC - 1);
	ASN1_INTEGER *number = ASN1_INTEGER_new();
	X509V3_CTX context;
	X509_EXTENSION *aki;

	X509V3_set_ctx(&context, issuer, NULL, NULL, crl, 0);
	aki = X509V3_EXT_conf_nid(
	    NULL, &context, NID_authority_key_identifier, "keyid:always");
	if (from == NULL || to == NULL || number == NULL || aki == NULL ||
	    X509_CRL_set_version(crl, X509_CRL_VERSION_2) != 1 ||
	    X509_CRL_set_issuer_name(crl, X509_get_subject_name(issuer)) != 1 ||
	    X509_CRL_set1_lastUpdate(crl, from) != 1 ||
	    X509_CRL_set1_nextUpdate(crl, to) != 1 ||
	    X509_CRL_add_ext(crl, aki, -1) != 1 ||
	    ASN1_INTEGER_set_int64(number, now) != 1 ||
	    X509_CRL_add1_ext_i2d(crl, NID_crl_number, number, 0, 0) != 1)
		give_up("the head");
	X509_EXTENSION_free(aki);
	ASN1_INTEGER_free(number);
	ASN1_TIME_free(to);
	ASN1_TIME_free(from);
}

int
main(int argc, char **argv)
{
	FILE *stream;
	X509_CRL *crl = X509_CRL_new();
	X509 *issuer;
	EVP_PKEY *key;

	if (argc != 5 || crl == NULL)
		give_up("usage: crl CERTIFICATE KEY ROWS CRL");
	stream = fopen(argv[1], "r");
	issuer =
	    stream != NULL ? PEM_read_X509(stream, NULL, NULL, NULL) : NULL;
	if (issuer == NULL || fclose(stream) != 0)
		give_up(argv[1]);
	stream = fopen(argv[2], "r");
	key = stream != NULL ? PEM_read_PrivateKey(stream, NULL, NULL, NULL)
			     : NULL;
	if (key == NULL || fclose(stream) != 0)
		give_up(argv[2]);
	entries_read(crl, argv[3]);
	X509_CRL_sort(crl);
	head_set(crl, issuer, time(NULL));
	if (X509_CRL_sign(crl, key, EVP_sha256()) == 0)
		give_up("the signature");
	stream = fopen(argv[4], "w");
	if (stream == NULL || i2d_X509_CRL_fp(stream, crl) != 1 ||
	    fclose(stream) != 0)
		give_up(argv[4]);
	X509_CRL_free(crl);
	EVP_PKEY_free(key);
	X509_free(issuer);
	return 0;
}
