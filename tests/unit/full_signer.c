/* SPDX-License-Identifier: ISC */
/*
 * The signer with keys of every kind and form: what it signs is verified by
 * libcrypto, and what it cannot load is named in one line without a secret.
 */
#include "../lib/signer_ca.h"

#include <fcntl.h>

static struct ca rsa;
static struct ca p256;

static EVP_PKEY *
key_rsa(void)
{
	return EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)2048);
}

/* An RSA key that may sign with PSS alone (RFC 4055, 1.2). */
static EVP_PKEY *
key_rsa_pss(void)
{
	EVP_PKEY_CTX *context =
	    EVP_PKEY_CTX_new_from_name(NULL, "RSA-PSS", NULL);
	EVP_PKEY *pkey = NULL;

	assert_non_null(context);
	assert_int_equal(EVP_PKEY_keygen_init(context), 1);
	assert_int_equal(EVP_PKEY_CTX_set_rsa_keygen_bits(context, 2048), 1);
	assert_int_equal(EVP_PKEY_generate(context, &pkey), 1);
	EVP_PKEY_CTX_free(context);
	return pkey;
}

static EVP_PKEY *
key_p256(void)
{
	return key_ec("P-256");
}

static EVP_PKEY *
key_p384(void)
{
	return key_ec("P-384");
}

static EVP_PKEY *
key_p521(void)
{
	return key_ec("P-521");
}

static EVP_PKEY *
key_ed25519(void)
{
	return EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
}

struct kind {
	EVP_PKEY *(*key)(void);
	enum signer_padding padding;
	enum signer_digest digest;
	const char *want_digest; /* NULL: none */
};

static const struct kind kinds[] = {
    {key_rsa, SIGNER_PADDING_PKCS1, SIGNER_DIGEST_DEFAULT, "SHA256"},
    {key_rsa, SIGNER_PADDING_PKCS1, SIGNER_DIGEST_SHA384, "SHA384"},
    {key_rsa, SIGNER_PADDING_PSS, SIGNER_DIGEST_DEFAULT, "SHA256"},
    {key_rsa, SIGNER_PADDING_PSS, SIGNER_DIGEST_SHA512, "SHA512"},
    {key_rsa_pss, SIGNER_PADDING_PSS, SIGNER_DIGEST_SHA384, "SHA384"},
    {key_p256, SIGNER_PADDING_PKCS1, SIGNER_DIGEST_DEFAULT, "SHA256"},
    {key_p384, SIGNER_PADDING_PKCS1, SIGNER_DIGEST_DEFAULT, "SHA384"},
    {key_p384, SIGNER_PADDING_PKCS1, SIGNER_DIGEST_SHA256, "SHA256"},
    {key_p521, SIGNER_PADDING_PKCS1, SIGNER_DIGEST_DEFAULT, "SHA512"},
    {key_ed25519, SIGNER_PADDING_PKCS1, SIGNER_DIGEST_DEFAULT, NULL},
};

/* The AlgorithmIdentifier that libcrypto itself puts into a CRL. */
static void
assert_algorithm(
    const struct ca *ca, const struct kind *kind, const struct signer *signer)
{
	X509_CRL *crl = X509_CRL_new();
	EVP_MD_CTX *context = EVP_MD_CTX_new();
	EVP_PKEY_CTX *pkey_context;
	struct crl_view have = signer_algorithm(signer);
	const X509_ALGOR *algorithm;
	unsigned char *want = NULL;
	int len;

	assert_int_equal(EVP_DigestSignInit_ex(context, &pkey_context,
			     kind->want_digest, NULL, NULL, ca->pkey, NULL),
	    1);
	if (kind->padding == SIGNER_PADDING_PSS) {
		assert_int_equal(EVP_PKEY_CTX_set_rsa_padding(
				     pkey_context, RSA_PKCS1_PSS_PADDING),
		    1);
		assert_int_equal(EVP_PKEY_CTX_set_rsa_pss_saltlen(
				     pkey_context, RSA_PSS_SALTLEN_DIGEST),
		    1);
	}
	assert_true(X509_CRL_sign_ctx(crl, context) > 0);
	X509_CRL_get0_signature(crl, NULL, &algorithm);
	len = i2d_X509_ALGOR(algorithm, &want);
	assert_int_equal(have.len, len);
	assert_memory_equal(have.data, want, have.len);
	OPENSSL_free(want);
	EVP_MD_CTX_free(context);
	X509_CRL_free(crl);
}

