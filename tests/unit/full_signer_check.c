/* SPDX-License-Identifier: ISC */
/*
 * What the signer refuses: every demand on a TBSCertList broken by one that
 * libcrypto made.
 */
#include "../lib/signer_ca.h"

#define URL5 "http://crl.example/005.crl"
#define URL12 "http://crl.example/012.crl"

static struct ca p256;
static struct ca other;
static X509 *without_key_id;

/* A list as the encoder would never make it. */
struct list {
	const char *idp;  /* content of a v3 section; NULL: none */
	long long number; /* -1: none */
	int64_t this_update_sec;
	int64_t next_update_sec; /* 0: none */
	const X509 *key_id;      /* whose AKI; NULL: none */
	int key_id_cut;          /* octets that its end lacks */
	const char *issuer;
	const EVP_MD *digest;
};

static struct list
list_good(void)
{
	return (struct list){
	    .idp = "fullname=URI:" URL5 "\nonlyuser=TRUE\n",
	    .number = 100,
	    .this_update_sec = NOW_SEC,
	    .next_update_sec = NOW_SEC + DAY_SEC,
	    .key_id = p256.certificate,
	    .issuer = "Signer Test",
	    .digest = EVP_sha256(),
	};
}

static void
idp_add(X509_CRL *crl, const char *section)
{
	char text[1024];
	CONF *conf = NCONF_new(NULL);
	X509_EXTENSION *extension;
	X509V3_CTX context;
	BIO *bio;

	(void)snprintf(text, sizeof(text), "[idp]\n%s", section);
	bio = BIO_new_mem_buf(text, -1);
	assert_int_equal(NCONF_load_bio(conf, bio, NULL), 1);
	X509V3_set_ctx(&context, NULL, NULL, NULL, crl, 0);
	X509V3_set_nconf(&context, conf);
	extension = X509V3_EXT_nconf(
	    conf, &context, "issuingDistributionPoint", "critical,@idp");
	assert_non_null(extension);
	assert_int_equal(X509_CRL_add_ext(crl, extension, -1), 1);
	X509_EXTENSION_free(extension);
	BIO_free(bio);
	NCONF_free(conf);
}

static void
aki_add(X509_CRL *crl, const X509 *certificate, int cut)
{
	const ASN1_OCTET_STRING *whole =
	    X509_get0_subject_key_id((X509 *)(uintptr_t)certificate);
	AUTHORITY_KEYID *aki = AUTHORITY_KEYID_new();

	aki->keyid = ASN1_OCTET_STRING_new();
	assert_int_equal(
	    ASN1_OCTET_STRING_set(aki->keyid, ASN1_STRING_get0_data(whole),
		ASN1_STRING_length(whole) - cut),
	    1);
	assert_int_equal(
	    X509_CRL_add1_ext_i2d(crl, NID_authority_key_identifier, aki, 0, 0),
	    1);
	AUTHORITY_KEYID_free(aki);
}

static void
time_set(X509_CRL *crl, int (*set)(X509_CRL *, const ASN1_TIME *), int64_t sec)
{
	ASN1_TIME *when = ASN1_TIME_set(NULL, (time_t)sec);

	assert_int_equal(set(crl, when), 1);
	ASN1_TIME_free(when);
}

/* The TBSCertList in a buffer. */
static struct signer_buffer
list_make(const struct list *list)
{
	ASN1_INTEGER *number = ASN1_INTEGER_new();
	X509_NAME *name = X509_NAME_new();
	X509_CRL *crl = X509_CRL_new();
	struct signer_buffer buffer;
	unsigned char *der = NULL;
	int len;

	assert_int_equal(X509_CRL_set_version(crl, X509_CRL_VERSION_2), 1);
	assert_int_equal(X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC,
			     (const unsigned char *)list->issuer, -1, -1, 0),
	    1);
	assert_int_equal(X509_CRL_set_issuer_name(crl, name), 1);
	time_set(crl, X509_CRL_set1_lastUpdate, list->this_update_sec);
	if (list->next_update_sec != 0)
		time_set(crl, X509_CRL_set1_nextUpdate, list->next_update_sec);
	if (list->key_id != NULL)
		aki_add(crl, list->key_id, list->key_id_cut);
	if (list->number != -1) {
		assert_int_equal(
		    ASN1_INTEGER_set_int64(number, list->number), 1);
		assert_int_equal(
		    X509_CRL_add1_ext_i2d(crl, NID_crl_number, number, 0, 0),
		    1);
	}
	if (list->idp != NULL)
		idp_add(crl, list->idp);
	assert_true(X509_CRL_sign(crl, p256.pkey, list->digest) > 0);
	len = i2d_re_X509_CRL_tbs(crl, &der);
	assert_true(len > 0);
	assert_int_equal(
	    signer_buffer_new(&buffer, (size_t)len, NULL), STATUS_OK);
	memcpy(buffer.data, der, (size_t)len);
	OPENSSL_free(der);
	X509_CRL_free(crl);
	X509_NAME_free(name);
	ASN1_INTEGER_free(number);
	return buffer;
}

