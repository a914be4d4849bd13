/* SPDX-License-Identifier: ISC */
/*
 * The issuer's key in libcrypto: a PEM or DER file, encrypted or not, or a
 * token's, held against the issuer certificate (RFC 5280, 5 and 4.2.1.3).
 * Whatever held a secret is wiped before it is given back.
 */
#include "crlpress/signer_key.h"

#include <stdbool.h>
#include <string.h>

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/objects.h>
#include <openssl/params.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include "crlpress/issuer.h"
#include "signer_secret.h"
#include "signer_token.h"

/* RSASSA-PSS with every parameter spelt out takes 70 octets. */
#define ALGORITHM_BYTES_MOST 256

#define GROUP_NAME_BYTES 80

struct signer_key {
	EVP_PKEY *pkey; /* of the token, when there is one */
	struct signer_token *token;
	X509 *certificate;
	const char *digest; /* NULL: the algorithm has its own */
	bool pss;
	struct signer_key_facts facts;
	uint8_t algorithm[ALGORITHM_BYTES_MOST];
};

/*
 * The keys that CRLs are signed with (BR 7.1.3.2, RFC 8410) and what they are
 * signed over when the configuration does not say.
 */
struct key_kind {
	int id;
	int group; /* NID_undef: has none */
	const char *digest;
};

static const struct key_kind key_kinds[] = {
    {EVP_PKEY_RSA, NID_undef, "SHA256"},
    {EVP_PKEY_RSA_PSS, NID_undef, "SHA256"},
    {EVP_PKEY_EC, NID_X9_62_prime256v1, "SHA256"},
    {EVP_PKEY_EC, NID_secp384r1, "SHA384"},
    {EVP_PKEY_EC, NID_secp521r1, "SHA512"},
    {EVP_PKEY_ED25519, NID_undef, NULL},
};

static const char *const digest_names[] = {
    [SIGNER_DIGEST_DEFAULT] = NULL,
    [SIGNER_DIGEST_SHA256] = "SHA256",
    [SIGNER_DIGEST_SHA384] = "SHA384",
    [SIGNER_DIGEST_SHA512] = "SHA512",
};

/* What libcrypto last complained of; its reasons are static text. */
static const char *
crypto_reason(void)
{
	const char *reason = ERR_reason_error_string(ERR_peek_last_error());

	return reason != NULL ? reason : "no reason given";
}

/* Without it libcrypto would ask at the terminal. */
static int
passphrase_give(char *out, int size, int writing, void *context)
{
	struct signer_passphrase *pass = context;

	(void)writing;
	pass->asked = true;
	if (!pass->given || size < 0 || pass->len > (size_t)size)
		return -1;
	memcpy(out, pass->text, pass->len);
	return (int)pass->len;
}

static bool
file_is_pem(const struct signer_file *file)
{
	static const char begin[] = "-----BEGIN ";

	return memmem(file->data, file->len, begin, sizeof(begin) - 1) != NULL;
}

static EVP_PKEY *
pkey_decode(const struct signer_file *file, struct signer_passphrase *pass)
{
	BIO *bio = BIO_new_mem_buf(file->data, (int)file->len);
	EVP_PKEY *pkey = NULL;

	if (bio == NULL)
		return NULL;
	if (file_is_pem(file)) {
		pkey =
		    PEM_read_bio_PrivateKey(bio, NULL, passphrase_give, pass);
	} else {
		pkey =
		    d2i_PKCS8PrivateKey_bio(bio, NULL, passphrase_give, pass);
		if (pkey == NULL && !pass->asked && BIO_reset(bio) == 1)
			pkey = d2i_PrivateKey_bio(bio, NULL);
	}
	BIO_free(bio);
	return pkey;
}

static enum status
file_load(struct signer_key *key, const struct signer_config *config,
    struct signer_passphrase *pass, struct signer_notices *notices)
{
	struct signer_file file = {0};
	enum status status;