static void
every_kind_signs(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++) {
		struct report *report = report_new(stderr, SEVERITY_NOTE);
		struct uint160 floor = uint160_from_u64(40);
		struct signer_signature signature;
		struct signer_buffer buffer;
		struct signer_config config;
		struct crl_header header;
		struct signer *signer = NULL;
		struct ca ca;
		X509_CRL *crl;

		ca_make(&ca, kinds[i].key());
		config = ca_config(&ca);
		config.padding = kinds[i].padding;
		config.digest = kinds[i].digest;
		assert_int_equal(
		    signer_start(&config, report, &signer), STATUS_OK);
		assert_algorithm(&ca, &kinds[i], signer);
		header =
		    ca_header(&ca, signer, "http://crl.example/007.crl", 41);
		buffer = tbs_make(&header, 1000);
		assert_int_equal(signer_sign(signer, &buffer, &floor, "shard 7",
				     report, &signature),
		    STATUS_OK);
		crl = crl_verify(&ca, signer, &buffer, &signature);
		assert_int_equal(
		    sk_X509_REVOKED_num(X509_CRL_get_REVOKED(crl)), 1000);
		assert_int_equal(report_kept(report), 0);
		X509_CRL_free(crl);
		signer_buffer_free(&buffer);
		signer_stop(signer);
		ca_free(&ca);
		report_free(report);
	}
}

/* RSASSA-PKCS1-v1_5: the same bytes for the same list, run after run. */
static void
pkcs1_is_reproducible(void **state)
{
	struct uint160 floor = uint160_from_u64(0);
	struct signer_signature signature[2];

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct signer *signer = ca_start(&rsa);
		struct crl_header header =
		    ca_header(&rsa, signer, "http://crl.example/005.crl", 1);
		struct signer_buffer buffer = tbs_make(&header, 3);

		assert_int_equal(signer_sign(signer, &buffer, &floor, "a", NULL,
				     &signature[i]),
		    STATUS_OK);
		signer_buffer_free(&buffer);
		signer_stop(signer);
	}
	assert_int_equal(signature[0].len, 256);
	assert_int_equal(signature[1].len, 256);
	assert_memory_equal(signature[0].octet, signature[1].octet, 256);
}

/* Without shards and without an IDP: one CRL of all certificates. */
static void
full_list_is_signed(void **state)
{
	struct report *report = report_new(NULL, SEVERITY_NOTE);
	struct signer_config config = ca_config(&p256);
	struct uint160 floor = uint160_from_u64(0);
	struct signer_signature signature;
	struct crl_header header;
	struct signer_buffer buffer;
	struct signer *signer = NULL;

	(void)state;
	config.url_pattern = NULL;
	config.shard_count = 0;
	assert_int_equal(signer_start(&config, report, &signer), STATUS_OK);
	header = ca_header(&p256, signer, NULL, 9);
	buffer = tbs_make(&header, 0);
	assert_int_equal(
	    signer_sign(signer, &buffer, &floor, "full", report, &signature),
	    STATUS_OK);
	X509_CRL_free(crl_verify(&p256, signer, &buffer, &signature));
	signer_buffer_free(&buffer);
	header = ca_header(&p256, signer, "http://crl.example/005.crl", 10);
	buffer = tbs_make(&header, 0);
	assert_int_equal(
	    signer_sign(signer, &buffer, &floor, "full", report, &signature),
	    STATUS_REFUSED);
	assert_string_equal(report_last(report)->rule, "idp");
	signer_buffer_free(&buffer);
	signer_stop(signer);
	report_free(report);
}

/* The forms a key comes in. */

static int
put_pkcs8_der(FILE *file)
{
	return i2d_PKCS8PrivateKey_fp(
	    file, rsa.pkey, NULL, NULL, 0, NULL, NULL);
}

static int
put_pkcs8_der_encrypted(FILE *file)
{
	return i2d_PKCS8PrivateKey_fp(
	    file, rsa.pkey, EVP_aes_256_cbc(), NULL, 0, NULL, PASSPHRASE);
}

static int
put_pkcs8_encrypted(FILE *file)
{
	return PEM_write_PKCS8PrivateKey(
	    file, rsa.pkey, EVP_aes_256_cbc(), NULL, 0, NULL, PASSPHRASE);
}