/* The last finding says that `rule` was broken, in these words. */
static void
assert_refused(const struct report *report, const char *rule, const char *text)
{
	const struct finding *finding = report_last(report);

	assert_int_equal(finding->severity, SEVERITY_FAULT);
	assert_string_equal(finding->object, "shard 5");
	assert_string_equal(finding->rule, rule);
	assert_contains(finding->text, text);
}

static enum status
list_sign(struct signer *signer, const struct list *list, uint64_t floor,
    struct report *report)
{
	struct signer_buffer buffer = list_make(list);
	struct uint160 below = uint160_from_u64(floor);
	struct signer_signature signature;
	enum status status;

	memset(&signature, 0x5a, sizeof(signature));
	status =
	    signer_sign(signer, &buffer, &below, "shard 5", report, &signature);
	if (status == STATUS_OK)
		X509_CRL_free(crl_verify(&p256, signer, &buffer, &signature));
	else
		assert_int_equal(signature.len, 0);
	signer_buffer_free(&buffer);
	return status;
}

struct refusal {
	const char *name;
	void (*spoil)(struct list *);
	const char *rule;
	const char *text;
};

static void
spoil_issuer(struct list *list)
{
	list->issuer = "Signer test"; /* equal to RFC 5280, 7.1; not to us */
}

static void
spoil_algorithm(struct list *list)
{
	list->digest = EVP_sha384();
}

static void
spoil_aki_missing(struct list *list)
{
	list->key_id = NULL;
}

static void
spoil_aki(struct list *list)
{
	list->key_id = other.certificate;
}

static void
spoil_aki_short(struct list *list)
{
	list->key_id_cut = 1;
}

static void
spoil_number_missing(struct list *list)
{
	list->number = -1;
}

static void
spoil_number_zero(struct list *list)
{
	list->number = 0;
}

static void
spoil_idp_missing(struct list *list)
{
	list->idp = NULL;
}

static void
spoil_idp_two(struct list *list)
{
	list->idp = "fullname=URI:" URL5 ",URI:" URL12 "\n";
}

static void
spoil_idp_other_name(struct list *list)
{
	list->idp = "fullname=URI:" URL5 ",DNS:crl.example\n";
}

static void
spoil_idp_no_name(struct list *list)
{
	list->idp = "onlyuser=TRUE\n";
}

static void
spoil_url_below(struct list *list)
{
	list->idp = "fullname=URI:http://crl.example/004.crl\n";
}

static void
spoil_url_above(struct list *list)
{
	list->idp = "fullname=URI:http://crl.example/013.crl\n";
}

static void
spoil_url_width(struct list *list)
{
	list->idp = "fullname=URI:http://crl.example/5.crl\n";
}

static void
spoil_url_wrapped(struct list *list)
{
	/* 2^32 + 5 */
	list->idp = "fullname=URI:http://crl.example/4294967301.crl\n";
}

static void
spoil_url_digits(struct list *list)
{
	/* Low bits as those of digits. */
	list->idp = "fullname=URI:http://crl.example/@PU.crl\n";
}

static void
spoil_url_host(struct list *list)
{
	list->idp = "fullname=URI:http://crl.Example/005.crl\n";
}

static void
spoil_url_suffix(struct list *list)
{
	list->idp = "fullname=URI:http://crl.example/005.crl?\n";
}

static void
spoil_url_short(struct list *list)
{
	list->idp = "fullname=URI:x\n";
}

static void
spoil_times_missing(struct list *list)
{
	list->next_update_sec = 0;
}

static void
spoil_times_equal(struct list *list)
{
	list->next_update_sec = list->this_update_sec;
}

static void
spoil_times_inverted(struct list *list)
{
	list->next_update_sec = list->this_update_sec - 1;
}

static void
spoil_future(struct list *list)
{
	list->this_update_sec = NOW_SEC + 61;
}

#define IDP_URL "URL of no shard of this issuer"

