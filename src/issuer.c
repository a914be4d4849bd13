/* SPDX-License-Identifier: ISC */
/*
 * The issuer's certificate and the judge's check of signatures, by libcrypto.
 *
 * A signature is checked by the AlgorithmIdentifier that stands in the CRL,
 * read by libcrypto and by nothing the encoder or the signer had a part in.
 * Which algorithms a CRL may use is lint's business: whatever libcrypto can
 * verify is verified here, so that a weak digest is reported as one and not
 * as a wrong signature. The signed bytes are read where they lie.
 */
#include "crlpress/issuer.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <openssl/asn1t.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include "crlpress/fd_io.h"
#include "crlpress/hash.h"
#include "crlpress/utc.h"

/* RFC 4055, 3.1: what RSASSA-PSS-params means where it is silent. */
#define PSS_SALT_LEN_DEFAULT 20
#define PSS_TRAILER_DEFAULT 1

/* The rule and clause of a certificate file that cannot be used. */
static const char rule[] = "issuer";
static const char clause[] = "RFC 5280, 4.1";

struct issuer {
	X509 *certificate;
	EVP_PKEY *key;
	struct issuer_facts facts;
};

/* The bytes of a file, or of the certificate in it. */
struct file {
	uint8_t *data;
	size_t len;
};

/* How a signature is to be checked. */
struct scheme {
	int key_id;       /* the kind of key it needs */
	const EVP_MD *md; /* NULL: the algorithm hashes by itself */
	bool pss;
	const EVP_MD *mgf1_md;
	int salt_len;
};

static enum status
file_read_fd(int fd, const char *path, struct report *report, struct file *file)
{
	struct stat st;
	ssize_t n;

	if (fstat(fd, &st) != 0)
		return report_fault(report, STATUS_CONFIG, path, rule, NULL,
		    "cannot be read: %s", strerror(errno));
	if (!S_ISREG(st.st_mode))
		return report_fault(report, STATUS_CONFIG, path, rule, NULL,
		    "not a regular file, want a certificate in PEM or DER");
	if (st.st_size == 0)
		return report_fault(report, STATUS_CONFIG, path, rule, NULL,
		    "the file is empty, want a certificate in PEM or DER");
	if (st.st_size > ISSUER_FILE_BYTES_MOST)
		return report_fault(report, STATUS_CONFIG, path, rule, NULL,
		    "too large for a certificate, have %lld bytes, want at "
		    "most %d",
		    (long long)st.st_size, ISSUER_FILE_BYTES_MOST);
	file->data = malloc((size_t)st.st_size);
	if (file->data == NULL)
		return report_fault(report, STATUS_NO_MEMORY, path, rule, NULL,
		    "out of memory");
	n = fd_read(fd, file->data, (size_t)st.st_size);
	if (n < st.st_size)
		return report_fault(report, STATUS_CONFIG, path, rule, NULL,
		    "cannot be read: %s",
		    n < 0 ? strerror(errno) : "it became shorter");
	file->len = (size_t)n;
	return STATUS_OK;
}

/* O_NONBLOCK: the open of a FIFO must not wait for a writer. */
static enum status
file_read(const char *path, struct report *report, struct file *file)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	enum status status;

	if (fd < 0)
		return report_fault(report, STATUS_CONFIG, path, rule, NULL,
		    "cannot be opened: %s", strerror(errno));
	status = file_read_fd(fd, path, report, file);
	close(fd);
	return status;
}