static int
put_traditional(BIO *bio, const EVP_CIPHER *cipher, const char *passphrase)
{
	return PEM_write_bio_PrivateKey_traditional(bio, rsa.pkey, cipher,
	    (const unsigned char *)passphrase,
	    passphrase != NULL ? (int)strlen(passphrase) : 0, NULL, NULL);
}

static int
put_traditional_plain(FILE *file)
{
	BIO *bio = BIO_new_fp(file, BIO_NOCLOSE);
	int ok = put_traditional(bio, NULL, NULL);

	BIO_free(bio);
	return ok;
}

static int
put_traditional_encrypted(FILE *file)
{
	BIO *bio = BIO_new_fp(file, BIO_NOCLOSE);
	int ok = put_traditional(bio, EVP_aes_128_cbc(), PASSPHRASE);

	BIO_free(bio);
	return ok;
}

static int
put_traditional_der(FILE *file)
{
	return i2d_PrivateKey_fp(file, rsa.pkey);
}

/* As `openssl req -text` and people leave it: other things in front. */
static int
put_after_text(FILE *file)
{
	return fputs("The issuer's key\n\n", file) >= 0 &&
	       PEM_write_X509(file, rsa.certificate) == 1 &&
	       PEM_write_PrivateKey(
		   file, rsa.pkey, NULL, NULL, 0, NULL, NULL) == 1;
}

struct form {
	const char *name;
	int (*put)(FILE *);
	const char *passphrase; /* content of the file; NULL: none */
};

static const struct form forms[] = {
    {"pkcs8 der", put_pkcs8_der, NULL},
    {"pkcs8 der encrypted", put_pkcs8_der_encrypted, PASSPHRASE "\n"},
    {"pkcs8 encrypted", put_pkcs8_encrypted, PASSPHRASE "\nmore\n"},
    {"pkcs8 encrypted, no newline", put_pkcs8_encrypted, PASSPHRASE},
    {"pkcs8 encrypted, CRLF", put_pkcs8_encrypted, PASSPHRASE "\r\n"},
    {"traditional", put_traditional_plain, NULL},
    {"traditional encrypted", put_traditional_encrypted, PASSPHRASE "\n"},
    {"traditional der", put_traditional_der, NULL},
    {"after text", put_after_text, NULL},
    {"passphrase not needed", put_traditional_plain, PASSPHRASE "\n"},
};

static void
form_start(const struct form *form, bool by_descriptor)
{
	char passphrase_path[PATH_BYTES];
	char path[PATH_BYTES];
	struct report *report = report_new(stderr, SEVERITY_NOTE);
	struct signer_config config = ca_config(&rsa);
	struct signer *signer = NULL;
	FILE *file;
	int fd = -1;

	(void)snprintf(path, sizeof(path), "%s/form.key", rsa.dir);
	(void)snprintf(
	    passphrase_path, sizeof(passphrase_path), "%s/pass", rsa.dir);
	file = file_create(path);
	assert_int_equal(form->put(file), 1);
	assert_int_equal(fclose(file), 0);
	config.key_path = path;
	if (form->passphrase != NULL) {
		file_write(passphrase_path, form->passphrase);
		config.passphrase_path = passphrase_path;
	}
	if (by_descriptor) {
		fd = open(passphrase_path, O_RDONLY);
		assert_true(fd != -1);
		config.passphrase_fd = fd;
		config.passphrase_path = NULL;
	}
	if (signer_start(&config, report, &signer) != STATUS_OK)
		fail_msg("%s", form->name);
	assert_int_equal(report_kept(report), 0);
	/* Closed here, as promised. */
	if (by_descriptor)
		assert_int_equal(fcntl(fd, F_GETFD), -1);
	signer_stop(signer);
	report_free(report);
}

static void
every_form_loads(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(forms) / sizeof(*forms); i++) {
		form_start(&forms[i], false);
		if (forms[i].passphrase != NULL)
			form_start(&forms[i], true);
	}
}

static void
certificate_der_loads(void **state)
{
	char path[PATH_BYTES];
	struct signer_config config = ca_config(&rsa);
	struct signer *signer = NULL;
	FILE *file;

	(void)state;
	(void)snprintf(path, sizeof(path), "%s/ca.der", rsa.dir);
	file = file_create(path);
	assert_int_equal(i2d_X509_fp(file, rsa.certificate), 1);
	assert_int_equal(fclose(file), 0);
	config.certificate_path = path;
	assert_int_equal(signer_start(&config, NULL, &signer), STATUS_OK);
	signer_stop(signer);
}