static const struct refusal refusals[] = {
    {"issuer", spoil_issuer, "issuer-bytes", "issuer is not the subject"},
    {"algorithm", spoil_algorithm, "sigalg-match", "not that of the key"},
    {"aki missing", spoil_aki_missing, "aki", "Identifier missing"},
    {"aki", spoil_aki, "aki", "not the key identifier"},
    {"aki short", spoil_aki_short, "aki", "not the key identifier"},
    {"number missing", spoil_number_missing, "number", "crlNumber missing"},
    {"number 0", spoil_number_zero, "number-up",
	"not above the published one, have 0, want above 0"},
    {"idp missing", spoil_idp_missing, "idp", "Point missing"},
    {"idp two", spoil_idp_two, "idp", "have 2 URLs and 0 other names"},
    {"idp other", spoil_idp_other_name, "idp", "1 URLs and 1 other names"},
    {"idp no name", spoil_idp_no_name, "idp", "have 0 URLs"},
    {"url below", spoil_url_below, "idp-url", IDP_URL ", have http://crl."},
    {"url above", spoil_url_above, "idp-url", IDP_URL},
    {"url width", spoil_url_width, "idp-url", IDP_URL},
    {"url wrapped", spoil_url_wrapped, "idp-url", IDP_URL},
    {"url digits", spoil_url_digits, "idp-url", IDP_URL},
    {"url host", spoil_url_host, "idp-url", IDP_URL},
    {"url suffix", spoil_url_suffix, "idp-url", IDP_URL},
    {"url short", spoil_url_short, "idp-url", IDP_URL},
    {"no next", spoil_times_missing, "next-update", "nextUpdate missing"},
    {"next equal", spoil_times_equal, "next-update",
	"have 2026-11-22T05:00:00Z, want after 2026-11-22T05:00:00Z"},
    {"next before", spoil_times_inverted, "next-update", "not after"},
    {"future", spoil_future, "not-future",
	"have 2026-11-22T05:01:01Z, want at most 2026-11-22T05:01:00Z"},
};

static void
every_demand_is_made(void **state)
{
	struct report *report = report_new(NULL, SEVERITY_NOTE);
	struct signer *signer = ca_start(&p256);
	struct list list;

	(void)state;
	for (size_t i = 0; i < sizeof(refusals) / sizeof(*refusals); i++) {
		struct report *once = report_new(NULL, SEVERITY_NOTE);

		list = list_good();
		refusals[i].spoil(&list);
		if (list_sign(signer, &list, 0, once) != STATUS_REFUSED)
			fail_msg("%s was not refused", refusals[i].name);
		assert_refused(once, refusals[i].rule, refusals[i].text);
		assert_int_equal(report_kept(once), 1);
		report_free(once);
	}
	/* What was refused used up no number. */
	list = list_good();
	list.number = 1;
	assert_int_equal(list_sign(signer, &list, 0, report), STATUS_OK);
	assert_int_equal(report_kept(report), 0);
	signer_stop(signer);
	report_free(report);
}

/* The edges that are still fine. */
static void
edges_are_signed(void **state)
{
	struct report *report = report_new(stderr, SEVERITY_NOTE);
	struct signer *signer = ca_start(&p256);
	struct list list = list_good();

	(void)state;
	list.this_update_sec = NOW_SEC + 60;
	list.next_update_sec = NOW_SEC + 61;
	assert_int_equal(list_sign(signer, &list, 99, report), STATUS_OK);
	list.idp = "fullname=URI:" URL12 "\n";
	assert_int_equal(list_sign(signer, &list, 0, report), STATUS_OK);
	signer_stop(signer);
	report_free(report);
}

/* RFC 5280, 5.2.3: upwards for each shard by itself, and above the floor. */
static void
numbers_only_rise(void **state)
{
	struct report *report = report_new(NULL, SEVERITY_NOTE);
	struct signer *signer = ca_start(&p256);
	struct list list = list_good();

	(void)state;
	assert_int_equal(list_sign(signer, &list, 100, report), STATUS_REFUSED);
	assert_refused(report, "number-up",
	    "not above the published one, have 100, want above 100");
	assert_int_equal(list_sign(signer, &list, 99, report), STATUS_OK);
	assert_int_equal(list_sign(signer, &list, 0, report), STATUS_REFUSED);
	assert_refused(report, "number-up",
	    "not above the last one signed, have 100, want above 100");
	list.number = 99;
	assert_int_equal(list_sign(signer, &list, 0, report), STATUS_REFUSED);
	list.number = 101;
	assert_int_equal(list_sign(signer, &list, 0, report), STATUS_OK);
	list.number = 5;
	list.idp = "fullname=URI:" URL12 "\n";
	assert_int_equal(list_sign(signer, &list, 4, report), STATUS_OK);
	assert_int_equal(list_sign(signer, &list, 4, report), STATUS_REFUSED);
	signer_stop(signer);
	report_free(report);
}