/* One PEM block more: the first certificate is kept in `*file`. */
static enum status
pem_block(const char *path, struct report *report, const char *name,
    const char *header, uint8_t *data, long len, struct file *file)
{
	if (strcmp(name, PEM_STRING_X509) != 0 &&
	    strcmp(name, PEM_STRING_X509_OLD) != 0)
		return report_fault(report, STATUS_CONFIG, path, rule, clause,
		    "have a PEM block \"%s\", want one CERTIFICATE and "
		    "nothing else",
		    name);
	if (header[0] != '\0')
		return report_fault(report, STATUS_CONFIG, path, rule, clause,
		    "the PEM block is encrypted or has headers, want none");
	if (file->data != NULL)
		return report_fault(report, STATUS_CONFIG, path, rule, clause,
		    "have more than one certificate, want exactly one");
	file->data = malloc((size_t)len + 1);
	if (file->data == NULL)
		return report_fault(report, STATUS_NO_MEMORY, path, rule, NULL,
		    "out of memory");
	memcpy(file->data, data, (size_t)len);
	file->len = (size_t)len;
	return STATUS_OK;
}

/* The end of the blocks, or what libcrypto makes of the text is no PEM. */
static enum status
pem_end(const char *path, struct report *report, const struct file *file)
{
	unsigned long error = ERR_peek_last_error();

	if (ERR_GET_LIB(error) != ERR_LIB_PEM ||
	    ERR_GET_REASON(error) != PEM_R_NO_START_LINE)
		return report_fault(report, STATUS_CONFIG, path, rule, clause,
		    "a PEM block is cut short or damaged");
	if (file->data == NULL)
		return report_fault(report, STATUS_CONFIG, path, rule, clause,
		    "have neither DER nor a PEM block, want one certificate");
	return STATUS_OK;
}

/* The DER of the one certificate in PEM text. The caller frees it. */
static enum status
pem_decode(const char *path, struct report *report, const struct file *text,
    struct file *file)
{
	BIO *bio = BIO_new_mem_buf(text->data, (int)text->len);
	enum status status = STATUS_OK;

	if (bio == NULL)
		return report_fault(report, STATUS_NO_MEMORY, path, rule, NULL,
		    "out of memory");
	for (;;) {
		char *name = NULL;
		char *header = NULL;
		uint8_t *data = NULL;
		long len = 0;

		ERR_clear_error();
		if (PEM_read_bio(bio, &name, &header, &data, &len) != 1) {
			status = pem_end(path, report, file);
			break;
		}
		status = pem_block(path, report, name, header, data, len, file);
		OPENSSL_free(name);
		OPENSSL_free(header);
		OPENSSL_clear_free(data, (size_t)len);
		if (status != STATUS_OK)
			break;
	}
	ERR_clear_error();
	BIO_free(bio);
	return status;
}

/*
 * A certificate is longer than 127 octets, so its DER starts with SEQUENCE
 * and a length in the long form, which text cannot.
 */
static bool
is_der(const struct file *file)
{
	return file->len >= 2 && file->data[0] == 0x30 &&
	       (file->data[1] & 0x80) != 0;
}

/* RFC 5280, 4.1: one certificate, and in DER: encoding it again shows. */
static enum status
certificate_parse(const char *path, struct report *report,
    const struct file *der, X509 **certificate)
{
	const uint8_t *p = der->data;
	uint8_t *again = NULL;
	enum status status = STATUS_OK;
	int len;

	*certificate = d2i_X509(NULL, &p, (long)der->len);
	if (*certificate == NULL)
		return report_fault(report, STATUS_CONFIG, path, rule, clause,
		    "not a certificate");
	if (p != der->data + der->len)
		return report_fault(report, STATUS_CONFIG, path, rule, clause,
		    "have %zu bytes after the certificate, want exactly one "
		    "certificate",
		    (size_t)(der->data + der->len - p));
	len = i2d_X509(*certificate, &again);
	if (len < 0 || (size_t)len != der->len ||
	    memcmp(again, der->data, der->len) != 0)
		status = report_fault(report, STATUS_CONFIG, path, rule, clause,
		    "the certificate is BER, want DER");
	OPENSSL_free(again);
	return status;
}