/* What cannot be loaded. The files are made in faults_make. */

struct fault {
	const char *key; /* in the directory of `rsa`; NULL: its own */
	const char *certificate;
	const char *passphrase;
	enum signer_padding padding;
	enum signer_digest digest;
	const char *object; /* of the finding: end of its path */
	const char *clause;
	const char *text;
};

#define PLAIN SIGNER_PADDING_PKCS1, SIGNER_DIGEST_DEFAULT

static const struct fault faults[] = {
    {"none", NULL, NULL, PLAIN, "/none", "house rule",
	"cannot be opened: No such file or directory"},
    {"dir", NULL, NULL, PLAIN, "/dir", "house rule",
	"cannot be read: Is a directory"},
    {"big", NULL, NULL, PLAIN, "/big", "house rule",
	"too long, want at most 65536 bytes"},
    {"empty", NULL, NULL, PLAIN, "/empty", "house rule",
	"not a private key in PEM or DER"},
    {"garbage", NULL, NULL, PLAIN, "/garbage", "house rule",
	"not a private key in PEM or DER"},
    {"broken", NULL, NULL, PLAIN, "/broken", "house rule",
	"not a private key in PEM or DER"},
    {"ca.crt", NULL, NULL, PLAIN, "/ca.crt", "house rule",
	"not a private key in PEM or DER"},
    {"locked", NULL, NULL, PLAIN, "/locked", "house rule",
	"encrypted, have no passphrase"},
    {"locked.der", NULL, NULL, PLAIN, "/locked.der", "house rule",
	"encrypted, have no passphrase"},
    {"locked", NULL, "wrong", PLAIN, "/locked", "house rule",
	"wrong passphrase"},
    {"locked.der", NULL, "wrong", PLAIN, "/locked.der", "house rule",
	"wrong passphrase"},
    {"locked", NULL, "none", PLAIN, "/none", "house rule",
	"cannot be opened: No such file or directory"},
    {"locked", NULL, "dir", PLAIN, "/dir", "house rule",
	"cannot be read: Is a directory"},
    {"locked", NULL, "empty", PLAIN, "/empty", "house rule",
	"first line is empty"},
    {"locked", NULL, "blank", PLAIN, "/blank", "house rule",
	"first line is empty"},
    {"locked", NULL, "big", PLAIN, "/big", "house rule",
	"first line is too long"},
    {"other", NULL, NULL, PLAIN, "/other", "house rule",
	"not the key of the issuer certificate"},
    {NULL, "none", NULL, PLAIN, "/none", "house rule",
	"cannot be opened: No such file or directory"},
    {NULL, "garbage", NULL, PLAIN, "/garbage", "house rule",
	"not a certificate in PEM or DER"},
    {NULL, "ca.key", NULL, PLAIN, "/ca.key", "house rule",
	"not a certificate in PEM or DER"},
    {NULL, "nosign.crt", NULL, PLAIN, "/nosign.crt", "RFC 5280, 4.2.1.3",
	"keyUsage without cRLSign"},
    {"k1", "k1.crt", NULL, PLAIN, "/k1", "BR 6.1.5", "unknown kind"},
    {"ed", "ed.crt", NULL, SIGNER_PADDING_PKCS1, SIGNER_DIGEST_SHA256, "/ed",
	"BR 7.1.3.2", "digest of its own"},
    {"ed", "ed.crt", NULL, SIGNER_PADDING_PSS, SIGNER_DIGEST_DEFAULT, "/ed",
	"BR 7.1.3.2", "want padding pkcs1"},
    {"pss", "pss.crt", NULL, PLAIN, "/pss", "BR 7.1.3.2", "want padding pss"},
};

static char *
fault_path(char *out, const char *name)
{
	(void)snprintf(out, PATH_BYTES, "%s/%s", rsa.dir, name);
	return out;
}