	status = signer_file_load(&file, config->key_path,
	    SIGNER_KEY_BYTES_MOST, SIGNER_NOTICE_KEY_UNREADABLE,
	    SIGNER_NOTICE_KEY_EXPOSED, notices);
	if (status != STATUS_OK)
		return status;
	ERR_clear_error();
	key->pkey = pkey_decode(&file, pass);
	signer_file_free(&file);
	if (key->pkey != NULL)
		return STATUS_OK;
	if (pass->asked && !pass->given)
		signer_notice_add(notices, SIGNER_NOTICE_KEY_ENCRYPTED,
		    "is encrypted, have no passphrase");
	else if (pass->asked)
		signer_notice_add(notices, SIGNER_NOTICE_KEY_PASSPHRASE,
		    "cannot be decrypted, most likely a wrong passphrase: %s",
		    crypto_reason());
	else
		signer_notice_add(notices, SIGNER_NOTICE_KEY_MALFORMED,
		    "is not a private key in PEM or DER: %s", crypto_reason());
	return STATUS_CONFIG;
}

static enum status
pkey_load(struct signer_key *key, const struct signer_config *config,
    struct signer_passphrase *pass, struct signer_notices *notices)
{
	struct key_uri uri;
	const char *why = NULL;
	enum status status;

	if (key_uri_parse(config->key_path, &uri, &why) != STATUS_OK) {
		signer_notice_add(
		    notices, SIGNER_NOTICE_KEY_UNREADABLE, "%s", why);
		return STATUS_CONFIG;
	}
	if (uri.home == KEY_IN_FILE)
		return file_load(key, config, pass, notices);
	status = signer_token_open(config, &uri, pass, notices, &key->token);
	if (status == STATUS_OK)
		key->pkey = signer_token_key(key->token);
	key->facts.is_elsewhere = true;
	return status;
}

static enum status
certificate_load(struct signer_key *key, const struct signer_config *config,
    struct signer_notices *notices)
{
	struct signer_file file = {0};
	BIO *bio = NULL;
	enum status status;

	status = signer_file_load(&file, config->certificate_path,
	    ISSUER_FILE_BYTES_MOST, SIGNER_NOTICE_CERTIFICATE_UNREADABLE,
	    SIGNER_NOTICE_COUNT, notices);
	if (status != STATUS_OK)
		return status;
	ERR_clear_error();
	bio = BIO_new_mem_buf(file.data, (int)file.len);
	if (bio != NULL && file_is_pem(&file))
		key->certificate = PEM_read_bio_X509(bio, NULL, NULL, NULL);
	else if (bio != NULL)
		key->certificate = d2i_X509_bio(bio, NULL);
	if (key->certificate == NULL) {
		signer_notice_add(notices, SIGNER_NOTICE_CERTIFICATE_MALFORMED,
		    "is not a certificate in PEM or DER: %s", crypto_reason());
		status = STATUS_CONFIG;
	}
	BIO_free(bio);
	signer_file_free(&file);
	return status;
}

/* RFC 5280, 4.2.1.3: with a keyUsage, cRLSign must be in it. */
static enum status
certificate_check(struct signer_key *key, const struct signer_config *config,
    struct signer_notices *notices)
{
	uint32_t flags = X509_get_extension_flags(key->certificate);

	if ((flags & EXFLAG_INVALID) != 0) {
		signer_notice_add(notices, SIGNER_NOTICE_CERTIFICATE_MALFORMED,
		    "has extensions that cannot be read");
		return STATUS_CONFIG;
	}
	if ((flags & EXFLAG_KUSAGE) != 0 &&
	    (X509_get_key_usage(key->certificate) & KU_CRL_SIGN) == 0) {
		signer_notice_add(notices, SIGNER_NOTICE_CERTIFICATE_USAGE,
		    "may not sign CRLs: keyUsage without cRLSign");
		return STATUS_CONFIG;
	}
	if ((flags & EXFLAG_CA) == 0)
		signer_notice_add(notices, SIGNER_NOTICE_CERTIFICATE_NO_CA,
		    "is not a CA certificate, but it may sign CRLs");
	if (key->pkey != NULL &&
	    X509_check_private_key(key->certificate, key->pkey) != 1) {
		signer_notice_add(notices, SIGNER_NOTICE_KEY_MISMATCH,
		    "is not the key of the issuer certificate %s",
		    config->certificate_path);
		return STATUS_CONFIG;
	}
	return STATUS_OK;
}

static const struct key_kind *
pkey_kind(EVP_PKEY *pkey)
{
	char group[GROUP_NAME_BYTES] = "";
	int id = EVP_PKEY_get_base_id(pkey);
	int nid = NID_undef;

	if (id == EVP_PKEY_EC &&
	    EVP_PKEY_get_group_name(pkey, group, sizeof(group), NULL) == 1)
		nid = OBJ_txt2nid(group);
	for (size_t i = 0; i < sizeof(key_kinds) / sizeof(*key_kinds); i++)
		if (key_kinds[i].id == id && key_kinds[i].group == nid)
			return &key_kinds[i];
	return NULL;
}