/* RFC 5280, 4.1.2.5. */
static enum status
time_convert(const ASN1_TIME *time, int64_t *sec)
{
	struct utc_civil civil;
	struct tm tm;

	if (time == NULL || ASN1_TIME_to_tm(time, &tm) != 1)
		return STATUS_MALFORMED;
	civil.year = tm.tm_year + 1900;
	civil.month = tm.tm_mon + 1;
	civil.day = tm.tm_mday;
	civil.hour = tm.tm_hour;
	civil.minute = tm.tm_min;
	civil.second = tm.tm_sec;
	return utc_from_civil(&civil, sec);
}

static enum status
facts_fill(struct issuer *issuer, const char *path, struct report *report,
    const struct file *der)
{
	struct issuer_facts *facts = &issuer->facts;
	X509 *certificate = issuer->certificate;
	uint32_t flags = X509_get_extension_flags(certificate);
	const ASN1_OCTET_STRING *key_id;
	struct hash hash;

	if ((flags & EXFLAG_INVALID) != 0)
		return report_fault(report, STATUS_CONFIG, path, rule,
		    "RFC 5280, 4.2", "the certificate's extensions are faulty");
	if (X509_NAME_get0_der(X509_get_subject_name(certificate),
		&facts->subject.data, &facts->subject.len) != 1)
		return report_fault(report, STATUS_CONFIG, path, rule,
		    "RFC 5280, 4.1.2.6", "the subject cannot be read");
	if (time_convert(X509_get0_notBefore(certificate),
		&facts->not_before_sec) != STATUS_OK ||
	    time_convert(X509_get0_notAfter(certificate),
		&facts->not_after_sec) != STATUS_OK)
		return report_fault(report, STATUS_CONFIG, path, rule,
		    "RFC 5280, 4.1.2.5", "the validity cannot be read");
	key_id = X509_get0_subject_key_id(certificate);
	if (key_id != NULL) {
		facts->key_id.data = ASN1_STRING_get0_data(key_id);
		facts->key_id.len = (size_t)ASN1_STRING_length(key_id);
	}
	/* RFC 5280, 4.2.1.3: without keyUsage nothing is forbidden. */
	facts->has_key_usage = (flags & EXFLAG_KUSAGE) != 0;
	facts->may_sign_crls =
	    !facts->has_key_usage ||
	    (X509_get_key_usage(certificate) & KU_CRL_SIGN) != 0;
	facts->is_ca = (flags & EXFLAG_CA) != 0;
	if (hash_bytes(der->data, der->len, &hash) != STATUS_OK)
		return report_fault(report, STATUS_FAILED, path, rule, NULL,
		    "libcrypto has no SHA-256");
	memcpy(facts->sha256, hash.octet, ISSUER_SHA256_BYTES);
	return STATUS_OK;
}

static enum status
issuer_parse(struct issuer *issuer, const char *path, struct report *report,
    const struct file *der)
{
	enum status status =
	    certificate_parse(path, report, der, &issuer->certificate);

	if (status != STATUS_OK)
		return status;
	issuer->key = X509_get_pubkey(issuer->certificate);
	if (issuer->key == NULL)
		return report_fault(report, STATUS_CONFIG, path, rule,
		    "RFC 5280, 4.1.2.7",
		    "the public key is of a kind that libcrypto cannot read");
	return facts_fill(issuer, path, report, der);
}

enum status
issuer_load(const char *path, struct report *report, struct issuer **issuer)
{
	struct file content = {NULL, 0};
	struct file decoded = {NULL, 0};
	struct issuer *loaded = NULL;
	const struct file *der = &content;
	enum status status;

	status = file_read(path, report, &content);
	if (status != STATUS_OK)
		goto out;
	if (!is_der(&content)) {
		status = pem_decode(path, report, &content, &decoded);
		if (status != STATUS_OK)
			goto out;
		der = &decoded;
	}
	loaded = calloc(1, sizeof(*loaded));
	if (loaded == NULL) {
		status = report_fault(report, STATUS_NO_MEMORY, path, rule,
		    NULL, "out of memory");
		goto out;
	}
	status = issuer_parse(loaded, path, report, der);
	if (status != STATUS_OK)
		goto out;
	*issuer = loaded;
	loaded = NULL;
out:
	ERR_clear_error();
	issuer_free(loaded);
	free(decoded.data);
	free(content.data);
	return status;
}