static void
fault_pair(const char *name, EVP_PKEY *pkey)
{
	char certificate_name[32];
	char path[PATH_BYTES];
	X509 *x = certificate_make(pkey, "CA:TRUE", USAGE_CA, "hash");

	(void)snprintf(
	    certificate_name, sizeof(certificate_name), "%s.crt", name);
	certificate_write(fault_path(path, certificate_name), x);
	key_write(fault_path(path, name), pkey);
	X509_free(x);
	EVP_PKEY_free(pkey);
}

static void
faults_make(void)
{
	char path[PATH_BYTES];
	FILE *file;
	X509 *x;

	assert_int_equal(mkdir(fault_path(path, "dir"), 0700), 0);
	file_write(fault_path(path, "empty"), "");
	file_write(fault_path(path, "blank"), "\n" PASSPHRASE "\n");
	file_write(fault_path(path, "garbage"), "not what it should be\n");
	file_write(fault_path(path, "wrong"), "sesame-sesame\n");
	file_write(fault_path(path, "broken"),
	    "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n");
	file = file_create(fault_path(path, "big"));
	for (size_t i = 0; i < 65537; i++)
		assert_int_equal(fputc('x', file), 'x');
	assert_int_equal(fclose(file), 0);
	file = file_create(fault_path(path, "locked"));
	assert_int_equal(put_pkcs8_encrypted(file), 1);
	assert_int_equal(fclose(file), 0);
	file = file_create(fault_path(path, "locked.der"));
	assert_int_equal(put_pkcs8_der_encrypted(file), 1);
	assert_int_equal(fclose(file), 0);
	x = certificate_make(
	    rsa.pkey, "CA:TRUE", "critical,keyCertSign", "hash");
	certificate_write(fault_path(path, "nosign.crt"), x);
	X509_free(x);
	fault_pair("k1", key_ec("secp256k1"));
	fault_pair("ed", key_ed25519());
	fault_pair("pss", key_rsa_pss());
	fault_pair("other", key_p256());
}

static void
fault_start(const struct fault *fault)
{
	char certificate[PATH_BYTES];
	char passphrase[PATH_BYTES];
	char key[PATH_BYTES];
	struct report *report = report_new(NULL, SEVERITY_NOTE);
	struct signer_config config = ca_config(&rsa);
	struct signer *signer = (struct signer *)&config;
	const struct finding *finding;
	size_t object_len = strlen(fault->object);

	if (fault->key != NULL)
		config.key_path = fault_path(key, fault->key);
	if (fault->certificate != NULL)
		config.certificate_path =
		    fault_path(certificate, fault->certificate);
	if (fault->passphrase != NULL)
		config.passphrase_path =
		    fault_path(passphrase, fault->passphrase);
	config.padding = fault->padding;
	config.digest = fault->digest;
	assert_int_equal(signer_start(&config, report, &signer), STATUS_CONFIG);
	assert_null(signer);
	assert_int_equal(report_count(report, SEVERITY_FAULT), 1);
	finding = report_last(report);
	assert_true(strlen(finding->object) > object_len);
	assert_string_equal(
	    finding->object + strlen(finding->object) - object_len,
	    fault->object);
	assert_string_equal(finding->rule, "key");
	assert_string_equal(finding->clause, fault->clause);
	assert_contains(finding->text, fault->text);
	/* Neither the right nor the wrong passphrase, nor the key. */
	assert_null(strstr(finding->text, "horse"));
	assert_null(strstr(finding->text, "sesame"));
	assert_null(strstr(finding->text, "xxx"));
	report_free(report);
}

static void
every_fault_is_named(void **state)
{
	(void)state;
	faults_make();
	for (size_t i = 0; i < sizeof(faults) / sizeof(*faults); i++)
		fault_start(&faults[i]);
}

/* A file that its owner may not read; root may read all. */
static void
unreadable_key_is_named(void **state)
{
	struct report *report = report_new(NULL, SEVERITY_NOTE);
	struct signer_config config = ca_config(&p256);
	struct signer *signer = NULL;

	(void)state;
	if (geteuid() == 0) {
		print_message("SKIP: root may read every file\n");
		report_free(report);
		skip();
	}
	assert_int_equal(chmod(p256.key_path, 0), 0);
	assert_int_equal(signer_start(&config, report, &signer), STATUS_CONFIG);
	assert_int_equal(chmod(p256.key_path, 0600), 0);
	assert_contains(
	    report_last(report)->text, "cannot be opened: Permission denied");
	report_free(report);
}