/* Settles padding and digest; the rest of `config` is not looked at. */
static enum status
key_choose(struct signer_key *key, const struct signer_config *config,
    struct signer_notices *notices)
{
	/* The same key, and libcrypto's own, which tells all of itself. */
	EVP_PKEY *pkey = X509_get0_pubkey(key->certificate);
	const struct key_kind *kind = pkey_kind(pkey);
	bool pss = config->padding == SIGNER_PADDING_PSS;
	int size = EVP_PKEY_get_size(pkey);

	if (kind == NULL || size <= 0 || size > SIGNER_SIGNATURE_BYTES_MOST) {
		const char *name = EVP_PKEY_get0_type_name(pkey);

		signer_notice_add(notices, SIGNER_NOTICE_KEY_KIND,
		    "is of an unknown kind, have %s of %d bits, want RSA, "
		    "P-256, P-384, P-521 or Ed25519",
		    name != NULL ? name : "one without a name",
		    EVP_PKEY_get_bits(pkey));
		return STATUS_CONFIG;
	}
	if (pss ? kind->id != EVP_PKEY_RSA && kind->id != EVP_PKEY_RSA_PSS
		: kind->id == EVP_PKEY_RSA_PSS) {
		signer_notice_add(notices, SIGNER_NOTICE_KEY_PADDING,
		    "is of another kind, have %s, want padding %s",
		    EVP_PKEY_get0_type_name(pkey), pss ? "pkcs1" : "pss");
		return STATUS_CONFIG;
	}
	if (kind->digest == NULL && config->digest != SIGNER_DIGEST_DEFAULT) {
		signer_notice_add(notices, SIGNER_NOTICE_KEY_DIGEST,
		    "is an Ed25519 key, which has a digest of its own, have "
		    "digest %s",
		    digest_names[config->digest]);
		return STATUS_CONFIG;
	}
	key->pss = pss;
	key->digest = digest_names[config->digest];
	if (key->digest == NULL)
		key->digest = kind->digest;
	return STATUS_OK;
}

/* Both have the same parameters: EVP_DigestSignInit_ex, or to verify. */
typedef int context_init(EVP_MD_CTX *context, EVP_PKEY_CTX **pkey_context,
    const char *digest, OSSL_LIB_CTX *library, const char *properties,
    EVP_PKEY *pkey, const OSSL_PARAM *params);

/* A context ready for use; NULL when libcrypto would not. */
static EVP_MD_CTX *
context_new(const struct signer_key *key, context_init *init, EVP_PKEY *pkey,
    EVP_PKEY_CTX **pkey_context)
{
	EVP_MD_CTX *context = EVP_MD_CTX_new();

	if (context == NULL)
		return NULL;
	if (init(context, pkey_context, key->digest, NULL, NULL, pkey, NULL) !=
	    1)
		goto out;
	/* BR 7.1.3.2.1: MGF-1 with the same digest, salt as long as it. */
	if (key->pss && (EVP_PKEY_CTX_set_rsa_padding(
			     *pkey_context, RSA_PKCS1_PSS_PADDING) != 1 ||
			    EVP_PKEY_CTX_set_rsa_pss_saltlen(
				*pkey_context, RSA_PSS_SALTLEN_DIGEST) != 1))
		goto out;
	return context;
out:
	EVP_MD_CTX_free(context);
	return NULL;
}

/*
 * RFC 5280, 5.1.1.2, as libcrypto encodes it for the context; not for one with
 * a token's key, of which libcrypto may know too little.
 */