void
issuer_free(struct issuer *issuer)
{
	if (issuer == NULL)
		return;
	EVP_PKEY_free(issuer->key);
	X509_free(issuer->certificate);
	free(issuer);
}

const struct issuer_facts *
issuer_facts(const struct issuer *issuer)
{
	return &issuer->facts;
}

bool
issuer_has_same_key(const struct issuer *a, const struct issuer *b)
{
	return EVP_PKEY_eq(a->key, b->key) == 1;
}

const char *
issuer_name_text(const struct crl_view *name, char *out, size_t size)
{
	const unsigned char *p = name->data;
	X509_NAME *decoded = NULL;
	BIO *bio = BIO_new(BIO_s_mem());
	int len = 0;

	if (name->len <= LONG_MAX)
		decoded = d2i_X509_NAME(NULL, &p, (long)name->len);
	if (bio != NULL && decoded != NULL &&
	    X509_NAME_print_ex(bio, decoded, 0, XN_FLAG_RFC2253) >= 0)
		len = BIO_read(bio, out, (int)size - 1);
	out[len > 0 ? len : 0] = '\0';
	X509_NAME_free(decoded);
	BIO_free(bio);
	ERR_clear_error();
	return out[0] != '\0' ? out : "a name that cannot be shown";
}

/* In hex; "" when libcrypto fails, or there is no room. */
static void
octets_text(const unsigned char *octets, size_t len, char *out, size_t size)
{
	out[0] = '\0';
	for (size_t i = 0; i < len && 2 * len < size; i++)
		snprintf(out + 2 * i, 3, "%02x", octets[i]);
}

/* What kind of key it is, and how large. */
static void
key_text(const EVP_PKEY *key, char *out, size_t size)
{
	const char *kind = EVP_PKEY_get0_type_name(key);
	char group[32];
	size_t len = 0;

	if (kind == NULL)
		kind = "unknown";
	if (EVP_PKEY_get_group_name(key, group, sizeof(group), &len) == 1)
		snprintf(out, size, "%s %s", kind, group);
	else
		snprintf(out, size, "%s %d", kind, EVP_PKEY_get_bits(key));
}

void
issuer_describe(
    const struct issuer *issuer, struct issuer_description *description)
{
	const ASN1_INTEGER *serial =
	    X509_get0_serialNumber(issuer->certificate);
	unsigned char digest[EVP_MAX_MD_SIZE];
	unsigned int len = 0;

	memset(description, 0, sizeof(*description));
	octets_text(serial->data, (size_t)serial->length, description->serial,
	    sizeof(description->serial));
	if (X509_digest(issuer->certificate, EVP_sha1(), digest, &len) == 1)
		octets_text(
		    digest, len, description->sha1, sizeof(description->sha1));
	if (EVP_Digest(issuer->facts.subject.data, issuer->facts.subject.len,
		digest, &len, EVP_sha1(), NULL) == 1)
		octets_text(digest, len, description->subject_sha1,
		    sizeof(description->subject_sha1));
	key_text(issuer->key, description->key, sizeof(description->key));
	ERR_clear_error();
}

/* The digest an AlgorithmIdentifier names; NULL: none that is known. */
static const EVP_MD *
digest_of(const X509_ALGOR *algorithm)
{
	const ASN1_OBJECT *object = NULL;

	X509_ALGOR_get0(&object, NULL, NULL, algorithm);
	return EVP_get_digestbynid(OBJ_obj2nid(object));
}