/* Ranges and patterns that the configuration should have refused. */
static void
senseless_shards_are_refused(void **state)
{
	struct report *report = report_new(NULL, SEVERITY_NOTE);
	struct signer_config config = ca_config(&p256);
	struct signer *signer = NULL;

	(void)state;
	config.shard_count = 0;
	assert_int_equal(signer_start(&config, report, &signer), STATUS_CONFIG);
	config.shard_count = 2;
	config.shard_first = UINT32_MAX;
	assert_int_equal(signer_start(&config, report, &signer), STATUS_CONFIG);
	config.shard_first = 0;
	config.url_pattern = "http://crl.example/all.crl";
	assert_int_equal(signer_start(&config, report, &signer), STATUS_CONFIG);
	assert_int_equal(report_count(report, SEVERITY_FAULT), 3);
	assert_contains(report_last(report)->text, "cannot tell its shards");
	report_free(report);
}

static void
exposed_files_are_warned_of(void **state)
{
	char passphrase_path[PATH_BYTES];
	char path[PATH_BYTES];
	struct report *report = report_new(NULL, SEVERITY_NOTE);
	struct signer_config config = ca_config(&rsa);
	struct signer *signer = NULL;
	FILE *file;

	(void)state;
	(void)snprintf(path, sizeof(path), "%s/exposed.key", rsa.dir);
	(void)snprintf(passphrase_path, sizeof(passphrase_path),
	    "%s/exposed.pass", rsa.dir);
	file = file_create(path);
	assert_int_equal(put_pkcs8_encrypted(file), 1);
	assert_int_equal(fclose(file), 0);
	file_write(passphrase_path, PASSPHRASE "\n");
	config.key_path = path;
	config.passphrase_path = passphrase_path;
	/* A group that may read is a common set-up. */
	assert_int_equal(chmod(path, 0640), 0);
	assert_int_equal(signer_start(&config, report, &signer), STATUS_OK);
	signer_stop(signer);
	assert_int_equal(report_kept(report), 0);
	assert_int_equal(chmod(path, 0644), 0);
	assert_int_equal(chmod(passphrase_path, 0644), 0);
	assert_int_equal(signer_start(&config, report, &signer), STATUS_OK);
	signer_stop(signer);
	assert_int_equal(report_count(report, SEVERITY_WARNING), 2);
	assert_string_equal(report_finding(report, 0)->object, passphrase_path);
	assert_string_equal(report_finding(report, 1)->object, path);
	assert_string_equal(report_finding(report, 1)->rule, "key");
	report_free(report);
}

/* RFC 5280, 5: a CRL issuer need not be a CA; without keyUsage it may sign. */
static void
no_ca_is_noted(void **state)
{
	char path[PATH_BYTES];
	struct report *report = report_new(NULL, SEVERITY_NOTE);
	struct signer_config config = ca_config(&rsa);
	struct signer *signer = NULL;
	X509 *x = certificate_make(rsa.pkey, NULL, NULL, NULL);

	(void)state;
	(void)snprintf(path, sizeof(path), "%s/plain.crt", rsa.dir);
	certificate_write(path, x);
	X509_free(x);
	config.certificate_path = path;
	assert_int_equal(signer_start(&config, report, &signer), STATUS_OK);
	signer_stop(signer);
	assert_int_equal(report_count(report, SEVERITY_NOTE), 1);
	assert_int_equal(report_kept(report), 1);
	assert_contains(report_last(report)->text, "not a CA");
	report_free(report);
}

static int
group_setup(void **state)
{
	(void)state;
	ca_make(&rsa, key_rsa());
	ca_make(&p256, key_p256());
	return 0;
}

static int
group_teardown(void **state)
{
	(void)state;
	ca_free(&rsa);
	ca_free(&p256);
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(every_kind_signs),
	    cmocka_unit_test(pkcs1_is_reproducible),
	    cmocka_unit_test(full_list_is_signed),
	    cmocka_unit_test(every_form_loads),
	    cmocka_unit_test(certificate_der_loads),
	    cmocka_unit_test(every_fault_is_named),
	    cmocka_unit_test(unreadable_key_is_named),
	    cmocka_unit_test(senseless_shards_are_refused),
	    cmocka_unit_test(exposed_files_are_warned_of),
	    cmocka_unit_test(no_ca_is_noted),
	};

	return cmocka_run_group_tests(tests, group_setup, group_teardown);
}