/* Its own clock, when nobody gave it one. */
static void
clock_is_its_own(void **state)
{
	struct report *report = report_new(NULL, SEVERITY_NOTE);
	struct signer_config config = ca_config(&p256);
	struct signer *signer = NULL;
	struct list list = list_good();
	int64_t now_sec = (int64_t)time(NULL);

	(void)state;
	config.has_now = false;
	config.now_sec = now_sec + 1000 * DAY_SEC;
	assert_int_equal(signer_start(&config, report, &signer), STATUS_OK);
	list.this_update_sec = now_sec + 600;
	list.next_update_sec = now_sec + DAY_SEC;
	assert_int_equal(list_sign(signer, &list, 0, report), STATUS_REFUSED);
	assert_refused(report, "not-future", "after the signer's clock");
	list.this_update_sec = now_sec;
	assert_int_equal(list_sign(signer, &list, 0, report), STATUS_OK);
	signer_stop(signer);
	report_free(report);
}

/* A certificate without a key identifier asks for none. */
static void
aki_follows_the_certificate(void **state)
{
	char path[PATH_BYTES];
	struct report *report = report_new(NULL, SEVERITY_NOTE);
	struct signer_config config = ca_config(&p256);
	struct signer *signer = NULL;
	struct list list = list_good();

	(void)state;
	(void)snprintf(path, sizeof(path), "%s/plain.crt", p256.dir);
	certificate_write(path, without_key_id);
	config.certificate_path = path;
	assert_int_equal(signer_start(&config, report, &signer), STATUS_OK);
	list.key_id = NULL;
	assert_int_equal(list_sign(signer, &list, 0, report), STATUS_OK);
	signer_stop(signer);
	report_free(report);
}

/* A digit right behind the place is not part of the index. */
static void
digits_after_the_place(void **state)
{
	struct report *report = report_new(stderr, SEVERITY_NOTE);
	struct signer_config config = ca_config(&p256);
	struct signer *signer = NULL;
	struct list list = list_good();

	(void)state;
	config.url_pattern = "http://crl.example/{shard}0.crl";
	list.idp = "fullname=URI:http://crl.example/120.crl\n";
	assert_int_equal(signer_start(&config, report, &signer), STATUS_OK);
	assert_int_equal(list_sign(signer, &list, 0, report), STATUS_OK);
	signer_stop(signer);
	/* One shard needs no place. */
	config.url_pattern = URL5;
	config.shard_count = 1;
	list = list_good();
	assert_int_equal(signer_start(&config, report, &signer), STATUS_OK);
	assert_int_equal(list_sign(signer, &list, 0, report), STATUS_OK);
	signer_stop(signer);
	report_free(report);
}

/* Bytes that are not a TBSCertList, each octet of a good one changed. */
static void
garbage_is_refused(void **state)
{
	struct report *report = report_new(NULL, SEVERITY_NOTE);
	struct signer *signer = ca_start(&p256);
	struct uint160 floor = uint160_from_u64(0);
	struct list list = list_good();
	struct signer_buffer good = list_make(&list);
	struct signer_signature signature;
	struct signer_buffer buffer;

	(void)state;
	assert_int_equal(signer_buffer_new(&buffer, 4096, report), STATUS_OK);
	assert_int_equal(
	    signer_sign(signer, &buffer, &floor, "shard 5", report, &signature),
	    STATUS_REFUSED);
	assert_string_equal(report_last(report)->rule, "der");
	signer_buffer_free(&buffer);
	for (size_t i = 0; i < good.size; i++) {
		enum status status;

		assert_int_equal(
		    signer_buffer_new(&buffer, good.size, report), STATUS_OK);
		memcpy(buffer.data, good.data, good.size);
		buffer.data[i] ^= 0x80;
		status = signer_sign(
		    signer, &buffer, &floor, "shard 5", report, &signature);
		/* Never a failure, and never a death. */
		assert_true(status == STATUS_REFUSED || status == STATUS_OK);
		signer_buffer_free(&buffer);
	}
	signer_buffer_free(&good);
	signer_stop(signer);
	report_free(report);
}

static int
group_setup(void **state)
{
	(void)state;
	ca_make(&p256, key_ec("P-256"));
	ca_make(&other, key_ec("P-256"));
	without_key_id =
	    certificate_make(p256.pkey, "critical,CA:TRUE", USAGE_CA, NULL);
	return 0;
}

static int
group_teardown(void **state)
{
	(void)state;
	X509_free(without_key_id);
	ca_free(&p256);
	ca_free(&other);
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(every_demand_is_made),
	    cmocka_unit_test(edges_are_signed),
	    cmocka_unit_test(numbers_only_rise),
	    cmocka_unit_test(clock_is_its_own),
	    cmocka_unit_test(aki_follows_the_certificate),
	    cmocka_unit_test(digits_after_the_place),
	    cmocka_unit_test(garbage_is_refused),
	};

	return cmocka_run_group_tests(tests, group_setup, group_teardown);
}