/* RFC 4055, 2.2: the digest in the parameters of id-mgf1. */
static const EVP_MD *
mgf1_digest_of(const X509_ALGOR *mgf)
{
	const ASN1_OBJECT *object = NULL;
	X509_ALGOR *hash;
	const EVP_MD *md;

	X509_ALGOR_get0(&object, NULL, NULL, mgf);
	if (OBJ_obj2nid(object) != NID_mgf1)
		return NULL;
	hash = ASN1_TYPE_unpack_sequence(
	    ASN1_ITEM_rptr(X509_ALGOR), mgf->parameter);
	if (hash == NULL)
		return NULL;
	md = digest_of(hash);
	X509_ALGOR_free(hash);
	return md;
}

/* A small INTEGER of the parameters; -1 when it is not one. */
static int
small_integer(const ASN1_INTEGER *integer, int absent)
{
	int64_t value;

	if (integer == NULL)
		return absent;
	if (ASN1_INTEGER_get_int64(&value, integer) != 1 || value < 0 ||
	    value > INT16_MAX)
		return -1;
	return (int)value;
}

/* RFC 4055, 3.1: RSASSA-PSS-params, with their defaults. */
static enum status
scheme_of_pss(
    const X509_ALGOR *algorithm, struct scheme *scheme, const char **why)
{
	RSA_PSS_PARAMS *params;
	enum status status = STATUS_MALFORMED;

	*why = "RSASSA-PSS parameters cannot be read";
	params = ASN1_TYPE_unpack_sequence(
	    ASN1_ITEM_rptr(RSA_PSS_PARAMS), algorithm->parameter);
	if (params == NULL)
		return STATUS_MALFORMED;
	scheme->key_id = EVP_PKEY_RSA;
	scheme->pss = true;
	scheme->md = params->hashAlgorithm != NULL
			 ? digest_of(params->hashAlgorithm)
			 : EVP_sha1();
	scheme->mgf1_md = params->maskGenAlgorithm != NULL
			      ? mgf1_digest_of(params->maskGenAlgorithm)
			      : EVP_sha1();
	scheme->salt_len =
	    small_integer(params->saltLength, PSS_SALT_LEN_DEFAULT);
	if (scheme->md != NULL && scheme->mgf1_md != NULL &&
	    scheme->salt_len >= 0 &&
	    small_integer(params->trailerField, PSS_TRAILER_DEFAULT) ==
		PSS_TRAILER_DEFAULT)
		status = STATUS_OK;
	RSA_PSS_PARAMS_free(params);
	return status;
}

/* What the algorithm asks for. Parameters other than PSS's are lint's. */
static enum status
scheme_of(const X509_ALGOR *algorithm, struct scheme *scheme, const char **why)
{
	const ASN1_OBJECT *object = NULL;
	int md_id = NID_undef;
	int nid;

	memset(scheme, 0, sizeof(*scheme));
	X509_ALGOR_get0(&object, NULL, NULL, algorithm);
	nid = OBJ_obj2nid(object);
	if (nid == NID_rsassaPss)
		return scheme_of_pss(algorithm, scheme, why);
	*why = "the signature algorithm is unknown";
	if (OBJ_find_sigid_algs(nid, &md_id, &scheme->key_id) != 1)
		return STATUS_MALFORMED;
	if (nid == NID_ED25519 || nid == NID_ED448)
		return STATUS_OK;
	scheme->md = EVP_get_digestbynid(md_id);
	if (scheme->md == NULL)
		return STATUS_MALFORMED;
	return STATUS_OK;
}

/* RFC 4055, 1.2: a key of id-RSASSA-PSS signs with RSASSA-PSS alone. */
static bool
key_fits(const EVP_PKEY *key, const struct scheme *scheme)
{
	int id = EVP_PKEY_get_base_id(key);

	return id == scheme->key_id || (scheme->pss && id == EVP_PKEY_RSA_PSS);
}