static enum status
key_describe(struct signer_key *key, struct signer_notices *notices)
{
	EVP_PKEY_CTX *pkey_context = NULL;
	EVP_MD_CTX *context;
	OSSL_PARAM params[] = {
	    OSSL_PARAM_octet_string(OSSL_SIGNATURE_PARAM_ALGORITHM_ID,
		key->algorithm, sizeof(key->algorithm)),
	    OSSL_PARAM_END,
	};
	const ASN1_OCTET_STRING *key_id;
	enum status status = STATUS_CONFIG;

	ERR_clear_error();
	context = context_new(key, EVP_DigestVerifyInit_ex,
	    X509_get0_pubkey(key->certificate), &pkey_context);
	if (context == NULL ||
	    EVP_PKEY_CTX_get_params(pkey_context, params) != 1 ||
	    !OSSL_PARAM_modified(params) || params[0].return_size == 0) {
		signer_notice_add(notices, SIGNER_NOTICE_KEY_DIGEST,
		    "cannot sign with this digest and padding: %s",
		    crypto_reason());
		goto out;
	}
	key->facts.algorithm.data = key->algorithm;
	key->facts.algorithm.len = params[0].return_size;
	if (X509_NAME_get0_der(X509_get_subject_name(key->certificate),
		&key->facts.subject.data, &key->facts.subject.len) != 1) {
		signer_notice_add(notices, SIGNER_NOTICE_CERTIFICATE_MALFORMED,
		    "has a subject that cannot be read");
		goto out;
	}
	key_id = X509_get0_subject_key_id(key->certificate);
	if (key_id != NULL) {
		key->facts.key_id.data = ASN1_STRING_get0_data(key_id);
		key->facts.key_id.len = (size_t)ASN1_STRING_length(key_id);
	}
	status = STATUS_OK;
out:
	EVP_MD_CTX_free(context);
	return status;
}

enum status
signer_key_open(const struct signer_config *config,
    struct signer_notices *notices, struct signer_key **key)
{
	struct signer_passphrase pass = {0};
	struct signer_key *new = NULL;
	enum status status;

	*key = NULL;
	new = OPENSSL_zalloc(sizeof(*new));
	if (new == NULL) {
		signer_notice_add(
		    notices, SIGNER_NOTICE_PROCESS, "out of memory");
		return STATUS_NO_MEMORY;
	}
	status = signer_passphrase_load(config, &pass, notices);
	if (status == STATUS_OK)
		status = pkey_load(new, config, &pass, notices);
	signer_passphrase_wipe(&pass);
	if (status == STATUS_OK)
		status = certificate_load(new, config, notices);
	if (status == STATUS_OK)
		status = certificate_check(new, config, notices);
	if (status == STATUS_OK)
		status = key_choose(new, config, notices);
	if (status == STATUS_OK)
		status = key_describe(new, notices);
	if (status != STATUS_OK) {
		signer_key_close(new);
		return status;
	}
	*key = new;
	return STATUS_OK;
}

enum status
signer_key_open_public(const struct signer_config *config,
    struct signer_notices *notices, struct signer_key **key)
{
	struct signer_key *new = OPENSSL_zalloc(sizeof(*new));
	enum status status;

	*key = NULL;
	if (new == NULL) {
		signer_notice_add(
		    notices, SIGNER_NOTICE_PROCESS, "out of memory");
		return STATUS_NO_MEMORY;
	}
	status = certificate_load(new, config, notices);
	if (status == STATUS_OK)
		status = certificate_check(new, config, notices);
	if (status == STATUS_OK)
		status = key_choose(new, config, notices);
	if (status == STATUS_OK)
		status = key_describe(new, notices);
	if (status == STATUS_OK)
		*key = new;
	else
		signer_key_close(new);
	return status;
}

const struct signer_key_facts *
signer_key_facts(const struct signer_key *key)
{
	return &key->facts;
}

enum status
signer_key_sign(const struct signer_key *key, const uint8_t *data, size_t len,
    struct signer_signature *signature, const char **why)
{
	EVP_PKEY_CTX *pkey_context = NULL;
	EVP_MD_CTX *context;
	int ok;

	ERR_clear_error();
	context =
	    context_new(key, EVP_DigestSignInit_ex, key->pkey, &pkey_context);
	if (context == NULL) {
		*why = crypto_reason();
		return STATUS_FAILED;
	}
	/* Ed25519 cannot be fed piece by piece. */
	signature->len = sizeof(signature->octet);
	ok = EVP_DigestSign(
	    context, signature->octet, &signature->len, data, len);
	EVP_MD_CTX_free(context);
	if (ok != 1 || signature->len == 0) {
		*why = crypto_reason();
		return STATUS_FAILED;
	}
	return STATUS_OK;
}

void
signer_key_close(struct signer_key *key)
{
	if (key == NULL)
		return;
	if (key->token == NULL)
		EVP_PKEY_free(key->pkey);
	signer_token_close(key->token);
	X509_free(key->certificate);
	OPENSSL_free(key);
}