static bool
context_prepare(EVP_MD_CTX *context, EVP_PKEY *key, const struct scheme *scheme)
{
	EVP_PKEY_CTX *key_context = NULL; /* belongs to `context` */

	if (EVP_DigestVerifyInit(
		context, &key_context, scheme->md, NULL, key) != 1)
		return false;
	if (!scheme->pss)
		return true;
	return EVP_PKEY_CTX_set_rsa_padding(
		   key_context, RSA_PKCS1_PSS_PADDING) > 0 &&
	       EVP_PKEY_CTX_set_rsa_mgf1_md(key_context, scheme->mgf1_md) > 0 &&
	       EVP_PKEY_CTX_set_rsa_pss_saltlen(key_context, scheme->salt_len) >
		   0;
}

static enum status
signature_check(EVP_PKEY *key, const struct scheme *scheme,
    const struct crl *crl, const char **why)
{
	EVP_MD_CTX *context = NULL;
	enum status status = STATUS_MALFORMED;

	*why = "the issuer's key is not of the signature algorithm's kind";
	if (!key_fits(key, scheme))
		return STATUS_MALFORMED;
	*why = "libcrypto cannot verify this algorithm with the issuer's key";
	context = EVP_MD_CTX_new();
	if (context == NULL || !context_prepare(context, key, scheme))
		goto out;
	*why = "the signature is not the issuer's over these bytes";
	if (EVP_DigestVerify(context, crl->signature.data, crl->signature.len,
		crl->tbs.data, crl->tbs.len) == 1)
		status = STATUS_OK;
out:
	EVP_MD_CTX_free(context);
	return status;
}

enum status
issuer_verify(
    const struct issuer *issuer, const struct crl *crl, const char **why)
{
	const uint8_t *p = crl->outer_algorithm.data;
	const uint8_t *end;
	X509_ALGOR *algorithm = NULL;
	struct scheme scheme;
	enum status status = STATUS_MALFORMED;

	*why = "the CRL is not signed";
	if (p == NULL || crl->signature.data == NULL || crl->tbs.data == NULL)
		return STATUS_MALFORMED;
	*why = "the signature algorithm cannot be read";
	end = p + crl->outer_algorithm.len;
	if (crl->outer_algorithm.len <= LONG_MAX)
		algorithm =
		    d2i_X509_ALGOR(NULL, &p, (long)crl->outer_algorithm.len);
	if (algorithm == NULL || p != end)
		goto out;
	status = scheme_of(algorithm, &scheme, why);
	if (status == STATUS_OK)
		status = signature_check(issuer->key, &scheme, crl, why);
out:
	X509_ALGOR_free(algorithm);
	ERR_clear_error();
	return status;
}

bool
issuer_signature_sizes(const struct issuer *issuer, bool pss,
    size_t *algorithm_len, size_t *signature_len)
{
	/* RFC 8410, 3; RFC 5758, 3.2; RFC 4055, 5 and 3.1. */
	static const struct {
		int key_id;
		bool pss;
		size_t algorithm_len;
	} row[] = {
	    {EVP_PKEY_RSA, false, 15},
	    {EVP_PKEY_RSA, true, 67},
	    {EVP_PKEY_RSA_PSS, true, 67},
	    {EVP_PKEY_EC, false, 12},
	    {EVP_PKEY_ED25519, false, 7},
	    {EVP_PKEY_ED448, false, 7},
	};
	int id = EVP_PKEY_get_base_id(issuer->key);
	int size = EVP_PKEY_get_size(issuer->key);

	for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
		/* A key of another kind has but one padding. */
		bool is_rsa = id == EVP_PKEY_RSA || id == EVP_PKEY_RSA_PSS;

		if (row[i].key_id != id || (is_rsa && row[i].pss != pss) ||
		    size <= 0)
			continue;
		*algorithm_len = row[i].algorithm_len;
		*signature_len = (size_t)size;
		return true;
	}
	return false;
}
